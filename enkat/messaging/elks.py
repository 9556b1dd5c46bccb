"""SMS by 46elks: https://46elks.se/docs/send-sms."""

import json
import re
import ssl
from urllib.parse import urlencode

from enkat.messaging import http, numbers
from enkat.messaging.http import Answer, Service
from enkat.messaging.wire import PATIENCE, Patience
from enkat.model.message import Letter, Reason, SendingFailed, SmsGateway

#: A refusal that speaks of the field `to` or of who it was for. The bare word is too common to count in any sentence.
_TO = re.compile(
    r"""["'`]to["'`]|\bto\b\s*(?:[:=]|is|was|has|must|not|$)|\b(?:key|field|parameter|missing|invalid|bad|wrong|for)\s+to\b"""
    r"""|\b(?:recipient|destination|msisdn)s?\b""",
    re.IGNORECASE,
)
_FROM = re.compile(r"\b(?:from|sender)\b", re.IGNORECASE)
_NUMBER = re.compile(r"\b(?:number|phone)\w*", re.IGNORECASE)
_CREDIT = re.compile(r"credit|balance|funds", re.IGNORECASE)


class Elks:
    """46elks, or what speaks as it does."""

    signs_in_to_probe = True

    def __init__(
        self, gateway: SmsGateway, *, context: ssl.SSLContext | None = None, patience: Patience = PATIENCE
    ) -> None:
        self._gateway = gateway
        self._service = Service(gateway.url, gateway.user, gateway.password, context=context, patience=patience)

    def send(self, letter: Letter) -> None:
        """Hand an SMS over. Whatever 46elks answers with a 2xx, and however unreadable, it has taken: only its plain
        `failed` says otherwise. To send again what was taken would be worse than to believe it."""
        fields = {"from": self._gateway.sender, "to": numbers.dialled(letter), "message": letter.text}
        if letter.report:
            fields["whendelivered"] = letter.report
        answer = self._service.post(urlencode(fields).encode(), "application/x-www-form-urlencoded")
        if because := _reason(answer):
            raise http.failure(self._service.name, answer.status, because)

    def probe(self) -> None:
        """Ask for our own account."""
        try:
            answer = self._service.get(_account(self._service.path))
        except SendingFailed as failed:
            # Nothing was handed over that could have arrived.
            raise SendingFailed(Reason.UNREACHABLE, str(failed)) from failed
        because = http.reason(answer.status)
        if because and (because is Reason.CREDENTIALS or not 400 <= answer.status < 500):
            raise http.failure(self._service.name, answer.status, because)


def _account(path: str) -> str:
    """Where the account lies: beside the SMS."""
    return re.sub(r"/sms/?$", "/me", path, flags=re.IGNORECASE)


def _reason(answer: Answer) -> Reason | None:
    if answer.status in (400, 422):
        return _reason_in_words(answer.body.decode("utf-8", "replace"))
    if answer.status == 403 and _CREDIT.search(answer.body.decode("utf-8", "replace")):
        return Reason.CREDIT
    because = http.reason(answer.status)
    return Reason.REFUSED if because is None and _status(answer.body) == "failed" else because


def _reason_in_words(said: str) -> Reason:
    if _TO.search(said):
        return Reason.ADDRESS
    if _FROM.search(said):
        return Reason.SENDER
    return Reason.ADDRESS if _NUMBER.search(said) else Reason.REFUSED


def _status(body: bytes) -> str:
    """The status in an answer's JSON; empty where there is none."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return str(said.get("status", "")).lower() if isinstance(said, dict) else ""
