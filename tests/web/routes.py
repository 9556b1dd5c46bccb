"""Every address that the application has, from its own map, so that a new one is walked by itself."""

import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from enkat import counting, inviting
from enkat.model.meeting import Meeting
from enkat.model.staff import StaffRole
from enkat.model.survey import Role
from enkat.secrecy import tokens
from enkat.secrecy.guessing import Brake
from enkat.storage.engine import insert, write
from tests.conftest import TODAY, Town
from tests.inspection import Page
from tests.published import publish, quarter, year
from tests.web.hostile import version

#: Every method that HTTP has a name for and that somebody might try, and one that it has not.
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW")

#: Methods that ask for nothing to be done.
SAFE = ("GET", "HEAD", "OPTIONS")

_ARGUMENT = re.compile(r"<(?:[^<>]+:)?(\w+)>")


@dataclass(frozen=True)
class Scene:
    """Something of the northern team's for each argument that an address may have."""

    open: Meeting
    counted: Meeting
    room: str
    personal: str
    values: Mapping[str, str]

    def of(self, rule: Rule, **instead: str) -> str:
        """An address of a rule that leads to something, or to what is said instead."""
        known = dict(self.values) | ({"link_id": self.room} if "/room/" in rule.rule else {}) | instead
        strange = sorted(rule.arguments - known.keys())
        assert not strange, (
            f"{rule.rule} ({rule.endpoint}) is new to this walk: say in tests/web/routes.py, `scene`, "
            f"what is to stand for {' and '.join(f'<{name}>' for name in strange)}"
        )
        return _ARGUMENT.sub(lambda found: known[found[1]], rule.rule)


def scene(app: Flask, town: Town) -> Scene:
    """A meeting that is open and one that is counted, links, published results, texts, and somebody to switch off."""
    assignment = town.assignment("M-881")
    counted = town.meeting(assignment=assignment)
    counting.close_and_count(town.db, town.house.keys, counted.id, TODAY)
    meeting = town.meeting(assignment=assignment)
    personal = town.personal(meeting, Role.KIN)
    publish(town.db, quarter("2026-Q3"), year(2025, unit={"Norr": 70, "Söder": 60}))
    texts = _write_texts(town)
    somebody = town.add_staff("tove@mitthem.example", town.south, StaffRole.EVALUATOR)
    member = town.db.execute("select id from staff where address = ?", [somebody]).fetchone()[0]
    with app.app_context():
        file = app.jinja_env.globals["asset"]("staff.css")  # type: ignore[operator]
    values = {
        "meeting_id": meeting.id,
        "link_id": personal.id,
        "role": Role.FAMILY.value,
        "key": town.rooms(meeting)[Role.FAMILY].key,
        "member_id": member,
        "message": "a" * 32,
        "mark": tokens.report_mark(town.house.keys.instance, "a" * 32),
        "text_id": texts["readable"],
        "state": "enable",
        "version": file.split("/")[2],
        "name": file.split("/")[3],
    }
    return Scene(meeting, counted, town.rooms(meeting)[Role.FAMILY].id, personal.id, values)


def _write_texts(town: Town) -> dict[str, str]:
    """A text in each state in which somebody may see it, and a child's; their ids."""
    found = {state: f"{number}" * 32 for number, state in enumerate(("readable", "cleared", "withheld", "released"), 1)}
    with write(town.db):
        for state, id_ in found.items():
            batch = 1 if state == "released" else None
            text = {"id": id_, "is_child": 0, "state": state, "wording": "Bra", "batch": batch}
            insert(town.db, "free_text", text)
        insert(town.db, "free_text", text | {"id": "5" * 32, "is_child": 1, "state": "readable", "batch": None})
    return found


def rules(app: Flask) -> Iterator[Rule]:
    """Every rule, the same order each time."""
    yield from sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint))


def forget_failures(app: Flask, clock: Callable[[], float] = time.monotonic) -> None:
    """Nobody has guessed wrong so far."""
    app.extensions["enkat.brake"] = Brake(clock)


def used_and_revoked(town: Town, meeting: Meeting) -> tuple[str, str]:
    """The keys of a place that is used and of a link that is revoked."""
    used, revoked = town.personal(meeting, Role.KIN), town.personal(meeting, Role.PROFESSIONAL)
    inviting.revoke_link(town.db, meeting.id, revoked.id)
    return used.key, revoked.key


@dataclass
class Visitor:
    """Somebody with a browser that comes with the same cookie each time, whatever it was told meanwhile."""

    client: FlaskClient
    base_url: str = "http://127.0.0.1:8000"
    cookie: tuple[str, str] | None = None

    def open(self, method: str, path: str, **more: Any) -> TestResponse:
        """One request, and what came of it, whatever it is."""
        if self.cookie:
            name, value = self.cookie
            is_tls = self.base_url.startswith("https:")
            self.client.set_cookie(name, value, domain=self._host, secure=is_tls, httponly=True)
        # `FlaskClient.open` itself: an inspecting client expects a page of every reply, also of HEAD and OPTIONS.
        return FlaskClient.open(self.client, path, method=method, base_url=self.base_url, **more)

    def enter(self, town: Town, address: str) -> "Visitor":
        """Sign in through the page, and stay so."""
        fields = {"csrf_token": self.token(), "address": address, "password": town.passwords[address]}
        reply = self.open("POST", "/staff/sign-in", data=fields)
        assert reply.status_code == 303, reply.text
        self.token()  # from now on the cookie knows what tokens are made of
        name = "__Host-enkat" if self.base_url.startswith("https:") else "enkat"
        cookie = self.client.get_cookie(name, domain=self._host)
        assert cookie is not None
        self.cookie = name, cookie.value
        return self

    def token(self) -> str:
        """A token for one's forms, from the first page that has one."""
        for page in ("/staff/account", "/staff/sign-in"):
            reply = self.open("GET", page)
            if reply.status_code == 200:
                return Page(reply.text).form_values()["csrf_token"]
        raise AssertionError("no page with a form")

    @property
    def _host(self) -> str:
        return urlsplit(self.base_url).hostname or ""


class Rewind:
    """The installation as it was: database, keys and noted heads of the log, whatever is done to them in between."""

    def __init__(self, town: Town, aside: Path) -> None:
        self._db, self._aside = town.db, aside
        self._keys, self._heads = town.house.settings.keys, town.house.settings.audit_heads
        self._copy = sqlite3.connect(":memory:")
        self.keep()

    def keep(self) -> None:
        """It is to be as it is now."""
        self._db.conn.backup(self._copy)
        shutil.copytree(self._keys, self._aside, dirs_exist_ok=True)
        self._noted = self._heads.read_bytes() if self._heads.exists() else b""
        self._seen = version(self._db)

    @property
    def is_changed(self) -> bool:
        """Whether anybody else has written anything."""
        return version(self._db) != self._seen

    def back(self) -> None:
        """As it was."""
        self._copy.backup(self._db.conn)
        shutil.copytree(self._aside, self._keys, dirs_exist_ok=True)
        self._heads.write_bytes(self._noted)
        self._seen = version(self._db)
