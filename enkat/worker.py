"""The background work: count what has closed, publish what is due, cut and clear away what is spent."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlite_utils import Database

from enkat import counting, publishing, severing
from enkat.counting import Counted
from enkat.house import House
from enkat.inviting import contacting
from enkat.model.audit import BACKGROUND
from enkat.model.errors import EnkatError
from enkat.storage import audit, witness
from enkat.storage.engine import clear_remnants

#: Seconds between two rounds; a survey that closes at midnight is counted within a minute, and published if it is due.
EVERY = 30

log = logging.getLogger("enkat.worker")


@dataclass(frozen=True)
class Round:
    """What one round has done, and what it could not do."""

    counted: Counted
    published: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


def work(house: House) -> Round:
    """One round. What was counted stays counted where publishing has to be tried again."""
    db, today = house.connect(), house.settings.today()
    try:
        counted = counting.count_due(db, house.keys, today, by=BACKGROUND)
        counting.destroy_spent_keys(db, house.keys, by=BACKGROUND)
        contacting.remove_due(db, today, by=BACKGROUND)
        try:
            published = publishing.publish_due(db, house.settings.smallest_group, today, by=BACKGROUND).published
            severing.sever(db, by=BACKGROUND)
        except EnkatError as error:
            return Round(counted, failures=(*counted.failures, f"nothing can be published now: {error}"))
        finally:
            clear_remnants(db)
        return Round(counted, published, (*counted.failures, *_note_head(house, db)))
    finally:
        db.close()


def _note_head(house: House, db: Database) -> tuple[str, ...]:
    """Note how far the audit log has come; what kept it from being noted."""
    try:
        witness.note(house.settings.audit_heads, audit.head(db))
    except EnkatError as error:
        return (str(error),)
    return ()


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
    for failure in done.failures:
        log.error("%s", failure)
    if done.counted.meetings:
        log.info("counted %s answers of %s meetings", done.counted.opened, done.counted.meetings)
    for period in done.published:
        log.info("published %s", period)
