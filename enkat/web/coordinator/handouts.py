"""What is handed out or said in the room: slips, and words to read aloud; each in the language chosen for it."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import render_template, request
from markupsafe import Markup

from enkat.catalogue import translated
from enkat.i18n import SOURCE, Translator
from enkat.model.meeting import MeetingOverview, OpenedLink
from enkat.model.survey import Questionnaire, Role
from enkat.web import access
from enkat.web.context import gettext as _
from enkat.web.context import house, speaking, translator
from enkat.web.coordinator.base import PageReply, coordinators, links_of, pages, planned_places, room_places
from enkat.wording import ROLES


@pages.get("/<meeting_id>/slips")
@coordinators
def slips(meeting_id: str) -> PageReply:
    """Slips of paper for the room, one for each person planned, in one of the languages its forms can be had in."""
    overview = access.meeting_or_404(meeting_id)
    planned = planned_places(meeting_id)
    rooms = [link for link in links_of(overview) if link.is_room and planned[link.role]]
    copies = [link for link in rooms for _copy in range(planned[link.role])]
    tongues = _tongues(rooms)
    mine = {"tongue": translator().language, "groups": {link.role: _(ROLES[link.role]) for link in rooms}}
    with speaking(tongues.chosen.language):
        titles = {link.role: _title(link.questionnaire) for link in rooms}
        sheet = render_template(
            "participant/slips.html", slips=copies, titles=titles, roles=ROLES, closes=overview.meeting.closes, **mine
        )
    return render_template(
        "coordinator/slips.html",
        overview=overview,
        has_slips=bool(copies),
        sheet=Markup(sheet),
        tongues=tongues,
        full=full_groups(meeting_id, planned),
    )


@pages.get("/<meeting_id>/announcement")
@coordinators
def announcement(meeting_id: str) -> PageReply:
    """What to say in the room before the codes are shown."""
    overview = access.meeting_or_404(meeting_id)
    tongues = tongues_of(overview)
    sms, mail = house().settings.sms, house().settings.mail_from
    senders = (
        {}
        if overview.assignment.protected
        else {"sms_sender": sms and sms.sender, "mail_sender": mail and mail.address}
    )
    with speaking(tongues.chosen.language):
        words = render_template("participant/announcement.html", **senders)
    return render_template("coordinator/announcement.html", overview=overview, words=Markup(words), tongues=tongues)


@pages.get("/<meeting_id>/paper")
@coordinators
def paper(meeting_id: str) -> PageReply:
    """Forms on paper: one for each group of the room, all alike within it, or one for a personal link."""
    overview = access.meeting_or_404(meeting_id)
    planned = planned_places(meeting_id)
    every = links_of(overview)
    chosen = [link for link in every if link.id == request.args.get("link") and not link.is_room]
    links = chosen or [link for link in every if link.is_room and planned[link.role]]
    tongues = _tongues(links)
    last = translator().day(overview.meeting.closes)
    typed = {
        role: _("Skrivs in senast %(day)s. Grupp: %(group)s.", day=last, group=_(name)) for role, name in ROLES.items()
    }
    mine = {"typist": translator(), "typist_line": typed, "roles": ROLES}
    with speaking(tongues.chosen.language):
        sheets = [
            render_template("participant/paper.html", link=link, questionnaire=_translated(link.questionnaire), **mine)
            for link in links
        ]
    return render_template(
        "coordinator/paper.html",
        overview=overview,
        sheets=[(link, Markup(sheet)) for link, sheet in zip(links, sheets, strict=True)],
        link_id=chosen[0].id if chosen else None,
        full=[] if chosen else full_groups(meeting_id, planned),
        tongues=tongues,
    )


@dataclass(frozen=True)
class Tongues:
    """The languages that something for participants can be had in, and the one that was chosen for it."""

    all: list[Translator]
    chosen: Translator


def full_groups(meeting_id: str, planned: Mapping[Role, int]) -> list[Role]:
    """The groups whose code in the room leads to no place, for personal links hold them all."""
    left = room_places(meeting_id)
    return [role for role, places in planned.items() if places and left[role] <= 0]


def said_twice(one: Translator) -> str:
    """A language's name for whoever does not read it, and its own: Arabiska – العربية."""
    name = translator().name_of(one.language)
    return one.name if name.casefold() == one.name.casefold() else f"{name[:1].upper()}{name[1:]} – {one.name}"


def tongues_of(overview: MeetingOverview) -> Tongues:
    """The languages of what is handed out at a meeting."""
    return _tongues([link for link in links_of(overview) if link.is_room])


def _tongues(rooms: list[OpenedLink]) -> Tongues:
    """Those that every form of the rooms is offered in; the address says which one was chosen."""
    offered = house().languages.translators
    for link in rooms:
        its_own = {one.language for one in house().offered[link.questionnaire]}
        offered = {language: one for language, one in offered.items() if language in its_own}
    return Tongues(list(offered.values()), offered.get(request.args.get("language", ""), offered[SOURCE]))


def _title(questionnaire: str) -> str:
    return _translated(questionnaire).title


def _translated(questionnaire: str) -> Questionnaire:
    return translated(house().catalogue[questionnaire], translator().question)
