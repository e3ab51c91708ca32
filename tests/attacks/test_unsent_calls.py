"""Calls that never reached a provider, and the reason of a call that has to wait.

The market has no limits; the service has those of the free plans.
"""

from __future__ import annotations

import pytest

from marketdata.domain.quotes import Source
from tests.support.canned_server import Canned, CannedServer

ONE_COIN = {"ACTIVE_SYMBOLS": "BTC-USD", "COINMARKETCAP_API_KEY": ""}
KEYLESS = {f"{name}_API_KEY": "" for name in ("FINNHUB", "COINMARKETCAP", "ALPHA_VANTAGE")}
GECKO = "coingecko/crypto"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://no-such-host.invalid"], ids=["refused", "unknown host"]
)
def test_a_call_that_never_reached_the_provider_delays_no_other(make, url):
    """While the network is down each tick tries again, so prices come with the first tick after."""
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
    """A call that never reached Yahoo is counted as unsent, so the next tick asks again."""
    how = {"ACTIVE_SYMBOLS": "AAPL", "FINNHUB_API_KEY": "", "YAHOO_LIMITS": "100/day"}
    down = make(**how, urls={Source.YFINANCE: url})
    for _ in range(3):
        (report,) = down.run_next().reports
        (outcome,) = report["outcomes"]
        assert outcome["outcome"] == "unavailable"
        assert outcome["calls_used"] == outcome["calls_unsent"] == 1
    assert make(**how).run_next().outcomes["yfinance/stocks"]["calls_used"] == 1


def test_a_call_through_yfinance_that_yahoo_answered_with_an_error_keeps_its_pace(make):
    """After an error that Yahoo answered, the next call waits for the pace."""
    with CannedServer(Canned(502, {}), make.clock) as server:
        pipe = make(
            ACTIVE_SYMBOLS="AAPL", FINNHUB_API_KEY="", YAHOO_LIMITS="100/day",
            urls={Source.YFINANCE: server.url},
        )  # fmt: skip
        (report,) = pipe.run_next().reports
        assert [(one["calls_used"], one["calls_unsent"]) for one in report["outcomes"]] == [(1, 0)]
        assert pipe.run_next().plan["skipped"][0]["reason"] == "paced"


def test_a_call_that_was_answered_with_an_error_keeps_its_pace(make):
    """After an error that CoinGecko answered, the next call waits for the pace."""
    with CannedServer(Canned(500, {}), make.clock) as server:
        pipe = make(**ONE_COIN, urls={Source.COINGECKO: server.url})
        pipe.run_next()
        assert pipe.run_next().plan["skipped"][0]["reason"] == "paced"


def test_the_reason_of_a_wait_names_the_next_call(make):
    """The reason of a call that waits for its pace names when the next call is made."""
    pipe = make(**ONE_COIN)
    pipe.run_next()
    pipe.quotes.forget(["BTC-USD"])
    pipe.clock.pass_s(60)
    pipe.run()
    why = pipe.read("BTC-USD")["BTC-USD"]
    assert why["code"] == "budget_exhausted"
    assert why["message"].startswith("coingecko: paced, next call in 2")
    assert 0 < why["retry_after"] < 300


@pytest.mark.parametrize("keys", [{}, KEYLESS], ids=["keys", "no keys"])
def test_without_a_network_health_names_the_cause_first(make, keys):
    """In every slot of an outage /health names the cause first, and not after the outage."""
    env = {"ACTIVE_SYMBOLS": "AAPL,MSFT,BTC-USD,EUR/USD", **keys}
    down = make(urls=dict.fromkeys(Source, "http://no-such-host.invalid"), **env)
    for _ in range(20):
        down.run_next()
        health = down.get("/health").json
        assert health["market"] == "live"
        assert health["reasons"][0].startswith("no provider can be reached (")
    assert any("breaker" in reason for reason in health["reasons"][1:])
    up = make(**env)
    up.run_next(300)  # the probes
    up.run_next()
    assert not [text for text in up.get("/health").json["reasons"] if "reached" in text]
    assert not [one for one in up.read(env["ACTIVE_SYMBOLS"]).values() if "code" in one]


def test_a_network_that_fails_later_is_named_as_soon_as_each_provider_was_asked(make):
    """An outage is named once each provider was asked without an answer, also a paced one."""
    up = make(ACTIVE_SYMBOLS="AAPL,BTC-USD", **KEYLESS)
    for _ in range(3):
        up.run_next()
    down = make(
        urls=dict.fromkeys(Source, "http://127.0.0.1:1"), ACTIVE_SYMBOLS="AAPL,BTC-USD", **KEYLESS
    )
    for _ in range(62):
        down.run_next()
    health = down.get("/health").json
    assert health["reasons"][0].startswith("no provider can be reached (")
    assert health["quotes"]["fresh_ratio"] < 1
