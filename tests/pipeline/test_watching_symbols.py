"""Watched symbols are pending, then priced from the next slot on, and later dropped."""

from __future__ import annotations

from marketdata.cache.client import Cache
from marketdata.domain.quotes import Source
from tests.support.pipeline import GENEROUS, simulated

WATCHED_S = 15 * 60


def test_a_new_symbol_is_pending_and_then_priced(cache: Cache):
    """A symbol that was never requested is `pending`, and has a quote after the next slot."""
    with simulated(cache) as make:
        pipe = make()
        pipe.run()
        wanted = "KO,TSCO.L,LTC-USD,LTC-EUR,USD/CHF"
        before = pipe.read(wanted)
        assert {entry["code"] for entry in before.values()} == {"pending"}
        assert {entry["retry_after"] for entry in before.values()} == {5}
        assert list(before) == wanted.split(",")
        ran = pipe.run_next()
        assert list(pipe.sources(wanted).values()) == [
            "yfinance",
            "yfinance",
            "coingecko",
            "coingecko",
            "alpha_vantage",
        ]
        uses = {i["symbol"]: job["use"] for job in ran.plan["jobs"] for i in job["instruments"]}
        assert {uses[symbol] for symbol in wanted.split(",")} == {"new"}
        assert pipe.read("TSCO.L")["TSCO.L"]["currency"] == "GBP"


def test_a_symbol_is_fetched_until_15_minutes_after_its_last_request(cache: Cache):
    """Fifteen minutes after its last request a symbol is not fetched any more and gets stale."""
    with simulated(cache) as make:
        pipe = make(ACTIVE_SYMBOLS="BTC-USD", **GENEROUS)
        pipe.read("KO")
        pipe.run()
        pipe.run_next(600)
        pipe.read("KO")
        pipe.run_next(WATCHED_S - 5)
        last_ms = pipe.clock()
        assert pipe.fetched_ms("KO") == last_ms
        for _ in range(62):
            ran = pipe.run_next()
            assert ran.tick.due == 1  # BTC-USD
        assert pipe.fetched_ms("KO") == last_ms
        assert pipe.sources("KO") == {"KO": "stale"}


def test_a_symbol_that_nobody_knows_is_asked_for_once_in_15_minutes(make):
    """A symbol that no provider of its class knows is `not_found` for 15 minutes."""
    pipe = make(ACTIVE_SYMBOLS="BTC-USD")
    junk = "NOPE123,XAG/XPT"
    pipe.read(junk)
    pipe.run()
    for _ in range(WATCHED_S // 5 - 1):
        assert set(pipe.sources(junk).values()) == {"not_found"}
        pipe.run_next()
    asked = {source: pipe.asked(source) for source in Source}
    assert asked[Source.YFINANCE] == [1, 1]
    assert (asked[Source.FINNHUB], asked[Source.ALPHA_VANTAGE]) == ([1], [1])
    pipe.run_next()
    assert pipe.asked(Source.YFINANCE) == [1, 1, 1, 1]


def test_a_coin_that_no_list_knows_costs_no_call(make):
    """A coin without an id is `not_found` after the next slot, without a call."""
    pipe = make(ACTIVE_SYMBOLS="AAPL")
    coins = "NOPE-USD,ZZZZ-EUR,B.A.D-JPY"
    pipe.read(coins)
    for _ in range(30):
        pipe.run_next()
        entries = pipe.read(coins)
        assert {entry["code"] for entry in entries.values()} == {"not_found"}
    assert not pipe.market.calls[Source.COINGECKO]
    assert not pipe.market.calls[Source.COINMARKETCAP]
    assert entries["NOPE-USD"]["message"] == "no configured provider lists NOPE-USD"


def test_watched_symbols_stay_fresh_on_free_plans(make):
    """For ten minutes a watched share, coin and pair are as fresh as active symbols."""
    pipe = make()
    watched = "KO,LTC-USD,SOL-EUR,USD/CHF"
    pipe.read(watched)
    for _ in range(120):
        pipe.run_next()
        assert not {"stale", "pending"} & set(pipe.sources(watched).values())
        assert "stale" not in pipe.sources().values()
    assert not any(pipe.market.violations.values())
