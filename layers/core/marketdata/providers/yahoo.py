"""Yahoo Finance's formats: the batched quote call, and the screener that lists US stocks.

Pure. `yahoo_session` sends the requests, with a cookie and a crumb. Yahoo has no key, so no error
of Yahoo means a bad key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from marketdata.domain.assets import Listing
from marketdata.domain.catalogue import FACTS, Instrument
from marketdata.domain.dialects import yahoo_spelling
from marketdata.domain.outcomes import ADDRESS_NOT_ACCEPTED, MissingQuote, Reason
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.errors import ProviderError, RateLimitedError, UnavailableError
from marketdata.providers.answers import AnswerReader, JsonObject, is_html
from marketdata.providers.contract import MOST_LIST_BYTES, Parsed, Request, Response
from marketdata.providers.holds import rate_limited
from marketdata.providers.listings import listed_currency, listed_or_bad, listed_symbol
from marketdata.providers.rows import settle
from marketdata.providers.values import MOST_ID_CHARS, name_of, text_or_none
from marketdata.providers.yahoo_rows import Row, quote_of

ORIGIN = "https://query1.finance.yahoo.com"
QUOTE_PATH = "/v7/finance/quote"
SCREENER_PATH = "/v1/finance/screener"
# The member of an answer from charts that lists the symbols without a request.
UNANSWERED = "unanswered"

# The beginnings of Yahoo's two kinds of rate limit, which are text in place of JSON.
EDGE = b"Edge: Too Many Requests"
TOO_MANY = (b"Too Many Requests", EDGE)

_PAGE_ROWS = 250  # the most that the screener gives


class Yahoo:
    """Yahoo's quotes for stocks and forex, and its list of US stocks by market capitalisation.

    `base_url` replaces the origin of every Yahoo host. Requests name the real hosts: yfinance makes
    them, and its session sends them to `base_url`.
    """

    source = Source.YFINANCE

    def __init__(self, base_url: str = "") -> None:
        self.base_url = base_url
        self._reader = AnswerReader(self.source)

    def build_request(self, batch: Sequence[Instrument]) -> Request:
        """Return the call for up to 100 instruments; the session adds the crumb."""
        symbols = ",".join(yahoo_spelling(instrument.symbol) for instrument in batch)
        return Request(ORIGIN + QUOTE_PATH, {"symbols": symbols, "formatted": "false"})

    def parse(
        self, batch: Sequence[Instrument], response: Response, fetched_at: datetime
    ) -> Parsed:
        """Return quotes joined by symbol: Yahoo keeps no order and leaves out unknown symbols.

        A row counts only if its symbol is spelled exactly as it was asked for. Raise
        `RateLimitedError`, `UnavailableError` or `BadPayloadError` for the whole answer.
        """
        self._raise_for_error(response)
        body = self._reader.json_object(response)
        rows: dict[str, list[Row]] = {}
        for row in self._rows(body, response):
            rows.setdefault(row["symbol"], []).append(row)
        names = body.get(UNANSWERED)
        skipped = (
            {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()
        )
        left = [one for one in batch if yahoo_spelling(one.symbol) in skipped]
        parsed = settle(
            self.source,
            [one for one in batch if yahoo_spelling(one.symbol) not in skipped],
            lambda one: quote_of(
                one, [row for name in _row_names(one) for row in rows.get(name, ())], fetched_at
            ),
        )
        reasons = tuple(self._not_asked(one.symbol.text) for one in left)
        return replace(parsed, missing=parsed.missing + reasons, note=response.note)

    def build_asset_requests(self, asset_class: AssetClass) -> tuple[Request, ...]:
        """Return the calls for the pages of US stocks, largest first; no other class is listed."""
        pages = FACTS[self.source].asset_calls.get(asset_class, 0)
        return tuple(_screener(page * _PAGE_ROWS) for page in range(pages))

    def parse_assets(
        self, asset_class: AssetClass, responses: Sequence[Response]
    ) -> tuple[Listing, ...]:
        """Return the rows of the pages in their order, each symbol once."""
        listings: dict[str, Listing] = {}
        for response in responses:
            self._raise_for_error(response)
            for row in self._screened(self._reader.json_object(response), response):
                symbol = listed_symbol(row.get("symbol"), asset_class)
                if symbol is not None and symbol.text not in listings:
                    listings[symbol.text] = _listing(symbol.text, row, rank=len(listings) + 1)
        return listed_or_bad(self.source, listings)

    def _not_asked(self, symbol: str) -> MissingQuote:
        message = f"{self.source.value}: {symbol}: not answered within the time and the budget"
        return MissingQuote(symbol, Reason.PROVIDER_UNAVAILABLE, message)

    def _raise_for_error(self, response: Response) -> None:
        """Raise the error of an answer without data."""
        name, status = self.source.value, response.status
        head = response.body[:200].lstrip()
        if status in (429, 999) or head.startswith(TOO_MANY):
            error = rate_limited(self.source, response)
            # Many IP addresses of clouds get this answer, however few calls they make.
            if is_html(response) or head.startswith(EDGE):
                text = f"{name}: Yahoo {ADDRESS_NOT_ACCEPTED} (status {status})"
                error = RateLimitedError(text, error.retry_after_s)
            raise error
        if status == 403 and is_html(response):
            raise UnavailableError(f"{name}: Yahoo {ADDRESS_NOT_ACCEPTED} (status {status})")
        if status in (401, 403):
            raise UnavailableError(f"{name}: the cookie or crumb is not accepted (status {status})")
        if status in (404, 410):
            raise UnavailableError(f"{name}: the path is gone (status {status})")
        problem: ProviderError | None = self._reader.http_error(response)
        if problem is None and is_html(response):
            problem = self._reader.bad_payload("a page in place of data", response)
        if problem is not None:
            raise problem

    def _rows(self, body: Mapping[str, Any], response: Response) -> Iterator[JsonObject]:
        answer = body.get("quoteResponse")
        if not isinstance(answer, dict) or answer.get("error"):
            raise self._reader.bad_payload("no quotes", response)
        yield from self._symbol_rows(answer.get("result"), response)

    def _screened(self, body: Mapping[str, Any], response: Response) -> Iterator[JsonObject]:
        answer = body.get("finance")
        result = answer.get("result") if isinstance(answer, dict) else None
        page = result[0] if isinstance(result, list) and result else None
        if not isinstance(page, dict) or (isinstance(answer, dict) and answer.get("error")):
            raise self._reader.bad_payload("no list of stocks", response)
        yield from self._symbol_rows(page.get("quotes"), response)

    def _symbol_rows(self, rows: Any, response: Response) -> Iterator[JsonObject]:
        if not isinstance(rows, list):
            raise self._reader.bad_payload("no list of rows", response)
        for row in rows:
            if isinstance(row, dict) and isinstance(row.get("symbol"), str):
                yield row


def _row_names(instrument: Instrument) -> tuple[str, ...]:
    """Return the symbols that an instrument's row may have: Yahoo drops a pair's USD base."""
    symbol, name = instrument.symbol, yahoo_spelling(instrument.symbol)
    is_from_dollar = symbol.asset_class is AssetClass.FOREX and symbol.base == "USD"
    return (name, f"{symbol.quote}=X") if is_from_dollar else (name,)


def _screener(offset: int) -> Request:
    # What yfinance.screen sends for EquityQuery("eq", ["region", "us"]), member for member.
    return Request(
        ORIGIN + SCREENER_PATH,
        {"corsDomain": "finance.yahoo.com", "formatted": "false", "lang": "en-US", "region": "US"},
        method="POST",
        json={
            "offset": offset,
            "count": 25,
            "size": _PAGE_ROWS,
            "sortField": "intradaymarketcap",
            "userId": "",
            "userIdType": "guid",
            "sortType": "DESC",
            "query": {"operator": "EQ", "operands": ["region", "us"]},
            "quoteType": "EQUITY",
        },
        most_bytes=MOST_LIST_BYTES,
    )


def _listing(symbol: str, row: Mapping[str, Any], *, rank: int) -> Listing:
    names = (name_of(row.get(key)) for key in ("longName", "shortName", "displayName"))
    return Listing(
        symbol=symbol,
        name=next(filter(None, names), symbol),
        source=Source.YFINANCE,
        provider_id=row["symbol"],
        exchange=text_or_none(row.get("fullExchangeName"), MOST_ID_CHARS),
        currency=listed_currency(row.get("currency")),
        rank=rank,
    )
