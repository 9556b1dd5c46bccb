"""What everybody signed in has: the sign-in, the start page, and one's own account."""

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from enkat import staffing
from enkat.model.errors import Refused
from enkat.model.staff import StaffRole
from enkat.secrecy.guessing import Guess
from enkat.storage import meetings
from enkat.web import access, guesses
from enkat.web.context import db, house, is_staff_path, now, today
from enkat.web.context import gettext as _
from enkat.web.forms import PasswordForm, PlainForm, SignInForm
from enkat.web.guesses import Slowed

pages = Blueprint("staff", __name__, url_prefix="/staff")

_Page = str | tuple[str, int] | Response


@pages.get("")
@access.staff_only()
def start() -> _Page:
    """What to do next: a coordinator's meetings, and the doors that the other roles have."""
    overviews = []
    if StaffRole.COORDINATOR in access.member().roles:
        overviews = meetings.overviews(db(), access.my_units())
    return render_template("staff/start.html", overviews=overviews, today=today(), member=access.member())


@pages.get("/languages")
@access.staff_only()
def languages() -> _Page:
    """The languages there are: which participants are offered, for which forms, and who has reviewed them."""
    found = house().languages
    forms = {
        language: [
            form.id for form in house().catalogue if language in {one.language for one in house().offered[form.id]}
        ]
        for language in found.known
    }
    return render_template("staff/languages.html", languages=found, forms=forms)


@pages.route("/sign-in", methods=["GET", "POST"])
@access.public
def sign_in() -> _Page:
    """Address and password."""
    form = SignInForm()
    if form.validate_on_submit():
        account = (form.address.data or "").strip().casefold()
        try:
            guesses.judge(Guess.PASSWORD, account)
        except Slowed as slowed:
            form.form_errors.append(_wait(slowed))
            return guesses.told_to_wait(render_template("staff/sign_in.html", form=form), slowed)
        secret = staffing.sign_in(db(), form.address.data or "", form.password.data or "", now())
        if secret:
            language = session.get("lang")
            session.clear()
            session.update({"sid": secret} | ({"lang": language} if language else {}))
            return redirect(_way_back(request.args.get("back", "")), code=303)
        guesses.failed(Guess.PASSWORD, account)
        form.form_errors.append(_("Adressen och lösenordet hör inte ihop. Försök igen."))
        return render_template("staff/sign_in.html", form=form), 401
    return render_template("staff/sign_in.html", form=form)


@pages.post("/sign-out")
@access.staff_only()
def sign_out() -> _Page:
    """End the session, on the server too."""
    staffing.sign_out(db(), session["sid"])
    session.clear()
    return redirect(url_for("staff.sign_in"), code=303)


@pages.route("/account", methods=["GET", "POST"])
@access.staff_only()
def account() -> _Page:
    """One's own password and language."""
    form = PasswordForm()
    if form.validate_on_submit():
        try:
            guesses.judge(Guess.PASSWORD, access.member().id)
            old, new = form.old.data or "", form.new.data or ""
            staffing.change_password(db(), access.member(), old, new, session["sid"])
        except Slowed as slowed:
            form.form_errors.append(_wait(slowed))
        except Refused as refusal:
            form.refuse(refusal)
            if refusal.reason == "old_password":
                guesses.failed(Guess.PASSWORD, access.member().id)
        else:
            flash(_("Lösenordet är bytt. Andra inloggningar är avslutade."))
            return redirect(url_for("staff.account"), code=303)
    page = render_template("staff/account.html", form=form, plain=PlainForm(), member=access.member())
    return (page, 400) if form.is_refused else page


@pages.post("/account/sign-out-elsewhere")
@access.staff_only()
def sign_out_elsewhere() -> _Page:
    """End one's other sessions."""
    staffing.sign_out_elsewhere(db(), access.member(), session["sid"])
    flash(_("Andra inloggningar är avslutade."))
    return redirect(url_for("staff.account"), code=303)


@pages.post("/account/language")
@access.staff_only()
def language() -> _Page:
    """Choose the language of the staff pages."""
    wish = request.form.get("language", "")
    if wish in house().languages:
        session["lang"] = wish
    return redirect(url_for("staff.account"), code=303)


def _wait(slowed: Slowed) -> str:
    return _("Många inloggningar har misslyckats. Vänta %(seconds)s sekunder och försök igen.", seconds=slowed.wait)


def _way_back(back: str) -> str:
    """Where somebody was going when asked to sign in; only ever a staff page of our own."""
    is_ours = (
        is_staff_path(back.partition("?")[0]) and not any(mark in back for mark in "\\\r\n\t") and "//" not in back
    )
    return back if is_ours else url_for("staff.start")
