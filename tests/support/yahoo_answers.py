"""Yahoo's answers to quote calls as tests write them, and what the provider reads in them."""

import json
from datetime import UTC, datetime

from marketdata.domain.quotes import Quote
from marketdata.providers.contract import Parsed, Response
from marketdata.providers.yahoo import Yahoo
from tests.support.provider_support import answer, instrument

NOW = datetime(2026, 1, 5, 21, 0, 5, tzinfo=UTC)
# When the market in New York closes.
TIME_S = 1767646800
TIME = datetime(2026, 1, 5, 21, 0, tzinfo=UTC)
YAHOO = Yahoo()


def row(symbol: str, **fields: object) -> dict:
    """A v7 row with a price of 10."""
    return {
        "symbol": symbol,
        "quoteType": "EQUITY",
        "currency": "USD",
        "regularMarketPrice": 10,
        "regularMarketTime": TIME_S,
    } | fields


def v7(*rows: dict, **members: object) -> Response:
    """A v7 answer with these rows."""
    return answer(json.dumps({"quoteResponse": {"result": rows, "error": None}, **members}))


def parse(response: Response, *symbols: str) -> Parsed:
    """Return what the provider reads from an answer about these symbols."""
    return YAHOO.parse([instrument(symbol) for symbol in symbols], response, NOW)


def only(response: Response, symbol: str) -> Quote:
    """The one quote of an answer."""
    (quote,) = parse(response, symbol).quotes
    return quote
