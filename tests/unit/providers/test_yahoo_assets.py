"""Yahoo's list of stocks: which pages are requested, and how their rows are read."""

import pytest

from marketdata.domain.symbols import AssetClass
from marketdata.errors import BadPayloadError, RateLimitedError
from marketdata.providers.contract import Response
from marketdata.providers.yahoo import Yahoo
from tests.support.provider_support import answer

YAHOO = Yahoo()


def row(symbol: str, **fields: object) -> dict:
    """A row in dollars."""
    return {"symbol": symbol, "quoteType": "EQUITY", "currency": "USD"} | fields


def page(*quotes: dict) -> Response:
    """A page of the screener."""
    return answer({"finance": {"result": [{"quotes": quotes}], "error": None}})


def test_the_stock_list_is_four_pages_of_the_largest_us_companies():
    """The four pages of the stock list start at 0, 250, 500 and 750, by market capitalisation."""
    requests = YAHOO.build_asset_requests(AssetClass.STOCKS)
    assert [request.json["offset"] for request in requests] == [0, 250, 500, 750]
    assert {request.json["size"] for request in requests} == {250}
    assert {request.json["sortField"] for request in requests} == {"intradaymarketcap"}
    assert {(request.method, request.url) for request in requests} == {
        ("POST", "https://query1.finance.yahoo.com/v1/finance/screener")
    }


@pytest.mark.parametrize("asset_class", [AssetClass.CRYPTO, AssetClass.FOREX])
def test_other_classes_are_not_listed_by_yahoo(asset_class):
    """Yahoo lists no coins and no pairs, because its screener has companies only."""
    assert YAHOO.build_asset_requests(asset_class) == ()


def test_listings_are_ranked_by_their_place_over_all_pages():
    """A share that moved to the next page between two calls is counted once."""
    listings = YAHOO.parse_assets(
        AssetClass.STOCKS,
        [
            page(row("NVDA", longName="NVIDIA Corporation", fullExchangeName="NasdaqGS")),
            page(
                row("NVDA"),
                row("BRK-B", shortName=" Berkshire Hathaway ", longName=""),
                row("EURUSD=X"),
                row("ÄÖ"),
                row("X", currency="GBp", fullExchangeName=5),
                row("Y", currency=None),
            ),
        ],
    )
    assert [(item.symbol, item.rank, item.name, item.provider_id) for item in listings] == [
        ("NVDA", 1, "NVIDIA Corporation", "NVDA"),
        ("BRK.B", 2, "Berkshire Hathaway", "BRK-B"),
        ("X", 3, "X", "X"),
        ("Y", 4, "Y", "Y"),
    ]
    assert [(item.exchange, item.currency) for item in listings] == [
        ("NasdaqGS", "USD"),
        (None, "USD"),
        (None, "GBP"),
        (None, None),
    ]


@pytest.mark.parametrize(
    "body",
    [
        "<html></html>",
        "{}",
        '{"finance":null}',
        '{"finance":{"result":[],"error":null}}',
        '{"finance":{"result":[{"quotes":null}],"error":null}}',
        '{"finance":{"result":[{"quotes":[]}],"error":{"code":"x"}}}',
    ],
)
def test_a_page_that_is_no_list_is_a_bad_payload(body):
    """One bad page makes the list bad, as half a list must not replace a whole one."""
    with pytest.raises(BadPayloadError):
        YAHOO.parse_assets(AssetClass.STOCKS, [page(row("NVDA")), answer(body)])


def test_a_rate_limited_page_is_a_rate_limit():
    """A page of the list with status 429 is a RateLimitedError."""
    with pytest.raises(RateLimitedError):
        YAHOO.parse_assets(AssetClass.STOCKS, [answer("Too Many Requests", 429)])


def test_pages_without_any_share_are_a_bad_payload():
    """A list may end with an empty page, and a list without any share is a bad payload."""
    (listing,) = YAHOO.parse_assets(AssetClass.STOCKS, [page(row("NVDA")), page()])
    assert listing.symbol == "NVDA"
    with pytest.raises(BadPayloadError, match="yfinance: its list has no asset"):
        YAHOO.parse_assets(AssetClass.STOCKS, [page(), page(row("EURUSD=X"))])
