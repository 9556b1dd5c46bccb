"""The tables of a period: its answers, meeting by meeting, in boxes that are joined until every one may be shown."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import combinations

from enkat.disclosure import Group, Holding, Joining, Neighbours, alike, by_size, in_order, is_varied, join, together
from enkat.estimates import Sums, are_enough, whole_points
from enkat.model.meeting import CountedMeeting, Source
from enkat.model.result import ADULTS, ALL, PUBLISHED, Cell, Table
from enkat.model.staff import Unit, alphabetical
from enkat.model.survey import Index, Role
from enkat.scoring import PARTS

#: An answer's index scores in parts of a point; None where too few of its items are answered.
Scores = Mapping[Index, int | None]

#: The scores of a meeting's answers by the role of those who gave them.
ByRole = Mapping[Role, Sequence[Scores]]

#: Which categories of a table somebody of a meeting was invited in, and which of its answers belong to each.
Split = Callable[[CountedMeeting, ByRole], Mapping[str, Sequence[Scores]]]

#: Children's usefulness has two items, and small children's scale three points. So few scores lie far apart, and an
#: interval would tell two children of one meeting what a third has said (found by attack). They have none.
_WITHOUT_INTERVALS = frozenset({Table.YEAR_CHILD})

_PRIVATE_NETWORK: Mapping[str, str] = {Role.FAMILY: "private", Role.KIN: "private", Role.PROFESSIONAL: "professional"}


@dataclass
class Box:
    """Answers that are shown together: what the release rule asks of them, and the sums for their figures. Its size
    does not depend on how many they are."""

    holding: Holding = field(default_factory=Holding)
    meetings: int = 0
    sums: dict[Index, Sums] = field(default_factory=lambda: dict.fromkeys(PUBLISHED, Sums()))

    def add(self, assignment: str, answers: Sequence[Scores]) -> None:
        """Take in the answers of one meeting."""
        for scores in answers:
            self.holding.add(assignment, scores)
        self.add_cluster(answers)

    def add_cluster(self, answers: Sequence[Scores]) -> None:
        """Take in the answers of one meeting for the figures alone."""
        self.meetings += bool(answers)
        for index in PUBLISHED:
            cluster = [score for scores in answers if (score := scores[index]) is not None]
            self.sums[index] += Sums.of(cluster)

    def cell(self, table: Table, periods: tuple[str, ...], categories: tuple[str, ...], index: Index) -> Cell:
        """Its figures. One index has an interval only where all have: otherwise it would tell of a few answers that
        have no score."""
        enough = all(are_enough(self.sums[one]) for one in PUBLISHED) and is_varied(self.holding, PUBLISHED)
        with_interval = enough and table not in _WITHOUT_INTERVALS
        mean, low, high = whole_points(self.sums[index], PARTS, with_interval)
        return Cell(table, periods, categories, index, self.holding.answers, self.meetings, mean, low, high)


@dataclass
class Tabulation:
    """A table in the making.

    `order` puts the categories that were found in order, and `neighbours` tells, of that order, which of them go
    together by nature. `sharing` are the categories that the answers of one meeting can be spread over: sums of those
    do not add up to the sums of their union, so every union has a box of its own for its figures from the start.
    """

    table: Table
    split: Split
    order: Callable[[Iterable[str]], list[str]]
    neighbours: Callable[[Sequence[str]], Neighbours] = lambda _order: by_size
    sharing: Sequence[str] = ()
    boxes: dict[str, Box] = field(default_factory=dict)
    unions: dict[Group, Box] = field(default_factory=dict)

    def add(self, meeting: CountedMeeting, by_role: ByRole) -> None:
        """Take in a meeting's answers. `by_role` has every role that somebody was invited in."""
        split = self.split(meeting, by_role)
        for category, answers in split.items():
            self.boxes.setdefault(category, Box()).add(meeting.assignment.id, answers)
        for union in self._possible_unions:
            everybody = [scores for category in union for scores in split.get(category, ())]
            self.unions.setdefault(union, Box()).add_cluster(everybody)

    def whole(self) -> Holding:
        """All answers of the table."""
        return together([box.holding for box in self.boxes.values()])

    def cells(self, periods: tuple[str, ...], fits: Callable[[Holding], bool]) -> tuple[list[Cell], list[Joining]]:
        """The table's cells for a snapshot of these periods, and how its categories were joined."""
        order = self.order(self.boxes)
        groups, steps = join({one: self.boxes[one].holding for one in order}, self.neighbours(order), fits)
        return [
            self._box(group).cell(self.table, *self._place(group, periods), index)
            for group in groups
            for index in PUBLISHED
        ], steps

    @cached_property
    def _possible_unions(self) -> list[Group]:
        sizes = range(2, len(self.sharing) + 1)
        return [union for size in sizes for union in combinations(self.sharing, size)]

    def _place(self, group: Group, periods: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Periods and categories of a cell: months are periods, and all else stands in the snapshot's own."""
        return (group, (ALL,)) if self.table is Table.MONTH else (periods, group)

    def _box(self, group: Group) -> Box:
        parts = [self.boxes[category] for category in group]
        if len(parts) == 1:
            return parts[0]
        holding = together([part.holding for part in parts])
        if group in self.unions:
            return replace(self.unions[group], holding=holding)
        sums = {index: sum((part.sums[index] for part in parts), Sums()) for index in PUBLISHED}
        return Box(holding, sum(part.meetings for part in parts), sums)


def of_quarter(months: Sequence[str]) -> list[Tabulation]:
    """A quarter's tables: its months in total, and the whole of it by role."""

    def month(meeting: CountedMeeting, by_role: ByRole) -> Mapping[str, Sequence[Scores]]:
        # A meeting that was counted after its quarter was published belongs to the first month that can still hold it.
        closed = meeting.meeting.closes.isoformat()[:7]
        return {closed if closed in months else months[0]: _adults(by_role)}

    def role(_meeting: CountedMeeting, by_role: ByRole) -> Mapping[str, Sequence[Scores]]:
        return _named(by_role)

    return [
        Tabulation(Table.MONTH, month, sorted, in_order),
        Tabulation(
            Table.QUARTER_ROLE, role, _as_listed(ADULTS), lambda _order: alike(_PRIVATE_NETWORK), sharing=ADULTS
        ),
    ]


def of_year(units: Sequence[Unit]) -> list[Tabulation]:
    """A year's tables: by unit, by source, by meeting number."""
    by_id = {unit.id: unit for unit in units}
    districts = {unit.name: _district(unit, by_id) for unit in units}
    return [
        Tabulation(
            Table.YEAR_UNIT,
            lambda meeting, said: {by_id[meeting.assignment.unit].name: _adults(said)},
            partial(sorted, key=alphabetical),
            lambda _order: alike(districts),
        ),
        Tabulation(
            Table.YEAR_SOURCE,
            lambda meeting, said: {meeting.assignment.source: _adults(said)},
            _as_listed(list(Source)),
        ),
        Tabulation(
            Table.YEAR_NUMBER,
            lambda meeting, said: {str(meeting.meeting.number): _adults(said)},
            partial(sorted, key=int),
            in_order,
        ),
    ]


def of_children() -> list[Tabulation]:
    """A year's one table of children's answers."""
    return [Tabulation(Table.YEAR_CHILD, lambda _meeting, said: _named(said), sorted)]


def _as_listed(words: Sequence[str]) -> Callable[[Iterable[str]], list[str]]:
    return partial(sorted, key=words.index)


def _named(by_role: ByRole) -> dict[str, Sequence[Scores]]:
    return {str(role): answers for role, answers in by_role.items()}


def _adults(by_role: ByRole) -> list[Scores]:
    return [scores for role in ADULTS for scores in by_role.get(role, ())]


def _district(unit: Unit, by_id: Mapping[str, Unit]) -> str:
    """The unit right under the municipality that a unit belongs to or is; the municipality is one of its own."""
    while unit.parent is not None and by_id[unit.parent].parent is not None:
        unit = by_id[unit.parent]
    return unit.id
