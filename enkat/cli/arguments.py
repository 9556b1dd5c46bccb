"""Every command with its arguments."""

import argparse
from collections.abc import Callable
from datetime import date
from typing import Any

from enkat import __version__
from enkat.cli import commands
from enkat.demo.history import USUAL
from enkat.model.audit import AuditHead
from enkat.model.meeting import MOST_PLACES, Kind, Source
from enkat.model.staff import StaffRole
from enkat.model.survey import Role


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a date such as 2026-11-20") from None


def _head(text: str) -> AuditHead:
    try:
        return AuditHead.read(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"'{text}' is no head of the audit log: {error}") from None


def _number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from {least} to {most}")
        return int(text)

    return read


def parser() -> argparse.ArgumentParser:
    """Every command with its arguments."""
    program = argparse.ArgumentParser(prog="enkat", description="Feedback after network meetings.")
    program.add_argument("--version", action="version", version=f"enkat {__version__}")
    groups = program.add_subparsers(required=True, metavar="COMMAND")

    command = _command(groups, "demo", commands.demo, "fill an empty database with a made-up municipality")
    command.add_argument("--seed", type=_number(0, 10**9), help="the same seed, the same passwords and links")
    about = "about how many answers in two years; 300 is a municipality of 27,000"
    command.add_argument("--responses", type=_number(1, 10**7), default=USUAL, metavar="N", help=about)
    _listening(command)

    command = _command(
        groups, "serve", commands.serve, "migrate, check and serve, with one child for the background work"
    )
    _listening(command)
    command.add_argument("--workers", type=_number(1, 64), help="as many as there are cores by default")

    command = _command(
        groups,
        "work",
        commands.work,
        "the background work alone: count what has closed, publish what is due, send what waits",
    )
    command.add_argument("--once", action="store_true", help="one round, then stop")
    command.add_argument("--with-parent", type=int, metavar="PID", help="stop when that process is gone")

    units = _group(groups, "unit", "the municipality and its units")
    command = _command(units, "add", commands.unit_add, "add a unit; the first is the municipality")
    command.add_argument("name", metavar="NAME")
    command.add_argument("--under", metavar="NAME", help="the unit above; the municipality by default")

    people = _group(groups, "staff", "those who sign in")
    command = _command(people, "add", commands.staff_add, "let somebody sign in; prints a first password")
    command.add_argument("address", metavar="ADDRESS")
    command.add_argument("--name", required=True)
    command.add_argument("--role", required=True, action="append", choices=list(StaffRole))
    command.add_argument("--unit", required=True, metavar="NAME")
    command.add_argument("--password-stdin", action="store_true", help="read the password from standard input")

    assignments = _group(groups, "assignment", "the work with one family")
    command = _command(assignments, "add", commands.assignment_add, "open an assignment under a pseudonymous reference")
    command.add_argument("reference", metavar="REFERENCE")
    command.add_argument("--unit", required=True, metavar="NAME")
    command.add_argument("--source", required=True, choices=list(Source))
    command.add_argument("--protected", action="store_true", help="never use SMS or e-mail")

    held = _group(groups, "meeting", "meetings of an assignment")
    command = _command(held, "add", commands.meeting_add, "start a meeting; prints its room links")
    command.add_argument("reference", metavar="REFERENCE")
    command.add_argument("--unit", metavar="NAME", help="needed where several units have the reference")
    command.add_argument("--kind", required=True, choices=list(Kind))
    command.add_argument("--date", required=True, type=_day)
    command.add_argument("--closes", type=_day, help="the last day to answer; two weeks after the meeting by default")
    for role in Role:
        command.add_argument(f"--{role}", type=_number(0, MOST_PLACES), default=0, metavar="N")
    command.add_argument("--child-questionnaire", metavar="ID", help="child (five faces) or child_small (three)")

    command = _command(groups, "invite", commands.invite, "make personal links")
    command.add_argument("meeting", metavar="MEETING")
    command.add_argument("--role", required=True, choices=list(Role))
    command.add_argument("--count", type=_number(1, MOST_PLACES), default=1, metavar="N")
    command.add_argument("--questionnaire", metavar="ID")

    command = _command(groups, "count", commands.count, "count what has closed")
    command.add_argument("meeting", metavar="MEETING", nargs="?")
    how = command.add_mutually_exclusive_group()
    how.add_argument("--close", action="store_true", help="close MEETING now and count it")
    lost = "count MEETING, whose key is lost, with no answers: they cannot be opened, and hold up publication"
    how.add_argument("--without-key", action="store_true", help=lost)

    command = _command(
        groups, "publish", commands.publish, "publish what is over and counted; says what was joined and why"
    )
    command.add_argument("--dry-run", action="store_true", help="say what would be published, and change nothing")

    _command(groups, "results", commands.results, "print what is published, as CSV")

    log = _group(groups, "audit", "the audit log")
    _command(log, "head", commands.audit_head, "print the last entry's number and hash, to be kept elsewhere")
    command = _command(log, "list", commands.audit_list, "print the latest entries: when, who, what, to which record")
    command.add_argument("--last", type=_number(1, 10**6), default=50, metavar="N", help="how many; 50 by default")

    command = _command(groups, "check", commands.check, "is everything in order? database, keys, audit log, texts")
    command.add_argument("--audit-head", type=_head, metavar="HEAD", help="a head that was printed earlier")
    command.add_argument("--send-to", metavar="ADDRESS", help="send a trial SMS to a number, or a trial e-mail")
    return program


def _listening(command: argparse.ArgumentParser) -> None:
    """Where the server listens, which is what links begin with unless a base URL is set."""
    command.add_argument(
        "--host", default=commands.DEFAULT_HOST, help="0.0.0.0 to be reached from phones in the same network"
    )
    command.add_argument("--port", type=_number(1, 65535), default=commands.DEFAULT_PORT)


def _group(commands: Any, name: str, text: str) -> Any:
    group = commands.add_parser(name, help=text, description=text)
    return group.add_subparsers(required=True, metavar="COMMAND")


def _command(commands: Any, name: str, run: Callable[..., int | None], text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.set_defaults(run=run)
    command.add_argument("--json", action="store_true", help="print JSON for a script")
    return command
