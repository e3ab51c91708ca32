"""The services that reading is compared with: the limit, and the plain way.

The plain way is a service as the tutorials of FastAPI and redis-py show it: a response model, a
pipeline of GETs, a model for each quote. It does less than the api (no reasons of missing quotes,
no ETag, no compression, no log), and nothing slows it on purpose.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query
from mangum import Mangum
from pydantic import BaseModel
from redis import Redis

# The prefix of the plain way's keys; each value is a JSON object.
PREFIX = "plain:q:"
TTL_S = 300


class PlainQuote(BaseModel):
    """A quote as the plain way validates and writes it."""

    symbol: str
    asset_class: str
    price: Decimal
    currency: str | None
    change: Decimal | None
    percent_change: Decimal | None
    change_basis: str | None
    previous_close: Decimal | None
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    volume: Decimal | None
    market_cap: Decimal | None
    market_state: str | None
    extended: dict[str, Any] | None
    source: str
    timestamp: datetime | None
    fetched_at: datetime
    stale: bool = False


class PlainError(BaseModel):
    """A symbol without a quote."""

    symbol: str
    code: str


class PlainQuotes(BaseModel):
    """The answer to a list of symbols."""

    quotes: list[PlainQuote]
    errors: list[PlainError]


def plain_app(host: str, port: int, now_ms: int) -> FastAPI:
    """Return the plain service over a Redis with its quotes. `now_ms`: its fixed time."""
    app = FastAPI()
    redis = Redis(host, port)
    now = datetime.fromtimestamp(now_ms / 1000, UTC)

    @app.get("/v1/quotes", response_model=PlainQuotes)
    def quotes(symbols: Annotated[str, Query(min_length=1)]) -> PlainQuotes:
        names = [name.strip().upper() for name in symbols.split(",")]
        if len(names) > 100:
            raise HTTPException(400, "at most 100 symbols")
        pipe = redis.pipeline(transaction=False)
        for name in names:
            pipe.get(PREFIX + name)
        found, errors = [], []
        for name, text in zip(names, pipe.execute(), strict=True):
            if text is None:
                errors.append(PlainError(symbol=name, code="not_found"))
                continue
            quote = PlainQuote.model_validate_json(text)
            quote.stale = (now - quote.fetched_at).total_seconds() > TTL_S
            found.append(quote)
        return PlainQuotes(quotes=found, errors=errors)

    return app


def plain_handler(host: str, port: int, now_ms: int) -> Mangum:
    """Return the plain service as a Lambda handler."""
    return Mangum(plain_app(host, port, now_ms), lifespan="off")
