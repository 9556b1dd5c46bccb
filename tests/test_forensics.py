"""The forensic attack: once a meeting is counted, can an insider tell who wrote what?

What she knows: who was at the meeting and in which role; which personal link was handed to whom; who answered in a
language other than Swedish, and on which form; in which minute each person answered, for she watched the corridor;
whose words a text is, where she can read it; that somebody took their answer back and sent another, and that somebody
sent theirs twice.

What she has: a copy of the instance's folder from before the first and after every single act - the database, its
journal and whatever else lies there, and the names, sizes and times of all files -, the copies from just after the
count and from after the background work that follows, everything that was logged and printed, and the key files of
*other* meetings. Not the meeting's own key, nor the instance's.

What she wants: for each of the twelve people the response that is theirs. The test knows it, for everybody answers
unlike everybody else. Role, language and form stand with a response, so that she recognises whoever is alone in
theirs; `docs/privacy.md` says so. Everything else has to be chance: one of each group that is alike in the three.

`make test` plays a few meetings; with ENKAT_ATTACK=full there are many. A small run is content with a chance of one
in ten thousand of crying wolf, a full run with one in a hundred.
"""

import logging
import os
import re
import shutil
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from enkat import answering, counting, inviting, staffing, worker
from enkat.app import create_app
from enkat.house import open_house
from enkat.model.meeting import Meeting, OpenedLink
from enkat.model.staff import StaffRole
from enkat.model.survey import Answer, Missing, Role, Stage, Submission
from enkat.secrecy import tokens
from enkat.settings import Settings
from tests import forensics
from tests.conftest import TODAY, Town, signed_in
from tests.forensics import Copy, Evidence, Finding, Ledger, Person
from tests.inspection import InspectingClient, Page

_IS_FULL = os.environ.get("ENKAT_ATTACK") == "full"

#: Meetings that are attacked, meetings whose copies are searched, meetings for each planted leak, and how likely a
#: false alarm may be.
_ROUNDS, _CHECKED, _PLANTED, _ALPHA = (200, 20, 6, 0.01) if _IS_FULL else (6, 2, 3, 0.0001)

TWELVE = {Role.FAMILY: 4, Role.KIN: 3, Role.CHILD: 1, Role.PROFESSIONAL: 4}

#: A few more are invited than come: a link that is made for somebody takes a place.
INVITED = {role: people + 2 for role, people in TWELVE.items()}

#: So many letters of a text stand in no other.
_TELLING = 18

#: Something done to the database between the count and the copy that follows it.
Plant = Callable[["Scene"], None]


@dataclass
class Guest:
    """One of the twelve: what they answer and send."""

    name: str
    role: Role
    language: str
    link: OpenedLink
    fields: dict[str, str]
    link_id: str | None = None
    submission: str = ""
    receipt: str = ""

    @property
    def vector(self) -> frozenset[tuple[str, int]]:
        """The answers that have a value: nobody else has the same."""
        return frozenset((item, int(said)) for item, said in self.fields.items() if said.isdecimal())


class Scene:
    """A municipality, a meeting of twelve in it, and somebody who keeps a copy of everything."""

    def __init__(self, folder: Path, chance: Random, printed: Callable[[], str]) -> None:
        self.chance, self.printed = chance, printed
        settings = Settings(instance=folder, base_url="http://127.0.0.1:8000", fixed_today=TODAY)
        self.house = open_house(settings)
        self.app = create_app(settings, self.house)
        self.phone = self.app.test_client(use_cookies=False)
        self.db = self.house.connect()
        whole = staffing.add_unit(self.db, "Mitthem")
        north, south = (staffing.add_unit(self.db, name) for name in ("Norr", "Söder"))
        self.town = Town(self.house, self.db, whole, north, south)
        address = self.town.add_staff("karin@mitthem.example", north, StaffRole.COORDINATOR)
        self.app.test_client_class = InspectingClient
        self.karin = signed_in(self.app, self.town, address)
        self.copies: list[Copy] = []
        self.guests: list[Guest] = []
        self.minutes: list[str] = []
        self.secrets: set[bytes] = set()
        self.vectors: set[frozenset[tuple[str, int]]] = set()
        self.background: list[Meeting] = []

    # Before: other meetings, open and counted ones

    def prepare(self) -> None:
        """Some meetings that are counted already, some that stay open, and one that closes on the same day."""
        for number in range(6):
            closes = TODAY + timedelta(days=14 if number < 4 else 40)
            meeting = self.town.meeting(INVITED, self.town.assignment(f"M-{number}"), closes=closes)
            self.background.append(meeting)
            for role in self.chance.choices([Role.FAMILY, Role.KIN, Role.PROFESSIONAL], k=self.chance.randint(2, 5)):
                self.answer_elsewhere(meeting, role)
        for meeting in self.background[:3]:
            self.close(meeting)
        child = self.chance.choice(["child", "child_small"])
        closes = TODAY + timedelta(days=14)
        plan: dict[str, Any] = {"closes": closes, "questionnaires": {Role.CHILD: child}}
        self.meeting = self.town.meeting(INVITED, self.town.assignment("M-114"), **plan)

    def answer_elsewhere(self, meeting: Meeting, role: Role) -> None:
        """Somebody answers at another meeting."""
        link = self.town.rooms(meeting)[role]
        form = self.house.catalogue[link.questionnaire]
        skipped = {item.id: Answer(missing=Missing.SKIPPED) for item in form.items}
        said = {item: Answer(value=int(value)) for item, value in self.vector(form.id).items() if value.isdecimal()}
        sent = Submission(tokens.new_submission(), form.id, form.version, role, Stage.AFTER, "sv", skipped | said)
        with suppress(Exception):
            answering.submit(self.db, self.house.keys, link.key, sent, TODAY)

    def vector(self, questionnaire: str) -> dict[str, str]:
        """Answers on all scales of a form, such as nobody has given before."""
        form = self.house.catalogue[questionnaire]
        points, ways = [str(point.value) for point in form.points], [*form.offered, ""]
        while True:
            said = {
                item.id: self.chance.choice(points if self.chance.random() < 0.85 else ways)
                for item in form.closed_items
            }
            values = frozenset((item, int(value)) for item, value in said.items() if value.isdecimal())
            if len(values) > 3 and values not in self.vectors:
                self.vectors.add(values)
                return said

    def words(self, who: str) -> str:
        """A text of any length that begins with what nobody else has written; some write nothing."""
        if self.chance.random() < 0.2:
            return ""
        text = f"{who} {self.chance.getrandbits(64):016x} " + "ord " * self.chance.randint(0, 30)
        self.secrets.add(text[:_TELLING].encode())
        return text.strip()

    # The acts, each followed by a copy

    def act(self, what: str, person: str | None = None) -> None:
        """Keep a copy of everything as it is now."""
        folder, settings = self.house.settings.instance, self.house.settings
        found = {file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*")) if file.is_file()}
        stats = {name: file.stat() for name, file in found.items()}
        self.copies.append(
            Copy(
                what,
                person,
                settings.database.relative_to(folder).as_posix(),
                {name: (stat.st_size, stat.st_mtime_ns) for name, stat in stats.items()},
                {name: file.read_bytes() for name, file in found.items() if settings.keys not in file.parents},
                self.printed(),
            )
        )

    def post(self, path: str, **fields: str) -> None:
        """Karin presses a button."""
        page = f"/staff/meetings/{self.meeting.id}/places"
        reply = self.karin.press(page, path, **fields)
        assert reply.status_code == 303, reply.text

    def close(self, meeting: Meeting) -> None:
        """Karin closes a meeting, and it is counted."""
        page = f"/staff/meetings/{meeting.id}/close"
        assert self.karin.press(page, page).status_code == 303

    def links(self) -> dict[str, OpenedLink]:
        found = inviting.links(self.db, self.house.keys, self.meeting.id)
        self.secrets |= {link.key.encode() for link in found}
        return {link.id: link for link in found}

    def hand_link(self, role: Role, questionnaire: str) -> OpenedLink:
        """Karin makes a personal link."""
        before = self.links()
        self.post(f"/staff/meetings/{self.meeting.id}/links", **{"for": f"{role}:{questionnaire}"})
        (made,) = (link for one, link in self.links().items() if one not in before)
        return made

    def another_key(self, old: OpenedLink, kind: str) -> OpenedLink:
        """Karin replaces a link or a room's code."""
        before = self.links()
        self.post(f"/staff/meetings/{self.meeting.id}/{kind}/{old.id}/replace")
        (made,) = (link for one, link in self.links().items() if one not in before)
        return made

    def send(self, guest: Guest) -> None:
        """Somebody opens the form and sends it."""
        room = self.town.rooms(self.meeting)[guest.role]
        path = f"/{guest.link.key if guest.link_id else room.key}?lang={guest.language}"
        guest.submission = guest.submission or Page(self.phone.get(path).text).form_values()["submission"]
        reply = self.phone.post(path, data={"submission": guest.submission} | guest.fields)
        assert reply.status_code == 200, reply.text
        guest.receipt = Page(reply.text).form_values()["receipt"]
        self.secrets |= {guest.submission.encode(), guest.receipt.encode(), tokens.spoken(guest.receipt).encode()}

    def invite(self) -> None:
        """Twelve people, two professionals and two of the kin with personal links, one who reads English."""
        rooms, names = self.town.rooms(self.meeting), iter("ABCDEFGHIJKL")
        self.links()
        for role, places in TWELVE.items():
            for _person in range(places):
                name, link = next(names), rooms[role]
                fields = self.vector(link.questionnaire) | {"words": self.words(name)}
                self.guests.append(Guest(name, role, "sv", link, fields))
        self.chance.choice([guest for guest in self.guests if guest.role is not Role.CHILD]).language = "en"
        for role in (Role.KIN, Role.PROFESSIONAL):
            for guest in self.chance.sample([one for one in self.guests if one.role is role], 2):
                guest.link = self.hand_link(role, guest.link.questionnaire)
                guest.link_id = guest.link.id
                self.act(f"a personal link for {guest.name}")

    def answers(self) -> None:
        """Everybody answers, in any order; meanwhile links are replaced and revoked, somebody answers at another
        meeting, one takes an answer back and sends another, one sends an edited answer again."""
        turns = self.chance.sample(self.guests, len(self.guests))
        regrets, edits = self.chance.sample([one for one in turns if not one.link_id], 2)
        acts: list[tuple[float, Callable[[], None]]] = []
        for number, guest in enumerate(turns):
            if guest is not regrets:
                acts.append((number, lambda guest=guest: self.answer(guest)))
        first, back, again = sorted(self.chance.uniform(-1, 12) for _act in range(3))
        acts += [(first, lambda: self.answer(regrets)), (back, lambda: self.take_back(regrets))]
        acts += [(again, lambda: self.answer_again(regrets))]
        acts += [(self.chance.uniform(turns.index(edits), 12), lambda: self.edit(edits))]
        replaced = self.chance.choice([one for one in turns if one.link_id])
        acts += [(self.chance.uniform(-1, turns.index(replaced)), lambda: self.replace_link(replaced))]
        for other in (self.replace_room, self.revoke, self.elsewhere, self.elsewhere):
            acts.append((self.chance.uniform(-1, 12), other))
        for _time, act in sorted(acts, key=lambda act: act[0]):
            act()

    def answer(self, guest: Guest) -> None:
        self.send(guest)
        self.act(f"{guest.name} answers", guest.name)
        self.minutes.append(guest.name)

    def take_back(self, guest: Guest) -> None:
        assert self.phone.post("/withdraw", data={"receipt": guest.receipt}).status_code == 200
        self.act(f"{guest.name} takes the answer back")

    def answer_again(self, guest: Guest) -> None:
        guest.link = self.hand_link(guest.role, guest.link.questionnaire)
        guest.link_id = guest.link.id
        self.act(f"a personal link for {guest.name}")
        self.minutes.remove(guest.name)
        guest.submission = ""
        guest.fields = self.vector(guest.link.questionnaire) | {"words": self.words(guest.name)}
        self.answer(guest)

    def edit(self, guest: Guest) -> None:
        """The same form again with other answers: it is left aside."""
        kept = guest.fields
        guest.fields = self.vector(guest.link.questionnaire) | {"words": self.words(guest.name)}
        self.send(guest)
        guest.fields = kept
        self.act(f"{guest.name} sends an edited answer again")

    def replace_link(self, guest: Guest) -> None:
        guest.link = self.another_key(guest.link, "links")
        guest.link_id = guest.link.id
        self.act(f"another link for {guest.name}")

    def replace_room(self) -> None:
        self.another_key(self.town.rooms(self.meeting)[self.chance.choice(list(Role))], "room")
        self.act("a room has another code")

    def revoke(self) -> None:
        spare = self.hand_link(Role.FAMILY, "adult")
        self.act("a personal link for nobody")
        self.post(f"/staff/meetings/{self.meeting.id}/links/{spare.id}/revoke")
        self.act("a personal link is revoked")

    def elsewhere(self) -> None:
        self.answer_elsewhere(self.chance.choice(self.background[3:]), Role.FAMILY)
        self.act("somebody answers at another meeting")

    # After: the count

    def count(self, plant: Plant | None) -> None:
        """Karin closes the meeting, or its last day passes; then the background work."""
        self.own_key = self.house.keys.meeting_key(self.meeting.id)
        self.other_keys = [self.house.keys.meeting_key(one.id) for one in self.background[3:]]
        day = self.house
        if plant or self.chance.random() < 0.5:
            self.close(self.meeting)
            if plant:
                plant(self)
        else:
            day = self.town.at(self.meeting.closes + timedelta(days=1))
            counting.count_due(self.db, day.keys, day.settings.today())
        self.act("counted")
        worker.work(day)
        self.act("rewritten")
        self.owners = self.truth()

    def truth(self) -> dict[str, str]:
        """Whose response is whose."""
        answers: dict[str, set[tuple[str, int]]] = {}
        said = self.db.execute("select response, item, value from answer where value is not null")
        for response, item, value in said.fetchall():
            answers.setdefault(response, set()).add((item, value))
        owners = {guest.vector: guest.name for guest in self.guests}
        found = {owners[own]: response for response, said in answers.items() if (own := frozenset(said)) in owners}
        assert len(found) == len(self.guests), "everybody's answer is there once"
        return found

    def evidence(self) -> Evidence:
        """What the insider gets."""
        mine = set(self.owners.values())
        by_name = {guest.name: guest for guest in self.guests}
        *copies, counted, final = self.copies
        assert {copy.person for copy in copies} == {None, *by_name}
        return Evidence(
            self.meeting.id,
            [_known(by_name[name]) for name in self.minutes],
            copies,
            counted,
            final,
            {row["id"]: row for row in final.rows["response"] if row["id"] in mine},
            self.other_keys,
        )


def _known(guest: Guest) -> Person:
    language = "sv" if guest.language == "sv" else "other"
    known = {"role": guest.role.value, "language": language, "questionnaire": guest.link.questionnaire}
    return Person(guest.name, known, guest.fields["words"][:_TELLING], guest.link_id)


class _Log(logging.Handler):
    """Everything that anybody logs, however small."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(f"{record.name} {record.levelname} {record.getMessage()}\n")

    def take(self) -> str:
        said, self.said = "".join(self.said), []
        return said


@pytest.fixture
def play(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Scene]]:
    """Play a meeting from its invitations to after its count."""
    log = _Log()
    root = logging.getLogger()
    level = root.level
    root.addHandler(log)
    root.setLevel(logging.DEBUG)

    def printed() -> str:
        out, err = capfd.readouterr()
        return log.take() + out + err

    def one(seed: object, plant: Plant | None = None) -> Scene:
        folder = tmp_path / "instance"
        scene = Scene(folder, Random(f"{seed}"), printed)
        try:
            scene.prepare()
            scene.act("invited")
            scene.invite()
            scene.answers()
            scene.count(plant)
        finally:
            scene.db.close()
            shutil.rmtree(folder)
        return scene

    yield one
    root.removeHandler(log)
    root.setLevel(level)


def said_of(attack: str, findings: list[Finding], rounds: int) -> str:
    """The sentence for one attack: its most striking way of all."""
    own = [one for one in findings if one.attack == attack]
    best = own[0]
    return (
        f"forensics, {attack}, {len(own)} ways: the most striking, '{best.way}', found {best.hits / rounds:.2f} of "
        f"{best.people / rounds:.1f} at a meeting, {best.expected / rounds:.2f} by chance "
        f"(p = {min(best.more, best.either, best.rule):.2g}, corrected {best.p:.2g})"
    )


def copies_in_short(scene: Scene) -> Iterator[tuple[Copy, bytes]]:
    """All that each copy holds and the one before it does not: whole files, of the database the changed pages; and
    what was said meanwhile."""
    before: Copy | None = None
    for copy in scene.copies:
        size = copy.anatomy.page_size
        pages = [copy.data[at : at + size] for at in range(0, len(copy.data), size)]
        known = (
            [before.data[at : at + size] for at in range(0, len(pages) * size, size)] if before else [b""] * len(pages)
        )
        fresh = [page for page, old in zip(pages, known, strict=True) if page != old]
        beside = [content for name, content in copy.contents.items() if name != copy.database]
        yield copy, b"".join([*fresh, *beside, copy.said.encode()])
        before = copy


# What the insider finds


def test_after_a_count_nobody_is_recognised_but_by_role_language_and_form(
    play: Callable[..., Scene], figure: Callable[[str], None]
) -> None:
    ledger, known, guessed = Ledger(), 0, 0
    for seed in range(_ROUNDS):
        scene, chance = play(seed), Random(seed)
        evidence = scene.evidence()
        assert not evidence.opened
        ledger.note(evidence, scene.owners, chance)
        known += len(evidence.groups)
        for people, responses in evidence.groups:
            tried = chance.sample(responses, len(responses))
            guessed += sum(scene.owners[one] == other for one, other in zip(people, tried, strict=True))
    findings = ledger.findings()
    for attack in dict.fromkeys(one.attack for one in sorted(findings, key=lambda one: one.attack)):
        figure(said_of(attack, findings, _ROUNDS))
    figure(
        f"forensics, {_ROUNDS} meetings of twelve, {len(findings)} ways, {ledger.people} people not alone in their "
        f"group: the smallest corrected p is {findings[0].p:.2g}; below {_ALPHA} would be a leak"
    )
    figure(
        f"forensics, role, language and form together, which stand with a response: {guessed / _ROUNDS:.1f} of 12 "
        f"recognised ({known / _ROUNDS:.1f} expected), 1 of 12 would be chance"
    )
    assert findings[0].p >= _ALPHA, findings[0]


def test_no_copy_opens_an_answer_a_link_or_a_receipt(play: Callable[..., Scene], figure: Callable[[str], None]) -> None:
    copies = ballots = keys = 0
    for seed in range(_CHECKED):
        scene = play(f"sealed {seed}")
        evidence = scene.evidence()
        said = {guest.fields["words"][:_TELLING].encode() for guest in scene.guests}
        for copy, fresh in copies_in_short(scene):
            words = set() if copy in evidence.copies else said
            found = [secret for secret in scene.secrets if secret in fresh and secret not in words]
            assert not found, f"{copy.act}: {found}"
            journals = {name: len(held) for name, held in copy.contents.items() if _is_temporary(copy, name) and held}
            assert not journals, f"{copy.act}: a journal or temporary file holds something: {journals}"
            assert len({len(row["sealed"]) for row in copy.rows["ballot"]}) <= 1
        assert not evidence.opened
        assert forensics.open_links(evidence) == 0
        copies += len(scene.copies)
        ballots += len(evidence.people)
        keys += len(forensics.candidates(evidence))
    figure(
        f"forensics, {copies} copies: no answer, link key, receipt or form's id in clear in any; none of {ballots} "
        f"ballots opened with any of {keys / _CHECKED:.0f} things that might be a key"
    )


def _is_temporary(copy: Copy, name: str) -> bool:
    """SQLite's journals are called after the database, its temporary files etilqs."""
    return name != copy.database and name.startswith((copy.database, "etilqs", "."))


def test_nothing_of_a_counted_meetings_places_links_and_ballots_is_in_the_last_copy(
    play: Callable[..., Scene], figure: Callable[[str], None]
) -> None:
    marks = 0
    for seed in range(_CHECKED):
        scene = play(f"gone {seed}")
        final = scene.evidence().final
        held = b"".join(final.contents.values()) + final.said.encode()
        gone = set(_gone(scene, final)) | set(_own_marks(scene))
        assert not [mark for mark in gone if any(form in held for form in _written(mark))]
        assert int.from_bytes(final.data[36:40]) == 0, "the file was written anew and has no free page"
        sealed = [row["sealed"] for copy in scene.copies for row in copy.rows["ballot"] if _is_ours(scene, row)]
        assert not np.intersect1d(forensics.windows(sealed), forensics.windows([held])).size
        marks += len(gone)
        trees = {tree for trees in forensics.Insider(scene.evidence(), Random(seed)).lying.values() for tree in trees}
        numbered = {cell.tree for cell in final.anatomy.cells if cell.rowid is not None}
        assert trees
        assert not trees & numbered, "no row number tells in what order responses came"
    figure(
        f"forensics: of {marks} ids, hashes, marks and sealed keys of {_CHECKED} meetings none is left after the count"
    )


def _is_ours(scene: Scene, row: forensics.Row) -> bool:
    return bool(row["meeting"] == scene.meeting.id)


def _own_marks(scene: Scene) -> Iterator[bytes]:
    """Ids, hashes, marks and sealed keys of the meeting's places, links and ballots, from all copies."""
    own = [
        row
        for copy in scene.copies
        for table in ("link", "invitation", "ballot")
        for row in copy.rows[table]
        if _is_ours(scene, row)
    ]
    yield from (mark for mark in forensics.values([own]) if len(mark) > 15 and mark != scene.meeting.id.encode())


def _gone(scene: Scene, final: Copy) -> Iterator[bytes]:
    """Every long value of any table in any copy that is in no row any more."""
    known = forensics.values(final.rows.values())
    for copy in scene.copies:
        yield from (mark for mark in forensics.values(copy.rows.values()) - known if len(mark) > 15)


def _written(mark: bytes) -> set[bytes]:
    """A mark as it may be written: as it is, the halves of a long one, in hexadecimal or base64 or out of it."""
    bare = bytes.fromhex(mark.decode()) if re.fullmatch(rb"([0-9a-f]{2})+", mark) else mark
    forms = {mark[:16], mark[-16:], bare, bare.hex().encode(), bare.hex().upper().encode()}
    return forms | {b64encode(bare).rstrip(b"="), urlsafe_b64encode(bare).rstrip(b"=")}


# The attacks can see: each finds what is planted for it


def put_again(scene: Scene, order: list[str], ids: Mapping[str, str]) -> None:
    """Write the responses and their answers anew, in this order of people and under these ids."""
    owners, db = scene.truth(), scene.db.conn
    db.execute("pragma foreign_keys = off")
    db.execute("begin")
    held = {}
    for table, column in (("response", "id"), ("answer", "response")):
        for name, response in owners.items():
            held[name, table] = scene.db.execute(f"select * from {table} where {column} = ?", [response]).fetchall()
            db.execute(f"delete from {table} where {column} = ?", [response])
    for table in ("response", "answer"):
        for name in order:
            for row in held[name, table]:
                cells = [ids.get(name, value) if value == owners[name] else value for value in row]
                db.execute(f"insert into {table} values ({', '.join('?' * len(row))})", cells)
    db.execute("commit")
    db.execute("pragma foreign_keys = on")


def stored_in_order(scene: Scene) -> None:
    put_again(scene, scene.minutes, {})


def ids_that_grow(scene: Scene) -> None:
    ids = {name: f"{number:02x}{scene.chance.getrandbits(120):030x}" for number, name in enumerate(scene.minutes)}
    put_again(scene, scene.chance.sample(scene.minutes, 12), ids)


def ballots(scene: Scene) -> dict[str, str]:
    """The id of each person's ballot."""
    found = {}
    for before, after in pairwise(scene.copies):
        if after.person:
            found[after.person] = forensics.new_rows(before, after)["ballot"][0]["id"]
    return found


def ids_of_ballots(scene: Scene) -> None:
    put_again(scene, scene.chance.sample(scene.minutes, 12), ballots(scene))


def order_of_the_box(scene: Scene) -> None:
    """As the box gives them: what a count without its shuffle would do."""
    put_again(scene, sorted(scene.minutes, key=ballots(scene).__getitem__), {})


def remnants(scene: Scene) -> None:
    """A table with both ids that is dropped again, and not overwritten."""
    owners = scene.truth()
    db = scene.db.conn
    db.execute("pragma secure_delete = off")
    db.execute("create table origin (response text, ballot text)")
    db.executemany("insert into origin values (?, ?)", [(owners[name], mark) for name, mark in ballots(scene).items()])
    db.execute("drop table origin")


def number_of_the_version(scene: Scene) -> None:
    owners = scene.truth()
    for number, name in enumerate(scene.minutes):
        scene.db.conn.execute("update response set version = ? where id = ?", [number + 1, owners[name]])


def words_in_order(scene: Scene) -> None:
    """Texts in a table of their own, without the response's id, but sorted as the responses are."""
    words = {guest.name: guest.fields["words"] for guest in scene.guests}
    scene.db.conn.execute("create table apart (id text primary key, words text) strict, without rowid")
    for name, response in ((name, response) for name, response in scene.truth().items() if words[name]):
        scene.db.conn.execute("insert into apart values (?, ?)", [response[:8], words[name]])


@pytest.mark.parametrize(
    ("plant", "attacks"),
    [
        (stored_in_order, [forensics.order_in_the_file]),
        (order_of_the_box, [forensics.order_in_the_file]),
        (ids_that_grow, [forensics.ids]),
        (ids_of_ballots, [forensics.ids, forensics.differences_of_copies]),
        (remnants, [forensics.free_space]),
        (words_in_order, [forensics.words_recognised]),
        (number_of_the_version, [forensics.counters, forensics.equal_columns]),
    ],
)
def test_a_leak_planted_in_the_database_is_found(
    play: Callable[..., Scene], plant: Plant, attacks: list[forensics.Attack]
) -> None:
    ledgers = [Ledger() for _attack in attacks]
    # Of those who write nothing no text says anything.
    for seed in range(_PLANTED * (2 if plant is words_in_order else 1)):
        scene = play(f"{plant.__name__} {seed}", plant)
        evidence = scene.evidence()
        for attack, ledger in zip(attacks, ledgers, strict=True):
            ledger.note(evidence, scene.owners, Random(seed), [attack])
    for ledger in ledgers:
        assert ledger.findings()[0].p < 0.001, ledger.findings()[0]


def sizes_that_tell(evidence: Evidence, owners: Mapping[str, str], _scene: Scene) -> None:
    """The database grows with each answer by as much as is stored of it."""
    weights = forensics.Insider(evidence, Random(0)).weights["bytes"]
    grown = 0
    for number, copy in enumerate(evidence.copies):
        grown += weights[owners[copy.person]] if copy.person else 0
        size, time = copy.files[copy.database]
        evidence.copies[number] = replace(copy, files={**copy.files, copy.database: (size + 10_000 * grown, time)})


def logs_that_tell(evidence: Evidence, owners: Mapping[str, str], _scene: Scene) -> None:
    """The log says which id an answer will have."""
    for number, copy in enumerate(evidence.copies):
        if copy.person:
            evidence.copies[number] = replace(copy, said=f"{copy.said}stored {owners[copy.person]}\n")


def audits_that_tell(evidence: Evidence, owners: Mapping[str, str], _scene: Scene) -> None:
    """Between any two answers Karin does something, and its entry has something of the answer after it."""
    entries: list[forensics.Row] = []
    for copy, later in pairwise(evidence.copies):
        if later.person:
            entries.append({"id": f"{owners[later.person][:6]}x", "time": f"2026-11-20T10:{len(entries):02}:00"})
        copy.rows["audit"] = list(entries)
    for copy in (evidence.copies[-1], evidence.counted, evidence.final):
        copy.rows["audit"] = entries


def a_key_that_was_kept(evidence: Evidence, _owners: Mapping[str, str], scene: Scene) -> None:
    evidence.keys.append(scene.own_key)


@pytest.mark.parametrize(
    ("plant", "attack"),
    [
        (sizes_that_tell, forensics.sizes_and_times),
        (logs_that_tell, forensics.differences_of_copies),
        (audits_that_tell, forensics.staff_acts),
        (a_key_that_was_kept, forensics.sealed_ballots),
    ],
)
def test_a_leak_planted_in_what_the_insider_holds_is_found(
    play: Callable[..., Scene], plant: Callable[..., None], attack: forensics.Attack
) -> None:
    ledger = Ledger()
    # The pieces of an id are short in a log: with few people chance alone puts some of them beside the right answer.
    for seed in range(_PLANTED * (2 if plant is logs_that_tell else 1)):
        scene = play(f"{plant.__name__} {seed}")
        evidence = scene.evidence()
        plant(evidence, scene.owners, scene)
        ledger.note(evidence, scene.owners, Random(seed), [attack])
    assert ledger.findings()[0].p < 0.001, ledger.findings()[0]


def test_chance_is_what_chance_does() -> None:
    """The exact distribution of right guesses beside twenty thousand tries."""
    sizes, chance, tries = (4, 3, 3, 2) * 5, Random(1), 20_000
    exact = forensics.right_by_chance(sizes)
    assert exact.sum() == pytest.approx(1)
    tried = np.zeros(len(exact))
    for _try in range(tries):
        orders = [chance.sample(range(size), size) for size in sizes]
        tried[sum(place == at for order in orders for at, place in enumerate(order))] += 1
    assert np.abs(tried / tries - exact).max() < 0.02
