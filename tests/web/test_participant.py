"""What a participant meets: the form at the link, thanks, refusals that keep what was written, and the notice."""

import gzip
import html
import re
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO
from itertools import product
from random import Random
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlite_utils import Database
from werkzeug.test import TestResponse

from enkat import counting, inviting
from enkat.app import create_app
from enkat.house import House
from enkat.model.meeting import Meeting
from enkat.model.survey import TEXT_LIMIT, Role
from enkat.storage import engine
from enkat.web.context import Connections
from tests.conftest import NINE, TODAY, Town
from tests.inspection import InspectingClient, Page
from tests.web.hostile import case, contents
from tests.web.routes import forget_failures

CLOSES = TODAY + timedelta(days=14)
EVERYTHING = {"prep": "5", "safe": "1", "say": "unknown", "influence": "declined", "words": "Mer tid.\nOch kaffe."}


@pytest.fixture
def family(town: Town) -> str:
    """The key of the family's room link."""
    return town.rooms(town.meeting())[Role.FAMILY].key


@pytest.fixture
def personal(town: Town) -> str:
    """The key of somebody's own link."""
    return town.personal(town.meeting(), Role.FAMILY).key


# The form


def test_the_form_opens_at_the_link_in_the_phones_language(participant: InspectingClient, family: str) -> None:
    for wish, language in [
        (None, "sv"),
        ("sv", "sv"),
        ("sv-SE,sv;q=0.9,en;q=0.8", "sv"),
        ("en", "en"),
        ("en-US,en;q=0.9", "en"),
        ("EN", "en"),
        ("EN-gb", "en"),
        ("SV", "sv"),
        ("tr-TR, sv;q=0.5, en;q=0.4", "sv"),
        ("tr-TR, en;q=0.5, sv;q=0.4", "en"),
        ("fa-AF, sv;q=0.5, en;q=0.4", "fa"),
        ("prs-AF, sv;q=0.5", "fa"),
        ("ti", "ti"),
        ("ti-ER, sv;q=0.5", "ti"),
        ("ku-Arab-IQ, en;q=0.5", "ckb"),
        ("tr", "sv"),
        ("*", "sv"),
        ("-", "sv"),
        ("", "sv"),
        ("\xff", "sv"),
    ]:
        with case(wish, language):
            reply = participant.get(f"/{family}", headers={} if wish is None else {"Accept-Language": wish})
            assert reply.status_code == 200
            page = Page(reply.text)
            assert page.all("html")[0]["lang"] == language
            assert ("Hur var mötet?" in reply.text) is (language == "sv")
            assert ("How was the meeting?" in reply.text) is (language == "en")
            (form,) = page.all("form")
            assert form["method"] == "post"
            assert urlsplit(action(reply)).path == f"/{family}"


def test_a_language_can_be_chosen_in_the_address_and_stays_chosen(participant: InspectingClient, family: str) -> None:
    swedish = {"Accept-Language": "sv"}
    opened = participant.get(f"/{family}?lang=en", headers=swedish)
    english = Page(opened.text)
    assert english.all("html")[0]["lang"] == "en"
    thanks = participant.post(action(opened), data=english.form_values() | {"prep": "5"}, headers=swedish)
    assert thanks.status_code == 200
    assert Page(thanks.text).all("html")[0]["lang"] == "en"
    for made_up in ("xx", "", "sv_SE", "EN", "../sv", "%00", "en%00"):
        page = Page(participant.get(f"/{family}?lang={made_up}", headers=swedish).text)
        assert page.all("html")[0]["lang"] == "sv", made_up


def test_every_language_of_the_menu_leads_to_the_same_page_in_that_language(
    participant: InspectingClient, family: str
) -> None:
    for path in (f"/{family}", "/", "/withdraw", "/privacy", "/AAAAAAAAAA", "/no/such/page"):
        menu = [a for a in Page(participant.get(path).text).all("a") if "?lang=" in a["href"] and "lang" in a]
        assert {one["lang"] for one in menu} >= {"sv", "en"}, path
        for one in menu:
            assert one["href"].startswith("?"), "the same page, whatever its address is"
            assert Page(participant.get(path + one["href"]).text).all("html")[0]["lang"] == one["lang"]


def test_the_language_menu_of_an_odd_address_stays_on_this_host(participant: InspectingClient) -> None:
    """A browser reads a backslash as a slash: /\\evil.example would lead to another host."""
    for path in ["/%5Cevil.example", "/%5C%5Cevil.example/x", "/a%3Fb", "/a%22b", "/%0d%0ax", "/..%2f.."]:
        with case(path):
            reply = participant.get(path)
            assert reply.status_code == 404
            for link in Page(reply.text).all("a"):
                assert not link["href"].replace("\\", "/").startswith("//"), link
                if link["href"] == "?lang=en":
                    assert participant.get(path + link["href"]).status_code == 404


@pytest.mark.parametrize(
    ("role", "form"),
    [(Role.FAMILY, "adult"), (Role.KIN, "adult"), (Role.CHILD, "child"), (Role.PROFESSIONAL, "professional")],
)
def test_everybody_gets_the_questions_that_are_theirs(
    participant: InspectingClient, town: Town, role: Role, form: str
) -> None:
    questionnaire = town.house.catalogue[form]
    reply = participant.get(f"/{town.rooms(town.meeting())[role].key}")
    radios = {a["name"] for a in Page(reply.text).all("input") if a.get("type") == "radio"}
    assert radios == {item.id for item in questionnaire.closed_items}
    values = {a["value"] for a in Page(reply.text).all("input") if a.get("name") == questionnaire.items[0].id}
    assert values == {str(point.value) for point in questionnaire.points} | set(questionnaire.offered)
    assert [a["name"] for a in Page(reply.text).all("textarea")] == ["words"]
    assert questionnaire.title in Page(reply.text).text
    for line in questionnaire.promise.strip().splitlines():
        assert line in Page(reply.text).text
    for line in questionnaire.helplines:
        assert f"tel:{line.phone}" in reply.text
    assert not [a for a in Page(reply.text).all("input") if "checked" in a]


def test_opening_a_link_uses_nothing_however_often_it_is_done(
    participant: InspectingClient, personal: str, db: Database
) -> None:
    before = contents(db)
    ids = {Page(participant.get(f"/{personal}").text).form_values()["submission"] for _ in range(20)}
    assert len(ids) == 20
    assert contents(db) == before


@pytest.mark.parametrize("language", ["sv", "en", "fi", "ar", "fa", "so", "ti", "uk", "ckb", "pl"])
@pytest.mark.parametrize("form", ["adult", "child", "child_small", "professional"])
def test_the_form_comes_whole_in_one_small_reply(
    participant: InspectingClient, town: Town, form: str, language: str
) -> None:
    """At most 7.5 kB compressed, which leaves 2.5 of the 10 to a municipality's logo, and nothing in it that a phone
    would fetch besides."""
    role = next(iter(town.house.catalogue[form].roles))
    key = town.personal(town.meeting(), role, form).key
    reply = participant.get(f"/{key}?lang={language}")
    page = Page(reply.text)
    fetched = [a for tag, a in page.tags if tag in {"script", "img", "iframe", "source", "object"} and "src" in a]
    assert fetched == []
    assert [a["href"] for a in page.all("link")] == ["data:,"]
    assert "url(" not in reply.text
    assert "@import" not in reply.text
    packed = FlaskClient.open(participant, f"/{key}?lang={language}", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) <= 7_500
    assert without_id(gzip.decompress(packed.data).decode()) == without_id(reply.text)


# Sending


def test_thanks_are_the_reply_itself_with_a_receipt(participant: InspectingClient, personal: str, db: Database) -> None:
    reply = send(participant, personal)
    assert reply.status_code == 200
    assert re.fullmatch(r"[0-9A-Z]{4}( [0-9A-Z]{4}){3}", receipt(reply))
    assert "Location" not in reply.headers
    assert box(db) == (1, 1)
    for answer in EVERYTHING.values():
        assert f">{answer}<" not in reply.text
    assert "Mer tid" not in reply.text


@pytest.mark.parametrize(
    "fields",
    [
        {"prep": "1"},
        {"prep": "unknown"},
        {"prep": "declined"},
        {"words": "Bara ord."},
        {"words": "x" * TEXT_LIMIT},
        {"words": "\r\n".join("x" * (TEXT_LIMIT // 2))},
        {"words": "\U0001f9d1" * TEXT_LIMIT},
        {"words": "<script>alert(1)</script>"},
        {"words": "'; drop table ballot; --"},
        {"words": "{{ 7 * 7 }} %(name)s"},
    ],
    ids=range(10),
)
def test_one_answer_of_any_kind_is_enough(
    participant: InspectingClient, personal: str, db: Database, fields: dict[str, str]
) -> None:
    assert participant.submit(f"/{personal}", **fields).status_code == 200
    assert box(db) == (1, 1)


def test_the_answers_come_out_of_the_box_as_they_were_sent(
    participant: InspectingClient, town: Town, db: Database
) -> None:
    meeting = town.meeting()
    key = town.personal(meeting, Role.FAMILY).key
    send(participant, key)
    counting.close_and_count(db, town.house.keys, meeting.id, TODAY)
    stored = {
        row[0]: next(part for part in row[1:] if part is not None)
        for row in db.execute("select item, value, missing from answer")
    }
    skipped = {item.id: "skipped" for item in town.house.catalogue["adult"].closed_items}
    assert stored == skipped | {
        "prep": 5,
        "safe": 1,
        "say": "unknown",
        "influence": "declined",
    }
    assert db.execute("select wording from free_text").fetchall() == [("Mer tid.\nOch kaffe.",)]


_ID = "0123456789abcdef0123456789abcdef"

#: Raw bodies that are refused, and the item at fault where there is one.
REFUSED: dict[str, tuple[str, str | None]] = {
    "an empty form": (f"submission={_ID}", None),
    "nothing at all": ("", None),
    "only spaces": (f"submission={_ID}&prep=&words=+%0d%0a", None),
    "an item that nobody knows": (f"submission={_ID}&prep=5&evil=1", None),
    "another form's item": (f"submission={_ID}&prep=5&know=5", None),
    "an item twice": (f"submission={_ID}&prep=5&safe=1&safe=1", None),
    "two ids": (f"submission={_ID}&submission={_ID}&prep=5", None),
    "no id": ("prep=5", None),
    "an id that is none": ("submission=x&prep=5", None),
    "an id with a nul": (f"submission={_ID[:-1]}%00&prep=5", None),
    "a field with a nul in its name": (f"submission={_ID}&prep=5&x%00y=1", None),
    "a value above the scale": (f"submission={_ID}&prep=5&safe=6", "safe"),
    "a value below it": (f"submission={_ID}&prep=5&safe=0", "safe"),
    "a value that is no number": (f"submission={_ID}&prep=5&safe=yes", "safe"),
    "a value with a nul": (f"submission={_ID}&prep=5&safe=5%00", "safe"),
    "skipped, which is never sent": (f"submission={_ID}&prep=5&safe=skipped", "safe"),
    "a text that is too long": (f"submission={_ID}&prep=5&words={'x' * (TEXT_LIMIT + 1)}", "words"),
    "too many line breaks": (f"submission={_ID}&prep=5&words=x{'%0d%0a' * TEXT_LIMIT}x", "words"),
    "a text with a nul": (f"submission={_ID}&prep=5&words=a%00b", "words"),
    "a text with control characters": (f"submission={_ID}&prep=5&words=a%1b%5b2Jb", "words"),
    "a text with the mark of what could not be read": (f"submission={_ID}&prep=5&words=a%ef%bf%bdb", "words"),
    "six thousand fields": (f"submission={_ID}&prep=5&" + "&".join(f"f{n}=1" for n in range(6000)), None),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_form_that_cannot_be_taken_comes_back_filled_in_with_its_fault(
    participant: InspectingClient, personal: str, db: Database, name: str
) -> None:
    body, item = REFUSED[name]
    before = contents(db)
    reply = post_raw(participant, personal, body)
    assert reply.status_code == 400
    assert contents(db) == before
    page = Page(reply.text)
    (alert,) = [a for a in page.all("div") if a.get("role") == "alert"]
    assert alert["class"] == "faults"
    assert reply.text.index('class="faults"') < reply.text.index("<form")
    assert chosen(reply).get("prep") == ("5" if "prep=5" in body else None)
    fault = [a for a in page.all("p") if a.get("class") == "fault"]
    if item is None:
        assert fault == []
    else:
        assert [a["id"] for a in fault] == [f"{item}-fault"]
        assert f'href="#{item}"' in reply.text
        named = [a for _tag, a in page.tags if f"{item}-fault" in a.get("aria-describedby", "")]
        assert [a["id"] for a in named] == [item]
    if f"submission={_ID}&" in body and "submission=0&" not in body:
        assert page.form_values()["submission"] == _ID
    # What came back can be mended and sent, and counts once.
    mended = participant.post(action(reply), data={"submission": page.form_values()["submission"], "prep": "5"})
    assert mended.status_code == 200
    assert box(db) == (1, 1)


def test_a_form_that_is_not_utf_8_is_refused_and_never_stored_as_something_else(
    participant: InspectingClient, personal: str, db: Database
) -> None:
    for broken in [
        b"&words=a%ff%feb",
        b"&words=bj%f6rn",
        b"&words=a%ed%a0%80b",
        b"&words=a%c3",
        b"&words=a%c0%afb",
        b"&words=bj\xf6rn",
        b"&words=\xed\xa0\x80",
        b"&safe=%ff",
        b"&%ff%fe=1",
        b"&\xff=1",
    ]:
        with case(broken):
            before = contents(db)
            reply = participant.post(
                f"/{personal}",
                data=f"submission={_ID}&prep=5".encode() + broken,
                content_type="application/x-www-form-urlencoded",
            )
            assert reply.status_code == 400
            assert contents(db) == before
    assert participant.submit(f"/{personal}", words="50%ff? 100 %, %c3 och björn").status_code == 200
    assert box(db) == (1, 1)


def test_everything_that_was_filled_in_is_still_there_after_a_refusal(
    participant: InspectingClient, family: str, db: Database
) -> None:
    words = 'Rad ett.\n\nRad <två> & "tre"\n</textarea><b>'
    fields = EVERYTHING | {"words": words, "useful": "9"}
    reply = participant.submit(f"/{family}", **fields)
    assert reply.status_code == 400
    assert chosen(reply) == {"prep": "5", "safe": "1", "say": "unknown", "influence": "declined", "words": words}
    again = participant.submit(f"/{family}", words="\n\nförst två tomma rader" + "x" * TEXT_LIMIT)
    assert chosen(again)["words"].startswith("först")
    assert box(db) == (0, 0)


def test_a_refused_form_speaks_the_language_it_was_filled_in_in(participant: InspectingClient, family: str) -> None:
    english = participant.submit(f"/{family}?lang=en", prep="9")
    assert english.status_code == 400
    assert Page(english.text).all("html")[0]["lang"] == "en"
    assert not re.search(r"[åäö]", re.sub(r"<style>.*?</style>|<header.*?</header>", "", english.text, flags=re.S))


def test_a_file_is_not_taken(participant: InspectingClient, personal: str, db: Database) -> None:
    before = contents(db)
    for name in ("prep", "words", "photo"):
        fields = {"submission": _ID, "safe": "5", name: (BytesIO(b"\x89PNG\r\n"), "<me>.png", "image/png")}
        reply = participant.post(f"/{personal}", data=fields, content_type="multipart/form-data")
        assert reply.status_code == 400
        assert chosen(reply)["safe"] == "5"
        assert "<me>" not in reply.text
    assert contents(db) == before


def test_the_same_form_as_multipart_is_taken(participant: InspectingClient, personal: str, db: Database) -> None:
    fields = {"submission": _ID, "prep": "5"}
    assert participant.post(f"/{personal}", data=fields, content_type="multipart/form-data").status_code == 200
    assert box(db) == (1, 1)


def test_a_broken_multipart_form_is_refused(participant: InspectingClient, personal: str, db: Database) -> None:
    for part in [
        b"Content-Disposition: form-data",
        b"Content-Disposition: form-data; filename=x",
        b"Content-Disposition: form-data; name*=utf-8''%ED%A0%80",
        b"Content-Disposition: form-data; name=prep\r\nContent-Type: text/plain; charset=utf-16",
        b"",
        b"\xff",
        b"x" * 5000,
    ]:
        with case(part):
            before = contents(db)
            body = b"--x\r\n" + part + b"\r\n\r\n\xff\xfe\r\n--x--\r\n"
            reply = participant.post(f"/{personal}", data=body, content_type="multipart/form-data; boundary=x")
            assert reply.status_code == 400
            assert contents(db) == before


def test_a_body_that_is_no_form_is_an_empty_form(participant: InspectingClient, personal: str, db: Database) -> None:
    for kind in ["application/json", "text/plain", "", "multipart/form-data", "image/png"]:
        with case(kind):
            before = contents(db)
            reply = participant.post(f"/{personal}", data=f'{{"submission": "{_ID}", "prep": "5"}}', content_type=kind)
            assert reply.status_code == 400
            assert contents(db) == before


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: b"words=" + b"x" * (64 * 1024 - 5), "application/x-www-form-urlencoded"),
        (lambda: b"x" * 10_000_000, "application/x-www-form-urlencoded"),
        (lambda: b"--x\r\n" + b"x" * 70_000, "multipart/form-data; boundary=x"),
        (
            lambda: b"".join(b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' for _ in range(1200)),
            "multipart/form-data; boundary=x",
        ),
    ],
    ids=["one byte too much", "ten megabytes", "multipart", "a thousand parts"],
)
def test_a_body_that_is_too_large_is_refused_in_words(
    participant: InspectingClient, personal: str, db: Database, make: Callable[[], bytes], kind: str
) -> None:
    before = contents(db)
    reply = participant.post(f"/{personal}", data=make(), content_type=kind)
    assert reply.status_code == 413
    assert "för lång för att skickas" in reply.text
    assert contents(db) == before


def test_a_body_of_nearly_64_kilobytes_is_read(participant: InspectingClient, personal: str) -> None:
    """And refused for what is in it: the text is too long."""
    reply = post_raw(participant, personal, f"submission={_ID}&words=".ljust(64 * 1024 - 1, "x"))
    assert reply.status_code == 400
    assert 'href="#words"' in reply.text


# Methods


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("/KEY", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("/withdraw", {"GET", "HEAD", "OPTIONS", "POST"}),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "BREW"])
def test_a_wrong_method_is_refused_and_the_right_ones_are_named(
    participant: InspectingClient, personal: str, db: Database, path: str, methods: set[str], method: str
) -> None:
    before = contents(db)
    reply = participant.open(path.replace("KEY", personal), method=method, data={"submission": _ID, "prep": "5"})
    assert reply.status_code == 405
    assert set(reply.headers["Allow"].split(", ")) == methods
    assert contents(db) == before


def test_looking_without_fetching_is_answered_like_fetching(
    participant: InspectingClient, personal: str, db: Database
) -> None:
    """Messaging programs look at a link with HEAD before they show it."""
    before = contents(db)
    for path, status in [
        ("/", 200),
        (f"/{personal}", 200),
        ("/withdraw", 200),
        ("/privacy", 200),
        ("/leave", 303),
        ("/AAAAAAAAAA", 404),
    ]:
        reply = FlaskClient.open(participant, path, method="HEAD")
        assert reply.status_code == status, path
        assert reply.data == b""
        assert FlaskClient.open(participant, path, method="OPTIONS").status_code == 200
    assert contents(db) == before


# Used and open, twice and too late


@pytest.mark.parametrize("role", Role)
def test_a_used_link_shows_the_page_that_an_open_one_shows(
    participant: InspectingClient, town: Town, role: Role
) -> None:
    meeting = town.meeting()
    own, room = town.personal(meeting, role).key, town.rooms(meeting)[role].key
    before = {key: show(participant, key) for key in (own, room)}
    item = town.house.catalogue.default(role).items[0].id
    while participant.submit(f"/{room}", **{item: "1"}).status_code != 409:
        assert show(participant, room) == before[room]
    assert participant.submit(f"/{own}", **{item: "1"}).status_code == 200
    for key, page in before.items():
        assert show(participant, key) == page
    assert before[own][1].replace(own, room) == before[room][1]


def test_a_second_submission_on_a_used_invitation_changes_nothing(
    participant: InspectingClient, personal: str, db: Database
) -> None:
    first = send(participant, personal)
    before = contents(db)
    second = participant.submit(f"/{personal}", prep="1")
    assert second.status_code == 409
    assert contents(db) == before
    assert receipt(first) not in second.text
    kept = Page(second.text).form_values()
    assert kept["prep"] == "1", "what was filled in can be sent again, should there be a place"
    assert participant.post(f"/{personal}", data=kept).status_code == 409
    assert contents(db) == before


def test_a_full_room_says_what_a_used_link_says(participant: InspectingClient, town: Town, db: Database) -> None:
    meeting = town.meeting({Role.FAMILY: 2, Role.KIN: 1})
    own, room = town.personal(meeting, Role.FAMILY).key, town.rooms(meeting)[Role.FAMILY].key
    assert [participant.submit(f"/{key}", prep="1").status_code for key in (own, room)] == [200, 200]
    before = contents(db)
    used, full = (participant.submit(f"/{key}", prep="1") for key in (own, room))
    assert used.status_code == full.status_code == 409
    ids = [Page(reply.text).form_values()["submission"] for reply in (used, full)]
    assert used.text.replace(ids[0], "ID") == full.text.replace(ids[1], "ID")
    assert contents(db) == before
    other_role = town.rooms(meeting)[Role.KIN].key
    assert participant.submit(f"/{other_role}", prep="1").status_code == 200


def test_the_same_form_sent_twice_gets_the_same_thanks_and_is_stored_once(
    participant: InspectingClient, personal: str, db: Database
) -> None:
    filled = fill(participant, personal)
    first = participant.post(f"/{personal}", data=filled)
    before = contents(db)
    for _again in range(3):
        reply = participant.post(f"/{personal}", data=filled)
        assert reply.status_code == 200
        assert reply.data == first.data
    assert contents(db) == before
    assert box(db) == (1, 1)


def test_an_edited_repeat_is_thanked_and_told_that_nothing_changed(
    participant: InspectingClient, personal: str, db: Database
) -> None:
    filled = fill(participant, personal)
    first = participant.post(f"/{personal}", data=filled)
    before = contents(db)
    for edit in ({"prep": "1"}, {"words": "Något annat."}, {"trust": "3"}):
        edited = participant.post(f"/{personal}", data=filled | edit)
        assert edited.status_code == 200
        assert receipt(edited) == receipt(first)
        assert "har inte ändrats" in edited.text
        assert "har inte ändrats" not in first.text
    assert contents(db) == before


def test_a_repeat_through_a_room_that_has_filled_up_meanwhile_gets_its_thanks(
    participant: InspectingClient, town: Town, db: Database
) -> None:
    key = town.rooms(town.meeting({Role.FAMILY: 2}))[Role.FAMILY].key
    filled = fill(participant, key)
    first = participant.post(f"/{key}", data=filled)
    assert participant.submit(f"/{key}", prep="1").status_code == 200
    assert participant.submit(f"/{key}", prep="1").status_code == 409
    assert participant.post(f"/{key}", data=filled).data == first.data
    assert box(db) == (2, 2)


# Closed, revoked, unknown


def closed_app(town: Town, day: date = CLOSES + timedelta(days=1)) -> Flask:
    """The same house on another day, by default the one after the last."""
    house = town.at(day)
    app = create_app(house.settings, house)
    app.test_client_class = InspectingClient
    return app


def test_the_last_day_is_a_day_on_which_one_can_answer(town: Town, db: Database) -> None:
    key = town.rooms(town.meeting())[Role.KIN].key
    last = closed_app(town, CLOSES).test_client(use_cookies=False)
    filled = fill(last, key)
    assert filled["submission"]
    late = closed_app(town).test_client(use_cookies=False)
    assert late.post(f"/{key}", data=filled).status_code == 410
    assert box(db) == (0, 0)
    assert last.post(f"/{key}", data=filled).status_code == 200
    # A reply that was lost on the last evening can still be asked for, until the count.
    assert late.post(f"/{key}", data=filled).status_code == 200
    assert box(db) == (1, 1)


def test_a_link_that_leads_nowhere_tells_a_stranger_nothing(
    town: Town, participant: InspectingClient, db: Database
) -> None:
    """Not whose meeting, not when, not in what capacity; by fetching no more than by sending."""
    assignment = town.assignment("HEMLIG-7", town.south, protected=True)
    first = town.meeting(assignment=assignment)
    second = town.meeting({Role.CHILD: 1}, town.assignment("M-2"), held=TODAY - timedelta(days=3), closes=CLOSES)
    child, family = town.personal(second, Role.CHILD), town.personal(first, Role.FAMILY)
    old_room = town.rooms(first)[Role.PROFESSIONAL]
    for meeting, link in ((second, child), (first, family)):
        inviting.revoke_link(db, meeting.id, link.id)
    inviting.replace_link(db, town.house.keys, first.id, old_room.id)
    late = closed_app(town).test_client(use_cookies=False)
    closed = [(late, town.rooms(meeting)[role].key) for meeting, role in ((first, Role.KIN), (second, Role.CHILD))]
    revoked = [(participant, key) for key in (child.key, family.key, old_room.key)]
    unknown = [(participant, key) for key in ("AAAAAAAAAA", "0000000000", "garbage", "x" * 300, "å\0<b>")]
    before = contents(db)
    for links, status in ((closed, 410), (revoked, 410), (unknown, 404)):
        pages = set()
        for client, key in links:
            for reply in (
                client.get(f"/{key}"),
                client.post(f"/{key}", data={"submission": _ID, "prep": "5", "know": "5"}),
                client.post(f"/{key}", data={"submission": _ID, "prep": "5"}),
                client.post(f"/{key}", data={"submission": _ID, "know": "5"}),
                client.post(f"/{key}", data={}),
                client.post(f"/{key}?form=child", data={"submission": "x"}),
            ):
                assert reply.status_code == status, key
                page = re.sub(r'href="[^"]*lang=', 'href="?lang=', reply.text)
                pages.add(re.sub(r'"/[^"]*\?lang', '"?lang', page))
                said = Page(reply.text).text
                for secret in ("HEMLIG", "M-2", "Mitthem", "Norr", "Söder", "2026", "november", "december", "Barn"):
                    assert secret not in said.replace("Barn och unga", ""), secret
        assert len(pages) == 1
    assert contents(db) == before
    assert box(db) == (0, 0)


def test_a_closed_meeting_says_closed_and_a_counted_one_is_unknown(
    town: Town, participant: InspectingClient, db: Database
) -> None:
    meeting = town.meeting()
    key = town.rooms(meeting)[Role.FAMILY].key
    send(participant, key)
    late = closed_app(town).test_client(use_cookies=False)
    assert late.get(f"/{key}").status_code == 410
    counting.close_and_count(db, town.house.keys, meeting.id, TODAY)
    assert participant.get(f"/{key}").status_code == 404
    before = contents(db)
    assert participant.post(f"/{key}", data={"submission": _ID, "prep": "5"}).status_code == 404
    assert contents(db) == before


# Taking back


def test_an_answer_is_taken_back_by_its_receipt_and_its_place_stays_used(
    participant: InspectingClient, personal: str, town: Town, db: Database
) -> None:
    filled = fill(participant, personal)
    thanks = participant.post(f"/{personal}", data=filled)
    other = participant.submit(f"/{town.rooms(_meeting(town))[Role.KIN].key}", prep="2")
    assert box(db) == (2, 2)
    reply = participant.post("/withdraw", data={"receipt": receipt(thanks)})
    assert reply.status_code == 200
    assert box(db) == (1, 2)
    before = contents(db)
    assert participant.post("/withdraw", data={"receipt": receipt(thanks)}).status_code == 404
    assert participant.submit(f"/{personal}", prep="1").status_code == 409
    assert participant.post(f"/{personal}", data=filled).status_code == 409
    assert contents(db) == before
    assert participant.post("/withdraw", data={"receipt": receipt(other)}).status_code == 200
    assert box(db) == (0, 2)


def test_the_button_on_the_thanks_takes_the_answer_back(
    participant: InspectingClient, personal: str, db: Database
) -> None:
    thanks = send(participant, personal)
    reply = participant.post(action(thanks), data=Page(thanks.text).form_values())
    assert reply.status_code == 200
    assert box(db) == (0, 1)


@pytest.mark.parametrize(
    "spell",
    [
        str.lower,
        lambda code: code.replace(" ", ""),
        lambda code: code.replace(" ", "-"),
        lambda code: f"  {code}\t",
        lambda code: code.replace("0", "O").replace("1", "l"),
        lambda code: code.replace("0", "o").replace("1", "I"),
        lambda code: code.replace(" ", "\u2013"),
    ],
    ids=range(7),
)
def test_a_receipt_may_be_spelled_as_it_comes(
    participant: InspectingClient, personal: str, db: Database, spell: Callable[[str], str]
) -> None:
    code = receipt(send(participant, personal))
    assert participant.submit("/withdraw", receipt=spell(code)).status_code == 200
    assert box(db) == (0, 1)


def test_a_receipt_that_is_none_takes_nothing_back(participant: InspectingClient, personal: str, db: Database) -> None:
    send(participant, personal)
    before = contents(db)
    for typed in [
        "",
        " ",
        "x",
        "AAAA BBBB CCCC DDDD",
        "A" * 17,
        "\0" * 16,
        "å" * 16,
        "' or '1'='1",
        "<b>" * 9,
        "9" * 60_000,
    ]:
        with case(typed):
            reply = participant.post("/withdraw", data={"receipt": typed})
            assert reply.status_code == 404
            assert contents(db) == before
            (field,) = [a for a in Page(reply.text).all("input") if a.get("name") == "receipt"]
            assert field["value"] == typed[:40].replace("\0", "\ufffd") or "\0" in typed
            assert field["aria-invalid"] == "true"
            assert [a["role"] for a in Page(reply.text).all("p") if a.get("id") == "receipt-fault"] == ["alert"]


def test_a_receipt_is_worth_nothing_after_the_count(participant: InspectingClient, town: Town, db: Database) -> None:
    meeting = town.meeting()
    code = receipt(send(participant, town.rooms(meeting)[Role.FAMILY].key))
    counting.close_and_count(db, town.house.keys, meeting.id, TODAY)
    before = contents(db)
    spent = participant.post("/withdraw", data={"receipt": code})
    never = participant.post("/withdraw", data={"receipt": "AAAA BBBB CCCC DDDD"})
    assert spent.status_code == never.status_code == 404
    assert spent.text.replace(code, "CODE") == never.text.replace("AAAA BBBB CCCC DDDD", "CODE")
    assert contents(db) == before
    assert len(before["response"]) == 1


# The typed key


@pytest.fixture
def spelled(town: Town) -> str:
    """A key with a nought and a one in it, which can be misread."""
    meeting = town.meeting()
    for seed in range(1000):
        [link] = inviting.add_personal_links(
            town.db, town.house.keys, town.house.catalogue, meeting.id, Role.KIN, source=Random(seed)
        )
        if "0" in link.key and "1" in link.key:
            return link.key
        inviting.revoke_link(town.db, meeting.id, link.id)
    raise AssertionError("no such key")


SPELLINGS: list[Callable[[str], str]] = [
    lambda key: key,
    str.lower,
    lambda key: f"{key[:5]} {key[5:]}",
    lambda key: f"{key[:5]}-{key[5:]}",
    lambda key: f"{key[:5].lower()}\u2013{key[5:]}",
    lambda key: "  " + " ".join(key) + "\t",
    lambda key: key.replace("0", "O").replace("1", "I"),
    lambda key: key.replace("0", "o").replace("1", "l"),
    lambda key: key.replace("1", "L"),
    lambda key: f"{key[:5]}\u00a0{key[5:]}",
]


@pytest.mark.parametrize("spell", SPELLINGS, ids=range(len(SPELLINGS)))
def test_a_key_typed_in_any_spelling_opens_the_form(
    participant: InspectingClient, spelled: str, spell: Callable[[str], str]
) -> None:
    reply = participant.submit("/?lang=en", key=spell(spelled))
    assert reply.status_code == 303
    assert reply.headers["Location"] == f"/{spelled}?lang=en"
    opened = participant.get(reply.headers["Location"])
    assert opened.status_code == 200
    assert Page(opened.text).all("html")[0]["lang"] == "en"


def test_a_key_in_the_address_may_be_spelled_as_it_comes_too(participant: InspectingClient, spelled: str) -> None:
    for spell in SPELLINGS:
        if "\t" not in spell("x" * 10):
            reply = participant.get(f"/{spell(spelled)}")
            assert reply.status_code == 200, spell(spelled)
            assert participant.post(action(reply), data={"submission": _ID, "prep": "5"}).status_code == 200


def test_what_cannot_be_a_key_is_to_be_typed_again(participant: InspectingClient) -> None:
    for typed in [
        "",
        " ",
        "ABC",
        "A" * 9,
        "A" * 11,
        "AAAAA-AAAAU",
        "ååååå ååååå",
        "\0" * 10,
        "<script>alert(1)",
        "1" * 9000,
    ]:
        with case(typed):
            reply = participant.post("/", data={"key": typed})
            assert reply.status_code == 400
            (field,) = [a for a in Page(reply.text).all("input") if a.get("name") == "key"]
            assert field["aria-describedby"] == "key-fault"
            assert [a["role"] for a in Page(reply.text).all("p") if a.get("id") == "key-fault"] == ["alert"]
            assert field["value"].strip("\0\ufffd ") == typed[:40].strip("\0 ")
            assert "<script>alert" not in reply.text


def test_a_key_that_nobody_has_is_told_at_the_field_and_kept_to_be_mended(participant: InspectingClient) -> None:
    reply = participant.post("/", data={"key": "aaaaa aaaaa"})
    assert reply.status_code == 404
    (field,) = [a for a in Page(reply.text).all("input") if a.get("name") == "key"]
    assert field["value"] == "aaaaa aaaaa"
    assert field["aria-describedby"] == "key-fault"


def test_an_address_that_nobody_has_leads_to_the_field_for_a_key(participant: InspectingClient) -> None:
    reply = participant.get("/AAAAAAAAAA")
    assert reply.status_code == 404
    assert [a["href"] for a in Page(reply.text).all("a") if a.get("class") == "button quiet"] == ["/?lang=sv"]


# A database out of reach


def hold(mode: str) -> Callable[[Town, pytest.MonkeyPatch], Callable[[], None]]:
    """Somebody else has locked the database; what is given back lets go of it."""

    def begin(town: Town, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
        real = sqlite3.connect
        monkeypatch.setattr(sqlite3, "connect", lambda *args, **named: real(*args, **{"timeout": 0.05} | named))
        monkeypatch.setitem(engine._PRAGMAS, "busy_timeout", 50)
        kept = Connections.take

        def take(connections: Connections) -> Database:
            """The connection that the thread may have had before: it waits no longer than a new one."""
            db = kept(connections)
            db.conn.execute("pragma busy_timeout = 50")
            return db

        monkeypatch.setattr(Connections, "take", take)
        other = real(town.house.settings.database, isolation_level=None)
        other.execute(f"begin {mode}")
        return other.close

    return begin


def fill_disk(town: Town, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The file cannot grow by a single page: what SQLite says is what it says of a full disk."""
    real = Connections.take
    is_full = {True}

    def take(connections: Connections) -> Database:
        db = real(connections)
        pages = db.conn.execute("pragma page_count").fetchone()[0]
        assert db.conn.execute("pragma freelist_count").fetchone()[0] == 0
        most = pages if is_full else 1_000_000
        assert db.conn.execute(f"pragma max_page_count = {most}").fetchone()[0] == most
        return db

    monkeypatch.setattr(Connections, "take", take)
    return is_full.clear


TROUBLES: dict[str, Callable[[Town, pytest.MonkeyPatch], Callable[[], None]]] = {
    "somebody else writes": hold("immediate"),
    "somebody else has it for themselves": hold("exclusive"),
    "the disk is full": fill_disk,
}


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("role", [Role.FAMILY, Role.CHILD])
def test_what_cannot_be_stored_now_comes_back_filled_in_and_can_be_sent_again_once(
    participant: InspectingClient,
    town: Town,
    db: Database,
    monkeypatch: pytest.MonkeyPatch,
    trouble: str,
    language: str,
    role: Role,
) -> None:
    meeting = town.meeting()
    key = town.personal(meeting, role).key
    item = town.house.catalogue.default(role).items[0].id
    opened = participant.get(f"/{key}?lang={language}")
    sent = Page(opened.text).form_values() | {item: "4", "words": "Det här är kvar."}
    before = contents(db)
    release = TROUBLES[trouble](town, monkeypatch)
    reply = participant.post(action(opened), data=sent)
    assert reply.status_code == 503
    page = Page(reply.text)
    assert page.all("html")[0]["lang"] == language
    assert [a["role"] for a in page.all("div") if a.get("class") == "faults"] == ["alert"]
    assert chosen(reply) == {item: "4", "words": "Det här är kvar."}
    assert page.form_values()["submission"] == sent["submission"]
    assert action(reply) == action(opened)
    assert 'id="receipt"' not in reply.text
    release()
    assert contents(db) == before
    again = page.form_values() | chosen(reply)
    thanks = participant.post(action(reply), data=again)
    assert thanks.status_code == 200
    assert box(db) == (1, 1)
    assert participant.post(action(reply), data=again).data == thanks.data
    assert box(db) == (1, 1)


def test_an_old_page_without_the_forms_name_comes_back_filled_in_too(
    participant: InspectingClient, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the database cannot even be read, the fields say which questionnaire it was."""
    key = town.rooms(town.meeting())[Role.PROFESSIONAL].key
    release = hold("exclusive")(town, monkeypatch)
    reply = participant.post(f"/{key}", data={"submission": _ID, "family": "4", "words": "Kvar."})
    assert reply.status_code == 503
    assert chosen(reply) == {"family": "4", "words": "Kvar."}
    nothing_of_ours = participant.post(f"/{key}", data={"submission": _ID, "evil": "1"})
    assert nothing_of_ours.status_code == 503
    assert "<form" not in nothing_of_ours.text
    release()


def test_a_garbled_address_while_the_database_is_out_of_reach_makes_no_form_that_leads_nowhere(
    participant: InspectingClient, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = hold("exclusive")(town, monkeypatch)
    reply = participant.post("/garbled?form=adult", data={"submission": _ID, "prep": "5"})
    assert reply.status_code in (404, 503)
    assert "/None" not in reply.text
    release()


@pytest.mark.parametrize("trouble", ["somebody else writes", "somebody else has it for themselves"])
def test_a_withdrawal_that_cannot_be_done_now_keeps_the_receipt_and_can_be_done_later(
    participant: InspectingClient,
    personal: str,
    town: Town,
    db: Database,
    monkeypatch: pytest.MonkeyPatch,
    trouble: str,
) -> None:
    code = receipt(send(participant, personal))
    release = TROUBLES[trouble](town, monkeypatch)
    reply = participant.post("/withdraw", data={"receipt": code})
    assert reply.status_code == 503
    assert [a["value"] for a in Page(reply.text).all("input") if a.get("name") == "receipt"] == [code]
    release()
    assert box(db) == (1, 1)
    assert participant.post("/withdraw", data={"receipt": code}).status_code == 200
    assert box(db) == (0, 1)


def test_a_form_that_cannot_be_read_now_is_there_again_soon(
    participant: InspectingClient, personal: str, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = hold("immediate")(town, monkeypatch)
    assert participant.get(f"/{personal}").status_code == 200
    writing()
    exclusive = hold("exclusive")(town, monkeypatch)
    assert participant.get(f"/{personal}").status_code == 503
    assert participant.get("/").status_code == 200
    assert participant.get("/privacy").status_code == 200
    exclusive()
    assert participant.get(f"/{personal}").status_code == 200


# The notice, and away


@pytest.fixture
def notice(participant: InspectingClient) -> str:
    return " ".join(Page(participant.get("/privacy").text).text.split())


def test_the_notice_has_what_article_13_asks_for(notice: str) -> None:
    for words in [
        ("Personuppgiftsansvarig",),
        ("dataskyddsombud",),
        ("Syftet",),
        ("artikel 6.1 e", "artikel 9.2"),
        ("lämnas inte ut",),
        ("ut ur EU",),
        ("Hur länge", "raderas", "gallras"),
        ("få se", "rätta", "begränsa", "radera", "invända"),
        ("klaga", "Integritetsskyddsmyndigheten"),
        ("frivilligt", "inte sämre hjälp"),
        ("inte för beslut om dig",),
        ("Vad som sparas",),
        ("ta tillbaka",),
    ]:
        with case(words):
            for word in words:
                assert word in notice or word.replace("inte för", "används inte för") in notice, word


def test_the_notice_says_what_cannot_be_promised(notice: str) -> None:
    for words in [
        ("sköter servern", "före räkningen"),
        ("har din länk", "i ditt ställe"),
        ("eget svar i en grupp om 5",),
        ("känna igen hur du uttrycker dig",),
        ("ensam i din egenskap", "finns ditt svar i databasen"),
        ("inte att de är anonyma", "konfidentiella"),
        ("bjuden till ett möte",),
        ("Ring 112", "116 111"),
    ]:
        with case(words):
            for word in words:
                assert word in notice, word


def test_the_notice_names_the_installations_own(house: House, town: Town) -> None:
    settings = replace(
        house.settings, controller="Socialnämnden i <Mitthem>", contact="dso@mitthem.example", smallest_group=7
    )
    own = replace(house, settings=settings)
    app = create_app(settings, own)
    app.test_client_class = InspectingClient
    said = " ".join(Page(app.test_client(use_cookies=False).get("/privacy").text).text.split())
    assert "Personuppgiftsansvarig är Socialnämnden i <Mitthem>." in said
    assert "dso@mitthem.example" in said
    assert "minst 7 svar" in said
    assert "grupp om 7" in said


def test_every_page_has_a_way_to_leave_it(participant: InspectingClient, personal: str) -> None:
    for path in ("/", f"/{personal}", "/withdraw", "/privacy", "/AAAAAAAAAA", "/no/such/page"):
        assert [a for a in Page(participant.get(path).text).all("a") if a["href"] == "/leave"], path


def test_leaving_is_to_be_elsewhere_at_once_and_leaves_nothing(participant: InspectingClient) -> None:
    reply = participant.get("/leave")
    assert reply.status_code == 303
    there = urlsplit(reply.headers["Location"])
    assert there.scheme == "https"
    assert there.netloc == "www.smhi.se"
    assert (there.query, there.fragment) == ("", "")
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert reply.headers["Cache-Control"] == "no-store"
    assert '"cache"' in reply.headers["Clear-Site-Data"]
    assert "Set-Cookie" not in reply.headers


# Tools


def fill(client: FlaskClient, key: str, fields: dict[str, str] | None = None) -> dict[str, str]:
    """A form as it would be sent."""
    return Page(client.get(f"/{key}").text).form_values() | (fields or EVERYTHING)


def action(reply: TestResponse) -> str:
    """Where a page's form leads, as a browser reads it."""
    here = "http://127.0.0.1:8000" + quote(reply.request.path)
    there = urlsplit(urljoin(here, Page(reply.text).all("form")[0]["action"]))
    assert there.netloc == "127.0.0.1:8000"
    return f"{there.path}?{there.query}"


def send(client: FlaskClient, key: str) -> TestResponse:
    reply = client.post(f"/{key}", data=fill(client, key))
    assert reply.status_code == 200, reply.text
    return reply


def post_raw(client: FlaskClient, key: str, body: str) -> TestResponse:
    return client.post(f"/{key}", data=body.encode(), content_type="application/x-www-form-urlencoded")


def receipt(reply: TestResponse) -> str:
    """The receipt on the thanks, as it is to be copied."""
    found = re.search(r'id="receipt">([^<]+)<', reply.text)
    assert found, reply.text
    return found[1]


def chosen(reply: TestResponse) -> dict[str, str]:
    """What a form is filled in with."""
    radios = {a["name"]: a["value"] for a in Page(reply.text).all("input") if "checked" in a}
    (texts,) = re.findall(r"<textarea[^>]*>(.*?)</textarea>", reply.text, re.DOTALL) or ("",)
    words = html.unescape(texts.removeprefix("\n"))  # a browser drops the first line break
    return radios | ({"words": words} if words else {})


def show(client: FlaskClient, key: str) -> tuple[dict[str, Any], str]:
    """A form's page with its headers, apart from the form's random id."""
    reply = client.get(f"/{key}")
    assert reply.status_code == 200
    return dict(reply.headers), without_id(reply.text)


def without_id(page: str) -> str:
    return page.replace(Page(page).form_values()["submission"], "ID")


def box(db: Database) -> tuple[int, int]:
    """How many ballots there are, and how many used places."""
    (ballots,) = db.execute("select count(*) from ballot").fetchone()
    (used,) = db.execute("select count(*) from invitation where state = 'answered'").fetchone()
    return ballots, used


def _meeting(town: Town) -> Meeting:
    return town.meeting(NINE, town.assignment("M-999"))


# What strangers do with a form


ELSEWHERE = {"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"}


@pytest.mark.parametrize(
    "headers", [ELSEWHERE, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://elsewhere.example"}]
)
@pytest.mark.parametrize("more", [{"lang": "sv"}, {}, {"prep": "4"}])
def test_a_form_that_another_site_filled_in_is_nobodys(
    participant: InspectingClient, personal: str, db: Database, headers: dict[str, str], more: dict[str, str]
) -> None:
    """Whoever planted a form's id could ask later what was answered under it, and take the answer back."""
    planted = "a" * 32
    before = contents(db)
    reply = participant.post(
        f"/{personal}?lang=sv", data={"submission": planted, "words": "planted"} | more, headers=headers
    )
    assert reply.status_code == 200
    assert "planted" not in reply.text
    assert planted not in reply.text
    assert " checked" not in reply.text
    assert contents(db) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8000"},
        {},
    ],
)
def test_a_form_of_our_own_is_taken_from_browsers_old_and_new(
    participant: InspectingClient, personal: str, db: Database, headers: dict[str, str]
) -> None:
    data = Page(participant.get(f"/{personal}").text).form_values() | {"prep": "4"}
    assert participant.post(f"/{personal}", data=data, headers=headers).status_code == 200
    assert box(db) == (1, 1)


def test_sending_other_answers_under_a_known_id_soon_tells_nothing(
    participant: InspectingClient, personal: str
) -> None:
    """Only the same answers again change nothing; after a few tries all of them are told so alike."""
    own = Page(participant.get(f"/{personal}").text).form_values()
    secret = {"prep": "5", "safe": "5"}
    assert participant.post(f"/{personal}", data=own | secret).status_code == 200
    told = [
        "har inte ändrats" in participant.post(f"/{personal}", data=own | {"prep": one, "safe": other}).text
        for one, other in product("12345", repeat=2)
    ]
    assert len(told) == 25
    assert all(told), "the last one is the right one"


def test_the_same_answers_again_are_thanked_for_as_often_as_the_network_asks(
    participant: InspectingClient, personal: str
) -> None:
    own = Page(participant.get(f"/{personal}").text).form_values() | {"prep": "5"}
    thanks = [participant.post(f"/{personal}", data=own).text for _ in range(40)]
    assert set(thanks) == {thanks[0]}
    assert "har inte ändrats" not in thanks[0]


# Another language midway


def test_a_form_is_shown_as_it_is_filled_in_when_another_language_is_chosen(
    participant: InspectingClient, personal: str, db: Database
) -> None:
    before = contents(db)
    data = {
        "submission": "b" * 32,
        "prep": "4",
        "safe": "declined",
        "words": "Mina <ord>",
        "lang": "en",
        "made-up": "x",
    }
    reply = participant.post(f"/{personal}?lang=en", data=data)
    assert reply.status_code == 200
    page = Page(reply.text)
    assert page.all("html")[0]["lang"] == "en"
    assert page.form_values()["submission"] == "b" * 32
    chosen = [(a["name"], a["value"]) for a in page.all("input") if "checked" in a]
    assert chosen == [("prep", "4"), ("safe", "declined")]
    assert "Mina &lt;ord&gt;" in reply.text
    assert 'role="alert"' not in reply.text, "nothing is judged before it is sent"
    assert contents(db) == before


def test_another_language_shows_the_same_of_an_open_and_an_answered_link(
    participant: InspectingClient, town: Town, personal: str
) -> None:
    other = town.personal(town.meeting(assignment=town.assignment("M-9")), Role.KIN).key
    assert send(participant, personal).status_code == 200
    pages = [participant.post(f"/{key}?lang=ar", data={"lang": "ar", "prep": "4"}).text for key in (personal, other)]
    assert without_id(pages[0]) == without_id(pages[1])


def test_another_language_loses_nothing_while_somebody_else_guesses(
    app: Flask, participant: InspectingClient, personal: str
) -> None:
    forget_failures(app, lambda: 0.0)  # on a slow machine failures would be forgotten as fast as they come
    for number in range(80):
        participant.get(f"/AAAAAAAA{number:02}")
    reply = participant.post(f"/{personal}?lang=en", data={"lang": "en", "prep": "4", "words": "Mina ord"})
    assert reply.status_code == 429
    assert "Mina ord" in reply.text
    assert "does not belong" not in reply.text


def test_another_language_loses_nothing_while_the_database_is_away(
    participant: InspectingClient, personal: str, house: House
) -> None:
    house.settings.database.rename(house.settings.database.with_suffix(".away"))
    data = {"lang": "en", "prep": "4", "words": "Mina ord"}
    reply = participant.post(f"/{personal}?lang=en&form=adult", data=data)
    assert reply.status_code == 503
    assert "Mina ord" in reply.text


def test_the_thanks_do_not_lead_to_an_empty_form_in_another_language(
    participant: InspectingClient, personal: str
) -> None:
    """It would look as if nothing had been sent, and the receipt would be gone."""
    opened = participant.get(f"/{personal}")
    assert "?lang=en" in opened.text
    thanks = send(participant, personal)
    taken = participant.post(f"/{personal}", data={"submission": "c" * 32, "prep": "1"})
    assert (thanks.status_code, taken.status_code) == (200, 409)
    for page in (thanks, taken):
        assert not [a for a in Page(page.text).all("a") if a["href"].startswith("?lang=")]


def test_what_is_read_beside_the_form_does_not_take_its_place(participant: InspectingClient, personal: str) -> None:
    """On the way back from the notice everything that was filled in would be gone."""
    beside = [
        a for a in Page(participant.get(f"/{personal}").text).all("a") if a["href"].startswith(("/privacy", "/access"))
    ]
    assert len(beside) == 2
    assert all((a["target"], a["rel"]) == ("_blank", "noopener") for a in beside)
