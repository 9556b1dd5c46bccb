"""What every reply carries: headers that keep pages to themselves, and the style and script within the page.

A participant's page is one reply, style and script inside it and allowed by their hashes: nothing is fetched a
second time on a bad network, and nothing stays in the phone's cache.
"""

import base64
import gzip
import hashlib
import re
from functools import cache
from importlib.resources import files

from flask import Response, g, request
from markupsafe import Markup
from rjsmin import jsmin

from enkat.web.context import house, on_staff_pages

_PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        "camera",
        "geolocation",
        "microphone",
        "payment",
        "usb",
        "browsing-topics",
        "interest-cohort",
    )
)
_GZIP_FROM = 800


def secure(response: Response) -> Response:
    """Set the headers of a reply; runs after every view."""
    headers = response.headers
    headers["Content-Security-Policy"] = _policy("has_chart" in g, house().brand.theme)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Permissions-Policy"] = _PERMISSIONS
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["X-Robots-Tag"] = "noindex, nofollow"
    headers.setdefault("Cache-Control", "no-store")
    if house().settings.has_tls:
        headers["Strict-Transport-Security"] = "max-age=63072000"
    return _compress(response)


def page_style() -> Markup:
    """The style of participants' pages, without comments and needless space."""
    return _style(house().brand.theme)


@cache
def _style(theme: str) -> Markup:
    text = "".join((files("enkat") / "static" / name).read_text("utf-8") for name in ("base.css", "participant.css"))
    text += theme
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return Markup(re.sub(r"\s*([{};,])\s*", r"\1", re.sub(r"\s+", " ", text)).strip())


@cache
def page_script() -> Markup:
    """The script of participants' pages, without comments and needless space."""
    return Markup(jsmin((files("enkat") / "static" / "participant.js").read_text("utf-8")))


@cache
def _policy(has_chart: bool, theme: str) -> str:
    """The policy of a page. A chart fills an empty style element that the page holds ready for it, and makes its
    picture from a blob."""
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src 'self' {_source(_style(theme))}{f' {_source(Markup())}' if has_chart else ''}",
            f"script-src 'self' {_source(page_script())}",
            f"img-src 'self' data:{' blob:' if has_chart else ''}",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _compress(response: Response) -> Response:
    """Gzip what participants get. Staff pages stay as they are: they mix secrets (the CSRF token) with what
    somebody typed, and the length of a compressed page would give the secrets away."""
    if (
        (on_staff_pages() and "has_chart" not in g)
        or not request.accept_encodings["gzip"]
        or response.direct_passthrough
        or response.is_streamed
        or "Content-Encoding" in response.headers
        or len(response.get_data()) < _GZIP_FROM
    ):
        return response
    response.set_data(gzip.compress(response.get_data(), compresslevel=4, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    return response
