"""Words that no message may hold: whoever looks over a shoulder must not learn what it is about."""

import re
import unicodedata

#: Wherever they stand, as parts of longer words too; websites write them without marks.
_ANYWHERE = ("socialtjänst", "barn", "ärende", "familj", "nätverksmöte", "orosanmäl", "omhändertag", "socialnämnd")

#: Where a word begins, and as whole words.
_STEMS = ("socialsekreterare", "socialförvaltning", "utredning", "vårdnad", "skyddsbehov", "social service", "child")
_WORDS = ("soc", "lvu", "case", "cases", "family", "families", "network meeting", "network meetings")


def _plain(text: str) -> str:
    """Small letters without marks above them, as in the name of a website."""
    return unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()


def _any(words: tuple[str, ...]) -> str:
    return "|".join(map(_plain, words))


_TELLING = re.compile(rf"{_any(_ANYWHERE)}|(?<![a-z])(?:{_any(_STEMS)}|(?:{_any(_WORDS)})(?![a-z]))")


def says_too_much(text: str) -> str | None:
    """The first word in a text that would tell what a message is about; None where there is none."""
    found = _TELLING.search(_plain(text))
    return found[0] if found else None
