"""Reads metrics from log lines as CloudWatch does, by the embedded metric format."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from marketdata.observability.metrics import METRICS, NAMESPACE

# All series of the table, as (name, dimensions without `service`).
TABLE = {(metric.name, *sorted(series.items())) for metric in METRICS for series in metric.series}


@dataclass(frozen=True)
class Found:
    """One metric of one line."""

    name: str
    unit: str
    service: str
    dimensions: dict[str, str]
    values: list[float]

    @property
    def series(self) -> tuple[Any, ...]:
        """The series, as in `TABLE`."""
        return (self.name, *sorted(self.dimensions.items()))

    @property
    def value(self) -> float:
        """The only value."""
        (value,) = self.values
        return value


def metrics_in(text: str) -> list[Found]:
    """The metrics in lines of a log; lines without metrics or without JSON are ignored."""
    return [found for line in text.splitlines() for found in _metrics_of(line)]


def values_in(text: str) -> dict[tuple[Any, ...], float]:
    """The value of each series that has exactly one in these lines."""
    found = metrics_in(text)
    values = {metric.series: metric.value for metric in found}
    assert len(values) == len(found), "a series comes twice"
    return values


def _metrics_of(line: str) -> list[Found]:
    try:
        root = json.loads(line)
    except ValueError:
        return []
    found = []
    for directive in root.get("_aws", {}).get("CloudWatchMetrics", ()):
        assert directive["Namespace"] == NAMESPACE
        assert isinstance(root["_aws"]["Timestamp"], int)
        (keys,) = directive["Dimensions"]
        dimensions = {key: root[key] for key in keys}
        service = dimensions.pop("service")
        for metric in directive["Metrics"]:
            assert set(metric) == {"Name", "Unit"}, "of standard resolution"
            value = root[metric["Name"]]
            values = value if isinstance(value, list) else [value]
            assert all(isinstance(number, int | float) for number in values)
            found.append(Found(metric["Name"], metric["Unit"], service, dimensions, values))
    return found
