"""Assignments, meetings, and how many were invited to each."""

from collections.abc import Collection
from datetime import date

from sqlite_utils import Database

from enkat.model.meeting import (
    Assignment,
    CountedMeeting,
    Kind,
    Meeting,
    MeetingOverview,
    MeetingState,
    Progress,
    Source,
)
from enkat.model.result import Grain, Scope
from enkat.model.survey import Role, Stage
from enkat.storage.engine import Row, first, insert, number, placeholders, rows, run
from enkat.storage.responses import closed_of


def add_assignment(db: Database, assignment: Assignment) -> None:
    """Open an assignment."""
    insert(
        db,
        "assignment",
        {
            "id": assignment.id,
            "reference": assignment.reference,
            "unit": assignment.unit,
            "source": assignment.source,
            "protected": int(assignment.protected),
        },
    )


def find_assignment(db: Database, assignment: str) -> Assignment | None:
    """An assignment by id."""
    row = first(db, f"{_ASSIGNMENT} where id = :assignment", assignment=assignment)
    return _assignment(row) if row else None


def assignments_called(db: Database, reference: str, units: Collection[str]) -> list[Assignment]:
    """The assignments of that reference, at most one in each of the units."""
    inside, named = placeholders("u", units)
    sql = f"{_ASSIGNMENT} where lower(reference) = lower(:reference) and unit in ({inside})"
    return [_assignment(row) for row in rows(db, sql, reference=reference, **named)]


def references(db: Database, units: Collection[str]) -> list[str]:
    """The references in use in the units, to choose from."""
    inside, named = placeholders("u", units)
    found = rows(db, f"select distinct reference from assignment where unit in ({inside}) order by reference", **named)
    return [row["reference"] for row in found]


def next_number(db: Database, assignment: str) -> int:
    """The number that the assignment's next meeting gets, from 1."""
    return 1 + number(
        db,
        "select coalesce(max(number), 0) from meeting where assignment = :assignment",
        assignment=assignment,
    )


def add_meeting(db: Database, meeting: Meeting) -> None:
    """Add a meeting that is open for answers."""
    insert(
        db,
        "meeting",
        {
            "id": meeting.id,
            "assignment": meeting.assignment,
            "number": meeting.number,
            "kind": meeting.kind,
            "held": meeting.held.isoformat(),
            "closes": meeting.closes.isoformat(),
            "leader": meeting.leader,
            "public_key": meeting.public_key,
            "state": meeting.state,
        },
    )


def find_meeting(db: Database, meeting: str) -> Meeting | None:
    """A meeting by id."""
    row = first(db, f"select {_MEETING} from meeting where id = :meeting", meeting=meeting)
    return _meeting(row) if row else None


def overview(db: Database, meeting: str) -> MeetingOverview | None:
    """A meeting with its assignment and progress."""
    row = first(db, f"{_OVERVIEW} where meeting.id = :meeting", meeting=meeting)
    return _overview(row) if row else None


def overviews(db: Database, units: Collection[str]) -> list[MeetingOverview]:
    """The meetings of some units, those still open first, the latest first."""
    inside, named = placeholders("u", units)
    order = "order by meeting.state = 'counted', held desc, reference, number desc"
    return [_overview(row) for row in rows(db, f"{_OVERVIEW} where unit in ({inside}) {order}", **named)]


def set_closing(db: Database, meeting: str, closes: date) -> None:
    """Move a meeting's last day."""
    run(
        db,
        "update meeting set closes = :closes where id = :meeting",
        closes=closes.isoformat(),
        meeting=meeting,
    )


def mark_counted(db: Database, meeting: str, answers: int) -> None:
    """Call a meeting counted, with so many answers; refused by the schema while a place, link or ballot is left."""
    run(
        db,
        "update meeting set state = 'counted', public_key = null, answers = :answers where id = :meeting",
        answers=answers,
        meeting=meeting,
    )


def with_answers_known(db: Database, periods: Collection[str], most: int) -> list[str]:
    """Some meetings published in some periods of which it is known how many answers they had."""
    inside, named = placeholders("p", periods)
    sql = f"select id from meeting where answers is not null and published in ({inside}) limit :most"
    return [row["id"] for row in rows(db, sql, most=most, **named)]


def forget_answers(db: Database, meeting: str) -> None:
    """Forget how many answers a meeting had: with it, a cluster of as many would be known again."""
    run(db, "update meeting set answers = null where id = :meeting", meeting=meeting)


def due_for_count(db: Database, today: date) -> list[str]:
    """The meetings whose last day has passed."""
    sql = "select id from meeting where state = 'open' and closes < :today order by id"
    return [row["id"] for row in rows(db, sql, today=today.isoformat())]


def reminds(db: Database, meeting: str) -> bool:
    """Whether those who have not answered a meeting get a reminder."""
    return number(db, "select reminds from meeting where id = :meeting", meeting=meeting) == 1


def set_reminds(db: Database, meeting: str, whether: bool) -> None:
    """Turn a meeting's reminder on or off."""
    run(db, "update meeting set reminds = :whether where id = :meeting", whether=int(whether), meeting=meeting)


def in_state(db: Database, state: MeetingState) -> list[Meeting]:
    """All meetings that are open, or that are counted."""
    return [_meeting(row) for row in rows(db, f"select {_MEETING} from meeting where state = :state", state=state)]


def invited(db: Database, meeting: str) -> dict[tuple[Role, Stage], int]:
    """How many were invited, by role and stage."""
    found = rows(db, "select role, stage, places from invited where meeting = :meeting", meeting=meeting)
    return {(Role(row["role"]), Stage(row["stage"])): row["places"] for row in found}


def set_invited(db: Database, meeting: str, role: Role, stage: Stage, places: int) -> None:
    """State how many of a role were invited."""
    run(
        db,
        """insert into invited (meeting, role, stage, places) values (:meeting, :role, :stage, :places)
           on conflict (meeting, role, stage) do update set places = excluded.places""",
        meeting=meeting,
        role=role,
        stage=stage,
        places=places,
    )


def first_closing(db: Database) -> date | None:
    """The closing date of the first meeting that no snapshot has decided on; None where there is none."""
    row = first(db, "select min(closes) as closes from meeting where published is null")
    return date.fromisoformat(row["closes"]) if row and row["closes"] else None


def any_unpublished_from(db: Database, day: date) -> bool:
    """Whether a meeting that no snapshot has decided on closes on a day or later."""
    sql = "select id from meeting where published is null and closes >= :day limit 1"
    return first(db, sql, day=day.isoformat()) is not None


def unpublished_months(db: Database, after: date | None) -> list[str]:
    """The months, written 2026-10, in which meetings close that no snapshot has decided on; only later than a day."""
    sql = """select distinct substr(closes, 1, 7) as month from meeting
        where published is null and closes > :after order by month"""
    return [row["month"] for row in rows(db, sql, after=after.isoformat() if after else "")]


def open_until(db: Database, day: date) -> int:
    """How many meetings that close by a day are not counted."""
    sql = "select count(*) from meeting where state = 'open' and closes <= :day"
    return number(db, sql, day=day.isoformat())


def in_scope(db: Database, scope: Scope, after: str, most: int) -> list[CountedMeeting]:
    """The first so many counted meetings of a scope that come after an id, by id, with their closed answers. (Asked
    for the state 'counted', SQLite would take the index by state and sort every counted meeting for each batch.)"""
    mark = _MARKS[scope.grain]
    inside, named = placeholders("p", scope.published_in)
    found = rows(
        db,
        f"""select {_MEETING}, assignment.reference, assignment.unit, assignment.source, assignment.protected
            from meeting join assignment on assignment.id = meeting.assignment
            where meeting.id > :after and state <> 'open' and ({mark} in ({inside})
                or {mark} is null and closes > :later_than and closes <= :until)
            order by meeting.id limit :most""",
        after=after,
        later_than=scope.after.isoformat() if scope.after else "",
        until=scope.until.isoformat(),
        most=most,
        **named,
    )
    ids = [row["id"] for row in found]
    places, said = _invited_to(db, ids), closed_of(db, ids, scope.roles)
    return [
        CountedMeeting(
            _meeting(row),
            _assignment(row | {"id": row["assignment"]}),
            places.get(row["id"], {}),
            tuple(said.get(row["id"], ())),
        )
        for row in found
    ]


def mark_published(db: Database, scope: Scope, period: str) -> int:
    """Note in which period the unpublished meetings of a scope were decided on; how many they are."""
    mark = _MARKS[scope.grain]
    return run(
        db,
        f"""update meeting set {mark} = :period
            where state = 'counted' and {mark} is null and closes > :later_than and closes <= :until""",
        period=period,
        later_than=scope.after.isoformat() if scope.after else "",
        until=scope.until.isoformat(),
    )


#: Where it stands in which period a meeting's answers were published: those of adults, and those of children.
_MARKS = {Grain.QUARTER: "published", Grain.YEAR: "published", Grain.CHILD_YEAR: "children_published"}

_ASSIGNMENT = "select id, reference, unit, source, protected from assignment"
_MEETING = (
    "meeting.id, meeting.assignment, meeting.number, meeting.kind, meeting.held, meeting.closes, "
    "meeting.leader, meeting.public_key, meeting.state"
)
_OVERVIEW = f"""
    select {_MEETING}, assignment.reference, assignment.unit, assignment.source, assignment.protected,
        (select coalesce(sum(places), 0) from invited where invited.meeting = meeting.id) as invited,
        (select count(*) from invitation where invitation.meeting = meeting.id
            and invitation.state = 'answered') as answered,
        meeting.answers
    from meeting join assignment on assignment.id = meeting.assignment"""


def _invited_to(db: Database, ids: Collection[str]) -> dict[str, dict[Role, int]]:
    inside, named = placeholders("m", ids)
    found: dict[str, dict[Role, int]] = {}
    for row in rows(
        db, f"select meeting, role, places from invited where stage = 'after' and meeting in ({inside})", **named
    ):
        found.setdefault(row["meeting"], {})[Role(row["role"])] = row["places"]
    return found


def _assignment(row: Row) -> Assignment:
    return Assignment(row["id"], row["reference"], row["unit"], Source(row["source"]), bool(row["protected"]))


def _meeting(row: Row) -> Meeting:
    return Meeting(
        id=row["id"],
        assignment=row["assignment"],
        number=row["number"],
        kind=Kind(row["kind"]),
        held=date.fromisoformat(row["held"]),
        closes=date.fromisoformat(row["closes"]),
        leader=row["leader"],
        public_key=row["public_key"],
        state=MeetingState(row["state"]),
    )


def _overview(row: Row) -> MeetingOverview:
    meeting = _meeting(row)
    progress = Progress(row["answered"], max(row["invited"], row["answered"], row["answers"] or 0))
    return MeetingOverview(meeting, _assignment(row | {"id": meeting.assignment}), progress, row["answers"])
