"""The schema and its steps: what is held, and that every step carries over what was there, also those to come.

Each step is taken with data in place. A step that adds a table adds a row to `SAMPLES`, or a test fails; a step that
changes what a column means changes the sample, and says so in its own test.
"""

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database, Migrations

from enkat.model.errors import StoreError, StoreUnavailable
from enkat.model.meeting import Channel, InvitationState, Kind, LinkState, MeetingState, Source
from enkat.model.result import Grain, Outcome, Table
from enkat.model.staff import StaffRole
from enkat.model.survey import Missing, Role, Stage
from enkat.model.text import TextState
from enkat.secrecy.ballots import SEALED_BYTES
from enkat.storage import engine, migrations
from enkat.storage.engine import Row, connect, insert, rows, write

STEPS = [step.name for step in migrations.migrations._migrations]

#: At least one row of every table, those that others refer to first; a snapshot's cells before it, as they are put.
SAMPLES: dict[str, list[Row]] = {
    "unit": [{"id": "root", "name": "Mitthem", "parent": None}, {"id": "north", "name": "Norr", "parent": "root"}],
    "staff": [
        {"id": "karin", "address": "karin@mitthem.example", "name": "Karin", "password_hash": "$argon2id$x",
         "unit": "north", "enabled": 1},
    ],
    "staff_role": [{"staff": "karin", "role": "coordinator"}, {"staff": "karin", "role": "evaluator"}],
    "staff_session": [{"id": "s" * 64, "staff": "karin", "started": "2026-11-20T10:00", "seen": "2026-11-20T10:30"}],
    "assignment": [{"id": "work", "reference": "M-114", "unit": "north", "source": "school", "protected": 0}],
    "meeting": [
        {"id": "open", "assignment": "work", "number": 2, "kind": "network_meeting", "held": "2026-11-20",
         "closes": "2026-12-04", "leader": "karin", "public_key": b"k" * 32, "state": "open",
         "published": None, "children_published": None, "answers": None, "reminds": 0},
        {"id": "counted", "assignment": "work", "number": 1, "kind": "sip", "held": "2026-09-20",
         "closes": "2026-10-04", "leader": None, "public_key": None, "state": "counted",
         "published": "2026-Q4", "children_published": "2026+2027", "answers": 1, "reminds": 1},
    ],
    "invited": [
        {"meeting": "open", "role": "kin", "stage": "after", "places": 2},
        {"meeting": "open", "role": "child", "stage": "after", "places": 0},
        {"meeting": "counted", "role": "kin", "stage": "after", "places": 1},
    ],
    "invitation": [
        {"id": "free", "meeting": "open", "meeting_state": "open", "role": "kin", "stage": "after",
         "questionnaire": "adult", "state": "open", "claim": None},
        {"id": "taken", "meeting": "open", "meeting_state": "open", "role": "kin", "stage": "after",
         "questionnaire": "adult", "state": "answered", "claim": b"c" * 32},
    ],
    "link": [
        {"id": "room", "meeting": "open", "meeting_state": "open", "role": "kin", "stage": "after",
         "questionnaire": "adult", "invitation": None, "key_hash": b"1" * 32, "sealed_key": b"x", "state": "live"},
        {"id": "own", "meeting": "open", "meeting_state": "open", "role": "kin", "stage": "after",
         "questionnaire": "adult", "invitation": "taken", "key_hash": b"2" * 32, "sealed_key": b"x", "state": "live"},
        {"id": "dead", "meeting": "open", "meeting_state": "open", "role": "kin", "stage": "after",
         "questionnaire": "adult", "invitation": "free", "key_hash": b"3" * 32, "sealed_key": None,
         "state": "revoked"},
    ],
    "ballot": [
        {"id": "b" * 32, "meeting": "open", "meeting_state": "open", "sealed": b"s" * SEALED_BYTES,
         "receipt_hash": b"r" * 32, "repeat_check": b"q" * 32},
    ],
    "response": [
        {"id": "r" * 32, "meeting": "counted", "cluster": None, "stage": "after", "role": "kin",
         "questionnaire": "adult", "version": 1, "language": "sv"},
    ],
    "answer": [
        {"response": "r" * 32, "item": "prep", "value": 5, "missing": None},
        {"response": "r" * 32, "item": "trust", "value": None, "missing": "declined"},
    ],
    "free_text": [
        {"id": "t" * 32, "meeting": "counted", "is_child": 0, "retold": 0, "state": "locked",
         "wording": "Bra 🙂", "batch": None},
        {"id": "u" * 32, "meeting": None, "is_child": 1, "retold": 1, "state": "released",
         "wording": "Bra", "batch": 1},
    ],
    "contact": [
        {"id": "c" * 32, "invitation": "taken", "meeting": "open", "assignment": "work", "protected": 0,
         "channel": "sms", "sealed_address": b"x", "delete_on": "2026-12-18", "language": "ar",
         "remind_on": "2026-11-23", "reminded": 1},
    ],
    "message": [
        {"id": "m" * 32, "contact": "c" * 32, "link": "own", "purpose": "link", "state": "sent",
         "due": "2026-11-20T10:00:00Z", "attempts": 2, "unsure": 1, "claim": None, "sealed": None, "reason": "busy"},
        {"id": "n" * 32, "contact": "c" * 32, "link": "own", "purpose": "reminder", "state": "sending",
         "due": "2026-11-23T10:00:00Z", "attempts": 0, "unsure": 0, "claim": "c" * 16, "sealed": b"x",
         "reason": None},
    ],
    "channel": [
        {"name": "sms", "reason": "credentials", "checked": "2026-11-20T10:00:00Z"},
    ],
    "audit_entry": [
        {"number": 1, "at": "2026-11-20T10:00:00Z", "actor": "karin", "act": "meeting.started", "record": "open",
         "previous": bytes(32), "hash": b"h" * 32},
    ],
    "questionnaire": [
        {"id": "older", "version": 1, "definition": "{}"},
        {"id": "older", "version": 2, "definition": '{"title": "Hur var mötet?"}'},
    ],
    "cell": [
        {"grain": "quarter", "snapshot": '["2026-Q4"]', "table_name": "month", "period": '["2026-10", "2026-11"]',
         "category": '["all"]', "index_name": "participation", "n": 12, "meetings": 5, "mean": 60, "low": 48,
         "high": 72},
        {"grain": "quarter", "snapshot": '["2026-Q4"]', "table_name": "quarter_role", "period": '["2026-Q4"]',
         "category": '["family", "kin"]', "index_name": "usefulness", "n": 5, "meetings": 2, "mean": 0, "low": None,
         "high": None},
    ],
    "snapshot": [
        {"grain": "quarter", "period": '["2026-Q4"]', "year": 2026, "outcome": "published",
         "published": "2027-01-01", "n": 12, "rate": 45, "forms": '[["older", 2]]'},
        {"grain": "child_year", "period": '["2026"]', "year": 2026, "outcome": "joined", "published": "2027-01-01",
         "n": 0, "rate": None, "forms": "[]"},
    ],
}  # fmt: skip

#: Written by the library that takes the steps.
BOOKKEEPING = "_sqlite_migrations"

#: Every column of what ties people to answers, or must not: no clock, no number that counts up, no key between the two.
COLUMNS = {
    "invitation": ["id", "meeting", "meeting_state", "role", "stage", "questionnaire", "state", "claim"],
    "link": ["id", "meeting", "meeting_state", "role", "stage", "questionnaire", "invitation", "key_hash",
             "sealed_key", "state"],
    "ballot": ["id", "meeting", "meeting_state", "sealed", "receipt_hash", "repeat_check"],
    "contact": ["id", "invitation", "meeting", "assignment", "protected", "channel", "sealed_address", "delete_on",
                "language", "remind_on", "reminded"],
    "message": ["id", "contact", "link", "purpose", "state", "due", "attempts", "unsure", "claim", "sealed",
                "reason"],
    "response": ["id", "meeting", "cluster", "stage", "role", "questionnaire", "version", "language"],
    "answer": ["response", "item", "value", "missing"],
    "free_text": ["id", "meeting", "is_child", "retold", "state", "wording", "batch"],
}  # fmt: skip


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Database]:
    """A database that no step has been taken in."""
    db = connect(tmp_path / "enkat.db", create=True)
    yield db
    db.close()


def put_samples(db: Database) -> dict[str, list[Row]]:
    """Fill every table that there is, with those of the sample's columns that it has; what was put in."""
    put: dict[str, list[Row]] = {}
    there = set(tables(db))
    with write(db):
        for table, samples in SAMPLES.items():
            if table in there:
                columns = set(columns_of(db, table))
                put[table] = [{name: row[name] for name in row if name in columns} for row in samples]
                for row in put[table]:
                    insert(db, table, row)
    return put


def tables(db: Database) -> list[str]:
    listed = db.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'").fetchall()
    return sorted(name for (name,) in listed if name != BOOKKEEPING)


def columns_of(db: Database, table: str) -> list[str]:
    return [row[1] for row in db.execute(f"pragma table_info({table})")]


def lost(db: Database, put: dict[str, list[Row]]) -> list[str]:
    """What has not come through: rows of tables and columns that are still there, and broken references."""
    faults = [f"broken reference: {row}" for row in db.execute("pragma foreign_key_check").fetchall()]
    there = set(tables(db))
    for table in put.keys() & there:
        kept, found = set(columns_of(db, table)), rows(db, f"select * from {table}")
        for row in put[table]:
            wanted = {name: value for name, value in row.items() if name in kept}
            if not any(wanted.items() <= one.items() for one in found):
                faults.append(f"{table}: {wanted} is gone")
        if len(found) != len(put[table]):
            faults.append(f"{table}: {len(found)} rows of {len(put[table])}")
    return faults


def carried_over(db: Database, before: str | None) -> tuple[dict[str, list[Row]], list[str]]:
    """Go as far as just before a step, put data in, go on to the end: what was put in, and what was lost."""
    with write(db):
        db.execute(f"pragma application_id = {engine.APPLICATION_ID}")
        migrations.migrations.apply(db, stop_before=before)
    put = put_samples(db)
    migrations.migrate(db)
    return put, lost(db, put)


def dump(db: Database) -> list[str]:
    return list(db.conn.iterdump())


def test_the_tables_are_these_and_no_others(db: Database) -> None:
    assert tables(db) == sorted(SAMPLES)
    assert set(db.table_names()) - set(SAMPLES) == {BOOKKEEPING}


def test_there_are_no_views_and_no_triggers_but_those_that_keep_what_is_published_or_noted(db: Database) -> None:
    others = db.execute("select type, name from sqlite_master where type not in ('table', 'index')").fetchall()
    names = {"snapshot_stays", "snapshot_is_kept", "snapshot_comes_once"}
    names |= {"cell_stays", "cell_is_kept", "cell_comes_first"}
    names |= {"audit_entry_stays", "audit_entry_is_kept", "audit_entry_comes_next"}
    assert set(others) == {("trigger", name) for name in names}
    assert len(others) == len(names)


def test_every_table_is_strict_and_keeps_no_order_of_insertion(db: Database) -> None:
    listed = {row[1]: (row[4], row[5]) for row in db.execute("pragma table_list") if row[1] in SAMPLES}
    assert listed == dict.fromkeys(SAMPLES, (1, 1)), "WITHOUT ROWID, STRICT"


@pytest.mark.parametrize("table", COLUMNS)
def test_a_table_on_the_way_of_an_answer_holds_these_columns_and_no_others(db: Database, table: str) -> None:
    assert columns_of(db, table) == COLUMNS[table]


def test_only_a_sign_in_and_the_audit_log_know_a_time_of_day(db: Database) -> None:
    clock = re.compile(r"time|date|stamp|_at$|^at$|when|started|seen|created|updated|order|number|position|seq", re.I)
    found = {f"{table}.{column}" for table in tables(db) for column in columns_of(db, table) if clock.search(column)}
    assert found == {"staff_session.started", "staff_session.seen", "meeting.number", *_AUDIT_CLOCK}


_AUDIT_CLOCK = {"audit_entry.number", "audit_entry.at"}


def test_nothing_refers_from_an_answer_to_a_person_or_back(db: Database) -> None:
    refers = {table: {row[2] for row in db.execute(f"pragma foreign_key_list({table})")} for table in tables(db)}
    assert refers["ballot"] == {"meeting"}
    assert refers["response"] == {"meeting"}
    assert refers["answer"] == {"response"}
    assert refers["free_text"] == {"meeting"}
    assert refers["contact"] == {"invitation", "meeting", "assignment"}
    assert refers["message"] == {"contact"}
    assert refers["audit_entry"] == set()
    assert refers["invitation"] == {"meeting", "invited"}
    assert refers["link"] == {"meeting", "invited", "invitation"}
    assert {table for table, others in refers.items() if others & {"ballot", "answer", "free_text", "message"}} == set()


def test_every_step_is_known_by_name() -> None:
    assert tuple(STEPS) == migrations.STEPS
    assert len(set(STEPS)) == len(STEPS)


def test_there_is_a_sample_for_every_table_and_column(db: Database) -> None:
    """A step that adds one adds the other, or the harness below would not notice what it loses."""
    assert {table: set(columns_of(db, table)) for table in tables(db)} == {
        table: {name for row in samples for name in row} for table, samples in SAMPLES.items()
    }


@pytest.mark.parametrize("step", [*STEPS, None])
def test_every_step_carries_over_what_was_there(empty: Database, step: str | None) -> None:
    """`None`: the whole way first, then the data."""
    put, faults = carried_over(empty, step)
    assert faults == []
    assert bool(put) == (step != STEPS[0]), "there was something to carry"
    assert migrations.pending(empty) == []
    assert tables(empty) == sorted(SAMPLES)


def test_migrating_again_changes_nothing(db: Database) -> None:
    put_samples(db)
    before = dump(db)
    migrations.migrate(db)
    assert dump(db) == before
    assert migrations.pending(db) == []
    assert not migrations.is_new(db)


def test_a_new_database_knows_that_it_is_new(empty: Database) -> None:
    assert migrations.is_new(empty)
    assert migrations.pending(empty) == STEPS
    assert dump(empty) == ["BEGIN TRANSACTION;", "COMMIT;"], "and asking changes nothing"


def test_whoever_migrates_has_foreign_keys_on_afterwards(empty: Database) -> None:
    migrations.migrate(empty)
    assert empty.execute("pragma foreign_keys").fetchone()[0] == 1
    assert not empty.conn.in_transaction


def test_a_database_of_a_newer_enkat_is_refused_and_left_alone(db: Database, tmp_path: Path) -> None:
    put_samples(db)
    with write(db):
        record = {"migration_set": "enkat", "name": "publishing", "applied_at": "2030-01-01"}
        insert(db, BOOKKEEPING, record)
    before = dump(db)
    with pytest.raises(StoreError, match=r"the database is of a newer enkat .it has 'publishing'.; upgrade"):
        migrations.migrate(db)
    assert dump(db) == before


def test_steps_of_another_programs_set_are_no_concern_of_ours(db: Database) -> None:
    with write(db):
        insert(db, BOOKKEEPING, {"migration_set": "other", "name": "theirs", "applied_at": "2030-01-01"})
    migrations.migrate(db)
    assert migrations.pending(db) == []


def test_many_who_start_at_once_all_succeed_and_the_steps_are_taken_once(tmp_path: Path) -> None:
    file, starts = tmp_path / "enkat.db", 8
    ready, failed = threading.Barrier(starts), []

    def start() -> None:
        try:
            ready.wait()
            with closing(connect(file, create=True)) as db:
                migrations.migrate(db)
                assert migrations.pending(db) == []
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(starts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with closing(connect(file)) as db:
        assert [row["name"] for row in rows(db, f"select name from {BOOKKEEPING} order by id")] == STEPS
        assert tables(db) == sorted(SAMPLES)
        assert migrations.faults(db) == []


def test_a_database_that_somebody_has_locked_is_migrated_later(empty: Database, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "enkat.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        empty.execute("pragma busy_timeout = 0")
        with pytest.raises(StoreUnavailable, match=r"the database cannot be written now: .*locked"):
            migrations.migrate(empty)
        other.rollback()
    assert migrations.is_new(empty)
    assert empty.execute("pragma foreign_keys").fetchone()[0] == 1, "also after a refusal"
    migrations.migrate(empty)
    assert tables(empty) == sorted(SAMPLES)


def test_a_check_names_a_row_that_refers_to_nothing(db: Database) -> None:
    put_samples(db)
    assert migrations.faults(db) == []
    db.execute("pragma foreign_keys = off")
    with write(db):
        db.execute("delete from unit where id = 'north'")
    assert sorted(migrations.faults(db)) == [
        "database: a row of assignment refers to a unit that is gone; restore a backup",
        "database: a row of staff refers to a unit that is gone; restore a backup",
    ]


# What the harness above is worth: steps that might come, some of them wrong.


def rebuild_unit(db: Database) -> None:
    """A table that others refer to, made anew with a column more."""
    db.execute("create table unit_new (id text primary key, name text not null, parent text references unit (id), "
               "short text not null default '') strict, without rowid")  # fmt: skip
    db.execute("insert into unit_new (id, name, parent) select id, name, parent from unit")
    db.execute("drop table unit")
    db.execute("alter table unit_new rename to unit")


def lose_a_row(db: Database) -> None:
    db.execute("delete from answer where item = 'trust'")


def change_a_row(db: Database) -> None:
    db.execute("update answer set value = 4 where item = 'prep'")


def double_rows(db: Database) -> None:
    db.execute("insert into staff_role select staff, 'administrator' from staff_role where role = 'evaluator'")


def break_a_reference(db: Database) -> None:
    db.execute("delete from unit where id = 'north'")


def fail_halfway(db: Database) -> None:
    db.execute("create table half (id text)")
    db.execute("delete from answer")
    db.execute("insert into nowhere values (1)")


Step = Callable[[Database], None]


@pytest.fixture
def further(monkeypatch: pytest.MonkeyPatch) -> Callable[[Step], None]:
    """An enkat of the future, with one step more."""

    def add(step: Step) -> None:
        longer = Migrations("enkat")
        for known in migrations.migrations._migrations:
            longer(name=known.name)(known.fn)
        longer()(step)
        monkeypatch.setattr(migrations, "migrations", longer)
        monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, step.__name__))

    return add


def test_a_future_step_is_taken_with_data_in_place(empty: Database, further: Callable[[Step], None]) -> None:
    further(rebuild_unit)
    put, faults = carried_over(empty, "rebuild_unit")
    assert set(put) == set(SAMPLES), "every table had rows"
    assert faults == []
    assert columns_of(empty, "unit") == ["id", "name", "parent", "short"], "and it was taken"
    assert migrations.faults(empty) == []


@pytest.mark.parametrize(
    ("step", "fault"),
    [(lose_a_row, "'trust'"), (change_a_row, "'prep'"), (double_rows, "staff_role: 3 rows of 2")],
)
def test_a_future_step_that_loses_or_alters_something_is_caught(
    empty: Database, further: Callable[[Step], None], step: Step, fault: str
) -> None:
    further(step)
    _put, faults = carried_over(empty, step.__name__)
    assert any(fault in one for one in faults), faults


@pytest.mark.parametrize(
    ("step", "error", "said"),
    [
        (break_a_reference, StoreError, "the migration would leave 2 broken references; restore a backup"),
        (fail_halfway, StoreUnavailable, "no such table: nowhere"),
    ],
)
def test_a_step_that_fails_is_not_taken_at_all(
    db: Database, further: Callable[[Step], None], step: Step, error: type[StoreError], said: str
) -> None:
    put_samples(db)
    before = dump(db)
    further(step)
    with pytest.raises(error, match=said):
        migrations.migrate(db)
    assert dump(db) == before
    assert migrations.pending(db) == [step.__name__]
    assert db.execute("pragma foreign_keys").fetchone()[0] == 1
    assert not db.conn.in_transaction


#: Every column whose check repeats the values of an enum.
ENUMS = {
    ("staff_role", "role"): StaffRole,
    ("assignment", "source"): Source,
    ("meeting", "kind"): Kind,
    ("meeting", "state"): MeetingState,
    ("invited", "role"): Role,
    ("invited", "stage"): Stage,
    ("invitation", "state"): InvitationState,
    ("link", "state"): LinkState,
    ("response", "role"): Role,
    ("response", "stage"): Stage,
    ("answer", "missing"): Missing,
    ("contact", "channel"): Channel,
    ("free_text", "state"): TextState,
    ("snapshot", "grain"): Grain,
    ("snapshot", "outcome"): Outcome,
    ("cell", "table_name"): Table,
}


def test_texts_part_from_the_answers_they_came_with(empty: Database) -> None:
    """What an older enkat kept with an answer: the text lies by itself afterwards, under another id, and nothing is
    left of who of a meeting has written or not."""
    with write(empty):
        migrations.migrations.apply(empty, stop_before="nobody_can_tell")
    put_samples(empty)
    with write(empty):
        for number, (role, text) in enumerate([("kin", "Bra 🙂"), ("child", "Roligt"), ("kin", None)]):
            sheet = SAMPLES["response"][0] | {"id": str(number) * 32, "role": role}
            del sheet["cluster"]
            insert(empty, "response", sheet)
            said = {"value": None, "text": text, "missing": None if text else "skipped"}
            insert(empty, "answer", {"response": str(number) * 32, "item": "words"} | said)
    migrations.migrate(empty)
    assert migrations.faults(empty) == []
    assert "words" not in {row["item"] for row in rows(empty, "select item from answer")}
    texts = rows(empty, "select id, meeting, is_child, state, wording from free_text order by wording")
    assert [tuple(row.values())[1:] for row in texts] == [
        ("counted", 0, "locked", "Bra 🙂"),
        ("counted", 1, "locked", "Roligt"),
    ]
    assert not {row["id"] for row in texts} & {row["id"] for row in rows(empty, "select id from response")}
    assert rows(empty, "select answers from meeting where id = 'counted'") == [{"answers": 4}]


@pytest.mark.parametrize(("place", "enum"), ENUMS.items(), ids=[".".join(place) for place in ENUMS])
def test_the_schema_and_the_model_know_the_same_values(
    db: Database, place: tuple[str, str], enum: type[StaffRole]
) -> None:
    table, column = place
    [(sql,)] = db.execute("select sql from sqlite_master where name = ?", [table]).fetchall()
    [listed] = re.findall(rf"\b{column} in \(([^)]*)\)", sql)
    assert sorted(re.findall(r"'(\w+)'", listed)) == sorted(enum)
