"""The simulated Yahoo's answers have the shapes of the real one's, traps included."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
import requests

from marketdata.domain.quotes import Source
from tests.support.simulated_market import Clients, clients_of_a_standing_market, exact

YAHOO = Source.YFINANCE


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    """Clients of one market for all tests of this file."""
    with clients_of_a_standing_market() as clients:
        yield clients


def test_yahoo_joins_many_symbols_in_no_order(clients):
    """A batch answers rows of each kind, leaves out the unknown, and keeps rows without a price."""
    asked = "AAPL,BRK-B,BRK.B,OCDO.L,EURUSD=X,INR=X,BTC-USD,SIX,ADH,BRKS,ZMBI,NEXA-USD"
    answer = exact(clients.get(YAHOO, "/v7/finance/quote", symbols=asked, formatted="false"))
    assert answer["quoteResponse"]["error"] is None
    rows = {row["symbol"]: row for row in answer["quoteResponse"]["result"]}
    assert set(rows) == set(asked.split(",")) - {"BRK.B", "SIX", "NEXA-USD"}
    assert rows["AAPL"]["quoteType"] == "EQUITY"
    assert rows["OCDO.L"]["currency"] == "GBp"
    assert rows["EURUSD=X"]["quoteType"] == "CURRENCY"
    assert rows["INR=X"]["currency"] == "INR"
    assert "regularMarketPrice" not in rows["ADH"]
    assert "currency" not in rows["ADH"]
    assert rows["BRKS"]["quoteType"] == "NONE"
    assert len(rows["BRKS"]) == 12
    zombie = rows["ZMBI"]
    assert (zombie["marketState"], zombie["regularMarketChange"]) == ("REGULAR", 0)
    assert zombie["regularMarketTime"] < 1_650_000_000


def test_yahoo_spells_securities_its_own_way(clients):
    """Preferreds, warrants, units, rights and coins without their ticker have Yahoo's spelling."""
    asked = "BAC-PL,ACHR-WT,AIIA-UN,AIIA-RI,BT-A.L,RCI-B.TO,MNT27075-USD,HOT-USD,HOT2430-USD"
    others = "BAC-P-L,ACHR-WS,AIIA-U,MNT-USD"
    answer = exact(clients.get(YAHOO, "/v7/finance/quote", symbols=f"{asked},{others}"))
    assert {row["symbol"] for row in answer["quoteResponse"]["result"]} == set(asked.split(","))


@pytest.mark.parametrize(
    ("symbol", "kind", "currency"),
    [
        ("^GSPC", "INDEX", "USD"),
        ("^FTSE", "INDEX", "GBP"),
        ("GC=F", "FUTURE", "USD"),
        ("ZC=F", "FUTURE", "USX"),
        ("NBK.KW", "EQUITY", "KWF"),
        ("NPN.JO", "EQUITY", "ZAc"),
        ("ETH-BTC", "CRYPTOCURRENCY", "BTC"),
    ],
)
def test_yahoo_names_the_kind_and_the_unit(clients, symbol, kind, currency):
    """Indices, futures and foreign shares have their quote type, and the unit of their exchange."""
    answer = exact(clients.get(YAHOO, "/v7/finance/quote", symbols=symbol))
    row = answer["quoteResponse"]["result"][0]
    assert (row["quoteType"], row["currency"]) == (kind, currency)


def test_yahoo_change_of_a_coin_is_over_a_day(clients):
    """A stock's change follows from its previous close, a coin's does not."""
    answer = exact(clients.get(YAHOO, "/v7/finance/quote", symbols="AAPL,BTC-USD"))
    rows = {row["symbol"]: row for row in answer["quoteResponse"]["result"]}

    def off(row) -> Decimal:
        change = row["regularMarketPrice"] - row["regularMarketPreviousClose"]
        return abs(change - row["regularMarketChange"])

    assert off(rows["AAPL"]) < Decimal("0.0001")
    assert off(rows["BTC-USD"]) > 1


@pytest.mark.parametrize("crumb", ["", "Too Many Requests\r\n", "wrong"])
def test_yahoo_wants_the_crumb_of_the_cookie(clients, crumb):
    """Quotes without the right crumb are 401 Invalid Crumb; charts need none."""
    answer = clients.get(YAHOO, "/v7/finance/quote", symbols="AAPL", crumb=crumb)
    assert answer.status_code == 401
    assert answer.json()["finance"]["error"]["description"] == "Invalid Crumb"
    assert clients.get(YAHOO, "/v8/finance/chart/AAPL").status_code == 200


def test_yahoo_gives_no_crumb_without_a_cookie(clients):
    """The crumb belongs to a cookie, which the page that is not found sets."""
    url = clients.market.base_urls[YAHOO]
    assert requests.get(url + "/v1/test/getcrumb", timeout=5).status_code == 401
    page = requests.get(url + "/", timeout=5)
    assert (page.status_code, "A3" in page.cookies) == (404, True)
    crumb = requests.get(url + "/v1/test/getcrumb", cookies=page.cookies, timeout=5)
    assert (crumb.status_code, len(crumb.text)) == (200, 11)


def test_yahoo_chart(clients):
    """A chart ends at the live price; an unknown symbol is 404 in the chart's own envelope."""
    chart = exact(clients.get(YAHOO, "/v8/finance/chart/AAPL", range="1mo", interval="1d"))
    result = chart["chart"]["result"][0]
    closes = result["indicators"]["quote"][0]["close"]
    assert len(closes) == len(result["timestamp"]) == 30
    assert closes[-1] == result["meta"]["regularMarketPrice"]
    assert "previousClose" not in result["meta"]
    gone = clients.get(YAHOO, "/v8/finance/chart/SIX")
    assert (gone.status_code, gone.json()["chart"]["error"]["code"]) == (404, "Not Found")


def test_yahoo_summary(clients):
    """The summary carries the quote's row; an unknown symbol is 404 in the summary's envelope."""
    path = "/v10/finance/quoteSummary/"
    known = exact(clients.get(YAHOO, path + "AAPL", modules="price"))["quoteSummary"]["result"][0]
    price, _ = clients.market.truth("AAPL", clients.market.now_ms())
    assert known["price"]["regularMarketPrice"] == price
    gone = clients.get(YAHOO, path + "SIX", modules="price")
    assert (gone.status_code, gone.json()["quoteSummary"]["result"]) == (404, None)


def test_yahoo_fields_leave_out_the_rare_keys(clients):
    """`fields` shortens a row, but the base keys come anyway."""
    path = "/v7/finance/quote"
    whole = exact(clients.get(YAHOO, path, symbols="AAPL"))["quoteResponse"]["result"][0]
    answer = exact(clients.get(YAHOO, path, symbols="AAPL", fields="symbol,marketCap"))
    short = answer["quoteResponse"]["result"][0]
    assert {"marketCap", "regularMarketPrice"} < set(short) < set(whole)


def test_yahoo_has_the_second_way_to_a_cookie(clients):
    """The consent page has a form, and what follows it sets the cookie."""
    url = clients.market.base_urls[YAHOO]
    page = requests.get(url + "/consent", timeout=5).text
    assert 'name="csrfToken"' in page
    assert requests.post(url + "/v2/collectConsent", data={}, timeout=5).status_code == 200
    assert "A3" in requests.get(url + "/copyConsent", timeout=5).cookies
