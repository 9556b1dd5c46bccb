"""The background work: count what has closed, and clear away what is spent."""

import logging
import time
from collections.abc import Callable

from enkat import counting
from enkat.counting import Counted
from enkat.house import House
from enkat.model.errors import EnkatError

#: Seconds between two rounds; a survey that closes at midnight is counted within a minute.
EVERY = 30

log = logging.getLogger("enkat.worker")


def work(house: House) -> Counted:
    """One round."""
    db = house.connect()
    try:
        counted = counting.count_due(db, house.keys, house.settings.today())
        counting.clear_away(db, house.keys)
        return counted
    finally:
        db.close()


def run(house: House, goes_on: Callable[[], bool]) -> None:
    """Round after round while `goes_on`; a round that fails is logged, and the next one tries again."""
    next_round = 0.0
    while goes_on():
        if time.monotonic() >= next_round:
            next_round = time.monotonic() + EVERY
            try:
                counted = work(house)
                for failure in counted.failures:
                    log.error("%s", failure)
                if counted.meetings:
                    log.info("counted %s answers of %s meetings", counted.opened, counted.meetings)
            except EnkatError as error:
                log.error("%s", error)
        time.sleep(1)
