"""The api's app: reads the cache over HTTP, and notes which symbols are asked for.

The app knows neither Lambda nor the server in front of it: `serving` connects it to both. It never
calls a provider.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.staticfiles import StaticFiles
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import BaseRoute

from marketdata.api import openapi, routes
from marketdata.api.caching import GZIP_FROM, answer
from marketdata.api.dependencies import MARKET_HEADER, Readers
from marketdata.api.docs import STATIC_URL, docs_page, static_folder
from marketdata.api.middleware import (
    AcceptEncodingMiddleware,
    ReadOnlyMiddleware,
    RequestLogMiddleware,
    SecurityHeadersMiddleware,
    UnexpectedErrorMiddleware,
)
from marketdata.api.problems import add_exception_handlers
from marketdata.api.readers.assets import AssetReader
from marketdata.api.readers.history import HistoryReader
from marketdata.api.readers.quotes import QuoteReader
from marketdata.api.readers.search import SearchReader
from marketdata.api.readers.status import StatusReader
from marketdata.api.readers.suggesting import Suggester
from marketdata.api.request_log import RequestLog
from marketdata.cache.history_store import HistoryStore
from marketdata.cache.listed_symbols import ListedSymbols
from marketdata.domain.symbols import AssetClass
from marketdata.version import VERSION

if TYPE_CHECKING:
    from marketdata.composition import Stores
    from marketdata.settings import Settings

DOCS_MAX_AGE_S = 3600
BOARD_MAX_AGE_S = 300
GZIP_LEVEL = 4  # level 9 takes three times as long for one percent less
TITLE = "Market Data Aggregator"
SUMMARY = "Quotes of stocks, crypto and forex from five providers in one API."
DESCRIPTION = (
    "Prices carry their source, that source's own time, and `stale` once they are old. Each "
    "missing symbol has a reason. Answers are cacheable to the end of their 5-second slot: send "
    "`If-None-Match` and poll no more often than `Cache-Control` says."
)
TAGS = [
    {"name": "quotes", "description": "Prices, with their source and time."},
    {"name": "assets", "description": "What can be priced."},
    {"name": "status", "description": "How the service and its providers are."},
]


def create_app(
    settings: Settings,
    stores: Stores,
    *,
    now_ms: Callable[[], int],
    request_log: RequestLog,
    cors: bool = False,
    threads: bool = True,
) -> FastAPI:
    """Return the app over its stores. `now_ms`: the clock, epoch milliseconds.

    `cors`: whether the app itself lets any origin read, because no gateway in front does.
    `threads`: whether to read the cache in threads; see `Readers.call`.
    """
    app = FastAPI(
        title=TITLE,
        summary=SUMMARY,
        description=DESCRIPTION,
        version=VERSION,
        license_info={"name": "MIT", "identifier": "MIT"},
        servers=[{"url": "/", "description": "This service"}],
        openapi_tags=TAGS,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.now_ms = now_ms
    app.state.is_public = settings.api_is_public
    quotes = QuoteReader(settings, stores.quotes, stores.control)
    app.state.readers = Readers(
        quotes=quotes,
        history=HistoryReader(HistoryStore(stores.cache), quotes),
        search=SearchReader(stores.assets),
        suggester=Suggester(stores.assets, ListedSymbols(stores.cache)),
        assets=AssetReader(settings, stores.assets),
        status=StatusReader(settings, stores.quotes, stores.assets, stores.control),
        market=settings.market,
        threads=threads,
    )
    app.openapi = partial(openapi.document, app)  # type: ignore[method-assign]
    app.include_router(routes.router)
    # The problem of a misspelt path names the nearest one of these.
    fixed = (path for path in map(_path_of, routes.router.routes) if "{" not in path)
    lists = (f"/v1/assets/{asset_class.value}" for asset_class in AssetClass)
    app.state.paths = [*fixed, *lists]
    _add_pages(app)
    add_exception_handlers(app)
    _add_middleware(app, request_log, cors=cors)
    return app


def _path_of(route: BaseRoute) -> str:
    return str(getattr(route, "path", ""))


def _add_middleware(app: FastAPI, request_log: RequestLog, *, cors: bool) -> None:
    """Add the middleware; the one that is added last gets a request first."""
    app.add_middleware(GZipMiddleware, minimum_size=GZIP_FROM, compresslevel=GZIP_LEVEL)
    app.add_middleware(AcceptEncodingMiddleware)
    app.add_middleware(ReadOnlyMiddleware, answers_preflights=not cors)
    app.add_middleware(UnexpectedErrorMiddleware)
    if cors:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=["*"],
            allow_methods=["GET", "HEAD"],
            allow_headers=["Accept", "Content-Type", "If-None-Match"],
            expose_headers=["ETag", "Retry-After", MARKET_HEADER],
            max_age=86_400,
        )
    app.add_middleware(SecurityHeadersMiddleware)
    app.add_middleware(RequestLogMiddleware, request_log=request_log)


def _add_pages(app: FastAPI) -> None:
    @cache
    def swagger_ui() -> tuple[bytes, str]:
        return docs_page(app.title)

    @app.get("/openapi.json", include_in_schema=False)
    def get_openapi(request: Request) -> Response:
        return answer(request, json.dumps(app.openapi()).encode(), max_age_s=DOCS_MAX_AGE_S)

    @app.get("/docs", include_in_schema=False)
    def get_docs(request: Request) -> Response:
        body, policy = swagger_ui()
        return _page(request, body, policy, DOCS_MAX_AGE_S)

    @app.get("/", include_in_schema=False)
    def get_board(request: Request) -> Response:
        from marketdata.api.board import board  # noqa: PLC0415 - no request for data pays for it

        page = board()
        return _page(request, page.body, page.policy, BOARD_MAX_AGE_S)

    app.mount(STATIC_URL, StaticFiles(directory=static_folder()), name="docs-static")


def _page(request: Request, body: bytes, policy: str, max_age_s: int) -> Response:
    return answer(
        request,
        body,
        max_age_s=max_age_s,
        media_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": policy},
    )
