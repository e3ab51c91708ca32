"""Yahoo's charts: candles of the price process, and the `meta` object with the live price."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from local.simulator.market import Market
from local.simulator.records import Tick
from local.simulator.trading_hours import HALF_HOUR_MS
from local.simulator.wire import JsonObject, Reply, Request, json_reply
from local.simulator.yahoo_rows import row
from marketdata.clock import DAY_MS

MAX_CANDLES = 2_000
_RANGES_DAYS = {
    "1d": 1, "5d": 5, "1mo": 30, "3mo": 91, "6mo": 182, "1y": 365, "2y": 730, "5y": 1826,
    "10y": 3652, "ytd": 180, "max": 3652,
}  # fmt: skip
_INTRADAY_MS = {
    "1m": 60_000, "2m": 120_000, "5m": 300_000, "15m": 900_000, "30m": 1_800_000,
    "60m": 3_600_000, "90m": 5_400_000, "1h": 3_600_000,
}  # fmt: skip


def chart(market: Market, spelling: str, tick: Tick, request: Request) -> Reply:
    """The answer of /v8/finance/chart for one symbol."""
    query = request.query
    interval, span = query.get("interval", "1d"), query.get("range", "")
    days = _RANGES_DAYS.get(span or "1d")
    if days is None or not (interval in _INTRADAY_MS or interval in ("1d", "5d", "1wk", "1mo")):
        return error(422, "Unprocessable Entity", f"Invalid input - interval={interval}")
    until_ms = _epoch_ms(query.get("period2"), tick.at_ms)
    default_ms = tick.session.open_ms if days == 1 else until_ms - days * DAY_MS
    from_ms = default_ms if span else _epoch_ms(query.get("period1"), default_ms)
    candles = _candles(market, tick, interval, from_ms, min(until_ms, tick.at_ms))
    before_ms = market.trading_hours.last_trade_ms(tick.series.hours, from_ms - HALF_HOUR_MS)
    meta = _meta(market, spelling, tick) | {
        "chartPreviousClose": float(tick.previous_close)
        if days == 1
        else float(tick.price_at(before_ms)),
        "dataGranularity": interval,
        "range": span,
    }
    if interval in _INTRADAY_MS and days == 1:
        meta["previousClose"] = float(tick.previous_close)
    result: JsonObject = {"meta": meta, "indicators": {"quote": [{}]}}
    if candles:
        result["timestamp"] = [start // 1000 for start, _, _ in candles]
        result["indicators"] = _indicators(candles)
    return json_reply({"chart": {"result": [result], "error": None}})


def error(status: int, code: str, description: str) -> Reply:
    """An error in the chart's envelope."""
    problem = {"code": code, "description": description}
    return json_reply({"chart": {"result": None, "error": problem}}, status)


def _candles(
    market: Market, tick: Tick, interval: str, from_ms: int, to_ms: int
) -> list[tuple[int, Decimal, Decimal]]:
    """Start, first and last price of each candle, oldest first; the last one ends at the tick."""
    sessions = market.trading_hours.daily(tick.series.hours, from_ms, to_ms)
    width = _INTRADAY_MS.get(interval)
    spans: list[tuple[int, int]] = []
    for session in sessions:
        end_ms = min(session.close_ms, to_ms)
        if width is None:
            spans.append((session.open_ms, end_ms))
        else:
            starts = range(session.open_ms, end_ms, width)
            spans += [(start, min(start + width, end_ms)) for start in reversed(starts)]
        if len(spans) >= MAX_CANDLES:
            break

    def shown(at_ms: int) -> Decimal:  # a planted fault of the price shows in the last candle too
        return tick.price if at_ms == tick.at_ms else tick.price_at(at_ms)

    return [(start, tick.price_at(start), shown(end)) for start, end in reversed(spans)]


def _indicators(candles: list[tuple[int, Decimal, Decimal]]) -> JsonObject:
    opens = [float(first) for _, first, _ in candles]
    closes = [float(last) for _, _, last in candles]

    def of_both(choose: Callable[[float, float], float]) -> list[float]:
        return [choose(first, last) for first, last in zip(opens, closes, strict=True)]

    quote = {
        "open": opens,
        "high": of_both(max),
        "low": of_both(min),
        "close": closes,
        "volume": [1_000_000] * len(candles),
    }
    return {"quote": [quote], "adjclose": [{"adjclose": closes}]}


def _meta(market: Market, spelling: str, tick: Tick) -> JsonObject:
    known = row(market, spelling, tick)
    copied = (
        "currency", "symbol", "fullExchangeName", "regularMarketTime", "hasPrePostMarketData",
        "exchangeTimezoneName", "regularMarketPrice", "fiftyTwoWeekHigh", "fiftyTwoWeekLow",
        "regularMarketDayHigh", "regularMarketDayLow", "regularMarketVolume", "longName",
        "shortName", "priceHint",
    )  # fmt: skip
    session, zone = tick.session, known["gmtOffSetMilliseconds"] // 1000
    times = {
        name: {"timezone": "EST", "start": start // 1000, "end": end // 1000, "gmtoffset": zone}
        for name, start, end in (
            ("pre", session.open_ms, session.open_ms),
            ("regular", session.open_ms, session.close_ms),
            ("post", session.close_ms, session.close_ms),
        )
    }
    return {key: known[key] for key in copied} | {
        "exchangeName": known["exchange"],
        "instrumentType": known["quoteType"],
        "firstTradeDate": known["firstTradeDateMilliseconds"] // 1000,
        "gmtoffset": zone,
        "timezone": "EST" if zone else "GMT",
        "currentTradingPeriod": times,
        "validRanges": list(_RANGES_DAYS),
    }


def _epoch_ms(text: str | None, default_ms: int) -> int:
    return int(float(text)) * 1000 if text else default_ms
