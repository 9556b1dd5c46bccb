"""The background work: count and publish, round after round, one round's trouble never the end of it."""

import logging
import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest

from enkat import answering, worker
from enkat.counting import Counted
from enkat.house import House
from enkat.model.errors import StoreError
from enkat.model.meeting import Channel, Meeting, MeetingState
from enkat.model.survey import Answer, Role, Stage, Submission
from enkat.secrecy import tokens
from enkat.storage import meetings
from enkat.storage.engine import number, rows
from tests.conftest import TODAY, Town, with_services
from tests.journeys.server import PATIENCE, wait_for
from tests.messaging.servers import SmsHost, hang
from tests.posting import KIM, Clock, PostOffice, elks

AFTER = TODAY + timedelta(days=15)


def answered_meeting(town: Town, reference: str) -> Meeting:
    meeting = town.meeting(assignment=town.assignment(reference))
    room = town.rooms(meeting)[Role.KIN]
    answers = {"safe": Answer(value=2), "words": Answer(text=f"Sagt i förtroende om {reference}")}
    sent = Submission(tokens.new_submission(), "adult", 1, Role.KIN, Stage.AFTER, "sv", answers)
    answering.submit(town.db, town.house.keys, room.key, sent, TODAY)
    return meeting


def state(town: Town, meeting: Meeting) -> MeetingState:
    found = meetings.find_meeting(town.db, meeting.id)
    assert found is not None
    return found.state


class _Rounds:
    """Lets the work look at its clock a number of times, then stops it."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self) -> bool:
        self.left -= 1
        return self.left >= 0


def test_a_round_counts_what_has_closed_and_nothing_else(town: Town) -> None:
    meeting = answered_meeting(town, "M-1")
    assert worker.work(town.house).counted == Counted(0, 0)
    assert worker.work(town.at(TODAY + timedelta(days=14))).counted == Counted(0, 0)
    assert state(town, meeting) is MeetingState.OPEN
    assert worker.work(town.at(AFTER)).counted == Counted(1, 1)
    assert state(town, meeting) is MeetingState.COUNTED
    assert worker.work(town.at(AFTER)).counted == Counted(0, 0)
    assert number(town.db, "select count(*) from response") == 1


def test_a_round_destroys_the_key_that_a_count_cut_short_has_left(town: Town) -> None:
    meeting, other = answered_meeting(town, "M-1"), answered_meeting(town, "M-2")
    key = town.house.keys.meeting_key(meeting.id)
    worker.counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
    (town.house.keys.meetings / meeting.id).write_bytes(key)  # as if killed between the write and the key
    worker.work(town.house)
    assert town.house.keys.meetings_with_key() == {other.id}


def test_a_round_tells_what_could_not_be_counted_and_counts_the_rest(town: Town) -> None:
    broken, whole = answered_meeting(town, "M-1"), answered_meeting(town, "M-2")
    (town.house.keys.meetings / broken.id).unlink()
    counted = worker.work(town.at(AFTER)).counted
    assert (counted.opened, counted.meetings, len(counted.failures)) == (1, 1, 1)
    assert (state(town, broken), state(town, whole)) == (MeetingState.OPEN, MeetingState.COUNTED)


def answered_by_many(town: Town) -> None:
    """Three meetings that close in the last quarter of the year, with six answers."""
    for reference in ("M-1", "M-2", "M-3"):
        room = town.rooms(town.meeting(assignment=town.assignment(reference)))[Role.FAMILY]
        for value in (5, 2):
            answers = {item: Answer(value=value) for item in ("prep", "safe", "say", "influence", "shared", "useful")}
            sent = Submission(tokens.new_submission(), "adult", 1, Role.FAMILY, Stage.AFTER, "sv", answers)
            answering.submit(town.db, town.house.keys, room.key, sent, TODAY)


def test_a_round_publishes_what_it_has_just_counted(town: Town) -> None:
    answered_by_many(town)
    early = worker.work(town.at(AFTER))
    assert (early.counted, early.published) == (Counted(6, 3), ())
    assert worker.work(town.at(date(2026, 12, 31))).published == ()
    assert worker.work(town.at(date(2027, 1, 1))).published == ("2026-Q4", "2026")
    assert worker.work(town.at(date(2027, 1, 1))).published == ()


def test_a_round_counts_and_publishes_what_was_left_over_the_turn_of_the_year(town: Town) -> None:
    answered_by_many(town)
    done = worker.work(town.at(date(2027, 1, 1)))
    assert (done.counted, done.published) == (Counted(6, 3), ("2026-Q4", "2026"))


def test_a_quarter_waits_for_a_meeting_that_cannot_be_counted(town: Town) -> None:
    answered_by_many(town)
    broken = answered_meeting(town, "M-4")
    key = (town.house.keys.meetings / broken.id).read_bytes()
    (town.house.keys.meetings / broken.id).unlink()
    done = worker.work(town.at(date(2027, 1, 1)))
    assert (done.counted.meetings, done.published) == (3, ())
    (town.house.keys.meetings / broken.id).write_bytes(key)
    assert worker.work(town.at(date(2027, 1, 1))).published == ("2026-Q4", "2026")


def test_the_work_says_which_periods_it_has_published(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    answered_by_many(town)
    with caplog.at_level(logging.INFO, "enkat.worker"):
        worker.run(town.at(date(2027, 1, 1)), _Rounds(1))
    said = ["counted 6 answers of 3 meetings", "published 2026-Q4", "published 2026"]
    assert [record.getMessage() for record in caplog.records] == said


def test_a_round_without_a_database_is_refused(house: House) -> None:
    house.settings.database.unlink()
    with pytest.raises(StoreError):
        worker.work(house)
    assert not house.settings.database.exists()


def test_the_work_counts_at_once_and_stops_when_told(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    meeting = answered_meeting(town, "M-1")
    with caplog.at_level(logging.INFO, "enkat.worker"):
        worker.run(town.at(AFTER), _Rounds(1))
    assert state(town, meeting) is MeetingState.COUNTED
    assert [record.getMessage() for record in caplog.records] == ["counted 1 answers of 1 meetings"]


def test_the_work_never_told_to_go_on_does_nothing(town: Town) -> None:
    meeting = answered_meeting(town, "M-1")
    worker.run(town.at(AFTER), _Rounds(0))
    assert state(town, meeting) is MeetingState.OPEN


def test_trouble_is_logged_in_words_without_answers_and_the_work_goes_on(
    town: Town, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "EVERY", 0)
    broken, whole = answered_meeting(town, "M-1"), answered_meeting(town, "M-2")
    (town.house.keys.meetings / broken.id).unlink()
    with caplog.at_level(logging.INFO, "enkat.worker"):
        worker.run(town.at(AFTER), _Rounds(2))
    assert state(town, whole) is MeetingState.COUNTED
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 2, "told in each round"
    assert all(broken.id in error for error in errors)
    assert "förtroende" not in caplog.text
    assert "Traceback" not in caplog.text


def test_a_round_that_fails_wholly_is_logged_and_the_next_one_tries_again(
    town: Town, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "EVERY", 0)
    meeting = answered_meeting(town, "M-1")
    file = town.house.settings.database
    away = file.with_name("away")
    file.rename(away)

    class MendedAfterOne(_Rounds):
        def __call__(self) -> bool:
            if self.left == 1:
                away.rename(file)
            return super().__call__()

    with caplog.at_level(logging.INFO, "enkat.worker"):
        worker.run(town.at(AFTER), MendedAfterOne(2))
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
    assert str(file) in caplog.records[0].getMessage()
    assert state(town, meeting) is MeetingState.COUNTED


def test_a_gateway_that_never_answers_does_not_hold_up_the_count(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a message in its hands and says nothing; a meeting that has closed meanwhile is counted all the same."""
    monkeypatch.setattr(worker, "EVERY", 0)
    open_, due = (town.meeting(assignment=town.assignment(reference)) for reference in ("M-1", "M-2"))
    stopping = threading.Event()
    with SmsHost(lambda moment: hang() if moment.to.startswith("+") else None) as gateway:
        url = f"http://enkat:secret@127.0.0.1:{gateway.port}/a1/sms"
        house = replace(town.house, settings=with_services(town.house.settings, sms=url))
        PostOffice(town, Clock(house.settings.now()), {Channel.SMS: elks(gateway.elks())}).invite(open_, KIM)
        work = threading.Thread(target=worker.run, args=(house, lambda: not stopping.is_set()))
        work.start()
        wait_for(lambda: any(moment.to == KIM for moment in gateway.moments), "the gateway has the message")
        town.db.execute("update meeting set closes = '2026-11-19', held = '2026-11-19' where id = ?", [due.id])
        wait_for(lambda: state(town, due) is MeetingState.COUNTED, "the other meeting is counted")
        assert rows(town.db, "select state from message") == [{"state": "sending"}]
        stopping.set()
    work.join(PATIENCE)
    assert not work.is_alive()


@pytest.mark.parametrize("which", ["send_links", "send_reminders"])
def test_where_sending_ends_by_itself_the_whole_work_ends_and_is_started_anew(
    town: Town, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    """The server starts its child again; a child that counts on and never sends again would be worse."""

    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(worker, which, broken)
    monkeypatch.setattr(threading, "excepthook", lambda _hook: None)
    with pytest.raises(RuntimeError, match="sending has ended"):
        worker.run(town.house, lambda: True)
