"""How a letter leaves the house. A transport has one verb and one exception: it sends, or it raises SendingFailed with
the reason."""

from typing import Protocol

from enkat.messaging.elks import Elks
from enkat.messaging.gateway import Gateway
from enkat.messaging.smtp import Smtp
from enkat.model.message import Letter, MailServer, SmsGateway, SmsProtocol


class Transport(Protocol):
    """A service that takes letters. It keeps nothing between two of them, so that threads may share it.
    `signs_in_to_probe` is true where a probe finds out that our sign-in is refused."""

    signs_in_to_probe: bool

    def send(self, letter: Letter) -> None:
        """Hand a letter over; SendingFailed where it was not taken, or may not have been."""

    def probe(self) -> None:
        """See whether the service is there and takes our sign-in, without sending anything; SendingFailed if not."""


def for_mail(server: MailServer) -> Transport:
    """The transport of e-mail; ValueError where the settings cannot be used."""
    return Smtp(server)


def for_sms(gateway: SmsGateway) -> Transport:
    """The transport of SMS; ValueError where the settings cannot be used."""
    return Elks(gateway) if gateway.protocol is SmsProtocol.ELKS else Gateway(gateway)
