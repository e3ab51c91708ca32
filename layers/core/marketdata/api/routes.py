"""The path operations: what each takes, what it answers, and which reader it asks.

`readers.call` calls a reader in a thread, so that a slow answer of the cache does not hold up other
requests; `dependencies` says why it does not on Lambda. Quotes leave the cache as stored bytes in a
`Response`; the models in `schemas` describe them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from marketdata.api import schemas
from marketdata.api.caching import answer
from marketdata.api.dependencies import MARKET_HEADER, ContextDep
from marketdata.api.problems import LIST_PENDING_STATUS, Problem
from marketdata.api.queries import (
    AssetsQuery,
    HistoryQuery,
    NoQuery,
    QuoteQuery,
    QuotesQuery,
    SearchQuery,
)
from marketdata.api.readers.health import Status
from marketdata.api.readers.symbol_lists import SPELLING, requested_one
from marketdata.api.response_docs import responses
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.symbols import MAX_SYMBOL, AssetClass

router = APIRouter()
_REASONS = tuple(reason.value for reason in Reason)


@router.get(
    "/v1/quotes",
    operation_id="getQuotes",
    tags=["quotes"],
    summary="Quotes of up to 100 symbols",
    response_model=schemas.Quotes,
    responses=responses(
        "The cache answered; look at both lists.",
        ("invalid_parameter", "too_many_symbols", Reason.INVALID_SYMBOL.value),
    ),
)
async def get_quotes(query: Annotated[QuotesQuery, Query()], context: ContextDep) -> Response:
    """Each distinct symbol comes back exactly once, in request order, in its canonical spelling.

    It is in `quotes`, or in `errors` with the reason. A symbol that nobody asked for lately is
    `pending` and is watched from the next slot until 15 minutes after its last request.
    """
    wanted, readers = context.requested(query.symbols), context.readers
    reading = await readers.call(
        readers.quotes.read, wanted, context.now_ms, query.max_age, query.currency
    )
    context.note(hits=reading.count, misses=reading.misses)
    if reading.errors:
        errors = await readers.call(readers.suggester.with_suggestions, reading.errors)
        reading = replace(reading, errors=errors)
    return context.answer(reading.body(readers.market))


@router.get(
    "/v1/quotes/{symbol:path}",
    operation_id="getQuote",
    tags=["quotes"],
    summary="The quote of one symbol",
    response_model=schemas.SingleQuote,
    responses=responses("The quote.", ("invalid_parameter", *_REASONS)),
)
async def get_quote(
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
    context: ContextDep,
) -> Response:
    """The same quote as in the list with its `market`, or a problem whose `code` is the reason."""
    wanted, readers = requested_one(symbol), context.readers
    found: bytes | MissingQuote
    if isinstance(wanted, MissingQuote):
        found = wanted
    else:
        found = await readers.call(
            readers.quotes.read_one, wanted, context.now_ms, query.max_age, query.currency
        )
        hits = int(isinstance(found, bytes))
        context.note(hits=hits, misses=1 - hits)
    if isinstance(found, MissingQuote):
        (found,) = await readers.call(readers.suggester.with_suggestions, [found])
        raise Problem(found.code.value, found.message, found.retry_after_s, found.suggestions)
    return context.answer(b'{"market":"%b",%b' % (readers.market.encode(), found[1:]))


@router.get(
    "/v1/history",
    operation_id="getHistory",
    tags=["quotes"],
    summary="Recorded prices of up to 100 symbols",
    response_model=schemas.Histories,
    responses=responses(
        "The cache answered; look at both lists.",
        ("invalid_parameter", "too_many_symbols", Reason.INVALID_SYMBOL.value),
    ),
)
async def get_history(query: Annotated[HistoryQuery, Query()], context: ContextDep) -> Response:
    """One price a minute for a day, one an hour for 30 days, oldest first.

    They are the prices that the service saw, with gaps where it saw none. Recording begins when a
    symbol is first priced.
    """
    wanted, readers = context.requested(query.symbols), context.readers
    reading = await readers.call(readers.history.read, wanted, query.range.value, context.now_ms)
    context.note(hits=reading.count, misses=len(reading.errors))
    if reading.errors:
        errors = await readers.call(readers.suggester.with_suggestions, reading.errors)
        reading = replace(reading, errors=errors)
    return context.answer(reading.body(readers.market, query.range.value))


@router.get(
    "/v1/search",
    operation_id="getSearch",
    tags=["assets"],
    summary="Search all assets, the best match first",
    response_model=schemas.Search,
    responses=responses(
        "What was found.",
        ("invalid_parameter", Reason.PENDING.value),
        pending=LIST_PENDING_STATUS,
    ),
)
async def get_search(query: Annotated[SearchQuery, Query()], context: ContextDep) -> Response:
    """The assets of all classes in one list.

    An exact symbol comes first, then symbols that begin with the text, then names with a word that
    does, then other names that have it; among equal matches the better ranked comes first.
    """
    readers = context.readers
    body = await readers.call(
        readers.search.search,
        query.q,
        market=readers.market,
        asset_class=query.asset_type,
        limit=query.limit,
    )
    return context.answer(body)


@router.get(
    "/v1/assets/{asset_type}",
    operation_id="getAssets",
    tags=["assets"],
    summary="What can be priced, ranked, page by page",
    response_model=schemas.Assets,
    responses=responses(
        "One page.",
        (
            "invalid_parameter", "invalid_cursor", "no_such_route", "unknown_cursor",
            "cursor_expired", Reason.PENDING.value,
        ),
        pending=LIST_PENDING_STATUS,
    ),
)  # fmt: skip
async def get_assets(
    asset_type: Annotated[AssetClass, Path(description="A class of assets.", examples=["crypto"])],
    query: Annotated[AssetsQuery, Query()],
    context: ContextDep,
) -> Response:
    """Follow `next_cursor` to the end to see each asset once, even while the list is refreshed.

    With `q`, assets whose symbol begins with it come first, then those whose name has
    it.
    """
    readers = context.readers
    body = await readers.call(
        readers.assets.page,
        asset_type,
        now_ms=context.now_ms,
        limit=query.limit,
        cursor=query.cursor,
        q=query.q,
    )
    return context.answer(body)


@router.get(
    "/v1/providers",
    operation_id="getProviders",
    tags=["status"],
    summary="The five providers: breakers, budgets, last success and error",
    response_model=schemas.Providers,
    responses=responses("All providers, in a fixed order.", ()),
)
async def get_providers(_query: Annotated[NoQuery, Query()], context: ContextDep) -> Response:
    """The breakers of each provider and why they are open, what is left of its quotas, and more.

    `attribution` is what the provider asks its users to show.
    """
    readers = context.readers
    found = await readers.call(readers.status.providers, context.now_ms)
    return context.answer(found.model_dump_json().encode())


@router.get(
    "/health",
    operation_id="getHealth",
    tags=["status"],
    summary="Whether the service does its work, and if not, why",
    response_model=schemas.Health,
    responses={
        **responses("Healthy or degraded.", (), kept=False),
        503: {"model": schemas.Health, "description": "Unhealthy; `reasons` says why."},
    },
)
async def get_health(_query: Annotated[NoQuery, Query()], context: ContextDep) -> Response:
    """`healthy`, `degraded` (it serves, with less than all) or `unhealthy` (503). Never cached."""
    readers = context.readers
    found = await readers.call(readers.status.health, context.now_ms)
    return answer(
        context.request,
        found.model_dump_json().encode(),
        max_age_s=None,
        status=503 if found.status is Status.UNHEALTHY else 200,
        headers={MARKET_HEADER: readers.market},
    )
