"""The participant's small script: one question at a time, and patience on a bad network. Nothing needs it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

import enkat
from enkat.model.survey import Role
from tests.conftest import Town
from tests.journeys.conftest import Phones
from tests.journeys.people import WAITING, Place, Stored
from tests.journeys.server import Server, receipt_hash

SOURCE = (Path(enkat.__file__).parent / "static" / "participant.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def server(place: Place) -> Server:
    return place.server


@pytest.fixture(scope="module")
def town(place: Place) -> Town:
    return place.town


@pytest.fixture
def stored(town: Town) -> Stored:
    """What the test has brought into the town."""
    return Stored(town)


@pytest.fixture
def key(town: Town) -> str:
    """The family's link into the room."""
    return town.rooms(town.meeting())[Role.FAMILY].key


@pytest.fixture
def phone(server: Server, key: str, phones: Phones) -> Page:
    """A phone with the family's form open, whose clock can be turned on."""
    page = phones.open()
    page.clock.install()
    page.goto(f"/{key}")
    return page


def test_one_question_is_shown_at_a_time_and_the_last_step_sends(phone: Page, stored: Stored) -> None:
    items = phone.locator("form .item")
    last = items.count() - 1
    assert last >= 8
    forward, back = (phone.get_by_role("button", name=name) for name in ("Nästa", "Tillbaka"))
    submit = phone.get_by_role("button", name="Skicka")
    for step in range(last + 1):
        expect(phone.locator("form .item:visible")).to_have_count(1)
        expect(items.nth(step)).to_be_visible()
        assert progress(phone) == pytest.approx((step + 1) / (last + 1), abs=0.01)
        expect(phone.locator(".intro")).to_be_visible(visible=step == 0)
        expect(back).to_be_visible(visible=step > 0)
        expect(forward).to_be_visible(visible=step < last)
        expect(submit).to_be_visible(visible=step == last)
        if step:
            focused = phone.evaluate("document.activeElement.textContent")
            assert focused == items.nth(step).locator("legend, label").first.text_content()
        if step < last:
            items.nth(step).locator(".option").nth(2).tap()
            forward.tap()
    back.tap()
    expect(items.nth(last - 1)).to_be_visible()
    assert items.nth(last - 1).locator("input:checked").get_attribute("value") == "3", "what was answered is kept"
    forward.tap()
    assert stored.numbers == (0, 0), "only sending stores anything"
    submit.tap()
    expect(phone.get_by_role("heading", name="Tack.")).to_be_focused()
    assert stored.numbers == (1, 1)


def test_enter_in_a_question_goes_to_the_next_one_and_sends_nothing_yet(phone: Page, stored: Stored) -> None:
    phone.locator("#prep input").first.focus()
    phone.keyboard.press("Space")
    phone.keyboard.press("Enter")
    expect(phone.locator("#safe")).to_be_visible()
    expect(phone.locator("#prep")).to_be_hidden()
    assert stored.numbers == (0, 0)


def test_a_gentle_word_is_said_while_a_text_names_somebody_and_nothing_is_held_up(phone: Page, stored: Stored) -> None:
    answer_to_the_end(phone)
    hint, text = phone.locator(".named"), phone.locator("textarea")
    for said, is_hinted in [
        ("Anna Svensson pratade mest", True),
        ("Min syster pratade mest. Bra möte!", False),
        ("ring 070-123 45 67", True),
        ("kim@example.se", True),
        ("Kl 08.30, vi var 12 personer", False),
    ]:
        text.fill(said)
        expect(hint).to_have_text(re.compile("Är det ett namn" if is_hinted else "^$"))
    text.fill("Anna Svensson, 070-123 45 67")
    phone.get_by_role("button", name="Skicka").tap()
    expect(phone.get_by_role("heading", name="Tack.")).to_be_focused()
    expect(phone.get_by_text("Vi tog bort ett nummer")).to_be_visible()
    expect(phone.get_by_text("I din text finns kanske ett namn")).to_be_visible()
    assert stored.numbers == (1, 1)


def test_without_network_the_page_waits_and_sends_by_itself_when_it_is_back(
    phone: Page, town: Town, stored: Stored
) -> None:
    answer_to_the_end(phone)
    phone.context.set_offline(True)
    phone.get_by_role("button", name="Skicka").tap()
    expect(phone.get_by_role("status")).to_have_text(WAITING)
    assert stored.numbers == (0, 0)
    phone.context.set_offline(False)
    expect(phone.get_by_role("heading", name="Tack.")).to_be_visible()
    assert ballot_of(phone, town) == 1
    assert stored.numbers == (1, 1)


def test_a_reply_that_is_lost_is_asked_for_again_and_the_answer_is_stored_once(
    phone: Page, town: Town, stored: Stored
) -> None:
    lost: list[int] = []

    def lose_the_reply(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch().status)
            route.abort("connectionreset")
        else:
            route.continue_()

    phone.route("**/*", lose_the_reply)
    answer_to_the_end(phone)
    phone.get_by_role("button", name="Skicka").tap()
    expect(phone.get_by_role("status")).to_have_text(WAITING)
    assert lost == [200]
    assert stored.numbers == (1, 1), "it had arrived"
    phone.clock.run_for(3000)
    expect(phone.get_by_role("heading", name="Tack.")).to_be_visible()
    assert ballot_of(phone, town) == 1
    assert stored.numbers == (1, 1)


def test_a_strange_page_in_between_is_not_taken_for_thanks(phone: Page, stored: Stored) -> None:
    """A hotel's network answers everything with its own page."""
    strange: list[str] = []

    def answer_for_us(route: Route) -> None:
        if route.request.method == "POST" and not strange:
            strange.append(route.request.url)
            route.fulfill(status=200, content_type="text/html", body="<p>Logga in på vårt nät</p>")
        else:
            route.continue_()

    phone.route("**/*", answer_for_us)
    answer_to_the_end(phone)
    phone.get_by_role("button", name="Skicka").tap()
    expect(phone.get_by_role("status")).to_have_text(WAITING)
    phone.clock.run_for(3000)
    expect(phone.get_by_role("heading", name="Tack.")).to_be_visible()
    assert strange
    assert stored.numbers == (1, 1)


def test_a_refused_form_comes_back_filled_in_and_can_be_mended_and_sent(phone: Page, stored: Stored) -> None:
    answer_to_the_end(phone)
    text = "Alla fick prata. " * 20
    phone.get_by_role("textbox").fill(text)
    phone.evaluate("document.querySelector('#say input').value = '9'")
    phone.locator("#say input").first.evaluate("input => input.checked = true")
    phone.get_by_role("button", name="Skicka").tap()
    expect(phone.get_by_role("alert")).to_be_focused()
    expect(phone.get_by_text("Välj ett av svaren på frågan.")).to_be_visible()
    assert phone.locator("#prep input:checked").get_attribute("value") == "3"
    assert phone.get_by_role("textbox").input_value().strip() == text.strip()
    assert stored.numbers == (0, 0)
    assert phone.locator("form .item:visible").count() == phone.locator("form .item").count(), "all can be looked over"
    phone.locator("#say .option").first.tap()
    phone.get_by_role("button", name="Skicka").tap()
    expect(phone.get_by_role("heading", name="Tack.")).to_be_visible()
    assert stored.numbers == (1, 1)


def test_an_empty_form_is_sent_back_with_a_reason(phone: Page, stored: Stored) -> None:
    while phone.get_by_role("button", name="Nästa").is_visible():
        phone.get_by_role("button", name="Nästa").tap()
    phone.get_by_role("button", name="Skicka").tap()
    expect(phone.get_by_role("alert")).to_contain_text("Svara på minst en fråga.")
    phone.locator("#prep .option").nth(3).tap()
    while phone.get_by_role("button", name="Nästa").is_visible():
        phone.get_by_role("button", name="Nästa").tap()
    phone.get_by_role("button", name="Skicka").tap()
    expect(phone.get_by_role("heading", name="Tack.")).to_be_visible()
    assert stored.numbers == (1, 1)


@pytest.mark.parametrize("missing", ["fetch", "URLSearchParams", "DOMParser"])
def test_a_phone_too_old_for_the_script_sends_the_form_itself(
    server: Server, key: str, phones: Phones, stored: Stored, missing: str
) -> None:
    phone = phones.open()
    phone.add_init_script(f"delete window.{missing}")
    phone.goto(f"/{key}")
    answer_to_the_end(phone)
    phone.get_by_role("button", name="Skicka").tap()
    expect(phone.get_by_role("heading", name="Tack.")).to_be_visible()
    sent = [request for request in phones.watch(phone).requests if request.method == "POST"]
    assert [request.resource_type for request in sent] == ["document"]
    assert stored.numbers == (1, 1)


def test_thanks_can_be_regretted_where_the_script_has_put_them(phone: Page, stored: Stored) -> None:
    answer_to_the_end(phone)
    phone.get_by_role("button", name="Skicka").tap()
    phone.get_by_text("Ångra?").tap()
    phone.get_by_role("button", name="Ta tillbaka mitt svar").tap()
    expect(phone.get_by_role("heading", name="Ditt svar är borttaget")).to_be_visible()
    assert stored.numbers == (0, 1), "the place stays used"


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("an arrow", r"=>"),
        ("let or const", r"\b(?:let|const)\b"),
        ("a class", r"\bclass\s+\w|\bextends\b"),
        ("a template literal", r"`"),
        ("optional chaining", r"\?\.[^\d]"),
        ("nullish coalescing", r"\?\?"),
        ("spread or rest", r"\.\.\."),
        ("async or await", r"\b(?:async|await)\b"),
        ("a generator", r"\bfunction\s*\*|\byield\b"),
        ("a power", r"\*\*"),
        ("for-of", r"\bfor\s*\([^;)]*\bof\b"),
        ("destructuring", r"\bvar\s*[\[{]|\(\s*\{[^:()]*\}\s*\)\s*\{"),
        ("a default parameter", r"\bfunction\s*\w*\([^)]*=[^)]*\)"),
        ("a catch without a name", r"\bcatch\s*\{"),
        ("a trailing comma in a call", r",\s*\)"),
        ("a method in short", r"[{,]\s*(?!function|if|for|while)\w+\s*\([\w\s,]*\)\s*\{"),
        ("a newer method", r"\.(?:includes|startsWith|endsWith|replaceAll|append\(.*,|remove\(|closest|finally)\b"),
    ],
)
def test_the_script_is_written_for_old_phones(what: str, pattern: str) -> None:
    code = re.sub(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"", "''", SOURCE)
    code = re.sub(r"//[^\n]*|/\*.*?\*/", "", code, flags=re.DOTALL)
    assert "function" in code
    found = re.search(pattern, code)
    assert found is None, f"{what}: {code[max(0, found.start() - 40) : found.end() + 40]}"


def answer_to_the_end(phone: Page) -> None:
    """Answer the first question and go to the last."""
    phone.locator("#prep .option").nth(2).tap()
    while phone.get_by_role("button", name="Nästa").is_visible():
        phone.get_by_role("button", name="Nästa").tap()


def progress(phone: Page) -> float:
    """How far the line has come, of 1."""
    return phone.evaluate(
        """() => document.querySelector('.progress span').getBoundingClientRect().width
            / document.querySelector('.progress').getBoundingClientRect().width"""
    )


def ballot_of(phone: Page, town: Town) -> int:
    """How many ballots there are by the receipt on the thanks page."""
    receipt = phone.locator("input[name=receipt]").get_attribute("value") or ""
    return town.db["ballot"].count_where("receipt_hash = ?", [receipt_hash(receipt)])
