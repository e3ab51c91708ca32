"""The board on the service as `make start` runs it, while the simulated market fails and mends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from local.simulator import MarketServers
from marketdata.clock import SLOT_S
from marketdata.domain.quotes import Source
from tests.support.running_service import RunningService, base_urls, eventually, paid_market

TWO_SLOTS_MS = 2 * SLOT_S * 1000


@pytest.fixture(scope="module")
def market() -> Iterator[MarketServers]:
    """A market of this file's own, to plant faults in."""
    with paid_market() as market:
        yield market


@pytest.fixture(scope="module")
def service(market, tmp_path_factory) -> Iterator[RunningService]:
    """A service on that market, up, with a price of everything."""
    home = tmp_path_factory.mktemp("home")
    with RunningService(home, CIRCUIT_BREAKER_TIMEOUT="10", **base_urls(market)) as service:
        service.ready()
        eventually(lambda: service.get("/health").json()["status"] == "healthy", "health")
        yield service


@pytest.fixture
def page(browser: Browser, service: RunningService) -> Iterator[Page]:
    """The board of that service, with nothing on its console."""
    page = browser.new_page()
    messages = []
    page.on("console", lambda message: messages.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto(f"http://127.0.0.1:{service.port}/")
    yield page
    page.close()
    assert messages == []


def test_the_prices_are_those_of_the_api_tick_after_tick(page, service):
    """What is on the page is one of the API's answers, whole, and then the next one."""
    seen = []

    def shown() -> dict[str, str]:
        return page.evaluate(
            "() => Object.fromEntries([...document.querySelectorAll('tr[data-symbol]')]"
            ".map((row) => [row.dataset.symbol, row.querySelector('data')?.value]))"
        )

    def prices(symbols: str) -> dict[str, str]:
        answer = json.loads(service.get(f"/v1/quotes?symbols={symbols}").content, parse_float=str)
        return {quote["symbol"]: str(quote["price"]) for quote in answer["quotes"]}

    expect(page.locator("tr[data-symbol] data")).to_have_count(20)
    symbols = ",".join(shown())
    for _ in range(2):
        eventually(lambda: (now := prices(symbols)) == shown() and now not in seen, "equal prices")
        seen.append(shown())
    assert all(Decimal(price) > 0 for price in seen[-1].values())


def test_a_breaker_that_opens_shows_within_two_slots_and_so_does_its_end(page, market, service):
    """From the API's own word on: paused with the time of the retry, and OK after the probe."""

    def state() -> str:
        providers = service.get("/v1/providers").json()["providers"]
        (found,) = (each for each in providers if each["provider"] == "coingecko")
        return found["classes"][0]["state"]

    breaker = page.locator('[data-provider="coingecko"] .states li')
    expect(breaker).to_contain_text("OK")
    fault = {"fault": "bad_key", "provider": Source.COINGECKO.value}
    requests.post(f"{market.control_url}/control/faults", json=fault, timeout=5)
    eventually(lambda: state() == "open", "an open breaker")
    expect(breaker).to_contain_text("paused, retry in", timeout=TWO_SLOTS_MS)
    expect(page.locator("#verdict")).to_have_text("Degraded")
    requests.delete(f"{market.control_url}/control/faults", timeout=5)
    eventually(lambda: state() == "closed", "a closed breaker")
    expect(breaker).to_contain_text("OK", timeout=TWO_SLOTS_MS)
    expect(page.locator("#verdict")).to_have_text("Healthy", timeout=TWO_SLOTS_MS)


def test_a_new_symbol_is_found_watched_and_priced(page):
    """From the box to its price in a few seconds."""
    page.locator("#query").press_sequentially("netfl")
    page.get_by_role("option", name="NFLX").click()
    row = page.locator('tr[data-symbol="NFLX"]')
    expect(row).to_contain_text("pending")
    expect(row.locator("data")).to_be_visible(timeout=2 * TWO_SLOTS_MS)
    expect(row.locator(".source")).to_have_text("yfinance")
