"""The public routes: what each takes and what it can answer, as data.

The app binds a function to each; the documentation is made from the same rows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.routing import Route as PlainRoute
from starlette.types import Receive, Scope, Send

from marketdata.api.parameters import Parameter, whole
from marketdata.api.readers.assets import DEFAULT_LIMIT, MAX_LIMIT, MAX_SEARCH, SEARCH, search_text
from marketdata.api.readers.cursors import SHAPE
from marketdata.api.readers.symbol_lists import (
    LIST,
    MAX_CHARACTERS,
    MAX_SYMBOLS,
    SPELLING,
    requested,
)
from marketdata.domain.outcomes import Reason
from marketdata.domain.symbols import MAX_SYMBOL, AssetClass

MAX_AGE_S = 604_800  # seven days: as long as a quote is kept at all

Endpoint = Callable[[Request], Awaitable[Response]]

# What any route may answer.
_ALWAYS = ("unknown_parameter", "method_not_allowed", "not_acceptable", "payload_too_large")
_FROM_CACHE = ("cache_unavailable", "internal_error")


@dataclass(frozen=True, slots=True)
class Route:
    """One path that is read. `name` is its operation id, `answer` the schema of its 200.

    `problems` are the codes that it can answer with; `is_kept`: whether a cache may keep its answer
    to the next slot; `other_answers` maps a status to its meaning
    and schema where an answer that is no 200 is no problem either.
    """

    path: str
    name: str
    summary: str
    meaning: str
    answer: str
    answer_meaning: str
    parameters: tuple[Parameter, ...] = ()
    path_parameters: tuple[dict[str, Any], ...] = ()
    problems: tuple[str, ...] = (*_ALWAYS, *_FROM_CACHE)
    is_kept: bool = True
    other_answers: Mapping[int, tuple[str, str]] = field(default_factory=dict)


_MAX_AGE = Parameter(
    name="max_age",
    meaning="Oldest quote that will do, in whole seconds since it was fetched, measured at the "
    "start of the current 5-second slot. An older one becomes an error `stale`.",
    schema={"type": "integer", "minimum": 0, "maximum": MAX_AGE_S},
    read=whole(0, MAX_AGE_S),
    example=60,
)

QUOTES = Route(
    path="/v1/quotes",
    name="getQuotes",
    summary="Quotes of up to 100 symbols",
    meaning="Each distinct requested symbol comes back exactly once, in request order, under its "
    "canonical spelling: in `quotes`, or in `errors` with the reason. A symbol that nobody tracks "
    "yet is `pending` and is watched from the next slot until 15 minutes after its last request.",
    answer="Quotes",
    answer_meaning="The cache answered; look at both lists.",
    parameters=(
        Parameter(
            name="symbols",
            meaning=f"Comma-separated symbols, at most {MAX_SYMBOLS} different ones: AAPL, "
            "BTC-USD, EUR/USD; also eur-usd, EURUSD=X, BRK-B. May be repeated.",
            schema={
                "type": "string", "minLength": 1, "maxLength": MAX_CHARACTERS, "pattern": LIST,
            },
            read=requested,
            example="AAPL,BTC-USD,EUR/USD",
            required=True,
            repeatable=True,
        ),
        _MAX_AGE,
    ),
    problems=(
        *_ALWAYS, "invalid_parameter", "too_many_symbols", Reason.INVALID_SYMBOL.value,
        *_FROM_CACHE,
    ),
)  # fmt: skip

QUOTE = Route(
    path="/v1/quotes/{symbol:path}",
    name="getQuote",
    summary="The quote of one symbol",
    meaning="The same quote as in the list, or a problem whose `code` is the reason.",
    answer="Quote",
    answer_meaning="The quote.",
    parameters=(_MAX_AGE,),
    path_parameters=(
        {
            "name": "symbol",
            "in": "path",
            "required": True,
            "description": "Any accepted spelling; a slash may be written as it is or as %2F.",
            "schema": {"type": "string", "maxLength": MAX_SYMBOL, "pattern": SPELLING},
            "example": "BTC-USD",
        },
    ),
    problems=(*_ALWAYS, "invalid_parameter", *(reason.value for reason in Reason), *_FROM_CACHE),
)

ASSETS = Route(
    path="/v1/assets/{asset_type}",
    name="getAssets",
    summary="What can be priced, ranked, page by page",
    meaning="Follow `next_cursor` to the end to see each asset exactly once, even while the list "
    "is refreshed. With `q`, those whose symbol it is or begins come first, then those whose name "
    "holds it.",
    answer="Assets",
    answer_meaning="One page.",
    parameters=(
        Parameter(
            name="limit",
            meaning="Most assets on the page.",
            schema={
                "type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT,
            },
            read=whole(1, MAX_LIMIT),
            example=5,
            default=DEFAULT_LIMIT,
        ),
        Parameter(
            name="cursor",
            meaning="`next_cursor` of the page before, as it is.",
            schema={"type": "string", "pattern": SHAPE},
            read=str,
            example=None,
        ),
        Parameter(
            name="q",
            meaning="Only assets whose symbol begins with this text, or whose name holds it; "
            "upper and lower case are alike.",
            schema={
                "type": "string", "minLength": 1, "maxLength": MAX_SEARCH, "pattern": SEARCH,
            },
            read=search_text,
            example="bit",
        ),
    ),
    path_parameters=(
        {
            "name": "asset_type",
            "in": "path",
            "required": True,
            "description": "A class of assets.",
            "schema": {"type": "string", "enum": [member.value for member in AssetClass]},
            "example": "crypto",
        },
    ),
    problems=(
        *_ALWAYS, "invalid_parameter", "invalid_cursor", "no_such_route", "unknown_cursor",
        "cursor_expired",
        Reason.PENDING.value, *_FROM_CACHE,
    ),
)  # fmt: skip

PROVIDERS = Route(
    path="/v1/providers",
    name="getProviders",
    summary="The five providers: breakers, budgets, last success and error",
    meaning="Per provider: the state of its breaker in each class and why, what is left of its "
    "quotas and when they reset, and the attribution that it asks for.",
    answer="Providers",
    answer_meaning="All providers, in a fixed order.",
)

HEALTH = Route(
    path="/health",
    name="getHealth",
    summary="Whether the service does its work, and if not, why",
    meaning="`healthy`, `degraded` (it serves, with less than all) or `unhealthy` (503). Never "
    "cached.",
    answer="Health",
    answer_meaning="Healthy or degraded.",
    problems=(*_ALWAYS, "internal_error"),
    is_kept=False,
    other_answers={503: ("Unhealthy; `reasons` says why.", "Health")},
)

ROUTES = (QUOTES, QUOTE, ASSETS, PROVIDERS, HEALTH)


class DataRoute(PlainRoute):
    """A public route as the app serves it. The log finds its path in the scope, under `route`.

    FastAPI's own would look for parameters in the endpoint's signature, where there are none, and
    do so again for each request; and Starlette's would look for handlers of exceptions, which go
    to the edge. Each is a tenth of what an answer costs.
    """

    def __init__(self, path: str, endpoint: Endpoint) -> None:
        super().__init__(path, endpoint, methods=["GET"])

        async def serve(scope: Scope, receive: Receive, send: Send) -> None:
            response = await endpoint(Request(scope, receive, send))
            await response(scope, receive, send)

        self.app = serve

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is for it, wholly or but for the method."""
        match, found = super().matches(scope)
        return match, {**found, "route": self} if match is not Match.NONE else found
