"""What each command does: a use case, and what it prints. The exit code is 0 unless one is returned."""

import argparse
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

from sqlite_utils import Database

from enkat import (
    __version__,
    checking,
    counting,
    exports,
    inviting,
    publishing,
    sending,
    settings,
    severing,
    staffing,
    worker,
)
from enkat.demo import MUNICIPALITY, fill
from enkat.house import House, open_house
from enkat.model.errors import EnkatError, NotFound, Refused
from enkat.model.meeting import Assignment, Channel, Kind, OpenedLink, Source
from enkat.model.message import Reason, SendingFailed
from enkat.model.result import PLUS, Grain, Outcome
from enkat.model.staff import StaffRole, Unit
from enkat.model.survey import Role
from enkat.publishing.clerk import Decision
from enkat.secrecy import tokens
from enkat.settings import Settings
from enkat.storage import audit, meetings, snapshots, staff, witness
from enkat.storage.engine import clear_remnants

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8000

_Arguments = argparse.Namespace


def demo(arguments: _Arguments) -> None:
    with _house(_served(arguments)) as (house, db):
        shown = fill(house, db, arguments.seed, arguments.responses, _progress)
    links = [_link(house, link) for link in shown.links]
    if arguments.json:
        people = [vars(person) for person in shown.staff]
        _print_json({"staff": people, "links": links})
        return
    print(f"{MUNICIPALITY} is made up. Sign in at {_base_url(house)}/staff :\n")
    for person in shown.staff:
        print(f"  {person.role:14} {person.address:24} {person.password}   ({person.unit})")
    print("\nAnswer as a participant of the two open meetings:\n")
    for link in links:
        print(f"  {link['role']:14} {link['link']}   or type {link['code']}")


def _progress(line: str) -> None:
    """How far something long has come, for whoever watches; standard output is the result's alone."""
    print(f"  {line}", file=sys.stderr, flush=True)


def serve(arguments: _Arguments) -> None:
    from enkat.serving import serve as serve_house  # the server is not needed by any other command

    house = open_house(_served(arguments))
    _judge_port(arguments.host, arguments.port)
    for fault in house.languages.faults:
        print(f"enkat: {fault}", file=sys.stderr, flush=True)
    print(f"enkat {__version__} serves {_base_url(house)} from {house.settings.instance} (Ctrl-C stops it)", flush=True)
    serve_house(house, arguments.host, arguments.port, arguments.workers)


def work(arguments: _Arguments) -> int:
    logging.basicConfig(level=logging.INFO, format="enkat: %(message)s")
    house = open_house(settings.load())
    if arguments.once:
        done = worker.work(house)
        worker.send_links(house, sending.post_of(house.settings))
        worker.send_reminders(house, sending.post_of(house.settings))
        shown = {"opened": done.counted.opened, "meetings": done.counted.meetings, "published": list(done.published)}
        said = [_counted(done.counted), *(f"published {period}" for period in done.published)]
        _print(arguments, shown, "\n".join(said))
        return _failed(done.failures)
    signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(0))
    parent = arguments.with_parent
    worker.run(house, goes_on=lambda: parent is None or os.getppid() == parent)
    return 0


def unit_add(arguments: _Arguments) -> None:
    with _house() as (_, db):
        unit = staffing.add_unit(db, arguments.name, arguments.under)
    _print(arguments, {"unit": unit.id, "name": unit.name}, f"{unit.name} is added")


def staff_add(arguments: _Arguments) -> None:
    given = sys.stdin.readline().rstrip("\r\n") if arguments.password_stdin else None
    if given is not None and not is_text(given):
        raise Refused("password", "the password is not text; write it in UTF-8")
    with _house() as (_, db):
        unit = _unit(db, arguments.unit)
        roles = [StaffRole(role) for role in arguments.role]
        member, password = staffing.add_staff(db, arguments.address, arguments.name, roles, unit.id, given)
    shown = {"address": member.address} | ({} if arguments.password_stdin else {"password": password})
    text = f"{member.address} may sign in" + ("" if arguments.password_stdin else f" with the password {password}")
    _print(arguments, shown, text)


def assignment_add(arguments: _Arguments) -> None:
    with _house() as (_, db):
        unit = _unit(db, arguments.unit)
        if meetings.assignments_called(db, inviting.judge_reference(arguments.reference), {unit.id}):
            raise Refused("known", f"{arguments.reference} is an assignment of {unit.name} already")
        source = Source(arguments.source)
        assignment = inviting.open_assignment(db, arguments.reference, unit.id, source, arguments.protected)
    text = f"the assignment {assignment.reference} is open"
    _print(arguments, {"assignment": assignment.id, "reference": assignment.reference}, text)


def meeting_add(arguments: _Arguments) -> None:
    with _house() as (house, db):
        assignment = _assignment(db, arguments.reference, arguments.unit)
        plan = inviting.Plan(
            kind=Kind(arguments.kind),
            held=arguments.date,
            closes=arguments.closes,
            places={role: getattr(arguments, role.value) for role in Role},
            questionnaires={Role.CHILD: arguments.child_questionnaire} if arguments.child_questionnaire else {},
        )
        meeting = inviting.start_meeting(db, house.keys, house.catalogue, assignment.id, plan, house.settings.today())
        rooms = [_link(house, link) for link in inviting.links(db, house.keys, meeting.id)]
    text = f"meeting {meeting.id}, open until {meeting.closes}\n{_listed(rooms)}"
    _print(arguments, {"meeting": meeting.id, "rooms": rooms}, text)


def invite(arguments: _Arguments) -> None:
    with _house() as (house, db):
        role, form, count = Role(arguments.role), arguments.questionnaire, arguments.count
        made = inviting.add_personal_links(db, house.keys, house.catalogue, arguments.meeting, role, form, count)
        invitations = [_link(house, link) for link in made]
    _print(arguments, {"invitations": invitations}, _listed(invitations))


def count(arguments: _Arguments) -> int:
    if (arguments.close or arguments.without_key) and not arguments.meeting:
        print("enkat: --close and --without-key need the MEETING that is meant", file=sys.stderr)
        return 2
    with _house() as (house, db):
        today = house.settings.today()
        if arguments.without_key:
            counting.give_up(db, house.keys, arguments.meeting, today)
            counted = counting.Counted(0, 1)
        elif arguments.close:
            counted = counting.close_and_count(db, house.keys, arguments.meeting, today)
        elif arguments.meeting:
            counted = counting.count_if_due(db, house.keys, arguments.meeting, today)
        else:
            counted = counting.count_due(db, house.keys, today)
        counting.destroy_spent_keys(db, house.keys)
        clear_remnants(db)
    _print(arguments, {"opened": counted.opened, "meetings": counted.meetings}, _counted(counted))
    return _failed(counted.failures)


def publish(arguments: _Arguments) -> None:
    decide = publishing.rehearse if arguments.dry_run else publishing.publish_due
    with _house() as (house, db):
        done = decide(db, house.settings.smallest_group, house.settings.today())
        if not arguments.dry_run:
            severing.sever(db)
            clear_remnants(db)
    shown: dict[str, Any] = {"published": list(done.published), "open": list(done.open)}
    if arguments.dry_run:
        shown["dry_run"] = True  # nothing is published: these would be
    lines = chain.from_iterable(_decided(one, arguments.dry_run) for one in done.decisions)
    still_open = [f"still to come: {', '.join(done.open)}" if done.open else "nothing else is to come"]
    if done.waiting:
        still_open.append(f"waiting for the next, alone they do not meet the rule: {', '.join(done.waiting)}")
    if done.uncounted:
        still_open.append(f"it waits for {done.uncounted} meetings that are over and not counted; try `enkat count`")
    _print(arguments, shown, "\n".join([*lines, *still_open]))


def _decided(decision: Decision, is_rehearsal: bool) -> Iterator[str]:
    """What became of a period, in words. Which of a group could not stand alone, and why, is not said any closer: that
    its answers were few, or all alike, would be a figure about them."""
    snapshot = decision.snapshot
    whose = {Grain.QUARTER: "", Grain.YEAR: ", the year's tables", Grain.CHILD_YEAR: ", children"}[snapshot.grain]
    would = "would be" if is_rehearsal else "is"
    yield {
        Outcome.PUBLISHED: f"{snapshot.period}{whose}: {would} published, {snapshot.n} answers",
        Outcome.JOINED: f"{snapshot.period}{whose}: {would} joined with the next: alone it does not meet the rule",
        Outcome.EMPTY: f"{snapshot.period}{whose}: no answers",
    }[snapshot.outcome]
    if len(snapshot.periods) > 1:
        yield f"  {PLUS.join(snapshot.periods[:-1])} did not meet the rule and {would} published with it"
    for table, group, is_natural in decision.joined:
        why = "natural neighbours" if is_natural else "with the smallest of the others"
        yield f"  {table}: {PLUS.join(group)} shown together, {why}: not all of them meet the rule alone"


def results(arguments: _Arguments) -> None:
    with _house() as (house, db):
        found = snapshots.all_of(db, *Grain)
    if arguments.json:
        _print_json(exports.as_json(found, house.settings.smallest_group))
    else:
        print(exports.as_csv(found).replace("\r\n", "\n"), end="")  # the terminal has line ends of its own


def audit_head(arguments: _Arguments) -> None:
    with _house() as (_, db):
        head = audit.head(db)
    _print(arguments, {"number": head.number, "hash": head.hash.hex(), "head": str(head)}, str(head))


def audit_list(arguments: _Arguments) -> None:
    with _house() as (_, db):
        entries = audit.latest(db, arguments.last)
        names = {one.id: one.address for one in staff.all_staff(db)}
    shown = [
        {"number": one.number, "at": one.at, "actor": names.get(one.actor, one.actor), "act": one.act}
        | {"record": names.get(one.record, one.record)}
        for one in entries
    ]
    _print(arguments, {"entries": shown}, "\n".join("  ".join(map(str, one.values())) for one in shown))


def check(arguments: _Arguments) -> int:
    chosen = settings.load()
    faults = checking.faults(chosen, arguments.audit_head)
    sent_by = None
    if arguments.send_to:
        sent_by, fault = _try_out(chosen, arguments.send_to)
        faults += [fault] if fault else []
    if arguments.json:
        _print_json({"ok": not faults, "faults": faults} | ({"sent_by": sent_by} if sent_by else {}))
        return 1 if faults else 0
    if sent_by:
        print(f"a trial message was handed to the service for {sent_by}; see whether it arrives")
    if faults:
        print("\n".join(f"enkat: {fault}" for fault in faults), file=sys.stderr)
    else:
        print("database, keys, audit log, questionnaires, translations and settings are in order")
    return 1 if faults else 0


def _try_out(chosen: Settings, address: str) -> tuple[Channel | None, str | None]:
    """Send a trial message: by what, or what keeps it from being taken, and the mend."""
    post = sending.post_of(chosen)
    try:
        channel = sending.try_out(post, address)
    except SendingFailed as failure:
        return None, f"the trial message was not taken: {failure}; {_MENDS[failure.reason]}"
    except Refused as refusal:
        return None, f"no trial message was sent: {refusal}"
    if chosen.database.exists():
        with _house(chosen) as (_, db):
            sending.note_works(db, post, channel)
    return channel, None


#: What an operator can do where a service takes no message.
_MENDS = {
    Reason.UNREACHABLE: "look at the address in ENKAT_SMS_URL or ENKAT_SMTP_URL, and at the firewall",
    Reason.CREDENTIALS: "look at the user and the password in ENKAT_SMS_URL or ENKAT_SMTP_URL",
    Reason.CREDIT: "fill up the account with the service",
    Reason.SENDER: "look at ENKAT_SMS_SENDER or ENKAT_MAIL_FROM, or register the sender with the service",
    Reason.BUSY: "try again in a while",
    Reason.UNSURE: "see whether it arrives; the service took it and did not answer",
    Reason.ADDRESS: "try another address",
    Reason.REFUSED: "ask the service why",
    Reason.UNDELIVERED: "try another address",
}


@contextmanager
def _house(chosen: Settings | None = None) -> Iterator[tuple[House, Database]]:
    """The house of the settings, and a connection to it."""
    house = open_house(chosen or settings.load())
    db = house.connect()
    try:
        yield house, db
        try:
            witness.note(house.settings.audit_heads, audit.head(db))
        except EnkatError as error:  # what was done is done, and is still to be told
            print(f"enkat: {error}", file=sys.stderr)
    finally:
        db.close()


def _unit(db: Database, name: str) -> Unit:
    unit = staff.find_unit(db, name)
    if unit is None:
        raise NotFound(f"there is no unit called '{name}'; add it first with `enkat unit add`")
    return unit


def _assignment(db: Database, reference: str, unit: str | None) -> Assignment:
    only = _unit(db, unit) if unit else None
    units = {one.id: one.name for one in staff.units(db) if only in (None, one)}
    found = meetings.assignments_called(db, reference, units.keys())
    if not found:
        raise NotFound(f"there is no assignment {reference}; add it first with `enkat assignment add`")
    if len(found) > 1:
        names = " and ".join(sorted(units[one.unit] for one in found))
        raise Refused("ambiguous", f"{reference} is an assignment of {names}; say which with --unit")
    return found[0]


def _link(house: House, link: OpenedLink) -> dict[str, str]:
    return {"link": f"{_base_url(house)}/{link.key}", "code": tokens.spoken(link.key), "role": link.role}


def _served(arguments: _Arguments) -> Settings:
    """The settings, with links that begin where the server listens unless something else is set."""
    return settings.load(served=f"http://{_reachable(arguments.host)}:{arguments.port}")


def _base_url(house: House) -> str:
    return house.settings.base_url or f"http://{DEFAULT_HOST}:{DEFAULT_PORT}"


def _listed(links: list[dict[str, str]]) -> str:
    return "\n".join(f"  {link['role']:14} {link['link']}   or type {link['code']}" for link in links)


def _counted(counted: counting.Counted) -> str:
    return f"opened {counted.opened} answers of {counted.meetings} meetings"


def _failed(failures: Sequence[str]) -> int:
    """Say on standard error what could not be done; the exit code."""
    for failure in failures:
        print(f"enkat: {failure}", file=sys.stderr)
    return 1 if failures else 0


def _print(arguments: _Arguments, shown: dict[str, Any], text: str) -> None:
    if arguments.json:
        _print_json(shown)
    else:
        print(text)


def _print_json(shown: dict[str, Any]) -> None:
    print(json.dumps(shown, ensure_ascii=False, indent=2))


def _reachable(host: str) -> str:
    """The address under which other devices find this one, where it serves on all of them."""
    if host not in ("0.0.0.0", "::"):
        return f"[{host}]" if ":" in host else host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("10.255.255.255", 9))  # sends nothing: it only asks which way would be taken
            return str(probe.getsockname()[0])
        except OSError:
            return DEFAULT_HOST


def _judge_port(host: str, port: int) -> None:
    """Refuse a port that somebody has, before any process is started."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise EnkatError(f"{host}:{port} cannot be served ({error.strerror}); choose another --port") from error


def is_text(given: str) -> bool:
    """False where bytes that are no UTF-8 came in; Python keeps those as lone surrogates."""
    return not any("\ud800" <= mark <= "\udfff" for mark in given)
