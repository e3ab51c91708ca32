"""Reading the answers of any provider: JSON, and HTTP statuses.

Pure. An answer that is not as documented is an error and never repaired. Text of an answer is
masked before it becomes part of a message. An answer with more values than rows of quotes can have
is an error, because reading it would take long.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from marketdata.domain.quotes import Source
from marketdata.errors import (
    BadPayloadError,
    NotEntitledError,
    ProviderError,
    UnauthorizedError,
    UnavailableError,
)
from marketdata.providers.contract import Response
from marketdata.providers.holds import rate_limited
from marketdata.redaction import redact

# A JSON object of a provider. Any member may be missing or of another type than documented, so
# members are read with the functions of `values`.
JsonObject = dict[str, Any]

# Only the beginning of a body is searched for a web page or the text of a gateway.
_HEAD_BYTES = 200
_EXCERPT_BYTES = 2000
# Quotes have about one value in 28 bytes.
_LEAST_BYTES_A_VALUE = 16
_FEW_VALUES = 50_000
_MOST_NUMBER_CHARS = 400
_NOT_A_NUMBER = Decimal("NaN")
_CLOUDFLARE = re.compile(rb"\s*error code: 1\d\d\d")


class TwoValues:
    """The value of a name that a JSON object has twice with different values.

    No provider documents a value of this type, so only the figures that need this name are lost.
    """


@dataclass(frozen=True, slots=True)
class AnswerReader:
    """Reads one provider's answers; its errors name the provider and never show `secret`."""

    source: Source
    secret: str = field(default="", repr=False)

    def json(self, response: Response) -> Any:
        """Return the body's JSON, all numbers as `Decimal`; raise `BadPayloadError`.

        A number that is too long is NaN. A name with two different values has `TwoValues`.
        """
        body = response.body
        values = sum(body.count(mark) for mark in (b",", b"[", b"{"))
        if values > max(_FEW_VALUES, len(body) // _LEAST_BYTES_A_VALUE):
            raise self.bad_payload("more values than an answer can have", response)
        try:
            return json.loads(
                body,
                parse_float=_decimal,
                parse_int=_decimal,
                parse_constant=Decimal,
                object_pairs_hook=_object,
            )
        except (ValueError, RecursionError):
            raise self.bad_payload("not JSON", response) from None

    def json_object(self, response: Response) -> JsonObject:
        """Return the body's JSON object; raise `BadPayloadError` if it is anything else."""
        body = self.json(response)
        if not isinstance(body, dict):
            raise self.bad_payload("not a JSON object", response)
        return body

    def json_rows(self, response: Response) -> list[JsonObject]:
        """Return the objects of the body's JSON array; raise `BadPayloadError` otherwise."""
        body = self.json(response)
        if not isinstance(body, list):
            raise self.bad_payload("not a JSON array", response)
        if not all(isinstance(row, dict) for row in body):
            raise self.bad_payload("not an array of objects", response)
        return body

    def bad_payload(self, problem: str, response: Response) -> BadPayloadError:
        """Return an error that states the problem with an answer and shows how it begins."""
        return BadPayloadError(f"{self.source.value}: {problem}: {self.excerpt(response)}")

    def excerpt(self, response: Response) -> str:
        """Return how an answer's body begins, on one line, printable and without secrets."""
        # Masked before it is cut, so that no half of a secret is left.
        secrets = (self.secret, *response.secrets)
        text = redact(response.body[:_EXCERPT_BYTES].decode("utf-8", "replace"), secrets)
        text = "".join(c if c.isprintable() else " " for c in text)
        text = " ".join(text.split())
        return repr(text[:77] + "..." if len(text) > 80 else text)

    def http_error(self, response: Response, now: datetime | None = None) -> ProviderError | None:
        """Return the error that a status other than 2xx means; None for 2xx.

        A Retry-After date counts from the answer's `Date`, or from `now` if there is none.
        """
        name, status = self.source.value, response.status
        match status:
            case _ if 200 <= status < 300:
                return None
            case 401:
                return UnauthorizedError(f"{name}: the key is not accepted (status 401)")
            case 402 | 403 if not _is_from_gateway(response):
                return NotEntitledError(f"{name}: not in the key's plan (status {status})")
            case 429:
                return rate_limited(self.source, response, now)
            case _ if status >= 500 or status == 403:
                return UnavailableError(f"{name}: status {status}")
            case _:
                return self.bad_payload(f"status {status}", response)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text) if len(text) <= _MOST_NUMBER_CHARS else _NOT_A_NUMBER
    except ArithmeticError:  # the exponent is too large for a Decimal
        return _NOT_A_NUMBER


def _object(pairs: list[tuple[str, Any]]) -> JsonObject:
    found = dict(pairs)
    if len(found) < len(pairs):
        for name, value in pairs:
            if found[name] != value:
                found[name] = TwoValues()
    return found


def is_html(response: Response) -> bool:
    """Return whether an answer is a web page: a gateway's error or a maintenance notice."""
    kind = response.headers.get("content-type", "").lower()
    return "text/html" in kind or response.body[:_HEAD_BYTES].lstrip()[:1] == b"<"


def _is_from_gateway(response: Response) -> bool:
    """Return whether a gateway such as Cloudflare answered in place of the provider."""
    return is_html(response) or bool(_CLOUDFLARE.match(response.body[:_HEAD_BYTES]))
