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
# A refresh begins this much before its interval is over, so that no list gets older than that while
# it is replaced: the schedule asks every ten minutes, up to a minute late, and a refresh may take a
# quarter of an hour. Short intervals are shortened by a quarter at most.
SCHEDULE_SLACK_MS = 1_800_000


@dataclass(frozen=True, slots=True)
class AssetPlanner:
    """Plans refreshes over the stores that it is given. `token` makes a new unlike text."""

    settings: Settings
    control: ControlState
    assets: AssetStore
    token: Callable[[], str]

    def plan(self, now_ms: int) -> dict[str, Any]:
        """Plan one refresh of all classes: `{version, restore, late, jobs}`, as plain JSON.

        Where another one planned a refresh lately, or all lists are young, there are no jobs.
        `restore` names the classes whose list the cache has lost; `late`, without jobs, those whose
        list is older than the interval, as its last refresh failed.
        A provider whose budget does not cover its list today is left out of its job and named
        under `skipped`; its list of yesterday serves. Raises `CacheUnavailableError`.
        """
        lost = [asset_class for asset_class in AssetClass if self.assets.is_lost(asset_class)]
        interval_ms = self.settings.asset_list_update_interval * 1000
        between_ms = interval_ms - min(SCHEDULE_SLACK_MS, interval_ms // 4)
        restore = [asset_class.value for asset_class in lost]
        if not self.control.claim_refresh(now_ms, between_ms, missing=bool(lost)):
            late = self._older_than(interval_ms, now_ms)
            return {"version": None, "restore": restore, "late": late, "jobs": []}
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
        return {"version": version, "restore": restore, "late": [], "jobs": jobs}

    def _older_than(self, age_ms: int, now_ms: int) -> list[str]:
        metas = {asset_class: self.assets.meta(asset_class) for asset_class in AssetClass}
        return [
            asset_class.value
            for asset_class, meta in metas.items()
            if meta is not None and now_ms - meta.updated_at_ms > age_ms
        ]


def _want(asset_class: AssetClass, source: Source, now_ms: int) -> Want:
    calls = FACTS[source].asset_calls[asset_class]
    return Want(
        source=source,
        asset_class=asset_class,
        calls=calls,
        least=calls,
        extra=FACTS[source].extra_calls,
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
