"""What is published, for everybody who is signed in: the same pages, figures and file for all of them.

Only snapshots are read, so a page costs the same whatever the number of answers.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flask import Blueprint, Response, g, render_template, request
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from enkat import exports, findings, publishing
from enkat.charts import grammar, series
from enkat.charts.grammar import Change, Panel
from enkat.charts.series import Series
from enkat.findings import Finding
from enkat.model.result import ADULTS, ALL, PUBLISHED, Cell, Grain, Outcome, Quarter, Snapshot, Table, cells_of
from enkat.model.survey import Index, Role
from enkat.storage import snapshots, staff
from enkat.web import access
from enkat.web import result_words as words
from enkat.web.context import db, today
from enkat.web.context import gettext as _
from enkat.wording import ROLES

pages = Blueprint("results", __name__)

#: Quarters on the page unless all are asked for.
LATEST = 8

#: The tables of a year's page.
_YEARLY = (Table.YEAR_UNIT, Table.YEAR_SOURCE, Table.YEAR_NUMBER)


@dataclass(frozen=True)
class Entry:
    """A figure of a table, over so many columns. `note` says with whom it is shared, or why there is none."""

    span: int
    cell: Cell | None
    note: str | None = None


@dataclass(frozen=True)
class Row:
    """A line of a table of one index: its period, its figures, and the response rate in per cent."""

    name: str
    entries: tuple[Entry, ...]
    rate: int | None = None


@dataclass(frozen=True)
class Line:
    """A line of a table of all indices: its period or category, and a cell for each index."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Section:
    """One index over the quarters: what is found and whether questionnaires changed meanwhile, the chart, and the
    tables of adults and of children."""

    index: Index
    finding: Finding | None
    is_changed: bool
    figure: Markup
    rows: tuple[Row, ...]
    children: tuple[Row, ...]


@dataclass(frozen=True)
class Split:
    """A table with its chart."""

    table: Table
    figure: Markup
    lines: tuple[Line, ...]


@pages.get("/results")
@access.staff_only()
def quarters() -> str:
    """Participation and usefulness by quarter and role."""
    found, whole, shown = _published_quarters()
    if not whole:
        return _nothing_yet("results.quarters")
    changes = _changes(found, shown)
    return _page(
        "results/quarters.html",
        found,
        sections=[_section(found, shown, index, tuple(changes)) for index in PUBLISHED],
        changes=changes,
        published_quarters=sum(one.grain is Grain.QUARTER and one.outcome is Outcome.PUBLISHED for one in found),
        number=len(whole),
        shows_all=len(shown) == len(whole),
    )


@pages.get("/results/months")
@access.staff_only()
def months() -> str:
    """All adults' answers together by month."""
    found, whole, shown = _published_quarters()
    if not whole:
        return _nothing_yet("results.months")
    return _page(
        "results/months.html",
        found,
        split=_months(found, shown),
        number=len(whole),
        shows_all=len(shown) == len(whole),
    )


@pages.get("/results/years")
@access.staff_only()
def years() -> str:
    """A year by unit, source and meeting number, and its children."""
    whole = snapshots.all_of(db(), Grain.YEAR, Grain.CHILD_YEAR)
    found = [one for one in whole if one.outcome is Outcome.PUBLISHED]
    if not found:
        return _nothing_yet("results.years")
    there = sorted({one.year for one in found})
    wish = request.args.get("year", "")
    year = int(wish) if wish in map(str, there) else there[-1]
    of_year = [one for one in found if one.year == year]
    born = [one for one in whole if one.grain is Grain.CHILD_YEAR and str(year) in one.periods]
    return _page(
        "results/years.html",
        found,
        year=year,
        years=there,
        adults=next((one for one in of_year if one.grain is Grain.YEAR), None),
        quarters=_quarters_of(year),
        children=born[-1] if born else None,
        splits=[_split(of_year, table) for table in _YEARLY if cells_of(of_year, table, PUBLISHED[0])],
        child_lines=_lines(born[-1:], Table.YEAR_CHILD),
    )


@pages.get("/results.csv")
@access.staff_only()
def file() -> Response:
    """Every published cell."""
    reply = Response(exports.as_csv(snapshots.all_of(db(), *Grain)), mimetype="text/csv")
    reply.headers["Content-Disposition"] = 'attachment; filename="enkat-results.csv"'
    return reply


def _published_quarters() -> tuple[list[Snapshot], list[Quarter], list[Quarter]]:
    """What is published by quarter, all its quarters, and those on the page."""
    found = snapshots.all_of(db(), Grain.QUARTER, Grain.CHILD_YEAR)
    whole = series.axis(found)
    return found, whole, whole if "all" in request.args else series.latest(found, whole, LATEST)


def _quarters_of(year: int) -> list[Quarter]:
    """The quarters whose answers a year's tables hold."""
    counted = [one for one in snapshots.outcomes(db()) if one.grain is Grain.QUARTER and one.year == year]
    return [quarter for one in counted if one.outcome is Outcome.PUBLISHED for quarter in one.quarters]


def _nothing_yet(endpoint: str) -> str:
    """When the first results will come."""
    return render_template("results/empty.html", here=endpoint, outlook=publishing.outlook(db(), today()))


def _page(template: str, found: Sequence[Snapshot], **more: object) -> str:
    """A page with charts: whose results they are, since when, and when there will be more."""
    g.has_chart = True
    return render_template(
        template,
        municipality=staff.units(db())[0].name,
        published=max(one.published for one in found if one.outcome is Outcome.PUBLISHED),
        outlook=publishing.outlook(db(), today()),
        shared=_json({"palette": grammar.PALETTE, "template": grammar.TEMPLATE}),
        here=request.endpoint,
        **more,
    )


def _section(found: Sequence[Snapshot], shown: Sequence[Quarter], index: Index, changes: Sequence[Change]) -> Section:
    roles = [series.by_role(found, index, role, shown) for role in ADULTS]
    born, children = series.of_children(found, index)
    ticks = words.quarter_ticks(shown)
    panels = [
        Panel(_(ROLES[role]), grammar.STYLES[role], ticks, _marks(one)) for role, one in zip(ADULTS, roles, strict=True)
    ]
    if born:
        title = _("Barn, per år")
        panels.append(Panel(title, grammar.STYLES[Role.CHILD], tuple(born), _marks(children)))
    finding = findings.find(found, index)
    return Section(
        index,
        finding,
        _is_changed(found, finding),
        _json(grammar.figure(panels, changes)),
        tuple(_row(found, shown, roles, number) for number in range(len(roles[0].points))),
        tuple(_child_row(found, born, children, number) for number in range(len(children.points))),
    )


def _row(found: Sequence[Snapshot], shown: Sequence[Quarter], roles: Sequence[Series], number: int) -> Row:
    """A quarter, or several that were joined; roles that are shown together have one figure."""
    points = {one.category: one.points[number] for one in roles}
    entries, seen = [], set[tuple[str, ...]]()
    for (cell, why), group in groupby(points.items(), key=lambda item: (item[1].cell, item[1].absence)):
        span = len(list(group))
        if cell is None:
            entries.append(Entry(span, None, words.reason(why)))
        elif len(cell.categories) == 1:
            entries.append(Entry(1, cell))
        else:
            # roles that do not stand beside each other: the figure stands once, and is pointed to from the other
            is_again = cell.categories in seen
            note = words.categories(cell.table, cell.categories)
            entries.append(Entry(span, None if is_again else cell, note))
            seen.add(cell.categories)
    covered = [shown[place] for place in roles[0].points[number].places]
    return Row(words.quarters(covered), tuple(entries), _rate(found, Grain.QUARTER, str(covered[-1])))


def _child_row(found: Sequence[Snapshot], born: Sequence[str], children: Series, number: int) -> Row:
    point = children.points[number]
    covered = [born[place] for place in point.places]
    entry = Entry(1, point.cell, None if point.cell else words.reason(point.absence))
    return Row(" + ".join(covered), (entry,), _rate(found, Grain.CHILD_YEAR, covered[-1]))


def _rate(found: Sequence[Snapshot], grain: Grain, last: str) -> int | None:
    """The response rate of the snapshot that ends with a period."""
    return next((one.rate for one in reversed(found) if one.grain is grain and one.periods[-1] == last), None)


def _months(found: Sequence[Snapshot], shown: Sequence[Quarter]) -> Split:
    """Everybody's answers by month."""
    months = [month for quarter in shown for month in quarter.months]
    ticks = words.month_ticks(months)
    panels = [
        Panel(words.index(index), grammar.ALL, ticks, _marks(series.by_month(found, index, months, ALL)))
        for index in PUBLISHED
    ]
    inside = [line for line in _lines(found, Table.MONTH) if set(line.cells[0].periods) & set(months)]
    return Split(Table.MONTH, _json(grammar.figure(panels, columns=1)), tuple(inside))


def _split(found: Sequence[Snapshot], table: Table) -> Split:
    """A year's table, its categories side by side."""
    lines = _lines(found, table)
    is_turned = len(lines) > grammar.MOST_LEVEL
    ticks = tuple(words.tick(table, line.cells[0].categories, is_turned) for line in lines)
    panels = [
        Panel(
            words.index(index),
            grammar.ALL,
            ticks,
            tuple(grammar.Mark(place, line.cells[n], words.point(line.cells[n])) for place, line in enumerate(lines)),
            has_line=False,
        )
        for n, index in enumerate(PUBLISHED)
    ]
    return Split(table, _json(grammar.figure(panels)), tuple(lines))


def _lines(found: Sequence[Snapshot], table: Table) -> list[Line]:
    """A table's cells, those of one category or month together."""
    by_index = [cells_of(found, table, index) for index in PUBLISHED]
    return [Line(words.name(cells[0]), cells) for cells in zip(*by_index, strict=True)]


def _marks(one: Series) -> tuple[grammar.Mark, ...]:
    return grammar.marks(one, words.point, words.frame)


def _changes(found: Sequence[Snapshot], shown: Sequence[Quarter]) -> dict[Change, str]:
    """A line before each quarter on the page that brought new versions of questionnaires, and what to say of it."""
    changes: dict[Change, str] = {}
    for one, forms in _new_versions(found):
        if one.quarters[0] in shown:
            change = Change(shown.index(one.quarters[0]), chr(ord("A") + len(changes)))
            said = [_("formuläret för %(form)s i version %(version)s", form=words.form(f), version=v) for f, v in forms]
            changes[change] = _(
                "Från %(quarter)s: %(forms)s.", quarter=words.quarters(one.quarters), forms=", ".join(said)
            )
    return changes


def _new_versions(found: Sequence[Snapshot]) -> Iterator[tuple[Snapshot, list[tuple[str, int]]]]:
    """The quarters in which newer versions of questionnaires were answered than before, with those versions."""
    newest: dict[str, int] = {}
    for one in found:
        if one.grain is Grain.QUARTER:
            if newer := [(form, version) for form, version in one.forms if version > newest.get(form, version)]:
                yield one, newer
            newest |= {form: max(version, newest.get(form, 1)) for form, version in one.forms}


def _is_changed(found: Sequence[Snapshot], finding: Finding | None) -> bool:
    """Whether questionnaires changed within what is compared."""
    if finding is None:
        return False
    first, last = finding.earlier[0], finding.later[1]
    return any(first < one.quarters[-1] <= last for one, _forms in _new_versions(found))


def _json(figure: dict[str, Any]) -> Markup:
    """A figure as it stands in the page."""
    return htmlsafe_json_dumps(figure, dumps=json.dumps, separators=(",", ":"), ensure_ascii=False)
