"""One finding from what is published: how the latest quarters differ from those before them, and how sure one can be.

What is compared is settled beforehand and not chosen by what comes out: the family's own answers, or all answers
where the family's stand by themselves in too few quarters; the latest four quarters with the four before, or as many
as there are from three on each side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from enkat.estimates import Difference, difference
from enkat.model.result import Cell, Grain, Outcome, Snapshot, Table, cells_of
from enkat.model.survey import Index, Role

#: Quarters on each side of the comparison: at most, and at least.
MOST, FEWEST = 4, 3


@dataclass(frozen=True)
class Finding:
    """Whose answers are compared (None: everybody's), over which snapshots, and the difference in whole points."""

    role: Role | None
    earlier: tuple[Snapshot, ...]
    later: tuple[Snapshot, ...]
    before: int
    after: int
    low: int
    high: int

    @property
    def gap(self) -> int:
        """How many points higher the later quarters are."""
        return self.after - self.before

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out that there is no difference."""
        return self.low > 0 or self.high < 0


def find(snapshots: Sequence[Snapshot], index: Index) -> Finding | None:
    """What the published quarters say about an index; None while there are too few to compare."""
    quarters = [one for one in snapshots if one.grain is Grain.QUARTER and one.outcome is Outcome.PUBLISHED]
    for role in (Role.FAMILY, None):
        rows = [(one, figure) for one in quarters if (figure := _figure(one, index, role)) is not None]
        side = min(MOST, len(rows) // 2)
        if side >= FEWEST:
            earlier, later = rows[-2 * side : -side], rows[-side:]
            found = difference([figure for _one, figure in earlier], [figure for _one, figure in later])
            if found is not None:
                return _finding(role, [one for one, _figure in earlier], [one for one, _figure in later], found)
    return None


def _figure(snapshot: Snapshot, index: Index, role: Role | None) -> tuple[int, float] | None:
    """How many answered in a quarter, and their mean."""
    cells = cells_of([snapshot], Table.QUARTER_ROLE, index)
    if role is not None:
        cells = [cell for cell in cells if cell.categories == (role,)]
    number = sum(cell.n for cell in cells)
    return (number, _mean(cells, number)) if number else None


def _mean(cells: Sequence[Cell], number: int) -> float:
    return sum(cell.n * cell.mean for cell in cells) / number


def _finding(role: Role | None, earlier: Sequence[Snapshot], later: Sequence[Snapshot], found: Difference) -> Finding:
    rounded = [round(value) for value in (found.earlier, found.later, found.low, found.high)]
    return Finding(role, tuple(earlier), tuple(later), *rounded)
