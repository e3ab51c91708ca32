"""The asset lists over HTTP: pages, cursors and the search within a list."""

import pytest

from marketdata.domain.symbols import AssetClass
from tests.support.api_service import Service

CRYPTO = AssetClass.CRYPTO
COINS = [f"C{number:02}-USD" for number in range(25)]


def symbols(reply):
    """Return the symbols of a page."""
    return [asset["symbol"] for asset in reply.json["assets"]]


def walk(service, target):
    """Return all pages, beginning with `target`."""
    pages = [service.get(target)]
    while cursor := pages[-1].json["next_cursor"]:
        pages.append(service.get(f"{target}&cursor={cursor}"))
    return pages


def test_a_page_tells_its_assets_and_the_list(cache):
    """A page has ranked assets, and the size, time and age state of the list."""
    service = Service(cache)
    service.list_assets(CRYPTO, ["BTC-USD", "ETH-USD"], age_s=5)
    assert service.get("/v1/assets/crypto").json == {
        "market": "live",
        "asset_type": "crypto",
        "assets": [
            {
                "symbol": symbol,
                "name": f"Name of {symbol}",
                "exchange": None,
                "currency": "USD",
                "rank": rank,
                "ids": {"coingecko": symbol},
                "sources": ["coingecko"],
            }
            for rank, symbol in enumerate(("BTC-USD", "ETH-USD"), 1)
        ],
        "total": 2,
        "next_cursor": None,
        "updated_at": "2025-11-22T14:04:55Z",
        "stale": False,
    }


def test_paging_shows_each_asset_once(cache):
    """The pages together have each asset once, in order, and the last page has no cursor."""
    service = Service(cache)
    service.list_assets(CRYPTO, COINS)
    pages = walk(service, "/v1/assets/crypto?limit=10")
    assert [len(symbols(page)) for page in pages] == [10, 10, 5]
    assert [symbol for page in pages for symbol in symbols(page)] == COINS


def test_paging_stays_with_its_version_while_the_list_is_replaced(cache):
    """A cursor reads the version of its first page, with that version's total and updated_at."""
    service = Service(cache)
    service.list_assets(CRYPTO, COINS, "v1")
    first = service.get("/v1/assets/crypto?limit=20")
    service.now_ms += 60_000
    service.list_assets(CRYPTO, [*COINS[::-1], "NEW-USD"], "v2")
    second = service.get(f"/v1/assets/crypto?limit=20&cursor={first.json['next_cursor']}")
    assert symbols(first) + symbols(second) == COINS
    for name in ("total", "updated_at"):
        assert second.json[name] == first.json[name]
    assert service.get("/v1/assets/crypto").json["total"] == 26


def test_the_cursor_of_a_deleted_version_is_expired(cache):
    """A cursor of a deleted version gets 410 and `cursor_expired`."""
    service = Service(cache)
    service.list_assets(CRYPTO, COINS)
    cursor = service.get("/v1/assets/crypto?limit=20").json["next_cursor"]
    cache.command("UNLINK", cache.key("assets:crypto", "v1", "rows"))
    reply = service.get(f"/v1/assets/crypto?cursor={cursor}")
    assert (reply.status, reply.json["code"]) == (410, "cursor_expired")


@pytest.mark.parametrize("query", ["", "&q=usd"])
def test_a_reader_misses_nothing_while_the_list_is_replaced_again_and_again(cache, query):
    """Each page is of the first page's version, also if the list is replaced before each page."""
    service = Service(cache)
    service.list_assets(CRYPTO, COINS, "v0")
    page, found, number = service.get(f"/v1/assets/crypto?limit=4{query}"), [], 0
    while cursor := page.json["next_cursor"]:
        found += symbols(page)
        number += 1
        service.now_ms += 60_000
        swapped = [f"N{number}-USD", *COINS[number:], *COINS[:number]]
        service.list_assets(CRYPTO, swapped, f"v{number}")
        page = service.get(f"/v1/assets/crypto?limit=4{query}&cursor={cursor}")
    assert found + symbols(page) == COINS
    assert number == 6


def test_a_list_whose_rows_are_lost_is_not_an_empty_list(cache):
    """If Redis dropped a part of a list, the list is pending until the next refresh."""
    for part, target in (("rows", "crypto"), ("rows", "crypto?q=c0"), ("index", "crypto?q=c0")):
        service = Service(cache)
        cache.command("FLUSHALL")
        service.list_assets(CRYPTO, COINS)
        cache.command("UNLINK", cache.key("assets:crypto", "v1", part))
        reply = service.get(f"/v1/assets/{target}")
        assert (reply.status, reply.json["code"]) == (503, "pending")
        assert reply.headers["retry-after"] == "5"


def test_each_page_of_thirty_thousand_assets_costs_the_same(cache):
    """The last page of 30,000 assets takes as many round trips and bytes as the others."""
    service = Service(cache)
    many = [f"C{number:05}-USD" for number in range(30_000)]
    service.list_assets(CRYPTO, many)
    trips, sizes, seen, cursor = [], [], 0, ""
    while cursor is not None:
        before = cache.round_trips
        page = service.get("/v1/assets/crypto?limit=1000" + (cursor and f"&cursor={cursor}"))
        trips.append(cache.round_trips - before)
        sizes.append(len(page.body))
        assert symbols(page) == many[seen : seen + 1000]
        seen, cursor = seen + 1000, page.json["next_cursor"]
    assert seen == 30_000
    assert trips == [2, *[1] * 29]
    assert max(sizes) - min(sizes) < 20_000


def test_a_search_finds_by_symbol_first_and_then_by_name(cache):
    """A search returns the exact symbol first and names later, in pages."""
    service = Service(cache)
    service.list_assets(CRYPTO, ["OF-USD", *COINS, "XBTC-USD", "BTC-USD"])
    assert symbols(service.get("/v1/assets/crypto?q=btc")) == ["BTC-USD", "XBTC-USD"]
    pages = walk(service, "/v1/assets/crypto?q=OF&limit=20")
    found = [symbol for page in pages for symbol in symbols(page)]
    assert found == ["OF-USD", *COINS, "XBTC-USD", "BTC-USD"]
    assert {page.json["total"] for page in pages} == {28}


def test_a_search_may_find_nothing(cache):
    """A search without a result is answered with 200 and no assets."""
    service = Service(cache)
    service.list_assets(CRYPTO, COINS)
    reply = service.get("/v1/assets/crypto?q=zebra")
    assert (reply.status, reply.json["assets"], reply.json["total"]) == (200, [], 0)
    assert reply.json["next_cursor"] is None


def test_a_cursor_serves_its_own_list_alone(cache):
    """A cursor for another class or another search is an error."""
    service = Service(cache)
    service.list_assets(CRYPTO, COINS)
    service.list_assets(AssetClass.STOCKS, ["AAPL"])
    cursor = service.get("/v1/assets/crypto?limit=20").json["next_cursor"]
    for target in ("stocks?", "crypto?q=c&"):
        reply = service.get(f"/v1/assets/{target}cursor={cursor}")
        assert (reply.status, reply.json["code"]) == (404, "unknown_cursor")


def test_a_list_is_stale_once_it_is_older_than_its_ttl(cache):
    """A list that is older than ASSETS_TTL is served and marked stale."""
    service = Service(cache, ASSETS_TTL="3600")
    service.list_assets(CRYPTO, COINS, "v1", age_s=3600)
    assert service.get("/v1/assets/crypto?limit=1").json["stale"] is False
    service.now_ms += 5_000
    assert service.get("/v1/assets/crypto?limit=1").json["stale"] is True


def test_before_the_first_list_the_answer_is_pending(cache):
    """Before the first list the answer is `pending` with Retry-After."""
    reply = Service(cache).get("/v1/assets/forex")
    assert (reply.status, reply.json["code"]) == (503, "pending")
    assert reply.headers["retry-after"] == "5"


def test_an_unknown_class_is_not_a_route(cache):
    """An unknown asset class gets 404, and the detail names the three known ones."""
    reply = Service(cache).get("/v1/assets/bonds")
    assert (reply.status, reply.json["code"]) == (404, "no_such_route")
    assert "stocks, crypto, forex" in reply.json["detail"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=1001", "limit=x", "limit=", "limit=1&limit=2", "cursor=", "cursor=x",
        "q=", "q=%20", "q=%00", "q=" + "x" * 65, "offset=5", "Q=bit",
    ],
)  # fmt: skip
def test_nonsense_is_a_problem(cache, query):
    """A bad parameter gets 400 without a request to Redis."""
    reply = Service(cache).get(f"/v1/assets/crypto?{query}")
    assert reply.status == 400
    assert reply.headers["content-type"] == "application/problem+json"
    assert cache.round_trips == 0


def test_an_answer_within_a_slot_does_not_change(cache):
    """Two equal requests within a slot get equal bytes."""
    service = Service(cache)
    service.list_assets(CRYPTO, COINS)
    first = service.get("/v1/assets/crypto?limit=3")
    service.now_ms += 4_000
    assert service.get("/v1/assets/crypto?limit=3").body == first.body
