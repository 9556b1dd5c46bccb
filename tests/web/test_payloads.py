"""What somebody hostile types into every field that there is, and where it comes out again: as text, and never alive.

`make test` tries a few payloads on each field; with ENKAT_ATTACK=full every one is tried on all of them. What a field
is, and what alive, stands in `fields`.
"""

import csv
import logging
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from html import unescape
from io import StringIO
from pathlib import Path
from random import Random
from urllib.parse import quote

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from enkat import identifiers
from enkat.app import create_app
from enkat.house import House
from enkat.model.result import PLUS
from enkat.model.staff import StaffRole
from tests.conftest import Town
from tests.inspection import is_for_staff
from tests.published import publish, year
from tests.web.fields import (
    FORMULA,
    OURS,
    PLAIN,
    QUERIES,
    WIDE_FORMULA,
    Attack,
    as_bytes,
    events,
    formulas,
    judge_headers,
    judge_pair,
    scrubbed,
)
from tests.web.hostile import case, contents
from tests.web.payloads import MARK, PAYLOADS, harmless, sample
from tests.web.routes import Rewind, Visitor, forget_failures, rules, scene

_IS_FULL = os.environ.get("ENKAT_ATTACK") == "full"

#: How many payloads each field gets, and in how many parts all of them are shared out among processes.
_A_FEW, _PARTS = 1, 8 if _IS_FULL else 2


@pytest.fixture
def attack(app: Flask, town: Town, tmp_path: Path) -> Attack:
    """A stranger, and somebody with every role; nobody is signed out for the time that an attack takes."""
    everybody = town.add_staff("alla@mitthem.example", town.municipality, *StaffRole)
    found = scene(app, town)
    people = {
        "a stranger": Visitor(app.test_client()),
        "somebody signed in": Visitor(app.test_client()).enter(town, everybody),
    }
    people["a stranger"].token()
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    town.db.execute("update staff_session set started = :then, seen = :then", {"then": tomorrow})
    rewind = Rewind(town, tmp_path / "keys")
    return Attack(town, found, people, rewind, app, town.passwords[everybody])


# What is sent


@pytest.mark.parametrize("part", range(_PARTS))
def test_nothing_that_is_typed_anywhere_comes_alive_in_the_reply(
    part: int,
    attack: Attack,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    figure: Callable[[str], None],
) -> None:
    schema = attack.town.db.execute("select sql from sqlite_master").fetchall()
    found, tried = list(attack.fields()), 0
    before = contents(attack.town.db)
    for number, one in enumerate(found):
        if not _IS_FULL and number % _PARTS != part:
            continue
        chosen = PAYLOADS[part::_PARTS] if _IS_FULL else sample(Random(number), _A_FEW)
        for payload in chosen:
            with case(one.name, payload):
                attack.judge(one, payload)
            tried += 1
    attack.rewind.back()
    assert contents(attack.town.db) == before
    assert attack.town.db.execute("select sql from sqlite_master").fetchall() == schema
    assert attack.town.db.execute("pragma integrity_check").fetchall() == [("ok",)]
    assert said(caplog) == ""
    assert capfd.readouterr().err == ""
    assert {200, 303, 400, 404} <= set(attack.asked), attack.asked
    figure(f"payloads, part {part}: {tried} into {len(found)} fields, {sum(attack.asked.values())} replies: none alive")


def said(caplog: pytest.LogCaptureFixture) -> str:
    """What was logged of more than usual weight, or says anything of what was sent."""
    formatter = logging.Formatter()
    lines = [formatter.format(record) for record in caplog.records]
    return "\n".join(line for record, line in zip(caplog.records, lines, strict=True) if record.levelname != "INFO")


_WEB = Path(create_app.__code__.co_filename).parent / "web"


def test_every_name_behind_a_question_mark_is_attacked() -> None:
    """The names that the code reads are those that are tried."""
    code = "\n".join(file.read_text("utf-8") for file in _WEB.rglob("*.py"))
    read = set(re.findall(r"request\.args(?:\.\w+\(|\[)\s*\"(\w+)\"", code)) | set(
        re.findall(r"\"(\w+)\" in request\.args", code)
    )
    assert read == set(QUERIES), "add it to QUERIES in this file"


def test_where_the_database_is_broken_no_payload_comes_alive_and_none_is_logged(
    attack: Attack, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], figure: Callable[[str], None]
) -> None:
    """The pages of faults, and what is written of them; what a participant has filled in comes back as text."""
    found = list(attack.fields())
    attack.town.house.settings.database.write_bytes(b"no database" * 9000)
    tried = Counter[int]()
    for number, one in enumerate(found):
        for payload in sample(Random(number), 20 if _IS_FULL else 0):
            with case(one.name, payload):
                forget_failures(attack.app)
                reply, twin = one.send(payload), one.send(harmless(payload))
                where = f"{one.name} with {payload!r}, broken"
                judge_headers(reply, payload, where)
                judge_pair(reply, twin, harmless, where)
                tried[reply.status_code] += 1
                assert MARK not in said(caplog), where
                caplog.clear()
    assert tried[503] > tried.total() / 4, tried
    assert capfd.readouterr().err == ""
    figure(f"payloads where the database is broken: {tried.total()}, of them {tried[503]} told to wait: none alive")


# What is stored


@dataclass(frozen=True)
class Door:
    """A way in for something that is kept and shown: how it is sent, and where it lies then."""

    send: Callable[[str], TestResponse]
    kept: str
    place: str
    #: What is left of a text on its way in.
    shape: Callable[[str], str]


def doors(attack: Attack) -> dict[str, Door]:
    """Every way in. `kept` finds what was added, `place` is something of the town's that is shown everywhere."""
    somebody, stranger = attack.people["somebody signed in"], attack.people["a stranger"]
    north, meeting = attack.town.north.id, attack.scene.open
    token = somebody.token()
    person = {"csrf_token": token, "name": "Kim", "address": "kim@mitthem.example", "roles": "evaluator", "unit": north}
    whole = {"csrf_token": token, "unit": north, "source": "school", "kind": "sip", "held": "2026-11-20", "kin": "1"}
    whole |= {"child_form": "child"}

    def post(path: str, sent: Mapping[str, str]) -> TestResponse:
        return somebody.open("POST", path, data=sent)

    def write(text: str) -> TestResponse:
        sent = stranger.open("POST", f"/{attack.scene.values['key']}", data={"submission": "e" * 32, "words": text})
        if sent.status_code == 200:
            assert post(f"/staff/meetings/{meeting.id}/close", {"csrf_token": token}).status_code == 303
        return sent

    def collapsed(text: str) -> str:
        return " ".join(text.split())

    return {
        "a unit's name": Door(
            lambda text: post("/staff/people/units", {"csrf_token": token, "name": text, "under": north}),
            "select name from unit where parent = (select id from unit where name = 'Norr')",
            "update unit set name = :new where parent is null",
            collapsed,
        ),
        "a person's name": Door(
            lambda text: post("/staff/people", person | {"name": text}),
            "select name from staff where address = 'kim@mitthem.example'",
            "update staff set name = :new where address like 'alla@%'",
            collapsed,
        ),
        "an address": Door(
            lambda text: post("/staff/people", person | {"address": f"{text}@mitthem.example"}),
            "select substr(address, 1, length(address) - length('@mitthem.example')) from staff where name = 'Kim'",
            "update staff set address = :new || '@mitthem.example' where address like 'tove@%'",
            str.strip,
        ),
        "a reference": Door(
            lambda text: post("/staff/meetings/new", whole | {"reference": text}),
            "select reference from assignment where reference <> 'M-881'",
            "update assignment set reference = :new",
            collapsed,
        ),
        "somebody's own words": Door(
            write,
            "select wording from free_text where wording <> 'Bra'",
            "update free_text set wording = :new",
            lambda text: identifiers.blanked(text.replace("\r\n", "\n").replace("\r", "\n").strip()),
        ),
    }


@pytest.mark.parametrize("part", range(_PARTS))
def test_what_is_kept_comes_out_as_text_on_every_page(
    part: int,
    attack: Attack,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    figure: Callable[[str], None],
) -> None:
    """Through the door as it is; then in the place of what stands on every page, which no page can rename. What a
    door refuses is put there by hand: doors are one wall, and names from before a rule are kept."""
    ways = doors(attack)
    plain = _pages(attack, dict.fromkeys(ways, PLAIN))
    places = sum(_places(found) for found in plain.values())
    kept, pages = Counter[str](), 0
    for payload in PAYLOADS[part::_PARTS] if _IS_FULL else sample(Random(part), 3):
        with case(payload):
            values = {name: _through(attack, name, way, payload) for name, way in ways.items()}
            kept.update(name for name, value in values.items() if value)
            values = {name: values[name] or _by_hand(way, payload) for name, way in ways.items()}
            if any(values.values()):
                found = _pages(attack, {name: value or PLAIN for name, value in values.items()})
                _compare(found, plain, values)
                pages += len(found)
    assert len(kept) == len(ways) if _IS_FULL else {"a person's name", "somebody's own words"} <= set(kept), kept
    assert MARK not in said(caplog)
    assert capfd.readouterr().err == ""
    figure(
        f"kept payloads, part {part}: {', '.join(f'{number} as {name}' for name, number in kept.items())}, "
        "the others by hand; "
        f"{pages} pages and files, {places} places on each round of {len(plain)}: as text in all of them"
    )


def _through(attack: Attack, name: str, door: Door, payload: str) -> str | None:
    """What is kept of a payload that is sent through a door; None where it is refused. Afterwards it is gone again."""
    reply = door.send(payload)
    where = f"{name}: {payload!r} -> {reply.status_code}"
    assert reply.status_code in (200, 303, 400), where
    judge_headers(reply, payload, where)
    found = attack.town.db.execute(door.kept).fetchall()
    assert bool(found) == (reply.status_code != 400), where
    attack.rewind.back()
    if not found:
        return None
    assert found == [(door.shape(payload),)], where
    return str(found[0][0])


def _by_hand(door: Door, payload: str) -> str | None:
    """What would be kept if no door refused it; None for what the store itself cannot hold in each of its places."""
    text = door.shape(payload)
    return text if text.isprintable() and text.strip() == text != "" and PLUS not in text else None


def _pages(attack: Attack, values: Mapping[str, str]) -> dict[str, TestResponse]:
    """Every page and file of a town in which these values stand."""
    for name, door in doors(attack).items():
        with attack.town.db.conn:
            assert attack.town.db.execute(door.place, {"new": values[name]}).rowcount > 0, name
    unit = values["a unit's name"]
    publish(attack.town.db, year(2026, unit=dict.fromkeys([unit, f"{unit} 2"], 70)))
    found = {}
    for rule in rules(attack.app):
        if "GET" in (rule.methods or ()):
            visitor = attack.people["somebody signed in" if is_for_staff(rule.rule) else "a stranger"]
            for meeting in (attack.scene.open, attack.scene.counted):
                path = attack.scene.of(rule, meeting_id=meeting.id)
                found[path] = visitor.open("GET", path)
    attack.rewind.back()
    return found


_HERE = "■"


def _places(reply: TestResponse) -> int:
    """In how many places of a page a plain word stands."""
    return unescape(reply.text).count(PLAIN)


def _compare(
    found: Mapping[str, TestResponse], plain: Mapping[str, TestResponse], values: Mapping[str, str | None]
) -> None:
    """Each page is the one with a plain word, but that the values stand there; the bar has somebody's initials."""
    whole = sorted({PLAIN, *filter(None, values.values())}, key=len, reverse=True)
    words = [*whole, *(quote(one) for one in whole)]
    initials = "".join(part[0].upper() for part in (values["a person's name"] or PLAIN).split()[:2])

    def tame(text: str) -> str:
        for word in words:
            text = text.replace(word, _HERE)
        return " ".join(text.split())

    for path, reply in found.items():
        judge_headers(reply, str(values), path)
        assert reply.status_code == plain[path].status_code, path
        if reply.mimetype == "text/csv":
            assert not formulas(reply.text)
            name = values["a unit's name"] or PLAIN
            assert _bare(name) in _units(reply.text), path
        elif reply.mimetype == "text/html" and scrubbed(reply) != scrubbed(plain[path]):
            here, there = events(scrubbed(reply), tame), events(scrubbed(plain[path]), tame)
            more, less = here - there, there - here
            assert set(more) <= {("text", tame(initials))}, f"{path}: only here {more}; only with a plain word {less}"
            assert set(less) <= {("text", "V")}, f"{path}: gone {less}"


def _units(text: str) -> set[str]:
    """The names of units in a file, without the marks that keep them from being formulas."""
    return {_bare(row["category"]) for row in csv.DictReader(StringIO(text, newline="")) if row["table"] == "year_unit"}


def _bare(name: str) -> str:
    return name.replace("'", "")


def test_the_notice_says_who_is_responsible_as_text(house: House, town: Town) -> None:
    """What the operator sets is text like any other."""
    for payload in PAYLOADS if _IS_FULL else sample(Random(2), 12):
        twins = []
        for said_so in (payload, harmless(payload)):
            settings = replace(house.settings, controller=said_so, contact=said_so)
            app = create_app(settings, replace(house, settings=settings))
            twins.append(Visitor(app.test_client()).open("GET", "/privacy"))
        judge_headers(twins[0], payload, payload)
        judge_pair(twins[0], twins[1], harmless, f"the notice with {payload!r}")


def test_a_host_that_is_none_comes_out_as_text_where_links_begin_with_it(house: House, town: Town) -> None:
    """Without a base URL links begin with the host that was asked for, whatever a browser says it is."""
    settings = replace(house.settings, base_url=None)
    app = create_app(settings, replace(house, settings=settings))
    address = town.add_staff("alla@mitthem.example", town.municipality, *StaffRole)
    found, visitor = scene(app, town), Visitor(app.test_client()).enter(town, address)
    assert visitor.cookie
    somebody = {"HTTP_COOKIE": "=".join(visitor.cookie)}
    for payload in PAYLOADS if _IS_FULL else sample(Random(1), 3):
        for path in (found.of(rule) for rule in rules(app) if "GET" in (rule.methods or ())):
            with case(payload, path):
                reply, twin = (
                    Visitor(app.test_client(use_cookies=False)).open(
                        "GET", path, environ_overrides=somebody | {"HTTP_HOST": as_bytes(host)}
                    )
                    for host in (payload, harmless(payload))
                )
                judge_headers(reply, payload, path)
                for one in (reply, twin):
                    one.set_data(re.sub(r' d="[^"]*"', "", one.text))  # the code of another address is another drawing
                judge_pair(reply, twin, harmless, path, re.compile(f"{OURS.pattern}|https?:"))


# What is published, as a file

_SHEETS = ("split at commas", "split at commas, in full width", "split at semicolons", "split at tabs")


@pytest.mark.parametrize(
    ("mark", "starts"), [(",", FORMULA), (",", WIDE_FORMULA), (";", FORMULA), ("\t", FORMULA)], ids=_SHEETS
)
def test_no_name_of_a_unit_is_carried_out_by_a_spreadsheet(
    mark: str, starts: tuple[str, ...], attack: Attack, figure: Callable[[str], None]
) -> None:
    """Names that the page for units lets in and names that it does not: they may be older than what it asks."""
    names = {payload for payload in PAYLOADS if payload.isprintable() and PLUS not in payload}
    assert len(names) > 400
    publish(attack.town.db, year(2026, unit=dict.fromkeys(names, 70)))
    reply = attack.people["somebody signed in"].open("GET", "/results.csv")
    assert reply.headers["Content-Disposition"] == 'attachment; filename="enkat-results.csv"'
    assert {_bare(name) for name in names} <= _units(reply.text)
    assert formulas(reply.text, mark, starts) == []
    figure(f"{len(names)} names of units in a file, split at {mark!r}: no formula begins with any of {starts}")
