"""What a coordinator meets who sends links: one, a whole list, the reminder; what a service may say; and what none of
that tells."""

import html
import re
from dataclasses import replace
from io import BytesIO

import pytest
from flask import Flask
from sqlite_utils import Database

from enkat import counting, inviting
from enkat.app import create_app
from enkat.house import House
from enkat.inviting import outbox
from enkat.inviting.letters import Desk
from enkat.inviting.outbox import Recipient
from enkat.model.errors import Refused
from enkat.model.meeting import Channel, Meeting, OpenedLink
from enkat.model.message import MessageState, Purpose, Reason
from enkat.model.staff import StaffRole
from enkat.model.survey import Role
from enkat.secrecy import letters, tokens
from enkat.storage import messages
from enkat.storage.engine import Row, number, rows, write
from enkat.storage.messages import ChannelHealth, stamp
from enkat.wording import MENDS, REFUSALS
from tests.conftest import TODAY, Town, signed_in
from tests.inspection import InspectingClient, Page
from tests.posting import ADA, KIM, NOON
from tests.web.hostile import contents


@pytest.fixture
def meeting(town: Town) -> Meeting:
    return town.meeting(assignment=town.assignment("M-114"))


def page_of(meeting: Meeting, page: str = "links") -> str:
    return f"/staff/meetings/{meeting.id}/{page}"


def waiting(town: Town) -> list[Row]:
    return rows(town.db, "select id, state, reason, purpose from message order by id")


def send(client: InspectingClient, meeting: Meeting, link: OpenedLink, address: str, language: str = "sv") -> int:
    """Type an address at a link, and press the button."""
    return client.press(
        page_of(meeting), page_of(meeting, f"links/{link.id}/send"), address=address, language=language
    ).status_code


def end(town: Town, state: MessageState, reason: Reason | None = None) -> None:
    """What the background work would make of all that waits."""
    for row in waiting(town):
        with write(town.db):
            messages.end(town.db, row["id"], state, reason)


# One link


def test_a_link_is_sent_to_a_number_and_only_enough_of_it_is_shown(
    coordinator: InspectingClient, town: Town, meeting: Meeting
) -> None:
    link = town.personal(meeting, Role.KIN)
    assert send(coordinator, meeting, link, "070-174 06 05", "ar") == 303
    (message,) = messages.of_meeting(town.db, meeting.id)
    letter = letters.unseal(town.house.keys.instance, message.sealed or b"", message.id)
    assert (letter.to, letter.language) == (KIM, "ar")
    assert letter.text.endswith(f"http://127.0.0.1:8000/{link.key}?lang=ar")
    page = coordinator.get(page_of(meeting)).text
    assert "+46 ··· 605" in page
    assert "Väntar på att skickas" in page
    assert KIM not in page
    assert "174" not in re.sub(r"value=\"[^\"]*\"|<svg.*?</svg>", "", page, flags=re.DOTALL)


def test_an_address_that_is_none_is_told_where_it_was_typed_and_kept_there(
    coordinator: InspectingClient, town: Town, meeting: Meeting, db: Database
) -> None:
    link, other = town.personal(meeting, Role.KIN), town.personal(meeting, Role.FAMILY)
    before = contents(db)
    for typed, reason in [("070", "contact_phone"), ("08-123 45 67", "contact_landline"), ("kim@", "contact_email")]:
        reply = coordinator.press(
            page_of(meeting), page_of(meeting, f"links/{link.id}/send"), address=typed, language="sv"
        )
        assert reply.status_code == 400
        assert REFUSALS[reason] in reply.text
        fields = {a["id"]: a for a in Page(reply.text).all("input") if a.get("name") == "address"}
        assert fields[f"to-{link.id}"]["value"] == typed
        assert fields[f"to-{link.id}"]["aria-invalid"] == "true"
        assert fields[f"to-{other.id}"]["value"] == ""
    assert contents(db) == before


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        (MessageState.SENT, None, "Skickat"),
        (MessageState.DELIVERED, None, "Skickat"),
        (MessageState.EXPIRED, None, "Hann inte skickas"),
        *[(MessageState.FAILED, reason, mend) for reason, mend in MENDS.items()],
    ],
)
def test_what_became_of_a_link_is_said_with_the_mend(
    coordinator: InspectingClient,
    town: Town,
    meeting: Meeting,
    state: MessageState,
    reason: Reason | None,
    words: str,
) -> None:
    link = town.personal(meeting, Role.KIN)
    send(coordinator, meeting, link, KIM)
    end(town, state, reason)
    page = coordinator.get(page_of(meeting)).text
    assert words in page
    assert ("Gick inte att skicka" in page) is (state is MessageState.FAILED)
    assert "Skicka igen" in page


def test_a_link_that_was_refused_for_now_is_said_to_be_tried_again(
    coordinator: InspectingClient, town: Town, meeting: Meeting
) -> None:
    link = town.personal(meeting, Role.KIN)
    send(coordinator, meeting, link, KIM)
    (message,) = messages.of_meeting(town.db, meeting.id)
    with write(town.db):
        messages.postpone(town.db, message.id, message.due, 1, 0, Reason.BUSY)
    page = coordinator.get(page_of(meeting)).text
    assert "Försöker igen" in page
    assert "Skicka igen" not in page


def test_a_replaced_link_says_that_its_new_one_has_not_gone_out(
    coordinator: InspectingClient, town: Town, meeting: Meeting
) -> None:
    link = town.personal(meeting, Role.KIN)
    send(coordinator, meeting, link, KIM)
    end(town, MessageState.SENT)
    coordinator.press(page_of(meeting), page_of(meeting, f"links/{link.id}/replace"))
    assert "Den nya länken är inte skickad" in coordinator.get(page_of(meeting)).text
    (new,) = [one for one in inviting.links(town.db, town.house.keys, meeting.id) if not one.is_room]
    coordinator.press(page_of(meeting), page_of(meeting, f"links/{new.id}/again"))
    (message,) = messages.of_meeting(town.db, meeting.id)
    assert new.key in letters.unseal(town.house.keys.instance, message.sealed or b"", message.id).text


def test_a_protected_assignment_has_nothing_to_type_an_address_into(
    coordinator: InspectingClient, town: Town, db: Database
) -> None:
    shielded = town.meeting(assignment=town.assignment("M-7", protected=True))
    link = town.personal(shielded, Role.KIN)
    page = coordinator.get(page_of(shielded)).text
    assert "Skicka länk" not in page
    assert "Påminnelse" not in page
    before = contents(db)
    assert send(coordinator, shielded, link, KIM) == 400
    listed = coordinator.submit(page_of(shielded, "send"), addresses=KIM, group="kin:adult", language="sv", step="send")
    assert listed.status_code == 400
    for reply in (listed,):
        assert REFUSALS["protected_contact"] in reply.text
    assert contents(db) == before
    assert "SMS" not in coordinator.get(page_of(shielded, "announcement")).text


def test_without_a_service_nothing_asks_for_a_number(house: House, town: Town, meeting: Meeting) -> None:
    alone = replace(house.settings, sms_url=None, sms_sender=None, smtp_url=None, mail_from=None)
    app = create_app(alone, replace(house, settings=alone))
    app.test_client_class = InspectingClient
    sara = signed_in(app, town, town.add_staff("sara@mitthem.example", town.north, StaffRole.COORDINATOR))
    link = town.personal(meeting, Role.KIN)
    page = sara.get(page_of(meeting)).text
    assert "Mobilnummer" not in page
    assert "Påminnelse" not in page
    assert 'href="sms:?&amp;body=' in page
    assert send(sara, meeting, link, KIM) == 400
    assert number(town.db, "select count(*) from contact") == 0
    assert "SMS" not in sara.get(page_of(meeting, "announcement")).text


# A list

PEOPLE = "0701740605; Familj\n0701740606\tBarn\tArabiska\nkim@example.se, Professionella\n0701740607\n"


def written(page: str) -> str:
    """What stands in the list's field."""
    found = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
    assert found
    return html.unescape(found[1])


def test_a_list_is_shown_row_by_row_with_what_they_will_get_before_anything_is_sent(
    coordinator: InspectingClient, town: Town, meeting: Meeting, db: Database
) -> None:
    before = contents(db)
    reply = coordinator.submit(
        page_of(meeting, "send"), addresses=PEOPLE, group="kin:adult", language="sv", step="preview"
    )
    assert reply.status_code == 200
    for shown in (KIM, ADA, "kim@example.se", "+46701740607", "Skicka 4 länkar", "1 SMS"):
        assert shown in reply.text
    assert contents(db) == before
    assert written(reply.text).split() == PEOPLE.split()
    values = Page(reply.text).form_values() | {"addresses": PEOPLE, "group": "kin:adult", "language": "sv"}
    sent = coordinator.post(page_of(meeting, "send"), data=values | {"step": "send"})
    assert sent.status_code == 303
    found = messages.of_meeting(town.db, meeting.id)
    whole = [letters.unseal(town.house.keys.instance, one.sealed or b"", one.id) for one in found]
    assert {(one.to, one.language) for one in whole} == {
        *[(KIM, "sv"), (ADA, "ar"), ("kim@example.se", "sv"), ("+46701740607", "sv")],
    }
    groups = [link.role for link in inviting.links(db, town.house.keys, meeting.id) if not link.is_room]
    assert sorted(groups) == sorted([Role.FAMILY, Role.CHILD, Role.PROFESSIONAL, Role.KIN])
    assert "4 länkar skickas" in coordinator.get(page_of(meeting)).text


def test_each_bad_row_of_a_list_is_named_and_nothing_is_half_imported(
    coordinator: InspectingClient, meeting: Meeting, db: Database
) -> None:
    before = contents(db)
    for step in ("preview", "send"):
        listed = f"{PEOPLE}070\n0701740605\nAnna Svensson\n0701740608; Grannar\n<script>alert(1)</script>\n"
        reply = coordinator.submit(
            page_of(meeting, "send"), addresses=listed, group="kin:adult", language="sv", step=step
        )
        assert reply.status_code == 400
        for row in (5, 6, 7, 8, 9):
            assert f'<a href="#row-{row}">Rad {row}</a>' in reply.text
            assert f'<tr id="row-{row}" class="bad">' in reply.text
        assert "Inget är skickat" in reply.text
        assert "<script>alert" not in reply.text
        assert written(reply.text).split() == listed.split()
    assert contents(db) == before


def test_a_list_may_call_groups_and_languages_by_their_usual_names(
    coordinator: InspectingClient, meeting: Meeting
) -> None:
    rows = [
        ("0701740601; släkt; dari", "Anhöriga och vänner", "dari"),
        ("0701740602; Små barn; kurdiska", "Små barn, tre ansikten", "sorani"),
        ("0701740603; Barn, fem ansikten; tigrinya", "Barn, fem ansikten", "tigrin"),
        ("0701740604; personal; somali", "Professionella", "somal"),
    ]
    page = coordinator.submit(
        page_of(meeting, "send"),
        addresses="\n".join(row for row, _group, _language in rows),
        group="family:adult",
        language="sv",
        step="preview",
    )
    assert page.status_code == 200, page.text
    shown = re.findall(r"<td><bdi dir=.ltr.>[^<]*</bdi></td><td>([^<]*)</td><td>([^<]*)</td>", page.text)
    assert len(shown) == 4
    for (group, language), (_row, wanted, tongue) in zip(shown, rows, strict=True):
        assert group == wanted
        assert tongue in language


def test_who_takes_all_places_for_links_is_told_that_the_code_in_the_room_will_lead_nowhere(
    coordinator: InspectingClient, meeting: Meeting
) -> None:
    """Else somebody fills in a paper, or nine screens, for nothing."""
    told = "Ingen plats blir kvar för koden i rummet"
    two, one = "0701740601\n0701740602", "0701740601"
    values = {"group": "kin:adult", "language": "sv", "step": "preview"}
    assert told in coordinator.submit(page_of(meeting, "send"), addresses=two, **values).text
    assert told not in coordinator.submit(page_of(meeting, "send"), addresses=one, **values).text
    papers = [coordinator.get(page_of(meeting, page)).text for page in ("paper", "slips")]
    assert not [page for page in papers if "Alla platser har egna länkar" in page]
    seen = coordinator.submit(page_of(meeting, "send"), addresses=two, **values)
    sent = Page(seen.text).form_values() | values | {"addresses": two, "step": "send"}
    assert coordinator.post(page_of(meeting, "send"), data=sent).status_code == 303
    for page in ("paper", "slips"):
        assert "Alla platser har egna länkar: Anhöriga och vänner." in coordinator.get(page_of(meeting, page)).text


def test_a_list_that_two_workers_get_at_once_is_sent_once(
    house: House, town: Town, meeting: Meeting, db: Database
) -> None:
    """A nervous thumb: both have judged it before either has sent it."""
    desk = Desk.of(house.settings, house.languages, "http://127.0.0.1:8000")
    people = [Recipient(Role.KIN, Channel.SMS, KIM, "sv")]
    outbox.send_new_links(db, house.keys, house.catalogue, desk, meeting.id, people)
    before = contents(db)
    with pytest.raises(Refused) as refusal:
        outbox.send_new_links(db, house.keys, house.catalogue, desk, meeting.id, people)
    assert refusal.value.reason == "list_known"
    assert contents(db) == before


def test_a_corrected_address_keeps_the_language_that_was_chosen_for_its_link(
    coordinator: InspectingClient, town: Town, meeting: Meeting
) -> None:
    link = town.personal(meeting, Role.KIN)
    send(coordinator, meeting, link, KIM, "ar")
    page = coordinator.get(page_of(meeting)).text
    assert '<option value="ar" selected>Arabiska – العربية</option>' in page


def test_a_list_that_was_changed_since_it_was_shown_is_shown_again(
    coordinator: InspectingClient, town: Town, meeting: Meeting, db: Database
) -> None:
    page = coordinator.submit(page_of(meeting, "send"), addresses=KIM, group="kin:adult", language="sv", step="preview")
    values = Page(page.text).form_values() | {"addresses": KIM, "group": "kin:adult", "language": "sv"}
    for changed in ({"addresses": ADA}, {"language": "ar"}, {"group": "child:child"}, {"seen": ""}):
        reply = coordinator.post(page_of(meeting, "send"), data=values | {"step": "send"} | changed)
        assert reply.status_code == 200
        assert number(db, "select count(*) from message") == 0
    assert coordinator.post(page_of(meeting, "send"), data=values | {"step": "send"}).status_code == 303
    again = coordinator.post(page_of(meeting, "send"), data=values | {"step": "send"})
    assert again.status_code == 400, "sent twice by a nervous thumb, it is sent once"
    assert REFUSALS["list_known"] in again.text
    assert number(db, "select count(*) from message") == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_list_can_come_from_a_file(coordinator: InspectingClient, meeting: Meeting, encoding: str) -> None:
    page = coordinator.get(page_of(meeting, "send"))
    file = (BytesIO("Telefon;Grupp;Språk\r\n0701740605;Anhöriga och vänner;Tigrinja\r\n".encode(encoding)), "lista.csv")
    values = Page(page.text).form_values() | {"group": "family:adult", "language": "sv", "step": "preview"}
    reply = coordinator.post(page_of(meeting, "send"), data=values | {"file": file})
    assert reply.status_code == 200, reply.text
    assert KIM in reply.text
    assert "<td>Anhöriga och vänner</td>" in reply.text
    assert "Skicka 1 länk<" in reply.text


def test_a_file_that_is_no_text_is_refused_in_words(coordinator: InspectingClient, meeting: Meeting) -> None:
    page = coordinator.get(page_of(meeting, "send"))
    values = Page(page.text).form_values() | {"group": "family:adult", "language": "sv", "step": "preview"}
    reply = coordinator.post(
        page_of(meeting, "send"), data=values | {"file": (BytesIO(bytes(range(256)) * 20), "photo.jpg")}
    )
    assert reply.status_code == 400
    assert REFUSALS["list_no_text"] in reply.text


# The reminder


def test_the_reminder_says_on_which_day_it_goes_out_and_never_to_whom(
    coordinator: InspectingClient, town: Town, meeting: Meeting
) -> None:
    link = town.personal(meeting, Role.KIN)
    assert "får en påminnelse 3 dagar efter länken" in coordinator.get(page_of(meeting)).text
    send(coordinator, meeting, link, KIM)
    with write(town.db):
        town.db.execute("update contact set remind_on = '2026-11-26'")
    page = coordinator.get(page_of(meeting)).text
    assert "En påminnelse går ut torsdag 26 november till den som inte har svarat då." in page
    coordinator.press(page_of(meeting), page_of(meeting, "reminder"), on="0")
    page = coordinator.get(page_of(meeting)).text
    assert "Ingen påminnelse går ut." in page
    coordinator.press(page_of(meeting), page_of(meeting, "reminder"), on="1")
    assert "torsdag 26 november" in coordinator.get(page_of(meeting)).text
    with write(town.db):
        town.db.execute("update contact set reminded = 1")
    page = coordinator.get(page_of(meeting)).text
    assert "Tiden för påminnelsen är över." in page


def test_of_a_reminder_nothing_is_ever_shown(coordinator: InspectingClient, town: Town, meeting: Meeting) -> None:
    """That one was made would tell that somebody has not answered; that it failed, too."""
    link = town.personal(meeting, Role.KIN)
    send(coordinator, meeting, link, KIM)
    end(town, MessageState.SENT)
    coordinator.get(page_of(meeting))  # what was said of the sending is said once
    before = plain(coordinator.get(page_of(meeting)).text)
    (first,) = messages.of_meeting(town.db, meeting.id)
    for state, reason in [
        *((state, None) for state in MessageState if state != "failed"),
        *(("failed", r) for r in Reason),
    ]:
        with write(town.db):
            messages.put(
                town.db,
                replace(first, id="f" * 32, purpose=Purpose.REMINDER, state=MessageState.WAITING, sealed=b"x"),
            )
            sealed = b"x" if state in ("waiting", "sending") else None
            town.db.execute(
                "update message set state = ?, reason = ?, sealed = ?, claim = ? where purpose = 'reminder'",
                [state, reason, sealed, "c" * 16 if state == "sending" else None],
            )
        assert plain(coordinator.get(page_of(meeting)).text) == before, (state, reason)


def plain(page: str) -> str:
    return re.sub(r'name="csrf_token" type="hidden" value="[^"]*"', "TOKEN", page)


def test_a_page_of_links_is_the_same_whoever_has_answered(
    coordinator: InspectingClient, app: Flask, town: Town, meeting: Meeting
) -> None:
    """All that sending stores is made alike; the page that shows it reads nothing else."""
    link = town.personal(meeting, Role.KIN)
    send(coordinator, meeting, link, KIM)
    end(town, MessageState.SENT)
    coordinator.get(page_of(meeting))  # what was said of the sending is said once
    before = plain(coordinator.get(page_of(meeting)).text)
    phone = app.test_client(use_cookies=False)
    form = phone.get(f"/{link.key}").text
    assert phone.post(f"/{link.key}", data=Page(form).form_values() | {"safe": "4"}).status_code == 200
    assert plain(coordinator.get(page_of(meeting)).text) == before


# What the services say


def test_a_broken_service_is_said_to_those_who_send_and_to_the_administrator_with_the_mend(
    coordinator: InspectingClient, administrator: InspectingClient, town: Town, meeting: Meeting
) -> None:
    good = administrator.get("/staff/people/sending").text
    assert "Tjänsten är inte provad än." in good
    with write(town.db):
        messages.put_health(town.db, ChannelHealth(Channel.SMS, Reason.CREDENTIALS, stamp(NOON)))
        messages.put_health(town.db, ChannelHealth(Channel.EMAIL, None, stamp(NOON)))
    page = administrator.get("/staff/people/sending").text
    assert "Tjänsten godtar inte användarnamnet eller lösenordet." in page
    assert "Tjänsten fungerar." in page
    assert "20 november 12:00" in page
    assert "SMS går inte att skicka just nu." in coordinator.get(page_of(meeting)).text
    assert "E-post går inte" not in coordinator.get(page_of(meeting)).text


def report(app: Flask, path: str, body: str = "id=s1&status=failed", **more: str) -> int:
    client = app.test_client(use_cookies=False)
    kind = more.get("content_type", "application/x-www-form-urlencoded")
    reply = client.post(path, data=body, content_type=kind)
    assert "Set-Cookie" not in reply.headers
    assert reply.data == b""
    return reply.status_code


def test_a_services_report_is_taken_at_its_secret_address_and_nowhere_else(
    coordinator: InspectingClient, app: Flask, town: Town, meeting: Meeting
) -> None:
    link = town.personal(meeting, Role.KIN)
    send(coordinator, meeting, link, KIM)
    end(town, MessageState.SENT)
    (message,) = messages.of_meeting(town.db, meeting.id)
    mark = tokens.report_mark(town.house.keys.instance, message.id)
    for path in (f"/report/{message.id}/{'0' * 32}", f"/report/{'0' * 32}/{mark}", "/report/x/y"):
        assert report(app, path) == 204
    for body in ("", "status=sent", "status=created", "\0", "status=failed&status=delivered"):
        assert report(app, f"/report/{message.id}/{mark}", body) == 204
    assert [one["state"] for one in waiting(town)] == ["sent"]
    assert report(app, f"/report/{message.id}/{mark}") == 204
    assert [(one["state"], one["reason"]) for one in waiting(town)] == [("failed", "undelivered")]
    assert report(app, f"/report/{message.id}/{mark}", "id=s1&status=delivered&delivered=2026-11-20") == 204
    assert report(app, f"/report/{message.id}/{mark}") == 204
    assert [one["state"] for one in waiting(town)] == ["delivered"]


def test_a_report_that_comes_after_the_count_finds_nothing_and_is_thanked_for(
    coordinator: InspectingClient, app: Flask, town: Town, meeting: Meeting
) -> None:
    link = town.personal(meeting, Role.KIN)
    send(coordinator, meeting, link, KIM)
    (message,) = messages.of_meeting(town.db, meeting.id)
    mark = tokens.report_mark(town.house.keys.instance, message.id)
    counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
    assert report(app, f"/report/{message.id}/{mark}") == 204


# Paper


@pytest.mark.parametrize("language", ["sv", "en", "ar"])
def test_a_form_on_paper_has_every_question_and_one_code_for_the_group(
    coordinator: InspectingClient, town: Town, meeting: Meeting, language: str
) -> None:
    page = coordinator.get(page_of(meeting, f"paper?language={language}")).text
    said = town.house.languages[language]
    rooms = town.rooms(meeting)
    assert page.count('<article class="paper"') == 4
    assert f'<article class="paper" lang="{language}" dir="{said.direction}">' in page
    for role, room in rooms.items():
        form = town.house.catalogue[room.questionnaire]
        for item in form.items:
            assert said.question(f"{form.id}.{item.id}", item.text) in page, (role, item.id)
        assert page.count(tokens.spoken(room.key)) == 1
    boxes = sum(
        len(form.closed_items) * (len(form.points) + len(form.offered))
        for form in (town.house.catalogue[room.questionnaire] for room in rooms.values())
    )
    assert page.count('class="box"') == boxes


def test_a_personal_links_form_on_paper_has_its_own_code_and_no_other(
    coordinator: InspectingClient, town: Town, meeting: Meeting
) -> None:
    link, other = town.personal(meeting, Role.CHILD), town.personal(meeting, Role.KIN)
    page = coordinator.get(page_of(meeting, f"paper?link={link.id}")).text
    assert page.count('<article class="paper"') == 1
    assert tokens.spoken(link.key) in page
    assert tokens.spoken(other.key) not in page
    assert f"link={link.id}" in page, "another language keeps it"
    strange = coordinator.get(page_of(meeting, "paper?link=nothing")).text
    assert strange.count('<article class="paper"') == 4


def test_the_words_for_the_room_name_the_sender_and_where_the_link_leads(
    coordinator: InspectingClient, meeting: Meeting
) -> None:
    page = coordinator.get(page_of(meeting, "announcement")).text
    assert "Avsändaren är Mitthem och länken börjar med http://127.0.0.1:8000." in page
    assert "ett mejl från svar@mitthem.example." in page
