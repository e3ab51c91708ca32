"""The report of a day: a table for a person, and JSON for a program."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from local.day.figures import Course, Figure, openings, wrong_planted
from local.day.judge import Judge
from local.day.script import Script
from local.simulator import Market
from marketdata.clock import utc_text
from marketdata.domain.catalogue import CHAINS
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass


def table(
    found: Sequence[Figure], judge: Judge, market: Market, script: Script, course: Course
) -> str:
    """Return the whole day for a person to read."""
    return "\n".join(
        [
            f"{course.hours:g} hours from {_text(script.start_ms)}, seed {course.seed}",
            f"run in {course.real_s:.0f} s",
            "",
            "what went wrong",
            *_plan(script),
            "",
            *_columns(_calls(market)),
            "",
            *_columns(_attempts(judge)),
            "",
            *_columns(_quotes(judge)),
            "",
            "breakers opened, reopened after a probe included",
            *_openings(judge),
            "",
            "events",
            *(f"  {n:>7}  {what}" for what, n in sorted(judge.seen.counts.items()) if n),
            "",
            *_columns(_verdict(found)),
        ]
    )


def as_json(
    found: Sequence[Figure], judge: Judge, market: Market, script: Script, course: Course
) -> str:
    """Return the day as JSON; `missed` names the figures that missed their target."""
    seen = judge.seen
    payload = {
        "ok": all(figure.met for figure in found),
        "missed": [figure.name for figure in found if not figure.met],
        "seed": course.seed,
        "start": _text(script.start_ms),
        "hours": course.hours,
        "real_s": round(course.real_s, 1),
        **{figure.name: figure.value for figure in found},
        "wrong": seen.wrong[:20],
        "fresh_of_all": {c.value: _rounded(s.value()) for c, s in seen.raw.items()},
        "calls": {
            source.value: {
                "arrived": len(market.calls[source]),
                "violations": market.violations[source],
                "peaks": market.peak(source),
                "limits": _limits(market, source),
            }
            for source in Source
        },
        "openings": [
            [_text(turn.at_ms), turn.source, turn.asset_class, turn.reason]
            for turn in openings(seen.turns)
        ],
        "bad_ticks": wrong_planted(judge, market),
        "moves": [
            [move.kind, move.symbol, looks]
            for move, looks in zip(market.moves, judge.moves.looks(), strict=True)
        ],
        "fallbacks": {c.value: seen.fallbacks[c] for c in AssetClass},
        "fallbacks_in_the_same_tick": {c.value: seen.same_tick[c] for c in AssetClass},
    }
    return json.dumps(payload, indent=1)


def _plan(script: Script) -> Iterator[str]:
    """Yield one line for each kind of fault, with its times."""
    spans_of: dict[str, list[str]] = {}
    for planned in script.planned:
        begins, ends = (
            datetime.fromtimestamp(ms / 1000, UTC) for ms in (planned.from_ms, planned.until_ms)
        )
        span = f"{begins:%H:%M}" + (f"-{ends:%H:%M}" if planned.kind != "jump" else "")
        named = planned.symbol is not None and planned.kind != "stale"
        source = f"{planned.source.value} " if planned.source and named else ""
        factor = f" x{planned.options['factor']:g}" if "factor" in planned.options else ""
        steps = f" {planned.options['steps']} times" if "steps" in planned.options else ""
        oddity = f" {planned.options.get('oddity', '')}".rstrip()
        which = f" {source}{planned.symbol}{factor}{steps}{oddity}" if named else ""
        spans = spans_of.setdefault(planned.what, [])
        if span + which not in spans:
            spans.append(span + which)
    for what, spans in spans_of.items():
        yield f"  {what}: {', '.join(spans)}"


def _calls(market: Market) -> Iterator[Sequence[str]]:
    yield "calls", "arrived, free ones too", "beyond quota", "most in any window / limit"
    for source in Source:
        limits, peaks = _limits(market, source), market.peak(source)
        windows = ", ".join(f"{peaks[w]}/{limits[w]} a {w}" for w in limits)
        beyond = str(market.violations[source])
        yield source.value, str(len(market.calls[source])), beyond, windows


def _attempts(judge: Judge) -> Iterator[Sequence[str]]:
    yield "attempts", "by outcome"
    for source in Source:
        counted = [(n, name) for (own, name), n in judge.seen.outcomes.items() if own is source]
        outcomes = ", ".join(f"{name} {n}" for n, name in sorted(counted, reverse=True))
        yield source.value, outcomes


def _quotes(judge: Judge) -> Iterator[Sequence[str]]:
    yield "quotes", "fresh", "fresh of all", "written", "fallbacks", "in the same tick"
    seen = judge.seen
    for asset_class in AssetClass:
        written = ", ".join(
            f"{source.value} {seen.written[asset_class, source]}" for source in CHAINS[asset_class]
        )
        yield (
            asset_class.value,
            _percent(seen.fresh[asset_class].value()),
            _percent(seen.raw[asset_class].value()),
            written,
            str(seen.fallbacks[asset_class]),
            str(seen.same_tick[asset_class]),
        )


def _openings(judge: Judge) -> Iterator[str]:
    times_of: dict[str, list[str]] = {}
    for turn in openings(judge.seen.turns):
        name = f"{turn.source.value}/{turn.asset_class.value} {turn.reason}"
        times_of.setdefault(name, []).append(_text(turn.at_ms)[11:16])
    for name, times in times_of.items():
        yield f"  {len(times):>4}  {name}, first at {times[0]}, last at {times[-1]}"


def _verdict(found: Iterable[Figure]) -> Iterator[Sequence[str]]:
    yield "figure", "value", "target", ""
    for figure in found:
        value = "none" if figure.value in (0, []) else str(figure.value)
        yield figure.description, value, figure.target, "met" if figure.met else "MISSED"


def _columns(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    listed = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*listed, strict=True)]
    for row in listed:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _limits(market: Market, source: Source) -> dict[str, int]:
    return {limit.window: limit.calls for limit in market.quotas[source].limits}


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 5)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f} %"


def _text(ms: int) -> str:
    return utc_text(datetime.fromtimestamp(ms // 1000, UTC))
