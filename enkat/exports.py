"""What is published, as files: the cells of the page, with the words of the domain."""

import csv
import re
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any

from enkat.model.result import Cell, Grain, Snapshot

#: The columns of a cell, in CSV and JSON alike.
COLUMNS = ("table", "period", "category", "index", "n", "meetings", "mean", "low", "high")

_POPULATIONS = {Grain.QUARTER: "adults", Grain.YEAR: "adults", Grain.CHILD_YEAR: "children"}

#: A spreadsheet would take what begins so for a formula, at the start or behind what it takes for the next column.
_FORMULA = re.compile(r"(^|[;,\t\r\n])(?=[\s\"']*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])")


def as_json(snapshots: Sequence[Snapshot], smallest: int) -> dict[str, Any]:
    """Every published cell, and the response rates of the whole municipality in per cent, rounded to 5."""
    return {
        "smallest_group": smallest,
        "cells": list(_records(snapshots)),
        "rates": [
            {
                "population": _POPULATIONS[one.grain],
                "period": one.period,
                "rate": one.rate,
            }
            for one in snapshots
            if one.rate is not None
        ],
    }


def as_csv(snapshots: Sequence[Snapshot]) -> str:
    """Every published cell, as RFC 4180 has it: commas, a header, lines that end with CR LF; no interval is empty."""
    text = StringIO()
    lines = csv.DictWriter(text, COLUMNS)
    lines.writeheader()
    for record in _records(snapshots):
        lines.writerow(record | {"category": _FORMULA.sub(r"\1'", record["category"])})
    return text.getvalue()


def _records(snapshots: Sequence[Snapshot]) -> Iterator[dict[str, Any]]:
    for one in snapshots:
        for cell in one.cells:
            yield _record(cell)


def _record(cell: Cell) -> dict[str, Any]:
    return {name: getattr(cell, name) for name in COLUMNS}
