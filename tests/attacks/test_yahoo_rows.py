"""Rows of Yahoo through the whole price loop: units, percentages, jumps, old times, odd prices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest

from marketdata.domain.quotes import Source
from tests.support.fake_yahoo import FakeYahoo, quote_row
from tests.support.pipeline import Make, Pipeline, emptied, simulated

FALLING = (1.2, 0.744, 0.4613, 0.286, 0.1773, 0.1099, 0.0682, 0.0423, 0.0262, 0.0162, 0.0101)
SHARES = ("AAPL", "MSFT", "NVDA", "KO", "TSLA")
YEARS_S = 3 * 365 * 86_400

Service = Callable[[str], Pipeline]


@pytest.fixture
def yahoo() -> Iterator[FakeYahoo]:
    """A server without rows."""
    with FakeYahoo() as server:
        yield server


@pytest.fixture
def service(plain_redis, yahoo: FakeYahoo) -> Iterator[Service]:
    """Make the service with these active symbols and Yahoo as the only source of stocks."""
    with emptied(plain_redis) as cache, simulated(cache) as make:
        yield lambda symbols: _service(make, yahoo, symbols)


def _service(make: Make, yahoo: FakeYahoo, symbols: str) -> Pipeline:
    return make(
        urls={Source.YFINANCE: yahoo.url}, ACTIVE_SYMBOLS=symbols, FINNHUB_API_KEY="",
        ALPHA_VANTAGE_API_KEY="", YAHOO_LIMITS="10000/minute",
    )  # fmt: skip


def row(service: Pipeline, symbol: str, price: float, **more: Any) -> dict[str, Any]:
    """A row with a time of now and without a change, unless one is given."""
    now_s = service.clock() // 1000
    plain = {"regularMarketChange": None, "regularMarketChangePercent": None}
    return quote_row(symbol, price, **{**plain, "regularMarketTime": now_s, **more})


def one(service: Pipeline, symbol: str, **how: Any) -> dict[str, Any]:
    """What a client gets for one symbol."""
    return service.read(symbol, **how)[symbol]


def looks(
    service: Pipeline, yahoo: FakeYahoo, symbol: str, prices: Sequence[float], currency: str
) -> list[Decimal | None]:
    """What is served after each price, one a slot."""
    served = []
    for price in prices:
        yahoo.rows[symbol] = row(service, symbol, price, currency=currency)
        service.run_next()
        found = one(service, symbol).get("price")
        served.append(None if found is None else Decimal(str(found)))
    return served


@pytest.mark.parametrize(
    ("given", "must"),
    [
        (("NBK.KW", "KWF", 982.0, -4.0), ("0.982", "KWD", "-0.004")),
        (("ZC=F", "USX", 437.25, -2.75), ("4.3725", "USD", "-0.0275")),
        (("KE=F", "USC", 601.5, 1.5), ("6.015", "USD", "0.015")),
        (("TEVA.TA", "ILA", 6100.0, 50.0), ("61", "ILS", "0.5")),
        (("NPN.JO", "ZAc", 450000.0, -1000.0), ("4500", "ZAR", "-10")),
        (("OCDO.L", "GBp", 301.5, 2.5), ("3.015", "GBP", "0.025")),
    ],
)
def test_minor_units_are_served_in_their_currency(service, yahoo, given, must):
    """Price and change are divided exactly, by 100 or 1000."""
    symbol, label, price, change = given
    pipe = service(symbol)
    yahoo.rows[symbol] = row(pipe, symbol, price, currency=label, regularMarketChange=change)
    pipe.run_next()
    quote = one(pipe, symbol)
    figures = (Decimal(str(quote["price"])), quote["currency"], Decimal(str(quote["change"])))
    assert figures == (Decimal(must[0]), must[1], Decimal(must[2]))


def test_an_unknown_unit_is_the_defect_of_its_row(service, yahoo):
    """The reason has the label, and the other symbols are priced."""
    pipe = service("AAPL,MSFT,GLITCH")
    yahoo.rows = {name: row(pipe, name, 100.0) for name in ("AAPL", "MSFT")}
    yahoo.rows["GLITCH"] = row(pipe, "GLITCH", 100.0, currency="QQQ")
    pipe.run_next()
    assert "QQQ" in one(pipe, "GLITCH")["message"]
    assert one(pipe, "AAPL")["price"] == 100


def test_a_percentage_that_contradicts_price_and_change_is_null(service, yahoo):
    """Price and change are served without it."""
    pipe = service("^VIX,MSFT")
    yahoo.rows["^VIX"] = row(
        pipe, "^VIX", 20.9, regularMarketPreviousClose=1e-07, regularMarketChange=20.8999999,
        regularMarketChangePercent=20_899_999_000.0,
    )  # fmt: skip
    yahoo.rows["MSFT"] = row(
        pipe, "MSFT", 412.34, regularMarketPreviousClose=408.0, regularMarketChange=4.34,
        regularMarketChangePercent=0.010638,
    )  # fmt: skip
    pipe.run_next()
    assert one(pipe, "^VIX")["percent_change"] is None
    quote = one(pipe, "MSFT")
    assert (quote["price"], quote["change"], quote["percent_change"]) == (412.34, 4.34, None)


@pytest.mark.parametrize("path", [FALLING, FALLING[::-1]], ids=["down", "up"])
def test_a_price_that_keeps_moving_is_followed_within_two_looks(service, yahoo, path):
    """The served price is never older than the one before the last look."""
    served = looks(service("MOON"), yahoo, "MOON", path, "USD")
    for place, price in enumerate(served):
        recent = path[max(0, place - 2) : place + 1]
        assert price in [Decimal(str(one)) for one in recent]


def test_one_bad_tick_is_never_served(service, yahoo):
    """It stands alone between good ones."""
    served = looks(service("CALM"), yahoo, "CALM", (10.0, 10.1, 4.0, 10.0, 31.0, 10.1), "USD")
    assert not {Decimal(4), Decimal(31)} & set(served)
    assert served[-1] == Decimal("10.1")


def test_a_split_is_followed(service, yahoo):
    """A US share has no minor unit that could explain a step of 100."""
    assert looks(service("SPLT"), yahoo, "SPLT", (0.35, 35.0, 35.0), "USD")[-1] == 35


def test_a_wrong_unit_is_held(service, yahoo):
    """A share in London that is 100 times dearer than before is in pence."""
    served = looks(service("OCDO.L"), yahoo, "OCDO.L", (0.875, 87.5, 87.5), "GBP")
    assert served[-1] == Decimal("0.875")


@pytest.mark.parametrize(("symbol", "currency"), [("TWTR", "USD"), ("SBER.ME", "RUB")])
def test_a_price_of_years_ago_is_stale(service, yahoo, symbol, currency):
    """It fails a `max_age`, and counts against nobody."""
    pipe = service(",".join((*SHARES, symbol)))
    for _ in range(8):
        yahoo.rows = {name: row(pipe, name, 100.0) for name in SHARES}
        old_s = pipe.clock() // 1000 - YEARS_S
        yahoo.rows[symbol] = row(pipe, symbol, 53.7, currency=currency, regularMarketTime=old_s)
        pipe.run_next()
    assert one(pipe, symbol)["stale"] is True
    assert one(pipe, symbol, max_age=60)["code"] == "stale"
    assert one(pipe, "AAPL")["stale"] is False
    assert {
        status["state"] for status in pipe.provider_status(Source.YFINANCE)["classes"].values()
    } == {"closed"}


def test_a_close_that_another_machine_dates_earlier_stays_fresh(service, yahoo):
    """The timestamp stays the latest one."""
    pipe = service("AAPL")
    close_s = pipe.clock() // 1000
    yahoo.rows["AAPL"] = row(pipe, "AAPL", 100.0, regularMarketTime=close_s)
    pipe.run_next()
    first = one(pipe, "AAPL")["timestamp"]
    for _ in range(3):
        yahoo.rows["AAPL"] = row(pipe, "AAPL", 100.0, regularMarketTime=close_s - 2)
        pipe.run_next()
    pipe.run_next(after_s=200)
    quote = one(pipe, "AAPL")
    assert (quote["timestamp"], quote["stale"]) == (first, False)
    assert pipe.fetched_ms("AAPL") == pipe.clock()


def test_odd_symbols_of_a_client_shut_nobody_out(service, yahoo):
    """A negative oil price is a price, a wrong currency has its reason, and no breaker opens."""
    pipe = service(",".join(SHARES) + ",EUR/USD,GBP/USD")
    for _ in range(8):
        yahoo.rows = {name: row(pipe, name, 100.0) for name in SHARES}
        yahoo.rows["EURUSD=X"] = row(pipe, "EURUSD=X", 1.05)
        yahoo.rows["GBPUSD=X"] = row(pipe, "GBPUSD=X", 1.25)
        yahoo.rows["CL=F"] = row(
            pipe, "CL=F", -37.63, quoteType="FUTURE", regularMarketPreviousClose=18.27,
            regularMarketChange=-55.9,
        )  # fmt: skip
        yahoo.rows["SOSUSD=X"] = row(
            pipe, "SOSUSD=X", 0.00175, quoteType="CURRENCY", currency="SOS"
        )
        pipe.read("CL=F,SOS/USD")
        pipe.run_next()
    assert (one(pipe, "CL=F")["price"], one(pipe, "CL=F")["currency"]) == (-37.63, "USD")
    assert "SOS" in one(pipe, "SOS/USD")["message"].replace("SOS/USD", "")
    assert {
        status["state"] for status in pipe.provider_status(Source.YFINANCE)["classes"].values()
    } == {"closed"}
    assert not any(pipe.read("AAPL,EUR/USD")[name]["stale"] for name in ("AAPL", "EUR/USD"))
