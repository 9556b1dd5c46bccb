"""What tells in a text whom it is about: numbers and addresses, which are blanked, and what may be a name, which only a
person can judge."""

import re
import unicodedata
from itertools import pairwise

#: Stands where something was blanked; the same in every language.
BLANK = "[…]"

#: Year, month, day (60 more for a coordination number) and four digits; a space stands for what people write between.
_IDENTITY = (
    r"(?<!\d)(?:\d \d )?\d \d (?:0 [1-9]|1 [0-2]) (?:0 [1-9]|[12] \d|3 [01]|6 [1-9]|[78] \d|9 [01]) "
    r"[\dTX] \d \d \d(?!\d)"
)

#: In a reference anything between the digits is suspicious; in a story only what belongs to a number.
_IDENTITY_ANYHOW = re.compile(_IDENTITY.replace(" ", r"[\W_]*"))
_IDENTITY_IN_TEXT = re.compile(_IDENTITY.replace(" ", r"[ \-–+./]{0,3}"), re.IGNORECASE)

#: From abroad or a mobile's, however it is spaced out; another that begins with 0 (a dot would make a time of it,
#: 08.30); or seven digits in a row.
_PHONE = re.compile(
    r"(?<![\d])(?:(?:\+ ?|00|0 ?7)\d(?:[ \-–./()]{0,3}\d){5,13}|0\d(?:[ \-–/()]{0,3}\d){5,11}|\d{7,15})(?!\d)"
)

_EMAIL = re.compile(r"[^\s@<>()\"',;:]+ ?@ ?[^\s@<>()\"',;:]+\.\w{2,}")

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
    return _IDENTITY_ANYHOW.search(_in_ascii_digits(unicodedata.normalize("NFKC", text)).upper()) is not None


def blanked(text: str) -> str:
    """A text without personal identity numbers, phone numbers and e-mail addresses; the same text where it has none."""
    for pattern in (_EMAIL, _IDENTITY_IN_TEXT, _PHONE):
        read, parts, end = _in_ascii_digits(text), [], 0
        for found in pattern.finditer(read):
            parts += [text[end : found.start()], BLANK]
            end = found.end()
        text = "".join([*parts, text[end:]])
    return text


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


def _in_ascii_digits(text: str) -> str:
    """The same text, character for character, with every decimal digit as 0-9."""
    return "".join(str(unicodedata.decimal(mark, mark)) for mark in text)
