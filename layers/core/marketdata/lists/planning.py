"""The first step of the daily refresh: reserve what the asset lists will cost, a job a class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from marketdata.cache.asset_store import AssetStore
from marketdata.cache.control import ControlState
from marketdata.domain.budget import Use
from marketdata.domain.catalogue import FACTS
from marketdata.domain.permits import Grant, Want
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.settings import Settings

# The calls of a refresh may be made any time until then.
REFRESH_BUDGET_MS = 120_000
# A daily schedule does not fire to the second; it must not find yesterday's refresh too young.
SCHEDULE_SLACK_MS = 600_000


@dataclass(frozen=True, slots=True)
class AssetPlanner:
    """Plans refreshes over the stores that it is given. `token` makes a new unlike text."""

    settings: Settings
    control: ControlState
    assets: AssetStore
    token: Callable[[], str]

    def plan(self, now_ms: int) -> dict[str, Any]:
        """Plan one refresh of all classes: `{version, restore, jobs}`, as plain JSON.

        Where another one planned a refresh lately, or all lists are young, there are no jobs.
        `restore` names the classes whose list the cache has lost.
        A provider whose budget does not cover its list today is left out of its job and named
        under `skipped`; its list of yesterday serves. Raises `CacheUnavailableError`.
        """
        lost = [asset_class for asset_class in AssetClass if self.assets.is_lost(asset_class)]
        interval_ms = self.settings.asset_list_update_interval * 1000
        interval_ms -= min(SCHEDULE_SLACK_MS, interval_ms // 10)
        restore = [asset_class.value for asset_class in lost]
        if not self.control.claim_refresh(now_ms, interval_ms, missing=bool(lost)):
            return {"version": None, "restore": restore, "jobs": []}
        wanted = [
            (asset_class, source)
            for asset_class in AssetClass
            for source in _listing_sources(asset_class, self.settings)
        ]
        paid = [(c, source) for c, source in wanted if c not in FACTS[source].free_lists]
        grants = self.control.take(
            [_want(asset_class, source, now_ms) for asset_class, source in paid],
            now_ms,
            self.token(),
        )
        version = f"{now_ms:013d}"
        jobs = []
        for asset_class in AssetClass:
            own = [grant for grant in grants if grant.asset_class is asset_class]
            sources = [source for c, source in wanted if c is asset_class]
            free = [source for source in sources if asset_class in FACTS[source].free_lists]
            jobs.append(
                {
                    "id": f"{version}-{asset_class.value}",
                    "asset_class": asset_class.value,
                    "version": version,
                    "planned_ms": now_ms,
                    "sources": [source.value for source in sources],
                    "attempts": [
                        *(_attempt(grant) for grant in own if grant.calls),
                        *({"provider": s.value, "calls": 1, "reservation": None} for s in free),
                    ],
                    "skipped": [
                        {"provider": grant.source.value, "reason": grant.reason}
                        for grant in own
                        if not grant.calls
                    ],
                }
            )
        return {"version": version, "restore": restore, "jobs": jobs}


def _want(asset_class: AssetClass, source: Source, now_ms: int) -> Want:
    calls = FACTS[source].asset_calls[asset_class]
    return Want(
        source=source,
        asset_class=asset_class,
        calls=calls,
        least=calls,
        use=Use.ASSETS,
        until_ms=now_ms + REFRESH_BUDGET_MS,
        ask_breaker=False,
    )


def _attempt(grant: Grant) -> dict[str, Any]:
    return {
        "provider": grant.source.value,
        "calls": grant.calls,
        "permit": {"generation": grant.generation, "probe": grant.probe},
        "reservation": {"end_ms": grant.end_ms, "use": grant.use.value},
    }


def _listing_sources(asset_class: AssetClass, settings: Settings) -> tuple[Source, ...]:
    return tuple(
        source
        for source, facts in FACTS.items()
        if asset_class in facts.asset_calls and settings.enabled(source)
    )
