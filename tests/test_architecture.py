"""The house's plan: arrows go down, SQL stays in its room, no function grows too long, and every word of the domain
has its entry wherever one is due."""

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

from enkat import scoring, settings, wording
from enkat.cli import arguments
from enkat.model.meeting import Kind, Source
from enkat.model.staff import StaffRole
from enkat.model.survey import ItemKind, Role
from enkat.web import answer_form

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "enkat"

#: The rooms of each floor, from the ground up. A room is a top-level module, or a package with all that is in it.
FLOORS = [
    {"enkat", "model", "settings"},
    {
        *{"catalogue", "i18n", "scoring", "estimates", "disclosure", "wording", "secrecy", "storage"},
        *{"charts", "exports", "identifiers", "branding", "addresses", "hours", "messaging"},
    },
    {
        *{"house", "inviting", "answering", "counting", "publishing", "severing", "clearing"},
        *{"findings", "staffing", "checking", "sending"},
    },
    {"web", "worker", "demo"},
    {"app"},
    {"serving"},
    {"cli", "__main__"},
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

#: What every room may import, its own floor's neighbours included: the domain's words and the version.
GROUND = {"enkat", "model"}

#: `__main__` is the program's front door: the one module that does nothing but call its neighbour.
DOORS = {("__main__", "cli")}

LONGEST_FUNCTION = 60

#: A command line is a list; cut in pieces it would not be easier to read.
LONG_FUNCTIONS = {"enkat.cli.arguments.parser"}

SQL = re.compile(r"\bselect\b.+\bfrom\b|\binsert\s+into\b|\bupdate\s+\w+\s+set\b|\bdelete\s+from\b", re.I | re.S)
FLASK_ROOMS = {"web", "app", "serving"}


def module_name(file: Path) -> str:
    """`enkat.storage.engine` for enkat/storage/engine.py, `enkat.storage` for its `__init__.py`."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(file): file for file in sorted(HOUSE.rglob("*.py"))}


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def room(module: str) -> str:
    """The room of one of enkat's modules: `storage` for `enkat.storage.engine`."""
    return module.split(".")[1] if "." in module else module


def imports(module: str, inside: ast.AST | None = None) -> Iterator[str]:
    """Every module that a module imports, those inside functions and behind conditions too."""
    package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(inside or tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) + 1 - node.level]) if node.level else ""
            source = ".".join(part for part in (base, node.module) if part)
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield inner if inner in MODULES else source


def own_imports(module: str, inside: ast.AST | None = None) -> set[str]:
    return {name for name in imports(module, inside) if name.split(".")[0] == "enkat"}


def looks_up(module: str, imported: str) -> str | None:
    """What is wrong with an import, in words; None where its arrow goes down or stays in its room."""
    here, there = room(module), room(imported)
    if here == there or there in GROUND or (here, there) in DOORS:
        return None
    if FLOOR_OF[there] > FLOOR_OF[here]:
        return f"{module} (floor {FLOOR_OF[here]}) looks up at {imported} (floor {FLOOR_OF[there]})"
    if FLOOR_OF[there] == FLOOR_OF[here]:
        return f"{module} looks into the room beside it, {imported} (both on floor {FLOOR_OF[here]})"
    return None


def constants(module: str) -> Iterator[tuple[int, str]]:
    """Every text in a module's code, the pieces of f-strings joined, with its line."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, "x".join(p.value for p in node.values if isinstance(p, ast.Constant))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def functions(node: ast.AST, name: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{name}.{child.name}", child
        inner = f"{name}.{child.name}" if hasattr(child, "name") and isinstance(child.name, str) else name
        yield from functions(child, inner)


def test_every_module_has_a_floor() -> None:
    strays = sorted(module for module in MODULES if room(module) not in FLOOR_OF)
    assert not strays, f"give these modules a floor in the table: {strays}"
    rooms = {room(module) for module in MODULES}
    empty = sorted(FLOOR_OF.keys() - rooms)
    assert not empty, f"the table has rooms that do not exist: {empty}"


def test_nobody_looks_up() -> None:
    wrong = [
        fault
        for module in MODULES
        for imported in sorted(own_imports(module))
        if (fault := looks_up(module, imported)) is not None
    ]
    assert not wrong, "\n" + "\n".join(wrong)


def test_the_walk_through_the_house_finds_the_imports_that_are_there() -> None:
    """Otherwise an empty walk would praise any house."""
    assert {"enkat.storage.ballots", "enkat.secrecy.tokens", "enkat.storage.engine"} <= own_imports("enkat.answering")
    assert "enkat.serving" in own_imports("enkat.cli.commands"), "an import inside a function is an import"
    assert "enkat" in own_imports("enkat.cli.commands"), "the version"


@pytest.mark.parametrize(
    ("module", "line", "fault"),
    [
        ("enkat.storage.meetings", "from enkat import inviting", "looks up at enkat.inviting"),
        ("enkat.storage.meetings", "def f():\n    import enkat.web.participant", "looks up at enkat.web.participant"),
        ("enkat.storage.meetings", "from ..web import access", "looks up at enkat.web.access"),
        ("enkat.scoring", "from . import catalogue", "looks into the room beside it, enkat.catalogue"),
        ("enkat.web.staff", "from enkat.worker import work", "looks into the room beside it, enkat.worker"),
        ("enkat.model.survey", "from enkat.settings import Settings", "looks into the room beside it, enkat.settings"),
        ("enkat.storage.meetings", "from . import engine", None),
        ("enkat.storage.meetings", "from enkat.model.survey import Role", None),
        ("enkat.settings", "from enkat.model.errors import SettingsError", None),
        ("enkat.cli", "import enkat.storage.meetings as m", None),
    ],
)
def test_an_arrow_that_goes_up_is_seen_however_it_is_written(module: str, line: str, fault: str | None) -> None:
    seen = [looks_up(module, name) for name in own_imports(module, ast.parse(line))]
    assert seen, "the import is seen"
    assert [fault in (one or "") if fault else one is None for one in seen] == [True]


def test_the_model_imports_the_standard_library_only() -> None:
    foreign = {
        f"{module}: {name}"
        for module in MODULES
        if room(module) == "model"
        for name in imports(module)
        if name.split(".")[0] not in sys.stdlib_module_names and room(name) != "model"
    }
    assert not foreign


def test_flask_is_known_only_to_the_web_and_the_roof() -> None:
    knowing = {
        f"{module} imports {name}"
        for module in MODULES
        if room(module) not in FLASK_ROOMS
        for name in imports(module)
        if name.split(".")[0] in {"flask", "flask_wtf", "werkzeug", "wtforms"}
    }
    assert not knowing


def test_sql_is_written_only_in_storage() -> None:
    found = [
        f"{module}:{line}: {text[:60]!r}"
        for module in MODULES
        if room(module) != "storage"
        for line, text in constants(module)
        if SQL.search(text)
    ]
    assert not found, "\n" + "\n".join(found)


def test_the_search_for_sql_finds_the_sql_that_is_there() -> None:
    for module in ("enkat.storage.meetings", "enkat.storage.ballots", "enkat.storage.invitations"):
        assert any(SQL.search(text) for _line, text in constants(module)), module
    for sql in ("SELECT id\nFROM staff", "Insert  into x values (1)", "update staff set a = 1", "DELETE FROM ballot"):
        assert SQL.search(sql), sql


def test_nothing_outside_storage_speaks_to_sqlite_itself() -> None:
    strangers = {
        f"{module} imports sqlite3"
        for module in MODULES
        if room(module) != "storage"
        for name in imports(module)
        if name == "sqlite3"
    }
    assert not strangers


def test_no_function_is_longer_than_a_screen() -> None:
    long = {
        name: function.end_lineno - function.lineno + 1
        for module in MODULES
        for name, function in functions(tree(module), module)
        if function.end_lineno and function.end_lineno - function.lineno + 1 > LONGEST_FUNCTION
    }
    assert not {name: lines for name, lines in long.items() if name not in LONG_FUNCTIONS}


def test_each_kind_of_question_has_one_entry_in_forms_and_one_in_scoring() -> None:
    assert set(answer_form.FIELDS) == set(ItemKind)
    assert set(scoring.SCORERS) == set(ItemKind)


@pytest.mark.parametrize(
    ("words", "enum"),
    [
        (wording.ROLES, Role),
        (wording.SHORT_ROLES, Role),
        (wording.KINDS, Kind),
        (wording.SOURCES, Source),
        (wording.STAFF_ROLES, StaffRole),
    ],
)
def test_every_word_of_the_domain_can_be_said_to_people(words: dict[StrEnum, str], enum: type[StrEnum]) -> None:
    assert set(words) == set(enum)
    assert all(text.strip() for text in words.values())
    assert len(set(words.values())) == len(words), "two values would read alike"


def refusals(module: str) -> set[str]:
    """The reasons of every `Refused(...)` in a module; the test fails on one that is not written out."""
    reasons = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Refused":
            reason = node.args[0]
            assert isinstance(reason, ast.Constant), f"{module}:{node.lineno}: write the reason out"
            reasons.add(str(reason.value))
    return reasons


@pytest.mark.parametrize("place", ["inviting", "answering", "staffing"])
def test_every_refusal_has_its_sentence(place: str) -> None:
    reasons = set(chain.from_iterable(refusals(module) for module in MODULES if room(module) == place))
    assert reasons, "the search finds them"
    assert not reasons - wording.REFUSALS.keys(), "write these sentences in wording.REFUSALS"


def test_no_sentence_is_kept_for_a_refusal_that_nobody_makes() -> None:
    made = set(chain.from_iterable(refusals(module) for module in MODULES))
    assert not wording.REFUSALS.keys() - made


@cache
def documents() -> str:
    """What is written for the people who run it."""
    files = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


@pytest.mark.parametrize("name", ["instance", *settings.NAMES])
def test_every_setting_is_documented(name: str) -> None:
    assert re.search(rf"\bENKAT_{name.upper()}\b", documents()), f"write about ENKAT_{name.upper()} in docs/"


def commands(parser: argparse.ArgumentParser, said: str = "enkat") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command of the program as it is typed."""
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for name, inner in chain.from_iterable(group.choices.items() for group in groups):
        yield from commands(inner, f"{said} {name}")
    if not groups:
        yield said, parser


COMMANDS = dict(commands(arguments.parser()))


def test_the_commands_are_those_that_were_promised() -> None:
    promised = {"demo", "serve", "work", "unit add", "staff add", "assignment add", "meeting add", "invite", "count"}
    assert set(COMMANDS) == {
        f"enkat {name}" for name in (*promised, "publish", "results", "audit head", "audit list", "check")
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    assert re.search(rf"`?\b{command}\b", documents()), f"write about `{command}` in docs/"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_is_documented(command: str) -> None:
    options = chain.from_iterable(action.option_strings for action in COMMANDS[command]._actions)
    unsaid = {
        option
        for option in options
        # --with-parent is between the server and its own child
        if option.startswith("--") and option not in {"--help", "--with-parent"} and option not in documents()
    }
    assert not unsaid, f"write about these options of `{command}` in docs/"
