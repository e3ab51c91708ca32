"""Faults that can be planted: what each is called, what it takes, and when it strikes."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from marketdata.domain.quotes import Source

# What strikes a whole answer, and what strikes single prices, with the options of each and their
# defaults. "retry_after" is in seconds, sent in the form "seconds", "date" or "none"; "window" is
# the one that the provider says is spent.
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
    "bad_tick": {"factor": 10.0},
    "unknown": {},
}
KINDS = {**ANSWER_FAULTS, **PRICE_FAULTS}
JUMP: Mapping[str, Any] = {"symbol": None, "factor": 1.5, "at_ms": None}
COMMON = ("provider", "path", "symbol", "start_in_s", "duration_s", "answers")
FORMS = ("seconds", "date", "none")


@dataclass(slots=True)
class Fault:
    """One planted fault. `source`, `path` and `symbol` narrow it; None is any.

    `path` is the beginning of a path. It strikes from `from_ms` until `until_ms` by the market's
    clock and at most `answers` times; None is without end.
    """

    number: int
    kind: str
    source: Source | None
    path: str | None
    symbol: str | None
    from_ms: int
    until_ms: int | None
    answers: int | None
    options: dict[str, Any] = field(default_factory=dict)

    def strikes(self, source: Source, path: str, symbols: Collection[str], now_ms: int) -> bool:
        """Whether it applies to a call, or to one price of it."""
        return (
            self.from_ms <= now_ms
            and (self.until_ms is None or now_ms < self.until_ms)
            and self.answers != 0
            and self.source in (None, source)
            and (self.path is None or path.startswith(self.path))
            and (self.symbol is None or self.symbol in symbols)
        )

    def spend(self) -> None:
        """Count one strike."""
        if self.answers is not None:
            self.answers -= 1


class Faults:
    """The faults of one market."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._numbers = itertools.count(1)

    def plant(self, kind: str, now_ms: int, options: Mapping[str, Any]) -> Fault:
        """Plant a fault; its number takes it out again.

        Raises ValueError, saying what is allowed, for a wrong kind, option or value.
        """
        if kind not in KINDS:
            raise ValueError(f"no fault is called {kind!r}; there are {', '.join(KINDS)}, jump")
        extra = set(options) - {*COMMON, *KINDS[kind]}
        if extra:
            allowed = ", ".join((*COMMON, *KINDS[kind]))
            raise ValueError(f"{kind} does not take {', '.join(sorted(extra))}; it takes {allowed}")
        own = {**KINDS[kind], **{key: options[key] for key in KINDS[kind] if key in options}}
        if own.get("form", "seconds") not in FORMS:
            raise ValueError(f"form is one of {', '.join(FORMS)}, not {own['form']!r}")
        if kind == "bad_tick" and not options.get("symbol"):
            raise ValueError("bad_tick needs a symbol")
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
        """Take out the faults of a provider (those for any provider stay), one, or all; how many.

        What has happened, a jump above all, is not undone.
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
        """The faults that strike a whole answer, each counted as spent.

        What is not data (a cookie, a crumb) meets the faults of content only by its path.
        """
        return self._strike(
            fault
            for fault in self._faults
            if fault.kind in ANSWER_FAULTS
            and (is_data or fault.path is not None or fault.kind not in CONTENT_FAULTS)
            and fault.strikes(source, path, symbols, now_ms)
        )

    def of_price(self, source: Source, path: str, symbol: str, now_ms: int) -> list[Fault]:
        """The faults that strike one price, each counted as spent."""
        return self._strike(
            fault
            for fault in self._faults
            if fault.kind in PRICE_FAULTS and fault.strikes(source, path, (symbol,), now_ms)
        )

    def _strike(self, faults: Iterable[Fault]) -> list[Fault]:
        struck = list(faults)
        for fault in struck:
            fault.spend()
        return struck

    def shown(self, now_ms: int) -> list[dict[str, Any]]:
        """All that are not over, as plain JSON."""
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
