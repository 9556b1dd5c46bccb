"""The evaluator's desk, where free texts are read and cleared. Those that are released stand among the results."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from enkat import clearing, identifiers
from enkat.model.errors import NotFound, Refused
from enkat.model.staff import StaffRole
from enkat.model.text import BATCH
from enkat.web import access
from enkat.web.context import db
from enkat.web.context import gettext as _
from enkat.web.forms import TextForm

pages = Blueprint("texts", __name__, url_prefix="/staff/texts")

evaluators = access.staff_only(StaffRole.EVALUATOR)

_Page = str | tuple[str, int] | Response


@pages.get("")
@evaluators
def desk() -> _Page:
    """The texts that are to be read, ten at a time."""
    return _desk(TextForm(formdata=None))


@pages.post("/<text_id>/clear")
@evaluators
def clear(text_id: str) -> _Page:
    """Let a text be shown, as it is or as it was changed."""
    form = TextForm()
    if not form.validate():
        abort(400)
    try:
        batch = clearing.clear(db(), text_id, form.wording.data or "", form.seen.data or None, by=access.member().id)
    except NotFound:
        abort(404)
    except Refused as refusal:
        form.refuse(refusal)
        return _desk(form, text_id), 400
    flash(_("Tio nya texter är släppta.") if batch else _("Texten är klar. Den släpps tillsammans med nio andra."))
    return redirect(url_for("texts.desk"), code=303)


@pages.post("/<text_id>/withhold")
@evaluators
def withhold(text_id: str) -> _Page:
    """Let a text not be shown, or not any more."""
    try:
        clearing.withhold(db(), text_id, by=access.member().id)
    except NotFound:
        abort(404)
    flash(_("Texten visas inte. Den ligger kvar här om du ändrar dig."))
    return redirect(url_for("texts.desk"), code=303)


def _desk(form: TextForm, at: str | None = None) -> str:
    """The desk; with a refused wording at its text."""
    found = clearing.desk(db(), by=access.member().id)
    form.wording.id = f"wording-{at}"
    return render_template(
        "texts/desk.html",
        desk=found,
        most=BATCH,
        form=form,
        at=at,
        wording=request.form.get("wording", ""),
        may_name=identifiers.may_name,
        mark=clearing.mark,
    )
