"""The breaker: what opens and closes it, what a probe may do, and which results do not count."""

from __future__ import annotations

import threading

import pytest

from marketdata.cache.client import Cache
from marketdata.domain.breaker import BreakerState, Transition
from marketdata.domain.budget import Use
from marketdata.domain.outcomes import BreakerEffect, DenyReason
from marketdata.domain.permits import CallRequest
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from tests.support.caches import patient_cache
from tests.support.control_support import LEASE_MS, OPEN_MS, PLENTY, POLICY, Breaker
from tests.support.control_support import START_MS as NOW

SUCCESS, FAILURE = BreakerEffect.SUCCESS, BreakerEffect.FAILURE
NEUTRAL, TRIP = BreakerEffect.NEUTRAL, BreakerEffect.TRIP


@pytest.fixture
def breaker(cache: Cache, control_of) -> Breaker:
    """A breaker whose provider has enough budget for every call."""
    return Breaker(control_of(cache, PLENTY, POLICY))


def test_five_failures_in_a_minute_open_the_breaker(breaker):
    """The fifth failure within 60 s opens the breaker with its reason, and the fourth does not."""
    for n in range(4):
        assert breaker.attempt(FAILURE, NOW + n * 14_000) == ()
    changed = breaker.attempt(FAILURE, NOW + 56_000, reason="unavailable")
    assert changed == (
        Transition(
            Source.YFINANCE,
            AssetClass.STOCKS,
            BreakerState.CLOSED,
            BreakerState.OPEN,
            "unavailable",
            1,
        ),
    )
    denied = breaker.ask(NOW + 56_000)
    assert (denied.calls, denied.reason) == (0, DenyReason.BREAKER_OPEN)
    assert denied.available_at_ms == NOW + 56_000 + OPEN_MS


def test_five_failures_in_more_than_a_minute_do_not_open_the_breaker(breaker):
    """A failure stops counting after 60 s, so one failure a day never opens the breaker."""
    for n in range(5):
        breaker.attempt(FAILURE, NOW + n * 15_000)
    for day in range(1, 6):
        breaker.attempt(FAILURE, NOW + day * 86_400_000)
    assert breaker.state() is BreakerState.CLOSED


def test_failures_that_are_the_minority_do_not_open_the_breaker(breaker):
    """Failures open the breaker only if they are at least half of the counted results."""
    for n in range(6):
        breaker.attempt(SUCCESS, NOW + n)
    for n in range(5):
        breaker.attempt(FAILURE, NOW + 10 + n)
    assert breaker.state() is BreakerState.CLOSED
    breaker.attempt(FAILURE, NOW + 20)
    assert breaker.state() is BreakerState.OPEN


def test_a_bad_key_opens_the_breaker_at_once(breaker):
    """One unauthorized attempt opens the breaker, and readers see the reason."""
    breaker.open()
    seen = breaker.seen()
    assert (seen.state, seen.reason, seen.since_ms) == (BreakerState.OPEN, "bad_key", NOW)
    assert seen.probe_due_ms == NOW + OPEN_MS


def test_a_success_of_the_probe_closes_the_breaker(breaker):
    """After the open time the next permit is the only probe, and its success closes the breaker."""
    breaker.open()
    assert breaker.ask(NOW + OPEN_MS - 1).reason is DenyReason.BREAKER_OPEN
    probe = breaker.ask(NOW + OPEN_MS, calls=7)
    assert (probe.calls, probe.use, bool(probe.probe)) == (1, Use.PROBE, True)
    seen = breaker.seen(NOW + OPEN_MS)
    assert (seen.state, seen.probing) == (BreakerState.HALF_OPEN, True)
    (changed,) = breaker.tell(probe, SUCCESS, NOW + OPEN_MS + 500)
    assert (changed.before, changed.after) == (BreakerState.HALF_OPEN, BreakerState.CLOSED)
    assert breaker.ask(NOW + OPEN_MS + 500).probe is None
    assert breaker.seen().reason is None


@pytest.mark.parametrize("effect", [FAILURE, TRIP])
def test_a_failure_of_the_probe_opens_the_breaker_again(breaker, effect):
    """A failed probe opens the breaker again for its full time."""
    breaker.open()
    late = NOW + OPEN_MS
    breaker.tell(breaker.ask(late), effect, late + 500)
    assert breaker.ask(late + 500 + OPEN_MS - 1).reason is DenyReason.BREAKER_OPEN
    assert breaker.ask(late + 500 + OPEN_MS).probe


def test_a_neutral_probe_is_given_again(breaker):
    """A probe with a neutral result changes no state, and the next request gets a new probe."""
    breaker.open()
    late = NOW + OPEN_MS
    first = breaker.ask(late)
    assert breaker.tell(first, NEUTRAL, late + 500) == ()
    second = breaker.ask(late + 500)
    assert second.probe not in (None, first.probe)
    assert second.generation == first.generation


def test_a_probe_whose_holder_died_is_given_again_after_its_lease(breaker):
    """After the lease another worker gets the probe, and the first probe's result is ignored."""
    breaker.open()
    late = NOW + OPEN_MS
    dead = breaker.ask(late)
    waiting = breaker.ask(late + LEASE_MS - 1)
    assert (waiting.reason, waiting.available_at_ms) == (DenyReason.PROBING, late + LEASE_MS)
    second = breaker.ask(late + LEASE_MS)
    assert second.probe not in (None, dead.probe)
    assert breaker.tell(dead, SUCCESS, late + LEASE_MS + 1) == ()
    assert breaker.state() is BreakerState.HALF_OPEN
    assert breaker.tell(second, SUCCESS, late + LEASE_MS + 2)


def test_a_result_of_an_earlier_generation_changes_nothing(breaker):
    """A result of a permit from before a change of state neither opens nor closes the breaker."""
    early = [breaker.ask(NOW) for _ in range(12)]
    breaker.open()
    for grant in early[:6]:
        assert breaker.tell(grant, SUCCESS, NOW + 10) == ()
    assert breaker.state() is BreakerState.OPEN
    late = NOW + OPEN_MS
    breaker.tell(breaker.ask(late), SUCCESS, late)
    for grant in early[6:]:
        assert breaker.tell(grant, FAILURE, late + 10) == ()
        assert breaker.tell(grant, TRIP, late + 10) == ()
    assert breaker.state() is BreakerState.CLOSED


def test_fifty_threads_on_a_half_open_breaker_get_one_probe(shared_redis, control_of):
    """Of 50 workers that ask at the same moment exactly one gets the probe."""
    cache = patient_cache(shared_redis)
    breaker = Breaker(control_of(cache, PLENTY, POLICY))
    breaker.open()
    start, grants = threading.Barrier(50), []

    def ask(name: int) -> None:
        want = CallRequest(Source.YFINANCE, AssetClass.STOCKS, 1, Use.ACTIVE, NOW + OPEN_MS + 1000)
        start.wait()
        grants.extend(breaker.control.take([want], NOW + OPEN_MS, f"worker-{name}"))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cache.close()
    assert len(grants) == 50
    assert [grant.calls for grant in grants if grant.probe] == [1]
    assert {g.reason for g in grants if not g.probe} == {DenyReason.PROBING}


@pytest.mark.parametrize("effect", [BreakerEffect.FAILURE, BreakerEffect.STALE])
def test_symbols_that_only_clients_chose_open_no_breaker(breaker, effect):
    """Failures of calls for client-chosen symbols alone do not open the breaker."""
    for second in range(20):
        breaker.attempt(effect, NOW + second * 1000, only_client_symbols=True, detail="odd")
    assert breaker.state(NOW + 20_000) is BreakerState.CLOSED
    assert breaker.seen(NOW + 20_000).last_error.detail == "odd"


def test_a_bad_key_opens_whatever_the_symbols(breaker):
    """A rejected key opens the breaker also if only clients chose the symbols."""
    breaker.attempt(BreakerEffect.TRIP, NOW, reason="bad_key", only_client_symbols=True)
    assert breaker.state() is BreakerState.OPEN
