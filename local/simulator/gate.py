"""Handles every call before its provider answers: record, key, quota, faults."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any, Protocol

from local.simulator.faults import Fault
from local.simulator.market import Market
from local.simulator.records import Call
from local.simulator.wire import Manner, Reply, Request, json_reply, text_reply, with_headers
from marketdata.domain.quotes import Source

_HTML = (
    "<!DOCTYPE html><html><head><title>Will be right back...</title></head>"
    "<body><h1>We are doing maintenance.</h1></body></html>"
)


def _no_symbols(_request: Request) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: the kind of its calls, its answer, and the symbols that a request names.

    `counted`: whether calls count against the quota. `keyed`: whether calls need the provider's
    key. `nothing`: the answer without data.
    """

    kind: str
    answer: Callable[[Request], Reply]
    symbols: Callable[[Request], tuple[str, ...]] = _no_symbols
    counted: bool = True
    keyed: bool = True
    nothing: Any = None


class Wire(Protocol):
    """One provider's formats."""

    source: Source

    def route(self, request: Request) -> Route | None:
        """Return the endpoint of a request; None for an unknown path."""
        ...

    def key_problem(self, request: Request) -> Reply | None:
        """Return the error for a request without a key or with a bad one; None for a good key."""
        ...

    def bad_key(self) -> Reply:
        """Return the error for an invalid key."""
        ...

    def not_entitled(self) -> Reply:
        """Return the error for an endpoint or symbol that the plan does not include."""
        ...

    def rate_limited(self, request: Request, window: str, wait_s: int) -> Reply:
        """Return the error for a call beyond a limit; the window admits calls again in `wait_s`."""
        ...

    def unavailable(self, status: int) -> Reply:
        """Return the error for a failure of the provider itself."""
        ...

    def not_found(self) -> Reply:
        """Return the answer to a path that does not exist."""
        ...


class Gate:
    """Answers the requests to one provider and records them in the market."""

    def __init__(self, market: Market, wire: Wire) -> None:
        self._market = market
        self._wire = wire

    def handle(self, request: Request) -> Reply:
        """Answer one request and record it."""
        source, market = self._wire.source, self._market
        with market.lock:
            now_ms = market.now_ms()
            route = self._wire.route(request)
            symbols = () if route is None else route.symbols(request)
            is_data = route is not None and route.counted
            faults = market.faults.of_answer(source, request.path, symbols, now_ms, is_data=is_data)
            reply = self._reply(request, route, faults, now_ms)
            answered = reply.manner in (Manner.WHOLE, Manner.CUT_SHORT)
            market.calls[source].append(
                Call(
                    now_ms,
                    "unknown" if route is None else route.kind,
                    reply.status if answered else 0,
                    len(symbols),
                )
            )
        delay_s = sum(f.options["latency_ms"] for f in faults if f.kind == "latency") / 1000
        headers = (("date", _http_date(now_ms // 1000)), *reply.headers)
        return replace(reply, headers=headers, delay_s=delay_s)

    def _reply(
        self, request: Request, route: Route | None, faults: Iterable[Fault], now_ms: int
    ) -> Reply:
        wire, applied = self._wire, {fault.kind: fault for fault in faults}
        key_error = wire.key_problem(request) if route is not None and route.keyed else None
        if route is not None and route.counted and key_error is None:
            quota = self._market.quotas[wire.source]
            full = quota.admit(now_ms)
            if full is not None:
                wait_s = -(-quota.frees_in_ms(full.window, now_ms) // 1000)
                return wire.rate_limited(request, full.window, wait_s)
        # A provider that is down does not check keys.
        broken = self._outage(request, applied, now_ms)
        if broken is not None:
            return broken
        if route is None:
            return wire.not_found()
        if key_error is not None:
            return key_error
        return self._answer(request, route, applied)

    def _outage(self, request: Request, applied: Mapping[str, Fault], now_ms: int) -> Reply | None:
        """Return the answer of a planted fault that applies before keys are checked, if any."""

        def rate_limited(retry_after: float | None, form: str, window: str) -> Reply:
            reply = self._wire.rate_limited(request, window, 60)
            return _with_retry_after(reply, retry_after, form, now_ms)

        answers: dict[str, Callable[..., Reply]] = {
            "hang": lambda: Reply(0, manner=Manner.HANG),
            "refuse": lambda: Reply(0, manner=Manner.REFUSE),
            "rate_limited": rate_limited,
            "status": self._wire.unavailable,
            "html": lambda status: text_reply(_HTML, status, "text/html; charset=utf-8"),
        }
        for kind, answer in answers.items() if applied else ():
            if kind in applied:
                return answer(**applied[kind].options)
        return None

    def _answer(self, request: Request, route: Route, applied: Mapping[str, Fault]) -> Reply:
        if "bad_key" in applied:
            return self._wire.bad_key()
        if "not_entitled" in applied:
            return self._wire.not_entitled()
        reply = json_reply(route.nothing) if "empty" in applied else route.answer(request)
        cut = applied.get("cut")
        if cut is None:
            return reply
        if cut.options["close"]:
            return replace(reply, manner=Manner.CUT_SHORT)
        return replace(reply, body=reply.body[: len(reply.body) // 2])


def _with_retry_after(reply: Reply, wait_s: float | None, form: str, now_ms: int) -> Reply:
    """Return the reply with the Retry-After of a fault."""
    if form == "none" or wait_s is not None:
        kept = tuple(header for header in reply.headers if header[0] != "retry-after")
        reply = replace(reply, headers=kept)
    if form == "none" or wait_s is None:
        return reply
    if form == "seconds":
        return with_headers(reply, ("retry-after", str(int(wait_s))))
    return with_headers(reply, ("retry-after", _http_date(now_ms // 1000 + int(wait_s))))


@lru_cache(maxsize=8)
def _http_date(at_s: int) -> str:
    return format_datetime(datetime.fromtimestamp(at_s, UTC), usegmt=True)
