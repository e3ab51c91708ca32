"""What the tests of all providers need: answers as a sender hands them back, and instruments."""

import json
from datetime import UTC, datetime

from marketdata.domain.catalogue import Instrument
from marketdata.domain.symbols import parse_symbol
from marketdata.providers.contract import Response

NOW = datetime(2026, 11, 22, 13, 5, 10, tzinfo=UTC)
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
    """A response; a body that is no text yet becomes JSON, `_` in header names a dash."""
    if not isinstance(body, bytes | str):
        body = json.dumps(body)
    raw = body.encode() if isinstance(body, str) else body
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def instrument(spelling: str, **ids: str) -> Instrument:
    """An instrument by any accepted spelling, with the ids that providers know it by."""
    symbol = parse_symbol(spelling)
    return Instrument(symbol, ids)


def bad_rows(parsed) -> dict[str, str]:
    """Each symbol of a parsed answer whose row cannot be used, with the reason."""
    return {bad.symbol: bad.message for bad in parsed.bad_rows}


def reasons(parsed) -> dict[str, str]:
    """Each missing symbol of a parsed answer with the code of its reason."""
    return {missing.symbol: missing.code.value for missing in parsed.missing}
