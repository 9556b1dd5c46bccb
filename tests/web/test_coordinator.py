"""The coordinator's pages: a meeting made, handed out, followed by number alone, closed and counted."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import segno
from flask import Flask
from sqlite_utils import Database

from enkat import counting, inviting
from enkat.app import create_app
from enkat.house import House
from enkat.model.meeting import Meeting
from enkat.model.staff import StaffRole
from enkat.model.survey import Role
from enkat.wording import ROLES
from tests.conftest import NINE, TODAY, Town, signed_in
from tests.inspection import InspectingClient, Page
from tests.web.hostile import case, contents

NEW = "/staff/meetings/new"
HOST = "http://127.0.0.1:8000"
MEETING = {
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


def only(db: Database, sql: str) -> dict[str, object]:
    """The single row of a query."""
    (row,) = db.query(sql)
    return row


def said(page: str) -> str:
    """The words of a page."""
    return " ".join(Page(page).text.split())


def codes(page: str) -> list[str]:
    """The keys that stand on a page, as they are typed."""
    return [code.replace(" ", "") for code in re.findall(r'class="code"[^>]*>([^<]+)<', page)]


def qr(key: str) -> str:
    """The QR code of a link, made here."""
    return str(
        segno.make(f"{HOST}/{key}", error="m", micro=False).svg_inline(
            border=0, omitsize=True, svgclass="qr", lineclass=None
        )
    )


# Making a meeting


def test_one_page_makes_a_meeting(coordinator: InspectingClient, town: Town, db: Database) -> None:
    reply = coordinator.submit(NEW, **MEETING, protected="y")
    assert reply.status_code == 303
    meeting = only(db, "select * from meeting")
    assert reply.headers["Location"] == f"/staff/meetings/{meeting['id']}"
    assert (meeting["kind"], meeting["held"], meeting["closes"]) == ("sip", "2026-11-18", "2026-12-05")
    assert (meeting["number"], meeting["state"]) == (1, "open")
    karin = only(db, "select id from staff")
    assert meeting["leader"] == karin["id"]
    assignment = only(db, "select * from assignment")
    assert assignment == {
        "id": meeting["assignment"],
        "reference": "M-200",
        "unit": town.north.id,
        "source": "school",
        "protected": 1,
    }
    invited = {row["role"]: row["places"] for row in db.query("select role, places from invited")}
    assert invited == {"family": 3, "kin": 2, "child": 1, "professional": 3}
    places = db.query("select role, questionnaire, count(*) as n from invitation group by 1, 2")
    assert {(row["role"], row["questionnaire"], row["n"]) for row in places} == {
        ("family", "adult", 3),
        ("kin", "adult", 2),
        ("child", "child_small", 1),
        ("professional", "professional", 3),
    }
    assert {row["role"] for row in db.query("select role from link where invitation is null")} == set(Role)
    assert len(list(db.query("select 1 from link"))) == 4


def test_what_is_left_out_is_the_usual(coordinator: InspectingClient, db: Database) -> None:
    """Today, two weeks, no protection, five faces, nobody else."""
    page = Page(coordinator.get(NEW).text)
    assert next(a["value"] for a in page.all("input") if a.get("name") == "held") == TODAY.isoformat()
    fields = {name: MEETING[name] for name in ("reference", "source", "kind", "held")} | {"child": "1"}
    assert coordinator.submit(NEW, **(fields | {"held": TODAY.isoformat()})).status_code == 303
    meeting = only(db, "select held, closes from meeting")
    assert meeting == {"held": "2026-11-20", "closes": "2026-12-04"}
    assert only(db, "select protected from assignment") == {"protected": 0}
    assert only(db, "select role, questionnaire from invitation") == {"role": "child", "questionnaire": "child"}


def test_a_second_meeting_of_a_known_assignment_needs_no_source(
    coordinator: InspectingClient, town: Town, db: Database
) -> None:
    first = town.meeting(assignment=town.assignment("M-200"))
    page = coordinator.get(f"{NEW}?assignment={first.assignment}").text
    assert 'value="M-200"' in page
    assert coordinator.submit(NEW, **(MEETING | {"reference": "m-200", "source": ""})).status_code == 303
    assert [row["number"] for row in db.query("select number from meeting order by number")] == [1, 2]
    assert len(list(db.query("select 1 from assignment"))) == 1


def test_another_teams_assignment_is_not_offered_and_not_known(
    coordinator: InspectingClient, town: Town, db: Database
) -> None:
    foreign = town.assignment("S-777", town.south)
    own = town.assignment("M-777")
    page = coordinator.get(f"{NEW}?assignment={foreign.id}").text
    assert "S-777" not in page
    assert [a["value"] for a in Page(page).all("option") if a["value"].endswith("777")] == [own.reference]
    assert coordinator.submit(NEW, **(MEETING | {"reference": "S-777"})).status_code == 303
    units = {row["unit"] for row in db.query("select unit from assignment where reference = 'S-777'")}
    assert units == {town.north.id, town.south.id}


IDENTITY_NUMBERS = [
    "19850412-1234",
    "850412-1234",
    "8504121234",
    "198504121234",
    "850412+1234",
    "M 850412-1234",
    "850472-1234",
    "850412-T123",
    "85 04 12 1234",
]

REFUSALS: list[tuple[dict[str, str], str]] = [
    ({"reference": ""}, "reference"),
    ({"reference": "   "}, "reference"),
    ({"reference": "x" * 41}, "reference"),
    ({"reference": "<script>alert(1)</script>"}, "reference"),
    ({"reference": "M-1\0"}, "reference"),
    ({"reference": "-1"}, "reference"),
    *(({"reference": number}, "reference") for number in IDENTITY_NUMBERS),
    ({"source": ""}, "source"),
    ({"source": "gossip"}, "source"),
    ({"kind": ""}, "kind"),
    ({"kind": "party"}, "kind"),
    ({"held": ""}, "held"),
    ({"held": "yesterday"}, "held"),
    ({"held": "2026-02-30"}, "held"),
    ({"held": "2024-11-20"}, "held"),
    ({"held": "2027-11-30", "closes": "2027-12-01"}, "held"),
    ({"held": "0001-01-01", "closes": ""}, "held"),
    ({"held": "9999-12-31", "closes": ""}, "held"),
    ({"held": "9999-12-31", "closes": "9999-12-31"}, "held"),
    ({"closes": "2026-11-19"}, "closes"),
    ({"held": "2026-12-10", "closes": "2026-12-05"}, "closes"),
    ({"closes": "2027-03-01"}, "closes"),
    ({"closes": "soon"}, "closes"),
    ({"closes": "9999-12-31"}, "closes"),
    ({"family": "51"}, "family"),
    ({"family": "-1"}, "family"),
    ({"kin": "1.5"}, "kin"),
    ({"child": "many"}, "child"),
    ({"professional": "9" * 5000}, "professional"),
    ({"professional": "٣"}, "professional"),
    ({"professional": "3\0"}, "professional"),
    ({"child_form": "adult"}, "child_form"),
    ({"unit": "nowhere"}, "unit"),
    ({"unit": "SOUTH"}, "unit"),
    ({"unit": "ROOT"}, "unit"),
]


def test_a_meeting_that_cannot_be_made_so_is_told_at_its_field(
    coordinator: InspectingClient, town: Town, db: Database
) -> None:
    for change, at in REFUSALS:
        with case(change, at):
            before = contents(db)
            ids = {"SOUTH": town.south.id, "ROOT": town.municipality.id}
            sent = MEETING | {name: ids.get(value, value) for name, value in change.items()}
            reply = coordinator.submit(NEW, **sent)
            assert reply.status_code == 400
            assert contents(db) == before
            assert list(town.house.settings.keys.glob("meetings/*")) == []
            assert "<script>alert" not in reply.text
            assert "Exceeds the limit" not in reply.text
            (alert,) = re.findall(r'<div class="faults" role="alert">(.*?)</div>', reply.text, re.DOTALL)
            faults = re.findall(r'href="#(\w+?)(?:-\d+)?">([^<]+)</a>', alert)
            assert at in [name for name, _text in faults]
            page = Page(reply.text)
            kept = {a["name"]: a.get("value", "") for a in page.all("input") if "name" in a}
            for name in {"reference", "held", "closes", "family"} - set(change):
                assert kept[name] == MEETING[name], name
            chosen = [a["value"] for a in page.all("option") if "selected" in a]
            assert {MEETING[name] for name in {"source", "kind"} - set(change)} <= set(chosen)


def test_an_identity_number_is_refused_with_the_reason(coordinator: InspectingClient, db: Database) -> None:
    for number in IDENTITY_NUMBERS:
        with case(number):
            reply = coordinator.submit(NEW, **(MEETING | {"reference": number}))
            assert reply.status_code == 400
            assert "ser ut som ett personnummer" in reply.text
            assert "ska inte kunna förstå vilken familj det gäller" in reply.text
            assert list(db.query("select 1 from assignment")) == []


def test_nobody_invited_is_told_at_the_top(coordinator: InspectingClient, db: Database) -> None:
    nobody = {role.value: "0" for role in Role}
    before = contents(db)
    reply = coordinator.submit(NEW, **(MEETING | nobody))
    assert reply.status_code == 400
    assert "Bjud in minst en person." in reply.text
    assert contents(db) == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"source": "health"}, "med en annan källa"),
        ({"source": "", "protected": "y"}, "utan skyddsbehov"),
    ],
)
def test_a_known_assignment_keeps_what_is_known_of_it(
    coordinator: InspectingClient, town: Town, db: Database, change: dict[str, str], words: str
) -> None:
    town.assignment("M-200")
    before = contents(db)
    reply = coordinator.submit(NEW, **(MEETING | change))
    assert reply.status_code == 400
    assert words in reply.text
    assert contents(db) == before


def test_a_head_chooses_among_all_units_and_a_team_has_no_choice(
    app: Flask, coordinator: InspectingClient, town: Town, db: Database
) -> None:
    head = signed_in(app, town, town.add_staff("chef@mitthem.example", town.municipality, StaffRole.COORDINATOR))
    offered = {a["value"] for a in Page(head.get(NEW).text).all("option")}
    assert {town.municipality.id, town.north.id, town.south.id} <= offered
    assert town.north.id not in {a["value"] for a in Page(coordinator.get(NEW).text).all("option")}
    assert head.submit(NEW, **MEETING, unit=town.south.id).status_code == 303
    assert only(db, "select unit from assignment") == {"unit": town.south.id}


# The meeting in the room


def test_the_meetings_page_has_a_tab_with_the_right_code_for_each_role(
    coordinator: InspectingClient, town: Town
) -> None:
    meeting = town.meeting()
    rooms = town.rooms(meeting)
    page = coordinator.get(f"/staff/meetings/{meeting.id}").text
    tabs = [a["aria-label"] for a in Page(page).all("input") if a.get("name") == "tab"]
    assert tabs == [ROLES[role] for role in Role]
    assert [a["for"] for a in Page(page).all("label")] == [f"tab-{n}" for n in range(1, 5)]
    assert codes(page) == [rooms[role].key for role in Role]
    panels = page.split('<div class="panel">')[1:]
    for role, panel in zip(Role, panels, strict=True):
        key = rooms[role].key
        assert qr(key) in panel
        assert f'href="{HOST}/{key}"' in panel
        for other in set(Role) - {role}:
            assert rooms[other].key not in panel
            assert qr(rooms[other].key) not in panel


def test_a_role_that_nobody_is_invited_in_has_no_tab(coordinator: InspectingClient, town: Town) -> None:
    meeting = town.meeting({Role.KIN: 2, Role.PROFESSIONAL: 1})
    page = coordinator.get(f"/staff/meetings/{meeting.id}").text
    assert [a["aria-label"] for a in Page(page).all("input") if a.get("name") == "tab"] == [
        ROLES[Role.KIN],
        ROLES[Role.PROFESSIONAL],
    ]


def test_a_code_fills_the_screen(coordinator: InspectingClient, town: Town) -> None:
    for role in Role:
        with case(role):
            meeting = town.meeting()
            key = town.rooms(meeting)[role].key
            page = coordinator.get(f"/staff/meetings/{meeting.id}/room/{role}").text
            assert qr(key) in page
            assert codes(page) == [key]
            assert coordinator.get(f"/staff/meetings/{meeting.id}/room/leader").status_code == 404


def test_the_ring_counts_the_whole_meeting_and_no_role(
    coordinator: InspectingClient, participant: InspectingClient, town: Town
) -> None:
    meeting = town.meeting()
    rooms = town.rooms(meeting)
    for answered in range(4):
        for path in ("", "/progress"):
            page = coordinator.get(f"/staff/meetings/{meeting.id}{path}").text
            assert re.findall(r'class="ring"[^>]*aria-label="([^"]*)"', page) == [f"{answered} av 9 har svarat"]
            assert page.count('class="filled"') == answered
            numbers = re.findall(r"\d+", said(re.sub(r"<svg.*?</svg>|class=\"code\"[^>]*>[^<]*", "", page, flags=re.S)))
            assert set(numbers) <= {"4", "20", "114", "1", "127", "0", "8000"}, numbers
        role = (Role.FAMILY, Role.PROFESSIONAL, Role.FAMILY, Role.KIN)[answered]
        item = town.house.catalogue.default(role).items[0].id
        assert participant.submit(f"/{rooms[role].key}", **{item: "3"}).status_code == 200


def test_a_room_that_has_come_into_the_wrong_hands_gets_another_code(
    coordinator: InspectingClient, participant: InspectingClient, town: Town
) -> None:
    meeting = town.meeting()
    old = town.rooms(meeting)
    page = f"/staff/meetings/{meeting.id}"
    reply = coordinator.press(page, f"{page}/room/{old[Role.KIN].id}/replace")
    assert reply.headers["Location"] == f"{page}?role=kin", "back at the code that was replaced"
    new = town.rooms(meeting)
    assert new[Role.KIN].key != old[Role.KIN].key
    assert {role: link.key for role, link in new.items() if role is not Role.KIN} == {
        role: link.key for role, link in old.items() if role is not Role.KIN
    }
    assert participant.get(f"/{old[Role.KIN].key}").status_code == 410
    assert participant.submit(f"/{new[Role.KIN].key}", prep="3").status_code == 200
    after = coordinator.get(f"{page}?role=kin").text
    assert old[Role.KIN].key not in after.replace(" ", "")
    assert "lappar och bilder leder ingenstans" in after
    (tab,) = [a for a in Page(after).all("input") if a.get("name") == "tab" and "checked" in a]
    assert tab["aria-label"] == "Anhöriga och vänner"


# Links for those who have gone


@pytest.mark.parametrize(
    ("kind", "role", "form"),
    [
        ("family:adult", Role.FAMILY, "adult"),
        ("kin:adult", Role.KIN, "adult"),
        ("child:child", Role.CHILD, "child"),
        ("child:child_small", Role.CHILD, "child_small"),
        ("professional:professional", Role.PROFESSIONAL, "professional"),
    ],
)
def test_one_tap_makes_one_link(
    coordinator: InspectingClient,
    participant: InspectingClient,
    town: Town,
    db: Database,
    kind: str,
    role: Role,
    form: str,
) -> None:
    meeting = town.meeting()
    path = f"/staff/meetings/{meeting.id}/links"
    empty = coordinator.get(path).text
    assert codes(empty) == []
    assert kind in [a["value"] for a in Page(empty).all("button") if a.get("name") == "for"]
    reply = coordinator.submit(path, **{"for": kind})
    assert reply.status_code == 303
    (link,) = [one for one in inviting.links(db, town.house.keys, meeting.id) if not one.is_room]
    assert (link.role, link.questionnaire) == (role, form)
    assert reply.headers["Location"] == f"{path}#link-{link.id}"
    page = coordinator.get(path).text
    assert codes(page) == [link.key]
    assert f'id="link-{link.id}"' in page
    assert f'value="{HOST}/{link.key}"' in page
    assert qr(link.key) in page
    assert only(db, "select sum(places) as n from invited") == {"n": 9}
    assert only(db, "select count(*) as n from invitation") == {"n": 9}
    assert town.house.catalogue[form].title in participant.get(f"/{link.key}").text


def test_a_link_beyond_those_planned_is_one_more_invited(
    coordinator: InspectingClient, town: Town, db: Database
) -> None:
    meeting = town.meeting()
    path = f"/staff/meetings/{meeting.id}/links"
    for _tap in range(2):
        coordinator.submit(path, **{"for": "child:child"})
    assert only(db, "select places from invited where role = 'child'") == {"places": 2}
    assert len(codes(coordinator.get(path).text)) == 2
    assert "0 av 10 har svarat" in coordinator.get(f"/staff/meetings/{meeting.id}").text


@pytest.mark.parametrize("kind", ["", "leader:adult", "family", "x", "\0", "family:child", "child:adult", "child:zq"])
def test_a_link_for_nobody_is_not_made(coordinator: InspectingClient, town: Town, db: Database, kind: str) -> None:
    meeting = town.meeting()
    path = f"/staff/meetings/{meeting.id}/links"
    before = contents(db)
    reply = coordinator.submit(path, **{"for": kind})
    if kind == "family":  # the usual questionnaire of the role
        assert reply.status_code == 303
        return
    assert contents(db) == before
    assert reply.status_code in (303, 400)
    if reply.status_code == 303:
        assert "Det formuläret passar inte den gruppen." in coordinator.get(path).text


def on_her_own_phone(house: House, town: Town) -> InspectingClient:
    """A coordinator where no service is set up that sends."""
    bare = replace(
        house, settings=replace(house.settings, sms_url=None, sms_sender=None, smtp_url=None, mail_from=None)
    )
    app = create_app(bare.settings, bare)
    app.test_client_class = InspectingClient
    return signed_in(app, town, town.add_staff("sara@mitthem.example", town.north, StaffRole.COORDINATOR))


def test_the_messages_that_are_ready_to_send_say_nothing_of_why(house: House, town: Town) -> None:
    coordinator = on_her_own_phone(house, town)
    meeting = town.meeting(assignment=town.assignment("M-114"))
    for role in Role:
        link = town.personal(meeting, role)
        for language in ("sv", "en"):
            page = coordinator.get(f"/staff/meetings/{meeting.id}/links?lang={language}").text
            hrefs = [a["href"] for a in Page(page).all("a")]
            (sms,) = [href for href in hrefs if href.startswith("sms:") and link.key in href]
            (mail,) = [href for href in hrefs if href.startswith("mailto:") and link.key in href]
            texts = [unquote(sms.partition("body=")[2])]
            parts = parse_qs(urlsplit(mail).query, strict_parsing=True)
            texts += [parts["subject"][0], parts["body"][0]]
            assert urlsplit(mail).path == ""
            assert sms.startswith("sms:?&body=")
            assert texts[0] == texts[2]
            assert texts[0].endswith(f"{HOST}/{link.key}")
            assert len(texts[0]) <= 160
            for text in texts:
                without_key = text.replace(link.key, "").lower()
                for word in _TELLING:
                    assert word not in without_key, (word, text)


_TELLING = [
    "social", "barn", "child", "kid", "familj", "family", "ärende", "case", "uppdrag", "möte", "meeting", "nätverk",
    "network", "kommun", "m-114", "mitthem", "norr", "enkät", "survey", "utredning", "skydd",
]  # fmt: skip


def test_a_protected_assignment_has_nothing_to_send(coordinator: InspectingClient, town: Town) -> None:
    meeting = town.meeting(assignment=town.assignment("M-1", protected=True))
    link = town.personal(meeting, Role.FAMILY)
    for path in ("", "/links", "/slips", "/room/family", "/places", "/close"):
        page = coordinator.get(f"/staff/meetings/{meeting.id}{path}").text
        assert "sms:" not in page
        assert "mailto:" not in page
    page = coordinator.get(f"/staff/meetings/{meeting.id}/links").text
    assert "skyddsbehov" in page
    assert codes(page) == [link.key]
    assert qr(link.key) in page


def test_a_replaced_link_leads_to_the_same_place_by_another_key(
    coordinator: InspectingClient, participant: InspectingClient, town: Town, db: Database
) -> None:
    meeting = town.meeting()
    old = town.personal(meeting, Role.CHILD, "child_small")
    path = f"/staff/meetings/{meeting.id}/links"
    places = contents(db)["invitation"]
    reply = coordinator.press(path, f"{path}/{old.id}/replace")
    assert reply.status_code == 303
    (new,) = [one for one in inviting.links(db, town.house.keys, meeting.id) if not one.is_room]
    assert reply.headers["Location"].endswith(f"#link-{new.id}")
    assert contents(db)["invitation"] == places
    assert (new.role, new.questionnaire) == (Role.CHILD, "child_small")
    assert participant.get(f"/{old.key}").status_code == 410
    assert participant.submit(f"/{new.key}", know="3").status_code == 200
    assert coordinator.press(path, f"{path}/{old.id}/replace").status_code == 404


def test_revoking_a_link_tells_nothing_of_its_use(
    coordinator: InspectingClient, participant: InspectingClient, town: Town, db: Database
) -> None:
    """A used and an unused link are revoked with the same words, and the number of people stays."""
    pages = []
    for is_used in (True, False):
        meeting = town.meeting(assignment=town.assignment(f"M-{is_used:d}"))
        used, unused = town.personal(meeting, Role.FAMILY), town.personal(meeting, Role.FAMILY)
        assert participant.submit(f"/{used.key}", prep="3").status_code == 200
        link = used if is_used else unused
        path = f"/staff/meetings/{meeting.id}"
        assert coordinator.press(f"{path}/links", f"{path}/links/{link.id}/revoke").status_code == 303
        pages.append([plain(coordinator.get(f"{path}{more}").text) for more in ("/links", "", "/slips", "/places")])
        assert participant.get(f"/{link.key}").status_code == 410
        assert "1 av 9 har svarat" in coordinator.get(path).text
        assert coordinator.press(f"{path}/links", f"{path}/links/{link.id}/revoke").status_code == 404
    assert pages[0] == pages[1]
    assert only(db, "select count(*) as n from ballot") == {"n": 2}


def test_a_rooms_link_cannot_be_revoked(coordinator: InspectingClient, town: Town, db: Database) -> None:
    meeting = town.meeting()
    room = town.rooms(meeting)[Role.FAMILY]
    before = contents(db)
    path = f"/staff/meetings/{meeting.id}/links"
    assert coordinator.press(path, f"{path}/{room.id}/revoke").status_code == 303
    assert "kan bytas ut men inte återkallas" in coordinator.get(path).text
    assert contents(db) == before


# Slips, places


def test_there_is_a_slip_for_each_person_planned(coordinator: InspectingClient, town: Town) -> None:
    meeting = town.meeting()
    rooms = town.rooms(meeting)
    page = coordinator.get(f"/staff/meetings/{meeting.id}/slips").text
    assert sorted(codes(page)) == sorted(rooms[role].key for role, number in NINE.items() for _ in range(number))
    for role, number in NINE.items():
        assert page.count(qr(rooms[role].key)) == number
    slips = page.split('<div class="slip">')[1:]
    assert len(slips) == 9
    for slip in slips:
        text = said(slip)
        assert ("Hur var det för dig?" in text) is ("Barn" in text)
        assert "Öppen till 4 december" in text
        for secret in ("M-114", "Norr", "Mitthem", "social"):
            assert secret not in text


def test_the_number_invited_can_be_changed_while_the_meeting_is_open(
    coordinator: InspectingClient, participant: InspectingClient, town: Town, db: Database
) -> None:
    meeting = town.meeting()
    path = f"/staff/meetings/{meeting.id}/places"
    shown = {a["name"]: a["value"] for a in Page(coordinator.get(path).text).all("input") if a.get("type") == "number"}
    assert shown == {"family": "3", "kin": "2", "child": "1", "professional": "3"}
    reply = coordinator.submit(path, family="4", kin="0", child="1", professional="3")
    assert reply.status_code == 303
    invited = {row["role"]: row["places"] for row in db.query("select role, places from invited")}
    assert invited == {"family": 4, "kin": 0, "child": 1, "professional": 3}
    page = coordinator.get(f"/staff/meetings/{meeting.id}").text
    assert "0 av 8 har svarat" in page
    assert len(codes(coordinator.get(f"/staff/meetings/{meeting.id}/slips").text)) == 8
    assert {a["aria-label"] for a in Page(page).all("input") if a.get("name") == "tab"} == {
        ROLES[role] for role in (Role.FAMILY, Role.CHILD, Role.PROFESSIONAL)
    }
    family = town.rooms(meeting)[Role.FAMILY].key
    assert [participant.submit(f"/{family}", prep="3").status_code for _ in range(5)] == [200] * 4 + [409]


def test_numbers_that_are_refused_change_none_of_them(coordinator: InspectingClient, town: Town, db: Database) -> None:
    """Not even those that stand before the refused one: a form is taken whole or not at all."""
    for change in [
        {"professional": "0"},
        {"professional": "51"},
        {"professional": "-1"},
        {"professional": "x"},
        {"professional": "9" * 5000},
        {"kin": "٢"},
    ]:
        with case(change):
            meeting = town.meeting()
            town.personal(meeting, Role.PROFESSIONAL)
            before = contents(db)
            path = f"/staff/meetings/{meeting.id}/places"
            reply = coordinator.submit(
                path, **({"family": "7", "kin": "5", "child": "2", "professional": "3"} | change)
            )
            assert reply.status_code == 400
            assert contents(db) == before
            assert "Exceeds" not in reply.text
            kept = {a["name"]: a.get("value") for a in Page(reply.text).all("input") if a.get("type") == "number"}
            assert kept["family"] == "7"


# Closing and counting


def answer(client: InspectingClient, town: Town, meeting: Meeting, *roles: Role) -> None:
    """An answer by the room's link for each role named."""
    for role in roles:
        item = town.house.catalogue.default(role).items[0].id
        assert client.submit(f"/{town.rooms(meeting)[role].key}", **{item: "3"}).status_code == 200


def test_closing_is_asked_about_first_and_then_done_for_good(
    coordinator: InspectingClient, participant: InspectingClient, town: Town, db: Database
) -> None:
    meeting = town.meeting()
    answer(participant, town, meeting, Role.FAMILY, Role.CHILD)
    keys = [link.key for link in town.rooms(meeting).values()]
    path = f"/staff/meetings/{meeting.id}"
    before = contents(db)
    asked = coordinator.get(f"{path}/close")
    assert "Det går inte att ångra." in asked.text
    assert contents(db) == before
    reply = coordinator.press(f"{path}/close", f"{path}/close")
    assert reply.headers["Location"] == path
    after = contents(db)
    assert [len(after[name]) for name in ("invitation", "link", "ballot", "response")] == [0, 0, 0, 2]
    assert not (town.house.settings.keys / "meetings" / meeting.id).exists()
    page = coordinator.get(path).text
    assert "2 svar räknade, av 9 bjudna." in said(page)
    assert codes(page) == []
    assert "<svg" not in page
    assert [participant.get(f"/{key}").status_code for key in keys] == [404] * 4
    # Again, and everything else that one could still press in another window.
    assert coordinator.get(f"{path}/close").headers["Location"] == path
    assert coordinator.press("/staff/account", f"{path}/close").status_code == 303
    assert coordinator.press("/staff/account", f"{path}/links", **{"for": "family:adult"}).status_code == 303
    assert coordinator.get(f"{path}/places").status_code == 404
    assert coordinator.press("/staff/account", f"{path}/places", family="5").status_code == 404
    for gone in ("links/0/replace", "links/0/revoke", "room/0/replace"):
        assert coordinator.press("/staff/account", f"{path}/{gone}").status_code in (303, 404)
    assert coordinator.get(f"{path}/room/family").status_code == 404
    for shown in ("/links", "/slips", "/progress"):
        reply = coordinator.get(f"{path}{shown}")
        assert reply.status_code == 200
        assert codes(reply.text) == []
    assert contents(db) == after


def test_a_meeting_with_no_answers_is_counted_as_none(coordinator: InspectingClient, town: Town, db: Database) -> None:
    meeting = town.meeting()
    path = f"/staff/meetings/{meeting.id}"
    coordinator.press(f"{path}/close", f"{path}/close")
    assert "0 svar räknade, av 9 bjudna." in said(coordinator.get(path).text)
    assert "1 möte" not in said(coordinator.get("/staff").text)
    assert only(db, "select state from meeting") == {"state": "counted"}


def test_a_meeting_whose_last_day_has_passed_shows_no_codes_any_more(town: Town, db: Database) -> None:
    meeting = town.meeting()
    address = town.add_staff("karin@mitthem.example", town.north, StaffRole.COORDINATOR)
    house = town.at(TODAY + timedelta(days=15))
    app = create_app(house.settings, house)
    app.test_client_class = InspectingClient
    late = signed_in(app, town, address)
    path = f"/staff/meetings/{meeting.id}"
    page = late.get(path).text
    assert codes(page) == []
    assert qr(town.rooms(meeting)[Role.FAMILY].key) not in page
    assert "Svaren räknas inom kort" in page
    links = late.get(f"{path}/links").text
    assert [a for a in Page(links).all("button") if a.get("name") == "for"] == []
    assert codes(links) == []
    assert late.press(f"{path}/close", f"{path}/close").status_code == 303
    assert only(db, "select state, closes from meeting") == {"state": "counted", "closes": "2026-12-04"}


# Never who, nor in what capacity


def plain(page: str) -> str:
    """A page without what is random in it: ids, keys, codes, tokens, and the meeting's reference."""
    page = re.sub(r'<svg[^>]*class="qr".*?</svg>', "QR", page, flags=re.DOTALL)
    page = re.sub(r'name="csrf_token" type="hidden" value="[^"]*"', "TOKEN", page)
    page = re.sub(r"\bM-\w+", "REFERENCE", page)
    page = re.sub(r"\b[0-9a-f]{16}\b", "ID", page)
    return re.sub(r"\b[0-9A-HJKMNP-TV-Z]{5}( ?)[0-9A-HJKMNP-TV-Z]{5}\b", r"KEY", page)


def everything(client: InspectingClient, meeting: Meeting) -> dict[str, str]:
    """Every page that a coordinator can see of a meeting."""
    path = f"/staff/meetings/{meeting.id}"
    more = ["", "/progress", "/links", "/slips", "/places", "/close", *(f"/room/{role}" for role in Role)]
    pages = {name: client.get(f"{path}{name}") for name in more}
    start = client.get("/staff").text
    (row,) = re.findall(rf'<li><a href="{path}">.*?</a></li>', start, re.DOTALL)
    replies = {name: f"{reply.status_code} {reply.text}" for name, reply in pages.items()} | {"start": row}
    return {name: plain(text) for name, text in replies.items()}


Story = Callable[[InspectingClient, Town, Meeting], None]


def _answered(*roles: Role) -> Story:
    return lambda client, town, meeting: answer(client, town, meeting, *roles)


def _personal_first(role: Role, *roles: Role) -> Story:
    """A link for somebody, then answers by room, then the link's."""

    def happen(client: InspectingClient, town: Town, meeting: Meeting) -> None:
        link = town.personal(meeting, Role.FAMILY)
        answer(client, town, meeting, *roles)
        if role is Role.FAMILY:
            assert client.submit(f"/{link.key}", prep="3").status_code == 200
        else:
            answer(client, town, meeting, role)

    return happen


def _personal_last(*roles: Role) -> Story:
    """Answers by room, then a link for somebody of the family, who answers."""

    def happen(client: InspectingClient, town: Town, meeting: Meeting) -> None:
        answer(client, town, meeting, *roles)
        link = town.personal(meeting, Role.FAMILY)
        assert client.submit(f"/{link.key}", prep="3").status_code == 200

    return happen


def _revoked(*roles: Role) -> Story:
    """Answers by room, a link that is taken back unused, and one that is replaced."""

    def happen(client: InspectingClient, town: Town, meeting: Meeting) -> None:
        answer(client, town, meeting, *roles)
        link, other = town.personal(meeting, Role.KIN), town.personal(meeting, Role.FAMILY)
        inviting.revoke_link(town.db, meeting.id, link.id)
        inviting.replace_link(town.db, town.house.keys, meeting.id, other.id)

    return happen


F, K, C, P = Role.FAMILY, Role.KIN, Role.CHILD, Role.PROFESSIONAL

PAIRS: dict[str, tuple[dict[Role, int], Story, Story]] = {
    "other roles": (NINE, _answered(F, F), _answered(C, P)),
    "a whole role, or some of each": (NINE, _answered(F, F, F), _answered(F, K, P)),
    "all the professionals, or all the family": (NINE, _answered(P, P, P), _answered(F, F, F)),
    "by a link, or by the room": (NINE, _personal_first(F, K), _personal_first(P, K)),
    "a link made when its role had answered, or not": (NINE, _personal_last(F, F, F), _personal_last(P, P, P)),
    "a link made when its only place was used, or not": ({F: 1, P: 1}, _personal_last(F), _personal_last(P)),
    "links taken back and replaced": ({F: 2, K: 1, P: 2}, _revoked(F, K), _revoked(P, P)),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_nothing_that_a_coordinator_sees_depends_on_which_role_has_answered(
    coordinator: InspectingClient, participant: InspectingClient, town: Town, pair: str
) -> None:
    """Two meetings with as many answers look alike on every page: open, and when they are counted."""
    places, *stories = PAIRS[pair]
    meetings = [town.meeting(places, town.assignment(f"M-{number}")) for number in (1, 2)]
    for meeting, story in zip(meetings, stories, strict=True):
        story(participant, town, meeting)
    first, second = (everything(coordinator, meeting) for meeting in meetings)
    assert first == second
    assert "KEY" in first[""]
    assert "QR" in first["/room/family"]
    for meeting in meetings:
        counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
    first, second = (everything(coordinator, meeting) for meeting in meetings)
    assert first == second


@pytest.mark.parametrize("places", ["family=0", "family=1", "professional=1"])
def test_changing_the_numbers_tells_nothing_of_who_has_answered(
    coordinator: InspectingClient, participant: InspectingClient, town: Town, places: str
) -> None:
    name, _sep, number = places.partition("=")
    plan = {"family": "3", "kin": "2", "child": "1", "professional": "3"} | {name: number}
    pages = []
    for reference, roles in (("M-1", (F, F, F)), ("M-2", (P, P, P))):
        meeting = town.meeting(assignment=town.assignment(reference))
        answer(participant, town, meeting, *roles)
        path = f"/staff/meetings/{meeting.id}/places"
        assert coordinator.submit(path, **plan).status_code == 303
        pages.append(everything(coordinator, meeting))
    assert pages[0] == pages[1]


def test_no_page_of_a_meeting_says_what_was_answered(
    coordinator: InspectingClient, participant: InspectingClient, town: Town
) -> None:
    meeting = town.meeting()
    key = town.rooms(meeting)[Role.FAMILY].key
    assert participant.submit(f"/{key}", prep="1", words="Ordet kantarell").status_code == 200
    for is_counted in (False, True):
        if is_counted:
            counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
        for name, page in everything(coordinator, meeting).items():
            assert "kantarell" not in page, name


def test_a_meeting_made_in_advance_closes_two_weeks_after_it_is_held(
    coordinator: InspectingClient, db: Database
) -> None:
    held = date(2026, 12, 10)
    fields = MEETING | {"held": held.isoformat(), "closes": ""}
    assert coordinator.submit(NEW, **fields).status_code == 303
    assert only(db, "select closes from meeting") == {"closes": "2026-12-24"}


def test_the_codes_lead_where_the_installation_says_and_not_where_the_request_came_to(
    coordinator: InspectingClient, town: Town
) -> None:
    """Somebody who meddles with the host of a request cannot send a whole room elsewhere."""
    meeting = town.meeting()
    page = coordinator.get(f"/staff/meetings/{meeting.id}", headers={"X-Forwarded-Host": "evil.example"})
    assert "evil.example" not in page.text
    assert qr(town.rooms(meeting)[Role.FAMILY].key) in page.text
    assert replace(town.house.settings).base_url == HOST
