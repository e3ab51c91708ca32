"""The figures of the day in the simulated answers agree with the prices and with each other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import requests

from local.simulator import Market, MarketServers
from local.simulator.process import STEP_MS
from marketdata.domain.quotes import Source
from tests.support.simulated_market import MANY, WEDNESDAY_MS, Clients, Clock
from tests.support.trading_support import utc_ms

YAHOO, FINNHUB, COINGECKO, CMC, AV = (
    Source.YFINANCE, Source.FINNHUB, Source.COINGECKO, Source.COINMARKETCAP, Source.ALPHA_VANTAGE,
)  # fmt: skip
SYMBOLS = {"AAPL": "AAPL", "TSCO.L": "TSCO.L", "^GSPC": "^GSPC", "GC=F": "GC=F",
           "BTC-USD": "BTC-USD", "EURUSD=X": "EUR/USD"}  # fmt: skip


def ms(text: str) -> int:
    """Epoch milliseconds of a UTC time of March 2026."""
    return utc_ms(f"2026-03-{text}")


@pytest.fixture
def clients(clock) -> Iterator[Clients]:
    """Clients of a market with real trading hours."""
    with (
        MarketServers(clock=clock, limits=MANY, always_open=False) as market,
        requests.Session() as session,
    ):
        yield Clients(market, session)


def rows(clients: Clients, symbols: str) -> dict[str, dict[str, Any]]:
    """Yahoo's rows by its spellings, with exact decimals."""
    answer = clients.get(YAHOO, "/v7/finance/quote", symbols=symbols).text
    found = json.loads(answer, parse_float=Decimal)["quoteResponse"]["result"]
    return {row["symbol"]: row for row in found}


def test_the_day_range_contains_every_price_that_was_shown(clients, clock):
    """Over an hour the range only widens, and each shown price is inside all later ranges."""
    seen: dict[str, list[Decimal]] = {symbol: [] for symbol in SYMBOLS}
    before: dict[str, tuple[Decimal, Decimal]] = {}
    for _ in range(60):
        for symbol, row in rows(clients, ",".join(SYMBOLS)).items():
            seen[symbol].append(row["regularMarketPrice"])
            low, high = row["regularMarketDayLow"], row["regularMarketDayHigh"]
            assert low <= min(seen[symbol]) <= max(seen[symbol]) <= high
            assert low <= row["regularMarketOpen"] <= high
            earlier_low, earlier_high = before.setdefault(symbol, (low, high))
            assert (low <= earlier_low, high >= earlier_high) == (True, True)
            before[symbol] = low, high
        clock.pass_s(60)


def test_open_and_previous_close_are_the_first_and_the_last_price(clients):
    """The open is the price at the opening, the previous close that of yesterday's close."""
    row = rows(clients, "AAPL")["AAPL"]
    market = clients.market
    assert row["regularMarketOpen"] == market.price("AAPL", ms("18 13:30"))
    assert row["regularMarketPreviousClose"] == market.price("AAPL", ms("17 20:00"))
    assert row["regularMarketPreviousClose"] == market.truth("AAPL", ms("18 10:00"))[0]


def test_yahoo_finnhub_and_alpha_vantage_agree_on_a_share(clients):
    """Three providers give one share the same open, high, low, close and volume."""
    yahoo = rows(clients, "AAPL")["AAPL"]
    finnhub = json.loads(clients.quote(FINNHUB).text, parse_float=Decimal)
    alpha = clients.get(AV, "/query", function="GLOBAL_QUOTE", symbol="AAPL").json()["Global Quote"]
    for field, short, numbered in (
        ("regularMarketOpen", "o", "02. open"),
        ("regularMarketDayHigh", "h", "03. high"),
        ("regularMarketDayLow", "l", "04. low"),
        ("regularMarketPreviousClose", "pc", "08. previous close"),
    ):
        assert yahoo[field] == finnhub[short] == Decimal(alpha[numbered])
    assert str(yahoo["regularMarketVolume"]) == alpha["06. volume"]


def test_volume_grows_until_the_close_and_starts_again(clients, clock):
    """The volume is 0 at the opening, grows until the close, and stays until the next opening."""
    volumes = []
    for text in ("18 13:30", "18 15:00", "18 18:00", "18 20:00", "19 02:00", "19 13:30"):
        clock.now_ms = ms(text)
        volumes.append(rows(clients, "AAPL")["AAPL"]["regularMarketVolume"])
    first, *growing, last = volumes
    assert first == last == 0
    assert growing == sorted(growing)
    assert growing[0] < growing[1] < growing[2] == growing[3]


@pytest.mark.parametrize(("symbol", "unit"), [("AAPL", 1), ("TSCO.L", 100), ("NBK.KW", 1000)])
def test_market_value_is_shares_times_price_in_the_major_unit(clients, symbol, unit):
    """The market value is in pounds beside a price in pence, and in dinars beside fils."""
    row = rows(clients, symbol)[symbol]
    expected = row["sharesOutstanding"] * row["regularMarketPrice"] / unit
    assert row["marketCap"] == pytest.approx(expected, abs=1)


@pytest.mark.parametrize(
    ("at", "state", "last"),
    [
        ("18 12:00", "PRE", ("preMarket", "18 12:00")),
        ("18 21:30", "POST", ("postMarket", "18 21:30")),
        ("19 02:00", "POSTPOST", ("postMarket", "19 00:00")),
        ("19 06:00", "PREPRE", ("postMarket", "19 00:00")),
        ("22 12:00", "CLOSED", ("postMarket", "21 00:00")),
    ],
)
def test_yahoo_has_extended_prices_outside_of_the_session(clients, clock, at, state, last):
    """Before the opening there is a pre-market price, afterwards the last after-hours price."""
    prefix, time = last
    clock.now_ms = ms(at)
    row = rows(clients, "AAPL")["AAPL"]
    assert row["marketState"] == state
    assert row[f"{prefix}Time"] * 1000 == ms(time)
    price = row[f"{prefix}Price"]
    assert price == clients.market.price("AAPL", ms(time))
    change = price - row["regularMarketPrice"]
    assert abs(row[f"{prefix}Change"] - change) < Decimal("0.0001")
    percent = change / row["regularMarketPrice"] * 100
    assert abs(row[f"{prefix}ChangePercent"] - percent) < Decimal("0.0001")
    other = {"preMarket": "postMarket", "postMarket": "preMarket"}[prefix]
    assert not [name for name in row if name.startswith(other)]


def test_nothing_but_an_american_share_has_extended_prices(clients, clock):
    """Indices, London and coins have none, and a share has none in its session."""
    assert not [name for name in rows(clients, "AAPL")["AAPL"] if "MarketPrice" in name[3:9]]
    clock.now_ms = ms("18 21:30")
    for row in rows(clients, "^GSPC,TSCO.L,BTC-USD").values():
        assert "postMarketPrice" not in row


def test_coin_providers_agree_on_market_value_and_volume(clients):
    """CoinGecko, with two parameters, and CoinMarketCap give the same market value and volume."""
    clients.market._update_ms = dict.fromkeys(Source, 0)
    gecko = clients.get(
        COINGECKO, "/simple/price", ids="bitcoin", vs_currencies="usd",
        include_market_cap="true", include_24hr_vol="true", precision="full",
    ).json()["bitcoin"]  # fmt: skip
    quote = clients.quote(CMC).json()["data"][0]["quote"][0]
    assert gecko["usd_market_cap"] == pytest.approx(quote["market_cap"])
    assert gecko["usd_24h_vol"] == pytest.approx(quote["volume_24h"])
    plain = clients.get(COINGECKO, "/simple/price", ids="bitcoin", vs_currencies="usd").json()
    assert set(plain["bitcoin"]) == {"usd"}


def test_the_range_of_a_stale_answer_is_of_the_past(clients):
    """The range of an answer that is an hour old does not include a later jump."""
    clients.market.control("jump", symbol="AAPL", factor=2)
    assert rows(clients, "AAPL")["AAPL"]["regularMarketDayHigh"] > 300
    clients.market.control("stale", provider="yfinance", symbol="AAPL", age_s=3600)
    assert rows(clients, "AAPL")["AAPL"]["regularMarketDayHigh"] < 300


def test_a_late_first_request_has_the_range_of_the_morning():
    """The range of a first request at noon includes the prices of the morning."""
    market = Market(clock=Clock(), always_open=False)
    tick = market.tick(YAHOO, "AAPL")
    morning = [
        market.price("AAPL", at_ms) for at_ms in range(ms("18 13:30"), WEDNESDAY_MS, 450 * STEP_MS)
    ]
    assert tick.low <= min(morning) <= max(morning) <= tick.high
