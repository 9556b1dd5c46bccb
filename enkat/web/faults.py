"""Pages for what goes wrong: plain, kind, and without a word of the inside."""

from flask import Flask, current_app, render_template
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response

from enkat.model.errors import StoreError
from enkat.web.context import gettext as _
from enkat.web.context import on_staff_pages
from enkat.wording import N_


def register(app: Flask) -> None:
    """Give every kind of fault its page."""
    app.register_error_handler(CSRFError, _stale)
    app.register_error_handler(StoreError, _unavailable)
    app.register_error_handler(HTTPException, _refused)


def _refused(error: HTTPException) -> tuple[str, int] | HTTPException | Response:
    code = error.code or 500
    if error.response is not None or code < 400:
        return error
    if isinstance(error, InternalServerError):
        return _page(_("Något gick fel"), _("Felet är noterat. Vänta en stund och försök igen."), 500)
    if code == 404 and not on_staff_pages():
        return Response(render_template("participant/unknown.html"), code, mimetype="text/html")
    headline, text = _WORDS.get(code, _WORDS[400])
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
    return _page(_("Vänta en liten stund"), _("Det går inte att läsa eller spara just nu. Försök snart igen."), 503)


def _page(headline: str, text: str, code: int) -> tuple[str, int]:
    return render_template("fault.html", headline=headline, text=text, is_staff=on_staff_pages()), code


_WORDS = {
    400: (N_("Det där gick inte att läsa"), N_("Gå tillbaka, ladda om sidan och försök igen.")),
    403: (N_("Här har du inte behörighet"), N_("Fråga din administratör om du behöver komma åt sidan.")),
    404: (N_("Sidan finns inte"), N_("Kanske är adressen felskriven.")),
    405: (N_("Så går det inte att göra"), N_("Gå tillbaka, ladda om sidan och försök igen.")),
    413: (
        N_("Det var för mycket"),
        N_("Det som skickades är större än ett formulär kan vara. Korta texten och försök igen."),
    ),
}
