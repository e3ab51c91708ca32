"""Taking permits and recording results: one round trip each, and each report counts once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from marketdata.cache.client import Cache, connect
from marketdata.cache.control import ControlState
from marketdata.domain.breaker import BreakerState
from marketdata.domain.budget import Use
from marketdata.domain.outcomes import BreakerEffect, DenyReason
from marketdata.domain.permits import CallRequest
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.errors import CacheUnavailableError
from marketdata.settings import Settings
from tests.support.control_support import result_of
from tests.support.redis_servers import Doorway

NOW = 1_763_820_310_000
LIMITS = {Source.YFINANCE: "60/minute", Source.FINNHUB: "10/minute,1000/day"}
WANT = CallRequest(Source.FINNHUB, AssetClass.STOCKS, 5, Use.NEW, NOW + 3500)


@pytest.fixture
def control(cache: Cache, control_of) -> ControlState:
    """Control state of two providers."""
    return control_of(cache, LIMITS)


def used_of(control: ControlState, source: Source = Source.FINNHUB) -> list[int]:
    """Return the calls counted per limit."""
    return [limit.used for limit in control.read_providers(NOW).providers[source].limits]


def test_a_whole_plan_takes_one_round_trip(cache, control):
    """Requests for several providers and classes are decided in one round trip, in their order."""
    wants = [
        dataclasses.replace(WANT, calls=3),
        CallRequest(Source.YFINANCE, AssetClass.FOREX, 1, Use.ACTIVE, NOW + 3500),
        dataclasses.replace(WANT, calls=3),
    ]
    control.take([], NOW, "t0")
    control.take(wants[1:2], NOW, "t1")
    before = cache.round_trips
    grants = control.take(wants, NOW, "t2")
    assert cache.round_trips - before == 1
    assert [(grant.source, grant.calls) for grant in grants] == [
        (Source.FINNHUB, 3),
        (Source.YFINANCE, 1),
        (Source.FINNHUB, 2),
    ]
    assert used_of(control, Source.YFINANCE) == [2]


def test_a_request_without_room_in_one_window_is_counted_in_none(control):
    """A reservation is counted in all windows or in none."""
    control.take([dataclasses.replace(WANT, calls=4)], NOW, "t1")
    (denied,) = control.take([dataclasses.replace(WANT, calls=4, least=2)], NOW, "t2")
    assert denied.reason is DenyReason.BUDGET_EXHAUSTED
    assert used_of(control) == [4, 4]


def test_a_job_that_does_not_fit_is_granted_nothing_and_counted_nowhere(control):
    """A job that does not fit gets nothing, and smaller jobs after it may still fit."""
    yahoo = dataclasses.replace(WANT, source=Source.YFINANCE, calls=1)
    wants = [
        dataclasses.replace(WANT, calls=1, job=1, size=600),
        dataclasses.replace(yahoo, job=1, size=600),
        dataclasses.replace(WANT, calls=1, job=2, size=500),
        dataclasses.replace(yahoo, job=2, size=500),
        dataclasses.replace(yahoo, job=3, size=400),
    ]
    grants = control.take(wants, NOW, "t1", room=1_000)
    assert [grant.calls for grant in grants] == [1, 1, 0, 0, 1]
    assert {grant.reason for grant in grants[2:4]} == {DenyReason.NO_ROOM}
    assert used_of(control) == [1, 1]
    assert used_of(control, Source.YFINANCE) == [2]


def test_a_denied_request_takes_no_room(control):
    """A job that gets no call leaves its room to the jobs after it."""
    control.take([dataclasses.replace(WANT, calls=10)], NOW, "t1")
    wants = [
        dataclasses.replace(WANT, job=1, size=900),
        dataclasses.replace(WANT, source=Source.YFINANCE, job=2, size=900),
    ]
    spent, granted = control.take(wants, NOW, "t2", room=1_000)
    assert (spent.reason, granted.calls) == (DenyReason.BUDGET_EXHAUSTED, 5)


def test_a_whole_report_takes_one_round_trip(cache, control):
    """Results, due times and exclusions are recorded in one call."""
    grants = control.take([WANT, dataclasses.replace(WANT, source=Source.YFINANCE)], NOW, "t1")
    control.record((), {}, (), NOW)
    before = cache.round_trips
    control.record(
        [result_of(grant, 1, BreakerEffect.SUCCESS) for grant in grants],
        {"AAPL": NOW + 5000},
        [(Source.FINNHUB, "OCDO.L")],
        NOW + 1000,
        report="r1",
    )
    assert cache.round_trips - before == 1
    assert used_of(control) == [1, 1]
    assert used_of(control, Source.YFINANCE) == [1]


def test_a_report_that_is_delivered_twice_counts_once(control):
    """A repeated report gives no call back and counts no result."""
    want = dataclasses.replace(WANT, use=Use.ASSETS)
    first, _ = control.take([want, want], NOW, "t1")
    failed = result_of(first, 0, BreakerEffect.FAILURE)
    for _ in range(7):
        assert control.record([failed], {}, (), NOW, report="r1") == ()
    assert used_of(control) == [5, 5]
    state = control.read_providers(NOW).providers[Source.FINNHUB].classes[AssetClass.STOCKS]
    assert state.state is BreakerState.CLOSED


def test_a_lost_answer_does_not_give_calls_back_twice(
    redis_server, control_of: Callable[..., ControlState]
):
    """A refund counts once, also if the connection breaks after the report arrived."""
    with Doorway(redis_server.port) as door:
        cache = connect(
            Settings.from_env({"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(door.port)})
        )
        control = control_of(cache, {Source.FINNHUB: "100/minute"})
        for report in ("", "r1"):
            grants = [control.take([WANT], NOW, f"{report}{n}")[0] for n in range(2)]
            counted = used_of(control)[0]
            control.record((), {}, (), NOW)
            door.swallow = 1
            if report:
                control.record(
                    [result_of(grants[0], 0, BreakerEffect.SUCCESS)], {}, (), NOW, report=report
                )
            else:
                with pytest.raises(CacheUnavailableError):
                    control.record([result_of(grants[0], 0, BreakerEffect.SUCCESS)], {}, (), NOW)
            assert used_of(control)[0] == counted - 5
        cache.close()


def test_a_worker_that_dies_after_taking_leaves_its_calls_spent(control):
    """Calls without a report count for their window, and are free again after it."""
    control.take([WANT], NOW, "t1")
    later = dataclasses.replace(WANT, until_ms=NOW + 70_000)
    assert control.take([later], NOW + 60_000, "t2")[0].calls == 0
    assert control.take([later], NOW + 70_000, "t3")[0].calls == 5


def test_a_late_report_still_settles_its_budget(control):
    """A report of an earlier generation changes no breaker, but its refund and hold count."""
    (early,) = control.take([WANT], NOW, "t1")
    (other,) = control.take([dataclasses.replace(WANT, use=Use.ACTIVE)], NOW, "t2")
    trip = dataclasses.replace(result_of(other, other.calls, BreakerEffect.TRIP), reason="bad_key")
    control.record([trip], {}, (), NOW)
    late = dataclasses.replace(result_of(early, 0, BreakerEffect.SUCCESS), hold_until_ms=NOW + 9000)
    assert control.record([late], {}, (), NOW + 60) == ()
    seen = control.read_providers(NOW + 60).providers[Source.FINNHUB]
    assert [limit.used for limit in seen.limits] == [other.calls] * 2
    assert seen.hold_until_ms == NOW + 9000
    assert seen.classes[AssetClass.STOCKS].state is BreakerState.OPEN


def test_readers_see_all_control_state_in_one_round_trip(cache, control):
    """One round trip reads all providers with their classes, and the last slot."""
    control.open_slot(1_763_820_310, NOW, [])
    control.read_providers(NOW)
    before = cache.round_trips
    view = control.read_providers(NOW)
    assert cache.round_trips - before == 1
    assert view.last_slot_s == 1_763_820_310
    assert list(view.providers) == list(LIMITS)
    assert set(view.providers[Source.YFINANCE].classes) == {AssetClass.STOCKS, AssetClass.FOREX}


def test_no_control_key_has_a_time_to_live(cache, control):
    """No key of the control state has a TTL, so eviction cannot delete one."""
    control.open_slot(1_763_820_310, NOW, ["AAPL"])
    control.watch(["ABC"], NOW)
    (grant,) = control.take([WANT], NOW, "t1")
    excluded = [(Source.FINNHUB, "OCDO.L")]
    control.record(
        [result_of(grant, 1, BreakerEffect.SUCCESS)], {"AAPL": NOW}, excluded, NOW, report="r1"
    )
    keys = cache.command("KEYS", "*")
    names = {key.decode().split(":")[2] for key in keys}
    assert names == {"slot", "watched", "breaker", "budget", "due", "excluded", "recorded"}
    assert {cache.command("TTL", key.decode()) for key in keys} == {-1}
