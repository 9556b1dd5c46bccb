"""The canary attack: a string that stands nowhere else for every key, receipt, number, address, text and password of
everybody, through everything that people, staff, commands and the background work can do, with everything going wrong
in between. Afterwards nobody has been told what is another's, no log has it, and no file but where the design says.

`make test` lets out a hundred; with ENKAT_ATTACK=full there are a thousand. `tests/journeys/test_canaries.py` does it
to a real server.
"""

import base64
import io
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from ipaddress import ip_network
from itertools import count
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import enkat
from enkat import clearing, cli, inviting, staffing
from enkat.app import create_app
from enkat.house import House
from enkat.inviting import contacting
from enkat.model.meeting import Channel, Meeting, OpenedLink
from enkat.model.staff import StaffRole
from enkat.model.survey import Role
from enkat.model.text import BATCH, TextState
from enkat.secrecy.guessing import LIMITS, Guess
from enkat.settings import Settings
from enkat.storage import meetings, texts
from enkat.storage.engine import rows, run, write
from tests.canaries import Aviary, Ears, Kind, files, phone_forms
from tests.conftest import TODAY, Town
from tests.inspection import Page
from tests.web.routes import forget_failures

_IS_FULL = os.environ.get("ENKAT_ATTACK") == "full"

#: Meetings of seven people each, who have eight canaries each.
_MEETINGS = 12 if _IS_FULL else 2

_IN_A_MEETING = {Role.FAMILY: 4, Role.PROFESSIONAL: 2, Role.CHILD: 1}

LATER = date(2027, 1, 2)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Behind a proxy whose word is taken, so that everybody's address is known for as long as a request lasts."""
    proxy = (ip_network("127.0.0.1"),)
    return Settings(instance=tmp_path / "instance", base_url="http://127.0.0.1:8000", fixed_today=TODAY, proxy=proxy)


@pytest.fixture
def app(house: House) -> Flask:
    """The application with nobody who inspects its pages: there are too many."""
    return create_app(house.settings, house)


@dataclass
class Somebody:
    """A participant, or somebody of the staff, with a browser; everything they are told is kept."""

    name: str
    client: FlaskClient
    ears: Ears
    address: str
    agent: str

    def ask(self, flow: str, path: str, method: str = "GET", **fields: str) -> TestResponse:
        """One request, through the proxy."""
        reply = self.client.open(
            path,
            method=method,
            data=fields or None,
            headers={"User-Agent": self.agent, "X-Forwarded-For": self.address},
            environ_overrides={"REMOTE_ADDR": "127.0.0.1"},
        )
        self.ears.hear(self.name, f"{flow} ({reply.status_code})", str(reply.headers).encode() + reply.data)
        return reply

    def press(self, flow: str, page: str, path: str, **fields: str) -> TestResponse:
        """Send a form of a page."""
        hidden = Page(self.client.get(page).text).form_values()
        return self.ask(flow, path, "POST", **hidden | fields)


@dataclass
class Person(Somebody):
    """A participant with a link, what they want to say, and what somebody has noted of them."""

    key: str
    text: str
    phone: str
    email: str
    form: dict[str, str] = field(default_factory=dict)
    receipt: str = ""

    @property
    def words(self) -> str:
        """What they write: with a number and an address in it, which are to be taken out."""
        return f"{self.text}. Ring {phone_forms(self.phone)[0]}, {phone_forms(self.phone)[4]} eller {self.email}!"


@dataclass
class Story:
    """A municipality in which everything happens once or often."""

    town: Town
    app: Flask
    aviary: Aviary
    ears: Ears
    people: dict[str, list[Person]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    def somebody(self, name: str, *, has_cookies: bool = True) -> Somebody:
        """Somebody with an address and a browser of their own."""
        return Somebody(name, *self._browser(has_cookies=has_cookies))

    def person(self, link: OpenedLink) -> Person:
        """A participant with a personal link."""
        name = f"person {next(self.numbers)}"
        known = [self.aviary.make(kind, name) for kind in (Kind.TEXT, Kind.PHONE, Kind.EMAIL)]
        key = self.aviary.release(Kind.KEY, link.key, name, "karin", "terminal")
        return Person(name, *self._browser(has_cookies=False), key, *known)

    def _browser(self, *, has_cookies: bool) -> tuple[FlaskClient, Ears, str, str]:
        client = self.app.test_client(use_cookies=has_cookies)
        return client, self.ears, self.aviary.make(Kind.ADDRESS), self.aviary.make(Kind.AGENT)

    def everybody(self) -> list[Person]:
        """All participants."""
        return [person for people in self.people.values() for person in people]

    def sign_in(self, somebody: Somebody, address: str, password: str) -> None:
        """Sign in, after some wrong passwords. The cookie and what is inside it are canaries from then on."""
        for wrong in (self.aviary.make(Kind.WRONG_PASSWORD), password + "!"):
            wrong = self.aviary.release(Kind.WRONG_PASSWORD, wrong)
            reply = somebody.press(
                "a wrong password", "/staff/sign-in", "/staff/sign-in", address=address, password=wrong
            )
            assert reply.status_code == 401
        unknown = self.aviary.make(Kind.WRONG_PASSWORD)
        somebody.press(
            "an unknown address", "/staff/sign-in", "/staff/sign-in", address="x@y.example", password=unknown
        )
        form = Page(somebody.client.get("/staff/sign-in").text).form_values()
        somebody.client.post("/staff/sign-in", data=form | {"address": address, "password": password})
        self._keep_session(somebody)
        assert somebody.ask("a start page", "/staff").status_code == 200

    def _keep_session(self, somebody: Somebody) -> None:
        cookie = somebody.client.get_cookie("enkat")
        assert cookie is not None
        self.aviary.release(Kind.SESSION, cookie.value, somebody.name)
        with somebody.client.session_transaction() as session:
            self.aviary.release(Kind.SESSION, session["sid"], somebody.name)


@pytest.fixture
def aviary() -> Aviary:
    return Aviary()


@pytest.fixture
def story(town: Town, app: Flask, aviary: Aviary) -> Story:
    return Story(town, app, aviary, Ears(aviary))


def command(
    story: Story, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], *arguments: str, given: str = ""
) -> str:
    """A command, in this process. What it prints on standard output is told to whoever is at the terminal; on standard
    error it has nothing to tell."""
    capfd.readouterr()
    monkeypatch.setattr(sys, "stdin", io.StringIO(given))
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    told = capfd.readouterr()
    assert end.value.code in (None, 0), (arguments, end.value.code, told.err)
    assert not story.aviary.singing(told.err.encode())
    story.ears.hear("terminal", f"enkat {arguments[0]}", told.out.encode())
    return told.out


def process(story: Story, *arguments: str, today: date = TODAY, given: str = "") -> str:
    """A command, in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ENKAT_")}
    chosen = {"ENKAT_INSTANCE": str(story.town.house.settings.instance), "ENKAT_TODAY": today.isoformat()}
    done = subprocess.run(
        [sys.executable, "-m", "enkat", *arguments],
        input=given.encode(),
        capture_output=True,
        cwd=Path(enkat.__file__).parents[1],
        env=kept | chosen,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert not story.aviary.singing(done.stderr)
    story.ears.hear("terminal", f"enkat {arguments[0]} by itself", done.stdout)
    return done.stdout.decode()


# The days of the story


def staff_is_added(story: Story, run_here: Callable[..., str]) -> dict[str, Somebody]:
    """One password is read from standard input, one is printed by a command, one is shown on a page, one is changed."""
    aviary, signed = story.aviary, {}
    password = aviary.make(Kind.PASSWORD)
    add = ("staff", "add", "--unit", "Mitthem", "--name")
    process(story, *add, "Karin", "karin@mitthem.example", "--role", "coordinator", "--password-stdin", given=password)
    signed["karin"] = story.somebody("karin")
    story.sign_in(signed["karin"], "karin@mitthem.example", password)
    told = run_here(*add, "Anders", "anders@mitthem.example", "--role", "administrator", "--json")
    password = aviary.release(Kind.PASSWORD, json.loads(told)["password"], "terminal")
    signed["anders"] = story.somebody("anders")
    story.sign_in(signed["anders"], "anders@mitthem.example", password)
    evaluator, password = staffing.add_staff(
        story.town.db, "ulla@mitthem.example", "Ulla", [StaffRole.EVALUATOR], story.town.municipality.id
    )
    aviary.release(Kind.PASSWORD, password, "ulla")
    people = "/staff/people"
    page = signed["anders"].press("a password given", people, f"{people}/{evaluator.id}/password").text
    given = re.findall(r'class="code[^"]*"[^>]*>([^<]+)<', page)
    assert given, "the page shows the password"
    password = aviary.release(Kind.PASSWORD, given[0].strip(), "anders", "ulla")
    signed["ulla"] = story.somebody("ulla")
    story.sign_in(signed["ulla"], "ulla@mitthem.example", password)
    new = aviary.make(Kind.PASSWORD)
    reply = signed["ulla"].press("a password changed", "/staff/account", "/staff/account", old=password, new=new)
    assert reply.status_code == 303
    wrong = aviary.make(Kind.WRONG_PASSWORD)
    signed["ulla"].press("a password not changed", "/staff/account", "/staff/account", old=wrong, new=new)
    return signed


def meetings_are_held(story: Story, run_here: Callable[..., str]) -> list[Meeting]:
    """One is started by commands, the others as from the page."""
    town = story.town
    run_here("assignment", "add", "REF-0", "--unit", "Norr", "--source", "school")
    sizes = [f"--{role}={people + 2}" for role, people in _IN_A_MEETING.items()]
    told = run_here("meeting", "add", "REF-0", "--kind", "network_meeting", "--date", str(TODAY), *sizes, "--json")
    for room in json.loads(told)["rooms"]:
        story.aviary.release(Kind.KEY, room["link"].rpartition("/")[2], "karin", "terminal")
    first = json.loads(told)["meeting"]
    made = run_here("invite", first, "--role", "family", "--json")
    [invited] = json.loads(made)["invitations"]
    story.aviary.release(Kind.KEY, invited["link"].rpartition("/")[2], "karin", "terminal")
    places = {role: people + 2 for role, people in _IN_A_MEETING.items()}
    held = [meetings.find_meeting(town.db, first)]
    held += [town.meeting(places, town.assignment(f"REF-{n}")) for n in range(1, _MEETINGS)]
    for meeting in held:
        story.people[meeting.id] = [
            story.person(town.personal(meeting, role))
            for role, people in _IN_A_MEETING.items()
            for _one in range(people)
        ]
        for room in town.rooms(meeting).values():
            story.aviary.release(Kind.KEY, room.key, "karin", "terminal")
        _remember(story, meeting)
    return held


def _remember(story: Story, meeting: Meeting) -> None:
    """Everybody's number and address is noted at their link, twice."""
    town = story.town
    links = {link.key: link.id for link in inviting.links(town.db, town.house.keys, meeting.id)}
    noted = [
        contacting.Address(links[person.key], channel, address)
        for person in story.people[meeting.id]
        for channel, address in ((Channel.SMS, person.phone), (Channel.EMAIL, person.email))
    ]
    for _time in range(2):
        contacting.remember(town.db, town.house.keys, meeting.id, noted)
    assert len(contacting.addresses(town.db, town.house.keys, meeting.id)) == len(noted)


def links_are_handed_out(story: Story, karin: Somebody, held: list[Meeting]) -> None:
    """Looked at, printed, replaced, revoked."""
    town = story.town
    for meeting in held:
        path = f"/staff/meetings/{meeting.id}"
        for page in ("", "/links", "/slips", "/places", "/close", "/progress", "/room/family"):
            assert karin.ask(f"the coordinator's page {page}", path + page).status_code == 200
        reply = karin.press("a link made", f"{path}/links", f"{path}/links", **{"for": "family:adult"})
        assert reply.status_code == 303
        links = {link.key: link.id for link in inviting.links(town.db, town.house.keys, meeting.id)}
        for key in links:
            story.aviary.release(Kind.KEY, key, "karin", "terminal")
        spare = [key for key in links if key not in {p.key for p in story.everybody()}]
        changing, going = story.people[meeting.id][0], town.personal(meeting, Role.FAMILY)
        reply = karin.press("a link replaced", f"{path}/links", f"{path}/links/{links[changing.key]}/replace")
        assert reply.status_code == 303
        assert changing.ask("a replaced link", f"/{changing.key}").status_code == 410
        changing.ask("an answer through a replaced link", f"/{changing.key}", "POST", submission="a" * 32, say="4")
        [new] = {one.key for one in inviting.links(town.db, town.house.keys, meeting.id)} - {*links, going.key}
        changing.key = story.aviary.release(Kind.KEY, new, changing.name, "karin", "terminal")
        story.aviary.release(Kind.KEY, going.key, "karin", "terminal", "guest")
        assert karin.press("a link revoked", f"{path}/links", f"{path}/links/{going.id}/revoke").status_code == 303
        guest = story.somebody("guest", has_cookies=False)
        assert guest.ask("a revoked link", f"/{going.key}").status_code == 410
        assert spare


def everybody_answers(story: Story) -> None:
    """Everybody answers; each in their own way, and with something of their own going wrong."""
    for number, person in enumerate(story.everybody()):
        opens(story, person)
        for happens in (_MISHAPS[number % len(_MISHAPS)], _MISHAPS[(number + len(_MISHAPS) // 2) % len(_MISHAPS)]):
            happens(story, person)
        sends(story, person, "an answer")
        sends(story, person, "the same answer again")
        edited = person.form | {"say": "1", "words": person.words + " Och en sak till."}
        assert person.ask("an edited repeat", f"/{person.key}", "POST", **edited).status_code == 200
        taken = opened(person) | {"say": "1", "words": person.words}
        story.aviary.release(Kind.SUBMISSION, taken["submission"], person.name)
        assert person.ask("a second answer", f"/{person.key}", "POST", **taken).status_code == 409
    for person in withdrawing(story):
        with broken(story, "delete on ballot"):
            failed = person.ask("a fault in withdrawing", "/withdraw", "POST", receipt=person.receipt)
            assert failed.status_code == 500
        for status in (200, 404):
            assert person.ask("withdrawing", "/withdraw", "POST", receipt=person.receipt).status_code == status


def withdrawing(story: Story) -> list[Person]:
    """Those who think better of it: somebody in every other meeting or so."""
    return story.everybody()[::13]


def opened(person: Person) -> dict[str, str]:
    """The hidden fields of a form that has just been opened."""
    reply = person.ask("opening", f"/{person.key}")
    assert reply.status_code == 200
    return Page(reply.text).form_values()


def opens(story: Story, person: Person) -> None:
    """Open the form and fill it in."""
    page = Page(person.ask("opening", f"/{person.key}?lang=en").text)
    items = {a["name"] for a in page.all("input") if a.get("type") == "radio"}
    value = 1 + int(person.name.split()[1]) % 5
    person.form = page.form_values() | {item: str(value) for item in items} | {"words": person.words}
    story.aviary.release(Kind.SUBMISSION, person.form["submission"], person.name)


def sends(story: Story, person: Person, flow: str) -> None:
    """Send what is filled in; the receipt is a canary from then on."""
    thanks = person.ask(flow, f"/{person.key}", "POST", **person.form)
    assert thanks.status_code == 200, thanks.text
    person.receipt = story.aviary.release(Kind.RECEIPT, Page(thanks.text).form_values()["receipt"], person.name)


def _typed(story: Story, person: Person) -> None:
    spelled = f" {person.key[:5].lower()}-{person.key[5:].lower()}"
    assert person.ask("a typed key", "/", "POST", key=spelled).status_code == 303
    assert person.ask("a key cut short", "/", "POST", key=person.key[:-1]).status_code == 400
    wrong = story.aviary.make(Kind.WRONG_KEY, person.name)
    assert person.ask("a mistyped key", "/", "POST", key=wrong).status_code == 404
    assert person.ask("a mistyped link", f"/{wrong}").status_code == 404
    assert person.ask("a mistyped receipt", "/withdraw", "POST", receipt=wrong + wrong[:6]).status_code == 404


def _refused(_story: Story, person: Person) -> None:
    assert person.ask("a value too high", f"/{person.key}", "POST", **person.form | {"say": "99"}).status_code == 400
    foreign = person.form | {person.email: person.phone}
    assert person.ask("a foreign field", f"/{person.key}", "POST", **foreign).status_code == 400
    assert person.ask("no id", f"/{person.key}", "POST", say="4", words=person.words).status_code == 400
    assert (
        person.ask("an empty form", f"/{person.key}", "POST", submission=person.form["submission"]).status_code == 400
    )


def _too_large(_story: Story, person: Person) -> None:
    large = person.form | {"words": person.words * 900}
    assert person.ask("too large", f"/{person.key}", "POST", **large).status_code == 413
    long = person.form | {"words": person.words * 20}
    assert person.ask("too long", f"/{person.key}", "POST", **long).status_code == 400


def _lost(_story: Story, person: Person) -> None:
    assert person.ask("a page that is not there", f"/{person.key}/{person.text}/x").status_code == 404
    assert person.ask("a query", f"/{person.key}?lang={person.phone}&form={person.email}").status_code == 200
    assert person.ask("a method that is none", f"/{person.key}", "PUT", words=person.words).status_code == 405
    assert person.ask("the staff's pages", f"/staff/meetings/{person.key}").status_code == 303
    assert person.ask("the notice", "/privacy").status_code == 200
    assert person.ask("leaving", "/leave").status_code == 303


def _database_breaks(story: Story, person: Person) -> None:
    with broken(story, "insert on ballot"):
        assert person.ask("a fault in the database", f"/{person.key}", "POST", **person.form).status_code == 500


def _template_breaks(story: Story, person: Person) -> None:
    """The answer is stored, and the thanks cannot be drawn."""
    spoken = story.app.jinja_env.filters.pop("spoken")
    story.app.jinja_env.cache.clear()  # type: ignore[union-attr]
    assert person.ask("thanks that cannot be drawn", f"/{person.key}", "POST", **person.form).status_code == 500
    story.app.jinja_env.filters["spoken"] = spoken
    story.app.jinja_env.cache.clear()  # type: ignore[union-attr]


def _database_is_away(story: Story, person: Person) -> None:
    file = story.town.house.settings.database
    file.rename(away := file.with_name("away"))
    try:
        assert person.ask("no database", f"/{person.key}", "POST", **person.form).status_code == 503
        assert person.ask("no database at opening", f"/{person.key}").status_code == 503
        assert person.ask("no database at withdrawing", "/withdraw", "POST", receipt="A" * 16).status_code == 503
        assert person.ask("no database at a typed key", "/", "POST", key=person.key).status_code == 503
    finally:
        away.rename(file)


def _many_guesses(story: Story, person: Person) -> None:
    """So many wrong keys from one address that the right one has to wait too; then somebody else comes from there."""
    own, person.address = person.address, story.aviary.make(Kind.ADDRESS)
    forget_failures(story.app, lambda: 0.0)  # on a slow machine they would leak away as fast as they come
    for _guess in range(int(LIMITS[Guess.KEY].burst) + 2):
        person.client.get("/AAAAAAAAAA", headers={"X-Forwarded-For": person.address})
    for _try in range(9):
        if person.ask("too many guesses", f"/{person.key}").status_code != 429:
            person.client.get("/AAAAAAAAAA", headers={"X-Forwarded-For": person.address})
    assert "too many guesses (429)" in story.ears.flows
    person.ask("an answer after too many guesses", f"/{person.key}", "POST", **person.form | {"say": "99"})
    person.ask("a typed key after too many guesses", "/", "POST", key=person.key)
    forget_failures(story.app)
    person.address = own


_MISHAPS: list[Callable[[Story, Person], None]] = [
    _typed,
    _refused,
    _too_large,
    _lost,
    _database_breaks,
    _template_breaks,
    _database_is_away,
    _many_guesses,
]


@contextmanager
def broken(story: Story, what: str) -> Iterator[None]:
    """Meanwhile the database refuses something, and says so in words that should not come to stand anywhere."""
    with write(story.town.db):
        story.town.db.execute(f"create trigger broken before {what} begin select raise(abort, 'broken'); end")
    try:
        yield
    finally:
        with write(story.town.db):
            story.town.db.execute("drop trigger broken")


def texts_are_read(story: Story, ulla: Somebody, others: list[Somebody]) -> tuple[set[str], set[str]]:
    """Ten are cleared, every other one changed; one is withheld and one cleared after all. Those shown as they were,
    and those of which nothing is left."""
    aviary, db = story.aviary, story.town.db
    everything = {row["wording"]: row["state"] for row in rows(db, "select wording, state from free_text")}
    assert [state for state in everything.values() if state == TextState.READABLE]
    locked = {wording for wording, state in everything.items() if state == TextState.LOCKED}
    assert locked or _IS_FULL, "two children are too few for their year to be published"
    assert ulla.ask("the desk before she may hear them", "/staff/texts").status_code == 200
    heard = ulla.ears.heard.pop()[2]
    assert not aviary.singing(heard) & aviary.singing("".join(locked).encode())
    for canary in aviary.of(Kind.TEXT):
        if any(canary.value in wording for wording in everything if wording not in locked):
            canary.hearers.add("ulla")
    shown, gone = set[str](), set[str]()
    while len(shown) + len(gone) < BATCH:
        page = "/staff/texts"
        assert ulla.ask("the desk", page).status_code == 200
        one = texts.in_state(db, TextState.READABLE, 1)[0]
        [canary] = [c for c in aviary.of(Kind.TEXT) if c.value in one.wording]
        is_kept = len(shown) <= len(gone) and not one.is_child
        act = f"{page}/{one.id}"
        assert ulla.press("a refused wording", page, f"{act}/clear", wording=canary.value * 90).status_code == 400
        assert ulla.press("withholding", page, f"{act}/withhold").status_code == 303
        wording = one.wording if is_kept else "Någon såg en fågel."
        assert ulla.press("clearing", page, f"{act}/clear", wording=wording).status_code == 303
        (shown if is_kept else gone).add(canary.value)
    for value in shown:
        aviary.canaries[value].hearers.update(somebody.name for somebody in others)
    for somebody in (ulla, *others):
        page_ = somebody.ask("released texts", "/results/texts")
        assert sum(value in page_.text for value in shown) == len(shown) > 1
    return shown, gone


# Where nothing may be


def nothing_sings(story: Story, where: Path, but: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    """No file under a folder has a canary in it, but for the texts that belong to be in the table of texts; those
    stand in the database's file, and there once."""
    for file, held in files(where):
        found = story.aviary.singing(held)
        allowed = but if file == story.town.house.settings.database else set()
        assert not found - allowed, (file.name, story.aviary.told(found - allowed)[:20])
    held = story.town.house.settings.database.read_bytes()
    for value in but:
        assert held.count(value.encode()) == 1, f"{value} stands in the file more than once"
    for table in [row["name"] for row in rows(story.town.db, "select name from sqlite_master where type = 'table'")]:
        found = story.aviary.singing(repr(rows(story.town.db, f"select * from {table}")).encode())
        assert found == (but if table == "free_text" else set()), (table, story.aviary.told(found))


def nothing_was_logged(story: Story, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither by way of a logger nor past all of them."""
    printed = capfd.readouterr()
    for logged in (caplog.text, repr([vars(one) for one in caplog.records]), printed.out, printed.err):
        assert not story.aviary.told(story.aviary.singing(logged.encode()))


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in (Kind.KEY, Kind.SUBMISSION, Kind.RECEIPT)])
def test_the_search_finds_a_canary_however_it_is_written_down(aviary: Aviary, kind: Kind) -> None:
    """An attack that cannot find anything finds nothing."""
    is_given = kind in (Kind.SESSION, Kind.SEALED)
    value = aviary.release(kind, "0123456789abcdef" * 4) if is_given else aviary.make(kind)
    other = aviary.make(Kind.TEXT)
    raw = bytes.fromhex(value) if kind is Kind.SEALED else value.encode()
    hidden = [raw, b"x" * 1_048_570 + raw + b"y"]
    if kind is not Kind.SEALED:
        hidden += [value.encode("utf-16"), raw.hex().encode(), json.dumps([value]).encode()]
        hidden += [base64.b64encode(b"a" * shift + raw + b"bcd") for shift in range(3)]
        hidden += [value.upper().encode(), repr({"x": value}).encode()]
    for held in hidden:
        assert aviary.singing(b"abc" + held + b"def") == {value}
    assert aviary.singing(other.encode()) == {other}
    assert aviary.singing(b"") == set()


def test_a_canary_that_sings_is_heard(story: Story, tmp_path: Path) -> None:
    """The attack's own alarms ring: for a page, a file, a file's name, a row that stands twice."""
    text = story.aviary.make(Kind.TEXT, "ulla")
    story.ears.hear("ulla", "a page", text.encode())
    story.ears.judge()
    story.ears.hear("karin", "a page", text.encode())
    with pytest.raises(AssertionError, match="karin, a page: free text"):
        story.ears.judge()
    nothing_sings(story, tmp_path)
    for name, held in (("x", text), (text, "")):
        (tmp_path / name).write_text(held)
        with pytest.raises(AssertionError, match="Kråkan"):
            nothing_sings(story, tmp_path)
        (tmp_path / name).unlink()
    with write(story.town.db):
        run(story.town.db, "update unit set name = :name where parent is not null and name = 'Norr'", name=text)
    with pytest.raises(AssertionError, match="Kråkan"):
        nothing_sings(story, tmp_path, {text})


def test_no_canary_sings(
    story: Story,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    figure: Callable[[str], None],
) -> None:
    caplog.set_level(logging.DEBUG)
    house = story.town.house
    monkeypatch.setenv("ENKAT_INSTANCE", str(house.settings.instance))
    monkeypatch.setenv("ENKAT_TODAY", TODAY.isoformat())

    def here(*arguments: str, given: str = "") -> str:
        return command(story, monkeypatch, capfd, *arguments, given=given)

    staff = staff_is_added(story, here)
    held = meetings_are_held(story, here)
    links_are_handed_out(story, staff["karin"], held)
    nothing_was_logged(story, caplog, capfd)
    everybody_answers(story)
    nothing_was_logged(story, caplog, capfd)
    process(story, "check")
    process(story, "work", "--once")
    story.ears.judge()
    nothing_sings(story, tmp_path)

    for row in rows(story.town.db, "select sealed_address from contact"):  # until the count these may lie there
        story.aviary.release(Kind.SEALED, row["sealed_address"].hex())
    assert len(story.aviary.of(Kind.SEALED)) == 2 * len(story.everybody())

    # the count: one meeting by hand, the others when their time has come
    path = f"/staff/meetings/{held[0].id}"
    assert staff["karin"].press("closing", f"{path}/close", f"{path}/close").status_code == 303
    assert "räknade" in staff["karin"].ask("a counted meeting", path).text
    monkeypatch.setenv("ENKAT_TODAY", (held[-1].closes + timedelta(days=1)).isoformat())
    here("count")
    for person in story.everybody():
        assert person.ask("a link after the count", f"/{person.key}").status_code == 404
        assert person.ask("an answer after the count", f"/{person.key}", "POST", **person.form).status_code == 404
        assert person.ask("withdrawing after the count", "/withdraw", "POST", receipt=person.receipt).status_code == 404
    kept = {one.value for one in story.aviary.of(Kind.TEXT) if _is_kept(story, one.value)}
    assert len(kept) == len(story.everybody()) - len(withdrawing(story))
    nothing_sings(story, tmp_path, kept)
    story.ears.judge()

    # a new year: publishing, cutting, reading
    story.app.extensions["enkat"] = replace(house, settings=replace(house.settings, fixed_today=LATER))
    monkeypatch.setenv("ENKAT_TODAY", LATER.isoformat())
    here("publish", "--dry-run")
    here("publish")
    process(story, "work", "--once", today=LATER)
    assert clearing.desk(story.town.db).readable, "a quarter was published"
    nothing_sings(story, tmp_path, kept)
    others = [staff["karin"], staff["anders"]]
    for somebody in (*others, staff["ulla"]):
        for page in ("/results", "/results/months", "/results/years", "/results.csv", "/staff", "/staff/account"):
            somebody.ask(f"the page {page}", page)
    _shown, gone = texts_are_read(story, staff["ulla"], others)
    process(story, "work", "--once", today=LATER)
    here("results")
    here("check")
    nothing_sings(story, tmp_path, kept - gone)
    for somebody in staff.values():
        assert somebody.press("signing out", "/staff/account", "/staff/sign-out").status_code == 303
    story.ears.judge()
    nothing_was_logged(story, caplog, capfd)
    nothing_sings(story, tmp_path, kept - gone)
    figure(f"{len(story.aviary.canaries):,} canaries through {len(story.ears.flows)} flows: none sang")


def _is_kept(story: Story, value: str) -> bool:
    found = rows(story.town.db, "select 1 from free_text where instr(wording, :value)", value=value)
    return bool(found)
