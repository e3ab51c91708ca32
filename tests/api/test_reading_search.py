"""One search over the lists of all classes, read from a real Redis."""

from __future__ import annotations

import json

import pytest

from marketdata.api.readers.bad_request import BadRequestError
from marketdata.api.readers.search import SearchReader
from marketdata.domain.symbols import AssetClass
from tests.support.api_service import Service


@pytest.fixture
def service(cache):
    """A service with a short list of each class."""
    service = Service(cache)
    service.list_assets(
        AssetClass.STOCKS,
        {"AAPL": "Apple Inc.", "TSLA": "Tesla, Inc.", "BTCS": "BTCS Inc.", "EURN": "Euronav"},
    )
    coins = {"BTC-USD": "Bitcoin", "TSLAX-USD": "Tesla xStock", "EURC-USD": "Euro Coin"}
    service.list_assets(AssetClass.CRYPTO, coins)
    service.list_assets(AssetClass.FOREX, {"EUR/USD": "Euro / US Dollar"})
    return service


def search(service, q, **how):
    """Return the parsed answer to a search."""
    return json.loads(SearchReader(service.stores.assets).search(q, market="live", **how))


@pytest.mark.parametrize(
    ("q", "symbols"),
    [
        ("tesla", ["TSLA", "TSLAX-USD"]),
        ("btc", ["BTC-USD", "BTCS"]),
        ("eur", ["EUR/USD", "EURC-USD", "EURN"]),
        ("EURUSD=X", ["EUR/USD"]),
        ("NASDAQ:AAPL", ["AAPL"]),
        ("usd eur", ["EUR/USD"]),
        ("nothing like it", []),
    ],
)
def test_one_ranked_list_has_the_assets_of_all_classes(service, q, symbols):
    """Results are ordered: exact symbol, beginning of a symbol, word of a name, then rank."""
    answer = search(service, q)
    assert [one["symbol"] for one in answer["results"]] == symbols
    assert answer["total"] == len(symbols)


def test_a_result_is_an_asset_with_its_class(service):
    """A result has the members of a list's row and the asset class."""
    answer = search(service, "bitcoin")
    assert (answer["market"], answer["q"]) == ("live", "bitcoin")
    (found,) = answer["results"]
    assert found == {
        "asset_class": "crypto", "symbol": "BTC-USD", "name": "Bitcoin", "exchange": None,
        "currency": "USD", "rank": 1, "ids": {"coingecko": "BTC-USD"}, "sources": ["coingecko"],
    }  # fmt: skip


def test_a_search_can_be_limited_to_a_class_and_a_number(service):
    """`asset_class` and `limit` restrict the results, and `total` counts all matches."""
    answer = search(service, "eur", asset_class=AssetClass.STOCKS)
    assert [one["symbol"] for one in answer["results"]] == ["EURN"]
    answer = search(service, "eur", limit=1)
    assert ([one["symbol"] for one in answer["results"]], answer["total"]) == (["EUR/USD"], 3)


def test_missing_lists_are_skipped(cache):
    """A search reads the lists that exist; without any list it raises `pending`."""
    service = Service(cache)
    with pytest.raises(BadRequestError) as caught:
        search(service, "btc")
    assert (caught.value.code, caught.value.retry_after_s) == ("pending", 5)
    service.list_assets(AssetClass.CRYPTO, ["BTC-USD"])
    assert search(service, "btc")["total"] == 1
