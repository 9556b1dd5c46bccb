"""Snapshots and questionnaires as they are kept: whole, for good, and the first version of what was asked."""

from dataclasses import replace
from datetime import date
from random import Random
from sqlite3 import IntegrityError

import pytest
from sqlite_utils import Database

from enkat.house import House
from enkat.model.result import Cell, Grain, Outcome, Snapshot, Table, cells_of
from enkat.model.survey import Index
from enkat.storage import questionnaires, snapshots
from enkat.storage.engine import number, write

DAY = date(2027, 1, 1)
MONTHS = ("2026-10", "2026-11")


def cell(table: Table, periods: tuple[str, ...], *categories: str, index: Index = Index.PARTICIPATION) -> Cell:
    return Cell(table, periods, categories, index, n=12, meetings=5, mean=60, low=48, high=72)


QUARTER = Snapshot(
    Grain.QUARTER,
    ("2026-Q3", "2026-Q4"),
    2026,
    Outcome.PUBLISHED,
    DAY,
    n=24,
    rate=45,
    forms=(("adult", 1), ("adult", 2), ("professional", 1)),
    cells=(
        cell(Table.MONTH, MONTHS, "all"),
        cell(Table.MONTH, MONTHS, "all", index=Index.USEFULNESS),
        cell(Table.MONTH, ("2026-12",), "all"),
        cell(Table.QUARTER_ROLE, ("2026-Q3", "2026-Q4"), "family", "kin"),
        replace(cell(Table.QUARTER_ROLE, ("2026-Q3", "2026-Q4"), "professional"), low=None, high=None, mean=0, n=5),
    ),
)
WAITING = Snapshot(Grain.QUARTER, ("2026-Q3",), 2026, Outcome.JOINED, date(2026, 10, 1))
EMPTY = Snapshot(Grain.QUARTER, ("2026-Q2",), 2026, Outcome.EMPTY, date(2026, 7, 1))
YEAR = Snapshot(
    Grain.YEAR,
    ("2026",),
    2026,
    Outcome.PUBLISHED,
    DAY,
    24,
    45,
    (("adult", 1),),
    (cell(Table.YEAR_UNIT, ("2026",), "Å+Ö"),),
)
CHILDREN = Snapshot(Grain.CHILD_YEAR, ("2026",), 2026, Outcome.JOINED, DAY)


def put(db: Database, *given: Snapshot) -> None:
    with write(db):
        for one in given:
            snapshots.put(db, one)


@pytest.mark.parametrize(
    "snapshot", [QUARTER, WAITING, EMPTY, YEAR, CHILDREN], ids=lambda one: f"{one.grain} {one.period}"
)
def test_a_snapshot_comes_back_as_it_was_put(db: Database, snapshot: Snapshot) -> None:
    put(db, snapshot)
    assert snapshots.all_of(db, *Grain) == [snapshot]
    assert snapshots.all_of(db, snapshot.grain) == [snapshot]
    assert snapshots.outcomes(db) == [replace(snapshot, cells=())]


@pytest.mark.parametrize("seed", range(3))
def test_snapshots_come_in_order_of_time_whatever_the_order_they_were_put_in(db: Database, seed: int) -> None:
    too_few = replace(WAITING, periods=("2026-Q4",))
    whole = replace(QUARTER, periods=("2026-Q3", "2026-Q4", "2027-Q1"))
    later = replace(EMPTY, periods=("2027-Q2",))
    mixed = [later, whole, too_few, WAITING, EMPTY]
    Random(seed).shuffle(mixed)
    put(db, *mixed)
    assert snapshots.all_of(db, Grain.QUARTER) == [EMPTY, WAITING, too_few, whole, later]
    assert [one.periods[-1] for one in snapshots.outcomes(db)] == [
        "2026-Q2",
        "2026-Q3",
        "2026-Q4",
        "2027-Q1",
        "2027-Q2",
    ]


def test_only_the_grains_that_were_asked_for_are_read(db: Database) -> None:
    put(db, QUARTER, YEAR, CHILDREN)
    assert snapshots.all_of(db, Grain.YEAR) == [YEAR]
    assert set(snapshots.all_of(db, Grain.YEAR, Grain.CHILD_YEAR)) == {YEAR, CHILDREN}
    assert snapshots.all_of(db) == []


def test_a_unit_whose_name_holds_a_plus_is_not_two(db: Database) -> None:
    joined = replace(YEAR, cells=(cell(Table.YEAR_UNIT, ("2026",), "Å+Ö"), cell(Table.YEAR_UNIT, ("2026",), "Å", "Ö")))
    put(db, joined)
    found = cells_of(snapshots.all_of(db, Grain.YEAR), Table.YEAR_UNIT, Index.PARTICIPATION)
    assert sorted(one.categories for one in found) == [("Å", "Ö"), ("Å+Ö",)]
    assert {one.category for one in found} == {"Å+Ö"}


@pytest.mark.parametrize("again", [QUARTER, replace(QUARTER, cells=()), replace(QUARTER, rate=50, cells=())])
def test_a_snapshot_is_put_once(db: Database, again: Snapshot) -> None:
    put(db, QUARTER)
    with pytest.raises(IntegrityError):
        put(db, again)
    assert snapshots.all_of(db, *Grain) == [QUARTER]


@pytest.mark.parametrize(
    "sql",
    [
        "update snapshot set rate = 50",
        "update snapshot set published = '2027-01-02'",
        "delete from snapshot",
        "update cell set mean = 61",
        "update cell set n = n",
        "delete from cell where table_name = 'month'",
        """insert into cell select grain, snapshot, table_name, period, '["more"]', index_name, n, meetings, mean, low,
            high from cell limit 1""",
        """insert or replace into snapshot
            select grain, period, year, 'empty', published, 0, null, '[]' from snapshot""",
        """insert or replace into cell select grain, snapshot, table_name, period, category, index_name, n, meetings,
            mean, null, null from cell""",
    ],
)
def test_what_is_published_never_changes(db: Database, sql: str) -> None:
    put(db, QUARTER)
    with pytest.raises(IntegrityError, match="what is published never changes"), write(db):
        db.execute(sql)
    assert snapshots.all_of(db, *Grain) == [QUARTER]


def test_a_snapshot_whose_write_fails_is_not_there_in_part(db: Database) -> None:
    with pytest.raises(IntegrityError, match="CHECK"):
        put(db, replace(QUARTER, cells=(*QUARTER.cells, replace(QUARTER.cells[0], periods=("2026-09",), n=4))))
    assert number(db, "select (select count(*) from cell) + (select count(*) from snapshot)") == 0


# Questionnaires


def test_the_house_keeps_every_questionnaire_that_it_offers(house: House, db: Database) -> None:
    offered = {(form.id, form.version): form for form in house.catalogue}
    assert len(offered) >= 4
    assert questionnaires.all_versions(db) == offered


def test_the_version_that_was_first_seen_stays(house: House, db: Database) -> None:
    form = house.catalogue["adult"]
    with write(db):
        questionnaires.remember(db, replace(form, title="Något annat", points=form.points[:3]))
    assert questionnaires.all_versions(db)["adult", 1] == form


def test_a_new_version_is_kept_beside_the_old_one(house: House, db: Database) -> None:
    form = house.catalogue["child"]
    newer = replace(form, version=2, points=form.points[:3], items=form.items[1:], helplines=())
    with write(db):
        questionnaires.remember(db, newer)
    found = questionnaires.all_versions(db)
    assert (found["child", 1], found["child", 2]) == (form, newer)
