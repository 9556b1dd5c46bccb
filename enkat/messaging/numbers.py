"""Telephone numbers as gateways take them."""

import re

from enkat.messaging import wire
from enkat.model.message import Letter, Reason, SendingFailed

_NUMBER = re.compile(r"\+?[0-9]{3,15}")


def dialled(letter: Letter) -> str:
    """The number a letter goes to; SendingFailed where it is none, or where its text cannot be written at all."""
    if wire.has_controls(letter.to):
        raise SendingFailed(Reason.REFUSED, "a number with control characters is sent nowhere")
    if not _NUMBER.fullmatch(letter.to):
        raise SendingFailed(Reason.ADDRESS, "what should be a number is none")
    if letter.text.encode("utf-8", "replace").decode() != letter.text:
        raise SendingFailed(Reason.REFUSED, "a text with half a character is sent nowhere")
    return letter.to
