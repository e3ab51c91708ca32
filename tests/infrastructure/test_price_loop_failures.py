"""Minutes of the price loop in which steps fail: a failure costs only its slot or its job."""

from __future__ import annotations

import pytest

from tests.infrastructure.api_client import breaker, sources, used
from tests.infrastructure.machines import MINUTE_MS, ThrottledError, deployed

SYMBOLS = "AAPL,BTC-USD,EUR/USD"
FIRST = {"AAPL": "yfinance", "BTC-USD": "coingecko", "EUR/USD": "alpha_vantage"}


class DefectError(Exception):
    """The error of a handler with a defect."""


def job_of(event: dict) -> dict:
    """The job that a fetch or a commit is given."""
    return event.get("job", event)


def fails(machines, function: str, failure, *, at_s: int, asset_class: str | None = None) -> None:
    """Let a function fail in one slot of the minute, for one class if `asset_class` names one.

    `failure` is what happens instead of an answer, given the event and the real handler.
    """

    def instead(event, handler):
        job = job_of(event)
        is_chosen = job["slot"] * 1000 == MINUTE_MS + at_s * 1000
        if is_chosen and asset_class in (None, job.get("asset_class")):
            return failure(event, handler)
        return handler(event)

    machines.instead[function] = instead


def raises(_event, _handler):
    """Raise as a handler with a defect does."""
    raise DefectError("this is broken")


def throttled(_event, _handler):
    """Raise as Lambda does without concurrency left."""
    raise ThrottledError


def hangs(machines):
    """A handler that does its work and then does not end within any limit."""

    def late(event, handler):
        answer = handler(event)
        machines.spend(30)
        return answer

    return late


@pytest.mark.parametrize(
    "plan",
    [
        raises,
        throttled,
        lambda _event, _handler: None,
        lambda _event, _handler: {"slot": 1, "claimed": True},
        lambda _event, _handler: {"claimed": True, "jobs": "a text"},
    ],
    ids=["raises", "throttled", "nothing", "no jobs", "not a list"],
)
def test_a_plan_that_fails_costs_its_slot(machines, plan):
    """Any error of plan or of its answer costs one slot; the next begins in time."""
    fails(machines, "plan_quotes", plan, at_s=50)
    (ended,) = machines.run_minute(from_s=50)
    assert ended.status == "SUCCEEDED"
    assert [call.at_ms for call in machines.of("plan_quotes")][-1] == MINUTE_MS + 55_000
    assert {call.event["slot"] for call in machines.of("fetch_quotes")} == {MINUTE_MS // 1000 + 55}
    assert sources(SYMBOLS) == FIRST


def test_a_plan_that_hangs_costs_its_slot(machines):
    """A plan that hangs times out after two seconds and costs its slot."""
    fails(machines, "plan_quotes", hangs(machines), at_s=50)
    machines.run_minute(from_s=50)
    assert [call.at_ms - MINUTE_MS for call in machines.of("plan_quotes")] == [50_000, 55_000]
    assert machines.clock.now_ms == MINUTE_MS + 55_000
    assert sources(SYMBOLS) == FIRST


def test_a_redis_that_is_away_for_a_slot_costs_that_slot(redis_server):
    """Without Redis plan fails; the next slot finds an empty Redis and prices everything."""

    def without_redis(event, handler):
        redis_server.kill()
        try:
            return handler(event)
        finally:
            redis_server.start()

    with deployed(redis_server, ACTIVE_SYMBOLS=SYMBOLS) as machines:
        fails(machines, "plan_quotes", without_redis, at_s=50)
        (ended,) = machines.run_minute(from_s=45)
        assert ended.status == "SUCCEEDED"
        assert machines.slots() == [45, 55]
        assert len(machines.of("plan_quotes")) == 3
        assert sources(SYMBOLS) == FIRST


@pytest.mark.parametrize("failure", ["raises", "hangs", "throttled"])
def test_a_fetch_that_fails_is_committed_as_such(machines, failure):
    """A failed fetch spends its calls, counts for no breaker, and costs one slot."""
    chosen = {"raises": raises, "hangs": hangs(machines), "throttled": throttled}[failure]
    names = {
        "raises": "DefectError: ",
        "hangs": "States.Timeout",
        "throttled": "Lambda.TooManyRequestsException: ",
    }
    fails(machines, "fetch_quotes", chosen, at_s=50, asset_class="stocks")
    (ended,) = machines.run_minute(from_s=50)
    assert ended.status == "SUCCEEDED"
    (failed,) = [call for call in machines.of("commit_quotes") if call.event.get("error")]
    assert failed.event["error"].startswith(names[failure])
    tries = [call for call in machines.of("fetch_quotes") if call.answer is None]
    job = {**failed.event["job"], "execution": failed.event["execution"]}
    assert [call.event for call in tries] == [job] * len(tries)
    assert len(tries) == (2 if failure == "throttled" else 1)
    assert failed.answer["error"] == failed.event["error"]
    assert breaker("yfinance", "stocks") == "closed"
    # All calls granted to the first slot are spent; the second slot calls only one provider.
    granted = {attempt["provider"]: attempt["calls"] for attempt in job["attempts"]}
    made = sum(
        outcome["calls_used"]
        for call in machines.of("commit_quotes")
        for outcome in call.answer["outcomes"]
        if outcome["provider"] == "yfinance"
    )
    assert (used("yfinance"), used("finnhub")) == (granted["yfinance"] + made, 1)
    assert sources(SYMBOLS) == FIRST


def test_a_fetch_that_fails_costs_no_other_job_its_slot(machines):
    """Other jobs of the slot are fetched and committed in spite of a failed fetch."""
    fails(machines, "fetch_quotes", raises, at_s=55, asset_class="stocks")
    machines.run_minute(from_s=55)
    assert sources(SYMBOLS) == {**FIRST, "AAPL": "pending"}


def test_a_probe_whose_fetch_hangs_is_given_again_in_the_next_slot(plain_redis):
    """The commit of a failed job returns its probe, so the next slot can use it."""
    with deployed(plain_redis, ACTIVE_SYMBOLS=SYMBOLS, CIRCUIT_BREAKER_TIMEOUT="5") as machines:
        machines.market.control("bad_key", provider="coingecko", answers=1)
        fails(machines, "fetch_quotes", hangs(machines), at_s=50, asset_class="crypto")
        machines.run_minute(from_s=45)
        probes = [
            (call.event["slot"] - MINUTE_MS // 1000, attempt["permit"]["probe"] is not None)
            for call in machines.of("fetch_quotes")
            for attempt in call.event["attempts"]
            if attempt["provider"] == "coingecko"
        ]
        assert probes == [(45, False), (50, True), (55, True)]
        assert breaker("coingecko", "crypto") == "closed"


@pytest.mark.parametrize("fault", ["status", "html", "cut"])
def test_a_provider_that_fails_opens_its_breaker_within_a_minute(machines, fault):
    """After five failures the breaker is open, and each slot has the next provider's prices."""
    machines.market.control(fault, provider="yfinance", path="/v7")
    machines.run_minute(from_s=20)
    assert breaker("yfinance", "stocks") == "open"
    asked = [
        [attempt["provider"] for attempt in call.event["attempts"]]
        for call in machines.of("fetch_quotes")
        if call.event["asset_class"] == "stocks"
    ]
    assert asked == [["yfinance", "finnhub"]] * 5 + [["finnhub"]] * 3
    assert sources(SYMBOLS) == {**FIRST, "AAPL": "finnhub"}


@pytest.mark.parametrize("failure", ["raises", "hangs", "throttled"])
def test_a_commit_that_fails_costs_its_job_the_slot(machines, failure):
    """The symbols of a failed commit stay due, and the next slot prices them."""
    failures = {"raises": raises, "hangs": lambda *_: machines.spend(30), "throttled": throttled}
    fails(machines, "commit_quotes", failures[failure], at_s=50, asset_class="stocks")
    (ended,) = machines.run_minute(from_s=50)
    assert ended.status == "SUCCEEDED"
    assert ended.states.count("NotCommitted") == 1
    assert machines.slots() == [50, 55]
    assert sources(SYMBOLS) == FIRST


@pytest.mark.parametrize("answer", [None, "a text", [], {"quotes": 1}])
def test_an_unreadable_report_costs_its_job_the_slot(machines, answer):
    """A report that commit cannot read is dropped; the next slot prices the symbols."""
    fails(machines, "fetch_quotes", lambda *_: answer, at_s=50, asset_class="crypto")
    (ended,) = machines.run_minute(from_s=50)
    assert ended.status == "SUCCEEDED"
    assert machines.slots() == [50, 55]
    assert sources(SYMBOLS) == FIRST
