"""By keyboard alone: somebody who cannot use a finger or a mouse answers, runs a meeting, reads results, adds people.

Only keys are pressed. At each stop on the way the focus is seen, lies on the screen and is hidden behind nothing; a
walk to the end leaves the page, and the way back has the same stops.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import pytest
from playwright.sync_api import Browser, Page, expect

from enkat.model.staff import StaffRole
from enkat.model.survey import Role
from tests.conftest import Town
from tests.journeys.conftest import Phones
from tests.journeys.people import town_in
from tests.journeys.server import Server, serving
from tests.journeys.test_every_page import put_texts
from tests.published import children, publish, quarters, year

#: More stops than any page here has.
MOST = 120

#: The last control of every page: the link to what is said about accessibility.
LAST = "/accessibility"

#: Where the focus is: what the stop is called, which group of answers it belongs to, and what is wrong with it. The
#: mark of focus may stand on the control, on the words beside it or on its label.
FOCUS = """() => {
    const at = document.activeElement;
    if (!at || at === document.body || at === document.documentElement) return null;
    const marked = [at, at.type === 'radio' && at.nextElementSibling, ...(at.labels || [])].filter(Boolean);
    const isDrawn = part => {
        const style = getComputedStyle(part);
        const outline = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
        return part.checkVisibility({opacityProperty: true}) && (outline || style.boxShadow !== 'none');
    };
    const shown = marked.find(isDrawn), faults = [];
    // A date has stops within it, for day, month, year and calendar, which the browser itself marks.
    if (!shown && at.type !== 'date') faults.push('its focus is not seen');
    const box = (shown || at).getClientRects()[0] || (shown || at).getBoundingClientRect();
    const fits = box.width <= innerWidth && box.height <= innerHeight;
    const left = Math.max(box.left, 0), right = Math.min(box.right, innerWidth);
    const top = Math.max(box.top, 0), bottom = Math.min(box.bottom, innerHeight);
    if (right - left < 1 || bottom - top < 1) faults.push('it is off the screen');
    else if (fits && (box.left < -1 || box.right > innerWidth + 1 || box.top < -1 || box.bottom > innerHeight + 1))
        faults.push('a part of it is off the screen');
    else {
        const above = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
        const own = [at, ...marked];
        if (!above || !own.some(part => part.contains(above)) && ![...(at.labels || [])].includes(above.parentElement))
            faults.push(`it is hidden behind ${above && above.outerHTML.slice(0, 100)}`);
    }
    for (let around = (shown || at).parentElement; shown && around; around = around.parentElement) {
        if (getComputedStyle(around).overflowX === 'visible' || around === document.documentElement) continue;
        const style = getComputedStyle(shown), frame = around.getBoundingClientRect();
        const reach = parseFloat(style.outlineWidth) + parseFloat(style.outlineOffset);
        if (box.left - reach < frame.left - 1 || box.right + reach > frame.right + 1)
            faults.push(`its mark is cut off by ${around.className}`);
    }
    const words = at.getAttribute('aria-label') || (at.labels && [...at.labels].map(one => one.innerText).join(' '))
        || at.innerText || at.value || '';
    const href = at.getAttribute('href') || '';
    const key = at.type === 'radio' ? at.name : `${[...document.all].indexOf(at)} ${href} ${words}`;
    return {name: words.replace(/\\s+/g, ' ').trim(), kind: at.type || at.localName, key, faults};
}"""


@dataclass
class Keys:
    """Somebody at the keyboard; each stop they come to is looked at."""

    page: Page

    def stop(self) -> dict | None:
        """The stop where the focus is, which must be a good one; None where no control of the page has it."""
        found = self.page.evaluate(FOCUS)
        assert not found or not found["faults"], (
            f"{self.page.url}: {found['kind']} {found['name']!r}: {found['faults']}"
        )
        return found

    def press(self, *keys: str) -> dict | None:
        """Press keys; where the focus is then."""
        for key in keys:
            self.page.keyboard.press(key)
        return self.stop()

    def type(self, text: str) -> None:
        """Write a text where the focus is."""
        self.page.keyboard.type(text)
        self.stop()

    def tab_to(self, name: str, kind: str | None = None, *, back: bool = False) -> None:
        """Go by Tab to the control of this name."""
        passed = []
        for _stop in range(MOST):
            found = self.press("Shift+Tab" if back else "Tab")
            passed.append(found["name"] if found else "(none)")
            if found and re.search(name, found["name"]) and kind in (None, found["kind"]):
                return
        raise AssertionError(f"{self.page.url}: {name} cannot be reached: {passed}")

    def open(self, name: str, heading: str) -> None:
        """Go to a link or a button, press Enter, and see the page's heading."""
        self.tab_to(name)
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("heading", name=re.compile(heading)).first).to_be_visible()

    def walk(self, step: str = "Tab") -> list[str]:
        """Every stop from where one is to the end of the page, which every page's last control must be passed to reach.

        Backwards a browser without a window has nothing outside the page, and begins anew with the stop it began with.
        """
        stops: list[str] = []
        for _stop in range(MOST):
            found = self.press(step)
            if found is None or (len(set(stops)) > 1 and found["key"] == stops[0]):
                assert any(LAST in key for key in stops), f"{self.page.url}: never past {stops[-6:]}"
                return [key for key, _same in groupby(stops)]
            stops.append(found["key"])
        raise AssertionError(f"{self.page.url}: {step} never leaves the page: {stops[-6:]}")


@dataclass
class Place:
    """A served town with a published year, texts to read, and people who can sign in."""

    town: Town
    server: Server

    def form(self, role: Role) -> str:
        """Where a role's form of a new meeting is."""
        return f"/{self.town.rooms(self.town.meeting())[role].key}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One town for all; each has a meeting of their own."""
    with town_in(tmp_path_factory.mktemp("town"), "Mitthem", "Norr") as town:
        for address, unit, role in [
            ("karin@mitthem.example", town.north, StaffRole.COORDINATOR),
            ("ulla@mitthem.example", town.municipality, StaffRole.EVALUATOR),
            ("anders@mitthem.example", town.municipality, StaffRole.ADMINISTRATOR),
        ]:
            town.add_staff(address, unit, role)
        put_texts(town.db)
        units = {"Familjestödsenheten för barn och unga": 61, "Socialtjänsten": (72, 9, 4)}
        publish(town.db, *quarters("2025-Q1", 7), year(2025, unit=units, source={"school": 60}), children("2025"))
        with serving(town.house.settings) as server:
            yield Place(town, server)


@pytest.fixture
def phones(browser: Browser, place: Place) -> Iterator[Phones]:
    phones = Phones(browser, place.server.settings.base_url)
    yield phones
    phones.close()


# Participants


@pytest.mark.parametrize(("width", "height"), [(360, 740), (320, 256)])
def test_a_participant_answers_and_takes_it_back_without_a_script(
    place: Place, phones: Phones, width: int, height: int
) -> None:
    phone = phones.open(script=False, width=width, height=height, touch=False)
    phone.goto(place.form(Role.FAMILY))
    keys = Keys(phone)
    for item in ["prep", "safe", "say"]:
        choose_the_second(keys, item)
    keys.press("Tab")
    keys.press("ArrowUp")
    assert answer_to(phone, "influence") == "declined", "the asides belong to the question"
    keys.tab_to("Vad borde vi göra annorlunda")
    keys.type("Alla fick prata.")
    keys.tab_to("^Skicka$")
    phone.keyboard.press("Enter")
    take_back(keys)


def test_a_participant_answers_question_by_question_and_takes_it_back(place: Place, phones: Phones) -> None:
    phone = phones.open(touch=False)
    phone.goto(place.form(Role.FAMILY))
    keys = Keys(phone)
    choose_the_second(keys, "prep")
    keys.tab_to("^Nästa$")
    phone.keyboard.press("Space")
    choose_the_second(keys, "safe")
    phone.keyboard.press("Enter")
    expect(phone.locator("#say")).to_be_visible()
    keys.tab_to("^Tillbaka$")
    phone.keyboard.press("Enter")
    assert answer_to(phone, "safe") == "2"
    while not phone.locator("textarea").is_visible():
        keys.tab_to("^Nästa$")
        phone.keyboard.press("Enter")
    keys.tab_to("Vad borde vi göra annorlunda")
    keys.type("Alla fick prata.")
    keys.tab_to("^Skicka$")
    phone.keyboard.press("Enter")
    expect(phone.get_by_role("heading", name="Tack.")).to_be_focused()
    take_back(keys)


@pytest.mark.parametrize("script", [False, True])
def test_the_way_back_through_the_form_has_the_same_stops_and_both_ends_leave_the_page(
    place: Place, phones: Phones, script: bool
) -> None:
    phone = phones.open(script=script, touch=False)
    phone.goto(place.form(Role.FAMILY))
    keys = Keys(phone)
    there = keys.walk()
    assert {"prep"} <= set(there)
    assert len(there) == len(set(there)) > (5 if script else 13)
    assert keys.walk("Shift+Tab") == there[::-1]


@pytest.mark.parametrize("script", [False, True])
def test_another_language_is_chosen_and_the_open_menu_hides_nothing_on_the_way_on(
    place: Place, phones: Phones, script: bool
) -> None:
    phone = phones.open(script=script, touch=False)
    phone.goto(place.form(Role.FAMILY))
    keys = Keys(phone)
    choose_the_second(keys, "prep")
    keys.tab_to("Språk", back=True)
    keys.press("Enter")
    keys.tab_to("^Suomi$")
    phone.keyboard.press("Enter")
    expect(phone.locator("html")).to_have_attribute("lang", "fi")
    assert answer_to(phone, "prep") == ("2" if script else None), "with the script what is chosen comes along"
    keys.tab_to("Suomi", "summary", back=script)
    keys.press("Space")
    keys.tab_to("^Svenska$")
    keys.walk()


def test_a_refused_form_leads_to_the_fault_and_is_mended(place: Place, phones: Phones) -> None:
    phone = phones.open(touch=False)
    phone.goto(place.form(Role.FAMILY))
    keys = Keys(phone)
    phone.evaluate("document.querySelector('#say input').value = '9'")
    for item in ["prep", "safe", "say"]:
        keys.press("Tab")
        choose_first(keys, item)
        keys.tab_to("^Nästa$")
        phone.keyboard.press("Enter")
    while not phone.get_by_role("button", name="Skicka").is_visible():
        keys.tab_to("^Nästa$")
        phone.keyboard.press("Enter")
    keys.tab_to("^Skicka$")
    phone.keyboard.press("Enter")
    expect(phone.get_by_role("alert")).to_be_focused()
    keys.tab_to("Jag fick sagt det jag ville säga", "a")
    keys.press("Enter")
    choose_first(keys, "say")
    keys.tab_to("^Skicka$")
    phone.keyboard.press("Enter")
    expect(phone.get_by_role("heading", name="Tack.")).to_be_focused()


def choose_first(keys: Keys, item: str) -> None:
    """Tab to a question, whichever of its answers is reached, and take the first by Space."""
    for _stop in range(MOST):
        if keys.page.evaluate("document.activeElement.name") == item:
            keys.press("Space")
            return
        keys.press("Tab")
    raise AssertionError(f"{item} cannot be reached")


def choose_the_second(keys: Keys, item: str) -> None:
    """Tab to a question, take its first answer by Space and go on to the second by an arrow."""
    choose_first(keys, item)
    assert answer_to(keys.page, item) == "1"
    keys.press("ArrowDown")
    assert answer_to(keys.page, item) == "2"


def answer_to(page: Page, item: str) -> str | None:
    """What is chosen."""
    return page.evaluate("name => (document.querySelector(`[name=${name}]:checked`) || {}).value || null", item)


def take_back(keys: Keys) -> None:
    """Open what is folded under the thanks, and take the answer back."""
    expect(keys.page.get_by_role("heading", name="Tack.")).to_be_visible()
    keys.tab_to("Ångra")
    keys.press("Enter")
    keys.open("Ta tillbaka mitt svar", "Ditt svar är borttaget")
    keys.walk()


# Staff


def test_a_coordinator_runs_a_meeting(place: Place, phones: Phones) -> None:
    desk = phones.open(width=1280, height=800, touch=False)
    keys = signed_in(place, desk, "karin@mitthem.example", "möten")
    start_a_meeting(keys)
    show_each_code(keys)
    keys.open("Fyll skärmen med koden", "Professionella")
    keys.open("Tillbaka", "Dela ut nu")
    keys.open("Länkar till den som gått", "Länkar till den som gått")
    keys.tab_to("^Familj$")
    desk.keyboard.press("Enter")
    expect(desk.get_by_label("Länkens adress")).to_be_visible()
    keys.tab_to("Visa QR-kod")
    keys.press("Enter")
    expect(desk.locator("details[open] .qr")).to_be_visible()
    keys.tab_to("Återkalla")
    keys.open("Tillbaka till mötet", "Dela ut nu")
    keys.open("Skriv ut lappar", "Lappar")
    keys.open("Tillbaka till mötet", "Dela ut nu")
    keys.open("Ändra antalet bjudna", "Ändra antalet bjudna")
    keys.tab_to("^Familj$")
    keys.press("ArrowUp")
    keys.tab_to("^Spara$")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("img", name="0 av 5 har svarat")).to_be_visible()
    keys.open("Stäng och räkna nu", "Stäng och räkna nu")
    keys.open("^Stäng och räkna$", "Stängd och räknad")
    keys.open("Ditt konto", "karin")
    keys.open("^Logga ut$", "Logga in")


def test_every_page_of_a_meeting_is_walked_through_and_back(place: Place, phones: Phones) -> None:
    meeting = place.town.meeting()
    place.town.personal(meeting, Role.KIN)
    desk = phones.open(width=390, height=740, touch=False)
    keys = signed_in(place, desk, "karin@mitthem.example", "möten")
    for path in ["", "/links", "/places", "/close", "/announcement", "/slips", "/room/family"]:
        desk.goto(f"/staff/meetings/{meeting.id}{path}")
        desk.evaluate("document.querySelectorAll('main details').forEach(part => part.open = true)")
        there = keys.walk()
        assert len(there) == len(set(there)) >= 1, path
        assert keys.walk("Shift+Tab") == there[::-1], path


def start_a_meeting(keys: Keys) -> None:
    """A reference, where it comes from, people by number and by step, and Starta."""
    desk = keys.page
    keys.open("Nytt möte", "Nytt möte")
    keys.tab_to("Uppdragets beteckning")
    keys.type("M-800")
    keys.tab_to("Varifrån kommer uppdraget")
    keys.type("Skola")
    keys.tab_to("^Familj$")
    keys.type("2")
    keys.tab_to("^Fler: Barn$")
    keys.press("Space")
    keys.tab_to("^Professionella$")
    keys.press("ArrowUp")
    keys.tab_to("Frågor med|Barn", "radio")
    keys.tab_to("Skyddsbehov")
    keys.press("Space", "Space")
    keys.tab_to("^Starta$")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="Dela ut nu")).to_be_visible()
    expect(desk.get_by_role("img", name="0 av 4 har svarat")).to_be_visible()


def show_each_code(keys: Keys) -> None:
    """The arrows go from role to role, and each shows its code; Tab goes on to the code that is shown."""
    keys.tab_to("^Familj", "radio")
    codes = [keys.page.locator(".panel:visible .code").inner_text()]
    for _role in range(len(keys.page.locator(".tabs > input").all()) - 1):
        keys.press("ArrowRight")
        expect(keys.page.locator(".panel:visible")).to_have_count(1)
        codes.append(keys.page.locator(".panel:visible .code").inner_text())
    assert len(set(codes)) == len(codes) >= 3


def test_an_evaluator_reads_results_and_texts(place: Place, phones: Phones) -> None:
    desk = phones.open(width=320, height=480, touch=False)
    keys = signed_in(place, desk, "ulla@mitthem.example", "Välkommen")
    keys.open("Till resultaten", "Delaktighet per kvartal")
    wait_for_charts(desk)
    keys.tab_to("Så läser du")
    keys.press("Enter")
    expect(desk.get_by_text("Det som är publicerat ändras aldrig.")).to_be_visible()
    for view in ["Per månad", "Per år", "Per kvartal"]:
        keys.tab_to(f"^{view}$", back=True)
        desk.keyboard.press("Enter")
        expect(desk.locator("nav [aria-current=page]").first).to_have_text(view)
        wait_for_charts(desk)
        scroll_every_table(keys)
    keys.open("^Texter$", "texter att läsa")
    keys.tab_to("Ändra texten först")
    keys.press("Enter")
    keys.tab_to("Så ska den visas")
    keys.press("Control+A")
    keys.type("Någon pratade hela tiden.")
    keys.open("Klar att släppas", "10 texter att läsa|11 texter att läsa")
    keys.tab_to("^Håll inne$")
    keys.walk()


def wait_for_charts(desk: Page) -> None:
    """Until all charts are drawn: a page that still grows moves what has the focus."""
    expect(desk.locator(".chart").first).to_be_visible()
    desk.wait_for_function("[...document.querySelectorAll('.chart')].every(one => one.querySelector('.main-svg'))")


def scroll_every_table(keys: Keys) -> None:
    """Tab to the end; each table that is wider than the page is a stop, and the arrows move it."""
    desk = keys.page
    wide = set(
        desk.evaluate(
            "() => [...document.querySelectorAll('main *')].filter(part => part.scrollWidth > "
            "part.clientWidth + 1 && ['auto', 'scroll'].includes(getComputedStyle(part).overflowX))"
            ".map(part => part.getAttribute('aria-label'))"
        )
    )
    for _stop in range(MOST):
        if not keys.press("Tab"):
            break
        name = desk.evaluate("document.activeElement.getAttribute('aria-label')")
        if name in wide:
            desk.keyboard.press("ArrowRight")
            desk.wait_for_function("() => document.activeElement.scrollLeft > 0")
            wide.remove(name)
    assert not wide, f"{desk.url}: these tables cannot be reached: {wide}"


def test_an_administrator_adds_a_person_and_gives_a_password(place: Place, phones: Phones) -> None:
    desk = phones.open(width=1280, height=800, touch=False)
    keys = signed_in(place, desk, "anders@mitthem.example", "Välkommen")
    keys.open("^Personal och enheter$", "Personal och enheter")
    keys.tab_to("^Namn$")
    keys.type("Kim Ek")
    keys.tab_to("^E-postadress$")
    keys.type("kim@mitthem.example")
    keys.tab_to("Samordnare")
    keys.press("Space")
    keys.tab_to("^Enhet$")
    keys.type("Norr")
    keys.open("^Lägg till personen$", "Lösenord till Kim Ek")
    first = desk.locator(".code").inner_text()
    keys.open("^Klar$", "Personal och enheter")
    tab_into_row(keys, "kim@mitthem.example")
    keys.press("Enter")
    keys.open("^Ge nytt lösenord$", "Lösenord till Kim Ek")
    assert desk.locator(".code").inner_text() != first
    keys.open("^Klar$", "Personal och enheter")
    desk.evaluate("document.querySelectorAll('main details').forEach(part => part.open = true)")
    keys.walk()


def tab_into_row(keys: Keys, who: str) -> None:
    """Tab to the first control in somebody's row."""
    for _stop in range(MOST):
        keys.press("Tab")
        if keys.page.evaluate(
            "who => (document.activeElement.closest('tr') || {innerText: ''}).innerText.includes(who)", who
        ):
            return
    raise AssertionError(f"{who} cannot be reached")


def signed_in(place: Place, desk: Page, address: str, heading: str) -> Keys:
    """Sign in: an address, a password, Enter."""
    keys = Keys(desk)
    desk.goto("/staff")
    keys.tab_to("^E-postadress$")
    keys.type(address)
    keys.tab_to("^Lösenord$")
    keys.type(place.town.passwords[address])
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name=re.compile(heading)).first).to_be_visible()
    return keys
