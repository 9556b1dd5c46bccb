"""How long an SMS is, and how many it is sent as."""

from dataclasses import dataclass

#: GSM 03.38: the letters that every phone knows, one septet each.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)

#: Those behind an escape: two septets.
_EXTENDED = frozenset("\f^{}\\[~]|€")

#: What one message holds alone, and what each holds of several: septets, or else units of UTF-16.
_SEPTETS = 160, 153
_UNITS = 70, 67


@dataclass(frozen=True)
class Length:
    """A text as the network counts it: a letter that takes two places counts as two characters."""

    characters: int
    parts: int
    is_gsm: bool


def measure(text: str) -> Length:
    """The length of a text. A single letter outside GSM 03.38 makes the whole text UCS-2, less than half as long."""
    is_gsm = _BASIC.union(_EXTENDED).issuperset(text)
    if is_gsm:
        places = [2 if letter in _EXTENDED else 1 for letter in text]
    else:
        places = [2 if letter > "\uffff" else 1 for letter in text]
    return Length(sum(places), _parts(places, *(_SEPTETS if is_gsm else _UNITS)), is_gsm)


def _parts(places: list[int], alone: int, each: int) -> int:
    """The number of messages; a letter of two places is never divided between two of them."""
    if sum(places) <= alone:
        return 1
    parts, filled = 1, 0
    for place in places:
        if filled + place > each:
            parts, filled = parts + 1, 0
        filled += place
    return parts
