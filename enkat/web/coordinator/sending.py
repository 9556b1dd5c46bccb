"""Links that enkat sends by itself: one to an address, or a whole list of them; and the one reminder."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from enkat import addresses
from enkat.i18n import SOURCE
from enkat.inviting import contacting, lists, outbox, reminding
from enkat.inviting.contacting import Address
from enkat.inviting.letters import write_letter
from enkat.inviting.lists import Row, Words
from enkat.messaging.sms import Length, measure
from enkat.model.errors import NotFound, Refused
from enkat.model.meeting import Channel, MeetingOverview
from enkat.model.message import Letter, Purpose
from enkat.model.survey import Role
from enkat.web import access
from enkat.web.context import db, desk, house, ngettext, translator
from enkat.web.context import gettext as _
from enkat.web.coordinator.base import PageReply, act, coordinators, links_of, pages, room_places
from enkat.web.coordinator.handouts import said_twice, tongues_of
from enkat.web.coordinator.links import link_kinds, links_page
from enkat.web.forms import Choice, ListForm, SendForm, choice
from enkat.wording import OTHER_GROUP_NAMES, OTHER_LANGUAGE_NAMES, QUESTIONNAIRES, REFUSALS, ROLES, SHORT_ROLES

#: What stands in a message that is shown before there is a link: as long as a key.
_NO_KEY = "·" * 10


@pages.post("/<meeting_id>/links/<link_id>/send")
@coordinators
def send(meeting_id: str, link_id: str) -> PageReply:
    """Send a link to a number or address; what is refused is said where it was typed."""
    overview = access.meeting_or_404(meeting_id)
    if link_id not in {link.id for link in links_of(overview) if not link.is_room}:
        abort(404)
    form = SendForm()
    form.language.choices = _languages(overview)
    if not form.validate():
        return links_page(overview, link_id, form), 400
    try:
        channel, address = addresses.read(form.address.data or "")
        to = Address(link_id, channel, address, form.language.data)
        outbox.send_link(db(), house().keys, desk(), meeting_id, to, by=access.member().id)
    except NotFound:  # taken back in this moment
        abort(404)
    except Refused as refusal:
        form.refuse(refusal)
        return links_page(overview, link_id, form), 400
    flash(_("Länken skickas. Det kan ta någon minut."))
    return _to_links(meeting_id, link_id)


@pages.post("/<meeting_id>/links/<link_id>/again")
@coordinators
def send_again(meeting_id: str, link_id: str) -> PageReply:
    """Send a link once more to where it went."""
    access.meeting_or_404(meeting_id)
    act(
        lambda: outbox.send_again(db(), house().keys, desk(), meeting_id, link_id, by=access.member().id),
        _("Länken skickas. Det kan ta någon minut."),
    )
    return _to_links(meeting_id, link_id)


@pages.post("/<meeting_id>/reminder")
@coordinators
def reminder(meeting_id: str) -> PageReply:
    """Turn the reminder on or off."""
    access.meeting_or_404(meeting_id)
    on = request.form.get("on") == "1"
    act(
        lambda: reminding.turn(db(), meeting_id, on, by=access.member().id),
        _("Påminnelsen är på.") if on else _("Påminnelsen är av."),
    )
    return redirect(url_for("coordinator.links", meeting_id=meeting_id, _anchor="reminder"), code=303)


@pages.route("/<meeting_id>/send", methods=["GET", "POST"])
@coordinators
def send_list(meeting_id: str) -> PageReply:
    """Links for a whole list: shown row by row first, and sent when every row is good and was seen."""
    overview = access.meeting_or_404(meeting_id)
    form = ListForm()
    form.group.choices = [choice(value, name or _(ROLES[role])) for value, role, name in link_kinds()]
    form.language.choices = _languages(overview)
    if request.method != "POST":
        return _list_page(overview, form, [])
    is_valid = form.validate()
    form.take_file()
    rows = _judged(overview, form) if is_valid and not form.is_refused else []
    is_good = bool(rows) and not any(row.refusal for row in rows) and not form.is_refused
    if is_good and request.form.get("step") == "send" and form.seen.data == _digest(form):
        sent = _send_all(overview, form, rows)
        if sent is not None:
            return sent
        is_good = False
    form.seen.data = _digest(form) if is_good else ""
    return _list_page(overview, form, rows), 200 if is_good else 400


def _send_all(overview: MeetingOverview, form: ListForm, rows: list[Row]) -> Response | None:
    recipients = [row.recipient for row in rows if row.recipient]
    try:
        made = outbox.send_new_links(
            db(), house().keys, house().catalogue, desk(), overview.meeting.id, recipients, by=access.member().id
        )
    except Refused as refusal:
        form.refuse(refusal)
        return None
    flash(ngettext("%(num)s länk skickas.", "%(num)s länkar skickas.", len(made)) % {"num": len(made)})
    return redirect(url_for("coordinator.links", meeting_id=overview.meeting.id), code=303)


def _judged(overview: MeetingOverview, form: ListForm) -> list[Row]:
    known = contacting.addresses(db(), house().keys, overview.meeting.id)
    role, _sep, questionnaire = form.group.data.partition(":")
    try:
        outbox.open_to_messages(db(), desk(), overview.meeting.id)
        return lists.read(
            form.addresses.data or "",
            _words(overview),
            (Role(role), questionnaire or None),
            form.language.data,
            frozenset((one.channel, one.address) for one in known),
            house().settings.channels,
        )
    except Refused as refusal:
        form.refuse(refusal)
        return []


def _words(overview: MeetingOverview) -> Words:
    """What groups and languages may be called in a list: as on the page, in Swedish, and as the program does."""
    groups: dict[str, lists.Group] = {}
    for role in Role:
        for said in (ROLES[role], SHORT_ROLES[role], _(ROLES[role]), _(SHORT_ROLES[role]), role.value):
            groups[said.casefold()] = (role, None)
        forms = house().catalogue.choices(role)
        for form in forms if len(forms) > 1 else ():
            for name in (QUESTIONNAIRES[form.id], _(QUESTIONNAIRES[form.id])):
                for part in name.split(","):  # a comma stands between columns
                    groups.setdefault(part.strip().casefold(), (role, form.id))
    languages = {}
    source, own = house().languages[SOURCE], translator()
    for one in tongues_of(overview).all:
        for name in (one.language, one.name, source.name_of(one.language), own.name_of(one.language)):
            languages[name.casefold()] = one.language
        languages |= dict.fromkeys(OTHER_LANGUAGE_NAMES.get(one.language, ()), one.language)
    for role, names in OTHER_GROUP_NAMES.items():
        groups |= dict.fromkeys(names, groups[role.value])
    return Words(groups, languages)


@dataclass(frozen=True)
class Sample:
    """What somebody will get: the message, and for an SMS how long it is."""

    letter: Letter
    language: str
    length: Length | None


def _samples(overview: MeetingOverview, rows: Iterable[Row]) -> list[Sample]:
    """One for each channel and language of a list."""
    kinds = {(row.recipient.channel, row.recipient.language) for row in rows if row.recipient}
    samples = []
    for channel, language in sorted(kinds, key=lambda kind: (kind[0] is Channel.EMAIL, kind[1] != SOURCE, kind[1])):
        letter = write_letter(desk(), channel, Purpose.LINK, "", _NO_KEY, overview.meeting.closes, language)
        length = measure(letter.text.replace(_NO_KEY, "X" * 10)) if channel is Channel.SMS else None
        samples.append(Sample(letter, translator().name_of(language), length))
    return samples


def _crowded(overview: MeetingOverview, rows: Iterable[Row]) -> dict[Role, tuple[int, int]]:
    """Of the groups whose code in the room would have no place left: how many links, and how many places there are."""
    wanted = Counter(row.recipient.role for row in rows if row.recipient)
    left = room_places(overview.meeting.id)
    return {role: (number, max(0, left[role])) for role, number in wanted.items() if number >= left[role]}


def _list_page(overview: MeetingOverview, form: ListForm, rows: list[Row]) -> str:
    return render_template(
        "coordinator/send.html",
        overview=overview,
        form=form,
        rows=rows,
        refusals=REFUSALS,
        samples=_samples(overview, rows),
        crowded=_crowded(overview, rows),
        last_row=max(5, min(20, (form.addresses.data or "").count("\n") + 2)),
        is_ready=bool(form.seen.data),
    )


def _digest(form: ListForm) -> str:
    """By this a list that is sent is known to be the one that was shown."""
    shown = "\0".join((form.addresses.data or "", form.group.data or "", form.language.data or ""))
    return hashlib.sha256("\n".join(shown.splitlines()).encode()).hexdigest()


def _languages(overview: MeetingOverview) -> list[Choice]:
    return [choice(one.language, said_twice(one)) for one in tongues_of(overview).all]


def _to_links(meeting_id: str, link_id: str) -> Response:
    return redirect(url_for("coordinator.links", meeting_id=meeting_id, _anchor=f"link-{link_id}"), code=303)
