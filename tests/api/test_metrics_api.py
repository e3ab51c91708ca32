"""Metrics of the api: in the line of its access log, of which there is one a request."""

from __future__ import annotations

import json

import pytest

from tests.support.api_service import Service
from tests.support.metric_lines import metrics_in, values_in


def measured(cache, deployment="prod", **env) -> Service:
    """The api with two prices, as a deployment of this name runs it."""
    made = Service(cache, deployment=deployment, **env)
    made.price("AAPL", "MSFT")
    return made


def test_the_line_of_a_request_carries_its_metrics(cache):
    """One line is both: a log entry with its fields, and what CloudWatch reads."""
    service = measured(cache)
    service.get("/v1/quotes?symbols=AAPL,MSFT,BTC-USD,!!")
    (line,) = service.log.getvalue().splitlines()
    told = values_in(line)
    assert told.pop(("ApiLatency",)) > 0
    assert told == {("CacheHits",): 2, ("CacheMisses",): 1}  # what is no symbol cannot be missed
    root = json.loads(line)
    assert (root["message"], root["route"], root["status"]) == ("request", "/v1/quotes", 200)
    assert root["_aws"]["Timestamp"] == service.now_ms
    assert {found.service for found in metrics_in(line)} == {"prod"}


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
def test_only_symbols_that_were_looked_up_are_hits_or_misses(cache, target, hits, misses):
    """Every request has its time, a refused one too."""
    service = measured(cache)
    service.get(target)
    told = values_in(service.log.getvalue())
    assert told.pop(("ApiLatency",)) >= 0
    counted = {("CacheHits",): hits, ("CacheMisses",): misses}
    assert told == {series: count for series, count in counted.items() if count is not None}


def test_a_level_without_access_lines_still_has_metrics(cache):
    """They come alone then, so that the dashboard does not go blank with a quieter log."""
    service = measured(cache, LOG_LEVEL="WARNING")
    service.get("/v1/quotes/AAPL")
    (line,) = service.log.getvalue().splitlines()
    assert "route" not in json.loads(line)
    assert {found.name for found in metrics_in(line)} == {"ApiLatency", "CacheHits", "CacheMisses"}


def test_without_a_deployment_the_line_has_no_metrics(cache):
    """On one machine it is a log and nothing else."""
    service = measured(cache, deployment="")
    service.get("/v1/quotes/AAPL")
    (line,) = service.log.getvalue().splitlines()
    assert "_aws" not in line
    assert "ApiLatency" not in line
