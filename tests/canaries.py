"""Canaries: strings that stand nowhere else in the world, put in the place of everything that is to stay secret, and
the search for them in whatever a person, a log or a disk holds afterwards. One that is found where it should not be
has sung."""

import base64
import json
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote, quote_plus

from enkat.secrecy import tokens

#: So many bytes of a spelling are looked for at once, all canaries' together; then the whole of it.
_HEAD = 8

#: Bytes whose heads are held in memory at a time.
_PART = 1 << 20


class Kind(StrEnum):
    """What a canary stands for."""

    KEY = "link key"
    WRONG_KEY = "mistyped key"
    SUBMISSION = "submission id"
    RECEIPT = "receipt"
    TEXT = "free text"
    PHONE = "phone number"
    EMAIL = "e-mail address"
    ADDRESS = "internet address"
    AGENT = "user agent"
    PASSWORD = "password"
    WRONG_PASSWORD = "wrong password"
    SESSION = "session"
    SEALED = "sealed contact"


@dataclass
class Canary:
    """One of them, and who may hear it: those whose own it is, or whom it is shown to by design."""

    kind: Kind
    value: str
    hearers: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class Aviary:
    """All canaries of a test."""

    def __init__(self) -> None:
        self.canaries: dict[str, Canary] = {}
        self._heads: dict[bytes, set[tuple[bytes, str]]] = {}

    def release(self, kind: Kind, value: str, *hearers: str) -> str:
        """A canary that is out from now on; one that is out already is heard by these as well. Its value."""
        if value not in self.canaries:
            self.canaries[value] = Canary(kind, value)
            for spelling in spellings(kind, value):
                self._heads.setdefault(spelling[:_HEAD], set()).add((spelling, value))
        self.canaries[value].hearers.update(hearers)
        return value

    def make(self, kind: Kind, *hearers: str) -> str:
        """A new one that is made up."""
        return self.release(kind, _made_up(kind), *hearers)

    def of(self, *kinds: Kind) -> list[Canary]:
        """Those of some kinds."""
        return [one for one in self.canaries.values() if one.kind in kinds]

    def singing(self, held: bytes) -> set[str]:
        """The values of those that are found, however they are spelled."""
        found: set[str] = set()
        for start in range(0, len(held), _PART):
            part = held[start : start + _PART + _HEAD]
            heads = {part[at : at + _HEAD] for at in range(len(part) - _HEAD + 1)} & self._heads.keys()
            for head in heads:
                found |= {value for spelling, value in self._heads[head] if spelling in held}
        return found

    def told(self, values: Iterable[str]) -> list[str]:
        """What they are, for whoever reads why a test has failed."""
        return sorted(str(self.canaries[value]) for value in values)


@dataclass
class Ears:
    """Everything that everybody has been told, until it is judged; and by which flows."""

    aviary: Aviary
    heard: list[tuple[str, str, bytes]] = field(default_factory=list)
    flows: Counter[str] = field(default_factory=Counter)

    def hear(self, who: str, flow: str, told: bytes) -> None:
        """Somebody is told something."""
        self.flows[flow] += 1
        self.heard.append((who, flow, told))

    def judge(self) -> None:
        """Nobody was told what is another's."""
        faults = [
            f"{who}, {flow}: {self.aviary.canaries[value]}"
            for who, flow, told in self.heard
            for value in self.aviary.singing(told)
            if who not in self.aviary.canaries[value].hearers
        ]
        assert not faults, faults[:20]
        self.heard.clear()


def spellings(kind: Kind, value: str) -> set[bytes]:
    """Every way in which it might have been written down; `SEALED` is the hexadecimal of bytes that lie there raw."""
    if kind is Kind.SEALED:
        return {bytes.fromhex(value)}
    found = {spelling for text in _written(kind, value) for spelling in _encoded(text)}
    if kind is Kind.SUBMISSION:
        found.update(_encoded_bytes(bytes.fromhex(value)))
    return found


def files(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Everything that a folder holds, however deep: names of files as well, for a name is written down too."""
    for file in sorted(folder.rglob("*")):
        try:
            yield file, (file.read_bytes() if file.is_file() else b"") + b"\n" + str(file.relative_to(folder)).encode()
        except FileNotFoundError:
            continue  # a draft that somebody has just finished with


#: A text's mark has no digits, for those might be blanked.
_LETTERS = str.maketrans("0123456789", "ghijklmnop")


def _made_up(kind: Kind) -> str:
    chance = secrets.SystemRandom()
    mark = secrets.token_hex(8)
    return {
        Kind.WRONG_KEY: tokens.new_key,
        Kind.TEXT: lambda: f"Kråkan {mark.translate(_LETTERS)} sjöng så vackert",
        Kind.PHONE: lambda: f"+467{chance.randrange(10**8):08}",
        Kind.EMAIL: lambda: f"{mark}@{secrets.token_hex(4)}.example",
        Kind.ADDRESS: lambda: "2001:db8:" + ":".join(f"{chance.randrange(0x1000, 0x10000):x}" for _group in range(6)),
        Kind.AGENT: lambda: f"Mozilla/5.0 (Phone {mark})",
        Kind.PASSWORD: lambda: f"lösen {mark} ord",
        Kind.WRONG_PASSWORD: lambda: f"fel {mark} ord",
    }[kind]()


def _written(kind: Kind, value: str) -> set[str]:
    """How people and programs write it."""
    written = {value, value.lower(), value.upper()}
    if kind in (Kind.KEY, Kind.WRONG_KEY, Kind.RECEIPT):
        spoken = tokens.spoken(value)
        written |= {spoken, spoken.lower(), spoken.replace(" ", "-"), spoken.replace(" ", "-").lower()}
    elif kind is Kind.PHONE:
        written |= set(phone_forms(value))
    return written


def phone_forms(number: str) -> list[str]:
    """A mobile's number in the ways it is written in Sweden; the usual one first."""
    own = "0" + number.removeprefix("+46")
    return [
        f"{own[:3]}-{own[3:6]} {own[6:8]} {own[8:]}",
        own,
        f"{own[:3]} {own[3:6]} {own[6:8]} {own[8:]}",
        f"+46 {own[1:3]} {own[3:6]} {own[6:8]} {own[8:]}",
        number,
        f"0046{own[1:]}",
    ]


def _encoded(text: str) -> Iterator[bytes]:
    yield from _encoded_bytes(text.encode())
    yield from (text.encode("utf-16-le"), text.encode("utf-16-be"), text.encode("latin-1"))
    yield from (quote(text, safe="").encode(), quote_plus(text).encode(), quote(text, safe="").lower().encode())
    yield from (text.encode("unicode_escape"), json.dumps(text)[1:-1].encode())


def _encoded_bytes(plain: bytes) -> Iterator[bytes]:
    yield plain
    yield plain.hex().encode()
    yield plain.hex().upper().encode()
    for shift in range(3):  # base64 of something longer: three ways, by where it begins
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(b"\0" * shift + plain)[4 if shift else 0 : -4]
