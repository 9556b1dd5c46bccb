"""A real server and real browsers for the journeys; what a page may never do is watched on every page."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    Response,
    WebError,
    expect,
)

from enkat.house import House
from enkat.settings import Settings
from tests.conftest import TODAY
from tests.journeys.people import Place, town_in
from tests.journeys.server import HOST, PATIENCE, Server, free_port, serving

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
#: Suggestions under an address bar that nobody sees: Chromium draws them as pages of their own in each new window,
#: which takes as long as all the rest of it.
_NEVER_SEEN = (
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "WebUIOmniboxPopupSelectionControl",
)
#: What Playwright leaves out by itself; a second list takes the place of the first.
_PLAYWRIGHTS = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "TcpPortRandomizationWin",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
)
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=" + ",".join((*_NEVER_SEEN, *_PLAYWRIGHTS)),
]


@dataclass
class Watch:
    """What a browser context has asked for, and what went wrong in it."""

    requests: list[Request] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("data", "blob"):  # made by the page itself
            return
        self.requests.append(request)
        if parts.hostname != HOST:
            self.faults.append(f"a request to another host: {request.url}")

    def response(self, response: Response) -> None:
        if response.status >= 400 and response.request.resource_type not in ("document", "fetch"):
            self.faults.append(f"{response.status} for {response.url}")

    def console(self, message: ConsoleMessage) -> None:
        # A page with an error status is reported as one that failed to load, and is asserted where it is expected.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.faults.append(f"console: {message.text}")

    def error(self, error: WebError) -> None:
        self.faults.append(f"script: {error.error}")


class Phones:
    """Fresh browser contexts, each somebody's own phone or laptop, all of them watched."""

    def __init__(self, browser: Browser, base_url: str | None) -> None:
        self._browser, self._base_url = browser, base_url
        self._opened: list[tuple[BrowserContext, Watch]] = []

    def open(
        self,
        *,
        script: bool = True,
        language: str = "sv-SE",
        scheme: str = "light",
        width: int = 360,
        height: int = 740,
        forced: bool = False,
        touch: bool = True,
    ) -> Page:
        """A page on a phone that has never been here."""
        context = self._browser.new_context(
            base_url=self._base_url,
            java_script_enabled=script,
            locale=language,
            color_scheme=scheme,  # type: ignore[arg-type]
            viewport={"width": width, "height": height},
            has_touch=touch,
            reduced_motion="reduce",
            forced_colors="active" if forced else "none",
        )
        watch = Watch()
        context.on("request", watch.request)
        context.on("response", watch.response)
        context.on("console", watch.console)
        context.on("weberror", watch.error)
        self._opened.append((context, watch))
        return context.new_page()

    def watch(self, page: Page) -> Watch:
        """What has happened on somebody's phone."""
        return next(watch for context, watch in self._opened if context == page.context)

    def close(self) -> None:
        """Close them all; nothing may have gone wrong in any of them."""
        faults = []
        for context, watch in self._opened:
            context.close()
            faults += watch.faults
        assert not faults, "\n".join(faults)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an installation that is served on a port of its own."""
    return Settings(instance=tmp_path / "instance", base_url=f"http://{HOST}:{free_port()}", fixed_today=TODAY)


@pytest.fixture
def server(house: House) -> Iterator[Server]:
    """The house of the test, served."""
    with serving(house.settings) as server:
        yield server


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A town that is served for all who start a meeting of their own in it, and leave the others and the server alone.

    Whoever stops or moves it, or looks at all that is kept, asks for a `server` of their own."""
    with town_in(tmp_path_factory.mktemp("town")) as town, serving(town.house.settings) as server:
        yield Place(town, server)


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """The system's Chromium, or else Playwright's own. Without a browser the tests fail: they are not skipped."""
    found = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    own = playwright.chromium.executable_path
    if found is None and not Path(own).exists():
        pytest.fail("no browser: install the package `chromium`, or run `playwright install chromium`", pytrace=False)
    expect.set_options(timeout=PATIENCE * 1000)
    browser = playwright.chromium.launch(executable_path=found or own, args=_ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture
def phones(browser: Browser, server: Server) -> Iterator[Phones]:
    """Phones for everybody in the test."""
    phones = Phones(browser, server.settings.base_url)
    yield phones
    phones.close()
