"""An installation that sends for real, to services on loopback: what the tests of sending share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random

from enkat import answering, sending
from enkat.inviting import outbox, reminding
from enkat.inviting.letters import Desk
from enkat.inviting.outbox import Recipient
from enkat.messaging import Transport
from enkat.messaging.elks import Elks
from enkat.messaging.smtp import Smtp
from enkat.messaging.wire import Patience
from enkat.model.meeting import Channel, Meeting, OpenedLink
from enkat.model.message import MailServer, Message, MessageState, Purpose, SmsGateway
from enkat.model.survey import Answer, Role, Stage, Submission
from enkat.secrecy import tokens
from enkat.sending import Pause, Post
from enkat.settings import ZONE
from enkat.storage import messages
from tests.conftest import Town

BASE = "https://svar.example.se"
KIM, ADA = "+46701740605", "+46701740606"

#: Long enough for loopback on a busy machine, short enough for a service that never answers.
SHORT = Patience(step=0.4, whole=2.0)


#: Noon of the meeting's day, a Friday.
NOON = datetime(2026, 11, 20, 12, tzinfo=ZONE).astimezone(UTC)


@dataclass
class Clock:
    """The hands of the clock, turned by the test."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def to(self, day: date, hour: int = 12, minute: int = 0) -> None:
        """It is so late on that day, by the clock on the wall."""
        self.now = datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZONE).astimezone(UTC)

    def on(self, **time: float) -> None:
        self.now += timedelta(**time)

    @property
    def day(self) -> date:
        return self.now.astimezone(ZONE).date()


@dataclass
class PostOffice:
    """A town that sends: its services, and the verbs that tests need."""

    town: Town
    clock: Clock
    transports: Mapping[Channel, Transport]
    pauses: dict[Purpose, dict[Channel, Pause]] = field(default_factory=lambda: {purpose: {} for purpose in Purpose})

    def post(self, purpose: Purpose = Purpose.LINK) -> Post:
        """What links, or reminders, are sent with; each remembers its own pauses."""
        return Post(self.transports, BASE, self.clock, chance=Random(5), pauses=self.pauses[purpose])

    @property
    def desk(self) -> Desk:
        languages = self.town.house.languages
        return Desk(languages, BASE, frozenset(self.transports), self.clock.now, self.clock.day)

    def invite(self, meeting: Meeting, *to: str, role: Role = Role.KIN, language: str = "sv") -> list[OpenedLink]:
        """Links of their own for some numbers and addresses."""
        people = [Recipient(role, Channel.EMAIL if "@" in one else Channel.SMS, one, language) for one in to]
        house = self.town.house
        return outbox.send_new_links(self.town.db, house.keys, house.catalogue, self.desk, meeting.id, people)

    def round(self) -> int:
        """What the background work does every few seconds."""
        db, keys = self.town.db, self.town.house.keys
        sending.expire(db, self.post())
        links = sending.deliver(db, keys, self.post(), Purpose.LINK)
        reminding.decide_due(db, keys, self.desk)
        return links + sending.deliver(db, keys, self.post(Purpose.REMINDER), Purpose.REMINDER)

    def until(self, done: Callable[[], bool], step: timedelta = timedelta(minutes=1), most: int = 5000) -> None:
        """Round after round, as time passes."""
        for _round in range(most):
            self.round()
            if done():
                return
            self.clock.now += step
        raise AssertionError("it never came to an end")

    def messages(self, meeting: Meeting, purpose: Purpose | None = None) -> list[Message]:
        found = messages.of_meeting(self.town.db, meeting.id)
        return [one for one in found if purpose in (None, one.purpose)]

    def states(self, meeting: Meeting, purpose: Purpose | None = None) -> list[MessageState]:
        return [one.state for one in self.messages(meeting, purpose)]

    def answer(self, link: OpenedLink) -> None:
        """Somebody answers at a link."""
        submission = Submission(
            id=tokens.new_submission(),
            questionnaire=link.questionnaire,
            version=self.town.house.catalogue[link.questionnaire].version,
            role=link.role,
            stage=Stage.AFTER,
            language="sv",
            answers={"safe": Answer(value=3)},
        )
        answering.submit(self.town.db, self.town.house.keys, link.key, submission, self.clock.day)


def elks(gateway: SmsGateway, patience: Patience = SHORT) -> Elks:
    return Elks(gateway, patience=patience)


def smtp(server: MailServer, patience: Patience = SHORT) -> Smtp:
    return Smtp(server, patience=patience)
