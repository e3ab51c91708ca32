"""The state of each provider and the health of the service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from marketdata.api.readers.freshness import freshness
from marketdata.api.readers.health import ClassFacts, Facts, ListFacts, Status, fresh_ratio, judge
from marketdata.api.schemas.fields import MarketKind
from marketdata.api.schemas.status import (
    Budget,
    CacheHealth,
    ClassHealth,
    Health,
    ListHealth,
    LoopHealth,
    Provider,
    ProviderClass,
    ProviderError,
    ProviderHealth,
    Providers,
    ProviderState,
    QuotesHealth,
    Window,
)
from marketdata.cache.quote_store import QuoteStore
from marketdata.clock import from_epoch_ms
from marketdata.domain.catalogue import FACTS
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.errors import CacheUnavailableError

if TYPE_CHECKING:
    from marketdata.cache.asset_store import AssetStore
    from marketdata.cache.control import ControlState
    from marketdata.domain.permits import ClassState, ControlView, LastError
    from marketdata.settings import Settings

# At most this many active symbols of a class are in /health, which alarms poll.
MOST_NAMED = 100


@dataclass(frozen=True, slots=True)
class StatusReader:
    """Reads the state of the service for clients, the board and alarms."""

    settings: Settings
    quotes: QuoteStore
    assets: AssetStore
    control: ControlState

    def providers(self, now_ms: int) -> Providers:
        """Return all providers as of the current slot. Raises `CacheUnavailableError`."""
        view = self.control.read_providers(now_ms, at_slot_start=True)
        return Providers(
            market=self._market, providers=[self._provider(view, source) for source in FACTS]
        )

    def health(self, now_ms: int) -> Health:
        """Return status, reasons, and the facts behind them, as of now.

        Without the cache the status is `unhealthy` and all that is in the cache is null or empty.
        """
        try:
            view = self.control.read_providers(now_ms)
            facts = self._facts(view)
        except CacheUnavailableError:
            return self._without_cache()
        status, reasons = judge(facts)
        return Health(
            status=status,
            reasons=reasons,
            market=self._market,
            redis=CacheHealth(reachable=True),
            loop=LoopHealth(
                last_slot=_time(None if view.last_slot_s is None else view.last_slot_s * 1000),
                lag_s=facts.lag_s,
            ),
            quotes=QuotesHealth(
                fresh_ratio=fresh_ratio(facts.classes),
                classes=[
                    ClassHealth(
                        asset_class=found.asset_class,
                        active=found.active,
                        fresh=found.fresh,
                        symbols=self._active(found.asset_class)[:MOST_NAMED],
                    )
                    for found in facts.classes
                ],
            ),
            assets=[_list_health(found, view.now_ms) for found in facts.lists],
            providers=[
                ProviderHealth(
                    provider=source,
                    asset_class=asset_class,
                    state=_state(found, enabled=self.settings.enabled(source)),
                    reason=_reason(found, enabled=self.settings.enabled(source)),
                )
                for source, state in view.providers.items()
                for asset_class, found in state.classes.items()
            ],
        )

    def _facts(self, view: ControlView) -> Facts:
        """Return what health is judged by. Raise `CacheUnavailableError`."""
        return Facts(
            lag_s=_lag_s(view),
            wrong_clocks=view.wrong_clocks,
            times_ahead=view.times_ahead,
            memory=self.control.read_memory(),
            classes=list(self._classes(view.now_ms)),
            lists=list(self._lists(view.now_ms)),
            breakers=[
                (source, asset_class, found)
                for source, state in view.providers.items()
                if self.settings.enabled(source)
                for asset_class, found in state.classes.items()
            ],
        )

    def _without_cache(self) -> Health:
        return Health(
            status=Status.UNHEALTHY,
            reasons=["the cache does not answer"],
            market=self._market,
            redis=CacheHealth(reachable=False),
            loop=LoopHealth(last_slot=None, lag_s=None),
            quotes=QuotesHealth(fresh_ratio=None, classes=[]),
            assets=[],
            providers=[],
        )

    @property
    def _market(self) -> MarketKind:
        return MarketKind(self.settings.market)

    def _classes(self, now_ms: int) -> Iterator[ClassFacts]:
        symbols = self.settings.active_symbols
        values = self.quotes.read([symbol.text for symbol in symbols])
        limits = freshness(now_ms, self.settings.quote_ttl * 1000)
        fresh = [
            symbol.asset_class
            for symbol, value in zip(symbols, values, strict=True)
            if value is not None and not limits.is_stale(value)
        ]
        active = [symbol.asset_class for symbol in symbols]
        for asset_class in AssetClass:
            yield ClassFacts(asset_class, active.count(asset_class), fresh.count(asset_class))

    def _active(self, asset_class: AssetClass) -> list[str]:
        symbols = self.settings.active_symbols
        return [symbol.text for symbol in symbols if symbol.asset_class is asset_class]

    def _lists(self, now_ms: int) -> Iterator[ListFacts]:
        for asset_class in AssetClass:
            meta = self.assets.meta(asset_class)
            if meta is None:
                yield ListFacts(asset_class, None, None, stale=False)
            else:
                old = now_ms - meta.updated_at_ms > self.settings.assets_ttl * 1000
                yield ListFacts(asset_class, meta.total, meta.updated_at_ms, stale=old)

    def _provider(self, view: ControlView, source: Source) -> Provider:
        state, enabled = view.providers[source], self.settings.enabled(source)
        successes = [found.last_success_ms for found in state.classes.values()]
        errors = [found.last_error for found in state.classes.values() if found.last_error]
        return Provider(
            provider=source,
            enabled=enabled,
            attribution=FACTS[source].attribution,
            classes=[
                _provider_class(asset_class, found, enabled=enabled)
                for asset_class, found in state.classes.items()
            ],
            budget=[
                Budget(
                    window=Window(limit.limit.window),
                    limit=limit.limit.calls,
                    used=limit.used,
                    resets_at=_time(limit.reset_ms),
                )
                for limit in state.limits
            ],
            held_until=_time(state.hold_until_ms),
            next_call_at=_time(state.routine_at_ms) if enabled else None,
            last_success=_time(max((ms for ms in successes if ms is not None), default=None)),
            last_error=_error(max(errors, key=lambda e: e.at_ms, default=None)),
        )


def _provider_class(asset_class: AssetClass, found: ClassState, *, enabled: bool) -> ProviderClass:
    return ProviderClass(
        asset_class=asset_class,
        state=_state(found, enabled=enabled),
        reason=_reason(found, enabled=enabled),
        since=_time(found.since_ms),
        next_probe_at=_time(found.probe_due_ms),
        probing=found.probing,
        last_success=_time(found.last_success_ms),
        last_error=_error(found.last_error),
    )


def _state(found: ClassState, *, enabled: bool) -> ProviderState:
    return ProviderState(found.state.value) if enabled else ProviderState.DISABLED


def _reason(found: ClassState, *, enabled: bool) -> str | None:
    return found.reason if enabled else "no_key"


def _error(error: LastError | None) -> ProviderError | None:
    if error is None:
        return None
    return ProviderError(at=from_epoch_ms(error.at_ms), outcome=error.outcome, detail=error.detail)


def _list_health(found: ListFacts, now_ms: int) -> ListHealth:
    updated = found.updated_at_ms
    return ListHealth(
        asset_class=found.asset_class,
        total=found.total,
        updated_at=_time(updated),
        age_s=None if updated is None else max(0, (now_ms - updated) // 1000),
        stale=found.stale,
    )


def _lag_s(view: ControlView) -> float | None:
    if view.last_slot_s is None:
        return None
    return max(0.0, round(view.now_ms / 1000 - view.last_slot_s, 3))


def _time(ms: int | None) -> datetime | None:
    return None if ms is None else from_epoch_ms(ms)
