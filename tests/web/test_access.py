"""Who may enter: every view by every method for everybody, against what is written here by hand."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urljoin, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlite_utils import Database
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from enkat import staffing
from enkat.app import create_app
from enkat.house import House
from enkat.model.staff import StaffRole
from enkat.model.survey import Role
from tests.conftest import Town, signed_in
from tests.inspection import InspectingClient, Page
from tests.web.hostile import contents, version

PUBLIC = None
STAFF = frozenset(StaffRole)
COORDINATORS = frozenset({StaffRole.COORDINATOR})
ADMINISTRATORS = frozenset({StaffRole.ADMINISTRATOR})
EVALUATORS = frozenset({StaffRole.EVALUATOR})
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE")


@dataclass(frozen=True)
class View:
    """What is expected of a view: who may enter, and what they get by GET, and by POST with nothing but a token."""

    who: frozenset[StaffRole] | None
    get: int | None = None
    post: int | None = None


#: Every view there is. A new one is added here by hand, or the walk fails and names it.
VIEWS = {
    "assets.asset": View(PUBLIC, get=200),
    "participant.start": View(PUBLIC, get=200, post=400),
    "participant.form": View(PUBLIC, get=200),
    "participant.send": View(PUBLIC, post=400),
    "participant.withdraw": View(PUBLIC, get=200, post=404),
    "participant.privacy": View(PUBLIC, get=200),
    "participant.accessibility": View(PUBLIC, get=200),
    "participant.leave": View(PUBLIC, get=303),
    "reports.report": View(PUBLIC, post=204),
    "staff.sign_in": View(PUBLIC, get=200, post=401),
    "staff.start": View(STAFF, get=200),
    "staff.account": View(STAFF, get=200, post=400),
    "staff.languages": View(STAFF, get=200),
    "staff.language": View(STAFF, post=303),
    "staff.sign_out_elsewhere": View(STAFF, post=303),
    "staff.sign_out": View(STAFF, post=303),
    "coordinator.new": View(COORDINATORS, get=200, post=400),
    "coordinator.meeting": View(COORDINATORS, get=200),
    "coordinator.progress": View(COORDINATORS, get=200),
    "coordinator.room": View(COORDINATORS, get=200),
    "coordinator.replace_room": View(COORDINATORS, post=303),
    "coordinator.links": View(COORDINATORS, get=200, post=400),
    "coordinator.replace": View(COORDINATORS, post=303),
    "coordinator.revoke": View(COORDINATORS, post=303),
    "coordinator.send": View(COORDINATORS, post=400),
    "coordinator.send_again": View(COORDINATORS, post=303),
    "coordinator.send_list": View(COORDINATORS, get=200, post=400),
    "coordinator.reminder": View(COORDINATORS, post=303),
    "coordinator.slips": View(COORDINATORS, get=200),
    "coordinator.paper": View(COORDINATORS, get=200),
    "coordinator.announcement": View(COORDINATORS, get=200),
    "coordinator.places": View(COORDINATORS, get=200, post=400),
    "coordinator.close": View(COORDINATORS, get=200, post=303),
    "administrator.people": View(ADMINISTRATORS, get=200),
    "administrator.sending": View(ADMINISTRATORS, get=200),
    "administrator.add": View(ADMINISTRATORS, post=400),
    "administrator.add_unit": View(ADMINISTRATORS, post=400),
    "administrator.give_password": View(ADMINISTRATORS, post=200),
    "administrator.enable": View(ADMINISTRATORS, post=303),
    "texts.desk": View(EVALUATORS, get=200),
    "texts.clear": View(EVALUATORS, post=404),
    "texts.withhold": View(EVALUATORS, post=404),
    "results.quarters": View(STAFF, get=200),
    "results.texts": View(STAFF, get=200),
    "results.months": View(STAFF, get=200),
    "results.years": View(STAFF, get=200),
    "results.file": View(STAFF, get=200),
}

#: Who may enter, by blueprint; the sign-in is the one door that stands open among the staff's pages.
BLUEPRINTS = {
    "assets": PUBLIC,
    "participant": PUBLIC,
    "reports": PUBLIC,
    "staff": STAFF,
    "coordinator": COORDINATORS,
    "administrator": ADMINISTRATORS,
    "texts": EVALUATORS,
    "results": STAFF,
}


def undeclared(app: Flask) -> list[str]:
    """The views that do not say who may enter, or say something else than is expected of them here."""
    faults = []
    for endpoint, view in app.view_functions.items():
        access = getattr(view, "access", None)
        if access is None:
            faults.append(f"{endpoint} does not say who may enter")
        elif endpoint not in VIEWS:
            faults.append(f"{endpoint} is not in the table of this test")
        elif (PUBLIC if access.public else access.roles) != VIEWS[endpoint].who:
            faults.append(f"{endpoint} lets in others than expected")
    return faults + [f"{endpoint} is gone" for endpoint in VIEWS if endpoint not in app.view_functions]


def test_every_view_says_who_may_enter(app: Flask) -> None:
    assert undeclared(app) == []
    for endpoint, view in VIEWS.items():
        expected = PUBLIC if endpoint == "staff.sign_in" else BLUEPRINTS[endpoint.partition(".")[0]]
        assert view.who == expected, endpoint


@pytest.mark.parametrize("path", ["/staff/forgotten", "/forgotten"])
def test_a_view_that_says_nothing_is_closed_to_everybody(path: str, house: House, town: Town) -> None:
    app = create_app(house.settings, house)
    app.test_client_class = InspectingClient
    app.add_url_rule(path, "forgotten", lambda: "a secret", methods=["GET", "POST"])
    assert undeclared(app) == ["forgotten does not say who may enter"]
    everything = signed_in(app, town, town.add_staff("alla@mitthem.example", town.municipality, *StaffRole))
    for client in (app.test_client(), everything):
        for method in ("GET", "HEAD", "OPTIONS"):
            reply = ask(client, method, path)
            assert reply.status_code == 403, method
            assert "a secret" not in reply.text
    posted = FlaskClient.open(everything, path, method="POST", data={"csrf_token": token(everything)})
    assert posted.status_code == 403


# The walk


@dataclass
class Walker:
    """Somebody who tries every door."""

    client: FlaskClient
    roles: frozenset[StaffRole] = frozenset()
    #: Whether the walked meeting is of their unit or below it.
    is_ours: bool = True

    @property
    def is_signed_in(self) -> bool:
        return bool(self.roles)


def _stranger(app: Flask, town: Town) -> Walker:
    return Walker(app.test_client())


def _with_roles(unit: str, *roles: StaffRole) -> Callable[[Flask, Town], Walker]:
    def arrive(app: Flask, town: Town) -> Walker:
        client = signed_in(app, town, town.add_staff("nagon@mitthem.example", getattr(town, unit), *roles))
        return Walker(client, frozenset(roles), is_ours=unit != "south")

    return arrive


def _expelled(expel: Callable[[Town, str], None]) -> Callable[[Flask, Town], Walker]:
    """Somebody who was signed in with every role, and is so no longer."""

    def arrive(app: Flask, town: Town) -> Walker:
        client = signed_in(app, town, town.add_staff("borta@mitthem.example", town.municipality, *StaffRole))
        assert client.get("/staff").status_code == 200
        with client.session_transaction() as session:
            secret = session["sid"]
        expel(town, secret)
        return Walker(client)

    return arrive


def _disable(town: Town, _secret: str) -> None:
    """Switched off, with the session still in the database."""
    town.db.execute("update staff set enabled = 0 where address = 'borta@mitthem.example'")


def _age(idle: timedelta, since: timedelta) -> Callable[[Town, str], None]:
    def expel(town: Town, _secret: str) -> None:
        now = datetime.now(UTC)
        moments = {"seen": (now - idle).isoformat(), "started": (now - since).isoformat()}
        town.db.execute("update staff_session set seen = :seen, started = :started", moments)

    return expel


PEOPLE: dict[str, Callable[[Flask, Town], Walker]] = {
    "a stranger": _stranger,
    "a coordinator of the team": _with_roles("north", StaffRole.COORDINATOR),
    "a coordinator of another team": _with_roles("south", StaffRole.COORDINATOR),
    "a coordinator of the whole municipality": _with_roles("municipality", StaffRole.COORDINATOR),
    "an evaluator": _with_roles("municipality", StaffRole.EVALUATOR),
    "an administrator": _with_roles("municipality", StaffRole.ADMINISTRATOR),
    "a coordinator who is an administrator too": _with_roles("north", StaffRole.COORDINATOR, StaffRole.ADMINISTRATOR),
    "an evaluator who is an administrator too": _with_roles(
        "municipality", StaffRole.EVALUATOR, StaffRole.ADMINISTRATOR
    ),
    "somebody disabled, by an old session": _expelled(_disable),
    "somebody signed out, by the old cookie": _expelled(lambda town, secret: staffing.sign_out(town.db, secret)),
    "somebody away for over an hour": _expelled(_age(timedelta(minutes=61), timedelta(minutes=70))),
    "somebody signed in since yesterday": _expelled(_age(timedelta(0), timedelta(hours=12, minutes=1))),
}


@pytest.mark.parametrize("who", PEOPLE)
def test_every_door_opens_for_those_whom_it_is_for_and_for_nobody_else(who: str, app: Flask, town: Town) -> None:
    walker = PEOPLE[who](app, town)
    somebody, _password = staffing.add_staff(
        town.db, "annan@mitthem.example", "Annan", [StaffRole.EVALUATOR], town.south.id
    )
    assignment = town.assignment()
    meeting = town.meeting(assignment=assignment)
    personal = town.personal(meeting, Role.PROFESSIONAL)
    walked = set()
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.endpoint == "staff.sign_out", str(rule))):
        for method in METHODS:
            path = _path(app, rule.rule, meeting.id, personal, town, somebody.id)
            endpoint = _endpoint(app, path, method)
            walked.add(endpoint)
            sent = token(walker.client) if method == "POST" else None
            before = version(town.db)
            reply = ask(walker.client, method, path, token=sent)
            where = f"{who}: {method} {path} ({endpoint}) -> {reply.status_code}"
            is_let_in = _judge(walker, endpoint, method, reply, where) == "let in"
            if is_let_in and method == "POST" and "meeting_id" in rule.rule:  # the next door needs an untouched one
                meeting = town.meeting(assignment=assignment)
                personal = town.personal(meeting, Role.PROFESSIONAL)
            elif not (is_let_in and method == "POST"):
                assert version(town.db) == before, f"{where}, but something was written"
    assert walked == {*VIEWS, None}


def _judge(walker: Walker, endpoint: str | None, method: str, reply: TestResponse, where: str) -> str:
    """What came of it: `405`, `sign in`, `403`, `404` or `let in`; and that it is what was to come."""
    if endpoint is None:
        assert reply.status_code == 405, where
        assert "Allow" in reply.headers
        return "405"
    view = VIEWS[endpoint]
    if view.who is not None and not walker.is_signed_in:
        assert reply.status_code == 303, where
        assert urlsplit(reply.headers["Location"]).path == "/staff/sign-in", where
        return "sign in"
    if view.who is not None and not walker.roles & view.who:
        assert reply.status_code == 403, where
        return "403"
    if "meeting" in reply.request.path and endpoint != "coordinator.new" and not walker.is_ours and method != "OPTIONS":
        assert reply.status_code == 404, where
        return "404"
    expected = view.post if method == "POST" else view.get
    if endpoint == "participant.send" and len(reply.request.path) != len("/AAAAABBBBB"):
        expected = 404  # another page's address, posted to, is taken for a key that does not exist
    if method in ("GET", "POST"):
        assert reply.status_code == expected, f"{where}, not {expected}"
    assert not reply.headers.get("Location", "").startswith("/staff/sign-in") or endpoint == "staff.sign_out", where
    assert reply.status_code not in (401, 403) or endpoint == "staff.sign_in", where
    return "let in"


def _path(app: Flask, rule: str, meeting: str, personal: object, town: Town, somebody: str) -> str:
    """An address of the rule that leads to something of the northern team's."""
    room = town.db.execute(
        "select id from link where meeting = ? and invitation is null and role = 'family'", [meeting]
    ).fetchone()[0]
    with app.app_context():
        version = app.jinja_env.globals["asset"]("staff.css").split("/")[2]  # type: ignore[operator]
    values = {
        "meeting_id": meeting,
        "member_id": somebody,
        "key": personal.key,  # type: ignore[attr-defined]
        "link_id": room if "room" in rule else personal.id,  # type: ignore[attr-defined]
        "role": "family",
        "state": "enable",
        "text_id": "f" * 32,
        "message": "f" * 32,
        "mark": "f" * 32,
        "version": version,
        "name": "staff.css",
    }
    for name, value in values.items():
        rule = re.sub(rf"<(?:[^<>]+:)?{name}>", str(value), rule)
    assert "<" not in rule, f"{rule}: what is to stand there?"
    return rule


def _endpoint(app: Flask, path: str, method: str) -> str | None:
    """The view that an address leads to by a method; None where the method is not one of its own."""
    try:
        return str(app.url_map.bind("localhost").match(path, method)[0])
    except HTTPException:
        return None


def ask(client: FlaskClient, method: str, path: str, *, token: str | None = None) -> TestResponse:
    """Any method; what has no body is not inspected as a page."""
    data = {"csrf_token": token} if token else None
    if method in ("GET", "POST"):
        return client.open(path, method=method, data=data)
    return FlaskClient.open(client, path, method=method)


def token(client: FlaskClient) -> str:
    """A token for the client's forms, from a page that it may see."""
    for page in ("/staff/account", "/staff/sign-in"):
        reply = client.get(page)
        if reply.status_code == 200:
            return Page(reply.text).form_values()["csrf_token"]
    raise AssertionError("no page with a form")


# Foreign units


def test_a_meeting_of_another_team_looks_like_one_that_does_not_exist(
    app: Flask, town: Town, coordinator: InspectingClient
) -> None:
    foreign = town.meeting(assignment=town.assignment("S-9", town.south))
    personal = town.personal(foreign, Role.FAMILY)
    room = town.db.execute("select id from link where invitation is null and meeting = ?", [foreign.id]).fetchone()[0]
    unknown, no_link = "0" * len(foreign.id), "1" * len(room)
    before = contents(town.db)
    asked = 0
    for rule in app.url_map.iter_rules():
        if "<meeting_id>" not in rule.rule:
            continue
        for method in sorted(rule.methods & {"GET", "HEAD", "POST"}):  # type: ignore[operator]
            link = room if "room" in rule.rule else personal.id
            theirs = rule.rule.replace("<meeting_id>", foreign.id).replace("<link_id>", link)
            nobodys = rule.rule.replace("<meeting_id>", unknown).replace("<link_id>", no_link)
            replies = [
                ask(coordinator, method, path.replace("<role>", "family"), token=token(coordinator))
                for path in (theirs, nobodys)
            ]
            assert [reply.status_code for reply in replies] == [404, 404], f"{method} {rule}"
            bodies = [
                reply.text.replace(foreign.id, "ID").replace(unknown, "ID").replace(link, "L").replace(no_link, "L")
                for reply in replies
            ]
            assert bodies[0] == bodies[1], f"{method} {rule}"
            assert dict(replies[0].headers) == dict(replies[1].headers)
            assert "S-9" not in bodies[0]
            asked += 1
    assert asked >= 12
    assert contents(town.db) == before


def test_a_link_of_another_meeting_cannot_be_reached_through_ones_own(
    town: Town, coordinator: InspectingClient
) -> None:
    own = town.meeting()
    foreign = town.meeting(assignment=town.assignment("S-9", town.south))
    personal = town.personal(foreign, Role.FAMILY)
    before = contents(town.db)
    for act in ("replace", "revoke"):
        reply = coordinator.post(
            f"/staff/meetings/{own.id}/links/{personal.id}/{act}", data={"csrf_token": token(coordinator)}
        )
        assert reply.status_code == 404
    assert contents(town.db) == before


# The token


def test_nothing_is_done_without_the_pages_own_token(app: Flask, town: Town) -> None:
    """For everybody, strangers included; another session's token is as good as none."""
    everything = signed_in(app, town, town.add_staff("alla@mitthem.example", town.municipality, *StaffRole))
    other = signed_in(app, town, town.add_staff("annan@mitthem.example", town.municipality, *StaffRole))
    somebody, _password = staffing.add_staff(
        town.db, "kim@mitthem.example", "Kim", [StaffRole.EVALUATOR], town.south.id
    )
    meeting = town.meeting()
    personal = town.personal(meeting, Role.PROFESSIONAL)
    before = contents(town.db)
    tokens = {"none": None, "empty": "", "made up": "zq.zq.zq", "another's": token(other), "nul": "\0"}
    posted = set()
    for rule in app.url_map.iter_rules():
        if "POST" not in (rule.methods or ()) or not rule.rule.startswith("/staff"):
            continue
        path = _path(app, rule.rule, meeting.id, personal, town, somebody.id)
        for client in (everything, app.test_client()):
            for name, sent in tokens.items():
                reply = client.post(path, data={} if sent is None else {"csrf_token": sent})
                # A stranger is sent to the sign-in first; its form asks for a token like any other.
                is_asked_to_sign_in = client is not everything and path != "/staff/sign-in"
                assert reply.status_code == (303 if is_asked_to_sign_in else 400), f"{path} with the token {name}"
                if is_asked_to_sign_in:
                    assert reply.location.startswith("/staff/sign-in")
        posted.add(rule.endpoint)
    assert posted == {name for name, view in VIEWS.items() if view.post and name.partition(".")[0] in _STAFF_ROOMS}
    assert contents(town.db) == before
    assert everything.get("/staff").status_code == 200


_STAFF_ROOMS = {"staff", "coordinator", "administrator", "texts"}


# The participants' pages and cookies


def test_a_participants_page_neither_sets_a_cookie_nor_looks_at_one(
    app: Flask, town: Town, coordinator: InspectingClient, participant: InspectingClient
) -> None:
    """A colleague who is signed in, with the staff pages in English, gets the page that everybody gets."""
    coordinator.press("/staff/account", "/staff/account/language", language="en")
    assert 'lang="en"' in coordinator.get("/staff").text
    family = town.rooms(town.meeting())[Role.FAMILY].key
    for method, path in [
        ("GET", "/"),
        ("POST", "/"),
        ("GET", f"/{family}?lang=sv"),
        ("POST", f"/{family}"),
        ("GET", "/AAAAAAAAAA"),
        ("GET", "/staff01234"),  # a key may begin like this
        ("GET", "/withdraw"),
        ("POST", "/withdraw"),
        ("GET", "/privacy"),
        ("GET", "/leave"),
        ("GET", "/no/such/page"),
        ("DELETE", "/privacy"),
    ]:
        with_cookie = coordinator.open(path, method=method)
        without = participant.open(path, method=method)
        for reply in (with_cookie, without):
            assert "Set-Cookie" not in reply.headers, f"{method} {path}"
            assert "Cookie" not in reply.headers.get("Vary", ""), f"{method} {path} has read the session"
        assert without_id(with_cookie.text) == without_id(without.text), f"{method} {path}"


def without_id(page: str) -> str:
    """A form's page without its random id."""
    for attrs in Page(page).all("input"):
        if attrs.get("name") == "submission":
            page = page.replace(attrs["value"], "ID")
    return page


# The way back after signing in

BACK = [
    ("/staff/account", "/staff/account"),
    ("/staff/meetings/new?assignment=x&y=%20", "/staff/meetings/new?assignment=x&y=%20"),
    ("/results", "/results"),
    ("/results?all=1", "/results?all=1"),
    ("/results/years?year=2025", "/results/years?year=2025"),
    ("/results.csv", "/results.csv"),
    ("/results.evil.example", "/staff"),
    ("/results//evil.example", "/staff"),
    ("/results@evil.example", "/staff"),
    ("", "/staff"),
    ("https://evil.example/staff", "/staff"),
    ("//evil.example/staff", "/staff"),
    ("/\\evil.example/staff", "/staff"),
    ("/staff//evil.example", "/staff"),
    ("/staff\\..\\..\\evil.example", "/staff"),
    ("/staff\r\nSet-Cookie: x=1", "/staff"),
    ("/staff\t//evil.example", "/staff"),
    ("javascript:alert(1)//staff", "/staff"),
    ("/staff/https://evil.example", "/staff"),
]


def test_signing_in_leads_back_to_where_one_was_going_and_never_off_the_host(app: Flask, town: Town) -> None:
    address = town.add_staff("karin@mitthem.example", town.north, StaffRole.COORDINATOR)
    for back, expected in BACK:
        client = app.test_client()
        sent = Page(client.get("/staff/sign-in", query_string={"back": back}).text)
        action = sent.all("form")[0]["action"]
        fields = sent.form_values() | {"address": address, "password": town.passwords[address]}
        reply = client.post(action, data=fields)
        assert reply.status_code == 303, repr(back)
        location = reply.headers["Location"]
        assert location == expected, repr(back)
        assert urlsplit(urljoin("http://127.0.0.1:8000/staff/sign-in", location)).netloc == "127.0.0.1:8000"
        assert "X" not in reply.headers
        assert client.get("/staff").status_code == 200


@pytest.mark.parametrize("back", ["/staff@evil.example", "/staff/../..", "/staff\0?x=\ud800"])
def test_odd_ways_back_stay_on_the_host(back: str, app: Flask, town: Town) -> None:
    address = town.add_staff("karin@mitthem.example", town.north, StaffRole.COORDINATOR)
    client = app.test_client()
    form = Page(client.get("/staff/sign-in").text).form_values()
    query = back.encode("utf-8", "surrogatepass").decode("latin-1")
    reply = client.post(
        "/staff/sign-in?back=" + quote(query.encode("latin-1")),
        data=form | {"address": address, "password": town.passwords[address]},
    )
    assert reply.status_code == 303
    assert urlsplit(urljoin("http://127.0.0.1:8000/staff/sign-in", reply.headers["Location"])).netloc == (
        "127.0.0.1:8000"
    )
    assert reply.headers["Location"].startswith("/staff")


def test_a_stranger_is_led_back_to_the_page_asked_for(app: Flask, town: Town, stranger: InspectingClient) -> None:
    meeting = town.meeting()
    address = town.add_staff("karin@mitthem.example", town.north, StaffRole.COORDINATOR)
    wanted = f"/staff/meetings/{meeting.id}/links?x=1"
    asked = stranger.get(wanted)
    assert asked.status_code == 303
    page = Page(stranger.get(asked.headers["Location"]).text)
    fields = page.form_values() | {"address": address, "password": town.passwords[address]}
    assert stranger.post(page.all("form")[0]["action"], data=fields).headers["Location"] == wanted


@pytest.mark.parametrize("wanted", ["/results", "/results/months?all=1", "/results/years?year=2025", "/results.csv"])
def test_a_stranger_who_asks_for_results_signs_in_first_and_gets_them(
    wanted: str, town: Town, stranger: InspectingClient
) -> None:
    address = town.add_staff("ulla@mitthem.example", town.north, StaffRole.EVALUATOR)
    asked = stranger.get(wanted)
    assert asked.status_code == 303
    page = Page(stranger.get(asked.headers["Location"]).text)
    fields = page.form_values() | {"address": address, "password": town.passwords[address]}
    let_in = stranger.post(page.all("form")[0]["action"], data=fields)
    assert let_in.headers["Location"] == wanted
    assert stranger.get(wanted).status_code == 200


def test_what_a_page_fetches_by_itself_is_no_use_and_leads_nowhere_back(
    app: Flask, town: Town, coordinator: InspectingClient, stranger: InspectingClient, db: Database
) -> None:
    """A phone left on the table is not kept signed in by the ring that fetches itself."""
    meeting = town.meeting()
    long_ago = (datetime.now(UTC) - timedelta(minutes=30)).isoformat()
    db.execute("update staff_session set seen = :then, started = :then", {"then": long_ago})
    assert coordinator.get(f"/staff/meetings/{meeting.id}/progress").status_code == 200
    assert db.execute("select seen from staff_session").fetchone()[0] == long_ago
    assert coordinator.get(f"/staff/meetings/{meeting.id}").status_code == 200
    assert db.execute("select seen from staff_session").fetchone()[0] > long_ago
    assert stranger.get(f"/staff/meetings/{meeting.id}/progress").headers["Location"] == "/staff/sign-in"
