"""Writes what plan and commit measured, where anybody collects it.

On AWS that is standard output: CloudWatch makes metrics of lines in its embedded metric format,
which Powertools writes. On one machine nobody reads them, so nothing is written, nor read for it.
A defect in measuring is logged and costs nothing else: the work has been done by then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.metrics import EphemeralMetrics

from marketdata.cache.client import Cache
from marketdata.cache.control import ControlState
from marketdata.cache.quote_store import QuoteStore
from marketdata.cache.stored_quotes import fetched_ms
from marketdata.domain.symbols import AssetClass
from marketdata.observability import metrics
from marketdata.observability.metrics import Sample
from marketdata.settings import Settings

log = logging.getLogger("marketdata.measuring")


@dataclass(frozen=True, slots=True)
class Gauges:
    """Measures how things stand in Redis: ages, breakers, budgets."""

    settings: Settings
    cache: Cache
    control: ControlState
    quotes: QuoteStore

    def read(self, now_ms: int) -> list[Sample]:
        """A sample of each series, in one round trip. Raises `CacheUnavailableError`.

        A provider that has no key has none.
        """
        active = self.settings.active_symbols
        values, providers = self.cache.many(
            [
                self.quotes.read_command([symbol.text for symbol in active]),
                self.control.providers_command(now_ms),
            ]
        )
        times: dict[AssetClass, list[int | None]] = {asset_class: [] for asset_class in AssetClass}
        for symbol, value in zip(active, values, strict=True):
            times[symbol.asset_class].append(None if value is None else fetched_ms(value))
        samples = metrics.of_ages(times, now_ms)
        for source, state in self.control.providers_told(providers).providers.items():
            if self.settings.enabled(source):
                samples += metrics.of_provider(state)
        return samples


@dataclass(frozen=True, slots=True)
class Meter:
    """Writes the metrics of `service`, the name of a deployment; if that is empty, nothing."""

    service: str
    gauges: Gauges

    def record_plan(self, plan: Mapping[str, Any], now_ms: int) -> None:
        """Measure a plan that was begun at `now_ms`.

        The gauges are read in the first slot of each minute only.
        """
        if self.service:
            self._record(lambda: metrics.of_plan(plan, now_ms))
            if metrics.opens_minute(plan):
                self._record(lambda: self.gauges.read(now_ms))

    def record_commit(self, summary: Mapping[str, Any]) -> None:
        """Measure a commit by its summary."""
        if self.service:
            self._record(lambda: metrics.of_commit(summary))

    def _record(self, measure: Callable[[], Iterable[Sample]]) -> None:
        try:
            write(self.service, measure())
        except Exception:
            log.exception("metrics lost")


def write(service: str, samples: Iterable[Sample]) -> None:
    """Print samples in the embedded metric format, a line for each set of dimensions."""
    for dimensions, group in _grouped(samples).items():
        line = EphemeralMetrics(namespace=metrics.NAMESPACE, service=service)
        for name, value in sorted(dimensions):
            line.add_dimension(name, value)
        for sample in group:
            line.add_metric(sample.metric.name, sample.metric.unit, sample.value)
        line.flush_metrics()


def _grouped(samples: Iterable[Sample]) -> dict[frozenset[tuple[str, str]], list[Sample]]:
    """Samples by their dimensions: a line has one value for each of its dimensions."""
    groups: dict[frozenset[tuple[str, str]], list[Sample]] = {}
    for sample in samples:
        groups.setdefault(frozenset(sample.dimensions.items()), []).append(sample)
    return groups
