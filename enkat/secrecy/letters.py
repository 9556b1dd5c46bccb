"""What waits in the outbox, sealed under a key outside the database until it is sent."""

import json

from enkat.model.message import Letter
from enkat.secrecy import fields
from enkat.secrecy.keys import InstanceKeys


def seal(keys: InstanceKeys, letter: Letter) -> bytes:
    """A letter with its address, bound to its message's id."""
    content = {
        "to": letter.to,
        "text": letter.text,
        "language": letter.language,
        "subject": letter.subject,
        "html": letter.html,
    }
    return fields.seal(keys.contacts, json.dumps(content), letter.id)


def unseal(keys: InstanceKeys, sealed: bytes, message: str) -> Letter:
    """The letter again; KeyFileError where it was sealed under another key, or for another message."""
    return Letter(id=message, **json.loads(fields.unseal(keys.contacts, sealed, message, "contacts")))
