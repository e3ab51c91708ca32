"""The figures of a quote of Yahoo's: price, time, change, amounts in its currency."""

from decimal import Decimal

import pytest

from marketdata.domain.quotes import ChangeBasis, Quote, Source
from marketdata.domain.symbols import AssetClass
from tests.support.provider_support import answer, bad_rows
from tests.support.yahoo_answers import NOW, TIME, TIME_S, only, parse, row, v7


def test_numbers_keep_every_digit_that_was_sent():
    """Numbers are read as exact decimals, and never as floats."""
    body = (
        '{"quoteResponse":{"result":[{"symbol":"X","regularMarketPrice":0.1000000000000000055511,'
    )
    body += '"regularMarketChange":-1e-7}],"error":null}}'
    quote = only(answer(body), "X")
    assert quote.price == Decimal("0.1000000000000000055511")
    assert quote.change == Decimal("-1e-7")


def test_a_quote_carries_yahoos_own_time_and_change():
    """A quote has Yahoo's price, time, percentage, and change over the previous close."""
    given = row("AAPL", regularMarketChange=0.5, regularMarketChangePercent=5.26)
    assert only(v7(given), "AAPL") == Quote(
        symbol="AAPL",
        asset_class=AssetClass.STOCKS,
        price=Decimal(10),
        currency="USD",
        change=Decimal("0.5"),
        percent_change=Decimal("5.26"),
        change_basis=ChangeBasis.PREVIOUS_CLOSE,
        source=Source.YFINANCE,
        timestamp=TIME,
        fetched_at=NOW,
    )


def test_a_coins_change_is_over_24_hours():
    """The change of a coin at Yahoo is over the last 24 hours."""
    given = row("BTC-USD", quoteType="CRYPTOCURRENCY", regularMarketChange=-1225.89)
    assert only(v7(given), "BTC-USD").change_basis is ChangeBasis.ROLLING_24H


@pytest.mark.parametrize("time", [None, "soon", 0, 1, -5, 10**7, 5 * 10**9, 10**15, True, [1]])
def test_a_time_that_cannot_be_right_is_null(time):
    """A price with a missing or impossible time is a quote with null as its time."""
    assert only(v7(row("AAPL", regularMarketTime=time)), "AAPL").timestamp is None


def test_a_missing_change_is_null_and_so_is_its_basis():
    """If a change is not a number, the change, its percentage and its basis are null."""
    quote = only(v7(row("AAPL", regularMarketChange="NaN")), "AAPL")
    assert (quote.change, quote.percent_change, quote.change_basis) == (None, None, None)


@pytest.mark.parametrize(
    ("label", "currency", "places"),
    [("GBp", "GBP", 2), ("ZAc", "ZAR", 2), ("ILa", "ILS", 2), ("USX", "USD", 2), ("KWF", "KWD", 3)],
)
def test_all_amounts_of_a_row_are_converted_alike(label, currency, places):
    """Prices and changes in a minor unit are converted, and percentages and volumes are not."""
    given = row(
        "OCDO.L",
        currency=label,
        regularMarketPrice=308.8,
        regularMarketChange=-4.1,
        regularMarketChangePercent=-1.31,
        regularMarketPreviousClose=312.9,
        regularMarketOpen=311,
        regularMarketDayHigh=313.25,
        regularMarketDayLow=308.125,
        regularMarketVolume=1_000_000,
        marketState="POST",
        postMarketPrice=309.8,
        postMarketChange=1,
        postMarketChangePercent=0.3238,
        postMarketTime=TIME_S + 60,
    )
    quote = only(v7(given), "OCDO.L")
    assert quote.currency == currency

    def raw(*amounts):
        return [str(amount.scaleb(places).normalize()) for amount in amounts]

    assert raw(quote.price, quote.change, quote.previous_close) == ["308.8", "-4.1", "312.9"]
    assert raw(quote.open, quote.high, quote.low) == ["311", "313.25", "308.125"]
    assert raw(quote.extended.price, quote.extended.change) == ["309.8", "1"]
    assert (quote.percent_change, quote.volume) == (Decimal("-1.31"), 1_000_000)
    assert quote.extended.percent_change == Decimal("0.3238")


@pytest.mark.parametrize("label", ["KWf", "GBPp", "USDT", "XXX", 840, ["USD"], "U" * 10**6])
def test_an_unknown_label_is_a_bad_row_that_names_it(label):
    """A price in an unknown unit is a bad row, and the reason names the unit."""
    (message,) = bad_rows(parse(v7(row("AAPL", currency=label)), "AAPL")).values()
    assert message.startswith("yfinance: AAPL: not a currency: ")
    assert ("list" if isinstance(label, list) else str(label))[:30] in message
    assert len(message) < 120


@pytest.mark.parametrize(
    ("shares", "cap", "expected"),
    [
        (820_000_000, 253_216_000_000, "2532160000"),  # in pence, as the price
        (820_000_000, 2_532_160_000, "2532160000"),  # in pounds
        (820_000_000, 40_000_000, None),  # in nothing that fits
        (None, 2_532_160_000, None),
    ],
)
def test_the_unit_of_a_capitalisation_follows_from_the_shares(shares, cap, expected):
    """Shares times price show whether a capitalisation is in pence or in pounds; else null."""
    given = row(
        "OCDO.L", currency="GBp", regularMarketPrice=308.8, sharesOutstanding=shares, marketCap=cap
    )
    found = only(v7(given), "OCDO.L").market_cap
    assert (None if found is None else format(found, "f").removesuffix(".00")) == expected


@pytest.mark.parametrize(
    ("symbol", "price", "close", "change"),
    [("CL=F", -37.63, 18.27, -55.9), ("^TNX", -0.02, 0, -0.02)],
)
def test_futures_and_indices_may_be_negative(symbol, price, close, change):
    """A negative price of a future or an index, and a price of 0, are prices."""
    given = row(
        symbol,
        regularMarketPrice=price,
        regularMarketPreviousClose=close,
        regularMarketChange=change,
    )
    quote = only(v7(given), symbol)
    assert [str(quote.price), str(quote.previous_close), str(quote.change)] == [
        str(price), str(close), str(change),
    ]  # fmt: skip
    assert only(v7(row(symbol, regularMarketPrice=0)), symbol).price == 0


def test_a_volume_of_zero_of_a_pair_or_an_index_is_unknown():
    """A volume of 0 is kept for a share, and is null for a pair and for an index."""
    zero = {"regularMarketVolume": 0}
    assert only(v7(row("AAPL", **zero)), "AAPL").volume == 0
    assert only(v7(row("^VIX", **zero)), "^VIX").volume is None
    assert only(v7(row("EURUSD=X", **zero)), "EUR/USD").volume is None


def test_a_share_without_a_currency_has_none():
    """If Yahoo gives no currency for a share, the currency is null."""
    assert only(v7(row("AAPL", currency=None)), "AAPL").currency is None
