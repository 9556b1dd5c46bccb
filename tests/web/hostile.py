"""Requests that no phone and no page of ours would send, the same for the same seed; and what they must leave alone."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from random import Random
from typing import Any
from urllib.parse import quote_from_bytes, urlencode

from flask.testing import FlaskClient
from sqlite_utils import Database
from werkzeug.test import TestResponse

#: Tags, attributes, headers and words of this mark can only come from a payload that was let through.
MARK = "zq"

PAYLOADS = (
    f"<{MARK}>",
    f"<script>{MARK}</script><{MARK} onload={MARK}>",
    f'"><{MARK} {MARK}="1">',
    f'" {MARK}=1 onfocus={MARK} autofocus x="',
    f"' {MARK}='1",
    f"</textarea><{MARK}>",
    f"</title></style></script><{MARK}>",
    f"<!--<{MARK}>-->",
    f"javascript:{MARK}()",
    f"{{{{ '{MARK}' ~ 'ok' }}}}",
    f"{{% print('{MARK}' ~ 'ok') %}}",
    "{{ config }}{{ self.__init__.__globals__ }}",
    f"${{'{MARK}'+'ok'}}#{{'{MARK}'+'ok'}}<%= '{MARK}'+'ok' %>",
    "%(name)s%s%n%d%%",
    "{0.__class__}{name}",
    "'; drop table ballot; --",
    "' or '1'='1",
    '" or ""="',
    "1) union select password_hash from staff --",
    f"{MARK}\r\nSet-Cookie: {MARK}=1\r\nX-{MARK}: 1\r\n\r\n<{MARK}>",
    f"{MARK}\nLocation: https://{MARK}.example/",
    "\0",
    "a\0b",
    "\x01\x02\x1b[2J\x7f",
    "\u202e\u2066\ufeff\ufffd\uffff",
    "\U0001f9d1\u200d\U0001f9d1" * 50,
    "Z̡̢̛" * 300,
    "x" * 2001,
    "9" * 5000,
    "-1",
    "1e309",
    "NaN",
    "٣",
    "../../../../etc/passwd",
    "..\\..\\keys\\pepper",
    f"//{MARK}.example/",
    f"/\\{MARK}.example/",
    f"https://{MARK}.example/",
    "19850412-1234",
    "0001-01-01",
    "9999-12-31",
    "2026-02-30",
    "unknown",
    "",
    " ",
)

#: Bytes as they may stand in an address, a field or a body, UTF-8 or not.
ODD_BYTES = (
    b"\xff\xfe",
    b"\xc0\xaf",
    b"\xed\xa0\x80",  # a lone surrogate
    b"\xf5\x80\x80\x80",
    b"%",
    b"%zz",
    b"%u0041",
    b"\0",
    b"\x80\x81",
    b"\r\n",
    b"\\",
    b"\xe2\x80",
)

_METHODS = ("GET", "POST")
_ODD_METHODS = ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "BREW", "get", "X" * 300)

_CONTENT_TYPES = (
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-16",
    "application/x-www-form-urlencoded; charset=\xff",
    "APPLICATION/X-WWW-FORM-URLENCODED",
    "application/json",
    "text/plain",
    "text/html; charset=utf-7",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=x",
    "multipart/form-data; boundary=" + "b" * 5000,
    'multipart/form-data; boundary="\xff"',
    "multipart/mixed; boundary=x",
    "",
    "/",
    ";;;",
    "a" * 9000,
)

_HEADERS: dict[str, tuple[str, ...]] = {
    "HTTP_ACCEPT_LANGUAGE": (
        "EN",
        "en-GB",
        "SV-se;q=0.1, EN;q=0.9",
        "*",
        "sv_SE",
        "-",
        "_",
        "en;q=nan",
        "en;q=inf",
        "en;q=-1, sv;q=2",
        "zq" * 4000,
        ",".join(["ar"] * 500),
        "\xff\xfe",
        "i-klingon",
        "zh-Hant-TW-x-private",
        "en@currency=SEK",
        "../../sv",
        "C",
        "POSIX",
        "\0",
    ),
    "HTTP_ACCEPT_ENCODING": ("gzip", "gzip;q=0", "*", "identity;q=0, *;q=0", "gzip;q=x", "br" * 3000, "\xff"),
    "HTTP_HOST": (
        f"{MARK}.example",
        f'"><{MARK}>',
        "",
        "[::1",
        "[::1]:8000",
        "localhost:99999999",
        "a:b:c",
        "x" * 4000,
        "\xff.example",
        "..",
        "127.0.0.1:8000@zq.example",
    ),
    "HTTP_COOKIE": (
        "enkat=",
        "enkat=x.y.z",
        "enkat=eyJzaWQiOiJ4In0.x.y",
        "enkat=" + "A" * 6000,
        "enkat=\xff\xfe",
        "=; ;;; =enkat",
        'enkat="\\377\\000"',
        "__Host-enkat=x; enkat=y; enkat=z",
        "a=b; " * 700,
    ),
    "CONTENT_LENGTH": ("-1", "abc", "0", "1", "99999999999999999999", "65537", "1e3", "١", ""),
    "HTTP_TRANSFER_ENCODING": ("chunked", "gzip, chunked", "identity", "\xff"),
    "HTTP_EXPECT": ("100-continue", "zq"),
    "HTTP_RANGE": ("bytes=0-0", "bytes=-1", "zq=9-1"),
    "HTTP_IF_MODIFIED_SINCE": ("never", "Thu, 01 Jan 1970 00:00:00 GMT", "\xff"),
    "HTTP_IF_NONE_MATCH": ("*", '"zq', "W/"),
    "HTTP_REFERER": (f"https://{MARK}.example/", "\xff", ""),
    "HTTP_ORIGIN": (f"https://{MARK}.example", "null"),
    "HTTP_X_FORWARDED_HOST": (f"{MARK}.example",),
    "HTTP_X_FORWARDED_PROTO": ("https", "javascript"),
    "HTTP_X_FORWARDED_FOR": ("127.0.0.1", f"<{MARK}>"),
    "HTTP_X_FORWARDED_PREFIX": (f"//{MARK}.example",),
    "HTTP_X_HTTP_METHOD_OVERRIDE": ("DELETE", "PUT"),
    "HTTP_X_ORIGINAL_URL": ("/staff/people",),
    "HTTP_AUTHORIZATION": ("Basic", "Basic \xff", "Basic Og==", "Bearer " + "x" * 4000, "Digest zq"),
    "HTTP_USER_AGENT": (f"<{MARK}>", "", "\xff" * 900),
    "HTTP_X_CSRFTOKEN": ("zq", "\xff"),
    "HTTP_CONTENT_ENCODING": ("gzip", "deflate"),
    "HTTP_ACCEPT": ("application/json", "*/*;q=zq", "\xff"),
}


@dataclass(frozen=True)
class HostileRequest:
    """One request as a server would hand it to the application: the path decoded, headers as latin-1."""

    who: str
    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def send(self, client: FlaskClient) -> TestResponse:
        """Send it; nothing of it is put right on the way."""
        environ: dict[str, Any] = {
            "PATH_INFO": self.path,
            "QUERY_STRING": self.query,
            "CONTENT_LENGTH": str(len(self.body)),
        }
        # `FlaskClient.open` itself: the inspecting client expects a page of every reply, also of HEAD and OPTIONS.
        return FlaskClient.open(
            client, "/", method=self.method, input_stream=BytesIO(self.body), environ_overrides=environ | self.headers
        )

    def __str__(self) -> str:
        query = f"?{self.query[:200]}" if self.query else ""
        return f"{self.who}: {self.method[:20]} {self.path[:200]!r}{query} {self.headers!s:.400} {self.body[:400]!r}"


@dataclass
class Attacker:
    """What somebody hostile knows: addresses of ours, the fields of our forms, and tokens of their own pages."""

    random: Random
    participant_paths: Sequence[str]
    staff_paths: Sequence[str]
    forms: dict[str, Sequence[str]]
    staff: Sequence[str]
    tokens: dict[str, str]
    items: Sequence[str]

    def request(self) -> HostileRequest:
        """The next request."""
        make: list[Callable[[], HostileRequest]] = [
            self._answer,
            self._answer,
            self._form,
            self._form,
            self._address,
            self._address,
            self._headers,
            self._body,
        ]
        return self.random.choice(make)()

    def _answer(self) -> HostileRequest:
        """A participant's form, nearly right."""
        fields = [("submission", self.random.choice(("a" * 32, f"{self.random.getrandbits(128):032x}", *PAYLOADS)))]
        for item in self.random.sample(self.items, self.random.randint(0, len(self.items))):
            fields.append((item, self.random.choice(("1", "5", "6", "0", "unknown", "declined", *PAYLOADS))))
        if self.random.random() < 0.2:
            fields.append((self.random.choice(PAYLOADS), self.random.choice(PAYLOADS)))
        if self.random.random() < 0.1:
            fields.append(self.random.choice(fields))
        return self._sent("participant", self.random.choice(self.participant_paths), fields)

    def _form(self) -> HostileRequest:
        """A staff form with a valid token and payloads in its fields; or a typed key, or a receipt."""
        path = self.random.choice(list(self.forms))
        who = self.random.choice(list(self.staff)) if path.startswith("/staff") else "participant"
        token = self.tokens.get(who, "") if self.random.random() < 0.85 else self.random.choice(PAYLOADS)
        fields = [("csrf_token", token)] if path.startswith("/staff") else []
        for name in self.forms[path]:
            name, _sep, usual = name.partition("=")
            if self.random.random() < 0.9:
                is_usual = usual and self.random.random() < 0.6
                fields.append((name, usual if is_usual else self.random.choice(PAYLOADS)))
        return self._sent(who, path, fields)

    def _address(self) -> HostileRequest:
        """An address with something odd in it."""
        who = self._somebody()
        known = self.random.choice([*self.participant_paths, *self.staff_paths])
        odd = self._odd()
        cut = self.random.randint(1, len(known))
        path = self.random.choice(
            (
                known + odd,
                known + "/" + odd,
                "/" + odd,
                "//" + odd,
                "/staff" + odd,
                "/staff/meetings/" + odd,
                "/staff/meetings/" + odd + "/links",
                "/staff/people/" + odd + "/enable",
                "/static/" + odd + "/staff.css",
                "/static/0/" + odd,
                known[:cut] + odd + known[cut:],
                "/" + "a/" * 2000,
                "/" + "a" * 9000,
                known.upper(),
                known + "/",
                known,
            )
        )
        return HostileRequest(who, self._method(), path, self._query(), body=self.random.choice((b"", b"a=b")))

    def _headers(self) -> HostileRequest:
        """Headers that no browser sends."""
        names = self.random.sample(list(_HEADERS), self.random.randint(1, 5))
        headers = {name: self.random.choice(_HEADERS[name]) for name in names}
        path = self.random.choice([*self.participant_paths, *self.staff_paths])
        # Cookies of one's own would be overwritten: this is somebody without any.
        return HostileRequest("participant", self._method(), path, self._query(), headers, b"submission=x&prep=5")

    def _body(self) -> HostileRequest:
        """A body that is not the form it says it is."""
        kind = self.random.choice(_CONTENT_TYPES)
        path = self.random.choice([*self.participant_paths, *self.forms])
        noise = self.random.randbytes(self.random.choice((0, 1, 50, 5000)))
        body = self.random.choice(
            (
                noise,
                b"a" * 65_536,
                b"a" * 65_537,
                b"words=" + b"x" * 65_000,
                b"&" * 20_000,
                b"=" * 20_000,
                b"&".join(b"f%d=1" % number for number in range(6_000)),
                b"prep=5&" * 3_000,
                b"submission=" + b"a" * 32 + b"&words=" + self.random.choice(ODD_BYTES) * 20,
                b"words=" + quote_from_bytes(self.random.choice(ODD_BYTES)).encode() * 20,
                b'{"submission": "' + b"a" * 32 + b'", "prep": 5}',
                b"[" * 9000,
                self._multipart(),
            )
        )
        if body.startswith(b"--x"):
            kind = "multipart/form-data; boundary=x"
        return HostileRequest(self._somebody(), "POST", path, headers={"CONTENT_TYPE": kind}, body=body)

    def _multipart(self) -> bytes:
        name = self.random.choice((*self.items, "submission", *PAYLOADS)).encode("utf-8", "replace")
        head = self.random.choice(
            (
                b'Content-Disposition: form-data; name="' + name + b'"',
                b'Content-Disposition: form-data; name="' + name + b'"; filename="<zq>"',
                b"Content-Disposition: form-data; name*=utf-8''%ED%A0%80",
                b"Content-Disposition: form-data",
                b"Content-Disposition: attachment; filename=x",
                b'Content-Type: text/plain; charset=utf-16\r\nContent-Disposition: form-data; name="words"',
                b"zq" * 4000,
                b"",
                b"\xff\xfe: \0",
            )
        )
        part = b"--x\r\n" + head + b"\r\n\r\n" + self.random.choice(ODD_BYTES) + b"\r\n"
        return part * self.random.choice((1, 2, 1200)) + self.random.choice((b"--x--\r\n", b"--x", b""))

    def _sent(self, who: str, path: str, fields: list[tuple[str, str]]) -> HostileRequest:
        body = urlencode(fields).encode()
        if self.random.random() < 0.1:
            body += b"&" + quote_from_bytes(self.random.choice(ODD_BYTES)).encode() + b"=1"
        kind = {"CONTENT_TYPE": "application/x-www-form-urlencoded"}
        return HostileRequest(who, "POST", path, self._query(), kind, body)

    def _query(self) -> str:
        if self.random.random() < 0.5:
            return ""
        name = self.random.choice(("lang", "form", "back", "assignment", "x", "lang[]"))
        value = self.random.choice(("en", "sv", "adult", *(quote_from_bytes(p.encode()) for p in PAYLOADS)))
        query = self.random.choice(
            (f"{name}={value}", f"{name}={self._odd()}", self._odd(), f"{name}=a&{name}={value}")
        )
        try:
            query.encode("latin-1").decode()
        except UnicodeDecodeError:  # no server lets these through as they are
            return quote_from_bytes(query.encode("latin-1"), safe="=&%")
        return query

    def _odd(self) -> str:
        """Odd bytes or a payload, as a server passes them on: one letter for each byte."""
        return self.random.choice((*ODD_BYTES, *(payload.encode() for payload in PAYLOADS))).decode("latin-1")

    def _method(self) -> str:
        return self.random.choice(_ODD_METHODS if self.random.random() < 0.25 else _METHODS)

    def _somebody(self) -> str:
        return self.random.choice(["participant", *self.staff])


def contents(db: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table; of a sign-in everything but when it was last used."""
    tables = [row[0] for row in db.execute("select name from sqlite_master where type = 'table'").fetchall()]
    columns = {"staff_session": "id, staff, started"}
    return {
        table: sorted(db.execute(f"select {columns.get(table, '*')} from {table}").fetchall(), key=repr)
        for table in tables
    }


def version(db: Database) -> int:
    """A number that changes whenever another connection has written anything."""
    return int(db.execute("pragma data_version").fetchone()[0])


@contextmanager
def case(*what: object) -> Iterator[None]:
    """One of a test's many cases, named where it fails: for tables of what is refused and changes nothing."""
    try:
        yield
    except Exception as error:
        error.add_note(f"the case: {str(what)[:500]}")
        raise
