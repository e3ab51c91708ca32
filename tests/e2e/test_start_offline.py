"""A start with live providers and without a network."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from local.service.redis_server import free_port
from tests.support.running_service import RunningService, eventually

ASKED = "AAPL,BTC-USD,EUR/USD"
# Hosts that the reason may name: any provider of the chain.
HOSTS = {
    "AAPL": {"yahoo.invalid", "finnhub.invalid"},
    "BTC-USD": {"127.0.0.1"},
    "EUR/USD": {"alphavantage.invalid", "yahoo.invalid"},
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service on live providers; some hosts are unknown, and others refuse connections."""
    home = tmp_path_factory.mktemp("home")
    (home / ".env").write_text(
        "# kept beside the service\n"
        "YAHOO_BASE_URL=http://yahoo.invalid\n"
        "FINNHUB_API_KEY=planted-finnhub\n"
        "FINNHUB_BASE_URL=http://finnhub.invalid/api/v1\n"
        f"COINGECKO_BASE_URL=http://127.0.0.1:{free_port()}\n"
        "ALPHA_VANTAGE_API_KEY=planted-alpha\n"
        "ALPHA_VANTAGE_BASE_URL=http://alphavantage.invalid\n"
        "ALPHA_VANTAGE_LIMITS=300/minute\n"
        "COINGEKO_LIMITS=5/minute\n"
        "PORT=1\n"
    )
    with RunningService(home) as service:
        yield service.ready()


def test_an_env_file_means_the_live_providers(service):
    """With an `.env` file the market is live, and a misspelt setting in it is named."""
    lines = service.output.splitlines()
    assert (
        "warning: .env: COINGEKO_LIMITS is not a setting; did you mean COINGECKO_LIMITS?" in lines
    )
    assert "market  live providers" in lines
    assert service.get("/v1/providers").json()["market"] == "live"


def test_each_class_answers_that_its_providers_are_unavailable(service):
    """Each symbol has an error that names a host that could not be reached."""

    def all_unavailable() -> dict:
        quotes, errors = service.quotes(ASKED)
        assert quotes == {}
        codes = {error["code"] for error in errors.values()}
        return errors if codes == {"provider_unavailable"} else {}

    errors = eventually(all_unavailable, "reasons for all classes")
    for symbol, hosts in HOSTS.items():
        assert errors[symbol]["message"].partition(":")[0] in hosts


def test_health_has_the_reasons(service):
    """The service is unhealthy with 503, and names each class without a quote or a list."""
    answer = service.get("/health")
    health = answer.json()
    assert (answer.status_code, health["status"]) == (503, "unhealthy")
    for asset_type in ("stocks", "crypto", "forex"):
        assert f"no quote of {asset_type} is fresh" in health["reasons"]
        assert f"there is no list of {asset_type} yet" in health["reasons"]


def test_the_log_names_the_hosts(service):
    """ERROR lines of the log name each host that could not be reached."""
    eventually(lambda: "alphavantage.invalid" in service.log, "Alpha Vantage's host")
    failures = [json.loads(line) for line in service.log.splitlines()]
    hosts = {
        failure["detail"].partition(":")[0]
        for failure in failures
        if failure["level"] == "ERROR" and "detail" in failure
    }
    assert hosts >= {"yahoo.invalid", "finnhub.invalid", "alphavantage.invalid", "127.0.0.1"}


def test_the_line_of_a_tick_names_the_failed_provider(service):
    """The line of a tick names the failed provider and the reason."""
    failed = re.compile(
        r"  missing: AAPL, .*failed: .*yfinance unavailable \(yahoo\.invalid: the name could not"
    )
    eventually(lambda: failed.search(service.output), "the failure in a line")


def test_the_terminal_says_why_there_is_no_list(service):
    """Each missing list has one line with the answer of each provider."""
    lines = [line for line in service.output.splitlines() if line.startswith("assets  ")]
    (stocks,) = (line for line in lines if line.startswith("assets  stocks not refreshed: "))
    assert "no provider gave a list (" in stocks
    assert "yfinance: yahoo.invalid: " in stocks
    assert "provider gave no list" not in service.output


def test_nothing_waits_for_a_provider(service):
    """The loop goes on from slot to slot although no provider answers."""

    def last_slot() -> str:
        return service.get("/health").json()["loop"]["last_slot"]

    for _ in range(2):
        before = last_slot()
        eventually(lambda before=before: last_slot() != before, "the next slot")
