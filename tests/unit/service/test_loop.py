"""The loop on one machine: its slots, its lines, and its end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.service.loop import PriceLoop, Tick, next_slot, run_slot
from marketdata.domain.catalogue import Instrument
from marketdata.domain.messages import Job
from marketdata.domain.symbols import AssetClass, parse_symbol
from marketdata.errors import CacheUnavailableError
from tests.support.step_fakes import IDLE, SLOT, SUMMARY, Fakes

JOB = Job(
    id="j1",
    slot=SLOT,
    deadline_ms=SLOT * 1000 + 3500,
    asset_class=AssetClass.CRYPTO,
    instruments=(Instrument(parse_symbol("BTC-USD")),),
    attempts=(),
).to_event()


def outcome(provider: str, outcome: str, detail: str) -> dict[str, Any]:
    """One attempt of a summary."""
    numbers = {"calls_used": 1, "latency_ms": 5, "quotes": 0}
    return {"provider": provider, "outcome": outcome, "detail": detail, **numbers}


def change(provider: str, asset_class: str, after: str, reason: str | None) -> dict[str, Any]:
    """One change of a breaker in a summary."""
    return {
        "provider": provider,
        "asset_class": asset_class,
        "before": "closed" if after == "open" else "open",
        "after": after,
        "reason": reason,
    }


def slot_of(fakes: Fakes) -> Tick:
    """Run one slot that takes 73 ms by its clock."""
    times = iter((10.0, 10.0731))
    with ThreadPoolExecutor(2) as pool:
        return run_slot(fakes.steps(), SLOT, pool, lambda: next(times))


def test_a_slot_goes_through_plan_fetch_and_commit():
    """Each step gets the JSON that the step before returned."""
    fakes = Fakes(plan={**IDLE, "due": 6, "jobs": (JOB,)}, fetch={"quotes": ()})
    tick = slot_of(fakes)
    assert fakes.given == [
        ("plan", {"slot": SLOT}),
        ("fetch", JOB),
        ("commit", {"quotes": []}),
    ]
    assert tick.line() == "14:05:10  due   6  written   6  coingecko 6  73 ms"


def test_a_report_that_is_not_json_is_a_failed_fetch():
    """A report that could not pass between steps on AWS is committed as a failed fetch."""
    fakes = Fakes(plan={**IDLE, "jobs": [JOB]}, fetch={"quotes": {1, 2}})
    slot_of(fakes)
    (_, report) = fakes.given[-1]
    assert report == {"job": JOB, "error": "TypeError: Object of type set is not JSON serializable"}


def test_a_fetch_that_raises_is_committed_as_failed():
    """A fetch that raises fails its own job only, as with Catch in the state machine."""
    other = {**JOB, "asset_class": "forex"}

    def fetch(job: dict[str, Any]) -> Any:
        return RuntimeError("broken") if job == JOB else {"quotes": []}

    def commit(report: dict[str, Any]) -> Any:
        return {**SUMMARY, "written": {}, "error": report.get("error", "")}

    tick = slot_of(Fakes(plan={**IDLE, "jobs": [JOB, other]}, fetch=fetch, commit=commit))
    assert tick.failed == ["crypto fetch failed (RuntimeError: broken)"]


def test_a_slot_of_another_loop_says_so():
    """A slot that another loop has claimed fetches nothing, and its line says so."""
    fakes = Fakes(plan={**IDLE, "claimed": False})
    assert slot_of(fakes).line() == "14:05:10  done by another loop  73 ms"
    assert len(fakes.given) == 1


def test_the_line_names_the_cache_that_is_away():
    """If Redis does not answer, the line of the slot names its address and the error."""
    fakes = Fakes(plan=CacheUnavailableError("Redis at 127.0.0.1:6379: connection refused"))
    line = slot_of(fakes).line()
    assert line == "14:05:10  failed: Redis at 127.0.0.1:6379: connection refused  73 ms"


def test_a_line_tells_who_failed_who_was_skipped_and_what_changed():
    """A line has each failure, skipped provider and breaker change once for all jobs."""
    skipped = {
        "provider": "alpha_vantage",
        "asset_class": "forex",
        "reason": "budget_exhausted",
        "available_at_ms": (SLOT + 123) * 1000,
    }
    probing = {**skipped, "reason": "probing", "provider": "yfinance", "available_at_ms": None}
    commit = {
        **SUMMARY,
        "written": {"coinmarketcap": 5},
        "held_back": {"quarantined": 1},
        "missing": {"not_found": 1},
        "missing_symbols": {"not_found": ["NOCOIN-USD"]},
        "outcomes": [
            outcome("coingecko", "unavailable", "timed out"),
            outcome("coinmarketcap", "ok", ""),
        ],
        "transitions": [
            change("coingecko", "crypto", "open", "unavailable"),
            change("finnhub", "stocks", "closed", None),
        ],
    }
    plan = {**IDLE, "due": 14, "jobs": [JOB, JOB], "skipped": [skipped, skipped, probing]}
    assert slot_of(Fakes(plan=plan, commit=commit)).line() == (
        "14:05:10  due  14  written  10  coinmarketcap 10  quarantined 2"
        "  missing: NOCOIN-USD, NOCOIN-USD (not found)"
        "  failed: coingecko unavailable (timed out)"
        "  skipped: alpha_vantage/forex (budget exhausted, asked again in 123 s),"
        " yfinance/forex (probing)"
        "  changes: coingecko/crypto breaker open (unavailable), finnhub/stocks breaker closed"
        "  73 ms"
    )


def test_missing_symbols_are_named_and_those_beyond_five_are_counted():
    """Of 17 missing symbols the line has five names and "and 12 more", whoever reported them."""
    names = [f"MISS{number}" for number in range(5)]
    commit = {**SUMMARY, "missing": {"not_found": 17}, "missing_symbols": {"not_found": names}}
    line = slot_of(Fakes(plan={**IDLE, "jobs": [JOB]}, commit=commit)).line()
    assert "missing: MISS0, MISS1, MISS2, MISS3, MISS4 and 12 more (not found)  " in line


def test_a_summary_of_another_version_without_names_is_counted():
    """Missing symbols are counted if the summary, of another version, has no names."""
    commit = {**SUMMARY, "missing": {"pending": 2}}
    line = slot_of(Fakes(plan={**IDLE, "jobs": [JOB]}, commit=commit)).line()
    assert "missing: 2 symbols (pending)  " in line


@pytest.mark.parametrize("plan", [IDLE, CacheUnavailableError("away"), KeyError("jobs")])
def test_the_loop_runs_the_slot_under_way_at_once_and_stops(plan, caplog):
    """Every slot has its line, whatever its result, and no slot starts after `stop`."""
    reported, first = [], threading.Event()

    def tell(tick: Tick) -> None:
        reported.append(tick)
        first.set()

    loop = PriceLoop(Fakes(plan=plan).steps(), tell)
    thread = threading.Thread(target=loop.run)
    thread.start()
    assert first.wait(10)
    loop.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert all(tick.slot % 5 == 0 for tick in reported)
    expected = {KeyError: "KeyError, see the log", CacheUnavailableError: "away"}
    assert reported[0].error == expected.get(type(plan), "")
    assert ("slot failed" in caplog.text) == isinstance(plan, KeyError)


def test_a_slot_that_ends_after_the_stop_is_not_reported(caplog):
    """A slot that ends after `stop` has no line and no log, because Redis ends then, too."""
    loop: list[PriceLoop] = []

    def plan(_event: dict[str, Any]) -> Exception:
        loop[0].stop()
        return KeyError("late")

    reported: list[Tick] = []
    loop.append(PriceLoop(Fakes(plan=plan).steps(), reported.append))
    loop[0].run()
    assert reported == []
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("now_s", "expected"),
    [
        (1000.2, 1005),
        (1004.999, 1005),
        (1007.0, 1005),
        (4603.0, 4600),
        (996.0, 1005),
        (-2600.0, -2595),
    ],
    ids=["in time", "just before", "late", "after sleep", "early", "clock went back"],
)
def test_the_next_slot_is_near_whatever_the_wall_clock_does(now_s, expected):
    """A clock that jumps by an hour, forwards or back, costs at most two slots."""
    assert next_slot(1000, now_s) == expected
