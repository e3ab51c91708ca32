"""Stand-ins for Finnhub, CoinGecko, CoinMarketCap and Alpha Vantage, whose rows a test writes.

Each is the answer of a `CannedServer`, in the provider's format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.support.canned_server import Canned

Query = Mapping[str, str]
_RATE = "Realtime Currency Exchange Rate"
NO_PRICE = {"c": 0, "d": None, "dp": None, "h": 0, "l": 0, "o": 0, "pc": 0, "t": 0}


@dataclass
class FakeFinnhub:
    """`rows`: the answer of the quote call by symbol; `listed`: the rows of the US list."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    listed: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __call__(self, path: str, query: Query) -> Canned:
        """The answer to a request."""
        if path == "/stock/symbol":
            return Canned(200, self.listed)
        self.asked.append(query["symbol"])
        return Canned(200, self.rows.get(query["symbol"], NO_PRICE))


@dataclass
class FakeCoinGecko:
    """`listed`: the rows of `coins/markets`; `prices`: the row of `simple/price` by id."""

    listed: list[dict[str, Any]] = field(default_factory=list)
    prices: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, path: str, query: Query) -> Canned:
        """The answer to a request."""
        if path == "/coins/markets":
            return Canned(200, self.listed if query["page"] == "1" else [])
        if path == "/coins/list":
            return Canned(
                200, [{k: row[k] for k in ("id", "symbol", "name")} for row in self.listed]
            )
        ids = query["ids"].split(",")
        self.asked += ids
        return Canned(200, {one: self.prices[one] for one in ids if one in self.prices})


@dataclass
class FakeCoinMarketCap:
    """`listed`: the rows of the map; `prices`: price and time (epoch ms) in USD by number.

    `more` has further members of the quote by number.
    """

    listed: list[dict[str, Any]] = field(default_factory=list)
    prices: dict[str, tuple[float, int]] = field(default_factory=dict)
    more: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __call__(self, path: str, query: Query) -> Canned:
        """The answer to a request."""
        if path.endswith("/map"):
            return _cmc(self.listed if query.get("start") == "1" else [])
        return _cmc(
            [
                {
                    "id": int(number),
                    "symbol": "?",
                    "is_active": 1,
                    "quote": [_dollars(*self.prices[number]) | self.more.get(number, {})],
                }
                for number in query["id"].split(",")
                if number in self.prices
            ]
        )


@dataclass
class FakeAlphaVantage:
    """`rates`: rate and time (epoch ms) by pair; `other`: a whole answer for a pair."""

    rates: dict[str, tuple[str, int]] = field(default_factory=dict)
    other: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, path: str, query: Query) -> Canned:
        """The answer to a request."""
        base, quote = query["from_currency"], query["to_currency"]
        pair = f"{base}/{quote}"
        self.asked.append(pair)
        if pair in self.other:
            return Canned(200, self.other[pair])
        if pair not in self.rates:
            return Canned(200, {_RATE: {}})
        return Canned(200, rate_row(base, quote, *self.rates[pair]))


def rate_row(base: str, quote: str, rate: str, at_ms: int) -> dict[str, Any]:
    """An exchange rate as Alpha Vantage writes it."""
    return {
        _RATE: {
            "1. From_Currency Code": base,
            "3. To_Currency Code": quote,
            "5. Exchange Rate": rate,
            "6. Last Refreshed": f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}",
            "7. Time Zone": "UTC",
        }
    }


def coin_row(coin: str, ticker: str, name: str, rank: int | None) -> dict[str, Any]:
    """A coin in CoinGecko's list."""
    return {"id": coin, "symbol": ticker, "name": name, "market_cap_rank": rank}


def _cmc(data: Any) -> Canned:
    status = {"timestamp": "2026-03-18T15:00:00Z", "error_code": 0}
    return Canned(200, {"status": status, "data": data})


def _dollars(price: float, at_ms: int) -> dict[str, Any]:
    at = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat().replace("+00:00", "Z")
    return {"symbol": "USD", "price": price, "percent_change_24h": 1.5, "last_updated": at}
