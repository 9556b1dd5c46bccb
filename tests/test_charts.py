"""The charts as figures: a mark for every cell, nothing that is not published, and colours that can be told apart."""

import json
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import pytest

from enkat.charts import grammar, series
from enkat.charts.grammar import PALETTE, STYLES, TEMPLATE, Change, Mark, Panel
from enkat.model.result import ADULTS, ALL, Cell, Outcome, Quarter, Snapshot, Table, cells_of
from enkat.model.survey import Index, Role
from tests.published import children, quarter, quarters, unpublished

INDEX = Index.PARTICIPATION
PUBLISHED = [
    quarter("2025-Q1", {"family": 72, "kin": (64, 9, 4), "professional": 80}),
    quarter("2025-Q2", {"family+kin": 70, "professional": (81, 14, 4)}),
    unpublished("2025-Q3", Outcome.EMPTY),
    unpublished("2025-Q4", Outcome.JOINED),
    quarter("2025-Q4+2026-Q1", {"family": (68, 11, 5), "kin": 61, "professional": 79}),
    quarter("2026-Q2", {"family+professional": 75, "kin": (58, 5, 2)}),
    quarter("2026-Q3", {"family": 0, "kin": 100}),
    unpublished("2026-Q4", Outcome.JOINED),
]

Figure = dict[str, Any]


def drawn(published: list[Snapshot] = PUBLISHED, *changes: Change) -> Figure:
    """The quarters by role, as the page draws them."""
    axis = series.axis(published)
    ticks = tuple(map(str, axis))
    panels = [Panel(role, STYLES[role], ticks, _marks(series.by_role(published, INDEX, role, axis))) for role in ADULTS]
    return grammar.figure(panels, changes)


def _marks(one: series.Series) -> tuple[Mark, ...]:
    return grammar.marks(one, lambda cell: f"{cell.category}: {cell.mean}", lambda _series, _point: "together")


def panel(figure: Figure, number: int, mode: str) -> list[Figure]:
    """The traces of a panel, of one kind."""
    axis = "x" if number == 0 else f"x{number + 1}"
    return [one for one in figure["data"] if one["xaxis"] == axis and one["mode"] == mode]


def marks_of(figure: Figure, number: int) -> list[tuple[float, int]]:
    return sorted(place for one in panel(figure, number, "markers") for place in zip(one["x"], one["y"], strict=True))


def by_role(role: Role) -> list[Cell]:
    return [cell for cell in cells_of(PUBLISHED, Table.QUARTER_ROLE, INDEX) if role in cell.categories]


# Places on the axis


def test_the_axis_goes_from_the_first_published_quarter_to_the_last_that_was_decided_on() -> None:
    assert list(map(str, series.axis(PUBLISHED))) == [
        *("2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4")
    ]
    assert series.axis([unpublished("2026-Q4", Outcome.JOINED)]) == series.axis([]) == []
    early = [unpublished("2024-Q4", Outcome.EMPTY), *quarters("2025-Q1", 3)]
    assert series.axis(early) == [Quarter(2025, 1), Quarter(2025, 2), Quarter(2025, 3)]
    assert series.latest(early, series.axis(early), 2) == [Quarter(2025, 2), Quarter(2025, 3)]


def test_the_latest_quarters_do_not_begin_between_two_that_are_shown_together() -> None:
    joined = [quarter("2025-Q1+2025-Q2"), *quarters("2025-Q3", 2)]
    assert series.latest(joined, series.axis(joined), 3)[0] == Quarter(2025, 1)


def test_every_place_of_every_role_has_one_point() -> None:
    axis = series.axis(PUBLISHED)
    for role in ADULTS:
        points = series.by_role(PUBLISHED, INDEX, role, axis).points
        assert [place for point in points for place in point.places] == list(range(len(axis)))


def test_a_point_without_a_figure_says_whether_it_waits() -> None:
    points = series.by_role(PUBLISHED, INDEX, Role.PROFESSIONAL, series.axis(PUBLISHED)).points
    why = {point.places: point.absence for point in points if point.cell is None}
    assert why == {(2,): series.Absence.NONE, (6,): series.Absence.NONE, (7,): series.Absence.WAITING}


def test_childrens_years_begin_with_the_first_that_was_published() -> None:
    waiting = replace(children("2023"), outcome=Outcome.JOINED, cells=())
    years, points = series.of_children([waiting, children("2023+2024"), children("2025")], INDEX)
    assert years == ["2023", "2024", "2025"]
    assert [point.places for point in points.points] == [(0, 1), (2,)]
    assert series.of_children([replace(children("2023"), outcome=Outcome.EMPTY, cells=())], INDEX)[0] == []


def test_months_that_are_shown_together_are_one_point() -> None:
    months = [month for one in series.axis(PUBLISHED) for month in one.months]
    points = series.by_month(PUBLISHED, INDEX, months, ALL).points
    shown = [point for point in points if point.cell]
    assert [point.cell for point in shown] == cells_of(PUBLISHED, Table.MONTH, INDEX)
    assert sorted(place for point in points for place in point.places) == list(range(len(months)))


# Marks


@pytest.mark.parametrize(("number", "role"), list(enumerate(ADULTS)))
def test_there_is_a_mark_for_every_cell_and_none_for_anything_else(number: int, role: Role) -> None:
    figure = drawn()
    assert [mean for _place, mean in marks_of(figure, number)] == [cell.mean for cell in by_role(role)]
    [numbers] = panel(figure, number, "text")
    assert numbers["text"] == [str(cell.n) for cell in by_role(role)]
    assert numbers["x"] == [place for place, _mean in marks_of(figure, number)], "each number under its mark"
    assert set(numbers["y"]) == {0}


def test_a_mark_of_fewer_than_five_meetings_is_hollow() -> None:
    figure = drawn()
    for number, role in enumerate(ADULTS):
        colours = {
            place: colour
            for one in panel(figure, number, "markers")
            for place, colour in zip(one["x"], one["marker"]["color"], strict=True)
        }
        hollow = [colours[place] == grammar.SURFACE for place in sorted(colours)]
        assert hollow == [cell.meetings < 5 for cell in by_role(role)], role
    assert [cell.meetings for cell in by_role(Role.KIN)].count(4) == 1, "and there is one"


def test_a_stroke_is_the_interval_and_there_is_none_without_one() -> None:
    figure = drawn()
    for number, role in enumerate(ADULTS):
        strokes = {}
        for one in panel(figure, number, "markers"):
            error = one["error_y"]
            assert error["width"] == 0, "no caps"
            for place, up, down in zip(one["x"], error["array"], error["arrayminus"], strict=True):
                strokes[place] = (up, down)
        expected = [
            (0, 0) if cell.low is None or cell.high is None else (cell.high - cell.mean, cell.mean - cell.low)
            for cell in by_role(role)
        ]
        assert [strokes[place] for place in sorted(strokes)] == expected
        assert (0, 0) in expected or role is Role.FAMILY


def test_what_is_shown_together_is_a_cross_in_a_frame_in_every_panel_it_belongs_to() -> None:
    figure = drawn()
    crosses = {
        number: [
            place
            for one in panel(figure, number, "markers")
            if one["marker"]["symbol"] == "cross-thin"
            for place in zip(one["x"], one["y"], strict=True)
        ]
        for number in range(3)
    }
    assert crosses == {0: [(1, 70), (5, 75)], 1: [(1, 70)], 2: [(5, 75)]}
    for number, places in crosses.items():
        frames = frames_of(figure, number)
        for place, _mean in places:
            assert (place, place) in frames


def test_quarters_shown_together_have_one_frame_and_their_mark_in_its_middle() -> None:
    figure = drawn()
    for number in range(3):
        assert (3, 4) in frames_of(figure, number)
        assert 3.5 in [place for place, _mean in marks_of(figure, number)]


def test_where_nothing_is_shown_the_frame_is_empty() -> None:
    figure = drawn()
    for number in range(3):
        drawn_at = {place for place, _mean in marks_of(figure, number)}
        for place in (2, 7):
            assert (place, place) in frames_of(figure, number)
            assert place not in drawn_at
    words = [one["text"] for one in figure["layout"]["annotations"] if one["text"] == "together"]
    assert len(words) == sum(len(frames_of(figure, number)) for number in range(3))


def frames_of(figure: Figure, number: int) -> list[tuple[int, int]]:
    axis = "x" if number == 0 else f"x{number + 1}"
    return [
        (round(one["x0"] + 0.42), round(one["x1"] - 0.42))
        for one in figure["layout"]["shapes"]
        if one["type"] == "rect" and one["xref"] == axis
    ]


def test_a_line_goes_through_a_roles_own_marks_and_breaks_at_gaps_and_at_joined_ones() -> None:
    figure = drawn()
    lines = [panel(figure, number, "lines")[0] for number in range(3)]
    assert [line["y"] for line in lines] == [
        [72, None, None, 68, None, 0, None],
        [64, None, None, 61, 58, 100, None],
        [80, 81, None, 79, None, None, None],
    ]
    assert not any(line["connectgaps"] for line in lines)
    assert all(first < second for line in lines for first, second in pairwise(line["x"]))


def test_categories_that_do_not_follow_each_other_have_no_line() -> None:
    cells = cells_of([quarter("2025-Q1")], Table.QUARTER_ROLE, INDEX)
    marks = tuple(Mark(place, cell) for place, cell in enumerate(cells))
    figure = grammar.figure([Panel("units", grammar.ALL, ("a", "b", "c"), marks, has_line=False)])
    assert not panel(figure, 0, "lines")


# Panels


@pytest.mark.parametrize("many", [1, 2, 3, 4, 5, 7])
def test_every_panel_has_the_same_axis_from_nought_to_a_hundred(many: int) -> None:
    one = Panel("x", grammar.ALL, ("a", "b"), (Mark(0, cells_of(PUBLISHED, Table.MONTH, INDEX)[0]),))
    figure = grammar.figure([one] * many)
    axes = {name: axis for name, axis in figure["layout"].items() if name.startswith("yaxis")}
    assert len(axes) == many
    assert not [axis for axis in axes.values() if "range" in axis or "dtick" in axis], "what the template says holds"
    low, high = TEMPLATE["layout"]["yaxis"]["range"]
    assert low == 0
    assert 100 <= high < 105
    assert TEMPLATE["layout"]["yaxis"]["dtick"] == 25
    for grid in figure["grids"].values():
        assert len(grid["x"]) == len(grid["y"]) == many
        heights = {round((above - below) * _inside(figure, grid)) for below, above in grid["y"]}
        assert max(heights) - min(heights) <= 3, "all panels are of one height, save for the rounding of their shares"
        places = list(zip(grid["x"], grid["y"], strict=True))
        assert not [pair for pair in combinations(places, 2) if _overlap(*pair)], "and none covers another"
        assert all(0 <= edge <= 1 for sides in places for side in sides for edge in side)
    assert {tuple(x) for x in figure["grids"]["narrow"]["x"]} == {(0, 1)}, "one column on narrow paper"


def _inside(figure: Figure, grid: Figure) -> float:
    margin = figure["layout"]["margin"]
    return float(grid["height"] - margin["t"] - margin["b"])


def _overlap(one: Any, other: Any) -> bool:
    return all(a[0] < b[1] and b[0] < a[1] for a, b in zip(one, other, strict=True))


def test_a_new_version_is_a_dashed_line_with_its_letter_through_every_panel() -> None:
    figure = drawn(PUBLISHED, Change(1, "A"), Change(5, "B"))
    lines = [one for one in figure["layout"]["shapes"] if one["type"] == "line"]
    assert {one["line"]["dash"] for one in lines} == {"dash"}
    assert sorted((one["xref"], one["x0"]) for one in lines) == [
        (axis, place) for axis in ("x", "x2", "x3") for place in (0.5, 4.5)
    ]
    letters = [(one["xref"], one["text"]) for one in figure["layout"]["annotations"] if one["text"] in ("A", "B")]
    assert sorted(letters) == [(axis, letter) for axis in ("x", "x2", "x3") for letter in "AB"]


# Colours


def test_every_colour_that_is_drawn_has_its_like_on_dark_paper() -> None:
    text = json.dumps([drawn(PUBLISHED, Change(1, "A")), TEMPLATE])
    used = {text[place : place + 7] for place in range(len(text)) if text[place] == "#"}
    assert used <= set(PALETTE), used - set(PALETTE)
    assert {style.colour for style in STYLES.values()} | {grammar.ALL.colour} <= set(PALETTE)
    assert all(colour == colour.upper() for colour in (*PALETTE, *PALETTE.values())), "as the script looks for them"
    assert not set(PALETTE) & set(PALETTE.values()), "exchanged once and not twice"


def test_roles_can_be_told_apart_in_grey_and_by_their_marks() -> None:
    for colours in (
        [style.colour for style in STYLES.values()],
        [PALETTE[style.colour] for style in STYLES.values()],
    ):
        grey = sorted(map(lightness, colours))
        assert min(after - before for before, after in pairwise(grey)) >= 12, grey
    assert len({style.symbol for style in STYLES.values()}) == len({style.glyph for style in STYLES.values()}) == 4


def test_marks_and_words_stand_out_from_their_paper() -> None:
    for is_dark in (False, True):
        shown = {colour: PALETTE[colour] if is_dark else colour for colour in PALETTE}
        paper = shown[grammar.SURFACE]
        for style in (*STYLES.values(), grammar.ALL):
            assert contrast(shown[style.colour], paper) >= 3, style
        for ink in (grammar.INK, grammar.INK_2):
            assert contrast(shown[ink], paper) >= 4.5


def lightness(colour: str) -> float:
    """CIE L*: how light a colour is in grey, from 0 to 100."""
    y = luminance(colour)
    return 116 * y ** (1 / 3) - 16 if y > 216 / 24389 else y * 24389 / 27


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


# Plotly


def test_plotly_knows_every_word_of_the_figures() -> None:
    """Its own validators; they take a while to load."""
    from plotly import graph_objects

    wide = drawn(PUBLISHED, Change(1, "A"))
    units = grammar.figure([Panel("a", grammar.ALL, ("b",), (Mark(0, by_role(Role.KIN)[0]),), has_line=False)])
    for figure in (wide, units):
        layout = figure["layout"] | {"template": TEMPLATE}
        for grid in figure["grids"].values():
            for number, domain in enumerate(grid["x"]):
                axis = str(number + 1) if number else ""
                layout[f"xaxis{axis}"] = figure["layout"][f"xaxis{axis}"] | {"domain": domain}
                layout[f"yaxis{axis}"] = figure["layout"][f"yaxis{axis}"] | {"domain": grid["y"][number]}
            known = graph_objects.Figure(data=figure["data"], layout=layout)
            assert len(known.data) == len(figure["data"])
            assert len(known.layout.shapes) == len(figure["layout"]["shapes"])


def test_a_figure_goes_into_a_page_as_it_is() -> None:
    figure = drawn()
    assert json.loads(json.dumps(figure, allow_nan=False)) == json.loads(json.dumps(figure))
    assert figure == drawn(), "the same figures, the same chart"
