"""Two sources of one symbol, through the whole price loop: moves, bad ticks, small changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

import pytest

from marketdata.domain.quotes import Source
from tests.support.caches import emptied
from tests.support.canned_server import CannedServer
from tests.support.fake_yahoo import FakeYahoo, quote_row
from tests.support.pipeline import GENEROUS, Pipeline, simulated
from tests.support.stand_ins import FakeCoinGecko, FakeCoinMarketCap, FakeFinnhub
from tests.support.yahoo_loop import FALLING

STEADY = (1.2, 1.21, 1.19, 1.2, 1.205)


@dataclass
class Both:
    """A service with one symbol and two sources of its price; `set` writes both rows."""

    pipe: Pipeline
    symbol: str

    def set(self, first: float, second: float) -> None:
        """Give the two sources these prices now."""
        raise NotImplementedError

    def looks(self, prices: Sequence[tuple[float, float]], every_s: float) -> list[Decimal]:
        """Return the served price after each look at the two prices."""
        served = []
        for first, second in prices:
            self.pipe.clock.pass_s(every_s)
            self.set(first, second)
            self.pipe.run()
            served.append(Decimal(str(self.pipe.read(self.symbol)[self.symbol]["price"])))
        return served


@dataclass
class Coin(Both):
    """A coin at CoinGecko and at CoinMarketCap."""

    gecko: FakeCoinGecko
    cmc: FakeCoinMarketCap

    def set(self, first: float, second: float) -> None:
        """Write both rows with the present time."""
        now_ms = self.pipe.clock()
        at_s = now_ms // 1000
        self.gecko.prices["solana"] = {"usd": first, "usd_24h_change": 2, "last_updated_at": at_s}
        self.cmc.prices["5426"] = (second, now_ms)


@dataclass
class Share(Both):
    """A share at Yahoo and at Finnhub."""

    yahoo: FakeYahoo
    finnhub: FakeFinnhub

    def set(self, first: float, second: float) -> None:
        """Write both rows with the present time."""
        at_s = self.pipe.clock() // 1000
        more = {"regularMarketChange": None, "regularMarketChangePercent": None}
        self.yahoo.rows["AMC"] = quote_row("AMC", first, regularMarketTime=at_s, **more)
        self.finnhub.rows["AMC"] = {"c": second, "d": None, "dp": None, "pc": 0, "t": at_s}


@pytest.fixture(params=["coin", "share"])
def both(request, plain_redis) -> Iterator[Both]:
    """A service with a coin, and one with a share."""
    gecko, cmc, finnhub = FakeCoinGecko(), FakeCoinMarketCap(), FakeFinnhub()
    with (
        emptied(plain_redis) as cache,
        simulated(cache) as make,
        CannedServer(gecko, make.clock) as one,
        CannedServer(cmc, make.clock) as two,
        CannedServer(finnhub, make.clock) as three,
        FakeYahoo() as yahoo,
    ):
        urls = {
            Source.COINGECKO: one.url, Source.COINMARKETCAP: two.url,
            Source.FINNHUB: three.url, Source.YFINANCE: yahoo.url,
        }  # fmt: skip
        symbol = "SOL-USD" if request.param == "coin" else "AMC"
        pipe = make(urls=urls, ACTIVE_SYMBOLS=symbol, **GENEROUS)
        yield (
            Coin(pipe, symbol, gecko, cmc)
            if request.param == "coin"
            else Share(pipe, symbol, yahoo, finnhub)
        )


@pytest.mark.parametrize("path", [FALLING, FALLING[::-1]], ids=["down", "up"])
@pytest.mark.parametrize(
    ("factor", "every_s"),
    [(1.03, 5), (0.97, 300), (1.2, 5)],
    ids=["3 % above", "3 % below", "20 % above"],
)
def test_a_price_that_keeps_moving_is_followed_by_two_sources_that_differ(
    both, path, factor, every_s
):
    """The served price is one of the two sources', at most two looks old."""
    pairs = [(price, round(price * factor, 8)) for price in path]
    for place, price in enumerate(both.looks(pairs, every_s)):
        recent = [
            Decimal(str(one)) for pair in pairs[max(0, place - 2) : place + 1] for one in pair
        ]
        assert price in recent


@pytest.mark.parametrize(
    "ticks", [(9.7, 0.11), (0.11, 9.7), (9.7, 1.2), (0.11, 1.2), (120.0, 0.012), (2.4, 0.5)]
)
def test_bad_ticks_of_two_sources_are_never_served(both, ticks):
    """One bad tick, or two on different sides in one look, is never served."""
    path = [(price, price) for price in STEADY]
    served = both.looks([*path, ticks, *path, ticks, *path], 5)
    assert set(served) <= {Decimal(str(price)) for price in STEADY}
    assert served[-1] == Decimal(str(STEADY[-1]))


def test_bad_ticks_of_two_sources_in_two_looks_are_never_served(both):
    """Bad ticks of two sources on different sides, one look apart, are never served."""
    served = both.looks([(1.2, 1.2), (9.7, 1.21), (1.2, 0.11), (1.19, 1.2), (0.11, 9.7)], 5)
    assert set(served) <= {Decimal(text) for text in ("1.2", "1.21", "1.19")}


def test_a_step_that_both_sources_see_is_written_at_once(both):
    """A step that both sources have is written in the same slot."""
    assert both.looks([(1.2, 1.2), (0.5, 0.51)], 5)[-1] == Decimal("0.5")


@pytest.mark.parametrize("both", ["coin"], indirect=True)
def test_a_small_change_of_a_coin_is_not_rounded_to_zero(both):
    """A coin's change has as many decimal places as its price needs."""
    both.looks([(0.0005, 0.0005)], 5)
    quote = both.pipe.read(both.symbol)[both.symbol]
    assert (quote["price"], quote["change"], quote["percent_change"]) == (0.0005, 0.0000098, 2)
    body = both.pipe.get(f"/v1/quotes/{both.symbol}").body
    assert b'"change":0.0000098,' in body, "no exponent"


def test_each_written_price_is_newer_than_the_one_before(both):
    """The time of the served price moves forward with each look."""
    times = []
    for price in STEADY:
        both.looks([(price, price)], 5)
        times.append(both.pipe.read(both.symbol)[both.symbol]["timestamp"])
    assert all(one < other for one, other in pairwise(times))
