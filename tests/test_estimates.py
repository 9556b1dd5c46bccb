"""Means and intervals: the examples of the field's facts, other people's figures, and what holds for any answers."""

import math
from random import Random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from enkat.estimates import Difference, Sums, are_enough, clustered, difference, student, whole_points

SIX = [(9, 2, 5, 8), (6, 1, 3, 2), (8, 4, 6, 8), (7, 1, 2, 6), (10, 5, 6, 9), (6, 2, 4, 7)]


def sums(*meetings: tuple[float, ...]) -> Sums:
    """The sums of some meetings' answers."""
    return sum(map(Sums.of, meetings), Sums())


def error_of(clusters: list[tuple[float, ...]]) -> float:
    """The standard error, cluster by cluster as the formula is written."""
    everyone = [value for cluster in clusters for value in cluster]
    squares = sum((len(cluster) * (fmean(cluster) - fmean(everyone))) ** 2 for cluster in clusters)
    return math.sqrt(len(clusters) / (len(clusters) - 1) * squares) / len(everyone)


def test_six_meetings_give_the_mean_and_the_interval_of_the_worked_example() -> None:
    found = clustered(sums(*SIX))
    assert found is not None
    assert (found.mean, found.error) == (pytest.approx(5.2917, abs=5e-5), pytest.approx(0.6844, abs=5e-5))
    assert (found.low, found.high) == (pytest.approx(3.532, abs=5e-4), pytest.approx(7.051, abs=5e-4))


def test_students_t_is_that_of_other_peoples_tables() -> None:
    many = [*range(1, 301), 1_000, 100_000]
    assert [student(degrees) for degrees in many] == pytest.approx(list(stats.t.ppf(0.975, many)), rel=1e-7)


@pytest.mark.parametrize("degrees", [0, -1])
def test_students_t_needs_a_degree_of_freedom(degrees: int) -> None:
    with pytest.raises(ValueError, match="degree"):
        student(degrees)


def test_one_meeting_has_a_mean_and_no_interval() -> None:
    found = clustered(sums((25, 75, 80)))
    assert found is not None
    assert (found.mean, found.error, found.low, found.high) == (60, None, None, None)


def test_no_answers_are_none_and_never_nought() -> None:
    assert clustered(sums()) is None
    assert clustered(sums((), ())) is None
    with pytest.raises(ValueError, match="no answers"):
        whole_points(sums(), 1, True)


def test_a_meeting_that_nobody_answered_is_no_meeting() -> None:
    assert sums((), (50, 100), ()) == sums((50, 100))


def test_meetings_that_say_the_same_have_no_error() -> None:
    found = clustered(sums((50, 100), (75,), (100, 50)))
    assert found is not None
    assert (found.mean, found.error) == (75, 0)


MEETINGS = st.lists(st.lists(st.integers(0, 252_000), min_size=1, max_size=6).map(tuple), min_size=2, max_size=20)


@given(meetings=MEETINGS, chance=st.randoms(use_true_random=False))
def test_sums_are_the_same_in_whatever_order_meetings_come(meetings: list[tuple[int, ...]], chance: Random) -> None:
    before, shuffled = sums(*meetings), [tuple(chance.sample(meeting, len(meeting))) for meeting in meetings]
    chance.shuffle(shuffled)
    half = len(shuffled) // 2
    assert sums(*shuffled) == before
    assert sums(*shuffled[half:]) + sums(*shuffled[:half]) == before


@given(meetings=MEETINGS)
def test_the_error_is_that_of_the_formula_meeting_by_meeting(meetings: list[tuple[int, ...]]) -> None:
    found = clustered(sums(*meetings))
    assert found is not None
    assert found.error == pytest.approx(error_of(meetings), rel=1e-9, abs=1e-6)
    assert found.mean == pytest.approx(fmean([value for meeting in meetings for value in meeting]))


@given(row=st.lists(st.tuples(st.integers(1, 50), st.integers(0, 100)), min_size=1, max_size=9))
def test_a_meeting_can_be_known_by_its_number_of_answers_and_their_mean(row: list[tuple[int, int]]) -> None:
    told = sum((Sums.of_mean(n, mean) for n, mean in row), Sums())
    assert told == sums(*[(mean,) * n for n, mean in row])


def test_no_interval_is_shown_when_none_is_asked_for() -> None:
    assert whole_points(sums((40, 50), (60, 71)), 1, False) == (55, None, None)
    assert whole_points(sums((40, 50)), 1, True) == (45, None, None)


def test_intervals_end_at_nought_and_a_hundred() -> None:
    ends = sums(*[(0, 0)] * 3, *[(100, 100)] * 3)
    assert whole_points(ends, 1, True) == (50, 0, 100)
    assert whole_points(sums(*[(0, 0)] * 5, (0, 10)), 1, True)[:2] == (1, 0)
    assert whole_points(sums(*[(100, 100)] * 5, (90, 100)), 1, True)[::2] == (99, 100)


def test_meetings_that_all_say_the_same_still_have_a_width() -> None:
    """Two answers of 12.5 more and less would have given: t 2.5706, times sqrt(6/5 * 2) * 12.5 / 12."""
    assert whole_points(sums(*[(40, 60)] * 6), 1, True) == (50, 46, 54)
    shifted = [(40, 72.5), (27.5, 60), *[(40, 60)] * 4]
    assert whole_points(sums(*shifted), 1, True) == (50, 46, 54)


def test_a_wide_interval_is_no_wider_than_it_must_be() -> None:
    assert whole_points(sums(*[tuple(10 * value for value in meeting) for meeting in SIX]), 1, True) == (53, 35, 71)


@given(meetings=MEETINGS)
def test_what_is_shown_holds_the_mean_and_is_never_narrower_than_the_least(meetings: list[tuple[int, ...]]) -> None:
    whole = sums(*meetings)
    mean, low, high = whole_points(whole, 2520, True)
    assert low is not None
    assert high is not None
    assert 0 <= low <= mean <= high <= 100
    least = 12.5 * math.sqrt(2 * len(meetings) / (len(meetings) - 1)) / whole.n * student(len(meetings) - 1)
    assert low == 0 or mean - low >= least - 1
    assert high == 100 or high - mean >= least - 1


@given(meetings=MEETINGS)
def test_parts_of_a_point_show_the_same_as_points(meetings: list[tuple[int, ...]]) -> None:
    wide = sums(*[tuple(7 * value for value in meeting) for meeting in meetings])
    assert whole_points(wide, 7 * 2520, True)[0] == whole_points(sums(*meetings), 2520, True)[0]


@pytest.mark.parametrize(
    ("meetings", "enough"),
    [([2] * 5, True), ([6, 1, 1, 1, 1], True), ([3] * 4, False), ([2, 2, 2, 2, 1], False), ([1] * 9, False)],
)
def test_an_interval_takes_ten_answers_and_five_meetings(meetings: list[int], enough: bool) -> None:
    assert are_enough(sums(*[(50,) * size for size in meetings])) is enough


def test_a_difference_is_worked_out_period_by_period() -> None:
    earlier, later = [(20, 60), (30, 66), (25, 61), (40, 58)], [(35, 70), (22, 64), (31, 73)]
    before = error_of([(mean,) * n for n, mean in earlier])
    after = error_of([(mean,) * n for n, mean in later])
    first = sum(n * mean for n, mean in earlier) / 115
    second = sum(n * mean for n, mean in later) / 88
    half = stats.t.ppf(0.975, 5) * math.sqrt(before**2 + after**2)
    expected = (first, second, second - first, second - first - half, second - first + half)
    found = difference(earlier, later)
    assert isinstance(found, Difference)
    assert (found.earlier, found.later, found.difference, found.low, found.high) == pytest.approx(expected)


def test_a_difference_the_other_way_round_has_the_other_sign() -> None:
    earlier, later = [(20, 60), (30, 66), (25, 61)], [(35, 70), (22, 64), (31, 73)]
    there, back = difference(earlier, later), difference(later, earlier)
    assert there is not None
    assert back is not None
    assert (there.difference, there.low, there.high) == pytest.approx((-back.difference, -back.high, -back.low))


@pytest.mark.parametrize(("before", "after"), [(2, 3), (3, 2), (0, 5), (2, 2), (0, 0)])
def test_two_periods_are_too_few_to_tell_a_difference(before: int, after: int) -> None:
    assert difference([(10, 50)] * before, [(10, 60)] * after) is None


def test_the_interval_holds_the_true_mean_about_as_often_as_it_says() -> None:
    """Eight meetings of one to seven answers, alike within a meeting; 93 to 95 times of 100."""
    chance, rounds = Random(20261120), 3000
    held = 0
    for _round in range(rounds):
        meetings = []
        for _meeting in range(8):
            mood = chance.gauss(60, 8)
            meetings.append(tuple(chance.gauss(mood, 15) for _person in range(chance.randint(1, 7))))
        found = clustered(sums(*meetings))
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 60 <= found.high
    assert 0.90 < held / rounds < 0.98
