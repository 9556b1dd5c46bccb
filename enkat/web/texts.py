"""Free texts: an evaluator's desk, where they are read and cleared, and the page of those that are released."""

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

pages = Blueprint("texts", __name__)

evaluators = access.staff_only(StaffRole.EVALUATOR)

#: Batches on the page unless all are asked for, and at most.
_LATEST, _MOST = 5, 500

_Page = str | tuple[str, int] | Response


@pages.get("/results/texts")
@access.staff_only()
def released() -> _Page:
    """What is released, the latest first."""
    found = clearing.released(db(), _MOST if "all" in request.args else _LATEST + 1)
    return render_template(
        "texts/released.html",
        batches=found if "all" in request.args else found[:_LATEST],
        has_more=len(found) > _LATEST and "all" not in request.args,
        withheld=clearing.withheld(db()),
        form=TextForm(formdata=None),
        may_clear=StaffRole.EVALUATOR in access.member().roles,
    )


@pages.get("/staff/texts")
@evaluators
def desk() -> _Page:
    """The texts that are to be read, ten at a time."""
    return _desk(TextForm(formdata=None))


@pages.post("/staff/texts/<text_id>/clear")
@evaluators
def clear(text_id: str) -> _Page:
    """Let a text be shown, as it is or as it was changed."""
    form = TextForm()
    if not form.validate():
        abort(400)
    try:
        batch = clearing.clear(db(), text_id, form.wording.data or "", by=access.member().id)
    except NotFound:
        abort(404)
    except Refused as refusal:
        form.refuse(refusal)
        return _desk(form, text_id), 400
    flash(_("Tio nya texter är släppta.") if batch else _("Texten är klar. Den släpps tillsammans med nio andra."))
    return redirect(url_for("texts.desk"), code=303)


@pages.post("/staff/texts/<text_id>/withhold")
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
    return render_template(
        "texts/desk.html",
        desk=found,
        most=BATCH,
        form=form,
        at=at,
        wording=request.form.get("wording", ""),
        may_name=identifiers.may_name,
    )
