"""Quotes with their price in another currency, read from a real Redis."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Context, Decimal

import pytest

from marketdata.api.readers.conversion import target_currency
from marketdata.api.readers.quotes import QuoteReader
from marketdata.api.readers.symbol_lists import requested
from marketdata.domain.outcomes import MissingQuote, Reason
from tests.support.api_service import NOON_MS, Service, quote


@pytest.fixture
def service(cache):
    """A service over an empty Redis."""
    return Service(cache)


def read(service, symbols, currency):
    """Return the quotes of a list in a currency, numbers as decimals."""
    reader = QuoteReader(service.settings, service.stores.quotes, service.stores.control)
    reading = reader.read(requested(symbols), service.now_ms, currency=currency)
    return json.loads(b"[%b]" % reading.quotes, parse_float=Decimal, parse_int=Decimal)


def put(service, symbol, price, currency="USD", **fields):
    """Store a quote in a currency."""
    made = replace(quote(symbol, NOON_MS, price), currency=currency, **fields)
    service.stores.quotes.put([made], NOON_MS)


def test_a_price_is_converted_by_the_quote_of_the_pair(service):
    """Price and change are multiplied by the rate, and the original figures stay."""
    put(service, "AAPL", "232.89", change=Decimal("-1.2"))
    put(service, "USD/EUR", "0.9259", currency="EUR")
    (found,) = read(service, "AAPL", "EUR")
    assert (found["price"], found["currency"], found["stale"]) == (Decimal("232.89"), "USD", False)
    assert found["converted"] == {
        "currency": "EUR",
        "price": Decimal("232.89") * Decimal("0.9259"),
        "change": Decimal("-1.2") * Decimal("0.9259"),
        "rate": Decimal("0.9259"),
        "rate_symbol": "USD/EUR",
        "rate_source": "yfinance",
        "rate_timestamp": "2025-11-22T14:05:00Z",
        "rate_stale": False,
    }
    assert "conversion_error" not in found


def test_quotes_of_several_currencies_are_converted_in_one_request(service):
    """Quotes are converted by the pair, its inverse or a cross; a quote in the currency stays."""
    put(service, "AAPL", "100", change=None)
    put(service, "OCDO.L", "3", currency="GBP")
    put(service, "SAP.DE", "120.123456789012345", currency="EUR")
    put(service, "BTC-USD", "90000")
    put(service, "EUR/USD", "1.25")
    put(service, "GBP/USD", "1.5")
    found = read(service, "AAPL,OCDO.L,SAP.DE,BTC-USD,GBP/USD", "EUR")
    assert [one["symbol"] for one in found] == ["AAPL", "OCDO.L", "SAP.DE", "BTC-USD", "GBP/USD"]
    prices = [one["converted"]["price"] for one in found]
    expected = ["80", "3.6", "120.123456789012345", "72000", "1.2"]
    assert prices == [Decimal(price) for price in expected]
    assert found[0]["converted"]["change"] is None
    assert found[1]["converted"]["rate_symbol"] == "GBP/USD,EUR/USD"
    assert found[2]["converted"]["rate_symbol"] is None


def test_a_missing_rate_is_a_reason_and_its_pair_is_watched(service):
    """A quote without a rate has the reason, and the pair is watched."""
    put(service, "AAPL", "100")
    (found,) = read(service, "AAPL", "CHF")
    assert (found["price"], found["converted"]) == (100, None)
    assert found["conversion_error"]["symbol"] == "USD/CHF"
    assert found["conversion_error"]["code"] == "pending"
    assert "USD/CHF" in service.watched()


def test_the_stored_reason_of_the_pair_is_the_reason(service):
    """The reason of a missing rate is the stored reason of the pair."""
    put(service, "AAPL", "100")
    reason = MissingQuote("USD/CHF", Reason.BUDGET_EXHAUSTED, "paced, next call in 284 s", 284)
    service.stores.quotes.explain([reason])
    error = read(service, "AAPL", "CHF")[0]["conversion_error"]
    assert (error["code"], error["retry_after"]) == ("budget_exhausted", 284)


def test_a_rate_that_is_used_stays_watched(service):
    """A pair whose rate is used is watched."""
    put(service, "AAPL", "100")
    put(service, "USD/JPY", "150", currency="JPY")
    assert read(service, "AAPL", "JPY")[0]["converted"]["price"] == 15000
    assert "USD/JPY" in service.watched()


def test_a_stale_rate_is_marked(service):
    """A stale rate is marked, also if the quote is fresh."""
    put(service, "USD/JPY", "150", currency="JPY")
    service.now_ms += 305_000
    service.price("AAPL", price="2")
    (found,) = read(service, "AAPL", "JPY")
    assert (found["stale"], found["converted"]["rate_stale"]) == (False, True)


@pytest.mark.parametrize(("currency", "text"), [(None, "not known"), ("BTC", "BTC has no rate")])
def test_a_price_without_a_convertible_currency_has_a_reason(service, currency, text):
    """A price in no known currency has a reason, and no pair is watched."""
    put(service, "AAPL", "100", currency=currency)
    (found,) = read(service, "AAPL", "EUR")
    assert found["converted"] is None
    assert found["conversion_error"]["code"] == "not_found"
    assert text in found["conversion_error"]["message"]
    assert service.watched() == set()


def test_each_kind_of_asset_is_converted_or_has_its_reason(service):
    """Futures, indices, coins and pairs are converted; a price in a coin has a reason instead."""
    digits = "1.2345678901234567890123456789012345678901"
    for symbol, price, currency in (
        ("CL=F", "-37.63", "USD"), ("^TNX", "0", "USD"), ("BTC-USD", "90000.5", "USD"),
        ("ETH-BTC", "0.05", "BTC"), ("GBP/USD", "1.3", "USD"), ("AAPL", digits, "USD"),
        ("^DJI", "42000", None), ("SAP.DE", digits, "EUR"),
    ):  # fmt: skip
        put(service, symbol, price, currency=currency, change=Decimal("-0.1"))
    put(service, "EUR/USD", "1.1", change=None)
    rate, rounded = Decimal("0.909090909091"), Context(prec=12)
    symbols = "CL=F,^TNX,BTC-USD,ETH-BTC,GBP/USD,AAPL,^DJI,SAP.DE"
    found = {one["symbol"]: one for one in read(service, symbols, "EUR")}
    for symbol in ("CL=F", "^TNX", "BTC-USD", "GBP/USD", "AAPL"):
        converted = found[symbol]["converted"]
        assert converted["rate"] == rate
        assert converted["price"] == rounded.multiply(found[symbol]["price"], rate)
        assert converted["change"] == Decimal("-0.0909090909091")
    assert found["SAP.DE"]["converted"]["price"] == Decimal(digits)
    assert found["ETH-BTC"]["conversion_error"]["message"].endswith("BTC has no rate")
    assert found["^DJI"]["conversion_error"]["code"] == "not_found"


def test_both_routes_convert_alike(service):
    """One quote and a list of quotes have the same `converted`."""
    put(service, "OCDO.L", "3.015", currency="GBP", change=Decimal("-0.02"))
    put(service, "GBP/EUR", "1.1873", currency="EUR")
    one = service.get("/v1/quotes/OCDO.L?currency=EUR").json
    (listed,) = service.get("/v1/quotes?symbols=OCDO.L&currency=EUR").json["quotes"]
    assert one["converted"] == listed["converted"]
    assert (one["converted"]["price"], one["converted"]["change"]) == (3.5797095, -0.023746)


@pytest.mark.parametrize(("text", "code"), [("EUR", "EUR"), ("eur", "EUR"), ("CNH", "CNH")])
def test_a_currency_is_an_iso_code_in_either_case(text, code):
    """A currency is an ISO 4217 code or CNH, in upper or lower case."""
    assert target_currency(text) == code


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("GBp", "GBp is a minor unit, use GBP"), ("gbx", "gbx is a minor unit, use GBP"),
        ("GBX", "GBP"), ("ZAc", "ZAR"), ("ZAC", "ZAR"), ("zac", "ZAR"), ("USX", "USD"),
        ("ILA", "ILS"), ("ila", "ila is a minor unit, use ILS"), ("KWF", "KWD"),
        ("Eur", "ISO 4217"), ("EURO", "ISO 4217"), ("", "ISO 4217"), ("BTC", "no coin"),
        ("ＥＵＲ", "ISO 4217"),
    ],
)  # fmt: skip
def test_anything_else_is_an_error_with_what_is_allowed(text, names):
    """Other text is an error that names what is allowed; for a minor unit, its currency."""
    with pytest.raises(ValueError, match=names):
        target_currency(text)
