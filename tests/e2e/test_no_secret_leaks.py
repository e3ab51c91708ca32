"""Planted secrets, providers that repeat them, and a search through all output of the service."""

from __future__ import annotations

import gzip
import logging
import re
import signal
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from redis import Redis

from marketdata.clock import wall_ms
from marketdata.domain.messages import Job
from marketdata.domain.quotes import Source
from marketdata.prices.fetching import Clock, Fetcher
from marketdata.providers.registry import make_provider, make_sender
from marketdata.settings import Settings
from tests.support.hostile_market import KEYS, WAYS, hostile_market
from tests.support.jobs import granted
from tests.support.redis_servers import RedisServer
from tests.support.running_service import PAID, RunningService, base_urls, eventually

REDIS_PASSWORD = "planted/redis+pass=word"
WRONG_PASSWORD = "planted-wrong-password"
TICK = re.compile(r"^\d\d:\d\d:\d\d  .*", re.MULTILINE)
TICKS = 2
ROUTES = (
    "/v1/quotes?symbols=AAPL,BTC-USD,EUR/USD,NOPE123",
    "/v1/quotes/AAPL",
    "/v1/quotes/NOPE123",
    "/v1/assets/stocks?limit=5",
    "/v1/assets/crypto?limit=5",
    "/v1/assets/forex?limit=5",
    "/v1/providers",
    "/health",
    "/docs",
    "/openapi.json",
    "/v1/nothing",
)
SYMBOLS = {
    Source.YFINANCE: ("stocks", "AAPL", {}),
    Source.FINNHUB: ("stocks", "AAPL", {}),
    Source.COINGECKO: ("crypto", "BTC-USD", {"coingecko": "bitcoin"}),
    Source.COINMARKETCAP: ("crypto", "BTC-USD", {"coinmarketcap": "1"}),
    Source.ALPHA_VANTAGE: ("forex", "EUR/USD", {}),
}


def found(secrets: Iterable[str], text: str) -> list[str]:
    """Return the lines of a text that contain a secret."""
    return [line[:300] for line in text.splitlines() if any(secret in line for secret in secrets)]


def all_of(client: Redis) -> str:
    """Return all data of a Redis as text."""
    reads = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"zset": lambda key: client.zrange(key, 0, -1),
        b"set": client.smembers,
        b"list": lambda key: client.lrange(key, 0, -1),
    }
    return "\n".join(f"{key} {reads[client.type(key)](key)}" for key in client.scan_iter())


def text_of(path: Path) -> str:
    """Return the content of a file, unpacked."""
    held = path.read_bytes()
    return (gzip.decompress(held) if held.startswith(b"\x1f\x8b") else held).decode()


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis with a password."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    with server.client() as client:
        client.config_set("requirepass", REDIS_PASSWORD)
    yield server
    server.kill()


def test_no_secret_is_in_any_output(tmp_path, redis):
    """No key, password, crumb or cookie is in output, log, files, answers or Redis."""
    answers: list[str] = []

    def ask(service: RunningService) -> None:
        for path in ROUTES:
            answer = service.get(path)
            answers.extend((answer.text, str(answer.headers)))

    with ExitStack() as stack:
        market, hostility = stack.enter_context(hostile_market(limits=PAID))
        env = base_urls(market) | KEYS | redis.env(LOG_LEVEL="DEBUG", CIRCUIT_BREAKER_TIMEOUT="1")
        env |= {"REDIS_AUTH": "password", "REDIS_PASSWORD": REDIS_PASSWORD}
        service = stack.enter_context(RunningService(tmp_path, **env)).ready()
        eventually(lambda: TICK.search(service.output), "a tick in peace")
        ask(service)
        hostility.begin()
        ticks = len(TICK.findall(service.output))
        eventually(lambda: len(TICK.findall(service.output)) >= ticks + TICKS, "hostile ticks")
        ask(service)
        client = stack.enter_context(Redis("127.0.0.1", redis.port, password=REDIS_PASSWORD))
        stored = all_of(client)
        client.config_set("requirepass", "another")
        client.client_kill_filter(_type="normal", skipme=True)
        service.wait_for("failed: Redis at", after=service.output)
        ask(service)
        service.end(signal.SIGINT)
        files = "\n".join(map(text_of, filter(Path.is_file, tmp_path.rglob("*"))))
    assert len(hostility.answers) == len(Source)
    assert len(hostility.arrived) >= 2, "neither crumb nor cookie was seen"
    secrets = hostility.secrets(REDIS_PASSWORD)
    for name, text in {"redis": stored, "files": files, "answers": "\n".join(answers)}.items():
        assert len(text) > 1000, name
        assert found(secrets, text) == [], name
    assert '"level":"DEBUG"' in files
    assert "***" in files, "nothing was masked, so no provider repeated a secret"


def test_a_wrong_redis_password_is_not_repeated(tmp_path, redis):
    """A start with a wrong password ends with one line that names Redis and not the password."""
    env = redis.env(REDIS_AUTH="password", REDIS_PASSWORD=WRONG_PASSWORD)
    with RunningService(tmp_path, **env) as service:
        assert service.wait() == 2
        assert f"error: Redis at 127.0.0.1:{redis.port}: " in service.output
        assert WRONG_PASSWORD not in service.output


@pytest.mark.parametrize("source", Source)
def test_no_report_holds_a_secret(source, caplog):
    """Neither the report of a fetch nor its log has a secret that a provider repeated."""
    asset_class, symbol, ids = SYMBOLS[source]
    job = {
        "asset_class": asset_class,
        "instruments": [{"symbol": symbol, "ids": ids}],
        "attempts": [granted(source, 1)],
        "id": "1763820310-0-t1",
        "slot": 1763820310,
    }
    caplog.set_level(logging.DEBUG, "marketdata")
    reports = []
    plenty = dict.fromkeys(Source, "100000/minute")
    with hostile_market(limits=plenty) as (market, hostility), ThreadPoolExecutor(2) as pool:
        settings = Settings.from_env({**base_urls(market), **KEYS})
        sender = make_sender(source, settings)
        fetcher = Fetcher(
            lambda source: make_provider(source, settings),
            lambda _: sender,
            pool,
            Clock(wall_ms, time.monotonic),
        )
        for number in range(len(WAYS) + 1):
            if number == 1:
                hostility.begin()
            reports.append(
                fetcher.fetch(Job.model_validate({**job, "deadline_ms": wall_ms() + 3_000}))
            )
        if source is not Source.YFINANCE:
            sender.close()
    assert reports[0].quotes
    assert hostility.answers[source] >= len(WAYS)
    secrets = hostility.secrets()
    for report in reports:
        assert found(secrets, report.model_dump_json()) == []
    assert found(secrets, caplog.text) == []
    outcomes = {outcome.outcome.value for report in reports for outcome in report.outcomes}
    assert {"rate_limited", "unavailable", "bad_payload"} <= outcomes
    assert ("unauthorized" in outcomes) == (source is not Source.YFINANCE)  # Yahoo has no key
