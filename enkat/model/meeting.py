"""Assignments, meetings, and the places and links through which a meeting's answers come."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from enkat.model.survey import Response, Role, Stage

#: Days a survey stays open after its meeting, the last one included, unless the coordinator says otherwise.
OPEN_DAYS = 14

#: Days after closing on which a contact address is removed at the latest.
CONTACT_DAYS = 14

#: The longest a survey may stay open: sealed answers are not to lie about for a season.
LONGEST_OPEN_DAYS = 92

#: Places of one role in one meeting; a larger number is a slip of the finger.
MOST_PLACES = 50


class Kind(StrEnum):
    """What sort of meeting it was."""

    NETWORK_MEETING = "network_meeting"
    PRE_MEETING = "pre_meeting"
    FOLLOW_UP = "follow_up"
    SIP = "sip"
    FAMILY_GROUP_CONFERENCE = "family_group_conference"
    SMALL_NETWORK = "small_network"
    OTHER = "other"


class Source(StrEnum):
    """Where the assignment came from."""

    SCHOOL = "school"
    INQUIRY = "inquiry"
    HEALTH = "health"
    SELF = "self"
    OTHER = "other"


class MeetingState(StrEnum):
    """Open until the count, counted for good after it."""

    OPEN = "open"
    COUNTED = "counted"


class Channel(StrEnum):
    """By what a link is sent to somebody."""

    SMS = "sms"
    EMAIL = "email"


class InvitationState(StrEnum):
    """A place for one answer: free or taken."""

    OPEN = "open"
    ANSWERED = "answered"


class LinkState(StrEnum):
    """A link leads to the form until it is replaced or taken back."""

    LIVE = "live"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Assignment:
    """The work with one family, under a pseudonymous reference; protected ones never use SMS or e-mail."""

    id: str
    reference: str
    unit: str
    source: Source
    protected: bool = False


@dataclass(frozen=True)
class Meeting:
    """One meeting of an assignment; `closes` is the last day on which it can be answered."""

    id: str
    assignment: str
    number: int
    kind: Kind
    held: date
    closes: date
    leader: str | None
    public_key: bytes | None
    state: MeetingState

    def is_open(self, today: date) -> bool:
        """True while answers are taken: not counted, and the closing date not passed."""
        return self.state is MeetingState.OPEN and today <= self.closes


@dataclass(frozen=True)
class Invitation:
    """A place for one answer. `claim` is the mark that its submission leaves, and nothing else."""

    id: str
    meeting: str
    role: Role
    stage: Stage
    questionnaire: str
    state: InvitationState
    claim: bytes | None = None


@dataclass(frozen=True)
class Link:
    """One key and where it leads: a certain place (`invitation`), or any free one of its role in the room."""

    id: str
    meeting: str
    role: Role
    stage: Stage
    questionnaire: str
    invitation: str | None
    key_hash: bytes
    sealed_key: bytes | None
    state: LinkState

    @property
    def is_room(self) -> bool:
        """True for the link that everyone of the role in the room shares."""
        return self.invitation is None


@dataclass(frozen=True)
class OpenedLink:
    """A link with its key in clear, for the coordinator who hands it out."""

    id: str
    key: str
    role: Role
    questionnaire: str
    is_room: bool


@dataclass(frozen=True)
class Contact:
    """Where somebody who holds a place is sent their link: the address under the instance's key, and the language of
    what is sent. Removed at the count, and on `delete_on` in any case. `remind_on` is the day of the one reminder;
    `reminded` says that it was decided, whatever was."""

    id: str
    invitation: str
    meeting: str
    channel: Channel
    sealed_address: bytes
    delete_on: date
    language: str = "sv"
    remind_on: date | None = None
    reminded: bool = False


@dataclass(frozen=True)
class Ballot:
    """A sealed answer in the box. `receipt_hash` lets its writer take it back; `repeat_check` tells an edited
    repeat of the same submission from a true one. Neither leads to an invitation."""

    id: str
    meeting: str
    sealed: bytes
    receipt_hash: bytes
    repeat_check: bytes


@dataclass(frozen=True)
class MeetingOverview:
    """A meeting with its assignment and how far its answers have come; `responses` once it is counted, and None
    again when its year is published."""

    meeting: Meeting
    assignment: Assignment
    progress: "Progress"
    responses: int | None


@dataclass(frozen=True)
class CountedMeeting:
    """A counted meeting with its assignment, how many were invited of each role, and the closed answers of the roles
    that were asked for."""

    meeting: Meeting
    assignment: Assignment
    invited: Mapping[Role, int]
    responses: tuple[Response, ...]


@dataclass(frozen=True)
class Progress:
    """How many places of the whole meeting are answered; never by role, never who."""

    answered: int
    invited: int


def default_closing(held: date, today: date) -> date:
    """The last day of a survey by default: two weeks after the meeting, and never in the past."""
    return max(held + timedelta(days=OPEN_DAYS), today)
