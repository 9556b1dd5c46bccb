"""The release rule: what is fit to be shown, what is joined until it is, and that nothing is lost on the way."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enkat.disclosure import (
    OUTSIDE_LARGEST,
    Group,
    Holding,
    Joining,
    Neighbours,
    Spread,
    alike,
    by_size,
    in_order,
    is_fit,
    is_varied,
    join,
    together,
)
from enkat.model.survey import Index

BOTH = (Index.PARTICIPATION, Index.USEFULNESS)

#: An answer: its assignment and its scores.
Given = tuple[str, int | None, int | None]

FIT: list[Given] = [("a", 10, 10), ("a", 20, 20), ("a", 30, 30), ("b", 40, 40), ("b", 50, 50)]


def holding(answers: Sequence[Given]) -> Holding:
    """What the rule knows of some answers."""
    whole = Holding()
    for assignment, *scores in answers:
        whole.add(assignment, dict(zip(BOTH, scores, strict=True)))
    return whole


def varied(number: int, start: int = 0) -> Holding:
    """So many answers of as many assignments, all unlike each other."""
    return holding([(f"a{n}", n, n) for n in range(start, start + number)])


def is_fit_by_counting(answers: Sequence[Given], smallest: int = 5) -> bool:
    """The rule as it is written, counted from the answers themselves."""
    for which in (1, 2):
        scored = [answer for answer in answers if answer[which] is not None]
        assignments = Counter(answer[0] for answer in scored)
        values = Counter(answer[which] for answer in scored)
        if len(scored) < smallest or len(assignments) < 2:
            return False
        if len(scored) - max(assignments.values()) < 2 or len(scored) - max(values.values()) < 3:
            return False
    return True


def fits(one: Holding) -> bool:
    return is_fit(one, BOTH, 5)


def groups_of(sizes: dict[str, int], neighbours: Neighbours = by_size) -> tuple[list[Group], list[Joining]]:
    """How categories of so many answers are shown."""
    return join({name: varied(n) for name, n in sizes.items()}, neighbours, fits)


def test_five_answers_of_two_families_that_differ_are_fit() -> None:
    assert fits(holding(FIT))


def test_four_answers_are_not_fit() -> None:
    assert not fits(holding([*FIT[:2], *FIT[3:]]))


def test_an_index_that_nobody_has_is_not_fit() -> None:
    without = holding([(assignment, one, None) for assignment, one, _other in FIT])
    assert not fits(without)
    assert is_fit(without, [Index.PARTICIPATION], 5)


def test_five_answers_of_which_one_has_no_score_are_not_fit() -> None:
    assert not fits(holding([*FIT[:4], ("b", 50, None)]))
    assert fits(holding([*FIT, ("b", 50, None)]))


def test_one_family_alone_is_not_fit_however_much_it_answers() -> None:
    assert not fits(holding([("a", n, n) for n in range(90)]))


def test_one_answer_from_outside_the_largest_assignment_is_not_enough() -> None:
    assert not fits(holding([("a", n, n) for n in range(8)] + [("b", 9, 9)]))
    assert fits(holding([("a", n, n) for n in range(8)] + [("b", 9, 9), ("c", 10, 10)]))


def test_two_answers_unlike_the_commonest_are_not_enough() -> None:
    assert not fits(holding([(f"a{n}", n, 100) for n in range(6)] + [("x", 7, 75), ("y", 8, 50)]))
    assert fits(holding([(f"a{n}", n, 100) for n in range(6)] + [("x", 7, 75), ("y", 8, 50), ("z", 9, 75)]))


def test_both_indices_must_differ() -> None:
    assert not fits(holding([(assignment, 100, other) for assignment, _one, other in FIT]))
    assert not fits(holding([(assignment, one, 100) for assignment, one, _other in FIT]))


def test_nobody_is_not_fit() -> None:
    assert not fits(Holding())


def test_a_municipality_can_raise_the_smallest_group() -> None:
    assert not is_fit(varied(9), BOTH, 10)
    assert is_fit(varied(10), BOTH, 10)


@pytest.mark.parametrize(
    ("sizes", "shown"),
    [
        ({"family": 9, "kin": 3, "professional": 8}, [("family", "kin"), ("professional",)]),
        ({"family": 9, "kin": 3, "professional": 3}, [("family", "kin", "professional")]),
        ({"family": 9, "kin": 5, "professional": 5}, [("family",), ("kin",), ("professional",)]),
        ({"family": 3, "kin": 9, "professional": 8}, [("family", "kin"), ("professional",)]),
        ({"family": 9, "kin": 8, "professional": 3}, [("family",), ("kin", "professional")]),
        ({"family": 9, "kin": 0, "professional": 8}, [("family", "kin"), ("professional",)]),
    ],
)
def test_kin_are_joined_with_family_first(sizes: dict[str, int], shown: list[Group]) -> None:
    kinds = {"family": "private", "kin": "private", "professional": "professional"}
    assert groups_of(sizes, alike(kinds))[0] == shown


@pytest.mark.parametrize(
    ("sizes", "shown"),
    [
        ((3, 9, 9), [("1", "2"), ("3",)]),
        ((9, 3, 7), [("1",), ("2", "3")]),
        ((9, 9, 3), [("1",), ("2", "3")]),
        ((3, 9, 3), [("1", "2", "3")]),
        ((2, 2, 9), [("1", "2", "3")]),
        ((3, 0, 9), [("1", "2", "3")]),
        ((2, 3, 9), [("1", "2"), ("3",)]),
    ],
)
def test_a_month_is_joined_with_the_next_and_the_last_with_the_one_before(
    sizes: tuple[int, ...], shown: list[Group]
) -> None:
    months = {str(number): size for number, size in enumerate(sizes, 1)}
    assert groups_of(months, in_order(list("123")))[0] == shown


def test_a_team_is_joined_within_its_district() -> None:
    districts = {"North 1": "north", "North 2": "north", "South 1": "south", "South 2": "south"}
    sizes = {"North 1": 3, "North 2": 40, "South 1": 7, "South 2": 9}
    groups, steps = groups_of(sizes, alike(districts))
    assert groups == [("North 1", "North 2"), ("South 1",), ("South 2",)]
    assert steps == [Joining(("North 1",), ("North 2",), ("North 1", "North 2"), True)]


def test_a_district_that_is_too_small_is_joined_with_the_smallest_of_the_others() -> None:
    districts = {"North 1": "north", "North 2": "north", "South 1": "south", "South 2": "south"}
    groups, steps = groups_of({"North 1": 2, "North 2": 2, "South 1": 7, "South 2": 9}, alike(districts))
    assert groups == [("North 1", "North 2", "South 1"), ("South 2",)]
    assert [step.is_natural for step in steps] == [True, False]


def test_a_group_of_several_districts_is_nobodys_neighbour() -> None:
    neighbours = alike({"a": 1, "b": 2, "c": 1, "d": 2})
    assert neighbours(("a", "b"), [("c",), ("d",)]) == []
    assert neighbours(("a",), [("b", "c"), ("d",)]) == []
    assert neighbours(("a",), [("c",), ("d",)]) == [("c",)]


def test_the_smallest_is_joined_first_and_with_the_smallest() -> None:
    groups, steps = groups_of({"a": 4, "b": 2, "c": 3, "d": 20})
    assert steps == [Joining(("b",), ("c",), ("b", "c"), False), Joining(("a",), ("b", "c"), ("a", "b", "c"), False)]
    assert groups == [("a", "b", "c"), ("d",)]


def test_of_two_alike_the_earlier_is_taken() -> None:
    assert groups_of({"a": 3, "b": 9, "c": 3, "d": 9})[1][0] == Joining(("a",), ("c",), ("a", "c"), False)
    assert groups_of({"a": 9, "b": 3, "c": 9})[1] == [Joining(("b",), ("a",), ("a", "b"), False)]


def test_joined_categories_stand_in_the_order_of_their_table() -> None:
    assert groups_of({"d": 20, "c": 3, "b": 20, "a": 3})[0] == [("d",), ("c", "a"), ("b",)]


def test_a_category_in_which_nobody_answered_is_joined_like_one_in_which_few_did() -> None:
    assert groups_of({"a": 0, "b": 9, "c": 9})[0] == groups_of({"a": 1, "b": 9, "c": 9})[0] == [("a", "b"), ("c",)]


def test_answers_without_scores_are_joined_too() -> None:
    silent = holding([("a", None, None)])
    assert join({"silent": silent, "heard": varied(9)}, by_size, fits)[0] == [("silent", "heard")]


def test_a_table_of_what_does_not_fit_as_a_whole_is_refused() -> None:
    with pytest.raises(ValueError, match="as a whole"):
        groups_of({"a": 2, "b": 2})


def test_joining_leaves_the_holdings_as_they_were() -> None:
    months = {"1": varied(3), "2": varied(9)}
    join(months, by_size, fits)
    assert [one.answers for one in months.values()] == [3, 9]
    assert not fits(months["1"])


SCORE = st.one_of(st.none(), st.integers(0, 4))
GIVEN = st.tuples(st.sampled_from("abcd"), SCORE, SCORE)
ANSWERS = st.lists(GIVEN, max_size=14)


@given(parts=st.lists(st.lists(st.integers(0, 5), max_size=8), max_size=6), enough=st.integers(1, 4))
def test_a_spread_knows_what_full_counting_knows(parts: list[list[int]], enough: int) -> None:
    whole = Spread(enough)
    for part in parts:
        spread = Spread(enough)
        for one in part:
            spread.add(one)
        whole.add_all(spread)
    counted = Counter(one for part in parts for one in part)
    assert whole.is_enough == (counted.total() - max(counted.values(), default=0) >= enough)


@given(pairs=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), max_size=9))
def test_things_can_be_counted_several_at_a_time(pairs: list[tuple[int, int]]) -> None:
    whole, counted = Spread(3), Counter[int]()
    for part, times in pairs:
        whole.add(part, times)
        counted[part] += times
    assert whole.is_enough == (counted.total() - max(counted.values(), default=0) >= 3)


@given(answers=ANSWERS)
def test_a_holding_is_fit_exactly_when_its_answers_are(answers: list[Given]) -> None:
    assert fits(holding(answers)) == is_fit_by_counting(answers)


@given(parts=st.lists(ANSWERS, max_size=6), chance=st.randoms(use_true_random=False), smallest=st.integers(5, 9))
def test_holdings_can_be_put_together_in_any_order(parts: list[list[Given]], chance: object, smallest: int) -> None:
    rest = [holding(part) for part in parts] or [Holding()]
    while len(rest) > 1:
        chance.shuffle(rest)  # type: ignore[attr-defined]
        rest.append(together([rest.pop(), rest.pop()]))
    everyone = [answer for part in parts for answer in part]
    assert rest[0].answers == len(everyone)
    assert is_fit(rest[0], BOTH, smallest) == is_fit_by_counting(everyone, smallest)


@given(answers=ANSWERS, more=ANSWERS)
def test_whatever_holds_a_fit_cell_is_fit(answers: list[Given], more: list[Given]) -> None:
    if fits(holding(FIT + answers)):
        assert fits(holding(FIT + answers + more))
    whole = together([holding(answers), holding(more)])
    assert fits(whole) >= (fits(holding(answers)) or fits(holding(more)))


def test_memory_does_not_grow_with_the_answers() -> None:
    whole, alike_ = Holding(), Holding()
    for n in range(20_000):
        whole.add(f"a{n % 700}", dict.fromkeys(BOTH, n % 60))
        alike_.add("a", dict.fromkeys(BOTH, 50))
        for scored in [*whole.scored.values(), *alike_.scored.values()]:
            assert len(scored.assignments._parts) <= OUTSIDE_LARGEST
            assert len(scored.values) <= 60, "as many as there are different scores"
    assert (whole.answers, fits(whole), fits(alike_)) == (20_000, True, False)


@pytest.mark.parametrize(("values", "varied"), [([50, 50, 25, 75], True), ([50, 50, 50, 25, 75], False), ([], False)])
def test_intervals_need_answers_of_which_at_most_half_are_alike(values: list[int], varied: bool) -> None:
    answers = Holding()
    for value in values:
        answers.add("a", dict.fromkeys(BOTH, value))
    assert is_varied(answers, BOTH) is varied


CATEGORIES = st.lists(ANSWERS, min_size=1, max_size=7)
KINDS = st.lists(st.integers(0, 2), min_size=7, max_size=7)


@given(categories=CATEGORIES, kinds=KINDS, way=st.sampled_from(["size", "order", "kind"]))
def test_every_answer_is_shown_once_and_only_where_it_may_be(
    categories: list[list[Given]], kinds: list[int], way: str
) -> None:
    names = [f"c{n}" for n in range(len(categories))]
    holdings = {name: holding(answers) for name, answers in zip(names, categories, strict=True)}
    neighbours = {
        "size": by_size,
        "order": in_order(names),
        "kind": alike(dict(zip(names, kinds, strict=False))),
    }[way]
    everyone = [answer for answers in categories for answer in answers]
    if not is_fit_by_counting(everyone):
        if everyone:
            with pytest.raises(ValueError, match="as a whole"):
                join(holdings, neighbours, fits)
        return
    groups, steps = join(holdings, neighbours, fits)
    shown = [[answer for name in group for answer in categories[names.index(name)]] for group in groups]
    assert all(is_fit_by_counting(answers) for answers in shown)
    assert sum(map(len, shown)) == len(everyone)
    assert sorted(name for group in groups for name in group) == names
    assert len(steps) == sum(len(group) - 1 for group in groups)
    assert all(list(group) == sorted(group) for group in groups)
    if way == "order":
        assert [name for group in groups for name in group] == names
