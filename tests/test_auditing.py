"""The audit log: what staff and the program did stands there once, in the same write as the deed; nothing of those who
answer ever does; and whoever changes it afterwards is found out.

`make test` tries some hundred ways to tamper with it; with ENKAT_ATTACK=full there are thousands.
"""

import hashlib
import json
import os
import re
import sqlite3
import stat
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import example, given
from hypothesis import settings as chosen
from hypothesis import strategies as st
from sqlite_utils import Database

import enkat
from enkat import answering, checking, clearing, cli, counting, inviting, staffing, worker
from enkat.house import House
from enkat.inviting import contacting, outbox
from enkat.inviting.contacting import Address
from enkat.inviting.letters import Desk
from enkat.model.audit import BACKGROUND, TERMINAL, Act, AuditHead
from enkat.model.errors import EnkatError, KeyFileError, StoreError
from enkat.model.meeting import Channel, Meeting, OpenedLink, Source
from enkat.model.staff import StaffMember, StaffRole
from enkat.model.survey import Answer, Role, Stage, Submission
from enkat.model.text import BATCH, FreeText
from enkat.secrecy import tokens
from enkat.secrecy.keys import KeyStore
from enkat.settings import Settings
from enkat.storage import audit, staff, texts, witness
from enkat.storage.engine import number, rows, write
from tests.conftest import TODAY, Town, signed_in, with_services
from tests.inspection import InspectingClient
from tests.web.hostile import contents

_IS_FULL = os.environ.get("ENKAT_ATTACK") == "full"

#: Logs that are made up, and ways in which each is tampered with.
_LOGS, _WAYS = (500, 12) if _IS_FULL else (40, 8)

AFTER = TODAY + timedelta(days=15)

#: Who, what, to what.
Told = tuple[str, str, str]


def told(db: Database) -> list[Told]:
    """The whole log, without its moments and hashes."""
    return [(one.actor, one.act, one.record) for one in audit.latest(db, 100_000)]


def faults(settings: Settings) -> list[str]:
    """What `enkat check` finds wrong with the log and its heads."""
    return [fault for fault in checking.faults(settings) if "audit" in fault and "trigger" not in fault]


# The acts of staff, as they do them on their pages


@dataclass
class Scene:
    """A municipality at work, and three people of its staff who sign in when they are needed."""

    app: Flask
    town: Town
    clients: dict[StaffRole, InspectingClient] = field(default_factory=dict)

    @property
    def db(self) -> Database:
        return self.town.db

    def address(self, role: StaffRole) -> str:
        return f"{role}@mitthem.example"

    def member(self, role: StaffRole) -> StaffMember:
        """Somebody of that role, added when first needed."""
        if found := staff.find_address(self.db, self.address(role)):
            return found
        unit = self.town.north if role is StaffRole.COORDINATOR else self.town.municipality
        self.town.add_staff(self.address(role), unit, role)
        return self.member(role)

    def client(self, role: StaffRole) -> InspectingClient:
        """That person's browser, signed in."""
        if role not in self.clients:
            self.member(role)
            self.clients[role] = signed_in(self.app, self.town, self.address(role))
        return self.clients[role]

    def press(self, role: StaffRole, action: str, **fields: Any) -> int:
        """A button of one of that person's pages; the status of the reply."""
        return self.client(role).press("/staff/account", action, **fields).status_code

    @cached_property
    def meeting(self) -> Meeting:
        return self.town.meeting()

    @cached_property
    def room(self) -> OpenedLink:
        return self.town.rooms(self.meeting)[Role.FAMILY]

    @cached_property
    def link(self) -> OpenedLink:
        return self.town.personal(self.meeting, Role.KIN)

    @cached_property
    def sent_link(self) -> OpenedLink:
        """A link that has been sent to a number."""
        house = self.town.house
        desk = Desk.of(house.settings, house.languages, "http://127.0.0.1:8000")
        outbox.send_link(self.db, house.keys, desk, self.meeting.id, Address(self.link.id, Channel.SMS, "+46701740605"))
        self.db.execute("update message set state = 'sent', sealed = null")
        return self.link

    @cached_property
    def text(self) -> str:
        """A text that is to be read, with enough others."""
        found = [FreeText(tokens.new_submission(), "Mer tid.", is_child=False) for _text in range(BATCH)]
        texts.lock_all(self.db, self.meeting.id, found)
        self.db.execute("update free_text set meeting = null, state = 'readable'")
        return found[0].id

    @cached_property
    def last_text(self) -> str:
        """The text with which ten are cleared."""
        self.db.execute("update free_text set state = 'cleared' where id <> ?", [self.text])
        return self.text


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """An installation that can send."""
    return with_services(settings)


@pytest.fixture
def scene(app: Flask, town: Town) -> Scene:
    return Scene(app, town)


@dataclass(frozen=True)
class Deed:
    """A button: whose page it is on, where it leads, with what, and the entries that it writes. A record may be a
    query for its id, for what is new has none before."""

    role: StaffRole
    action: str
    fields: dict[str, Any] = field(default_factory=dict)
    writes: tuple[tuple[Act, str], ...] = ()


COORDINATOR, EVALUATOR, ADMINISTRATOR = StaffRole.COORDINATOR, StaffRole.EVALUATOR, StaffRole.ADMINISTRATOR

NEW_MEETING = {
    "reference": "M-200",
    "source": "school",
    "kind": "sip",
    "held": "2026-11-18",
    "closes": "2026-12-05",
    "family": "3",
    "kin": "2",
    "child": "1",
    "professional": "3",
    "child_form": "child_small",
}

LIST = {"addresses": "+46701740605", "group": "kin:adult", "language": "sv", "step": "send"}

#: Everything that staff can press, by endpoint, and what may be said of it beside that.
DEEDS: dict[str, Callable[[Scene], Deed]] = {
    "staff.sign_out": lambda on: Deed(
        EVALUATOR, "/staff/sign-out", writes=((Act.STAFF_SIGNED_OUT, on.member(EVALUATOR).id),)
    ),
    "staff.account": lambda on: Deed(
        EVALUATOR,
        "/staff/account",
        {"old": _password(on, EVALUATOR), "new": "korrekt häst batteri"},
        ((Act.PASSWORD_CHANGED, on.member(EVALUATOR).id),),
    ),
    "staff.sign_out_elsewhere": lambda on: Deed(
        EVALUATOR,
        "/staff/account/sign-out-elsewhere",
        writes=((Act.STAFF_SIGNED_OUT_ELSEWHERE, on.member(EVALUATOR).id),),
    ),
    "staff.language": lambda _on: Deed(EVALUATOR, "/staff/account/language", {"language": "en"}),
    "coordinator.new": lambda _on: Deed(
        COORDINATOR,
        "/staff/meetings/new",
        NEW_MEETING,
        (
            (Act.ASSIGNMENT_OPENED, "select id from assignment where reference = 'M-200'"),
            (Act.MEETING_STARTED, "select id from meeting where kind = 'sip'"),
        ),
    ),
    "coordinator.new of a known assignment": lambda on: Deed(
        COORDINATOR,
        "/staff/meetings/new",
        NEW_MEETING | {"reference": on.town.assignment("M-200").reference},
        ((Act.MEETING_STARTED, "select id from meeting where kind = 'sip'"),),
    ),
    "coordinator.replace_room": lambda on: Deed(
        COORDINATOR,
        f"/staff/meetings/{on.meeting.id}/room/{on.room.id}/replace",
        writes=((Act.LINK_REPLACED, on.meeting.id),),
    ),
    "coordinator.links": lambda on: Deed(
        COORDINATOR,
        f"/staff/meetings/{on.meeting.id}/links",
        {"for": "kin:adult"},
        ((Act.LINKS_ADDED, on.meeting.id),),
    ),
    "coordinator.replace": lambda on: Deed(
        COORDINATOR,
        f"/staff/meetings/{on.meeting.id}/links/{on.link.id}/replace",
        writes=((Act.LINK_REPLACED, on.meeting.id),),
    ),
    "coordinator.revoke": lambda on: Deed(
        COORDINATOR,
        f"/staff/meetings/{on.meeting.id}/links/{on.link.id}/revoke",
        writes=((Act.LINK_REVOKED, on.meeting.id),),
    ),
    "coordinator.send": lambda on: Deed(
        COORDINATOR,
        f"/staff/meetings/{on.meeting.id}/links/{on.link.id}/send",
        {"address": "0701740605", "language": "sv"},
        ((Act.CONTACTS_ADDED, on.meeting.id), (Act.LINKS_SENT, on.meeting.id)),
    ),
    "coordinator.send_again": lambda on: Deed(
        COORDINATOR,
        f"/staff/meetings/{on.meeting.id}/links/{on.sent_link.id}/again",
        writes=((Act.LINKS_SENT, on.meeting.id),),
    ),
    "coordinator.send_list": lambda on: Deed(
        COORDINATOR,
        f"/staff/meetings/{on.meeting.id}/send",
        LIST
        | {
            "seen": hashlib.sha256(
                "\0".join(LIST[name] for name in ("addresses", "group", "language")).encode()
            ).hexdigest()
        },
        ((Act.LINKS_ADDED, on.meeting.id), (Act.CONTACTS_ADDED, on.meeting.id), (Act.LINKS_SENT, on.meeting.id)),
    ),
    "coordinator.reminder": lambda on: Deed(
        COORDINATOR,
        f"/staff/meetings/{on.meeting.id}/reminder",
        {"on": "0"},
        ((Act.REMINDER_OFF, on.meeting.id),),
    ),
    "coordinator.places": lambda on: Deed(
        COORDINATOR,
        f"/staff/meetings/{on.meeting.id}/places",
        {"family": "4", "kin": "2", "child": "1", "professional": "3"},
        ((Act.PLACES_CHANGED, on.meeting.id),),
    ),
    "coordinator.close": lambda on: Deed(
        COORDINATOR,
        f"/staff/meetings/{on.meeting.id}/close",
        writes=tuple((act, on.meeting.id) for act in (Act.MEETING_CLOSED, Act.MEETING_COUNTED, Act.KEY_DESTROYED)),
    ),
    "coordinator.close with contacts": lambda on: Deed(
        COORDINATOR,
        f"/staff/meetings/{_with_contact(on).id}/close",
        writes=tuple(
            (act, on.meeting.id)
            for act in (Act.MEETING_CLOSED, Act.CONTACTS_REMOVED, Act.MEETING_COUNTED, Act.KEY_DESTROYED)
        ),
    ),
    "administrator.add": lambda on: Deed(
        ADMINISTRATOR,
        "/staff/people",
        {"address": "new@mitthem.example", "name": "New", "roles": ["evaluator"], "unit": on.town.north.id},
        ((Act.STAFF_ADDED, "select id from staff where name = 'New'"),),
    ),
    "administrator.add_unit": lambda on: Deed(
        ADMINISTRATOR,
        "/staff/people/units",
        {"name": "Öster", "under": on.town.north.id},
        ((Act.UNIT_ADDED, "select id from unit where name = 'Öster'"),),
    ),
    "administrator.give_password": lambda on: Deed(
        ADMINISTRATOR,
        f"/staff/people/{on.member(EVALUATOR).id}/password",
        writes=((Act.PASSWORD_GIVEN, on.member(EVALUATOR).id),),
    ),
    "administrator.enable": lambda on: Deed(
        ADMINISTRATOR,
        f"/staff/people/{on.member(EVALUATOR).id}/enable",
        writes=((Act.STAFF_ENABLED, on.member(EVALUATOR).id),),
    ),
    "administrator.enable, not any more": lambda on: Deed(
        ADMINISTRATOR,
        f"/staff/people/{on.member(EVALUATOR).id}/disable",
        writes=((Act.STAFF_DISABLED, on.member(EVALUATOR).id),),
    ),
    "texts.clear": lambda on: Deed(
        EVALUATOR,
        f"/staff/texts/{on.text}/clear",
        {"wording": "Mer tid, tack."},
        ((Act.TEXT_CHANGED, on.text),),
    ),
    "texts.clear the tenth": lambda on: Deed(
        EVALUATOR,
        f"/staff/texts/{on.last_text}/clear",
        {"wording": "Mer tid, tack."},
        ((Act.TEXT_CHANGED, on.text), (Act.TEXTS_RELEASED, "batch 1")),
    ),
    "texts.withhold": lambda on: Deed(
        EVALUATOR, f"/staff/texts/{on.text}/withhold", writes=((Act.TEXT_WITHHELD, on.text),)
    ),
}


def _password(on: Scene, role: StaffRole) -> str:
    on.member(role)
    return on.town.passwords[on.address(role)]


def _with_contact(on: Scene) -> Meeting:
    contacting.remember(on.db, on.town.house.keys, on.meeting.id, [Address(on.link.id, Channel.SMS, "+46731112233")])
    return on.meeting


@pytest.mark.parametrize("name", DEEDS)
def test_whatever_staff_press_is_noted_once_with_who_and_what(scene: Scene, name: str) -> None:
    deed = DEEDS[name](scene)
    scene.client(deed.role)
    before = told(scene.db)
    assert scene.press(deed.role, deed.action, **deed.fields) in (200, 303)
    after = told(scene.db)
    expected = []
    for act, record in deed.writes:
        found = scene.db.execute(record).fetchone()[0] if record.startswith("select") else record
        expected.append((scene.member(deed.role).id, act, found))
    assert after[: len(before)] == before
    assert after[len(before) :] == expected


def test_every_button_of_the_staffs_pages_is_pressed_above(app: Flask) -> None:
    """Else a new one could come without an entry, and no test would notice."""
    posts = {rule.endpoint for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    of_staff = {endpoint for endpoint in posts if not endpoint.startswith(("participant.", "reports."))}
    assert of_staff - {"staff.sign_in"} == {re.split(r"[ ,]", name)[0] for name in DEEDS}


def test_a_sign_in_is_noted_and_a_second_one_too(scene: Scene) -> None:
    karin = scene.member(COORDINATOR).id
    before = told(scene.db)
    for times in (1, 2):
        signed_in(scene.app, scene.town, scene.address(COORDINATOR))
        assert told(scene.db)[len(before) :] == [(karin, Act.STAFF_SIGNED_IN, karin)] * times


def test_that_somebody_reads_texts_is_noted_once_a_day_and_of_each(scene: Scene) -> None:
    assert scene.text
    scene.town.add_staff("other@mitthem.example", scene.town.municipality, EVALUATOR)
    clients = scene.client(EVALUATOR), signed_in(scene.app, scene.town, "other@mitthem.example")
    before = told(scene.db)
    for client in (*clients, *clients):
        assert client.get("/staff/texts").status_code == 200
    ids = [staff.find_address(scene.db, address) for address in (scene.address(EVALUATOR), "other@mitthem.example")]
    assert told(scene.db)[len(before) :] == [(one.id, Act.TEXTS_READ, "") for one in ids if one]


def test_an_empty_desk_is_not_read(scene: Scene) -> None:
    client = scene.client(EVALUATOR)
    before = told(scene.db)
    assert client.get("/staff/texts").status_code == 200
    assert told(scene.db) == before


def test_looking_at_pages_is_not_noted(scene: Scene) -> None:
    path = f"/staff/meetings/{scene.meeting.id}"
    looks = {
        COORDINATOR: ("/staff", "/staff/meetings/new", path, *(f"{path}/{page}" for page in _OF_A_MEETING)),
        EVALUATOR: ("/staff", "/staff/account", "/results"),
        ADMINISTRATOR: ("/staff", "/staff/people", "/staff/people/sending"),
    }
    assert scene.link
    for role, pages in looks.items():
        client = scene.client(role)
        before = told(scene.db)
        for page in pages:
            assert client.get(page, follow_redirects=True).status_code == 200, page
        assert told(scene.db) == before


_OF_A_MEETING = ("links", "send", "slips", "paper", "announcement", "places", "close", "progress", "room/family")


def test_an_entry_says_when_to_the_second(scene: Scene) -> None:
    begun = datetime.now(UTC).replace(microsecond=0)
    scene.client(COORDINATOR)
    last = audit.latest(scene.db, 1)[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", last.at)
    assert begun <= datetime.fromisoformat(last.at) <= datetime.now(UTC)


# What is refused


#: What staff may try in vain: whose button, what it says, and the reply.
IN_VAIN: dict[str, tuple[Callable[[Scene], Deed], int]] = {
    "a meeting without people": (
        lambda _on: Deed(
            COORDINATOR,
            "/staff/meetings/new",
            NEW_MEETING | dict.fromkeys(["family", "kin", "child", "professional"], "0"),
        ),
        400,
    ),
    "a reference that is a name": (
        lambda _on: Deed(COORDINATOR, "/staff/meetings/new", NEW_MEETING | {"reference": "Anna Svensson"}),
        400,
    ),
    "another source of a known assignment": (
        lambda on: Deed(
            COORDINATOR,
            "/staff/meetings/new",
            NEW_MEETING | {"reference": on.town.assignment("M-200").reference, "source": "self"},
        ),
        400,
    ),
    "too many places": (
        lambda on: Deed(COORDINATOR, f"/staff/meetings/{on.meeting.id}/places", {"family": "51"}),
        400,
    ),
    "fewer places than personal links": (
        lambda on: Deed(COORDINATOR, f"/staff/meetings/{on.meeting.id}/places", {"family": "3", on.link.role: "0"}),
        400,
    ),
    "a link for nobody": (
        lambda on: Deed(COORDINATOR, f"/staff/meetings/{on.meeting.id}/links", {"for": "leader"}),
        400,
    ),
    "a form that is not the role's": (
        lambda on: Deed(COORDINATOR, f"/staff/meetings/{on.meeting.id}/links", {"for": "kin:child"}),
        303,
    ),
    "a room's link taken back": (
        lambda on: Deed(COORDINATOR, f"/staff/meetings/{on.meeting.id}/links/{on.room.id}/revoke"),
        303,
    ),
    "a link that is not there": (
        lambda on: Deed(COORDINATOR, f"/staff/meetings/{on.meeting.id}/links/nothing/replace"),
        404,
    ),
    "another team's meeting closed": (
        lambda on: Deed(COORDINATOR, f"/staff/meetings/{_of_the_south(on).id}/close"),
        404,
    ),
    "another team's links": (
        lambda on: Deed(COORDINATOR, f"/staff/meetings/{_of_the_south(on).id}/links", {"for": "kin:adult"}),
        404,
    ),
    "a counted meeting closed again": (
        lambda on: Deed(COORDINATOR, f"/staff/meetings/{_counted(on).id}/close"),
        303,
    ),
    "a link to a counted meeting": (
        lambda on: Deed(COORDINATOR, f"/staff/meetings/{_counted(on).id}/links", {"for": "kin:adult"}),
        303,
    ),
    "an evaluator who closes a meeting": (
        lambda on: Deed(EVALUATOR, f"/staff/meetings/{on.meeting.id}/close"),
        403,
    ),
    "a coordinator who adds a unit": (lambda _on: Deed(COORDINATOR, "/staff/people/units", {"name": "Öster"}), 403),
    "somebody who is there already": (
        lambda on: Deed(
            ADMINISTRATOR,
            "/staff/people",
            {
                "address": on.member(EVALUATOR).address,
                "name": "Again",
                "roles": ["evaluator"],
                "unit": on.town.north.id,
            },
        ),
        400,
    ),
    "a unit that is there already": (
        lambda on: Deed(ADMINISTRATOR, "/staff/people/units", {"name": "NORR", "under": on.town.north.id}),
        400,
    ),
    "a password for nobody": (lambda _on: Deed(ADMINISTRATOR, "/staff/people/nobody/password"), 404),
    "oneself shut out": (
        lambda on: Deed(ADMINISTRATOR, f"/staff/people/{on.member(ADMINISTRATOR).id}/disable"),
        303,
    ),
    "somebody neither let in nor shut out": (
        lambda on: Deed(ADMINISTRATOR, f"/staff/people/{on.member(EVALUATOR).id}/promote"),
        404,
    ),
    "a wrong old password": (
        lambda _on: Deed(EVALUATOR, "/staff/account", {"old": "wrong", "new": "korrekt häst batteri"}),
        400,
    ),
    "a short new password": (
        lambda on: Deed(EVALUATOR, "/staff/account", {"old": _password(on, EVALUATOR), "new": "kort"}),
        400,
    ),
    "a language that there is not": (lambda _on: Deed(EVALUATOR, "/staff/account/language", {"language": "zq"}), 303),
    "a text that is not there": (lambda _on: Deed(EVALUATOR, "/staff/texts/nothing/clear", {"wording": "x"}), 404),
    "a text left empty": (lambda on: Deed(EVALUATOR, f"/staff/texts/{on.text}/clear", {"wording": " "}), 400),
    "a text that is not to be read yet": (
        lambda on: Deed(EVALUATOR, f"/staff/texts/{_locked(on)}/withhold"),
        404,
    ),
}


def _of_the_south(on: Scene) -> Meeting:
    return on.town.meeting(assignment=on.town.assignment("S-1", on.town.south))


def _counted(on: Scene) -> Meeting:
    counting.close_and_count(on.db, on.town.house.keys, on.meeting.id, TODAY)
    return on.meeting


def _locked(on: Scene) -> str:
    on.db.execute("update free_text set state = 'gathering' where id = ?", [on.text])
    return on.text


@pytest.mark.parametrize("name", IN_VAIN)
def test_what_is_refused_is_not_noted(scene: Scene, name: str) -> None:
    make, status = IN_VAIN[name]
    deed = make(scene)
    if scene.client(deed.role) and deed.role is EVALUATOR:
        scene.client(deed.role).get("/staff/texts")  # that texts were read is noted by this, and not by the refusal
    before = told(scene.db)
    assert scene.press(deed.role, deed.action, **deed.fields) == status
    assert told(scene.db) == before


def test_a_sign_in_that_fails_is_not_noted(scene: Scene) -> None:
    address = scene.member(COORDINATOR).address
    off = scene.member(EVALUATOR)
    staffing.set_enabled(scene.db, off.id, False)
    before = told(scene.db)
    right = scene.town.passwords[scene.address(EVALUATOR)]
    for who, password in ((address, "wrong"), ("nobody@mitthem.example", "wrong"), (off.address, right), ("", "")):
        client = scene.app.test_client()
        assert client.submit("/staff/sign-in", address=who, password=password).status_code == 401
    assert told(scene.db) == before


def test_signing_out_twice_or_never_having_been_in_is_not_noted(scene: Scene) -> None:
    client = scene.client(COORDINATOR)
    assert scene.press(COORDINATOR, "/staff/sign-out") == 303
    before = told(scene.db)
    assert client.post("/staff/sign-out").status_code in (303, 400)
    staffing.sign_out(scene.db, "never")
    assert told(scene.db) == before


@pytest.mark.parametrize("name", DEEDS)
def test_a_deed_whose_entry_cannot_be_written_is_not_done(scene: Scene, name: str) -> None:
    """One write: somebody who could stop the log from being written would not get anything done unseen."""
    deed = DEEDS[name](scene)
    scene.client(deed.role)
    scene.app.config["PROPAGATE_EXCEPTIONS"] = False
    scene.db.execute("""create trigger full before insert on audit_entry
        begin select raise(abort, 'no room for an entry'); end""")
    before = contents(scene.db)
    assert scene.press(deed.role, deed.action, **deed.fields) == (500 if deed.writes else 303)
    assert contents(scene.db) == before


# The use cases themselves


def sent(town: Town, link: OpenedLink, **answers: Answer) -> Submission:
    """A filled form of an adult."""
    form = town.house.catalogue[link.questionnaire]
    said = answers or {"safe": Answer(value=3), "words": Answer(text="Tack för kaffet")}
    return Submission(tokens.new_submission(), form.id, form.version, link.role, Stage.AFTER, "sv", said)


#: What those who work at the terminal can do, each with what it is done to and the entries that it writes.
USES: dict[str, Callable[[Scene], tuple[Callable[[], object], list[Act]]]] = {
    "a unit": lambda on: (lambda: staffing.add_unit(on.db, "Öster"), [Act.UNIT_ADDED]),
    "somebody": lambda on: (
        lambda: staffing.add_staff(on.db, "new@mitthem.example", "New", [EVALUATOR], on.town.north.id),
        [Act.STAFF_ADDED],
    ),
    "a password": lambda on: (_bound(staffing.give_password, on.db, on.member(EVALUATOR).id), [Act.PASSWORD_GIVEN]),
    "shut out": lambda on: (
        _bound(staffing.set_enabled, on.db, on.member(EVALUATOR).id, False),
        [Act.STAFF_DISABLED],
    ),
    "let in": lambda on: (_bound(staffing.set_enabled, on.db, on.member(EVALUATOR).id, True), [Act.STAFF_ENABLED]),
    "an assignment": lambda on: (lambda: on.town.assignment("M-9"), [Act.ASSIGNMENT_OPENED]),
    "a meeting": lambda on: (_bound(on.town.meeting, None, on.town.assignment("M-9")), [Act.MEETING_STARTED]),
    "places": lambda on: (
        _bound(
            inviting.set_places,
            on.db,
            on.town.house.keys,
            on.town.house.catalogue,
            on.meeting.id,
            {Role.KIN: 5, Role.FAMILY: 0},
        ),
        [Act.PLACES_CHANGED],
    ),
    "links": lambda on: (
        _bound(
            inviting.add_personal_links,
            on.db,
            on.town.house.keys,
            on.town.house.catalogue,
            on.meeting.id,
            Role.KIN,
            None,
            4,
        ),
        [Act.LINKS_ADDED],
    ),
    "a replaced link": lambda on: (
        _bound(inviting.replace_link, on.db, on.town.house.keys, on.meeting.id, on.link.id),
        [Act.LINK_REPLACED],
    ),
    "a revoked link": lambda on: (
        _bound(inviting.revoke_link, on.db, _with_contact(on).id, on.link.id),
        [Act.LINK_REVOKED],
    ),
    "contacts": lambda on: (
        _bound(
            contacting.remember,
            on.db,
            on.town.house.keys,
            on.meeting.id,
            [Address(on.link.id, Channel.SMS, "+46731112233"), Address(on.link.id, Channel.EMAIL, "kim@example.nu")],
        ),
        [Act.CONTACTS_ADDED],
    ),
    "contacts removed": lambda on: (
        _bound(contacting.remove_due, on.db, _with_contact(on).closes + timedelta(days=14)),
        [Act.CONTACTS_REMOVED],
    ),
    "a text cleared": lambda on: (_bound(clearing.clear, on.db, on.text, "Mer tid, tack."), [Act.TEXT_CHANGED]),
    "the tenth text cleared": lambda on: (
        _bound(clearing.clear, on.db, on.last_text, "Mer tid, tack."),
        [Act.TEXT_CHANGED, Act.TEXTS_RELEASED],
    ),
    "a text withheld": lambda on: (_bound(clearing.withhold, on.db, on.text), [Act.TEXT_WITHHELD]),
}


def _bound(act: Callable[..., object], *arguments: object) -> Callable[[], object]:
    """An act that is ready to be done: what it needs is there already."""
    return lambda: act(*arguments)


@pytest.mark.parametrize("name", USES)
def test_at_the_terminal_the_terminal_has_done_it(scene: Scene, name: str) -> None:
    act, writes = USES[name](scene)
    before = told(scene.db)
    act()
    entries = told(scene.db)[len(before) :]
    assert [(actor, entry) for actor, entry, _record in entries] == [(TERMINAL, one) for one in writes]


def breaking_off(db: Database) -> Callable[[int], None]:
    """A power cut that can be had after any number of rows are written; 0 for none."""
    tables = [row["name"] for row in rows(db, "select name from sqlite_master where type = 'table'")]
    db.conn.executescript("create temp table step (one); create temp table stop (at); insert into stop values (0);")
    for table in tables:
        for verb in ("insert", "update", "delete"):
            db.execute(f"""create temp trigger {table}_{verb} after {verb} on main.{table} begin
                insert into step values (1);
                select raise(abort, 'the power was cut') where (select count(*) from step) = (select at from stop);
                end""")

    def cut(at: int) -> None:
        db.conn.executescript(f"delete from step; update stop set at = {at}")

    return cut


@pytest.mark.parametrize("name", USES)
def test_a_deed_and_its_entry_are_one_write(scene: Scene, name: str) -> None:
    """Broken off after any of its rows, it leaves neither the one nor the other."""
    act, writes = USES[name](scene)
    cut, before, log = breaking_off(scene.db), contents(scene.db), told(scene.db)
    for row in range(1, 200):
        cut(at=row)
        try:
            act()
        except sqlite3.IntegrityError:
            assert contents(scene.db) == before, f"broken off after row {row}"
        else:
            break
    assert row > 1 + len(writes), "it was broken off at its entry and at what it does"
    assert len(told(scene.db)) == len(log) + len(writes)


# The terminal and the background work


def command(*arguments: str) -> None:
    """A command that does well."""
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 0, ended.value.code


@pytest.fixture
def terminal(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of somebody who works at the machine."""
    monkeypatch.setenv("ENKAT_INSTANCE", str(settings.instance))
    monkeypatch.setenv("ENKAT_TODAY", TODAY.isoformat())


def noted(settings: Settings) -> set[AuditHead]:
    return witness.heads(settings.audit_heads)


@pytest.mark.usefixtures("terminal")
def test_what_is_done_by_commands_is_noted_as_the_terminals_and_a_head_at_each_ones_end(
    town: Town, settings: Settings
) -> None:
    steps: list[tuple[list[str], list[Act]]] = [
        (["unit", "add", "Öster"], [Act.UNIT_ADDED]),
        (
            ["staff", "add", "a@b.example", "--name", "A", "--role", "evaluator", "--unit", "Norr"],
            [Act.STAFF_ADDED],
        ),
        (["assignment", "add", "M-1", "--unit", "Norr", "--source", "school"], [Act.ASSIGNMENT_OPENED]),
        (
            ["meeting", "add", "M-1", "--kind", "sip", "--date", "2026-11-20", "--kin", "2", "--family", "3"],
            [Act.MEETING_STARTED],
        ),
    ]
    for arguments, acts in steps:
        before = told(town.db)
        command(*arguments)
        assert [(actor, act) for actor, act, _record in told(town.db)[len(before) :]] == [
            (TERMINAL, act) for act in acts
        ]
        assert audit.head(town.db) in noted(settings)
    meeting = rows(town.db, "select id from meeting")[0]["id"]
    before = told(town.db)
    command("invite", meeting, "--role", "kin")
    command("count", meeting, "--close")
    command("publish")
    command("results")
    acts = [Act.LINKS_ADDED, Act.MEETING_CLOSED, Act.MEETING_COUNTED, Act.KEY_DESTROYED]
    assert told(town.db)[len(before) :] == [(TERMINAL, act, meeting) for act in acts]
    assert audit.head(town.db) in noted(settings)


@pytest.mark.usefixtures("terminal")
def test_a_command_that_fails_or_only_looks_leaves_the_log_and_its_heads_as_they_are(
    town: Town, settings: Settings
) -> None:
    command("unit", "add", "Öster")
    before = told(town.db), settings.audit_heads.read_bytes()
    for arguments in (
        ["unit", "add", "Öster"],
        ["staff", "add", "no address", "--name", "A", "--role", "evaluator", "--unit", "Norr"],
        ["assignment", "add", "850412-1234", "--unit", "Norr", "--source", "school"],
        ["count", "nothing", "--close"],
        ["results"],
        ["check"],
        ["publish", "--dry-run"],
    ):
        with pytest.raises(SystemExit):
            cli.main(arguments)
        assert (told(town.db), settings.audit_heads.read_bytes()) == before, arguments


def family_of(town: Town, meeting: Meeting) -> OpenedLink:
    return town.rooms(meeting)[Role.FAMILY]


def test_what_the_background_work_does_is_noted_as_its_own(town: Town, settings: Settings) -> None:
    meetings = [town.meeting(assignment=town.assignment(f"M-{number}")) for number in range(3)]
    for meeting in meetings:
        for value in (5, 2):
            said = {item: Answer(value=value) for item in ("prep", "safe", "say", "influence", "shared", "useful")}
            link = family_of(town, meeting)
            answering.submit(town.db, town.house.keys, link.key, sent(town, link, **said), TODAY)
    kim = town.personal(meetings[0], Role.KIN)
    contacting.remember(town.db, town.house.keys, meetings[0].id, [Address(kim.id, Channel.SMS, "+46731112233")])
    before = told(town.db)
    worker.work(town.at(date(2027, 1, 1)))
    after = told(town.db)[len(before) :]
    assert {actor for actor, _act, _record in after} == {BACKGROUND}
    ids = {meeting.id for meeting in meetings}
    of_each = (Act.MEETING_COUNTED, Act.KEY_DESTROYED)
    assert Counter((act, record) for _actor, act, record in after) == Counter(
        [
            *((act, one) for act in of_each for one in ids),
            (Act.CONTACTS_REMOVED, meetings[0].id),
            (Act.PERIOD_PUBLISHED, "quarter 2026-Q4"),
            (Act.PERIOD_PUBLISHED, "year 2026"),
            (Act.RESPONSES_SEVERED, "adults"),
        ]
    )
    assert noted(settings) >= {audit.head(town.db)}
    worker.work(town.at(date(2027, 1, 1)))
    assert told(town.db)[len(before) :] == after, "a round with nothing to do says nothing"


def test_what_could_not_be_counted_or_published_is_not_noted(town: Town) -> None:
    meeting = town.meeting()
    (town.house.keys.meetings / meeting.id).unlink()
    before = told(town.db)
    assert worker.work(town.at(AFTER)).failures
    assert told(town.db) == before


# Participants


@dataclass
class Visit:
    """What a participant leaves, none of which may ever stand in the log."""

    marks: set[str] = field(default_factory=set)

    def saw(self, *marks: object) -> None:
        self.marks |= {one.hex() if isinstance(one, bytes) else str(one) for one in marks if one}


def sees(town: Town, visit: Visit) -> None:
    """Take note of all that the database holds of places, links, ballots, contacts and answers."""
    for table, columns in {
        "link": "id, key_hash, sealed_key, invitation",
        "invitation": "id, claim",
        "ballot": "id, sealed, receipt_hash, repeat_check",
        "contact": "id, invitation, sealed_address",
        "response": "id, cluster",
        "free_text": "wording",
    }.items():
        for row in rows(town.db, f"select {columns} from {table}"):
            visit.saw(*row.values())


def test_nothing_that_a_participant_does_is_noted(town: Town, participant: InspectingClient) -> None:
    meeting, closed = town.meeting(), town.meeting(assignment=town.assignment("M-2"))
    kim = town.personal(meeting, Role.KIN)
    revoked = town.personal(meeting, Role.FAMILY)
    inviting.revoke_link(town.db, meeting.id, revoked.id)
    town.db.execute("update meeting set held = '2026-11-01', closes = '2026-11-15' where id = ?", [closed.id])
    before = rows(town.db, "select * from audit_entry")
    room, late = family_of(town, meeting), family_of(town, closed)
    form = {"submission": tokens.new_submission(), "prep": "4", "words": "Mer tid."}

    def visits() -> Iterator[int]:
        for key in (room.key, kim.key):
            yield participant.get(f"/{key}").status_code
            yield participant.post("/", data={"key": key}).status_code
        thanks = participant.post(f"/{room.key}", data=form)
        yield thanks.status_code
        yield participant.post(f"/{room.key}", data=form).status_code
        yield participant.post(f"/{room.key}", data=form | {"prep": "1"}).status_code
        yield participant.post(f"/{room.key}", data=form | {"prep": "9"}).status_code
        yield participant.submit(f"/{kim.key}", prep="2").status_code
        yield participant.submit(f"/{kim.key}", prep="2").status_code
        (receipt,) = re.findall(r'name="receipt" value="(\w+)"', thanks.text)
        yield participant.post("/withdraw", data={"receipt": receipt}).status_code
        yield participant.post("/withdraw", data={"receipt": receipt}).status_code
        for key in (tokens.new_key(), revoked.key, late.key):
            yield participant.get(f"/{key}").status_code
            yield participant.post(f"/{key}", data=form).status_code
            yield participant.post("/", data={"key": key}).status_code
        for path in ("/", "/privacy", "/withdraw", "/leave"):
            yield participant.get(path).status_code

    seen = Counter(visits())
    assert set(seen) == {200, 303, 400, 404, 409, 410}, seen
    assert rows(town.db, "select * from audit_entry") == before


def test_no_entry_ever_holds_what_leads_to_a_participant(
    town: Town, participant: InspectingClient, settings: Settings
) -> None:
    """From the invitation to the cutting off, with everything that staff do in between."""
    visit, staff_only = Visit(), town.add_staff("karin@mitthem.example", town.north, COORDINATOR)
    meetings = [town.meeting(assignment=town.assignment(f"M-{number}")) for number in range(3)]
    for meeting in meetings:
        room = family_of(town, meeting)
        for value in ("5", "2"):
            submission = tokens.new_submission()
            answers = dict.fromkeys(["prep", "safe", "say", "influence", "shared", "useful"], value)
            thanks = participant.post(
                f"/{room.key}", data=answers | {"submission": submission, "words": f"Mer tid {value}."}
            )
            visit.saw(submission, *re.findall(r'name="receipt" value="(\w+)"', thanks.text))
        kim, ada = town.personal(meeting, Role.KIN), town.personal(meeting, Role.KIN)
        given = [Address(kim.id, Channel.SMS, "+46731112233"), Address(ada.id, Channel.EMAIL, "ada.lund@example.nu")]
        contacting.remember(town.db, town.house.keys, meeting.id, given)
        visit.saw(room.key, kim.key, ada.key, "+46731112233", "46731112233", "ada.lund@example.nu", "ada.lund")
        visit.saw(inviting.replace_link(town.db, town.house.keys, meeting.id, kim.id).key)
        inviting.revoke_link(town.db, meeting.id, ada.id)
        sees(town, visit)
    worker.work(town.at(AFTER))
    sees(town, visit)
    assert worker.work(town.at(date(2027, 1, 1))).published
    sees(town, visit)
    visit.saw("Mer tid", "karin", staff_only)
    log = rows(town.db, "select * from audit_entry")
    assert len(log) > 20
    told_of = json.dumps([[str(row[name]) for name in ("at", "actor", "act", "record")] for row in log])
    assert len(visit.marks) > 100
    assert [mark for mark in visit.marks if mark in told_of] == []
    assert [mark for mark in visit.marks if mark in settings.audit_heads.read_text()] == []
    known = {meeting.id for meeting in meetings}
    of_meetings = {row["record"] for row in log if row["act"].startswith("meeting.")}
    assert of_meetings == known


def test_how_often_something_is_noted_does_not_depend_on_who_has_answered(
    town: Town, participant: InspectingClient
) -> None:
    """Two meetings alike, one with answers of everybody and one with none, leave the same entries at their count."""
    full, empty = (town.meeting(assignment=town.assignment(reference)) for reference in ("M-1", "M-2"))
    for role in Role:
        item = town.house.catalogue.default(role).items[0].id
        assert participant.submit(f"/{town.rooms(full)[role].key}", **{item: "3"}).status_code == 200
    worker.work(town.at(AFTER))
    entries = {
        meeting.id: [act for _by, act, record in told(town.db) if record == meeting.id] for meeting in (full, empty)
    }
    assert entries[full.id] == entries[empty.id] == [Act.MEETING_STARTED, Act.MEETING_COUNTED, Act.KEY_DESTROYED]


# The count and the key


def answered(town: Town, reference: str = "M-114") -> Meeting:
    meeting = town.meeting(assignment=town.assignment(reference))
    link = family_of(town, meeting)
    answering.submit(town.db, town.house.keys, link.key, sent(town, link), TODAY)
    return meeting


def of_meeting(town: Town, meeting: Meeting) -> list[str]:
    """What was noted of a meeting since it was started."""
    return [act for _actor, act, record in told(town.db) if record == meeting.id][1:]


def cut_power(town: Town, act: Act) -> None:
    """The log takes no entry of an act."""
    town.db.execute(f"""create temp trigger power_cut before insert on main.audit_entry when new.act = '{act}'
        begin select raise(abort, 'the power was cut'); end""")


class _Stuck(KeyStore):
    """A folder from which no file can be removed."""

    def remove_meeting_key(self, meeting: str) -> None:
        raise KeyFileError(f"{self.meetings / meeting} cannot be destroyed: Read-only file system")


def test_a_key_is_overwritten_before_the_log_says_that_it_is_destroyed(town: Town, tmp_path: Path) -> None:
    meeting = answered(town)
    file = town.house.keys.meetings / meeting.id
    key, copy = file.read_bytes(), tmp_path / "hard link"
    copy.hardlink_to(file)
    cut_power(town, Act.KEY_DESTROYED)
    with pytest.raises(sqlite3.IntegrityError, match="power was cut"):
        counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
    assert of_meeting(town, meeting) == [Act.MEETING_CLOSED, Act.MEETING_COUNTED]
    assert number(town.db, "select count(*) from response") == 1
    assert copy.read_bytes() != key, "the key itself is gone"
    assert file.exists(), "what is left of it shows that there is still something to do"
    town.db.execute("drop trigger power_cut")
    worker.work(town.house)
    assert told(town.db)[-1] == (BACKGROUND, Act.KEY_DESTROYED, meeting.id)
    assert not file.exists()
    worker.work(town.house)
    assert of_meeting(town, meeting) == [Act.MEETING_CLOSED, Act.MEETING_COUNTED, Act.KEY_DESTROYED]


def test_a_keys_file_is_removed_after_the_log_says_that_it_is_destroyed(town: Town, tmp_path: Path) -> None:
    """A power cut before that leaves a file that is no key; the next round says so once more, and removes it."""
    meeting = answered(town)
    file = town.house.keys.meetings / meeting.id
    key = file.read_bytes()
    with pytest.raises(KeyFileError):
        counting.close_and_count(town.db, _Stuck(town.house.settings.keys), meeting.id, TODAY)
    assert of_meeting(town, meeting)[-1] == Act.KEY_DESTROYED
    assert file.read_bytes() != key
    worker.work(town.house)
    assert not file.exists()
    assert Counter(of_meeting(town, meeting)) == {Act.MEETING_CLOSED: 1, Act.MEETING_COUNTED: 1, Act.KEY_DESTROYED: 2}


@pytest.mark.parametrize("act", [Act.MEETING_CLOSED, Act.MEETING_COUNTED, Act.CONTACTS_REMOVED])
def test_a_count_that_cannot_be_noted_is_not_a_count_and_keeps_its_key(town: Town, act: Act) -> None:
    meeting = answered(town)
    kim = town.personal(meeting, Role.KIN)
    contacting.remember(town.db, town.house.keys, meeting.id, [Address(kim.id, Channel.SMS, "+46731112233")])
    file = town.house.keys.meetings / meeting.id
    before, key = contents(town.db), file.read_bytes()
    cut_power(town, act)
    with pytest.raises(sqlite3.IntegrityError, match="power was cut"):
        counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
    assert contents(town.db) == before
    assert file.read_bytes() == key
    town.db.execute("drop trigger power_cut")
    assert counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY).opened == 1


def test_a_meeting_whose_last_day_has_passed_is_counted_and_not_closed(town: Town) -> None:
    meeting = answered(town)
    counting.count_due(town.db, town.house.keys, AFTER)
    assert of_meeting(town, meeting) == [Act.MEETING_COUNTED, Act.KEY_DESTROYED]
    counting.count(town.db, town.house.keys, meeting.id)
    assert of_meeting(town, meeting) == [Act.MEETING_COUNTED, Act.KEY_DESTROYED], "it is counted once"


@pytest.mark.parametrize("days", [14, 15, 100])
def test_a_meeting_closed_by_hand_on_its_last_day_or_later_was_closed_by_the_calendar(town: Town, days: int) -> None:
    meeting = answered(town)
    counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY + timedelta(days=days))
    assert of_meeting(town, meeting) == [Act.MEETING_COUNTED, Act.KEY_DESTROYED]
    assert rows(town.db, "select closes from meeting") == [{"closes": meeting.closes.isoformat()}]


def test_a_meeting_that_could_not_be_started_is_not_noted_and_its_key_goes_without_a_word(town: Town) -> None:
    assignment = town.assignment()
    cut_power(town, Act.MEETING_STARTED)
    before = contents(town.db)
    with pytest.raises(sqlite3.IntegrityError):
        town.meeting(assignment=assignment)
    assert contents(town.db) == before
    assert town.house.keys.meetings_with_key() == set()


# Tampering


def test_the_log_takes_nothing_but_the_next_entry(town: Town) -> None:
    before = rows(town.db, "select * from audit_entry order by number")
    assert len(before) == 3
    last = before[-1]
    nextone = last | {"number": 4, "previous": last["hash"], "hash": b"x" * 32}
    columns, marks = ", ".join(last), ", ".join(f":{name}" for name in last)
    for sql, values in [
        *((f"update audit_entry set {name} = {name}", {}) for name in last),
        ("update audit_entry set act = 'text.cleared' where number = 1", {}),
        *((f"delete from audit_entry where number = {entry}", {}) for entry in (1, 2, 3)),
        ("delete from audit_entry", {}),
        *(
            (f"{verb} into audit_entry ({columns}) values ({marks})", nextone | wrong)
            for verb in _VERBS
            for wrong in _WRONG
        ),
    ]:
        with pytest.raises(sqlite3.IntegrityError):
            town.db.execute(sql, values)
        assert rows(town.db, "select * from audit_entry order by number") == before, sql
    town.db.execute(f"insert into audit_entry ({columns}) values ({marks})", nextone)


_VERBS = ("insert", "insert or replace", "replace")
_WRONG: list[dict[str, object]] = [
    {"number": 1},
    {"number": 3},
    {"number": 5},
    {"number": 0},
    {"previous": bytes(32)},
    {"previous": b"short"},
    {"hash": b"short"},
    {"at": "yesterday"},
    {"actor": " "},
    {"act": "something"},
    {"record": None},
]

Row = dict[str, Any]
_COLUMNS = ("number", "at", "actor", "act", "record", "previous", "hash")


def digest(row: Row) -> bytes:
    """An entry's hash as the format says. Written by hand, apart from the program: an attacker can read."""
    told = [row["number"], row["at"], row["actor"], row["act"], row["record"], row["previous"].hex()]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()).digest()


def rechained(log: list[Row]) -> list[Row]:
    """The log with every number and hash made right again."""
    done: list[Row] = []
    for place, row in enumerate(log, start=1):
        whole = row | {"number": place, "previous": done[-1]["hash"] if done else bytes(32)}
        done.append(whole | {"hash": digest(whole)})
    return done


def the_log(db: Database) -> list[Row]:
    return rows(db, "select * from audit_entry order by number")


def write_over(db: Database, log: Sequence[Row]) -> None:
    """What an attacker does who owns the file: the triggers and the checks are in nobody's way."""
    for trigger in rows(db, "select name from sqlite_master where type = 'trigger' and tbl_name = 'audit_entry'"):
        db.execute(f"drop trigger {trigger['name']}")
    db.execute("pragma ignore_check_constraints = on")
    db.execute("delete from audit_entry")
    places = ", ".join(f":{name}" for name in _COLUMNS)
    db.conn.executemany(f"insert into audit_entry ({', '.join(_COLUMNS)}) values ({places})", log)


def test_a_trigger_that_is_taken_away_is_missed(town: Town) -> None:
    for trigger in ("audit_entry_stays", "snapshot_is_kept"):
        town.db.execute(f"drop trigger {trigger}")
    told = [fault for fault in checking.faults(town.house.settings) if "trigger" in fault]
    assert [re.findall(r"the trigger (\w+) is gone", fault) for fault in told] == [
        ["snapshot_is_kept"],
        ["audit_entry_stays"],
    ]


def test_an_act_whose_entry_is_swallowed_is_not_done(town: Town) -> None:
    """By a trigger that somebody has put there, which `enkat check` names."""
    town.db.execute("""create trigger quiet before insert on audit_entry when new.act like 'unit.%'
        begin select raise(ignore); end""")
    with pytest.raises(StoreError, match="takes no entry"):
        staffing.add_unit(town.db, "Öster")
    assert staff.find_unit(town.db, "Öster") is None
    assert [fault for fault in checking.faults(town.house.settings) if "the trigger quiet is not enkat's" in fault]


def other(row: Row, column: str) -> Row:
    """An entry with something else in one column."""
    changed = {
        "number": row["number"] + 1000,
        "at": row["at"][:-3] + ("00Z" if row["at"][-3:] != "00Z" else "01Z"),
        "actor": row["actor"] + "x",
        "act": "text.released" if row["act"] != "text.released" else "text.read",
        "record": row["record"][1:] if row["record"] else "x",
        "previous": bytes([row["previous"][0] ^ 1]) + row["previous"][1:],
        "hash": row["hash"][:-1] + bytes([row["hash"][-1] ^ 0x80]),
    }
    return row | {column: changed[column]}


#: Ways to tamper with a log of some entries, each by the place where it is done.
Tamper = Callable[[list[Row], int], list[Row]]
TAMPERINGS: dict[str, Tamper] = {
    **{
        f"{column} edited": lambda log, at, column=column: [*log[:at], other(log[at], column), *log[at + 1 :]]  # type: ignore[misc]
        for column in _COLUMNS
    },
    "deleted": lambda log, at: log[:at] + log[at + 1 :],
    "told of somebody else, hash and all": lambda log, at: [
        *log[:at],
        (forged := log[at] | {"actor": "somebody else"}) | {"hash": digest(forged)},
        *log[at + 1 :],
    ],
    "swapped with the next": lambda log, at: _swapped(log, at, at + 1),
    "swapped with the first": lambda log, at: _swapped(log, at, 0),
    "swapped whole": lambda log, at: _swapped(log, at, at + 1, *_COLUMNS[1:]),
    "inserted before": lambda log, at: [*log[:at], _forged(log, at), *log[at:]],
    "said twice": lambda log, at: [*log[: at + 1], log[at] | {"hash": b"2" * 32}, *log[at + 1 :]],
    "the end cut off": lambda log, at: log[:at],
    "the beginning cut off": lambda log, at: log[at + 1 :],
    "all gone": lambda _log, _at: [],
}


def _swapped(log: list[Row], one: int, two: int, *columns: str) -> list[Row]:
    """What two entries tell, exchanged; their hashes stay where they are unless they are named."""
    two %= len(log)
    names = columns or ("at", "actor", "act", "record")
    done = list(log)
    done[one] = log[one] | {name: log[two][name] for name in names}
    done[two] = log[two] | {name: log[one][name] for name in names}
    return done


def _forged(log: list[Row], at: int) -> Row:
    return {
        "number": at + 1,
        "at": "2026-11-20T09:00:00Z",
        "actor": "background",
        "act": "meeting.key_destroyed",
        "record": "0123456789abcdef",
        "previous": log[at - 1]["hash"] if at else bytes(32),
        "hash": b"f" * 32,
    }


def numbered(log: list[Row]) -> list[Row]:
    """Entries that may stand in one table: those with a number or a hash that is taken get another."""
    numbers, hashes, done = set[int](), set[bytes](), []
    for row in log:
        free, fresh = row["number"], row["hash"]
        while free in numbers:
            free += 1
        while fresh in hashes:
            fresh = hashlib.sha256(fresh).digest()
        numbers.add(free)
        hashes.add(fresh)
        done.append(row | {"number": free, "hash": fresh})
    return done


def checked(db: Database, heads: set[AuditHead]) -> list[str]:
    """What is found wrong; a log that cannot even be read is found out as well."""
    try:
        return list(audit.faults(db, heads))
    except StoreError as error:
        return [str(error)]


#: What is no tampering any more once every number and hash is made right.
_MENDED = {"number edited", "previous edited", "hash edited"}


@pytest.mark.parametrize("is_rechained", [False, True], ids=["as it is", "with all hashes made right"])
@pytest.mark.parametrize("way", TAMPERINGS)
def test_whoever_tampers_with_the_log_in_the_file_is_found_out(town: Town, way: str, is_rechained: bool) -> None:
    """The first entry, a middle one and the last, by raw SQL; the heads were noted by the background work."""
    for reference in ("M-1", "M-2", "M-3"):
        town.assignment(reference)
    worker.work(town.house)
    settings, log, tried = town.house.settings, the_log(town.db), 0
    assert len(log) == 6
    for at in (0, 3, 5):
        tampered = numbered(TAMPERINGS[way](log, at))
        tampered = rechained(tampered) if is_rechained else tampered
        if tampered[:6] == log:
            continue  # an edit that was undone, or a made-up entry that follows from the last as a true one would
        with write(town.db):
            write_over(town.db, tampered)
        assert faults(settings), (way, at)
        tried += 1
    assert tried >= (0 if is_rechained and way in _MENDED else 2)
    with write(town.db):
        write_over(town.db, log)
    assert faults(settings) == [], "and put back it is whole again"


def test_the_fault_names_the_entry_and_the_mend(town: Town) -> None:
    worker.work(town.house)
    log = the_log(town.db)

    def said(tampered: list[Row]) -> list[str]:
        with write(town.db):
            write_over(town.db, tampered)
        found = faults(town.house.settings)
        assert all("\n" not in one and "keep this file" in one for one in found)
        return [one.partition(";")[0] for one in found]

    assert said(log) == []
    assert said([log[0], other(log[1], "actor"), log[2]]) == ["audit log: entry 2 was changed"]
    assert said([log[0], log[2]]) == ["audit log: entry 2 is missing"]
    assert said([log[0], other(log[1], "previous"), log[2]])[0] == (
        "audit log: entry 2 does not follow from the one before"
    )
    assert said(log[:2]) == ["audit log: entry 3 is not the one that was noted earlier, or is gone"]
    assert said([]) == ["audit log: entry 3 is not the one that was noted earlier, or is gone"]


def test_text_that_is_no_text_is_found_too(town: Town) -> None:
    worker.work(town.house)
    with write(town.db):
        write_over(town.db, the_log(town.db))
        town.db.execute("update audit_entry set record = cast(x'ff' as text) where number = 2")
    assert checking.faults(town.house.settings)


def test_an_older_copy_that_was_put_back_is_found_out(town: Town) -> None:
    file = town.house.settings.database
    old = file.read_bytes()
    town.assignment("M-1")
    worker.work(town.house)
    town.db.close()
    file.write_bytes(old)
    assert "is gone" in faults(town.house.settings)[0]


def test_a_log_that_goes_on_after_it_was_tampered_with_is_still_found_out(town: Town) -> None:
    """The background work notes the head of the false log too; the true one is not forgotten over it."""
    town.assignment("M-1")
    worker.work(town.house)
    log = the_log(town.db)
    with write(town.db):
        write_over(town.db, rechained([log[0] | {"actor": "somebody else"}, *log[1:]]))
    for reference in ("M-2", "M-3", "M-4"):
        town.assignment(reference)
        worker.work(town.house)
    assert audit.head(town.db) in noted(town.house.settings)
    assert "entry 4 is not the one" in faults(town.house.settings)[0]


_WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(str.strip)
_TOLD = st.tuples(
    st.sampled_from(["background", "terminal", "0123456789abcdef"]) | _WORDS,
    st.sampled_from(Act),
    st.sampled_from(["", "0123456789abcdef", "quarter 2026-Q4", '",["']) | _WORDS,
    st.booleans(),
)
_STEP = st.tuples(st.sampled_from(sorted(TAMPERINGS)), st.integers(0, 1000))


def test_no_way_to_tamper_with_any_log_goes_unnoticed(house: House, figure: Callable[[str], None]) -> None:
    """Logs of up to fourteen entries, heads noted now and then and at last; each tampered with in up to three places,
    and half of the times with every hash made right afterwards. What was written since the last head is nobody's
    witness yet, and goes on as it was."""
    tried = Counter[bool]()
    with closing(house.connect()) as empty, closing(Database(sqlite3.connect(":memory:", isolation_level=None))) as db:
        empty.conn.backup(db.conn)
        triggers = [row["sql"] for row in rows(db, "select sql from sqlite_master where type = 'trigger'")]

        @chosen(max_examples=_LOGS)
        @given(
            entries=st.lists(_TOLD, min_size=1, max_size=14),
            since=st.lists(_TOLD, max_size=3),
            ways=st.lists(
                st.tuples(st.lists(_STEP, min_size=1, max_size=3), st.booleans()), min_size=_WAYS, max_size=_WAYS
            ),
        )
        def attack(entries: list[Any], since: list[Any], ways: list[Any]) -> None:
            write_over(db, [])
            for sql in triggers:
                if "on audit_entry" in sql:
                    db.execute(sql)
            heads = set[AuditHead]()
            for actor, act, record, is_noted in [*entries, *since]:
                with write(db):
                    audit.note(db, actor, act, record)
                if is_noted or number(db, "select count(*) from audit_entry") == len(entries):
                    heads.add(audit.head(db))
            log = the_log(db)
            assert checked(db, heads) == []
            assert rechained(log) == log, "the attacker's hashes are the program's"
            witnessed = max(heads).number
            for steps, is_rechained in ways:
                tampered = log
                for way, place in steps:
                    if tampered:
                        tampered = numbered(TAMPERINGS[way](tampered, place % min(len(tampered), witnessed)))
                tampered = rechained(tampered) if is_rechained else tampered
                if tampered[:witnessed] == log[:witnessed]:
                    continue  # nothing of it is left, or only what nobody has seen is concerned
                write_over(db, tampered)
                tried[bool(checked(db, heads))] += 1

        attack()
    assert tried[False] == 0
    assert tried[True] > 5 * _LOGS
    assert not _IS_FULL or tried[True] >= 5000
    figure(f"{tried[True]:,} ways to tamper with the audit log: all found")


# Many at once


def test_many_threads_that_write_at_once_keep_one_chain(town: Town) -> None:
    before, ready, errors = told(town.db), threading.Barrier(8), list[EnkatError]()

    def opens(member: int) -> None:
        with closing(town.house.connect()) as db:
            ready.wait()
            for one in range(6):
                try:
                    reference = f"M-{member}-{one}"
                    inviting.open_assignment(db, reference, town.north.id, Source.SCHOOL, by=f"member {member}")
                except EnkatError as error:
                    errors.append(error)

    threads = [threading.Thread(target=opens, args=(member,)) for member in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert_one_chain(town, before, {f"member {member}": 6 for member in range(8)})


_ANOTHER_PROCESS = """
import sys
from pathlib import Path
from enkat import inviting
from enkat.model.meeting import Source
from enkat.storage import engine
db = engine.reconnect(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(6):
    inviting.open_assignment(db, f"{sys.argv[3]}-{number}", sys.argv[2], Source.SCHOOL, by=sys.argv[3])
"""


def test_many_processes_that_write_at_once_keep_one_chain(town: Town) -> None:
    before, members = told(town.db), [f"member {member}" for member in range(3)]
    database = str(town.house.settings.database)
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _ANOTHER_PROCESS, database, town.north.id, member],
            cwd=Path(enkat.__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for member in members
    ]
    for child in children:
        assert child.stdout
        assert child.stdout.readline() == b"ready\n"
    for child in children:
        assert child.stdin
        child.stdin.write(b"go\n")
        child.stdin.flush()
    for child in children:
        child.communicate()
    assert [child.returncode for child in children] == [0, 0, 0]
    assert_one_chain(town, before, dict.fromkeys(members, 6))


def assert_one_chain(town: Town, before: list[Told], wrote: dict[str, int]) -> None:
    """Everybody's assignments stand in the log once, and every entry follows from the one before."""
    after = told(town.db)
    assert after[: len(before)] == before
    assert Counter(actor for actor, _act, _record in after[len(before) :]) == wrote
    ids = [row["id"] for row in rows(town.db, "select id from assignment")]
    assert sorted(record for _actor, _act, record in after[len(before) :]) == sorted(ids)
    assert list(audit.faults(town.db, {audit.head(town.db)})) == []
    assert [row["number"] for row in the_log(town.db)] == list(range(1, len(after) + 1))


# The heads


def test_each_round_notes_the_head_once(town: Town) -> None:
    file = town.house.settings.audit_heads
    for _quiet in range(3):
        worker.work(town.house)
    town.assignment("M-1")
    for _quiet in range(3):
        worker.work(town.house)
    lines = file.read_text().splitlines()
    assert [int(line.split("-")[0]) for line in lines] == [3, 4]
    assert str(audit.head(town.db)) == lines[-1]


def test_an_empty_log_has_no_head_to_note(house: House) -> None:
    with closing(house.connect()) as db:
        assert audit.head(db) == AuditHead(0, bytes(32))
    worker.work(house)
    assert not house.settings.audit_heads.exists()
    assert faults(house.settings) == []


@pytest.mark.skipif(os.name != "posix", reason="elsewhere there are no modes")
@pytest.mark.parametrize("mask", [0, 0o022, 0o077])
def test_the_heads_are_the_owners_alone(town: Town, mask: int) -> None:
    before = os.umask(mask)
    try:
        worker.work(town.house)
    finally:
        os.umask(before)
    assert stat.S_IMODE(town.house.settings.audit_heads.stat().st_mode) == 0o600


DAMAGES: dict[str, bytes] = {
    "another file": b"SQLite format 3\0",
    "no text": b"\xff\xfe\x00",
    "cut off in the middle": b"3-" + b"ab" * 20,
    "no number": b"three-" + b"ab" * 32,
    "a negative number": b"-3-" + b"ab" * 32,
    "no hash": b"3",
    "a hash that is none": b"3-" + b"zz" * 32,
    "digits of elsewhere": "٣-".encode() + b"ab" * 32,
    "a number beyond all reason": b"9" * 5000 + b"-" + b"ab" * 32,
    "a line of spaces": b"   \n",
    "nul": b"\0" * 100,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_heads_that_are_damaged_are_told_by_the_check_and_stop_nobodys_count(town: Town, damage: str) -> None:
    worker.work(town.house)
    file = town.house.settings.audit_heads
    file.write_bytes(file.read_bytes() + DAMAGES[damage])
    (fault,) = faults(town.house.settings)
    assert fault.startswith(f"{file} cannot be read")
    assert "find out who has changed it" in fault
    assert "\n" not in fault
    meeting = answered(town)
    (failure,) = worker.work(town.at(AFTER)).failures
    assert "cannot be read" in failure
    assert of_meeting(town, meeting) == [Act.MEETING_COUNTED, Act.KEY_DESTROYED]
    assert file.read_bytes().endswith(DAMAGES[damage]), "and nothing is written over what should be looked into"


def test_a_folder_in_the_heads_place_is_told(town: Town) -> None:
    town.house.settings.audit_heads.mkdir()
    (fault,) = faults(town.house.settings)
    assert fault.startswith(f"{town.house.settings.audit_heads} cannot be read")


def test_a_head_that_was_never_the_logs_is_told(town: Town) -> None:
    file = town.house.settings.audit_heads
    for head in (AuditHead(2, b"x" * 32), AuditHead(99, bytes(32))):
        file.write_text(f"{head}\n")
        (fault,) = faults(town.house.settings)
        assert f"entry {head.number} is not the one that was noted earlier" in fault


@pytest.mark.usefixtures("terminal")
def test_a_command_says_what_it_has_done_even_where_its_head_cannot_be_noted(
    town: Town, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else somebody is added whose first password nobody has ever seen."""
    settings.audit_heads.write_text("damaged")
    with pytest.raises(SystemExit):
        cli.main(["staff", "add", "a@b.example", "--name", "A", "--role", "evaluator", "--unit", "Norr"])
    assert staff.find_address(town.db, "a@b.example")
    assert "with the password" in capsys.readouterr().out


@given(entry=st.integers(0, 10**12), digest=st.binary(min_size=32, max_size=32))
def test_a_head_is_read_as_it_was_written(entry: int, digest: bytes) -> None:
    head = AuditHead(entry, digest)
    assert AuditHead.read(str(head)) == AuditHead.read(f" {head}\n") == head


@example("٣-" + "ab" * 32)
@given(text=st.text(max_size=70) | st.from_regex(r"[0-9]{0,3}-?[0-9a-fg]{60,66}", fullmatch=True))
def test_what_is_no_head_is_not_read_as_one(text: str) -> None:
    try:
        head = AuditHead.read(text)
    except ValueError:
        return
    assert len(head.hash) == 32
    assert re.fullmatch(r"[0-9]+-[0-9a-fA-F]{64}", text.strip())
