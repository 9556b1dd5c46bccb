"""A meeting: planned, started, and changed when more or fewer came."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from sqlite_utils import Database

from enkat.catalogue import Catalogue
from enkat.inviting.places import assign_places, judge_places, new_id, open_meeting, personal_links, questionnaire_of
from enkat.model.audit import TERMINAL, Act
from enkat.model.errors import Refused
from enkat.model.meeting import LONGEST_OPEN_DAYS, Kind, Meeting, MeetingState, default_closing
from enkat.model.survey import Role, Stage
from enkat.secrecy.keys import KeyStore
from enkat.storage import audit, meetings
from enkat.storage.engine import write


@dataclass(frozen=True)
class Plan:
    """What a coordinator says of a meeting before it is started; `closes` None for the usual two weeks."""

    kind: Kind
    held: date
    places: Mapping[Role, int]
    closes: date | None = None
    leader: str | None = None
    questionnaires: Mapping[Role, str] = field(default_factory=dict)


def judge_plan(plan: Plan, today: date) -> date:
    """The last day to answer of a meeting planned so; Refused where it cannot be held so."""
    judge_places(plan.places)
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
                    form = questionnaire_of(catalogue, role, plan.questionnaires.get(role))
                    assign_places(db, keys, identity, role, places, form, source)
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
    judge_places(places)
    with write(db):
        open_meeting(db, meeting)
        known = meetings.invited(db, meeting)
        for role, number in places.items():
            if number < len(personal_links(db, meeting, role)):
                raise Refused("held_by_links", "so many places have personal links; revoke some of the links first")
            if number or (role, Stage.AFTER) in known:
                assign_places(db, keys, meeting, role, number, questionnaire_of(catalogue, role))
        audit.note(db, by, Act.PLACES_CHANGED, meeting)
