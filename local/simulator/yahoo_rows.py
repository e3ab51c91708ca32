"""Yahoo's spellings and its rows: the same row serves quotes and screeners."""

from __future__ import annotations

import re
from typing import Any

from local.simulator.records import Tick
from local.simulator.sessions import Hours
from local.simulator.universe import Coin, Stock, Universe

_EXCHANGES = {
    "NMS": ("NasdaqGS", "us_market", "America/New_York"),
    "NGM": ("NasdaqGM", "us_market", "America/New_York"),
    "NYQ": ("NYSE", "us_market", "America/New_York"),
    "ASE": ("NYSE American", "us_market", "America/New_York"),
    "LSE": ("LSE", "gb_market", "Europe/London"),
}
_FOREX = re.compile(r"([A-Z]{3})?([A-Z]{3})=X")
_DEAD_SINCE_S = 1_556_913_600  # May 2019
# Keys that come even when `fields` asks for others.
_ALWAYS = frozenset(
    """
    language region quoteType typeDisp quoteSourceName triggerable marketState exchange market
    fullExchangeName exchangeTimezoneName gmtOffSetMilliseconds regularMarketTime
    regularMarketPrice regularMarketChange regularMarketChangePercent regularMarketPreviousClose
    sourceInterval exchangeDataDelayedBy hasPrePostMarketData tradeable cryptoTradeable symbol
    """.split()
)


def symbol_of(universe: Universe, spelling: str) -> str | None:
    """The canonical symbol that Yahoo's spelling names; None for what Yahoo does not know."""
    stock = universe.by_dashed.get(spelling)
    if stock is not None:
        return stock.symbol
    forex = _FOREX.fullmatch(spelling)
    if forex:
        return f"{forex[1] or 'USD'}/{forex[2]}"
    coin = universe.by_label.get(spelling.rpartition("-")[0])
    return spelling if coin is not None and coin.label == coin.ticker else None


def row(universe: Universe, spelling: str, tick: Tick, fields: str = "") -> dict[str, Any]:
    """One row of /v7/finance/quote; `fields` (comma-separated) leaves out the rare keys."""
    stock = universe.stocks.get(tick.series.label)
    if stock is not None and stock.dead:
        return _dead_row(stock)
    if stock is not None:
        about = _equity(stock, tick)
    elif tick.series.hours is Hours.FOREX:
        about = _currency(tick)
    else:
        about = _crypto(universe.by_label[tick.series.label.rpartition("-")[0]], tick)
    whole = {"language": "en-US", "region": "US", **about, **_prices(tick), "symbol": spelling}
    if not fields:
        return whole
    wanted = _ALWAYS | set(fields.split(","))
    return {key: value for key, value in whole.items() if key in wanted}


def _prices(tick: Tick) -> dict[str, Any]:
    price, close, opening = float(tick.price), float(tick.previous_close), float(tick.opening)
    # a coin's change is over 24 hours, and so does not follow from its previous close
    base = float(tick.day_ago) if tick.series.hours is Hours.CRYPTO else close
    places = tick.series.decimals
    high = round(max(price, opening) * 1.001, places)
    low = round(min(price, opening) * 0.999, places)
    return {
        "currency": tick.series.currency,
        "regularMarketPrice": price,
        "regularMarketChange": round(price - base, places + 2),
        "regularMarketChangePercent": round((price - base) / base * 100, 7),
        "regularMarketTime": tick.at_ms // 1000,
        "regularMarketPreviousClose": close,
        "regularMarketOpen": opening,
        "regularMarketDayHigh": high,
        "regularMarketDayLow": low,
        "regularMarketDayRange": f"{low} - {high}",
        "bid": round(price * 0.9999, places),
        "ask": round(price * 1.0001, places),
        "fiftyTwoWeekLow": round(price * 0.7, places),
        "fiftyTwoWeekHigh": round(price * 1.3, places),
        "priceHint": min(4, places),
        "sourceInterval": 15,
        "exchangeDataDelayedBy": 0,
        "marketState": tick.session.state,
        "tradeable": False,
        "corporateActions": [],
    }


def _equity(stock: Stock, tick: Tick) -> dict[str, Any]:
    full_name, market, zone = _EXCHANGES[stock.exchange]
    about: dict[str, Any] = {
        "quoteType": "EQUITY",
        "typeDisp": "Equity",
        "quoteSourceName": "Nasdaq Real Time Price",
        "shortName": stock.name,
        "longName": stock.name,
        "exchange": stock.exchange,
        "fullExchangeName": full_name,
        "market": market,
        "exchangeTimezoneName": zone,
        "gmtOffSetMilliseconds": -18_000_000 if market == "us_market" else 0,
        "financialCurrency": "USD" if stock.currency == "USD" else "GBP",
        "marketCap": int(stock.value * 1e9),
        "regularMarketVolume": 40_896_227,
        "hasPrePostMarketData": stock.hours is Hours.US,
        "firstTradeDateMilliseconds": 345_479_400_000,
        "cryptoTradeable": False,
        "triggerable": True,
    }
    if not tick.session.is_open and stock.hours is Hours.US:
        late = round(float(tick.price) * 1.0016, tick.series.decimals)
        about |= {
            "postMarketPrice": late,
            "postMarketChange": round(late - float(tick.price), tick.series.decimals),
            "postMarketChangePercent": 0.16,
            "postMarketTime": tick.at_ms // 1000 + 4 * 3600 - 2,
        }
    return about


def _currency(tick: Tick) -> dict[str, Any]:
    return {
        "quoteType": "CURRENCY",
        "typeDisp": "Currency",
        "quoteSourceName": "Delayed Quote",
        "shortName": tick.series.label,
        "longName": tick.series.label,
        "exchange": "CCY",
        "fullExchangeName": "CCY",
        "market": "ccy_market",
        "exchangeTimezoneName": "Europe/London",
        "gmtOffSetMilliseconds": 0,
        "regularMarketVolume": 0,
        "hasPrePostMarketData": False,
        "firstTradeDateMilliseconds": 1_070_236_800_000,
        "cryptoTradeable": False,
        "triggerable": True,
    }


def _crypto(coin: Coin, tick: Tick) -> dict[str, Any]:
    currency = tick.series.currency
    return {
        "quoteType": "CRYPTOCURRENCY",
        "typeDisp": "Cryptocurrency",
        "quoteSourceName": "CoinMarketCap",
        "shortName": f"{coin.name} {currency}",
        "longName": f"{coin.name} {currency}",
        "exchange": "CCC",
        "fullExchangeName": "CCC",
        "market": "ccc_market",
        "exchangeTimezoneName": "UTC",
        "gmtOffSetMilliseconds": 0,
        "fromCurrency": coin.ticker,
        "toCurrency": f"{currency}=X",
        "lastMarket": "CoinMarketCap",
        "coinMarketCapLink": f"https://coinmarketcap.com/currencies/{coin.slug}",
        "regularMarketVolume": 21_228_961_792,
        "hasPrePostMarketData": False,
        "firstTradeDateMilliseconds": 1_410_912_000_000,
        "cryptoTradeable": True,
        "triggerable": True,
    }


def _dead_row(stock: Stock) -> dict[str, Any]:
    """A row without a price: of a share that is gone, or (nameless) of nobody knows what."""
    shell = {
        "language": "en-US",
        "region": "US",
        "quoteType": "EQUITY" if stock.name else "NONE",
        "triggerable": False,
        "marketState": "REGULAR",
        "tradeable": False,
        "cryptoTradeable": False,
        "exchange": stock.exchange,
        "fullExchangeName": _EXCHANGES[stock.exchange][0],
        "market": "us_market",
        "hasPrePostMarketData": False,
        "symbol": stock.dashed,
    }
    return shell | {"regularMarketTime": _DEAD_SINCE_S} if stock.name else shell
