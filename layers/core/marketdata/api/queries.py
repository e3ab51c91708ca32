"""The query parameters of each route, as one pydantic model for each.

An unknown parameter is an error, so that a misspelt one is not ignored. A validator raises
ValueError with what is allowed; `problems` makes the message from that.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from marketdata.api.readers.assets import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    MAX_SEARCH,
    SEARCH,
    search_text,
)
from marketdata.api.readers.conversion import target_currency
from marketdata.api.readers.cursors import SHAPE
from marketdata.api.readers.history import DEFAULT_RANGE, range_name
from marketdata.api.readers.search import DEFAULT_RESULTS, MAX_RESULTS, class_name
from marketdata.api.readers.symbol_lists import MAX_SYMBOLS, SYMBOL
from marketdata.domain.currencies import CURRENCIES
from marketdata.domain.history import HistoryRange
from marketdata.domain.symbols import AssetClass
from marketdata.setting_types import int_between

MAX_AGE_S = 604_800  # seven days: quotes are not kept for longer

_age_s = int_between(0, MAX_AGE_S)
_page_size = int_between(1, MAX_LIMIT)


def _search_or_none(text: str | None) -> str | None:
    return None if text is None else search_text(text)


MaxAge = Annotated[
    int,
    Field(ge=0, le=MAX_AGE_S),
    BeforeValidator(_age_s),
    Field(
        description="Oldest quote that will do, in whole seconds since it was fetched, measured at "
        "the start of the current 5-second slot. An older one becomes an error `stale`.",
        examples=[60],
    ),
]


_CODES = "|".join(code for one in sorted(CURRENCIES) for code in (one, one.lower()))

TargetCurrency = Annotated[
    Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^(?:{_CODES})$"})],
    BeforeValidator(lambda value: target_currency(value) if isinstance(value, str) else value),
    Field(
        description="Show each price in this currency, too, under `converted`: a code of ISO 4217 "
        "or CNH. The other fields do not change.",
        examples=["EUR"],
    ),
]


class Query(BaseModel):
    """The parameters of one route."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoQuery(Query):
    """The parameters of a route that takes none."""


SymbolList = Annotated[
    tuple[Annotated[str, WithJsonSchema({"type": "string", "pattern": SYMBOL})], ...],
    Field(
        min_length=1,
        description=f"At most {MAX_SYMBOLS} different symbols, separated by commas: AAPL, "
        "BTC-USD, EUR/USD; also eur-usd, EURUSD=X, BRK-B. The parameter may be repeated.",
        examples=[["AAPL", "BTC-USD", "EUR/USD"]],
    ),
]


class QuotesQuery(Query):
    """The parameters of a list of quotes."""

    symbols: SymbolList
    max_age: MaxAge | None = None
    currency: TargetCurrency | None = None


class QuoteQuery(Query):
    """The parameters of one quote."""

    max_age: MaxAge | None = None
    currency: TargetCurrency | None = None


class HistoryQuery(Query):
    """The parameters of histories."""

    symbols: SymbolList
    range: Annotated[
        HistoryRange,
        BeforeValidator(lambda value: range_name(value) if isinstance(value, str) else value),
        Field(description="How far back, to now.", examples=["1h"]),
    ] = HistoryRange(DEFAULT_RANGE)


class SearchQuery(Query):
    """The parameters of a search over all lists."""

    q: Annotated[
        str,
        BeforeValidator(lambda value: search_text(value) if isinstance(value, str) else value),
        WithJsonSchema(
            {
                "type": "string",
                "pattern": SEARCH,
                "minLength": 1,
                "maxLength": MAX_SEARCH,
                "examples": ["tesla"],
            }
        ),
        Field(description="A symbol in any accepted spelling, its beginning, or words of a name."),
    ]
    asset_type: Annotated[
        AssetClass | None,
        BeforeValidator(lambda value: class_name(value) if isinstance(value, str) else value),
        Field(description="Only assets of this class.", examples=["stocks"]),
    ] = None
    limit: Annotated[
        int,
        Field(ge=1, le=MAX_RESULTS),
        BeforeValidator(
            lambda value: int_between(1, MAX_RESULTS)(value) if isinstance(value, str) else value
        ),
        Field(description="Most results.", examples=[5]),
    ] = DEFAULT_RESULTS


class AssetsQuery(Query):
    """The parameters of one page of a list."""

    limit: Annotated[
        int,
        Field(ge=1, le=MAX_LIMIT),
        BeforeValidator(_page_size),
        Field(description="Most assets on the page.", examples=[5]),
    ] = DEFAULT_LIMIT
    cursor: Annotated[str, WithJsonSchema({"type": "string", "pattern": SHAPE})] | None = Field(
        default=None, description="`next_cursor` of the page before, as it is."
    )
    q: Annotated[
        str | None,
        BeforeValidator(_search_or_none),
        WithJsonSchema(
            {"type": "string", "pattern": SEARCH, "minLength": 1, "maxLength": MAX_SEARCH}
        ),
        Field(
            description="Only assets that a search for this text finds: by a symbol in any "
            "accepted spelling, its beginning, or words of a name.",
            examples=["bit"],
        ),
    ] = None
