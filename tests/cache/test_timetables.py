"""Trading hours: computed with the asset lists, kept in Redis, and put into each job."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from marketdata.cache.asset_store import AssetStore
from marketdata.cache.client import Cache
from marketdata.cache.control import ControlState
from marketdata.cache.quote_store import QuoteStore
from marketdata.clock import MINUTE_MS
from marketdata.domain.symbols import AssetClass
from marketdata.errors import UnavailableError
from marketdata.lists.archive import LocalArchive
from marketdata.lists.calendars import published
from marketdata.lists.committing import AssetCommitter
from marketdata.lists.fetching import AssetFetcher
from marketdata.lists.planning import AssetPlanner
from marketdata.prices.planning import Planner
from marketdata.providers.contract import Request
from marketdata.settings import Settings
from tests.support.trading_support import a_timetable, utc_ms

STOCKS, CRYPTO, FOREX = AssetClass.STOCKS, AssetClass.CRYPTO, AssetClass.FOREX
WEDNESDAY = utc_ms("2026-03-18T15:00")
OPENED = utc_ms("2026-03-18T13:30")
DAY = a_timetable(WEDNESDAY - 1000, WEDNESDAY + 3000, (WEDNESDAY, WEDNESDAY + 2000))
SETTINGS = Settings.from_env({"ACTIVE_SYMBOLS": "AAPL,BTC-USD,EUR/USD"})


class NoProvider:
    """A provider and sender whose calls all fail."""

    def build_asset_requests(self, asset_class):
        return [Request("http://127.0.0.1/list")]

    def send(self, request, timeout_s, allowance=None):
        raise UnavailableError("down")


@pytest.fixture
def control(cache: Cache, control_of) -> ControlState:
    """Control state of a service with its usual budgets."""
    return control_of(cache, dict.fromkeys(SETTINGS.limits, "6000/minute"))


@pytest.fixture
def planner(cache: Cache, control: ControlState) -> Planner:
    """Plans slots over an empty cache."""
    quotes = QuoteStore(cache, retention_s=1000)
    return Planner(SETTINGS, control, quotes, AssetStore(cache), lambda: "token")


@pytest.fixture
def refresh(cache: Cache, control: ControlState, tmp_path: Path):
    """Runs a daily refresh in which no provider answers, and returns the summaries by class."""
    archive, assets = LocalArchive(tmp_path), AssetStore(cache)

    def run(now_ms, timetable=published):
        with ThreadPoolExecutor(2) as pool:
            fetcher = AssetFetcher(
                lambda _: NoProvider(), lambda _: NoProvider(), pool, archive, timetable
            )
            planned = AssetPlanner(SETTINGS, control, assets, lambda: "token").plan(now_ms)
            reports = [fetcher.fetch(job) for job in planned.jobs]
        committer = AssetCommitter(control, assets, QuoteStore(cache, retention_s=60), archive)
        return {
            report.of_class.value: committer.commit(report, now_ms).to_event() for report in reports
        }

    return run


def sessions_of(plan):
    """Return the trading hours in the jobs of a plan, by class."""
    return {job["asset_class"]: job["trading"] for job in plan.to_event()["jobs"]}


def test_a_stored_timetable_is_returned_with_the_slot(control):
    """A slot has the latest stored timetable of each class."""
    assert control.open_slot(1, 1000, []).timetables == {}
    control.keep_timetable(STOCKS, a_timetable(1, 9, (2, 3)))
    control.keep_timetable(STOCKS, DAY)
    assert control.open_slot(2, 2000, []).timetables == {STOCKS: DAY}


def test_timetables_have_no_time_to_live(cache, control):
    """Timetables are in one small key without a TTL."""
    for asset_class in (STOCKS, FOREX):
        control.keep_timetable(asset_class, published(asset_class, WEDNESDAY))
    key = cache.key("control", "timetables")
    assert cache.command("TTL", key) == -1
    assert cache.command("HLEN", key) == 2
    assert cache.command("MEMORY", "USAGE", key) < 5000


@pytest.mark.parametrize(
    "spoil",
    [
        ("HSET", "stocks", "not json"),
        ("HSET", "stocks", '{"from_ms": 1}'),
        ("HSET", "stocks", "\xff"),
        ("HSET", "bonds", "{}"),
        ("SET", "not a hash"),
    ],
    ids=" ".join,
)
def test_a_damaged_timetable_counts_as_none(cache, control, spoil):
    """A damaged timetable does not stop the slot, and counts as not stored."""
    cache.command(spoil[0], cache.key("control", "timetables"), *spoil[1:])
    assert control.open_slot(1, 1000, []).timetables == {}


def test_jobs_say_how_their_market_trades(planner, control):
    """A job tells since when its market is open; crypto is always open."""
    for asset_class in (STOCKS, FOREX):
        control.keep_timetable(asset_class, published(asset_class, WEDNESDAY))
    assert sessions_of(planner.plan(WEDNESDAY // 1000, WEDNESDAY)) == {
        "stocks": {"open": True, "since_ms": OPENED},
        "crypto": {"open": True, "since_ms": 0},
        "forex": {"open": True, "since_ms": utc_ms("2026-03-15T21:00")},
    }


def test_jobs_say_who_chose_their_symbols(planner, control):
    """A job tells whether its symbols are configured or chosen by clients."""
    control.watch(["NVDA"], WEDNESDAY)
    jobs = planner.plan(WEDNESDAY // 1000, WEDNESDAY).to_event()["jobs"]
    chosen = {job["instruments"][0]["symbol"]: job["use"] for job in jobs}
    assert chosen == {"AAPL": "active", "BTC-USD": "active", "EUR/USD": "active", "NVDA": "new"}


def test_without_timetables_nothing_is_known(planner):
    """Without a timetable a job does not say whether its market is open."""
    saturday = utc_ms("2026-03-21T15:00")
    markets = sessions_of(planner.plan(saturday // 1000, saturday))
    assert markets["stocks"] == markets["forex"] == {"open": None, "since_ms": None}


def test_sessions_that_have_run_out_are_unknown(planner, control):
    """Two weeks after the last refresh a job no longer says whether its market is open."""
    control.keep_timetable(STOCKS, published(STOCKS, WEDNESDAY))
    late = WEDNESDAY + 14 * 24 * 60 * MINUTE_MS
    assert sessions_of(planner.plan(late // 1000, late))["stocks"]["open"] is None
    before = late - MINUTE_MS
    assert sessions_of(planner.plan(late // 1000 + 5, before))["stocks"]["open"] is True


def test_planning_reads_sessions_in_a_round_trip_that_it_makes_anyway(planner, control, cache):
    """A plan with timetables takes as many round trips as one without."""

    def round_trips_of_plan(slot: int) -> int:
        before = cache.round_trips
        planner.plan(WEDNESDAY // 1000 + slot, WEDNESDAY + slot * 1000)
        return cache.round_trips - before

    round_trips_of_plan(0)  # the first plan also sends the scripts
    without = round_trips_of_plan(5)
    control.keep_timetable(STOCKS, published(STOCKS, WEDNESDAY))
    assert round_trips_of_plan(10) == without


def test_a_refresh_keeps_the_timetables_though_no_provider_answers(refresh, control):
    """A refresh stores the timetables also if no provider answers."""
    summaries = refresh(WEDNESDAY)
    assert [summary["swapped"] for summary in summaries.values()] == [False] * 3
    expected = {c: published(c, WEDNESDAY) for c in (STOCKS, FOREX)}
    assert control.open_slot(1, 1000, []).timetables == expected


def test_a_failed_calendar_does_not_stop_the_refresh(refresh, control):
    """If a calendar fails, the lists are refreshed and the old timetables stay."""

    def broken(_asset_class, _now_ms):
        raise LookupError("no such calendar")

    control.keep_timetable(STOCKS, DAY)
    assert len(refresh(WEDNESDAY, broken)) == 3
    assert control.open_slot(1, 1000, []).timetables == {STOCKS: DAY}
