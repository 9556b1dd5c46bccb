"""Impossible states are impossible: what the schema itself refuses, whoever asks, and what it must let through."""

import sqlite3
from collections.abc import Iterator

import pytest
from sqlite_utils import Database

from enkat.model.meeting import InvitationState, Kind, LinkState, MeetingState, Source
from enkat.model.result import Grain, Outcome
from enkat.model.staff import StaffRole
from enkat.model.survey import Missing, Role, Stage
from enkat.secrecy.ballots import SEALED_BYTES
from enkat.storage.engine import Row, insert, number, write
from tests.storage.test_migrations import SAMPLES, put_samples


@pytest.fixture
def world(db: Database) -> Iterator[Database]:
    """An open meeting with two places, three links and a ballot, and a counted one with a response."""
    put_samples(db)
    yield db
    assert db.execute("pragma foreign_key_check").fetchall() == []


def like(table: str, row: int = 0, **changes: object) -> tuple[str, Row]:
    """A row of a table that is like one of the samples but for what is said."""
    return table, SAMPLES[table][row] | changes


KEY = b"k" * 32
SIZE = SEALED_BYTES

#: A row that may not be added: who or what it would be, and what the database must say of it.
FORBIDDEN_ROWS: dict[str, tuple[tuple[str, Row], str]] = {
    "a second municipality": (like("unit", id="x", name="X", parent=None), "UNIQUE"),
    "a unit under itself": (like("unit", id="x", name="X", parent="x"), "CHECK"),
    "a unit under nothing that exists": (like("unit", id="x", name="X", parent="y"), "FOREIGN KEY"),
    "a unit without a name": (like("unit", id="x", name="  ", parent="root"), "CHECK"),
    "a unit whose name is there in other letters": (like("unit", id="x", name="NORR", parent="root"), "UNIQUE"),
    "somebody without an address": (like("staff", id="x", address="karin"), "CHECK"),
    "somebody with half an address": (like("staff", id="x", address="@mitthem.example"), "CHECK"),
    "an address with a space around it": (like("staff", id="x", address=" x@mitthem.example"), "CHECK"),
    "an address twice in other letters": (like("staff", id="x", address="KARIN@mitthem.example"), "UNIQUE"),
    "somebody without a name": (like("staff", id="x", address="x@y", name=" "), "CHECK"),
    "a password in clear": (like("staff", id="x", address="x@y", password_hash="secret"), "CHECK"),
    "a password as another hash": (like("staff", id="x", address="x@y", password_hash="$2b$12$x"), "CHECK"),
    "somebody of no unit": (like("staff", id="x", address="x@y", unit="y"), "FOREIGN KEY"),
    "somebody half enabled": (like("staff", id="x", address="x@y", enabled=2), "CHECK"),
    "a role that does not exist": (like("staff_role", role="king"), "CHECK"),
    "a role twice": (like("staff_role"), "UNIQUE"),
    "a role of nobody": (like("staff_role", staff="x"), "FOREIGN KEY"),
    "a sign-in by its secret itself": (like("staff_session", id="s" * 43), "CHECK"),
    "a sign-in of nobody": (like("staff_session", id="t" * 64, staff="x"), "FOREIGN KEY"),
    "a sign-in seen before it began": (like("staff_session", id="t" * 64, seen="2026-11-20T09:59"), "CHECK"),
    "an assignment without a reference": (like("assignment", id="x", reference=" "), "CHECK"),
    "a reference twice in one unit": (like("assignment", id="x", reference="m-114"), "UNIQUE"),
    "an assignment of no unit": (like("assignment", id="x", reference="X", unit="y"), "FOREIGN KEY"),
    "a source that does not exist": (like("assignment", id="x", reference="X", source="police"), "CHECK"),
    "an assignment half protected": (like("assignment", id="x", reference="X", protected=2), "CHECK"),
    "a meeting of no assignment": (like("meeting", id="x", number=3, assignment="y"), "FOREIGN KEY"),
    "a meeting's number twice": (like("meeting", id="x"), "UNIQUE"),
    "a meeting number nought": (like("meeting", id="x", number=0), "CHECK"),
    "a kind of meeting that does not exist": (like("meeting", id="x", number=3, kind="party"), "CHECK"),
    "a meeting on no day": (like("meeting", id="x", number=3, held="2026-11-2"), "CHECK"),
    "a meeting with a time of day": (like("meeting", id="x", number=3, held="2026-11-20T10:00"), "CHECK"),
    "a meeting that closes at a time of day": (like("meeting", id="x", number=3, closes="2026-12-04 10"), "CHECK"),
    "a meeting led by nobody who exists": (like("meeting", id="x", number=3, leader="y"), "FOREIGN KEY"),
    "an open meeting without a key": (like("meeting", id="x", number=3, public_key=None), "CHECK"),
    "an open meeting with half a key": (like("meeting", id="x", number=3, public_key=b"k" * 31), "CHECK"),
    "a counted meeting with a key": (like("meeting", 1, id="x", number=3, public_key=KEY), "CHECK"),
    "a meeting neither open nor counted": (like("meeting", 1, id="x", number=3, state="planned"), "CHECK"),
    "a role that nobody is invited in": (like("invited", role="leader"), "CHECK"),
    "a stage that does not exist": (like("invited", stage="before"), "CHECK"),
    "fewer than no places": (like("invited", role="family", places=-1), "CHECK"),
    "more places than any meeting has": (like("invited", role="family", places=1001), "CHECK"),
    "a role invited twice": (like("invited"), "UNIQUE"),
    "people invited to no meeting": (like("invited", meeting="x"), "FOREIGN KEY"),
    "an answered place without a claim": (like("invitation", id="x", state="answered", claim=None), "CHECK"),
    "a free place with a claim": (like("invitation", id="x", state="open", claim=b"d" * 32), "CHECK"),
    "a claim of another length": (like("invitation", 1, id="x", claim=b"d" * 31), "CHECK"),
    "a claim on two places": (like("invitation", 1, id="x"), "UNIQUE"),
    "a place neither open nor answered": (like("invitation", id="x", state="revoked"), "CHECK"),
    "a place of a role that was not invited": (like("invitation", id="x", role="professional"), "FOREIGN KEY"),
    "a place at no meeting": (like("invitation", id="x", meeting="y"), "FOREIGN KEY"),
    "a place at a counted meeting": (like("invitation", id="x", meeting="counted"), "FOREIGN KEY"),
    "a place that says its meeting is counted": (
        like("invitation", id="x", meeting="counted", meeting_state="counted"),
        "CHECK",
    ),
    "a second live link to a role's room": (like("link", id="x", key_hash=KEY), "UNIQUE"),
    "a second live link to a place": (like("link", 1, id="x", key_hash=KEY), "UNIQUE"),
    "a key that leads to two places": (like("link", 2, id="x"), "UNIQUE"),
    "a link without a key to look it up by": (like("link", 2, id="x", key_hash=None), "NOT NULL"),
    "a link known by its key itself": (like("link", 2, id="x", key_hash=b"K7M2QX9P4D"), "CHECK"),
    "a live link that cannot be shown": (like("link", 0, id="x", role="child", key_hash=KEY, sealed_key=None), "CHECK"),
    "a revoked link that can": (like("link", 2, id="x", key_hash=KEY, sealed_key=b"x"), "CHECK"),
    "a link neither live nor revoked": (like("link", 2, id="x", key_hash=KEY, state="used"), "CHECK"),
    "a link to a place that does not exist": (like("link", 2, id="x", key_hash=KEY, invitation="y"), "FOREIGN KEY"),
    "a link of another role than its place": (like("link", 2, id="x", key_hash=KEY, role="child"), "FOREIGN KEY"),
    "a link to a room of a role that was not invited": (
        like("link", id="x", key_hash=KEY, role="professional"),
        "FOREIGN KEY",
    ),
    "a link to no meeting": (like("link", id="x", key_hash=KEY, meeting="y"), "FOREIGN KEY"),
    "a link to a counted meeting": (like("link", id="x", key_hash=KEY, meeting="counted"), "FOREIGN KEY"),
    "a link that says its meeting is counted": (
        like("link", id="x", key_hash=KEY, meeting="counted", meeting_state="counted"),
        "CHECK",
    ),
    "a ballot of a counted meeting": (like("ballot", id="x" * 32, receipt_hash=KEY, meeting="counted"), "FOREIGN KEY"),
    "a ballot that says its meeting is counted": (
        like("ballot", id="x" * 32, receipt_hash=KEY, meeting="counted", meeting_state="counted"),
        "CHECK",
    ),
    "a ballot of no meeting": (like("ballot", id="x" * 32, receipt_hash=KEY, meeting="y"), "FOREIGN KEY"),
    "a ballot one byte short": (like("ballot", id="x" * 32, receipt_hash=KEY, sealed=b"s" * (SIZE - 1)), "CHECK"),
    "a ballot one byte long": (like("ballot", id="x" * 32, receipt_hash=KEY, sealed=b"s" * (SIZE + 1)), "CHECK"),
    "an empty ballot": (like("ballot", id="x" * 32, receipt_hash=KEY, sealed=b""), "CHECK"),
    "a ballot that is a text": (like("ballot", id="x" * 32, receipt_hash=KEY, sealed="s" * SIZE), "cannot store TEXT"),
    "a receipt for two ballots": (like("ballot", id="x" * 32), "UNIQUE"),
    "a receipt itself": (like("ballot", id="x" * 32, receipt_hash=b"K7M2QX9P4DK7M2QX"), "CHECK"),
    "a ballot without a receipt": (like("ballot", id="x" * 32, receipt_hash=None), "NOT NULL"),
    "a ballot without a check": (like("ballot", id="x" * 32, receipt_hash=KEY, repeat_check=None), "NOT NULL"),
    "a check of another length": (like("ballot", id="x" * 32, receipt_hash=KEY, repeat_check=b"q"), "CHECK"),
    "a ballot numbered in order": (like("ballot", id="1", receipt_hash=KEY), "CHECK"),
    "a response numbered in order": (like("response", id="1"), "CHECK"),
    "a response of no meeting": (like("response", id="x" * 32, meeting="y"), "FOREIGN KEY"),
    "a response of a role that does not exist": (like("response", id="x" * 32, role="leader"), "CHECK"),
    "a response at a stage that does not exist": (like("response", id="x" * 32, stage="before"), "CHECK"),
    "a response to version nought": (like("response", id="x" * 32, version=0), "CHECK"),
    "a response in a rare language": (like("response", id="x" * 32, language="ti"), "CHECK"),
    "an answer to no form": (like("answer", response="x" * 32), "FOREIGN KEY"),
    "an answer to one item twice": (like("answer"), "UNIQUE"),
    "an answer with a value and a reason for none": (like("answer", item="x", missing="unknown"), "CHECK"),
    "an answer with nothing": (like("answer", item="x", value=None), "CHECK"),
    "a response of a meeting and a cluster": (like("response", id="x" * 32, cluster="c" * 16), "CHECK"),
    "a response of neither": (like("response", id="x" * 32, meeting=None), "CHECK"),
    "a blank text": (like("free_text", id="x" * 32, wording="  "), "CHECK"),
    "a text that has left its meeting and is locked": (like("free_text", id="x" * 32, meeting=None), "CHECK"),
    "a text that is read and has its meeting": (like("free_text", id="x" * 32, state="readable"), "CHECK"),
    "a text that is released with none": (like("free_text", 1, id="x" * 32, batch=None), "CHECK"),
    "a text that has come nowhere": (like("free_text", 1, id="x" * 32, state="lost", batch=None), "CHECK"),
    "a contact by letter": (like("contact", id="x" * 32, channel="letter"), "CHECK"),
    "a contact of a protected assignment": (like("contact", id="x" * 32, channel="email", protected=1), "CHECK"),
    "a contact of a meeting that does not exist": (
        like("contact", id="x" * 32, channel="email", meeting="x"),
        "FOREIGN KEY",
    ),
    "a contact of another assignment": (like("contact", id="x" * 32, channel="email", assignment="x"), "FOREIGN KEY"),
    "two addresses of one channel": (like("contact", id="x" * 32), "UNIQUE"),
    "an entry with another number": (
        like("audit_entry", number=3, hash=b"i" * 32, previous=b"h" * 32),
        "only added to",
    ),
    "an entry that follows from another": (like("audit_entry", number=2, hash=b"i" * 32), "only added to"),
    "an entry a second time": (like("audit_entry"), "only added to"),
    "a negative number of answers": (like("meeting", 1, id="x", number=9, answers=-1), "CHECK"),
    "an answer off every scale": (like("answer", item="x", value=11), "CHECK"),
    "an answer below every scale": (like("answer", item="x", value=-1), "CHECK"),
    "an answer between two steps": (like("answer", item="x", value=3.5), "cannot store REAL"),
    "an answer that is a word": (like("answer", item="x", value="five"), "cannot store TEXT"),
    "a reason that does not exist": (like("answer", 1, item="x", missing="shy"), "CHECK"),
    "a questionnaire's version twice": (like("questionnaire"), "UNIQUE"),
    "a questionnaire's version nought": (like("questionnaire", version=0), "CHECK"),
    "a period published twice": (like("snapshot"), "never changes"),
    "a snapshot of a week": (like("snapshot", period="x", grain="week"), "CHECK"),
    "an outcome that does not exist": (like("snapshot", period="x", outcome="withheld"), "CHECK"),
    "a snapshot with a time of day": (like("snapshot", period="x", published="2027-01-01T10:00"), "CHECK"),
    "a response rate to the answer": (like("snapshot", period="x", rate=44), "CHECK"),
    "a response rate above all": (like("snapshot", period="x", rate=105), "CHECK"),
    "a figure of four": (like("cell", snapshot="x", n=4), "CHECK"),
    "a figure of one meeting": (like("cell", snapshot="x", meetings=1), "CHECK"),
    "a figure above the scale": (like("cell", snapshot="x", mean=101, low=None, high=None), "CHECK"),
    "a figure between two points": (like("cell", snapshot="x", mean=60.5), "cannot store REAL"),
    "an interval beside its figure": (like("cell", snapshot="x", low=61), "CHECK"),
    "an interval above the scale": (like("cell", snapshot="x", high=101), "CHECK"),
    "half an interval": (like("cell", snapshot="x", high=None), "CHECK"),
    "a figure of no table": (like("cell", snapshot="x", table_name="month_unit"), "CHECK"),
    "a figure that nobody published": (like("cell", snapshot="x"), "FOREIGN KEY"),
    "a further figure of what is published": (like("cell", category="x"), "never changes"),
}


@pytest.mark.parametrize("case", FORBIDDEN_ROWS)
def test_the_database_will_not_hold(world: Database, case: str) -> None:
    (table, row), said = FORBIDDEN_ROWS[case]
    before = number(world, f"select count(*) from {table}")
    with pytest.raises(sqlite3.IntegrityError, match=said):
        put(world, table, row)
    assert number(world, f"select count(*) from {table}") == before


def put(db: Database, table: str, row: Row) -> None:
    with write(db):
        insert(db, table, row)


#: A change that may not be made to what is there.
FORBIDDEN_CHANGES = {
    "counting a meeting and keeping its key": ("update meeting set state = 'counted' where id = 'open'", "CHECK"),
    "losing the key of an open meeting": ("update meeting set public_key = null where id = 'open'", "CHECK"),
    "answering a place without a claim": ("update invitation set state = 'answered' where id = 'free'", "CHECK"),
    "opening a place that was answered": ("update invitation set state = 'open' where id = 'taken'", "CHECK"),
    "moving a place to another role": ("update invitation set role = 'child' where id = 'taken'", "FOREIGN KEY"),
    "taking a place away under its link": ("delete from invitation where id = 'taken'", "FOREIGN KEY"),
    "taking a place away under a revoked link": ("delete from invitation where id = 'free'", "FOREIGN KEY"),
    "revoking a link and keeping its key": ("update link set state = 'revoked' where id = 'own'", "CHECK"),
    "bringing a revoked link back": ("update link set state = 'live' where id = 'dead'", "CHECK"),
    "a personal link made a second room": ("update link set invitation = null where id = 'own'", "UNIQUE"),
    "uninviting a role with places": ("delete from invited where meeting = 'open' and role = 'kin'", "FOREIGN KEY"),
    "deleting a meeting with answers": ("delete from meeting where id = 'counted'", "FOREIGN KEY"),
    "deleting an open meeting": ("delete from meeting where id = 'open'", "FOREIGN KEY"),
    "deleting an assignment with meetings": ("delete from assignment", "FOREIGN KEY"),
    "deleting a unit with staff": ("delete from unit where id = 'north'", "FOREIGN KEY"),
    "deleting a response and leaving its answers": ("delete from response", "FOREIGN KEY"),
    "deleting a leader": ("delete from staff", "FOREIGN KEY"),
    "a team made the municipality": ("update unit set parent = null where id = 'north'", "UNIQUE"),
    "moving a ballot to a counted meeting": ("update ballot set meeting = 'counted'", "FOREIGN KEY"),
    "protecting an assignment that has contacts": (
        "update assignment set protected = 1 where id = 'work'",
        "FOREIGN KEY",
    ),
    "changing an entry": ("update audit_entry set actor = 'nobody'", "only added to"),
    "changing nothing of an entry": ("update audit_entry set actor = actor", "only added to"),
    "taking an entry away": ("delete from audit_entry", "only added to"),
    "putting another entry in its place": (
        "insert or replace into audit_entry select number, at, 'nobody', act, record, previous, hash from audit_entry",
        "only added to",
    ),
    "taking a response's meeting and giving it nothing": ("update response set meeting = null", "CHECK"),
    "reading a text that has not left its meeting": (
        "update free_text set state = 'readable' where meeting is not null",
        "CHECK",
    ),
    "another figure": ("update cell set mean = mean + 1 where mean = 0", "never changes"),
    "the same figure again": ("update cell set mean = mean", "never changes"),
    "taking a figure back": ("delete from cell", "never changes"),
    "another response rate": ("update snapshot set rate = 50", "never changes"),
    "publishing what was joined": ("update snapshot set outcome = 'published'", "never changes"),
    "taking a period back": ("delete from snapshot where outcome = 'joined'", "never changes"),
    "putting another snapshot in its place": (
        "insert or replace into snapshot select grain, period, year, 'empty', published, n, rate, forms from snapshot",
        "never changes",
    ),
    "putting another figure in its place": (
        "insert or replace into cell select grain, snapshot, table_name, period, category, index_name, n, meetings, 1, "
        "null, null from cell",
        "never changes",
    ),
}


@pytest.mark.parametrize("case", FORBIDDEN_CHANGES)
def test_the_database_will_not_be_changed_by(world: Database, case: str) -> None:
    sql, said = FORBIDDEN_CHANGES[case]
    before = list(world.conn.iterdump())
    with pytest.raises(sqlite3.IntegrityError, match=said):
        run(world, sql)
    assert list(world.conn.iterdump()) == before


def run(db: Database, *statements: str) -> None:
    with write(db):
        for sql in statements:
            assert db.execute(sql).rowcount > 0, f"it meets nothing: {sql}"


#: What must be gone before a meeting can be called counted, in an order in which it can go.
LEFTOVERS = {
    "ballot": "delete from ballot",
    "link": "delete from link",
    "invitation": "delete from invitation",
}
COUNT = "update meeting set state = 'counted', public_key = null where id = 'open'"


def only(db: Database, table: str) -> None:
    """Leave of the open meeting nothing but one table's rows (and of links the room's, which needs no place)."""
    if table == "link":
        run(db, LEFTOVERS["ballot"], "delete from link where invitation is not null", LEFTOVERS["invitation"])
    else:
        run(db, *(sql for name, sql in LEFTOVERS.items() if name != table))


@pytest.mark.parametrize("left", LEFTOVERS)
def test_a_meeting_cannot_be_called_counted_while_anything_of_it_is_left(world: Database, left: str) -> None:
    only(world, left)
    assert {name for name in LEFTOVERS if number(world, f"select count(*) from {name}")} == {left}
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        run(world, COUNT)
    assert number(world, "select count(*) from meeting where state = 'open'") == 1


def test_a_meeting_of_which_nothing_is_left_can_be_called_counted(world: Database) -> None:
    run(world, *LEFTOVERS.values(), COUNT)
    assert number(world, "select count(*) from meeting where state = 'counted'") == 2
    assert number(world, "select count(*) from invited where meeting = 'open'") == 2, "how many were invited stays"


def test_a_meeting_can_be_counted_in_any_order_within_one_write_but_not_left_half_counted(world: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        run(world, LEFTOVERS["ballot"], LEFTOVERS["link"], COUNT)
    assert number(world, "select count(*) from ballot") == 1, "the box is whole again"
    assert number(world, "select count(*) from link") == 3


#: A row that must be let in.
ALLOWED_ROWS: dict[str, tuple[str, Row]] = {
    "a unit below a team": like("unit", id="x", name="Norr 1", parent="north"),
    "the same reference in another unit": like("assignment", id="x", unit="root"),
    "a free place": like("invitation", id="x"),
    "another answered place": like("invitation", 1, id="x", claim=b"d" * 32),
    "another revoked link to a place": like("link", 2, id="x", key_hash=KEY),
    "a live link to a place whose link was revoked": like("link", 1, id="x", invitation="free", key_hash=KEY),
    "a revoked link to a room": like("link", 2, id="x", invitation=None, key_hash=KEY),
    "the room of another role": like("link", id="x", role="child", key_hash=KEY),
    "another ballot": like("ballot", id="x" * 32, receipt_hash=KEY),
    "a response in another language": like("response", id="x" * 32, language="other"),
    "the lowest value": like("answer", item="x", value=0),
    "the highest value": like("answer", item="x", value=10),
    "a response of a cluster": like("response", id="x" * 32, meeting=None, cluster="c" * 16),
    "the longest text": like("free_text", id="x" * 32, wording="🙂" * 2000),
    "the next entry": like("audit_entry", number=2, hash=b"i" * 32, previous=b"h" * 32),
    "an address of the other channel": like("contact", id="x" * 32, channel="email"),
    "a meeting without a leader": like("meeting", id="x", number=3, leader=None),
    **{f"a source, {word}": like("assignment", id="x", reference="X", source=word) for word in Source},
    **{f"a kind, {word}": like("meeting", id="x", number=3, kind=word) for word in Kind},
    **{f"the role {word} is in, after": like("response", id="x" * 32, role=word) for word in Role},
    **{f"a response {word} the meeting": like("response", id="x" * 32, stage=word) for word in Stage},
    **{f"a reason, {word}": like("answer", 1, item="x", missing=word) for word in Missing},
    **{
        f"an invited {role} {stage}": like("invited", meeting="counted", role=role, stage=stage, places=1000)
        for role in Role
        for stage in Stage
        if role is not Role.KIN
    },
    "a third staff role": like("staff_role", role=StaffRole.ADMINISTRATOR),
    **{f"a snapshot that is {word}": like("snapshot", period="x", outcome=word) for word in Outcome},
    **{f"a snapshot of a {word}": like("snapshot", period="x", grain=word) for word in Grain},
    "the lowest response rate": like("snapshot", period="x", rate=0),
    "the highest response rate": like("snapshot", period="x", rate=100),
    "a further version of a questionnaire": like("questionnaire", version=3),
}


@pytest.mark.parametrize("case", ALLOWED_ROWS)
def test_the_database_will_hold(world: Database, case: str) -> None:
    table, row = ALLOWED_ROWS[case]
    put(world, table, row)
    assert any(row.items() <= dict(found).items() for found in world.query(f"select * from {table}"))


def test_every_state_and_staff_role_has_a_row_somewhere(world: Database) -> None:
    """The samples are let in too; together with the rows above no value of an enum is left out."""
    held = {
        (table, column): {row[column] for row in SAMPLES[table]}
        for table, column in (("meeting", "state"), ("invitation", "state"), ("link", "state"), ("staff_role", "role"))
    }
    assert held["meeting", "state"] == set(MeetingState)
    assert held["invitation", "state"] == set(InvitationState)
    assert held["link", "state"] == set(LinkState)
    assert held["staff_role", "role"] | {StaffRole.ADMINISTRATOR} == set(StaffRole)


def test_somebody_who_goes_takes_their_roles_and_sign_ins_along(world: Database) -> None:
    run(world, "update meeting set leader = null where leader is not null", "delete from staff")
    assert number(world, "select count(*) from staff_role") == 0
    assert number(world, "select count(*) from staff_session") == 0


@pytest.mark.parametrize(
    "figure",
    [{"n": 5, "meetings": 2}, {"mean": 0, "low": 0, "high": 0}, {"mean": 100, "low": 100, "high": 100}],
    ids=str,
)
def test_the_outermost_figures_are_held_when_their_snapshot_follows(world: Database, figure: Row) -> None:
    with write(world):
        insert(world, *like("cell", snapshot="x", **figure))
        insert(world, *like("snapshot", period="x"))
    assert number(world, "select count(*) from cell where snapshot = 'x'") == 1


def test_an_empty_installation_may_have_one_municipality(db: Database) -> None:
    put(db, *like("unit"))
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        put(db, *like("unit", id="x", name="Grannkommunen"))
    assert number(db, "select count(*) from unit") == 1
