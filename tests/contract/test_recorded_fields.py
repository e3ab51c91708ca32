"""Every field of a quote, compared with a second reading of the recorded answers.

The second reading uses nothing of the providers' code. It reads the JSON of an answer and takes
each field from the member that the provider documents for the field. All other fields are null.
"""

import json
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import pytest

from marketdata.domain.quotes import ChangeBasis, ExtendedPrice, ExtendedSession, Quote
from marketdata.domain.symbols import AssetClass
from marketdata.providers.alpha_vantage import AlphaVantage
from marketdata.providers.coingecko import CoinGecko
from marketdata.providers.coinmarketcap import CoinMarketCap
from marketdata.providers.finnhub import Finnhub
from marketdata.providers.yahoo import Yahoo
from tests.support.provider_support import NOW, answer, instrument, secret_key

BASE = "http://127.0.0.1:9"
YAHOO_STATES = {"REGULAR": "open", "PRE": "pre", "POST": "post", "CLOSED": "closed"}
YAHOO_ANSWERS = {
    "quote_AAPL.vcr.json": 1,
    "quote_BTC-USD.vcr.json": 1,
    "quote_EURUSD_X.vcr.json": 1,
    "quote_batch_AAPL_BABA.vcr.json": 2,
    "screener_predefined_aggressive_small_caps.vcr.json": 5,
}
COIN = instrument("BTC-USD", coingecko="bitcoin", coinmarketcap="1")


def second(name: str, **given: Any) -> dict[str, Any]:
    """Return all fields of a quote by name, null where they are not given."""
    return {field.name: None for field in fields(Quote)} | given | {"source": name}


def of(quote: Quote) -> dict[str, Any]:
    """Return all fields of a quote except the time of fetching."""
    return {field.name: getattr(quote, field.name) for field in fields(Quote)} | {
        "fetched_at": None
    }


def at(seconds: Decimal) -> datetime:
    """Return seconds since 1970 as a time."""
    return datetime.fromtimestamp(int(seconds), UTC)


def percent_of(number: Decimal) -> Decimal:
    """Return a percentage with six decimal places."""
    return number.quantize(Decimal("0.000001"), ROUND_HALF_EVEN)


def yahoo_rows(payloads, name) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows of a recorded answer as JSON text and with their numbers as decimals."""
    recorded = json.loads((payloads / "yahoo" / name).read_text(), parse_float=Decimal)
    response = recorded["response"]
    key = next(key for key in ("bodyJson", "bodyText", "body") if key in response)
    body = response[key]
    body = json.loads(body, parse_float=Decimal) if isinstance(body, str) else body
    rows = (
        body["quoteResponse"]["result"]
        if "quoteResponse" in body
        else body["finance"]["result"][0]["quotes"]
    )
    for row in rows:
        yield json.dumps(row, default=float), row


def yahoo_extended(row: dict[str, Any]) -> ExtendedPrice | None:
    """Return the pre-market price in the state PRE, and the after-hours price in CLOSED."""
    is_early = row["marketState"] == "PRE"
    prefix = "preMarket" if is_early else "postMarket"
    if f"{prefix}Price" not in row:
        return None
    return ExtendedPrice(
        ExtendedSession.PRE if is_early else ExtendedSession.POST,
        Decimal(row[f"{prefix}Price"]),
        row[f"{prefix}Change"],
        percent_of(row[f"{prefix}ChangePercent"]),
        at(row[f"{prefix}Time"]),
    )


@pytest.mark.parametrize("name", YAHOO_ANSWERS)
def test_each_field_of_yahoos_rows_is_the_member_that_it_documents(payloads, name):
    """Each field of shares, a coin and a pair is Yahoo's documented member."""
    rows = list(yahoo_rows(payloads, name))
    assert len(rows) == YAHOO_ANSWERS[name]
    for text, row in rows:
        kind, symbol = row["quoteType"], row["symbol"]
        is_pair, is_coin = kind == "CURRENCY", kind == "CRYPTOCURRENCY"
        asked = instrument(symbol)
        body = f'{{"quoteResponse":{{"result":[{text}],"error":null}}}}'
        (quote,) = Yahoo().parse([asked], answer(body), NOW).quotes
        expected = second(
            "yfinance",
            symbol="EUR/USD" if is_pair else symbol,
            asset_class=(
                AssetClass.FOREX if is_pair else AssetClass.CRYPTO if is_coin else AssetClass.STOCKS
            ),
            price=row["regularMarketPrice"],
            currency=row["currency"],
            change=row["regularMarketChange"],
            percent_change=percent_of(row["regularMarketChangePercent"]),
            change_basis=ChangeBasis.ROLLING_24H if is_coin else ChangeBasis.PREVIOUS_CLOSE,
            previous_close=row["regularMarketPreviousClose"],
            open=row["regularMarketOpen"],
            high=row["regularMarketDayHigh"],
            low=row["regularMarketDayLow"],
            volume=None if is_pair else row["regularMarketVolume"],
            market_cap=row.get("marketCap"),
            market_state=YAHOO_STATES[row["marketState"]],
            extended=yahoo_extended(row),
            timestamp=at(row["regularMarketTime"]),
        )
        assert of(quote) == expected


def test_each_field_of_finnhubs_quote_is_the_member_that_it_documents(payloads):
    """Each figure of Finnhub is its documented member; it has no volume, market cap or state."""
    text = (payloads / "finnhub" / "quote_2026-02-19.json").read_text()
    row = json.loads(text, parse_float=Decimal)
    (quote,) = Finnhub(BASE, secret_key).parse([instrument("AAPL")], answer(text), NOW).quotes
    assert of(quote) == second(
        "finnhub", symbol="AAPL", asset_class=AssetClass.STOCKS, currency="USD", price=row["c"],
        change=row["d"], percent_change=row["dp"], change_basis=ChangeBasis.PREVIOUS_CLOSE,
        previous_close=row["pc"], open=row["o"], high=row["h"], low=row["l"],
        timestamp=at(row["t"]),
    )  # fmt: skip


def test_each_field_of_coingeckos_price_is_the_member_that_it_documents(payloads):
    """Each field of CoinGecko is its documented member; the change follows from the percentage."""
    text = (payloads / "coingecko" / "simple_price_oas_2026-05-18.json").read_text()
    row = json.loads(text, parse_float=Decimal)["bitcoin"]
    (quote,) = CoinGecko(BASE).parse([COIN], answer(text), NOW).quotes
    percent = row["usd_24h_change"]
    change = Decimal(row["usd"]) * percent / (100 + percent)
    assert of(quote) == second(
        "coingecko", symbol="BTC-USD", asset_class=AssetClass.CRYPTO, currency="USD",
        price=row["usd"], change=change.quantize(Decimal("0.01")),
        percent_change=percent_of(percent), change_basis=ChangeBasis.ROLLING_24H,
        volume=row["usd_24h_vol"], market_cap=row["usd_market_cap"],
        timestamp=at(row["last_updated_at"]),
    )  # fmt: skip


def test_each_field_of_coinmarketcaps_quote_is_the_member_that_it_documents(payloads):
    """Each field of CoinMarketCap is documented; the change follows from the percentage."""
    name = "v3_quotes_latest_BTC_2026-09-15_trimmed.json"
    text = (payloads / "coinmarketcap" / name).read_text()
    row = json.loads(text, parse_float=Decimal)["data"][0]["quote"][0]
    (quote,) = CoinMarketCap(BASE, secret_key).parse([COIN], answer(text), NOW).quotes
    percent = row["percent_change_24h"]
    change = row["price"] * percent / (100 + percent)
    assert of(quote) == second(
        "coinmarketcap", symbol="BTC-USD", asset_class=AssetClass.CRYPTO, currency="USD",
        price=row["price"], change=change.quantize(row["price"]),
        percent_change=percent_of(percent), change_basis=ChangeBasis.ROLLING_24H,
        volume=row["volume_24h"], market_cap=row["market_cap"],
        timestamp=datetime.fromisoformat(row["last_updated"]),
    )  # fmt: skip


def test_each_field_of_alpha_vantages_rate_is_the_member_that_it_documents(payloads):
    """Rate and time of Alpha Vantage are the documented members, and all else is null."""
    text = (payloads / "alphavantage" / "currency_exchange_rate_USD_JPY.json").read_text()
    row = json.loads(text)["Realtime Currency Exchange Rate"]
    asked = instrument("USD/JPY")
    (quote,) = AlphaVantage(BASE, secret_key).parse([asked], answer(text), NOW).quotes
    assert row["7. Time Zone"] == "UTC"
    assert of(quote) == second(
        "alpha_vantage", symbol="USD/JPY", asset_class=AssetClass.FOREX, currency="JPY",
        price=Decimal(row["5. Exchange Rate"]),
        timestamp=datetime.fromisoformat(row["6. Last Refreshed"] + "+00:00"),
    )  # fmt: skip


@pytest.mark.parametrize(
    "folder", ["yahoo", "finnhub", "coingecko", "coinmarketcap", "alphavantage"]
)
def test_every_recorded_quote_is_read_twice(payloads, folder):
    """Each recorded quote has a second reading in this file."""
    words = {"yahoo": "quote_", "finnhub": "quote_", "coingecko": "simple_price",
             "coinmarketcap": "quotes_latest", "alphavantage": "exchange_rate_"}  # fmt: skip
    read = {
        *YAHOO_ANSWERS, "quote_2026-02-19.json", "simple_price_oas_2026-05-18.json",
        "v3_quotes_latest_BTC_2026-09-15_trimmed.json", "currency_exchange_rate_USD_JPY.json",
        # Without a price:
        "quote_SIX_unknown_empty.vcr.json", "quote_unknown_symbol_200.json",
    }  # fmt: skip
    recorded = {path.name for path in (payloads / folder).iterdir()}
    errors = {name for name in recorded if name.startswith("error_")}
    assert {name for name in recorded - errors if words[folder] in name} <= read
