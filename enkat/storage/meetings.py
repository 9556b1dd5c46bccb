"""Assignments, meetings, and how many were invited to each."""

from collections.abc import Collection
from datetime import date

from sqlite_utils import Database

from enkat.model.meeting import Assignment, Kind, Meeting, MeetingOverview, MeetingState, Progress, Source
from enkat.model.survey import Role, Stage
from enkat.storage.engine import Row, first, insert, number, placeholders, rows, run


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


def mark_counted(db: Database, meeting: str) -> None:
    """Call a meeting counted; refused by the schema while a place, link or ballot of it is left."""
    run(db, "update meeting set state = 'counted', public_key = null where id = :meeting", meeting=meeting)


def due_for_count(db: Database, today: date) -> list[str]:
    """The meetings whose last day has passed."""
    sql = "select id from meeting where state = 'open' and closes < :today order by id"
    return [row["id"] for row in rows(db, sql, today=today.isoformat())]


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
        (select count(*) from response where response.meeting = meeting.id) as responses
    from meeting join assignment on assignment.id = meeting.assignment"""


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
    progress = Progress(row["answered"], max(row["invited"], row["answered"], row["responses"]))
    return MeetingOverview(meeting, _assignment(row | {"id": meeting.assignment}), progress, row["responses"])
