"""Which prices are too old for an open market, and when their source counts as stale."""

from __future__ import annotations

import pytest

from marketdata.clock import HOUR_MS, MINUTE_MS
from marketdata.domain.messages import LastPrice
from marketdata.domain.quotes import Source
from marketdata.domain.second_opinion import needs_second_opinion
from marketdata.domain.staleness import AGE_LIMITS_MS, Finding, findings, is_old, only_repeats
from marketdata.domain.symbols import AssetClass, parse_symbol
from marketdata.domain.trading_hours import Trading, trading_at
from marketdata.lists.calendars import published
from tests.support.trading_support import a_quote, utc_ms

NOW = utc_ms("2026-03-18T15:00")
OPEN = Trading(open=True, since_ms=utc_ms("2026-03-18T13:30"))
CLOSED, UNKNOWN = Trading(open=False), Trading(open=None)
YAHOO, FINNHUB = Source.YFINANCE, Source.FINNHUB
CURRENT, UNJUDGED = Finding(judged=True), Finding(judged=False)
COMPUTED = {  # by month of the price: the time of the refresh some days before
    "2026-03": utc_ms("2026-03-05T06:00"),
    "2026-11": utc_ms("2026-11-19T06:00"),
    "2026-12": utc_ms("2026-12-21T06:00"),
}


def judged(symbol, fetched, of):
    """Whether a price made at `of` is old at the time `fetched`, by the real calendars."""
    asset_class = parse_symbol(symbol).asset_class
    trading = trading_at(asset_class, published(asset_class, COMPUTED[of[:7]]), utc_ms(fetched))
    return is_old(a_quote(symbol, utc_ms(fetched), utc_ms(of)), trading)


@pytest.mark.parametrize(
    ("symbol", "fetched", "of", "expected"),
    [
        ("AAPL", "2026-03-07T15:00", "2026-03-06T21:00", None),
        ("AAPL", "2026-03-09T13:20", "2026-03-06T21:00", None),
        ("AAPL", "2026-03-09T13:30", "2026-03-06T21:00", False),
        ("AAPL", "2026-03-09T13:45", "2026-03-06T21:00", False),
        ("AAPL", "2026-03-09T14:30", "2026-03-06T21:00", True),
        ("AAPL", "2026-03-09T14:30", "2026-03-09T14:29", False),
        ("AAPL", "2026-11-26T16:00", "2026-11-25T21:00", None),
        ("AAPL", "2026-11-27T16:00", "2026-11-25T21:00", True),
        ("AAPL", "2026-11-27T17:59", "2026-11-27T16:00", True),
        ("AAPL", "2026-11-27T18:00", "2026-11-27T16:00", None),
        ("AAPL", "2026-11-27T20:30", "2026-11-27T18:00", None),
        ("OCDO.L", "2026-03-09T14:30", "2026-03-06T21:00", None),
        ("EUR/USD", "2026-03-07T12:00", "2026-03-06T21:59", None),
        ("EUR/USD", "2026-03-08T21:10", "2026-03-06T21:59", False),
        ("EUR/USD", "2026-03-08T21:16", "2026-03-06T21:59", True),
        ("EUR/USD", "2026-03-11T03:00", "2026-03-11T02:44", True),
        ("EUR/USD", "2026-12-25T15:00", "2026-12-24T21:59", None),
        ("BTC-USD", "2026-03-07T12:00", "2026-03-07T11:44", True),
        ("BTC-USD", "2026-03-07T12:00", "2026-03-07T11:45", False),
    ],
)
def test_a_price_is_old_only_while_its_market_has_been_open(symbol, fetched, of, expected):
    """Friday's close is not old until Monday's opening, and is old an hour later."""
    assert judged(symbol, fetched, of) is expected


@pytest.mark.parametrize("asset_class", AssetClass)
def test_the_limit_itself_is_not_old(asset_class):
    """A price exactly as old as its class's limit is not old; one millisecond more is."""
    symbol = {"stocks": "AAPL", "crypto": "BTC-USD", "forex": "EUR/USD"}[asset_class]
    limit_ms = AGE_LIMITS_MS[asset_class]
    assert is_old(a_quote(symbol, NOW, NOW - limit_ms), OPEN) is False
    assert is_old(a_quote(symbol, NOW, NOW - limit_ms - 1), OPEN) is True


def test_a_halt_of_all_shares_is_not_blamed_on_a_source():
    """A share price of 18 minutes is not old, because a halt lasts 15 minutes."""
    assert is_old(a_quote("AAPL", NOW, NOW - 18 * MINUTE_MS), OPEN) is False


@pytest.mark.parametrize("trading", [CLOSED, UNKNOWN, Trading(open=True, since_ms=None)])
def test_nothing_is_judged_unless_the_session_is_known(trading):
    """No price is judged while its market is closed or the session is unknown."""
    assert is_old(a_quote("AAPL", NOW, NOW - 90 * HOUR_MS), trading) is None


def test_a_quote_without_a_time_is_not_judged():
    """A quote without a time of its own is not judged."""
    assert is_old(a_quote("AAPL", NOW, None), OPEN) is None


def found_of(*quotes, trading=OPEN, chosen=True, sources=(YAHOO, FINNHUB)):
    """The findings of a job that called these sources in this order."""
    return findings(sources, quotes, trading, chosen=chosen)


def aged(symbol, minutes, source=YAHOO):
    """A quote of now, with a price of so many minutes ago."""
    return a_quote(symbol, NOW, NOW - minutes * MINUTE_MS, source)


def test_a_source_with_nothing_but_old_prices_is_stale():
    """A source with only old prices is stale, and the reason has the newest price's age."""
    old = (aged("AAPL", 62), aged("MSFT", 540), aged("JPM", 540))
    found = found_of(*old, aged("AAPL", 1, FINNHUB))
    assert found == {
        YAHOO: Finding(
            judged=True, stale="the newest price is 62 min old while the market is open"
        ),
        FINNHUB: CURRENT,
    }
    years = [aged(symbol, 30_000 * 60) for symbol in ("AAPL", "MSFT", "JPM")]
    assert "30000 h old" in found_of(*years)[YAHOO].stale


def test_both_sources_may_be_stale():
    """If both sources have only old prices of the same symbols, both are stale."""
    symbols = ("AAPL", "MSFT", "JPM")
    old = [aged(symbol, 60) for symbol in symbols]
    found = found_of(*old, *(aged(symbol, 90, FINNHUB) for symbol in symbols))
    assert [one.stale != "" for one in found.values()] == [True, True]


def test_one_dead_asset_is_no_sign_of_a_stale_source():
    """One old symbol leaves the first source current; the second, with it alone, unjudged."""
    found = found_of(aged("DEAD", 1_000_000), aged("AAPL", 1), aged("DEAD", 1_000_000, FINNHUB))
    assert found == {YAHOO: CURRENT, FINNHUB: UNJUDGED}


def test_an_old_price_where_an_earlier_source_has_a_current_one_is_a_sign():
    """Old prices make a source stale although the source before it has current ones."""
    symbols = ("AAPL", "MSFT", "JPM")
    current = [aged(symbol, 1) for symbol in symbols]
    found = found_of(*current, *(aged(symbol, 60, FINNHUB) for symbol in symbols))
    assert found[FINNHUB].stale


def test_one_old_symbol_proves_nothing():
    """One thinly traded symbol that is requested alone does not make its source stale."""
    assert found_of(aged("THIN", 60))[YAHOO] == UNJUDGED


def test_a_source_is_stale_if_most_of_its_prices_are_old():
    """A source is stale if it has more old prices than current ones."""
    old = [aged(symbol, 60) for symbol in ("AAPL", "MSFT", "JPM")]
    assert found_of(*old, aged("KO", 1), aged("PEP", 1))[YAHOO].stale
    assert found_of(*old, *(aged(s, 1) for s in ("KO", "PEP", "V")))[YAHOO] == CURRENT


def test_assets_with_hours_of_their_own_say_nothing():
    """An asset with its own trading hours makes its source neither current nor stale."""
    assert found_of(aged("OCDO.L", 5400))[YAHOO] == UNJUDGED
    old = [aged(symbol, 60) for symbol in ("AAPL", "MSFT", "JPM")]
    assert found_of(aged("OCDO.L", 5400), *old)[YAHOO].stale


def test_what_clients_ask_for_never_speaks_against_a_source():
    """An old price that only clients ask for makes no source stale; a current one counts."""
    assert found_of(aged("AAPL", 60), chosen=False)[YAHOO] == UNJUDGED
    assert found_of(aged("AAPL", 60), aged("MSFT", 0), chosen=False)[YAHOO] == CURRENT


def test_a_source_without_a_price_is_not_judged():
    """A source that was called and gave no quote is not judged."""
    assert found_of(aged("AAPL", 1))[FINNHUB] == UNJUDGED


@pytest.mark.parametrize("trading", [CLOSED, UNKNOWN])
def test_no_source_is_stale_unless_its_market_is_known_to_be_open(trading):
    """While the market is closed or unknown, a source with an old price counts as current."""
    assert found_of(aged("AAPL", 5400), trading=trading)[YAHOO] == CURRENT


@pytest.mark.parametrize(
    ("age_min", "stored_age_min", "trading", "expected"),
    [
        (60, 60, OPEN, True),
        (61, 60, OPEN, True),
        (59, 60, OPEN, False),
        (60, None, OPEN, False),
        (1, 1, OPEN, False),
        (60, 60, CLOSED, False),
        (60, 60, UNKNOWN, False),
    ],
)
def test_an_old_price_that_is_not_new_only_repeats(age_min, stored_age_min, trading, expected):
    """In an open market an old price that is no newer than the stored one only repeats it."""
    quote = a_quote("AAPL", NOW, NOW - age_min * MINUTE_MS)
    stored_ms = None if stored_age_min is None else NOW - stored_age_min * MINUTE_MS
    last = LastPrice(price="182.5", timestamp_ms=stored_ms)
    assert only_repeats(quote, last, trading) is expected


def test_a_first_price_is_no_repetition():
    """An old price is not a repetition if no price is stored."""
    assert not only_repeats(a_quote("AAPL", NOW, NOW - HOUR_MS), None, OPEN)


@pytest.mark.parametrize(("trading", "expected"), [(OPEN, True), (CLOSED, False), (UNKNOWN, False)])
def test_an_old_price_of_an_open_market_gets_a_second_look(trading, expected):
    """In an open market an old price needs a second source, with or without a stored price."""
    quote = a_quote("AAPL", NOW, NOW - HOUR_MS)
    last = LastPrice(price="182.5", timestamp_ms=NOW - HOUR_MS)
    assert needs_second_opinion(quote, last, trading) is expected
    assert needs_second_opinion(quote, None, trading) is expected
