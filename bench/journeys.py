"""Whole journeys, form and sending, with durable commits: how many a second, enkat and the bare one in turn."""

import http.client
import multiprocessing
import re
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode

from bench import HOST, Server, bare

CLIENTS = 8

#: Places in one room; enkat allows no more.
PLACES = 50

_SUBMISSION = re.compile(rb'name="submission" value="([^"]+)"')
_ITEMS = ("prep", "safe", "say", "influence", "leader", "shared", "useful", "follow", "trust")
_ANSWERS = urlencode(
    {item: 1 + number % 5 for number, item in enumerate(_ITEMS)} | {"words": "Börja i tid, och låt mormor tala först."}
)
_HEADERS = {"Accept-Encoding": "gzip", "Accept-Language": "sv-SE,sv;q=0.9,en;q=0.8"}


@dataclass(frozen=True)
class Contestant:
    """One of the two: its server, how it gets rooms (`add(number) -> keys`), and how many answers it keeps."""

    name: str
    server: Server
    add: Callable[[int], list[str]]
    kept: Callable[[], int]


@dataclass(frozen=True)
class Leg:
    """Eight clients on one of the two for a while: journeys a second, processor time that the server used for one,
    and how long one took (95 of 100 were quicker than `slow`), in milliseconds."""

    name: str
    journeys: int
    a_second: float
    processor: float
    usual: float
    slow: float


def pairs(contestants: tuple[Contestant, Contestant], seconds: float, number: int) -> Iterator[tuple[Leg, Leg]]:
    """Run both in turn, after a warm-up that tells how many places each of them needs."""
    expected = {one.name: run(one, 2 if seconds > 2 else seconds, rooms=60).a_second for one in contestants}
    for _ in range(number):
        first, second = (
            run(one, seconds, rooms=CLIENTS + int(3 * expected[one.name] * seconds / PLACES)) for one in contestants
        )
        yield first, second


def run(contestant: Contestant, seconds: float, rooms: int) -> Leg:
    """One leg. Every thanked-for journey must be kept: anything else ends the whole run."""
    keys = contestant.add(rooms)
    kept, used = contestant.kept(), contestant.server.processor_seconds()
    start = multiprocessing.Barrier(CLIENTS)
    with multiprocessing.Pool(CLIENTS, _share, (start, multiprocessing.Value("i", 0))) as pool:
        results = pool.starmap(_client, [(contestant.server.port, keys, seconds)] * CLIENTS, chunksize=1)
    used = contestant.server.processor_seconds() - used
    kept = contestant.kept() - kept
    times = [taken for client in results for taken in client]
    if len(times) != kept:
        raise RuntimeError(f"{contestant.name}: {len(times)} journeys were thanked for, {kept} answers are kept")
    return Leg(
        contestant.name,
        len(times),
        sum(len(client) / sum(client) for client in results),
        1000 * used / len(times),
        1000 * median(times),
        1000 * quantiles(times, n=20)[-1],
    )


_start: Barrier
_begun: "Synchronized[int]"


def _share(start: Barrier, begun: "Synchronized[int]") -> None:
    """Give a client what all of them share: the start, and how many journeys have been begun."""
    global _start, _begun
    _start, _begun = start, begun


def _client(port: int, keys: list[str], seconds: float) -> list[float]:
    """The seconds that each journey took; one connection, one journey after another."""
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    connection.connect()
    _start.wait(30)
    times = []
    end = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        _journey(connection, f"/{_next_free(keys)}")
        times.append(time.perf_counter() - begun)
    connection.close()
    return times


def _next_free(keys: list[str]) -> str:
    """Room after room, round and round, so that each place is used once."""
    with _begun.get_lock():
        number = _begun.value
        _begun.value += 1
    if number >= len(keys) * PLACES:
        raise RuntimeError("there were not enough places for the journeys; name fewer --seconds")
    return keys[number % len(keys)]


def _journey(connection: http.client.HTTPConnection, path: str) -> None:
    found = _SUBMISSION.search(_ask(connection, "GET", path))
    if found is None:
        raise RuntimeError(f"there is no form at {path}")
    body = f"submission={found[1].decode()}&{_ANSWERS}"
    _ask(connection, "POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})


def _ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: str | None = None,
    more: dict[str, str] | None = None,
) -> bytes:
    connection.request(method, path, body, _HEADERS | (more or {}))
    reply = connection.getresponse()
    content = reply.read()
    if reply.status != 200:
        raise RuntimeError(f"{method} {path} was answered with {reply.status}")
    return zlib.decompress(content, 31) if reply.headers["Content-Encoding"] == "gzip" else content


def commits_a_second(folder: Path, seconds: float = 1) -> float:
    """How many durable commits the disk takes from a single writer: the ceiling of it all."""
    connection = bare.connect(folder / "disk.db")
    try:
        connection.execute("create table mark (number integer)")
        begun, number = time.perf_counter(), 0
        while time.perf_counter() - begun < seconds:
            connection.execute("insert into mark values (?)", (number,))
            number += 1
        return number / (time.perf_counter() - begun)
    except sqlite3.Error as error:
        raise RuntimeError(f"{folder}: {error}") from error
    finally:
        connection.close()
