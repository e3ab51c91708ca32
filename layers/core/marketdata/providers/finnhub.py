"""Finnhub: shares of US listings, one symbol a call; lists of US shares and of forex pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from marketdata.domain.assets import Listing
from marketdata.domain.budget import DEFAULT_HOLD_S
from marketdata.domain.catalogue import Instrument
from marketdata.domain.changes import agreed_change
from marketdata.domain.day_range import agreed_range
from marketdata.domain.dialects import finnhub_spelling, from_finnhub
from marketdata.domain.quotes import ChangeBasis, Quote, Source
from marketdata.domain.symbols import AssetClass
from marketdata.errors import BadPayloadError
from marketdata.providers.answers import AnswerReader, JsonObject
from marketdata.providers.contract import (
    MOST_LIST_BYTES,
    MOST_QUOTE_BYTES,
    KeyLookup,
    Parsed,
    Request,
    Response,
)
from marketdata.providers.holds import clamped_hold_s, rate_limited
from marketdata.providers.listings import listed_currency, listed_or_bad, listed_symbol
from marketdata.providers.rows import not_found, settle
from marketdata.providers.values import (
    MOST_ID_CHARS,
    figure,
    name_of,
    number_or_none,
    price_of,
    shown,
    text_or_none,
    unix_time,
)

# The exchanges of its US list, by the market identifier codes (ISO 10383) of its rows.
EXCHANGES = {
    "XNAS": "NASDAQ",
    "XNGS": "NASDAQ",
    "XNMS": "NASDAQ",
    "XNCM": "NASDAQ",
    "XNYS": "NYSE",
    "XASE": "NYSE AMERICAN",
    "ARCX": "NYSE ARCA",
    "BATS": "BATS",
    "IEXG": "IEX",
    "OOTC": "OTC",
    "OTCM": "OTC",
}


@dataclass(frozen=True, slots=True)
class Finnhub:
    """Finnhub's formats. The key travels in a header, so that no log of URLs holds it.

    A time of 0 is Finnhub's sign for an answer without a quote. Zeros in all figures mean an
    unknown symbol. A price beside a time of 0 is a price of an unknown day, so it is not used.
    """

    base_url: str
    key: KeyLookup = field(repr=False)
    source: Source = Source.FINNHUB

    def build_request(self, batch: Sequence[Instrument]) -> Request:
        """Return the call for the one symbol of a batch."""
        (instrument,) = batch
        spelling = instrument.ids.get(self.source) or finnhub_spelling(instrument.symbol)
        return self._request("quote", MOST_QUOTE_BYTES, symbol=spelling)

    def parse(
        self, batch: Sequence[Instrument], response: Response, fetched_at: datetime
    ) -> Parsed:
        """Return the quote of the one symbol; an answer of zeros means an unknown symbol."""
        (instrument,) = batch
        if b"symbol not supported" in response.body[:200].lower():
            return Parsed((), (not_found(self.source, instrument.symbol.text),))
        row = self._checked(response, fetched_at).json_object(response)
        if "error" in row:
            raise self._reader.bad_payload("an error instead of a quote", response)
        parsed = settle(self.source, batch, lambda one: self._quote(one, row, fetched_at))
        return replace(parsed, hold_s=_hold_s(response, fetched_at))

    def build_asset_requests(self, asset_class: AssetClass) -> tuple[Request, ...]:
        """Return the call for the US list; for forex the pairs of one broker, OANDA."""
        if asset_class is AssetClass.STOCKS:
            return (self._request("stock/symbol", MOST_LIST_BYTES, exchange="US"),)
        if asset_class is AssetClass.FOREX:
            return (self._request("forex/symbol", MOST_LIST_BYTES, exchange="oanda"),)
        return ()

    def parse_assets(
        self, asset_class: AssetClass, responses: Sequence[Response]
    ) -> tuple[Listing, ...]:
        """Return the rows with a valid symbol of the class, each symbol once."""
        listings: dict[str, Listing] = {}
        for response in responses:
            for row in self._checked(response, None).json_rows(response):
                listing = self._listing(asset_class, row)
                if listing:
                    listings.setdefault(listing.symbol, listing)
        return listed_or_bad(self.source, listings)

    def _request(self, path: str, most_bytes: int, **params: str) -> Request:
        headers = {"X-Finnhub-Token": self.key()}
        return Request(f"{self.base_url}/{path}", params, headers, most_bytes=most_bytes)

    @property
    def _reader(self) -> AnswerReader:
        return AnswerReader(self.source, self.key())

    def _checked(self, response: Response, now: datetime | None) -> AnswerReader:
        """Return a reader for an answer with data; raise the error that the answer is otherwise."""
        if response.status == 429:
            default_s = _reset_s(response, now) or DEFAULT_HOLD_S
            raise rate_limited(self.source, response, now, default_s)
        error = self._reader.http_error(response, now)
        if error:
            raise error
        return self._reader

    def _quote(self, instrument: Instrument, row: JsonObject, fetched_at: datetime) -> Quote | None:
        price = price_of(row.get("c"))
        if price is None:
            return None
        if number_or_none(row.get("t")) == 0:
            raise BadPayloadError(f"a price of {shown(price)} with a time of 0")
        previous_close = figure(row.get("pc"))
        found = agreed_change(
            price, number_or_none(row.get("d")), number_or_none(row.get("dp")), previous_close
        )
        day = agreed_range(price, *(figure(row.get(name)) for name in ("o", "h", "l")))
        is_stock = instrument.asset_class is AssetClass.STOCKS
        return Quote(
            symbol=instrument.symbol.text,
            asset_class=instrument.asset_class,
            price=price,
            currency="USD" if is_stock else instrument.symbol.quote,
            change=found.change,
            percent_change=found.percent,
            change_basis=ChangeBasis.PREVIOUS_CLOSE if found.is_known else None,
            source=self.source,
            # For pairs `t` is when the current daily candle opened, up to a day before the price.
            timestamp=unix_time(row.get("t")) if is_stock else None,
            fetched_at=fetched_at,
            previous_close=found.previous_close,
            open=day.open,
            high=day.high,
            low=day.low,
        )

    def _listing(self, asset_class: AssetClass, row: JsonObject) -> Listing | None:
        provider_id = text_or_none(row.get("symbol"), MOST_ID_CHARS)
        if provider_id is None:
            return None
        is_stock = asset_class is AssetClass.STOCKS
        symbol = (
            from_finnhub(provider_id)
            if is_stock
            else listed_symbol(row.get("displaySymbol"), asset_class)
        )
        if symbol is None or symbol.asset_class is not asset_class:
            return None
        mic = text_or_none(row.get("mic"), MOST_ID_CHARS)
        return Listing(
            symbol=symbol.text,
            name=name_of(row.get("description")) or symbol.text,
            source=self.source,
            provider_id=provider_id,
            exchange=EXCHANGES.get(mic, mic) if mic else None,
            currency=listed_currency(row.get("currency")) if is_stock else symbol.quote,
        )


def _reset_s(response: Response, now: datetime | None) -> float | None:
    """Return the seconds until the end of the window in the headers; None without one."""
    reset = unix_time(response.headers.get("x-ratelimit-reset"))
    if reset is None or now is None or reset <= now:
        return None
    return clamped_hold_s((reset - now).total_seconds())


def _hold_s(response: Response, now: datetime) -> float | None:
    """Return the seconds until the reset if a good answer says that no call is left."""
    if number_or_none(response.headers.get("x-ratelimit-remaining")) != 0:
        return None
    return _reset_s(response, now) or DEFAULT_HOLD_S
