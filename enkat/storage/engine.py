"""The connection: opened with the settings that keep answers whole, written to in one way only.

The journal is truncated, not a WAL: a WAL keeps a history of commits, and several SQLite versions in use can
corrupt one. `synchronous=EXTRA` makes a thanked-for answer survive a power cut; `secure_delete` overwrites what
is deleted.
"""

import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from enkat.model.errors import StoreError, StoreUnavailable

#: "enka": by this a database is known to be ours.
APPLICATION_ID = 0x656E6B61

_PRAGMAS = {
    "busy_timeout": 5000,
    "foreign_keys": "on",
    "journal_mode": "truncate",
    "synchronous": "extra",
    "secure_delete": "on",
    "trusted_schema": "off",
    "cell_size_check": "on",
    "temp_store": "memory",
}

#: Rows that one statement inserts: twice as fast as one by one, and far from SQLite's limits.
_AT_ONCE = 50

Row = dict[str, Any]


def connect(file: Path, *, create: bool = False) -> Database:
    """A connection to an enkat database; StoreError where the file is none, or another program's."""
    if create and not file.exists():
        _create_private(file)
    db = reconnect(file)
    try:
        # In this order: somebody else may be making the tables between the two.
        is_empty = number(db, "select count(*) as tables from sqlite_master") == 0
        if number(db, "pragma application_id") != APPLICATION_ID and not is_empty:
            raise StoreError(f"{file} is another program's database; name another folder with ENKAT_INSTANCE")
    except BaseException:
        db.close()
        raise
    return db


def reconnect(file: Path) -> Database:
    """A further connection to a database that has been recognised: what each request opens for itself."""
    if not file.exists():
        raise StoreError(f"{file} does not exist; run `enkat serve` or another command that makes it first")
    try:
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
    except sqlite3.Error as error:
        raise StoreError(f"{file} cannot be opened: {error}") from error
    try:
        connection.executescript("".join(f"pragma {name} = {value};" for name, value in _PRAGMAS.items()))
    except sqlite3.OperationalError as error:
        connection.close()
        raise StoreUnavailable(f"{file} cannot be used now: {error}") from error
    except sqlite3.DatabaseError as error:
        connection.close()
        raise StoreError(f"{file} is not a database ({error}); move it away or restore a backup") from error
    return Database(connection, recursive_triggers=False, execute_plugins=False)


def _create_private(file: Path) -> None:
    """An empty file that only its owner can read; SQLite fills it."""
    try:
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(f"{file} cannot be made ({error.strerror}); can this user write its folder?") from error


@contextmanager
def write(db: Database) -> Iterator[None]:
    """One whole write or none. BEGIN IMMEDIATE takes the lock before the first read, so that what is read
    inside still holds at the commit. StoreUnavailable where the database is locked, full or read-only."""
    with translated("written"):
        db.conn.execute("begin immediate")
        try:
            yield
            db.conn.execute("commit")
        except BaseException:
            db.rollback()
            raise


@contextmanager
def filling(db: Database) -> Iterator[None]:
    """A larger page cache for this connection while very much is written: most of it finds its page in memory."""
    usual = number(db, "pragma cache_size")
    db.conn.execute("pragma cache_size = -65536")
    try:
        yield
    finally:
        db.conn.execute(f"pragma cache_size = {usual}")


def leave_remnants(db: Database) -> None:
    """Note, inside `write`, that rows were deleted which nobody is to find again. What is deleted is overwritten,
    but moving rows between pages can leave parts of them behind until the file is written anew."""
    db.conn.execute("pragma user_version = 1")


def clear_remnants(db: Database) -> None:
    """Write the file anew where something was left behind; StoreUnavailable where it cannot be done now. The copy
    that SQLite makes meanwhile lies beside the file, not in memory: it is as large as the database, and holds nothing
    that the database does not."""
    if number(db, "pragma user_version"):
        os.environ["SQLITE_TMPDIR"] = str(Path(rows(db, "pragma database_list")[0]["file"]).parent)
        with translated("cleared"):
            db.conn.execute("pragma temp_store = file")
            try:
                db.conn.execute("vacuum")
            finally:
                db.conn.execute(f"pragma temp_store = {_PRAGMAS['temp_store']}")
        with write(db):
            db.conn.execute("pragma user_version = 0")


def rows(db: Database, sql: str, **values: object) -> list[Row]:
    """All rows of a query, as dictionaries."""
    with translated("read"):
        cursor = db.execute(sql, values)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def tuples(db: Database, sql: str, **values: object) -> list[tuple[Any, ...]]:
    """All rows of a query as they come, for queries that find very many."""
    with translated("read"):
        return db.execute(sql, values).fetchall()


@contextmanager
def translated(verb: str) -> Iterator[None]:
    """SQLite's complaints about the file as ours; a broken rule of the schema stays what it is, a bug."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError):
        raise
    except sqlite3.OperationalError as error:
        raise StoreUnavailable(f"the database cannot be {verb} now: {error}") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(f"the database is damaged ({error}); restore a backup") from error


def first(db: Database, sql: str, **values: object) -> Row | None:
    """The first row of a query, or None."""
    found = rows(db, sql, **values)
    return found[0] if found else None


def number(db: Database, sql: str, **values: object) -> int:
    """The single number a query gives."""
    return int(next(iter(rows(db, sql, **values)[0].values())))


def run(db: Database, sql: str, **values: object) -> int:
    """Carry out a statement inside `write`; how many rows it changed."""
    return int(db.execute(sql, values).rowcount)


def insert(db: Database, table: str, record: Mapping[str, object]) -> None:
    """Add one row. Unlike sqlite-utils' own insert this never makes a table or column that was mistyped."""
    columns = ", ".join(record)
    places = ", ".join(f":{name}" for name in record)
    db.execute(f"insert into {table} ({columns}) values ({places})", dict(record))


def insert_all(db: Database, table: str, columns: Sequence[str], records: Iterable[Sequence[object]]) -> None:
    """Add many rows at once, each a value for each of the columns."""
    into, places = f"insert into {table} ({', '.join(columns)}) values ", f"({', '.join('?' * len(columns))})"
    left = iter(records)
    while some := list(islice(left, _AT_ONCE)):
        db.conn.execute(into + ", ".join([places] * len(some)), list(chain.from_iterable(some)))


def placeholders(prefix: str, values: Collection[str]) -> tuple[str, dict[str, str]]:
    """The inside of an IN (...) and its named values; an empty collection matches nothing."""
    named = {f"{prefix}{number}": value for number, value in enumerate(sorted(values))}
    return ", ".join(f":{name}" for name in named) or "null", named
