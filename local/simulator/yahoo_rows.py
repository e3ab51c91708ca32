"""Yahoo's spellings and rows. A row is the same in quotes and in screeners."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from local.simulator import figures
from local.simulator.market import Market
from local.simulator.process import STEP_MS
from local.simulator.records import Tick
from local.simulator.trading_hours import Hours
from local.simulator.universe import EQUITY, FUTURE, Coin, Stock, Universe
from local.simulator.wire import JsonObject
from marketdata.domain.symbols import AssetClass

# By Yahoo's code of an exchange: its name, its market, its time zone.
_EXCHANGES = {
    "NMS": ("NasdaqGS", "us_market", "America/New_York"),
    "NGM": ("NasdaqGM", "us_market", "America/New_York"),
    "NYQ": ("NYSE", "us_market", "America/New_York"),
    "ASE": ("NYSE American", "us_market", "America/New_York"),
    "SNP": ("SNP", "us_market", "America/New_York"),
    "CMX": ("COMEX", "us24_market", "America/New_York"),
    "LSE": ("LSE", "gb_market", "Europe/London"),
    "GER": ("XETRA", "de_market", "Europe/Berlin"),
    "TOR": ("Toronto", "ca_market", "America/Toronto"),
    "JNB": ("Johannesburg", "za_market", "Africa/Johannesburg"),
    "TLV": ("Tel Aviv", "il_market", "Asia/Jerusalem"),
    "KUW": ("Kuwait", "kw_market", "Asia/Kuwait"),
    "NSI": ("NSE", "in_market", "Asia/Kolkata"),
}
_FOREX = re.compile(r"([A-Z]{3})?([A-Z]{3})=X")
_DEAD_SINCE_S = 1_556_913_600  # May 2019
_UNKNOWN_UNIT, _UNKNOWN_UNIT_FACTOR = "Xx", 100
_OTHER_CURRENCIES = ("EUR", "GBP")
_OTHER_CURRENCY_FACTOR = 0.8
_AMOUNTS = tuple(
    """
    regularMarketPrice regularMarketChange regularMarketPreviousClose regularMarketOpen
    regularMarketDayHigh regularMarketDayLow bid ask fiftyTwoWeekLow fiftyTwoWeekHigh
    preMarketPrice preMarketChange postMarketPrice postMarketChange
    """.split()
)
# Keys that are in a row even if `fields` does not ask for them.
_ALWAYS = frozenset(
    """
    language region quoteType typeDisp quoteSourceName triggerable marketState exchange market
    fullExchangeName exchangeTimezoneName gmtOffSetMilliseconds regularMarketTime
    regularMarketPrice regularMarketChange regularMarketChangePercent regularMarketPreviousClose
    sourceInterval exchangeDataDelayedBy hasPrePostMarketData tradeable cryptoTradeable symbol
    """.split()
)


def symbol_of(universe: Universe, spelling: str) -> str | None:
    """Return the canonical symbol of Yahoo's spelling; None if Yahoo does not know the symbol."""
    stock = universe.by_yahoo.get(spelling)
    if stock is not None:
        return stock.symbol
    forex = _FOREX.fullmatch(spelling)
    if forex:
        return f"{forex[1] or 'USD'}/{forex[2]}"
    base, _, quote = spelling.rpartition("-")
    coin = universe.by_yahoo_base.get(base)
    return None if coin is None else f"{coin.label}-{quote}"


def rows(market: Market, spelling: str, tick: Tick, fields: str = "") -> list[JsonObject]:
    """Return the rows of one symbol in /v7/finance/quote: one, unless an odd row is planted."""
    found = row(market, spelling, tick, fields)
    if tick.oddity is None:
        return [found]
    if tick.oddity == "no_price":
        return [{key: found[key] for key in found if key != "regularMarketPrice"}]
    if tick.oddity == "doubled":
        half = {key: value / 2 for key, value in found.items() if key in _AMOUNTS}
        return [{**found, **half, "regularMarketTime": _DEAD_SINCE_S}, found]
    label, factor = _UNKNOWN_UNIT, float(_UNKNOWN_UNIT_FACTOR)
    if tick.oddity == "other_currency":
        label = next(code for code in _OTHER_CURRENCIES if code != tick.series.currency)
        factor = _OTHER_CURRENCY_FACTOR
    scaled = {key: value * factor for key, value in found.items() if key in _AMOUNTS}
    return [{**found, **scaled, "currency": label}]


def row(
    market: Market, spelling: str, tick: Tick, fields: str = "", *, with_range: bool = True
) -> JsonObject:
    """Return one row; `fields` (comma-separated) leaves out the rare keys.

    The range of the day takes most of the time of a row, so lists are without it.
    """
    universe = market.universe
    stock = universe.stocks.get(tick.series.label)
    if stock is not None and stock.dead:
        return _dead_row(stock)
    if stock is not None:
        about = _stock(market, stock, tick)
    elif tick.series.asset_class is AssetClass.FOREX:
        about = _currency(tick)
    else:
        about = _crypto(universe.by_label[tick.series.asset], tick)
    complete = {"language": "en-US", "region": "US", **about, **_prices(tick), "symbol": spelling}
    if with_range:
        complete |= _range(tick)
    if not fields:
        return complete
    wanted = _ALWAYS | set(fields.split(","))
    return {key: value for key, value in complete.items() if key in wanted}


def _prices(tick: Tick) -> JsonObject:
    price, close = float(tick.price), float(tick.previous_close)
    # A coin's change is over 24 hours, so it does not follow from its previous close.
    base = float(tick.day_ago) if tick.series.hours is Hours.CRYPTO else close
    places = tick.series.decimals
    return {
        "currency": tick.series.currency,
        "regularMarketPrice": price,
        "regularMarketChange": round(price - base, places + 2),
        "regularMarketChangePercent": round((price - base) / base * 100, 7) if base else 0.0,
        "regularMarketTime": tick.shown_ms // 1000,
        "regularMarketPreviousClose": close,
        "regularMarketOpen": float(tick.opening),
        "bid": round(price * 0.9999, places),
        "ask": round(price * 1.0001, places),
        "priceHint": min(4, places),
        "sourceInterval": 15,
        "exchangeDataDelayedBy": 0,
        "marketState": tick.session.state,
        "tradeable": False,
        "corporateActions": [],
    }


def _range(tick: Tick) -> JsonObject:
    price, places = float(tick.price), tick.series.decimals
    high, low = float(tick.high), float(tick.low)
    return {
        "regularMarketDayHigh": high,
        "regularMarketDayLow": low,
        "regularMarketDayRange": f"{low} - {high}",
        "fiftyTwoWeekLow": round(min(low, price * 0.7), places),
        "fiftyTwoWeekHigh": round(max(high, price * 1.3), places),
    }


def _stock(market: Market, stock: Stock, tick: Tick) -> JsonObject:
    full_name, market_name, zone = _EXCHANGES[stock.exchange]
    offset = datetime.fromtimestamp(tick.at_ms / 1000, UTC).astimezone(ZoneInfo(zone)).utcoffset()
    shares = figures.shares_outstanding(stock, market.universe.currencies)
    has_extended = stock.is_us_equity
    about: JsonObject = {
        "quoteType": stock.quote_type,
        "typeDisp": "Futures" if stock.quote_type == FUTURE else stock.quote_type.capitalize(),
        "quoteSourceName": "Nasdaq Real Time Price" if has_extended else "Delayed Quote",
        "shortName": stock.name,
        "longName": stock.name,
        "exchange": stock.exchange,
        "fullExchangeName": full_name,
        "market": market_name,
        "exchangeTimezoneName": zone,
        "gmtOffSetMilliseconds": int(offset.total_seconds() * 1000) if offset else 0,
        "regularMarketVolume": figures.volume(stock, shares, tick),
        "hasPrePostMarketData": has_extended,
        "firstTradeDateMilliseconds": 345_479_400_000,
        "cryptoTradeable": False,
        "triggerable": True,
    }
    if stock.quote_type == EQUITY:
        about |= {
            "financialCurrency": "USD" if stock.currency == "USD" else "GBP",
            "sharesOutstanding": shares,
        }
        if tick.price.is_finite():
            about["marketCap"] = figures.market_cap(shares, tick)
    return about | _extended(market, tick) if has_extended else about


def _extended(market: Market, tick: Tick) -> JsonObject:
    """Return the fields of trading outside of the regular session; none while it runs."""
    at_ms = market.trading_hours.extended_ms(tick.seen_ms)
    if at_ms is None or tick.series.frozen_ms is not None:
        return {}
    at_ms -= at_ms % STEP_MS
    prefix = "preMarket" if tick.session.state == "PRE" else "postMarket"
    price, regular = float(tick.price_at(at_ms)), float(tick.price)
    return {
        f"{prefix}Price": price,
        f"{prefix}Change": round(price - regular, tick.series.decimals + 2),
        f"{prefix}ChangePercent": round((price - regular) / regular * 100, 7),
        f"{prefix}Time": (at_ms + tick.shown_ms - tick.at_ms) // 1000,
    }


def _currency(tick: Tick) -> JsonObject:
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


def _crypto(coin: Coin, tick: Tick) -> JsonObject:
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
        "marketCap": _integer(figures.coin_market_cap(coin, tick)),
        "circulatingSupply": coin.supply,
        "volume24Hr": _integer(figures.coin_volume(coin, tick)),
        "toCurrency": f"{currency}=X",
        "lastMarket": "CoinMarketCap",
        "coinMarketCapLink": f"https://coinmarketcap.com/currencies/{coin.slug}",
        "regularMarketVolume": _integer(figures.coin_volume(coin, tick)),
        "hasPrePostMarketData": False,
        "firstTradeDateMilliseconds": 1_410_912_000_000,
        "cryptoTradeable": True,
        "triggerable": True,
    }


def _dead_row(stock: Stock) -> JsonObject:
    """Return a row without a price: of a delisted share, or (nameless) of an unknown type."""
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
        "symbol": stock.yahoo,
    }
    return shell | {"regularMarketTime": _DEAD_SINCE_S} if stock.name else shell


def _integer(amount: float) -> int | float:
    """Return an amount without decimals; NaN stays NaN."""
    return int(amount) if amount == amount else amount  # noqa: PLR0124  NaN alone differs from itself
