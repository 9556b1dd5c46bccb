"""One finding from what is published: settled beforehand whose answers and which quarters are compared."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enkat import findings
from enkat.estimates import difference
from enkat.findings import Finding
from enkat.model.result import Outcome, Quarter, Snapshot
from enkat.model.survey import Index, Role
from tests.published import Said, children, quarter, quarters, unpublished, year


def of_family(*means: Said, first: str = "2024-Q1") -> list[Snapshot]:
    """Quarters in a row with what the family says; kin and professionals always say the same."""
    return _row(first, *({"family": mean, "kin": 64, "professional": 80} for mean in means))


def _row(first: str, *roles: dict[str, Said]) -> list[Snapshot]:
    names = [one.period for one in quarters(first, len(roles))]
    return [quarter(name, said) for name, said in zip(names, roles, strict=True)]


def find(published: list[Snapshot], index: Index = Index.PARTICIPATION) -> Finding:
    found = findings.find(published, index)
    assert found is not None
    return found


def spans(found: Finding) -> list[tuple[str, str]]:
    """From which quarter to which, before and after."""
    return [(str(first), str(last)) for first, last in (found.earlier, found.later)]


def test_four_quarters_are_compared_with_the_four_before() -> None:
    found = find(of_family(50, 52, 48, 50, 70, 72, 68, 70))
    assert (found.role, found.before, found.after, found.gap) == (Role.FAMILY, 50, 70, 20)
    assert spans(found) == [("2024-Q1", "2024-Q4"), ("2025-Q1", "2025-Q4")]
    assert not found.leaves_out
    assert 0 < found.low < found.gap < found.high
    assert found.is_clear


def test_the_figures_are_those_of_the_estimate_in_whole_points() -> None:
    found = find(of_family((50, 9, 6), (52, 30, 9), (48, 12, 6), (70, 5, 4), (72, 11, 6), (68, 40, 9)))
    exact = difference([(9, 50), (30, 52), (12, 48)], [(5, 70), (11, 72), (40, 68)])
    assert exact is not None
    assert (found.before, found.after) == (round(exact.earlier), round(exact.later))
    assert (found.low, found.high) == (round(exact.low), round(exact.high))


def test_each_index_has_a_finding_of_its_own() -> None:
    published = of_family(50, 52, 48, 70, 72, 68)
    assert (find(published).before, find(published, Index.USEFULNESS).before) == (50, 40)


@pytest.mark.parametrize(("number", "a_side"), [(0, 0), (1, 0), (5, 0), (6, 3), (7, 3), (8, 4), (9, 4), (20, 4)])
def test_there_are_three_to_four_quarters_on_each_side_and_else_no_finding(number: int, a_side: int) -> None:
    published = of_family(*[50 + 5 * (one % 3) for one in range(number)])
    found = findings.find(published, Index.PARTICIPATION)
    assert (found is None) == (not a_side)
    if found is not None:
        names = [one.period for one in published]
        assert spans(found) == [(names[-2 * a_side], names[-a_side - 1]), (names[-a_side], names[-1])]


def test_where_the_familys_own_answers_stand_in_too_few_quarters_everybodys_are_compared() -> None:
    joined = {"family+kin": 60, "professional": 80}
    found = find([*_row("2024-Q1", *[joined] * 3), *of_family(70, 72, 68, 71, 69, first="2024-Q4")])
    assert found.role is None
    assert spans(found) == [("2024-Q1", "2024-Q4"), ("2025-Q1", "2025-Q4")]
    assert not found.leaves_out
    assert found.before == round((70 + 70 + 70 + (70 + 64 + 80) / 3) / 4)


def test_quarters_in_which_the_family_is_joined_are_left_out_and_that_is_told() -> None:
    joined = {"family+kin": 99, "professional": 80}
    published = [*of_family(50, 52, 48), *_row("2024-Q4", joined), *of_family(70, 72, 68, first="2025-Q1")]
    found = find(published)
    assert (found.role, found.before, found.after, found.leaves_out) == (Role.FAMILY, 50, 70, True)
    assert spans(found) == [("2024-Q1", "2024-Q3"), ("2025-Q1", "2025-Q3")]
    before_them = find([*_row("2023-Q4", joined), *of_family(50, 52, 48, 70, 72, 68)])
    assert not before_them.leaves_out, "what lies before the quarters that are compared is no part of it anyway"


def test_quarters_that_were_joined_are_named_from_the_first_to_the_last() -> None:
    published = [quarter("2023-Q3+2023-Q4"), *of_family(50, 52, 70, 72), quarter("2025-Q1+2025-Q2")]
    assert spans(find(published)) == [("2023-Q3", "2024-Q2"), ("2024-Q3", "2025-Q2")]


def test_more_answers_weigh_more_in_everybodys_mean() -> None:
    found = find(_row("2025-Q1", *[{"family+kin": (40, 30, 6), "professional": (80, 10, 6)}] * 6))
    assert (found.role, found.before) == (None, 50)


def test_quarters_without_figures_years_and_children_are_no_part_of_it() -> None:
    published = of_family(50, 52, 48, 70, 72, 68)
    beside = [year(2024, unit={"Norr": 10}), children("2024", 5), unpublished("2025-Q3", Outcome.JOINED)]
    assert find([*published, *beside, unpublished("2025-Q4", Outcome.EMPTY)]) == find(published)


def test_the_sign_tells_which_way_it_went() -> None:
    rise, fall = find(of_family(50, 52, 48, 70, 72, 68)), find(of_family(70, 72, 68, 50, 52, 48))
    assert (fall.gap, fall.low, fall.high) == (-rise.gap, -rise.high, -rise.low)
    assert fall.high < 0
    assert fall.is_clear


def test_an_interval_that_touches_nought_is_not_clear() -> None:
    found = find(of_family(50, 70, 60, 55, 75, 62))
    assert found.low <= 0 <= found.high
    assert not found.is_clear
    assert not replace(found, low=0).is_clear
    assert not replace(found, high=0, low=-9).is_clear


@given(
    family=st.lists(st.integers(0, 100), min_size=6, max_size=12),
    others=st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=12, max_size=12),
)
def test_what_is_compared_is_not_chosen_by_what_comes_out(family: list[int], others: list[tuple[int, int]]) -> None:
    """Other figures in the same cells: the same role and the same quarters."""
    first = [quarter(str(one.period), {"family": 50, "kin": 50, "professional": 50}) for one in _names(len(family))]
    second = [
        quarter(str(one.period), {"family": mean, "kin": kin, "professional": professional})
        for one, mean, (kin, professional) in zip(_names(len(family)), family, others, strict=False)
    ]
    for index in (Index.PARTICIPATION, Index.USEFULNESS):
        one, other = find(first, index), find(second, index)
        assert one.role == other.role == Role.FAMILY
        assert spans(one) == spans(other)


def _names(number: int) -> list[Snapshot]:
    return quarters(str(Quarter(2022, 1)), number)
