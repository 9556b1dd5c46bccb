"""Counted responses and their answers."""

from collections.abc import Collection

from sqlite_utils import Database

from enkat.model.survey import Answer, Missing, Response, Role, Stage
from enkat.storage.engine import insert_all, placeholders, rows

_RESPONSE = ("id", "meeting", "stage", "role", "questionnaire", "version", "language")
_ANSWER = ("response", "item", "value", "text", "missing")


def put_all(db: Database, responses: Collection[Response]) -> None:
    """Store counted responses, in the order given: the caller has shuffled them."""
    insert_all(db, "response", _RESPONSE, ([getattr(one, name) for name in _RESPONSE] for one in responses))
    answers = ((one.id, item, said) for one in responses for item, said in one.answers.items())
    insert_all(db, "answer", _ANSWER, ((one, item, said.value, said.text, said.missing) for one, item, said in answers))


def of_meeting(db: Database, meeting: str) -> list[Response]:
    """A counted meeting's responses with all their answers."""
    return _of(db, [meeting], "").get(meeting, [])


def closed_of(db: Database, meetings: Collection[str]) -> dict[str, list[Response]]:
    """The responses of some meetings by meeting, with the answers that have a value: no text is read."""
    return _of(db, meetings, "and value is not null")


def _of(db: Database, meetings: Collection[str], only: str) -> dict[str, list[Response]]:
    inside, named = placeholders("m", meetings)
    answers: dict[str, dict[str, Answer]] = {}
    for row in rows(
        db,
        f"""select response, item, value, text, missing from answer
            where response in (select id from response where meeting in ({inside})) {only}""",
        **named,
    ):
        missing = Missing(row["missing"]) if row["missing"] else None
        answers.setdefault(row["response"], {})[row["item"]] = Answer(row["value"], row["text"], missing)
    found: dict[str, list[Response]] = {}
    for row in rows(
        db,
        f"""select id, meeting, stage, role, questionnaire, version, language
            from response where meeting in ({inside}) order by id""",
        **named,
    ):
        words = {"role": Role(row["role"]), "stage": Stage(row["stage"]), "answers": answers.get(row["id"], {})}
        found.setdefault(row["meeting"], []).append(Response(**row | words))
    return found
