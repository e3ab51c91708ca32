"""Alpha Vantage's formats: one path, always HTTP 200, errors as sentences."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from local.simulator import figures
from local.simulator.gate import Route
from local.simulator.market import Market
from local.simulator.records import Tick
from local.simulator.rounding import (
    ALPHA_VANTAGE_RATE_PLACES,
    ALPHA_VANTAGE_STOCK_PLACES,
    to_places,
)
from local.simulator.universe import Stock
from local.simulator.wire import Reply, Request, json_reply, text_reply
from marketdata.domain.quotes import Source

_PREMIUM = "https://www.alphavantage.co/premium/"
_BURST = (
    "Thank you for using Alpha Vantage! Please consider spreading out your free API requests more "
    "sparingly (1 request per second). You may subscribe to any of the premium plans at "
    f"{_PREMIUM} to lift the free key rate limit (25 requests per day), raise the per-second burst "
    "limit, and instantly unlock all premium endpoints"
)
_DAILY = (
    "We have detected your API key as {key} and our standard API rate limit is 25 requests per "
    f"day. Please subscribe to any of the premium plans at {_PREMIUM} to instantly remove all "
    "daily rate limits."
)
_NO_KEY = (
    "the parameter apikey is invalid or missing. Please claim your free API key on "
    "(https://www.alphavantage.co/support/#api-key). It should take less than 20 seconds."
)
_INVALID = (
    "Invalid API call. Please retry or visit the documentation "
    "(https://www.alphavantage.co/documentation/) for {function}."
)
_PREMIUM_ENDPOINT = (
    "Thank you for using Alpha Vantage! This is a premium endpoint. You may subscribe to any of "
    f"the premium plans at {_PREMIUM} to instantly unlock all premium endpoints"
)
_CSV_TYPE = "application/x-download"
_LISTING_HEADER = "symbol,name,exchange,assetType,ipoDate,delistingDate,status".split(",")
_EXCHANGES = {"NMS": "NASDAQ", "NGM": "NASDAQ", "NYQ": "NYSE", "ASE": "NYSE MKT"}
_LISTING_ODDITIES = (
    ("-P-HIZ", "Presurance Holdings Inc", "NASDAQ", "Stock"),
    ("ACWV:BAT", "Minimum Volatility Global ETF", "BATS", "ETF"),
    ("BAKO-WS", "", "NYSE", "Stock"),
    ("ZZZ", "TEST TICKER FOR UTP", "NASDAQ", "Stock"),
)


class AlphaVantage:
    """Alpha Vantage with a free key."""

    source = Source.ALPHA_VANTAGE

    def __init__(self, market: Market) -> None:
        self._market = market
        functions: dict[str, Callable[[Request], Reply]] = {
            "CURRENCY_EXCHANGE_RATE": self._rate,
            "GLOBAL_QUOTE": self._quote,
        }
        self._routes = {
            name: Route("quote", answer, symbols=self._symbols, nothing={})
            for name, answer in functions.items()
        } | {"LISTING_STATUS": Route("list", self._listing, nothing={})}
        self._unknown = Route("unknown", self._invalid_call, nothing={})
        self._currencies = Route(
            "list", self._physical_currencies, counted=False, keyed=False, nothing={}
        )

    def route(self, request: Request) -> Route | None:
        """The endpoint that a request is for."""
        if request.path.rstrip("/") == "/physical_currency_list":
            return self._currencies
        if request.path != "/query":
            return None
        return self._routes.get(_function(request), self._unknown)

    def key_problem(self, request: Request) -> Reply | None:
        """Return 200 with an error message; 406 for an Accept header of CSV."""
        if "text/csv" in request.headers.get("accept", ""):
            return json_reply({"detail": "Could not satisfy the request Accept header."}, 406)
        key = request.query.get("apikey", "")
        return self.bad_key() if not key or "bad" in key or "invalid" in key else None

    def bad_key(self) -> Reply:
        """Return 200 with an error message."""
        return json_reply({"Error Message": _NO_KEY})

    def not_entitled(self) -> Reply:
        """Return 200 with a notice."""
        return json_reply({"Information": _PREMIUM_ENDPOINT})

    def rate_limited(self, request: Request, window: str, _wait_s: int) -> Reply:
        """Return 200 with a notice; for a CSV, the notice cut into its columns."""
        if _function(request) == "LISTING_STATUS":
            letters = ["I", "n", "f", "o", "r", "m", "a"]
            return _csv([_LISTING_HEADER, letters])
        text = _BURST if window in ("second", "minute", "hour") else _DAILY
        key = request.query.get("apikey", "")
        return json_reply({"Information": text.replace("{key}", key)})

    def unavailable(self, status: int) -> Reply:
        """Return a server error, in HTML."""
        return text_reply("<html><body>Server Error</body></html>", status, "text/html")

    def not_found(self) -> Reply:
        """Return 404, in HTML."""
        return text_reply("<html><body>Not Found</body></html>", 404, "text/html")

    def _invalid_call(self, request: Request) -> Reply:
        return json_reply({"Error Message": _INVALID.format(function=_function(request))})

    def _symbols(self, request: Request) -> tuple[str, ...]:
        stock = self._stock(request)
        if stock is not None:
            return (stock.symbol,)
        base, quote = _sides(request)
        if not (base and quote):
            return ()
        is_forex = base in self._market.universe.currencies
        return (f"{base}/{quote}" if is_forex else f"{base}-{quote}",)

    def _stock(self, request: Request) -> Stock | None:
        universe, asked = self._market.universe, request.query.get("symbol", "").upper()
        stock = universe.by_alpha_vantage.get(asked) or universe.stocks.get(asked)
        return stock if stock is not None and stock.is_us_equity else None

    def _rate(self, request: Request) -> Reply:
        base, quote = _sides(request)
        names = {**self._names(base), **self._names(quote)}
        tick = None
        for symbol in self._symbols(request):
            tick = self._market.tick(self.source, symbol, request.path)
        if tick is None or tick.series.blank or not {base, quote} <= names.keys():
            return self._invalid_call(request)
        rate = to_places(tick.price, ALPHA_VANTAGE_RATE_PLACES)
        half = to_places(tick.price / 50_000, ALPHA_VANTAGE_RATE_PLACES)
        when = datetime.fromtimestamp(tick.shown_ms / 1000, UTC)
        if tick.oddity == "other_currency":
            rate, quote = rate * 2, "EUR" if quote != "EUR" else "GBP"
        body = {
            "1. From_Currency Code": base,
            "2. From_Currency Name": names[base],
            "3. To_Currency Code": quote,
            "4. To_Currency Name": names.get(quote, quote),
            "5. Exchange Rate": f"{rate:f}",
            "6. Last Refreshed": f"{when:%Y-%m-%d %H:%M:%S}",
            "7. Time Zone": "UTC",
            "8. Bid Price": f"{rate - half:f}",
            "9. Ask Price": f"{rate + half:f}",
        }
        if tick.oddity == "unknown_unit":
            body |= {"3. To_Currency Code": "Xx", "5. Exchange Rate": f"{rate * 100:f}"}
        if tick.oddity == "no_price":
            body["5. Exchange Rate"] = "-"
        return json_reply({"Realtime Currency Exchange Rate": body})

    def _names(self, code: str) -> dict[str, str]:
        universe = self._market.universe
        known = universe.currencies.get(code) or universe.by_label.get(code)
        return {} if known is None else {code: known.name}

    def _quote(self, request: Request) -> Reply:
        stock, tick = self._stock(request), None
        if stock is not None and not stock.dead:
            tick = self._market.tick(self.source, stock.symbol, request.path)
        if stock is None or tick is None:
            return json_reply({"Global Quote": {}})
        shares = figures.shares_outstanding(stock, self._market.universe.currencies)
        volume = figures.volume(stock, shares, tick)
        return json_reply({"Global Quote": _end_of_day(request.query["symbol"], tick, volume)})

    def _listing(self, request: Request) -> Reply:
        if request.query.get("state", "active").lower() != "active":
            return _csv([_LISTING_HEADER])
        stocks = self._market.universe.stocks.values()
        listed = [_listing_row(s) for s in stocks if s.is_us_equity and not s.dead]
        odd = [(*row, "2020-01-02", "null", "Active") for row in _LISTING_ODDITIES]
        return _csv([_LISTING_HEADER, *sorted([*listed, *odd])])

    def _physical_currencies(self, _request: Request) -> Reply:
        known = sorted(self._market.universe.currencies.values(), key=lambda money: money.code)
        rows = [(money.code, money.name) for money in known]
        return _csv([("currency code", "currency name"), *rows])


def _function(request: Request) -> str:
    return request.query.get("function", "").upper()


def _sides(request: Request) -> tuple[str, str]:
    query = request.query
    return query.get("from_currency", "").upper(), query.get("to_currency", "").upper()


def _end_of_day(asked: str, tick: Tick, volume: int) -> dict[str, str]:
    price, close = tick.price, tick.previous_close

    def shown(number: float | Decimal) -> str:
        return f"{number:.{ALPHA_VANTAGE_STOCK_PLACES}f}"

    return {
        "01. symbol": asked,
        "02. open": shown(tick.opening),
        "03. high": shown(tick.high),
        "04. low": shown(tick.low),
        "05. price": f"{to_places(price, ALPHA_VANTAGE_STOCK_PLACES):f}",
        "06. volume": str(volume),
        "07. latest trading day": f"{datetime.fromtimestamp(tick.shown_ms / 1000, UTC):%Y-%m-%d}",
        "08. previous close": shown(close),
        "09. change": shown(price - close),
        "10. change percent": f"{shown((price - close) / close * 100)}%",
    }


def _listing_row(stock: Stock) -> tuple[str, ...]:
    exchange = _EXCHANGES[stock.exchange]
    return (stock.alpha_vantage, stock.name, exchange, "Stock", "1999-11-18", "null", "Active")


def _csv(rows: Iterable[Sequence[str]]) -> Reply:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text_reply(text.getvalue(), content_type=_CSV_TYPE)
