"""Plain HTTP clients of the simulated market, one call a provider, for its own tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import requests

from local.simulator import MarketServers
from marketdata.domain.quotes import Source

# Wednesday 2026-03-18 15:00:00 UTC: New York, London and forex are open.
WEDNESDAY_MS = 1_773_846_000_000
KEY = "goodkey"
TIMEOUT_S = 5
MANY = dict.fromkeys(Source, "100000/minute")


@dataclass
class Clock:
    """A clock that only the test moves."""

    now_ms: int = WEDNESDAY_MS

    def __call__(self) -> int:
        return self.now_ms

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.now_ms += int(seconds * 1000)


@dataclass
class Clients:
    """Asks each provider of one market for one quote, or for anything by path."""

    market: MarketServers
    session: requests.Session
    crumb: str = ""

    def get(self, source: Source, path: str, **params: str) -> requests.Response:
        """One GET with the provider's key in its header or parameter."""
        headers = {
            Source.FINNHUB: {"X-Finnhub-Token": KEY},
            Source.COINMARKETCAP: {"X-CMC_PRO_API_KEY": KEY},
        }.get(source, {})
        if source is Source.ALPHA_VANTAGE:
            params.setdefault("apikey", KEY)
        if source is Source.YFINANCE and not path.startswith(("/v1/test", "/v8")):
            params.setdefault("crumb", self._crumb())
        url = self.market.base_urls[source] + path
        return self.session.get(url, params=params, headers=headers, timeout=TIMEOUT_S)

    def quote(self, source: Source) -> requests.Response:
        """One quote of AAPL, BTC-USD or EUR/USD, as the provider has it."""
        path, params = QUOTE_CALLS[source]
        return self.get(source, path, **params)

    def _crumb(self) -> str:
        if not self.crumb:
            url = self.market.base_urls[Source.YFINANCE]
            self.session.get(url + "/", timeout=TIMEOUT_S)
            self.crumb = self.session.get(url + "/v1/test/getcrumb", timeout=TIMEOUT_S).text
        return self.crumb


@contextmanager
def clients_of_a_standing_market() -> Iterator[Clients]:
    """Clients of a market whose clock stands still on a Wednesday."""
    with MarketServers(clock=Clock(), limits=MANY) as market, requests.Session() as session:
        yield Clients(market, session)


def exact(response: requests.Response) -> Any:
    """The body with exact numbers."""
    assert response.status_code == 200, response.text
    return json.loads(response.text, parse_float=Decimal)


def plant(clients: Clients, fault: str, **options: object) -> requests.Response:
    """Plant a fault through the control port."""
    url = clients.market.control_url + "/control/faults"
    return requests.post(url, json={"fault": fault, **options}, timeout=5)


QUOTE_CALLS: dict[Source, tuple[str, dict[str, str]]] = {
    Source.YFINANCE: ("/v7/finance/quote", {"symbols": "AAPL"}),
    Source.FINNHUB: ("/quote", {"symbol": "AAPL"}),
    Source.COINGECKO: (
        "/simple/price",
        {
            "ids": "bitcoin",
            "vs_currencies": "usd",
            "include_24hr_change": "true",
            "include_last_updated_at": "true",
            "precision": "full",
        },
    ),
    Source.COINMARKETCAP: (
        "/v3/cryptocurrency/quotes/latest",
        {"id": "1", "skip_invalid": "true"},
    ),
    Source.ALPHA_VANTAGE: (
        "/query",
        {"function": "CURRENCY_EXCHANGE_RATE", "from_currency": "EUR", "to_currency": "USD"},
    ),
}
SYMBOLS = {
    Source.YFINANCE: "AAPL",
    Source.FINNHUB: "AAPL",
    Source.COINGECKO: "BTC-USD",
    Source.COINMARKETCAP: "BTC-USD",
    Source.ALPHA_VANTAGE: "EUR/USD",
}
