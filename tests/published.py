"""Published results written by hand, and the tables of a page as a reader has them before them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import unescape

from sqlite_utils import Database

from enkat.model.result import ALL, PUBLISHED, Cell, Grain, Outcome, Quarter, Snapshot, Table
from enkat.model.survey import Role
from enkat.storage import snapshots
from enkat.storage.engine import write

#: A mean, or a mean with its answers and meetings.
Said = int | tuple[int, int, int]

#: What each role says in a quarter whose roles all stand by themselves.
APART: Mapping[str, Said] = {"family": 72, "kin": 64, "professional": 80}

FORMS = (("adult", 1), ("professional", 1))


def cells(table: Table, periods: Sequence[str], category: str, said: Said) -> tuple[Cell, ...]:
    """A category's cells, several categories with a plus; twelve answers of six meetings unless it is said. Usefulness
    is ten points lower, and where there is enough for an interval it goes eight points each way."""
    mean, n, meetings = said if isinstance(said, tuple) else (said, 12, 6)
    has_interval = n >= 10 and meetings >= 5
    return tuple(
        Cell(
            table,
            tuple(periods),
            tuple(category.split("+")),
            index,
            n,
            meetings,
            mean - lower,
            mean - lower - 8 if has_interval else None,
            mean - lower + 8 if has_interval else None,
        )
        for index, lower in zip(PUBLISHED, (0, 10), strict=True)
    )


def quarter(
    period: str, roles: Mapping[str, Said] = APART, forms: Sequence[tuple[str, int]] = FORMS, rate: int | None = 55
) -> Snapshot:
    """A published quarter, or several that were joined, with a plus."""
    periods = tuple(period.split("+"))
    last = Quarter.read(periods[-1])
    months = [month for one in periods for month in Quarter.read(one).months]
    found = [cell for month in months for cell in cells(Table.MONTH, [month], ALL, 70)]
    found += [cell for role, said in roles.items() for cell in cells(Table.QUARTER_ROLE, periods, role, said)]
    whole = sum(said[1] if isinstance(said, tuple) else 12 for said in roles.values())
    day = last.next.first
    return Snapshot(Grain.QUARTER, periods, last.year, Outcome.PUBLISHED, day, whole, rate, tuple(forms), tuple(found))


def unpublished(period: str, outcome: Outcome) -> Snapshot:
    """A quarter in which nobody answered, or one that waits for the next."""
    last = Quarter.read(period)
    return Snapshot(Grain.QUARTER, (period,), last.year, outcome, last.next.first)


def year(of: int, /, **tables: Mapping[str, Said]) -> Snapshot:
    """A published year of adults: its tables by the last word of their names, `unit=...`."""
    found = [
        cell
        for name, categories in tables.items()
        for category, said in categories.items()
        for cell in cells(Table(f"year_{name}"), [str(of)], category, said)
    ]
    return Snapshot(Grain.YEAR, (str(of),), of, Outcome.PUBLISHED, date(of + 1, 1, 1), 60, 50, FORMS, tuple(found))


def children(period: str, said: Said = 60) -> Snapshot:
    """The published answers of a year's children, or of several years', with a plus."""
    periods = tuple(period.split("+"))
    last, n = int(periods[-1]), said[1] if isinstance(said, tuple) else 12
    of_children = cells(Table.YEAR_CHILD, periods, Role.CHILD, said)
    day = date(last + 1, 1, 1)
    return Snapshot(Grain.CHILD_YEAR, periods, last, Outcome.PUBLISHED, day, n, 40, (("child", 1),), of_children)


def quarters(first: str, number: int, roles: Mapping[str, Said] = APART) -> list[Snapshot]:
    """So many published quarters in a row."""
    found, one = [], Quarter.read(first)
    for _quarter in range(number):
        found.append(quarter(str(one), roles))
        one = one.next
    return found


def publish(db: Database, *found: Snapshot) -> None:
    """Keep them as published."""
    with write(db):
        for one in found:
            snapshots.put(db, one)


@dataclass(frozen=True)
class Grid:
    """A table of a page: its caption, and its lines, each with its texts and how many columns they span."""

    caption: str
    head: tuple[str, ...]
    lines: tuple[tuple[tuple[str, int], ...], ...]

    @property
    def texts(self) -> list[list[str]]:
        """The texts alone."""
        return [[text for text, _span in line] for line in self.lines]

    def line(self, name: str) -> list[str]:
        """The one line of this name."""
        [found] = [line for line in self.texts if line[0] == name]
        return found


def grids(html: str) -> list[Grid]:
    """Every table of a page."""
    return [_grid(one) for one in re.findall(r"<table.*?</table>", html, re.DOTALL)]


def _grid(html: str) -> Grid:
    [caption] = re.findall(r"<caption>(.*?)</caption>", html, re.DOTALL)
    head, *lines = [
        tuple((plain(text), int((re.findall(r'colspan="(\d)"', attributes) or [1])[0])) for attributes, text in cells)
        for row in re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
        if (cells := re.findall(r"<t[hd]([^>]*)>(.*?)</t[hd]>", row, re.DOTALL))
    ]
    assert {sum(span for _text, span in line) for line in lines} == {len(head)}, "every line has every column"
    return Grid(plain(caption), tuple(text for text, _span in head), tuple(lines))


def plain(html: str) -> str:
    """What is read of a piece of a page; of a long and a short word the long one."""
    html = re.sub(r'<span class="short">.*?</span>', "", html)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).replace("\xa0", " ").split())


def main_of(html: str) -> str:
    """The page without the bar at its top."""
    [found] = re.findall(r"<main.*</main>", html, re.DOTALL)
    return str(found)
