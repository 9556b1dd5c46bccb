"""Counted responses and their answers."""

from collections.abc import Collection
from functools import cache

from sqlite_utils import Database

from enkat.model.survey import Answer, Missing, Response, Role, Stage
from enkat.storage.engine import insert_all, placeholders, tuples

_RESPONSE = ("id", "meeting", "stage", "role", "questionnaire", "version", "language")
_ANSWER = ("response", "item", "value", "text", "missing")


def put_all(db: Database, responses: Collection[Response]) -> None:
    """Store counted responses, in the order given: the caller has shuffled them."""
    insert_all(db, "response", _RESPONSE, ([getattr(one, name) for name in _RESPONSE] for one in responses))
    answers = (
        (one.id, item, said.value, said.text, said.missing) for one in responses for item, said in one.answers.items()
    )
    insert_all(db, "answer", _ANSWER, answers)


def of_meeting(db: Database, meeting: str) -> list[Response]:
    """A counted meeting's responses with all their answers."""
    return _of(db, [meeting], list(Role), "").get(meeting, [])


def closed_of(db: Database, meetings: Collection[str], roles: Collection[Role]) -> dict[str, list[Response]]:
    """The responses of some roles in some meetings, by meeting, with the answers that have a value: no text is read."""
    return _of(db, meetings, roles, "and value is not null")


def _of(db: Database, meetings: Collection[str], roles: Collection[Role], only: str) -> dict[str, list[Response]]:
    inside, named = placeholders("m", meetings)
    given_by, of_roles = placeholders("r", roles)
    whose = f"meeting in ({inside}) and role in ({given_by})"
    named |= of_roles
    answers: dict[str, dict[str, Answer]] = {}
    for response, item, value, text, missing in tuples(
        db,
        f"""select response, item, value, text, missing from answer
            where response in (select id from response where {whose}) {only}""",
        **named,
    ):
        answer = _without_words(value, missing) if text is None else Answer(text=text)
        answers.setdefault(response, {})[item] = answer
    found: dict[str, list[Response]] = {}
    for response, meeting, stage, role, form, version, language in tuples(
        db,
        f"""select id, meeting, stage, role, questionnaire, version, language
            from response where {whose} order by id""",
        **named,
    ):
        said = answers.get(response, {})
        sheet = Response(response, meeting, Stage(stage), Role(role), form, version, language, said)
        found.setdefault(meeting, []).append(sheet)
    return found


@cache
def _without_words(value: int | None, missing: str | None) -> Answer:
    """An answer on a scale or none at all. There are few, and each is made only once however many gave it."""
    return Answer(value=value, missing=Missing(missing) if missing else None)
