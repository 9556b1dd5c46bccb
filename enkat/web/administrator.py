"""The administrator's pages: who may sign in, the units, and what sends. No meetings, no answers."""

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from enkat import staffing
from enkat.inviting.letters import write_letter
from enkat.messaging.sms import measure
from enkat.model.errors import Refused
from enkat.model.meeting import Channel
from enkat.model.message import Purpose
from enkat.model.staff import StaffMember, StaffRole
from enkat.settings import ZONE
from enkat.storage import messages, staff
from enkat.storage.messages import read_stamp
from enkat.web import access
from enkat.web.context import db, desk, house, today, translator
from enkat.web.context import gettext as _
from enkat.web.forms import MemberForm, PlainForm, UnitForm, choice

pages = Blueprint("administrator", __name__, url_prefix="/staff/people")

administrators = access.staff_only(StaffRole.ADMINISTRATOR)

_Page = str | tuple[str, int] | Response


@pages.get("")
@administrators
def people() -> _Page:
    """Everybody, and forms for one more."""
    return _page(MemberForm(formdata=None), UnitForm(formdata=None))


@pages.get("/sending")
@administrators
def sending() -> _Page:
    """How the services are that send links; nothing of any message."""
    settings, health = house().settings, messages.health(db())
    services = [
        (channel, health.get(channel) if channel in settings.channels else None, channel in settings.channels)
        for channel in Channel
    ]
    sample = write_letter(desk(), Channel.SMS, Purpose.LINK, "", "X" * 10, today())
    return render_template(
        "administrator/sending.html",
        services=services,
        moment=lambda text: translator().moment(read_stamp(text).astimezone(ZONE)),
        senders={Channel.SMS: settings.sms_sender, Channel.EMAIL: settings.mail_from and settings.mail_from.address},
        sample=sample,
        length=measure(sample.text),
    )


@pages.post("")
@administrators
def add() -> _Page:
    """Add somebody; their first password is shown once."""
    form = MemberForm()
    _fill(form, None)
    if not form.validate():
        return _page(form, UnitForm(formdata=None)), 400
    try:
        roles = {StaffRole(role) for role in form.roles.data or ()}
        member, password = staffing.add_staff(
            db(), form.address.data or "", form.name.data or "", roles, form.unit.data, by=access.member().id
        )
    except Refused as refusal:
        form.refuse(refusal)
        return _page(form, UnitForm(formdata=None)), 400
    return render_template("administrator/password.html", member=member, password=password)


@pages.post("/units")
@administrators
def add_unit() -> _Page:
    """Add a unit."""
    form = UnitForm()
    _fill(None, form)
    if not form.validate():
        return _page(MemberForm(formdata=None), form), 400
    try:
        under = next(unit.name for unit in staff.units(db()) if unit.id == form.under.data)
        staffing.add_unit(db(), form.name.data or "", under, by=access.member().id)
    except Refused as refusal:
        form.refuse(refusal)
        return _page(MemberForm(formdata=None), form), 400
    flash(_("Enheten är tillagd."))
    return redirect(url_for("administrator.people"), code=303)


@pages.post("/<member_id>/password")
@administrators
def give_password(member_id: str) -> _Page:
    """A new first password for somebody who has lost theirs; shown once."""
    member = _member_or_404(member_id)
    password = staffing.give_password(db(), member.id, by=access.member().id)
    return render_template("administrator/password.html", member=member, password=password)


@pages.post("/<member_id>/<state>")
@administrators
def enable(member_id: str, state: str) -> _Page:
    """Let somebody sign in or not; never oneself, so that somebody is always left to do it."""
    member = _member_or_404(member_id)
    if state not in ("enable", "disable"):
        abort(404)
    if member.id == access.member().id:
        flash(_("Du kan inte stänga av dig själv."), "fault")
    else:
        staffing.set_enabled(db(), member.id, state == "enable", by=access.member().id)
        flash(_("Ändringen är sparad."))
    return redirect(url_for("administrator.people"), code=303)


def _page(member_form: MemberForm, unit_form: UnitForm) -> str:
    _fill(member_form, unit_form)
    units = staff.units(db())
    return render_template(
        "administrator/people.html",
        people=staff.all_staff(db()),
        units=units,
        unit_names={unit.id: unit.name for unit in units},
        member_form=member_form,
        unit_form=unit_form,
        plain=PlainForm(),
    )


def _fill(member_form: MemberForm | None, unit_form: UnitForm | None) -> None:
    """Offer the units to choose from."""
    choices = [choice(unit.id, unit.name) for unit in staff.units(db())]
    if member_form:
        member_form.unit.choices = choices
    if unit_form:
        unit_form.under.choices = choices


def _member_or_404(member_id: str) -> StaffMember:
    member = staff.find_staff(db(), member_id)
    if member is None:
        abort(404)
    return member
