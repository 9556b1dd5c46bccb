"""Publishing: what is over and counted is published once, whatever does not fit is joined, and nothing ever changes."""

import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from random import Random
from sqlite3 import IntegrityError

import pytest
from sqlite_utils import Database

from enkat import inviting, publishing
from enkat.model.errors import StoreUnavailable
from enkat.model.meeting import Assignment, Kind, Meeting, MeetingState, Source
from enkat.model.result import PUBLISHED, Grain, Outcome, Quarter, Snapshot, Table, cells_of
from enkat.model.staff import Unit
from enkat.model.survey import Answer, Index, Item, ItemKind, Missing, Questionnaire, Response, Role, Stage
from enkat.publishing import Publication, clerk
from enkat.storage import meetings, questionnaires, responses, snapshots, staff
from enkat.storage.engine import number, rows, write
from tests.conftest import Town

#: What the people of a role say on every statement, each from 1 to 5; None is *vet inte*.
Said = Mapping[Role, Sequence[int | None]]

#: Two meetings after which everybody's month and role may be shown alone.
ONE_MEETING: Said = {Role.FAMILY: (5, 2), Role.KIN: (4, 2), Role.PROFESSIONAL: (3, 1)}
ANOTHER: Said = {Role.FAMILY: (4, 1), Role.KIN: (5, 3), Role.PROFESSIONAL: (5, 4)}

_FORM = {Role.FAMILY: "adult", Role.KIN: "adult", Role.CHILD: "child", Role.PROFESSIONAL: "professional"}


@dataclass
class Years:
    """The counted meetings of a municipality, written straight into the database."""

    town: Town
    works: dict[str, list[int]] = field(default_factory=dict)
    assignments: dict[str, Assignment] = field(default_factory=dict)

    @property
    def db(self) -> Database:
        return self.town.db

    def met(
        self,
        closes: str,
        said: Said,
        *,
        work: str = "",
        unit: Unit | None = None,
        source: Source = Source.SCHOOL,
        number: int | None = None,
        invited: Mapping[Role, int] | None = None,
        version: int = 1,
        is_open: bool = False,
    ) -> str:
        """A meeting with what was said after it; of an assignment of its own unless one is named. Its id."""
        with write(self.db):
            reference = work or f"M-{len(self.assignments)}"
            if reference not in self.assignments:
                chosen = Assignment(inviting.new_id(), reference, (unit or self.town.north).id, source)
                meetings.add_assignment(self.db, chosen)
                self.assignments[reference] = chosen
            taken = self.works.setdefault(reference, [])
            taken.append(number or max(taken, default=0) + 1)
            meeting = Meeting(
                id=inviting.new_id(),
                assignment=self.assignments[reference].id,
                number=taken[-1],
                kind=Kind.NETWORK_MEETING,
                held=date.fromisoformat(closes),
                closes=date.fromisoformat(closes),
                leader=None,
                public_key=b"k" * 32 if is_open else None,
                state=MeetingState.OPEN if is_open else MeetingState.COUNTED,
            )
            meetings.add_meeting(self.db, meeting)
            for role, values in said.items():
                meetings.set_invited(self.db, meeting.id, role, Stage.AFTER, len(values))
            for role, places in (invited or {}).items():
                meetings.set_invited(self.db, meeting.id, role, Stage.AFTER, places)
            everybody = [self._sheet(meeting.id, role, value, version) for role in said for value in said[role]]
            responses.put_all(self.db, everybody)
        return meeting.id

    def month(self, month: str, **more: object) -> None:
        """Two meetings with twelve answers of a month, four of each role; the mean is 56."""
        self.met(f"{month}-10", ONE_MEETING, **more)  # type: ignore[arg-type]
        self.met(f"{month}-20", ANOTHER, **more)  # type: ignore[arg-type]

    def quarter(self, quarter: str, **more: object) -> None:
        """Three such months."""
        for month in Quarter.read(quarter).months:
            self.month(month, **more)

    def publish(self, today: str, smallest: int = 5) -> Publication:
        return publishing.publish_due(self.db, smallest, date.fromisoformat(today))

    def rehearse(self, today: str) -> Publication:
        return publishing.rehearse(self.db, 5, date.fromisoformat(today))

    def change(self, sql: str, **values: object) -> None:
        """Something that staff or the background work might do to a row."""
        with write(self.db):
            self.db.execute(sql, values)

    def snapshots(self, *grains: Grain) -> list[Snapshot]:
        return snapshots.all_of(self.db, *(grains or Grain))

    def decided(self) -> dict[str, str]:
        """The outcome of every quarter and year of adults."""
        return {one.period: one.outcome for one in self.snapshots(Grain.QUARTER, Grain.YEAR)}

    def table(self, table: Table, index: Index = Index.PARTICIPATION) -> list[tuple[str, str, int, int, int]]:
        """The cells of a table: period, category, answers, meetings, mean."""
        found = cells_of(self.snapshots(), table, index)
        return [(cell.period, cell.category, cell.n, cell.meetings, cell.mean) for cell in found]

    def _sheet(self, meeting: str, role: Role, value: int | None, version: int) -> Response:
        form = self.town.house.catalogue[_FORM[role]]
        said = {item.id: _answer(item, value) for item in form.items}
        return Response(inviting.new_id() * 2, meeting, Stage.AFTER, role, form.id, version, "sv", said)


def _answer(item: Item, value: int | None) -> Answer:
    if value is None or item.kind is ItemKind.TEXT:
        return Answer(missing=Missing.UNKNOWN if value is None else Missing.SKIPPED)
    return Answer(value=value)


@pytest.fixture
def years(town: Town) -> Years:
    return Years(town)


def kept(db: Database) -> list[str]:
    """What is published, byte by byte."""
    return [line for line in db.conn.iterdump() if line.startswith(('INSERT INTO "cell', 'INSERT INTO "snapshot'))]


def drew(done: Publication) -> list[object]:
    """What a publication says, apart from the meetings that it found it in."""
    return [done.published, done.open, [(one.snapshot, one.joined, one.meetings) for one in done.decisions]]


# A quarter


def test_a_quarter_that_is_over_and_counted_is_published_once(years: Years) -> None:
    years.quarter("2026-Q1")
    done = years.publish("2026-04-01")
    assert done.published == ("2026-Q1",)
    assert years.table(Table.MONTH) == [(f"2026-0{month}", "all", 12, 2, 56) for month in (1, 2, 3)]
    assert years.table(Table.QUARTER_ROLE) == [
        ("2026-Q1", "family", 12, 6, 50),
        ("2026-Q1", "kin", 12, 6, 62),
        ("2026-Q1", "professional", 12, 6, 56),
    ]
    assert years.table(Table.MONTH, Index.USEFULNESS) == years.table(Table.MONTH)
    before = kept(years.db)
    assert years.publish("2026-04-01").decisions == ()
    assert years.publish("2026-05-01").decisions == ()
    assert kept(years.db) == before


def test_a_snapshot_tells_when_it_was_published_of_how_many_and_what_they_were_asked(years: Years) -> None:
    years.quarter("2026-Q1")
    years.publish("2026-04-03")
    [snapshot] = years.snapshots()
    assert (snapshot.grain, snapshot.period, snapshot.year) == (Grain.QUARTER, "2026-Q1", 2026)
    assert (snapshot.published, snapshot.n, snapshot.rate) == (date(2026, 4, 3), 36, 100)
    assert snapshot.forms == (("adult", 1), ("professional", 1))


def test_the_last_day_of_a_quarter_still_belongs_to_it(years: Years) -> None:
    years.met("2026-01-01", ONE_MEETING)
    years.met("2026-03-31", ANOTHER)
    years.met("2026-04-01", ANOTHER)
    assert years.publish("2026-03-31").decisions == ()
    assert years.publish("2026-04-01").published == ("2026-Q1",)
    assert sum(n for _period, _all, n, *_more in years.table(Table.MONTH)) == 12


def test_a_running_quarter_is_not_published(years: Years) -> None:
    years.quarter("2026-Q2")
    done = years.publish("2026-06-30")
    assert (done.decisions, done.open) == ((), ("2026-Q2", "2026"))
    assert kept(years.db) == []


def test_a_quarter_waits_for_a_meeting_that_is_not_counted(years: Years) -> None:
    years.quarter("2026-Q1")
    late = years.met("2026-03-31", {Role.KIN: ()}, is_open=True)
    years.quarter("2026-Q2")
    assert years.publish("2026-07-01").decisions == ()
    years.change("update meeting set state = 'counted', public_key = null where id = :late", late=late)
    assert years.publish("2026-07-01").published == ("2026-Q1", "2026-Q2")


def test_a_meeting_that_is_open_beyond_the_quarter_holds_nobody_up(years: Years) -> None:
    years.quarter("2026-Q1")
    years.met("2026-04-01", {}, is_open=True)
    done = years.publish("2026-04-01")
    assert (done.published, done.open) == (("2026-Q1",), ("2026-Q2", "2026"))


def test_nothing_is_decided_before_the_first_meeting(years: Years) -> None:
    assert years.publish("2026-11-20") == Publication((), ())
    years.quarter("2026-Q3")
    assert years.publish("2026-11-20").published == ("2026-Q3",)
    assert years.decided() == {"2026-Q3": "published"}, "no quarter before it is mentioned"


def test_a_quarter_without_meetings_is_empty_and_the_next_one_stands_alone(years: Years) -> None:
    years.quarter("2026-Q1")
    years.quarter("2026-Q3")
    assert years.publish("2026-10-01").published == ("2026-Q1", "2026-Q3")
    assert years.decided() == {"2026-Q1": "published", "2026-Q2": "empty", "2026-Q3": "published"}


def test_a_quarter_in_which_nobody_answered_is_joined_like_one_in_which_too_few_did(years: Years) -> None:
    """Else it would be told whether the only one who was invited has answered."""
    years.met("2026-02-01", {Role.FAMILY: (), Role.CHILD: (1, 2, 3)}, invited={Role.FAMILY: 4})
    years.quarter("2026-Q2")
    assert years.publish("2026-07-01").published == ("2026-Q1+2026-Q2",)
    assert years.decided() == {"2026-Q1": "joined", "2026-Q1+2026-Q2": "published"}


@pytest.mark.parametrize("answers", [(), (4,)], ids=["the child is silent", "the child has answered"])
def test_nothing_tells_whether_the_only_child_of_a_year_has_answered(years: Years, answers: tuple[int, ...]) -> None:
    years.quarter("2026-Q1")
    years.met("2026-02-01", {Role.FAMILY: (3, 4), Role.CHILD: answers}, invited={Role.FAMILY: 3, Role.CHILD: 1})
    done = years.publish("2027-01-01")
    of_children = [one.snapshot for one in done.decisions if one.snapshot.grain is Grain.CHILD_YEAR]
    assert [(one.outcome, one.n, one.rate, one.cells) for one in of_children] == [(Outcome.JOINED, 0, None, ())]
    assert done.open == ("2027",)


# A quarter that does not fit

FEW: dict[str, list[Said]] = {
    "a single meeting": [{Role.PROFESSIONAL: (5, 4, 3, 2, 1, 1)}],
    "four answers": [{Role.FAMILY: (5, 3)}, {Role.KIN: (1, 2)}],
    "one answer from outside the largest family": [{Role.FAMILY: (5, 4, 3, 2)}, {Role.FAMILY: (1,)}],
    "all alike": [{Role.FAMILY: (4, 4, 4, 4)}, {Role.FAMILY: (4, 4, 4, 4)}],
    "two unlike the rest": [{Role.FAMILY: (4, 4, 4, 4)}, {Role.FAMILY: (4, 4, 1, 2)}],
    "nobody knows": [{Role.FAMILY: (None,) * 5}, {Role.FAMILY: (None,) * 5}],
    "four who know": [{Role.FAMILY: (5, 4, None, None)}, {Role.FAMILY: (1, 2, None)}],
}


@pytest.mark.parametrize("said", FEW.values(), ids=FEW)
def test_a_quarter_that_does_not_fit_joins_the_next_months_and_all(years: Years, said: list[Said]) -> None:
    for one in said:
        years.met("2026-03-10", one)
    first = years.publish("2026-04-01")
    assert (first.published, first.open) == ((), ("2026-Q1", "2026"))
    assert years.decided() == {"2026-Q1": "joined"}
    assert (years.table(Table.MONTH), years.snapshots()[0].n, years.snapshots()[0].rate) == ([], 0, None)
    years.quarter("2026-Q2")
    assert years.publish("2026-07-01").published == ("2026-Q1+2026-Q2",)
    few = sum(len(values) for one in said for values in one.values())
    assert years.table(Table.MONTH)[0][:3] == ("2026-03+2026-04", "all", 12 + few)
    assert {cell[0] for cell in years.table(Table.QUARTER_ROLE)} == {"2026-Q1+2026-Q2"}
    assert sum(cell[2] for cell in years.table(Table.QUARTER_ROLE)) == 36 + few


def test_two_meetings_of_one_family_are_not_shown_alone(years: Years) -> None:
    years.met("2026-01-10", ONE_MEETING, work="M-1")
    years.met("2026-02-10", ANOTHER, work="M-1")
    assert years.publish("2026-04-01").published == ()
    years.met("2026-05-10", {Role.KIN: (3, 2)}, work="M-2")
    assert years.publish("2026-07-01").published == ("2026-Q1+2026-Q2",)


def test_a_quarter_waits_through_a_quarter_without_answers(years: Years) -> None:
    years.met("2026-01-10", {Role.KIN: (1, 2, 3, 4)})
    years.quarter("2026-Q3")
    assert years.publish("2026-10-01").published == ("2026-Q1+2026-Q2+2026-Q3",)
    assert years.decided() == {
        "2026-Q1": "joined",
        "2026-Q2": "joined",
        "2026-Q1+2026-Q2+2026-Q3": "published",
    }


def test_a_joined_quarter_counts_in_the_year_of_the_one_it_joined(years: Years) -> None:
    years.quarter("2026-Q3")
    years.met("2026-12-10", {Role.KIN: (1, 2, 3, 4)})
    done = years.publish("2027-01-01")
    assert (done.published, done.open) == (("2026-Q3", "2026"), ("2026-Q4", "2027"))
    assert [cell[2] for cell in years.table(Table.YEAR_UNIT)] == [36], "published without its last quarter"
    years.quarter("2027-Q1")
    years.quarter("2027-Q4")
    assert years.publish("2028-01-01").published == ("2026-Q4+2027-Q1", "2027-Q4", "2027")
    assert years.table(Table.MONTH)[3][:3] == ("2026-12+2027-01", "all", 16)
    for table in (Table.YEAR_UNIT, Table.YEAR_SOURCE, Table.YEAR_NUMBER):
        assert [(cell[0], cell[2]) for cell in years.table(table)] == [("2026", 36), ("2027", 76)]


def test_a_year_in_which_no_quarter_fits_has_no_tables_of_its_own(years: Years) -> None:
    for closes in ("2026-02-10", "2026-05-10", "2026-08-10", "2026-11-10"):
        years.met(closes, {Role.KIN: (2,)})
    done = years.publish("2027-01-01")
    assert (done.published, done.open) == ((), ("2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4", "2027"))
    years.quarter("2027-Q1")
    assert years.publish("2027-04-01").published == ("2026-Q1+2026-Q2+2026-Q3+2026-Q4+2027-Q1",)
    assert years.publish("2028-01-01").published == ("2027",)
    assert [(cell[0], cell[2]) for cell in years.table(Table.YEAR_UNIT)] == [("2027", 40)]


# A month, a role


def test_months_that_do_not_fit_are_joined_with_the_next_and_the_last_with_the_one_before(years: Years) -> None:
    years.met("2026-01-10", {Role.FAMILY: (1, 5)})
    years.month("2026-02")
    years.met("2026-03-10", {Role.PROFESSIONAL: (2, 2)})
    done = years.publish("2026-04-01")
    assert [cell[:3] for cell in years.table(Table.MONTH)] == [("2026-01+2026-02+2026-03", "all", 16)]
    [decision] = done.decisions
    together = [group for table, *group in decision.joined if table is Table.MONTH]
    assert together == [[("2026-01", "2026-02", "2026-03"), True]]


def test_kin_who_are_few_are_shown_with_the_family_and_a_meeting_of_both_counts_once(years: Years) -> None:
    for _meeting in range(3):
        years.met("2026-02-10", {Role.FAMILY: (5, 1), Role.KIN: (3,), Role.PROFESSIONAL: (2, 4, 5)})
    years.publish("2026-04-01")
    assert [cell[1:4] for cell in years.table(Table.QUARTER_ROLE)] == [("family+kin", 9, 3), ("professional", 9, 3)]


def test_a_professional_who_is_alone_is_not_shown_alone(years: Years) -> None:
    years.month("2026-01")
    years.change("delete from answer where response in (select id from response where role = 'professional')")
    years.change("delete from response where role = 'professional'")
    years.met("2026-03-10", {Role.PROFESSIONAL: (1,)})
    years.publish("2026-04-01")
    assert [cell[1:3] for cell in years.table(Table.QUARTER_ROLE)] == [("family+kin+professional", 9)]


def test_a_municipality_may_raise_the_smallest_group(years: Years) -> None:
    years.met("2026-01-10", ONE_MEETING)
    years.met("2026-02-10", {Role.KIN: (1,)})
    assert years.publish("2026-04-01", smallest=8).published == ()
    years.met("2026-05-10", {Role.KIN: (5,)})
    assert years.publish("2026-07-01", smallest=8).published == ("2026-Q1+2026-Q2",)
    assert {cell.n for one in years.snapshots() for cell in one.cells} == {8}


# A year


def test_a_year_is_published_with_its_last_quarter_by_unit_source_and_number(years: Years) -> None:
    for ordinal in (1, 2):
        years.quarter("2026-Q1", unit=years.town.south, source=Source.HEALTH, number=ordinal)
    for quarter in ("2026-Q2", "2026-Q3", "2026-Q4"):
        years.quarter(quarter)
    assert years.publish("2026-10-01").published == ("2026-Q1", "2026-Q2", "2026-Q3")
    assert years.publish("2027-01-01").published == ("2026-Q4", "2026")
    assert years.table(Table.YEAR_UNIT) == [("2026", "Norr", 108, 18, 56), ("2026", "Söder", 72, 12, 56)]
    assert years.table(Table.YEAR_SOURCE) == [("2026", "school", 108, 18, 56), ("2026", "health", 72, 12, 56)]
    assert years.table(Table.YEAR_NUMBER) == [("2026", "1", 144, 24, 56), ("2026", "2", 36, 6, 56)]


def test_a_year_is_published_also_when_its_last_quarter_had_no_meetings(years: Years) -> None:
    years.quarter("2026-Q1")
    assert years.publish("2027-01-01").published == ("2026-Q1", "2026")
    assert [cell[:3] for cell in years.table(Table.YEAR_UNIT)] == [("2026", "Norr", 36)]


def test_a_quarter_that_joins_within_the_year_counts_in_it(years: Years) -> None:
    years.met("2026-01-10", {Role.KIN: (1, 2)})
    years.quarter("2026-Q2")
    assert years.publish("2027-01-01").published == ("2026-Q1+2026-Q2", "2026")
    assert [cell[2] for cell in years.table(Table.YEAR_UNIT)] == [38]


def test_a_small_team_is_shown_with_its_district_rather_than_with_a_smaller_one(years: Years) -> None:
    brunna = Unit(inviting.new_id(), "Brunna", years.town.south.id)
    with write(years.db):
        staff.add_unit(years.db, brunna)
    years.quarter("2026-Q1", unit=years.town.south)
    years.month("2026-05", unit=years.town.north)
    years.met("2026-05-20", {Role.FAMILY: (5, 1)}, unit=brunna)
    years.publish("2027-01-01")
    assert [cell[1:3] for cell in years.table(Table.YEAR_UNIT)] == [("Brunna+Söder", 38), ("Norr", 12)]


def test_a_unit_that_is_renamed_or_moved_changes_nothing_that_is_published(years: Years) -> None:
    years.quarter("2026-Q1")
    years.quarter("2026-Q2", unit=years.town.south)
    years.publish("2027-01-01")
    before = kept(years.db)
    years.change("update unit set name = 'Nordost' where id = :north", north=years.town.north.id)
    years.change("update unit set parent = :north where name = 'Söder'", north=years.town.north.id)
    years.change("update assignment set unit = :north", north=years.town.north.id)
    years.change("delete from unit where name = 'Söder'")
    assert years.publish("2027-01-02").decisions == ()
    years.quarter("2027-Q1")
    years.publish("2028-01-01")
    assert set(before) < set(kept(years.db))
    assert [cell[:3] for cell in years.table(Table.YEAR_UNIT)] == [
        ("2026", "Norr", 36),
        ("2026", "Söder", 36),
        ("2027", "Nordost", 36),
    ]


# Children


def test_children_are_published_by_year_and_are_in_no_other_total(years: Years) -> None:
    years.quarter("2026-Q1")
    years.met("2026-02-10", {Role.CHILD: (5, 4, 2)}, invited={Role.CHILD: 6})
    years.met("2026-11-10", {Role.CHILD: (1, 3, 2)}, invited={Role.CHILD: 6})
    assert years.publish("2026-10-01").published == ("2026-Q1",)
    assert years.table(Table.YEAR_CHILD) == []
    assert years.publish("2027-01-01").published == ("2026",)
    assert years.table(Table.YEAR_CHILD) == [("2026", "child", 6, 2, 46)]
    for table in set(Table) - {Table.YEAR_CHILD}:
        assert sum(cell[2] for cell in years.table(table)) == 36, table
    adults, [children] = years.snapshots(Grain.QUARTER)[0], years.snapshots(Grain.CHILD_YEAR)
    assert (adults.rate, adults.forms) == (100, (("adult", 1), ("professional", 1))), "no child lowers the adults' rate"
    assert (children.n, children.rate, children.forms) == (6, 50, (("child", 1),))


def test_a_year_with_few_children_joins_the_next(years: Years) -> None:
    years.met("2026-02-10", {Role.CHILD: (5, 4)})
    years.met("2026-03-10", {Role.CHILD: (1, 2)})
    years.met("2027-02-10", {Role.CHILD: (3,)})
    assert years.publish("2027-01-01").published == ()
    assert years.publish("2028-01-01").published == ("2026+2027",)
    assert years.table(Table.YEAR_CHILD) == [("2026+2027", "child", 5, 3, 50)]
    assert {one.outcome for one in years.snapshots(Grain.QUARTER)} == {Outcome.EMPTY}
    years.quarter("2028-Q1")
    years.publish("2029-01-01")
    assert [one.outcome for one in years.snapshots(Grain.CHILD_YEAR)] == ["joined", "published", "empty"]


def test_children_whose_quarter_joined_the_next_year_still_count_in_their_own(years: Years) -> None:
    years.met("2026-11-10", {Role.KIN: (3,), Role.CHILD: (5, 4, 1)})
    years.met("2026-12-10", {Role.CHILD: (1, 2, 5)})
    assert years.publish("2027-01-01").published == ("2026",)
    assert years.decided() == {"2026-Q4": "joined"}
    assert [cell[:3] for cell in years.table(Table.YEAR_CHILD)] == [("2026", "child", 6)]


# Questionnaires


def shortened(form: Questionnaire) -> Questionnaire:
    """The next version, with three points instead of five."""
    return replace(form, version=2, points=form.points[:3])


def test_every_answer_is_scored_by_its_own_version(years: Years) -> None:
    with write(years.db):
        questionnaires.remember(years.db, shortened(years.town.house.catalogue["adult"]))
    for _meeting in range(2):
        years.met("2026-01-10", {Role.FAMILY: (3, 2, 1)}, version=1)
        years.met("2026-02-10", {Role.FAMILY: (3, 2, 1)}, version=2)
    years.publish("2026-04-01")
    assert years.table(Table.MONTH) == [("2026-01", "all", 6, 2, 25), ("2026-02", "all", 6, 2, 50)]
    assert years.snapshots()[0].forms == (("adult", 1), ("adult", 2))


def test_an_answer_to_an_unknown_version_counts_without_a_score(years: Years) -> None:
    years.quarter("2026-Q1")
    years.met("2026-01-10", {Role.FAMILY: (1, 1, 1)}, version=9)
    assert years.publish("2026-04-01").published == ("2026-Q1",)
    assert years.table(Table.MONTH)[0] == ("2026-01", "all", 15, 3, 56)
    assert ("adult", 9) in years.snapshots()[0].forms
    years.quarter("2026-Q2", version=9)
    assert years.publish("2026-07-01").published == (), "none of them has a score"


def test_an_answer_with_half_of_the_statements_has_a_score_and_one_with_fewer_has_none(years: Years) -> None:
    years.month("2026-01")
    few = years.met("2026-01-10", {Role.FAMILY: (1, 1)})
    years.change(
        """delete from answer where item in ('safe', 'say', 'influence')
            and response in (select id from response where meeting = :few)""",
        few=few,
    )
    years.publish("2026-04-01")
    assert years.table(Table.MONTH) == [("2026-01", "all", 14, 3, 56)]
    assert years.table(Table.MONTH, Index.USEFULNESS) == [("2026-01", "all", 14, 3, 48)]


# Response rates


@pytest.mark.parametrize(("invited", "rate"), [(0, 100), (6, 100), (8, 75), (9, 65), (10, 60), (100, 5), (400, 0)])
def test_a_response_rate_is_rounded_to_five_and_never_above_a_hundred(years: Years, invited: int, rate: int) -> None:
    for said in (ONE_MEETING, ANOTHER):
        years.met("2026-01-10", said, invited={Role.FAMILY: invited, Role.KIN: 0, Role.PROFESSIONAL: 0})
    years.publish("2026-04-01")
    assert years.snapshots()[0].rate == rate


def test_a_meeting_with_more_answers_than_places_hides_no_empty_places_of_another(years: Years) -> None:
    for said in (ONE_MEETING, ANOTHER):
        years.met("2026-01-10", said, invited={Role.FAMILY: 0, Role.KIN: 0, Role.PROFESSIONAL: 0})
    years.met("2026-01-10", {Role.KIN: ()}, invited={Role.KIN: 12})
    years.publish("2026-04-01")
    assert years.snapshots()[0].rate == 50


# Clocks


def test_a_meeting_that_is_counted_late_goes_into_the_next_quarter_and_its_first_month(years: Years) -> None:
    years.quarter("2026-Q3")
    years.publish("2026-10-01")
    before = kept(years.db)
    years.met("2026-08-10", ONE_MEETING)
    assert years.publish("2026-10-01").open == ("2026-Q3", "2026")
    years.quarter("2026-Q4")
    done = years.publish("2027-01-01")
    assert (done.published, done.open) == (("2026-Q4", "2026"), ())
    assert [cell[:3] for cell in years.table(Table.MONTH)[3:]] == [
        ("2026-10", "all", 18),
        ("2026-11", "all", 12),
        ("2026-12", "all", 12),
    ]
    assert [cell[2] for cell in years.table(Table.YEAR_UNIT)] == [78]
    assert set(before) < set(kept(years.db))


def test_a_meeting_of_a_published_year_goes_into_the_next_year(years: Years) -> None:
    years.quarter("2026-Q4")
    years.publish("2027-01-01")
    years.met("2026-12-10", {Role.FAMILY: (1, 2, 3), Role.CHILD: (1, 2, 3)})
    years.met("2027-02-10", {Role.CHILD: (1, 2, 3)})
    assert years.publish("2027-01-02").open == ("2026-Q4", "2027-Q1", "2027")
    years.quarter("2027-Q1")
    assert years.publish("2028-01-01").published == ("2027-Q1", "2027")
    assert [(cell[0], cell[2]) for cell in years.table(Table.YEAR_UNIT)] == [("2026", 36), ("2027", 39)]
    assert [cell[:3] for cell in years.table(Table.YEAR_CHILD)] == [("2027", "child", 6)]


def test_a_clock_before_the_last_published_quarter_changes_nothing(years: Years) -> None:
    years.quarter("2026-Q1")
    years.quarter("2026-Q2")
    years.publish("2026-07-01")
    before = kept(years.db)
    years.met("2025-05-10", ONE_MEETING)
    for today in ("2020-01-01", "2026-04-01", "2026-06-30", "2026-09-30"):
        assert years.publish(today).decisions == ()
    assert kept(years.db) == before


# Whoever publishes


def test_several_who_publish_at_once_publish_once(years: Years) -> None:
    for quarter in ("2026-Q1", "2026-Q2", "2026-Q4"):
        years.quarter(quarter)
    ready, found = threading.Barrier(4), list[object]()

    def publish() -> None:
        with closing(years.town.house.connect()) as db:
            ready.wait()
            try:
                done = publishing.publish_due(db, 5, date(2027, 1, 1))
                found.append([one.snapshot.period for one in done.decisions])
            except Exception as error:
                found.append(error)

    threads = [threading.Thread(target=publish) for _publisher in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(isinstance(one, list) for one in found), found
    everything = [period for one in found for period in one]  # type: ignore[attr-defined]
    assert sorted(everything) == ["2026", "2026", "2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4"], "the year's two parts"
    assert [cell[2] for cell in years.table(Table.YEAR_UNIT)] == [108]


def test_a_publication_that_is_cut_short_leaves_nothing_and_is_made_up_for(years: Years) -> None:
    years.quarter("2026-Q4")
    before = list(years.db.conn.iterdump())
    years.db.execute("""create temp trigger power_cut before insert on main.snapshot when new.grain = 'child_year'
        begin select raise(abort, 'the power was cut'); end""")
    with pytest.raises(IntegrityError, match="power was cut"):
        years.publish("2027-01-01")
    assert list(years.db.conn.iterdump()) == before
    years.db.execute("drop trigger power_cut")
    assert years.publish("2027-01-01").published == ("2026-Q4", "2026")


def test_a_meeting_that_is_counted_while_a_quarter_is_worked_out_is_not_lost(years: Years) -> None:
    years.quarter("2026-Q1")
    late = years.met("2026-04-10", ONE_MEETING)
    years.db.execute(f"""create temp trigger somebody before insert on main.snapshot
        begin update meeting set closes = '2026-03-31' where id = '{late}'; end""")
    with pytest.raises(StoreUnavailable, match="2026-Q1 was worked out; try again"):
        years.publish("2026-04-01")
    assert kept(years.db) == []
    years.db.execute("drop trigger somebody")
    years.change("update meeting set closes = '2026-03-31' where id = :late", late=late)
    years.publish("2026-04-01")
    assert years.snapshots()[0].n == 42


# Any history


def lived(years: Years, seed: int, busy: float = 1.0) -> None:
    """Two years and a half of small meetings, many of them of few families, some of which nobody answered."""
    chance = Random(seed)
    for quarter in Quarter(2025, 2).until(Quarter(2027, 3)):
        for _meeting in range(chance.choice([0, 1, 2, 3, 5]) if busy >= 1 else chance.choice([0, 0, 1])):
            said = {role: chance.choices([None, 1, 2, 3, 4, 5], k=chance.randint(0, 2)) for role in Role}
            years.met(
                f"{chance.choice(quarter.months)}-{chance.randint(1, 28):02}",
                said,
                work=f"W-{chance.randint(1, 12)}",
                source=chance.choice(list(Source)),
                unit=chance.choice([years.town.north, years.town.south, years.town.municipality]),
            )


@pytest.mark.parametrize(("seed", "busy"), [(1, 1), (2, 1), (3, 0), (4, 0)])
def test_a_rehearsal_says_what_publishing_does_and_changes_nothing(years: Years, seed: int, busy: float) -> None:
    lived(years, seed, busy)
    years.publish("2025-10-01")
    years.met("2025-05-10", {Role.FAMILY: (1, 2), Role.CHILD: (3,)})
    before = list(years.db.conn.iterdump())
    rehearsed = years.rehearse("2027-12-31")
    assert list(years.db.conn.iterdump()) == before
    assert len(rehearsed.decisions) > 8
    assert drew(years.publish("2027-12-31")) == drew(rehearsed)
    assert years.rehearse("2027-12-31").decisions == ()


@pytest.mark.parametrize(("seed", "busy"), [(5, 1), (6, 0)])
def test_whoever_publishes_late_publishes_the_same(years: Years, seed: int, busy: float) -> None:
    lived(years, seed, busy)
    late = years.rehearse("2028-01-01").decisions
    for quarter in Quarter(2025, 3).until(Quarter(2028, 1)):
        years.publish(quarter.first.isoformat())
    found = {(one.grain, one.period): one for one in years.snapshots()}
    assert len(found) == len(late)
    for one in late:
        in_time = found[one.snapshot.grain, one.snapshot.period]
        assert replace(in_time, published=date.max, cells=()) == replace(one.snapshot, published=date.max, cells=())
        assert set(in_time.cells) == set(one.snapshot.cells)


@pytest.mark.parametrize(("seed", "busy"), [(7, 1), (8, 1), (9, 0)])
def test_every_answer_is_in_every_total_exactly_once(years: Years, seed: int, busy: float) -> None:
    lived(years, seed, busy)
    years.quarter("2027-Q4")
    years.month("2027-12")
    years.met("2027-12-10", {Role.CHILD: (1, 2, 3, 4)})
    years.met("2027-12-10", {Role.CHILD: (1, 2, 3, 4)})
    years.publish("2028-01-01")
    adults = number(years.db, "select count(*) from response where role <> 'child'")
    children = number(years.db, "select count(*) from response where role = 'child'")
    for index in PUBLISHED:
        for table in Table:
            whole = children if table is Table.YEAR_CHILD else adults
            assert sum(cell[2] for cell in years.table(table, index)) == whole, (table, index)
    quarters, by_year = years.snapshots(Grain.QUARTER), years.snapshots(Grain.YEAR)
    for year in by_year:
        assert sum(one.n for one in quarters if one.year == year.year) == year.n
    assert rows(years.db, "select id from meeting where published is null or children_published is null") == []
    assert all(cell.n >= 5 and cell.meetings >= 2 for one in years.snapshots() for cell in one.cells)


def test_the_order_of_answers_and_their_random_numbers_change_nothing(years: Years) -> None:
    lived(years, 11)
    one = years.rehearse("2028-01-01")
    chance = Random(12)
    with write(years.db):
        years.db.execute("pragma defer_foreign_keys = on")
        for row in rows(years.db, "select id from response"):
            new = f"{chance.getrandbits(128):032x}"
            years.db.execute("update response set id = :new where id = :id", row | {"new": new})
            years.db.execute("update answer set response = :new where response = :id", row | {"new": new})
        for row in rows(years.db, "select id from meeting"):
            new = f"{chance.getrandbits(64):016x}"
            for table, column in (("meeting", "id"), ("invited", "meeting"), ("response", "meeting")):
                years.db.execute(f"update {table} set {column} = :new where {column} = :id", row | {"new": new})
    assert drew(years.rehearse("2028-01-01")) == drew(one)


def test_more_meetings_than_are_read_at_a_time_are_all_read(years: Years, monkeypatch: pytest.MonkeyPatch) -> None:
    lived(years, 13)
    at_once = years.rehearse("2028-01-01")
    monkeypatch.setattr(clerk, "_BATCH", 2)
    assert drew(years.rehearse("2028-01-01")) == drew(at_once)


# What was found by those who tried to break it


def test_the_name_of_a_cell_does_not_tell_whether_the_only_relative_answered(years: Years) -> None:
    """One relative was invited in the whole quarter; with or without their answer the cell has the same name."""
    invited = {Role.FAMILY: 4, Role.KIN: 1, Role.PROFESSIONAL: 4}
    names = {}
    for quarter, kin in (("2026-01-10", (3,)), ("2026-04-10", ())):
        years.met(quarter, {Role.FAMILY: (5, 2, 4), Role.KIN: kin, Role.PROFESSIONAL: (3, 1)}, invited=invited)
        years.met(quarter[:8] + "20", {Role.FAMILY: (4, 1, 2), Role.PROFESSIONAL: (5, 4, 3)}, invited={Role.KIN: 0})
    years.publish("2026-07-01")
    for period, category, *_figures in years.table(Table.QUARTER_ROLE):
        names.setdefault(period, []).append(category)
    assert names["2026-Q1"] == names["2026-Q2"] == ["family+kin", "professional"]


def test_a_role_that_nobody_was_invited_in_is_not_named(years: Years) -> None:
    for day in ("2026-01-10", "2026-02-10", "2026-03-10"):
        years.met(day, {Role.FAMILY: (5, 2, 4), Role.PROFESSIONAL: (3, 1, 5)})
    years.publish("2026-04-01")
    assert [category for _period, category, *_figures in years.table(Table.QUARTER_ROLE)] == ["family", "professional"]


def test_a_month_in_which_nobody_answered_is_shown_with_the_next(years: Years) -> None:
    years.met("2026-01-10", {}, invited={Role.FAMILY: 2})
    years.month("2026-02")
    years.month("2026-03")
    years.publish("2026-04-01")
    assert [cell[0] for cell in years.table(Table.MONTH)] == ["2026-01+2026-02", "2026-03"]


def test_one_day_with_the_clock_decades_ahead_settles_only_the_year_that_has_begun(years: Years) -> None:
    years.quarter("2026-Q1")
    years.publish("2099-01-05")
    assert list(years.decided()) == ["2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4", "2026"]
    years.quarter("2027-Q2")
    assert years.publish("2027-07-01").published == ("2027-Q2",)


def test_a_year_that_no_longer_fits_under_a_raised_smallest_group_is_shown_with_the_next(years: Years) -> None:
    years.quarter("2026-Q1")
    years.publish("2026-04-01")
    years.publish("2027-01-01", smallest=60)
    assert years.decided()["2026"] == Outcome.JOINED
    years.quarter("2027-Q1")
    assert years.publish("2028-01-01").published == ("2027-Q1", "2026+2027")
    assert years.table(Table.YEAR_UNIT) == [("2026+2027", "Norr", 72, 12, 56)]


def test_what_is_still_to_come_names_the_year_that_has_begun(years: Years) -> None:
    years.quarter("2026-Q1")
    assert years.publish("2026-04-01").open == ("2026",)


def test_whoever_publishes_is_told_how_many_meetings_hold_it_up(years: Years) -> None:
    years.quarter("2026-Q1")
    years.met("2026-02-15", {}, invited={Role.KIN: 2}, is_open=True)
    done = years.publish("2026-04-01")
    assert (done.decisions, done.uncounted, done.open) == ((), 1, ("2026-Q1", "2026"))


def test_quarters_that_wait_for_the_next_are_named(years: Years) -> None:
    years.met("2026-01-10", {Role.FAMILY: (5, 4, 3, 1)})
    assert years.publish("2026-04-01").waiting == ("2026-Q1",)


@pytest.mark.parametrize(
    ("today", "quarter", "is_over"),
    [("2026-05-01", "2026-Q2", False), ("2026-07-03", "2026-Q2", True), ("2031-05-05", "2026-Q2", True)],
)
def test_the_outlook_names_the_next_quarter_and_whether_it_only_waits(
    years: Years, today: str, quarter: str, is_over: bool
) -> None:
    years.quarter("2026-Q1")
    years.publish("2026-04-01")
    years.met("2026-05-05", {}, invited={Role.KIN: 2}, is_open=True)
    seen = publishing.outlook(years.db, date.fromisoformat(today))
    assert (str(seen.quarter), seen.is_over) == (quarter, is_over)


def test_after_years_without_meetings_the_next_quarter_is_the_one_that_runs(years: Years) -> None:
    years.quarter("2026-Q1")
    years.publish("2030-05-01")
    seen = publishing.outlook(years.db, date(2030, 5, 1))
    assert (str(seen.quarter), seen.is_over, seen.day, seen.year_day) == (
        "2030-Q2",
        False,
        date(2030, 7, 1),
        date(2031, 1, 1),
    )
