"""The ids of the main coins and the main forex pairs, as part of the program.

They are used until the first asset list is loaded. A shipped coin keeps its ticker in every list.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from marketdata.domain.quotes import Source
from marketdata.domain.top_coins import TOP_COINS


def _pairs(table: str) -> Mapping[str, str]:
    rows = (line.strip().split(maxsplit=1) for line in table.split("\n") if line.strip())
    return MappingProxyType(dict(rows))


# Each source's id of the coins that are traded most, by ticker.
COINS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        ticker: MappingProxyType(
            {Source.COINGECKO.value: coin_id, Source.COINMARKETCAP.value: number}
        )
        for ticker, coin_id, number in TOP_COINS
    }
)

# In the order of how much is traded of each pair.
FOREX_PAIRS = _pairs(
    """
    EUR/USD  Euro / US Dollar
    USD/JPY  US Dollar / Japanese Yen
    GBP/USD  British Pound / US Dollar
    USD/CNY  US Dollar / Chinese Yuan
    USD/CHF  US Dollar / Swiss Franc
    USD/CAD  US Dollar / Canadian Dollar
    AUD/USD  Australian Dollar / US Dollar
    USD/HKD  US Dollar / Hong Kong Dollar
    USD/SGD  US Dollar / Singapore Dollar
    USD/INR  US Dollar / Indian Rupee
    USD/KRW  US Dollar / South Korean Won
    EUR/GBP  Euro / British Pound
    USD/MXN  US Dollar / Mexican Peso
    EUR/JPY  Euro / Japanese Yen
    NZD/USD  New Zealand Dollar / US Dollar
    USD/TWD  US Dollar / New Taiwan Dollar
    USD/SEK  US Dollar / Swedish Krona
    USD/NOK  US Dollar / Norwegian Krone
    USD/BRL  US Dollar / Brazilian Real
    USD/ZAR  US Dollar / South African Rand
    EUR/CHF  Euro / Swiss Franc
    USD/PLN  US Dollar / Polish Zloty
    USD/TRY  US Dollar / Turkish Lira
    USD/DKK  US Dollar / Danish Krone
    USD/THB  US Dollar / Thai Baht
    USD/ILS  US Dollar / Israeli New Shekel
    AUD/JPY  Australian Dollar / Japanese Yen
    GBP/JPY  British Pound / Japanese Yen
    USD/HUF  US Dollar / Hungarian Forint
    USD/CZK  US Dollar / Czech Koruna
    EUR/AUD  Euro / Australian Dollar
    EUR/CAD  Euro / Canadian Dollar
    """
)


_TICKERS = {coin_id: ticker for ticker, coin_id, _ in TOP_COINS}


def coin_ids(base: str, listed: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """Return the ids by which providers know a coin: those of the list, completed from the table.

    `base` is a ticker, or `@` and CoinGecko's id, which needs no list. `listed`: source to id as
    the asset list has it, None if it has no such coin. The table completes the list only if both
    are about the same coin, that is, if they share an id and disagree on none. The result is empty
    for a coin that neither knows.
    """
    if base.startswith("@"):
        coin_id = base[1:]
        shipped = COINS.get(_TICKERS.get(coin_id, ""), {Source.COINGECKO.value: coin_id})
    else:
        shipped = COINS.get(base, {})
    if not listed:
        return shipped
    shared = listed.keys() & shipped.keys()
    if shared and all(listed[source] == shipped[source] for source in shared):
        return {**shipped, **listed}
    return shipped if base.startswith("@") else listed
