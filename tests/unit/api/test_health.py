"""The status on /health: which facts make the service degraded or unhealthy."""

from dataclasses import replace

import pytest

from marketdata.api.readers.health import ClassFacts, Facts, ListFacts, Status, fresh_ratio, judge
from marketdata.domain.breaker import BreakerState
from marketdata.domain.outcomes import ADDRESS_NOT_ACCEPTED
from marketdata.domain.permits import ClassState, LastError
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass

STOCKS, CRYPTO = AssetClass.STOCKS, AssetClass.CRYPTO


def facts(
    *,
    lag_s=3.0,
    stocks=(10, 10),
    crypto=(10, 10),
    total=100,
    stale=False,
    state=BreakerState.CLOSED,
    reason=None,
):
    """The facts of a healthy service, except for the arguments."""
    breaker = ClassState(state, None, reason, 1, None, probing=False, last_success_ms=None,
                         last_error=None)  # fmt: skip
    return Facts(
        lag_s=lag_s,
        classes=[ClassFacts(STOCKS, *stocks), ClassFacts(CRYPTO, *crypto)],
        lists=[ListFacts(STOCKS, total, 1, stale)],
        breakers=[(Source.YFINANCE, STOCKS, breaker)],
    )


def test_a_service_that_does_its_work_is_healthy():
    """A service whose facts are all good is healthy, without a reason."""
    assert judge(facts()) == (Status.HEALTHY, [])


@pytest.mark.parametrize(
    ("found", "status", "reason"),
    [
        (facts(lag_s=None), Status.UNHEALTHY, "the price loop has not run yet"),
        (facts(lag_s=60.0), Status.HEALTHY, None),
        (facts(lag_s=61.2), Status.UNHEALTHY, "the price loop has not run for 61 s"),
        (facts(stocks=(10, 8)), Status.HEALTHY, None),
        (facts(stocks=(10, 7)), Status.DEGRADED, "85% of the active symbols have a fresh quote"),
        (facts(stocks=(10, 0)), Status.DEGRADED, "no quote of stocks is fresh"),
        (facts(stocks=(20, 0)), Status.UNHEALTHY, "33% of the active symbols have a fresh quote"),
        (facts(stocks=(0, 0)), Status.HEALTHY, None),
        (facts(total=None), Status.DEGRADED, "there is no list of stocks yet"),
        (facts(stale=True), Status.DEGRADED, "the list of stocks is stale"),
        (
            facts(state=BreakerState.OPEN, reason="bad_key"),
            Status.DEGRADED,
            "the breaker of yfinance for stocks is open (bad key)",
        ),
        (
            facts(state=BreakerState.HALF_OPEN),
            Status.DEGRADED,
            "the breaker of yfinance for stocks is half-open",
        ),
    ],
)
def test_each_finding_has_its_status_and_its_reason(found, status, reason):
    """One fault alone gives its own status and its own reason."""
    judged, reasons = judge(found)
    assert judged is status
    assert reason in reasons if reason else reasons == []


def test_the_worst_finding_decides():
    """The worse of two faults decides the status, and both reasons are listed."""
    status, reasons = judge(facts(lag_s=None, stale=True))
    assert status is Status.UNHEALTHY
    assert reasons == ["the price loop has not run yet", "the list of stocks is stale"]


def test_without_active_symbols_there_is_no_ratio():
    """Without active symbols the ratio of fresh quotes is null, not zero."""
    assert fresh_ratio([ClassFacts(STOCKS, 0, 0)]) is None
    assert fresh_ratio([ClassFacts(STOCKS, 3, 1)]) == 0.333


def breaker(source, *, error=None, success_ms=None, state=BreakerState.CLOSED):
    """One breaker for stocks; `error` is the outcome and the time of its last error."""
    last = None if error is None else LastError(error[1], error[0], f"{source.value}: no answer")
    found = ClassState(state, None, None, 1, None, probing=False, last_success_ms=success_ms,
                       last_error=last)  # fmt: skip
    return source, STOCKS, found


@pytest.mark.parametrize(
    ("breakers", "is_said"),
    [
        ([("unavailable", 20, 10), ("unavailable", 30, None)], True),
        ([("unavailable", 20, 10), ("unavailable", 30, 40)], False),
        ([("unavailable", 20, 10), ("rate_limited", 30, None)], False),
        ([("unavailable", 20, 10), (None, None, None)], True),
        ([(None, None, None), (None, None, None)], False),
        ([(None, None, 10)], False),
    ],
)
def test_no_provider_can_be_reached_if_the_latest_attempt_at_each_failed(breakers, is_said):
    """The reason is given only if the last call of every provider that was called failed."""
    sources = (Source.YFINANCE, Source.COINGECKO)
    found = replace(
        facts(),
        breakers=[
            breaker(source, error=outcome and (outcome, at_ms), success_ms=success_ms)
            for source, (outcome, at_ms, success_ms) in zip(sources, breakers, strict=False)
        ],
    )
    _, reasons = judge(found)
    assert ("no provider can be reached" in " ".join(reasons)) is is_said


MAYBE = "yfinance rejects every call as one too many, so perhaps it "
REFUSED = "yfinance: Yahoo does not accept calls from this address (status 429)"


@pytest.mark.parametrize(
    ("source", "outcome", "detail", "success_ms", "words"),
    [
        (Source.YFINANCE, "rate_limited", REFUSED, 1_000_000, REFUSED),
        (Source.YFINANCE, "unavailable", REFUSED, None, REFUSED),
        (Source.YFINANCE, "ok", REFUSED, 1_000_000, None),
        (Source.YFINANCE, "rate_limited", REFUSED, 2_000_001, None),
        (
            Source.YFINANCE,
            "rate_limited",
            "too many calls",
            None,
            MAYBE + ADDRESS_NOT_ACCEPTED,
        ),
        (Source.YFINANCE, "rate_limited", "too many calls", 1_100_001, None),
        (Source.COINMARKETCAP, "rate_limited", "this month's credits are spent", None, None),
    ],
)
def test_an_address_that_a_provider_does_not_accept_is_a_cause(
    source, outcome, detail, success_ms, words
):
    """The provider's text, or 15 minutes without a success at Yahoo, gives this cause."""
    state = ClassState(BreakerState.CLOSED, None, None, 1, None, probing=False,
                       last_success_ms=success_ms,
                       last_error=LastError(2_000_000, outcome, detail))  # fmt: skip
    healthy = (Source.COINGECKO, CRYPTO, replace(state, last_success_ms=9, last_error=None))
    _, reasons = judge(replace(facts(), breakers=[(source, STOCKS, state), healthy]))
    assert reasons == ([words] if words else [])


def test_causes_come_before_their_consequences():
    """Causes are listed before their consequences, so the first reason says what to correct."""
    unreachable = [
        breaker(Source.YFINANCE, error=("unavailable", 20), state=BreakerState.OPEN),
        breaker(Source.COINGECKO, error=("unavailable", 30)),
    ]
    found = replace(facts(stocks=(10, 0), crypto=(10, 0), total=None), breakers=unreachable)
    status, reasons = judge(found)
    assert status is Status.UNHEALTHY
    assert reasons == [
        "no provider can be reached (coingecko: no answer)",
        "the breaker of yfinance for stocks is open",
        "0% of the active symbols have a fresh quote",
        "no quote of stocks is fresh",
        "no quote of crypto is fresh",
        "there is no list of stocks yet",
    ]
