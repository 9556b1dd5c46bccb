"""The background work: count what has closed, publish what is due, cut and clear away what is spent; and, in threads
of their own that a slow service may hold up, send what waits in the outbox."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlite_utils import Database

from enkat import counting, publishing, sending, severing
from enkat.counting import Counted
from enkat.house import House
from enkat.inviting import contacting, reminding
from enkat.inviting.letters import Desk
from enkat.model.audit import BACKGROUND
from enkat.model.errors import EnkatError, StoreError
from enkat.model.message import Purpose
from enkat.sending import Post
from enkat.storage import audit, witness
from enkat.storage.engine import clear_remnants

#: Seconds between two rounds; a survey that closes at midnight is counted within a minute, and published if it is due.
EVERY = 30

#: Seconds between two looks into the outbox: whoever asked for a link may be waiting for it.
LOOK_EVERY = 2

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


def send_links(house: House, post: Post, goes_on: Callable[[], bool] = lambda: True) -> int:
    """Send the links that wait; how many the services took. Without a service, what waits comes to its end with its
    survey all the same."""
    db = house.connect()
    try:
        for channel, reason in sending.probe(db, post).items():
            if reason:
                log.error("%s cannot be sent now: %s", channel, reason)
        sending.expire(db, post)
        return sending.deliver(db, house.keys, post, Purpose.LINK, goes_on)
    finally:
        db.close()


def send_reminders(house: House, post: Post, goes_on: Callable[[], bool] = lambda: True) -> int:
    """Decide what reminders are due, and send them; how many the services took."""
    db = house.connect()
    try:
        if post.base_url:
            reminding.decide_due(db, house.keys, Desk.of(house.settings, house.languages, post.base_url))
        return sending.deliver(db, house.keys, post, Purpose.REMINDER, goes_on)
    finally:
        db.close()


def _keep_sending(house: House, send: Callable[..., int], stopping: threading.Event) -> None:
    post = sending.post_of(house.settings)
    while not stopping.is_set():
        try:
            send(house, post, lambda: not stopping.is_set())
        except StoreError:
            pass  # the rounds meet it too, and tell it less often
        except EnkatError as error:
            log.error("%s", error)
        stopping.wait(LOOK_EVERY)


def run(house: House, goes_on: Callable[[], bool]) -> None:
    """Round after round while `goes_on`; a round that fails is logged, and the next one tries again.

    Links and reminders are sent meanwhile, each in a thread of their own: from how long a link takes nobody can read
    how many reminders there are. At the end what is just being sent is let finish, so that it need not be sent again.
    """
    stopping = threading.Event()
    senders = [
        threading.Thread(target=_keep_sending, args=(house, send, stopping), daemon=True)
        for send in (send_links, send_reminders)
    ]
    for sender in senders:
        sender.start()
    next_round = 0.0
    try:
        while goes_on():
            if time.monotonic() >= next_round:
                next_round = time.monotonic() + EVERY
                try:
                    _report(work(house))
                except EnkatError as error:
                    log.error("%s", error)
            if not all(sender.is_alive() for sender in senders):
                raise RuntimeError("sending has ended by itself")  # the server starts this process anew
            time.sleep(1)
    finally:
        stopping.set()
        for sender in senders:
            sender.join(timeout=4)


def _report(done: Round) -> None:
    for failure in done.failures:
        log.error("%s", failure)
    if done.counted.meetings:
        log.info("counted %s answers of %s meetings", done.counted.opened, done.counted.meetings)
    for period in done.published:
        log.info("published %s", period)
