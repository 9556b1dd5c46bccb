"""What tells in a text whom it is about: numbers and addresses, which are blanked, and what may be a name, which only a
person can judge."""

import re
import unicodedata
from functools import cache
from itertools import pairwise

#: Stands where something was blanked; the same in every language.
BLANK = "[…]"

#: Year, month, day (60 more for a coordination number) and four digits; a space stands for what people write between.
_IDENTITY = (
    r"(?<!\d)(?:\d \d )?\d \d (?:0 [1-9]|1 [0-2]) (?:0 [1-9]|[12] \d|3 [01]|6 [1-9]|[78] \d|9 [01]) "
    r"[\dTX] \d \d \d(?!\d)"
)

#: What people and well-set pages put between the digits of a number; a dot only where it cannot be a time (08.30).
_GAP = r"[ \t\u00ad\u200b-\u200f\u2010-\u2015\u2212\-_/()\[\]]"
_GAP_OR_DOT = _GAP.replace("_/", "_./")

#: In a reference anything between the digits is suspicious; in a story only what belongs to a number.
_IDENTITY_ANYHOW = re.compile(_IDENTITY.replace(" ", r"[\W_]*"))
_IDENTITY_IN_TEXT = re.compile(_IDENTITY.replace(" ", rf"(?:{_GAP_OR_DOT}|\+){{0,3}}"), re.IGNORECASE)

#: From abroad or a mobile's, another that begins with 0, or seven digits in a row.
_PHONE = re.compile(
    rf"(?<!\d)(?:(?:\+{_GAP}{{0,3}}|00)\d(?:(?! / ){_GAP_OR_DOT}{{0,3}}\d){{5,13}}"
    rf"|0{_GAP}?7(?:(?! / ){_GAP_OR_DOT}{{0,3}}\d){{8}}|0\d(?:(?! / ){_GAP}{{0,3}}\d){{5,8}}|\d{{7,}})(?!\d)"
)

#: Begins with a word, so that a long one is looked at once.
_EMAIL = re.compile(r"(?<![^\s@<>()\"',;:])[^\s@<>()\"',;:]+ ?@ ?[^\s@<>()\"',;:]+\.\w{2,}")

#: After one of these a capitalised word is somebody: "min syster Sara", "heter Omar".
_NAMING = frozenset(
    [
        *(
            "heter",
            "hette",
            "heta",
            "kallas",
            "mamma",
            "pappa",
            "syster",
            "bror",
            "mormor",
            "morfar",
            "farmor",
            "farfar",
        ),
        *("moster", "faster", "morbror", "farbror", "kusin", "dotter", "dottern", "son", "sonen", "läraren", "rektorn"),
        *("handläggaren", "called", "named", "sister", "brother", "mum", "mom", "dad", "grandma", "grandpa", "aunt"),
        *("uncle", "cousin", "daughter", "teacher"),
    ]
)

_WORD_OR_STOP = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*|[.!?:\n]")


def has_identity_number(text: str) -> bool:
    """Whether a reference holds what looks like a personal identity number, on whatever keyboard it was written."""
    return _IDENTITY_ANYHOW.search(_plain(unicodedata.normalize("NFKC", text)).upper()) is not None


def blanked(text: str) -> str:
    """A text without personal identity numbers, phone numbers and e-mail addresses; the same text where it has none. A
    day beside a time may be taken for a number: rather one too many."""
    while (left := _blanked_once(text)) != text:
        text = left
    return text


def _blanked_once(text: str) -> str:
    plain, parts, end = _plain(text), list[str](), 0
    spans = sorted(found.span() for pattern in (_EMAIL, _IDENTITY_IN_TEXT, _PHONE) for found in pattern.finditer(plain))
    for first, last in spans:
        if first >= end:  # else a part of what is blanked already
            parts += [text[end:first], BLANK]
        end = max(end, last)
    return "".join([*parts, text[end:]])


def may_name(text: str) -> bool:
    """Whether a text looks as if it named somebody: two capitalised words in a row, or one after a word that names.
    Scripts without capitals cannot be judged so."""
    words = _WORD_OR_STOP.findall(text)
    return any(
        _is_capitalised(after) and (_is_capitalised(before) or before.casefold() in _NAMING)
        for before, after in pairwise(words)
    )


def _is_capitalised(word: str) -> bool:
    return all(part[0].isupper() and part[1:].islower() for part in word.split("-"))


def _plain(text: str) -> str:
    """The same text, character for character, with digits as 0-9 and wide or no-break marks as the usual ones."""
    return "".join(map(_plain_mark, text))


@cache
def _plain_mark(mark: str) -> str:
    usual = unicodedata.normalize("NFKC", mark)
    return str(unicodedata.decimal(mark, usual if len(usual) == 1 else mark))
