"""Free texts: read by those who may, cleared one by one, released ten new ones at a time without a word of whose they
are.

Ten new ones must have come together before anybody reads them. A child's text is never shown in the child's words:
whoever clears it says it in their own.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlite_utils import Database

from enkat import identifiers
from enkat.model.audit import TERMINAL, Act
from enkat.model.errors import NotFound, Refused
from enkat.model.survey import TEXT_LIMIT
from enkat.model.text import BATCH, FreeText, TextState
from enkat.storage import audit, texts
from enkat.storage.engine import leave_remnants, write

#: Line breaks and tabs, and what joins and parts letters in Persian and the parts of an emoji.
_JOINERS = "\n\t\u200c\u200d"

#: So many of a child's words in a row are the child's own words.
_OWN_WORDS = 4


@dataclass(frozen=True)
class Desk:
    """What lies on the reader's desk: the next texts to read, those that wait for others to be released with, and those
    withheld (the first hundred); and how many there are in each state."""

    readable: list[FreeText]
    cleared: list[FreeText]
    withheld: list[FreeText]
    counts: Mapping[TextState, int]

    @property
    def lacking(self) -> int:
        """How many more must be cleared before the next ones are released."""
        return BATCH - len(self.cleared)


@dataclass(frozen=True)
class Released:
    """Texts that were released together."""

    batch: int
    texts: tuple[FreeText, ...]


def desk(db: Database, *, by: str = TERMINAL) -> Desk:
    """What there is to read. That somebody reads is noted, once a day."""
    found = Desk(
        texts.in_state(db, TextState.READABLE, BATCH),
        texts.in_state(db, TextState.CLEARED, BATCH),
        texts.in_state(db, TextState.WITHHELD, 10 * BATCH),
        texts.counts(db),
    )
    if found.readable or found.cleared or found.withheld:
        _note_reading(db, by)
    return found


def clear(db: Database, text: str, wording: str, seen: str | None = None, *, by: str = TERMINAL) -> int | None:
    """Let a text be shown in a certain wording, its own or a changed one; the batch that was released with it, if it
    was the tenth. `seen` marks the wording that was before the reader. Refused where nothing would be left of it, where
    it is too long, in a child's own words, or where somebody else has changed it meanwhile."""
    wording = identifiers.blanked(_readable(wording))
    with write(db):
        found = _on_the_desk(db, text)
        _judge(found, wording, seen)
        texts.settle(db, replace(found, state=TextState.CLEARED, wording=wording, retold=found.is_child))
        audit.note(db, by, Act.TEXT_CLEARED if wording == found.wording else Act.TEXT_CHANGED, found.id)
        leave_remnants(db)  # of the wording before
        if texts.counts(db)[TextState.CLEARED] < BATCH:
            return None
        batch = texts.release_cleared(db)
        audit.note(db, by, Act.TEXTS_RELEASED, f"batch {batch}")
    return batch


def withhold(db: Database, text: str, *, by: str = TERMINAL) -> None:
    """Let a text not be shown, or not any more. It is kept, so that one can think better of it."""
    with write(db):
        found = texts.find(db, text)
        if found is None or found.state in (TextState.LOCKED, TextState.GATHERING):
            raise NotFound(f"there is no text {text} to read")
        texts.settle(db, replace(found, state=TextState.WITHHELD, batch=None))
        audit.note(db, by, Act.TEXT_WITHHELD, found.id)


def released(db: Database, most: int) -> list[Released]:
    """The latest so many batches of what everybody may read, the latest first."""
    batches: dict[int, list[FreeText]] = {}
    for one in texts.in_state(db, TextState.RELEASED, most * BATCH):
        batches.setdefault(one.batch or 0, []).append(one)
    return [Released(batch, tuple(found)) for batch, found in batches.items()]


def withheld(db: Database) -> int:
    """How many texts were read and are not shown."""
    return texts.counts(db)[TextState.WITHHELD]


def _on_the_desk(db: Database, text: str) -> FreeText:
    found = texts.find(db, text)
    if found is None or found.state not in (TextState.READABLE, TextState.CLEARED, TextState.WITHHELD):
        raise NotFound(f"there is no text {text} to read")
    return found


def _readable(wording: str) -> str:
    """A wording without marks that cannot be seen, such as could hide a child's words in a retelling."""
    kept = (mark for mark in unicodedata.normalize("NFC", wording.replace("\r\n", "\n")))
    return "".join(mark for mark in kept if mark in _JOINERS or unicodedata.category(mark) not in ("Cc", "Cf")).strip()


def mark(wording: str) -> str:
    """By what a page tells which wording was before the reader."""
    return hashlib.sha256(wording.encode()).hexdigest()[:16]


def _judge(found: FreeText, wording: str, seen: str | None) -> None:
    if not wording:
        raise Refused("text_empty", "nothing is left of the text; withhold it instead")
    if len(wording) > TEXT_LIMIT:
        raise Refused("text_long", f"a text has at most {TEXT_LIMIT} characters")
    if found.is_child and not found.retold and _repeats(found.wording, wording):
        raise Refused("child_words", "a child's text is shown in other words than the child's own")
    # A page that was open before a child's text was retold still shows the child's words; they must not come back.
    if wording != found.wording and (seen is not None or found.retold) and seen != mark(found.wording):
        raise Refused("text_changed", "somebody else has changed the text meanwhile; read it again")


def _repeats(said: str, wording: str) -> bool:
    """Whether a wording holds a run of somebody's own words, or all of them where they are few."""
    own, retold = _words(said), _words(wording)
    length = max(1, min(_OWN_WORDS, len(own)))
    runs = {tuple(own[start : start + length]) for start in range(len(own) - length + 1)}
    if length == 1:
        return own == retold
    return any(tuple(retold[start : start + length]) in runs for start in range(len(retold) - length + 1))


def _words(text: str) -> list[str]:
    seen = (mark for mark in unicodedata.normalize("NFKC", text) if unicodedata.category(mark) != "Cf")
    return re.findall(r"\w+", "".join(seen).casefold())


def _note_reading(db: Database, by: str) -> None:
    today = datetime.now(UTC).strftime("%Y-%m-%dT00:00:00Z")
    if not audit.has_since(db, by, Act.TEXTS_READ, today):
        with write(db):
            audit.note(db, by, Act.TEXTS_READ, "")
