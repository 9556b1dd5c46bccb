"""The network is cut at each request of the journey and comes back: exactly one answer is stored, and none is lost.

Before the request reaches the server, or after it when the reply is lost, or in the midst of the page; or somebody in
between replies instead. The person does what people do: waits, presses again, loads the page again, goes back. Where
the script is on, what was filled in is still there meanwhile; and nothing is left on the phone afterwards.
"""

from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from enkat.model.meeting import Meeting
from enkat.model.survey import Role
from tests.conftest import Town
from tests.journeys.conftest import Phones, Watch
from tests.journeys.network import Network, Trouble, cut_at, cut_before, network_to, reply_lost, stranger
from tests.journeys.people import (
    ANSWERS,
    ITEMS,
    SEND,
    TEXT,
    WAITING,
    Place,
    answer,
    assert_nothing_left_on,
    assert_one_answer,
    fill_at_once,
    fill_in,
    filled_in,
    go_to_the_end,
    numbers,
)
from tests.journeys.server import wait_for

_AWAY = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr>nginx</body></html>"
_PORTAL = (
    "<!doctype html><html lang=sv><title>Gästnät</title><body>{}<h1>Välkommen</h1><form><button>Anslut</button></form>"
)

#: What befalls a request. In the midst of the page is in its style, or where its contents begin.
TROUBLES: dict[str, Trouble] = {
    "cut before the server": cut_before,
    "the reply is lost": reply_lost,
    "half of the reply": cut_at(0.5),
    "the reply up to its contents": cut_at(b"<h1>"),
    "half of the reply, unnoticed": cut_at(0.5, noticed=False),
    "the reply up to its contents, unnoticed": cut_at(b"<h1>", noticed=False),
    "a proxy without its server": stranger("502 Bad Gateway", _AWAY.format("502 Bad Gateway")),
    "a proxy that rests": stranger("503 Service Unavailable", _PORTAL.format("<main>")),
    "a hotel": stranger("200 OK", _PORTAL.format("<div>")),
    "a hotel that writes its pages well": stranger("200 OK", _PORTAL.format("<header></header><main>")),
}
EACH_TROUBLE = pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES.keys())
BOTH = pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])


@pytest.fixture(scope="module")
def town(place: Place) -> Town:
    return place.town


@pytest.fixture
def network(place: Place) -> Iterator[Network]:
    with network_to(place.server.port) as network:
        yield network


@pytest.fixture
def phones(browser: Browser, network: Network) -> Iterator[Phones]:
    """Phones that reach the server through the bad network alone."""
    phones = Phones(browser, network.address)
    yield phones
    for context in browser.contexts:
        for page in context.pages:
            forgive_cut_styles(phones.watch(page))
    phones.close()


@pytest.fixture
def meeting(town: Town) -> Meeting:
    """A meeting of the test's own."""
    return town.meeting()


@pytest.fixture
def key(town: Town, meeting: Meeting) -> str:
    """The family's link into its room."""
    return town.rooms(meeting)[Role.FAMILY].key


@BOTH
def test_a_link_that_does_not_open_can_be_opened_again_as_often_as_it_takes(
    town: Town, network: Network, phones: Phones, meeting: Meeting, key: str, script: bool
) -> None:
    phone = phones.open(script=script)
    for trouble in TROUBLES.values():
        network.breaks("GET", trouble)
        with suppress(Error):  # what the browser says where no page came
            phone.goto(f"/{key}", wait_until="commit")
    assert len(network.met) >= len(TROUBLES)
    network.mends()
    wait_for(lambda: opens(phone, f"/{key}"), "the form is there")
    answer(phone)
    assert_one_answer(town, meeting)


@pytest.mark.parametrize(
    ("trouble", "person"),
    list(zip(TROUBLES.values(), cycle(["presses again", "waits"]), strict=False)),
    ids=TROUBLES.keys(),
)
def test_with_script_the_page_keeps_everything_and_sends_it_when_the_network_is_back(
    town: Town, network: Network, phones: Phones, meeting: Meeting, key: str, trouble: Trouble, person: str
) -> None:
    phone = phones.open()
    phone.goto(f"/{key}")
    fill_at_once(phone)
    network.breaks("POST", trouble)
    phone.locator(SEND).tap()
    expect(phone.get_by_role("status")).to_have_text(WAITING)
    assert filled_in(phone) == {**ANSWERS, "words": TEXT}
    assert network.met
    network.mends()
    if person == "presses again":
        phone.locator(SEND).tap()
    else:
        phone.evaluate("window.dispatchEvent(new Event('online'))")  # what a phone says when it is back
    expect(phone.locator("h1")).to_have_text("Tack.")
    expect(phone.locator("h1")).to_be_focused()
    assert_nothing_left_on(phone)
    assert_one_answer(town, meeting)


@EACH_TROUBLE
def test_without_script_loading_again_sends_again_and_the_answer_is_stored_once(
    town: Town, network: Network, phones: Phones, meeting: Meeting, key: str, trouble: Trouble
) -> None:
    phone = phones.open(script=False)
    phone.goto(f"/{key}")
    fill_at_once(phone)
    network.breaks("POST", trouble)
    with phone.expect_event("framenavigated"):
        phone.locator(SEND).tap(no_wait_after=True)
    assert network.met
    network.mends()
    wait_for(lambda: thanked_when_loaded_again(phone), "the page thanks")
    assert phone.context.storage_state(indexed_db=True) == {"cookies": [], "origins": []}
    assert_one_answer(town, meeting)


@BOTH
def test_somebody_with_a_link_of_their_own_who_begins_anew_after_a_lost_reply_has_answered_once(
    town: Town, network: Network, phones: Phones, meeting: Meeting, script: bool
) -> None:
    phone = phones.open(script=script)
    own = town.personal(meeting, Role.KIN).key
    phone.goto(f"/{own}")
    fill_in(phone, ANSWERS, TEXT)
    network.breaks("POST", reply_lost)
    phone.locator(SEND).tap(no_wait_after=True)
    wait_for(lambda: numbers(town, meeting.id) == (1, 1), "it has arrived")
    network.mends()
    wait_for(lambda: opens(phone, f"/{own}"), "the form is there")
    assert filled_in(phone) == {}
    fill_in(phone, {"prep": "5"}, "Igen.")
    phone.locator(SEND).tap()
    expect(phone.locator("h1")).to_have_text("Platsen är redan använd")
    assert_one_answer(town, meeting)


@EACH_TROUBLE
def test_a_change_of_language_that_does_not_come_through_loses_nothing(
    town: Town, network: Network, phones: Phones, meeting: Meeting, key: str, trouble: Trouble
) -> None:
    phone = phones.open()
    phone.goto(f"/{key}")
    fill_at_once(phone)
    phone.locator(".steps .quiet").tap()
    network.breaks("POST", trouble)
    phone.locator(".bar summary").tap()
    phone.locator(".bar li a[lang=fi]").tap()
    wait_for(lambda: let_news_in(phone) or network.met, "the network has met it")
    network.mends()
    wait_for(lambda: chose(phone, "fi"), "the form is in Finnish")
    expect(phone.locator(f"#{ITEMS[-1]}")).to_be_visible()
    assert filled_in(phone) == {**ANSWERS, "words": TEXT}
    go_to_the_end(phone)
    phone.locator(SEND).tap()
    expect(phone.locator("h1")).to_have_text(town.house.languages["fi"].interface.gettext("Tack."))
    assert_nothing_left_on(phone)
    assert_one_answer(town, meeting)


def thanked_when_loaded_again(phone: Page) -> bool:
    """Load the page again, which may still be on its way to saying that there is no network; whether it thanks."""
    with suppress(Error):
        phone.reload()
    return phone.locator("h1", has_text="Tack.").count() == 1


def opens(phone: Page, path: str) -> bool:
    """Open a link; whether its form is there."""
    with suppress(Error):
        phone.goto(path)
    return phone.locator("form[data-steps]").count() == 1


def forgive_cut_styles(watch: Watch) -> None:
    """A style that was cut is not the one that the policy allows: the browser says so and shows the page without."""
    watch.faults[:] = [fault for fault in watch.faults if "Applying inline style" not in fault]


def let_news_in(phone: Page) -> None:
    """Let the browser do what it has to for a moment."""
    phone.wait_for_timeout(50)


def chose(phone: Page, language: str) -> bool:
    """Whether the form is in the language by now; else tap on its name once more, as people do."""
    let_news_in(phone)
    if phone.locator("html").get_attribute("lang") == language:
        return True
    assert phone.locator("form[data-steps]").count() == 1, "the form is still there"
    with suppress(Error):  # the page may come in this moment
        phone.locator(f".bar li a[lang={language}]").tap(timeout=1000)
    return False
