"""With the limits of `make start` a second provider can replace the first one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.service.environment import SIMULATED
from marketdata.domain.budget import parse_limits
from marketdata.domain.quotes import Source
from marketdata.settings import ENV_PREFIXES
from tests.support.caches import emptied
from tests.support.pipeline import Pipeline, simulated

SHARES = "AAPL MSFT NVDA GOOGL AMZN META TSLA AVGO JPM KO".split()
LIMITS = {
    source: SIMULATED[f"{prefix}_LIMITS"]
    for source, prefix in ENV_PREFIXES.items()
    if f"{prefix}_LIMITS" in SIMULATED
}
TWO_MINUTES = 24  # slots


@pytest.fixture
def pipe(plain_redis) -> Iterator[Pipeline]:
    """Ten shares, with the limits of `make start` on both sides."""
    env = {f"{ENV_PREFIXES[source]}_LIMITS": limits for source, limits in LIMITS.items()}
    with (
        emptied(plain_redis) as cache,
        simulated(cache, limits=LIMITS) as make,
    ):
        yield make(ACTIVE_SYMBOLS=",".join(SHARES), **env)


def test_finnhub_prices_ten_shares_in_every_slot_while_yahoo_is_down(pipe):
    """For two minutes each of ten shares has a new price of Finnhub in every slot."""
    pipe.market.control("refuse", provider=Source.YFINANCE.value)
    for _ in range(TWO_MINUTES):
        pipe.run_next()
        assert pipe.sources() == dict.fromkeys(SHARES, Source.FINNHUB.value)
        assert {pipe.fetched_ms(symbol) for symbol in SHARES} == {pipe.clock()}
    assert pipe.market.violations[Source.FINNHUB] == 0
    most = {limit.window: limit.calls for limit in parse_limits(LIMITS[Source.FINNHUB])}
    assert all(pipe.market.peak(Source.FINNHUB)[window] <= most[window] for window in most)
