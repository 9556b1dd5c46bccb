"""What enkat weighs, how fast it is and how much memory it takes: `make bench`. Figures inform, nothing asserts a time.

Here is what the measurements share: a figure with its target, and a server that runs while something is measured.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
WORKERS = 2


@dataclass(frozen=True)
class Figure:
    """One line of the closing table; a `target` is what the figure must be at most, or at least."""

    name: str
    figure: float
    unit: str
    target: float | None = None
    at_least: bool = False

    @property
    def is_met(self) -> bool | None:
        """None where nothing is demanded."""
        if self.target is None:
            return None
        return self.figure >= self.target if self.at_least else self.figure <= self.target


@dataclass(frozen=True)
class Server:
    """A server that answers at a port, and the process that all its others come from."""

    port: int
    pid: int

    def family(self) -> list[int]:
        """The process ids of the server and all that come from it, its background child included."""
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and (stat := _stat(int(entry.name))):
                children.setdefault(int(stat[1]), []).append(int(entry.name))
        found = [self.pid]
        for pid in found:
            found += children.get(pid, [])
        return found

    def processor_seconds(self) -> float:
        """The processor time that the family has used so far."""
        ticks = sum(int(stat[11]) + int(stat[12]) for pid in self.family() if (stat := _stat(pid)))
        return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(command: Sequence[str], environment: dict[str, str], log: Path) -> Iterator[Server]:
    """Run `python -m command --port N` until the block ends."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command, "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=os.environ | environment,
        )
    try:
        _await_answer(process, port, log)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def _await_answer(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"bench: a server did not start:\n{log.read_text(errors='replace')}")


def _stat(pid: int) -> list[str]:
    """The fields of a process from its state on (parent at 1, processor ticks at 11 and 12); none where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
