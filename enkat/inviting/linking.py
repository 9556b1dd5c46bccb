"""Links: made for those who have gone, replaced, taken back, and shown to whoever hands them out."""

from dataclasses import replace
from random import Random

from sqlite_utils import Database

from enkat.catalogue import Catalogue
from enkat.inviting.places import (
    add_link,
    add_place,
    assign_places,
    judge_places,
    open_meeting,
    personal_links,
    questionnaire_of,
)
from enkat.model.audit import TERMINAL, Act
from enkat.model.errors import NotFound, Refused
from enkat.model.meeting import Link, OpenedLink
from enkat.model.survey import Role, Stage
from enkat.secrecy import tokens
from enkat.secrecy.keys import KeyStore
from enkat.storage import audit, contacts, invitations, meetings, messages
from enkat.storage.engine import leave_remnants, write


def add_personal_links(
    db: Database,
    keys: KeyStore,
    catalogue: Catalogue,
    meeting: str,
    role: Role,
    questionnaire: str | None = None,
    count: int = 1,
    source: Random | None = None,
    *,
    by: str = TERMINAL,
) -> list[OpenedLink]:
    """Links for those who have gone, all of them or none. Each holds one of the role's places, or a further one
    where all that were planned have links already."""
    with write(db):
        made = make_personal_links(db, keys, catalogue, meeting, role, questionnaire, count, source)
        audit.note(db, by, Act.LINKS_ADDED, meeting)
        return made


def make_personal_links(
    db: Database,
    keys: KeyStore,
    catalogue: Catalogue,
    meeting: str,
    role: Role,
    questionnaire: str | None = None,
    count: int = 1,
    source: Random | None = None,
) -> list[OpenedLink]:
    """The same inside a `write`."""
    form = questionnaire_of(catalogue, role, questionnaire)
    open_meeting(db, meeting)
    held = len(personal_links(db, meeting, role))
    judge_places({role: held + count})
    if held + count > meetings.invited(db, meeting).get((role, Stage.AFTER), 0):
        assign_places(db, keys, meeting, role, held + count, questionnaire_of(catalogue, role))
    return [_add_personal_link(db, keys, meeting, role, form, source) for _link in range(count)]


def replace_link(db: Database, keys: KeyStore, meeting: str, link: str, *, by: str = TERMINAL) -> OpenedLink:
    """Another key to the same place, or to the same room; the old key leads nowhere from now on."""
    with write(db):
        open_meeting(db, meeting)
        old = live_link(db, meeting, link)
        invitations.revoke_link(db, old.id)
        messages.delete_of_link(db, old.id)
        if old.invitation:
            contacts.forget_reminder_day(db, old.invitation)
        audit.note(db, by, Act.LINK_REPLACED, meeting)
        return add_link(db, keys, old, old.invitation)


def revoke_link(db: Database, meeting: str, link: str, *, by: str = TERMINAL) -> None:
    """Take a personal link back: its key leads nowhere from now on. How many were invited stays as it is,
    so that nothing tells whether it had been used."""
    with write(db):
        open_meeting(db, meeting)
        old = live_link(db, meeting, link)
        if old.is_room:
            raise Refused("room_link", "a room's link can be replaced but not revoked")
        invitations.revoke_link(db, old.id)
        if contacts.delete_of_place(db, old.invitation or ""):
            leave_remnants(db)
        audit.note(db, by, Act.LINK_REVOKED, meeting)


def links(db: Database, keys: KeyStore, meeting: str) -> list[OpenedLink]:
    """A meeting's live links with their keys, by role, the room's before the personal ones."""
    order = list(Role)
    opened = [opened_link(keys, link) for link in invitations.live_links(db, meeting)]
    return sorted(opened, key=lambda link: (order.index(link.role), not link.is_room))


def live_link(db: Database, meeting: str, link: str) -> Link:
    """A live link of a meeting; NotFound where there is none."""
    found = invitations.live_link(db, meeting, link)
    if found is None:
        raise NotFound(f"there is no link {link} in the meeting {meeting}")
    return found


def _add_personal_link(
    db: Database, keys: KeyStore, meeting: str, role: Role, questionnaire: str, source: Random | None
) -> OpenedLink:
    place = invitations.free_in_room(db, meeting, role, Stage.AFTER) or add_place(db, meeting, role, questionnaire)
    invitations.set_questionnaire(db, place.id, questionnaire)
    return add_link(db, keys, replace(place, questionnaire=questionnaire), place.id, source)


def opened_link(keys: KeyStore, link: Link) -> OpenedLink:
    """A link with its key in clear."""
    key = tokens.open_key(keys.instance, link.sealed_key or b"", link.id)
    return OpenedLink(link.id, key, link.role, link.questionnaire, link.is_room)
