"""What the results pages say: periods, categories and figures in the reader's language."""

from collections.abc import Sequence
from datetime import date
from html import escape

from flask import g

from enkat.charts import grammar
from enkat.charts.series import Absence, Point, Series
from enkat.model.meeting import Source
from enkat.model.result import ALL, Cell, Quarter, Table
from enkat.model.survey import Index, Role
from enkat.storage import staff
from enkat.web.context import db, ngettext, translator
from enkat.web.context import gettext as _
from enkat.wording import INDICES, QUESTIONNAIRES, ROLES, SHORT_ROLES, SOURCES


def index(one: Index) -> str:
    """An index by its name."""
    return _(INDICES[one])


def quarters(some: Sequence[Quarter]) -> str:
    """One quarter, or several that were joined: "K4 2026", "K1 2026 + K2 2026"."""
    return " + ".join(translator().quarter(one.first) for one in some)


def span(ends: tuple[Quarter, Quarter]) -> str:
    """The quarters from one to another: "K4 2025–K2 2026"."""
    return "–".join(dict.fromkeys(translator().quarter(one.first) for one in ends))


def months(some: Sequence[str]) -> str:
    """One month, or several that were joined."""
    return " + ".join(translator().month(date.fromisoformat(f"{one}-01")) for one in some)


def quarter_ticks(some: Sequence[Quarter]) -> tuple[str, ...]:
    """The names of an axis's quarters; the year stands under the first and under each first quarter."""
    names = [translator().quarter(one.first).split() for one in some]
    return tuple(
        f"{name[0]}<br>{one.year}" if number == 0 or one.number == 1 else name[0]
        for number, (one, name) in enumerate(zip(some, names, strict=True))
    )


def month_ticks(some: Sequence[str]) -> tuple[str, ...]:
    """The names of an axis's months: only the first of each quarter's."""
    first = {quarter.months[0]: quarter for quarter in map(_quarter_of, some)}
    ticks = dict(zip(first, quarter_ticks(list(first.values())), strict=True))
    return tuple(ticks.get(month, "") for month in some)


def _quarter_of(month: str) -> Quarter:
    return Quarter.of(date.fromisoformat(f"{month}-01"))


def category(table: Table, one: str) -> str:
    """A category of a table by its name."""
    if table is Table.YEAR_SOURCE:
        return _(SOURCES[Source(one)])
    if table is Table.YEAR_NUMBER:
        return _("Möte %(number)s", number=one)
    if table is Table.YEAR_UNIT:
        return _("%(unit)s, direkt", unit=one) if one in _with_units_below() else one
    return _("Alla") if one == ALL else _(ROLES[Role(one)])


def categories(table: Table, some: Sequence[str]) -> str:
    """The categories of a cell: a plus between those that are shown together."""
    return " + ".join(category(table, one) for one in some)


def tick(table: Table, some: Sequence[str], is_turned: bool) -> str:
    """The same for an axis: written upwards in one line, or level in lines of a few letters. What somebody has named
    is text and not markup."""
    if is_turned:
        name = categories(table, some)
        return escape(name if len(name) <= grammar.LETTERS else f"{name[: grammar.LETTERS - 1]}…", quote=False)
    lines = [""]
    for word in escape(categories(table, some), quote=False).split():
        if lines[-1] and len(lines[-1]) + len(word) >= 11:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(lines)


def name(cell: Cell) -> str:
    """What a line of a table is called: the months of a month's, else the categories."""
    return months(cell.periods) if cell.table is Table.MONTH else categories(cell.table, cell.categories)


def figure(cell: Cell) -> str:
    """Mean and interval: "72 (64-80)"."""
    return f"{cell.mean} ({cell.low}-{cell.high})" if cell.low is not None else str(cell.mean)


def answers(cell: Cell) -> str:
    """How many answers."""
    return ngettext("%(num)s svar", "%(num)s svar", cell.n) % {"num": cell.n}


def meetings(cell: Cell) -> str:
    """Of how many meetings."""
    return ngettext("%(num)s möte", "%(num)s möten", cell.meetings) % {"num": cell.meetings}


def point(cell: Cell) -> str:
    """What is said to whoever points at a mark."""
    if cell.table in (Table.MONTH, Table.QUARTER_ROLE):
        read = months(cell.periods) if cell.table is Table.MONTH else quarters([Quarter.read(p) for p in cell.periods])
    else:
        read = " + ".join(cell.periods)
    name = escape(categories(cell.table, cell.categories), quote=False)
    return f"{name}, {read}<br>{figure(cell)}<br>{answers(cell)}, {meetings(cell)}"


def frame(series: Series, point: Point) -> str:
    """What stands in a dotted frame."""
    if point.cell is None:
        return absence(point.absence) if series.category != ALL else ""
    others = [one for one in point.cell.categories if one != series.category]
    if others:
        return "+ " + " + ".join(_(SHORT_ROLES[Role(one)]) for one in others)
    return _("tillsammans") if point.cell.table is not Table.MONTH else ""


def absence(why: Absence | None) -> str:
    """Why there is no figure, as short as it can be said."""
    return _("visas inte än") if why is Absence.WAITING else _("inga svar")


def reason(why: Absence | None) -> str:
    """Why there is no figure, in a table."""
    return _("visas tillsammans med nästa, när det är publicerat") if why is Absence.WAITING else _("inga svar")


def form(questionnaire: str) -> str:
    """Whose questionnaire it is."""
    return _(QUESTIONNAIRES[questionnaire]) if questionnaire in QUESTIONNAIRES else questionnaire


def _with_units_below() -> set[str]:
    """The names of the units that have others under them: in a table of units they stand for what is theirs alone."""
    if "parents" not in g:
        units = staff.units(db())
        above = {unit.parent for unit in units}
        g.parents = {unit.name for unit in units if unit.id in above}
    return g.parents  # type: ignore[no-any-return]
