"""The roof: settings in, application out. No routes and no logic here."""

import traceback
from typing import Any

from flask import Flask, request
from flask_wtf import CSRFProtect

from enkat import wording
from enkat.house import House, open_house
from enkat.i18n import unbroken
from enkat.secrecy import tokens
from enkat.secrecy.guessing import Brake
from enkat.settings import Settings
from enkat.web import (
    access,
    administrator,
    assets,
    bodies,
    context,
    coordinator,
    faults,
    headers,
    participant,
    reports,
    result_words,
    results,
    staff,
    texts,
)

#: Larger than any form that can be filled in by hand.
MOST_BYTES = 64 * 1024


class Enkat(Flask):
    """Flask, with logs that name no path: a participant's path is a key."""

    def log_exception(self, exc_info: Any) -> None:
        """Log where it went wrong, and not for whom. What an error says may quote what somebody wrote, and with it
        everything that led to it: its kind and its place are enough to find it."""
        kind, _error, trace = exc_info
        where = "".join(traceback.format_tb(trace))
        self.logger.error("Exception on /- [%s]: %s\n%s", request.method, kind.__name__, where)


def create_app(settings: Settings, house: House | None = None) -> Flask:
    """The application of one installation; `house` where the caller has opened it already."""
    house = house or open_house(settings)
    app = Enkat("enkat", static_folder=None)
    app.extensions["enkat"] = house
    app.extensions["enkat.connections"] = context.Connections()
    app.extensions["enkat.forms"] = {}
    app.extensions["enkat.brake"] = Brake()
    app.url_map.strict_slashes = False  # a slash typed after the key is nobody's mistake
    app.url_map.merge_slashes = False  # it would redirect to the host that the request claims to have come to
    app.config.update(
        SECRET_KEY=house.keys.instance.web,
        MAX_CONTENT_LENGTH=MOST_BYTES,
        MAX_FORM_MEMORY_SIZE=MOST_BYTES,
        SESSION_COOKIE_NAME="__Host-enkat" if settings.has_tls else "enkat",
        SESSION_COOKIE_SECURE=settings.has_tls,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,  # the token lives as long as its session
        WTF_CSRF_SSL_STRICT=False,  # it would want the Referer header, which our pages keep to themselves
    )
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(context.gettext, context.ngettext, newstyle=True)  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(spoken=tokens.spoken, unbroken=unbroken)
    app.jinja_env.globals.update(
        base_url=context.base_url,
        house=context.house,
        translator=context.translator,
        offered_languages=context.offered_languages,
        page_style=headers.page_style,
        page_script=headers.page_script,
        wording=wording,
        result_words=result_words,
    )
    app.before_request(bodies.judge)
    app.before_request(access.guard)  # before the CSRF token is asked for: whoever is signed out is to sign in
    csrf = CSRFProtect(app)
    csrf.exempt(reports.pages)  # a service has no session, and its address is secret
    csrf.exempt(participant.pages)  # no cookie is to be set there, and the link is the authority
    app.after_request(headers.secure)
    app.teardown_appcontext(context.release_db)
    for room in (assets, participant, reports, staff, coordinator, administrator, results, texts):
        app.register_blueprint(room.pages)
    faults.register(app)
    return app
