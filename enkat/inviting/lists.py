"""A list of those who are to get a link, pasted or read from a file: each row is judged, and a bad one is named."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from enkat import addresses
from enkat.inviting.outbox import Recipient
from enkat.model.errors import Refused
from enkat.model.meeting import MOST_PLACES, Channel
from enkat.model.survey import Role

#: What stands between the columns of a row; a comma too, for no number or address holds one.
_BETWEEN = re.compile(r"[\t;,]")

#: Rows of one list: no meeting has more people.
MOST_ROWS = len(Role) * MOST_PLACES

#: A group, and the questionnaire where the group has several.
Group = tuple[Role, str | None]


@dataclass(frozen=True)
class Words:
    """What may stand after an address: names of groups and of languages, in small letters."""

    groups: Mapping[str, Group]
    languages: Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """One row: its number in the list, what is written there, and either who is to get a link or why nobody can."""

    number: int
    written: str
    recipient: Recipient | None = None
    refusal: Refused | None = None


def read(
    text: str,
    words: Words,
    usual: Group,
    language: str,
    known: frozenset[tuple[Channel, str]] = frozenset(),
    channels: frozenset[Channel] = frozenset(Channel),
) -> list[Row]:
    """The rows of a list: an address, then perhaps a group and a language, else those that are usual. `known` are
    addresses that have a link of this meeting already, `channels` what can be sent by. Refused where there is no row at
    all, or far too many."""
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if lines and _is_heading(lines[0][1]):
        del lines[0]
    if not lines:
        raise Refused("list_empty", "the list is empty; write a number or an address on each row")
    if len(lines) > MOST_ROWS:
        raise Refused("list_long", f"a list has at most {MOST_ROWS} rows, this one {len(lines)}")
    rows, seen = [], set[tuple[Channel, str]]()
    for number, line in lines:
        row = _judged(number, line, words, usual, language)
        if row.recipient:
            address = (row.recipient.channel, row.recipient.address)
            row = _unless_known(row, address in known, address in seen)
            if row.recipient and row.recipient.channel not in channels:
                row = Row(number, line, refusal=Refused("no_service", "no service is set up that sends there"))
            seen.add(address)
        rows.append(row)
    return rows


def _is_heading(line: str) -> bool:
    """A first row of several columns, none of which could be an address: their names."""
    return (
        bool(_BETWEEN.search(line))
        and not any(mark.isdigit() or mark == "@" for mark in line)
        and not ("(" in line or "[" in line)
    )


def _judged(number: int, line: str, words: Words, usual: Group, language: str) -> Row:
    written, *columns = [part.strip().strip('"').strip() for part in _BETWEEN.split(line)]
    try:
        channel, address = _address(written)
        (role, questionnaire), language = _columns([one for one in columns if one], words, usual, language)
    except Refused as refusal:
        return Row(number, line, refusal=refusal)
    return Row(number, line, Recipient(role, channel, address, language, questionnaire))


def _address(written: str) -> tuple[Channel, str]:
    """An address as mail programs and web pages write it too: `Kim <kim@example.se>`, `tel:`, with a full stop after
    it. A name before it is read over, and not kept."""
    bracketed = re.fullmatch(r"[^<>]*<([^<>]+)>", written)
    bare = re.sub(r"(?i)^(?:tel|sms|mailto):\s*", "", bracketed[1] if bracketed else written).rstrip(" .")
    try:
        return addresses.read(bare)
    except Refused as refusal:
        if refusal.reason == "contact_phone" and any(mark.isalpha() for mark in bare):
            raise Refused("list_name", "only a number or an address can stand there, no name") from None
        raise


def _columns(columns: list[str], words: Words, group: Group, language: str) -> tuple[Group, str]:
    """What stands after the address, in whichever order."""
    for column in columns:
        said = " ".join(column.casefold().split())
        if said in words.groups:
            group = words.groups[said]
        elif said in words.languages:
            language = words.languages[said]
        elif "@" in column or sum(mark.isdigit() for mark in column) > 5:
            raise Refused("list_two", "two addresses stand on one row")
        else:
            raise Refused("list_column", "after the address only a group and a language can stand")
    return group, language


def _unless_known(row: Row, is_known: bool, is_seen: bool) -> Row:
    if is_seen:
        return Row(row.number, row.written, refusal=Refused("list_twice", "the address stands on an earlier row"))
    if is_known:
        return Row(row.number, row.written, refusal=Refused("list_known", "the address has a link of this meeting"))
    return row
