"""The providers: which classes each prices, in which order they are asked, and the sizes of calls.

Planning and fetching share these facts. The formats of the providers are in `providers`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass, Symbol, parse_symbol

CHAINS: Mapping[AssetClass, tuple[Source, ...]] = MappingProxyType(
    {
        AssetClass.STOCKS: (Source.YFINANCE, Source.FINNHUB),
        AssetClass.CRYPTO: (Source.COINGECKO, Source.COINMARKETCAP),
        AssetClass.FOREX: (Source.ALPHA_VANTAGE, Source.YFINANCE),
    }
)

# The currencies and coins that CoinGecko quotes prices in. Any other code makes CoinGecko reject
# the whole batch, so no other code is sent.
COINGECKO_CURRENCIES = frozenset(
    """
    USD AED ARS AUD BDT BHD BMD BRL CAD CHF CLP CNY CZK DKK EUR GBP GEL HKD HUF IDR ILS INR JPY KRW
    KWD LKR MMK MXN MYR NGN NOK NZD PHP PKR PLN RUB SAR SEK SGD THB TRY TWD UAH VND XAG XAU XDR ZAR
    BTC ETH
    """.split()
)


@dataclass(frozen=True, slots=True)
class ProviderFacts:
    """Facts about a provider that planning and fetching need.

    `batch_size`: most instruments in one quote call. `needs_key`: whether the provider is left out
    if there is no key. `free_limits`: the limits of the free tier, in the notation of
    `budget.parse_limits`. `free_update_s`: how often prices change in the free tier; it applies
    while the limits are those of the free tier. `asset_calls`: how many calls list a class.
    `free_lists`: classes whose lists need no key and count against no limit. `attribution`: the
    text that the provider asks its users to show. `extra_calls`: how many HTTP requests a job may
    need at most besides one for each of its calls.
    """

    source: Source
    batch_size: int
    needs_key: bool
    free_limits: str
    free_update_s: int
    asset_calls: Mapping[AssetClass, int]
    attribution: str
    free_lists: frozenset[AssetClass] = frozenset()
    extra_calls: int = 0


FACTS: Mapping[Source, ProviderFacts] = MappingProxyType(
    {
        facts.source: facts
        for facts in (
            ProviderFacts(
                source=Source.YFINANCE,
                batch_size=100,
                needs_key=False,
                free_limits="60/minute",
                free_update_s=5,
                asset_calls={AssetClass.STOCKS: 4},
                attribution="Data from Yahoo Finance",
                extra_calls=4,  # one or three requests for a cookie, and one for a crumb
            ),
            ProviderFacts(
                source=Source.FINNHUB,
                batch_size=1,
                needs_key=True,
                free_limits="60/minute,30/second",
                free_update_s=5,
                asset_calls={AssetClass.STOCKS: 1, AssetClass.FOREX: 1},
                attribution="Data from Finnhub",
            ),
            ProviderFacts(
                source=Source.COINGECKO,
                batch_size=250,
                needs_key=False,
                free_limits="30/minute,10000/month",
                free_update_s=60,
                asset_calls={AssetClass.CRYPTO: 5},
                attribution="Data provided by CoinGecko",
            ),
            ProviderFacts(
                source=Source.COINMARKETCAP,
                batch_size=250,
                needs_key=True,
                free_limits="30/minute,10000/month",
                free_update_s=60,
                asset_calls={AssetClass.CRYPTO: 2, AssetClass.FOREX: 1},
                attribution="Data provided by CoinMarketCap",
            ),
            ProviderFacts(
                source=Source.ALPHA_VANTAGE,
                batch_size=1,
                needs_key=True,
                free_limits="25/day,1/second",
                free_update_s=60,
                asset_calls={AssetClass.STOCKS: 1, AssetClass.FOREX: 1},
                attribution="Data from Alpha Vantage",
                free_lists=frozenset((AssetClass.FOREX,)),
            ),
        )
    }
)


# A symbol travels between the steps as its text.
SymbolField = Annotated[
    Symbol,
    BeforeValidator(lambda value: parse_symbol(value) if isinstance(value, str) else value),
    PlainSerializer(str, return_type=str),
]


@dataclass(frozen=True, slots=True)
class Instrument:
    """One symbol to be priced, with the ids that providers know it by.

    `ids`: the id at each source whose id does not follow from the symbol (CoinGecko's slug,
    CoinMarketCap's number).
    """

    symbol: SymbolField
    ids: Annotated[Mapping[str, str], PlainSerializer(dict, return_type=dict[str, str])] = field(
        default_factory=dict
    )

    @property
    def asset_class(self) -> AssetClass:
        """The class of its symbol."""
        return self.symbol.asset_class


def serves(source: Source, instrument: Instrument) -> bool:
    """Return whether a provider can be asked for an instrument at all."""
    if source is Source.FINNHUB:  # shares of US listings only, on the plans that we know
        symbol = instrument.symbol
        return not symbol.exchange and not any(mark in symbol.text for mark in "^=")
    if source is Source.COINGECKO:
        return source.value in instrument.ids and instrument.symbol.quote in COINGECKO_CURRENCIES
    if source is Source.COINMARKETCAP:
        return source.value in instrument.ids
    return True


def batches(source: Source, instruments: Sequence[Instrument]) -> list[tuple[Instrument, ...]]:
    """Return the instruments in groups of one call each, without those that are not served.

    CoinMarketCap's free plan converts to one currency a call, so its groups have one quote
    currency each.
    """
    groups: dict[str, list[Instrument]] = {}
    for instrument in instruments:
        if serves(source, instrument):
            by = instrument.symbol.quote if source is Source.COINMARKETCAP else ""
            groups.setdefault(by, []).append(instrument)
    size = FACTS[source].batch_size
    return [
        tuple(group[start : start + size])
        for group in groups.values()
        for start in range(0, len(group), size)
    ]
