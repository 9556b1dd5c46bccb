"""After publishing: texts leave their meetings with their quarter, answers with their year; what is published stays."""

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from random import Random

import pytest
from sqlite_utils import Database

from enkat import answering, cli, counting, severing, worker
from enkat.model.audit import BACKGROUND, TERMINAL, Act
from enkat.model.result import Table
from enkat.model.survey import Answer, Role, Stage, Submission
from enkat.model.text import BATCH, FreeText, TextState
from enkat.secrecy import tokens
from enkat.settings import Settings
from enkat.severing import Severed
from enkat.storage import audit, meetings, texts
from enkat.storage.engine import number, rows, write
from tests.conftest import TODAY, Town
from tests.inspection import InspectingClient, Page
from tests.test_publishing import Said, Years, kept

FAMILIES: Said = {Role.FAMILY: (5, 2, 3), Role.KIN: (4,)}
CHILDREN: Said = {Role.CHILD: (5, 4, 2)}


@dataclass
class Lives(Years):
    """Counted meetings with how many answers they had and with what was written, as a count leaves them."""

    def met(self, closes: str, said: Said, *, wrote: int = 0, drew: int = 0, **more: object) -> str:  # type: ignore[override]
        """`wrote` of the adults and `drew` of the children have left some words."""
        meeting = super().met(closes, said, **more)  # type: ignore[arg-type]
        with write(self.db):
            self.db.execute(
                "update meeting set answers = (select count(*) from response where meeting = :m) where id = :m",
                {"m": meeting},
            )
            found = [FreeText(tokens.new_submission(), f"said {n}", is_child=n < drew) for n in range(wrote + drew)]
            texts.lock_all(self.db, meeting, found)
        return meeting

    def sever(self) -> Severed:
        return severing.sever(self.db)

    def settle(self, today: str) -> Severed:
        """Publish what is due, and cut."""
        self.publish(today)
        return self.sever()

    def tied(self, *roles: Role) -> set[str]:
        """The meetings that answers of some roles still belong to."""
        found = rows(self.db, "select meeting, role from response where meeting is not null")
        return {row["meeting"] for row in found if row["role"] in (roles or list(Role))}

    def locked(self) -> set[str]:
        """The meetings that texts still belong to."""
        return {row["meeting"] for row in rows(self.db, "select meeting from free_text where meeting is not null")}


@pytest.fixture
def lives(town: Town) -> Lives:
    return Lives(town)


def belonging(db: Database, to: str) -> dict[str, str]:
    """Each answer's meeting, or its cluster."""
    return {row["id"]: row[to] for row in rows(db, f"select id, {to} from response where {to} is not null")}


def together(belongs: Mapping[str, str]) -> set[frozenset[str]]:
    """The answers that belong together."""
    groups = defaultdict(set)
    for response, where in belongs.items():
        groups[where].add(response)
    return {frozenset(group) for group in groups.values()}


def of_roles(db: Database, *roles: Role) -> set[str]:
    return {row["id"] for row in rows(db, "select id, role from response") if row["role"] in roles}


def severed(db: Database) -> list[str]:
    """Whose answers the audit log says were cut off, of a few meetings at a time."""
    return [one.record for one in audit.latest(db, 10_000) if one.act == Act.RESPONSES_SEVERED]


# Texts


def test_texts_leave_their_meeting_when_its_quarter_is_published_and_not_before(lives: Lives) -> None:
    lives.quarter("2026-Q1")
    spring = {lives.met(f"2026-03-{day}", FAMILIES, wrote=1) for day in (30, 31)}
    summer = lives.met("2026-04-01", FAMILIES, wrote=1)
    assert lives.settle("2026-03-31") == Severed(0, 0)
    assert lives.locked() == spring | {summer}
    assert lives.settle("2026-04-01") == Severed(0, 2)
    assert lives.locked() == {summer}
    assert texts.counts(lives.db)[TextState.GATHERING] == 2
    assert lives.sever() == Severed(0, 0)


def test_texts_of_a_quarter_that_joins_the_next_wait_for_that(lives: Lives) -> None:
    few = {lives.met(f"2026-02-{day}", {Role.KIN: (1,)}, wrote=1) for day in (10, 11)}
    assert lives.settle("2026-04-01") == Severed(0, 0)
    assert lives.locked() == few
    lives.quarter("2026-Q2")
    assert lives.settle("2026-07-01") == Severed(0, 2)
    assert lives.locked() == set()


def test_a_childs_text_leaves_its_meeting_with_the_childrens_year(lives: Lives) -> None:
    lives.quarter("2026-Q1")
    lives.met("2026-02-10", CHILDREN | {Role.KIN: (2,)}, wrote=1, drew=1)
    lives.met("2026-02-11", {Role.KIN: (2,)}, wrote=1)
    lives.met("2026-11-10", CHILDREN, drew=2)
    assert lives.settle("2026-04-01") == Severed(0, 2)
    assert {row["is_child"] for row in rows(lives.db, "select is_child from free_text where meeting is not null")} == {
        1
    }
    assert lives.settle("2027-01-01").texts == 3
    assert lives.locked() == set()


def test_texts_gather_until_ten_can_be_read_together(lives: Lives) -> None:
    lives.quarter("2026-Q1")
    lives.met("2026-01-15", FAMILIES, wrote=BATCH - 2)
    lives.met("2026-01-16", FAMILIES, wrote=1)
    assert lives.settle("2026-04-01") == Severed(0, BATCH - 1)
    assert texts.counts(lives.db)[TextState.READABLE] == 0
    lives.quarter("2026-Q2")
    lives.met("2026-04-15", FAMILIES, wrote=1)
    lives.met("2026-04-16", FAMILIES, wrote=1)
    assert lives.settle("2026-07-01") == Severed(0, 2)
    assert texts.counts(lives.db)[TextState.READABLE] == BATCH + 1


def test_texts_of_one_assignment_alone_wait_for_anothers(lives: Lives) -> None:
    """However many: whoever reads them would know whose they are."""
    lives.quarter("2026-Q1")
    many = lives.met("2026-01-15", FAMILIES, wrote=BATCH + 2)
    assert lives.settle("2026-04-01") == Severed(0, 0)
    assert lives.locked() == {many}
    lives.quarter("2026-Q2")
    lives.met("2026-04-15", FAMILIES, wrote=1)
    assert lives.settle("2026-07-01") == Severed(0, BATCH + 3)
    assert texts.counts(lives.db)[TextState.READABLE] == BATCH + 3


def test_a_text_that_has_left_says_nothing_of_where_it_came_from(lives: Lives) -> None:
    lives.quarter("2026-Q1")
    lives.met("2026-01-15", FAMILIES, wrote=2)
    lives.met("2026-01-16", FAMILIES, wrote=1)
    before = {row["id"]: row["wording"] for row in rows(lives.db, "select id, wording from free_text")}
    lives.settle("2026-04-01")
    after = rows(lives.db, "select * from free_text")
    assert {row["id"]: row["wording"] for row in after} == before
    assert {tuple(sorted(row)) for row in after} == {
        ("batch", "id", "is_child", "meeting", "retold", "state", "wording")
    }
    assert {(row["meeting"], row["batch"], row["is_child"]) for row in after} == {(None, None, 0)}


# Answers


def test_adults_answers_leave_their_meeting_when_the_year_is_published_and_not_before(lives: Lives) -> None:
    for quarter in ("2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4"):
        lives.month(f"2026-{3 * int(quarter[-1]):02}")
    all_of_them = lives.tied()
    for today in ("2026-04-01", "2026-07-01", "2026-10-01", "2026-12-31"):
        assert lives.settle(today) == Severed(0, 0)
        assert lives.tied() == all_of_them
    assert lives.settle("2027-01-01") == Severed(len(all_of_them), 0)
    assert lives.tied() == set()
    assert severed(lives.db) == ["adults"]


def test_only_the_year_that_is_published_is_cut(lives: Lives) -> None:
    lives.quarter("2026-Q4")
    old = lives.tied()
    lives.quarter("2027-Q1")
    new = lives.tied() - old
    assert lives.settle("2027-04-01") == Severed(len(old), 0)
    assert lives.tied() == new
    assert lives.settle("2028-01-01") == Severed(len(new), 0)


def test_childrens_answers_leave_when_their_year_is_published(lives: Lives) -> None:
    """Their year may be published without the adults', and the adults' without theirs."""
    lives.met("2026-11-10", {Role.KIN: (3,)} | CHILDREN)
    lives.met("2026-12-10", CHILDREN)
    lives.publish("2027-01-01")
    assert lives.decided() == {"2026-Q4": "joined"}
    lives.sever()
    assert (len(lives.tied(Role.CHILD)), len(lives.tied(Role.KIN))) == (0, 1)


def test_adults_answers_leave_while_the_childrens_year_waits_for_more(lives: Lives) -> None:
    lives.quarter("2026-Q4")
    both = lives.met("2026-12-10", {Role.KIN: (3,), Role.CHILD: (5, 4)})
    lives.settle("2027-01-01")
    assert lives.tied() == {both}
    assert set(of_roles(lives.db, Role.CHILD)) == set(belonging(lives.db, "meeting"))
    lives.met("2027-02-10", CHILDREN)
    lives.settle("2028-01-01")
    assert lives.tied() == set()
    assert len(together(belonging(lives.db, "cluster"))) == 6 + 1 + 2


def test_a_year_that_joins_the_next_waits_for_it(lives: Lives) -> None:
    lives.quarter("2026-Q1")
    lives.publish("2026-04-01")
    lives.publish("2027-01-01", smallest=60)
    assert lives.decided()["2026"] == "joined"
    assert lives.sever() == Severed(0, 0)
    lives.quarter("2027-Q1")
    assert lives.settle("2027-04-01") == Severed(0, 0)
    assert len(lives.tied()) == 12
    assert lives.settle("2028-01-01") == Severed(12, 0)
    assert lives.table(Table.YEAR_UNIT)[0][:3] == ("2026+2027", "Norr", 72)


def test_a_quarter_that_joins_the_next_year_is_cut_with_that(lives: Lives) -> None:
    lives.quarter("2026-Q3")
    few = lives.met("2026-12-10", {Role.KIN: (1, 2, 3, 4)})
    lives.settle("2027-01-01")
    assert lives.tied() == {few}
    lives.quarter("2027-Q1")
    lives.settle("2027-04-01")
    assert few in lives.tied()
    lives.settle("2028-01-01")
    assert lives.tied() == set()


def test_a_meeting_that_is_counted_late_is_published_and_cut_all_the_same(lives: Lives) -> None:
    lives.quarter("2026-Q4")
    lives.settle("2027-01-01")
    before = kept(lives.db)
    late = lives.met("2026-12-10", {Role.FAMILY: (1, 2, 3), Role.CHILD: (1, 2, 3)}, wrote=1)
    lives.met("2027-02-10", CHILDREN, wrote=1)
    assert lives.settle("2027-01-02") == Severed(0, 0)
    lives.quarter("2027-Q1")
    assert lives.settle("2027-04-01") == Severed(0, 2)
    assert late in lives.tied()
    assert lives.settle("2028-01-01").meetings == 6 + 3
    assert lives.tied() == set()
    assert [(cell[0], cell[2]) for cell in lives.table(Table.YEAR_UNIT)] == [("2026", 36), ("2027", 39)]
    assert [cell[:3] for cell in lives.table(Table.YEAR_CHILD)] == [("2027", "child", 6)]
    assert set(before) < set(kept(lives.db))


# Clusters


def a_year(lives: Lives) -> None:
    """Twelve months of meetings large and small, with children in some of them."""
    chance = Random(7)
    for month in range(1, 13):
        lives.month(f"2026-{month:02}")
        said = {role: [chance.randint(1, 5) for _person in range(chance.randint(0, 4))] for role in Role}
        lives.met(f"2026-{month:02}-15", said, wrote=1)


def test_answers_that_shared_a_meeting_share_a_cluster_and_no_others_do(lives: Lives) -> None:
    a_year(lives)
    was = belonging(lives.db, "meeting")
    children = of_roles(lives.db, Role.CHILD)
    lives.settle("2027-01-01")
    now = belonging(lives.db, "cluster")
    assert set(now) == set(was)
    for group in (children, set(was) - children):
        assert len(group) > 10
        assert together({one: now[one] for one in group}) == together({one: was[one] for one in group})
    assert not {now[one] for one in children} & {now[one] for one in set(was) - children}, "a number of their own"


def test_a_clusters_number_is_random(lives: Lives) -> None:
    a_year(lives)
    lives.settle("2027-01-01")
    numbers = set(belonging(lives.db, "cluster").values())
    assert len(numbers) > 36
    assert all(len(one) == 16 and int(one, 16) >= 0 for one in numbers)
    bits = "".join(f"{int(one, 16):064b}" for one in numbers)
    assert 0.4 < bits.count("1") / len(bits) < 0.6


def test_nothing_else_of_an_answer_changes(lives: Lives) -> None:
    a_year(lives)

    def said() -> list[object]:
        columns = "id, stage, role, questionnaire, version, language"
        return [
            rows(lives.db, f"select {columns} from response order by id"),
            rows(lives.db, "select * from answer order by response, item"),
        ]

    lives.change("update response set language = 'other' where id < '8'")
    before = said()
    lives.settle("2027-01-01")
    assert said() == before
    assert rows(lives.db, "select * from response where meeting is null") != []


def test_what_is_published_does_not_change_when_answers_are_cut_off(lives: Lives) -> None:
    a_year(lives)
    lives.publish("2027-01-01")
    before = kept(lives.db)
    assert lives.sever().meetings > 30
    assert kept(lives.db) == before
    for today in ("2027-01-01", "2027-03-31"):
        assert lives.publish(today).decisions == ()
    lives.quarter("2027-Q1")
    lives.settle("2028-01-01")
    assert set(before) < set(kept(lives.db))
    assert [(cell[0], cell[2]) for cell in lives.table(Table.YEAR_UNIT)][-1] == ("2027", 36), "nobody is in two years"


def test_a_cut_that_comes_late_cuts_no_less(lives: Lives) -> None:
    """Published by an earlier enkat, or while the background work was stopped for years."""
    lives.quarter("2025-Q4")
    lives.quarter("2026-Q4")
    lives.quarter("2027-Q1")
    lives.publish("2027-04-01")
    assert lives.sever() == Severed(12, 0)
    assert len(lives.tied()) == 6


# What a copy tells


def places(db: Database, values: set[str]) -> set[tuple[str, str]]:
    """The tables and columns in which any of some values stands, whole or in a part of something."""
    found = set()
    for table in (row["name"] for row in rows(db, "select name from sqlite_master where type = 'table'")):
        for row in rows(db, f"select * from {table}"):
            for column, held in row.items():
                text = held.decode("latin-1") if isinstance(held, bytes) else str(held)
                text += held.hex() if isinstance(held, bytes) else ""
                if any(value in text for value in values):
                    found.add((table, column))
    return found


def test_in_a_copy_taken_afterwards_nothing_joins_an_answer_to_its_meeting(lives: Lives) -> None:
    a_year(lives)
    met, was = set(belonging(lives.db, "meeting").values()), set(belonging(lives.db, "meeting"))
    assert places(lives.db, met) >= {("response", "meeting"), ("meeting", "id")}, "the search finds what is there"
    lives.settle("2027-01-01")
    lives.settle("2027-01-02")
    assert places(lives.db, set(belonging(lives.db, "cluster").values())) == {("response", "cluster")}
    assert places(lives.db, was) == {("response", "id"), ("answer", "response")}
    assert places(lives.db, met) == {("meeting", "id"), ("invited", "meeting")}
    assert places(lives.db, {row["id"] for row in rows(lives.db, "select id from free_text")}) == {("free_text", "id")}


def test_in_a_copy_no_order_tells_which_cluster_was_which_meeting(lives: Lives) -> None:
    """Meetings are cut off in the order of their ids; the numbers they get are in no order."""
    chance = Random(1)
    for _meeting in range(40):
        lives.met(f"2026-{chance.randint(1, 12):02}-10", {Role.KIN: (chance.randint(1, 5),)})
    was = belonging(lives.db, "meeting")
    lives.settle("2027-01-01")
    now = belonging(lives.db, "cluster")
    cluster_of = {was[response]: cluster for response, cluster in now.items()}
    in_order = [cluster_of[meeting] for meeting in sorted(cluster_of)]
    assert len(in_order) == 40
    assert in_order != sorted(in_order)
    rising = sum(one < other for one, other in pairwise(in_order))
    assert 8 <= rising <= 31, "of 39 pairs of neighbours, 20 give or take 2 rise by chance"


def test_the_log_does_not_tell_for_good_whether_a_child_has_answered(lives: Lives) -> None:
    """Two meetings to which the same people were invited: of one the child has answered, of the other it has not."""
    invited = {Role.KIN: 2, Role.CHILD: 1}
    lives.quarter("2026-Q4")
    answered = lives.met("2026-12-10", {Role.KIN: (1, 2), Role.CHILD: (4,)}, invited=invited)
    silent = lives.met("2026-12-10", {Role.KIN: (1, 2), Role.CHILD: ()}, invited=invited)
    lives.met("2026-12-10", CHILDREN | {Role.KIN: ()})
    lives.met("2026-12-10", CHILDREN | {Role.KIN: ()})
    lives.settle("2027-01-01")
    assert severed(lives.db) == ["adults", "children"]
    told = [one.act for one in audit.latest(lives.db, 10_000) if one.record in (answered, silent)]
    assert told == []
    known = rows(lives.db, "select answers from meeting where id in (:a, :s)", a=answered, s=silent)
    assert [row["answers"] for row in known] == [None, None]


def answers_of_three_meetings(town: Town) -> list[str]:
    """Three meetings really answered, by two of the family and two children each; their ids."""
    found = []
    for reference in ("M-1", "M-2", "M-3"):
        meeting = town.meeting({Role.FAMILY: 2, Role.CHILD: 2}, town.assignment(reference))
        for role, values in ((Role.FAMILY, (5, 2)), (Role.CHILD, (4, 1))):
            form = town.house.catalogue.default(role)
            for value in values:
                said = {item.id: Answer(value=value) for item in form.items if item.kind != "text"}
                said["words"] = Answer(text=f"{role} {value} words of {reference}")
                sent = Submission(tokens.new_submission(), form.id, form.version, role, Stage.AFTER, "sv", said)
                answering.submit(town.db, town.house.keys, town.rooms(meeting)[role].key, sent, TODAY)
        found.append(meeting.id)
    return found


def test_in_the_file_no_answer_stands_beside_its_meeting_any_more(town: Town) -> None:
    """An answer's row holds its id and its meeting's side by side; what is left of such rows is looked for."""
    answers_of_three_meetings(town)
    worker.work(town.at(TODAY + timedelta(days=15)))
    tied = [*belonging(town.db, "meeting").items()]
    tied += [(row["id"], row["meeting"]) for row in rows(town.db, "select id, meeting from free_text")]
    assert len(tied) == 24
    # In the tables' rows, and in those of the indexes by meeting.
    pairs = [f"{one}{meeting}".encode() for one, meeting in tied] + [
        f"{meeting}{one}".encode() for one, meeting in tied
    ]
    file = town.house.settings.database
    assert all(pair in file.read_bytes() for pair in pairs), "the search finds what is there"
    assert worker.work(town.at(date(2027, 1, 1))).published == ("2026-Q4", "2026")
    held = b"".join(one.read_bytes() for one in town.house.settings.instance.rglob("*") if one.is_file())
    assert [pair for pair in pairs if pair in held] == []


def test_a_cut_asks_for_the_file_to_be_written_anew(lives: Lives) -> None:
    """That no page happened to be split would be luck."""
    lives.quarter("2026-Q1")
    for day in (15, 16):
        lives.met(f"2026-01-{day}", FAMILIES, wrote=1)
    for today, cut in (("2026-04-01", Severed(0, 2)), ("2027-01-01", Severed(8, 0))):
        lives.publish(today)
        lives.change("pragma user_version = 0")
        assert lives.sever() == cut
        assert number(lives.db, "pragma user_version") == 1


def test_the_background_work_cuts_in_the_round_in_which_it_publishes(town: Town) -> None:
    answers_of_three_meetings(town)
    worker.work(town.at(date(2027, 1, 1)))
    assert number(town.db, "select count(*) from response where cluster is not null") == 12
    assert number(town.db, "select count(*) from free_text where meeting is not null") == 0
    assert severed(town.db) == ["adults", "children"]
    actors = {one.actor for one in audit.latest(town.db, 100) if one.act == Act.RESPONSES_SEVERED}
    assert actors == {BACKGROUND}


def test_whoever_publishes_at_the_terminal_cuts_too(
    lives: Lives, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives.quarter("2026-Q4")
    monkeypatch.setenv("ENKAT_INSTANCE", str(settings.instance))
    monkeypatch.setenv("ENKAT_TODAY", "2027-01-01")
    for arguments, left in ((["publish", "--dry-run"], 6), (["publish"], 0)):
        with pytest.raises(SystemExit, match="0"):
            cli.main(arguments)
        assert len(lives.tied()) == left
    assert {one.actor for one in audit.latest(lives.db, 6)} == {TERMINAL}


# What the coordinator sees


def test_how_many_had_answered_is_forgotten_on_the_coordinators_page(
    lives: Lives, coordinator: InspectingClient
) -> None:
    lives.quarter("2026-Q4")
    meeting = lives.met("2026-12-10", FAMILIES | {Role.CHILD: (4, 3)})
    empty = lives.met("2026-12-11", {Role.KIN: ()}, invited={Role.KIN: 4})
    lives.publish("2027-01-01")
    pages = f"/staff/meetings/{meeting}", "/staff"
    before = [" ".join(Page(coordinator.get(page).text).text.split()) for page in pages]
    assert "6 svar räknade, av 6 bjudna." in before[0]
    assert "6 svar räknade" in before[1]
    lives.sever()
    assert lives.tied() == {meeting}, "its children's wait for more, and the page is not to tell"
    after = [" ".join(Page(coordinator.get(page).text).text.split()) for page in pages]
    assert "Hur många svar mötet hade är glömt" in after[0]
    assert not [page for page in after if "6 svar" in page]
    found = meetings.overview(lives.db, meeting)
    assert found is not None
    assert (found.responses, found.progress.invited, found.progress.answered) == (None, 6, 0)
    assert "0 svar" not in Page(coordinator.get(f"/staff/meetings/{empty}").text).text, "nor that nobody answered"


# Cut short


def test_a_cut_that_is_broken_off_leaves_all_of_a_write_or_nothing_and_is_finished_later(
    lives: Lives, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(severing, "_AT_ONCE", 3)
    for _month in range(4):
        lives.quarter("2026-Q4")
    everybody = lives.tied()
    was = belonging(lives.db, "meeting")
    lives.publish("2027-01-01")
    lives.db.execute("""create temp trigger power_cut before update on main.response
        when (select count(*) from audit_entry where act = 'responses.severed') >= 2
        begin select raise(abort, 'the power was cut'); end""")
    with pytest.raises(sqlite3.IntegrityError, match="power was cut"):
        lives.sever()
    assert len(lives.tied()) == len(everybody) - 6
    assert severed(lives.db) == ["adults"] * 2
    for meeting in everybody:
        forgotten = number(lives.db, "select answers is null from meeting where id = :meeting", meeting=meeting)
        assert forgotten == (meeting not in lives.tied())
    lives.db.execute("drop trigger power_cut")
    assert lives.sever() == Severed(len(everybody) - 6, 0)
    assert set(severed(lives.db)) == {"adults"}
    assert together(belonging(lives.db, "cluster")) == together(was)


@pytest.mark.parametrize("table", ["response", "meeting", "audit_entry"])
def test_a_meeting_is_cut_off_with_everything_or_not_at_all(lives: Lives, table: str) -> None:
    lives.quarter("2026-Q4")
    lives.publish("2027-01-01")
    before = list(lives.db.conn.iterdump())
    verb = "insert" if table == "audit_entry" else "update"
    # The last of the six, which one entry tells of: what was done to the others is taken back with it.
    last = 1 if table == "audit_entry" else 6
    lives.db.execute("create temp table done (one integer)")
    lives.db.execute(f"""create temp trigger power_cut after {verb} on main.{table} begin
        insert into done values (1); select case when (select count(*) from done) >= {last}
        then raise(abort, 'the power was cut') end; end""")
    with pytest.raises(sqlite3.IntegrityError, match="power was cut"):
        lives.sever()
    assert list(lives.db.conn.iterdump()) == before
    lives.db.execute("drop trigger power_cut")
    assert lives.sever() == Severed(6, 0)


def test_texts_that_could_not_leave_do_so_the_next_time(lives: Lives) -> None:
    lives.quarter("2026-Q1")
    lives.met("2026-01-15", FAMILIES, wrote=BATCH - 1)
    lives.met("2026-01-16", FAMILIES, wrote=1)
    lives.publish("2026-04-01")
    lives.db.execute("""create temp trigger power_cut before update on main.free_text when new.state = 'readable'
        begin select raise(abort, 'the power was cut'); end""")
    with pytest.raises(sqlite3.IntegrityError, match="power was cut"):
        lives.sever()
    assert texts.counts(lives.db)[TextState.LOCKED] == BATCH
    lives.db.execute("drop trigger power_cut")
    assert lives.sever() == Severed(0, BATCH)
    assert texts.counts(lives.db)[TextState.READABLE] == BATCH


def test_several_who_cut_at_once_give_each_meeting_one_number(lives: Lives) -> None:
    a_year(lives)
    was = belonging(lives.db, "meeting")
    children = of_roles(lives.db, Role.CHILD)
    lives.publish("2027-01-01")
    ready, found = threading.Barrier(4), list[object]()

    def sever() -> None:
        with closing(lives.town.house.connect()) as db:
            ready.wait()
            try:
                found.append(severing.sever(db))
            except Exception as error:
                found.append(error)

    threads = [threading.Thread(target=sever) for _cutter in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(isinstance(one, Severed) for one in found), found
    now = belonging(lives.db, "cluster")
    adults = set(was) - children
    assert set(now) == set(was)
    assert together({one: now[one] for one in adults}) == together({one: was[one] for one in adults})
    assert number(lives.db, "select count(*) from free_text where meeting is not null") == 0


def test_a_round_with_nothing_to_cut_leaves_the_file_as_it_is(lives: Lives) -> None:
    a_year(lives)
    lives.settle("2027-01-01")
    file = lives.town.house.settings.database
    before = file.stat().st_mtime_ns, file.read_bytes()
    assert lives.settle("2027-01-02") == Severed(0, 0)
    assert (file.stat().st_mtime_ns, file.read_bytes()) == before


# The schema


@pytest.mark.parametrize(
    "sql",
    [
        "update response set cluster = '0123456789abcdef' where meeting is not null",
        "update response set meeting = null where cluster is null",
        "update response set cluster = null where meeting is null",
        "update response set cluster = 'short' where meeting is null",
        "update free_text set meeting = null where state = 'locked'",
        "update free_text set state = 'gathering' where meeting is not null",
    ],
)
def test_an_answer_belongs_to_a_meeting_or_a_cluster_and_a_text_to_a_meeting_or_nothing(lives: Lives, sql: str) -> None:
    lives.quarter("2026-Q4")
    lives.met("2026-12-10", FAMILIES, wrote=1)
    lives.settle("2027-01-01")
    lives.met("2027-02-10", FAMILIES, wrote=1)
    with pytest.raises(sqlite3.IntegrityError), write(lives.db):
        lives.db.execute(sql)


def test_a_counted_meeting_that_nobody_answered_is_not_cut_off(town: Town) -> None:
    meeting = town.meeting()
    counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
    worker.work(town.at(date(2027, 1, 1)))
    assert severed(town.db) == []
