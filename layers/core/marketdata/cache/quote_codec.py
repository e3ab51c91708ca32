"""What `quotes_put.lua` gets and replies: the rules, the quotes, the verdicts. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from marketdata.cache.stored_quotes import stored, times_of
from marketdata.clock import CLOCK_SKEW_MS
from marketdata.domain.acceptance import (
    AGREEMENT,
    BASELINE_MS,
    FUTURE_MS,
    JUMP_LIMITS,
    REPEAT_MS,
    SAME_LOOK_MS,
    UNIT_FACTORS,
    UNIT_HOLD_MS,
    UNIT_TOLERANCE,
    Result,
    Verdict,
    unit_factor,
)
from marketdata.domain.catalogue import CHAINS
from marketdata.domain.history import HOURS_KEPT, MINUTES_KEPT
from marketdata.domain.quotes import Quote, Source, plain

# How long a held price waits for its confirmation.
HELD_S = 3600
# The rules of quotes_put.lua, with the names in that script.
_RULES = {
    "baseline_ms": BASELINE_MS,
    "agreement": AGREEMENT,
    "same_look_ms": SAME_LOOK_MS,
    "unit_tolerance": UNIT_TOLERANCE,
    "unit_factors": dict(UNIT_FACTORS),
    "unit_hold_ms": UNIT_HOLD_MS,
    "repeat_ms": REPEAT_MS,
    "ahead_ms": FUTURE_MS,
    "skew_ms": CLOCK_SKEW_MS,
    "held_s": HELD_S,
    "minutes_kept": MINUTES_KEPT,
    "hours_kept": HOURS_KEPT,
}


def rules_json(retention_s: int) -> str:
    """Return the rules. Quotes are kept for `retention_s` seconds."""
    return json.dumps(_RULES | {"retention_s": retention_s})


def arguments_of(quote: Quote, ids: Mapping[str, str]) -> tuple[Any, ...]:
    """Return a quote as arguments. `ids`: the ids, by source, by which its coin was asked for."""
    fetched, timestamp = times_of(quote)
    return (
        quote.source.value,
        _place_in_chain(quote),
        plain(quote.price),
        quote.currency or "",
        fetched,
        timestamp,
        str(JUMP_LIMITS[quote.asset_class]),
        unit_factor(quote),
        stored(quote, fetched, timestamp),
        ids.get(quote.source.value, ""),
    )


def _place_in_chain(quote: Quote) -> int:
    """Return the place of a quote's source in its chain, from 1; sources outside it come last."""
    chain_of_class = CHAINS[quote.asset_class]
    if quote.source in chain_of_class:
        return chain_of_class.index(quote.source) + 1
    return len(chain_of_class) + 1


def verdict_of(quote: Quote, reply: str) -> Verdict:
    """Return the script's reply to one quote as a verdict."""
    result, _, detail = reply.partition(":")
    if result == Result.WRITTEN:
        return Verdict(quote.symbol, Source(detail), Result.WRITTEN)
    if result == Result.REJECTED:
        reason, _, ahead_ms = detail.partition(":")
        return Verdict(quote.symbol, quote.source, Result.REJECTED, reason, int(ahead_ms))
    return Verdict(quote.symbol, quote.source, Result(result), detail or None)
