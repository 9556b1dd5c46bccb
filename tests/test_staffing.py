"""Staff and units: who is added where, who gets in, for how long, and how a sign-in ends."""

import hashlib
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from enkat import staffing
from enkat.model.errors import NotFound, Refused
from enkat.model.staff import StaffMember, StaffRole, Unit
from enkat.secrecy import passwords
from enkat.storage import staff
from enkat.storage.engine import number, rows
from tests.conftest import Town

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
KARIN = "karin@mitthem.example"


def someone(town: Town, address: str = KARIN, *roles: StaffRole) -> StaffMember:
    town.add_staff(address, town.north, *(roles or (StaffRole.COORDINATOR,)))
    found = staff.find_address(town.db, address)
    assert found is not None
    return found


def signed_in_as(town: Town, address: str = KARIN, now: datetime = NOW) -> str:
    """The secret of a new session; it must be given."""
    secret = staffing.sign_in(town.db, address, town.passwords[address], now)
    assert secret is not None
    return secret


def who(town: Town, secret: str, now: datetime = NOW) -> str | None:
    member = staffing.signed_in(town.db, secret, now)
    return member.address if member else None


def sessions(town: Town) -> int:
    return number(town.db, "select count(*) from staff_session")


# Units


def test_the_first_unit_is_the_municipality_and_the_others_stand_under_it(db: Database) -> None:
    root = staffing.add_unit(db, "Mitthem")
    north = staffing.add_unit(db, "Norr")
    team = staffing.add_unit(db, "Norr familj", under="Norr")
    assert (root.parent, north.parent, team.parent) == (None, root.id, north.id)
    assert staff.units(db)[0] == root
    assert staff.units_below(db, root.id) == {root.id, north.id, team.id}
    assert staff.units_below(db, north.id) == {north.id, team.id}
    assert staff.units_below(db, team.id) == {team.id}


def test_units_of_other_teams_and_above_are_not_below(town: Town) -> None:
    below_south = staffing.add_unit(town.db, "Söder ungdom", under="Söder")
    assert staff.units_below(town.db, town.south.id) == {town.south.id, below_south.id}
    assert town.municipality.id not in staff.units_below(town.db, town.north.id)
    assert staff.units_below(town.db, "nowhere") <= {"nowhere"}


@pytest.mark.parametrize(
    ("name", "under", "reason"),
    [
        ("", None, "unit_name"),
        ("   ", None, "unit_name"),
        ("x" * 81, None, "unit_name"),
        ("Norr", None, "unit_known"),
        ("norr", None, "unit_known"),
        ("  Norr ", None, "unit_known"),
        ("Norr", "Söder", "unit_known"),
        ("söder", None, "unit_known"),
        ("SÖDER", None, "unit_known"),
    ],
)
def test_a_unit_that_cannot_be_is_refused(town: Town, name: str, under: str | None, reason: str) -> None:
    with pytest.raises(Refused) as refusal:
        staffing.add_unit(town.db, name, under)
    assert refusal.value.reason == reason
    assert len(staff.units(town.db)) == 3


@pytest.mark.parametrize("is_first", [True, False])
def test_a_unit_under_one_that_is_not_there_is_refused_and_says_which(db: Database, is_first: bool) -> None:
    if not is_first:
        staffing.add_unit(db, "Mitthem")
    with pytest.raises(NotFound, match="'Nowhere'"):
        staffing.add_unit(db, "Norr", under="Nowhere")
    assert len(staff.units(db)) == (0 if is_first else 1)


def test_spaces_in_a_units_name_are_made_plain_and_eighty_characters_fit(db: Database) -> None:
    assert staffing.add_unit(db, "  Norra \n  Lindby ").name == "Norra Lindby"
    assert staffing.add_unit(db, "x" * 80).name == "x" * 80


# Adding staff


def test_somebody_added_has_the_roles_and_the_unit_that_were_given(town: Town) -> None:
    both = {StaffRole.COORDINATOR, StaffRole.EVALUATOR}
    member, password = staffing.add_staff(town.db, f" {KARIN} ", "  Karin   Lund ", list(both), town.north.id)
    assert member == StaffMember(member.id, KARIN, "Karin Lund", frozenset(both), town.north.id, enabled=True)
    assert staff.find_staff(town.db, member.id) == member
    assert staff.find_address(town.db, KARIN.upper()) == member
    assert staff.all_staff(town.db) == [member]
    assert len(password) >= 16


def test_a_role_given_twice_is_one_role(town: Town) -> None:
    roles = [StaffRole.EVALUATOR, StaffRole.EVALUATOR]
    member, _password = staffing.add_staff(town.db, KARIN, "Karin", roles, town.north.id)
    assert member.roles == {StaffRole.EVALUATOR}
    assert number(town.db, "select count(*) from staff_role") == 1


def test_a_first_password_is_random_readable_and_stored_as_a_hash_alone(town: Town) -> None:
    passwords = {
        staffing.add_staff(town.db, f"k{n}@mitthem.example", "K", [StaffRole.EVALUATOR], town.north.id)[1]
        for n in range(5)
    }
    assert len(passwords) == 5
    stored = town.house.settings.database.read_bytes()
    for password in passwords:
        assert not set(password) & set("01ilo"), "characters that are mistaken for each other"
        assert password.encode() not in stored
    hashes = [row["password_hash"] for row in rows(town.db, "select password_hash from staff")]
    assert all(one.startswith("$argon2id$") for one in hashes)
    assert len(set(hashes)) == 5


def test_the_demonstrations_password_is_the_same_for_the_same_source(town: Town) -> None:
    _m, one = staffing.add_staff(town.db, "a@x.example", "A", [StaffRole.EVALUATOR], town.north.id, source=Random(7))
    _m, two = staffing.add_staff(town.db, "b@x.example", "B", [StaffRole.EVALUATOR], town.north.id, source=Random(7))
    assert one == two


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"address": ""}, "address"),
        ({"address": "karin"}, "address"),
        ({"address": "@mitthem.example"}, "address"),
        ({"address": "karin@"}, "address"),
        ({"address": "a@b@c"}, "address"),
        ({"address": "a b@c.example"}, "address"),
        ({"address": "<a@b.example>"}, "address"),
        ({"address": '"a"@b.example'}, "address"),
        ({"address": f"{'a' * 200}@b.example"}, "address"),
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"roles": []}, "roles"),
        ({"password": ""}, "short_password"),
        ({"password": "eleven char"}, "short_password"),
        ({"password": "x" * 201}, "long_password"),
        ({"address": KARIN.upper()}, "address_known"),
        ({"address": f"  {KARIN}\n"}, "address_known"),
    ],
    ids=str,
)
def test_somebody_who_cannot_be_added_is_refused_and_nothing_is_stored(
    town: Town, given: dict[str, object], reason: str
) -> None:
    someone(town)
    person = {"address": "new@mitthem.example", "name": "New", "roles": [StaffRole.EVALUATOR], "password": None} | given
    with pytest.raises(Refused) as refusal:
        staffing.add_staff(town.db, unit=town.north.id, **person)  # type: ignore[arg-type]
    assert refusal.value.reason == reason
    assert [one.address for one in staff.all_staff(town.db)] == [KARIN]


def test_somebody_of_a_unit_that_is_not_there_is_not_added(town: Town) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        staffing.add_staff(town.db, KARIN, "Karin", [StaffRole.EVALUATOR], "nowhere")
    assert number(town.db, "select count(*) from staff") + number(town.db, "select count(*) from staff_role") == 0


@pytest.mark.parametrize("password", ["twelve chars", "x" * 200, "lösenord på svenska", "пароль пароль", "🙂" * 12])
def test_a_password_of_ones_own_lets_one_in(town: Town, password: str) -> None:
    staffing.add_staff(town.db, KARIN, "Karin", [StaffRole.COORDINATOR], town.north.id, password)
    assert staffing.sign_in(town.db, KARIN, password, NOW)
    for other in (password[:-1], "y" + password, password.upper() + " ", ""):
        assert staffing.sign_in(town.db, KARIN, other, NOW) is None


# Signing in


def test_somebody_signs_in_with_address_and_password(town: Town) -> None:
    member = someone(town)
    secret = signed_in_as(town)
    assert staffing.signed_in(town.db, secret, NOW) == member
    assert staffing.sign_in(town.db, f" {KARIN.upper()} ", town.passwords[KARIN], NOW)


def test_two_sign_ins_have_different_secrets_and_the_database_knows_neither(town: Town) -> None:
    someone(town)
    one, two = signed_in_as(town), signed_in_as(town)
    assert one != two
    stored = town.house.settings.database.read_bytes()
    assert one.encode() not in stored
    assert two.encode() not in stored
    ids = {row["id"] for row in rows(town.db, "select id from staff_session")}
    assert ids == {hashlib.sha256(secret.encode()).hexdigest() for secret in (one, two)}
    assert who(town, next(iter(ids))) is None, "what the database holds does not let anybody in"


@pytest.mark.parametrize(
    ("address", "password"),
    [
        (KARIN, "wrong password"),
        (KARIN, ""),
        (KARIN, "x" * 100_000),
        (KARIN, "\0"),
        ("nobody@mitthem.example", "right password"),
        ("", "right password"),
        ("%", "right password"),
        ("' or 1=1 --", "right password"),
        ("karin@mitthem.exampl_", "right password"),
    ],
)
def test_a_wrong_address_or_password_lets_nobody_in(town: Town, address: str, password: str) -> None:
    staffing.add_staff(town.db, KARIN, "Karin", [StaffRole.COORDINATOR], town.north.id, "right password")
    assert staffing.sign_in(town.db, address, password, NOW) is None
    assert sessions(town) == 0


def test_somebody_elses_password_does_not_let_one_in(town: Town) -> None:
    someone(town)
    someone(town, "samir@mitthem.example")
    assert staffing.sign_in(town.db, KARIN, town.passwords["samir@mitthem.example"], NOW) is None


@settings(max_examples=60, deadline=None)
@given(secret=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_no_guessed_secret_is_a_session(town: Town, secret: str) -> None:
    if not staff.find_address(town.db, KARIN):
        someone(town)
        signed_in_as(town)
    assert who(town, secret) is None


# How long a sign-in lasts


@pytest.mark.parametrize(
    ("passed", "is_in"),
    [
        (timedelta(0), True),
        (timedelta(minutes=59), True),
        (staffing.IDLE, True),
        (staffing.IDLE + timedelta(seconds=1), False),
        (timedelta(days=30), False),
    ],
)
def test_a_sign_in_that_nobody_uses_ends(town: Town, passed: timedelta, is_in: bool) -> None:
    someone(town)
    secret = signed_in_as(town)
    assert who(town, secret, NOW + passed) == (KARIN if is_in else None)
    if not is_in:
        assert who(town, secret, NOW + passed) is None


def test_a_sign_in_in_use_lasts_until_the_longest_time_and_no_longer(town: Town) -> None:
    someone(town)
    secret, moment = signed_in_as(town), NOW
    while moment + timedelta(minutes=50) <= NOW + staffing.LONGEST:
        moment += timedelta(minutes=50)
        assert who(town, secret, moment) == KARIN
    assert who(town, secret, NOW + staffing.LONGEST) == KARIN
    assert who(town, secret, NOW + staffing.LONGEST + timedelta(seconds=1)) is None


def test_what_a_page_does_by_itself_does_not_keep_a_sign_in_alive(town: Town) -> None:
    someone(town)
    secret = signed_in_as(town)
    for minute in range(0, 61, 10):
        moment = NOW + timedelta(minutes=minute)
        assert staffing.signed_in(town.db, secret, moment, is_use=False) is not None
    assert staffing.signed_in(town.db, secret, NOW + timedelta(minutes=61), is_use=False) is None
    assert who(town, secret, NOW + timedelta(minutes=61)) is None


def test_the_use_of_a_session_is_noted_seldom(town: Town) -> None:
    someone(town)
    secret = signed_in_as(town)
    seen = "select seen from staff_session"
    before = rows(town.db, seen)
    who(town, secret, NOW + timedelta(seconds=50))
    assert rows(town.db, seen) == before
    who(town, secret, NOW + timedelta(seconds=70))
    assert rows(town.db, seen) != before


def test_a_later_sign_in_clears_away_sessions_that_have_ended(town: Town) -> None:
    someone(town)
    signed_in_as(town)
    recent = signed_in_as(town, now=NOW + timedelta(minutes=50))
    newest = signed_in_as(town, now=NOW + timedelta(minutes=70))
    assert sessions(town) == 2
    assert who(town, recent, NOW + timedelta(minutes=70)) == KARIN
    assert who(town, newest, NOW + timedelta(minutes=70)) == KARIN


# How a sign-in ends


def test_signing_out_ends_this_sign_in_and_no_other(town: Town) -> None:
    someone(town)
    phone, laptop = signed_in_as(town), signed_in_as(town)
    staffing.sign_out(town.db, phone)
    assert (who(town, phone), who(town, laptop)) == (None, KARIN)
    staffing.sign_out(town.db, phone)
    staffing.sign_out(town.db, "nothing")
    assert sessions(town) == 1


def test_signing_out_elsewhere_keeps_this_sign_in_and_other_peoples(town: Town) -> None:
    karin = someone(town)
    someone(town, samir := "samir@mitthem.example")
    phone, laptop, other = signed_in_as(town), signed_in_as(town), signed_in_as(town, samir)
    staffing.sign_out_elsewhere(town.db, karin, laptop)
    assert (who(town, phone), who(town, laptop), who(town, other)) == (None, KARIN, samir)


def test_somebody_who_may_not_sign_in_any_more_is_out_at_once(town: Town) -> None:
    karin = someone(town)
    secret = signed_in_as(town)
    staffing.set_enabled(town.db, karin.id, False)
    assert who(town, secret) is None
    assert sessions(town) == 0
    assert staffing.sign_in(town.db, KARIN, town.passwords[KARIN], NOW) is None
    staffing.set_enabled(town.db, karin.id, True)
    assert who(town, secret) is None, "an old session does not come back"
    assert staffing.sign_in(town.db, KARIN, town.passwords[KARIN], NOW)


def test_a_session_of_somebody_disabled_behind_our_back_lets_nobody_in(town: Town) -> None:
    someone(town)
    secret = signed_in_as(town)
    town.db.execute("update staff set enabled = 0")
    assert who(town, secret) is None


# Passwords


def test_a_changed_password_ends_the_sign_ins_elsewhere(town: Town) -> None:
    karin = someone(town)
    here, elsewhere = signed_in_as(town), signed_in_as(town)
    staffing.change_password(town.db, karin, town.passwords[KARIN], "a new password", here)
    assert (who(town, here), who(town, elsewhere)) == (KARIN, None)
    assert staffing.sign_in(town.db, KARIN, town.passwords[KARIN], NOW) is None
    assert staffing.sign_in(town.db, KARIN, "a new password", NOW)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("not the old one", "a new password", "old_password"),
        ("", "a new password", "old_password"),
        (None, "eleven char", "short_password"),
        (None, "", "short_password"),
        (None, "x" * 201, "long_password"),
    ],
)
def test_a_password_that_cannot_be_changed_stays_and_ends_nothing(
    town: Town, old: str | None, new: str, reason: str
) -> None:
    karin = someone(town)
    here, elsewhere = signed_in_as(town), signed_in_as(town)
    with pytest.raises(Refused) as refusal:
        staffing.change_password(town.db, karin, town.passwords[KARIN] if old is None else old, new, here)
    assert refusal.value.reason == reason
    assert (who(town, here), who(town, elsewhere)) == (KARIN, KARIN)
    assert staffing.sign_in(town.db, KARIN, town.passwords[KARIN], NOW)
    assert staffing.sign_in(town.db, KARIN, new, NOW) is None


def test_a_password_given_anew_ends_every_sign_in_of_that_person_alone(town: Town) -> None:
    karin = someone(town)
    someone(town, samir := "samir@mitthem.example")
    phone, laptop, other = signed_in_as(town), signed_in_as(town), signed_in_as(town, samir)
    password = staffing.give_password(town.db, karin.id)
    assert password != town.passwords[KARIN]
    assert (who(town, phone), who(town, laptop), who(town, other)) == (None, None, samir)
    assert staffing.sign_in(town.db, KARIN, town.passwords[KARIN], NOW) is None
    assert staffing.sign_in(town.db, KARIN, password, NOW)
    assert staffing.sign_in(town.db, samir, town.passwords[samir], NOW)


@pytest.mark.parametrize("change", [staffing.give_password, lambda db, member: staffing.set_enabled(db, member, False)])
def test_a_change_to_somebody_who_is_not_there_touches_nobody(
    town: Town, change: Callable[[Database, str], object]
) -> None:
    someone(town)
    secret = signed_in_as(town)
    change(town.db, "nobody")
    assert who(town, secret) == KARIN
    assert staffing.sign_in(town.db, KARIN, town.passwords[KARIN], NOW)


def test_units_are_what_they_were_said_to_be(town: Town) -> None:
    assert staff.find_unit(town.db, "norr") == town.north
    assert staff.units(town.db) == [
        Unit(town.municipality.id, "Mitthem", None),
        Unit(town.north.id, "Norr", town.municipality.id),
        Unit(town.south.id, "Söder", town.municipality.id),
    ]


@pytest.mark.parametrize("change", ["a new password", "shut out"])
def test_a_sign_in_that_began_before_a_change_does_not_outlive_it(
    town: Town, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """The attack: old passwords sent in just while the password is changed; checking one takes a while."""
    address = town.add_staff("karin@mitthem.example", town.north, StaffRole.COORDINATOR)
    member = staff.find_address(town.db, address)
    assert member is not None
    verify = passwords.verify

    def changed_meanwhile(password: str, stored: str | None) -> bool:
        is_right = verify(password, stored)
        if change == "shut out":
            staffing.set_enabled(town.db, member.id, False)
        else:
            staffing.give_password(town.db, member.id)
        return is_right

    monkeypatch.setattr(passwords, "verify", changed_meanwhile)
    assert staffing.sign_in(town.db, address, town.passwords[address], datetime.now(UTC)) is None
    assert number(town.db, "select count(*) from staff_session") == 0
