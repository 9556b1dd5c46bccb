"""The settings by which links are sent: read whole, refused in a sentence that repeats no password, and never telling
what the messages are about."""

from pathlib import Path

import pytest

from enkat.model.meeting import Channel
from enkat.model.message import Security, SmsProtocol
from tests.test_settings import chosen, refused

ELKS = {"sms_url": "https://user:p%40ss@api.46elks.com/a1/sms", "sms_sender": "Mitthem"}
MAIL = {"smtp_url": "smtps://user:p%40ss@mail.example.se", "mail_from": "Exempel kommun <svar@example.se>"}
GENERIC = ELKS | {"sms_service": "gateway", "sms_body": "to={to}&message={text}"}


def test_without_services_nothing_can_be_sent(tmp_path: Path) -> None:
    settings = chosen(tmp_path)
    assert (settings.mail, settings.sms, settings.channels) == (None, None, frozenset())


def test_46elks_needs_an_address_and_a_sender(tmp_path: Path) -> None:
    settings = chosen(tmp_path, **ELKS)
    assert settings.sms is not None
    assert settings.sms.protocol is SmsProtocol.ELKS
    assert settings.sms.url == "https://api.46elks.com/a1/sms"
    assert (settings.sms.user, settings.sms.password, settings.sms.sender) == ("user", "p@ss", "Mitthem")
    assert settings.channels == {Channel.SMS}


def test_a_mail_server_is_spoken_to_in_secret(tmp_path: Path) -> None:
    for url, port, security in [
        ("smtps://user:p@mail.example.se", 465, Security.TLS),
        ("smtp://user:p@mail.example.se", 587, Security.STARTTLS),
        ("smtp://mail.example.se:2525", 2525, Security.STARTTLS),
        ("smtp://127.0.0.1:2525", 2525, Security.NONE),
        ("smtps://localhost", 465, Security.TLS),
    ]:
        mail = chosen(tmp_path, **MAIL | {"smtp_url": url}).mail
        assert mail is not None
        assert (mail.port, mail.security) == (port, security), url
        assert (mail.sender, mail.sender_name) == ("svar@example.se", "Exempel kommun")


def test_a_file_may_describe_any_gateway(tmp_path: Path) -> None:
    settings = chosen(
        tmp_path,
        """
sms_service = "gateway"
sms_url = "https://gateway.example/send?v=2"
sms_sender = "+46701740605"
sms_headers = ["Authorization: Bearer abc", "X-Key: 1"]
sms_body = {to = "{to}", text = "{text}", callback = "{report}"}
sms_delivered = "state=ok"
sms_undelivered = "state=no"
reminder_days = 5
""",
    )
    sms = settings.sms
    assert sms is not None
    assert sms.url == "https://gateway.example/send?v=2"
    assert (dict(sms.body), sms.is_json) == ({"to": "{to}", "text": "{text}", "callback": "{report}"}, True)
    assert dict(sms.headers) == {"Authorization": "Bearer abc", "X-Key": "1"}
    assert (sms.delivered, sms.undelivered, settings.reminder_days) == (("state", "ok"), ("state", "no"), 5)


@pytest.mark.parametrize(
    ("body", "fields", "is_json"),
    [
        ("to={to}&message={text}&from=", {"to": "{to}", "message": "{text}", "from": ""}, False),
        ('{"to": "{to}", "text": "{text}"}', {"to": "{to}", "text": "{text}"}, True),
        ("to=%2B{to}&m={text}+%26", {"to": "+{to}", "m": "{text} &"}, False),
    ],
)
def test_what_is_sent_to_a_gateway_is_a_form_or_json(
    tmp_path: Path, body: str, fields: dict[str, str], is_json: bool
) -> None:
    sms = chosen(tmp_path, **GENERIC | {"sms_body": body}).sms
    assert sms is not None
    assert (dict(sms.body), sms.is_json) == (fields, is_json)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (ELKS | {"sms_url": "http://user:secret@gateway.example/x"}, "https"),
        (ELKS | {"sms_url": "ftp://user:secret@gateway.example"}, "ENKAT_SMS_URL"),
        (ELKS | {"sms_url": "https://user:secret@gateway.example:x"}, "ENKAT_SMS_URL"),
        (ELKS | {"sms_url": "https://user:secret@"}, "ENKAT_SMS_URL"),
        (ELKS | {"sms_url": "https://user@gateway.example"}, "ENKAT_SMS_URL"),
        (ELKS | {"sms_url": "https://user:sec%0Dret@gateway.example"}, "ENKAT_SMS_URL"),
        (ELKS | {"sms_url": "https://[user:secret@gateway"}, "ENKAT_SMS_URL"),
        (ELKS | {"sms_sender": "Mitthems kommun"}, "letters"),
        (ELKS | {"sms_sender": "Å"}, "letters"),
        (ELKS | {"sms_sender": "ElvaTeckenXY"}, "letters"),
        (ELKS | {"sms_service": "telegraph"}, "46elks or gateway"),
        (ELKS | {"sms_service": "gateway"}, "ENKAT_SMS_BODY"),
        (GENERIC | {"sms_body": "to={to}"}, "{text}"),
        (GENERIC | {"sms_body": "to={to}&t={text}&x={name}"}, "{name}"),
        (GENERIC | {"sms_body": '{"to": 1}'}, "JSON"),
        (GENERIC | {"sms_body": '{"to'}, "JSON"),
        (GENERIC | {"sms_headers": "Authorization secret"}, "Name: value"),
        (GENERIC | {"sms_delivered": "delivered"}, "status=delivered"),
        ({"sms_url": ELKS["sms_url"]}, "ENKAT_SMS_SENDER"),
        ({"sms_sender": "Mitthem"}, "ENKAT_SMS_URL"),
        ({"smtp_url": MAIL["smtp_url"]}, "ENKAT_MAIL_FROM"),
        ({"mail_from": MAIL["mail_from"]}, "ENKAT_SMTP_URL"),
        ({"mail_subject": "Hej"}, "ENKAT_SMTP_URL"),
        (MAIL | {"smtp_url": "https://user:secret@mail.example.se"}, "ENKAT_SMTP_URL"),
        (MAIL | {"mail_from": "svar"}, "such as"),
        (MAIL | {"mail_from": "A <a@b.se>\r\nBcc: c@d.se"}, "such as"),
        (MAIL | {"mail_from": "A <a@b.se"}, "such as"),
        ({"reminder_days": "0"}, "1 to 14"),
        ({"reminder_days": "15"}, "1 to 14"),
        ({"reminder_days": "tre"}, "1 to 14"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_name_and_without_its_password(
    tmp_path: Path, wrong: dict[str, str], said: str
) -> None:
    sentence = refused(tmp_path, **wrong)
    assert said in sentence
    assert "secret" not in sentence
    assert "p%40ss" not in sentence


@pytest.mark.parametrize(
    "telling",
    [
        ELKS | {"sms_sender": "Familjen"},
        ELKS | {"sms_sender": "SocTjanst1"} | {"sms_sender": "Barn"},
        ELKS | {"base_url": "https://socialtjanst.example.se"},
        MAIL | {"mail_from": "Socialtjänsten <svar@example.se>"},
        MAIL | {"mail_from": "Exempel kommun <barn@example.se>"},
        MAIL | {"mail_subject": "Ert nätverksmöte"},
        MAIL | {"base_url": "https://familj.example.se"},
    ],
)
def test_no_sender_subject_or_domain_may_tell_what_it_is_about(tmp_path: Path, telling: dict[str, str]) -> None:
    assert "over a shoulder" in refused(tmp_path, **telling)


def test_a_domain_may_tell_where_nothing_is_sent(tmp_path: Path) -> None:
    assert chosen(tmp_path, base_url="https://socialtjanst.example.se").base_url == "https://socialtjanst.example.se"


def test_no_password_is_shown_where_settings_are(tmp_path: Path) -> None:
    settings = chosen(tmp_path, **MAIL, **GENERIC | {"sms_headers": "Authorization: Bearer p@ss"})
    for shown in (repr(settings), str(settings), repr(settings.mail), repr(settings.sms)):
        assert "p@ss" not in shown
        assert "p%40ss" not in shown
