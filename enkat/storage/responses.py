"""Counted responses and their answers."""

from collections.abc import Collection
from functools import cache

from sqlite_utils import Database

from enkat.model.survey import Answer, Missing, Response, Role, Stage
from enkat.storage.engine import insert_all, placeholders, rows, run, tuples

_RESPONSE = ("id", "meeting", "stage", "role", "questionnaire", "version", "language")
_ANSWER = ("response", "item", "value", "missing")


def put_all(db: Database, responses: Collection[Response]) -> None:
    """Store counted responses, in the order given: the caller has shuffled them."""
    insert_all(db, "response", _RESPONSE, ([getattr(one, name) for name in _RESPONSE] for one in responses))
    answers = ((one.id, item, said.value, said.missing) for one in responses for item, said in one.answers.items())
    insert_all(db, "answer", _ANSWER, answers)


def of_meeting(db: Database, meeting: str) -> list[Response]:
    """A counted meeting's responses with all their answers; none once they belong to a cluster."""
    return _of(db, [meeting], list(Role), "").get(meeting, [])


def closed_of(db: Database, meetings: Collection[str], roles: Collection[Role]) -> dict[str, list[Response]]:
    """The responses of some roles in some meetings, by meeting, with the answers that have a value."""
    return _of(db, meetings, roles, "and value is not null")


def with_childrens_to_cut(db: Database, most: int) -> list[str]:
    """Some meetings that children's answers still belong to, though they are published."""
    sql = """select id from meeting where children_published is not null and exists (
        select 1 from response where response.meeting = meeting.id and role = 'child') limit :most"""
    return [row["id"] for row in rows(db, sql, most=most)]


def cluster(db: Database, meeting: str, roles: Collection[Role], number: str) -> int:
    """Let the responses of some roles in a meeting belong to a cluster of that number, and to no meeting; how many
    there were."""
    given_by, of_roles = placeholders("r", roles)
    sql = f"update response set meeting = null, cluster = :number where meeting = :meeting and role in ({given_by})"
    return run(db, sql, meeting=meeting, number=number, **of_roles)


def _of(db: Database, meetings: Collection[str], roles: Collection[Role], only: str) -> dict[str, list[Response]]:
    inside, named = placeholders("m", meetings)
    given_by, of_roles = placeholders("r", roles)
    whose = f"meeting in ({inside}) and role in ({given_by})"
    named |= of_roles
    answers: dict[str, dict[str, Answer]] = {}
    for response, item, value, missing in tuples(
        db,
        f"""select response, item, value, missing from answer
            where response in (select id from response where {whose}) {only}""",
        **named,
    ):
        answers.setdefault(response, {})[item] = _answer(value, missing)
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
def _answer(value: int | None, missing: str | None) -> Answer:
    """An answer on a scale or none at all. There are few, and each is made only once however many gave it."""
    return Answer(value=value, missing=Missing(missing) if missing else None)
