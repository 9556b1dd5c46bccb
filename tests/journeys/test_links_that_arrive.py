"""Links are sent by SMS and by mail from the coordinator's phone, through the real server and its background work, and
are answered."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from sqlite_utils import Database

from enkat.model.staff import StaffRole
from enkat.settings import Settings
from enkat.storage.engine import number, rows
from tests.conftest import Town, with_services
from tests.journeys.conftest import Phones
from tests.journeys.server import Server, ask, wait_for
from tests.messaging.servers import MailHost, SmsHost


@pytest.fixture
def gateway() -> Iterator[SmsHost]:
    with SmsHost() as host:
        yield host


@pytest.fixture
def mailbox() -> Iterator[MailHost]:
    with MailHost() as host:
        yield host


@pytest.fixture
def settings(settings: Settings, gateway: SmsHost, mailbox: MailHost) -> Settings:
    """An installation whose services are the two, as its file says."""
    sms, smtp = f"http://enkat:secret@127.0.0.1:{gateway.port}/a1/sms", f"smtp://127.0.0.1:{mailbox.port}"
    settings.instance.mkdir(parents=True)
    (settings.instance / "enkat.toml").write_text(
        f'sms_url = "{sms}"\nsms_sender = "Mitthem"\nsmtp_url = "{smtp}"\n'
        'mail_from = "Mitthem <svar@mitthem.example>"\n'
    )
    return with_services(settings, sms, smtp)


def test_two_who_had_to_go_get_their_links_and_answer(
    phones: Phones, town: Town, server: Server, gateway: SmsHost, mailbox: MailHost, db: Database
) -> None:
    meeting = town.meeting()
    town.add_staff("karin@mitthem.example", town.north, StaffRole.COORDINATOR)
    karin = phones.open(width=390)
    karin.goto("/staff/sign-in")
    karin.fill("[name=address]", "karin@mitthem.example")
    karin.fill("[name=password]", town.passwords["karin@mitthem.example"])
    karin.click("main form button")
    karin.goto(f"/staff/meetings/{meeting.id}/links")
    karin.click("text=Skicka länkar till flera på en gång")
    karin.fill("[name=addresses]", "070-174 06 05; Anhöriga\nkim@example.se; Professionella; engelska\n")
    karin.click("button[value=preview]")
    expect(karin.locator("main")).to_contain_text("Skicka 2 länkar")
    karin.click("button[value=send]")
    expect(karin.locator("main")).to_contain_text("2 länkar skickas")
    wait_for(lambda: gateway.taken and mailbox.taken, "both messages have arrived")
    wait_for(lambda: number(db, "select count(*) from message where state = 'sent'") == 2, "both are recorded as sent")
    karin.reload()
    expect(karin.locator(".way b")).to_have_text(["Skickat", "Skickat"])
    text = gateway.taken[0].fields["message"]
    phone = phones.open(script=False)
    phone.goto(text.split()[-1])
    phone.locator(".option").first.click()
    phone.click("text=Skicka")
    expect(phone.locator("h1")).to_contain_text("Tack")
    body = mailbox.taken[0].mail.get_body(["plain"])
    assert body is not None
    link = next(word for word in body.get_content().split() if word.startswith("http"))
    english = phones.open(script=False, language="sv-SE")
    english.goto(link)
    expect(english.locator("html")).to_have_attribute("lang", "en")
    before = karin.locator("main").inner_text()
    karin.reload()
    assert karin.locator("main").inner_text() == before, "who has answered shows nowhere"
    reported = ask(
        server.port,
        "POST",
        f"/report/{gateway.taken[0].fields['whendelivered'].partition('/report/')[2]}",
        {"id": "s1", "status": "delivered"},
    )
    assert reported.status == 204
    assert rows(db, "select state from message order by state") == [{"state": "delivered"}, {"state": "sent"}]
    for secret in ("secret", "701740605", "kim@example", link.rpartition("/")[2][:10], text.rpartition("/")[2]):
        assert secret not in server.output
