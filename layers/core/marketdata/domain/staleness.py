"""Which prices are too old for an open market, and which sources answer with nothing else.

Age is told by the provider's own time of a price, against the session that it should be of; a flag
that says the market is open is never asked. The close of Friday is not old on Saturday, nor before
the opening on Monday, nor in the first minutes after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from marketdata.clock import DAY_MS, MINUTE_MS, epoch_ms
from marketdata.domain.messages import LastPrice
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.symbols import AssetClass
from marketdata.domain.trading_hours import Trading, keeps_hours

# Every provider is live for US shares, currencies and coins, and updates them within minutes; what
# is older is not being updated. But all shares may be halted at once for 15 minutes, and a source
# must not be blamed for that.
AGE_LIMITS_MS: Mapping[AssetClass, int] = MappingProxyType(
    {
        AssetClass.STOCKS: 20 * MINUTE_MS,
        AssetClass.FOREX: 15 * MINUTE_MS,
        AssetClass.CRYPTO: 15 * MINUTE_MS,
    }
)
# A price whose own time is older than this is stale however often it is fetched: longer than any
# weekend or holiday of its market explains.
EXPLAINED_AGE_MS: Mapping[AssetClass, int] = MappingProxyType(
    {
        AssetClass.STOCKS: 14 * DAY_MS,
        AssetClass.FOREX: 4 * DAY_MS,
        AssetClass.CRYPTO: DAY_MS,
    }
)
# A source is called stale by at least this many old prices: one may be a thinly traded symbol.
LEAST_OLD_SYMBOLS = 2
# The reason of a breaker that opened for it, and of a quote that was not written for it.
STALE_SOURCE = "stale_source"


def is_old(quote: Quote, trading: Trading) -> bool | None:
    """Return whether a price was too old for its open market when it was fetched.

    None where that cannot be judged: the market is closed or its hours are not known, the asset
    has hours of its own, or the quote has no time. A market that opened less than the limit ago
    may not have made a price yet.
    """
    if quote.timestamp is None or trading.since_ms is None or not trading.open:
        return None
    if not keeps_hours(quote.asset_class, quote.symbol):
        return None
    expected_ms = max(epoch_ms(quote.timestamp), trading.since_ms)
    return epoch_ms(quote.fetched_at) - expected_ms > AGE_LIMITS_MS[quote.asset_class]


@dataclass(frozen=True, slots=True)
class Finding:
    """What the prices of a source say of it.

    `judged`: whether they say anything. `stale`: how old they are, as text, if most of them are
    old; else empty.
    """

    judged: bool
    stale: str = ""


def findings(
    sources: Iterable[Source], quotes: Sequence[Quote], trading: Trading, *, chosen: bool
) -> dict[Source, Finding]:
    """What the prices of a job say of the sources that were asked, in this order.

    A source is stale if most of its prices are old, and at least two: one thinly traded symbol
    proves nothing. Symbols that an earlier source, current itself, left to a later one prove
    nothing either: they may all be thinly traded. `chosen`: whether the service is set to price
    these assets. Symbols that clients chose never count against a source.
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
        elif fresh or not trading.open:  # where nothing is traded nothing can be too old
            found[source] = Finding(judged=True)
        else:
            found[source] = Finding(judged=False)
        current |= fresh
    return found


def only_repeats(quote: Quote, last: LastPrice | None, trading: Trading) -> bool:
    """Return whether a quote is old and not newer than the stored one.

    Writing such a quote would renew `fetched_at` of a price that is old. `last` is the stored
    quote, None if there is no stored quote.
    """
    if last is None or last.timestamp_ms is None or quote.timestamp is None:
        return False
    return bool(is_old(quote, trading)) and epoch_ms(quote.timestamp) <= last.timestamp_ms


def _age_text(quotes: Iterable[Quote]) -> str:
    age_ms = min(epoch_ms(q.fetched_at) - epoch_ms(q.timestamp) for q in quotes if q.timestamp)
    minutes = age_ms // MINUTE_MS
    age = f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
    return f"the newest price is {age} old while the market is open"
