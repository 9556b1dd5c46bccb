"""Wrong keys, receipts and passwords are slowed for those they come from; nobody else notices, and nothing filled in is
lost."""

import html
import re
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest
from flask import Flask
from sqlite_utils import Database
from werkzeug.test import TestResponse

from enkat import counting, inviting
from enkat.app import create_app
from enkat.house import House
from enkat.model.staff import StaffRole
from enkat.model.survey import Role
from enkat.secrecy import tokens
from enkat.secrecy.guessing import LIMITS, Brake, Guess
from enkat.web import guesses
from tests.conftest import TODAY, Town
from tests.inspection import InspectingClient, Page
from tests.secrecy.test_guessing import HAIR, Clock
from tests.test_settings import chosen, refused
from tests.web.hostile import contents

HERE, ELSEWHERE = "203.0.113.7", "198.51.100.9"
KARIN = "karin@mitthem.example"

KEYS, RECEIPTS, PASSWORDS = (int(LIMITS[guess].burst) for guess in (Guess.KEY, Guess.RECEIPT, Guess.PASSWORD))


@pytest.fixture
def clock(app: Flask) -> Clock:
    """The clock of the application's brake, turned by hand: a slow machine lets no failure leak away."""
    clock = Clock()
    app.extensions["enkat.brake"] = a_brake(clock)
    return clock


def a_brake(clock: Clock) -> Brake:
    """One in which nobody has somebody else's vessel by chance, as happens once in some thousand runs."""
    everybody = [(guess, address) for address in (HERE, ELSEWHERE) for guess in Guess]
    while True:
        brake, shared = Brake(clock), False
        for guess, address in everybody:
            for _failure in range(int(LIMITS[guess].burst)):
                brake.fail(guess, address)
            shared = shared or any(brake.wait(*one) for one in everybody if one != (guess, address))
            clock.now += 100_000
        if not shared:
            return brake


@pytest.fixture
def family(town: Town) -> str:
    """The key of a room in which twenty of the family may answer."""
    return town.rooms(town.meeting({Role.FAMILY: 20}))[Role.FAMILY].key


def phone(app: Flask, address: str = HERE) -> InspectingClient:
    """A phone at an address."""
    client: InspectingClient = app.test_client(use_cookies=False)
    client.environ_base["REMOTE_ADDR"] = address
    return client


Try = Callable[[InspectingClient], TestResponse]


def by_opening(client: InspectingClient) -> TestResponse:
    return client.get(f"/{tokens.new_key()}")


def by_typing(client: InspectingClient) -> TestResponse:
    return client.post("/", data={"key": tokens.new_key()})


def by_sending(client: InspectingClient) -> TestResponse:
    return client.post(f"/{tokens.new_key()}", data={"submission": tokens.new_submission(), "prep": "4"})


def by_taking_back(client: InspectingClient) -> TestResponse:
    return client.post("/withdraw", data={"receipt": tokens.new_key() + "000000"})


def by_signing_in(client: InspectingClient) -> TestResponse:
    """With a client that keeps cookies, as the sign-in wants."""
    return client.submit("/staff/sign-in", address=KARIN, password="wrong")


def use_up(client: InspectingClient, guess: Try = by_opening, number: int = KEYS) -> None:
    """Fail as often as an address may at once."""
    assert {guess(client).status_code for _try in range(number)} == {401 if guess is by_signing_in else 404}


def waits(reply: TestResponse) -> int:
    """The seconds that a reply asks for."""
    assert reply.status_code == 429, reply.status_code
    assert reply.mimetype == "text/html"
    return int(reply.headers["Retry-After"])


# What is slowed


@pytest.mark.parametrize("guess", [by_opening, by_typing, by_sending])
def test_wrong_keys_are_looked_at_some_times_and_then_have_to_wait(app: Flask, clock: Clock, guess: Try) -> None:
    guesser = phone(app)
    use_up(guesser, guess)
    assert waits(guess(guesser)) == 1
    for other in (by_opening, by_typing, by_sending):
        assert waits(other(guesser)) == 1, "one way of guessing keys is as good as another"
    clock.now += 1 / LIMITS[Guess.KEY].rate + HAIR
    assert guess(guesser).status_code == 404, "one more is looked at"
    assert waits(guess(guesser)) == 1


def test_wrong_receipts_are_slowed(app: Flask, clock: Clock) -> None:
    guesser = phone(app)
    use_up(guesser, by_taking_back, RECEIPTS)
    reply = by_taking_back(guesser)
    assert waits(reply) == 1
    assert "Sekunder kvar: 1<" in reply.text
    clock.now += 3
    use_up(guesser, by_taking_back, 3)
    assert waits(by_taking_back(guesser)) == 1
    use_up(guesser, by_opening)


def test_wrong_passwords_are_slowed_and_those_of_others_behind_the_same_address_are_not(
    app: Flask, town: Town, clock: Clock
) -> None:
    town.add_staff(KARIN, town.north, StaffRole.COORDINATOR)
    guesser: InspectingClient = app.test_client()
    guesser.environ_base["REMOTE_ADDR"] = HERE
    for address in (KARIN, "nobody@mitthem.example", f" {KARIN.upper()} "):
        assert guesser.submit("/staff/sign-in", address=address, password="wrong").status_code == 401
    use_up(guesser, by_signing_in, PASSWORDS - 2)
    reply = by_signing_in(guesser)
    assert waits(reply) == 6
    assert "Vänta 6 sekunder" in reply.text
    assert 'value="karin@mitthem.example"' in reply.text, "the address need not be written again"
    right = {"address": KARIN, "password": town.passwords[KARIN]}
    assert waits(guesser.submit("/staff/sign-in", **right)) == 6, "nor is a right one looked at"
    assert guesser.submit("/staff/sign-in", address="nobody@mitthem.example", password="x").status_code == 401
    clock.now += 6
    assert guesser.submit("/staff/sign-in", **right).status_code == 303
    colleague = app.test_client()
    assert colleague.submit("/staff/sign-in", **right).status_code == 303


def test_the_wait_is_said_in_whole_seconds_that_are_long_enough(app: Flask, town: Town, clock: Clock) -> None:
    town.add_staff(KARIN, town.north, StaffRole.COORDINATOR)
    guesser: InspectingClient = app.test_client()
    use_up(guesser, by_signing_in, PASSWORDS)
    for passed, left in ((0.0, 6), (0.5, 6), (1.0, 5), (4.4, 1)):
        clock.now += passed
        assert waits(by_signing_in(guesser)) == left
    clock.now += 1
    assert by_signing_in(guesser).status_code == 401


def test_whoever_is_signed_in_does_not_notice_that_somebody_guesses(
    app: Flask, clock: Clock, coordinator: InspectingClient
) -> None:
    use_up(app.test_client(), by_signing_in, PASSWORDS)
    use_up(app.test_client(use_cookies=False))
    assert coordinator.get("/staff").status_code == 200
    assert coordinator.press("/staff/account", "/staff/account/sign-out-elsewhere").status_code == 303


# What is not


def test_a_right_key_from_another_address_opens_while_somebody_guesses(app: Flask, clock: Clock, family: str) -> None:
    use_up(phone(app))
    assert waits(by_opening(phone(app))) == 1
    assert phone(app, ELSEWHERE).get(f"/{family}").status_code == 200
    assert phone(app, ELSEWHERE).submit(f"/{family}", prep="4").status_code == 200


def test_a_right_key_from_the_guessers_address_opens_again_after_the_wait(
    app: Flask, clock: Clock, family: str
) -> None:
    use_up(phone(app))
    neighbour = phone(app)
    reply = neighbour.get(f"/{family}")
    clock.now += waits(reply)
    assert neighbour.get(f"/{family}").status_code == 200
    assert neighbour.post("/", data={"key": family}).status_code == 303


def test_a_whole_school_behind_one_address_is_never_slowed(app: Flask, clock: Clock, family: str) -> None:
    before = contents(app.extensions["enkat"].connect())
    for _person in range(100):
        assert phone(app).get(f"/{family}").status_code == 200
        assert phone(app).post("/", data={"key": family.lower()}).status_code == 303
    assert contents(app.extensions["enkat"].connect()) == before
    assert {phone(app).submit(f"/{family}", prep="4").status_code for _person in range(20)} == {200}
    use_up(phone(app))  # and not one of these successes has been counted


def test_right_keys_among_wrong_ones_make_the_wrong_ones_no_better(app: Flask, clock: Clock, family: str) -> None:
    guesser, wrong = phone(app), 0
    while by_opening(guesser).status_code == 404:
        wrong += 1
        assert guesser.get(f"/{family}").status_code == (200 if wrong < KEYS else 429)
    assert wrong == KEYS


@pytest.mark.parametrize(
    "path",
    ["/wp-login.php", "/favicon-32x32.png", "/apple-touch-icon.png", "/00000-0000", "/00000000000", "/UUUUUUUUUU"],
)
def test_an_address_that_is_no_key_at_all_is_not_counted(app: Flask, clock: Clock, family: str, path: str) -> None:
    client = phone(app)
    for _try in range(2 * KEYS):
        assert client.get(path).status_code == 404
    use_up(client)
    assert waits(client.get(f"/{family}")) == 1
    assert client.get(path).status_code == 404, "and has not to wait"


def test_what_is_typed_and_cannot_be_a_code_is_not_counted(app: Flask, clock: Clock) -> None:
    client = phone(app)
    for typed in ("", "x", "0000", "UUUUU UUUUU", "00000-000000", "\0", "å" * 10) * 12:
        assert client.post("/", data={"key": typed}).status_code == 400
        assert client.post("/withdraw", data={"receipt": typed}).status_code == 404
    use_up(client)
    use_up(client, by_taking_back, RECEIPTS)
    assert client.post("/", data={"key": "x"}).status_code == 400
    assert client.post("/withdraw", data={"receipt": "x"}).status_code == 404


def test_links_that_lead_nowhere_any_more_are_nobodys_guess(app: Flask, town: Town, clock: Clock) -> None:
    meeting, over = town.meeting(), town.meeting(assignment=town.assignment("M-2"))
    revoked = town.personal(meeting, Role.KIN)
    inviting.revoke_link(town.db, meeting.id, revoked.id)
    used = town.personal(meeting, Role.FAMILY)
    client = phone(app)
    assert client.submit(f"/{used.key}", prep="4").status_code == 200
    closed = town.rooms(over)[Role.KIN].key
    town.db.execute("update meeting set held = '2026-11-01', closes = '2026-11-15' where id = ?", [over.id])
    for _try in range(KEYS // 2 + 1):
        assert client.get(f"/{revoked.key}").status_code == 410
        assert client.post(f"/{revoked.key}", data={"prep": "4"}).status_code in (400, 410)
        assert client.get(f"/{closed}").status_code == 410
        assert client.post(f"/{used.key}", data={"submission": tokens.new_submission(), "prep": "4"}).status_code == 409
    use_up(client)


def test_the_link_of_a_counted_meeting_may_be_opened_as_often_as_a_wrong_key(
    app: Flask, town: Town, clock: Clock
) -> None:
    """Nothing is left by which it could be told from one."""
    meeting = town.meeting()
    key = town.rooms(meeting)[Role.KIN].key
    counting.close_and_count(town.db, town.house.keys, meeting.id, TODAY)
    client = phone(app)
    assert [client.get(f"/{key}").status_code for _try in range(KEYS + 1)] == [404] * KEYS + [429]


# What is said to whoever waits


def filled(reply: TestResponse) -> dict[str, str]:
    """What a form comes back filled in with."""
    radios = {a["name"]: a["value"] for a in Page(reply.text).all("input") if "checked" in a}
    (words,) = re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", reply.text, re.DOTALL)
    return radios | {"words": html.unescape(words)}


@pytest.mark.parametrize("address", ["?lang=sv&form=adult", ""])
def test_a_filled_form_that_is_slowed_comes_back_filled_in_and_can_be_sent_again(
    app: Flask, clock: Clock, family: str, db: Database, address: str
) -> None:
    client = phone(app)
    page = Page(client.get(f"/{family}").text)
    use_up(phone(app))
    sent = page.form_values() | {"prep": "4", "safe": "unknown", "words": "Rad ett.\n\n<b>Rad två</b> & slut"}
    before = contents(db)
    reply = client.post(f"/{family}{address}", data=sent)
    assert waits(reply) == 1
    assert filled(reply) == {name: value for name, value in sent.items() if name != "submission"}
    assert "inte sparat än" in reply.text
    assert contents(db) == before
    assert "Refresh" not in reply.headers, "a page that comes back by itself would lose what was filled in"
    assert Page(reply.text).form_values()["submission"] == sent["submission"]
    clock.now += 1
    for _sending in range(2):
        assert client.post(f"/{family}{address}", data=sent).status_code == 200
    assert db.execute("select count(*) from ballot").fetchone() == (1,)


def test_a_link_opened_too_soon_opens_by_itself_when_the_wait_is_over(app: Flask, clock: Clock, family: str) -> None:
    """Without a script: the header brings the browser back to the same address, where the form then is."""
    use_up(phone(app))
    reply = phone(app).get(f"/{family}?lang=en")
    assert reply.headers["Refresh"] == str(waits(reply))
    page = Page(reply.text)
    assert page.all("html")[0]["lang"] == "en"
    assert family not in reply.text
    clock.now += int(reply.headers["Refresh"])
    opened = phone(app).get(f"/{family}?lang=en")
    assert opened.status_code == 200
    assert "Refresh" not in opened.headers


def test_a_typed_code_and_a_typed_receipt_still_stand_in_their_fields(app: Flask, clock: Clock) -> None:
    client = phone(app)
    use_up(client)
    use_up(client, by_taking_back, RECEIPTS)
    for path, field, typed in (("/", "key", "abcde 12345"), ("/withdraw", "receipt", "abcd 1234 abcd 1234")):
        reply = client.post(path, data={field: typed})
        assert waits(reply) == 1
        assert "Refresh" not in reply.headers
        (control,) = [a for a in Page(reply.text).all("input") if a.get("name") == field]
        assert control["value"] == typed
        assert f'id="{field}-fault"' in reply.text


def test_a_slowed_try_tells_nothing_of_the_key(app: Flask, town: Town, clock: Clock, family: str) -> None:
    """A right, a wrong and a revoked key get the same page."""
    meeting = town.meeting(assignment=town.assignment("M-2"))
    revoked = town.personal(meeting, Role.KIN)
    inviting.revoke_link(town.db, meeting.id, revoked.id)
    use_up(phone(app))
    keys = (family, revoked.key, tokens.new_key())
    assert len({phone(app).get(f"/{key}").data for key in keys}) == 1
    assert len({phone(app).post("/", data={"key": key}).text.replace(key, "KEY") for key in keys}) == 1
    sent = {"submission": tokens.new_submission(), "prep": "4"}
    assert len({phone(app).post(f"/{key}", data=sent).data for key in keys}) == 1


# Where it comes from


def behind(town: Town, *proxies: str) -> Flask:
    """The application of a house that has proxies in front."""
    house = replace(
        town.house, settings=replace(town.house.settings, proxy=tuple(ip_network(proxy) for proxy in proxies))
    )
    app = create_app(house.settings, house)
    app.test_client_class = InspectingClient
    app.extensions["enkat.brake"] = a_brake(Clock())
    return app


CADDY, NGINX = "10.0.0.1", "192.168.7.7"


@pytest.mark.parametrize(
    ("asks", "forwarded", "counts"),
    [
        (CADDY, HERE, HERE),
        (CADDY, f" {HERE} ", HERE),
        (CADDY, f"{ELSEWHERE}, {HERE}", HERE),
        (CADDY, f"{ELSEWHERE},1.2.3.4,{HERE}", HERE),
        (CADDY, f"{ELSEWHERE}, {HERE}, {NGINX}", HERE),
        (CADDY, f"{ELSEWHERE}, {HERE}, {NGINX}, 10.0.0.2", HERE),
        (CADDY, f"{NGINX}, {HERE}", HERE),
        (CADDY, f"10.9.9.9, {HERE}, {ELSEWHERE}", ELSEWHERE),
        (CADDY, "2001:db8::7", "2001:db8::7"),
        (CADDY, f"{HERE}, unknown", "unknown"),
        (CADDY, f"{HERE}, <script>", "<script>"),
        (CADDY, "10.0.0.3", "10.0.0.3"),
        (CADDY, "", CADDY),
        (CADDY, None, CADDY),
        (CADDY, f"{HERE}, ,", CADDY),
        (NGINX, HERE, HERE),
        ("2001:db8:ffff::1", HERE, HERE),
        (ELSEWHERE, HERE, ELSEWHERE),
        (ELSEWHERE, CADDY, ELSEWHERE),
        (ELSEWHERE, f"{HERE}, {CADDY}", ELSEWHERE),
        ("11.0.0.1", HERE, "11.0.0.1"),
        ("192.168.7.8", HERE, "192.168.7.8"),
        ("2001:db8:fffe::1", HERE, "2001:db8:fffe::1"),
        ("", HERE, ""),
    ],
)
def test_only_the_word_of_a_named_proxy_is_taken_and_of_its_words_the_last_that_is_no_proxys(
    town: Town, asks: str, forwarded: str | None, counts: str
) -> None:
    app = behind(town, "10.0.0.0/8", NGINX, "2001:db8:ffff::/48")
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    with app.test_request_context("/", environ_base={"REMOTE_ADDR": asks}, headers=headers):
        assert guesses.client() == counts


def test_where_no_proxy_is_named_nobodys_word_is_taken(app: Flask) -> None:
    for asks in (HERE, "127.0.0.1", "::1", CADDY):
        headers = {"X-Forwarded-For": ELSEWHERE, "X-Real-IP": ELSEWHERE, "Forwarded": f"for={ELSEWHERE}"}
        with app.test_request_context("/", environ_base={"REMOTE_ADDR": asks}, headers=headers):
            assert guesses.client() == asks


def test_a_header_that_comes_twice_is_read_to_its_end(town: Town) -> None:
    app = behind(town, CADDY)
    headers = [("X-Forwarded-For", ELSEWHERE), ("X-Forwarded-For", HERE)]
    with app.test_request_context("/", environ_base={"REMOTE_ADDR": CADDY}, headers=headers):
        assert guesses.client() == HERE


def test_a_guesser_who_claims_to_be_somebody_else_each_time_is_slowed_all_the_same(town: Town, family: str) -> None:
    app = behind(town, CADDY)
    guesser = phone(app, CADDY)
    replies = [
        guesser.get(f"/{tokens.new_key()}", headers={"X-Forwarded-For": f"192.0.2.{claim}, {HERE}"}).status_code
        for claim in range(KEYS + 1)
    ]
    assert replies == [404] * KEYS + [429]
    others = phone(app, CADDY)
    assert others.get(f"/{family}", headers={"X-Forwarded-For": ELSEWHERE}).status_code == 200
    assert others.get(f"/{family}", headers={"X-Forwarded-For": "192.0.2.3"}).status_code == 200


def test_without_a_proxy_a_guessers_claims_change_nothing(app: Flask, clock: Clock, family: str) -> None:
    guesser = phone(app)
    replies = [
        guesser.get(f"/{tokens.new_key()}", headers={"X-Forwarded-For": f"192.0.2.{claim}"}).status_code
        for claim in range(KEYS + 1)
    ]
    assert replies == [404] * KEYS + [429]
    assert phone(app, "192.0.2.3").get(f"/{family}").status_code == 200, "nor do they fall on somebody else"


# The setting


@pytest.mark.parametrize(
    ("written", "proxies"),
    [
        ("127.0.0.1", {"127.0.0.1/32"}),
        (" 127.0.0.1 , ::1 ", {"127.0.0.1/32", "::1/128"}),
        ("10.0.0.0/8,10.0.0.0/8", {"10.0.0.0/8"}),
        ("10.1.2.3/8", {"10.0.0.0/8"}),
        ("2001:db8::/32", {"2001:db8::/32"}),
        (",", set()),
        ("", set()),
    ],
)
def test_proxies_are_named_by_address_or_network(tmp_path: Path, written: str, proxies: set[str]) -> None:
    assert {str(proxy) for proxy in chosen(tmp_path, proxy=written).proxy} == proxies


def test_proxies_stand_in_the_file_as_a_list_and_the_environment_speaks_over_it(tmp_path: Path) -> None:
    toml = 'proxy = ["127.0.0.1", "10.0.0.0/8"]'
    assert set(chosen(tmp_path, toml).proxy) == {ip_network("127.0.0.1"), ip_network("10.0.0.0/8")}
    assert chosen(tmp_path, toml, proxy="::1").proxy == (ip_network("::1"),)
    assert chosen(tmp_path, "proxy = []").proxy == ()


def test_nobody_is_a_proxy_unless_said(tmp_path: Path) -> None:
    assert chosen(tmp_path).proxy == ()


@pytest.mark.parametrize(
    "written",
    ["localhost", "caddy", "127.0.0.1:8000", "10.0.0.0/33", "300.0.0.1", "127.0.0.1 ::1", "::1/129", "10/8", "*", "å"],
)
@pytest.mark.parametrize("way", ["environment", "file"])
def test_what_is_no_address_is_refused_with_its_mend(tmp_path: Path, written: str, way: str) -> None:
    if way == "file":
        sentence = refused(tmp_path, f'proxy = ["{written}"]')
        assert f"proxy in {tmp_path / 'enkat.toml'}" in sentence
    else:
        sentence = refused(tmp_path, proxy=written)
        assert sentence.startswith("ENKAT_PROXY: ")
    assert "127.0.0.1 or 10.0.0.0/8" in sentence
    assert written in sentence


@pytest.mark.parametrize("toml", ["proxy = 5", "proxy = [5]", "proxy = {a = 1}", "proxy = true"])
def test_what_is_no_list_of_texts_is_refused(tmp_path: Path, toml: str) -> None:
    assert "a list of texts" in refused(tmp_path, toml)


@pytest.mark.parametrize(
    ("asks", "named", "found"),
    [
        ("127.0.0.1", "192.0.2.1:4711", "192.0.2.1"),
        ("127.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("127.0.0.1", "[2001:db8::1]", "2001:db8::1"),
        ("127.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("::ffff:127.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("192.0.2.9", "192.0.2.1:4711", "192.0.2.9"),
    ],
)
def test_a_proxy_is_known_however_it_is_seen_and_a_port_it_names_is_no_part_of_the_address(
    house: House, asks: str, named: str, found: str
) -> None:
    settings = replace(house.settings, proxy=(ip_network("127.0.0.1"),))
    app = create_app(settings, replace(house, settings=settings))
    with app.test_request_context(environ_base={"REMOTE_ADDR": asks}, headers={"X-Forwarded-For": named}):
        assert guesses.client() == found
