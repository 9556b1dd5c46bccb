"""Thousands of requests that nobody honest would send: each is answered calmly, and none leaves anything behind.

`make test` sends the same 2,000 each time; with ENKAT_ATTACK=full there are 10,000 others, whose seed is printed.
"""

import gzip
import os
import secrets
from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from flask import Flask, request_started
from flask import request as flask_request
from flask.testing import FlaskClient
from sqlite_utils import Database
from werkzeug.test import TestResponse

from enkat import inviting
from enkat.model.meeting import Meeting
from enkat.model.survey import Role
from tests.conftest import Town
from tests.inspection import InspectingClient, Page, inspect_headers, inspect_page
from tests.web.hostile import MARK, Attacker, HostileRequest, contents, version

_IS_FULL = os.environ.get("ENKAT_ATTACK") == "full"
_SEEDS = [secrets.randbits(40) for _ in range(10)] if _IS_FULL else [20261120, 20261121, 20261122, 20261123]
_REQUESTS = 1000 if _IS_FULL else 500

#: The tables into which each address may write, where what was sent is in order after all.
_MAY_WRITE = {
    "participant.send": {"ballot", "invitation"},
    "coordinator.new": {"assignment", "meeting", "invited", "invitation", "link"},
    "coordinator.links": {"invited", "invitation", "link"},
    "coordinator.places": {"invited", "invitation", "link"},
    "administrator.add": {"staff", "staff_role"},
    "administrator.add_unit": {"unit"},
    "staff.sign_out_elsewhere": {"staff_session"},
    "staff.sign_in": {"staff_session"},
}

#: What is noted of every act of the staff, and of none of a participant's.
_NOTED = {"audit_entry"}


def seed_name(seed: int) -> str:
    return f"seed-{seed}"


@pytest.mark.parametrize("seed", _SEEDS if not _IS_FULL else range(10), ids=str if _IS_FULL else seed_name)
def test_hostile_requests_are_refused_and_leave_nothing_behind(
    seed: int,
    app: Flask,
    town: Town,
    coordinator: InspectingClient,
    administrator: InspectingClient,
    participant: InspectingClient,
    db: Database,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if _IS_FULL:
        seed = _SEEDS[seed]
        print(f"the seed of this attack: {seed}")
    endpoint: list[str | None] = []

    def note(_app: Flask) -> None:
        endpoint.append(flask_request.endpoint)

    request_started.connect(note, app)
    clients: dict[str, FlaskClient] = {
        "participant": participant,
        "coordinator": coordinator,
        "administrator": administrator,
    }
    attacker, meeting = _attacker(Random(seed), town, clients)
    tables = set(contents(db))
    answered = Counter[int]()
    before, seen = contents(db), version(db)
    for number in range(_REQUESTS):
        request = attacker.request()
        endpoint.clear()
        where = f"seed {seed}, request {number}, {request}"
        try:
            reply = request.send(clients[request.who])
        except Exception as error:
            raise AssertionError(f"{where} raised {error!r}") from error
        answered[reply.status_code] += 1
        assert reply.status_code < 500, f"{where} -> {reply.status_code}"
        if version(db) != seen:
            after = contents(db)
            _judge_write(before, after, endpoint[0], reply, where)
            before, seen = after, version(db)
        _judge_reply(request, reply, where)
    assert set(contents(db)) == tables
    _judge_box(db)
    assert [record.getMessage() for record in caplog.records if record.levelname != "INFO"] == []
    assert capfd.readouterr().err == ""
    # It was an attack, and not the same refusal over and over; afterwards everything works as before.
    assert {200, 303, 400, 404, 405, 413} <= set(answered), answered
    assert participant.get(f"/{town.rooms(meeting)[Role.KIN].key}").status_code == 200


def test_an_attack_is_the_same_for_the_same_seed(town: Town) -> None:
    attacker, _meeting = _attacker(Random(0), town, {})
    first, second, other = (_list(attacker, seed) for seed in (1, 1, 2))
    assert first == second
    assert first != other


def _list(attacker: Attacker, seed: int) -> list[HostileRequest]:
    again = replace(attacker, random=Random(seed))
    return [again.request() for _ in range(200)]


def _attacker(random: Random, town: Town, clients: dict[str, FlaskClient]) -> tuple[Attacker, Meeting]:
    """Somebody who knows a meeting's addresses, and a foreign team's, and who is signed in."""
    meeting = town.meeting()
    foreign = town.meeting(assignment=town.assignment("S-1", town.south))
    personal = town.personal(meeting, Role.PROFESSIONAL)
    revoked = town.personal(meeting, Role.FAMILY)
    inviting.revoke_link(town.db, meeting.id, revoked.id)
    keys = [link.key for link in town.rooms(meeting).values()] + [personal.key, revoked.key]
    staff = [who for who in clients if who != "participant"]
    links = f"/staff/meetings/{meeting.id}/links"
    places = ("family=3", "kin=2", "child=1", "professional=3")
    forms = {
        "/staff/meetings/new": (
            "reference=M-200",
            f"unit={town.north.id}",
            "source=school",
            "kind=sip",
            "held=2026-11-20",
            "closes=2026-12-01",
            "child_form=child",
            "protected",
            *places,
        ),
        links: ("for=family:adult",),
        f"{links}/{personal.id}/nothing": ("x",),
        f"/staff/meetings/{foreign.id}/links": ("for=family:adult",),
        f"/staff/meetings/{foreign.id}/close": (),
        f"/staff/meetings/{foreign.id}/links/{personal.id}/revoke": (),
        f"/staff/meetings/{meeting.id}/places": places,
        f"/staff/meetings/{meeting.id}/links/nobody/replace": (),
        "/staff/people": ("name=Kim", "address=kim@example.se", "roles=evaluator", f"unit={town.north.id}"),
        "/staff/people/units": ("name=Väst", f"under={town.north.id}"),
        "/staff/people/nobody/password": (),
        "/staff/people/nobody/disable": (),
        "/staff/account": ("old", "new=ett nytt lösenord"),
        "/staff/account/language": ("language=en",),
        "/": ("key",),
        "/withdraw": ("receipt",),
    }
    participant_paths = [f"/{key}" for key in keys] + ["/", "/withdraw", "/privacy", "/leave", "/AAAAAAAAAA"]
    staff_paths = [
        "/staff",
        "/staff/sign-in",
        "/staff/account",
        "/staff/meetings/new",
        f"/staff/meetings/{meeting.id}",
        f"/staff/meetings/{foreign.id}",
        f"/staff/meetings/{meeting.id}/slips",
        f"/staff/meetings/{meeting.id}/room/family",
        links,
        "/staff/people",
        "/results",
        "/results/months",
        "/results/years",
        "/results.csv",
    ]
    items = sorted({item.id for form in town.house.catalogue for item in form.items})
    tokens = {who: Page(clients[who].get("/staff/account").text).form_values()["csrf_token"] for who in staff}
    return Attacker(random, participant_paths, staff_paths, forms, staff or ["nobody"], tokens, items), meeting


def _judge_write(
    before: dict[str, list[tuple]], after: dict[str, list[tuple]], endpoint: str | None, reply: TestResponse, where: str
) -> None:
    """Only what was answered as done may have changed anything, and only in tables of its own."""
    changed = {table for table in after if after[table] != before[table]}
    if not changed:
        return
    assert reply.status_code in (200, 303), f"{where} -> {reply.status_code}, but changed {changed}"
    allowed = _MAY_WRITE.get(endpoint or "", set())
    allowed |= set() if endpoint == "participant.send" or not allowed else _NOTED
    assert changed <= allowed, f"{where} -> {reply.status_code} changed {changed}, may {allowed}"


def _judge_reply(request: HostileRequest, reply: TestResponse, where: str) -> None:
    """Nothing of what was sent has become part of our page or of our headers."""
    for name, value in reply.headers:
        assert MARK not in name.lower(), f"{where}: header {name}"
        assert not (name == "Set-Cookie" and value.startswith(MARK)), f"{where}: cookie {value}"
        assert "\r" not in value
        assert "\n" not in value
    if reply.headers.get("Content-Encoding") == "gzip" and reply.data:
        reply.set_data(gzip.decompress(reply.data))
    if request.method in ("HEAD", "OPTIONS") or reply.mimetype != "text/html":
        return
    if reply.status_code in range(300, 400):
        assert not reply.headers["Location"].startswith(("//", "/\\")), where
        return
    inspect_headers(reply)
    if "HTTP_HOST" not in request.headers:
        inspect_page(reply)
    page = Page(reply.text)
    assert f"{MARK}ok" not in reply.text, f"{where}: a template was carried out"
    for tag, attrs in page.tags:
        assert not tag.startswith(MARK), f"{where}: <{tag}>"
        assert not [name for name in attrs if name.startswith(MARK)], f"{where}: <{tag} {attrs}>"
        for name in ("href", "action", "src"):
            assert not attrs.get(name, "").startswith(("//", "/\\", "javascript:")), f"{where}: {attrs[name]}"


def _judge_box(db: Database) -> None:
    """As many sealed answers as used places, and no row that refers to nothing."""
    (ballots,) = db.execute("select count(*) from ballot").fetchone()
    (answered,) = db.execute("select count(*) from invitation where state = 'answered'").fetchone()
    assert ballots == answered
    assert db.execute("pragma foreign_key_check").fetchall() == []
    assert db.execute("pragma integrity_check").fetchall() == [("ok",)]
