"""The coordinator's pages: make a meeting, hand out its links, see how many have answered, close and count."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

import segno
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from enkat import counting, inviting
from enkat.catalogue import translated
from enkat.i18n import SOURCE, Translator
from enkat.model.errors import NotFound, Refused
from enkat.model.meeting import Kind, MeetingOverview, MeetingState, OpenedLink, Source
from enkat.model.staff import StaffRole, Unit
from enkat.model.survey import Role
from enkat.storage import meetings, staff
from enkat.web import access
from enkat.web.context import base_url, db, house, speaking, today, translator
from enkat.web.context import gettext as _
from enkat.web.forms import Choice, MeetingForm, PlacesForm, PlainForm, choice, prepare_meeting_form
from enkat.wording import QUESTIONNAIRES, REFUSALS, ROLES

pages = Blueprint("coordinator", __name__, url_prefix="/staff/meetings")

coordinators = access.staff_only(StaffRole.COORDINATOR)

_Page = str | tuple[str, int] | Response


@pages.route("/new", methods=["GET", "POST"])
@coordinators
def new() -> _Page:
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
    references = meetings.references(db(), access.my_units())
    page = render_template("coordinator/new.html", form=form, units=units, references=references)
    return (page, 400) if form.is_refused else page


@pages.get("/<meeting_id>")
@coordinators
def meeting(meeting_id: str) -> _Page:
    """The meeting in the room: a code for each role, and how many have answered."""
    overview = access.meeting_or_404(meeting_id)
    planned = _planned(meeting_id)
    rooms = [link for link in _links(overview) if link.is_room and planned[link.role]]
    shown = next((room for room in rooms if room.role == request.args.get("role")), rooms[0] if rooms else None)
    return render_template(
        "coordinator/meeting.html", overview=overview, rooms=rooms, shown=shown, **_settings(overview)
    )


@pages.get("/<meeting_id>/progress")
@access.staff_only(StaffRole.COORDINATOR, passive=True)
def progress(meeting_id: str) -> _Page:
    """The ring alone, for the page to fetch now and then."""
    overview = access.meeting_or_404(meeting_id)
    return render_template("coordinator/progress.html", overview=overview, today=today())


@pages.get("/<meeting_id>/room/<role>")
@coordinators
def room(meeting_id: str, role: str) -> _Page:
    """One role's code, as large as the screen."""
    overview = access.meeting_or_404(meeting_id)
    found = [link for link in _links(overview) if link.is_room and link.role == role]
    if not found:
        abort(404)
    return render_template("coordinator/room.html", overview=overview, link=found[0])


@pages.post("/<meeting_id>/room/<link_id>/replace")
@coordinators
def replace_room(meeting_id: str, link_id: str) -> _Page:
    """A new code for a room, where the old one has got into the wrong hands."""
    access.meeting_or_404(meeting_id)
    made = _act(
        lambda: inviting.replace_link(db(), house().keys, meeting_id, link_id, by=access.member().id),
        _("Koden är utbytt. Gamla lappar och bilder leder ingenstans."),
    )
    role = made.role if made else None
    return redirect(url_for("coordinator.meeting", meeting_id=meeting_id, role=role), code=303)


@pages.route("/<meeting_id>/links", methods=["GET", "POST"])
@coordinators
def links(meeting_id: str) -> _Page:
    """Personal links for those who have gone: one tap makes one."""
    overview = access.meeting_or_404(meeting_id)
    if request.method == "POST":
        role, _sep, questionnaire = request.form.get("for", "").partition(":")
        if role not in list(Role):
            abort(400)
        before = sum(_planned(meeting_id).values())
        made = _act(
            lambda: inviting.add_personal_links(
                db(),
                house().keys,
                house().catalogue,
                meeting_id,
                Role(role),
                questionnaire or None,
                by=access.member().id,
            )[0]
        )
        if (after := sum(_planned(meeting_id).values())) > before:
            flash(_("Alla planerade platser hade redan egna länkar. Antalet bjudna är nu %(number)s.", number=after))
        return _back_to_links(meeting_id, made)
    personal = [link for link in _links(overview) if not link.is_room]
    return render_template(
        "coordinator/links.html",
        overview=overview,
        links=personal,
        kinds=_link_kinds(),
        form_name=_form_name,
        **_settings(overview),
    )


@pages.post("/<meeting_id>/links/<link_id>/replace")
@coordinators
def replace(meeting_id: str, link_id: str) -> _Page:
    """Another key to the same place."""
    access.meeting_or_404(meeting_id)
    made = _act(
        lambda: inviting.replace_link(db(), house().keys, meeting_id, link_id, by=access.member().id),
        _("Länken är utbytt. Den gamla leder ingenstans."),
    )
    return _back_to_links(meeting_id, made)


@pages.post("/<meeting_id>/links/<link_id>/revoke")
@coordinators
def revoke(meeting_id: str, link_id: str) -> _Page:
    """Take a personal link back."""
    access.meeting_or_404(meeting_id)
    _act(
        lambda: inviting.revoke_link(db(), meeting_id, link_id, by=access.member().id),
        _("Länken är återkallad och leder ingenstans."),
    )
    return redirect(url_for("coordinator.links", meeting_id=meeting_id), code=303)


@pages.get("/<meeting_id>/slips")
@coordinators
def slips(meeting_id: str) -> _Page:
    """Slips of paper for the room, one for each person planned, in one of the languages its forms can be had in."""
    overview = access.meeting_or_404(meeting_id)
    planned = _planned(meeting_id)
    rooms = [link for link in _links(overview) if link.is_room and planned[link.role]]
    copies = [link for link in rooms for _copy in range(planned[link.role])]
    tongues = _tongues(rooms)
    mine = {"tongue": translator().language, "groups": {link.role: _(ROLES[link.role]) for link in rooms}}
    with speaking(tongues.chosen.language):
        titles = {link.role: _title(link.questionnaire) for link in rooms}
        sheet = render_template(
            "participant/slips.html", slips=copies, titles=titles, roles=ROLES, closes=overview.meeting.closes, **mine
        )
    return render_template(
        "coordinator/slips.html", overview=overview, has_slips=bool(copies), sheet=Markup(sheet), tongues=tongues
    )


@pages.get("/<meeting_id>/announcement")
@coordinators
def announcement(meeting_id: str) -> _Page:
    """What to say in the room before the codes are shown."""
    overview = access.meeting_or_404(meeting_id)
    tongues = _tongues([link for link in _links(overview) if link.is_room])
    with speaking(tongues.chosen.language):
        words = render_template("participant/announcement.html")
    return render_template("coordinator/announcement.html", overview=overview, words=Markup(words), tongues=tongues)


@pages.route("/<meeting_id>/places", methods=["GET", "POST"])
@coordinators
def places(meeting_id: str) -> _Page:
    """Change how many are invited of each role."""
    overview = access.meeting_or_404(meeting_id)
    if overview.meeting.state is MeetingState.COUNTED:
        abort(404)
    form = PlacesForm(data={role.value: number for role, number in _planned(meeting_id).items()})
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
def close(meeting_id: str) -> _Page:
    """Close by hand and count, after a page that says what that means."""
    overview = access.meeting_or_404(meeting_id)
    if request.method == "POST":
        counting.close_and_count(db(), house().keys, meeting_id, today(), by=access.member().id)
        return redirect(url_for("coordinator.meeting", meeting_id=meeting_id), code=303)
    if overview.meeting.state is MeetingState.COUNTED:
        return redirect(url_for("coordinator.meeting", meeting_id=meeting_id), code=303)
    return render_template("coordinator/close.html", overview=overview, plain=PlainForm())


@pages.app_template_filter("qr")
def qr(key: str, language: str = SOURCE) -> Markup:
    """The QR code of a link as inline SVG, dark on nothing; the page gives it a white ground. The link opens in the
    phone's language, or in another that was chosen for it."""
    wish = "" if language == SOURCE else f"?lang={language}"
    code = segno.make(address(key) + wish, error="m", micro=False)
    return Markup(code.svg_inline(border=0, omitsize=True, svgclass="qr", lineclass=None))


@pages.app_template_filter("address")
def address(key: str) -> str:
    """A link's whole address."""
    return f"{base_url()}/{key}"


@pages.app_template_filter("bare_address")
def bare_address(_key: str) -> str:
    """What is typed before the key, without the scheme."""
    return base_url().partition("://")[2]


@pages.app_template_filter("sms")
def sms(key: str) -> str:
    """Opens the coordinator's own messages with a neutral text ready."""
    return f"sms:?&body={quote(_neutral(key))}"


@pages.app_template_filter("mail")
def mail(key: str) -> str:
    """Opens the coordinator's own mail, likewise."""
    return f"mailto:?subject={quote(_('Några frågor'))}&body={quote(_neutral(key))}"


def _neutral(key: str) -> str:
    """Says nothing of a case, a child or social services: somebody else may read it over a shoulder."""
    return _("Hej! Här är länken jag berättade om: %(link)s", link=address(key))


def _begin(form: MeetingForm) -> None:
    """A fresh form, in the same assignment where the coordinator comes from one."""
    known = meetings.find_assignment(db(), request.args.get("assignment", ""))
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


def _link_kinds() -> list[tuple[str, Role, str | None]]:
    """What a personal link can be made for: a role, and the questionnaire where the role has several."""
    return [
        (f"{role}:{form.id}", role, _form_name(role, form.id))
        for role in Role
        for form in house().catalogue.choices(role)
    ]


def _form_name(role: Role, form: str) -> str | None:
    """What a questionnaire is called where a role has several; else the role says it."""
    return _(QUESTIONNAIRES[form]) if len(house().catalogue.choices(role)) > 1 else None


def _planned(meeting_id: str) -> dict[Role, int]:
    """How many of each role are invited."""
    invited = meetings.invited(db(), meeting_id)
    return {role: sum(places for (one, _stage), places in invited.items() if one is role) for role in Role}


def _back_to_links(meeting_id: str, made: OpenedLink | None) -> Response:
    """The links page again, at the link just made."""
    anchor = f"link-{made.id}" if made else None
    return redirect(url_for("coordinator.links", meeting_id=meeting_id, _anchor=anchor), code=303)


@dataclass(frozen=True)
class Tongues:
    """The languages that something for participants can be had in, and the one that was chosen for it."""

    all: list[Translator]
    chosen: Translator


def _tongues(rooms: list[OpenedLink]) -> Tongues:
    """Those that every form of the rooms is offered in; the address says which one was chosen."""
    offered = house().languages.translators
    for link in rooms:
        its_own = {one.language for one in house().offered[link.questionnaire]}
        offered = {language: one for language, one in offered.items() if language in its_own}
    return Tongues(list(offered.values()), offered.get(request.args.get("language", ""), offered[SOURCE]))


def _title(questionnaire: str) -> str:
    form = house().catalogue[questionnaire]
    return translated(form, translator().question).title


def _links(overview: MeetingOverview) -> list[OpenedLink]:
    return inviting.links(db(), house().keys, overview.meeting.id)


def _settings(overview: MeetingOverview) -> dict[str, object]:
    return {"today": today(), "plain": PlainForm(), "is_open": overview.meeting.is_open(today())}


def _act(action: Callable[[], OpenedLink | None], done: str | None = None) -> OpenedLink | None:
    """Do what a button says; what refuses is said on the page, what is not there is a 404."""
    try:
        result = action()
    except NotFound:
        abort(404)
    except Refused as refusal:
        flash(_(REFUSALS[refusal.reason]), "fault")
        return None
    if done:
        flash(done)
    return result
