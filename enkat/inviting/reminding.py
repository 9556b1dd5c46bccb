"""The one reminder: on or off for a meeting, and decided when its day has come, for everybody alike.

That it was decided is noted whether somebody got one or not, and nothing of it is ever shown: so nobody learns from it
who has answered, nor how many.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlite_utils import Database

from enkat import hours
from enkat.inviting.letters import Desk
from enkat.inviting.linking import opened_link
from enkat.inviting.outbox import put_message
from enkat.inviting.places import open_meeting
from enkat.model.audit import TERMINAL, Act
from enkat.model.meeting import Contact, InvitationState, Meeting
from enkat.model.message import MessageState, Purpose
from enkat.secrecy.keys import KeyStore
from enkat.storage import audit, contacts, invitations, meetings, messages
from enkat.storage.engine import write


def turn(db: Database, meeting: str, on: bool, *, by: str = TERMINAL) -> None:
    """Turn a meeting's reminder on or off."""
    with write(db):
        open_meeting(db, meeting)
        if meetings.reminds(db, meeting) != on:
            meetings.set_reminds(db, meeting, on)
            audit.note(db, by, Act.REMINDER_ON if on else Act.REMINDER_OFF, meeting)


@dataclass(frozen=True)
class ReminderPlan:
    """What a coordinator sees of a meeting's reminder: the same whoever has answered. `days` are those still to come;
    `is_over` where all that there was to decide is decided, `is_too_late` where a link sent now would get none."""

    is_on: bool
    days: list[date]
    is_over: bool
    is_too_late: bool


def plan(db: Database, meeting: Meeting, today: date, after: int) -> ReminderPlan:
    """When a meeting's reminder goes out, so many days after a link."""
    known = contacts.of_meeting(db, meeting.id)
    days = sorted({one.remind_on for one in known if one.remind_on and one.remind_on >= today and not one.reminded})
    is_over = bool(known) and all(one.reminded for one in known)
    first = today + timedelta(days=after)
    first += timedelta(days=first.isoweekday() == 7)  # holidays are left to the background work, which knows them all
    is_too_late = not days and first > meeting.closes - timedelta(days=hours.REMINDED_BEFORE)
    return ReminderPlan(meetings.reminds(db, meeting.id), days, is_over, is_too_late)


def decide_due(db: Database, keys: KeyStore, desk: Desk) -> None:
    """Decide the reminders whose day has come, in the hours in which one may come."""
    if hours.next_for_reminders(desk.now) > desk.now or not contacts.due_for_reminders(db, desk.today):
        return
    with write(db):
        for contact in contacts.due_for_reminders(db, desk.today):
            _decide(db, keys, desk, contact)


def _decide(db: Database, keys: KeyStore, desk: Desk, contact: Contact) -> None:
    """One for each person, by the first of their addresses that their link has reached."""
    known = [one for one in contacts.of_meeting(db, contact.meeting) if one.invitation == contact.invitation]
    if any(one.reminded for one in known):
        return
    contacts.mark_reminded(db, contact.invitation)
    meeting = meetings.find_meeting(db, contact.meeting)
    link = invitations.live_link_of(db, contact.invitation)
    reached = [one for one in known if one.channel in desk.channels and _has_its_link(db, one)]
    if meeting is None or link is None or not reached:
        return
    is_in_time = desk.today <= meeting.closes - timedelta(days=hours.REMINDED_BEFORE)
    is_open = invitations.state_of(db, contact.invitation) is InvitationState.OPEN
    if is_in_time and is_open and meetings.reminds(db, meeting.id):
        put_message(db, keys, desk, meeting, opened_link(keys, link), reached[0], Purpose.REMINDER)


def _has_its_link(db: Database, contact: Contact) -> bool:
    first = [one for one in messages.of_contact(db, contact.id) if one.purpose is Purpose.LINK]
    return bool(first) and first[0].state in (MessageState.SENT, MessageState.DELIVERED)
