"""The size of jobs: estimated before the grants, and split where a job is too large."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from marketdata.cache.quote_store import LastQuote
from marketdata.domain.budget import Use
from marketdata.domain.catalogue import CHAINS, Instrument
from marketdata.domain.messages import QuoteMessage
from marketdata.domain.outcomes import DenyReason
from marketdata.domain.permits import CallGrant, OpenSlot
from marketdata.domain.quotes import ChangeBasis, Quote, Source
from marketdata.domain.symbols import MAX_LENGTH, AssetClass, parse_symbol
from marketdata.prices.grouping import Group
from marketdata.prices.job_sizes import MOST_JOB_BYTES, JobMaker

NOW = 1_763_820_310_020
TOKEN = "be005730bff64826b748c0eb0efb4975"
SOURCES = CHAINS[AssetClass.CRYPTO]


def coin(number: int, ids_length: int = 12) -> Instrument:
    """A coin with ids of that length at both its providers."""
    name = f"{number:0{ids_length}d}"
    return Instrument(parse_symbol(f"C{number}-USD"), {"coingecko": name, "coinmarketcap": name})


def maker(coins: tuple[Instrument, ...], excluded: frozenset = frozenset()) -> JobMaker:
    """A JobMaker for coins that each have a stored quote."""
    opened = OpenSlot(NOW // 5000 * 5, NOW, (), excluded, {}, None)
    last = {one.symbol.text: LastQuote("0.00000012345678", NOW, NOW) for one in coins}
    return JobMaker(opened, last, NOW, NOW + 3500, TOKEN)


@st.composite
def grants(draw: st.DrawFn) -> list[CallGrant]:
    """Any grants and denials for the requests of a job."""
    return [
        CallGrant(
            source=source,
            asset_class=AssetClass.CRYPTO,
            calls=draw(st.integers(0, 250)),
            generation=draw(st.integers(0, 10**9)),
            probe=draw(st.none() | st.integers(1, 9999).map(lambda place: f"{TOKEN}:{place}")),
            end_ms=NOW + 3500,
            use=draw(st.sampled_from(Use)),
            reason=draw(st.none() | st.sampled_from(DenyReason)),
            available_at_ms=draw(st.none() | st.integers(NOW, NOW * 2)),
        )
        for source in draw(st.sampled_from([SOURCES, SOURCES[:1], SOURCES[1:]]))
    ]


@given(count=st.integers(1, 40), grant=grants(), number=st.integers(0, 999), data=st.data())
def test_no_grant_makes_a_job_larger_than_was_estimated(count, grant, number, data):
    """A job is no larger than its estimate, for all grants, denials and exclusions."""
    coins = tuple(map(coin, range(count)))
    pairs = [(source, one.symbol.text) for source in SOURCES for one in coins]
    excluded = frozenset(data.draw(st.lists(st.sampled_from(pairs))))
    group = Group(AssetClass.CRYPTO, Use.ACTIVE, coins)
    make = maker(coins, excluded)
    ((_, size),) = make.split(group, SOURCES)
    assert make.job(number, group, grant).json_bytes() <= size


@pytest.mark.parametrize("ids_length", [12, 60, 400, 20_000])
def test_a_job_that_gets_too_large_is_split(ids_length):
    """The parts of a job are within the limit, in order, and not too many."""
    coins = tuple(coin(number, ids_length) for number in range(250))
    parts = list(maker(coins).split(Group(AssetClass.CRYPTO, Use.ACTIVE, coins), SOURCES))
    assert [one for group, _ in parts for one in group.instruments] == list(coins)
    assert max(size for _, size in parts) <= MOST_JOB_BYTES
    whole = sum(size for _, size in parts)
    assert len(parts) <= max(1, 4 * whole // MOST_JOB_BYTES)


def test_a_symbol_that_is_too_large_by_itself_is_a_job_by_itself():
    """A symbol that is larger than the limit is a job of its own, apart from the others."""
    coins = (coin(1), coin(2, 100_000), coin(3))
    parts = list(maker(coins).split(Group(AssetClass.CRYPTO, Use.ACTIVE, coins), SOURCES))
    assert [len(group.instruments) for group, size in parts if size > MOST_JOB_BYTES] == [1]
    assert sum(len(group.instruments) for group, _ in parts) == 3


def test_the_largest_job_leaves_room_for_two_quotes_of_each_symbol():
    """The report of the largest job fits into 256 KB, even with long names and 17 digits."""
    number = Decimal("0.00000012345678901234567")
    time = datetime.fromtimestamp(NOW / 1000, UTC)
    quote = Quote(
        symbol="S" * MAX_LENGTH,
        asset_class=AssetClass.CRYPTO,
        price=number,
        currency="USD",
        change=-number,
        percent_change=-number,
        change_basis=ChangeBasis.PREVIOUS_CLOSE,
        source=Source.COINMARKETCAP,
        timestamp=time,
        fetched_at=time,
        volume=number,
        market_cap=number,
    )
    adapter = TypeAdapter(QuoteMessage)
    quote_bytes = len(json.dumps(adapter.dump_python(quote, mode="json"))) + len(", ")
    assert MOST_JOB_BYTES + 2 * 250 * quote_bytes + 4_000 <= 262_144


def test_what_a_provider_excludes_is_named_in_its_attempt():
    """An attempt names the symbols that its provider excludes, fillers included."""
    coins = (coin(1), coin(2))
    group = Group(AssetClass.CRYPTO, Use.ACTIVE, coins[:1], fillers=coins[1:])
    grant = CallGrant(Source.COINGECKO, AssetClass.CRYPTO, 1, 0, None, NOW, Use.ACTIVE)
    job = maker(coins, frozenset({(Source.COINGECKO, "C2-USD")})).job(0, group, [grant])
    assert (job.fillers, job.attempts[0].excluded) == (("C2-USD",), ("C2-USD",))
