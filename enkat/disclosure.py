"""The release rule: what may be shown, and what is joined until it may.

A cell is **fit** when, for each published index, it holds

- at least five answers (`smallest`, which a municipality may raise): fewer are never shown, alone or by subtraction;
- at least two answers from outside its largest assignment, and so from at least two families: no family reads
  figures that are its own;
- at least three answers unlike the commonest value: two participants who put their own answers together still cannot
  tell anybody else's, which they could if all the others were the same.

A table splits all answers of its period into disjoint cells. Categories that are not fit are **joined**, the smallest
first: each with its natural neighbour where it has one, else with the smallest of the others, until every cell is fit.
A category counts as there when somebody was invited in it, whether or not anybody answered. So the name of a cell
tells nothing of who answered. Every answer is in every table's total, nothing is withheld, and what is left when one
figure is subtracted from another is never one to four people.

Whatever holds a fit cell is fit itself: more answers never make a cell unfit. That is why joining always ends where
the whole is fit, and why a holding may stop counting assignments as soon as it has seen enough, so that its memory
does not grow with the number of answers.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from enkat.model.survey import Index

#: Answers of a cell that must come from outside its largest assignment.
OUTSIDE_LARGEST = 2

#: Answers of a cell that must be unlike the commonest value.
UNLIKE_COMMONEST = 3

#: Categories that are shown together, in the order of their table.
Group = tuple[str, ...]

#: The natural neighbours of a group among the other groups, which come in order; empty where it has none.
Neighbours = Callable[[Group, Sequence[Group]], Sequence[Group]]


class Spread:
    """How many of some things lie outside the largest part, counted until that is `enough` and no further."""

    def __init__(self, enough: int) -> None:
        self.enough = enough
        self.is_enough = False
        self._parts: dict[Hashable, int] = {}

    def add(self, part: Hashable, times: int = 1) -> None:
        """Count things of a part."""
        if self.is_enough:
            return
        self._parts[part] = self._parts.get(part, 0) + times
        if sum(self._parts.values()) - max(self._parts.values()) >= self.enough:
            self.is_enough = True
            self._parts.clear()

    def add_all(self, other: "Spread") -> None:
        """Count what another has counted. Where that was enough, it is enough here: more things move nothing back
        into the largest part."""
        if other.is_enough:
            self.is_enough = True
            self._parts.clear()
        for part, times in other._parts.items():
            self.add(part, times)


@dataclass
class Scored:
    """What the rule needs to know of the answers that have one index: how many have each value, of which there are
    no more than the questionnaires' items can make, and whether enough are from outside the largest assignment."""

    values: Counter[Hashable] = field(default_factory=Counter)
    assignments: Spread = field(default_factory=lambda: Spread(OUTSIDE_LARGEST))

    @property
    def n(self) -> int:
        """How many there are."""
        return self.values.total()

    @property
    def unlike_commonest(self) -> int:
        """How many have another value than the commonest."""
        return self.n - max(self.values.values(), default=0)

    def add_all(self, other: "Scored") -> None:
        """Take in another's answers."""
        self.values.update(other.values)
        self.assignments.add_all(other.assignments)


@dataclass
class Holding:
    """What the rule needs to know of some answers; those without a score count among `answers` alone."""

    answers: int = 0
    scored: defaultdict[Index, Scored] = field(default_factory=lambda: defaultdict(Scored))

    def add(self, assignment: Hashable, scores: Mapping[Index, Hashable | None]) -> None:
        """Take in one answer with its scores."""
        self.answers += 1
        for index, value in scores.items():
            if value is not None:
                of_index = self.scored[index]
                of_index.values[value] += 1
                of_index.assignments.add(assignment)

    def add_all(self, other: "Holding") -> None:
        """Take in another's answers."""
        self.answers += other.answers
        for index, scored in other.scored.items():
            self.scored[index].add_all(scored)


def together(holdings: Sequence[Holding]) -> Holding:
    """All of them as one; they themselves stay as they are."""
    whole = Holding()
    for holding in holdings:
        whole.add_all(holding)
    return whole


def is_fit(holding: Holding, indices: Sequence[Index], smallest: int) -> bool:
    """Whether figures of all the `indices` may be shown of these answers."""
    return all(
        (scored := holding.scored.get(index)) is not None
        and scored.n >= smallest
        and scored.assignments.is_enough
        and scored.unlike_commonest >= UNLIKE_COMMONEST
        for index in indices
    )


def is_varied(holding: Holding, indices: Sequence[Index]) -> bool:
    """Whether intervals of all the `indices` may be shown of these answers: at least half of them are unlike the
    commonest value. Where most are alike, an interval tells in which meetings the few others are, and then two who
    know their own answers can work out a third in their meeting. (It would be a poor interval, too.)"""
    return all(
        (scored := holding.scored.get(index)) is not None and 2 * scored.unlike_commonest >= scored.n
        for index in indices
    )


@dataclass(frozen=True)
class Joining:
    """One step: which group was joined with which into what, and whether that is its natural neighbour."""

    group: Group
    partner: Group
    whole: Group
    is_natural: bool


def join(
    holdings: Mapping[str, Holding], neighbours: Neighbours, fits: Callable[[Holding], bool]
) -> tuple[list[Group], list[Joining]]:
    """The groups in which the categories can be shown, in the order given, and the steps that led there. A category
    without answers is joined like any other: left out, it would tell that nobody answered. ValueError where not even
    all of them together fit."""
    order = list(holdings)
    groups: dict[Group, Holding] = {(category,): holdings[category] for category in order}
    steps: list[Joining] = []
    while unfit := [group for group, holding in groups.items() if not fits(holding)]:
        if len(groups) == 1:
            raise ValueError("a table was asked for of answers that do not fit as a whole")
        group = _smallest(unfit, groups)
        others = [other for other in groups if other != group]
        natural = neighbours(group, others)
        partner = _smallest(natural or others, groups)
        joined = tuple(category for category in order if category in group + partner)
        steps.append(Joining(group, partner, joined, bool(natural)))
        whole = together([groups.pop(group), groups.pop(partner)])
        groups = dict(sorted((groups | {joined: whole}).items(), key=lambda item: order.index(item[0][0])))
    return list(groups), steps


def _smallest(among: Sequence[Group], groups: Mapping[Group, Holding]) -> Group:
    """The group with the fewest answers, the earlier one of two alike."""
    return min(among, key=lambda group: groups[group].answers)


def by_size(_group: Group, _others: Sequence[Group]) -> Sequence[Group]:
    """For categories that have neither order nor kin: nobody is a natural neighbour."""
    return ()


def in_order(order: Sequence[str]) -> Neighbours:
    """For months and meeting numbers: the next in order, and for the last one the one before it."""

    def neighbours(group: Group, others: Sequence[Group]) -> Sequence[Group]:
        later = [other for other in others if order.index(other[0]) > order.index(group[-1])]
        return (later or others[::-1])[:1]

    return neighbours


def alike(kinds: Mapping[str, Hashable]) -> Neighbours:
    """For teams of a district, or family and kin: those that are of the group's one kind throughout."""

    def neighbours(group: Group, others: Sequence[Group]) -> Sequence[Group]:
        own = {kinds[category] for category in group}
        return [other for other in others if len(own) == 1 and {kinds[category] for category in other} == own]

    return neighbours
