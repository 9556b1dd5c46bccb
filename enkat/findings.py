"""One finding from what is published: how the latest quarters differ from those before them, and how sure one can be.

What is compared is settled beforehand and not chosen by what comes out: the family's own answers, or all answers
where the family's stand by themselves in too few quarters; the latest four quarters with the four before, or as many
as there are from three on each side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from enkat.estimates import Difference, difference
from enkat.model.result import Cell, Grain, Outcome, Quarter, Snapshot, Table, cells_of
from enkat.model.survey import Index, Role

#: Quarters on each side of the comparison: at most, and at least.
MOST, FEWEST = 4, 3


@dataclass(frozen=True)
class Finding:
    """Whose answers are compared (None: everybody's), over which quarters, whether some since then are left out for
    they show the role together with others, and the difference in whole points."""

    role: Role | None
    earlier: tuple[Quarter, Quarter]
    later: tuple[Quarter, Quarter]
    leaves_out: bool
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
                inside = [one for one, _figure in (*earlier, *later)]
                leaves_out = any(one not in inside for one in quarters[quarters.index(inside[0]) :])
                return _finding(role, inside[:side], inside[side:], leaves_out, found)
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


def _finding(
    role: Role | None, earlier: Sequence[Snapshot], later: Sequence[Snapshot], leaves_out: bool, found: Difference
) -> Finding:
    before, after, low, high = (round(value) for value in (found.earlier, found.later, found.low, found.high))
    return Finding(role, _span(earlier), _span(later), leaves_out, before, after, low, high)


def _span(side: Sequence[Snapshot]) -> tuple[Quarter, Quarter]:
    return side[0].quarters[0], side[-1].quarters[-1]
