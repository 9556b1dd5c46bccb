"""`python -m bench`: measure weight, journeys, memory and results in one run, and print figure beside target."""

import argparse
import json
import os
import platform
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from bench import WORKERS, Figure, journeys, memory, sending, serving, weight

if TYPE_CHECKING:
    from bench import results

_LIBRARIES = ("flask", "granian", "cryptography", "sqlite-utils")

#: Seconds after which a server that nobody visits is idle: its child has started and made its first round.
_SETTLING = 4

#: The small database that the work of a page of results is held against: the fewest responses of which every role and
#: month can be shown by itself, so that its page holds as many figures.
_FEW_RESPONSES = 1000

#: Messages that wait in the outbox when it is emptied.
_MESSAGES = 3000

_BUSY = "processors busy with other work"
#: Per cent of the processors that others may use without making the comparison worthless.
_MOST_BUSY = 10


def main() -> None:
    """Measure, print, and write the figures down where a file is named."""
    arguments = _parser().parse_args()
    run: dict[str, Any] = {"date": date.today().isoformat(), "machine": _machine()}  # noqa: DTZ011 - a label
    print(", ".join(f"{name} {value}" for name, value in run["machine"].items()))
    with tempfile.TemporaryDirectory(prefix="enkat-bench-", dir=arguments.folder) as name:
        measured, details = _measure(Path(name), arguments.seconds, arguments.pairs)
        sent = sending.measure(Path(name), _MESSAGES)
        of_results = _measure_results(Path(name), arguments.responses)
    measured += _sending_figures(sent, details["commits_a_second"]) + _results_figures(*of_results)
    details["sending"] = asdict(sent)
    details["results"] = [asdict(one) for one in of_results]
    _print_table(measured)
    if any(one.name == _BUSY and one.figure > _MOST_BUSY for one in measured):
        print("\nOther work was running: the journeys' figures, the ratio too, say little. Measure on a quiet machine.")
    if arguments.json:
        run |= details | {"figures": [asdict(one) | {"is_met": one.is_met} for one in measured]}
        arguments.json.write_text(json.dumps(run, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _measure(folder: Path, seconds: float, number: int) -> tuple[list[Figure], dict[str, Any]]:
    instance, database = folder / "instance", folder / "bare.db"
    enkat = serving(["enkat", "serve", "--workers", str(WORKERS)], {"ENKAT_INSTANCE": str(instance)}, folder / "enkat")
    busy = _busy(2)
    disk = journeys.commits_a_second(folder)
    print(f"the disk takes {disk:.0f} durable commits a second from one writer\n")
    with enkat as server:
        time.sleep(_SETTLING)
        fresh = memory.measure(server)
        town = _open_town(instance)
        weights = weight.measure(server.port, town.forms(), _languages())
        _print_weights(weights)
        journeys.bare.prepare(database, 0, 0)
        with serving(["bench.bare", str(database)], {}, folder / "bare") as other:
            contestants = (
                journeys.Contestant("enkat", server, town.rooms, town.ballots),
                journeys.Contestant(
                    "bare",
                    other,
                    partial(_bare_rooms, database),
                    partial(journeys.bare.answers, database),
                ),
            )
            legs = []
            for pair in journeys.pairs(contestants, seconds, number):
                legs.append(pair)
                _print_pair(pair)
        time.sleep(_SETTLING)
        worked = memory.measure(server)
    figures = _weight_figures(weights) + _journey_figures(legs) + _memory_figures(fresh, worked)
    if busy is not None:
        figures.append(Figure(_BUSY, 100 * busy, "%"))
    details = {
        "commits_a_second": disk,
        "weights": [asdict(one) for one in weights],
        "pairs": [[asdict(leg) for leg in pair] for pair in legs],
    }
    return figures, details


def _languages() -> list[str]:
    """All that participants are offered."""
    from enkat import i18n

    return list(i18n.load().translators)


def _measure_results(folder: Path, responses: int) -> "list[results.Results]":
    """The same of a small database and of a large one. It is imported here, for it brings the whole of enkat along."""
    from bench import results

    found = []
    for number in (_FEW_RESPONSES, responses):
        print(f"\n{number} responses are filled in, published and read", flush=True)
        found.append(results.measure(folder, number))
        one = found[-1]
        print(
            f"filled in {one.filling:.0f} s; a quarter of {one.published} answers published in {one.publishing:.1f} s "
            f"({one.processor:.1f} s processor, {one.peak:.0f} MB); /results: {one.work.rows} rows, {one.work.steps} "
            f"steps, {one.page} bytes"
        )
    results.judge(found)
    return found


def _busy(seconds: float) -> float | None:
    """The share of the processors that others use while nothing of ours runs; None where the system does not tell."""
    before = _ticks()
    time.sleep(seconds)
    spent = [after - earlier for after, earlier in zip(_ticks(), before, strict=True)]
    return 1 - (spent[3] + spent[4]) / sum(spent) if any(spent) else None


def _ticks() -> list[int]:
    """What the processors have done since the start of the system; idle and waiting for disks at 3 and 4."""
    try:
        return [int(ticks) for ticks in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    except OSError:
        return []


@dataclass(frozen=True)
class _Town:
    """Enkat's side: forms to weigh, rooms with free places, and the ballots that were kept."""

    forms: Callable[[], dict[str, str]]
    rooms: Callable[[int], list[str]]
    ballots: Callable[[], int]


def _open_town(instance: Path) -> _Town:
    """Staff's part, done with enkat as a library on the served database. It is imported here, so that the memory of
    a fresh server is measured before this process shares its libraries."""
    from enkat import inviting, staffing
    from enkat.house import open_house
    from enkat.model.meeting import Kind, Source
    from enkat.model.survey import Role
    from enkat.settings import Settings

    house = open_house(Settings(instance))
    db, today = house.connect(), house.settings.today()
    unit = staffing.add_unit(db, "Mitthem")
    assignment = inviting.open_assignment(db, "M-114", unit.id, Source.SCHOOL)

    def start(places: dict[Role, int], chosen: dict[Role, str]) -> dict[str, str]:
        plan = inviting.Plan(Kind.NETWORK_MEETING, today, places, questionnaires=chosen)
        meeting = inviting.start_meeting(db, house.keys, house.catalogue, assignment.id, plan, today)
        return {link.role: link.key for link in inviting.links(db, house.keys, meeting.id)}

    def forms() -> dict[str, str]:
        roles = {form.id: min(form.roles) for form in house.catalogue}
        return {form: start({role: 1}, {role: form})[role] for form, role in roles.items()}

    def rooms(number: int) -> list[str]:
        keys: list[str] = []
        while len(keys) < number:
            keys += start({Role.FAMILY: journeys.PLACES, Role.KIN: journeys.PLACES}, {}).values()
        return keys

    def ballots() -> int:
        return db.execute("select count(*) from ballot").fetchone()[0]

    return _Town(forms, rooms, ballots)


def _bare_rooms(database: Path, number: int) -> list[str]:
    return journeys.bare.prepare(database, number, journeys.PLACES)


def _weight_figures(weights: list[weight.Weight]) -> list[Figure]:
    return [
        Figure("heaviest form, compressed, all it needs", max(one.compressed for one in weights) / 1000, "kB", 10),
        Figure("the same with the reply's headers", max(one.sent for one in weights) / 1000, "kB"),
        Figure("requests for a form", max(one.requests for one in weights), "", 2),
        Figure("requests to other hosts", sum(one.other_hosts for one in weights), "", 0),
    ]


def _journey_figures(legs: list[tuple[journeys.Leg, journeys.Leg]]) -> list[Figure]:
    speed = median(enkat.a_second / bare.a_second for enkat, bare in legs)
    processor = median(enkat.processor / bare.processor for enkat, bare in legs)
    return [
        Figure("journeys a second, enkat", median(enkat.a_second for enkat, _bare in legs), "/s"),
        Figure("journeys a second, bare", median(bare.a_second for _enkat, bare in legs), "/s"),
        Figure("enkat to bare, median of pairs", speed, "", 0.5, at_least=True),
        Figure("processor time of a journey, enkat", median(enkat.processor for enkat, _bare in legs), "ms"),
        Figure("processor time, enkat to bare", processor, ""),
        Figure("95 of 100 journeys within, enkat", median(enkat.slow for enkat, _bare in legs), "ms"),
    ]


def _sending_figures(sent: sending.Sent, commits: float) -> list[Figure]:
    growth = f"memory after {sent.messages:,} messages to that after a tenth"
    return [
        Figure("messages a second to a gateway on loopback", sent.a_second, "/s", 200, at_least=True),
        Figure("the same to durable commits a second", sent.a_second / commits, ""),
        Figure(growth, sent.memory_late / sent.memory_early, "", 1.05),
    ]


def _results_figures(few: "results.Results", many: "results.Results") -> list[Figure]:
    size = f"{many.responses:,} responses"
    return [
        Figure(f"publishing a quarter of {size}", many.publishing, "s", 60),
        Figure("processor time of it", many.processor, "s"),
        Figure("memory of it, at most", many.peak, "MB", 300),
        Figure(f"rows that /results reads with {size}", many.work.rows, "", few.work.rows),
        Figure("steps that SQLite takes for it", many.work.steps, "", few.work.steps),
        Figure("/results", many.page / 1000, "kB", 40),
        Figure("the same, compressed", many.page_sent / 1000, "kB"),
        Figure("with all it needs but plotly.js, as sent", many.needed_sent / 1000, "kB", 40),
        Figure("the same, raw", many.needed / 1000, "kB"),
    ]


def _memory_figures(fresh: memory.Memory | None, worked: memory.Memory | None) -> list[Figure]:
    if fresh is None or worked is None:
        print("memory is not measured: this system has no /proc/PID/smaps_rollup")
        return []
    return [
        Figure(f"memory idle, {fresh.processes} processes together (PSS)", fresh.shared_out, "MB", 150),
        Figure("the same after the journeys", worked.shared_out, "MB", 150),
        Figure("the same, as if nothing else ran", worked.alone, "MB"),
    ]


def _print_weights(weights: list[weight.Weight]) -> None:
    print(f"{'form':14} {'language':8} {'raw':>7} {'gzip':>7} {'on the wire':>12} {'requests':>9} {'other hosts':>12}")
    for one in weights:
        print(
            f"{one.form:14} {one.language:8} {one.raw:7} {one.compressed:7} {one.sent:12} {one.requests:9}"
            f" {one.other_hosts:12}"
        )
    print()


def _print_pair(pair: tuple[journeys.Leg, journeys.Leg]) -> None:
    said = [
        f"{leg.name} {leg.a_second:6.0f}/s ({leg.processor:.2f} ms processor, usually {leg.usual:.0f} ms, "
        f"95 % within {leg.slow:.0f} ms)"
        for leg in pair
    ]
    print(f"{'   '.join(said)}   ratio {pair[0].a_second / pair[1].a_second:.2f}", flush=True)


def _print_table(figures: list[Figure]) -> None:
    print(f"\n{'':48} {'figure':>12} {'target':>14}")
    for one in figures:
        shown = f"{one.figure:.0f}" if one.figure == int(one.figure) or one.figure >= 100 else f"{one.figure:.2f}"
        target = "" if one.target is None else f"{'>=' if one.at_least else '<='} {one.target:g} {one.unit}"
        verdict = {True: "met", False: "MISSED", None: ""}[one.is_met]
        print(f"{one.name:48} {shown + ' ' + one.unit:>12} {target:>14} {verdict}")


def _machine() -> dict[str, str]:
    return {
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        **{name: version(name) for name in _LIBRARIES},
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="What enkat weighs, how fast and how large.")
    parser.add_argument("--seconds", type=float, default=6, help="length of each leg (6)")
    parser.add_argument("--pairs", type=int, default=5, help="how often enkat and the bare one take turns (5)")
    about = "size of the larger database for results (100000); a million takes minutes and 900 MB"
    parser.add_argument("--responses", type=int, default=100_000, help=about)
    parser.add_argument("--folder", type=Path, help="where the databases lie while it runs: name the disk you mean")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures down")
    return parser


if __name__ == "__main__":
    main()
