"""A breaker and its surroundings: other breakers, the budget, its key, and what readers see."""

from __future__ import annotations

import pytest

from marketdata.cache.client import Cache
from marketdata.domain.breaker import BreakerPolicy, BreakerState
from marketdata.domain.budget import Use
from marketdata.domain.outcomes import BreakerEffect, DenyReason
from marketdata.domain.permits import CallRequest
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from tests.support.control_support import OPEN_MS, PLENTY, POLICY, Breaker
from tests.support.control_support import START_MS as NOW

SUCCESS, FAILURE = BreakerEffect.SUCCESS, BreakerEffect.FAILURE
NEUTRAL, TRIP = BreakerEffect.NEUTRAL, BreakerEffect.TRIP


@pytest.fixture
def breaker(cache: Cache, control_of) -> Breaker:
    """A breaker whose provider has enough budget for every call."""
    return Breaker(control_of(cache, PLENTY, POLICY))


def test_breakers_are_independent(breaker):
    """An open breaker of one class and provider denies no call of another."""
    breaker.open()
    forex = Breaker(breaker.control, asset_class=AssetClass.FOREX)
    finnhub = Breaker(breaker.control, source=Source.FINNHUB)
    assert breaker.ask(NOW + 1).calls == 0
    assert (forex.ask(NOW + 1).calls, finnhub.ask(NOW + 1).calls) == (1, 1)


def test_an_asset_list_is_fetched_whatever_the_breaker_says(breaker):
    """A request with `ask_breaker=False` depends on the budget alone."""
    breaker.open()
    assert breaker.ask(NOW + 1, ask_breaker=False, use=Use.ASSETS).calls == 1


def test_without_budget_there_is_no_probe(cache, control_of):
    """An open breaker gives no probe while the budget has no call left."""
    breaker = Breaker(control_of(cache, {Source.YFINANCE: "1/minute"}, BreakerPolicy(1000)))
    breaker.open()
    denied = breaker.ask(NOW + 2000)
    assert (denied.reason, denied.probe) == (DenyReason.BUDGET_EXHAUSTED, None)
    assert breaker.state() is BreakerState.OPEN
    assert breaker.ask(denied.available_at_ms).probe


def test_two_requests_of_one_call_share_the_breaker(breaker):
    """Of two requests in one call the first gets the probe, and the second has to wait."""
    breaker.open()
    want = CallRequest(Source.YFINANCE, AssetClass.STOCKS, 1, Use.ACTIVE, NOW + OPEN_MS + 1000)
    first, second = breaker.control.take([want, want], NOW + OPEN_MS, "t")
    assert first.probe
    assert second.reason is DenyReason.PROBING


@pytest.mark.parametrize(
    "spoil",
    [
        ("HSET", "state", "ajar", "generation", "x"),
        ("HSET", "state", "open", "since", "NaN"),
        ("HSET", "state", "half_open", "probe", "p", "probe_until", "9" * 30),
        ("SET", "not a hash"),
        ("DEL",),
    ],
    ids=" ".join,
)
def test_an_unreadable_breaker_lets_calls_pass(cache, breaker, spoil):
    """A damaged breaker permits a call, and its result is counted."""
    key = cache.key("control", "breaker", "yfinance", "stocks")
    cache.command("DEL", key)
    cache.command(spoil[0], key, *spoil[1:])
    grant = breaker.ask(NOW)
    assert grant.calls == 1
    breaker.tell(grant, SUCCESS, NOW)
    assert breaker.state() is BreakerState.CLOSED


def test_a_clock_that_ran_ahead_does_not_keep_the_breaker_open(breaker):
    """An opening time far in the future is ignored."""
    breaker.open(NOW + 86_400_000)
    assert breaker.ask(NOW).probe


def test_the_last_success_and_error_are_kept(breaker):
    """Readers see the last success, and the last error with its time and a shortened reason."""
    breaker.attempt(SUCCESS, NOW)
    breaker.attempt(FAILURE, NOW + 5, outcome="unavailable", detail="x" * 1000)
    breaker.attempt(NEUTRAL, NOW + 9, outcome="not_found")
    seen = breaker.seen()
    assert seen.last_success_ms == NOW
    assert (seen.last_error.at_ms, seen.last_error.outcome) == (NOW + 5, "unavailable")
    assert len(seen.last_error.detail) == 200


def test_a_breaker_stays_small(cache, breaker):
    """An hour of results leaves counts of one minute, and the key has no TTL."""
    for second in range(0, 3600, 7):
        effect = FAILURE if second % 2 else SUCCESS
        breaker.attempt(effect, NOW + second * 1000)
        breaker.attempt(SUCCESS, NOW + second * 1000)
    key = cache.key("control", "breaker", "yfinance", "stocks")
    assert cache.command("HLEN", key) < 30
    assert cache.command("TTL", key) == -1
