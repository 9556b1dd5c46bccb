"""Attacks with a clock: how long a reply takes must not tell apart what must look alike.

Somebody asks for two kinds of things, again and again, in an order that chance chooses, so that whatever else the
machine does meanwhile slows both kinds alike. Then they try to tell from the times alone which was which: by rank, by a
likelihood learned from half of the times, and by the quickest of several replies about the same thing. 0.5 is guessing,
1 is knowing.

`make test` takes some hundred times of each kind; with ENKAT_ATTACK=full there are thousands.
"""

import gc
import http.client
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count
from random import Random
from typing import Any, Protocol
from urllib.parse import urlencode

import numpy as np
import pytest
from flask import Flask
from scipy.stats import rankdata
from werkzeug.test import create_environ

from enkat import answering, counting, inviting
from enkat.model.meeting import Meeting, OpenedLink
from enkat.model.staff import StaffRole
from enkat.model.survey import Answer, Role, Stage, Submission
from enkat.secrecy import tokens
from tests.conftest import TODAY, Town
from tests.inspection import Page
from tests.journeys.server import HOST, PATIENCE, free_port, serving

_IS_FULL = os.environ.get("ENKAT_ATTACK") == "full"

#: Things of each kind, and how many times each of them is asked about. A reply to a sign-in is slow on purpose.
_MANY, _TIMES = (1500, 4) if _IS_FULL else (150, 2)
_MANY_SIGN_INS = 500 if _IS_FULL else 25
_SEEN = 300

#: The status of a reply that tells somebody to wait because too many tries have failed.
_WAIT = 429

#: What an attack may reach: somebody with an AUC of 0.55 is right about eleven times of twenty.
_MOST = 0.55

#: The attack's own chance to reach as much where there is nothing to see: once in 150,000.
_DEVIATIONS = 4.5

#: Two roles with the same form, so that a role's form is nothing to tell kinds by.
_ROLES = (Role.FAMILY, Role.KIN)
_PLACES = dict.fromkeys(_ROLES, 50)

Figure = Callable[[str], None]
_numbers = count(1)


@dataclass(frozen=True)
class Request:
    """What is asked, by anybody."""

    method: str
    path: str
    fields: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        return urlencode(self.fields or {}).encode()


@dataclass(frozen=True)
class Kind:
    """Many things that an attacker would like to tell from those of another kind, and the status that they answer."""

    status: int
    requests: Sequence[Request]


class Clock(Protocol):
    """Asks, and says how long the reply took, in nanoseconds, and its status."""

    def __call__(self, request: Request) -> tuple[int, int]: ...


class Inside:
    """The application itself, through WSGI: an attacker's dream, without network or server between."""

    def __init__(self, app: Callable[[dict[str, Any], Callable[..., Any]], Any]) -> None:
        self._app = app

    def __call__(self, request: Request) -> tuple[int, int]:
        environ = create_environ(
            request.path,
            method=request.method,
            headers={"Accept-Encoding": "gzip", **request.headers},
            environ_overrides={"REMOTE_ADDR": another_address(10)},
            input_stream=BytesIO(request.body),
            content_length=len(request.body),
            content_type="application/x-www-form-urlencoded" if request.fields else None,
        )
        statuses: list[str] = []

        def start(status: str, _headers: list[tuple[str, str]], _error: object = None) -> Callable[[bytes], object]:
            statuses.append(status)
            return lambda _body: None

        begun = time.perf_counter_ns()
        reply = self._app(environ, start)
        b"".join(reply)
        reply.close()
        return time.perf_counter_ns() - begun, int(statuses[0][:3])


class Outside:
    """A server on this machine, over a socket and from another address each time."""

    def __init__(self, port: int) -> None:
        self._port = port

    def __call__(self, request: Request) -> tuple[int, int]:
        source = (another_address(127), 0)
        connection = http.client.HTTPConnection(HOST, self._port, timeout=PATIENCE, source_address=source)
        connection.connect()
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if request.fields else {}
        headers = {"Accept-Encoding": "gzip", **kind, **request.headers}
        begun = time.perf_counter_ns()
        connection.request(request.method, request.path, request.body or None, headers)
        response = connection.getresponse()
        response.read()
        taken = time.perf_counter_ns() - begun
        connection.close()
        return taken, response.status


@dataclass(frozen=True)
class Times:
    """How long replies took: of each kind a row for each thing, with a column for each time that it was asked about;
    and in what order all of them came."""

    taken: np.ndarray
    when: np.ndarray

    def ranks(self) -> float:
        """The AUC by ranks, whichever kind is the slower one."""
        one, other = self.taken.reshape(2, -1)
        return either_way(auc(one, other))

    def learned(self, chance: Random) -> float:
        """The AUC of a likelihood ratio that was learned from half of the things, over the other half.

        A kind that is now quicker and now slower has the ranks of its neighbour, but not its histogram. Each time is
        taken relative to those around it, so that a machine that is busy for a while hides nothing."""
        steady = self._steady()
        order = list(range(self.taken.shape[1]))
        chance.shuffle(order)
        learn, try_ = np.array_split(np.array(order), 2)
        edges = np.quantile(steady[:, learn], np.linspace(0, 1, 21)[1:-1])
        seen = [np.bincount(np.digitize(kind[learn].ravel(), edges), minlength=20) + 1 for kind in steady]
        weight = np.log(seen[1] / seen[0])
        one, other = (weight[np.digitize(kind[try_].ravel(), edges)] for kind in steady)
        return auc(one, other)

    def quickest(self) -> float:
        """The AUC by the quickest reply about each thing: the more often it is asked, the less noise is in it."""
        one, other = self._steady().min(axis=2)
        return either_way(auc(one, other))

    def _steady(self) -> np.ndarray:
        """Each time less the median of the fifty around it."""
        order = np.argsort(self.when, axis=None)
        line = self.taken.ravel()[order].astype(float)
        around = np.lib.stride_tricks.sliding_window_view(np.pad(line, 25, mode="reflect"), 51)
        line -= np.median(around, axis=1)
        found = np.empty_like(line)
        found[order] = line
        return found.reshape(self.taken.shape)


def auc(one: np.ndarray, other: np.ndarray) -> float:
    """How probable it is that one of the others is the slower of two; a tie is half of it."""
    ranks = rankdata(np.concatenate([one, other]))
    return float((ranks[len(one) :].sum() - len(other) * (len(other) + 1) / 2) / (len(one) * len(other)))


def either_way(found: float) -> float:
    """As good for the attacker turned round."""
    return max(found, 1 - found)


def bound(many: int) -> float:
    """The most that is let pass. Where both kinds are alike, the AUC of so many times of each still lies about 0.5 with
    a standard error of sqrt((2n + 1) / 12) / n, and a small run must not fail by chance: from 1,350 times on, it is
    0.55 alone that counts."""
    return max(_MOST, 0.5 + _DEVIATIONS * math.sqrt((2 * many + 1) / 12) / many)


def measure(clock: Clock, one: Kind, other: Kind, times: int = 1) -> Times:
    """Ask about everything so many times, in a new random order each time."""
    kinds, chance = (one, other), Random(7)
    many = len(one.requests)
    assert many == len(other.requests)
    for kind in kinds:  # an eighth of them for warming up, so that connections are open, pages drawn, and code cached
        for request in kind.requests[: many // 8]:
            clock(request)
    taken, when = np.empty((2, many, times), dtype=np.int64), np.empty((2, many, times), dtype=np.int64)
    places = [(kind, thing) for kind in (0, 1) for thing in range(many)]
    order = ((*place, one_time) for one_time in range(times) for place in chance.sample(places, len(places)))
    try:
        for number, place in enumerate(order):
            if number % 1000 == 0:
                gc.collect()
                gc.disable()
            asked = kinds[place[0]]
            taken[place], status = looked_at(clock, asked.requests[place[1]])
            when[place] = number
            assert status == asked.status, asked.requests[place[1]]
    finally:
        gc.enable()
    return Times(taken, when)


def looked_at(clock: Clock, request: Request) -> tuple[int, int]:
    """How long the reply took, and its status. Whoever is told to wait was not looked at, and asks from elsewhere:
    where so many fail at once as here, even a new address may share its count with others."""
    for _address in range(5):
        taken, status = clock(request)
        if status != _WAIT:
            break
    return taken, status


def attack(times: Times, what: str, figure: Figure) -> None:
    """Everything that somebody with a clock can try."""
    _kinds, many, often = times.taken.shape
    found = {"by rank": (times.ranks(), many * often), "learned": (times.learned(Random(8)), many * often // 2)}
    if often > 1:
        found[f"quickest of {often}"] = times.quickest(), many
    said = ", ".join(f"{reached:.3f} {how}" for how, (reached, _many) in found.items())
    figure(f"{what}: AUC {said} ({many * often:,} each, {np.median(times.taken) / 1e6:.2f} ms)")
    for how, (reached, samples) in found.items():
        assert reached <= bound(samples), f"{what}, {how}: an AUC of {reached:.3f}, allowed {bound(samples):.3f}"


# --- the town, with many of each kind ---


@pytest.fixture
def busy(town: Town) -> Town:
    """The town, where much is got ready quickly: none of it needs to outlive a power cut."""
    town.db.conn.execute("pragma synchronous = off")
    return town


def another_address(net: int) -> str:
    """An address that nobody has had before, and no neighbour of the last one."""
    number = next(_numbers)
    return f"{net}.{1 + number % 254}.{1 + number // 254 % 254}.{1 + number // 254**2 % 254}"


def meetings(town: Town, many: int, places: Mapping[Role, int]) -> list[Meeting]:
    """So many meetings."""
    return [town.meeting(dict(places), town.assignment(f"M-{next(_numbers)}")) for _one in range(many)]


def personal_links(town: Town, many: int) -> list[tuple[Meeting, OpenedLink]]:
    """At least so many personal links, of as many meetings as it takes, in no order."""
    found = [
        (meeting, link)
        for meeting in meetings(town, math.ceil(many / 100), _PLACES)
        for role in _ROLES
        for link in inviting.add_personal_links(
            town.db, town.house.keys, town.house.catalogue, meeting.id, role, count=50
        )
    ]
    return Random(9).sample(found, many)


def answer(town: Town, link: OpenedLink) -> str:
    """Answer through a link; the receipt."""
    form = town.house.catalogue[link.questionnaire]
    answers = {"say": Answer(value=5)}
    sent = Submission(tokens.new_submission(), form.id, form.version, link.role, Stage.AFTER, "sv", answers)
    return answering.submit(town.db, town.house.keys, link.key, sent, TODAY).receipt


def count_all(town: Town) -> None:
    """Close and count every meeting that there is."""
    for row in town.db.query("select id from meeting where state = 'open'"):
        counting.close_and_count(town.db, town.house.keys, row["id"], TODAY)


How = Callable[[int, Iterable[str]], Kind]


def opened(status: int, keys: Iterable[str]) -> Kind:
    """Links that are opened."""
    return Kind(status, [Request("GET", f"/{key}") for key in keys])


def sent(status: int, keys: Iterable[str]) -> Kind:
    """Links that somebody sends a form through."""
    form = {"submission": "a" * 32, "say": "5", "words": "Mer tid."}
    return Kind(status, [Request("POST", f"/{key}", form) for key in keys])


def typed(status: int, keys: Iterable[str]) -> Kind:
    """Keys typed by hand."""
    return Kind(status, [Request("POST", "/", {"key": tokens.spoken(key)}) for key in keys])


def taken_back(status: int, receipts: Iterable[str]) -> Kind:
    """Receipts by which somebody wants an answer back."""
    return Kind(status, [Request("POST", "/withdraw", {"receipt": receipt}) for receipt in receipts])


def open_and_used_links(town: Town, many: int) -> tuple[Kind, Kind]:
    """Personal links that nobody has used, and others that somebody has answered through."""
    links = [link for _meeting, link in personal_links(town, 2 * many)]
    for link in links[many:]:
        answer(town, link)
    return opened(200, [link.key for link in links[:many]]), opened(200, [link.key for link in links[many:]])


def roomy_and_full_rooms(town: Town, many: int) -> tuple[Kind, Kind]:
    """Room links with a free place, and others whose only place is used; each meeting has one of either kind."""
    chance, roomy, full = Random(10), [], []
    for meeting in meetings(town, many, dict.fromkeys(_ROLES, 1)):
        one, other = chance.sample([town.rooms(meeting)[role] for role in _ROLES], 2)
        answer(town, other)
        roomy.append(one.key)
        full.append(other.key)
    return opened(200, roomy), opened(200, full)


def counted_keys(town: Town, many: int) -> list[str]:
    """The keys of personal links, half of them used, whose meetings are counted; other meetings go on."""
    links = [link for _meeting, link in personal_links(town, many)]
    for link in links[::2]:
        answer(town, link)
    count_all(town)
    personal_links(town, 100)
    return [link.key for link in links]


def made_up_keys(many: int) -> list[str]:
    """Keys that were never made."""
    return [tokens.new_key() for _key in range(many)]


def keys_made_up_and_counted(town: Town, many: int, how: How = opened) -> tuple[Kind, Kind]:
    """Keys that were never made, and those of counted meetings."""
    return how(404, made_up_keys(many)), how(404, counted_keys(town, many))


_PAIRS = {
    "open and used personal links": open_and_used_links,
    "rooms with places and full rooms": roomy_and_full_rooms,
    "keys never made and keys of counted meetings": keys_made_up_and_counted,
}


# --- the attacks ---


def test_an_open_and_a_used_personal_link_take_as_long(busy: Town, app: Flask, figure: Figure) -> None:
    times = measure(Inside(app), *open_and_used_links(busy, _MANY), _TIMES)
    attack(times, "open and used personal links", figure)


def test_a_full_room_takes_as_long_as_one_with_places(busy: Town, app: Flask, figure: Figure) -> None:
    times = measure(Inside(app), *roomy_and_full_rooms(busy, _MANY), _TIMES)
    attack(times, "rooms with places and full rooms", figure)


@pytest.mark.parametrize("how", [opened, sent, typed], ids=lambda how: how.__name__)
def test_the_key_of_a_counted_meeting_takes_as_long_as_one_never_made(
    busy: Town, app: Flask, figure: Figure, how: How
) -> None:
    kinds = keys_made_up_and_counted(busy, _MANY, how)
    attack(
        measure(Inside(app), *kinds, _TIMES), f"keys never made and keys of counted meetings, {how.__name__}", figure
    )


def test_a_revoked_link_takes_as_long_whether_its_place_was_used_or_not(busy: Town, app: Flask, figure: Figure) -> None:
    links = personal_links(busy, 2 * _MANY)
    for number, (meeting, link) in enumerate(links):
        if number < _MANY:
            answer(busy, link)
        inviting.revoke_link(busy.db, meeting.id, link.id)
    used, free = (opened(410, [link.key for _meeting, link in some]) for some in (links[:_MANY], links[_MANY:]))
    attack(measure(Inside(app), used, free, _TIMES), "revoked links of used and of free places", figure)


def test_the_receipt_of_a_counted_answer_takes_as_long_as_one_never_given(
    busy: Town, app: Flask, figure: Figure
) -> None:
    receipts = [answer(busy, link) for _meeting, link in personal_links(busy, _MANY)]
    count_all(busy)
    for _meeting, link in personal_links(busy, 100):  # so that there are others to be looked through
        answer(busy, link)
    never = [tokens.receipt(busy.house.keys.instance, tokens.new_submission()) for _receipt in receipts]
    times = measure(Inside(app), taken_back(404, never), taken_back(404, receipts), _TIMES)
    attack(times, "receipts never given and receipts of counted answers", figure)


def test_a_wrong_password_takes_as_long_for_an_address_that_nobody_has(busy: Town, app: Flask, figure: Figure) -> None:
    known = [busy.add_staff(f"a{number}@mitthem.example", busy.north, StaffRole.COORDINATOR) for number in range(5)]
    page = app.test_client(use_cookies=False).get("/staff/sign-in")
    cookie = {"Cookie": page.headers["Set-Cookie"].partition(";")[0]}
    hidden = Page(page.text).form_values()

    def sign_ins(addresses: Iterable[str]) -> Kind:
        fields = [hidden | {"address": address, "password": "fel-lösenord-igen"} for address in addresses]
        return Kind(401, [Request("POST", "/staff/sign-in", one, cookie) for one in fields])

    unknown = [f"b{number}@mitthem.example" for number in range(_MANY_SIGN_INS)]
    times = measure(Inside(app), sign_ins(unknown), sign_ins((known * _MANY_SIGN_INS)[:_MANY_SIGN_INS]))
    attack(times, "sign-ins with addresses unknown and known", figure)


@pytest.mark.parametrize("what", _PAIRS if _IS_FULL else list(_PAIRS)[:2])
def test_nothing_is_told_over_the_network_either(busy: Town, figure: Figure, what: str) -> None:
    kinds = _PAIRS[what](busy, _MANY)
    with serving(busy.house.settings, free_port()) as server:
        found = measure(Outside(server.port), *kinds, _TIMES)
    attack(found, f"over a socket, {what}", figure)


# --- the attacks can see ---


def test_the_attack_would_see_pages_that_differ(busy: Town, app: Flask, figure: Figure) -> None:
    forms, _used = open_and_used_links(busy, _SEEN)
    notice = Kind(200, [Request("GET", "/privacy")] * _SEEN)
    with pytest.raises(AssertionError, match="an AUC of"):
        attack(measure(Inside(app), forms, notice, 2), "seen: a form and the notice", figure)


def test_the_attack_would_see_two_more_looks_into_the_database(busy: Town, app: Flask, figure: Figure) -> None:
    """As if the application looked again where a link is used: some ten thousandth of a second."""
    open_, used = open_and_used_links(busy, _SEEN)
    looked_for = {request.path for request in used.requests}

    def curious(environ: dict[str, Any], start: Callable[..., Any]) -> object:
        if environ["PATH_INFO"] in looked_for:
            for _look in range(2):
                answering.find_link(busy.db, busy.house.keys, environ["PATH_INFO"][1:])
        return app(environ, start)

    with pytest.raises(AssertionError, match="an AUC of"):
        attack(measure(Inside(curious), open_, used, 3), "seen: links with two more looks into the database", figure)
