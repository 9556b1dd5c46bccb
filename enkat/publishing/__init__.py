"""Fourth bend: a quarter that is over and counted is published once, and a year with its last quarter.

What is published never changes. So a meeting that is counted late, because a clock went back, is published with the
first quarter that can still hold it; a quarter waits for all its meetings to be counted; and everything is worked out
before the one write that keeps it, in short reads, so that nobody who sends an answer is held up.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlite_utils import Database

from enkat.disclosure import Group, Holding, Joining, is_fit
from enkat.model.errors import StoreUnavailable
from enkat.model.meeting import CountedMeeting
from enkat.model.result import ADULTS, PUBLISHED, Grain, Outcome, Quarter, Scope, Snapshot, Table
from enkat.model.survey import Questionnaire, Response, Role
from enkat.publishing.tables import Scores, Tabulation, of_children, of_quarter, of_year
from enkat.scoring import in_parts, index_score
from enkat.storage import meetings, questionnaires, snapshots, staff
from enkat.storage.engine import write

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


@dataclass(frozen=True)
class Publication:
    """What was decided, which periods are still to come, which quarters wait to be joined with the next one, and how
    many meetings that are over hold that up because they are not counted."""

    decisions: tuple[Decision, ...]
    open: tuple[str, ...]
    waiting: tuple[str, ...] = ()
    uncounted: int = 0

    @property
    def published(self) -> tuple[str, ...]:
        """The periods that were published, each once."""
        done = [one.snapshot for one in self.decisions if one.snapshot.outcome is Outcome.PUBLISHED]
        return tuple(dict.fromkeys(one.period for one in done))


def publish_due(db: Database, smallest: int, today: date) -> Publication:
    """Publish every quarter that is over and counted, the oldest first, and the years that end with them. `smallest`
    is the number of answers that a cell must hold. StoreUnavailable where something was changed meanwhile."""
    decided: list[Decision] = []
    while (due := next_due(db, past := _past(db), today)) is not None:
        found = _decide(db, due, smallest, today, past)
        if _keep(db, found, past):
            decided += found
    return _publication(db, decided, past, today)


def rehearse(db: Database, smallest: int, today: date) -> Publication:
    """What `publish_due` would do; nothing is changed."""
    decided: list[Decision] = []
    past = _past(db)
    while (due := next_due(db, past, today)) is not None:
        found = _decide(db, due, smallest, today, past)
        decided += found
        past = past.and_then(found)
    return _publication(db, decided, past, today)


def _publication(db: Database, decided: Sequence[Decision], past: "Past", today: date) -> Publication:
    quarter = next_quarter(db, past)
    uncounted = meetings.open_until(db, quarter.last) if quarter and quarter.last < today else 0
    return Publication(tuple(decided), _open_periods(db, past), past.waiting(Grain.QUARTER), uncounted)


@dataclass(frozen=True)
class Past:
    """What has been decided, the oldest first: the snapshots that are kept, and those that are not kept yet."""

    kept: tuple[Snapshot, ...]
    new: tuple[Snapshot, ...] = ()

    def and_then(self, found: Sequence[Decision]) -> "Past":
        """With further decisions that are not kept yet."""
        return Past(self.kept, (*self.new, *(one.snapshot for one in found)))

    @property
    def last_quarter(self) -> Quarter | None:
        """The last quarter that was decided on."""
        found = [one.quarters[-1] for one in (*self.kept, *self.new) if one.grain is Grain.QUARTER]
        return found[-1] if found else None

    def waiting(self, grain: Grain) -> tuple[str, ...]:
        """The last periods of a grain, which are to be joined with the next."""
        periods: tuple[str, ...] = ()
        for one in (*self.kept, *self.new):
            if one.grain is grain:
                periods = (*periods, *one.periods) if one.outcome is Outcome.JOINED else ()
        return periods

    def scope(self, grain: Grain, until: date) -> Scope:
        """The meetings that no snapshot has settled by a day."""
        return Scope(grain, until, _end(self.new, grain))

    def of_years(self, years: Collection[int]) -> list[Snapshot]:
        """The quarters that count in some years."""
        return [one for one in (*self.kept, *self.new) if one.grain is Grain.QUARTER and one.year in years]

    def year_scope(self, years: Collection[int]) -> Scope | None:
        """The meetings of some years' quarters, those not kept yet too; None where nothing of them is published."""
        quarters = self.of_years(years)
        if not any(one.outcome is Outcome.PUBLISHED for one in quarters):
            return None
        kept = tuple(one.period for one in quarters if one in self.kept)
        until = _end([one for one in quarters if one in self.new], Grain.QUARTER) or date.min
        return Scope(Grain.YEAR, until, _end([one for one in self.new if one.year < min(years)], Grain.QUARTER), kept)


def next_due(db: Database, past: Past, today: date) -> Quarter | None:
    """The first quarter not decided on, where it is over and every meeting that closed in it is counted. A year in
    which no meeting closes is not begun: a clock that runs decades ahead for a day must not settle those decades."""
    quarter = next_quarter(db, past)
    if quarter is None or quarter.last >= today or meetings.open_until(db, quarter.last):
        return None
    return quarter if quarter.number > 1 or meetings.any_unpublished_from(db, quarter.first) else None


def next_quarter(db: Database, past: Past) -> Quarter | None:
    """The first quarter not decided on; None while there are no meetings."""
    if past.last_quarter is not None:
        return past.last_quarter.next
    closing = meetings.first_closing(db)
    return Quarter.of(closing) if closing else None


@dataclass(frozen=True)
class Outlook:
    """The next quarter to be decided on, as it is seen on a day."""

    quarter: Quarter
    today: date

    @property
    def day(self) -> date:
        """The first day on which it can be published."""
        return self.quarter.next.first

    @property
    def year_day(self) -> date:
        """The first day on which its year can be published."""
        return date(self.quarter.year + 1, 1, 1)

    @property
    def is_over(self) -> bool:
        """Whether it only waits for its meetings to be counted."""
        return self.day <= self.today

    @property
    def is_year_over(self) -> bool:
        """Whether its year only waits for that."""
        return self.year_day <= self.today


def outlook(db: Database, today: date) -> Outlook:
    """What is published next, and when."""
    return Outlook(next_quarter(db, _past(db)) or Quarter.of(today), today)


def _past(db: Database) -> Past:
    return Past(tuple(snapshots.outcomes(db)))


def _end(among: Sequence[Snapshot], grain: Grain) -> date | None:
    """The last day of the last period of a grain that is settled, that is published or empty."""
    settled = [one for one in among if one.grain is grain and one.outcome is not Outcome.JOINED]
    return settled[-1].last_day if settled else None


def _decide(db: Database, quarter: Quarter, smallest: int, today: date, past: Past) -> list[Decision]:
    """What becomes of a quarter, and with the last one of a year what becomes of the year and of its children's."""
    clerk = _Clerk(db, smallest, today, questionnaires.all_versions(db))
    months = [month for one in (*past.waiting(Grain.QUARTER), str(quarter)) for month in Quarter.read(one).months]
    found = [
        clerk.decide(
            past.scope(Grain.QUARTER, quarter.last),
            (*past.waiting(Grain.QUARTER), str(quarter)),
            quarter.year,
            of_quarter(months),
        )
    ]
    if quarter.number == 4:
        years = (*past.waiting(Grain.YEAR), str(quarter.year))
        of_years = past.and_then(found).year_scope([int(year) for year in years])
        if of_years is not None:
            found.append(clerk.decide(of_years, years, quarter.year, of_year(staff.units(db))))
        children, born = (
            past.scope(Grain.CHILD_YEAR, quarter.last),
            (*past.waiting(Grain.CHILD_YEAR), str(quarter.year)),
        )
        found.append(clerk.decide(children, born, quarter.year, of_children()))
    return found


def _keep(db: Database, found: Sequence[Decision], past: Past) -> bool:
    """Keep what was decided and mark the meetings it is about; False where somebody else has decided meanwhile."""
    with write(db):
        if _past(db) != past:
            return False
        for one in found:
            snapshots.put(db, one.snapshot)
            if one.snapshot.outcome is Outcome.JOINED or one.snapshot.grain is Grain.YEAR:
                continue
            if meetings.mark_published(db, one.scope, one.snapshot.period) != one.meetings:
                raise StoreUnavailable(f"a meeting was counted while {one.snapshot.period} was worked out; try again")
    return True


def _open_periods(db: Database, past: Past) -> tuple[str, ...]:
    """The quarters with meetings that are not settled, and the years that are still to come: those in which such
    quarters will count, those that have begun, and those after a year that waits for the next."""
    months = meetings.unpublished_months(db, _end(past.new, Grain.QUARTER))
    quarters = sorted({Quarter.of(date.fromisoformat(f"{month}-01")) for month in months})
    last = past.last_quarter
    years = {str(quarter.year if last is None or quarter > last else last.next.year) for quarter in quarters}
    if last is not None and last.number < 4 and past.of_years([last.year]):
        years.add(str(last.year))
    waiting = [past.waiting(grain)[-1:] for grain in (Grain.YEAR, Grain.CHILD_YEAR)]
    years.update(str(int(year) + 1) for last_one in waiting for year in last_one)
    return (*map(str, quarters), *sorted(years))


@dataclass
class _Gathered:
    """What is known of the answers of a scope when all of them have been read."""

    meetings: int = 0
    eligible: int = 0
    holding: Holding = field(default_factory=Holding)
    forms: set[tuple[str, int]] = field(default_factory=set)


@dataclass(frozen=True)
class _Clerk:
    """Reads the answers of a scope, tabulates them and decides."""

    db: Database
    smallest: int
    today: date
    forms: Mapping[tuple[str, int], Questionnaire]

    def decide(self, scope: Scope, periods: tuple[str, ...], year: int, tables: Sequence[Tabulation]) -> Decision:
        """A period's snapshot. `periods` are those it covers if it is published; else only its last is settled."""
        gathered = self._gather(scope, tables)
        answers = gathered.holding.answers
        outcome, cells, joined = Outcome.EMPTY, [], []
        if answers:
            outcome = Outcome.PUBLISHED if self._fits(gathered.holding) else Outcome.JOINED
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
        roles = (Role.CHILD,) if scope.grain is Grain.CHILD_YEAR else ADULTS
        for meeting in self._meetings(scope):
            by_role: dict[Role, list[Scores]] = {role: [] for role in roles if meeting.invited.get(role)}
            for response in meeting.responses:
                if response.role in roles:
                    scores = self._scores(response)
                    by_role.setdefault(response.role, []).append(scores)
                    gathered.holding.add(meeting.assignment.id, scores)
                    gathered.forms.add((response.questionnaire, response.version))
            gathered.meetings += 1
            gathered.eligible += max(
                sum(map(len, by_role.values())), sum(meeting.invited.get(role, 0) for role in roles)
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
