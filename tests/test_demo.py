"""The made-up municipality: the same for the same seed and day, refused where there is anything, ready to try."""

import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from enkat import answering, checking, counting, demo, staffing
from enkat.house import House, open_house
from enkat.model.errors import NotEmpty
from enkat.model.meeting import MeetingState, OpenedLink
from enkat.model.result import ADULTS, Grain, Outcome, Quarter, Table, cells_of
from enkat.model.staff import StaffRole
from enkat.model.survey import Answer, Index, Role, Stage, Submission
from enkat.secrecy import tokens
from enkat.settings import Settings
from enkat.storage import meetings, responses, snapshots, staff
from enkat.storage.engine import number, rows
from tests.conftest import TODAY

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def shown(house: House, db: Database) -> demo.Demonstration:
    """The demonstration of a seed, on the day that stands still."""
    return demo.fill(house, db, 1)


@contextmanager
def filled(
    folder: Path, seed: int | None, responses: int = demo.USUAL, day: date = TODAY
) -> Iterator[tuple[demo.Demonstration, Database]]:
    """The demonstration in another folder, and its database."""
    house = open_house(Settings(instance=folder, fixed_today=day))
    db = house.connect()
    try:
        yield demo.fill(house, db, seed, responses), db
    finally:
        db.close()


def elsewhere(folder: Path, seed: int | None, day: date = TODAY) -> demo.Demonstration:
    with filled(folder, seed, day=day) as (there, _db):
        return there


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
        with filled(folder, 5) as (_shown, db):
            return list(
                rows(
                    db,
                    """select coalesce(meeting.held, ''), role, language, item, value, missing from answer
                       join response on response.id = response left join meeting on meeting.id = meeting
                       union all select state, wording, is_child, coalesce(batch, 0), 0, '' from free_text
                           where state in ('locked', 'gathering')
                       order by 1, 2, 3, 4, 5, 6""",
                )
            )

    one, other = counted(tmp_path / "one"), counted(tmp_path / "other")
    assert len(one) > 100
    assert one == other


def test_another_seed_shows_other_passwords_and_links(tmp_path: Path, shown: demo.Demonstration) -> None:
    other = elsewhere(tmp_path / "other", 2)
    assert [one.address for one in other.staff] == [one.address for one in shown.staff]
    assert not {one.password for one in other.staff} & {one.password for one in shown.staff}
    assert not {link.key for link in other.links} & {link.key for link in shown.links}


@pytest.mark.parametrize("seed", [0, 3, 10**9])
def test_any_seed_can_be_shown(tmp_path: Path, seed: int) -> None:
    assert elsewhere(tmp_path / "other", seed).links


def test_the_same_seed_and_day_give_the_same_published_figures(tmp_path: Path) -> None:
    with filled(tmp_path / "one", 7) as (_shown, one), filled(tmp_path / "other", 7) as (_again, other):
        published = snapshots.all_of(one, *Grain)
        assert sum(len(snapshot.cells) for snapshot in published) > 50
        assert published == snapshots.all_of(other, *Grain)


def test_two_years_are_published_quarter_by_quarter_and_the_current_quarter_is_not(
    shown: demo.Demonstration, db: Database
) -> None:
    quarters = snapshots.all_of(db, Grain.QUARTER)
    assert [str(one.quarters[-1]) for one in quarters] == [
        *("2024-Q4", "2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3")
    ]
    assert {one.outcome for one in quarters} == {Outcome.PUBLISHED}
    assert [one.published for one in quarters] == [one.quarters[-1].next.first for one in quarters], "each in its time"
    assert {one.year for one in snapshots.all_of(db, Grain.YEAR)} == {2024, 2025}
    assert number(db, "select count(*) from meeting where (closes >= '2026-10-01') <> (published is null)") == 0
    assert number(db, "select count(*) from meeting where state = 'counted' and published is null") > 0


@pytest.mark.parametrize("day", [date(2027, 1, 1), date(2026, 3, 31), date(2028, 2, 29), date(2026, 10, 1)])
def test_on_any_day_eight_quarters_are_over_and_nothing_lies_after_it(tmp_path: Path, day: date) -> None:
    with filled(tmp_path / "other", 2, 80, day) as (_shown, db):
        quarters = snapshots.outcomes(db)
        decided = [one.quarters[-1] for one in quarters if one.grain is Grain.QUARTER]
        assert len(decided) == 8
        assert decided[-1].next == Quarter.of(day)
        assert max(one.published for one in quarters) <= day
        (last,) = rows(db, "select max(held) as held, max(closes) as closes from meeting where state = 'counted'")
        assert last["held"] < last["closes"] < day.isoformat()
        assert number(db, "select count(*) from meeting where held > :day", day=day.isoformat()) == 0


@pytest.mark.parametrize("wanted", [1, 50, 300, 3000])
def test_there_are_about_as_many_responses_as_were_asked_for(tmp_path: Path, wanted: int) -> None:
    with filled(tmp_path / "other", 1, wanted) as (_shown, db):
        assert number(db, "select count(*) from response") == pytest.approx(wanted, rel=0.15)


def test_its_size_is_that_of_a_municipality_of_27000(shown: demo.Demonstration, db: Database) -> None:
    years = 2.14  # two, and October and November up to the 20th
    assert number(db, "select count(*) from meeting") / years == pytest.approx(42, rel=0.25)
    assert number(db, "select count(*) from assignment") / years == pytest.approx(32, rel=0.25)
    assert number(db, "select sum(places) from invited") / years == pytest.approx(330, rel=0.25)
    assert number(db, "select count(*) from response") / years == pytest.approx(150, rel=0.25)


def test_families_feel_more_part_of_it_after_the_change_and_professionals_were_content_before(tmp_path: Path) -> None:
    with filled(tmp_path / "other", 1, 4000) as (_shown, db):
        cells = cells_of(snapshots.all_of(db, Grain.QUARTER), Table.QUARTER_ROLE, Index.PARTICIPATION)
        rates = [one.rate for one in snapshots.outcomes(db) if one.grain is Grain.QUARTER]

    def level(role: Role, *, changed: bool) -> float:
        of_role = [one for one in cells if one.categories == (role,) and (one.period >= "2025-Q4") == changed]
        return sum(one.n * one.mean for one in of_role) / sum(one.n for one in of_role)

    before = {role: level(role, changed=False) for role in ADULTS}
    after = {role: level(role, changed=True) for role in ADULTS}
    assert before[Role.FAMILY] == pytest.approx(58, abs=3)
    assert after[Role.FAMILY] == pytest.approx(71, abs=3)
    assert before[Role.FAMILY] < before[Role.KIN] < before[Role.PROFESSIONAL]
    rises = {role: after[role] - before[role] for role in ADULTS}
    assert 0 < rises[Role.PROFESSIONAL] < rises[Role.KIN] < rises[Role.FAMILY]
    assert set(rates) <= {40, 45, 50}


def test_its_memory_does_not_grow_with_the_answers(tmp_path: Path) -> None:
    def peak(answers: int) -> int:
        tracemalloc.start()
        try:
            with filled(tmp_path / str(answers), 1, answers):
                return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(20)  # what is loaded once and kept
    assert peak(8000) <= 1.25 * peak(4000)


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
    assert house.keys.meetings_with_key() == {meeting.id for meeting in meetings.in_state(db, MeetingState.OPEN)}
    for meeting in counted:
        assert meeting.closes < TODAY
        found = responses.of_meeting(db, meeting.id)
        answered = Counter(response.role for response in found)
        assert answered <= Counter(
            {role: places for (role, _stage), places in meetings.invited(db, meeting.id).items()}
        )
        for response in found:
            form = house.catalogue[response.questionnaire]
            values = {point.value for point in form.points}
            assert set(response.answers) == {item.id for item in form.closed_items}
            assert {one.value for one in response.answers.values()} - {None} <= values
            for item in form.closed_items:
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
