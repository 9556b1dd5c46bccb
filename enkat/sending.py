"""Messages leave the house: claimed one at a time, sent, and what became of them recorded.

A claim is stored before anything is sent, so whoever is killed in between leaves a message of which nobody knows
whether it went out. It is sent once more, the same message with the same link, and not a third time: the coordinator
is told instead. So each goes out at least once, or its failure is told, and twice at the most.

What is recorded must tell nobody who has answered. Where a message is not needed any more its service is asked instead
whether it could have been sent: it ends as sent where the service works, and waits or fails with all others where it
does not. How a service is shows only what came of first messages and of asking it, never of reminders.
"""

import random
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlite_utils import Database

from enkat import addresses, hours
from enkat.messaging import Transport, for_mail, for_sms
from enkat.model.errors import Refused
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

#: How often a service is asked whether it works.
PROBED_EVERY = timedelta(minutes=10)

#: A link that was asked for so lately goes out at once, at whatever hour: whoever asked for it is there now.
AT_ONCE = timedelta(minutes=30)

#: What only a message that was taken can show to be over.
_PROVEN_BY_SENDING = frozenset([Reason.CREDIT, Reason.SENDER])

#: The same, and what may be over at any moment.
_TAKES_NOTHING = _PROVEN_BY_SENDING | {Reason.BUSY}


@dataclass(frozen=True)
class Post:
    """What sending needs: the services by channel, where reports come in, when reminders go out, and a clock."""

    transports: Mapping[Channel, Transport]
    base_url: str
    clock: Callable[[], datetime]
    reminder_days: int = 3
    chance: random.Random = field(default_factory=random.SystemRandom)

    def wait(self, failures: int) -> timedelta:
        """How long to wait after so many failures, a little more or less, so that not all come back at once."""
        seconds = min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** min(max(failures, 1) - 1, 10))
        return timedelta(seconds=min(LONGEST_WAIT, max(SHORTEST_WAIT, seconds * self.chance.uniform(0.8, 1.2))))


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
    reason: Reason | None


def deliver(db: Database, keys: KeyStore, post: Post, goes_on: Callable[[], bool] = lambda: True) -> int:
    """Send what is due, one after the other; how many the services took. What one attempt came to is recorded in the
    same write that claims the next."""
    done: _Outcome | None = None
    taken = 0
    while claimed := _step(db, post, done, goes_on()):
        done = _Outcome(claimed, _attempt(keys, post, claimed))
        taken += done.reason is None
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
            health = messages.health(db).get(channel, ChannelHealth(channel, None, stamp(moment)))
            health = _probed(replace(health, checked=stamp(moment)), transport, answer)
            messages.put_health(db, health)
        found[channel] = health.reason
    return found


def _probed(health: ChannelHealth, transport: Transport, answer: Reason | None) -> ChannelHealth:
    """What a probe's answer makes of what was known. A service that answers again is not paused any longer."""
    if answer:
        return replace(health, reason=answer)
    if health.reason in _PROVEN_BY_SENDING or (health.reason is Reason.CREDENTIALS and not transport.signs_in_to_probe):
        return health
    return replace(health, reason=None, failures=0, paused_until=None)


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


def note_report(db: Database, keys: KeyStore, message: str, mark: str, state: MessageState) -> None:
    """Take a service's word for what became of a message; nothing where whoever says it was not told its secret."""
    if tokens.is_report_mark(keys.instance, message, mark):
        with write(db):
            messages.report(db, message, state)


def _answer(transport: Transport) -> Reason | None:
    try:
        transport.probe()
    except SendingFailed as failure:
        return failure.reason
    return None


def _step(db: Database, post: Post, done: _Outcome | None, goes_on: bool) -> Due | None:
    """Record an outcome and claim the next message, in one write; None where nothing is due."""
    moment = post.clock()
    if done is None and not (goes_on and _next(db, post, moment)):
        return None
    with write(db):
        if done:
            _record(db, post, done, moment)
        while goes_on and (due := _next(db, post, moment)):
            if (due := _judged(db, post, due, moment)) is not None:
                return due
    return None


def _next(db: Database, post: Post, moment: datetime) -> Due | None:
    """The next message of a service that is not paused."""
    now, latest = stamp(moment), stamp(moment + timedelta(seconds=LONGEST_WAIT))  # later was noted by a wrong clock
    paused = {channel for channel, one in messages.health(db).items() if now < (one.paused_until or "") <= latest}
    return messages.next_due(db, post.transports.keys() - paused, now)


def _judged(db: Database, post: Post, due: Due, moment: datetime) -> Due | None:
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
        messages.postpone(db, message.id, stamp(allowed), message.attempts, unsure, message.reason, claimed=False)
    else:
        messages.claim(db, message.id, stamp(moment + LEASE), unsure)
        return replace(due, message=replace(message, unsure=unsure))
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


def _end_well(db: Database, post: Post, due: Due, moment: datetime) -> None:
    """The message is sent; the day of its reminder is known from now on."""
    messages.end(db, due.message.id, MessageState.SENT)
    if due.message.purpose is Purpose.LINK:
        day = hours.reminder_day(_local(moment), due.closes, post.reminder_days)
        contacts.plan_reminder(db, due.message.contact, day)


def _attempt(keys: KeyStore, post: Post, due: Due) -> Reason | None:
    """Send a message; where it is not needed any more, ask the service instead whether it could have been sent."""
    message = due.message
    transport = post.transports[message.channel]
    if due.is_answered:
        return _answer(transport)
    letter = letters.unseal(keys.instance, message.sealed or b"", message.id)
    try:
        transport.send(_with_report(keys, post, letter))
    except SendingFailed as failure:
        return failure.reason
    return None


def _with_report(keys: KeyStore, post: Post, letter: Letter) -> Letter:
    mark = tokens.report_mark(keys.instance, letter.id)
    return replace(letter, report=f"{post.base_url}/report/{letter.id}/{mark}")


def _record(db: Database, post: Post, done: _Outcome, moment: datetime) -> None:
    """What became of an attempt, of its message and of its service."""
    message = done.due.message
    health = messages.health(db).get(message.channel, ChannelHealth(message.channel, None, stamp(moment)))
    reason = _as_if_sent(done.reason, health.reason) if done.due.is_answered else done.reason
    unsure = message.unsure + (reason is Reason.UNSURE)
    if reason is None:
        _end_well(db, post, done.due, moment)
    elif reason in FOR_GOOD or unsure >= MOST_UNSURE:
        messages.end(db, message.id, MessageState.FAILED, reason)
    else:
        again = stamp(moment + post.wait(message.attempts + 1))
        messages.postpone(db, message.id, again, message.attempts + 1, unsure, reason)
    messages.put_health(db, _after(health, post, message.purpose, reason, moment))


def _as_if_sent(answer: Reason | None, last: Reason | None) -> Reason | None:
    """What would have become of a message that was not sent: its service was asked instead, and the last message has
    shown what asking does not; that it answers, and takes nothing."""
    return (last or answer) if answer or last in _TAKES_NOTHING else None


def _after(
    health: ChannelHealth, post: Post, purpose: Purpose, reason: Reason | None, moment: datetime
) -> ChannelHealth:
    """How a service is after an attempt. After a failure that is its own, nothing more is handed to it for a while; and
    what came of a reminder is not shown."""
    is_down = reason in OF_THE_SERVICE or reason is Reason.UNSURE
    failures = health.failures + 1 if is_down else 0
    paused = stamp(moment + post.wait(failures)) if is_down else None
    health = replace(health, failures=failures, paused_until=paused)
    if purpose is Purpose.REMINDER or reason in FOR_GOOD:
        return health
    return replace(health, reason=reason, checked=stamp(moment))


def _local(moment: datetime) -> date:
    return moment.astimezone(ZONE).date()
