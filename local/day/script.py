"""The planned faults of the day and their times: a pure function of seed, start and length.

A full day runs from midnight to midnight. A shorter run begins a quarter of its length before New
York opens. It has the same faults, each at a fixed share of the run.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

from local.day.watchlist import SYMBOLS
from marketdata.clock import HOUR_MS, MINUTE_MS
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass

MIDNIGHT_MS = 1_773_792_000_000  # Wednesday 2026-03-18 00:00 UTC
OPENS_MS = MIDNIGHT_MS + 13 * HOUR_MS + 30 * MINUTE_MS  # New York, summer time
CLOSES_MS = OPENS_MS + 6 * HOUR_MS + 30 * MINUTE_MS
# A shorter run is placed around the opening of New York. If it were longer than this, faults of
# stocks would come after the close.
LEAST_HOURS, MOST_SHORT_HOURS = 2.0, 12.0
DAY_HOURS = 24.0
_T = TypeVar("_T")

STOCKS, CRYPTO, FOREX = AssetClass.STOCKS, AssetClass.CRYPTO, AssetClass.FOREX
# How long a planned bad tick waits until its provider is asked. The slowest provider is asked every
# five minutes.
BAD_TICK_MS = 12 * MINUTE_MS
BAD_FACTORS = (10.0, 0.1, 100.0, 0.01, 2.5, 0.4)
JUMP_FACTORS = {STOCKS: 1.4, CRYPTO: 0.6, FOREX: 1.07}
# Moves over several minutes: kind, class, options.
LONG_MOVES: tuple[tuple[str, AssetClass, Mapping[str, float]], ...] = (
    ("crash", STOCKS, {"factor": 0.62, "steps": 6, "every_s": 120}),
    ("pump", STOCKS, {"factor": 1.5, "steps": 8, "every_s": 60}),
    ("crash", CRYPTO, {"factor": 0.62, "steps": 6, "every_s": 120}),
    ("pump", CRYPTO, {"factor": 1.6, "steps": 6, "every_s": 120}),
)
# Rows with a defect: kind, class, provider, options.
ODD_ROWS: tuple[tuple[str, AssetClass, Source, Mapping[str, str]], ...] = (
    ("nan", STOCKS, Source.YFINANCE, {}),
    ("odd_row", STOCKS, Source.YFINANCE, {"oddity": "unknown_unit"}),
    ("odd_row", STOCKS, Source.YFINANCE, {"oddity": "no_price"}),
    ("odd_row", STOCKS, Source.YFINANCE, {"oddity": "doubled"}),
    ("odd_row", CRYPTO, Source.COINGECKO, {"oddity": "other_currency"}),
    ("odd_row", CRYPTO, Source.COINMARKETCAP, {"oddity": "doubled"}),
)
ODD_ROW_MS = 4 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Planned:
    """One fault, or one move of a price, from `from_ms` to `until_ms` (epoch ms).

    `what` names it for people. `kind` and `options` are those of `Market.control`.
    """

    what: str
    kind: str
    from_ms: int
    until_ms: int
    source: Source | None = None
    symbol: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Opening:
    """A breaker that has to open: because of a fault of its provider, for a reason."""

    source: Source
    asset_class: AssetClass
    reason: str


@dataclass(frozen=True, slots=True)
class Script:
    """The run: its span (epoch ms), its faults, and the breakers that have to open.

    `outage_ms`: when an outage of all of Yahoo begins and ends.
    """

    start_ms: int
    end_ms: int
    planned: tuple[Planned, ...]
    outage_ms: tuple[int, int]
    openings: tuple[Opening, ...]


# Minutes after midnight, or the share of a shorter run; then the lengths in minutes.
_PLACES: Mapping[str, tuple[float, float, float, float]] = MappingProxyType(
    {
        "coingecko": (150, 0.06, 60, 12),
        "coingecko again": (510, 0.90, 20, 6),
        "coinmarketcap": (330, 0.20, 60, 12),
        "yahoo clock": (1080, 0.36, 10, 4),
        "stale": (855, 0.46, 20, 4),
        "outage": (930, 0.60, 60, 4),
        # both during the outage, when stocks have no other provider
        "finnhub": (958, 0.60, 3, 1),
        "finnhub clock": (975, 0.60, 3, 1),
    }
)
# How many minutes after that place a fault of a shorter run begins. The outage has the same length
# in every shorter run.
_LATER: Mapping[str, float] = MappingProxyType({"finnhub": 0.48, "finnhub clock": 2.4})
_SHAKE_MS = 8 * MINUTE_MS  # of a full day


def write_script(seed: int, hours: float = DAY_HOURS) -> Script:
    """Return the script of a day, or of a shorter run. Raise ValueError for any other length."""
    if hours != DAY_HOURS and not LEAST_HOURS <= hours <= MOST_SHORT_HOURS:
        allowed = f"{LEAST_HOURS:g} to {MOST_SHORT_HOURS:g} hours, or {DAY_HOURS:g}"
        raise ValueError(f"a run has {allowed}, not {hours:g}")
    return _Writer(random.Random(f"script {seed}"), hours).script()


class _Writer:
    def __init__(self, rng: random.Random, hours: float) -> None:
        self._rng = rng
        self._full_day = hours == DAY_HOURS
        span_ms = round(hours * 720) * 5_000
        self._start_ms = MIDNIGHT_MS if self._full_day else OPENS_MS - span_ms // 4 // 5_000 * 5_000
        self._end_ms = self._start_ms + span_ms
        shaken = rng.uniform(-1, 1)
        self._shift_ms = round(shaken * (_SHAKE_MS if self._full_day else span_ms * 0.004))

    def script(self) -> Script:
        faults = [*self._coin_trouble(), *self._stock_trouble()]
        moves = [*self._jumps()]
        moves += self._long_moves({move.symbol for move in moves})
        moving = {move.symbol for move in moves}
        bad_ticks = list(self._bad_ticks(faults, moving))
        wrong = {tick.symbol for tick in bad_ticks}
        odd_rows = list(self._odd_rows(faults, moving | wrong))
        return Script(
            self._start_ms,
            self._end_ms,
            tuple(sorted([*faults, *moves, *bad_ticks, *odd_rows], key=lambda p: p.from_ms)),
            self._span("outage"),
            (
                Opening(Source.COINMARKETCAP, CRYPTO, "bad_key"),
                Opening(Source.YFINANCE, STOCKS, "stale_source"),
                Opening(Source.YFINANCE, STOCKS, "unavailable"),
                Opening(Source.YFINANCE, FOREX, "unavailable"),
            ),
        )

    def _coin_trouble(self) -> Iterator[Planned]:
        limited = "CoinGecko answers 429"
        for name, wait in (
            ("coingecko", {"retry_after": 120}),
            ("coingecko again", {"retry_after": 90, "form": "date"}),
        ):
            yield Planned(
                limited, "rate_limited", *self._span(name), Source.COINGECKO, options=wait
            )
        key = "CoinMarketCap rejects the key"
        yield Planned(key, "bad_key", *self._span("coinmarketcap"), Source.COINMARKETCAP)

    def _stock_trouble(self) -> Iterator[Planned]:
        old = "Yahoo's times are an hour old"
        for symbol in (*SYMBOLS[STOCKS], SYMBOLS[FOREX][-1]):
            span = self._span("stale")
            yield Planned(old, "stale", *span, Source.YFINANCE, symbol, {"age_s": 3600})
        begins, ends = self._span("outage")
        half = (begins + ends) // 2
        down = "Yahoo is down"
        yield Planned(down, "status", begins, half, Source.YFINANCE, options={"status": 503})
        yield Planned(down, "refuse", half, ends, Source.YFINANCE)
        yield Planned("Finnhub hangs", "hang", *self._span("finnhub"), Source.FINNHUB)
        for what, name, source, offset_s in (
            ("Yahoo's clock is half a minute ahead", "yahoo clock", Source.YFINANCE, 30),
            ("Finnhub's clock is two minutes ahead", "finnhub clock", Source.FINNHUB, 120),
        ):
            options = {"offset_s": offset_s}
            yield Planned(what, "clock_offset", *self._span(name), source, options=options)

    def _jumps(self) -> Iterator[Planned]:
        """Yield true jumps, each of a symbol that has no bad tick."""
        last = min(CLOSES_MS, self._end_ms)
        for asset_class, factor in JUMP_FACTORS.items():
            earliest = self._span("outage")[1] + 10 * MINUTE_MS
            at_ms = self._between(earliest, last - 15 * MINUTE_MS)
            symbol = self._rng.choice(SYMBOLS[asset_class][:-1])
            options = {"factor": factor}
            yield Planned("a true jump", "jump", at_ms, at_ms, None, symbol, options)

    def _long_moves(self, taken: set[str | None]) -> Iterator[Planned]:
        """Yield crashes and pumps, each of a symbol that has no other move."""
        last = min(CLOSES_MS, self._end_ms)
        earliest = self._span("outage")[1] + 10 * MINUTE_MS
        symbols = {
            asset_class: [symbol for symbol in listed if symbol not in taken]
            for asset_class, listed in SYMBOLS.items()
        }
        for kind, asset_class, options in LONG_MOVES:
            length_ms = int((options["steps"] - 1) * options["every_s"] * 1000)
            at_ms = self._between(earliest, last - 11 * MINUTE_MS - length_ms)
            symbol = _take(self._rng, symbols[asset_class])
            what = "a price that keeps falling" if kind == "crash" else "a price that keeps rising"
            yield Planned(what, kind, at_ms, at_ms + length_ms, None, symbol, options)

    def _odd_rows(self, faults: Sequence[Planned], taken: set[str | None]) -> Iterator[Planned]:
        """Yield rows with a defect, each of another symbol, while their provider has no fault."""
        symbols = {
            asset_class: [symbol for symbol in listed if symbol not in taken]
            for asset_class, listed in SYMBOLS.items()
        }
        early_ms = self._start_ms + (self._end_ms - self._start_ms) // 10
        for kind, asset_class, source, options in ODD_ROWS:
            first_ms = OPENS_MS + 2 * MINUTE_MS if asset_class is STOCKS else early_ms
            last = min(CLOSES_MS, self._end_ms) if asset_class is STOCKS else self._end_ms
            at_ms = self._healthy(source, faults, first_ms, last - BAD_TICK_MS - 2 * MINUTE_MS)
            symbol = _take(self._rng, symbols[asset_class])
            until_ms = at_ms + ODD_ROW_MS
            what = "a row with a defect" if kind == "odd_row" else "a price that is not a number"
            yield Planned(what, kind, at_ms, until_ms, source, symbol, options)

    def _bad_ticks(self, faults: Sequence[Planned], jumping: set[str | None]) -> Iterator[Planned]:
        """Yield single bad ticks, each of another symbol and size, at providers without a fault."""
        early_ms = self._start_ms + (self._end_ms - self._start_ms) // 10
        late_ms = self._end_ms - BAD_TICK_MS - 2 * MINUTE_MS
        stock_ms = OPENS_MS + 2 * MINUTE_MS, min(CLOSES_MS - BAD_TICK_MS, late_ms)
        any_ms = early_ms, late_ms
        many = 2 if self._full_day else 1
        wanted = [
            (STOCKS, Source.YFINANCE, 2 + many, stock_ms),
            (CRYPTO, Source.COINGECKO, many, any_ms),
            (CRYPTO, Source.COINMARKETCAP, many, any_ms),
            (FOREX, Source.YFINANCE, 1 + many, any_ms),
        ]
        factors = {asset_class: list(BAD_FACTORS) for asset_class in SYMBOLS}
        symbols = {
            asset_class: [symbol for symbol in listed if symbol not in jumping]
            for asset_class, listed in SYMBOLS.items()
        }
        for asset_class, source, count, span in wanted:
            for _ in range(count):
                begins = self._healthy(source, faults, *span)
                symbol = _take(self._rng, symbols[asset_class])
                factor = _take(self._rng, factors[asset_class])
                yield self._bad_tick(source, symbol, factor, begins)
        if self._full_day:  # asked once an hour at most, for one pair after the other
            for symbol in [s for s in SYMBOLS[FOREX] if s not in jumping]:
                factor = _take(self._rng, factors[FOREX])
                begins = self._start_ms + 6 * HOUR_MS
                yield self._bad_tick(Source.ALPHA_VANTAGE, symbol, factor, begins, 4 * HOUR_MS)

    def _bad_tick(
        self, source: Source, symbol: str, factor: float, begins: int, wait_ms: int = BAD_TICK_MS
    ) -> Planned:
        what, options = "a bad tick", {"factor": factor}
        return Planned(what, "bad_tick", begins, begins + wait_ms, source, symbol, options)

    def _healthy(
        self, source: Source, faults: Sequence[Planned], from_ms: int, until_ms: int
    ) -> int:
        """Return a random time with no fault of a provider for a while before and after it."""
        while True:
            at_ms = self._between(from_ms, until_ms)
            before, after = at_ms - 7 * MINUTE_MS, at_ms + BAD_TICK_MS
            own = [fault for fault in faults if fault.source is source]
            if all(fault.until_ms < before or fault.from_ms > after for fault in own):
                return at_ms

    def _between(self, from_ms: int, until_ms: int) -> int:
        return self._rng.randrange(from_ms, until_ms)

    def _span(self, name: str) -> tuple[int, int]:
        minutes, share, length, short_length = _PLACES[name]
        if self._full_day:
            begins = MIDNIGHT_MS + round(minutes * MINUTE_MS)
        else:
            begins, length = self._start_ms, short_length
            begins += round((self._end_ms - self._start_ms) * share)
            begins += round(_LATER.get(name, 0) * MINUTE_MS)
        begins += self._shift_ms
        return begins, begins + round(length * MINUTE_MS)


def _take(rng: random.Random, left: list[_T]) -> _T:
    """Remove one of the entries at random and return it."""
    return left.pop(rng.randrange(len(left)))
