"""`enkat check`: is everything as it should be? Each fault is one sentence that names the thing and the mend."""

import os
from collections.abc import Iterator

from sqlite_utils import Database

from enkat import branding, catalogue, i18n
from enkat.catalogue import Catalogue, context
from enkat.i18n import Languages
from enkat.model.audit import AuditHead
from enkat.model.errors import CatalogueError, EnkatError, KeyFileError, SettingsError
from enkat.model.meeting import Meeting, MeetingState
from enkat.model.result import Grain
from enkat.secrecy import ballots
from enkat.secrecy.keys import KeyStore
from enkat.settings import Settings
from enkat.storage import audit, engine, meetings, messages, migrations, questionnaires, snapshots, witness


def faults(settings: Settings, audit_head: AuditHead | None = None) -> list[str]:
    """Everything that is wrong with an installation; empty where all is well. Nothing is changed. `audit_head` is one
    that was kept elsewhere."""
    return [*_catalogues(settings), *_settings(settings), *_store(settings, {audit_head} if audit_head else set())]


def _catalogues(settings: Settings) -> Iterator[str]:
    try:
        forms = catalogue.load(leave_out=settings.leave_out)
    except CatalogueError as error:
        yield from error.faults
        return
    languages = i18n.load(chosen=settings.languages)
    yield from languages.faults
    yield from _untranslated(forms, languages)


def _untranslated(forms: Catalogue, languages: Languages) -> Iterator[str]:
    for form in forms:
        texts = {context(form, key): text for key, text in form.texts().items()}
        for translator in languages.translators.values():
            missing = languages.missing_questions(translator.language, texts)
            if missing:
                yield (
                    f"translations/{translator.language}: questions.po lacks {len(missing)} texts of '{form.id}', "
                    f"'{missing[0]}' first; it is not offered in that language until they are there"
                )


def _settings(settings: Settings) -> Iterator[str]:
    try:
        branding.load(settings)
    except SettingsError as error:
        yield str(error)
    if settings.channels and not settings.base_url:
        yield "the setting base_url is missing; links that are sent have to lead somewhere (set ENKAT_BASE_URL)"
    file = settings.instance / "enkat.toml"
    if os.name == "posix" and settings.channels and file.exists() and file.stat().st_mode & 0o077:
        yield f"{file} can be read by others, and may hold a password; run chmod 600 {file}"
    if settings.base_url and settings.has_tls:
        for name in ("controller", "contact"):
            if getattr(settings, name) is None:
                yield f"the setting {name} is missing; the privacy notice needs it (set ENKAT_{name.upper()})"
        if not settings.proxy:
            yield (
                "the setting proxy is missing; everybody seems to come from the proxy's address, and one who guesses "
                "slows them all (set ENKAT_PROXY to the address that the proxy asks from, such as 127.0.0.1)"
            )


def _versions(settings: Settings, db: Database) -> Iterator[str]:
    """Questionnaires that were changed and kept their version: answers would be scored by the one first on offer."""
    try:
        forms = catalogue.load(leave_out=settings.leave_out)
    except CatalogueError:
        return  # said already
    known = questionnaires.all_versions(db)
    for form in forms:
        kept = known.get((form.id, form.version), form)
        items = {item.id: item for item in kept.items}
        if kept.points != form.points or any(items.get(item.id, item) != item for item in form.items):
            yield (
                f"{form.id}.toml was changed since its version {form.version} was first on offer; "
                f"raise its version to {form.version + 1}"
            )


def _store(settings: Settings, heads: set[AuditHead]) -> Iterator[str]:
    try:
        db = engine.connect(settings.database)
    except EnkatError as error:
        yield str(error)
        return
    try:
        if todo := migrations.pending(db):
            yield f"the database lacks the migration '{todo[0]}'; start `enkat serve` once to bring it up to date"
            return
        yield from migrations.faults(db)
        yield from _versions(settings, db)
        snapshots.all_of(db, *Grain)
        yield from _audit_log(settings, db, heads)
        yield from _services(settings, db)
        keys = KeyStore(settings.keys)
        yield from keys.faults()
        for meeting in meetings.in_state(db, MeetingState.OPEN):
            yield from _meeting_key(keys, meeting)
    except EnkatError as error:
        yield str(error)
    finally:
        db.close()
    if os.name == "posix" and settings.database.stat().st_mode & 0o077:
        yield f"{settings.database} can be read by others; run chmod 600 {settings.database}"


def _services(settings: Settings, db: Database) -> Iterator[str]:
    """What keeps links from being sent, as the background work has found it."""
    for channel, health in messages.health(db).items():
        if health.reason and channel in settings.channels:
            yield (
                f"{channel} could not be sent at {health.checked}: {health.reason}; try `enkat check --send-to ADDRESS`"
            )


def _audit_log(settings: Settings, db: Database, heads: set[AuditHead]) -> Iterator[str]:
    try:
        heads |= witness.heads(settings.audit_heads)
    except EnkatError as error:
        yield str(error)
    yield from audit.faults(db, heads)


def _meeting_key(keys: KeyStore, meeting: Meeting) -> Iterator[str]:
    """Whether an open meeting can be counted when its time comes."""
    try:
        if not ballots.fits(keys.meeting_key(meeting.id), meeting.public_key or b""):
            yield f"{keys.meetings / meeting.id} is not the key of that meeting; restore it from your backup"
    except KeyFileError as error:
        yield str(error)
