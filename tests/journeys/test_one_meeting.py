"""The journey that enkat is for: from "we met today" to counted answers, on phones, through the pages alone.

The coordinator has a script; the participants have none, come without cookies and leave without any.
"""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from enkat.model.staff import StaffRole
from tests.conftest import Town
from tests.journeys.conftest import Phones
from tests.journeys.server import Server

_PASSWORD_FIELD = 'input[name="password"]'


def test_nine_people_are_invited_eight_answer_one_takes_it_back_and_seven_are_counted(
    server: Server, phones: Phones, town: Town
) -> None:
    karin = town.add_staff("karin@mitthem.example", town.north, StaffRole.COORDINATOR)
    desk = phones.open()
    sign_in(desk, karin, town.passwords[karin])
    start_a_meeting_with_nine(desk)

    rooms = {code.get_attribute("data-role"): code.text_content() or "" for code in desk.locator("[data-role]").all()}
    addresses = {link.get_attribute("data-link"): link.get_attribute("href") for link in room_links(desk)}
    assert set(rooms) == set(addresses) == {"family", "kin", "child", "professional"}
    expect(desk.get_by_role("img", name="0 av 9 har svarat")).to_be_visible()
    personal = make_a_personal_link(desk, "Professionella")
    desk.clock.install()
    desk.reload()
    desk.evaluate("window.stillTheSamePage = true")

    answered = []
    for role, address in addresses.items():
        for person in range({"family": 1, "kin": 2, "child": 1, "professional": 2}[role or ""]):
            phone = phones.open(script=False)
            phone.goto(address or "")
            answer(phone, f"{role} {person}", is_child=role == "child")
            answered.append(phone)
    typing = phones.open(script=False)
    typing.goto("/")
    typing.get_by_label("Kod").fill(rooms["family"].lower().replace(" ", "-"))
    typing.get_by_role("button", name="Öppna").tap()
    expect(typing).to_have_url(re.compile(r"/[0-9A-Z]{10}(\?.*)?$"))
    answer(typing, "typed")
    gone = phones.open(script=False)
    gone.goto(personal)
    answer(gone, "personal")
    answered += [typing, gone]

    desk.clock.run_for(5000)
    expect(desk.get_by_role("img", name="8 av 9 har svarat")).to_be_visible()
    assert desk.evaluate("window.stillTheSamePage"), "the ring was kept fresh without loading the page again"

    regretting = answered[0]
    regretting.get_by_text("Ångra?").tap()
    regretting.get_by_role("button", name="Ta tillbaka mitt svar").tap()
    expect(regretting.get_by_role("heading", name="Ditt svar är borttaget")).to_be_visible()

    [meeting] = town.db.query("select id, state from meeting")
    assert meeting["state"] == "open"
    assert numbers(town) == {"invitation": 9, "link": 5, "ballot": 7, "response": 0}
    marks = traces(town)
    assert all(mark in file_of(town).read_bytes() for mark in marks), "the marks are found where they are"
    key_file = town.house.settings.keys / "meetings" / meeting["id"]
    key = key_file.read_bytes()

    desk.reload()
    expect(desk.get_by_role("img", name="8 av 9 har svarat")).to_be_visible()
    desk.get_by_role("link", name="Stäng och räkna nu").tap()
    desk.get_by_role("button", name="Stäng och räkna").tap()
    expect(desk.get_by_text("7 svar räknade, av 9 bjudna.")).to_be_visible()
    expect(desk.get_by_text("förstörda")).to_be_visible()
    expect(desk.locator("[data-role]")).to_have_count(0)

    assert numbers(town) == {"invitation": 0, "link": 0, "ballot": 0, "response": 7}
    assert not list((town.house.settings.keys / "meetings").iterdir())
    left = b"".join(file.read_bytes() for file in server.settings.instance.rglob("*") if file.is_file())
    assert not [mark for mark in [*marks, key] if mark in left], "nothing of them is left in any file"
    roles = {row["role"]: row["n"] for row in town.db.query("select role, count(*) n from response group by role")}
    assert roles == {"family": 1, "kin": 2, "child": 1, "professional": 3}
    said = {row["wording"] for row in town.db.query("select wording from free_text")}
    assert said == {"kin 0", "kin 1", "child 0", "professional 0", "professional 1", "typed", "personal"}

    late = phones.open(script=False)
    for address in (*addresses.values(), personal):
        reply = late.goto(address or "")
        assert reply is not None
        assert reply.status == 404
    answered.append(late)
    for phone in answered:
        assert phone.context.storage_state() == {"cookies": [], "origins": []}, "nothing stays on the phone"
    assert "/staff" not in server.output


def sign_in(desk: Page, address: str, password: str) -> None:
    """Sign in through the page, by finger."""
    desk.goto("/staff")
    desk.get_by_label("E-postadress").fill(address)
    desk.locator(_PASSWORD_FIELD).fill(password)
    desk.get_by_role("button", name="Logga in").tap()
    expect(desk.get_by_role("heading", name="Inga möten än")).to_be_visible()


def start_a_meeting_with_nine(desk: Page) -> None:
    """One page makes the meeting: a reference, where it comes from, four steppers, and Starta."""
    desk.get_by_role("link", name="Nytt möte").tap()
    desk.get_by_label("Uppdragets beteckning").fill("M-114")
    desk.get_by_label("Varifrån kommer uppdraget?").select_option(label="Skola")
    people = {"Familj": 3, "Anhöriga och vänner": 2, "Barn": 1, "Professionella": 3}
    for who, number in people.items():
        for _person in range(number):
            desk.get_by_role("button", name=f"Fler: {who}", exact=True).tap()
        expect(desk.get_by_label(who, exact=True)).to_have_value(str(number))
    desk.get_by_role("button", name="Starta").tap()
    expect(desk.get_by_role("heading", name="Dela ut nu")).to_be_visible()


def room_links(desk: Page) -> list:
    """The room links that the meeting's tabs show, each seen by tapping its tab."""
    for tab in desk.locator(".tab-row label").all():
        tab.tap()
        expect(desk.locator(".panel:visible")).to_have_count(1)
        expect(desk.locator(".panel:visible .qr")).to_be_visible()
    return desk.locator("[data-link]").all()


def make_a_personal_link(desk: Page, who: str) -> str:
    """A link for somebody who has gone; its address. Ends on the meeting's page again."""
    desk.get_by_role("link", name="Länkar till den som gått").tap()
    desk.get_by_role("button", name=who, exact=True).tap()
    address = desk.get_by_label("Länkens adress").input_value()
    desk.get_by_role("link", name="Tillbaka till mötet").tap()
    expect(desk.get_by_role("img", name="0 av 9 har svarat")).to_be_visible()
    return address


def answer(phone: Page, said: str, *, is_child: bool = False) -> None:
    """Answer two questions and say something, by finger and without a script."""
    expect(phone.locator("fieldset.item").first).to_be_visible()
    assert phone.locator(".face").count() == (5 * phone.locator("fieldset.item").count() if is_child else 0)
    phone.locator("fieldset#say .option").nth(3).tap()
    phone.locator("fieldset#safe .aside").last.tap()
    phone.get_by_role("textbox").fill(said)
    phone.get_by_role("button", name="Skicka").tap()
    expect(phone.get_by_role("heading", name="Tack.")).to_be_visible()


def numbers(town: Town) -> dict[str, int]:
    """How many rows there are of what a count is about."""
    return {table: town.db[table].count for table in ("invitation", "link", "ballot", "response")}


def traces(town: Town) -> list[bytes]:
    """Everything by which a place, a link or an answer in the box could be known again."""
    found = [row["claim"] for row in town.db.query("select claim from invitation where claim is not null")]
    found += [row["key_hash"] for row in town.db.query("select key_hash from link")]
    found += [row["sealed_key"] for row in town.db.query("select sealed_key from link")]
    for row in town.db.query("select receipt_hash, repeat_check, substr(sealed, 1, 64) as start from ballot"):
        found += list(row.values())
    assert len(found) > 20
    return found


def file_of(town: Town) -> Path:
    """The database's file."""
    return town.house.settings.database
