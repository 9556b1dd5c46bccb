"""The audit log: what staff and the program have done to which record. Never anything about participants."""

from dataclasses import dataclass
from enum import StrEnum
from string import hexdigits

#: Who has done it where it was nobody who is signed in: whoever works at the terminal, and the background work.
TERMINAL, BACKGROUND = "terminal", "background"


class Act(StrEnum):
    """What was done. The word before the dot says what kind of record it was done to."""

    UNIT_ADDED = "unit.added"
    STAFF_ADDED = "staff.added"
    STAFF_ENABLED = "staff.enabled"
    STAFF_DISABLED = "staff.disabled"
    STAFF_SIGNED_IN = "staff.signed_in"
    STAFF_SIGNED_OUT = "staff.signed_out"
    STAFF_SIGNED_OUT_ELSEWHERE = "staff.signed_out_elsewhere"
    PASSWORD_CHANGED = "staff.password_changed"
    PASSWORD_GIVEN = "staff.password_given"
    ASSIGNMENT_OPENED = "assignment.opened"
    MEETING_STARTED = "meeting.started"
    PLACES_CHANGED = "meeting.places_changed"
    LINKS_ADDED = "meeting.links_added"
    LINK_REPLACED = "meeting.link_replaced"
    LINK_REVOKED = "meeting.link_revoked"
    CONTACTS_ADDED = "meeting.contacts_added"
    CONTACTS_REMOVED = "meeting.contacts_removed"
    LINKS_SENT = "meeting.links_sent"
    REMINDER_ON = "meeting.reminder_on"
    REMINDER_OFF = "meeting.reminder_off"
    MEETING_CLOSED = "meeting.closed"
    MEETING_COUNTED = "meeting.counted"
    MEETING_GIVEN_UP = "meeting.given_up"
    KEY_DESTROYED = "meeting.key_destroyed"
    PERIOD_PUBLISHED = "period.published"
    RESPONSES_SEVERED = "responses.severed"
    TEXT_CHANGED = "text.changed_and_cleared"
    TEXT_CLEARED = "text.cleared"
    TEXT_WITHHELD = "text.withheld"
    TEXTS_READ = "texts.read"
    TEXTS_RELEASED = "texts.released"


@dataclass(frozen=True)
class AuditEntry:
    """One line of the log. `at` is UTC in whole seconds, written 2026-11-20T14:02:59Z; `actor` a staff member's id,
    `terminal` or `background`; `record` the id of what it was done to; the hashes are SHA-256, 32 bytes each."""

    number: int
    at: str
    actor: str
    act: str
    record: str
    previous: bytes
    hash: bytes


@dataclass(frozen=True, order=True)
class AuditHead:
    """The last entry that there was at some moment. Kept elsewhere it shows whether the log was changed since."""

    number: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.number}-{self.hash.hex()}"

    @classmethod
    def read(cls, text: str) -> "AuditHead":
        """The head that is written so; ValueError where it is none."""
        number, _, digest = text.strip().partition("-")
        if not (number.isascii() and number.isdigit() and len(digest) == 64 and set(digest) <= set(hexdigits)):
            raise ValueError("a head is a number, a hyphen and 64 hexadecimal digits")
        return cls(int(number), bytes.fromhex(digest))
