"""Wrong keys, receipts and passwords, slowed: where a try comes from, and what is said to somebody who has to wait."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import cast

from flask import Response, current_app, request

from enkat.model.errors import UnknownLink, UnknownReceipt
from enkat.secrecy.guessing import Brake, Guess
from enkat.web.context import house


class Slowed(Exception):
    """Too many tries have failed where this one comes from; it was not looked at. `wait` is in whole seconds."""

    def __init__(self, wait: float) -> None:
        super().__init__("too many tries have failed")
        self.wait = max(1, math.ceil(wait))


@contextmanager
def guessing(guess: Guess, readable: str | None = "") -> Iterator[None]:
    """Look at a try: Slowed where it has to wait; one that fails is counted. What cannot be a key or receipt at all
    (`readable` None) is nobody's guess."""
    if readable is None:
        yield
        return
    judge(guess)
    try:
        yield
    except (UnknownLink, UnknownReceipt):
        failed(guess)
        raise


def judge(guess: Guess, account: str = "") -> None:
    """Slowed where a try has to wait. Tries at one account do not hold up the others behind the same address."""
    if wait := _brake().wait(guess, client(), account):
        raise Slowed(wait)


def failed(guess: Guess, account: str = "") -> None:
    """Count a failure."""
    _brake().fail(guess, client(), account)


def may_be_told(submission: str, is_edited: bool) -> bool:
    """Whether a repeated form may still be told from an edited one; a few times, for somebody who went back."""
    if _brake().wait(Guess.REPEAT, "", submission):
        return False
    if is_edited:
        _brake().fail(Guess.REPEAT, "", submission)
    return True


def client() -> str:
    """The address that a request comes from: the one that asks or, where that is the proxy named in the settings, the
    last one that it names. What a client claims of itself beside that is not believed."""
    address = request.remote_addr or ""
    for named in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        if not _is_trusted(address) or not named.strip():
            break
        address = _WITH_PORT.sub(r"\1", named.strip())
    return address


#: Some proxies name a port as well: 192.0.2.1:4711, [2001:db8::1]:4711.
_WITH_PORT = re.compile(r"^\[?((?<=\[)[^\]]+|\d+\.\d+\.\d+\.\d+)\]?(?::\d+)?$")


def told_to_wait(page: str, slowed: Slowed, *, comes_back: bool = False) -> Response:
    """A page for somebody who has to wait; `comes_back` where it may ask again by itself, without a script."""
    response = Response(page, 429, mimetype="text/html")
    response.headers["Retry-After"] = str(slowed.wait)
    if comes_back:
        response.headers["Refresh"] = str(slowed.wait)
    return response


def _brake() -> Brake:
    return cast("Brake", current_app.extensions["enkat.brake"])


def _is_trusted(address: str) -> bool:
    try:
        read = ip_address(address)
    except ValueError:
        return False
    read = getattr(read, "ipv4_mapped", None) or read  # a server that listens on :: sees 127.0.0.1 as ::ffff:127.0.0.1
    return any(read in network for network in house().settings.proxy)
