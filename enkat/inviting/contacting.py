"""The room for contacts: to what number or address somebody's personal link goes. Every way in comes through
`open_to_contacts`, which refuses all of it for a protected assignment, and `keep`."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlite_utils import Database

from enkat.i18n import SOURCE
from enkat.model.audit import TERMINAL, Act
from enkat.model.errors import NotFound, Refused
from enkat.model.meeting import CONTACT_DAYS, Channel, Contact, Meeting, MeetingState
from enkat.secrecy import fields
from enkat.secrecy.keys import KeyStore
from enkat.storage import audit, contacts, invitations, meetings
from enkat.storage.engine import leave_remnants, write


@dataclass(frozen=True)
class Address:
    """Where one personal link (by its id) is to go, and the language of what is sent."""

    link: str
    channel: Channel
    address: str
    language: str = SOURCE


def remember(db: Database, keys: KeyStore, meeting: str, addresses: Sequence[Address], *, by: str = TERMINAL) -> None:
    """Keep the addresses of some personal links, all of them or none, until the count."""
    with write(db):
        found = open_to_contacts(db, meeting)
        keep(db, keys, found, addresses, by)


def keep(db: Database, keys: KeyStore, meeting: Meeting, addresses: Sequence[Address], by: str) -> list[Contact]:
    """The same inside a `write`, for a meeting that is open to contacts; the contacts that are kept."""
    for one in addresses:
        _judge(one)
    kept = [_sealed(db, keys, meeting, one) for one in addresses]
    for contact in kept:
        contacts.put(db, contact, meeting)
    leave_remnants(db)  # of those that were there before
    audit.note(db, by, Act.CONTACTS_ADDED, meeting.id)
    return kept


def addresses(db: Database, keys: KeyStore, meeting: str) -> list[Address]:
    """Where a meeting's personal links go, of those that are live."""
    links = {link.invitation: link.id for link in invitations.live_links(db, meeting)}
    return [
        Address(links[one.invitation], one.channel, opened(keys, one), one.language)
        for one in contacts.of_meeting(db, meeting)
        if one.invitation in links
    ]


def remove_due(db: Database, today: date, *, by: str = TERMINAL) -> int:
    """Remove what has outlived its survey without having been counted; of how many meetings."""
    if not (due := contacts.due(db, today)):
        return 0
    with write(db):
        for meeting in due:
            contacts.delete_of(db, meeting)
            audit.note(db, by, Act.CONTACTS_REMOVED, meeting)
        leave_remnants(db)
    return len(due)


_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_EMAIL = re.compile(r"[^\s@<>\"',;:]{1,64}@[^\s@<>\"',;:]{1,190}")


def _judge(one: Address) -> None:
    """The messages do not repeat what was written: they may come to stand in a log."""
    if one.channel is Channel.SMS and not _PHONE.fullmatch(one.address):
        raise Refused("contact_phone", "that is not a phone number such as +46701234567")
    if one.channel is Channel.EMAIL and not (_EMAIL.fullmatch(one.address) and one.address.isprintable()):
        raise Refused("contact_email", "that is not an e-mail address such as kim@example.se")


def open_to_contacts(db: Database, meeting: str) -> Meeting:
    """The meeting, where addresses may be kept of it; Refused for a protected assignment and after the count."""
    found = meetings.find_meeting(db, meeting)
    assignment = meetings.find_assignment(db, found.assignment) if found else None
    if found is None or assignment is None:
        raise NotFound(f"there is no meeting {meeting}")
    if assignment.protected:
        raise Refused("protected_contact", f"the assignment {assignment.reference} is protected: no address is kept")
    if found.state is not MeetingState.OPEN:
        raise Refused("counted", f"the meeting {meeting} is counted, and no link leads to it any more")
    return found


def _sealed(db: Database, keys: KeyStore, meeting: Meeting, one: Address) -> Contact:
    link = invitations.live_link(db, meeting.id, one.link)
    if link is None:
        raise NotFound(f"there is no link {one.link} in the meeting {meeting.id}")
    if link.invitation is None:
        raise Refused("room_contact", "a room's link is everybody's; an address belongs to a personal link")
    identity = secrets.token_hex(16)
    return Contact(
        id=identity,
        invitation=link.invitation,
        meeting=meeting.id,
        channel=one.channel,
        sealed_address=fields.seal(keys.instance.contacts, one.address, identity),
        delete_on=meeting.closes + timedelta(days=CONTACT_DAYS),
        language=one.language,
    )


def opened(keys: KeyStore, contact: Contact) -> str:
    """The address of a contact in clear."""
    return fields.unseal(keys.instance.contacts, contact.sealed_address, contact.id, "contacts")
