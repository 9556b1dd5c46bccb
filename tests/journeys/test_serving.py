"""`enkat serve` as a machine sees it: how it stops, what it does by itself, what it leaves, and what it says."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from enkat import inviting
from enkat.house import House
from enkat.model.meeting import Kind, Meeting
from enkat.model.staff import StaffRole
from enkat.model.survey import Role
from enkat.secrecy import tokens
from enkat.serving import _Background
from tests.conftest import TODAY, Town
from tests.journeys.conftest import Phones
from tests.journeys.people import Place
from tests.journeys.server import (
    HOST,
    PATIENCE,
    SOURCE,
    Server,
    ask,
    new_submission,
    receipt_hash,
    running,
    send,
    serving,
    wait_for,
)

#: All that a server has to say on a quiet day.
_SAYS = re.compile(
    r"enkat [\d.]+ serves http://127\.0\.0\.1:\d+ from \S+ \(Ctrl-C stops it\)"
    r"|INFO (?:Starting granian \(main PID: \d+\)|Listening at: http://127\.0\.0\.1:\d+|Shutting down granian"
    r"|Spawning worker-\d with PID: \d+|(?:Started|Stopping|Stopped) worker-\d|Granian shutdown completed, see ya!)"
    r"|WARNING Killing worker-\d after it refused to gracefully stop"  # a browser held its connection open
    r"|enkat: counted \d+ answers of \d+ meetings"
)


def test_a_request_in_flight_is_finished_when_the_server_is_told_to_stop(server: Server, town: Town) -> None:
    room = town.rooms(town.meeting())[Role.FAMILY]
    submission = new_submission()
    with ThreadPoolExecutor(1) as sender:
        with the_database_held(town):
            reply = sender.submit(send, server.port, room.key, submission)
            wait_for(lambda: has_taken_a_request(server), "a worker has it")
            time.sleep(0.3)  # and waits for the database
            assert not reply.done()
            server.signal(signal.SIGTERM)
            wait_for(lambda: not listens(server) or "Shutting down" in server.output, "it is stopping")
            time.sleep(0.3)
            assert not reply.done(), "it is not cut off"
        thanks = reply.result()
    assert thanks.status == 200
    assert server.wait() == 0
    assert not server.processes(), "nobody is left behind"
    assert not listens(server)
    [ballot] = town.db.query("select receipt_hash from ballot")
    assert ballot["receipt_hash"] == receipt_hash(thanks.receipt)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_server_told_to_stop_goes_at_once_and_takes_all_its_processes_along(
    server: Server, how: signal.Signals
) -> None:
    wait_for(server.child, "the background child is there")
    assert len(server.processes()) >= 4, "the main process, two workers and the child"
    server.signal(how)
    assert server.wait() in (0, 130)
    assert not server.processes()
    server.start()
    assert ask(server.port, "GET", "/").status == 200, "the same port serves again"


def test_a_meeting_is_counted_by_itself_when_its_closing_date_has_passed(server: Server, town: Town) -> None:
    closing, staying = town.meeting(closes=TODAY), town.meeting(closes=TODAY + timedelta(days=2))
    receipts = [send(server.port, town.rooms(closing)[Role.KIN].key, new_submission()).receipt for _person in range(2)]
    assert send(server.port, town.rooms(staying)[Role.KIN].key, new_submission()).status == 200
    server.stop()
    assert state(town, closing) == "open", "on its last day it is still open"

    server.start(today=TODAY + timedelta(days=1))
    wait_for(lambda: state(town, closing) == "counted", "it is counted")
    assert town.db["response"].count_where("meeting = ?", [closing.id]) == 2
    wait_for(lambda: town.house.keys.meetings_with_key() == {staying.id}, "its key is destroyed")
    assert state(town, staying) == "open"
    assert town.db["ballot"].count_where("meeting = ?", [staying.id]) == town.db["ballot"].count == 1
    for receipt in receipts:
        assert ask(server.port, "POST", "/withdraw", {"receipt": receipt}).status == 404
    wait_for(lambda: "counted 2 answers of 1 meetings" in server.output, "it says so")


def test_a_background_child_that_is_killed_comes_back_and_works(server: Server, town: Town) -> None:
    first = wait_for(server.child, "the background child is there")
    ends(first)
    due = a_meeting_that_has_closed(town)
    wait_for(lambda: server.child() not in (None, first), "another child is there")
    wait_for(lambda: state(town, due) == "counted", "the second child works")
    assert ask(server.port, "GET", "/").status == 200


def test_a_worker_that_is_killed_comes_back(server: Server, town: Town) -> None:
    room = town.rooms(town.meeting())[Role.PROFESSIONAL]
    before = workers(server)
    assert len(before) == 2
    ends(before[0])
    wait_for(lambda: len(workers(server)) == 2 and before[0] not in workers(server), "two workers again")
    assert before[1] in workers(server)
    assert [send(server.port, room.key, new_submission()).status for _person in range(3)] == [200] * 3
    assert town.db["ballot"].count == 3


def test_the_background_child_ends_when_the_server_is_killed(server: Server) -> None:
    child = wait_for(server.child, "the background child is there")
    ends(server.pid)
    server.wait()
    wait_for(lambda: child not in server.processes(), "the child has seen that its server is gone")


def test_a_background_child_that_was_just_being_started_is_stopped_too(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is told to stop in the moment it starts must not leave the child that it was about to have."""
    monkeypatch.setenv("ENKAT_INSTANCE", str(house.settings.instance))
    background = _Background(house.settings.base_url)
    background.start()
    background.stop()
    left = [pid for pid, command in running().items() if f"--with-parent {os.getpid()} " in command]
    for child in left:
        ends(child)
    assert not left, "the child is left behind"


def test_nobody_serves_on_when_the_server_is_killed(server: Server) -> None:
    """Workers left alone would hold the port and answer without a background child: nothing would be counted."""
    wait_for(server.child, "the background child is there")
    ends(server.pid)
    server.wait()
    wait_for(lambda: not server.processes(), "all of its processes have gone", patience=15)
    server.start()
    assert ask(server.port, "GET", "/").status == 200


def test_a_port_that_somebody_has_is_refused_in_one_sentence(place: Place) -> None:
    server = place.server
    second = subprocess.run(
        [sys.executable, "-m", "enkat", "serve", "--port", str(server.port)],
        cwd=SOURCE,
        env=os.environ | {"ENKAT_INSTANCE": str(server.settings.instance)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert second.returncode == 1
    assert not second.stdout
    assert re.fullmatch(rf"enkat: {HOST}:{server.port} cannot be served \(.*--port\n", second.stderr)
    assert ask(server.port, "GET", "/").status == 200, "the first one serves on"


def test_a_catalogue_that_cannot_be_read_is_named_at_the_start_and_the_other_languages_work(
    house: House, town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    translations = shutil.copytree(SOURCE / "translations", tmp_path / "path" / "enkat_translations")
    (translations / "uk" / "LC_MESSAGES" / "participant.po").write_text("<<<<<<< half merged")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(translations.parent), os.environ.get("PYTHONPATH", "")]))
    key = town.rooms(town.meeting())[Role.CHILD].key
    with serving(house.settings) as server:
        assert "enkat: translations/uk: participant.po cannot be read: " in server.output
        for wish, given in (("uk", "sv"), ("ar", "ar")):
            assert f'<html lang="{given}"' in ask(server.port, "GET", f"/{key}?lang={wish}").body, wish


def test_the_server_says_nothing_of_who_came_and_what_they_brought(server: Server, town: Town, phones: Phones) -> None:
    meeting = town.meeting()
    room, personal = town.rooms(meeting)[Role.FAMILY], town.personal(meeting, Role.KIN)
    karin = town.add_staff("karin@mitthem.example", town.north, StaffRole.COORDINATOR)
    submission = new_submission()
    thanks = send(server.port, room.key, submission, words="hemligt")
    statuses = [
        thanks.status,
        send(server.port, personal.key, new_submission()).status,
        send(server.port, personal.key, new_submission()).status,
        send(server.port, room.key, "short").status,
        ask(server.port, "POST", f"/{room.key}", {"submission": submission, "say": "99", "foreign": "x"}).status,
        ask(server.port, "POST", f"/{room.key}", {"words": "x" * 70_000}).status,
        ask(server.port, "PUT", f"/{room.key}").status,
        ask(server.port, "GET", "/0000000000").status,
        ask(server.port, "POST", "/", {"key": tokens.spoken(room.key)}).status,
        ask(server.port, "POST", "/withdraw", {"receipt": thanks.receipt}).status,
        ask(server.port, "POST", "/withdraw", {"receipt": thanks.receipt}).status,
    ]
    assert statuses == [200, 200, 409, 400, 400, 413, 405, 404, 303, 200, 404]
    desk = phones.open()
    desk.goto("/staff/sign-in")
    desk.get_by_label("E-postadress").fill(karin)
    desk.locator("[name=password]").fill(town.passwords[karin])
    desk.get_by_role("button", name="Logga in").tap()
    desk.wait_for_url("**/staff")
    desk.goto(f"/staff/meetings/{meeting.id}")
    server.stop()
    secrets = [room.key, personal.key, thanks.receipt, submission, meeting.id, karin, "hemligt", "/staff", "/withdraw"]
    secrets += [tokens.spoken(room.key), tokens.spoken(thanks.receipt)]
    assert not [secret for secret in secrets if secret.lower() in server.output.lower()]
    strange = [line for line in server.output.splitlines() if not _SAYS.fullmatch(line)]
    assert not strange, strange


def test_a_fault_inside_is_told_without_a_key(server: Server, town: Town) -> None:
    """The database is taken away while it serves: a plain page, and in the log no path, for a path is a key."""
    room = town.rooms(town.meeting())[Role.FAMILY]
    submission = new_submission()
    file = server.settings.database
    file.rename(away := file.with_name("away"))
    replies = [send(server.port, room.key, submission, words="hemligt"), ask(server.port, "GET", f"/{room.key}")]
    away.rename(file)
    assert all(500 <= reply.status <= 503 for reply in replies)
    assert all("<h1>" in reply.body and "Traceback" not in reply.body for reply in replies)
    assert not [word for word in (room.key, submission, "hemligt") if word in server.output]
    assert "Traceback" not in server.output, "one sentence that names the file, not the inside"
    assert send(server.port, room.key, submission).status == 200
    assert town.db["ballot"].count == 1


@contextmanager
def the_database_held(town: Town) -> Iterator[None]:
    """Nobody else can write meanwhile."""
    town.db.conn.execute("begin immediate")
    yield
    town.db.conn.execute("rollback")


def listens(server: Server) -> bool:
    """True where a connection is taken."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, server.port)) == 0


def has_taken_a_request(server: Server) -> bool:
    """True where somebody's connection was taken and all that came through it has been read (proc_pid_net(5))."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    mine = f"0100007F:{server.port:04X}"
    return any(
        (local, state) == (mine, "01") and queues.endswith(":00000000") and inode != "0"
        for _number, local, _other, state, queues, _timer, _again, _user, _waited, inode, *_more in lines
    )


def ends(process: int) -> None:
    """Kill one process of the server's, by its number."""
    os.kill(process, signal.SIGKILL)


def workers(server: Server) -> list[int]:
    """The processes that answer: neither the main one nor the background child."""
    return sorted(pid for pid, command in server.processes().items() if pid != server.pid and " serve " in command)


def state(town: Town, meeting: Meeting) -> str:
    """A meeting's state as the database has it."""
    return town.db["meeting"].get(meeting.id)["state"]


def a_meeting_that_has_closed(town: Town) -> Meeting:
    """A meeting that waits for the next round of counting."""
    held = TODAY - timedelta(days=30)
    plan = inviting.Plan(Kind.NETWORK_MEETING, held, {Role.FAMILY: 1})
    return inviting.start_meeting(town.db, town.house.keys, town.house.catalogue, town.assignment().id, plan, held)
