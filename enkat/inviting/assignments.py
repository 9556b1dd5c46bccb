"""The work with one family, under a pseudonymous reference."""

import re

from sqlite_utils import Database

from enkat import identifiers
from enkat.inviting.places import new_id
from enkat.model.audit import TERMINAL, Act
from enkat.model.errors import Refused
from enkat.model.meeting import Assignment, Source
from enkat.storage import audit, meetings
from enkat.storage.engine import write

#: Letters, digits and a few marks; long enough for a register's number, too short for a story.
_REFERENCE = re.compile(r"[\w][\w ./-]{0,39}")

#: Two words or more, each a capital and small letters: Anna Svensson, Omar Al-Hassan.
_NAME = r"[A-ZÅÄÖÉ][a-zåäöéü]+(?:-[A-ZÅÄÖÉ][a-zåäöéü]+)?"
_FULL_NAME = re.compile(f"{_NAME}(?: {_NAME})+")


def judge_reference(reference: str) -> str:
    """A reference fit to be stored; Refused where it is empty, unfit, or looks like a personal identity number."""
    reference = " ".join(reference.split())
    if identifiers.has_identity_number(reference):
        raise Refused(
            "identity_number",
            "the reference looks like a personal identity number; use a pseudonym such as M-114, for whoever "
            "sees the reference must not learn whose family it is",
        )
    if _FULL_NAME.fullmatch(reference):
        raise Refused(
            "name_like",
            "the reference looks like a name; use a pseudonym such as M-114, for whoever sees the reference must "
            "not learn whose family it is",
        )
    if not _REFERENCE.fullmatch(reference):
        raise Refused("reference", "a reference is 1-40 letters, digits, spaces and . / - , such as M-114")
    return reference


def open_assignment(
    db: Database, reference: str, unit: str, source: Source | None, protected: bool = False, *, by: str = TERMINAL
) -> Assignment:
    """The unit's assignment of that reference, opened now where it is new. A new one needs a source, and a
    known one keeps what it has: Refused where something else is said of it."""
    reference = judge_reference(reference)
    with write(db):
        known = meetings.assignments_called(db, reference, {unit})
        if known:
            if source not in (None, known[0].source):
                raise Refused("other_source", f"{reference} is known already, with the source {known[0].source}")
            if protected and not known[0].protected:
                raise Refused("other_protection", f"{reference} is known already, without protection")
            return known[0]
        if source is None:
            raise Refused("no_source", f"{reference} is new; say where it comes from")
        assignment = Assignment(new_id(), reference, unit, source, protected)
        meetings.add_assignment(db, assignment)
        audit.note(db, by, Act.ASSIGNMENT_OPENED, assignment.id)
    return assignment
