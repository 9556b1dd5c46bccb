"""What is published. A snapshot is put once, whole, and read; the schema refuses everything else."""

import json
from collections.abc import Iterable, Sequence
from datetime import date

from sqlite_utils import Database

from enkat.model.errors import StoreError
from enkat.model.meeting import Source
from enkat.model.result import Cell, Grain, Outcome, Snapshot, Table
from enkat.model.staff import alphabetical
from enkat.model.survey import Index
from enkat.storage.engine import Row, insert, placeholders, rows


def put(db: Database, snapshot: Snapshot) -> None:
    """Keep a snapshot for good, its cells first: a snapshot that is there takes no more."""
    for cell in snapshot.cells:
        insert(
            db,
            "cell",
            {
                "grain": snapshot.grain,
                "snapshot": _words(snapshot.periods),
                "table_name": cell.table,
                "period": _words(cell.periods),
                "category": _words(cell.categories),
                "index_name": cell.index,
                "n": cell.n,
                "meetings": cell.meetings,
                "mean": cell.mean,
                "low": cell.low,
                "high": cell.high,
            },
        )
    insert(
        db,
        "snapshot",
        {
            "grain": snapshot.grain,
            "period": _words(snapshot.periods),
            "year": snapshot.year,
            "outcome": snapshot.outcome,
            "published": snapshot.published.isoformat(),
            "n": snapshot.n,
            "rate": snapshot.rate,
            "forms": json.dumps(snapshot.forms),
        },
    )


def all_of(db: Database, *grains: Grain) -> list[Snapshot]:
    """Every snapshot of some grains with its cells, the oldest first; StoreError where one cannot be read."""
    inside, named = placeholders("g", grains)
    found = rows(db, f"{_SNAPSHOT} where grain in ({inside})", **named)
    return _read(found, rows(db, f"{_CELL} where grain in ({inside})", **named))


def outcomes(db: Database) -> list[Snapshot]:
    """Every snapshot without its cells, the oldest first; StoreError where one cannot be read."""
    return _read(rows(db, _SNAPSHOT), ())


_SNAPSHOT = "select grain, period, year, outcome, published, n, rate, forms from snapshot"
_CELL = """
    select grain, snapshot, table_name, period, category, index_name, n, meetings, mean, low, high from cell"""


def _read(found: Iterable[Row], cells: Sequence[Row]) -> list[Snapshot]:
    try:
        return _in_order(found, cells)
    except (ValueError, TypeError, IndexError) as error:
        raise StoreError(f"what is published is damaged ({error}); restore a backup") from error


def _in_order(found: Iterable[Row], cells: Sequence[Row]) -> list[Snapshot]:
    inside: dict[tuple[str, str], list[Cell]] = {}
    for row in cells:
        inside.setdefault((row["grain"], row["snapshot"]), []).append(_cell(row))
    whole = [_snapshot(row, inside.get((row["grain"], row["period"]), ())) for row in found]
    return sorted(whole, key=_place)


def _place(one: Snapshot) -> tuple[object, ...]:
    """By the end of the last period; a year after its last quarter, and what was joined before what it is joined in."""
    return one.last_day, _GRAINS.index(one.grain), len(one.periods)


def _snapshot(row: Row, cells: Sequence[Cell]) -> Snapshot:
    return Snapshot(
        grain=Grain(row["grain"]),
        periods=tuple(json.loads(row["period"])),
        year=row["year"],
        outcome=Outcome(row["outcome"]),
        published=date.fromisoformat(row["published"]),
        n=row["n"],
        rate=row["rate"],
        forms=tuple((form, version) for form, version in json.loads(row["forms"])),
        cells=tuple(sorted(cells, key=_cell_place)),
    )


def _cell(row: Row) -> Cell:
    return Cell(
        table=Table(row["table_name"]),
        periods=tuple(json.loads(row["period"])),
        categories=tuple(json.loads(row["category"])),
        index=Index(row["index_name"]),
        n=row["n"],
        meetings=row["meetings"],
        mean=row["mean"],
        low=row["low"],
        high=row["high"],
    )


_GRAINS, _TABLES, _INDICES, _SOURCES = list(Grain), list(Table), list(Index), list(Source)


def _cell_place(cell: Cell) -> tuple[object, ...]:
    """Tables and indices in their order, periods in time, sources as listed, meetings counted up, others by name."""
    category: object = [alphabetical(one) for one in cell.categories]
    if cell.table is Table.YEAR_NUMBER:
        category = int(cell.categories[0])
    elif cell.table is Table.YEAR_SOURCE:
        category = _SOURCES.index(Source(cell.categories[0]))
    return _TABLES.index(cell.table), cell.periods, category, _INDICES.index(cell.index)


def _words(words: Iterable[str]) -> str:
    """Several words as one text; unlike a plus between them it can be taken apart again whatever they hold."""
    return json.dumps(list(words), ensure_ascii=False)
