"""Each failing answer of a provider, through plan, fetch and commit, and its consequences.

The failing provider is a server that gives one canned answer; all others are the simulated market.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from marketdata.domain.quotes import Source
from tests.support.api_times import shown
from tests.support.caches import emptied
from tests.support.canned_server import CannedServer
from tests.support.error_shapes import SHAPES, Shape
from tests.support.pipeline import GENEROUS, GENEROUS_MARKET, Pipeline, simulated
from tests.support.simulated_market import KEY

# The next provider, or the one before; the class; the symbol that fails, and one that does not.
NEXT = {
    Source.ALPHA_VANTAGE: (Source.YFINANCE, "forex", "EUR/USD"),
    Source.COINGECKO: (Source.COINMARKETCAP, "crypto", "BTC-USD"),
}
BEFORE = {
    Source.FINNHUB: (Source.YFINANCE, "stocks", "MSFT", "AAPL"),
    Source.COINMARKETCAP: (Source.COINGECKO, "crypto", "ETH-USD", "BTC-USD"),
}


class Case:
    """A pipeline in which one provider gives one canned answer."""

    def __init__(self, shape: Shape, server: CannedServer, pipe: Pipeline) -> None:
        self.shape, self.server, self.pipe = shape, server, pipe
        source = shape.source
        if source in NEXT:
            other, self.asset_class, symbol = NEXT[source]
            self.expected = {symbol: other.value}
        else:
            other, self.asset_class, symbol, answered = BEFORE[source]
            pipe.market.control("unknown", provider=other.value, symbol=symbol)
            reason = "not_found" if shape.outcome == "not_found" else "provider_unavailable"
            self.expected = {answered: other.value, symbol: reason}

    def provider_status(self) -> dict:
        """What /v1/providers says of the failing provider in its class."""
        return self.pipe.provider_status(self.shape.source)["classes"][self.asset_class]


@pytest.fixture
def case(request: pytest.FixtureRequest, plain_redis) -> Iterator[Case]:
    """The case of a shape."""
    shape: Shape = request.param
    with (
        emptied(plain_redis) as cache,
        simulated(cache, limits=GENEROUS_MARKET) as make,
        CannedServer(shape.answer, make.clock) as server,
    ):
        symbols = NEXT[shape.source][2:] if shape.source in NEXT else BEFORE[shape.source][2:]
        active = {"ACTIVE_SYMBOLS": ",".join(symbols)}
        yield Case(shape, server, make(urls={shape.source: server.url}, **active, **GENEROUS))


@pytest.mark.parametrize("case", SHAPES, indirect=True, ids=str)
def test_a_failing_provider_costs_no_tick(case):
    """A failing answer has the outcome, fallback, breaker, budget and texts of its kind."""
    pipe, shape = case.pipe, case.shape
    ran = pipe.run()
    assert ran.outcome(shape.source, case.asset_class) == shape.outcome
    assert pipe.sources(",".join(case.expected)) == case.expected
    status = pipe.provider_status(shape.source)
    hold = None if shape.hold_s is None else shown(pipe.clock() + shape.hold_s * 1000)
    assert status["held_until"] == hold
    assert status["used"] == {"minute": case.server.asked} == {"minute": 1}
    assert KEY not in json.dumps([status, pipe.health(), ran.reports, ran.summaries])
    _ERRORS[shape.outcome](case)


def _check_failure(case: Case) -> None:
    """Five failures open the breaker; until then each slot makes a call and has its prices."""
    pipe, outcome = case.pipe, case.shape.outcome
    assert (case.provider_status()["state"], case.provider_status()["last_error"]["outcome"]) == (
        "closed",
        outcome,
    )
    for asked in range(2, 6):
        pipe.run_next()
        assert case.server.asked == asked
        assert pipe.sources(",".join(case.expected)) == case.expected
    opened_ms = pipe.clock()
    pipe.run_next()
    assert case.server.asked == 5
    assert pipe.sources(",".join(case.expected)) == case.expected
    status = case.provider_status()
    assert (status["state"], status["reason"]) == ("open", outcome)
    assert (status["since"], status["next_probe_at"]) == (
        shown(opened_ms),
        shown(opened_ms + 300_000),
    )
    assert _health_reason(case) == f"is open ({outcome.replace('_', ' ')})"


def _check_rate_limited(case: Case) -> None:
    """No call is made until the hold is over, and the breaker stays closed."""
    pipe, hold_s = case.pipe, case.shape.hold_s
    if hold_s > 5:
        ran = pipe.run_next(hold_s - 1)
        assert (case.server.asked, ran.outcome(case.shape.source, case.asset_class)) == (
            1,
            "not asked",
        )
        skips = {skip["provider"]: skip["reason"] for skip in ran.plan["skipped"]}
        assert skips == {case.shape.source.value: "held"}
        pipe.run_next(1)
    else:
        for asked in range(2, 8):  # a hold of one slot, so each slot makes a call
            pipe.run_next()
            assert case.server.asked == asked
    assert case.server.asked == (2 if hold_s > 5 else 7)
    assert (case.provider_status()["state"], case.provider_status()["last_error"]["outcome"]) == (
        "closed",
        "rate_limited",
    )


def _check_unauthorized(case: Case) -> None:
    """The breaker opens at once and says that the key is bad."""
    status = case.provider_status()
    assert (status["state"], status["reason"], status["since"]) == (
        "open",
        "bad_key",
        shown(case.pipe.clock()),
    )
    assert status["last_error"]["outcome"] == "unauthorized"
    assert _health_reason(case) == "is open (bad key)"
    case.pipe.run_next()
    assert case.server.asked == 1


def _check_not_entitled(case: Case) -> None:
    """The breaker stays closed, and the same symbol is not asked for again."""
    assert (case.provider_status()["state"], case.provider_status()["last_error"]["outcome"]) == (
        "closed",
        "not_entitled",
    )
    for _ in range(3):
        case.pipe.run_next()
    assert case.server.asked == 1


def _check_not_found(case: Case) -> None:
    """A symbol that is not found is not an error of its provider."""
    assert (case.provider_status()["state"], case.provider_status()["last_error"]) == (
        "closed",
        None,
    )
    assert case.provider_status()["last_success"] is None


def _check_bad_row(case: Case) -> None:
    """A defect of one symbol leaves the breaker closed, and the provider is asked in each slot."""
    for asked in range(2, 8):
        case.pipe.run_next()
        assert case.server.asked == asked
    assert case.provider_status()["state"] == "closed"


_ERRORS = {
    "bad_row": _check_bad_row,
    "unavailable": _check_failure,
    "bad_payload": _check_failure,
    "rate_limited": _check_rate_limited,
    "unauthorized": _check_unauthorized,
    "not_entitled": _check_not_entitled,
    "not_found": _check_not_found,
}


def _health_reason(case: Case) -> str:
    """The text of /health about the failing provider's breaker."""
    who = f"the breaker of {case.shape.source.value} for {case.asset_class} "
    (reason,) = (reason for reason in case.pipe.health()["reasons"] if reason.startswith(who))
    return reason.removeprefix(who)
