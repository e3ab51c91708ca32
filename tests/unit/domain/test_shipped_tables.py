"""The shipped tables are well formed, and the refreshed list comes before them."""

from __future__ import annotations

from marketdata.domain.shipped_tables import COINS, FOREX_PAIRS, coin_ids
from marketdata.domain.symbols import AssetClass, parse_symbol
from marketdata.settings import DEFAULT_ACTIVE_SYMBOLS


def test_shipped_coins_are_canonical():
    """Every shipped ticker is a crypto base, with a slug and a number that no other coin has."""
    assert len(COINS) >= 40
    for base, ids in COINS.items():
        assert parse_symbol(f"{base}-USD").text == f"{base}-USD"
        assert parse_symbol(f"{base}-USD").asset_class is AssetClass.CRYPTO
        assert ids.keys() == {"coingecko", "coinmarketcap"}
        assert ids["coinmarketcap"].isdecimal()
    for source in ("coingecko", "coinmarketcap"):
        assert len({ids[source] for ids in COINS.values()}) == len(COINS)


def test_slugs_that_are_not_the_name_of_the_coin():
    """XRP is ripple, BNB is binancecoin and AVAX is avalanche-2 at CoinGecko."""
    assert COINS["XRP"] == {"coingecko": "ripple", "coinmarketcap": "52"}
    assert COINS["BNB"]["coingecko"] == "binancecoin"
    assert COINS["AVAX"]["coingecko"] == "avalanche-2"


def test_shipped_pairs_are_canonical():
    """Every shipped pair is forex in its canonical spelling, with both names."""
    assert len(FOREX_PAIRS) >= 30
    assert list(FOREX_PAIRS)[:3] == ["EUR/USD", "USD/JPY", "GBP/USD"]
    for pair, name in FOREX_PAIRS.items():
        assert parse_symbol(pair).text == pair
        assert parse_symbol(pair).asset_class is AssetClass.FOREX
        assert len(name.split(" / ")) == 2


def test_default_coins_can_be_priced_before_the_first_refresh():
    """Each coin that is active by default has its ids in the table."""
    symbols = [parse_symbol(text) for text in DEFAULT_ACTIVE_SYMBOLS.split(",")]
    coins = {symbol.base for symbol in symbols if symbol.asset_class is AssetClass.CRYPTO}
    assert coins <= COINS.keys()


def test_without_a_list_the_table_serves():
    """Without a list, a coin of the table has its ids, and any other coin has none."""
    assert coin_ids("ETH") == {"coingecko": "ethereum", "coinmarketcap": "1027"}
    assert coin_ids("NOSUCHCOIN") == {}


def test_the_table_completes_the_same_coin():
    """An id that the list lacks comes from the table, if both are about the same coin."""
    assert coin_ids("BTC", {"coingecko": "bitcoin"}) == COINS["BTC"]


def test_the_table_never_mixes_two_coins():
    """If the list has another coin by a ticker, no id of the table is added to that coin."""
    assert coin_ids("BTC", {"coingecko": "other"}) == {"coingecko": "other"}
    assert coin_ids("ABC", {"coinmarketcap": "7"}) == {"coinmarketcap": "7"}


def test_a_coin_by_its_id_needs_no_list():
    """A coin's id is in its symbol, and the table adds the number of a shipped coin."""
    assert coin_ids("@mantle") == {"coingecko": "mantle"}
    assert coin_ids("@bitcoin") == COINS["BTC"]


def test_a_list_completes_a_coin_by_its_id():
    """For a coin given by its id the list adds the other id, if it is about that coin."""
    listed = {"coingecko": "mantle", "coinmarketcap": "27075"}
    assert coin_ids("@mantle", listed) == listed
    assert coin_ids("@mantle", {"coingecko": "other"}) == {"coingecko": "mantle"}
