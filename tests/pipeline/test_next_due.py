"""When a symbol is next due: by the result of its fetch, and by whether its market is open."""

from __future__ import annotations

import pytest

from marketdata.clock import MINUTE_MS
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.symbols import AssetClass
from marketdata.domain.trading_hours import Trading
from marketdata.settings import Settings
from tests.support.commits import OPEN, SLOT_MS, now
from tests.support.trading_support import a_quote

YAHOO, FINNHUB = Source.YFINANCE, Source.FINNHUB
CLOSED = Trading(open=False)


@pytest.mark.parametrize("trading", [OPEN, CLOSED, None])
@pytest.mark.parametrize("symbol", ["AAPL", "OCDO.L", "EUR/USD"])
def test_the_pace_is_the_same_at_all_hours(commits, symbol, trading):
    """A symbol is due in the next slot, whether its market is open, closed or unknown."""
    commits.commit(now(symbol), trading=trading)
    assert commits.pause_s(symbol) == 5


def test_a_slower_pace_may_be_set(commits):
    """PRICE_FETCH_INTERVAL is the least time between two prices."""
    commits.settings = Settings.from_env({"PRICE_FETCH_INTERVAL": "600"})
    commits.commit(now(), trading=CLOSED)
    assert commits.pause_s() == 600


def test_a_price_that_waits_for_confirmation_is_due_in_the_next_slot_even_while_closed(commits):
    """A held price is due in the next slot, also while its market is closed."""
    commits.quotes.put([now()], SLOT_MS)
    commits.commit(a_quote("AAPL", SLOT_MS + 1, SLOT_MS + 1, price="500"), trading=CLOSED)
    assert commits.pause_s() == 5


def test_a_first_price_is_written_however_old_it_is(commits):
    """An old price is written if no price is stored, or if the stored one is older."""
    for age_min in (90, 60):
        summary = commits.commit(now(age_min=age_min), trading=OPEN)
        assert summary["written"] == {"yfinance": 1}
        assert commits.quotes.last(["AAPL"])["AAPL"].timestamp_ms == SLOT_MS - age_min * MINUTE_MS


def later(quote: Quote, seconds: int) -> Quote:
    """The same price of the same time, fetched later."""
    return a_quote(
        quote.symbol,
        round(quote.fetched_at.timestamp() * 1000) + seconds * 1000,
        round(quote.timestamp.timestamp() * 1000),
        quote.source,
    )


@pytest.mark.parametrize(
    ("age_min", "trading", "refreshed"),
    [(60, OPEN, False), (1, OPEN, True), (60, CLOSED, True), (60, None, True)],
)
def test_a_repeated_price_is_fresh_only_if_it_may_be(commits, age_min, trading, refreshed):
    """In an open market an old price that is repeated keeps its first `fetched_at`."""
    first = now(age_min=age_min)
    commits.commit(first, trading=trading)
    summary = commits.commit(later(first, 60), trading=trading)
    assert summary["held_back"] == ({} if refreshed else {"older": 1})
    stored = commits.quotes.last(["AAPL"])["AAPL"]
    assert stored.fetched_ms == SLOT_MS + (60_000 if refreshed else 0)


def test_a_second_source_that_repeats_an_old_price_does_not_renew_it(commits):
    """A second source's old price does not renew the `fetched_at` of the stored one."""
    commits.commit(now(age_min=60), trading=OPEN)
    commits.commit(later(now(age_min=60, source=FINNHUB), 60), trading=OPEN)
    assert commits.quotes.last(["AAPL"])["AAPL"].fetched_ms == SLOT_MS


def test_a_stale_source_is_asked_again_in_the_next_slot(commits):
    """The symbols of a stale source are due in the next slot."""
    for _ in range(2):
        summary = commits.commit(now(age_min=60), now("MSFT", 60), trading=OPEN)
    assert commits.pause_s() == 5
    (outcome,) = summary["outcomes"]
    assert outcome["outcome"] == "stale"
    assert outcome["detail"] == "the newest price is 60 min old while the market is open"


def test_an_asset_that_nobody_trades_is_asked_for_once_a_minute(commits):
    """A very old price makes its symbol due once a minute, and leaves its source ok."""
    for _ in range(2):
        summary = commits.commit(now("DEAD", 1_000_000), now("AAPL"), trading=OPEN)
    assert (commits.pause_s("DEAD"), commits.pause_s("AAPL")) == (60, 5)
    assert [step["outcome"] for step in summary["outcomes"]] == ["ok"]


def test_what_only_clients_ask_for_opens_no_breaker(commits):
    """Old prices of watched symbols alone leave the outcome ok and the breaker untouched."""
    for _ in range(9):
        summary = commits.commit(now("DEAD", 1_000_000), trading=OPEN, use="watched")
    assert [step["outcome"] for step in summary["outcomes"]] == ["ok"]
    classes = commits.control.read_providers(SLOT_MS).providers[YAHOO].classes
    assert classes[AssetClass.STOCKS].last_error is None


@pytest.mark.parametrize("outcome", ["rate_limited", "unavailable", "not_entitled"])
def test_a_failed_attempt_is_reported_with_its_own_outcome(commits, outcome):
    """A failed attempt keeps its outcome, although it has old prices."""
    summary = commits.commit(now(age_min=60), trading=OPEN, outcome=outcome)
    assert [step["outcome"] for step in summary["outcomes"]] == [outcome]


def test_a_job_without_sessions_is_committed_as_ever(commits):
    """A job that was planned without trading hours is committed as usual."""
    assert commits.commit(now(age_min=60), trading=None)["written"] == {"yfinance": 1}
    assert commits.pause_s() == 5
