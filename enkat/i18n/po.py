"""Catalogue files: read, judged, and compiled in memory.

A language is a folder with three of them: `participant.po` (everything a participant meets but the questions),
`questions.po`, and, for those that the staff pages can be had in, `staff.po`. The `.pot` beside the folders holds
the texts that are due.
"""

import gettext
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from io import BytesIO
from itertools import pairwise

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

#: The header in which a catalogue says who has read it through, and what stands there before anybody has.
REVIEWED_BY, NOBODY = "X-Reviewed-By", "nobody"

#: Whatever begins with a per cent sign is filled in, or fails to be.
_PLACEHOLDER = re.compile(r"%(?:\(\w+\)[sd]|.?)", re.DOTALL)

#: What would be read as markup on a page.
_MARKUP = re.compile(r"[<>&\"]")

#: What would come out in the wrong order inside a text that runs from right to left: what is filled in, digits in
#: groups ("116 111" would be read as 111 116), and what they belong to in Latin letters ("WCAG 2.2").
_GROUP = r"[+\d](?:[\d .,:/\u00a0\u202f–-]*\d)?"
_ISOLATED = re.compile(rf"(?P<value>%\(\w+\)[sd])|[A-Za-z]+ {_GROUP}|{_GROUP}")

_LEFT_TO_RIGHT, _FIRST_STRONG, _END = "\u2066", "\u2068", "\u2069"


@dataclass(frozen=True)
class Held:
    """One language's catalogues, and who has reviewed them; `staff` is None where staff pages are not to be had."""

    language: str
    participant: Catalog
    questions: Catalog
    staff: Catalog | None
    reviewer: str | None


def read(folder: Traversable) -> Held:
    """Read a language's folder; ValueError or OSError says which file cannot be read, and why."""
    language, place = folder.name, folder / "LC_MESSAGES"
    (participant, one), (questions, other) = (
        _read(place / f"{domain}.po", language) for domain in ("participant", "questions")
    )
    staff = _read(place / "staff.po", language)[0] if (place / "staff.po").is_file() else None
    reviewers = {one, other}
    is_reviewed = reviewers.isdisjoint({"", NOBODY})
    return Held(language, participant, questions, staff, ", ".join(sorted(reviewers)) if is_reviewed else None)


def due(file: Traversable) -> list[str]:
    """The texts of a template, `participant.pot` say; of those with a plural, the singular."""
    texts = [message.id for message in read_po(BytesIO(file.read_bytes())) if message.id]
    return [text[0] if isinstance(text, tuple | list) else text for text in texts]


def header(file: Traversable, name: str) -> str:
    """A line of a catalogue's header; Babel forgets those that it does not know."""
    first = file.read_text(encoding="utf-8-sig").partition("\n\n")[0]
    lines = "".join(re.findall(r'^(?:msgstr )?"(.*)"$', first, re.MULTILINE)).split(r"\n")
    return next((value.strip() for key, _, value in (line.partition(":") for line in lines) if key == name), "")


def lacks(catalogue: Catalog, text: str, context: str | None = None) -> bool:
    """Whether a text has no translation that can be used: none, one that nobody has looked at since the text was
    changed, or one that would fail because it names other things than the text does."""
    message = catalogue.get(text, context)
    return message is None or message.fuzzy or not all(_said(message)) or bool(misnamed(message))


def misnamed(message: Message) -> list[str]:
    """The translations that do not fill in what their source does (a lost `%(number)s`, one more, a stray per cent
    sign), or hold markup that it does not."""
    sources = [message.id] if isinstance(message.id, str) else message.id
    wanted = {_marks(text) for text in sources}
    return [text for text in _said(message) if text and _marks(text) not in wanted]


def _marks(text: str) -> tuple[str, ...]:
    return tuple(sorted(_PLACEHOLDER.findall(text) + _MARKUP.findall(text)))


def compiled(catalogues: Iterable[Catalog], is_right_to_left: bool) -> gettext.NullTranslations:
    """Catalogues as one; in the first is looked first."""
    found = [_compiled(one, is_right_to_left) for one in catalogues]
    for first, second in pairwise(found):
        first.add_fallback(second)
    return found[0]


def isolated(text: str) -> str:
    """A text that runs from right to left with what does not kept in order: numbers from left to right, and what is
    filled in as it runs by itself. Unicode's isolates (UAX 9) do so in titles and labels too, where no tag can."""
    return _ISOLATED.sub(lambda found: (_FIRST_STRONG if found["value"] else _LEFT_TO_RIGHT) + found[0] + _END, text)


def _read(file: Traversable, language: str) -> tuple[Catalog, str]:
    """A catalogue and its reviewer."""
    try:
        Locale.parse(language)
        catalogue = read_po(
            BytesIO(file.read_bytes().removeprefix(b"\xef\xbb\xbf")), locale=language, abort_invalid=True
        )
        numbered = _compiled(catalogue, False).ngettext
        for number in range(200):
            numbered("one", "many", number)  # a plural that divides by zero would fail on a page
        return catalogue, header(file, REVIEWED_BY)
    except Exception as error:
        raise ValueError(f"translations/{language}: {file.name} cannot be read: {error}") from error


def _compiled(catalogue: Catalog, is_right_to_left: bool) -> gettext.GNUTranslations:
    if is_right_to_left:
        catalogue = _all_isolated(catalogue)
    written = BytesIO()
    write_mo(written, catalogue)
    written.seek(0)
    return gettext.GNUTranslations(written)


def _all_isolated(catalogue: Catalog) -> Catalog:
    copy = Catalog(locale=catalogue.locale)
    for message in catalogue:
        if message.id:
            said = tuple(map(isolated, _said(message)))
            copy.add(
                message.id, said if message.pluralizable else said[0], context=message.context, flags=message.flags
            )
    return copy


def _said(message: Message) -> tuple[str, ...]:
    said = message.string
    return tuple(said) if isinstance(said, tuple | list) else (said or "",)
