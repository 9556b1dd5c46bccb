"""What every reply carries besides its page: the policy of what may run, cookies, caching, compression."""

import base64
import gzip
import hashlib
import re
from dataclasses import replace
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from enkat.app import create_app
from enkat.house import House, open_house
from enkat.model.staff import StaffRole
from enkat.model.survey import Role
from enkat.web import assets
from tests.conftest import Town
from tests.inspection import InspectingClient, Page
from tests.published import publish, quarter, year
from tests.web.hostile import case

POLICY = {
    "default-src": {"'none'"},
    "img-src": {"'self'", "data:"},
    "connect-src": {"'self'"},
    "form-action": {"'self'"},
    "base-uri": {"'none'"},
    "frame-ancestors": {"'none'"},
}


def policy(reply) -> dict[str, set[str]]:  # type: ignore[no-untyped-def]
    """The policy as directives with their sources."""
    parts = (part.split() for part in reply.headers["Content-Security-Policy"].split(";"))
    return {name: set(sources) for name, *sources in parts}


def fingerprint(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_style_and_script_that_are_sent_are_the_ones_allowed(participant: InspectingClient, town: Town) -> None:
    key = town.rooms(town.meeting())[Role.FAMILY].key
    for path in ("/", f"/{key}", f"/{key}?lang=en", "/privacy", "/withdraw", "/AAAAAAAAAA", "/no/such/page"):
        reply = participant.get(path)
        (style,) = re.findall(r"<style>(.*?)</style>", reply.text, re.DOTALL)
        (script,) = re.findall(r"<script>(.*?)</script>", reply.text, re.DOTALL)
        assert len(style) > 500
        assert len(script) > 500
        assert policy(reply) == POLICY | {
            "style-src": {"'self'", fingerprint(style)},
            "script-src": {"'self'", fingerprint(script)},
        }, path


def test_the_script_that_is_sent_has_lost_nothing_but_comments_and_spaces(participant: InspectingClient) -> None:
    (script,) = re.findall(r"<script>(.*?)</script>", participant.get("/").text, re.DOTALL)
    source = (Path(__file__).parents[2] / "enkat" / "static" / "participant.js").read_text("utf-8")
    code = "".join(line for line in source.splitlines() if not line.strip().startswith("//"))
    assert "".join(script.split()) == "".join(code.split())
    assert "//" not in script
    assert "&amp;" not in script
    assert "</" not in script


def test_staff_pages_have_no_style_or_script_of_their_own(coordinator: InspectingClient, town: Town) -> None:
    meeting = town.meeting()
    for path in ("/staff", "/staff/meetings/new", f"/staff/meetings/{meeting.id}", "/staff/account", "/staff/nothing"):
        reply = coordinator.get(path)
        page = Page(reply.text)
        assert page.all("style") == []
        assert all(attrs.get("src", "").startswith("/static/") for attrs in page.all("script"))
        assert "unsafe" not in reply.headers["Content-Security-Policy"]
        assert {name: policy(reply)[name] for name in POLICY} == POLICY


def test_a_page_with_a_chart_may_fill_an_empty_style_and_show_a_picture_of_its_own_and_no_more(
    evaluator: InspectingClient, town: Town
) -> None:
    """Plotly fills a style element that stands empty in the page, and makes the picture to keep from a blob."""
    results = ("/results", "/results/months", "/results/years")
    usual = policy(evaluator.get("/staff"))
    assert [policy(evaluator.get(path)) for path in results] == [usual] * 3, "nothing published, no chart"
    publish(town.db, quarter("2026-Q3"), year(2025, unit={"Norr": 70}))
    for path in results:
        reply = evaluator.get(path)
        assert policy(reply) == usual | {
            "img-src": {"'self'", "data:", "blob:"},
            "style-src": usual["style-src"] | {fingerprint("")},
        }, path
        assert "unsafe" not in reply.headers["Content-Security-Policy"]
        assert set(re.findall(r"<style[^>]*>(.*?)</style>", reply.text, re.DOTALL)) == {""}
        for attributes, text in re.findall(r"<script([^>]*)>(.*?)</script>", reply.text, re.DOTALL):
            assert 'type="application/json"' in attributes if text else 'src="/static/' in attributes
    assert policy(evaluator.get("/staff")) == policy(evaluator.get("/results/nonsense")) == usual
    assert policy(evaluator.get("/results.csv")) == usual


def test_every_reply_keeps_itself_to_itself(app: Flask) -> None:
    for path, method in [
        ("/", "GET"),
        ("/", "DELETE"),
        ("/no/such/page", "GET"),
        ("/leave", "GET"),
        ("/withdraw", "POST"),
        ("/staff", "GET"),
        ("/staff/sign-in", "GET"),
        ("/staff/sign-in", "POST"),
        ("/staff/nothing", "GET"),
        ("/static/0/staff.css", "GET"),
        ("/", "HEAD"),
        ("/", "OPTIONS"),
    ]:
        with case(path, method):
            headers = FlaskClient(app, app.response_class).open(path, method=method).headers
            assert headers["X-Frame-Options"] == "DENY"
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert headers["Cache-Control"] == "no-store"
            assert headers["X-Robots-Tag"] == "noindex, nofollow"
            assert "geolocation=()" in headers["Permissions-Policy"]
            assert "Strict-Transport-Security" not in headers
            assert "unsafe" not in headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
            assert "Server" not in headers


# TLS


@pytest.fixture
def tls_app(house: House) -> Flask:
    """The same installation at a public address."""
    settings = replace(house.settings, base_url="https://svar.mitthem.example")
    app = create_app(settings, replace(house, settings=settings))
    app.test_client_class = FlaskClient
    return app


def test_over_tls_a_cookie_belongs_to_the_host_alone_and_tls_is_asked_for(tls_app: Flask, town: Town) -> None:
    address = town.add_staff("karin@mitthem.example", town.north, StaffRole.COORDINATOR)
    client = tls_app.test_client()
    there = "https://svar.mitthem.example"
    asked = client.get("/staff/sign-in", base_url=there)
    fields = Page(asked.text).form_values() | {"address": address, "password": town.passwords[address]}
    signed_in = client.post("/staff/sign-in", data=fields, base_url=there)
    assert signed_in.status_code == 303
    for reply in (asked, signed_in):
        (cookie,) = SimpleCookie(reply.headers["Set-Cookie"]).values()
        assert cookie.key == "__Host-enkat"
        assert cookie["secure"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
        assert cookie["path"] == "/"
        assert not cookie["domain"]
        assert not cookie["expires"]
        assert not cookie["max-age"]
    assert client.get("/staff", base_url=there).status_code == 200
    for path in ("/", "/no/such/page", "/staff", "/leave"):
        hsts = client.get(path, base_url=there).headers["Strict-Transport-Security"]
        assert int(hsts.removeprefix("max-age=")) >= 365 * 24 * 60 * 60


def test_without_tls_a_cookie_is_still_out_of_reach_of_scripts(app: Flask, stranger: InspectingClient) -> None:
    reply = stranger.get("/staff/sign-in")
    (cookie,) = SimpleCookie(reply.headers["Set-Cookie"]).values()
    assert cookie.key == "enkat"
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert not cookie["secure"]
    assert "Strict-Transport-Security" not in reply.headers


def test_a_cookie_of_another_installation_is_worth_nothing(app: Flask, town: Town, tmp_path: Path) -> None:
    address = town.add_staff("karin@mitthem.example", town.north, StaffRole.COORDINATOR)
    client = app.test_client()
    client.submit("/staff/sign-in", address=address, password=town.passwords[address])
    assert client.get("/staff").status_code == 200
    cookie = client.get_cookie("enkat")
    assert cookie is not None
    other_settings = replace(town.house.settings, instance=tmp_path / "other")
    other = create_app(other_settings, open_house(other_settings)).test_client()
    other.set_cookie("enkat", cookie.value)
    assert other.get("/staff").status_code == 303
    with client.session_transaction() as session:
        assert set(session) <= {"sid", "csrf_token", "lang", "_flashes"}
        assert address not in str(dict(session))


# The staff pages' files


def test_files_are_kept_for_good_under_a_name_that_follows_their_content(
    app: Flask, stranger: InspectingClient
) -> None:
    page = Page(stranger.get("/staff/sign-in").text)
    named = [a["href"] for a in page.all("link")] + [a["src"] for a in page.all("script")]
    assert {path.rpartition("/")[2] for path in named} == {"staff.css", "staff.js", "ring.svg"}
    for path in named:
        reply = stranger.get(path)
        assert reply.status_code == 200
        assert path.split("/")[2] == hashlib.sha256(reply.data).hexdigest()[:16]
        assert reply.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Set-Cookie" not in reply.headers
        assert (
            reply.mimetype == {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}[path[-3:].strip(".")]
        )
        assert "http" not in re.sub(r"http://www\.w3\.org/\S+", "", reply.text)


def test_plotly_is_kept_for_good_and_sent_compressed_to_all_who_can_read_that(
    evaluator: InspectingClient, town: Town
) -> None:
    publish(town.db, quarter("2026-Q3"))
    [path] = [a["src"] for a in Page(evaluator.get("/results").text).all("script") if "plotly" in a.get("src", "")]
    packed = evaluator.get(path, headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip"
    whole = gzip.decompress(packed.data)
    assert path.split("/")[2] == hashlib.sha256(whole).hexdigest()[:16]
    assert len(packed.data) < len(whole) / 2
    for wish in ("", "identity", "br", "gzip;q=0"):
        reply = evaluator.get(path, headers={"Accept-Encoding": wish})
        assert "Content-Encoding" not in reply.headers, wish
        assert reply.data == whole
        assert reply.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
        assert reply.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert packed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert packed.mimetype == "text/javascript"


def test_the_ids_of_the_styles_that_stand_ready_are_those_that_plotly_asks_for() -> None:
    """A newer Plotly that makes its style elements otherwise would be silent here and broken in the browser."""
    ids = assets.chart_styles()
    assert ids[0] == "plotly.js-style-global"
    assert len(ids) == len(set(ids)) == 2


def test_an_outdated_or_made_up_file_is_not_found(stranger: InspectingClient) -> None:
    page = Page(stranger.get("/staff/sign-in").text)
    css = next(a["href"] for a in page.all("link") if a["href"].endswith(".css"))
    version = css.split("/")[2]
    for path in (
        "/static/0000000000000000/staff.css",
        f"/static/{version}/staff.js",
        f"/static/{version.upper()}x/staff.css",
        f"/static/{version}/base.css",
        f"/static/{version}/..%2f..%2fapp.py",
        f"/static/{version}/",
        "/static/staff.css",
        f"/static/{version}/staff.css%00",
    ):
        reply = stranger.get(path)
        assert reply.status_code == 404, path
        assert reply.headers["Cache-Control"] == "no-store"


# Compression


def test_participants_get_their_pages_compressed(participant: InspectingClient) -> None:
    plain = participant.get("/privacy")
    packed = FlaskClient.open(participant, "/privacy", headers={"Accept-Encoding": "br, gzip;q=0.5"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 2
    assert gzip.decompress(packed.data) == plain.data
    # Not a word of when: the time of a packed file's making is left out.
    assert packed.data[4:8] == b"\0\0\0\0"


def test_who_does_not_ask_for_it_gets_pages_as_they_are(participant: InspectingClient) -> None:
    for wish in ["", "identity", "br", "gzip;q=0", "deflate"]:
        with case(wish):
            reply = participant.get("/privacy", headers={"Accept-Encoding": wish})
            assert "Content-Encoding" not in reply.headers
            assert reply.text.startswith("<!doctype html>")


def test_staff_pages_are_never_compressed(coordinator: InspectingClient, town: Town) -> None:
    """They mix a secret, the token, with what somebody typed: the length would give the secret away."""
    meeting = town.meeting()
    for path in ("/staff", f"/staff/meetings/{meeting.id}", "/staff/account", "/staff/sign-in", "/staff/nothing"):
        reply = coordinator.get(path, headers={"Accept-Encoding": "gzip"})
        assert "Content-Encoding" not in reply.headers, path
