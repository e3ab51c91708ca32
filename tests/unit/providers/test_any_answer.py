"""Any answer of a provider becomes quotes and reasons, or one of our errors."""

import json
import math
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketdata.domain.symbols import AssetClass
from marketdata.errors import ProviderError
from marketdata.providers.alpha_vantage import AlphaVantage
from marketdata.providers.coingecko import CoinGecko
from marketdata.providers.coinmarketcap import CoinMarketCap
from marketdata.providers.finnhub import Finnhub
from marketdata.providers.yahoo import Yahoo
from tests.support.examples import examples
from tests.support.provider_support import NOW, SECRET, answer, instrument, secret_key

BASE = "http://127.0.0.1:9"
COINS = [
    instrument("BTC-USD", coingecko="bitcoin", coinmarketcap="1"),
    instrument("ETH-USD", coingecko="ethereum", coinmarketcap="1027"),
]
DOLLARS = {"symbol": "USD", "price": 2.5, "percent_change_24h": 1, "last_updated": "2026-09-15T17"}
SHARE = {
    "symbol": "AAPL",
    "quoteType": "EQUITY",
    "currency": "USD",
    "regularMarketPrice": 1.5,
    "regularMarketTime": 1771519213,
    "marketState": "POST",
    "postMarketPrice": 1.6,
    "postMarketTime": 1771519999,
}
CASES = {
    "yahoo": (
        Yahoo(),
        [instrument("AAPL"), instrument("MSFT")],
        {"quoteResponse": {"result": [SHARE, SHARE], "error": None}, "unanswered": ["MSFT"]},
    ),
    "finnhub": (
        Finnhub(BASE, secret_key),
        [instrument("AAPL")],
        {"c": 1.5, "d": 0.1, "dp": 0.2, "t": 1771519213},
    ),
    "coingecko": (
        CoinGecko(BASE, secret_key),
        COINS,
        {"bitcoin": {"usd": 1.5, "usd_24h_change": 2, "last_updated_at": 1779092258}},
    ),
    "coinmarketcap": (
        CoinMarketCap(BASE, secret_key),
        COINS,
        {"status": {"error_code": 0}, "data": [{"id": 1, "is_active": 1, "quote": [DOLLARS]}]},
    ),
    "alpha_vantage": (
        AlphaVantage(BASE, secret_key),
        [instrument("EUR/USD")],
        {
            "Realtime Currency Exchange Rate": {
                "1. From_Currency Code": "EUR",
                "3. To_Currency Code": "USD",
                "5. Exchange Rate": "1.05",
                "6. Last Refreshed": "2026-05-17 17:12:44",
                "7. Time Zone": "UTC",
            }
        },
    ),
}
ROWS = {
    "yahoo": {"finance": {"result": [{"quotes": [SHARE]}], "error": None}},
    "finnhub": [{"symbol": "AAPL", "displaySymbol": "EUR/USD", "mic": "XNAS", "currency": "USD"}],
    "coingecko": [{"id": "bitcoin", "symbol": "btc", "name": "B", "market_cap_rank": 1}],
    "coinmarketcap": {"status": {"error_code": "0"}, "data": [{"id": 1, "symbol": "BTC"}]},
    "alpha_vantage": {"Information": "x", "Note": "y", "message": "z", "Error Message": "w"},
}
LISTS = [
    (name, asset_class)
    for name, (provider, *_) in CASES.items()
    for asset_class in AssetClass
    if provider.build_asset_requests(asset_class)
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["NaN", "-1e999", "1e9999", "0", 10**60, "1008", "Information", "2026-05-17"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
STATUSES = st.sampled_from([200, 200, 200, 200, 204, 301, 400, 401, 402, 403, 404, 429, 500, 599])
HEADERS = st.dictionaries(
    st.sampled_from(["retry_after", "date", "x_ratelimit_reset", "x_ratelimit_remaining"]),
    st.text(max_size=12) | st.sampled_from(["0", "1e9", "Sun, 22 Nov 2026 13:06:00 GMT", "1" * 30]),
    max_size=3,
)


@st.composite
def changed(draw, value):
    """A value with some part of it, or all of it, replaced by any JSON, or left out."""
    if not isinstance(value, dict | list) or draw(st.integers(0, 3)) == 0:
        return draw(JSON)
    if isinstance(value, list):
        return [draw(changed(one)) for one in value]
    name = draw(st.sampled_from(sorted(value)))
    rest = {key: one for key, one in value.items() if key != name}
    return rest if draw(st.integers(0, 4)) == 0 else {**rest, name: draw(changed(value[name]))}


def check_error(error):
    """Check that an error shows no key and pauses a provider for at most 31 days."""
    assert SECRET not in str(error)
    hold_s = getattr(error, "retry_after_s", None)
    assert hold_s is None or 1 <= hold_s <= 31 * 86400


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=examples(60))
@given(data=st.data(), status=STATUSES, headers=HEADERS)
def test_every_answer_is_quotes_and_reasons_or_an_error(name, data, status, headers):
    """Each instrument has one quote or one reason, and a price is a finite number above zero."""
    provider, batch, good = CASES[name]
    body = json.dumps(data.draw(changed(good)))
    try:
        parsed = provider.parse(batch, answer(body, status, **headers), NOW)
    except ProviderError as error:
        check_error(error)
        return
    answered = [quote.symbol for quote in parsed.quotes] + [one.symbol for one in parsed.missing]
    answered += [one.symbol for one in parsed.bad_rows]
    assert sorted(answered) == sorted(one.symbol.text for one in batch)
    for quote in parsed.quotes:
        assert quote.price.is_finite()
        assert quote.price > 0
        shown = json.loads(quote.to_json(), parse_float=Decimal)
        assert Decimal(shown["price"]) == quote.price
        assert quote.timestamp is None or quote.timestamp.utcoffset().total_seconds() == 0
    assert parsed.hold_s is None or math.isfinite(parsed.hold_s)


@pytest.mark.parametrize(("name", "asset_class"), LISTS)
@settings(max_examples=examples(40))
@given(data=st.data(), status=STATUSES, headers=HEADERS)
def test_every_list_is_listings_or_an_error(name, asset_class, data, status, headers):
    """Each listing has a symbol, a name and an id, and any other answer is one of our errors."""
    provider = CASES[name][0]
    body = json.dumps(data.draw(changed(ROWS[name])))
    try:
        listings = provider.parse_assets(asset_class, [answer(body, status, **headers)])
    except ProviderError as error:
        check_error(error)
        return
    assert listings
    assert all(one.symbol and one.name and one.provider_id for one in listings)
