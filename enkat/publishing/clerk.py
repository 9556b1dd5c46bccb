"""Reads the answers of a period, tabulates them, and says what becomes of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlite_utils import Database

from enkat.disclosure import Group, Holding, Joining, is_fit
from enkat.model.meeting import CountedMeeting
from enkat.model.result import PUBLISHED, Outcome, Scope, Snapshot, Table
from enkat.model.survey import Questionnaire, Response, Role
from enkat.publishing.tables import Scores, Tabulation
from enkat.scoring import in_parts, index_score
from enkat.storage import meetings

#: Meetings read at a time: few enough that no read holds up whoever sends an answer.
_BATCH = 200

#: Response rates are rounded to so many per cent.
RATE_STEP = 5


@dataclass(frozen=True)
class Decision:
    """What became of a period: its snapshot, the categories of its tables that are shown together and whether all of
    them by nature, and whose answers it is about, which were found in so many meetings."""

    snapshot: Snapshot
    joined: tuple[tuple[Table, Group, bool], ...]
    scope: Scope
    meetings: int


@dataclass
class _Gathered:
    """What is known of the answers of a scope beside its tables when all of them have been read."""

    meetings: int = 0
    eligible: int = 0
    forms: set[tuple[str, int]] = field(default_factory=set)


@dataclass(frozen=True)
class Clerk:
    """Reads the answers of a scope, tabulates them and decides."""

    db: Database
    smallest: int
    today: date
    forms: Mapping[tuple[str, int], Questionnaire]

    def decide(self, scope: Scope, periods: tuple[str, ...], year: int, tables: Sequence[Tabulation]) -> Decision:
        """A period's snapshot. `periods` are those it covers if it is published; else only its last is settled."""
        gathered, whole = self._gather(scope, tables), tables[0].whole()
        answers = whole.answers
        outcome, cells, joined = Outcome.EMPTY, [], []
        # Nobody answered is no other outcome than too few did: of one who was invited alone it would tell which.
        if answers or gathered.eligible:
            outcome = Outcome.PUBLISHED if self._fits(whole) else Outcome.JOINED
        if outcome is Outcome.PUBLISHED:
            for table in tables:
                of_table, steps = table.cells(periods, self._fits)
                cells += of_table
                joined += [(table.table, *group) for group in _shown_together(steps)]
        snapshot = Snapshot(scope.grain, periods[-1:], year, outcome, self.today)
        if outcome is Outcome.PUBLISHED:
            rate = _rate(answers, gathered.eligible)
            forms = tuple(sorted(gathered.forms))
            snapshot = Snapshot(scope.grain, periods, year, outcome, self.today, answers, rate, forms, tuple(cells))
        return Decision(snapshot, tuple(joined), scope, gathered.meetings)

    def _fits(self, holding: Holding) -> bool:
        return is_fit(holding, PUBLISHED, self.smallest)

    def _gather(self, scope: Scope, tables: Sequence[Tabulation]) -> _Gathered:
        gathered = _Gathered()
        for meeting in self._meetings(scope):
            by_role: dict[Role, list[Scores]] = {role: [] for role in scope.roles if meeting.invited.get(role)}
            for response in meeting.responses:
                by_role.setdefault(response.role, []).append(self._scores(response))
                gathered.forms.add((response.questionnaire, response.version))
            gathered.meetings += 1
            gathered.eligible += max(
                sum(map(len, by_role.values())), sum(meeting.invited.get(role, 0) for role in scope.roles)
            )
            for table in tables if by_role else ():
                table.add(meeting, by_role)
        return gathered

    def _meetings(self, scope: Scope) -> Iterator[CountedMeeting]:
        after = ""
        while batch := meetings.in_scope(self.db, scope, after, _BATCH):
            yield from batch
            after = batch[-1].meeting.id

    def _scores(self, response: Response) -> Scores:
        """An answer's scores by the version of the questionnaire that it was given to."""
        form = self.forms.get((response.questionnaire, response.version))
        return {index: in_parts(index_score(form, index, response.answers)) if form else None for index in PUBLISHED}


def _shown_together(steps: Sequence[Joining]) -> list[tuple[Group, bool]]:
    """The groups that the steps have led to, and whether every step was natural."""
    groups: dict[Group, bool] = {}
    for step in steps:
        natural = [groups.pop(part, True) for part in (step.group, step.partner)]
        groups[step.whole] = all(natural) and step.is_natural
    return list(groups.items())


def _rate(answers: int, eligible: int) -> int | None:
    return round(100 * answers / eligible / RATE_STEP) * RATE_STEP if eligible else None
