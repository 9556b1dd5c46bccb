"""What participants write in their own words, once it is parted from their answers."""

from dataclasses import dataclass
from enum import StrEnum

#: Texts are read, and released, so many new ones at a time.
BATCH = 10


class TextState(StrEnum):
    """How far a text has come."""

    LOCKED = "locked"  # its quarter is not published
    GATHERING = "gathering"  # it belongs to no meeting any more, and too few others are new
    READABLE = "readable"
    CLEARED = "cleared"  # fit to be shown, together with nine others
    WITHHELD = "withheld"
    RELEASED = "released"


@dataclass(frozen=True)
class FreeText:
    """A text under a random id. `wording` is what was written, or what was made of it when it was cleared; of a
    child's text, once it is `retold`, never the child's own words. `batch` is that with which it was released."""

    id: str
    wording: str
    is_child: bool
    state: TextState = TextState.LOCKED
    batch: int | None = None
    retold: bool = False
