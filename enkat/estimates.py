"""Pure statistics: the mean of answers that come in clusters, and how sure one can be of it.

Those who were at one meeting answer alike, so the spread between meetings decides the interval, not that between
answers. Sums are enough for it: they add up whatever the number of answers, and in whole numbers they come out the
same in any order.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

#: An interval is shown from so many answers and clusters; with fewer it would promise more than it can hold.
FEWEST_ANSWERS, FEWEST_CLUSTERS = 10, 5

#: Half an interval's width is never shown smaller than if two answers, of two clusters, differed by so many points from
#: a cell without any difference between clusters. Otherwise a width of nearly nothing would tell that all meetings were
#: alike, and whoever knows the other answers of a meeting would know the last one.
LEAST_SHIFT = 12.5

#: Share of intervals that hold the true mean.
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Sums:
    """What is kept of clusters of answers: how many, and the sums that mean and interval are worked out from."""

    clusters: int = 0
    n: int = 0
    total: float = 0
    sizes: float = 0  # n_g squared, summed
    squares: float = 0  # the clusters' totals squared, summed
    products: float = 0  # the clusters' sizes times their totals, summed

    @classmethod
    def of(cls, cluster: Iterable[float]) -> "Sums":
        """The sums of one cluster of answers; of none where it has no answers."""
        values = list(cluster)
        if not values:
            return cls()
        n, total = len(values), sum(values)
        return cls(1, n, total, n * n, total * total, n * total)

    @classmethod
    def of_mean(cls, n: int, mean: float) -> "Sums":
        """The sums of one cluster that is known by its number of answers and their mean."""
        return cls(1, n, n * mean, n * n, (n * mean) ** 2, n * n * mean)

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.clusters + other.clusters,
            self.n + other.n,
            self.total + other.total,
            self.sizes + other.sizes,
            self.squares + other.squares,
            self.products + other.products,
        )


@dataclass(frozen=True)
class Estimate:
    """A mean, its standard error and its 95 % interval; the last three None for a single cluster."""

    mean: float
    error: float | None = None
    low: float | None = None
    high: float | None = None


def clustered(sums: Sums) -> Estimate | None:
    """Mean and interval of answers clustered by meeting; None where there are none.

    SE^2 = G/(G-1) * sum[n_g (mean_g - mean)]^2 / N^2, with Student's t on G-1 degrees of freedom.
    """
    if not sums.n:
        return None
    mean, groups = sums.total / sums.n, sums.clusters
    if groups < 2:
        return Estimate(mean)
    # sum[t_g - n_g T/N]^2, multiplied by N^2 so that whole numbers stay whole until the division
    spread = sums.n**2 * sums.squares - 2 * sums.n * sums.total * sums.products + sums.total**2 * sums.sizes
    error = math.sqrt(max(groups / (groups - 1) * spread, 0)) / sums.n**2
    half = student(groups - 1) * error
    return Estimate(mean, error, mean - half, mean + half)


def whole_points(sums: Sums, parts: int, with_interval: bool) -> tuple[int, int | None, int | None]:
    """What is published of some answers: their mean and, where it is to be shown, its interval, in whole points within
    0-100. `parts` is how many parts of a point the sums are counted in. ValueError where there are no answers."""
    estimate = clustered(sums)
    if estimate is None:
        raise ValueError("there is no mean of no answers")
    middle = estimate.mean / parts
    if not with_interval or estimate.error is None:
        return round(middle), None, None
    least = LEAST_SHIFT * math.sqrt(2 * sums.clusters / (sums.clusters - 1)) / sums.n
    half = student(sums.clusters - 1) * max(estimate.error / parts, least)
    return round(middle), max(round(middle - half), 0), min(round(middle + half), 100)


def are_enough(sums: Sums) -> bool:
    """Whether there are answers and clusters enough for an interval."""
    return sums.n >= FEWEST_ANSWERS and sums.clusters >= FEWEST_CLUSTERS


@dataclass(frozen=True)
class Difference:
    """How much higher the later of two groups is than the earlier one, with a 95 % interval."""

    earlier: float
    later: float
    difference: float
    low: float
    high: float


def difference(earlier: Iterable[tuple[int, float]], later: Iterable[tuple[int, float]]) -> Difference | None:
    """The difference between two rows of periods, each given as (answers, mean); None with fewer than three a side.

    Each period is a cluster: its mean varies with who answered and with the times, and the interval holds both. The
    two standard errors are added as squares, with Student's t on the periods less two.
    """
    before, after = ([Sums.of_mean(n, mean) for n, mean in row] for row in (earlier, later))
    if min(len(before), len(after)) < 3:
        return None
    first, second = clustered(sum(before, Sums())), clustered(sum(after, Sums()))
    if first is None or second is None or first.error is None or second.error is None:
        return None
    half = student(len(before) + len(after) - 2) * math.hypot(first.error, second.error)
    gap = second.mean - first.mean
    return Difference(first.mean, second.mean, gap, gap - half, gap + half)


@cache
def student(degrees: int) -> float:
    """The point that Student's t exceeds in 2.5 % of cases, for so many degrees of freedom (from 1)."""
    if degrees < 1:
        raise ValueError("Student's t needs at least one degree of freedom")
    if degrees > 200:
        return _student_of_many(degrees)
    low, high = 0.0, math.pi / 2
    for _halving in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < CONFIDENCE else (low, middle)
    return math.sqrt(degrees) * math.tan(low)


def _within(angle: float, degrees: int) -> float:
    """How probable it is that |t| stays below sqrt(degrees) * tan(angle): Abramowitz and Stegun 26.7.3 and 26.7.4."""
    cosine, odd = math.cos(angle), degrees % 2
    term = cosine if odd else 1.0
    series = term if degrees > 1 else 0.0
    for step in range(2 + odd, degrees - 1, 2):
        term *= cosine**2 * (step - 1) / step
        series += term
    return 2 / math.pi * (angle + math.sin(angle) * series) if odd else math.sin(angle) * series


def _student_of_many(degrees: int) -> float:
    """The same from the normal distribution: Abramowitz and Stegun 26.7.5."""
    x = 1.959963984540054
    first = (x**3 + x) / 4
    second = (5 * x**5 + 16 * x**3 + 3 * x) / 96
    third = (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384
    return x + first / degrees + second / degrees**2 + third / degrees**3
