"""What enkat is held against: the same two requests in plain Flask and sqlite3, without crypto, languages or checks.

It is fair where it counts: the same server with two workers of one thread, the same durability, a page as large as
enkat's, one connection a request. A form is shown where its key is known; sending it takes a place and keeps the
answers, one row updated and one inserted.
"""

import argparse
import json
import secrets
import sqlite3
from functools import partial
from importlib.resources import files
from pathlib import Path

from flask import Flask, g, render_template, request
from granian import Granian
from granian.constants import Interfaces
from jinja2 import DictLoader

from bench import HOST, WORKERS

_SCHEMA = """
create table place (id text primary key, room text not null, submission text unique);
create table answer (id text primary key, room text not null, answers text not null);
create index place_room on place (room, submission);
"""

_POINTS = ["Stämmer inte alls", "Stämmer lite", "Stämmer delvis", "Stämmer ganska bra", "Stämmer helt"]
_ITEMS = {
    "prep": "Jag fick vara med och förbereda mötet.",
    "safe": "Det kändes tryggt att prata öppet.",
    "say": "Jag fick sagt det jag ville säga.",
    "influence": "Det jag sa påverkade vad vi kom fram till.",
    "leader": "Nätverksledaren gav plats åt alla.",
    "shared": "Vi fick en mer gemensam bild av läget.",
    "useful": "Mötet var till nytta.",
    "follow": "Jag tror att det vi kom överens om blir gjort.",
    "trust": "Jag litar mer på socialtjänsten nu.",
}

_PAGE = """<!doctype html>
<html lang="sv">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Några frågor</title>
<style>{{ style | safe }}</style>
</head>
<body>
<main>{% block main %}{% endblock %}</main>
<script>{{ script | safe }}</script>
</body>
</html>
"""

_FORM = """{% extends "page.html" %}
{% block main %}
<h1>Hur var mötet?</h1>
<p>Det är frivilligt att svara. Ingen från mötet får se vad just du har svarat.</p>
<form method="post" action="/{{ key }}" autocomplete="off">
<input type="hidden" name="submission" value="{{ submission }}">
{% for name, text in items.items() %}
<fieldset class="item" id="{{ name }}">
<legend><span class="count">{{ loop.index }} av {{ loop.length }}</span>{{ text }}</legend>
<div class="options">
{% for point in points %}
<label class="option"><input type="radio" name="{{ name }}" value="{{ loop.index }}"><span>{{ point }}</span></label>
{% endfor %}
</div>
<div class="asides">
<label class="aside"><input type="radio" name="{{ name }}" value="unknown"><span>Vet inte</span></label>
<label class="aside"><input type="radio" name="{{ name }}" value="declined"><span>Vill inte svara</span></label>
</div>
</fieldset>
{% endfor %}
<div class="item">
<label for="words">Vad borde vi göra annorlunda? Skriv inga namn.</label>
<textarea id="words" name="words" rows="4" maxlength="2000"></textarea>
</div>
<button class="button" type="submit">Skicka</button>
</form>
{% endblock %}
"""

_THANKS = """{% extends "page.html" %}
{% block main %}
<h1>Tack.</h1>
<p>Nu är ditt svar inlåst. Du kan stänga sidan.</p>
<p class="code receipt">{{ receipt }}</p>
{% endblock %}
"""


def create_bare(database: Path) -> Flask:
    """The application, over a database that `prepare` has made."""
    app = Flask("bare", static_folder=None)
    app.jinja_loader = DictLoader({"page.html": _PAGE, "form.html": _FORM, "thanks.html": _THANKS})
    app.jinja_env.trim_blocks = True
    static = files("enkat") / "static"
    style = "".join((static / name).read_text("utf-8") for name in ("base.css", "participant.css"))
    look = {"style": style, "script": (static / "participant.js").read_text("utf-8")}

    def db() -> sqlite3.Connection:
        if "db" not in g:
            g.db = connect(database)
        return g.db

    @app.teardown_appcontext
    def close(_error: BaseException | None) -> None:
        if "db" in g:
            g.db.close()

    @app.get("/<key>")
    def form(key: str) -> str | tuple[str, int]:
        if db().execute("select 1 from place where room = ? limit 1", (key,)).fetchone() is None:
            return "unknown", 404
        submission = secrets.token_hex(16)
        return render_template("form.html", key=key, submission=submission, items=_ITEMS, points=_POINTS, **look)

    @app.post("/<key>")
    def send(key: str) -> str | tuple[str, int]:
        submission = request.form["submission"]
        answers = json.dumps({name: value for name, value in request.form.items() if name != "submission"})
        db().execute("begin immediate")
        taken = db().execute(
            "update place set submission = ?"
            " where id = (select id from place where room = ? and submission is null limit 1)",
            (submission, key),
        )
        if not taken.rowcount:
            db().execute("rollback")
            return "taken", 409
        db().execute("insert into answer (id, room, answers) values (?, ?, ?)", (secrets.token_hex(16), key, answers))
        db().execute("commit")
        return render_template("thanks.html", receipt=submission, **look)

    return app


def connect(database: Path) -> sqlite3.Connection:
    """A connection as durable as enkat's."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("pragma busy_timeout = 5000")
    connection.execute("pragma journal_mode = truncate")
    connection.execute("pragma synchronous = extra")
    return connection


def prepare(database: Path, rooms: int, places: int) -> list[str]:
    """Add rooms with free places; their keys."""
    connection = connect(database)
    if not connection.execute("select 1 from sqlite_master").fetchone():
        connection.executescript(_SCHEMA)
    keys = [secrets.token_hex(5) for _ in range(rooms)]
    connection.execute("begin immediate")
    connection.executemany(
        "insert into place (id, room) values (?, ?)",
        [(secrets.token_hex(8), key) for key in keys for _ in range(places)],
    )
    connection.execute("commit")
    connection.close()
    return keys


def answers(database: Path) -> int:
    """How many answers are kept."""
    connection = connect(database)
    try:
        return connection.execute("select count(*) from answer").fetchone()[0]
    finally:
        connection.close()


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m bench.bare")
    parser.add_argument("database", type=Path)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    server = Granian(
        "bare",
        address=HOST,
        port=arguments.port,
        interface=Interfaces.WSGI,
        workers=WORKERS,
        blocking_threads=1,
        websockets=False,
        log_enabled=False,
    )
    app = create_bare(arguments.database)
    server.serve(target_loader=partial(_loaded, app), wrap_loader=False)


def _loaded(app: Flask) -> Flask:
    return app


if __name__ == "__main__":
    main()
