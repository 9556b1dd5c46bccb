"""What a form weighs on its way to a phone: bytes on the wire, requests, and whether another host is asked."""

import gzip
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from bench import HOST

#: Tags whose address a browser fetches by itself.
_FETCHED = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src", "object": "data"}


@dataclass(frozen=True)
class Weight:
    """A form with all that it fetches. `sent` are the bytes on the wire, headers included."""

    form: str
    language: str
    raw: int
    compressed: int
    sent: int
    requests: int
    other_hosts: int


def measure(port: int, keys: Mapping[str, str], languages: list[str]) -> list[Weight]:
    """Fetch each form (questionnaire -> link key) in each language, as a phone would."""
    return [_form(port, form, key, language) for form, key in keys.items() for language in languages]


def _form(port: int, form: str, key: str, language: str) -> Weight:
    head, body = _fetch(port, f"/{key}", language)
    pages = [(head, body)]
    addresses = [urljoin(f"http://{HOST}:{port}/{key}", address) for address in References(_plain(head, body)).found]
    ours = [address for address in addresses if urlsplit(address).netloc == f"{HOST}:{port}"]
    pages += [_fetch(port, urlsplit(address).path, language) for address in ours]
    return Weight(
        form,
        language,
        raw=sum(len(_plain(*page)) for page in pages),
        compressed=sum(len(body) for _head, body in pages),
        sent=sum(len(head) + len(body) for head, body in pages),
        requests=len(pages),
        other_hosts=len(addresses) - len(ours),
    )


def _fetch(port: int, path: str, language: str) -> tuple[bytes, bytes]:
    """The head and the body of a reply exactly as they were sent."""
    asked = f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nAccept-Language: {language}\r\nAccept-Encoding: gzip\r\n"
    with socket.create_connection((HOST, port), timeout=10) as connection:
        connection.sendall(f"{asked}Connection: close\r\n\r\n".encode())
        reply = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = reply.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"a form was answered with {head.splitlines()[0].decode()}")
    return head, body


def _plain(head: bytes, body: bytes) -> bytes:
    return gzip.decompress(body) if b"content-encoding: gzip" in head.lower() else body


class References(HTMLParser):
    """The addresses that a browser fetches for a page; the style and script within it are no requests."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get(_FETCHED.get(tag, ""))
        if address and not address.startswith("data:"):
            self.found.add(address)
