"""What is published, as files: one set of cells, whoever reads them and in whatever program."""

import csv
import json
from dataclasses import replace
from datetime import date
from io import StringIO

import pytest

from enkat.exports import COLUMNS, as_csv, as_json
from enkat.model.result import Cell, Grain, Outcome, Snapshot, Table
from enkat.model.survey import Index

DAY = date(2027, 1, 1)
WITH = Cell(Table.MONTH, ("2026-10",), ("all",), Index.PARTICIPATION, 12, 5, 60, 48, 72)
WITHOUT = Cell(Table.QUARTER_ROLE, ("2026-Q3", "2026-Q4"), ("family", "kin"), Index.USEFULNESS, 5, 2, 0, None, None)
UNIT = Cell(Table.YEAR_UNIT, ("2026",), ("Åsbo", "Söder, västra"), Index.PARTICIPATION, 9, 4, 100, None, None)
CHILD = Cell(Table.YEAR_CHILD, ("2026", "2027"), ("child",), Index.PARTICIPATION, 8, 3, 51, None, None)
PUBLISHED = [
    Snapshot(Grain.QUARTER, ("2026-Q2",), 2026, Outcome.EMPTY, DAY),
    Snapshot(Grain.QUARTER, ("2026-Q3",), 2026, Outcome.JOINED, DAY),
    Snapshot(Grain.QUARTER, ("2026-Q3", "2026-Q4"), 2026, Outcome.PUBLISHED, DAY, 17, 45, (), (WITH, WITHOUT)),
    Snapshot(Grain.YEAR, ("2026",), 2026, Outcome.PUBLISHED, DAY, 17, 0, (), (UNIT,)),
    Snapshot(Grain.CHILD_YEAR, ("2026", "2027"), 2027, Outcome.PUBLISHED, DAY, 8, 35, (), (CHILD,)),
]


def lines(text: str) -> list[dict[str, str]]:
    """The lines of a CSV file as any reader understands them."""
    return list(csv.DictReader(StringIO(text, newline="")))


def test_csv_and_json_hold_the_same_cells_in_the_same_order() -> None:
    of_csv, of_json = lines(as_csv(PUBLISHED)), as_json(PUBLISHED, 5)["cells"]
    assert len(of_csv) == 4
    assert of_csv == [{name: "" if cell[name] is None else str(cell[name]) for name in cell} for cell in of_json]


def test_a_cell_has_the_promised_names_and_kinds() -> None:
    [first, second, *_more] = json.loads(json.dumps(as_json(PUBLISHED, 5)))["cells"]
    assert list(first) == ["table", "period", "category", "index", "n", "meetings", "mean", "low", "high"]
    assert list(first.values()) == ["month", "2026-10", "all", "participation", 12, 5, 60, 48, 72]
    assert list(second.values()) == ["quarter_role", "2026-Q3+2026-Q4", "family+kin", "usefulness", 5, 2, 0, None, None]


def test_the_whole_says_the_smallest_group_and_the_rates_of_what_is_published() -> None:
    shown = as_json(PUBLISHED, 8)
    assert list(shown) == ["smallest_group", "cells", "rates"]
    assert shown["smallest_group"] == 8
    assert shown["rates"] == [
        {"population": "adults", "period": "2026-Q3+2026-Q4", "rate": 45},
        {"population": "adults", "period": "2026", "rate": 0},
        {"population": "children", "period": "2026+2027", "rate": 35},
    ]


def test_where_no_interval_is_shown_csv_is_empty_and_json_null() -> None:
    assert as_csv(PUBLISHED).split("\r\n")[2].endswith(",5,2,0,,")
    assert '"low": null, "high": null' in json.dumps(as_json(PUBLISHED, 5))


def test_csv_is_as_the_standard_has_it() -> None:
    text = as_csv(PUBLISHED)
    assert text.startswith(",".join(COLUMNS) + "\r\n")
    assert text.endswith("\r\n")
    assert text.count("\n") == text.count("\r\n") == 5
    assert '"Åsbo+Söder, västra"' in text, "a comma within a name is quoted"
    assert lines(text)[2]["category"] == "Åsbo+Söder, västra"


def test_before_anything_is_published_there_is_a_header_and_nothing_else() -> None:
    assert as_csv([]) == ",".join(COLUMNS) + "\r\n"
    assert as_json([], 5) == {"smallest_group": 5, "cells": [], "rates": []}


@pytest.mark.parametrize("name", ["=1+1", "+46 13 1", "-Norr", "@Norr", "\tNorr", "\rNorr", '=HYPERLINK("x")'])
def test_no_unit_is_taken_for_a_formula(name: str) -> None:
    found = [replace(PUBLISHED[3], cells=(replace(UNIT, categories=(name, "Norr")),))]
    assert lines(as_csv(found))[0]["category"] == f"'{name}+Norr"
    assert as_json(found, 5)["cells"][0]["category"] == f"{name}+Norr", "a program is told the name itself"


@pytest.mark.parametrize("name", ["Norr", "Norr-Väst", "1=1", "Öst @ torget", "'Norr"])
def test_a_name_that_is_none_stays_as_it_is(name: str) -> None:
    found = [replace(PUBLISHED[3], cells=(replace(UNIT, categories=(name,)),))]
    assert lines(as_csv(found))[0]["category"] == name
