"""Places for answers, and the links that lead to them. All of it is deleted at the count."""

from sqlite_utils import Database

from enkat.model.meeting import Invitation, InvitationState, Link, LinkState
from enkat.model.survey import Role, Stage
from enkat.storage.engine import Row, first, insert, number, rows, run

# A place is the room's while no live link holds it.
_IN_THE_ROOM = """not exists (select 1 from link where link.invitation = invitation.id and link.state = 'live')"""


def add_place(db: Database, place: Invitation) -> None:
    """Add a free place for one answer."""
    insert(
        db,
        "invitation",
        {
            "id": place.id,
            "meeting": place.meeting,
            "role": place.role,
            "stage": place.stage,
            "questionnaire": place.questionnaire,
        },
    )


def count_places(db: Database, meeting: str, role: Role, stage: Stage) -> int:
    """How many places a role has, answered or not."""
    sql = "select count(*) from invitation where meeting = :meeting and role = :role and stage = :stage"
    return number(db, sql, meeting=meeting, role=role, stage=stage)


def count_answered(db: Database, meeting: str) -> int:
    """How many of the whole meeting's places are answered."""
    sql = "select count(*) from invitation where meeting = :meeting and state = 'answered'"
    return number(db, sql, meeting=meeting)


def free_in_room(db: Database, meeting: str, role: Role, stage: Stage) -> Invitation | None:
    """Some open place of a role that no personal link holds."""
    sql = f"""select id, meeting, role, stage, questionnaire, state, claim from invitation
        where meeting = :meeting and role = :role and stage = :stage and state = 'open' and {_IN_THE_ROOM}
        order by id limit 1"""
    row = first(db, sql, meeting=meeting, role=role, stage=stage)
    return _place(row) if row else None


def remove_place(db: Database, place: str) -> None:
    """Remove an open place. The dead links that once led to it stay, as dead as before, so that an old
    link tells nothing of its place."""
    run(db, "update link set invitation = null where invitation = :place and state = 'revoked'", place=place)
    run(db, "delete from invitation where id = :place and state = 'open'", place=place)


def set_questionnaire(db: Database, place: str, questionnaire: str) -> None:
    """Choose what is asked at a place."""
    run(db, "update invitation set questionnaire = :new where id = :place", new=questionnaire, place=place)


def take_place(db: Database, place: str, claim: bytes) -> bool:
    """Mark an open place answered; False where it was not open."""
    sql = "update invitation set state = 'answered', claim = :claim where id = :place and state = 'open'"
    return run(db, sql, claim=claim, place=place) == 1


def claimed_meeting(db: Database, claim: bytes) -> str | None:
    """The meeting in which this submission has taken a place before."""
    row = first(db, "select meeting from invitation where claim = :claim", claim=claim)
    return str(row["meeting"]) if row else None


def add_link(db: Database, link: Link) -> None:
    """Add a live link."""
    insert(
        db,
        "link",
        {
            "id": link.id,
            "meeting": link.meeting,
            "role": link.role,
            "stage": link.stage,
            "questionnaire": link.questionnaire,
            "invitation": link.invitation,
            "key_hash": link.key_hash,
            "sealed_key": link.sealed_key,
        },
    )


def find_link(db: Database, key_hash: bytes) -> Link | None:
    """A link by its key's hash, live or not."""
    row = first(db, f"{_LINK} where key_hash = :key_hash", key_hash=key_hash)
    return _link(row) if row else None


def live_link(db: Database, meeting: str, link: str) -> Link | None:
    """A live link of a meeting by id."""
    row = first(db, f"{_LINK} where id = :link and meeting = :meeting and state = 'live'", link=link, meeting=meeting)
    return _link(row) if row else None


def live_link_of(db: Database, place: str) -> Link | None:
    """The live link that leads to a place, where there is one."""
    row = first(db, f"{_LINK} where invitation = :place and state = 'live'", place=place)
    return _link(row) if row else None


def state_of(db: Database, place: str) -> InvitationState | None:
    """Whether a place is taken; None where it is gone."""
    row = first(db, "select state from invitation where id = :place", place=place)
    return InvitationState(row["state"]) if row else None


def live_links(db: Database, meeting: str) -> list[Link]:
    """A meeting's live links, in an order that tells nothing of when they were made."""
    return [
        _link(row)
        for row in rows(db, f"{_LINK} where meeting = :meeting and state = 'live' order by id", meeting=meeting)
    ]


def revoke_link(db: Database, link: str) -> None:
    """Let a link lead nowhere. Its place stays: an open one falls back to the room."""
    run(db, "update link set state = 'revoked', sealed_key = null where id = :link", link=link)


def delete_of(db: Database, meeting: str) -> None:
    """Delete a meeting's links and places, at its count."""
    run(db, "delete from link where meeting = :meeting", meeting=meeting)
    run(db, "delete from invitation where meeting = :meeting", meeting=meeting)


_LINK = "select id, meeting, role, stage, questionnaire, invitation, key_hash, sealed_key, state from link"


def _place(row: Row) -> Invitation:
    return Invitation(
        **row | {"role": Role(row["role"]), "stage": Stage(row["stage"]), "state": InvitationState(row["state"])}
    )


def _link(row: Row) -> Link:
    return Link(**row | {"role": Role(row["role"]), "stage": Stage(row["stage"]), "state": LinkState(row["state"])})
