"""A made-up municipality to try things out in, the same for the same seed and day: two years that are published
quarter by quarter, and two meetings that are open now."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random, SystemRandom

from sqlite_utils import Database

from enkat import answering, clearing, identifiers, inviting, staffing
from enkat.demo.history import USUAL, History, said
from enkat.house import House
from enkat.inviting import Plan
from enkat.model.errors import NotEmpty
from enkat.model.meeting import Kind, OpenedLink, Source
from enkat.model.staff import StaffRole, Unit
from enkat.model.survey import Role, Submission
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

#: The meetings that are open: reference, unit, source, days since the meeting, places.
_OPEN = (
    ("L-204", 0, Source.SELF, 0, {Role.FAMILY: 3, Role.KIN: 2, Role.CHILD: 1, Role.PROFESSIONAL: 3}),
    ("L-205", 1, Source.SCHOOL, 2, {Role.FAMILY: 2, Role.KIN: 2, Role.CHILD: 2, Role.PROFESSIONAL: 4}),
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


def fill(
    house: House,
    db: Database,
    seed: int | None = None,
    responses: int = USUAL,
    tell: Callable[[str], None] = lambda _line: None,
) -> Demonstration:
    """Fill an empty database with two years that hold about so many responses, and two meetings that are open now;
    NotEmpty where there is anything in it. Passwords and links are nobody's guess unless a seed is given. `tell` is
    told how far it has come."""
    if staff.units(db) or staff.all_staff(db):
        raise NotEmpty(
            f"{house.settings.database} is not empty; name an empty folder with ENKAT_INSTANCE for the demonstration"
        )
    chance = SystemRandom() if seed is None else Random(seed)
    units = [staffing.add_unit(db, name) for name in (MUNICIPALITY, *UNITS)]
    sign_ins = list(_add_staff(db, units, chance))
    leaders = {one.unit: one.id for one in staff.all_staff(db) if StaffRole.COORDINATOR in one.roles}
    teams = [(unit.id, leaders[unit.id]) for unit in units[1:]]
    History(house, db, teams, Random(chance.getrandbits(64)), tell).live_through(responses, house.settings.today())
    _read_texts(db, next(one.id for one in staff.all_staff(db) if StaffRole.EVALUATOR in one.roles))
    links = [link for meeting in _OPEN for link in _hold(house, db, teams, meeting, chance)]
    return Demonstration(sign_ins, links)


def _add_staff(db: Database, units: list[Unit], chance: Random) -> Iterator[SignIn]:
    ids = {unit.name: unit.id for unit in units}
    for who, name, role, unit in _STAFF:
        address = f"{who}@lindby.example"
        _member, password = staffing.add_staff(db, address, name, [role], ids[unit], source=chance)
        yield SignIn(address, password, role, unit)


def _read_texts(db: Database, evaluator: str) -> None:
    """Two batches are released, and some texts are left to read."""
    for _ten in range(3):
        for text in clearing.desk(db, by=evaluator).readable:
            if text.is_child:
                clearing.clear(db, text.id, "Någon av de yngsta hade synpunkter på hur det gick till.", by=evaluator)
            elif identifiers.may_name(text.wording):
                clearing.withhold(db, text.id, by=evaluator)
            else:
                clearing.clear(db, text.id, text.wording, by=evaluator)


def _hold(
    house: House,
    db: Database,
    teams: list[tuple[str, str]],
    meeting: tuple[str, int, Source, int, dict[Role, int]],
    chance: Random,
) -> list[OpenedLink]:
    """An open meeting in which half the room has answered; its live links."""
    reference, number, source, days, places = meeting
    unit, leader = teams[number]
    held = house.settings.today() - timedelta(days=days)
    assignment = inviting.open_assignment(db, reference, unit, source)
    plan = Plan(Kind.NETWORK_MEETING, held, places, leader=leader)
    started = inviting.start_meeting(db, house.keys, house.catalogue, assignment.id, plan, held, chance)
    rooms = inviting.links(db, house.keys, started.id)
    for room in rooms:
        for _person in range(places[room.role] // 2):
            _answer(house, db, room, held, chance)
    return [
        *rooms,
        *inviting.add_personal_links(db, house.keys, house.catalogue, started.id, Role.PROFESSIONAL, source=chance),
    ]


def _answer(house: House, db: Database, room: OpenedLink, today: date, chance: Random) -> None:
    form = house.catalogue[room.questionnaire]
    level = chance.uniform(40, 95)
    submission = Submission(
        id=f"{chance.getrandbits(128):032x}",
        questionnaire=form.id,
        version=form.version,
        role=room.role,
        stage=form.stage,
        language="sv" if chance.random() < 0.8 else "en",
        answers={item.id: said(item, form, level, chance) for item in form.items},
    )
    answering.submit(db, house.keys, room.key, submission, today)
