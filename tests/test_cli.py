"""The program `enkat` as an operator or a script meets it: real processes, their output, their JSON and exit
codes; and every error one sentence on standard error, never the inside of the program."""

import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from enkat import __version__, answering, cli, inviting, staffing
from enkat.house import House, open_house
from enkat.model.meeting import Assignment, Kind, Meeting, MeetingState, Source
from enkat.model.survey import Answer, Response, Role, Stage, Submission
from enkat.secrecy import tokens
from enkat.settings import Settings
from enkat.storage import engine, meetings, responses, staff
from tests.conftest import TODAY
from tests.messaging.servers import SmsHost

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
_UNITS_THAT_MET = """select unit.name from meeting join assignment on assignment.id = meeting.assignment
    join unit on unit.id = assignment.unit"""
CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{5} [0-9A-HJKMNP-TV-Z]{5}")
LINK = re.compile(r"http://127\.0\.0\.1:8000/[0-9A-HJKMNP-TV-Z]{10}")


@dataclass
class Terminal:
    """A terminal in which `enkat` is run for one instance folder."""

    folder: Path
    today: str = "2026-11-20"
    settings: dict[str, str] = field(default_factory=dict)

    def run(
        self, *arguments: str | bytes, given: bytes | None = None, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """One command, as it comes."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ENKAT_")}
        chosen = {"ENKAT_INSTANCE": str(self.folder), "ENKAT_TODAY": self.today} | self.settings | (environment or {})
        return subprocess.run(
            [sys.executable, "-m", "enkat", *arguments],
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            env=kept | chosen,
            timeout=60,
            check=False,
        )

    def text(self, *arguments: str, **more: Any) -> str:
        """The output of a command that must do well and say nothing else."""
        done = self.run(*arguments, **more)
        assert (done.returncode, done.stderr.decode()) == (0, ""), arguments
        return done.stdout.decode()

    def json(self, *arguments: str, **more: Any) -> Any:
        """What a script reads of a command that must do well."""
        return json.loads(self.text(*arguments, "--json", **more))

    def refusal(self, *arguments: str | bytes, code: int = 1, **more: Any) -> str:
        """The one sentence with which a command must fail."""
        done = self.run(*arguments, **more)
        told = done.stderr.decode()
        assert "Traceback" not in told, told
        assert done.returncode == code, told
        assert done.stdout == b""
        assert told.startswith("enkat: "), told
        assert told.count("\n") == 1, told
        assert told.endswith("\n")
        return told

    def told(self, capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 1) -> str:
        """The one sentence with which a command must fail, without the half second that a process costs."""
        kept = dict(os.environ)
        os.environ |= {"ENKAT_INSTANCE": str(self.folder), "ENKAT_TODAY": self.today} | self.settings
        try:
            with pytest.raises(SystemExit) as ended:
                cli.main(arguments)
        finally:
            os.environ.clear()
            os.environ.update(kept)
        shown = capsys.readouterr()
        assert shown.out == ""
        if code == 2:
            assert ended.value.code == 2
            return shown.err.splitlines()[-1]
        assert isinstance(ended.value.code, str), "Python prints a text on standard error and ends with 1"
        assert "\n" not in ended.value.code
        assert ended.value.code.startswith("enkat: ")
        return ended.value.code

    def house(self) -> House:
        """The same installation from within."""
        return open_house(Settings(instance=self.folder, fixed_today=TODAY))


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path / "instance")


@pytest.fixture
def founded(terminal: Terminal) -> Terminal:
    """A terminal of an installation with two units and an assignment, founded without starting a process."""
    house = terminal.house()
    db = house.connect()
    staffing.add_unit(db, "Mitthem")
    inviting.open_assignment(db, "M-1", staffing.add_unit(db, "Norr").id, Source.SELF)
    db.close()
    return terminal


def stored(terminal: Terminal, sql: str) -> list[tuple[Any, ...]]:
    """Rows of the database, as they are."""
    db = sqlite3.connect(terminal.folder / "enkat.db")
    found = db.execute(sql).fetchall()
    db.close()
    return list(found)


def answer(terminal: Terminal, link: str, role: Role = Role.KIN) -> str:
    """Somebody answers through a link that was printed; the receipt."""
    house = terminal.house()
    db = house.connect()
    sent = Submission(tokens.new_submission(), "adult", 1, role, Stage.AFTER, "sv", {"safe": Answer(value=3)})
    received = answering.submit(db, house.keys, link.rsplit("/", 1)[1], sent, TODAY)
    db.close()
    return received.receipt


def is_link(shown: dict[str, str], role: str) -> bool:
    """True for a link as every command shows it."""
    assert set(shown) == {"link", "code", "role"}
    assert LINK.fullmatch(shown["link"]), shown
    assert CODE.fullmatch(shown["code"]), shown
    assert shown["link"].endswith(shown["code"].replace(" ", ""))
    return shown["role"] == role


# From an empty folder to counted answers, by a script


def test_a_script_goes_from_an_empty_folder_to_counted_answers(terminal: Terminal) -> None:
    unit = terminal.json("unit", "add", "Mitthem")
    assert unit.keys() == {"unit", "name"}
    below = terminal.json("unit", "add", "Norr", "--under", "Mitthem")
    assert below["name"] == "Norr"
    assert stored(terminal, "select name, parent from unit order by parent is not null") == [
        ("Mitthem", None),
        ("Norr", unit["unit"]),
    ]

    assignment = terminal.json("assignment", "add", "M-114", "--unit", "Norr", "--source", "school", "--protected")
    assert assignment.keys() == {"assignment", "reference"}
    assert stored(terminal, "select id, reference, source, protected from assignment") == [
        (assignment["assignment"], "M-114", "school", 1)
    ]

    meeting = terminal.json(
        "meeting", "add", "M-114", "--kind", "network_meeting", "--date", "2026-11-20", "--closes", "2026-12-01",
        "--family", "3", "--kin", "2", "--child", "1", "--professional", "4",
    )  # fmt: skip
    assert meeting.keys() == {"meeting", "rooms"}
    assert [one["role"] for one in meeting["rooms"]] == ["family", "kin", "child", "professional"]
    assert all(is_link(one, one["role"]) for one in meeting["rooms"])
    assert stored(terminal, "select id, kind, held, closes, number from meeting") == [
        (meeting["meeting"], "network_meeting", "2026-11-20", "2026-12-01", 1)
    ]
    assert dict(stored(terminal, "select role, places from invited")) == {
        "family": 3,
        "kin": 2,
        "child": 1,
        "professional": 4,
    }

    invited = terminal.json("invite", meeting["meeting"], "--role", "kin", "--count", "3")
    assert invited.keys() == {"invitations"}
    assert [is_link(one, "kin") for one in invited["invitations"]] == [True, True, True]
    links = {one["link"] for one in invited["invitations"] + meeting["rooms"]}
    assert len(links) == 7

    answer(terminal, invited["invitations"][0]["link"])
    answer(terminal, meeting["rooms"][0]["link"], Role.FAMILY)
    assert terminal.json("count") == {"opened": 0, "meetings": 0}
    told = terminal.refusal("count", meeting["meeting"])
    assert "2026-12-01" in told
    assert "--close" in told
    assert terminal.json("count", meeting["meeting"], "--close") == {"opened": 2, "meetings": 1}
    assert terminal.json("count", meeting["meeting"], "--close") == {"opened": 0, "meetings": 0}
    assert stored(terminal, "select count(*) from link") == [(0,)]
    assert list((terminal.folder / "keys" / "meetings").iterdir()) == []


def test_what_has_closed_is_counted_on_the_day_after_the_last(founded: Terminal) -> None:
    meeting = founded.json("meeting", "add", "M-1", "--kind", "sip", "--date", "2026-11-20", "--kin", "2")
    answer(founded, meeting["rooms"][0]["link"])
    assert founded.json("count", environment={"ENKAT_TODAY": "2026-12-04"}) == {"opened": 0, "meetings": 0}
    later = founded.text("work", "--once", environment={"ENKAT_TODAY": "2026-12-05"})
    assert later == "opened 1 answers of 1 meetings\n"
    again = founded.json("work", "--once", environment={"ENKAT_TODAY": "2026-12-05"})
    assert again == {"opened": 0, "meetings": 0, "published": []}
    assert stored(founded, "select state from meeting") == [("counted",)]


def test_a_meeting_that_cannot_be_counted_is_named_while_the_others_are(founded: Terminal) -> None:
    found = []
    founded.text("assignment", "add", "M-2", "--unit", "Norr", "--source", "self")
    for reference in ("M-1", "M-2"):
        meeting = founded.json("meeting", "add", reference, "--kind", "sip", "--date", "2026-11-20", "--kin", "2")
        answer(founded, meeting["rooms"][0]["link"])
        found.append(meeting["meeting"])
    (founded.folder / "keys" / "meetings" / found[0]).unlink()
    done = founded.run("count", "--json", environment={"ENKAT_TODAY": "2027-01-01"})
    assert done.returncode == 1
    assert json.loads(done.stdout) == {"opened": 1, "meetings": 1}
    told = done.stderr.decode()
    assert told.startswith("enkat: ")
    assert found[0] in told
    assert told.count("\n") == 1
    check = founded.run("check", "--json")
    assert check.returncode == 1
    shown = json.loads(check.stdout)
    assert shown["ok"] is False
    assert [fault for fault in shown["faults"] if found[0] in fault]


def test_what_a_person_reads_holds_what_they_need(founded: Terminal) -> None:
    text = founded.text(
        "meeting", "add", "M-1", "--kind", "sip", "--date", "2026-11-20", "--child", "2",
        "--child-questionnaire", "child_small",
    )  # fmt: skip
    assert "open until 2026-12-04" in text
    assert LINK.search(text)
    assert CODE.search(text)
    meeting = text.split()[1].rstrip(",")
    text = founded.text("invite", meeting, "--role", "child", "--questionnaire", "child_small")
    assert LINK.search(text)
    assert stored(founded, "select distinct questionnaire from invitation") == [("child_small",)]


# Staff


def test_somebody_added_signs_in_with_the_password_that_was_printed(founded: Terminal) -> None:
    both = founded.json(
        "staff", "add", "karin@mitthem.example", "--name", "Karin Åkesson", "--role", "coordinator",
        "--role", "evaluator", "--unit", "Norr",
    )  # fmt: skip
    assert both.keys() == {"address", "password"}
    house = founded.house()
    db = house.connect()
    assert staffing.sign_in(db, "karin@mitthem.example", both["password"], NOW)
    db.close()
    assert stored(founded, "select name from staff") == [("Karin Åkesson",)]
    assert stored(founded, "select role from staff_role order by role") == [("coordinator",), ("evaluator",)]


def test_a_password_from_standard_input_is_not_printed(founded: Terminal) -> None:
    person = ("staff", "add", "karin@mitthem.example", "--name", "K", "--role", "coordinator", "--unit", "Norr")
    told = founded.refusal(*person, "--password-stdin", given=b"too short\n")
    assert "12 characters" in told
    assert stored(founded, "select count(*) from staff") == [(0,)]
    text = founded.text(*person, "--password-stdin", given="ett långt lösenord\r\nand more\n".encode())
    assert "ett långt lösenord" not in text
    house = founded.house()
    db = house.connect()
    assert staffing.sign_in(db, "karin@mitthem.example", "ett långt lösenord", NOW)
    db.close()


# The demonstration


def test_the_demonstration_shows_sign_ins_and_links_and_is_refused_a_second_time(terminal: Terminal) -> None:
    done = terminal.run("demo", "--seed", "4", "--responses", "60", "--json")
    assert done.returncode == 0
    assert re.fullmatch(r"(  20\d\d-Q\d: \d+ answers\n){9}", done.stderr.decode()), "how far it has come"
    shown = json.loads(done.stdout)
    assert shown.keys() == {"staff", "links"}
    assert all(set(one) == {"address", "password", "role", "unit"} for one in shown["staff"])
    assert {one["role"] for one in shown["staff"]} == {"coordinator", "evaluator", "administrator"}
    assert all(is_link(one, one["role"]) for one in shown["links"])
    told = terminal.refusal("demo")
    assert str(terminal.folder / "enkat.db") in told
    other = Terminal(terminal.folder.with_name("other"))
    text = other.run("demo", "--seed", "4", "--responses", "60").stdout.decode()
    for one in shown["staff"]:
        assert one["address"] in text
        assert one["password"] in text
    for one in shown["links"]:
        assert one["link"] in text
        assert one["code"] in text
    check = other.run("check", "--json")
    faults = [fault for fault in json.loads(check.stdout)["faults"] if not fault.startswith("translations/")]
    assert faults == []


@pytest.mark.parametrize("responses", [1, 700])
def test_the_demonstration_holds_about_as_many_responses_as_were_asked_for(terminal: Terminal, responses: int) -> None:
    assert terminal.run("demo", "--responses", str(responses)).returncode == 0
    [(found,)] = stored(terminal, "select count(*) from response")
    assert 0.9 * responses - 1 <= found <= 1.4 * responses + 20, "two years, and the quarter that is running"
    shown = terminal.json("results")
    assert bool(shown["cells"]) == (responses > 1)


# What is published


def met(terminal: Terminal, closes: str, *said: int, role: Role = Role.FAMILY) -> None:
    """A counted meeting of the northern team with a family of its own, and what each of them said throughout."""
    house = terminal.house()
    with closing(house.connect()) as db, engine.write(db):
        unit = staff.find_unit(db, "Norr")
        assert unit is not None
        work = Assignment(inviting.new_id(), f"A-{inviting.new_id()}", unit.id, Source.SELF)
        day = date.fromisoformat(closes)
        meeting = Meeting(
            inviting.new_id(), work.id, 1, Kind.SIP, day, day, None, public_key=None, state=MeetingState.COUNTED
        )
        meetings.add_assignment(db, work)
        meetings.add_meeting(db, meeting)
        meetings.set_invited(db, meeting.id, role, Stage.AFTER, 2 * len(said))
        form = house.catalogue["child" if role is Role.CHILD else "adult"]
        responses.put_all(
            db,
            [
                Response(
                    *(inviting.new_id() * 2, meeting.id, Stage.AFTER, role, form.id, 1, "sv"),
                    {item.id: Answer(value=value) for item in form.closed_items},
                )
                for value in said
            ],
        )


@pytest.fixture
def lived(founded: Terminal) -> Terminal:
    """A year with a quarter that does not fit alone (seven answers, all alike), a month that does not, and children;
    seen from the new year."""
    founded.today = "2027-01-01"
    met(founded, "2026-02-10", 4, 4, 4)
    met(founded, "2026-03-10", 4, 4, 4, 4)
    met(founded, "2026-05-10", 5, 1, 3)
    met(founded, "2026-05-20", 2, 3, 1)
    met(founded, "2026-06-20", 5)
    met(founded, "2026-08-20", 5, 2)
    met(founded, "2026-05-10", 3, 3, role=Role.CHILD)
    return founded


def test_a_script_publishes_what_is_over_and_reads_it(lived: Terminal) -> None:
    assert lived.json("results") == {"smallest_group": 5, "cells": [], "rates": []}
    would = {"published": ["2026-Q1+2026-Q2", "2026"], "open": ["2026-Q3", "2027"], "dry_run": True}
    assert lived.json("publish", "--dry-run") == would
    assert stored(lived, "select count(*) from snapshot") == [(0,)], "a rehearsal changes nothing"
    assert lived.json("publish") == {"published": ["2026-Q1+2026-Q2", "2026"], "open": ["2026-Q3", "2027"]}
    assert lived.json("publish") == {"published": [], "open": ["2026-Q3", "2027"]}
    shown = lived.json("results")
    assert list(shown) == ["smallest_group", "cells", "rates"]
    assert {"population": "adults", "period": "2026-Q1+2026-Q2", "rate": 50} in shown["rates"]
    cell = {"table": "year_unit", "period": "2026", "category": "Norr", "index": "participation", "n": 14}
    assert [one for one in shown["cells"] if cell.items() <= one.items()] == [
        cell | {"meetings": 5, "mean": 61, "low": 30, "high": 91}
    ]
    assert {(one["period"], one["n"]) for one in shown["cells"] if one["table"] == "month"} == {
        ("2026-02+2026-03+2026-05+2026-06", 14)
    }


def test_what_is_published_is_printed_as_csv(lived: Terminal) -> None:
    lived.text("publish")
    printed = lived.run("results").stdout.decode()
    assert printed.startswith("table,period,category,index,n,meetings,mean,low,high\n")
    assert "\nyear_unit,2026,Norr,usefulness,14,5,61,30,91\n" in printed
    assert "\r\r" not in printed
    assert printed.count("\n") == 1 + len(lived.json("results")["cells"])


def test_a_person_is_told_what_was_joined_with_what_and_why_and_nothing_closer(lived: Terminal) -> None:
    rehearsed = lived.text("publish", "--dry-run").splitlines()
    told = lived.text("publish").splitlines()
    assert told == [
        "2026-Q1: is joined with the next: alone it does not meet the rule",
        "2026-Q1+2026-Q2: is published, 14 answers",
        "  2026-Q1 did not meet the rule and is published with it",
        "  month: 2026-02+2026-03+2026-05+2026-06 shown together, natural neighbours: "
        "not all of them meet the rule alone",
        "2026-Q3: is joined with the next: alone it does not meet the rule",
        "2026-Q4: is joined with the next: alone it does not meet the rule",
        "2026, the year's tables: is published, 14 answers",
        "2026, children: is joined with the next: alone it does not meet the rule",
        "still to come: 2026-Q3, 2027",
        "waiting for the next, alone they do not meet the rule: 2026-Q3, 2026-Q4",
    ]
    assert [line.replace("would be", "is") for line in rehearsed] == told
    assert any("would be published" in line for line in rehearsed)
    assert lived.text("publish").splitlines() == told[-2:]


def test_a_person_without_answers_is_told_so(founded: Terminal) -> None:
    assert founded.text("publish") == "nothing else is to come\n"
    assert founded.text("results") == "table,period,category,index,n,meetings,mean,low,high\n"


def test_the_background_work_publishes_and_says_what(lived: Terminal) -> None:
    said = lived.text("work", "--once")
    assert said == "opened 0 answers of 0 meetings\npublished 2026-Q1+2026-Q2\npublished 2026\n"


def test_a_raised_smallest_group_holds_for_what_is_published_and_is_told(lived: Terminal) -> None:
    lived.settings = {"ENKAT_SMALLEST_GROUP": "15"}
    assert lived.json("publish")["published"] == ["2026-Q1+2026-Q2+2026-Q3", "2026"]
    shown = lived.json("results")
    assert shown["smallest_group"] == 15
    assert {cell["n"] for cell in shown["cells"]} == {16}


def test_a_base_url_stands_in_every_link(founded: Terminal) -> None:
    (founded.folder / "enkat.toml").write_text('base_url = "http://192.168.1.5:8080"\n')
    meeting = ("meeting", "add", "M-1", "--kind", "sip", "--date", "2026-11-20", "--kin", "1")
    assert founded.json(*meeting)["rooms"][0]["link"].startswith("http://192.168.1.5:8080/")
    there = founded.json(*meeting, environment={"ENKAT_BASE_URL": "http://127.0.0.1:9/"})
    assert re.fullmatch(r"http://127\.0\.0\.1:9/\w{10}", there["rooms"][0]["link"]), "the environment comes first"


# Refusals


def test_the_versions_and_the_help_are_told(terminal: Terminal) -> None:
    assert terminal.text("--version") == f"enkat {__version__}\n"
    text = terminal.text("--help")
    for command in ("demo", "serve", "work", "unit", "staff", "assignment", "meeting", "invite", "count", "check"):
        assert command in text
    assert "publish" in text
    assert "results" in text
    assert not terminal.folder.exists(), "looking changes nothing"


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["count", "--close"]], ids=" ".join)
def test_a_command_used_wrongly_ends_with_2_and_touches_nothing(terminal: Terminal, arguments: list[str]) -> None:
    done = terminal.run(*arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().splitlines()[-1].startswith("enkat: ")
    assert not terminal.folder.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nonsense"], "nonsense"),
        (["unit", "remove"], "remove"),
        (["count", "--close"], "MEETING"),
        (["demo", "--seed", "-1"], "-1"),
        (["demo", "--responses", "0"], "0"),
        (["demo", "--responses", "many"], "many"),
        (["publish", "2026-Q1"], "2026-Q1"),
        (["staff", "add", "a@b.example", "--name", "A", "--role", "king", "--unit", "Norr"], "king"),
        (["meeting", "add", "M-1", "--kind", "party", "--date", "2026-11-20"], "party"),
        (["meeting", "add", "M-1", "--kind", "sip", "--date", "2026-02-30"], "2026-02-30"),
        (["meeting", "add", "M-1", "--kind", "sip", "--date", "2026-11-20", "--kin", "51"], "51"),
        (["meeting", "add", "M-1", "--kind", "sip", "--date", "2026-11-20", "--kin", "\u00b2"], "\u00b2"),
        (["invite", "x", "--role", "leader"], "leader"),
        (["invite", "x", "--role", "kin", "--count", "0"], "0"),
        (["serve", "--port", "0"], "0"),
        (["serve", "--port", "65536"], "65536"),
    ],
    ids=str,
)
def test_what_was_used_wrongly_is_named(
    terminal: Terminal, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    last = terminal.told(capsys, *arguments, code=2)
    assert last.startswith("enkat")
    assert told in last
    assert not terminal.folder.exists()


_MEETING = ["meeting", "add", "M-1", "--kind", "sip"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["unit", "add", "NORR"], "NORR"),
        (["unit", "add", "Team", "--under", "Nowhere"], "Nowhere"),
        (["unit", "add", " "], "1-80 characters"),
        (["staff", "add", "a@b.example", "--name", "A", "--role", "evaluator", "--unit", "Nowhere"], "Nowhere"),
        (["staff", "add", "nonsense", "--name", "A", "--role", "evaluator", "--unit", "Norr"], "nonsense"),
        (["assignment", "add", "M-2", "--unit", "Nowhere", "--source", "self"], "Nowhere"),
        (["assignment", "add", "m-1", "--unit", "norr", "--source", "self"], "m-1"),
        (["assignment", "add", "121212-1212", "--unit", "Norr", "--source", "self"], "identity number"),
        (["meeting", "add", "M-9", "--kind", "sip", "--date", "2026-11-20", "--kin", "1"], "M-9"),
        ([*_MEETING, "--date", "2026-11-20"], "at least one person"),
        ([*_MEETING, "--date", "2026-11-20", "--kin", "1", "--closes", "2026-11-19"], "2026-11-19"),
        ([*_MEETING, "--date", "2030-11-20", "--kin", "1"], "2030-11-20"),
        ([*_MEETING, "--date", "9999-12-31", "--kin", "1"], "9999-12-31"),
        ([*_MEETING, "--date", "2026-11-20", "--child", "1", "--child-questionnaire", "adult"], "child_small"),
        ([*_MEETING, "--date", "2026-11-20", "--kin", "1", "--unit", "Nowhere"], "Nowhere"),
        (["invite", "nowhere", "--role", "kin"], "nowhere"),
        (["count", "nowhere"], "nowhere"),
        (["count", "nowhere", "--close"], "nowhere"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_refused_in_one_sentence_that_names_it(
    founded: Terminal, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert told in founded.told(capsys, *arguments)
    assert stored(founded, "select count(*) from staff") == [(0,)]
    assert stored(founded, "select reference from assignment") == [("M-1",)]
    assert stored(founded, "select count(*) from meeting") == [(0,)]
    assert list((founded.folder / "keys" / "meetings").iterdir()) == []


def test_a_reference_of_two_teams_needs_the_unit(founded: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    founded.text("assignment", "add", "M-1", "--unit", "Mitthem", "--source", "self")
    meeting = ("meeting", "add", "M-1", "--kind", "sip", "--date", "2026-11-20", "--kin", "1")
    told = founded.told(capsys, *meeting)
    assert "Mitthem and Norr" in told
    assert "--unit" in told
    founded.text(*meeting, "--unit", "Norr")
    assert stored(founded, _UNITS_THAT_MET) == [("Norr",)]


def test_a_unit_is_known_in_any_case_by_every_command(founded: Terminal) -> None:
    meeting = ("meeting", "add", "M-1", "--kind", "sip", "--date", "2026-11-20", "--kin", "1")
    founded.text(*meeting, "--unit", "norr")
    assert stored(founded, _UNITS_THAT_MET) == [("Norr",)]


def test_invitations_that_do_not_all_fit_are_not_half_made(
    founded: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    meeting = founded.json("meeting", "add", "M-1", "--kind", "sip", "--date", "2026-11-20", "--kin", "1")["meeting"]
    founded.text("invite", meeting, "--role", "kin", "--count", "30")
    told = founded.told(capsys, "invite", meeting, "--role", "kin", "--count", "30")
    assert "50" in told
    assert stored(founded, "select count(*) from link where invitation is not null") == [(30,)]


@pytest.mark.parametrize("arguments", [["unit", "add", b"S\xf6der"], ["count", b"\xff"]], ids=["a name", "a meeting"])
def test_an_argument_that_is_no_text_is_a_command_used_wrongly(founded: Terminal, arguments: list[str | bytes]) -> None:
    done = founded.run(*arguments)
    told = done.stderr.decode()
    assert "Traceback" not in told
    assert (done.returncode, done.stdout) == (2, b"")
    assert "UTF-8" in told.splitlines()[-1]
    assert stored(founded, "select count(*) from unit") == [(2,)]


def test_a_password_that_is_no_text_is_refused_in_one_sentence(founded: Terminal) -> None:
    person = ("staff", "add", "a@b.example", "--name", "A", "--role", "evaluator", "--unit", "Norr")
    founded.refusal(*person, "--password-stdin", given=b"\xff\xfe\xfa in another encoding")
    assert stored(founded, "select count(*) from staff") == [(0,)]


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"ENKAT_TODAY": "yesterday"}, "ENKAT_TODAY"),
        ({"ENKAT_BASE_URL": "http://svar.mitthem.se"}, "https"),
        ({"ENKAT_BASE_URL": "https://svar.mitthem.se"}, "ENKAT_TODAY"),
        ({"ENKAT_BASE_URL": "http://127.0.0.1:99999"}, "ENKAT_BASE_URL"),
        ({"ENKAT_SMALLEST_GROUP": "4"}, "ENKAT_SMALLEST_GROUP"),
        ({"ENKAT_LEAVE_OUT": "adult.safe"}, "adult.safe"),
        ({"ENKAT_INSTANCE": "/proc/enkat"}, "/proc/enkat"),
        ({"ENKAT_INSTANCE": __file__}, __file__),
    ],
    ids=str,
)
def test_a_bad_setting_is_refused_in_one_sentence_before_anything_is_made(
    terminal: Terminal, capsys: pytest.CaptureFixture[str], environment: dict[str, str], told: str
) -> None:
    terminal.settings = environment
    assert told in terminal.told(capsys, "count")
    assert not terminal.folder.exists()


def test_a_process_with_a_bad_setting_says_one_sentence_and_ends_with_1(terminal: Terminal) -> None:
    assert "ENKAT_TODAY" in terminal.refusal("serve", environment={"ENKAT_TODAY": "yesterday"})
    assert "/proc/enkat" in terminal.refusal("demo", environment={"ENKAT_INSTANCE": "/proc/enkat"})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"base_url = ", "enkat.toml"),
        (b"smallest_groop = 5\n", "smallest_groop"),
        (b"smallest_group = 'many'\n", "smallest_group"),
        (b'controller = "\xff"\n', "enkat.toml"),
        (None, "enkat.toml"),
    ],
    ids=str,
)
def test_a_broken_settings_file_is_refused_in_one_sentence(
    terminal: Terminal, capsys: pytest.CaptureFixture[str], content: bytes | None, told: str
) -> None:
    terminal.folder.mkdir()
    file = terminal.folder / "enkat.toml"
    file.mkdir() if content is None else file.write_bytes(content)
    assert told in terminal.told(capsys, "check")
    assert not (terminal.folder / "enkat.db").exists()


def _overwritten(start: int) -> Callable[[Path], object]:
    """Everything after some bytes replaced, as by a disk that loses writes."""

    def spoil(file: Path) -> None:
        content = file.read_bytes()
        file.write_bytes(content[:start] + b"\xa5" * (len(content) - start))

    return spoil


def _foreign(file: Path) -> None:
    file.unlink()
    other = sqlite3.connect(file)
    other.execute("create table customer (name text)")
    other.close()
    file.chmod(0o600)


@pytest.mark.parametrize(
    "spoil",
    [
        _overwritten(0),
        _overwritten(100),
        _overwritten(4096),
        lambda file: file.write_bytes(file.read_bytes()[: 4096 * 3 + 77]),
        _foreign,
        lambda file: (file.unlink(), file.mkdir()),
    ],
    ids=["nonsense", "schema overwritten", "pages overwritten", "cut", "another program's", "a folder"],
)
def test_a_database_that_cannot_be_used_is_refused_in_one_sentence_by_commands_and_the_check(
    founded: Terminal, spoil: Callable[[Path], object]
) -> None:
    spoil(founded.folder / "enkat.db")
    founded.refusal("count")
    done = founded.run("check")
    told = done.stderr.decode()
    assert done.returncode == 1
    assert done.stdout == b""
    assert "Traceback" not in told
    assert told
    assert all(line.startswith("enkat: ") for line in told.splitlines())


def test_a_missing_key_is_refused_in_one_sentence(founded: Terminal) -> None:
    (founded.folder / "keys" / "pepper").unlink()
    assert str(founded.folder / "keys" / "pepper") in founded.refusal("work", "--once")
    assert not (founded.folder / "keys" / "pepper").exists()


def test_a_port_that_somebody_has_is_refused_in_one_sentence_and_starts_no_server(founded: Terminal) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        told = founded.refusal("serve", "--port", str(port))
    assert f"127.0.0.1:{port}" in told
    assert "--port" in told


def test_a_check_of_what_is_in_order_says_so(founded: Terminal) -> None:
    done = founded.run("check", "--json")
    shown = json.loads(done.stdout)
    assert shown.keys() == {"ok", "faults"}
    assert [fault for fault in shown["faults"] if not fault.startswith("translations/")] == []
    assert shown["ok"] is (not shown["faults"])
    assert done.returncode == (0 if shown["ok"] else 1)


def test_a_check_of_an_empty_folder_tells_how_to_start_and_makes_nothing(terminal: Terminal) -> None:
    done = terminal.run("check")
    assert done.returncode == 1
    assert str(terminal.folder / "enkat.db") in done.stderr.decode()
    assert not terminal.folder.exists()


def test_a_reader_who_has_read_enough_sees_no_traceback(lived: Terminal) -> None:
    lived.text("publish")
    command = f"{sys.executable} -m enkat results --json | head -n 1"
    environment = os.environ | {"ENKAT_INSTANCE": str(lived.folder), "ENKAT_TODAY": lived.today}
    done = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("{\n", "")


# A trial message


def test_a_trial_message_goes_out_and_a_wrong_password_is_told_with_its_setting(founded: Terminal) -> None:
    with SmsHost(users={"enkat": "secret"}) as gateway:
        given = {"ENKAT_SMS_SENDER": "Mitthem", "ENKAT_BASE_URL": "http://127.0.0.1:8000"}
        right, wrong = (
            given | {"ENKAT_SMS_URL": f"http://enkat:{password}@127.0.0.1:{gateway.port}/a1/sms"}
            for password in ("secret", "wrong-password")
        )
        done = founded.json("check", "--send-to", "070-174 06 05", environment=right)
        assert done == {"ok": True, "faults": [], "sent_by": "sms"}
        assert [one.to for one in gateway.taken] == ["+46701740605"]
        said = founded.refusal("check", "--send-to", "0701740605", environment=wrong)
        assert "ENKAT_SMS_URL" in said
        assert "wrong-password" not in said
        assert "no service" in founded.refusal("check", "--send-to", "kim@example.se", environment=right)
        assert "not a phone number" in founded.refusal("check", "--send-to", "070", environment=right)
        assert len(gateway.taken) == 1
