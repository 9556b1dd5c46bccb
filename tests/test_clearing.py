"""Free texts: kept until their quarter is published and ten have come together, read without a word of whose they are,
cleared one by one, released ten at a time; a child's never in the child's own words."""

import os
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from random import Random
from statistics import correlation, mean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from enkat import answering, clearing, counting, identifiers, severing, worker
from enkat.model.audit import TERMINAL, Act
from enkat.model.errors import NotFound, Refused
from enkat.model.meeting import Meeting, OpenedLink
from enkat.model.result import Outcome
from enkat.model.survey import TEXT_LIMIT, Answer, Role, Stage, Submission
from enkat.model.text import BATCH, FreeText, TextState
from enkat.secrecy import tokens
from enkat.storage import audit, texts
from enkat.storage.engine import rows
from tests.conftest import TODAY, Town
from tests.inspection import InspectingClient
from tests.test_publishing import Said, Years
from tests.web.hostile import contents
from tests.written import clear_all, lay, lock, state, states

#: Two meetings of six adults: enough to be published, and for nine texts but not for ten.
SIX: Said = {Role.FAMILY: (5, 2), Role.KIN: (4, 2), Role.PROFESSIONAL: (3, 1)}
CHILDREN: Said = SIX | {Role.CHILD: (1, 2, 3, 4)}

#: Batches whose order is looked at.
_BATCHES = 400 if os.environ.get("ENKAT_ATTACK") == "full" else 40

R, C, W, G, L, OUT = (
    TextState.READABLE,
    TextState.CLEARED,
    TextState.WITHHELD,
    TextState.GATHERING,
    TextState.LOCKED,
    TextState.RELEASED,
)


@dataclass
class Writers:
    """People who write after meetings, and those who publish."""

    years: Years

    @property
    def db(self) -> Database:
        """The municipality's database."""
        return self.years.db

    def wrote(self, closes: str, *adults: str, children: tuple[str, ...] = (), **more: object) -> list[str]:
        """A counted meeting with what was written after it; the ids of the texts, adults' first."""
        meeting = self.years.met(closes, CHILDREN if children else SIX, **more)  # type: ignore[arg-type]
        return lock(self.db, meeting, *adults) + lock(self.db, meeting, *children, is_child=True)

    def publish(self, today: str) -> int:
        """Publish what is due and cut what is; how many texts have left their meetings."""
        self.years.publish(today)
        return severing.sever(self.db).texts

    def quarter(self, first: str, many: int, said: str = "text") -> list[str]:
        """Two meetings from a day on, with so many texts shared between them."""
        day = date.fromisoformat(first)
        half = [f"{said} {n}" for n in range(many)]
        return self.wrote(day.isoformat(), *half[::2]) + self.wrote((day + timedelta(days=9)).isoformat(), *half[1::2])


@pytest.fixture
def writers(town: Town) -> Writers:
    return Writers(Years(town))


# When a text may be read


def test_a_text_is_read_when_its_quarter_is_published_and_ten_have_come_together(writers: Writers) -> None:
    written = writers.quarter("2026-01-10", BATCH)
    assert states(writers.db) == {L: BATCH}
    assert writers.publish("2026-03-31") == 0, "the quarter is not over"
    assert states(writers.db) == {L: BATCH}
    assert writers.publish("2026-04-01") == BATCH
    assert states(writers.db) == {R: BATCH}
    assert {one.id for one in clearing.desk(writers.db).readable} == set(written)


def test_nine_wait_for_others_from_another_quarter(writers: Writers) -> None:
    first = writers.quarter("2026-01-10", BATCH - 1)
    writers.publish("2026-04-01")
    assert states(writers.db) == {G: BATCH - 1}
    assert clearing.desk(writers.db).readable == []
    second = writers.quarter("2026-04-10", 2)
    assert states(writers.db) == {G: BATCH - 1, L: 2}
    assert writers.publish("2026-07-01") == 2
    assert {one.id for one in texts.in_state(writers.db, R, 99)} == {*first, *second}


def test_those_that_come_after_wait_for_ten_of_their_own(writers: Writers) -> None:
    """A single new text among old ones would be known to be of the latest quarter."""
    old = writers.quarter("2026-01-10", BATCH + 2)
    writers.publish("2026-04-01")
    assert states(writers.db) == {R: BATCH + 2}
    new = writers.quarter("2026-04-10", BATCH - 1)
    writers.publish("2026-07-01")
    assert states(writers.db) == {R: BATCH + 2, G: BATCH - 1}
    assert {one.id for one in texts.in_state(writers.db, R, 99)} == set(old)
    new += writers.quarter("2026-07-10", 2)
    writers.publish("2026-10-01")
    assert {one.id for one in texts.in_state(writers.db, R, 99)} == {*old, *new}


def test_texts_of_a_quarter_that_is_joined_with_the_next_wait_with_it(writers: Writers) -> None:
    lock(writers.db, writers.years.met("2026-01-10", {Role.FAMILY: (5, 4, 1)}), *(f"text {n}" for n in range(12)))
    assert writers.publish("2026-04-01") == 0
    assert writers.years.decided()["2026-Q1"] == Outcome.JOINED
    assert states(writers.db) == {L: 12}
    writers.quarter("2026-04-10", 1)
    assert writers.publish("2026-07-01") == 13
    assert states(writers.db) == {R: 13}


def test_texts_of_a_meeting_that_is_still_open_keep_everybody_of_its_quarter_waiting(writers: Writers) -> None:
    writers.quarter("2026-01-10", 20)
    writers.years.met("2026-02-20", {}, invited={Role.KIN: 1}, is_open=True)
    assert writers.publish("2026-04-01") == 0
    assert states(writers.db) == {L: 20}


def test_childrens_texts_come_with_their_year_and_adults_with_their_quarter(writers: Writers) -> None:
    for day in ("2026-01-10", "2026-02-10"):
        writers.wrote(day, *(f"{day} {n}" for n in range(6)), children=tuple(f"{day} barn {n}" for n in range(5)))
    for today, waiting in (("2026-04-01", 10), ("2026-07-01", 10), ("2026-12-31", 10), ("2027-01-01", 0)):
        writers.publish(today)
        children = rows(writers.db, "select state from free_text where is_child = 1")
        assert [one["state"] for one in children].count(L) == waiting, today
        assert not rows(writers.db, "select 1 from free_text where is_child = 0 and state = 'locked'")
    assert states(writers.db) == {R: 22}


def test_a_child_text_waits_where_too_few_children_answered_for_their_year_to_be_published(writers: Writers) -> None:
    for day in ("2026-01-10", "2026-02-10"):
        meeting = writers.years.met(day, SIX | {Role.CHILD: (3,)})
        lock(writers.db, meeting, f"{day} ett barns", is_child=True)
        lock(writers.db, meeting, *(f"{day} {n}" for n in range(6)))
    writers.publish("2027-01-01")
    assert states(writers.db) == {L: 2, R: 12}
    assert [row["is_child"] for row in rows(writers.db, "select is_child from free_text where state = 'locked'")] == [
        1,
        1,
    ]


def test_texts_of_one_assignment_wait_for_those_of_another(writers: Writers) -> None:
    """However many there are: all of them would be known for that family's."""
    first = writers.wrote("2026-01-10", *(f"text {n}" for n in range(12)), work="W-1")
    first += writers.wrote("2026-02-10", *(f"mer text {n}" for n in range(12)), work="W-1")
    assert writers.publish("2026-04-01") == 0
    assert states(writers.db) == {L: 24}
    writers.years.met("2026-04-10", SIX, work="W-2")
    other = writers.wrote("2026-05-10", "en annans", work="W-3")
    assert writers.publish("2026-07-01") == 25
    assert {one.id for one in texts.in_state(writers.db, R, 99)} == {*first, *other}


def test_cutting_again_changes_nothing(writers: Writers) -> None:
    writers.quarter("2026-01-10", BATCH)
    writers.publish("2026-04-01")
    before = contents(writers.db)
    assert writers.publish("2026-04-02") == 0
    assert contents(writers.db) == before


# Whose a text is


def test_a_text_is_given_to_nobody_with_its_meeting_role_question_or_date(writers: Writers) -> None:
    assert {field.name for field in fields(FreeText)} == {"id", "wording", "is_child", "state", "batch", "retold"}
    columns = {row["name"] for row in rows(writers.db, "select name from pragma_table_info('free_text')")}
    assert columns == {"id", "meeting", "is_child", "retold", "state", "wording", "batch"}
    writers.wrote("2026-01-10", *(f"text {n}" for n in range(6)), children=("barn",))
    writers.quarter("2026-01-20", 6)
    writers.publish("2026-04-01")
    read = rows(writers.db, "select meeting, state from free_text where is_child = 0")
    assert {(row["meeting"], row["state"]) for row in read} == {(None, R)}
    [child] = rows(writers.db, "select meeting from free_text where is_child = 1")
    assert child["meeting"] is not None, "it is still to leave"


def test_nothing_else_in_the_database_knows_a_text_by_its_number(writers: Writers) -> None:
    written = writers.quarter("2026-01-10", BATCH)
    writers.publish("2026-04-01")
    for table, found in contents(writers.db).items():
        if table != "free_text":
            assert not [one for one in written if one in repr(found)], table


def test_the_answers_do_not_tell_whether_a_text_came_with_them(town: Town, participant: InspectingClient) -> None:
    """One wrote and one did not: what is kept of the two differs in nothing."""
    meeting = town.meeting({Role.FAMILY: 2})
    path = f"/{town.rooms(meeting)[Role.FAMILY].key}"
    assert participant.submit(path, prep="4", words="En text").status_code == 200
    assert participant.submit(path, prep="4").status_code == 200
    counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
    one, other = (
        rows(town.db, "select item, value, missing from answer where response = :id order by item", id=row["id"])
        for row in rows(town.db, "select id from response")
    )
    assert one == other
    assert "prep" in {row["item"] for row in one}


def test_the_texts_of_one_meeting_have_no_order(town: Town) -> None:
    """Neither that of sending nor that of the answers, whichever way they are looked at."""
    by_sending = []
    for round_ in range(8):
        meeting = town.meeting({Role.KIN: 10}, town.assignment(f"M-{round_}"))
        for person in range(10):
            send(town, town.rooms(meeting)[Role.KIN], f"{person}")
        counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
        kept = rows(town.db, "select wording from free_text where meeting = :m order by id", m=meeting.id)
        order = [int(row["wording"]) for row in kept]
        assert sorted(order) == list(range(10))
        by_sending.append(correlation(range(10), order))
    # Eight times ten in random order: a mean correlation of 0 with a standard deviation of 0.12.
    assert abs(mean(by_sending)) < 0.6


# The desk


def test_the_desk_shows_ten_at_a_time_and_the_next_when_those_are_read(db: Database) -> None:
    ids = sorted(lay(db, *(f"text {n}" for n in range(23))))
    assert [one.id for one in clearing.desk(db).readable] == ids[:10]
    clear_all(db, ids[:4])
    for one in ids[4:7]:
        clearing.withhold(db, one)
    found = clearing.desk(db)
    assert [one.id for one in found.readable] == ids[7:17]
    assert [one.id for one in found.cleared] == ids[:4]
    assert [one.id for one in found.withheld] == ids[4:7]
    assert (found.counts[R], found.counts[C], found.counts[W], found.lacking) == (16, 4, 3, 6)


def test_an_empty_desk_is_empty(db: Database) -> None:
    lay(db, "en text", state=G)
    found = clearing.desk(db)
    assert (found.readable, found.cleared, found.withheld, found.lacking) == ([], [], [], BATCH)


def test_a_text_can_be_cleared_as_it_is_or_changed_and_changed_again(db: Database) -> None:
    as_it_is, changed = lay(db, "Det var bra.", "Sara var dum.")
    assert clearing.clear(db, as_it_is, "Det var bra.") is None
    assert clearing.clear(db, changed, "  Läraren var dum. ") is None
    assert [texts.find(db, one) for one in (as_it_is, changed)] == [
        FreeText(as_it_is, "Det var bra.", False, C),
        FreeText(changed, "Läraren var dum.", False, C),
    ]
    clearing.clear(db, changed, "Någon var dum.")
    assert texts.find(db, changed) == FreeText(changed, "Någon var dum.", False, C)
    assert states(db) == {C: 2}


def test_one_can_think_better_of_what_was_cleared_or_withheld(db: Database) -> None:
    [one] = lay(db, "Det var bra.")
    clearing.withhold(db, one)
    assert states(db) == {W: 1}
    clearing.withhold(db, one)
    assert texts.find(db, one) == FreeText(one, "Det var bra.", False, W), "it is kept as it was"
    clearing.clear(db, one, "Det var bra.")
    assert states(db) == {C: 1}
    clearing.withhold(db, one)
    assert states(db) == {W: 1}
    clearing.clear(db, one, "Bra.")
    assert texts.find(db, one) == FreeText(one, "Bra.", False, C)


@pytest.mark.parametrize(
    ("wording", "reason"),
    [("", "text_empty"), (" \n\t\u00a0", "text_empty"), ("x" * (TEXT_LIMIT + 1), "text_long")],
    ids=["nothing", "spaces", "too long"],
)
@pytest.mark.parametrize("before", [R, C, W])
def test_what_cannot_be_shown_is_refused_and_changes_nothing(
    db: Database, wording: str, reason: str, before: TextState
) -> None:
    [one] = lay(db, "Det var bra.", state=before)
    there = contents(db)
    with pytest.raises(Refused) as refusal:
        clearing.clear(db, one, wording)
    assert refusal.value.reason == reason
    assert contents(db) == there


def test_the_longest_text_can_be_cleared(db: Database) -> None:
    [one] = lay(db, "kort")
    clearing.clear(db, one, "x" * TEXT_LIMIT)
    assert state(db, one) is C


def test_what_a_reader_writes_is_blanked_of_numbers_too(db: Database) -> None:
    [one] = lay(db, "Ring mig.")
    clearing.clear(db, one, "Ring 070-123 45 67 eller kim@example.se, 19900101-1234.")
    found = texts.find(db, one)
    assert found is not None
    assert found.wording == f"Ring {identifiers.BLANK} eller {identifiers.BLANK}, {identifiers.BLANK}."


def _ids_of_no_text(db: Database) -> dict[str, str]:
    [gathering] = lay(db, "en text", state=G)
    [readable] = lay(db, "en annan text")
    return {
        "gathering": gathering,
        "unknown": "0" * 32,
        "empty": "",
        "upper case": readable.upper() if readable != readable.upper() else "A" * 32,
        "longer": readable + "0",
        "a pattern": "%",
        "with a nul": readable + "\0",
        "an attack": f"{readable}' or '1'='1",
    }


def test_what_is_no_text_to_read_answers_as_unknown(writers: Writers) -> None:
    db = writers.db
    [locked, *_others] = writers.quarter("2026-01-10", 2)
    for name, one in (_ids_of_no_text(db) | {"locked": locked}).items():
        before = contents(db)
        told = set()
        for act in (lambda one=one: clearing.clear(db, one, "Bra."), lambda one=one: clearing.withhold(db, one)):
            with pytest.raises(NotFound) as refusal:
                act()
            told.add(str(refusal.value).replace(one, "ID") if one else "there is no text ID to read")
        assert told == {"there is no text ID to read"}, name
        assert contents(db) == before, name


def test_a_released_text_cannot_be_cleared_again(db: Database) -> None:
    ids = lay(db, *(f"text {n}" for n in range(BATCH)))
    clear_all(db, ids)
    with pytest.raises(NotFound):
        clearing.clear(db, ids[0], "något annat")
    assert states(db) == {OUT: BATCH}


# Released


def test_the_tenth_cleared_releases_exactly_ten(db: Database) -> None:
    ids = lay(db, *(f"text {n}" for n in range(25)))
    said = [clearing.clear(db, one, f"så {n}") for n, one in enumerate(ids[:21])]
    assert said == [*[None] * 9, 1, *[None] * 9, 2, None]
    assert states(db) == {R: 4, C: 1, OUT: 20}
    later, earlier = clearing.released(db, 9)
    assert (later.batch, earlier.batch) == (2, 1)
    assert {one.wording for one in earlier.texts} == {f"så {n}" for n in range(10)}
    assert {one.wording for one in later.texts} == {f"så {n}" for n in range(10, 20)}
    assert [one.batch for one in clearing.released(db, 1)] == [2]


def test_what_is_withheld_is_not_among_the_ten(db: Database) -> None:
    ids = lay(db, *(f"text {n}" for n in range(12)))
    clear_all(db, ids[:9])
    clearing.withhold(db, ids[0])
    clearing.withhold(db, ids[9])
    assert states(db) == {C: 8, W: 2, R: 2}
    clear_all(db, ids[10:])
    assert states(db) == {OUT: 10, W: 2}
    assert clearing.withheld(db) == 2
    [batch] = clearing.released(db, 9)
    assert {one.id for one in batch.texts} == {*ids[1:9], *ids[10:]}


def test_changing_a_cleared_text_ten_times_releases_nothing(db: Database) -> None:
    [one] = lay(db, "en text")
    assert [clearing.clear(db, one, f"så {n}") for n in range(12)] == [None] * 12
    assert states(db) == {C: 1}


def test_readers_who_clear_at_once_release_ten_and_ten(town: Town) -> None:
    ids = lay(town.db, *(f"text {n}" for n in range(20)))
    ready, released = threading.Barrier(4), list[int | None]()

    def read(mine: list[str]) -> None:
        with closing(town.house.connect()) as db:
            ready.wait()
            released.extend(clearing.clear(db, one, f"så {ids.index(one)}") for one in mine)

    threads = [threading.Thread(target=read, args=(ids[reader::4],)) for reader in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one for one in released if one) == [1, 2]
    assert len(released) == 20
    assert [len(one.texts) for one in clearing.released(town.db, 9)] == [10, 10]


def test_readers_who_clear_the_same_texts_at_once_release_them_once(town: Town) -> None:
    ids = lay(town.db, *(f"text {n}" for n in range(BATCH)))
    ready, said = threading.Barrier(4), list[object]()

    def read(reader: int) -> None:
        with closing(town.house.connect()) as db:
            ready.wait()
            for one in Random(reader).sample(ids, BATCH):
                try:
                    said.append(clearing.clear(db, one, f"så {ids.index(one)}"))
                except Exception as error:
                    said.append(type(error))

    threads = [threading.Thread(target=read, args=(reader,)) for reader in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(said) <= {None, 1, NotFound}
    assert said.count(1) == 1
    [batch] = clearing.released(town.db, 9)
    assert {one.wording for one in batch.texts} == {f"så {ids.index(one)}" for one in ids}


def test_a_batch_is_released_in_no_order_of_clearing_writing_or_counting(
    db: Database, figure: Callable[[str], None]
) -> None:
    """Texts come from three counts, are cleared as somebody pleases, and stand in the batch in neither order."""
    db.conn.execute("pragma synchronous = off")  # no power is cut here
    chance = Random(20261120)
    by_writing, by_clearing = [], []
    for _batch in range(_BATCHES):
        written = lay(db, *(f"{n}" for n in range(4)))
        written += lay(db, *(f"{n}" for n in range(4, 7)))
        written += lay(db, *(f"{n}" for n in range(7, 10)))
        cleared = chance.sample(written, BATCH)
        clear_all(db, cleared)
        [latest] = clearing.released(db, 1)
        shown = [one.id for one in latest.texts]
        assert sorted(shown) == sorted(written)
        by_writing.append(correlation(range(BATCH), [written.index(one) for one in shown]))
        by_clearing.append(correlation(range(BATCH), [cleared.index(one) for one in shown]))
    spread = 1 / (_BATCHES * (BATCH - 1)) ** 0.5  # of a mean of rank correlations in random order
    assert abs(mean(by_writing)) < 5 * spread
    assert abs(mean(by_clearing)) < 5 * spread
    figure(
        f"{_BATCHES} batches of texts: their order goes with that of writing to {mean(by_writing):+.3f} and with that "
        f"of clearing to {mean(by_clearing):+.3f}, by chance to {2 * spread:.3f}"
    )


def test_a_released_text_can_be_withheld_afterwards_and_released_again(db: Database) -> None:
    ids = lay(db, *(f"text {n}" for n in range(BATCH)))
    clear_all(db, ids)
    clearing.withhold(db, ids[3])
    assert states(db) == {OUT: 9, W: 1}
    assert texts.find(db, ids[3]) == FreeText(ids[3], "text 3", False, W)
    [batch] = clearing.released(db, 9)
    assert {one.id for one in batch.texts} == set(ids) - {ids[3]}
    assert clearing.withheld(db) == 1
    clearing.clear(db, ids[3], "text 3")
    clear_all(db, lay(db, *(f"ny {n}" for n in range(9))))
    assert [(one.batch, len(one.texts)) for one in clearing.released(db, 9)] == [(2, 10), (1, 9)]


# A child's words

_SAID = "Jag vill inte att de ska bråka när jag hör på"


@pytest.mark.parametrize(
    "wording",
    [
        _SAID,
        _SAID.upper(),
        "Barnet sa: " + _SAID,
        "de ska bråka när",
        "Barnet säger att de ska bråka när hen hör",
        "att\nde — ska, bråka!",
        "jag.vill.inte.att",
        "Ett barn: »när jag hör på«.",
    ],
)
@pytest.mark.parametrize("before", [R, W])
def test_a_childs_text_is_not_shown_in_the_childs_words(db: Database, wording: str, before: TextState) -> None:
    [one] = lay(db, _SAID, is_child=True, state=before)
    there = contents(db)
    with pytest.raises(Refused) as refusal:
        clearing.clear(db, one, wording)
    assert refusal.value.reason == "child_words"
    assert contents(db) == there


@pytest.mark.parametrize(
    ("said", "wording"),
    [
        (_SAID, "Ett barn önskar att vuxna låter bli att gräla så att det hörs."),
        (_SAID, "de ska bråka"),
        (_SAID, "jag vill inte. Barnet: de ska bråka. jag hör på"),
        ("Bra", "Barnet tyckte att det var bra."),
        ("Jag är rädd", "Barnet är rädd."),
        ("🙁", "Barnet var ledset."),
    ],
)
def test_a_childs_text_is_shown_retold(db: Database, said: str, wording: str) -> None:
    [one] = lay(db, said, is_child=True)
    clearing.clear(db, one, wording)
    assert texts.find(db, one) == FreeText(one, wording, True, C, retold=True)


@pytest.mark.parametrize(
    ("said", "wording"),
    [
        ("Bra", "bra!"),
        ("Jag är rädd", "Barnet: jag är rädd"),
        ("mamma grät", "”Mamma grät”"),
        ("🙁", "🙁"),
        ("🙁", "!"),
    ],
)
def test_a_childs_few_words_are_not_shown_whole(db: Database, said: str, wording: str) -> None:
    [one] = lay(db, said, is_child=True)
    with pytest.raises(Refused, match="child's own"):
        clearing.clear(db, one, wording)


def test_an_adults_text_is_shown_in_the_adults_words(db: Database) -> None:
    [one] = lay(db, _SAID)
    clearing.clear(db, one, _SAID)
    assert texts.find(db, one) == FreeText(one, _SAID, False, C)


def _words(alphabet: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.text(alphabet, min_size=1, max_size=6), min_size=4, max_size=12)


_CHILD = st.one_of(_words("abcåäö12"), _words("шжії"), _words("شمسق"), _words("ናኣበ"))
_READER = st.lists(st.text("xyzüXYZ", min_size=1, max_size=6), max_size=8)
_BETWEEN = st.sampled_from([" ", ", ", "\n", " — ", ". ", "! ", "...", " ”", "/", "\u00a0"])


@given(st.data())
def test_whatever_holds_four_of_a_childs_words_in_a_row_is_refused(db: Database, data: st.DataObject) -> None:
    said = data.draw(_CHILD)
    start = data.draw(st.integers(0, len(said) - 4))
    change = data.draw(st.sampled_from([str, str.upper, str.title, str.lower]))
    run = [change(word) for word in said[start : start + 4]]
    between = data.draw(_BETWEEN)
    [one] = lay(db, data.draw(_BETWEEN).join(said), is_child=True)
    with pytest.raises(Refused) as refusal:
        clearing.clear(db, one, between.join([*data.draw(_READER), *run, *data.draw(_READER)]))
    assert refusal.value.reason == "child_words"
    assert state(db, one) is R


@given(st.data())
def test_a_retelling_with_a_childs_words_here_and_there_is_accepted(db: Database, data: st.DataObject) -> None:
    """Up to three in a row; then a word that is the reader's."""
    said = data.draw(_CHILD)
    retold = ["barnet"]
    for _part in range(data.draw(st.integers(0, 4))):
        start = data.draw(st.integers(0, len(said) - 1))
        retold += said[start : start + data.draw(st.integers(1, 3))]
        retold += data.draw(_READER.filter(bool))
    wording = data.draw(_BETWEEN).join(retold)
    [one] = lay(db, " ".join(said), is_child=True)
    clearing.clear(db, one, wording)
    found = texts.find(db, one)
    assert found is not None
    assert (found.wording, found.is_child) == (identifiers.blanked(wording.strip()), True)


def test_a_childs_text_that_is_retold_already_may_be_put_better(db: Database) -> None:
    [one] = lay(db, _SAID, is_child=True)
    clearing.clear(db, one, "Barnet vill slippa höra vuxna gräla.")
    seen = clearing.mark("Barnet vill slippa höra vuxna gräla.")
    clearing.clear(db, one, "Barnet vill slippa höra vuxna gräla hemma.", seen)
    clearing.clear(db, one, "Barnet vill slippa höra vuxna gräla hemma.")
    assert texts.find(db, one) == FreeText(one, "Barnet vill slippa höra vuxna gräla hemma.", True, C, retold=True)


def test_a_childs_text_that_was_retold_and_withheld_may_keep_the_retelling(db: Database) -> None:
    [one] = lay(db, _SAID, is_child=True)
    clearing.clear(db, one, "Barnet vill slippa höra vuxna gräla.")
    clearing.withhold(db, one)
    clearing.clear(db, one, "Barnet vill slippa höra vuxna gräla.")
    assert states(db) == {C: 1}


def test_a_childs_words_do_not_come_back_from_a_page_that_was_open_before_it_was_retold(db: Database) -> None:
    [one] = lay(db, _SAID, is_child=True)
    clearing.clear(db, one, "Barnet vill slippa höra vuxna gräla.")
    with pytest.raises((Refused, NotFound)):
        clearing.clear(db, one, _SAID)


# What is gone


def _held(town: Town) -> bytes:
    """Every byte of every file."""
    return b"\n".join(file.read_bytes() for file in town.house.settings.instance.rglob("*") if file.is_file())


@pytest.mark.parametrize("is_child", [False, True])
def test_what_was_written_first_is_in_no_file_after_the_background_work(town: Town, is_child: bool) -> None:
    """Many long texts that become short make the file's pages merge, and parts of rows stay behind until it is written
    anew."""
    town.db.conn.execute("pragma synchronous = off")  # no power is cut here
    chance = Random(7)
    marks = [f"{chance.getrandbits(64):016x}" for _text in range(800)]
    ids = lay(town.db, *(f"{mark} " * chance.randint(1, 60) for mark in marks), is_child=is_child)
    held = _held(town)
    assert all(mark.encode() in held for mark in marks), "the search finds what is there"
    for number in chance.sample(range(len(ids)), len(ids)):
        clearing.clear(town.db, ids[number], f"så {number} " * chance.randint(1, 3))
    worker.work(town.house)
    held = _held(town)
    assert not [mark for mark in marks if mark.encode() in held]


def test_a_wording_that_was_mended_is_in_no_file_after_the_background_work(town: Town) -> None:
    [one] = lay(town.db, "Det var bra.")
    clearing.clear(town.db, one, "Enhetschefen Q7R2T9W4 lyssnade.")
    worker.work(town.house)
    assert b"Q7R2T9W4" in _held(town)
    clearing.clear(town.db, one, "Chefen lyssnade.")
    worker.work(town.house)
    assert b"Q7R2T9W4" not in _held(town)


# The audit log


def _log(db: Database, act: Act) -> list[tuple[str, str]]:
    return [(one.actor, one.record) for one in audit.latest(db, 999) if one.act == act]


def test_that_somebody_reads_is_noted_once_a_day_for_each_of_them(db: Database) -> None:
    clearing.desk(db, by="ulla")
    assert _log(db, Act.TEXTS_READ) == [], "there was nothing to read"
    [one] = lay(db, "en text")
    for _time in range(3):
        clearing.desk(db, by="ulla")
        clearing.desk(db, by="maj")
    clearing.desk(db)
    assert _log(db, Act.TEXTS_READ) == [("ulla", ""), ("maj", ""), (TERMINAL, "")]
    clearing.withhold(db, one)
    clearing.desk(db, by="eva")
    assert _log(db, Act.TEXTS_READ)[-1] == ("eva", ""), "what is withheld is read as well"


def test_that_somebody_reads_is_noted_again_on_another_day(db: Database) -> None:
    lay(db, "en text")
    clearing.desk(db, by="ulla")
    yesterday = replace(audit.latest(db, 1)[0], at="2020-01-01T23:59:59Z")
    db.execute("drop trigger audit_entry_stays")
    db.execute("update audit_entry set at = :at where number = :number", vars(yesterday))
    clearing.desk(db, by="ulla")
    assert _log(db, Act.TEXTS_READ) == [("ulla", "")] * 2


def test_what_readers_do_with_a_text_is_noted_and_never_what_it_says(db: Database) -> None:
    ids = lay(db, *(f"hemlig text {n}" for n in range(11)))
    clearing.withhold(db, ids[0], by="maj")
    clearing.clear(db, ids[1], "hemlig text 1", by="ulla")
    for one in ids[2:]:
        clearing.clear(db, one, f"öppen text {ids.index(one)}", by="ulla")
    assert _log(db, Act.TEXT_WITHHELD) == [("maj", ids[0])]
    assert _log(db, Act.TEXT_CLEARED) == [("ulla", ids[1])], "it is shown as it was written"
    assert _log(db, Act.TEXT_CHANGED) == [("ulla", one) for one in ids[2:]]
    assert _log(db, Act.TEXTS_RELEASED) == [("ulla", "batch 1")]
    assert "text" not in repr([one.record for one in audit.latest(db, 999)])
    assert list(audit.faults(db, set())) == []


def test_what_is_refused_is_not_noted(db: Database) -> None:
    [one] = lay(db, _SAID, is_child=True)
    before = audit.latest(db, 999)
    attempts: list[Callable[[], object]] = [
        lambda: clearing.clear(db, one, _SAID),
        lambda: clearing.clear(db, one, ""),
        lambda: clearing.clear(db, "0" * 32, "x"),
        lambda: clearing.withhold(db, "0" * 32),
    ]
    for attempt in attempts:
        with pytest.raises((Refused, NotFound)):
            attempt()
    assert audit.latest(db, 999) == before


# The whole way


def send(town: Town, link: OpenedLink, words: str, value: int = 4) -> None:
    """A form with an answer to every statement, and a text."""
    form = town.house.catalogue[link.questionnaire]
    said = {item.id: Answer(value=value) for item in form.closed_items} | {"words": Answer(text=words)}
    sheet = Submission(tokens.new_submission(), form.id, form.version, link.role, Stage.AFTER, "sv", said)
    answering.submit(town.db, town.house.keys, link.key, sheet, TODAY)


def test_a_text_goes_from_a_phone_to_everybody_without_its_number_and_its_meeting(town: Town) -> None:
    meetings: list[Meeting] = [
        town.meeting({Role.FAMILY: 6, Role.CHILD: 3}, town.assignment(f"M-{n}")) for n in range(2)
    ]
    for meeting, mark in zip(meetings, "XY", strict=True):
        rooms = town.rooms(meeting)
        for person in range(6):
            send(town, rooms[Role.FAMILY], f"{mark * 8} {person}: ring 070-123 45 67", 1 + person % 5)
        for child in range(3):
            send(town, rooms[Role.CHILD], f"{mark * 8} barn {child} har sagt någonting", 1 + child)
    after = town.at(date(2027, 1, 2))
    assert worker.work(after).published == ("2026-Q4", "2026")
    assert states(town.db) == {R: 18}
    chance = Random(5)
    while found := clearing.desk(town.db).readable:
        for one in chance.sample(found, len(found)):
            clearing.clear(town.db, one.id, f"Återgivet {one.id}" if one.is_child else one.wording[9:])
    assert states(town.db) == {OUT: 10, C: 8}
    [batch] = clearing.released(town.db, 9)
    adults = [one.wording for one in batch.texts if not one.is_child]
    assert all(wording.endswith(f": ring {identifiers.BLANK}") for wording in adults)
    worker.work(after)
    held = _held(town)
    assert held.count(b"XXXXXXXX") + held.count(b"YYYYYYYY") == 0
    assert b"123 45 67" not in held
