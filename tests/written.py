"""Free texts laid into the database by hand, as far as a test wants them to have come."""

from collections.abc import Iterable

from sqlite_utils import Database

from enkat import clearing, inviting
from enkat.model.text import FreeText, TextState
from enkat.storage import texts
from enkat.storage.engine import insert, write


def lay(db: Database, *wordings: str, is_child: bool = False, state: TextState = TextState.READABLE) -> list[str]:
    """Texts that belong to no meeting any more; their ids."""
    made = [inviting.new_id() * 2 for _one in wordings]
    with write(db):
        for identity, wording in zip(made, wordings, strict=True):
            record = {"id": identity, "meeting": None, "is_child": int(is_child), "state": state, "wording": wording}
            insert(db, "free_text", record)
    return made


def lock(db: Database, meeting: str, *wordings: str, is_child: bool = False) -> list[str]:
    """Texts of a counted meeting, as a count leaves them; their ids."""
    made = [FreeText(inviting.new_id() * 2, wording, is_child) for wording in wordings]
    with write(db):
        texts.lock_all(db, meeting, made)
    return [one.id for one in made]


def clear_all(db: Database, ids: Iterable[str]) -> None:
    """Clear texts as they are."""
    for one in ids:
        found = texts.find(db, one)
        assert found is not None
        clearing.clear(db, one, found.wording)


def state(db: Database, text: str) -> TextState:
    """How far a text has come."""
    found = texts.find(db, text)
    assert found is not None
    return found.state


def states(db: Database) -> dict[TextState, int]:
    """How many texts have come how far; those states alone in which there are any."""
    return {one: many for one, many in texts.counts(db).items() if many}
