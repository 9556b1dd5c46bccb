"""SMS by any service that takes a form or JSON over HTTPS, as the settings describe it."""

import json
import re
import ssl
from urllib.parse import urlencode

from enkat.messaging import http, numbers
from enkat.messaging.http import Service
from enkat.messaging.wire import PATIENCE, Patience
from enkat.model.message import Letter, Reason, SendingFailed, SmsGateway

_PLACE = re.compile(r"\{(to|text|sender|id|report)\}")


class Gateway:
    """An SMS service with a request of its own. Its headers may hold the places of its body, such as an id by which it
    knows a message that comes twice."""

    signs_in_to_probe = False

    def __init__(
        self, gateway: SmsGateway, *, context: ssl.SSLContext | None = None, patience: Patience = PATIENCE
    ) -> None:
        self._gateway = gateway
        self._service = Service(
            gateway.url, gateway.user, gateway.password, headers=gateway.headers, context=context, patience=patience
        )

    def send(self, letter: Letter) -> None:
        """Hand an SMS over. The status alone tells what became of it, for every service has words of its own."""
        values = {
            "to": numbers.dialled(letter),
            "text": letter.text,
            "sender": self._gateway.sender,
            "id": letter.id,
            "report": letter.report or "",
        }
        headers = {name: filled(value, values) for name, value in self._gateway.headers.items()}
        if not all(http.is_header(value) for value in headers.values()):
            raise SendingFailed(Reason.REFUSED, "a header with control characters or foreign letters is not sent")
        answer = self._service.post(*self._body(values), headers)
        if because := http.reason(answer.status):
            raise http.failure(self._service.name, answer.status, because)

    def probe(self) -> None:
        """See whether somebody is there; to try the sign-in would be to send something."""
        self._service.touch()

    def _body(self, values: dict[str, str]) -> tuple[bytes, str]:
        """The body and its type. A field that is there for the report alone is left out where none is wanted."""
        fields = {
            name: filled(template, values)
            for name, template in self._gateway.body.items()
            if values["report"] or template.strip() != "{report}"
        }
        if self._gateway.is_json:
            return json.dumps(fields).encode(), "application/json"
        return urlencode(fields).encode(), "application/x-www-form-urlencoded"


def filled(template: str, values: dict[str, str]) -> str:
    """A template with its places filled, all at once: a text that says `{to}` says so to whoever reads it."""
    return _PLACE.sub(lambda place: values[place[1]], template)
