"""What a request stands on: the house, one connection, one language. Opened when first used, closed at its end."""

import os
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import cast

from flask import current_app, g, has_request_context, request, session
from sqlite_utils import Database

from enkat.house import House
from enkat.i18n import SOURCE, Translator
from enkat.inviting.letters import Desk


def house() -> House:
    """The house that this application serves."""
    return cast("House", current_app.extensions["enkat"])


class Connections(threading.local):
    """The connection of each of a worker's threads. It serves one request after another, for opening one costs
    as much as everything else that a form reads; it is opened anew where the file is another one by now."""

    kept: tuple[tuple[int, int, int], Database] | None = None

    def take(self) -> Database:
        """The thread's connection to the database that is there now."""
        try:
            found = house().settings.database.stat()
        except OSError:
            return house().connect()  # says what is wrong
        now_there = os.getpid(), found.st_dev, found.st_ino
        if self.kept is None or self.kept[0] != now_there:
            self.kept = now_there, house().connect()
        return self.kept[1]


def db() -> Database:
    """The request's connection."""
    if "db" not in g:
        g.db = current_app.extensions["enkat.connections"].take()
    return cast("Database", g.db)


def release_db(_error: BaseException | None = None) -> None:
    """Let nothing of a request be left open in its connection, at its end."""
    connection = g.pop("db", None)
    if connection is not None:
        connection.rollback()


def today() -> date:
    """The day it is for closing dates."""
    return house().settings.today()


def now() -> datetime:
    """The moment it is for sign-ins; they have a clock of their own, which no setting stops."""
    return datetime.now(UTC)


def translator() -> Translator:
    """The language of the page."""
    if not has_request_context():
        return house().languages[SOURCE]
    if "translator" not in g:
        g.translator = house().languages[_negotiated()]
    return cast("Translator", g.translator)


def speak(offered: list[Translator]) -> None:
    """Choose the page's language among those that a questionnaire is offered in."""
    g.offered = [one.language for one in offered]
    g.translator = house().languages[_negotiated()]


def offered_languages() -> list[Translator]:
    """The languages that the page can be had in."""
    return [house().languages[language] for language in _offered()]


def gettext(message: str, **values: object) -> str:
    """A message of the interface in the page's language."""
    said = translator().interface.gettext(message)
    return said % values if values else said


def ngettext(one: str, many: str, number: int) -> str:
    """A message that depends on a number; the template that asks fills in `%(num)s`."""
    return translator().interface.ngettext(one, many, number)


def on_staff_pages() -> bool:
    """True on the staff's pages, and on the faults among them; participants' paths only look similar at most."""
    return is_staff_path(request.path)


def is_staff_path(path: str) -> bool:
    """Whether a path is one of the staff's pages."""
    return path in ("/staff", "/results", "/results.csv") or path.startswith(("/staff/", "/results/"))


def is_from_elsewhere() -> bool:
    """True where another site sent this form. Whoever knew its random id could ask later what became of it, so a form
    that strangers filled in is nobody's. Browsers too old to say where from are believed."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin", "null")
    return (
        site not in ("same-origin", "none")
        if site
        else origin not in ("null", base_url(), request.host_url.rstrip("/"))
    )


def base_url() -> str:
    """What links begin with: the setting, or where this request came to."""
    return house().settings.base_url or request.host_url.rstrip("/")


def desk() -> Desk:
    """What letters are written with."""
    return Desk.of(house().settings, house().languages, base_url())


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Let what is drawn meanwhile be in a language that participants are offered, whatever the page's own is."""
    own, g.translator = translator(), house().languages.translators[language]
    try:
        yield
    finally:
        g.translator = own


def _offered() -> Collection[str]:
    """Those of the form, where there is one; else those of the page's audience."""
    languages = house().languages
    everywhere = languages.for_staff if on_staff_pages() else languages.translators
    return cast("Collection[str]", g.get("offered", everywhere.keys()))


def _negotiated() -> str:
    """Asked for in the address, chosen by staff in their session, or what the phone prefers."""
    languages = _offered()
    if (wish := request.args.get("lang", "")) in languages:
        return wish
    if on_staff_pages() and session.get("lang") in languages:
        return str(session["lang"])
    return house().languages.negotiate(request.accept_languages.values(), languages)
