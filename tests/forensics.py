"""What an insider does with copies of the database: she reads the file as it lies on the disk, sets what she saw
beside what she finds, and guesses. `test_forensics.py` says what she knows and has, and judges her guesses.

Role, language and form are known of a person and stand with a response. So every attack only decides within a group
that is alike in them, and by chance one of each group is recognised, however large the group is.
"""

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import permutations, product
from math import comb, factorial
from random import Random
from typing import Any

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray
from scipy import stats

from enkat.model.errors import KeyFileError
from enkat.secrecy import ballots as sealing

Row = dict[str, Any]
Windows = NDArray[np.uint64]

#: The tables in which counted answers stand. All others are read whatever they are called.
_COUNTED = ("response", "answer")

#: How far from a response's row a find still counts as beside it.
_NEAR = 64

#: Counters at fixed places of SQLite's file header: bytes from, bytes to.
_HEADER = {
    "change counter": (24, 28),
    "pages": (28, 32),
    "free pages": (36, 40),
    "schema cookie": (40, 44),
    "user version": (60, 64),
}

_INDEX_LEAF, _TABLE_LEAF, _INDEX_INSIDE, _TABLE_INSIDE = 10, 13, 2, 5


# The file, read without SQLite


@dataclass(frozen=True)
class Cell:
    """One row of a table or an index, and where it lies."""

    tree: str
    page: int
    place: int
    turn: int
    rowid: int | None
    payload: bytes


class Anatomy:
    """A database file: its cells with their places, and whatever lies between and behind them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.page_size = int.from_bytes(data[16:18]) if data[16:18] != b"\0\1" else 65536
        self._usable = self.page_size - data[20]
        self._used = bytearray(len(data))
        self._used[:100] = b"\1" * 100
        self.cells: list[Cell] = []
        self._walk("sqlite_master", 1)
        for name, root in _roots(data):
            self._walk(name, root)

    @cached_property
    def slack(self) -> bytes:
        """The file with all that is in use blotted out: free pages, freed cells, gaps and the ends of pages."""
        used = np.frombuffer(self._used, np.uint8)
        return bytes(np.where(used == 0, np.frombuffer(self.data, np.uint8), 0).astype(np.uint8))

    def _number(self, at: int, size: int) -> int:
        return int.from_bytes(self.data[at : at + size])

    def _varint(self, at: int) -> tuple[int, int]:
        """SQLite's own way of writing a number; and where it ends."""
        value = 0
        for step in range(8):
            byte = self.data[at + step]
            value = value << 7 | byte & 127
            if byte < 128:
                return value, at + step + 1
        return value << 8 | self.data[at + 8], at + 9

    def _take(self, start: int, end: int) -> None:
        self._used[start:end] = b"\1" * (end - start)

    def _walk(self, tree: str, page: int) -> None:
        base = (page - 1) * self.page_size
        head = base + (100 if page == 1 else 0)
        kind, number = self.data[head], self._number(head + 3, 2)
        is_inside = kind in (_INDEX_INSIDE, _TABLE_INSIDE)
        pointers = head + (12 if is_inside else 8)
        self._take(head, pointers + 2 * number)
        for turn in range(number):
            at = base + self._number(pointers + 2 * turn, 2)
            self._cell(tree, page, turn, at, kind)
            if is_inside:
                self._walk(tree, self._number(at, 4))
        if is_inside:
            self._walk(tree, self._number(head + 8, 4))

    def _cell(self, tree: str, page: int, turn: int, start: int, kind: int) -> None:
        at, rowid = start + (4 if kind in (_INDEX_INSIDE, _TABLE_INSIDE) else 0), None
        if kind == _TABLE_INSIDE:
            self._take(start, self._varint(at)[1])
            return
        size, at = self._varint(at)
        if kind == _TABLE_LEAF:
            rowid, at = self._varint(at)
        here = self._local(size, kind)
        payload, end = self.data[at : at + here], at + here
        if here < size:
            payload += self._overflow(self._number(end, 4), size - here)
            end += 4
        self._take(start, max(end, start + 4))
        self.cells.append(Cell(tree, page, at, turn, rowid, payload))

    def _local(self, size: int, kind: int) -> int:
        """How much of a row lies on its own page."""
        most = self._usable - 35 if kind == _TABLE_LEAF else (self._usable - 12) * 64 // 255 - 23
        if size <= most:
            return size
        least = (self._usable - 12) * 32 // 255 - 23
        part = least + (size - least) % (self._usable - 4)
        return part if part <= most else least

    def _overflow(self, page: int, left: int) -> bytes:
        parts = []
        while page and left > 0:
            base, part = (page - 1) * self.page_size, min(left, self._usable - 4)
            self._take(base, base + 4 + part)
            parts.append(self.data[base + 4 : base + 4 + part])
            page, left = self._number(base, 4), left - part
        return b"".join(parts)


def _roots(data: bytes) -> list[tuple[str, int]]:
    with closing(_opened(data)) as db:
        return db.execute("select name, rootpage from sqlite_master where rootpage > 0").fetchall()


def _opened(data: bytes) -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    db.deserialize(data)
    return db


def tables(data: bytes) -> dict[str, list[Row]]:
    """Every table there is with its rows, whatever it is called."""
    with closing(_opened(data)) as db:
        names = [name for (name,) in db.execute("select name from sqlite_master where type = 'table'")]
        return {name: _rows(db, name) for name in names}


def _rows(db: sqlite3.Connection, table: str) -> list[Row]:
    columns = [column[1] for column in db.execute(f"pragma table_info({table})")]
    return [dict(zip(columns, row, strict=True)) for row in db.execute(f"select * from {table}")]


def raw(value: object) -> bytes:
    """A value as it stands in the file."""
    return value if isinstance(value, bytes) else str(value).encode()


# What the insider has


@dataclass(frozen=True)
class Person:
    """Somebody who was at the meeting, as the insider knows them: `known` is what also stands with a response, and
    `link` the personal link that was handed to them. By `words` she recognises what they wrote, where she reads it."""

    name: str
    known: Mapping[str, str]
    words: str
    link: str | None = None


@dataclass(frozen=True)
class Copy:
    """The instance's folder after one act: every file by name with size and time, the content of those that hold no
    key, and what was logged and printed meanwhile. `person` is whoever answered in that minute."""

    act: str
    person: str | None
    database: str
    files: Mapping[str, tuple[int, int]]
    contents: Mapping[str, bytes]
    said: str

    @property
    def data(self) -> bytes:
        return self.contents[self.database]

    @cached_property
    def rows(self) -> dict[str, list[Row]]:
        return tables(self.data)

    @cached_property
    def keys(self) -> dict[str, set[tuple[Any, ...]]]:
        """The same rows, to be looked up."""
        return {table: {tuple(row.values()) for row in held} for table, held in self.rows.items()}

    @cached_property
    def anatomy(self) -> Anatomy:
        return Anatomy(self.data)


@dataclass
class Evidence:
    """Everything the insider has. `people` are in the order in which they answered; `copies` go from before the first
    answer to before the count, `counted` is from just after it and `final` from after the background work; `responses`
    are this meeting's; `keys` are other meetings'."""

    meeting: str
    people: list[Person]
    copies: list[Copy]
    counted: Copy
    final: Copy
    responses: dict[str, Row]
    keys: list[bytes] = field(default_factory=list)

    def minute(self, person: str) -> tuple[Copy, Copy]:
        """The copies from before and after somebody's answer: the last one that they sent."""
        number = max(at for at, copy in enumerate(self.copies) if copy.person == person)
        return self.copies[number - 1], self.copies[number]

    @cached_property
    def appeared(self) -> dict[str, dict[str, list[Row]]]:
        """Which rows of which table were new in the minute of each person."""
        return {person.name: new_rows(*self.minute(person.name)) for person in self.people}

    @cached_property
    def opened(self) -> dict[str, list[tuple[str, int | None]]]:
        """What was said in the ballots that could be opened."""
        return _try_ballots(self)

    @cached_property
    def groups(self) -> list[tuple[list[str], list[str]]]:
        """People and responses that are alike in role, language and form."""
        found: dict[tuple[object, ...], tuple[list[str], list[str]]] = {}
        columns = [name for name in self.people[0].known if name in next(iter(self.responses.values()))]
        for person in self.people:
            found.setdefault(tuple(person.known[name] for name in columns), ([], []))[0].append(person.name)
        for response, row in self.responses.items():
            found.setdefault(tuple(row[name] for name in columns), ([], []))[1].append(response)
        return list(found.values())


def new_rows(before: Copy, after: Copy) -> dict[str, list[Row]]:
    """The rows of each table that the earlier copy does not have."""
    return {
        table: new
        for table, held in after.rows.items()
        if (new := [row for row in held if tuple(row.values()) not in before.keys.get(table, ())])
    }


# The attacks: each is a family of ways, and each way a guess

#: People and responses of each group, set side by side.
Guess = list[tuple[list[str], list[str]]]
Way = tuple[str, Guess]
Order = Mapping[str, Any]


class Insider:
    """The guesses. Where a way says nothing she tosses a coin."""

    def __init__(self, evidence: Evidence, chance: Random) -> None:
        self.evidence = evidence
        self.chance = chance
        self.people = [person.name for person in evidence.people]
        self.ids = {response: response.encode() for response in evidence.responses}

    def guesses(self, attacks: "Sequence[Attack]") -> Iterator[tuple[str, str, Guess]]:
        """Every way of every attack: the attack, the way, and the guess."""
        for attack in attacks:
            for way, guess in attack(self):
                yield attack.__name__.replace("_", " "), way, guess

    def by_order(self, people: Order, responses: Order) -> Guess:
        """Set the first beside the first; those of whom an order says nothing come anywhere."""
        return [(self._sorted(names, people), self._sorted(ids, responses)) for names, ids in self.evidence.groups]

    def _sorted(self, names: Sequence[str], order: Order) -> list[str]:
        known = [name for name in self._shuffled(names) if name in order]
        found = sorted(known, key=order.__getitem__)
        for name in names:
            if name not in order:
                found.insert(self.chance.randint(0, len(found)), name)
        return found

    def by_likeness(self, likeness: Callable[[str, str], float]) -> Guess:
        """Set side by side what together is most alike."""
        guess = []
        for names, ids in self.evidence.groups:
            people, responses = self._shuffled(names), self._shuffled(ids)
            alike = {(one, other): likeness(one, other) for one in people for other in responses}
            ways = self._shuffled(list(permutations(responses)))
            best = max(ways, key=lambda way: sum(alike[pair] for pair in zip(people, way, strict=True)))
            guess.append((people, list(best)))
        return guess

    def _shuffled(self, some: Sequence[Any]) -> list[Any]:
        return self.chance.sample(list(some), len(some))

    # What is known of people

    @cached_property
    def minutes(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.people)}

    @cached_property
    def columns(self) -> dict[str, dict[str, Any]]:
        """Values of the one row of a table that was new in each person's minute, by table and column."""
        found: dict[str, dict[str, Any]] = {}
        for name, new in self.evidence.appeared.items():
            for table, held in new.items():
                if len(held) == 1 and table not in _COUNTED:
                    for column, value in held[0].items():
                        if value is not None:
                            found.setdefault(f"{table}.{column}", {})[name] = value
        return {
            column: told
            for column, told in found.items()
            if len(told) > 2 and len(set(told.values())) == len(told) and len({type(one) for one in told.values()}) == 1
        }

    @cached_property
    def boxes(self) -> dict[str, dict[str, Any]]:
        """Where in the last copy before the count the rows lie that were new in each person's minute."""
        held = self.evidence.copies[-1].anatomy.cells
        found: dict[str, dict[str, Any]] = {}
        for column, told in self.columns.items():
            if column.endswith(".id"):
                trees = [cell for cell in held if cell.tree == column.removesuffix(".id")]
                for name, value in told.items():
                    for cell in (cell for cell in trees if raw(value) in cell.payload):
                        found.setdefault(f"place of {column}", {})[name] = cell.place
        return found

    @cached_property
    def orders(self) -> dict[str, Order]:
        """Every order in which people can be set."""
        return {"minute": self.minutes} | self.columns | self.boxes

    @cached_property
    def marks(self) -> dict[str, list[bytes]]:
        """What was new in each person's minute, and in nobody else's, and their personal link."""
        links = {str(row["id"]): row for copy in self.evidence.copies for row in copy.rows.get("link", ())}
        found = {name: values(rows for rows in new.values()) for name, new in self.evidence.appeared.items()}
        for person in self.evidence.people:
            found[person.name] |= values([[links[person.link]]]) if person.link in links else set()
        times = Counter(mark for marks in found.values() for mark in marks)
        return {name: [mark for mark in marks if times[mark] == 1] for name, marks in found.items()}

    # What is known of responses

    def cells(self, copy: Copy) -> dict[str, list[tuple[str, Cell]]]:
        """The rows of each table and index that hold a response's id."""
        found: dict[str, list[tuple[str, Cell]]] = {}
        for cell in copy.anatomy.cells:
            for response, mark in self.ids.items():
                if mark in cell.payload:
                    found.setdefault(cell.tree, []).append((response, cell))
        return found

    @cached_property
    def lying(self) -> dict[str, dict[str, list[tuple[str, Cell]]]]:
        return {"counted": self.cells(self.evidence.counted), "rewritten": self.cells(self.evidence.final)}

    def places(self, where: Callable[[Cell], Any]) -> dict[str, Order]:
        """An order of responses for each table and index in the copy from just after the count and in the last."""
        found: dict[str, dict[str, Any]] = {}
        for copy, trees in self.lying.items():
            for tree, held in trees.items():
                order = found.setdefault(f"{tree}, {copy}", {})
                for response, cell in held:
                    order[response] = min(order.get(response, where(cell)), where(cell))
        return found

    @cached_property
    def weights(self) -> dict[str, Order]:
        """How large each response is: in bytes, rows, answers on a scale, reasons for none, and letters."""
        answers = self.evidence.final.rows.get("answer", [])
        own = {response: [row for row in answers if row["response"] == response] for response in self.ids}
        stored = dict.fromkeys(self.ids, 0)
        for response, cell in (one for held in self.lying["counted"].values() for one in held):
            stored[response] += len(cell.payload)
        return {
            "bytes": stored,
            "rows": {one: len(rows) for one, rows in own.items()},
            "values": {one: sum(row["value"] is not None for row in rows) for one, rows in own.items()},
            "reasons": {one: sum(bool(row.get("missing")) for row in rows) for one, rows in own.items()},
            "letters": {one: sum(len(row.get("text") or "") for row in rows) for one, rows in own.items()},
        }


def values(tables_of_rows: Iterable[Iterable[Row]]) -> set[bytes]:
    """All long values of some rows."""
    values = (value for rows in tables_of_rows for row in rows for value in row.values())
    return {raw(value) for value in values if isinstance(value, str | bytes) and len(value) >= 8}


def order_in_the_file(insider: Insider) -> Iterator[Way]:
    """Rows lie in the file in the order in which they were written, from the end of a page to its beginning."""
    kinds: dict[str, Callable[[Cell], Any]] = {
        "place in": lambda cell: cell.place,
        "place from behind in": _behind,
        "turn in": lambda cell: (cell.page, cell.turn),
    }
    places = {f"{kind} {tree}": order for kind, where in kinds.items() for tree, order in insider.places(where).items()}
    for (who, people), (what, responses) in product(insider.orders.items(), places.items()):
        yield f"{who} - {what}", insider.by_order(people, responses)


def ids(insider: Insider) -> Iterator[Way]:
    """Ids that grow, or that have something of a ballot's, a place's or a link's."""
    for who, people in insider.orders.items():
        yield f"{who} - id", insider.by_order(people, {response: response for response in insider.ids})
    heads = {name: [mark[:8] for mark in marks] for name, marks in insider.marks.items()}
    yield "nearest number", insider.by_likeness(lambda one, other: -_distance(heads[one], other))
    parts = {name: {part for mark in marks for part in _parts(mark)} for name, marks in insider.marks.items()}
    yield "common parts", insider.by_likeness(lambda one, other: len(parts[one] & _parts(other.encode())))


def _distance(heads: Iterable[bytes], response: str) -> int:
    """How far a response's id is from the nearest of some marks, as written out or as bytes."""
    own = response.encode()[:8].ljust(8, b"0")
    least = [abs(int.from_bytes(head) - int.from_bytes(own)) for head in heads]
    least += [abs(int.from_bytes(head.hex()[:8].encode()) - int.from_bytes(own)) for head in heads]
    return min(least, default=1 << 64)


def _parts(mark: bytes) -> set[str]:
    """Every four hexadecimal digits of a mark."""
    text = mark.decode() if re.fullmatch(rb"[0-9a-f]+", mark) else mark[:64].hex()
    return {text[at : at + 4] for at in range(len(text) - 3)}


def layout_of_pages(insider: Insider) -> Iterator[Way]:
    """A page that is full is split, and what comes later lies on another one."""
    people = {"minute": insider.minutes} | insider.boxes
    for (who, order), (what, pages) in product(people.items(), insider.places(lambda cell: cell.page).items()):
        yield f"{who} - page in {what}", insider.by_order(order, pages)


def free_space(insider: Insider) -> Iterator[Way]:
    """What is left of a ballot or a place, in free pages and between rows, beside what is left of a response or is
    there."""
    for name, copy in (("counted", insider.evidence.counted), ("rewritten", insider.evidence.final)):
        slack = copy.anatomy.slack
        left = {person: [at for mark in marks for at in _all(slack, mark)] for person, marks in insider.marks.items()}
        own = {response: list(_all(copy.data, mark)) for response, mark in insider.ids.items()}
        yield (
            f"marks left, {name}",
            insider.by_likeness(lambda one, other, left=left, own=own: _near(left[one], own[other])),
        )


def _all(data: bytes, mark: bytes) -> Iterator[int]:
    at = data.find(mark)
    while at >= 0:
        yield at
        at = data.find(mark, at + 1)


def _near(some: Sequence[int], others: Sequence[int]) -> float:
    return max((1 / (1 + abs(one - other)) for one in some for other in others), default=0)


def sizes_and_times(insider: Insider) -> Iterator[Way]:
    """A long answer may make a file grow more, change more of it, or take longer."""
    grown: dict[str, dict[str, float]] = {}
    for name in insider.people:
        before, after = insider.evidence.minute(name)
        for file in after.contents:
            size, at = before.files.get(file, (0, 0))
            grown.setdefault(f"growth of {file}", {})[name] = after.files[file][0] - size
            grown.setdefault(f"time of {file}", {})[name] = after.files[file][1] - at
        changed = _changed(before.anatomy, after.anatomy)
        grown.setdefault("pages changed", {})[name] = len(changed)
        grown.setdefault("bytes changed", {})[name] = sum(
            np.count_nonzero(np.frombuffer(new, np.uint8)[: len(old)] != np.frombuffer(old, np.uint8))
            for old, new in changed
        )
    for (who, people), (what, responses) in product(grown.items(), insider.weights.items()):
        yield f"{who} - {what}", insider.by_order(people, responses)


def _changed(before: Anatomy, after: Anatomy) -> list[tuple[bytes, bytes]]:
    """The pages that are not what they were."""
    size = after.page_size
    pages = ((before.data[at : at + size], after.data[at : at + size]) for at in range(0, len(after.data), size))
    return [(old, new) for old, new in pages if old != new]


def counters(insider: Insider) -> Iterator[Way]:
    """Row numbers, and the counters at the head of the file."""
    numbers = insider.places(lambda cell: cell.rowid if cell.rowid is not None else 0)
    for column in next(iter(insider.evidence.responses.values())):
        told = {response: row[column] for response, row in insider.evidence.responses.items()}
        if all(isinstance(value, int) for value in told.values()):
            numbers[column] = told
    for name, (start, end) in _HEADER.items():
        seen = {one: int.from_bytes(insider.evidence.minute(one)[1].data[start:end]) for one in insider.people}
        for what, responses in numbers.items():
            yield f"{name} - number in {what}", insider.by_order(seen, responses)


def equal_columns(insider: Insider) -> Iterator[Way]:
    """Whatever stands with a response and stood in a row of the person's minute: language, form, version, anything."""
    seen = {
        name: {value for rows in new.values() for row in rows for value in row.values()}
        for name, new in insider.evidence.appeared.items()
    }
    rows = insider.evidence.responses
    yield "equal values", insider.by_likeness(lambda one, other: len(seen[one] & set(rows[other].values())))
    for column in next(iter(rows.values())):
        told = {response: (type(row[column]).__name__, row[column]) for response, row in rows.items()}
        if column != "id":
            yield f"minute - {column}", insider.by_order(insider.minutes, told)


def staff_acts(insider: Insider) -> Iterator[Way]:
    """Rows that are kept and came between the answers, such as an audit log's: the last act before each answer and the
    first after it, beside the responses."""
    orders = {"id": dict(zip(insider.ids, insider.ids, strict=True))} | insider.places(lambda cell: cell.place)
    for table, acts in _acts(insider.evidence).items():
        around = {
            name: _around(insider.evidence.copies.index(insider.evidence.minute(name)[1]), acts)
            for name in insider.people
        }
        for at, side in enumerate(("before", "after")):
            told = {name: found[at] for name, found in around.items() if found[at] is not None}
            for what, responses in orders.items():
                yield f"{table}, act {side} - {what}", insider.by_order(told, responses)
        parts = {name: _parts_of(found) for name, found in around.items()}
        yield (
            f"{table}, common parts",
            insider.by_likeness(lambda one, other, parts=parts: len(parts[one] & _parts(other.encode()))),
        )


#: The copy in which a row is first seen, and its values written out.
Act = tuple[int, tuple[str, ...]]


def _acts(evidence: Evidence) -> dict[str, list[Act]]:
    """The rows of each table that are still in the last copy and were not there from the beginning."""
    copies = [*evidence.copies, evidence.counted, evidence.final]
    found: dict[str, list[Act]] = {}
    for table, held in evidence.final.keys.items():
        if table not in _COUNTED:
            for row in held - copies[0].keys.get(table, set()):
                number = next(at for at, copy in enumerate(copies) if row in copy.keys.get(table, ()))
                found.setdefault(table, []).append((number, tuple(str(value) for value in row)))
    return found


def _around(minute: int, acts: Sequence[Act]) -> list[tuple[str, ...] | None]:
    before = max((act for act in acts if act[0] < minute), default=None)
    after = min((act for act in acts if act[0] >= minute), default=None)
    return [act[1] if act else None for act in (before, after)]


def _parts_of(acts: Iterable[Sequence[str] | None]) -> set[str]:
    return {part for act in acts if act for value in act for part in _parts(value.encode())}


def differences_of_copies(insider: Insider) -> Iterator[Way]:
    """Whatever eight bytes appeared in somebody's minute, in the file or in what was logged and printed, and are
    found again in or beside a response."""
    fresh, spoken = {}, {}
    for name in insider.people:
        before, after = insider.evidence.minute(name)
        changed = _changed(before.anatomy, after.anatomy)
        fresh[name] = np.setdiff1d(windows(new for _old, new in changed), windows(old for old, _new in changed))
        spoken[name] = np.setdiff1d(windows([after.said.encode()]), windows([before.said.encode()]))
    for copy in ("counted", "rewritten"):
        data = (insider.evidence.counted if copy == "counted" else insider.evidence.final).data
        beside = {
            response: windows(
                data[max(0, cell.place - _NEAR) : cell.place + min(len(cell.payload), 1000) + _NEAR]
                for held in insider.lying[copy].values()
                for one, cell in held
                if one == response
            )
            for response in insider.ids
        }
        for what, seen in (("file", fresh), ("log", spoken)):
            common = _common(seen, beside)
            yield f"{what}, {copy}", insider.by_likeness(lambda one, other, common=common: common[one, other])


def windows(parts: Iterable[bytes]) -> Windows:
    """Every eight bytes on end, each once; blank ones left out."""
    found = [
        np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(np.frombuffer(part, np.uint8), 8))
        .view("<u8")
        .ravel()
        for part in parts
        if len(part) >= 8
    ]
    all_of_them = np.unique(np.concatenate(found)) if found else np.array([], np.uint64)
    return all_of_them[all_of_them != 0]


def _common(seen: Mapping[str, Windows], beside: Mapping[str, Windows]) -> dict[tuple[str, str], float]:
    """How much of what appeared with each person stands beside each response; what many have weighs less."""
    every, times = np.unique(np.concatenate(list(seen.values())), return_counts=True)
    places, here = np.unique(np.concatenate(list(beside.values())), return_counts=True)
    found = {}
    for (name, windows), (response, held) in product(seen.items(), beside.items()):
        both = np.intersect1d(windows, held, assume_unique=True)
        weight = times[np.searchsorted(every, both)] * here[np.searchsorted(places, both)]
        found[name, response] = float((1 / weight**2).sum())
    return found


def words_recognised(insider: Insider) -> Iterator[Way]:
    """Texts that stand apart from the responses may lie in the same order as they; and a response may tell whether
    something was written with it."""
    wrote = {person.name: bool(person.words) for person in insider.evidence.people}
    yield "wrote - rows", insider.by_order(wrote, insider.weights["rows"])
    for name, copy in (("counted", insider.evidence.counted), ("rewritten", insider.evidence.final)):
        apart = [cell for cell in copy.anatomy.cells if not any(mark in cell.payload for mark in insider.ids.values())]
        texts: dict[str, dict[str, Cell]] = {}
        for person, cell in product(insider.evidence.people, apart):
            if person.words and person.words.encode() in cell.payload:
                texts.setdefault(cell.tree, {})[person.name] = cell
        orders = {"id": dict(zip(insider.ids, insider.ids, strict=True))} | insider.places(_behind)
        for (tree, cells), (what, responses) in product(texts.items(), orders.items()):
            lying = {one: _behind(cell) for one, cell in cells.items()}
            turns = {one: (cell.page, cell.turn) for one, cell in cells.items()}
            yield f"place in {tree}, {name} - {what}", insider.by_order(lying, responses)
            yield f"turn in {tree}, {name} - {what}", insider.by_order(turns, responses)


def _behind(cell: Cell) -> tuple[int, int]:
    """SQLite fills a page from its end."""
    return cell.page, -cell.place


def sealed_ballots(insider: Insider) -> Iterator[Way]:
    """Sealed answers, opened with anything that looks like a key."""
    told = {name: dict(inside) for name, inside in insider.evidence.opened.items()}
    answers: dict[str, dict[str, Any]] = {}
    for row in insider.evidence.final.rows.get("answer", ()):
        answers.setdefault(row["response"], {})[row["item"]] = row["value"]
    yield (
        "opened",
        insider.by_likeness(
            lambda one, other: sum(
                answers.get(other, {}).get(item) == value for item, value in told.get(one, {}).items()
            )
        ),
    )


def _try_ballots(evidence: Evidence) -> dict[str, list[tuple[str, int | None]]]:
    """The ballots of each person that could be opened, with what is 32 bytes long in any copy, and with the keys of
    other meetings."""
    found = {}
    keys = candidates(evidence)
    for person in evidence.people:
        for row in evidence.appeared[person.name].get("ballot", ()):
            for key in keys:
                try:
                    inside = sealing.unseal(key, evidence.meeting, row["sealed"])
                except (KeyFileError, ValueError):
                    continue
                found[person.name] = [(item, said.value) for item, said in inside.answers.items()]
    return found


def candidates(evidence: Evidence) -> list[bytes]:
    """Everything that might be a key: what is 32 bytes long in any copy, and the keys of other meetings."""
    copies = (evidence.copies[0], evidence.copies[-1], evidence.final)
    values = {
        value
        for copy in copies
        for rows in copy.rows.values()
        for row in rows
        for value in row.values()
        if isinstance(value, str | bytes)
    }
    long = {raw(value) for value in values} | {bytes.fromhex(value) for value in values if _is_hex(value)}
    return sorted({value for value in long if len(value) == 32} | set(evidence.keys))


def _is_hex(value: object) -> bool:
    return isinstance(value, str) and len(value) == 64 and re.fullmatch(r"[0-9a-f]+", value) is not None


def open_links(evidence: Evidence) -> int:
    """How many sealed link keys could be opened with the same."""
    held = {
        row["id"]: row["sealed_key"] for copy in evidence.copies for row in copy.rows["link"] if row.get("sealed_key")
    }
    done = 0
    for key in candidates(evidence):
        cipher = AESGCM(key)
        for link, sealed in held.items():
            try:
                cipher.decrypt(sealed[:12], sealed[12:], link.encode())
            except InvalidTag:
                continue
            done += 1
    return done


#: All of them, in the order of the figures.
Attack = Callable[[Insider], Iterator[Way]]
ATTACKS: tuple[Attack, ...] = (
    order_in_the_file,
    ids,
    layout_of_pages,
    free_space,
    sizes_and_times,
    counters,
    equal_columns,
    staff_acts,
    differences_of_copies,
    words_recognised,
    sealed_ballots,
)


# What chance would give


@dataclass(frozen=True)
class Finding:
    """What one way has come to: how many it recognised, by chance so many, and how likely that is. `p` is corrected
    for all ways that were tried."""

    attack: str
    way: str
    hits: int
    expected: int
    people: int
    more: float
    either: float
    rule: float
    p: float


class Ledger:
    """Guesses of all rounds and what became of them. People who are alone in their group are left out: everybody
    recognises them."""

    def __init__(self) -> None:
        self.groups = 0
        self.people = 0
        self._sizes: dict[tuple[str, str], list[int]] = {}
        self._hits: Counter[tuple[str, str]] = Counter()
        self._rules: dict[tuple[str, str], dict[int, NDArray[np.int64]]] = {}

    def note(
        self, evidence: Evidence, truth: Mapping[str, str], chance: Random, attacks: "Sequence[Attack]" = ()
    ) -> None:
        """Have all attacks on one meeting's evidence, and see which guesses are right."""
        sizes = [len(people) for people, _ids in evidence.groups if len(people) > 1]
        self.groups, self.people = self.groups + len(sizes), self.people + sum(sizes)
        for attack, way, guess in Insider(evidence, chance).guesses(attacks or ATTACKS):
            for people, responses in guess:
                if len(people) > 1:
                    self._mark((attack, way), [responses.index(truth[person]) for person in people])

    def _mark(self, way: tuple[str, str], found: Sequence[int]) -> None:
        """`found` are the places at which the right responses stood."""
        size = len(found)
        self._sizes.setdefault(way, []).append(size)
        self._hits[way] += sum(place == number for number, place in enumerate(found))
        table = self._rules.setdefault(way, {}).setdefault(size, np.zeros((size, size), np.int64))
        table[np.arange(size), found] += 1

    def findings(self) -> list[Finding]:
        """The most striking first."""
        judged = []
        for way, tables_of_places in self._rules.items():
            hits, chance = self._hits[way], right_by_chance(tuple(self._sizes[way]))
            more, fewer = float(chance[hits:].sum()), float(chance[: hits + 1].sum())
            judged.append((way, hits, more, min(1.0, 2 * min(more, fewer)), any_rule(tables_of_places)))
        tests = [p for *_rest, more, either, rule in judged for p in (more, either, rule)]
        corrected = holm(tests)
        found = [
            Finding(
                *way,
                hits,
                expected=len(self._sizes[way]),
                people=sum(self._sizes[way]),
                more=more,
                either=either,
                rule=rule,
                p=min(corrected[3 * at : 3 * at + 3]),
            )
            for at, (way, hits, more, either, rule) in enumerate(judged)
        ]
        return sorted(found, key=lambda one: (one.p, min(one.more, one.either, one.rule)))


@cache
def right_by_chance(sizes: tuple[int, ...]) -> NDArray[np.float64]:
    """How likely each number of right guesses is where every group is put in an order at random. Exact: a group of n
    has comb(n, k) times the ways of getting all others wrong, of n! orders, with k right."""
    whole = np.ones(1)
    for size in sizes:
        right = [comb(size, k) * _all_wrong(size - k) / factorial(size) for k in range(size + 1)]
        whole = np.convolve(whole, right)
    return whole


def _all_wrong(size: int) -> int:
    """In how many orders of so many nobody is at their place."""
    return sum((-1) ** k * factorial(size) // factorial(k) for k in range(size + 1))


#: Fewer groups of a size than this are too few for `any_rule`.
_FEWEST = 50


def any_rule(tables_of_places: Mapping[int, NDArray[np.int64]]) -> float:
    """How likely it is by chance that first, second and so on are found so often at the first, second and so on
    place: a rule other than 'the first is the first', such as the reverse order, shows here. Of m random orders of n,
    (n - 1) / m times the squared differences from m / n have a chi-squared distribution with (n - 1)^2 degrees."""
    total, degrees = 0.0, 0
    for size, table in tables_of_places.items():
        number = int(table[0].sum())
        if number >= _FEWEST:
            total += (size - 1) / number * float(((table - number / size) ** 2).sum())
            degrees += (size - 1) ** 2
    return float(stats.chi2.sf(total, degrees)) if degrees else 1.0


def holm(ps: Sequence[float]) -> list[float]:
    """Each corrected for having looked so often."""
    corrected, worst = [1.0] * len(ps), 0.0
    for rank, at in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        worst = max(worst, min(1.0, ps[at] * (len(ps) - rank)))
        corrected[at] = worst
    return corrected
