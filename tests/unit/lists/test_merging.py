"""Merging: what holds for the lists of every class."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketdata.domain.assets import Listing
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass, parse_symbol
from marketdata.lists.listed_rows import clean_name
from marketdata.lists.merging import guard, merge


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("  Apple   Inc. ", "Apple Inc."),
        ("AT&amp;T Inc", "AT&T Inc"),
        ("Barnes&NBSP;Group", "Barnes Group"),
        ("S&P Global", "S&P Global"),
        ("null", ""),
        ("N/A", ""),
    ],
)
def test_names_are_cleaned(raw, clean):
    """A name loses markup and extra blanks, and a text for "no name" becomes empty."""
    assert clean_name(raw) == clean


@pytest.mark.parametrize(
    ("new", "old", "is_kept_out"),
    [(80, 100, False), (79, 100, True), (0, 0, True), (1, 0, False), (130, 100, False)],
)
def test_a_much_smaller_list_is_kept_out(new, old, is_kept_out):
    """A list that is empty, or has under 80 % of the old one's assets, is a failure."""
    assert (guard(new, old) is not None) is is_kept_out


CODES = st.sampled_from(["BTC", "ETH", "EUR", "AAPL", "X.Y", "Ü", "", "A-B", "USD", "jpy"])


ROWS = st.lists(
    st.builds(
        Listing,
        symbol=st.one_of(
            CODES,
            st.builds("{}-USD".format, CODES),
            st.builds("{}/{}".format, CODES, CODES),
            st.text(max_size=25),
        ),
        name=st.sampled_from(["Bitcoin", "Ether", "", "null", "Ünïcode"]),
        source=st.sampled_from(Source),
        provider_id=st.text(max_size=3),
        exchange=st.sampled_from([None, "NYSE"]),
        currency=st.sampled_from([None, "USD", "GBp"]),
        rank=st.one_of(st.none(), st.integers(1, 5)),
        slug=st.sampled_from([None, "bitcoin", "ether"]),
    ),
    max_size=30,
)


@given(asset_class=st.sampled_from(AssetClass), rows=ROWS)
def test_whatever_is_listed_merges_into_a_sound_list(asset_class, rows):
    """A merged list has unique canonical symbols of its class, each with a name, by rank."""
    assets = merge(asset_class, rows)
    symbols = [asset.symbol for asset in assets]
    assert len(set(symbols)) == len(symbols)
    known = {(row.source.value, row.provider_id) for row in rows}
    for asset in assets:
        parsed = parse_symbol(asset.symbol)
        assert (parsed.text, parsed.asset_class) == (asset.symbol, asset_class)
        assert asset.name
        if asset_class is not AssetClass.FOREX:
            assert asset.ids
            assert set(asset.ids.items()) <= known
    ranks = [(asset.rank is None, asset.rank or 0) for asset in assets]
    assert ranks == sorted(ranks)
