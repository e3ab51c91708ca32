"""The simulated market as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from local.simulator import Market
from marketdata.domain.quotes import Source
from tests.support.running_service import GUARD_S

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'layers' / 'core'}"}
PARENT = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-m", "local.simulator"])
time.sleep(60)
"""


def started(*arguments: str, **env: str) -> tuple[subprocess.Popen[str], dict]:
    """A market process and the line that it printed when it was ready."""
    process = subprocess.Popen(  # noqa: S603  our own program
        [sys.executable, "-m", "local.simulator", *arguments],
        cwd=ROOT,
        env=ENVIRONMENT | env,
        stdout=subprocess.PIPE,
        text=True,
    )
    return process, json.loads(process.stdout.readline())


def ended(process: subprocess.Popen[str]) -> int:
    """The exit code, once its output is closed."""
    with process:
        return process.wait(GUARD_S)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_process_agrees_with_another_and_ends_by_a_signal(tmp_path, ending):
    """A market process has the prices of its seed, writes its ports, and ends by a signal."""
    ports = tmp_path / "ports.json"
    process, ready = started("--seed", "5", "--ports-file", str(ports))
    try:
        assert json.loads(ports.read_text()) == ready
        url = ready["base_urls"]["finnhub"] + "/quote?symbol=AAPL&token=key"
        quote = json.loads(requests.get(url, timeout=5).text, parse_float=Decimal)
        mine = Market(seed=5)
        assert mine.is_true("AAPL", quote["c"], quote["t"] * 1000, Source.FINNHUB)
        assert not Market(seed=6).is_true("AAPL", quote["c"], quote["t"] * 1000, Source.FINNHUB)
        requests.post(ready["control_url"] + "/control/faults", json={"fault": "hang"}, timeout=5)
        with pytest.raises(requests.Timeout):
            requests.get(url, timeout=0.1)
    finally:
        process.send_signal(ending)
        assert ended(process) == 0


def test_limits_come_from_arguments_and_from_the_services_settings():
    """The limits of a market process come from its arguments and from the settings."""
    process, ready = started(
        "--limits",
        "finnhub=7/minute",
        "--sessions",
        "--holiday",
        "2026-03-19",
        COINGECKO_LIMITS="120/minute",
        YAHOO_LIMITS="60/minute",
    )
    try:
        state = requests.get(ready["control_url"] + "/control/state", timeout=5).json()
        limits = {
            name: [limit["limit"] for limit in provider["limits"]]
            for name, provider in state["providers"].items()
        }
        assert limits["finnhub"] == ["7/minute"]
        assert limits["coingecko"] == ["120/minute"]
        assert limits["yfinance"] == ["60/minute"]
    finally:
        process.terminate()
        ended(process)


def test_a_market_ends_with_its_parent():
    """A market process ends when the process that started it is killed."""
    parent = subprocess.Popen(  # noqa: S603  our own program
        [sys.executable, "-c", PARENT],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        url = json.loads(parent.stdout.readline())["control_url"]
        assert requests.get(url + "/control/state", timeout=5).status_code == 200
        parent.kill()
        # The pipe is closed when the market, which has its other end, ends.
        assert parent.stdout.read() == ""
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)
