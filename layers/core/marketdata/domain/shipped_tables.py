"""The two small tables that ship with the program, for the time before any list was loaded.

They hold what everybody trades; the refreshed asset lists hold the rest and come first.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from marketdata.domain.quotes import Source


def _coins(table: str) -> Mapping[str, Mapping[str, str]]:
    rows = (line.split() for line in table.split("\n") if line.strip())
    return MappingProxyType(
        {
            base: MappingProxyType(
                {Source.COINGECKO.value: slug, Source.COINMARKETCAP.value: number}
            )
            for base, slug, number in rows
        }
    )


def _pairs(table: str) -> Mapping[str, str]:
    rows = (line.strip().split(maxsplit=1) for line in table.split("\n") if line.strip())
    return MappingProxyType(dict(rows))


# Ticker, CoinGecko's slug, CoinMarketCap's number; a ticker alone names no coin, the ids do.
COINS = _coins(
    """
    BTC   bitcoin                  1
    ETH   ethereum                 1027
    USDT  tether                   825
    XRP   ripple                   52
    BNB   binancecoin              1839
    SOL   solana                   5426
    USDC  usd-coin                 3408
    TRX   tron                     1958
    DOGE  dogecoin                 74
    ADA   cardano                  2010
    HYPE  hyperliquid              32196
    BCH   bitcoin-cash             1831
    LINK  chainlink                1975
    LEO   leo-token                3957
    XLM   stellar                  512
    XMR   monero                   328
    ZEC   zcash                    1437
    LTC   litecoin                 2
    SUI   sui                      20947
    AVAX  avalanche-2              5805
    HBAR  hedera-hashgraph         4642
    SHIB  shiba-inu                5994
    DAI   dai                      4943
    TON   the-open-network         11419
    CRO   crypto-com-chain         3635
    DOT   polkadot                 6636
    UNI   uniswap                  7083
    TAO   bittensor                22974
    AAVE  aave                     7278
    NEAR  near                     6535
    ETC   ethereum-classic         1321
    ICP   internet-computer        8916
    PEPE  pepe                     24478
    OKB   okb                      3897
    ONDO  ondo-finance             21159
    ENA   ethena                   30171
    APT   aptos                    21794
    POL   polygon-ecosystem-token  28321
    ALGO  algorand                 4030
    ATOM  cosmos                   3794
    VET   vechain                  3077
    FIL   filecoin                 2280
    ARB   arbitrum                 11841
    """
)

# In the order of their turnover in the world's markets.
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


def coin_ids(base: str, listed: Mapping[str, str] | None = None) -> Mapping[str, str]:
    """The ids by which providers know a coin: those of the list, completed from the table.

    `listed`: source to id as the asset list has it, None where it has no such coin. The table
    completes it only where it is about the same coin, that is, where they share an id and
    disagree on none. Empty for a coin that neither knows.
    """
    shipped = COINS.get(base, {})
    if not listed:
        return shipped
    shared = listed.keys() & shipped.keys()
    if shared and all(listed[source] == shipped[source] for source in shared):
        return {**shipped, **listed}
    return listed
