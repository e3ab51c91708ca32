"""Symbols that one provider has no price of go to the next one, within the same slot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from marketdata.cache.client import Cache
from marketdata.domain.quotes import Source
from tests.support.caches import emptied
from tests.support.pipeline import GENEROUS, GENEROUS_MARKET, Make, Pipeline, simulated

SIX = "AAPL,MSFT,NVDA,JPM,V,KO"
COINS = "BTC-USD,ETH-USD,SOL-USD,DOGE-USD"
PAIRS = "EUR/USD,GBP/USD,USD/JPY"


@pytest.fixture
def make(plain_redis) -> Iterator[Make]:
    """Pipelines over a market that limits nobody."""
    with emptied(plain_redis) as cache, simulated(cache, limits=GENEROUS_MARKET) as make:
        yield make


def served(symbols: str, source: str, **others: str) -> dict[str, str]:
    """All symbols from one source, except the others."""
    return dict.fromkeys(symbols.split(","), source) | others


def fail(pipe: Pipeline, fault: str, *sources: Source, **options: object) -> None:
    """Plant the same fault with several providers."""
    for source in sources:
        pipe.market.control(fault, provider=source.value, **options)


def test_only_the_remainder_goes_to_the_next_provider(cache: Cache):
    """Each class's second provider is asked for exactly what the first one did not know."""
    with simulated(cache, limits=GENEROUS_MARKET) as make:
        pipe = make(ACTIVE_SYMBOLS=f"{SIX},{COINS},{PAIRS}", **GENEROUS)
        pipe.sender(Source.YFINANCE).warm()  # loading yfinance takes a share of the first slot
        lacking = {
            Source.YFINANCE: ["MSFT", "V"],
            Source.COINGECKO: ["ETH-USD", "SOL-USD", "DOGE-USD"],
            Source.ALPHA_VANTAGE: ["GBP/USD"],
        }
        for source, symbols in lacking.items():
            for symbol in symbols:
                fail(pipe, "unknown", source, symbol=symbol)
        ran = pipe.run()
        assert pipe.sources(SIX) == served(SIX, "yfinance", MSFT="finnhub", V="finnhub")
        coins = dict.fromkeys(lacking[Source.COINGECKO], "coinmarketcap")
        assert pipe.sources(COINS) == served(COINS, "coingecko", **coins)
        rest = {"GBP/USD": "yfinance"}
        assert pipe.sources(PAIRS) == served(PAIRS, "alpha_vantage", **rest)
        asked = {source: sorted(pipe.asked(source)) for source in Source}
        assert asked == {
            Source.YFINANCE: [1, 6],
            Source.FINNHUB: [1, 1],
            Source.COINGECKO: [4],
            Source.COINMARKETCAP: [3],
            Source.ALPHA_VANTAGE: [1, 1, 1],
        }
        assert {
            ran.outcome(Source.YFINANCE, "stocks"),
            ran.outcome(Source.COINGECKO, "crypto"),
        } == {"partial"}
        assert pipe.provider_status(Source.FINNHUB)["used"] == {
            "minute": 2
        }  # four of six given back


def test_the_order_of_the_chains_is_kept_while_budgets_allow(make):
    """While the first providers answer, the second ones are never called, and all is fresh."""
    pipe = make(ACTIVE_SYMBOLS=f"{SIX},{COINS},{PAIRS}", **GENEROUS)
    for _ in range(12):
        pipe.run_next()
        assert pipe.sources(SIX) == served(SIX, "yfinance")
        assert pipe.sources(COINS) == served(COINS, "coingecko")
        assert pipe.sources(PAIRS) == served(PAIRS, "alpha_vantage")
    assert pipe.asked(Source.YFINANCE) == [6] * 12
    assert pipe.asked(Source.COINGECKO) == [4] * 12
    assert pipe.asked(Source.ALPHA_VANTAGE) == [1] * 36
    assert pipe.asked(Source.FINNHUB) == pipe.asked(Source.COINMARKETCAP) == []
    for source in (Source.FINNHUB, Source.COINMARKETCAP):
        assert pipe.provider_status(source)["used"] == {
            "minute": 0
        }  # what was reserved is given back


def test_a_class_without_any_provider_names_each_symbol_and_leaves_the_others_alone(make):
    """If a class has no provider, its symbols have reasons, and other classes have prices."""
    pipe = make(**GENEROUS)
    fail(pipe, "status", Source.COINGECKO, Source.COINMARKETCAP)
    ran = pipe.run()
    crypto = dict.fromkeys(["BTC-USD", "ETH-USD"], "provider_unavailable")
    assert pipe.sources("BTC-USD,ETH-USD") == crypto
    assert pipe.sources("AAPL,MSFT") == served("AAPL,MSFT", "yfinance")
    assert pipe.sources("EUR/USD,GBP/USD") == served("EUR/USD,GBP/USD", "alpha_vantage")
    assert ran.tick.missing == {"provider_unavailable": 2}
    assert "  missing: BTC-USD, ETH-USD (provider unavailable)  " in ran.tick.line()
    assert pipe.read("BTC-USD")["BTC-USD"]["message"] == "coingecko: error 503"
    assert "no quote of crypto is fresh" in pipe.health()["reasons"]


def test_old_quotes_outlive_their_providers_and_say_so(cache: Cache):
    """The last prices of a class that fails stay, and are stale after QUOTE_TTL."""
    with simulated(cache, limits=GENEROUS_MARKET) as make:
        pipe = make(**GENEROUS)
        pipe.run()
        before = pipe.read("AAPL,MSFT")
        fail(pipe, "status", Source.YFINANCE, Source.FINNHUB)
        for _ in range(60):
            pipe.run_next()
        assert pipe.read("AAPL,MSFT") == before  # 300 s later
        pipe.run_next()
        stale = {symbol: {**quote, "stale": True} for symbol, quote in before.items()}
        assert pipe.read("AAPL,MSFT") == stale
        assert pipe.read("AAPL", max_age=60)["AAPL"]["code"] == "provider_unavailable"
        pipe.market.clear()
        pipe.run_next(300)  # the probes, of both
        pipe.run_next()
        assert pipe.sources("AAPL,MSFT") == served("AAPL,MSFT", "yfinance")


@pytest.mark.parametrize(
    ("hanging", "expected"),
    [
        ([Source.YFINANCE], ["finnhub", "coingecko", "alpha_vantage"]),
        ([Source.COINGECKO, Source.ALPHA_VANTAGE], ["yfinance", "coinmarketcap", "yfinance"]),
        (list(Source), ["provider_unavailable"] * 3),
    ],
    ids=["Yahoo", "the others", "all"],
)
def test_a_hanging_provider_leaves_time_for_the_next_one(make, hanging, expected):
    """The next provider answers within the same slot; if all hang, the slot ends as well."""
    pipe = make(ACTIVE_SYMBOLS="AAPL,BTC-USD,EUR/USD", patience=1, **GENEROUS)
    pipe.late_ms = 2000  # so that hanging takes a second and not three
    fail(pipe, "hang", *hanging)
    pipe.run()
    assert list(pipe.sources().values()) == expected
    assert pipe.provider_status(hanging[0])["last_error"]["outcome"] == "unavailable"


def test_a_whole_slot_ends_within_its_deadline(make):
    """In a slot of full length a first provider that hangs leaves time for the second one."""
    pipe = make(ACTIVE_SYMBOLS="AAPL", patience=1, **GENEROUS)
    fail(pipe, "hang", Source.YFINANCE)
    ran = pipe.run()
    assert pipe.sources() == {"AAPL": "finnhub"}
    assert ran.plan["jobs"][0]["deadline_ms"] - pipe.clock() < 5000
    yahoo = ran.outcomes["yfinance/stocks"]
    assert yahoo["outcome"] == "unavailable"


def test_a_refused_connection_names_the_host_and_no_more(make):
    """A refused connection is a reason in each class, with host and port only."""
    pipe = make(
        urls=dict.fromkeys(Source, "http://127.0.0.1:9"),
        ACTIVE_SYMBOLS="AAPL,BTC-USD,EUR/USD",
        **GENEROUS,
    )
    pipe.run()
    entries = pipe.read("AAPL,BTC-USD,EUR/USD")
    assert {entry["code"] for entry in entries.values()} == {"provider_unavailable"}
    messages = {entry["message"] for entry in entries.values()}
    assert messages == {"127.0.0.1:9: connection refused", "127.0.0.1:9: the connection failed"}
