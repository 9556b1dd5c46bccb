"""The whole journey in each of the ten languages, as somebody who reads only that one meets it.

On a phone that is 320 px wide, with script and without, in Chromium, and in Firefox where Playwright's own is installed
(it cannot drive another). On each page: its language and direction, no Swedish left, and no text that is wider than its
place. Then who gets which language, and that another can be chosen in the midst of the form.
"""

import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from itertools import cycle
from pathlib import Path

import pytest
from babel.messages.pofile import read_po, write_po
from playwright.sync_api import Browser, Page, Playwright, expect
from werkzeug.serving import make_server

from enkat import catalogue, i18n
from enkat.app import create_app
from enkat.house import House
from enkat.model.meeting import Meeting
from enkat.model.survey import Role
from tests.conftest import Town
from tests.journeys.conftest import Phones
from tests.journeys.people import (
    SEND,
    Place,
    assert_one_answer,
    choice,
    fill_in,
    filled_in,
    go_on,
    go_to_the_end,
    numbers,
)
from tests.journeys.server import HOST, Server
from tests.test_i18n import TRANSLATIONS

#: What a phone says that it speaks -> the page's language, and something to write in it.
PHONES = {
    "sv-SE": ("sv", "Alla fick prata till punkt. Åk hem i tid nästa gång, så blir öronen gladare."),
    "en-GB": ("en", "Everyone was heard. Shorter, please."),
    "fi-FI": ("fi", "Kaikki saivat puhua. Hyvä näin, mutta välillä oli hälyä."),
    "ar-SY": ("ar", "كان الاجتماع جيدًا، لكنه كان طويلًا جدًا."),
    "fa-AF": ("fa", "جلسه خوب بود، ولی می‌خواستم بیشتر گپ بزنم."),
    "so-SO": ("so", "Kulanku wuu fiicnaa, laakiin waqtigu wuu yaraa."),
    "ti-ER": ("ti", "እቲ ኣኼባ ጽቡቕ ነይሩ፡ ግን ነዊሕ ነይሩ።"),
    "uk-UA": ("uk", "Зустріч була корисною, але їй бракувало часу. Ґанок, їжак, об’єднання."),
    "ckb-IQ": ("ckb", "کۆبوونەوەکە باش بوو، بەڵام زۆر درێژ بوو."),
    "pl-PL": ("pl", "Spotkanie było dobre, ale źle słyszałem. Zażółć gęślą jaźń."),
}
RIGHT_TO_LEFT = {"ar", "fa", "ckb"}

ADULT = catalogue.load()["adult"]
ITEMS = [item.id for item in ADULT.closed_items]
#: Each value of the scale, and both ways of not answering.
ANSWERS = dict(zip(ITEMS, cycle(["1", "2", "unknown", "4", "5", "declined", "3"]), strict=False))

#: Texts with letters that stand alone on the page, those of the menu of languages and what is kept for the script too.
WORDS = r"""() => {
    const found = [document.title, ...[...document.querySelectorAll('main form[data-steps], .named')]
        .flatMap(part => Object.values(part.dataset))];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode())
        if (!walker.currentNode.parentElement.closest('script, .bar li'))
            found.push(walker.currentNode.data);
    return found.map(text => text.replace(/\s+/g, ' ').trim()).filter(text => /\p{L}/u.test(text));
}"""

#: How the page says that it runs, and how it does.
RUNS = "() => [document.documentElement.lang, document.documentElement.dir, getComputedStyle(document.body).direction]"

#: What is wider than its place: the page, a text outside the screen, or a text that something around it cuts off.
TOO_WIDE = """() => {
    const found = [], room = document.documentElement.clientWidth, page = document.scrollingElement;
    if (page.scrollWidth > room) found.push(`the page: ${page.scrollWidth} px of ${room}`);
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode, around = text.parentElement;
        if (!text.data.trim() || !around.checkVisibility() || around.closest('script, .unseen')) continue;
        const range = document.createRange();
        range.selectNodeContents(text);
        let left = 0, right = room;
        for (let part = around; part !== document.body; part = part.parentElement) {
            if (getComputedStyle(part).overflowX === 'visible') continue;
            const box = part.getBoundingClientRect();
            left = Math.max(left, box.left);
            right = Math.min(right, box.right);
            if (part.scrollWidth > part.clientWidth + 1) found.push(`cut off: ${part.outerHTML.slice(0, 120)}`);
        }
        for (const line of range.getClientRects())
            if (line.width && (line.left < left - 1 || line.right > right + 1))
                found.push(`${text.data.trim().slice(0, 80)}: ${line.left}-${line.right} px in ${left}-${right}`);
    }
    for (const part of document.querySelectorAll('button, .button, textarea, input:not([type=hidden])')) {
        const box = part.getBoundingClientRect();
        const isOutside = box.left < -1 || box.right > room + 1;
        if (part.checkVisibility() && (isOutside || part.scrollWidth > part.clientWidth + 1))
            found.push(`wider than its box: ${part.outerHTML.slice(0, 120)}`);
    }
    return found;
}"""


@pytest.fixture(scope="module")
def server(place: Place) -> Server:
    return place.server


@pytest.fixture(scope="module")
def town(place: Place) -> Town:
    return place.town


def firefox() -> Path | None:
    """Playwright's own Firefox, where it is installed."""
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    return next(iter(sorted(folder.glob("firefox-*/firefox/firefox"), reverse=True)), None)


@pytest.fixture(scope="module", params=["chromium", *(["firefox"] if firefox() else [])])
def anybodys_browser(request: pytest.FixtureRequest, browser: Browser, playwright: Playwright) -> Iterator[Browser]:
    """Each browser that there is."""
    if request.param == "chromium":
        yield browser
        return
    other = playwright.firefox.launch(executable_path=firefox())
    yield other
    other.close()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("speaks", PHONES)
def test_somebody_who_reads_one_language_is_asked_thanked_and_put_right_in_it(
    place: Place, anybodys_browser: Browser, speaks: str, script: bool
) -> None:
    language, text = PHONES[speaks]
    town, said = place.town, place.town.house.languages[language]
    meeting = town.meeting()
    phones = Phones(anybodys_browser, place.server.settings.base_url)
    phone = phones.open(script=script, language=speaks, width=320, height=640)
    phone.goto(f"/{town.rooms(meeting)[Role.FAMILY].key}")
    assert_speaks(phone, language)
    phone.locator(".bar summary").tap()
    assert_speaks(phone, language)
    phone.locator(".bar summary").tap()
    for item, value in ANSWERS.items():
        choice(phone, item, value).tap()
        if script:
            assert_speaks(phone, language)
        go_on(phone)
    phone.locator("textarea").fill(text)
    assert_speaks(phone, language)
    phone.locator(SEND).tap()
    expect(phone.locator("h1")).to_have_text(said.interface.gettext("Tack."))
    phone.locator(".regret summary").tap()
    assert_speaks(phone, language)
    assert numbers(town, meeting.id) == (1, 1)
    phone.goto(f"/{town.rooms(meeting)[Role.FAMILY].key}")
    go_to_the_end(phone)
    phone.locator(SEND).tap()
    expect(phone.get_by_role("alert")).to_contain_text(said.interface.gettext("Svara på minst en fråga."))
    assert_speaks(phone, language)
    assert_stored(town, meeting, language, text)
    phones.close()


@pytest.mark.parametrize("speaks", PHONES)
def test_everything_else_that_a_participant_reads_is_in_their_language(
    place: Place, phones: Phones, speaks: str
) -> None:
    language, _text = PHONES[speaks]
    rooms = place.town.rooms(place.town.meeting())
    phone = phones.open(script=False, language=speaks, width=320, height=640)
    for role in (Role.CHILD, Role.PROFESSIONAL):
        phone.goto(f"/{rooms[role].key}")
        assert_speaks(phone, language)
    for path in ("/privacy", "/accessibility", "/withdraw", "/", "/0000000000"):
        phone.goto(path)
        assert_speaks(phone, language)


@pytest.mark.parametrize(("first", "then"), [("sv-SE", "ar"), ("ar-SY", "uk"), ("ti-ER", "sv"), ("fa-AF", "ckb")])
def test_another_language_in_the_midst_of_the_form_keeps_everything(
    place: Place, phones: Phones, first: str, then: str
) -> None:
    meeting = place.town.meeting()
    phone = phones.open(language=first, width=320, height=640)
    phone.goto(f"/{place.town.rooms(meeting)[Role.FAMILY].key}")
    fill_in(phone, ANSWERS, PHONES[first][1])
    for _step in range(6):
        phone.locator(".steps .quiet").tap()
    at = ITEMS[len(ITEMS) - 6]
    expect(phone.locator(f"#{at}")).to_be_visible()
    choose_language(phone, then)
    expect(phone.locator("form .item:visible")).to_have_count(1)
    expect(phone.locator(f"#{at}")).to_be_visible()
    assert_speaks(phone, then)
    assert filled_in(phone) == {**ANSWERS, "words": PHONES[first][1]}
    go_to_the_end(phone)
    phone.locator(SEND).tap()
    expect(phone.locator("h1")).to_have_text(place.town.house.languages[then].interface.gettext("Tack."))
    assert_speaks(phone, then)
    assert_stored(place.town, meeting, then, PHONES[first][1])


@pytest.mark.parametrize(("first", "then"), [("sv-SE", "ar"), ("ckb-IQ", "en")])
def test_without_script_another_language_leads_to_the_whole_form_in_it(
    place: Place, phones: Phones, first: str, then: str
) -> None:
    meeting = place.town.meeting()
    phone = phones.open(script=False, language=first, width=320, height=640)
    phone.goto(f"/{place.town.rooms(meeting)[Role.KIN].key}")
    choose_language(phone, then)
    assert_speaks(phone, then)
    expect(phone.locator("fieldset.item:visible")).to_have_count(len(ITEMS))
    fill_in(phone, ANSWERS, PHONES[first][1])
    phone.locator(SEND).tap()
    expect(phone.locator("h1")).to_have_text(place.town.house.languages[then].interface.gettext("Tack."))
    assert_stored(place.town, meeting, then, PHONES[first][1])


@pytest.mark.parametrize(
    ("speaks", "asked", "language"),
    [
        ("tr-TR", "", "sv"),
        ("tr-TR", "?lang=tr", "sv"),
        ("tr-TR", "?lang=so", "so"),
        ("ar-SY", "?lang=fi", "fi"),
        ("fi-FI", "?lang=ar", "ar"),
        ("pl-PL", "?lang=nonsense", "pl"),
    ],
)
def test_the_address_goes_before_the_phone_and_swedish_is_for_everybody_else(
    place: Place, phones: Phones, speaks: str, asked: str, language: str
) -> None:
    phone = phones.open(language=speaks, width=320, height=640)
    phone.goto(f"/{place.town.rooms(place.town.meeting())[Role.FAMILY].key}{asked}")
    assert_speaks(phone, language)
    choice(phone, "prep", "1").tap()
    go_to_the_end(phone)
    phone.locator(SEND).tap()
    expect(phone.locator("h1")).to_have_text(place.town.house.languages[language].interface.gettext("Tack."))
    assert_speaks(phone, language)


def test_a_form_with_one_question_untranslated_is_swedish_as_a_whole(
    town: Town, browser: Browser, tmp_path: Path
) -> None:
    """The other forms are there in that language all the same."""
    lacking = replace(town.house, languages=i18n.load(without(tmp_path / "translations", "ar", "adult.useful")))
    rooms = town.rooms(town.meeting())
    with in_this_process(lacking) as address:
        phones = Phones(browser, address)
        phone = phones.open(language="ar-SY", width=320, height=640)
        for asked in ("", "?lang=ar"):
            phone.goto(f"/{rooms[Role.FAMILY].key}{asked}")
            assert_speaks(phone, "sv")
            assert not re.search("[\u0600-\u06ff]", " ".join(words(phone)))
            assert phone.locator(".bar li a[lang=ar]").count() == 0
            assert phone.locator(".bar li a").count() == len(PHONES) - 1
        phone.goto(f"/{rooms[Role.CHILD].key}")
        assert_speaks(phone, "ar")
        phones.close()


def without(folder: Path, language: str, lacking: str) -> Path:
    """A copy of the catalogues in which one question has no translation."""
    shutil.copytree(TRANSLATIONS, folder)
    file = folder / language / "LC_MESSAGES" / "questions.po"
    with file.open("rb") as held:
        catalog = read_po(held, locale=language)
    found = [one for one in catalog if one.context == lacking]
    assert len(found) == 1
    found[0].string = ""
    with file.open("wb") as held:
        write_po(held, catalog)
    return folder


@contextmanager
def in_this_process(house: House) -> Iterator[str]:
    """A house that is served from here for a while; its address."""
    server = make_server(HOST, 0, create_app(house.settings, house), threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://{HOST}:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def assert_speaks(page: Page, language: str) -> None:
    """The page is in that language and runs its way, without Swedish, and each text has room."""
    direction = "rtl" if language in RIGHT_TO_LEFT else "ltr"
    assert page.evaluate(RUNS) == [language, direction, direction]
    if language != "sv":
        left = swedish(language) & set(words(page))
        assert not left
    assert not page.evaluate(TOO_WIDE)


def words(page: Page) -> list[str]:
    found: list[str] = page.evaluate(WORDS)
    return found


@cache
def swedish(language: str) -> frozenset[str]:
    """The source's texts, but those that are said with the same word in the language."""
    questions = {text for form in catalogue.load() for text in form.texts().values()}
    interface = {one.id for one in read_po((TRANSLATIONS / "participant.pot").open("rb")) if isinstance(one.id, str)}
    said = i18n.load()[language].interface
    return frozenset(
        re.sub(r"\s+", " ", text).strip() for text in questions | {one for one in interface if said.gettext(one) != one}
    )


def choose_language(page: Page, language: str) -> None:
    """Choose a language from the menu, by its own name."""
    page.locator(".bar summary").tap()
    page.locator(f".bar li a[lang={language}]").tap()
    expect(page.locator("html")).to_have_attribute("lang", language)


def assert_stored(town: Town, meeting: Meeting, language: str, text: str) -> None:
    """One answer, which says of its language only whether it was Swedish."""
    response = assert_one_answer(town, meeting, ANSWERS, text)
    assert response.language == ("sv" if language == "sv" else "other")
