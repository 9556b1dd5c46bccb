"""Messages leave the house: claimed one at a time, sent, and what became of them recorded.

A claim is stored before anything is sent, so whoever is killed in between leaves a message of which nobody knows
whether it went out. It is sent once more, the same message with the same link, and not a third time: the coordinator
is told instead. So each goes out at least once, or its failure is told, and twice at the most.

A link goes out because a coordinator decided it, whether its place is answered or not: else she could read off what
becomes of it who has answered (an address that does not exist would fail for those alone who have not). A reminder goes
only to those who have not answered. Nothing of it is shown, and it shares no queue, no pause and no note of how a
service is with the links, so that nothing can be read off their delay either.
"""

import random
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlite_utils import Database

from enkat import addresses, hours
from enkat.messaging import Transport, for_mail, for_sms
from enkat.model.errors import Refused, StoreUnavailable
from enkat.model.meeting import Channel
from enkat.model.message import (
    FOR_GOOD,
    OF_THE_SERVICE,
    Letter,
    Message,
    MessageState,
    Purpose,
    Reason,
    SendingFailed,
)
from enkat.secrecy import letters, tokens
from enkat.secrecy.keys import KeyStore
from enkat.settings import ZONE, Settings
from enkat.storage import contacts, messages
from enkat.storage.engine import write
from enkat.storage.messages import ChannelHealth, Due, read_stamp, stamp

#: How long whoever claims a message has it to himself: longer than any transport takes.
LEASE = timedelta(minutes=5)

#: Seconds until a message that failed is tried again: doubled each time, from one minute to one hour.
SHORTEST_WAIT, LONGEST_WAIT = 60.0, 3600.0

#: Attempts of which nobody knows whether they arrived, before somebody is asked.
MOST_UNSURE = 2

#: Seconds for which an outcome waits for a database that is locked; less than a claim lasts.
RECORDED_WITHIN = 240

#: How often a service is asked whether it works.
PROBED_EVERY = timedelta(minutes=10)

#: A link that was asked for so lately goes out at once, at whatever hour: whoever asked for it is there now.
AT_ONCE = timedelta(minutes=30)

#: The longest that a message waits for its next turn. What is due later was noted by a clock that ran ahead.
LONGEST_REST = {Purpose.LINK: timedelta(hours=13), Purpose.REMINDER: timedelta(days=8)}

#: What only a message that was taken can show to be over.
_PROVEN_BY_SENDING = frozenset([Reason.CREDIT, Reason.SENDER])


@dataclass(frozen=True)
class Pause:
    """How often a service has failed in a row, and until when it is left alone."""

    failures: int
    until: datetime


@dataclass(frozen=True)
class Post:
    """What sending needs: the services by channel, where reports come in, when reminders go out, and a clock. Links and
    reminders have one each, for `pauses` are theirs alone."""

    transports: Mapping[Channel, Transport]
    base_url: str
    clock: Callable[[], datetime]
    reminder_days: int = 3
    chance: random.Random = field(default_factory=random.SystemRandom)
    pauses: dict[Channel, Pause] = field(default_factory=dict)

    def wait(self, failures: int) -> timedelta:
        """How long to wait after so many failures, a little more or less, so that not all come back at once."""
        seconds = min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** min(max(failures, 1) - 1, 10))
        return timedelta(seconds=min(LONGEST_WAIT, max(SHORTEST_WAIT, seconds * self.chance.uniform(0.8, 1.2))))

    def ready(self, channels: Iterable[Channel]) -> frozenset[Channel]:
        """Those channels that may be sent by now."""
        return frozenset(channel for channel in channels if self._is_ready(channel))

    def _is_ready(self, channel: Channel) -> bool:
        """A service that has failed is asked before it gets a message again: one that swallows them without a word
        would use them up."""
        pause, moment = self.pauses.get(channel), self.clock()
        if pause is None:
            return True
        if moment < pause.until <= moment + timedelta(seconds=LONGEST_WAIT):
            return False
        if _answer(self.transports[channel]):
            self.rest(channel)
            return False
        return True

    def note(self, channel: Channel, reason: Reason | None) -> None:
        """What became of a message tells whether its service is to be left alone."""
        if _is_down(reason):
            self.rest(channel)
        else:
            self.pauses.pop(channel, None)

    def rest(self, channel: Channel) -> None:
        """Leave a service alone for a while, longer after each failure."""
        failures = self.pauses[channel].failures + 1 if channel in self.pauses else 1
        self.pauses[channel] = Pause(failures, self.clock() + self.wait(failures))


def post_of(settings: Settings) -> Post:
    """The services that the settings name."""
    transports = dict[Channel, Transport]()
    if settings.mail:
        transports[Channel.EMAIL] = for_mail(settings.mail)
    if settings.sms:
        transports[Channel.SMS] = for_sms(settings.sms)
    return Post(transports, settings.base_url or "", settings.now, settings.reminder_days)


@dataclass(frozen=True)
class _Outcome:
    """What became of an attempt: `reason` None where the service took the message."""

    due: Due
    claim: str
    reason: Reason | None


def deliver(
    db: Database,
    keys: KeyStore,
    post: Post,
    purpose: Purpose = Purpose.LINK,
    goes_on: Callable[[], bool] = lambda: True,
) -> int:
    """Send what is due, one after the other; how many the services took."""
    taken = 0
    while goes_on() and (claimed := _claim(db, post, purpose)):
        due, claim = claimed
        reason = _attempt(keys, post, due.message)
        post.note(due.message.channel, reason)
        _record_surely(db, post, _Outcome(due, claim, reason))
        taken += reason is None
    return taken


def expire(db: Database, post: Post) -> int:
    """End what has outlived its survey; how many there were."""
    moment = post.clock()
    today, at = _local(moment), stamp(moment)
    if not messages.is_any_overdue(db, today, at):
        return 0
    with write(db):
        return messages.expire(db, today, at)


def probe(db: Database, post: Post) -> dict[Channel, Reason | None]:
    """Ask the services that have not been asked for a while whether they work; how those are."""
    known, found = messages.health(db), dict[Channel, Reason | None]()
    for channel, transport in post.transports.items():
        moment = post.clock()
        last = known.get(channel)
        if last and timedelta() <= moment - read_stamp(last.checked) < PROBED_EVERY:
            continue
        answer = _answer(transport)
        with write(db):
            health = messages.health(db).get(channel)
            found[channel] = _probed(health.reason if health else None, transport, answer)
            messages.put_health(db, ChannelHealth(channel, found[channel], stamp(moment)))
    return found


def _probed(known: Reason | None, transport: Transport, answer: Reason | None) -> Reason | None:
    """What a probe's answer makes of what was known."""
    is_blind = known is Reason.CREDENTIALS and not transport.signs_in_to_probe
    return known if answer is None and (known in _PROVEN_BY_SENDING or is_blind) else answer


def try_out(post: Post, address: str) -> Channel:
    """Send a message that says only that it is a trial; SendingFailed with the service's own word where it is not
    taken, Refused where it cannot be sent there at all."""
    channel, to = addresses.read(address)
    if channel not in post.transports:
        raise Refused("no_service", f"no service is set up that sends {channel}")
    text = "Det här är ett prov. This is a trial."
    letter = Letter(secrets.token_hex(16), to, text, subject="Prov / Trial" if channel is Channel.EMAIL else "")
    post.transports[channel].send(letter)
    return channel


def note_works(db: Database, post: Post, channel: Channel) -> None:
    """Note that a service has taken a message."""
    with write(db):
        messages.put_health(db, ChannelHealth(channel, None, stamp(post.clock())))


def note_report(
    db: Database, keys: KeyStore, message: str, mark: str, state: MessageState, moment: datetime, reminder_days: int
) -> None:
    """Take a service's word for what became of a message; nothing where whoever says it was not told its secret. A link
    of which nobody knew whether it arrived has a reminder from now on."""
    if not tokens.is_report_mark(keys.instance, message, mark):
        return
    with write(db):
        if messages.report(db, message, state) and state is MessageState.DELIVERED:
            link = messages.link_without_reminder(db, message)
            if link:
                _plan_reminder(db, link.contact, link.closes, moment, reminder_days)


def _answer(transport: Transport) -> Reason | None:
    try:
        transport.probe()
    except SendingFailed as failure:
        return failure.reason
    return None


def _claim(db: Database, post: Post, purpose: Purpose) -> tuple[Due, str] | None:
    """Claim the next message that is to be sent now; None where there is none. One look at the clock decides it all:
    what is put off by one moment must not be due by another."""
    channels = frozenset(
        channel for channel in post.transports if _next(db, purpose, frozenset([channel]), post.clock())
    )
    if not (ready := post.ready(channels)):
        return None
    with write(db):
        moment = post.clock()
        while due := _next(db, purpose, ready, moment):
            if claimed := _judged(db, due, moment):
                return claimed
    return None


def _next(db: Database, purpose: Purpose, channels: frozenset[Channel], moment: datetime) -> Due | None:
    return messages.next_due(db, purpose, channels, stamp(moment), stamp(moment + LONGEST_REST[purpose]))


def _judged(db: Database, due: Due, moment: datetime) -> tuple[Due, str] | None:
    """Claim a message that is to be sent now; None where it was brought to its end or is to wait."""
    message = due.message
    unsure = message.unsure + (message.state is MessageState.SENDING)  # somebody had it, and was not heard of again
    if not due.is_link_live or due.is_protected:
        messages.delete(db, message.id)
    elif not _is_in_time(due, _local(moment)):
        messages.end(db, message.id, MessageState.EXPIRED)
    elif unsure >= MOST_UNSURE:
        messages.end(db, message.id, MessageState.FAILED, Reason.UNSURE)
    elif (allowed := _allowed(message, moment)) > moment:
        messages.postpone(db, message.id, stamp(allowed), message.attempts, unsure, message.reason)
    elif due.is_answered and message.purpose is Purpose.REMINDER:
        messages.end(db, message.id, MessageState.SENT)
    else:
        claim = secrets.token_hex(8)
        messages.claim(db, message.id, claim, stamp(moment + LEASE), unsure)
        return replace(due, message=replace(message, unsure=unsure)), claim
    return None


def _is_in_time(due: Due, today: date) -> bool:
    """Whether a message can still be of use; a reminder only some days before the end, and while it is turned on."""
    if due.message.purpose is Purpose.LINK:
        return today <= due.closes
    return due.reminds and today <= due.closes - timedelta(days=hours.REMINDED_BEFORE)


def _allowed(message: Message, moment: datetime) -> datetime:
    """When a message may go out: a link at once when it is asked for, and by day when it is tried again."""
    if message.purpose is Purpose.REMINDER:
        return hours.next_for_reminders(moment)
    is_fresh = not (message.attempts or message.unsure) and moment - read_stamp(message.due) < AT_ONCE
    return moment if is_fresh else hours.next_in_daytime(moment)


def _attempt(keys: KeyStore, post: Post, message: Message) -> Reason | None:
    letter = letters.unseal(keys.instance, message.sealed or b"", message.id)
    mark = tokens.report_mark(keys.instance, letter.id)
    report = f"{post.base_url}/report/{letter.id}/{mark}" if post.base_url else None
    try:
        post.transports[message.channel].send(replace(letter, report=report))
    except SendingFailed as failure:
        return failure.reason
    return None


def _record_surely(db: Database, post: Post, done: _Outcome) -> None:
    """Record an outcome, though the database be locked or full just now: what is not recorded is sent again."""
    for _attempt_to_write in range(RECORDED_WITHIN // 2):
        try:
            with write(db):
                _record(db, post, done, post.clock())
            return
        except StoreUnavailable:
            time.sleep(2)
    raise StoreUnavailable("what became of a message could not be recorded; it may be sent once more")


def _record(db: Database, post: Post, done: _Outcome, moment: datetime) -> None:
    """What became of an attempt, of its message where nobody else has claimed it meanwhile, and of its service."""
    message, reason = done.due.message, done.reason
    unsure = message.unsure + (reason is Reason.UNSURE)
    if reason is None:
        if messages.end(db, message.id, MessageState.SENT, claim=done.claim) and message.purpose is Purpose.LINK:
            _plan_reminder(db, message.contact, done.due.closes, moment, post.reminder_days)
    elif reason in FOR_GOOD or unsure >= MOST_UNSURE:
        messages.end(db, message.id, MessageState.FAILED, reason, claim=done.claim)
    else:
        again = stamp(moment + post.wait(message.attempts + 1))
        messages.postpone(db, message.id, again, message.attempts + 1, unsure, reason, claim=done.claim)
    if message.purpose is Purpose.LINK and (reason is None or _is_down(reason)):
        messages.put_health(db, ChannelHealth(message.channel, reason, stamp(moment)))


def _plan_reminder(db: Database, contact: str, closes: date, moment: datetime, after: int) -> None:
    """The day of a link's reminder is known once the link is sent."""
    contacts.plan_reminder(db, contact, hours.reminder_day(_local(moment), closes, after))


def _is_down(reason: Reason | None) -> bool:
    return reason in OF_THE_SERVICE or reason is Reason.UNSURE


def _local(moment: datetime) -> date:
    return moment.astimezone(ZONE).date()
