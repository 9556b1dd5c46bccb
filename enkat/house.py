"""What a running enkat consists of: settings, questionnaires, languages, keys and a migrated database."""

import os
from dataclasses import dataclass, field
from functools import cached_property

from sqlite_utils import Database

from enkat import branding, catalogue, i18n, messaging
from enkat.branding import Brand
from enkat.catalogue import Catalogue, context
from enkat.i18n import Languages, Translator
from enkat.model.errors import SettingsError
from enkat.secrecy.keys import KeyStore
from enkat.settings import Settings
from enkat.storage import engine, migrations, questionnaires


@dataclass(frozen=True)
class House:
    """Everything that a request, a command and the background work share."""

    settings: Settings
    catalogue: Catalogue
    languages: Languages
    keys: KeyStore
    brand: Brand = field(default_factory=Brand)

    @cached_property
    def offered(self) -> dict[str, list[Translator]]:
        """The languages that each questionnaire can be had in."""
        return {
            form.id: self.languages.offering({context(form, key): text for key, text in form.texts().items()})
            for form in self.catalogue
        }

    def connect(self) -> Database:
        """A connection of one's own; the caller closes it."""
        return engine.reconnect(self.settings.database)


def open_house(settings: Settings) -> House:
    """Judge the questionnaires, make what a first start makes, and bring the database up to date.

    A database that has been used never gets new keys: without the old ones no link in anybody's hand would be
    known, so a missing key is an error that names the file.
    """
    judge_services(settings)
    house = House(
        settings,
        catalogue.load(leave_out=settings.leave_out),
        i18n.load(chosen=settings.languages),
        KeyStore(settings.keys),
        branding.load(settings),
    )
    try:
        settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(settings.instance, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise SettingsError(
            f"the instance folder {settings.instance} cannot be written ({error.strerror}); "
            "give it to the user that runs enkat, or name another with ENKAT_INSTANCE"
        ) from error
    db = engine.connect(settings.database, create=True)
    try:
        if migrations.is_new(db):
            house.keys.create()
        elif "nobody_can_tell" in migrations.pending(db):
            house.keys.create("contacts")  # what an older enkat had no use for
        _ = house.keys.instance
        migrations.migrate(db)
        _remember(db, house.catalogue)
    finally:
        db.close()
    return house


def judge_services(settings: Settings) -> None:
    """SettingsError where a service could never be spoken to."""
    try:
        if settings.mail:
            messaging.for_mail(settings.mail)
        if settings.sms:
            messaging.for_sms(settings.sms)
    except ValueError as error:
        raise SettingsError(f"a service that sends cannot be used: {error}; see docs/sending.md") from None


def _remember(db: Database, forms: Catalogue) -> None:
    """Keep every version of a questionnaire that is on offer: answers are scored by the one they were given to."""
    known = questionnaires.all_versions(db)
    if new := [form for form in forms if (form.id, form.version) not in known]:
        with engine.write(db):
            for form in new:
                questionnaires.remember(db, form)
