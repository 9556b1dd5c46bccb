"""The audit log. Entries are added and read; triggers refuse everything else, and each entry holds the hash of the one
before, so that whoever gets round the triggers leaves a break in the chain."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlite_utils import Database

from enkat.model.audit import Act, AuditEntry, AuditHead
from enkat.model.errors import StoreError
from enkat.storage.engine import Row, first, insert, rows

#: What the first entry holds in place of the hash of one before.
BEGINNING = bytes(32)


def note(db: Database, actor: str, act: Act, record: str) -> None:
    """Add an entry, inside the `write` that does what it tells of: both are there, or neither."""
    last = first(db, "select number, hash from audit_entry order by number desc limit 1")
    number, previous = (last["number"] + 1, last["hash"]) if last else (1, BEGINNING)
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    entry = AuditEntry(number, at, actor, act, record, previous, b"")
    insert(db, "audit_entry", vars(entry) | {"hash": _hash(entry)})
    if head(db).number != number:  # a trigger of somebody else's can swallow it without a word
        raise StoreError("the audit log takes no entry, so nothing is done; run `enkat check`")


def has_since(db: Database, actor: str, act: Act, moment: str) -> bool:
    """Whether somebody has done something since a moment, written as in the entries."""
    sql = "select 1 from audit_entry where actor = :actor and act = :act and at >= :moment limit 1"
    return first(db, sql, actor=actor, act=act, moment=moment) is not None


def head(db: Database) -> AuditHead:
    """The last entry that there is; number 0 where there is none."""
    row = first(db, "select number, hash from audit_entry order by number desc limit 1")
    return AuditHead(row["number"], row["hash"]) if row else AuditHead(0, BEGINNING)


def latest(db: Database, most: int) -> list[AuditEntry]:
    """The last so many entries, the oldest of them first."""
    found = rows(db, f"{_ENTRY} order by number desc limit :most", most=most)
    return [_entry(row) for row in reversed(found)]


def faults(db: Database, known: set[AuditHead]) -> Iterator[str]:
    """What is wrong with the chain itself, and with what it says of heads that were noted before."""
    expected, previous = 1, BEGINNING
    missing = {one for one in known if one.number}
    for entry in _all(db):
        if entry.number != expected:
            yield f"{_LOG}: entry {expected} is missing; {_MEND}"
        elif entry.previous != previous:
            yield f"{_LOG}: entry {entry.number} does not follow from the one before; {_MEND}"
        if entry.hash != _hash(entry):
            yield f"{_LOG}: entry {entry.number} was changed; {_MEND}"
        missing.discard(AuditHead(entry.number, entry.hash))
        expected, previous = entry.number + 1, entry.hash
    if missing:
        yield f"{_LOG}: entry {min(missing).number} is not the one that was noted earlier, or is gone; {_MEND}"


def _all(db: Database) -> Iterator[AuditEntry]:
    """Every entry, some thousand at a time: the log only grows."""
    after = -1
    while found := rows(db, f"{_ENTRY} where number > :after order by number limit 5000", after=after):
        yield from map(_entry, found)
        after = found[-1]["number"]


_LOG = "audit log"
_MEND = "somebody has changed it, or an older copy was restored; find out who and why, and keep this file"
_ENTRY = "select number, at, actor, act, record, previous, hash from audit_entry"


def _entry(row: Row) -> AuditEntry:
    return AuditEntry(**row)


def _hash(entry: AuditEntry) -> bytes:
    told = [entry.number, entry.at, entry.actor, entry.act, entry.record, entry.previous.hex()]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()).digest()
