"""The ballot box: sealed answers until their count."""

from sqlite_utils import Database

from enkat.model.meeting import Ballot
from enkat.storage.engine import first, insert, rows, run

_BALLOT = "select id, meeting, sealed, receipt_hash, repeat_check from ballot"


def put(db: Database, ballot: Ballot) -> None:
    """Put a ballot into the box."""
    record = {"id": ballot.id, "meeting": ballot.meeting, "sealed": ballot.sealed}
    insert(db, "ballot", record | {"receipt_hash": ballot.receipt_hash, "repeat_check": ballot.repeat_check})


def find(db: Database, receipt_hash: bytes) -> Ballot | None:
    """A ballot by its receipt."""
    row = first(db, f"{_BALLOT} where receipt_hash = :receipt_hash", receipt_hash=receipt_hash)
    return Ballot(**row) if row else None


def take_back(db: Database, receipt_hash: bytes) -> bool:
    """Remove a ballot by its receipt; False where there is none."""
    return run(db, "delete from ballot where receipt_hash = :receipt_hash", receipt_hash=receipt_hash) == 1


def of_meeting(db: Database, meeting: str) -> list[Ballot]:
    """All ballots of a meeting."""
    return [Ballot(**row) for row in rows(db, f"{_BALLOT} where meeting = :meeting", meeting=meeting)]


def delete_of(db: Database, meeting: str) -> None:
    """Empty a meeting's box, at its count."""
    run(db, "delete from ballot where meeting = :meeting", meeting=meeting)
