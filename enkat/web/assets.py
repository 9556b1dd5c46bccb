"""Files of the staff pages, named by their content so that a browser may keep them for good."""

import gzip
import hashlib
import re
from functools import cache
from importlib.resources import files

from flask import Blueprint, abort, make_response, request
from werkzeug.wrappers import Response

from enkat.web import access
from enkat.web.context import house

pages = Blueprint("assets", __name__)

_CSS, _SCRIPT = "text/css; charset=utf-8", "text/javascript; charset=utf-8"

#: The name of each file -> the package and the parts that it is made of, and its type.
_FILES = {
    "staff.css": ("enkat", ("static/base.css", "static/staff.css"), _CSS),
    "staff.js": ("enkat", ("static/staff.js",), _SCRIPT),
    "results.css": ("enkat", ("static/results.css",), _CSS),
    "results.js": ("enkat", ("static/results.js",), _SCRIPT),
    "plotly.js": ("plotly", ("package_data/plotly.min.js",), _SCRIPT),
    "ring.svg": ("enkat", ("static/ring.svg",), "image/svg+xml"),
}

#: The sheet that every staff page has; the municipality's accent is set at its end.
_THEMED = "staff.css"

#: Large enough that it is worth keeping compressed. Nothing in these files is secret, so compressing tells nothing.
_COMPRESSED = frozenset({"plotly.js"})


@pages.get("/static/<version>/<name>")
@access.public
def asset(version: str, name: str) -> Response:
    """A file, kept for good under its version; an outdated version is not found."""
    if name not in _FILES or version != _version(name, house().brand.theme):
        abort(404)
    is_compressed = name in _COMPRESSED and request.accept_encodings["gzip"] > 0
    response = make_response(_compressed(name) if is_compressed else _content(name))
    response.headers["Content-Type"] = _FILES[name][2]
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    if name in _COMPRESSED:
        response.vary.add("Accept-Encoding")
    if is_compressed:
        response.headers["Content-Encoding"] = "gzip"
    return response


@pages.app_template_global("asset")
def path(name: str) -> str:
    """Where a page finds a file."""
    return f"/static/{_version(name, house().brand.theme)}/{name}"


@pages.app_template_global("chart_styles")
@cache
def chart_styles() -> tuple[str, ...]:
    """The ids of the style elements that plotly.js would add by itself, which the policy of our pages forbids. Where
    a page holds them ready, it fills the first through the style's own rules and lets the others, for maps, be."""
    maps = re.findall(rb'document\.getElementById\("([0-9a-f]{64})"\)', _content("plotly.js"))
    return ("plotly.js-style-global", *sorted({one.decode() for one in maps}))


def _content(name: str) -> bytes:
    """A file as it is. It is read anew each time: a browser asks for it once, and plotly.js is large."""
    package, parts, _type = _FILES[name]
    content = b"".join(files(package).joinpath(part).read_bytes() for part in parts)
    return content + house().brand.theme.encode() if name == _THEMED else content


@cache
def _compressed(name: str) -> bytes:
    return gzip.compress(_content(name), mtime=0)


@cache
def _version(name: str, _theme: str) -> str:
    return hashlib.sha256(_content(name)).hexdigest()[:16]
