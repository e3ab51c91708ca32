"""The api over a real cache, for tests: a clock that stands still, quotes by hand, plain requests.

`Service.get` speaks ASGI to the app as uvicorn does, without a server in between.
"""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TextIO
from urllib.parse import unquote

import uvicorn
from aws_lambda_powertools import Logger
from fastapi import FastAPI
from mangum import Mangum

from marketdata.api.app import create_app
from marketdata.api.request_log import CountedRequests, LoggedRequests
from marketdata.api.serving import behind_gateway
from marketdata.cache.asset_store import AssetStore
from marketdata.cache.client import Cache
from marketdata.cache.control import ControlState
from marketdata.cache.quote_store import QuoteStore
from marketdata.composition import Stores
from marketdata.domain.assets import Asset, AssetList
from marketdata.domain.breaker import BreakerPolicy
from marketdata.domain.budget import Use
from marketdata.domain.outcomes import BreakerEffect, MissingQuote, Reason
from marketdata.domain.permits import AttemptResult, CallRequest
from marketdata.domain.quotes import ChangeBasis, Quote, Source
from marketdata.domain.symbols import AssetClass, parse_symbol
from marketdata.observability.logs import RedactingFormatter
from marketdata.settings import Settings

# A slot's start; tests move on from here.
NOON_MS = 1_763_820_300_000
ACTIVE = "AAPL,MSFT,BTC-USD,EUR/USD"


@dataclass(frozen=True)
class Reply:
    """One answer. `headers` has lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


class Service:
    """The app, its stores, its clock (`now_ms`, to be moved by hand) and its log of requests.

    `deployment`: the name that its metrics carry; without it there are none.
    """

    def __init__(
        self,
        cache: Cache,
        *,
        cors: bool = False,
        deployment: str = "",
        **env: str,
    ):
        self.now_ms = NOON_MS
        self.log = io.StringIO()
        self.settings = Settings.from_env({"ACTIVE_SYMBOLS": ACTIVE, **env})
        self.stores = Stores(
            cache=cache,
            control=ControlState(cache, limits=self.settings.limits, policy=BreakerPolicy()),
            quotes=QuoteStore(cache, retention_s=self.settings.quote_retention),
            assets=AssetStore(cache),
        )
        self.app = create_app(
            self.settings,
            self.stores,
            now_ms=lambda: self.now_ms,
            cors=cors,
            request_log=CountedRequests(
                deployment, "api", self.settings.logs_requests, self.settings.secrets
            )
            if deployment
            else LoggedRequests(logger_of(self.log, self.settings)),
        )

    def get(self, target: str, method: str = "GET", **headers: str) -> Reply:
        """The answer to one request; header names are written with underscores."""
        path, _, query = target.partition("?")
        return self.ask(method, unquote(path), query, headers)

    def ask(self, method: str, path: str, query: str, headers: dict[str, str]) -> Reply:
        """The answer to one request, its parts as ASGI has them."""
        return ask(self.app, method, path, query, headers)

    def price(self, *symbols: str, age_s: float = 0, price: str = "182.5") -> None:
        """Store a quote of each symbol, fetched so many seconds ago."""
        fetched_ms = self.now_ms - round(age_s * 1000)
        quotes = [quote(symbol, fetched_ms, price) for symbol in symbols]
        verdicts = self.stores.quotes.put(quotes, self.now_ms)
        assert [verdict.result for verdict in verdicts] == ["written"] * len(symbols)

    def explain(self, symbol: str, code: Reason, retry_after_s: int | None = None) -> None:
        """Store why a symbol has no newer quote."""
        missing = [MissingQuote(symbol, code, f"why {symbol}", retry_after_s)]
        self.stores.quotes.explain(missing)

    def list_assets(
        self,
        asset_class: AssetClass,
        symbols: Collection[str],
        version: str = "v1",
        age_s: int = 0,
    ) -> None:
        """Swap in a list with these symbols, ranked in their order; a mapping tells their names."""
        names = symbols if isinstance(symbols, Mapping) else {}
        assets = tuple(
            Asset(
                symbol,
                asset_class,
                names.get(symbol, f"Name of {symbol}"),
                None,
                "USD",
                rank,
                {"coingecko": symbol},
            )
            for rank, symbol in enumerate(symbols, 1)
        )
        updated = datetime.fromtimestamp(self.now_ms / 1000 - age_s, UTC)
        listed = AssetList(asset_class, version, updated, (Source.COINGECKO,), assets)
        assert self.stores.assets.swap(listed)

    def at_work(self) -> None:
        """Make the service healthy: slot claimed, every active symbol fresh, every list stored."""
        active = [symbol.text for symbol in self.settings.active_symbols]
        self.price(*active)
        for asset_class in AssetClass:
            listed = [text for text in active if parse_symbol(text).asset_class is asset_class]
            self.list_assets(asset_class, listed)
        self.watched()  # claims the slot

    def watched(self) -> set[str]:
        """The symbols that planning would find watched."""
        opened = self.stores.control.open_slot(self.now_ms // 1000, self.now_ms, [])
        assert opened is not None
        return {entry.symbol for entry in opened.due}

    @contextmanager
    def behind_gateway(self) -> Iterator[Mangum]:
        """The app as the Lambda's handler."""
        with event_loop() as loop:
            asyncio.set_event_loop(loop)  # Mangum would make one, and leave it open
            try:
                yield behind_gateway(self.app)
            finally:
                asyncio.set_event_loop(None)

    def attempt(
        self,
        source: Source,
        asset_class: AssetClass,
        effect: BreakerEffect,
        *,
        reason: str | None = None,
        outcome: str = "x",
    ) -> None:
        """Reserve one call and record its result."""
        want = CallRequest(source, asset_class, 1, Use.ACTIVE, self.now_ms + 3_000)
        (grant,) = self.stores.control.take([want], self.now_ms, "token")
        assert grant.calls == 1
        result = AttemptResult(
            source=source,
            asset_class=asset_class,
            generation=grant.generation,
            probe=grant.probe,
            calls_granted=1,
            end_ms=grant.end_ms,
            use=grant.use,
            calls_used=1,
            effect=effect,
            outcome=outcome,
            detail="" if outcome == "ok" else f"{source.value}: the key is not accepted",
            reason=reason,
        )
        self.stores.control.record([result], {}, (), self.now_ms, report=f"{source}-{self.now_ms}")

    @contextmanager
    def served(self, port: int = 0, http: Any = "auto") -> Iterator[str]:
        """The app behind a real uvicorn, on a free port or a given one; its origin."""
        config = uvicorn.Config(self.app, port=port, http=http, log_level="error", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "uvicorn ended at its start"
            thread.join(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(10)


@contextmanager
def event_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A new event loop, which is not the current one of any thread."""
    loop = asyncio.new_event_loop()
    try:
        yield loop
    finally:
        loop.close()


_NUMBERS = itertools.count(1)


def ask(app: FastAPI, method: str, path: str, query: str, headers: Mapping[str, str]) -> Reply:
    """The answer of an app to one request, its parts as ASGI has them."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(errors="replace"),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [
            (name.replace("_", "-").lower().encode(), value.encode())
            for name, value in headers.items()
        ],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
    }
    sent: list[dict[str, Any]] = []
    disconnected = asyncio.Event()  # never set, because no test disconnects

    async def receive() -> dict[str, Any]:
        await disconnected.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    with event_loop() as loop:
        loop.run_until_complete(app(scope, receive, send))
    names = [name.lower() for name, _ in sent[0]["headers"]]
    assert len(names) == len(set(names)), f"a header comes twice: {names}"
    received = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return Reply(sent[0]["status"], received, b"".join(m.get("body", b"") for m in sent[1:]))


def logger_of(out: TextIO, settings: Settings) -> Logger:
    """A new logger, as a process of the api has one."""
    name = f"api-{next(_NUMBERS)}"  # Powertools keeps one logger for each name
    return Logger(
        service=name,
        level=settings.log_level,
        stream=out,
        logger_formatter=RedactingFormatter(settings.secrets, utc=True, use_rfc3339=True),
    )


def quote(symbol: str, fetched_ms: int, price: str = "182.5") -> Quote:
    """A whole quote."""
    fetched = datetime.fromtimestamp(fetched_ms / 1000, UTC)
    return Quote(
        symbol=symbol,
        asset_class=parse_symbol(symbol).asset_class,
        price=Decimal(price),
        currency="USD",
        change=Decimal("1.2"),
        percent_change=Decimal("0.66"),
        change_basis=ChangeBasis.PREVIOUS_CLOSE,
        source=Source.YFINANCE,
        timestamp=fetched.replace(microsecond=0),
        fetched_at=fetched,
    )
