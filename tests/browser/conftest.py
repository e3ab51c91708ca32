"""A real Chromium for the board, and the board in it, over an API with a fixed clock.

If no Chromium is installed these tests are left out, and the last lines of the run say so. With
TEST_BROWSER=required, as in CI, a missing Chromium is an error.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from marketdata.domain.symbols import AssetClass
from tests.support.api_service import Service
from tests.support.board_page import FLAGS, BoardPage, new_tab
from tests.support.caches import emptied
from tests.support.redis_servers import RedisServer
from tests.support.running_service import GUARD_S

expect.set_options(timeout=GUARD_S * 1000)  # a busy machine may need more than the usual 5 s

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
MISSING = "no Chromium found; on Debian and Ubuntu: apt-get install --yes chromium"

if CHROMIUM is None:
    if os.environ.get("TEST_BROWSER") == "required":
        raise pytest.UsageError(f"tests/browser: {MISSING}")
    collect_ignore_glob = ["test_*.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print that the browser tests were left out."""
    if CHROMIUM is None:
        terminalreporter.write_line(f"tests/browser was left out: {MISSING}", yellow=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A new Chromium, which ends with the module, as does its event loop."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Page:
    """The page in which the boards of a module are opened one after the other."""
    return new_tab(browser)


@pytest.fixture
def service(plain_redis: RedisServer) -> Iterator[Service]:
    """A healthy service: every active symbol priced, every list there, the loop at work."""
    with emptied(plain_redis) as cache:
        service = Service(cache, MARKET="simulated", FINNHUB_API_KEY="k", QUOTE_TTL="60")
        service.at_work()
        yield service


@pytest.fixture
def board(tab: Page, service: Service) -> Iterator[BoardPage]:
    """The opened board of the service; at the end its console must be empty."""
    with service.served() as origin, BoardPage(tab, service, origin) as board:
        yield board.open()
        assert board.complaints == []


@pytest.fixture
def listed(service: Service) -> Service:
    """The service with lists that have more symbols than are priced."""
    service.now_ms += 5_000
    service.list_assets(AssetClass.STOCKS, ["AAPL", "MSFT", "TSLA", "BTCM"], "v2")
    service.list_assets(AssetClass.CRYPTO, ["BTC-USD", "ETH-USD"], "v2")
    service.watched()
    return service


@pytest.fixture
def named(service: Service) -> Service:
    """The service with lists of usual names."""
    service.now_ms += 5_000
    stocks = {
        "AAPL": "Apple Inc.",
        "TSLA": "Tesla.com, Inc.",
        "BTCM": "BIT Mining Limited",
        "KO": "The Coca-Cola Company",
        "PEP": "PepsiCo, Inc.",
    }
    coins = {"BTC-USD": "Bitcoin", "ETH-USD": "Ethereum", "BCH-USD": "Bitcoin Cash"}
    service.list_assets(AssetClass.STOCKS, stocks, "v2")
    service.list_assets(AssetClass.CRYPTO, coins, "v2")
    service.watched()
    return service
