"""The shapes of all answers, as the documentation tells them; tests hold real answers to them.

They are plain JSON schemas because no answer is built through a model: quotes leave the cache as
the bytes that clients get.
"""

from __future__ import annotations

from typing import Any

from marketdata.api.openapi import ref
from marketdata.api.problems import KINDS
from marketdata.api.readers.health import Status
from marketdata.api.readers.status import DISABLED, MOST_NAMED
from marketdata.domain.breaker import BreakerState
from marketdata.domain.budget import WINDOWS_MS
from marketdata.domain.outcomes import Reason
from marketdata.domain.quotes import ChangeBasis, ExtendedSession, MarketState, Source
from marketdata.domain.symbols import AssetClass

Schema = dict[str, Any]


def _object(description: str, optional: tuple[str, ...] = (), **members: Schema) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": members,
        "required": [name for name in members if name not in optional],
        "additionalProperties": False,
    }


def _text(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, **more}


def _number(description: str, **more: Any) -> Schema:
    return {"type": "number", "description": description, **more}


def _whole(description: str, **more: Any) -> Schema:
    return {"type": "integer", "minimum": 0, "description": description, **more}


def _list(of: Schema, description: str) -> Schema:
    return {"type": "array", "items": of, "description": description}


def _or_null(schema: Schema) -> Schema:
    nullable = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        nullable["enum"] = [*schema["enum"], None]
    return nullable


def _maybe(name: str) -> Schema:
    return {"anyOf": [ref(name), {"type": "null"}]}


def _time(description: str) -> Schema:
    return _text(description, format="date-time")


_FLAG: Schema = {"type": "boolean"}
_SYMBOL = _text("Canonical spelling: AAPL, BTC-USD, EUR/USD.")
_CLASS = _text("The class of the asset.", enum=[member.value for member in AssetClass])
_SOURCE = _text("A provider.", enum=[member.value for member in Source])
_CURRENCY = _or_null(_text("ISO 4217 code; null where the source cannot know it."))
_STATE = _text(
    "State of a breaker; `disabled` where the provider has no key.",
    enum=[*(member.value for member in BreakerState), DISABLED],
)
_MARKET = _text("What the prices are of.", enum=["simulated", "live"])

SCHEMAS: dict[str, Schema] = {
    "Quote": _object(
        "One price of one asset, with its source and that source's own time.",
        symbol=_SYMBOL,
        asset_class=_CLASS,
        price=_number("In `currency`, major units.", exclusiveMinimum=0),
        currency=_CURRENCY,
        change=_or_null(_number("Against `change_basis`, in `currency`.")),
        percent_change=_or_null(_number("The same in percent: 1.27 is 1.27 %.")),
        change_basis=_or_null(
            _text("What the change is against.", enum=[member.value for member in ChangeBasis])
        ),
        previous_close=_or_null(_number("In `currency`.")),
        open=_or_null(_number("The first price of the day, in `currency`.")),
        high=_or_null(_number("The highest price of the day, in `currency`.")),
        low=_or_null(_number("The lowest price of the day, in `currency`.")),
        volume=_or_null(_number("What was traded today, in units of the asset.")),
        market_cap=_or_null(_number("The market capitalisation, in `currency`.")),
        market_state=_or_null(
            _text(
                "Whether the market trades; null where it is not known.",
                enum=[member.value for member in MarketState],
            )
        ),
        extended=_or_null(
            _object(
                "The price of pre-market or after-hours trading.",
                session=_text("Which of the two.", enum=[s.value for s in ExtendedSession]),
                price=_number("In the quote's `currency`."),
                change=_or_null(_number("Against the regular price.")),
                percent_change=_or_null(_number("The same in percent.")),
                timestamp=_or_null(_time("The provider's time of it.")),
            )
        ),
        source=_SOURCE,
        timestamp=_or_null(_time("The provider's time of the price; null where it gives none.")),
        fetched_at=_time("When we fetched it."),
        stale={**_FLAG, "description": "Whether it is older than it should be."},
    ),
    "SymbolError": _object(
        "Why a requested symbol has no quote.",
        optional=("retry_after",),
        symbol=_text("Canonical spelling, or the requested one where it has none."),
        code=_text("The kind of reason.", enum=[reason.value for reason in Reason]),
        message=_text("The reason, for a person."),
        retry_after=_whole("Seconds after which it is worth asking again.", minimum=1),
    ),
    "Quotes": _object(
        "Each distinct requested symbol exactly once, in request order, in one of the two lists.",
        quotes=_list(ref("Quote"), "What is there."),
        errors=_list(ref("SymbolError"), "What is not, and why."),
    ),
    "Asset": _object(
        "One asset that can be priced.",
        symbol=_SYMBOL,
        name=_text("Its name."),
        exchange=_or_null(_text("Where it is listed.")),
        currency=_CURRENCY,
        rank=_or_null(_whole("Its place by market capitalisation.", minimum=1)),
        ids={
            "type": "object",
            "description": "What each provider that lists it calls it.",
            "additionalProperties": {"type": "string"},
        },
        sources=_list(_SOURCE, "The providers that list it."),
    ),
    "Assets": _object(
        "One page of the assets of a class, ranked; or of those that a search found.",
        asset_type=_CLASS,
        assets=_list(ref("Asset"), "The page."),
        total=_whole("How many there are in all."),
        next_cursor=_or_null(_text("Where the next page starts; null on the last one.")),
        updated_at=_time("When the list was refreshed."),
        stale={**_FLAG, "description": "Whether the list is older than it should be."},
    ),
    "ProviderError": _object(
        "The latest attempt that went wrong.",
        at=_time("When."),
        outcome=_text("What came of it: rate_limited, unauthorized, unavailable, ..."),
        detail=_text("What happened, for a person."),
    ),
    "ProviderClass": _object(
        "One provider's breaker for one class of assets.",
        asset_class=_CLASS,
        state=_STATE,
        reason=_or_null(_text("Why it opened, or `no_key`.")),
        since=_or_null(_time("When it came into this state; null if it never changed.")),
        next_probe_at=_or_null(_time("When it may be tried again; null while closed.")),
        probing={**_FLAG, "description": "Whether a probe is under way."},
        last_success=_or_null(_time("When it last answered.")),
        last_error=_maybe("ProviderError"),
    ),
    "Budget": _object(
        "One limit of one provider, over a rolling window.",
        window=_text("The window.", enum=list(WINDOWS_MS)),
        limit=_whole("Most calls in any such window.", minimum=1),
        used=_whole("Calls reserved or made in the last one."),
        resets_at=_or_null(_time("When the oldest of them leaves the window.")),
    ),
    "Provider": _object(
        "One provider: its breakers and what is left of its quotas.",
        provider=_SOURCE,
        enabled={
            **_FLAG,
            "description": "Whether it is asked at all: it has its key or needs none.",
        },
        attribution=_text("What it asks its users to show."),
        classes=_list(ref("ProviderClass"), "Its breakers."),
        budget=_list(ref("Budget"), "Its limits."),
        held_until=_or_null(_time("No call before that, because it said so.")),
        next_call_at=_or_null(_time("When its budget has room for a routine call.")),
        last_success=_or_null(_time("When it last answered, in any class.")),
        last_error=_maybe("ProviderError"),
    ),
    "Providers": _object(
        "All providers as of the current slot.",
        market=_MARKET,
        providers=_list(ref("Provider"), "In a fixed order."),
    ),
    "Health": _object(
        "Whether the service does its work, of this very moment.",
        status=_text("The worst of all findings.", enum=[member.value for member in Status]),
        reasons=_list({"type": "string"}, "The findings; none when healthy."),
        market=_MARKET,
        redis=_object("The cache.", reachable=_FLAG),
        loop=_object(
            "The loop that fetches.",
            last_slot=_or_null(_time("The last slot it worked in; null before the first.")),
            lag_s=_or_null(_number("How long ago that was, in seconds.", minimum=0)),
        ),
        quotes=_object(
            "Those of ACTIVE_SYMBOLS.",
            fresh_ratio=_or_null(_number("The share that is fresh.", minimum=0, maximum=1)),
            classes=_list(
                _object(
                    "One class.",
                    asset_class=_CLASS,
                    active=_whole("How many are always priced."),
                    fresh=_whole("How many of them have a fresh quote."),
                    symbols={**_list(_SYMBOL, "The first of them."), "maxItems": MOST_NAMED},
                ),
                "By class.",
            ),
        ),
        assets=_list(
            _object(
                "One list.",
                asset_class=_CLASS,
                total=_or_null(_whole("How long it is; null before the first.")),
                updated_at=_or_null(_time("When it was refreshed.")),
                age_s=_or_null(_whole("How long ago that was, in seconds.")),
                stale={**_FLAG, "description": "Whether it is older than it should be."},
            ),
            "The asset lists.",
        ),
        providers=_list(
            _object(
                "One breaker.",
                provider=_SOURCE,
                asset_class=_CLASS,
                state=_STATE,
                reason=_or_null(_text("Why it opened, or `no_key`.")),
            ),
            "The breakers.",
        ),
    ),
    "Problem": _object(
        "Why a request has no answer (RFC 9457).",
        optional=("retry_after",),
        type=_text("Where this kind of problem is explained.", format="uri-reference"),
        title=_text("This kind of problem, in words."),
        status=_whole("The HTTP status."),
        detail=_text("What happened this time."),
        code=_text("This kind of problem, for programs.", enum=list(KINDS)),
        instance=_text("The path of the request.", format="uri-reference"),
        retry_after=_whole("Seconds after which it is worth asking again.", minimum=1),
    ),
}
