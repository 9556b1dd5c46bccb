"""Everything that takes a text, found by reading the pages' own forms and the addresses' own arguments; and whether
what was sent there has come alive in the reply.

A reply is compared with the reply to a harmless twin of what was sent, as long and with the same spaces: the two may
differ in nothing but the letters that the twin lacks.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from io import BytesIO, StringIO
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit

from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.conftest import Town
from tests.inspection import is_for_staff
from tests.web.payloads import CARRIED_OUT, MARK, harmless
from tests.web.routes import Rewind, Scene, Visitor, forget_failures, rules, used_and_revoked

#: A word that means nothing to anybody.
PLAIN = "Väst"

#: The names behind a question mark that the application reads; a test sees that there are no others.
QUERIES = ("lang", "form", "back", "assignment", "role", "language", "link", "year", "all")

#: What stands in a field while another one is attacked, where the page itself offers nothing.
_USUAL = {
    "reference": "M-200",
    "source": "school",
    "family": "3",
    "address": "kim@mitthem.example",
    "name": "Kim",
    "roles": "evaluator",
    "key": "0123456789",
    "receipt": "0123456789ABCDEF",
    "password": "fel lösenord",
    "new": "ett alldeles nytt lösenord",
    "words": "Bra",
    "wording": "Bra",
}

#: What a field expects around what is typed, where the bare payload would not come far.
_DRESSED = {"address": "{}@mitthem.example", "for": "family:{}", "held": "2026-11-20{}", "child": "1{}"}

#: Parts of a page that are made anew each time, and hints that follow from letters which a twin lacks.
_RANDOM = re.compile(
    r'[\w-]{20,}\.[\w-]{6}\.[\w-]{20,}|(?<=name="submission" value=")[0-9a-f]{32}'
    r'|(?<=name="receipt" value=")[^"]*|(?<=id="receipt">)[^<]*|(?<=<p class="code long">)[^<]*'
    r"|(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])"
    r'|<p class="note">(Vi tog bort|I din text finns kanske)[^<]*</p>|<p class="small"><b>Kanske ett namn</b></p>'
)

#: The attributes that lead somewhere.
_LINKS = ("href", "src", "action", "formaction", "data", "poster", "srcset", "xlink:href")

#: Where a page of ours may lead.
OURS = re.compile(
    r"(/(?![/\\])|#|\?|sms:|mailto:|tel:\+?\d|data:,|http://127\.0\.0\.1:8000/|https://www\.(?:smhi\.se/|digg\.se/tdosanmalan)$)"
)


# What a reply holds


class Events(HTMLParser):
    """Everything that stands in a page, piece by piece: tags with their attributes, texts, comments, and JSON apart."""

    def __init__(self, html: str, ours: re.Pattern[str]) -> None:
        super().__init__()
        self.found: list[tuple[object, ...]] = []
        self._text, self._is_json, self._ours = "", False, ours
        self.feed(html)
        self.close()
        self._end_text()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._end_text()
        said = tuple((name, _link(value or "") if name in _LINKS else value or "") for name, value in attributes)
        self.found.append(("tag", tag, said))
        self._is_json = tag == "script" and ("type", "application/json") in attributes
        for name, value in attributes:
            assert name not in _LINKS or not value or self._ours.match(value), f"<{tag} {name}={value}>"
            assert not name.startswith("on"), f"<{tag} {name}={value}>"

    def handle_endtag(self, tag: str) -> None:
        self._end_text()
        self.found.append(("end", tag))

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_comment(self, data: str) -> None:
        self.found.append(("comment", data))

    def handle_decl(self, decl: str) -> None:
        self.found.append(("declaration", decl))

    def handle_pi(self, data: str) -> None:
        self.found.append(("instruction", data))

    def _end_text(self) -> None:
        if self._text and self._is_json:
            self.found += [("json", *one) for one in _strings(json.loads(self._text))]
        elif self._text:
            self.found.append(("text", self._text))
        self._text, self._is_json = "", False


def _link(value: str) -> str:
    """An address as it is read."""
    return unquote(value, errors="replace")


def _strings(value: object, where: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a JSON document and where it stands. Plotly would take markup for its own: a text of a chart
    may hold line breaks of ours and nothing else that is alive."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield where, str(name)
            yield from _strings(inner, f"{where}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner, where)
    elif isinstance(value, str):
        said = value.replace("<br>", " ")
        assert "<" not in said, f"a chart says {value!r}"
        yield where, " ".join(unescape(said).split())
    else:
        yield where, "a number"  # a chart with longer names is higher


def events(html: str, tame: Callable[[str], str], ours: re.Pattern[str] = OURS) -> Counter[tuple[object, ...]]:
    """How often each piece stands in a page; names of tags and attributes as they are, what they hold made tame."""

    def tamed(piece: object, depth: int = 0) -> object:
        if isinstance(piece, tuple):
            return tuple(tamed(one, depth + 1) for one in piece)
        return tame(str(piece))

    found: Counter[tuple[object, ...]] = Counter()
    for kind, *rest in Events(html, ours).found:
        if kind == "tag":
            tag, attributes = rest
            found["tag", tag, tuple((name, tame(value)) for name, value in attributes)] += 1
        else:
            found[kind, *(tamed(one) for one in rest)] += 1
    return found


#: What a cell that is carried out begins with, and the same in full width, which some spreadsheets take for it.
FORMULA, WIDE_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n"), ("＝", "＋", "－", "＠")


def formulas(text: str, mark: str = ",", starts: tuple[str, ...] = FORMULA) -> list[str]:
    """The cells of a file that a spreadsheet would carry out which splits lines at this mark: in Swedish it is a
    semicolon, and quotes in the middle of a cell are letters like others then."""
    rows = list(csv.reader(StringIO(text, newline="")))
    assert {len(row) for row in rows} == {9}, "every line has every column"
    if mark != ",":
        rows = list(csv.reader(text.splitlines(), delimiter=mark))
    return sorted({cell for row in rows for cell in row if cell.startswith(starts)})


def judge_headers(reply: TestResponse, payload: str, where: str) -> None:
    """Nothing of what was sent has become a header, or part of one; a way back is an address of ours."""
    for name, value in reply.headers:
        assert not {"\r", "\n", "\0"} & {*name, *value}, f"{where}: {name}: {value!r}"
        assert MARK not in name.lower(), f"{where}: {name}"
        if name == "Location":
            is_ours = value == "https://www.smhi.se/" or re.match(r"/(?![/\\])", value)
            assert is_ours, f"{where}: leads to {value}"
            assert value.isascii(), f"{where}: leads to {value}"
            assert value.isprintable(), f"{where}: leads to {value}"
        else:
            assert MARK not in value, f"{where}: {name}: {value}"
            assert payload not in value or len(payload) < 5, f"{where}: {name}: {value}"


def judge_pair(
    reply: TestResponse, twin: TestResponse, tame: Callable[[str], str], where: str, ours: re.Pattern[str] = OURS
) -> None:
    """Two replies that hold the same but for what is tamed."""
    assert reply.status_code == twin.status_code, f"{where} -> {reply.status_code}, its twin {twin.status_code}"
    assert reply.mimetype == twin.mimetype, where
    if reply.mimetype == "text/csv":
        assert not formulas(reply.text), where
    elif reply.mimetype == "application/json":
        json.loads(reply.text)
    elif reply.mimetype == "text/html":
        found, expected = events(scrubbed(reply), tame, ours), events(scrubbed(twin), tame, ours)
        assert found == expected, f"{where}: only here {found - expected}; only its twin {expected - found}"


def scrubbed(reply: TestResponse) -> str:
    """A page without what is made anew each time."""
    return _RANDOM.sub("", reply.text)


# The fields


@dataclass(frozen=True)
class Field:
    """Something that takes text, and how it is sent there."""

    name: str
    send: Callable[[str], TestResponse]


@dataclass
class Attack:
    """Somebody who knows every field of a town, and the town as it was before they came."""

    town: Town
    scene: Scene
    people: Mapping[str, Visitor]
    rewind: Rewind
    app: Flask
    #: Of the one who is signed in.
    password: str
    plain: dict[str, TestResponse] = field(default_factory=dict)
    asked: Counter[int] = field(default_factory=Counter)

    def fields(self) -> Iterator[Field]:
        """Everything that takes text."""
        for form in forms(self):
            yield from form.fields(self)
        for who, visitor in self.people.items():
            for rule in rules(self.app):
                if "GET" in (rule.methods or ()) and is_for_staff(rule.rule) == (who == "somebody signed in"):
                    yield from self._around(who, visitor, rule)
        for rule in rules(self.app):
            yield from self._arguments(rule)
        yield Field("a file with the form", self._file)

    def _around(self, who: str, visitor: Visitor, rule: Rule) -> Iterator[Field]:
        """What a browser says besides the address of a page."""
        path = self.scene.of(rule)
        yield Field(
            f"{who}: GET {rule.rule}, behind the question mark",
            lambda text: visitor.open("GET", path, query_string=_query(dict.fromkeys((*QUERIES, text), text))),
        )
        yield Field(f"{who}: GET {rule.rule}, headers", lambda text: _with_headers(self.app, visitor, path, text))

    def _arguments(self, rule: Rule) -> Iterator[Field]:
        """What stands in an address. A server passes it on decoded, one letter for each byte."""
        visitor = self.people["somebody signed in" if is_for_staff(rule.rule) else "a stranger"]
        for name in sorted(rule.arguments):
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                yield Field(
                    f"{method} {rule.rule}, <{name}>",
                    lambda text, name=name, method=method: visitor.open(  # type: ignore[misc]
                        method,
                        "/",
                        data={"csrf_token": self._token(visitor)} if method == "POST" else None,
                        environ_overrides={"PATH_INFO": as_bytes(self.scene.of(rule, **{name: text}))},
                    ),
                )

    def _file(self, text: str) -> TestResponse:
        part = BytesIO(text.encode())
        sent = {"submission": "a" * 32, "say": "5", "words": (part, text)}
        return self.people["a stranger"].open("POST", f"/{self.scene.values['key']}", data=sent)

    def _token(self, visitor: Visitor) -> str:
        return visitor.token() if visitor is self.people["somebody signed in"] else ""

    def judge(self, one: Field, payload: str) -> None:
        """Send a payload to a field, and compare what comes of it with what comes of its twin."""
        where = f"{one.name} with {payload!r}"
        reply = self._send(one, payload)
        assert reply.status_code < 500, f"{where} -> {reply.status_code}"
        judge_headers(reply, payload, where)
        assert CARRIED_OUT not in reply.text, f"{where}: a template was carried out"
        if one.name not in self.plain:
            self.plain[one.name] = self._send(one, PLAIN)
        plain = self.plain[one.name]
        if plain.status_code == reply.status_code and scrubbed(plain) == scrubbed(reply):
            return  # nothing of it is there
        for instead in "!@":  # where one of them is refused, the other may be let in
            twin = self._send(one, harmless(payload, instead))
            if twin.status_code == reply.status_code:
                judge_pair(reply, twin, lambda text, mark=instead: harmless(text, mark), where)  # type: ignore[misc]
                return
        raise AssertionError(f"{where} -> {reply.status_code}: no twin gets the same status")

    def _send(self, one: Field, text: str) -> TestResponse:
        """Send it, and let the town be as it was."""
        forget_failures(self.app)
        reply = one.send(text)
        self.asked[reply.status_code] += 1
        if self.rewind.is_changed:
            where = f"{one.name} with {text!r} -> {reply.status_code}"
            assert reply.status_code < 400, f"{where} has written something"
            self.rewind.back()
        return reply


def _query(fields: Mapping[str, str]) -> str:
    return urlencode(fields, errors="replace")


def as_bytes(text: str) -> str:
    return text.encode().decode("latin-1")


def _with_headers(app: Flask, visitor: Visitor, path: str, text: str) -> TestResponse:
    """The headers that a browser or a proxy fills in. A server lets no line end through; here it has."""
    names = ("ACCEPT_LANGUAGE", "USER_AGENT", "X_FORWARDED_FOR", "X_FORWARDED_HOST", "REFERER", "ORIGIN", "ACCEPT")
    names += ("X_REQUESTED_WITH", "X_FORWARDED_PREFIX", "IF_NONE_MATCH", "RANGE", "AUTHORIZATION", "X_ORIGINAL_URL")
    sent = {f"HTTP_{name}": as_bytes(text) for name in names}
    own = "=".join(visitor.cookie) if visitor.cookie else f"enkat={text}"
    sent["HTTP_COOKIE"] = f"{own}; {text}=1; x={text}".encode().decode("latin-1")
    return Visitor(app.test_client(use_cookies=False)).open("GET", path, environ_overrides=sent)


@dataclass(frozen=True)
class Form:
    """A form of a page: where it is sent, and what stands in each of its fields."""

    who: str
    visitor: Visitor
    action: str
    values: Mapping[str, str]

    def fields(self, attack: Attack) -> Iterator[Field]:
        """Each of its fields, bare and dressed; one that it does not have; and what stands behind its address."""
        path = urlsplit(self.action).path
        where = f"{self.who}: POST {_nameless(path)}"
        for name in self.values:
            for dress in {"{}", _DRESSED.get(name, "{}")}:
                yield Field(f"{where}, {name} as {dress}", self._sender(name, dress))
            # where everything else has to be mended, what is typed comes back
            yield Field(f"{where}, {name} alone", lambda text, name=name: self._sent(self._bare() | {name: text}))  # type: ignore[misc]
        yield Field(f"{where}, a field that it has not", lambda text: self._sent({**self.values, text: text}))
        asked = _query(dict.fromkeys(QUERIES, "\0")).replace("%00", "{}")
        yield Field(
            f"{where}, behind the question mark",
            lambda text: self.visitor.open(
                "POST", f"{path}?{asked.replace('{}', quote(text, safe=''))}", data=self.values
            ),
        )

    def _bare(self) -> dict[str, str]:
        return {name: value for name, value in self.values.items() if name == "csrf_token"}

    def _sender(self, name: str, dress: str) -> Callable[[str], TestResponse]:
        return lambda text: self._sent({**self.values, name: dress.replace("{}", text)})

    def _sent(self, values: Mapping[str, str]) -> TestResponse:
        return self.visitor.open("POST", self.action, data=values)


class Forms(HTMLParser):
    """The forms of a page, filled in with what it offers first."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self._select: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        attrs = {name: value or "" for name, value in attributes}
        if tag == "form":
            assert attrs.get("method") == "post", f"a form by {attrs.get('method')}: teach this test to send it"
            self.found.append((attrs.get("action", ""), {}))
        elif not self.found:
            return
        values, name = self.found[-1][1], attrs.get("name")
        if attrs.get("formaction"):
            self.found.insert(-1, (attrs["formaction"], values))
        if tag in ("input", "textarea", "button") and name:
            values.setdefault(name, attrs.get("value") or _USUAL.get(name, ""))
            values[name] = _USUAL[name] if name in _USUAL and attrs.get("type") != "hidden" else values[name]
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            values.setdefault(self._select, _USUAL.get(self._select, attrs.get("value", "")))


def forms(attack: Attack) -> list[Form]:
    """Every form of every page, once."""
    found: dict[tuple[str, str], Form] = {}
    scene = attack.scene
    used, _revoked = used_and_revoked(attack.town, scene.open)
    answers = {"submission": "a" * 32, "say": "5"}
    stranger = attack.people["a stranger"]
    stranger.open("POST", f"/{used}", data=answers)
    sent = [
        stranger.open("POST", f"/{scene.values['key']}", data={"submission": "c" * 32, "say": "5"}),  # thanks
        stranger.open("POST", f"/{used}?form=adult", data=answers | {"submission": "b" * 32}),  # taken
    ]
    for who, visitor in attack.people.items():
        pages = [visitor.open("GET", scene.of(rule)) for rule in rules(attack.app) if "GET" in (rule.methods or ())]
        for page in pages + (sent if who == "a stranger" else []):
            if page.mimetype == "text/html" and page.status_code not in range(300, 400):
                for action, values in Forms(page.text).found:
                    to = urljoin(page.request.path, action) if action else page.request.path
                    values |= {"old": attack.password} if "old" in values else {}
                    key = _nameless(urlsplit(to).path), ",".join(sorted(values))
                    found.setdefault(key, Form(who, visitor, to, values))
    attack.rewind.keep()
    return list(found.values())


def _nameless(path: str) -> str:
    """An address without the ids that are made anew at each run."""
    return re.sub(r"[0-9a-f]{16,}|(?<=^/)[0-9A-Z]{10}$", "…", path)
