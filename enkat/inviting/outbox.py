"""Links on their way: the decision to send one is stored together with its message, which the background work takes."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlite_utils import Database

from enkat.catalogue import Catalogue
from enkat.inviting import contacting
from enkat.inviting.contacting import Address
from enkat.inviting.letters import Desk, write_letter
from enkat.inviting.linking import live_link, make_personal_links, opened_link
from enkat.model.audit import TERMINAL, Act
from enkat.model.errors import Refused
from enkat.model.meeting import Channel, Contact, Meeting, OpenedLink
from enkat.model.message import Message, MessageState, Purpose
from enkat.model.survey import Role
from enkat.secrecy import letters
from enkat.secrecy.keys import KeyStore
from enkat.storage import audit, contacts, messages
from enkat.storage.engine import write


@dataclass(frozen=True)
class Recipient:
    """Somebody who is to get a link of their own."""

    role: Role
    channel: Channel
    address: str
    language: str
    questionnaire: str | None = None


def send_new_links(
    db: Database,
    keys: KeyStore,
    catalogue: Catalogue,
    desk: Desk,
    meeting: str,
    recipients: Sequence[Recipient],
    *,
    by: str = TERMINAL,
) -> list[OpenedLink]:
    """A link, an address and a message for each of them, or nothing at all. Refused where one has a link of this
    meeting already: a list that is sent twice is sent once."""
    with write(db):
        found = open_to_messages(db, desk, meeting)
        known = {(one.channel, one.address) for one in contacting.addresses(db, keys, meeting)}
        if known & {(one.channel, one.address) for one in recipients}:
            raise Refused("list_known", "one of the addresses has a link of this meeting already")
        made = [make_personal_links(db, keys, catalogue, meeting, one.role, one.questionnaire)[0] for one in recipients]
        audit.note(db, by, Act.LINKS_ADDED, meeting)
        addresses = [
            Address(link.id, one.channel, one.address, one.language) for link, one in zip(made, recipients, strict=True)
        ]
        kept = contacting.keep(db, keys, found, addresses, by)
        _queue(db, keys, desk, found, list(zip(made, kept, strict=True)), by)
        return made


def send_link(db: Database, keys: KeyStore, desk: Desk, meeting: str, address: Address, *, by: str = TERMINAL) -> None:
    """Send a personal link that there is to an address, which is kept in place of an earlier one. Nothing where it is
    on its way there already: a button is pressed twice easily."""
    with write(db):
        found = open_to_messages(db, desk, meeting)
        link = live_link(db, meeting, address.link)
        known = [one for one in contacts.of_meeting(db, meeting) if one.invitation == link.invitation]
        same = [
            one for one in known if (one.channel, contacting.opened(keys, one)) == (address.channel, address.address)
        ]
        if any(_is_on_its_way(db, one, link.id) for one in same):
            return
        (contact,) = contacting.keep(db, keys, found, [address], by)
        _queue(db, keys, desk, found, [(opened_link(keys, link), contact)], by)


def send_again(db: Database, keys: KeyStore, desk: Desk, meeting: str, link: str, *, by: str = TERMINAL) -> None:
    """Send a link once more to where it went, but not to where it is on its way."""
    with write(db):
        found = open_to_messages(db, desk, meeting)
        held = live_link(db, meeting, link)
        known = [one for one in contacts.of_meeting(db, meeting) if one.invitation == held.invitation]
        if not known:
            raise Refused("no_contact", "no address of that link is known")
        if not (reached := [one for one in known if one.channel in desk.channels]):
            raise Refused("no_service", "no service is set up that sends there")
        waiting = [one for one in reached if not _is_on_its_way(db, one, held.id)]
        if waiting:
            _queue(db, keys, desk, found, [(opened_link(keys, held), contact) for contact in waiting], by)


def _is_on_its_way(db: Database, contact: Contact, link: str) -> bool:
    """Whether this link waits to be sent to a contact."""
    return any(
        one.link == link and one.purpose is Purpose.LINK and one.state in (MessageState.WAITING, MessageState.SENDING)
        for one in messages.of_contact(db, contact.id)
    )


def open_to_messages(db: Database, desk: Desk, meeting: str) -> Meeting:
    """The meeting, where links of it may be sent; Refused under protection, after closing and after the count."""
    found = contacting.open_to_contacts(db, meeting)
    if not found.is_open(desk.today):
        raise Refused("closed", f"the meeting {meeting} has closed, and nobody can answer any more")
    return found


def _queue(
    db: Database, keys: KeyStore, desk: Desk, meeting: Meeting, made: Sequence[tuple[OpenedLink, Contact]], by: str
) -> None:
    for link, contact in made:
        put_message(db, keys, desk, meeting, link, contact, Purpose.LINK)
    audit.note(db, by, Act.LINKS_SENT, meeting.id)


def put_message(
    db: Database, keys: KeyStore, desk: Desk, meeting: Meeting, link: OpenedLink, contact: Contact, purpose: Purpose
) -> None:
    """Write to a contact and put it into the outbox, inside a `write`."""
    if contact.channel not in desk.channels:
        raise Refused("no_service", f"no service is set up that sends {contact.channel}")
    to = contacting.opened(keys, contact)
    letter = write_letter(desk, contact.channel, purpose, to, link.key, meeting.closes, contact.language)
    message = Message(
        id=letter.id,
        contact=contact.id,
        meeting=meeting.id,
        link=link.id,
        channel=contact.channel,
        purpose=purpose,
        state=MessageState.WAITING,
        due=messages.stamp(desk.now),
        attempts=0,
        unsure=0,
        sealed=letters.seal(keys.instance, letter),
        reason=None,
    )
    messages.put(db, message)
    if purpose is Purpose.LINK:
        contacts.plan_reminder(db, contact.id, None)  # counted from the day on which this one is sent
