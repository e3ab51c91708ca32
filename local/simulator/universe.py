"""The assets of the simulated market, the same for every seed.

A few dozen names are real, the others are invented. The difficult cases of the real lists are here,
too: coins that share a ticker, coins whose ticker is a currency code, rows without a price, rows
whose last trade is years old.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice, product

from local.simulator import dialects, listed_names
from local.simulator.trading_hours import Hours

STOCK_COUNT = 2_500
COIN_COUNT = 1_500
ZOMBIE_MS = 1_644_019_200_000  # 2022-02-05, the last trade of an asset that is not traded any more

_CONSONANTS, _VOWELS = "BDLMNPRSTVZ", "AIOU"
_TRADES = ("Holdings", "Energy", "Therapeutics", "Semiconductor", "Bancorp", "Foods", "Systems")
_UNRANKED_COINS = 200
EQUITY, INDEX, FUTURE = "EQUITY", "INDEX", "FUTURE"


@dataclass(frozen=True, slots=True)
class Stock:
    """One share, other security, index or future.

    `symbol` is canonical (`BRK.B`), `yahoo` and `alpha_vantage` are the spellings of these two
    providers. `price` is where the process starts, in `currency`. `value` is the market value in
    billions of dollars. `quote_type` is Yahoo's. `group` is the group of securities that it moves
    with, and `share` its part of their common movement. `swing` multiplies the volatility of its
    own movement. `dead`: Yahoo's row for it has no price. `frozen_ms`: the time of the last trade,
    if that is long ago.
    """

    symbol: str
    yahoo: str
    alpha_vantage: str
    name: str
    exchange: str
    currency: str
    price: float
    value: float
    hours: Hours = Hours.US
    quote_type: str = EQUITY
    group: str = "us shares"
    share: float = 1.0
    swing: float = 1.0
    dead: bool = False
    frozen_ms: int | None = None

    @property
    def is_us_equity(self) -> bool:
        """Return whether it is a security of an American exchange."""
        return self.hours is Hours.US and self.quote_type == EQUITY


@dataclass(frozen=True, slots=True)
class Coin:
    """One coin. `price` is where its process starts, in dollars. `rank` None: not ranked.

    `label` is the base of its canonical symbol: the ticker for the first coin of that ticker, if
    the ticker is no currency code, else `@` and the slug. `blank`: listed, but without a price.
    """

    ticker: str
    slug: str
    cmc_id: int
    name: str
    price: float
    rank: int | None
    label: str
    swing: float = 1.0
    active: bool = True
    blank: bool = False
    frozen_ms: int | None = None

    @property
    def supply(self) -> float:
        """Return the number of coins, chosen so that market values have the order of the ranks."""
        size: float = (self.rank or 100_000) ** 1.5
        return 2e12 / size / self.price

    @property
    def yahoo_base(self) -> str:
        """Return Yahoo's name. If another coin has the ticker, the name has a number."""
        return self.ticker if self.label == self.ticker else f"{self.ticker}{self.cmc_id}"


@dataclass(frozen=True, slots=True)
class Currency:
    """One currency. `price` is its value in dollars."""

    code: str
    name: str
    sign: str
    cmc_id: int
    price: float


@dataclass(frozen=True, slots=True)
class Universe:
    """All traded assets, in the order of market value, with indexes to find one.

    `stocks` is by canonical symbol, `coins` by slug. `by_label`, `by_cmc_id` and `by_yahoo_base`
    find the same coins. `currencies` is by code. `pairs` are those that brokers list.
    """

    stocks: Mapping[str, Stock]
    by_yahoo: Mapping[str, Stock]
    by_finnhub: Mapping[str, Stock]
    by_alpha_vantage: Mapping[str, Stock]
    coins: Mapping[str, Coin]
    by_label: Mapping[str, Coin]
    by_cmc_id: Mapping[int, Coin]
    by_yahoo_base: Mapping[str, Coin]
    currencies: Mapping[str, Currency]
    pairs: tuple[str, ...]

    @classmethod
    @cache
    def build(cls) -> Universe:
        """Return the one universe."""
        stocks = sorted(_stocks(), key=lambda stock: -stock.value)
        currencies = {currency.code: currency for currency in _currencies()}
        coins = list(_coins(currencies))
        american = [stock for stock in stocks if stock.is_us_equity]
        return cls(
            stocks={stock.symbol: stock for stock in stocks},
            by_yahoo={stock.yahoo: stock for stock in stocks},
            by_finnhub={dialects.finnhub_quote(stock.symbol): stock for stock in american},
            by_alpha_vantage={stock.alpha_vantage: stock for stock in american},
            coins={coin.slug: coin for coin in coins},
            by_label={coin.label: coin for coin in coins},
            by_cmc_id={coin.cmc_id: coin for coin in coins},
            by_yahoo_base={coin.yahoo_base: coin for coin in coins},
            currencies=currencies,
            pairs=tuple(listed_names.PAIRS.split()),
        )


def _rows(table: str) -> Iterator[list[str]]:
    return (line.split("|") for line in table.strip().splitlines())


def _made_up_names(seed: str, lengths: tuple[int, ...]) -> Iterator[str]:
    """Yield pronounceable names, each once, in an order that depends only on `seed`."""
    shuffle = random.Random(seed)
    for length in lengths:
        sides = [_VOWELS if place % 2 else _CONSONANTS for place in range(length)]
        names = ["".join(letters) for letters in product(*sides)]
        shuffle.shuffle(names)
        yield from names


def _american(
    symbol: str,
    name: str,
    exchange: str,
    price: float,
    value: float,
    *,
    share: float = 1.0,
    swing: float = 1.0,
    dead: bool = False,
    frozen_ms: int | None = None,
) -> Stock:
    spellings = dialects.yahoo(symbol), dialects.alpha_vantage(symbol)
    return Stock(
        symbol, *spellings, name, exchange, "USD", price, value,
        share=share, swing=swing, dead=dead, frozen_ms=frozen_ms,
    )  # fmt: skip


def _stocks() -> Iterator[Stock]:
    named = [*_named_us_securities(), *_foreign_shares(), *_indices(), *_futures()]
    yield from named
    taken = {stock.symbol for stock in named}
    shape = random.Random("stocks")
    fresh = (name for name in _made_up_names("tickers", (4, 5)) if name not in taken)
    for place, word in enumerate(islice(fresh, STOCK_COUNT - len(named))):
        price = round(10 ** shape.uniform(0.4, 2.4), 2)
        name = f"{word.capitalize()} {shape.choice(_TRADES)} Inc."
        exchange = shape.choice(("NMS", "NYQ", "NGM", "ASE"))
        value = round(90 / (1 + place / 20), 3)
        swing, share = shape.uniform(0.8, 2), shape.uniform(0.5, 1.5)
        yield _american(word, name, exchange, price, value, share=share, swing=swing)


def _named_us_securities() -> Iterator[Stock]:
    shape = random.Random("named stocks")
    for symbol, name, exchange, price, value in _rows(listed_names.STOCKS):
        swing, share = shape.uniform(0.7, 1.3), shape.uniform(0.6, 1.4)
        yield _american(
            symbol, name, exchange, float(price), float(value), share=share, swing=swing
        )
    for symbol, name, exchange, price, value, swing_text in _rows(listed_names.OTHER_US_SECURITIES):
        swing = float(swing_text)
        yield _american(
            symbol, name, exchange, float(price), float(value), share=min(1.0, swing), swing=swing
        )
    yield _american("ADH", "Adairs Limited", "NYQ", 1.5, 0.1, dead=True)
    yield _american("BRKS", "", "NMS", 40.0, 0.1, dead=True)
    yield _american("ZMBI", "Zombie Corp", "NMS", 12.5, 0.2, frozen_ms=ZOMBIE_MS)


def _foreign_shares() -> Iterator[Stock]:
    for symbol, yahoo, name, exchange, currency, price, value, hours in _rows(
        listed_names.OTHER_SHARES
    ):
        yield Stock(
            symbol, yahoo, yahoo, name, exchange, currency, float(price), float(value),
            hours=Hours(hours), group=f"{hours} shares",
        )  # fmt: skip


def _indices() -> Iterator[Stock]:
    for symbol, name, currency, price, hours, group, share, swing in _rows(listed_names.INDICES):
        yield Stock(
            symbol, symbol, symbol, name, "SNP", currency, float(price), 0.0,
            hours=Hours(hours), quote_type=INDEX, group=group,
            share=float(share), swing=float(swing),
        )  # fmt: skip


def _futures() -> Iterator[Stock]:
    for symbol, name, currency, price, group, share, swing in _rows(listed_names.FUTURES):
        yield Stock(
            symbol, symbol, symbol, name, "CMX", currency, float(price), 0.0,
            hours=Hours.FUTURES, quote_type=FUTURE, group=group,
            share=float(share), swing=float(swing),
        )  # fmt: skip


def _coins(currencies: Mapping[str, Currency]) -> Iterator[Coin]:
    known = list(_rows(listed_names.COINS))
    labels = set(currencies)
    for rank, (ticker, slug, cmc_id, name, start, swing) in enumerate(known, start=1):
        label = f"@{slug}" if ticker in labels else ticker
        labels.add(ticker)
        yield Coin(ticker, slug, int(cmc_id), name, float(start), rank, label, float(swing))
    traps = _trap_coins()
    yield from traps
    taken = labels | {coin.ticker for coin in traps}
    shape = random.Random("coins")
    fresh = (name for name in _made_up_names("coins", (4, 3, 5)) if name not in taken)
    count = COIN_COUNT - len(known) - len(traps)
    for rank, word in enumerate(islice(fresh, count), start=len(known) + 1):
        slug, name = f"{word.lower()}-network", f"{word.capitalize()} Network"
        price = float(f"{10 ** shape.uniform(-7, 2):.6g}")
        # the end of the list is unranked, as in the real lists
        place = rank if rank <= COIN_COUNT - _UNRANKED_COINS else None
        yield Coin(word, slug, 40_000 + rank, name, price, place, word, shape.uniform(1, 2))


def _trap_coins() -> list[Coin]:
    def fake(ticker: str, slug: str, cmc_id: int, name: str, *, active: bool = True) -> Coin:
        return Coin(ticker, slug, cmc_id, name, 0.00371, None, f"@{slug}", active=active)

    return [
        fake("BTC", "batcat", 31_469, "batcat"),
        fake("BTC", "bitcoin-bep2-token", 33_870, "Bitcoin on a bridge"),
        fake("ETH", "the-ticker-is-eth", 30_201, "THE TICKER IS ETH"),
        fake("SOL", "sola-token", 29_300, "SOLA Token"),
        fake("ETC", "ethercoin", 646, "Ethercoin", active=False),
        Coin("NEXA", "nexa", 23_380, "Nexa", 0.0000012, None, "NEXA", blank=True),
        Coin("ZRC", "zrcoin", 1_726, "ZrCoin", 0.0451, None, "ZRC", frozen_ms=ZOMBIE_MS),
    ]


def _currencies() -> Iterator[Currency]:
    for code, name, sign, cmc_id, value in _rows(listed_names.CURRENCIES):
        yield Currency(code, name, sign, int(cmc_id), float(value))
