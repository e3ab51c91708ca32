"""CoinGecko's recorded answers, read through its formats to exact values."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from marketdata.domain.assets import Listing
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.quotes import ChangeBasis, Quote, Source
from marketdata.domain.symbols import AssetClass
from marketdata.errors import BadPayloadError, RateLimitedError
from marketdata.providers.coingecko import CoinGecko
from marketdata.providers.contract import Parsed
from tests.support.provider_support import NOW, instrument

GECKO = CoinGecko("https://api.coingecko.com/api/v3")
BATCH = [
    instrument("BTC-USD", coingecko="bitcoin"),
    instrument("NOPE-USD", coingecko="nope"),
]

QUOTES = {
    "simple_price_oas_2026-05-18.json": Parsed(
        (
            Quote(
                symbol="BTC-USD",
                asset_class=AssetClass.CRYPTO,
                price=Decimal(76975),
                currency="USD",
                change=Decimal("-1100.34"),
                percent_change=Decimal("-1.409330"),
                change_basis=ChangeBasis.ROLLING_24H,
                source=Source.COINGECKO,
                timestamp=datetime(2026, 5, 18, 8, 17, 38, tzinfo=UTC),
                fetched_at=NOW,
                volume=Decimal("29096603418.89408"),
                market_cap=Decimal("1542226908349.8406"),
            ),
        ),
        (MissingQuote("NOPE-USD", Reason.NOT_FOUND, "coingecko: no quote for NOPE-USD"),),
    ),
    "error_404_coin_not_found_2026-07-16.json": Parsed(
        (),
        (
            MissingQuote("BTC-USD", Reason.NOT_FOUND, "coingecko: no quote for BTC-USD"),
            MissingQuote("NOPE-USD", Reason.NOT_FOUND, "coingecko: no quote for NOPE-USD"),
        ),
    ),
}
RATE_LIMIT = "error_429_rate_limit_2023-11-30.json"


def _coin(symbol, name, slug, rank):
    return Listing(symbol, name, Source.COINGECKO, slug, None, "USD", rank, slug)


LISTS = {
    "coins_markets_btc_eth_2026-07-28.json": (
        _coin("BTC-USD", "Bitcoin", "bitcoin", 1),
        _coin("ETH-USD", "Ethereum", "ethereum", 2),
    ),
    "coins_list_oas.json": (
        _coin("TRUMP-USD", "Official Trump", "official-trump", None),
        _coin("ONDO-USD", "Ondo", "ondo-finance", None),
    ),
}


def test_every_recorded_answer_is_replayed(payloads):
    """Each recorded answer of CoinGecko is read by a test of this file."""
    recorded = {path.name for path in (payloads / "coingecko").iterdir()}
    assert recorded == QUOTES.keys() | {RATE_LIMIT} | LISTS.keys()


@pytest.mark.parametrize("name", QUOTES)
def test_a_recorded_quote_is_read_exactly(replay, name):
    """A recorded quote is read with every digit and its time, and missing coins are named."""
    assert GECKO.build_request(BATCH).params["ids"] == "bitcoin,nope"
    assert GECKO.parse(BATCH, replay("coingecko", name), NOW) == QUOTES[name]


def test_the_recorded_limit_tells_its_end(replay):
    """The recorded 429 raises a rate limit of 60 s, as its header says."""
    with pytest.raises(RateLimitedError) as caught:
        GECKO.parse(BATCH, replay("coingecko", RATE_LIMIT), NOW)
    assert caught.value.retry_after_s == 60.0
    with pytest.raises(RateLimitedError):
        GECKO.parse_assets(AssetClass.CRYPTO, [replay("coingecko", RATE_LIMIT)])


@pytest.mark.parametrize("name", LISTS)
def test_a_recorded_list_is_read_exactly(replay, name):
    """Each row of a recorded list is read."""
    assert GECKO.parse_assets(AssetClass.CRYPTO, [replay("coingecko", name)]) == LISTS[name]


def test_pages_and_the_list_of_all_are_one_list(replay):
    """Ranked pages and the list of all coins are joined in their order."""
    responses = [replay("coingecko", name) for name in LISTS]
    listings = GECKO.parse_assets(AssetClass.CRYPTO, responses)
    assert listings == tuple(one for expected in LISTS.values() for one in expected)


def test_a_list_is_no_answer_to_a_quote(replay):
    """An array where an object belongs is a bad payload."""
    with pytest.raises(BadPayloadError):
        GECKO.parse(BATCH, replay("coingecko", "coins_list_oas.json"), NOW)
