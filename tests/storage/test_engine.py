"""The connection: opened with the settings that keep answers whole, written to wholly or not at all, and refused in
one sentence where the file is not ours, not whole or not free."""

import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from enkat import checking, staffing
from enkat.house import House, open_house
from enkat.model.errors import StoreError, StoreUnavailable
from enkat.storage import migrations
from enkat.storage.engine import (
    APPLICATION_ID,
    connect,
    first,
    insert,
    number,
    placeholders,
    rows,
    run,
    write,
)
from tests.conftest import Town

PRAGMAS = {
    "foreign_keys": 1,
    "journal_mode": "truncate",
    "synchronous": 3,  # EXTRA
    "secure_delete": 1,
    "trusted_schema": 0,
    "cell_size_check": 1,
    "temp_store": 2,  # memory
    "busy_timeout": 5000,
    "recursive_triggers": 0,
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "enkat.db"


@pytest.fixture
def notes(file: Path) -> Iterator[Database]:
    """One connection of ours with a table to try things on."""
    db = connect(file, create=True)
    migrations.migrate(db)
    with write(db):
        db.execute("create table note (id integer primary key, text text not null check (text <> 'forbidden')) strict")
    yield db
    db.close()


@pytest.fixture
def second(notes: Database, file: Path) -> Iterator[Database]:
    """Somebody else's connection, who does not wait."""
    db = connect(file)
    db.execute("pragma busy_timeout = 0")
    yield db
    db.close()


def note(db: Database, text: str) -> None:
    insert(db, "note", {"text": text})


def put(db: Database, *said: str, then: BaseException | None = None) -> None:
    """One write of several notes; `then` is what goes wrong before it ends."""
    with write(db):
        for text in said:
            note(db, text)
        if then:
            raise then


def texts(db: Database) -> list[str]:
    return [row["text"] for row in rows(db, "select text from note order by id")]


@pytest.mark.parametrize("name", PRAGMAS)
def test_every_connection_has_the_settings_that_keep_answers_whole(house: House, db: Database, name: str) -> None:
    with closing(house.connect()) as another:
        for connection in (db, another):
            assert connection.execute(f"pragma {name}").fetchone()[0] == PRAGMAS[name]


def test_a_database_is_known_to_be_ours(db: Database) -> None:
    assert db.execute("pragma application_id").fetchone()[0] == APPLICATION_ID
    assert APPLICATION_ID.to_bytes(4) == b"enka"


def test_a_new_database_is_for_its_owner_alone(house: House) -> None:
    assert stat.S_IMODE(house.settings.database.stat().st_mode) == 0o600


def test_what_was_written_is_there_for_everybody(notes: Database, second: Database) -> None:
    with write(notes):
        note(notes, "one")
        note(notes, "two")
    assert texts(notes) == texts(second) == ["one", "two"]


def test_nobody_sees_half_a_write(notes: Database, second: Database) -> None:
    with write(notes):
        note(notes, "one")
        assert texts(second) == [], "and a reader is not held up"
        note(notes, "two")
    assert texts(second) == ["one", "two"]


class SomethingElse(Exception):
    """What a use case might raise in the middle of a write."""


@pytest.mark.parametrize("error", [SomethingElse, KeyboardInterrupt, SystemExit, ValueError])
def test_a_write_that_is_broken_off_leaves_nothing(notes: Database, error: type[BaseException]) -> None:
    with pytest.raises(error):
        put(notes, "one", then=error())
    assert texts(notes) == []
    assert not notes.conn.in_transaction
    with write(notes):
        note(notes, "afterwards")
    assert texts(notes) == ["afterwards"]


def test_a_broken_rule_takes_the_whole_write_back_and_stays_what_it_is(notes: Database) -> None:
    """It is a bug, and must not look like a disk that is full."""
    with pytest.raises(sqlite3.IntegrityError):
        put(notes, "one", "forbidden")
    assert texts(notes) == []


def test_a_write_takes_the_lock_before_it_reads(notes: Database, second: Database) -> None:
    """Else two could read the same free place and both take it."""
    with write(notes):
        with pytest.raises(StoreUnavailable, match=r"the database cannot be written now: .*locked"), write(second):
            raise AssertionError("two writes at once")
        assert not second.conn.in_transaction
    with write(second):
        note(second, "afterwards")
    assert texts(notes) == ["afterwards"]


def test_whoever_comes_second_waits_for_the_first(notes: Database, file: Path) -> None:
    inside, waited = threading.Event(), []

    def other() -> None:
        with closing(connect(file)) as db:
            inside.wait()
            with write(db):
                waited.append(texts(db))
                note(db, "second")

    thread = threading.Thread(target=other)
    thread.start()
    with write(notes):
        inside.set()
        note(notes, "first")
    thread.join()
    assert waited == [["first"]], "it read what the first had written"
    assert texts(notes) == ["first", "second"]


def test_many_writers_lose_nothing(notes: Database, file: Path) -> None:
    failed: list[Exception] = []

    def count() -> None:
        try:
            with closing(connect(file)) as db:
                for _ in range(10):
                    with write(db):
                        so_far = number(db, "select count(*) from note")
                        note(db, str(so_far))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=count) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert texts(notes) == [str(turn) for turn in range(60)], "each saw what all before it had written"


def test_a_database_that_somebody_has_locked_cannot_be_read_just_now(notes: Database, second: Database) -> None:
    notes.execute("begin exclusive")
    with pytest.raises(StoreUnavailable, match=r"the database cannot be read now: .*locked"):
        texts(second)
    notes.rollback()
    assert texts(second) == []


def test_a_full_disk_is_said_and_leaves_nothing_half_written(notes: Database) -> None:
    with write(notes):
        note(notes, "before")
    pages = notes.execute("pragma page_count").fetchone()[0]
    notes.execute(f"pragma max_page_count = {pages}")
    with pytest.raises(StoreUnavailable, match=r"the database cannot be written now: .*full"):
        put(notes, *["x" * 1000] * 100)
    assert texts(notes) == ["before"]
    assert not notes.conn.in_transaction
    assert migrations.faults(notes) == []
    notes.execute("pragma max_page_count = 10000")
    with write(notes):
        note(notes, "afterwards")
    assert texts(notes) == ["before", "afterwards"]


def test_a_database_that_may_only_be_read_says_so(notes: Database) -> None:
    notes.execute("pragma query_only = on")
    with pytest.raises(StoreUnavailable, match=r"the database cannot be written now: .*readonly"), write(notes):
        note(notes, "one")
    assert texts(notes) == []


def test_what_is_deleted_is_gone_from_the_file_too(notes: Database, file: Path) -> None:
    secret = "hemligt-" * 600  # longer than a page
    with write(notes):
        note(notes, "one")
        note(notes, secret)
    assert b"hemligt-hemligt" in file.read_bytes()
    with write(notes):
        run(notes, "delete from note where text like 'hemligt%'")
    assert b"hemligt" not in file.read_bytes()
    journal = file.with_name("enkat.db-journal")
    assert journal.stat().st_size == 0, "and no journal keeps it"
    assert sorted(path.name for path in file.parent.iterdir()) == ["enkat.db", "enkat.db-journal"]


def test_a_mistyped_table_is_not_made(notes: Database) -> None:
    before = notes.table_names()
    with pytest.raises(StoreUnavailable, match="no such table: notte"), write(notes):
        insert(notes, "notte", {"text": "one"})
    with pytest.raises(StoreUnavailable, match="no column named texxt"), write(notes):
        insert(notes, "note", {"texxt": "one"})
    assert notes.table_names() == before
    assert [column.name for column in notes["note"].columns] == ["id", "text"]


def test_a_value_is_a_value_whatever_it_says(notes: Database) -> None:
    said = "'); delete from note; --"
    with write(notes):
        note(notes, said)
    assert first(notes, "select text from note where text = :text", text=said) == {"text": said}
    assert first(notes, "select text from note where text = :text", text="other") is None
    with write(notes):
        assert run(notes, "update note set text = :new where text = :old", new="x", old=said) == 1
        assert run(notes, "update note set text = :new where text = :old", new="x", old=said) == 0
    assert number(notes, "select count(*) from note where text = 'x'") == 1


@pytest.mark.parametrize(("wanted", "found"), [((), []), (("b",), ["b"]), (("c", "a"), ["a", "c"]), (("x",), [])])
def test_a_list_of_values_finds_those_and_an_empty_one_nothing(
    notes: Database, wanted: tuple[str, ...], found: list[str]
) -> None:
    with write(notes):
        for text in "abc":
            note(notes, text)
    inside, named = placeholders("t", wanted)
    assert [r["text"] for r in rows(notes, f"select text from note where text in ({inside}) order by id", **named)] == (
        found
    )


def sentence(file: Path, create: bool) -> str:
    """How a file is refused; it must be left exactly as it is."""
    before = file.read_bytes() if file.is_file() else None
    with pytest.raises(StoreError) as error:
        connect(file, create=create)
    assert not isinstance(error.value, StoreUnavailable), "waiting would not help"
    assert (file.read_bytes() if file.is_file() else None) == before
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)
    return str(error.value)


FOREIGN = {
    "a word": b"hello",
    "a long text": b"Dear diary, " * 2000,
    "noughts": b"\0" * 8192,
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 64,
    "half a header": b"SQLite format 3\0" + b"\xff" * 4080,
}


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_file_that_is_no_database_is_named(file: Path, content: bytes, create: bool) -> None:
    file.write_bytes(content)
    assert "is not a database" in sentence(file, create)
    assert "move it away or restore a backup" in sentence(file, create)


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("identity", [0, 0x0F055112, APPLICATION_ID + 1])
def test_another_programs_database_is_named(file: Path, identity: int, create: bool) -> None:
    with closing(sqlite3.connect(file)) as other:
        other.execute(f"pragma application_id = {identity}")
        other.execute("create table staff (id text)")
    assert "is another program's database; name another folder with ENKAT_INSTANCE" in sentence(file, create)


@pytest.mark.parametrize("create", [False, True])
def test_a_folder_in_the_databases_place_is_named(file: Path, create: bool) -> None:
    file.mkdir()
    assert "cannot be opened" in sentence(file, create)


def test_a_database_that_is_not_there_is_not_made_by_the_way(file: Path) -> None:
    assert "does not exist; run `enkat serve`" in sentence(file, create=False)
    assert not file.exists()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "enkat.db"
    assert "cannot be made" in sentence(file, create=True)
    assert not file.parent.exists()


def test_a_databases_name_may_hold_any_character(tmp_path: Path) -> None:
    """The path goes to SQLite as an address, where ? and # and % have meanings."""
    folder = tmp_path / "vår kommun? 100 % #1"
    folder.mkdir()
    with closing(connect(folder / "enkat.db", create=True)) as db:
        migrations.migrate(db)
    assert (folder / "enkat.db").stat().st_size > 0
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def garble(page: int) -> Callable[[bytes], bytes]:
    return lambda whole: whole[: page * 4096] + b"\xa5" * 4096 + whole[(page + 1) * 4096 :]


#: What can happen to a file: a page overwritten, its first half kept, its schema garbled.
DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "the schema is garbled": lambda whole: whole[:100] + b"\xa5" * 3996 + whole[4096:],
    "the header is garbled": lambda whole: b"\xa5" * 100 + whole[100:],
    "half of it is gone": lambda whole: whole[: len(whole) // 8192 * 4096],
    "all but a page is gone": lambda whole: whole[:4096],
    "all but a piece is gone": lambda whole: whole[:1000],
} | {f"page {page} is garbled": garble(page) for page in range(1, 20)}


@pytest.fixture
def used(town: Town) -> House:
    """An installation that has been used and is at rest."""
    town.meeting()
    staffing.add_unit(town.db, "Väster")
    town.db.close()
    return town.house


damaged = pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())


@damaged
def test_a_check_says_that_a_database_is_damaged_and_what_to_do(used: House, damage: Callable[[bytes], bytes]) -> None:
    file = used.settings.database
    assert checking.faults(used.settings) == []
    file.write_bytes(damage(file.read_bytes()))
    faults = checking.faults(used.settings)
    assert any("backup" in fault for fault in faults), f"the mend: {faults}"
    assert all("\n" not in fault for fault in faults), "each fault is one sentence"


@damaged
def test_a_start_on_a_damaged_database_is_one_sentence_or_goes_well(
    used: House, damage: Callable[[bytes], bytes]
) -> None:
    """It goes well where the damage lies in what a start does not read; never a traceback, and nothing is written."""
    file = used.settings.database
    file.write_bytes(damage(file.read_bytes()))
    before = file.read_bytes()
    said = start(used)
    assert "\n" not in said
    assert said == "" or str(file) in said or "database" in said
    assert file.read_bytes() == before


def start(house: House) -> str:
    """What a start says; nothing where it goes well."""
    try:
        open_house(house.settings)
    except StoreError as error:
        return str(error)
    return ""
