"""The figures of a day, and the target that each has to meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from local.day.judge import Judge, Turn
from local.day.script import Planned, Script
from local.simulator import Market
from marketdata.clock import MINUTE_MS
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass

LEAST_FRESH = 0.99
MOST_LOOKS = 2  # looks at a symbol until a moved price is shown
MOST_BEHIND = 2  # looks that a served price may be older than the latest one
# Quotes, held prices, reasons, two versions of three lists with their indexes, control state.
MOST_KEYS = 400
MOST_GROWTH_BYTES = 8 * 1024 * 1024  # after the first hour
# A report that was fetched during a fault may be committed later.
_AFTERMATH_MS = 2 * MINUTE_MS
# Faults that must not open a breaker: defects of one symbol, and wrong times of a provider.
SPARING = frozenset({"bad_tick", "odd_row", "nan", "clock_offset"})

# As in the JSON of the report; None where there was nothing to measure.
FigureValue = float | str | Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its name in the JSON, its description in the table, its value and its target."""

    name: str
    description: str
    value: FigureValue
    target: str
    met: bool


@dataclass(frozen=True, slots=True)
class Course:
    """The facts of a run besides the judge's records. `memory`: keys and bytes by hour.

    `real_s`: how long it took, which depends on the machine and has no target.
    """

    seed: int
    hours: float
    real_s: float
    memory: Sequence[tuple[int, int]]
    defects: int


def figures(judge: Judge, market: Market, script: Script, course: Course) -> list[Figure]:
    """Return every figure that has a target."""
    return [
        *_prices(judge, market),
        *_freshness(judge),
        *_calls(market),
        *_breakers(judge.seen.turns, script),
        *_running(judge.seen.counts, course),
    ]


def wrong_planted(judge: Judge, market: Market) -> Mapping[str, int]:
    """Return how many bad ticks were planted, held, and lost with a worker."""
    held = len(judge.seen.held)
    lost = judge.seen.counts["bad ticks lost with a worker"]
    return {"planted": len(market.planted), "held": held, "lost": lost}


def openings(turns: Sequence[Turn]) -> list[Turn]:
    """Return the openings of breakers."""
    return [turn for turn in turns if turn.state == "open"]


def _prices(judge: Judge, market: Market) -> Iterator[Figure]:
    wrong, looks = judge.seen.wrong, judge.moves.looks()
    yield _none("wrong_quotes", "quotes with a wrong price", len(wrong))
    planted = wrong_planted(judge, market)
    caught = planted["held"] + planted["lost"]
    yield Figure(
        "bad_ticks_caught",
        "planted bad ticks held back",
        f"{caught} of {planted['planted']}",
        "all",
        caught == planted["planted"] > 0,
    )
    slowest = max((count or 99 for count in looks), default=0)
    target = f"at most {MOST_LOOKS}"
    description = "looks until a jump, crash or pump is followed"
    yield Figure("move_looks", description, slowest, target, 0 < slowest <= MOST_LOOKS)
    behind = judge.looks.most_behind
    target = f"at most {MOST_BEHIND}"
    description = "looks that a served price was behind"
    yield Figure("looks_behind", description, behind, target, 0 <= behind <= MOST_BEHIND)
    future = judge.seen.counts["prices of the future that were shown"]
    yield _none("future_prices", "prices of the future that were shown", future)
    old = judge.seen.counts["old prices shown as fresh"]
    yield _none("old_as_fresh", "old prices shown as fresh", old)
    back = judge.seen.counts["quotes that went back in time"]
    yield _none("went_back", "quotes that went back in time", back)


def _freshness(judge: Judge) -> Iterator[Figure]:
    descriptions = {
        AssetClass.STOCKS: "stocks fresh in session, except moving prices",
        AssetClass.CRYPTO: "crypto fresh, except moving prices",
        AssetClass.FOREX: "forex fresh, except moving prices and Yahoo's outage",
    }
    for asset_class, description in descriptions.items():
        share = judge.seen.fresh[asset_class].value()
        met = share is not None and share >= LEAST_FRESH
        value = None if share is None else round(share, 5)
        yield Figure(f"fresh_{asset_class}", description, value, f"at least {LEAST_FRESH}", met)


def _calls(market: Market) -> Iterator[Figure]:
    for source in Source:
        beyond = market.violations[source]
        limits = {limit.window: limit.calls for limit in market.quotas[source].limits}
        over = any(peak > limits[window] for window, peak in market.peak(source).items())
        description = f"calls beyond {source.value}'s quota"
        yield Figure(
            f"violations_{source.value}", description, beyond, "none", not beyond and not over
        )


def _breakers(turns: Sequence[Turn], script: Script) -> Iterator[Figure]:
    opened = openings(turns)
    missed = [
        f"{due.source.value}/{due.asset_class.value} {due.reason}"
        for due in script.openings
        if not any(
            (turn.source, turn.asset_class, turn.reason)
            == (due.source, due.asset_class, due.reason)
            for turn in opened
        )
    ]
    yield _none("breakers_not_opened", "breakers that should have opened", missed)
    groundless = [
        f"{turn.source.value}/{turn.asset_class.value} {turn.reason}"
        for turn in opened
        if not any(_explains(fault, turn) for fault in script.planned)
    ]
    yield _none("breakers_groundless", "breakers opened without a fault", groundless)


def _explains(fault: Planned, turn: Turn) -> bool:
    begun = fault.from_ms <= turn.at_ms <= fault.until_ms + _AFTERMATH_MS
    return begun and fault.source is turn.source and fault.kind not in SPARING


def _running(counts: Mapping[str, int], course: Course) -> Iterator[Figure]:
    unclaimed = counts["slots that not exactly one worker won"]
    yield _none("slots_contested", "slots that not exactly one worker won", unclaimed)
    yield _none("defects", "errors of our code", course.defects)
    keys, after_an_hour, last = 0, 0, 0
    if course.memory:
        keys = max(count for count, _ in course.memory)
        after_an_hour, last = course.memory[0][1], course.memory[-1][1]
    target = f"at most {MOST_KEYS}"
    yield Figure("redis_keys", "keys in Redis at most", keys, target, 0 < keys <= MOST_KEYS)
    growth = last - after_an_hour
    yield Figure(
        "redis_growth_bytes",
        "growth of Redis after the first hour",
        growth,
        f"at most {MOST_GROWTH_BYTES}",
        growth <= MOST_GROWTH_BYTES,
    )


def _none(name: str, description: str, value: FigureValue) -> Figure:
    return Figure(name, description, value, "none", not value)
