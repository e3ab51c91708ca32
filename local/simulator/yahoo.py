"""Yahoo's hosts on one port: cookie and crumb, quotes, charts, screeners.

Only calls for data count against the quota. Planted faults apply to cookie, consent and crumb as
well, because yfinance would keep the text of a 429 as its crumb.
"""

from __future__ import annotations

import itertools
from hashlib import blake2b

from local.simulator import yahoo_charts, yahoo_screener
from local.simulator.gate import Route
from local.simulator.market import Market
from local.simulator.wire import JsonObject, Reply, Request, json_reply, text_reply, with_headers
from local.simulator.yahoo_rows import row, rows, symbol_of
from marketdata.domain.quotes import Source

_QUOTE, _CHART, _SUMMARY = "/v7/finance/quote", "/v8/finance/chart/", "/v10/finance/quoteSummary/"
_NO_QUOTES: JsonObject = {"quoteResponse": {"result": [], "error": None}}
_NO_CHART: JsonObject = {"chart": {"result": [], "error": None}}
_NO_SCREEN = {
    "finance": {
        "result": [{"start": 0, "count": 0, "total": 0, "quotes": []}],
        "error": None,
    }
}
_CONSENT = (
    '<html><body><form action="/v2/collectConsent" method="post">'
    '<input type="hidden" name="csrfToken" value="csrf1"/>'
    '<input type="hidden" name="sessionId" value="session1"/></form></body></html>'
)


class Yahoo:
    """Yahoo Finance, as it answers a browser without an account."""

    source = Source.YFINANCE

    def __init__(self, market: Market) -> None:
        self._market = market
        self._visitors = itertools.count(1)
        cookie = Route("cookie", self._cookie, counted=False, keyed=False)
        crumb = Route("crumb", self._crumb, counted=False, keyed=False, nothing={})
        consent = Route("consent", self._consent, counted=False, keyed=False)
        self._routes = {
            "/": cookie,
            "/copyConsent": cookie,
            "/consent": consent,
            "/v2/collectConsent": consent,
            "/v1/test/getcrumb": crumb,
            _QUOTE: Route("quote", self._quote, symbols=self._symbols, nothing=_NO_QUOTES),
            "/v1/finance/screener": Route("list", self._screener, nothing=_NO_SCREEN),
            "/v1/finance/screener/predefined/saved": Route(
                "list",
                lambda request: yahoo_screener.predefined(market, request),
                nothing=_NO_SCREEN,
            ),
        }
        self._chart_route = Route(
            "chart", self._chart, symbols=self._path_symbols, keyed=False, nothing=_NO_CHART
        )
        self._summary_route = Route("summary", self._summary, symbols=self._path_symbols)

    def route(self, request: Request) -> Route | None:
        """The endpoint that a request is for."""
        known = self._routes.get(request.path)
        if known is None and request.path.startswith(_CHART):
            return self._chart_route
        if known is None and request.path.startswith(_SUMMARY):
            return self._summary_route
        return known

    def key_problem(self, request: Request) -> Reply | None:
        """Return 401 without the crumb of the visitor's cookie."""
        cookie = _cookie_of(request)
        right = cookie is not None and request.query.get("crumb") == self._crumb_of(cookie)
        return None if right else self.bad_key()

    def bad_key(self) -> Reply:
        """Return 401 Invalid Crumb."""
        return _error(401, "Unauthorized", "Invalid Crumb")

    def not_entitled(self) -> Reply:
        """403."""
        return _error(403, "Forbidden", "User is unable to access this feature")

    def rate_limited(self, _request: Request, _window: str, _wait_s: int) -> Reply:
        """Return 429 as text, without Retry-After."""
        return text_reply("Too Many Requests\r\n", 429)

    def unavailable(self, status: int) -> Reply:
        """Return an error of Yahoo's edge servers, in HTML."""
        page = "<html><body><h1>Our engineers are working on it</h1></body></html>"
        return text_reply(page, status, "text/html; charset=utf-8")

    def not_found(self) -> Reply:
        """404."""
        return _error(404, "Not Found", "No such resource")

    def _cookie(self, request: Request) -> Reply:
        """Return 404 with a cookie, as fc.yahoo.com does, or 200 at the end of the consent.

        The real cookie is for yahoo.com. Clients of another origin would drop it.
        """
        visitor = f"d=AQABB{next(self._visitors):08d}&S=AQAAA{self._market.seed}"
        cookie = f"A3={visitor}; Max-Age=31557600; Path=/; HttpOnly"
        reply = text_reply("", 404 if request.path == "/" else 200, "text/html")
        return with_headers(reply, ("set-cookie", cookie))

    def _consent(self, _request: Request) -> Reply:
        return text_reply(_CONSENT, content_type="text/html; charset=utf-8")

    def _crumb(self, request: Request) -> Reply:
        cookie = _cookie_of(request)
        if cookie is None:
            return _error(401, "Unauthorized", "Invalid Cookie")
        return text_reply(self._crumb_of(cookie), content_type="text/plain;charset=utf-8")

    def _crumb_of(self, cookie: str) -> str:
        return blake2b(cookie.encode(), digest_size=6).hexdigest()[:11]

    def _symbols(self, request: Request) -> tuple[str, ...]:
        return tuple(
            symbol_of(self._market.universe, spelling) or spelling
            for spelling in _spellings(request)
        )

    def _path_symbols(self, request: Request) -> tuple[str, ...]:
        spelling = request.path.rpartition("/")[2]
        return (symbol_of(self._market.universe, spelling) or spelling,)

    def _quote(self, request: Request) -> Reply:
        spellings = _spellings(request)
        if not spellings:
            return _error(400, "Bad Request", "Missing value for the symbols argument")
        fields, found = request.query.get("fields", ""), []
        for spelling in reversed(spellings):  # not in the order of the request
            symbol = symbol_of(self._market.universe, spelling)
            tick = self._market.tick(self.source, symbol, request.path) if symbol else None
            if tick is not None and not (tick.series.blank and "-" in spelling):
                found += rows(self._market, spelling, tick, fields)
        reply = json_reply({"quoteResponse": {"result": found, "error": None}})
        return with_headers(reply, ("cache-control", "public, max-age=1"))

    def _chart(self, request: Request) -> Reply:
        spelling = request.path.removeprefix(_CHART)
        symbol = symbol_of(self._market.universe, spelling)
        tick = self._market.tick(self.source, symbol, request.path) if symbol else None
        if tick is None or tick.series.blank:
            return yahoo_charts.error(404, "Not Found", "No data found, symbol may be delisted")
        return yahoo_charts.chart(self._market, spelling, tick, request)

    def _summary(self, request: Request) -> Reply:
        spelling = request.path.removeprefix(_SUMMARY)
        symbol = symbol_of(self._market.universe, spelling)
        tick = self._market.tick(self.source, symbol, request.path) if symbol else None
        if tick is None or tick.series.blank:
            problem = {
                "code": "Not Found",
                "description": f"Quote not found for symbol: {spelling}",
            }
            return json_reply({"quoteSummary": {"result": None, "error": problem}}, 404)
        known = row(self._market, spelling, tick)
        kind = {key: known[key] for key in ("symbol", "quoteType", "exchange", "longName")}
        result = {
            "price": known,
            "quoteType": kind,
            "summaryDetail": {"currency": known["currency"]},
        }
        return json_reply({"quoteSummary": {"result": [result], "error": None}})

    def _screener(self, request: Request) -> Reply:
        if request.method != "POST":
            return _error(405, "Method Not Allowed", "HTTP 405 Method Not Allowed")
        return yahoo_screener.custom(self._market, request)


def _spellings(request: Request) -> list[str]:
    asked = request.query.get("symbols", "").split(",")
    return list(dict.fromkeys(spelling.strip() for spelling in asked if spelling.strip()))


def _cookie_of(request: Request) -> str | None:
    for part in request.headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == "A3" and value:
            return value
    return None


def _error(status: int, code: str, description: str) -> Reply:
    problem = {"code": code, "description": description}
    return json_reply({"finance": {"result": None, "error": problem}}, status)
