"""Which prices are too old for an open market, and which sources give only such prices.

The age of a price is computed from the provider's time and the hours of the market. The provider's
flag for an open market is not used. The closing price of Friday is not old on Saturday, nor on
Monday before the opening and in the first minutes after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from marketdata.clock import DAY_MS, MINUTE_MS, epoch_ms
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.symbols import AssetClass
from marketdata.domain.trading_hours import Trading, keeps_hours

if TYPE_CHECKING:
    from marketdata.domain.messages import LastPrice

# Every provider updates US shares, currencies and coins within minutes. But an exchange may halt
# all shares for 15 minutes, and that must not count against a source.
AGE_LIMITS_MS: Mapping[AssetClass, int] = MappingProxyType(
    {
        AssetClass.STOCKS: 20 * MINUTE_MS,
        AssetClass.FOREX: 15 * MINUTE_MS,
        AssetClass.CRYPTO: 15 * MINUTE_MS,
    }
)
# A price whose own time is older than this is stale, however often it is fetched. No weekend or
# holiday of its market is that long.
EXPLAINED_AGE_MS: Mapping[AssetClass, int] = MappingProxyType(
    {
        AssetClass.STOCKS: 14 * DAY_MS,
        AssetClass.FOREX: 4 * DAY_MS,
        AssetClass.CRYPTO: DAY_MS,
    }
)
# A source is stale only with at least this many old prices: one may be a thinly traded symbol.
LEAST_OLD_SYMBOLS = 2
# The reason of a breaker that opened because of a stale source, and of a quote that was not written
# because it repeats an old price.
STALE_SOURCE = "stale_source"


def is_old(quote: Quote, trading: Trading) -> bool | None:
    """Return whether a price was too old for its open market when it was fetched.

    None where that cannot be judged: the market is closed or its hours are not known, the asset has
    other hours than its class, or the quote has no time. A market that opened less than the limit
    ago may not have made a price yet.
    """
    if quote.timestamp is None or trading.since_ms is None or not trading.open:
        return None
    if not keeps_hours(quote.asset_class, quote.symbol):
        return None
    expected_ms = max(epoch_ms(quote.timestamp), trading.since_ms)
    return epoch_ms(quote.fetched_at) - expected_ms > AGE_LIMITS_MS[quote.asset_class]


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a source is stale, by its prices.

    `judged`: whether the prices could be judged at all. `stale`: their age as text if most of them
    are old, else empty.
    """

    judged: bool
    stale: str = ""


def findings(
    sources: Iterable[Source], quotes: Sequence[Quote], trading: Trading, *, chosen: bool
) -> dict[Source, Finding]:
    """Return for each source of a job whether it is stale; `sources` in the order of the calls.

    A source is stale if most of its prices, and at least two, are old: one thinly traded symbol
    proves nothing. If an earlier source had old prices for some symbols and is not stale, these
    symbols do not count against a later source, because they may be thinly traded. `chosen`:
    whether the symbols are those of ACTIVE_SYMBOLS. Symbols that clients chose never count against
    a source.
    """
    found, current = {}, set[str]()
    for source in sources:
        own = [(quote, is_old(quote, trading)) for quote in quotes if quote.source is source]
        fresh = {quote.symbol for quote, is_past in own if is_past is False}
        old = [quote for quote, is_past in own if is_past]
        if current:
            old = [quote for quote in old if quote.symbol in current]
        symbols = {quote.symbol for quote in old}
        if chosen and len(symbols) >= max(LEAST_OLD_SYMBOLS, len(fresh) + 1):
            found[source] = Finding(judged=True, stale=_age_text(old))
        elif fresh or not trading.open:  # a closed market has no old prices
            found[source] = Finding(judged=True)
        else:
            found[source] = Finding(judged=False)
        current |= fresh
    return found


def only_repeats(quote: Quote, last: LastPrice | None, trading: Trading) -> bool:
    """Return whether a quote is old and not newer than the stored one.

    Writing such a quote would renew the `fetched_at` of an old price. `last` is the stored quote,
    None if there is no stored quote.
    """
    if last is None or last.timestamp_ms is None or quote.timestamp is None:
        return False
    return bool(is_old(quote, trading)) and epoch_ms(quote.timestamp) <= last.timestamp_ms


def _age_text(quotes: Iterable[Quote]) -> str:
    age_ms = min(epoch_ms(q.fetched_at) - epoch_ms(q.timestamp) for q in quotes if q.timestamp)
    minutes = age_ms // MINUTE_MS
    age = f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
    return f"the newest price is {age} old while the market is open"
