"""Groups of due symbols: each group becomes one job. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from zlib import crc32

from marketdata.domain.budget import Use
from marketdata.domain.catalogue import CHAINS, FACTS, Instrument, serves
from marketdata.domain.permits import CallGrant, DueSymbol
from marketdata.domain.symbols import AssetClass, Symbol

_USES = (Use.ACTIVE, Use.NEW, Use.WATCHED, Use.UNLISTED)


@dataclass(frozen=True, slots=True)
class Group:
    """Symbols of one class and one use that will share a job.

    `fillers` are symbols of other groups that take free places in the job's calls.
    """

    asset_class: AssetClass
    use: Use
    instruments: tuple[Instrument, ...]
    fillers: tuple[Instrument, ...] = ()

    @property
    def everyone(self) -> tuple[Instrument, ...]:
        """All instruments of the group, the fillers last."""
        return (*self.instruments, *self.fillers)


def ordered(due: Sequence[DueSymbol], slot_s: int) -> list[DueSymbol]:
    """Return active symbols first, the longest due first.

    The order of symbols that are equally long due changes with each slot, so that a small budget
    does not always serve the same ones.
    """
    return sorted(
        due,
        key=lambda e: (_USES.index(e.use), e.due_ms, crc32(f"{slot_s} {e.symbol}".encode())),
    )


def grouped(
    due: Sequence[tuple[Symbol, Use]], ids: Mapping[str, Mapping[str, str]]
) -> Iterator[Group]:
    """Yield due symbols in groups of at most the largest batch in their chain.

    Groups are in the order of their first symbols. `ids` are the provider ids of coins by base.
    """
    by_kind: dict[tuple[Use, AssetClass], list[tuple[int, Instrument]]] = {}
    for place, (symbol, use) in enumerate(due):
        known = ids.get(symbol.base, {}) if symbol.asset_class is AssetClass.CRYPTO else {}
        by_kind.setdefault((use, symbol.asset_class), []).append((place, Instrument(symbol, known)))
    placed = []
    for (use, asset_class), entries in by_kind.items():
        size = max(_batch_sizes(asset_class))
        for start in range(0, len(entries), size):
            chosen = tuple(instrument for _, instrument in entries[start : start + size])
            placed.append((entries[start][0], Group(asset_class, use, chosen)))
    for _, group in sorted(placed, key=itemgetter(0)):
        yield group


def fill_free_places(
    planned: Sequence[Group], granted: Sequence[Sequence[CallGrant]]
) -> Iterator[tuple[Group, Sequence[CallGrant]]]:
    """Yield the groups with their grants. Symbols without a call fill free places of other groups.

    That is done for classes whose providers all price many symbols in one call. Those providers
    allow so few calls a month that symbols of clients would hardly ever get a call.
    """
    calls = [any(grant.calls for grant in grants) for grants in granted]
    waiting: dict[AssetClass, list[Instrument]] = {}
    for group, has_calls in zip(planned, calls, strict=True):
        if not has_calls and group.use is not Use.ACTIVE and _is_shared(group.asset_class):
            waiting.setdefault(group.asset_class, []).extend(filter(_is_known, group.instruments))
    placed: set[Symbol] = set()
    for group, grants, has_calls in zip(planned, granted, calls, strict=True):
        if has_calls and group.use is Use.ACTIVE:
            others = waiting.get(group.asset_class, [])
            free = max(0, min(_batch_sizes(group.asset_class)) - len(group.instruments))
            fillers, others[:] = others[:free], others[free:]
            placed.update(filler.symbol for filler in fillers)
            yield replace(group, fillers=tuple(fillers)), grants
        else:
            left = tuple(one for one in group.instruments if one.symbol not in placed)
            yield replace(group, instruments=left), grants


def _batch_sizes(asset_class: AssetClass) -> list[int]:
    return [FACTS[source].batch_size for source in CHAINS[asset_class]]


def _is_shared(asset_class: AssetClass) -> bool:
    """Return whether each call for a class has places for many symbols."""
    return min(_batch_sizes(asset_class)) > 1


def _is_known(instrument: Instrument) -> bool:
    """Return whether any provider can be asked for an instrument."""
    return any(serves(source, instrument) for source in CHAINS[instrument.asset_class])
