"""Minutes of the price loop by its state machine's definition."""

from __future__ import annotations

from collections import Counter

from tests.infrastructure.api_client import get, sources
from tests.infrastructure.machines import MINUTE_MS, ThrottledError, deployed

EACH_SLOT = [float(second) for second in range(0, 60, 5)]
SYMBOLS = "AAPL,BTC-USD,EUR/USD"
FIRST = {"AAPL": "yfinance", "BTC-USD": "coingecko", "EUR/USD": "alpha_vantage"}


def test_a_minute_has_twelve_slots_at_exact_times(machines):
    """The minute after the scheduled time has twelve slots, each planned when it begins."""
    (ended,) = machines.run_minute()
    assert (ended.status, ended.states[-1]) == ("SUCCEEDED", "Done")
    assert machines.slots() == EACH_SLOT
    events = [call.event["slot"] for call in machines.of("plan_quotes")]
    assert events == [MINUTE_MS // 1000 + second for second in range(0, 60, 5)]
    assert machines.upstream() == dict.fromkeys(FIRST.values(), 12)


def test_every_invocation_names_its_execution(machines):
    """Each invocation gets the id of its own execution."""
    first, second = machines.run_minute(from_s=50, times=2)
    assert first.arn != second.arn
    named = {call.event["execution"] for call in machines.calls}
    assert named == {first.arn, second.arn}


def test_after_a_minute_the_api_has_prices_of_all_classes(machines):
    """Clients get the quotes of the last slot, fresh, of each class."""
    machines.run_minute()
    assert sources(SYMBOLS) == FIRST
    quotes = get(f"/v1/quotes?symbols={SYMBOLS}")["quotes"]
    assert {quote["fetched_at"] for quote in quotes} == {"2026-03-18T15:01:55Z"}
    assert get("/health")["loop"]["last_slot"] == "2026-03-18T15:01:55Z"
    assert get("/health")["quotes"]["fresh_ratio"] == 1


def test_a_minute_delivered_twice_at_once_is_worked_through_once(machines):
    """Of two executions one claims each slot, and no provider is called twice for a slot."""
    first, second = machines.run_minute(times=2)
    assert (first.status, second.status) == ("SUCCEEDED", "SUCCEEDED")
    asked = Counter(call.event["slot"] for call in machines.of("plan_quotes"))
    assert set(asked.values()) == {2}
    assert machines.slots() == EACH_SLOT
    assert machines.upstream() == dict.fromkeys(FIRST.values(), 12)


def test_a_minute_delivered_again_when_it_is_over_does_nothing(machines):
    """A second execution after the minute claims no slot and calls no function."""
    machines.run_minute(from_s=50)
    asked, reached = len(machines.calls), machines.upstream()
    machines.clock.reach(MINUTE_MS + 60_000)
    (again,) = machines.run_minute()
    assert (again.status, again.states[-1]) == ("SUCCEEDED", "Done")
    assert (len(machines.calls), machines.upstream()) == (asked, reached)


def test_a_late_start_skips_what_is_over(machines):
    """An execution that begins within its minute goes on with the next slot, on the grid."""
    (ended,) = machines.run_minute(from_s=41)
    assert ended.status == "SUCCEEDED"
    assert machines.slots() == [45, 50, 55]
    assert max(Counter(call.at_ms for call in machines.of("fetch_quotes")).values()) == 3


def test_a_start_on_the_beginning_of_a_slot_takes_it(machines):
    """A slot that begins at the start of the execution is worked on."""
    machines.run_minute(from_s=50)
    assert machines.slots() == [50, 55]


def test_a_start_after_the_minute_does_nothing(machines):
    """An execution that starts after its minute succeeds without calling a function."""
    (ended,) = machines.run_minute(from_s=61)
    assert (ended.status, machines.calls) == ("SUCCEEDED", [])


def test_a_slot_in_which_nothing_is_due_makes_no_call(plain_redis):
    """With prices every half minute, two slots have jobs, and the others end after plan."""
    with deployed(
        plain_redis, ACTIVE_SYMBOLS="AAPL,BTC-USD", PRICE_FETCH_INTERVAL="30"
    ) as machines:
        (ended,) = machines.run_minute()
        visits = Counter(ended.states)
        assert (visits["Plan"], visits["DoJobs"]) == (12, 2)
        times = {(call.at_ms - MINUTE_MS) / 1000 for call in machines.of("fetch_quotes")}
        assert times == {0, 30}
        assert len(machines.of("fetch_quotes")) == len(machines.of("commit_quotes")) == 4


def test_an_overrun_skips_slots_and_bursts_nothing(machines):
    """Jobs that last into the next slot cost that slot; the one after it begins in time."""

    def slow(event, handler):
        answer = handler(event)
        if event["slot"] * 1000 == MINUTE_MS + 40_000 and event["asset_class"] == "stocks":
            machines.spend(3.9)
        return answer

    def slow_commit(event, handler):
        answer = handler(event)
        if event["job"]["slot"] * 1000 == MINUTE_MS + 40_000:
            machines.spend(1.5)
        return answer

    machines.instead = {"fetch_quotes": slow, "commit_quotes": slow_commit}
    (ended,) = machines.run_minute(from_s=40)
    assert ended.status == "SUCCEEDED"
    assert machines.slots() == [40, 50, 55]
    assert sources(SYMBOLS) == FIRST


def test_a_throttled_fetch_is_tried_once_more(machines):
    """A fetch that Lambda throttled is tried again a second later with the same job."""
    throttled = []

    def refuse_first(event, handler):
        if event["id"] not in throttled and event["asset_class"] == "stocks":
            throttled.append(event["id"])
            raise ThrottledError
        return handler(event)

    machines.instead["fetch_quotes"] = refuse_first
    machines.run_minute(from_s=50)
    assert len(throttled) == 2
    tries = [call for call in machines.of("fetch_quotes") if call.event["id"] == throttled[0]]
    first, second = tries
    assert (first.event, second.at_ms - first.at_ms) == (second.event, 1000)
    assert sources(SYMBOLS) == FIRST
