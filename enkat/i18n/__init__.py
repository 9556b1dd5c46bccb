"""Languages: which there are, how they run, their words and their dates.

Swedish is the source, so a message's id is its Swedish text. A language is there for participants when it has every
text that a participant meets, and offered for a questionnaire when it has every one of its texts: nobody ever gets a
page half in one language and half in another. Staff pages have languages of their own.
"""

import gettext
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from babel import Locale, negotiate_locale
from babel.dates import format_date, format_skeleton, format_time

from enkat.i18n.po import Held, compiled, due, lacks, read

SOURCE = "sv"

#: The region whose dates a language gets where the bare language would mean another continent's.
_REGIONS = {"en": "en_GB"}

#: What people call their language, where CLDR says it in a way that fewer know.
_NAMES = {"fa": "دری / فارسی", "ckb": "کوردی (سۆرانی)", "so": "Af-Soomaali"}

#: The same in the languages of the staff pages, where CLDR says it as linguists do.
_NAMES_IN = {
    ("sv", "fa"): "dari/persiska",
    ("en", "fa"): "Dari/Persian",
    ("sv", "ckb"): "kurdiska (sorani)",
    ("en", "ckb"): "Kurdish (Sorani)",
}

#: Wishes of phones that mean a language of ours by another name: Dari, and Sorani in the Arabic script.
_ALIASES = {"prs": "fa", "prs_af": "fa", "ku_arab": "ckb", "ku_arab_iq": "ckb", "ku_iq": "ckb", "ku_ir": "ckb"}


@dataclass(frozen=True)
class Translator:
    """One language: its words, its direction and its dates. `reviewer` is who has read the translation through; None
    where nobody has, and for the source, which has none."""

    language: str
    interface: gettext.NullTranslations
    questions: gettext.NullTranslations
    reviewer: str | None = None

    @cached_property
    def locale(self) -> Locale:
        """Babel's locale, for dates and names."""
        return Locale.parse(_REGIONS.get(self.language, self.language))

    @property
    def is_unreviewed(self) -> bool:
        """True for a translation that nobody who speaks the language has read through."""
        return self.reviewer is None and self.language != SOURCE

    @cached_property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return self.locale.text_direction

    @cached_property
    def name(self) -> str:
        """What the language is called by those who speak it."""
        return _name(self.language)

    def name_of(self, language: str) -> str:
        """What another language is called in this one."""
        return _NAMES_IN.get((self.language, language)) or str(self.locale.languages.get(language, language))

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

    def moment(self, moment: datetime) -> str:
        """A moment as people say it: "20 november 14:20"."""
        return f"{self.day(moment.date())} {format_time(moment, 'HH:mm', tzinfo=moment.tzinfo, locale=self.locale)}"

    def quarter(self, day: date) -> str:
        """The quarter that a day lies in: "K4 2026"."""
        return format_date(day, "QQQ y", locale=self.locale)

    def month(self, day: date) -> str:
        """The month that a day lies in: "nov. 2026"."""
        return format_skeleton("yMMM", day, locale=self.locale)


def _name(language: str) -> str:
    name = _NAMES.get(language) or Locale.parse(language).get_display_name() or language
    return name[:1].upper() + name[1:]


def unbroken(text: str) -> str:
    """A text whose telephone numbers stay on one line."""
    return re.sub(r"(?<=\d) (?=\d)", "\u00a0", text)


class Languages:
    """The source, and every language whose catalogues are whole: `translators` for participants, `for_staff` for the
    staff pages; `known` are all that can be read. `faults` says what keeps a language out."""

    def __init__(
        self,
        held: Iterable[Held],
        texts: Mapping[str, Collection[str]],
        chosen: Collection[str] | None = None,
        faults: Iterable[str] = (),
    ) -> None:
        """`texts` are those due in the domains `participant` and `staff`. Participants are offered the `chosen`
        languages, or all; Swedish always, for it is what everybody gets who has none of the others."""
        self._held = {one.language: one for one in held}
        self.faults = [*faults, *self._unknown(chosen or ())]
        source = Translator(SOURCE, gettext.NullTranslations(), gettext.NullTranslations())
        self.known, self.translators, self.for_staff = ({SOURCE: source} for _ in range(3))
        for language, one in sorted(self._held.items(), key=lambda item: _name(item[0]).casefold()):
            lacking = [text for text in texts["participant"] if lacks(one.participant, text)]
            self._say_lacking(language, "participant.po", lacking, "it is not offered to participants")
            self.known[language] = translator = _translator(one)
            if not lacking and (chosen is None or language in chosen):
                self.translators[language] = translator
            staff = [text for text in texts["staff"] if one.staff is not None and lacks(one.staff, text)]
            self._say_lacking(language, "staff.po", staff, "the staff pages are not to be had in it")
            if one.staff is not None and not lacking and not staff:
                self.for_staff[language] = translator

    def _unknown(self, chosen: Collection[str]) -> list[str]:
        return [
            f"the setting languages names '{language}', which translations/ does not have; remove it there"
            for language in sorted(set(chosen) - self._held.keys() - {SOURCE})
        ]

    def _say_lacking(self, language: str, file: str, lacking: list[str], so: str) -> None:
        if lacking:
            self.faults.append(
                f"translations/{language}: {file} lacks {len(lacking)} texts that can be used, '{lacking[0][:60]}' "
                f"first; {so} until they are there"
            )

    def __getitem__(self, language: str) -> Translator:
        return self.known[language]

    def __contains__(self, language: object) -> bool:
        return language in self.translators

    def offering(self, texts: Mapping[str, str]) -> list[Translator]:
        """The languages that have all the given question texts (context -> source text)."""
        return [one for one in self.translators.values() if not self.missing_questions(one.language, texts)]

    def missing_questions(self, language: str, texts: Mapping[str, str]) -> list[str]:
        """The contexts of the texts that a language does not have."""
        if language == SOURCE:
            return []
        catalogue = self._held[language].questions
        return [context for context, text in texts.items() if lacks(catalogue, text, context)]

    def negotiate(self, preferred: Iterable[str], among: Collection[str]) -> str:
        """The best of the languages on offer for somebody's wishes, best first (`fa-AF`, `sv`)."""
        return _negotiated(tuple(preferred), tuple(sorted(among)))


@lru_cache(maxsize=256)
def _negotiated(preferred: tuple[str, ...], among: tuple[str, ...]) -> str:
    """Most phones of a place wish for the same few languages; asking CLDR once for each wish is enough."""
    wishes = [wish.replace("-", "_").lower() for wish in preferred]
    offered = {language.lower(): language for language in among}
    known = [_ALIASES.get(wish, wish) for wish in wishes]
    return offered.get(negotiate_locale(known, sorted(offered), sep="_") or SOURCE, SOURCE)


def load(folder: Traversable | None = None, chosen: Collection[str] | None = None) -> Languages:
    """Read and compile all catalogues. A language whose files cannot be read is left out and named in `faults`; the
    others are there."""
    folder = folder or files("enkat_translations")
    held, faults = [], []
    for place in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not (place / "LC_MESSAGES").is_dir() or place.name == SOURCE:
            continue
        try:
            held.append(read(place))
        except ValueError as error:
            faults.append(f"{error}; the language is left out until it can be")
    texts = {domain: due(folder / f"{domain}.pot") for domain in ("participant", "staff")}
    return Languages(held, texts, chosen, faults)


def _translator(held: Held) -> Translator:
    is_right_to_left = Locale.parse(held.language).text_direction == "rtl"
    interface = [one for one in (held.participant, held.staff) if one is not None]
    return Translator(
        held.language,
        compiled(interface, is_right_to_left),
        compiled([held.questions], is_right_to_left),
        held.reviewer,
    )
