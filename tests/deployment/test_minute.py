"""A minute of the deployed loop: its slots, prices and log."""

from __future__ import annotations

import statistics

from local.service.terminal import say
from marketdata.clock import parse_utc
from marketdata.domain.quotes import Source
from marketdata.observability.metrics import TICK_LAG
from tests.deployment.logs import Logs
from tests.deployment.minute import SLOT_S, SLOTS, Minute
from tests.deployment.sam import Deployed
from tests.support.api_times import epoch_ms


def test_both_executions_end_well(minute: Minute):
    """Both executions of the price loop work through the minute and succeed."""
    assert [entry["status"] for entry in minute.executions] == ["SUCCEEDED"] * 2


def test_each_slot_is_claimed_once(minute: Minute, logs: Logs):
    """Each of the twelve slots, at exact multiples of five seconds, is claimed by one execution."""
    claims = [
        line for line in logs.lines() if TICK_LAG.name in line and _in(minute, _slot_of(line))
    ]
    assert sorted(map(_slot_of, claims)) == minute.slots
    lags = sorted(line[TICK_LAG.name][0] for line in claims)
    say("lag", f"{lags[0]:.0f} / {statistics.median(lags):.0f} / {lags[-1]:.0f} ms, "
        "from a slot's time to its claim (min / median / max)")  # fmt: skip


def test_each_slot_prices_every_symbol(minute: Minute):
    """In each of the twelve slots every symbol has a price that was fetched in the slot."""
    assert len(minute.readings) == SLOTS
    for slot, found in minute.readings.items():
        assert found.keys() == set(minute.symbols)
        for symbol, quote in found.items():
            fetched_s = parse_utc(quote["fetched_at"]).timestamp()
            assert slot <= fetched_s < slot + SLOT_S, (symbol, slot, quote)
            assert not quote["stale"]


def test_first_choices_answer(minute: Minute):
    """In each slot stocks come from Yahoo, coins from CoinGecko and pairs from Alpha Vantage."""
    first = {"stocks": "yfinance", "crypto": "coingecko", "forex": "alpha_vantage"}
    for found in minute.readings.values():
        for quote in found.values():
            assert quote["source"] == first[quote["asset_class"]], quote


def test_prices_are_the_markets(stack: Deployed, minute: Minute):
    """Each price of each slot equals the market's own record of its time."""
    market = stack.ground.market
    for found in minute.readings.values():
        for symbol, quote in found.items():
            stamp = quote["timestamp"]
            at_ms = None if stamp is None else epoch_ms(stamp)
            assert market.is_true(symbol, quote["price"], at_ms, Source(quote["source"])), quote
    assert not any(market.violations.values())


def test_commits_name_their_slot(minute: Minute, logs: Logs):
    """The log has one commit for each class and slot, with the slot in it."""
    commits = [
        (line["slot"], line["asset_class"], sum(line["written"].values()))
        for line in logs.lines()
        if line.get("message") == "quotes committed" and _in(minute, line["slot"])
    ]
    counts = {"crypto": 6, "forex": 4, "stocks": 10}
    assert sorted(commits) == [
        (slot, asset_class, count) for slot in minute.slots for asset_class, count in counts.items()
    ]


def _slot_of(line: dict) -> int:
    """Return the slot of a line of metrics that a claim has written, in epoch seconds."""
    return line["_aws"]["Timestamp"] // 1000 // SLOT_S * SLOT_S


def _in(minute: Minute, slot: int) -> bool:
    return minute.start_s <= slot < minute.start_s + 60
