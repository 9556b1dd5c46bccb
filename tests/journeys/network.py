"""A bad network between a phone and the server: plain TCP on loopback, cut where a test wants it cut."""

import re
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.journeys.server import HOST, PATIENCE

#: What befalls a request: it may be passed on (with True as it would be without compression), and what the phone gets
#: of it, after which the connection ends.
Trouble = Callable[[Callable[[bool], bytes]], bytes]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Network:
    """A road to the server that is cut, for one kind of request, from `breaks` until `mends`."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._trouble: tuple[str, Trouble] | None = None
        #: The requests that something befell, by their first lines.
        self.met: list[str] = []
        #: While it is not set, a connection that something befell hangs instead of ending.
        self.ends = threading.Event()
        self.ends.set()
        self._road = _Road((HOST, 0), _Way)
        self._road.network = self

    @property
    def address(self) -> str:
        """Where the phone finds the server."""
        return f"http://{HOST}:{self._road.server_address[1]}"

    def breaks(self, method: str, trouble: Trouble) -> None:
        """From now on this befalls every request of that method."""
        self._trouble = method, trouble

    def mends(self) -> None:
        """Everything goes through again."""
        self._trouble = None

    @property
    def is_broken(self) -> bool:
        """Whether anything befalls anybody now."""
        return self._trouble is not None

    def carry(self, head: bytes, body: bytes) -> bytes:
        """What comes back for a request."""

        def forward(plain: bool = False) -> bytes:
            return self._asked(head, body, plain)

        broken = self._trouble
        if broken is None or not head.startswith(broken[0].encode() + b" "):
            return forward()
        self.met.append(head.splitlines()[0].decode())
        return broken[1](forward)

    def _asked(self, head: bytes, body: bytes, plain: bool) -> bytes:
        dropped = rb"(?im)^(?:connection|keep-alive|accept-encoding):.*\r\n" if plain else rb"(?im)^connection:.*\r\n"
        asked = re.sub(dropped, b"", head).removesuffix(b"\r\n\r\n") + b"\r\nConnection: close\r\n\r\n" + body
        with socket.create_connection((HOST, self._server_port), PATIENCE) as server:
            server.sendall(asked)
            return b"".join(iter(lambda: server.recv(65536), b""))

    def __enter__(self) -> "Network":
        threading.Thread(target=self._road.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_gone: object) -> None:
        self._road.shutdown()
        self._road.server_close()


class _Road(socketserver.ThreadingTCPServer):
    daemon_threads = True
    network: Network


class _Way(socketserver.StreamRequestHandler):
    """One connection, one request."""

    def handle(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline()
            if not line:  # opened ahead and never used
                return
            head += line
        length = _LENGTH.search(head)
        body = self.rfile.read(int(length[1])) if length else b""
        road = self.server
        assert isinstance(road, _Road)
        self.wfile.write(road.network.carry(head, body))
        self.wfile.flush()
        if road.network.is_broken:
            road.network.ends.wait(PATIENCE)


def cut_before(_forward: Callable[[bool], bytes]) -> bytes:
    """The request never arrives."""
    return b""


def reply_lost(forward: Callable[[bool], bytes]) -> bytes:
    """The request arrives, and nothing of the reply comes back."""
    assert forward(False)
    return b""


def cut_at(place: float | bytes, *, noticed: bool = True) -> Trouble:
    """Only a part of the reply's page comes, or all before certain words and the words; unnoticed where something in
    between has left out how long it is."""

    def trouble(forward: Callable[[bool], bytes]) -> bytes:
        head, _end, page = forward(True).partition(b"\r\n\r\n")
        last = int(len(page) * place) if isinstance(place, float) else page.index(place) + len(place)
        if not noticed:
            head = _LENGTH.sub(b"", head).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
        return head + b"\r\n\r\n" + page[:last]

    return trouble


def stranger(status: str, page: str) -> Trouble:
    """Somebody in between replies with a page of their own: a proxy whose server is away, a hotel's network."""

    def trouble(_forward: Callable[[bool], bytes]) -> bytes:
        content = page.encode()
        head = f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(content)}"
        return head.encode() + b"\r\nConnection: close\r\n\r\n" + content

    return trouble


@contextmanager
def network_to(port: int) -> Iterator[Network]:
    """A network for a while."""
    with Network(port) as network:
        yield network
