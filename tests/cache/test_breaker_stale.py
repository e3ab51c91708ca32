"""The breaker and a stale source: answers arrive in time, but their prices are old."""

from __future__ import annotations

import pytest

from marketdata.cache.client import Cache
from marketdata.domain.breaker import BreakerState
from marketdata.domain.outcomes import BreakerEffect
from tests.support.control_support import OPEN_MS, PLENTY, POLICY, Breaker
from tests.support.control_support import START_MS as NOW

SUCCESS, FAILURE = BreakerEffect.SUCCESS, BreakerEffect.FAILURE
NEUTRAL, STALE = BreakerEffect.NEUTRAL, BreakerEffect.STALE
STALE_RESULT = {"outcome": "stale", "detail": "62 min old", "reason": "stale_source"}


@pytest.fixture
def breaker(cache: Cache, control_of) -> Breaker:
    """A breaker whose provider has enough budget for every call."""
    return Breaker(control_of(cache, PLENTY, POLICY))


def stale(breaker: Breaker, times: int, from_ms: int = NOW, *, apart_ms: int = 5000) -> None:
    """Report `times` stale answers, one each `apart_ms`."""
    for n in range(times):
        breaker.attempt(STALE, from_ms + n * apart_ms, **STALE_RESULT)


def test_five_stale_answers_in_a_row_open_the_breaker(breaker):
    """The fifth stale answer in a row opens the breaker with the reason `stale_source`."""
    stale(breaker, 4)
    assert breaker.state() is BreakerState.CLOSED
    (changed,) = breaker.attempt(STALE, NOW + 20_000, **STALE_RESULT)
    assert (changed.after, changed.reason) == (BreakerState.OPEN, "stale_source")
    seen = breaker.seen()
    assert (seen.state, seen.reason) == (BreakerState.OPEN, "stale_source")


@pytest.mark.parametrize(("answers", "failures"), [(0, 5), (1, 5), (2, 5), (3, 2), (4, 1)])
def test_three_in_a_row_count_as_three_failures(breaker, answers, failures):
    """Two stale answers count as no failure, three as three, and each further one as one."""
    stale(breaker, answers, apart_ms=0)
    for _ in range(failures - 1):
        breaker.attempt(FAILURE, NOW)
        assert breaker.state() is BreakerState.CLOSED
    breaker.attempt(FAILURE, NOW)
    assert breaker.state() is BreakerState.OPEN


def test_a_current_answer_ends_the_row(breaker):
    """A current answer starts the count of stale answers in a row again."""
    for n in range(6):
        stale(breaker, 2, NOW + n, apart_ms=0)
        breaker.attempt(SUCCESS, NOW + n)
    for _ in range(4):
        breaker.attempt(FAILURE, NOW + 10)
    assert breaker.state() is BreakerState.CLOSED


@pytest.mark.parametrize(
    ("effect", "more"),
    [(NEUTRAL, {"outcome": "rate_limited"}), (SUCCESS, {"judged": False})],
    ids=["rate limited", "success that says nothing"],
)
def test_an_answer_without_a_judged_price_does_not_end_the_row(breaker, effect, more):
    """A rate limit, or an answer without a price to judge, does not reset the count in a row."""
    for n in range(4):
        breaker.attempt(STALE, NOW + n, **STALE_RESULT)
        breaker.attempt(effect, NOW + n, **more)
    breaker.attempt(STALE, NOW + 4, **STALE_RESULT)
    assert breaker.state() is BreakerState.OPEN


def test_stale_answers_once_an_hour_never_open_the_breaker(breaker):
    """Stale answers once an hour never open the breaker, because five are never within 60 s."""
    stale(breaker, 48, apart_ms=3_600_000)
    assert breaker.state(NOW + 48 * 3_600_000) is BreakerState.CLOSED


def test_earlier_successes_keep_the_breaker_closed(breaker):
    """Stale answers open the breaker only if they are at least half of the counted results."""
    for n in range(8):
        breaker.attempt(SUCCESS, NOW + n)
    stale(breaker, 7, NOW + 10, apart_ms=1)
    assert breaker.state() is BreakerState.CLOSED
    breaker.attempt(STALE, NOW + 20, **STALE_RESULT)
    assert breaker.state() is BreakerState.OPEN


def test_a_stale_probe_opens_the_breaker_again(breaker):
    """A stale answer to the probe opens the breaker again."""
    stale(breaker, 5)
    late = NOW + 20_000 + OPEN_MS
    (changed,) = breaker.tell(breaker.ask(late), STALE, late + 500, **STALE_RESULT)
    assert (changed.before, changed.after) == (BreakerState.HALF_OPEN, BreakerState.OPEN)
    assert breaker.seen(late + 500).reason == "stale_source"


def test_a_row_does_not_outlast_a_change_of_state(breaker):
    """After a probe has closed the breaker, stale answers are counted from zero."""
    stale(breaker, 5)
    late = NOW + 20_000 + OPEN_MS
    breaker.tell(breaker.ask(late), SUCCESS, late)
    stale(breaker, 2, late, apart_ms=0)
    for _ in range(4):
        breaker.attempt(FAILURE, late)
    assert breaker.state(late) is BreakerState.CLOSED


def test_a_stale_answer_of_an_earlier_generation_counts_as_nothing(breaker):
    """A stale answer whose permit is from before the breaker opened and closed is ignored."""
    early = [breaker.ask(NOW) for _ in range(5)]
    breaker.open()
    late = NOW + OPEN_MS
    breaker.tell(breaker.ask(late), SUCCESS, late)
    for grant in early:
        assert breaker.tell(grant, STALE, late, **STALE_RESULT) == ()
    assert breaker.state(late) is BreakerState.CLOSED


def test_a_stale_answer_is_the_last_error(breaker):
    """The first stale answer already is the last error, and the last success stays."""
    breaker.attempt(SUCCESS, NOW)
    breaker.attempt(STALE, NOW + 5000, **STALE_RESULT)
    seen = breaker.seen()
    assert (seen.last_error.outcome, seen.last_error.detail) == ("stale", "62 min old")
    assert (seen.last_error.at_ms, seen.last_success_ms) == (NOW + 5000, NOW)


def test_a_row_that_cannot_be_read_counts_as_none(cache, breaker):
    """A damaged count of stale answers reads as zero."""
    cache.command("HSET", cache.key("control", "breaker", "yfinance", "stocks"), "stale", "many")
    stale(breaker, 4)
    assert breaker.state() is BreakerState.CLOSED
    stale(breaker, 1, NOW + 20_000)
    assert breaker.state() is BreakerState.OPEN
