"""Claims slots and reads what is due in them, by `slot_open.lua`.

A value in the answer that cannot be read is removed, and the log names it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Sequence

from pydantic import TypeAdapter, ValidationError

from marketdata.cache.client import Cache
from marketdata.cache.control_codec import TAG
from marketdata.clock import CLOCK_SKEW_MS, DAY_MS, HOUR_MS, SLOT_MS
from marketdata.domain.budget import Use
from marketdata.domain.permits import DueSymbol, OpenSlot
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass, symbol_or_none
from marketdata.domain.trading_hours import Timetable
from marketdata.domain.watch_rules import ANSWERED_MS, LEAST_UNLISTED, WATCHED_MS
from marketdata.errors import WrongTypeError

# A slot that is later than this by the clock of Redis comes from a wrong clock.
SLOT_LATE_S = 10
DUE_MEMORY_MS = HOUR_MS
DUE_SPARE = 5_000  # due times kept beside those of the active symbols
# No symbol is due later than this; a later time is damaged.
DUE_AHEAD_MS = 2 * DAY_MS
CLOCKS_MOST = 50  # workers with a wrong clock that are kept
# A timetable has some hundred sessions. A text with more bytes than this is damaged.
TIMETABLE_BYTES = 50_000

_TIMETABLE = TypeAdapter(Timetable)

log = logging.getLogger("marketdata.control")


class Slots:
    """The slots of the price loop. `worker` names this process if its clock is wrong.

    Every method raises `CacheUnavailableError`.
    """

    def __init__(self, cache: Cache, worker: str) -> None:
        self._cache = cache
        self._worker = worker
        self._clock_is_wrong = False

    def open(self, slot_s: int, now_ms: int, active: Sequence[str]) -> OpenSlot | None:
        """Claim a slot (epoch seconds) and return what is due in it; None if another has it.

        A slot is given to one caller only, and only if it is later than every slot claimed so far.
        A slot that is far from the clock of Redis is replaced by the slot of that clock.
        """
        asked = {
            "slot": slot_s,
            "slot_ms": SLOT_MS,
            "slot_late_s": SLOT_LATE_S,
            "wall_ms": now_ms,
            "worker": self._worker,
            "most_clocks": CLOCKS_MOST,
            "timetable_bytes": TIMETABLE_BYTES,
            "answered_ms": ANSWERED_MS,
            "least_unlisted": LEAST_UNLISTED,
            "active": active,
            "watched_ms": WATCHED_MS,
            "due_memory_ms": DUE_MEMORY_MS,
            "due_spare": DUE_SPARE,
            "due_ahead_ms": DUE_AHEAD_MS,
        }
        answer = self._cache.script(
            "slot_open",
            self._keys("slot", "due", "watched", "excluded", "timetables", "clocks", "unlisted"),
            (self._cache.time_argument(now_ms), json.dumps(asked)),
        )
        at, repaired, *claimed = answer
        log_repaired(key.decode() for key in repaired)
        self._log_clock(now_ms - int(at))
        if not claimed:
            return None
        slot, due_active, new, due_watched, due_unlisted, excluded, timetables, previous = claimed
        return OpenSlot(
            slot_s=int(slot),
            now_ms=int(at),
            due=(
                *_due_of(due_active, Use.ACTIVE),
                *(DueSymbol(symbol, Use.NEW, 0) for symbol in self._valid(_lines_of(new))),
                *self._valid_due(_due_of(due_watched, Use.WATCHED)),
                *self._valid_due(_due_of(due_unlisted, Use.UNLISTED)),
            ),
            excluded=frozenset(self._exclusions(excluded)),
            timetables=self._timetables(timetables),
            previous_s=None if previous is None else int(previous),
        )

    def keep_timetable(self, asset_class: AssetClass, timetable: Timetable) -> None:
        """Store the timetable of a class; `open_slot` returns it with each slot."""
        (key,) = self._keys("timetables")
        command = ("HSET", key, asset_class.value, _timetable_text(timetable))
        try:
            self._cache.command(*command)
        except WrongTypeError:
            log_repaired([key])
            self._cache.many([("UNLINK", key), command])

    def _valid(self, symbols: Sequence[str]) -> list[str]:
        """Return the watched symbols that are symbols, and remove all others."""
        wrong = [symbol for symbol in symbols if symbol_or_none(symbol) is None]
        if wrong:
            (key,) = self._keys("watched")
            log_repaired([key])
            self._cache.command("ZREM", key, *wrong)
        return [symbol for symbol in symbols if symbol not in wrong]

    def _valid_due(self, due: Iterable[DueSymbol]) -> list[DueSymbol]:
        entries = list(due)
        valid = set(self._valid([entry.symbol for entry in entries]))
        return [entry for entry in entries if entry.symbol in valid]

    def _timetables(self, flat: Sequence[bytes]) -> dict[AssetClass, Timetable]:
        """Return the timetables that can be read, by class, and remove all others."""
        timetables = _timetables_of(flat)
        known = {asset_class.value.encode() for asset_class in timetables}
        wrong = [field for field in flat[::2] if field not in known]
        if wrong:
            (key,) = self._keys("timetables")
            log_repaired([key])
            self._cache.command("HDEL", key, *wrong[:1000])
        return timetables

    def _exclusions(self, names: Sequence[bytes]) -> list[tuple[Source, str]]:
        """Return the exclusions that can be read, and remove all others."""
        read = {name: _exclusion_of(name) for name in names}
        wrong = [name for name, exclusion in read.items() if exclusion is None]
        if wrong:
            (key,) = self._keys("excluded")
            log_repaired([key])
            self._cache.command("ZREM", key, *wrong[:1000])
        return [exclusion for exclusion in read.values() if exclusion is not None]

    def _log_clock(self, offset_ms: int) -> None:
        """Log when the clock of this worker becomes wrong, and when it is right again."""
        is_wrong = abs(offset_ms) > CLOCK_SKEW_MS
        if is_wrong and not self._clock_is_wrong:
            fields = {"worker": self._worker, "offset_s": round(offset_ms / 1000, 1)}
            log.error("clock differs from that of Redis", extra=fields)
        elif self._clock_is_wrong and not is_wrong:
            log.warning("clock is right again", extra={"worker": self._worker})
        self._clock_is_wrong = is_wrong

    def _keys(self, *names: str) -> list[str]:
        return [self._cache.key(TAG, name) for name in names]


def log_repaired(keys: Iterable[str]) -> None:
    """Log that a script removed or rebuilt the values of these keys, which could not be read."""
    for key in sorted(set(keys)):
        log.error("unreadable value removed", extra={"key": key})


def _due_of(text: bytes, use: Use) -> Iterator[DueSymbol]:
    """Return the symbols of one of slot_open's lists; the one that is due longest comes first."""
    lines = _lines_of(text)
    pairs = sorted(zip(map(int, lines[1::2]), lines[::2], strict=True))
    return (DueSymbol(symbol, use, at) for at, symbol in pairs)


def _lines_of(text: bytes) -> list[str]:
    """Return the items of one of slot_open's lists."""
    return text.decode().split("\n") if text else []


def _exclusion_of(name: bytes) -> tuple[Source, str] | None:
    """Return source and symbol of an `exclusion_name`; None for any other text."""
    try:
        source, symbol = name.decode().split(" ", 1)
        return Source(source), symbol
    except ValueError:
        return None


def _timetables_of(flat: Sequence[bytes]) -> dict[AssetClass, Timetable]:
    """Return the timetables of a hash by class, without those that cannot be read."""
    stored = dict(zip(flat[::2], flat[1::2], strict=True))
    texts = {known: stored.get(known.value.encode(), b"") for known in AssetClass}
    read = {known: _timetable(text) for known, text in texts.items()}
    return {known: timetable for known, timetable in read.items() if timetable is not None}


def _timetable_text(timetable: Timetable) -> bytes:
    """Return a timetable as it is stored."""
    return _TIMETABLE.dump_json(timetable)


def _timetable(text: bytes) -> Timetable | None:
    try:
        return _TIMETABLE.validate_json(text)
    except ValidationError:
        return None
