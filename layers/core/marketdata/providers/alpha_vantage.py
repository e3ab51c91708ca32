"""Alpha Vantage: forex, one pair a call; lists of US listings and of currencies, as CSV.

Alpha Vantage accepts its key only in the query, so URLs are never shown.
"""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from marketdata.domain.assets import Listing
from marketdata.domain.catalogue import Instrument
from marketdata.domain.currencies import CURRENCIES
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.symbols import AssetClass, Symbol
from marketdata.errors import BadPayloadError
from marketdata.providers.alpha_vantage_notices import is_unknown, notice, spelled_notice
from marketdata.providers.answers import AnswerReader, JsonObject, is_html
from marketdata.providers.contract import (
    MOST_LIST_BYTES,
    MOST_QUOTE_BYTES,
    KeyLookup,
    Parsed,
    Request,
    Response,
)
from marketdata.providers.listings import listed_or_bad, listed_symbol
from marketdata.providers.rows import not_found, settle
from marketdata.providers.values import (
    MOST_ID_CHARS,
    name_of,
    price_of,
    shown,
    text_or_none,
    zoned_time,
)

_RATE_FUNCTION = "CURRENCY_EXCHANGE_RATE"
_RATE = "Realtime Currency Exchange Rate"
_COLUMNS = {
    AssetClass.STOCKS: "symbol,name,exchange,assetType,ipoDate,delistingDate,status".split(","),
    AssetClass.FOREX: ["currency code", "currency name"],
}
_TEST_LISTING = re.compile(r"\bTEST (?:TICKER|STOCK|SYMBOL|ISSUE)\b", re.IGNORECASE)
_HARD_SPACE = re.compile("&nbsp;?", re.IGNORECASE)  # `html.unescape` does not know it in capitals


@dataclass(frozen=True, slots=True)
class AlphaVantage:
    """Alpha Vantage's formats."""

    base_url: str
    key: KeyLookup = field(repr=False)
    source: Source = Source.ALPHA_VANTAGE

    def build_request(self, batch: Sequence[Instrument]) -> Request:
        """Return the call for the exchange rate of the one pair of a batch."""
        pair = _pair(batch)
        return self._query(_RATE_FUNCTION, from_currency=pair.base, to_currency=pair.quote)

    def parse(
        self, batch: Sequence[Instrument], response: Response, fetched_at: datetime
    ) -> Parsed:
        """Return the rate of the one pair; an unknown pair is an error or an empty object."""
        reader = self._checked(response, fetched_at)
        body = reader.json_object(response)
        unknown = Parsed((), (not_found(self.source, batch[0].symbol.text),))
        if is_unknown(body):
            return unknown
        error = notice(body, response, fetched_at)
        if error:
            raise error
        rate = body.get(_RATE)
        if not isinstance(rate, dict):
            raise reader.bad_payload("no exchange rate", response)
        if not rate:
            return unknown
        return settle(self.source, batch, lambda one: self._quote(one, rate, fetched_at))

    def build_asset_requests(self, asset_class: AssetClass) -> tuple[Request, ...]:
        """Return the call for the US listings, or for the physical currencies, without a key."""
        if asset_class is AssetClass.STOCKS:
            return (self._query("LISTING_STATUS"),)
        if asset_class is AssetClass.FOREX:
            url = f"{self.base_url}/physical_currency_list/"
            return (Request(url, most_bytes=MOST_LIST_BYTES),)
        return ()

    def parse_assets(
        self, asset_class: AssetClass, responses: Sequence[Response]
    ) -> tuple[Listing, ...]:
        """Return the active listings with a valid symbol; for forex the currencies, not pairs."""
        to_listing = self._stock if asset_class is AssetClass.STOCKS else self._currency
        listings: dict[str, Listing] = {}
        for response in responses:
            reader = self._checked(response, None)
            for row in _table(reader, response, _COLUMNS[asset_class]):
                listing = to_listing(row)
                if listing:
                    listings.setdefault(listing.symbol, listing)
        return listed_or_bad(self.source, listings)

    def _query(self, function: str, **params: str) -> Request:
        params = {"function": function, **params, "apikey": self.key()}
        most = MOST_QUOTE_BYTES if function == _RATE_FUNCTION else MOST_LIST_BYTES
        return Request(f"{self.base_url}/query", params, most_bytes=most)

    def _checked(self, response: Response, now: datetime | None) -> AnswerReader:
        reader = AnswerReader(self.source, self.key())
        error = reader.http_error(response, now)
        if error:
            raise error
        return reader

    def _quote(
        self, instrument: Instrument, rate: JsonObject, fetched_at: datetime
    ) -> Quote | None:
        pair = _pair([instrument])
        pair_given = (rate.get("1. From_Currency Code"), rate.get("3. To_Currency Code"))
        if pair_given != (pair.base, pair.quote):
            came = "/".join(map(shown, pair_given))
            raise BadPayloadError(f"a price of {came}, not of {pair.base} in {pair.quote}")
        price = price_of(rate.get("5. Exchange Rate"))
        if price is None:
            return None
        return Quote(
            symbol=instrument.symbol.text,
            asset_class=instrument.asset_class,
            price=price,
            currency=pair.quote,
            change=None,
            percent_change=None,
            change_basis=None,
            source=self.source,
            timestamp=zoned_time(rate.get("6. Last Refreshed"), rate.get("7. Time Zone")),
            fetched_at=fetched_at,
        )

    def _stock(self, row: dict[str, str]) -> Listing | None:
        symbol = listed_symbol(row["symbol"], AssetClass.STOCKS)
        name = " ".join(html.unescape(_HARD_SPACE.sub(" ", name_of(row["name"]) or "")).split())
        if symbol is None or row["status"] != "Active" or _TEST_LISTING.search(name):
            return None
        return Listing(
            symbol=symbol.text,
            name=name or symbol.text,
            source=self.source,
            provider_id=row["symbol"],
            exchange=text_or_none(row["exchange"], MOST_ID_CHARS),
            currency="USD",  # all listings trade on exchanges of the United States
        )

    def _currency(self, row: dict[str, str]) -> Listing | None:
        code = row["currency code"].strip()
        if code not in CURRENCIES:
            return None
        name = name_of(row["currency name"]) or code
        return Listing(symbol=code, name=name, source=self.source, provider_id=code)


def _pair(batch: Sequence[Instrument]) -> Symbol:
    (instrument,) = batch
    return instrument.symbol


def _table(
    reader: AnswerReader, response: Response, columns: Sequence[str]
) -> Iterator[dict[str, str]]:
    """Return the rows of a CSV answer by column; raise the error of any other answer."""
    text = response.body.decode("utf-8-sig", "replace")
    if text.lstrip().startswith("{"):
        error = notice(reader.json_object(response), response, None)
        raise error or reader.bad_payload("JSON instead of CSV", response)
    try:
        header, *rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    except (ValueError, csv.Error):
        raise reader.bad_payload("not CSV", response) from None
    if is_html(response) or header != columns:
        raise reader.bad_payload("not the table that was asked for", response)
    error = spelled_notice(rows[0], response) if rows else None
    if error:
        raise error
    if rows and len(rows[-1]) < len(columns):
        raise BadPayloadError(f"{reader.source.value}: a table that is cut off in its last row")
    return (dict(zip(columns, row, strict=True)) for row in rows if len(row) == len(columns))
