"""The plug is pulled while eight people send: whoever was thanked is in the box, once, and nobody is in it twice.

`kill -9` strikes the whole process group, workers and background child too. Three rounds in `make test`, fifty
with ENKAT_ATTACK=full.
"""

import os
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from random import Random

from enkat import counting
from enkat.model.meeting import Meeting
from enkat.model.survey import Role
from tests.conftest import TODAY, Town
from tests.journeys.server import PATIENCE, Server, new_submission, receipt_hash, send, wait_for

SENDERS = 8
ROUNDS = 50 if os.environ.get("ENKAT_ATTACK") == "full" else 3

#: Places enough for all that eight senders get through before the cut.
_MEETINGS, _PLACES = 4, {Role.FAMILY: 50, Role.KIN: 50, Role.PROFESSIONAL: 50}


@dataclass
class Sent:
    """What became of the senders' answers: those thanked for by receipt, and those left in the dark."""

    thanked: dict[str, tuple[str, str]] = field(default_factory=dict)
    unthanked: list[tuple[str, str]] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)


@dataclass
class Figures:
    """What the rounds came to, for whoever reads the run (`pytest -s`)."""

    thanked: int = 0
    unthanked: int = 0
    arrived: int = 0


def test_who_was_thanked_before_a_power_cut_is_in_the_box_once(server: Server, town: Town) -> None:
    figures = Figures()
    for number in range(ROUNDS):
        meetings = [town.meeting(_PLACES, town.assignment(f"M-{number}-{copy}")) for copy in range(_MEETINGS)]
        keys = [room.key for meeting in meetings for room in town.rooms(meeting).values()]
        sent = cut_the_power(server, keys, Random(number))
        assert not sent.strange, sent.strange
        examine_what_the_cut_left(server, meetings, sent)
        server.start()
        send_again(server, town, meetings, sent, figures)
        count_all(town, meetings, sent)
        figures.thanked += len(sent.thanked)
    print(f"{ROUNDS} cuts: {figures.thanked} thanked for, each there once; {figures.unthanked} cut short, "
          f"{figures.arrived} of them stored without thanks, each once after it was sent again")  # fmt: skip
    assert figures.unthanked, "no cut fell while somebody was sending"


def cut_the_power(server: Server, keys: list[str], chance: Random) -> Sent:
    """Eight senders, each through rooms of its own, until the cut; it falls when some have been thanked."""
    sent, gate = Sent(), threading.Barrier(SENDERS + 1)

    def sender(number: int) -> None:
        mine = keys[number % len(keys) :] + keys[: number % len(keys)]
        gate.wait(PATIENCE)
        while mine:
            submission = new_submission()
            try:
                reply = send(server.port, mine[0], submission, say="4", words=written(submission))
            except OSError:
                sent.unthanked.append((mine[0], submission))
                return
            if reply.status == 200:
                sent.thanked[reply.receipt] = (mine[0], submission)
            elif reply.status == 409:
                mine.pop(0)  # the room is full
            else:
                sent.strange.append(f"{reply.status}: {reply.body}")
                return

    threads = [threading.Thread(target=sender, args=(number,)) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    gate.wait(PATIENCE)
    enough = chance.randint(1, 60)
    wait_for(lambda: len(sent.thanked) >= enough or sent.strange, "some have been thanked")
    time.sleep(chance.random() / 50)  # the cut falls anywhere within a request, not just after one
    server.kill()
    for thread in threads:
        thread.join(PATIENCE)
    assert sent.unthanked, "the cut fell upon nobody"
    return sent


def examine_what_the_cut_left(server: Server, meetings: list[Meeting], sent: Sent) -> None:
    """The file as the next program finds it, before enkat itself has been near it."""
    with closing(sqlite3.connect(server.settings.database)) as db:
        assert db.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert not db.execute("pragma foreign_key_check").fetchall()
        for receipt in sent.thanked:
            found = db.execute("select count(*) from ballot where receipt_hash = ?", [receipt_hash(receipt)])
            assert found.fetchone() == (1,), "a thanked-for answer is there, once"
        for meeting in meetings:
            ballots, answered = in_the_box(db, meeting)
            assert ballots <= answered, "never more answers than places used"
            assert ballots == answered, "nobody has taken anything back: a used place has its answer"
        stored = sum(in_the_box(db, meeting)[0] for meeting in meetings)
        assert len(sent.thanked) <= stored <= len(sent.thanked) + len(sent.unthanked)


def send_again(server: Server, town: Town, meetings: list[Meeting], sent: Sent, figures: Figures) -> None:
    """After the restart, those left in the dark send the same again, and so does one who was thanked."""
    before = sum(in_the_box(town.db.conn, meeting)[0] for meeting in meetings)
    figures.unthanked += len(sent.unthanked)
    figures.arrived += before - len(sent.thanked)
    for key, submission in sent.unthanked:
        first, second = (send(server.port, key, submission, say="4", words=written(submission)) for _try in range(2))
        assert first.status == second.status == 200, first.body
        assert first.receipt == second.receipt
        sent.thanked[first.receipt] = (key, submission)
    receipt, (key, submission) = next(iter(sent.thanked.items()))
    assert send(server.port, key, submission, say="4", words=written(submission)).receipt == receipt
    assert sum(in_the_box(town.db.conn, meeting)[0] for meeting in meetings) == len(sent.thanked)
    for meeting in meetings:
        ballots, answered = in_the_box(town.db.conn, meeting)
        assert ballots == answered


def written(submission: str) -> str:
    """A form's id in letters alone: seven digits in a row would be blanked."""
    return submission.translate(str.maketrans("0123456789", "ghijklmnop"))


def count_all(town: Town, meetings: list[Meeting], sent: Sent) -> None:
    """Every ballot opens, and what each thanked person wrote stands there once."""
    opened = 0
    for meeting in meetings:
        opened += counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY).opened
    assert opened == len(sent.thanked)
    inside = ", ".join("?" for _meeting in meetings)
    sql = f"select wording from free_text where meeting in ({inside})"
    texts = [row["wording"] for row in town.db.query(sql, [meeting.id for meeting in meetings])]
    assert sorted(texts) == sorted(written(submission) for _key, submission in sent.thanked.values())


def in_the_box(db: sqlite3.Connection, meeting: Meeting) -> tuple[int, int]:
    """How many ballots a meeting has, and how many of its places are used."""
    ballots = db.execute("select count(*) from ballot where meeting = ?", [meeting.id]).fetchone()[0]
    sql = "select count(*) from invitation where meeting = ? and state = 'answered'"
    return ballots, db.execute(sql, [meeting.id]).fetchone()[0]
