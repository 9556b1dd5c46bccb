"""What a screen reader gets of the pages: the participants' whole tree as it is stored, and what in it must be true.

`ENKAT_TREES=write` writes the stored trees anew; read what has changed in them before it is kept.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from enkat.catalogue import Questionnaire
from enkat.model.staff import StaffRole
from tests.conftest import Town
from tests.journeys.conftest import Phones
from tests.journeys.people import Place, sign_in
from tests.journeys.server import Server

TREES = Path(__file__).parent / "trees"
_IS_WRITING = os.environ.get("ENKAT_TREES") == "write"

#: How the tree says where a link leads; addresses are tested elsewhere, and would hide a change of words.
_ADDRESS = re.compile(r"^ *- /url:.*\n", re.MULTILINE)

LOST = "Välj ett av svaren på frågan."
LONG = "Texten är för lång. Den får ha högst 2000 tecken."


@dataclass
class Looked:
    """What is looked at: a meeting of the town that is served, and the address of whoever runs it."""

    town: Town
    meeting: str
    rooms: dict[str, str]
    karin: str

    def questions(self, name: str) -> Questionnaire:
        """A questionnaire, as it is written."""
        return self.town.house.catalogue[name]


@pytest.fixture(scope="module")
def looked(place: Place) -> Looked:
    """One meeting for all; nothing that one sends is seen by another."""
    town = place.town
    karin = town.add_staff("karin.trees@mitthem.example", town.municipality, StaffRole.COORDINATOR)
    meeting = town.meeting(assignment=town.assignment("M-trees", town.municipality))
    rooms = {role.value: link.key for role, link in town.rooms(meeting).items()}
    return Looked(town, meeting.id, rooms, karin)


@pytest.fixture(scope="module")
def server(place: Place) -> Server:
    return place.server


def form(role: str, language: str = "sv", *, script: bool = False) -> Callable[[Looked, Phones], Page]:
    """A role's form, as it opens."""

    def opened(looked: Looked, phones: Phones) -> Page:
        phone = phones.open(script=script, language=language)
        phone.goto(f"/{looked.rooms[role]}")
        return phone

    return opened


def refused(looked: Looked, phones: Phones) -> Page:
    """The form as it comes back with an answer that is none, and a text that is too long."""
    phone = form("family")(looked, phones)
    phone.evaluate("document.querySelector('#say input').value = '9'")
    phone.locator("#say input").first.check(force=True)
    phone.locator("#safe .option").nth(3).click()
    phone.evaluate("document.querySelector('textarea').removeAttribute('maxlength')")
    phone.locator("textarea").fill("ord " * 501 + "!")
    phone.get_by_role("button", name="Skicka").click()
    expect(phone.get_by_role("alert")).to_be_visible()
    phone.evaluate("document.querySelector('textarea').value = 'ord'")
    return phone


def thanked(looked: Looked, phones: Phones) -> Page:
    """The thanks for an answer."""
    phone = form("professional")(looked, phones)
    phone.locator("fieldset .option").first.click()
    phone.get_by_role("button", name="Skicka").click()
    expect(phone.get_by_role("heading", name="Tack.")).to_be_visible()
    return phone


PAGES: dict[str, Callable[[Looked, Phones], Page]] = {
    "adult-sv": form("family"),
    "adult-ar": form("family", "ar"),
    "adult-sv-first-step": form("family", script=True),
    "child-sv": form("child"),
    "errors-sv": refused,
    "thanks-sv": thanked,
}


@pytest.mark.parametrize("name", PAGES)
def test_a_screen_reader_gets_the_page_as_it_is_stored(looked: Looked, phones: Phones, name: str) -> None:
    tree = _ADDRESS.sub("", PAGES[name](looked, phones).locator("body").aria_snapshot() + "\n")
    file = TREES / f"{name}.yaml"
    if _IS_WRITING:
        TREES.mkdir(exist_ok=True)
        file.write_text(tree, encoding="utf-8")
    assert file.exists(), "ENKAT_TREES=write writes it"
    assert tree == file.read_text(encoding="utf-8")


def test_no_stored_tree_is_left_over_and_none_holds_a_key() -> None:
    assert {file.stem for file in TREES.glob("*")} == set(PAGES)
    for file in TREES.glob("*.yaml"):
        assert not re.search(r"\b[0-9A-HJKMNP-TV-Z]{5} ?[0-9A-HJKMNP-TV-Z]{5}\b", file.read_text("utf-8")), file.name


@pytest.mark.parametrize(("role", "questionnaire"), [("family", "adult"), ("child", "child")])
def test_each_question_is_a_group_by_its_number_and_words_and_each_answer_by_its_words_alone(
    looked: Looked, phones: Phones, role: str, questionnaire: str
) -> None:
    phone, asked = form(role)(looked, phones), looked.questions(questionnaire)
    groups = phone.get_by_role("group").filter(has=phone.get_by_role("radio")).all()
    assert len(groups) == len(asked.closed_items) > 3
    asides = ["Vet inte", "Vill inte svara"] if questionnaire == "adult" else ["Hoppa över"]
    for number, (group, item) in enumerate(zip(groups, asked.closed_items, strict=True), 1):
        expect(group).to_have_accessible_name(f"{number} av {len(groups)} {item.text}")
        assert names(group) == [point.text for point in asked.points] + asides
    expect(phone.get_by_role("img")).to_have_count(0)
    assert phone.locator(".face").count() == (5 * len(groups) if questionnaire == "child" else 0)


def test_the_browsers_own_tree_has_the_same_names_as_the_standard_gives(looked: Looked, phones: Phones) -> None:
    """What Chromium hands to a screen reader, not what the test tool works out."""
    phone, asked = form("child")(looked, phones), looked.questions("child")
    nodes = chromiums_tree(phone)
    groups = [name for role, name, _description in nodes if role == "group" and " av " in name]
    assert groups == [f"{n} av {len(groups)} {item.text}" for n, item in enumerate(asked.closed_items, 1)]
    said = [name for role, name, _description in nodes if role == "radio"]
    assert said == [*(point.text for point in asked.points), "Hoppa över"] * len(groups)


def test_what_is_wrong_is_said_at_the_top_and_with_each_question_that_it_is_about(
    looked: Looked, phones: Phones
) -> None:
    phone = refused(looked, phones)
    alert = phone.get_by_role("alert")
    expect(alert.get_by_role("heading")).to_have_text("Något behöver rättas")
    expect(alert.get_by_role("link")).to_have_text(
        ["Jag fick sagt det jag ville säga.", "Vad borde vi göra annorlunda?"]
    )
    described = {name: text for role, name, text in chromiums_tree(phone) if role in ("group", "textbox") and text}
    question, text = described
    assert question.endswith("Jag fick sagt det jag ville säga.")
    assert described[question] == LOST
    assert described[text].endswith(LONG)
    expect(phone.locator("#say")).to_have_accessible_description(LOST)
    expect(phone.get_by_role("textbox")).to_have_attribute("aria-invalid", "true")
    assert phone.title().startswith("Något behöver rättas")


def test_a_page_without_faults_has_a_silent_place_for_news_and_no_alarm(looked: Looked, phones: Phones) -> None:
    phone = form("family", script=True)(looked, phones)
    expect(phone.get_by_role("alert")).to_have_count(0)
    for _step in range(9):
        phone.get_by_role("button", name="Nästa").click()
    expect(phone.get_by_role("status")).to_have_text("")
    phone.context.set_offline(True)
    phone.locator("textarea").fill("Bra")
    phone.get_by_role("button", name="Skicka").click()
    expect(phone.get_by_role("status")).to_have_text("Inte skickat än. Låt sidan vara öppen.")
    phone.context.set_offline(False)
    expect(phone.get_by_role("heading", name="Tack.")).to_be_visible()


@pytest.mark.parametrize("name", PAGES)
def test_every_page_has_one_main_part_one_headline_a_language_and_names_for_all_its_controls(
    looked: Looked, phones: Phones, name: str
) -> None:
    phone = PAGES[name](looked, phones)
    for landmark in ("banner", "main", "contentinfo"):
        expect(phone.get_by_role(landmark)).to_have_count(1)  # type: ignore[arg-type]
    expect(phone.get_by_role("heading", level=1)).to_have_count(1)
    expect(phone.locator("html")).to_have_attribute("lang", "ar" if name.endswith("ar") else "sv")
    expect(phone.locator("html")).to_have_attribute("dir", "rtl" if name.endswith("ar") else "ltr")
    controls = {"link", "button", "radio", "textbox", "DisclosureTriangle"}
    unnamed = [role for role, said, _text in chromiums_tree(phone) if role in controls and not said.strip()]
    assert not unnamed


def test_the_coordinator_hears_of_answers_when_there_are_new_ones_and_not_every_four_seconds(
    looked: Looked, phones: Phones
) -> None:
    """What is put anew into a live part of a page is read out, also where it is the same as before."""
    desk = phones.open()
    sign_in(desk, looked.karin, looked.town.passwords[looked.karin])
    desk.clock.install()
    desk.goto(f"/staff/meetings/{looked.meeting}")
    desk.evaluate("window.before = document.querySelector('.so-far')")
    for _round in range(2):  # the second begins when the first is over
        with desk.expect_response("**/progress") as fresh:
            desk.clock.run_for(5000)
        fresh.value.finished()
    assert desk.evaluate("document.contains(window.before)"), "nobody has answered, and it is read out again"


def names(group: Locator) -> list[str]:
    """What the radio buttons of a group are called."""
    return re.findall(r'radio "([^"]+)"', group.aria_snapshot())


def chromiums_tree(page: Page) -> list[tuple[str, str, str]]:
    """Role, name and description of all that Chromium hands to assistive technology, in order."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    return [
        tuple(node.get(part, {}).get("value", "") for part in ("role", "name", "description"))  # type: ignore[misc]
        for node in nodes
        if not node["ignored"]
    ]
