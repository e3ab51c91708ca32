"""Providers that are not called: without a key, with a bad key, with too small a plan."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from marketdata.cache.client import Cache
from marketdata.domain.quotes import Source
from tests.support.api_times import shown
from tests.support.caches import emptied
from tests.support.pipeline import GENEROUS, GENEROUS_MARKET, KEYS, Make, simulated

KEYED = {
    Source.FINNHUB: "FINNHUB_API_KEY",
    Source.COINMARKETCAP: "COINMARKETCAP_API_KEY",
    Source.ALPHA_VANTAGE: "ALPHA_VANTAGE_API_KEY",
}
THREE = {"ACTIVE_SYMBOLS": "AAPL,BTC-USD,EUR/USD"}
CLASSES = {Source.FINNHUB: "stocks", Source.COINMARKETCAP: "crypto", Source.ALPHA_VANTAGE: "forex"}
# The provider before each of them, which has to fail before the second one is called.
BEFORE = {Source.FINNHUB: Source.YFINANCE, Source.COINMARKETCAP: Source.COINGECKO}
DAY_S = 86_400


@pytest.fixture
def make(plain_redis) -> Iterator[Make]:
    """Pipelines over a market that limits nobody."""
    with emptied(plain_redis) as cache, simulated(cache, limits=GENEROUS_MARKET) as make:
        yield make


def silence(make: Make, source: Source) -> None:
    """Let the provider before this one fail, if there is one."""
    if source in BEFORE:
        make.market.control("status", provider=BEFORE[source].value)


def test_without_any_key_every_class_is_served(make):
    """Yahoo and CoinGecko serve all classes; the others are shown as disabled, not as broken."""
    pipe = make(**THREE, **GENEROUS, **dict.fromkeys(KEYS, ""))
    for _ in range(3):
        ran = pipe.run_next()
        assert list(pipe.sources().values()) == ["yfinance", "coingecko", "yfinance"]
        assert ran.plan["skipped"] == []
    for source, asset_class in CLASSES.items():
        status = pipe.provider_status(source)
        assert (status["enabled"], status["next_call_at"]) == (False, None)
        shown_as = status["classes"][asset_class]
        assert (shown_as["state"], shown_as["reason"]) == ("disabled", "no_key")
        assert not pipe.market.calls[source]
    states = {(p["provider"], p["state"], p["reason"]) for p in pipe.health()["providers"]}
    assert {(source.value, "disabled", "no_key") for source in KEYED} <= states
    assert not any("breaker" in reason for reason in pipe.health()["reasons"])


@pytest.mark.parametrize("source", KEYED)
def test_one_provider_without_its_key_is_left_out(make, source):
    """A provider without its key is never called, and the other providers serve as usual."""
    pipe = make(**THREE, **GENEROUS, **{KEYED[source]: ""})
    silence(make, source)
    pipe.run()
    served = {"AAPL": "yfinance", "BTC-USD": "coingecko", "EUR/USD": "alpha_vantage"}
    lost = {
        Source.FINNHUB: {"AAPL": "provider_unavailable"},
        Source.COINMARKETCAP: {"BTC-USD": "provider_unavailable"},
        Source.ALPHA_VANTAGE: {"EUR/USD": "yfinance"},
    }
    assert pipe.sources() == served | lost[source]
    assert not make.market.calls[source]


@pytest.mark.parametrize("source", KEYED)
def test_a_bad_key_opens_the_breaker_at_once_and_a_good_one_closes_it(make, source):
    """One rejection opens the breaker as `bad_key`; its probe closes it once the key is good."""
    bad = make(**THREE, **GENEROUS, **{KEYED[source]: "a-bad-key"})
    silence(make, source)
    ran = bad.run()
    asset_class = CLASSES[source]
    assert ran.outcome(source, asset_class) == "unauthorized"
    assert f"{source.value}/{asset_class} breaker open (bad_key)" in ran.tick.changes
    status = bad.provider_status(source)["classes"][asset_class]
    opened_ms = bad.clock()
    assert (status["state"], status["reason"], status["since"]) == (
        "open",
        "bad_key",
        shown(opened_ms),
    )
    assert status["next_probe_at"] == shown(opened_ms + 300_000)
    health = bad.health()
    reason = f"the breaker of {source.value} for {asset_class} is open (bad key)"
    assert reason in health["reasons"]
    entry = {"provider": source.value, "asset_class": asset_class}
    assert {**entry, "state": "open", "reason": "bad_key"} in health["providers"]

    good = make(**THREE, **GENEROUS)
    good.run_next(295)
    assert len(make.market.calls[source]) == 1
    good.run_next()
    assert len(make.market.calls[source]) == 2
    assert good.provider_status(source)["classes"][asset_class]["state"] == "closed"
    assert source.value in good.sources().values()


def test_what_a_plan_excludes_is_not_asked_for_a_day(cache: Cache):
    """Finnhub's 403 for one share is remembered for 24 h, to the second, for that share alone."""
    with simulated(cache, limits=GENEROUS_MARKET) as make:
        pipe = make(ACTIVE_SYMBOLS="AAPL,MSFT", **GENEROUS)
        silence(make, Source.FINNHUB)
        make.market.control("not_entitled", provider="finnhub", symbol="MSFT")
        ran = pipe.run()
        assert pipe.sources() == {"AAPL": "finnhub", "MSFT": "provider_unavailable"}
        assert ran.reports[0]["outcomes"][1]["not_entitled"] == ["MSFT"]
        assert len(pipe.asked(Source.FINNHUB)) == 2
        for seconds, calls in ((5, 1), (3600, 1), (DAY_S - 3610, 1), (5, 2), (5, 1)):
            before = len(pipe.asked(Source.FINNHUB))
            pipe.run_next(seconds)
            assert len(pipe.asked(Source.FINNHUB)) - before == calls
        assert pipe.provider_status(Source.FINNHUB)["classes"]["stocks"]["state"] == "closed"


def test_a_pair_beyond_the_plan_goes_to_the_next_provider_for_a_day(make):
    """A pair beyond Alpha Vantage's plan is priced by Yahoo for a day, without a further call."""
    pipe = make(ACTIVE_SYMBOLS="EUR/USD,GBP/USD", **GENEROUS)
    make.market.control("not_entitled", provider="alpha_vantage", symbol="EUR/USD")
    pipe.run()
    for seconds, calls in ((5, 1), (DAY_S - 10, 1), (5, 2)):
        before = len(pipe.asked(Source.ALPHA_VANTAGE))
        pipe.run_next(seconds)
        assert len(pipe.asked(Source.ALPHA_VANTAGE)) - before == calls
        assert pipe.sources() == {"EUR/USD": "yfinance", "GBP/USD": "alpha_vantage"}


@pytest.mark.parametrize("fault", ["not_entitled", "unknown"])
def test_no_number_of_excluded_or_unknown_symbols_opens_a_breaker(make, fault):
    """Any number of excluded or unknown symbols leaves the provider's breaker closed."""
    pipe = make(ACTIVE_SYMBOLS="EUR/USD", **GENEROUS)
    pipe.run()
    make.market.control(fault, provider="alpha_vantage")
    for pair in ("GBP/USD", "USD/JPY", "USD/CHF", "EUR/GBP", "EUR/JPY", "EUR/CHF", "GBP/JPY"):
        pipe.read(pair)
        pipe.run_next()
        assert pipe.sources(f"EUR/USD,{pair}") == {"EUR/USD": "yfinance", pair: "yfinance"}
    assert len(pipe.asked(Source.ALPHA_VANTAGE)) >= 9
    assert pipe.provider_status(Source.ALPHA_VANTAGE)["classes"]["forex"]["state"] == "closed"
