"""CoinMarketCap's formats: coins by number, a status in every answer, credits and codes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from local.simulator.figures import coin_market_cap, coin_volume
from local.simulator.gate import Route
from local.simulator.market import Market
from local.simulator.process import CURRENCY_OF_COINS
from local.simulator.records import Tick
from local.simulator.universe import Coin, Currency
from local.simulator.wire import JsonObject, Reply, Request, json_reply
from marketdata.domain.quotes import Source

# Code and text of the error by the window that is used up.
_LIMIT_ERRORS = {
    "second": (1011, "You've hit an IP rate limit."),
    "minute": (
        1008,
        "You've exceeded your API Key's HTTP request rate limit. Rate limits reset every minute.",
    ),
    "hour": (1011, "You've hit an IP rate limit."),
    "day": (1009, "You've exceeded your API Key's daily rate limit."),
    "month": (1010, "You've exceeded your API Key's monthly rate limit."),
}
_LONG_AGO = "2022-02-05T00:00:00.000Z"
_NO_DATA = {"status": {"error_code": "0", "error_message": "", "credit_count": 0}, "data": []}


class CoinMarketCap:
    """CoinMarketCap on the Basic plan."""

    source = Source.COINMARKETCAP

    def __init__(self, market: Market) -> None:
        self._market = market
        self._routes = {
            "/v3/cryptocurrency/quotes/latest": Route(
                "quote", self._quotes, symbols=self._symbols, nothing=_NO_DATA
            ),
            "/v1/cryptocurrency/map": Route("list", self._map, nothing=_NO_DATA),
            "/v1/fiat/map": Route("list", self._fiat_map, nothing=_NO_DATA),
            "/v1/key/info": Route("info", self._key_info, counted=False, nothing=_NO_DATA),
        }

    def route(self, request: Request) -> Route | None:
        """The endpoint that a request is for."""
        return self._routes.get(request.path)

    def key_problem(self, request: Request) -> Reply | None:
        """401 with 1002 for no key and 1001 for a bad one."""
        header = request.headers.get("x-cmc_pro_api_key")
        key = header or request.query.get("CMC_PRO_API_KEY")
        if not key:
            return self._error(401, 1002, "API key missing.")
        return self.bad_key() if "bad" in key or "invalid" in key else None

    def bad_key(self) -> Reply:
        """401 with 1001."""
        return self._error(401, 1001, "This API Key is invalid.")

    def not_entitled(self) -> Reply:
        """403 with 1006."""
        text = "Your API Key subscription plan doesn't support this endpoint."
        return self._error(403, 1006, text)

    def rate_limited(self, _request: Request, window: str, _wait_s: int) -> Reply:
        """Return 429; the code names the window."""
        return self._error(429, *_LIMIT_ERRORS[window])

    def unavailable(self, status: int) -> Reply:
        """Return a server error."""
        return self._error(status, status, "An internal server error occurred")

    def not_found(self) -> Reply:
        """404."""
        return self._error(404, 404, "Not Found")

    def _coins(self, request: Request) -> list[tuple[str, Coin | None]]:
        """Return the coins of a request, each with the name in the request; None for unknown."""
        query, universe = request.query, self._market.universe
        if "id" in query:
            ids = dict.fromkeys(query["id"].split(","))
            return [(x, universe.by_cmc_id.get(int(x)) if x.isdigit() else None) for x in ids]
        if "slug" in query:
            return [(x, universe.coins.get(x)) for x in query["slug"].lower().split(",")]
        found: list[tuple[str, Coin | None]] = []
        for ticker in filter(None, query.get("symbol", "").upper().split(",")):
            # every coin with the ticker, the small ones first, as the real API has done
            same = [c for c in universe.coins.values() if c.ticker == ticker]
            found += [(ticker, coin) for coin in reversed(same)] or [(ticker, None)]
        return found

    def _symbols(self, request: Request) -> tuple[str, ...]:
        money = request.query.get("convert", "USD").upper()
        return tuple(f"{coin.label}-{money}" for _, coin in self._coins(request) if coin)

    def _quotes(self, request: Request) -> Reply:
        money = request.query.get("convert", "USD").upper()
        if "," in money:
            return self._error(400, 400, "Your plan is limited to 1 convert options")
        currency = self._currency(money)
        if currency is None:
            return self._error(400, 400, f'Invalid value for "convert": "{money}"')
        coins = self._coins(request)
        if not coins:
            text = '"value" must contain at least one of [id, symbol, slug]'
            return self._error(400, 400, text)
        rows, unknown = [], []
        for name, coin in coins:
            tick = self._tick(request, coin, money) if coin is not None else None
            if coin is None or tick is None:
                unknown.append(name)
            else:
                rows += _quote_rows(coin, tick, currency)
        if unknown and request.query.get("skip_invalid") != "true":
            kind = next(kind for kind in ("id", "slug", "symbol") if kind in request.query)
            text = f'Invalid {"values" if len(unknown) > 1 else "value"} for "{kind}": '
            return self._error(400, 400, f'{text}"{",".join(unknown)}"')
        status = self._status("0", None, credits_spent=-(-len(rows) // 250))
        return json_reply({"status": status, "data": rows})

    def _currency(self, code: str) -> Currency | Coin | None:
        universe = self._market.universe
        return universe.currencies.get(code) or (
            universe.by_label[code] if code in CURRENCY_OF_COINS else None
        )

    def _tick(self, request: Request, coin: Coin, money: str) -> Tick | None:
        return self._market.tick(self.source, f"{coin.label}-{money}", request.path)

    def _map(self, request: Request) -> Reply:
        query = request.query
        status = query.get("listing_status", "active")
        tickers = set(filter(None, query.get("symbol", "").upper().split(",")))
        coins = [
            coin
            for coin in self._market.universe.coins.values()
            if coin.active == (status == "active") and (not tickers or coin.ticker in tickers)
        ]
        if query.get("sort", "id") == "cmc_rank":
            coins.sort(key=lambda coin: (coin.rank is None, coin.rank or 0))
        else:
            coins.sort(key=lambda coin: coin.cmc_id)
        now = _iso(self._market.now_ms())
        rows = (
            {
                "id": coin.cmc_id,
                "rank": coin.rank,
                "name": coin.name,
                "symbol": coin.ticker,
                "slug": coin.slug,
                "is_active": int(coin.active),
                "first_historical_data": "2013-04-28T18:47:21.000Z",
                "last_historical_data": now,
                "platform": None,
            }
            for coin in coins
        )
        return self._page(request, rows, default_limit=100)

    def _fiat_map(self, request: Request) -> Reply:
        rows = (
            {"id": money.cmc_id, "name": money.name, "sign": money.sign, "symbol": money.code}
            for money in self._market.universe.currencies.values()
        )
        return self._page(request, rows, default_limit=100)

    def _page(self, request: Request, rows: Iterable[JsonObject], *, default_limit: int) -> Reply:
        start, limit = request.query.get("start", "1"), request.query.get("limit")
        if not start.isdigit() or (limit is not None and not limit.isdigit()):
            return self._error(400, 400, '"start" and "limit" must be numbers')
        first = max(1, int(start)) - 1
        data = list(rows)[first : first + int(limit or default_limit)]
        return json_reply({"status": self._status(0, None), "data": data})

    def _key_info(self, _request: Request) -> Reply:
        quota, now_ms = self._market.quotas[self.source], self._market.now_ms()
        limits = {limit.window: limit.calls for limit in quota.limits}
        usage = {limit.window: quota.used(limit.window, now_ms) for limit in quota.limits}
        plan = {
            "rate_limit_minute": limits.get("minute"),
            "credit_limit_monthly": limits.get("month"),
        }
        used = {
            f"current_{window}": {
                "requests_made" if window == "minute" else "credits_used": usage.get(window),
                "requests_left" if window == "minute" else "credits_left": limits[window]
                - usage[window],
            }
            for window in limits
        }
        return json_reply({"status": self._status(0, None), "data": {"plan": plan, "usage": used}})

    def _error(self, http_status: int, code: int, text: str) -> Reply:
        return json_reply({"status": self._status(code, text)}, http_status)

    def _status(self, code: int | str, text: str | None, credits_spent: int = 0) -> JsonObject:
        return {
            "timestamp": _iso(self._market.now_ms()),
            "error_code": code,
            "error_message": text,
            "elapsed": 4,
            "credit_count": credits_spent,
        }


def _quote_rows(coin: Coin, tick: Tick, currency: Currency | Coin) -> list[JsonObject]:
    """Return the rows of one coin: one, unless an odd row is planted."""
    found = _quote_row(coin, tick, currency)
    quote = found["quote"][0]
    if tick.oddity == "no_price":
        quote["price"] = None
    elif tick.oddity in ("unknown_unit", "other_currency"):
        label = "EUR" if quote["symbol"] != "EUR" else "GBP"
        if tick.oddity == "unknown_unit":
            label = "Xx"
        quote |= {"id": 0, "symbol": label, "price": float(tick.price) * 0.8}
    elif tick.oddity == "doubled":
        dead = {**quote, "price": float(tick.price) / 2, "last_updated": _LONG_AGO}
        return [{**found, "is_active": 0, "quote": [dead], "last_updated": _LONG_AGO}, found]
    return [found]


def _quote_row(coin: Coin, tick: Tick, currency: Currency | Coin) -> JsonObject:
    price = None if tick.series.blank else float(tick.price)
    before = float(tick.day_ago)
    when = _iso(tick.shown_ms)
    code = currency.code if isinstance(currency, Currency) else currency.ticker
    return {
        "id": coin.cmc_id,
        "name": coin.name,
        "symbol": coin.ticker,
        "slug": coin.slug,
        "num_market_pairs": 12000 if coin.rank else 0,
        "date_added": "2013-04-28T00:00:00.000Z",
        "tags": [],
        "is_active": int(coin.active),
        "is_fiat": 0,
        "platform": None,
        "cmc_rank": coin.rank,
        "circulating_supply": coin.supply,
        "last_updated": when,
        "quote": [
            {
                "id": currency.cmc_id,
                "symbol": code,
                "price": price,
                "volume_24h": None if price is None else coin_volume(coin, tick),
                "percent_change_24h": None if price is None else (price - before) / before * 100,
                "market_cap": None if price is None else coin_market_cap(coin, tick),
                "last_updated": when,
            }
        ],
    }


def _iso(at_ms: int) -> str:
    when = datetime.fromtimestamp(at_ms / 1000, UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"
