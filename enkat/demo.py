"""A made-up municipality to try things out in: the same for the same seed and day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random, SystemRandom

from sqlite_utils import Database

from enkat import answering, counting, inviting, staffing
from enkat.house import House
from enkat.inviting import Plan
from enkat.model.errors import NotEmpty
from enkat.model.meeting import Kind, OpenedLink, Source
from enkat.model.staff import StaffRole, Unit
from enkat.model.survey import Answer, Item, ItemKind, Missing, Questionnaire, Role, Submission
from enkat.storage import staff

MUNICIPALITY = "Lindby kommun"
UNITS = ("Norra Lindby", "Södra Lindby", "Lindby centrum")

_STAFF = (
    ("karin", "Karin Lund", StaffRole.COORDINATOR, UNITS[0]),
    ("samir", "Samir Haddad", StaffRole.COORDINATOR, UNITS[1]),
    ("eva", "Eva Ek", StaffRole.COORDINATOR, UNITS[2]),
    ("ulla", "Ulla Berg", StaffRole.EVALUATOR, MUNICIPALITY),
    ("anders", "Anders Holm", StaffRole.ADMINISTRATOR, MUNICIPALITY),
)

#: Reference, unit, source, protected, days since the meeting, places; the last two are open.
_MEETINGS = (
    (
        "M-101",
        0,
        Source.SCHOOL,
        False,
        70,
        {Role.FAMILY: 3, Role.KIN: 2, Role.CHILD: 1, Role.PROFESSIONAL: 3},
    ),
    ("M-102", 1, Source.INQUIRY, False, 55, {Role.FAMILY: 2, Role.KIN: 3, Role.PROFESSIONAL: 4}),
    (
        "M-101",
        0,
        Source.SCHOOL,
        False,
        40,
        {Role.FAMILY: 3, Role.KIN: 2, Role.CHILD: 1, Role.PROFESSIONAL: 2},
    ),
    ("M-103", 2, Source.HEALTH, True, 30, {Role.FAMILY: 2, Role.KIN: 1, Role.CHILD: 2, Role.PROFESSIONAL: 3}),
    ("M-104", 0, Source.SELF, False, 0, {Role.FAMILY: 3, Role.KIN: 2, Role.CHILD: 1, Role.PROFESSIONAL: 3}),
    ("M-105", 1, Source.SCHOOL, False, 2, {Role.FAMILY: 2, Role.KIN: 2, Role.CHILD: 2, Role.PROFESSIONAL: 4}),
)
_OPEN = 2

_TEXTS = (
    "Bra att alla fick prata.",
    "Lite för långt möte.",
    "Jag hade velat veta mer innan.",
    "Mer tid för barnens frågor.",
)


@dataclass(frozen=True)
class SignIn:
    """Somebody of the demonstration who may sign in."""

    address: str
    password: str
    role: StaffRole
    unit: str


@dataclass(frozen=True)
class Demonstration:
    """What there is to try."""

    staff: list[SignIn]
    links: list[OpenedLink]


def fill(house: House, db: Database, seed: int | None = None) -> Demonstration:
    """Fill an empty database; NotEmpty where there is anything in it. Passwords and links are nobody's guess
    unless a seed is given."""
    if staff.units(db) or staff.all_staff(db):
        raise NotEmpty(
            f"{house.settings.database} is not empty; name an empty folder with ENKAT_INSTANCE for the demonstration"
        )
    chance = SystemRandom() if seed is None else Random(seed)
    units = [staffing.add_unit(db, name) for name in (MUNICIPALITY, *UNITS)]
    sign_ins = list(_add_staff(db, units, chance))
    links: list[OpenedLink] = []
    for number, plan in enumerate(_MEETINGS, start=1):
        links += _hold(house, db, units, plan, number > len(_MEETINGS) - _OPEN, chance)
    return Demonstration(sign_ins, links)


def _add_staff(db: Database, units: list[Unit], chance: Random) -> Iterator[SignIn]:
    ids = {unit.name: unit.id for unit in units}
    for who, name, role, unit in _STAFF:
        address = f"{who}@lindby.example"
        _member, password = staffing.add_staff(db, address, name, [role], ids[unit], source=chance)
        yield SignIn(address, password, role, unit)


def _hold(
    house: House,
    db: Database,
    units: list[Unit],
    meeting: tuple[str, int, Source, bool, int, dict[Role, int]],
    is_open: bool,
    chance: Random,
) -> list[OpenedLink]:
    """One meeting with its answers, counted unless it is open; the live links of an open one."""
    reference, unit, source, protected, days, places = meeting
    held = house.settings.today() - timedelta(days=days)
    assignment = inviting.open_assignment(db, reference, units[1 + unit].id, source, protected)
    leader = staff.find_address(db, f"{_STAFF[unit][0]}@lindby.example")
    plan = Plan(Kind.NETWORK_MEETING, held, places, leader=leader.id if leader else None)
    started = inviting.start_meeting(db, house.keys, house.catalogue, assignment.id, plan, held, chance)
    rooms = inviting.links(db, house.keys, started.id)
    for room in rooms:
        answering_now = places[room.role] // 2 if is_open else places[room.role]
        for _person in range(answering_now):
            if is_open or chance.random() < 0.8:
                _answer(house, db, room, held, chance)
    if not is_open:
        counting.count_due(db, house.keys, started.closes + timedelta(days=1))
        return []
    personal = inviting.add_personal_links(
        db, house.keys, house.catalogue, started.id, Role.PROFESSIONAL, source=chance
    )
    return [*rooms, *personal]


def _answer(house: House, db: Database, room: OpenedLink, today: date, chance: Random) -> None:
    form = house.catalogue[room.questionnaire]
    level = chance.uniform(0.3, 1)
    submission = Submission(
        id=f"{chance.getrandbits(128):032x}",
        questionnaire=form.id,
        version=form.version,
        role=room.role,
        stage=form.stage,
        language="sv" if chance.random() < 0.8 else "en",
        answers={item.id: _said(item, form, level, chance) for item in form.items},
    )
    answering.submit(db, house.keys, room.key, submission, today)


def _said(item: Item, form: Questionnaire, level: float, chance: Random) -> Answer:
    if item.kind is ItemKind.TEXT:
        return Answer(text=chance.choice(_TEXTS)) if chance.random() < 0.3 else Answer(missing=Missing.SKIPPED)
    if chance.random() < 0.05:
        return Answer(missing=chance.choice(list(Missing)))
    steps = len(form.points)
    value = round(chance.gauss(1 + level * (steps - 1), 0.7))
    return Answer(value=min(max(value, 1), steps))
