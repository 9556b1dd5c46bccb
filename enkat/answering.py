"""Second bend: a link opens a form; a form sent is sealed and put into the box in one write; a receipt takes it
back until the count."""

import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import date

from sqlite_utils import Database

from enkat import identifiers
from enkat.model.errors import ClosedSurvey, PlaceTaken, Refused, RevokedLink, UnknownLink, UnknownReceipt
from enkat.model.meeting import Ballot, Link, LinkState, Meeting
from enkat.model.survey import Answer, Missing, Submission
from enkat.secrecy import ballots as sealing
from enkat.secrecy import tokens
from enkat.secrecy.keys import KeyStore
from enkat.storage import ballots, invitations, meetings
from enkat.storage.engine import write


@dataclass(frozen=True)
class Received:
    """What the sender is told: the receipt, whether an edited repeat was left aside, whether numbers or addresses were
    blanked in a text, and whether it still looks as if it named somebody."""

    receipt: str
    unchanged: bool = False
    blanked: bool = False
    may_name: bool = False


def find_link(db: Database, keys: KeyStore, typed: str) -> tuple[Link, Meeting]:
    """The link of a key and its meeting, whatever their state; UnknownLink where there is none."""
    key = tokens.normal_key(typed)
    link = invitations.find_link(db, tokens.key_hash(keys.instance, key)) if key else None
    meeting = meetings.find_meeting(db, link.meeting) if link else None
    if link is None or meeting is None:
        raise UnknownLink("no link has that key")
    return link, meeting


def open_link(db: Database, keys: KeyStore, typed: str, today: date) -> Link:
    """The link whose form is to be shown. Nothing is written, however often it is opened, and a used place
    looks like a free one. UnknownLink, RevokedLink or ClosedSurvey where there is nothing to show."""
    link, meeting = find_link(db, keys, typed)
    _judge(link, meeting, today)
    return link


def submit(db: Database, keys: KeyStore, typed: str, submission: Submission, today: date) -> Received:
    """Take a place and put the sealed answers into the box, in one write, with nothing that joins the two.

    The same submission again gives the same receipt, and is left aside where it was edited. PlaceTaken where
    another submission has the place, or the room has none left.
    """
    if all(answer.missing is Missing.SKIPPED for answer in submission.answers.values()):
        raise Refused("empty", "a form needs at least one answer")
    submission, told = _without_identifiers(submission)
    link, meeting = find_link(db, keys, typed)
    mark, receipt = tokens.claim(submission.id), tokens.receipt(keys.instance, submission.id)
    content = sealing.content(submission)
    check = tokens.content_check(keys.instance, submission.id, content)
    ballot = Ballot(
        id=secrets.token_hex(16),
        meeting=meeting.id,
        sealed=sealing.seal(meeting.public_key, meeting.id, content) if meeting.public_key else b"",
        receipt_hash=tokens.receipt_hash(receipt),
        repeat_check=check,
    )
    with write(db):
        link, meeting = find_link(db, keys, typed)
        claimed = invitations.claimed_meeting(db, mark)
        if claimed == meeting.id:
            return replace(told, receipt=receipt, unchanged=_is_edited(db, ballot))
        if claimed:
            raise Refused("submission", "the form's id belongs to another meeting; open the link again")
        _judge(link, meeting, today)
        _take_place(db, link, mark)
        ballots.put(db, ballot)
    return replace(told, receipt=receipt)


def withdraw(db: Database, typed: str) -> None:
    """Take an answer back by its receipt. Its place stays used: nothing leads from the receipt to it."""
    receipt = tokens.normal_receipt(typed)
    if receipt is None:
        raise UnknownReceipt("that cannot be a receipt")
    with write(db):
        if not ballots.take_back(db, tokens.receipt_hash(receipt)):
            raise UnknownReceipt("no sealed answer has that receipt")


def _judge(link: Link, meeting: Meeting, today: date) -> None:
    if not meeting.is_open(today):
        raise ClosedSurvey("the survey has closed")
    if link.state is LinkState.REVOKED:
        raise RevokedLink("the link leads nowhere any more")


def _take_place(db: Database, link: Link, mark: bytes) -> None:
    place = link.invitation
    if place is None:
        free = invitations.free_in_room(db, link.meeting, link.role, link.stage)
        place = free.id if free else None
    if place is None or not invitations.take_place(db, place, mark):
        raise PlaceTaken("the place is used")


def _is_edited(db: Database, ballot: Ballot) -> bool:
    """Whether a submission that came before said something else then; PlaceTaken where it was taken back meanwhile."""
    earlier = ballots.find(db, ballot.receipt_hash)
    if earlier is None:
        raise PlaceTaken("the answer was taken back")
    return not hmac.compare_digest(earlier.repeat_check, ballot.repeat_check)


def _without_identifiers(submission: Submission) -> tuple[Submission, Received]:
    """A submission as it is stored, and what its sender is to be told of its texts."""
    texts = {item: said.text for item, said in submission.answers.items() if said.text is not None}
    kept = {item: identifiers.blanked(text) for item, text in texts.items()}
    answers = {**submission.answers, **{item: Answer(text=text) for item, text in kept.items()}}
    told = Received("", blanked=kept != texts, may_name=any(map(identifiers.may_name, kept.values())))
    return replace(submission, answers=answers), told
