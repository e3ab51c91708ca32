"""Free plans over hours: when each provider is called, and which prices stay fresh."""

from __future__ import annotations

from itertools import pairwise

import pytest

from marketdata.domain.quotes import Source
from tests.support.caches import emptied
from tests.support.pipeline import Pipeline, simulated

PAIRS = "EUR/USD,GBP/USD,USD/JPY,USD/CHF"
COINS = "BTC-USD,ETH-USD,SOL-USD"
DAY_S, MONTH_S = 86_400, 31 * 86_400
HOUR_S = 3600


def gaps_s(pipe: Pipeline, source: Source) -> list[float]:
    """The seconds between successive calls of a provider."""
    arrivals = [call.arrival_ms / 1000 for call in pipe.market.calls[source]]
    return [after - before for before, after in pairwise(arrivals)]


def test_alpha_vantage_prices_a_pair_each_65_minutes_and_yahoo_the_rest(make):
    """25 calls a day are 22 paced ones; in between all pairs come from Yahoo, and stay fresh."""
    pipe = make(ACTIVE_SYMBOLS=PAIRS)
    served_by = set()
    for _ in range(4 * HOUR_S // 30):
        sources = pipe.run_next(30) and pipe.sources()
        assert set(sources.values()) <= {"alpha_vantage", "yfinance"}
        served_by |= set(sources.values())
    assert served_by == {"alpha_vantage", "yfinance"}
    assert pipe.asked(Source.ALPHA_VANTAGE) == [1] * 4
    assert all(
        DAY_S / 22 - 10 <= gap <= DAY_S / 22 + 40 for gap in gaps_s(pipe, Source.ALPHA_VANTAGE)
    )
    assert pipe.provider_status(Source.ALPHA_VANTAGE)["used"] == {"day": 4, "second": 0}
    assert not any(pipe.market.violations.values())


def test_coingecko_and_coinmarketcap_share_a_month(make):
    """Both are called in turns every 5 minutes, as 10,000 calls a month allow."""
    pipe = make(ACTIVE_SYMBOLS=COINS)
    for _ in range(HOUR_S // 15):
        pipe.run_next(15)
        assert set(pipe.sources().values()) <= {"coingecko", "coinmarketcap"}
    pace_s = MONTH_S / 9000
    for source in (Source.COINGECKO, Source.COINMARKETCAP):
        assert len(pipe.asked(source)) == pytest.approx(HOUR_S / pace_s, abs=1.1)
        assert set(pipe.asked(source)) == {3}
        assert all(pace_s - 10 < gap < pace_s + 20 for gap in gaps_s(pipe, source))
    both = sorted(
        call.arrival_ms
        for source in (Source.COINGECKO, Source.COINMARKETCAP)
        for call in pipe.market.calls[source]
    )
    assert min(after - before for before, after in pairwise(both)) >= 60_000
    assert not any(pipe.market.violations.values())


def test_without_coinmarketcap_coins_stay_fresh_on_a_month_of_coingecko(make):
    """CoinGecko alone is called each 297.6 s, just within QUOTE_TTL."""
    pipe = make(ACTIVE_SYMBOLS=COINS, COINMARKETCAP_API_KEY="")
    for _ in range(HOUR_S // 5):
        pipe.run_next()
        assert set(pipe.sources().values()) == {"coingecko"}
    assert len(pipe.asked(Source.COINGECKO)) == pytest.approx(HOUR_S * 9000 / MONTH_S, abs=1.1)


def test_with_paid_limits_every_symbol_is_priced_in_every_slot(plain_redis):
    """With paid limits every symbol is due, called for and written in every slot."""
    paid = {
        Source.ALPHA_VANTAGE: "75/minute",
        Source.COINGECKO: "250/minute,100000/day",
        Source.COINMARKETCAP: "60/minute,3000000/month",
    }
    limits = {f"{source.name}_LIMITS": text for source, text in paid.items()}
    with emptied(plain_redis) as cache, simulated(cache, limits=paid) as make:
        pipe = make(ACTIVE_SYMBOLS=f"{PAIRS},{COINS},AAPL", **limits)
        for _ in range(36):
            ran = pipe.run_next()
            assert (ran.tick.due, ran.tick.written.total()) == (8, 8)
        assert pipe.asked(Source.COINGECKO) == [3] * 36
        assert pipe.asked(Source.ALPHA_VANTAGE) == [1] * 4 * 36
        assert pipe.asked(Source.YFINANCE) == [1] * 36
        assert not any(pipe.market.violations.values())
