"""The servers and data of the benchmarks: a Redis of their own, quotes, lists, gateway events."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from marketdata.cache.asset_store import AssetStore
from marketdata.cache.client import Cache, connect
from marketdata.cache.quote_store import QuoteStore
from marketdata.domain.assets import Asset, AssetList
from marketdata.domain.quotes import ChangeBasis, MarketState, Quote, Source
from marketdata.domain.symbols import AssetClass
from marketdata.settings import Settings
from tests.benchmarks.plain_way import PREFIX
from tests.support.redis_servers import RedisServer

RETENTION_S = 604_800
EVENTS = Path(__file__).parents[2] / "events"
# Every second stock is active; the others are watched because clients ask for them.
SYMBOLS = tuple(f"BM{place:03d}" for place in range(100))
ACTIVE = SYMBOLS[::2]


@contextlib.contextmanager
def redis_of_our_own() -> Iterator[RedisServer]:
    """Run a new Redis that the settings of this process and its children name meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder))
        server.start()
        added = server.env(ACTIVE_SYMBOLS=",".join(ACTIVE), METRICS_SERVICE="benchmark")
        before = {name: os.environ.get(name) for name in added}
        os.environ.update(added)
        try:
            yield server
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
            server.kill()


@contextlib.contextmanager
def cache_of(server: RedisServer, **env: str) -> Iterator[Cache]:
    """Connect the program's own client."""
    cache = connect(Settings.from_env(server.env(**env)))
    yield cache
    cache.close()


def a_quote(symbol: str, now_ms: int) -> Quote:
    """Return a quote with all figures, fetched a second ago."""
    fetched = datetime.fromtimestamp(now_ms / 1000 - 1, UTC)
    return Quote(
        symbol=symbol,
        asset_class=AssetClass.STOCKS,
        price=Decimal("232.89"),
        currency="USD",
        change=Decimal("0.03"),
        percent_change=Decimal("0.0128833"),
        change_basis=ChangeBasis.PREVIOUS_CLOSE,
        source=Source.YFINANCE,
        timestamp=fetched.replace(microsecond=0),
        fetched_at=fetched,
        previous_close=Decimal("232.86"),
        open=Decimal("232.1"),
        high=Decimal("233.4"),
        low=Decimal("231.95"),
        volume=Decimal(30_981_245),
        market_cap=Decimal(3_456_789_000_000),
        market_state=MarketState.OPEN,
    )


def store_quotes(cache: Cache, server: RedisServer, now_ms: int) -> None:
    """Store the same quotes for the api and for the plain way, each in its own form."""
    quotes = [a_quote(symbol, now_ms) for symbol in SYMBOLS]
    store = QuoteStore(cache, retention_s=RETENTION_S)
    assert {verdict.result for verdict in store.put(quotes, now_ms)} <= {"written", "older"}
    with server.client() as client:
        for quote in quotes:
            client.set(PREFIX + quote.symbol, quote.to_json())


def store_rate(cache: Cache, now_ms: int) -> None:
    """Store a quote of EUR/USD."""
    rate = replace(
        a_quote("EUR/USD", now_ms), asset_class=AssetClass.FOREX, price=Decimal("1.0812")
    )
    QuoteStore(cache, retention_s=RETENTION_S).put([rate], now_ms)


def asset_list(count: int, now_ms: int) -> AssetList:
    """Return a list of so many stocks, with names that a search can find."""
    trades = ("Energy", "Foods", "Systems", "Bancorp", "Therapeutics", "Holdings")
    assets = tuple(
        Asset(
            f"X{place:05d}",
            AssetClass.STOCKS,
            f"Company {place} {trades[place % len(trades)]} Inc.",
            "NMS",
            "USD",
            place + 1,
            {"yfinance": f"X{place:05d}"},
        )
        for place in range(count)
    )
    updated = datetime.fromtimestamp(now_ms / 1000, UTC)
    return AssetList(AssetClass.STOCKS, "benchmark", updated, (Source.YFINANCE,), assets)


def store_assets(cache: Cache, count: int, now_ms: int) -> None:
    """Store a list of so many stocks as the current one."""
    assert AssetStore(cache).swap(asset_list(count, now_ms))


def event(target: str) -> dict[str, Any]:
    """Return a GET as an HTTP API of API Gateway delivers it, payload format 2.0."""
    made: dict[str, Any] = json.loads((EVENTS / "api__http_quotes.json").read_text())
    path, _, query = target.partition("?")
    made["rawPath"] = made["requestContext"]["http"]["path"] = path
    made["rawQueryString"] = query
    made["queryStringParameters"] = dict(parse_qsl(query))
    return made


def quotes_target(symbols: Sequence[str]) -> str:
    """Return the target of a request for these symbols."""
    return "/v1/quotes?symbols=" + ",".join(symbols)
