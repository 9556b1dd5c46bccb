"""Who may enter: every view says so, and one that says nothing is closed to everybody."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from flask import abort, current_app, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from enkat import staffing
from enkat.model.meeting import MeetingOverview
from enkat.model.staff import StaffMember, StaffRole
from enkat.storage import meetings, staff
from enkat.web.context import db, now

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Access:
    """A view's declaration: open to the public, or to staff with one of the roles. A `passive` view is fetched
    by a page on its own and does not count as use."""

    public: bool
    roles: frozenset[StaffRole] = frozenset()
    passive: bool = False


def public(view: View) -> View:
    """Open to everybody."""
    return _declare(view, Access(public=True))


def staff_only(*roles: StaffRole, passive: bool = False) -> Callable[[View], View]:
    """Open to signed-in staff with any of the roles; with none named, to all staff."""
    return lambda view: _declare(view, Access(False, frozenset(roles or StaffRole), passive))


def guard() -> Response | None:
    """Runs before every view: lets in, sends to the sign-in, or refuses."""
    if request.endpoint is None:
        return None
    access = getattr(current_app.view_functions[request.endpoint], "access", None)
    if access is None:
        abort(403)
    if access.public:
        return None
    found = _signed_in(is_use=not access.passive)
    if found is None:
        session.pop("sid", None)
        return redirect(url_for("staff.sign_in", back=None if access.passive else _page_asked_for()), code=303)
    if not found.roles & access.roles:
        abort(403)
    g.member = found
    return None


def member() -> StaffMember:
    """Who is signed in, behind a guarded view."""
    return cast("StaffMember", g.member)


def my_units() -> frozenset[str]:
    """The units whose meetings the signed-in member may see: the own and those below."""
    if "units" not in g:
        g.units = staff.units_below(db(), member().unit)
    return cast("frozenset[str]", g.units)


def meeting_or_404(meeting: str) -> MeetingOverview:
    """A meeting of one's own units; another unit's answers as one that does not exist."""
    found = meetings.overview(db(), meeting)
    if found is None or found.assignment.unit not in my_units():
        abort(404)
    return found


def _declare(view: View, access: Access) -> View:
    view.access = access  # type: ignore[attr-defined]
    return view


def _page_asked_for() -> str | None:
    """Where to come back to after signing in: the page asked for, or the one that a form was sent from."""
    rule = request.url_rule
    return request.full_path.rstrip("?") if rule and "GET" in (rule.methods or ()) else None


def _signed_in(is_use: bool) -> StaffMember | None:
    secret = session.get("sid")
    return staffing.signed_in(db(), secret, now(), is_use=is_use) if isinstance(secret, str) else None
