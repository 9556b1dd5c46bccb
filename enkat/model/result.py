"""What is published: periods, cells and the snapshots that hold them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from enkat.model.survey import Index, Role

#: The indices that every table shows, in this order.
PUBLISHED = (Index.PARTICIPATION, Index.USEFULNESS)

#: Whose answers after a meeting make up the tables of quarters and years. Children are a population of their own.
ADULTS = (Role.FAMILY, Role.KIN, Role.PROFESSIONAL)

#: The one category of a table that does not split its period's answers any further.
ALL = "all"

#: Joins the periods or categories of a joined cell wherever they are written as one word.
PLUS = "+"


class Table(StrEnum):
    """What a table splits its period's answers by. Each dimension stands at one grain only, for two grains of one
    dimension could be subtracted from each other."""

    MONTH = "month"
    QUARTER_ROLE = "quarter_role"
    YEAR_UNIT = "year_unit"
    YEAR_SOURCE = "year_source"
    YEAR_NUMBER = "year_number"
    YEAR_CHILD = "year_child"


class Grain(StrEnum):
    """What is published at once: a quarter of adults' answers, their year, or a year of children's."""

    QUARTER = "quarter"
    YEAR = "year"
    CHILD_YEAR = "child_year"


class Outcome(StrEnum):
    """What became of a period when it was over and counted."""

    PUBLISHED = "published"
    JOINED = "joined"  # with the next, for it does not fit as a whole
    EMPTY = "empty"


@dataclass(frozen=True, order=True)
class Quarter:
    """A quarter of a calendar year, written 2026-Q4."""

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> "Quarter":
        """The quarter that a day lies in."""
        return cls(day.year, (day.month + 2) // 3)

    @classmethod
    def read(cls, text: str) -> "Quarter":
        """The quarter that is written so."""
        year, _, number = text.partition("-Q")
        return cls(int(year), int(number))

    def __str__(self) -> str:
        return f"{self.year}-Q{self.number}"

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return self.next.first - timedelta(days=1)

    @property
    def next(self) -> "Quarter":
        """The quarter after it."""
        return Quarter(self.year, self.number + 1) if self.number < 4 else Quarter(self.year + 1, 1)

    @property
    def months(self) -> tuple[str, ...]:
        """Its months, written 2026-10."""
        return tuple(f"{self.year}-{month:02}" for month in range(3 * self.number - 2, 3 * self.number + 1))

    def until(self, end: "Quarter") -> list["Quarter"]:
        """The quarters from this one to `end`, both included."""
        found = [self]
        while found[-1] < end:
            found.append(found[-1].next)
        return found


@dataclass(frozen=True)
class Scope:
    """Which counted meetings belong to something that is to be published: those already `published_in` some periods,
    and those not yet published that close after one day (any day where it is None) and by another."""

    grain: Grain
    until: date
    after: date | None = None
    published_in: tuple[str, ...] = ()

    @property
    def roles(self) -> tuple[Role, ...]:
        """Whose answers it is about."""
        return (Role.CHILD,) if self.grain is Grain.CHILD_YEAR else ADULTS


@dataclass(frozen=True)
class Cell:
    """One published figure: an index over all answers of some categories in some periods.

    `n` is the number of answers and `meetings` that of their meetings; `mean`, `low` and `high` are whole points from
    0 to 100, the last two None where no interval is shown.
    """

    table: Table
    periods: tuple[str, ...]
    categories: tuple[str, ...]
    index: Index
    n: int
    meetings: int
    mean: int
    low: int | None
    high: int | None

    @property
    def period(self) -> str:
        """Its periods as one word."""
        return PLUS.join(self.periods)

    @property
    def category(self) -> str:
        """Its categories as one word."""
        return PLUS.join(self.categories)


@dataclass(frozen=True)
class Snapshot:
    """What became of a period, once and for all; the figures where it was published.

    `periods` are the quarters or years that it covers, and `year` the one whose tables they count in. `n` is the
    number of answers and `rate` the response rate in per cent, rounded to 5. `forms` are the questionnaires that were
    answered, with their versions.
    """

    grain: Grain
    periods: tuple[str, ...]
    year: int
    outcome: Outcome
    published: date
    n: int = 0
    rate: int | None = None
    forms: tuple[tuple[str, int], ...] = ()
    cells: tuple[Cell, ...] = ()

    @property
    def period(self) -> str:
        """Its periods as one word."""
        return PLUS.join(self.periods)

    @property
    def last_day(self) -> date:
        """The day on which its last period ends."""
        return date(self.year, 12, 31) if self.grain is not Grain.QUARTER else self.quarters[-1].last

    @property
    def quarters(self) -> tuple[Quarter, ...]:
        """The quarters that a snapshot of quarters covers."""
        return tuple(Quarter.read(period) for period in self.periods)


def cells_of(snapshots: Sequence[Snapshot], table: Table, index: Index) -> list[Cell]:
    """The cells of one table and index, in the order in which they were published."""
    return [cell for one in snapshots for cell in one.cells if cell.table is table and cell.index is index]
