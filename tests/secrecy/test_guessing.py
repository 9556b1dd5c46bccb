"""The brake: guessing is slowed, nobody is ever locked out, and who has not failed does not notice."""

import mmap
import os
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enkat.secrecy.guessing import LIMITS, Brake, Guess

HOME = "203.0.113.7"

#: What a wait may be off by: the clock and the vessels are floating-point numbers.
HAIR = 1e-6

every_guess = pytest.mark.parametrize("guess", list(Guess))


@dataclass
class Clock:
    """Stands still until a hand turns it."""

    now: float = 5000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def brake(clock: Clock) -> Brake:
    return Brake(clock)


def strangers(number: int, net: int = 18) -> list[str]:
    """So many addresses that nobody else in a test has."""
    return [f"198.{net}.{one >> 8}.{one & 255}" for one in range(number)]


def is_looked_at(brake: Brake, guess: Guess, address: str) -> bool:
    return brake.wait(guess, address) < HAIR


def guessed(brake: Brake, guess: Guess, address: str, most: int = 1000) -> int:
    """How many wrong tries are looked at when somebody tries as fast as can be."""
    for tried in range(most):
        if not is_looked_at(brake, guess, address):
            return tried
        brake.fail(guess, address)
    return most


def most(brake: Brake, guess: Guess) -> int:
    """How many wrong tries are looked at of addresses that have not failed before. (Vessels are found by a hash: one of
    them may by chance have somebody else's, and then has fewer.)"""
    return max(guessed(brake, guess, address) for address in strangers(7, net=19))


def strain(brake: Brake, guess: Guess, failures: int | None = None) -> None:
    """Failures from as many addresses, as a botnet makes them: as many as all together may have at once."""
    for address in strangers(int(LIMITS[guess].burst_of_all) if failures is None else failures):
        brake.fail(guess, address)


# One address


@every_guess
def test_somebody_may_fail_some_times_at_once_and_then_has_to_wait(brake: Brake, guess: Guess) -> None:
    assert guessed(brake, guess, HOME) == LIMITS[guess].burst
    assert brake.wait(guess, HOME) == pytest.approx(1 / LIMITS[guess].rate)


@every_guess
def test_after_the_stated_wait_exactly_one_more_try_is_looked_at(brake: Brake, clock: Clock, guess: Guess) -> None:
    guessed(brake, guess, HOME)
    for _again in range(20):
        wait = brake.wait(guess, HOME)
        clock.now += 0.99 * wait
        assert brake.wait(guess, HOME) == pytest.approx(0.01 * wait), "it is the time that is left, and not over yet"
        clock.now += 0.01 * wait
        assert guessed(brake, guess, HOME) == 1


@every_guess
def test_failures_leak_away_one_by_one_until_they_are_forgotten(brake: Brake, clock: Clock, guess: Guess) -> None:
    limit = LIMITS[guess]
    guessed(brake, guess, HOME)
    clock.now += 4 / limit.rate
    assert guessed(brake, guess, HOME) == 4
    clock.now += limit.burst / limit.rate + HAIR
    assert guessed(brake, guess, HOME) == limit.burst
    clock.now += 1000 * limit.burst / limit.rate
    assert guessed(brake, guess, HOME) == limit.burst, "whoever rests for long has no more tries than anybody"


@every_guess
def test_a_guesser_who_never_rests_gets_the_same_few_tries_for_ever_and_is_never_locked_out(
    brake: Brake, clock: Clock, guess: Guess
) -> None:
    limit = LIMITS[guess]
    begun, looked_at = clock.now, 0
    for _step in range(2000):
        clock.now += 0.1 / limit.rate
        looked_at += guessed(brake, guess, HOME)
        assert brake.wait(guess, HOME) <= 1 / limit.rate + HAIR
    fair = limit.burst + limit.rate * (clock.now - begun)
    assert fair - 2 <= looked_at <= fair + HAIR


@every_guess
def test_failures_that_were_looked_at_all_at_once_do_not_add_up_to_a_long_wait(
    brake: Brake, clock: Clock, guess: Guess
) -> None:
    """Many workers may each look at a try in the same moment, and somebody may keep at it for hours."""
    limit = LIMITS[guess]
    for _worker in range(5 * int(limit.burst)):
        brake.fail(guess, HOME)
    wait = brake.wait(guess, HOME)
    assert 0 < wait <= (limit.burst + 1) / limit.rate + HAIR
    clock.now += wait
    assert guessed(brake, guess, HOME) == 1


@every_guess
def test_asking_and_getting_it_right_never_counts(brake: Brake, guess: Guess) -> None:
    assert {brake.wait(guess, HOME) for _success in range(5000)} == {0}
    assert guessed(brake, guess, HOME) == LIMITS[guess].burst


def test_what_is_guessed_at_is_kept_apart(brake: Brake) -> None:
    for guess in Guess:
        assert most(brake, guess) == LIMITS[guess].burst, guess


@settings(max_examples=100)
@given(
    guess=st.sampled_from(Guess),
    rests=st.lists(st.floats(0, 40) | st.sampled_from([0, 0.2, 1, 6, 10, 1 / 3]), max_size=120),
)
def test_no_rhythm_of_trying_gets_more_looked_at_than_the_limit_says(guess: Guess, rests: list[float]) -> None:
    clock = Clock()
    brake, limit, moments = Brake(clock), LIMITS[guess], list[float]()
    guessed(brake, guess, HOME)  # the burst is used up; now and then somebody tries again
    begun = clock.now
    for rest in rests:
        clock.now += rest
        wait = brake.wait(guess, HOME)
        assert 0 <= wait <= 1 / limit.rate + HAIR
        if wait < HAIR:
            brake.fail(guess, HOME)
            moments.append(clock.now)
        for earlier, then in enumerate([begun, *moments]):
            since = len(moments) - earlier + (earlier > 0)
            assert since <= limit.rate * (clock.now - then) + (limit.burst if earlier else 0) + HAIR


# Whose address it is


@every_guess
def test_addresses_are_not_in_each_others_way(brake: Brake, guess: Guess) -> None:
    guessed(brake, guess, HOME)
    # One of a hundred may by chance have the guesser's vessel, three never do.
    assert sum(is_looked_at(brake, guess, address) for address in strangers(100)) >= 98


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"),
        ("2001:db8:1:2::1", "2001:0DB8:0001:0002:0:0:0:1"),
        ("::ffff:203.0.113.7", HOME),
        ("::FFFF:CB00:7107", HOME),
        ("fe80::1%eth0", "fe80::2%eth1"),
        ("", ""),
        ("unknown", "unknown"),
    ],
)
def test_one_house_is_one_address_however_it_is_written(brake: Brake, one: str, other: str) -> None:
    guessed(brake, Guess.KEY, one)
    assert not is_looked_at(brake, Guess.KEY, other)


def test_a_guesser_with_a_whole_network_of_ipv6_has_no_more_tries_than_anybody(brake: Brake) -> None:
    tried = [guessed(brake, Guess.KEY, f"2001:db8:1:2:{house:x}::{host:x}") for house in range(40) for host in range(9)]
    assert sum(tried) == LIMITS[Guess.KEY].burst


@pytest.mark.parametrize(
    ("near", "far"),
    [
        (HOME, "203.0.{}.8"),
        ("2001:db8:1:2::1", "2001:db8:1:1{:x}::1"),
        ("::ffff:203.0.113.7", "::ffff:203.0.{}.8"),
    ],
)
def test_a_neighbouring_network_is_another_address(brake: Brake, near: str, far: str) -> None:
    guessed(brake, Guess.KEY, near)
    assert sum(is_looked_at(brake, Guess.KEY, far.format(one)) for one in range(100)) >= 98


# Everybody together


@every_guess
def test_while_many_fail_together_each_address_has_far_less(brake: Brake, clock: Clock, guess: Guess) -> None:
    limit = LIMITS[guess]
    strain(brake, guess)
    fresh = strangers(40, net=19)
    assert sum(brake.wait(guess, address) == 0 for address in fresh) >= 38, "who has not failed is looked at at once"
    assert max(guessed(brake, guess, address) for address in fresh) == max(5, limit.burst / 10)
    for address in fresh:
        assert brake.wait(guess, address) >= 3 / limit.rate - HAIR
    clock.now += max(brake.wait(guess, address) for address in fresh)
    strain(brake, guess)
    assert sum(is_looked_at(brake, guess, address) for address in fresh) >= 20, "nobody is locked out then either"


@every_guess
def test_a_successful_try_is_looked_at_at_once_however_many_others_fail(brake: Brake, guess: Guess) -> None:
    strain(brake, guess, 3 * int(LIMITS[guess].burst_of_all))
    assert sum(brake.wait(guess, address) == 0 for address in strangers(100, net=19)) >= 80
    assert len({brake.wait(guess, "192.0.2.1") for _success in range(500)}) == 1


@every_guess
def test_below_that_nobody_notices_that_others_fail(brake: Brake, guess: Guess) -> None:
    strain(brake, guess, int(LIMITS[guess].burst_of_all) - 8 * int(LIMITS[guess].burst))
    assert most(brake, guess) == LIMITS[guess].burst


@every_guess
def test_the_strain_is_over_soon_after_the_many_stop(brake: Brake, clock: Clock, guess: Guess) -> None:
    """However long they have kept at it."""
    limit = LIMITS[guess]
    strain(brake, guess, 10 * int(limit.burst_of_all))
    clock.now += 1.5 * limit.burst_of_all / limit.rate_of_all
    assert most(brake, guess) == limit.burst


@every_guess
def test_the_many_of_one_kind_do_not_strain_another(brake: Brake, guess: Guess) -> None:
    strain(brake, guess, 3 * int(LIMITS[guess].burst_of_all))
    for other in set(Guess) - {guess}:
        assert most(brake, other) == LIMITS[other].burst


# Where it is remembered


def in_another_process(act: Callable[[], bool]) -> bool:
    """Whether something is true in a process forked from this one."""
    child = os.fork()
    if child == 0:
        os._exit(0 if act() else 1)
    _pid, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the server forks its workers")
def test_the_workers_of_a_server_remember_together() -> None:
    brake = Brake(lambda: 0.0)  # however long it takes to fork, no failure leaks away meanwhile
    limit = int(LIMITS[Guess.PASSWORD].burst)
    assert in_another_process(lambda: guessed(brake, Guess.PASSWORD, HOME, most=limit - 2) == limit - 2)
    assert in_another_process(lambda: guessed(brake, Guess.PASSWORD, HOME) == 2), "a second worker goes on from there"
    assert not is_looked_at(brake, Guess.PASSWORD, HOME)
    assert in_another_process(lambda: brake.wait(Guess.PASSWORD, HOME) > 1)


def memory(brake: Brake) -> bytes:
    """All that a brake remembers of those who came."""
    (found,) = [value for value in vars(brake).values() if isinstance(value, mmap.mmap)]
    return found[:]


def test_what_is_remembered_does_not_grow(brake: Brake) -> None:
    before = len(memory(brake))
    tracemalloc.start()
    try:
        for address in strangers(20_000):
            brake.fail(Guess.KEY, address)
        held, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 20_000, "less than a byte for each"
    assert len(memory(brake)) == before < 3 << 20


def test_what_is_remembered_does_not_tell_who_came(clock: Clock) -> None:
    """The same address lies elsewhere in every process, so that nobody can look up where it would be."""
    places = set()
    for _server in range(12):
        brake = Brake(clock)
        brake.fail(Guess.KEY, HOME)
        held = memory(brake)
        assert HOME.encode() not in held
        places.add(next(place for place, byte in enumerate(held) if byte) // 16)
    assert len(places) >= 10
