"""The metrics of one machine for Prometheus: the same table as CloudWatch's."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from local.service.prometheus import GaugeCollector, Recorder, name_of
from marketdata.errors import CacheUnavailableError
from marketdata.observability.metrics import METRICS, Sample


@pytest.fixture
def registry() -> CollectorRegistry:
    """An empty registry."""
    return CollectorRegistry()


def exported(registry: CollectorRegistry) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """The exported values by name and labels."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def one_of_each() -> list[Sample]:
    """A sample of each series of the table."""
    return [metric.sample(1_500, **series) for metric in METRICS for series in metric.series]


def test_every_metric_of_the_table_is_exported(registry):
    """Every metric of the table is exported, with the labels of each of its series."""
    Recorder(registry).record(one_of_each())
    registry.register(GaugeCollector(lambda _now_ms: one_of_each()))
    found = exported(registry)
    suffixes = {"Count": "_total", "Milliseconds": "_count"}
    for metric in METRICS:
        series = found[name_of(metric) + suffixes.get(metric.unit, "")]
        assert set(series) == {tuple(sorted(labels.items())) for labels in metric.series}


def test_times_are_in_seconds(registry):
    """Times are exported in seconds."""
    Recorder(registry).record(one_of_each())
    assert exported(registry)["marketdata_api_latency_seconds_sum"] == {(): 1.5}


def test_counts_add_up(registry):
    """A counter grows with each sample."""
    recorder = Recorder(registry)
    for _ in range(3):
        recorder.record(one_of_each())
    assert exported(registry)["marketdata_quotes_written_total"] == {(): 4_500}


def test_without_redis_the_other_metrics_are_there(registry):
    """While Redis does not answer, only the gauges are missing."""

    def away(_now_ms: int) -> list[Sample]:
        raise CacheUnavailableError("away")

    Recorder(registry)
    registry.register(GaugeCollector(away))
    found = exported(registry)
    assert "marketdata_quotes_written_total" in found
    assert "marketdata_quote_age_seconds" not in found
