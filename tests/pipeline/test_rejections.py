"""Rejected prices: their reasons, and the reasons if our own clock is behind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from local.simulator import MarketServers
from marketdata.cache.client import Cache
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.symbols import AssetClass
from tests.support.commits import OPEN, SLOT_MS, Commits, now
from tests.support.pipeline import GENEROUS, GENEROUS_MARKET, Pipeline, simulated
from tests.support.simulated_market import Clock

YAHOO = Source.YFINANCE
BEHIND_S = 120


def ahead(symbol: str, seconds: float) -> Quote:
    """A quote of this slot with a time that is ahead."""
    quote = now(symbol)
    return replace(quote, timestamp=quote.fetched_at + timedelta(seconds=seconds))


@pytest.fixture
def late(cache: Cache) -> Iterator[Pipeline]:
    """The whole service on a machine whose clock is two minutes behind all providers."""
    clock = Clock()
    offset = Clock(BEHIND_S * 1000)
    with MarketServers(clock=lambda: clock() + offset(), limits=GENEROUS_MARKET) as market:
        pipeline = Pipeline(cache, market, clock, **GENEROUS)
        pipeline.offset = offset
        yield pipeline
        pipeline.close()


def test_a_clock_that_is_behind_is_named_by_health_and_in_each_reason(late):
    """With our clock behind no price is served, each symbol has the reason, no breaker changes."""
    for _ in range(3):
        ran = late.run_next()
    for symbol, entry in late.read("AAPL,BTC-USD").items():
        pattern = rf"\w+: {symbol}: the price has a time that is 1[012]\d s ahead of our clock"
        assert re.fullmatch(pattern, entry["message"])
    (reason,) = [text for text in late.health()["reasons"] if "our clock" in text]
    assert re.match(r"our clock is 1[12]\d s behind the times of yfinance, ", reason)
    assert ran.outcome(YAHOO, "stocks") == "bad_row"
    status = late.provider_status(YAHOO)
    assert "s ahead of our clock (and 1 more)" in status["last_error"]["detail"]
    assert {found["state"] for found in status["classes"].values()} == {"closed"}


def test_prices_are_right_as_soon_as_the_clock_is(late):
    """In the slot after our clock is right again, every symbol has its price."""
    late.run()
    late.run_next()
    late.offset.now_ms = 0
    late.run_next()
    assert set(late.sources().values()) == {"yfinance", "coingecko", "alpha_vantage"}
    late.run_next(after_s=70)
    assert not [text for text in late.health()["reasons"] if "our clock" in text]


def test_one_symbol_with_a_time_in_the_future_has_its_reason_and_a_pause(commits: Commits):
    """One symbol that is ahead has a reason and a pause of a minute, and no clock is named."""
    summary = commits.commit(ahead("AAPL", 90), now("MSFT"), now("KO"), trading=OPEN)
    assert summary["held_back"] == {"rejected": 1}
    (attempt,) = summary["outcomes"]
    message = "yfinance: AAPL: the price has a time that is 90 s ahead of our clock"
    assert (attempt["outcome"], attempt["detail"]) == ("partial", message)
    assert [commits.pause_s(symbol) for symbol in ("AAPL", "MSFT", "KO")] == [60, 5, 5]
    (reason,) = commits.quotes.reasons(["AAPL"])
    assert (reason.code, reason.message) == (Reason.PROVIDER_UNAVAILABLE, message)
    view = commits.control.read_providers(SLOT_MS)
    assert view.times_ahead == {}
    assert view.providers[YAHOO].classes[AssetClass.STOCKS].last_error.detail == message


def test_a_symbol_that_another_source_prices_has_no_reason(commits: Commits):
    """If a second source has a price, the symbol has neither a reason nor a pause."""
    second = now("AAPL", source=Source.FINNHUB)
    summary = commits.commit(ahead("AAPL", 90), second, trading=OPEN)
    assert (summary["written"], summary["held_back"]) == ({"finnhub": 1}, {"rejected": 1})
    assert commits.quotes.reasons(["AAPL"]) == [None]
    assert commits.pause_s("AAPL") == 5


def test_a_rejected_price_leaves_the_stored_one(commits: Commits):
    """A rejected price leaves the stored quote unchanged."""
    commits.commit(now("AAPL"), trading=OPEN)
    commits.commit(ahead("AAPL", 3600), trading=OPEN)
    assert commits.quotes.last(["AAPL"])["AAPL"].timestamp_ms == SLOT_MS


def test_a_provider_that_fails_for_a_clients_symbol_alone_stays_in_use(cache: Cache):
    """Failing calls for a client's symbol leave the breaker closed and active symbols fresh."""
    with simulated(cache, limits=GENEROUS_MARKET) as make:
        pipe = make(ACTIVE_SYMBOLS="AAPL,MSFT", **GENEROUS)
        pipe.market.control("status", provider=YAHOO.value, symbol="KO", status=500)
        pipe.market.control("status", provider=Source.FINNHUB.value, symbol="KO", status=500)
        for _ in range(12):
            pipe.read("KO")
            pipe.run_next()
            assert pipe.sources("AAPL,MSFT") == {"AAPL": "yfinance", "MSFT": "yfinance"}
        assert pipe.provider_status(YAHOO)["classes"]["stocks"]["state"] == "closed"
        assert pipe.provider_status(Source.FINNHUB)["classes"]["stocks"]["state"] == "closed"
        assert pipe.provider_status(YAHOO)["last_error"]["outcome"] == "unavailable"


def test_an_incomplete_answer_is_shown_and_its_lost_symbols_keep_their_quotes(cache: Cache):
    """Lost symbols go to the next provider, and if it lacks one, the stored quote stays."""
    with simulated(cache, limits=GENEROUS_MARKET) as make:
        pipe = make(ACTIVE_SYMBOLS="AAPL,MSFT,KO,JPM,V", **GENEROUS)
        pipe.run()
        before = pipe.fetched_ms("V")
        for symbol in ("MSFT", "KO", "JPM", "V"):
            pipe.market.control("unknown", provider=YAHOO.value, symbol=symbol)
        pipe.market.control("unknown", provider=Source.FINNHUB.value, symbol="V")
        ran = pipe.run_next()
        assert ran.outcome(YAHOO, "stocks") == "partial"
        found = re.fullmatch(
            "yfinance: no quote for (.*), which had prices before",
            pipe.provider_status(YAHOO)["last_error"]["detail"],
        )
        assert sorted(found[1].split(", ")) == ["JPM", "KO", "MSFT", "V"]
        assert pipe.sources("AAPL,MSFT,V") == {
            "AAPL": "yfinance",
            "MSFT": "finnhub",
            "V": "yfinance",
        }
        assert pipe.fetched_ms("V") == before


@pytest.mark.parametrize(("lost", "pause_s"), [(17, 5), (1, 60)])
def test_symbols_lost_by_an_incomplete_answer_are_due_in_the_next_slot(commits, lost, pause_s):
    """One missing symbol is paused, and most symbols of an answer are not."""
    symbols = [f"AB{chr(65 + place)}" for place in range(20)]
    commits.commit(*map(now, symbols), trading=OPEN)
    missing = [MissingQuote(symbol, Reason.NOT_FOUND, "no row") for symbol in symbols[:lost]]
    commits.commit(
        *map(now, symbols[lost:]), trading=OPEN, asked=" ".join(symbols), missing=missing
    )
    assert commits.pause_s(symbols[0]) == pause_s


@pytest.mark.parametrize(
    ("bad", "use", "pause_s"), [(1, "watched", 60), (5, "watched", 5), (1, "active", 5)]
)
def test_a_clients_symbol_with_an_unusable_row_is_paused_unless_most_rows_are_unusable(
    commits, bad, use, pause_s
):
    """A client's symbol with a bad row is paused, unless most rows of the answer are bad."""
    symbols = ["AAPL", "MSFT", "KO", "JPM", "V", "NVDA"]
    message = "yfinance: not a currency: 'USDD'"
    missing = [
        MissingQuote(symbol, Reason.PROVIDER_UNAVAILABLE, message) for symbol in symbols[:bad]
    ]
    commits.commit(
        *map(now, symbols[bad:]),
        trading=OPEN,
        asked=" ".join(symbols),
        missing=missing,
        use=use,
        bad_rows=tuple(symbols[:bad]),
    )
    assert [commits.pause_s(symbol) for symbol in ("AAPL", "NVDA")] == [pause_s, 5]
