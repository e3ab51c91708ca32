"""One security or pair in many spellings, from the request and the lists to its price."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.lists.archive import LocalArchive
from tests.support.canned_server import CannedServer
from tests.support.fake_yahoo import FakeYahoo, quote_row
from tests.support.pipeline import GENEROUS, Pipeline
from tests.support.stand_ins import FakeFinnhub

PLAIN = {"regularMarketChange": None, "regularMarketChangePercent": None}
PREFERRED, WARRANT = "Lakeside Bancorp Series F Pref", "Lakeside Bancorp Warrant"
US_LIST = [
    {"symbol": "LKS", "description": "Lakeside Bancorp", "mic": "XNYS", "currency": "USD"},
    {"symbol": "LKS-P-F", "description": PREFERRED, "mic": "XNYS", "currency": "USD"},
    {"symbol": "LKS-F", "description": PREFERRED, "mic": "XNYS", "currency": "USD"},
    {"symbol": "LKS-PF", "description": PREFERRED, "mic": "XNYS", "currency": "USD"},
    {"symbol": "LKS+", "description": WARRANT, "mic": "XNYS", "currency": "USD"},
    {"symbol": "LKS-WT", "description": WARRANT, "mic": "XNYS", "currency": "USD"},
    {"symbol": "LKS.WS", "description": WARRANT, "mic": "XNYS", "currency": "USD"},
    {"symbol": "LKS=", "description": "Lakeside Bancorp Unit", "mic": "XNYS", "currency": "USD"},
    {"symbol": "LKS-UN", "description": "Lakeside Bancorp Unit", "mic": "XNYS", "currency": "USD"},
    {"symbol": "LKS^", "description": "Lakeside Bancorp Right", "mic": "XNYS", "currency": "USD"},
    {"symbol": "LKS-RI", "description": "Lakeside Bancorp Right", "mic": "XNYS", "currency": "USD"},
    {"symbol": "LKS.B", "description": "Lakeside Bancorp B", "mic": "XNYS", "currency": "USD"},
]
YAHOO_NAMES = {
    "LKS": "LKS", "LKS.PR.F": "LKS-PF", "LKS.WS": "LKS-WT", "LKS.U": "LKS-UN", "LKS.RT": "LKS-RI",
    "LKS.B": "LKS-B",
}  # fmt: skip


def price(pipe: Pipeline, yahoo: FakeYahoo, **names: float) -> None:
    """Give Yahoo these prices, by its own spelling."""
    at_s = pipe.clock() // 1000 + 5
    for name, amount in names.items():
        yahoo.rows[name] = quote_row(name, amount, **PLAIN, regularMarketTime=at_s)


def answer(pipe: Pipeline, symbols: list[str]) -> dict[str, Any]:
    """Return the API's answer about symbols, sent as a repeated parameter."""
    query = "&".join("symbols=" + one.replace("&", "%26").replace("/", "%2F") for one in symbols)
    reply = pipe.get(f"/v1/quotes?{query}")
    assert reply.status == 200, reply.body
    body: dict[str, Any] = reply.json
    return body


@pytest.mark.parametrize(
    ("spellings", "symbol", "name"),
    [
        (["CNH/USD", "CNH-USD", "CNHUSD=X", "cnhusd", "CNH_USD"], "CNH/USD", "CNHUSD=X"),
        (["USD/CNH", "USDCNH=X", "CNH=X", "usd-cnh"], "USD/CNH", "USDCNH=X"),
        (["GBP/CHF", "GBPCHF", "gbp_chf", "GBP-CHF", "GBPCHF=X"], "GBP/CHF", "GBPCHF=X"),
        (["WFC.PR.Y", "WFC-PY", "WFC-P-Y", "wfc-p-y", "WFC-PR-Y"], "WFC.PR.Y", "WFC-PY"),
        (["JOBY.WS", "JOBY-WT", "JOBY-WS", "joby.wt"], "JOBY.WS", "JOBY-WT"),
        (["AIIA.U", "AIIA-UN", "AIIA-U"], "AIIA.U", "AIIA-UN"),
        (["AIIA.RT", "AIIA-RI", "AIIA-R"], "AIIA.RT", "AIIA-RI"),
        (["TECK.B.TO", "TECK-B.TO", "teck-b.to"], "TECK.B.TO", "TECK-B.TO"),
        (["BT.A.L", "BT-A.L"], "BT.A.L", "BT-A.L"),
        (["BF.B", "BF-B", "bf-b"], "BF.B", "BF-B"),
        (["L&T.NS", "l&t.ns"], "L&T.NS", "L&T.NS"),
    ],
)
def test_all_spellings_are_one_asset_with_one_price(make, yahoo, spellings, symbol, name):
    """The provider is asked once, in its own spelling, and the aliases name one symbol."""
    pipe = make(
        urls={Source.YFINANCE: yahoo.url}, ACTIVE_SYMBOLS="AAPL", ALPHA_VANTAGE_API_KEY="",
        **{**GENEROUS, "FINNHUB_API_KEY": ""},
    )  # fmt: skip
    currency = symbol.partition("/")[2] or "USD"
    answer(pipe, spellings)
    price(pipe, yahoo, **{name: 12.5})
    yahoo.rows[name]["currency"] = currency
    pipe.run_next()
    body = answer(pipe, spellings)
    assert [(one["symbol"], one["price"]) for one in body["quotes"]] == [(symbol, 12.5)], body
    assert body["errors"] == []
    assert body["aliases"] == {one: symbol for one in spellings if one != symbol}
    asked = [one for call in yahoo.asked() for one in call if one != "AAPL"]
    assert asked == [name]


@pytest.mark.parametrize(
    "text", ["ANG/USD", "HRK/EUR", "ZWL/USD", "ang-usd", "DEM/USD", "ITL/EUR", "VEF/USD", "LTL/EUR"]
)
def test_a_withdrawn_currency_is_forex_and_never_a_coin(make, text):
    """A pair with a withdrawn currency is forex, also if a coin has that ticker."""
    pipe = make(ACTIVE_SYMBOLS="EUR/USD", **GENEROUS)
    answer(pipe, [text])
    pipe.run_next()
    (error,) = answer(pipe, [text])["errors"]
    assert (error["symbol"], error["code"]) == (text.upper().replace("-", "/"), "not_found"), error
    assert not pipe.market.calls[Source.COINGECKO]


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("BTC-USDT", "BTC-USD"),
        ("BTC/USDT", "BTC-USD"),
        ("BTCUSD", "BTC-USD"),
        ("ETHUSDT", "ETH-USD"),
        ("SOL_USDC", "SOL-USD"),
        ("ethbtc", "ETH-BTC"),
        ("DOGEEUR", "DOGE-EUR"),
    ],
)
def test_a_pair_that_is_no_symbol_has_a_suggestion(make, text, suggestion):
    """Both quote routes suggest the symbol for an invalid pair, and nothing is watched."""
    pipe = make(ACTIVE_SYMBOLS="AAPL", **GENEROUS)
    (error,) = answer(pipe, [text, "AAPL"])["errors"][:1]
    assert (error["symbol"], error["code"]) == (text, "invalid_symbol")
    assert error["suggestions"][0] == suggestion
    single = pipe.get("/v1/quotes/" + text.replace("/", "%2F"))
    assert (single.status, single.json["code"]) == (400, "invalid_symbol")
    assert single.json["suggestions"][0] == suggestion
    assert pipe.run_next().plan["due"] == 1


@pytest.mark.parametrize(
    ("symbol", "currency"),
    [("ETH-BTC", "BTC"), ("SOL-ETH", "ETH"), ("@bitcoin-USD", "USD"), ("@ethereum-BTC", "BTC")],
)
def test_coins_are_priced_in_coins_and_by_their_ids(make, symbol, currency):
    """The first request for a pair of coins or a coin's id is priced in the next slot."""
    pipe = make(ACTIVE_SYMBOLS="AAPL", **GENEROUS)
    answer(pipe, [symbol])
    pipe.run_next()
    (quote,) = answer(pipe, [symbol])["quotes"]
    assert (quote["symbol"], quote["currency"]) == (symbol, currency)
    assert quote["price"] > 0


def test_a_list_in_many_dialects_names_and_prices_each_security_once(make, yahoo, tmp_path):
    """A list with each security in several dialects names it once, and each one is priced."""
    finnhub = FakeFinnhub(listed=US_LIST)
    with CannedServer(finnhub, make.clock) as server:
        pipe = make(
            urls={Source.YFINANCE: yahoo.url, Source.FINNHUB: server.url},
            ACTIVE_SYMBOLS="AAPL", ALPHA_VANTAGE_API_KEY="", **GENEROUS,
        )  # fmt: skip
        yahoo.pages[0] = []
        assert pipe.refresh(LocalArchive(Path(tmp_path)), AssetClass.STOCKS).total == 6
        listed = [row["symbol"] for row in pipe.get("/v1/assets/stocks").json["assets"]]
        assert sorted(listed) == sorted(YAHOO_NAMES)
        answer(pipe, listed)
        prices = {name: 10.0 + place for place, name in enumerate(YAHOO_NAMES.values())}
        price(pipe, yahoo, **prices)
        pipe.run_next()
        found = {one["symbol"]: one["price"] for one in answer(pipe, listed)["quotes"]}
    assert found == {symbol: prices[name] for symbol, name in YAHOO_NAMES.items()}
