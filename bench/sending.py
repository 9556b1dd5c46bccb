"""How fast messages leave: the outbox emptied into a gateway on loopback, and what memory it takes.

    python -m bench.sending FOLDER NUMBER     in a process of its own, so that memory is its own

The gateway is a process too: it takes each SMS and answers as 46elks does, and does nothing else.
"""

import json
import multiprocessing
import resource
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ANSWER = b'{"status": "created", "id": "s1"}'
REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"

#: Places of one group in one meeting.
_AT_ONCE = 50


@dataclass(frozen=True)
class Sent:
    """How many messages went out, how many a second, and the most memory (MB) that the process had after the first
    tenth of them and at the end."""

    messages: int
    a_second: float
    memory_early: float
    memory_late: float


def measure(folder: Path, number: int) -> Sent:
    """Fill an outbox and empty it, in a process of its own."""
    command = [sys.executable, "-m", "bench.sending", str(folder / "sending"), str(number)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return Sent(**json.loads(said))


def _gateway(listener: socket.socket) -> None:
    """Take what comes, one connection after the other; each is a whole request of a few hundred bytes."""
    while True:
        connection, _address = listener.accept()
        with connection:
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(65536)
            head, _, body = request.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            while len(body) < length:
                body += connection.recv(65536)
            connection.sendall(REPLY % (len(ANSWER), ANSWER))


def _main(folder: Path, number: int) -> None:
    from enkat import inviting, sending, staffing
    from enkat.house import open_house
    from enkat.inviting import outbox
    from enkat.inviting.letters import Desk
    from enkat.inviting.outbox import Recipient
    from enkat.model.meeting import Channel, Kind, Source
    from enkat.model.survey import Role
    from enkat.settings import Settings
    from enkat.settings.sending import sms_url

    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    gateway = multiprocessing.get_context("fork").Process(target=_gateway, args=(listener,), daemon=True)
    gateway.start()
    address = f"http://enkat:secret@127.0.0.1:{listener.getsockname()[1]}/a1/sms"
    settings = Settings(folder, "https://svar.example.se", sms_url=sms_url("sms_url", address), sms_sender="Mitthem")
    house = open_house(settings)
    db, today = house.connect(), settings.today()
    unit = staffing.add_unit(db, "Mitthem")
    assignment = inviting.open_assignment(db, "M-114", unit.id, Source.SCHOOL)
    desk = Desk.of(settings, house.languages, settings.base_url or "")
    for first in range(0, number, _AT_ONCE):
        plan = inviting.Plan(Kind.NETWORK_MEETING, today, {Role.KIN: 1})
        meeting = inviting.start_meeting(db, house.keys, house.catalogue, assignment.id, plan, today)
        people = range(first, min(first + _AT_ONCE, number))
        recipients = [Recipient(Role.KIN, Channel.SMS, f"+4670{one:07}", "sv") for one in people]
        outbox.send_new_links(db, house.keys, house.catalogue, desk, meeting.id, recipients)
    post = sending.post_of(settings)
    left = iter(range(number // 10))
    early = sending.deliver(db, house.keys, post, goes_on=lambda: next(left, None) is not None)
    memory_early = _memory()
    started = time.perf_counter()
    late = sending.deliver(db, house.keys, post)
    taken = time.perf_counter() - started
    print(json.dumps(vars(Sent(early + late, late / taken, memory_early, _memory()))))
    gateway.terminate()


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000 * 1.024


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]))
