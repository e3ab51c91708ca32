"""Finnhub's formats: one symbol a call, zeros for an unknown symbol."""

from __future__ import annotations

from local.simulator import dialects
from local.simulator.gate import Route
from local.simulator.market import Market
from local.simulator.records import Tick
from local.simulator.universe import Stock
from local.simulator.wire import Reply, Request, json_reply, with_headers
from marketdata.domain.quotes import Source

PREFIX = "/api/v1"
_ZEROS = {"c": 0, "d": None, "dp": None, "h": 0, "l": 0, "o": 0, "pc": 0, "t": 0}
_MICS = {"NMS": "XNGS", "NGM": "XNMS", "NYQ": "XNYS", "ASE": "XASE"}
_TYPES = {"PR": "Preference", "WS": "Equity WRT", "RT": "Right", "U": "Unit"}
_BROKERS = ("oanda", "fxcm", "icmarkets")


class Finnhub:
    """Finnhub, as its free plan answers: shares of US listings, and lists."""

    source = Source.FINNHUB

    def __init__(self, market: Market) -> None:
        self._market = market
        self._routes = {
            f"{PREFIX}/quote": Route("quote", self._quote, symbols=self._symbols, nothing=_ZEROS),
            f"{PREFIX}/stock/symbol": Route("list", self._stocks, nothing=[]),
            f"{PREFIX}/forex/symbol": Route("list", self._forex, nothing=[]),
            f"{PREFIX}/forex/exchange": Route(
                "list", lambda _: json_reply(list(_BROKERS)), nothing=[]
            ),
        }

    def route(self, request: Request) -> Route | None:
        """The endpoint that a request is for."""
        return self._routes.get(request.path)

    def key_problem(self, request: Request) -> Reply | None:
        """Return 401 without a key and for a bad one."""
        key = request.headers.get("x-finnhub-token") or request.query.get("token")
        if not key:
            return json_reply({"error": "Please use an API key."}, 401)
        return self.bad_key() if "bad" in key or "invalid" in key else None

    def bad_key(self) -> Reply:
        """401."""
        return json_reply({"error": "Invalid API key."}, 401)

    def not_entitled(self) -> Reply:
        """403."""
        return json_reply({"error": "You don't have access to this resource."}, 403)

    def rate_limited(self, _request: Request, _window: str, _wait_s: int) -> Reply:
        """Return 429; only the rate-limit headers say when calls are admitted again."""
        text = "API limit reached. Please try again later. Remaining Limit: 0"
        return self._with_limits(json_reply({"error": text}, 429))

    def unavailable(self, status: int) -> Reply:
        """Return a server error."""
        return json_reply({"error": "Internal server error"}, status)

    def not_found(self) -> Reply:
        """Return 404 as an HTML page."""
        return Reply(404, b"<html><body>404 page not found</body></html>", "text/html")

    def _symbols(self, request: Request) -> tuple[str, ...]:
        symbol = request.query.get("symbol")
        stock = self._market.universe.by_finnhub.get(symbol or "")
        return (stock.symbol if stock else symbol,) if symbol else ()

    def _quote(self, request: Request) -> Reply:
        symbol = request.query.get("symbol", "")
        if not symbol:
            return json_reply({"error": "Wrong symbol"}, 422)
        universe = self._market.universe
        if symbol.partition(":")[0].lower() in _BROKERS or (
            symbol in universe.stocks and not universe.stocks[symbol].is_us_equity
        ):
            return self.not_entitled()
        stock, tick = universe.by_finnhub.get(symbol), None
        if stock is not None and not stock.dead:
            tick = self._market.tick(self.source, stock.symbol, request.path)
        return self._with_limits(json_reply(_ZEROS if tick is None else _quote_of(tick)))

    def _stocks(self, request: Request) -> Reply:
        if request.query.get("exchange") != "US":
            return json_reply([])
        stocks = self._market.universe.stocks.values()
        rows = [_stock_row(stock) for stock in stocks if stock.is_us_equity and stock.name]
        return self._with_limits(json_reply(rows))

    def _forex(self, request: Request) -> Reply:
        broker = request.query.get("exchange", "").lower()
        if broker not in _BROKERS:
            return json_reply([])
        rows = [
            {
                "description": f"{broker.title()} {pair}",
                "displaySymbol": pair,
                "symbol": f"{broker.upper()}:{pair.replace('/', '_')}",
            }
            for pair in self._market.universe.pairs
        ]
        return self._with_limits(json_reply(rows))

    def _with_limits(self, reply: Reply) -> Reply:
        quota, now_ms = self._market.quotas[self.source], self._market.now_ms()
        limit = next((limit for limit in quota.limits if limit.window == "minute"), None)
        if limit is None:
            return reply
        left = limit.calls - quota.used("minute", now_ms)
        reset = (now_ms + (quota.frees_in_ms("minute", now_ms) or 60_000)) // 1000 + 1
        return with_headers(
            reply,
            ("x-ratelimit-limit", str(limit.calls)),
            ("x-ratelimit-remaining", str(left)),
            ("x-ratelimit-reset", str(reset)),
        )


def _quote_of(tick: Tick) -> dict[str, object]:
    price, close = float(tick.price), float(tick.previous_close)
    return {
        # Finnhub names no unit and no currency, and has one object: only this oddity is possible.
        "c": None if tick.oddity == "no_price" else _short(price),
        "d": round(price - close, tick.series.decimals),
        "dp": round((price - close) / close * 100, 4),
        "h": _short(float(tick.high)),
        "l": _short(float(tick.low)),
        "o": _short(float(tick.opening)),
        "pc": _short(close),
        "t": tick.shown_ms // 1000,
    }


def _short(number: float) -> float | int:
    """Return a number; whole ones as integers, as Finnhub sends them."""
    return int(number) if number.is_integer() else number


def _stock_row(stock: Stock) -> dict[str, object]:
    spelling = dialects.finnhub_list(stock.symbol)
    return {
        "currency": stock.currency,
        "description": stock.name.upper(),
        "displaySymbol": spelling,
        "figi": f"BBG{_number_of(stock.symbol):09d}",
        "mic": _MICS[stock.exchange],
        "shareClassFIGI": "",
        "symbol": spelling,
        "symbol2": "",
        "type": _type_of(stock.symbol),
    }


def _type_of(symbol: str) -> str:
    suffix = symbol.partition(".")[2].partition(".")[0]
    return _TYPES.get(suffix, "Common Stock")


def _number_of(text: str) -> int:
    """Return a number of at most nine digits, the same in every process."""
    return int.from_bytes(text.encode(), "big") % 1_000_000_007
