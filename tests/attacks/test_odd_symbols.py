"""Unusable rows of single symbols at each provider: their reasons, and no effect on others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from marketdata.domain.quotes import Source
from tests.support.caches import emptied
from tests.support.canned_server import CannedServer
from tests.support.fake_yahoo import FakeYahoo, quote_row
from tests.support.pipeline import GENEROUS, Pipeline, simulated
from tests.support.stand_ins import FakeAlphaVantage, FakeCoinGecko, FakeFinnhub, rate_row

SHARES = "AAPL MSFT NVDA GOOGL AMZN META TSLA AVGO JPM KO".split()
PAIRS = ("EUR/USD", "GBP/USD")
COINS = {"BTC-USD": "bitcoin", "ETH-USD": "ethereum"}
SLOTS = 13  # more than a minute, so that one pause ends
KEYLESS = {"FINNHUB_API_KEY": "", "ALPHA_VANTAGE_API_KEY": ""}
PLAIN = {"regularMarketChange": None, "regularMarketChangePercent": None}


@dataclass
class Service:
    """A service whose providers are stand-ins; its active symbols have good rows everywhere.

    `odd`: the differing members of Yahoo's rows of other symbols, by Yahoo's spelling.
    """

    pipe: Pipeline
    yahoo: FakeYahoo
    finnhub: FakeFinnhub
    alpha: FakeAlphaVantage
    gecko: FakeCoinGecko
    odd: dict[str, dict[str, Any]] = field(default_factory=dict)

    def run(self, asked: str, slots: int = SLOTS) -> None:
        """Run slots while a client keeps asking for symbols."""
        for _ in range(slots):
            self.pipe.clock.pass_s(5)
            self._write_rows()
            self.pipe.read(asked)
            self.pipe.run()

    def assert_unharmed(self) -> None:
        """Assert that all active symbols are fresh, and that no breaker has opened."""
        active = (*SHARES, *PAIRS, *COINS)
        entries = self.pipe.read(",".join(active))
        assert not [symbol for symbol in active if entries[symbol].get("stale", True)]
        assert {self.pipe.fetched_ms(symbol) for symbol in active} == {self.pipe.clock()}
        for source in Source:
            classes = self.pipe.provider_status(source)["classes"].values()
            assert {one["state"] for one in classes} <= {"closed", "disabled"}, source

    def _write_rows(self) -> None:
        now_ms = self.pipe.clock()
        at_s = now_ms // 1000
        self.yahoo.rows = {
            name: quote_row(name, 100.0, **{"regularMarketTime": at_s, **PLAIN}) for name in SHARES
        }
        for pair in PAIRS:
            name = pair.replace("/", "") + "=X"
            self.yahoo.rows[name] = quote_row(name, 1.2, **{"regularMarketTime": at_s, **PLAIN})
            self.alpha.rates[pair] = ("1.2", now_ms)
        for name, row in self.odd.items():
            whole = {**quote_row(name, 5.0, **PLAIN), "regularMarketTime": at_s, **row}
            self.yahoo.rows[name] = whole
        for name in SHARES:
            self.finnhub.rows[name] = {"c": 100.0, "d": 1.0, "dp": 1.0101, "pc": 99.0, "t": at_s}
        for coin in COINS.values():
            self.gecko.prices[coin] = {
                "usd": 100.0, "usd_24h_change": 1.0, "last_updated_at": at_s,
            }  # fmt: skip


@pytest.fixture
def service(request, plain_redis) -> Iterator[Service]:
    """A service with the keys of Finnhub and Alpha Vantage, unless a test passes others."""
    finnhub, alpha, gecko = FakeFinnhub(), FakeAlphaVantage(), FakeCoinGecko()
    keys = {"COINMARKETCAP_API_KEY": "", **getattr(request, "param", {})}
    with (
        emptied(plain_redis) as cache,
        simulated(cache) as make,
        FakeYahoo() as yahoo,
        CannedServer(finnhub, make.clock) as one,
        CannedServer(alpha, make.clock) as two,
        CannedServer(gecko, make.clock) as three,
    ):
        urls = {
            Source.YFINANCE: yahoo.url, Source.FINNHUB: one.url,
            Source.ALPHA_VANTAGE: two.url, Source.COINGECKO: three.url,
        }  # fmt: skip
        active = ",".join((*SHARES, *PAIRS, *COINS))
        pipe = make(urls=urls, ACTIVE_SYMBOLS=active, **{**GENEROUS, **keys})
        yield Service(pipe, yahoo, finnhub, alpha, gecko)


@pytest.mark.parametrize("service", [{}, KEYLESS], indirect=True, ids=["keys", "no keys"])
def test_a_negative_price_of_oil_is_a_price(service):
    """A negative oil price is served, and a row in a wrong currency has its reason."""
    service.odd["CL=F"] = {
        "regularMarketPrice": -37.63, "quoteType": "FUTURE", "regularMarketPreviousClose": 18.27,
        "regularMarketChange": -55.9,
    }  # fmt: skip
    service.odd["SOSUSD=X"] = {"regularMarketPrice": 0.00175, "currency": "SOS"}
    service.run("CL=F,SOS/USD")
    entries = service.pipe.read("CL=F,SOS/USD")
    oil = entries["CL=F"]
    assert (oil["price"], oil["currency"], oil["change"]) == (-37.63, "USD", -55.9)
    assert "a price in 'SOS', not USD" in entries["SOS/USD"]["message"]
    service.assert_unharmed()


@pytest.mark.parametrize(
    ("symbol", "name", "row", "shown"),
    [
        ("LEHMQ", "LEHMQ", {"regularMarketPrice": -1.5}, "-1.5"),
        ("ODDCO", "ODDCO", {"regularMarketPrice": "NaN"}, "NaN"),
        ("ODDCO", "ODDCO", {"regularMarketPrice": "12,5"}, "12,5"),
        ("ODDCO", "ODDCO", {"regularMarketPrice": {"raw": 5}}, "dict"),
        ("ODDCO", "ODDCO", {"currency": "XXQ"}, "XXQ"),
        ("TRY/EUR", "TRYEUR=X", {"currency": "TRY"}, "TRY"),
        ("TRY/EUR", "TRYEUR=X", {"regularMarketPrice": -0.02, "currency": "EUR"}, "-0.02"),
    ],
)
def test_an_unusable_row_of_a_clients_symbol_costs_nobody_else(service, symbol, name, row, shown):
    """An unusable row has its value in the reason, and is not asked for in every slot."""
    service.odd[name] = row
    service.run(symbol)
    assert shown in service.pipe.read(symbol)[symbol]["message"]
    assert sum(name in asked for asked in service.yahoo.asked()) == 2
    service.assert_unharmed()


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ({"c": -4.2}, "a price below zero: -4.2"),
        ({"c": "NaN"}, "not a number: 'NaN'"),
        ({"c": [7]}, "not a number: list"),
        ({"c": True}, "not a number: True"),
    ],
)
def test_an_unusable_row_of_finnhub_costs_nobody_else(service, row, shown):
    """An unusable row of Finnhub for a symbol that Yahoo does not know has its reason."""
    at_s = service.pipe.clock() // 1000 + 5
    service.finnhub.rows["ODDCO"] = {"d": 1.0, "dp": 1.0, "pc": 6.0, "t": at_s, **row}
    service.run("ODDCO")
    assert f"finnhub: ODDCO: {shown}" in service.pipe.read("ODDCO")["ODDCO"]["message"]
    assert service.finnhub.asked == ["ODDCO"] * 2
    service.assert_unharmed()


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (lambda at: rate_row("GBP", "SOS", "700.1", at), "a price of 'GBP'/'SOS'"),
        (lambda at: rate_row("SOS", "USD", "-0.1", at), "a price below zero: -0.1"),
        (lambda at: rate_row("SOS", "USD", "0,0017", at), "not a number: '0,0017'"),
        (lambda at: rate_row("USD", "SOS", "571.0", at), "a price of 'USD'/'SOS'"),
    ],
)
def test_an_unusable_rate_of_alpha_vantage_costs_nobody_else(service, answer, shown):
    """An unusable rate of Alpha Vantage for a pair that Yahoo does not know has its reason."""
    service.alpha.other["SOS/USD"] = answer(service.pipe.clock())
    service.run("SOS/USD")
    found = service.pipe.read("SOS/USD")["SOS/USD"]
    assert f"alpha_vantage: SOS/USD: {shown}" in found["message"]
    assert service.alpha.asked.count("SOS/USD") == 2
    service.assert_unharmed()


def test_many_odd_symbols_of_many_clients_cost_nobody_else(service):
    """Dozens of unusable rows in every answer open no breaker."""
    names = [f"ODD{chr(65 + place)}" for place in range(24)]
    for place, name in enumerate(names):
        service.odd[name] = (
            {"regularMarketPrice": -1.0 - place} if place % 2 else {"currency": f"Q{place}"}
        )
    service.run(",".join(names))
    assert all("message" in one for one in service.pipe.read(",".join(names)).values())
    service.assert_unharmed()


def test_a_symbol_with_an_old_time_makes_no_source_stale(service):
    """A thinly traded symbol and a delisted one do not make their source stale."""
    at_s = service.pipe.clock() // 1000
    service.odd["THIN"] = {"regularMarketTime": at_s - 3 * 86_400}
    service.odd["TWTR"] = {"regularMarketTime": 1_666_987_200, "regularMarketPrice": 53.7}
    service.run("THIN,TWTR")
    assert service.pipe.read("TWTR")["TWTR"]["stale"] is True
    assert service.pipe.read("TWTR", max_age=60)["TWTR"]["code"] == "stale"
    service.assert_unharmed()


def test_a_symbol_that_nobody_watched_is_pending_until_its_first_price(service):
    """A new symbol gets 404 with Retry-After on the single route, and then its price."""
    service.odd["FRESH"] = {"regularMarketPrice": 8.25}
    reply = service.pipe.get("/v1/quotes/FRESH")
    assert (reply.status, reply.json["code"], reply.headers["retry-after"]) == (404, "pending", "5")
    service.run("FRESH", slots=1)
    assert service.pipe.get("/v1/quotes/FRESH").json["price"] == 8.25
    unknown = service.pipe.get("/v1/quotes/NOSUCH")
    assert (unknown.status, unknown.json["code"]) == (404, "pending")
    service.run("NOSUCH", slots=1)
    unknown = service.pipe.get("/v1/quotes/NOSUCH")
    assert (unknown.status, unknown.json["code"]) == (404, "not_found")
