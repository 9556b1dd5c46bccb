"""A guesser at the real server: its workers slow them together, and the rest of the house opens again."""

import time

from enkat.model.survey import Role
from enkat.secrecy import tokens
from enkat.secrecy.guessing import LIMITS, Guess
from tests.conftest import Town
from tests.journeys.server import Server, ask, wait_for


def test_the_workers_slow_a_guesser_together_and_a_right_key_opens_again(server: Server, town: Town) -> None:
    key = town.rooms(town.meeting())[Role.FAMILY].key
    limit, begun = LIMITS[Guess.KEY], time.monotonic()
    tried = [ask(server.port, "GET", f"/{tokens.new_key()}").status for _guess in range(200)]
    passed = time.monotonic() - begun
    assert set(tried) <= {404, 429}
    # One address has what the limit says, and not as much again at the second worker.
    assert min(200, int(limit.burst)) <= tried.count(404) <= limit.burst + limit.rate * passed + 1
    wait_for(lambda: ask(server.port, "GET", f"/{key}").status == 200, "a right key opens from the same address")
    assert "ERROR" not in server.output
