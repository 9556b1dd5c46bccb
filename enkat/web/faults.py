"""Pages for what goes wrong: plain, kind, and without a word of the inside."""

from flask import Flask, current_app, render_template
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from enkat.model.errors import StoreError
from enkat.web.context import gettext as _
from enkat.web.context import on_staff_pages
from enkat.wording import FAULTS, participants


def register(app: Flask) -> None:
    """Give every kind of fault its page."""
    app.register_error_handler(CSRFError, _stale)
    app.register_error_handler(StoreError, _unavailable)
    app.register_error_handler(HTTPException, _refused)


def _refused(error: HTTPException) -> tuple[str, int] | HTTPException | Response:
    code = error.code or 500
    if error.response is not None or code < 400:
        return error
    if code == 404 and not on_staff_pages():
        return Response(render_template("participant/unknown.html"), code, mimetype="text/html")
    words = FAULTS if on_staff_pages() else participants.FAULTS
    headline, text = words.get(code, words[400 if code < 500 else 500])
    page, status = _page(_(headline), _(text), code)
    response = Response(page, status, mimetype="text/html")
    if code == 405:
        response.headers["Allow"] = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
    return response


def _stale(_error: CSRFError) -> tuple[str, int]:
    text = _(
        "Du har varit borta länge eller loggat in i ett annat fönster. Gå tillbaka, ladda om sidan och försök igen."
    )
    return _page(_("Sidan var för gammal"), text, 400)


def _unavailable(error: StoreError) -> tuple[str, int]:
    current_app.logger.error("%s", error)
    headline, text = FAULTS[503]
    return _page(_(headline), _(text), 503)


def _page(headline: str, text: str, code: int) -> tuple[str, int]:
    audience = "staff" if on_staff_pages() else "participant"
    return render_template(f"{audience}/fault.html", headline=headline, text=text), code
