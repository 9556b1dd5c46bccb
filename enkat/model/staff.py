"""The people who sign in, what they may do, and the units they belong to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class StaffRole(StrEnum):
    """What a signed-in person may do; somebody can be several at once."""

    COORDINATOR = "coordinator"
    EVALUATOR = "evaluator"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Unit:
    """The municipality (no parent), or a district or team below it."""

    id: str
    name: str
    parent: str | None


@dataclass(frozen=True)
class StaffMember:
    """Somebody who may sign in while `enabled`."""

    id: str
    address: str
    name: str
    roles: frozenset[StaffRole]
    unit: str
    enabled: bool = True


@dataclass(frozen=True)
class StaffSession:
    """A sign-in, known to the server by a hash alone; times are UTC."""

    id: str
    staff: str
    started: datetime
    seen: datetime


def alphabetical(name: str) -> str:
    """What a name is sorted by: in Swedish å comes before ä, and both after z."""
    return name.casefold().translate(_SWEDISH)


_SWEDISH = str.maketrans("åäö", "{|}")
