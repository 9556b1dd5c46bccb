"""Heads of the audit log in a file of their own beside the database: a log that somebody has changed, with every hash
after it, or has cut off the end of, does not agree with them any more. Heads kept on another machine are a better
witness still."""

import os
from pathlib import Path

from enkat.model.audit import AuditHead
from enkat.model.errors import StoreError


def note(file: Path, head: AuditHead) -> None:
    """Add a head to the file, unless it is the last one there."""
    heads(file)  # what is damaged is left for whoever looks into it
    if head.number == 0 or _lines(file)[-1:] == [str(head)]:
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as handle:
            handle.write(f"{head}\n")
            handle.flush()
            os.fsync(handle.fileno())
    except OSError as error:
        raise StoreError(f"{file} cannot be written ({error.strerror}); can this user write its folder?") from error


def heads(file: Path) -> set[AuditHead]:
    """The heads that were noted; StoreError where the file holds something else."""
    try:
        return {AuditHead.read(line) for line in _lines(file)}
    except ValueError as error:
        raise StoreError(f"{file} cannot be read ({error}); move it away, and find out who has changed it") from error


def _lines(file: Path) -> list[str]:
    try:
        return [line for line in file.read_text(encoding="ascii").splitlines() if line]
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise StoreError(f"{file} cannot be read ({error}); move it away, and find out who has changed it") from error
