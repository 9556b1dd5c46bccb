"""The second bend: a form opened, sent, sent again, taken back; and what the ballot box must never tell."""

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enkat import answering, counting, identifiers, inviting
from enkat.house import House
from enkat.model.errors import (
    ClosedSurvey,
    EnkatError,
    PlaceTaken,
    Refused,
    RevokedLink,
    StoreUnavailable,
    UnknownLink,
    UnknownReceipt,
)
from enkat.model.meeting import Meeting, OpenedLink
from enkat.model.survey import TEXT_LIMIT, Answer, Missing, Role, Stage, Submission
from enkat.secrecy import ballots as sealing
from enkat.secrecy import tokens
from enkat.storage.engine import Row, number, rows
from tests.conftest import NINE, TODAY, Town

LAST_DAY = TODAY + timedelta(days=14)


_NUMBERS = count(1)


def a_reference() -> str:
    """A reference that no test has used; counted, for a random one looks like an identity number now and then."""
    return f"M-{next(_NUMBERS)}"


def said(town: Town, link: OpenedLink, **answers: Answer) -> Submission:
    """A form as somebody filled it in, with an id of its own."""
    form = town.house.catalogue[link.questionnaire]
    return Submission(
        id=tokens.new_submission(),
        questionnaire=form.id,
        version=form.version,
        role=link.role,
        stage=Stage.AFTER,
        language="sv",
        answers=answers or {"safe": Answer(value=3)},
    )


def send(town: Town, link: OpenedLink, submission: Submission, day: date = TODAY) -> answering.Received:
    return answering.submit(town.db, town.house.keys, link.key, submission, day)


def everything(town: Town) -> dict[str, list[Row]]:
    """Every row of every table that answering could touch."""
    tables = ("meeting", "invited", "invitation", "link", "ballot", "response", "answer")
    return {table: rows(town.db, f"select * from {table}") for table in tables}


def ballots(town: Town) -> int:
    return number(town.db, "select count(*) from ballot")


def answered(town: Town) -> int:
    return number(town.db, "select count(*) from invitation where state = 'answered'")


# Opening


def test_opening_a_link_however_often_writes_nothing(town: Town) -> None:
    meeting = town.meeting()
    links = [*town.rooms(meeting).values(), town.personal(meeting, Role.KIN)]
    send(town, links[-1], said(town, links[-1]))
    file = town.house.settings.database
    before = file.read_bytes(), file.stat().st_mtime_ns
    for _robot in range(20):
        for link in links:
            assert answering.open_link(town.db, town.house.keys, link.key, TODAY).id == link.id
            answering.find_link(town.db, town.house.keys, link.key)
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before


def test_a_used_link_opens_exactly_as_a_free_one_does(town: Town) -> None:
    meeting = town.meeting()
    link = town.personal(meeting, Role.KIN)
    before = answering.open_link(town.db, town.house.keys, link.key, TODAY)
    send(town, link, said(town, link))
    assert answering.open_link(town.db, town.house.keys, link.key, TODAY) == before


def test_a_room_without_a_free_place_opens_as_before(town: Town) -> None:
    room = town.rooms(town.meeting({Role.FAMILY: 1}))[Role.FAMILY]
    before = answering.open_link(town.db, town.house.keys, room.key, TODAY)
    send(town, room, said(town, room))
    assert answering.open_link(town.db, town.house.keys, room.key, TODAY) == before


@pytest.mark.parametrize("write", [str.lower, tokens.spoken, lambda key: f" {key[:3]}-{key[3:]}\n", "\t".join])
def test_a_key_is_known_however_it_is_typed(town: Town, write: Callable[[str], str]) -> None:
    link = town.rooms(town.meeting())[Role.KIN]
    assert answering.open_link(town.db, town.house.keys, write(link.key), TODAY).id == link.id


@pytest.mark.parametrize(
    "typed", ["", "0000000000", "0" * 9, "0" * 11, "x" * 10_000, "' or 1=1 --", "\0" * 10, "\ud800"]
)
def test_a_key_that_nobody_was_given_is_unknown(town: Town, typed: str) -> None:
    link = town.rooms(town.meeting())[Role.KIN]
    before = everything(town)
    with pytest.raises(UnknownLink):
        answering.open_link(town.db, town.house.keys, typed, TODAY)
    with pytest.raises(UnknownLink):
        answering.submit(town.db, town.house.keys, typed, said(town, link), TODAY)
    assert everything(town) == before


def test_what_the_database_knows_of_a_link_is_not_its_key(town: Town) -> None:
    link = town.rooms(town.meeting())[Role.KIN]
    stored = rows(town.db, "select id, key_hash, sealed_key from link where id = :id", id=link.id)[0]
    for clue in (stored["id"], stored["key_hash"].hex(), stored["key_hash"].hex()[:10], stored["sealed_key"].hex()):
        with pytest.raises(UnknownLink):
            answering.open_link(town.db, town.house.keys, clue, TODAY)


def test_a_revoked_and_a_replaced_link_open_nothing(town: Town) -> None:
    meeting = town.meeting()
    revoked, replaced = town.personal(meeting, Role.KIN), town.rooms(meeting)[Role.FAMILY]
    inviting.revoke_link(town.db, meeting.id, revoked.id)
    inviting.replace_link(town.db, town.house.keys, meeting.id, replaced.id)
    before = everything(town)
    for link in (revoked, replaced):
        with pytest.raises(RevokedLink):
            answering.open_link(town.db, town.house.keys, link.key, TODAY)
        with pytest.raises(RevokedLink):
            send(town, link, said(town, link))
    assert everything(town) == before


def test_the_last_day_is_open_and_the_day_after_is_closed(town: Town) -> None:
    link = town.rooms(town.meeting())[Role.FAMILY]
    assert answering.open_link(town.db, town.house.keys, link.key, LAST_DAY)
    send(town, link, said(town, link), LAST_DAY)
    before = everything(town)
    with pytest.raises(ClosedSurvey):
        answering.open_link(town.db, town.house.keys, link.key, LAST_DAY + timedelta(days=1))
    with pytest.raises(ClosedSurvey):
        send(town, link, said(town, link), LAST_DAY + timedelta(days=1))
    assert everything(town) == before


def test_after_the_count_a_link_is_as_unknown_as_one_that_never_was(town: Town) -> None:
    meeting = town.meeting()
    link = town.rooms(meeting)[Role.FAMILY]
    sent = said(town, link)
    receipt = send(town, link, sent).receipt
    counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
    before = everything(town)
    with pytest.raises(UnknownLink):
        answering.open_link(town.db, town.house.keys, link.key, TODAY)
    with pytest.raises(UnknownLink):
        send(town, link, sent)
    with pytest.raises(UnknownReceipt):
        answering.withdraw(town.db, receipt)
    assert everything(town) == before


# Sending


def test_an_answer_takes_one_place_and_lies_sealed_in_the_box(town: Town) -> None:
    meeting = town.meeting()
    link = town.personal(meeting, Role.KIN)
    sent = said(town, link, safe=Answer(value=4), words=Answer(text="Mormors egna ord"))
    received = send(town, link, sent)
    assert not received.unchanged
    assert tokens.normal_receipt(received.receipt) == received.receipt
    assert (ballots(town), answered(town)) == (1, 1)
    stored = town.house.settings.database.read_bytes()
    for secret in ("Mormors egna ord", sent.id, received.receipt):
        assert secret.encode() not in stored, "neither words nor the form's id nor the receipt are stored in clear"
    sealed = rows(town.db, "select sealed from ballot")[0]["sealed"]
    opened = sealing.unseal(town.house.keys.meeting_key(meeting.id), meeting.id, sealed)
    assert opened == replace(sent, id="")


@pytest.mark.parametrize(
    "answers", [{}, {"safe": Missing.SKIPPED}, {"safe": Missing.SKIPPED, "words": Missing.SKIPPED}]
)
def test_a_form_with_nothing_in_it_uses_nothing(town: Town, answers: dict[str, Missing]) -> None:
    link = town.personal(town.meeting(), Role.KIN)
    before = everything(town)
    empty = replace(said(town, link), answers={item: Answer(missing=missing) for item, missing in answers.items()})
    with pytest.raises(Refused) as refusal:
        send(town, link, empty)
    assert refusal.value.reason == "empty"
    assert everything(town) == before


@pytest.mark.parametrize(
    "answer", [Answer(missing=Missing.UNKNOWN), Answer(missing=Missing.DECLINED), Answer(value=1), Answer(text=".")]
)
def test_not_knowing_not_wanting_one_tick_or_one_character_is_an_answer(town: Town, answer: Answer) -> None:
    link = town.personal(town.meeting(), Role.KIN)
    send(town, link, said(town, link, safe=answer, say=Answer(missing=Missing.SKIPPED)))
    assert (ballots(town), answered(town)) == (1, 1)


def test_the_same_form_sent_again_gets_the_same_receipt_and_stays_one_ballot(town: Town) -> None:
    for link in (town.personal(meeting := town.meeting(), Role.KIN), town.rooms(meeting)[Role.FAMILY]):
        sent = said(town, link)
        first = send(town, link, sent)
        before = everything(town)
        for _impatience in range(3):
            assert send(town, link, sent) == first
        assert everything(town) == before
    assert (ballots(town), answered(town)) == (2, 2)


def test_an_edited_repeat_is_left_aside_and_told_so(town: Town) -> None:
    meeting = town.meeting()
    link = town.personal(meeting, Role.KIN)
    sent = said(town, link, safe=Answer(value=2))
    first = send(town, link, sent)
    before = everything(town)
    again = send(town, link, replace(sent, answers={"safe": Answer(value=5)}))
    assert again == answering.Received(first.receipt, unchanged=True)
    assert everything(town) == before
    assert send(town, link, sent) == first, "the true repeat is still known from the edited one"
    counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
    assert rows(town.db, "select item, value from answer") == [{"item": "safe", "value": 2}]


def test_another_form_on_a_used_personal_link_changes_nothing(town: Town) -> None:
    link = town.personal(town.meeting(), Role.KIN)
    send(town, link, said(town, link))
    before = everything(town)
    with pytest.raises(PlaceTaken):
        send(town, link, said(town, link, safe=Answer(value=5)))
    assert everything(town) == before


def test_a_room_takes_as_many_forms_as_it_has_places(town: Town) -> None:
    room = town.rooms(town.meeting())[Role.FAMILY]
    receipts = {send(town, room, said(town, room)).receipt for _person in range(NINE[Role.FAMILY])}
    assert len(receipts) == NINE[Role.FAMILY]
    before = everything(town)
    with pytest.raises(PlaceTaken):
        send(town, room, said(town, room))
    assert everything(town) == before


def test_a_room_takes_no_place_of_another_role_or_another_meeting(town: Town) -> None:
    meeting = town.meeting({Role.CHILD: 1, Role.KIN: 3}, town.assignment("M-1"))
    town.meeting({Role.CHILD: 3}, town.assignment("M-2"))
    room = town.rooms(meeting)[Role.CHILD]
    send(town, room, said(town, room))
    with pytest.raises(PlaceTaken):
        send(town, room, said(town, room))
    assert rows(town.db, "select role, meeting from invitation where state = 'answered'") == [
        {"role": "child", "meeting": meeting.id}
    ]


def test_the_room_leaves_alone_a_place_that_a_personal_link_holds(town: Town) -> None:
    meeting = town.meeting({Role.KIN: 2})
    link, room = town.personal(meeting, Role.KIN), town.rooms(meeting)[Role.KIN]
    send(town, room, said(town, room))
    with pytest.raises(PlaceTaken):
        send(town, room, said(town, room))
    send(town, link, said(town, link))
    assert (ballots(town), answered(town)) == (2, 2)


def test_a_repeat_through_another_link_of_the_meeting_is_still_one_answer(town: Town) -> None:
    meeting = town.meeting()
    room, link = town.rooms(meeting)[Role.KIN], town.personal(meeting, Role.KIN)
    sent = said(town, room)
    first = send(town, room, sent)
    assert send(town, link, sent).receipt == first.receipt
    assert (ballots(town), answered(town)) == (1, 1)
    send(town, link, said(town, link))
    assert (ballots(town), answered(town)) == (2, 2)


def test_a_form_id_used_in_one_meeting_and_sent_to_another_is_refused_in_words_and_writes_nothing(town: Town) -> None:
    """Somebody who was at two meetings copies the hidden id of one form into the other."""
    rooms = [town.rooms(town.meeting(assignment=town.assignment(reference)))[Role.KIN] for reference in ("M-1", "M-2")]
    sent = said(town, rooms[0])
    first = send(town, rooms[0], sent)
    before = everything(town)
    with pytest.raises(EnkatError):
        send(town, rooms[1], sent)
    assert everything(town) == before
    assert send(town, rooms[0], sent) == first


def test_a_repeat_after_the_link_was_revoked_or_replaced_still_gets_its_receipt(town: Town) -> None:
    meeting = town.meeting()
    for end in (
        lambda link: inviting.revoke_link(town.db, meeting.id, link.id),
        lambda link: inviting.replace_link(town.db, town.house.keys, meeting.id, link.id),
    ):
        link = town.personal(meeting, Role.FAMILY)
        sent = said(town, link)
        first = send(town, link, sent)
        end(link)
        assert send(town, link, sent) == first
        with pytest.raises(RevokedLink):
            send(town, link, said(town, link))
    assert (ballots(town), answered(town)) == (2, 2)


def test_a_repeat_after_the_last_day_but_before_the_count_still_gets_its_receipt(town: Town) -> None:
    link = town.rooms(town.meeting())[Role.KIN]
    sent = said(town, link)
    first = send(town, link, sent, LAST_DAY)
    assert send(town, link, sent, LAST_DAY + timedelta(days=3)) == first
    assert ballots(town) == 1


def test_many_phones_at_once_on_one_link_store_one_answer(town: Town) -> None:
    link = town.personal(town.meeting(), Role.KIN)
    outcomes: list[str] = []

    def one_phone(house: House, sent: Submission) -> None:
        db = house.connect()
        try:
            answering.submit(db, house.keys, link.key, sent, TODAY)
            outcomes.append("received")
        except PlaceTaken:
            outcomes.append("taken")
        finally:
            db.close()

    phones = [threading.Thread(target=one_phone, args=(town.house, said(town, link))) for _ in range(12)]
    for phone in phones:
        phone.start()
    for phone in phones:
        phone.join()
    assert sorted(outcomes) == ["received"] + ["taken"] * 11
    assert (ballots(town), answered(town)) == (1, 1)


def test_one_form_sent_by_many_impatient_fingers_at_once_is_one_answer_with_one_receipt(town: Town) -> None:
    room = town.rooms(town.meeting())[Role.FAMILY]
    sent = said(town, room)
    receipts: list[str] = []

    def one_finger(house: House) -> None:
        db = house.connect()
        try:
            receipts.append(answering.submit(db, house.keys, room.key, sent, TODAY).receipt)
        finally:
            db.close()

    fingers = [threading.Thread(target=one_finger, args=(town.house,)) for _ in range(8)]
    for finger in fingers:
        finger.start()
    for finger in fingers:
        finger.join()
    assert len(receipts) == 8
    assert len(set(receipts)) == 1
    assert (ballots(town), answered(town)) == (1, 1)


def test_a_database_that_is_locked_refuses_wholly_and_takes_the_same_form_later(town: Town) -> None:
    link = town.personal(town.meeting(), Role.KIN)
    sent = said(town, link)
    before = everything(town)
    other = town.house.connect()
    town.db.conn.execute("pragma busy_timeout = 20")
    other.conn.execute("begin exclusive")
    with pytest.raises(StoreUnavailable):
        send(town, link, sent)
    other.conn.execute("rollback")
    other.close()
    assert everything(town) == before
    send(town, link, sent)
    assert (ballots(town), answered(town)) == (1, 1)


def test_a_write_cut_short_between_place_and_box_leaves_neither(town: Town) -> None:
    link = town.personal(town.meeting(), Role.KIN)
    before = everything(town)
    town.db.conn.execute(
        "create temp trigger cut before insert on main.ballot begin select raise(abort, 'cut short'); end"
    )
    with pytest.raises(Exception, match="cut short"):
        send(town, link, said(town, link))
    town.db.conn.execute("drop trigger cut")
    assert everything(town) == before
    send(town, link, said(town, link))
    assert (ballots(town), answered(town)) == (1, 1)


# Taking an answer back


@pytest.mark.parametrize("write", [str.lower, tokens.spoken, lambda receipt: f" {receipt}\n", "-".join])
def test_an_answer_is_taken_back_by_its_receipt_and_its_place_stays_used(
    town: Town,
    write: Callable[[str], str],
) -> None:
    link = town.personal(town.meeting(), Role.KIN)
    other = town.personal(meeting := town.meeting(assignment=town.assignment("M-2")), Role.KIN)
    send(town, other, said(town, other))
    receipt = send(town, link, said(town, link)).receipt
    places = rows(town.db, "select * from invitation")
    answering.withdraw(town.db, write(receipt))
    assert rows(town.db, "select meeting from ballot") == [{"meeting": meeting.id}]
    assert rows(town.db, "select * from invitation") == places
    with pytest.raises(PlaceTaken):
        send(town, link, said(town, link))


def test_an_answer_taken_back_is_not_counted(town: Town) -> None:
    meeting = town.meeting()
    room = town.rooms(meeting)[Role.FAMILY]
    receipt = send(town, room, said(town, room, safe=Answer(value=1))).receipt
    send(town, room, said(town, room, safe=Answer(value=5)))
    answering.withdraw(town.db, receipt)
    counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
    assert [row["value"] for row in rows(town.db, "select value from answer")] == [5]


def test_sending_again_what_was_taken_back_does_not_bring_it_back(town: Town) -> None:
    for link in (town.personal(meeting := town.meeting(), Role.KIN), town.rooms(meeting)[Role.FAMILY]):
        sent = said(town, link)
        answering.withdraw(town.db, send(town, link, sent).receipt)
        before = everything(town)
        with pytest.raises(PlaceTaken):
            send(town, link, sent)
        with pytest.raises(PlaceTaken):
            send(town, link, replace(sent, answers={"safe": Answer(value=5)}))
        assert everything(town) == before
    assert ballots(town) == 0


def test_an_answer_can_be_taken_back_after_the_last_day_until_it_is_counted(town: Town) -> None:
    meeting = town.meeting()
    link = town.rooms(meeting)[Role.KIN]
    receipt = send(town, link, said(town, link)).receipt
    answering.withdraw(town.db, receipt)
    assert counting.count_due(town.db, town.house.keys, LAST_DAY + timedelta(days=1)).opened == 0


@pytest.mark.parametrize(
    "typed", ["", "0" * 15, "0" * 16, "0" * 17, "receipt", "x" * 9999, "\0" * 16, "' or 1=1 --", "\ud800"]
)
def test_a_receipt_nobody_was_given_takes_nothing_back(town: Town, typed: str) -> None:
    link = town.personal(town.meeting(), Role.KIN)
    send(town, link, said(town, link))
    before = everything(town)
    with pytest.raises(UnknownReceipt):
        answering.withdraw(town.db, typed)
    assert everything(town) == before


def test_a_receipt_works_once_and_a_link_key_is_no_receipt(town: Town) -> None:
    link = town.personal(town.meeting(), Role.KIN)
    receipt = send(town, link, said(town, link)).receipt
    with pytest.raises(UnknownReceipt):
        answering.withdraw(town.db, link.key)
    assert ballots(town) == 1
    answering.withdraw(town.db, receipt)
    with pytest.raises(UnknownReceipt):
        answering.withdraw(town.db, receipt)


# What the box must never tell


def _pieces(value: object) -> set[bytes]:
    """A stored value as bytes, in the ways it could be found again: as it is, and read as hexadecimal."""
    if isinstance(value, bytes):
        return {value}
    if not isinstance(value, str) or len(value) < 8:
        return set()
    return {value.encode()} | ({bytes.fromhex(value)} if re.fullmatch(r"([0-9a-f]{2})+", value) else set())


def test_nothing_in_the_box_leads_to_a_place_or_a_link(town: Town) -> None:
    meeting = town.meeting()
    personal = [town.personal(meeting, role) for role in (Role.KIN, Role.FAMILY)]
    for link in (*personal, *town.rooms(meeting).values()):
        send(town, link, said(town, link))
    columns = {
        table: {row["name"] for row in rows(town.db, f"select name from pragma_table_info('{table}')")}
        for table in ("ballot", "invitation", "link")
    }
    assert columns["ballot"] == {"id", "meeting", "meeting_state", "sealed", "receipt_hash", "repeat_check"}
    assert columns["ballot"] & (columns["invitation"] | columns["link"]) == {"id", "meeting", "meeting_state"}
    references = rows(town.db, "select \"table\" as other from pragma_foreign_key_list('ballot')")
    assert {row["other"] for row in references} == {"meeting"}
    in_box = {
        piece
        for row in rows(town.db, "select * from ballot")
        for name, value in row.items()
        if name not in ("meeting", "meeting_state")
        for piece in _pieces(value)
    }
    elsewhere = {
        piece
        for table in ("invitation", "link")
        for row in rows(town.db, f"select * from {table}")
        for name, value in row.items()
        if name not in ("meeting", "meeting_state")
        for piece in _pieces(value)
    }
    assert len(in_box) == 6 * 5
    assert not in_box & elsewhere
    assert not [one for one in in_box for other in elsewhere if other in one or one in other]


def test_nothing_beside_the_answers_says_when_somebody_answered(town: Town) -> None:
    link = town.personal(town.meeting(), Role.KIN)
    send(town, link, said(town, link))
    for table in ("ballot", "invitation", "link"):
        for row in rows(town.db, f"select * from {table}"):
            texts = [value for value in row.values() if isinstance(value, str)]
            assert not [text for text in texts if "2026" in text and "-" in text], (table, row)
            assert not [value for value in row.values() if isinstance(value, int | float)], (table, row)


def test_the_receipt_is_no_function_of_what_is_stored_at_the_place(town: Town) -> None:
    """With the database alone, without the pepper, the claim at a place does not lead to the ballot."""
    link = town.personal(town.meeting(), Role.KIN)
    sent = said(town, link)
    send(town, link, sent)
    claim = rows(town.db, "select claim from invitation where claim is not null")[0]["claim"]
    stored = rows(town.db, "select receipt_hash, repeat_check from ballot")[0]
    assert claim == tokens.claim(sent.id)
    without_pepper = replace(town.house.keys.instance, pepper=bytes(32))
    guess = tokens.receipt(without_pepper, sent.id)
    assert tokens.receipt_hash(guess) != stored["receipt_hash"]
    assert tokens.content_check(without_pepper, sent.id, sealing.content(sent)) != stored["repeat_check"]


def _one_ballot(town: Town, meeting: Meeting, **answers: Answer) -> bytes:
    link = town.personal(meeting, Role.KIN)
    before = {row["id"] for row in rows(town.db, "select id from ballot")}
    send(town, link, said(town, link, **answers))
    return next(
        bytes(row["sealed"]) for row in rows(town.db, "select id, sealed from ballot") if row["id"] not in before
    )


def test_a_tick_and_two_thousand_smileys_are_sealed_to_the_same_size(town: Town) -> None:
    meeting = town.meeting()
    full = {item.id: Answer(missing=Missing.DECLINED) for item in town.house.catalogue["adult"].closed_items}
    sizes = {
        len(_one_ballot(town, meeting, safe=Answer(value=1))),
        len(_one_ballot(town, meeting, words=Answer(text="🙂" * TEXT_LIMIT))),
        len(_one_ballot(town, meeting, words=Answer(text='"' * TEXT_LIMIT))),
        len(_one_ballot(town, meeting, words=Answer(text="\\\n" * (TEXT_LIMIT // 2)))),
        len(_one_ballot(town, meeting, words=Answer(text="🙂" * TEXT_LIMIT), **full)),
    }
    assert sizes == {sealing.SEALED_BYTES}


def test_the_same_answers_sealed_twice_do_not_look_alike(town: Town) -> None:
    meeting = town.meeting()
    one, other = (_one_ballot(town, meeting, safe=Answer(value=1)) for _person in range(2))
    assert one != other
    assert one[:32] != other[:32], "each ballot is sealed with a key of its own"


_TICKS = st.one_of(
    st.integers(1, 5).map(lambda value: Answer(value=value)),
    st.sampled_from(list(Missing)).map(lambda missing: Answer(missing=missing)),
)
_WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=TEXT_LIMIT)


@settings(max_examples=40, deadline=None)
@given(
    ticks=st.fixed_dictionaries({"safe": st.integers(1, 5).map(lambda value: Answer(value=value)), "say": _TICKS}),
    words=_WORDS.filter(str.strip),
)
def test_whatever_somebody_says_comes_out_of_the_count_as_it_was_said(
    town: Town, ticks: dict[str, Answer], words: str
) -> None:
    meeting = town.meeting({Role.KIN: 1}, town.assignment(a_reference()))
    room = town.rooms(meeting)[Role.KIN]
    sent = said(town, room, **ticks, words=Answer(text=words))
    assert send(town, room, sent) == send(town, room, sent)
    counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
    stored = rows(
        town.db,
        """select item, value, missing from answer
           where response in (select id from response where meeting = :meeting)""",
        meeting=meeting.id,
    )
    ticked = {row["item"]: Answer(value=row["value"], missing=row["missing"]) for row in stored}
    assert ticked == {item: answer for item, answer in sent.answers.items() if item != "words"}
    written = rows(town.db, "select wording from free_text where meeting = :meeting", meeting=meeting.id)
    assert [row["wording"] for row in written] == [identifiers.blanked(words)]
