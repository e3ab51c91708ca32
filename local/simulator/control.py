"""The control port: plant and clear faults, show the record, check prices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from local.simulator.faults import CHOICES, COMMON, KINDS, MOVES
from local.simulator.market import Market
from local.simulator.records import Move
from local.simulator.wire import JsonObject, Reply, Request, json_reply
from marketdata.domain.quotes import Source

_HELP = {"faults": KINDS, "options_of_each_fault": COMMON, "moves": MOVES, "choices": CHOICES}


@dataclass(frozen=True, slots=True)
class Control:
    """The routes of the control port. Wrong requests are answered 400 with what is allowed."""

    market: Market
    base_urls: Mapping[Source, str]

    def handle(self, request: Request) -> Reply:
        """Answer one request."""
        routes: dict[tuple[str, str], Callable[[Request], Reply]] = {
            ("GET", "/control/state"): lambda _: json_reply(self._state()),
            ("GET", "/control/faults"): lambda _: json_reply(_HELP),
            ("POST", "/control/faults"): self._plant,
            ("DELETE", "/control/faults"): lambda request: self._clear(request.query),
            ("POST", "/control/check"): self._check,
        }
        route = routes.get((request.method.replace("HEAD", "GET"), request.path))
        if route is None:
            paths = sorted(f"{method} {path}" for method, path in routes)
            return json_reply({"error": f"no such path; there are {', '.join(paths)}"}, 404)
        try:
            return route(request)
        except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation) as error:
            return json_reply({"error": f"{type(error).__name__}: {error}"}, 400)

    def _check(self, request: Request) -> Reply:
        """Answer whether each {symbol, price, timestamp_ms, source} is right."""
        return json_reply(
            [
                self.market.is_true(
                    quote["symbol"],
                    Decimal(str(quote["price"])),
                    quote["timestamp_ms"],
                    Source(quote["source"]),
                )
                for quote in request.json()
            ]
        )

    def _plant(self, request: Request) -> Reply:
        options = dict(request.json())
        if options.pop("clear", False):
            return self._clear(options)
        planted = self.market.control(options.pop("fault"), **options)
        if isinstance(planted, Move):
            return json_reply(planted._asdict())
        return json_reply({"number": planted.number, "until_ms": planted.until_ms})

    def _clear(self, options: Mapping[str, Any]) -> Reply:
        provider, number = options.get("provider"), options.get("number")
        cleared = self.market.clear(
            source=Source(provider) if provider else None,
            number=int(number) if number else None,
        )
        return json_reply({"cleared": cleared})

    def _state(self) -> JsonObject:
        market = self.market
        with market.lock:
            now_ms = market.now_ms()
            return {
                "seed": market.seed,
                "now_ms": now_ms,
                "base_urls": {source.value: url for source, url in self.base_urls.items()},
                "faults": market.faults.shown(now_ms),
                "moves": [move._asdict() for move in market.moves],
                "planted": [
                    {**tick._asdict(), "price": str(tick.price)} for tick in market.planted
                ],
                "providers": {source.value: self._provider(source, now_ms) for source in Source},
            }

    def _provider(self, source: Source, now_ms: int) -> JsonObject:
        quota, peaks = self.market.quotas[source], self.market.peak(source)
        calls = Counter((call.kind, call.status) for call in self.market.calls[source])
        return {
            "calls": [
                {"kind": kind, "status": status, "count": count}
                for (kind, status), count in sorted(calls.items())
            ],
            "violations": quota.violations,
            "limits": [
                {
                    "limit": str(limit),
                    "used": quota.used(limit.window, now_ms),
                    "peak": peaks[limit.window],
                }
                for limit in quota.limits
            ],
        }
