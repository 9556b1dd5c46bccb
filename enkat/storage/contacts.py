"""Where links are sent: sealed addresses of those who hold a place, removed with it, and on a day in any case."""

from datetime import date

from sqlite_utils import Database

from enkat.model.meeting import Channel, Contact, Meeting
from enkat.storage.engine import insert, rows, run


def put(db: Database, contact: Contact, meeting: Meeting) -> None:
    """Keep an address, in place of an earlier one of the same channel. The schema refuses it where the meeting's
    assignment is protected."""
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
        },
    )


def of_meeting(db: Database, meeting: str) -> list[Contact]:
    """A meeting's contacts."""
    found = rows(
        db,
        """select id, invitation, meeting, channel, sealed_address, delete_on from contact
            where meeting = :meeting order by id""",
        meeting=meeting,
    )
    return [
        Contact(**row | {"channel": Channel(row["channel"]), "delete_on": date.fromisoformat(row["delete_on"])})
        for row in found
    ]


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
