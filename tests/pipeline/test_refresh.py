"""The refresh of the asset lists, from its plan to its commit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import pytest

from marketdata.cache.asset_store import AssetStore
from marketdata.cache.client import Cache
from marketdata.cache.control import ControlState
from marketdata.cache.quote_store import QuoteStore
from marketdata.domain.assets import Listing
from marketdata.domain.list_messages import AssetPlan, AssetReport, AssetSummary
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.symbols import AssetClass
from marketdata.lists.archive import LAST_GOOD, LocalArchive, decode, encode
from marketdata.lists.calendars import never_closed
from marketdata.lists.committing import AssetCommitter
from marketdata.lists.fetching import AssetFetcher
from marketdata.lists.planning import AssetPlanner
from marketdata.providers.contract import CallAllowance, Request, Response
from marketdata.settings import Settings
from tests.support.pipeline import KEYS
from tests.support.simulated_market import Clock
from tests.support.trading_support import a_quote

HOUR_S, DAY_S = 3600, 86_400
# The time between two executions of the schedule.
EVERY_S = 600
SETTINGS = Settings.from_env(KEYS)


ROWS = {
    AssetClass.STOCKS: [("AAPL", "Apple", "AAPL"), ("MSFT", "Microsoft", "MSFT")],
    AssetClass.CRYPTO: [("BTC-USD", "Bitcoin", "bitcoin"), ("ETH-USD", "Ethereum", "ethereum")],
    AssetClass.FOREX: [("EUR/USD", "Euro", "EUR/USD"), ("GBP/USD", "Pound", "GBP/USD")],
}


@dataclass
class Lists:
    """A provider of short lists that counts its calls."""

    source: Source
    calls: int = 0

    def build_asset_requests(self, _asset_class: AssetClass) -> tuple[Request, ...]:
        return (Request("http://127.0.0.1/list"),)

    def send(self, _request: Request, _timeout_s: float, allowance: CallAllowance) -> Response:
        allowance.take("127.0.0.1")
        self.calls += 1
        return Response(200, {}, b"")

    def parse_assets(
        self, asset_class: AssetClass, _responses: Sequence[Response]
    ) -> tuple[Listing, ...]:
        return tuple(
            Listing(symbol, name, self.source, provider_id, rank=place)
            for place, (symbol, name, provider_id) in enumerate(ROWS[asset_class], start=1)
        )


@dataclass
class Refresh:
    """Runs refreshes as the schedule does, with providers of short lists."""

    control: ControlState
    assets: AssetStore
    quotes: QuoteStore
    cache: Cache
    archive: LocalArchive
    executor: ThreadPoolExecutor
    clock: Clock = field(default_factory=Clock)
    lists: dict[Source, Lists] = field(default_factory=lambda: {s: Lists(s) for s in Source})

    def run(self, after_s: float = 0) -> dict[str, AssetSummary]:
        """Let time pass and run one refresh; return the last summary of each class."""
        self.clock.pass_s(after_s)
        find = self.lists.__getitem__
        planner = AssetPlanner(SETTINGS, self.control, self.assets, lambda: str(self.clock()))
        fetcher = AssetFetcher(find, find, self.executor, self.archive, never_closed)
        committer = AssetCommitter(self.control, self.assets, self.quotes, self.archive)
        plan = AssetPlan.model_validate(planner.plan(self.clock()).to_event())
        reports = [AssetReport(asset_class=lost, restore=True) for lost in plan.restore]
        summaries = {}
        for report in (*reports, *map(fetcher.fetch, plan.jobs)):
            done = committer.commit(report, self.clock())
            summaries[done.asset_class.value] = done
        return summaries

    def calls(self) -> int:
        """Return how many calls were made."""
        return sum(provider.calls for provider in self.lists.values())


@pytest.fixture
def refresh(cache: Cache, control_of, tmp_path: Path) -> Iterator[Refresh]:
    """Refreshes of a service that has just fetched its lists."""
    with ThreadPoolExecutor(4) as executor:
        refresh = Refresh(
            control_of(cache, dict.fromkeys(Source, "6000/minute")),
            AssetStore(cache),
            QuoteStore(cache, retention_s=DAY_S),
            cache,
            LocalArchive(tmp_path),
            executor,
        )
        assert all(summary.swapped for summary in refresh.run().values())
        yield refresh


def lose_everything(refresh: Refresh) -> None:
    """Empty the Redis of the service."""
    cache = refresh.cache
    for asset_class in AssetClass:
        for part in ("meta", "ids"):
            cache.command("DEL", cache.key(f"assets:{asset_class.value}", part))
    cache.command("DEL", cache.key("control", "refreshed"))


def test_a_lost_cache_gets_its_lists_from_the_archive_without_a_call(refresh):
    """Lists that Redis lost are restored from the archive with their age, without a call."""
    calls = refresh.calls()
    before = refresh.assets.meta(AssetClass.CRYPTO)
    lose_everything(refresh)
    summaries = refresh.run(HOUR_S)
    assert refresh.calls() == calls
    assert not any(summary.failed for summary in summaries.values())
    assert refresh.assets.meta(AssetClass.CRYPTO) == before


def test_a_restored_list_is_fetched_before_it_is_too_old(refresh):
    """A restored list is fetched by its own age, and not by the time of its restoring."""
    lose_everything(refresh)
    refresh.run(20 * HOUR_S)
    oldest_s = 0.0
    for _ in range(26):
        refresh.run(EVERY_S)
        meta = refresh.assets.meta(AssetClass.FOREX)
        oldest_s = max(oldest_s, (refresh.clock() - meta.updated_at_ms) / 1000)
    assert oldest_s < DAY_S
    assert (refresh.clock() - meta.updated_at_ms) / 1000 < 5 * HOUR_S


def test_an_old_list_in_the_archive_is_put_back_and_fetched_anew(refresh):
    """An archived list that is too old is restored and fetched again in the same refresh."""
    calls = refresh.calls()
    lose_everything(refresh)
    summaries = refresh.run(2 * DAY_S)
    assert refresh.calls() > calls
    assert all(summary.swapped for summary in summaries.values())


def test_a_provider_that_the_archived_list_lacks_is_asked(refresh):
    """A list is fetched again if the archived one lacks a provider, as after a new key."""
    listed = decode(refresh.archive.get(AssetClass.CRYPTO, LAST_GOOD))
    partial = replace(listed, sources=(Source.COINGECKO,))
    refresh.archive.put(AssetClass.CRYPTO, LAST_GOOD, encode(partial))
    lose_everything(refresh)
    summaries = refresh.run(HOUR_S)
    assert {name for name, summary in summaries.items() if summary.swapped} == {"crypto"}


def test_a_refresh_of_a_day_keeps_all_lists_younger_than_the_interval(refresh):
    """The schedule fetches lists so early that none gets as old as the interval."""
    oldest_s = 0.0
    refresh.clock.pass_s(22 * HOUR_S)
    for _ in range(4 * HOUR_S // EVERY_S):
        for asset_class in AssetClass:
            meta = refresh.assets.meta(asset_class)
            age_s = (refresh.clock() - meta.updated_at_ms) / 1000
            oldest_s = max(oldest_s, age_s)
        refresh.run(EVERY_S)
    assert oldest_s < DAY_S - HOUR_S / 4


def test_prices_do_not_continue_when_a_ticker_becomes_another_coin(refresh, caplog):
    """All quotes of a ticker that names another coin are removed, and the log names both coins."""
    quotes = [
        coin_quote(refresh, "BTC-USD"),
        coin_quote(refresh, "BTC-EUR"),
        coin_quote(refresh, "ETH-USD"),
    ]
    refresh.quotes.put(quotes, refresh.clock())
    listed = decode(refresh.archive.get(AssetClass.CRYPTO, LAST_GOOD))
    was = {"coingecko": "batcat", "coinmarketcap": "999999"}
    before = [
        replace(asset, name="batcat", ids=was) if asset.symbol == "BTC-USD" else asset
        for asset in listed.assets
    ]
    refresh.archive.put(AssetClass.CRYPTO, LAST_GOOD, encode(replace(listed, assets=tuple(before))))
    summaries = refresh.run(DAY_S)
    assert summaries["crypto"].swapped
    assert list(refresh.quotes.last(["BTC-USD", "BTC-EUR", "ETH-USD"])) == ["ETH-USD"]
    (record,) = [r for r in caplog.records if r.message == "ticker names another coin"]
    assert (record.ticker, record.ids_before, record.ids["coingecko"]) == ("BTC", was, "bitcoin")


def coin_quote(refresh: Refresh, symbol: str) -> Quote:
    """A quote of a coin at this moment."""
    quote = a_quote(symbol, refresh.clock(), refresh.clock(), Source.COINGECKO)
    return replace(quote, price=Decimal(100), currency=symbol[-3:])
