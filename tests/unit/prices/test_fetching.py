"""Fetching a job: which provider is called for which symbols, with what time and report."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.errors import (
    BadPayloadError,
    CallsSpentError,
    NotEntitledError,
    RateLimitedError,
    UnauthorizedError,
    UnavailableError,
)
from tests.support.fake_provider import (
    NOW_MS,
    YAHOO_THEN_FINNHUB,
    FakeProvider,
    a_job,
    fetch,
    outcomes,
    prices,
)


@pytest.fixture
def pool():
    """Threads for the calls of a job."""
    with ThreadPoolExecutor(8) as executor:
        yield executor


def test_the_first_provider_is_asked_for_all_and_the_second_for_nothing(pool):
    """If the first provider answers all symbols, the second one is not called."""
    yahoo = FakeProvider(Source.YFINANCE, {"AAPL": "1.5", "MSFT": "2"})
    finnhub = FakeProvider(Source.FINNHUB, {})
    report = fetch(pool, a_job(["AAPL", "MSFT"], YAHOO_THEN_FINNHUB), yahoo, finnhub)
    assert prices(report) == {("AAPL", "yfinance"): "1.5", ("MSFT", "yfinance"): "2"}
    assert (yahoo.asked, finnhub.asked) == ([["AAPL", "MSFT"]], [])
    assert outcomes(report) == {"yfinance": "ok", "finnhub": "skipped"}
    assert [step["calls_used"] for step in report["outcomes"]] == [1, 0]


def test_only_the_remainder_goes_to_the_next_provider(pool):
    """The symbols without a quote of the first provider go to the second in the same job."""
    yahoo = FakeProvider(Source.YFINANCE, {"AAPL": "1"})
    finnhub = FakeProvider(Source.FINNHUB, {"ODD": "7"})
    report = fetch(pool, a_job(["AAPL", "ODD", "NOPE"], YAHOO_THEN_FINNHUB), yahoo, finnhub)
    assert sorted(symbol for call in finnhub.asked for symbol in call) == ["NOPE", "ODD"]
    assert prices(report) == {("AAPL", "yfinance"): "1", ("ODD", "finnhub"): "7"}
    assert [(m["symbol"], m["code"]) for m in report["missing"]] == [("NOPE", "not_found")]
    assert outcomes(report) == {"yfinance": "partial", "finnhub": "partial"}


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (UnavailableError("down"), "unavailable"),
        (BadPayloadError("HTML"), "bad_payload"),
        (RateLimitedError("slow down", 30), "rate_limited"),
        (UnauthorizedError("bad key"), "unauthorized"),
        (NotEntitledError("plan"), "not_entitled"),
        (ValueError("a defect of ours"), "unavailable"),
    ],
)
def test_every_kind_of_failure_leads_to_the_next_provider(pool, error, outcome):
    """After any error of the first provider the second one is called for all symbols."""
    yahoo = FakeProvider(Source.YFINANCE, {"AAPL": error})
    finnhub = FakeProvider(Source.FINNHUB, {"AAPL": "9"})
    report = fetch(pool, a_job(["AAPL"], YAHOO_THEN_FINNHUB), yahoo, finnhub)
    assert prices(report) == {("AAPL", "finnhub"): "9"}
    assert outcomes(report)["yfinance"] == outcome
    assert report["missing"] == []


def test_a_rate_limit_tells_how_long_to_hold(pool):
    """The report has the pause of a rate limit, and the symbol is unavailable."""
    yahoo = FakeProvider(Source.YFINANCE, {"AAPL": RateLimitedError("slow down", 42.0)})
    report = fetch(pool, a_job(["AAPL"], [(Source.YFINANCE, 1, None)]), yahoo)
    assert report["outcomes"][0]["hold_s"] == 42.0
    assert report["missing"][0]["code"] == "provider_unavailable"


def test_a_symbol_is_not_found_only_if_no_provider_failed(pool):
    """A symbol that one provider does not know is unavailable if the other provider failed."""
    yahoo = FakeProvider(Source.YFINANCE, {"NOPE": UnavailableError("down")})
    finnhub = FakeProvider(Source.FINNHUB, {})
    report = fetch(pool, a_job(["NOPE"], YAHOO_THEN_FINNHUB), yahoo, finnhub)
    (missing,) = report["missing"]
    assert (missing["code"], missing["message"]) == ("provider_unavailable", "down")


def test_a_symbol_is_not_found_only_if_no_breaker_is_open(pool):
    """A symbol that one provider does not know is unavailable if another's breaker is open."""
    finnhub = FakeProvider(Source.FINNHUB, {})
    skipped = [{"provider": "yfinance", "reason": "breaker_open", "available_at_ms": None}]
    job = a_job(["NOPE"], [(Source.FINNHUB, 1, None)], skipped=skipped)
    report = fetch(pool, job, finnhub)
    assert report["missing"][0]["code"] == "provider_unavailable"


def test_no_more_calls_are_made_than_were_granted(pool):
    """A provider with one symbol a call gets only as many symbols as it has calls."""
    finnhub = FakeProvider(Source.FINNHUB, {"A": "1", "B": "2", "C": "3"})
    report = fetch(pool, a_job(["A", "B", "C"], [(Source.FINNHUB, 2, None)]), finnhub)
    assert len(finnhub.asked) == 2
    assert report["outcomes"][0]["calls_used"] == 2
    assert [(m["symbol"], m["code"]) for m in report["missing"]] == [("C", "budget_exhausted")]


def test_a_symbol_that_the_plan_excludes_is_not_asked_for(pool):
    """A symbol in an attempt's `excluded` is not requested from that provider."""
    job = a_job(["AAPL", "MSFT"], [(Source.FINNHUB, 2, None)])
    job["attempts"][0]["excluded"] = ["MSFT"]
    finnhub = FakeProvider(Source.FINNHUB, {"AAPL": "1"})
    fetch(pool, job, finnhub)
    assert finnhub.asked == [["AAPL"]]


def test_one_failed_call_of_many_is_partial(pool):
    """If one call of four fails, the outcome is partial and the other quotes are reported."""
    table = {"A": "1", "B": "2", "C": UnavailableError("reset"), "D": "4"}
    finnhub = FakeProvider(Source.FINNHUB, table)
    report = fetch(pool, a_job(list("ABCD"), [(Source.FINNHUB, 4, None)]), finnhub)
    assert outcomes(report) == {"finnhub": "partial"}
    assert len(report["quotes"]) == 3


def test_most_calls_failing_is_a_failure(pool):
    """If half of four calls fail, the outcome is unavailable, and the quotes are reported."""
    table = {"A": "1", "B": UnavailableError("x"), "C": UnavailableError("x"), "D": "4"}
    report = fetch(
        pool, a_job(list("ABCD"), [(Source.FINNHUB, 4, None)]), FakeProvider(Source.FINNHUB, table)
    )
    assert outcomes(report) == {"finnhub": "unavailable"}
    assert len(report["quotes"]) == 2


@pytest.mark.parametrize("symbols", [["A", "B"], ["B", "A"]])
@pytest.mark.parametrize("other", [NotEntitledError("plan"), CallsSpentError("spent")])
def test_of_two_equally_frequent_errors_the_failure_counts(pool, symbols, other):
    """If half of two calls fail and half are rejected, the outcome is unavailable in any order."""
    finnhub = FakeProvider(Source.FINNHUB, {"A": UnavailableError("x"), "B": other})
    report = fetch(pool, a_job(symbols, [(Source.FINNHUB, 2, None)]), finnhub)
    assert outcomes(report) == {"finnhub": "unavailable"}


@pytest.mark.parametrize(
    ("table", "outcome"),
    [
        ({"A": UnavailableError("x"), "B": BadPayloadError("y")}, "unavailable"),
        ({"A": BadPayloadError("y"), "B": UnavailableError("x")}, "bad_payload"),
    ],
)
def test_of_two_equally_frequent_failures_the_first_counts(pool, table, outcome):
    """Of two different failures the one of the first symbol is the outcome."""
    report = fetch(
        pool, a_job(["A", "B"], [(Source.FINNHUB, 2, None)]), FakeProvider(Source.FINNHUB, table)
    )
    assert outcomes(report) == {"finnhub": outcome}


def test_a_probe_is_made_even_when_nothing_is_missing(pool):
    """A probe of the second provider is made even if the first one has all quotes."""
    yahoo = FakeProvider(Source.YFINANCE, {"AAPL": "1"})
    finnhub = FakeProvider(Source.FINNHUB, {"AAPL": "1"})
    attempts = [(Source.YFINANCE, 1, None), (Source.FINNHUB, 1, "token")]
    report = fetch(pool, a_job(["AAPL"], attempts), yahoo, finnhub)
    assert finnhub.asked == [["AAPL"]]
    assert outcomes(report) == {"yfinance": "ok", "finnhub": "ok"}


def test_a_jump_is_confirmed_by_the_next_provider_at_once(pool):
    """For a price far from the last one the next provider is called in the same job."""
    yahoo = FakeProvider(Source.YFINANCE, {"AAPL": "140"})
    finnhub = FakeProvider(Source.FINNHUB, {"AAPL": "141"})
    last = {"AAPL": {"price": "100", "timestamp_ms": None}}
    report = fetch(pool, a_job(["AAPL"], YAHOO_THEN_FINNHUB, last=last), yahoo, finnhub)
    assert prices(report) == {("AAPL", "yfinance"): "140", ("AAPL", "finnhub"): "141"}
    assert report["missing"] == []


def test_a_price_older_than_the_last_one_is_asked_again_elsewhere(pool):
    """For a price with an older time than the last one the next provider is called."""
    yahoo = FakeProvider(Source.YFINANCE, {"AAPL": "100"})
    finnhub = FakeProvider(Source.FINNHUB, {"AAPL": "100"})
    last = {"AAPL": {"price": "100.1", "timestamp_ms": NOW_MS + 1000}}
    fetch(pool, a_job(["AAPL"], YAHOO_THEN_FINNHUB, last=last), yahoo, finnhub)
    assert finnhub.asked == [["AAPL"]]


def test_the_last_price_with_a_slightly_older_time_needs_no_second_source(pool):
    """The last price with a time one second older needs no second provider."""
    yahoo = FakeProvider(Source.YFINANCE, {"AAPL": "100"})
    finnhub = FakeProvider(Source.FINNHUB, {"AAPL": "100"})
    last = {"AAPL": {"price": "100", "timestamp_ms": NOW_MS + 1000}}
    fetch(pool, a_job(["AAPL"], YAHOO_THEN_FINNHUB, last=last), yahoo, finnhub)
    assert finnhub.asked == []


def test_a_job_past_its_deadline_makes_no_call(pool):
    """After a job's deadline no call is made, because its calls may be granted to others."""
    yahoo = FakeProvider(Source.YFINANCE, {"AAPL": "1"})
    job = a_job(["AAPL"], [(Source.YFINANCE, 1, None)], deadline_ms=NOW_MS - 1)
    report = fetch(pool, job, yahoo)
    assert (yahoo.asked, outcomes(report)) == ([], {"yfinance": "skipped"})
    assert report["outcomes"][0]["calls_used"] == 0


def test_a_provider_with_a_successor_gets_only_part_of_the_time(pool):
    """The first of two attempts has three fifths of the time, and the second has all."""
    yahoo = FakeProvider(Source.YFINANCE, {})
    finnhub = FakeProvider(Source.FINNHUB, {"AAPL": "1"})
    fetch(pool, a_job(["AAPL"], YAHOO_THEN_FINNHUB), yahoo, finnhub)
    assert yahoo.timeouts == [pytest.approx(2.1)]
    assert finnhub.timeouts == [pytest.approx(3.5)]


def test_a_sender_that_ignores_its_timeout_is_left_behind(pool):
    """A call that does not return in its time is unavailable, and the next provider is called."""
    released = threading.Event()
    yahoo = FakeProvider(Source.YFINANCE, {"AAPL": "1", "send": lambda: released.wait(30)})
    finnhub = FakeProvider(Source.FINNHUB, {"AAPL": "2"})
    job = a_job(["AAPL"], YAHOO_THEN_FINNHUB, deadline_ms=NOW_MS + 500)
    report = fetch(pool, job, yahoo, finnhub)
    released.set()
    assert prices(report) == {("AAPL", "finnhub"): "2"}
    assert outcomes(report)["yfinance"] == "unavailable"
    assert "no answer within 0.3 s" in report["outcomes"][0]["detail"]


def test_a_coin_that_no_provider_lists_is_not_found(pool):
    """A coin without an id is not found, without a call."""
    gecko = FakeProvider(Source.COINGECKO, {})
    job = a_job(["ZZZZ-USD"], [(Source.COINGECKO, 1, None)], AssetClass.CRYPTO)
    report = fetch(pool, job, gecko)
    assert gecko.asked == []
    assert report["missing"][0]["code"] == "not_found"
