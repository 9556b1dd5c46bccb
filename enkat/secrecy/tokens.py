"""Link keys and receipts: made, written, typed, looked up; and the marks a submission leaves.

A link has one key, ten characters of Crockford base32 (50 random bits): the same in the address, in the QR
code and typed by hand. The database knows it by a keyed hash, and sealed so that it can be shown again.
"""

import hashlib
import hmac
import re
import secrets
from random import Random

from enkat.secrecy import fields
from enkat.secrecy.keys import InstanceKeys

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOKALIKES = str.maketrans("OIL", "011")
_KEY_LENGTH = 10
_RECEIPT_LENGTH = 16
_SUBMISSION = re.compile(r"[A-Za-z0-9_-]{16,64}")


def new_key(source: Random | None = None) -> str:
    """A link key. Only the demonstration names a source, to be the same for the same seed."""
    return _letters((source or secrets.SystemRandom()).getrandbits(5 * _KEY_LENGTH), _KEY_LENGTH)


def normal_key(typed: str) -> str | None:
    """A key as it was made, from however it was typed or read; None where it cannot be one."""
    return _normal(typed, _KEY_LENGTH)


def spoken(code: str) -> str:
    """A key in two groups of five, a receipt in four groups of four."""
    size = 5 if len(code) == _KEY_LENGTH else 4
    return " ".join(code[start : start + size] for start in range(0, len(code), size))


def key_hash(keys: InstanceKeys, key: str) -> bytes:
    """What a link is looked up by; 32 bytes that lead back to no key without the pepper."""
    return _keyed(keys, "link", key)


def seal_key(keys: InstanceKeys, key: str, link: str) -> bytes:
    """A link key under the instance's key, bound to its link's id."""
    return fields.seal(keys.links, key, link)


def open_key(keys: InstanceKeys, sealed: bytes, link: str) -> str:
    """The link key again."""
    return fields.unseal(keys.links, sealed, link, "links")


def new_submission() -> str:
    """The random id of a form that is about to be shown."""
    return secrets.token_hex(16)


def is_submission(text: str) -> bool:
    """True for what can be a form's random id."""
    return _SUBMISSION.fullmatch(text) is not None


def claim(submission: str) -> bytes:
    """The mark on an invitation that this submission took it."""
    return hashlib.sha256(b"claim" + submission.encode()).digest()


def receipt(keys: InstanceKeys, submission: str) -> str:
    """What takes an answer back: the same for a repeated sending, and derivable only with the pepper."""
    digest = int.from_bytes(_keyed(keys, "receipt", submission))
    return _letters(digest, _RECEIPT_LENGTH)


def normal_receipt(typed: str) -> str | None:
    """A receipt as it was made, from however it was typed; None where it cannot be one."""
    return _normal(typed, _RECEIPT_LENGTH)


def receipt_hash(code: str) -> bytes:
    """What a ballot is looked up by when it is taken back."""
    return hashlib.sha256(code.encode()).digest()


def content_check(keys: InstanceKeys, submission: str, content: bytes) -> bytes:
    """A keyed hash by which an edited repeat of a submission is told from a true one. It cannot be tried
    against guessed answers, for the submission's id is stored nowhere."""
    return _keyed(keys, "content", submission + "\0", content)


def report_mark(keys: InstanceKeys, message: str) -> str:
    """What makes the address secret at which a service tells what became of a message; 32 hexadecimal digits."""
    return _keyed(keys, "report", message).hex()[:32]


def is_report_mark(keys: InstanceKeys, message: str, mark: str) -> bool:
    """Whether whoever sends a report was told its address."""
    return hmac.compare_digest(report_mark(keys, message).encode(), mark.encode())


def _keyed(keys: InstanceKeys, use: str, text: str, content: bytes = b"") -> bytes:
    return hmac.digest(keys.pepper, use.encode() + b"\0" + text.encode() + content, "sha256")


def _letters(number: int, length: int) -> str:
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in range(length))


def _normal(typed: str, length: int) -> str | None:
    code = re.sub(r"[\s\-‐-―]|[.,;:!)]+$", "", typed).upper().translate(_LOOKALIKES)
    return code if len(code) == length and all(letter in _ALPHABET for letter in code) else None
