"""The journey to the results: four meetings are answered, their quarter ends, the background work counts and publishes
it, and the evaluator reads it: on a laptop, a phone, in the dark, on paper and without a script."""

import csv
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from enkat import inviting, staffing
from enkat.house import House, open_house
from enkat.inviting import Plan
from enkat.model.meeting import Kind, OpenedLink, Source
from enkat.model.result import PUBLISHED, Table, cells_of
from enkat.model.staff import StaffRole
from enkat.model.survey import Role
from enkat.settings import Settings
from enkat.storage import snapshots
from enkat.storage.engine import number
from tests.conftest import TODAY, Town
from tests.journeys.conftest import Phones
from tests.journeys.people import sign_in
from tests.journeys.server import HOST, Server, free_port, new_submission, send, serving, wait_for
from tests.journeys.wcag import breaches
from tests.published import children, grids, publish, quarter, quarters, year

#: When the last of the quarter's surveys has closed, and the quarter is over.
AFTERWARDS = date(2027, 1, 4)
HELD = (date(2026, 11, 3), date(2026, 11, 12), date(2026, 11, 17), TODAY)
CLOSES = date(2026, 12, 18)

ADULTS = (Role.FAMILY, Role.KIN, Role.PROFESSIONAL)
SURFACE, DARK_SURFACE = "rgb(255, 255, 255)", "rgb(28, 36, 33)"

#: 160 mm in CSS pixels.
PRINTED = 605


# From the meeting to the point in the chart


@pytest.fixture
def laptops(browser: Browser, server: Server) -> Iterator[Phones]:
    phones = Phones(browser, server.settings.base_url)
    yield phones
    phones.close()


def test_four_meetings_become_a_point_in_the_chart_when_their_quarter_is_over(
    server: Server, laptops: Phones, town: Town, tmp_path: Path
) -> None:
    ulla = town.add_staff("ulla@mitthem.example", town.municipality, StaffRole.EVALUATOR)
    desk = laptops.open(width=1280, height=900)
    sign_in(desk, ulla, town.passwords[ulla])
    desk.goto("/results")
    expect(desk.get_by_text("Det första kvartalet kan publiceras tidigast 1 januari 2027.")).to_be_visible()
    expect(desk.locator(".chart")).to_have_count(0)

    said = answer_four_meetings(server, laptops, town)
    assert number(town.db, "select count(*) from ballot") == 24
    assert number(town.db, "select count(*) from snapshot") == 0

    server.stop()
    server.start(today=AFTERWARDS)
    wait_for(lambda: number(town.db, "select count(*) from snapshot"), "the quarter is published")
    assert number(town.db, "select count(*) from ballot") == 0

    desk.goto("/results")
    if "/sign-in" in desk.url:
        sign_in(desk, ulla, town.passwords[ulla])
        desk.goto("/results")
    [participation, usefulness] = grids(desk.content())
    assert participation.line("K4 2026")[1:4] == [f"{round(said[role])} 8 svar, 4 möten" for role in ADULTS]
    assert participation.line("K4 2026")[4] == "100 %"
    assert usefulness.lines[0][0] == ("K4 2026", 1)
    chart = desk.locator("#chart-participation svg.main-svg").first
    expect(chart).to_be_visible()
    expect(desk.locator("#chart-participation path.point")).to_have_count(3)
    expect(desk.locator("#chart-participation .textpoint")).to_have_text(["8", "8", "8"])
    expect(desk.get_by_role("table").first).to_contain_text("8 svar, 4 möten")

    with desk.expect_download() as download:
        desk.get_by_role("link", name="Ladda ner CSV").first.click()
    file = tmp_path / "results.csv"
    download.value.save_as(file)
    with file.open(encoding="utf-8", newline="") as text:
        found = {(row["category"], row["index"]): row for row in csv.DictReader(text) if row["table"] == "quarter_role"}
    assert [found[role, "participation"]["mean"] for role in ADULTS] == [str(round(said[role])) for role in ADULTS]
    assert {(row["n"], row["meetings"], row["low"]) for row in found.values()} == {("8", "4", "")}
    save_picture(desk, tmp_path)


def answer_four_meetings(server: Server, phones: Phones, town: Town) -> dict[Role, float]:
    """Two assignments with two meetings each, at each of which two people of each role answer; one of them with a
    phone in their hand. What each role's mean is."""
    values = {Role.FAMILY: (5, 3, 4, 2), Role.KIN: (3, 2, 4, 4), Role.PROFESSIONAL: (5, 5, 4, 3)}
    works = [town.assignment("M-1"), town.assignment("M-2", town.south)]
    for meeting, held in enumerate(HELD):
        plan = Plan(Kind.NETWORK_MEETING, held, dict.fromkeys(ADULTS, 2), closes=CLOSES)
        started = inviting.start_meeting(
            town.db, town.house.keys, town.house.catalogue, works[meeting % 2].id, plan, held
        )
        for role, room in town.rooms(started).items():
            for person in range(2):
                value = values[role][meeting] if person else 3
                if (meeting, role, person) == (0, Role.FAMILY, 1):
                    answer_by_hand(phones.open(script=False), room.key, value)
                else:
                    answer(server, town, room, value)
    return {role: 25 * (sum(chosen) / 4 + 3) / 2 - 25 for role, chosen in values.items()}


def answer(server: Server, town: Town, room: OpenedLink, value: int) -> None:
    """The same value on every statement."""
    form = town.house.catalogue[room.questionnaire]
    answers = {item.id: str(value) for item in form.items if item.kind.value != "text"}
    assert send(server.port, room.key, new_submission(), **answers).status == 200


def answer_by_hand(phone: Page, key: str, value: int) -> None:
    phone.goto(f"/{key}")
    for item in phone.locator("fieldset.item").all():
        item.locator(".option").nth(value - 1).tap()
    phone.get_by_role("button", name="Skicka").tap()
    expect(phone.get_by_role("heading", name="Tack.")).to_be_visible()


def save_picture(desk: Page, folder: Path) -> None:
    """Save the first chart as a picture; that it is one, wide and not empty."""
    with desk.expect_download() as download:
        desk.get_by_role("button", name="Ladda ner bild").first.click()
    assert re.fullmatch(r"enkat-\w+\.png", download.value.suggested_filename)
    file = folder / "chart.png"
    download.value.save_as(file)
    data = file.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    assert (width, height > 500, len(data) > 20_000) == (2240, True, True)


# Two years, read in many ways


@dataclass
class Place:
    """A served town with two published years."""

    house: House
    server: Server
    password: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One for all readers: nobody changes anything."""
    base_url = f"http://{HOST}:{free_port()}"
    folder = tmp_path_factory.mktemp("town") / "instance"
    house = open_house(Settings(folder, base_url, fixed_today=AFTERWARDS))
    db = house.connect()
    top = staffing.add_unit(db, "Mitthem")
    _ulla, password = staffing.add_staff(db, "ulla@mitthem.example", "Ulla Berg", [StaffRole.EVALUATOR], top.id)
    inviting.open_assignment(db, "M-1", top.id, Source.SELF)
    joined = quarter("2026-Q4", {"family+kin": 66, "professional": (81, 9, 4)}, (("adult", 2), ("professional", 1)))
    units = {"Team <b>Norr</b> & Söder": 61, "Familjestödsenheten för barn och unga": (72, 9, 4), "Öster": 64}
    sources, numbers = {"school": 60, "health+other": 70, "self": 66}, {"1": 60, "2": 66, "3+4": 61}
    publish(
        db,
        *(quarters("2025-Q1", 7)),
        joined,
        year(2025, unit={f"Familjestöd {name}": 66 for name in "ABCDEFGHIJ"}),
        year(2026, unit=units, source=sources, number=numbers),
        *(children("2025"), children("2026", 66)),
    )
    db.close()
    with serving(house.settings) as server:
        yield Place(house, server, password)


@pytest.fixture
def readers(browser: Browser, place: Place) -> Iterator[Phones]:
    phones = Phones(browser, place.server.settings.base_url)
    yield phones
    phones.close()


PAGES = {
    "/results": ("participation", "usefulness"),
    "/results/months": ("months",),
    "/results/years": ("year_unit", "year_source", "year_number"),
}


@pytest.mark.parametrize(
    ("width", "scheme", "language", "forced"),
    [
        (1280, "light", "sv-SE", False),
        (390, "dark", "en-GB", False),
        (320, "light", "sv-SE", True),
        (1280, "dark", "sv-SE", True),
    ],
)
def test_every_chart_is_drawn_and_nothing_is_found_against_it(
    width: int, scheme: str, language: str, forced: bool, readers: Phones, place: Place
) -> None:
    desk = readers.open(width=width, height=844, scheme=scheme, language=language, forced=forced)
    sign_in(desk, "ulla@mitthem.example", place.password)
    for path, charts in PAGES.items():
        desk.goto(path)
        for name in charts:
            expect(desk.locator(f"#chart-{name} svg.main-svg").first).to_be_visible()
        assert desk.locator("path.point").count() == cells_on(place, path), path
        assert desk.evaluate("document.scrollingElement.scrollWidth - innerWidth") <= 0, f"{path} scrolls sideways"
        assert columns(desk, charts[0]) == (1 if width < 700 or path == "/results/months" else 2), path
        found = breaches(desk, path)
        assert not found, found


def cells_on(place: Place, path: str) -> int:
    """How many marks the charts of a page have: one for each cell, a joined one for each of its roles."""
    tables = {
        "/results": (Table.QUARTER_ROLE, Table.YEAR_CHILD),
        "/results/months": (Table.MONTH,),
        "/results/years": (Table.YEAR_UNIT, Table.YEAR_SOURCE, Table.YEAR_NUMBER),
    }[path]
    db = place.house.connect()
    found = snapshots.all_of(db, *snapshots.Grain)
    db.close()
    cells = [cell for table in tables for index in PUBLISHED for cell in cells_of(found, table, index)]
    if path == "/results/years":
        return len([cell for cell in cells if cell.periods == ("2026",)])
    return sum(len(cell.categories) for cell in cells)


def columns(desk: Page, chart: str) -> int:
    """In how many columns the panels of a chart stand."""
    edges = desk.locator(f"#chart-{chart} rect.nsewdrag").evaluate_all("all => all.map(one => one.getAttribute('x'))")
    return len(set(edges))


def test_light_and_dark_paper_have_colours_of_their_own_and_change_while_one_reads(
    readers: Phones, place: Place
) -> None:
    desk = readers.open(width=1280, scheme="light")
    sign_in(desk, "ulla@mitthem.example", place.password)
    desk.goto("/results")
    assert paper(desk) == SURFACE
    light = colours(desk)
    desk.emulate_media(color_scheme="dark")
    expect(desk.locator("#chart-participation .main-svg").first).to_have_css("background-color", DARK_SURFACE)
    dark = colours(desk)
    assert len(light) == len(dark) >= 4
    assert not light & dark


def paper(desk: Page, name: str = "participation") -> str:
    """The colour that a chart is drawn on."""
    chart = desk.locator(f"#chart-{name} .main-svg").first
    expect(chart).to_be_visible()
    return str(chart.evaluate("one => getComputedStyle(one).backgroundColor"))


def colours(desk: Page) -> set[str]:
    """The colours of the filled marks."""
    marks = desk.locator("#chart-participation path.point").evaluate_all(
        "found => found.map(one => one.style.stroke || getComputedStyle(one).stroke)"
    )
    return set(marks)


def test_on_paper_a_chart_is_160_mm_wide_and_light_also_from_a_phone_in_the_dark(readers: Phones, place: Place) -> None:
    desk = readers.open(width=390, scheme="dark")
    sign_in(desk, "ulla@mitthem.example", place.password)
    for path, charts in PAGES.items():
        desk.goto(path)
        expect(desk.locator(f"#chart-{charts[0]} svg.main-svg").first).to_be_visible()
        desk.evaluate(PRINTING)
        assert desk.pdf(prefer_css_page_size=True).startswith(b"%PDF")
        assert desk.evaluate("window.printed") == [[PRINTED, SURFACE]] * len(charts), path
        assert paper(desk, charts[0]) == DARK_SURFACE, "and afterwards the page is as it was"
        desk.emulate_media(media="print")
        assert round(desk.locator(".chart").first.evaluate("one => one.getBoundingClientRect().width")) == PRINTED
        assert desk.evaluate("getComputedStyle(document.body).backgroundColor") == SURFACE
        desk.emulate_media(media="screen")


#: What the printer gets, kept when the page itself is ready for it.
PRINTING = """() => addEventListener('beforeprint', () => {
    window.printed = [...document.querySelectorAll('.chart .main-svg:first-child')].map(drawn =>
        [drawn.width.baseVal.value, getComputedStyle(drawn).backgroundColor]);
})"""


def test_eight_quarters_are_printed_with_their_table_on_one_sheet_for_each_index(readers: Phones, place: Place) -> None:
    desk = readers.open(width=1280)
    sign_in(desk, "ulla@mitthem.example", place.password)
    desk.goto("/results")
    expect(desk.locator("#chart-participation svg.main-svg").first).to_be_visible()
    desk.evaluate("document.querySelectorAll('.guide').forEach(one => one.remove())")
    assert len(re.findall(rb"/Type /Page\b", desk.pdf(prefer_css_page_size=True))) == 2


def test_without_a_script_the_tables_are_there_and_no_empty_box(readers: Phones, place: Place) -> None:
    desk = readers.open(width=1280, script=False)
    sign_in(desk, "ulla@mitthem.example", place.password)
    for path in PAGES:
        desk.goto(path)
        expect(desk.get_by_role("table").first).to_be_visible()
        expect(desk.locator(".chart:visible")).to_have_count(0)
        expect(desk.get_by_role("button", name="Ladda ner bild")).to_have_count(0)
        expect(desk.get_by_role("link", name="Ladda ner CSV").first).to_be_visible()


def test_units_stand_in_the_chart_by_their_names(readers: Phones, place: Place) -> None:
    desk = readers.open(width=1280)
    sign_in(desk, "ulla@mitthem.example", place.password)
    desk.goto("/results/years")
    expect(desk.locator("#chart-year_unit svg.main-svg").first).to_be_visible()
    ticks = texts(desk, "#chart-year_unit .xtick text")
    assert [tick.replace(" ", "") for tick in ticks] == [
        "Familjestödsenhetenförbarnochunga",
        "Team<b>Norr</b>&Söder",
        "Öster",
    ]


@pytest.mark.parametrize("width", [1280, 390])
def test_the_names_of_ten_units_are_not_written_over_each_other(width: int, readers: Phones, place: Place) -> None:
    desk = readers.open(width=width)
    sign_in(desk, "ulla@mitthem.example", place.password)
    desk.goto("/results/years?year=2025")
    expect(desk.locator("#chart-year_unit svg.main-svg").first).to_be_visible()
    boxes = desk.locator("#chart-year_unit .xtick text").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).map(box => [box.left, box.right])"
    )
    assert len(boxes) == 10
    assert not [(one, other) for one, other in pairwise(sorted(boxes)) if one[1] > other[0]]


def test_a_mark_tells_its_figures_to_whoever_points_at_it(browser: Browser, place: Place) -> None:
    readers = Phones(browser, place.server.settings.base_url)
    desk = readers.open(width=1280)
    sign_in(desk, "ulla@mitthem.example", place.password)
    desk.goto("/results/years")
    desk.locator("#chart-year_unit path.point").nth(1).hover(force=True)
    expect(desk.locator("#chart-year_unit .hovertext")).to_contain_text("12 svar, 6 möten")
    readers.close()


def test_a_chart_follows_the_width_of_its_paper(readers: Phones, place: Place) -> None:
    desk = readers.open(width=1280)
    sign_in(desk, "ulla@mitthem.example", place.password)
    desk.goto("/results")
    expect(desk.locator("#chart-participation svg.main-svg").first).to_be_visible()
    assert columns(desk, "participation") == 2
    desk.set_viewport_size({"width": 390, "height": 844})
    desk.wait_for_function("document.querySelector('#chart-participation .main-svg').width.baseVal.value < 390")
    assert columns(desk, "participation") == 1
    assert desk.evaluate("document.scrollingElement.scrollWidth - innerWidth") <= 0


def texts(desk: Page, where: str) -> Sequence[str]:
    return desk.locator(where).evaluate_all("found => found.map(one => one.textContent)")  # type: ignore[no-any-return]
