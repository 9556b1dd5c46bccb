"""Phones that are old, half broken, shared, hasty or too helpful: the form can be read and sent on each, once.

No script and no cookies, a browser of 2016, functions that are missing, a page that came by half, the back button,
a second tab, a double tap, autofill, and a browser that translates by itself.
"""

import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from enkat.model.meeting import Meeting
from enkat.model.survey import Role
from tests.conftest import Town
from tests.journeys.conftest import Phones
from tests.journeys.network import cut_at, network_to
from tests.journeys.people import (
    ANSWERS,
    ITEMS,
    SEND,
    TEXT,
    Place,
    answer,
    assert_nothing_left_on,
    assert_one_answer,
    choice,
    fill_in,
    filled_in,
    go_on,
    go_to_the_end,
)
from tests.journeys.server import Server, ask

#: What browsers of 2016 do not know: a rule with one of these selectors, these properties, and these values.
NEW_SELECTOR = re.compile(r":focus-visible|:is\(|:where\(|:has\(")
NEW_PROPERTY = re.compile(
    r"(?:inset|(?:margin|padding|border)-(?:inline|block|start|end)|(?:row-|column-)?gap|clip-path|accent-color|color-scheme"
    r"|text-underline-offset|text-size-adjust)"
)
NEW_VALUE = re.compile(
    r"(?:^|[^\w-])(?:min|max|clamp)\(|overflow(?:-[xy])?:\s*clip|display:\s*(?:inline-)?grid|anywhere"
)
LEFT_OUT = {"content-security-policy", "content-encoding", "content-length"}

#: What a browser may lack, or do as it did once.
_FIELDS_CANNOT_BE_GONE_THROUGH = (
    "['entries', 'keys', 'values', 'forEach', Symbol.iterator].forEach(name => delete FormData.prototype[name]);"
)
_NEWER_METHODS = """['append', 'prepend', 'remove', 'closest', 'matches', 'before', 'after', 'replaceWith',
    'replaceChildren', 'toggleAttribute', 'scrollIntoView'].forEach(name => delete Element.prototype[name]);
    delete NodeList.prototype.forEach; delete NodeList.prototype[Symbol.iterator]; delete Array.prototype.includes;
    delete String.prototype.includes; delete Object.entries; delete Object.fromEntries; delete Array.from;"""
GONE = {
    "no fetch": "delete window.fetch",
    "no DOMParser": "delete window.DOMParser",
    "no URLSearchParams": "delete window.URLSearchParams",
    "no FormData": "delete window.FormData",
    "no speech": "delete window.speechSynthesis; delete window.SpeechSynthesisUtterance",
    "no newer methods": _NEWER_METHODS,
    # Safari 10: both are there, but the one cannot read the other.
    "fields that cannot be gone through": _FIELDS_CANNOT_BE_GONE_THROUGH,
    # Chrome before 61: made of text alone.
    "parameters of text alone": """const Known = window.URLSearchParams;
        window.URLSearchParams = function (text) { return new Known(String(text)); };""",
    # A browser whose fetch does not know what parameters are sends them as a text.
    "parameters sent as a text": """const known = window.fetch;
        window.fetch = (to, how) => known(to, Object.assign({}, how, { body: String(how.body),
            headers: how.headers || { 'Content-Type': 'text/plain;charset=UTF-8' } }));""",
    "nothing of all that": "delete window.fetch; delete window.DOMParser; delete window.URLSearchParams;"
    "delete window.FormData; delete window.speechSynthesis;" + _NEWER_METHODS,
}

#: A browser that keeps nothing says so to whoever asks.
NOTHING_IS_KEPT = """['localStorage', 'sessionStorage', 'indexedDB', 'caches'].forEach(name => Object.defineProperty(
    window, name, { get() { throw new DOMException('The operation is insecure.', 'SecurityError'); } }));"""

#: What a browser takes for a field of somebody's own.
PERSONAL = re.compile(
    r"name|e-?mail|tel|phone|mobil|address|street|post|zip|city|country|user|pass|login|birth|bday|sex|card|\bcc|org",
    re.IGNORECASE,
)

#: What is wrong with how the form looks: a circle that cannot be seen or lies on words, and words on other words.
MESS = """() => {
    const found = [], lines = [], room = document.documentElement.clientWidth;
    const shown = part => part.checkVisibility() && !part.closest('.unseen, script');
    const over = (one, other) => [Math.min(one.right, other.right) - Math.max(one.left, other.left),
        Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top)];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode;
        if (!text.data.trim() || !shown(text.parentElement)) continue;
        const range = document.createRange();
        range.selectNodeContents(text);
        for (const box of range.getClientRects()) if (box.width > 1) lines.push({ text, box });
    }
    for (const line of lines) if (line.box.left < -1 || line.box.right > room + 1)
        found.push(`outside: ${line.text.data.trim()}`);
    lines.forEach((one, place) => lines.slice(place + 1).forEach(other => {
        const [across, down] = over(one.box, other.box);
        if (one.text !== other.text && across > 2 && down > Math.min(one.box.height, other.box.height) / 2)
            found.push(`on one another: ${one.text.data.trim()} | ${other.text.data.trim()}`);
    }));
    const parts = [...document.querySelectorAll('input[type=radio], button, textarea')].filter(shown);
    for (const part of parts) {
        const box = part.getBoundingClientRect();
        if (box.width < 13 || box.height < 13 || box.left < -1 || box.right > room + 1)
            found.push(`not to be seen: ${part.outerHTML.slice(0, 100)}`);
        for (const line of lines) {
            const [across, down] = over(box, line.box);
            if (!part.contains(line.text) && across > 1 && down > 1)
                found.push(`${part.outerHTML.slice(0, 100)} lies on: ${line.text.data.trim()}`);
        }
        for (const other of parts) {
            const [across, down] = over(box, other.getBoundingClientRect());
            if (other !== part && across > 1 && down > 1) found.push(`${part.outerHTML.slice(0, 100)} on another`);
        }
    }
    return found.slice(0, 5);
}"""

#: All that can be read in the order of the page, with nothing that only the script or the eye adds.
READABLE = r"""() => {
    if (!document.body) return '';
    const copy = document.body.cloneNode(true);
    copy.querySelectorAll('script, .progress, .steps').forEach(part => part.parentNode.removeChild(part));
    return copy.textContent.replace(/\s+/g, ' ').trim();
}"""

#: What a browser's own translation does to a page: other words within two elements each, at once and whenever new ones
#: come, but where it is told not to.
TRANSLATE = """() => {
    const KEPT = 'font, script, style, textarea, [translate=no]';
    const translate = part => {
        const texts = [], walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) texts.push(walker.currentNode);
        texts.filter(text => text.data.trim() && !text.parentElement.closest(KEPT)).forEach(text => {
                const outer = document.createElement('font'), inner = document.createElement('font');
                inner.textContent = `«${text.data.trim()}»`;
                outer.appendChild(inner);
                text.parentNode.replaceChild(outer, text);
            });
    };
    document.documentElement.lang = 'tr';
    document.documentElement.classList.add('translated-ltr');
    translate(document.body);
    new MutationObserver(() => translate(document.body))
        .observe(document.documentElement, { childList: true, subtree: true, characterData: true });
}"""

BOTH = pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])


@pytest.fixture(scope="module")
def server(place: Place) -> Server:
    return place.server


@pytest.fixture(scope="module")
def town(place: Place) -> Town:
    return place.town


@pytest.fixture
def meeting(town: Town) -> Meeting:
    """A meeting of the test's own."""
    return town.meeting()


@pytest.fixture
def key(town: Town, meeting: Meeting) -> str:
    """The family's link into its room."""
    return town.rooms(meeting)[Role.FAMILY].key


@pytest.fixture
def own(town: Town, meeting: Meeting) -> str:
    """Somebody's own link to it."""
    return town.personal(meeting, Role.KIN).key


@BOTH
def test_a_phone_without_cookies_sends_as_any_other(
    place: Place, phones: Phones, meeting: Meeting, key: str, script: bool
) -> None:
    """Its settings forbid cookies and all that is kept: a script that asks for it is thrown out."""
    phone = phones.open(script=script)
    phone.context.new_cdp_session(phone).send("Emulation.setDocumentCookieDisabled", {"disabled": True})
    phone.add_init_script(NOTHING_IS_KEPT)
    phone.goto(f"/{key}")
    assert phone.evaluate("navigator.cookieEnabled") is False
    answer(phone)
    assert phone.context.cookies() == []
    assert_one_answer(place.town, meeting)


@BOTH
@pytest.mark.parametrize("language", ["sv", "ar"])
def test_a_browser_of_2016_shows_a_form_that_can_be_read_and_sent(
    place: Place, phones: Phones, meeting: Meeting, key: str, script: bool, language: str
) -> None:
    phone = phones.open(script=script, language=language, width=320)
    phone.route("**/*", as_in_2016)
    phone.goto(f"/{key}")
    assert not phone.evaluate(MESS)
    for item, value in ANSWERS.items():
        choice(phone, item, value).tap()
        assert not phone.evaluate(MESS), item
        go_on(phone)
    phone.locator("textarea").fill(TEXT)
    assert not phone.evaluate(MESS)
    phone.locator(SEND).tap()
    expect(phone.locator(".regret")).to_be_visible()
    assert not phone.evaluate(MESS)
    assert_one_answer(place.town, meeting)


@pytest.mark.parametrize("gone", GONE.values(), ids=GONE.keys())
def test_a_browser_that_lacks_something_sends_everything_all_the_same(
    place: Place, phones: Phones, meeting: Meeting, key: str, gone: str
) -> None:
    phone = phones.open()
    phone.add_init_script(gone)
    phone.goto(f"/{key}")
    answer(phone)
    assert_one_answer(place.town, meeting)


@pytest.mark.parametrize("gone", GONE.values(), ids=GONE.keys())
def test_a_browser_that_lacks_something_can_be_had_in_another_language(
    phones: Phones, server: Server, key: str, gone: str
) -> None:
    """What is filled in is kept where the browser can keep it; the form is whole in any case."""
    phone = phones.open()
    phone.add_init_script(gone)
    phone.goto(f"/{key}")
    choice(phone, "prep", "4").tap()
    phone.locator(".bar summary").tap()
    phone.locator(".bar li a[lang=uk]").tap()
    expect(phone.locator("html")).to_have_attribute("lang", "uk")
    assert phone.locator("form[data-steps] .item").count() == len(ITEMS) + 1
    assert filled_in(phone) in ({"prep": "4"}, {})
    assert phone.get_by_role("alert").count() == 0


@BOTH
def test_a_page_that_came_by_half_can_be_read_that_far_and_sends_nothing(
    place: Place, browser: Browser, meeting: Meeting, key: str, script: bool
) -> None:
    with network_to(place.server.port) as network:
        phones = Phones(browser, network.address)
        phone = phones.open(script=script)
        phone.goto(f"/{key}")
        whole, page = phone.evaluate(READABLE), ask(place.server.port, "GET", f"/{key}").body
        for part in (number / 10 for number in range(1, 10)):
            there = page.encode()[: int(len(page.encode()) * part)].decode(errors="ignore")
            network.breaks("GET", cut_at(part))
            network.ends.clear()
            phone.goto(f"/{key}", wait_until="commit")
            expect(phone.locator("legend")).to_have_count(there.count("<legend>"))
            with phone.expect_event("requestfailed"):
                network.ends.set()
            assert phone.locator("legend").count() == there.count("<legend>")
            assert whole.startswith(phone.evaluate(READABLE)), part
            assert not phone.locator("button, [type=submit]").count() or "<textarea" in there, part
        assert len(network.met) == 9
        network.mends()
        phone.reload()
        fill_in(phone, ANSWERS, TEXT)
        phone.locator(SEND).tap()
        expect(phone.locator("h1")).to_have_text("Tack.")
        faults = phones.watch(phone).faults  # a style that was cut is not the one that the policy allows
        faults[:] = [fault for fault in faults if "Applying inline style" not in fault]
        phones.close()
    assert_one_answer(place.town, meeting)


@BOTH
def test_going_back_after_sending_shows_nothing_of_the_answer_and_sends_nothing_twice(
    place: Place, phones: Phones, meeting: Meeting, own: str, script: bool
) -> None:
    phone = phones.open(script=script)
    phone.goto("/privacy")
    phone.goto(f"/{own}")
    answer(phone)
    phone.go_back()
    if script:  # the thanks stand at the form's own address
        expect(phone.locator("main")).to_have_class("notice")
        phone.go_forward()
    expect(phone.locator("form[data-steps]")).to_be_visible()
    assert filled_in(phone) == {}
    assert TEXT not in phone.content()
    choice(phone, "prep", "5").tap()
    go_to_the_end(phone)
    phone.locator(SEND).tap()
    expect(phone.locator("h1")).to_have_text("Platsen är redan använd")
    if script:
        assert_nothing_left_on(phone)
    assert_one_answer(place.town, meeting)


def test_loading_the_thanks_again_gives_the_same_thanks(
    place: Place, phones: Phones, meeting: Meeting, own: str
) -> None:
    phone = phones.open(script=False)
    phone.goto(f"/{own}")
    fill_in(phone, ANSWERS, TEXT)
    phone.locator(SEND).tap()
    receipt = phone.locator("[name=receipt]").get_attribute("value")
    for _time in range(2):
        phone.reload()
        expect(phone.locator("h1")).to_have_text("Tack.")
        assert phone.locator("[name=receipt]").get_attribute("value") == receipt
    assert_one_answer(place.town, meeting)


def test_loading_again_where_the_script_has_put_the_thanks_shows_nothing_of_the_answer(
    place: Place, phones: Phones, meeting: Meeting, own: str
) -> None:
    phone = phones.open()
    phone.goto(f"/{own}")
    answer(phone)
    phone.reload()
    expect(phone.locator("form[data-steps]")).to_be_visible()
    assert filled_in(phone) == {}
    assert TEXT not in phone.content()
    assert_one_answer(place.town, meeting)


@BOTH
def test_of_two_tabs_with_the_same_link_one_sends_and_the_other_keeps_what_was_filled_in(
    place: Place, phones: Phones, meeting: Meeting, own: str, script: bool
) -> None:
    first = phones.open(script=script)
    second = first.context.new_page()
    for tab in (first, second):
        tab.goto(f"/{own}")
    fill_in(second, {"prep": "1"}, "Något annat.")
    first.bring_to_front()
    fill_in(first, ANSWERS, TEXT)
    first.locator(SEND).tap()
    expect(first.locator("h1")).to_have_text("Tack.")
    second.bring_to_front()
    with second.expect_response(lambda reply: reply.request.method == "POST") as reply:
        second.locator(SEND).tap()
    assert reply.value.status == 409
    expect(second.locator("h1")).to_have_text("Platsen är redan använd")
    hidden = "parts => Object.fromEntries(parts.map(part => [part.name, part.value]))"
    kept = second.locator("main form [type=hidden]").evaluate_all(hidden)
    assert {name: value for name, value in kept.items() if name != "submission"} == {
        "prep": "1",
        "words": "Något annat.",
    }
    second.get_by_role("button", name="Försök igen").tap()
    expect(second.locator("h1")).to_have_text("Platsen är redan använd")
    assert_one_answer(place.town, meeting)


@BOTH
def test_a_double_tap_sends_one_answer(place: Place, phones: Phones, meeting: Meeting, key: str, script: bool) -> None:
    phone = phones.open(script=script)
    phone.goto(f"/{key}")
    fill_in(phone, ANSWERS, TEXT)
    phone.locator(SEND).dblclick(no_wait_after=True)
    expect(phone.locator("h1")).to_have_text("Tack.")
    assert_one_answer(place.town, meeting)


def test_no_field_is_one_that_a_browser_fills_with_somebodys_name_or_address(
    town: Town, phones: Phones, meeting: Meeting, own: str
) -> None:
    phone = phones.open()
    rooms = [f"/{town.rooms(meeting)[role].key}" for role in (Role.FAMILY, Role.CHILD, Role.PROFESSIONAL)]
    for path in (*rooms, "/", "/withdraw"):
        phone.goto(path)
        assert_nothing_to_fill(phone)
    for expected in ("Tack.", "Platsen är redan använd"):
        phone.goto(f"/{own}")
        choice(phone, "prep", "4").tap()
        go_to_the_end(phone)
        phone.locator(SEND).tap()
        expect(phone.locator("h1")).to_have_text(expected)
        assert_nothing_to_fill(phone)


def test_a_page_that_the_browser_has_translated_works_and_sends_what_was_ticked(
    place: Place, phones: Phones, meeting: Meeting, key: str
) -> None:
    phone = phones.open(language="tr-TR")
    phone.goto(f"/{key}")
    phone.evaluate(TRANSLATE)
    expect(phone.locator(".steps button").last).to_have_text("«Nästa»")
    fill_in(phone, ANSWERS, TEXT)
    expect(phone.locator("form .item:visible")).to_have_count(1)
    phone.locator(".steps .quiet").tap()
    expect(phone.locator(f"#{ITEMS[-1]}")).to_be_visible()
    go_to_the_end(phone)
    phone.locator(SEND).tap()
    expect(phone.locator("h1")).to_have_text("«Tack.»")
    assert_one_answer(place.town, meeting)


def test_no_browser_translates_a_code_or_the_name_of_a_language(
    town: Town, phones: Phones, server: Server, key: str
) -> None:
    names = [one.name for one in town.house.languages.translators.values()]
    phone = phones.open()
    phone.goto(f"/{key}")
    assert phone.locator(".bar bdi").count() == len(names) + 1
    phone.evaluate(TRANSLATE)
    assert phone.locator(".bar li a").all_text_contents() == names
    choice(phone, "prep", "4").tap()
    go_to_the_end(phone)
    phone.locator(SEND).tap()
    expect(phone.locator("h1")).to_have_text("«Tack.»")
    assert re.fullmatch(r"[0-9A-Z]{4,5}([ -][0-9A-Z]{4,5})+", phone.locator("#receipt").text_content() or "")
    assert phone.locator(".bar > span").text_content() == "Svenska", "the name of the page's own language"


def as_in_2016(route: Route) -> None:
    """The page as a browser of 2016 understands it: what it does not know of the style is not there. The policy, which
    names the style by its content, goes with it."""
    if route.request.resource_type != "document":
        route.continue_()
        return
    reply = route.fetch()
    page = re.sub(r"<style>(.*?)</style>", lambda found: f"<style>{known_in_2016(found[1])}</style>", reply.text())
    headers = {name: value for name, value in reply.headers.items() if name not in LEFT_OUT}
    route.fulfill(status=reply.status, headers=headers, body=page)


def known_in_2016(style: str) -> str:
    """The rules of a style that a browser of 2016 knows, and of each the properties that it knows."""
    style = re.sub(r"@media \((?:prefers|forced)[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", style)
    assert "margin-inline" in style
    assert "overflow:clip" in style.replace(" ", "")

    def rule(found: re.Match[str]) -> str:
        if NEW_SELECTOR.search(found[1]):
            return ""
        kept = [one for one in found[2].split(";") if not NEW_PROPERTY.match(one.strip()) and not NEW_VALUE.search(one)]
        return f"{found[1]}{{{';'.join(kept)}}}"

    return re.sub(r"([^{}]+)\{([^{}]*)\}", rule, style)


def assert_nothing_to_fill(page: Page) -> None:
    """No form lets itself be filled, and no field looks like one that could be."""
    assert page.locator("form").count() > 0
    assert page.locator("form").evaluate_all("all => all.filter(one => one.autocomplete !== 'off').length") == 0
    fields = page.locator("input, textarea, select").evaluate_all(
        "all => all.flatMap(one => [one.name, one.id, one.type, one.placeholder || '', one.autocomplete || ''])"
    )
    assert [one for one in fields if PERSONAL.search(one)] == []
