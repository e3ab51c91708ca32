"""The path operations: what each takes, what it answers, and which reader it asks.

`readers.call` calls a reader in a thread, so that a slow answer of the cache does not hold up other
requests; `dependencies` says why it does not on Lambda. Quotes leave the cache as stored bytes in a
`Response`; the models in `schemas` describe them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from marketdata.api import schemas
from marketdata.api.caching import answer
from marketdata.api.dependencies import ReadersDep, SlotNow, no_repeated_parameters
from marketdata.api.problems import KINDS, LIST_PENDING_STATUS, MEDIA_TYPE, Problem
from marketdata.api.queries import (
    AssetsQuery,
    HistoryQuery,
    NoQuery,
    QuoteQuery,
    QuotesQuery,
    SearchQuery,
)
from marketdata.api.readers.symbol_lists import SPELLING, requested, requested_one
from marketdata.clock import seconds_left_in_slot
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.symbols import MAX_SYMBOL, AssetClass

MARKET_HEADER = "X-Market-Data"

_ALWAYS = ("unknown_parameter", "method_not_allowed", "payload_too_large")
_FROM_CACHE = ("cache_unavailable", "internal_error")
_REASONS = tuple(reason.value for reason in Reason)

router = APIRouter(dependencies=[Depends(no_repeated_parameters)])


@dataclass(frozen=True, slots=True)
class _Headers:
    """The headers of an answer, for the document."""

    kept: bool = True

    def document(self) -> dict[str, Any]:
        meanings = {MARKET_HEADER: "`live` or `simulated`: what the prices are of."}
        if self.kept:
            meanings["ETag"] = "Tag of this content; send it back as `If-None-Match`."
            meanings["Cache-Control"] = "How long the answer holds: to the next slot."
        else:
            meanings["Cache-Control"] = "`no-store`: the answer is of this moment."
        return {
            name: {"description": meaning, "schema": {"type": "string"}}
            for name, meaning in meanings.items()
        }


def _responses(
    description: str, problems: Iterable[str], *, kept: bool = True, **statuses: int
) -> dict[int | str, dict[str, Any]]:
    """The documented responses of an operation: its answer, 304, and each of its problems.

    `statuses`: problems that have another status here than that of their kind.
    """
    found: dict[int | str, dict[str, Any]] = {
        200: {"description": description, "headers": _Headers(kept).document()}
    }
    if kept:
        found[304] = {"description": "Nothing has changed since `If-None-Match`."}
    for code in (*_ALWAYS, *problems, *_FROM_CACHE):
        status = statuses.get(code, KINDS[code].status)
        entry = found.setdefault(
            status, {"description": "", "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}
        )
        entry["description"] = f"{entry['description']} `{code}`".strip()
        if status in (404, 503):
            entry["headers"] = _RETRY
    return found


_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_RETRY = {
    "Retry-After": {
        "description": "Seconds after which it is worth asking again, if that is known.",
        "schema": {"type": "string"},
    }
}


@router.get(
    "/v1/quotes",
    operation_id="getQuotes",
    tags=["quotes"],
    summary="Quotes of up to 100 symbols",
    response_model=schemas.Quotes,
    responses=_responses(
        "The cache answered; look at both lists.",
        ("invalid_parameter", "too_many_symbols", Reason.INVALID_SYMBOL.value),
    ),
)
async def get_quotes(
    request: Request, query: Annotated[QuotesQuery, Query()], readers: ReadersDep, now_ms: SlotNow
) -> Response:
    """Each distinct symbol comes back exactly once, in request order, in its canonical spelling.

    It is in `quotes`, or in `errors` with the reason. A symbol that nobody asked for lately is
    `pending` and is watched from the next slot until 15 minutes after its last request.
    """
    wanted = requested(",".join(query.symbols))
    request.state.fields["symbols"] = len(wanted.names)
    reading = await readers.call(readers.quotes.read, wanted, now_ms, query.max_age, query.currency)
    request.state.fields.update(hits=reading.count, misses=reading.misses)
    if reading.errors:
        errors = await readers.call(readers.suggester.with_suggestions, reading.errors)
        reading = replace(reading, errors=errors)
    return _kept(request, readers.market, reading.body(readers.market), now_ms)


@router.get(
    "/v1/quotes/{symbol:path}",
    operation_id="getQuote",
    tags=["quotes"],
    summary="The quote of one symbol",
    response_model=schemas.Quote,
    responses=_responses("The quote.", ("invalid_parameter", *_REASONS)),
)
async def get_quote(
    request: Request,
    symbol: Annotated[
        str,
        Path(
            max_length=200,
            description="Any accepted spelling; a slash may be written as it is or as %2F.",
            examples=["BTC-USD"],
            json_schema_extra={"maxLength": MAX_SYMBOL, "pattern": SPELLING},
        ),
    ],
    query: Annotated[QuoteQuery, Query()],
    readers: ReadersDep,
    now_ms: SlotNow,
) -> Response:
    """The same quote as in the list, or a problem whose `code` is the reason."""
    wanted = requested_one(symbol)
    found = await readers.call(
        readers.quotes.read_one, wanted, now_ms, query.max_age, query.currency
    )
    if isinstance(found, MissingQuote):
        request.state.fields.update(hits=0, misses=1)
        (found,) = await readers.call(readers.suggester.with_suggestions, [found])
        raise Problem(found.code.value, found.message, found.retry_after_s, found.suggestions)
    request.state.fields.update(hits=1, misses=0)
    return _kept(request, readers.market, found, now_ms)


@router.get(
    "/v1/history",
    operation_id="getHistory",
    tags=["quotes"],
    summary="Recorded prices of up to 100 symbols",
    response_model=schemas.Histories,
    responses=_responses(
        "The cache answered; look at both lists.",
        ("invalid_parameter", "too_many_symbols", Reason.INVALID_SYMBOL.value),
    ),
)
async def get_history(
    request: Request, query: Annotated[HistoryQuery, Query()], readers: ReadersDep, now_ms: SlotNow
) -> Response:
    """One price a minute for a day, one an hour for 30 days, oldest first.

    They are the prices that the service saw, with gaps where it saw none. Recording begins when a
    symbol is first priced.
    """
    wanted = requested(",".join(query.symbols))
    request.state.fields["symbols"] = len(wanted.names)
    reading = await readers.call(readers.history.read, wanted, query.range.value, now_ms)
    request.state.fields.update(hits=reading.count, misses=len(reading.errors))
    body = reading.body(readers.market, query.range.value)
    return _kept(request, readers.market, body, now_ms)


@router.get(
    "/v1/search",
    operation_id="getSearch",
    tags=["assets"],
    summary="Search all assets, the best match first",
    response_model=schemas.Search,
    responses=_responses(
        "What was found.",
        ("invalid_parameter", Reason.PENDING.value),
        pending=LIST_PENDING_STATUS,
    ),
)
async def get_search(
    request: Request, query: Annotated[SearchQuery, Query()], readers: ReadersDep, now_ms: SlotNow
) -> Response:
    """The assets of all classes in one list.

    An exact symbol comes first, then symbols that begin with the text, then names with a word that
    does, then other names that have it; among equal matches the better ranked comes first.
    """
    body = await readers.call(
        readers.search.search,
        query.q,
        market=readers.market,
        asset_class=query.asset_type,
        limit=query.limit,
    )
    return _kept(request, readers.market, body, now_ms)


@router.get(
    "/v1/assets/{asset_type}",
    operation_id="getAssets",
    tags=["assets"],
    summary="What can be priced, ranked, page by page",
    response_model=schemas.Assets,
    responses=_responses(
        "One page.",
        (
            "invalid_parameter", "invalid_cursor", "no_such_route", "unknown_cursor",
            "cursor_expired", Reason.PENDING.value,
        ),
        pending=LIST_PENDING_STATUS,
    ),
)  # fmt: skip
async def get_assets(
    request: Request,
    asset_type: Annotated[AssetClass, Path(description="A class of assets.", examples=["crypto"])],
    query: Annotated[AssetsQuery, Query()],
    readers: ReadersDep,
    now_ms: SlotNow,
) -> Response:
    """Follow `next_cursor` to the end to see each asset once, even while the list is refreshed.

    With `q`, assets whose symbol begins with it come first, then those whose name has
    it.
    """
    body = await readers.call(
        readers.assets.page,
        asset_type,
        now_ms=now_ms,
        limit=query.limit,
        cursor=query.cursor,
        q=query.q,
    )
    return _kept(request, readers.market, body, now_ms)


@router.get(
    "/v1/providers",
    operation_id="getProviders",
    tags=["status"],
    summary="The five providers: breakers, budgets, last success and error",
    response_model=schemas.Providers,
    responses=_responses("All providers, in a fixed order.", ()),
)
async def get_providers(
    request: Request, _query: Annotated[NoQuery, Query()], readers: ReadersDep, now_ms: SlotNow
) -> Response:
    """The breakers of each provider and why they are open, what is left of its quotas, and more.

    `attribution` is what the provider asks its users to show.
    """
    found = await readers.call(readers.status.providers, now_ms)
    body = json.dumps(found).encode()
    return _kept(request, readers.market, body, now_ms)


@router.get(
    "/health",
    operation_id="getHealth",
    tags=["status"],
    summary="Whether the service does its work, and if not, why",
    response_model=schemas.Health,
    responses={
        **_responses("Healthy or degraded.", (), kept=False),
        503: {"model": schemas.Health, "description": "Unhealthy; `reasons` says why."},
    },
)
async def get_health(
    request: Request, _query: Annotated[NoQuery, Query()], readers: ReadersDep, now_ms: SlotNow
) -> Response:
    """`healthy`, `degraded` (it serves, with less than all) or `unhealthy` (503). Never cached."""
    found = await readers.call(readers.status.health, now_ms)
    return answer(
        request,
        json.dumps(found).encode(),
        max_age_s=None,
        status=503 if found["status"] == "unhealthy" else 200,
        headers={MARKET_HEADER: readers.market},
    )


def _kept(request: Request, market: str, body: bytes, now_ms: int) -> Response:
    """An answer that holds until the next slot."""
    return answer(
        request,
        body,
        max_age_s=seconds_left_in_slot(now_ms),
        public=request.app.state.is_public,
        headers={MARKET_HEADER: market},
    )
