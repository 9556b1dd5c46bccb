"""The pictures in README and docs/pages.md, taken of the running program: `make pictures`.

Every page that tests/journeys/test_every_page.py walks through is kept as it goes, so none can be forgotten here.
"""

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


#: Each sheet of docs/pages: the folder of the walk, what the pages' names begin with, and how wide one is shown.
SHEETS = {
    "participant": ("sv-light-320", "participant-", 240),
    "participant-arabic": ("ar-light-320", "participant-", 240),
    "participant-tigrinya-dark": ("ti-dark-320", "participant-", 240),
    "coordinator-phone": ("sv-light-390", "karin-", 260),
    "staff-phone": ("sv-light-390", ("anders-", "nils-", "stranger-", "ulla-"), 260),
    "coordinator-laptop": ("sv-light-1280", "karin-", 480),
    "staff-laptop": ("sv-light-1280", ("anders-", "nils-", "stranger-", "ulla-"), 480),
    "results-laptop": ("results", "1280", 480),
    "results-phone": ("results", "390", 260),
}
#: A sheet is this wide, and a page on it is cut off where it is longer than so many of its own pixels.
SHEET_WIDTH, LONGEST = 1600, 2400


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        taken = Path(folder)
        _demonstration(taken / "results")
        walk = [sys.executable, "-m", "pytest", "-n", "2", "tests/journeys/test_every_page.py", "-k", "page_can"]
        subprocess.run(walk, cwd=HERE.parent, env=os.environ | {"ENKAT_PICTURES": folder}, check=True)
        _sheets(taken)


def _demonstration(results: Path) -> None:
    """README's pictures, and the results pages of two years."""
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
            _take(link, evaluator, results)
        finally:
            server.terminate()
            server.wait()


def _take(link: str, evaluator: dict[str, str], results: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=FLAGS)
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
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            for path in ("", "/months", "/years", "/texts"):
                page.goto(urljoin(link, f"/results{path}"), wait_until="networkidle")
                page.screenshot(path=results / f"{width}{path.replace('/', '-')}.png", full_page=True)
        browser.close()


def _sheets(taken: Path) -> None:
    """Put the pages beside each other, each under its name."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=FLAGS)
        page = browser.new_page(viewport={"width": SHEET_WIDTH, "height": 900})
        for name, (folder, beginnings, width) in SHEETS.items():
            shown = [one for one in sorted((taken / folder).glob("*.png")) if one.name.startswith(beginnings)]
            sheet = taken / f"{name}.html"
            sheet.write_text(_sheet(shown, width), encoding="utf-8")
            page.goto(sheet.as_uri(), wait_until="networkidle")
            (HERE / "pages").mkdir(exist_ok=True)
            page.screenshot(path=HERE / "pages" / f"{name}.jpg", type="jpeg", quality=70, full_page=True)
        browser.close()


def _sheet(pictures: list[Path], width: int) -> str:
    style = f"""body {{ margin: 16px; background: #8a8f8c; columns: {SHEET_WIDTH // (width + 16)}; column-gap: 16px;
        font: 13px system-ui, sans-serif; }}
        figure {{ break-inside: avoid; margin: 0 0 16px; }} figcaption {{ margin: 0 0 4px; color: #fff; }}
        div {{ max-height: {LONGEST * width // 1280 if width > 300 else LONGEST * width // 360}px; overflow: hidden; }}
        img {{ display: block; width: 100%; }}"""
    figures = "".join(
        f"<figure><figcaption>{one.stem.replace('-', ' ')}</figcaption><div><img src='{one.as_uri()}'></div></figure>"
        for one in pictures
    )
    return f"<!doctype html><meta charset=utf-8><style>{style}</style>{figures}"


def _chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


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
