"""`make start` on the simulated market, seen from outside; one service for all tests.

The order of the tests matters: tests that kill a part come after tests that only read, and the
last test ends the service.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import socket
from collections.abc import Iterator

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis
from redis.exceptions import AuthenticationError

from local.service.redis_server import port_is_free
from tests.support.running_service import RunningService, eventually

ASKED = "AAPL,GOOGL,BTC-USD,EUR/USD,NOPE123"
SOURCES = {
    "AAPL": "yfinance",
    "GOOGL": "yfinance",
    "BTC-USD": "coingecko",
    "EUR/USD": "alpha_vantage",
}
TICK = re.compile(
    r"^\d\d:\d\d:\d\d  due +2\d  written +20  yfinance 10, coingecko 6, alpha_vantage 4 .* \d+ ms$",
    re.MULTILINE,
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service on the simulated market that has started."""
    with RunningService(tmp_path_factory.mktemp("home")) as service:
        yield service.ready()


def whole(service: RunningService) -> dict[str, dict]:
    """Return the quotes once all four are there, else nothing."""
    quotes, _ = service.quotes(ASKED)
    return quotes if set(quotes) == set(SOURCES) else {}


def test_four_symbols_are_priced_and_the_unknown_one_is_named(service):
    """Four quotes come from the first providers of their chains, and the fifth is not found."""
    _, errors = service.quotes(ASKED)
    assert errors["NOPE123"]["code"] == "pending"
    quotes = eventually(lambda: whole(service), "four quotes")
    assert {symbol: quote["source"] for symbol, quote in quotes.items()} == SOURCES
    assert not any(quote["stale"] for quote in quotes.values())

    def judged() -> bool:
        quotes, errors = service.quotes(ASKED)
        return list(quotes) == list(SOURCES) and errors["NOPE123"]["code"] == "not_found"

    eventually(judged, "NOPE123 not found")


def test_prices_move(service):
    """Each quote gets another price or time."""
    before = eventually(lambda: whole(service), "four quotes")

    def moved() -> bool:
        now = whole(service)
        return bool(now) and all(
            (now[symbol]["price"], now[symbol]["timestamp"])
            != (before[symbol]["price"], before[symbol]["timestamp"])
            for symbol in SOURCES
        )

    eventually(moved, "other prices")


@pytest.mark.parametrize(
    ("asset_type", "first"), [("stocks", "AAPL"), ("crypto", "BTC-USD"), ("forex", "EUR/USD")]
)
def test_assets_are_ranked_and_paged(service, asset_type, first):
    """Pages are in the order of ranks, and the best-known asset comes first."""
    path, ranks, symbols = f"/v1/assets/{asset_type}?limit=5", [], []
    cursor = ""
    for _ in range(3):
        page = service.get(path + cursor).json()
        assert page["total"] >= 60
        assert len(page["assets"]) == 5
        ranks += [asset["rank"] for asset in page["assets"]]
        symbols += [asset["symbol"] for asset in page["assets"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert symbols[0] == first
    assert ranks == sorted(ranks)
    assert len(set(symbols)) == 15


@pytest.mark.parametrize(
    ("asset_type", "query", "found"),
    [
        ("stocks", "aapl", "AAPL"),
        ("stocks", "apple", "AAPL"),
        ("crypto", "btc", "BTC-USD"),
        ("crypto", "bitcoin", "BTC-USD"),
        ("forex", "EUR/USD", "EUR/USD"),
        ("forex", "us dollar", "EUR/USD"),
    ],
)
def test_assets_are_found_by_symbol_and_by_name(service, asset_type, query, found):
    """A search by symbol or by name finds the asset first."""
    page = service.get(f"/v1/assets/{asset_type}?q={query}").json()
    assert page["assets"][0]["symbol"] == found


def test_the_terminal_tells_what_it_is_and_what_each_tick_does(service):
    """The terminal says that prices are invented, and has a line for each tick."""
    lines = service.output.splitlines()
    assert lines[0].startswith("market  SIMULATED MARKET: every price here is invented.")
    assert lines[1].startswith("redis   127.0.0.1:")
    assert not any("warning" in line or "faults" in line for line in lines)
    assert not any(line.startswith("{") for line in lines), "the log is in the terminal"
    for asset_type in ("stocks", "crypto", "forex"):
        assert any(line.startswith(f"assets  {asset_type} ") for line in lines)
    eventually(lambda: TICK.search(service.output), f"a tick in {service.output}")
    assert '"function":"loop"' in service.log


def test_the_service_is_one_tree_of_processes(service):
    """The service has three child processes: Redis, the market and the API."""
    assert sorted(service.children()) == ["api", "market", "redis"]


def test_health_tells_that_all_is_well(service):
    """The service becomes healthy, with every active symbol fresh."""
    health = eventually(lambda: healthy(service), "health")
    assert (health["market"], health["reasons"]) == ("simulated", [])
    assert health["quotes"]["fresh_ratio"] == 1.0


def test_the_api_answers_over_both_protocols(service):
    """The API answers over IPv4 and, if the machine has it, over IPv6."""
    with socket.socket(socket.AF_INET6) as probe:
        has_ipv6 = probe.connect_ex(("::1", 9)) != errno.EADDRNOTAVAIL
    for host in ("127.0.0.1", *(["[::1]"] if has_ipv6 else [])):
        assert requests.get(f"http://{host}:{service.port}/health", timeout=5).status_code == 200


def test_files_are_for_their_user_alone(service):
    """No other user can read the log, the archive or the password of Redis."""
    paths = [service.home / ".local", *(service.home / ".local").rglob("*")]
    assert any(path.name == "service.log" for path in paths)
    for path in paths:
        assert path.stat().st_mode & 0o077 == 0, path


def test_the_redis_of_the_service_needs_its_password(service):
    """A client without the password is rejected by the service's Redis."""
    with (
        Redis(port=int(service.env["REDIS_PORT"])) as stranger,
        pytest.raises(AuthenticationError),
    ):
        stranger.keys()


def test_metrics_are_there_for_prometheus(service):
    """Metrics of the loop, the API and Redis are in one answer that Prometheus' parser reads."""

    def measured() -> dict[str, float]:
        families = text_string_to_metric_families(service.get("/metrics").text)
        samples = [sample for family in families for sample in family.samples]
        values: dict[str, float] = {}
        for sample in samples:
            values[sample.name] = values.get(sample.name, 0) + sample.value
        ready = values.get("marketdata_quotes_written_total", 0) >= 20
        return values if ready and "marketdata_quote_age_seconds" in values else {}

    hits, misses = "marketdata_cache_hits_total", "marketdata_cache_misses_total"
    eventually(lambda: whole(service), "four quotes")
    before = eventually(measured, "metrics of a tick")
    service.get("/v1/quotes?symbols=AAPL,BTC-USD,WHO.KNOWS")
    values = measured()
    assert values[hits] == before[hits] + 2
    assert values[misses] == before[misses] + 1
    assert values["marketdata_tick_lag_seconds_count"] >= 1
    assert values["marketdata_provider_latency_seconds_count"] >= 3
    assert values["marketdata_api_latency_seconds_count"] >= 1
    assert values["marketdata_budget_left_percent"] > 0
    assert values["marketdata_breaker_state"] == 0


def test_a_killed_redis_is_started_again(service):
    """A killed Redis is started again, empty and on the same port, and the service recovers."""
    os.kill(service.children()["redis"], signal.SIGKILL)
    service.wait_for("redis   ended with code -9; starting it again")
    eventually(lambda: healthy(service), "health after Redis was killed")
    assert "redis" in service.children()
    assert eventually(lambda: whole(service), "four quotes")


def test_a_killed_api_is_started_again(service):
    """A killed API is started again on the same port."""
    os.kill(service.children()["api"], signal.SIGKILL)
    service.wait_for("api     ended with code -9; starting it again")
    assert eventually(lambda: whole(service), "four quotes after the API was killed")


def test_ctrl_c_ends_every_process(service):
    """SIGINT ends every process with exit code 0, frees both ports and leaves no lock."""
    assert service.end(signal.SIGINT) == 0
    assert service.output.rstrip().endswith("\nstopped")
    assert "Traceback" not in service.output
    assert port_is_free(service.port)
    assert port_is_free(int(service.env["REDIS_PORT"]))
    left = {path.name for path in (service.home / ".local" / "simulated").iterdir()}
    assert left == {"service.log", "archive", "redis"}
    assert list(service.temporary.iterdir()) == []


def healthy(service: RunningService) -> dict | None:
    """Return the answer of /health once the service is healthy, else None."""
    quotes, _ = service.quotes("AAPL")  # none while the API itself is away
    health = service.get("/health").json() if quotes else {"status": "away"}
    return health if health["status"] == "healthy" else None
