"""The tables of the results pages: the same cells as in the charts beside them, line by line."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from enkat.charts.series import Series
from enkat.model.result import PUBLISHED, Cell, Grain, Quarter, Snapshot, Table, cells_of
from enkat.web import result_words as words


@dataclass(frozen=True)
class Entry:
    """A figure of a table, over so many columns. `note` says with whom it is shared, or why there is none."""

    span: int
    cell: Cell | None
    note: str | None = None


@dataclass(frozen=True)
class Row:
    """A line of a table of one index: its period, its figures, and the response rate in per cent."""

    name: str
    entries: tuple[Entry, ...]
    rate: int | None = None


@dataclass(frozen=True)
class Line:
    """A line of a table of all indices: its period or category, and a cell for each index."""

    name: str
    cells: tuple[Cell, ...]


def by_role(found: Sequence[Snapshot], shown: Sequence[Quarter], roles: Sequence[Series]) -> tuple[Row, ...]:
    """A line for each quarter, or several that were joined."""
    return tuple(_row(found, shown, roles, number) for number in range(len(roles[0].points)))


def of_children(found: Sequence[Snapshot], born: Sequence[str], children: Series) -> tuple[Row, ...]:
    """A line for each year of children's answers, or several that were joined."""
    return tuple(_child_row(found, born, children, number) for number in range(len(children.points)))


def lines(found: Sequence[Snapshot], table: Table) -> list[Line]:
    """A table's cells, those of one category or month together."""
    by_index = [cells_of(found, table, index) for index in PUBLISHED]
    return [Line(words.name(cells[0]), cells) for cells in zip(*by_index, strict=True)]


def _row(found: Sequence[Snapshot], shown: Sequence[Quarter], roles: Sequence[Series], number: int) -> Row:
    """A quarter, or several that were joined; roles that are shown together have one figure."""
    points = {one.category: one.points[number] for one in roles}
    entries, seen = [], set[tuple[str, ...]]()
    for (cell, why), group in groupby(points.items(), key=lambda item: (item[1].cell, item[1].absence)):
        span = len(list(group))
        if cell is None:
            entries.append(Entry(span, None, words.reason(why)))
        elif len(cell.categories) == 1:
            entries.append(Entry(1, cell))
        else:
            # roles that do not stand beside each other: the figure stands once, and is pointed to from the other
            is_again = cell.categories in seen
            note = words.categories(cell.table, cell.categories)
            entries.append(Entry(span, None if is_again else cell, note))
            seen.add(cell.categories)
    covered = [shown[place] for place in roles[0].points[number].places]
    return Row(words.quarters(covered), tuple(entries), _rate(found, Grain.QUARTER, str(covered[-1])))


def _child_row(found: Sequence[Snapshot], born: Sequence[str], children: Series, number: int) -> Row:
    point = children.points[number]
    covered = [born[place] for place in point.places]
    entry = Entry(1, point.cell, None if point.cell else words.reason(point.absence))
    return Row(" + ".join(covered), (entry,), _rate(found, Grain.CHILD_YEAR, covered[-1]))


def _rate(found: Sequence[Snapshot], grain: Grain, last: str) -> int | None:
    """The response rate of the snapshot that ends with a period."""
    return next((one.rate for one in reversed(found) if one.grain is grain and one.periods[-1] == last), None)
