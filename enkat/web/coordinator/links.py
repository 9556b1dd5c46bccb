"""Personal links: made, shown, replaced, taken back, and how each is written and drawn."""

from dataclasses import dataclass
from urllib.parse import quote

import segno
from flask import abort, flash, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from enkat import addresses, inviting
from enkat.i18n import SOURCE
from enkat.inviting import contacting, reminding
from enkat.inviting.letters import sms_text
from enkat.model.meeting import Channel, MeetingOverview, OpenedLink
from enkat.model.message import MessageState, Purpose, Reason
from enkat.model.survey import Role
from enkat.storage import contacts, invitations, messages
from enkat.web import access
from enkat.web.context import base_url, db, desk, house, today, translator
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
from enkat.web.coordinator.handouts import said_twice, tongues_of
from enkat.web.forms import SendForm
from enkat.wording.participants import MAIL_SUBJECT


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
    return links_page(overview)


def links_page(overview: MeetingOverview, link_id: str | None = None, form: SendForm | None = None) -> str:
    """The page of personal links; with a form that was refused at one of them."""
    meeting_id = overview.meeting.id
    return render_template(
        "coordinator/links.html",
        overview=overview,
        links=[link for link in links_of(overview) if not link.is_room],
        kinds=link_kinds(),
        form_name=form_name,
        channels=house().settings.channels,
        health=messages.health(db()),
        ways=_ways(meeting_id),
        reminder=reminding.plan(db(), overview.meeting, today(), house().settings.reminder_days),
        reminder_days=house().settings.reminder_days,
        languages=[(one.language, said_twice(one)) for one in tongues_of(overview).all],
        refused={link_id: form} if link_id else {},
        **page_settings(overview),
    )


@dataclass(frozen=True)
class Way:
    """Where a link goes and how far it has come; `state` None where nothing was sent since the link was replaced."""

    channel: Channel
    shown: str
    language: str
    state: MessageState | None
    reason: Reason | None


def _ways(meeting_id: str) -> dict[str, list[Way]]:
    """Of each link: its addresses, hidden in part, and what has become of the link there. Of reminders nothing is told:
    they go only to those who have not answered."""
    sent = {one.contact: one for one in messages.of_meeting(db(), meeting_id) if one.purpose is Purpose.LINK}
    places = {one.invitation: one.id for one in invitations.live_links(db(), meeting_id) if one.invitation}
    ways: dict[str, list[Way]] = {}
    for contact in contacts.of_meeting(db(), meeting_id):
        message = sent.get(contact.id)
        shown = addresses.masked(contact.channel, contacting.opened(house().keys, contact))
        state, reason = (message.state, message.reason) if message else (None, None)
        way = Way(contact.channel, shown, contact.language, state, reason)
        ways.setdefault(places.get(contact.invitation, ""), []).append(way)
    return ways


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
    code = segno.make(desk().address(key, language), error="m", micro=False)
    return Markup(code.svg_inline(border=0, omitsize=True, svgclass="qr", lineclass=None))


@pages.app_template_filter("address")
def address(key: str) -> str:
    """A link's whole address."""
    return desk().address(key)


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
    return f"mailto:?subject={quote(_(MAIL_SUBJECT))}&body={quote(_neutral(key))}"


def _neutral(key: str) -> str:
    """Says nothing of a case, a child or social services: somebody else may read it over a shoulder."""
    return sms_text(house().languages[translator().language], Purpose.LINK, address(key))


def link_kinds() -> list[tuple[str, Role, str | None]]:
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
