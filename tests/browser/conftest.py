"""A real browser without a network, and the report of two simulated weeks in it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from reddit_ingest.bootstrap import LocalLake
from reddit_sim import GeneratedWorld

from ..journeys.conftest import Person

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"
# As root there is no sandbox of Chromium's own, and without the rest it asks its maker for this and that.
SWITCHES = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


class Watched:
    """A page with all that it complained of and asked for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._note)

    def _hear(self, message: ConsoleMessage) -> None:
        self.complaints.append(message.text)

    def _note(self, request: Request) -> None:
        self.requests.append(request.url)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("there is no Chromium here (Debian: apt install chromium; or set CHROMIUM to one)")
    with sync_playwright() as driver, driver.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES)) as browser:
        yield browser


@pytest.fixture(scope="session")
def report(eventful: tuple[GeneratedWorld, LocalLake], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the second of two weeks in which something happened."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    result = Person(eventful[1], {}).types("report", "--output", str(path))
    assert result.exit_code == 0, result.output
    return path
