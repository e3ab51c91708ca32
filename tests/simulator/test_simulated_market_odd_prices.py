"""Faults of single prices in the simulated market: wrong, old, moved, in an odd row."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal

import pytest

from marketdata.domain.quotes import Source
from tests.support.simulated_market import SYMBOLS, WEDNESDAY_MS, Clients, plant


def price_of(clients: Clients, source: Source) -> tuple[Decimal, int]:
    """Price and time in ms of the provider's one quote."""
    body = json.loads(clients.quote(source).text, parse_float=Decimal)
    if source is Source.YFINANCE:
        row = body["quoteResponse"]["result"][0]
        return row["regularMarketPrice"], row["regularMarketTime"] * 1000
    if source is Source.FINNHUB:
        return body["c"], body["t"] * 1000
    if source is Source.COINGECKO:
        return body["bitcoin"]["usd"], body["bitcoin"]["last_updated_at"] * 1000
    if source is Source.COINMARKETCAP:
        quote = body["data"][0]["quote"][0]
        return quote["price"], _ms(quote["last_updated"])
    rate = body["Realtime Currency Exchange Rate"]
    return Decimal(rate["5. Exchange Rate"]), _ms(rate["6. Last Refreshed"] + "Z")


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1000


@pytest.mark.parametrize("source", Source)
def test_a_price_that_is_not_a_number(clients, source):
    """With the fault `nan` the price is NaN at every provider."""
    plant(clients, "nan", provider=source, symbol=SYMBOLS[source])
    assert "NaN" in clients.quote(source).text


@pytest.mark.parametrize("source", Source)
def test_a_stale_provider_has_an_old_time_and_the_price_of_that_time(clients, source):
    """With the fault `stale` an answer has an old time, and the true price of that time."""
    plant(clients, "stale", provider=source, age_s=7200)
    price, at_ms = price_of(clients, source)
    assert at_ms == WEDNESDAY_MS - 7_200_000
    assert clients.market.is_true(SYMBOLS[source], price, at_ms, source)


@pytest.mark.parametrize("source", Source)
def test_a_bad_tick_is_wrong_once_and_on_record(clients, source):
    """A bad tick is served as often as was planned, is never true, and is recorded."""
    plant(clients, "bad_tick", provider=source, symbol=SYMBOLS[source], factor=0.01, answers=2)
    for _ in range(2):
        price, at_ms = price_of(clients, source)
        assert not clients.market.is_true(SYMBOLS[source], price, at_ms, source)
    price, at_ms = price_of(clients, source)
    assert clients.market.is_true(SYMBOLS[source], price, at_ms, source)
    assert len(clients.market.planted) == 2
    tick = clients.market.planted[0]
    assert (tick.source, tick.symbol, tick.timestamp_ms) == (source, SYMBOLS[source], WEDNESDAY_MS)


@pytest.mark.parametrize("source", Source)
def test_a_jump_is_true_at_every_provider(clients, clock, source):
    """After a jump every provider has the new price, which is true."""
    before, _ = price_of(clients, source)
    plant(clients, "jump", symbol=SYMBOLS[source], factor=2)
    clock.pass_s(4)
    price, at_ms = price_of(clients, source)
    assert price / before == pytest.approx(Decimal(2), rel=Decimal("0.01"))
    assert clients.market.is_true(SYMBOLS[source], price, at_ms, source)


@pytest.mark.parametrize("source", Source)
def test_a_symbol_can_become_unknown(clients, source):
    """With the fault `unknown` a symbol has the provider's answer for unknown symbols."""
    plant(clients, "unknown", provider=source, symbol=SYMBOLS[source])
    text = clients.quote(source).text
    assert any(
        part in text for part in ('"result":[]', '"c":0', "{}", '"data":[]', "Invalid API call")
    )


@pytest.mark.parametrize("source", Source)
@pytest.mark.parametrize("offset_s", [120, -45])
def test_a_clock_offset_shifts_the_time_and_not_the_price(clients, source, offset_s):
    """With a clock offset the price is current, its time is shifted, and both count as true."""
    plant(clients, "clock_offset", provider=source, offset_s=offset_s, answers=1)
    price, at_ms = price_of(clients, source)
    assert at_ms == WEDNESDAY_MS + offset_s * 1000
    assert clients.market.is_true(SYMBOLS[source], price, at_ms, source)
    assert not clients.market.is_true(SYMBOLS[source], price * 2, at_ms, source)
    assert price_of(clients, source) == (price, WEDNESDAY_MS)


LABELS = {
    Source.YFINANCE: lambda body: body["quoteResponse"]["result"][0]["currency"],
    Source.COINGECKO: lambda body: min(set(body["bitcoin"]) - {"last_updated_at"}),
    Source.COINMARKETCAP: lambda body: body["data"][0]["quote"][0]["symbol"],
    Source.ALPHA_VANTAGE: lambda body: body["Realtime Currency Exchange Rate"][
        "3. To_Currency Code"
    ],
}


@pytest.mark.parametrize(("oddity", "label"), [("unknown_unit", "XX"), ("other_currency", "EUR")])
@pytest.mark.parametrize("source", LABELS)
def test_an_odd_row_has_another_label(clients, source, oddity, label):
    """A price in an odd row has an unknown unit or a currency that was not requested."""
    plant(clients, "odd_row", provider=source, symbol=SYMBOLS[source], oddity=oddity)
    assert LABELS[source](clients.quote(source).json()).upper() == label


def test_the_numbers_of_an_odd_row_are_in_its_unit(clients):
    """The number in an odd row is in the odd unit, so the number alone is not a true price."""
    plant(clients, "odd_row", provider="yfinance", symbol="AAPL", oddity="unknown_unit")
    price, at_ms = price_of(clients, Source.YFINANCE)
    assert not clients.market.is_true("AAPL", price, at_ms, Source.YFINANCE)


@pytest.mark.parametrize("source", Source)
def test_an_odd_row_can_be_without_a_price(clients, source):
    """An odd row may have null, or Alpha Vantage's `-`, in place of its price."""
    plant(clients, "odd_row", provider=source, symbol=SYMBOLS[source], oddity="no_price", answers=1)
    body = clients.quote(source).json()
    found = {
        Source.YFINANCE: lambda: body["quoteResponse"]["result"][0].get("regularMarketPrice"),
        Source.FINNHUB: lambda: body["c"],
        Source.COINGECKO: lambda: body["bitcoin"]["usd"],
        Source.COINMARKETCAP: lambda: body["data"][0]["quote"][0]["price"],
        Source.ALPHA_VANTAGE: lambda: body["Realtime Currency Exchange Rate"]["5. Exchange Rate"],
    }[source]()
    assert found in (None, "-")
    assert price_of(clients, source)[0] > 0


def test_an_odd_row_can_come_twice(clients):
    """Yahoo and CoinMarketCap can send a second, old row before the live one."""
    for source in ("yfinance", "coinmarketcap"):
        symbol = SYMBOLS[Source(source)]
        plant(clients, "odd_row", provider=source, symbol=symbol, oddity="doubled")
    dead, live = clients.quote(Source.YFINANCE).json()["quoteResponse"]["result"]
    assert dead["symbol"] == live["symbol"]
    assert dead["regularMarketTime"] < live["regularMarketTime"] - 86_400
    assert dead["regularMarketPrice"] != live["regularMarketPrice"]
    old, new = clients.quote(Source.COINMARKETCAP).json()["data"]
    assert old["id"] == new["id"]
    assert old["last_updated"] < new["last_updated"]


@pytest.mark.parametrize(("kind", "factor"), [("crash", 0.62), ("pump", 1.6)])
def test_a_crash_and_a_pump_go_on_at_every_provider(clients, clock, kind, factor):
    """A crash or a pump multiplies the price at each step until the last, and is always true."""
    before = float(clients.market.price("BTC-USD", WEDNESDAY_MS))
    plant(clients, kind, symbol="BTC-USD", steps=4, every_s=10)
    for step in (1, 2, 3, 4, 4, 4):
        for source in (Source.COINGECKO, Source.COINMARKETCAP):
            price, at_ms = price_of(clients, source)
            assert float(price) == pytest.approx(before * factor**step, rel=0.02)
            assert clients.market.is_true("BTC-USD", price, at_ms, source)
        clock.pass_s(10)
