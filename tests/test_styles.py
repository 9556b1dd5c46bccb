"""Style sheets and the participant's script: colours are tokens, both directions are served, nothing new is needed."""

import gzip
import re
from pathlib import Path

import pytest

import enkat
from enkat.web import headers

STATIC = Path(enkat.__file__).parent / "static"
SHEETS = {
    file.name: re.sub(r"/\*.*?\*/", "", file.read_text("utf-8"), flags=re.DOTALL) for file in STATIC.glob("*.css")
}

#: The white ground of a QR code, and paper: printed pages and slips are black on white whatever the screen shows.
WHITE_AND_BLACK = {"#fff", "#000", "#444", "#777", "#ccc"}


@pytest.mark.parametrize("name", sorted(SHEETS.keys() - {"base.css"}))
def test_a_sheet_has_no_colour_of_its_own(name: str) -> None:
    found = set(re.findall(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl|oklch|color-mix)\(", SHEETS[name]))
    assert not found - WHITE_AND_BLACK


def test_colours_stand_among_the_tokens_alone() -> None:
    outside = re.sub(r":root\s*\{[^}]*\}", "", SHEETS["base.css"])
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b", outside)


def test_every_token_that_is_used_is_there() -> None:
    tokens = set(re.findall(r"(--[\w-]+):", SHEETS["base.css"]))
    used = {token for sheet in SHEETS.values() for token in re.findall(r"var\((--[\w-]+)", sheet)}
    assert used <= tokens
    assert tokens <= used | {"--focus"}, "a token that nothing uses"


@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet_runs_both_ways(name: str) -> None:
    """Logical properties only: left and right would be wrong in Arabic."""
    sided = r"(?<![\w-])(?:(?:margin|padding|border)-(?:left|right)|(?:left|right):|text-align: ?(?:left|right)|float:)"
    assert not re.findall(sided, SHEETS[name])


@pytest.mark.parametrize("name", SHEETS)
@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        (":has", r":has\("),
        ("dialog", r"\bdialog\b|::backdrop"),
        ("nesting", r"\{[^{}]*&|\{[^{}]*\}[^{}]*(?<!@media)\{[^{}]*\{"),
        ("layers and containers", r"@layer|@container|@scope"),
        ("mixed colours", r"color-mix|light-dark\("),
        ("a font or a picture", r"@font-face|url\(|@import"),
    ],
)
def test_nothing_in_a_sheet_needs_a_new_browser(name: str, what: str, pattern: str) -> None:
    flat = re.sub(r"@media[^{]*\{((?:[^{}]*\{[^{}]*\})*)\s*\}", r"\1", SHEETS[name])
    assert not re.search(pattern, flat), what


def test_the_participants_script_is_a_small_comfort() -> None:
    """At most two kilobytes compressed, as it is sent."""
    script = str(headers.page_script())
    assert "function" in script
    assert len(gzip.compress(script.encode(), compresslevel=4)) <= 2048
