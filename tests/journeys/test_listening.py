"""The button that reads a question aloud, and the line that says how many characters are left.

A headless browser has no voices. A stand-in for them writes down, in the tab's own store so that it is still there on
the next page, what it is asked to say and when it is hushed; like a real one, it tells the page when it stops.
"""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from enkat import catalogue
from enkat.catalogue import context
from enkat.i18n import Translator
from enkat.model.meeting import Meeting
from enkat.model.survey import Item, ItemKind, Role
from tests.conftest import Town
from tests.journeys.conftest import Phones
from tests.journeys.people import SEND, Place, choice, go_on, go_to_the_end, numbers
from tests.journeys.server import Server

ADULT = catalogue.load()["adult"]
SWEDISH = {"lang": "sv-SE", "localService": True, "name": "Alva"}
ARABIC = {"lang": "ar-SA", "localService": True, "name": "Majed"}

#: A stand-in for what a phone speaks with. `happened` is what it was asked for, in order.
STAND_IN = """voices => {
    const happened = JSON.parse(sessionStorage.getItem('happened') || '[]');
    const note = (...what) => { happened.push(what); sessionStorage.setItem('happened', JSON.stringify(happened)); };
    let now = null;
    const speech = new EventTarget();
    speech.getVoices = () => voices.slice();
    speech.come = later => { voices = later; if (speech.onvoiceschanged) speech.onvoiceschanged(new Event('come')); };
    speech.speak = words => { now = words; note('said', words.text, words.lang, words.voice.name); };
    speech.finish = () => { const said = now; now = null; if (said && said.onend) said.onend(new Event('end')); };
    speech.cancel = () => {
        const said = now;
        now = null;
        if (said) note('hushed');
        if (said && said.onerror) setTimeout(() => said.onerror(new Event('error')));
    };
    Object.defineProperty(window, 'speechSynthesis', { value: speech, configurable: true });
    window.SpeechSynthesisUtterance = function (text) { this.text = text; };
}"""


@pytest.fixture(scope="module")
def server(place: Place) -> Server:
    return place.server


@pytest.fixture(scope="module")
def town(place: Place) -> Town:
    return place.town


@pytest.fixture(scope="module")
def meeting(town: Town) -> Meeting:
    """One meeting for all who listen here: nobody sends anything."""
    return town.meeting()


@pytest.fixture(scope="module")
def key(town: Town, meeting: Meeting) -> str:
    """The family's link into its room."""
    return town.rooms(meeting)[Role.FAMILY].key


@pytest.mark.parametrize(
    ("language", "voice"),
    [
        ("sv", SWEDISH),
        ("sv", SWEDISH | {"lang": "sv_SE"}),  # as Android says it
        ("sv", SWEDISH | {"lang": "sv"}),
        ("ar", ARABIC),
        ("uk", SWEDISH | {"lang": "uk-UA"}),
    ],
)
def test_each_question_can_be_listened_to_where_the_phone_has_a_voice_of_its_own(
    town: Town, phones: Phones, key: str, language: str, voice: dict[str, Any]
) -> None:
    said = town.house.languages[language]
    phone = opened(phones, key, language, SWEDISH | {"lang": "de-DE"}, voice)
    expect(phone.locator(".item > .listen")).to_have_count(len(ADULT.items))
    for item in ADULT.items:
        button = phone.locator(".item > .listen:visible")
        expect(button).to_have_text(said.interface.gettext("Lyssna"))
        button.tap()
        what, text, spoken, by = happened(phone)[-1]
        assert (what, spoken, by) == ("said", voice["lang"], voice["name"])
        assert_in_order(text, texts_of(said, item))
        go_on(phone)


@pytest.mark.parametrize(
    ("language", "voices"),
    [
        ("sv", []),
        ("sv", [SWEDISH | {"localService": False}]),
        ("sv", [ARABIC, SWEDISH | {"localService": False}]),
        ("fi", [SWEDISH | {"lang": "fil-PH"}, SWEDISH]),
        ("ar", [ARABIC | {"lang": "arz-EG"}]),
        ("so", [SWEDISH | {"lang": "en-SO"}]),
    ],
)
def test_where_the_phone_has_no_voice_of_its_own_for_the_language_there_is_no_button(
    phones: Phones, key: str, language: str, voices: list[dict[str, Any]]
) -> None:
    """With another voice the question would go to somebody's server, or be read as if it were another language."""
    phone = opened(phones, key, language, *voices)
    expect(phone.locator(".progress")).to_be_visible()
    assert phone.locator(".listen").count() == 0
    phone.evaluate("voices => speechSynthesis.come(voices)", voices)
    assert phone.locator(".listen").count() == 0


def test_voices_that_come_late_bring_one_button_for_each_question(phones: Phones, key: str) -> None:
    phone = opened(phones, key, "sv")
    assert phone.locator(".listen").count() == 0
    for _time in range(3):  # browsers say so more than once
        phone.evaluate("voices => speechSynthesis.come(voices)", [SWEDISH])
    expect(phone.locator(".item > .listen")).to_have_count(len(ADULT.items))


def test_nothing_is_said_of_what_was_chosen_or_written(phones: Phones, key: str) -> None:
    """Not either where the server has given it back, in a page that another language was chosen for."""
    phone = opened(phones, key, "ar", SWEDISH)
    written = "Min syster Anna Svensson 070-123 45 67 grät."
    go_to_the_end(phone)
    phone.locator("textarea").fill(written)
    phone.locator(".bar summary").tap()
    phone.locator(".bar li a[lang=sv]").tap()
    expect(phone.locator("html")).to_have_attribute("lang", "sv")
    expect(phone.locator("textarea")).to_have_value(written)
    phone.locator(".item > .listen:visible").tap()
    what, text, *_voice = happened(phone)[-1]
    assert what == "said"
    assert [word for word in written.split() if word in text] == []
    while phone.locator(".steps .quiet").is_visible():
        phone.locator(".steps .quiet").tap()
    phone.locator(".item > .listen:visible").tap()
    before = happened(phone)[-1]
    phone.locator(".item > .listen:visible").tap()
    choice(phone, "prep", "2").tap()
    phone.locator(".item > .listen:visible").tap()
    assert happened(phone)[-1] == before


def test_the_promise_can_be_listened_to_before_anything_is_answered(phones: Phones, key: str) -> None:
    """Those who cannot read it are those whom it is for."""
    phone = opened(phones, key, "sv", SWEDISH)
    phone.locator(".intro > .listen").tap()
    assert_in_order(happened(phone)[-1][1], ["Hur var mötet?", ADULT.promise, "Så skyddas ditt svar"])


def test_pressing_again_stops_and_the_label_goes_to_and_fro(phones: Phones, key: str) -> None:
    phone = opened(phones, key, "sv", SWEDISH)
    button = phone.locator(".item > .listen:visible")
    for _time in range(2):
        button.tap()
        expect(button).to_have_text("Sluta lyssna")
        button.tap()
        expect(button).to_have_text("Lyssna")
    assert [what for what, *_more in happened(phone)] == ["said", "hushed", "said", "hushed"]
    button.tap()
    expect(button).to_have_text("Sluta lyssna")
    phone.evaluate("speechSynthesis.finish()")
    expect(button).to_have_text("Lyssna")


def test_pressing_again_stops_on_a_page_that_the_browser_has_translated(phones: Phones, key: str) -> None:
    """The browser puts its own words on the button, each time it changes."""
    phone = opened(phones, key, "sv", SWEDISH)
    button = phone.locator(".item > .listen:visible")
    button.tap()
    button.evaluate("button => button.innerHTML = '<font><font>Dinlemeyi bırak</font></font>'")
    button.tap()
    assert [what for what, *_more in happened(phone)] == ["said", "hushed"]


def test_it_falls_silent_when_somebody_goes_on_to_the_next_question_or_back(phones: Phones, key: str) -> None:
    phone = opened(phones, key, "sv", SWEDISH)
    for way in (".steps button:not(.quiet)", ".steps .quiet"):
        phone.locator(".item > .listen:visible").tap()
        phone.locator(way).tap()
        assert happened(phone)[-1] == ["hushed"]
        expect(phone.locator(".listen", has_text="Sluta lyssna")).to_have_count(0)


@pytest.mark.parametrize("way", ["another page", "another language", "loading again"])
def test_it_falls_silent_when_somebody_leaves(phones: Phones, key: str, way: str) -> None:
    phone = opened(phones, key, "sv", SWEDISH, ARABIC)
    phone.locator(".item > .listen:visible").tap()
    assert happened(phone)[-1][0] == "said"
    if way == "another page":
        phone.goto("/withdraw")
    elif way == "another language":
        phone.locator(".bar summary").tap()
        phone.locator(".bar li a[lang=ar]").tap()
        expect(phone.locator("html")).to_have_attribute("lang", "ar")
        expect(phone.locator(".item > .listen")).to_have_count(len(ADULT.items))
    else:
        phone.reload()
    assert happened(phone)[-1] == ["hushed"]


def test_listening_sends_nothing(place: Place, phones: Phones, meeting: Meeting, key: str) -> None:
    phone = opened(phones, key, "sv", SWEDISH)
    for _item in ADULT.items:
        phone.locator(".item > .listen:visible").tap()
        phone.locator(".item > .listen:visible").press("Enter")
        at = phone.locator("form .item:visible").count()
        assert at == 1
        go_on(phone)
    expect(phone.locator(SEND)).to_be_visible()
    assert [one.method for one in phones.watch(phone).requests] == ["GET"]
    assert numbers(place.town, meeting.id) == (0, 0)


@pytest.mark.parametrize("language", ["sv", "ar"])
def test_the_characters_that_are_left_are_said_only_when_there_are_few_and_no_more_can_be_typed(
    town: Town, phones: Phones, key: str, language: str
) -> None:
    said = town.house.languages[language].interface.gettext("Tecken kvar:")
    phone = opened(phones, key, language)
    phone.clock.install()
    phone.reload()
    go_to_the_end(phone)
    text, left = phone.locator("textarea"), phone.locator(".left")
    for many, line in [(1501, f"{said} 499"), (1500, ""), (1999, f"{said} 1"), (3, ""), (2000, f"{said} 0")]:
        text.fill("å" * many)
        phone.clock.run_for(400)  # the fingers rest
        expect(left).to_have_text(line)
    text.press("End")
    phone.keyboard.insert_text("mer")
    phone.keyboard.press("x")
    assert len(text.input_value()) == 2000
    phone.clock.run_for(400)
    expect(left).to_have_text(f"{said} 0")


def opened(phones: Phones, key: str, language: str, *voices: dict[str, Any]) -> Page:
    """The form on a phone that has these voices."""
    phone = phones.open(language=language)
    phone.add_init_script(f"({STAND_IN})({json.dumps(voices)})")
    phone.goto(f"/{key}")
    return phone


def happened(phone: Page) -> list[list[str]]:
    """What the voice was asked for so far, page after page."""
    noted: list[list[str]] = phone.evaluate("JSON.parse(sessionStorage.getItem('happened') || '[]')")
    return noted


def texts_of(said: Translator, item: Item) -> list[str]:
    """A question and its answers, or what stands beside it, in the order of the page."""

    def text(key: str) -> str:
        return said.question(context(ADULT, key), ADULT.texts()[key])

    if item.kind is ItemKind.TEXT:
        return [text(item.id), text(f"{item.id}.hint")]
    missing = [said.interface.gettext(one) for one in ("Vet inte", "Vill inte svara")]
    return [text(item.id), *(text(f"point.{point.value}") for point in ADULT.points), *missing]


def assert_in_order(spoken: str, texts: list[str]) -> None:
    """Each text is said, one after the other, and nothing comes after the last but a stop."""
    at = 0
    for text in texts:
        assert text in spoken[at:], f"{text!r} after {spoken[:at]!r}"
        at = spoken.index(text, at) + len(text)
    assert not spoken[at:].strip(" .")
