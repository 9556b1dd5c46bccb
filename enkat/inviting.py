"""First bend of the river: an assignment, a meeting, places for answers, and the links that lead to them.

What a coordinator sees here never depends on what was answered. Places are counted as planned; a personal link
holds one of its role's places, and where the room has used them all it quietly gets one more, so that nobody
who was given a link is turned away and nothing on the page shows the difference.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from sqlite_utils import Database

from enkat import identifiers
from enkat.catalogue import Catalogue
from enkat.model.audit import TERMINAL, Act
from enkat.model.errors import NotFound, Refused
from enkat.model.meeting import (
    LONGEST_OPEN_DAYS,
    MOST_PLACES,
    Assignment,
    Invitation,
    InvitationState,
    Kind,
    Link,
    LinkState,
    Meeting,
    MeetingState,
    OpenedLink,
    Source,
    default_closing,
)
from enkat.model.survey import Role, Stage
from enkat.secrecy import tokens
from enkat.secrecy.keys import KeyStore
from enkat.storage import audit, contacts, invitations, meetings
from enkat.storage.engine import leave_remnants, write

#: Letters, digits and a few marks; long enough for a register's number, too short for a story.
_REFERENCE = re.compile(r"[\w][\w ./-]{0,39}")

#: Two words or more, each a capital and small letters: Anna Svensson, Omar Al-Hassan.
_NAME = r"[A-ZÅÄÖÉ][a-zåäöéü]+(?:-[A-ZÅÄÖÉ][a-zåäöéü]+)?"
_FULL_NAME = re.compile(f"{_NAME}(?: {_NAME})+")


@dataclass(frozen=True)
class Plan:
    """What a coordinator says of a meeting before it is started; `closes` None for the usual two weeks."""

    kind: Kind
    held: date
    places: Mapping[Role, int]
    closes: date | None = None
    leader: str | None = None
    questionnaires: Mapping[Role, str] = field(default_factory=dict)


def judge_reference(reference: str) -> str:
    """A reference fit to be stored; Refused where it is empty, unfit, or looks like a personal identity number."""
    reference = " ".join(reference.split())
    if identifiers.has_identity_number(reference):
        raise Refused(
            "identity_number",
            "the reference looks like a personal identity number; use a pseudonym such as M-114, for whoever "
            "sees the reference must not learn whose family it is",
        )
    if _FULL_NAME.fullmatch(reference):
        raise Refused(
            "name_like",
            "the reference looks like a name; use a pseudonym such as M-114, for whoever sees the reference must "
            "not learn whose family it is",
        )
    if not _REFERENCE.fullmatch(reference):
        raise Refused("reference", "a reference is 1-40 letters, digits, spaces and . / - , such as M-114")
    return reference


def open_assignment(
    db: Database, reference: str, unit: str, source: Source | None, protected: bool = False, *, by: str = TERMINAL
) -> Assignment:
    """The unit's assignment of that reference, opened now where it is new. A new one needs a source, and a
    known one keeps what it has: Refused where something else is said of it."""
    reference = judge_reference(reference)
    with write(db):
        known = meetings.assignments_called(db, reference, {unit})
        if known:
            if source not in (None, known[0].source):
                raise Refused("other_source", f"{reference} is known already, with the source {known[0].source}")
            if protected and not known[0].protected:
                raise Refused("other_protection", f"{reference} is known already, without protection")
            return known[0]
        if source is None:
            raise Refused("no_source", f"{reference} is new; say where it comes from")
        assignment = Assignment(new_id(), reference, unit, source, protected)
        meetings.add_assignment(db, assignment)
        audit.note(db, by, Act.ASSIGNMENT_OPENED, assignment.id)
    return assignment


def judge_plan(plan: Plan, today: date) -> date:
    """The last day to answer of a meeting planned so; Refused where it cannot be held so."""
    _judge_places(plan.places)
    if not any(plan.places.values()):
        raise Refused("nobody", "invite at least one person")
    if abs(plan.held - today) > timedelta(days=366):
        raise Refused("held", f"the date {plan.held} is more than a year from today")
    closes = plan.closes or default_closing(plan.held, today)
    if closes < today:
        raise Refused("closes_past", f"the closing date {closes} has passed")
    if closes < plan.held:
        raise Refused("closes_before", f"the closing date {closes} is before the meeting, {plan.held}")
    if closes > max(plan.held, today) + timedelta(days=LONGEST_OPEN_DAYS):
        raise Refused("closes_late", f"a survey is open for at most {LONGEST_OPEN_DAYS} days")
    return closes


def start_meeting(
    db: Database,
    keys: KeyStore,
    catalogue: Catalogue,
    assignment: str,
    plan: Plan,
    today: date,
    source: Random | None = None,
    *,
    by: str = TERMINAL,
) -> Meeting:
    """Start a meeting: its key pair, its places and a room link for each role invited."""
    closes = judge_plan(plan, today)
    identity = new_id()
    public_key = keys.make_meeting_key(identity)
    try:
        with write(db):
            meeting = Meeting(
                id=identity,
                assignment=assignment,
                number=meetings.next_number(db, assignment),
                kind=plan.kind,
                held=plan.held,
                closes=closes,
                leader=plan.leader,
                public_key=public_key,
                state=MeetingState.OPEN,
            )
            meetings.add_meeting(db, meeting)
            for role in Role:
                if places := plan.places.get(role, 0):
                    form = _questionnaire(catalogue, role, plan.questionnaires.get(role))
                    _set_places(db, keys, identity, role, places, form, source)
            audit.note(db, by, Act.MEETING_STARTED, identity)
    except BaseException:
        keys.destroy_meeting_key(identity)
        raise
    return meeting


def set_places(
    db: Database,
    keys: KeyStore,
    catalogue: Catalogue,
    meeting: str,
    places: Mapping[Role, int],
    *,
    by: str = TERMINAL,
) -> None:
    """Change how many are invited of the roles named; never fewer than hold a personal link."""
    _judge_places(places)
    with write(db):
        _open_meeting(db, meeting)
        known = meetings.invited(db, meeting)
        for role, number in places.items():
            if number < len(_personal(db, meeting, role)):
                raise Refused("held_by_links", "so many places have personal links; revoke some of the links first")
            if number or (role, Stage.AFTER) in known:
                _set_places(db, keys, meeting, role, number, _questionnaire(catalogue, role))
        audit.note(db, by, Act.PLACES_CHANGED, meeting)


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
    form = _questionnaire(catalogue, role, questionnaire)
    with write(db):
        _open_meeting(db, meeting)
        held = len(_personal(db, meeting, role))
        _judge_places({role: held + count})
        if held + count > meetings.invited(db, meeting).get((role, Stage.AFTER), 0):
            _set_places(db, keys, meeting, role, held + count, _questionnaire(catalogue, role))
        audit.note(db, by, Act.LINKS_ADDED, meeting)
        return [_add_personal_link(db, keys, meeting, role, form, source) for _link in range(count)]


def replace_link(db: Database, keys: KeyStore, meeting: str, link: str, *, by: str = TERMINAL) -> OpenedLink:
    """Another key to the same place, or to the same room; the old key leads nowhere from now on."""
    with write(db):
        _open_meeting(db, meeting)
        old = _live_link(db, meeting, link)
        invitations.revoke_link(db, old.id)
        audit.note(db, by, Act.LINK_REPLACED, meeting)
        return _add_link(db, keys, old, old.invitation)


def revoke_link(db: Database, meeting: str, link: str, *, by: str = TERMINAL) -> None:
    """Take a personal link back: its key leads nowhere from now on. How many were invited stays as it is,
    so that nothing tells whether it had been used."""
    with write(db):
        _open_meeting(db, meeting)
        old = _live_link(db, meeting, link)
        if old.is_room:
            raise Refused("room_link", "a room's link can be replaced but not revoked")
        invitations.revoke_link(db, old.id)
        if contacts.delete_of_place(db, old.invitation or ""):
            leave_remnants(db)
        audit.note(db, by, Act.LINK_REVOKED, meeting)


def links(db: Database, keys: KeyStore, meeting: str) -> list[OpenedLink]:
    """A meeting's live links with their keys, by role, the room's before the personal ones."""
    order = list(Role)
    opened = [_opened(keys, link) for link in invitations.live_links(db, meeting)]
    return sorted(opened, key=lambda link: (order.index(link.role), not link.is_room))


def new_id() -> str:
    """A random id for an assignment, meeting, place or link."""
    return secrets.token_hex(8)


def _judge_places(places: Mapping[Role, int]) -> None:
    if any(not 0 <= number <= MOST_PLACES for number in places.values()):
        raise Refused("places", f"places are 0 to {MOST_PLACES} for each role")


def _questionnaire(catalogue: Catalogue, role: Role, chosen: str | None = None) -> str:
    usual, *others = [form.id for form in catalogue.choices(role)]
    if chosen not in (None, usual, *others):
        raise Refused(
            "questionnaire",
            f"{role} has no questionnaire '{chosen}'; choose of {', '.join([usual, *others])}",
        )
    return chosen or usual


def _open_meeting(db: Database, meeting: str) -> None:
    found = meetings.find_meeting(db, meeting)
    if found is None:
        raise NotFound(f"there is no meeting {meeting}")
    if found.state is not MeetingState.OPEN:
        raise Refused("counted", f"the meeting {meeting} is counted, and no link leads to it any more")


def _live_link(db: Database, meeting: str, link: str) -> Link:
    found = invitations.live_link(db, meeting, link)
    if found is None:
        raise NotFound(f"there is no link {link} in the meeting {meeting}")
    return found


def _personal(db: Database, meeting: str, role: Role) -> list[Link]:
    return [link for link in invitations.live_links(db, meeting) if link.role is role and not link.is_room]


def _set_places(
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
        _add_place(db, meeting, role, questionnaire)
    # Only while nobody in the whole meeting has answered: later, what could be removed would tell what is used.
    for _ in range(surplus if invitations.count_answered(db, meeting) == 0 else 0):
        if spare := invitations.free_in_room(db, meeting, role, Stage.AFTER):
            invitations.remove_place(db, spare.id)
    if not rooms:
        room = Invitation("", meeting, role, Stage.AFTER, questionnaire, InvitationState.OPEN)
        _add_link(db, keys, room, None, source)


def _add_personal_link(
    db: Database, keys: KeyStore, meeting: str, role: Role, questionnaire: str, source: Random | None
) -> OpenedLink:
    place = invitations.free_in_room(db, meeting, role, Stage.AFTER) or _add_place(db, meeting, role, questionnaire)
    invitations.set_questionnaire(db, place.id, questionnaire)
    return _add_link(db, keys, replace(place, questionnaire=questionnaire), place.id, source)


def _add_place(db: Database, meeting: str, role: Role, questionnaire: str) -> Invitation:
    place = Invitation(new_id(), meeting, role, Stage.AFTER, questionnaire, InvitationState.OPEN)
    invitations.add_place(db, place)
    return place


def _add_link(
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


def _opened(keys: KeyStore, link: Link) -> OpenedLink:
    key = tokens.open_key(keys.instance, link.sealed_key or b"", link.id)
    return OpenedLink(link.id, key, link.role, link.questionnaire, link.is_room)
