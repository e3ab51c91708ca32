"""`GET /metrics` on one machine: the metrics of CloudWatch's table in Prometheus' format.

The loop and the API are separate processes. Both write their counters into files of the folder
PROMETHEUS_MULTIPROC_DIR, and the API adds them up. Ages, breakers and budgets are read from Redis
at each request. At its import prometheus_client decides whether it uses that folder, so import this
module after the environment is set.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from marketdata.clock import wall_ms
from marketdata.domain.messages import EventJson, Plan, Summary
from marketdata.errors import CacheUnavailableError
from marketdata.observability import metrics
from marketdata.observability.metrics import Metric, Sample

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from local.service.loop import Handler

PATH = "/metrics"
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_UNITS = {"Seconds": "seconds", "Milliseconds": "seconds", "Percent": "percent"}


def name_of(metric: Metric) -> str:
    """Return a metric's name in Prometheus: TickLag is marketdata_tick_lag_seconds."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", metric.name).lower()
    return "_".join(filter(None, ("marketdata", name, _UNITS.get(metric.unit, ""))))


class Recorder:
    """Records the samples of plans, commits and requests, as counters and histograms."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        registry = registry or CollectorRegistry()
        self._counters = {
            metric.name: Counter(
                name_of(metric), metric.meaning, _labels(metric), registry=registry
            )
            for metric in metrics.METRICS
            if metric.unit == "Count"
        }
        self._times = {
            metric.name: Histogram(
                name_of(metric), metric.meaning, _labels(metric), registry=registry,
                buckets=_BUCKETS_S,
            )
            for metric in metrics.METRICS
            if metric.unit == "Milliseconds"
        }  # fmt: skip

    def record(self, samples: Iterable[Sample]) -> None:
        """Add samples, except gauges, which are read at each request."""
        for sample in samples:
            name, labels = sample.metric.name, sample.dimensions
            if name in self._counters:
                counter = self._counters[name]
                (counter.labels(**labels) if labels else counter).inc(sample.value)
            elif name in self._times:
                times = self._times[name]
                (times.labels(**labels) if labels else times).observe(sample.value / 1000)

    def measure_plans(self, plan_quotes: Handler) -> Handler:
        """Return plan_quotes with its plans measured."""

        def measured(event: EventJson, context: Any) -> EventJson:
            begun_ms = wall_ms()
            plan = plan_quotes(event, context)
            self.record(metrics.of_plan(Plan.model_validate(plan), begun_ms))
            return plan

        return measured

    def measure_commits(self, commit_quotes: Handler) -> Handler:
        """Return commit_quotes with its summaries measured."""

        def measured(event: EventJson, context: Any) -> EventJson:
            summary = commit_quotes(event, context)
            self.record(metrics.of_commit(Summary.model_validate(summary)))
            return summary

        return measured


class GaugeCollector(Collector):
    """Reads the gauges; there are none while Redis does not answer.

    `read` takes epoch milliseconds.
    """

    def __init__(self, read: Callable[[int], Iterable[Sample]]) -> None:
        self._read = read

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yield a family for each gauge of the table."""
        try:
            samples = list(self._read(wall_ms()))
        except CacheUnavailableError:
            return
        for metric in metrics.METRICS:
            own = [sample for sample in samples if sample.metric is metric]
            if own:
                labels = _labels(metric)
                family = GaugeMetricFamily(name_of(metric), metric.meaning, labels=labels)
                for sample in own:
                    values = [sample.dimensions[label] for label in labels]
                    family.add_metric(values, sample.value)
                yield family


class WithMetrics:
    """The API's app and `GET /metrics`, which adds up the records of all processes."""

    def __init__(self, app: ASGIApp, read_gauges: Callable[[int], Iterable[Sample]]) -> None:
        self._app = app
        self._exported = CollectorRegistry()
        MultiProcessCollector(self._exported)  # type: ignore[no-untyped-call]
        self._exported.register(GaugeCollector(read_gauges))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer `/metrics`, and pass every other request to the app."""
        is_ours = scope["type"] == "http" and scope["path"] == PATH
        if is_ours and scope["method"] in ("GET", "HEAD"):
            await self._answer(scope, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, send: Send) -> None:
        # in a thread, because it reads files and waits for Redis
        text = await asyncio.to_thread(generate_latest, self._exported)
        headers = [
            (b"content-type", CONTENT_TYPE_LATEST.encode()),
            (b"content-length", str(len(text)).encode()),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else text
        await send({"type": "http.response.body", "body": body})


def _labels(metric: Metric) -> tuple[str, ...]:
    return tuple(metric.series[0])
