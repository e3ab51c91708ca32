"""The simulated market's answers have the shapes of the real providers' answers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime

import pytest
import requests

from marketdata.domain.quotes import Source
from tests.support.simulated_market import (
    SYMBOLS,
    WEDNESDAY_MS,
    Clients,
    clients_of_a_standing_market,
    exact,
)

YAHOO, FINNHUB, COINGECKO, CMC, AV = (
    Source.YFINANCE, Source.FINNHUB, Source.COINGECKO, Source.COINMARKETCAP, Source.ALPHA_VANTAGE,
)  # fmt: skip


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    """Clients of one market for all tests of this file."""
    with clients_of_a_standing_market() as clients:
        yield clients


def test_every_provider_shows_the_same_price_process(clients):
    """The price and the time that each of the five providers gives are true."""
    yahoo = exact(clients.quote(YAHOO))["quoteResponse"]["result"][0]
    finnhub = exact(clients.quote(FINNHUB))
    gecko = exact(clients.quote(COINGECKO))["bitcoin"]
    cmc = exact(clients.quote(CMC))["data"][0]["quote"][0]
    av = exact(clients.quote(AV))["Realtime Currency Exchange Rate"]
    cmc_time = datetime.fromisoformat(cmc["last_updated"])
    av_time = datetime.fromisoformat(av["6. Last Refreshed"]).replace(tzinfo=UTC)
    shown = {
        YAHOO: (yahoo["regularMarketPrice"], yahoo["regularMarketTime"]),
        FINNHUB: (finnhub["c"], finnhub["t"]),
        COINGECKO: (gecko["usd"], gecko["last_updated_at"]),
        CMC: (cmc["price"], cmc_time.timestamp()),
        AV: (av["5. Exchange Rate"], av_time.timestamp()),
    }
    for source, (price, time_s) in shown.items():
        at_ms = int(time_s) * 1000
        assert at_ms == WEDNESDAY_MS
        assert clients.market.is_true(SYMBOLS[source], Decimal(price), at_ms, source)
        assert not clients.market.is_true(
            SYMBOLS[source], Decimal(price) * Decimal("1.01"), at_ms, source
        )


def test_finnhub(clients):
    """Finnhub has quotes, zeros for unknown symbols, 403 beyond the plan, and two lists."""
    quote = exact(clients.quote(FINNHUB))
    assert set(quote) == set("c d dp h l o pc t".split())
    assert quote["l"] <= quote["c"] <= quote["h"]
    assert abs(quote["c"] - quote["pc"] - quote["d"]) < Decimal("0.001")
    zeros = clients.get(FINNHUB, "/quote", symbol="NOPE123")
    assert zeros.json() == {
        "c": 0, "d": None, "dp": None, "h": 0, "l": 0, "o": 0, "pc": 0, "t": 0,
    }  # fmt: skip
    assert zeros.headers["x-ratelimit-limit"] == "100000"
    assert clients.get(FINNHUB, "/quote", symbol="OANDA:EUR_USD").status_code == 403
    assert clients.get(FINNHUB, "/quote", symbol="OCDO.L").status_code == 403
    stocks = clients.get(FINNHUB, "/stock/symbol", exchange="US").json()
    listed = {row["symbol"] for row in stocks}
    assert {"AAPL", "BRK.B", "BAC-L", "ACHR+", "AIIA=", "AIIA^"} <= listed
    assert not {"^GSPC", "GC=F", "OCDO.L", "NBK.KW"} & listed
    for spelling in ("BRK.B", "BAC-PL", "ACHR-WT"):
        assert exact(clients.get(FINNHUB, "/quote", symbol=spelling))["c"] > 0
    assert clients.get(FINNHUB, "/quote", symbol="^GSPC").status_code == 403
    pairs = clients.get(FINNHUB, "/forex/symbol", exchange="oanda").json()
    assert {"displaySymbol": "EUR/USD", "symbol": "OANDA:EUR_USD"}.items() <= pairs[0].items()
    assert "oanda" in clients.get(FINNHUB, "/forex/exchange").json()


def test_coingecko_prices(clients):
    """CoinGecko leaves out unknown ids, gives null without data, and rounds without `precision`."""
    answer = clients.get(
        COINGECKO, "/simple/price", ids="bitcoin,nexa,no-such-coin", vs_currencies="usd,eur"
    )
    prices = exact(answer)
    assert prices["nexa"] == {"usd": None, "eur": None}
    assert set(prices) == {"bitcoin", "nexa"}
    assert isinstance(prices["bitcoin"]["usd"], int)
    fine = exact(
        clients.get(
            COINGECKO, "/simple/price", ids="shiba-inu", vs_currencies="usd", precision="full"
        )
    )
    truth, _ = clients.market.truth("SHIB-USD", WEDNESDAY_MS)
    assert fine["shiba-inu"]["usd"] == truth
    assert exact(clients.get(COINGECKO, "/simple/price", ids="x", vs_currencies="usd")) == {}
    assert clients.get(COINGECKO, "/simple/price", ids="bitcoin").status_code == 422


def test_coingecko_lists(clients):
    """CoinGecko's pages have 100 coins by default; tickers repeat, and ranks may be null."""
    default = clients.get(COINGECKO, "/coins/markets", vs_currency="usd").json()
    assert (len(default), default[0]["id"], default[0]["market_cap_rank"]) == (100, "bitcoin", 1)
    page = clients.get(COINGECKO, "/coins/markets", vs_currency="usd", per_page="999", page="6")
    assert len(page.json()) == 250
    assert {row["market_cap_rank"] for row in page.json()[60:]} == {None}
    coins = clients.get(COINGECKO, "/coins/list").json()
    assert {"bitcoin", "batcat"} <= {row["id"] for row in coins if row["symbol"] == "btc"}
    hot = {row["id"] for row in coins if row["symbol"] == "hot"}
    assert hot == {"holotoken", "hydro-protocol"}
    mantle = exact(
        clients.get(COINGECKO, "/simple/price", ids="mantle,ethereum", vs_currencies="usd,btc")
    )
    assert set(mantle["mantle"]) == set(mantle["ethereum"]) == {"usd", "btc"}


def test_coinmarketcap_quotes(clients):
    """CoinMarketCap's v3 has lists, an error code as text, and 400 without `skip_invalid`."""
    answer = exact(clients.quote(CMC))
    assert answer["status"]["error_code"] == "0"
    assert answer["data"][0]["quote"][0]["symbol"] == "USD"
    path = "/v3/cryptocurrency/quotes/latest"
    skipped = exact(clients.get(CMC, path, id="1,999999", skip_invalid="true"))
    assert [row["id"] for row in skipped["data"]] == [1]
    answer = clients.get(CMC, path, id="1,999999")
    assert answer.status_code == 400
    assert answer.json()["status"]["error_message"] == 'Invalid value for "id": "999999"'
    twins = exact(clients.get(CMC, path, symbol="ETC"))["data"]
    assert [(row["name"], row["is_active"]) for row in twins] == [
        ("Ethercoin", 0),
        ("Ethereum Classic", 1),
    ]
    assert clients.get(CMC, path, id="1", convert="USD,EUR").status_code == 400


def test_coinmarketcap_lists(clients):
    """CoinMarketCap's map has active coins by id or by rank, and its currencies have ids."""
    by_rank = clients.get(CMC, "/v1/cryptocurrency/map", sort="cmc_rank", limit="3").json()
    assert [row["id"] for row in by_rank["data"]] == [1, 1027, 52]
    assert by_rank["status"]["error_code"] == 0
    whole = clients.get(CMC, "/v1/cryptocurrency/map", limit="5000").json()["data"]
    assert len(whole) == 1_499
    fiat = clients.get(CMC, "/v1/fiat/map").json()["data"]
    assert {"id": 2781, "name": "United States Dollar", "sign": "$", "symbol": "USD"} in fiat
    info = clients.get(CMC, "/v1/key/info").json()["data"]
    assert info["plan"]["rate_limit_minute"] == 100_000


def test_alpha_vantage(clients):
    """Alpha Vantage has rates as text, lists as CSV, and its errors have status 200."""
    rate = exact(clients.quote(AV))["Realtime Currency Exchange Rate"]
    assert len(rate["5. Exchange Rate"].partition(".")[2]) == 8
    unknown = clients.get(
        AV, "/query", function="CURRENCY_EXCHANGE_RATE", from_currency="EUR", to_currency="XXX"
    )
    assert unknown.status_code == 200
    assert "Invalid API call" in unknown.json()["Error Message"]
    stock = clients.get(AV, "/query", function="GLOBAL_QUOTE", symbol="BRK-B").json()
    assert stock["Global Quote"]["10. change percent"].endswith("%")
    empty = clients.get(AV, "/query", function="GLOBAL_QUOTE", symbol="NOPE123")
    assert empty.json() == {"Global Quote": {}}
    listing = clients.get(AV, "/query", function="LISTING_STATUS")
    rows = list(csv.DictReader(io.StringIO(listing.text)))
    listed = {row["symbol"] for row in rows}
    assert {"AAPL", "BRK-B", "BAC-P-L", "ACHR-WS", "AIIA-U", "AIIA-R"} <= listed
    assert {row["delistingDate"] for row in rows} == {"null"}
    currencies = requests.get(
        clients.market.base_urls[AV] + "/physical_currency_list/", timeout=5
    ).text
    assert "EUR,Euro" in currencies.splitlines()


KEY_TROUBLE = [
    (FINNHUB, "/quote?symbol=AAPL", 401, "Please use an API key."),
    (FINNHUB, "/quote?symbol=AAPL&token=badkey", 401, "Invalid API key."),
    (COINGECKO, "/simple/price?ids=bitcoin&x_cg_demo_api_key=invalid", 401, "10002"),
    (COINGECKO, "/simple/price?ids=bitcoin&x_cg_pro_api_key=pro", 400, "10010"),
    (CMC, "/v3/cryptocurrency/quotes/latest?id=1", 401, "1002"),
    (CMC, "/v3/cryptocurrency/quotes/latest?id=1&CMC_PRO_API_KEY=invalid", 401, "1001"),
    (AV, "/query?function=GLOBAL_QUOTE&symbol=AAPL", 200, "apikey is invalid or missing"),
    (AV, "/query?function=GLOBAL_QUOTE&symbol=AAPL&apikey=bad", 200, "apikey is invalid"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "path", "status", "text"), KEY_TROUBLE)
def test_bad_and_missing_keys(clients, source, path, status, text):
    """Each provider answers a bad or missing key with its own error text."""
    answer = requests.get(clients.market.base_urls[source] + path, timeout=5)
    assert answer.status_code == status
    assert text in answer.text


def test_head_has_no_body_and_paths_that_do_not_exist_are_404(clients):
    """A HEAD request has no body, and an unknown path is 404 at every provider."""
    url = clients.market.base_urls[COINGECKO]
    head = requests.head(url + "/coins/list", timeout=5)
    assert (head.status_code, head.content) == (200, b"")
    assert parsedate_to_datetime(head.headers["date"]).timestamp() * 1000 == WEDNESDAY_MS
    for source in Source:
        assert clients.get(source, "/no/such/path").status_code == 404
