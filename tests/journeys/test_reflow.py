"""Large text, wide spacing, little room: pages are read as people set their screens, and lose nothing.

Enlarged four times a laptop has 320 by 256 pixels left; lines and letters are set apart as WCAG 1.4.12 says; text alone
is twice as large; colours are the system's own; nothing moves for whoever asked for that; phones are held both ways.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, expect

from enkat.model.staff import StaffRole
from enkat.model.survey import Role
from tests.conftest import Town
from tests.journeys import people
from tests.journeys.conftest import Phones
from tests.journeys.people import town_in
from tests.journeys.server import Server, new_submission, serving
from tests.journeys.test_every_page import put_texts
from tests.published import children, publish, quarters, year

#: What is cut off at either side: how far the page scrolls sideways, and what stands outside it.
SIDEWAYS = """() => [document.scrollingElement.scrollWidth - document.documentElement.clientWidth,
    [...document.querySelectorAll('body *')].filter(part => part.checkVisibility() && !part.closest('.scroll, .unseen'))
        .filter(part => !part.closest('.tabs > input, svg'))
        .filter(part => part.getBoundingClientRect().right > innerWidth + 1 || part.getBoundingClientRect().left < -1)
        .map(part => part.outerHTML.slice(0, 100)).slice(0, 5)]"""

#: Controls that cannot be brought onto the screen and hit there, one after the other.
OUT_OF_REACH = """() => [...document.querySelectorAll('a, button, summary, input:not([type=hidden]), textarea, select')]
    .filter(part => part.checkVisibility({opacityProperty: true})).filter(part => {
        part.scrollIntoView({block: 'center', inline: 'center'});
        const box = part.getClientRects()[0];
        if (box.left < -1 || box.right > innerWidth + 1 || box.bottom < 1 || box.top > innerHeight - 1) return true;
        const y = (Math.max(box.top, 0) + Math.min(box.bottom, innerHeight)) / 2;
        const above = document.elementFromPoint((box.left + box.right) / 2, y);
        return !above || !part.contains(above) && ![...(part.labels || [])].some(label => label.contains(above));
    }).map(part => part.outerHTML.slice(0, 120))"""

#: What stays in place while the page moves, and hides more than half of what it lies upon; and cells of a table for
#: which there is no room beside a column that stays.
COVERED = """() => [...document.querySelectorAll('body *')].filter(part => part.checkVisibility()).flatMap(part => {
    const place = getComputedStyle(part).position, box = part.getBoundingClientRect();
    if (place !== 'sticky' && place !== 'fixed') return [];
    const frame = (part.closest('.scroll') || document.documentElement).getBoundingClientRect();
    if (place === 'fixed' || box.height > innerHeight / 2) return [part.outerHTML.slice(0, 100)];
    const room = Math.min(frame.width, innerWidth) - box.width;
    const cells = [...part.parentElement.children].filter(cell => cell !== part);
    return cells.filter(cell => cell.getBoundingClientRect().width > room + 1)
        .map(cell => `${box.width} px hide ${cell.outerHTML.slice(0, 100)}, ${cell.getBoundingClientRect().width} px`);
})"""

#: Text that is cut off: in a box that hides what does not fit, or out of the box that is drawn around it.
CUT = """() => {
    const isRead = part => part.checkVisibility() && !part.closest('.unseen, .chart, svg, option');
    const hiding = [...document.querySelectorAll('body *')].filter(isRead)
        .filter(part => /hidden|clip/.test(getComputedStyle(part).overflow) || part.matches('select'))
        .filter(part => !part.matches('input')) // it moves with the caret
        .filter(part => part.scrollWidth > part.clientWidth + 1 || part.scrollHeight > part.clientHeight + 1);
    const drawn = `button, .button, .chip, .option > span, .aside > span, .tab-row label, summary, th, td, .views a,
        .flash, .faults, .surface, .slip`;
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), leaving = [];
    while (walker.nextNode()) {
        const part = walker.currentNode.parentElement, frame = part.closest(drawn), text = document.createRange();
        if (!frame || !isRead(part)) continue;
        text.selectNodeContents(walker.currentNode);
        const inside = text.getBoundingClientRect(), box = frame.getBoundingClientRect();
        const more = parseFloat(getComputedStyle(part).fontSize) / 4; // what a font keeps above and below its letters
        if (inside.width && (inside.left < box.left - 1 || inside.right > box.right + 1 || inside.top < box.top - more
            || inside.bottom > box.bottom + more)) leaving.push(frame);
    }
    return [...hiding, ...leaving].map(part => part.outerHTML.slice(0, 140));
}"""

#: A style of the reader's own; one that is made so is not asked by the page's policy.
OWN_STYLE = """text => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    document.adoptedStyleSheets = [sheet];
}"""
SPACED = """* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }
    p { margin-block-end: 2em !important; }"""

#: Text alone twice as large, as some browsers do it.
TWICE = """() => [...document.querySelectorAll('body, body *')].filter(part => !part.closest('svg'))
    .map(part => [part, 2 * parseFloat(getComputedStyle(part).fontSize)])
    .forEach(([part, size]) => part.style.setProperty('font-size', `${size}px`, 'important'))"""

#: How somebody can see that something is chosen, at fault or has the focus, where colours are not the page's own.
DRAWN = """part => { const style = getComputedStyle(part); return [style.outlineStyle, style.outlineWidth,
    style.outlineOffset, style.borderInlineStartWidth, style.borderInlineStartStyle].join(' '); }"""

EDGE = """part => {
    const style = getComputedStyle(part), paper = getComputedStyle(document.body).backgroundColor;
    if (style.borderInlineStartWidth === '0px') return ['0px'];
    return [style.borderInlineStartWidth, style.borderInlineStartColor === paper ? 'as the paper' : 'seen'];
}"""


@dataclass
class Place:
    """A served town with something on each of its pages."""

    town: Town
    server: Server
    rooms: dict[str, str]
    meeting: str
    submission: str
    signed_in: dict[str, list] = field(default_factory=dict)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One town for all who read; what they send is sent again and again by the same form."""
    long = "Familjestödsenheten för barn och unga"
    with town_in(tmp_path_factory.mktemp("town"), "Mitthem", long) as town:
        for who, unit, role in [
            ("karin", town.north, StaffRole.COORDINATOR),
            ("ulla", town.municipality, StaffRole.EVALUATOR),
            ("anders", town.municipality, StaffRole.ADMINISTRATOR),
        ]:
            town.add_staff(f"{who}@mitthem.example", unit, role)
        meeting = town.meeting()
        town.personal(meeting, Role.KIN)
        rooms = {role.value: link.key for role, link in town.rooms(meeting).items()}
        put_texts(town.db)
        units = {long: 61, "Socialtjänstens mottagningsenhet": (72, 9, 4)}
        publish(town.db, *quarters("2025-Q1", 7), year(2025, unit=units, source={"school": 60}), children("2025"))
        with serving(town.house.settings) as server:
            yield Place(town, server, rooms, meeting.id, new_submission())


@pytest.fixture
def phones(browser: Browser, place: Place) -> Iterator[Phones]:
    phones = Phones(browser, place.server.settings.base_url)
    yield phones
    phones.close()


PARTICIPANTS = ["form", "child", "thanks", "errors"]
STAFF = {
    "karin": ["/staff", "/staff/meetings/{meeting}", "/staff/meetings/new", "/staff/meetings/{meeting}/links"],
    "anders": ["/staff/people"],
    "ulla": ["/results", "/results/months", "/results/years", "/staff/texts"],
}


# Four times as large: 320 by 256 pixels


@pytest.mark.parametrize("language", ["sv", "fi", "ar"])
def test_enlarged_four_times_a_participant_reaches_everything(place: Place, phones: Phones, language: str) -> None:
    phone = phones.open(script=False, language=language, width=320, height=256)
    for name in PARTICIPANTS:
        show(phone, place, name)
        reaches_all(phone, name)
    phone.evaluate("document.querySelector('.bar details').open = true")
    fits(phone, "the menu of languages")
    assert not [part for part in phone.evaluate(OUT_OF_REACH) if "?lang=" in part and "translate" in part]


@pytest.mark.parametrize("who", STAFF)
def test_enlarged_four_times_staff_reach_everything(place: Place, phones: Phones, who: str) -> None:
    desk = phones.open(width=320, height=256, touch=False)
    sign_in(desk, place, who)
    for path in STAFF[who]:
        desk.goto(path.format(meeting=place.meeting))
        reaches_all(desk, path)
        unfold(desk)
        reaches_all(desk, f"{path}, unfolded")


@pytest.mark.parametrize("path", ["", "/room/family"])
@pytest.mark.parametrize(("width", "height"), [(320, 256), (640, 320)])
def test_a_low_screen_has_all_that_a_tall_one_has_where_codes_are_shown(
    place: Place, phones: Phones, width: int, height: int, path: str
) -> None:
    desk = phones.open(width=320, height=800, touch=False)
    sign_in(desk, place, "karin")
    desk.goto(f"/staff/meetings/{place.meeting}{path}")
    tall = controls(desk)
    assert len(tall) > (1 if path else 10)
    desk.set_viewport_size({"width": width, "height": height})
    assert tall - controls(desk) == set(), "what is gone when there is little height"
    reaches_all(desk, path)


# Text that is set apart, and text twice as large


@pytest.mark.parametrize("language", ["sv", "fi", "ti"])
def test_lines_and_letters_set_apart_leave_a_participants_text_whole(
    place: Place, phones: Phones, language: str
) -> None:
    phone = phones.open(script=False, language=language, width=320)
    for name in PARTICIPANTS:
        show(phone, place, name)
        phone.evaluate(OWN_STYLE, SPACED)
        is_whole(phone, name)


@pytest.mark.parametrize("who", STAFF)
def test_lines_and_letters_set_apart_leave_staffs_text_whole(place: Place, phones: Phones, who: str) -> None:
    desk = phones.open(width=320, script=who != "ulla")
    sign_in(desk, place, who)
    for path in STAFF[who]:
        desk.goto(path.format(meeting=place.meeting))
        desk.evaluate(OWN_STYLE, SPACED)
        assert desk.evaluate("getComputedStyle(document.querySelector('h1')).letterSpacing") != "normal"
        is_whole(desk, path)


@pytest.mark.parametrize("language", ["sv", "fi", "ti", "ar"])
def test_text_twice_as_large_fits_a_participants_phone(place: Place, phones: Phones, language: str) -> None:
    phone = phones.open(script=False, language=language, width=360)
    for name in PARTICIPANTS:
        show(phone, place, name)
        phone.evaluate(TWICE)
        is_whole(phone, name)


@pytest.mark.parametrize("who", STAFF)
def test_text_twice_as_large_fits_staffs_laptop(place: Place, phones: Phones, who: str) -> None:
    desk = phones.open(width=1024, height=768, touch=False, script=who != "ulla")
    sign_in(desk, place, who)
    for path in STAFF[who]:
        desk.goto(path.format(meeting=place.meeting))
        desk.evaluate(TWICE)
        is_whole(desk, path)


# Movement, colours, and both ways up


@pytest.mark.parametrize("asked", ["reduce", "no-preference"])
def test_nothing_moves_for_whoever_has_asked_for_that(place: Place, phones: Phones, asked: str) -> None:
    phone = phones.open()
    phone.emulate_media(reduced_motion=asked)  # type: ignore[arg-type]
    phone.goto(f"/{place.rooms['family']}")
    phone.get_by_role("button", name="Nästa").tap()
    moving = "() => [...document.querySelectorAll('*')].filter(part => parseFloat(getComputedStyle(part)"
    of_time = ".transitionDuration) || getComputedStyle(part).animationName !== 'none').map(part => part.className)"
    assert len(phone.evaluate(moving + of_time)) == (0 if asked == "reduce" else 1)
    assert phone.evaluate("document.getAnimations().length") <= (0 if asked == "reduce" else 1)
    assert phone.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


@pytest.mark.parametrize("kind", [".option", ".aside"])
def test_in_the_systems_colours_an_answer_is_seen_to_be_chosen_and_to_have_the_focus(
    place: Place, phones: Phones, kind: str
) -> None:
    phone = phones.open(script=False, forced=True, touch=False)
    phone.goto(f"/{place.rooms['family']}")
    words = phone.locator(f"#prep {kind} > span")
    phone.keyboard.press("Tab")
    phone.locator(f"#prep {kind} input").first.click()
    phone.keyboard.press("ArrowDown")
    phone.keyboard.press("ArrowUp")
    focused, other = (words.nth(number).evaluate(DRAWN) for number in (0, 1))
    for _stop in range(2):
        phone.keyboard.press("Tab")
    chosen = words.first.evaluate(DRAWN)
    assert phone.locator(f"#prep {kind} input").first.is_checked()
    assert focused != other, "the focus is seen"
    assert focused != chosen, "a chosen answer looks otherwise when it has the focus"
    assert kind == ".aside" or chosen != other, "the choice is seen"
    assert is_seen_as_checked(phone, kind), "the button itself is drawn by the system"
    edges = words.nth(1).evaluate(EDGE)
    assert edges in (["0px"], ["4px", "as the paper"]), "an answer that is not chosen has no mark of one"


def is_seen_as_checked(phone: Page, kind: str) -> bool:
    """Whether a chosen answer has a picture of its own."""
    first, second = (phone.locator(f"#prep {kind}").nth(number).locator("input") for number in (0, 1))
    return first.screenshot() != second.screenshot()


def test_in_the_systems_colours_faults_and_what_is_current_have_edges_of_their_own(
    place: Place, phones: Phones
) -> None:
    phone = phones.open(script=False, forced=True)
    show(phone, place, "errors")
    assert phone.locator("#say").evaluate(DRAWN) != phone.locator("#safe").evaluate(DRAWN)
    assert phone.locator(".faults").evaluate("part => parseFloat(getComputedStyle(part).borderInlineStartWidth)") >= 4
    desk = phones.open(forced=True)
    sign_in(desk, place, "karin")
    desk.goto(f"/staff/meetings/{place.meeting}")
    shown, other = (desk.locator(".tab-row label").nth(number).evaluate(DRAWN) for number in (0, 1))
    assert shown != other
    sign_in(desk := phones.open(script=False, forced=True), place, "ulla")
    desk.goto("/results")
    current, other = (desk.locator(".views a").nth(number).evaluate(DRAWN) for number in (0, 1))
    assert current != other


@pytest.mark.parametrize(("width", "height"), [(640, 320), (320, 640)])
@pytest.mark.parametrize("script", [True, False])
def test_the_form_is_answered_with_the_phone_held_either_way(
    place: Place, phones: Phones, width: int, height: int, script: bool
) -> None:
    phone = phones.open(script=script, width=width, height=height)
    phone.goto(f"/{place.rooms['family']}")
    phone.evaluate("id => document.querySelector('[name=submission]').value = id", place.submission)
    while True:
        reaches_all(phone, "form")
        phone.locator(".item:visible .option").first.tap()
        if not phone.get_by_role("button", name="Nästa").is_visible():
            break
        phone.get_by_role("button", name="Nästa").tap()
        if phone.locator("textarea").is_visible():
            break
    phone.get_by_role("button", name="Skicka").tap()
    expect(phone.get_by_role("heading", name="Tack.")).to_be_visible()


# What is looked at


def show(phone: Page, place: Place, name: str) -> None:
    """A participant's page by its name, all of it unfolded."""
    phone.goto(f"/{place.rooms['child' if name == 'child' else 'family']}")
    if name in ("thanks", "errors"):
        phone.evaluate("id => document.querySelector('[name=submission]').value = id", place.submission)
        if name == "errors":
            phone.evaluate("document.querySelector('#say input').value = '9'")
        phone.locator("#say .option").first.click()
        phone.locator(".send .button").click()
        phone.wait_for_selector(".regret" if name == "thanks" else ".faults")
    unfold(phone)


def unfold(page: Page) -> None:
    """Open what is folded."""
    page.evaluate("document.querySelectorAll('main details').forEach(part => part.open = true)")


def reaches_all(page: Page, name: str) -> None:
    """Nothing sideways, nothing out of reach, nothing covered."""
    fits(page, name)
    assert not page.evaluate(OUT_OF_REACH), name
    assert not page.evaluate(COVERED), name


def is_whole(page: Page, name: str) -> None:
    """Nothing sideways and nothing cut."""
    fits(page, name)
    assert not page.evaluate(CUT), name


def fits(page: Page, name: str) -> None:
    """Nothing to scroll sideways for."""
    too_wide, parts = page.evaluate(SIDEWAYS)
    assert (too_wide <= 0, parts) == (True, []), f"{name}: {too_wide} px to scroll sideways"


def controls(page: Page) -> set[str]:
    """Every link and button that is there, by its words or its address."""
    return set(
        page.evaluate(
            """() => [...document.querySelectorAll('a, button, summary, [role=img]')]
            .filter(part => part.checkVisibility()).map(part => part.textContent.trim() || part.ariaLabel)"""
        )
    )


def sign_in(desk: Page, place: Place, who: str) -> None:
    """Sign in through the page, once; later the same person is still signed in."""
    if who in place.signed_in:
        desk.context.add_cookies(place.signed_in[who])
        return
    address = f"{who}@mitthem.example"
    people.sign_in(desk, address, place.town.passwords[address])
    place.signed_in[who] = desk.context.cookies()
