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

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
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
        shown = subprocess.run([*program, "demo", "--json"], env=environment, check=True, capture_output=True)
        link = next(link["link"] for link in json.loads(shown.stdout)["links"] if link["role"] == "family")
        server = subprocess.Popen([*program, "serve", "--port", str(port)], env=environment)
        try:
            _wait_for(link)
            _take(link)
        finally:
            server.terminate()
            server.wait()


def _take(link: str) -> None:
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
