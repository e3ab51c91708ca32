"""The whole way of a quote in one process, for tests: plan, fetch and commit over a real Redis.

Slots run as the loop on one machine runs them, with the real providers and senders against the
simulated market, or against any other server. Time moves only when a test moves it.
"""

from __future__ import annotations

import io
import itertools
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlencode

from local.service.loop import Steps, Tick, run_slot
from local.simulator import MarketServers
from marketdata.api.app import create_app
from marketdata.api.readers.status import StatusReader
from marketdata.api.request_log import LoggedRequests
from marketdata.cache.asset_store import AssetStore
from marketdata.cache.client import Cache
from marketdata.cache.control import ControlState
from marketdata.cache.quote_store import QuoteStore
from marketdata.clock import SLOT_S
from marketdata.composition import Stores
from marketdata.domain.breaker import BreakerPolicy
from marketdata.domain.list_messages import AssetPlan, AssetReport, AssetSummary
from marketdata.domain.messages import Job, Report, SlotEvent
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.lists.archive import Archive
from marketdata.lists.calendars import never_closed
from marketdata.lists.committing import AssetCommitter
from marketdata.lists.fetching import AssetFetcher
from marketdata.lists.planning import AssetPlanner
from marketdata.prices.committing import Committer
from marketdata.prices.fetching import Clock as FetchClock
from marketdata.prices.fetching import Fetcher
from marketdata.prices.planning import Planner
from marketdata.providers.contract import CallAllowance, Provider, Request, Response, Sender
from marketdata.providers.registry import make_provider, make_sender
from marketdata.settings import ENV_PREFIXES, Settings
from tests.support.api_service import Reply, ask, logger_of
from tests.support.api_times import epoch_ms
from tests.support.simulated_market import KEY, Clock

KEYS = {f"{name}_API_KEY": KEY for name in ("FINNHUB", "COINMARKETCAP", "ALPHA_VANTAGE")}
# Limits of no plan in particular: nothing but the provider itself keeps a call from being made.
GENEROUS = {f"{prefix}_LIMITS": "6000/minute" for prefix in ENV_PREFIXES.values()}
GENEROUS_MARKET = dict.fromkeys(Source, "6000/minute")
ACTIVE = "AAPL,MSFT,BTC-USD,ETH-USD,EUR/USD,GBP/USD"
SLOT_MS = SLOT_S * 1000
PATIENCE = 10.0


@dataclass
class Ran:
    """One slot: its plan, and the report and the summary of each job."""

    tick: Tick
    plan: dict[str, Any] = field(default_factory=dict)
    reports: list[dict[str, Any]] = field(default_factory=list)
    summaries: list[dict[str, Any]] = field(default_factory=list)

    @property
    def outcomes(self) -> dict[str, dict[str, Any]]:
        """Each attempt by `provider/class`; of several jobs of a class the last one's."""
        return {
            f"{step['provider']}/{summary['asset_class']}": step
            for summary in self.summaries
            for step in summary["outcomes"]
        }

    def outcome(self, source: Source, asset_class: str) -> str:
        """What came of an attempt; `not asked` where nothing was granted."""
        return self.outcomes.get(f"{source.value}/{asset_class}", {}).get("outcome", "not asked")


class Pipeline:
    """The three steps and the readers over one cache and one market, until `close`.

    `urls` put other servers in place of the market's; further settings come as in the environment.
    `patience`: how many seconds a second of a deadline takes, so that no server is given up only
    because the machine is busy. `late_ms`: by how much fetching starts later than planning, so that
    hanging takes less time.
    """

    def __init__(
        self,
        cache: Cache,
        market: MarketServers,
        clock: Clock,
        *,
        urls: Mapping[Source, str] | None = None,
        patience: float = PATIENCE,
        **env: str,
    ) -> None:
        addresses = {**market.base_urls, **(urls or {})}
        urls = {f"{ENV_PREFIXES[source]}_BASE_URL": url for source, url in addresses.items()}
        self.market, self.clock, self.cache, self.late_ms = market, clock, cache, 0
        self.settings = Settings.from_env({"ACTIVE_SYMBOLS": ACTIVE, **KEYS, **urls, **env})
        self._active = ",".join(symbol.text for symbol in self.settings.active_symbols)
        policy = BreakerPolicy(open_ms=self.settings.circuit_breaker_timeout * 1000)
        self.control = ControlState(cache, limits=self.settings.limits, policy=policy)
        self.quotes = QuoteStore(cache, retention_s=self.settings.quote_retention)
        self.assets = AssetStore(cache)
        self._senders: dict[Source, PatientSender] = {}
        self._patience = patience
        self._calls = ThreadPoolExecutor(32)
        self._jobs = ThreadPoolExecutor(4)
        self._tokens = itertools.count(1)
        self._ran = Ran(Tick(0))
        self.planner = Planner(
            self.settings, self.control, self.quotes, self.assets, lambda: f"t{next(self._tokens)}"
        )
        self.fetcher = Fetcher(
            self.provider,
            self.sender,
            self._calls,
            FetchClock(lambda: clock() + self.late_ms, lambda: time.monotonic() / patience),
        )
        self.sender(Source.YFINANCE).warm()  # its libraries take longer to load than a slot lasts
        self.committer = Committer(self.settings, self.control, self.quotes)
        self.app = create_app(
            self.settings,
            Stores(cache=cache, control=self.control, quotes=self.quotes, assets=self.assets),
            now_ms=clock,
            request_log=LoggedRequests(logger_of(io.StringIO(), self.settings)),
            threads=False,
        )
        self.status = StatusReader(self.settings, self.quotes, self.assets, self.control)

    def close(self) -> None:
        """End its threads and connections."""
        self._jobs.shutdown()
        self._calls.shutdown()
        for sender in self._senders.values():
            sender.close()

    def provider(self, source: Source) -> Provider:
        """A provider's formats."""
        return make_provider(source, self.settings)

    def sender(self, source: Source) -> Sender:
        """The one sender of a provider."""
        if source not in self._senders:
            sender = make_sender(source, self.settings)
            self._senders[source] = PatientSender(sender, self._patience)
        return self._senders[source]

    def run(self) -> Ran:
        """Run the slot that it is time for."""
        self._ran = Ran(Tick(0))
        steps = Steps(plan=self._plan, fetch=self._fetch, commit=self._commit)
        slot = self.clock() // SLOT_MS * SLOT_S
        self._ran.tick = run_slot(steps, slot, self._jobs, time.monotonic)
        assert not self._ran.tick.error, self._ran.tick.error
        return self._ran

    def run_next(self, after_s: float = SLOT_S) -> Ran:
        """Let time pass and run the slot that it is time for then."""
        self.clock.pass_s(after_s)
        return self.run()

    def refresh(self, archive: Archive, of_class: AssetClass) -> AssetSummary:
        """Refresh the list of a class, which is due, and no other one."""
        planner = AssetPlanner(self.settings, self.control, self.assets, lambda: str(self.clock()))
        fetcher = AssetFetcher(self.provider, self.sender, self._calls, archive, never_closed)
        committer = AssetCommitter(self.control, self.assets, self.quotes, archive)
        plan = AssetPlan.model_validate(planner.plan(self.clock()).to_event())
        (job,) = (job for job in plan.jobs if job.asset_class is of_class)
        report = AssetReport.model_validate(fetcher.fetch(job).to_event())
        return committer.commit(report, self.clock())

    def read(self, symbols: str, **how: Any) -> dict[str, dict[str, Any]]:
        """What a client of the API gets for a comma list: quotes and errors, by symbol."""
        reply = self.get("/v1/quotes?" + urlencode({"symbols": symbols, **how}))
        assert reply.status == HTTPStatus.OK, reply.body
        body = reply.json
        return {entry["symbol"]: entry for entry in (*body["quotes"], *body["errors"])}

    def get(self, target: str) -> Reply:
        """The API's answer to a GET."""
        path, _, query = target.partition("?")
        return ask(self.app, "GET", unquote(path), query, {})

    def fetched_ms(self, symbol: str) -> int:
        """When the stored quote of a symbol was fetched; nobody watches it for that."""
        return self.quotes.last([symbol])[symbol].fetched_ms

    def sources(self, symbols: str = "") -> dict[str, str]:
        """Who the fresh and true prices of symbols come from; else the error's code or `stale`."""
        return {
            symbol: self._source(entry)
            for symbol, entry in self.read(symbols or self._active).items()
        }

    def provider_status(self, source: Source) -> dict[str, Any]:
        """What /v1/providers says of a provider, its classes by their names."""
        providers = self.status.providers(self.clock()).model_dump(mode="json")["providers"]
        (status,) = (status for status in providers if status["provider"] == source.value)
        classes = {entry["asset_class"]: entry for entry in status["classes"]}
        return {
            **status,
            "classes": classes,
            "used": {b["window"]: b["used"] for b in status["budget"]},
        }

    def health(self) -> dict[str, Any]:
        """What /health says."""
        return self.status.health(self.clock()).model_dump(mode="json")

    def asked(self, source: Source) -> list[int]:
        """How many symbols each call for quotes asked for, as the market saw it."""
        return [call.symbols for call in self.market.calls[source] if call.kind == "quote"]

    def _source(self, entry: Mapping[str, Any]) -> str:
        if "code" in entry:
            return str(entry["code"])
        source, stamp = Source(entry["source"]), entry["timestamp"]
        timestamp_ms = None if stamp is None else epoch_ms(stamp)
        price = Decimal(str(entry["price"]))
        assert self.market.is_true(entry["symbol"], price, timestamp_ms, source), entry
        return "stale" if entry["stale"] else source.value

    def _plan(self, event: dict[str, Any], _context: object) -> dict[str, Any]:
        asked = SlotEvent.model_validate(event)
        self._ran.plan = self.planner.plan(asked.slot, self.clock()).to_event()
        return self._ran.plan

    def _fetch(self, job: dict[str, Any], _context: object) -> dict[str, Any]:
        report = self.fetcher.fetch(Job.model_validate(job)).to_event()
        self._ran.reports.append(report)
        return report

    def _commit(self, report: dict[str, Any], _context: object) -> dict[str, Any]:
        done = self.committer.commit(Report.model_validate(report), self.clock())
        summary = done.to_event()
        self._ran.summaries.append(summary)
        return summary


class PatientSender:
    """A sender that waits `patience` times as long as its timeout."""

    def __init__(self, sender: Sender, patience: float) -> None:
        self._sender, self._patience = sender, patience

    def warm(self) -> None:
        """Load what the first call needs."""
        self._sender.warm()

    def send(
        self, request: Request, timeout_s: float, allowance: CallAllowance | None = None
    ) -> Response:
        """The response."""
        return self._sender.send(request, timeout_s * self._patience, allowance)

    def close(self) -> None:
        """End its connections, if it keeps some."""
        getattr(self._sender, "close", lambda: None)()


class Make:
    """Makes pipelines over one market, with the settings of each as arguments."""

    def __init__(self, cache: Cache, market: MarketServers, clock: Clock) -> None:
        self.market, self.clock = market, clock
        self.made: list[Pipeline] = []
        self._cache = cache

    def __call__(self, **how: Any) -> Pipeline:
        """One more pipeline."""
        self.made.append(Pipeline(self._cache, self.market, self.clock, **how))
        return self.made[-1]


@contextmanager
def simulated(cache: Cache, *, limits: Mapping[Source, str] | None = None) -> Iterator[Make]:
    """A new market, and pipelines over it.

    `limits` are the market's own; a provider has those of its free plan where none are given.
    """
    clock = Clock()
    with MarketServers(clock=clock, limits=limits) as market:
        make = Make(cache, market, clock)
        yield make
        for pipeline in make.made:
            pipeline.close()
