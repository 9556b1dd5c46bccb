"""A worker's thread keeps its connection from one request to the next, and nothing of a request stays in it."""

import shutil
import sqlite3

from flask import Flask

from enkat.model.survey import Role
from enkat.storage import engine
from enkat.web import context
from tests.conftest import Town
from tests.inspection import InspectingClient


def test_an_answer_goes_into_the_database_that_is_there_now(town: Town, participant: InspectingClient) -> None:
    """Somebody puts a copy in the place of the file while it is served: no answer is thanked for and lost."""
    room = town.rooms(town.meeting())[Role.FAMILY].key
    file = town.house.settings.database
    assert participant.submit(f"/{room}", say="4").status_code == 200
    shutil.copy(file, copy := file.with_name("copy"))
    copy.replace(file)
    assert participant.submit(f"/{room}", say="4").status_code == 200
    with sqlite3.connect(file) as there:
        assert there.execute("select count(*) from ballot").fetchone() == (2,)


def test_a_request_that_fails_midway_leaves_no_lock_behind(app: Flask, town: Town) -> None:
    with app.test_request_context("/"):
        context.db().conn.execute("begin immediate")
        kept = context.db()
    with app.test_request_context("/"):
        assert context.db() is kept
        assert not kept.conn.in_transaction
    with engine.write(town.db):
        pass  # somebody else can write
