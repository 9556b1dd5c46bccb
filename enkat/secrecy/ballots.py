"""Ballots: an answer sealed to its meeting's public key (HPKE, RFC 9180), padded to one size.

Nobody can open one without the meeting's private key, which lies outside the database and is destroyed at the
count; the meeting's id is bound in, so that a ballot moved to another meeting does not open there.
"""

import json
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from enkat.model.errors import KeyFileError
from enkat.model.survey import BALLOT_BYTES, Answer, Missing, Role, Stage, Submission

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_LENGTH_BYTES = 4

#: Every sealed ballot has this size: the box, X25519's 32 bytes and the tag's 16.
SEALED_BYTES = BALLOT_BYTES + 48


def content(submission: Submission) -> bytes:
    """What is sealed: the answers and what the count must know of them; not the submission's id."""
    return json.dumps(
        {
            "questionnaire": submission.questionnaire,
            "version": submission.version,
            "role": submission.role,
            "stage": submission.stage,
            "language": submission.language,
            "answers": {item: _packed(answer) for item, answer in sorted(submission.answers.items())},
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()


def seal(public_key: bytes, meeting: str, inside: bytes) -> bytes:
    """A ballot of SEALED_BYTES; ValueError where the content is larger than the box."""
    if len(inside) > BALLOT_BYTES - _LENGTH_BYTES:
        raise ValueError(f"{len(inside)} bytes do not fit a ballot")
    padded = (len(inside).to_bytes(_LENGTH_BYTES) + inside).ljust(BALLOT_BYTES, b"\0")
    return _SUITE.encrypt(padded, X25519PublicKey.from_public_bytes(public_key), _info(meeting))


def unseal(private_key: bytes, meeting: str, sealed: bytes) -> Submission:
    """The answers again, under no id; KeyFileError where the key is not this meeting's."""
    try:
        padded = _SUITE.decrypt(sealed, X25519PrivateKey.from_private_bytes(private_key), _info(meeting))
    except InvalidTag as error:
        raise KeyFileError(
            f"keys/meetings/{meeting} does not open its ballots; restore both from one backup"
        ) from error
    length = int.from_bytes(padded[:_LENGTH_BYTES])
    inside = json.loads(padded[_LENGTH_BYTES : _LENGTH_BYTES + length])
    return Submission(
        id="",
        questionnaire=inside["questionnaire"],
        version=inside["version"],
        role=Role(inside["role"]),
        stage=Stage(inside["stage"]),
        language=inside["language"],
        answers={item: _unpacked(answer) for item, answer in inside["answers"].items()},
    )


def fits(private_key: bytes, public_key: bytes) -> bool:
    """True where the two are halves of one pair."""
    return X25519PrivateKey.from_private_bytes(private_key).public_key().public_bytes_raw() == public_key


def _info(meeting: str) -> bytes:
    return b"enkat ballot 1 " + meeting.encode()


def _packed(answer: Answer) -> dict[str, Any]:
    parts = {"value": answer.value, "text": answer.text, "missing": answer.missing}
    return {name: part for name, part in parts.items() if part is not None}


def _unpacked(packed: dict[str, Any]) -> Answer:
    missing = packed.get("missing")
    return Answer(packed.get("value"), packed.get("text"), Missing(missing) if missing else None)
