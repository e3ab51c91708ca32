"""Which due symbols share a job, before and after calls were granted for them: pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from zlib import crc32

from marketdata.domain.budget import Use
from marketdata.domain.catalogue import CHAINS, FACTS, Instrument, serves
from marketdata.domain.permits import DueSymbol, Grant
from marketdata.domain.symbols import AssetClass, Symbol

_USES = (Use.ACTIVE, Use.NEW, Use.WATCHED)


@dataclass(frozen=True, slots=True)
class Draft:
    """A job in the making: symbols of one class, for one use, that calls are wanted for.

    `riders` are others that only take free places in these calls.
    """

    asset_class: AssetClass
    use: Use
    instruments: tuple[Instrument, ...]
    riders: tuple[Instrument, ...] = ()

    @property
    def everyone(self) -> tuple[Instrument, ...]:
        """All its symbols, the riders last."""
        return (*self.instruments, *self.riders)


def ordered(due: Sequence[DueSymbol], slot_s: int) -> list[DueSymbol]:
    """Active symbols first, the longest due first.

    Among equals the order changes with the slot, so that a budget that covers only some of them
    does not always cover the same ones.
    """
    return sorted(
        due,
        key=lambda e: (_USES.index(e.use), e.due_ms, crc32(f"{slot_s} {e.symbol}".encode())),
    )


def drafts(
    due: Sequence[tuple[Symbol, Use]], ids: Mapping[str, Mapping[str, str]]
) -> Iterator[Draft]:
    """Due symbols as jobs of at most the largest batch in their chain, in the order of `due`.

    A job's place is that of its first symbol.
    """
    groups: dict[tuple[Use, AssetClass], list[tuple[int, Instrument]]] = {}
    for place, (symbol, use) in enumerate(due):
        known = ids.get(symbol.base, {}) if symbol.asset_class is AssetClass.CRYPTO else {}
        instrument = Instrument(symbol, known)
        groups.setdefault((use, symbol.asset_class), []).append((place, instrument))
    placed = []
    for (use, asset_class), group in groups.items():
        size = max(_batch_sizes(asset_class))
        for start in range(0, len(group), size):
            chosen = tuple(instrument for _, instrument in group[start : start + size])
            placed.append((group[start][0], Draft(asset_class, use, chosen)))
    for _, draft in sorted(placed, key=itemgetter(0)):
        yield draft


def with_riders(
    planned: Sequence[Draft], granted: Sequence[Sequence[Grant]]
) -> Iterator[tuple[Draft, Sequence[Grant]]]:
    """The drafts with their grants; who was granted nothing rides along where that is free.

    It is where every provider of a class prices many symbols a call. A month's free calls are so
    few that what clients ask for would hardly ever get one of its own there.
    """
    calls = [any(grant.calls for grant in grants) for grants in granted]
    waiting: dict[AssetClass, list[Instrument]] = {}
    for draft, has_calls in zip(planned, calls, strict=True):
        if not has_calls and draft.use is not Use.ACTIVE and _is_shared(draft.asset_class):
            waiting.setdefault(draft.asset_class, []).extend(filter(_is_known, draft.instruments))
    seated: set[Symbol] = set()
    for draft, grants, has_calls in zip(planned, granted, calls, strict=True):
        if has_calls and draft.use is Use.ACTIVE:
            others = waiting.get(draft.asset_class, [])
            free = min(_batch_sizes(draft.asset_class)) - len(draft.instruments)
            riders, others[:] = others[: max(0, free)], others[max(0, free) :]
            seated.update(rider.symbol for rider in riders)
            yield replace(draft, riders=tuple(riders)), grants
        else:
            left = tuple(one for one in draft.instruments if one.symbol not in seated)
            yield replace(draft, instruments=left), grants


def _batch_sizes(asset_class: AssetClass) -> list[int]:
    return [FACTS[source].batch_size for source in CHAINS[asset_class]]


def _is_shared(asset_class: AssetClass) -> bool:
    """Whether each call for a class has places for many symbols."""
    return min(_batch_sizes(asset_class)) > 1


def _is_known(instrument: Instrument) -> bool:
    """Whether anybody can be asked for it."""
    return any(serves(source, instrument) for source in CHAINS[instrument.asset_class])
