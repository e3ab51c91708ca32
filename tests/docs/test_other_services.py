"""The table of field names at other services agrees with the fields that our providers read."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from marketdata.domain.quotes import FIGURES, Quote
from marketdata.providers.coingecko import CoinGecko
from marketdata.providers.finnhub import Finnhub
from marketdata.providers.yahoo import Yahoo
from tests.support.markdown_pages import read
from tests.support.provider_support import (
    NOW,
    PRICED_S,
    answer,
    instrument,
    secret_key,
    share_row,
)

BASE = "http://127.0.0.1:9"
NAME = re.compile(r"`([^`]+)`")
AAPL = instrument("AAPL")
BITCOIN = instrument("BTC-USD", coingecko="bitcoin")
SHARE = share_row("AAPL")
ROWS: dict[str, dict[str, Any]] = {
    "Yahoo": SHARE,
    "Finnhub": {"c": 100.5, "d": 1.5, "dp": 1.5152, "h": 101, "l": 98.25, "o": 99.5, "pc": 99,
                "t": PRICED_S},
    "CoinGecko": {"usd": 100.5, "usd_24h_change": 1.5, "usd_24h_vol": 7, "usd_market_cap": 9,
                  "last_updated_at": PRICED_S},
}  # fmt: skip


def names(service: str) -> dict[str, str]:
    """Return the name in a service's column for each of our fields that has one."""
    text = read("docs/clients.md")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text[text.index("| here |") :].split("\n\n")[0].splitlines()
    ]
    place = next(at for at, cell in enumerate(rows[0]) if cell.startswith(service))
    found = {}
    for row in rows[2:]:
        fields, theirs = NAME.findall(row[0]), NAME.findall(row[place])
        if not row[0].startswith(("in ", "asked ")):
            found |= dict(zip(fields, theirs, strict=False))
    return found


def quote_of(service: str, row: dict[str, Any]) -> Quote:
    """Return the quote that our code reads from a service's row."""
    if service == "Yahoo":
        body = {"quoteResponse": {"result": [row], "error": None}}
        return Yahoo().parse([AAPL], answer(body), NOW).quotes[0]
    if service == "Finnhub":
        return Finnhub(BASE, secret_key).parse([AAPL], answer(row), NOW).quotes[0]
    return CoinGecko(BASE).parse([BITCOIN], answer({"bitcoin": row}), NOW).quotes[0]


@pytest.mark.parametrize("service", ROWS)
def test_each_name_in_the_table_is_the_member_that_the_field_is_read_from(service):
    """Each field is read from the member in the table, and each given figure is in the table."""
    row, listed = ROWS[service], names(service)
    quote = quote_of(service, row)
    for field, name in listed.items():
        if field in ("symbol", "currency", "market_state"):
            continue
        value: Any = quote
        for part in field.split("."):
            value = getattr(value, part)
        if isinstance(value, datetime):
            assert value == datetime.fromtimestamp(row[name], UTC), field
        else:
            assert value == Decimal(str(row[name])), field
    given = [name for name in ("change", "percent_change", *FIGURES) if getattr(quote, name)]
    derived = ["change"] if service == "CoinGecko" else []
    assert {*given, "price", "timestamp"} - {*derived} <= listed.keys()


def test_the_words_for_the_state_of_yahoos_market_are_all_known():
    """Each word for the market state in the table is known to our code."""
    words = re.findall(r"`([A-Z]+)`", read("docs/clients.md").split("`marketState`: ")[1][:90])
    states = {quote_of("Yahoo", SHARE | {"marketState": word}).market_state for word in words}
    assert (len(words), states) == (6, {"pre", "open", "post", "closed"})
