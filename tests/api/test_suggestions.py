"""Suggestions in the errors of all routes: what the client may have meant."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote as encoded

import pytest

from marketdata.api.readers.suggesting import MOST_SEARCHED, Suggester
from marketdata.cache.client import connect
from marketdata.cache.listed_symbols import ListedSymbols
from marketdata.domain.assets import Asset, AssetList
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.settings import Settings
from tests.support.api_service import Service

STOCKS = ["AAPL", "MSFT", "TSLA", "BRK.B", "AAP", "OCDO.L", "OCDA", "SPYX", "KO"]
COINS = ["BTC-USD", "ETH-USD", "BTT-USD", "EUL-USD"]


@pytest.fixture
def service(cache):
    """A service with a list of each class, and no prices."""
    service = Service(cache, ACTIVE_SYMBOLS="KO")
    service.list_assets(AssetClass.STOCKS, {**dict.fromkeys(STOCKS, "A share"), "PEP": "PepsiCo"})
    service.list_assets(AssetClass.CRYPTO, {**dict.fromkeys(COINS, "A coin"), "BTC-USD": "Bitcoin"})
    service.list_assets(AssetClass.FOREX, ["EUR/USD", "USD/JPY"])
    return service


@pytest.mark.parametrize(
    ("asked", "code", "suggested"),
    [
        ("TSLAA", "pending", ["TSLA"]),
        ("APPL", "pending", ["AAPL"]),
        ("BRKB", "pending", ["BRK.B"]),
        ("OCDO.L", "pending", None),
        ("OCDP.L", "pending", ["OCDO.L"]),
        ("^SPY", "pending", None),
        ("AAP", "pending", None),
        ("BTCC-USD", "pending", ["BTC-USD"]),
        ("BTCC-EUR", "pending", ["BTC-EUR"]),
        ("BTX-USD", "pending", ["BTC-USD", "BTT-USD"]),
        ("EUX/USD", "pending", ["EUR/USD", "EUL-USD"]),
        ("EURO/USD", "pending", ["EUR/USD"]),
        ("EUR/USX", "invalid_symbol", ["EUR/USD"]),
        ("EURUSX", "pending", ["EUR/USD"]),
        ("USD/RMB", "invalid_symbol", ["USD/CNY"]),
        ("BTC/USDT", "invalid_symbol", ["BTC-USD"]),
        ("BTCC", "pending", ["BTC-USD"]),
        ("PEPSI", "pending", ["PEP"]),
        ("BITCOIN", "pending", ["BTC-USD"]),
        ("BITCOIN-EUR", "pending", ["BTC-EUR"]),
        ("AAPL!", "invalid_symbol", ["AAPL", "AAP"]),
        ("BRK/B", "invalid_symbol", ["BRK.B"]),
        ("JUNK123456", "pending", None),
        ("EUR/CHF", "pending", None),
        ("KO", "pending", None),
    ],
)
def test_every_route_suggests_the_same_for_a_symbol(service, asked, code, suggested):
    """All three routes suggest the same; a listed symbol gets no suggestion."""
    path = encoded(asked, safe="")
    for target in (f"/v1/quotes?symbols={path}", f"/v1/history?symbols={path}"):
        (error,) = service.get(target).json["errors"]
        assert (error["code"], error.get("suggestions")) == (code, suggested), target
    problem = service.get(f"/v1/quotes/{path}").json
    assert (problem["code"], problem.get("suggestions")) == (code, suggested)


@pytest.mark.parametrize(
    ("target", "code", "suggested"),
    [
        ("/v1/quotes?symbols=KO&currency=EUX", "invalid_parameter", ["EUR"]),
        ("/v1/quotes/KO?currency=usdt", "invalid_parameter", ["USD"]),
        ("/v1/quotes/KO?currency=GBp", "invalid_parameter", ["GBP"]),
        ("/v1/quotes/KO?currency=BTC", "invalid_parameter", None),
        ("/v1/history?symbols=KO&range=24", "invalid_parameter", ["24h"]),
        ("/v1/history?symbols=KO&range=week", "invalid_parameter", None),
        ("/v1/search?q=ko&asset_type=stock", "invalid_parameter", ["stocks"]),
        ("/v1/search?q=ko&limit=x", "invalid_parameter", None),
        ("/v1/quotes?symbol=KO", "unknown_parameter", ["symbols"]),
        ("/v1/search?query=ko", "unknown_parameter", None),
        ("/v1/assets/stock", "no_such_route", ["/v1/assets/stocks"]),
        ("/v1/assets/bonds", "no_such_route", None),
        ("/v1/quote", "no_such_route", ["/v1/quotes"]),
        ("/V1/Quotes", "no_such_route", ["/v1/quotes"]),
        ("/nowhere", "no_such_route", None),
    ],
)
def test_a_wrong_value_name_or_path_suggests_the_right_one(service, target, code, suggested):
    """A wrong value, name or path suggests a similar one, or nothing."""
    problem = service.get(target).json
    assert (problem["code"], problem.get("suggestions")) == (code, suggested), problem


def test_a_coin_by_its_id_suggests_what_it_is_listed_as(service):
    """A misspelt id suggests the coin's listed symbol, and a right id suggests nothing."""
    bitcoin = {"coingecko": "bitcoin"}
    asset = Asset("BTC-USD", AssetClass.CRYPTO, "Bitcoin", None, "USD", 1, bitcoin)
    updated = datetime.fromtimestamp(service.now_ms / 1000, UTC)
    coins = AssetList(AssetClass.CRYPTO, "v2", updated, (Source.COINGECKO,), (asset,))
    assert service.stores.assets.swap(coins)
    errors = service.get("/v1/quotes?symbols=@bitconi-USD,@bitcion-EUR,@bitcoin-USD").json["errors"]
    assert [error.get("suggestions") for error in errors] == [["BTC-USD"], ["BTC-EUR"], None]


def test_only_some_symbols_of_a_request_are_searched_for(service):
    """Suggestions are searched for a bounded number of unlisted symbols of a request."""
    asked = [*STOCKS[:3], *(f"TSL{letter}" for letter in "BCDEFGH")]
    errors = service.get(f"/v1/quotes?symbols={','.join(asked)}").json["errors"]
    suggested = [error.get("suggestions") for error in errors]
    assert suggested == [None] * 3 + [["TSLA"]] * MOST_SEARCHED + [None] * (7 - MOST_SEARCHED)


def test_a_request_full_of_junk_costs_a_bounded_number_of_round_trips(service):
    """A request for 100 unknown symbols costs no more round trips than a request for one."""
    cache = service.stores.cache
    costs = []
    for wave, count in enumerate((1, 100)):
        junk = ",".join(f"W{wave}J{number}" for number in range(count))
        before = cache.round_trips
        assert len(service.get(f"/v1/quotes?symbols={junk}").json["errors"]) == count
        costs.append(cache.round_trips - before)
    assert costs[1] <= costs[0]


def test_nothing_is_suggested_before_the_first_list(cache):
    """Before the first list of a class nothing is suggested for its symbols."""
    service = Service(cache)
    errors = service.get("/v1/quotes?symbols=APPL,BTCC-USD").json["errors"]
    assert [error.get("suggestions") for error in errors] == [None, None]
    service.list_assets(AssetClass.STOCKS, STOCKS)
    errors = service.get("/v1/quotes?symbols=AAPLL,BTCCC-USD").json["errors"]
    assert [error.get("suggestions") for error in errors] == [["AAPL"], None]


def test_a_symbol_that_has_a_price_is_spelled_right(service):
    """A symbol with an old quote gets no suggestion."""
    service.price("TSLAA", age_s=600)
    errors = service.get("/v1/quotes?symbols=TSLAA&max_age=5").json["errors"]
    assert [(error["code"], error.get("suggestions")) for error in errors] == [("stale", None)]


def test_lists_that_cannot_be_read_cost_only_the_suggestions(redis_server, caplog):
    """Without Redis errors have no suggestions from the lists, and the log says why."""
    cache = connect(Settings.from_env(redis_server.env()), caller_time=True)
    service = Service(cache)
    suggester = Suggester(service.stores.assets, ListedSymbols(cache))
    redis_server.kill()
    errors = [
        MissingQuote("APPL", Reason.NOT_FOUND, "no provider knows APPL"),
        MissingQuote("BTC-USDT", Reason.INVALID_SYMBOL, "BTC-USDT is not valid"),
    ]
    found = suggester.with_suggestions(errors)
    assert [error.suggestions for error in found] == [(), ("BTC-USD",)]
    assert caplog.records[0].message == "no suggestions"
