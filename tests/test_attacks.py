"""Attacks on what is published: by counting, by subtraction, by linear programming, and by people who put their own
answers together.

`make test` tries a few municipalities and some hundred cells; with ENKAT_ATTACK=full there are many.
"""

import math
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from itertools import combinations, islice, permutations, product
from random import Random

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import linprog
from scipy.sparse import csr_matrix
from sqlite_utils import Database

from enkat import inviting, publishing, staffing
from enkat.disclosure import Group, is_fit
from enkat.estimates import LEAST_SHIFT, Sums, student, whole_points
from enkat.house import House, open_house
from enkat.model.meeting import Assignment, Kind, Meeting, MeetingState, Source
from enkat.model.result import PUBLISHED, Cell, Grain, Outcome, Quarter, Snapshot, Table
from enkat.model.survey import Answer, Index, Missing, Questionnaire, Response, Role, Stage
from enkat.publishing.tables import Box
from enkat.scoring import PARTS
from enkat.settings import Settings
from enkat.storage import meetings, responses, snapshots
from enkat.storage.engine import rows, run, write

_IS_FULL = os.environ.get("ENKAT_ATTACK") == "full"

#: Cells that two people try, in so many batches.
_BATCHES, _CELLS = (40, 250) if _IS_FULL else (4, 125)

#: Ways of sharing out answers over meetings that are followed up at a time.
_MOST_WAYS = 50_000

#: Every score of the forms is so many times a whole number: twenty-five points shared by four items or by three.
_STEP = PARTS * 25 // 12

#: How many items an index has and how many points its scale, by form.
_FORMS = {
    "adult": {Index.PARTICIPATION: (4, 5), Index.USEFULNESS: (3, 5)},
    "child": {Index.PARTICIPATION: (4, 5), Index.USEFULNESS: (2, 5)},
    "child_small": {Index.PARTICIPATION: (4, 3), Index.USEFULNESS: (2, 3)},
}


@cache
def grid(form: str, index: Index) -> tuple[int, ...]:
    """Every score that a form can give, in steps: at least half of the items are answered."""
    items, points = _FORMS[form][index]
    found = {
        48 * said // (answered * (points - 1))
        for answered in range(math.ceil(items / 2), items + 1)
        for said in range(answered * (points - 1) + 1)
    }
    return tuple(sorted(found))


@dataclass
class Person:
    """Somebody who has answered: which meeting and form, and their scores in steps."""

    meeting: int
    form: str
    scores: dict[Index, int | None]


@dataclass
class Gathering:
    """The answers of a cell; meeting number m belongs to assignment number assignments[m]."""

    people: list[Person]
    assignments: list[int]

    @property
    def table(self) -> Table:
        """Where it is published: children apart from adults."""
        return Table.MONTH if {person.form for person in self.people} == {"adult"} else Table.YEAR_CHILD

    def box(self, index: Index | None = None, instead: dict[int, int] | None = None) -> Box:
        """The cell as it is tabulated, with other scores of one index instead of some people's own."""
        box = Box()
        for meeting, assignment in enumerate(self.assignments):
            answers = [
                {
                    one: None if score is None else _STEP * score
                    for one, score in (
                        person.scores | ({index: instead[number]} if index and number in (instead or {}) else {})
                    ).items()
                }
                for number, person in enumerate(self.people)
                if person.meeting == meeting
            ]
            box.add(f"a{assignment}", answers)
        return box


def published(box: Box, table: Table = Table.MONTH) -> dict[Index, Cell] | None:
    """A cell's figures; None where the rule does not show it."""
    if not is_fit(box.holding, PUBLISHED, 5):
        return None
    return {index: box.cell(table, ("2026",), ("all",), index) for index in PUBLISHED}


def habit(form: str, index: Index, chance: Random, kind: str, level: float) -> Iterator[int]:
    """How the people of a cell answer: spread out, around a level, nearly all alike, or in two camps."""
    steps = grid(form, index)
    usual, other = min(steps, key=lambda one: abs(one - level)), chance.choice(steps)
    while True:
        if kind == "even":
            yield chance.choice(steps)
        elif kind == "around":
            wanted = chance.gauss(level, 8)
            yield min(steps, key=lambda one: abs(one - wanted))
        elif kind == "alike":
            yield usual if chance.random() < 0.85 else chance.choice(steps)
        else:
            yield usual if chance.random() < 0.6 else other


def any_gathering(chance: Random) -> Gathering:
    """Answers of a cell that may be shown."""
    while True:
        number, largest = chance.randint(5, 30), chance.randint(1, 6)
        sizes = list[int]()
        while sum(sizes) < number:
            sizes.append(min(chance.randint(1, largest), number - sum(sizes)))
        assignments = [
            chance.randrange(meeting + 1) if chance.random() < 0.2 else meeting for meeting in range(len(sizes))
        ]
        forms = chance.choice([["adult"], ["adult"], ["adult"], ["child", "child_small"], ["child"], ["child_small"]])
        kind = chance.choice(["even", "around", "alike", "alike", "two"])
        level = chance.choice([0, 24, 36, 42, 48, 48])
        silence = chance.choice([0, 0, 0.1])
        habits = {(form, index): habit(form, index, chance, kind, level) for form in forms for index in PUBLISHED}
        people = [
            Person(
                meeting,
                form := chance.choice(forms),
                {index: None if chance.random() < silence else next(habits[form, index]) for index in PUBLISHED},
            )
            for meeting, size in enumerate(sizes)
            for _person in range(size)
        ]
        found = Gathering(people, assignments)
        if published(found.box(), found.table) and max(sizes) > 1:
            return found


@cache
def totals(grids: tuple[tuple[int, ...], ...]) -> dict[int, tuple[int, ...]]:
    """Every total that some people can come to together, with one way to it."""
    found: dict[int, tuple[int, ...]] = {0: ()}
    for steps in grids:
        found = {total + step: (*way, step) for total, way in found.items() for step in reversed(steps)}
    return found


@dataclass
class Collusion:
    """Two of one meeting who know their own answers, everyone's meeting and form, and what is published."""

    gathering: Gathering
    index: Index
    known: frozenset[int]
    chance: np.random.Generator
    members: dict[int, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        people = self.gathering.people
        scored = [number for number, person in enumerate(people) if person.scores[self.index] is not None]
        self.members = {}
        for number in scored:
            self.members.setdefault(people[number].meeting, []).append(number)
        self.said = {number: people[number].scores[self.index] or 0 for number in scored}
        forms = {person.form for person in people}
        anybody = tuple(sorted({step for form in forms for step in grid(form, self.index)}))
        self.steps = dict.fromkeys(scored, anybody)
        self.truth = published(self.gathering.box(), self.gathering.table)
        cell = (self.truth or {})[self.index]
        self.shown = (cell.mean, cell.low, cell.high)
        self.has_interval = cell.low is not None
        self.n = len(scored)
        self.sizes = {meeting: len(inside) for meeting, inside in self.members.items()}
        self.total = {meeting: sum(self.said[one] for one in inside) for meeting, inside in self.members.items()}

    def ways(self, people: Sequence[int]) -> dict[int, tuple[int, ...]]:
        return totals(tuple(self.steps[one] for one in people))

    def unknown(self, meeting: int, but: int | None = None) -> list[int]:
        return [one for one in self.members[meeting] if one not in self.known and one != but]

    def proves(self, instead: dict[int, int]) -> bool:
        """Whether these other answers would have been published just the same."""
        box = self.gathering.box(self.index, instead)
        return published(box, self.gathering.table) == self.truth

    def other_world(self, target: int) -> dict[int, int] | None:
        """Other answers, the target's among them, that would have been published just the same."""
        ways = (self._exchanged, self._within_the_meeting, self._between_meetings, self._anywhere)
        return next((found for way in ways if (found := way(target)) is not None), None)

    def _exchanged(self, target: int) -> dict[int, int] | None:
        """Without an interval, whoever of the cell has said what is all the same."""
        own, others = self.said[target], () if self.has_interval else self.said.keys() - self.known
        for other in sorted(others):
            exchanged = {target: self.said[other], other: own}
            if self.said[other] != own and self.proves(exchanged):
                return exchanged
        return None

    def _within_the_meeting(self, target: int) -> dict[int, int] | None:
        mates = self.unknown(self.gathering.people[target].meeting, target)
        own = self.said[target]
        for mate in mates:
            if self.said[mate] != own and own in self.steps[mate] and self.said[mate] in self.steps[target]:
                swapped = {target: self.said[mate], mate: own}
                if self.proves(swapped):
                    return swapped
        ways, sum_ = self.ways(mates), own + sum(self.said[mate] for mate in mates)
        for other in sorted(self.steps[target], key=lambda step: abs(step - own)):
            if other != own and (way := ways.get(sum_ - other)) is not None:
                instead = {target: other, **dict(zip(mates, way, strict=True))}
                if self.proves(instead):
                    return instead
        return None

    def _changes(self, meeting: int) -> np.ndarray:
        """What a meeting's total can be changed by."""
        people = self.unknown(meeting)
        sum_ = sum(self.said[one] for one in people)
        return np.array([total - sum_ for total in self.ways(people)])

    def _between_meetings(self, target: int) -> dict[int, int] | None:
        home = self.gathering.people[target].meeting
        mates = self.unknown(home, target)
        own, sum_ = self.said[target], self.said[target] + sum(self.said[mate] for mate in mates)
        at_home: dict[int, tuple[int, int]] = {}
        for other in self.steps[target]:
            if other != own:
                for total in self.ways(mates):
                    at_home.setdefault(other + total - sum_, (other, total))
        first = np.array(sorted(at_home, key=abs)[:60])
        elsewhere = [meeting for meeting in self.members if meeting != home and self.unknown(meeting)]
        singles = [(meeting, change) for meeting in elsewhere for change in self._changes(meeting).tolist() if change]
        for columns in self._tries(home, first, singles):
            for row in self._same(columns):
                changes = {home: int(columns[0][1][row])}
                for where, by in columns[1:]:
                    changes[int(where[row])] = int(by[row])
                if len(changes) < len(columns):
                    continue
                instead = self._written_out(target, mates, at_home[changes.pop(home)], changes)
                if self.proves(instead):
                    return instead
        return None

    def _written_out(
        self, target: int, mates: list[int], at_home: tuple[int, int], changes: dict[int, int]
    ) -> dict[int, int]:
        other, total = at_home
        instead = {target: other, **dict(zip(mates, self.ways(mates)[total], strict=True))}
        for meeting, change in changes.items():
            if change:
                people = self.unknown(meeting)
                way = self.ways(people)[sum(self.said[one] for one in people) + change]
                instead |= dict(zip(people, way, strict=True))
        return instead

    def _anywhere(self, target: int) -> dict[int, int] | None:
        """All totals of all meetings that there are, as long as they are not too many: n times a meeting's total less
        its size times everyone's, summed and squared and summed, decide what is published."""
        home = self.gathering.people[target].meeting
        mates = self.unknown(home, target)
        own, sum_ = self.said[target], self.said[target] + sum(self.said[mate] for mate in mates)
        at_home = {
            other + total - sum_: (other, total)
            for other in self.steps[target]
            if other != own
            for total in self.ways(mates)
        }
        changes = {meeting: self._changes(meeting).tolist() for meeting in self.members} | {home: sorted(at_home)}
        for whole in range(max(self.steps[target]) * self.n + 1):
            for found in islice(self._ends(changes, whole), 50):
                instead = self._written_out(target, mates, at_home[found.pop(home)], found)
                if self.proves(instead):
                    return instead
        return None

    def _ends(self, changes: dict[int, list[int]], whole: int) -> Iterator[dict[int, int]]:
        """The changes of the meetings' totals by which these come to `whole` and are published as the true ones."""
        most = self._widest(whole)
        if most is None:
            return
        shifts = {m: {self.n * (self.total[m] + by) - self.sizes[m] * whole: by for by in changes[m]} for m in changes}
        ways = list(shared_out(list(shifts.values()), most))
        if len(ways) < len(shifts):
            return
        for end in ways[-1]:
            if self._figures_of(whole, end[1]) == self.shown:
                state, back = end, dict[int, int]()
                for meeting, found in zip(reversed(shifts), reversed(ways), strict=True):
                    state, shift = found[state]
                    back[meeting] = shifts[meeting][shift]
                yield back

    def _figures_of(self, whole: int, spread: int) -> tuple[int, int | None, int | None]:
        """What is published when everyone comes to `whole` with such a spread between meetings."""
        sizes = sum(size**2 for size in self.sizes.values())
        squares = (spread - whole**2 * sizes) / self.n**2
        sums = Sums(len(self.members), self.n, _STEP * whole, sizes, _STEP**2 * squares)
        return whole_points(sums, PARTS, self.has_interval)

    def _widest(self, whole: int) -> int | None:
        """The largest spread between meetings that the published interval leaves room for; None where none is."""

        def fits_in(spread: int) -> bool:
            _mean, low, high = self._figures_of(whole, spread)
            return low is None or (low >= (self.shown[1] or 0) and (high or 0) <= (self.shown[2] or 0))

        if self._figures_of(whole, 0)[0] != self.shown[0] or not fits_in(0):
            return None
        most, step = 0, 1 << 44
        while step := step // 2:
            most += step if fits_in(most + step) else 0
        return most

    def _tries(
        self, home: int, first: np.ndarray, singles: list[tuple[int, int]]
    ) -> Iterator[list[tuple[np.ndarray, np.ndarray]]]:
        """Changes of the totals of the target's own meeting and of up to four others: where, and by how much."""
        yield [(np.full(len(first), home), first)]
        if not singles:
            return
        near = sorted(singles, key=lambda single: abs(single[1]))
        where, by = np.array([one[0] for one in near]), np.array([one[1] for one in near])
        pairs = np.array(list(product(range(len(first)), range(len(near)))))
        yield [(np.full(len(pairs), home), first[pairs[:, 0]]), (where[pairs[:, 1]], by[pairs[:, 1]])]
        for others in (2, 2, 3, 3, 4, 4) * (4 if _IS_FULL else 1):
            reach = [20, 60, 200, len(near)][int(self.chance.integers(4))]
            many = 100_000
            draw = self.chance.integers(0, min(reach, len(near)), (others, many))
            mine = first[self.chance.integers(0, len(first), many)]
            yield [(np.full(many, home), mine), *((where[one], by[one]) for one in draw)]

    def _same(self, columns: list[tuple[np.ndarray, np.ndarray]]) -> list[int]:
        """The first tries that change no published figure; a meeting must not stand twice in one try."""
        most = max(self.members) + 1
        total, size = np.zeros(most, dtype=np.int64), np.zeros(most, dtype=np.int64)
        for meeting in self.members:
            total[meeting], size[meeting] = self.total[meeting], self.sizes[meeting]
        whole, squares, products = total.sum(), (total**2).sum(), (total * size).sum()
        grown = whole + sum(by for _where, by in columns)
        squared = squares + sum(2 * total[where] * by + by**2 for where, by in columns)
        weighed = products + sum(size[where] * by for where, by in columns)
        fine = self._looks_alike(grown, squared, weighed, int((size**2).sum()))
        for (one, _), (other, __) in ((a, b) for n, a in enumerate(columns) for b in columns[n + 1 :]):
            fine &= one != other
        likely = np.flatnonzero(fine).tolist()
        every = int((size**2).sum())
        same = (row for row in likely if self._figures(int(grown[row]), int(squared[row]), int(weighed[row]), every))
        return list(islice(same, 20))

    def _looks_alike(self, total: np.ndarray, squares: np.ndarray, products: np.ndarray, sizes: int) -> np.ndarray:
        """Which sums could give the published figures, reckoned quickly and with ten points to spare at both ends."""
        mean = total * 25 / (12 * self.n)
        fine = np.abs(mean - self.shown[0]) < 0.51
        if not self.has_interval:
            return fine
        groups = len(self.members)
        spread = self.n**2 * squares - 2 * self.n * total * products + total**2 * sizes
        error = np.sqrt(groups / (groups - 1) * np.maximum(spread, 0)) / self.n**2 * 25 / 12
        least = LEAST_SHIFT * np.sqrt(2 * groups / (groups - 1)) / self.n
        half = student(groups - 1) * np.maximum(error, least)
        low, high = np.maximum(mean - half, 0), np.minimum(mean + half, 100)
        return fine & (np.abs(low - self.shown[1]) < 10) & (np.abs(high - self.shown[2]) < 10)

    def _figures(self, total: int, squares: int, products: int, sizes: int) -> bool:
        """Whether sums are published as the true ones were."""
        whole = Sums(len(self.members), self.n, _STEP * total, sizes, _STEP**2 * squares, _STEP * products)
        return whole_points(whole, PARTS, self.has_interval) == self.shown


#: Sums and sums of squares that can be reached, each with the sums before the last step and that step.
Ways = dict[tuple[int, int], tuple[tuple[int, int], int]]


def shared_out(parts: Sequence[Iterable[int]], most: int) -> Iterator[Ways]:
    """The ways to take one number of each part so that all come to nought and their squares to `most` or less; ends
    early where there are too many."""
    ways: Ways = {(0, 0): ((0, 0), 0)}
    for at, part in enumerate(parts, 1):
        later = len(parts) - at
        fewest, largest = sum(map(min, parts[at:])), sum(map(max, parts[at:]))
        found: Ways = {}
        for before, shift in product(ways, part):
            total, spread = before[0] + shift, before[1] + shift**2
            is_open = total + fewest <= 0 <= total + largest
            if is_open and spread + (total**2 / later if later else 0) <= most:
                found.setdefault((total, spread), (before, shift))
        if len(found) > _MOST_WAYS:
            return
        yield (ways := found)


def colluders(gathering: Gathering, chance: Random) -> frozenset[int]:
    """Two of one meeting."""
    inside: dict[int, list[int]] = {}
    for number, person in enumerate(gathering.people):
        inside.setdefault(person.meeting, []).append(number)
    return frozenset(chance.sample(chance.choice([members for members in inside.values() if len(members) > 1]), 2))


def determined(seed: int) -> list[tuple[object, ...]]:
    """Those of whom two others can tell what they answered, in a cell of a seed: who, and why the two can tell."""
    chance = Random(seed)
    gathering = any_gathering(chance)
    two, found = colluders(gathering, chance), list[tuple[object, ...]]()
    for index in PUBLISHED:
        collusion = Collusion(gathering, index, two, np.random.default_rng(seed))
        tried = dict[tuple[int, int], bool]()
        for target in sorted(collusion.said.keys() - two):
            alike_ = (gathering.people[target].meeting, collusion.said[target])
            if alike_ not in tried:
                tried[alike_] = collusion.other_world(target) is None
            if tried[alike_]:
                said = [(person.meeting, person.scores[index]) for person in gathering.people]
                found.append((seed, index, target, sorted(two), collusion.shown, said))
    return found


@pytest.mark.parametrize("batch", range(_BATCHES))
def test_two_of_one_meeting_cannot_tell_what_anybody_else_answered(batch: int) -> None:
    """They know their own answers, everyone's meeting and all that is published of both indices; for every other
    person there are other answers, with that person's among them, that would have been published just the same."""
    cells = range(batch * _CELLS, (batch + 1) * _CELLS)
    assert [who for seed in cells for who in determined(seed)] == []


# --- what is published of whole municipalities ---

_SEEDS = range(40) if _IS_FULL else range(5)
_CROSSINGS = 60 if _IS_FULL else 10
_FIRST_YEAR = 2024

#: Which of an answer's sides a table splits; months and quarters stand in the cells' periods.
_SIDES = {
    Table.MONTH: "month",
    Table.QUARTER_ROLE: "role",
    Table.YEAR_UNIT: "unit",
    Table.YEAR_SOURCE: "source",
    Table.YEAR_NUMBER: "number",
    Table.YEAR_CHILD: "role",
}


@dataclass(frozen=True)
class Given:
    """An answer as its meeting and the rule see it."""

    meeting: str
    assignment: str
    month: str
    role: str
    unit: str
    source: str
    number: str
    scores: dict[Index, Fraction | None]

    @property
    def quarter(self) -> str:
        return f"{self.month[:5]}Q{(int(self.month[5:]) + 2) // 3}"

    @property
    def is_adult(self) -> bool:
        return self.role != "child"


class Life:
    """A made-up municipality and everything that was answered in it, straight as the count leaves it."""

    def __init__(self, house: House, db: Database, seed: int) -> None:
        self.house, self.db, self.chance = house, db, Random(seed)
        self.given: list[Given] = []
        chance = self.chance
        self.a_year = chance.choice([20, 40, 80, 150, 400])
        self.units = [staffing.add_unit(db, "Mitthem")]
        for district in range(chance.randint(1, 3)):
            self.units.append(staffing.add_unit(db, f"Distrikt {district}"))
            for team in range(chance.randint(0, 2)):
                self.units.append(staffing.add_unit(db, f"Lag {district}{team}", f"Distrikt {district}"))
        self.of_units = [chance.expovariate(1) for _unit in self.units]
        self.of_sources = [chance.expovariate(1) ** 2 for _source in Source]
        self.of_quarters = [chance.choice([0.1, 0.5, 1, 1]) for _quarter in range(12)]
        self.alike, self.silent = chance.choice([0, 0.3, 0.9]), chance.choice([0, 0.1])
        self.work: list[tuple[Assignment, int]] = []

    def live(self, years: int) -> None:
        """So many years from the first on."""
        for year in range(years):
            for number in range(4):
                quarter = Quarter(_FIRST_YEAR + year, number + 1)
                wanted = self.a_year / 4 * self.of_quarters[4 * year + number]
                before = len(self.given)
                while len(self.given) - before < wanted:
                    self.meet(quarter.first + timedelta(days=self.chance.randrange(90)))

    def meet(self, closes: date) -> None:
        """A counted meeting that closed on a day, with its answers."""
        chance = self.chance
        if self.work and chance.random() < 0.4:
            assignment, number = self.work.pop(chance.randrange(len(self.work)))
        else:
            unit = chance.choices(self.units, self.of_units)[0]
            source = chance.choices(list(Source), self.of_sources)[0]
            assignment, number = Assignment(inviting.new_id(), inviting.new_id(), unit.id, source), 0
        self.work.append((assignment, number + 1))
        meeting = Meeting(
            inviting.new_id(), assignment.id, number + 1, Kind.NETWORK_MEETING, closes, closes, None, None,
            MeetingState.COUNTED,
        )  # fmt: skip
        with write(self.db):
            if not number:
                meetings.add_assignment(self.db, assignment)
            meetings.add_meeting(self.db, meeting)
            said = []
            for role in Role:
                there = chance.choice([0, 0, 1] if role in (Role.CHILD, Role.KIN) else [0, 1, 2, 3])
                meetings.set_invited(self.db, meeting.id, role, Stage.AFTER, there + chance.randint(0, 2))
                said += [self.answer(assignment, meeting, role) for _person in range(there)]
            responses.put_all(self.db, said)

    def answer(self, assignment: Assignment, meeting: Meeting, role: Role) -> Response:
        chance = self.chance
        form = chance.choice(self.house.catalogue.choices(role))
        top, answers = form.points[-1].value, dict[str, Answer]()
        is_alike = chance.random() < self.alike
        for item in form.closed_items:
            value = top if is_alike else chance.randint(1, top)
            is_silent = chance.random() < (0.6 if self.silent and assignment.source is Source.SCHOOL else self.silent)
            answers[item.id] = Answer(missing=Missing.UNKNOWN) if is_silent else Answer(value)
        unit = next(unit.name for unit in self.units if unit.id == assignment.unit)
        scores = {index: score(form, index, answers) for index in PUBLISHED}
        month = meeting.closes.isoformat()[:7]
        self.given.append(
            Given(meeting.id, assignment.id, month, role, unit, assignment.source, str(meeting.number), scores)
        )
        sheet = f"{chance.getrandbits(128):032x}"
        return Response(sheet, meeting.id, Stage.AFTER, role, form.id, form.version, "sv", answers)

    def published(self) -> list[Snapshot]:
        return [one for one in snapshots.all_of(self.db, *Grain) if one.outcome is Outcome.PUBLISHED]

    def within(self, snapshot: Snapshot) -> list[Given]:
        """The answers that a snapshot is about."""
        if snapshot.grain is Grain.CHILD_YEAR:
            return [one for one in self.given if not one.is_adult and one.month[:4] in snapshot.periods]
        quarters = {
            period
            for one in self.published()
            if one.grain is Grain.QUARTER
            and (one == snapshot or (snapshot.grain is Grain.YEAR and one.year == snapshot.year))
            for period in one.periods
        }
        return [one for one in self.given if one.is_adult and one.quarter in quarters]


def score(form: Questionnaire, index: Index, answers: Mapping[str, Answer]) -> Fraction | None:
    """An index as the field writes it down, in exact fractions."""
    asked = [item.id for item in form.items if item.index is index]
    values = [value for one in asked if (value := answers[one].value) is not None]
    if not values or 2 * len(values) < len(asked):
        return None
    return Fraction(100 * sum(value - 1 for value in values), len(values) * (len(form.points) - 1))


def members(cell: Cell, given: Iterable[Given]) -> list[Given]:
    """The answers that a cell is about."""
    names = cell.periods if cell.table is Table.MONTH else cell.categories
    return [one for one in given if getattr(one, _SIDES[cell.table]) in names]


def is_fit_by_counting(given: Sequence[Given]) -> bool:
    for index in PUBLISHED:
        scored = [one for one in given if one.scores[index] is not None]
        assignments = Counter(one.assignment for one in scored)
        values = Counter(one.scores[index] for one in scored)
        if len(scored) < 5 or len(assignments) < 2:
            return False
        if len(scored) - max(assignments.values()) < 2 or len(scored) - max(values.values()) < 3:
            return False
    return True


def by_meeting(given: Iterable[Given], index: Index) -> list[list[Fraction]]:
    found: dict[str, list[Fraction]] = {}
    for one in given:
        if (value := one.scores[index]) is not None:
            found.setdefault(one.meeting, []).append(value)
    return list(found.values())


def assert_figures(cell: Cell, given: Sequence[Given]) -> None:
    """The mean and interval of these answers, worked out meeting by meeting."""
    clusters = by_meeting(given, cell.index)
    n, groups = sum(map(len, clusters)), len(clusters)
    mean = sum(map(sum, clusters), Fraction()) / n
    assert cell.mean == round(mean)
    every = [by_meeting(given, index) for index in PUBLISHED]
    values = [[score for cluster in one for score in cluster] for one in every]
    assert (cell.low is not None) == (
        cell.table is not Table.YEAR_CHILD
        and all(len(one) >= 5 and sum(map(len, one)) >= 10 for one in every)
        and all(2 * max(map(said.count, said)) <= len(said) for said in values)
    )
    if cell.low is None or cell.high is None:
        return
    squares = sum((len(cluster) * (sum(cluster) / len(cluster) - mean)) ** 2 for cluster in clusters)
    error = math.sqrt(Fraction(groups, groups - 1) * squares) / n
    least = 12.5 * math.sqrt(2 * groups / (groups - 1)) / n
    half = stats.t.ppf(0.975, groups - 1) * max(error, least)
    assert cell.low == pytest.approx(max(mean - half, 0), abs=0.5 + 1e-6)
    assert cell.high == pytest.approx(min(mean + half, 100), abs=0.5 + 1e-6)


@pytest.fixture(scope="module", params=_SEEDS, ids="seed-{}".format)
def life(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """Two or three years of a municipality, published when they are over."""
    house = open_house(Settings(instance=tmp_path_factory.mktemp("house") / "instance"))
    db = house.connect()
    found = Life(house, db, request.param)
    years = 2 + request.param % 2
    found.live(years)
    publishing.publish_due(db, 5, date(_FIRST_YEAR + years, 1, 1))
    yield found
    db.close()


def test_something_is_published_of_every_municipality(life: Life) -> None:
    grains = Counter(one.grain for one in life.published())
    assert grains[Grain.QUARTER]
    assert grains[Grain.YEAR]


def test_every_published_cell_is_fit(life: Life) -> None:
    for snapshot in life.published():
        for cell in snapshot.cells:
            assert is_fit_by_counting(members(cell, life.within(snapshot))), cell


def test_every_answer_of_a_published_period_is_in_exactly_one_cell_of_each_table(life: Life) -> None:
    for snapshot in life.published():
        within = life.within(snapshot)
        assert snapshot.n == len(within)
        for table, index in product({cell.table for cell in snapshot.cells}, PUBLISHED):
            cells = [cell for cell in snapshot.cells if (cell.table, cell.index) == (table, index)]
            inside = [members(cell, within) for cell in cells]
            assert [cell.n for cell in cells] == [len(one) for one in inside]
            assert [cell.meetings for cell in cells] == [len({one.meeting for one in some}) for some in inside]
            assert sum(cell.n for cell in cells) == snapshot.n
            assert {id(one) for some in inside for one in some} == {id(one) for one in within}


def test_the_quarters_of_a_year_add_up_to_its_tables(life: Life) -> None:
    for year in [one for one in life.published() if one.grain is Grain.YEAR]:
        quarters = [one for one in life.published() if one.grain is Grain.QUARTER and one.year == year.year]
        assert sum(one.n for one in quarters) == year.n
        assert {cell.table for cell in year.cells} == {Table.YEAR_UNIT, Table.YEAR_SOURCE, Table.YEAR_NUMBER}
        assert all({cell.table for cell in one.cells} == {Table.MONTH, Table.QUARTER_ROLE} for one in quarters)


def test_only_the_last_quarters_can_be_left_unpublished(life: Life) -> None:
    published = {period for one in life.published() if one.grain is Grain.QUARTER for period in one.periods}
    left = {one.quarter for one in life.given if one.is_adult} - published
    assert all(quarter > max(published) for quarter in left)
    assert not is_fit_by_counting([one for one in life.given if one.is_adult and one.quarter in left])


def test_means_and_intervals_are_those_of_the_answers(life: Life) -> None:
    for snapshot in life.published():
        for cell in snapshot.cells:
            assert_figures(cell, members(cell, life.within(snapshot)))


# --- what can be reckoned from all that is published of a year ---


@dataclass
class Year:
    """All that is published of a year: every cell as the crossings it is made of, and its number of answers."""

    figures: list[tuple[frozenset[int], int]]
    crossings: list[dict[str, str]]
    groups: dict[str, set[Group]]


def years_of(life: Life) -> Iterator[Year]:
    """Crossings are month x role x unit x source x number, of whatever the tables mention."""
    for whole in [one for one in life.published() if one.grain is Grain.YEAR]:
        parts = [one for one in life.published() if one.grain is Grain.QUARTER and one.year == whole.year]
        cells = [
            (snapshot, cell)
            for snapshot in (whole, *parts)
            for cell in snapshot.cells
            if cell.index is Index.PARTICIPATION
        ]
        groups: dict[str, set[Group]] = {"month": set(), "role": set(), "unit": set(), "source": set(), "number": set()}
        for _snapshot, cell in cells:
            groups[_SIDES[cell.table]].add(cell.periods if cell.table is Table.MONTH else cell.categories)
        values = {side: sorted({name for group in found for name in group}) for side, found in groups.items()}
        crossings = [dict(zip(values, names, strict=True)) for names in product(*values.values())]
        figures = [(crossed(crossings, snapshot, cell), cell.n) for snapshot, cell in cells]
        figures += [(crossed(crossings, snapshot), snapshot.n) for snapshot in (whole, *parts)]
        yield Year(figures, crossings, groups)


def crossed(crossings: Sequence[Mapping[str, str]], snapshot: Snapshot, cell: Cell | None = None) -> frozenset[int]:
    """Which crossings a cell, or the whole of its snapshot, is made of."""
    months = {month for one in snapshot.quarters for month in one.months} if snapshot.grain is Grain.QUARTER else None
    found = {number for number, one in enumerate(crossings) if months is None or one["month"] in months}
    if cell is not None:
        names = cell.periods if cell.table is Table.MONTH else cell.categories
        found = {number for number in found if crossings[number][_SIDES[cell.table]] in names}
    return frozenset(found)


def test_no_figure_less_another_leaves_one_to_four_people(life: Life) -> None:
    """Every figure, and every two that share nobody, against every other two inside them."""
    for year in years_of(life):
        unions = {sum(1 << number for number in inside): n for inside, n in year.figures}
        for (one, n), (other, m) in combinations(list(unions.items()), 2):
            if not one & other:
                unions[one | other] = n + m
        for (outer, n), (inner, m) in permutations(unions.items(), 2):
            assert inner & ~outer or n - m == 0 or n - m >= 5


def test_nobody_is_isolated_by_linear_programming(life: Life) -> None:
    """The fewest and the most answers that a crossing of up to three sides can hold, given all that is published."""
    chance = Random(life.a_year)
    for year in years_of(life):
        rows_, columns = zip(
            *[(row, at) for row, (inside, _n) in enumerate(year.figures) for at in inside], strict=True
        )
        matrix = csr_matrix((np.ones(len(rows_)), (rows_, columns)), (len(year.figures), len(year.crossings)))
        counts = [n for _inside, n in year.figures]
        for _crossing in range(_CROSSINGS):
            sides = chance.sample(sorted(year.groups), chance.randint(1, 3))
            chosen = {side: some_group(year, side, chance) for side in sides}
            wanted = np.array([all(one[side] in chosen[side] for side in sides) for one in year.crossings], dtype=float)
            least, most = (
                linprog(sign * wanted, A_eq=matrix, b_eq=counts, bounds=(0, None), method="highs").fun * sign
                for sign in (1, -1)
            )
            assert math.ceil(least - 1e-6) < 1 or math.floor(most + 1e-6) > 4, (chosen, least, most)


def some_group(year: Year, side: str, chance: Random) -> Group:
    """Categories that are shown together, or one of them alone."""
    group = chance.choice(sorted(year.groups[side]))
    return group if chance.random() < 0.5 else (chance.choice(group),)


# --- what is published stays ---


def dump(db: Database) -> dict[str, set[tuple[object, ...]]]:
    return {
        table: {tuple(row.values()) for row in rows(db, f"select * from {table}")} for table in ("snapshot", "cell")
    }


@pytest.mark.parametrize("seed", [101, 102] if not _IS_FULL else range(101, 121))
def test_nothing_changes_a_published_figure(house: House, db: Database, seed: int) -> None:
    life = Life(house, db, seed)
    life.a_year, life.of_quarters, life.alike = 200, [1.0] * 12, 0  # so that there is something to keep
    life.live(1)
    publishing.publish_due(db, 5, date(_FIRST_YEAR, 10, 1))
    first = dump(db)
    assert first["cell"]
    for _late in range(5):
        life.meet(date(_FIRST_YEAR, 1, 1) + timedelta(days=life.chance.randrange(300)))
    with write(db):
        run(db, "update unit set name = 'Nytt ' || name")
        run(db, "update unit set parent = :top where parent is not null", top=life.units[0].id)
    publishing.publish_due(db, 5, date(_FIRST_YEAR + 1, 1, 1))
    second = dump(db)
    life.meet(date(_FIRST_YEAR, 5, 5))
    life.live(1)
    life.of_quarters = life.of_quarters[4:] + life.of_quarters[:4]
    for _more in range(30):
        life.meet(date(_FIRST_YEAR + 1, 1, 1) + timedelta(days=life.chance.randrange(364)))
    publishing.publish_due(db, 5, date(_FIRST_YEAR + 2, 1, 1))
    third = dump(db)
    assert first["snapshot"] < second["snapshot"] < third["snapshot"]
    assert first["cell"] <= second["cell"] < third["cell"]
    published = [one for one in life.published() if one.grain is Grain.QUARTER]
    settled = rows(
        db,
        """select response.id from response join meeting on meeting.id = response.meeting
           where role <> 'child' and published is not null""",
    )
    assert sum(one.n for one in published) == len(settled)


@pytest.mark.parametrize("table", ["snapshot", "cell"])
def test_what_is_published_cannot_be_altered_even_in_the_database(house: House, db: Database, table: str) -> None:
    life = Life(house, db, 3)
    life.live(1)
    publishing.publish_due(db, 5, date(_FIRST_YEAR + 1, 1, 1))
    before = dump(db)
    assert before["cell"]
    columns = ", ".join(row["name"] for row in rows(db, f"pragma table_info({table})"))
    for sql in (
        f"update {table} set n = n + 1",
        f"update or replace {table} set n = n + 1",
        f"delete from {table}",
        f"insert into {table} select * from {table}",
        f"insert or replace into {table} select {columns.replace('meetings', 'meetings + 1')} from {table}",
        "insert or replace into snapshot select grain, period, year, outcome, published, n + 5, rate, forms "
        "from snapshot",
        "insert into cell select grain, snapshot, table_name, period, category || '+', index_name, n, meetings, mean, "
        "low, high from cell",
    ):
        with pytest.raises(sqlite3.IntegrityError), write(db):
            run(db, sql)
    assert dump(db) == before
