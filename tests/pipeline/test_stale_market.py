"""Providers that answer with old prices, from plan to API with the real provider code."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.simulator import MarketServers
from marketdata.cache.client import Cache
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.lists.calendars import published
from tests.support.pipeline import GENEROUS, GENEROUS_MARKET, Pipeline
from tests.support.simulated_market import Clock
from tests.support.trading_support import utc_ms

YAHOO, FINNHUB, ALPHA = Source.YFINANCE, Source.FINNHUB, Source.ALPHA_VANTAGE
GECKO, CMC = Source.COINGECKO, Source.COINMARKETCAP
SATURDAY, MONDAY = utc_ms("2026-03-21T15:00"), utc_ms("2026-03-23T14:30")
CHAINS = [
    (YAHOO, FINNHUB, "stocks", "AAPL,MSFT"),
    (GECKO, CMC, "crypto", "BTC-USD,ETH-USD"),
    (ALPHA, YAHOO, "forex", "EUR/USD,GBP/USD"),
]


@pytest.fixture
def clock() -> Clock:
    """Monday at 10:30 in New York."""
    return Clock(MONDAY)


@pytest.fixture
def market(clock: Clock) -> Iterator[MarketServers]:
    """A market with real opening hours and no quotas in the way."""
    with MarketServers(clock=clock, always_open=False, limits=GENEROUS_MARKET) as market:
        yield market


@pytest.fixture
def pipeline(cache: Cache, market: MarketServers, clock: Clock) -> Iterator[Pipeline]:
    """The whole service, with the timetables that were computed on the Friday before."""
    pipeline = Pipeline(cache, market, clock, **GENEROUS)
    for asset_class in (AssetClass.STOCKS, AssetClass.FOREX):
        timetable = published(asset_class, utc_ms("2026-03-20T06:00"))
        pipeline.control.keep_timetable(asset_class, timetable)
    pipeline.sender(YAHOO).warm()
    yield pipeline
    pipeline.close()


@pytest.mark.parametrize(("first", "second", "asset_class", "symbols"), CHAINS)
def test_a_stale_source_costs_no_tick(pipeline, first, second, asset_class, symbols):
    """If a source is stale, the next provider's prices are served in the same slot."""
    pipeline.market.control("stale", provider=first.value, age_s=3600)
    ran = pipeline.run()
    assert ran.outcome(first, asset_class) == "stale"
    assert ran.outcome(second, asset_class) == "ok"
    assert pipeline.sources(symbols) == dict.fromkeys(symbols.split(","), second.value)


@pytest.mark.parametrize(("first", "second", "asset_class", "symbols"), CHAINS)
def test_a_source_that_stays_stale_is_left_alone(pipeline, first, second, asset_class, symbols):
    """After five stale answers the breaker opens with that reason, and no call is made."""
    pipeline.market.control("stale", provider=first.value, age_s=3600)
    for _ in range(5):
        assert pipeline.provider_status(first)["classes"][asset_class]["state"] == "closed"
        pipeline.run_next()
    status = pipeline.provider_status(first)["classes"][asset_class]
    assert (status["state"], status["reason"]) == ("open", "stale_source")
    assert status["last_error"]["outcome"] == "stale"
    assert "60 min old while the market is open" in status["last_error"]["detail"]
    assert status["last_success"] is None
    assert any("stale source" in reason for reason in pipeline.health()["reasons"])
    assert pipeline.run_next().outcome(first, asset_class) == "not asked"
    assert pipeline.sources(symbols) == dict.fromkeys(symbols.split(","), second.value)


def test_a_source_that_is_current_again_is_taken_back(pipeline):
    """The probe after CIRCUIT_BREAKER_TIMEOUT closes the breaker."""
    pipeline.market.control("stale", provider="yfinance", age_s=3600)
    for _ in range(5):
        pipeline.run_next()
    pipeline.market.clear()
    pipeline.run_next(300)
    assert pipeline.provider_status(YAHOO)["classes"]["stocks"]["state"] == "closed"
    assert pipeline.run_next().outcome(YAHOO, "stocks") == "ok"
    assert pipeline.sources("AAPL") == {"AAPL": "yfinance"}


def test_an_hour_old_price_does_not_look_fresh(pipeline, clock):
    """If every source is stale, the first price is served, and is `stale` after QUOTE_TTL."""
    seen = []
    for later_s in (0, 60, 120, 180, 240, 300, 305):
        clock.now_ms = MONDAY + later_s * 1000
        pipeline.market.clear()
        pipeline.market.control("stale", age_s=3600 + later_s)  # always of 9:30
        pipeline.run()
        seen.append(pipeline.read("AAPL")["AAPL"])
    assert [quote.pop("stale") for quote in seen] == [False] * 6 + [True]
    assert all(quote == seen[0] for quote in seen)


def test_one_dead_coin_is_not_held_against_its_source(pipeline):
    """One coin with a very old price leaves its source ok, and is requested less often."""
    pipeline.market.control("stale", symbol="ETH-USD", age_s=4 * 365 * 86_400)
    outcomes = set[str]()
    for _ in range(11):
        outcomes |= {step["outcome"] for step in pipeline.run_next().outcomes.values()}
    assert outcomes <= {"ok", "skipped"}
    assert pipeline.sources("BTC-USD") == {"BTC-USD": "coingecko"}
    assert pipeline.asked(CMC) == [1, 1]
    assert pipeline.asked(GECKO) == [2, 2] + [1] * 9


def test_a_weekend_is_fresh(pipeline, clock):
    """Friday's close on Saturday makes no source stale, and stays fresh."""
    clock.now_ms = SATURDAY
    outcomes = set()
    for _ in range(10 * 12):
        ran = pipeline.run_next()
        outcomes |= {step["outcome"] for step in ran.outcomes.values()} - {"skipped"}
        assert pipeline.sources("AAPL,MSFT") == {"AAPL": "yfinance", "MSFT": "yfinance"}
        assert not pipeline.read("EUR/USD")["EUR/USD"]["stale"]
    assert outcomes == {"ok"}


def test_a_price_that_nobody_has_is_fetched_at_any_hour(pipeline, clock):
    """A symbol that a client asks for on Saturday is priced in the next slot."""
    clock.now_ms = SATURDAY
    pipeline.run()
    pipeline.control.watch(["NVDA"], clock())
    pipeline.run_next()
    assert pipeline.sources("NVDA") == {"NVDA": "yfinance"}


def test_without_known_sessions_nothing_is_called_stale(pipeline, cache):
    """Without stored sessions no source is stale, and an old price is served."""
    cache.command("DEL", cache.key("control", "timetables"))
    pipeline.market.control("stale", provider="yfinance", age_s=3600)
    assert pipeline.run().outcome(YAHOO, "stocks") == "ok"
    assert pipeline.sources("AAPL") == {"AAPL": "yfinance"}


@pytest.mark.parametrize(
    ("at", "state"),
    [("2026-03-23T13:00", "pre"), ("2026-03-23T14:30", "open"), ("2026-03-23T21:00", "post"),
     ("2026-03-22T15:00", "closed")],
)  # fmt: skip
def test_shares_of_new_york_have_the_state_of_its_calendar(pipeline, clock, at, state):
    """A share of New York has the calendar's state, and a share of London its source's."""
    clock.now_ms = utc_ms(at)
    pipeline.read("TSCO.L")
    pipeline.run()
    quotes = pipeline.read("AAPL,TSCO.L,EUR/USD,BTC-USD")
    assert quotes["AAPL"]["market_state"] == state
    assert quotes["TSCO.L"]["market_state"] in ("open", "closed")
    assert (quotes["EUR/USD"]["market_state"], quotes["BTC-USD"]["market_state"]) == (None, None)
