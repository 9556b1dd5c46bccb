"""The people and things that the tests are about. Real SQLite in a folder of the test's own; no mocks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from pathlib import Path
from types import CodeType

import hypothesis
import pytest
from argon2 import PasswordHasher
from flask import Flask
from hypothesis import HealthCheck
from jinja2.bccache import Bucket, BytecodeCache
from sqlite_utils import Database

from enkat import i18n, inviting, staffing
from enkat.app import create_app
from enkat.house import House, open_house
from enkat.i18n import Languages
from enkat.model.meeting import Assignment, Kind, Meeting, OpenedLink, Source
from enkat.model.staff import StaffRole, Unit
from enkat.model.survey import Role
from enkat.secrecy import passwords
from enkat.settings import Settings, sending
from tests.inspection import InspectingClient

# A busy machine is no reason to fail: no test asserts a time, and Hypothesis should not either.
hypothesis.settings.register_profile(
    "enkat", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
hypothesis.settings.load_profile("enkat")

# Passwords are hashed as always, at a cost that a thousand sign-ins can bear; what they cost outside the tests is
# tested in a process of its own.
passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)

# Catalogues are read once for all the houses of a test run, as a server reads them once.
_read_languages = i18n.load


@cache
def _installed_languages(chosen: frozenset[str] | None) -> Languages:
    return _read_languages(chosen=chosen)


i18n.load = lambda folder=None, chosen=None: (
    _read_languages(folder, chosen)
    if folder
    else _installed_languages(frozenset(chosen) if chosen is not None else None)
)


class _Templates(BytecodeCache):
    """Templates compiled once for all the apps of a test run, as a server compiles them once for all its requests."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._compiled.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self._compiled[bucket.key, bucket.checksum] = bucket.code


Flask.jinja_options = {"bytecode_cache": _Templates()}

TODAY = date(2026, 11, 20)
NINE = {Role.FAMILY: 3, Role.KIN: 2, Role.CHILD: 1, Role.PROFESSIONAL: 3}


@dataclass
class Town:
    """A municipality with two teams, and the verbs that tests need."""

    house: House
    db: Database
    municipality: Unit
    north: Unit
    south: Unit
    passwords: dict[str, str] = field(default_factory=dict)

    def add_staff(self, address: str, unit: Unit, *roles: StaffRole) -> str:
        """Add somebody; their address, by which `sign_in` knows their password."""
        _member, self.passwords[address] = staffing.add_staff(self.db, address, address.split("@")[0], roles, unit.id)
        return address

    def assignment(self, reference: str = "M-114", unit: Unit | None = None, *, protected: bool = False) -> Assignment:
        """An assignment of the northern team."""
        return inviting.open_assignment(self.db, reference, (unit or self.north).id, Source.SCHOOL, protected)

    def meeting(
        self, places: dict[Role, int] | None = None, assignment: Assignment | None = None, **plan: object
    ) -> Meeting:
        """A meeting held today with nine people, unless something else is said."""
        chosen = assignment or self.assignment()
        whole = inviting.Plan(**{"kind": Kind.NETWORK_MEETING, "held": TODAY, "places": places or NINE} | plan)
        return inviting.start_meeting(self.db, self.house.keys, self.house.catalogue, chosen.id, whole, TODAY)

    def rooms(self, meeting: Meeting) -> dict[Role, OpenedLink]:
        """The meeting's room links by role."""
        links = inviting.links(self.db, self.house.keys, meeting.id)
        return {link.role: link for link in links if link.is_room}

    def personal(self, meeting: Meeting, role: Role, questionnaire: str | None = None) -> OpenedLink:
        """A new personal link."""
        return inviting.add_personal_links(
            self.db, self.house.keys, self.house.catalogue, meeting.id, role, questionnaire
        )[0]

    def at(self, day: date) -> House:
        """The same house on another day."""
        return replace(self.house, settings=replace(self.house.settings, fixed_today=day))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an installation in a folder of its own, on a day that stands still."""
    return Settings(instance=tmp_path / "instance", base_url="http://127.0.0.1:8000", fixed_today=TODAY)


def with_services(
    settings: Settings, sms: str = "http://127.0.0.1:9/a1/sms", smtp: str = "smtp://127.0.0.1:9"
) -> Settings:
    """The same installation with services that send SMS and e-mail; nobody listens at the usual ones."""
    return replace(
        settings,
        sms_url=sending.sms_url("sms_url", sms),
        sms_sender="Mitthem",
        smtp_url=sending.smtp_url("smtp_url", smtp),
        mail_from=sending.mail_from("mail_from", "Mitthem <svar@mitthem.example>"),
    )


@pytest.fixture
def house(settings: Settings) -> House:
    return open_house(settings)


@pytest.fixture
def db(house: House) -> Iterator[Database]:
    connection = house.connect()
    yield connection
    connection.close()


@pytest.fixture
def town(house: House, db: Database) -> Town:
    """Mitthem with the teams Norr and Söder."""
    municipality = staffing.add_unit(db, "Mitthem")
    return Town(house, db, municipality, staffing.add_unit(db, "Norr"), staffing.add_unit(db, "Söder"))


@pytest.fixture
def app(house: House) -> Flask:
    app = create_app(house.settings, house)
    app.test_client_class = InspectingClient
    return app


@pytest.fixture
def participant(app: Flask) -> InspectingClient:
    """Somebody with a phone and no cookies; every page is inspected as it is fetched."""
    return app.test_client(use_cookies=False)


@pytest.fixture
def stranger(app: Flask) -> InspectingClient:
    """Somebody who is not signed in."""
    return app.test_client()


@pytest.fixture
def coordinator(app: Flask, town: Town) -> InspectingClient:
    """A signed-in coordinator of the northern team."""
    return signed_in(app, town, town.add_staff("karin@mitthem.example", town.north, StaffRole.COORDINATOR))


@pytest.fixture
def evaluator(app: Flask, town: Town) -> InspectingClient:
    return signed_in(app, town, town.add_staff("ulla@mitthem.example", town.municipality, StaffRole.EVALUATOR))


@pytest.fixture
def administrator(app: Flask, town: Town) -> InspectingClient:
    return signed_in(app, town, town.add_staff("anders@mitthem.example", town.municipality, StaffRole.ADMINISTRATOR))


def signed_in(app: Flask, town: Town, address: str) -> InspectingClient:
    """A client of somebody who has signed in through the page."""
    client = app.test_client()
    reply = client.submit("/staff/sign-in", address=address, password=town.passwords[address])
    assert reply.status_code == 303, reply.text
    return client


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Say what an attack has measured; all such sentences stand together at the end of the run."""
    return lambda sentence: record_property("figure", sentence)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures of the attacks, whichever process found them."""
    reports = [report for found in terminalreporter.stats.values() for report in found]
    figures = [
        str(said)
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, said in report.user_properties
        if name == "figure"
    ]
    if figures:
        terminalreporter.section("what the attacks found")
        for sentence in figures:
            terminalreporter.write_line(sentence)
