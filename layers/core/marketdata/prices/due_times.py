"""When the symbols of a job are asked for again, by what its report says. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

from marketdata.clock import SLOT_S
from marketdata.domain.acceptance import Result, Verdict
from marketdata.domain.budget import Use
from marketdata.domain.messages import Report
from marketdata.domain.outcomes import Reason
from marketdata.domain.quotes import Source
from marketdata.domain.staleness import STALE_SOURCE

# A symbol that no provider knows is asked for again after this time.
NOT_FOUND_PAUSE_S = 900
# The same for a symbol that had a price before, because it is more likely missing by mistake.
LOST_PAUSE_S = 60
# An answer is incomplete if it lacks most of the symbols that had a price before, and at least this
# many. Bad rows in most of an answer, and at least this many, are a defect of the provider.
LEAST_LOST = 3
# The pause of a thinly traded symbol: its price is old while its source has current prices of
# others.
UNTRADED_PAUSE_S = 60
# The pause of a symbol whose row or price has a defect.
REJECTED_PAUSE_S = 60


def next_due(
    report: Report,
    verdicts: Iterable[Verdict],
    update_period_s: Callable[[Source], int],
    *,
    stale: Collection[Source],
    ahead: Collection[Source],
) -> dict[str, int]:
    """Return when each symbol of a job is next due, epoch ms, always at the start of a slot.

    A written symbol is due after the period of its source. A symbol is due after a pause if no
    provider knows it, if it is thinly traded, or if its price has a defect. So is a symbol of a
    client whose row has a defect. All other symbols are due in the next slot, also the missing
    symbols of an incomplete answer and of an answer with mostly bad rows.
    `stale`: the sources whose answer is old as a whole. `ahead`: those whose clock is ahead of
    ours.
    """
    slot_ms = report.job.slot * 1000
    pauses_s = {instrument.symbol.text: SLOT_S for instrument in report.job.instruments}
    pauses_s.update(_missing(report))
    # Written quotes come last, so a rejected one of another source does not delay their symbols.
    for verdict in sorted(verdicts, key=lambda one: one.result is Result.WRITTEN):
        pause_s = SLOT_S
        if verdict.result is Result.WRITTEN:
            pause_s = update_period_s(verdict.source)
        elif verdict.reason == STALE_SOURCE and verdict.source not in stale:
            pause_s = UNTRADED_PAUSE_S
        elif verdict.result is Result.REJECTED and verdict.source not in ahead:
            pause_s = REJECTED_PAUSE_S
        pauses_s[verdict.symbol] = pause_s
    return {symbol: slot_ms + pause_s * 1000 for symbol, pause_s in pauses_s.items()}


def _missing(report: Report) -> Iterator[tuple[str, int]]:
    """Yield the missing symbols that are not due in the next slot, and the pause of each."""
    job = report.job
    lost = [one.symbol for one in report.missing if one.symbol in job.last]
    is_incomplete = _is_most(lost, job.last)
    bad = {symbol for outcome in report.outcomes for symbol in outcome.bad_rows}
    is_mostly_bad = _is_most(bad, job.instruments)
    for one in report.missing:
        if one.symbol in bad and job.use is not Use.ACTIVE and not is_mostly_bad:
            yield one.symbol, REJECTED_PAUSE_S
        elif one.code is Reason.NOT_FOUND and one.symbol not in job.last:
            yield one.symbol, NOT_FOUND_PAUSE_S
        elif one.code is Reason.NOT_FOUND and not is_incomplete:
            yield one.symbol, LOST_PAUSE_S


def _is_most(some: Collection[object], all_of_them: Collection[object]) -> bool:
    return len(some) >= LEAST_LOST and 2 * len(some) > len(all_of_them)
