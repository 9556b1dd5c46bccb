"""The municipality's name, logo and colour on the pages: there for everybody, heavy for nobody."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from enkat.app import create_app
from enkat.branding.logo import MOST_BYTES, cleaned
from enkat.house import House, open_house
from enkat.model.colour import Colour
from enkat.model.staff import StaffRole
from enkat.model.survey import Role
from tests.conftest import Town, signed_in
from tests.inspection import InspectingClient, Page

BLUE = Colour.parse("#00518a")


def heaviest_logo() -> bytes:
    """A drawing that is just let in."""
    points = " ".join(f"{number * 7919 % 9973} {number * 104729 % 9967}" for number in range(490))
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><polygon points="{points}"/></svg>'.encode()


@pytest.fixture
def branded(house: House, town: Town) -> House:
    """The town's house with everything a municipality can show."""
    (house.settings.instance / "logo.svg").write_bytes(heaviest_logo())
    return open_house(replace(house.settings, name="Mitthems kommun", logo="logo.svg", accent=BLUE))


@pytest.fixture
def phone(branded: House) -> InspectingClient:
    app = create_app(branded.settings, branded)
    app.test_client_class = InspectingClient
    return app.test_client(use_cookies=False)


@pytest.mark.parametrize("path", ["/", "/privacy", "/accessibility", "/AAAAAAAAAA", "/staff/sign-in"])
def test_every_page_says_whose_it_is(phone: InspectingClient, path: str) -> None:
    page = phone.get(path).text
    assert page.count('class="logo" aria-hidden="true"') == 1
    assert "<span>Mitthems kommun</span>" in page, "in words, for those who cannot see the logo"


def test_without_settings_nothing_is_shown(participant: InspectingClient) -> None:
    page = participant.get("/").text
    assert "brand" not in Page(page).text
    assert '<p class="brand">' not in page


def test_the_colour_is_allowed_by_the_policy_of_the_page_that_has_it(phone: InspectingClient) -> None:
    """The style within a participant's page is allowed by its hash; the staff's is a file under its content's name."""
    participants = phone.get("/")
    assert "--accent:#00518a" in participants.text
    sheet = next(a["href"] for a in Page(phone.get("/staff/sign-in").text).all("link") if a["rel"] == "stylesheet")
    assert "--accent:#00518a" in phone.get(sheet).text


def test_two_municipalities_in_one_process_keep_their_colours_apart(
    phone: InspectingClient, participant: InspectingClient
) -> None:
    for _turn in range(2):
        assert "#00518a" in phone.get("/").text
        assert "#00518a" not in participant.get("/").text
        sheets = [Page(one.get("/staff/sign-in").text).all("link")[1]["href"] for one in (phone, participant)]
        assert sheets[0] != sheets[1]
        assert "#00518a" not in participant.get(sheets[1]).text


@pytest.mark.parametrize("language", ["sv", "ti", "ckb"])
@pytest.mark.parametrize(("role", "form"), [(Role.FAMILY, "adult"), (Role.CHILD, "child")])
def test_the_form_weighs_ten_kilobytes_at_most_with_the_heaviest_logo(
    phone: InspectingClient, town: Town, role: Role, form: str, language: str
) -> None:
    key = town.personal(town.meeting(), role, form).key
    packed = FlaskClient.open(phone, f"/{key}?lang={language}", headers={"Accept-Encoding": "gzip"})
    assert b'class="logo"' in gzip.decompress(packed.data)
    assert len(packed.data) <= 10_000


def test_the_logo_of_this_test_is_heavy() -> None:
    drawing = cleaned(heaviest_logo())
    assert 0.9 * MOST_BYTES < len(gzip.compress(drawing.encode())) <= MOST_BYTES


def test_slips_carry_no_logo(branded: House, town: Town) -> None:
    """A slip in somebody's pocket need not say whose it is."""
    app = create_app(branded.settings, branded)
    app.test_client_class = InspectingClient
    karin = signed_in(app, town, town.add_staff("karin@mitthem.example", town.north, StaffRole.COORDINATOR))
    page = karin.get(f"/staff/meetings/{town.meeting().id}/slips").text
    slips = page[page.index('<div class="sheet"') : page.index("</main>")]
    assert slips.count('class="slip"') == 9
    assert "logo" not in slips
    assert "Mitthem" not in slips


def test_a_logo_in_the_instance_folder_is_found_by_its_name(house: House, tmp_path: Path) -> None:
    (house.settings.instance / "vapen.svg").write_bytes(heaviest_logo())
    assert open_house(replace(house.settings, name="Mitthem", logo="vapen.svg")).brand.logo
