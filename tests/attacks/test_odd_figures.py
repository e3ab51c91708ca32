"""Odd values from all five providers at once, through real HTTP and the whole price loop."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

import pytest

from marketdata.domain.quotes import FIGURES, Source
from tests.support.caches import emptied
from tests.support.canned_server import CannedServer
from tests.support.fake_yahoo import FakeYahoo, quote_row
from tests.support.pipeline import GENEROUS, Pipeline, simulated
from tests.support.stand_ins import (
    FakeAlphaVantage,
    FakeCoinGecko,
    FakeCoinMarketCap,
    FakeFinnhub,
    rate_row,
)

# Yahoo has no row of KO and CoinGecko none of XRP, so the next provider is asked for KO and XRP.
SYMBOLS = "AAPL,MSFT,KO,SOL-USD,ADA-USD,XRP-USD,DOGE-USD,EUR/USD,GBP/USD"
YAHOO_FIGURES = (
    "regularMarketPreviousClose", "regularMarketOpen", "regularMarketDayHigh",
    "regularMarketDayLow", "regularMarketVolume", "marketCap", "regularMarketChange",
    "regularMarketChangePercent", "postMarketPrice", "postMarketTime", "marketState",
)  # fmt: skip
_RATE = "Realtime Currency Exchange Rate"
ODD = [float("nan"), float("-inf"), 1e30, -1e30, 10**39, 1e-30, "N/A", "-", "1,234.5", "5%", True,
       [], {}, {"raw": 1}, None, "9" * 300]  # fmt: skip


@dataclass
class Market:
    """A service with a stand-in of each provider."""

    pipe: Pipeline
    yahoo: FakeYahoo
    finnhub: FakeFinnhub
    gecko: FakeCoinGecko
    cmc: FakeCoinMarketCap
    alpha: FakeAlphaVantage

    def sane(self) -> None:
        """Write a valid row of each symbol with the present time."""
        now_ms = self.pipe.clock()
        at_s = now_ms // 1000
        change = {"regularMarketChange": 1.5, "regularMarketChangePercent": 1.515152}
        self.yahoo.rows = {
            name: quote_row(name, 100.5, regularMarketTime=at_s, regularMarketVolume=5, **change)
            for name in ("AAPL", "MSFT")
        }
        self.yahoo.rows["GBPUSD=X"] = quote_row("GBPUSD=X", 1.25, regularMarketTime=at_s)
        self.finnhub.rows["KO"] = {"c": 70.5, "d": 0.5, "dp": 0.7143, "pc": 70, "t": at_s}
        coin = {"usd": 0.5, "usd_24h_vol": 7, "usd_24h_change": 25, "last_updated_at": at_s}
        self.gecko.prices = {"solana": dict(coin), "cardano": dict(coin)}
        self.cmc.prices = {"52": (0.5, now_ms), "74": (0.25, now_ms)}
        self.cmc.more = {}
        self.alpha.rates = {"EUR/USD": ("1.08", now_ms)}

    def read(self) -> dict[str, dict[str, Any]]:
        """Run a slot, and return what a client gets for all symbols."""
        self.pipe.run()
        return self.pipe.read(SYMBOLS)


@pytest.fixture
def market(plain_redis) -> Iterator[Market]:
    """A service with a real server for each provider, and no other sources."""
    finnhub, gecko, cmc = FakeFinnhub(), FakeCoinGecko(), FakeCoinMarketCap()
    alpha = FakeAlphaVantage()
    with (
        emptied(plain_redis) as cache,
        simulated(cache) as make,
        CannedServer(finnhub, make.clock) as one,
        CannedServer(gecko, make.clock) as two,
        CannedServer(cmc, make.clock) as three,
        CannedServer(alpha, make.clock) as four,
        FakeYahoo() as yahoo,
    ):
        urls = {
            Source.FINNHUB: one.url, Source.COINGECKO: two.url, Source.COINMARKETCAP: three.url,
            Source.ALPHA_VANTAGE: four.url, Source.YFINANCE: yahoo.url,
        }  # fmt: skip
        pipe = make(urls=urls, ACTIVE_SYMBOLS=SYMBOLS, **GENEROUS)
        found = Market(pipe, yahoo, finnhub, gecko, cmc, alpha)
        pipe.clock.pass_s(5)
        found.sane()
        yield found


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_odd_figures_of_every_provider_are_null_and_every_price_is_there(market, odd):
    """A client gets each price, and null for each odd figure."""
    market.yahoo.rows["AAPL"] |= dict.fromkeys(YAHOO_FIGURES, odd)
    market.finnhub.rows["KO"] |= dict.fromkeys(("d", "dp", "h", "l", "o", "pc"), odd)
    names = ("usd_24h_vol", "usd_24h_change", "usd_market_cap")
    market.gecko.prices["solana"] |= dict.fromkeys(names, odd)
    names = ("volume_24h", "percent_change_24h", "market_cap")
    market.cmc.more["52"] = dict.fromkeys(names, odd)
    found = market.read()
    prices = {symbol: quote.get("price") for symbol, quote in found.items()}
    assert prices == {
        "AAPL": 100.5, "MSFT": 100.5, "KO": 70.5, "SOL-USD": 0.5, "ADA-USD": 0.5,
        "XRP-USD": 0.5, "DOGE-USD": 0.25, "EUR/USD": 1.08, "GBP/USD": 1.25,
    }  # fmt: skip
    sources = ("yfinance", "finnhub", "coingecko", "coinmarketcap")
    for symbol, source in zip(("AAPL", "KO", "SOL-USD", "XRP-USD"), sources, strict=True):
        quote = found[symbol]
        assert quote["source"] == source
        figures = (*FIGURES, "change", "percent_change", "change_basis", "extended")
        assert {name: quote[name] for name in figures} == dict.fromkeys(figures)
    assert (found["MSFT"]["change"], found["MSFT"]["volume"]) == (1.5, 5)
    assert (found["ADA-USD"]["change"], found["ADA-USD"]["volume"]) == (0.1, 7)


@pytest.mark.parametrize(
    "odd", [one for one in ODD if one not in (None, "N/A", "-")] + [-1, "-0.5"], ids=repr
)
def test_an_odd_price_of_any_provider_is_the_defect_of_its_symbol_alone(market, odd):
    """An odd price has its reason or the next provider's price, and no breaker opens."""
    at_s = market.pipe.clock() // 1000
    market.yahoo.rows["AAPL"]["regularMarketPrice"] = odd
    market.finnhub.rows["AAPL"] = {"c": 100, "d": None, "dp": None, "pc": 0, "t": at_s}
    market.finnhub.rows["KO"]["c"] = odd
    market.gecko.prices["solana"]["usd"] = odd
    market.cmc.more["52"] = {"price": odd}
    row = rate_row("GBP", "USD", "1", at_s * 1000)
    row[_RATE]["5. Exchange Rate"] = odd
    market.alpha.other["GBP/USD"] = row
    found = market.read()
    assert (found["AAPL"]["price"], found["AAPL"]["source"]) == (100, "finnhub")
    assert (found["GBP/USD"]["price"], found["GBP/USD"]["source"]) == (1.25, "yfinance")
    for symbol, source in (
        ("KO", "finnhub"),
        ("SOL-USD", "coingecko"),
        ("XRP-USD", "coinmarketcap"),
    ):
        assert found[symbol]["code"] == "provider_unavailable"
        assert found[symbol]["message"].startswith(f"{source}: {symbol}: ")
    good = {name: found[name]["price"] for name in ("MSFT", "ADA-USD", "DOGE-USD", "EUR/USD")}
    assert good == {"MSFT": 100.5, "ADA-USD": 0.5, "DOGE-USD": 0.25, "EUR/USD": 1.08}
    for source in Source:
        states = market.pipe.provider_status(source)["classes"].values()
        assert {one["state"] for one in states} == {"closed"}


def test_every_digit_of_a_price_reaches_the_client(market):
    """A price of forty digits is served exactly, and used as a rate."""
    price = "0.00001234567890123456789012345678901234567890"
    market.alpha.rates["EUR/USD"] = (price, market.pipe.clock())
    market.read()
    body = market.pipe.get("/v1/quotes?symbols=EUR/USD,AAPL&currency=EUR").body
    pair, share = json.loads(body, parse_float=Decimal, parse_int=Decimal)["quotes"]
    assert pair["price"] == Decimal(price)
    assert share["converted"]["rate"] == (1 / Decimal(price)).normalize(Context(prec=12))
    assert share["converted"]["price"] == Context(prec=12).multiply(
        share["price"], share["converted"]["rate"]
    )
