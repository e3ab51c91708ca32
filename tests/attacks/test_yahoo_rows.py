"""Rows of Yahoo through the whole price loop: units, percentages and two rows of a symbol."""

from __future__ import annotations

from decimal import Decimal

import pytest

from marketdata.domain.dialects import yahoo_spelling
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import parse_symbol
from tests.support.yahoo_loop import breakers, one, row


@pytest.mark.parametrize(
    ("given", "must"),
    [
        (("NBK.KW", "KWF", 982.0, -4.0), ("0.982", "KWD", "-0.004")),
        (("ZC=F", "USX", 437.25, -2.75), ("4.3725", "USD", "-0.0275")),
        (("KE=F", "USC", 601.5, 1.5), ("6.015", "USD", "0.015")),
        (("TEVA.TA", "ILA", 6100.0, 50.0), ("61", "ILS", "0.5")),
        (("NPN.JO", "ZAc", 450000.0, -1000.0), ("4500", "ZAR", "-10")),
        (("OCDO.L", "GBp", 301.5, 2.5), ("3.015", "GBP", "0.025")),
        (("BT.A.L", "GBX", 140.25, -0.75), ("1.4025", "GBP", "-0.0075")),
        (("SOL.JO", "ZAC", 12345.0, 45.0), ("123.45", "ZAR", "0.45")),
        (("NICE.TA", "ILa", 70210.0, -90.0), ("702.1", "ILS", "-0.9")),
        (("ZAIN.KW", "KWF", 471.0, 1.0), ("0.471", "KWD", "0.001")),
        (("VOD.L", "GBP", 0.72, -0.01), ("0.72", "GBP", "-0.01")),
        (("AGIL.KW", "KWD", 0.114, 0.002), ("0.114", "KWD", "0.002")),
    ],
)
def test_minor_units_are_served_in_their_currency(service, yahoo, given, must):
    """Price and change in a minor unit are divided exactly, by 100 or 1000."""
    symbol, label, price, change = given
    pipe = service(symbol)
    name = yahoo_spelling(parse_symbol(symbol))
    yahoo.rows[name] = row(pipe, name, price, currency=label, regularMarketChange=change)
    pipe.run_next()
    quote = one(pipe, symbol)
    figures = (Decimal(str(quote["price"])), quote["currency"], Decimal(str(quote["change"])))
    assert figures == (Decimal(must[0]), must[1], Decimal(must[2]))


@pytest.mark.parametrize(("label", "price"), [("GBp", 301.5), ("GBX", 301.5), ("GBP", 3.015)])
def test_a_price_in_pence_is_converted_from_pounds(service, yahoo, label, price):
    """A price in pence is converted to another currency from its price in pounds."""
    pipe = service("OCDO.L,GBP/EUR")
    change = price / 301.5 * 2.5
    yahoo.rows["OCDO.L"] = row(
        pipe, "OCDO.L", price, currency=label, regularMarketChange=round(change, 6)
    )
    yahoo.rows["GBPEUR=X"] = row(pipe, "GBPEUR=X", 1.1873, currency="EUR")
    pipe.run_next()
    converted = one(pipe, "OCDO.L", currency="EUR")["converted"]
    assert (converted["price"], converted["change"]) == (3.5797095, 0.0296825)
    assert (converted["rate"], converted["rate_symbol"]) == (1.1873, "GBP/EUR")


@pytest.mark.parametrize(
    "label",
    [
        "QQQ",
        "usd",
        "gbp",
        "Gbp",
        "kwf",
        "KWf",
        "zac",
        "USDT",
        "BTC",
        "GBp ",
        " ",
        "US Dollar",
        "€",
        7,
    ],
)
def test_an_unknown_unit_is_the_defect_of_its_row(service, yahoo, label):
    """The reason has the unknown unit, and the other symbols are priced."""
    pipe = service("AAPL,MSFT,GLITCH")
    yahoo.rows = {name: row(pipe, name, 100.0) for name in ("AAPL", "MSFT")}
    yahoo.rows["GLITCH"] = row(pipe, "GLITCH", 100.0, currency=label)
    for _ in range(8):
        pipe.run_next()
        error = one(pipe, "GLITCH")
        shown = repr(label)
        assert error["code"] == "provider_unavailable"
        assert f"GLITCH: not a currency: {shown}" in error["message"]
    assert one(pipe, "AAPL")["price"] == 100
    assert breakers(pipe, Source.YFINANCE) == {"closed"}


def test_a_percentage_that_contradicts_price_and_change_is_null(service, yahoo):
    """A percentage that contradicts price and change is null, and both are served."""
    pipe = service("^VIX,MSFT")
    yahoo.rows["^VIX"] = row(
        pipe, "^VIX", 20.9, regularMarketPreviousClose=1e-07, regularMarketChange=20.8999999,
        regularMarketChangePercent=20_899_999_000.0,
    )  # fmt: skip
    yahoo.rows["MSFT"] = row(
        pipe, "MSFT", 412.34, regularMarketPreviousClose=408.0, regularMarketChange=4.34,
        regularMarketChangePercent=0.010638,
    )  # fmt: skip
    pipe.run_next()
    assert one(pipe, "^VIX")["percent_change"] is None
    quote = one(pipe, "MSFT")
    assert (quote["price"], quote["change"], quote["percent_change"]) == (412.34, 4.34, None)


@pytest.mark.parametrize(
    ("change", "percent", "must"),
    [
        (2.5, 5.263158, (2.5, 5.263158)),
        (2.5, -5.263158, (2.5, None)),
        (2.5, 0.05263158, (2.5, None)),
        (2.5, 526.3158, (2.5, None)),
        (-2.5, -4.761905, (-2.5, -4.761905)),
        (2.5, -100.0, (2.5, None)),
        (0.0, 3.0, (0, None)),
    ],
)
def test_change_and_percentage_never_contradict_each_other(service, yahoo, change, percent, must):
    """A percentage with the other sign, as a share of one, or a hundred times too large is null."""
    pipe = service("SOME")
    yahoo.rows["SOME"] = row(
        pipe, "SOME", 50.0, regularMarketChange=change, regularMarketChangePercent=percent
    )
    pipe.run_next()
    quote = one(pipe, "SOME")
    expected_change, expected_percent = must
    assert quote["change"] == pytest.approx(expected_change, abs=1e-4)
    assert quote["percent_change"] == expected_percent


@pytest.mark.parametrize("order", [1, -1], ids=["dead row first", "dead row last"])
@pytest.mark.parametrize(
    "dead",
    [
        {"quoteType": "NONE"},
        {"regularMarketPrice": None},
        {"regularMarketPrice": 0},
        {"regularMarketPrice": -3.0},
        {"regularMarketPrice": "NaN"},
        {"currency": "???"},
        {"regularMarketPrice": 7.5, "regularMarketTime": 1_500_000_000},
    ],
    ids=["none", "no price", "zero", "negative", "NaN", "unknown unit", "years old"],
)
def test_an_unusable_row_never_hides_a_usable_one(service, yahoo, dead, order):
    """Of two rows for one symbol the usable one is served."""
    pipe = service("TWO,MSFT")
    yahoo.rows["MSFT"] = row(pipe, "MSFT", 400.0)
    yahoo.rows["TWO"] = [row(pipe, "TWO", 24.5), {**row(pipe, "TWO", 24.5), **dead}][::order]
    pipe.run_next()
    assert one(pipe, "TWO")["price"] == 24.5


@pytest.mark.parametrize(
    ("labels", "price"), [(("GBp", "GBP"), "3.015"), (("KWF", "KWD"), "0.3015")]
)
def test_two_rows_in_two_units_are_one_price(service, yahoo, labels, price):
    """One row in the minor unit and one in its currency do not contradict each other."""
    pipe = service("OCDO.L,MSFT")
    yahoo.rows["MSFT"] = row(pipe, "MSFT", 400.0)
    yahoo.rows["OCDO.L"] = [
        row(pipe, "OCDO.L", 301.5, currency=labels[0]),
        row(pipe, "OCDO.L", float(price), currency=labels[1]),
    ]
    pipe.run_next()
    assert Decimal(str(one(pipe, "OCDO.L")["price"])) == Decimal(price)


def test_two_usable_rows_that_contradict_each_other_are_a_bad_row(service, yahoo):
    """Two usable rows that contradict each other are rejected, with both prices in the reason."""
    pipe = service("TWO,MSFT")
    yahoo.rows["MSFT"] = row(pipe, "MSFT", 400.0)
    yahoo.rows["TWO"] = [row(pipe, "TWO", 24.5), row(pipe, "TWO", 27.5)]
    pipe.run_next()
    expected = "yfinance: TWO: two rows contradict each other: 24.5 USD and 27.5 USD"
    assert one(pipe, "TWO")["message"] == expected
