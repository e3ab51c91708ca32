"""Writes metrics with Powertools: lines in CloudWatch's embedded metric format on standard output.

`metrics` is the table of all series. Metrics never cost a slot: an error in them is only logged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import EphemeralMetrics

from marketdata.cache.stored_quotes import fetched_ms
from marketdata.clock import wall_ms
from marketdata.domain.symbols import AssetClass
from marketdata.observability.metrics import (
    NAMESPACE,
    SERVICE,
    Sample,
    of_ages,
    of_commit,
    of_plan,
    of_provider,
    opens_minute,
)

if TYPE_CHECKING:
    from marketdata.cache.client import Cache
    from marketdata.cache.control import ControlState
    from marketdata.cache.quote_store import QuoteStore
    from marketdata.domain.messages import Plan, Summary
    from marketdata.settings import Settings

NO_FIELDS: Mapping[str, object] = MappingProxyType({})

log = logging.getLogger("marketdata.metrics")


@dataclass(frozen=True, slots=True)
class Gauges:
    """Reads the state in Redis as metrics: ages of quotes, breakers, budgets."""

    settings: Settings
    cache: Cache
    control: ControlState
    quotes: QuoteStore

    def read(self, now_ms: int) -> list[Sample]:
        """Return a sample of each series, in one round trip. Raise `CacheUnavailableError`.

        A provider without its key has no samples.
        """
        active = self.settings.active_symbols
        symbols = [symbol.text for symbol in active]
        *answers, providers = self.cache.many(
            [*self.quotes.read_commands(symbols), self.control.providers_command(now_ms)]
        )
        values = self.quotes.values_of(symbols, answers)
        times: dict[AssetClass, list[int | None]] = {asset_class: [] for asset_class in AssetClass}
        for symbol, value in zip(active, values, strict=True):
            times[symbol.asset_class].append(None if value is None else fetched_ms(value))
        samples = of_ages(times, now_ms)
        for source, state in self.control.providers_view(providers).providers.items():
            if self.settings.enabled(source):
                samples += of_provider(state)
        return samples


@dataclass(frozen=True, slots=True)
class Meter:
    """Writes the metrics of `service`, the name of a deployment; if that is empty, nothing.

    `fields` are those of the step's log lines. Each line of metrics has them too.
    """

    service: str
    gauges: Gauges

    def record_plan(
        self, plan: Plan, now_ms: int, fields: Mapping[str, object] = NO_FIELDS
    ) -> None:
        """Measure a plan that was begun at `now_ms`.

        The gauges are read in the first slot of each minute only.
        """
        if self.service:
            self._record(lambda: of_plan(plan, now_ms), fields)
            if opens_minute(plan):
                self._record(lambda: self.gauges.read(now_ms), fields)

    def record_commit(self, summary: Summary, fields: Mapping[str, object] = NO_FIELDS) -> None:
        """Measure a commit by its summary."""
        if self.service:
            self._record(lambda: of_commit(summary), fields)

    def _record(
        self, measure: Callable[[], Iterable[Sample]], fields: Mapping[str, object]
    ) -> None:
        try:
            write(self.service, measure(), fields)
        except Exception:
            log.exception("metrics lost")


def write(
    service: str, samples: Iterable[Sample], fields: Mapping[str, object] = NO_FIELDS
) -> None:
    """Print samples in the embedded metric format, a line for each set of dimensions.

    `fields` stand in each line. They are no dimensions, so they cost no series.
    """
    for dimensions, group in _grouped(samples).items():
        line = EphemeralMetrics(namespace=NAMESPACE, service=service)
        for name, value in sorted(dimensions):
            line.add_dimension(name, value)
        for name, field_value in fields.items():
            line.add_metadata(name, field_value)
        for sample in group:
            line.add_metric(sample.metric.name, sample.metric.unit, sample.value)
        line.flush_metrics()


def embedded(service: str, samples: Sequence[Sample]) -> dict[str, object]:
    """Return samples as fields of a JSON line, which CloudWatch reads as metrics.

    The samples have no dimensions. `write` prints the same with Powertools, but takes longer.
    """
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [[SERVICE]],
        "Metrics": [{"Name": s.metric.name, "Unit": s.metric.unit} for s in samples],
    }
    return {
        "_aws": {"Timestamp": wall_ms(), "CloudWatchMetrics": [directive]},
        SERVICE: service,
        **{sample.metric.name: sample.value for sample in samples},
    }


def _grouped(samples: Iterable[Sample]) -> dict[frozenset[tuple[str, str]], list[Sample]]:
    """Samples by their dimensions: a line has one value for each of its dimensions."""
    groups: dict[frozenset[tuple[str, str]], list[Sample]] = {}
    for sample in samples:
        groups.setdefault(frozenset(sample.dimensions.items()), []).append(sample)
    return groups
