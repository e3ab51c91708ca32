"""When a symbol is asked for again: by what came of it, and by whether its market trades."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from marketdata.cache.client import Cache
from marketdata.cache.control import ControlState
from marketdata.cache.quote_store import QuoteStore
from marketdata.clock import MINUTE_MS, epoch_ms
from marketdata.domain.breaker import Permit
from marketdata.domain.budget import Use
from marketdata.domain.catalogue import Instrument
from marketdata.domain.messages import Attempt, AttemptOutcome, Job, LastPrice, Report, Reservation
from marketdata.domain.outcomes import Outcome
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.symbols import AssetClass, parse_symbol
from marketdata.domain.trading_hours import Trading
from marketdata.prices.committing import Committer
from marketdata.settings import Settings
from tests.support.trading_support import a_quote, utc_ms

YAHOO, FINNHUB = Source.YFINANCE, Source.FINNHUB
SLOT_MS = utc_ms("2026-03-18T15:00")
LIMITS = dict.fromkeys(Source, "6000/minute")
OPEN = Trading(open=True, since_ms=SLOT_MS - 90 * MINUTE_MS)
CLOSED = Trading(open=False)


@dataclass
class Commits:
    """Commits reports made by hand, and tells what came of them."""

    cache: Cache
    control: ControlState
    settings: Settings
    count: int = 0

    def commit(
        self, *quotes: Quote, trading: Trading | None, asked: str = "", **more: Any
    ) -> dict[str, Any]:
        """Commit what one job brought; `asked` names symbols, `more` members of job and report."""
        self.count += 1
        symbols = asked.split() or list(dict.fromkeys(quote.symbol for quote in quotes))
        sources = list(dict.fromkeys(quote.source for quote in quotes)) or [YAHOO]
        stored = self.quotes.last(symbols)
        job = Job(
            id=f"r{self.count}",
            slot=SLOT_MS // 1000,
            deadline_ms=SLOT_MS + 3_500,
            asset_class=parse_symbol(symbols[0]).asset_class,
            use=Use(more.get("use", "active")),
            instruments=tuple(Instrument(parse_symbol(symbol)) for symbol in symbols),
            attempts=tuple(
                Attempt(
                    provider=source,
                    calls=1,
                    permit=Permit(generation=0),
                    reservation=Reservation(end_ms=SLOT_MS, use=Use.ACTIVE),
                )
                for source in sources
            ),
            last={
                symbol: LastPrice(price=Decimal(last.price), timestamp_ms=last.timestamp_ms)
                for symbol, last in stored.items()
            },
            trading=trading or Trading(),
        )
        report = Report(
            job=job,
            quotes=quotes,
            missing=tuple(more.get("missing", ())),
            outcomes=tuple(
                AttemptOutcome(
                    provider=source,
                    outcome=Outcome(more.get("outcome", "ok")),
                    calls_used=1,
                    latency_ms=5,
                    bad_rows=more.get("bad_rows", ()),
                    quotes=1,
                )
                for source in sources
            ),
        )
        now_ms = max((epoch_ms(quote.fetched_at) for quote in quotes), default=SLOT_MS)
        committer = Committer(self.settings, self.control, self.quotes)
        return committer.commit(report, now_ms).to_event()

    @property
    def quotes(self) -> QuoteStore:
        """The stored quotes."""
        return QuoteStore(self.cache, retention_s=86_400)

    def pause_s(self, symbol: str = "AAPL") -> float:
        """From the slot to when a symbol is next due."""
        score = self.cache.command("ZSCORE", self.cache.key("control", "due"), symbol)
        return (float(score) - SLOT_MS) / 1000


@pytest.fixture
def commits(cache: Cache, control_of) -> Commits:
    """Commits with the settings of a paid plan: every slot pays."""
    env = {f"{name}_LIMITS": "6000/minute" for name in ("YAHOO", "FINNHUB", "COINGECKO")}
    return Commits(cache, control_of(cache, LIMITS), Settings.from_env(env))


def now(symbol: str = "AAPL", age_min: float = 0, source: Source = YAHOO) -> Quote:
    """A quote of this slot, with a price of so many minutes ago."""
    return a_quote(symbol, SLOT_MS, SLOT_MS - round(age_min * MINUTE_MS), source)


@pytest.mark.parametrize("trading", [OPEN, CLOSED, None])
@pytest.mark.parametrize("symbol", ["AAPL", "OCDO.L", "EUR/USD"])
def test_the_pace_is_the_same_at_all_hours(commits, symbol, trading):
    """What is shown on a weekend is as freshly confirmed as on a working day."""
    commits.commit(now(symbol), trading=trading)
    assert commits.pause_s(symbol) == 5


def test_a_slower_pace_may_be_wished_for(commits):
    """PRICE_FETCH_INTERVAL is the least time between two prices."""
    commits.settings = Settings.from_env({"PRICE_FETCH_INTERVAL": "600"})
    commits.commit(now(), trading=CLOSED)
    assert commits.pause_s() == 600


def test_a_price_that_waits_for_confirmation_is_due_in_the_next_slot_even_while_closed(commits):
    """A jump is confirmed soon, or found to be none."""
    commits.quotes.put([now()], SLOT_MS)
    commits.commit(a_quote("AAPL", SLOT_MS + 1, SLOT_MS + 1, price="500"), trading=CLOSED)
    assert commits.pause_s() == 5


def test_a_first_price_is_written_however_old_it_is(commits):
    """And so is a newer one that is still old; both are reported as stale."""
    for age_min in (90, 60):
        summary = commits.commit(now(age_min=age_min), trading=OPEN)
        assert summary["written"] == {"yfinance": 1}
        assert commits.quotes.last(["AAPL"])["AAPL"].timestamp_ms == SLOT_MS - age_min * MINUTE_MS


def later(quote: Quote, seconds: int) -> Quote:
    """The same price of the same time, fetched later."""
    return a_quote(
        quote.symbol,
        round(quote.fetched_at.timestamp() * 1000) + seconds * 1000,
        round(quote.timestamp.timestamp() * 1000),
        quote.source,
    )


@pytest.mark.parametrize(
    ("age_min", "trading", "refreshed"),
    [(60, OPEN, False), (1, OPEN, True), (60, CLOSED, True), (60, None, True)],
)
def test_a_repeated_price_is_fresh_only_if_it_may_be(commits, age_min, trading, refreshed):
    """An old one of an open market keeps the time when it was first fetched, and so gets stale."""
    first = now(age_min=age_min)
    commits.commit(first, trading=trading)
    summary = commits.commit(later(first, 60), trading=trading)
    assert summary["held_back"] == ({} if refreshed else {"older": 1})
    stored = commits.quotes.last(["AAPL"])["AAPL"]
    assert stored.fetched_ms == SLOT_MS + (60_000 if refreshed else 0)


def test_a_second_source_that_repeats_it_does_not_make_it_fresh_either(commits):
    """The hour-old price of another source is as old."""
    commits.commit(now(age_min=60), trading=OPEN)
    commits.commit(later(now(age_min=60, source=FINNHUB), 60), trading=OPEN)
    assert commits.quotes.last(["AAPL"])["AAPL"].fetched_ms == SLOT_MS


def test_a_stale_source_is_asked_again_in_the_next_slot(commits):
    """So that its breaker learns soon, and its recovery is seen soon."""
    for _ in range(2):
        summary = commits.commit(now(age_min=60), now("MSFT", 60), trading=OPEN)
    assert commits.pause_s() == 5
    (outcome,) = summary["outcomes"]
    assert outcome["outcome"] == "stale"
    assert outcome["detail"] == "the newest price is 60 min old while the market is open"


def test_an_asset_that_nobody_trades_is_asked_for_once_a_minute(commits):
    """Its source is current for others and is not called stale."""
    for _ in range(2):
        summary = commits.commit(now("DEAD", 1_000_000), now("AAPL"), trading=OPEN)
    assert (commits.pause_s("DEAD"), commits.pause_s("AAPL")) == (60, 5)
    assert [step["outcome"] for step in summary["outcomes"]] == ["ok"]


def test_what_only_clients_ask_for_opens_no_breaker(commits):
    """A watched asset may be one that nobody trades."""
    for _ in range(9):
        summary = commits.commit(now("DEAD", 1_000_000), trading=OPEN, use="watched")
    assert [step["outcome"] for step in summary["outcomes"]] == ["ok"]
    classes = commits.control.read_providers(SLOT_MS).providers[YAHOO].classes
    assert classes[AssetClass.STOCKS].last_error is None


@pytest.mark.parametrize("outcome", ["rate_limited", "unavailable", "not_entitled"])
def test_a_failed_attempt_is_reported_with_its_own_outcome(commits, outcome):
    """Old prices that came with a failure do not hide it."""
    summary = commits.commit(now(age_min=60), trading=OPEN, outcome=outcome)
    assert [step["outcome"] for step in summary["outcomes"]] == [outcome]


def test_a_job_without_sessions_is_committed_as_ever(commits):
    """Whoever planned it knew of none."""
    assert commits.commit(now(age_min=60), trading=None)["written"] == {"yfinance": 1}
    assert commits.pause_s() == 5
