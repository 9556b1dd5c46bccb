"""What somebody hostile gives to a command: it does what it says or refuses, and a script can always read it.

The commands and their arguments are the program's own, so that a new one is attacked by itself. `make test` tries a
few payloads on each argument; with ENKAT_ATTACK=full every one is tried on all of them.
"""

import argparse
import csv
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from random import Random

import pytest

from enkat import cli
from enkat.cli import arguments as known_to_enkat
from tests.conftest import Town
from tests.messaging.servers import MailHost
from tests.published import publish, year
from tests.web.hostile import case
from tests.web.payloads import PAYLOADS, sample
from tests.web.routes import Rewind

_IS_FULL = os.environ.get("ENKAT_ATTACK") == "full"
_PARTS = 8 if _IS_FULL else 1

#: Commands that serve or work until they are stopped, or that need an empty database; they take numbers, and a host.
_ENDLESS = {"serve", "work", "demo"}

#: What stands in an argument while another one is attacked.
_GIVEN = {
    "address": "kim@mitthem.example",
    "count": "1",
    "date": "2026-11-20",
    "closes": "2026-11-30",
    "kind": "sip",
    "last": "5",
    "name": "Kim",
    "questionnaire": "adult",
    "child_questionnaire": "child",
    "reference": "M-881",
    "send_to": "kim@example.se",
    "role": "family",
    "source": "school",
    "under": "Mitthem",
    "unit": "Norr",
} | dict.fromkeys(("family", "kin", "child", "professional"), "1")

#: The same where a command means something else by it.
_GIVEN_TO = {
    "unit add": {"name": "Väst"},
    "staff add": {"role": "evaluator"},
    "assignment add": {"reference": "M-300"},
}


@dataclass(frozen=True)
class Argument:
    """An argument of a command, with a command line in which a text stands in its place."""

    command: str
    name: str
    line: Callable[[str], list[str]]


@pytest.fixture(autouse=True)
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailHost]:
    """A mail server, for the command that sends a trial message."""
    with MailHost() as host:
        monkeypatch.setenv("ENKAT_BASE_URL", "http://127.0.0.1:8000")
        monkeypatch.setenv("ENKAT_SMTP_URL", f"smtp://127.0.0.1:{host.port}")
        monkeypatch.setenv("ENKAT_MAIL_FROM", "svar@mitthem.example")
        yield host


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str, str]:
    """A command: its exit code, and what it says."""
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


def _give(town: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What is made anew at each run stands in arguments too: a meeting's id, and the head of the log."""
    monkeypatch.setenv("ENKAT_INSTANCE", str(town.house.settings.instance))
    monkeypatch.setenv("ENKAT_TODAY", "2026-11-20")
    monkeypatch.setitem(_GIVEN, "meeting", town.meeting(assignment=town.assignment("M-881")).id)
    monkeypatch.setitem(_GIVEN, "audit_head", run(capsys, "audit", "head")[1].strip())


def arguments(parser: argparse.ArgumentParser, command: tuple[str, ...] = ()) -> Iterator[Argument]:
    """Every argument of every command that takes a text."""
    taking = [one for one in parser._actions if one.nargs != 0 and one.dest != "help"]
    for action in taking:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                if name not in _ENDLESS:
                    yield from arguments(inner, (*command, name))
            return
    for one in taking:
        yield Argument(" ".join(command), one.dest, _line(command, taking, one))


def _line(
    command: tuple[str, ...], taking: list[argparse.Action], attacked: argparse.Action
) -> Callable[[str], list[str]]:
    known = _GIVEN | _GIVEN_TO.get(" ".join(command), {})

    def line(text: str) -> list[str]:
        options, places = [], []
        for action in taking:
            value = text if action is attacked else known.get(action.dest)
            assert value is not None, f"{command}: say in _GIVEN what stands for {action.dest}"
            option = action.option_strings
            (options if option else places).append(f"{option[0]}={value}" if option else value)
        flags = ["--close"] if command == ("count",) else []  # an open meeting is not counted without it
        return [*command, "--json", *flags, *options, *(["--", *places] if places else [])]

    return line


@pytest.mark.parametrize("part", range(_PARTS))
def test_nothing_that_is_given_to_a_command_does_more_than_it_says(
    part: int,
    town: Town,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    figure: Callable[[str], None],
) -> None:
    _give(town, monkeypatch, capsys)
    rewind = Rewind(town, tmp_path / "keys")
    schema = town.db.execute("select sql from sqlite_master").fetchall()
    found, ended = list(arguments(known_to_enkat.parser())), Counter[str]()
    for number, argument in enumerate(found):
        for payload in PAYLOADS[part::_PARTS] if _IS_FULL else sample(Random(number), 1):
            with case(argument.command, argument.name, payload):
                status, out, errors = run(capsys, *argument.line(payload))
                assert status in (0, 1, 2) or str(status).startswith("enkat: "), (status, errors)
                assert "Traceback" not in f"{status}{out}{errors}"
                assert json.loads(out) if out else status != 0
                assert status == 0 or not rewind.is_changed, "refused, and yet something is written"
                rewind.back()
            ended["done" if status == 0 else "refused"] += 1
    assert town.db.execute("select sql from sqlite_master").fetchall() == schema
    assert {"unit add", "staff add", "assignment add", "meeting add", "invite", "count"} <= {
        one.command for one in found
    }
    assert ended["done"], "with what stands in _GIVEN no command comes as far as doing anything"
    figure(
        f"payloads in a terminal, part {part}: {ended.total()} commands with {len(found)} arguments, "
        f"{ended['done']} done and the rest refused in words"
    )


def test_every_command_would_be_done_but_for_the_payload(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The attack itself: what is refused is refused for the payload, and not for the words around it."""
    _give(town, monkeypatch, capsys)
    rewind = Rewind(town, tmp_path / "keys")
    for argument in arguments(known_to_enkat.parser()):
        usual = (_GIVEN | _GIVEN_TO.get(argument.command, {}))[argument.name]
        status, out, errors = run(capsys, *argument.line(usual))
        assert (status, errors) == (0, ""), f"{argument.command}, {argument.name}: {out}{errors}"
        rewind.back()


def test_what_is_published_stays_readable_whatever_has_come_into_the_store(
    town: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names that no door lets in, put into the store by hand: JSON is JSON, CSV has its columns and no formula."""
    monkeypatch.setenv("ENKAT_INSTANCE", str(town.house.settings.instance))
    publish(town.db, year(2026, unit=dict.fromkeys(PAYLOADS, 70)))
    status, shown, errors = run(capsys, "results", "--json")
    assert (status, errors) == (0, "")
    assert {cell["category"] for cell in json.loads(shown)["cells"]} == set(PAYLOADS)
    status, printed, errors = run(capsys, "results")
    assert (status, errors) == (0, "")
    lines = list(csv.reader(StringIO(printed, newline="")))
    assert {len(line) for line in lines} == {9}
    assert len(lines) == 1 + 2 * len(PAYLOADS)
    assert not [cell for line in lines for cell in line if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
