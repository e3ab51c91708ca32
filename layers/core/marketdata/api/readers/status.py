"""The state of each provider and the health of the service, as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from marketdata.api.readers.freshness import freshness
from marketdata.api.readers.health import ClassFacts, Facts, ListFacts, Status, fresh_ratio, judge
from marketdata.cache.quote_store import QuoteStore
from marketdata.clock import utc_text
from marketdata.domain.catalogue import FACTS
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.errors import CacheUnavailableError

if TYPE_CHECKING:
    from marketdata.cache.asset_store import AssetStore
    from marketdata.cache.control import ControlState
    from marketdata.domain.permits import ClassState, ControlView, LastError
    from marketdata.settings import Settings

DISABLED = "disabled"  # the state of a provider that has no key
# At most this many active symbols of a class are in /health, which alarms poll.
MOST_NAMED = 100


@dataclass(frozen=True, slots=True)
class StatusReader:
    """Reads the state of the service for clients, the board and alarms."""

    settings: Settings
    quotes: QuoteStore
    assets: AssetStore
    control: ControlState

    def providers(self, now_ms: int) -> dict[str, Any]:
        """`{market, providers: [...]}` as of the current slot. Raises `CacheUnavailableError`."""
        view = self.control.read_providers(now_ms, at_slot_start=True)
        return {
            "market": self.settings.market,
            "providers": [self._provider(view, source) for source in FACTS],
        }

    def health(self, now_ms: int) -> dict[str, Any]:
        """Return status, reasons, and the facts behind them, as of now.

        Without the cache the status is `unhealthy` and all that is in the cache is null or empty.
        """
        try:
            view = self.control.read_providers(now_ms)
            now_ms = view.now_ms
            facts = Facts(
                lag_s=_lag_s(view, now_ms),
                wrong_clocks=view.wrong_clocks,
                times_ahead=view.times_ahead,
                memory=self.control.read_memory(),
                classes=list(self._classes(now_ms)),
                lists=list(self._lists(now_ms)),
                breakers=[
                    (source, asset_class, found)
                    for source, state in view.providers.items()
                    if self.settings.enabled(source)
                    for asset_class, found in state.classes.items()
                ],
            )
        except CacheUnavailableError:
            return self._without_cache()
        status, reasons = judge(facts)
        return {
            "status": status.value,
            "reasons": reasons,
            "market": self.settings.market,
            "redis": {"reachable": True},
            "loop": {
                "last_slot": _time(None if view.last_slot_s is None else view.last_slot_s * 1000),
                "lag_s": facts.lag_s,
            },
            "quotes": {
                "fresh_ratio": fresh_ratio(facts.classes),
                "classes": [
                    {
                        "asset_class": c.asset_class.value,
                        "active": c.active,
                        "fresh": c.fresh,
                        "symbols": self._active(c.asset_class)[:MOST_NAMED],
                    }
                    for c in facts.classes
                ],
            },
            "assets": [_list_status(found, now_ms) for found in facts.lists],
            "providers": [
                {
                    "provider": source.value,
                    "asset_class": asset_class.value,
                    "state": found.state.value if self.settings.enabled(source) else DISABLED,
                    "reason": found.reason if self.settings.enabled(source) else "no_key",
                }
                for source, state in view.providers.items()
                for asset_class, found in state.classes.items()
            ],
        }

    def _without_cache(self) -> dict[str, Any]:
        return {
            "status": Status.UNHEALTHY.value,
            "reasons": ["the cache does not answer"],
            "market": self.settings.market,
            "redis": {"reachable": False},
            "loop": {"last_slot": None, "lag_s": None},
            "quotes": {"fresh_ratio": None, "classes": []},
            "assets": [],
            "providers": [],
        }

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

    def _provider(self, view: ControlView, source: Source) -> dict[str, Any]:
        state, enabled = view.providers[source], self.settings.enabled(source)
        successes = [found.last_success_ms for found in state.classes.values()]
        errors = [found.last_error for found in state.classes.values() if found.last_error]
        return {
            "provider": source.value,
            "enabled": enabled,
            "attribution": FACTS[source].attribution,
            "classes": [
                _class_status(asset_class, found, enabled=enabled)
                for asset_class, found in state.classes.items()
            ],
            "budget": [
                {
                    "window": limit.limit.window,
                    "limit": limit.limit.calls,
                    "used": limit.used,
                    "resets_at": _time(limit.reset_ms),
                }
                for limit in state.limits
            ],
            "held_until": _time(state.hold_until_ms),
            "next_call_at": _time(state.routine_at_ms) if enabled else None,
            "last_success": _time(max((ms for ms in successes if ms is not None), default=None)),
            "last_error": _error_fields(max(errors, key=lambda e: e.at_ms, default=None)),
        }


def _class_status(asset_class: AssetClass, found: ClassState, *, enabled: bool) -> dict[str, Any]:
    return {
        "asset_class": asset_class.value,
        "state": found.state.value if enabled else DISABLED,
        "reason": found.reason if enabled else "no_key",
        "since": _time(found.since_ms),
        "next_probe_at": _time(found.probe_due_ms),
        "probing": found.probing,
        "last_success": _time(found.last_success_ms),
        "last_error": _error_fields(found.last_error),
    }


def _error_fields(error: LastError | None) -> dict[str, Any] | None:
    if error is None:
        return None
    return {"at": _time(error.at_ms), "outcome": error.outcome, "detail": error.detail}


def _list_status(found: ListFacts, now_ms: int) -> dict[str, Any]:
    updated = found.updated_at_ms
    return {
        "asset_class": found.asset_class.value,
        "total": found.total,
        "updated_at": _time(updated),
        "age_s": None if updated is None else max(0, (now_ms - updated) // 1000),
        "stale": found.stale,
    }


def _lag_s(view: ControlView, now_ms: int) -> float | None:
    if view.last_slot_s is None:
        return None
    return max(0.0, round(now_ms / 1000 - view.last_slot_s, 3))


def _time(ms: int | None) -> str | None:
    return None if ms is None else utc_text(datetime.fromtimestamp(ms / 1000, UTC))
