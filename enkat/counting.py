"""Third bend: once a survey has closed, all its ballots are opened together, shuffled, and stored with nothing
that ties them to a person; the places, links, receipts and the meeting's key are destroyed."""

import random
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from sqlite_utils import Database

from enkat import identifiers
from enkat.i18n import SOURCE
from enkat.model.audit import TERMINAL, Act
from enkat.model.errors import EnkatError, KeyFileError, NotFound, Refused
from enkat.model.meeting import Meeting, MeetingState
from enkat.model.survey import ItemKind, Questionnaire, Response, Role, Submission
from enkat.model.text import FreeText
from enkat.secrecy import ballots as sealing
from enkat.secrecy.keys import KeyStore
from enkat.storage import audit, ballots, contacts, invitations, meetings, questionnaires, responses, texts
from enkat.storage.engine import leave_remnants, write


@dataclass(frozen=True)
class Counted:
    """How many ballots were opened in how many meetings, and what kept others from being counted."""

    opened: int
    meetings: int
    failures: tuple[str, ...] = ()


def count_due(db: Database, keys: KeyStore, today: date, *, by: str = TERMINAL) -> Counted:
    """Count every meeting whose last day has passed; one that cannot be counted does not hold up the rest."""
    opened, failures = [], []
    for meeting in meetings.due_for_count(db, today):
        try:
            opened.append(count(db, keys, meeting, by=by))
        except EnkatError as error:
            failures.append(f"the meeting {meeting} cannot be counted: {error}")
    return Counted(sum(opened), len(opened), tuple(failures))


def close_and_count(db: Database, keys: KeyStore, meeting: str, today: date, *, by: str = TERMINAL) -> Counted:
    """Close a survey now and count it, in one write; nothing where it is counted already."""
    found = meetings.find_meeting(db, meeting)
    if found is None:
        raise NotFound(f"there is no meeting {meeting}")
    return Counted(count(db, keys, meeting, today, by=by), int(found.state is MeetingState.OPEN))


def count_if_due(db: Database, keys: KeyStore, meeting: str, today: date) -> Counted:
    """Count one meeting where its last day has passed; Refused where it is still open."""
    found = meetings.find_meeting(db, meeting)
    if found is None:
        raise NotFound(f"there is no meeting {meeting}")
    if found.is_open(today):
        raise Refused("still_open", f"the meeting {meeting} is open until {found.closes}; --close closes it now")
    return Counted(count(db, keys, meeting), int(found.state is MeetingState.OPEN))


def count(db: Database, keys: KeyStore, meeting: str, closing: date | None = None, *, by: str = TERMINAL) -> int:
    """Count one meeting, wholly or not at all; how many ballots were opened. `closing` is the day on which a
    survey still open closes. Its key is destroyed last, so that a count cut short can be done again."""
    with write(db):
        found = meetings.find_meeting(db, meeting)
        if found is None or found.state is MeetingState.COUNTED:
            return 0
        if closing and closing < found.closes:
            meetings.set_closing(db, meeting, closing)
            audit.note(db, by, Act.MEETING_CLOSED, meeting)
        private_key = keys.meeting_key(meeting)
        opened = [sealing.unseal(private_key, meeting, one.sealed) for one in ballots.of_meeting(db, meeting)]
        random.SystemRandom().shuffle(opened)
        _clear_away(db, meeting, len(opened), by)
        audit.note(db, by, Act.MEETING_COUNTED, meeting)
        forms = questionnaires.all_versions(db)
        responses.put_all(db, [_response(meeting, submission, forms) for submission in opened])
        texts.lock_all(db, meeting, _texts(opened))
    _destroy_key(db, keys, meeting, by)
    return len(opened)


def give_up(db: Database, keys: KeyStore, meeting: str, today: date, *, by: str = TERMINAL) -> None:
    """Count a closed meeting whose key is lost, with no answers: nobody will ever open them, and until it is counted
    nothing more is published. Refused where it is open, or where the key is there."""
    with write(db):
        found = meetings.find_meeting(db, meeting)
        if found is None:
            raise NotFound(f"there is no meeting {meeting}")
        if found.state is MeetingState.COUNTED:
            raise Refused("counted", f"the meeting {meeting} is counted")
        if found.is_open(today):
            raise Refused("still_open", f"the meeting {meeting} is open until {found.closes}; look for its key")
        if _has_its_key(keys, found):
            raise Refused("has_key", f"the key of the meeting {meeting} is there; count it without --without-key")
        _clear_away(db, meeting, 0, by)
        audit.note(db, by, Act.MEETING_GIVEN_UP, meeting)
    keys.destroy_meeting_key(meeting)


def _has_its_key(keys: KeyStore, meeting: Meeting) -> bool:
    try:
        return sealing.fits(keys.meeting_key(meeting.id), meeting.public_key or b"")
    except KeyFileError:
        return False


def _clear_away(db: Database, meeting: str, answers: int, by: str) -> None:
    """Delete all that led to a meeting's answers, and call it counted."""
    ballots.delete_of(db, meeting)
    if contacts.delete_of(db, meeting):
        audit.note(db, by, Act.CONTACTS_REMOVED, meeting)
    invitations.delete_of(db, meeting)
    meetings.mark_counted(db, meeting, answers)
    leave_remnants(db)


def destroy_spent_keys(db: Database, keys: KeyStore, *, by: str = TERMINAL) -> int:
    """Destroy the keys of counted meetings that a count cut short has left behind; how many there were."""
    counted = {meeting.id for meeting in meetings.in_state(db, MeetingState.COUNTED)}
    spent = counted & keys.meetings_with_key()
    for meeting in spent:
        _destroy_key(db, keys, meeting, by)
    return len(spent)


def _destroy_key(db: Database, keys: KeyStore, meeting: str, by: str) -> None:
    """Its file goes last: where anything fails before, the next round finds it and does all of it again."""
    keys.overwrite_meeting_key(meeting)
    with write(db):
        audit.note(db, by, Act.KEY_DESTROYED, meeting)
    keys.remove_meeting_key(meeting)


def _texts(opened: Collection[Submission]) -> list[FreeText]:
    """What was written in own words, in an order of its own: nothing tells which answers it came with. It is blanked
    here too, for ballots that an older enkat has sealed."""
    found = [
        FreeText(secrets.token_hex(16), identifiers.blanked(answer.text), is_child=submission.role is Role.CHILD)
        for submission in opened
        for answer in submission.answers.values()
        if answer.text is not None
    ]
    random.SystemRandom().shuffle(found)
    return found


def _response(meeting: str, submission: Submission, forms: Mapping[tuple[str, int], Questionnaire]) -> Response:
    """A response without the texts that came with it, and without a word of whether there were any."""
    form = forms.get((submission.questionnaire, submission.version))
    texts = {item.id for item in form.items if item.kind is ItemKind.TEXT} if form else set()
    closed = {item: said for item, said in submission.answers.items() if said.text is None and item not in texts}
    return Response(
        id=secrets.token_hex(16),
        meeting=meeting,
        stage=submission.stage,
        role=submission.role,
        questionnaire=submission.questionnaire,
        version=submission.version,
        language=SOURCE if submission.language == SOURCE else "other",
        answers=closed,
    )
