"""Prices of Yahoo through the whole price loop: moves, bad ticks, splits, units, odd times."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from marketdata.domain.quotes import Source
from tests.support.yahoo_loop import FALLING, breakers, looks, one, price_of, row

SHARES = ("AAPL", "MSFT", "NVDA", "KO", "TSLA")
YEARS_S = 3 * 365 * 86_400


@pytest.mark.parametrize("every_s", [5, 300])
@pytest.mark.parametrize("path", [FALLING, FALLING[::-1]], ids=["down", "up"])
def test_a_price_that_keeps_moving_is_followed_within_two_looks(service, yahoo, path, every_s):
    """The served price is at most two looks old."""
    served = looks(service("MOON"), yahoo, "MOON", path, "USD", every_s=every_s)
    for place, price in enumerate(served):
        recent = path[max(0, place - 2) : place + 1]
        assert price in [Decimal(str(one)) for one in recent]


@pytest.mark.parametrize("currency", ["GBP", "ZAR", "ILS", "KWD", "USD", "EUR"])
def test_a_price_that_moves_as_much_in_each_look_is_followed_in_any_currency(
    service, yahoo, currency
):
    """Falls of 40 % in each look are not taken for a change of unit in any currency."""
    path = [round(100 * 0.6**n, 6) for n in range(10)]
    served = looks(service("FALL"), yahoo, "FALL", path, currency)
    for place, price in enumerate(served):
        assert price in [Decimal(str(one)) for one in path[max(0, place - 2) : place + 1]]


def test_one_bad_tick_is_never_served(service, yahoo):
    """A bad tick between two good ones is never served."""
    path = (10.0, 10.1, 4.0, 10.0, 31.0, 10.1, 1000.0, 10.2, 0.1, 10.1)
    served = looks(service("CALM"), yahoo, "CALM", path, "USD")
    assert set(served) <= {Decimal("10.0"), Decimal("10.1"), Decimal("10.2")}
    assert served[-1] == Decimal("10.1")


def test_two_bad_ticks_on_different_sides_are_never_served(service, yahoo):
    """A bad tick does not confirm another one on the other side."""
    served = looks(service("CALM"), yahoo, "CALM", (10.0, 31.0, 4.0, 10.1), "USD")
    assert served == [10, 10, 10, Decimal("10.1")]


def test_an_answer_that_comes_again_confirms_nothing(service, yahoo):
    """A bad tick that is repeated with the same time is not confirmed."""
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
    """A split is served with its second look if its ratio is not the currency's minor unit."""
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
    """A price in a wrong unit is held for hours, and the reason has both prices."""
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
    """A price in pence without its label is held."""
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
    """A stored price without a currency does not cause a price with a currency to be held."""
    pipe = service("OCDO.L")
    pipe.clock.pass_s(5)
    yahoo.rows["OCDO.L"] = row(pipe, "OCDO.L", 301.5, currency=None)
    pipe.run()
    assert (one(pipe, "OCDO.L")["price"], one(pipe, "OCDO.L")["currency"]) == (301.5, None)
    assert looks(pipe, yahoo, "OCDO.L", [302.0, 302.5], "GBp")[-1] == Decimal("3.025")


def test_a_repeated_unit_is_accepted_after_a_day(service, yahoo):
    """A price that is 100 times higher is served after its source repeated it for a day."""
    pipe = service("OCDO.L")
    looks(pipe, yahoo, "OCDO.L", [0.875, *[87.5] * 5], "GBP", every_s=5 * 3600)
    assert one(pipe, "OCDO.L")["price"] == 0.875
    looks(pipe, yahoo, "OCDO.L", [87.5], "GBP", every_s=5 * 3600)
    assert one(pipe, "OCDO.L")["price"] == 87.5


def test_one_symbol_with_a_time_in_the_future_is_not_asked_for_in_every_slot(service, yahoo):
    """A symbol with a time in the future has its reason and is asked for once."""
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
    """If our clock is behind, each symbol has that reason, and /health names the offset."""
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
    """A price from years ago is stale and fails `max_age`, and no breaker opens."""
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
    """A closing price that is repeated with an earlier time stays fresh and keeps its time."""
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
