"""Links are looked at long before the person taps them: by messengers that draw a preview, by mail gateways that look
for malware, by search engines, and by browsers that fetch ahead. None of it may use anything up.

Each comes as it is known to come: by its name, with GET, HEAD or OPTIONS, for a part of the page, several times at
once, with what it has kept from last time, and on to every address that the page mentions. None of them sends a form.
"""

import gzip
import http.client
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urldefrag, urljoin, urlsplit

from playwright.sync_api import Browser, Page, expect

from enkat import counting
from enkat.model.survey import Role
from tests import inspection
from tests.conftest import TODAY, Town
from tests.journeys.conftest import Phones
from tests.journeys.server import HOST, PATIENCE, Reply, Server, ask, new_submission, send, wait_for
from tests.web.hostile import case, contents

_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko)"
_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
_ANDROID = "Mozilla/5.0 (Linux; Android 13; SM-A536B) AppleWebKit/537.36 (KHTML, like Gecko)"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
_FIREFOX = "Mozilla/5.0 ({}; rv:120.0) Gecko/20100101 Firefox/120.0"
_ALL, _HEAD_FIRST = ("HEAD", "GET", "OPTIONS"), ("HEAD", "GET")
_PART = {"Range": "bytes=0-524287"}
_KEPT = {"If-None-Match": '"kept"', "If-Modified-Since": "Fri, 20 Nov 2026 10:00:00 GMT"}
_AHEAD = {"Purpose": "prefetch", "Sec-Purpose": "prefetch;prerender", "X-Moz": "prefetch", "X-Purpose": "preview"}


@dataclass(frozen=True)
class Scanner:
    """Somebody's machine: what it calls itself, how it asks, how often, and with what."""

    name: str
    agent: str
    methods: tuple[str, ...] = ("GET",)
    times: int = 1
    headers: Mapping[str, str] = field(default_factory=dict)


SCANNERS = (
    Scanner("WhatsApp", "WhatsApp/2.23.20.0 A", ("GET",), 2, {"Accept-Language": "sv-SE"}),
    Scanner("Facebook", "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", _ALL, 3, _PART),
    Scanner("Messenger", "facebookcatalog/1.0", ("GET",), 2, {"Range": "bytes=0-131071"}),
    Scanner("Instagram", f"{_IPHONE} Mobile/15E148 Instagram 300.0.0.0", ("GET",), 1, _AHEAD),
    Scanner("Telegram", "TelegramBot (like TwitterBot)", ("GET",), 2),
    Scanner("Slack", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", ("GET",), 2, _PART),
    Scanner("Slack's pictures", "Slack-ImgProxy (+https://api.slack.com/robots)", _HEAD_FIRST),
    Scanner("Twitter", "Twitterbot/1.0", _HEAD_FIRST, 2),
    Scanner("LinkedIn", "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)"),
    Scanner("Discord", "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", _ALL, 2),
    Scanner("Signal", "WhatsApp/2", ("GET",), 3, {"Range": "bytes=0-1048575"}),
    Scanner("iMessage", f"{_MAC} Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0", times=3),
    Scanner("Skype", "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5", _ALL, 2),
    Scanner("Teams", "Mozilla/5.0 (compatible; SkypeUriPreview; MicrosoftPreview/2.0)", _HEAD_FIRST, 2),
    Scanner("Viber", "Viber/13.3.0 (iPhone; iOS 16.6)", ("GET",), 2, {"Range": "bytes=0-"}),
    Scanner("Line", "facebookexternalhit/1.1;line-poker/1.0", _HEAD_FIRST),
    Scanner("KakaoTalk", "facebookexternalhit/1.1; kakaotalk-scrap/1.0; +https://devtalk.kakao.com/t/scrap/33984"),
    Scanner("WeChat", f"{_ANDROID} XWEB/1160065 MicroMessenger/8.0.45", ("GET",), 2, {"Accept-Language": "zh-CN"}),
    Scanner("Snapchat", "Mozilla/5.0 (compatible; Snap URL Preview Service; bot; snapchat.com)", _HEAD_FIRST),
    Scanner("Pinterest", "Mozilla/5.0 (compatible; Pinterestbot/1.0)", _HEAD_FIRST, 1, _KEPT),
    Scanner("Google", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", ("GET",), 2, _KEPT),
    Scanner("Gmail's pictures", f"{_WINDOWS} Chrome/120.0.0.0 Safari/537.36 (via ggpht.com GoogleImageProxy)"),
    Scanner("Google Safety", "Google-Safety; (+http://www.google.com/bot.html)", _HEAD_FIRST, 2),
    Scanner("Bing", "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", ("GET",), 2, _KEPT),
    Scanner("Apple", f"{_MAC} Safari/601.2.4 (Applebot/0.1)", ("GET",), 1, _KEPT),
    Scanner("Safe Links", f"{_WINDOWS} Chrome/120.0.0.0 Safari/537.36", _ALL, 5, {"Accept-Language": "en-US"}),
    Scanner("Defender", "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1; ms-office; MSOffice 16)", _ALL, 3),
    Scanner("Proofpoint", _FIREFOX.format("Windows NT 10.0; Win64; x64"), _ALL, 5),
    Scanner("Mimecast", "Mimecast-URL-Protect/1.0", _ALL, 3, {"Referer": "https://url.uk.m.mimecastprotect.com/"}),
    Scanner("Barracuda", "BarracudaCentral/1.0 (link protection)", _HEAD_FIRST, 3),
    Scanner("Chrome ahead of a tap", f"{_ANDROID} Chrome/120.0.0.0 Mobile Safari/537.36", ("GET",), 3, _AHEAD),
    Scanner("Firefox ahead of a tap", _FIREFOX.format("Android 13; Mobile"), ("GET",), 2, {"X-Moz": "prefetch"}),
    Scanner("headless Chrome", f"{_WINDOWS} HeadlessChrome/120.0.0.0 Safari/537.36", _ALL, 2),
    Scanner("curl", "curl/8.4.0", _ALL, 2, {"Range": "bytes=100-200,-1"}),
    Scanner("wget", "Wget/1.21.4", _HEAD_FIRST, 1, _KEPT),
    Scanner("requests", "python-requests/2.31.0", _ALL),
    Scanner("Go", "Go-http-client/1.1", _HEAD_FIRST),
)

#: A page asks the browser to draw others ahead of a tap.
_DRAW_AHEAD = """urls => document.head.append(Object.assign(document.createElement('script'), {
    type: 'speculationrules', textContent: JSON.stringify({prerender: [{urls, eagerness: 'immediate'}]})}))"""

#: What is fetched of any host, whatever its pages say.
_BY_HABIT = ("/robots.txt", "/favicon.ico", "/apple-touch-icon.png", "/.well-known/security.txt", "/sitemap.xml")


@dataclass(frozen=True)
class Fetched:
    """A reply as a machine sees it."""

    status: int
    headers: Mapping[str, str]
    text: str


def test_nothing_is_used_up_by_those_who_look_at_a_link_before_the_person_does(
    server: Server, town: Town, figure: Callable[[str], None]
) -> None:
    meeting = town.meeting(dict.fromkeys(Role, 20))
    roles = list(Role)
    for number, scanner in enumerate(SCANNERS):
        with case(scanner.name):
            room = town.rooms(meeting)[roles[number % len(roles)]].key
            own = town.personal(meeting, roles[number % len(roles)]).key
            forms, before = [form(server, key) for key in (own, room)], contents(town.db)
            for key in (own, room):
                looks(server, scanner, f"/{key}", f"127.9.{number}.1")
            assert contents(town.db) == before
            assert [form(server, key) for key in (own, room)] == forms, "both links open the same forms as before"
            assert_answered_once(server, own)
    assert counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY).opened == len(SCANNERS)
    figure(f"{len(SCANNERS)} previewers and scanners: nothing used up")
    assert len(SCANNERS) >= 30


def test_nothing_is_used_up_by_a_browser_in_which_nobody_taps(
    server: Server, town: Town, phones: Phones, figure: Callable[[str], None]
) -> None:
    """A scanner that runs a real browser: the page's script works, and whatever can be looked at is looked at."""
    own = town.personal(town.meeting(), Role.FAMILY).key
    before, first = contents(town.db), form(server, own)
    phone = phones.open(width=1280)
    phone.goto(f"/{own}", wait_until="networkidle")
    look_around(phone)
    phone.reload(wait_until="networkidle")
    phone.goto("/privacy")
    phone.go_back(wait_until="networkidle")
    assert [one.method for one in phones.watch(phone).requests] == ["GET"] * len(phones.watch(phone).requests)
    assert phone.context.storage_state() == {"cookies": [], "origins": []}
    assert contents(town.db) == before
    assert form(server, own) == first
    assert_answered_once(server, own)
    figure("a real browser that waits, scrolls and hovers: nothing used up")


def test_nothing_is_used_up_by_a_browser_that_fetches_ahead_and_opens_five_tabs_at_once(
    server: Server, town: Town, browser: Browser, figure: Callable[[str], None]
) -> None:
    """A page of somebody else's names the link as one to be drawn ahead of a tap, five times, and then it is opened in
    five tabs in the same moment. (That page is one of ours here, without our policy, which would not let it.)"""
    own = town.personal(town.meeting(), Role.FAMILY).key
    before = contents(town.db)
    phone = browser.new_context(base_url=server.settings.base_url, bypass_csp=True, has_touch=True, locale="sv-SE")
    ahead: list[str] = []
    phone.on("request", lambda request: ahead.append(request.headers.get("sec-purpose", "")))
    tabs = [phone.new_page() for _tab in range(5)]
    for tab in tabs:
        tab.goto("/privacy")
    tabs[-1].evaluate(_DRAW_AHEAD, [f"/{own}?from={number}" for number in range(5)])
    wait_for(lambda: arrived(tabs[-1], ahead, 5), "all five are fetched ahead")
    for tab in tabs:
        tab.evaluate("path => { setTimeout(() => location.assign(path)); }", f"/{own}")
    for tab in tabs:
        expect(tab.locator("fieldset.item").first).to_be_visible()
    assert len({tab.locator("[name=submission]").get_attribute("value") for tab in tabs}) == 5
    assert contents(town.db) == before
    assert [answered(tab) for tab in tabs] == ["Tack."] + ["Platsen är redan använd"] * 4
    assert town.db["ballot"].count == 1
    assert phone.storage_state() == {"cookies": [], "origins": []}
    phone.close()
    figure("a link fetched ahead five times and opened in five tabs at once: nothing used up, one answer taken")


def looks(server: Server, scanner: Scanner, path: str, source: str) -> None:
    """A machine looks at an address in its way, and at everything that the page leads to."""
    asked = [(method, path) for method in scanner.methods for _time in range(scanner.times)]
    with ThreadPoolExecutor(len(asked)) as threads:
        replies = list(threads.map(lambda one: fetch(server, scanner, *one, source), asked))
    for (method, _path), reply in zip(asked, replies, strict=True):
        assert reply.status == 200, f"{method}: {reply.status}"
        assert method == "GET" or not reply.text
    pages = [reply.text for reply in replies if reply.text]
    assert all("<form" in page for page in pages), "each gets the whole form"
    for address in [*led_to(pages, path), *_BY_HABIT]:
        for method in scanner.methods:
            reply = fetch(server, scanner, method, address, source)
            assert reply.status < 500, address


def led_to(pages: list[str], path: str) -> list[str]:
    """Every address of ours on a page, and where its form would be sent, however an eager machine finds them."""
    found = set()
    for page in map(inspection.Page, pages):
        for _tag, attributes in page.tags:
            found |= {urljoin(path, attributes[name]) for name in ("href", "src", "action") if attributes.get(name)}
    found |= {urljoin(path, quoted) for page in pages for quoted in re.findall(r"[\"'](/[^\"'<>\s]*)[\"']", page)}
    return sorted(urldefrag(one)[0] for one in found if not urlsplit(one).scheme and not urlsplit(one).netloc)


def fetch(server: Server, scanner: Scanner, method: str, path: str, source: str) -> Fetched:
    """One request as the scanner sends it; no reply may ask it to keep anything."""
    connection = http.client.HTTPConnection(HOST, server.port, timeout=PATIENCE, source_address=(source, 0))
    headers = {"User-Agent": scanner.agent, "Accept": "*/*", "Accept-Encoding": "gzip", **scanner.headers}
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    found = {name.lower(): value for name, value in response.getheaders()}
    assert "set-cookie" not in found
    assert found["cache-control"] == "no-store"
    if found.get("content-encoding") == "gzip" and body:
        body = gzip.decompress(body)
    return Fetched(response.status, found, body.decode())


def form(server: Server, key: str) -> Reply:
    """What a link opens, without its random id."""
    reply = ask(server.port, "GET", f"/{key}")
    text, found = re.subn(r'(name="submission" value=")\w+', r"\1", reply.body)
    assert (reply.status, found) == (200, 1)
    return Reply(reply.status, text)


def assert_answered_once(server: Server, key: str) -> None:
    """The person's answer is taken, and another one is not."""
    said = re.findall(r'<fieldset class="item" id="(\w+)"', form(server, key).body)[0]
    assert send(server.port, key, new_submission(), **{said: "1"}).status == 200
    assert send(server.port, key, new_submission(), **{said: "1"}).status == 409


def look_around(phone: Page) -> None:
    """Wait, scroll to the end and back, and hover over everything."""
    phone.wait_for_timeout(200)
    for distance in (10_000, -10_000):
        phone.mouse.wheel(0, distance)
        phone.wait_for_timeout(100)
    for part in phone.locator("a, button, label, summary, textarea, legend").all():
        if part.is_visible():
            part.hover()


def arrived(tab: Page, ahead: list[str], many: int) -> bool:
    """Let the browser's news in for a moment; whether it has fetched so much ahead of a tap."""
    tab.wait_for_timeout(50)
    return ahead.count("prefetch;prerender") == many


def answered(tab: Page) -> str:
    """Answer in one of the tabs, all steps at once; the headline of what comes then."""
    tab.bring_to_front()
    tab.locator(".option:visible").first.tap()
    tab.evaluate("document.querySelector('form').submit()")
    expect(tab.locator("fieldset")).to_have_count(0)
    return tab.get_by_role("heading", level=1).text_content() or ""
