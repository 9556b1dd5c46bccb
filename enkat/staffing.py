"""Staff: who is added to which unit, how they sign in, and how a sign-in ends."""

import hashlib
import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from random import Random

from sqlite_utils import Database

from enkat.model.audit import TERMINAL, Act
from enkat.model.errors import NotFound, Refused
from enkat.model.result import PLUS
from enkat.model.staff import StaffMember, StaffRole, StaffSession, Unit
from enkat.secrecy import passwords
from enkat.storage import audit, staff
from enkat.storage.engine import write

#: A sign-in ends after this long without use, and after this long in any case.
IDLE = timedelta(minutes=60)
LONGEST = timedelta(hours=12)

#: How often the use of a session is noted: seldom enough not to write at every page.
_NOTED_EVERY = timedelta(minutes=1)

#: A unit's name stands in files that spreadsheets read: nothing in it may be taken for a formula or a new column.
_UNIT_MARKS = "letters, digits, spaces and . , : / & ( ) ' ’ - –"
_UNIT_NAME = re.compile(r"\w[\w .,:/&()'’–-]{0,79}")

_ADDRESS = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")


def add_unit(db: Database, name: str, under: str | None = None, *, by: str = TERMINAL) -> Unit:
    """Add a unit: the first is the municipality, every other one stands under it or under `under` (a name)."""
    name = " ".join(name.split())
    if not _UNIT_NAME.fullmatch(name.replace(PLUS, "")):
        raise Refused("unit_name", f"a unit's name is 1-80 characters: a letter or digit, and then {_UNIT_MARKS}")
    if PLUS in name:
        raise Refused("unit_plus", f"a unit's name has no '{PLUS}': it stands between units that are shown together")
    with write(db):
        known = staff.units(db)
        if staff.find_unit(db, name):
            raise Refused("unit_known", f"there is a unit called '{name}' already")
        parent = staff.find_unit(db, under) if under else (known[0] if known else None)
        if under and parent is None:
            raise NotFound(f"there is no unit called '{under}'; add it first with `enkat unit add`")
        unit = Unit(secrets.token_hex(8), name, parent.id if parent else None)
        staff.add_unit(db, unit)
        audit.note(db, by, Act.UNIT_ADDED, unit.id)
    return unit


def add_staff(
    db: Database,
    address: str,
    name: str,
    roles: Collection[StaffRole],
    unit: str,
    password: str | None = None,
    source: Random | None = None,
    *,
    by: str = TERMINAL,
) -> tuple[StaffMember, str]:
    """Add somebody to a unit (by id), and their first password."""
    address, name = address.strip(), " ".join(name.split())
    if not _ADDRESS.fullmatch(address) or len(address) > 200 or not address.isprintable():
        raise Refused("address", f"'{address}' is not an address such as kim@example.se")
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise Refused("name", "a name is 1-80 characters")
    if not roles:
        raise Refused("roles", "give at least one role")
    password = password if password is not None else passwords.new_password(source)
    _judge_password(password)
    member = StaffMember(secrets.token_hex(8), address, name, frozenset(roles), unit)
    hashed = passwords.hash_password(password)
    with write(db):
        if staff.find_address(db, address):
            raise Refused("address_known", f"{address} is added already")
        staff.add_staff(db, member, hashed)
        audit.note(db, by, Act.STAFF_ADDED, member.id)
    return member, password


def change_password(db: Database, member: StaffMember, old: str, new: str, session: str) -> None:
    """Change one's own password and end one's sign-ins elsewhere."""
    if not passwords.verify(old, staff.password_hash(db, member.id)):
        raise Refused("old_password", "the old password is not right")
    _judge_password(new)
    hashed = passwords.hash_password(new)
    with write(db):
        staff.set_password(db, member.id, hashed)
        staff.end_sessions_of(db, member.id, but=_session_id(session))
        audit.note(db, member.id, Act.PASSWORD_CHANGED, member.id)


def give_password(db: Database, member: str, *, by: str = TERMINAL) -> str:
    """Somebody's new first password; their sign-ins end."""
    password = passwords.new_password()
    hashed = passwords.hash_password(password)
    with write(db):
        staff.set_password(db, member, hashed)
        staff.end_sessions_of(db, member)
        audit.note(db, by, Act.PASSWORD_GIVEN, member)
    return password


def set_enabled(db: Database, member: str, enabled: bool, *, by: str = TERMINAL) -> None:
    """Let somebody sign in or not; where not, their sign-ins end at once."""
    with write(db):
        staff.set_enabled(db, member, enabled)
        staff.end_sessions_of(db, member)
        audit.note(db, by, Act.STAFF_ENABLED if enabled else Act.STAFF_DISABLED, member)


def sign_in(db: Database, address: str, password: str, now: datetime) -> str | None:
    """The secret of a new session, or None where address and password do not belong together."""
    member = staff.find_address(db, address.strip())
    stored = staff.password_hash(db, member.id) if member and member.enabled else None
    if not passwords.verify(password[: passwords.MOST_CHARACTERS], stored) or member is None:
        return None
    secret = secrets.token_urlsafe(32)
    with write(db):
        if staff.password_hash(db, member.id) != stored:
            return None  # changed, or the person shut out, while the password was being checked
        staff.end_sessions_unseen_since(db, now - IDLE)
        staff.start_session(db, StaffSession(_session_id(secret), member.id, started=now, seen=now))
        audit.note(db, member.id, Act.STAFF_SIGNED_IN, member.id)
    return secret


def signed_in(db: Database, secret: str, now: datetime, *, is_use: bool = True) -> StaffMember | None:
    """Who a session's secret belongs to, while it lasts. `is_use` False for what a page does by itself."""
    session = staff.find_session(db, _session_id(secret))
    if session is None or now - session.seen > IDLE or now - session.started > LONGEST:
        return None
    member = staff.find_staff(db, session.staff)
    if member is None or not member.enabled:
        return None
    if is_use and now - session.seen > _NOTED_EVERY:
        with write(db):
            staff.touch_session(db, session.id, now)
    return member


def sign_out(db: Database, secret: str) -> None:
    """End a session."""
    with write(db):
        if session := staff.find_session(db, _session_id(secret)):
            staff.end_session(db, session.id)
            audit.note(db, session.staff, Act.STAFF_SIGNED_OUT, session.staff)


def sign_out_elsewhere(db: Database, member: StaffMember, secret: str) -> None:
    """End one's other sessions."""
    with write(db):
        staff.end_sessions_of(db, member.id, but=_session_id(secret))
        audit.note(db, member.id, Act.STAFF_SIGNED_OUT_ELSEWHERE, member.id)


def _judge_password(password: str) -> None:
    if len(password) < passwords.FEWEST_CHARACTERS:
        raise Refused("short_password", f"a password has at least {passwords.FEWEST_CHARACTERS} characters")
    if len(password) > passwords.MOST_CHARACTERS:
        raise Refused("long_password", f"a password has at most {passwords.MOST_CHARACTERS} characters")


def _session_id(secret: str) -> str:
    """What the database knows of a session's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
