"""Each way in which Yahoo fails, through the real yfinance, and when Yahoo is used again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from marketdata.domain.quotes import Source
from tests.support.api_times import shown
from tests.support.caches import emptied
from tests.support.pipeline import GENEROUS, GENEROUS_MARKET, Pipeline, simulated

YAHOO, FINNHUB = Source.YFINANCE, Source.FINNHUB
CRUMB = "/v1/test/getcrumb"


class Way(NamedTuple):
    """A fault of the simulated Yahoo, the outcome that it is, and for how long it holds."""

    name: str
    fault: dict[str, Any]
    outcome: str
    hold_s: int | None = None


def _way(name: str, kind: str, outcome: str, hold_s: int | None = None, **options: Any) -> Way:
    return Way(name, {"fault": kind, "provider": YAHOO.value, **options}, outcome, hold_s)


WAYS = (
    _way("429 in words", "rate_limited", "rate_limited", 60),
    _way("429, seconds", "rate_limited", "rate_limited", 30, retry_after=30),
    _way("429, date", "rate_limited", "rate_limited", 90, retry_after=90, form="date"),
    _way("429 as the crumb", "rate_limited", "rate_limited", 60, path=CRUMB),
    _way("401 Invalid Crumb", "bad_key", "unavailable"),
    _way("403", "not_entitled", "unavailable"),
    _way("502 in HTML", "status", "unavailable", status=502),
    _way("503 page", "html", "unavailable", status=503),
    _way("200 page", "html", "unavailable"),
    _way("refused", "refuse", "unavailable"),
    _way("cut JSON", "cut", "bad_payload"),
    _way("cut off", "cut", "unavailable", close=True),
    _way("NaN", "nan", "bad_row"),
    _way("no rows", "empty", "not_found"),
    _way("row missing", "unknown", "not_found"),
)


@pytest.fixture
def pipe(plain_redis) -> Iterator[Pipeline]:
    """A pipeline with one share and ample limits."""
    with (
        emptied(plain_redis) as cache,
        simulated(cache, limits=GENEROUS_MARKET) as make,
    ):
        yield make(ACTIVE_SYMBOLS="AAPL", **GENEROUS)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_finnhub_answers_while_yahoo_fails_and_yahoo_again_when_it_is_well(pipe, way):
    """Finnhub prices each slot in which Yahoo fails, and afterwards Yahoo is first again."""
    pipe.market.control(**way.fault)
    ran = pipe.run()
    assert ran.outcome(YAHOO, "stocks") == way.outcome
    assert pipe.sources() == {"AAPL": "finnhub"}
    hold = None if way.hold_s is None else shown(pipe.clock() + way.hold_s * 1000)
    assert pipe.provider_status(YAHOO)["held_until"] == hold
    away_s = way.hold_s or 5
    if way.outcome in ("unavailable", "bad_payload"):
        away_s = _opens(pipe, way.outcome)
    pipe.market.clear()
    if away_s > 5:
        pipe.run_next(away_s - 5)
        assert pipe.sources() == {"AAPL": "finnhub"}
    pipe.run_next()
    assert pipe.sources() == {"AAPL": "yfinance"}
    status = pipe.provider_status(YAHOO)["classes"]["stocks"]
    assert (status["state"], status["last_success"]) == ("closed", shown(pipe.clock()))


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ({"fault": "html", "path": CRUMB}, "a page, status 200"),
        ({"fault": "status", "status": 500, "path": CRUMB}, "a page, status 500"),
    ],
)
def test_charts_answer_while_the_crumb_is_broken(pipe, fault, problem):
    """Yahoo's charts need no crumb; /v1/providers says what is wrong, and the breaker is closed."""
    pipe.market.control(**{"provider": YAHOO.value, **fault})
    for _ in range(4):
        ran = pipe.run_next()
    assert ran.outcome(YAHOO, "stocks") == "ok"
    assert pipe.sources() == {"AAPL": "yfinance"}
    stocks = pipe.provider_status(YAHOO)["classes"]["stocks"]
    assert stocks["state"] == "closed"
    assert problem in stocks["last_error"]["detail"]
    assert "one symbol at a time" in stocks["last_error"]["detail"]


@pytest.mark.parametrize("path", ["", CRUMB, "/v7/finance/quote"], ids=["all", "crumb", "quotes"])
@pytest.mark.parametrize("status", [403, 429])
def test_health_names_an_address_that_yahoo_does_not_accept(pipe, status, path):
    """While Yahoo does not accept our address, /health says so, and Finnhub prices all stocks.

    Charts need no crumb, so a page with 403 in place of the crumb alone takes no price away.
    """
    pipe.market.control(fault="html", provider=YAHOO.value, status=status, path=path or None)
    pipe.run()
    if (status, path) == (403, CRUMB):
        assert pipe.sources() == {"AAPL": "yfinance"}
        assert not _addresses(pipe)
        return
    assert pipe.sources() == {"AAPL": "finnhub"}
    (reason,) = _addresses(pipe)
    assert f"status {status}" in reason
    assert pipe.health()["status"] == "degraded"
    pipe.market.clear()
    pipe.run_next(60)
    assert pipe.sources() == {"AAPL": "yfinance"}
    assert not _addresses(pipe)


def test_health_doubts_the_address_when_yahoo_rejects_every_call_as_one_too_many(pipe):
    """After 15 minutes of nothing but 429, /health says that the address may be the reason."""
    pipe.run()
    pipe.market.control(fault="rate_limited", provider=YAHOO.value)
    for _ in range(14):
        pipe.run_next(61)
    assert not _addresses(pipe)
    pipe.run_next(61)
    (reason,) = _addresses(pipe)
    assert reason.startswith("yfinance rejects every call as one too many, so perhaps it does not")


def _addresses(pipe: Pipeline) -> list[str]:
    """What /health says about the address that calls come from."""
    return [reason for reason in pipe.health()["reasons"] if "from this address" in reason]


def _opens(pipe: Pipeline, outcome: str) -> int:
    """Let Yahoo fail four more times; return for how many seconds its breaker is open."""
    for _ in range(4):
        assert pipe.provider_status(YAHOO)["classes"]["stocks"]["state"] == "closed"
        pipe.run_next()
        assert pipe.sources() == {"AAPL": "finnhub"}
    status = pipe.provider_status(YAHOO)["classes"]
    assert (status["stocks"]["state"], status["stocks"]["reason"]) == ("open", outcome)
    assert status["stocks"]["next_probe_at"] == shown(pipe.clock() + 300_000)
    assert status["forex"]["state"] == "closed"  # each class has a breaker of its own
    return 300
