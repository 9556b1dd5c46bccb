"""What the coordinator's pages share."""

from collections import Counter
from collections.abc import Callable

from flask import Blueprint, abort, flash
from werkzeug.wrappers import Response

from enkat import inviting
from enkat.model.errors import NotFound, Refused
from enkat.model.meeting import MeetingOverview, OpenedLink
from enkat.model.staff import StaffRole
from enkat.model.survey import Role
from enkat.storage import meetings
from enkat.web import access
from enkat.web.context import db, house, today
from enkat.web.context import gettext as _
from enkat.web.forms import PlainForm
from enkat.wording import QUESTIONNAIRES, REFUSALS

pages = Blueprint("coordinator", __name__, url_prefix="/staff/meetings")

coordinators = access.staff_only(StaffRole.COORDINATOR)

PageReply = str | tuple[str, int] | Response


def form_name(role: Role, form: str) -> str | None:
    """What a questionnaire is called where a role has several; else the role says it."""
    return _(QUESTIONNAIRES[form]) if len(house().catalogue.choices(role)) > 1 else None


def planned_places(meeting_id: str) -> dict[Role, int]:
    """How many of each role are invited."""
    invited = meetings.invited(db(), meeting_id)
    return {role: sum(places for (one, _stage), places in invited.items() if one is role) for role in Role}


def links_of(overview: MeetingOverview) -> list[OpenedLink]:
    return inviting.links(db(), house().keys, overview.meeting.id)


def page_settings(overview: MeetingOverview) -> dict[str, object]:
    return {"today": today(), "plain": PlainForm(), "is_open": overview.meeting.is_open(today())}


def act(action: Callable[[], OpenedLink | None], done: str | None = None) -> OpenedLink | None:
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


def room_places(meeting_id: str) -> dict[Role, int]:
    """How many places of each role are left to the code in the room: those planned that no personal link holds. What
    has been answered has no part in it."""
    held = Counter(link.role for link in inviting.links(db(), house().keys, meeting_id) if not link.is_room)
    return {role: places - held[role] for role, places in planned_places(meeting_id).items()}
