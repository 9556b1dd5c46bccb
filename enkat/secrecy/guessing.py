"""Guessing, slowed: how many failures have come from where, in memory alone and for minutes.

A failure fills a vessel that leaks: one for its address, one for everybody. While an address's vessel is full, what
comes from there is not looked at; that is seconds, and then the next try is. When many addresses fail together (a
botnet), the vessel for everybody overflows, and those of single addresses become small: nobody who has not failed ever
notices. Nothing is ever locked, and successes are not counted: a hundred people behind one address are not in each
other's way. (A reply that waits would slow a guesser as well, and with him everybody else: there are few workers, and
each has one thread.)

The vessels lie in memory that the server's workers share, found by a keyed hash of the address under a key that lasts
as long as the process: nothing that is kept tells who came.
"""

import hmac
import mmap
import secrets
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address, ip_network

_VESSEL = struct.Struct("dd")  # how full it was, and when
_VESSELS = 1 << 15


class Guess(StrEnum):
    """What is guessed at."""

    KEY = "key"
    RECEIPT = "receipt"
    PASSWORD = "password"
    REPEAT = "repeat"


@dataclass(frozen=True)
class Limit:
    """How many failures one address may have at once and how many a second leak away; and the same for all together,
    beyond which an address has far less, and still enough for a slip of the finger."""

    burst: float
    rate: float
    burst_of_all: float
    rate_of_all: float

    def of_address(self, is_strained: bool) -> tuple[float, float]:
        """Burst and rate of one address."""
        return (max(5.0, self.burst / 10), self.rate / 3) if is_strained else (self.burst, self.rate)


#: A key has 50 random bits and a receipt 80: five a second from an address find one of a thousand keys in 7,000 years.
#: A password may be worse than it should be. Whoever knows the id of a form that was sent could send others under it,
#: to see which one changes nothing; that is counted for each form, wherever it comes from.
LIMITS = {
    Guess.KEY: Limit(burst=60, rate=5, burst_of_all=3000, rate_of_all=100),
    Guess.RECEIPT: Limit(burst=30, rate=1, burst_of_all=1000, rate_of_all=20),
    Guess.PASSWORD: Limit(burst=10, rate=1 / 6, burst_of_all=200, rate_of_all=2),
    Guess.REPEAT: Limit(burst=10, rate=1 / 600, burst_of_all=1000, rate_of_all=1),
}


class Brake:
    """One for all workers of a server, made before they are forked. Two that write at the same moment may lose a
    failure; a lock would be worse, for a worker killed while it holds one would stop all others."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._memory = mmap.mmap(-1, _VESSEL.size * (_VESSELS + 1) * len(Guess))

    def wait(self, guess: Guess, address: str, account: str = "") -> float:
        """Seconds until the next try from an address (at an account) is looked at; 0 where it is now."""
        burst, rate = self._limit(guess)
        level = self._level(self._place(guess, address, account), rate)
        return max(0.0, (level - burst + 1) / rate) if level > burst - 1 else 0.0

    def fail(self, guess: Guess, address: str, account: str = "") -> None:
        """Note a failure."""
        _burst, rate = self._limit(guess)
        self._fill(self._place(guess, address, account), rate, 2 * LIMITS[guess].burst)
        self._fill(_of_all(guess), LIMITS[guess].rate_of_all, 2 * LIMITS[guess].burst_of_all)

    def _limit(self, guess: Guess) -> tuple[float, float]:
        limit = LIMITS[guess]
        return limit.of_address(self._level(_of_all(guess), limit.rate_of_all) >= limit.burst_of_all)

    def _place(self, guess: Guess, address: str, account: str) -> int:
        digest = hmac.digest(self._secret, f"{guess} {_network(address)} {account}".encode(), "sha256")
        return list(Guess).index(guess) * _VESSELS + int.from_bytes(digest[:8]) % _VESSELS

    def _level(self, place: int, rate: float) -> float:
        level: float
        then: float
        level, then = _VESSEL.unpack_from(self._memory, place * _VESSEL.size)
        return max(0.0, level - (self._clock() - then) * rate)

    def _fill(self, place: int, rate: float, most: float) -> None:
        """One more, and never so many that it takes long to leak away."""
        level = min(self._level(place, rate) + 1, most)
        _VESSEL.pack_into(self._memory, place * _VESSEL.size, level, self._clock())


def _of_all(guess: Guess) -> int:
    """The vessels for everybody lie after those of the addresses."""
    return _VESSELS * len(Guess) + list(Guess).index(guess)


def _network(address: str) -> str:
    """What counts as one address: of IPv6 the network, for a house has more addresses there than there are stars."""
    try:
        read = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if read.version == 6 and read.ipv4_mapped is None:
        return str(ip_network((read, 64), strict=False))
    return str(getattr(read, "ipv4_mapped", None) or read)
