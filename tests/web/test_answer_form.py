"""A participant's form as it is read: nothing that is sent makes it stumble, and only what it asks comes through."""

from collections.abc import Iterator

import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from enkat import catalogue
from enkat.app import create_app
from enkat.house import open_house
from enkat.model.survey import TEXT_LIMIT, Answer, ItemKind, Missing, Questionnaire
from enkat.settings import Settings
from enkat.web import answer_form
from enkat.web.answer_form import AnswerForm

FORMS = {form.id: form for form in catalogue.load()}
ID = "0123456789abcdef0123456789abcdef"

#: What no text may hold: what no keyboard writes, and the mark of what was not sent as UTF-8.
UNREADABLE = [*map(chr, {*range(32), 127} - {9, 10, 13}), "\ufffd"]

unhurried = examples(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture(scope="module")
def app_here(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """One application for all of this: reading a form touches nothing."""
    settings = Settings(instance=tmp_path_factory.mktemp("forms") / "instance", base_url="http://127.0.0.1:8000")
    return create_app(settings, open_house(settings))


@pytest.fixture
def reading(app_here: Flask) -> Iterator[None]:
    """Within a request: messages need its language."""
    with app_here.test_request_context("/AAAAAAAAAA", method="POST"):
        yield


def read(questionnaire: Questionnaire, sent: dict[str, str] | list[tuple[str, str]]) -> AnswerForm:
    """Read the fields together with a good submission id, where they bring none of their own."""
    fields = MultiDict(sent)
    if "submission" not in fields:
        fields["submission"] = ID
    return answer_form.read(questionnaire, fields)


def test_every_kind_of_item_has_a_field() -> None:
    assert set(answer_form.FIELDS) == set(ItemKind)


@pytest.mark.parametrize("form", FORMS)
def test_every_point_of_the_scale_and_both_ways_of_not_answering_are_taken(form: str, reading: None) -> None:
    questionnaire = FORMS[form]
    for item in questionnaire.closed_items:
        for point in questionnaire.points:
            assert read(questionnaire, {item.id: str(point.value)}).answers[item.id] == Answer(value=point.value)
        for missing in (Missing.UNKNOWN, Missing.DECLINED):
            sent = read(questionnaire, {item.id: missing.value})
            assert sent.is_valid
            assert sent.answers[item.id] == Answer(missing=missing)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "value",
    ["0", "6", "-1", "05", " 5", "5 ", "5.0", "1e0", "٣", "five", "skipped", "UNKNOWN", "5\0", "\ufffd", "null", "[]"],
)
def test_a_value_off_the_scale_is_a_fault_of_its_item_and_no_answer(form: str, value: str, reading: None) -> None:
    questionnaire = FORMS[form]
    item, other = questionnaire.closed_items[:2]
    sent = read(questionnaire, {item.id: value, other.id: "3"})
    assert set(sent.item_faults) == {item.id}
    assert not sent.is_valid
    assert item.id not in sent.answers
    assert sent.values[other.id] == "3"


def test_the_smallest_childs_scale_ends_where_its_faces_end(reading: None) -> None:
    small = FORMS["child_small"]
    item = small.closed_items[0].id
    assert [point.value for point in small.points] == [1, 2, 3]
    assert read(small, {item: "3"}).is_valid
    assert set(read(small, {item: "4"}).item_faults) == {item}


LENGTHS = [
    ("x" * TEXT_LIMIT, True),
    ("x" * (TEXT_LIMIT + 1), False),
    ("\U0001f9d1" * TEXT_LIMIT, True),
    ("\U0001f9d1" * (TEXT_LIMIT + 1), False),
    ("x" + "\r\n" * (TEXT_LIMIT - 2) + "x", True),
    ("x" + "\r\n" * (TEXT_LIMIT - 1) + "x", False),
    ("x" + "\n" * (TEXT_LIMIT - 2) + "x", True),
    ("x" + "\r" * (TEXT_LIMIT - 2) + "x", True),
    ("  " + "x" * TEXT_LIMIT + "\r\n\r\n", True),
]


@pytest.mark.parametrize(("text", "fits"), LENGTHS, ids=range(len(LENGTHS)))
def test_a_text_may_have_two_thousand_characters_a_line_break_counted_as_one(
    text: str, fits: bool, reading: None
) -> None:
    sent = read(FORMS["adult"], {"words": text})
    kept = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    assert sent.is_valid is fits
    assert set(sent.item_faults) == (set() if fits else {"words"})
    assert sent.values["words"] == kept
    assert sent.answers.get("words") == (Answer(text=kept) if fits else None)


@pytest.mark.parametrize("mark", UNREADABLE, ids=lambda mark: f"{ord(mark):#x}")
def test_a_text_with_a_character_that_cannot_be_read_is_refused(mark: str, reading: None) -> None:
    sent = read(FORMS["adult"], {"words": f"före {mark} efter", "prep": "5"})
    assert set(sent.item_faults) == {"words"}
    assert "words" not in sent.answers
    assert sent.values["prep"] == "5"


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"prep": ""},
        {"words": ""},
        {"words": " \r\n\t "},
        {"prep": "", "safe": "", "words": "   "},
    ],
)
def test_an_empty_form_is_refused(sent: dict[str, str], reading: None) -> None:
    judged = read(FORMS["adult"], sent)
    assert len(judged.faults) == 1
    assert not judged.item_faults


def test_left_out_items_are_skipped_and_kept_apart_from_refused_ones(reading: None) -> None:
    sent = read(FORMS["adult"], {"prep": "5", "safe": "declined", "say": "unknown", "words": "Hej"})
    said = {name: answer for name, answer in sent.answers.items() if answer.missing is not Missing.SKIPPED}
    assert said == {
        "prep": Answer(value=5),
        "safe": Answer(missing=Missing.DECLINED),
        "say": Answer(missing=Missing.UNKNOWN),
        "words": Answer(text="Hej"),
    }
    assert set(sent.answers) == {item.id for item in FORMS["adult"].items}


@pytest.mark.parametrize("name", ["know", "Prep", "prep ", "prep[]", "csrf_token", "lang", "", "\0", "__class__", "😀"])
def test_a_field_that_is_not_on_the_form_is_named_and_refused(name: str, reading: None) -> None:
    sent = read(FORMS["adult"], [("prep", "5"), (name, "5")])
    assert len(sent.faults) == 1
    assert name.replace("\0", "") in sent.faults[0]
    assert sent.values["prep"] == "5"


@pytest.mark.parametrize("twice", [("prep", "5", "5"), ("prep", "5", "1"), ("words", "a", "b"), ("submission", ID, ID)])
def test_a_field_that_comes_twice_is_named_and_refused(twice: tuple[str, str, str], reading: None) -> None:
    name, first, second = twice
    sent = read(FORMS["adult"], [("safe", "4"), (name, first), (name, second)])
    assert len(sent.faults) == 1
    assert name in sent.faults[0]
    assert sent.values["safe"] == "4"


@pytest.mark.parametrize("given_id", ["", "x", "a" * 15, "a" * 65, "a" * 31 + "é", "a" * 31 + "\n", "../" * 8])
def test_a_form_without_a_good_id_gets_a_new_one_and_is_to_be_sent_again(given_id: str, reading: None) -> None:
    sent = read(FORMS["adult"], {"prep": "5", "submission": given_id})
    assert len(sent.faults) == 1
    assert sent.submission != given_id
    assert read(FORMS["adult"], {"prep": "5", "submission": sent.submission}).is_valid


def test_a_refused_form_keeps_its_id(reading: None) -> None:
    assert read(FORMS["adult"], {"prep": "9"}).submission == ID


# Anything at all

_names = st.sampled_from(["submission", *(item.id for form in FORMS.values() for item in form.items)]) | st.text(
    st.characters(codec="utf-8"), max_size=60
)
_values = st.sampled_from(["", "0", "1", "3", "5", "6", "unknown", "declined", "skipped", ID]) | st.text(
    st.characters(codec="utf-8"), max_size=60
)


@unhurried
@given(form=st.sampled_from(list(FORMS)), fields=st.lists(st.tuples(_names, _values), max_size=12))
def test_whatever_is_sent_is_read_without_stumbling(reading: None, form: str, fields: list[tuple[str, str]]) -> None:
    questionnaire = FORMS[form]
    sent = answer_form.read(questionnaire, MultiDict(fields))
    items = {item.id: item for item in questionnaire.items}
    scale = {point.value for point in questionnaire.points}
    texts = {item.id for item in questionnaire.items if item.kind is ItemKind.TEXT}
    assert set(items) - texts <= set(sent.answers) | set(sent.item_faults) <= set(items)
    assert not set(sent.answers) & set(sent.item_faults)
    for name, answer in sent.answers.items():
        if answer.value is not None:
            assert answer.value in scale
            assert MultiDict(fields)[name] == str(answer.value)
        if answer.text is not None:
            assert items[name].kind is ItemKind.TEXT
            assert answer.text == answer.text.strip() != ""
            assert len(answer.text) <= TEXT_LIMIT
            assert not set(answer.text) & set(UNREADABLE)
    sent_names = [name for name, _value in fields]
    is_whole = set(sent_names) <= {*items, "submission"} and len(sent_names) == len(set(sent_names))
    said = [answer for answer in sent.answers.values() if answer.missing is not Missing.SKIPPED]
    if sent.is_valid:
        assert is_whole
        assert said
        assert dict(fields)["submission"] == sent.submission
    else:
        assert sent.faults or sent.item_faults
    assert all(text for text in [*sent.faults, *sent.item_faults.values()])


@unhurried
@given(
    form=st.sampled_from(list(FORMS)),
    data=st.data(),
    text=st.text(st.characters(codec="utf-8", exclude_characters=UNREADABLE), max_size=200),
)
def test_what_the_form_offers_comes_through_as_it_was_chosen(
    reading: None, form: str, data: st.DataObject, text: str
) -> None:
    questionnaire = FORMS[form]
    choices = [str(point.value) for point in questionnaire.points] + [one.value for one in questionnaire.offered]
    chosen = {
        item.id: data.draw(st.sampled_from(choices))
        for item in questionnaire.closed_items
        if data.draw(st.booleans(), label=item.id)
    } or {questionnaire.closed_items[0].id: "1"}
    sent = read(questionnaire, chosen | {"words": text})
    assert sent.is_valid, (sent.faults, sent.item_faults)
    for name, choice in chosen.items():
        expected = Answer(value=int(choice)) if choice.isdigit() else Answer(missing=Missing(choice))
        assert sent.answers[name] == expected
        assert sent.values[name] == choice
    kept = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    assert sent.answers.get("words") == (Answer(text=kept) if kept else None), "that there is no text is not kept"
