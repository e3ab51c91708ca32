"""The ticker, CoinGecko's id and CoinMarketCap's number of the coins that are traded most.

Several coins can have the same ticker, so the ids say which coin is meant. Imports nothing.
"""

from __future__ import annotations

_TABLE = """
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

TOP_COINS: tuple[tuple[str, str, str], ...] = tuple(
    (ticker, coin_id, number)
    for ticker, coin_id, number in (line.split() for line in _TABLE.strip().splitlines())
)
TICKERS = frozenset(ticker for ticker, _, _ in TOP_COINS)
