"""Answers, instruments and bad bodies for the tests of all providers."""

import json
from datetime import UTC, datetime
from typing import Any

from marketdata.domain.catalogue import Instrument
from marketdata.domain.symbols import parse_symbol
from marketdata.providers.contract import Response

NOW = datetime(2026, 11, 22, 13, 5, 10, tzinfo=UTC)
# The time of a price a minute before, and when the market in New York closed, epoch seconds.
PRICED_S = int(NOW.timestamp()) - 60
CLOSED_S = int(datetime(2026, 11, 20, 21, tzinfo=UTC).timestamp())
SECRET = "planted-Key-0123456789"
CLOUDFLARE_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>Attention Required! | Cloudflare</title></head></html>"
)
# Bodies that are not what any provider documents.
BROKEN_BODIES = {
    "html": CLOUDFLARE_PAGE,
    "cut": '{"bitcoin":{"usd":769',
    "empty": "",
    "array": "[]",
    "text": '"ok"',
    "number": "7",
    "null": "null",
    "deep": "[" * 100_000,
    "not utf-8": b'{"c":"\xff\xfe"}',
}


def secret_key() -> str:
    """Look up the planted key."""
    return SECRET


def answer(body, status=200, **headers) -> Response:
    """A response. A body other than text or bytes becomes JSON; `_` in header names is a dash."""
    if not isinstance(body, bytes | str):
        body = json.dumps(body)
    raw = body.encode() if isinstance(body, str) else body
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def instrument(spelling: str, **ids: str) -> Instrument:
    """An instrument by any accepted spelling, with its ids at the providers."""
    symbol = parse_symbol(spelling)
    return Instrument(symbol, ids)


def share_row(name: str) -> dict[str, Any]:
    """A row of Yahoo after the session with all of its figures, which agree with each other."""
    return {
        "symbol": name, "quoteType": "EQUITY", "currency": "USD", "regularMarketPrice": 100.5,
        "regularMarketTime": CLOSED_S, "regularMarketChange": 1.5,
        "regularMarketChangePercent": 1.515152, "regularMarketPreviousClose": 99,
        "regularMarketOpen": 99.5, "regularMarketDayHigh": 101, "regularMarketDayLow": 98.25,
        "regularMarketVolume": 12345, "marketCap": 1000000000000, "marketState": "CLOSED",
        "postMarketPrice": 100.75, "postMarketChange": 0.25,
        "postMarketChangePercent": 0.248756, "postMarketTime": CLOSED_S + 3600,
    }  # fmt: skip


def bad_rows(parsed) -> dict[str, str]:
    """Each symbol of a parsed answer whose row cannot be used, with the reason."""
    return {bad.symbol: bad.message for bad in parsed.bad_rows}


def reasons(parsed) -> dict[str, str]:
    """Each missing symbol of a parsed answer with the code of its reason."""
    return {missing.symbol: missing.code.value for missing in parsed.missing}
