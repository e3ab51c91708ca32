"""Every error and every empty answer of a provider, as sent, with the outcome of each.

Yahoo is not here: its answers come through yfinance, and the simulated market gives them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from marketdata.domain.quotes import Source
from tests.support.canned_server import Canned
from tests.support.simulated_market import KEY, WEDNESDAY_MS

MIDNIGHT_S = 9 * 3600  # from the start of the tests, 15:00 UTC on 18 March
MONTH_END_S = 13 * 86400 + MIDNIGHT_S
HTML = "<!DOCTYPE html>\n<html><head><title>Attention Required! | Cloudflare</title></head></html>"
HTML_TYPE = {"content-type": "text/html; charset=UTF-8"}


@dataclass(frozen=True)
class Shape:
    """One answer of one provider, the outcome that it is, and for how long it holds the budget."""

    source: Source
    name: str
    answer: Canned
    outcome: str
    hold_s: int | None = None

    def __str__(self) -> str:
        return f"{self.source.value}: {self.name}"


def _alpha_vantage(name, body, outcome, hold_s=None, status=200, **how) -> Shape:
    return Shape(Source.ALPHA_VANTAGE, name, Canned(status, body, **how), outcome, hold_s)


def _coingecko(name, status, body, outcome, hold_s=None, **how) -> Shape:
    return Shape(Source.COINGECKO, name, Canned(status, body, **how), outcome, hold_s)


def _finnhub(name, status, body, outcome, hold_s=None, **how) -> Shape:
    return Shape(Source.FINNHUB, name, Canned(status, body, **how), outcome, hold_s)


def _coinmarketcap(status, code, outcome, hold_s=None, text="Some words.", **how) -> Shape:
    about = {"timestamp": "2026-03-18T15:00:00.000Z", "error_code": code, "error_message": text}
    name = f"{status} with {code!r}"
    body = {"status": about} | ({"data": []} if status == 200 else {})
    return Shape(Source.COINMARKETCAP, name, Canned(status, body, **how), outcome, hold_s)


def _information(text: str) -> dict[str, str]:
    return {"Information": text}


def _rate(**fields: str) -> dict[str, dict[str, str]]:
    rate = {
        "1. From_Currency Code": "EUR",
        "3. To_Currency Code": "USD",
        "5. Exchange Rate": "1.1",
        "6. Last Refreshed": "2026-03-18 15:00:00",
        "7. Time Zone": "UTC",
    }
    return {"Realtime Currency Exchange Rate": rate | fields}


_BURST = (
    "Thank you for using Alpha Vantage! Please consider spreading out your free API requests more "
    "sparingly (1 request per second). You may subscribe to any of the premium plans to lift the "
    "free key rate limit (25 requests per day), raise the per-second burst limit."
)
_DAILY = (
    f"We have detected your API key as {KEY} and our standard API rate limit is 25 requests per "
    "day. Please subscribe to any of the premium plans to instantly remove all daily rate limits."
)
_GECKO_LIMIT = {"status": {"error_code": 429, "error_message": "You've exceeded the Rate Limit."}}
_ZEROS = {"c": 0, "d": None, "dp": None, "h": 0, "l": 0, "o": 0, "pc": 0, "t": 0}
_LIMIT_REACHED = {"error": "API limit reached. Please try again later. Remaining Limit: 0"}

SHAPES: tuple[Shape, ...] = (
    _alpha_vantage("burst", _information(_BURST), "rate_limited", 2),
    _alpha_vantage("day spent", _information(_DAILY), "rate_limited", MIDNIGHT_S),
    _alpha_vantage("premium", _information("This is a premium endpoint."), "not_entitled"),
    _alpha_vantage(
        "demo", _information("The **demo** API key is for demo purposes only."), "not_entitled"
    ),
    _alpha_vantage(
        "sample data",
        {"message": "This is a premium endpoint. THE SAMPLE DATA IS ARTIFICIAL", "data": [{}]},
        "not_entitled",
    ),
    _alpha_vantage(
        "note", {"Note": "5 calls per minute and 500 calls per day"}, "rate_limited", 60
    ),
    _alpha_vantage(
        "429", _information("?"), "rate_limited", 30, 429, headers={"retry-after": "30"}
    ),
    _alpha_vantage(
        "bad key",
        {"Error Message": "the parameter apikey is invalid or missing."},
        "unauthorized",
    ),
    _alpha_vantage(
        "unknown pair",
        {"Error Message": "Invalid API call. Please retry for CURRENCY_EXCHANGE_RATE."},
        "not_found",
    ),
    _alpha_vantage("nothing inside", {"Realtime Currency Exchange Rate": {}}, "not_found"),
    _alpha_vantage("nothing", {}, "bad_payload"),
    _alpha_vantage("another pair", _rate(**{"1. From_Currency Code": "GBP"}), "bad_row"),
    _alpha_vantage("NaN", _rate(**{"5. Exchange Rate": "NaN"}), "bad_row"),
    _alpha_vantage("cut", json.dumps(_rate())[:90], "bad_payload"),
    _alpha_vantage("HTML", HTML, "bad_payload", headers=HTML_TYPE),
    _alpha_vantage("406", {"detail": "Could not satisfy"}, "bad_payload", status=406),
    _alpha_vantage("500", "<html>Server Error</html>", "unavailable", status=500),
    _coingecko(
        "429, seconds", 429, _GECKO_LIMIT, "rate_limited", 45, headers={"retry-after": "45"}
    ),
    _coingecko("429, date", 429, _GECKO_LIMIT, "rate_limited", 90, retry_at_s=90),
    _coingecko("429, none", 429, _GECKO_LIMIT, "rate_limited", 60),
    _coingecko("429 inside a 200", 200, _GECKO_LIMIT, "rate_limited", 60),
    *(
        _coingecko(
            str(code), 400, {"timestamp": 1, "error_code": code, "status": {}}, "unauthorized"
        )
        for code in (10010, 10011)
    ),
    _coingecko("10002", 401, {"status": {"error_code": 10002}}, "unauthorized"),
    _coingecko("10005", 401, {"status": {"error_code": 10005}}, "not_entitled"),
    _coingecko("10012", 400, {"error_code": 10012, "status": {}}, "bad_payload"),
    _coingecko("coin not found", 404, {"error": "coin not found"}, "not_found"),
    _coingecko("currency", 400, {"error": "invalid vs_currency"}, "not_found"),
    _coingecko("unknown", 200, {}, "not_found"),
    _coingecko("without data", 200, {"bitcoin": {"usd": None}}, "not_found"),
    _coingecko("Cloudflare", 403, HTML, "unavailable", headers=HTML_TYPE),
    _coingecko("1020", 403, "error code: 1020", "unavailable"),
    _coingecko("503", 503, {"status": {"error_code": 503}}, "unavailable"),
    _coingecko("HTML", 200, HTML, "bad_payload", headers=HTML_TYPE),
    _coingecko("cut", 200, '{"bitcoin":{"usd":960', "bad_payload"),
    _coingecko("NaN", 200, '{"bitcoin":{"usd":NaN}}', "bad_row"),
    _coingecko("wrong types", 200, {"bitcoin": [1]}, "bad_row"),
    _finnhub("429", 429, _LIMIT_REACHED, "rate_limited", 60),
    _finnhub(
        "429, seconds", 429, _LIMIT_REACHED, "rate_limited", 15, headers={"retry-after": "15"}
    ),
    _finnhub(
        "429, reset",
        429,
        _LIMIT_REACHED,
        "rate_limited",
        40,
        headers={"x-ratelimit-reset": str(WEDNESDAY_MS // 1000 + 40)},
    ),
    _finnhub("401", 401, {"error": "Invalid API key."}, "unauthorized"),
    _finnhub("401, none", 401, {"error": "Please use an API key."}, "unauthorized"),
    _finnhub("403", 403, {"error": "You don't have access to this resource."}, "not_entitled"),
    _finnhub("zeros", 200, _ZEROS, "not_found"),
    _finnhub("not supported", 200, "Symbol not supported", "not_found"),
    _finnhub("error", 200, {"error": "Something"}, "bad_payload"),
    _finnhub("NaN", 200, '{"c":NaN,"t":1773846000}', "bad_row"),
    _finnhub("cut", 200, '{"c":263.8', "bad_payload"),
    _finnhub("HTML", 200, HTML, "bad_payload", headers=HTML_TYPE),
    _finnhub("502", 502, HTML, "unavailable", headers=HTML_TYPE),
    *(_coinmarketcap(401, code, "unauthorized") for code in (1001, 1002, "1001", "1002")),
    *(_coinmarketcap(402, code, "unauthorized") for code in (1003, "1004")),
    *(_coinmarketcap(403, code, "unauthorized") for code in (1005, "1005", 1007)),
    *(_coinmarketcap(403, code, "not_entitled") for code in (1006, "1006")),
    *(_coinmarketcap(429, code, "rate_limited", 60) for code in (1008, "1008", 1011, "1011")),
    *(_coinmarketcap(429, code, "rate_limited", MIDNIGHT_S) for code in (1009, "1009")),
    *(_coinmarketcap(429, code, "rate_limited", MONTH_END_S) for code in (1010, "1010")),
    _coinmarketcap(429, "1008 ", "rate_limited", 30, headers={"retry-after": "30"}),
    _coinmarketcap(200, "1008", "rate_limited", 60),
    _coinmarketcap(200, "500", "unavailable"),
    _coinmarketcap(400, 400, "not_found", text='Invalid value for "id": "1027"'),
    _coinmarketcap(200, "0", "not_found"),
    _coinmarketcap(200, "77", "bad_payload"),
    _coinmarketcap(500, 500, "unavailable"),
    Shape(Source.COINMARKETCAP, "cut", Canned(200, '{"status":{"error_code":"0"'), "bad_payload"),
    Shape(Source.COINMARKETCAP, "HTML", Canned(200, HTML, HTML_TYPE), "bad_payload"),
    Shape(
        Source.COINMARKETCAP,
        "NaN",
        Canned(200, '{"status":{"error_code":"0"},"data":[{"id":1027,"quote":[{"price":NaN}]}]}'),
        "bad_row",
    ),
)
