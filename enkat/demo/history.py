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
from functools import cache
from random import Random
from statistics import NormalDist

from sqlite_utils import Database

from enkat import inviting, publishing, severing
from enkat.house import House
from enkat.model.meeting import OPEN_DAYS, Assignment, Kind, Meeting, MeetingState, Source
from enkat.model.result import Quarter
from enkat.model.survey import Answer, Index, Item, ItemKind, Missing, Questionnaire, Response, Role, Stage
from enkat.model.text import FreeText
from enkat.storage import meetings, responses, texts
from enkat.storage.engine import filling, write

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
_PROTECTED = 0.06
_USUAL_FORM = 0.75

#: The share of those who answer that writes something too.
_WRITING = 0.25

TEXTS = (
    "Bra att alla fick prata.",
    "Lite för långt möte, jag orkade inte lyssna på slutet.",
    "Jag hade velat veta mer innan vad ni skulle ta upp.",
    "Mer tid för barnens frågor.",
    "Det kändes skönt att mormor fick vara med.",
    "Vi satt för trångt och det var varmt.",
    "Bra att någon skrev upp vad vi bestämde.",
    "Jag vågade inte säga allt när alla satt där.",
    "Skolan borde ha varit med.",
    "Nu vet vi vem som gör vad. Det har vi inte vetat förut.",
    "Jag förstod inte alla ord ni använde.",
    "Det var första gången någon frågade vad jag tycker.",
    "Kan vi få anteckningarna hem?",
    "Ha mötet på kvällen nästa gång, alla kan inte gå från jobbet.",
    "Anna Svensson pratade hela tiden, ge andra plats också.",
    "Bra fika! Och bra stämning.",
    "Jag undrar vad som händer om vi inte gör som vi sa.",
    "Ett kortare möte till om en månad hade räckt.",
    "Bjud in fotbollstränaren, han känner honom bäst.",
    "Jag kände mig lyssnad på.",
    "För många från kommunen och för få från oss.",
    "Tydligare ramar från början, sedan gick det bra.",
)

#: Responses written at a time; what bounds the memory.
_BATCH = 1000

#: Answers after which it is told again how far it has come.
_TELL_EVERY = 50_000


def said(item: Item, form: Questionnaire, level: float, chance: Random) -> Answer:
    """A made-up answer around a level of 100."""
    if item.kind is ItemKind.TEXT:
        return Answer(text=chance.choice(TEXTS)) if chance.random() < _WRITING else Answer(missing=Missing.SKIPPED)
    if chance.random() < 0.04:
        return Answer(missing=chance.choice(form.offered))
    likely = _likely(len(form.points), round(level))
    return likely[int(chance.random() * len(likely))]


@cache
def _likely(steps: int, level: int) -> list[Answer]:
    """A hundred equally likely answers around a level: to draw one of them costs far less than to draw from the bell
    curve that they lie on."""
    curve = NormalDist(level, _BETWEEN_ITEMS)
    values = (round(1 + (steps - 1) * curve.inv_cdf((number + 0.5) / 100) / 100) for number in range(100))
    return [Answer(value=min(max(value, 1), steps)) for value in values]


@dataclass
class _Work:
    """An assignment, how many meetings it has had, and when the last one closed."""

    assignment: Assignment
    meetings: int = 0
    last: date = date.min


@dataclass(frozen=True)
class _Stretch:
    """What there is of a quarter: its days that are over, and how many answers there are by its end."""

    quarter: Quarter
    last: date
    answers: int
    changed: bool


def _stretches(answers: int, today: date) -> Iterator[_Stretch]:
    """Eight quarters that are over, and the current one up to yesterday."""
    yesterday, current = today - timedelta(days=1), Quarter.of(today)
    quarters = Quarter(current.year - 2, current.number).until(Quarter.of(yesterday))
    ends = [min(quarter.last, yesterday) for quarter in quarters]
    shares = [_share(quarter, last) for quarter, last in zip(quarters, ends, strict=True)]
    for number, (quarter, last) in enumerate(zip(quarters, ends, strict=True)):
        so_far = answers * sum(shares[: number + 1]) / sum(shares)
        yield _Stretch(quarter, last, round(so_far), changed=number >= CHANGE)


def _share(quarter: Quarter, last: date) -> float:
    """How much of a year's answers come in a quarter up to a day of it."""
    return _SEASON[quarter.number] * ((last - quarter.first).days + 1) / ((quarter.last - quarter.first).days + 1)


class History:
    """Writes quarter after quarter into a database. `teams` are units with their coordinators, by id. `tell` is told
    how far it has come."""

    def __init__(
        self,
        house: House,
        db: Database,
        teams: Sequence[tuple[str, str]],
        chance: Random,
        tell: Callable[[str], None],
    ) -> None:
        self._house, self._db, self._chance, self._tell = house, db, chance, tell
        self._leaders = dict(teams)
        self._forms = {role: house.catalogue.choices(role) for role in Role}
        self._going_on: deque[_Work] = deque(maxlen=40)
        self._opened = self._written = 0

    def live_through(self, answers: int, today: date) -> None:
        """Two years that are over, published quarter by quarter, and the current quarter so far."""
        with filling(self._db):
            for stretch in _stretches(answers, today):
                before = self._written
                self._live(stretch, answers)
                day = min(stretch.quarter.next.first, today)
                publishing.publish_due(self._db, self._house.settings.smallest_group, day)
                severing.sever(self._db)
                self._tell(f"{stretch.quarter}: {self._written - before} answers")

    def _live(self, stretch: _Stretch, most: int) -> None:
        batch: list[Response] = []
        with write(self._db):
            while (number := self._written + len(batch)) < stretch.answers:
                batch += self._meeting(stretch, most - number)
                if len(batch) >= _BATCH:
                    self._put(batch)
            self._put(batch)

    def _put(self, batch: list[Response]) -> None:
        """Write a batch by its random ids: it is shuffled so, and the database finds their places at its quickest."""
        responses.put_all(self._db, sorted(batch, key=lambda response: response.id))
        told = self._written // _TELL_EVERY
        self._written += len(batch)
        if self._written // _TELL_EVERY > told:
            self._tell(f"{self._written} answers so far")
        batch.clear()

    def _meeting(self, stretch: _Stretch, most: int) -> list[Response]:
        """One meeting that closed within a stretch, and what was answered, at most so much."""
        chance, work, first = self._chance, self._work(), stretch.quarter.first
        earliest = min(max(first, work.last), stretch.last)  # an assignment's meetings follow each other
        closes = work.last = earliest + timedelta(days=chance.randint(0, (stretch.last - earliest).days))
        meeting = Meeting(
            id=inviting.new_id(),
            assignment=work.assignment.id,
            number=work.meetings,
            kind=Kind.NETWORK_MEETING if work.meetings == 1 else chance.choice([Kind.NETWORK_MEETING, Kind.FOLLOW_UP]),
            held=closes - timedelta(days=OPEN_DAYS),
            closes=closes,
            leader=self._leaders[work.assignment.unit],
            public_key=None,
            state=MeetingState.COUNTED,
        )
        meetings.add_meeting(self._db, meeting)
        answered = list(self._answered(meeting.id, stretch.changed))[:most]
        meetings.mark_counted(self._db, meeting.id, len(answered))
        written = (FreeText(secrets.token_hex(16), chance.choice(TEXTS), one.role is Role.CHILD) for one in answered)
        texts.lock_all(self._db, meeting.id, [text for text in written if chance.random() < _WRITING])
        return answered

    def _answered(self, meeting: str, changed: bool) -> Iterator[Response]:
        """Those of the invited who answered."""
        chance = self._chance
        mood, eager = chance.gauss(0, _BETWEEN_MEETINGS), chance.uniform(0.7, 1.3)
        for role, (fewest, most) in _INVITED.items():
            places = chance.randint(fewest, most)
            meetings.set_invited(self._db, meeting, role, Stage.AFTER, places)
            for _person in range(places):
                if chance.random() < eager * _ANSWERING[role]:
                    yield self._response(meeting, role, mood, changed)

    def _work(self) -> _Work:
        """The assignment of the next meeting: one that goes on, or a new one."""
        chance = self._chance
        if self._going_on and chance.random() < _SAME_ASSIGNMENT:
            work = chance.choice(self._going_on)
        else:
            (unit,) = chance.choices(list(self._leaders), _UNITS)
            (source,) = chance.choices(list(_SOURCES), list(_SOURCES.values()))
            self._opened += 1
            protected = chance.random() < _PROTECTED
            work = _Work(Assignment(inviting.new_id(), f"M-{100 + self._opened}", unit, source, protected))
            meetings.add_assignment(self._db, work.assignment)
            self._going_on.append(work)
        work.meetings += 1
        return work

    def _response(self, meeting: str, role: Role, mood: float, changed: bool) -> Response:
        chance, forms = self._chance, self._forms[role]
        form = forms[0] if len(forms) == 1 or chance.random() < _USUAL_FORM else chance.choice(forms[1:])
        person = mood + chance.gauss(0, _BETWEEN_PEOPLE)
        levels = {index: level + person for index, level in _levels(role, changed).items()}
        return Response(
            id=secrets.token_hex(16),
            meeting=meeting,
            stage=Stage.AFTER,
            role=role,
            questionnaire=form.id,
            version=form.version,
            language="sv" if chance.random() < 0.8 else "other",
            answers={item.id: said(item, form, levels[item.index], chance) for item in form.closed_items},
        )


@cache
def _levels(role: Role, changed: bool) -> dict[Index | None, float]:
    """What a role usually says, by index."""
    rise = _RISE[role] if changed else 0
    rises = dict.fromkeys((None, *Index), rise) | {Index.USEFULNESS: rise * _RISE_OF_USEFULNESS}
    return {index: _LEVEL[role] + rise for index, rise in rises.items()}
