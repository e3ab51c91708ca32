"""Reports of one slot that a test makes and commits, with the quotes in them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

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
from marketdata.domain.symbols import parse_symbol
from marketdata.domain.trading_hours import Trading
from marketdata.prices.committing import Committer
from marketdata.settings import Settings
from tests.support.trading_support import a_quote, utc_ms

SLOT_MS = utc_ms("2026-03-18T15:00")
OPEN = Trading(open=True, since_ms=SLOT_MS - 90 * MINUTE_MS)


@dataclass
class Commits:
    """Commits reports that a test makes."""

    cache: Cache
    control: ControlState
    settings: Settings
    count: int = 0

    def commit(
        self, *quotes: Quote, trading: Trading | None, asked: str = "", **more: Any
    ) -> dict[str, Any]:
        """Commit the quotes of a job; `asked` names symbols, `more` fields of job and report."""
        self.count += 1
        symbols = asked.split() or list(dict.fromkeys(quote.symbol for quote in quotes))
        sources = list(dict.fromkeys(quote.source for quote in quotes)) or [Source.YFINANCE]
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
        """The seconds from the slot until a symbol is next due."""
        score = self.cache.command("ZSCORE", self.cache.key("control", "due"), symbol)
        return (float(score) - SLOT_MS) / 1000


def now(symbol: str = "AAPL", age_min: float = 0, source: Source = Source.YFINANCE) -> Quote:
    """A quote of this slot, with a price of so many minutes ago."""
    return a_quote(symbol, SLOT_MS, SLOT_MS - round(age_min * MINUTE_MS), source)
