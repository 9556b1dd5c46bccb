"""Counted responses and their answers."""

from collections.abc import Iterable

from sqlite_utils import Database

from enkat.model.survey import Answer, Missing, Response, Role, Stage
from enkat.storage.engine import insert, rows


def put_all(db: Database, responses: Iterable[Response]) -> None:
    """Store counted responses, in the order given: the caller has shuffled them."""
    for response in responses:
        insert(
            db,
            "response",
            {
                "id": response.id,
                "meeting": response.meeting,
                "stage": response.stage,
                "role": response.role,
                "questionnaire": response.questionnaire,
                "version": response.version,
                "language": response.language,
            },
        )
        for item, answer in response.answers.items():
            record = {"value": answer.value, "text": answer.text, "missing": answer.missing}
            insert(db, "answer", {"response": response.id, "item": item, **record})


def of_meeting(db: Database, meeting: str) -> list[Response]:
    """A counted meeting's responses with their answers."""
    found = rows(
        db,
        """select id, meeting, stage, role, questionnaire, version, language
           from response where meeting = :meeting order by id""",
        meeting=meeting,
    )
    said = rows(
        db,
        """select response, item, value, text, missing from answer
           where response in (select id from response where meeting = :meeting)""",
        meeting=meeting,
    )
    answers: dict[str, dict[str, Answer]] = {row["id"]: {} for row in found}
    for row in said:
        missing = Missing(row["missing"]) if row["missing"] else None
        answers[row["response"]][row["item"]] = Answer(row["value"], row["text"], missing)
    return [
        Response(**row | {"role": Role(row["role"]), "stage": Stage(row["stage"]), "answers": answers[row["id"]]})
        for row in found
    ]
