"""The canary attack on a real server: processes whose command lines anybody on the machine can read, a log that the
server's own library writes, requests that are no requests, workers that are killed, and the background work in a child
of its own. Nothing of anybody may stand in any of it.

`make test` lets out a hundred and fifty; with ENKAT_ATTACK=full there are a thousand.
"""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from enkat import inviting
from enkat.inviting import contacting
from enkat.model.meeting import Channel, Meeting
from enkat.model.staff import StaffRole
from enkat.model.survey import Role
from enkat.storage.engine import rows, write
from tests.canaries import Aviary, Ears, Kind, files, phone_forms
from tests.conftest import Town
from tests.inspection import Page
from tests.journeys.server import HOST, PATIENCE, SOURCE, Server, running, wait_for

_IS_FULL = os.environ.get("ENKAT_ATTACK") == "full"

#: Meetings of seven people each, who have eight canaries each.
_MEETINGS = 12 if _IS_FULL else 2

_IN_A_MEETING = {Role.FAMILY: 4, Role.PROFESSIONAL: 2, Role.CHILD: 1}

LATER = date(2027, 1, 2)

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def server(server: Server) -> Server:
    """A server behind a proxy whose word is taken, so that everybody's address is known to it."""
    server.stop()
    (server.settings.instance / "enkat.toml").write_text('proxy = ["127.0.0.1"]\n', encoding="utf-8")
    server.start()
    return server


@dataclass
class Somebody:
    """Somebody with a browser, who may have cookies; everything they are told is kept."""

    name: str
    ears: Ears
    port: int
    address: str
    agent: str
    cookies: dict[str, str] | None = None

    def ask(self, flow: str, path: str, method: str = "GET", fields: dict[str, str] | None = None) -> tuple[int, str]:
        """One request over a connection of its own; status and page."""
        headers = {"User-Agent": self.agent, "X-Forwarded-For": self.address} | (_FORM if fields else {})
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE)
        try:
            connection.request(method, quote(path, safe="/?=&"), urlencode(fields) if fields else None, headers)
            reply = connection.getresponse()
            page = reply.read()
        finally:
            connection.close()
        self.ears.hear(self.name, f"{flow} ({reply.status})", str(reply.headers).encode() + page)
        if self.cookies is not None:
            for line in reply.headers.get_all("Set-Cookie") or ():
                self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return reply.status, page.decode()

    def press(self, flow: str, page: str, path: str, **fields: str) -> tuple[int, str]:
        """Send a form of a page."""
        hidden = Page(self.ask(f"{flow}, the page", page)[1]).form_values()
        return self.ask(flow, path, "POST", hidden | fields)


@dataclass
class Person(Somebody):
    """A participant with a link, and what they want to say."""

    key: str = ""
    text: str = ""
    phone: str = ""
    email: str = ""
    form: dict[str, str] = field(default_factory=dict)
    receipt: str = ""

    @property
    def words(self) -> str:
        """What they write."""
        return f"{self.text}. Ring {phone_forms(self.phone)[0]}, {phone_forms(self.phone)[4]} eller {self.email}!"


@dataclass
class Story:
    """A municipality on a server."""

    town: Town
    server: Server
    aviary: Aviary
    ears: Ears
    people: list[Person] = field(default_factory=list)

    def person(self, key: str) -> Person:
        """A participant with a personal link."""
        name = f"person {len(self.people)}"
        text, phone, email = (self.aviary.make(kind, name) for kind in (Kind.TEXT, Kind.PHONE, Kind.EMAIL))
        self.aviary.release(Kind.KEY, key, name, "karin")
        return Person(name, *self.browser(), None, key, text, phone, email)

    def browser(self) -> tuple[Ears, int, str, str]:
        """What every browser has."""
        return self.ears, self.server.port, self.aviary.make(Kind.ADDRESS), self.aviary.make(Kind.AGENT)

    def staff(self, name: str, role: StaffRole) -> Somebody:
        """Somebody who signs in, after wrong passwords."""
        address = self.town.add_staff(f"{name}@mitthem.example", self.town.municipality, role)
        password = self.aviary.release(Kind.PASSWORD, self.town.passwords[address])
        somebody = Somebody(name, *self.browser(), {})
        at = "/staff/sign-in"
        for wrong in (self.aviary.make(Kind.WRONG_PASSWORD), self.aviary.make(Kind.WRONG_PASSWORD)):
            assert somebody.press("a wrong password", at, at, address=address, password=wrong)[0] == 401
        form = Page(somebody.ask("a sign-in", at)[1]).form_values()
        heard = len(self.ears.heard)
        assert somebody.ask("signing in", at, "POST", form | {"address": address, "password": password})[0] == 303
        assert somebody.cookies
        self.aviary.release(Kind.SESSION, somebody.cookies["enkat"], name)
        assert len(self.ears.heard) == heard + 1
        assert somebody.ask("a start page", "/staff")[0] == 200
        return somebody


def test_no_canary_sings_on_a_real_server(
    server: Server, town: Town, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    aviary = Aviary()
    story = Story(town, server, aviary, Ears(aviary))
    with watching_processes(server) as command_lines:
        wait_for(server.child, "the background child is there")
        karin = story.staff("karin", StaffRole.COORDINATOR)
        meetings = meetings_are_held(story)
        everybody_answers(story)
        the_coordinator_works(story, karin, meetings)
        odd_requests_come(story)
        a_worker_is_killed(story)
        assert command(server, "check").returncode == 0
        story.ears.judge()
        nothing_sings(story, tmp_path)
        server.stop()
        for person in story.people:
            aviary.canaries[person.text].hearers.add("ulla")

        server.start(LATER)
        wait_for(lambda: "published 2026-Q4" in server.output, "the quarter is published")
        wait_for(lambda: not rows(town.db, "select 1 from free_text where state = 'gathering'"), "texts can be read")
        wait_for(lambda: rows(town.db, "pragma user_version")[0]["user_version"] == 0, "the file is written anew")
        withdrawn = {person.text for person in story.people[::13]}
        kept = {person.text for person in story.people} - withdrawn
        nothing_sings(story, tmp_path, kept)
        for person in story.people:
            assert person.ask("a link after the count", f"/{person.key}")[0] == 404
            assert person.ask("an answer after the count", f"/{person.key}", "POST", person.form)[0] == 404
            assert person.ask("withdrawing after the count", "/withdraw", "POST", {"receipt": person.receipt})[0] == 404
        ulla = story.staff("ulla", StaffRole.EVALUATOR)
        gone = texts_are_read(story, ulla)
        for page in ("/results", "/results/months", "/results/texts", "/results.csv"):
            assert ulla.ask("results", page)[0] == 200
        done = command(server, "work", "--once")
        assert done.returncode == 0
        nothing_sings(story, tmp_path, kept - gone)
        server.stop()
    nothing_sings(story, tmp_path, kept - gone)
    story.ears.judge()
    assert len(command_lines) >= 5, "the server, its workers, its child and the commands"
    for told in (*command_lines, server.output, done.stdout.decode(), done.stderr.decode()):
        assert not aviary.told(aviary.singing(told.encode())), told
    figure(f"{len(aviary.canaries):,} canaries through {len(story.ears.flows)} flows of a real server: none sang")


# What happens


def meetings_are_held(story: Story) -> list[Meeting]:
    """Meetings with personal links for everybody, and with everybody's number and address."""
    town, held = story.town, []
    places = {role: people + 2 for role, people in _IN_A_MEETING.items()}
    for number in range(_MEETINGS):
        meeting = town.meeting(places, town.assignment(f"REF-{number}"))
        links = [town.personal(meeting, role) for role, people in _IN_A_MEETING.items() for _one in range(people)]
        people = []
        for link in links:
            story.people.append(story.person(link.key))
            people.append(story.people[-1])
        noted = [
            contacting.Address(link.id, channel, address)
            for link, person in zip(links, people, strict=True)
            for channel, address in ((Channel.SMS, person.phone), (Channel.EMAIL, person.email))
        ]
        contacting.remember(town.db, town.house.keys, meeting.id, noted)
        for room in town.rooms(meeting).values():
            story.aviary.release(Kind.KEY, room.key, "karin")
        held.append(meeting)
    return held


def everybody_answers(story: Story) -> None:
    """Everybody answers, and everything goes wrong for somebody."""
    for number, person in enumerate(story.people):
        status, page = person.ask("opening", f"/{person.key}")
        assert status == 200
        items = {a["name"] for a in Page(page).all("input") if a.get("type") == "radio"}
        said = dict.fromkeys(items, str(1 + number % 5)) | {"words": person.words}
        person.form = Page(page).form_values() | said
        story.aviary.release(Kind.SUBMISSION, person.form["submission"], person.name)
        _MISHAPS[number % len(_MISHAPS)](story, person)
        status, thanks = person.ask("an answer", f"/{person.key}", "POST", person.form)
        assert status == 200
        person.receipt = story.aviary.release(Kind.RECEIPT, Page(thanks).form_values()["receipt"], person.name)
        assert person.ask("the same answer again", f"/{person.key}", "POST", person.form)[0] == 200
        other = person.form | {"submission": story.aviary.release(Kind.SUBMISSION, os.urandom(16).hex(), person.name)}
        assert person.ask("a second answer", f"/{person.key}", "POST", other)[0] == 409
    for person in story.people[::13]:
        for status in (200, 404):
            assert person.ask("withdrawing", "/withdraw", "POST", {"receipt": person.receipt})[0] == status


def _refused(_story: Story, person: Person) -> None:
    assert person.ask("a value too high", f"/{person.key}", "POST", person.form | {"say": "99"})[0] == 400
    assert person.ask("a foreign field", f"/{person.key}", "POST", person.form | {person.email: "1"})[0] == 400
    assert person.ask("too large", f"/{person.key}", "POST", person.form | {"words": person.words * 900})[0] == 413
    assert person.ask("a method that is none", f"/{person.key}", "PUT", person.form)[0] == 405


def _lost(story: Story, person: Person) -> None:
    assert person.ask("a page that is not there", f"/{person.key}/{person.text}")[0] == 404
    assert person.ask("a query", f"/{person.key}?lang={person.phone}&x={person.email}")[0] == 200
    wrong = story.aviary.make(Kind.WRONG_KEY, person.name)
    assert person.ask("a mistyped key", "/", "POST", {"key": wrong})[0] == 404
    assert person.ask("a mistyped link", f"/{wrong}")[0] == 404
    assert person.ask("a mistyped receipt", "/withdraw", "POST", {"receipt": wrong + wrong[:6]})[0] == 404
    assert person.ask("a typed key", "/", "POST", {"key": person.key.lower()})[0] == 303


def _database_breaks(story: Story, person: Person) -> None:
    with write(story.town.db):
        story.town.db.execute("create trigger broken before insert on ballot begin select raise(abort, 'broken'); end")
    assert person.ask("a fault in the database", f"/{person.key}", "POST", person.form)[0] == 500
    with write(story.town.db):
        story.town.db.execute("drop trigger broken")


def _database_is_away(story: Story, person: Person) -> None:
    file = story.server.settings.database
    file.rename(away := file.with_name("away"))
    try:
        assert person.ask("no database", f"/{person.key}", "POST", person.form)[0] == 503
        assert person.ask("no database at opening", f"/{person.key}")[0] == 503
    finally:
        away.rename(file)


def _many_guesses(story: Story, person: Person) -> None:
    own, person.address = person.address, story.aviary.make(Kind.ADDRESS)
    statuses = set[int]()
    while 429 not in statuses:
        statuses.add(person.ask("guessing", "/AAAAAAAAAA")[0])
        assert len(story.ears.heard) < 50_000
    person.ask("after too many guesses", f"/{person.key}", "POST", person.form | {"say": "99"})
    person.ask("a typed key after too many guesses", "/", "POST", {"key": person.key})
    person.address = own


_MISHAPS: list[Callable[[Story, Person], None]] = [_refused, _lost, _database_breaks, _database_is_away, _many_guesses]


def the_coordinator_works(story: Story, karin: Somebody, meetings: list[Meeting]) -> None:
    """Pages are looked at, links made, replaced and revoked."""
    for meeting in meetings:
        path = f"/staff/meetings/{meeting.id}"
        for page in ("", "/links", "/slips", "/progress", "/room/family"):
            assert karin.ask(f"the page {page}", path + page)[0] == 200
        link = story.town.personal(meeting, Role.FAMILY)
        story.aviary.release(Kind.KEY, link.key, "karin")
        before = {one.key for one in inviting.links(story.town.db, story.town.house.keys, meeting.id)}
        change = f"{path}/links/{link.id}/replace"
        assert karin.ask("a link replaced without a token", change, "POST", {"x": link.key})[0] == 400
        hidden = Page(karin.ask("a page", "/staff/account")[1]).form_values()
        assert karin.ask("a link replaced", change, "POST", hidden)[0] == 303
        [new] = [
            one for one in inviting.links(story.town.db, story.town.house.keys, meeting.id) if one.key not in before
        ]
        story.aviary.release(Kind.KEY, new.key, "karin")
        assert karin.ask("the links", f"{path}/links")[0] == 200
        assert karin.ask("a link revoked", f"{path}/links/{new.id}/revoke", "POST", hidden)[0] == 303


def odd_requests_come(story: Story) -> None:
    """What is no request at all goes to the server's own library, and what it says to whoever sent it is theirs."""
    for person in story.people[:5]:
        story.aviary.release(Kind.ADDRESS, person.address, person.name)
        story.aviary.release(Kind.AGENT, person.agent, person.name)
        head = f"Host: x\r\nUser-Agent: {person.agent}\r\nX-Forwarded-For: {person.address}\r\n"
        get, post = f"GET /{person.key} HTTP/1.1\r\n{head}", f"POST /{person.key} HTTP/1.1\r\n{head}"
        for flow, sent in {
            "a version that is none": f"GET /{person.key} HTTP/9.9\r\n{head}\r\n",
            "a header that is none": f"{get}{person.email}\r\n\r\n",
            "a line that is none": f"{person.text} {person.phone}\r\n\r\n",
            "a header without end": f"{get}X: {person.agent * 9000}\r\n\r\n",
            "a length that is none": f"{post}Content-Length: x\r\n\r\n",
            "chunks that are none": f"{post}Transfer-Encoding: chunked\r\n\r\nzz\r\n{person.text}",
            "a body cut short": f"{post}Content-Length: 900\r\n\r\n{person.text}",
            "a header cut short": get,
        }.items():
            with socket.create_connection((HOST, story.server.port), timeout=PATIENCE) as line:
                told = b""
                with suppress(OSError):  # it may hang up on us
                    line.sendall(sent.encode())
                    line.shutdown(socket.SHUT_WR)
                    while part := line.recv(65536):
                        told += part
            story.ears.hear(person.name, flow, told)


def a_worker_is_killed(story: Story) -> None:
    """In the midst of an answer that waits for the database; another comes in its place."""
    person, town = story.people[-1], story.town
    town.db.conn.execute("begin immediate")
    sending = threading.Thread(target=_send_and_lose, args=(person,))
    sending.start()
    workers = [pid for pid, line in story.server.processes().items() if pid != story.server.pid and " serve " in line]
    assert len(workers) == 2
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    town.db.conn.execute("rollback")
    sending.join()
    wait_for(lambda: _answers(person), "somebody answers again")


def _send_and_lose(person: Person) -> None:
    with suppress(OSError, http.client.HTTPException):
        person.ask("an answer that is lost", f"/{person.key}", "POST", person.form)


def _answers(person: Person) -> bool:
    try:
        return person.ask("opening", f"/{person.key}")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def texts_are_read(story: Story, ulla: Somebody) -> set[str]:
    """The first ten on the desk are cleared in other words; those of which nothing is left."""
    page = ulla.ask("the desk", "/staff/texts")[1]
    there = {person.text for person in story.people if person.text in page}
    ids = re.findall(r'<li id="text-([0-9a-f]{32})">', page)
    assert len(ids) == len(there) == 10
    hidden = {"csrf_token": Page(page).form_values()["csrf_token"]}
    for one in ids:
        fields = hidden | {"wording": "x" * 2001}
        assert ulla.ask("a refused wording", f"/staff/texts/{one}/clear", "POST", fields)[0] == 400
        fields = hidden | {"wording": "Någon såg en fågel."}
        assert ulla.ask("clearing", f"/staff/texts/{one}/clear", "POST", fields)[0] == 303
    assert "Någon såg en fågel." in ulla.ask("released texts", "/results/texts")[1]
    return there


# Where nothing may be


def nothing_sings(story: Story, where: Path, but: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    """No file has a canary in it, but for the database, which has the texts that were counted."""
    for file, held in files(where):
        found = story.aviary.singing(held)
        allowed = but if file == story.server.settings.database else set()
        assert not found - allowed, (file.name, story.aviary.told(found - allowed)[:20])


def command(server: Server, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """A command beside the server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ENKAT_")}
    chosen = {"ENKAT_INSTANCE": str(server.settings.instance), "ENKAT_TODAY": LATER.isoformat()}
    if arguments == ("check",):
        chosen["ENKAT_TODAY"] = server.settings.today().isoformat()
    return subprocess.run(
        [sys.executable, "-m", "enkat", *arguments],
        cwd=SOURCE,
        env=kept | chosen,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )


@contextmanager
def watching_processes(server: Server) -> Iterator[set[str]]:
    """Every command line on the machine that names this program, seen again and again meanwhile."""
    seen, is_over = set[str](), threading.Event()

    def watch() -> None:
        while not is_over.wait(0.1):
            seen.update(f"{pid} {line}" for pid, line in running().items() if "enkat" in line)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        is_over.set()
        watcher.join()
    assert any(" serve " in line for line in seen)
    assert server.port
