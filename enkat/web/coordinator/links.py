"""Personal links: made, shown, replaced, taken back, and how each is written and drawn."""

from urllib.parse import quote

import segno
from flask import abort, flash, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from enkat import inviting
from enkat.i18n import SOURCE
from enkat.model.meeting import OpenedLink
from enkat.model.survey import Role
from enkat.web import access
from enkat.web.context import base_url, db, house
from enkat.web.context import gettext as _
from enkat.web.coordinator.base import (
    PageReply,
    act,
    coordinators,
    form_name,
    links_of,
    page_settings,
    pages,
    planned_places,
)


@pages.route("/<meeting_id>/links", methods=["GET", "POST"])
@coordinators
def links(meeting_id: str) -> PageReply:
    """Personal links for those who have gone: one tap makes one."""
    overview = access.meeting_or_404(meeting_id)
    if request.method == "POST":
        role, _sep, questionnaire = request.form.get("for", "").partition(":")
        if role not in list(Role):
            abort(400)
        before = sum(planned_places(meeting_id).values())
        made = act(
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
        if (after := sum(planned_places(meeting_id).values())) > before:
            flash(_("Alla planerade platser hade redan egna länkar. Antalet bjudna är nu %(number)s.", number=after))
        return _back_to_links(meeting_id, made)
    personal = [link for link in links_of(overview) if not link.is_room]
    return render_template(
        "coordinator/links.html",
        overview=overview,
        links=personal,
        kinds=_link_kinds(),
        form_name=form_name,
        **page_settings(overview),
    )


@pages.post("/<meeting_id>/links/<link_id>/replace")
@coordinators
def replace(meeting_id: str, link_id: str) -> PageReply:
    """Another key to the same place."""
    access.meeting_or_404(meeting_id)
    made = act(
        lambda: inviting.replace_link(db(), house().keys, meeting_id, link_id, by=access.member().id),
        _("Länken är utbytt. Den gamla leder ingenstans."),
    )
    return _back_to_links(meeting_id, made)


@pages.post("/<meeting_id>/links/<link_id>/revoke")
@coordinators
def revoke(meeting_id: str, link_id: str) -> PageReply:
    """Take a personal link back."""
    access.meeting_or_404(meeting_id)
    act(
        lambda: inviting.revoke_link(db(), meeting_id, link_id, by=access.member().id),
        _("Länken är återkallad och leder ingenstans."),
    )
    return redirect(url_for("coordinator.links", meeting_id=meeting_id), code=303)


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


def _link_kinds() -> list[tuple[str, Role, str | None]]:
    """What a personal link can be made for: a role, and the questionnaire where the role has several."""
    return [
        (f"{role}:{form.id}", role, form_name(role, form.id))
        for role in Role
        for form in house().catalogue.choices(role)
    ]


def _back_to_links(meeting_id: str, made: OpenedLink | None) -> Response:
    """The links page again, at the link just made."""
    anchor = f"link-{made.id}" if made else None
    return redirect(url_for("coordinator.links", meeting_id=meeting_id, _anchor=anchor), code=303)
