"""The outbox: messages that wait, are claimed by whoever sends, and come to an end; and how the services are.

What a message says is wiped where it comes to an end. A message goes with its contact: with a link that is taken back,
and at the count.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlite_utils import Database

from enkat.model.meeting import Channel, InvitationState, LinkState
from enkat.model.message import Message, MessageState, Purpose, Reason
from enkat.storage.engine import Row, first, insert, placeholders, rows, run


def stamp(moment: datetime) -> str:
    """A moment as it is stored: UTC, in whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_stamp(text: str) -> datetime:
    """The moment again."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z")


@dataclass(frozen=True)
class Due:
    """A message whose time has come, with what decides whether it is sent."""

    message: Message
    closes: date
    reminds: bool
    is_protected: bool
    is_answered: bool
    is_link_live: bool


def put(db: Database, message: Message) -> None:
    """Put a message into the outbox, in place of an earlier one of the same purpose to the same contact."""
    run(
        db,
        "delete from message where contact = :contact and purpose = :purpose",
        contact=message.contact,
        purpose=message.purpose,
    )
    insert(
        db,
        "message",
        {
            "id": message.id,
            "contact": message.contact,
            "link": message.link,
            "purpose": message.purpose,
            "state": message.state,
            "due": message.due,
            "sealed": message.sealed,
        },
    )


def next_due(db: Database, purpose: Purpose, channels: Collection[Channel], moment: str, horizon: str) -> Due | None:
    """The message that has been due longest, of some channels: waiting, or claimed by somebody who has not been heard
    of since. One that is due beyond the horizon was noted by a clock that ran ahead, and is due too."""
    inside, values = placeholders("channel", channels)
    row = first(
        db,
        f"""select {_MESSAGE}, meeting.closes, meeting.reminds, assignment.protected,
                invitation.state as place, link.state as link_state
            from message
                join contact on contact.id = message.contact
                join meeting on meeting.id = contact.meeting
                join assignment on assignment.id = meeting.assignment
                join invitation on invitation.id = contact.invitation
                left join link on link.id = message.link
            where message.state in ('waiting', 'sending') and message.purpose = :purpose
                and not message.due between :moment and :horizon and channel in ({inside})
            order by message.unsure, message.due, message.id limit 1""",
        purpose=purpose,
        moment=moment + "~",  # just after it
        horizon=horizon,
        **values,
    )
    if row is None:
        return None
    message = _message({name: row.pop(name) for name in Message.__dataclass_fields__})
    return Due(
        message,
        date.fromisoformat(row["closes"]),
        bool(row["reminds"]),
        bool(row["protected"]),
        row["place"] == InvitationState.ANSWERED,
        row["link_state"] == LinkState.LIVE,
    )


def claim(db: Database, message: str, claim: str, until: str, unsure: int) -> None:
    """Mark a message as being sent by whoever claims it, until a moment after which it is anybody's again."""
    sql = "update message set state = 'sending', claim = :claim, due = :until, unsure = :unsure where id = :message"
    run(db, sql, claim=claim, until=until, unsure=unsure, message=message)


def postpone(
    db: Database,
    message: str,
    due: str,
    attempts: int,
    unsure: int,
    reason: Reason | None,
    *,
    claim: str | None = None,
) -> None:
    """Let a message wait until a moment; nothing where it has come to an end meanwhile, or somebody else has it."""
    sql = f"""update message set state = 'waiting', claim = null, due = :due, attempts = :attempts, unsure = :unsure,
            reason = :reason
        where id = :message and {_IS_OURS}"""
    run(db, sql, due=due, attempts=attempts, unsure=unsure, reason=reason, message=message, claim=claim)


def end(
    db: Database, message: str, state: MessageState, reason: Reason | None = None, *, claim: str | None = None
) -> bool:
    """Bring a message to its end and wipe what it says; False where it has come to one already, or somebody else has
    it."""
    sql = f"""update message set state = :state, claim = null, reason = :reason, sealed = null
        where id = :message and {_IS_OURS}"""
    return run(db, sql, state=state, reason=reason, message=message, claim=claim) == 1


# Whoever has claimed a message says so; whoever judges one inside a write may take it from nobody else's hands.
_IS_OURS = "state in ('waiting', 'sending') and (:claim is null or claim = :claim)"


def report(db: Database, message: str, state: MessageState) -> bool:
    """What the service says became of a message. That it was delivered overrides that it was not, for of two attempts
    one may have arrived; True where it changed anything."""
    is_good = state is MessageState.DELIVERED
    reason = None if is_good else Reason.UNDELIVERED
    sql = f"""update message set state = :state, claim = null, reason = :reason, sealed = null
        where id = :message and state in ('waiting', 'sending', 'sent'{", 'failed'" if is_good else ""})"""
    return run(db, sql, state=state, reason=reason, message=message) == 1


@dataclass(frozen=True)
class SentLink:
    """A link that was sent to a contact, and the last day of its survey."""

    contact: str
    closes: date


def link_without_reminder(db: Database, message: str) -> SentLink | None:
    """The link that a message carries, where no reminder is planned for it yet; None for a reminder itself."""
    row = first(
        db,
        """select contact.id, meeting.closes from message
            join contact on contact.id = message.contact join meeting on meeting.id = contact.meeting
            where message.id = :message and message.purpose = 'link' and contact.remind_on is null
                and contact.reminded = 0""",
        message=message,
    )
    return SentLink(row["id"], date.fromisoformat(row["closes"])) if row else None


def delete(db: Database, message: str) -> None:
    """Remove a message whose link leads nowhere any more."""
    run(db, "delete from message where id = :message", message=message)


def delete_of_link(db: Database, link: str) -> None:
    """Remove what carries a link that is replaced."""
    run(db, "delete from message where link = :link", link=link)


def is_any_overdue(db: Database, today: date, moment: str) -> bool:
    """Whether some message has outlived its survey."""
    return first(db, f"select 1 {_OVERDUE} limit 1", today=today.isoformat(), moment=moment) is not None


def expire(db: Database, today: date, moment: str) -> int:
    """End what has outlived its survey and is in nobody's hands; how many there were."""
    return run(
        db,
        f"update message set state = 'expired', claim = null, sealed = null where id in (select message.id {_OVERDUE})",
        today=today.isoformat(),
        moment=moment,
    )


_OVERDUE = """from message join contact on contact.id = message.contact join meeting on meeting.id = contact.meeting
    where meeting.closes < :today
        and (message.state = 'waiting' or (message.state = 'sending' and message.due <= :moment))"""


def of_meeting(db: Database, meeting: str) -> list[Message]:
    """A meeting's messages."""
    sql = f"""select {_MESSAGE} from message join contact on contact.id = message.contact
        where contact.meeting = :meeting order by message.id"""
    return [_message(row) for row in rows(db, sql, meeting=meeting)]


def of_contact(db: Database, contact: str) -> list[Message]:
    """What was written to an address."""
    sql = f"""select {_MESSAGE} from message join contact on contact.id = message.contact
        where contact.id = :contact order by message.purpose"""
    return [_message(row) for row in rows(db, sql, contact=contact)]


_MESSAGE = """message.id, message.contact, contact.meeting, message.link, contact.channel, message.purpose,
    message.state, message.due, message.attempts, message.unsure, message.sealed, message.reason"""


def _message(row: Row) -> Message:
    words = {
        "channel": Channel(row["channel"]),
        "purpose": Purpose(row["purpose"]),
        "state": MessageState(row["state"]),
        "reason": Reason(row["reason"]) if row["reason"] else None,
    }
    return Message(**row | words)


# How the services are


@dataclass(frozen=True)
class ChannelHealth:
    """How a service was when it was last asked, or last got a link to send: `reason` None where it works."""

    channel: Channel
    reason: Reason | None
    checked: str


def health(db: Database) -> dict[Channel, ChannelHealth]:
    """The services that have been asked."""
    return {Channel(row["name"]): _health(row) for row in rows(db, "select name, reason, checked from channel")}


def _health(row: Row) -> ChannelHealth:
    return ChannelHealth(Channel(row["name"]), Reason(row["reason"]) if row["reason"] else None, row["checked"])


def put_health(db: Database, found: ChannelHealth) -> None:
    """Note how a service is."""
    run(
        db,
        """insert into channel (name, reason, checked) values (:name, :reason, :checked)
            on conflict (name) do update set reason = excluded.reason, checked = excluded.checked""",
        name=found.channel,
        reason=found.reason,
        checked=found.checked,
    )
