"""`questionnaires/*.toml` -> validated questionnaires; every fault is named with its file, item and mend."""

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import IO, Any, TypeVar

from enkat.model.errors import CatalogueError
from enkat.model.survey import (
    BALLOT_BYTES,
    TEXT_LIMIT,
    Construct,
    Helpline,
    Index,
    Item,
    ItemKind,
    Missing,
    Point,
    Questionnaire,
    Role,
    Stage,
)

#: Names of the form's own fields, which no item may take.
RESERVED = frozenset(
    {"submission", "lang", "action", "key", "receipt", "csrf_token", "title", "promise", "point", "helpline"}
)

_ID = re.compile(r"[a-z][a-z0-9_]{0,23}")
_KEYS = frozenset(
    [
        "id",
        "version",
        "title",
        "promise",
        "status",
        "stage",
        "roles",
        "default",
        "indices",
        "kind",
        "offered",
        "points",
        "items",
        "helplines",
    ]
)
_ITEM_KEYS = frozenset(["id", "text", "construct", "index", "kind", "hint", "optional"])

#: Room in a ballot for everything but the answers, and for one answer on the scale.
_ENVELOPE_BYTES, _CLOSED_BYTES = 400, 60

_Word = TypeVar("_Word", bound=StrEnum)


@dataclass(frozen=True)
class Catalogue:
    """The questionnaires of an installation, by id; `defaults` names the usual one of each role and stage."""

    questionnaires: Mapping[str, Questionnaire]
    defaults: Mapping[tuple[Role, Stage], str]

    def __getitem__(self, questionnaire: str) -> Questionnaire:
        return self.questionnaires[questionnaire]

    def __iter__(self) -> Iterator[Questionnaire]:
        return iter(self.questionnaires.values())

    def default(self, role: Role, stage: Stage = Stage.AFTER) -> Questionnaire:
        """The questionnaire that a role gets unless another is chosen."""
        return self.questionnaires[self.defaults[role, stage]]

    def choices(self, role: Role, stage: Stage = Stage.AFTER) -> list[Questionnaire]:
        """Those a role can get, the usual one first."""
        usual = self.default(role, stage)
        fitting = [one for one in self if role in one.roles and one.stage is stage and one is not usual]
        return [usual, *fitting]


def load(folder: Traversable | None = None, leave_out: Collection[str] = ()) -> Catalogue:
    """Read every questionnaire of a folder (by default the installed ones), without the optional items that
    the settings leave out (`adult.trust`). CatalogueError lists all faults at once."""
    faults: list[str] = []
    found: dict[str, Questionnaire] = {}
    defaults: dict[tuple[Role, Stage], str] = {}
    folder = folder or files("enkat_questionnaires")
    for file in sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name):
        reader = _Reader(file.name)
        questionnaire = reader.read(file)
        faults += reader.faults
        if questionnaire is None:
            continue
        found[questionnaire.id] = questionnaire
        for role in questionnaire.roles if reader.is_default else ():
            other = defaults.setdefault((role, questionnaire.stage), questionnaire.id)
            if other != questionnaire.id:
                faults.append(f"{file.name}: '{other}' is the default for {role} too; set default = false in one")
    if not faults:
        faults += [
            f"no questionnaire is the default for the role {role}; set default = true in one of its files"
            for role in Role
            if (role, Stage.AFTER) not in defaults
        ]
        faults += _leave_out(found, leave_out)
    if faults:
        raise CatalogueError(faults)
    return Catalogue(found, defaults)


def _leave_out(found: dict[str, Questionnaire], names: Collection[str]) -> Iterator[str]:
    """Remove the named items where they are optional; the faults of those that cannot be."""
    for name in sorted(names):
        questionnaire, _, item_id = name.partition(".")
        form = found.get(questionnaire)
        item = next((item for item in form.items if item.id == item_id), None) if form else None
        if form is None or item is None:
            yield f"leave_out: there is no item '{name}'; write questionnaire.item, such as adult.trust"
        elif not item.optional:
            yield f"leave_out: the item '{name}' is not optional and must stay"
        else:
            found[form.id] = replace(form, items=tuple(one for one in form.items if one is not item))


class _Reader:
    """Reads one file and collects what is wrong with it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.faults: list[str] = []
        self.is_default = True

    def read(self, file: Traversable) -> Questionnaire | None:
        try:
            raw = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            self.fault(f"cannot be read as TOML: {error}")
            return None
        questionnaire = self.parse(raw)
        return None if self.faults else questionnaire

    def fault(self, text: str, item: str | None = None) -> None:
        self.faults.append(f"{self.name}: item '{item}': {text}" if item else f"{self.name}: {text}")

    def parse(self, raw: dict[str, Any]) -> Questionnaire:
        self.unknown_keys(raw, _KEYS)
        identity = self.text(raw, "id")
        if identity and f"{identity}.toml" != self.name:
            self.fault(f"id is '{identity}'; let it be the file's name, '{self.name.removesuffix('.toml')}'")
        self.is_default = self.switch(raw, "default", True)
        kind = self.word(ItemKind, raw.get("kind"), "kind")
        indices = self.words(Index, raw, "indices")
        questionnaire = Questionnaire(
            id=identity,
            version=self.version(raw),
            title=self.text(raw, "title"),
            promise=self.text(raw, "promise"),
            status=self.text(raw, "status"),
            stage=self.word(Stage, raw.get("stage"), "stage") or Stage.AFTER,
            roles=frozenset(self.words(Role, raw, "roles", required=True)),
            points=self.points(raw, kind),
            offered=tuple(self.words(Missing, raw, "offered", required=True)),
            items=self.items(raw, kind or ItemKind.AGREEMENT, indices),
            helplines=self.helplines(raw),
        )
        self.judge(questionnaire, indices)
        return questionnaire

    def judge(self, questionnaire: Questionnaire, indices: list[Index]) -> None:
        """What can only be seen of the whole."""
        for index in indices:
            if not any(item.index is index for item in questionnaire.items):
                self.fault(f"index '{index}' has no items; give it some or remove it from indices")
        texts = sum(item.kind is ItemKind.TEXT for item in questionnaire.items)
        fullest = _ENVELOPE_BYTES + len(questionnaire.items) * _CLOSED_BYTES + texts * TEXT_LIMIT * 4
        if fullest > BALLOT_BYTES:
            self.fault(f"its fullest answer ({fullest} bytes) is larger than a ballot ({BALLOT_BYTES}); ask less")

    def unknown_keys(self, raw: dict[str, Any], known: frozenset[str], item: str | None = None) -> None:
        for key in raw.keys() - known:
            self.fault(f"unknown key '{key}'; the keys are {', '.join(sorted(known))}", item)

    def text(self, raw: dict[str, Any], key: str, item: str | None = None) -> str:
        value = raw.get(key)
        if not isinstance(value, str) or not value.strip():
            self.fault(f"the text '{key}' is missing; write {key} = \"...\"", item)
            return ""
        return " ".join(value.split())

    def switch(self, raw: dict[str, Any], key: str, usual: bool, item: str | None = None) -> bool:
        value = raw.get(key, usual)
        if not isinstance(value, bool):
            self.fault(f"{key} must be true or false, without quotation marks", item)
            return usual
        return value

    def version(self, raw: dict[str, Any]) -> int:
        version = raw.get("version")
        if type(version) is not int or version < 1:
            self.fault("version must be a whole number from 1; raise it whenever the wording changes")
            return 1
        return version

    def word(self, words: type[_Word], value: object, key: str, item: str | None = None) -> _Word | None:
        try:
            return words(value)  # type: ignore[arg-type]  # whatever stands in the file
        except ValueError:
            self.fault(f"unknown {key} '{value}'; choose one of {', '.join(words)}", item)
            return None

    def words(self, words: type[_Word], raw: dict[str, Any], key: str, required: bool = False) -> list[_Word]:
        values = raw.get(key, [])
        if not isinstance(values, list) or (required and not values):
            self.fault(f'{key} must be a list such as ["{next(iter(words))}"]')
            return []
        return [word for value in values if (word := self.word(words, value, key)) is not None]

    def points(self, raw: dict[str, Any], kind: ItemKind | None) -> tuple[Point, ...]:
        tables = self.tables(raw, "points")
        if len(tables) < 2:
            self.fault("the scale needs at least two points; add [[points]] with value and text")
        points = []
        for expected, table in enumerate(tables, start=1):
            self.unknown_keys(table, frozenset({"value", "text", "face"}))
            if table.get("value") != expected:
                self.fault(f"the scale's values must be 1, 2, 3 ... in order, not {table.get('value')!r}")
            face = table.get("face")
            if (kind is ItemKind.FACES) != (type(face) is int and 1 <= face <= 5):
                self.fault(f"point {expected}: a scale of faces, and no other, has a face from 1 to 5 for each point")
            points.append(Point(expected, self.text(table, "text"), face))
        return tuple(points)

    def items(self, raw: dict[str, Any], kind: ItemKind, indices: list[Index]) -> tuple[Item, ...]:
        tables = self.tables(raw, "items")
        if not tables:
            self.fault("there are no items; add [[items]] with id, text and construct")
        counts = Counter(str(table.get("id")) for table in tables)
        for repeated in (name for name, count in counts.items() if count > 1):
            self.fault("stands twice; give each item an id of its own", repeated)
        return tuple(self.item(table, kind, indices) for table in tables)

    def item(self, raw: dict[str, Any], kind: ItemKind, indices: list[Index]) -> Item:
        name = str(raw.get("id", ""))
        self.unknown_keys(raw, _ITEM_KEYS, name)
        if not _ID.fullmatch(name):
            self.fault("an id is 1-24 small letters, digits and underscores, a letter first", name or "?")
        elif name in RESERVED:
            self.fault("the id is a reserved name of the form; choose another", name)
        index = self.word(Index, raw["index"], "index", name) if "index" in raw else None
        if index is not None and index not in indices:
            self.fault(f"index '{index}' is not among the file's indices; add it there", name)
        own_kind = self.word(ItemKind, raw["kind"], "kind", name) if "kind" in raw else kind
        if own_kind not in (kind, ItemKind.TEXT):
            self.fault(f"kind must be 'text' or left out; this file's scale is '{kind}'", name)
        if own_kind is ItemKind.TEXT and index is not None:
            self.fault("a text belongs to no index; remove the index", name)
        return Item(
            id=name,
            text=self.text(raw, "text", name),
            kind=own_kind or kind,
            construct=self.word(Construct, raw.get("construct"), "construct", name) or Construct.FREE_TEXT,
            index=index,
            hint=self.text(raw, "hint", name) if "hint" in raw else None,
            optional=self.switch(raw, "optional", False, name),
        )

    def helplines(self, raw: dict[str, Any]) -> tuple[Helpline, ...]:
        lines = [Helpline(self.text(t, "text"), self.text(t, "phone")) for t in self.tables(raw, "helplines")]
        for line in lines:
            if not re.fullmatch(r"\+?\d+", line.phone):
                self.fault(f"a helpline's phone is digits alone, not '{line.phone}'")
        return tuple(lines)

    def tables(self, raw: dict[str, Any], key: str) -> list[dict[str, Any]]:
        tables = raw.get(key, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self.fault(f"write {key} as tables, [[{key}]]")
            return []
        return tables


def translated(questionnaire: Questionnaire, translate: Callable[[str, str], str]) -> Questionnaire:
    """The same questionnaire in another language; `translate` gets a text's context and the text."""
    said = {key: translate(context(questionnaire, key), text) for key, text in questionnaire.texts().items()}
    return replace(
        questionnaire,
        title=said["title"],
        promise=said["promise"],
        points=tuple(replace(point, text=said[f"point.{point.value}"]) for point in questionnaire.points),
        helplines=tuple(replace(line, text=said[f"helpline.{line.phone}"]) for line in questionnaire.helplines),
        items=tuple(
            replace(item, text=said[item.id], hint=said[f"{item.id}.hint"] if item.hint else None)
            for item in questionnaire.items
        ),
    )


def context(questionnaire: Questionnaire, key: str) -> str:
    """The gettext context of one of a questionnaire's texts, such as `adult.prep`."""
    return f"{questionnaire.id}.{key}"


def extract_texts(
    file: IO[bytes], keywords: object, comment_tags: object, options: object
) -> Iterator[tuple[int, str, tuple[str, str], list[str]]]:
    """Babel's extractor of question texts, registered in setup.cfg: (line, function, (context, text), notes)."""
    raw = tomllib.loads(file.read().decode("utf-8"))
    questionnaire = _Reader(f"{raw.get('id')}.toml").parse(raw)
    for key, text in questionnaire.texts().items():
        yield 1, "pgettext", (context(questionnaire, key), text), []
