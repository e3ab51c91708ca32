"""Calls that never reached a provider, and the reason for a call that waits for its pace."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from marketdata.domain.quotes import Source
from tests.support.canned_server import Canned, CannedServer
from tests.support.pipeline import GENEROUS_MARKET, Make, emptied, simulated

ONE_COIN = {"ACTIVE_SYMBOLS": "BTC-USD", "COINMARKETCAP_API_KEY": ""}
GECKO = "coingecko/crypto"


@pytest.fixture
def make(plain_redis) -> Iterator[Make]:
    """Pipelines over a market that limits nobody; the service keeps CoinGecko's free limits."""
    with emptied(plain_redis) as cache, simulated(cache, limits=GENEROUS_MARKET) as make:
        yield make


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://no-such-host.invalid"], ids=["refused", "unknown host"]
)
def test_a_call_that_never_reached_the_provider_delays_no_other(make, url):
    """While there is no network each tick tries again; the tick after it has the prices."""
    down = make(**ONE_COIN, urls={Source.COINGECKO: url})
    for _ in range(3):
        outcome = down.run_next().outcomes[GECKO]
        assert (outcome["outcome"], outcome["calls_used"]) == ("unavailable", 1)
    up = make(**ONE_COIN)
    assert up.run_next().outcomes[GECKO]["outcome"] == "ok"
    assert up.provider_status(Source.COINGECKO)["used"]["month"] == 4


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://no-such-host.invalid"], ids=["refused", "unknown host"]
)
def test_a_call_through_yfinance_that_never_reached_yahoo_delays_no_other(make, url):
    """The cookie page is not reached either; the tick after the network is back asks again."""
    how = {"ACTIVE_SYMBOLS": "AAPL", "FINNHUB_API_KEY": "", "YAHOO_LIMITS": "100/day"}
    down = make(**how, urls={Source.YFINANCE: url})
    for _ in range(3):
        (report,) = down.run_next().reports
        (outcome,) = report["outcomes"]
        assert outcome["outcome"] == "unavailable"
        assert outcome["calls_used"] == outcome["calls_unsent"] == 1
    assert make(**how).run_next().outcomes["yfinance/stocks"]["calls_used"] == 1


def test_a_call_through_yfinance_that_yahoo_answered_with_an_error_keeps_its_pace(make):
    """Yahoo has counted what it answered, so the next call waits for the pace."""
    with CannedServer(Canned(502, {}), make.clock) as server:
        pipe = make(
            ACTIVE_SYMBOLS="AAPL", FINNHUB_API_KEY="", YAHOO_LIMITS="100/day",
            urls={Source.YFINANCE: server.url},
        )  # fmt: skip
        (report,) = pipe.run_next().reports
        assert [(one["calls_used"], one["calls_unsent"]) for one in report["outcomes"]] == [(1, 0)]
        assert pipe.run_next().plan["skipped"][0]["reason"] == "paced"


def test_a_call_that_was_answered_with_an_error_keeps_its_pace(make):
    """The provider has counted a call that it answered, so the next one waits for the pace."""
    with CannedServer(Canned(500, {}), make.clock) as server:
        pipe = make(**ONE_COIN, urls={Source.COINGECKO: server.url})
        pipe.run_next()
        assert pipe.run_next().plan["skipped"][0]["reason"] == "paced"


def test_waiting_for_the_pace_is_called_so(make):
    """A month with calls left is not exhausted: the reason names when the next call is made."""
    pipe = make(**ONE_COIN)
    pipe.run_next()
    pipe.quotes.forget(["BTC-USD"])
    pipe.clock.pass_s(60)
    pipe.run()
    why = pipe.read("BTC-USD")["BTC-USD"]
    assert why["code"] == "budget_exhausted"
    assert why["message"].startswith("coingecko: paced, next call in 2")
    assert 0 < why["retry_after"] < 300
