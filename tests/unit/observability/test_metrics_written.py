"""How samples become lines that CloudWatch reads. An error in metrics stops no slot."""

from __future__ import annotations

import json
import logging

import pytest

from marketdata.domain.messages import Plan, Summary
from marketdata.errors import CacheUnavailableError
from marketdata.observability import metrics
from marketdata.observability.meter import Meter, embedded, write
from tests.support.metric_lines import TABLE, metrics_in, values_in

SLOT = 1_763_820_300
NOW = SLOT * 1000 + 12


class Counting:
    """Gauges that count how often they are read."""

    def __init__(self, error=None):
        self.read_at = []
        self._error = error

    def read(self, now_ms):
        self.read_at.append(now_ms)
        if self._error:
            raise self._error
        return [metrics.QUOTE_AGE.sample(7, asset_class="stocks")]


def plan(slot=SLOT, previous=SLOT - 5, *, claimed=True):
    return Plan(slot=slot, previous=previous, claimed=claimed, jobs=())


SUMMARY = Summary(
    slot=SLOT,
    job="j1",
    asset_class="stocks",
    written={"yfinance": 3},
    held_back={},
    missing={},
    outcomes=[
        {
            "provider": provider,
            "outcome": outcome,
            "latency_ms": latency_ms,
            "calls_used": 1,
            "quotes": 0,
            "detail": "",
        }
        for provider, outcome, latency_ms in (
            ("yfinance", "ok", 90), ("finnhub", "rate_limited", 45),
        )
    ],
    transitions=(),
)  # fmt: skip


def test_every_series_can_be_written_and_read(capsys):
    """Each series of the table is read back from the lines once, in its unit."""
    units = {metric.name: metric.unit for metric in metrics.METRICS}
    write("prod", [m.sample(1.5, **series) for m in metrics.METRICS for series in m.series])
    found = metrics_in(capsys.readouterr().out)
    assert {metric.series for metric in found} == TABLE
    assert len(found) == len(TABLE)
    assert {metric.service for metric in found} == {"prod"}
    assert all(metric.unit == units[metric.name] and metric.value == 1.5 for metric in found)


def test_the_fields_of_a_log_line_are_the_same_metrics_as_a_line_by_powertools(capsys):
    """CloudWatch reads the same series, units and values from a log line and from Powertools."""
    samples = metrics.of_request(12.5, hits=3, misses=1, failed=True)
    write("prod", samples)
    by_powertools = capsys.readouterr().out
    line = json.dumps({"message": "request", **embedded("prod", samples)})
    assert metrics_in(line) == metrics_in(by_powertools)
    assert len(metrics_in(line)) == 4


def test_samples_of_one_set_of_dimensions_share_a_line(capsys):
    """A line has one value per dimension, so attempts at two providers are two lines."""
    write("prod", metrics.of_commit(SUMMARY))
    lines = capsys.readouterr().out.splitlines()
    assert [len(metrics_in(line)) for line in lines] == [3, 1, 1]


@pytest.mark.parametrize(
    ("hits", "misses", "counts"), [(2, 1, [2, 1]), (0, 0, [0, 0]), (None, None, [])]
)
def test_a_request_has_its_time_and_its_counts(hits, misses, counts):
    """A request has its latency, and hits and misses only if it asks for quotes."""
    latency, failed, *others = metrics.of_request(12.3456, hits=hits, misses=misses, failed=False)
    assert (latency.metric, latency.value) == (metrics.API_LATENCY, 12.346)
    assert (failed.metric, failed.value) == (metrics.API_FAILED, 0)
    assert [sample.value for sample in others] == counts


def test_a_failure_is_a_one():
    """A failed request has the value 1, so the average is the share of failures."""
    _, failed = metrics.of_request(1, hits=None, misses=None, failed=True)
    assert (failed.metric, failed.value) == (metrics.API_FAILED, 1)


def test_a_plan_is_measured_each_slot_and_the_gauges_once_a_minute(capsys):
    """Each of a minute's twelve slots is measured, and the gauges are read once."""
    gauges = Counting()
    meter = Meter("prod", gauges)
    for slot in range(SLOT, SLOT + 60, 5):
        meter.record_plan(plan(slot, slot - 5), slot * 1000 + 12)
    assert gauges.read_at == [NOW]
    series = [found.series for found in metrics_in(capsys.readouterr().out)]
    assert series.count(("TickLag",)) == series.count(("MissedSlots",)) == 12
    assert series.count(("QuoteAge", ("asset_class", "stocks"))) == 1


def test_a_plan_that_lost_its_slot_writes_and_reads_nothing(capsys):
    """A plan that did not get its slot writes no metric and reads no gauge."""
    gauges = Counting()
    Meter("prod", gauges).record_plan(plan(previous=None, claimed=False), NOW)
    assert (capsys.readouterr().out, gauges.read_at) == ("", [])


def test_without_a_service_nothing_is_written_and_nothing_read(capsys):
    """Without the name of a service no metric is written and no gauge is read."""
    gauges = Counting()
    meter = Meter("", gauges)
    meter.record_plan(plan(), NOW)
    meter.record_commit(SUMMARY)
    assert (capsys.readouterr().out, gauges.read_at) == ("", [])


@pytest.mark.parametrize("error", [CacheUnavailableError("Redis is away"), KeyError("slot")])
def test_an_error_of_the_metrics_is_logged_and_costs_nothing_else(capsys, caplog, error):
    """An error while the gauges are read is logged, and the slot's own metrics are written."""
    with caplog.at_level(logging.ERROR, "marketdata"):
        Meter("prod", Counting(error)).record_plan(plan(), NOW)
    assert [record.message for record in caplog.records] == ["metrics lost"]
    assert values_in(capsys.readouterr().out) == {("TickLag",): 12, ("MissedSlots",): 0}


def test_a_summary_without_its_fields_does_not_fail_the_commit(caplog):
    """A summary that the metrics cannot read is logged and raises no error."""
    with caplog.at_level(logging.ERROR, "marketdata"):
        Meter("prod", Counting()).record_commit({"outcomes": []})
    assert [record.message for record in caplog.records] == ["metrics lost"]
