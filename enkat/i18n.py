"""Languages: which there are, how they run, their catalogues compiled in memory, their dates.

Swedish is the source, so a message's id is its Swedish text. The interface and the questions are two domains:
a questionnaire is offered in a language only where that language has every one of its texts.
"""

import gettext
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO

from babel import Locale, negotiate_locale
from babel.dates import format_date, format_skeleton
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from enkat.model.errors import CatalogueError

SOURCE = "sv"

#: The region whose dates a language gets where the bare language would mean another continent's.
_REGIONS = {"en": "en_GB"}


@dataclass(frozen=True)
class Translator:
    """One language: its words, its direction and its dates."""

    language: str
    interface: gettext.NullTranslations
    questions: gettext.NullTranslations

    @cached_property
    def locale(self) -> Locale:
        """Babel's locale, for dates and names."""
        return Locale.parse(_REGIONS.get(self.language, self.language))

    @cached_property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return self.locale.text_direction

    @cached_property
    def name(self) -> str:
        """What the language calls itself."""
        name = Locale.parse(self.language).get_display_name() or self.language
        return name[:1].upper() + name[1:]

    def question(self, context: str, text: str) -> str:
        """A question's text in this language."""
        return self.questions.pgettext(context, text)

    def day(self, day: date, weekday: bool = False) -> str:
        """A day as people say it: "20 november", "fredag 20 november"."""
        said = format_skeleton("MMMMd", day, locale=self.locale)
        return f"{format_date(day, 'EEEE', locale=self.locale)} {said}" if weekday else said

    def full_day(self, day: date) -> str:
        """A day with its year: "20 november 2026"."""
        return format_date(day, "long", locale=self.locale)

    def quarter(self, day: date) -> str:
        """The quarter that a day lies in: "K4 2026"."""
        return format_date(day, "QQQ y", locale=self.locale)

    def month(self, day: date) -> str:
        """The month that a day lies in: "nov. 2026"."""
        return format_skeleton("yMMM", day, locale=self.locale)


class Languages:
    """Every language that has a catalogue, and the source."""

    def __init__(self, interface: Mapping[str, Catalog], questions: Mapping[str, Catalog]) -> None:
        self._questions = questions
        self._interface = interface
        self.translators = {SOURCE: Translator(SOURCE, gettext.NullTranslations(), gettext.NullTranslations())}
        for language in sorted(interface.keys() & questions.keys()):
            self.translators[language] = Translator(
                language, _compiled(interface[language]), _compiled(questions[language])
            )

    def __getitem__(self, language: str) -> Translator:
        return self.translators[language]

    def __contains__(self, language: object) -> bool:
        return language in self.translators

    def offering(self, texts: Mapping[str, str]) -> list[Translator]:
        """The languages that have all the given question texts (context -> source text)."""
        return [one for one in self.translators.values() if not self.missing_questions(one.language, texts)]

    def missing_questions(self, language: str, texts: Mapping[str, str]) -> list[str]:
        """The contexts of the texts that a language does not have."""
        if language == SOURCE:
            return []
        catalogue = self._questions[language]
        return [context for context, text in texts.items() if not _has(catalogue, text, context)]

    def missing_messages(self, language: str, messages: Iterable[str]) -> list[str]:
        """The interface's messages that a language does not have."""
        if language == SOURCE:
            return []
        return [message for message in messages if not _has(self._interface[language], message)]

    def negotiate(self, preferred: Iterable[str], among: Collection[str]) -> str:
        """The best of the languages on offer for somebody's wishes, best first (`fa-AF`, `sv`)."""
        return _negotiated(tuple(preferred), tuple(sorted(among)))


@lru_cache(maxsize=256)
def _negotiated(preferred: tuple[str, ...], among: tuple[str, ...]) -> str:
    """Most phones of a place wish for the same few languages; asking CLDR once for each wish is enough."""
    wishes = [wish.replace("-", "_").lower() for wish in preferred]
    offered = {language.lower(): language for language in among}
    return offered.get(negotiate_locale(wishes, sorted(offered), sep="_") or SOURCE, SOURCE)


def load(folder: Traversable | None = None) -> Languages:
    """Read and compile all catalogues; CatalogueError names a file that cannot be read."""
    folder = folder or files("enkat_translations")
    interface, questions = {}, {}
    for language in sorted(entry.name for entry in folder.iterdir() if entry.is_dir()):
        catalogues = folder / language / "LC_MESSAGES"
        if catalogues.is_dir() and language != SOURCE:
            interface[language] = _read(catalogues / "messages.po", language)
            questions[language] = _read(catalogues / "questions.po", language)
    return Languages(interface, questions)


def _read(file: Traversable, language: str) -> Catalog:
    try:
        Locale.parse(language)
        return read_po(BytesIO(file.read_bytes()), locale=language, abort_invalid=True)
    except Exception as error:
        raise CatalogueError([f"{language}: {file.name} cannot be read: {error}"]) from error


def _compiled(catalogue: Catalog) -> gettext.GNUTranslations:
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _has(catalogue: Catalog, text: str, context: str | None = None) -> bool:
    message = catalogue.get(text, context)
    if message is None or message.fuzzy:
        return False
    return all(message.string) if isinstance(message.string, (tuple, list)) else bool(message.string)
