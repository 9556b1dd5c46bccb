"""Quarters that hold too little or something odd: each has a page that explains, and never an empty chart."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from enkat.app import create_app
from enkat.model.staff import StaffRole
from enkat.model.survey import Role
from tests.conftest import Town, signed_in
from tests.inspection import InspectingClient, Page
from tests.published import grids, plain
from tests.test_publishing import Said, Years

FOUR: Said = {Role.FAMILY: (5, 4), Role.KIN: (3, 1)}
MANY: Said = {Role.FAMILY: (5, 2, 4), Role.KIN: (3, 1, 4), Role.PROFESSIONAL: (4, 2, 5)}

#: What happened in the first quarter of the year.
LITTLE: dict[str, Callable[[Years], object]] = {
    "one meeting": lambda years: years.met("2026-02-10", MANY),
    "four answers": lambda years: years.met("2026-02-10", FOUR),
    "one assignment": lambda years: [years.met(day, MANY, work="the one") for day in ("2026-02-10", "2026-03-10")],
    "all alike": lambda years: [years.met(day, {Role.FAMILY: (4, 4, 4)}) for day in ("2026-02-10", "2026-03-10")],
    "all vet inte": lambda years: [
        years.met(day, {Role.FAMILY: (None, None, None)}) for day in ("2026-02-10", "2026-03-10")
    ],
    "only children": lambda years: years.met("2026-02-10", {Role.CHILD: (4, 2, 1)}),
    "nobody answered": lambda years: years.met("2026-02-10", {}, invited={Role.FAMILY: 3}),
}


@pytest.fixture
def years(town: Town) -> Years:
    return Years(town)


def reader(town: Town, today: date) -> InspectingClient:
    """An evaluator on some day."""
    house = replace(town.house, settings=replace(town.house.settings, fixed_today=today))
    app = create_app(house.settings, house)
    app.test_client_class = InspectingClient
    address = f"{today}@mitthem.example"
    return signed_in(app, town, town.add_staff(address, town.municipality, StaffRole.EVALUATOR))


@pytest.mark.parametrize("what", LITTLE)
def test_after_a_quarter_of_too_little_the_page_says_when_there_will_be_more(years: Years, what: str) -> None:
    LITTLE[what](years)
    years.publish("2026-04-01")
    ulla = reader(years.town, date(2026, 4, 2))
    for path in ("/results", "/results/months"):
        page = ulla.get(path).text
        assert "Inget är publicerat än" in page
        assert "tidigast 1 juli 2026" in page
        assert "visas tillsammans med nästa" in page
        assert not Page(page).all("div") or "data-figure" not in page
    assert "tidigast 1 januari 2027" in ulla.get("/results/years").text
    assert ulla.get("/results.csv").text.count("\n") == 1, "the header alone"


@pytest.mark.parametrize("what", [what for what in LITTLE if what not in ("only children", "nobody answered")])
def test_too_little_is_shown_with_the_next_quarter_and_named(years: Years, what: str) -> None:
    LITTLE[what](years)
    years.quarter("2026-Q2")
    years.publish("2026-07-01")
    page = reader(years.town, date(2026, 7, 2)).get("/results").text
    assert [line[0] for line in grids(page)[0].texts] == ["K1 2026 + K2 2026"]


def test_a_quarter_that_waits_after_published_ones_says_so_in_table_and_chart(years: Years) -> None:
    years.quarter("2026-Q1")
    years.met("2026-05-10", FOUR)
    years.publish("2026-07-01")
    page = reader(years.town, date(2026, 7, 2)).get("/results").text
    assert tuple(grids(page)[0].texts[-1][:2]) == ("K2 2026", "visas tillsammans med nästa, när det är publicerat")
    assert '"visas inte än"' in page


def test_a_quarter_without_meetings_between_others_says_that_there_are_no_answers(years: Years) -> None:
    years.quarter("2026-Q1")
    years.quarter("2026-Q3")
    years.publish("2026-10-01")
    page = reader(years.town, date(2026, 10, 2)).get("/results").text
    assert tuple(grids(page)[0].texts[1][:2]) == ("K2 2026", "inga svar")


def test_where_the_clock_went_back_the_page_still_shows_what_is_published_and_the_next_day(years: Years) -> None:
    years.quarter("2026-Q1")
    years.quarter("2026-Q2")
    years.publish("2026-07-01")
    page = plain(reader(years.town, date(2026, 2, 1)).get("/results").text)
    assert "publicerat 1 juli 2026" in page
    assert "nästa tidigast 1 oktober 2026" in page


def test_a_unit_that_was_moved_and_renamed_keeps_its_name_in_what_is_published(years: Years) -> None:
    years.quarter("2026-Q1")
    years.quarter("2026-Q2", unit=years.town.south)
    years.publish("2027-01-01")
    years.change("update unit set name = 'Fjärran', parent = :north where name = 'Söder'", north=years.town.north.id)
    page = reader(years.town, date(2027, 1, 2)).get("/results/years").text
    assert "Söder" in page
    assert "Fjärran" not in page
