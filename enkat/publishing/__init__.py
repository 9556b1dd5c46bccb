"""Fourth bend: a quarter that is over and counted is published once, and a year with its last quarter.

What is published never changes. So a meeting that is counted late, because a clock went back, is published with the
first quarter that can still hold it; a quarter waits for all its meetings to be counted; and everything is worked out
before the one write that keeps it, in short reads, so that nobody who sends an answer is held up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlite_utils import Database

from enkat.model.audit import TERMINAL, Act
from enkat.model.errors import StoreUnavailable
from enkat.model.result import Grain, Outcome, Quarter
from enkat.publishing.clerk import Clerk, Decision
from enkat.publishing.past import Past, settled_until
from enkat.publishing.tables import of_children, of_quarter, of_year
from enkat.storage import audit, meetings, questionnaires, snapshots, staff
from enkat.storage.engine import write


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


def publish_due(db: Database, smallest: int, today: date, *, by: str = TERMINAL) -> Publication:
    """Publish every quarter that is over and counted, the oldest first, and the years that end with them. `smallest`
    is the number of answers that a cell must hold. StoreUnavailable where something was changed meanwhile."""
    decided: list[Decision] = []
    while (due := next_due(db, past := _past(db), today)) is not None:
        found = _decide(db, due, smallest, today, past)
        if _keep(db, found, past, by):
            decided += found
    return _publication(db, decided, past, today)


def rehearse(db: Database, smallest: int, today: date) -> Publication:
    """What `publish_due` would do; nothing is changed."""
    decided: list[Decision] = []
    past = _past(db)
    while (due := next_due(db, past, today)) is not None:
        found = _decide(db, due, smallest, today, past)
        decided += found
        past = past.and_then([one.snapshot for one in found])
    return _publication(db, decided, past, today)


def _publication(db: Database, decided: Sequence[Decision], past: Past, today: date) -> Publication:
    quarter = next_quarter(db, past)
    uncounted = meetings.open_until(db, quarter.last) if quarter and quarter.last < today else 0
    return Publication(tuple(decided), _open_periods(db, past), past.waiting(Grain.QUARTER), uncounted)


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
    """What is published next, and when. A quarter that is over and has nothing left to count is no news: it has been
    published, or had no meetings."""
    quarter = next_quarter(db, _past(db)) or Quarter.of(today)
    waits = quarter.last >= today or meetings.open_until(db, quarter.last)
    return Outlook(quarter if waits else Quarter.of(today), today)


def _past(db: Database) -> Past:
    return Past(tuple(snapshots.outcomes(db)))


def _decide(db: Database, quarter: Quarter, smallest: int, today: date, past: Past) -> list[Decision]:
    """What becomes of a quarter, and with the last one of a year what becomes of the year and of its children's."""
    clerk = Clerk(db, smallest, today, questionnaires.all_versions(db))
    periods = (*past.waiting(Grain.QUARTER), str(quarter))
    months = [month for period in periods for month in Quarter.read(period).months]
    found = [clerk.decide(past.scope(Grain.QUARTER, quarter.last), periods, quarter.year, of_quarter(months))]
    if quarter.number == 4:
        years = (*past.waiting(Grain.YEAR), str(quarter.year))
        of_years = past.and_then([found[0].snapshot]).year_scope([int(year) for year in years])
        if of_years is not None:
            found.append(clerk.decide(of_years, years, quarter.year, of_year(staff.units(db))))
        years = (*past.waiting(Grain.CHILD_YEAR), str(quarter.year))
        found.append(clerk.decide(past.scope(Grain.CHILD_YEAR, quarter.last), years, quarter.year, of_children()))
    return found


def _keep(db: Database, found: Sequence[Decision], past: Past, by: str) -> bool:
    """Keep what was decided and mark the meetings it is about; False where somebody else has decided meanwhile."""
    with write(db):
        if _past(db) != past:
            return False
        for one in found:
            snapshots.put(db, one.snapshot)
            if one.snapshot.outcome is Outcome.PUBLISHED:
                audit.note(db, by, Act.PERIOD_PUBLISHED, f"{one.snapshot.grain} {one.snapshot.period}")
            if one.snapshot.outcome is Outcome.JOINED or one.snapshot.grain is Grain.YEAR:
                continue
            if meetings.mark_published(db, one.scope, one.snapshot.period) != one.meetings:
                raise StoreUnavailable(f"a meeting was counted while {one.snapshot.period} was worked out; try again")
    return True


def _open_periods(db: Database, past: Past) -> tuple[str, ...]:
    """The quarters with meetings that are not settled, and the years that are still to come: those in which such
    quarters will count, those that have begun, and those after a year that waits for the next."""
    months = meetings.unpublished_months(db, settled_until(past.new, Grain.QUARTER))
    quarters = sorted({Quarter.of(date.fromisoformat(f"{month}-01")) for month in months})
    last = past.last_quarter
    years = {str(quarter.year if last is None or quarter > last else last.next.year) for quarter in quarters}
    if last is not None and last.number < 4 and past.of_years([last.year]):
        years.add(str(last.year))
    waiting = [past.waiting(grain)[-1:] for grain in (Grain.YEAR, Grain.CHILD_YEAR)]
    years.update(str(int(year) + 1) for last_one in waiting for year in last_one)
    return (*map(str, quarters), *sorted(years))
