"""Metrics of the api: each request writes its metrics in its log line."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from marketdata.cache.client import connect
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.settings import Settings
from tests.support.api_service import Service
from tests.support.metric_lines import metrics_in, values_in


def measured(cache, deployment="prod", **env) -> Service:
    """Return the api with two prices in a deployment of this name."""
    made = Service(cache, deployment=deployment, **env)
    made.price("AAPL", "MSFT")
    return made


def test_a_request_writes_its_metrics(cache, capsys):
    """A request writes its time, and how many requested symbols had a quote."""
    service = measured(cache)
    service.get("/v1/quotes?symbols=AAPL,MSFT,BTC-USD,!!")
    printed = capsys.readouterr().out
    found = values_in(printed)
    assert found.pop(("ApiLatency",)) > 0
    assert found.pop(("ApiFailed",)) == 0
    assert found == {("CacheHits",): 2, ("CacheMisses",): 1}  # an invalid symbol cannot be missed
    assert {metric.service for metric in metrics_in(printed)} == {"prod"}
    (line,) = map(json.loads, printed.splitlines())
    assert (line["level"], line["message"], line["route"]) == ("INFO", "request", "/v1/quotes")
    assert (line["status"], line["symbols"], line["hits"], line["misses"]) == (200, 4, 2, 1)
    assert line["duration_ms"] == line["ApiLatency"]
    assert datetime.fromisoformat(line["timestamp"]).timestamp() * 1000 == pytest.approx(
        line["_aws"]["Timestamp"], abs=1000
    )


@pytest.mark.parametrize(
    ("target", "hits", "misses"),
    [
        ("/v1/quotes/AAPL", 1, 0),
        ("/v1/quotes/BTC-USD", 0, 1),
        ("/v1/quotes/!!", None, None),
        ("/v1/quotes?symbols=AAPL&max_age=x", None, None),
        ("/v1/providers", None, None),
        ("/nowhere", None, None),
    ],
)
def test_only_symbols_that_were_looked_up_are_hits_or_misses(cache, capsys, target, hits, misses):
    """Each request has its time, and only symbols that were looked up are hits or misses."""
    measured(cache).get(target)
    found = values_in(capsys.readouterr().out)
    assert found.pop(("ApiLatency",)) >= 0
    assert found.pop(("ApiFailed",)) == 0
    counted = {("CacheHits",): hits, ("CacheMisses",): misses}
    assert found == {series: count for series, count in counted.items() if count is not None}


@pytest.mark.parametrize(
    ("target", "status", "failed"),
    [
        ("/v1/quotes/BTC-USD", 503, 0),  # the provider's budget is spent
        ("/v1/quotes/ETH-USD", 503, 0),  # no provider answers
        ("/v1/quotes/AAPL?max_age=5", 503, 0),  # the stored quote is older
        ("/v1/assets/crypto", 503, 0),  # the first list is not there yet
        ("/v1/quotes/SOL-USD", 404, 0),  # pending
        ("/v1/quotes/AAPL", 200, 0),
        ("/health", 503, 1),  # the loop has never run
    ],
)
def test_a_503_that_says_why_there_is_no_price_is_no_failure(cache, capsys, target, status, failed):
    """A 503 with the reason of a missing price does not count as a failed request."""
    service = measured(cache)
    service.stores.quotes.explain(
        [
            MissingQuote("BTC-USD", Reason.BUDGET_EXHAUSTED, "coingecko: budget spent"),
            MissingQuote("ETH-USD", Reason.PROVIDER_UNAVAILABLE, "coingecko: no answer"),
        ]
    )
    service.now_ms += 60_000
    assert service.get(target).status == status
    assert values_in(capsys.readouterr().out)[("ApiFailed",)] == failed


def test_a_cache_that_is_away_is_a_failure(start_redis, capsys):
    """A 503 without Redis counts as a failed request."""
    server = start_redis()
    cache = connect(Settings.from_env(server.env()), caller_time=True)
    service = Service(cache, deployment="prod")
    server.kill()
    assert service.get("/v1/quotes/AAPL").status == 503
    assert values_in(capsys.readouterr().out)[("ApiFailed",)] == 1
    cache.close()


def test_a_level_without_request_lines_still_has_metrics(cache, capsys):
    """With LOG_LEVEL=WARNING a request still writes its metrics."""
    service = measured(cache, LOG_LEVEL="WARNING")
    service.get("/v1/quotes/AAPL")
    (line,) = capsys.readouterr().out.splitlines()
    assert "route" not in line
    names = {found.name for found in metrics_in(line)}
    assert names == {"ApiLatency", "ApiFailed", "CacheHits", "CacheMisses"}


def test_without_a_deployment_there_are_no_metrics(cache, capsys):
    """On one machine a request writes a log line and no metrics."""
    service = measured(cache, deployment="")
    service.get("/v1/quotes/AAPL")
    (line,) = service.log.getvalue().splitlines()
    assert "_aws" not in line
    assert capsys.readouterr().out == ""
