"""What is published, for everybody who is signed in: the same pages, figures and file for all of them.

Only snapshots are read, so a page costs the same whatever the number of answers.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, render_template, request
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from enkat import clearing, exports, findings, publishing
from enkat.charts import grammar, series
from enkat.charts.grammar import Change, Panel
from enkat.charts.series import Series
from enkat.findings import Finding
from enkat.model.result import ADULTS, ALL, PUBLISHED, Grain, Outcome, Quarter, Snapshot, Table, cells_of
from enkat.model.staff import StaffRole
from enkat.model.survey import Index, Role
from enkat.storage import snapshots, staff
from enkat.web import access, result_tables
from enkat.web import result_words as words
from enkat.web.context import db, today
from enkat.web.context import gettext as _
from enkat.web.forms import PlainForm
from enkat.web.result_tables import Line, Row
from enkat.wording import ROLES

pages = Blueprint("results", __name__)

#: Quarters on the page unless all are asked for.
LATEST = 8

#: Batches of texts on the page unless all are asked for, and at most.
_LATEST_BATCHES, _MOST_BATCHES = 5, 500

#: The tables of a year's page.
_YEARLY = (Table.YEAR_UNIT, Table.YEAR_SOURCE, Table.YEAR_NUMBER)


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
        child_lines=result_tables.lines(born[-1:], Table.YEAR_CHILD),
    )


@pages.get("/results/texts")
@access.staff_only()
def texts() -> str:
    """What participants have written, as far as it is released, the latest first."""
    is_all = "all" in request.args
    found = clearing.released(db(), _MOST_BATCHES if is_all else _LATEST_BATCHES + 1)
    return render_template(
        "results/texts.html",
        batches=found if is_all else found[:_LATEST_BATCHES],
        has_more=not is_all and len(found) > _LATEST_BATCHES,
        withheld=clearing.withheld(db()),
        plain=PlainForm(formdata=None),
        may_clear=StaffRole.EVALUATOR in access.member().roles,
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
        result_tables.by_role(found, shown, roles),
        result_tables.of_children(found, born, children),
    )


def _months(found: Sequence[Snapshot], shown: Sequence[Quarter]) -> Split:
    """Everybody's answers by month."""
    months = [month for quarter in shown for month in quarter.months]
    ticks = words.month_ticks(months)
    panels = [
        Panel(words.index(index), grammar.ALL, ticks, _marks(series.by_month(found, index, months, ALL)))
        for index in PUBLISHED
    ]
    inside = [line for line in result_tables.lines(found, Table.MONTH) if set(line.cells[0].periods) & set(months)]
    return Split(Table.MONTH, _json(grammar.figure(panels, columns=1)), tuple(inside))


def _split(found: Sequence[Snapshot], table: Table) -> Split:
    """A year's table, its categories side by side."""
    lines = result_tables.lines(found, table)
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
