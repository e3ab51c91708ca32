"""Quotes under many writers and in random order."""

from __future__ import annotations

import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from marketdata.cache.quote_store import QuoteStore
from marketdata.clock import epoch_ms
from marketdata.domain.acceptance import Result
from marketdata.domain.quotes import Source
from tests.support.caches import patient_cache
from tests.support.examples import examples
from tests.support.sample_quotes import at_ms, quote

NOW_MS = at_ms(600)
WRITERS = 16
SOURCES = (Source.YFINANCE, Source.FINNHUB)
WRONG = (Decimal(100), Decimal("0.01"), Decimal("1.4"), Decimal("0.6"), Decimal(9), Decimal("0.1"))
NAMES = (f"S{number}" for number in itertools.count())


@pytest.fixture
def store(cache):
    """A store on an empty Redis, plain or in cluster mode."""
    return QuoteStore(cache, retention_s=600)


@pytest.fixture(scope="module", params=["plain", "cluster"])
def lasting(request):
    """A store that many examples share; each example uses a symbol of its own."""
    server = request.getfixturevalue(f"{request.param}_redis")
    cache = patient_cache(server)
    yield QuoteStore(cache, retention_s=600)
    cache.close()


def test_racing_commits_leave_the_newest(store):
    """16 writers that commit 400 ticks in random order leave the newest quote of each symbol."""
    chance = random.Random(7)
    ticks = [
        quote(100 + second / 100, chance.randrange(600), source, time=second, symbol=symbol)
        for symbol in ("AAPL", "MSFT")
        for second in range(100)
        for source in SOURCES
    ]
    chance.shuffle(ticks)
    with ThreadPoolExecutor(WRITERS) as pool:
        verdicts = list(pool.map(lambda tick: store.put([tick], NOW_MS)[0], ticks))
    for symbol in ("AAPL", "MSFT"):
        last = store.last([symbol])[symbol]
        assert last.price == "100.99"
        assert last.timestamp_ms == at_ms(99)
        newest = max(
            (tick for tick in ticks if tick.symbol == symbol),
            key=lambda tick: (tick.timestamp, tick.fetched_at),
        )
        assert last.fetched_ms == epoch_ms(newest.fetched_at)
    assert {verdict.result for verdict in verdicts} == {Result.WRITTEN, Result.OLDER}


def test_a_reader_never_sees_time_go_back(store):
    """While 8 writers commit in random order, the time that a reader sees never goes back."""
    chance = random.Random(11)
    ticks = [quote(100, second) for second in range(300)]
    chance.shuffle(ticks)
    with ThreadPoolExecutor(8) as pool:
        writing = [pool.submit(store.put, [tick], NOW_MS) for tick in ticks]
        seen = []
        while not all(future.done() for future in writing):
            seen += [last.timestamp_ms for last in store.last(["AAPL"]).values()]
    seen.append(store.last(["AAPL"])["AAPL"].timestamp_ms)
    assert seen == sorted(seen)
    assert seen[-1] == at_ms(299)


@how(max_examples=examples(30))
@given(
    ticks=st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 50), st.sampled_from(SOURCES)),
        min_size=1,
        max_size=12,
    ),
    data=st.data(),
)
def test_any_order_and_grouping_leaves_the_newest(lasting, ticks, data):
    """The newest quote is stored, for every order and grouping of the commits."""
    symbol = next(NAMES)
    quotes = [
        quote(100, fetched, source, time=time, symbol=symbol) for time, fetched, source in ticks
    ]
    shuffled = data.draw(st.permutations(quotes + quotes))
    at = data.draw(st.integers(0, len(shuffled)))
    for group in (shuffled[:at], shuffled[at:]):
        lasting.put(group, NOW_MS)
    last = lasting.last([symbol])[symbol]
    assert last.timestamp_ms == epoch_ms(max(quote.timestamp for quote in quotes))
    # All quotes have one price, so an older quote that was fetched later confirms the newest.
    newest = max(quotes, key=lambda q: (q.timestamp, q.fetched_at))
    latest = max(quote.fetched_at for quote in quotes)
    assert epoch_ms(newest.fetched_at) <= last.fetched_ms <= epoch_ms(latest)


@how(max_examples=examples(30))
@given(
    st.lists(
        st.tuples(st.sampled_from((None, *WRONG)), st.sampled_from((None, *WRONG))),
        min_size=2,
        max_size=25,
    )
)
def test_no_planted_tick_is_ever_seen(lasting, plan):
    """A bad tick of one source, or of both on different sides, is never served.

    Each look asks both sources, and a right look follows each one with a bad tick.
    """
    symbol = next(NAMES)
    lasting.put([quote(100, 0, symbol=symbol)], NOW_MS)
    second = 0
    for bad in plan:
        if None not in bad and (bad[0] > 1) == (bad[1] > 1):
            continue  # two sources on one side confirm each other
        for factors in (bad, (None, None)):
            second += 1
            true = Decimal(100 + second % 3)
            look = [
                quote(true * (factor or 1), second, source, symbol=symbol)
                for source, factor in zip(SOURCES, factors, strict=True)
            ]
            lasting.put(look, NOW_MS)
            assert 100 <= Decimal(lasting.last([symbol])[symbol].price) <= 102


@how(max_examples=examples(30))
@given(
    factor=st.floats(1.3, 90) | st.floats(0.012, 0.7),
    first=st.sampled_from(SOURCES),
    second=st.sampled_from(SOURCES),
    noise=st.lists(st.sampled_from((3, 10, "0.2")), max_size=2),
)
def test_every_true_jump_is_seen_within_two_ticks(lasting, factor, first, second, noise):
    """A jump of any size but a unit's is served with its second tick, also after bad ticks."""
    symbol = next(NAMES)
    lasting.put([quote(100, 0, symbol=symbol)], NOW_MS)
    for at, bad in enumerate(noise, start=1):
        lasting.put([quote(100 * Decimal(bad), at * 10, symbol=symbol)], NOW_MS)
        lasting.put([quote(100, at * 10 + 5, symbol=symbol)], NOW_MS)
    price = round(Decimal(100) * Decimal(factor), 4)
    lasting.put([quote(price, 50, first, symbol=symbol)], NOW_MS)
    lasting.put([quote(price, 55, second, symbol=symbol)], NOW_MS)
    assert Decimal(lasting.last([symbol])[symbol].price) == price
