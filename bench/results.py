"""What results cost: publishing a quarter, reading its page, and what the page weighs.

Each size has a database of its own, filled by `enkat demo` up to the day before a quarter ends. Another process then
publishes the quarter and reads the page, so that the memory it takes is that of publishing alone.
"""

import gzip
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bench.weight import References
from enkat import publishing, settings, staffing
from enkat.app import create_app
from enkat.house import open_house
from enkat.web import context

#: The last day of the quarter that is published; a day that stands still makes figures comparable.
_DAY = date(2026, 6, 30)

_CHARTS = "plotly.js"


@dataclass
class Work:
    """What SQLite did: rows that statements gave, and steps of its virtual machine, in which every row that is only
    passed over counts too."""

    rows: int = 0
    steps: int = 0


@dataclass(frozen=True)
class Results:
    """What was measured of a database with so many responses. `filling` and `publishing` are seconds, and `processor`
    is how many of the latter the processor was at it. `page` and `page_sent` are the bytes of /results before and
    after compression; `needed` and `needed_sent` those of it and all that it fetches, plotly.js left out."""

    responses: int
    filling: float
    published: int
    publishing: float
    processor: float
    peak: float
    work: Work
    page: int
    page_sent: int
    needed: int
    needed_sent: int


def measure(folder: Path, responses: int) -> Results:
    """Fill a database of its own, and publish and read in a process of its own."""
    environment = os.environ | {"ENKAT_INSTANCE": str(folder / str(responses)), "ENKAT_TODAY": _DAY.isoformat()}
    begun = time.perf_counter()
    shown = _run(environment, "enkat", "demo", "--seed", "1", "--responses", str(responses), "--json")
    filling = time.perf_counter() - begun
    (evaluator,) = (one for one in shown["staff"] if one["role"] == "evaluator")
    later = environment | {"ENKAT_TODAY": (_DAY + timedelta(days=1)).isoformat()}
    measured = _run(later, "bench.results", evaluator["address"], evaluator["password"])
    work = Work(**measured.pop("work"))
    return Results(responses, filling, work=work, **measured)


def judge(found: list[Results]) -> None:
    """RuntimeError where the page's work depends on the number of responses."""
    if any(one.work != found[0].work for one in found):
        told = ", ".join(f"{one.work.rows} rows and {one.work.steps} steps at {one.responses}" for one in found)
        raise RuntimeError(f"the work that /results takes depends on the number of responses: {told}")


def work_of(client: FlaskClient, path: str, secret: str) -> tuple[Work, TestResponse]:
    """What a page of somebody who is signed in takes, without knowing who it is: that takes one step more or less, as
    the random ids happen to lie."""
    with client.session_transaction() as session:
        session["sid"] = secret
    client.get(path)  # opens the thread's connection
    with client.application.app_context():
        db = context.db()
        with counted(db.conn) as known:
            staffing.signed_in(db, secret, datetime.now(UTC))
    with counted(db.conn) as whole:
        reply = client.get(path)
    if reply.status_code != 200:
        raise RuntimeError(f"{path} was answered with {reply.status}")
    return Work(whole.rows - known.rows, whole.steps - known.steps), reply


@contextmanager
def counted(connection: Connection) -> Iterator[Work]:
    """Count exactly what a connection does in the block."""
    work = Work()

    def step() -> int:
        work.steps += 1
        return 0

    def row(_cursor: object, values: tuple[Any, ...]) -> tuple[Any, ...]:
        work.rows += 1
        return values

    connection.row_factory = row
    connection.set_progress_handler(step, 1)
    try:
        yield work
    finally:
        connection.set_progress_handler(None, 1)
        connection.row_factory = None


def _run(environment: dict[str, str], *command: str) -> dict[str, Any]:
    """What a module says as JSON; its progress is for whoever watches."""
    done = subprocess.run([sys.executable, "-m", *command], env=environment, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _publish_and_read(address: str, password: str) -> dict[str, Any]:
    """What the process of its own does: publish first, for its peak of memory is to be that of publishing."""
    house = open_house(settings.load())
    db = house.connect()
    begun, used = time.perf_counter(), time.process_time()
    done = publishing.publish_due(db, house.settings.smallest_group, house.settings.today())
    found = {"publishing": time.perf_counter() - begun, "processor": time.process_time() - used}
    # In kilobytes on Linux; it is never less than that of the process that started this one, which is small.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000 * 1.024
    (quarter,) = done.decisions
    secret = staffing.sign_in(db, address, password, datetime.now(UTC))
    db.close()
    return found | {"published": quarter.snapshot.n, "peak": peak} | _read(create_app(house.settings, house), secret)


def _read(app: Flask, secret: str) -> dict[str, Any]:
    """The page with its work and its bytes."""
    client, gzipped = app.test_client(), {"Accept-Encoding": "gzip"}
    work, page = work_of(client, "/results", secret)
    fetched = [path for path in References(page.data).found if not path.endswith(_CHARTS)]
    files = [client.get(path, headers=gzipped) for path in sorted(fetched)]
    sent = client.get("/results", headers=gzipped).data
    return {
        "work": vars(work),
        "page": len(page.data),
        "page_sent": len(sent),
        "needed": len(page.data) + sum(len(_plain(one)) for one in files),
        "needed_sent": len(sent) + sum(len(one.data) for one in files),
    }


def _plain(reply: TestResponse) -> bytes:
    return gzip.decompress(reply.data) if reply.headers.get("Content-Encoding") == "gzip" else reply.data


if __name__ == "__main__":
    print(json.dumps(_publish_and_read(*sys.argv[1:])))
