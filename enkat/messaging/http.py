"""One request, one answer, over a connection of its own. What matters is where it broke: before the whole request was
handed over nothing can have been sent, after it nobody knows."""

import re
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import urlsplit

from enkat.messaging import wire
from enkat.messaging.wire import PATIENCE, Patience
from enkat.model.message import Reason, SendingFailed
from enkat.settings.sending import is_loopback

#: No service has more than this to say about one message.
LONGEST_ANSWER = 64 * 1024

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

#: These are the connection's, and nobody else's to set.
_OURS = frozenset(["host", "connection", "content-length", "transfer-encoding"])


@dataclass(frozen=True)
class Answer:
    """What a service said: the status, and as much of the body as came."""

    status: int
    body: bytes


class Service:
    """A service that is spoken to by HTTP: where it is, and our sign-in. ValueError where that cannot be used, or
    where anybody on the way could read what is said. No message of its own holds the URL, for some carry a key."""

    def __init__(
        self,
        url: str,
        user: str | None = None,
        password: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        context: ssl.SSLContext | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            # The fault's own words may hold a password that was written into the URL.
            raise ValueError("the URL is no address") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or not re.fullmatch(r"[!-~]+", url):
            raise ValueError("the URL must begin with https:// and a host, and hold neither spaces nor other letters")
        if parts.username is not None:
            raise ValueError("the URL holds a user; let user and password be settings of their own")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("the URL has no TLS; let it begin with https://")
        self._host = parts.hostname
        self._port = port or (443 if parts.scheme == "https" else 80)
        self.path = parts.path or "/"
        self._query = f"?{parts.query}" if parts.query else ""
        self._context = (context or ssl.create_default_context()) if parts.scheme == "https" else None
        self._patience = patience
        self._headers = {"Host": parts.netloc, "Accept": "*/*", "Connection": "close"}
        if user is not None:
            pair = f"{user}:{password or ''}"
            self._headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        _judge(headers or {})

    @property
    def name(self) -> str:
        """Host and port: the part of the URL that may stand in a log."""
        return f"{self._host}:{self._port}"

    def post(self, body: bytes, content_type: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Hand over a body; SendingFailed where it was not, or where no answer came."""
        own = {name.lower() for name in headers or {}}
        usual = {"Content-Type": content_type, **self._headers}
        sent = {name: value for name, value in usual.items() if name.lower() not in own} | dict(headers or {})
        with self._connection() as line:
            return _ask(line, self.name, "POST", self.path + self._query, sent, body)

    def get(self, path: str) -> Answer:
        """Ask for something that changes nothing; SendingFailed where no answer came."""
        with self._connection() as line:
            return _ask(line, self.name, "GET", path, self._headers, None)

    def touch(self) -> None:
        """See whether somebody is there, with the right certificate, and say nothing."""
        with self._connection():
            pass

    @contextmanager
    def _connection(self) -> Iterator[HTTPConnection]:
        with wire.connection(self._host, self._port, self._context, self._patience) as line:
            # http.client speaks over a connection that is there already, encrypted or not.
            http = HTTPConnection(self._host, self._port)
            http.sock = line
            yield http


def reason(status: int) -> Reason | None:
    """What a status says of a message, whoever the service is; None where it was taken."""
    if 200 <= status < 300:
        return None
    if status < 200 or status >= 600:
        return Reason.UNSURE
    if status < 400 or status in (404, 405):  # a URL that is wrong, and nobody's message is to be lost for it
        return Reason.UNREACHABLE
    if status == 504:  # somebody in between has waited in vain for whoever took it
        return Reason.UNSURE
    if status in (408, 425, 429) or status >= 500:
        return Reason.BUSY
    return {401: Reason.CREDENTIALS, 402: Reason.CREDIT, 403: Reason.CREDENTIALS}.get(status, Reason.REFUSED)


def failure(name: str, status: int, because: Reason) -> SendingFailed:
    """A refusal in words for a log. What the service said is left out: it may hold the number."""
    moved = "; the URL has moved, and nothing is sent to another" if 300 <= status < 400 else ""
    return SendingFailed(because, f"{name} answered {status}{moved}")


def _judge(headers: Mapping[str, str]) -> None:
    """ValueError for headers that no request may carry."""
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or name.lower() in _OURS or not is_header(value):
            raise ValueError(f"the header {name!r} cannot be sent")


def is_header(value: str) -> bool:
    """True for a text that is one header's value and nothing more."""
    return not wire.has_controls(value) and value.encode("latin-1", "replace").decode("latin-1") == value


def _ask(
    http: HTTPConnection, name: str, method: str, target: str, headers: Mapping[str, str], body: bytes | None
) -> Answer:
    try:
        http.request(method, target, body, headers)
    except (OSError, HTTPException) as error:
        message = f"{name} did not take the whole request: {wire.why(error)}"
        raise SendingFailed(Reason.UNREACHABLE, message) from error
    try:
        answer = http.getresponse()
    except (OSError, HTTPException, ValueError) as error:
        # Whatever comes instead of an answer is not shown: it could repeat the request.
        words = wire.why(error) if isinstance(error, OSError) else "what it answered cannot be understood"
        raise SendingFailed(Reason.UNSURE, f"{name} has the request: {words}") from None
    with answer:
        return Answer(answer.status, _body(answer))


def _body(answer: HTTPResponse) -> bytes:
    """The body as far as it came. The status has been said: a body that breaks off changes nothing of it."""
    body = b""
    try:
        while len(body) < LONGEST_ANSWER and (piece := answer.read1(LONGEST_ANSWER - len(body))):
            body += piece
    except (OSError, HTTPException, ValueError):
        pass
    return body
