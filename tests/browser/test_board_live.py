"""The board on the service as `make start` runs it, with faults in the simulated market."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from local.simulator import MarketServers
from marketdata.domain.quotes import Source
from tests.support.running_service import RunningService, base_urls, eventually, paid_market


@pytest.fixture(scope="module")
def market() -> Iterator[MarketServers]:
    """A market of this file's own, in which the tests cause faults."""
    with paid_market() as market:
        yield market


@pytest.fixture(scope="module")
def service(market, tmp_path_factory) -> Iterator[RunningService]:
    """A healthy service on that market."""
    home = tmp_path_factory.mktemp("home")
    with RunningService(home, CIRCUIT_BREAKER_TIMEOUT="10", **base_urls(market)) as service:
        service.ready()
        eventually(lambda: service.get("/health").json()["status"] == "healthy", "health")
        yield service


@pytest.fixture
def page(browser: Browser, service: RunningService) -> Iterator[Page]:
    """The board of that service; at the end its console must be empty."""
    page = browser.new_page()
    messages = []
    page.on("console", lambda message: messages.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto(f"http://127.0.0.1:{service.port}/")
    yield page
    page.close()
    assert messages == []


def test_the_prices_are_those_of_the_api_tick_after_tick(page, service):
    """The prices on the page are those of one answer of the API, and then those of the next one."""
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


def test_a_breaker_that_opens_and_closes_is_shown(page, market, service):
    """The board shows an open breaker with the time of its retry, and OK after the probe."""

    def state() -> str:
        providers = service.get("/v1/providers").json()["providers"]
        (found,) = (each for each in providers if each["provider"] == "coingecko")
        return found["classes"][0]["state"]

    breaker = page.locator('[data-provider="coingecko"] .states li')
    expect(breaker).to_contain_text("OK")
    fault = {"fault": "bad_key", "provider": Source.COINGECKO.value}
    requests.post(f"{market.control_url}/control/faults", json=fault, timeout=5)
    eventually(lambda: state() == "open", "an open breaker")
    expect(breaker).to_contain_text("paused, retry in")
    expect(page.locator("#verdict")).to_have_text("Degraded")
    requests.delete(f"{market.control_url}/control/faults", timeout=5)
    eventually(lambda: state() == "closed", "a closed breaker")
    expect(breaker).to_contain_text("OK")
    expect(page.locator("#verdict")).to_have_text("Healthy")


def test_a_new_symbol_is_found_watched_and_priced(page):
    """A symbol that is typed and chosen gets a row, which is pending and then has its price."""
    page.locator("#query").press_sequentially("netfl")
    page.get_by_role("option", name="NFLX").click()
    row = page.locator('tr[data-symbol="NFLX"]')
    expect(row).to_contain_text("pending")
    expect(row.locator("data")).to_be_visible()
    expect(row.locator(".source")).to_have_text("yfinance")
