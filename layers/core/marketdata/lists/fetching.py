"""The second step of the daily refresh: fetch one class's lists and merge them.

The archive keeps the last good list of each provider. If a provider fails today, its list of
yesterday is merged, so that the merged list does not shrink. The lists are too large for a message
between two steps, so the archive passes them on.
"""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass

from marketdata.clock import epoch_ms, from_epoch_ms
from marketdata.domain.assets import AssetList, Listing
from marketdata.domain.list_messages import AssetJob, AssetReport, ListAttempt, ListOutcome
from marketdata.domain.outcomes import Outcome, outcome_of
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.domain.trading_hours import Timetable
from marketdata.errors import ArchiveError, ProviderError, RateLimitedError, UnauthorizedError
from marketdata.lists.archive import Archive, encode, last_good
from marketdata.lists.coin_changes import coins_of
from marketdata.lists.merging import guard, merge
from marketdata.providers.contract import CallAllowance, Provider, Response, Sender

# A provider may need long for a list of 17,000 coins, and no client waits for it.
LIST_TIMEOUT_S = 40.0

log = logging.getLogger("marketdata.assets")


@dataclass(frozen=True, slots=True)
class AssetFetcher:
    """Fetches one class's lists from every provider of a job and merges them.

    `timetable` returns the hours of a class around an instant (epoch milliseconds), None for a
    class that always trades. `note_rejected_key` is called when a provider's key is missing or
    rejected.
    """

    provider: Callable[[Source], Provider]
    sender: Callable[[Source], Sender]
    executor: Executor
    archive: Archive
    timetable: Callable[[AssetClass, int], Timetable | None]
    note_rejected_key: Callable[[], None] = lambda: None

    def fetch(self, job: AssetJob) -> AssetReport:
        """Do a job: fetch the lists of its attempts, and merge them with the stored ones.

        If the archive has a young list of all its sources, no provider is asked. The timetable is
        in the report also if no provider answers. Raises `ArchiveError`.
        """
        if self._is_archived(job):
            return AssetReport(
                job=job,
                restore=True,
                outcomes=tuple(
                    ListOutcome(provider=attempt.provider, outcome=Outcome.SKIPPED)
                    for attempt in job.attempts
                ),
                timetable=self._timetable(job.asset_class, job.planned_ms),
                execution=job.execution,
            )
        outcomes = tuple(self.executor.map(lambda a: self._list(a, job.asset_class), job.attempts))
        fresh = tuple(o.provider for o in outcomes if o.outcome is Outcome.OK)
        report = AssetReport(
            job=job,
            sources=fresh,
            outcomes=outcomes,
            timetable=self._timetable(job.asset_class, job.planned_ms),
            execution=job.execution,
        )
        if not fresh:
            return report
        listings = [row for source in job.sources for row in self._stored(source, job.asset_class)]
        listed = AssetList(
            asset_class=job.asset_class,
            version=job.version,
            updated_at=from_epoch_ms(job.planned_ms),
            sources=fresh,
            assets=merge(job.asset_class, listings, self._coins_before(job.asset_class)),
        )
        candidate = f"candidate-{job.version}"
        self.archive.put(job.asset_class, candidate, encode(listed))
        return report.model_copy(update={"candidate": candidate, "total": len(listed.assets)})

    def _is_archived(self, job: AssetJob) -> bool:
        """Return whether the archive has a list of all sources that is young enough for a job."""
        listed = last_good(self.archive, job.asset_class) if job.young_ms else None
        if listed is None or not set(job.sources) <= set(listed.sources):
            return False
        return 0 <= job.planned_ms - epoch_ms(listed.updated_at) < job.young_ms

    def _coins_before(self, asset_class: AssetClass) -> dict[str, Mapping[str, str]]:
        """Return the ids of the coin that each ticker named last; empty without a list."""
        if asset_class is not AssetClass.CRYPTO:
            return {}
        coins = coins_of(last_good(self.archive, asset_class))
        return {ticker: coin.ids for ticker, coin in coins.items()}

    def _timetable(self, asset_class: AssetClass, now_ms: int) -> Timetable | None:
        """Return when the class trades; None if the calendar fails, so that the lists are kept."""
        try:
            return self.timetable(asset_class, now_ms)
        except Exception:
            log.exception("calendar failed", extra={"list": asset_class.value})
            return None

    def _list(self, attempt: ListAttempt, asset_class: AssetClass) -> ListOutcome:
        """Fetch one provider's list and keep it in the archive, unless it is much smaller."""
        source, allowance = attempt.provider, CallAllowance(attempt.calls)
        provider, sender = self.provider(source), self.sender(source)
        responses: list[Response] = []
        try:
            for request in provider.build_asset_requests(asset_class):
                responses.append(sender.send(request, LIST_TIMEOUT_S, allowance))
                if responses[-1].status >= 400:
                    break  # parsing raises its error, and further pages would fail as well
            rows = provider.parse_assets(asset_class, responses)
        except ProviderError as error:
            if isinstance(error, UnauthorizedError):
                self.note_rejected_key()
            return ListOutcome(
                provider=source,
                outcome=outcome_of(error),
                calls_used=allowance.used,
                hold_s=error.retry_after_s if isinstance(error, RateLimitedError) else None,
                detail=str(error),
            )
        except Exception:
            log.exception("provider code failed", extra={"provider": source.value})
            objection: str | None = "internal error, see the log"
        else:
            objection = guard(len(rows), len(self._stored(source, asset_class)))
        if objection:
            return ListOutcome(
                provider=source,
                outcome=Outcome.BAD_PAYLOAD,
                calls_used=allowance.used,
                detail=objection,
            )
        data = gzip.compress(json.dumps([asdict(row) for row in rows]).encode())
        self.archive.put(asset_class, f"list-{source.value}", data)
        return ListOutcome(
            provider=source, outcome=Outcome.OK, calls_used=allowance.used, total=len(rows)
        )

    def _stored(self, source: Source, asset_class: AssetClass) -> Sequence[Listing]:
        data = self.archive.get(asset_class, f"list-{source.value}")
        if data is None:
            return ()
        try:
            rows = json.loads(gzip.decompress(data))
            return [Listing(**row | {"source": Source(row["source"])}) for row in rows]
        except (OSError, EOFError, ValueError, TypeError, KeyError) as error:
            raise ArchiveError(f"list of {source.value} in the archive is damaged") from error
