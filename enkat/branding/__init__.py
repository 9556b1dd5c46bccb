"""Whose pages these are: the municipality's name, its logo and its colour."""

from dataclasses import dataclass

from markupsafe import Markup

from enkat.branding import logo
from enkat.model import colour
from enkat.model.errors import SettingsError
from enkat.settings import Settings


@dataclass(frozen=True)
class Brand:
    """What every page shows of the municipality. `theme` is a style sheet that sets the accent's tokens anew."""

    name: str | None = None
    logo: Markup | None = None
    theme: str = ""


def load(settings: Settings) -> Brand:
    """The brand that the settings name; SettingsError where the logo cannot be used."""
    return Brand(settings.name, _logo(settings), _theme(settings.accent) if settings.accent else "")


def _logo(settings: Settings) -> Markup | None:
    if settings.logo is None:
        return None
    file = settings.instance / settings.logo
    try:
        if not file.is_file():
            raise FileNotFoundError(2, "No such file or directory")
        with file.open("rb") as drawing:
            return logo.cleaned(drawing.read(logo.MOST_READ + 1))
    except (OSError, ValueError) as error:
        raise SettingsError(f"the logo {file} cannot be used: {error}") from error


def _theme(accent: colour.Colour) -> str:
    day, night = _tokens(colour.by_day(accent)), _tokens(colour.by_night(accent))
    return f":root{{{day}}}@media (prefers-color-scheme:dark){{:root{{{night}}}}}"


def _tokens(accent: colour.Accent) -> str:
    return f"--accent:{accent.colour};--on-accent:{accent.on_colour};--soft:{accent.soft}"
