"""The first bend of the river: references without names, meetings, places, links, and promise 2: nothing that a
coordinator sees, and no refusal they meet, depends on whether anybody has answered."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enkat import answering, counting, inviting, staffing
from enkat.house import House, open_house
from enkat.model.errors import EnkatError, NotFound, PlaceTaken, Refused, RevokedLink, UnknownLink
from enkat.model.meeting import LONGEST_OPEN_DAYS, MOST_PLACES, Kind, Meeting, OpenedLink, Source
from enkat.model.survey import Answer, Role, Stage, Submission
from enkat.secrecy import tokens
from enkat.settings import Settings
from enkat.storage import meetings
from enkat.storage.engine import number, rows
from tests.conftest import NINE, TODAY, Town

_NUMBERS = count(1)


def a_reference() -> str:
    """A reference that no test has used; counted, for a random one looks like an identity number now and then."""
    return f"M-{next(_NUMBERS)}"


def said(town: Town, link: OpenedLink, submission: str | None = None) -> Submission:
    """A form with one tick, as the link's form would send it."""
    form = town.house.catalogue[link.questionnaire]
    return Submission(
        id=submission or tokens.new_submission(),
        questionnaire=form.id,
        version=form.version,
        role=link.role,
        stage=Stage.AFTER,
        language="sv",
        answers={"safe": Answer(value=3)},
    )


def send(town: Town, link: OpenedLink, submission: str | None = None) -> str:
    """Answer through a link; the receipt."""
    sent = said(town, link, submission)
    return answering.submit(town.db, town.house.keys, link.key, sent, TODAY).receipt


def places(town: Town, meeting: Meeting, role: Role = Role.FAMILY) -> int:
    """How many places there really are, answered or not."""
    sql = "select count(*) from invitation where meeting = :meeting and role = :role"
    return number(town.db, sql, meeting=meeting.id, role=role)


def planned(town: Town, meeting: Meeting, role: Role = Role.FAMILY) -> int | None:
    """How many the coordinator has said are invited."""
    return meetings.invited(town.db, meeting.id).get((role, Stage.AFTER))


def key_files(town: Town) -> set[str]:
    return {file.name for file in town.house.keys.meetings.iterdir()}


# References


@pytest.mark.parametrize(
    "reference",
    [
        "19121212-1212",
        "191212121212",
        "121212-1212",
        "1212121212",
        "121212 1212",
        "12 12 12 1212",
        "19 12 12 12 1212",
        "1912-12-12-1212",
        "1912/12/12 1212",
        "1912.12.12.1212",
        "  121212-1212  ",
        "121272-1212",
        "20121291-1212",
        "121212-T212",
        "121212-x212",
        "M 121212-1212",
        "M-121212-1212",
        "p121212-1212",
        "121212-1212a",
        "Anna 121212-1212",
        "Anna121212-1212Ek",
        "121212-1212/2",
    ],
)
def test_a_reference_that_looks_like_an_identity_number_is_refused_with_the_reason(town: Town, reference: str) -> None:
    with pytest.raises(Refused) as refusal:
        town.assignment(reference)
    assert refusal.value.reason == "identity_number"
    assert "1212" not in str(refusal.value), "the refusal must not repeat the number into logs"
    assert number(town.db, "select count(*) from assignment") == 0


@pytest.mark.parametrize(
    "reference",
    [
        "121212_1212",
        "121212+1212",
        "121212–1212",
        "121212−1212",
        "(121212-1212)",
        "1912_12_12_1212",
        "121212 - 1212",
        "121212--1212",
        "12 - 12 - 12 - 1212",
        "121212-12 12",
        "121212 12 12",
        "12-12-12-12-12",
        "１２１２１２-１２１２",
        "١٢١٢١٢-١٢١٢",
        "۱۹۱۲۱۲۱۲۱۲۱۲",
    ],
)
def test_an_identity_number_in_an_unusual_writing_is_refused_too(town: Town, reference: str) -> None:
    with pytest.raises(Refused):
        town.assignment(reference)
    assert number(town.db, "select count(*) from assignment") == 0


@settings(max_examples=150, deadline=None)
@given(
    born=st.dates(date(1900, 1, 1), date(2026, 12, 31)),
    coordination=st.booleans(),
    century=st.booleans(),
    last=st.integers(0, 9999),
    between=st.lists(st.sampled_from(["", "-", " ", ".", "/"]), min_size=3, max_size=3),
    before=st.sampled_from(["", "M ", "M-", "p", "Uppdrag "]),
)
def test_no_birthday_with_four_digits_behind_it_becomes_a_reference(
    born: date, coordination: bool, century: bool, last: int, between: list[str], before: str
) -> None:
    year = f"{born.year:04}" if century else f"{born.year % 100:02}"
    parts = [year, f"{born.month:02}", f"{born.day + 60 * coordination:02}", f"{last:04}"]
    written = before + "".join(part + mark for part, mark in zip(parts, [*between, ""], strict=True))
    with pytest.raises(Refused) as refusal:
        inviting.judge_reference(written)
    assert refusal.value.reason == "identity_number"


@pytest.mark.parametrize(
    "reference",
    [
        "M-114",
        "A",
        "7",
        "2026/114",
        "2026-11-20",
        "20261120",
        "M 2026-11-20/3",
        "IFO 2026-00412",
        "SN-2026-001234",
        "Ärende 12.3",
        "نور 12",
        "Uppdrag 070-123 45",
        "1" * 40,
        "9999999999",
    ],
)
def test_an_ordinary_reference_is_stored_as_it_was_written(town: Town, reference: str) -> None:
    assert town.assignment(reference).reference == reference
    assert rows(town.db, "select reference from assignment") == [{"reference": reference}]


@pytest.mark.parametrize("reference", ["Anna Svensson", "Åsa Öberg", "Omar Al-Hassan", "Eva Maria Lund"])
def test_a_reference_that_looks_like_a_full_name_is_refused_with_the_reason(town: Town, reference: str) -> None:
    with pytest.raises(Refused, match="must not learn whose family") as refusal:
        town.assignment(reference)
    assert refusal.value.reason == "name_like"
    assert number(town.db, "select count(*) from assignment") == 0


def test_spaces_around_and_inside_a_reference_are_made_plain(town: Town) -> None:
    assert town.assignment("  M  \t 114 ").reference == "M 114"


@pytest.mark.parametrize(
    "reference",
    ["", " ", "-114", "x" * 41, "M\0", "M<b>", "M;drop", "a@b", "M'1", "\u202e114"],
)
def test_a_reference_of_unfit_marks_or_length_is_refused(town: Town, reference: str) -> None:
    with pytest.raises(Refused) as refusal:
        town.assignment(reference)
    assert refusal.value.reason == "reference"
    assert number(town.db, "select count(*) from assignment") == 0


# Assignments


def test_a_known_reference_in_any_case_is_the_same_assignment(town: Town) -> None:
    first = town.assignment("M-114")
    again = inviting.open_assignment(town.db, "m-114", town.north.id, None)
    assert again == first
    assert town.assignment("M-114") == first
    assert number(town.db, "select count(*) from assignment") == 1


def test_two_teams_may_use_the_same_reference_for_different_families(town: Town) -> None:
    north, south = town.assignment("M-114"), town.assignment("M-114", town.south)
    assert north.id != south.id
    assert (north.unit, south.unit) == (town.north.id, town.south.id)


def test_a_new_assignment_needs_a_source(town: Town) -> None:
    with pytest.raises(Refused) as refusal:
        inviting.open_assignment(town.db, "M-1", town.north.id, None)
    assert refusal.value.reason == "no_source"
    assert number(town.db, "select count(*) from assignment") == 0


@pytest.mark.parametrize(
    ("source", "protected", "reason"),
    [
        (Source.HEALTH, False, "other_source"),
        (None, True, "other_protection"),
        (Source.SCHOOL, True, "other_protection"),
    ],
)
def test_a_known_assignment_keeps_what_it_has(town: Town, source: Source | None, protected: bool, reason: str) -> None:
    town.assignment("M-1")
    with pytest.raises(Refused) as refusal:
        inviting.open_assignment(town.db, "M-1", town.north.id, source, protected)
    assert refusal.value.reason == reason
    assert rows(town.db, "select source, protected from assignment") == [{"source": "school", "protected": 0}]


def test_a_protected_assignment_stays_protected_when_nothing_is_said_of_it(town: Town) -> None:
    town.assignment("M-1", protected=True)
    assert inviting.open_assignment(town.db, "M-1", town.north.id, None).protected


# Meetings


def test_a_started_meeting_has_its_places_a_room_for_each_role_invited_and_a_key(town: Town) -> None:
    meeting = town.meeting()
    assert {role: places(town, meeting, role) for role in Role} == NINE
    assert meetings.invited(town.db, meeting.id) == {(role, Stage.AFTER): n for role, n in NINE.items()}
    links = inviting.links(town.db, town.house.keys, meeting.id)
    assert [(link.role, link.is_room, link.questionnaire) for link in links] == [
        (Role.FAMILY, True, "adult"),
        (Role.KIN, True, "adult"),
        (Role.CHILD, True, "child"),
        (Role.PROFESSIONAL, True, "professional"),
    ]
    assert len({link.key for link in links}) == 4
    assert key_files(town) == {meeting.id}
    assert meeting.closes == TODAY + timedelta(days=14)


def test_no_link_key_stands_in_the_database_file(town: Town) -> None:
    meeting = town.meeting()
    keys = [link.key for link in inviting.links(town.db, town.house.keys, meeting.id)]
    keys.append(town.personal(meeting, Role.KIN).key)
    stored = town.house.settings.database.read_bytes()
    assert not [key for key in keys if key.encode() in stored or key.lower().encode() in stored]


def test_only_the_roles_invited_get_a_room(town: Town) -> None:
    meeting = town.meeting({Role.KIN: 2, Role.CHILD: 0})
    assert set(town.rooms(meeting)) == {Role.KIN}
    assert planned(town, meeting, Role.CHILD) is None


def test_the_meetings_of_an_assignment_are_numbered_from_one(town: Town) -> None:
    assignment, other = town.assignment("M-1"), town.assignment("M-2")
    assert [town.meeting(assignment=one).number for one in (assignment, other, assignment, assignment)] == [1, 1, 2, 3]


def test_a_meeting_long_past_closes_today_and_not_in_the_past(town: Town) -> None:
    assert town.meeting(held=TODAY - timedelta(days=90)).closes == TODAY


def test_a_room_for_small_children_asks_with_three_faces(town: Town) -> None:
    meeting = town.meeting(questionnaires={Role.CHILD: "child_small"})
    assert town.rooms(meeting)[Role.CHILD].questionnaire == "child_small"
    assert rows(town.db, "select questionnaire from invitation where role = 'child'") == [
        {"questionnaire": "child_small"}
    ]


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        ({"places": {Role.FAMILY: -1}}, "places"),
        ({"places": {Role.FAMILY: MOST_PLACES + 1}}, "places"),
        ({"places": {Role.FAMILY: 0}}, "nobody"),
        ({"places": {Role.FAMILY: 0, Role.CHILD: 0}}, "nobody"),
        ({"held": TODAY + timedelta(days=367)}, "held"),
        ({"held": TODAY - timedelta(days=367)}, "held"),
        ({"held": date.max}, "held"),
        ({"held": date.min}, "held"),
        ({"closes": TODAY - timedelta(days=1)}, "closes_past"),
        ({"held": TODAY + timedelta(days=5), "closes": TODAY + timedelta(days=4)}, "closes_before"),
        ({"closes": TODAY + timedelta(days=LONGEST_OPEN_DAYS + 1)}, "closes_late"),
        ({"closes": date.max}, "closes_late"),
        ({"questionnaires": {Role.CHILD: "adult"}}, "questionnaire"),
        ({"questionnaires": {Role.CHILD: "nonsense"}}, "questionnaire"),
    ],
    ids=str,
)
def test_a_plan_that_cannot_be_leaves_neither_a_meeting_nor_a_key(
    town: Town, plan: dict[str, object], reason: str
) -> None:
    assignment = town.assignment()
    whole = inviting.Plan(**{"kind": Kind.SIP, "held": TODAY, "places": NINE} | plan)  # type: ignore[arg-type]
    with pytest.raises(Refused) as refusal:
        inviting.start_meeting(town.db, town.house.keys, town.house.catalogue, assignment.id, whole, TODAY)
    assert refusal.value.reason == reason
    for table in ("meeting", "invited", "invitation", "link"):
        assert number(town.db, f"select count(*) from {table}") == 0, table
    assert not key_files(town)


@pytest.mark.parametrize(
    "plan",
    [
        {"held": TODAY + timedelta(days=366)},
        {"held": TODAY - timedelta(days=366)},
        {"closes": TODAY},
        {"closes": TODAY + timedelta(days=LONGEST_OPEN_DAYS)},
        {"places": {Role.PROFESSIONAL: MOST_PLACES}},
    ],
    ids=str,
)
def test_a_plan_at_the_edge_of_what_can_be_is_taken(town: Town, plan: dict[str, object]) -> None:
    assert town.meeting(**plan).closes >= TODAY  # type: ignore[arg-type]


def test_a_meeting_of_no_assignment_leaves_no_key_behind(town: Town) -> None:
    plan = inviting.Plan(Kind.SIP, TODAY, NINE)
    with pytest.raises(sqlite3.IntegrityError):
        inviting.start_meeting(town.db, town.house.keys, town.house.catalogue, "nowhere", plan, TODAY)
    assert not key_files(town)
    assert number(town.db, "select count(*) from meeting") == 0


# Personal links and places


def test_a_personal_link_holds_one_of_the_places_that_were_planned(town: Town) -> None:
    meeting = town.meeting()
    link = town.personal(meeting, Role.FAMILY)
    assert not link.is_room
    assert (places(town, meeting), planned(town, meeting)) == (3, 3)
    room = town.rooms(meeting)[Role.FAMILY]
    send(town, room)
    send(town, room)
    with pytest.raises(PlaceTaken):
        send(town, room)
    send(town, link)


def test_a_personal_link_beyond_the_plan_brings_a_place_of_its_own(town: Town) -> None:
    meeting = town.meeting({Role.FAMILY: 1})
    first, second = town.personal(meeting, Role.FAMILY), town.personal(meeting, Role.FAMILY)
    assert (places(town, meeting), planned(town, meeting)) == (2, 2)
    send(town, first)
    send(town, second)


def test_somebody_given_a_link_after_the_room_used_every_place_is_not_turned_away(town: Town) -> None:
    meeting = town.meeting({Role.FAMILY: 2})
    room = town.rooms(meeting)[Role.FAMILY]
    send(town, room)
    send(town, room)
    link = town.personal(meeting, Role.FAMILY)
    assert planned(town, meeting) == 2, "the number shown must not tell that the room was full"
    send(town, link)
    with pytest.raises(PlaceTaken):
        send(town, room)


def test_a_personal_link_for_a_role_nobody_was_invited_in_makes_that_roles_room_too(town: Town) -> None:
    meeting = town.meeting({Role.FAMILY: 1})
    town.personal(meeting, Role.CHILD)
    assert planned(town, meeting, Role.CHILD) == 1
    assert Role.CHILD in town.rooms(meeting)
    with pytest.raises(PlaceTaken):
        send(town, town.rooms(meeting)[Role.CHILD])


def test_a_small_childs_link_does_not_change_what_the_room_asks(town: Town) -> None:
    meeting = town.meeting({Role.CHILD: 2})
    assert town.personal(meeting, Role.CHILD, "child_small").questionnaire == "child_small"
    assert town.rooms(meeting)[Role.CHILD].questionnaire == "child"
    town.personal(meeting, Role.CHILD)
    town.personal(meeting, Role.CHILD, "child_small")
    found = Counter((link.is_room, link.questionnaire) for link in inviting.links(town.db, town.house.keys, meeting.id))
    assert found == {(True, "child"): 1, (False, "child_small"): 2, (False, "child"): 1}


def test_a_questionnaire_of_another_role_is_refused(town: Town) -> None:
    meeting = town.meeting()
    with pytest.raises(Refused) as refusal:
        town.personal(meeting, Role.FAMILY, "child")
    assert refusal.value.reason == "questionnaire"
    assert len(inviting.links(town.db, town.house.keys, meeting.id)) == 4


def test_there_are_never_more_personal_links_of_a_role_than_places_can_be(town: Town) -> None:
    meeting = town.meeting({Role.FAMILY: MOST_PLACES})
    for _person in range(MOST_PLACES):
        town.personal(meeting, Role.FAMILY)
    with pytest.raises(Refused) as refusal:
        town.personal(meeting, Role.FAMILY)
    assert refusal.value.reason == "places"
    assert (places(town, meeting), planned(town, meeting)) == (MOST_PLACES, MOST_PLACES)


@pytest.mark.parametrize("wish", [0, 1, 2, 5, MOST_PLACES])
def test_the_number_invited_can_be_changed(town: Town, wish: int) -> None:
    meeting = town.meeting()
    room = town.rooms(meeting)[Role.FAMILY]
    inviting.set_places(town.db, town.house.keys, town.house.catalogue, meeting.id, {Role.FAMILY: wish})
    assert (places(town, meeting), planned(town, meeting)) == (wish, wish)
    assert town.rooms(meeting)[Role.FAMILY] == room, "the code on the wall stays the same"
    assert places(town, meeting, Role.KIN) == NINE[Role.KIN]


def test_a_role_added_later_gets_its_room_and_a_role_never_invited_stays_away(town: Town) -> None:
    meeting = town.meeting({Role.FAMILY: 1})
    inviting.set_places(town.db, town.house.keys, town.house.catalogue, meeting.id, {Role.CHILD: 0})
    assert planned(town, meeting, Role.CHILD) is None
    inviting.set_places(town.db, town.house.keys, town.house.catalogue, meeting.id, {Role.CHILD: 2})
    assert set(town.rooms(meeting)) == {Role.FAMILY, Role.CHILD}
    send(town, town.rooms(meeting)[Role.CHILD])


def test_more_places_for_the_room_ask_what_the_room_asks(town: Town) -> None:
    meeting = town.meeting({Role.CHILD: 1}, questionnaires={Role.CHILD: "child_small"})
    inviting.set_places(town.db, town.house.keys, town.house.catalogue, meeting.id, {Role.CHILD: 3})
    assert town.rooms(meeting)[Role.CHILD].questionnaire == "child_small"
    assert number(town.db, "select count(*) from invitation where questionnaire = 'child_small'") == 3


@pytest.mark.parametrize("wish", [-1, MOST_PLACES + 1])
def test_a_number_that_cannot_be_is_refused(town: Town, wish: int) -> None:
    meeting = town.meeting()
    with pytest.raises(Refused) as refusal:
        inviting.set_places(town.db, town.house.keys, town.house.catalogue, meeting.id, {Role.FAMILY: wish})
    assert refusal.value.reason == "places"
    assert (places(town, meeting), planned(town, meeting)) == (3, 3)


def test_places_held_by_personal_links_are_not_taken_away(town: Town) -> None:
    meeting = town.meeting()
    link = town.personal(meeting, Role.FAMILY)
    town.personal(meeting, Role.FAMILY)
    with pytest.raises(Refused) as refusal:
        inviting.set_places(town.db, town.house.keys, town.house.catalogue, meeting.id, {Role.FAMILY: 1})
    assert refusal.value.reason == "held_by_links"
    assert planned(town, meeting) == 3
    inviting.revoke_link(town.db, meeting.id, link.id)
    inviting.set_places(town.db, town.house.keys, town.house.catalogue, meeting.id, {Role.FAMILY: 1})
    assert (places(town, meeting), planned(town, meeting)) == (1, 1)


# Replace and revoke


def test_a_replaced_personal_link_leads_to_the_same_place_under_another_key(town: Town) -> None:
    meeting = town.meeting()
    old = town.personal(meeting, Role.KIN)
    new = inviting.replace_link(town.db, town.house.keys, meeting.id, old.id)
    assert new.key != old.key
    assert (new.role, new.questionnaire, new.is_room) == (old.role, old.questionnaire, False)
    assert places(town, meeting, Role.KIN) == 2
    with pytest.raises(RevokedLink):
        send(town, old)
    send(town, new)
    with pytest.raises(PlaceTaken):
        send(town, new)


def test_replacing_a_used_link_gives_nobody_a_second_answer_and_tells_nothing(town: Town) -> None:
    meeting = town.meeting()
    used, free = town.personal(meeting, Role.KIN), town.personal(meeting, Role.KIN)
    send(town, used)
    new_used, new_free = (inviting.replace_link(town.db, town.house.keys, meeting.id, link.id) for link in (used, free))
    assert vars(new_used).keys() == vars(new_free).keys()
    assert (new_used.role, new_used.questionnaire) == (new_free.role, new_free.questionnaire)
    for link in (new_used, new_free):
        assert answering.open_link(town.db, town.house.keys, link.key, TODAY).id == link.id
    with pytest.raises(PlaceTaken):
        send(town, new_used)
    send(town, new_free)


def test_a_replaced_room_link_turns_away_those_with_the_old_one(town: Town) -> None:
    meeting = town.meeting()
    old = town.rooms(meeting)[Role.CHILD]
    new = inviting.replace_link(town.db, town.house.keys, meeting.id, old.id)
    assert town.rooms(meeting)[Role.CHILD] == new
    with pytest.raises(RevokedLink):
        send(town, old)
    send(town, new)


def test_a_revoked_links_key_is_not_kept_even_sealed(town: Town) -> None:
    meeting = town.meeting()
    link = town.personal(meeting, Role.KIN)
    inviting.revoke_link(town.db, meeting.id, link.id)
    assert rows(town.db, "select state, sealed_key from link where id = :id", id=link.id) == [
        {"state": "revoked", "sealed_key": None}
    ]


@pytest.mark.parametrize("is_used", [False, True])
def test_revoking_a_link_leaves_the_number_invited_as_it_was(town: Town, is_used: bool) -> None:
    meeting = town.meeting({Role.FAMILY: 1})
    link = town.personal(meeting, Role.FAMILY)
    if is_used:
        send(town, link)
    inviting.revoke_link(town.db, meeting.id, link.id)
    assert planned(town, meeting) == 1
    assert [one.is_room for one in inviting.links(town.db, town.house.keys, meeting.id)] == [True]
    with pytest.raises(RevokedLink):
        send(town, link)


def test_the_place_of_a_revoked_unused_link_falls_back_to_the_room_and_of_a_used_one_does_not(town: Town) -> None:
    meeting = town.meeting({Role.FAMILY: 2})
    used, unused = town.personal(meeting, Role.FAMILY), town.personal(meeting, Role.FAMILY)
    room = town.rooms(meeting)[Role.FAMILY]
    send(town, used)
    with pytest.raises(PlaceTaken):
        send(town, room)
    inviting.revoke_link(town.db, meeting.id, used.id)
    with pytest.raises(PlaceTaken):
        send(town, room)
    inviting.revoke_link(town.db, meeting.id, unused.id)
    send(town, room)
    with pytest.raises(PlaceTaken):
        send(town, room)


def test_a_rooms_link_cannot_be_revoked(town: Town) -> None:
    meeting = town.meeting()
    room = town.rooms(meeting)[Role.KIN]
    with pytest.raises(Refused) as refusal:
        inviting.revoke_link(town.db, meeting.id, room.id)
    assert refusal.value.reason == "room_link"
    assert town.rooms(meeting)[Role.KIN] == room


def test_a_link_of_another_meeting_or_one_revoked_before_is_not_found(town: Town) -> None:
    meeting, other = town.meeting(assignment=town.assignment("M-1")), town.meeting(assignment=town.assignment("M-2"))
    link, gone = town.personal(meeting, Role.KIN), town.personal(meeting, Role.KIN)
    inviting.revoke_link(town.db, meeting.id, gone.id)
    for where, which in ((other.id, link.id), (meeting.id, gone.id), (meeting.id, "nothing"), (meeting.id, link.key)):
        with pytest.raises(NotFound):
            inviting.revoke_link(town.db, where, which)
        with pytest.raises(NotFound):
            inviting.replace_link(town.db, town.house.keys, where, which)
    assert link in inviting.links(town.db, town.house.keys, meeting.id)


def _every_change(town: Town, meeting: str) -> Iterator[object]:
    keys, catalogue = town.house.keys, town.house.catalogue
    yield lambda: inviting.set_places(town.db, keys, catalogue, meeting, {Role.KIN: 2})
    yield lambda: inviting.add_personal_links(town.db, keys, catalogue, meeting, Role.KIN)
    yield lambda: inviting.replace_link(town.db, keys, meeting, "x")
    yield lambda: inviting.revoke_link(town.db, meeting, "x")


def test_an_unknown_meeting_is_not_found_and_a_counted_one_takes_no_more_links(town: Town) -> None:
    meeting = town.meeting()
    counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
    for change in _every_change(town, "nowhere"):
        with pytest.raises(NotFound):
            change()  # type: ignore[operator]
    for change in _every_change(town, meeting.id):
        with pytest.raises(Refused) as refusal:
            change()  # type: ignore[operator]
        assert refusal.value.reason == "counted"
    assert inviting.links(town.db, town.house.keys, meeting.id) == []


def test_the_links_of_a_meeting_stand_by_role_with_the_room_first(town: Town) -> None:
    meeting = town.meeting()
    for role in (Role.PROFESSIONAL, Role.FAMILY, Role.FAMILY):
        town.personal(meeting, role)
    shown = [(link.role, link.is_room) for link in inviting.links(town.db, town.house.keys, meeting.id)]
    assert shown == [
        (Role.FAMILY, True),
        (Role.FAMILY, False),
        (Role.FAMILY, False),
        (Role.KIN, True),
        (Role.CHILD, True),
        (Role.PROFESSIONAL, True),
        (Role.PROFESSIONAL, False),
    ]


def test_new_ids_are_random_and_differ() -> None:
    found = {inviting.new_id() for _ in range(200)}
    assert len(found) == 200
    assert {len(one) for one in found} == {16}


# Promise 2: a town where people answer looks to its coordinator like a town where nobody does


@dataclass
class Seen:
    """One town as its coordinator walks through it: the links handed out so far, and who still may answer."""

    town: Town
    meeting: Meeting
    handed_out: list[OpenedLink] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)
    keys_known: list[str] = field(default_factory=list)

    def do(self, action: tuple[str, Role, int]) -> str:
        """Carry out what a coordinator wants; what came of it, without random keys."""
        verb, role, n = action
        db, keys, catalogue = self.town.db, self.town.house.keys, self.town.house.catalogue
        try:
            if verb == "personal":
                form = catalogue.choices(role)[n % len(catalogue.choices(role))].id
                [link] = inviting.add_personal_links(db, keys, catalogue, self.meeting.id, role, form)
                self.handed_out.append(link)
                self.keys_known.append(link.key)
                return f"{link.role} {link.questionnaire} {link.is_room}"
            if verb == "places":
                return str(inviting.set_places(db, keys, catalogue, self.meeting.id, {role: n}))
            if verb == "replace room":
                rooms = self.town.rooms(self.meeting)
                chosen = rooms[role].id if role in rooms else "none"
                link = inviting.replace_link(db, keys, self.meeting.id, chosen)
                return f"{link.role} {link.questionnaire} {link.is_room}"
            index = n % len(self.handed_out) if self.handed_out else None
            chosen = self.handed_out[index].id if index is not None else "none"
            if verb == "replace":
                new = inviting.replace_link(db, keys, self.meeting.id, chosen)
                self.handed_out[index or 0] = new
                self.keys_known.append(new.key)
                return f"{new.role} {new.questionnaire} {new.is_room}"
            return str(inviting.revoke_link(db, self.meeting.id, chosen))
        except Refused as refusal:
            return f"refused: {refusal.reason}"
        except NotFound:
            return "not found"

    def look(self) -> tuple[object, ...]:
        """Everything that the pages show of a meeting, but for how many have answered in the whole of it."""
        links = inviting.links(self.town.db, self.town.house.keys, self.meeting.id)
        for link in links:
            answering.open_link(self.town.db, self.town.house.keys, link.key, TODAY)
        order = [link.role for link in links], [link.is_room for link in links]
        numbers = Counter((link.role, link.questionnaire, link.is_room) for link in links)
        pages = [self.page(key) for key in self.keys_known]
        return numbers, order, meetings.invited(self.town.db, self.meeting.id), pages

    def page(self, key: str) -> str:
        """What a coordinator who noted a key down sees at its address, live or dead."""
        try:
            link = answering.open_link(self.town.db, self.town.house.keys, key, TODAY)
        except EnkatError as error:
            return repr(error)
        return f"{link.role} {link.questionnaire}"

    def answer(self, action: tuple[str, Role, int]) -> None:
        """Somebody answers in the room or by a personal link, or takes an answer back."""
        how, role, n = action
        if how == "withdraw":
            if self.receipts:
                answering.withdraw(self.town.db, self.receipts.pop())
            return
        try:
            if how == "room":
                if role in (rooms := self.town.rooms(self.meeting)):
                    self.receipts.append(send(self.town, rooms[role]))
            elif self.handed_out:
                link = self.handed_out[n % len(self.handed_out)]
                self.receipts.append(send(self.town, link))
        except (PlaceTaken, RevokedLink):
            pass


_ROLES = st.sampled_from([Role.FAMILY, Role.CHILD])
_COORDINATOR = st.tuples(
    st.sampled_from(["personal", "personal", "places", "replace", "replace room", "revoke", "revoke"]),
    _ROLES,
    st.integers(0, 4),
)
_PEOPLE = st.lists(
    st.tuples(st.sampled_from(["room", "room", "personal", "personal", "withdraw"]), _ROLES, st.integers(0, 4)),
    max_size=3,
)


@pytest.fixture(scope="module")
def two_towns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Town, Town]]:
    """Two municipalities that are alike."""
    found = []
    for name in ("quiet", "busy"):
        house: House = open_house(Settings(instance=tmp_path_factory.mktemp(name) / "instance", fixed_today=TODAY))
        db = house.connect()
        units = [staffing.add_unit(db, unit) for unit in ("Mitthem", "Norr", "Söder")]
        found.append(Town(house, db, *units))
    yield found[0], found[1]
    for town in found:
        town.db.close()


@settings(max_examples=60, deadline=None)
@given(
    invited=st.tuples(st.integers(0, 3), st.integers(1, 2)),
    first=_PEOPLE,
    story=st.lists(st.tuples(_COORDINATOR, _PEOPLE), min_size=1, max_size=10),
)
def test_nothing_a_coordinator_sees_or_is_refused_depends_on_who_has_answered(
    two_towns: tuple[Town, Town],
    invited: tuple[int, int],
    first: list[tuple[str, Role, int]],
    story: list[tuple[tuple[str, Role, int], list[tuple[str, Role, int]]]],
) -> None:
    start = dict(zip((Role.FAMILY, Role.CHILD), invited, strict=True))
    quiet, busy = (Seen(town, town.meeting(start, town.assignment(a_reference()))) for town in two_towns)
    for one in first:
        busy.answer(one)
    assert quiet.look() == busy.look()
    for action, people in story:
        assert quiet.do(action) == busy.do(action), action
        assert quiet.look() == busy.look(), action
        for one in people:
            busy.answer(one)
        assert quiet.look() == busy.look(), people


@settings(max_examples=40, deadline=None)
@given(
    people=_PEOPLE,
    story=st.lists(st.tuples(_COORDINATOR, _PEOPLE), max_size=8),
    role=_ROLES,
)
def test_whatever_came_before_somebody_given_a_new_personal_link_can_answer(
    two_towns: tuple[Town, Town],
    people: list[tuple[str, Role, int]],
    story: list[tuple[tuple[str, Role, int], list[tuple[str, Role, int]]]],
    role: Role,
) -> None:
    town = two_towns[1]
    seen = Seen(town, town.meeting({Role.FAMILY: 2}, town.assignment(a_reference())))
    for one in people:
        seen.answer(one)
    for action, after in story:
        seen.do(action)
        for one in after:
            seen.answer(one)
    link = town.personal(seen.meeting, role)
    assert send(town, link)
    with pytest.raises(PlaceTaken):
        send(town, link)


def test_a_revoked_links_address_shows_the_same_whether_it_was_used_or_not_even_when_its_place_is_taken_away(
    town: Town,
) -> None:
    """The attack: take a link back, say that nobody was invited, and look at the old address."""
    shown = []
    for is_used, reference in ((False, "M-1"), (True, "M-2")):
        meeting = town.meeting({Role.FAMILY: 1, Role.KIN: 1}, town.assignment(reference))
        link = town.personal(meeting, Role.FAMILY)
        if is_used:
            send(town, link)
        inviting.revoke_link(town.db, meeting.id, link.id)
        inviting.set_places(town.db, town.house.keys, town.house.catalogue, meeting.id, {Role.FAMILY: 0})
        for look in (
            lambda key: answering.open_link(town.db, town.house.keys, key, TODAY),
            lambda key, link=link: answering.submit(town.db, town.house.keys, key, said(town, link), TODAY),
        ):
            with pytest.raises(EnkatError) as refusal:
                look(link.key)
            shown.append((is_used, type(refusal.value), str(refusal.value)))
    unused, used = ([what for was_used, *what in shown if was_used is wanted] for wanted in (False, True))
    assert unused == used


@pytest.mark.parametrize("used", [Role.CHILD, Role.PROFESSIONAL])
def test_lowering_a_roles_places_before_the_count_does_not_tell_afterwards_that_it_answered(
    town: Town, used: Role
) -> None:
    """The attack: say after the fact that no child was invited, and see whether the total has grown."""
    meeting = town.meeting({Role.CHILD: 1, Role.PROFESSIONAL: 4})
    send(town, town.rooms(meeting)[used])
    inviting.set_places(town.db, town.house.keys, town.house.catalogue, meeting.id, {Role.CHILD: 0})
    counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
    overview = meetings.overview(town.db, meeting.id)
    assert overview is not None
    assert overview.responses == 1
    assert overview.progress.invited == 4


def test_nothing_of_one_meeting_shows_in_another(town: Town) -> None:
    one, other = town.meeting(assignment=town.assignment("M-1")), town.meeting(assignment=town.assignment("M-2"))
    before = inviting.links(town.db, town.house.keys, other.id)
    link = town.personal(one, Role.KIN)
    send(town, link)
    assert inviting.links(town.db, town.house.keys, other.id) == before
    with pytest.raises(UnknownLink):
        answering.open_link(town.db, town.house.keys, link.id, TODAY)
    assert issubclass(UnknownLink, EnkatError)
