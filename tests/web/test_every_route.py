"""Every address by every method, in fair weather and foul: what each reply carries, and what it must not tell.

The walk takes the addresses from the application's own map: a new one is walked by itself, and one whose arguments
cannot be filled in fails and says so.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.cookies import SimpleCookie
from itertools import product
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from enkat.app import create_app
from enkat.house import House
from enkat.model.staff import StaffRole
from enkat.model.survey import Role
from enkat.storage.engine import insert, write
from tests.conftest import Town
from tests.inspection import InspectingClient, Page, is_for_staff
from tests.web.hostile import case, contents
from tests.web.routes import METHODS, SAFE, Rewind, Scene, Visitor, forget_failures, rules, scene, used_and_revoked

_IS_FULL = os.environ.get("ENKAT_ATTACK") == "full"

THERE = {"http": "http://127.0.0.1:8000", "https": "https://svar.mitthem.example"}

#: Somebody with every role.
EVERYBODY = "alla@mitthem.example"

#: Every status that a page of ours can have.
STATUSES = {200, 303, 400, 401, 403, 404, 405, 409, 410, 413, 429, 500, 503}

#: What nobody looking over a shoulder is to read in the title of a participant's page.
UNSAID = re.compile(
    r"social|soc\b|nätverk|network|möte|meeting|familj|family|barn|child|kommun|municip|utred|inquiry|vård|omsorg|care"
    r"|skydd|protect|ärende|case|anhörig|kin\b|delaktig|particip|enkat",
    re.IGNORECASE,
)

#: A source of script or style that the policy may name: our own files, and pieces of ours by their hash.
_SOURCE = re.compile(r"'self'|'sha256-[A-Za-z0-9+/]{43}='")


# What every reply carries


def faults(reply: TestResponse, scheme: str) -> Iterator[str]:
    """What is missing or too much in a reply's headers."""
    headers, path = reply.headers, reply.request.path
    is_kept = path.startswith("/static/") and reply.status_code == 200 and reply.request.method in ("GET", "HEAD")
    expected = {
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "X-Robots-Tag": "noindex, nofollow",
        "Cache-Control": "public, max-age=31536000, immutable" if is_kept else "no-store",
    }
    for name, value in expected.items():
        if headers.getlist(name) != [value]:
            yield f"{name} is {headers.getlist(name)} and not {value}"
    yield from _policy_faults(headers.getlist("Content-Security-Policy"))
    permissions = headers.get("Permissions-Policy", "")
    if not {"camera=()", "geolocation=()", "microphone=()"} <= set(permissions.split(", ")) or "*" in permissions:
        yield f"Permissions-Policy is {permissions!r}"
    if ("Strict-Transport-Security" in headers) != (scheme == "https"):
        yield f"Strict-Transport-Security over {scheme}: {headers.get('Strict-Transport-Security')}"
    for name in ("Server", "X-Powered-By", "Access-Control-Allow-Origin", "Content-Location", "Link"):
        if name in headers:
            yield f"{name}: {headers[name]}"
    if not headers.get("Refresh", "1").isdigit():
        yield f"Refresh leads elsewhere: {headers['Refresh']}"
    if reply.mimetype == "text/html" and reply.mimetype_params.get("charset", "").lower() != "utf-8":
        yield f"Content-Type is {headers['Content-Type']}"
    yield from _cookie_faults(reply, scheme)


def _policy_faults(policies: list[str]) -> Iterator[str]:
    if len(policies) != 1:
        yield f"{len(policies)} content policies"
        return
    parts = {name: sources for name, *sources in (part.split() for part in policies[0].split(";"))}
    for name in ("default-src", "base-uri", "frame-ancestors"):
        if parts.pop(name, None) != ["'none'"]:
            yield f"{name} is not 'none'"
    for name in ("script-src", "style-src"):
        if not all(_SOURCE.fullmatch(source) for source in parts.pop(name, ["nothing"])):
            yield f"{name} lets in more than our own: {policies[0]}"
    if not set(parts.pop("img-src", [])) <= {"'self'", "data:", "blob:"}:
        yield f"img-src: {policies[0]}"
    for name in ("connect-src", "form-action"):
        if parts.pop(name, None) != ["'self'"]:
            yield f"{name} is not 'self'"
    if parts:
        yield f"directives nobody has judged: {parts}"


def _cookie_faults(reply: TestResponse, scheme: str) -> Iterator[str]:
    """A participant gets none; the staff's belongs to this host alone."""
    for header in reply.headers.getlist("Set-Cookie"):
        if not is_for_staff(reply.request.path):
            yield f"a participant's page sets the cookie {header}"
        is_tls = scheme == "https"
        for name, cookie in SimpleCookie(header).items():
            if name != ("__Host-enkat" if is_tls else "enkat"):
                yield f"a cookie called {name}"
            if not cookie["httponly"] or cookie["samesite"] != "Lax" or cookie["path"] != "/" or cookie["domain"]:
                yield f"a cookie too free: {header}"
            if bool(cookie["secure"]) != is_tls:
                yield f"Secure over {scheme}: {header}"
    if not is_for_staff(reply.request.path) and "Cookie" in reply.headers.get("Vary", ""):
        yield "a participant's page has looked at a cookie"


def judge(reply: TestResponse, scheme: str, where: str) -> None:
    """The whole of what a reply carries, and the title of a participant's page."""
    found = list(faults(reply, scheme))
    assert not found, f"{where} -> {reply.status_code}: {'; '.join(found)}"
    is_page = reply.mimetype == "text/html" and reply.status_code not in range(300, 400) and reply.data
    if is_page and not is_for_staff(reply.request.path):
        title = Page(reply.text).title
        assert title.strip(), f"{where} -> {reply.status_code}: no title"
        assert not UNSAID.search(title), f"{where} -> {reply.status_code}: the title says {title!r}"


# The walk


@dataclass
class Weather:
    """What happens to a request on its way, and which methods show it."""

    body: bytes | None = None
    methods: tuple[str, ...] = METHODS
    begin: Callable[["Walk"], None] = lambda walk: None


@dataclass
class Walk:
    """Somebody who tries every address of an installation, over http or https."""

    app: Flask
    town: Town
    scheme: str
    scene: Scene
    visitors: dict[str, Visitor]
    rewind: Rewind
    #: Set where everything is to fail by a fault that nobody foresaw.
    is_bewitched: list[bool]
    seen: Counter[int] = field(default_factory=Counter)
    reached: set[str] = field(default_factory=set)

    def ask(self, who: str, method: str, path: str, data: object = None, *, is_first: bool = True) -> TestResponse:
        """One request, judged; the first of somebody's, unless it is said."""
        if is_first:
            forget_failures(self.app)
        kind = "application/x-www-form-urlencoded" if isinstance(data, bytes) else None
        reply = self.visitors[who].open(method, path, data=data, content_type=kind)
        judge(reply, self.scheme, f"{who}, {self.scheme}: {method} {path}")
        self.seen[reply.status_code] += 1
        return reply

    def go(self, weather: Weather) -> None:
        """Every address by every method."""
        tokens = {who: visitor.token() for who, visitor in self.visitors.items()}
        weather.begin(self)
        for rule, method, who in product(rules(self.app), weather.methods, self.visitors):
            data: object = weather.body
            if data is None and method not in SAFE:
                data = {"csrf_token": tokens[who]}
            reply = self.ask(who, method, self.scene.of(rule), data)
            if who == EVERYBODY and method in (rule.methods or ()) and method != "OPTIONS":
                self.reached |= set() if reply.status_code in (403, 404) else {rule.endpoint}
            if not weather.begin.__name__.startswith("break") and self.rewind.is_changed:
                self.rewind.back()


def break_the_database(walk: Walk) -> None:
    """The file is there and is no database any more."""
    file = walk.town.house.settings.database
    file.write_bytes(b"not a database" * (file.stat().st_size // 14))


def break_the_code(walk: Walk) -> None:
    """Every view fails by a fault of ours."""
    walk.is_bewitched.append(True)


_WRITING = tuple(method for method in METHODS if method not in SAFE)

#: The last one leaves nothing to come back to.
WEATHERS = {
    "fair": Weather(None, METHODS if _IS_FULL else ("GET", "HEAD", "OPTIONS", "POST", "PATCH", "BREW")),
    "too much was sent": Weather(b"a=" + b"x" * 65_536, _WRITING if _IS_FULL else ("POST", "PUT")),
    "what was sent cannot be read": Weather(b"a=\xff", _WRITING if _IS_FULL else ("POST", "DELETE")),
    "a fault of ours": Weather(None, METHODS if _IS_FULL else ("GET", "POST", "BREW"), break_the_code),
    "the database is broken": Weather(None, METHODS if _IS_FULL else ("GET", "HEAD", "POST"), break_the_database),
}


@pytest.mark.parametrize("scheme", THERE)
def test_every_reply_of_every_address_carries_all_that_protects_it(
    scheme: str, house: House, town: Town, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    walk = _walk(scheme, house, town, tmp_path)
    _meet_with_refusals(walk)
    for name, weather in WEATHERS.items():
        if weather.begin is break_the_database:
            walk.is_bewitched.clear()
        with case(name):
            walk.go(weather)
        if name == "fair":
            lost = [rule.rule for rule in rules(walk.app) if rule.endpoint not in walk.reached]
            assert not lost, f"the walk reaches nothing at {lost}: say in tests/web/routes.py what is to stand there"
    assert set(walk.seen) >= STATUSES, f"never seen: {STATUSES - set(walk.seen)}"
    figure(
        f"{sum(walk.seen.values())} replies over {scheme}, from {len(list(rules(walk.app)))} addresses and of "
        f"{len(walk.seen)} statuses: every one with all its headers, no cookie for a participant"
    )


def _walk(scheme: str, house: House, town: Town, tmp_path: Path) -> Walk:
    """A stranger, somebody with every role and somebody with one, at an installation of their own."""
    settings = replace(house.settings, base_url=THERE[scheme])
    app = create_app(settings, replace(house, settings=settings))
    bewitched: list[bool] = []

    def fail() -> None:
        if bewitched:
            raise RuntimeError("nobody foresaw this")

    app.before_request(fail)
    whole = town.add_staff(EVERYBODY, town.municipality, *StaffRole)
    one = town.add_staff("ulla@mitthem.example", town.north, StaffRole.EVALUATOR)
    visitors = {"a stranger": Visitor(app.test_client(), THERE[scheme])}
    for address in (whole, one):
        visitors[address] = Visitor(app.test_client(), THERE[scheme]).enter(town, address)
    found = scene(app, town)
    rewind = Rewind(town, tmp_path / "keys")
    return Walk(app, town, scheme, found, visitors, rewind, bewitched)


def _meet_with_refusals(walk: Walk) -> None:
    """The pages that a walk with nothing in its hands does not meet: a used place, a revoked link, thanks."""
    used, revoked = used_and_revoked(walk.town, walk.scene.open)
    answers = {"say": "5", "submission": "a" * 32}
    assert walk.ask("a stranger", "POST", f"/{used}", answers).status_code == 200
    assert walk.ask("a stranger", "POST", f"/{used}", answers | {"submission": "b" * 32}).status_code == 409
    assert walk.ask("a stranger", "GET", f"/{revoked}").status_code == 410
    token = walk.visitors["a stranger"].token()
    wrong = {"csrf_token": token, "address": "x@mitthem.example", "password": "x", "key": "AAAAAAAAAA"}
    wrong |= {"receipt": "A" * 16}
    forget_failures(walk.app, lambda: 0.0)  # on a slow machine failures would be forgotten as fast as they come
    for method, path in (("GET", "/AAAAAAAAAA"), ("POST", "/"), ("POST", "/withdraw"), ("POST", "/staff/sign-in")):
        statuses = [walk.ask("a stranger", method, path, wrong, is_first=False).status_code for _try in range(70)]
        assert statuses[-1] == 429, f"{method} {path} may be tried for ever"
    for language in walk.town.house.languages.translators:
        assert walk.ask("a stranger", "GET", f"/privacy?lang={language}").status_code == 200
        assert walk.ask("a stranger", "GET", f"/nothing/here?lang={language}").status_code == 404
    walk.rewind.keep()


@pytest.mark.parametrize("path", ["/", "/privacy"])
def test_the_judge_misses_nothing(path: str, participant: InspectingClient) -> None:
    """The judge itself: it sees when any one header is gone, and when a word too much is said."""
    reply = participant.get(path)
    assert list(faults(reply, "http")) == []
    protecting = [
        "Content-Security-Policy",
        "X-Frame-Options",
        "X-Content-Type-Options",
        "Referrer-Policy",
        "Permissions-Policy",
        "Cross-Origin-Opener-Policy",
        "X-Robots-Tag",
        "Cache-Control",
    ]
    for name in protecting:
        kept = reply.headers.pop(name)
        assert list(faults(reply, "http")), name
        reply.headers[name] = kept
    policy = reply.headers["Content-Security-Policy"]
    for worse in (
        "script-src 'unsafe-inline' ",
        "script-src 'unsafe-eval' ",
        "script-src https: ",
        "script-src data: ",
    ):
        reply.headers["Content-Security-Policy"] = policy.replace("script-src ", worse)
        assert list(faults(reply, "http")), worse
    reply.headers["Content-Security-Policy"] = policy
    for cookie in ("enkat=x; HttpOnly; SameSite=Lax; Path=/", "other=x"):
        reply.headers["Set-Cookie"] = cookie
        assert list(faults(reply, "http")), cookie
    reply.headers.pop("Set-Cookie")
    assert list(faults(reply, "https")) == ["Strict-Transport-Security over https: None"]


# A broken database, in ways that no check foresees


def test_no_address_that_is_nearly_ours_leads_to_another_host(house: House, town: Town) -> None:
    """A slash too many, over TLS that ends at a proxy: a key is not sent on in the clear, nor to whatever host was
    asked for."""
    settings = replace(house.settings, base_url=THERE["https"])
    app = create_app(settings, replace(house, settings=settings))
    found, visitor = scene(app, town), Visitor(app.test_client(), "http://elsewhere.example")
    for rule, many in product(rules(app), ("//", "///", "/./", "/../")):
        path = found.of(rule)
        for nearly in (
            path.replace("/", many),
            path + many,
            path.replace("/", many, 1),
            many.join(path.rsplit("/", 1)),
        ):
            reply = visitor.open("GET", "/", environ_overrides={"PATH_INFO": nearly})
            location = reply.headers.get("Location", "/")
            assert re.match(r"/(?![/\\])", location) or location == "https://www.smhi.se/", f"{nearly} -> {location}"


def test_a_date_that_is_none_breaks_pages_in_silence(
    app: Flask,
    town: Town,
    coordinator: InspectingClient,
    participant: InspectingClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Real faults, not ours: what was restored wrongly, or changed by hand. The page says nothing of it."""
    found = scene(app, town)
    used, _revoked = used_and_revoked(town, found.open)
    town.db.execute("update meeting set closes = '2026-99-99'")
    seen = Counter[int]()
    for client, rule in product((coordinator, participant), rules(app)):
        for path in {found.of(rule), found.of(rule, key=used)}:
            reply = FlaskClient.open(client, path)
            judge(reply, "http", f"GET {path} with a date that is none")
            assert "2026-99-99" not in reply.text, path
            seen[reply.status_code] += 1
    assert seen[500] >= 8, seen
    assert used not in caplog.text
    assert found.values["key"] not in caplog.text


# What an id gives away


@dataclass(frozen=True)
class Ids:
    """What may stand in an argument that names something: another team's, nobody's, and what is no id at all."""

    own: str
    foreign: tuple[str, ...]

    @property
    def wrong(self) -> list[str]:
        """All of which are to look the same."""
        nobodys = "".join("0" if mark != "0" else "1" for mark in self.own)
        malformed = (
            "x",
            "0",
            "-1",
            "%00",
            "%27",
            "%27%20or%20%271%27%3D%271",
            "%2e%2e",
            "%F0%9F%A6%8A",
            "%ff",
            "a" * 500,
        )
        return [*self.foreign, nobodys, self.own[:-1], self.own + "0", self.own.upper() + "X", *malformed]


def test_what_is_anothers_looks_like_what_is_nobodys_and_like_what_is_nothing(
    app: Flask, town: Town, figure: Callable[[str], None]
) -> None:
    """To the byte, headers too: no id can be tried to learn whether it is somebody's."""
    own = scene(app, town)
    foreign = town.meeting(assignment=town.assignment("S-9", town.south))
    hidden = {"locked": "a" * 32, "gathering": "b" * 32}
    with write(town.db):
        for state, id_ in hidden.items():
            meeting = foreign.id if state == "locked" else None
            text = {"id": id_, "is_child": 0, "state": state, "meeting": meeting, "wording": "Bra"}
            insert(town.db, "free_text", text)
    theirs = {
        "text_id": tuple(hidden.values()),
        "meeting_id": (foreign.id,),
        "link_id": (town.personal(foreign, Role.FAMILY).id, town.rooms(foreign)[Role.FAMILY].id),
    }
    # the other kind of link leads nowhere either: a room's code is not replaced as a personal link
    visitor = Visitor(app.test_client()).enter(town, town.add_staff(EVERYBODY, town.north, *StaffRole))
    token = visitor.token()
    before = contents(town.db)
    asked = Counter[str]()
    for rule in rules(app):
        if not is_for_staff(rule.rule) or not rule.arguments:
            continue
        usual = _usual(rule, own)
        bare = own.of(rule, **dict.fromkeys(rule.arguments, "nonsense"))
        for method in METHODS:
            expected = _all_of(_sent(visitor, method, bare, token))
            is_of_ours = method in (rule.methods or ()) and method != "OPTIONS"
            assert expected[0] == 404 or not is_of_ours, f"{method} {bare} -> {expected[0]}"
            for values in _wrong_values(usual, theirs):
                path = own.of(rule, **values)
                found = _all_of(_sent(visitor, method, path, token))
                assert found == expected, f"{method} {path} is told from {bare}: {found[:2]}"
                asked[rule.rule] += 1
    assert contents(town.db) == before
    assert {"/staff/meetings/<meeting_id>", "/staff/people/<member_id>/password"} <= set(asked)
    figure(f"{sum(asked.values())} wrong ids at {len(asked)} addresses: every refusal the same to the byte")


def _usual(rule: Rule, own: Scene) -> dict[str, str]:
    """What leads to something of one's own."""
    known = dict(own.values) | ({"link_id": own.room} if "/room/" in rule.rule else {})
    own.of(rule)  # says so where an argument is new
    return {name: known[name] for name in sorted(rule.arguments)}


def _wrong_values(usual: dict[str, str], theirs: dict[str, tuple[str, ...]]) -> Iterator[dict[str, str]]:
    """One argument wrong and the others one's own; and all of them another team's."""
    for name, own in usual.items():
        for wrong in Ids(own, theirs.get(name, ())).wrong:
            yield usual | {name: wrong}
    foreign = {name: theirs[name] for name in usual if name in theirs}
    for values in product(*foreign.values()) if foreign else ():
        yield usual | dict(zip(foreign, values, strict=True))


def _sent(visitor: Visitor, method: str, path: str, token: str) -> TestResponse:
    data = None if method in SAFE else {"csrf_token": token, "for": "family:adult"}
    return visitor.open(method, path, data=data)


def _all_of(reply: TestResponse) -> tuple[int, list[tuple[str, str]], bytes]:
    """Everything of a reply but when it came."""
    return reply.status_code, [(name, value) for name, value in reply.headers if name != "Date"], reply.data


def test_a_form_tells_nothing_of_another_teams_unit_or_assignment(app: Flask, town: Town) -> None:
    """The same where an id is sent in a field or behind a question mark."""
    foreign = town.assignment("S-9", town.south)
    karin = town.add_staff("karin@mitthem.example", town.north, StaffRole.COORDINATOR)
    visitor = Visitor(app.test_client()).enter(town, karin)
    token = visitor.token()
    usual = {"csrf_token": token, "reference": "M-300", "source": "school", "kind": "sip", "held": "2026-11-20"}
    before = contents(town.db)
    pages = set()
    for unit in (town.south.id, town.municipality.id, *Ids(town.south.id, ()).wrong):
        reply = visitor.open("POST", "/staff/meetings/new", data=usual | {"unit": unit, "family": "1"})
        assert reply.status_code == 400, unit
        pages.add(_without_token(reply.text))
    assert len(pages) == 1
    pages = set()
    for assignment in Ids(foreign.id, (foreign.id,)).wrong:
        reply = visitor.open("GET", f"/staff/meetings/new?assignment={assignment}&role={assignment}")
        pages.add((reply.status_code, _without_token(reply.text)))
    assert len(pages) == 1
    assert contents(town.db) == before


def _without_token(page: str) -> str:
    return re.sub(r'(name="csrf_token"[^>]*value=")[^"]*', r"\1", page)
