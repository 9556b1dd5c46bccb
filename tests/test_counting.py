"""The third bend: a count opens all ballots together, stores them without order or origin, and leaves nothing
behind: no row, no file, and no byte in the database by which an answer could be tied to a person."""

import hashlib
import sqlite3
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from statistics import correlation, mean

import pytest

from enkat import answering, counting, inviting
from enkat.model.errors import KeyFileError, NotFound, Refused
from enkat.model.meeting import Meeting, MeetingState, OpenedLink
from enkat.model.survey import Answer, Missing, Role, Stage, Submission
from enkat.secrecy import tokens
from enkat.secrecy.keys import KeyStore
from enkat.storage import audit, invitations, meetings, responses
from enkat.storage.engine import Row, number, rows, write
from tests.conftest import TODAY, Town

CLOSING = TODAY + timedelta(days=14)
AFTER = CLOSING + timedelta(days=1)

TABLES = ("meeting", "invited", "invitation", "link", "ballot", "response", "answer")


def said(town: Town, link: OpenedLink, **answers: Answer) -> Submission:
    """A form as somebody filled it in, every item left out said to be skipped as the page does."""
    form = town.house.catalogue[link.questionnaire]
    skipped = {item.id: Answer(missing=Missing.SKIPPED) for item in form.items}
    return Submission(
        id=tokens.new_submission(),
        questionnaire=form.id,
        version=form.version,
        role=link.role,
        stage=Stage.AFTER,
        language="sv",
        answers=skipped | (answers or {"safe": Answer(value=3)}),
    )


def send(town: Town, link: OpenedLink, submission: Submission) -> str:
    return answering.submit(town.db, town.house.keys, link.key, submission, TODAY).receipt


def person_is(number: int) -> dict[str, Answer]:
    """Two answers by which up to 25 people can be told apart."""
    return {"prep": Answer(value=1 + number // 5), "safe": Answer(value=1 + number % 5)}


def answered_meeting(town: Town, reference: str, people: int = 3) -> Meeting:
    """A meeting of an assignment of its own, with some answers of the family."""
    meeting = town.meeting({Role.FAMILY: max(people, 1), Role.KIN: 1}, town.assignment(reference))
    room = town.rooms(meeting)[Role.FAMILY]
    for person in range(people):
        words = Answer(text=f"{reference} person {person:02}")
        send(town, room, said(town, room, words=words, **person_is(person)))
    return meeting


def everything(town: Town) -> dict[str, list[Row]]:
    return {table: rows(town.db, f"select * from {table}") for table in TABLES}


def of(town: Town, meeting: Meeting) -> dict[str, int]:
    """How many rows of a meeting there are."""
    tables = ("invitation", "link", "ballot", "response")
    return {t: number(town.db, f"select count(*) from {t} where meeting = :m", m=meeting.id) for t in tables}


def state(town: Town, meeting: Meeting) -> MeetingState:
    found = meetings.find_meeting(town.db, meeting.id)
    assert found is not None
    return found.state


def key_files(town: Town) -> set[str]:
    return {file.name for file in town.house.keys.meetings.iterdir()}


# What a count leaves


def test_after_a_count_only_responses_are_left_and_how_many_were_invited(town: Town) -> None:
    meeting, other = answered_meeting(town, "M-1"), answered_meeting(town, "M-2")
    town.personal(meeting, Role.KIN)
    revoked = town.personal(meeting, Role.FAMILY)
    inviting.revoke_link(town.db, meeting.id, revoked.id)
    untouched = of(town, other)
    assert counting.count(town.db, town.house.keys, meeting.id) == 3
    assert of(town, meeting) == {"invitation": 0, "link": 0, "ballot": 0, "response": 3}
    assert meetings.invited(town.db, meeting.id)[Role.KIN, Stage.AFTER] == 1
    found = meetings.find_meeting(town.db, meeting.id)
    assert found is not None
    assert (found.state, found.public_key) == (MeetingState.COUNTED, None)
    assert key_files(town) == {other.id}
    assert of(town, other) == untouched
    assert state(town, other) is MeetingState.OPEN


def test_answers_are_stored_as_they_were_said_and_what_was_skipped_as_skipped(town: Town) -> None:
    meeting = town.meeting()
    room = town.rooms(meeting)[Role.KIN]
    told = {
        "prep": Answer(value=1),
        "safe": Answer(value=5),
        "say": Answer(missing=Missing.UNKNOWN),
        "influence": Answer(missing=Missing.DECLINED),
        "words": Answer(text="Tack för kaffet.\nOch bullen 🙂"),
    }
    send(town, room, said(town, room, **told))
    counting.count(town.db, town.house.keys, meeting.id)
    (response,) = responses.of_meeting(town.db, meeting.id)
    skipped = {
        item.id: Answer(missing=Missing.SKIPPED) for item in town.house.catalogue["adult"].items if item.id not in told
    }
    assert skipped
    assert response.answers == {item: answer for item, answer in (told | skipped).items() if item != "words"}
    assert [row["wording"] for row in rows(town.db, "select wording from free_text")] == [
        "Tack för kaffet.\nOch bullen 🙂"
    ]
    assert (response.role, response.stage, response.questionnaire, response.version) == (
        Role.KIN,
        Stage.AFTER,
        "adult",
        1,
    )


def test_each_role_and_questionnaire_is_kept(town: Town) -> None:
    meeting = town.meeting()
    small = town.personal(meeting, Role.CHILD, "child_small")
    for link in (small, town.rooms(meeting)[Role.FAMILY], town.rooms(meeting)[Role.PROFESSIONAL]):
        send(town, link, said(town, link))
    counting.count(town.db, town.house.keys, meeting.id)
    stored = rows(town.db, "select role, questionnaire from response")
    assert Counter((row["role"], row["questionnaire"]) for row in stored) == {
        ("child", "child_small"): 1,
        ("family", "adult"): 1,
        ("professional", "professional"): 1,
    }


@pytest.mark.parametrize(
    ("language", "stored"), [("sv", "sv"), ("en", "other"), ("ar", "other"), ("ti", "other"), ("sv-FI", "other")]
)
def test_a_rare_language_is_not_remembered(town: Town, language: str, stored: str) -> None:
    meeting = town.meeting()
    room = town.rooms(meeting)[Role.KIN]
    send(town, room, replace(said(town, room), language=language))
    counting.count(town.db, town.house.keys, meeting.id)
    assert rows(town.db, "select language from response") == [{"language": stored}]


def test_the_responses_ids_are_new_and_random(town: Town) -> None:
    meeting = answered_meeting(town, "M-1", people=8)
    ballots = {row["id"] for row in rows(town.db, "select id from ballot")}
    links = {row["id"] for row in rows(town.db, "select id from link union select id from invitation")}
    counting.count(town.db, town.house.keys, meeting.id)
    ids = {row["id"] for row in rows(town.db, "select id from response")}
    assert len(ids) == 8
    assert not ids & (ballots | links)
    bits = "".join(f"{int(one, 16):0128b}" for one in ids)
    assert 0.4 < bits.count("1") / len(bits) < 0.6, "the ids are not random"


def test_a_meeting_that_nobody_answered_is_counted_too(town: Town) -> None:
    meeting = answered_meeting(town, "M-1", people=0)
    assert counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY) == counting.Counted(0, 1)
    assert of(town, meeting) == dict.fromkeys(("invitation", "link", "ballot", "response"), 0)
    assert key_files(town) == set()


def _marks(town: Town, meeting: Meeting) -> dict[str, bytes]:
    """Everything stored of a meeting by which an answer could be followed back, by what it is."""
    found: dict[str, bytes] = {}
    for table, columns in {
        "link": ("id", "key_hash", "sealed_key"),
        "invitation": ("id", "claim"),
        "ballot": ("id", "sealed", "receipt_hash", "repeat_check"),
    }.items():
        chosen = ", ".join(columns)
        stored = rows(town.db, f"select {chosen} from {table} where meeting = :meeting", meeting=meeting.id)
        for place, row in enumerate(stored):
            for name, value in row.items():
                if value is not None:
                    found[f"{table} {place} {name}"] = value.encode() if isinstance(value, str) else bytes(value)
    return found


def _traces(marks: dict[str, bytes], folder: Path) -> list[str]:
    """Which marks still stand anywhere in the files of a folder, whole or in a part of sixteen bytes."""
    stored = b"\n".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())
    windows = {stored[at : at + 16] for at in range(len(stored) - 15)}
    return [
        name
        for name, mark in marks.items()
        if any(mark[at : at + 16] in windows for at in range(0, len(mark) - 15, 16))
        or (len(mark) < 16 and mark in stored)
    ]


@pytest.mark.parametrize("people", [3, 40])
def test_no_byte_of_a_link_a_place_a_receipt_or_a_ballot_is_left_in_any_file(town: Town, people: int) -> None:
    """Attacked as somebody would who gets hold of the disk: with other meetings' rows on the same pages."""
    earlier = answered_meeting(town, "M-0", people=5)
    meeting = answered_meeting(town, "M-1", people=people)
    later = answered_meeting(town, "M-2", people=5)
    for role in (Role.FAMILY, Role.KIN):
        used = town.personal(meeting, role)
        send(town, used, sent := said(town, used))
        replaced = town.personal(meeting, role)
        inviting.replace_link(town.db, town.house.keys, meeting.id, replaced.id)
        inviting.revoke_link(town.db, meeting.id, used.id)
    room = town.rooms(meeting)[Role.FAMILY]
    key = town.house.keys.meeting_key(meeting.id)
    marks = _marks(town, meeting)
    marks |= {"meeting key": key, "public key": meeting.public_key or b"", "submission": sent.id.encode()}
    marks |= {"room key": room.key.encode(), "room hash": tokens.key_hash(town.house.keys.instance, room.key)}
    marks |= {"claim of a submission": hashlib.sha256(b"claim" + sent.id.encode()).digest()}
    assert sum(name.endswith("sealed") for name in marks) == people + 2
    before = _traces(marks, town.house.settings.instance)
    assert len(before) >= len(marks) - 2, "the search itself must find what is there before the count"
    assert counting.count(town.db, town.house.keys, meeting.id) == people + 2
    assert not _traces(marks, town.house.settings.instance)
    for other in (earlier, later):
        assert len(_traces(_marks(town, other), town.house.settings.instance)) == len(_marks(town, other))


def test_an_answer_taken_back_leaves_no_byte_in_the_box(town: Town) -> None:
    meeting = answered_meeting(town, "M-1", people=4)
    before = set(_marks(town, meeting).values())
    room = town.rooms(meeting)[Role.FAMILY]
    inviting.set_places(town.db, town.house.keys, town.house.catalogue, meeting.id, {Role.FAMILY: 6})
    receipt = send(town, room, said(town, room))
    new = {
        name: mark for name, mark in _marks(town, meeting).items() if name.startswith("ballot") and mark not in before
    }
    assert len(new) == 4
    answering.withdraw(town.db, receipt)
    assert not _traces(new, town.house.settings.instance)


def _counted_in_order(town: Town, meeting: Meeting) -> list[int]:
    """Count a meeting and watch in which order its responses are stored: the numbers of those who sent them."""
    town.db.conn.execute("create temp table seen (response text)")
    town.db.conn.execute(
        "create temp trigger watch after insert on main.response begin insert into seen values (new.id); end"
    )
    counting.count(town.db, town.house.keys, meeting.id)
    stored = rows(
        town.db,
        """select prep.value, safe.value as further from seen
            join answer prep on prep.response = seen.response and prep.item = 'prep'
            join answer safe on safe.response = seen.response and safe.item = 'safe' order by seen.rowid""",
    )
    town.db.conn.execute("drop trigger watch")
    town.db.conn.execute("drop table seen")
    return [5 * (row["value"] - 1) + row["further"] - 1 for row in stored]


def test_responses_are_stored_neither_in_the_order_of_sending_nor_in_that_of_the_box(town: Town) -> None:
    people, by_sending, by_box = 12, [], []
    for round_ in range(6):
        meeting = town.meeting({Role.KIN: people}, town.assignment(f"M-{round_}"))
        room = town.rooms(meeting)[Role.KIN]
        sent: dict[bytes, int] = {}
        for person in range(people):
            receipt = send(town, room, said(town, room, **person_is(person)))
            sent[tokens.receipt_hash(receipt)] = person
        box = [sent[row["receipt_hash"]] for row in rows(town.db, "select receipt_hash from ballot order by id")]
        order = _counted_in_order(town, meeting)
        assert sorted(order) == list(range(people)), "everybody's answer is there once"
        assert order not in (list(range(people)), box)
        by_sending.append(correlation(range(people), order))
        places = [box.index(person) for person in order]
        by_box.append(correlation(range(people), places))
    # Six times twelve in random order: a mean correlation of 0 with a standard deviation of 0.12.
    assert abs(mean(by_sending)) < 0.8
    assert abs(mean(by_box)) < 0.8


def test_the_order_of_the_stored_responses_is_not_the_order_of_sending(town: Town) -> None:
    meeting = answered_meeting(town, "M-1", people=12)
    counting.count(town.db, town.house.keys, meeting.id)
    found = [
        (one.answers["prep"].value, one.answers["safe"].value) for one in responses.of_meeting(town.db, meeting.id)
    ]
    assert len(found) == 12
    assert found != sorted(found)
    texts = [row["wording"] for row in rows(town.db, "select wording from free_text order by id")]
    assert len(texts) == 12
    assert texts != sorted(texts)


def test_a_response_does_not_tell_whether_a_text_came_with_it(town: Town) -> None:
    """Not even where a ballot notes that there was none, as those of an older enkat do."""
    meeting = town.meeting()
    room = town.rooms(meeting)[Role.FAMILY]
    send(town, room, said(town, room, prep=Answer(value=4), words=Answer(text="Bra fika")))
    send(town, room, said(town, room, prep=Answer(value=4), words=Answer(missing=Missing.SKIPPED)))
    counting.count(town.db, town.house.keys, meeting.id)
    writer, other = responses.of_meeting(town.db, meeting.id)
    assert writer.answers == other.answers


def test_nothing_stored_with_a_response_says_when_it_came(town: Town) -> None:
    meeting = answered_meeting(town, "M-1")
    counting.count(town.db, town.house.keys, meeting.id)
    columns = {row["name"] for row in rows(town.db, "select name from pragma_table_info('response')")}
    assert columns == {"id", "meeting", "cluster", "stage", "role", "questionnaire", "version", "language"}
    columns = {row["name"] for row in rows(town.db, "select name from pragma_table_info('answer')")}
    assert columns == {"response", "item", "value", "missing"}


# What is counted, and when


def test_only_what_has_closed_is_counted_and_the_last_day_is_still_open(town: Town) -> None:
    early = answered_meeting(town, "M-1", people=2)
    late = town.meeting({Role.KIN: 1}, town.assignment("M-2"), closes=AFTER)
    assert counting.count_due(town.db, town.house.keys, CLOSING) == counting.Counted(0, 0)
    assert state(town, early) is MeetingState.OPEN
    assert counting.count_due(town.db, town.house.keys, AFTER) == counting.Counted(2, 1)
    assert (state(town, early), state(town, late)) == (MeetingState.COUNTED, MeetingState.OPEN)
    assert counting.count_due(town.db, town.house.keys, AFTER) == counting.Counted(0, 0)
    assert counting.count_due(town.db, town.house.keys, AFTER + timedelta(days=1)) == counting.Counted(0, 1)


def test_one_meeting_is_counted_when_due_and_refused_while_it_is_open(town: Town) -> None:
    meeting = answered_meeting(town, "M-1", people=2)
    before = everything(town)
    with pytest.raises(Refused) as refusal:
        counting.count_if_due(town.db, town.house.keys, meeting.id, CLOSING)
    assert refusal.value.reason == "still_open"
    assert str(CLOSING) in str(refusal.value)
    assert everything(town) == before
    assert counting.count_if_due(town.db, town.house.keys, meeting.id, AFTER) == counting.Counted(2, 1)
    assert counting.count_if_due(town.db, town.house.keys, meeting.id, AFTER) == counting.Counted(0, 0)


def test_a_survey_closed_by_hand_is_counted_at_once_and_closes_that_day(town: Town) -> None:
    meeting, other = answered_meeting(town, "M-1", people=2), answered_meeting(town, "M-2")
    day = TODAY + timedelta(days=3)
    assert counting.close_and_count(town.db, town.house.keys, meeting.id, day) == counting.Counted(2, 1)
    found = meetings.find_meeting(town.db, meeting.id)
    assert found is not None
    assert (found.closes, found.state) == (day, MeetingState.COUNTED)
    assert state(town, other) is MeetingState.OPEN


def test_closing_by_hand_what_closed_by_itself_leaves_its_date_as_it_was(town: Town) -> None:
    meeting = answered_meeting(town, "M-1", people=2)
    counting.close_and_count(town.db, town.house.keys, meeting.id, AFTER + timedelta(days=40))
    found = meetings.find_meeting(town.db, meeting.id)
    assert found is not None
    assert found.closes == CLOSING


def test_counting_twice_changes_nothing(town: Town) -> None:
    meeting = answered_meeting(town, "M-1")
    counting.count(town.db, town.house.keys, meeting.id)
    before = everything(town)
    assert counting.count(town.db, town.house.keys, meeting.id) == 0
    assert counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY) == counting.Counted(0, 0)
    assert counting.count_due(town.db, town.house.keys, date(2030, 1, 1)) == counting.Counted(0, 0)
    assert everything(town) == before


def test_an_unknown_meeting_is_not_found(town: Town) -> None:
    with pytest.raises(NotFound):
        counting.close_and_count(town.db, town.house.keys, "nowhere", TODAY)
    with pytest.raises(NotFound):
        counting.count_if_due(town.db, town.house.keys, "nowhere", TODAY)
    assert counting.count(town.db, town.house.keys, "nowhere") == 0


@pytest.mark.parametrize("planned", [1, 2])
def test_more_answers_than_planned_are_all_counted_and_never_more_than_were_invited(town: Town, planned: int) -> None:
    meeting = town.meeting({Role.FAMILY: planned})
    room = town.rooms(meeting)[Role.FAMILY]
    for _person in range(planned):
        send(town, room, said(town, room))
    link = town.personal(meeting, Role.FAMILY)
    send(town, link, said(town, link))
    counting.count(town.db, town.house.keys, meeting.id)
    overview = meetings.overview(town.db, meeting.id)
    assert overview is not None
    assert overview.responses == planned + 1
    assert overview.progress.invited >= overview.responses, "'3 answers of 2 invited' is nonsense"


# When something goes wrong


def test_a_meeting_without_its_key_is_named_and_does_not_hold_up_the_others(town: Town) -> None:
    broken = answered_meeting(town, "M-1")
    whole = [answered_meeting(town, f"M-{n}", people=2) for n in (2, 3, 4)]
    file = town.house.keys.meetings / broken.id
    key = file.read_bytes()
    file.unlink()
    kept = of(town, broken)
    counted = counting.count_due(town.db, town.house.keys, AFTER)
    assert (counted.opened, counted.meetings) == (6, 3)
    assert len(counted.failures) == 1
    assert broken.id in counted.failures[0]
    assert str(file) in counted.failures[0]
    assert of(town, broken) == kept
    assert [state(town, one) for one in (broken, *whole)] == [MeetingState.OPEN] + [MeetingState.COUNTED] * 3
    file.write_bytes(key)  # restored from a backup
    assert counting.count_due(town.db, town.house.keys, AFTER) == counting.Counted(3, 1)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_bytes(b"x" * 32),
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(b"\0" * 32),
        lambda file: (file.unlink(), file.mkdir()),
    ],
    ids=["another key", "empty", "zeros", "a folder"],
)
def test_a_key_that_does_not_open_the_box_leaves_everything_as_it_was(town: Town, spoil: object) -> None:
    meeting, whole = answered_meeting(town, "M-1"), answered_meeting(town, "M-2", people=1)
    before = of(town, meeting)
    spoil(town.house.keys.meetings / meeting.id)  # type: ignore[operator]
    with pytest.raises(KeyFileError):
        counting.count(town.db, town.house.keys, meeting.id)
    counted = counting.count_due(town.db, town.house.keys, AFTER)
    assert (counted.opened, counted.meetings, len(counted.failures)) == (1, 1, 1)
    assert of(town, meeting) == before
    assert (state(town, meeting), state(town, whole)) == (MeetingState.OPEN, MeetingState.COUNTED)
    assert meeting.id in key_files(town), "the key is not destroyed where nothing was counted"


@pytest.mark.parametrize("filling", ["00", "ff", "41"])
def test_a_damaged_ballot_leaves_its_meeting_as_it_was_and_does_not_hold_up_the_others(
    town: Town, filling: str
) -> None:
    meeting, whole = answered_meeting(town, "M-1"), answered_meeting(town, "M-2", people=1)
    with write(town.db):
        town.db.execute(
            "update ballot set sealed = :sealed where id = (select min(id) from ballot where meeting = :meeting)",
            {"sealed": bytes.fromhex(filling) * 9264, "meeting": meeting.id},
        )
    before = everything(town)
    with pytest.raises(KeyFileError):
        counting.count(town.db, town.house.keys, meeting.id)
    assert everything(town) == before
    counted = counting.count_due(town.db, town.house.keys, AFTER)
    assert (counted.opened, counted.meetings, len(counted.failures)) == (1, 1, 1)
    assert (state(town, meeting), state(town, whole)) == (MeetingState.OPEN, MeetingState.COUNTED)


def test_a_ballot_moved_into_another_meetings_box_does_not_open_there(town: Town) -> None:
    meeting, other = answered_meeting(town, "M-1"), answered_meeting(town, "M-2")
    with write(town.db):
        town.db.execute("update ballot set meeting = :to where meeting = :of", {"to": other.id, "of": meeting.id})
    with pytest.raises(KeyFileError):
        counting.count(town.db, town.house.keys, other.id)
    assert of(town, other)["ballot"] == 6


@pytest.mark.parametrize("table", ["response", "answer"])
def test_a_count_cut_short_leaves_everything_as_it_was_and_can_be_done_again(town: Town, table: str) -> None:
    meeting = answered_meeting(town, "M-1", people=5)
    before = everything(town)
    limit = f"(select count(*) from main.{table}) >= 3"
    town.db.conn.execute(
        f"create temp trigger cut before insert on main.{table} when {limit} "
        "begin select raise(abort, 'cut short'); end"
    )
    with pytest.raises(sqlite3.IntegrityError, match="cut short"):
        counting.count(town.db, town.house.keys, meeting.id)
    town.db.conn.execute("drop trigger cut")
    assert everything(town) == before
    assert key_files(town) == {meeting.id}
    assert counting.count(town.db, town.house.keys, meeting.id) == 5


class _StuckKeys(KeyStore):
    """A folder of keys in which nothing can be destroyed."""

    def overwrite_meeting_key(self, meeting: str) -> None:
        raise KeyFileError(f"{self.meetings / meeting} cannot be destroyed: Read-only file system")


def test_a_key_that_could_not_be_destroyed_at_the_count_is_destroyed_afterwards(town: Town) -> None:
    meeting, other = answered_meeting(town, "M-1"), answered_meeting(town, "M-2")
    stuck = _StuckKeys(town.house.settings.keys)
    with pytest.raises(KeyFileError):
        counting.count(town.db, stuck, meeting.id)
    assert of(town, meeting) == {"invitation": 0, "link": 0, "ballot": 0, "response": 3}
    assert key_files(town) == {meeting.id, other.id}
    assert counting.destroy_spent_keys(town.db, town.house.keys) == 1
    assert key_files(town) == {other.id}, "the key of an open meeting is not touched"
    assert counting.destroy_spent_keys(town.db, town.house.keys) == 0
    assert of(town, other)["ballot"] == 3


def test_a_closed_meeting_whose_key_is_lost_can_be_given_up_and_no_other(town: Town) -> None:
    meeting, other = answered_meeting(town, "M-1"), answered_meeting(town, "M-2")
    (town.house.keys.meetings / meeting.id).write_bytes(b"x" * 32)  # somebody's mistake: another key in its place
    for today, one in [(CLOSING, meeting), (AFTER, other)]:
        with pytest.raises(Refused):
            counting.give_up(town.db, town.house.keys, one.id, today)
    with pytest.raises(NotFound):
        counting.give_up(town.db, town.house.keys, "nobody", AFTER)
    assert counting.count_due(town.db, town.house.keys, AFTER).failures
    counting.give_up(town.db, town.house.keys, meeting.id, AFTER)
    assert of(town, meeting) == {"invitation": 0, "link": 0, "ballot": 0, "response": 0}
    assert state(town, meeting) is MeetingState.COUNTED
    assert key_files(town) == set()
    acts = [entry.act for entry in audit.latest(town.db, 100) if entry.record == meeting.id]
    assert acts[-1] == "meeting.given_up"
    with pytest.raises(Refused, match="is counted"):
        counting.give_up(town.db, town.house.keys, meeting.id, AFTER)


def test_a_destroyed_key_is_overwritten_before_it_goes(town: Town, tmp_path: Path) -> None:
    """A second name for the same file keeps its content in sight after the first is gone."""
    meeting = answered_meeting(town, "M-1")
    file = town.house.keys.meetings / meeting.id
    key = file.read_bytes()
    copy = tmp_path / "hard link"
    copy.hardlink_to(file)
    counting.count(town.db, town.house.keys, meeting.id)
    assert not file.exists()
    assert copy.read_bytes() != key


def test_a_close_that_cannot_be_counted_leaves_the_closing_date_as_it_was(town: Town) -> None:
    meeting = answered_meeting(town, "M-1")
    file = town.house.keys.meetings / meeting.id
    key = file.read_bytes()
    file.unlink()
    before = everything(town)
    with pytest.raises(KeyFileError):
        counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
    assert everything(town) == before
    file.write_bytes(key)
    assert counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY).opened == 3


@pytest.mark.parametrize("left", ["ballot", "invitation", "link"])
def test_the_schema_refuses_to_call_a_meeting_counted_while_something_of_it_is_left(town: Town, left: str) -> None:
    meeting = answered_meeting(town, "M-1")
    personal = town.personal(meeting, Role.KIN)
    town.db.conn.execute("begin immediate")
    if left != "ballot":
        town.db.execute("delete from ballot")
    town.db.execute("delete from link" if left != "link" else "delete from link where id <> :id", {"id": personal.id})
    if left == "ballot":
        town.db.execute("delete from invitation")
    elif left == "link":
        town.db.execute("delete from invitation where id not in (select invitation from link)")
    with pytest.raises(sqlite3.IntegrityError):
        meetings.mark_counted(town.db, meeting.id, 3)
    town.db.conn.execute("rollback")
    assert state(town, meeting) is MeetingState.OPEN
    assert of(town, meeting)["ballot"] == 3


def test_nothing_can_be_put_into_the_box_of_a_counted_meeting(town: Town) -> None:
    meeting = answered_meeting(town, "M-1")
    ballot = rows(town.db, "select * from ballot")[0]
    link = invitations.live_links(town.db, meeting.id)[0]
    counting.count(town.db, town.house.keys, meeting.id)
    names = ", ".join(ballot)
    marks = ", ".join(f":{name}" for name in ballot)
    with pytest.raises(sqlite3.IntegrityError), write(town.db):
        town.db.execute(f"insert into ballot ({names}) values ({marks})", ballot)
    with pytest.raises(sqlite3.IntegrityError), write(town.db):
        invitations.add_link(town.db, link)
    assert of(town, meeting) == {"invitation": 0, "link": 0, "ballot": 0, "response": 3}
