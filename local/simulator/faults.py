"""Faults that can be planted: their names, their options, and which calls they apply to."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.simulator.records import Move
from local.simulator.wire import JsonObject
from marketdata.domain.quotes import Source

# The faults of a whole answer and those of single prices, with the options of each and their
# defaults. "retry_after" is in seconds; it is sent as "seconds" or "date", or not sent for "none".
# "window" is the window that the provider names as used up.
ANSWER_FAULTS: Mapping[str, Mapping[str, Any]] = {
    "latency": {"latency_ms": 1000},
    "rate_limited": {"retry_after": None, "form": "seconds", "window": "minute"},
    "status": {"status": 503},
    "hang": {},
    "refuse": {},
    "html": {"status": 200},
    "cut": {"close": False},
    "bad_key": {},
    "not_entitled": {},
    "empty": {},
}
CONTENT_FAULTS = frozenset({"cut", "bad_key", "not_entitled", "empty"})
PRICE_FAULTS: Mapping[str, Mapping[str, Any]] = {
    "nan": {},
    "stale": {"age_s": 3600},
    "clock_offset": {"offset_s": 120},
    "bad_tick": {"factor": 10.0},
    "odd_row": {"oddity": "unknown_unit"},
    "unknown": {},
}
KINDS = {**ANSWER_FAULTS, **PRICE_FAULTS}
# True moves of a price, at every provider. They are not faults and are not removed with faults.
MOVES: Mapping[str, Mapping[str, Any]] = {
    "jump": {"symbol": None, "factor": 1.5, "at_ms": None},
    "crash": {"symbol": None, "factor": 0.62, "steps": 12, "every_s": 60, "at_ms": None},
    "pump": {"symbol": None, "factor": 1.6, "steps": 12, "every_s": 60, "at_ms": None},
}
COMMON = ("provider", "path", "symbol", "start_in_s", "duration_s", "answers")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "form": ("seconds", "date", "none"),
    "oddity": ("unknown_unit", "other_currency", "no_price", "doubled"),
}
_NEEDS_SYMBOL = ("bad_tick", "odd_row")


def read_move(kind: str, now_ms: int, options: Mapping[str, Any]) -> Move:
    """Return the move that options describe. Raise ValueError, naming the options, for others."""
    allowed = MOVES[kind]
    if set(options) - set(allowed) or not options.get("symbol"):
        raise ValueError(f"{kind} takes {', '.join(allowed)}, and needs a symbol")
    own = {**allowed, **options}
    move = Move(
        kind,
        own["symbol"],
        int(own["at_ms"] or now_ms),
        float(own["factor"]),
        int(own.get("steps", 1)),
        int(float(own.get("every_s", 1)) * 1000),
    )
    if move.steps < 1 or move.every_ms < 1:
        raise ValueError(f"{kind}: steps and every_s are above 0, not {own}")
    return move


@dataclass(slots=True)
class Fault:
    """One planted fault. `source`, `path` and `symbol` narrow it; None is any.

    `path` is the beginning of a path. The fault applies from `from_ms` until `until_ms` by the
    market's clock and at most `answers` times; None is without end. `options` are those
    of its kind, as the control port takes them.
    """

    number: int
    kind: str
    source: Source | None
    path: str | None
    symbol: str | None
    from_ms: int
    until_ms: int | None
    answers: int | None
    options: JsonObject = field(default_factory=dict)

    def applies(self, source: Source, path: str, symbols: Collection[str], now_ms: int) -> bool:
        """Return whether the fault applies to a call, or to one price of it."""
        return (
            self.from_ms <= now_ms
            and (self.until_ms is None or now_ms < self.until_ms)
            and self.answers != 0
            and self.source in (None, source)
            and (self.path is None or path.startswith(self.path))
            and (self.symbol is None or self.symbol in symbols)
        )

    def spend(self) -> None:
        """Count one use."""
        if self.answers is not None:
            self.answers -= 1


class Faults:
    """The faults of one market."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._numbers = itertools.count(1)

    def plant(self, kind: str, now_ms: int, options: Mapping[str, Any]) -> Fault:
        """Plant a fault and return it. `clear` removes it by its number.

        Raise ValueError, naming what is allowed, for a wrong kind, option or value.
        """
        if kind not in KINDS:
            known = ", ".join((*KINDS, *MOVES))
            raise ValueError(f"no fault is called {kind!r}; there are {known}")
        extra = set(options) - {*COMMON, *KINDS[kind]}
        if extra:
            allowed = ", ".join((*COMMON, *KINDS[kind]))
            raise ValueError(f"{kind} does not take {', '.join(sorted(extra))}; it takes {allowed}")
        own = {**KINDS[kind], **{key: options[key] for key in KINDS[kind] if key in options}}
        for name, choices in CHOICES.items():
            if own.get(name, choices[0]) not in choices:
                raise ValueError(f"{name} is one of {', '.join(choices)}, not {own[name]!r}")
        if kind in _NEEDS_SYMBOL and not options.get("symbol"):
            raise ValueError(f"{kind} needs a symbol")
        provider, duration_s = options.get("provider"), options.get("duration_s")
        from_ms = now_ms + int(float(options.get("start_in_s", 0)) * 1000)
        default_answers = 1 if kind == "bad_tick" else None
        fault = Fault(
            number=next(self._numbers),
            kind=kind,
            source=None if provider is None else Source(provider),
            path=options.get("path"),
            symbol=options.get("symbol"),
            from_ms=from_ms,
            until_ms=None if duration_s is None else from_ms + int(float(duration_s) * 1000),
            answers=options.get("answers", default_answers),
            options=own,
        )
        self._faults = [*self._faults, fault]
        return fault

    def clear(self, *, source: Source | None = None, number: int | None = None) -> int:
        """Remove the faults of a provider, one fault, or all; return how many.

        A fault for all providers is not removed with the faults of one provider.
        """
        kept = [
            fault
            for fault in self._faults
            if (source is not None and fault.source is not source)
            or (number is not None and fault.number != number)
        ]
        gone = len(self._faults) - len(kept)
        self._faults = kept
        return gone

    def of_answer(
        self, source: Source, path: str, symbols: Collection[str], now_ms: int, *, is_data: bool
    ) -> list[Fault]:
        """Return the faults that apply to a whole answer, and count a use of each.

        Faults of content apply to a cookie or a crumb only if they name its path.
        """
        return self._spent(
            fault
            for fault in self._faults
            if fault.kind in ANSWER_FAULTS
            and (is_data or fault.path is not None or fault.kind not in CONTENT_FAULTS)
            and fault.applies(source, path, symbols, now_ms)
        )

    def of_price(self, source: Source, path: str, symbol: str, now_ms: int) -> list[Fault]:
        """Return the faults that apply to one price, and count a use of each."""
        return self._spent(
            fault
            for fault in self._faults
            if fault.kind in PRICE_FAULTS and fault.applies(source, path, (symbol,), now_ms)
        )

    def _spent(self, faults: Iterable[Fault]) -> list[Fault]:
        applied = list(faults)
        for fault in applied:
            fault.spend()
        return applied

    def shown(self, now_ms: int) -> list[JsonObject]:
        """Return all faults that are not over, as plain JSON."""
        return [
            {
                "number": fault.number,
                "fault": fault.kind,
                "provider": None if fault.source is None else fault.source.value,
                "path": fault.path,
                "symbol": fault.symbol,
                "from_ms": fault.from_ms,
                "until_ms": fault.until_ms,
                "answers": fault.answers,
                **fault.options,
            }
            for fault in self._faults
            if fault.answers != 0 and (fault.until_ms is None or now_ms < fault.until_ms)
        ]
