"""Questionnaires are data, judged at the door: the installed ones hold what was agreed, and each fault in a file is
named with the file, the item and the mend."""

import re
import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from enkat.catalogue import RESERVED, Catalogue, context, load, translated
from enkat.model.errors import CatalogueError
from enkat.model.survey import Construct, Index, ItemKind, Missing, Questionnaire, Role, Stage

P, U = Index.PARTICIPATION, Index.USEFULNESS

CHILD = [
    ("know", "Jag visste varför vi träffades.", "preparation", P),
    ("safe", "Det kändes tryggt.", "safety", P),
    ("say", "Jag fick prata när jag ville.", "voice", P),
    ("understood", "De vuxna förstod vad jag menade.", "influence", P),
    ("help", "Jag tror att mötet hjälper mig.", "usefulness", U),
    ("next", "Jag vet vad som händer nu.", "follow-through", U),
    ("words", "Vill du berätta något mer?", "free text", None),
]

#: Every item of every form: id, Swedish text, construct, index.
AGREED = {
    "adult": [
        ("prep", "Jag fick vara med och förbereda mötet.", "preparation", P),
        ("safe", "Det kändes tryggt att prata öppet.", "safety", P),
        ("say", "Jag fick sagt det jag ville säga.", "voice", P),
        ("influence", "Det jag sa påverkade vad vi kom fram till.", "influence", P),
        ("leader", "Nätverksledaren gav plats åt alla.", "structure", None),
        ("shared", "Vi fick en mer gemensam bild av läget.", "shared understanding", U),
        ("useful", "Mötet var till nytta.", "usefulness", U),
        ("follow", "Jag tror att det vi kom överens om blir gjort.", "follow-through", U),
        ("trust", "Jag litar mer på socialtjänsten nu.", "trust", None),
        ("words", "Vad borde vi göra annorlunda?", "free text", None),
    ],
    "child": CHILD,
    "child_small": CHILD,
    "professional": [
        ("prep", "Jag var förberedd på min roll.", "preparation", P),
        ("safe", "Jag kunde vara öppen med min oro.", "safety", P),
        ("say", "Jag fick sagt det jag ville säga.", "voice", P),
        ("influence", "Det jag sa påverkade vad vi kom fram till.", "influence", P),
        ("family", "Familjen kom till tals.", "voice of the family", None),
        ("shared", "Vi fick en mer gemensam bild av läget.", "shared understanding", U),
        ("useful", "Mötet var till nytta.", "usefulness", U),
        ("follow", "Jag tror att det vi kom överens om blir gjort.", "follow-through", U),
        ("words", "Vad tar du med dig i ditt arbete?", "free text", None),
    ],
}
AGREEMENT = ["Stämmer inte alls", "Stämmer lite", "Stämmer delvis", "Stämmer ganska bra", "Stämmer helt"]


@pytest.fixture(scope="module")
def installed() -> Catalogue:
    return load()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the installed questionnaires, to be spoiled."""
    copy = tmp_path / "questionnaires"
    copy.mkdir()
    for file in files("enkat_questionnaires").iterdir():
        if file.name.endswith(".toml"):
            (copy / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    return copy


def spoil(folder: Path, name: str, old: str, new: str) -> None:
    """Change one place of a file, which must be there."""
    file = folder / name
    text = file.read_text(encoding="utf-8")
    assert old in text, f"{name} holds no {old!r}"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def faults(folder: Path, leave_out: tuple[str, ...] = ()) -> list[str]:
    """What is said of a folder that cannot be used."""
    with pytest.raises(CatalogueError) as error:
        load(folder, leave_out)
    assert all("\n" not in fault for fault in error.value.faults), "a fault is one line"
    return error.value.faults


def test_four_questionnaires_are_installed(installed: Catalogue) -> None:
    assert sorted(form.id for form in installed) == sorted(AGREED)


@pytest.mark.parametrize("name", AGREED)
def test_a_questionnaire_asks_what_was_agreed_and_nothing_else(installed: Catalogue, name: str) -> None:
    form = installed[name]
    assert [(item.id, item.text, item.construct.value, item.index) for item in form.items] == AGREED[name]
    assert [item.id for item in form.items if item.kind is ItemKind.TEXT] == ["words"]
    assert len(form.closed_items) == len(AGREED[name]) - 1 <= 9
    assert [item.id for item in form.items if item.optional] == (["trust"] if name == "adult" else [])
    assert all("inga namn" in (item.hint or "") for item in form.items if item.kind is ItemKind.TEXT)


@pytest.mark.parametrize(
    ("name", "roles", "offered"),
    [
        ("adult", {Role.FAMILY, Role.KIN}, (Missing.UNKNOWN, Missing.DECLINED)),
        ("child", {Role.CHILD}, (Missing.DECLINED,)),
        ("child_small", {Role.CHILD}, (Missing.DECLINED,)),
        ("professional", {Role.PROFESSIONAL}, (Missing.UNKNOWN, Missing.DECLINED)),
    ],
)
def test_a_questionnaire_is_for_its_roles_after_the_meeting(
    installed: Catalogue, name: str, roles: set[Role], offered: tuple[Missing, ...]
) -> None:
    form = installed[name]
    assert form.roles == roles
    assert form.offered == offered
    assert form.stage is Stage.AFTER
    assert form.version == 1
    assert form.status.startswith("Utkast"), "each file says that it is a draft"


@pytest.mark.parametrize("name", ["adult", "professional"])
def test_grown_ups_agree_in_five_steps(installed: Catalogue, name: str) -> None:
    assert [(point.value, point.text, point.face) for point in installed[name].points] == [
        (value, text, None) for value, text in enumerate(AGREEMENT, start=1)
    ]
    assert {item.kind for item in installed[name].closed_items} == {ItemKind.AGREEMENT}


@pytest.mark.parametrize(("name", "drawn"), [("child", [1, 2, 3, 4, 5]), ("child_small", [1, 3, 5])])
def test_children_choose_a_face_and_one_is_clearly_negative(installed: Catalogue, name: str, drawn: list[int]) -> None:
    form = installed[name]
    assert [point.face for point in form.points] == drawn
    assert [point.value for point in form.points] == list(range(1, len(drawn) + 1))
    assert form.points[0].text == "Nej, inte alls"
    assert {item.kind for item in form.closed_items} == {ItemKind.FACES}
    assert [line.phone for line in form.helplines] == ["116111", "112"]
    assert "Ingen läser det här i dag" in form.promise


@pytest.mark.parametrize(
    ("role", "choices"),
    [
        (Role.FAMILY, ["adult"]),
        (Role.KIN, ["adult"]),
        (Role.CHILD, ["child", "child_small"]),
        (Role.PROFESSIONAL, ["professional"]),
    ],
)
def test_each_role_has_a_usual_questionnaire_and_may_have_others(
    installed: Catalogue, role: Role, choices: list[str]
) -> None:
    assert [form.id for form in installed.choices(role)] == choices
    assert installed.default(role).id == choices[0]


def test_a_questionnaire_in_another_language_keeps_everything_but_its_words(installed: Catalogue) -> None:
    asked: list[str] = []

    def translate(where: str, text: str) -> str:
        asked.append(where)
        return f"<{text}>"

    form = installed["child"]
    other = translated(form, translate)
    assert asked == [context(form, key) for key in form.texts()]
    assert set(other.texts().values()) == {f"<{text}>" for text in form.texts().values()}, "not one text is left behind"
    assert translated(other, lambda _where, text: text[1:-1]) == form


PREP = (
    'id = "prep"\ntext = "Jag fick vara med och förbereda mötet."\nconstruct = "preparation"\nindex = "participation"'
)
MORE_TEXTS = "".join(
    f'\n[[items]]\nid = "more{number}"\nkind = "text"\ntext = "Mer?"\nconstruct = "free text"\n' for number in (1, 2)
)

#: A place in a file, what is written there instead, the item concerned, and what must be said of it.
SPOILED = {
    "an unknown construct": (
        "adult.toml",
        'construct = "trust"',
        'construct = "love"',
        "trust",
        "unknown construct 'love'; choose one of preparation, safety",
    ),
    "no construct": ("adult.toml", 'construct = "trust"\n', "", "trust", "unknown construct 'None'; choose one of"),
    "an id twice": (
        "adult.toml",
        'id = "leader"',
        'id = "prep"',
        "prep",
        "stands twice; give each item an id of its own",
    ),
    "an id that is reserved": (
        "adult.toml",
        'id = "leader"',
        'id = "submission"',
        "submission",
        "is a reserved name of the form; choose another",
    ),
    "an id with a capital": ("adult.toml", 'id = "leader"', 'id = "Leader"', "Leader", "an id is 1-24 small letters"),
    "an id with a dot": (
        "adult.toml",
        'id = "leader"',
        'id = "the.leader"',
        "the.leader",
        "an id is 1-24 small letters",
    ),
    "an id too long": ("adult.toml", 'id = "leader"', f'id = "{"l" * 25}"', "l" * 25, "an id is 1-24 small letters"),
    "an id of digits": ("adult.toml", 'id = "leader"', 'id = "5"', "5", "a letter first"),
    "no id": ("adult.toml", 'id = "leader"\n', "", "?", "an id is 1-24 small letters"),
    "no text": (
        "adult.toml",
        'text = "Mötet var till nytta."\n',
        "",
        "useful",
        "the text 'text' is missing; write text = \"...\"",
    ),
    "a blank text": ("adult.toml", '"Mötet var till nytta."', '" \\n "', "useful", "the text 'text' is missing"),
    "a text that is a number": ("adult.toml", '"Mötet var till nytta."', "5", "useful", "the text 'text' is missing"),
    "a blank hint": ("adult.toml", 'hint = "', 'hint = "" # "', "words", "the text 'hint' is missing"),
    "an unknown index": (
        "adult.toml",
        'index = "participation"',
        'index = "happiness"',
        "prep",
        "unknown index 'happiness'; choose one of participation, usefulness",
    ),
    "an index that is not announced": (
        "adult.toml",
        'indices = ["participation", "usefulness"]',
        'indices = ["participation"]',
        "shared",
        "index 'usefulness' is not among the file's indices; add it there",
    ),
    "an index of a text": (
        "adult.toml",
        'construct = "free text"',
        'construct = "free text"\nindex = "usefulness"',
        "words",
        "a text belongs to no index; remove the index",
    ),
    "another kind of scale": (
        "adult.toml",
        PREP,
        PREP + '\nkind = "faces"',
        "prep",
        "kind must be 'text' or left out; this file's scale is 'agreement'",
    ),
    "an unknown kind of item": (
        "adult.toml",
        'kind = "text"',
        'kind = "novel"',
        "words",
        "unknown kind 'novel'; choose one of agreement, faces, text",
    ),
    "an unknown key of an item": (
        "adult.toml",
        "optional = true",
        "optionnal = true",
        "trust",
        "unknown key 'optionnal'; the keys are construct, hint, id",
    ),
    "optional that is a word": ("adult.toml", "optional = true", 'optional = "yes"', "trust", "optional"),
    "an unknown key": (
        "adult.toml",
        "version = 1",
        "version = 1\ncolour = 5",
        None,
        "unknown key 'colour'; the keys are default, helplines",
    ),
    "an unknown key of a point": (
        "adult.toml",
        'text = "Stämmer lite"',
        'text = "Stämmer lite"\nsound = "x"',
        None,
        "unknown key 'sound'; the keys are face, text, value",
    ),
    "a default that is a word": ("child_small.toml", "default = false", 'default = "no"', None, "default"),
    "no version": ("adult.toml", "version = 1\n", "", None, "version must be a whole number from 1; raise it whenever"),
    "version nought": ("adult.toml", "version = 1", "version = 0", None, "version must be a whole number from 1"),
    "version one and a half": (
        "adult.toml",
        "version = 1",
        "version = 1.5",
        None,
        "version must be a whole number from 1",
    ),
    "version true": ("adult.toml", "version = 1", "version = true", None, "version must be a whole number from 1"),
    "no title": (
        "adult.toml",
        'title = "Hur var mötet?"\n',
        "",
        None,
        "the text 'title' is missing; write title = \"...\"",
    ),
    "no status": ("child.toml", "status =", "#", None, "the text 'status' is missing"),
    "another id than the file's name": (
        "adult.toml",
        'id = "adult"',
        'id = "grownup"',
        None,
        "id is 'grownup'; let it be the file's name, 'adult'",
    ),
    "an unknown stage": (
        "adult.toml",
        'stage = "after"',
        'stage = "during"',
        None,
        "unknown stage 'during'; choose one of after",
    ),
    "no stage": ("adult.toml", 'stage = "after"\n', "", None, "unknown stage 'None'; choose one of after"),
    "an unknown role": (
        "adult.toml",
        '["family", "kin"]',
        '["family", "friend"]',
        None,
        "unknown roles 'friend'; choose one of family, kin",
    ),
    "no roles": (
        "adult.toml",
        'roles = ["family", "kin"]',
        "roles = []",
        None,
        'roles must be a list such as ["family"]',
    ),
    "roles that are a word": (
        "adult.toml",
        '["family", "kin"]',
        '"family"',
        None,
        'roles must be a list such as ["family"]',
    ),
    "an unknown way of not answering": (
        "adult.toml",
        '["unknown", "declined"]',
        '["later"]',
        None,
        "unknown offered 'later'; choose one of unknown, declined",
    ),
    "an unknown kind": (
        "adult.toml",
        'kind = "agreement"',
        'kind = "stars"',
        None,
        "unknown kind 'stars'; choose one of agreement, faces",
    ),
    "a scale out of order": (
        "adult.toml",
        "value = 2",
        "value = 4",
        None,
        "the scale's values must be 1, 2, 3 ... in order, not 4",
    ),
    "a point without words": ("adult.toml", 'text = "Stämmer lite"\n', "", None, "the text 'text' is missing"),
    "a face that is not drawn": (
        "child.toml",
        "face = 5",
        "face = 6",
        None,
        "point 5: a scale of faces, and no other, has a face from 1 to 5",
    ),
    "a face too sad": ("child.toml", "face = 1", "face = 0", None, "point 1: a scale of faces"),
    "a face that is left out": (
        "child.toml",
        "face = 3\n",
        "",
        None,
        "point 3: a scale of faces, and no other, has a face",
    ),
    "a face where there are none": (
        "adult.toml",
        "value = 2\n",
        "value = 2\nface = 2\n",
        None,
        "point 2: a scale of faces, and no other",
    ),
    "a helpline that cannot be rung": (
        "child.toml",
        'phone = "112"',
        'phone = "112 eller 116"',
        None,
        "a helpline's phone is digits alone, not '112 eller 116'",
    ),
    "a helpline without words": (
        "child.toml",
        'text = "Är det farligt, ring 112."\n',
        "",
        None,
        "the text 'text' is missing",
    ),
    "too much to ask": (
        "adult.toml",
        '\n[[items]]\nid = "prep"',
        f'{MORE_TEXTS}\n[[items]]\nid = "prep"',
        None,
        "is larger than a ballot (9216); ask less",
    ),
}


@pytest.mark.parametrize("case", SPOILED)
def test_a_fault_is_named_with_its_file_its_item_and_the_mend(folder: Path, case: str) -> None:
    name, old, new, item, said = SPOILED[case]
    spoil(folder, name, old, new)
    found = faults(folder)
    place = f"{name}: item '{item}': " if item else f"{name}: "
    fitting = [fault for fault in found if fault.startswith(place) and said in fault]
    assert len(fitting) == 1, found
    assert ("item '" in fitting[0]) == (item is not None)
    assert all(fault.startswith(f"{name}: ") for fault in found), "the other files are not blamed"


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_no_item_may_take_a_name_of_the_forms_own(folder: Path, name: str) -> None:
    spoil(folder, "child.toml", 'id = "help"', f'id = "{name}"')
    [fault] = faults(folder)
    assert fault == f"child.toml: item '{name}': the id is a reserved name of the form; choose another"


def test_an_index_without_items_is_named(folder: Path) -> None:
    text = (folder / "adult.toml").read_text(encoding="utf-8")
    (folder / "adult.toml").write_text(text.replace('index = "usefulness"\n', ""), encoding="utf-8")
    [fault] = faults(folder)
    assert fault == "adult.toml: index 'usefulness' has no items; give it some or remove it from indices"


@pytest.mark.parametrize("points", [0, 1])
def test_a_scale_with_too_few_points_is_named(folder: Path, points: int) -> None:
    text = (folder / "adult.toml").read_text(encoding="utf-8")
    start, *pieces = re.split(r"(?=\[\[points\]\])", text)
    last, rest = pieces[-1].split("\n\n", 1)
    kept = "".join([*pieces[:-1], f"{last}\n"][:points])
    (folder / "adult.toml").write_text(f"{start}{kept}\n{rest}", encoding="utf-8")
    assert faults(folder) == ["adult.toml: the scale needs at least two points; add [[points]] with value and text"]


def test_a_form_that_asks_nothing_is_named(folder: Path) -> None:
    text = (folder / "child.toml").read_text(encoding="utf-8")
    (folder / "child.toml").write_text(text.split("[[items]]")[0], encoding="utf-8")
    found = faults(folder)
    assert found[0] == "child.toml: there are no items; add [[items]] with id, text and construct"


@pytest.mark.parametrize("key", ["points", "items", "helplines"])
@pytest.mark.parametrize("value", ['"a"', "5", "[1, 2]", "{ id = 1 }"])
def test_what_should_be_tables_and_is_not_is_named(folder: Path, key: str, value: str) -> None:
    text = (folder / "child.toml").read_text(encoding="utf-8")
    without = re.sub(rf"\[\[{key}\]\]\n(?:[^\[\n].*\n)+\n?", "", text)
    assert f"[[{key}]]" not in without
    head, _, tables = without.partition("[[")
    (folder / "child.toml").write_text(f"{head}{key} = {value}\n[[{tables}", encoding="utf-8")
    assert f"child.toml: write {key} as tables, [[{key}]]" in faults(folder)


@pytest.mark.parametrize(
    "content",
    [b'id = "adult', b"id = adult", b'id = "adult"\nid = "adult"', b'title = "\xff"', b"\x00\x01", b"[[items]\n"],
)
def test_a_file_that_is_no_toml_is_named(folder: Path, content: bytes) -> None:
    (folder / "adult.toml").write_bytes(content)
    [fault] = faults(folder)
    assert fault.startswith("adult.toml: cannot be read as TOML: ")


def test_an_empty_file_is_told_everything_that_it_lacks(folder: Path) -> None:
    (folder / "adult.toml").write_bytes(b"")
    found = faults(folder)
    for lacking in ("'id'", "version", "'title'", "'promise'", "'status'", "stage", "roles", "kind", "points", "items"):
        assert any(lacking in fault for fault in found), lacking
    assert all(fault.startswith("adult.toml: ") for fault in found)


def test_faults_of_several_files_are_told_at_once(folder: Path) -> None:
    spoil(folder, "adult.toml", 'construct = "trust"', 'construct = "love"')
    spoil(folder, "adult.toml", "version = 1", "version = 0")
    spoil(folder, "child.toml", "face = 5", "face = 6")
    found = faults(folder)
    assert sorted(fault.split(":")[0] for fault in found) == ["adult.toml", "adult.toml", "child.toml"]
    with pytest.raises(CatalogueError) as error:
        load(folder)
    assert all(fault in str(error.value) for fault in found)


def test_a_questionnaire_in_the_wrong_file_is_named(folder: Path) -> None:
    shutil.move(folder / "adult.toml", folder / "parents.toml")
    assert "parents.toml: id is 'adult'; let it be the file's name, 'parents'" in faults(folder)


@pytest.mark.parametrize(
    ("file", "roles"),
    [("adult.toml", ["family", "kin"]), ("child.toml", ["child"]), ("professional.toml", ["professional"])],
)
def test_a_role_without_a_usual_questionnaire_is_named(folder: Path, file: str, roles: list[str]) -> None:
    (folder / file).unlink()
    assert faults(folder) == [
        f"no questionnaire is the default for the role {role}; set default = true in one of its files" for role in roles
    ]


def test_an_empty_folder_has_no_questionnaire_for_anybody(tmp_path: Path) -> None:
    assert len(faults(tmp_path)) == len(Role)


@pytest.mark.parametrize("new", ["default = true", ""])
def test_two_usual_questionnaires_for_one_role_are_named(folder: Path, new: str) -> None:
    """A file that says nothing of it means to be the usual one."""
    spoil(folder, "child_small.toml", "default = false", new)
    assert faults(folder) == ["child_small.toml: 'child' is the default for child too; set default = false in one"]


def test_what_is_not_toml_is_left_alone(folder: Path) -> None:
    (folder / "README.txt").write_text("[[[", encoding="utf-8")
    assert len(list(load(folder))) == 4


def ids(form: Questionnaire) -> list[str]:
    return [item.id for item in form.items]


def test_a_municipality_may_leave_out_what_is_optional(folder: Path) -> None:
    whole, shorter = load(folder), load(folder, ["adult.trust"])
    assert ids(shorter["adult"]) == [name for name in ids(whole["adult"]) if name != "trust"]
    assert "trust" not in shorter["adult"].texts()
    assert [ids(shorter[name]) for name in ("child", "professional")] == [
        ids(whole[name]) for name in ("child", "professional")
    ]
    assert shorter.default(Role.FAMILY) is shorter.default(Role.KIN) is shorter["adult"]
    assert Construct.TRUST not in {item.construct for item in shorter["adult"].items}


@pytest.mark.parametrize("name", ["adult.useful", "adult.words", "child.know"])
def test_what_is_not_optional_must_stay(folder: Path, name: str) -> None:
    assert faults(folder, (name,)) == [f"leave_out: the item '{name}' is not optional and must stay"]


@pytest.mark.parametrize("name", ["adult.hope", "grownup.trust", "trust", "adult", "adult.", ".trust", "adult.trust.x"])
def test_what_does_not_exist_cannot_be_left_out(folder: Path, name: str) -> None:
    assert faults(folder, (name,)) == [
        f"leave_out: there is no item '{name}'; write questionnaire.item, such as adult.trust"
    ]


def test_every_wrong_leave_out_is_told_at_once(folder: Path) -> None:
    assert len(faults(folder, ("adult.hope", "adult.useful", "adult.trust"))) == 2
