"""The simulated market's control port, and for which calls and when planted faults apply."""

from __future__ import annotations

import pytest
import requests

from local.simulator import KINDS, MOVES
from marketdata.domain.quotes import Source
from tests.support.simulated_market import WEDNESDAY_MS, plant


def test_latency_is_added_to_the_answer(clients):
    """A provider with latency answers late, and the other providers answer at once."""
    plant(clients, "latency", provider="finnhub", latency_ms=60_000)
    url = clients.market.base_urls[Source.FINNHUB]
    with pytest.raises(requests.Timeout):
        requests.get(f"{url}/quote?symbol=AAPL&token=key", timeout=0.2)
    assert clients.quote(Source.COINGECKO).status_code == 200
    clients.market.clear()
    plant(clients, "latency", provider="finnhub", latency_ms=10)
    assert clients.quote(Source.FINNHUB).status_code == 200


def test_faults_keep_to_their_path_symbol_and_time(clients, clock):
    """A fault applies only to its path, its symbol and its time."""
    plant(clients, "status", provider="yfinance", path="/v7", start_in_s=10, duration_s=20)
    plant(clients, "not_entitled", provider="finnhub", symbol="MSFT")
    statuses = []
    for _ in range(4):
        statuses.append(clients.quote(Source.YFINANCE).status_code)
        clock.pass_s(10)
    assert statuses == [200, 503, 503, 200]
    assert clients.get(Source.FINNHUB, "/quote", symbol="MSFT").status_code == 403
    assert clients.get(Source.FINNHUB, "/quote", symbol="AAPL").status_code == 200


def test_faults_of_prices_do_not_apply_to_lists(clients):
    """A request for a list does not use up a bad tick that was planted for a quote."""
    plant(clients, "bad_tick", provider="coingecko", symbol="BTC-USD")
    clients.get(Source.COINGECKO, "/coins/markets", vs_currency="usd")
    assert clients.market.planted == []


def test_the_control_port_shows_plants_and_clears(clients):
    """State shows faults, counts and quotas; faults end by number, by provider, or all."""
    control = clients.market.control_url
    number = plant(clients, "hang", provider="coingecko").json()["number"]
    plant(clients, "html", provider="finnhub")
    clients.quote(Source.FINNHUB)
    state = requests.get(control + "/control/state", timeout=5).json()
    assert [fault["fault"] for fault in state["faults"]] == ["hang", "html"]
    finnhub = state["providers"]["finnhub"]
    assert finnhub["calls"] == [{"kind": "quote", "status": 200, "count": 1}]
    assert finnhub["limits"] == [{"limit": "100000/minute", "used": 1, "peak": 1}]
    url = control + "/control/faults"
    known = requests.get(url, timeout=5).json()
    assert (set(known["faults"]), set(known["moves"])) == (set(KINDS), set(MOVES))
    assert requests.delete(f"{url}?number={number}", timeout=5).json() == {"cleared": 1}
    cleared = requests.post(url, json={"clear": True, "provider": "finnhub"}, timeout=5)
    assert cleared.json() == {"cleared": 1}
    plant(clients, "hang")
    assert requests.post(url, json={"clear": True}, timeout=5).json() == {"cleared": 1}
    answer = requests.post(url, json={"fault": "explode"}, timeout=5)
    assert (answer.status_code, "no fault is called" in answer.text) == (400, True)
    assert requests.get(control + "/nope", timeout=5).status_code == 404


def test_the_control_port_checks_prices(clients):
    """The control port tells whether each of the given quotes is true."""
    price, at_ms = clients.market.truth("AAPL", WEDNESDAY_MS)
    quote = {"symbol": "AAPL", "price": str(price), "timestamp_ms": at_ms, "source": "yfinance"}
    wrong = {**quote, "price": str(price + 1)}
    url = clients.market.control_url + "/control/check"
    assert requests.post(url, json=[quote, wrong], timeout=5).json() == [True, False]
