"""A real Chromium for the board, and the board in it, over an API whose clock stands still.

Where no Chromium is installed these tests are left out, and the last lines of the run say so; with
TEST_BROWSER=required, as CI sets it, that is an error instead.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.api_service import Service
from tests.support.board_page import FLAGS, BoardPage, new_tab
from tests.support.caches import emptied
from tests.support.redis_servers import RedisServer

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
MISSING = "no Chromium found; on Debian and Ubuntu: apt-get install --yes chromium"

if CHROMIUM is None:
    if os.environ.get("TEST_BROWSER") == "required":
        raise pytest.UsageError(f"tests/browser: {MISSING}")
    collect_ignore_glob = ["test_*.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out."""
    if CHROMIUM is None:
        terminalreporter.write_line(f"tests/browser was left out: {MISSING}", yellow=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A fresh Chromium, which ends with the module: while it runs, so does its event loop."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Page:
    """The page in which the boards of a module are opened, one after the other."""
    return new_tab(browser)


@pytest.fixture
def service(plain_redis: RedisServer) -> Iterator[Service]:
    """A service at its best: every active symbol priced, every list there, the loop at work."""
    with emptied(plain_redis) as cache:
        service = Service(cache, MARKET="simulated", FINNHUB_API_KEY="k", QUOTE_TTL="60")
        service.at_work()
        yield service


@pytest.fixture
def board(tab: Page, service: Service) -> Iterator[BoardPage]:
    """The board of that service, opened; what its console says is checked at the end."""
    with service.served() as origin, BoardPage(tab, service, origin) as board:
        yield board.open()
        assert board.complaints == []
