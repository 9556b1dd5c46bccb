"""Many at once, against the real server with its two workers: each place holds one answer, and nobody meets a fault."""

from collections import Counter

import pytest

from enkat import counting
from enkat.model.survey import Role
from tests.conftest import TODAY, Town
from tests.journeys.people import Place, Stored
from tests.journeys.server import Server, ask, new_submission, receipt_hash, send, together

CROWD = 50


@pytest.fixture(scope="module")
def server(place: Place) -> Server:
    return place.server


@pytest.fixture(scope="module")
def town(place: Place) -> Town:
    return place.town


@pytest.fixture
def stored(town: Town) -> Stored:
    """What the test has brought into the town."""
    return Stored(town)


def test_of_fifty_who_send_through_one_personal_link_at_once_one_is_stored(
    server: Server, town: Town, stored: Stored
) -> None:
    meeting = town.meeting()
    link = town.personal(meeting, Role.FAMILY)
    replies = together(CROWD, lambda number: send(server.port, link.key, new_submission(), words=f"nummer {number}"))
    assert Counter(reply.status for reply in replies) == {200: 1, 409: CROWD - 1}
    assert stored.numbers == (1, 1)
    [thanked] = [number for number, reply in enumerate(replies) if reply.status == 200]
    assert receipts(town, meeting.id) == [receipt_hash(replies[thanked].receipt)]
    assert not [reply for reply in replies if reply.status == 409 and 'name="receipt"' in reply.body]
    assert counted_texts(town, meeting.id) == [f"nummer {thanked}"], "the one who was thanked is the one stored"


def test_fifty_sendings_of_one_submission_are_all_thanked_alike_and_stored_once(
    server: Server, town: Town, stored: Stored
) -> None:
    meeting = town.meeting()
    link = town.personal(meeting, Role.KIN)
    submission = new_submission()
    replies = together(CROWD, lambda _number: send(server.port, link.key, submission, words="samma"))
    assert {reply.status for reply in replies} == {200}
    [receipt] = {reply.receipt for reply in replies}
    assert len({reply.body for reply in replies}) == 1, "a repeated sending is told what the first was told"
    assert stored.numbers == (1, 1)
    assert receipts(town, meeting.id) == [receipt_hash(receipt)]
    assert counted_texts(town, meeting.id) == ["samma"]


def test_fifty_sendings_of_one_submission_through_a_room_take_one_place(
    server: Server, town: Town, stored: Stored
) -> None:
    meeting = town.meeting({Role.KIN: 10})
    room = town.rooms(meeting)[Role.KIN]
    submission = new_submission()
    replies = together(CROWD, lambda _number: send(server.port, room.key, submission))
    assert {reply.status for reply in replies} == {200}
    assert len({reply.receipt for reply in replies}) == 1
    assert stored.numbers == (1, 1)


def test_a_room_with_ten_places_stores_ten_of_fifty(server: Server, town: Town, stored: Stored) -> None:
    meeting = town.meeting({Role.PROFESSIONAL: 10})
    room = town.rooms(meeting)[Role.PROFESSIONAL]
    replies = together(CROWD, lambda number: send(server.port, room.key, new_submission(), words=f"nummer {number}"))
    assert Counter(reply.status for reply in replies) == {200: 10, 409: CROWD - 10}
    assert stored.numbers == (10, 10)
    found = {receipt_hash(reply.receipt) for reply in replies if reply.status == 200}
    assert found == set(receipts(town, meeting.id))
    thanked = {f"nummer {number}" for number, reply in enumerate(replies) if reply.status == 200}
    assert sorted(counted_texts(town, meeting.id)) == sorted(thanked)


def test_two_hundred_people_of_four_rooms_are_all_thanked(server: Server, town: Town, stored: Stored) -> None:
    """Places for everybody, so nobody may be told to wait: each write takes its lock before it reads."""
    meeting = town.meeting(dict.fromkeys(Role, CROWD))
    rooms = [room.key for room in town.rooms(meeting).values()]
    replies = together(CROWD, lambda _number: [send(server.port, key, new_submission()) for key in rooms])
    assert Counter(reply.status for each in replies for reply in each) == {200: CROWD * len(rooms)}
    assert len({reply.receipt for each in replies for reply in each}) == CROWD * len(rooms)
    assert stored.numbers == (CROWD * len(rooms), CROWD * len(rooms))


def test_personal_links_keep_their_places_however_the_room_is_crowded(
    server: Server, town: Town, stored: Stored
) -> None:
    meeting = town.meeting({Role.FAMILY: 10})
    room = town.rooms(meeting)[Role.FAMILY]
    personal = [town.personal(meeting, Role.FAMILY).key for _person in range(5)]
    keys = [room.key] * (CROWD - 5) + personal
    replies = together(CROWD, lambda number: send(server.port, keys[number], new_submission()))
    assert Counter(reply.status for reply in replies[:-5]) == {200: 5, 409: CROWD - 10}
    assert [reply.status for reply in replies[-5:]] == [200] * 5
    assert stored.numbers == (10, 10)


def test_those_who_send_while_it_is_counted_are_counted_or_told_that_it_is_closed(
    server: Server, town: Town, stored: Stored
) -> None:
    meeting = town.meeting({Role.KIN: 49})
    room = town.rooms(meeting)[Role.KIN]

    def act(number: int) -> int:
        if number == CROWD // 2:
            return count(town, meeting.id)
        # Each from a phone of their own: who comes too late has a wrong key, and many of those are slowed.
        fields = {"submission": new_submission(), "say": "5", "words": f"nummer {number}"}
        return ask(server.port, "POST", f"/{room.key}", fields, f"127.8.1.{number + 1}").status

    results = together(CROWD, act)
    opened = results.pop(CROWD // 2)
    assert set(results) <= {200, 404, 410}, results
    assert opened == results.count(200) == stored.responses
    assert stored.numbers == (0, 0)


def test_an_answer_that_is_taken_back_fifty_times_at_once_is_taken_back_once(
    server: Server, town: Town, stored: Stored
) -> None:
    meeting = town.meeting()
    room = town.rooms(meeting)[Role.FAMILY]
    mine, other = (send(server.port, room.key, new_submission()).receipt for _person in range(2))
    elsewhere = "127.8.0.1"  # whoever else comes to this server is not to be slowed with them
    replies = together(CROWD, lambda _number: ask(server.port, "POST", "/withdraw", {"receipt": mine}, elsewhere))
    found = Counter(reply.status for reply in replies)
    assert (found[200], found[404] + found[429]) == (1, CROWD - 1), "so many spent receipts at once are slowed"
    assert stored.numbers == (1, 2)
    assert receipts(town, meeting.id) == [receipt_hash(other)]


def receipts(town: Town, meeting: str) -> list[bytes]:
    """What the database knows the receipts of a meeting's answers by."""
    return [
        row["receipt_hash"] for row in town.db.query("select receipt_hash from ballot where meeting = ?", [meeting])
    ]


def count(town: Town, meeting: str) -> int:
    """Close and count over a connection of one's own; how many ballots were opened."""
    db = town.house.connect()
    try:
        return counting.close_and_count(db, town.house.keys, meeting, TODAY).opened
    finally:
        db.close()


def counted_texts(town: Town, meeting: str) -> list[str]:
    """What people wrote, once it is counted."""
    count(town, meeting)
    return [row["wording"] for row in town.db.query("select wording from free_text where meeting = ?", [meeting])]
