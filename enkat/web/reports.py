"""Where a service that sends tells what became of a message, at an address that it was told for that message alone."""

from flask import Blueprint, Response, request

from enkat import sending
from enkat.messaging.reports import outcome
from enkat.web import access
from enkat.web.context import db, house

pages = Blueprint("reports", __name__)


@pages.post("/report/<message>/<mark>")
@access.public
def report(message: str, mark: str) -> Response:
    """Take a report. The reply is always the same: it tells nothing of whether there is such a message, and a service
    that comes too late, or twice, does not come again."""
    gateway = house().settings.sms
    state = outcome(gateway, request.content_type or "", request.get_data()) if gateway else None
    if state:
        settings = house().settings
        sending.note_report(db(), house().keys, message, mark, state, settings.now(), settings.reminder_days)
    return Response(status=204, mimetype="text/plain")
