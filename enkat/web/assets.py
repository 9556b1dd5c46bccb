"""Files of the staff pages, named by their content so that a browser may keep them for good."""

import hashlib
from functools import cache
from importlib.resources import files

from flask import Blueprint, abort, make_response
from werkzeug.wrappers import Response

from enkat.web import access

pages = Blueprint("assets", __name__)

#: The name of each file -> its parts and its type.
_FILES = {
    "staff.css": (("base.css", "staff.css"), "text/css; charset=utf-8"),
    "staff.js": (("staff.js",), "text/javascript; charset=utf-8"),
    "ring.svg": (("ring.svg",), "image/svg+xml"),
}


@pages.get("/static/<version>/<name>")
@access.public
def asset(version: str, name: str) -> Response:
    """A file, kept for good under its version; an outdated version is not found."""
    if name not in _FILES or version != _version(name):
        abort(404)
    response = make_response(_content(name))
    response.headers["Content-Type"] = _FILES[name][1]
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@pages.app_template_global("asset")
def path(name: str) -> str:
    """Where a page finds a file."""
    return f"/static/{_version(name)}/{name}"


@cache
def _content(name: str) -> bytes:
    return b"".join((files("enkat") / "static" / part).read_bytes() for part in _FILES[name][0])


@cache
def _version(name: str) -> str:
    return hashlib.sha256(_content(name)).hexdigest()[:16]
