"""The fields of listed assets that all providers share."""

import pytest

from marketdata.domain.symbols import AssetClass
from marketdata.providers.coingecko import CoinGecko
from marketdata.providers.coinmarketcap import CoinMarketCap
from tests.support import provider_support as support


@pytest.mark.parametrize(
    ("text", "rank"),
    [("1", 1), ('"12"', 12), ("0", None), ("-1", None), ("1.5", None), ('"first"', None),
     ("true", None), ("null", None), ("1e30", None)],
)  # fmt: skip
def test_a_rank_that_is_no_place_is_unknown(text, rank):
    """A coin with the rank 0 or -1 does not come before the first one: it has no rank."""
    gecko = CoinGecko("https://api.coingecko.com/api/v3")
    body = f'[{{"id":"bitcoin","symbol":"btc","name":"B","market_cap_rank":{text}}}]'
    (coin,) = gecko.parse_assets(AssetClass.CRYPTO, [support.answer(body)])
    assert coin.rank == rank
    cmc = CoinMarketCap("https://pro-api.coinmarketcap.com", support.secret_key)
    body = f'{{"data":[{{"id":1,"symbol":"BTC","name":"B","rank":{text}}}]}}'
    (coin,) = cmc.parse_assets(AssetClass.CRYPTO, [support.answer(body)])
    assert coin.rank == rank
