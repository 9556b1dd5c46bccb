"""`make lighthouse`: the form and the thanks on a mobile phone, the median of five visits. It needs Node and npm.

Lighthouse's own mobile phone: a slow 4G network (150 ms, 1.6 Mbit/s) and a processor four times slower, simulated.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from bench import HOST, serving

HERE = Path(__file__).parent
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
#: What is wanted of each figure: the three categories' scores, and seconds to the first words.
_WANTED = {"performance": 100, "accessibility": 100, "best-practices": 100}
_MOST_SECONDS = 0.8


def main() -> None:
    """Install what is missing, visit, and print the medians; exit 1 where one is not reached."""
    parser = argparse.ArgumentParser(prog="python -m bench.lighthouse", description=__doc__)
    parser.add_argument("--visits", type=int, default=5)
    visits = parser.parse_args().visits
    chromium = next((found for name in _CHROMIUM if (found := shutil.which(name))), None)
    if not (shutil.which("node") and shutil.which("npm") and chromium):
        sys.exit("Node 20 or later, npm and Chromium are needed")
    if not (HERE / "node_modules" / "lighthouse").is_dir():
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=HERE, check=True)
    with tempfile.TemporaryDirectory(prefix="enkat-lighthouse-") as folder:
        measured = _visit(Path(folder), chromium, visits)
    missed = [_told(name, [visit[place] for visit in measured]) for place, name in enumerate(("form", "thanks"))]
    sys.exit(1 if any(missed) else 0)


def _visit(folder: Path, chromium: str, visits: int) -> list[list[dict[str, Any]]]:
    """What Lighthouse says of the form and of the thanks, visit by visit."""
    environment = {"ENKAT_INSTANCE": str(folder / "instance"), "PYTHONWARNINGS": "ignore"}
    key = _new_link(os.environ | environment, visits)
    measured = []
    with serving(["enkat", "serve", "--host", HOST], environment, folder / "log") as server:
        for _visit in range(visits):
            command = ["node", str(HERE / "measure.mjs"), chromium, f"http://{HOST}:{server.port}/{key}"]
            measured.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    return measured


def _new_link(environment: dict[str, str], places: int) -> str:
    """The key of a room with a place for each visit."""
    _enkat(environment, "unit", "add", "Mitthem")
    _enkat(environment, "assignment", "add", "M-1", "--unit", "Mitthem", "--source", "school")
    plan = ("--kind", "network_meeting", "--date", date.today().isoformat(), "--family", str(places))  # noqa: DTZ011
    return str(_enkat(environment, "meeting", "add", "M-1", *plan)["rooms"][0]["link"]).rpartition("/")[2]


def _enkat(environment: dict[str, str], *command: str) -> Any:
    program = [sys.executable, "-m", "enkat", *command, "--json"]
    return json.loads(subprocess.run(program, env=environment, check=True, capture_output=True).stdout)


def _told(name: str, visits: list[dict[str, Any]]) -> bool:
    """Print one page's medians; whether one of them is not what is wanted."""
    scores = {wanted: median(visit[wanted] for visit in visits) for wanted in _WANTED}
    seconds = sorted(visit["paint"] for visit in visits)
    said = ", ".join(f"{wanted} {score:.0f}" for wanted, score in scores.items())
    print(f"{name:7} {said}, first words after {median(seconds):.2f} s ({seconds[0]:.2f}-{seconds[-1]:.2f})")
    print(f"        requests {visits[0]['requests']}, status {visits[0]['status']}, not full: {visits[0]['missed']}")
    return median(seconds) > _MOST_SECONDS or any(scores[wanted] < least for wanted, least in _WANTED.items())


if __name__ == "__main__":
    main()
