"""A town that is served for all the tests of one file, and what people do with a form on their phones."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page

from enkat import staffing
from enkat.house import open_house
from enkat.model.survey import Answer, Missing
from enkat.settings import Settings
from tests.conftest import TODAY, Town
from tests.journeys.server import HOST, Server, free_port, serving

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
def served_town(folder: Path) -> Iterator[Place]:
    """A town with a server of its own for a while; each test makes a meeting of its own in it."""
    base_url = f"http://{HOST}:{free_port()}"
    house = open_house(Settings(folder / "instance", base_url, fixed_today=TODAY))
    db = house.connect()
    town = Town(house, db, *(staffing.add_unit(db, name) for name in ("Mitthem", "Norr", "Söder")))
    with serving(house.settings, int(base_url.rpartition(":")[2])) as server:
        yield Place(town, server)
    db.close()


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
