"""The second step of the daily refresh: fetch one class's lists and merge them.

Each provider's last good list is kept in the archive by itself, so a provider that fails today is
represented by its list of yesterday, and the merged list never shrinks because one was away. The
lists are too large for a step's payload; they pass through the archive.
"""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from marketdata.domain.assets import AssetList, Listing
from marketdata.domain.outcomes import Outcome, outcome_of
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.domain.trading_hours import Timetable
from marketdata.errors import ArchiveError, ProviderError
from marketdata.lists.archive import Archive, encode
from marketdata.lists.merging import guard, merge
from marketdata.providers.contract import CallAllowance, Provider, Sender

# A list of 17,000 coins may take its provider a while; nothing waits for it.
LIST_TIMEOUT_S = 40.0

log = logging.getLogger("marketdata.assets")


@dataclass(frozen=True, slots=True)
class AssetFetcher:
    """Fetches one class's lists from every provider of a job and merges them.

    `timetable` tells when a class trades around an instant (epoch milliseconds); None where it
    always does.
    """

    provider: Callable[[Source], Provider]
    sender: Callable[[Source], Sender]
    executor: Executor
    archive: Archive
    timetable: Callable[[AssetClass, int], Timetable | None]

    def fetch(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Do a job: `{job, candidate, total, sources, outcomes, timetable}`, as plain JSON.

        `candidate` names the merged list in the archive, None where no provider answered;
        `sources` are those whose list is of today; `timetable` is there whatever they do, None
        where there is none. Raises `ArchiveError`.
        """
        asset_class = AssetClass(job["asset_class"])
        results = list(self.executor.map(lambda a: self._list(a, asset_class), job["attempts"]))
        fresh = [result["provider"] for result in results if result["outcome"] == "ok"]
        report: dict[str, Any] = {
            "job": job,
            "candidate": None,
            "total": 0,
            "sources": fresh,
            "outcomes": results,
            "timetable": self._timetable(asset_class, job["planned_ms"]),
        }
        if fresh:
            known = [Source(name) for name in job["sources"]]
            listings = [row for source in known for row in self._stored(source, asset_class)]
            assets = merge(asset_class, listings)
            candidate = f"candidate-{job['version']}"
            listed = AssetList(
                asset_class=asset_class,
                version=job["version"],
                updated_at=datetime.fromtimestamp(job["planned_ms"] / 1000, UTC),
                sources=tuple(Source(name) for name in fresh),
                assets=assets,
            )
            self.archive.put(asset_class, candidate, encode(listed))
            report |= {"candidate": candidate, "total": len(assets)}
        return report

    def _timetable(self, asset_class: AssetClass, now_ms: int) -> dict[str, Any] | None:
        """When the class trades; a calendar that fails must not take the lists with it."""
        try:
            timetable = self.timetable(asset_class, now_ms)
        except Exception:
            log.exception("calendar failed", extra={"list": asset_class.value})
            return None
        return None if timetable is None else timetable.to_step()

    def _list(self, attempt: Mapping[str, Any], asset_class: AssetClass) -> dict[str, Any]:
        """Fetch one provider's list and keep it in the archive, unless it is much smaller."""
        source, allowance = Source(attempt["provider"]), CallAllowance(attempt["calls"])
        provider, sender = self.provider(source), self.sender(source)
        result: dict[str, Any] = {
            "provider": source.value,
            "outcome": Outcome.OK.value,
            "calls_used": 0,
            "hold_s": None,
            "detail": "",
            "total": 0,
        }
        responses = []
        try:
            for request in provider.build_asset_requests(asset_class):
                try:
                    responses.append(sender.send(request, LIST_TIMEOUT_S, allowance))
                finally:
                    result["calls_used"] = allowance.used
                if responses[-1].status >= 400:
                    break  # parsing says what it means; further pages would be refused too
            rows = provider.parse_assets(asset_class, responses)
        except ProviderError as error:
            hold_s = getattr(error, "retry_after_s", None)
            return result | {
                "outcome": outcome_of(error).value, "detail": str(error), "hold_s": hold_s,
            }  # fmt: skip
        except Exception:
            log.exception("provider code failed", extra={"provider": source.value})
            return result | {
                "outcome": Outcome.BAD_PAYLOAD.value, "detail": "internal error, see the log",
            }  # fmt: skip
        refusal = guard(len(rows), len(self._stored(source, asset_class)))
        if refusal:
            return result | {"outcome": Outcome.BAD_PAYLOAD.value, "detail": refusal}
        data = gzip.compress(json.dumps([asdict(row) for row in rows]).encode())
        self.archive.put(asset_class, f"list-{source.value}", data)
        return result | {"total": len(rows)}

    def _stored(self, source: Source, asset_class: AssetClass) -> Sequence[Listing]:
        data = self.archive.get(asset_class, f"list-{source.value}")
        if data is None:
            return ()
        try:
            rows = json.loads(gzip.decompress(data))
            return [Listing(**row | {"source": Source(row["source"])}) for row in rows]
        except (OSError, EOFError, ValueError, TypeError, KeyError) as error:
            raise ArchiveError(f"list of {source.value} in the archive is damaged") from error
