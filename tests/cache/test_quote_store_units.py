"""Prices that may be in another unit or currency: they are held until they are confirmed."""

from __future__ import annotations

import pytest

from marketdata.cache.quote_store import QuoteStore
from marketdata.domain.quotes import Source
from tests.support.sample_quotes import price, put, quote

FINNHUB = Source.FINNHUB
HOUR = 3600


@pytest.fixture
def store(cache):
    """A store on an empty Redis, plain or in cluster mode."""
    return QuoteStore(cache, retention_s=7 * 86400)


def pounds(text, at, source=Source.YFINANCE, **options):
    """A London share's quote, in pounds."""
    return quote(text, at, source, **{"symbol": "OCDO.L", "currency": "GBP", **options})


@pytest.mark.parametrize(("before", "after"), [("0.875", "87.5"), ("87.5", "0.875")])
def test_pence_are_named_a_unit_mismatch(store, before, after):
    """A factor near 100 is held as `unit_mismatch`, and its own source cannot confirm it soon."""
    put(store, pounds(before, 0))
    for at in (5, 10, 15, HOUR, 23 * HOUR):
        assert put(store, pounds(after, at)) == ["quarantined:unit_mismatch"]
    assert price(store, "OCDO.L") == before
    message = store.reasons(["OCDO.L"])[0].message
    assert "unit mismatch" in message
    assert f"says {after} GBP, the stored price is {before}" in message


def test_a_unit_is_accepted_after_a_day(store):
    """A price in another unit is written after its source has repeated it for 24 hours."""
    put(store, pounds("0.875", 0))
    put(store, pounds("87.5", 5))
    assert put(store, pounds("87.5", 12 * HOUR)) == ["quarantined:unit_mismatch"]
    assert put(store, pounds("87.4", 24 * HOUR + 6)) == ["written"]


def test_a_right_price_in_between_begins_the_day_anew(store):
    """A right price between wrong units starts the 24 hours again."""
    put(store, pounds("0.875", 0))
    for hour in range(60):
        assert put(store, pounds("87.5", hour * HOUR + 5)) == ["quarantined:unit_mismatch"]
        put(store, pounds("0.876", hour * HOUR + 10))
    assert price(store, "OCDO.L") == "0.876"


def test_a_second_source_confirms_even_a_unit(store):
    """If a second source agrees, the price in the other unit is written."""
    put(store, pounds("0.875", 0))
    put(store, pounds("87.5", 5))
    assert put(store, pounds("87.6", 5, FINNHUB)) == ["written"]
    assert price(store, "OCDO.L") == "87.5"


def test_what_another_source_said_more_than_an_hour_ago_confirms_no_unit(store):
    """A price that a second source gave more than an hour ago does not confirm a unit."""
    put(store, pounds("0.875", 0))
    put(store, pounds("87.5", 5))
    late = pounds("87.6", HOUR + 6, FINNHUB)
    assert put(store, late) == ["quarantined:unit_mismatch"]
    assert price(store, "OCDO.L") == "0.875"


def test_a_thousand_fils_are_a_dinar(store):
    """A step of 1000 is held as another unit if the currency has one, a step of 100 as a jump."""
    kuwait = {"symbol": "NBK.KW", "currency": "KWD"}
    put(store, quote("0.982", 0, **kuwait))
    assert put(store, quote("982", 5, **kuwait)) == ["quarantined:unit_mismatch"]
    assert put(store, quote("98.2", 10, **kuwait)) == ["quarantined:jump"]


def test_a_split_of_a_us_share_is_an_ordinary_jump(store):
    """A split of 1:100 is served with its second look."""
    put(store, quote("0.35", 0))
    assert put(store, quote("35.0", 5)) == ["quarantined:jump"]
    assert put(store, quote("35.0", 10)) == ["written"]
    assert price(store) == "35"


def test_pence_are_held_however_old_the_stored_price_is(store):
    """A factor of 100 is held however old the stored price is."""
    put(store, pounds("182.5", 0))
    assert put(store, pounds("18250", 20 * HOUR)) == ["quarantined:unit_mismatch"]
    assert put(store, pounds("18250", 20 * HOUR + 5)) == ["quarantined:unit_mismatch"]


def test_another_currency_is_held(store):
    """The same number in another currency is held as a jump."""
    put(store, quote("100", 0, currency="GBP"))
    assert put(store, quote("100", 5, currency="USD")) == ["quarantined:jump"]
    assert put(store, quote("101", 10, currency="USD")) == ["written"]


def test_another_currency_does_not_confirm(store):
    """The same number in another currency does not confirm a held price."""
    put(store, quote("100", 0))
    put(store, quote("140", 5))
    assert put(store, quote("140", 5, FINNHUB, currency="GBP")) == ["quarantined:jump"]


def test_an_unknown_currency_is_no_difference(store):
    """A quote without a currency is compared by its number alone."""
    put(store, quote("100", 0))
    assert put(store, quote("101", 5, FINNHUB, currency=None)) == ["written"]
    assert put(store, quote("102", 10)) == ["written"]
