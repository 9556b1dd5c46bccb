"""The administrator's page: who may sign in, the units, first passwords; no meetings and no answers."""

import re

from flask import Flask
from sqlite_utils import Database

from enkat.model.staff import StaffRole
from tests.conftest import Town, signed_in
from tests.inspection import InspectingClient, Page
from tests.web.hostile import case, contents

PEOPLE = "/staff/people"


def password(text: str) -> str:
    """The first password as it stands on its page."""
    (found,) = re.findall(r'<p class="code[^"]*">([^<]+)</p>', text)
    return found


def member(db: Database, address: str) -> dict[str, object]:
    """Somebody's row with their roles."""
    (row,) = db.query("select id, name, unit, enabled, password_hash from staff where address = ?", [address])
    roles = {one["role"] for one in db.query("select role from staff_role where staff = ?", [row["id"]])}
    return row | {"roles": roles}


def test_somebody_new_gets_a_first_password_that_is_shown_once(
    administrator: InspectingClient, app: Flask, town: Town, db: Database
) -> None:
    reply = administrator.submit(
        PEOPLE, name=" Kim  Ek ", address="kim@mitthem.example", roles=["coordinator", "evaluator"], unit=town.south.id
    )
    assert reply.status_code == 200
    first = password(reply.text)
    kim = member(db, "kim@mitthem.example")
    assert kim["name"] == "Kim Ek"
    assert kim["unit"] == town.south.id
    assert kim["roles"] == {"coordinator", "evaluator"}
    assert first not in str(kim)
    page = administrator.get(PEOPLE).text
    assert "Kim Ek" in page
    assert first not in page
    town.passwords["kim@mitthem.example"] = first
    assert signed_in(app, town, "kim@mitthem.example").get("/staff").status_code == 200


def test_somebody_who_cannot_be_added_so_is_told_where(
    administrator: InspectingClient, town: Town, db: Database
) -> None:
    for change, at in [
        ({"name": ""}, "member-name"),
        ({"name": " \t "}, "member-name"),
        ({"name": "x" * 81}, "member-name"),
        ({"address": ""}, "address"),
        ({"address": "kim"}, "address"),
        ({"address": "kim@"}, "address"),
        ({"address": "kim ek@mitthem.example"}, "address"),
        ({"address": "kim@mitthem.example" + "x" * 200}, "address"),
        ({"address": '"><script>@mitthem.example'}, "address"),
        ({"address": "a\0b@mitthem.example"}, "address"),
        ({"address": "\0@mitthem.example"}, "address"),
        ({"address": "ANDERS@MITTHEM.EXAMPLE"}, "address"),
        ({"roles": []}, "roles"),
        ({"roles": ["king"]}, "roles"),
        ({"roles": ["coordinator", "king"]}, "roles"),
        ({"unit": "nowhere"}, "unit"),
        ({"unit": ""}, "unit"),
    ]:
        with case(change, at):
            fields = {"name": "Kim Ek", "address": "kim@mitthem.example", "roles": ["evaluator"], "unit": town.south.id}
            before = contents(db)
            reply = administrator.submit(PEOPLE, **(fields | change))
            assert reply.status_code == 400
            assert contents(db) == before
            (alert,) = re.findall(r'<div class="faults" role="alert">(.*?)</div>', reply.text, re.DOTALL)
            assert f'href="#{at}"' in alert
            assert "<script>@" not in reply.text
            kept = {a["name"]: a.get("value", "") for a in Page(reply.text).all("input") if a.get("id") == "address"}
            if "address" not in change:
                assert kept["address"] == "kim@mitthem.example"
            if "roles" not in change:
                checked = [a["value"] for a in Page(reply.text).all("input") if "checked" in a]
                assert checked == ["evaluator"]


def test_a_name_with_characters_that_no_keyboard_writes_is_refused(
    administrator: InspectingClient, town: Town, db: Database
) -> None:
    for mark in ["\0", "\x01", "\x1b", "\x7f"]:
        with case(mark):
            before = contents(db)
            added = administrator.submit(
                PEOPLE, name=f"Kim{mark}Ek", address="kim@mitthem.example", roles="evaluator", unit=town.south.id
            )
            unit = administrator.press(PEOPLE, f"{PEOPLE}/units", name=f"Vä{mark}st", under=town.municipality.id)
            assert (added.status_code, unit.status_code) == (400, 400)
            assert contents(db) == before


def test_a_fault_is_told_in_the_page_s_own_words(administrator: InspectingClient) -> None:
    """Not in the library's: a Swedish page says nothing in English."""
    reply = administrator.submit(PEOPLE, name="Kim", address="kim@mitthem.example", roles="king", unit="nowhere")
    assert reply.status_code == 400
    assert "valid choice" not in reply.text


def test_a_name_is_shown_as_it_was_written_and_does_nothing(
    administrator: InspectingClient, town: Town, db: Database
) -> None:
    name = "<script>alert(1)</script>{{ 7*7 }}"
    reply = administrator.submit(
        PEOPLE, name=name, address="kim@mitthem.example", roles="evaluator", unit=town.south.id
    )
    assert reply.status_code == 200
    assert member(db, "kim@mitthem.example")["name"] == name
    for page in (reply.text, administrator.get(PEOPLE).text):
        assert "<script>alert" not in page
        assert name in Page(page).text


def test_a_new_unit_stands_under_the_one_that_was_named(
    administrator: InspectingClient, town: Town, db: Database
) -> None:
    reply = administrator.press(PEOPLE, f"{PEOPLE}/units", name=" Norra  skolan ", under=town.north.id)
    assert reply.status_code == 303
    assert "Enheten är tillagd." in administrator.get(PEOPLE).text
    row = next(db.query("select name, parent from unit where name like 'Norra%'"))
    assert row == {"name": "Norra skolan", "parent": town.north.id}


def test_a_unit_that_cannot_be_added_so_is_told_where(
    administrator: InspectingClient, town: Town, db: Database
) -> None:
    for name, under, at in [
        ("", "NORTH", "unit-name"),
        (" ", "NORTH", "unit-name"),
        ("x" * 81, "NORTH", "unit-name"),
        ("Norr", "NORTH", "unit-name"),
        ("nORR", "NORTH", "unit-name"),
        ("SÖDER", "NORTH", "unit-name"),
        ("Väst", "nowhere", "under"),
        ("Väst", "", "under"),
    ]:
        with case(name, under, at):
            before = contents(db)
            reply = administrator.press(
                PEOPLE, f"{PEOPLE}/units", name=name, under=under.replace("NORTH", town.north.id)
            )
            assert reply.status_code == 400
            assert contents(db) == before
            (alert,) = re.findall(r'<div class="faults" role="alert">(.*?)</div>', reply.text, re.DOTALL)
            assert f'href="#{at}"' in alert


def test_a_new_first_password_ends_the_old_one_and_its_sign_ins(
    administrator: InspectingClient, coordinator: InspectingClient, app: Flask, town: Town, db: Database
) -> None:
    karin = member(db, "karin@mitthem.example")
    reply = administrator.press(PEOPLE, f"{PEOPLE}/{karin['id']}/password")
    assert reply.status_code == 200
    new = password(reply.text)
    assert coordinator.get("/staff").status_code == 303
    old = app.test_client().submit(
        "/staff/sign-in", address="karin@mitthem.example", password=town.passwords["karin@mitthem.example"]
    )
    assert old.status_code == 401
    town.passwords["karin@mitthem.example"] = new
    assert signed_in(app, town, "karin@mitthem.example").get("/staff").status_code == 200
    assert administrator.get("/staff").status_code == 200


def test_somebody_who_has_left_is_shut_out_at_once_and_can_be_let_in_again(
    administrator: InspectingClient, coordinator: InspectingClient, app: Flask, town: Town, db: Database
) -> None:
    karin = member(db, "karin@mitthem.example")
    assert administrator.press(PEOPLE, f"{PEOPLE}/{karin['id']}/disable").status_code == 303
    assert member(db, "karin@mitthem.example")["enabled"] == 0
    assert coordinator.get("/staff").status_code == 303
    shut = app.test_client().submit(
        "/staff/sign-in", address="karin@mitthem.example", password=town.passwords["karin@mitthem.example"]
    )
    assert shut.status_code == 401
    assert administrator.press(PEOPLE, f"{PEOPLE}/{karin['id']}/enable").status_code == 303
    assert coordinator.get("/staff").status_code == 303
    assert signed_in(app, town, "karin@mitthem.example").get("/staff").status_code == 200


def test_nobody_shuts_themselves_out(administrator: InspectingClient, db: Database) -> None:
    anders = member(db, "anders@mitthem.example")
    page = administrator.get(PEOPLE).text
    assert f"{PEOPLE}/{anders['id']}/disable" not in page
    before = contents(db)
    assert administrator.press(PEOPLE, f"{PEOPLE}/{anders['id']}/disable").status_code == 303
    assert contents(db) == before
    assert "Du kan inte stänga av dig själv." in administrator.get(PEOPLE).text


def test_somebody_unknown_is_not_found(administrator: InspectingClient, db: Database) -> None:
    for act in ["password", "enable", "disable"]:
        with case(act):
            before = contents(db)
            for unknown in ("0" * 16, "x", "a%00b", "%27%20or%201=1"):
                assert administrator.press(PEOPLE, f"{PEOPLE}/{unknown}/{act}").status_code == 404
            assert contents(db) == before


def test_an_unknown_act_is_not_found(
    administrator: InspectingClient, coordinator: InspectingClient, db: Database
) -> None:
    karin = member(db, "karin@mitthem.example")
    before = contents(db)
    for act in ("delete", "Enable", "enabled", "%00"):
        assert administrator.press(PEOPLE, f"{PEOPLE}/{karin['id']}/{act}").status_code == 404
    assert contents(db) == before


def test_the_page_lists_people_and_units_and_nothing_of_the_meetings(
    administrator: InspectingClient, coordinator: InspectingClient, town: Town, db: Database
) -> None:
    meeting = town.meeting(assignment=town.assignment("M-977"))
    text = administrator.get(PEOPLE).text
    for shown in ("karin@mitthem.example", "anders@mitthem.example", "Norr", "Söder", "Mitthem", "Samordnare"):
        assert shown in text
    for hidden in ("M-977", meeting.id, "$argon2", "staff_session"):
        assert hidden not in text
    options = {a["value"] for a in Page(text).all("option")}
    assert options == {town.municipality.id, town.north.id, town.south.id}
    roles = {a["value"] for a in Page(text).all("input") if a.get("name") == "roles"}
    assert roles == {role.value for role in StaffRole}
