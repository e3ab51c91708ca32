"""CoinGecko's formats: coins by slug, prices that change once a minute, three error shapes."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from local.simulator.figures import coin_market_cap, coin_volume
from local.simulator.gate import Route
from local.simulator.market import Market
from local.simulator.process import CURRENCY_OF_COINS
from local.simulator.records import Tick
from local.simulator.rounding import coingecko_places, to_places
from local.simulator.universe import Coin
from local.simulator.wire import JsonObject, Reply, Request, json_reply
from marketdata.domain.quotes import Source

PREFIX = "/api/v3"
_RATE_LIMIT_TEXT = (
    "You've exceeded the Rate Limit. Please visit https://www.coingecko.com/en/api/pricing to "
    "subscribe to our API plans for higher rate limits."
)
_PRO_KEY_TEXT = (
    "If you are using Pro API key, please change your root URL from api.coingecko.com to "
    "pro-api.coingecko.com"
)


class CoinGecko:
    """CoinGecko's public host: no key or a demo key."""

    source = Source.COINGECKO

    def __init__(self, market: Market) -> None:
        self._market = market
        coins = market.universe.coins.values()
        self._ranked = sorted(coins, key=lambda coin: (coin.rank is None, coin.rank or 0))
        codes = (*CURRENCY_OF_COINS, *market.universe.currencies)
        self._currencies = tuple(code.lower() for code in codes)
        self._routes = {
            f"{PREFIX}/simple/price": Route(
                "quote", self._simple_price, symbols=self._symbols, nothing={}
            ),
            f"{PREFIX}/coins/markets": Route("list", self._markets, nothing=[]),
            f"{PREFIX}/coins/list": Route("list", self._list, nothing=[]),
            f"{PREFIX}/simple/supported_vs_currencies": Route(
                "list", lambda _: json_reply(self._currencies), nothing=[]
            ),
            f"{PREFIX}/ping": Route(
                "info", lambda _: json_reply({"gecko_says": "(V3) To the Moon!"})
            ),
        }

    def route(self, request: Request) -> Route | None:
        """The endpoint that a request is for."""
        return self._routes.get(request.path)

    def key_problem(self, request: Request) -> Reply | None:
        """Return an error for a bad key and for a pro key, which belongs to the other host."""
        headers, query = request.headers, request.query
        if "x-cg-pro-api-key" in headers or "x_cg_pro_api_key" in query:
            return self._top_level_error(10010, _PRO_KEY_TEXT)
        key = headers.get("x-cg-demo-api-key") or query.get("x_cg_demo_api_key", "")
        return self.bad_key() if "bad" in key or "invalid" in key else None

    def bad_key(self) -> Reply:
        """401 with code 10002."""
        return _status_error(401, 10002, "API Key Missing: make sure you are using the right key.")

    def not_entitled(self) -> Reply:
        """401 with code 10005: the plan excludes the endpoint."""
        text = "This request is limited to PRO API subscribers."
        return _status_error(401, 10005, text)

    def rate_limited(self, _request: Request, window: str, wait_s: int) -> Reply:
        """429 with retry-after: a minute, or until a longer window admits calls."""
        reply = {"status": {"error_code": 429, "error_message": _RATE_LIMIT_TEXT}}
        wait_s = wait_s if window in ("day", "month") else 60
        return json_reply(reply, 429, retry_after=str(wait_s), server="cloudflare")

    def unavailable(self, status: int) -> Reply:
        """Return a server error."""
        return _status_error(status, status, "Service unavailable, see status.coingecko.com")

    def not_found(self) -> Reply:
        """404 in the third shape of error."""
        return json_reply({"error": "Incorrect path. Please check https://www.coingecko.com/"}, 404)

    def _symbols(self, request: Request) -> tuple[str, ...]:
        money = request.query.get("vs_currencies", "").upper().split(",")
        coins = (self._market.universe.coins.get(slug) for slug in _ids(request))
        return tuple(f"{coin.label}-{code}" for coin in coins if coin for code in money)

    def _simple_price(self, request: Request) -> Reply:
        query = request.query
        if not query.get("vs_currencies"):
            return json_reply({"error": "Missing parameter vs_currencies"}, 422)
        if not query.get("ids"):
            return json_reply({"error": "Missing parameter ids"}, 422)
        answer: dict[str, JsonObject] = {}
        for slug in _ids(request):
            coin = self._market.universe.coins.get(slug)
            if coin is not None:
                fields: JsonObject = {}
                known = [
                    self._add_price(request, coin, vs, fields)
                    for vs in query["vs_currencies"].lower().split(",")
                    if vs in self._currencies
                ]
                if any(known):
                    answer[slug] = fields
        return json_reply(answer)

    def _add_price(self, request: Request, coin: Coin, vs: str, fields: JsonObject) -> bool:
        """Add one coin's price in one currency to `fields`; return False if there is none."""
        tick = self._market.tick(self.source, f"{coin.label}-{vs.upper()}", request.path)
        if tick is None:
            return False
        wanted = {name for name, value in request.query.items() if value.lower() == "true"}
        blank = tick.series.blank or tick.oddity == "no_price"
        if tick.oddity in ("unknown_unit", "other_currency"):
            label = "xx" if tick.oddity == "unknown_unit" else "eur" if vs != "eur" else "gbp"
            fields[label] = float(tick.price) * 0.8
            fields["last_updated_at"] = tick.shown_ms // 1000
            return True
        fields[vs] = None if blank else _number(tick.price, request.query.get("precision"))
        if "include_market_cap" in wanted:
            fields[f"{vs}_market_cap"] = None if blank else coin_market_cap(coin, tick)
        if "include_24hr_vol" in wanted:
            fields[f"{vs}_24h_vol"] = None if blank else coin_volume(coin, tick)
        if "include_24hr_change" in wanted:
            fields[f"{vs}_24h_change"] = None if blank else _day_change(tick)
        if "include_last_updated_at" in wanted:
            fields["last_updated_at"] = tick.shown_ms // 1000
        return True

    def _markets(self, request: Request) -> Reply:
        query = request.query
        vs = query.get("vs_currency", "").lower()
        if vs not in self._currencies:
            text = "invalid vs_currency" if vs else "Missing parameter vs_currency"
            return json_reply({"error": text}, 422)
        coins = self._ranked
        if query.get("ids"):
            wanted = set(_ids(request))
            coins = [coin for coin in coins if coin.slug in wanted]
        size = min(250, max(1, int(query.get("per_page") or 100)))
        start = (max(1, int(query.get("page") or 1)) - 1) * size
        rows = [self._market_row(request, coin, vs) for coin in coins[start : start + size]]
        return json_reply([row for row in rows if row is not None])

    def _market_row(self, request: Request, coin: Coin, vs: str) -> JsonObject | None:
        tick = self._market.tick(self.source, f"{coin.label}-{vs.upper()}")
        if tick is None:
            return None
        price = None if tick.series.blank else float(tick.price)
        before = float(tick.day_ago)
        return {
            "id": coin.slug,
            "symbol": coin.ticker.lower(),
            "name": coin.name,
            "image": f"https://coin-images.coingecko.com/coins/images/{coin.cmc_id}/large.png",
            "current_price": None
            if price is None
            else _number(tick.price, request.query.get("precision")),
            "market_cap": None if price is None else round(coin_market_cap(coin, tick)),
            "market_cap_rank": coin.rank,
            "total_volume": None if price is None else round(coin_volume(coin, tick)),
            "high_24h": None if price is None else max(price, before),
            "low_24h": None if price is None else min(price, before),
            "price_change_24h": None if price is None else price - before,
            "price_change_percentage_24h": None if price is None else round(_day_change(tick), 5),
            "circulating_supply": coin.supply,
            "total_supply": coin.supply,
            "max_supply": None,
            "roi": None,
            "last_updated": _iso(tick.shown_ms),
        }

    def _list(self, request: Request) -> Reply:
        with_platform = request.query.get("include_platform") == "true"
        platforms: JsonObject = {"platforms": {}} if with_platform else {}
        coins = sorted(self._market.universe.coins.values(), key=lambda coin: coin.slug)
        return json_reply(
            [
                {"id": coin.slug, "symbol": coin.ticker.lower(), "name": coin.name, **platforms}
                for coin in coins
                if coin.active
            ]
        )

    def _top_level_error(self, code: int, text: str) -> Reply:
        when = datetime.fromtimestamp(self._market.now_ms() / 1000, UTC).isoformat()
        body = {"timestamp": when, "error_code": code, "status": {"error_message": text}}
        return json_reply(body, 400)


def _status_error(status: int, code: int, text: str) -> Reply:
    return json_reply({"status": {"error_code": code, "error_message": text}}, status)


def _iso(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def _ids(request: Request) -> list[str]:
    return [slug.strip().lower() for slug in request.query.get("ids", "").split(",") if slug]


def _number(price: Decimal, precision: str | None) -> float | int:
    if not price.is_finite():
        return float(price)
    if precision != "full":
        places = int(precision) if precision else coingecko_places(price)
        price = to_places(price, min(places, -int(price.as_tuple().exponent)))
    number = float(price)
    return int(number) if number.is_integer() else number


def _day_change(tick: Tick) -> float:
    before = float(tick.day_ago)
    return (float(tick.price) - before) / before * 100
