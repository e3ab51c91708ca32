"""Odd values in every member of a row, for all five providers alike.

A figure is exact or null. An odd figure costs neither the price nor the other rows. An odd price is
the defect of its symbol alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from marketdata.domain.catalogue import Instrument
from marketdata.domain.quotes import Quote
from marketdata.providers.alpha_vantage import AlphaVantage
from marketdata.providers.coingecko import CoinGecko
from marketdata.providers.coinmarketcap import CoinMarketCap
from marketdata.providers.contract import Parsed, Provider
from marketdata.providers.finnhub import Finnhub
from marketdata.providers.yahoo import Yahoo
from tests.support.provider_support import (
    NOW,
    PRICED_S,
    answer,
    instrument,
    secret_key,
    share_row,
)

BASE = "http://127.0.0.1:9"
COINS = (
    instrument("BTC-USD", coingecko="bitcoin", coinmarketcap="1"),
    instrument("ETH-USD", coingecko="ethereum", coinmarketcap="1027"),
)


@dataclass(frozen=True)
class Case:
    """A provider with one good row, and where each figure of a quote is in this row.

    `body` puts the row of the first instrument of `batch` into an answer that is good otherwise.
    """

    provider: Provider
    batch: tuple[Instrument, ...]
    row: Mapping[str, Any]
    body: Callable[[Any], Any]
    price: str
    time: str
    figures: Mapping[str, str]


GECKO = {
    "usd": 76975, "usd_market_cap": 1542226908349.84, "usd_24h_vol": 29096603418.89,
    "usd_24h_change": -1.4, "last_updated_at": PRICED_S,
}  # fmt: skip
DOLLARS = {
    "symbol": "USD", "price": 76975.5, "volume_24h": 29096603418.89, "percent_change_24h": -1.4,
    "market_cap": 1542226908349.84, "last_updated": "2026-11-22T13:04:00.000Z",
}  # fmt: skip
RATE = {
    "1. From_Currency Code": "EUR", "3. To_Currency Code": "USD", "5. Exchange Rate": "1.05",
    "6. Last Refreshed": "2026-11-22 13:04:44", "7. Time Zone": "UTC",
}  # fmt: skip
CASES = {
    "yahoo": Case(
        Yahoo(),
        (instrument("AAPL"), instrument("MSFT")),
        share_row("AAPL"),
        lambda row: {"quoteResponse": {"result": [share_row("MSFT"), row], "error": None}},
        "regularMarketPrice",
        "regularMarketTime",
        {
            "regularMarketPreviousClose": "previous_close", "regularMarketOpen": "open",
            "regularMarketDayHigh": "high", "regularMarketDayLow": "low",
            "regularMarketVolume": "volume", "marketCap": "market_cap",
            "regularMarketChange": "change", "regularMarketChangePercent": "percent_change",
            "postMarketPrice": "extended", "marketState": "market_state",
        },
    ),
    "finnhub": Case(
        Finnhub(BASE, secret_key),
        (instrument("AAPL"),),
        {"c": 263.84, "d": -0.51, "dp": -0.1929, "h": 264.48, "l": 262.29, "o": 263.21,
         "pc": 264.35, "t": PRICED_S},
        lambda row: row,
        "c",
        "t",
        {"d": "change", "dp": "percent_change", "h": "high", "l": "low", "o": "open",
         "pc": "previous_close"},
    ),
    "coingecko": Case(
        CoinGecko(BASE, secret_key),
        COINS,
        GECKO,
        lambda row: {"bitcoin": row, "ethereum": GECKO},
        "usd",
        "last_updated_at",
        {"usd_market_cap": "market_cap", "usd_24h_vol": "volume",
         "usd_24h_change": "percent_change"},
    ),
    "coinmarketcap": Case(
        CoinMarketCap(BASE, secret_key),
        COINS,
        DOLLARS,
        lambda row: {
            "status": {"error_code": 0},
            "data": [{"id": 1, "quote": [row]}, {"id": 1027, "quote": [DOLLARS]}],
        },
        "price",
        "last_updated",
        {"market_cap": "market_cap", "volume_24h": "volume",
         "percent_change_24h": "percent_change"},
    ),
    "alpha_vantage": Case(
        AlphaVantage(BASE, secret_key),
        (instrument("EUR/USD"),),
        RATE,
        lambda row: {"Realtime Currency Exchange Rate": row},
        "5. Exchange Rate",
        "6. Last Refreshed",
        {},
    ),
}  # fmt: skip
# Raw JSON of an answer: texts that are not numbers, other types, and implausible numbers.
NO_NUMBERS = (
    "NaN", "Infinity", "-Infinity", '"NaN"', '"inf"', '"-"', '"None"', '"N/A"', '""', "null",
    '"1,234.5"', '"1.234,5"', '"5%"', '"12.3 USD"', '"1_000"', '"0x10"', '"\\u0663"', "true",
    "false", "[]", "[1]", "{}", '{"raw": 1}', '{"a": 1, "a": 2}',
)  # fmt: skip
NOT_PLAUSIBLE = ("1e30", "-1e30", "1e-30", "1e400", "1e99999999999", "9" * 40, "9" * 500)
FIGURES = [(name, member) for name, case in CASES.items() for member in case.figures]


def parsed(case: Case, **members: str) -> Parsed:
    """Read an answer whose row has these members, given as raw JSON."""
    row = {**case.row, **{name: f"<{name}>" for name in members}}
    text = json.dumps(case.body(row))
    for name, raw in members.items():
        text = text.replace(json.dumps(f"<{name}>"), raw)
    return case.provider.parse(case.batch, answer(text), NOW)


def first(case: Case, found: Parsed) -> Quote:
    """The quote of the first instrument, after a check that all others are unchanged."""
    quotes = {quote.symbol: quote for quote in found.quotes}
    good = {quote.symbol: quote for quote in parsed(case).quotes}
    for other in case.batch[1:]:
        assert quotes[other.symbol.text] == good[other.symbol.text]
    return quotes[case.batch[0].symbol.text]


@pytest.mark.parametrize("raw", [*NO_NUMBERS, *NOT_PLAUSIBLE])
@pytest.mark.parametrize(("name", "member"), FIGURES)
def test_an_odd_figure_is_null_and_the_price_stays(name, member, raw):
    """An odd figure is null, and so are only the figures that depend on the odd one."""
    case = CASES[name]
    quote, good = first(case, parsed(case, **{member: raw})), first(case, parsed(case))
    figure = case.figures[member]
    assert getattr(quote, figure) is None
    changes = {"change", "percent_change", "change_basis"}
    related = {figure, "extended"} | (changes if figure in changes else set())
    rest = {name: getattr(quote, name) for name in quote.__slots__ if name not in related}
    assert rest == {name: getattr(good, name) for name in rest}


@pytest.mark.parametrize("raw", [*NO_NUMBERS, *NOT_PLAUSIBLE, "0", "-0.0", "-1", '"-5"'])
@pytest.mark.parametrize("name", CASES)
def test_an_odd_price_is_the_defect_of_its_symbol_alone(name, raw):
    """A symbol with an odd price has no quote, and the other symbols have theirs."""
    case = CASES[name]
    found = parsed(case, **{case.price: raw})
    symbol = case.batch[0].symbol.text
    assert [one.symbol for one in (*found.missing, *found.bad_rows)] == [symbol]
    assert {quote.symbol for quote in found.quotes} == {one.symbol.text for one in case.batch[1:]}


@pytest.mark.parametrize(
    "raw",
    ["0.1234567890123456789012345678901234567890", '"1234567.5"', " 7e3", '" 8.25 "', "1E-9"],
)
@pytest.mark.parametrize("name", CASES)
def test_a_price_keeps_all_of_its_digits(name, raw):
    """A price keeps all digits, as a number or as text, with or without an exponent."""
    case = CASES[name]
    quote = first(case, parsed(case, **{case.price: raw}))
    assert quote.price == Decimal(raw.strip('" '))
    assert json.loads(quote.to_json(), parse_float=Decimal)["price"] == quote.price


@pytest.mark.parametrize(
    "raw",
    ["-1", "1", "86400", str(PRICED_S * 1000), "1e30", "NaN", "null", "true", '""', '"soon"', "[]",
     '"1970-01-01T00:00:00Z"', '"2026-11-22"', '"2026-11-22 13:04:44+25:00"', "{}"],
)  # fmt: skip
@pytest.mark.parametrize("name", CASES)
def test_an_odd_time_is_null_and_all_else_stays(name, raw):
    """A time that cannot be right is null, and the rest of the quote is unchanged."""
    case = CASES[name]
    quote, good = first(case, parsed(case, **{case.time: raw})), first(case, parsed(case))
    assert quote.timestamp is None
    assert replace(quote, timestamp=good.timestamp) == good


@pytest.mark.parametrize("name", CASES)
def test_a_row_without_its_figures_is_a_price(name):
    """A row with only a price and its names is a quote, and all other figures are null."""
    case = CASES[name]
    names = {case.price, "symbol", "quoteType", "currency", *RATE} - {case.time}
    row = {member: value for member, value in case.row.items() if member in names}
    found = case.provider.parse(case.batch, answer(case.body(row)), NOW)
    quote = first(case, found)
    assert quote.price == first(case, parsed(case)).price
    assert [quote.timestamp, quote.change, quote.percent_change, *quote.figures] == [None] * 9


@pytest.mark.parametrize("raw", ["-1", "-0.5"])
@pytest.mark.parametrize(
    ("name", "member"),
    [one for one in FIGURES if CASES[one[0]].figures[one[1]] in ("volume", "market_cap", "open")],
)
def test_a_figure_below_zero_is_null(name, member, raw):
    """A negative volume, capitalisation or open is null."""
    case = CASES[name]
    assert getattr(first(case, parsed(case, **{member: raw})), case.figures[member]) is None


def test_a_volume_of_zero_or_of_a_part_of_a_share_is_a_volume():
    """A volume of 0, and a volume with a fraction, are volumes."""
    for raw in ("0", "0.5", '"12345.25"'):
        assert first(CASES["yahoo"], parsed(CASES["yahoo"], regularMarketVolume=raw)).volume == (
            Decimal(raw.strip('"'))
        )
