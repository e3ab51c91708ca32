"""Real answers of the API, for its documentation.

`python -m tests.support.api_examples` writes them anew.

The answers come from the app over a real Redis with made-up data.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from marketdata.api.openapi import EXAMPLES
from marketdata.cache.client import Cache
from marketdata.domain.outcomes import BreakerEffect, MissingQuote, Reason
from marketdata.domain.quotes import ChangeBasis, Source
from marketdata.domain.symbols import AssetClass
from tests.support.api_service import Service, quote
from tests.support.caches import patient_cache
from tests.support.redis_servers import RedisServer

# By operation: the target of a request, by the status of its answer.
ASKED = {
    "getQuotes": {
        200: "/v1/quotes?symbols=AAPL,BTC-USD,EUR/USD,TSLA,NOPE123,A*B",
        400: "/v1/quotes?symbol=AAPL",
    },
    "getHistory": {
        200: "/v1/history?symbols=AAPL,NOPE123&range=1h",
        400: "/v1/history?symbols=AAPL&range=1y",
    },
    "getSearch": {200: "/v1/search?q=bit", 400: "/v1/search?q=bit&limit=0"},
    "getQuote": {
        200: "/v1/quotes/BTC-USD",
        400: "/v1/quotes/A*B",
        404: "/v1/quotes/NOPE123",
        503: "/v1/quotes/KO",
    },
    "getAssets": {
        200: "/v1/assets/crypto?limit=2",
        400: "/v1/assets/crypto?limit=0",
        404: "/v1/assets/bonds",
    },
    "getProviders": {200: "/v1/providers"},
    "getHealth": {200: "/health"},
}


def examples(cache: Cache) -> dict[str, dict[str, Any]]:
    """The answers, by operation and status, of a service over an empty cache."""
    service = Service(cache, FINNHUB_API_KEY="k", ACTIVE_SYMBOLS="AAPL,BTC-USD,EUR/USD")
    _fill(service)
    found: dict[str, dict[str, Any]] = {}
    for name, targets in ASKED.items():
        for status, target in targets.items():
            reply = service.get(target)
            assert reply.status == status, (target, reply.body)
            found.setdefault(name, {})[str(status)] = reply.json
    return found


def _fill(service: Service) -> None:
    at_ms = service.now_ms - 976
    stored = [
        replace(
            quote("AAPL", at_ms, "232.89"), change=Decimal("0.03"), percent_change=Decimal("0.0129")
        ),
        replace(
            quote("BTC-USD", at_ms, "90679.068"),
            change=Decimal("-4150.213"),
            percent_change=Decimal("-4.3765"),
            change_basis=ChangeBasis.ROLLING_24H,
            source=Source.COINGECKO,
        ),
        replace(
            quote("EUR/USD", at_ms, "1.05104"),
            change=None,
            percent_change=None,
            change_basis=None,
            source=Source.ALPHA_VANTAGE,
        ),
    ]
    service.stores.quotes.put(stored, service.now_ms)
    missing = [
        MissingQuote("NOPE123", Reason.NOT_FOUND, "yfinance: no quote for NOPE123"),
        MissingQuote("KO", Reason.BUDGET_EXHAUSTED, "yfinance: budget exhausted", 42),
    ]
    service.stores.quotes.explain(missing)
    service.list_assets(AssetClass.STOCKS, ["AAPL", "MSFT", "TSLA"])
    service.list_assets(
        AssetClass.CRYPTO, {"BTC-USD": "Bitcoin", "ETH-USD": "Ethereum", "SOL-USD": "Solana"}
    )
    service.list_assets(AssetClass.FOREX, ["EUR/USD"])
    service.attempt(Source.YFINANCE, AssetClass.STOCKS, BreakerEffect.SUCCESS, outcome="ok")
    service.attempt(
        Source.FINNHUB,
        AssetClass.STOCKS,
        BreakerEffect.TRIP,
        reason="bad_key",
        outcome="unauthorized",
    )
    service.watched()


def main() -> None:
    """Write the file that the documentation takes its examples from."""
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            found = examples(patient_cache(server))
        finally:
            server.kill()
    text = json.dumps(found, indent=1, ensure_ascii=False)
    EXAMPLES.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
