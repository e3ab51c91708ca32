"""The simulated market's prices and sessions, without any server."""

from __future__ import annotations

import math
import random
from datetime import date
from decimal import Decimal
from itertools import pairwise
from statistics import correlation, stdev

import pytest

from local.simulator import Market, dialects
from local.simulator.process import STEP_MS
from local.simulator.trading_hours import Hours, TradingHours
from local.simulator.universe import Universe
from marketdata.clock import HOUR_MS
from marketdata.domain.symbols import AssetClass, parse_symbol
from tests.support.simulated_market import WEDNESDAY_MS
from tests.support.trading_support import utc_ms

SYMBOLS = (
    "AAPL MSFT GOOGL BRK.B T F OCDO.L BTC-USD ETH-USD SHIB-USD BTC-EUR EUR/USD USD/JPY".split()
)
JUMP_LIMITS = {AssetClass.STOCKS: 0.25, AssetClass.FOREX: 0.05, AssetClass.CRYPTO: 0.3}


def ms(text: str) -> int:
    """Epoch milliseconds of a UTC time of 2026."""
    return utc_ms(f"2026-{text}")


def test_same_seed_same_prices():
    """Two markets with one seed agree on every price; another seed has other prices."""
    one, same, other = Market(seed=7), Market(seed=7), Market(seed=8)
    for symbol in SYMBOLS:
        assert one.price(symbol, WEDNESDAY_MS) == same.price(symbol, WEDNESDAY_MS)
        assert one.price(symbol, WEDNESDAY_MS) != other.price(symbol, WEDNESDAY_MS)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_a_price_changes_every_two_seconds(symbol):
    """No price stands still for more than two seconds."""
    market = Market()
    for step in range(300):
        at_ms = WEDNESDAY_MS + step * STEP_MS
        assert market.price(symbol, at_ms) != market.price(symbol, at_ms + STEP_MS)
        assert market.price(symbol, at_ms) == market.price(symbol, at_ms + STEP_MS - 1)


def test_an_hour_moves_prices_less_than_a_third_of_a_jump():
    """Within an hour no price moves by a third of what would be quarantined."""
    market, times = Market(), random.Random(1)
    universe = market.universe
    symbols = [
        *random.Random(2).sample(sorted(universe.stocks), 30),
        *(f"{label}-USD" for label in random.Random(3).sample(sorted(universe.by_label), 30)),
        *universe.pairs,
    ]
    for symbol in symbols:
        limit = JUMP_LIMITS[market._traded(symbol).asset_class]
        for _ in range(20):
            at_ms = WEDNESDAY_MS + times.randrange(-90 * 24, 90 * 24) * HOUR_MS
            before = market.price(symbol, at_ms)
            after = market.price(symbol, at_ms + times.randrange(HOUR_MS))
            assert abs(after / before - 1) < limit / 3, symbol


def test_prices_have_the_decimals_of_their_kind():
    """Stocks have two to four decimals, EUR/USD five, tiny coins eight significant digits."""
    market = Market()

    def places(symbol: str) -> int:
        return -int(market.price(symbol, WEDNESDAY_MS).as_tuple().exponent)

    assert [places(s) for s in ("AAPL", "T", "F")] == [2, 3, 4]
    assert [places(s) for s in ("EUR/USD", "USD/JPY", "JPY/USD")] == [5, 3, 8]
    assert [places(s) for s in ("BTC-USD", "SHIB-USD")] == [3, 12]


def test_a_pair_of_currencies_follows_from_its_sides():
    """EUR/JPY is EUR/USD times USD/JPY, except for rounding."""
    market = Market()
    crossed = market.price("EUR/USD", WEDNESDAY_MS) * market.price("USD/JPY", WEDNESDAY_MS)
    assert abs(market.price("EUR/JPY", WEDNESDAY_MS) / crossed - 1) < Decimal("0.0005")


def returns(symbol: str, every_s: int = 5, count: int = 2_000) -> list[float]:
    """The logarithms of a symbol's changes over a few seconds each, on one afternoon."""
    market = Market(seed=1)
    times = range(WEDNESDAY_MS, WEDNESDAY_MS + (count + 1) * every_s * 1000, every_s * 1000)
    prices = [float(market.price(symbol, at_ms)) for at_ms in times]
    return [math.log(after / before) for before, after in pairwise(prices)]


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("AAPL", "EUR/USD", -0.1, 0.1),
        ("AAPL", "USD/JPY", -0.1, 0.1),
        ("AAPL", "BTC-USD", -0.1, 0.1),
        ("BTC-USD", "EUR/USD", -0.1, 0.1),
        ("TSCO.L", "AAPL", -0.1, 0.1),
        ("AAPL", "MSFT", 0.1, 0.6),
        ("KO", "XOM", 0.1, 0.6),
        ("AAPL", "^GSPC", 0.2, 0.8),
        ("^VIX", "^GSPC", -0.9, -0.3),
        ("BTC-USD", "ETH-USD", 0.3, 0.8),
        ("EUR/USD", "GBP/USD", 0.1, 0.7),
        ("EUR/USD", "USD/JPY", -0.7, -0.1),
    ],
)
def test_symbols_move_together_as_their_classes_do(one, other, least, most):
    """Changes over 5 s are unrelated between classes, and related within a class."""
    assert least < correlation(returns(one), returns(other)) < most


@pytest.mark.parametrize(
    ("symbol", "least", "most"),
    [
        ("AAPL", 0.008, 0.03),
        ("^GSPC", 0.004, 0.012),
        ("BTC-USD", 0.015, 0.05),
        ("EUR/USD", 0.002, 0.008),
        ("USD/HKD", 0.00001, 0.002),
        ("USDT-USD", 0.00001, 0.002),
        ("CL=F", 0.01, 0.04),
    ],
)
@pytest.mark.parametrize("every_s", [5, 3600])
def test_volatility_is_usual_for_the_class_at_every_scale(symbol, least, most, every_s):
    """Scaled to a day, changes over 5 s and over an hour have the volatility of the class."""
    count = 2_000 if every_s == 5 else 300
    daily = stdev(returns(symbol, every_s, count)) * math.sqrt(86_400 / every_s)
    assert least < daily < most


@pytest.mark.parametrize(
    ("symbol", "currency"),
    [
        ("^GSPC", "USD"), ("^FTSE", "GBP"), ("^VIX", "USD"), ("GC=F", "USD"), ("CL=F", "USD"),
        ("ZC=F", "USX"), ("TSCO.L", "GBp"), ("BT.A.L", "GBp"), ("NBK.KW", "KWF"),
        ("BAC.PR.L", "USD"), ("ACHR.WS", "USD"), ("AIIA.U", "USD"), ("AIIA.RT", "USD"),
        ("ETH-BTC", "BTC"), ("@mantle-USD", "USD"), ("@hydro-protocol-EUR", "EUR"),
        ("USD/CNH", "CNH"), ("MNT/USD", "USD"),
    ],
)  # fmt: skip
def test_symbols_of_every_kind_are_traded_in_their_own_unit(symbol, currency):
    """Indices, futures, foreign shares, preferreds, coins by id and rare currencies have prices."""
    market = Market()
    assert market._traded(symbol).currency == currency
    assert market.price(symbol, WEDNESDAY_MS) > 0


def test_a_coin_has_its_ticker_only_if_it_is_the_largest_and_the_ticker_is_no_currency():
    """HOT is Holo and not Hydro; MNT is a currency and not Mantle."""
    universe = Universe.build()
    assert universe.by_label["HOT"].slug == "holotoken"
    assert "MNT" not in universe.by_label
    market = Market()
    assert market.price("@holotoken-USD", WEDNESDAY_MS) == market.price("HOT-USD", WEDNESDAY_MS)
    assert market._traded("@holotoken-USD").label == "HOT-USD"


SPELLINGS = {
    "AAPL": ("AAPL", "AAPL", "AAPL", "AAPL"),
    "BRK.B": ("BRK-B", "BRK.B", "BRK.B", "BRK-B"),
    "BAC.PR.L": ("BAC-PL", "BAC-PL", "BAC-L", "BAC-P-L"),
    "HLM.PR": ("HLM-P", "HLM-P", "HLM-", "HLM-P"),
    "ACHR.WS": ("ACHR-WT", "ACHR-WT", "ACHR+", "ACHR-WS"),
    "CCIV.WS.A": ("CCIV-WTA", "CCIV-WTA", "CCIV+A", "CCIV-WS-A"),
    "AIIA.U": ("AIIA-UN", "AIIA-UN", "AIIA=", "AIIA-U"),
    "AIIA.RT": ("AIIA-RI", "AIIA-RI", "AIIA^", "AIIA-R"),
    "X.WI": ("X-WI", "X-WI", "X#", "X-WI"),
}


@pytest.mark.parametrize("symbol", SPELLINGS)
def test_each_provider_has_its_own_spelling(symbol):
    """Classes, preferreds, warrants, units and rights are spelled in four ways."""
    assert SPELLINGS[symbol] == (
        dialects.yahoo(symbol),
        dialects.finnhub_quote(symbol),
        dialects.finnhub_list(symbol),
        dialects.alpha_vantage(symbol),
    )


@pytest.mark.parametrize("symbol", ["NOPE123", "USD/USD", "EUR/XXX", "NOCOIN-USD", "BTC-XXX", ""])
def test_an_unknown_symbol_has_no_price(symbol):
    """The price of a symbol that is not traded is an error."""
    with pytest.raises(ValueError, match="not traded"):
        Market().price(symbol, WEDNESDAY_MS)


def test_the_universe_is_large_and_well_formed():
    """There are 2,500 stocks and 1,500 coins; all symbols are canonical, all ids distinct."""
    universe = Universe.build()
    assert (len(universe.stocks), len(universe.coins)) == (2_500, 1_500)
    assert len(universe.by_cmc_id) == len(universe.by_label) == 1_500
    assert (len(universe.pairs), len(universe.currencies)) == (63, 36)
    for symbol in universe.stocks:
        parsed = parse_symbol(symbol)
        assert (parsed.text, parsed.asset_class) == (symbol, AssetClass.STOCKS)
    for label in universe.by_label:
        if not label.startswith("@"):
            assert parse_symbol(f"{label}-USD").asset_class is AssetClass.CRYPTO
    for pair in universe.pairs:
        assert parse_symbol(pair).asset_class is AssetClass.FOREX
    ids = {coin.slug: coin.cmc_id for coin in universe.coins.values()}
    assert (ids["bitcoin"], ids["ethereum"], ids["ripple"], ids["binancecoin"]) == (
        1,
        1027,
        52,
        1839,
    )
    assert {c.rank for c in universe.coins.values() if c.ticker == "BTC"} == {1, None}


NEW_YORK = TradingHours(
    always_open=False, holidays=[date(2026, 3, 19)], early_closes=[date(2026, 3, 20)]
)


@pytest.mark.parametrize(
    ("hours", "at", "state", "last_trade", "previous_close"),
    [
        (Hours.US, "03-18 13:29:59", "PRE", "03-17 20:00:00", "03-16 20:00:00"),
        (Hours.US, "03-18 13:30:00", "REGULAR", "03-18 13:30:00", "03-17 20:00:00"),
        (Hours.US, "03-18 19:59:59", "REGULAR", "03-18 19:59:59", "03-17 20:00:00"),
        (Hours.US, "03-18 20:00:00", "POST", "03-18 20:00:00", "03-17 20:00:00"),
        (Hours.US, "03-19 15:00:00", "CLOSED", "03-18 20:00:00", "03-17 20:00:00"),
        (Hours.US, "03-20 17:00:00", "POST", "03-20 17:00:00", "03-18 20:00:00"),
        (Hours.US, "03-18 07:00:00", "PREPRE", "03-17 20:00:00", "03-16 20:00:00"),
        (Hours.US, "03-19 00:30:00", "POSTPOST", "03-18 20:00:00", "03-17 20:00:00"),
        (Hours.US, "03-21 00:30:00", "POSTPOST", "03-20 17:00:00", "03-18 20:00:00"),
        (Hours.KUWAIT, "03-20 08:00:00", "CLOSED", "03-19 09:30:00", "03-18 09:30:00"),
        (Hours.KUWAIT, "03-22 07:00:00", "REGULAR", "03-22 07:00:00", "03-19 09:30:00"),
        (Hours.FUTURES, "03-20 22:00:00", "CLOSED", "03-20 22:00:00", "03-19 22:00:00"),
        (Hours.US, "03-22 12:00:00", "CLOSED", "03-20 17:00:00", "03-18 20:00:00"),
        (Hours.US, "01-05 14:30:00", "REGULAR", "01-05 14:30:00", "01-02 21:00:00"),
        (Hours.LONDON, "03-19 08:00:00", "REGULAR", "03-19 08:00:00", "03-18 16:30:00"),
        (Hours.LONDON, "03-19 17:00:00", "CLOSED", "03-19 16:30:00", "03-18 16:30:00"),
        (Hours.FOREX, "03-18 23:00:00", "REGULAR", "03-18 23:00:00", "03-18 22:00:00"),
        (Hours.FOREX, "03-20 21:59:59", "REGULAR", "03-20 21:59:59", "03-19 22:00:00"),
        (Hours.FOREX, "03-20 22:00:00", "CLOSED", "03-20 22:00:00", "03-19 22:00:00"),
        (Hours.FOREX, "03-22 21:59:59", "CLOSED", "03-20 22:00:00", "03-19 22:00:00"),
        (Hours.FOREX, "03-22 22:00:00", "REGULAR", "03-22 22:00:00", "03-20 22:00:00"),
        (Hours.CRYPTO, "03-22 05:00:01", "REGULAR", "03-22 05:00:01", "03-22 00:00:00"),
    ],
)  # fmt: skip
def test_sessions_have_the_hours_of_their_market(hours, at, state, last_trade, previous_close):
    """Each session opens and closes as the real one, over holidays, weekends and summer time."""
    session = NEW_YORK.at(hours, ms(at))
    assert session.state == state
    assert NEW_YORK.last_trade_ms(hours, ms(at)) == ms(last_trade)
    assert session.previous_close_ms == ms(previous_close)


@pytest.mark.parametrize("hours", Hours)
def test_an_always_open_market_trades_on_sunday(hours):
    """With always_open every class trades on a Sunday."""
    sunday_ms = ms("03-22 12:00:00")
    assert TradingHours().last_trade_ms(hours, sunday_ms) == sunday_ms


def test_the_price_of_a_stock_stops_at_the_close():
    """After the close a stock keeps the price and the time of its last trade."""
    market = Market(always_open=False)
    close_ms = ms("03-20 20:00:00")
    assert market.truth("AAPL", close_ms + 40 * HOUR_MS) == (
        market.price("AAPL", close_ms),
        close_ms,
    )
    assert market.truth("BTC-USD", close_ms + 1_999)[1] == close_ms
