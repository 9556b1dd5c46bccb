"""Places for answers, the room that shares them, and what the other modules judge by."""

import secrets
from collections.abc import Mapping
from random import Random

from sqlite_utils import Database

from enkat.catalogue import Catalogue
from enkat.model.errors import NotFound, Refused
from enkat.model.meeting import (
    MOST_PLACES,
    Invitation,
    InvitationState,
    Link,
    LinkState,
    MeetingState,
    OpenedLink,
)
from enkat.model.survey import Role, Stage
from enkat.secrecy import tokens
from enkat.secrecy.keys import KeyStore
from enkat.storage import invitations, meetings


def new_id() -> str:
    """A random id for an assignment, meeting, place or link."""
    return secrets.token_hex(8)


def judge_places(places: Mapping[Role, int]) -> None:
    if any(not 0 <= number <= MOST_PLACES for number in places.values()):
        raise Refused("places", f"places are 0 to {MOST_PLACES} for each role")


def questionnaire_of(catalogue: Catalogue, role: Role, chosen: str | None = None) -> str:
    usual, *others = [form.id for form in catalogue.choices(role)]
    if chosen not in (None, usual, *others):
        raise Refused(
            "questionnaire",
            f"{role} has no questionnaire '{chosen}'; choose of {', '.join([usual, *others])}",
        )
    return chosen or usual


def open_meeting(db: Database, meeting: str) -> None:
    found = meetings.find_meeting(db, meeting)
    if found is None:
        raise NotFound(f"there is no meeting {meeting}")
    if found.state is not MeetingState.OPEN:
        raise Refused("counted", f"the meeting {meeting} is counted, and no link leads to it any more")


def personal_links(db: Database, meeting: str, role: Role) -> list[Link]:
    return [link for link in invitations.live_links(db, meeting) if link.role is role and not link.is_room]


def assign_places(
    db: Database,
    keys: KeyStore,
    meeting: str,
    role: Role,
    places: int,
    questionnaire: str,
    source: Random | None = None,
) -> None:
    """Plan a number of places for a role, make what is missing, and its room."""
    meetings.set_invited(db, meeting, role, Stage.AFTER, places)
    rooms = [link for link in invitations.live_links(db, meeting) if link.role is role and link.is_room]
    if rooms:
        questionnaire = rooms[0].questionnaire
    surplus = invitations.count_places(db, meeting, role, Stage.AFTER) - places
    for _ in range(-surplus):
        add_place(db, meeting, role, questionnaire)
    # Only while nobody in the whole meeting has answered: later, what could be removed would tell what is used.
    for _ in range(surplus if invitations.count_answered(db, meeting) == 0 else 0):
        if spare := invitations.free_in_room(db, meeting, role, Stage.AFTER):
            invitations.remove_place(db, spare.id)
    if not rooms:
        room = Invitation("", meeting, role, Stage.AFTER, questionnaire, InvitationState.OPEN)
        add_link(db, keys, room, None, source)


def add_place(db: Database, meeting: str, role: Role, questionnaire: str) -> Invitation:
    place = Invitation(new_id(), meeting, role, Stage.AFTER, questionnaire, InvitationState.OPEN)
    invitations.add_place(db, place)
    return place


def add_link(
    db: Database,
    keys: KeyStore,
    like: Invitation | Link,
    invitation: str | None,
    source: Random | None = None,
) -> OpenedLink:
    """A new live link to a place or, without one, to the room of the same role."""
    identity, key = new_id(), tokens.new_key(source)
    link = Link(
        id=identity,
        meeting=like.meeting,
        role=like.role,
        stage=like.stage,
        questionnaire=like.questionnaire,
        invitation=invitation,
        key_hash=tokens.key_hash(keys.instance, key),
        sealed_key=tokens.seal_key(keys.instance, key, identity),
        state=LinkState.LIVE,
    )
    invitations.add_link(db, link)
    return OpenedLink(identity, key, like.role, like.questionnaire, link.is_room)
