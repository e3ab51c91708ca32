"""What is traded on the simulated market: stocks, coins and currencies, the same for every seed.

A few dozen are real names; the rest are made up. It holds the traps of the real lists as well:
two coins with one ticker, dead rows, rows that stopped years ago.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product

from local.simulator import tables
from local.simulator.sessions import Hours

STOCK_COUNT = 2_500
COIN_COUNT = 1_500
ZOMBIE_MS = 1_644_019_200_000  # 2022-02-05, when the zombies traded last

_CONSONANTS, _VOWELS = "BDLMNPRSTVZ", "AIOU"
_TRADES = ("Holdings", "Energy", "Therapeutics", "Semiconductor", "Bancorp", "Foods", "Systems")


@dataclass(frozen=True, slots=True)
class Stock:
    """One listed share. `price`: where its process starts, in `currency`; `value`: market value.

    `symbol` is canonical (`BRK.B`), `dashed` the spelling of Yahoo and Alpha Vantage (`BRK-B`).
    `dead`: Yahoo still has a row, without a price. `frozen_ms`: when it traded last, for a zombie.
    """

    symbol: str
    dashed: str
    name: str
    exchange: str
    currency: str
    price: float
    value: float
    hours: Hours = Hours.US
    dead: bool = False
    frozen_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Coin:
    """One coin. `price`: where its process starts, in dollars. `rank`: None for nobody's coin.

    `label` is the ticker of the coin that owns it, and the slug of every other coin with that
    ticker. `blank`: listed, but without a price.
    """

    ticker: str
    slug: str
    cmc_id: int
    name: str
    price: float
    rank: int | None
    label: str
    liveliness: float = 1.0
    active: bool = True
    blank: bool = False
    frozen_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Currency:
    """One currency. `price`: its value in dollars."""

    code: str
    name: str
    sign: str
    cmc_id: int
    price: float


@dataclass(frozen=True, slots=True)
class Universe:
    """All of it, in the order of market value, with the ways to find one.

    `stocks` by canonical symbol; `coins` by slug; `by_label` and `by_cmc_id` find the same coins;
    `currencies` by code; `pairs` are those that brokers list.
    """

    stocks: Mapping[str, Stock]
    by_dashed: Mapping[str, Stock]
    coins: Mapping[str, Coin]
    by_label: Mapping[str, Coin]
    by_cmc_id: Mapping[int, Coin]
    currencies: Mapping[str, Currency]
    pairs: tuple[str, ...]

    @classmethod
    def build(cls) -> Universe:
        """The one universe."""
        stocks = sorted(_stocks(), key=lambda stock: -stock.value)
        coins = list(_coins())
        return cls(
            stocks={stock.symbol: stock for stock in stocks},
            by_dashed={stock.dashed: stock for stock in stocks},
            coins={coin.slug: coin for coin in coins},
            by_label={coin.label: coin for coin in coins},
            by_cmc_id={coin.cmc_id: coin for coin in coins},
            currencies={currency.code: currency for currency in _currencies()},
            pairs=tuple(tables.PAIRS.split()),
        )


def _rows(table: str) -> Iterator[list[str]]:
    return (line.split("|") for line in table.strip().splitlines())


def _words(seed: str, lengths: tuple[int, ...]) -> Iterator[str]:
    """Pronounceable names, each once, in an order that depends on nothing but `seed`."""
    shuffle = random.Random(seed)
    for length in lengths:
        sides = [_VOWELS if place % 2 else _CONSONANTS for place in range(length)]
        words = ["".join(letters) for letters in product(*sides)]
        shuffle.shuffle(words)
        yield from words


def _stocks() -> Iterator[Stock]:
    known = list(_rows(tables.STOCKS))
    for ticker, name, exchange, start, value in known:
        dashed = ticker.replace(".", "-")
        yield Stock(ticker, dashed, name, exchange, "USD", float(start), float(value))
    for ticker, name, start, value in _rows(tables.LONDON):
        yield Stock(
            ticker, ticker, name, "LSE", "GBp", float(start), float(value), hours=Hours.LONDON
        )
    yield Stock("ADH", "ADH", "Adairs Limited", "NYQ", "USD", 1.5, 0.1, dead=True)
    yield Stock("BRKS", "BRKS", "", "NMS", "USD", 40.0, 0.1, dead=True)
    yield Stock("ZMBI", "ZMBI", "Zombie Corp", "NMS", "USD", 12.5, 0.2, frozen_ms=ZOMBIE_MS)
    taken = {row[0] for row in known}
    shape = random.Random("stocks")
    fresh = (word for word in _words("tickers", (4, 5)) if word not in taken)
    for place, word in enumerate(islice(fresh, STOCK_COUNT - len(known) - 5)):
        price = round(10 ** shape.uniform(0.4, 2.4), 2)
        name = f"{word.capitalize()} {shape.choice(_TRADES)} Inc."
        exchange = shape.choice(("NMS", "NYQ", "NGM", "ASE"))
        yield Stock(word, word, name, exchange, "USD", price, round(90 / (1 + place / 20), 3))


def _coins() -> Iterator[Coin]:
    known = list(_rows(tables.COINS))
    for rank, (ticker, slug, cmc_id, name, start, lively) in enumerate(known, start=1):
        yield Coin(ticker, slug, int(cmc_id), name, float(start), rank, ticker, float(lively))
    traps = _trap_coins()
    yield from traps
    taken = {row[0] for row in known} | {coin.ticker for coin in traps}
    shape = random.Random("coins")
    fresh = (word for word in _words("coins", (4, 3, 5)) if word not in taken)
    count = COIN_COUNT - len(known) - len(traps)
    for rank, word in enumerate(islice(fresh, count), start=len(known) + 1):
        slug, name = f"{word.lower()}-network", f"{word.capitalize()} Network"
        price = float(f"{10 ** shape.uniform(-7, 2):.6g}")
        # the tail of the list is unranked, as the tail of the real ones is
        place = rank if rank <= COIN_COUNT - 200 else None
        yield Coin(word, slug, 40_000 + rank, name, price, place, word)


def _trap_coins() -> list[Coin]:
    def fake(ticker: str, slug: str, cmc_id: int, name: str, *, active: bool = True) -> Coin:
        return Coin(ticker, slug, cmc_id, name, 0.00371, None, slug, active=active)

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
    for code, name, sign, cmc_id, value in _rows(tables.CURRENCIES):
        yield Currency(code, name, sign, int(cmc_id), float(value))
