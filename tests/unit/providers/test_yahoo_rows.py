"""Which of Yahoo's rows is the quote of a symbol, and which symbols have no quote."""

import json

import pytest

from marketdata.domain.catalogue import CHAINS, FACTS
from marketdata.domain.outcomes import Reason
from marketdata.domain.symbols import AssetClass
from marketdata.errors import BadPayloadError
from marketdata.providers.yahoo import UNANSWERED, Yahoo
from tests.support.provider_support import answer, bad_rows, instrument
from tests.support.yahoo_answers import TIME_S, only, parse, row, v7


def test_a_whole_batch_is_one_call_to_the_real_host():
    """A batch is one request without a crumb. Its URL has the real host, also with a base URL."""
    request = Yahoo("http://127.0.0.1:1").build_request([instrument("BRK.B"), instrument("GC=F")])
    assert request.url == "https://query1.finance.yahoo.com/v7/finance/quote"
    assert request.params == {"symbols": "BRK-B,GC=F", "formatted": "false"}
    assert request.method == "GET"


def test_rows_are_joined_by_symbol_in_any_order():
    """Rows are joined to symbols by their name, in any order."""
    parsed = parse(
        v7(row("EURUSD=X", currency="USD"), row("BRK-B"), row("AAPL")), "AAPL", "BRK.B", "EUR/USD"
    )
    assert [quote.symbol for quote in parsed.quotes] == ["AAPL", "BRK.B", "EUR/USD"]
    assert parsed.missing == ()


def test_a_pair_whose_usd_base_yahoo_drops_is_still_that_pair():
    """A row for JPY=X is the quote of USD/JPY."""
    assert only(v7(row("JPY=X", currency="JPY")), "USD/JPY").currency == "JPY"


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("MSFT", "M\u017fFT"),
        ("INTC", "\u0131NTC"),
        ("AAPL", " aapl "),
        ("AAPL", "aapl"),
        ("AAPL", "AAPL "),
        ("EUR/USD", "eurusd=x"),
        ("EUR/USD", "USD=X"),
        ("BRK.B", "BRK.B"),
    ],
)
def test_a_row_in_another_spelling_is_of_another_symbol(symbol, name):
    """A row is used only in the exact spelling of the request."""
    parsed = parse(v7(row(name, regularMarketPrice=99)), symbol)
    assert [missing.code for missing in parsed.missing] == [Reason.NOT_FOUND]


@pytest.mark.parametrize("label", ["GBP", "gbp", "usd", "USX ", "SOS", "U" * 1_000_000])
def test_a_pair_in_another_currency_is_a_bad_row(label):
    """A row of a pair with another currency is a bad row that names this currency."""
    parsed = parse(v7(row("EURUSD=X", currency=label)), "EUR/USD")
    assert (parsed.quotes, parsed.missing) == ((), ())
    assert label[:30] in bad_rows(parsed)["EUR/USD"]
    assert len(bad_rows(parsed)["EUR/USD"]) < 120


def test_a_pair_without_a_currency_is_priced_in_its_second_side():
    """A row of a pair without a currency is priced in the pair's quote side."""
    assert only(v7(row("EURUSD=X", currency=None)), "EUR/USD").currency == "USD"


@pytest.mark.parametrize("dead", [
    {"quoteType": "NONE"}, {"regularMarketPrice": None}, {"regularMarketPrice": 0},
    {"regularMarketPrice": "NaN"}, {"regularMarketPrice": 1, "regularMarketTime": TIME_S - 90_000},
])  # fmt: skip
def test_a_dead_row_does_not_hide_the_live_one(dead):
    """Of a live and a dead row of a symbol the live one is used, in any order."""
    rows = [row("AAPL"), row("AAPL", **dead)]
    assert only(v7(*rows), "AAPL").price == only(v7(*rows[::-1]), "AAPL").price == 10


def test_a_row_with_a_time_in_the_future_does_not_make_the_others_old():
    """Of a current row and one with a future time the current one is used, in any order."""
    ahead = row("AAPL", regularMarketPrice=11, regularMarketTime=TIME_S + 90_000)
    for rows in ([row("AAPL"), ahead], [ahead, row("AAPL")]):
        assert only(v7(*rows), "AAPL").price == 10
    assert only(v7(ahead), "AAPL").price == 11


@pytest.mark.parametrize(
    ("other", "shown"),
    [({"regularMarketPrice": 100}, "100 USD"), ({"currency": "GBp"}, "0.10 GBP")],
)
def test_two_rows_that_contradict_each_other_are_a_bad_row(other, shown):
    """Of two rows with different prices neither is used; two equal rows are one quote."""
    parsed = parse(v7(row("AAPL"), row("AAPL", **other), row("MSFT"), row("MSFT")), "AAPL", "MSFT")
    assert [quote.symbol for quote in parsed.quotes] == ["MSFT"]
    assert f"contradict each other: 10 USD and {shown}" in bad_rows(parsed)["AAPL"]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [row("AAPL", regularMarketPrice=None)],
        [row("AAPL", regularMarketPrice=0)],
        [row("AAPL", quoteType="NONE")],
        [{"symbol": "AAPL", "regularMarketTime": 1}],
    ],
    ids=["no row", "null", "zero", "type NONE", "dead row"],
)
def test_no_price_is_not_found_and_never_zero(rows):
    """A symbol without a row, without a price, or with a price of 0 is not found."""
    (missing,) = parse(v7(*rows), "AAPL").missing
    assert missing.code is Reason.NOT_FOUND


BAD_PRICES = [float("nan"), float("inf"), -3, "ten", True, [1], {"raw": 10}, "9" * 1_000_000]


@pytest.mark.parametrize("price", BAD_PRICES)
def test_a_price_that_cannot_be_used_is_a_bad_row(price):
    """A price that is not a number, is below zero or has a wrong type is a bad row."""
    parsed = parse(v7(row("AAPL", regularMarketPrice=price)), "AAPL", "NOPE")
    assert bad_rows(parsed).keys() == {"AAPL"}
    assert [missing.symbol for missing in parsed.missing] == ["NOPE"]


def test_three_bad_rows_and_no_good_one_are_a_bad_payload():
    """Two bad rows are bad rows, and three bad rows without a good one are a bad payload."""
    names = ("AAPL", "MSFT", "BRK.B")
    rows = [row(name.replace(".", "-"), regularMarketPrice="ten") for name in names]
    assert len(bad_rows(parse(v7(*rows[:2]), *names))) == 2
    with pytest.raises(BadPayloadError, match="yfinance: AAPL: not a number"):
        parse(v7(*rows), *names)
    assert len(bad_rows(parse(v7(*rows, row("SAP.DE")), *names, "SAP.DE"))) == 3


def test_a_bad_row_spoils_only_itself():
    """A bad row is its own symbol's, and the other symbols have quotes."""
    parsed = parse(v7(row("AAPL", regularMarketPrice="ten"), row("MSFT")), "AAPL", "MSFT")
    assert [quote.symbol for quote in parsed.quotes] == ["MSFT"]
    assert bad_rows(parsed) == {"AAPL": "yfinance: AAPL: not a number: 'ten'"}


def test_symbols_without_a_chart_are_unavailable():
    """Symbols that charts did not get to are unavailable, so the next provider is called."""
    parsed = parse(v7(row("AAPL"), **{UNANSWERED: ["BRK-B"]}), "AAPL", "BRK.B", "NOPE")
    assert {m.symbol: m.code for m in parsed.missing} == {
        "BRK.B": Reason.PROVIDER_UNAVAILABLE,
        "NOPE": Reason.NOT_FOUND,
    }
    assert parsed.bad_rows == ()


def test_values_that_are_not_rows_are_left_out():
    """A null or nameless row among good ones is ignored."""
    body = {"quoteResponse": {"result": [None, {"symbol": 5}, row("AAPL")], "error": None}}
    assert only(answer(json.dumps(body)), "AAPL").price == 10


def test_the_chains_and_the_facts_have_yahoo():
    """Yahoo is first for stocks and last for forex, with 100 symbols a call."""
    assert CHAINS[AssetClass.STOCKS][0] is CHAINS[AssetClass.FOREX][-1] is Yahoo.source
    assert FACTS[Yahoo.source].batch_size == 100
