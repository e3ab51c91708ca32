"""The metrics of a service at work, compared with the table of metrics."""

from __future__ import annotations

import pytest

from marketdata.domain.messages import Plan, Summary
from marketdata.domain.quotes import Source
from marketdata.observability.meter import Gauges, Meter
from tests.support.metric_lines import TABLE, metrics_in
from tests.support.pipeline import Make, Pipeline, simulated

API_ONLY = {("ApiLatency",), ("ApiFailed",), ("CacheHits",), ("CacheMisses",)}
FREE = {"yfinance", "coingecko"}  # the providers that need no key


def gauges_of(pipe: Pipeline) -> Gauges:
    """The gauges over what a pipeline uses."""
    return Gauges(pipe.settings, pipe.cache, pipe.control, pipe.quotes)


def values_of(gauges: Gauges, now_ms: int) -> dict:
    """The values of gauges by series."""
    samples = gauges.read(now_ms)
    return {(s.metric.name, *sorted(s.dimensions.items())): s.value for s in samples}


def run_measured(pipe: Pipeline, meter: Meter, after_s: float = 5) -> None:
    """Run the next slot as the functions do."""
    ran = pipe.run_next(after_s)
    meter.record_plan(Plan.model_validate(ran.plan), pipe.clock())
    for summary in ran.summaries:
        meter.record_commit(Summary.model_validate(summary))


def test_a_service_at_work_writes_the_whole_table(make: Make, capsys):
    """With providers up and then down, every series except those of the api has a value."""
    pipe = make()
    meter = Meter("prod", gauges_of(pipe))
    for _ in range(13):  # two minutes begin
        run_measured(pipe, meter)
    for first in (Source.YFINANCE, Source.COINGECKO, Source.ALPHA_VANTAGE):
        pipe.market.control("status", provider=first.value, status=500)
    for _ in range(26):
        run_measured(pipe, meter)
    for source in Source:
        pipe.market.control("status", provider=source.value, status=500)
    for _ in range(100):
        run_measured(pipe, meter, 60)
    written = {found.series for found in metrics_in(capsys.readouterr().out)}
    assert written == TABLE - API_ONLY


def test_gauges_tell_how_things_stand(make: Make):
    """Gauges have the ages of quotes, the budgets that are left, and the breakers' states."""
    pipe = make()
    pipe.market.control("status", provider="coingecko", status=401)
    pipe.run_next()
    values = values_of(gauges_of(pipe), pipe.clock() + 7_000)
    ages = [values["QuoteAge", ("asset_class", name)] for name in ("stocks", "crypto", "forex")]
    assert all(7 <= age < 8 for age in ages)
    used = pipe.provider_status(Source.YFINANCE)["used"]["minute"]
    assert used
    assert values["BudgetLeft", ("provider", "yfinance")] == pytest.approx(
        100 - used / 0.6, abs=1e-3
    )
    states = {series[1:]: value for series, value in values.items() if series[0] == "BreakerState"}
    assert states.pop((("asset_class", "crypto"), ("provider", "coingecko"))) == 2
    assert set(states.values()) == {0}


def test_providers_without_a_key_are_not_measured(make: Make):
    """Providers without a key have no series of their own."""
    pipe = make(**{f"{name}_API_KEY": "" for name in ("FINNHUB", "COINMARKETCAP", "ALPHA_VANTAGE")})
    samples = gauges_of(pipe).read(pipe.clock())
    assert {s.dimensions["provider"] for s in samples if "provider" in s.dimensions} == FREE


def test_a_service_without_any_quote_is_silent_about_ages(make: Make):
    """Without any quote there is no sample of ages, which their alarm takes as a fault."""
    names = {series[0] for series in values_of(gauges_of(make()), make.clock())}
    assert names == {"BudgetLeft", "BreakerState"}


def test_the_metrics_cost_one_round_trip_a_minute(make: Make, capsys):
    """Reading the gauges takes one round trip a minute, and all other metrics take none."""
    pipe = make()
    pipe.run_next()
    meter = Meter("prod", gauges_of(pipe))
    slots = [
        {"slot": s, "previous": s - 5, "claimed": True, "jobs": []} for s in range(600, 720, 5)
    ]
    before = pipe.cache.round_trips
    for slot in slots:
        meter.record_plan(Plan.model_validate(slot), slot["slot"] * 1000)
    assert pipe.cache.round_trips - before == 2  # in two minutes
    assert len(metrics_in(capsys.readouterr().out)) > 48


def test_missed_slots_are_reported_by_the_next_claim(make: Make, capsys):
    """After a minute without a claim, the next claim reports eleven missed slots."""
    pipe = make()
    meter = Meter("prod", gauges_of(pipe))
    run_measured(pipe, meter)
    capsys.readouterr()
    run_measured(pipe, meter, 60)
    found = metrics_in(capsys.readouterr().out)
    assert [metric.value for metric in found if metric.name == "MissedSlots"] == [11]


def test_gauges_work_on_a_cluster_too(cache):
    """Gauges are read from a cluster, too, where quotes and control state may be on two nodes."""
    with simulated(cache) as make:
        pipe = make()
        pipe.run_next()
        names = {series[0] for series in values_of(gauges_of(pipe), pipe.clock())}
    assert names == {"QuoteAge", "BudgetLeft", "BreakerState"}
