"""Two services that share a Redis through REDIS_HOST make one set of calls, and either may end.

Both ask one simulated market, which counts its calls; a proxy before each of its ports counts
connections. The order of the tests matters: the last two end the services.
"""

from __future__ import annotations

import re
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from local.service.redis_server import port_is_free
from local.simulator import MarketServers
from marketdata.clock import SLOT_S
from marketdata.domain.quotes import Source
from tests.support.redis_servers import Doorway, RedisServer
from tests.support.running_service import RunningService, doors_to, eventually, paid_market

ASKED = "AAPL,BTC-USD,EUR/USD"
LINE = re.compile(r"^(\d\d:\d\d:\d\d)  (due|done by another loop|failed)", re.MULTILINE)
# Calls for the twenty active symbols of a slot: a batch of stocks, one of coins, one call a pair.
CALLS_A_SLOT = {Source.YFINANCE: 1, Source.COINGECKO: 1, Source.ALPHA_VANTAGE: 4}
SLOTS = 2


@dataclass(frozen=True)
class Pair:
    """Two services, the market that both ask, and the proxies before it."""

    market: MarketServers
    doors: dict[Source, Doorway]
    first: RunningService
    second: RunningService

    def slots(self, service: RunningService) -> dict[str, str]:
        """Return what a service printed about each slot."""
        return dict(LINE.findall(service.output))

    def shared_slots(self) -> list[str]:
        """Return the slots in the output of both services, except the first one."""
        first, second = self.slots(self.first), self.slots(self.second)
        return sorted(set(first) & set(second))[1:]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Two services that have started, the second after the first."""
    home = tmp_path_factory.mktemp("home")
    with ExitStack() as stack:
        market = stack.enter_context(paid_market())
        doors, env = doors_to(market, stack)
        redis = RedisServer(tmp_path_factory.mktemp("redis"))
        redis.start()
        stack.callback(redis.kill)
        env |= {"REDIS_HOST": redis.host, "REDIS_PORT": str(redis.port)}
        first = stack.enter_context(RunningService(home, "first", **env)).ready()
        second = stack.enter_context(RunningService(home, "second", **env)).ready()
        pair = Pair(market, doors, first, second)
        eventually(lambda: len(pair.shared_slots()) >= SLOTS, "slots that both saw")
        yield pair


def test_both_services_use_one_redis(pair):
    """Neither service starts a Redis of its own."""
    for service in (pair.first, pair.second):
        assert f"redis   127.0.0.1:{service.env['REDIS_PORT']} (named by REDIS_HOST)" in (
            service.output
        )
        assert sorted(service.children()) == ["api", "market"]


def test_each_slot_is_done_by_exactly_one(pair):
    """For each slot one service prints its result, and the other that the slot was done."""
    first, second = pair.slots(pair.first), pair.slots(pair.second)
    for slot in pair.shared_slots():
        assert {first[slot], second[slot]} == {"due", "done by another loop"}, slot


def test_no_call_is_made_twice(pair):
    """Two services make as many calls for a slot and a list as one, within the limits."""
    for source, calls in CALLS_A_SLOT.items():
        quotes = [call for call in pair.market.calls[source] if call.kind == "quote"]
        by_slot = Counter(call.arrival_ms // 1000 // SLOT_S for call in quotes)
        assert len(by_slot) >= SLOTS
        assert max(by_slot.values()) == calls, (source, by_slot)
    lists = Counter(call.kind for call in pair.market.calls[Source.FINNHUB])
    assert lists == {"list": 2}  # stocks and forex
    assert set(pair.market.violations.values()) == {0}


def test_both_answer_and_agree(pair):
    """Both APIs serve the same quotes."""

    def the_same() -> bool:
        answers = [service.quotes(ASKED)[0] for service in (pair.first, pair.second)]
        return set(answers[0]) == set(ASKED.split(",")) and answers[0] == answers[1]

    eventually(the_same, "the same quotes")


def test_connections_are_used_again(pair):
    """Neither service opens more connections to a provider than it has calls at once."""
    both = (pair.first, pair.second)
    eventually(
        lambda: all("due" in list(pair.slots(service).values())[1:] for service in both),
        "a slot done by each",
    )
    # yfinance keeps a connection for each thread.
    sources = [source for source in CALLS_A_SLOT if source is not Source.YFINANCE]
    before = {source: pair.doors[source].connections for source in sources}
    asked = {source: len(pair.market.calls[source]) for source in sources}
    slots = len(pair.shared_slots())
    eventually(lambda: len(pair.shared_slots()) >= slots + SLOTS + 1, "more slots")
    for source in sources:
        calls = CALLS_A_SLOT[source]
        # A refresh of the lists makes its calls at the same time as those of a slot.
        assert before[source] <= 2 * (calls + 1)
        assert len(pair.market.calls[source]) - asked[source] >= SLOTS * calls
        assert pair.doors[source].connections - before[source] < calls


def test_a_killed_service_leaves_no_process_and_the_other_goes_on(pair):
    """After kill -9 no process of the first service is left, and the second has fresh prices."""
    first, second = pair.first, pair.second
    first.end(signal.SIGKILL)
    assert port_is_free(first.port)
    before = len(pair.slots(second))

    def fresh() -> bool:
        quotes, _ = second.quotes(ASKED)
        is_fresh = len(quotes) == 3 and not any(quote["stale"] for quote in quotes.values())
        return is_fresh and len(pair.slots(second)) >= before + 2

    eventually(fresh, "fresh quotes from the second")


def test_sigterm_ends_every_process(pair):
    """SIGTERM ends every process of the second service, frees its port and leaves no lock."""
    assert pair.second.end(signal.SIGTERM) == 0
    assert "Traceback" not in pair.second.output
    assert port_is_free(pair.second.port)
    left = {path.name for path in (pair.second.home / ".local" / "simulated").iterdir()}
    assert left == {"service.log", "archive"}
