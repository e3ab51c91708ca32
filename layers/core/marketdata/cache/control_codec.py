"""Values of `domain.permits` as JSON for the control scripts, and answers as such values.

None is left out of the JSON, because in Lua a JSON null counts as true.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from marketdata.cache.client import Cache
from marketdata.domain.breaker import BreakerPolicy, BreakerState, Transition
from marketdata.domain.budget import Limit, Use
from marketdata.domain.catalogue import CHAINS
from marketdata.domain.outcomes import BreakerEffect, DenyReason, Outcome
from marketdata.domain.permits import (
    MOST_DETAIL,
    AttemptResult,
    CallGrant,
    CallRequest,
    ClassState,
    ControlView,
    LastError,
    LimitState,
    ProviderState,
)
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass

TAG = "control"
# A JSON object for a Lua script. The header of the script lists its fields; no other code reads it.
ScriptJson = dict[str, Any]

_ERROR_EFFECTS = frozenset({BreakerEffect.FAILURE, BreakerEffect.TRIP, BreakerEffect.STALE})
# Effects whose detail is kept as an error although the provider answered.
_NOTED_OUTCOMES = frozenset({Outcome.OK.value, Outcome.PARTIAL.value, Outcome.BAD_ROW.value})
_ERROR_OUTCOMES = frozenset({Outcome.RATE_LIMITED.value, Outcome.NOT_ENTITLED.value})


class KeyPlaces:
    """The keys of one script call. Methods return the place of a key, counted from 1 as in Lua."""

    def __init__(self, cache: Cache, *names: str) -> None:
        self._cache = cache
        self._places = {cache.key(TAG, name): at for at, name in enumerate(names, start=1)}

    @property
    def keys(self) -> list[str]:
        """All keys, in their places."""
        return list(self._places)

    def ledger(self, source: Source) -> int:
        """Return the place of a provider's ledger."""
        return self._place("budget", source.value)

    def breaker(self, source: Source, asset_class: AssetClass) -> int:
        """Return the place of the breaker of a provider and class."""
        return self._place("breaker", source.value, asset_class.value)

    def _place(self, *parts: str) -> int:
        return self._places.setdefault(self._cache.key(TAG, *parts), len(self._places) + 1)


def policy_as_json(policy: BreakerPolicy) -> dict[str, int]:
    """Return a policy as JSON, with the names in breaker_rules.lua."""
    return {
        "open_ms": policy.open_ms,
        "probe_lease_ms": policy.probe_lease_ms,
        "window_ms": policy.window_ms,
        "failures": policy.failures,
        "stale_answers": policy.stale_answers,
    }


def limits_as_json(limits: Sequence[Limit]) -> list[list[int]]:
    """Return limits as pairs of calls and milliseconds."""
    return [[limit.calls, limit.window_ms] for limit in limits]


def request_as_json(
    request: CallRequest, keys: KeyPlaces, limits: Sequence[Limit], now_ms: int
) -> ScriptJson:
    """Return a request for calls as JSON for attempts_take."""
    plain = ("calls", "least", "extra", "job", "size")
    return {
        "breaker": keys.breaker(request.source, request.asset_class),
        "ledger": keys.ledger(request.source),
        "limits": limits_as_json(limits),
        "use": request.use.value,
        "ask": request.ask_breaker,
        "run_ms": max(0, request.until_ms - now_ms),
        **{name: getattr(request, name) for name in plain},
    }


def grant_of(request: CallRequest, answer: Mapping[str, Any]) -> CallGrant:
    """Return the answer of attempts_take to one request."""
    reason = answer.get("reason")
    return CallGrant(
        source=request.source,
        asset_class=request.asset_class,
        calls=answer["calls"],
        generation=answer["generation"],
        probe=answer.get("probe"),
        end_ms=answer["end_ms"],
        use=Use(answer["use"]),
        reason=None if reason is None else DenyReason(reason),
        available_at_ms=_ms(answer.get("at")),
    )


def result_as_json(
    result: AttemptResult, keys: KeyPlaces, limits: Sequence[Limit], now_ms: int
) -> ScriptJson:
    """Return a result as JSON for attempts_record."""
    used = max(0, min(result.calls_used, result.calls_granted))
    hold_until_ms = result.hold_until_ms
    fields = {
        "breaker": keys.breaker(result.source, result.asset_class),
        "ledger": keys.ledger(result.source),
        "limits": limits_as_json(limits),
        "generation": result.generation,
        "probe": result.probe,
        "granted": result.calls_granted,
        "used": used,
        "unsent": max(0, min(result.calls_unsent, used)),
        "end_ms": result.end_ms,
        "use": result.use.value,
        "effect": _breaker_effect(result).value,
        "unjudged": None if result.judged else True,
        "reason": result.reason,
        "hold_ms": None if hold_until_ms is None else max(0, hold_until_ms - now_ms),
        "error": _error_as_json(result),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _breaker_effect(result: AttemptResult) -> BreakerEffect:
    """Return the effect; a failure with only symbols that clients chose is neutral."""
    if result.only_client_symbols and result.effect in (BreakerEffect.FAILURE, BreakerEffect.STALE):
        return BreakerEffect.NEUTRAL
    return result.effect


def transition_of(results: Sequence[AttemptResult], change: Mapping[str, Any]) -> Transition:
    """Return a change of state that attempts_record answered."""
    result = results[change["result"] - 1]
    return Transition(
        source=result.source,
        asset_class=result.asset_class,
        before=BreakerState(change["before"]),
        after=BreakerState(change["after"]),
        reason=change.get("reason"),
        generation=change["generation"],
    )


def clock_name(source: Source) -> str:
    """Return the name of a source among the clocks. The names of workers have no blank."""
    return f"source {source.value}"


def exclusion_name(source: Source, symbol: str) -> str:
    """Return the name of a symbol that a provider's plan excludes."""
    return f"{source.value} {symbol}"


def breakers_of(source: Source) -> list[AssetClass]:
    """Return the classes that a provider is asked for. Each has a separate breaker."""
    return [asset_class for asset_class, chain in CHAINS.items() if source in chain]


def view_of(answer: Mapping[str, Any], limits: Mapping[Source, Sequence[Limit]]) -> ControlView:
    """Return the answer of control_read, which has the order of `limits` and `breakers_of`."""
    breakers, ledgers = iter(answer["breakers"]), iter(answer["ledgers"])
    return ControlView(
        providers={
            source: _provider(source, own, next(ledgers), breakers)
            for source, own in limits.items()
        },
        last_slot_s=_ms(answer.get("slot")),
        now_ms=int(answer["now"]),
        wrong_clocks={
            name: int(offset_ms)
            for name, offset_ms in answer["clocks"]
            if name not in map(clock_name, Source)
        },
        times_ahead={
            source: int(offset_ms)
            for source in Source
            for name, offset_ms in answer["clocks"]
            if name == clock_name(source)
        },
    )


def json_of(text: bytes) -> Any:
    """Return the JSON that a script answered. Bytes that are not UTF-8 are replaced."""
    return json.loads(text.decode(errors="replace"))


def _provider(
    source: Source,
    limits: Sequence[Limit],
    ledger: Mapping[str, Any],
    breakers: Iterator[Mapping[str, Any]],
) -> ProviderState:
    return ProviderState(
        source=source,
        classes={asset_class: _class_state(next(breakers)) for asset_class in breakers_of(source)},
        limits=tuple(
            LimitState(limit, int(state["used"]), _ms(state.get("reset")))
            for limit, state in zip(limits, ledger["limits"], strict=True)
        ),
        hold_until_ms=_ms(ledger["hold"] or None),
        routine_at_ms=_ms(ledger.get("at")),
    )


def _class_state(answer: Mapping[str, Any]) -> ClassState:
    state = BreakerState(answer["state"])
    return ClassState(
        state=state,
        since_ms=_ms(answer.get("since")),
        reason=None if state is BreakerState.CLOSED else answer.get("reason") or None,
        generation=int(answer["generation"]),
        probe_due_ms=_ms(answer.get("probe_due")),
        probing=answer.get("probing", False),
        last_success_ms=_ms(answer.get("success_at")),
        last_error=_last_error(answer.get("error")),
    )


def _error_as_json(result: AttemptResult) -> list[str] | None:
    is_error = result.effect in _ERROR_EFFECTS or result.outcome in _ERROR_OUTCOMES
    if not is_error and not (result.detail and result.outcome in _NOTED_OUTCOMES):
        return None
    return [result.outcome, result.detail[:MOST_DETAIL]]


def _last_error(text: str | None) -> LastError | None:
    if text is None:
        return None
    try:
        at_ms, outcome, detail = json.loads(text)
        f"{outcome}{detail}".encode()  # raises ValueError for half of a surrogate pair
        return LastError(int(at_ms), str(outcome), str(detail))
    except (ValueError, TypeError, OverflowError):
        return None  # the error is only shown, so a damaged one must not fail a reader


def _ms(number: float | None) -> int | None:
    return None if number is None else int(number)
