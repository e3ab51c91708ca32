"""Yahoo's screener with the part of its query language that asset lists need."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from local.simulator.market import Market
from local.simulator.trading_hours import Hours
from local.simulator.universe import EQUITY, Stock
from local.simulator.wire import Reply, Request, json_reply
from local.simulator.yahoo_rows import row
from marketdata.domain.quotes import Source

MAX_SIZE = 250
_REGIONS = {
    Hours.US: "us",
    Hours.TORONTO: "ca",
    Hours.LONDON: "gb",
    Hours.XETRA: "de",
    Hours.JOHANNESBURG: "za",
    Hours.TEL_AVIV: "il",
    Hours.KUWAIT: "kw",
    Hours.INDIA: "in",
}
_FIELDS: Mapping[str, Callable[[Stock], Any]] = {
    "region": lambda stock: _REGIONS[stock.hours],
    "exchange": lambda stock: stock.exchange,
    "ticker": lambda stock: stock.yahoo,
    "intradaymarketcap": lambda stock: stock.value * 1e9,
    "lastclosemarketcap.lasttwelvemonths": lambda stock: stock.value * 1e9,
    "intradayprice": lambda stock: stock.price,
}
_COMPARE: Mapping[str, Callable[[Any, list[Any]], bool]] = {
    "eq": lambda value, others: value == others[0],
    "gt": lambda value, others: bool(value > others[0]),
    "gte": lambda value, others: bool(value >= others[0]),
    "lt": lambda value, others: bool(value < others[0]),
    "lte": lambda value, others: bool(value <= others[0]),
    "btwn": lambda value, others: bool(others[0] <= value <= others[1]),
    "is-in": lambda value, others: value in others,
}


def custom(market: Market, request: Request) -> Reply:
    """The answer to POST /v1/finance/screener."""
    try:
        asked = request.json()
        size, offset = int(asked.get("size") or asked.get("count") or 25), int(asked["offset"])
        if size > MAX_SIZE or offset < 0:
            raise ValueError(f"size {size}, offset {offset}")  # noqa: TRY301  one answer for all
        found = [s for s in _listed(market) if _matches(s, asked.get("query") or {})]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, json.JSONDecodeError):
        return _error(400, "Bad Request", "Invalid screener query")
    descending = str(asked.get("sortType", "DESC")).upper() == "DESC"
    sort_by = _FIELDS.get(str(asked.get("sortField", "")).lower(), _FIELDS["intradaymarketcap"])
    found.sort(key=sort_by, reverse=descending)
    return _page(market, found, offset, size)


def predefined(market: Market, request: Request) -> Reply:
    """The answer to GET /v1/finance/screener/predefined/saved, biggest companies first."""
    query = request.query
    if not query.get("scrIds"):
        return _error(404, "Not Found", "No screener found")
    size = min(MAX_SIZE, int(query.get("count") or 25))
    us = [stock for stock in _listed(market) if stock.hours is Hours.US]
    return _page(market, us, int(query.get("start") or 0), size)


def _listed(market: Market) -> list[Stock]:
    stocks = market.universe.stocks.values()
    return [stock for stock in stocks if stock.quote_type == EQUITY and not stock.dead]


def _matches(stock: Stock, query: Mapping[str, Any]) -> bool:
    """Return whether a stock matches a query; unknown fields match every stock."""
    operator, operands = str(query.get("operator", "and")).lower(), query.get("operands", [])
    if operator == "and":
        return all(_matches(stock, operand) for operand in operands)
    if operator == "or":
        return any(_matches(stock, operand) for operand in operands)
    name, *others = operands
    field = _FIELDS.get(name)
    return field is None or _COMPARE[operator](field(stock), others)


def _page(market: Market, stocks: list[Stock], start: int, size: int) -> Reply:
    quotes = []
    for stock in stocks[start : start + size]:
        tick = market.tick(Source.YFINANCE, stock.symbol)
        if tick is not None:
            quotes.append(row(market, stock.yahoo, tick, with_range=False))
    result = {
        "start": start,
        "count": len(quotes),
        "total": len(stocks),
        "quotes": quotes,
        "useRecords": False,
    }
    return json_reply({"finance": {"result": [result], "error": None}})


def _error(status: int, code: str, description: str) -> Reply:
    problem = {"code": code, "description": description}
    return json_reply({"finance": {"result": None, "error": problem}}, status)
