"""A municipality's name, logo and colour: what is kept of a drawing, and which colours can be read."""

import gzip
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enkat import branding
from enkat.branding.logo import MOST_BYTES, MOST_KEPT, MOST_READ, cleaned
from enkat.model import colour
from enkat.model.colour import DARK_GROUNDS, LIGHT_GROUNDS, READABLE, Colour
from enkat.model.errors import SettingsError
from enkat.settings import Settings

CSS = (Path(branding.__file__).parents[1] / "static" / "base.css").read_text(encoding="utf-8")
PARTS = st.integers(0, 255)
COLOURS = st.builds(Colour, PARTS, PARTS, PARTS)


def svg(inside: str, attributes: str = 'viewBox="0 0 10 10"') -> bytes:
    """A drawing with something in it, and one path that may stay."""
    return f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}><path d="M0 0h9v9z"/>{inside}</svg>'.encode()


# Colours


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000", "#fff", 21.0),
        ("#ffffff", "#FFFFFF", 1.0),
        ("#767676", "#ffffff", 4.54),
        ("#777777", "#ffffff", 4.48),
        ("#0b5d4e", "#faf9f5", 7.4),
    ],
)
def test_contrast_is_what_wcag_says(one: str, other: str, ratio: float) -> None:
    assert Colour.parse(one).contrast(Colour.parse(other)) == pytest.approx(ratio, abs=0.05)
    assert Colour.parse(other).contrast(Colour.parse(one)) == pytest.approx(ratio, abs=0.05)


@given(COLOURS)
def test_every_accent_is_refused_or_can_be_read_wherever_it_stands(chosen: Colour) -> None:
    """By day on paper, on what is white and on what is chosen, and by night; and what stands upon it."""
    if min(chosen.contrast(ground) for ground in LIGHT_GROUNDS) < READABLE:
        with pytest.raises(ValueError, match="contrast"):
            colour.by_day(chosen)
    try:
        day = colour.by_day(chosen)
    except ValueError:
        return
    night = colour.by_night(chosen)
    for accent, grounds in ((day, LIGHT_GROUNDS), (night, DARK_GROUNDS)):
        for ground in (*grounds, accent.on_colour, accent.soft):
            assert accent.colour.contrast(ground) >= READABLE, (chosen, accent, ground)
    assert Colour.parse("#1b2421").contrast(day.soft) >= READABLE
    assert Colour.parse("#edf1ec").contrast(night.soft) >= READABLE


@given(COLOURS)
def test_a_colour_is_written_as_it_is_read(one: Colour) -> None:
    assert Colour.parse(str(one)) == one


def test_the_grounds_are_those_of_the_style_sheet() -> None:
    day, night = CSS.split("@media (prefers-color-scheme: dark)")[:2]
    for sheet, grounds in ((day, LIGHT_GROUNDS), (night, DARK_GROUNDS)):
        said = [re.search(rf"--{name}: (#\w+)", sheet)[1] for name in ("paper", "surface")]  # type: ignore[index]
        assert [str(ground) for ground in grounds] == [str(Colour.parse(one)) for one in said]


@pytest.mark.parametrize("token", ["accent", "on-accent", "soft"])
def test_a_theme_sets_the_accents_tokens_by_day_and_by_night(tmp_path: Path, token: str) -> None:
    theme = branding.load(Settings(tmp_path, accent=Colour.parse("#00518a"))).theme
    assert theme.count(f"--{token}:#") == 2
    assert "--accent:#00518a" in theme


# Logos


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        '<path d="M0 0h1" onclick="alert(1)"/>',
        '<a href="javascript:alert(1)"><path d="M0 0h1"/></a>',
        '<image href="https://elsewhere.example/x.png"/>',
        '<use href="https://elsewhere.example/x.svg#a"/>',
        '<use xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="//elsewhere.example/#a"/>',
        '<path d="M0 0h1" fill="url(https://elsewhere.example/x)"/>',
        '<path d="M0 0h1" style="fill:url(//elsewhere.example/x)"/>',
        '<path d="M0 0h1" fill="u\\72l(//elsewhere.example/x)"/>',
        "<style>@import '//elsewhere.example/x.css'; .a{fill:red}</style>",
        "<style>.a{fill:url(//elsewhere.example/x)}</style><path class='a' d='M0 0h1'/>",
        '<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="//elsewhere.example"/></foreignObject>',
        '<animate attributeName="href" values="javascript:alert(1)"/>',
        '<set attributeName="onclick" to="alert(1)"/>',
        '<text font-family="elsewhere">Mitthem</text>',
        "<metadata>elsewhere</metadata>",
        "<!-- elsewhere --><?xml-stylesheet href='//elsewhere.example'?>",
    ],
)
def test_nothing_but_the_shapes_is_left_of_a_drawing(inside: str) -> None:
    said = cleaned(svg(inside))
    assert "<path" in said
    assert not re.search(r"elsewhere|javascript|alert|script|style|on\w+=|iframe|import|//|<!|<\?", said), said
    ElementTree.fromstring(said)


def test_what_a_drawing_program_writes_looks_the_same_afterwards() -> None:
    """Classes and styles become attributes, gradients are found under their new names."""
    drawn = svg(
        "<defs><style>.st0,.st1{fill:#005;} .st1{stroke:red}</style>"
        '<linearGradient id="a"><stop offset="0" style="stop-color:#fff"/></linearGradient></defs>'
        '<g class="st1" style="opacity:.5"><rect width="4" height="4" fill="url(#a)"/></g>'
    )
    said = cleaned(drawn)
    for kept in (
        'fill="#005"',
        'stroke="red"',
        'opacity=".5"',
        'id="logo-a"',
        'fill="url(#logo-a)"',
        'stop-color="#fff"',
    ):
        assert kept in said, kept
    assert said.startswith('<svg viewBox="0 0 10 10" class="logo" aria-hidden="true">')


def test_a_drawing_without_coordinates_of_its_own_gets_those_of_its_size() -> None:
    assert 'viewBox="0 0 120 40"' in cleaned(svg("", 'width="120px" height="40"'))


@pytest.mark.parametrize(
    ("drawing", "why"),
    [
        (b"", "cannot be read"),
        (b"\x89PNG\r\n\x1a\n", "cannot be read"),
        (b"<html><body/></html>", "not an SVG"),
        (b'<svg viewBox="0 0 1 1"><path d="M0 0"/></svg>', "not an SVG"),
        (svg("", ""), "no viewBox"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><text>x</text></svg>', "nothing is drawn"),
        (b'<!DOCTYPE svg [<!ENTITY a "aaaa">]>' + svg("<g>&a;</g>"), "entities"),
        (b'<!DOCTYPE svg [<!ENTITY a "b"><!ENTITY b "&a;&a;">]>' + svg(""), "entities"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>'.decode().encode("utf-16"), "cannot be read"),
        (svg(""), ""),
    ],
)
def test_a_drawing_that_cannot_be_used_is_refused_with_its_reason(drawing: bytes, why: str) -> None:
    if not why:
        assert cleaned(drawing)
        return
    with pytest.raises(ValueError, match=why):
        cleaned(drawing)


def test_a_heavy_drawing_is_refused_so_that_the_form_stays_light() -> None:
    points = " ".join(f"{number * 7919 % 9973} {number * 104729 % 9967}" for number in range(900))
    with pytest.raises(ValueError, match=f"may be {MOST_BYTES}"):
        cleaned(svg(f'<polygon points="{points}"/>'))
    with pytest.raises(ValueError, match=f"may take {MOST_KEPT}"):
        cleaned(svg(f'<path d="M0 0{"h9" * MOST_KEPT}"/>'))
    with pytest.raises(ValueError, match="larger than 64 kB"):
        cleaned(svg(" " * MOST_READ))


def test_a_drawing_that_would_be_drawn_a_million_times_is_refused() -> None:
    """Each part made of two of the one before: twenty of them would keep a browser busy for minutes."""
    doubled = "".join(f'<g id="p{n}"><use href="#p{n - 1}"/><use href="#p{n - 1}"/></g>' for n in range(1, 20))
    with pytest.raises(ValueError, match="made of each other"):
        cleaned(svg(f'<defs><g id="p0"><path d="M0 0h1"/></g>{doubled}</defs>'))
    assert "use" in cleaned(svg('<defs><path id="a" d="M0 0h1"/></defs><use href="#a"/>'))
    with pytest.raises(ValueError, match=r"too deep|cannot be read"):
        cleaned(svg("<g>" * 4000 + "</g>" * 4000))


@pytest.mark.parametrize("hidden", ['display="none"', 'style="display: none"', 'visibility="hidden"', 'class="off"'])
def test_a_hidden_layer_stays_hidden(hidden: str) -> None:
    said = cleaned(svg(f'<style>.off{{display:none}}</style><g {hidden}><path d="M1 1h7"/></g>'))
    assert "M1 1h7" not in said


def test_what_the_whole_drawing_is_painted_with_is_kept() -> None:
    said = cleaned(svg("", 'viewBox="0 0 10 10" fill="none" stroke="#123" width="5"'))
    assert said.startswith('<svg viewBox="0 0 10 10" fill="none" stroke="#123" class="logo" aria-hidden="true">')
    assert 'fill="#123"' in cleaned(svg('<path d="M0 0h1" style="fill:#123 !important"/>'))


def test_the_heaviest_drawing_that_is_let_in_weighs_no_more_than_that() -> None:
    points = " ".join(f"{number * 7919 % 9973} {number * 104729 % 9967}" for number in range(450))
    said = cleaned(svg(f'<polygon points="{points}"/>'))
    assert 0.8 * MOST_BYTES < len(gzip.compress(said.encode())) <= MOST_BYTES


def test_a_logo_that_cannot_be_used_stops_the_start_and_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"the logo .*logo\.svg cannot be used: .*No such file"):
        branding.load(Settings(tmp_path, name="Mitthem", logo="logo.svg"))
    (tmp_path / "logo.svg").write_bytes(b"no drawing")
    with pytest.raises(SettingsError, match=r"the logo .* cannot be used: it cannot be read as SVG"):
        branding.load(Settings(tmp_path, name="Mitthem", logo="logo.svg"))
    (tmp_path / "logo.svg").write_bytes(svg(""))
    assert branding.load(Settings(tmp_path, name="Mitthem", logo="logo.svg")).logo
