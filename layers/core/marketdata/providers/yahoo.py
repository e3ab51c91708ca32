"""Yahoo Finance's formats: the batched quote call, and the screener that lists US stocks.

Pure; how a request reaches Yahoo, with its cookie and crumb, is `yahoo_session`'s business. Yahoo
has no key, so no answer of its is ever a bad key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from marketdata.domain.assets import Listing
from marketdata.domain.catalogue import FACTS, Instrument
from marketdata.domain.quotes import MINOR_UNITS, ChangeBasis, Quote, Source, to_major_unit
from marketdata.domain.symbols import AssetClass, has_exchange_suffix
from marketdata.errors import BadPayloadError, ProviderError, UnavailableError
from marketdata.providers.answers import AnswerReader, is_html
from marketdata.providers.contract import Parsed, Request, Response
from marketdata.providers.holds import rate_limited
from marketdata.providers.listings import listed_symbol
from marketdata.providers.rows import settle
from marketdata.providers.values import number_or_none, price_of, unix_time

ORIGIN = "https://query1.finance.yahoo.com"
QUOTE_PATH = "/v7/finance/quote"
SCREENER_PATH = "/v1/finance/screener"
# A member that Yahoo's answers do not have: the spellings that the per-symbol way did not get to.
UNANSWERED = "unanswered"

# How its two kinds of rate limit begin, as text in place of JSON.
TOO_MANY = (b"Too Many Requests", b"Edge: Too Many Requests")

_PAGE_ROWS = 250  # the most that the screener gives


class Yahoo:
    """Yahoo's quotes for stocks and forex, and its list of US stocks by market capitalisation.

    `base_url` stands in for the origin of every Yahoo host. Requests are spelled for the real
    hosts all the same: yfinance and its session send them, and the session goes where it says.
    """

    source = Source.YFINANCE

    def __init__(self, base_url: str = "") -> None:
        self.base_url = base_url
        self._reader = AnswerReader(self.source)

    def build_request(self, batch: Sequence[Instrument]) -> Request:
        """One call for up to 100 instruments; the crumb is added by the session."""
        symbols = ",".join(spelling(instrument) for instrument in batch)
        return Request(ORIGIN + QUOTE_PATH, {"symbols": symbols, "formatted": "false"})

    def parse(
        self, batch: Sequence[Instrument], response: Response, fetched_at: datetime
    ) -> Parsed:
        """Quotes joined by symbol, as Yahoo keeps no order and leaves out what it does not know.

        Raises `RateLimitedError`, `UnavailableError` or `BadPayloadError` for the whole answer.
        """
        self._raise_for_error(response)
        body = self._reader.json_object(response)
        rows = {_pair_or_symbol(row["symbol"]): row for row in self._rows(body, response)}
        left = body.get(UNANSWERED)
        unanswered = {str(symbol).upper() for symbol in left} if isinstance(left, list) else set()

        def read(instrument: Instrument) -> Quote | None:
            name = spelling(instrument)
            if name in unanswered:
                raise BadPayloadError("not answered within the time")
            row = rows.get(name)
            return None if row is None else _quote(instrument, row, fetched_at)

        return settle(self.source, batch, read)

    def build_asset_requests(self, asset_class: AssetClass) -> tuple[Request, ...]:
        """The screener's pages for US stocks, largest first; nothing for the other classes."""
        pages = FACTS[self.source].asset_calls.get(asset_class, 0)
        return tuple(_screener(page * _PAGE_ROWS) for page in range(pages))

    def parse_assets(
        self, asset_class: AssetClass, responses: Sequence[Response]
    ) -> tuple[Listing, ...]:
        """The rows of the pages in their order; one that moved to a later page counts once."""
        listings: dict[str, Listing] = {}
        for response in responses:
            self._raise_for_error(response)
            for row in self._screened(self._reader.json_object(response), response):
                symbol = listed_symbol(row.get("symbol"), asset_class)
                if symbol is not None and symbol not in listings:
                    listings[symbol] = _listing(symbol, row, rank=len(listings) + 1)
        return tuple(listings.values())

    def _raise_for_error(self, response: Response) -> None:
        """Raise the error that an answer is, if it is not an answer with data."""
        name, status = self.source.value, response.status
        if status in (429, 999) or response.body.lstrip().startswith(TOO_MANY):
            raise rate_limited(self.source, response)
        if status in (401, 403):
            raise UnavailableError(f"{name}: the cookie or crumb is not accepted (status {status})")
        if status in (404, 410):
            raise UnavailableError(f"{name}: the path is gone (status {status})")
        error: ProviderError | None = self._reader.http_error(response)
        if error is None and is_html(response):
            error = self._reader.bad_payload("a page in place of data", response)
        if error is not None:
            raise error

    def _rows(self, body: Mapping[str, Any], response: Response) -> Iterator[dict[str, Any]]:
        answer = body.get("quoteResponse")
        if not isinstance(answer, dict) or answer.get("error"):
            raise self._reader.bad_payload("no quotes", response)
        yield from self._symbol_rows(answer.get("result"), response)

    def _screened(self, body: Mapping[str, Any], response: Response) -> Iterator[dict[str, Any]]:
        answer = body.get("finance")
        result = answer.get("result") if isinstance(answer, dict) else None
        page = result[0] if isinstance(result, list) and result else None
        if not isinstance(page, dict) or (isinstance(answer, dict) and answer.get("error")):
            raise self._reader.bad_payload("no list of stocks", response)
        yield from self._symbol_rows(page.get("quotes"), response)

    def _symbol_rows(self, rows: Any, response: Response) -> Iterator[dict[str, Any]]:
        if not isinstance(rows, list):
            raise self._reader.bad_payload("no list of rows", response)
        for row in rows:
            if isinstance(row, dict) and isinstance(row.get("symbol"), str):
                yield row


def spelling(instrument: Instrument) -> str:
    """Yahoo's name: `BRK-B` for a share class, `OCDO.L` for an exchange, `EURUSD=X` for a pair."""
    symbol = instrument.symbol.text
    match instrument.asset_class:
        case AssetClass.FOREX:
            return symbol.replace("/", "") + "=X"
        case AssetClass.CRYPTO:
            return symbol
        case AssetClass.STOCKS if has_exchange_suffix(symbol):
            share, _, exchange = symbol.rpartition(".")
            return f"{share.replace('.', '-')}.{exchange}"
        case _:
            return symbol.replace(".", "-")


def _pair_or_symbol(name: str) -> str:
    """A row's symbol as `spelling` writes it: Yahoo drops a pair's USD base (`JPY=X`)."""
    name = name.strip().upper()
    return f"USD{name}" if len(name) == len("JPY=X") and name.endswith("=X") else name


def _quote(instrument: Instrument, row: Mapping[str, Any], fetched_at: datetime) -> Quote | None:
    if row.get("quoteType") == "NONE":
        return None
    price = price_of(row.get("regularMarketPrice"))
    if price is None:
        return None
    currency = _currency(instrument, row)
    change = number_or_none(row.get("regularMarketChange"))
    percent = number_or_none(row.get("regularMarketChangePercent"))
    if currency in MINOR_UNITS:
        change = None if change is None else to_major_unit(change, currency)[0]
        price, currency = to_major_unit(price, currency)
    basis = ChangeBasis.PREVIOUS_CLOSE
    if row.get("quoteType") == "CRYPTOCURRENCY":
        basis = ChangeBasis.ROLLING_24H
    return Quote(
        symbol=instrument.symbol.text,
        asset_class=instrument.asset_class,
        price=price,
        currency=currency,
        change=change,
        percent_change=percent,
        change_basis=None if change is None and percent is None else basis,
        source=Source.YFINANCE,
        timestamp=unix_time(row.get("regularMarketTime")),
        fetched_at=fetched_at,
    )


def _currency(instrument: Instrument, row: Mapping[str, Any]) -> str | None:
    """The currency of a row's price, which for a pair can only be its second side."""
    told = row.get("currency")
    if told is not None and not isinstance(told, str):
        raise BadPayloadError(f"not a currency: {str(told)[:40]!r}")
    if instrument.asset_class is AssetClass.STOCKS:
        return told or None
    expected = instrument.symbol.quote
    if told and told.upper() != expected:
        raise BadPayloadError(f"a price in {told[:10]!r}, not {expected}")
    return expected


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
    )


def _listing(symbol: str, row: Mapping[str, Any], *, rank: int) -> Listing:
    names = (row.get(key) for key in ("longName", "shortName", "displayName"))
    name = next((n for n in names if isinstance(n, str) and n.strip()), symbol)
    exchange, currency = row.get("fullExchangeName"), row.get("currency")
    if isinstance(currency, str):
        currency = MINOR_UNITS.get(currency, currency)
    return Listing(
        symbol=symbol,
        name=name.strip(),
        source=Source.YFINANCE,
        provider_id=row["symbol"],
        exchange=exchange if isinstance(exchange, str) else None,
        currency=currency if isinstance(currency, str) else None,
        rank=rank,
    )
