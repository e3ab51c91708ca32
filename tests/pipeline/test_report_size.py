"""The largest reports from fetch to commit fit into a state of Step Functions."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from marketdata.cache.asset_store import AssetStore
from marketdata.domain.quotes import Source
from marketdata.prices.job_sizes import MOST_JOB_BYTES
from tests.benchmarks.market import coin_list, symbols_of
from tests.support.caches import emptied
from tests.support.pipeline import GENEROUS, GENEROUS_MARKET, simulated
from tests.support.simulated_market import WEDNESDAY_MS

MOST_STATE_BYTES = 262_144
# The result of an invocation adds headers, twice, and a status to the function's answer.
AROUND_BYTES = 4_000
MANY = symbols_of(10_000)
COINS = [symbol for symbol in MANY if "-" in symbol][:250]
SHARES = [symbol for symbol in MANY if "-" not in symbol][:100]


@pytest.mark.parametrize(
    ("symbols", "first", "second"),
    [
        (COINS, Source.COINGECKO, Source.COINMARKETCAP),
        (SHARES, Source.YFINANCE, Source.FINNHUB),
    ],
    ids=["250 coins", "100 shares"],
)
def test_the_largest_report_fits_into_a_state(plain_redis, symbols, first, second):
    """The report of a full job with stored quotes, and with two quotes a symbol, fits."""
    with emptied(plain_redis) as cache, simulated(cache, limits=GENEROUS_MARKET) as make:
        assert AssetStore(cache).swap(coin_list(WEDNESDAY_MS))
        pipe = make(ACTIVE_SYMBOLS=",".join(symbols), **GENEROUS)
        pipe.run()
        pipe.clock.pass_s(60)
        for symbol in symbols:
            pipe.market.control("bad_tick", provider=first.value, symbol=symbol)
        (report,) = pipe.run().reports
    sources = Counter(quote["source"] for quote in report["quotes"])
    assert sources == {first.value: len(symbols), second.value: len(symbols)}
    assert len(report["job"]["last"]) == len(symbols)
    assert len(json.dumps(report["job"])) <= MOST_JOB_BYTES
    assert len(json.dumps(report)) <= MOST_STATE_BYTES - AROUND_BYTES
