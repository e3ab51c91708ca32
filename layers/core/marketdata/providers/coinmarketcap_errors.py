"""The error codes of CoinMarketCap. A code counts more than the status of its answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from marketdata.clock import DAY_S
from marketdata.domain.budget import DEFAULT_HOLD_S
from marketdata.domain.catalogue import Instrument
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.errors import (
    BadPayloadError,
    NotEntitledError,
    ProviderError,
    UnauthorizedError,
    UnavailableError,
)
from marketdata.providers.answers import AnswerReader, JsonObject
from marketdata.providers.contract import Response
from marketdata.providers.holds import (
    LONGEST_HOLD_S,
    rate_limited,
    until_midnight_s,
    until_next_month_s,
)
from marketdata.providers.rows import not_found
from marketdata.providers.values import iso_time, number_or_none, text_or_none

# Plans that were never paid or have run out count as bad keys: only a person can change that.
_BAD_KEY = frozenset({401, 1001, 1002, 1003, 1004, 1005, 1007})
_NOT_IN_PLAN = frozenset({402, 403, 1006})
_TOO_OFTEN = frozenset({429, 1008, 1009, 1010, 1011})
_UNREADABLE = -1
_MOST_MESSAGE_CHARS = 4000
_INVALID = re.compile(r'Invalid values? for "(\w{1,40})"(?:: ?"([^"]*)")?')


def checked_data(reader: AnswerReader, response: Response, now: datetime | None) -> Any:
    """Return the `data` of an answer, an array or an object; raise the error of any other answer.

    An answer with a code other than 0 holds no valid data, whatever its status is.
    """
    body = _body(reader, response)
    error = _coded_error(reader, response, body, now) or reader.http_error(response, now)
    if error:
        raise error
    if not isinstance(body.get("data"), list | dict):
        raise reader.bad_payload("no data", response)
    return body["data"]


def named_invalid(
    reader: AnswerReader, batch: Sequence[Instrument], response: Response
) -> tuple[MissingQuote, ...] | None:
    """Return the reasons of a batch from an error that names invalid parameters.

    None for an answer that is no such error, or names nothing of the batch.
    """
    body = _body(reader, response)
    found = _INVALID.search(
        text_or_none(_status(body).get("error_message"), _MOST_MESSAGE_CHARS) or ""
    )
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
    others = f"{reader.source.value}: rejected together with unknown coins"
    return tuple(
        not_found(reader.source, one.symbol.text)
        if one.symbol in unknown
        else MissingQuote(one.symbol.text, Reason.PROVIDER_UNAVAILABLE, others)
        for one in batch
    )


def _body(reader: AnswerReader, response: Response) -> JsonObject:
    """Return the body's object; an empty one for an error that is not JSON, as of a gateway."""
    try:
        return reader.json_object(response)
    except BadPayloadError:
        if response.status < 400:
            raise
        return {}


def _status(body: JsonObject) -> JsonObject:
    status = body.get("status")
    return status if isinstance(status, dict) else {}


def _code(body: JsonObject) -> int:
    """Return the error code, which is a number or the text of one; 0 is success."""
    code = number_or_none(_status(body).get("error_code", 0))
    return _UNREADABLE if code is None else int(code)


def _coded_error(
    reader: AnswerReader, response: Response, body: JsonObject, now: datetime | None
) -> ProviderError | None:
    """Return the error of the code inside an answer; None for 0 and for unknown codes."""
    name, code = reader.source.value, _code(body)
    if code in _BAD_KEY:
        return UnauthorizedError(f"{name}: the key is not accepted (code {code})")
    if code in _NOT_IN_PLAN:
        return NotEntitledError(f"{name}: not in the key's plan (code {code})")
    if code in _TOO_OFTEN:
        at = now or iso_time(_status(body).get("timestamp"))
        return rate_limited(reader.source, response, now, _hold_s(code, at))
    if 500 <= code < 600:
        return UnavailableError(f"{name}: error {code}")
    if code and response.status < 400:
        return reader.bad_payload(f"error {code}", response)
    return None


def _hold_s(code: int, now: datetime | None) -> float:
    """Return the seconds until a spent quota starts anew; without a clock the longest."""
    match code:
        case 1009:
            return until_midnight_s(now) if now else DAY_S
        case 1010:
            return until_next_month_s(now) if now else LONGEST_HOLD_S
        case _:
            return DEFAULT_HOLD_S
