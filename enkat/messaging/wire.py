"""Connections that end. A service that answers one byte every few seconds, or never, must not hold the sender for
ever: every operation has its time, and all of them together have theirs."""

import socket
import ssl
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from time import monotonic, sleep

from enkat.model.message import Reason, SendingFailed


@dataclass(frozen=True)
class Patience:
    """How long we wait, in seconds: for one operation, and for a whole attempt."""

    step: float = 20.0
    whole: float = 60.0


#: What transports have unless they are told otherwise.
PATIENCE = Patience()


def has_controls(text: str) -> bool:
    """True where a text holds what ends a line somewhere, steers a terminal or cannot be written as UTF-8: never
    part of an address or a heading."""
    return any(unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} for letter in text)


def why(error: BaseException) -> str:
    """A fault of the network in words that name nobody. What a server said is never among them: servers like to repeat
    the recipient."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted ({error.verify_message})"
    if isinstance(error, TimeoutError):
        return "no answer came in time"
    if isinstance(error, socket.gaierror | UnicodeError):
        return "there is no such host"
    if isinstance(error, ssl.SSLError):
        return f"no encrypted connection could be made ({error.reason or 'it broke off'})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "the connection was lost"


@contextmanager
def connection(
    host: str, port: int, context: ssl.SSLContext | None, patience: Patience = PATIENCE
) -> Iterator[socket.socket]:
    """A fresh connection, encrypted where there is a context, and gone at the end of the block whatever happened in it.
    After `patience.whole` it is hung up in the middle of whatever is being said. SendingFailed where there is none."""
    end = monotonic() + patience.whole
    try:
        line = _reach(host, port, patience, end)
    except (OSError, UnicodeError) as error:
        raise SendingFailed(Reason.UNREACHABLE, f"{host}:{port} cannot be reached: {why(error)}") from error
    with ExitStack() as stack:
        stack.enter_context(line)
        is_over = stack.enter_context(_hung_up_at(end, line))
        try:
            yield stack.enter_context(secured(line, context, host)) if context else line
        except SendingFailed as failed:
            if not is_over.is_set():
                raise
            late = f"{host}:{port} was not done within {patience.whole:g} s"
            raise SendingFailed(failed.reason, late) from None


def secured(line: socket.socket, context: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    """The same connection, encrypted, with a certificate that is the host's; SendingFailed where it is not."""
    try:
        return context.wrap_socket(line, server_hostname=host)
    except (OSError, ValueError) as error:
        raise SendingFailed(Reason.UNREACHABLE, f"{host} has no safe connection: {why(error)}") from error


def _reach(host: str, port: int, patience: Patience, end: float) -> socket.socket:
    """A connection to the first of a host's addresses that answers; they share the time there is."""
    fault: OSError = TimeoutError()
    for family, kind, protocol, _name, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        if (left := end - monotonic()) <= 0:
            break
        line = socket.socket(family, kind, protocol)
        line.settimeout(min(patience.step, left))
        try:
            line.connect(address)
        except OSError as error:
            line.close()
            fault = error
        else:
            line.settimeout(patience.step)
            return line
    raise fault


@contextmanager
def _hung_up_at(end: float, line: socket.socket) -> Iterator[threading.Event]:
    """Shut a connection down at a time, or at the end of the block; the event tells which. A second handle on the
    connection does it, for the first changes owner when encryption begins."""
    is_over = threading.Event()
    with line.dup() as handle:

        def hang_up() -> None:
            is_over.set()
            _shut(handle)

        with _WATCH.until(end, hang_up):
            try:
                yield is_over
            finally:
                _shut(handle)


class _Watch:
    """Acts at a time unless it is told before that it need not. One thread for all there is to watch, and none while
    there is nothing: to start one for each message would take longer than to send it."""

    #: Seconds between two looks at the clock.
    EVERY = 0.1

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: dict[object, tuple[float, Callable[[], None]]] = {}
        self._thread: threading.Thread | None = None

    @contextmanager
    def until(self, end: float, act: Callable[[], None]) -> Iterator[None]:
        """Act at a time if the block lasts so long."""
        mark = object()
        with self._lock:
            self._watched[mark] = end, act
            if self._thread is None or not self._thread.is_alive():  # or this is a fork of where it runs
                self._thread = threading.Thread(target=self._look, daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:  # whoever acts holds it: afterwards nobody acts any more
                self._watched.pop(mark, None)

    def _look(self) -> None:
        while True:
            sleep(self.EVERY)
            with self._lock:
                now = monotonic()
                for mark, (end, act) in list(self._watched.items()):
                    if end <= now:
                        del self._watched[mark]
                        act()
                if not self._watched:
                    self._thread = None
                    return


_WATCH = _Watch()


def _shut(handle: socket.socket) -> None:
    with suppress(OSError):  # it may be gone already
        handle.shutdown(socket.SHUT_RDWR)
