"""Every page in a real browser, in each language, light, dark and in forced colours, on a small phone and a laptop.

On each: nothing to scroll sideways, nothing on the console (a breach of the content policy would stand there),
nothing from another host, and nothing that axe finds against WCAG 2.2, levels A and AA. With ENKAT_PICTURES set to a
folder, each page is kept there as a picture (`make pictures`).
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle, product
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlite_utils import Database

from enkat import counting, inviting
from enkat.inviting import outbox
from enkat.inviting.letters import Desk
from enkat.inviting.outbox import Recipient
from enkat.model.meeting import Channel, Kind, Meeting
from enkat.model.message import MessageState, Reason
from enkat.model.staff import StaffRole
from enkat.model.survey import Role
from enkat.storage import messages
from enkat.storage.engine import insert, write
from tests.conftest import TODAY, Town
from tests.journeys.conftest import Phones
from tests.journeys.people import sign_in, town_in
from tests.journeys.server import Server, new_submission, send, serving
from tests.journeys.wcag import breaches

PARTICIPANTS_LANGUAGES = ["sv", "en", "fi", "ar", "fa", "so", "ti", "uk", "ckb", "pl"]
Look = tuple[str, int]
LOOKS: list[Look] = [("light", 320), ("dark", 1280), ("forced", 320), ("light", 1280), ("dark", 320), ("forced", 1280)]

_IS_FULL = os.environ.get("ENKAT_ATTACK") == "full"


_PICTURES = os.environ.get("ENKAT_PICTURES")


def walks(languages: list[str], turns: list[str], shown: list[tuple[str, Look]]) -> list[tuple[str, Look]]:
    """Language and look: in full each with each, else in turns until each has been there; or what pictures show."""
    if _PICTURES:
        return shown
    return list(product(languages, LOOKS) if _IS_FULL else zip(turns, cycle(LOOKS), strict=False))


PARTICIPANTS_WALKS = walks(
    PARTICIPANTS_LANGUAGES,
    PARTICIPANTS_LANGUAGES,
    [("sv", ("light", 320)), ("ar", ("light", 320)), ("ti", ("dark", 320))],
)
STAFF_WALKS = walks(["sv", "en"], ["sv", "en", "sv"], [("sv", ("light", 390)), ("sv", ("light", 1280))])

#: What a finger has to hit on a participant's page; a link within a sentence is text.
CONTROLS = "button, summary, .bar a, .button, .aside, input:not([type=radio], [type=hidden]), textarea"
SMALL = """([selector, least]) => [...document.querySelectorAll(selector)]
    .filter(part => part.checkVisibility() && part.getBoundingClientRect().height < least)
    .map(part => `${part.outerHTML.slice(0, 120)}: ${part.getBoundingClientRect().height} px`)"""
WIDE = """() => [document.scrollingElement.scrollWidth - innerWidth, [...document.querySelectorAll('main *')]
    .filter(part => part.getBoundingClientRect().right > innerWidth + 1 && !part.closest('.scroll'))
    .map(part => part.outerHTML.slice(0, 120)).slice(0, 5)]"""


@dataclass
class Place:
    """A served town with something on each of its pages."""

    town: Town
    server: Server
    rooms: dict[str, str]
    small_child: str
    revoked: str
    closed: str
    used: tuple[str, str]
    meetings: dict[str, str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One town for all walks; they change nothing that another walk sees."""
    with town_in(tmp_path_factory.mktemp("town"), has_services=True) as town:
        (town.house.settings.instance / "enkat.toml").write_text(SERVICES)
        north, municipality = town.north, town.municipality
        for who, unit, role in [
            ("karin", north, StaffRole.COORDINATOR),
            ("nils", town.south, StaffRole.COORDINATOR),
            ("ulla", municipality, StaffRole.EVALUATOR),
            ("anders", municipality, StaffRole.ADMINISTRATOR),
            ("forgetful", municipality, StaffRole.EVALUATOR),
        ]:
            town.add_staff(f"{who}@mitthem.example", unit, role)
        open_, counted = (town.meeting(None, town.assignment(reference)) for reference in ("M-114", "M-115"))
        longest = "M-115 den allra längsta beteckningen alls"[:40]
        crowded = town.meeting(dict.fromkeys(Role, 4), town.assignment(longest))
        protected = town.meeting(None, town.assignment("M-117", protected=True))
        closed = closed_without_a_count(town)
        personal = town.personal(open_, Role.KIN)
        small_child = town.personal(open_, Role.CHILD, "child_small")
        town.personal(protected, Role.FAMILY)
        revoked = town.personal(crowded, Role.KIN)
        inviting.revoke_link(town.db, crowded.id, revoked.id)
        put_texts(town.db)
        send_links(town, open_)
        rooms = {role.value: link.key for role, link in town.rooms(open_).items()}
        with serving(town.house.settings) as server:
            for meeting in (crowded, counted):
                for role, link in town.rooms(meeting).items():
                    assert send(server.port, link.key, new_submission()).status == 200, role
            used = new_submission()
            assert send(server.port, personal.key, used).status == 200
            counting.close_and_count(town.db, town.house.keys, counted.id, TODAY)
            named = {"open": open_, "crowded": crowded, "counted": counted, "protected": protected, "closed": closed[0]}
            ids = {name: meeting.id for name, meeting in named.items()}
            yield Place(town, server, rooms, small_child.key, revoked.key, closed[1], (personal.key, used), ids)


#: Services at which nobody listens: what waits goes on waiting, and the pages say why.
SERVICES = """
sms_url = "http://127.0.0.1:9/a1/sms"
sms_sender = "Mitthem"
smtp_url = "smtp://127.0.0.1:9"
mail_from = "Mitthem <svar@mitthem.example>"
"""


def send_links(town: Town, meeting: Meeting) -> None:
    """Links on their way, sent, and failed for good."""
    desk = Desk.of(town.house.settings, town.house.languages, town.house.settings.base_url or "")
    people = [Recipient(Role.KIN, Channel.SMS, f"+4670174060{number}", "sv") for number in range(3)]
    people.append(Recipient(Role.FAMILY, Channel.EMAIL, "kim.lund-med-ett-langt-namn@example.se", "ar"))
    house = town.house
    outbox.send_new_links(town.db, house.keys, house.catalogue, desk, meeting.id, people)
    _waiting, sent, failed, _mail = (one.id for one in messages.of_meeting(town.db, meeting.id))
    with write(town.db):
        messages.end(town.db, sent, MessageState.SENT)
        messages.end(town.db, failed, MessageState.FAILED, Reason.ADDRESS)
        town.db.execute("update contact set remind_on = '2026-11-23'")


@pytest.mark.parametrize(("language", "look"), PARTICIPANTS_WALKS)
def test_every_participants_page_can_be_read_and_used(
    place: Place, browser: Browser, language: str, look: Look
) -> None:
    phones = Phones(browser, place.server.settings.base_url)
    phone = opened(phones, language, look)
    for name, status, reach in PARTICIPANTS_PAGES:
        assert went(phone, reach, place) == status, name
        keep_picture(phone, f"participant-{name}", language, look)
        inspect(phone, name, language)
        show_all(phone)
        inspect(phone, f"{name}, all of it", language, with_axe=True)
        assert not phone.evaluate(SMALL, [CONTROLS, 44]), name
        assert not phone.evaluate(SMALL, [".option", 48]), name
    assert phone.context.storage_state() == {"cookies": [], "origins": []}
    phones.close()


@pytest.mark.parametrize(("language", "look"), STAFF_WALKS)
def test_every_staff_page_can_be_read_and_used(place: Place, browser: Browser, language: str, look: Look) -> None:
    phones = Phones(browser, place.server.settings.base_url)
    for who, pages in STAFF_PAGES.items():
        desk = opened(phones, language, look)
        if who != "stranger":
            address = f"{who}@mitthem.example"
            sign_in(desk, address, place.town.passwords[address])
        for name, status, reach in pages:
            assert went(desk, reach, place) == status, f"{who}: {name}"
            keep_picture(desk, f"{who}-{name}", language, look)
            inspect(desk, f"{who}: {name}", language)
            show_all(desk)
            inspect(desk, f"{who}: {name}, all of it", language, with_axe=True)
    phones.close()


@pytest.mark.parametrize("role", ["family", "child", "professional"])
@pytest.mark.parametrize("script", [True, False])
def test_the_form_is_one_request_and_nothing_else(place: Place, browser: Browser, role: str, script: bool) -> None:
    phones = Phones(browser, place.server.settings.base_url)
    phone = phones.open(script=script)
    phone.goto(f"/{place.rooms[role]}", wait_until="networkidle")
    expect(phone.locator("fieldset.item").first).to_be_visible()
    assert [(one.method, one.resource_type) for one in phones.watch(phone).requests] == [("GET", "document")]
    phones.close()


def test_a_page_that_reaches_out_would_be_seen(place: Place, browser: Browser) -> None:
    """The watch itself: what breaks the content policy is on the console, and fails the walk."""
    phones = Phones(browser, place.server.settings.base_url)
    phone = phones.open()
    phone.goto("/")
    phone.evaluate("document.body.append(Object.assign(document.createElement('style'), {textContent: 'p {}'}))")
    phone.evaluate("document.body.append(Object.assign(new Image(), {src: 'http://elsewhere.invalid/x.png'}))")
    phone.wait_for_function("document.images.length && document.images[0].complete")
    with pytest.raises(AssertionError, match=r"console: .*[Ss]tyle") as seen:
        phones.close()
    assert "elsewhere.invalid" in str(seen.value)


_Reach = Callable[[Page, Place], object]


def at(path: str) -> _Reach:
    """A page that is opened by its address; `{open}` stands for the open meeting and so on."""
    return lambda page, place: page.goto(path.format(**place.meetings))


def form(role: str) -> _Reach:
    """A role's form through the room's link."""
    return lambda page, place: page.goto(f"/{place.rooms[role]}")


def sent(key: Callable[[Place], str], submission: str | None, *, empty: bool = False) -> _Reach:
    """What the reply to a sent form looks like; the form's own script is not asked."""

    def reach(page: Page, place: Place) -> object:
        page.goto(f"/{key(place)}")
        page.evaluate("document.querySelectorAll('form .item').forEach(item => item.hidden = false)")
        if not empty:
            page.locator("#say .option").first.click()
        if submission:
            page.evaluate("id => document.querySelector('[name=submission]').value = id", place.used[1])
        with page.expect_navigation() as navigation:
            page.evaluate("document.querySelector('main form').submit()")
        return navigation.value

    return reach


def filled(path: str, **values: str) -> _Reach:
    """A page whose form was sent as it is, filled in as said; `required` is not asked, as old browsers do not."""

    def reach(page: Page, place: Place) -> object:
        page.goto(path.format(**place.meetings))
        for name, value in values.items():
            page.locator(f"[name={name}]").first.fill(value)
        with page.expect_navigation() as navigation:
            page.evaluate("name => document.querySelector(`main [name=${name}]`).form.submit()", next(iter(values)))
        return navigation.value

    return reach


def clear_childs_text(page: Page, place: Place) -> object:
    """The desk where a child's text was to be shown in the child's words."""
    page.goto("/staff/texts")
    child = page.locator("li", has_text="Ett barns text" if page.locator("html[lang=sv]").count() else "A child's text")
    child.locator("textarea").first.fill("Det var roligt att alla kom.")
    with page.expect_navigation() as navigation:
        child.locator("button").first.click()
    return navigation.value


def new_password(page: Page, place: Place) -> object:
    """The page that shows a first password once."""
    page.goto("/staff/people")
    with page.expect_navigation() as navigation:
        row = page.locator("tr", has_text="forgetful@")
        row.locator("summary").first.click()
        row.locator("form[action$='/password'] button").click()
    return navigation.value


PARTICIPANTS_PAGES: list[tuple[str, int, _Reach]] = [
    ("typed code", 200, at("/")),
    ("a code that cannot be one", 400, filled("/", key="ABC")),
    ("form for family", 200, form("family")),
    ("form for a child", 200, form("child")),
    ("form for a small child", 200, lambda page, place: page.goto(f"/{place.small_child}")),
    ("form for a professional", 200, form("professional")),
    ("form sent empty", 400, sent(lambda place: place.rooms["family"], None, empty=True)),
    ("thanks", 200, sent(lambda place: place.used[0], "used")),
    ("taken", 409, sent(lambda place: place.used[0], None)),
    ("unknown link", 404, at("/0000000000")),
    ("revoked link", 410, lambda page, place: page.goto(f"/{place.revoked}")),
    ("closed survey", 410, lambda page, place: page.goto(f"/{place.closed}")),
    ("take back", 200, at("/withdraw")),
    ("a receipt that is none", 404, filled("/withdraw", receipt="0000000000000000")),
    ("privacy", 200, at("/privacy")),
    ("accessibility", 200, at("/accessibility")),
    ("nothing there", 404, at("/static/none/none.css")),
]


def listed(text: str) -> _Reach:
    """A list that is pasted and checked, its words of groups and languages Swedish in each language."""

    def reach(page: Page, place: Place) -> object:
        page.goto("/staff/meetings/{open}/send".format(**place.meetings))
        page.fill("[name=addresses]", text)
        with page.expect_navigation() as navigation:
            page.click("button[value=preview]")
        return navigation.value

    return reach


def to_one_link(page: Page, place: Place) -> object:
    """An address that is none, typed at a link."""
    page.goto("/staff/meetings/{open}/links".format(**place.meetings))
    form = page.locator("details:has([name=address])").first
    form.locator("summary").click()
    form.locator("[name=address]").fill("070")
    with page.expect_navigation() as navigation:
        form.locator("button[type=submit]").click()
    return navigation.value


STAFF_PAGES: dict[str, list[tuple[str, int, _Reach]]] = {
    "stranger": [
        ("sign-in", 200, at("/staff/sign-in")),
        ("wrong password", 401, filled("/staff/sign-in", address="a@b.example", password="wrong")),
    ],
    "nils": [
        ("start without meetings", 200, at("/staff")),
        ("a foreign unit's meeting", 404, at("/staff/meetings/{open}")),
    ],
    "karin": [
        ("start", 200, at("/staff")),
        ("new meeting", 200, at("/staff/meetings/new")),
        ("new meeting with faults", 400, filled("/staff/meetings/new", reference="19900101-1234", child="99")),
        ("meeting", 200, at("/staff/meetings/{open}")),
        ("crowded meeting", 200, at("/staff/meetings/{crowded}")),
        ("closed meeting", 200, at("/staff/meetings/{closed}")),
        ("counted meeting", 200, at("/staff/meetings/{counted}")),
        ("full screen", 200, at("/staff/meetings/{open}/room/family")),
        ("links", 200, at("/staff/meetings/{open}/links")),
        ("links under protection", 200, at("/staff/meetings/{protected}/links")),
        ("no links any more", 200, at("/staff/meetings/{closed}/links")),
        ("one link refused", 400, to_one_link),
        ("list", 200, at("/staff/meetings/{open}/send")),
        ("list with faults", 400, listed("070\nAnna Svensson\n0701740605; Grannar\nkim@example.se")),
        ("list that is good", 200, listed("0701740611; Arabiska\nada@example.se; Barn, fem ansikten")),
        ("slips", 200, at("/staff/meetings/{open}/slips")),
        ("paper", 200, at("/staff/meetings/{open}/paper")),
        ("paper in Arabic", 200, at("/staff/meetings/{open}/paper?language=ar")),
        ("places", 200, at("/staff/meetings/{open}/places")),
        ("places with faults", 400, filled("/staff/meetings/{open}/places", child="99")),
        ("close", 200, at("/staff/meetings/{open}/close")),
        ("released texts", 200, at("/results/texts")),
        ("slips in Arabic", 200, at("/staff/meetings/{open}/slips?language=ar")),
        ("announcement", 200, at("/staff/meetings/{open}/announcement?language=ti")),
        ("account", 200, at("/staff/account")),
        ("languages", 200, at("/staff/languages")),
        ("no business there", 403, at("/staff/people")),
    ],
    "ulla": [
        ("start", 200, at("/staff")),
        ("no results yet", 200, at("/results")),
        ("no year yet", 200, at("/results/years")),
        ("no such results", 404, at("/results/nonsense")),
        ("texts to read", 200, at("/staff/texts")),
        ("a child's words kept", 400, clear_childs_text),
        ("released texts", 200, at("/results/texts")),
    ],
    "anders": [
        ("start", 200, at("/staff")),
        ("people", 200, at("/staff/people")),
        ("sending", 200, at("/staff/people/sending")),
        ("people with faults", 400, filled("/staff/people", name="X", address="nobody")),
        ("first password", 200, new_password),
    ],
}


def went(page: Page, reach: _Reach, place: Place) -> int:
    """Go to a page; its status."""
    reply = reach(page, place)
    assert reply is not None
    return reply.status  # type: ignore[attr-defined]


def inspect(page: Page, name: str, language: str, *, with_axe: bool = False) -> None:
    """What holds on every page."""
    assert page.evaluate("document.documentElement.lang") == language, name
    too_wide, parts = page.evaluate(WIDE)
    assert too_wide <= 0, f"{name}: {too_wide} px to scroll sideways: {parts}"
    if with_axe:
        found = breaches(page, name)
        assert not found, found


def opened(phones: Phones, language: str, look: Look) -> Page:
    """Somebody's page, as they have set their phone or laptop."""
    colours, width = look
    scheme = "dark" if colours == "dark" else "light"
    return phones.open(language=language, scheme=scheme, width=width, forced=colours == "forced")


def keep_picture(page: Page, name: str, language: str, look: Look) -> None:
    """Keep what is seen, where pictures are asked for."""
    if _PICTURES:
        file = Path(_PICTURES) / "-".join(map(str, (language, *look))) / f"{re.sub('[^a-z]+', '-', name.lower())}.png"
        page.screenshot(path=file, full_page=True)


def show_all(page: Page) -> None:
    """Unfold what is folded, and show the questions that the script keeps for later."""
    page.evaluate("document.querySelectorAll('main details').forEach(part => part.open = true)")
    page.evaluate("document.querySelectorAll('form .item').forEach(part => part.hidden = false)")


def put_texts(db: Database) -> None:
    """Texts as they lie some quarters later: to read, cleared, withheld and released."""
    states = {"readable": 11, "cleared": 3, "withheld": 2, "released": 10}
    wordings = ["Anna Svensson pratade hela tiden.", "كان الاجتماع جيدًا", "Bra fika!\nOch bra stämning.", "Ord" * 40]
    with write(db):
        for state, number in states.items():
            for place in range(number):
                text = {"id": f"{state:0<30}{place:02}", "is_child": 0, "state": state}
                insert(
                    db,
                    "free_text",
                    text | {"wording": wordings[place % 4], "batch": 1 if state == "released" else None},
                )
        child = {"id": "0" * 32, "is_child": 1, "state": "readable", "wording": "Det var roligt att alla kom."}
        insert(db, "free_text", child)


def closed_without_a_count(town: Town) -> tuple[Meeting, str]:
    """A meeting whose last day has passed, and its family's link; without its key nobody can count it."""
    held = TODAY - timedelta(days=30)
    plan = inviting.Plan(Kind.SIP, held, {Role.FAMILY: 2}, leader=None)
    assignment = town.assignment("M-119")
    meeting = inviting.start_meeting(town.db, town.house.keys, town.house.catalogue, assignment.id, plan, held)
    town.house.keys.destroy_meeting_key(meeting.id)
    return meeting, town.rooms(meeting)[Role.FAMILY].key
