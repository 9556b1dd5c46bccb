"""What is sent, judged before anything reads it: not larger than a form can be, and readable."""

from urllib.parse import unquote_to_bytes

from flask import abort, current_app, request


def judge() -> None:
    """Refuse a body that is too large (413) or not UTF-8 (400). Werkzeug would cut a body without a stated
    length short in silence, and keep broken UTF-8 as percent signs in somebody's answer."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    body = request.get_data()
    if len(body) >= current_app.config["MAX_CONTENT_LENGTH"]:
        abort(413)
    if request.endpoint == "reports.report":
        return  # whatever a service sends, it is read with care, and thanked for
    try:
        if request.mimetype == "application/x-www-form-urlencoded":
            unquote_to_bytes(body).decode("utf-8")
        if None in request.form:  # a part without a name, which breaks WTForms, and others break Werkzeug's reader
            abort(400)
    except (LookupError, ValueError):
        abort(400)
