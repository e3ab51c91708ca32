"""Yahoo's formats: how symbols are spelled, and what each kind of row and answer becomes."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from marketdata.domain.catalogue import CHAINS, FACTS
from marketdata.domain.outcomes import Reason
from marketdata.domain.quotes import ChangeBasis, ExtendedSession, Quote, Source
from marketdata.domain.symbols import AssetClass
from marketdata.errors import BadPayloadError
from marketdata.providers.contract import Parsed, Response
from marketdata.providers.yahoo import UNANSWERED, Yahoo
from tests.support.provider_support import answer, bad_rows, instrument

NOW = datetime(2026, 1, 5, 21, 0, 5, tzinfo=UTC)
# When the market in New York closes.
TIME_S = 1767646800
TIME = datetime(2026, 1, 5, 21, 0, tzinfo=UTC)
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
    """What an answer says about these symbols."""
    return YAHOO.parse([instrument(symbol) for symbol in symbols], response, NOW)


def only(response: Response, symbol: str) -> Quote:
    """The one quote of an answer."""
    (quote,) = parse(response, symbol).quotes
    return quote


def test_a_whole_batch_is_one_call_to_the_real_host():
    """The request names the real host, whatever the base URL, and holds no crumb."""
    request = Yahoo("http://127.0.0.1:1").build_request([instrument("BRK.B"), instrument("GC=F")])
    assert request.url == "https://query1.finance.yahoo.com/v7/finance/quote"
    assert request.params == {"symbols": "BRK-B,GC=F", "formatted": "false"}
    assert request.method == "GET"


def test_rows_are_joined_by_symbol_in_any_order():
    """The order of the rows does not matter."""
    parsed = parse(
        v7(row("EURUSD=X", currency="USD"), row("BRK-B"), row("AAPL")), "AAPL", "BRK.B", "EUR/USD"
    )
    assert [quote.symbol for quote in parsed.quotes] == ["AAPL", "BRK.B", "EUR/USD"]
    assert parsed.missing == ()


def test_a_pair_whose_usd_base_yahoo_drops_is_still_that_pair():
    """Asked for USDJPY=X, Yahoo may answer JPY=X."""
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
    """Only the exact spelling that was asked for counts."""
    parsed = parse(v7(row(name, regularMarketPrice=99)), symbol)
    assert [missing.code for missing in parsed.missing] == [Reason.NOT_FOUND]


@pytest.mark.parametrize("label", ["GBP", "gbp", "usd", "USX ", "SOS", "U" * 1_000_000])
def test_a_pair_in_another_currency_is_no_price_of_it(label):
    """A row that contradicts the pair it stands for is that pair's bad row."""
    parsed = parse(v7(row("EURUSD=X", currency=label)), "EUR/USD")
    assert (parsed.quotes, parsed.missing) == ((), ())
    assert label[:30] in bad_rows(parsed)["EUR/USD"]
    assert len(bad_rows(parsed)["EUR/USD"]) < 120


def test_a_pair_without_a_currency_is_priced_in_its_second_side():
    """The pair's name says its currency."""
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
    given = row("AAPL", regularMarketChange=0.5, regularMarketChangePercent=5.26)
    assert only(v7(given), "AAPL") == Quote(
        symbol="AAPL",
        asset_class=AssetClass.STOCKS,
        price=Decimal(10),
        currency="USD",
        change=Decimal("0.5"),
        percent_change=Decimal("5.26"),
        change_basis=ChangeBasis.PREVIOUS_CLOSE,
        source=Source.YFINANCE,
        timestamp=TIME,
        fetched_at=NOW,
    )


def test_a_coins_change_is_over_24_hours():
    """Yahoo's change of a coin is rolling, whatever its previous close."""
    given = row("BTC-USD", quoteType="CRYPTOCURRENCY", regularMarketChange=-1225.89)
    assert only(v7(given), "BTC-USD").change_basis is ChangeBasis.ROLLING_24H


@pytest.mark.parametrize("time", [None, "soon", 0, 1, -5, 10**7, 5 * 10**9, 10**15, True, [1]])
def test_a_time_that_is_none_is_null_and_never_our_clock(time):
    """A price without a time is still a price."""
    assert only(v7(row("AAPL", regularMarketTime=time)), "AAPL").timestamp is None


def test_a_missing_change_is_null_and_so_is_its_basis():
    """No change is invented."""
    quote = only(v7(row("AAPL", regularMarketChange="NaN")), "AAPL")
    assert (quote.change, quote.percent_change, quote.change_basis) == (None, None, None)


@pytest.mark.parametrize(
    ("label", "currency", "places"),
    [("GBp", "GBP", 2), ("ZAc", "ZAR", 2), ("ILa", "ILS", 2), ("USX", "USD", 2), ("KWF", "KWD", 3)],
)
def test_all_amounts_of_a_row_are_converted_alike(label, currency, places):
    """Prices and changes become amounts in the currency; percentages and volumes stay."""
    given = row(
        "OCDO.L",
        currency=label,
        regularMarketPrice=308.8,
        regularMarketChange=-4.1,
        regularMarketChangePercent=-1.31,
        regularMarketPreviousClose=312.9,
        regularMarketOpen=311,
        regularMarketDayHigh=313.25,
        regularMarketDayLow=308.125,
        regularMarketVolume=1_000_000,
        marketState="POST",
        postMarketPrice=309.8,
        postMarketChange=1,
        postMarketChangePercent=0.3238,
        postMarketTime=TIME_S + 60,
    )
    quote = only(v7(given), "OCDO.L")
    assert quote.currency == currency

    def raw(*amounts):
        return [str(amount.scaleb(places).normalize()) for amount in amounts]

    assert raw(quote.price, quote.change, quote.previous_close) == ["308.8", "-4.1", "312.9"]
    assert raw(quote.open, quote.high, quote.low) == ["311", "313.25", "308.125"]
    assert raw(quote.extended.price, quote.extended.change) == ["309.8", "1"]
    assert (quote.percent_change, quote.volume) == (Decimal("-1.31"), 1_000_000)
    assert quote.extended.percent_change == Decimal("0.3238")


@pytest.mark.parametrize("label", ["KWf", "GBPp", "USDT", "XXX", 840, ["USD"], "U" * 10**6])
def test_an_unknown_label_is_a_bad_row_that_names_it(label):
    """A price in an unknown unit is never shown."""
    (message,) = bad_rows(parse(v7(row("AAPL", currency=label)), "AAPL")).values()
    assert message.startswith("yfinance: AAPL: not a currency: ")
    assert ("list" if isinstance(label, list) else str(label))[:30] in message
    assert len(message) < 120


@pytest.mark.parametrize(
    ("shares", "cap", "expected"),
    [
        (820_000_000, 253_216_000_000, "2532160000"),  # in pence, as the price
        (820_000_000, 2_532_160_000, "2532160000"),  # in pounds
        (820_000_000, 40_000_000, None),  # in nothing that fits
        (None, 2_532_160_000, None),
    ],
)
def test_a_capitalisation_beside_pence_is_in_what_the_shares_say(shares, cap, expected):
    """The number of shares times the price says whether it is in pence or in pounds."""
    given = row(
        "OCDO.L", currency="GBp", regularMarketPrice=308.8, sharesOutstanding=shares, marketCap=cap
    )
    found = only(v7(given), "OCDO.L").market_cap
    assert (None if found is None else format(found, "f").removesuffix(".00")) == expected


@pytest.mark.parametrize(
    ("symbol", "price", "close", "change"),
    [("CL=F", -37.63, 18.27, -55.9), ("^TNX", -0.02, 0, -0.02)],
)
def test_futures_and_indices_may_be_negative(symbol, price, close, change):
    """A negative price of these is a price."""
    given = row(
        symbol,
        regularMarketPrice=price,
        regularMarketPreviousClose=close,
        regularMarketChange=change,
    )
    quote = only(v7(given), symbol)
    assert [str(quote.price), str(quote.previous_close), str(quote.change)] == [
        str(price), str(close), str(change),
    ]  # fmt: skip
    assert only(v7(row(symbol, regularMarketPrice=0)), symbol).price == 0


@pytest.mark.parametrize(
    ("given", "expected"),
    [("REGULAR", "open"), ("PRE", "pre"), ("POST", "post"), ("PREPRE", "closed"),
     ("POSTPOST", "closed"), ("CLOSED", "closed"), ("regular", None), (None, None),
     (["PRE"], None)],
)  # fmt: skip
def test_the_state_of_the_market_is_yahoos(given, expected):
    """Each of Yahoo's words is one of ours, and an unknown one is null."""
    assert only(v7(row("AAPL", marketState=given)), "AAPL").market_state == expected


def test_the_latest_price_outside_of_the_session_is_the_extended_one():
    """The evening's price gives way to the next morning's, with its own time and change."""
    close_s = TIME_S - 24 * 3600
    closed = row("AAPL", regularMarketTime=close_s)
    evening = {"postMarketPrice": 11, "postMarketTime": close_s + 3600, "postMarketChange": 1}
    morning = {"preMarketPrice": 9.5, "preMarketTime": close_s + 16 * 3600, "preMarketChange": -0.5}
    found = only(v7(closed | evening), "AAPL").extended
    assert (found.session, found.price, found.change) == (ExtendedSession.POST, 11, 1)
    found = only(v7(closed | evening | morning), "AAPL").extended
    assert (found.session, found.price) == (ExtendedSession.PRE, Decimal("9.5"))
    assert found.timestamp == TIME - timedelta(hours=8)


@pytest.mark.parametrize(
    "fields",
    [
        {"preMarketPrice": 9, "preMarketTime": TIME_S - 60},
        {"preMarketPrice": 9, "marketState": "REGULAR"},
        {"postMarketPrice": 0, "postMarketTime": TIME_S + 60},
        {"postMarketPrice": "NaN", "postMarketTime": TIME_S + 60},
        {"postMarketTime": TIME_S + 60},
        {"postMarketPrice": 9, "postMarketTime": TIME_S + 60, "marketState": "REGULAR"},
        {"postMarketPrice": 9, "postMarketTime": TIME_S + 3600},
        {"postMarketPrice": 1e9, "postMarketTime": TIME_S + 60},
        {"postMarketPrice": 1e30, "postMarketTime": TIME_S + 60},
        {"preMarketPrice": 9, "preMarketTime": TIME_S + 60},
        {"preMarketPrice": 9, "preMarketTime": TIME_S + 60, "marketState": "POST"},
        {"postMarketPrice": 9, "postMarketTime": TIME_S + 60, "exchangeTimezoneName": "Asia/Tokyo"},
    ],
)
def test_an_extended_price_that_is_older_or_none_is_null(fields):
    """No time before, during or far after the session, no wrong half of the day, no odd price."""
    assert only(v7(row("AAPL", **fields)), "AAPL").extended is None


@pytest.mark.parametrize(
    ("state", "session"),
    [("PRE", "pre"), ("POST", "post"), ("POSTPOST", "post"), ("CLOSED", "post"),
     ("PREPRE", "post"), ("REGULAR", None), ("post", None), ("HALTED", None), (None, None),
     (["POST"], None)],
)  # fmt: skip
@pytest.mark.parametrize("time", [None, (TIME_S + 60) * 1000, "soon", 0])
def test_an_extended_price_without_a_time_counts_in_the_state_of_its_session(state, session, time):
    """The state of the market then tells which of the two prices is the latest."""
    fields = {"preMarketPrice": 9, "postMarketPrice": 11, "marketState": state}
    times = {"preMarketTime": time, "postMarketTime": time}
    found = only(v7(row("AAPL", **fields, **times)), "AAPL").extended
    assert (found and (found.session, found.timestamp)) == (session and (session, None))


def test_a_change_that_contradicts_the_extended_price_is_null():
    """The extended price stays, and what disagrees with it is left out."""
    given = row("AAPL", postMarketPrice=11, postMarketTime=TIME_S + 60, postMarketChange=5)
    found = only(v7(given), "AAPL").extended
    assert (found.price, found.change, found.percent_change) == (11, None, None)


def test_a_volume_of_zero_of_a_pair_or_an_index_is_unknown():
    """A share may have had no trade today; pairs and indices have no volume."""
    zero = {"regularMarketVolume": 0}
    assert only(v7(row("AAPL", **zero)), "AAPL").volume == 0
    assert only(v7(row("^VIX", **zero)), "^VIX").volume is None
    assert only(v7(row("EURUSD=X", **zero)), "EUR/USD").volume is None


@pytest.mark.parametrize("dead", [
    {"quoteType": "NONE"}, {"regularMarketPrice": None}, {"regularMarketPrice": 0},
    {"regularMarketPrice": "NaN"}, {"regularMarketPrice": 1, "regularMarketTime": TIME_S - 90_000},
])  # fmt: skip
def test_a_dead_row_does_not_hide_the_live_one(dead):
    """Whatever the order of the rows, the price that is traded is the price."""
    rows = [row("AAPL"), row("AAPL", **dead)]
    assert only(v7(*rows), "AAPL").price == only(v7(*rows[::-1]), "AAPL").price == 10


def test_a_row_with_a_time_in_the_future_does_not_make_the_others_old():
    """Its clock is wrong, so the row with a time of now counts, whatever the order."""
    ahead = row("AAPL", regularMarketPrice=11, regularMarketTime=TIME_S + 90_000)
    for rows in ([row("AAPL"), ahead], [ahead, row("AAPL")]):
        assert only(v7(*rows), "AAPL").price == 10
    assert only(v7(ahead), "AAPL").price == 11


@pytest.mark.parametrize(
    ("other", "shown"),
    [({"regularMarketPrice": 100}, "100 USD"), ({"currency": "GBp"}, "0.10 GBP")],
)
def test_two_rows_that_contradict_each_other_are_a_bad_row(other, shown):
    """Neither is used, and the reason names both; two equal rows are one."""
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
    """Yahoo says in five ways that it has no quote."""
    (missing,) = parse(v7(*rows), "AAPL").missing
    assert missing.code is Reason.NOT_FOUND


BAD_PRICES = [float("nan"), float("inf"), -3, "ten", True, [1], {"raw": 10}, "9" * 1_000_000]


@pytest.mark.parametrize("price", BAD_PRICES)
def test_a_price_that_is_no_price_is_a_bad_row(price):
    """Not a number, below zero or of a wrong type: nothing to be repaired."""
    parsed = parse(v7(row("AAPL", regularMarketPrice=price)), "AAPL", "NOPE")
    assert bad_rows(parsed).keys() == {"AAPL"}
    assert [missing.symbol for missing in parsed.missing] == ["NOPE"]


def test_three_bad_rows_and_no_good_one_are_a_bad_payload():
    """Two bad rows are defects of their symbols; of three the answer is the defect."""
    names = ("AAPL", "MSFT", "BRK.B")
    rows = [row(name.replace(".", "-"), regularMarketPrice="ten") for name in names]
    assert len(bad_rows(parse(v7(*rows[:2]), *names))) == 2
    with pytest.raises(BadPayloadError, match="yfinance: AAPL: not a number"):
        parse(v7(*rows), *names)
    assert len(bad_rows(parse(v7(*rows, row("SAP.DE")), *names, "SAP.DE"))) == 3


def test_a_bad_row_spoils_only_itself():
    """The other symbols are quoted, and the next provider is asked for the bad one."""
    parsed = parse(v7(row("AAPL", regularMarketPrice="ten"), row("MSFT")), "AAPL", "MSFT")
    assert [quote.symbol for quote in parsed.quotes] == ["MSFT"]
    assert bad_rows(parsed) == {"AAPL": "yfinance: AAPL: not a number: 'ten'"}


def test_a_share_without_a_currency_has_none():
    """A currency that Yahoo does not give is not guessed."""
    assert only(v7(row("AAPL", currency=None)), "AAPL").currency is None


def test_symbols_that_the_per_symbol_way_did_not_get_to_are_not_not_found():
    """They are left for the next provider."""
    parsed = parse(v7(row("AAPL"), **{UNANSWERED: ["BRK-B"]}), "AAPL", "BRK.B", "NOPE")
    assert {m.symbol: m.code for m in parsed.missing} == {
        "BRK.B": Reason.PROVIDER_UNAVAILABLE,
        "NOPE": Reason.NOT_FOUND,
    }
    assert parsed.bad_rows == ()


def test_rows_that_are_none_are_left_out():
    """A null or nameless row among good ones is passed over."""
    body = {"quoteResponse": {"result": [None, {"symbol": 5}, row("AAPL")], "error": None}}
    assert only(answer(json.dumps(body)), "AAPL").price == 10


def test_yahoo_is_asked_for_what_its_facts_say():
    """The chains and the facts agree with these formats."""
    assert CHAINS[AssetClass.STOCKS][0] is CHAINS[AssetClass.FOREX][-1] is Yahoo.source
    assert FACTS[Yahoo.source].batch_size == 100
