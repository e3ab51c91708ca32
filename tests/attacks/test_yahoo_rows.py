"""Rows of Yahoo through the whole price loop: units, percentages, jumps, old times, odd prices."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest

from marketdata.domain.dialects import yahoo_spelling
from marketdata.domain.quotes import Source, plain
from marketdata.domain.symbols import parse_symbol
from marketdata.domain.units import unit_of
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
    """What is served after each price; a look at each of them, so far apart."""
    served = []
    for price in prices:
        service.clock.pass_s(every_s)
        yahoo.rows[symbol] = row(service, symbol, price, currency=currency)
        service.run()
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
        (("BT.A.L", "GBX", 140.25, -0.75), ("1.4025", "GBP", "-0.0075")),
        (("SOL.JO", "ZAC", 12345.0, 45.0), ("123.45", "ZAR", "0.45")),
        (("NICE.TA", "ILa", 70210.0, -90.0), ("702.1", "ILS", "-0.9")),
        (("ZAIN.KW", "KWF", 471.0, 1.0), ("0.471", "KWD", "0.001")),
        (("VOD.L", "GBP", 0.72, -0.01), ("0.72", "GBP", "-0.01")),
        (("AGIL.KW", "KWD", 0.114, 0.002), ("0.114", "KWD", "0.002")),
    ],
)
def test_minor_units_are_served_in_their_currency(service, yahoo, given, must):
    """Price and change are divided exactly, by 100 or 1000."""
    symbol, label, price, change = given
    pipe = service(symbol)
    name = yahoo_spelling(parse_symbol(symbol))
    yahoo.rows[name] = row(pipe, name, price, currency=label, regularMarketChange=change)
    pipe.run_next()
    quote = one(pipe, symbol)
    figures = (Decimal(str(quote["price"])), quote["currency"], Decimal(str(quote["change"])))
    assert figures == (Decimal(must[0]), must[1], Decimal(must[2]))


@pytest.mark.parametrize(("label", "price"), [("GBp", 301.5), ("GBX", 301.5), ("GBP", 3.015)])
def test_a_price_in_pence_is_converted_from_pounds(service, yahoo, label, price):
    """The converted price and change are those of the pounds, and the rate's own."""
    pipe = service("OCDO.L,GBP/EUR")
    change = price / 301.5 * 2.5
    yahoo.rows["OCDO.L"] = row(
        pipe, "OCDO.L", price, currency=label, regularMarketChange=round(change, 6)
    )
    yahoo.rows["GBPEUR=X"] = row(pipe, "GBPEUR=X", 1.1873, currency="EUR")
    pipe.run_next()
    converted = one(pipe, "OCDO.L", currency="EUR")["converted"]
    assert (converted["price"], converted["change"]) == (3.5797095, 0.0296825)
    assert (converted["rate"], converted["rate_symbol"]) == (1.1873, "GBP/EUR")


@pytest.mark.parametrize(
    "label",
    [
        "QQQ",
        "usd",
        "gbp",
        "Gbp",
        "kwf",
        "KWf",
        "zac",
        "USDT",
        "BTC",
        "GBp ",
        " ",
        "US Dollar",
        "€",
        7,
    ],
)
def test_an_unknown_unit_is_the_defect_of_its_row(service, yahoo, label):
    """The reason has the label, and the other symbols are priced."""
    pipe = service("AAPL,MSFT,GLITCH")
    yahoo.rows = {name: row(pipe, name, 100.0) for name in ("AAPL", "MSFT")}
    yahoo.rows["GLITCH"] = row(pipe, "GLITCH", 100.0, currency=label)
    for _ in range(8):
        pipe.run_next()
        error = one(pipe, "GLITCH")
        shown = repr(label)
        assert error["code"] == "provider_unavailable"
        assert f"GLITCH: not a currency: {shown}" in error["message"]
    assert one(pipe, "AAPL")["price"] == 100
    assert breakers(pipe, Source.YFINANCE) == {"closed"}


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


@pytest.mark.parametrize(
    ("change", "percent", "must"),
    [
        (2.5, 5.263158, (2.5, 5.263158)),
        (2.5, -5.263158, (2.5, None)),
        (2.5, 0.05263158, (2.5, None)),
        (2.5, 526.3158, (2.5, None)),
        (-2.5, -4.761905, (-2.5, -4.761905)),
        (2.5, -100.0, (2.5, None)),
        (0.0, 3.0, (0, None)),
    ],
)
def test_change_and_percentage_never_contradict_each_other(service, yahoo, change, percent, must):
    """A percentage with the other sign, as a share of one, or a hundred times too large is null."""
    pipe = service("SOME")
    yahoo.rows["SOME"] = row(
        pipe, "SOME", 50.0, regularMarketChange=change, regularMarketChangePercent=percent
    )
    pipe.run_next()
    quote = one(pipe, "SOME")
    expected_change, expected_percent = must
    assert quote["change"] == pytest.approx(expected_change, abs=1e-4)
    assert quote["percent_change"] == expected_percent


@pytest.mark.parametrize("order", [1, -1], ids=["dead row first", "dead row last"])
@pytest.mark.parametrize(
    "dead",
    [
        {"quoteType": "NONE"},
        {"regularMarketPrice": None},
        {"regularMarketPrice": 0},
        {"regularMarketPrice": -3.0},
        {"regularMarketPrice": "NaN"},
        {"currency": "???"},
        {"regularMarketPrice": 7.5, "regularMarketTime": 1_500_000_000},
    ],
    ids=["none", "no price", "zero", "negative", "NaN", "unknown unit", "years old"],
)
def test_a_dead_row_never_hides_the_live_one(service, yahoo, dead, order):
    """Yahoo may answer two rows for one symbol."""
    pipe = service("TWO,MSFT")
    yahoo.rows["MSFT"] = row(pipe, "MSFT", 400.0)
    yahoo.rows["TWO"] = [row(pipe, "TWO", 24.5), {**row(pipe, "TWO", 24.5), **dead}][::order]
    pipe.run_next()
    assert one(pipe, "TWO")["price"] == 24.5


@pytest.mark.parametrize(
    ("labels", "price"), [(("GBp", "GBP"), "3.015"), (("KWF", "KWD"), "0.3015")]
)
def test_two_rows_in_two_units_are_one_price(service, yahoo, labels, price):
    """One row in the minor unit and one in its currency do not contradict each other."""
    pipe = service("OCDO.L,MSFT")
    yahoo.rows["MSFT"] = row(pipe, "MSFT", 400.0)
    yahoo.rows["OCDO.L"] = [
        row(pipe, "OCDO.L", 301.5, currency=labels[0]),
        row(pipe, "OCDO.L", float(price), currency=labels[1]),
    ]
    pipe.run_next()
    assert Decimal(str(one(pipe, "OCDO.L")["price"])) == Decimal(price)


def test_two_live_rows_that_contradict_each_other_are_a_bad_row(service, yahoo):
    """Both prices are in the reason."""
    pipe = service("TWO,MSFT")
    yahoo.rows["MSFT"] = row(pipe, "MSFT", 400.0)
    yahoo.rows["TWO"] = [row(pipe, "TWO", 24.5), row(pipe, "TWO", 27.5)]
    pipe.run_next()
    expected = "yfinance: TWO: two rows contradict each other: 24.5 USD and 27.5 USD"
    assert one(pipe, "TWO")["message"] == expected


@pytest.mark.parametrize("every_s", [5, 300])
@pytest.mark.parametrize("path", [FALLING, FALLING[::-1]], ids=["down", "up"])
def test_a_price_that_keeps_moving_is_followed_within_two_looks(service, yahoo, path, every_s):
    """The served price is never older than the one before the last look."""
    served = looks(service("MOON"), yahoo, "MOON", path, "USD", every_s=every_s)
    for place, price in enumerate(served):
        recent = path[max(0, place - 2) : place + 1]
        assert price in [Decimal(str(one)) for one in recent]


@pytest.mark.parametrize("currency", ["GBP", "ZAR", "ILS", "KWD", "USD", "EUR"])
def test_a_price_that_moves_as_much_in_each_look_is_followed_in_any_currency(
    service, yahoo, currency
):
    """A fall of 40 % in each look is no step between units."""
    path = [round(100 * 0.6**n, 6) for n in range(10)]
    served = looks(service("FALL"), yahoo, "FALL", path, currency)
    for place, price in enumerate(served):
        assert price in [Decimal(str(one)) for one in path[max(0, place - 2) : place + 1]]


def test_one_bad_tick_is_never_served(service, yahoo):
    """It stands alone between good ones."""
    path = (10.0, 10.1, 4.0, 10.0, 31.0, 10.1, 1000.0, 10.2, 0.1, 10.1)
    served = looks(service("CALM"), yahoo, "CALM", path, "USD")
    assert set(served) <= {Decimal("10.0"), Decimal("10.1"), Decimal("10.2")}
    assert served[-1] == Decimal("10.1")


def test_two_bad_ticks_on_different_sides_are_never_served(service, yahoo):
    """The second one does not confirm the first one."""
    served = looks(service("CALM"), yahoo, "CALM", (10.0, 31.0, 4.0, 10.1), "USD")
    assert served == [10, 10, 10, Decimal("10.1")]


def test_an_answer_that_comes_again_confirms_nothing(service, yahoo):
    """A bad tick with the time that it had before is the same look."""
    pipe = service("CALM")
    looks(pipe, yahoo, "CALM", (10.0, 31.0), "USD")
    for _ in range(5):
        pipe.run_next()
        assert one(pipe, "CALM")["price"] == 10


@pytest.mark.parametrize(
    ("currency", "path"),
    [
        ("USD", (0.35, 35.0, 35.0)),
        ("USD", (35.0, 0.35, 0.35)),
        ("EUR", (0.42, 42.0, 42.1)),
        ("USD", (0.007, 7.0, 7.0)),
        ("JPY", (2500.0, 25.0, 25.0)),
        ("GBP", (4.0, 40.0, 40.0)),
        ("KWD", (4.0, 400.0, 400.0)),
        ("GBP", (0.5, 500.0, 500.0)),
    ],
)
def test_a_split_is_followed(service, yahoo, currency, path):
    """No minor unit of the currency explains the step."""
    assert looks(service("SPLT"), yahoo, "SPLT", path, currency) == [
        Decimal(str(price)) for price in (path[0], path[0], path[2])
    ]


@pytest.mark.parametrize(
    ("symbol", "steps", "served"),
    [
        ("OCDO.L", (("GBP", 0.875), ("GBP", 87.5)), "0.875"),
        ("OCDO.L", (("GBP", 87.5), ("GBP", 0.875)), "87.5"),
        ("VOD.L", (("GBp", 72.4), ("GBP", 72.6)), "0.724"),
        ("VOD.L", (("GBP", 0.724), ("GBp", 0.72)), "0.724"),
        ("NPN.JO", (("ZAc", 450000.0), ("ZAR", 451000.0)), "4500"),
        ("TEVA.TA", (("ILA", 6100.0), ("ILS", 6080.0)), "61"),
        ("NBK.KW", (("KWF", 982.0), ("KWD", 981.0)), "0.982"),
        ("NBK.KW", (("KWD", 0.982), ("KWF", 0.983)), "0.982"),
        ("ZC=F", (("USX", 437.25), ("USD", 437.5)), "4.3725"),
    ],
)
def test_a_wrong_unit_is_held_and_the_reason_tells_both_prices(
    service, yahoo, symbol, steps, served
):
    """It is held for hours, however often the source says it, also when nothing came between."""
    before, after = steps
    pipe = service(symbol)
    looks(pipe, yahoo, symbol, [before[1]], before[0])
    for every_s in (5, 5, 5, 300, 3700, 3700):
        looks(pipe, yahoo, symbol, [after[1]], after[0], every_s=every_s)
        assert Decimal(str(one(pipe, symbol)["price"])) == Decimal(served)
    found = one(pipe, symbol, max_age=60)
    assert found["code"] == "quarantined"
    assert served in found["message"]
    assert price_of(after) in found["message"]


def test_a_row_that_lost_its_unit_does_not_change_the_unit(service, yahoo):
    """A price in pence whose label is missing is held as what it is."""
    pipe = service("OCDO.L")
    looks(pipe, yahoo, "OCDO.L", [301.5], "GBp")
    for _ in range(4):
        pipe.clock.pass_s(300)
        yahoo.rows["OCDO.L"] = row(pipe, "OCDO.L", 302.0, currency=None)
        pipe.run()
        quote = one(pipe, "OCDO.L")
        assert (quote["price"], quote["currency"]) == (3.015, "GBP")
    assert one(pipe, "OCDO.L", max_age=60)["code"] == "quarantined"


def test_a_price_without_a_unit_holds_up_no_price_with_one(service, yahoo):
    """Its unit is unknown, so it does not show that the other unit is wrong."""
    pipe = service("OCDO.L")
    pipe.clock.pass_s(5)
    yahoo.rows["OCDO.L"] = row(pipe, "OCDO.L", 301.5, currency=None)
    pipe.run()
    assert (one(pipe, "OCDO.L")["price"], one(pipe, "OCDO.L")["currency"]) == (301.5, None)
    assert looks(pipe, yahoo, "OCDO.L", [302.0, 302.5], "GBp")[-1] == Decimal("3.025")


def test_a_unit_that_a_source_keeps_saying_is_believed_after_a_day(service, yahoo):
    """A consolidation of 100 to 1 in London is real in the end."""
    pipe = service("OCDO.L")
    looks(pipe, yahoo, "OCDO.L", [0.875, *[87.5] * 5], "GBP", every_s=5 * 3600)
    assert one(pipe, "OCDO.L")["price"] == 0.875
    looks(pipe, yahoo, "OCDO.L", [87.5], "GBP", every_s=5 * 3600)
    assert one(pipe, "OCDO.L")["price"] == 87.5


def test_one_symbol_with_a_time_in_the_future_is_not_asked_for_in_every_slot(service, yahoo):
    """It has its reason; no clock is named, and the others stay fresh."""
    pipe = service(",".join((*SHARES, "LATE")))
    for _ in range(12):
        yahoo.rows = {name: row(pipe, name, 100.0) for name in SHARES}
        late_s = pipe.clock() // 1000 + 150
        yahoo.rows["LATE"] = row(pipe, "LATE", 30.0, regularMarketTime=late_s)
        pipe.run_next()
    found = one(pipe, "LATE")
    assert found["code"] == "provider_unavailable"
    assert re.search(
        r"LATE: the price has a time that is 1\d\d s ahead of our clock", found["message"]
    )
    assert sum("LATE" in asked for asked in yahoo.asked()) == 1
    assert len(yahoo.asked()) == 12
    assert not [text for text in pipe.health()["reasons"] if "clock" in text]
    assert breakers(pipe, Source.YFINANCE) == {"closed"}
    assert not one(pipe, "AAPL")["stale"]


@pytest.mark.parametrize("behind_s", [70, 120, 900, 7200, 90_000])
def test_a_clock_that_is_behind_is_named_with_its_offset(service, yahoo, behind_s):
    """Each symbol has its reason, and the prices come as soon as the clock is right."""
    pipe = service(",".join(SHARES))
    for _ in range(3):
        pipe.clock.pass_s(5)
        now_s = pipe.clock() // 1000 + behind_s
        yahoo.rows = {name: row(pipe, name, 100.0, regularMarketTime=now_s) for name in SHARES}
        pipe.run()
    for name in SHARES:
        assert f"{behind_s} s ahead of our clock" in one(pipe, name)["message"]
    (reason,) = [text for text in pipe.health()["reasons"] if "our clock" in text]
    assert reason.startswith(f"our clock is {behind_s} s behind the times of yfinance")
    assert breakers(pipe, Source.YFINANCE) == {"closed"}
    pipe.clock.pass_s(behind_s)
    yahoo.rows = {name: row(pipe, name, 100.0) for name in SHARES}
    pipe.run_next()
    assert one(pipe, "AAPL")["price"] == 100


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
