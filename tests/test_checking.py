"""`enkat check`: silent where all is well; elsewhere each fault named with the thing and the mend, nothing changed."""

import re
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from enkat import checking, counting
from enkat.model.errors import EnkatError
from enkat.model.survey import Role
from enkat.settings import Settings
from enkat.storage.engine import write
from tests.conftest import TODAY, Town


def faults(settings: Settings) -> list[str]:
    """What is wrong with an installation, but for translations that are being worked on."""
    return [fault for fault in checking.faults(settings) if not fault.startswith("translations/")]


def everything(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and mode of every file of a folder."""
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    return {str(file.relative_to(folder)): (file.read_bytes(), file.stat().st_mode) for file in files}


def test_where_all_is_well_nothing_is_said_and_nothing_is_changed(town: Town) -> None:
    town.meeting()
    counted = town.meeting(assignment=town.assignment("M-2"))
    counting.close_and_count(town.db, town.house.keys, counted.id, TODAY)
    before = everything(town.house.settings.instance)
    assert faults(town.house.settings) == []
    assert everything(town.house.settings.instance) == before


def test_an_installation_that_was_never_started_is_told_how_to_start(settings: Settings) -> None:
    (fault,) = faults(settings)
    assert str(settings.database) in fault
    assert "enkat serve" in fault
    assert not settings.instance.exists()


def test_an_empty_file_is_told_to_be_unmigrated_and_is_left_empty(settings: Settings) -> None:
    settings.instance.mkdir()
    settings.database.touch(mode=0o600)
    found = faults(settings)
    assert len(found) == 1
    assert "migration 'one_meeting'" in found[0]
    assert settings.database.read_bytes() == b""
    assert not settings.keys.exists()


@pytest.mark.parametrize(
    ("was", "now"),
    [('"text": "Det kändes tryggt', '"text": "Var det tryggt'), ('"value": 5', '"value": 7')],
    ids=["a statement", "a point"],
)
def test_a_questionnaire_that_was_changed_without_a_new_version_is_named(town: Town, was: str, now: str) -> None:
    with write(town.db):
        changed = town.db.execute(
            "update questionnaire set definition = replace(definition, :was, :now) where id = 'adult'",
            {"was": was, "now": now},
        )
    assert changed.rowcount == 1
    assert faults(town.house.settings) == [
        "adult.toml was changed since its version 1 was first on offer; raise its version to 2"
    ]


def test_a_statement_that_a_municipality_leaves_out_is_no_change(town: Town) -> None:
    assert faults(replace(town.house.settings, leave_out=frozenset({"adult.trust"}))) == []


@pytest.mark.parametrize("name", ["pepper", "links", "web"])
@pytest.mark.parametrize(
    "spoil",
    [Path.unlink, lambda file: file.write_bytes(b"short"), lambda file: file.chmod(0o644)],
    ids=["missing", "short", "readable by others"],
)
def test_a_key_that_is_missing_short_or_open_to_others_is_named(
    town: Town, name: str, spoil: Callable[[Path], object]
) -> None:
    file = town.house.settings.keys / name
    spoil(file)
    found = faults(town.house.settings)
    assert len(found) == 1
    assert str(file) in found[0]


@pytest.mark.parametrize(
    "spoil",
    [
        Path.unlink,
        lambda file: file.write_bytes(b"x" * 32),
        lambda file: file.write_bytes(b""),
        lambda file: file.chmod(0o640),
    ],
    ids=["missing", "another key", "empty", "readable by others"],
)
def test_every_open_meeting_whose_key_is_not_right_is_named(town: Town, spoil: Callable[[Path], object]) -> None:
    found = [town.meeting(assignment=town.assignment(f"M-{n}")) for n in (1, 2, 3)]
    for meeting in found[:2]:
        spoil(town.house.keys.meetings / meeting.id)
    named = faults(town.house.settings)
    for meeting in found[:2]:
        assert [fault for fault in named if str(town.house.keys.meetings / meeting.id) in fault], "named, each of them"
    assert not [fault for fault in named if found[2].id in fault]


def test_the_key_of_a_counted_meeting_is_not_missed(town: Town) -> None:
    meeting = town.meeting()
    counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
    assert not (town.house.keys.meetings / meeting.id).exists()
    assert faults(town.house.settings) == []


def test_a_database_that_others_can_read_is_named_with_the_mend(town: Town) -> None:
    town.house.settings.database.chmod(0o644)
    (fault,) = faults(town.house.settings)
    assert str(town.house.settings.database) in fault
    assert "chmod 600" in fault
    assert town.house.settings.database.stat().st_mode & 0o777 == 0o644, "a check mends nothing"


def test_a_broken_reference_in_the_database_is_found(town: Town) -> None:
    meeting = town.meeting()
    town.db.execute("pragma foreign_keys = off")
    town.db.execute("delete from assignment")
    found = faults(town.house.settings)
    assert [fault for fault in found if "meeting" in fault and "assignment" in fault and "restore a backup" in fault]
    assert meeting.id not in "".join(found)


def test_a_database_of_a_newer_enkat_is_told_apart_from_a_broken_one(town: Town) -> None:
    town.db.execute("insert into _sqlite_migrations (migration_set, name, applied_at) values ('enkat', 'later', '')")
    (fault,) = faults(town.house.settings)
    assert "newer enkat" in fault
    assert "'later'" in fault


def _pages_overwritten(file: Path) -> None:
    """Everything after the first page replaced, as by a disk that loses writes."""
    content = file.read_bytes()
    file.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))


def _schema_overwritten(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:100] + b"\xa5" * (len(content) - 100))


def _cut(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2 + 77])


def _foreign(file: Path) -> None:
    file.unlink()
    other = sqlite3.connect(file)
    other.execute("create table customer (name text)")
    other.close()
    file.chmod(0o600)


@pytest.mark.parametrize(
    "spoil",
    [
        _pages_overwritten,
        _schema_overwritten,
        _cut,
        _foreign,
        lambda file: file.write_bytes(b"nonsense" * 1000),
        lambda file: (file.unlink(), file.mkdir()),
    ],
    ids=["pages overwritten", "schema overwritten", "cut in half", "another program's", "nonsense", "a folder"],
)
def test_a_database_that_cannot_be_used_is_a_fault_in_words(town: Town, spoil: Callable[[Path], object]) -> None:
    town.meeting()
    town.db.close()
    spoil(town.house.settings.database)
    found = faults(town.house.settings)
    assert found
    assert all("\n" not in fault for fault in found)


def test_a_public_address_needs_who_answers_for_it_and_where_requests_come_from(town: Town) -> None:
    public = replace(town.house.settings, base_url="https://svar.mitthem.se", fixed_today=None)
    found = faults(public)
    assert [re.findall(r"ENKAT_[A-Z]+", fault) for fault in found] == [
        ["ENKAT_CONTROLLER"],
        ["ENKAT_CONTACT"],
        ["ENKAT_PROXY"],
    ]
    proxy = (ip_network("127.0.0.1"),)
    assert faults(replace(public, controller="Socialnämnden", contact="dso@mitthem.se", proxy=proxy)) == []


@pytest.mark.parametrize(
    ("name", "told"), [("adult.safe", "not optional"), ("adult.nonsense", "no item"), ("nonsense", "no item")]
)
def test_an_item_that_cannot_be_left_out_is_named(town: Town, name: str, told: str) -> None:
    (fault,) = faults(replace(town.house.settings, leave_out=frozenset({name})))
    assert f"'{name}'" in fault
    assert told in fault


def test_several_faults_are_all_told_at_once(town: Town) -> None:
    settings = town.house.settings
    settings.database.chmod(0o666)
    (settings.keys / "web").unlink()
    (settings.keys / "links").chmod(0o644)
    found = faults(replace(settings, base_url="https://svar.mitthem.se", controller="Mitthem", fixed_today=None))
    for thing in ("ENKAT_CONTACT", str(settings.keys / "web"), str(settings.keys / "links"), str(settings.database)):
        assert len([fault for fault in found if thing in fault]) == 1, thing


def test_a_file_that_does_not_belong_among_the_meetings_keys_breaks_nothing(town: Town) -> None:
    town.meeting()
    (town.house.keys.meetings / "folder").mkdir(mode=0o700)
    assert town.rooms(town.meeting(assignment=town.assignment("M-2")))[Role.KIN]
    try:
        found = faults(town.house.settings)
    except EnkatError as error:  # a fault is told, never raised
        raise AssertionError(error) from error
    assert len(found) <= 1


def test_a_damaged_snapshot_is_a_fault_and_no_traceback(town: Town) -> None:
    with write(town.db):
        town.db.execute(
            """insert into snapshot (grain, period, year, outcome, published, n, forms)
               values ('quarter', '["2026-Q1"]', 2026, 'empty', '2026-04-01', 0, '[not json')"""
        )
    (fault,) = checking.faults(town.house.settings)
    assert fault.startswith("what is published is damaged (")
    assert fault.endswith("; restore a backup")
