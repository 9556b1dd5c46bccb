"""A town that is served, for one test or for all who start meetings of their own in it, and what people do there."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from enkat import catalogue, counting, staffing
from enkat.house import open_house
from enkat.model.meeting import Meeting
from enkat.model.survey import Answer, Missing, Response
from enkat.settings import Settings
from enkat.storage import responses
from enkat.storage.engine import rows
from tests.conftest import TODAY, Town, with_services
from tests.journeys.server import HOST, Server, free_port

#: What is asked of adults, an answer of each kind, and a text.
ITEMS = [item.id for item in catalogue.load()["adult"].closed_items]
ANSWERS = dict(zip(ITEMS, ["1", "2", "3", "4", "5", "unknown", "declined", "4", "5"], strict=True))
TEXT = "Börja i tid."

SEND = "form[data-steps] [type=submit]"
WAITING = "Inte skickat än. Låt sidan vara öppen."

#: Everything ticked and written in one go, and by the steps' own button to the end.
_FILL = """([answers, text]) => {
    for (const [item, value] of Object.entries(answers)) document.querySelector(`#${item} [value='${value}']`).click();
    const forward = document.querySelector('.steps button:not(.quiet)'), area = document.querySelector('textarea');
    while (forward && !forward.hidden) forward.click();
    area.value = text;
    area.dispatchEvent(new Event('input', {bubbles: true}));
}"""

#: What a page may have left on the phone; each is to be empty.
_TRACES = """async () => ({
    cookie: document.cookie, local: Object.keys(localStorage), session: Object.keys(sessionStorage),
    databases: (await indexedDB.databases()).map(one => one.name), caches: await caches.keys(),
    workers: (await navigator.serviceWorker.getRegistrations()).length})"""


@dataclass(frozen=True)
class Place:
    """A town and its server."""

    town: Town
    server: Server


@contextmanager
def town_in(folder: Path, *units: str, has_services: bool = False) -> Iterator[Town]:
    """A town with a house of its own that nobody serves yet: the municipality and two teams, or the only one twice."""
    settings = Settings(folder / "instance", f"http://{HOST}:{free_port()}", fixed_today=TODAY)
    house = open_house(with_services(settings) if has_services else settings)
    db = house.connect()
    top, north, *south = (staffing.add_unit(db, name) for name in units or ("Mitthem", "Norr", "Söder"))
    yield Town(house, db, top, north, *south or [north])
    db.close()


class Stored:
    """What has come into a town since somebody began to look: where others have been before, all that came of them."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._before = self._ballots, self._used, self._responses

    @property
    def numbers(self) -> tuple[int, int]:
        """How many sealed answers, and how many used places."""
        return self._ballots - self._before[0], self._used - self._before[1]

    @property
    def responses(self) -> int:
        """How many counted answers."""
        return self._responses - self._before[2]

    @property
    def _ballots(self) -> int:
        return self._town.db["ballot"].count

    @property
    def _used(self) -> int:
        return self._town.db["invitation"].count_where("state = 'answered'")

    @property
    def _responses(self) -> int:
        return self._town.db["response"].count


def numbers(town: Town, meeting: str) -> tuple[int, int]:
    """How many sealed answers a meeting has, and how many of its places are used."""
    used = town.db["invitation"].count_where("meeting = ? and state = 'answered'", [meeting])
    return town.db["ballot"].count_where("meeting = ?", [meeting]), used


def choice(page: Page, item: str, value: str) -> Locator:
    """One of the answers to a question: what a finger taps."""
    return page.locator(f"#{item} label", has=page.locator(f"input[value='{value}']"))


def fill_in(page: Page, answers: Mapping[str, str], text: str) -> None:
    """Answer question after question and write a text at the end, with the steps of the script or without."""
    for item, value in answers.items():
        choice(page, item, value).tap()
        go_on(page)
    go_to_the_end(page)
    page.locator("textarea").fill(text)


def fill_at_once(page: Page, answers: Mapping[str, str] = ANSWERS, text: str = TEXT) -> None:
    """The same without a finger, for whom only what comes afterwards matters."""
    page.evaluate(_FILL, [answers, text])


def answer(page: Page, answers: Mapping[str, str] = ANSWERS, text: str = TEXT) -> None:
    """Fill in the form that is open, send it, and be thanked."""
    fill_in(page, answers, text)
    page.locator(SEND).tap()
    expect(page.locator("h1")).to_have_text("Tack.")


def go_on(page: Page) -> bool:
    """Go to the next question, where there are steps and it is not the last; whether that was so."""
    forward = page.locator(".steps button:not(.quiet)")
    is_there = forward.is_visible()
    if is_there:
        forward.tap()
    return is_there


def go_to_the_end(page: Page) -> None:
    """Leave all the questions that are left unanswered."""
    while go_on(page):
        pass


def filled_in(page: Page) -> dict[str, str]:
    """What stands in a form now: what is ticked and what is written, by question."""
    parts = "form[data-steps] input:checked, form[data-steps] textarea"
    found = page.evaluate(  # on a browser that lacks half of everything, too
        """parts => JSON.stringify(Array.prototype.map.call(document.querySelectorAll(parts),
            part => [part.name, part.value]))""",
        parts,
    )
    return {name: value for name, value in json.loads(found) if value}


def as_stored(answers: Mapping[str, str]) -> dict[str, Answer]:
    """What a count makes of what was ticked."""
    return {
        item: Answer(value=int(value)) if value.isdigit() else Answer(missing=Missing(value))
        for item, value in answers.items()
    }


def assert_nothing_left_on(page: Page) -> None:
    """Nothing of the page stays on the phone."""
    kept = page.evaluate(_TRACES)
    assert not any(kept.values()), kept
    assert page.context.storage_state(indexed_db=True) == {"cookies": [], "origins": []}


def assert_one_answer(town: Town, meeting: Meeting, answers: Mapping[str, str] = ANSWERS, text: str = TEXT) -> Response:
    """One answer, one place, and after the count what was ticked and what was written, letter by letter."""
    assert numbers(town, meeting.id) == (1, 1)
    counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
    (response,) = responses.of_meeting(town.db, meeting.id)
    assert {item: response.answers[item] for item in answers} == as_stored(answers)
    written = rows(town.db, "select wording from free_text where meeting = :meeting", meeting=meeting.id)
    assert [row["wording"] for row in written] == [text]
    return response


def sign_in(desk: Page, address: str, password: str) -> None:
    """Sign in through the page, and stay for the start page."""
    desk.goto("/staff/sign-in")
    desk.locator("[name=address]").fill(address)
    desk.locator("[name=password]").fill(password)
    desk.locator("main form button").click()
    desk.wait_for_url("**/staff")
