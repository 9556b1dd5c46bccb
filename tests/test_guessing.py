"""Attacks by trying: wrong keys, wrong receipts and wrong passwords, among them those that are nearly right.

Each try on the web comes from an address of its own, as from somebody with very many machines, so that what is tried
is the keys themselves and not what slows a single address down.

`make test` tries some thousands; with ENKAT_ATTACK=full there are a hundred thousand.
"""

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from random import Random

import pytest
from flask import Flask
from sqlite_utils import Database
from werkzeug.test import TestResponse

from enkat import answering, counting, inviting
from enkat.model.errors import RevokedLink, UnknownLink, UnknownReceipt
from enkat.model.staff import StaffRole
from enkat.model.survey import Answer, Role, Stage, Submission
from enkat.secrecy import passwords, tokens
from tests.conftest import TODAY, Town
from tests.inspection import InspectingClient, Page
from tests.web.hostile import contents, version

_IS_FULL = os.environ.get("ENKAT_ATTACK") == "full"

#: Wrong keys or receipts against the code itself, and through the web.
_TRIES, _ON_THE_WEB = (100_000, 1_000) if _IS_FULL else (5_000, 100)

#: Live links and sealed answers that a guess could hit.
_LIVE, _SEALED = 1_000, 1_000 if _IS_FULL else 100

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

Figure = Callable[[str], None]
_addresses = count(1)


@dataclass(frozen=True)
class Target:
    """A town with much to hit: live links, sealed answers, and keys and receipts that were good once."""

    town: Town
    live: list[str]
    dead: list[str]
    counted: list[str]
    receipts: list[str]
    spent: list[str]


@pytest.fixture
def target(town: Town) -> Target:
    """A thousand live links of six meetings; links that were revoked, replaced and counted; answers and their receipts,
    some taken back and some counted."""
    town.db.conn.execute("pragma synchronous = off")  # none of this needs to outlive a power cut
    counted = all_links(town, "M-1", 10)
    spent = [answer(town, key) for key in counted[:5]]
    counting.close_and_count(town.db, town.house.keys, one_meeting(town), TODAY)
    live = [key for number in range(6) for key in all_links(town, f"M-{number + 2}", 50)]
    dead = take_links_away(town, 20)
    live = Random(1).sample(sorted(set(live) - set(dead)), _LIVE)
    receipts = [answer(town, key) for key in live[:_SEALED]]
    for receipt in receipts[:5]:
        answering.withdraw(town.db, receipt)
    return Target(town, live, dead, counted, receipts[5:], spent + receipts[:5])


def all_links(town: Town, reference: str, places: int) -> list[str]:
    """The keys of personal links to all places of a new meeting."""
    meeting, house = town.meeting(dict.fromkeys(Role, places), town.assignment(reference)), town.house
    made = (
        inviting.add_personal_links(town.db, house.keys, house.catalogue, meeting.id, role, count=places)
        for role in Role
    )
    return [link.key for links in made for link in links]


def take_links_away(town: Town, many: int) -> list[str]:
    """Revoke so many links and replace as many, half of them after they were used; the old keys."""
    meeting = one_meeting(town)
    links = [link for link in inviting.links(town.db, town.house.keys, meeting) if not link.is_room][: 2 * many]
    for number, link in enumerate(links):
        if number % 2:
            answer(town, link.key)
        if number < many:
            inviting.revoke_link(town.db, meeting, link.id)
        else:
            inviting.replace_link(town.db, town.house.keys, meeting, link.id)
    return [link.key for link in links]


def one_meeting(town: Town) -> str:
    """Some meeting that is open."""
    return str(next(town.db.query("select id from meeting where state = 'open' limit 1"))["id"])


def answer(town: Town, key: str) -> str:
    """Answer through a link; the receipt."""
    return answering.submit(town.db, town.house.keys, key, filled(town, key), TODAY).receipt


def filled(town: Town, key: str) -> Submission:
    """A form that fits a link; where none has that key, the family's."""
    try:
        link, _meeting = answering.find_link(town.db, town.house.keys, key)
        role, form = link.role, town.house.catalogue[link.questionnaire]
    except UnknownLink:
        role, form = Role.FAMILY, town.house.catalogue["adult"]
    return Submission(tokens.new_submission(), form.id, form.version, role, Stage.AFTER, "sv", {"say": Answer(value=3)})


def nearly(code: str, group: int) -> Iterator[str]:
    """What is almost that code: a letter other, one less or more, neighbours changed round, the next numbers."""
    for place in range(len(code)):
        head, tail = code[:place], code[place + 1 :]
        yield from (head + letter + tail for letter in _LETTERS if letter != code[place])
        yield head + tail
        yield head + code[place] * 2 + tail
        yield head + tail[:1] + code[place] + tail[1:]
    for filler in ("0", "%", "_", "*", "?", "\0", "A", "'"):
        yield code + filler
        yield code[:-1] + filler
        yield code[:group] + filler * group
    yield from (code[::-1], code[group:] + code[:group], code[:group], code[group:], code * 2, "", code[:1] * len(code))
    number = sum(32**place * _LETTERS.index(letter) for place, letter in enumerate(code))
    yield from ("".join(_LETTERS[(number + step) >> 5 * place & 31] for place in range(len(code))) for step in (-1, 1))


def wrong(many: int, right: Collection[str], group: int) -> list[str]:
    """So many wrong codes, half of them nearly right and half random. All are written as codes are made, so that one
    is right only where it is one of the right ones, letter by letter."""
    chance, good = Random(2), sorted(right)
    tried: list[str] = []
    while len(tried) < many:
        some = list(nearly(chance.choice(good), group))
        some = chance.sample(some, min(len(some), 50))
        some += ["".join(chance.choices(_LETTERS, k=len(good[0]))) for _code in some]
        tried += [code for code in some if code not in right]
    return tried[:many]


@contextmanager
def nothing_written(db: Database) -> Iterator[None]:
    """Whoever tries leaves no trace: no row is other than it was, and no other connection has written at all."""
    before, was = contents(db), version(db)
    yield
    assert contents(db) == before
    assert version(db) == was


def another() -> dict[str, str]:
    """Somebody at an address that nobody has had before."""
    number = next(_addresses)
    return {"REMOTE_ADDR": f"10.{1 + number % 254}.{1 + number // 254 % 254}.{1 + number // 254**2 % 254}"}


def is_a_form(reply: TestResponse) -> bool:
    """Whether there is anything on the page by which somebody could answer, or be thanked for it."""
    return any(name in reply.text for name in ('name="submission"', 'name="receipt" value="', "fieldset"))


# --- keys ---


def test_no_wrong_key_finds_a_link(target: Target, figure: Figure) -> None:
    """The lookup itself, which nothing slows down."""
    keys, db = target.town.house.keys, target.town.db
    tried = wrong(_TRIES, {*target.live, *target.dead}, 5) + target.counted
    entered = 0
    with nothing_written(db):
        for key in tried:
            try:
                answering.find_link(db, keys, key)
            except UnknownLink:
                continue
            entered += 1
        assert len(target.live) == len({answering.find_link(db, keys, key)[0].id for key in target.live})
    figure(f"{len(tried):,} wrong keys against {len(target.live):,} live links: {entered} entered")
    assert entered == 0


def test_no_dead_key_opens_or_sends_a_form(target: Target, figure: Figure) -> None:
    """Keys of revoked links, of links that were replaced, and of a counted meeting."""
    keys, db = target.town.house.keys, target.town.db
    with nothing_written(db):
        for key in target.dead + target.counted:
            told = RevokedLink if key in target.dead else UnknownLink
            with pytest.raises(told):
                answering.open_link(db, keys, key, TODAY)
            with pytest.raises(told):
                answering.submit(db, keys, key, filled(target.town, key), TODAY)
    figure(f"{len(target.dead + target.counted)} keys of links revoked, replaced and counted: 0 entered")


def test_no_wrong_or_dead_key_enters_through_the_web(
    target: Target, participant: InspectingClient, db: Database, figure: Figure
) -> None:
    """Opened, sent a form to, and typed, each time from somewhere else."""
    live = set(target.live)
    tried = wrong(_ON_THE_WEB, live | set(target.dead), 5) + target.dead + target.counted
    form = {"submission": tokens.new_submission(), "say": "5"}
    with nothing_written(db):
        for key in tried:
            typed = participant.post("/", data={"key": key}, environ_overrides=another())
            goes = typed.headers.get("Location", "")
            assert typed.status_code in ((303,) if key in target.dead else (400, 404)), key
            assert not live & {goes.strip("/").partition("?")[0]}, "nobody is led to another's link"
            address = f"/{key}" if key.isalnum() else "/" + "".join(f"%{ord(mark):02X}" for mark in key)
            for reply in (
                typed,
                participant.get(address, environ_overrides=another()),
                participant.post(address, data=form, environ_overrides=another()),
            ):
                assert not is_a_form(reply), key
                assert reply.status_code in (303, 400, 404, 405, 410) or address == "/", key
    figure(f"{len(tried):,} wrong and dead keys on the web, opened, typed and sent to: 0 entered")
    right = participant.get(f"/{target.live[0]}", environ_overrides=another())
    assert is_a_form(right), "and the right one would have been seen"


# --- receipts ---


def test_no_wrong_receipt_takes_an_answer_back(target: Target, figure: Figure) -> None:
    db = target.town.db
    tried = wrong(_TRIES, set(target.receipts), 4) + target.spent
    taken = 0
    with nothing_written(db):
        for receipt in tried:
            try:
                answering.withdraw(db, receipt)
            except UnknownReceipt:
                continue
            taken += 1
    figure(f"{len(tried):,} wrong receipts against {len(target.receipts):,} sealed answers: {taken} taken back")
    assert taken == 0


def test_no_wrong_receipt_takes_an_answer_back_through_the_web(
    target: Target, participant: InspectingClient, db: Database, figure: Figure
) -> None:
    tried = wrong(_ON_THE_WEB, set(target.receipts), 4) + target.spent
    with nothing_written(db):
        for receipt in tried:
            reply = participant.post("/withdraw", data={"receipt": receipt}, environ_overrides=another())
            assert reply.status_code == 404, receipt
    figure(f"{len(tried):,} wrong and spent receipts on the web: 0 answers taken back")
    right = participant.post("/withdraw", data={"receipt": target.receipts[0]}, environ_overrides=another())
    assert right.status_code == 200


# --- passwords ---


def nearly_the_password(right: str) -> list[str]:
    """What somebody would try who has seen it over a shoulder."""
    return [
        "",
        " ",
        right[:-1],
        right[1:],
        right[:-1] + ("b" if right[-1] == "a" else "a"),
        right.upper(),
        right.title(),
        right.replace("-", ""),
        right.replace("-", " "),
        right[::-1],
        f" {right}",
        f"{right} ",
        right * 2,
        f"{right}\0",
        f"{right}x",
        right + "x" * passwords.MOST_CHARACTERS,
    ]


def test_no_wrong_password_signs_in(app: Flask, town: Town, db: Database, figure: Figure) -> None:
    """Near misses, other people's passwords, and what is stored of the password itself."""
    karin, nils = (
        town.add_staff(f"{name}@mitthem.example", town.north, StaffRole.COORDINATOR) for name in ("karin", "nils")
    )
    away = town.add_staff("away@mitthem.example", town.north, StaffRole.COORDINATOR)
    stored = {row["address"]: row for row in town.db.query("select id, address, password_hash from staff")}
    with_nobody = [(away, town.passwords[away]), ("nobody@mitthem.example", town.passwords[karin])]
    tried = [(karin, one) for one in nearly_the_password(town.passwords[karin])] + with_nobody
    tried += [(karin, town.passwords[nils]), (karin, stored[karin]["password_hash"])]
    town.db.execute("update staff set enabled = 0 where id = ?", [stored[away]["id"]])
    with nothing_written(db):
        for address, password in tried:
            assert not signs_in(app, address, password), password
    figure(f"{len(tried)} wrong passwords: 0 signed in")
    assert signs_in(app, karin, town.passwords[karin])


def signs_in(app: Flask, address: str, password: str) -> bool:
    """Whether these open the staff's start page, in a new browser at a new address."""
    browser, somewhere = app.test_client(), another()
    hidden = Page(browser.get("/staff/sign-in", environ_overrides=somewhere).text).form_values()
    fields = hidden | {"address": address, "password": password}
    browser.post("/staff/sign-in", data=fields, environ_overrides=somewhere)
    return browser.get("/staff", environ_overrides=somewhere).status_code == 200
