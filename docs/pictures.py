"""The pictures in README, taken of the running program: `make pictures`."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
#: A demonstration that is the same every time: its passwords are nobody's.
SEED = "5"
#: What is shown of the results page: from under its bar to the end of the first chart.
CLIP = {"x": 0, "y": 52, "width": 1180}
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        environment = os.environ | {
            "ENKAT_INSTANCE": folder,
            "ENKAT_TODAY": "2026-11-20",
            "ENKAT_BASE_URL": f"http://127.0.0.1:{port}",
        }
        program = [sys.executable, "-m", "enkat"]
        made = subprocess.run(
            [*program, "demo", "--json", "--seed", SEED], env=environment, check=True, capture_output=True
        )
        shown = json.loads(made.stdout)
        link = next(link["link"] for link in shown["links"] if link["role"] == "family")
        evaluator = next(person for person in shown["staff"] if person["role"] == "evaluator")
        server = subprocess.Popen([*program, "serve", "--port", str(port)], env=environment)
        try:
            _wait_for(link)
            _take(link, evaluator)
        finally:
            server.terminate()
            server.wait()


def _take(link: str, evaluator: dict[str, str]) -> None:
    with sync_playwright() as playwright:
        system = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=system, args=FLAGS)
        phone = browser.new_context(
            viewport={"width": 360, "height": 740}, device_scale_factor=2, locale="sv-SE", java_script_enabled=False
        )
        page = phone.new_page()
        page.goto(link)
        page.check("input[name=prep][value='4']", force=True)
        page.screenshot(path=HERE / "phone.png")
        laptop = browser.new_context(viewport={"width": 1180, "height": 900}, device_scale_factor=1.5, locale="sv-SE")
        page = laptop.new_page()
        page.goto(urljoin(link, "/results"))
        page.fill("[name=address]", evaluator["address"])
        page.fill("[name=password]", evaluator["password"])
        page.click("button[type=submit]")
        page.wait_for_selector("#chart-participation .main-svg")
        bottom = page.locator("#chart-participation").bounding_box()
        height = bottom["y"] + bottom["height"] - 40
        page.screenshot(path=HERE / "results.png", full_page=True, clip=CLIP | {"height": height})
        browser.close()


def _wait_for(address: str) -> None:
    for _attempt in range(100):
        try:
            urllib.request.urlopen(address).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    sys.exit("the server does not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
