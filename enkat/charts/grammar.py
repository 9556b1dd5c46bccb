"""How a chart looks: panels of one kind, drawn as a Plotly figure that is a plain dictionary.

Every panel has the same axis from 0 to 100 with lines at 25. A mean is a mark, its interval a stroke without caps,
and the number of answers stands just above the axis. A mark is hollow where there are fewer than five meetings. What
is shown together with others stands in a dotted frame with a plus for its mark, so that nobody takes it for the
category's own; where nothing is shown the frame is empty. Lines join neighbours of one category and break at gaps.

Colours are those of light paper. `PALETTE` gives their like on dark paper, for a page that changes with its reader.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from enkat.charts.series import Point, Series
from enkat.model.result import Cell
from enkat.model.survey import Role

INK, INK_2, LINE, HAIR, SURFACE = "#1B2421", "#53605B", "#7B8681", "#DDDDD3", "#FFFFFF"

FEWEST_MEETINGS = 5

_Dict = dict[str, Any]


#: What every chart of a page has in common, as Plotly's template.
TEMPLATE: _Dict = {
    "layout": {
        "paper_bgcolor": SURFACE,
        "plot_bgcolor": SURFACE,
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": INK_2},
        "showlegend": False,
        "hovermode": "closest",
        "dragmode": False,
        "xaxis": {
            "fixedrange": True,
            "zeroline": False,
            "showgrid": False,
            "tickangle": 0,
            "showline": True,
            "linecolor": LINE,
        },
        "yaxis": {"fixedrange": True, "zeroline": False, "range": [0, 103], "dtick": 25, "gridcolor": HAIR},
        "annotationdefaults": {"showarrow": False, "font": {"size": 12, "color": INK}},
        "shapedefaults": {"layer": "below"},
    },
    "data": {"scatter": [{"cliponaxis": False}]},
}


@dataclass(frozen=True)
class Style:
    """The colour and mark of a category; `glyph` is the mark as a letter, `width` its line's in pixels."""

    colour: str
    symbol: str
    glyph: str
    width: float = 1.5


STYLES = {
    Role.FAMILY: Style("#4A1B31", "circle", "●"),
    Role.KIN: Style("#3A42AE", "square", "■"),
    Role.CHILD: Style("#94660F", "diamond", "◆"),
    Role.PROFESSIONAL: Style("#459D95", "triangle-up", "▲"),
}

#: All answers together.
ALL = Style(INK, "circle", "●", 2.5)

#: Each colour on light paper and its like on dark paper.
PALETTE = {
    INK: "#EDF1EC",
    INK_2: "#A9B5AF",
    LINE: "#7F8C86",
    HAIR: "#33403B",
    SURFACE: "#1C2421",
    STYLES[Role.FAMILY].colour: "#FBE3EA",
    STYLES[Role.KIN].colour: "#B9C4FF",
    STYLES[Role.CHILD].colour: "#D39A2E",
    STYLES[Role.PROFESSIONAL].colour: "#2B8C80",
}


@dataclass(frozen=True)
class Mark:
    """A figure at a place. `words` are said to whoever points at it; `frame` are the places and the words of the
    dotted frame around it, where it is not the category's own figure of one period."""

    place: float
    cell: Cell | None
    words: str = ""
    frame: tuple[float, float, str] | None = None
    is_joined: bool = False


@dataclass(frozen=True)
class Panel:
    """One category over its places. `ticks` names every place; an empty name draws none."""

    title: str
    style: Style
    ticks: tuple[str, ...]
    marks: tuple[Mark, ...]
    has_line: bool = True

    @property
    def is_turned(self) -> bool:
        """Whether its ticks are written upwards."""
        return not self.has_line and len(self.ticks) > MOST_LEVEL


@dataclass(frozen=True)
class Change:
    """A dashed line before a place, through every panel, with a letter that the page explains."""

    before: int
    letter: str


def marks(
    series: Series, point_words: Callable[[Cell], str], frame_words: Callable[[Series, Point], str]
) -> tuple[Mark, ...]:
    """A series' marks, with what is said to whoever points at one and what stands in a frame."""
    return tuple(
        Mark(
            point.middle,
            point.cell,
            point_words(point.cell) if point.cell else "",
            (point.places[0], point.places[-1], frame_words(series, point)) if _is_framed(series, point) else None,
            series.is_joined(point),
        )
        for point in series.points
    )


def _is_framed(series: Series, point: Point) -> bool:
    return point.cell is None or series.is_joined(point) or len(point.places) > 1


def figure(panels: Sequence[Panel], changes: Sequence[Change] = (), columns: int = 2) -> _Dict:
    """Panels beside and under each other: Plotly's data and layout, and `grids`, the domains of the panels' axes and
    the height on wide and on narrow paper."""
    below = max((_height(panel) for panel in panels), default=0)
    layout: _Dict = {"shapes": [], "annotations": [], "margin": {"l": 32, "r": 8, "t": _ABOVE, "b": below}}
    data: list[_Dict] = []
    for number, panel in enumerate(panels, start=1):
        pen = _Pen("" if number == 1 else str(number), panel)
        data += pen.traces()
        layout |= pen.axes()
        layout["shapes"] += [*pen.frames(), *pen.changes(changes)]
        layout["annotations"] += [*pen.title(), *pen.frame_words(), *pen.letters(changes)]
    return {
        "data": data,
        "layout": layout,
        "grids": {name: _grid(len(panels), most, below) for name, most in (("wide", columns), ("narrow", 1))},
    }


#: Pixels: of a panel, of its title above it, of the ticks below it, and of each further line of those.
_PANEL, _ABOVE, _BELOW, _LINE = 200, 40, 28, 15

#: Pixels of a letter, and letters of a name, where the names of many categories are written upwards.
_LETTER, LETTERS = 6, 24

#: Categories whose names can stand beside each other; those of more are written upwards.
MOST_LEVEL = 5

#: What stands between two columns, as a share of the width.
_GUTTER = 0.07


def _grid(panels: int, most: int, below: int) -> _Dict:
    """Where the panels stand, row by row in so many columns at most, as shares of the paper inside its margins; the
    height in pixels."""
    columns = min(most, panels)
    rows, step = -(-panels // columns), _PANEL + below + _ABOVE
    inside = _PANEL + step * (rows - 1)
    wide = (1 - _GUTTER * (columns - 1)) / columns
    spots = [divmod(number, columns) for number in range(panels)]
    tops = [1 - row * step / inside for row, _column in spots]
    return {
        "height": inside + _ABOVE + below,
        "x": [[round(column * (wide + _GUTTER) + edge, 3) for edge in (0, wide)] for _row, column in spots],
        "y": [[round(max(top - _PANEL / inside, 0), 3), round(top, 3)] for top in tops],
    }


def _height(panel: Panel) -> int:
    """Pixels that a panel's ticks take below it."""
    if panel.is_turned:
        return _BELOW + _LETTER * max(len(tick) for tick in panel.ticks)
    return _BELOW + _LINE * max((tick.count("<br>") for tick in panel.ticks), default=0)


@dataclass(frozen=True)
class _Pen:
    """Draws one panel on its own pair of axes."""

    axis: str
    panel: Panel

    def axes(self) -> _Dict:
        """A tick for every place, and 0-100 with lines at 25."""
        ticks = [(place, text) for place, text in enumerate(self.panel.ticks) if text]
        across: _Dict = {
            "anchor": f"y{self.axis}",
            "range": [-0.6, len(self.panel.ticks) - 0.4],
            "tickvals": [place for place, _text in ticks],
            "ticktext": [text for _place, text in ticks],
        }
        if self.panel.is_turned:
            across["tickangle"] = -90
        return {f"xaxis{self.axis}": across, f"yaxis{self.axis}": {"anchor": f"x{self.axis}"}}

    def traces(self) -> list[_Dict]:
        """Lines between neighbours, the category's own marks, joined marks, and the numbers of answers."""
        drawn = [mark for mark in self.panel.marks if mark.cell is not None]
        own, joined = ([m for m in drawn if m.is_joined is wanted] for wanted in (False, True))
        numbers = self._trace(drawn, mode="text", y=[0] * len(drawn), textposition="top center", hoverinfo="skip")
        numbers["text"] = [str(mark.cell.n) for mark in drawn if mark.cell]
        found = [numbers]
        if self.panel.has_line:
            found.append(self._line())
        if own:
            found.append(self._marks(own, self.panel.style.symbol, self.panel.style.colour))
        if joined:
            found.append(self._marks(joined, "cross-thin", INK))
        return found

    def _line(self) -> _Dict:
        """Through own marks that follow each other."""
        x: list[float | None] = []
        y: list[int | None] = []
        for mark in self.panel.marks:
            is_own = mark.cell is not None and not mark.is_joined
            x.append(mark.place)
            y.append(mark.cell.mean if mark.cell and is_own else None)
        line = {"color": self.panel.style.colour, "width": self.panel.style.width}
        return self._trace([], mode="lines", x=x, y=y, line=line, connectgaps=False, hoverinfo="skip")

    def _marks(self, drawn: Sequence[Mark], symbol: str, colour: str) -> _Dict:
        cells = [mark.cell for mark in drawn if mark.cell is not None]
        hollow = [cell.meetings < FEWEST_MEETINGS for cell in cells]
        return self._trace(
            drawn,
            mode="markers",
            y=[cell.mean for cell in cells],
            marker={
                "symbol": symbol,
                "size": 10,
                "color": [SURFACE if is_hollow else colour for is_hollow in hollow],
                "line": {"color": colour, "width": 2},
            },
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [0 if cell.high is None else cell.high - cell.mean for cell in cells],
                "arrayminus": [0 if cell.low is None else cell.mean - cell.low for cell in cells],
                "color": colour,
                "thickness": 2,
                "width": 0,
            },
            hovertext=[mark.words for mark in drawn],
            hoverinfo="text",
        )

    def _trace(self, drawn: Sequence[Mark], **more: object) -> _Dict:
        place = {"x": [mark.place for mark in drawn], "xaxis": f"x{self.axis}", "yaxis": f"y{self.axis}"}
        return {"type": "scatter"} | place | more

    def frames(self) -> Iterator[_Dict]:
        """Dotted frames around what is shown together, and around nothing."""
        for first, last, _words in self._framed():
            yield self._shape("rect", first - 0.42, last + 0.42, {"color": LINE, "width": 1, "dash": "dot"})

    def frame_words(self) -> Iterator[_Dict]:
        """What the frames say, upwards along their side."""
        for first, last, words in self._framed():
            if not words:
                continue
            across = last > first
            yield self._note(
                (first + last) / 2 if across else first - 0.42,
                100,
                words,
                textangle=0 if across else -90,
                xanchor="center" if across else "left",
                yanchor="top",
                font={"size": 10, "color": INK_2},
            )

    def _framed(self) -> list[tuple[float, float, str]]:
        return [mark.frame for mark in self.panel.marks if mark.frame is not None]

    def changes(self, changes: Sequence[Change]) -> Iterator[_Dict]:
        """Dashed lines through the panel."""
        for change in changes:
            yield self._shape(
                "line", change.before - 0.5, change.before - 0.5, {"color": INK, "width": 1, "dash": "dash"}
            )

    def letters(self, changes: Sequence[Change]) -> Iterator[_Dict]:
        """The letters of the dashed lines."""
        for change in changes:
            yield self._note(change.before - 0.5, 103, change.letter, xanchor="left", yanchor="top", xshift=3)

    def title(self) -> Iterator[_Dict]:
        """The panel's title in ink, after its coloured mark."""
        style = self.panel.style
        for text, colour, shift in ((style.glyph, style.colour, 0), (self.panel.title, INK, 18)):
            yield {
                "xref": f"x{self.axis} domain",
                "yref": f"y{self.axis} domain",
                "x": 0,
                "y": 1,
                "xshift": shift,
                "yshift": 26,
                "xanchor": "left",
                "yanchor": "top",
                "text": text,
                "font": {"size": 15, "color": colour, "weight": 650},
            }

    def _shape(self, kind: str, first: float, last: float, line: _Dict) -> _Dict:
        return {
            "type": kind,
            "xref": f"x{self.axis}",
            "yref": f"y{self.axis}",
            "x0": first,
            "x1": last,
            "y0": 0,
            "y1": 101,
            "line": line,
        }

    def _note(self, x: float, y: float, text: str, **more: object) -> _Dict:
        return {"xref": f"x{self.axis}", "yref": f"y{self.axis}", "x": x, "y": y, "text": text} | more
