"""/v1/providers and /health, compared with what happened and with what happens next."""

from __future__ import annotations

from datetime import UTC, datetime

from marketdata.cache.client import Cache
from marketdata.domain.assets import Asset, AssetList
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from tests.support.api_times import epoch_ms, shown
from tests.support.pipeline import Pipeline, simulated

YAHOO, ALPHA_VANTAGE = Source.YFINANCE, Source.ALPHA_VANTAGE


def list_assets(pipe: Pipeline) -> None:
    """Store a list of each class, so that /health has no reason about lists."""
    now = datetime.fromtimestamp(pipe.clock() / 1000, UTC)
    for asset_class, symbol in zip(AssetClass, ("AAPL", "BTC-USD", "EUR/USD"), strict=True):
        ids = {"coingecko": "bitcoin", "coinmarketcap": "1"}
        assets = (Asset(symbol, asset_class, symbol, None, "USD", 1, ids),)
        assert pipe.assets.swap(AssetList(asset_class, "v1", now, (Source.COINGECKO,), assets))


def stocks(pipe: Pipeline) -> dict:
    """The reported state of Yahoo's breaker for stocks."""
    return pipe.provider_status(YAHOO)["classes"]["stocks"]


def test_used_limits_and_times_are_the_markets_own(cache: Cache):
    """Each window counts what the market counted, and the last success is its last good answer."""
    with simulated(cache) as make:
        pipe = make()
        for _ in range(8):
            pipe.run_next()
        pipe.market.control("unknown", provider="yfinance", symbol="MSFT")
        pipe.run_next()
        for source in Source:
            status, quota = pipe.provider_status(source), pipe.market.quotas[source]
            counted = {own.window: quota.used(own.window, pipe.clock()) for own in quota.limits}
            if source is YAHOO:
                counted["minute"] += 2  # a cookie and a crumb, which the market does not count
            assert status["used"] == counted
            assert [str(own) for own in quota.limits] == [
                f"{window['limit']}/{window['window']}" for window in status["budget"]
            ]
            good = [call.arrival_ms for call in pipe.market.calls[source] if call.status == 200]
            assert status["last_success"] == (shown(good[-1]) if good else None)
            assert status["held_until"] is None
            error = status["last_error"]
            if source is YAHOO:
                assert error["outcome"] == "partial"
                assert error["detail"] == "yfinance: no quote for MSFT, which had a price before"
            else:
                assert error is None
        assert pipe.provider_status(Source.FINNHUB)["used"] == {"minute": 1, "second": 1}
        assert pipe.provider_status(Source.YFINANCE)["used"]["minute"] > 9


def test_a_reset_is_when_the_oldest_call_stops_counting(make):
    """Before the reported reset no call stops counting, and in the slot after it one does."""
    pipe = make()
    for _ in range(3):
        pipe.run_next()
    (window,) = pipe.provider_status(YAHOO)["budget"]
    reset_ms = epoch_ms(window["resets_at"])
    assert 60_000 <= reset_ms - pipe.clock() + 10_000 < 72_000
    pipe.clock.now_ms = reset_ms - 5000
    assert pipe.provider_status(YAHOO)["used"] == {"minute": window["used"]}
    pipe.clock.now_ms = reset_ms + 5000
    assert pipe.provider_status(YAHOO)["used"]["minute"] < window["used"]


def test_the_next_call_is_made_at_the_reported_time(make):
    """A paced provider is asked in the first slot after its `next_call_at`, and not before."""
    pipe = make(ACTIVE_SYMBOLS="EUR/USD")
    pipe.run()
    due_ms = epoch_ms(pipe.provider_status(ALPHA_VANTAGE)["next_call_at"])
    slot_ms = -(-due_ms // 5000) * 5000
    pipe.clock.now_ms = slot_ms - 5000
    pipe.run()
    assert pipe.asked(ALPHA_VANTAGE) == [1]
    assert pipe.sources() == {"EUR/USD": "yfinance"}
    pipe.run_next()
    assert pipe.asked(ALPHA_VANTAGE) == [1, 1]
    assert pipe.sources() == {"EUR/USD": "alpha_vantage"}


def test_a_held_provider_is_reported_with_the_end_of_its_hold(make):
    """A 429 is shown as a hold, a next call and a last error, and the breaker stays closed."""
    pipe = make(ACTIVE_SYMBOLS="AAPL")
    pipe.market.control("rate_limited", provider="yfinance", retry_after=120)
    pipe.run()
    status, end = pipe.provider_status(YAHOO), shown(pipe.clock() + 120_000)
    assert (status["held_until"], status["next_call_at"]) == (end, end)
    assert (stocks(pipe)["state"], stocks(pipe)["last_error"]) == (
        "closed",
        {
            "at": shown(pipe.clock()),
            "outcome": "rate_limited",
            "detail": "yfinance: too many calls, next in 120 s",
        },
    )
    pipe.market.clear()
    pipe.run_next(120)
    assert pipe.sources() == {"AAPL": "yfinance"}
    assert pipe.provider_status(YAHOO)["next_call_at"] == shown(pipe.clock())


def test_a_breaker_is_reported_in_each_of_its_states(cache: Cache):
    """Each state of a breaker is reported with its times and its reason."""
    with simulated(cache) as make:
        pipe = make(ACTIVE_SYMBOLS="AAPL")
        pipe.run()
        good_ms = pipe.clock()
        pipe.market.control("status", provider="yfinance", status=502)
        for _ in range(5):
            pipe.run_next()
        opened_ms = pipe.clock()
        opened = {
            "asset_class": "stocks",
            "state": "open",
            "reason": "unavailable",
            "since": shown(opened_ms),
            "next_probe_at": shown(opened_ms + 300_000),
            "probing": False,
            "last_success": shown(good_ms),
            "last_error": {
                "at": shown(opened_ms),
                "outcome": "unavailable",
                "detail": "yfinance: status 502",
            },
        }
        assert stocks(pipe) == opened
        assert (
            "the breaker of yfinance for stocks is open (unavailable)" in pipe.health()["reasons"]
        )

        pipe.clock.pass_s(300)
        probe_ms = pipe.clock()
        job = pipe.planner.plan(probe_ms // 1000, probe_ms).jobs[0]
        status = stocks(pipe)
        assert (status["state"], status["probing"], status["reason"]) == (
            "half_open",
            True,
            "unavailable",
        )
        assert (status["since"], status["next_probe_at"]) == (
            shown(probe_ms),
            shown(probe_ms + 15_000),
        )
        reason = "the breaker of yfinance for stocks is half-open (unavailable)"
        assert reason in pipe.health()["reasons"]

        pipe.committer.commit(pipe.fetcher.fetch(job), pipe.clock())
        error = {**opened["last_error"], "at": shown(probe_ms)}
        reopened = {"since": shown(probe_ms), "next_probe_at": shown(probe_ms + 300_000)}
        assert stocks(pipe) == {**opened, **reopened, "last_error": error}

        pipe.market.clear()
        pipe.run_next(300)
        assert stocks(pipe) == {
            **opened,
            "state": "closed",
            "reason": None,
            "since": shown(pipe.clock()),
            "next_probe_at": None,
            "last_success": shown(pipe.clock()),
            "last_error": error,
        }


def test_health_follows_what_clients_get(make):
    """Health is degraded with one stale class, unhealthy with all stale, then healthy again."""
    pipe = make()
    list_assets(pipe)
    pipe.run()
    assert (pipe.health()["status"], pipe.health()["reasons"]) == ("healthy", [])
    pipe.market.control("status", provider="coingecko")
    pipe.market.control("status", provider="coinmarketcap")
    for _ in range(61):
        pipe.run_next()
    health = pipe.health()
    assert (health["status"], health["quotes"]["fresh_ratio"]) == ("degraded", 0.667)
    assert "no quote of crypto is fresh" in health["reasons"]
    assert list(pipe.sources("AAPL,BTC-USD").values()) == ["yfinance", "stale"]
    pipe.market.control("status")  # all of them
    for _ in range(61):
        pipe.run_next()
    assert pipe.health()["status"] == "unhealthy"
    assert set(pipe.sources().values()) == {"stale"}
    pipe.market.clear()
    pipe.run_next(300)
    pipe.run_next()
    assert (pipe.health()["status"], pipe.health()["reasons"]) == ("healthy", [])


def test_a_loop_that_stands_still_is_reported(make):
    """The lag is the age of the last claimed slot, and above a minute it is unhealthy."""
    pipe = make()
    list_assets(pipe)
    pipe.run()
    pipe.clock.pass_s(60)
    assert (pipe.health()["status"], pipe.health()["loop"]["lag_s"]) == ("healthy", 60)
    pipe.clock.pass_s(1)
    assert pipe.health()["status"] == "unhealthy"
    assert pipe.health()["reasons"] == ["the price loop has not run for 61 s"]
