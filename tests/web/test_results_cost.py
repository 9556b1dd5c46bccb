"""A page of results costs SQLite the same whatever the number of responses: only what is published is read."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.results import Work, work_of
from enkat import demo, staffing
from enkat.app import create_app
from enkat.house import open_house
from enkat.model.result import Grain
from enkat.model.staff import StaffRole
from enkat.settings import Settings
from enkat.storage import snapshots
from tests.conftest import TODAY


def cost(folder: Path, responses: int) -> tuple[int, Work]:
    """How many figures the page of results has with so many responses, and what it takes."""
    house = open_house(Settings(instance=folder, fixed_today=TODAY))
    db = house.connect()
    try:
        shown = demo.fill(house, db, 1, responses)
        (evaluator,) = (one for one in shown.staff if one.role is StaffRole.EVALUATOR)
        secret = staffing.sign_in(db, evaluator.address, evaluator.password, datetime.now(UTC))
        assert secret
        cells = sum(len(one.cells) for one in snapshots.all_of(db, Grain.QUARTER, Grain.CHILD_YEAR))
    finally:
        db.close()
    return cells, work_of(create_app(house.settings, house).test_client(), "/results", secret)[0]


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Work]:
    """Enough responses that every role and month can be shown by itself."""
    return cost(tmp_path_factory.mktemp("usual") / "instance", 1500)


def test_results_read_as_many_rows_in_as_many_steps_whatever_the_number_of_responses(
    tmp_path: Path, usual: tuple[int, Work]
) -> None:
    cells, work = cost(tmp_path / "instance", 6000)
    assert cells == usual[0], "as many figures are shown"
    assert work == usual[1]
    assert work.rows > cells, "all of them are counted"


def test_results_take_less_where_few_responses_are_shown_together(tmp_path: Path, usual: tuple[int, Work]) -> None:
    cells, work = cost(tmp_path / "instance", 300)
    assert cells < usual[0]
    assert work.rows < usual[1].rows
    assert work.steps < usual[1].steps
