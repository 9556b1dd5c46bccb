"""Opening the house: what a first start makes, who can read it, and what a later start must never make anew."""

import os
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from enkat import answering, inviting
from enkat.house import House, open_house
from enkat.model.errors import CatalogueError, EnkatError, KeyFileError, SettingsError, StoreError, UnknownLink
from enkat.model.survey import Role
from enkat.settings import Settings
from enkat.storage import questionnaires, staff
from enkat.storage.engine import write
from tests.conftest import TODAY, Town


def modes(folder: Path) -> dict[str, str]:
    """The mode of everything in a folder, and of itself, by what it is called."""
    found = [folder, *folder.rglob("*")]
    return {str(file.relative_to(folder)): f"{file.stat().st_mode & 0o777:o}" for file in found}


def test_a_first_start_makes_the_folder_the_keys_and_the_database(settings: Settings) -> None:
    house = open_house(settings)
    assert sorted(file.name for file in settings.keys.iterdir()) == ["contacts", "links", "meetings", "pepper", "web"]
    db = house.connect()
    assert staff.units(db) == []
    db.close()
    keys = house.keys.instance
    assert len({keys.pepper, keys.links, keys.contacts, keys.web}) == 4
    assert {len(keys.pepper), len(keys.links), len(keys.contacts), len(keys.web)} == {32}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_nobody_else_on_the_machine_can_read_what_a_first_start_makes(settings: Settings, umask: int) -> None:
    before = os.umask(umask)
    try:
        house = open_house(settings)
        house.keys.make_meeting_key("a-meeting")
    finally:
        os.umask(before)
    found = modes(settings.instance)
    assert {name: mode for name, mode in found.items() if (settings.instance / name).is_file()} == {
        "enkat.db": "600",
        "enkat.db-journal": "600",
        "keys/contacts": "600",
        "keys/links": "600",
        "keys/pepper": "600",
        "keys/web": "600",
        "keys/meetings/a-meeting": "600",
    }
    assert {name: mode for name, mode in found.items() if (settings.instance / name).is_dir()} == {
        ".": "700",
        "keys": "700",
        "keys/meetings": "700",
    }


def test_a_second_start_keeps_keys_data_and_links(town: Town) -> None:
    link = town.rooms(town.meeting())[Role.KIN]
    again = open_house(town.house.settings)
    assert again.keys.instance == town.house.keys.instance
    db = again.connect()
    assert answering.open_link(db, again.keys, link.key, TODAY).id == link.id
    db.close()


def test_two_installations_have_keys_of_their_own(settings: Settings, tmp_path: Path) -> None:
    one, other = open_house(settings), open_house(replace(settings, instance=tmp_path / "other"))
    mine, theirs = one.keys.instance, other.keys.instance
    assert not {mine.pepper, mine.links, mine.web} & {theirs.pepper, theirs.links, theirs.web}


@pytest.mark.parametrize("name", ["pepper", "links", "contacts", "web"])
def test_a_key_missing_beside_a_used_database_is_named_and_never_made_anew(town: Town, name: str) -> None:
    link = town.rooms(town.meeting())[Role.KIN]
    file = town.house.settings.keys / name
    key = file.read_bytes()
    file.unlink()
    for _attempt in range(2):
        with pytest.raises(KeyFileError, match="restore it from your backup") as refusal:
            open_house(town.house.settings)
        assert str(file) in str(refusal.value)
        assert not file.exists(), "a new key would make every link in anybody's hand unknown"
    file.write_bytes(key)
    again = open_house(town.house.settings)
    assert answering.open_link(town.db, again.keys, link.key, TODAY).id == link.id


def test_a_folder_of_keys_that_is_gone_is_not_made_anew(town: Town) -> None:
    town.house.settings.keys.rename(town.house.settings.instance / "elsewhere")
    with pytest.raises(KeyFileError):
        open_house(town.house.settings)
    assert not town.house.settings.keys.exists()


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_a_key_of_the_wrong_size_is_named(house: House, content: bytes) -> None:
    file = house.settings.keys / "pepper"
    file.write_bytes(content)
    with pytest.raises(KeyFileError) as refusal:
        open_house(house.settings)
    assert str(file) in str(refusal.value)
    assert file.read_bytes() == content


def test_a_database_that_was_lost_starts_empty_under_the_old_keys(town: Town) -> None:
    keys = town.house.keys.instance
    link = town.rooms(town.meeting())[Role.KIN]
    town.db.close()
    town.house.settings.database.unlink()
    again = open_house(town.house.settings)
    assert again.keys.instance == keys
    db = again.connect()
    with pytest.raises(UnknownLink):
        answering.open_link(db, again.keys, link.key, TODAY)
    db.close()


def test_a_first_start_cut_short_before_the_tables_is_finished_by_the_next(settings: Settings) -> None:
    settings.instance.mkdir()
    settings.database.touch(mode=0o600)
    settings.keys.mkdir()
    (settings.keys / "pepper").write_bytes(b"p" * 32)
    house = open_house(settings)
    assert house.keys.instance.pepper == b"p" * 32
    db = house.connect()
    assert staff.units(db) == []
    db.close()


def test_several_that_start_at_once_agree_on_the_keys(settings: Settings) -> None:
    found: list[object] = []

    def start() -> None:
        try:
            found.append(open_house(settings).keys.instance)
        except EnkatError as error:
            found.append(error)

    starts = [threading.Thread(target=start) for _ in range(6)]
    for one in starts:
        one.start()
    for one in starts:
        one.join()
    assert found == [found[0]] * 6


@pytest.mark.parametrize("place", ["a file", "below a file", "/proc/enkat", "/proc/1/enkat", "/sys/enkat"])
def test_an_instance_folder_that_cannot_be_written_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("kept")
    folder = {"a file": tmp_path / "file", "below a file": tmp_path / "file" / "instance"}.get(place, Path(place))
    with pytest.raises(SettingsError) as refusal:
        open_house(Settings(instance=folder))
    assert str(folder) in str(refusal.value)
    assert "ENKAT_INSTANCE" in str(refusal.value)
    assert (tmp_path / "file").read_text() == "kept"


def test_a_file_where_the_keys_should_be_is_named(settings: Settings) -> None:
    settings.instance.mkdir()
    settings.keys.write_text("kept")
    with pytest.raises(KeyFileError) as refusal:
        open_house(settings)
    assert str(settings.keys) in str(refusal.value)
    assert settings.keys.read_text() == "kept"


def _foreign(file: Path) -> None:
    other = sqlite3.connect(file)
    other.execute("create table customer (name text)")
    other.execute("insert into customer values ('Kim')")
    other.commit()
    other.close()


@pytest.mark.parametrize(
    "spoil",
    [lambda file: file.write_bytes(b"not a database at all, sorry" * 50), _foreign, lambda file: file.mkdir()],
    ids=["not a database", "another program's", "a folder"],
)
def test_a_database_that_is_not_ours_is_refused_and_left_as_it_was(settings: Settings, spoil: object) -> None:
    settings.instance.mkdir()
    spoil(settings.database)  # type: ignore[operator]
    before = settings.database.read_bytes() if settings.database.is_file() else None
    with pytest.raises(StoreError) as refusal:
        open_house(settings)
    assert str(settings.database) in str(refusal.value)
    assert before is None or settings.database.read_bytes() == before
    assert not settings.keys.exists(), "no keys are made for what is not ours"


def test_the_items_that_the_settings_leave_out_are_not_asked(settings: Settings) -> None:
    house = open_house(replace(settings, leave_out=frozenset({"adult.trust"})))
    assert "trust" not in [item.id for item in house.catalogue["adult"].items]
    assert "trust" in [item.id for item in open_house(settings).catalogue["adult"].items]


def test_a_broken_catalogue_makes_nothing(settings: Settings) -> None:
    with pytest.raises(CatalogueError, match=r"adult\.safe"):
        open_house(replace(settings, leave_out=frozenset({"adult.safe"})))
    assert not settings.instance.exists()


def test_a_new_version_of_a_questionnaire_is_kept_beside_the_one_that_was_answered(town: Town) -> None:
    with write(town.db):
        town.db.execute("update questionnaire set version = 9 where id = 'adult'")  # as if from a later installation
    before = list(questionnaires.all_versions(town.db))
    open_house(town.house.settings)
    assert {*questionnaires.all_versions(town.db)} - {*before} == {("adult", 1)}
    open_house(town.house.settings)
    assert len(questionnaires.all_versions(town.db)) == len(before) + 1


def test_a_start_that_has_nothing_new_to_keep_needs_no_lock(town: Town) -> None:
    with write(town.db):
        assert open_house(town.house.settings).catalogue["adult"] == town.house.catalogue["adult"]


def test_a_questionnaire_that_is_kept_stays_as_it_was_answered(town: Town) -> None:
    shorter = replace(town.house.settings, leave_out=frozenset({"adult.trust"}))
    assert open_house(shorter).catalogue["adult"] != town.house.catalogue["adult"]
    assert questionnaires.all_versions(town.db)["adult", 1] == town.house.catalogue["adult"]


def test_every_connection_is_ones_own(town: Town) -> None:
    one, other = town.house.connect(), town.house.connect()
    inviting.open_assignment(one, "M-1", town.north.id, town.assignment("M-2").source)
    assert one.conn is not other.conn
    one.close()
    assert other.execute("select count(*) from assignment").fetchone()[0] == 2
    other.close()
