"""Watched coins on free plans fill the free places of calls for active coins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from marketdata.domain.quotes import Source
from tests.support.caches import emptied
from tests.support.pipeline import Pipeline, simulated

# So few calls a month that a provider's next routine call is due only after PACE_S.
FEW = {"COINGECKO_LIMITS": "20/month", "COINMARKETCAP_LIMITS": "20/month"}
PACE_S = 31 * 86_400 // 18
NEXT_CALL_S = PACE_S + -PACE_S % 5


@pytest.fixture
def pipe(plain_redis) -> Iterator[Pipeline]:
    """One active and one watched coin, both priced, with no routine call left before PACE_S."""
    with emptied(plain_redis) as cache, simulated(cache) as make:
        pipe = make(ACTIVE_SYMBOLS="BTC-USD", **FEW)
        pipe.read("LTC-USD")
        pipe.run()
        pipe.run_next()
        assert (pipe.asked(Source.COINGECKO), pipe.asked(Source.COINMARKETCAP)) == ([1, 1], [2])
        yield pipe


def test_a_watched_coin_is_in_the_call_for_an_active_one(pipe):
    """A watched coin is priced in the next call that is made for the active coin."""
    pipe.clock.pass_s(NEXT_CALL_S)
    pipe.read("LTC-USD")
    ran = pipe.run()
    assert pipe.asked(Source.COINGECKO) == [1, 1, 2]
    assert pipe.sources("BTC-USD,LTC-USD") == {"BTC-USD": "coingecko", "LTC-USD": "coingecko"}
    (job,) = ran.plan["jobs"]
    assert (job["use"], job["fillers"]) == ("active", ["LTC-USD"])


def test_a_new_coin_is_in_the_call_for_an_active_one(pipe):
    """A new coin without a call of its own is priced in the next call for the active coin."""
    pipe.read("ADA-USD,NOPE-USD")
    ran = pipe.run_next()
    assert ran.tick.written == {"coinmarketcap": 1}  # whose month has room for a first price
    pipe.read("TRX-EUR")
    pipe.run_next()
    assert pipe.read("TRX-EUR")["TRX-EUR"]["code"] == "budget_exhausted"
    pipe.clock.pass_s(NEXT_CALL_S - 10)
    pipe.read("TRX-EUR,NOPE-USD")
    pipe.run()
    sources = pipe.sources("BTC-USD,TRX-EUR,NOPE-USD")
    assert sources == {"BTC-USD": "coingecko", "TRX-EUR": "coingecko", "NOPE-USD": "not_found"}
    assert len(pipe.asked(Source.COINGECKO)) == 3


def test_no_call_is_made_for_fillers_alone(pipe):
    """A filler that the first provider lacks costs no call to the second provider."""
    pipe.market.control("unknown", provider="coingecko", symbol="LTC-USD")
    pipe.clock.pass_s(NEXT_CALL_S)
    pipe.read("LTC-USD")
    ran = pipe.run()
    assert pipe.sources("BTC-USD") == {"BTC-USD": "coingecko"}
    assert ran.outcome(Source.COINMARKETCAP, "crypto") == "skipped"
    assert pipe.asked(Source.COINMARKETCAP) == [2]
    assert pipe.provider_status(Source.COINMARKETCAP)["used"] == {"month": 1}
