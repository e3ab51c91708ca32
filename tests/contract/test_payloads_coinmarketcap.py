"""CoinMarketCap's recorded answers, read through its formats to exact values."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from marketdata.domain.assets import Listing
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.quotes import ChangeBasis, Quote, Source
from marketdata.domain.symbols import AssetClass
from marketdata.errors import RateLimitedError, UnauthorizedError
from marketdata.providers.coinmarketcap import CoinMarketCap
from marketdata.providers.contract import Parsed
from tests.support.provider_support import NOW, instrument, secret_key

CMC = CoinMarketCap("https://pro-api.coinmarketcap.com", secret_key)
BATCH = [
    instrument("BTC-USD", coinmarketcap="1"),
    instrument("ETH-USD", coinmarketcap="1027"),
]

QUOTES = {
    "v3_quotes_latest_BTC_2026-09-15_trimmed.json": Parsed(
        (
            Quote(
                symbol="BTC-USD",
                asset_class=AssetClass.CRYPTO,
                price=Decimal("76993.18239851118"),
                currency="USD",
                change=Decimal("-1955.11417468672"),
                percent_change=Decimal("-2.476449"),
                change_basis=ChangeBasis.ROLLING_24H,
                source=Source.COINMARKETCAP,
                timestamp=datetime(2026, 9, 15, 17, 53, 4, tzinfo=UTC),
                fetched_at=NOW,
                volume=Decimal("32996313380.69"),
                market_cap=Decimal("1546395749564.91"),
            ),
        ),
        (MissingQuote("ETH-USD", Reason.NOT_FOUND, "coinmarketcap: no quote for ETH-USD"),),
    ),
}
ERRORS = {
    "error_401_1001_key_invalid_docs.json": (UnauthorizedError, None),
    "error_401_1002_key_missing_2023-06-22.json": (UnauthorizedError, None),
    "error_429_1008_docs.json": (RateLimitedError, 60.0),
}


def _coin(symbol, name, number, rank):
    source = Source.COINMARKETCAP
    return Listing(symbol, name, source, number, None, "USD", rank, name.lower())


LISTS = {
    "map_web_data-api_2021-07-16.json": (
        AssetClass.CRYPTO,
        (_coin("BTC-USD", "Bitcoin", "1", 1), _coin("ETH-USD", "Ethereum", "1027", 2)),
    ),
    "v1_fiat_map_sample.json": (
        AssetClass.FOREX,
        (
            Listing("USD", "United States Dollar", Source.COINMARKETCAP, "2781"),
            Listing("CNY", "Chinese Yuan", Source.COINMARKETCAP, "2787"),
        ),
    ),
}


def test_every_recorded_answer_is_replayed(payloads):
    """Each recorded answer of CoinMarketCap is read by a test of this file."""
    recorded = {path.name for path in (payloads / "coinmarketcap").iterdir()}
    assert recorded == QUOTES.keys() | ERRORS.keys() | LISTS.keys()


@pytest.mark.parametrize("name", QUOTES)
def test_a_recorded_quote_is_read_exactly(replay, name):
    """A recorded quote is read with every digit and its time, and missing coins are named."""
    assert CMC.build_request(BATCH).params["id"] == "1,1027"
    assert CMC.parse(BATCH, replay("coinmarketcap", name), NOW) == QUOTES[name]


@pytest.mark.parametrize("name", ERRORS)
def test_a_recorded_error_has_its_own_outcome(replay, name):
    """Each recorded error raises its own error, for quotes and for lists."""
    kind, retry_after_s = ERRORS[name]
    response = replay("coinmarketcap", name)
    with pytest.raises(kind) as caught:
        CMC.parse(BATCH, response, NOW)
    assert getattr(caught.value, "retry_after_s", None) == retry_after_s
    with pytest.raises(kind):
        CMC.parse_assets(AssetClass.CRYPTO, [response])


@pytest.mark.parametrize("name", LISTS)
def test_a_recorded_list_is_read_exactly(replay, name):
    """Each row of a recorded list is read."""
    asset_class, expected = LISTS[name]
    assert CMC.parse_assets(asset_class, [replay("coinmarketcap", name)]) == expected
