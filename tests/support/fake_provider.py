"""A provider whose answers a test chooses, and jobs that are fetched from such providers."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from datetime import datetime
from decimal import Decimal
from typing import Any

from marketdata.domain.catalogue import Instrument
from marketdata.domain.messages import Job
from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.symbols import AssetClass
from marketdata.prices.fetching import Clock, Fetcher
from marketdata.providers.contract import CallAllowance, Parsed, Request, Response

NOW_MS = 1_795_356_310_000
DEADLINE_MS = NOW_MS + 3_500
YAHOO_THEN_FINNHUB = [(Source.YFINANCE, 1, None), (Source.FINNHUB, 30, None)]


class FakeProvider:
    """A provider whose answer is a table: symbol to price, error or None (not found).

    The function at `send` in the table runs before each answer.
    """

    def __init__(self, source: Source, table: dict[str, Any]) -> None:
        self.source = source
        self.table = table
        self.asked: list[list[str]] = []
        self.timeouts: list[float] = []

    def build_request(self, batch: Sequence[Instrument]) -> Request:
        """A request that names the symbols, which are noted in `asked`."""
        self.asked.append([instrument.symbol.text for instrument in batch])
        return Request("http://127.0.0.1/" + ",".join(self.asked[-1]))

    def send(self, _request: Request, timeout_s: float, allowance: CallAllowance) -> Response:
        """An empty answer, which costs a call."""
        allowance.take("host")
        self.timeouts.append(timeout_s)
        self.table.get("send", lambda: None)()
        return Response(200, {}, b"")

    def parse(
        self, batch: Sequence[Instrument], _response: Response, fetched_at: datetime
    ) -> Parsed:
        """The quotes of the table. Raise the error that stands for a symbol."""
        quotes, missing = [], []
        for instrument in batch:
            given = self.table.get(instrument.symbol.text)
            if isinstance(given, Exception):
                raise given
            if given is None:
                missing.append(MissingQuote(instrument.symbol.text, Reason.NOT_FOUND, "unknown"))
            else:
                quotes.append(
                    Quote(
                        symbol=instrument.symbol.text,
                        asset_class=instrument.asset_class,
                        price=Decimal(given),
                        currency="USD",
                        change=None,
                        percent_change=None,
                        change_basis=None,
                        source=self.source,
                        timestamp=fetched_at,
                        fetched_at=fetched_at,
                    )
                )
        return Parsed(tuple(quotes), tuple(missing))


def fetch(pool: Executor, job: dict[str, Any], *providers: FakeProvider) -> dict[str, Any]:
    """The report of a job that is fetched from these providers, as an event."""
    by_source = {provider.source: provider for provider in providers}
    fetcher = Fetcher(
        by_source.__getitem__,
        by_source.__getitem__,
        pool,
        Clock(lambda: NOW_MS, lambda: 0.0),
    )
    return fetcher.fetch(Job.model_validate(job)).to_event()


def a_job(
    symbols: Sequence[str],
    attempts: Sequence[tuple[Source, int, str | None]],
    asset_class: AssetClass = AssetClass.STOCKS,
    **more: Any,
) -> dict[str, Any]:
    """A job as an event. `attempts`: the providers, each with its calls and its probe."""
    return {
        "id": "j",
        "slot": NOW_MS // 1000,
        "deadline_ms": DEADLINE_MS,
        "asset_class": asset_class.value,
        "instruments": [{"symbol": symbol, "ids": {}} for symbol in symbols],
        "attempts": [
            {
                "provider": source.value,
                "calls": calls,
                "permit": {"generation": 0, "probe": probe},
                "reservation": {"end_ms": DEADLINE_MS, "use": "active"},
                "excluded": [],
            }
            for source, calls, probe in attempts
        ],
        "skipped": [],
        "last": {},
        **more,
    }


def outcomes(report: dict[str, Any]) -> dict[str, str]:
    """The outcome of each attempt of a report, by provider."""
    return {step["provider"]: step["outcome"] for step in report["outcomes"]}


def prices(report: dict[str, Any]) -> dict[tuple[str, str], str]:
    """The prices of a report, by symbol and provider."""
    return {(q["symbol"], q["source"]): q["price"] for q in report["quotes"]}
