"""Where somebody can be reached: phone numbers and e-mail addresses, however they are written or pasted."""

import unicodedata

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from enkat.model.errors import Refused
from enkat.model.meeting import Channel

#: Whose numbers are written without a code of the country.
_COUNTRY = "SE"

#: Numbers that cannot get an SMS.
_WITHOUT_SMS = frozenset(
    [
        *(PhoneNumberType.FIXED_LINE, PhoneNumberType.TOLL_FREE, PhoneNumberType.PREMIUM_RATE),
        *(PhoneNumberType.SHARED_COST, PhoneNumberType.UAN, PhoneNumberType.VOICEMAIL),
    ]
)

_LONGEST = 254

_PHONE_MARKS = frozenset(" \u00a0()-‐‑–./+")


def read(text: str) -> tuple[Channel, str]:
    """The channel and the address as it is kept: a number as +46701234567, a mail address with the small letters of its
    domain. Refused, in words that do not repeat what was written, where nothing can be sent there."""
    text = _shown(text)
    return (Channel.EMAIL, _mail(text)) if "@" in text else (Channel.SMS, _phone(text))


def masked(channel: Channel, address: str) -> str:
    """Enough of an address to know it again by: +46 ·· ··· 567, k···@example.se."""
    if channel is Channel.SMS:
        return f"{address[:3]} ··· {address[-3:]}"
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}···@{domain}"


def _shown(text: str) -> str:
    """A text without the marks of direction that phones put round a number that is copied."""
    return "".join(mark for mark in text if unicodedata.category(mark) != "Cf").strip()


def _phone(text: str) -> str:
    wrong = Refused("contact_phone", "that is not a phone number such as 070-123 45 67 or +46701234567")
    if len(text) > _LONGEST or not all(mark.isdecimal() or mark in _PHONE_MARKS for mark in text):
        raise wrong
    try:
        number = phonenumbers.parse(text, _COUNTRY)
    except NumberParseException:
        raise wrong from None
    if not phonenumbers.is_valid_number(number):
        raise wrong
    if phonenumbers.number_type(number) in _WITHOUT_SMS:
        raise Refused("contact_landline", "that is no mobile phone's number, and no SMS can be sent to it")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _mail(text: str) -> str:
    """Names of domains are written in the letters that every mail server knows; nothing is asked over the network."""
    try:
        found = validate_email(text, check_deliverability=False, allow_smtputf8=False, globally_deliverable=False)
    except EmailNotValidError:
        raise Refused("contact_email", "that is not an e-mail address such as kim@example.se") from None
    address = found.ascii_email or ""
    if "." not in found.domain or len(found.local_part) > 64 or len(address) > _LONGEST or not address.isprintable():
        raise Refused("contact_email", "that is not an e-mail address such as kim@example.se")
    return address
