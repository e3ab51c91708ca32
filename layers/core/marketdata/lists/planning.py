"""The first step of the daily refresh: reserve the calls for the asset lists, one job per class."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from marketdata.cache.asset_store import AssetStore
from marketdata.cache.control import ControlState
from marketdata.domain.breaker import Permit
from marketdata.domain.budget import Use
from marketdata.domain.catalogue import FACTS
from marketdata.domain.list_messages import AssetJob, AssetPlan, ListAttempt, SkippedList
from marketdata.domain.messages import Reservation
from marketdata.domain.permits import CallGrant, CallRequest
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.settings import Settings

# How long after the plan the calls of a refresh may be made.
REFRESH_BUDGET_MS = 120_000
# A refresh begins this much before its interval ends, so that no list gets older than the interval
# while it is replaced. The schedule starts every ten minutes, up to a minute late, and a refresh
# may take a quarter of an hour. Short intervals are shortened by a quarter at most. A list
# that is still not replaced after half of this time was restored from the archive, or its refresh
# failed. Then a refresh of such lists is due, although another refresh was claimed before.
SCHEDULE_SLACK_MS = 1_800_000


@dataclass(frozen=True, slots=True)
class AssetPlanner:
    """Plans refreshes over the stores that it is given. `token` returns a unique string."""

    settings: Settings
    control: ControlState
    assets: AssetStore
    token: Callable[[], str]

    def plan(self, now_ms: int, execution: str = "") -> AssetPlan:
        """Plan one refresh of the classes whose list is old or lost.

        If another plan was made lately, or if all lists are young, there are no jobs. If the budget
        of a provider does not cover its list today, the provider is under `skipped`, and its list
        of yesterday is used. A list that the cache has lost is fetched only if the archive has no
        young one. Raises `CacheUnavailableError`.
        """
        lost = tuple(asset_class for asset_class in AssetClass if self.assets.is_lost(asset_class))
        interval_ms = self.settings.asset_list_update_interval * 1000
        slack_ms = min(SCHEDULE_SLACK_MS, interval_ms // 4)
        between_ms = interval_ms - slack_ms
        needed = {*lost, *self._older_than(between_ms, now_ms)}
        overdue = {*lost, *self._older_than(between_ms + slack_ms // 2, now_ms)}
        if not needed or not self.control.claim_refresh(now_ms, between_ms, missing=bool(overdue)):
            late = self._older_than(interval_ms, now_ms)
            return AssetPlan(version=None, restore=lost, late=late, jobs=(), execution=execution)
        listing = {
            asset_class: _listing_sources(asset_class, self.settings)
            for asset_class in AssetClass
            if asset_class in needed
        }
        requests = [
            _request(asset_class, source, now_ms)
            for asset_class, sources in listing.items()
            for source in sources
            if asset_class not in FACTS[source].free_lists
        ]
        grants = self.control.take(requests, now_ms, self.token())
        version = f"{now_ms:013d}"
        jobs = tuple(
            AssetJob(
                id=f"{version}-{asset_class.value}",
                asset_class=asset_class,
                version=version,
                planned_ms=now_ms,
                sources=sources,
                attempts=tuple(_attempts(asset_class, sources, grants)),
                skipped=tuple(
                    SkippedList(provider=grant.source, reason=grant.reason)
                    for grant in grants
                    if grant.asset_class is asset_class and grant.reason is not None
                ),
                young_ms=between_ms if asset_class in lost else 0,
                execution=execution,
            )
            for asset_class, sources in listing.items()
        )
        return AssetPlan(version=version, restore=lost, jobs=jobs, execution=execution)

    def _older_than(self, age_ms: int, now_ms: int) -> tuple[AssetClass, ...]:
        metas = {asset_class: self.assets.meta(asset_class) for asset_class in AssetClass}
        return tuple(
            asset_class
            for asset_class, meta in metas.items()
            if meta is not None and now_ms - meta.updated_at_ms > age_ms
        )


def _request(asset_class: AssetClass, source: Source, now_ms: int) -> CallRequest:
    calls = FACTS[source].asset_calls[asset_class]
    return CallRequest(
        source=source,
        asset_class=asset_class,
        calls=calls,
        least=calls,
        extra=FACTS[source].extra_calls,
        use=Use.ASSETS,
        until_ms=now_ms + REFRESH_BUDGET_MS,
        ask_breaker=False,
    )


def _attempts(
    asset_class: AssetClass, sources: Sequence[Source], grants: Sequence[CallGrant]
) -> Iterator[ListAttempt]:
    """Yield the attempts that were granted calls, then those whose list costs none."""
    for grant in grants:
        if grant.asset_class is asset_class and grant.calls:
            yield ListAttempt(
                provider=grant.source,
                calls=grant.calls,
                permit=Permit(grant.generation, grant.probe),
                reservation=Reservation(end_ms=grant.end_ms, use=grant.use),
            )
    for source in sources:
        if asset_class in FACTS[source].free_lists:
            yield ListAttempt(provider=source, calls=1)


def _listing_sources(asset_class: AssetClass, settings: Settings) -> tuple[Source, ...]:
    return tuple(
        source
        for source, facts in FACTS.items()
        if asset_class in facts.asset_calls and settings.enabled(source)
    )
