"""Free texts, apart from the answers they came with."""

from collections.abc import Collection, Mapping

from sqlite_utils import Database

from enkat.model.text import FreeText, TextState
from enkat.storage.engine import Row, first, insert_all, number, rows, run

_COLUMNS = ("id", "meeting", "is_child", "state", "wording")


def lock_all(db: Database, meeting: str, texts: Collection[FreeText]) -> None:
    """Keep a counted meeting's texts until its quarter is published, in the order given: the caller has shuffled."""
    insert_all(
        db, "free_text", _COLUMNS, ([one.id, meeting, int(one.is_child), one.state, one.wording] for one in texts)
    )


def unlock(db: Database) -> int:
    """Let the texts of meetings whose answers are published leave their meetings; how many there were."""
    return run(
        db,
        """update free_text set meeting = null, state = 'gathering' where state = 'locked' and exists (
               select 1 from meeting where meeting.id = free_text.meeting and
                   (case when is_child = 1 then children_published else published end) is not null)""",
    )


def assignments_to_unlock(db: Database) -> int:
    """From how many assignments the texts come whose meetings' answers are published."""
    sql = """select count(distinct assignment) as assignments from free_text
        join meeting on meeting.id = free_text.meeting
        where (case when is_child = 1 then children_published else published end) is not null"""
    return number(db, sql)


def counts(db: Database) -> Mapping[TextState, int]:
    """How many texts have come how far."""
    found = rows(db, "select state, count(*) as texts from free_text group by state")
    return dict.fromkeys(TextState, 0) | {TextState(row["state"]): row["texts"] for row in found}


def move_all(db: Database, before: TextState, after: TextState) -> None:
    """Let every text in a state go on to another."""
    run(db, "update free_text set state = :after where state = :before", before=before, after=after)


def release_cleared(db: Database) -> int:
    """Release every cleared text as one batch; its number."""
    batch = number(db, "select 1 + coalesce(max(batch), 0) as batch from free_text")
    run(db, "update free_text set state = 'released', batch = :batch where state = 'cleared'", batch=batch)
    return batch


def in_state(db: Database, state: TextState, most: int) -> list[FreeText]:
    """The first texts in a state, the latest batch first, otherwise in the order of their random ids."""
    sql = f"{_TEXT} where state = :state order by batch desc, id limit :most"
    return [_text(row) for row in rows(db, sql, state=state, most=most)]


def find(db: Database, text: str) -> FreeText | None:
    """A text by id."""
    row = first(db, f"{_TEXT} where id = :text", text=text)
    return _text(row) if row else None


def settle(db: Database, text: FreeText) -> None:
    """Give a text that has been read its state and wording."""
    run(
        db,
        "update free_text set state = :state, wording = :wording, batch = :batch, retold = :retold where id = :text",
        state=text.state,
        wording=text.wording,
        batch=text.batch,
        retold=int(text.retold),
        text=text.id,
    )


_TEXT = "select id, wording, is_child, state, batch, retold from free_text"


def _text(row: Row) -> FreeText:
    return FreeText(
        row["id"], row["wording"], bool(row["is_child"]), TextState(row["state"]), row["batch"], bool(row["retold"])
    )
