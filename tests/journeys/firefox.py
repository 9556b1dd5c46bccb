"""A real Firefox, driven through WebDriver BiDi: Debian's own is enough, no driver and no patched browser.

Only what a participant does: open, look, press, write. It works with the script switched off as well.
"""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.journeys.server import PATIENCE

PROGRAM = shutil.which("firefox") or shutil.which("firefox-esr")

#: Nothing but what the tests ask for: no updates, no studies, no looking for a captive portal.
_QUIET = {
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "app.normandy.enabled": False,
    "ui.prefersReducedMotion": 1,
    # It starts in two thirds of the time where it looks for no extensions and keeps no process ready.
    "extensions.enabledScopes": 0,
    "dom.ipc.processPrelaunch.enabled": False,
}


@contextmanager
def firefox(folder: Path, language: str, *, script: bool) -> Iterator["Firefox"]:
    """A Firefox of somebody's own, in a profile that goes with the test."""
    assert PROGRAM
    settings = _QUIET | {"intl.accept_languages": language, "javascript.enabled": script}
    folder.mkdir()
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in settings.items()]
    (folder / "user.js").write_text("\n".join(lines))
    log = folder / "log"
    with log.open("wb") as said:
        command = [PROGRAM, "--headless", "--remote-debugging-port", "0", "--profile", str(folder), "--no-remote"]
        process = subprocess.Popen([*command, "about:blank"], stderr=said, stdout=said, env=_environment(folder))
    try:
        with connect(f"{_address(log)}/session", max_size=None) as session:
            yield Firefox(session)
    finally:
        process.terminate()
        process.wait(PATIENCE)


class Firefox:
    """One page on a small phone."""

    def __init__(self, session: ClientConnection) -> None:
        self._session, self._numbers = session, count(1)
        self._ask("session.new", capabilities={})
        self._page = self._ask("browsingContext.getTree")["contexts"][0]["context"]
        self._ask("browsingContext.setViewport", context=self._page, viewport={"width": 320, "height": 640})

    def open(self, address: str) -> None:
        """Go to a page and wait until it is there."""
        self._ask("browsingContext.navigate", context=self._page, url=address, wait="complete")

    def see(self, expression: str) -> Any:
        """What an expression says of the page; it is asked from outside, whether the page's own script runs or not."""
        target = {"context": self._page, "sandbox": "test"}
        said = self._ask(
            "script.evaluate", expression=f"JSON.stringify({expression})", target=target, awaitPromise=False
        )
        assert said["type"] == "success", said
        return json.loads(said["result"].get("value", "null"))

    def wait_for(self, expression: str) -> None:
        """Wait until something holds; while a page is being replaced it does not."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with suppress(BidiError):
                if self.see(expression):
                    return
            time.sleep(0.02)
        raise AssertionError(f"not within {PATIENCE} s: {expression}")

    def press(self, selector: str) -> None:
        """Tap the first such thing that can be seen."""
        x, y = self.see(f"""(() => {{
            const part = [...document.querySelectorAll({json.dumps(selector)})].find(one => one.checkVisibility());
            part.scrollIntoView({{block: 'center', behavior: 'instant'}});
            const box = part.getBoundingClientRect();
            return [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)];
        }})()""")
        steps = [{"type": "pointerMove", "x": x, "y": y}, {"type": "pointerDown", "button": 0}]
        self._act({"type": "pointer", "id": "finger", "actions": [*steps, {"type": "pointerUp", "button": 0}]})

    def write(self, text: str) -> None:
        """Type where the cursor stands."""
        keys = [{"type": kind, "value": letter} for letter in text for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keyboard", "actions": keys})

    def _act(self, actions: dict[str, object]) -> None:
        self._ask("input.performActions", context=self._page, actions=[actions])

    def _ask(self, method: str, **params: object) -> Any:
        number = next(self._numbers)
        self._session.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            reply = json.loads(self._session.recv(timeout=PATIENCE))
            if reply.get("id") == number:
                if reply["type"] == "error":
                    raise BidiError(f"{method}: {reply['error']}: {reply['message']}")
                return reply["result"]


class BidiError(Exception):
    """What Firefox could not do."""


def _address(log: Path) -> str:
    """Where Firefox listens, as it says when it has started."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := re.search(r"listening on (ws://\S+)", log.read_text("utf-8", "replace")):
            return found[1]
        time.sleep(0.02)
    raise AssertionError(f"Firefox has not started: {log.read_text('utf-8', 'replace')[-500:]}")


def _environment(folder: Path) -> dict[str, str]:
    """A home of its own: a root's Firefox refuses one that belongs to somebody else."""
    return {"HOME": str(folder), "PATH": "/usr/bin:/bin", "MOZ_HEADLESS": "1"}
