"""The api's app: reads the cache over HTTP, and notes which symbols are asked for.

It knows nothing of Lambda, nor of the server in front; `web.serving` puts it into its places. No
provider is ever called from here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from marketdata.api import openapi, routes
from marketdata.api.access import AccessLog, add_facts
from marketdata.api.caching import answer
from marketdata.api.edge import Edge, EdgedApp
from marketdata.api.parameters import read_query
from marketdata.api.problems import Problem
from marketdata.api.readers.assets import AssetReader, asset_class_of
from marketdata.api.readers.quotes import QuoteReader
from marketdata.api.readers.status import StatusReader
from marketdata.api.readers.symbol_lists import requested_one
from marketdata.api.routes import DataRoute
from marketdata.clock import seconds_left_in_slot
from marketdata.domain.outcomes import MissingQuote

if TYPE_CHECKING:
    from marketdata.composition import Stores
    from marketdata.settings import Settings

READERS = 40  # looks at the cache at a time, where they are made in threads
DOCS_MAX_AGE_S = 3600
BOARD_MAX_AGE_S = 300

_T = TypeVar("_T")


class Api:
    """The functions behind the routes, over the readers that they share.

    `threads`: whether to read in a thread, so that one slow answer of the cache does not hold up
    other requests; a Lambda has one request at a time and is faster without.
    """

    def __init__(
        self, settings: Settings, stores: Stores, now_ms: Callable[[], int], *, threads: bool
    ) -> None:
        self._quotes = QuoteReader(settings, stores.quotes, stores.control)
        self._assets = AssetReader(settings, stores.assets)
        self._status = StatusReader(settings, stores.quotes, stores.assets, stores.control)
        self._now_ms = now_ms
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="read") if threads else None

    async def quotes(self, request: Request) -> Response:
        """The quotes of a list of symbols."""
        asked = read_query(request, routes.QUOTES.parameters)
        add_facts(request.scope, symbols=len(asked["symbols"].names))
        now_ms = self._now_ms()
        reading = await self._run(
            partial(self._quotes.read, asked["symbols"], now_ms, asked["max_age"])
        )
        add_facts(request.scope, hits=reading.count, misses=reading.misses)
        return answer(request, reading.body(), max_age_s=seconds_left_in_slot(now_ms))

    async def quote(self, request: Request) -> Response:
        """The quote of the symbol that the path names."""
        asked = read_query(request, routes.QUOTE.parameters)
        symbol = requested_one(request.path_params["symbol"])
        now_ms = self._now_ms()
        found = await self._run(partial(self._quotes.read_one, symbol, now_ms, asked["max_age"]))
        if isinstance(found, MissingQuote):
            add_facts(request.scope, hits=0, misses=1)
            raise Problem(found.code.value, found.message, found.retry_after_s)
        add_facts(request.scope, hits=1, misses=0)
        return answer(request, found, max_age_s=seconds_left_in_slot(now_ms))

    async def assets(self, request: Request) -> Response:
        """One page of the assets of a class."""
        asked = read_query(request, routes.ASSETS.parameters)
        asset_class = asset_class_of(request.path_params["asset_type"])
        now_ms = self._now_ms()
        body = await self._run(partial(self._assets.page, asset_class, now_ms=now_ms, **asked))
        return answer(request, body, max_age_s=seconds_left_in_slot(now_ms))

    async def providers(self, request: Request) -> Response:
        """The state of all providers."""
        read_query(request, routes.PROVIDERS.parameters)
        now_ms = self._now_ms()
        told = await self._run(partial(self._status.providers, now_ms))
        return answer(request, json.dumps(told).encode(), max_age_s=seconds_left_in_slot(now_ms))

    async def health(self, request: Request) -> Response:
        """Whether the service does its work."""
        read_query(request, routes.HEALTH.parameters)
        told = await self._run(partial(self._status.health, self._now_ms()))
        status = 503 if told["status"] == "unhealthy" else 200
        return answer(request, json.dumps(told).encode(), max_age_s=None, status=status)

    async def _run(self, read: Callable[[], _T]) -> _T:
        if self._threads is None:
            return read()
        return await asyncio.get_running_loop().run_in_executor(self._threads, read)


def create_app(
    settings: Settings,
    stores: Stores,
    *,
    now_ms: Callable[[], int],
    cors: bool = False,
    threads: bool = True,
    access_log: AccessLog,
) -> FastAPI:
    """The app over its stores. `now_ms`: the clock, epoch milliseconds.

    `cors`: whether the app itself lets any origin read, where no gateway in front does.
    `threads`: see `Api`.
    """
    api = Api(settings, stores, now_ms, threads=threads)
    app = EdgedApp(partial(Edge, cors=cors, access_log=access_log, now_ms=now_ms))
    for route, endpoint in (
        (routes.QUOTES, api.quotes),
        (routes.QUOTE, api.quote),
        (routes.ASSETS, api.assets),
        (routes.PROVIDERS, api.providers),
        (routes.HEALTH, api.health),
    ):
        app.router.routes.append(DataRoute(route.path, endpoint))
    _add_documentation(app)
    app.add_route("/", _board, methods=["GET"])
    return app


def _add_documentation(app: FastAPI) -> None:
    @cache
    def document() -> dict[str, Any]:
        return openapi.document()

    async def as_json(request: Request) -> Response:
        body = json.dumps(document()).encode()
        return answer(request, body, max_age_s=DOCS_MAX_AGE_S)

    async def as_page(request: Request) -> Response:
        from marketdata.api import pages  # noqa: PLC0415 - no request for data pays for it

        return answer(
            request,
            pages.docs_page(document()),
            max_age_s=DOCS_MAX_AGE_S,
            media_type="text/html; charset=utf-8",
            headers={"Content-Security-Policy": pages.CONTENT_POLICY},
        )

    for path, endpoint in (("/openapi.json", as_json), ("/docs", as_page)):
        app.add_route(path, endpoint, methods=["GET"])


async def _board(request: Request) -> Response:
    """The page that a person reads."""
    from marketdata.api.board import board  # noqa: PLC0415 - no request for data pays for it

    page = board()
    return answer(
        request,
        page.body,
        max_age_s=BOARD_MAX_AGE_S,
        media_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": page.policy},
    )
