"""The real server for the journeys: `enkat serve` in a process group of its own, and those who send to it."""

import hashlib
import http.client
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import enkat
from enkat.settings import Settings

T = TypeVar("T")

HOST = "127.0.0.1"

#: The checkout whose tests these are: the server runs the same code.
SOURCE = Path(enkat.__file__).parents[1]

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_RECEIPT = re.compile(r'name="receipt" value="([0-9A-HJKMNP-TV-Z]{16})"')

#: Seconds of patience, more than a busy machine needs: nothing here asserts a time.
PATIENCE = 60


class Server:
    """`enkat serve` with two workers on a port that was free, its output in a file beside the instance."""

    def __init__(self, settings: Settings, port: int) -> None:
        self.settings, self.port = settings, port
        self.log = settings.instance.parent / "server.txt"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, today: date | None = None) -> None:
        """Start it, on another day where one is given, and wait until it answers."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ENKAT_")}
        environment["ENKAT_INSTANCE"] = str(self.settings.instance)
        environment["ENKAT_TODAY"] = (today or self.settings.today()).isoformat()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "enkat", "serve", "--port", str(self.port), "--workers", "2"],
                cwd=SOURCE,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for(self._answers, "the server answers")

    @property
    def pid(self) -> int:
        """The main process, which is also the number of its group."""
        assert self._process is not None, "the server was never started"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """True while the main process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def output(self) -> str:
        """All that it has printed, since the first start."""
        return self.log.read_text(encoding="utf-8")

    def processes(self) -> dict[int, str]:
        """The living processes of its group, with their command lines."""
        return running(self.pid)

    def child(self) -> int | None:
        """The background child, by number; None where there is none at this moment."""
        return next((pid for pid, command in self.processes().items() if "--with-parent" in command), None)

    def signal(self, number: signal.Signals) -> None:
        """Send the main process a signal."""
        os.kill(self.pid, number)

    def wait(self) -> int:
        """Wait for the main process to end; its exit status."""
        assert self._process is not None
        return self._process.wait(timeout=PATIENCE)

    def stop(self) -> None:
        """Stop it as a system would, and see that it goes cleanly and leaves nobody behind."""
        self.signal(signal.SIGTERM)
        status = self.wait()
        assert status == 0, f"the server ended with {status}:\n{self.output}"
        assert not self.processes(), f"left behind: {self.processes()}"

    def kill(self) -> None:
        """Kill the whole group at once, as a power cut would."""
        os.killpg(self.pid, signal.SIGKILL)
        self.wait()
        wait_for(lambda: not self.processes(), "everything is gone")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the server did not start:\n{self.output}"
        try:
            return ask(self.port, "GET", "/").status == 200
        except OSError:
            return False


@contextmanager
def serving(settings: Settings, port: int | None = None) -> Iterator[Server]:
    """A server for a while, at its own address. At the end it is stopped, and must have printed no traceback."""
    server = Server(settings, port or int(settings.base_url.rpartition(":")[2]))
    server.start()
    try:
        yield server
        if server.is_running:
            server.stop()
        assert "Traceback" not in server.output, server.output
    finally:
        if server.processes():
            server.kill()


def running(group: int | None = None) -> dict[int, str]:
    """The living processes, of one group or all, with their command lines."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, _parent, its_group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if group in (None, int(its_group)) and state not in "ZX":
                found[int(entry.name)] = command
    return found


def free_port() -> int:
    """A port that nobody has just now, and that nobody is given by the system until it is taken: those are higher."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port


def wait_for(done: Callable[[], T], what: str, patience: float = PATIENCE) -> T:
    """Wait until something is so, and give it back; fails with what was waited for."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if found := done():
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited in vain until {what}")


@dataclass(frozen=True)
class Reply:
    """A reply that was read to its end."""

    status: int
    body: str

    @property
    def receipt(self) -> str:
        """The receipt on a thanks page."""
        found = _RECEIPT.search(self.body)
        assert found, f"no receipt on the page ({self.status}):\n{self.body}"
        return found[1]


def ask(port: int, method: str, path: str, fields: Mapping[str, Any] | None = None, source: str = HOST) -> Reply:
    """One request over a connection of its own, as from somebody's phone; OSError where no whole reply came."""
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE, source_address=(source, 0))
    try:
        connection.request(method, path, urlencode(fields) if fields is not None else None, _FORM if fields else {})
        response = connection.getresponse()
        return Reply(response.status, response.read().decode())
    except http.client.HTTPException as error:
        raise ConnectionError(str(error)) from error
    finally:
        connection.close()


def new_submission() -> str:
    """A form's random id."""
    return secrets.token_hex(16)


def send(port: int, key: str, submission: str, **answers: str) -> Reply:
    """Send a filled form through a link."""
    return ask(port, "POST", f"/{key}", {"submission": submission} | (answers or {"say": "5"}))


def receipt_hash(receipt: str) -> bytes:
    """What the database knows a receipt by."""
    return hashlib.sha256(receipt.encode()).digest()


def together(many: int, act: Callable[[int], T]) -> list[T]:
    """Let so many act in the same moment, each in a thread of its own; what each got."""
    gate = threading.Barrier(many)

    def one(number: int) -> T:
        gate.wait(PATIENCE)
        return act(number)

    with ThreadPoolExecutor(many) as threads:
        return list(threads.map(one, range(many)))
