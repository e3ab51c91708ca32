"""The state of the providers and the health of the service over HTTP."""

from marketdata.cache.client import connect
from marketdata.domain.outcomes import BreakerEffect
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.settings import Settings
from tests.support.api_service import NOON_MS, Service

STOCKS, CRYPTO = AssetClass.STOCKS, AssetClass.CRYPTO


def at_work(cache, **env):
    """Return a service in its best state."""
    service = Service(cache, **env)
    service.at_work()
    return service


def provider(reply, name):
    """Return one provider of an answer."""
    return next(found for found in reply.json["providers"] if found["provider"] == name)


def test_the_five_providers_come_in_a_fixed_order(cache):
    """Providers have a fixed order, and one without its key is disabled with the reason."""
    reply = Service(cache).get("/v1/providers")
    assert reply.status == 200
    assert reply.json["market"] == "live"
    names = [found["provider"] for found in reply.json["providers"]]
    assert names == ["yfinance", "finnhub", "coingecko", "coinmarketcap", "alpha_vantage"]
    enabled = {found["provider"]: found["enabled"] for found in reply.json["providers"]}
    assert [name for name in names if enabled[name]] == ["yfinance", "coingecko"]
    for name in names:
        for found in provider(reply, name)["classes"]:
            expected = ("closed", None) if enabled[name] else ("disabled", "no_key")
            assert (found["state"], found["reason"]) == expected


def test_a_provider_tells_its_budget_and_its_last_success(cache):
    """Budget, last success and attribution do not change within a slot."""
    service = Service(cache)
    service.attempt(Source.COINGECKO, CRYPTO, BreakerEffect.SUCCESS, outcome="ok")
    reply = service.get("/v1/providers")
    status = provider(reply, "coingecko")
    assert status["attribution"] == "Data provided by CoinGecko"
    assert [(b["window"], b["limit"], b["used"]) for b in status["budget"]] == [
        ("minute", 30, 1),
        ("month", 10_000, 1),
    ]
    assert status["budget"][0]["resets_at"] > "2025-11-22T14:06:00Z"
    assert status["last_success"] == status["classes"][0]["last_success"] == "2025-11-22T14:05:00Z"
    assert status["last_error"] is None
    service.now_ms += 4_999
    assert service.get("/v1/providers").body == reply.body


def test_an_open_breaker_has_its_reason_start_and_end(cache):
    """An open breaker shows reason, start, next probe and the error that opened it."""
    service = Service(cache, FINNHUB_API_KEY="planted-key")
    service.attempt(
        Source.FINNHUB,
        STOCKS,
        BreakerEffect.TRIP,
        reason="bad_key",
        outcome="unauthorized",
    )
    reply = service.get("/v1/providers")
    status = provider(reply, "finnhub")
    error = {
        "at": "2025-11-22T14:05:00Z",
        "outcome": "unauthorized",
        "detail": "finnhub: the key is not accepted",
    }
    assert status["classes"] == [
        {
            "asset_class": "stocks",
            "state": "open",
            "reason": "bad_key",
            "since": "2025-11-22T14:05:00Z",
            "next_probe_at": "2025-11-22T14:10:00Z",
            "probing": False,
            "last_success": None,
            "last_error": error,
        }
    ]
    assert status["last_error"] == error
    assert b"planted-key" not in reply.body


def test_a_service_that_does_its_work_is_healthy(cache):
    """A healthy service shows Redis, loop, quotes, assets and providers."""
    service = at_work(cache, MARKET="simulated")
    service.now_ms += 3_200
    reply = service.get("/health")
    assert reply.status == 200
    status = reply.json
    assert (status["status"], status["reasons"], status["market"]) == ("healthy", [], "simulated")
    assert status["redis"] == {"reachable": True}
    assert status["loop"] == {"last_slot": "2025-11-22T14:05:00Z", "lag_s": 3.2}
    assert status["quotes"] == {
        "fresh_ratio": 1.0,
        "classes": [
            {"asset_class": "stocks", "active": 2, "fresh": 2, "symbols": ["AAPL", "MSFT"]},
            {"asset_class": "crypto", "active": 1, "fresh": 1, "symbols": ["BTC-USD"]},
            {"asset_class": "forex", "active": 1, "fresh": 1, "symbols": ["EUR/USD"]},
        ],
    }
    assert status["assets"][1] == {
        "asset_class": "crypto",
        "total": 1,
        "updated_at": "2025-11-22T14:05:00Z",
        "age_s": 3,
        "stale": False,
    }
    states = {(p["provider"], p["asset_class"]): p["state"] for p in status["providers"]}
    assert states["yfinance", "stocks"] == "closed"
    assert states["alpha_vantage", "forex"] == "disabled"


def test_health_names_at_most_a_hundred_active_symbols_a_class(cache):
    """With 10,000 active symbols the answer has their number and 100 names."""
    symbols = [f"S{number}" for number in range(10_000)]
    reply = Service(cache, ACTIVE_SYMBOLS=",".join(symbols)).get("/health")
    stocks = reply.json["quotes"]["classes"][0]
    assert (stocks["active"], stocks["symbols"]) == (10_000, symbols[:100])
    assert len(reply.body) < 10_000


def test_health_is_never_cached(cache):
    """The answer of /health has `no-store` and no ETag."""
    service = at_work(cache)
    reply = service.get("/health", if_none_match="*")
    assert reply.status == 200
    assert reply.headers["cache-control"] == "no-store"
    assert "etag" not in reply.headers


def test_a_service_that_just_started_is_unhealthy_and_says_so(cache):
    """A service whose loop has not run is unhealthy."""
    reply = Service(cache).get("/health")
    assert (reply.status, reply.json["status"]) == (503, "unhealthy")
    assert reply.json["reasons"][0] == "the price loop has not run yet"
    assert reply.json["loop"] == {"last_slot": None, "lag_s": None}
    assert reply.json["quotes"]["fresh_ratio"] == 0.0


def test_a_loop_that_stands_still_is_unhealthy(cache):
    """A service without a slot for more than a minute is unhealthy."""
    service = at_work(cache)
    service.now_ms += 60_000
    assert service.get("/health").json["status"] == "healthy"
    service.now_ms += 1_000
    reply = service.get("/health")
    assert (reply.status, reply.json["status"]) == (503, "unhealthy")
    assert reply.json["reasons"] == ["the price loop has not run for 61 s"]


def test_an_open_breaker_degrades(cache):
    """An open breaker makes the service degraded, with status 200."""
    service = at_work(cache, FINNHUB_API_KEY="k")
    service.attempt(Source.FINNHUB, STOCKS, BreakerEffect.TRIP, reason="bad_key")
    reply = service.get("/health")
    assert (reply.status, reply.json["status"]) == (200, "degraded")
    assert reply.json["reasons"] == ["the breaker of finnhub for stocks is open (bad key)"]


def test_stale_quotes_degrade_and_then_are_unhealthy(cache):
    """Health depends on the share of active symbols with a fresh quote."""
    service = at_work(cache, QUOTE_TTL="30")
    service.now_ms += 31_000
    service.price("AAPL", "MSFT", "BTC-USD")
    reply = service.get("/health")
    assert reply.json["status"] == "degraded"
    assert reply.json["reasons"] == [
        "75% of the active symbols have a fresh quote",
        "no quote of forex is fresh",
    ]
    service.now_ms += 29_000
    service.watched()
    service.now_ms += 5_000
    reply = service.get("/health")
    assert (reply.status, reply.json["status"]) == (503, "unhealthy")
    assert reply.json["reasons"][0] == "0% of the active symbols have a fresh quote"


def test_an_old_list_degrades(cache):
    """A stale asset list makes the service degraded."""
    service = at_work(cache, ASSETS_TTL="60", QUOTE_TTL="3600")
    service.now_ms += 60_001
    service.watched()
    reply = service.get("/health")
    assert reply.json["status"] == "degraded"
    assert reply.json["reasons"] == [f"the list of {name} is stale" for name in AssetClass]


def test_without_the_cache_the_service_is_unhealthy(redis_server):
    """Without Redis the service is unhealthy, and the answer has all its members."""
    service = Service(connect(Settings.from_env(redis_server.env()), caller_time=True))
    redis_server.kill()
    reply = service.get("/health")
    assert (reply.status, reply.json["status"]) == (503, "unhealthy")
    assert reply.json["reasons"] == ["the cache does not answer"]
    assert reply.json["redis"] == {"reachable": False}
    assert set(reply.json) == {
        "status", "reasons", "market", "redis", "loop", "quotes", "assets", "providers"
    }  # fmt: skip


def test_a_clock_that_lags_behind_the_loop_shows_no_negative_lag(cache):
    """If the api's clock is behind the loop's, the lag is 0."""
    service = at_work(cache)
    service.now_ms = NOON_MS - 800
    assert service.get("/health").json["loop"]["lag_s"] == 0.0
