"""Where links are sent: sealed addresses of those who hold a place, removed with it, and on a day in any case."""

from datetime import date

from sqlite_utils import Database

from enkat.model.meeting import Channel, Contact, Meeting
from enkat.storage.engine import Row, insert, number, rows, run


def put(db: Database, contact: Contact, meeting: Meeting) -> None:
    """Keep an address, in place of an earlier one of the same channel. The schema refuses it where the meeting's
    assignment is protected. Whoever has had their reminder does not get another at a new address."""
    reminded = number(
        db,
        "select count(*) from contact where invitation = :invitation and reminded = 1",
        invitation=contact.invitation,
    )
    run(
        db,
        "delete from contact where invitation = :invitation and channel = :channel",
        invitation=contact.invitation,
        channel=contact.channel,
    )
    insert(
        db,
        "contact",
        {
            "id": contact.id,
            "invitation": contact.invitation,
            "meeting": contact.meeting,
            "assignment": meeting.assignment,
            "channel": contact.channel,
            "sealed_address": contact.sealed_address,
            "delete_on": contact.delete_on.isoformat(),
            "language": contact.language,
            "reminded": int(reminded > 0),
        },
    )


def of_meeting(db: Database, meeting: str) -> list[Contact]:
    """A meeting's contacts."""
    return [_contact(row) for row in rows(db, f"{_CONTACT} where meeting = :meeting order by id", meeting=meeting)]


def plan_reminder(db: Database, contact: str, day: date | None) -> None:
    """Set the day of a contact's reminder, unless it has been decided already."""
    run(
        db,
        "update contact set remind_on = :day where id = :contact and reminded = 0",
        day=day.isoformat() if day else None,
        contact=contact,
    )


def forget_reminder_day(db: Database, invitation: str) -> None:
    """Nobody is reminded of a link that was replaced; the new one has a day of its own, once it is sent."""
    sql = "update contact set remind_on = null where invitation = :invitation and reminded = 0"
    run(db, sql, invitation=invitation)


def due_for_reminders(db: Database, today: date) -> list[Contact]:
    """The contacts whose reminder is to be decided by a day."""
    found = rows(db, f"{_CONTACT} where reminded = 0 and remind_on <= :today order by id", today=today.isoformat())
    return [_contact(row) for row in found]


def mark_reminded(db: Database, invitation: str) -> None:
    """Note that the reminder of whoever holds a place was decided, for all their addresses."""
    run(db, "update contact set reminded = 1 where invitation = :invitation", invitation=invitation)


def delete_of(db: Database, meeting: str) -> int:
    """Remove a meeting's addresses; how many there were."""
    return run(db, "delete from contact where meeting = :meeting", meeting=meeting)


def delete_of_place(db: Database, place: str) -> int:
    """Remove the addresses of whoever held a place; how many there were."""
    return run(db, "delete from contact where invitation = :place", place=place)


def due(db: Database, today: date) -> list[str]:
    """The meetings whose addresses are to be removed by a day."""
    sql = "select distinct meeting from contact where delete_on <= :today order by meeting"
    return [row["meeting"] for row in rows(db, sql, today=today.isoformat())]


_CONTACT = """select id, invitation, meeting, channel, sealed_address, delete_on, language, remind_on, reminded
    from contact"""


def _contact(row: Row) -> Contact:
    words = {
        "channel": Channel(row["channel"]),
        "delete_on": date.fromisoformat(row["delete_on"]),
        "remind_on": date.fromisoformat(row["remind_on"]) if row["remind_on"] else None,
        "reminded": bool(row["reminded"]),
    }
    return Contact(**row | words)
