"""One finding from what is published: how the latest quarters differ from those before them, and how sure one can be.

What is compared is settled beforehand and not chosen by what comes out: the family's own answers, or all answers
where the family's stand by themselves in too few quarters; the latest four quarters with the four before, or as many
as there are from three on each side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from enkat.estimates import Difference, difference
from enkat.model.result import Grain, Outcome, Quarter, Snapshot, Table, cells_of
from enkat.model.survey import Index, Role

#: Quarters on each side of the comparison: at most, and at least.
MOST, FEWEST = 4, 3


@dataclass(frozen=True)
class Finding:
    """Whose answers are compared (None: everybody's), over which quarters, whether some since then are left out for
    they show the role together with others, the lowest and the highest response rate of those compared in per cent,
    and the difference in whole points."""

    role: Role | None
    earlier: tuple[Quarter, Quarter]
    later: tuple[Quarter, Quarter]
    leaves_out: bool
    rates: tuple[int, int] | None
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
                others = [one for one in quarters[quarters.index(inside[0]) :] if one not in inside]
                return _finding(role, inside[:side], inside[side:], any(_holds(one, role) for one in others), found)
    return None


def _figure(snapshot: Snapshot, index: Index, role: Role | None) -> tuple[int, float] | None:
    """How many answered in a quarter, and their mean."""
    cells = cells_of([snapshot], Table.QUARTER_ROLE, index)
    if role is not None:
        cells = [cell for cell in cells if cell.categories == (role,)]
    number = sum(cell.n for cell in cells)
    return (number, sum(cell.n * cell.mean for cell in cells) / number) if number else None


def _finding(
    role: Role | None, earlier: Sequence[Snapshot], later: Sequence[Snapshot], leaves_out: bool, found: Difference
) -> Finding:
    before, after = round(found.earlier), round(found.later)
    # Published means are whole points, so no difference between them is surer than by one.
    low, high = min(round(found.low), after - before - 1), max(round(found.high), after - before + 1)
    rates = [one.rate for one in (*earlier, *later) if one.rate is not None]
    between = (min(rates), max(rates)) if rates else None
    return Finding(role, _span(earlier), _span(later), leaves_out, between, before, after, low, high)


def _holds(snapshot: Snapshot, role: Role | None) -> bool:
    """Whether a quarter shows a role's answers at all."""
    return any(role in cell.categories for cell in snapshot.cells if cell.table is Table.QUARTER_ROLE)


def _span(side: Sequence[Snapshot]) -> tuple[Quarter, Quarter]:
    return side[0].quarters[0], side[-1].quarters[-1]
