"""Answers become scores from 0 to 100: the examples of the field's facts, and what holds for any answers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enkat.model.survey import (
    Answer,
    Construct,
    Index,
    Item,
    ItemKind,
    Missing,
    Point,
    Questionnaire,
    Role,
    Stage,
)
from enkat.scoring import index_score, item_score

#: What an answer is written as in the tables: a value on the scale, a word for why there is none, or nothing at all.
Said = int | Missing | None

FIVE = tuple(Point(value, f"steg {value}") for value in range(1, 6))
THREE_FACES = tuple(Point(value, f"min {value}", face) for value, face in ((1, 1), (2, 3), (3, 5)))
FIVE_FACES = tuple(Point(value, f"min {value}", value) for value in range(1, 6))


def form(items: int, points: tuple[Point, ...] = FIVE, kind: ItemKind = ItemKind.AGREEMENT) -> Questionnaire:
    """A form with so many participation items, one of usefulness, one that stands alone, and a text."""
    asked = [Item(f"p{n}", "?", kind, Construct.VOICE, Index.PARTICIPATION) for n in range(items)]
    asked.append(Item("u", "?", kind, Construct.USEFULNESS, Index.USEFULNESS))
    asked.append(Item("alone", "?", kind, Construct.TRUST))
    asked.append(Item("words", "?", ItemKind.TEXT, Construct.FREE_TEXT))
    roles = frozenset({Role.FAMILY})
    return Questionnaire(
        "form", 1, "T", "P", "S", Stage.AFTER, roles, points, (Missing.UNKNOWN, Missing.DECLINED), tuple(asked)
    )


def answers(said: list[Said]) -> dict[str, Answer]:
    """The participation answers, beside others that must not count: a text, and the two other items at the top."""
    given_ = {
        f"p{n}": Answer(value=one) if type(one) is int else Answer(missing=one) for n, one in enumerate(said) if one
    }
    return given_ | {"u": Answer(value=1), "alone": Answer(value=1), "words": Answer(text="5")}


@pytest.mark.parametrize(
    ("said", "score"),
    [
        ([5, 4, None, 3], 75),
        ([5, None, None, 4], 87.5),
        ([5, None, None, None], None),
        ([4, 4, 5], 83.3333),
        ([4, None, None], None),
        ([None, None, None, None], None),
        ([4, 2, None], 50),
        ([1, 1, 1, 1], 0),
        ([5, 5, 5, 5], 100),
        ([3], 50),
        ([None], None),
    ],
)
@pytest.mark.parametrize("blank", [None, *Missing])
def test_an_index_is_the_mean_of_its_answered_items_when_half_are_answered(
    said: list[Said], score: float | None, blank: Said
) -> None:
    """However an item is left unanswered: not sent at all, not known, declined or skipped."""
    filled = answers([blank if one is None else one for one in said])
    found = index_score(form(len(said)), Index.PARTICIPATION, filled)
    assert found == (None if score is None else pytest.approx(score, abs=0.0001))


@pytest.mark.parametrize(
    ("points", "kind", "scores"),
    [
        (FIVE, ItemKind.AGREEMENT, [0, 25, 50, 75, 100]),
        (FIVE_FACES, ItemKind.FACES, [0, 25, 50, 75, 100]),
        (THREE_FACES, ItemKind.FACES, [0, 50, 100]),
    ],
)
def test_a_scale_runs_from_nought_to_a_hundred_in_even_steps(
    points: tuple[Point, ...], kind: ItemKind, scores: list[float]
) -> None:
    item = Item("say", "?", kind, Construct.VOICE)
    assert [item_score(item, Answer(value=point.value), points) for point in points] == scores


@pytest.mark.parametrize("answer", [None, *(Answer(missing=why) for why in Missing)])
def test_an_item_that_nobody_answered_has_no_score(answer: Answer | None) -> None:
    assert item_score(Item("say", "?", ItemKind.AGREEMENT, Construct.VOICE), answer, FIVE) is None


def test_a_text_has_no_score_whatever_it_says() -> None:
    item = Item("words", "?", ItemKind.TEXT, Construct.FREE_TEXT)
    assert item_score(item, Answer(text="5"), FIVE) is None


def test_each_index_hears_its_own_items_only() -> None:
    filled = answers([5, 5])
    assert index_score(form(2), Index.PARTICIPATION, filled) == 100
    assert index_score(form(2), Index.USEFULNESS, filled) == 0


def test_an_index_that_the_form_does_not_have_is_none() -> None:
    assert index_score(form(0), Index.PARTICIPATION, answers([])) is None


def test_answers_to_items_that_are_not_on_the_form_count_for_nothing() -> None:
    assert index_score(form(2), Index.PARTICIPATION, {"p8": Answer(value=5), "p9": Answer(value=5)}) is None


SAID = st.lists(st.one_of(st.integers(1, 5), st.sampled_from([*Missing, None])), min_size=1, max_size=9)


@given(said=SAID)
@settings(deadline=None, max_examples=300)
def test_any_index_lies_between_its_lowest_and_highest_answer_and_needs_half_of_its_items(said: list[Said]) -> None:
    values = [one for one in said if type(one) is int]
    score = index_score(form(len(said)), Index.PARTICIPATION, answers(said))
    assert (score is None) == (2 * len(values) < len(said))
    if score is not None:
        assert 0 <= score <= 100
        assert (min(values) - 1) * 25 - 1e-9 <= score <= (max(values) - 1) * 25 + 1e-9
        assert score == pytest.approx(sum((value - 1) * 25 for value in values) / len(values))


@given(said=SAID, chance=st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=200)
def test_the_order_of_the_answers_does_not_matter(said: list[Said], chance: object) -> None:
    filled = list(answers(said).items())
    before = index_score(form(len(said)), Index.PARTICIPATION, dict(filled))
    chance.shuffle(filled)  # type: ignore[attr-defined]
    assert index_score(form(len(said)), Index.PARTICIPATION, dict(filled)) == before
    swapped = answers(sorted(said, key=str))
    after = index_score(form(len(said)), Index.PARTICIPATION, swapped)
    assert after == (None if before is None else pytest.approx(before))


@given(said=st.lists(st.sampled_from([*Missing, None]), min_size=1, max_size=9))
@settings(deadline=None, max_examples=100)
def test_nothing_answered_is_none_and_never_nought(said: list[Said]) -> None:
    assert index_score(form(len(said)), Index.PARTICIPATION, answers(said)) is None
