"""The table of metrics, and the samples of plans, commits, ages and providers."""

from __future__ import annotations

import re

import pytest
from aws_lambda_powertools.metrics import MetricUnit

from marketdata.domain.breaker import BreakerState
from marketdata.domain.budget import Limit
from marketdata.domain.messages import Plan, Summary, SummaryOutcome
from marketdata.domain.outcomes import BREAKER_EFFECTS, BreakerEffect, Outcome
from marketdata.domain.permits import ClassState, LimitState, ProviderState
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.observability import metrics
from marketdata.observability.metrics import ANSWERS, METRICS, STATES, Sample
from tests.support.metric_lines import TABLE

SLOT = 1_763_820_300  # the first of a minute
NOW = SLOT * 1000 + 12
STOCKS, CRYPTO, FOREX = AssetClass
MOST_SERIES = 33


def by_series(samples: list[Sample]) -> dict:
    """Samples by series."""
    return {(s.metric.name, *sorted(s.dimensions.items())): s.value for s in samples}


def plan(slot=SLOT, previous=SLOT - 5, *, claimed=True):
    return Plan(slot=slot, previous=previous, claimed=claimed, due=1, jobs=())


def outcome(provider, what, latency_ms=120):
    return SummaryOutcome(
        provider=provider, outcome=what, latency_ms=latency_ms, detail="", calls_used=1, quotes=0
    )


def summary(*outcomes, written=None, held_back=None):
    return Summary(
        slot=SLOT,
        job="j1",
        asset_class="stocks",
        written=written or {},
        held_back=held_back or {},
        missing={},
        outcomes=outcomes,
        transitions=(),
    )


def breaker(state):
    return ClassState(
        state=state,
        since_ms=None,
        reason=None,
        generation=1,
        probe_due_ms=None,
        probing=False,
        last_success_ms=None,
        last_error=None,
    )


def provider_state(*limits, states=None, routine_at_ms=0):
    return ProviderState(
        source=Source.YFINANCE,
        classes={asset_class: breaker(state) for asset_class, state in (states or {}).items()},
        limits=tuple(
            LimitState(Limit(calls, window), used, None) for calls, window, used in limits
        ),
        hold_until_ms=None,
        routine_at_ms=routine_at_ms,
    )


def test_there_are_no_more_series_than_are_paid_for():
    """All metrics with their dimensions are 33 series, as many as the bill counts."""
    assert sum(len(metric.series) for metric in METRICS) == len(TABLE) == MOST_SERIES


def test_no_dimension_can_grow():
    """The values of dimensions are providers, classes and two outcomes, so series are bounded."""
    known = {
        "provider": {source.value for source in Source},
        "asset_class": {asset_class.value for asset_class in AssetClass},
        "outcome": {"answered", "failed"},
    }
    for metric in METRICS:
        for dimensions in metric.series:
            assert dimensions.keys() <= known.keys()
            assert all(value in known[name] for name, value in dimensions.items())


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_has_a_name_a_unit_of_cloudwatch_and_a_meaning(metric):
    """A metric has a name, a unit, a meaning and the same dimensions in all its series."""
    assert re.fullmatch("[A-Z][A-Za-z]+", metric.name)
    assert metric.unit in [unit.value for unit in MetricUnit]
    assert metric.meaning
    assert len({tuple(sorted(dimensions)) for dimensions in metric.series}) == 1


def test_every_metric_that_the_module_names_is_in_the_table():
    """The table has each metric of the module once, in the module's order."""
    named = [value for value in vars(metrics).values() if isinstance(value, metrics.Metric)]
    assert named == list(METRICS)
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_a_series_that_is_not_in_the_table_is_an_error():
    """A sample with a dimension or a value that the table does not have raises ValueError."""
    with pytest.raises(ValueError, match="QuoteAge has no series"):
        metrics.QUOTE_AGE.sample(1, asset_class="bonds")
    with pytest.raises(ValueError, match="TickLag has no series"):
        metrics.TICK_LAG.sample(1, symbol="AAPL")


@pytest.mark.parametrize(
    ("previous", "missed"),
    [(None, 0), (SLOT - 5, 0), (SLOT - 10, 1), (SLOT - 65, 12), (SLOT - 86_400, 17_279)],
)
def test_missed_slots_are_those_between_two_claims(previous, missed):
    """The slots since the claim before are missed, and none if no claim before is known."""
    samples = by_series(metrics.of_plan(plan(previous=previous), NOW))
    assert samples == {("TickLag",): 12, ("MissedSlots",): missed}


def test_a_claim_that_comes_early_has_no_lag():
    """A claim that is some milliseconds early has a lag of 0, not a negative one."""
    assert by_series(metrics.of_plan(plan(), SLOT * 1000 - 3))["TickLag",] == 0


def test_a_slot_that_somebody_else_claimed_is_not_measured():
    """A plan that did not get its slot has no samples, because the slot's winner has them."""
    lost = plan(previous=None, claimed=False)
    assert metrics.of_plan(lost, NOW) == []
    assert not metrics.opens_minute(lost)


@pytest.mark.parametrize(
    ("slot", "previous", "opens"),
    [
        (SLOT, SLOT - 5, True),
        (SLOT + 5, SLOT, False),
        (SLOT + 55, SLOT + 50, False),
        (SLOT + 15, SLOT - 5, True),  # the first slots of this minute were missed
        (SLOT + 15, None, True),
    ],
)
def test_one_slot_opens_each_minute(slot, previous, opens):
    """The first slot that is claimed in a minute opens that minute."""
    assert metrics.opens_minute(plan(slot, previous)) is opens


def test_a_commit_counts_its_quotes_and_times_its_attempts():
    """A commit counts the quotes of all sources together, and times each attempt."""
    samples = metrics.of_commit(
        summary(
            outcome("yfinance", "unavailable", 3100),
            outcome("finnhub", "partial", 240),
            written={"finnhub": 7, "yfinance": 1},
            held_back={"quarantined": 2, "older": 5},
        )
    )
    assert by_series(samples) == {
        ("QuotesWritten",): 8,
        ("QuotesQuarantined",): 2,
        ("RateLimited",): 0,
        ("ProviderLatency", ("outcome", "failed"), ("provider", "yfinance")): 3100,
        ("ProviderLatency", ("outcome", "answered"), ("provider", "finnhub")): 240,
    }


def test_a_rate_limit_is_a_failed_attempt_that_is_also_counted_apart():
    """A rate-limited attempt counts as failed, and also in RateLimited."""
    samples = by_series(metrics.of_commit(summary(outcome("finnhub", "rate_limited", 80))))
    assert samples["RateLimited",] == 1
    assert samples["ProviderLatency", ("outcome", "failed"), ("provider", "finnhub")] == 80


def test_a_skipped_attempt_has_no_latency():
    """An attempt that made no call has no latency, which would be shorter than any call's."""
    samples = by_series(metrics.of_commit(summary(outcome("finnhub", "skipped", 0))))
    assert set(samples) == {("QuotesWritten",), ("QuotesQuarantined",), ("RateLimited",)}


def test_every_outcome_counts_as_answered_or_failed_or_nothing():
    """Each outcome is counted or left out, and a breaker's failure counts as failed."""
    assert set(ANSWERS) == set(Outcome)
    bad = {BreakerEffect.FAILURE, BreakerEffect.TRIP, BreakerEffect.STALE}
    for what, effect in BREAKER_EFFECTS.items():
        assert (ANSWERS[what] == "failed") or effect not in bad


def test_the_age_of_a_class_is_that_of_its_oldest_quote():
    """A class has the age of its oldest quote, which is never below 0."""
    times = {STOCKS: [NOW - 4_000, NOW - 61_500, None], CRYPTO: [NOW + 900], FOREX: []}
    assert by_series(metrics.of_ages(times, NOW)) == {
        ("QuoteAge", ("asset_class", "stocks")): 61.5,
        ("QuoteAge", ("asset_class", "crypto")): 0,
        ("QuoteAge", ("asset_class", "forex")): 0,  # no symbol is active or watched
    }


def test_a_class_without_any_quote_has_no_sample():
    """A class with symbols and without a quote has no age, which its alarm takes as a fault."""
    assert metrics.of_ages({STOCKS: [None, None]}, NOW) == []


@pytest.mark.parametrize(
    ("limits", "routine_at_ms", "left"),
    [
        ([(60, "minute", 15)], 0, 75),
        ([(30, "second", 30), (60, "minute", 30)], 0, 50),
        ([(10_000, "month", 2_500), (30, "minute", 30)], 0, 75),
        ([(25, "day", 26)], 0, 0),  # a limit that was lowered
        ([(25, "day", 0)], None, 0),
    ],
)
def test_the_budget_that_is_left_is_that_of_the_longest_window(limits, routine_at_ms, left):
    """BudgetLeft is the longest window's remaining share in per cent; 0 if it is unreadable."""
    samples = by_series(metrics.of_provider(provider_state(*limits, routine_at_ms=routine_at_ms)))
    assert samples == {("BudgetLeft", ("provider", "yfinance")): left}


def test_a_breaker_is_a_number_per_provider_and_class():
    """The number of a breaker is 0 if closed, 1 if half-open and 2 if open."""
    states = {STOCKS: BreakerState.OPEN, FOREX: BreakerState.HALF_OPEN}
    samples = by_series(metrics.of_provider(provider_state((60, "minute", 0), states=states)))
    assert samples["BreakerState", ("asset_class", "stocks"), ("provider", "yfinance")] == 2
    assert samples["BreakerState", ("asset_class", "forex"), ("provider", "yfinance")] == 1
    assert STATES == {"closed": 0, "half_open": 1, "open": 2}
    assert set(STATES) == set(BreakerState)
