"""Which coin a ticker names, from the providers' lists to the prices and lists of the API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from marketdata.api.schemas import Assets
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.lists.archive import LocalArchive
from tests.support.caches import emptied
from tests.support.canned_server import CannedServer
from tests.support.pipeline import GENEROUS, Pipeline, simulated
from tests.support.stand_ins import FakeCoinGecko, FakeCoinMarketCap, coin_row

DAY_S = 86_400
HOLO, HOTCOIN = ("holotoken", "hot", "Holo"), ("hotcoin", "hot", "Hotcoin")
PRICES = {
    "holotoken": 0.0018, "hotcoin": 2.5, "bitcoin": 64000.0, "batcat": 0.00004, "mantle": 0.71,
    "pearl": 3.25, "pearl-chain": 0.019, "pearl-inu": 0.0000021, "ethereum": 1900.0,
}  # fmt: skip

# Enough coins that a list without one of the others is not rejected as too small.
FILLERS = [coin_row(f"filler-{n}", f"fil{n}", f"Filler {n}", 900 + n) for n in range(20)]


@dataclass
class Coins:
    """A service whose coins come from stand-ins of CoinGecko and CoinMarketCap."""

    pipe: Pipeline
    gecko: FakeCoinGecko
    cmc: FakeCoinMarketCap
    archive: LocalArchive

    def list(self, *rows: dict[str, Any], after_s: float = DAY_S) -> None:
        """Let a day pass, and refresh the list of coins from these rows."""
        self.pipe.clock.pass_s(after_s)
        self.gecko.listed = [*rows, *FILLERS]
        assert self.pipe.refresh(self.archive, AssetClass.CRYPTO).swapped

    def prices(self, symbols: str) -> dict[str, Any]:
        """What a client gets for each symbol after two slots: its price, or its error's code."""
        at_s = self.pipe.clock() // 1000
        self.gecko.prices = {
            coin: {"usd": price, "usd_24h_change": 1.5, "last_updated_at": at_s}
            for coin, price in PRICES.items()
        }
        self.pipe.read(symbols)
        self.pipe.run_next()
        entries = self.pipe.read(symbols)
        return {symbol: one.get("price", one.get("code")) for symbol, one in entries.items()}

    def names(self) -> dict[str, str]:
        """The listed symbols with their names."""
        return {row["symbol"]: row["name"] for row in self.rows()}

    def rows(self) -> list[dict[str, Any]]:
        """The rows of the list that clients get."""
        body = self.pipe.get("/v1/assets/crypto").json
        Assets.model_validate(body)
        rows = body["assets"]
        return [row for row in rows if not row["name"].startswith("Filler")]

    def history(self, symbol: str, span: str = "24h") -> list[Any]:
        """The recorded prices of a symbol."""
        series = self.pipe.get(f"/v1/history?symbols={symbol}&range={span}").json["history"]
        return [price for one in series for _, price in one["points"]]


@pytest.fixture
def coins(plain_redis, tmp_path: Path) -> Iterator[Coins]:
    """A service without the key of CoinMarketCap."""
    with emptied(plain_redis) as cache, simulated(cache) as make:
        gecko, cmc = FakeCoinGecko(), FakeCoinMarketCap()
        with CannedServer(gecko, make.clock) as one, CannedServer(cmc, make.clock) as other:
            pipe = make(
                urls={Source.COINGECKO: one.url, Source.COINMARKETCAP: other.url},
                ACTIVE_SYMBOLS="BTC-USD", COINMARKETCAP_API_KEY="", **GENEROUS,
            )  # fmt: skip
            yield Coins(pipe, gecko, cmc, LocalArchive(tmp_path))


def test_a_ticker_keeps_its_coin_when_the_ranks_change(coins):
    """When ranks change, a ticker keeps its coin, and the other coin is priced by its id."""
    for ranks in ((480, 500), (505, 500), (None, 12)):
        coins.list(coin_row(*HOLO, ranks[0]), coin_row(*HOTCOIN, ranks[1]))
        assert coins.names() == {"HOT-USD": "Holo", "@hotcoin-USD": "Hotcoin"}
        assert coins.prices("HOT-USD,@hotcoin-USD") == {"HOT-USD": 0.0018, "@hotcoin-USD": 2.5}


def test_a_top_coin_has_its_ticker_in_the_first_list_without_a_rank(coins):
    """In the first list a top coin without a rank has its ticker, and a ranked coin its id."""
    coins.list(
        coin_row("batcat", "btc", "batcat", 900), coin_row("bitcoin", "btc", "Bitcoin", None)
    )
    assert coins.names() == {"BTC-USD": "Bitcoin", "@batcat-USD": "batcat"}
    assert coins.prices("BTC-USD,@batcat-USD") == {"BTC-USD": 64000, "@batcat-USD": 0.00004}


def test_a_list_that_lacks_a_top_coin_gives_its_ticker_to_no_other(coins):
    """If a list lacks a top coin, its ticker is priced by the shipped id."""
    coins.list(coin_row("batcat", "btc", "batcat", 3))
    assert coins.names() == {"@batcat-USD": "batcat"}
    assert coins.prices("BTC-USD,@batcat-USD") == {"BTC-USD": 64000, "@batcat-USD": 0.00004}


def test_a_coin_whose_ticker_is_a_currency_code_goes_by_its_id(coins):
    """A coin whose ticker is a currency code is priced by its id, and the pair stays forex."""
    coins.list(coin_row("mantle", "mnt", "Mantle", 60))
    assert coins.names() == {"@mantle-USD": "Mantle"}
    assert coins.prices("@mantle-USD") == {"@mantle-USD": 0.71}
    reply = coins.pipe.get("/v1/quotes?symbols=MNT-USD").json
    assert reply["aliases"] == {"MNT-USD": "MNT/USD"}
    assert "mantle" not in str(reply)


PEARL = coin_row("pearl", "prl", "Pearl", 300)
OTHER = coin_row("pearl-chain", "prl", "Pearl Chain", 280)
THIRD = coin_row("ethereum", "eth", "Ethereum", 2)


@pytest.mark.parametrize("gap_lists", [0, 1, 3])
def test_a_ticker_that_becomes_another_coin_starts_anew(coins, caplog, gap_lists):
    """A ticker's new coin has no old quote, history or baseline, also after lists without it."""
    coins.list(PEARL, THIRD)
    assert coins.prices("PRL-USD,PRL-EUR")["PRL-USD"] == 3.25
    for _ in range(gap_lists):
        coins.list(THIRD)
        assert "PRL-USD" not in coins.names()
    caplog.clear()
    coins.list(OTHER, THIRD)
    error = coins.pipe.read("PRL-USD")["PRL-USD"]
    assert error["code"] == "pending"
    assert coins.history("PRL-USD") == []
    assert coins.prices("PRL-USD") == {"PRL-USD": 0.019}, "no jump against the other coin"
    (row,) = [row for row in coins.rows() if row["symbol"] == "PRL-USD"]
    assert row["name"] == "Pearl Chain"
    assert row["replaced"].startswith("Pearl (coingecko pearl) until 2026-03-")
    (record,) = [r for r in caplog.records if r.message == "ticker names another coin"]
    assert (record.ticker, record.coin_before, record.coin) == ("PRL", "Pearl", "Pearl Chain")


def test_a_price_that_was_asked_for_before_the_change_is_not_shown(coins, monkeypatch):
    """A job planned for a ticker's old coin and committed after the change writes nothing."""
    coins.list(PEARL, THIRD)
    assert coins.prices("PRL-USD") == {"PRL-USD": 3.25}
    coins.pipe.clock.pass_s(DAY_S)
    commit = coins.pipe._commit

    def commit_late(report: dict[str, Any], context: object) -> dict[str, Any]:
        if any(one["symbol"] == "PRL-USD" for one in report["quotes"]):
            monkeypatch.undo()
            coins.list(OTHER, THIRD, after_s=0)
        return commit(report, context)

    monkeypatch.setattr(coins.pipe, "_commit", commit_late)
    assert coins.prices("PRL-USD") == {"PRL-USD": "pending"}
    assert coins.history("PRL-USD") == []
    assert coins.prices("PRL-USD") == {"PRL-USD": 0.019}


def test_a_coin_that_returns_has_its_ticker_again(coins, caplog):
    """A coin that returns keeps its history, if no other coin had its ticker meanwhile."""
    coins.list(PEARL, THIRD)
    assert coins.prices("PRL-USD") == {"PRL-USD": 3.25}
    coins.list(THIRD)
    coins.list(PEARL, OTHER, THIRD)
    assert len(coins.history("PRL-USD", "7d")) == 1
    assert coins.names()["PRL-USD"] == "Pearl"
    assert coins.names()["@pearl-chain-USD"] == "Pearl Chain"
    assert coins.prices("PRL-USD") == {"PRL-USD": 3.25}
    assert not [r for r in caplog.records if r.message == "ticker names another coin"]


def test_a_change_stays_visible_in_later_lists(coins):
    """A ticker's first coin does not get it back while its second coin is listed."""
    for rows in ((PEARL, THIRD), (OTHER, THIRD), (OTHER, PEARL, THIRD)):
        coins.list(*rows)
    rows = {row["symbol"]: row for row in coins.rows()}
    assert (rows["PRL-USD"]["name"], rows["@pearl-USD"]["name"]) == ("Pearl Chain", "Pearl")
    assert rows["PRL-USD"]["replaced"].startswith("Pearl (coingecko pearl) until")
    assert "replaced" not in rows["@pearl-USD"]
    assert coins.prices("PRL-USD,@pearl-USD") == {"PRL-USD": 0.019, "@pearl-USD": 3.25}
