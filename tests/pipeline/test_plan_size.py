"""Plans have a limit: symbols that do not fit wait for the next slot, and none is lost."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from marketdata.cache.asset_store import AssetStore
from marketdata.cache.client import Cache
from marketdata.cache.control import ControlState
from marketdata.cache.quote_store import QuoteStore
from marketdata.composition import MOST_PLAN_BYTES
from marketdata.domain.assets import Asset
from marketdata.domain.breaker import BreakerPolicy
from marketdata.domain.budget import Use
from marketdata.domain.outcomes import DenyReason
from marketdata.domain.permits import CallRequest
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.prices.job_sizes import FRAME_BYTES, MOST_JOB_BYTES
from marketdata.prices.planning import Planner
from marketdata.settings import Settings
from tests.benchmarks.market import coin_list, symbols_of
from tests.support.pipeline import GENEROUS, KEYS
from tests.support.trading_support import a_quote

NOW = 1_763_820_310_000
SLOT = NOW // 1000

MakePlanner = Callable[..., Planner]


@pytest.fixture
def planner_of(cache: Cache) -> MakePlanner:
    """Makes planners for active symbols, with settings as in the environment."""

    def make(symbols: list[str], most_bytes: int | None = MOST_PLAN_BYTES, **env: str) -> Planner:
        active = {"ACTIVE_SYMBOLS": ",".join(symbols)}
        settings = Settings.from_env({**KEYS, **GENEROUS, **active, **env})
        control = ControlState(cache, limits=settings.limits, policy=BreakerPolicy())
        quotes = QuoteStore(cache, retention_s=settings.quote_retention)
        tokens = (f"{number:032d}" for number in itertools.count())
        return Planner(settings, control, quotes, AssetStore(cache), tokens.__next__, most_bytes)

    return make


@pytest.fixture
def many(cache: Cache, plain_redis) -> Callable[[int], list[str]]:
    """Makes so many symbols, stocks and coins; all coins have ids, and half have a quote."""

    def make(count: int) -> list[str]:
        symbols = symbols_of(count)
        assert AssetStore(cache).swap(coin_list(NOW))
        store = QuoteStore(cache, retention_s=86_400)
        for start in range(0, count, 1000):
            some = symbols[start : start + 1000 : 2]
            store.put([a_quote(one, NOW - 60_000, NOW - 61_000) for one in some], NOW)
        return symbols

    return make


def planned(plan: dict) -> list[str]:
    """The symbols of a plan's jobs."""
    return [step["symbol"] for job in plan["jobs"] for step in job["instruments"]]


def slots(planner: Planner, period_s: int) -> Iterator[dict]:
    """Plans of successive slots, whose symbols are due again after so many seconds."""
    for slot in itertools.count(SLOT, 5):
        plan = planner.plan(slot, slot * 1000 + 20).to_event()
        due = dict.fromkeys(planned(plan), (slot + period_s) * 1000)
        planner.control.record((), due, (), slot * 1000 + 900)
        yield json.loads(json.dumps(plan))


def spent(planner: Planner) -> Counter[str]:
    """How many calls are counted, by provider."""
    providers = planner.control.read_providers(NOW + 60_000).providers
    return Counter({source.value: state.limits[0].used for source, state in providers.items()})


@pytest.mark.parametrize(("count", "in_slots"), [(5_000, 3), (10_000, 5)])
def test_what_does_not_fit_is_planned_in_the_next_slots(cache, planner_of, many, count, in_slots):
    """Each symbol is planned once, in plans and jobs within their limits and four round trips."""
    planner, seen, reserved = planner_of(many(count)), Counter(), Counter()
    next(slots(planner_of(["AAPL"]), 5))  # loads the scripts
    before = spent(planner)
    for slot in range(SLOT + 5, SLOT + 5 + 5 * in_slots, 5):
        trips = cache.round_trips
        plan = planner.plan(slot, slot * 1000 + 20).to_event()
        assert cache.round_trips - trips == 4
        assert len(json.dumps(plan)) <= MOST_PLAN_BYTES
        assert max(len(json.dumps(job)) for job in plan["jobs"]) <= MOST_JOB_BYTES
        seen.update(planned(plan))
        assert plan["due"] == count - sum(seen.values()) + len(planned(plan))
        assert plan["deferred"] == count - sum(seen.values())
        for job in plan["jobs"]:
            reserved.update({a["provider"]: a["calls"] for a in job["attempts"]})
        due = dict.fromkeys(planned(plan), (slot + 300) * 1000)
        planner.control.record((), due, (), slot * 1000 + 900)
        if not plan["deferred"]:
            break
    assert (len(seen), set(seen.values())) == (count, {1})
    assert (slot - SLOT) // 5 == in_slots
    assert spent(planner) - before == reserved


def test_symbols_that_are_due_in_each_slot_take_turns(planner_of, many):
    """The longest due symbols come first, so every symbol is in one of four successive plans."""
    symbols = many(5_000)
    turns = list(itertools.islice(slots(planner_of(symbols), 5), 8))
    assert all(plan["due"] == 5_000 for plan in turns)
    for start in range(5):
        some = itertools.chain.from_iterable(map(planned, turns[start : start + 4]))
        assert set(some) == set(symbols)


def test_symbols_without_a_budget_take_no_room(planner_of, many):
    """Coins without any budget take no room in a plan, so that no stock waits."""
    symbols = many(8_000)
    stocks = [symbol for symbol in symbols if "-" not in symbol][:1_000]
    coins = [symbol for symbol in symbols if symbol.endswith("-USD")]
    month = {"COINGECKO_LIMITS": "1/month", "COINMARKETCAP_LIMITS": "1/month"}
    planner = planner_of([*stocks, *coins], **month)
    wants = [
        CallRequest(source, AssetClass.CRYPTO, 1, Use.ASSETS, NOW)
        for source in (Source.COINGECKO, Source.COINMARKETCAP)
    ]
    assert all(grant.calls for grant in planner.control.take(wants, NOW - 1000, "t"))
    planner.control.record((), dict.fromkeys(stocks, NOW), (), NOW)
    plan = planner.plan(SLOT, NOW).to_event()
    assert (sorted(planned(plan)), plan["deferred"]) == (sorted(stocks), 0)
    skipped = [(skip["asset_class"], skip["provider"], skip["reason"]) for skip in plan["skipped"]]
    assert skipped == [
        ("crypto", "coingecko", DenyReason.BUDGET_EXHAUSTED),
        ("crypto", "coinmarketcap", DenyReason.BUDGET_EXHAUSTED),
    ]


def test_a_small_job_takes_the_room_that_a_larger_one_leaves(planner_of):
    """A job that fits takes the room that is left, and a larger one is deferred."""
    shares = [f"S{number}" for number in range(100)]
    planner = planner_of([*shares, "EUR/USD"])
    whole = planner_of(["EUR/USD"], None).plan(SLOT - 5, NOW - 5000)
    planner = replace(planner, most_bytes=FRAME_BYTES + whole.jobs[0].json_bytes() + 200)
    plan = planner.plan(SLOT, NOW).to_event()
    assert (planned(plan), plan["deferred"]) == (["EUR/USD"], 100)
    used = planner.control.read_providers(NOW).providers[Source.FINNHUB].limits[0].used
    assert used == 0


def test_a_symbol_without_room_is_pending_and_not_explained(planner_of):
    """A symbol without room in a plan is deferred, and no reason is stored for clients."""
    planner = replace(planner_of(["AAPL"]), most_bytes=FRAME_BYTES)
    plan = planner.plan(SLOT, NOW).to_event()
    assert (plan["jobs"], plan["deferred"], plan["skipped"]) == ([], 1, [])
    assert planner.quotes.reasons(["AAPL"]) == [None]


@pytest.mark.parametrize(
    ("ids_length", "most_bytes", "fillers"),
    [(10, MOST_PLAN_BYTES, 24), (8_000, MOST_PLAN_BYTES, 0), (3_000, 50_000, 0)],
    ids=["they fit", "too large a job", "too large a plan"],
)
def test_fillers_are_dropped_where_they_do_not_fit(
    cache, planner_of, ids_length, most_bytes, fillers
):
    """Fillers that do not fit into a job or a plan are left out, and are not deferred."""
    names = [f"C{number}-USD" for number in range(24)]
    ids = {"coingecko": "c" * ids_length}
    coins = [Asset(name, AssetClass.CRYPTO, name, None, "USD", None, ids) for name in names]
    listed = replace(coin_list(NOW), assets=(*coin_list(NOW).assets, *coins))
    assert AssetStore(cache).swap(listed)
    minute = {"COINGECKO_LIMITS": "1/minute", "COINMARKETCAP_LIMITS": "1/minute"}
    planner = planner_of(["BTC-USD"], most_bytes, **minute)
    planner.control.watch(names, NOW)
    planner.control.record((), dict.fromkeys(names[:12], NOW), (), NOW)
    plan = planner.plan(SLOT, NOW).to_event()
    (job,) = plan["jobs"]
    assert (len(job["fillers"]), plan["deferred"]) == (fillers, 0)
    assert len(json.dumps(job)) <= MOST_JOB_BYTES
    assert len(json.dumps(plan)) <= most_bytes
