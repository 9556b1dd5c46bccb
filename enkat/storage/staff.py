"""Units, staff, and who is signed in."""

from datetime import datetime

from sqlite_utils import Database

from enkat.model.staff import StaffMember, StaffRole, StaffSession, Unit
from enkat.storage.engine import Row, first, insert, rows, run


def add_unit(db: Database, unit: Unit) -> None:
    """Add a unit to the tree."""
    insert(db, "unit", {"id": unit.id, "name": unit.name, "parent": unit.parent})


def units(db: Database) -> list[Unit]:
    """Every unit, the municipality first."""
    return [Unit(**row) for row in rows(db, "select id, name, parent from unit order by parent is not null, name")]


def find_unit(db: Database, name: str) -> Unit | None:
    """A unit by its name, whatever its case; SQLite folds the case of A to Z alone, so it is done here."""
    return next((unit for unit in units(db) if unit.name.casefold() == name.casefold()), None)


def units_below(db: Database, unit: str) -> frozenset[str]:
    """The ids of a unit and of everything under it."""
    below = """
        with recursive below (id) as (
            select :unit union select unit.id from unit join below on unit.parent = below.id
        ) select id from below"""
    return frozenset(row["id"] for row in rows(db, below, unit=unit))


def add_staff(db: Database, member: StaffMember, password_hash: str) -> None:
    """Add somebody who may sign in."""
    record = {
        "id": member.id,
        "address": member.address,
        "name": member.name,
        "password_hash": password_hash,
        "unit": member.unit,
        "enabled": int(member.enabled),
    }
    insert(db, "staff", record)
    for role in sorted(member.roles):
        insert(db, "staff_role", {"staff": member.id, "role": role})


def all_staff(db: Database) -> list[StaffMember]:
    """Everybody who has ever been able to sign in, by name."""
    return [_member(db, row) for row in rows(db, f"{_STAFF} order by name, address")]


def find_staff(db: Database, staff: str) -> StaffMember | None:
    """Somebody by id."""
    row = first(db, f"{_STAFF} where id = :staff", staff=staff)
    return _member(db, row) if row else None


def find_address(db: Database, address: str) -> StaffMember | None:
    """Somebody by the address they sign in with."""
    row = first(db, f"{_STAFF} where lower(address) = lower(:address)", address=address)
    return _member(db, row) if row else None


def password_hash(db: Database, staff: str) -> str:
    """What a password is checked against; empty for somebody who may not sign in."""
    row = first(db, "select password_hash from staff where id = :staff and enabled = 1", staff=staff)
    return str(row["password_hash"]) if row else ""


def set_password(db: Database, staff: str, password_hash: str) -> None:
    """Give somebody another password."""
    run(db, "update staff set password_hash = :new where id = :staff", new=password_hash, staff=staff)


def set_enabled(db: Database, staff: str, enabled: bool) -> None:
    """Let somebody sign in, or not."""
    run(db, "update staff set enabled = :enabled where id = :staff", enabled=int(enabled), staff=staff)


def start_session(db: Database, session: StaffSession) -> None:
    """Remember a sign-in."""
    moments = {"started": session.started.isoformat(), "seen": session.seen.isoformat()}
    insert(db, "staff_session", {"id": session.id, "staff": session.staff, **moments})


def find_session(db: Database, session: str) -> StaffSession | None:
    """A sign-in by its id."""
    row = first(db, "select id, staff, started, seen from staff_session where id = :session", session=session)
    if row is None:
        return None
    started, seen = datetime.fromisoformat(row["started"]), datetime.fromisoformat(row["seen"])
    return StaffSession(row["id"], row["staff"], started, seen)


def touch_session(db: Database, session: str, seen: datetime) -> None:
    """Note that a session is in use."""
    run(
        db,
        "update staff_session set seen = :seen where id = :session",
        seen=seen.isoformat(),
        session=session,
    )


def end_session(db: Database, session: str) -> None:
    """End one sign-in."""
    run(db, "delete from staff_session where id = :session", session=session)


def end_sessions_of(db: Database, staff: str, but: str = "") -> None:
    """End somebody's sign-ins everywhere, one excepted."""
    run(db, "delete from staff_session where staff = :staff and id <> :but", staff=staff, but=but)


def end_sessions_unseen_since(db: Database, moment: datetime) -> None:
    """End the sign-ins that nobody has used for long."""
    run(db, "delete from staff_session where seen < :moment", moment=moment.isoformat())


_STAFF = "select id, address, name, unit, enabled from staff"


def _member(db: Database, row: Row) -> StaffMember:
    roles = rows(db, "select role from staff_role where staff = :staff", staff=row["id"])
    return StaffMember(
        id=row["id"],
        address=row["address"],
        name=row["name"],
        roles=frozenset(StaffRole(one["role"]) for one in roles),
        unit=row["unit"],
        enabled=bool(row["enabled"]),
    )
