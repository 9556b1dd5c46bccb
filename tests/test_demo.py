"""The made-up municipality: the same for the same seed and day, refused where there is anything, ready to try."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from enkat import answering, checking, counting, demo, staffing
from enkat.house import House, open_house
from enkat.model.errors import NotEmpty
from enkat.model.meeting import MeetingState, OpenedLink
from enkat.model.staff import StaffRole
from enkat.model.survey import Answer, Role, Stage, Submission
from enkat.secrecy import tokens
from enkat.settings import Settings
from enkat.storage import meetings, responses, staff
from enkat.storage.engine import number, rows
from tests.conftest import TODAY

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def shown(house: House, db: Database) -> demo.Demonstration:
    """The demonstration of a seed, on the day that stands still."""
    return demo.fill(house, db, 1)


def elsewhere(folder: Path, seed: int | None, day: date = TODAY) -> demo.Demonstration:
    """The demonstration in another folder."""
    house = open_house(Settings(instance=folder, fixed_today=day))
    db = house.connect()
    try:
        return demo.fill(house, db, seed)
    finally:
        db.close()


def without_ids(links: list[OpenedLink]) -> list[tuple[str, Role, str, bool]]:
    return [(link.key, link.role, link.questionnaire, link.is_room) for link in links]


def test_without_a_seed_nobody_guesses_the_passwords_and_links(tmp_path: Path) -> None:
    one, other = elsewhere(tmp_path / "one", None), elsewhere(tmp_path / "other", None)
    assert not {person.password for person in one.staff} & {person.password for person in other.staff}
    assert not {link.key for link in one.links} & {link.key for link in other.links}


def test_the_same_seed_and_day_show_the_same(tmp_path: Path, shown: demo.Demonstration) -> None:
    again = elsewhere(tmp_path / "again", 1)
    assert again.staff == shown.staff
    assert without_ids(again.links) == without_ids(shown.links)


def test_the_same_seed_gives_the_same_answers(tmp_path: Path) -> None:
    def counted(folder: Path) -> list[object]:
        elsewhere(folder, 5)
        db = open_house(Settings(instance=folder, fixed_today=TODAY)).connect()
        found = rows(
            db,
            """select meeting.held, role, language, item, value, text, missing from answer
               join response on response.id = response join meeting on meeting.id = meeting
               order by 1, 2, 3, 4, 5, 6, 7""",
        )
        db.close()
        return list(found)

    one, other = counted(tmp_path / "one"), counted(tmp_path / "other")
    assert len(one) > 100
    assert one == other


def test_another_seed_shows_other_passwords_and_links(tmp_path: Path, shown: demo.Demonstration) -> None:
    other = elsewhere(tmp_path / "other", 2)
    assert [one.address for one in other.staff] == [one.address for one in shown.staff]
    assert not {one.password for one in other.staff} & {one.password for one in shown.staff}
    assert not {link.key for link in other.links} & {link.key for link in shown.links}


@pytest.mark.parametrize("seed", [0, 3, 10**9])
def test_any_seed_and_day_can_be_shown(tmp_path: Path, seed: int) -> None:
    assert elsewhere(tmp_path / "leap", seed, date(2028, 2, 29)).links


def test_there_are_three_units_under_the_municipality(shown: demo.Demonstration, db: Database) -> None:
    root, *below = staff.units(db)
    assert (root.name, root.parent) == (demo.MUNICIPALITY, None)
    assert {unit.name for unit in below} == set(demo.UNITS)
    assert {unit.parent for unit in below} == {root.id}


def test_there_is_somebody_of_each_kind_and_each_can_sign_in(shown: demo.Demonstration, db: Database) -> None:
    assert {one.role for one in shown.staff} == set(StaffRole)
    names = {unit.id: unit.name for unit in staff.units(db)}
    for one in shown.staff:
        secret = staffing.sign_in(db, one.address, one.password, NOW)
        assert secret, one.address
        member = staffing.signed_in(db, secret, NOW)
        assert member is not None
        assert member.roles == {one.role}
        assert names[member.unit] == one.unit
        assert one.address.endswith(".example"), "nobody's real address"


def test_two_meetings_are_open_with_live_links_that_take_answers(
    shown: demo.Demonstration, house: House, db: Database
) -> None:
    opened = meetings.in_state(db, MeetingState.OPEN)
    assert len(opened) == 2
    assert {link.role for link in shown.links} == set(Role)
    found = {answering.find_link(db, house.keys, link.key)[1].id for link in shown.links}
    assert found == {meeting.id for meeting in opened}
    for link in shown.links:
        form = house.catalogue[link.questionnaire]
        sent = Submission(
            tokens.new_submission(), form.id, form.version, link.role, Stage.AFTER, "sv", {"safe": Answer(value=3)}
        )
        assert answering.submit(db, house.keys, link.key, sent, TODAY).receipt
    last = max(meeting.closes for meeting in opened)
    assert last > TODAY, "there is time to try them"


def test_every_live_link_of_an_open_meeting_is_shown_and_personal_ones_are_among_them(
    shown: demo.Demonstration, db: Database
) -> None:
    assert number(db, "select count(*) from link where state = 'live'") == len(shown.links)
    assert Counter(link.is_room for link in shown.links) == {True: 8, False: 2}
    assert len({link.key for link in shown.links}) == 10


def test_some_have_answered_the_open_meetings_and_some_have_not(shown: demo.Demonstration, db: Database) -> None:
    for meeting in meetings.in_state(db, MeetingState.OPEN):
        overview = meetings.overview(db, meeting.id)
        assert overview is not None
        assert 0 < overview.progress.answered < overview.progress.invited


def test_the_other_meetings_are_counted_and_hold_answers_that_the_forms_could_have_sent(
    shown: demo.Demonstration, house: House, db: Database
) -> None:
    counted = meetings.in_state(db, MeetingState.COUNTED)
    assert len(counted) == 4
    assert house.keys.meetings_with_key() == {meeting.id for meeting in meetings.in_state(db, MeetingState.OPEN)}
    for meeting in counted:
        assert meeting.closes < TODAY
        found = responses.of_meeting(db, meeting.id)
        assert found
        for response in found:
            form = house.catalogue[response.questionnaire]
            values = {point.value for point in form.points}
            assert set(response.answers) == {item.id for item in form.items}
            assert {one.value for one in response.answers.values()} - {None} <= values
            for item in form.items:
                missing = response.answers[item.id].missing
                assert missing is None or missing == "skipped" or missing in form.offered, (form.id, item.id, missing)


def test_a_protected_assignment_and_one_with_several_meetings_are_among_them(
    shown: demo.Demonstration, db: Database
) -> None:
    assert number(db, "select count(*) from assignment where protected = 1") >= 1
    assert number(db, "select max(number) from meeting") >= 2


def test_the_check_finds_nothing_wrong_with_it(shown: demo.Demonstration, house: House) -> None:
    found = [fault for fault in checking.faults(house.settings) if not fault.startswith("translations/")]
    assert found == []


def test_a_second_demonstration_is_refused_and_changes_nothing(
    shown: demo.Demonstration, house: House, db: Database
) -> None:
    before = house.settings.database.read_bytes()
    with pytest.raises(NotEmpty) as refusal:
        demo.fill(house, db, seed=9)
    assert str(house.settings.database) in str(refusal.value)
    assert "ENKAT_INSTANCE" in str(refusal.value)
    assert house.settings.database.read_bytes() == before


def test_one_unit_is_enough_for_a_refusal(house: House, db: Database) -> None:
    staffing.add_unit(db, "Mitthem")
    with pytest.raises(NotEmpty):
        demo.fill(house, db)
    assert [unit.name for unit in staff.units(db)] == ["Mitthem"]
    assert staff.all_staff(db) == []


def test_the_open_meetings_can_be_counted_when_their_time_comes(
    shown: demo.Demonstration, house: House, db: Database
) -> None:
    box = number(db, "select count(*) from ballot")
    later = TODAY + timedelta(days=30)
    counted = counting.count_due(db, house.keys, later)
    assert counted == counting.Counted(box, 2)
    assert number(db, "select count(*) from link") == 0
    assert house.keys.meetings_with_key() == set()
