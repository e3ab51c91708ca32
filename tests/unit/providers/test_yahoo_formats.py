"""Yahoo's formats: how symbols are spelled, and what each kind of row and answer becomes."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from marketdata.domain.catalogue import CHAINS, FACTS
from marketdata.domain.outcomes import Reason
from marketdata.domain.quotes import ChangeBasis, Quote, Source
from marketdata.domain.symbols import AssetClass
from marketdata.errors import BadPayloadError
from marketdata.providers.contract import Parsed, Response
from marketdata.providers.yahoo import UNANSWERED, Yahoo, spelling
from tests.support.provider_support import answer, instrument

NOW = datetime(2026, 1, 5, 15, 0, 5, tzinfo=UTC)
TIME_S = 1767625200
TIME = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
YAHOO = Yahoo()


def row(symbol: str, **fields: object) -> dict:
    """A v7 row with a price of 10."""
    return {
        "symbol": symbol,
        "quoteType": "EQUITY",
        "currency": "USD",
        "regularMarketPrice": 10,
        "regularMarketTime": TIME_S,
    } | fields


def v7(*rows: dict, **members: object) -> Response:
    """A v7 answer with these rows."""
    return answer(json.dumps({"quoteResponse": {"result": rows, "error": None}, **members}))


def parse(response: Response, *symbols: str) -> Parsed:
    """What the answer tells of these symbols."""
    return YAHOO.parse([instrument(symbol) for symbol in symbols], response, NOW)


def only(response: Response, symbol: str) -> Quote:
    """The one quote of an answer."""
    (quote,) = parse(response, symbol).quotes
    return quote


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("AAPL", "AAPL"),
        ("BRK.B", "BRK-B"),
        ("BRK-B", "BRK-B"),
        ("OCDO.L", "OCDO.L"),
        ("SAP.DE", "SAP.DE"),
        ("BT.A.L", "BT-A.L"),
        ("^GSPC", "^GSPC"),
        ("GC=F", "GC=F"),
        ("EUR/USD", "EURUSD=X"),
        ("INR=X", "USDINR=X"),
        ("BTC-USD", "BTC-USD"),
    ],
)
def test_yahoo_spells_share_classes_with_a_dash_and_exchanges_with_a_dot(symbol, name):
    """Each kind of symbol goes out in Yahoo's own spelling."""
    assert spelling(instrument(symbol)) == name


def test_a_whole_batch_is_one_call_to_the_real_host():
    """The request names the real host, whatever the base URL, and holds no crumb."""
    request = Yahoo("http://127.0.0.1:1").build_request([instrument("BRK.B"), instrument("GC=F")])
    assert request.url == "https://query1.finance.yahoo.com/v7/finance/quote"
    assert request.params == {"symbols": "BRK-B,GC=F", "formatted": "false"}
    assert request.method == "GET"


def test_rows_are_joined_by_symbol_in_any_order_and_case():
    """The order of the rows does not matter, nor does how their symbols are written."""
    parsed = parse(
        v7(row("eurusd=x", currency="USD"), row("brk-b"), row("AAPL")), "AAPL", "BRK.B", "EUR/USD"
    )
    assert [quote.symbol for quote in parsed.quotes] == ["AAPL", "BRK.B", "EUR/USD"]
    assert parsed.missing == ()


def test_a_pair_whose_usd_base_yahoo_drops_is_still_that_pair():
    """Asked for USDJPY=X, Yahoo may answer JPY=X."""
    assert only(v7(row("JPY=X", currency="JPY")), "USD/JPY").currency == "JPY"


def test_a_pair_in_another_currency_is_no_price_of_it():
    """A row that contradicts the pair it stands for is not believed."""
    with pytest.raises(BadPayloadError, match="EUR/USD: a price in 'GBP', not USD"):
        parse(v7(row("EURUSD=X", currency="GBP")), "EUR/USD")


def test_a_pair_without_a_currency_is_priced_in_its_second_side():
    """What the pair's name says need not be told twice."""
    assert only(v7(row("EURUSD=X", currency=None)), "EUR/USD").currency == "USD"


def test_numbers_keep_every_digit_that_was_sent():
    """Decimals are read from the text, never through a float."""
    body = (
        '{"quoteResponse":{"result":[{"symbol":"X","regularMarketPrice":0.1000000000000000055511,'
    )
    body += '"regularMarketChange":-1e-7}],"error":null}}'
    quote = only(answer(body), "X")
    assert quote.price == Decimal("0.1000000000000000055511")
    assert quote.change == Decimal("-1e-7")


def test_a_quote_carries_yahoos_own_time_and_change():
    """Price, change, percent and time are Yahoo's; the change is against the previous close."""
    told = row("AAPL", regularMarketChange=0.5, regularMarketChangePercent=5.25)
    assert only(v7(told), "AAPL") == Quote(
        symbol="AAPL",
        asset_class=AssetClass.STOCKS,
        price=Decimal(10),
        currency="USD",
        change=Decimal("0.5"),
        percent_change=Decimal("5.25"),
        change_basis=ChangeBasis.PREVIOUS_CLOSE,
        source=Source.YFINANCE,
        timestamp=TIME,
        fetched_at=NOW,
    )


def test_a_coins_change_is_over_24_hours():
    """Yahoo's change of a coin is rolling, whatever its previous close."""
    told = row("BTC-USD", quoteType="CRYPTOCURRENCY", regularMarketChange=-1225.89)
    assert only(v7(told), "BTC-USD").change_basis is ChangeBasis.ROLLING_24H


@pytest.mark.parametrize("time", [None, "soon", 0, -5, 10**15, True, [1]])
def test_a_time_that_is_none_is_null_and_never_our_clock(time):
    """A price without a time is still a price."""
    assert only(v7(row("AAPL", regularMarketTime=time)), "AAPL").timestamp is None


def test_a_missing_change_is_null_and_so_is_its_basis():
    """No change is invented."""
    quote = only(v7(row("AAPL", regularMarketChange="NaN")), "AAPL")
    assert (quote.change, quote.percent_change, quote.change_basis) == (None, None, None)


@pytest.mark.parametrize(
    ("minor", "major"), [("GBp", "GBP"), ("GBX", "GBP"), ("ZAc", "ZAR"), ("ILA", "ILS")]
)
def test_pence_cents_and_agorot_become_the_iso_currency(minor, major):
    """Price and change are divided by 100, the percentage is not."""
    told = row(
        "OCDO.L",
        currency=minor,
        regularMarketPrice=308.8,
        regularMarketChange=-4.1,
        regularMarketChangePercent=-1.31,
    )
    quote = only(v7(told), "OCDO.L")
    assert (quote.price, quote.change, quote.currency) == (
        Decimal("3.088"),
        Decimal("-0.041"),
        major,
    )
    assert quote.percent_change == Decimal("-1.31")


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
    """Yahoo says in five ways that it has no quote."""
    (missing,) = parse(v7(*rows), "AAPL").missing
    assert missing.code is Reason.NOT_FOUND


@pytest.mark.parametrize("price", [float("nan"), float("inf"), -3, "ten", True, [1], {"raw": 10}])
def test_a_price_that_is_no_price_is_a_bad_payload(price):
    """Not a number, below zero or of a wrong type: nothing to be repaired."""
    with pytest.raises(BadPayloadError):
        parse(v7(row("AAPL", regularMarketPrice=price)), "AAPL")


def test_a_bad_row_spoils_only_itself():
    """The other symbols are quoted, and the next provider is asked for the bad one."""
    parsed = parse(v7(row("AAPL", regularMarketPrice="ten"), row("MSFT")), "AAPL", "MSFT")
    assert [quote.symbol for quote in parsed.quotes] == ["MSFT"]
    assert [(m.symbol, m.code) for m in parsed.missing] == [("AAPL", Reason.PROVIDER_UNAVAILABLE)]


def test_a_currency_of_a_wrong_type_is_a_bad_payload():
    """A price in an unreadable currency is no price."""
    with pytest.raises(BadPayloadError, match="not a currency"):
        parse(v7(row("AAPL", currency=840)), "AAPL")


def test_a_share_without_a_currency_has_none():
    """Where Yahoo does not tell it, it is not guessed."""
    assert only(v7(row("AAPL", currency=None)), "AAPL").currency is None


def test_symbols_that_the_per_symbol_way_did_not_get_to_are_not_not_found():
    """They are left for the next provider."""
    parsed = parse(v7(row("AAPL"), **{UNANSWERED: ["BRK-B"]}), "AAPL", "BRK.B", "NOPE")
    assert [(m.symbol, m.code) for m in parsed.missing] == [
        ("BRK.B", Reason.PROVIDER_UNAVAILABLE),
        ("NOPE", Reason.NOT_FOUND),
    ]


def test_rows_that_are_none_are_left_out():
    """A null or nameless row among good ones is passed over."""
    body = {"quoteResponse": {"result": [None, {"symbol": 5}, row("AAPL")], "error": None}}
    assert only(answer(json.dumps(body)), "AAPL").price == 10


def test_yahoo_is_asked_for_what_its_facts_say():
    """The chains and the facts agree with these formats."""
    assert CHAINS[AssetClass.STOCKS][0] is CHAINS[AssetClass.FOREX][-1] is Yahoo.source
    assert FACTS[Yahoo.source].batch_size == 100
