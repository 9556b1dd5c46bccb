"""The nastiest payloads in a real browser: kept in every place that is shown, and behind every question mark.

Nothing of theirs may run: no window opens, no variable of theirs is there, and the console holds no word of the
content policy, which is the second wall and is not to be needed.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from random import Random
from urllib.parse import quote

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from enkat import staffing
from enkat.app import create_app
from enkat.house import House
from enkat.model.result import PLUS
from enkat.model.staff import StaffRole
from enkat.model.survey import Role
from enkat.storage.engine import insert, run, write
from tests.conftest import Town
from tests.inspection import is_for_staff
from tests.journeys.conftest import Phones
from tests.journeys.people import Place, sign_in
from tests.published import publish, year
from tests.web.fields import QUERIES
from tests.web.hostile import case
from tests.web.payloads import MARK, NASTIEST, PAYLOADS, sample
from tests.web.routes import Scene, rules, scene

_IS_FULL = os.environ.get("ENKAT_ATTACK") == "full"

#: How many are kept in the town at once.
_AT_ONCE = 40

#: What Plotly makes of links and bold letters.
_MADE = ".js-plotly-plot svg a, .js-plotly-plot svg image, .js-plotly-plot tspan[style*=bold]"
_IN_CHARTS = tuple(one for one in NASTIEST if one.startswith(("<a href=", "<b>")))

_ALIVE = f"""() => [
    typeof window.{MARK} !== 'undefined' && 'a script has run',
    document.querySelector('[onfocus], [onerror], [onload], [onmouseover], [onclick]') && 'a handler',
    document.querySelector('iframe, object, embed, base, marquee, math, animate, x-{MARK}') && 'an element',
    [...document.links].some(link => !/^(https?|sms|mailto|tel):/.test(link.protocol)) && 'a link',
    [...document.forms].some(form => new URL(form.action).origin !== location.origin) && 'a form',
].filter(Boolean)"""


@pytest.fixture
def app(house: House) -> Flask:
    """Its map of addresses; the pages themselves come from the server."""
    return create_app(house.settings, house)


def test_nothing_that_is_kept_or_asked_for_runs_in_a_browser(
    app: Flask, town: Town, phones: Phones, figure: Callable[[str], None]
) -> None:
    found = scene(app, town)
    # links and bold letters are what a chart would make something of
    kept = keep(town, [*dict.fromkeys((*_IN_CHARTS, *NASTIEST[:: 1 if _IS_FULL else 3]))])
    desk, phone = phones.open(width=1280), phones.open()
    dialogs: list[str] = []
    for page in (desk, phone):
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    enter(desk, town)
    rename(town, NASTIEST[0])
    loaded = 0
    for path in _paths(app, found, kept):
        loaded += looked_at(desk if is_for_staff(path.partition("?")[0]) else phone, path)
    for text in PAYLOADS if _IS_FULL else [*sample(Random(3), 4), *Random(4).sample(NASTIEST, 3)]:
        for path in _asked(found, text):
            with case(text):
                loaded += looked_at(desk if is_for_staff(path.partition("?")[0]) else phone, path)
        loaded += _filled(phone, found, text)
    assert dialogs == []
    figure(
        f"a browser: {loaded} pages loaded with payloads, {sum(map(len, kept.values()))} of them kept: nothing has run"
    )


def keep(town: Town, payloads: Sequence[str]) -> dict[int, list[str]]:
    """Units of these names and years of results with them, past the door that would refuse them; and some people."""
    kept: dict[int, list[str]] = {}
    with write(town.db):
        for number, text in enumerate(one for one in payloads if one.isprintable() and PLUS not in one):
            name = " ".join(text.split())
            insert(town.db, "unit", {"id": f"{number:016}", "name": name, "parent": town.municipality.id})
            kept.setdefault(2024 - number // _AT_ONCE, []).append(name)
    for of, names in kept.items():
        publish(town.db, year(of, unit=dict.fromkeys(names, 70)))
    some = [names[number] for names in kept.values() for number in range(0, len(names), 10)]
    for number, name in enumerate(some):
        staffing.add_staff(town.db, f"p{number}@mitthem.example", name, [StaffRole.EVALUATOR], town.south.id)
    return kept


def rename(town: Town, name: str) -> None:
    """The municipality, the one signed in and the assignments are called so from now on; no page lets a tag into the
    name of an assignment, and it would be escaped all the same."""
    with write(town.db):
        run(town.db, "update unit set name = :new where parent is null", new=f"{name} kommun")
        run(town.db, "update staff set name = :new where address like 'alla@%'", new=name)
        run(town.db, "update assignment set reference = :new", new=name)


def enter(desk: Page, town: Town) -> None:
    """Sign in with every role."""
    address = town.add_staff("alla@mitthem.example", town.municipality, *StaffRole)
    sign_in(desk, address, town.passwords[address])


def looked_at(page: Page, path: str) -> int:
    """Load a page and look whether anything in it lives; charts are drawn by then, and every mark pointed at."""
    page.goto(path)
    assert page.evaluate(_ALIVE) == [], path
    if page.locator(".js-plotly-plot").count():
        marks = page.locator(".js-plotly-plot .points path.point")
        expect(marks.first).to_be_attached()
        for mark in marks.all()[:3]:
            mark.hover(force=True)
        assert page.locator(_MADE).count() == 0, path
        assert page.evaluate(_ALIVE) == [], path
    return 1


def _paths(app: Flask, found: Scene, kept: dict[int, list[str]]) -> Iterator[str]:
    """Every page there is, but for the one that leaves and for files; and each year of results."""
    for rule in rules(app):
        if "GET" in (rule.methods or ()) and rule.endpoint not in ("participant.leave", "assets.asset", "results.file"):
            yield found.of(rule)
    for of in kept:
        yield f"/results/years?year={of}"


def _asked(found: Scene, text: str) -> Iterator[str]:
    """Pages that are asked for with a payload in their address."""
    typed = quote(text, safe="")
    asked = "&".join(f"{name}={typed}" for name in QUERIES)
    yield f"/?{asked}"
    yield f"/{found.values['key']}?{asked}"
    yield f"/nothing-here/{typed}"
    yield f"/staff/meetings/new?{asked}"
    yield f"/staff/meetings/{typed}"


def _filled(phone: Page, found: Scene, text: str) -> int:
    """A form that is sent with a payload in each of its fields comes back with them as text."""
    phone.goto(f"/{found.values['key']}")
    with phone.expect_navigation() as navigation:
        phone.evaluate(
            """text => {
                const form = document.querySelector('main form').cloneNode();
                for (const name of ['submission', 'say', 'words', text]) {
                    const field = document.createElement('textarea');
                    [field.name, field.value] = [name, text];
                    form.append(field);
                }
                document.body.append(form);
                form.submit();
            }""",
            text,
        )
    assert navigation.value.status == 400
    assert phone.evaluate(_ALIVE) == [], text
    return 1


def test_what_lives_would_be_seen(place: Place, browser: Browser) -> None:
    """The watch itself: a script, a handler, an element and a link that got in are each seen."""
    phones = Phones(browser, place.server.settings.base_url)
    phone = phones.open()
    phone.goto(f"/{place.town.rooms(place.town.meeting())[Role.FAMILY].key}")
    assert phone.evaluate(_ALIVE) == []
    phone.evaluate(
        f"""() => {{
            window.{MARK} = 1;
            document.body.insertAdjacentHTML('beforeend', '<object></object><a href="data:,x">x</a>');
            document.body.setAttribute('data-x', '');
        }}"""
    )
    assert phone.evaluate(_ALIVE) == ["a script has run", "an element", "a link"]
    phones.close()
