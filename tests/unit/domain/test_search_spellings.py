"""Every spelling that the quote routes accept finds the same asset in the search."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from marketdata.domain.assets import Asset
from marketdata.domain.dialects import finnhub_spelling, yahoo_spelling
from marketdata.domain.search_index import Index, build
from marketdata.domain.shipped_tables import COINS, FOREX_PAIRS
from marketdata.domain.suggestions import suggestions
from marketdata.domain.symbols import AssetClass, Symbol, parse_symbol, symbol_or_none
from tests.support.alpha_vantage_list import alpha_vantage_spelling

# In order of rank: of two symbols that differ only in punctuation the better ranked is first.
STOCKS = [
    "AAPL", "T", "BFB", "BF.B", "BRK.B", "AIIAU", "AIIA.U", "AIIA.RT", "ACHR.WS", "BAC", "BAC.PR.L",
    "TTO", "T.TO", "CLF", "CL=F", "GSPC", "^GSPC", "OCDO.L", "BT.A.L", "RCI.B.TO", "REI.UN.TO",
    "ALA.PR.A.TO", "M&M.NS", "MKC-V", "X.WI", "7203.T", "EURN", "USDU", "BTCS",
]  # fmt: skip
COIN_IDS = {
    **{ticker: ids["coingecko"] for ticker, ids in COINS.items()},
    "WBTC": "wrapped-bitcoin",
}
COINS_LISTED = [f"{ticker}-USD" for ticker in COIN_IDS] + ["@mantle-USD"]
LISTED = [*STOCKS, *COINS_LISTED, *FOREX_PAIRS]


def asset(symbol: Symbol) -> Asset:
    """One row of a list, with the coin's id."""
    coin_id = symbol.coin_id or COIN_IDS.get(symbol.base, "")
    return Asset(symbol.text, symbol.asset_class, "", None, None, None, {"coingecko": coin_id})


@pytest.fixture(scope="module")
def search() -> Callable[[str], list[str]]:
    """A search over the lists of all classes, the best tier first."""
    assets: dict[AssetClass, list[Asset]] = {one: [] for one in AssetClass}
    for symbol in map(parse_symbol, LISTED):
        assets[symbol.asset_class].append(asset(symbol))
    indexes = {one: Index(build(listed)) for one, listed in assets.items()}

    def found(query: str) -> list[str]:
        by_class = {one: index.tiers(query) for one, index in indexes.items()}
        tiers = zip(*by_class.values(), strict=True)
        places = [
            (tier, place, one)
            for tier, lists in enumerate(tiers)
            for one, some in zip(by_class, lists, strict=True)
            for place in some
        ]
        return [assets[one][place].symbol for _, place, one in sorted(places)]

    return found


def of_a_stock(symbol: Symbol) -> Iterator[str]:
    """Spellings of a stock: those of the providers, and those that people write."""
    yield from (yahoo_spelling(symbol), finnhub_spelling(symbol), alpha_vantage_spelling(symbol))
    yield from (f"NYSE:{symbol.text}", f"${symbol.text}", symbol.text)
    if symbol.paper and not symbol.exchange:
        yield symbol.text.replace(".", "/")


def of_a_pair(symbol: Symbol) -> Iterator[str]:
    """Spellings of a pair: with every separator, and with stable coins in place of USD."""
    base = symbol.base
    for quote in (symbol.quote, "USDT", "USDC") if symbol.quote == "USD" else (symbol.quote,):
        if base != quote:
            yield from (f"{base}{separator}{quote}" for separator in ("-", "/", " / "))
            if not symbol.coin_id:
                yield from (f"{base}{separator}{quote}" for separator in ("", "_", ":", " "))
    if not symbol.coin_id:
        yield from (f"{base}{symbol.quote}=X", f"OANDA:{base}_{symbol.quote}")
    if symbol.asset_class is AssetClass.CRYPTO:
        yield from (f"{base}-EUR", f"{base.lower()}/gbp")


def fullwidth(text: str) -> str:
    """The same text as East Asian keyboards write it."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


@pytest.mark.parametrize("listed", LISTED)
def test_a_spelling_finds_what_a_quote_is_of(search, listed):
    """Each spelling finds the symbol that the quote route reads or suggests for that spelling."""
    symbol = parse_symbol(listed)
    spellings = of_a_stock if symbol.asset_class is AssetClass.STOCKS else of_a_pair
    for spelling in spellings(symbol):
        for text in (spelling, spelling.lower(), f"  {spelling} ", fullwidth(spelling)):
            found = search(text)
            assert found[:1] == [listed], text
            own = symbol_or_none(text)
            meant = own.text if own else next(iter(suggestions(text)), listed)
            assert meant == listed or meant not in LISTED, text


@pytest.mark.parametrize(
    ("query", "symbol"),
    [
        ("btc/usdt", "BTC-USD"),
        ("BTCUSD", "BTC-USD"),
        ("BINANCE:ETHUSDT", "ETH-USD"),
        ("brk/b", "BRK.B"),
        ("USDEUR=X", "EUR/USD"),
        ("usd/eur", "EUR/USD"),
        ("JPY=X", "USD/JPY"),
        ("EUR%2FUSD", "EUR/USD"),
        ("EUR/USX", "EUR/USD"),
    ],
)
def test_a_pair_is_found_in_both_directions_and_with_a_slip(search, query, symbol):
    """A pair is found by its inverse, with a stable coin for USD, and with one slip."""
    assert search(query)[0] == symbol
