"""CoinMarketCap: coins by number, all of a batch in one call; lists of coins and of currencies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from marketdata.domain.assets import Listing
from marketdata.domain.catalogue import FACTS, Instrument
from marketdata.domain.currencies import CURRENCIES
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.symbols import AssetClass
from marketdata.errors import BadPayloadError
from marketdata.providers.answers import AnswerReader, JsonObject
from marketdata.providers.coinmarketcap_errors import checked_data, named_invalid
from marketdata.providers.contract import (
    MOST_LIST_BYTES,
    MOST_QUOTE_BYTES,
    KeyLookup,
    Parsed,
    Request,
    Response,
)
from marketdata.providers.listings import listed_coin, listed_or_bad, listed_rank
from marketdata.providers.rows import live_row, quote_over_24h, settle
from marketdata.providers.values import (
    MOST_ID_CHARS,
    iso_time,
    name_of,
    price_of,
    shown,
    text_or_none,
)

_QUOTE_PATH = "v3/cryptocurrency/quotes/latest"
_PAGE_SIZE = 5000


@dataclass(frozen=True, slots=True)
class CoinMarketCap:
    """CoinMarketCap's formats: version 3 for quotes, version 1 for its two lists."""

    base_url: str
    key: KeyLookup = field(repr=False)
    source: Source = Source.COINMARKETCAP

    def build_request(self, batch: Sequence[Instrument]) -> Request:
        """Return the call for the coins of a batch by number, in the batch's one currency."""
        return self._request(
            _QUOTE_PATH,
            id=",".join(dict.fromkeys(instrument.ids[self.source] for instrument in batch)),
            convert=batch[0].symbol.quote,
            skip_invalid="true",
        )

    def parse(
        self, batch: Sequence[Instrument], response: Response, fetched_at: datetime
    ) -> Parsed:
        """Return the quotes of a batch; unknown and inactive coins have none."""
        reader = AnswerReader(self.source, self.key())
        invalid = named_invalid(reader, batch, response)
        if invalid is not None:
            return Parsed((), invalid)
        rows: dict[str, list[Any]] = {}
        for number, row in _rows(checked_data(reader, response, fetched_at)):
            rows.setdefault(number, []).append(row)
        return settle(self.source, batch, lambda one: self._quote(one, rows, fetched_at))

    def build_asset_requests(self, asset_class: AssetClass) -> tuple[Request, ...]:
        """Return the calls for the coins by rank, in pages, or for the fiat currencies."""
        if asset_class is AssetClass.FOREX:
            return (self._request("v1/fiat/map", include_metals="false"),)
        if asset_class is not AssetClass.CRYPTO:
            return ()
        return tuple(
            self._request(
                "v1/cryptocurrency/map",
                listing_status="active",
                start=str(1 + page * _PAGE_SIZE),
                limit=str(_PAGE_SIZE),
                sort="cmc_rank",
            )
            for page in range(FACTS[self.source].asset_calls[asset_class])
        )

    def parse_assets(
        self, asset_class: AssetClass, responses: Sequence[Response]
    ) -> tuple[Listing, ...]:
        """Return active coins against USD, each number once; for forex currencies, not pairs."""
        reader = AnswerReader(self.source, self.key())
        listings: dict[str, Listing] = {}
        for response in responses:
            data = checked_data(reader, response, None)
            for number, row in _rows(data):
                if not isinstance(row, dict):
                    continue
                if asset_class is AssetClass.FOREX:
                    listing = self._currency(number, row)
                else:
                    listing = self._coin(number, row)
                if listing:
                    listings.setdefault(number, listing)
        return listed_or_bad(self.source, listings)

    def _request(self, path: str, **params: str) -> Request:
        most = MOST_QUOTE_BYTES if path == _QUOTE_PATH else MOST_LIST_BYTES
        headers = {"X-CMC_PRO_API_KEY": self.key()}
        return Request(f"{self.base_url}/{path}", params, headers, most_bytes=most)

    def _quote(
        self, instrument: Instrument, rows: dict[str, list[Any]], fetched_at: datetime
    ) -> Quote | None:
        currency = instrument.symbol.quote
        quote = live_row(
            [one for row in rows.get(instrument.ids[self.source], ()) for one in _quotes_in(row)],
            lambda one: _price_in(one, currency),
            lambda one: iso_time(one.get("last_updated")),
            fetched_at,
        )
        if quote is None:
            return None
        return quote_over_24h(
            instrument,
            self.source,
            price=quote.get("price"),
            percent=quote.get("percent_change_24h"),
            volume=quote.get("volume_24h"),
            market_cap=quote.get("market_cap"),
            timestamp=iso_time(quote.get("last_updated")),
            fetched_at=fetched_at,
        )

    def _coin(self, number: str, row: JsonObject) -> Listing | None:
        symbol = listed_coin(row.get("symbol"))
        if symbol is None or not _is_active(row):
            return None
        return Listing(
            symbol=symbol,
            name=name_of(row.get("name")) or symbol,
            source=self.source,
            provider_id=number,
            currency="USD",
            rank=listed_rank(row.get("rank")),
            slug=text_or_none(row.get("slug")),
        )

    def _currency(self, number: str, row: JsonObject) -> Listing | None:
        code = text_or_none(row.get("symbol"))
        if code not in CURRENCIES:
            return None
        name = name_of(row.get("name")) or code
        return Listing(symbol=code, name=name, source=self.source, provider_id=number)


def _is_active(row: JsonObject) -> bool:
    return row.get("is_active") not in (0, "0")


def _rows(data: Any) -> Iterator[tuple[str, Any]]:
    """Yield the rows of `data`, an array or an object by number, each with its number.

    A row without a number belongs to no coin. Raise `BadPayloadError` if no row is an object.
    """
    groups = data.items() if isinstance(data, dict) else (("", data),)
    rows = [
        (key, row)
        for key, value in groups
        for row in (value if isinstance(value, list) else [value])
        if row is not None
    ]
    if rows and not any(isinstance(row, dict) for _, row in rows):
        raise BadPayloadError(f"{Source.COINMARKETCAP.value}: no row is an object")
    for key, row in rows:
        number = str(row.get("id", key)) if isinstance(row, dict) else key
        if _is_number(number):
            yield number, row


def _is_number(text: str) -> bool:
    return len(text) <= MOST_ID_CHARS and text.isascii() and text.isdecimal()


def _quotes_in(row: Any) -> list[Any]:
    """Return the quotes of an active coin's row, which are an array or an object by currency.

    A value in the place of a row or of its quotes is returned as it is.
    """
    if not isinstance(row, dict):
        return [row]
    quotes = row.get("quote") if _is_active(row) else None
    if isinstance(quotes, dict):
        quotes = [
            {**one, "symbol": name} if isinstance(one, dict) else one
            for name, one in quotes.items()
        ]
    return [one for one in (quotes if isinstance(quotes, list) else [quotes]) if one is not None]


def _price_in(quote: Any, currency: str) -> tuple[Decimal, str] | None:
    """Return a quote's price and its currency; None without a price.

    Raise `BadPayloadError` for a quote that is no object, for a price that cannot be used, and for
    a price in another currency.
    """
    if not isinstance(quote, dict):
        raise BadPayloadError(f"not an object: {shown(quote)}")
    label = quote.get("symbol")
    if label not in (None, "", currency):
        raise BadPayloadError(f"a price in {shown(label)}, not {currency}")
    price = price_of(quote.get("price"))
    return None if price is None else (price, currency)
