"""The change of currency pairs, whose main source gives none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from marketdata.domain.quotes import Source
from tests.support.caches import emptied
from tests.support.canned_server import CannedServer
from tests.support.pipeline import GENEROUS, Pipeline, simulated
from tests.support.stand_ins import FakeAlphaVantage

DAY_S = 86_400
PAIR = "EUR/USD"


@dataclass
class Rates:
    """A service whose only source of pairs is a stand-in of Alpha Vantage."""

    pipe: Pipeline
    alpha: FakeAlphaVantage

    def look(self, rate: str, after_s: float) -> dict[str, Any]:
        """Let time pass, and return what a client gets after a look at this rate."""
        self.pipe.clock.pass_s(after_s)
        self.alpha.rates[PAIR] = (rate, self.pipe.clock())
        self.pipe.run()
        return self.pipe.read(PAIR)[PAIR]


@pytest.fixture
def rates(plain_redis) -> Iterator[Rates]:
    """A service whose Yahoo refuses connections."""
    alpha = FakeAlphaVantage()
    with (
        emptied(plain_redis) as cache,
        simulated(cache) as make,
        CannedServer(alpha, make.clock) as server,
    ):
        urls = {Source.ALPHA_VANTAGE: server.url, Source.YFINANCE: "http://127.0.0.1:1"}
        yield Rates(make(urls=urls, ACTIVE_SYMBOLS=PAIR, **GENEROUS), alpha)


@pytest.mark.parametrize("off_s", [-240, 0, 240])
def test_the_change_compares_with_our_own_price_of_a_day_before(rates, off_s):
    """The change compares with the recorded price nearest to 24 hours ago, within five minutes."""
    first = rates.look("1.0800", 5)
    assert (first["change"], first["percent_change"], first["change_basis"]) == (None, None, None)
    rates.look("1.0850", 3600)
    quote = rates.look("1.0908", DAY_S - 3600 + off_s)
    assert (quote["change"], quote["percent_change"]) == (0.0108, 1)
    assert (quote["change_basis"], quote["source"]) == ("24h", "alpha_vantage")


@pytest.mark.parametrize("off_s", [-420, 420])
def test_without_a_price_of_that_time_there_is_no_change(rates, off_s):
    """Without a recorded price within five minutes of 24 hours ago, the change is null."""
    rates.look("1.0800", 5)
    quote = rates.look("1.0908", DAY_S + off_s)
    assert (quote["price"], quote["change"], quote["percent_change"]) == (1.0908, None, None)
    assert quote["change_basis"] is None


def test_a_fall_is_negative(rates):
    """A fall has a negative change and a negative percentage."""
    rates.look("1.25", 5)
    quote = rates.look("1.2", DAY_S)
    assert (quote["change"], quote["percent_change"]) == (-0.05, -4)


def test_a_recorded_price_that_is_not_plausible_is_no_basis(rates):
    """The change is null if the price rose by a factor of a million in a day."""
    rates.look("0.0000010", 5)
    quote = rates.look("1.0800", DAY_S)
    assert (quote["price"], quote["change"], quote["percent_change"]) == (1.08, None, None)
