"""A meeting: made on one page, shown in the room, changed, closed."""

from flask import abort, flash, redirect, render_template, request, url_for

from enkat import counting, inviting
from enkat.model.errors import Refused
from enkat.model.meeting import Kind, MeetingState, Source
from enkat.model.staff import StaffRole, Unit
from enkat.model.survey import Role
from enkat.storage import meetings as stored
from enkat.storage import staff
from enkat.web import access
from enkat.web.context import db, house, today
from enkat.web.context import gettext as _
from enkat.web.coordinator.base import PageReply, act, coordinators, links_of, page_settings, pages, planned_places
from enkat.web.forms import Choice, MeetingForm, PlacesForm, PlainForm, choice, prepare_meeting_form
from enkat.wording import QUESTIONNAIRES


@pages.route("/new", methods=["GET", "POST"])
@coordinators
def new() -> PageReply:
    """One page makes a meeting."""
    form = MeetingForm()
    units = _units()
    prepare_meeting_form(form, units, _child_forms(), today())
    if request.method != "POST":
        _begin(form)
    elif form.validate_on_submit():
        try:
            meeting = _start(form)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return redirect(url_for("coordinator.meeting", meeting_id=meeting), code=303)
    references = stored.references(db(), access.my_units())
    page = render_template("coordinator/new.html", form=form, units=units, references=references)
    return (page, 400) if form.is_refused else page


@pages.get("/<meeting_id>")
@coordinators
def meeting(meeting_id: str) -> PageReply:
    """The meeting in the room: a code for each role, and how many have answered."""
    overview = access.meeting_or_404(meeting_id)
    planned = planned_places(meeting_id)
    rooms = [link for link in links_of(overview) if link.is_room and planned[link.role]]
    shown = next((room for room in rooms if room.role == request.args.get("role")), rooms[0] if rooms else None)
    return render_template(
        "coordinator/meeting.html", overview=overview, rooms=rooms, shown=shown, **page_settings(overview)
    )


@pages.get("/<meeting_id>/progress")
@access.staff_only(StaffRole.COORDINATOR, passive=True)
def progress(meeting_id: str) -> PageReply:
    """The ring alone, for the page to fetch now and then."""
    overview = access.meeting_or_404(meeting_id)
    return render_template("coordinator/progress.html", overview=overview, today=today())


@pages.get("/<meeting_id>/room/<role>")
@coordinators
def room(meeting_id: str, role: str) -> PageReply:
    """One role's code, as large as the screen."""
    overview = access.meeting_or_404(meeting_id)
    found = [link for link in links_of(overview) if link.is_room and link.role == role]
    if not found:
        abort(404)
    return render_template("coordinator/room.html", overview=overview, link=found[0])


@pages.post("/<meeting_id>/room/<link_id>/replace")
@coordinators
def replace_room(meeting_id: str, link_id: str) -> PageReply:
    """A new code for a room, where the old one has got into the wrong hands."""
    access.meeting_or_404(meeting_id)
    made = act(
        lambda: inviting.replace_link(db(), house().keys, meeting_id, link_id, by=access.member().id),
        _("Koden är utbytt. Gamla lappar och bilder leder ingenstans."),
    )
    role = made.role if made else None
    return redirect(url_for("coordinator.meeting", meeting_id=meeting_id, role=role), code=303)


@pages.route("/<meeting_id>/places", methods=["GET", "POST"])
@coordinators
def places(meeting_id: str) -> PageReply:
    """Change how many are invited of each role."""
    overview = access.meeting_or_404(meeting_id)
    if overview.meeting.state is MeetingState.COUNTED:
        abort(404)
    form = PlacesForm(data={role.value: number for role, number in planned_places(meeting_id).items()})
    if form.validate_on_submit():
        try:
            inviting.set_places(db(), house().keys, house().catalogue, meeting_id, form.places(), by=access.member().id)
        except Refused as refusal:
            form.refuse(refusal)
        else:
            flash(_("Antalet är ändrat."))
            return redirect(url_for("coordinator.meeting", meeting_id=meeting_id), code=303)
    page = render_template("coordinator/places.html", overview=overview, form=form)
    return (page, 400) if form.is_refused else page


@pages.route("/<meeting_id>/close", methods=["GET", "POST"])
@coordinators
def close(meeting_id: str) -> PageReply:
    """Close by hand and count, after a page that says what that means."""
    overview = access.meeting_or_404(meeting_id)
    if request.method == "POST":
        counting.close_and_count(db(), house().keys, meeting_id, today(), by=access.member().id)
        return redirect(url_for("coordinator.meeting", meeting_id=meeting_id), code=303)
    if overview.meeting.state is MeetingState.COUNTED:
        return redirect(url_for("coordinator.meeting", meeting_id=meeting_id), code=303)
    return render_template("coordinator/close.html", overview=overview, plain=PlainForm())


def _begin(form: MeetingForm) -> None:
    """A fresh form, in the same assignment where the coordinator comes from one."""
    known = stored.find_assignment(db(), request.args.get("assignment", ""))
    if known and known.unit in access.my_units():
        form.reference.data, form.unit.data = known.reference, known.unit
        form.source.data, form.protected.data = known.source, known.protected


def _start(form: MeetingForm) -> str:
    reference = inviting.judge_reference(form.reference.data or "")
    plan = inviting.Plan(
        kind=Kind(form.kind.data),
        held=form.held.data or today(),
        closes=form.closes.data,
        places=form.places(),
        leader=access.member().id,
        questionnaires={Role.CHILD: form.child_form.data},
    )
    inviting.judge_plan(plan, today())  # before the assignment is opened for nothing
    assignment = inviting.open_assignment(
        db(),
        reference,
        form.unit.data,
        Source(form.source.data) if form.source.data else None,
        form.protected.data,
        by=access.member().id,
    )
    started = inviting.start_meeting(
        db(), house().keys, house().catalogue, assignment.id, plan, today(), by=access.member().id
    )
    return started.id


def _units() -> list[Unit]:
    """The units where the signed-in coordinator may open assignments, their own first."""
    mine = access.my_units()
    return sorted(
        (unit for unit in staff.units(db()) if unit.id in mine),
        key=lambda unit: (unit.id != access.member().unit, unit.name),
    )


def _child_forms() -> list[Choice]:
    return [choice(form.id, _(QUESTIONNAIRES[form.id])) for form in house().catalogue.choices(Role.CHILD)]
