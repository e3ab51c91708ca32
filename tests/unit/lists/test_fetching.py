"""Fetching lists: the last good list of the archive says which coin a ticker names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from marketdata.domain.list_messages import AssetJob, AssetReport, ListAttempt
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.lists.archive import LAST_GOOD, LocalArchive, decode
from marketdata.lists.fetching import AssetFetcher
from marketdata.providers.coingecko import CoinGecko
from marketdata.providers.contract import CallAllowance, Request, Response

CRYPTO = AssetClass.CRYPTO
HOLO, HOTCOIN = {"id": "holotoken", "name": "Holo"}, {"id": "hotcoin", "name": "Hotcoin"}


class Refresh:
    """Refreshes the crypto list of an archive from rows that stand for CoinGecko's first page."""

    def __init__(self, archive: LocalArchive, executor: ThreadPoolExecutor) -> None:
        self.archive = archive
        self._rows: list[Mapping[str, Any]] = []
        self.status = 200
        self.rejected_keys = 0
        provider = CoinGecko("http://127.0.0.1")
        self._fetcher = AssetFetcher(
            lambda _: provider,
            lambda _: self,
            executor,
            archive,
            lambda _class, _now_ms: None,
            self._note_rejected_key,
        )

    def _note_rejected_key(self) -> None:
        self.rejected_keys += 1

    def send(
        self, request: Request, timeout_s: float, allowance: CallAllowance | None = None
    ) -> Response:
        """Answer the first page with the rows, all others with none."""
        rows = self._rows if request.params.get("page") == "1" else []
        return Response(self.status, {}, json.dumps(rows).encode())

    def warm(self) -> None:
        """Do nothing: there is nothing to load."""

    def fetch(self, version: str, *rows: Mapping[str, Any]) -> AssetReport:
        """Fetch a list of these rows."""
        self._rows = list(rows)
        attempt = ListAttempt(provider=Source.COINGECKO, calls=5)
        return self._fetcher.fetch(
            AssetJob(
                id=version,
                asset_class=CRYPTO,
                version=version,
                planned_ms=1_772_463_600_000,
                sources=(Source.COINGECKO,),
                attempts=(attempt,),
            )
        )

    def run(self, version: str, *rows: Mapping[str, Any]) -> dict[str, str]:
        """Fetch a list, keep it as the last good one, and return its names by symbol."""
        report = self.fetch(version, *rows)
        assert report.candidate is not None, report.outcomes
        data = self.archive.get(CRYPTO, report.candidate)
        assert data is not None
        self.archive.put(CRYPTO, LAST_GOOD, data)
        return {asset.symbol: asset.name for asset in decode(data).assets}


@pytest.fixture
def refresh(tmp_path: Path) -> Iterator[Refresh]:
    """An empty archive that can be refreshed."""
    with ThreadPoolExecutor(1) as executor:
        yield Refresh(LocalArchive(tmp_path), executor)


def coin(about: Mapping[str, Any], rank: int | None, symbol: str = "hot") -> dict[str, Any]:
    """One row of a ranked page."""
    return {**about, "symbol": symbol, "market_cap_rank": rank}


def test_a_refresh_with_other_ranks_changes_no_ticker(refresh):
    """A ticker keeps its coin, and the coin that has overtaken it is listed by its id."""
    refresh.run("1", coin(HOLO, 480), coin(HOTCOIN, 500))
    names = refresh.run("2", coin(HOLO, 505), coin(HOTCOIN, 500))
    assert names == {"HOT-USD": "Holo", "@hotcoin-USD": "Hotcoin"}


def test_a_ticker_keeps_the_coin_that_it_changed_to(refresh):
    """A coin that got the ticker of a lost coin keeps it when that coin is listed again."""
    others = [coin({"id": f"other-{n}", "name": f"Other {n}"}, n, f"oth{n}") for n in range(1, 9)]
    refresh.run("1", coin(HOLO, 480), coin(HOTCOIN, 500), *others)
    assert refresh.run("2", coin(HOTCOIN, 500), *others)["HOT-USD"] == "Hotcoin"
    names = refresh.run("3", coin(HOLO, 480), coin(HOTCOIN, 500), *others)
    assert (names["HOT-USD"], names["@holotoken-USD"]) == ("Hotcoin", "Holo")


def test_the_first_list_names_the_shipped_coins_without_ranks(refresh):
    """In the first list a shipped coin has its ticker, even if only another coin has a rank."""
    names = refresh.run(
        "1",
        coin({"id": "bitcoin", "name": "Bitcoin"}, None, "btc"),
        coin({"id": "batcat", "name": "batcat"}, 900, "btc"),
    )
    assert names == {"BTC-USD": "Bitcoin", "@batcat-USD": "batcat"}


def test_a_coin_with_the_ticker_of_a_currency_is_listed_by_its_id(refresh):
    """MNT/USD is the tugrik, so the coin Mantle is `@mantle-USD`."""
    names = refresh.run("1", coin({"id": "mantle", "name": "Mantle"}, 60, "mnt"))
    assert names == {"@mantle-USD": "Mantle"}


def test_a_damaged_last_good_list_stops_no_refresh(refresh):
    """If the last good list is damaged, the ranks decide which coin has a ticker."""
    refresh.archive.put(CRYPTO, LAST_GOOD, b"damaged")
    names = refresh.run("1", coin(HOLO, 505), coin(HOTCOIN, 500))
    assert names == {"HOT-USD": "Hotcoin", "@holotoken-USD": "Holo"}


@pytest.mark.parametrize(("status", "rejections"), [(401, 1), (500, 0), (200, 0)])
def test_a_rejected_key_is_noted(refresh, status, rejections):
    """The key is looked up again after a 401, and after no other answer."""
    refresh.status = status
    refresh.fetch("1", coin(HOLO, 480))
    assert refresh.rejected_keys == rejections
