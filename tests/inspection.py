"""A test client that inspects every page it fetches, as a careful reader would."""

import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

#: Addresses that may stand in a page without being fetched: the coordinator's own messages, and a phone's.
_SPOKEN = ("sms:", "mailto:", "tel:", "data:,")
#: The one address elsewhere that a page leads to, for the law wants it there: where a fault can be reported.
REPORTING = "https://www.digg.se/tdosanmalan"
_OUR_HOSTS = ("", "127.0.0.1:8000", "localhost")
_CONTROLS = {"input", "textarea", "select"}


class Page(HTMLParser):
    """What can be seen of a page without drawing it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.title = ""
        self.text = ""
        self._open: list[str] = []
        self._labelled = 0
        self.unlabelled: list[dict[str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        attrs = {name: value or "" for name, value in attributes}
        self.tags.append((tag, attrs))
        if tag not in {"meta", "link", "input", "br", "path", "circle"}:
            self._open.append(tag)
        if tag in _CONTROLS and attrs.get("type") not in {"hidden", "submit"} and "label" not in self._open:
            self.unlabelled.append(attrs)

    def handle_endtag(self, tag: str) -> None:
        while tag in self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "title" in self._open:
            self.title += data
        if not {"style", "script"} & set(self._open):
            self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every such tag."""
        return [attrs for name, attrs in self.tags if name == tag]

    def form_values(self) -> dict[str, str]:
        """The hidden fields of the page's forms."""
        return {a["name"]: a.get("value", "") for a in self.all("input") if a.get("type") == "hidden" and "name" in a}


class InspectingClient(FlaskClient):
    """Asserts of every HTML page: one heading, a title, a language, unique ids, labels, headers, no other host."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = super().open(*args, **kwargs)
        inspect_headers(response)
        if response.mimetype == "text/html" and response.status_code not in range(300, 400):
            inspect_page(response)
        return response

    def submit(self, path: str, **fields: Any) -> TestResponse:
        """Fetch a page, fill in its form with what is given beside its hidden fields, and send it."""
        return self.post(path, data=Page(self.get(path).text).form_values() | fields)

    def press(self, page: str, action: str, **fields: Any) -> TestResponse:
        """Send a form of a page that leads elsewhere: its hidden fields, to the action."""
        return self.post(action, data=Page(self.get(page).text).form_values() | fields)


def is_for_staff(path: str) -> bool:
    """Whether an address is the staff's: theirs alone may set a cookie and depend on one. Results are for them too.
    Written by hand, apart from what the pages themselves take for theirs."""
    return path.startswith(("/staff", "/results/")) or path in ("/results", "/results.csv")


def inspect_headers(response: TestResponse) -> None:
    """The headers that every reply has."""
    headers = response.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in headers["X-Robots-Tag"]
    is_asset = response.request.path.startswith("/static/") and response.status_code == 200
    assert ("immutable" if is_asset else "no-store") in headers["Cache-Control"]
    if not is_for_staff(response.request.path):
        assert "Set-Cookie" not in headers
        assert "Cookie" not in headers.get("Vary", "")


def inspect_page(response: TestResponse) -> None:
    """What every page keeps to."""
    if response.request.path.endswith("/progress"):
        return  # a fragment for the page that fetches it
    page = Page(response.text)
    where = f"{response.request.path} ({response.status_code})"
    assert len(page.all("h1")) == 1, f"{where}: one h1"
    assert page.title.strip(), f"{where}: a title"
    html = page.all("html")[0]
    assert html.get("lang"), f"{where}: a language"
    assert html.get("dir") in ("ltr", "rtl"), f"{where}: a direction"
    doubled = [name for name, count in Counter(a["id"] for _t, a in page.tags if "id" in a).items() if count > 1]
    assert not doubled, f"{where}: ids stand twice: {doubled}"
    ids = {a["id"] for _t, a in page.tags if "id" in a}
    astray = [a["href"] for a in page.all("a") if a.get("href", "").startswith("#") and a["href"][1:] not in ids]
    assert not astray, f"{where}: links to {astray} lead nowhere"
    labels = {attrs.get("for") for attrs in page.all("label")}
    for control in page.unlabelled:
        named = control.get("id") in labels or control.get("aria-label") or control.get("aria-labelledby")
        assert named, f"{where}: {control} has no label"
    for tag, attrs in page.tags:
        for name in ("href", "src", "action", "srcset", "poster"):
            address = attrs.get(name, "")
            if not address.startswith(_SPOKEN) and (tag, name, address) != ("a", "href", REPORTING):
                assert urlsplit(address).netloc in _OUR_HOSTS, f"{where}: <{tag} {name}={address}> leaves this host"
        assert "style" not in attrs, f"{where}: <{tag}> has a style attribute"
        assert not [name for name in attrs if name.startswith("on")], f"{where}: <{tag}> has a handler"
    assert not re.search(r"Traceback|sqlite3|werkzeug|jinja2", response.text, re.IGNORECASE), (
        f"{where}: the inside shows"
    )
