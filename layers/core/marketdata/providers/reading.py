"""What all providers' answers have in common: JSON, statuses, waiting times, one row at a time.

Pure. What is not what it should be is refused, never repaired. Whatever an answer says is masked
before it becomes part of a message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any

from marketdata.domain.assets import Listing
from marketdata.domain.catalogue import Instrument
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.quotes import ChangeBasis, Quote, Source, change_from_percent
from marketdata.domain.symbols import AssetClass, parse_symbol
from marketdata.errors import (
    BadPayloadError,
    InvalidSymbolError,
    NotEntitledError,
    ProviderError,
    RateLimitedError,
    UnauthorizedError,
    UnavailableError,
)
from marketdata.providers.contract import Parsed, Response
from marketdata.providers.values import number_or_none, price_of
from marketdata.redaction import redact

# How long to leave a provider alone that says "too often" without saying for how long.
DEFAULT_HOLD_S = 60.0
# No header may silence a provider for longer than its longest budget window.
LONGEST_HOLD_S = 31 * 86400.0

_CLOUDFLARE = re.compile(rb"\s*error code: 1\d\d\d")


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one provider's answers; its errors name the provider and never show `secret`."""

    source: Source
    secret: str = field(default="", repr=False)

    def json(self, response: Response) -> Any:
        """The body's JSON, numbers with a point as `Decimal`; `BadPayloadError` if it is none."""
        try:
            return json.loads(response.body, parse_float=Decimal, parse_constant=Decimal)
        except (ValueError, ArithmeticError, RecursionError):
            raise self.bad("not JSON", response) from None

    def object(self, response: Response) -> dict[str, Any]:
        """The body's JSON object; `BadPayloadError` if it is anything else."""
        body = self.json(response)
        if not isinstance(body, dict):
            raise self.bad("not a JSON object", response)
        return body

    def rows(self, response: Response) -> list[dict[str, Any]]:
        """The objects of the body's JSON array; `BadPayloadError` if it is anything else."""
        body = self.json(response)
        if not isinstance(body, list):
            raise self.bad("not a JSON array", response)
        if not all(isinstance(row, dict) for row in body):
            raise self.bad("not an array of objects", response)
        return body

    def bad(self, what: str, response: Response) -> BadPayloadError:
        """An error that says what is wrong with an answer and shows how it begins."""
        return BadPayloadError(f"{self.source.value}: {what}: {self.excerpt(response)}")

    def excerpt(self, response: Response) -> str:
        """How an answer's body begins, on one line, printable and without secrets."""
        # Masked before it is cut, so that no half of a secret is left.
        secrets = (self.secret, *response.secrets)
        text = redact(response.body[:2000].decode("utf-8", "replace"), secrets)
        text = "".join(c if c.isprintable() else " " for c in text)
        text = " ".join(text.split())
        return repr(text[:77] + "..." if len(text) > 80 else text)

    def refusal(self, response: Response, now: datetime | None = None) -> ProviderError | None:
        """The error that a status other than 2xx means; None for 2xx.

        `now` is what a Retry-After date counts from where the answer has no date of its own.
        """
        name, status = self.source.value, response.status
        match status:
            case _ if 200 <= status < 300:
                return None
            case 401:
                return UnauthorizedError(f"{name}: it refuses the key (status 401)")
            case 402 | 403 if not _is_gateway(response):
                return NotEntitledError(f"{name}: not in the key's plan (status {status})")
            case 429:
                return rate_limited(self.source, response, now)
            case _ if status >= 500 or status == 403:
                return UnavailableError(f"{name}: status {status}")
            case _:
                return self.bad(f"status {status}", response)


def is_html(response: Response) -> bool:
    """Whether an answer is a page for people: a gateway's or a maintenance notice."""
    kind = response.headers.get("content-type", "").lower()
    return "text/html" in kind or response.body[:200].lstrip()[:1] == b"<"


def to_month_s(now: datetime) -> float:
    """Seconds from `now` to the first midnight UTC of the next month."""
    first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return ((first + timedelta(days=32)).replace(day=1) - now).total_seconds()


def rate_limited(
    source: Source,
    response: Response,
    now: datetime | None = None,
    otherwise_s: float = DEFAULT_HOLD_S,
) -> RateLimitedError:
    """The error of an answer that says "too often"; `otherwise_s` where it has no Retry-After."""
    hold_s = retry_after_s(response, now)
    hold_s = clamped_hold_s(otherwise_s) if hold_s is None else hold_s
    return RateLimitedError(f"{source.value}: too many calls, next in {hold_s:.0f} s", hold_s)


def retry_after_s(response: Response, now: datetime | None = None) -> float | None:
    """Seconds that a Retry-After header asks for, at least 1; None where there is no valid one.

    A date counts from the answer's own date, so that a difference of clocks does not matter.
    """
    text = response.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,12}(\.\d{1,6})?", text, re.ASCII):
        return clamped_hold_s(float(text))
    until, start = http_date(text), http_date(response.headers.get("date", "")) or now
    if until is None or start is None:
        return None
    return clamped_hold_s((until - start).total_seconds())


def clamped_hold_s(seconds: float) -> float:
    """Seconds of a hold, brought between one second and the longest that makes sense."""
    return min(max(seconds, 1.0), LONGEST_HOLD_S)


def to_midnight_s(now: datetime) -> float:
    """Seconds from `now` to the next midnight UTC, when daily quotas start anew."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return (day + timedelta(days=1) - now).total_seconds()


def listed_symbol(spelling: Any, asset_class: AssetClass) -> str | None:
    """The canonical symbol of a listed one; None where it has none in that class."""
    try:
        symbol = parse_symbol(spelling) if isinstance(spelling, str) else None
    except InvalidSymbolError:
        return None
    return symbol.text if symbol and symbol.asset_class is asset_class else None


def listed_or_bad(source: Source, listings: Mapping[str, Listing]) -> tuple[Listing, ...]:
    """The listings in their order; `BadPayloadError` for none, since no provider lists nothing."""
    if not listings:
        raise BadPayloadError(f"{source.value}: no asset that we know how to spell in its list")
    return tuple(listings.values())


def settle(
    source: Source, batch: Sequence[Instrument], read: Callable[[Instrument], Quote | None]
) -> Parsed:
    """What `read` makes of each instrument: a quote, None for no quote, or `BadPayloadError`.

    A bad row spoils only itself. Raises `BadPayloadError` when every row is bad.
    """
    quotes: list[Quote] = []
    missing: list[MissingQuote] = []
    bad: list[str] = []
    for instrument in batch:
        symbol = instrument.symbol.text
        try:
            quote = read(instrument)
        except BadPayloadError as error:
            bad.append(f"{source.value}: {symbol}: {error}")
            missing.append(MissingQuote(symbol, Reason.PROVIDER_UNAVAILABLE, bad[-1]))
            continue
        if quote is None:
            missing.append(not_found(source, symbol))
        else:
            quotes.append(quote)
    if bad and len(bad) == len(batch):
        raise BadPayloadError(bad[0])
    return Parsed(tuple(quotes), tuple(missing))


def not_found(source: Source, symbol: str) -> MissingQuote:
    """The reason of a symbol that a provider does not know or has no price for."""
    return MissingQuote(symbol, Reason.NOT_FOUND, f"{source.value}: no quote for {symbol}")


def quote_over_24h(
    instrument: Instrument,
    source: Source,
    *,
    at: Any,
    percent: Any,
    timestamp: datetime | None,
    fetched_at: datetime,
) -> Quote | None:
    """A coin's quote from its price and its percent change over 24 hours, both as on the wire.

    None without a price. Raises `BadPayloadError` for a price that is none.
    """
    price, percent = price_of(at), number_or_none(percent)
    if price is None:
        return None
    try:
        change = None if percent is None else change_from_percent(price, percent)
    except InvalidOperation:  # a change of more digits than decimals are given
        change = None
    return Quote(
        symbol=instrument.symbol.text,
        asset_class=instrument.asset_class,
        price=price,
        currency=instrument.symbol.quote,
        change=change,
        percent_change=percent,
        change_basis=None if percent is None else ChangeBasis.ROLLING_24H,
        source=source,
        timestamp=timestamp,
        fetched_at=fetched_at,
    )


def _is_gateway(response: Response) -> bool:
    """Whether it was not the provider that answered but Cloudflare or the like before it."""
    return is_html(response) or bool(_CLOUDFLARE.match(response.body))


def http_date(text: str) -> datetime | None:
    """The time that a date in an HTTP header names, aware UTC; None for anything else."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
