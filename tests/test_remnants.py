"""What an attack by reading the database file found: nothing of a counted meeting's people may be left in it."""

import random
from datetime import timedelta

import pytest

from enkat import counting, inviting, worker
from enkat.model.survey import Role
from enkat.storage.engine import number, rows
from tests.conftest import TODAY, Town
from tests.inspection import InspectingClient


@pytest.mark.parametrize("seed", range(4))
def test_no_byte_of_a_counted_meetings_places_and_links_is_left_in_the_file(
    town: Town, participant: InspectingClient, seed: int
) -> None:
    """Many open meetings, answers and replaced links in mixed order make the file's pages split and merge."""
    chance = random.Random(seed)
    meetings = [town.meeting(assignment=town.assignment(f"M-{n}")) for n in range(8)]
    acts = [(meeting, role) for meeting in meetings for role in Role for _again in range(3)]
    chance.shuffle(acts)
    for meeting, role in acts:
        link = town.personal(meeting, role) if chance.random() < 0.4 else town.rooms(meeting)[role]
        if chance.random() < 0.3:
            link = inviting.replace_link(town.db, town.house.keys, meeting.id, link.id)
        participant.submit(f"/{link.key}", say="4")
    counted = chance.sample(meetings, 4)
    gone = [
        mark
        for meeting in counted
        for table, column in (("link", "id"), ("link", "key_hash"), ("invitation", "id"), ("invitation", "claim"))
        for row in rows(town.db, f"select {column} as mark from {table} where meeting = :m", m=meeting.id)
        if (mark := row["mark"]) is not None
    ]
    assert len(gone) > 100
    for meeting in counted:
        counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
    worker.work(town.house)
    held = town.house.settings.database.read_bytes()
    assert not [mark for mark in gone if (mark if isinstance(mark, bytes) else mark.encode()) in held]
    assert number(town.db, "pragma freelist_count") == 0


def test_the_file_is_written_anew_once_after_a_count_and_not_at_every_round(town: Town) -> None:
    meeting = town.meeting()
    later = town.at(meeting.closes + timedelta(days=1))
    worker.work(later)
    assert number(town.db, "pragma user_version") == 0
    file = town.house.settings.database
    before = file.stat().st_mtime_ns, file.read_bytes()
    worker.work(later)
    assert (file.stat().st_mtime_ns, file.read_bytes()) == before


def test_lowering_the_number_invited_frees_nothing_once_somebody_has_answered(
    town: Town, participant: InspectingClient
) -> None:
    """The attack: lower a role's places step by step, and see from refusals at which step its answers begin."""
    keys, catalogue = town.house.keys, town.house.catalogue
    meeting = town.meeting({Role.FAMILY: 3, Role.KIN: 2})
    places = "select count(*) from invitation where role = 'family'"
    inviting.set_places(town.db, keys, catalogue, meeting.id, {Role.FAMILY: 4})
    inviting.set_places(town.db, keys, catalogue, meeting.id, {Role.FAMILY: 3})
    assert number(town.db, places) == 3, "while nobody has answered, a slip of the finger is mended whole"
    assert participant.submit(f"/{town.rooms(meeting)[Role.KIN].key}", say="4").status_code == 200
    inviting.set_places(town.db, keys, catalogue, meeting.id, {Role.FAMILY: 0})
    assert number(town.db, places) == 3
    probe = participant.submit(f"/{town.rooms(meeting)[Role.FAMILY].key}", say="1")
    assert probe.status_code == 200, "a probe takes a place, and shows in the ring, as any answer does"
