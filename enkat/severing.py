"""After publishing: what joins an answer to its meeting is cut, as soon as nothing that is to be published needs it.

A free text leaves its meeting when the figures it came with are published, a response when its year is. From then on
the responses of one meeting share a random number, which says that they belong together and not where; children's have
one of their own.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from enkat.model.audit import TERMINAL, Act
from enkat.model.result import ADULTS, Grain, Outcome
from enkat.model.survey import Role
from enkat.model.text import BATCH, TextState
from enkat.storage import audit, meetings, responses, snapshots, texts
from enkat.storage.engine import leave_remnants, write

#: Texts of one assignment alone would be known for its own, however many there are.
_FEWEST_ASSIGNMENTS = 2

#: Meetings cut off in one write: few enough that nobody who sends an answer is held up.
_AT_ONCE = 200


@dataclass(frozen=True)
class Severed:
    """How many meetings gave up their responses, and how many free texts left theirs."""

    meetings: int
    texts: int


def sever(db: Database, *, by: str = TERMINAL) -> Severed:
    """Cut whatever is due; nothing is written where nothing is."""
    years = _years(db)
    cut = 0
    while found := meetings.with_answers_known(db, years, _AT_ONCE):
        cut += _cut(db, found, ADULTS, by)
    while found := responses.with_childrens_to_cut(db, _AT_ONCE):
        cut += _cut(db, found, (Role.CHILD,), by)
    return Severed(cut, _unlock(db))


def _years(db: Database) -> list[str]:
    """The periods of quarters whose year is settled: published, or without anything to publish."""
    known = snapshots.outcomes(db)
    settled = [one.year for one in known if one.grain is Grain.YEAR and one.outcome is not Outcome.JOINED]
    return [one.period for one in known if one.grain is Grain.QUARTER and settled and one.year <= max(settled)]


def _cut(db: Database, found: Sequence[str], roles: tuple[Role, ...], by: str) -> int:
    """Cut some meetings off, those without an answer like the others; how many had any. Adults' turn is when a meeting
    forgets how many answers it had: it must not tell whether a child's are still waiting."""
    with write(db):
        changed = [responses.cluster(db, meeting, roles, secrets.token_hex(8)) for meeting in found]
        if roles is ADULTS:
            for meeting in found:
                meetings.forget_answers(db, meeting)
        if any(changed):
            # Not of which meetings: it would tell for good in which of them a child has answered.
            audit.note(db, by, Act.RESPONSES_SEVERED, "adults" if roles is ADULTS else "children")
            leave_remnants(db)
    return len(changed) - changed.count(0)


def _unlock(db: Database) -> int:
    """Let texts leave their meetings, those of two assignments at least together, and be read once there are enough new
    ones."""
    if texts.assignments_to_unlock(db) < _FEWEST_ASSIGNMENTS:
        return 0
    with write(db):
        left = texts.unlock(db)
        if texts.counts(db)[TextState.GATHERING] >= BATCH:
            texts.move_all(db, TextState.GATHERING, TextState.READABLE)
        leave_remnants(db)
    return left
