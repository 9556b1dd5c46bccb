"""What is written to those who were not there: neutral, short, in their language, and with nothing in it but a link."""

import secrets
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from jinja2 import Environment, PackageLoader

from enkat.i18n import SOURCE, Languages, Translator
from enkat.model.meeting import Channel
from enkat.model.message import Letter, Purpose
from enkat.settings import Settings
from enkat.wording.participants import MAIL_AFTER, MAIL_BEFORE, MAIL_SUBJECT, SMS


@dataclass(frozen=True)
class Desk:
    """What a letter is written with: languages, what links begin with, the services that there are, the moment and the
    day it is, and the municipality's own subject."""

    languages: Languages
    base_url: str
    channels: frozenset[Channel]
    now: datetime
    today: date
    subject: str | None = None

    @classmethod
    def of(cls, settings: Settings, languages: Languages, base_url: str) -> "Desk":
        """The desk that the settings describe, now."""
        channels, subject = settings.channels, settings.mail_subject
        return cls(languages, base_url, channels, settings.now(), settings.today(), subject)

    def translator(self, language: str) -> Translator:
        """A language that participants are offered, or Swedish."""
        return self.languages.translators.get(language, self.languages[SOURCE])

    def address(self, key: str, language: str = SOURCE) -> str:
        """A link's whole address, opening in a language that was chosen for it."""
        return f"{self.base_url}/{key}" + ("" if language == SOURCE else f"?lang={language}")


def new_id() -> str:
    """A random id for a message, by which services know a repeated sending of it."""
    return secrets.token_hex(16)


def write_letter(
    desk: Desk, channel: Channel, purpose: Purpose, to: str, key: str, closes: date, language: str = SOURCE
) -> Letter:
    """The letter that carries a link to somebody, by one of the two channels."""
    translator = desk.translator(language)
    link = desk.address(key, translator.language)
    if channel is Channel.SMS:
        return Letter(new_id(), to, sms_text(translator, purpose, link), translator.language)
    said = translator.interface.gettext
    subject = desk.subject or said(MAIL_SUBJECT)
    before = [said(line) for line in MAIL_BEFORE[purpose]]
    after = [said(line) % {"day": translator.day(closes)} for line in MAIL_AFTER]
    html = (
        _templates()
        .get_template("mail.html")
        .render(
            language=translator.language,
            direction=translator.direction,
            subject=subject,
            before=before,
            link=link,
            after=after,
        )
    )
    return Letter(new_id(), to, "\n\n".join([*before, link, *after]) + "\n", translator.language, subject, html)


def sms_text(translator: Translator, purpose: Purpose, link: str) -> str:
    """What an SMS says. The marks that keep a link apart in a text of the other direction would make it longer, and the
    link stands at its end."""
    return (translator.interface.gettext(SMS[purpose]) % {"link": link}).translate(_ISOLATES)


_ISOLATES = dict.fromkeys(map(ord, "\u2066\u2067\u2068\u2069"))


@cache
def _templates() -> Environment:
    return Environment(loader=PackageLoader("enkat", "templates/messages"), autoescape=True)
