"""The background work: count what has closed, clear away what is spent, publish what is due."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from enkat import counting, publishing
from enkat.counting import Counted
from enkat.house import House
from enkat.model.errors import EnkatError
from enkat.publishing import Publication

#: Seconds between two rounds; a survey that closes at midnight is counted within a minute.
EVERY = 30

log = logging.getLogger("enkat.worker")


@dataclass(frozen=True)
class Round:
    """What one round has done."""

    counted: Counted
    publication: Publication


def work(house: House) -> Round:
    """One round."""
    db, today = house.connect(), house.settings.today()
    try:
        counted = counting.count_due(db, house.keys, today)
        counting.clear_away(db, house.keys)
        return Round(counted, publishing.publish_due(db, house.settings.smallest_group, today))
    finally:
        db.close()


def run(house: House, goes_on: Callable[[], bool]) -> None:
    """Round after round while `goes_on`; a round that fails is logged, and the next one tries again."""
    next_round = 0.0
    while goes_on():
        if time.monotonic() >= next_round:
            next_round = time.monotonic() + EVERY
            try:
                _report(work(house))
            except EnkatError as error:
                log.error("%s", error)
        time.sleep(1)


def _report(done: Round) -> None:
    counted = done.counted
    for failure in counted.failures:
        log.error("%s", failure)
    if counted.meetings:
        log.info("counted %s answers of %s meetings", counted.opened, counted.meetings)
    for period in done.publication.published:
        log.info("published %s", period)
