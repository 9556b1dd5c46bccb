"""Published cells in their places on an axis: what the chart draws and the table beside it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from enkat.model.result import Cell, Grain, Outcome, Quarter, Snapshot, Table, cells_of
from enkat.model.survey import Index, Role


class Absence(StrEnum):
    """Why a place has no figure."""

    NONE = "none"  # nobody answered
    WAITING = "waiting"  # to be shown together with the next


@dataclass(frozen=True)
class Point:
    """What there is at one place of an axis, or at several beside each other: a cell, or an absence."""

    places: tuple[int, ...]
    cell: Cell | None = None
    absence: Absence | None = None

    @property
    def middle(self) -> float:
        """Where its mark stands."""
        return sum(self.places) / len(self.places)


@dataclass(frozen=True)
class Series:
    """A category's points in order. A point whose cell holds other categories too is joined."""

    category: str
    points: tuple[Point, ...]

    def is_joined(self, point: Point) -> bool:
        """Whether a point's figure is that of several categories together."""
        return point.cell is not None and point.cell.categories != (self.category,)


def axis(snapshots: Sequence[Snapshot]) -> list[Quarter]:
    """The quarters from the first that was published to the last that was decided on."""
    quarters = _of(snapshots, Grain.QUARTER)
    shown = [one.quarters[0] for one in quarters if one.outcome is Outcome.PUBLISHED]
    if not shown:
        return []
    return shown[0].until(quarters[-1].quarters[-1])


def latest(snapshots: Sequence[Snapshot], whole: Sequence[Quarter], number: int) -> list[Quarter]:
    """The last so many quarters, and those that are shown together with the first of them."""
    kept = list(whole[-number:])
    for snapshot in _of(snapshots, Grain.QUARTER):
        if kept and kept[0] in snapshot.quarters and snapshot.outcome is Outcome.PUBLISHED:
            kept = snapshot.quarters[0].until(kept[-1])
    return kept


def by_role(snapshots: Sequence[Snapshot], index: Index, role: Role, quarters: Sequence[Quarter]) -> Series:
    """A role's quarters."""
    points = []
    for snapshot in _settled(_of(snapshots, Grain.QUARTER)):
        places = tuple(quarters.index(quarter) for quarter in snapshot.quarters if quarter in quarters)
        if places:
            points.append(_point(snapshot, Table.QUARTER_ROLE, index, role, places))
    return Series(role, tuple(points))


def by_month(snapshots: Sequence[Snapshot], index: Index, months: Sequence[str], category: str) -> Series:
    """All answers of each month."""
    cells = cells_of(_of(snapshots, Grain.QUARTER), Table.MONTH, index)
    points = []
    for cell in sorted(cells, key=lambda cell: cell.periods):
        places = tuple(months.index(month) for month in cell.periods if month in months)
        if places:
            points.append(Point(places, cell))
    covered = {place for point in points for place in point.places}
    absent = [Point((place,), absence=Absence.NONE) for place in range(len(months)) if place not in covered]
    return Series(category, tuple(sorted([*points, *absent], key=lambda point: point.places)))


def of_children(snapshots: Sequence[Snapshot], index: Index) -> tuple[list[str], Series]:
    """The years of children's answers from the first that was published, and their points."""
    found = _settled(_of(snapshots, Grain.CHILD_YEAR))
    while found and found[0].outcome is not Outcome.PUBLISHED:
        found = found[1:]
    years = [period for snapshot in found for period in snapshot.periods]
    points = [
        _point(snapshot, Table.YEAR_CHILD, index, Role.CHILD, tuple(years.index(one) for one in snapshot.periods))
        for snapshot in found
    ]
    return years, Series(Role.CHILD, tuple(points))


def _of(snapshots: Sequence[Snapshot], grain: Grain) -> list[Snapshot]:
    return [one for one in snapshots if one.grain is grain]


def _settled(snapshots: Sequence[Snapshot]) -> list[Snapshot]:
    """Without those that were joined with a later one that is there."""
    covered = {period for one in snapshots if one.outcome is Outcome.PUBLISHED for period in one.periods}
    return [one for one in snapshots if one.outcome is not Outcome.JOINED or not covered & set(one.periods)]


def _point(snapshot: Snapshot, table: Table, index: Index, category: str, places: tuple[int, ...]) -> Point:
    cells = [cell for cell in cells_of([snapshot], table, index) if category in cell.categories]
    if cells:
        return Point(places, cells[0])
    return Point(places, absence=Absence.WAITING if snapshot.outcome is Outcome.JOINED else Absence.NONE)
