"""The schema, as steps that are taken once each and never edited after they have been released; one module each.

Tables are STRICT and WITHOUT ROWID: keys are random, so there is no row number to tell in what order rows came.
(The order of cells within a page can still tell it until the count, which writes everything anew in shuffled
order.) Where a check repeats the values of an enum it does so on purpose: the step stays what it was when the enum
grows.
"""

import re

from sqlite_utils import Database, Migrations

from enkat.model.errors import StoreError
from enkat.storage.engine import APPLICATION_ID, rows, translated, write
from enkat.storage.migrations import links_that_arrive, nobody_can_tell, one_meeting, published_results

migrations = Migrations("enkat")

_SQL = {
    "one_meeting": one_meeting.SQL,
    "published_results": published_results.SQL,
    "nobody_can_tell": nobody_can_tell.SQL,
    "links_that_arrive": links_that_arrive.SQL,
}

#: The names of all steps there are, in their order.
STEPS = tuple(_SQL)


def _take(name: str) -> None:
    """Add a step: its statements, which an empty line parts, one after the other."""

    @migrations(name=name)
    def step(db: Database) -> None:
        for statement in _SQL[name].split(";\n\n"):
            db.execute(statement)


for _name in STEPS:
    _take(_name)


def migrate(db: Database) -> None:
    """Take every step that has not been taken, all of them or none; safe when several start at once."""
    if not pending(db):
        return
    db.conn.execute("pragma foreign_keys = off")  # a step may rebuild a table that others refer to
    try:
        with write(db):
            db.conn.execute(f"pragma application_id = {APPLICATION_ID}")
            migrations.apply(db)
            if broken := rows(db, "pragma foreign_key_check"):
                raise StoreError(f"the migration would leave {len(broken)} broken references; restore a backup")
    finally:
        db.conn.execute("pragma foreign_keys = on")


def is_new(db: Database) -> bool:
    """True where no step has been taken yet."""
    return not _taken(db)


def pending(db: Database) -> list[str]:
    """The steps that this database has not taken; StoreError where it has taken some that we do not know."""
    taken = _taken(db)
    if newer := sorted(taken.difference(STEPS)):
        raise StoreError(f"the database is of a newer enkat (it has '{newer[0]}'); upgrade the program")
    return [step for step in STEPS if step not in taken]


def _taken(db: Database) -> set[str]:
    with translated("read"):
        return {step.name for step in migrations.applied(db)}


#: What keeps published figures and the audit log from being changed.
_TRIGGERS = re.findall(r"create trigger (\w+)", "".join(_SQL.values()))


def faults(db: Database) -> list[str]:
    """What is wrong with the file and with what guards it, for `enkat check`."""
    try:
        found = [str(row["quick_check"]) for row in rows(db, "pragma quick_check") if row["quick_check"] != "ok"]
        found += [
            f"a row of {row['table']} refers to a {row['parent']} that is gone"
            for row in rows(db, "pragma foreign_key_check")
        ]
        there = {row["name"] for row in rows(db, "select name from sqlite_master where type = 'trigger'")}
        found += [f"the trigger {name} is gone" for name in _TRIGGERS if name not in there]
        found += [f"the trigger {name} is not enkat's" for name in sorted(there.difference(_TRIGGERS))]
    except StoreError as error:
        return [str(error)]
    return [f"database: {' '.join(fault.split())}; restore a backup" for fault in found]
