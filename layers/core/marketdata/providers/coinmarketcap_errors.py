"""What CoinMarketCap's error codes mean. They matter more than the status they come with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from marketdata.domain.catalogue import Instrument
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.errors import (
    BadPayloadError,
    NotEntitledError,
    ProviderError,
    UnauthorizedError,
    UnavailableError,
)
from marketdata.providers.contract import Response
from marketdata.providers.reading import (
    DEFAULT_HOLD_S,
    LONGEST_HOLD_S,
    Reader,
    not_found,
    rate_limited,
    to_midnight_s,
    to_month_s,
)
from marketdata.providers.values import iso_time, number_or_none, text_or_none

# Plans that were never paid or have run out count as bad keys: nothing works until a person acts.
_BAD_KEY = frozenset({401, 1001, 1002, 1003, 1004, 1005, 1007})
_NOT_IN_PLAN = frozenset({402, 403, 1006})
_TOO_OFTEN = frozenset({429, 1008, 1009, 1010, 1011})
_UNREADABLE = -1
_INVALID = re.compile(r'Invalid values? for "(\w+)"(?::\s*"([^"]*)")?')


def checked_data(reader: Reader, response: Response, now: datetime | None) -> Any:
    """The `data` of an answer, an array or an object; raises what the answer is otherwise.

    An answer with a code other than 0 holds no valid data, whatever its status is.
    """
    body = _body(reader, response)
    refusal = _told(reader, response, body, now) or reader.refusal(response, now)
    if refusal:
        raise refusal
    if not isinstance(body.get("data"), list | dict):
        raise reader.bad("no data", response)
    return body["data"]


def named_invalid(
    reader: Reader, batch: Sequence[Instrument], response: Response
) -> tuple[MissingQuote, ...] | None:
    """The batch's reasons, sorted by what a complaint about its parameters names.

    None for an answer that is no such complaint, or names nothing of the batch.
    """
    body = _body(reader, response)
    found = _INVALID.search(text_or_none(_status(body).get("error_message")) or "")
    if _code(body) != 400 or not found:
        return None
    parameter, named = found[1], {value.strip() for value in (found[2] or "").split(",")}
    unknown = {
        instrument.symbol
        for instrument in batch
        if parameter == "convert" or instrument.ids[reader.source] in named or len(batch) == 1
    }
    if not unknown:
        return None
    others = f"{reader.source.value}: refused together with unknown coins"
    return tuple(
        not_found(reader.source, one.symbol.text)
        if one.symbol in unknown
        else MissingQuote(one.symbol.text, Reason.PROVIDER_UNAVAILABLE, others)
        for one in batch
    )


def _body(reader: Reader, response: Response) -> dict[str, Any]:
    """The body's object; an empty one for a refusal that is no JSON, such as a gateway's page."""
    try:
        return reader.object(response)
    except BadPayloadError:
        if response.status < 400:
            raise
        return {}


def _status(body: dict[str, Any]) -> dict[str, Any]:
    status = body.get("status")
    return status if isinstance(status, dict) else {}


def _code(body: dict[str, Any]) -> int:
    """The error code, which is a number or the text of one; 0 is success."""
    told = _status(body).get("error_code", 0)
    code = number_or_none(told)
    return _UNREADABLE if code is None else int(code)


def _told(
    reader: Reader, response: Response, body: dict[str, Any], now: datetime | None
) -> ProviderError | None:
    """What the code inside an answer means; None for 0, and for one that the status explains."""
    name, code = reader.source.value, _code(body)
    if code in _BAD_KEY:
        return UnauthorizedError(f"{name}: it refuses the key (code {code})")
    if code in _NOT_IN_PLAN:
        return NotEntitledError(f"{name}: not in the key's plan (code {code})")
    if code in _TOO_OFTEN:
        at = now or iso_time(_status(body).get("timestamp"))
        return rate_limited(reader.source, response, now, _hold_s(code, at))
    if 500 <= code < 600:
        return UnavailableError(f"{name}: error {code}")
    if code and response.status < 400:
        return reader.bad(f"error {code}", response)
    return None


def _hold_s(code: int, now: datetime | None) -> float:
    """Seconds until what is spent starts anew, the longest they can be without a clock."""
    match code:
        case 1009:
            return to_midnight_s(now) if now else 86400.0
        case 1010:
            return to_month_s(now) if now else LONGEST_HOLD_S
        case _:
            return DEFAULT_HOLD_S
