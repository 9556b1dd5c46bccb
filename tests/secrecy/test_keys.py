"""The keys outside the database: who may read them, that none is ever overwritten or quietly replaced, and that a
meeting's is gone for good once it is destroyed."""

import os
import re
import stat
import threading
from pathlib import Path

import pytest

from enkat.house import House, open_house
from enkat.model.errors import KeyFileError
from enkat.secrecy.ballots import fits
from enkat.secrecy.keys import KeyStore
from enkat.settings import Settings
from tests.conftest import Town

INSTANCE_KEYS = ["contacts", "links", "pepper", "web"]
MEETING = "0123456789abcdef"


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    """The keys of a first start."""
    (tmp_path / "instance").mkdir()
    made = KeyStore(tmp_path / "instance" / "keys")
    made.create()
    return made


def again(store: KeyStore) -> KeyStore:
    """The same folder after a restart."""
    return KeyStore(store.folder)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_first_start_makes_four_keys_and_nothing_else(store: KeyStore) -> None:
    assert sorted(contents(store.folder)) == INSTANCE_KEYS, "and no drafts are left"
    keys = store.instance
    assert [len(key) for key in (keys.pepper, keys.links, keys.contacts, keys.web)] == [32, 32, 32, 32]
    assert len({keys.pepper, keys.links, keys.contacts, keys.web}) == 4, "each for one use"
    assert (keys.pepper, keys.links, keys.contacts, keys.web) == tuple(
        (store.folder / name).read_bytes() for name in ("pepper", "links", "contacts", "web")
    )


def test_two_installations_have_nothing_in_common(store: KeyStore, tmp_path: Path) -> None:
    other = KeyStore(tmp_path / "other")
    other.create()
    assert not set(contents(store.folder).values()) & set(contents(other.folder).values())


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_keys_are_for_their_owner_alone(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        store = KeyStore(tmp_path / "keys")
        store.create()
        store.make_meeting_key(MEETING)
    finally:
        os.umask(before)
    files = [file for file in store.folder.rglob("*") if file.is_file()]
    assert len(files) == 5
    assert {oct(mode(file)) for file in files} == {"0o600"}
    assert {oct(mode(folder)) for folder in (store.folder, store.meetings)} == {"0o700"}
    assert store.faults() == []


def test_a_whole_first_start_leaves_nothing_for_others(house: House) -> None:
    """Whatever lies in the instance folder: the database, the keys and their folders."""
    instance = house.settings.instance
    open_to_others = [str(path.relative_to(instance)) for path in instance.rglob("*") if mode(path) & 0o077]
    assert open_to_others == []
    assert mode(instance) == 0o700


def test_a_restart_keeps_every_key(store: KeyStore) -> None:
    store.make_meeting_key(MEETING)
    before = contents(store.folder)
    again(store).create()
    assert contents(store.folder) == before
    assert again(store).instance == store.instance


def test_a_first_start_that_was_cut_short_is_finished(store: KeyStore) -> None:
    pepper = store.instance.pepper
    (store.folder / "web").unlink()
    again(store).create()
    assert sorted(contents(store.folder)) == INSTANCE_KEYS
    assert again(store).instance.pepper == pepper


@pytest.mark.parametrize("name", INSTANCE_KEYS)
def test_a_missing_key_is_named_and_never_made_anew(house: House, name: str) -> None:
    """Without the old key no link in anybody's hand would be known."""
    file = house.settings.keys / name
    file.unlink()
    with pytest.raises(KeyFileError, match=rf"{re.escape(str(file))} cannot be read \(.+\); restore it"):
        open_house(house.settings)
    assert not file.exists()
    [fault] = again(house.keys).faults()
    assert fault.startswith(f"{file} ")
    assert fault.endswith("; restore it from your backup")


@pytest.mark.parametrize("name", INSTANCE_KEYS)
@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33, b"x" * 4096])
def test_a_key_of_another_length_is_named_and_left_as_it_is(store: KeyStore, name: str, content: bytes) -> None:
    file = store.folder / name
    file.write_bytes(content)
    with pytest.raises(KeyFileError, match=rf"{re.escape(str(file))} is not a key of 32 bytes; restore it"):
        _ = again(store).instance
    assert store.faults() == [f"{file} is not a key of 32 bytes; restore it from your backup"]
    again(store).create()
    assert file.read_bytes() == content


def test_a_key_that_others_can_read_is_named(store: KeyStore) -> None:
    store.make_meeting_key(MEETING)
    for file in (store.folder / "pepper", store.meetings / MEETING):
        file.chmod(0o644)
        assert store.faults() == [f"{file} can be read by others; run chmod 600 {file}"]
        file.chmod(0o600)
    assert store.faults() == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file in its place")
    with pytest.raises(KeyFileError, match=f"{re.escape(str(tmp_path / 'keys'))} cannot be written"):
        KeyStore(tmp_path / "keys").create()
    assert (tmp_path / "keys").read_text() == "a file in its place"


def test_first_starts_at_one_moment_agree_on_their_keys(tmp_path: Path) -> None:
    settings, starts = Settings(tmp_path / "instance"), 6
    ready, found, failed = threading.Barrier(starts), [], []

    def start() -> None:
        ready.wait()
        try:
            found.append(open_house(settings).keys.instance)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(starts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(found) == starts
    assert set(found) == {KeyStore(settings.keys).instance}
    assert sorted(contents(settings.keys)) == INSTANCE_KEYS


def test_each_meeting_has_a_key_of_its_own(store: KeyStore) -> None:
    public = store.make_meeting_key(MEETING)
    other = store.make_meeting_key("another")
    assert len(store.meeting_key(MEETING)) == len(public) == 32
    assert fits(store.meeting_key(MEETING), public)
    assert fits(store.meeting_key("another"), other)
    assert not fits(store.meeting_key(MEETING), other)
    assert store.meetings_with_key() == {MEETING, "another"}


def test_a_meetings_key_is_never_overwritten(store: KeyStore) -> None:
    """And nobody is handed a public half to which there is no private one: ballots sealed to it would be lost."""
    public = store.make_meeting_key(MEETING)
    private = store.meeting_key(MEETING)
    with pytest.raises(KeyFileError, match=MEETING):
        store.make_meeting_key(MEETING)
    assert store.meeting_key(MEETING) == private
    assert fits(private, public)
    assert sorted(contents(store.meetings)) == [MEETING], "and no draft is left"


def test_a_meetings_key_that_is_missing_or_short_is_named(store: KeyStore) -> None:
    file = store.meetings / MEETING
    with pytest.raises(KeyFileError, match=f"{re.escape(str(file))} cannot be read"):
        store.meeting_key(MEETING)
    file.write_bytes(b"short")
    with pytest.raises(KeyFileError, match=f"{re.escape(str(file))} is not a key of 32 bytes"):
        store.meeting_key(MEETING)


def test_destroying_a_key_overwrites_its_bytes_before_it_goes(store: KeyStore, tmp_path: Path) -> None:
    """A second name for the file, such as a careless backup would make, sees what became of the bytes."""
    store.make_meeting_key(MEETING)
    private = store.meeting_key(MEETING)
    second_name = tmp_path / "second name"
    os.link(store.meetings / MEETING, second_name)
    store.destroy_meeting_key(MEETING)
    assert not (store.meetings / MEETING).exists()
    left = second_name.read_bytes()
    assert len(left) == 32, "overwritten in its place and not beside it"
    assert sum(one == other for one, other in zip(left, private, strict=True)) < 8, "all of it, and by chance"
    with pytest.raises(KeyFileError):
        store.meeting_key(MEETING)


def test_destroying_one_key_leaves_the_others(store: KeyStore) -> None:
    store.make_meeting_key(MEETING)
    store.make_meeting_key("another")
    before = contents(store.folder)
    store.destroy_meeting_key(MEETING)
    del before[f"meetings/{MEETING}"]
    assert contents(store.folder) == before
    assert store.meetings_with_key() == {"another"}


def test_destroying_a_key_twice_does_no_harm(store: KeyStore) -> None:
    store.make_meeting_key(MEETING)
    store.destroy_meeting_key(MEETING)
    store.destroy_meeting_key(MEETING)
    KeyStore(store.folder / "nowhere").destroy_meeting_key(MEETING)
    assert store.meetings_with_key() == set()
    assert sorted(contents(store.folder)) == INSTANCE_KEYS


def test_a_key_that_cannot_be_destroyed_is_named(store: KeyStore) -> None:
    (store.meetings / MEETING).mkdir()
    with pytest.raises(KeyFileError, match=f"{MEETING} cannot be destroyed"):
        store.destroy_meeting_key(MEETING)


def test_where_no_meeting_has_been_there_is_no_key(tmp_path: Path) -> None:
    assert KeyStore(tmp_path / "nowhere").meetings_with_key() == set()


def test_a_meeting_that_cannot_be_started_leaves_no_key_behind(town: Town) -> None:
    before = town.house.keys.meetings_with_key()
    nowhere = town.assignment()
    with pytest.raises(Exception, match="FOREIGN KEY"):
        town.meeting(assignment=type(nowhere)("gone", "M-1", town.north.id, nowhere.source))
    assert town.house.keys.meetings_with_key() == before == set()
