"""Clients that ask for thousands of unknown symbols, and what that costs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, permutations

import pytest

from marketdata.cache.client import Cache
from marketdata.domain.currencies import CURRENCIES
from marketdata.domain.quotes import Source
from marketdata.domain.shipped_tables import COINS
from marketdata.domain.watch_rules import UNLISTED_MOST, UNLISTED_WAIT_S, WATCHED_MOST
from tests.support.caches import emptied
from tests.support.pipeline import Make, Pipeline, simulated
from tests.support.sample_lists import listed

SLOTS = 40
A_REQUEST = 100
# Shortens all TTLs by a time, and returns how many keys expired.
AGE = """
local ended, cursor = 0, '0'
repeat
  local found = redis.call('SCAN', cursor, 'COUNT', 1000)
  cursor = found[1]
  for _, key in ipairs(found[2]) do
    local left = redis.call('PTTL', key)
    if left > tonumber(ARGV[1]) then
      redis.call('PEXPIRE', key, left - tonumber(ARGV[1]))
    elseif left >= 0 then
      ended = ended + redis.call('DEL', key)
    end
  end
until cursor == '0'
return ended
"""


@pytest.fixture
def make(plain_redis) -> Iterator[Make]:
    """Pipelines over a market with the free plans' limits."""
    with emptied(plain_redis) as cache, simulated(cache) as make:
        yield make


def ask_for(pipe: Pipeline, symbols: Iterator[str], requests: int) -> int:
    """Send so many requests for the next symbols, and return how many symbols were asked for."""
    asked = 0
    for _ in range(requests):
        some = list(islice(symbols, A_REQUEST))
        asked += len(some)
        if some:
            assert len(pipe.read(",".join(some))) == len(some)
    return asked


def keys_of(cache: Cache, part: str) -> set[str]:
    """Return the names of the keys under one tag, without the prefix."""
    start = cache.key(part, "")
    return {key.decode().removeprefix(start) for key in cache.command("KEYS", f"{start}*")}


def control_bytes(cache: Cache) -> int:
    """Return the memory that the control state takes in Redis."""
    names = [cache.key("control", name) for name in keys_of(cache, "control")]
    return sum(cache.command("MEMORY", "USAGE", name, "SAMPLES", 0) for name in names)


def test_ten_thousand_junk_symbols_delay_no_active_symbol(make):
    """Active symbols are priced in every slot, limits hold, and a real symbol gets its price."""
    pipe = make()
    junk = (f"JUNK{number}" for number in range(10_000))
    asked, sources_of_ko = 0, []
    for slot in range(SLOTS):
        asked += ask_for(pipe, junk, 2 + slot % 2)
        pipe.read("KO")
        pipe.run_next()
        assert "stale" not in pipe.sources().values()
        stocks = {pipe.fetched_ms(symbol) for symbol in ("AAPL", "MSFT")}
        assert stocks == {pipe.clock()}
        sources_of_ko.append(pipe.sources("KO")["KO"])
    assert asked == 10_000
    assert {"yfinance", "finnhub"} & set(sources_of_ko[:24])
    assert not any(pipe.market.violations.values())
    for source in Source:
        peaks = pipe.market.peak(source)
        assert all(peaks[limit.window] <= limit.calls for limit in pipe.settings.limits[source])


def test_a_symbol_that_there_is_no_place_for_is_not_called_watched(make):
    """If no more unlisted symbols can be watched, the answer says so and when to ask again."""
    pipe = make()
    pipe.assets.swap(listed("v1", [("KO", "Coca-Cola")]))
    first = pipe.read(",".join(f"JUNK{number}" for number in range(UNLISTED_MOST)))
    assert all("is watched from now on" in entry["message"] for entry in first.values())
    later = pipe.read("LATE1,KO,^GSPC", currency="EUR")
    assert "is watched from now on" in later["KO"]["message"]
    for symbol in ("LATE1", "^GSPC"):
        assert later[symbol]["code"] == "pending"
        assert later[symbol]["retry_after"] == UNLISTED_WAIT_S
        assert later[symbol]["message"].startswith(f"{symbol} is in no asset list, and no other")
    watched = pipe.cache.command("ZRANGE", pipe.cache.key("control", "watched"), 0, -1)
    assert {
        symbol for symbol, one in {**first, **later}.items() if "watched" in one["message"]
    } == {symbol.decode() for symbol in watched}


def test_many_junk_symbols_delay_no_listed_symbol(make):
    """On free plans each new listed symbol has a price in each slot from the next one on."""
    pipe = make(ACTIVE_SYMBOLS="AAPL,MSFT")
    shares = ["KO", "PEP", "INTC", "CSCO", "NFLX", "ADBE", "ORCL", "NKE"]
    pipe.assets.swap(listed("v1", [(name, "A share") for name in shares]))
    junk = (f"J{number}UNK" for number in range(100_000))
    for slot in range(48):
        ask_for(pipe, junk, 3)
        asked = shares[: 1 + slot // 6]
        pipe.read(",".join(asked))
        pipe.run_next()
        assert {pipe.fetched_ms(name) for name in asked} == {pipe.clock()}, slot
        assert "stale" not in pipe.sources().values()
    assert not any(pipe.market.violations.values())


def test_junk_takes_only_half_of_a_minute(make):
    """At least half of a provider's calls of a minute are left to ACTIVE_SYMBOLS."""
    pipe = make(ACTIVE_SYMBOLS="BTC-USD")
    junk = (f"JUNK{number}" for number in range(6_000))
    for _ in range(12):
        ask_for(pipe, junk, 5)
        pipe.run_next()
    assert pipe.provider_status(Source.YFINANCE)["used"] == {"minute": 30}
    assert pipe.provider_status(Source.FINNHUB)["used"]["minute"] == 30


def test_redis_does_not_grow_with_junk(make):
    """Control state is bounded, reasons expire, and then Redis has the keys of before."""
    pipe, cache = make(), make().cache
    pipe.run()
    before = (cache.command("DBSIZE"), keys_of(cache, "quotes"))
    full = []
    for wave in range(2):
        junk = (f"W{wave}J{number}" for number in range(10_000))
        for _ in range(20):
            ask_for(pipe, junk, 5)
            pipe.run_next()
        assert cache.command("ZCARD", cache.key("control", "watched")) == WATCHED_MOST
        full.append((cache.command("DBSIZE"), control_bytes(cache)))
        assert full[-1][0] <= before[0] + 10_000 + 20  # a reason each, and the other providers
        pipe.clock.pass_s(901)
        cache.command("EVAL", AGE, 0, 901_000)
        pipe.run()
        assert keys_of(cache, "quotes") == before[1]
        assert cache.command("DBSIZE") <= before[0] + 4
        assert cache.command("ZCARD", cache.key("control", "watched")) == 0
    assert full[1][0] == pytest.approx(full[0][0], rel=0.02)
    assert full[1][1] < 1_000_000  # half of it due times, of which 5,000 are kept for an hour
    pipe.clock.pass_s(3600)
    pipe.run()
    assert cache.command("ZCARD", cache.key("control", "due")) == len(pipe.settings.active_symbols)


def test_junk_pairs_leave_alpha_vantage_to_the_active_ones(make):
    """Thousands of pairs cost one of 25 calls, and the active pair gets the others in time."""
    pipe = make(ACTIVE_SYMBOLS="EUR/USD")
    pairs = (f"{base}/{quote}" for base, quote in permutations(sorted(CURRENCIES), 2))
    pipe.run()
    for _ in range(SLOTS):
        ask_for(pipe, pairs, 3)
        pipe.run_next()
        assert pipe.fetched_ms("EUR/USD") >= pipe.clock() - 60_000
    assert pipe.provider_status(Source.ALPHA_VANTAGE)["used"]["day"] == 2
    pipe.run_next(66 * 60)
    assert pipe.sources() == {"EUR/USD": "alpha_vantage"}
    assert not any(pipe.market.violations.values())


def test_new_coins_leave_a_month_to_the_active_ones(make):
    """Active coins are priced as often as before, however many other coins clients ask for."""
    pipe = make(ACTIVE_SYMBOLS="BTC-USD", COINGECKO_LIMITS="200/month", COINMARKETCAP_API_KEY="")
    coins = [f"{base}-{money}" for money in ("EUR", "GBP", "CHF") for base in COINS]
    pipe.run()
    for slot in range(SLOTS):
        pipe.read(",".join(coins[slot * 3 : slot * 3 + 3]))
        pipe.run_next()
    assert len(pipe.asked(Source.COINGECKO)) == 1 + 10  # half of the reserve of 200
    codes = {entry["code"] for entry in pipe.read(",".join(coins[60:100])).values()}
    assert codes == {"budget_exhausted"}
    pace_s = 31 * 86_400 // 180
    pipe.run_next(pace_s - SLOTS * 5)
    assert pipe.sources() == {"BTC-USD": "coingecko"}
    assert pipe.fetched_ms("BTC-USD") == pipe.clock()
