"""Signing in and out, the start page of each role, and one's own account."""

import re
from datetime import UTC, datetime, timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlite_utils import Database

from enkat import counting, staffing
from enkat.model.staff import StaffRole
from enkat.model.survey import Role
from tests.conftest import TODAY, Town, signed_in
from tests.inspection import InspectingClient, Page
from tests.web.hostile import case, contents

KARIN = "karin@mitthem.example"


def sessions(db: Database) -> int:
    return int(db.execute("select count(*) from staff_session").fetchone()[0])


# Signing in


def test_somebody_signs_in_with_address_and_password(app: Flask, town: Town, db: Database) -> None:
    town.add_staff(KARIN, town.north, StaffRole.COORDINATOR)
    client = app.test_client()
    reply = client.submit("/staff/sign-in", address=f"  {KARIN.upper()} ", password=town.passwords[KARIN])
    assert reply.status_code == 303
    assert reply.headers["Location"] == "/staff"
    assert client.get("/staff").status_code == 200
    assert sessions(db) == 1
    with client.session_transaction() as session:
        secret = session["sid"]
    (stored,) = db.execute("select id from staff_session").fetchone()
    assert secret not in stored
    assert stored not in secret


def test_who_is_not_known_learns_nothing_of_why(app: Flask, town: Town, db: Database) -> None:
    """The same words for a wrong password, an unknown address and somebody disabled; nothing is remembered."""
    town.add_staff(KARIN, town.north, StaffRole.COORDINATOR)
    off = town.add_staff("stangd@mitthem.example", town.north, StaffRole.COORDINATOR)
    db.execute("update staff set enabled = 0 where address = ?", [off])
    before = contents(db)
    for address, password in [
        (KARIN, "wrong"),
        (KARIN, ""),
        ("", ""),
        ("nobody@mitthem.example", "PASSWORD"),
        ("stangd@mitthem.example", "PASSWORD"),
        (f"{KARIN}\0", "PASSWORD"),
        ("%", "PASSWORD"),
        ("' or 1=1 --", "PASSWORD"),
        (KARIN, "PASSWORD "),
        (KARIN, "PASSWORD\0"),
        (KARIN, "x" * 60_000),
        ("ä" * 9000, "x"),
    ]:
        with case(address, password):
            known = town.passwords[off if address == off else KARIN]
            client = app.test_client()
            client.environ_base["REMOTE_ADDR"] = f"198.51.100.{len(password) % 250}"  # too many from one are slowed
            reply = client.submit("/staff/sign-in", address=address, password=password.replace("PASSWORD", known))
            assert reply.status_code == 401
            (alert,) = re.findall(r'<div class="faults".*?</div>', reply.text, re.DOTALL)
            assert "Adressen och lösenordet hör inte ihop" in alert
            assert known not in reply.text
            assert not [a for a in Page(reply.text).all("input") if a.get("type") == "password" and a.get("value")]
            assert contents(db) == before
            assert client.get("/staff").status_code == 303


def test_signing_in_begins_a_new_session(app: Flask, town: Town) -> None:
    """Nobody can lay out a session beforehand for somebody else to sign in to."""
    address = town.add_staff(KARIN, town.north, StaffRole.COORDINATOR)
    client = app.test_client()
    client.get("/staff/sign-in")
    with client.session_transaction() as session:
        session["sid"] = "laid-out"
        earlier = session["csrf_token"]
    client.submit("/staff/sign-in", address=address, password=town.passwords[address])
    with client.session_transaction() as session:
        assert session["sid"] != "laid-out"
        assert session.get("csrf_token") != earlier


def test_signing_out_ends_the_session_on_the_server_too(
    coordinator: InspectingClient, app: Flask, db: Database
) -> None:
    cookie = coordinator.get_cookie("enkat")
    assert cookie is not None
    reply = coordinator.press("/staff/account", "/staff/sign-out")
    assert reply.status_code == 303
    assert reply.headers["Location"] == "/staff/sign-in"
    assert sessions(db) == 0
    thief = app.test_client()
    thief.set_cookie("enkat", cookie.value)
    assert thief.get("/staff").status_code == 303
    assert coordinator.get("/staff").status_code == 303


def test_old_sign_ins_are_cleared_away_when_somebody_signs_in(app: Flask, town: Town, db: Database) -> None:
    address = town.add_staff(KARIN, town.north, StaffRole.COORDINATOR)
    signed_in(app, town, address)
    long_ago = (datetime.now(UTC) - timedelta(hours=3)).isoformat()
    db.execute("update staff_session set started = :then, seen = :then", {"then": long_ago})
    signed_in(app, town, address)
    assert sessions(db) == 1


# The start page


def test_a_new_coordinator_is_told_what_to_do_first(coordinator: InspectingClient) -> None:
    page = coordinator.get("/staff").text
    assert "<h1>Inga möten än</h1>" in page
    assert 'href="/staff/meetings/new"' in page
    assert "<li>" not in page


def test_the_start_page_says_of_each_meeting_what_to_do_next(
    coordinator: InspectingClient, participant: InspectingClient, town: Town, db: Database
) -> None:
    fresh = town.meeting(assignment=town.assignment("M-1"))
    answered = town.meeting(assignment=town.assignment("M-2"))
    key = town.rooms(answered)[Role.FAMILY].key
    assert participant.submit(f"/{key}", prep="4").status_code == 200
    over = town.meeting(assignment=town.assignment("M-3"))
    db.execute("update meeting set held = '2026-11-01', closes = '2026-11-15' where id = ?", [over.id])
    counted = town.meeting(assignment=town.assignment("M-4"))
    counting.close_and_count(db, town.house.keys, counted.id, TODAY)
    foreign = town.meeting(assignment=town.assignment("S-5", town.south))
    text = coordinator.get("/staff").text
    assert foreign.id not in text
    assert "S-5" not in text
    rows = re.findall(r'<li><a href="/staff/meetings/(\w+)">(.*?)</a></li>', text, re.DOTALL)
    said = {identity: " ".join(Page(row).text.split()) for identity, row in rows}
    assert set(said) == {fresh.id, answered.id, over.id, counted.id}
    assert "M-1 · möte 1" in said[fresh.id]
    assert "Dela ut nu" in said[fresh.id]
    assert "Svaren kommer in" in said[answered.id]
    assert "Stängd, räknas snart" in said[over.id]
    assert "0 svar räknade" in said[counted.id]
    rings = {identity: re.findall(r'class="ring"[^>]*aria-label="([^"]*)"', row) for identity, row in rows}
    assert rings[fresh.id] == ["0 av 9 har svarat"]
    assert rings[answered.id] == ["1 av 9 har svarat"]
    assert rings[counted.id] == []
    assert text.index(counted.id) > max(text.index(meeting.id) for meeting in (fresh, answered, over))


def test_the_head_of_the_municipality_sees_the_meetings_of_every_team(app: Flask, town: Town) -> None:
    north = town.meeting(assignment=town.assignment("M-1"))
    south = town.meeting(assignment=town.assignment("S-1", town.south))
    head = signed_in(app, town, town.add_staff(KARIN, town.municipality, StaffRole.COORDINATOR))
    page = head.get("/staff").text
    assert north.id in page
    assert south.id in page


def test_an_evaluator_sees_no_meetings_and_is_told_why(evaluator: InspectingClient, town: Town) -> None:
    meeting = town.meeting()
    page = evaluator.get("/staff").text
    assert meeting.id not in page
    assert "M-114" not in page
    assert "Enskilda möten visas aldrig" in page
    assert 'class="button" href="/results"' in page
    assert "/staff/people" not in page
    assert "/staff/meetings" not in page


def test_an_administrator_sees_the_door_to_people_and_no_meetings(administrator: InspectingClient, town: Town) -> None:
    meeting = town.meeting()
    page = administrator.get("/staff").text
    assert meeting.id not in page
    assert 'href="/staff/people"' in page
    assert "/staff/meetings" not in page


def test_somebody_with_two_roles_has_both_doors(app: Flask, town: Town) -> None:
    meeting = town.meeting()
    both = signed_in(app, town, town.add_staff(KARIN, town.north, StaffRole.COORDINATOR, StaffRole.ADMINISTRATOR))
    page = both.get("/staff").text
    assert meeting.id in page
    assert 'href="/staff/people"' in page


def test_everybody_who_is_signed_in_finds_the_way_to_the_results(
    coordinator: InspectingClient, evaluator: InspectingClient, administrator: InspectingClient
) -> None:
    for client in (coordinator, evaluator, administrator):
        for path in ("/staff", "/staff/account"):
            assert "/results" in [a.get("href") for a in Page(client.get(path).text).all("a")], path


# The account


def test_changing_ones_password_ends_the_other_sign_ins(
    coordinator: InspectingClient, app: Flask, town: Town, db: Database
) -> None:
    elsewhere = signed_in(app, town, KARIN)
    new = "korrekt häst batteri"
    reply = coordinator.submit("/staff/account", old=town.passwords[KARIN], new=new)
    assert reply.status_code == 303
    assert "Lösenordet är bytt" in coordinator.get("/staff/account").text
    assert elsewhere.get("/staff").status_code == 303
    assert sessions(db) == 1
    again = app.test_client()
    assert again.submit("/staff/sign-in", address=KARIN, password=town.passwords[KARIN]).status_code == 401
    assert again.submit("/staff/sign-in", address=KARIN, password=new).status_code == 303


def test_a_password_that_cannot_be_changed_so_stays_as_it_is(
    coordinator: InspectingClient, app: Flask, town: Town, db: Database
) -> None:
    for old, new, at in [
        ("wrong", "korrekt häst batteri", "old"),
        ("", "korrekt häst batteri", "old"),
        ("PASSWORD", "kort", "new"),
        ("PASSWORD", "", "new"),
        ("PASSWORD", "x" * 201, "new"),
    ]:
        with case(old, new, at):
            signed_in(app, town, KARIN)
            before = contents(db)
            known = town.passwords[KARIN]
            reply = coordinator.submit("/staff/account", old=old.replace("PASSWORD", known), new=new)
            assert reply.status_code == 400
            assert [a["id"] for a in Page(reply.text).all("p") if a.get("class") == "fault"] == [f"{at}-fault"]
            assert f'href="#{at}"' in reply.text
            assert known not in reply.text
            assert not [a for a in Page(reply.text).all("input") if a.get("type") == "password" and a.get("value")]
            assert contents(db) == before


def test_one_can_sign_out_everywhere_else(coordinator: InspectingClient, app: Flask, town: Town, db: Database) -> None:
    others = [signed_in(app, town, KARIN) for _ in range(2)]
    colleague = signed_in(app, town, town.add_staff("olle@mitthem.example", town.north, StaffRole.COORDINATOR))
    assert coordinator.press("/staff/account", "/staff/account/sign-out-elsewhere").status_code == 303
    assert [client.get("/staff").status_code for client in (*others, coordinator, colleague)] == [303, 303, 200, 200]
    assert sessions(db) == 2


def test_the_staff_pages_speak_the_language_that_was_chosen(
    coordinator: InspectingClient, app: Flask, town: Town
) -> None:
    swedish = {"Accept-Language": "sv"}
    assert 'lang="sv"' in coordinator.get("/staff", headers=swedish).text
    for wish, language in (("en", "en"), ("xx", "en"), ("", "en"), ("en\0", "en"), ("sv", "sv")):
        assert coordinator.press("/staff/account", "/staff/account/language", language=wish).status_code == 303
        page = Page(coordinator.get("/staff", headers=swedish).text)
        assert page.all("html")[0]["lang"] == language, wish
    coordinator.press("/staff/account", "/staff/account/language", language="en")
    coordinator.press("/staff/account", "/staff/sign-out")
    coordinator.submit("/staff/sign-in", address=KARIN, password=town.passwords[KARIN])
    assert Page(coordinator.get("/staff").text).all("html")[0]["lang"] in ("en", "sv")


def test_the_account_page_says_who_one_is(coordinator: InspectingClient) -> None:
    page = coordinator.get("/staff/account").text
    assert KARIN in page
    assert "Samordnare" in page
    assert "$argon2" not in page


def test_a_session_in_use_lasts_and_an_idle_one_does_not(app: Flask, town: Town, db: Database) -> None:
    client = signed_in(app, town, town.add_staff(KARIN, town.north, StaffRole.COORDINATOR))

    def age(idle: timedelta, since: timedelta) -> None:
        now = datetime.now(UTC)
        moments = {"seen": (now - idle).isoformat(), "started": (now - since).isoformat()}
        db.execute("update staff_session set seen = :seen, started = :started", moments)

    for hours in (1, 5, 11):
        age(staffing.IDLE - timedelta(minutes=1), timedelta(hours=hours))
        assert client.get("/staff").status_code == 200
    age(timedelta(minutes=1), staffing.LONGEST + timedelta(minutes=1))
    assert client.get("/staff").status_code == 303
    assert FlaskClient.open(client, "/staff", method="HEAD").status_code == 303
