"""CoinGecko: coins by slug, all of a batch in one call; its list ranks coins by capitalisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from marketdata.domain.assets import Listing
from marketdata.domain.catalogue import FACTS, Instrument
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.symbols import AssetClass
from marketdata.errors import (
    BadPayloadError,
    NotEntitledError,
    ProviderError,
    UnauthorizedError,
    UnavailableError,
)
from marketdata.providers.answers import AnswerReader, JsonObject
from marketdata.providers.contract import (
    MOST_LIST_BYTES,
    MOST_QUOTE_BYTES,
    KeyLookup,
    Parsed,
    Request,
    Response,
    no_key,
)
from marketdata.providers.holds import rate_limited
from marketdata.providers.listings import listed_coin, listed_or_bad, listed_rank
from marketdata.providers.rows import not_found, quote_over_24h, settle
from marketdata.providers.values import (
    MOST_ID_CHARS,
    name_of,
    number_or_none,
    shown,
    text_or_none,
    unix_time,
)

PRO_HOST = "pro-api.coingecko.com"
_QUOTE_PATH = "simple/price"
_PAGE_SIZE = 250
# The last call of the asset list is the list of all coins. All calls before it are ranked pages.
_RANKED_PAGES = FACTS[Source.COINGECKO].asset_calls[AssetClass.CRYPTO] - 1


@dataclass(frozen=True, slots=True)
class CoinGecko:
    """CoinGecko's formats. It needs no key; with one, the header must match the host."""

    base_url: str
    key: KeyLookup = field(default=no_key, repr=False)
    source: Source = Source.COINGECKO

    def build_request(self, batch: Sequence[Instrument]) -> Request:
        """Return the call for the price of each slug of a batch in each currency of the batch."""
        slugs = dict.fromkeys(instrument.ids[self.source] for instrument in batch)
        currencies = dict.fromkeys(_currency(instrument) for instrument in batch)
        return self._request(
            _QUOTE_PATH,
            ids=",".join(slugs),
            vs_currencies=",".join(currencies),
            include_market_cap="true",
            include_24hr_vol="true",
            include_24hr_change="true",
            include_last_updated_at="true",
            precision="full",
        )

    def parse(
        self, batch: Sequence[Instrument], response: Response, fetched_at: datetime
    ) -> Parsed:
        """Return the quotes of a batch; unknown slugs are left out or empty in an answer."""
        if _says(response, 404, "coin not found", "could not find coin") or (
            _says(response, 400, "invalid vs_currency") and len({_currency(i) for i in batch}) == 1
        ):
            return Parsed((), tuple(not_found(self.source, one.symbol.text) for one in batch))
        body = self._checked(response, fetched_at).json_object(response)
        return settle(self.source, batch, lambda one: self._quote(one, body, fetched_at))

    def build_asset_requests(self, asset_class: AssetClass) -> tuple[Request, ...]:
        """Return the calls for the ranked pages, largest first, and for the list of all coins."""
        if asset_class is not AssetClass.CRYPTO:
            return ()
        pages = (
            self._request(
                "coins/markets",
                vs_currency="usd",
                order="market_cap_desc",
                per_page=str(_PAGE_SIZE),
                page=str(page),
            )
            for page in range(1, _RANKED_PAGES + 1)
        )
        return (*pages, self._request("coins/list"))

    def parse_assets(
        self, asset_class: AssetClass, responses: Sequence[Response]
    ) -> tuple[Listing, ...]:
        """Return coins against USD, each slug once; only coins of the pages have a rank."""
        if asset_class is not AssetClass.CRYPTO:
            return ()
        listings: dict[str, Listing] = {}
        for response in responses:
            for row in self._checked(response, None).json_rows(response):
                listing = self._listing(row)
                if listing:
                    listings.setdefault(listing.provider_id, listing)
        return listed_or_bad(self.source, listings)

    def _request(self, path: str, **params: str) -> Request:
        is_pro = urlsplit(self.base_url).hostname == PRO_HOST
        name = "x-cg-pro-api-key" if is_pro else "x-cg-demo-api-key"
        key = self.key()
        headers = {name: key} if key else {}
        most = MOST_QUOTE_BYTES if path == _QUOTE_PATH else MOST_LIST_BYTES
        return Request(f"{self.base_url}/{path}", params, headers, most_bytes=most)

    def _checked(self, response: Response, now: datetime | None) -> AnswerReader:
        """Return a reader for an answer with data; raise the error that the answer is otherwise.

        Errors have the status that fits them, or they are inside a 400 or a 200.
        """
        reader = AnswerReader(self.source, self.key())
        error = self._coded_error(reader, response, now) or reader.http_error(response, now)
        if error:
            raise error
        return reader

    def _coded_error(
        self, reader: AnswerReader, response: Response, now: datetime | None
    ) -> ProviderError | None:
        """Return the error of the code inside an answer; None without a known code."""
        try:
            body = reader.json(response)
        except BadPayloadError:
            return None
        name, code = self.source.value, _error_code(body)
        error: ProviderError | None = None
        match code:
            case None:
                pass
            case 10002 | 10010 | 10011:
                error = UnauthorizedError(f"{name}: the key is not accepted (code {code})")
            case 10005:
                error = NotEntitledError(f"{name}: not in the key's plan (code {code})")
            case 429:
                error = rate_limited(self.source, response, now)
            case 1020:
                error = UnavailableError(f"{name}: a gateway blocked the call (code {code})")
            case _ if 500 <= code < 600:
                error = UnavailableError(f"{name}: error {code}")
            case _ if response.status < 400:
                error = reader.bad_payload(f"error {code}", response)
        return error

    def _quote(
        self, instrument: Instrument, body: JsonObject, fetched_at: datetime
    ) -> Quote | None:
        row = body.get(instrument.ids[self.source])
        if row is None:
            return None
        if not isinstance(row, dict):
            raise BadPayloadError(f"not an object: {shown(row)}")
        currency = _currency(instrument)
        return quote_over_24h(
            instrument,
            self.source,
            price=row.get(currency),
            percent=row.get(f"{currency}_24h_change"),
            volume=row.get(f"{currency}_24h_vol"),
            market_cap=row.get(f"{currency}_market_cap"),
            timestamp=unix_time(row.get("last_updated_at")),
            fetched_at=fetched_at,
        )

    def _listing(self, row: JsonObject) -> Listing | None:
        slug = text_or_none(row.get("id"), MOST_ID_CHARS)
        symbol = listed_coin(row.get("symbol"))
        if slug is None or symbol is None:
            return None
        return Listing(
            symbol=symbol,
            name=name_of(row.get("name")) or symbol,
            source=self.source,
            provider_id=slug,
            currency="USD",
            rank=listed_rank(row.get("market_cap_rank")),
            slug=slug,
        )


def _currency(instrument: Instrument) -> str:
    return instrument.symbol.quote.lower()


def _says(response: Response, status: int, *texts: str) -> bool:
    """Return whether an error is about the coin or currency asked for, not about the call."""
    body = response.body[:400].decode("utf-8", "replace").lower()
    return response.status == status and any(text in body for text in texts)


def _error_code(body: Any) -> int | None:
    """Return the code of any of the error shapes, 0 for an error without one, None for no error.

    A coin may well have the slug `status` or `error`; an error's `status` says what it is, and an
    `error` is a text.
    """
    if not isinstance(body, dict):
        return None
    status = body.get("status")
    for holder in (body, status):
        if isinstance(holder, dict) and ("error_code" in holder or "error_message" in holder):
            code = number_or_none(holder.get("error_code"))
            return 0 if code is None else int(code)
    return 0 if isinstance(body.get("error"), str) else None
