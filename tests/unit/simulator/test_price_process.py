"""The simulated market's prices and sessions, without any server."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from local.simulator import Market
from local.simulator.process import STEP_MS
from local.simulator.sessions import Hours, Sessions
from local.simulator.universe import Universe
from marketdata.domain.symbols import AssetClass, parse_symbol
from tests.support.simulated_market import WEDNESDAY_MS

SYMBOLS = (
    "AAPL MSFT GOOGL BRK.B T F OCDO.L BTC-USD ETH-USD SHIB-USD BTC-EUR EUR/USD USD/JPY".split()
)
HOUR_MS = 3_600_000
JUMP_LIMITS = {Hours.US: 0.25, Hours.LONDON: 0.25, Hours.FOREX: 0.05, Hours.CRYPTO: 0.3}


def ms(text: str) -> int:
    """Epoch milliseconds of a UTC time of 2026."""
    return int(datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC).timestamp()) * 1000


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
        limit = JUMP_LIMITS[market._traded(symbol).hours]
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
    """EUR/JPY is EUR/USD times USD/JPY but for the fast part, as triangles are in forex."""
    market = Market()
    crossed = market.price("EUR/USD", WEDNESDAY_MS) * market.price("USD/JPY", WEDNESDAY_MS)
    assert abs(market.price("EUR/JPY", WEDNESDAY_MS) / crossed - 1) < Decimal("0.0005")


@pytest.mark.parametrize("symbol", ["NOPE123", "USD/USD", "EUR/XXX", "NOCOIN-USD", "BTC-XXX", ""])
def test_an_unknown_symbol_has_no_price(symbol):
    """Asking for the price of what is not traded is an error."""
    with pytest.raises(ValueError, match="not traded"):
        Market().price(symbol, WEDNESDAY_MS)


def test_the_universe_is_large_and_well_formed():
    """There are 2,500 stocks and 1,500 coins; all symbols are canonical, all ids distinct."""
    universe = Universe.build()
    assert (len(universe.stocks), len(universe.coins)) == (2_500, 1_500)
    assert len(universe.by_cmc_id) == len(universe.by_label) == 1_500
    assert (len(universe.pairs), len(universe.currencies)) == (60, 31)
    for symbol in universe.stocks:
        parsed = parse_symbol(symbol)
        assert (parsed.text, parsed.asset_class) == (symbol, AssetClass.STOCKS)
    for coin in universe.coins.values():
        assert parse_symbol(f"{coin.ticker}-USD").asset_class is AssetClass.CRYPTO
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


NEW_YORK = Sessions(
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
def test_sessions(hours, at, state, last_trade, previous_close):
    """Sessions open and close as the real ones do, over holidays, weekends and summer time."""
    session = NEW_YORK.at(hours, ms(at))
    assert session.state == state
    assert NEW_YORK.last_trade_ms(hours, ms(at)) == ms(last_trade)
    assert session.previous_close_ms == ms(previous_close)


@pytest.mark.parametrize("hours", Hours)
def test_an_always_open_market_trades_on_sunday(hours):
    """With always_open every class trades at every hour."""
    sunday_ms = ms("03-22 12:00:00")
    assert Sessions().last_trade_ms(hours, sunday_ms) == sunday_ms


def test_truth_freezes_at_the_close():
    """After the close a stock keeps the price and the time of its last trade."""
    market = Market(always_open=False)
    close_ms = ms("03-20 20:00:00")
    assert market.truth("AAPL", close_ms + 40 * HOUR_MS) == (
        market.price("AAPL", close_ms),
        close_ms,
    )
    assert market.truth("BTC-USD", close_ms + 1_999)[1] == close_ms
