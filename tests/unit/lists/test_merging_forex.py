"""Merging lists of currencies and of pairs into one list of pairs."""

from __future__ import annotations

from marketdata.domain.assets import Listing
from marketdata.domain.quotes import Source
from marketdata.domain.shipped_tables import FOREX_PAIRS
from marketdata.domain.symbols import AssetClass
from marketdata.lists.merging import merge

FINNHUB, ALPHA, CMC = Source.FINNHUB, Source.ALPHA_VANTAGE, Source.COINMARKETCAP
SOURCES = (ALPHA, FINNHUB, CMC)


def forex(*rows):
    """The merged forex list by symbol."""
    return {asset.symbol: asset for asset in merge(AssetClass.FOREX, rows)}


def test_currencies_become_pairs_as_the_market_quotes_them():
    """EUR, GBP, AUD and NZD are priced in USD, and USD is priced in the others."""
    rows = [
        Listing(code, f"The {code}", ALPHA, code)
        for code in ("EUR", "GBP", "AUD", "NZD", "JPY", "CHF", "USD")
    ]
    pairs = forex(*rows)
    assert {"EUR/USD", "GBP/USD", "AUD/USD", "NZD/USD", "USD/JPY", "USD/CHF"} <= pairs.keys()
    assert "USD/USD" not in pairs
    assert pairs["USD/JPY"].currency == "JPY"
    assert pairs["EUR/USD"].ids == {"alpha_vantage": "EUR"}


def test_main_crosses_are_listed_where_both_currencies_are():
    """EUR/GBP is listed if a list has both currencies, and not if it has one."""
    both = forex(Listing("EUR", "Euro", ALPHA, "EUR"), Listing("GBP", "Pound", ALPHA, "GBP"))
    assert both["EUR/GBP"].ids == {"alpha_vantage": "EUR/GBP"}
    assert "EUR/GBP" not in forex(Listing("EUR", "Euro", ALPHA, "EUR"))


def test_the_ids_of_a_main_cross_have_one_order():
    """The sources of a pair come in their order of precedence, the same in every process."""
    rows = [Listing(code, code, source, code) for code in ("EUR", "GBP") for source in SOURCES]
    assert list(forex(*rows)["EUR/GBP"].ids) == list(SOURCES)


def test_codes_that_are_no_currency_are_left_out():
    """Coins and made-up codes in a list of currencies yield no pair."""
    rows = [Listing(code, "x", CMC, code) for code in ("BTC", "XYZ", "EURO", "SEK")]
    assert list(forex(*rows)) == ["USD/SEK"]


def test_currencies_that_no_provider_prices_are_left_out():
    """Withdrawn codes, and codes of bonds and funds, can be asked for but are not listed."""
    rows = [Listing(code, "x", ALPHA, code) for code in ("ANG", "ZWL", "XSU", "BOV", "SEK")]
    rows.append(Listing("HRK/EUR", "x", FINNHUB, "OANDA:HRK_EUR"))
    assert list(forex(*rows)) == ["USD/SEK"]


def test_the_yuan_outside_china_is_listed():
    """CNH, the yuan outside China, is listed as a currency."""
    assert list(forex(Listing("CNH", "Offshore Yuan", ALPHA, "CNH"))) == ["USD/CNH"]


def test_listed_pairs_stay_as_they_are():
    """A pair of Finnhub keeps its direction, and one that is no pair of currencies is left out."""
    pairs = forex(
        Listing("JPY/SEK", "Oanda JPY/SEK", FINNHUB, "OANDA:JPY_SEK"),
        Listing("SPX500/USD", "S&P 500", FINNHUB, "OANDA:SPX500_USD"),
        Listing("EUR/USD", "Oanda EUR/USD", FINNHUB, "OANDA:EUR_USD"),
    )
    assert set(pairs) == {"JPY/SEK", "EUR/USD"}
    assert pairs["JPY/SEK"].ids == {"finnhub": "OANDA:JPY_SEK"}
    assert pairs["JPY/SEK"].name == "Japanese Yen / Swedish Krona"


def test_all_lists_of_a_pair_add_their_ids():
    """A pair of Finnhub and its currency in two other lists are one asset with all ids."""
    pairs = forex(
        Listing("EUR/USD", "Oanda EUR/USD", FINNHUB, "OANDA:EUR_USD"),
        Listing("EUR", "Euro", CMC, "2790"),
        Listing("EUR", "Euro", ALPHA, "EUR"),
    )
    assert pairs["EUR/USD"].ids == {
        "alpha_vantage": "EUR", "coinmarketcap": "2790", "finnhub": "OANDA:EUR_USD",
    }  # fmt: skip


def test_main_pairs_come_first():
    """Pairs of the shipped table are ranked by turnover, all others follow by symbol."""
    rows = [Listing(code, code, ALPHA, code) for code in ("ZMW", "AED", "JPY", "EUR")]
    assets = merge(AssetClass.FOREX, rows)
    assert [a.symbol for a in assets] == ["EUR/USD", "USD/JPY", "EUR/JPY", "USD/AED", "USD/ZMW"]
    assert [a.rank for a in assets][3:] == [None, None]


def test_an_unknown_currency_is_named_by_its_list():
    """A currency that the table does not have is named as in its list."""
    pairs = forex(Listing("AED", "United Arab Emirates Dirham", ALPHA, "AED"))
    assert pairs["USD/AED"].name == "US Dollar / United Arab Emirates Dirham"


def test_without_any_list_the_main_pairs_are_the_list():
    """Without any list forex has the shipped pairs, in order, and the other classes are empty."""
    assets = merge(AssetClass.FOREX, [])
    assert [a.symbol for a in assets] == list(FOREX_PAIRS)
    assert assets[0].name == "Euro / US Dollar"
    assert merge(AssetClass.STOCKS, []) == merge(AssetClass.CRYPTO, []) == ()
