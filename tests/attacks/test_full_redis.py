"""A full Redis under volatile-lru: quotes are evicted, and control state stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from redis.client import Redis

from local.simulator import MarketServers
from marketdata.cache.client import Cache
from marketdata.cache.memory import read_memory
from marketdata.clock import SLOT_S
from marketdata.domain.list_messages import AssetReport
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.errors import CacheUnavailableError
from marketdata.lists.archive import LAST_GOOD, LocalArchive, encode
from marketdata.lists.committing import AssetCommitter
from marketdata.lists.planning import AssetPlanner
from tests.support.api_service import Service
from tests.support.pipeline import ACTIVE, GENEROUS, GENEROUS_MARKET, SLOT_MS, Pipeline
from tests.support.redis_servers import RedisServer
from tests.support.sample_lists import coins, listed
from tests.support.simulated_market import Clock

ROOM = 1_500_000  # bytes, in addition to the memory of the empty server
ONE_OF_EACH = ("AAPL", "BTC-USD", "EUR/USD")


@pytest.fixture
def redis(shared_redis: RedisServer) -> Iterator[Redis]:
    """A client of a server with little room, set up as an operator would."""
    with shared_redis.client() as redis:
        redis.config_set("maxmemory-policy", "volatile-lru")
        redis.config_set("maxmemory", redis.info("memory")["used_memory"] + ROOM)
        yield redis
        redis.config_set("maxmemory", 0)
        redis.config_set("maxmemory-policy", "noeviction")


@pytest.fixture
def pipeline(cache: Cache, redis: Redis) -> Iterator[Pipeline]:
    """A service that has priced everything, and has an open breaker and spent budgets."""
    clock = Clock()
    with (
        MarketServers(clock=clock, limits=GENEROUS_MARKET) as market,
        closing(Pipeline(cache, market, clock, **GENEROUS)) as pipeline,
    ):
        market.control("bad_key", provider=Source.ALPHA_VANTAGE.value, answers=1)
        pipeline.run()
        pipeline.run_next()
        assert set(pipeline.sources().values()) == {"yfinance", "coingecko"}
        yield pipeline


def control_state(redis: Redis) -> dict[bytes, bytes]:
    """Return every key of the control state with its serialized value."""
    return {key: redis.dump(key) for key in redis.scan_iter("mda:{control}:*")}


def quotes(redis: Redis) -> list[bytes]:
    """The keys of stored quotes."""
    return list(redis.scan_iter("mda:{quotes}:q:*"))


def fill(redis: Redis) -> None:
    """Write values with a TTL, as quotes have, until no quote is left."""
    number = 0
    while quotes(redis):
        redis.set(f"filler{{quotes}}{number}", b"x" * 20_000, ex=3600)
        number += 1
        assert number < 20_000, "Redis does not get full"


def starve(redis: Redis) -> None:
    """Leave no room, as if Redis were full of values without a TTL."""
    redis.config_set("maxmemory", 1)


def relieve(redis: Redis) -> None:
    """Leave plenty of room."""
    redis.config_set("maxmemory", 100_000_000)


def test_quotes_are_evicted_and_control_state_stays(pipeline, redis):
    """Evictions that remove every quote leave breakers, budgets and due times unchanged."""
    before = control_state(redis)
    names = {key.decode().split(":")[2] for key in before}
    assert names >= {"slot", "due", "breaker", "budget", "recorded"}
    fill(redis)
    assert quotes(redis) == []
    assert control_state(redis) == before
    assert {pipeline.read(symbol)[symbol]["code"] for symbol in ONE_OF_EACH} == {"pending"}


def test_a_full_redis_is_written_to_without_an_error(pipeline, redis):
    """While Redis can evict quotes, every slot runs, and its prices are served or evicted."""
    fill(redis)
    for _ in range(3):
        assert pipeline.run_next().tick.written.total() == 6
        assert set(pipeline.sources().values()) <= {"yfinance", "coingecko", "pending"}
        fill(redis)
    relieve(redis)
    pipeline.run_next()
    assert set(pipeline.sources().values()) == {"yfinance", "coingecko"}
    assert pipeline.provider_status(Source.ALPHA_VANTAGE)["classes"]["forex"]["reason"] == "bad_key"


def test_without_anything_to_evict_nobody_is_called(pipeline, redis):
    """If the ledger cannot be written, no provider is called, and readers are answered."""
    before = control_state(redis)
    starve(redis)
    calls = sum(map(len, pipeline.market.calls.values()))
    for _ in range(3):
        pipeline.clock.pass_s(SLOT_S)
        with pytest.raises(CacheUnavailableError, match="maxmemory"):
            pipeline.planner.plan(pipeline.clock() // SLOT_MS * SLOT_S, pipeline.clock())
    assert sum(map(len, pipeline.market.calls.values())) == calls
    assert control_state(redis) == before
    api = Service(pipeline.cache, ACTIVE_SYMBOLS=ACTIVE)
    api.now_ms = pipeline.clock()
    answer = api.get("/v1/quotes?symbols=AAPL,NOPE")
    assert answer.status == 200
    assert {error["code"] for error in answer.json["errors"]} == {"pending"}
    assert api.get("/v1/providers").status == 200
    assert api.get("/health").json["redis"] == {"reachable": True}


def test_a_redis_that_rejects_writes_is_named_at_once(pipeline, redis):
    """If Redis rejects writes, /health is degraded at once and names the cause."""
    redis.config_set("maxmemory-policy", "noeviction")
    assert not any("Redis is full" in reason for reason in pipeline.health()["reasons"])
    starve(redis)
    health = pipeline.health()
    assert health["status"] == "degraded"
    assert health["reasons"][0].endswith("and rejects what is written")


def test_evicted_quotes_are_named(pipeline, redis):
    """If quotes are evicted, /health names that as the cause."""
    fill(redis)
    health = pipeline.health()
    assert health["status"] != "healthy"
    assert "so quotes are being evicted" in health["reasons"][0]


def test_a_user_without_the_right_to_look_gets_no_warning(cache, redis):
    """Without the right to use INFO, as on ElastiCache, memory is not reported."""
    redis.execute_command("ACL", "SETUSER", "default", "-info")
    try:
        assert read_memory(cache) is None
    finally:
        redis.execute_command("ACL", "SETUSER", "default", "+info")
    assert read_memory(cache) is not None


def test_the_loop_goes_on_once_there_is_room_again(pipeline, redis):
    """The first slot with room again prices everything, and the open breaker is still open."""
    starve(redis)
    pipeline.clock.pass_s(SLOT_S)
    with pytest.raises(CacheUnavailableError):
        pipeline.planner.plan(pipeline.clock() // SLOT_MS * SLOT_S, pipeline.clock())
    relieve(redis)
    assert pipeline.run_next().tick.written.total() == 6
    assert set(pipeline.sources().values()) == {"yfinance", "coingecko"}
    assert pipeline.provider_status(Source.ALPHA_VANTAGE)["classes"]["forex"]["reason"] == "bad_key"


@pytest.mark.parametrize("part", ["meta", "v1:rows", "v1:index", "ids"])
def test_a_list_that_was_dropped_in_part_is_put_back_whole(pipeline, redis, tmp_path: Path, part):
    """If one key of a list was evicted, planning asks for the archive's copy, which is stored."""
    archive, now_ms = LocalArchive(tmp_path), pipeline.clock()
    planner = AssetPlanner(pipeline.settings, pipeline.control, pipeline.assets, lambda: "token")
    committer = AssetCommitter(pipeline.control, pipeline.assets, pipeline.quotes, archive)
    relieve(redis)
    for last_good in (coins("v1", BTC={"coingecko": "bitcoin"}), listed("v1")):
        assert pipeline.assets.swap(last_good)
        archive.put(last_good.asset_class, LAST_GOOD, encode(last_good))
    assert planner.plan(now_ms).to_event()["restore"] == ["forex"]
    lost = f"mda:{{assets:crypto}}:{part}"
    assert redis.delete(lost) == 1
    assert planner.plan(now_ms).to_event()["restore"] == ["crypto", "forex"]
    summary = committer.commit(AssetReport(restore=True, asset_class="crypto"), now_ms).to_event()
    assert (summary["restored"], summary["total"]) == (True, 1)
    assert planner.plan(now_ms).to_event()["restore"] == ["forex"]
    assert pipeline.assets.search(AssetClass.CRYPTO, "v1", "btc", 0, 9).total == 1
    assert len(pipeline.assets.page(AssetClass.CRYPTO, "v1", 0, 9)) == 1
    assert redis.ttl(lost) > 86_400
