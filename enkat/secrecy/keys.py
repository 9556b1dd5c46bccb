"""Keys in files beside the database, each for one use: made with mode 0600, destroyed by overwriting.

instance/keys/pepper         keyed hashes of link keys, receipts and repeated submissions
instance/keys/links          seals link keys, so that they can be shown and sent again
instance/keys/contacts       seals the addresses of those who are sent a link
instance/keys/web            signs the staff's cookies
instance/keys/meetings/ID    opens one meeting's ballots; destroyed at its count
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from enkat.model.errors import KeyFileError

_KEY_BYTES = 32
_INSTANCE_KEYS = ("pepper", "links", "contacts", "web")


@dataclass(frozen=True)
class InstanceKeys:
    """The keys that last as long as the installation; 32 bytes each."""

    pepper: bytes
    links: bytes
    contacts: bytes
    web: bytes


class KeyStore:
    """The folder of keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.meetings = folder / "meetings"

    def create(self, *names: str) -> None:
        """Make the folder and whatever instance key is not there yet, of those named or of all."""
        try:
            for folder in (self.folder, self.meetings):  # each by itself: parents=True would forget the mode
                folder.mkdir(mode=0o700, exist_ok=True)
            for name in names or _INSTANCE_KEYS:
                with suppress(FileExistsError):  # made before, or by somebody else in this moment: as good
                    _write_new(self.folder / name, secrets.token_bytes(_KEY_BYTES))
        except OSError as error:
            raise KeyFileError(f"{self.folder} cannot be written: {error.strerror}") from error

    @cached_property
    def instance(self) -> InstanceKeys:
        """The instance's keys; KeyFileError where one is gone, for without it no link or receipt is known."""
        return InstanceKeys(*(_read(self.folder / name) for name in _INSTANCE_KEYS))

    def make_meeting_key(self, meeting: str) -> bytes:
        """A new pair for a meeting's ballots: the private half into its file, the public half returned."""
        private = X25519PrivateKey.generate()
        try:
            _write_new(self.meetings / meeting, private.private_bytes_raw())
        except OSError as error:
            raise KeyFileError(f"{self.meetings / meeting} cannot be made: {error.strerror}") from error
        return private.public_key().public_bytes_raw()

    def meeting_key(self, meeting: str) -> bytes:
        """The private half of an open meeting's pair."""
        return _read(self.meetings / meeting)

    def destroy_meeting_key(self, meeting: str) -> None:
        """Overwrite and unlink a meeting's private key; no harm where it is gone already."""
        self.overwrite_meeting_key(meeting)
        self.remove_meeting_key(meeting)

    def overwrite_meeting_key(self, meeting: str) -> None:
        """Make a meeting's private key worthless: nothing is left of it but its file's name."""
        with self._destroying(meeting) as file, file.open("r+b") as handle:
            handle.write(secrets.token_bytes(_KEY_BYTES))
            handle.flush()
            os.fsync(handle.fileno())

    def remove_meeting_key(self, meeting: str) -> None:
        """Unlink the file of a meeting's private key."""
        with self._destroying(meeting) as file:
            file.unlink()
            _sync_folder(self.meetings)

    @contextmanager
    def _destroying(self, meeting: str) -> Iterator[Path]:
        file = self.meetings / meeting
        try:
            yield file
        except FileNotFoundError:
            return
        except OSError as error:
            raise KeyFileError(f"{file} cannot be destroyed: {error.strerror}") from error

    def meetings_with_key(self) -> set[str]:
        """The meetings whose private key exists."""
        return {file.name for file in self.meetings.iterdir()} if self.meetings.is_dir() else set()

    def faults(self) -> list[str]:
        """What is wrong with the instance's keys and with who may read the folder, for `enkat check`."""
        faults = [
            f"{folder} can be read by others; run chmod 700 {folder}"
            for folder in (self.folder, self.meetings)
            if os.name == "posix" and folder.is_dir() and folder.stat().st_mode & 0o077
        ]
        for file in (*(self.folder / name for name in _INSTANCE_KEYS), *self.meetings.glob("*")):
            try:
                if file.parent == self.folder:
                    _read(file)
            except KeyFileError as error:
                faults.append(str(error))
                continue
            if file.stat().st_mode & 0o077 and os.name == "posix":
                faults.append(f"{file} can be read by others; run chmod 600 {file}")
        return faults


def _read(file: Path) -> bytes:
    try:
        key = file.read_bytes()
    except OSError as error:
        raise KeyFileError(f"{file} cannot be read ({error.strerror}); restore it from your backup") from error
    if len(key) != _KEY_BYTES:
        raise KeyFileError(f"{file} is not a key of {_KEY_BYTES} bytes; restore it from your backup")
    return key


def _write_new(file: Path, key: bytes) -> None:
    """Write a key that does not exist yet, whole and durable or not at all; FileExistsError where it does."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(key)
            handle.flush()
            os.fsync(handle.fileno())
        os.link(draft, file)
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(file.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
