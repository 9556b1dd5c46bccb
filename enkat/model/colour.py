"""Colours, and whether one can be read on another: WCAG 2.2's relative luminance and contrast ratio."""

import re
from dataclasses import dataclass

#: What text has to reach on its ground: WCAG 2.2, success criterion 1.4.3.
READABLE = 4.5

#: How much of the accent is in the soft fill behind what is chosen.
_SOFTENED = 0.12


@dataclass(frozen=True)
class Colour:
    """An opaque colour; each part is from 0 to 255."""

    red: int
    green: int
    blue: int

    @staticmethod
    def parse(text: str) -> "Colour":
        """`#0b5d4e` or `#0b5`; ValueError for anything else."""
        digits = text.strip().removeprefix("#")
        if not re.fullmatch(r"[0-9a-fA-F]{3}|[0-9a-fA-F]{6}", digits):
            raise ValueError(f"'{text}' is no colour such as #0b5d4e")
        if len(digits) == 3:
            digits = "".join(digit * 2 for digit in digits)
        return Colour(*(int(digits[place : place + 2], 16) for place in (0, 2, 4)))

    def __str__(self) -> str:
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"

    @property
    def luminance(self) -> float:
        """Relative luminance, 0 (black) to 1 (white)."""
        parts = [part / 255 for part in (self.red, self.green, self.blue)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(self, other: "Colour") -> float:
        """The contrast ratio of two colours, 1 to 21."""
        darker, lighter = sorted((self.luminance, other.luminance))
        return (lighter + 0.05) / (darker + 0.05)

    def mixed(self, other: "Colour", share: float) -> "Colour":
        """This colour with a share (0 to 1) of another in it."""
        pairs = zip((self.red, self.green, self.blue), (other.red, other.green, other.blue), strict=True)
        return Colour(*(round(mine + (theirs - mine) * share) for mine, theirs in pairs))


@dataclass(frozen=True)
class Accent:
    """A municipality's colour as the pages use it: itself, the text upon it, and the soft fill of what is chosen."""

    colour: Colour
    on_colour: Colour
    soft: Colour


_WHITE = Colour(255, 255, 255)

#: The grounds that pages have, by day and by night: the tokens `paper` and `surface` of base.css.
LIGHT_GROUNDS = Colour.parse("#faf9f5"), _WHITE
DARK_GROUNDS = Colour.parse("#131917"), Colour.parse("#1c2421")
_DARK_INK = Colour.parse("#08211b")


def by_day(colour: Colour) -> Accent:
    """A colour as the accent of light pages; ValueError where it cannot be read on one of its grounds."""
    accent = Accent(colour, _WHITE, LIGHT_GROUNDS[1].mixed(colour, _SOFTENED))
    least = min(colour.contrast(ground) for ground in (*LIGHT_GROUNDS, accent.soft))
    if least < READABLE:
        raise ValueError(
            f"the contrast of {colour} with its ground is {least:.1f}:1 and has to be {READABLE}:1; choose a darker one"
        )
    return accent


def by_night(colour: Colour) -> Accent:
    """The same colour, lightened until it can be read well on dark pages."""
    share = 0.0
    while min(colour.mixed(_WHITE, share).contrast(ground) for ground in DARK_GROUNDS) < READABLE + 3:
        share += 0.02
    light = colour.mixed(_WHITE, share)
    return Accent(light, _DARK_INK, DARK_GROUNDS[1].mixed(light, _SOFTENED))
