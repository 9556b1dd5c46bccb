"""Two years of a made-up municipality: assignments, meetings and answers as they lie after the count.

Sizes follow Mjölby's: 32 assignments, 42 meetings, 330 invited and 150 answers a year, and every other size in
proportion. Families answer less than professionals, those of one meeting answer alike, and halfway a changed routine
lifts how much people feel part of it. History is written as the count leaves it, without links and ballots: a
million sealed answers would take hours to make and to open.
"""

import secrets
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from sqlite_utils import Database

from enkat import inviting, publishing
from enkat.house import House
from enkat.model.meeting import OPEN_DAYS, Assignment, Kind, Meeting, MeetingState, Source
from enkat.model.result import Quarter
from enkat.model.survey import Answer, Index, Item, ItemKind, Missing, Questionnaire, Response, Role, Stage
from enkat.storage import meetings, responses
from enkat.storage.engine import write

#: Answers in two years of a municipality of Mjölby's size.
USUAL = 300

#: How many quarters there are, and with which of them the new routine begins.
QUARTERS, CHANGE = 8, 4

#: Share of a year's answers in each of its quarters; few meet in the summer.
_SEASON = {1: 0.27, 2: 0.28, 3: 0.17, 4: 0.28}

#: Fewest and most invited of a role, and the share of them that answers.
_INVITED = {Role.FAMILY: (1, 4), Role.KIN: (1, 3), Role.CHILD: (0, 2), Role.PROFESSIONAL: (1, 4)}
_ANSWERING = {Role.FAMILY: 0.44, Role.KIN: 0.4, Role.CHILD: 0.36, Role.PROFESSIONAL: 0.52}

#: What people usually say of 100, and how much more after the change.
_LEVEL = {Role.FAMILY: 58, Role.KIN: 62, Role.CHILD: 54, Role.PROFESSIONAL: 75}
_RISE = {Role.FAMILY: 13, Role.KIN: 9, Role.CHILD: 8, Role.PROFESSIONAL: 4}
_RISE_OF_USEFULNESS = 0.6

#: Standard deviations between meetings, between the people of a meeting, and between one person's answers.
_BETWEEN_MEETINGS, _BETWEEN_PEOPLE, _BETWEEN_ITEMS = 6, 13, 12

_SOURCES = {Source.SCHOOL: 40, Source.INQUIRY: 24, Source.SELF: 16, Source.HEALTH: 13, Source.OTHER: 7}
_UNITS = (40, 34, 26)
_SAME_ASSIGNMENT = 10 / 42

_TEXTS = (
    "Bra att alla fick prata.",
    "Lite för långt möte.",
    "Jag hade velat veta mer innan.",
    "Mer tid för barnens frågor.",
)

#: Responses written at a time; what bounds the memory.
_BATCH = 2000


def said(item: Item, form: Questionnaire, level: float, chance: Random) -> Answer:
    """A made-up answer around a level of 100."""
    if item.kind is ItemKind.TEXT:
        return Answer(text=chance.choice(_TEXTS)) if chance.random() < 0.25 else Answer(missing=Missing.SKIPPED)
    if chance.random() < 0.04:
        return Answer(missing=chance.choice(form.offered))
    steps = len(form.points)
    value = round(1 + (steps - 1) * chance.gauss(level, _BETWEEN_ITEMS) / 100)
    return Answer(value=min(max(value, 1), steps))


@dataclass
class _Work:
    """An assignment and how many meetings it has had."""

    assignment: Assignment
    meetings: int = 0


class History:
    """Writes quarter after quarter into a database. `teams` are units with their coordinators, by id."""

    def __init__(self, house: House, db: Database, teams: Sequence[tuple[str, str]], chance: Random) -> None:
        self._house, self._db, self._teams, self._chance = house, db, teams, chance
        self._forms = house.catalogue
        self._going_on: deque[_Work] = deque(maxlen=40)
        self._opened = 0

    def live_through(self, answers: int, today: date, tell: Callable[[str], None]) -> None:
        """Eight quarters that are over, published one by one, and the current one so far."""
        current = Quarter.of(today)
        quarters = Quarter(current.year - 2, current.number).until(current)
        for number, quarter in enumerate(quarters):
            last = min(quarter.last, today - timedelta(days=1))
            if last < quarter.first:
                return
            share = _SEASON[quarter.number] / 2 * ((last - quarter.first).days + 1) / 91
            made = self._live(quarter, last, round(answers * min(share, 1)), changed=number >= CHANGE)
            publishing.publish_due(self._db, self._house.settings.smallest_group, min(quarter.next.first, today))
            tell(f"{quarter}: {made} answers")

    def _live(self, quarter: Quarter, last: date, answers: int, changed: bool) -> int:
        made, batch = 0, list[Response]()
        with write(self._db):
            while made + len(batch) < answers:
                batch += self._meeting(quarter.first, last, changed)
                if len(batch) >= _BATCH:
                    made += self._put(batch)
            return made + self._put(batch)

    def _put(self, batch: list[Response]) -> int:
        self._chance.shuffle(batch)
        responses.put_all(self._db, batch)
        number = len(batch)
        batch.clear()
        return number

    def _meeting(self, first: date, last: date, changed: bool) -> Iterator[Response]:
        """One meeting that closed within some days, and what was answered."""
        chance, team, work = self._chance, *self._work()
        closes = first + timedelta(days=chance.randint(0, (last - first).days))
        meeting = Meeting(
            id=inviting.new_id(),
            assignment=work.assignment.id,
            number=work.meetings,
            kind=Kind.NETWORK_MEETING if work.meetings == 1 else chance.choice([Kind.NETWORK_MEETING, Kind.FOLLOW_UP]),
            held=closes - timedelta(days=OPEN_DAYS),
            closes=closes,
            leader=team,
            public_key=None,
            state=MeetingState.COUNTED,
        )
        meetings.add_meeting(self._db, meeting)
        mood, eager = chance.gauss(0, _BETWEEN_MEETINGS), chance.uniform(0.6, 1.4)
        for role, (fewest, most) in _INVITED.items():
            places = chance.randint(fewest, most)
            meetings.set_invited(self._db, meeting.id, role, Stage.AFTER, places)
            for _person in range(places):
                if chance.random() < eager * _ANSWERING[role]:
                    yield self._response(meeting.id, role, mood, changed)

    def _work(self) -> tuple[str, _Work]:
        """The leader and the assignment of the next meeting: one that goes on, or a new one."""
        chance = self._chance
        if self._going_on and chance.random() < _SAME_ASSIGNMENT:
            work = chance.choice(self._going_on)
        else:
            unit, _leader = chance.choices(self._teams, _UNITS)[0]
            source = chance.choices(list(_SOURCES), list(_SOURCES.values()))[0]
            self._opened += 1
            work = _Work(Assignment(inviting.new_id(), f"M-{100 + self._opened}", unit, source))
            meetings.add_assignment(self._db, work.assignment)
            self._going_on.append(work)
        work.meetings += 1
        return dict(self._teams)[work.assignment.unit], work

    def _response(self, meeting: str, role: Role, mood: float, changed: bool) -> Response:
        chance = self._chance
        form = chance.choices(self._forms.choices(role), [3, 1][: len(self._forms.choices(role))])[0]
        person = mood + chance.gauss(0, _BETWEEN_PEOPLE)
        answers = {item.id: said(item, form, self._level(role, item, changed) + person, chance) for item in form.items}
        return Response(
            id=secrets.token_hex(16),
            meeting=meeting,
            stage=Stage.AFTER,
            role=role,
            questionnaire=form.id,
            version=form.version,
            language="sv" if chance.random() < 0.8 else "other",
            answers=answers,
        )

    def _level(self, role: Role, item: Item, changed: bool) -> float:
        rise = _RISE[role] * (_RISE_OF_USEFULNESS if item.index is Index.USEFULNESS else 1)
        return _LEVEL[role] + (rise if changed else 0)
