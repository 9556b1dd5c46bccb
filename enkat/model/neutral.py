"""What a sender, a subject or a domain must not say: a message lies open on a phone's lock screen, for anybody in the
room to read."""

import re
import unicodedata

#: A word that tells, and how it is found: letters without their marks, as domains write them too. A compound is found
#: by its first part or, where the word is long enough to be nothing else, anywhere.
_WORDS = {
    "socialtjänst": r"socialtja(?:e)?nst",
    "socialförvaltning": r"socialfo(?:e)?rvaltning",
    "socialnämnd": r"socialna(?:e)?mnd",
    "socialkontor": r"socialkontor",
    "socialsekreterare": r"socialsekr",
    "nätverksmöte": r"na(?:e)?tverksmo(?:e)?te",
    "orosanmälan": r"orosanma(?:e)?l",
    "omhändertag": r"omha(?:e)?ndert(?:ag|og)",
    "utredning": r"utredning",
    "familj": r"familj",
    "barn": r"\bbarn",
    "ärende": r"\ba(?:e)?rende",
    "soc": r"\bsoc\b",
    "social service": r"\bsocial[\W_]*(?:service|work)",
    "network meeting": r"\bnetwork[\W_]*meeting",
    "child": r"\bchild",
    "case": r"\bcase(?:s|work\w*)?\b",
    "family": r"\bfamil(?:y|ies)",
}

#: `_` and digits part words here, as they do in an address.
_PATTERNS = [
    (word, re.compile(re.sub(r"^\\b", r"(?<![^\\W\\d_])", re.sub(r"\\b$", r"(?![^\\W\\d_])", pattern))))
    for word, pattern in _WORDS.items()
]


def says_too_much(text: str) -> str | None:
    """The first of the words in a text that would tell what a message is about, as it stands in the dictionary; None
    where there is none."""
    plain = _plain(text)
    found = [(match.start(), word) for word, pattern in _PATTERNS if (match := pattern.search(plain))]
    return min(found)[1] if found else None


def _plain(text: str) -> str:
    """A text in small letters without marks, and without what cannot be seen and could part a word."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if unicodedata.category(letter) not in {"Mn", "Cf"})
