"""One symbol of Yahoo through the whole price loop: rows, and what a client gets."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from marketdata.domain.quotes import Source, plain
from marketdata.domain.units import unit_of
from tests.support.fake_yahoo import FakeYahoo, quote_row
from tests.support.pipeline import Pipeline

FALLING = (1.2, 0.744, 0.4613, 0.286, 0.1773, 0.1099, 0.0682, 0.0423, 0.0262, 0.0162, 0.0101)


def row(service: Pipeline, symbol: str, price: float, **more: Any) -> dict[str, Any]:
    """A row with a time of now and without a change, unless one is given."""
    now_s = service.clock() // 1000
    plain = {"regularMarketChange": None, "regularMarketChangePercent": None}
    return quote_row(symbol, price, **{**plain, "regularMarketTime": now_s, **more})


def one(service: Pipeline, symbol: str, **how: Any) -> dict[str, Any]:
    """What a client gets for one symbol."""
    return service.read(symbol, **how)[symbol]


def price_of(given: tuple[str, float]) -> str:
    """A label and an amount as the price that a client sees."""
    unit = unit_of(given[0])
    assert unit is not None
    return plain(unit.to_major(Decimal(str(given[1]))))


def breakers(service: Pipeline, source: Source) -> set[str]:
    """The states of a provider's breakers."""
    return {status["state"] for status in service.provider_status(source)["classes"].values()}


def looks(
    service: Pipeline,
    yahoo: FakeYahoo,
    symbol: str,
    prices: Sequence[float],
    currency: str,
    *,
    every_s: float = 5,
) -> list[Decimal | None]:
    """Return the served price after each look, one look for each of `prices`."""
    served = []
    for price in prices:
        service.clock.pass_s(every_s)
        yahoo.rows[symbol] = row(service, symbol, price, currency=currency)
        service.run()
        found = one(service, symbol).get("price")
        served.append(None if found is None else Decimal(str(found)))
    return served
