from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketdata.cache.quote_store import LastQuote
from marketdata.domain.budget import Use
from marketdata.domain.catalogue import CHAINS, Instrument
from marketdata.domain.permits import Grant, OpenSlot, Refusal
from marketdata.domain.quotes import ChangeBasis, Quote, Source
from marketdata.domain.symbols import MAX_LENGTH, AssetClass, Symbol
from marketdata.prices.grouping import Draft
from marketdata.prices.job_sizes import MOST_JOB_BYTES, JobMaker, bytes_of

NOW = 1_763_820_310_020
TOKEN = "be005730bff64826b748c0eb0efb4975"
SOURCES = CHAINS[AssetClass.CRYPTO]


def coin(number: int, ids_length: int = 12) -> Instrument:
    """A coin with names of that length at both its providers."""
    name = f"{number:0{ids_length}d}"
    return Instrument(
        Symbol(f"C{number}-USD", AssetClass.CRYPTO), {"coingecko": name, "coinmarketcap": name}
    )


def maker(coins: tuple[Instrument, ...], refused: frozenset = frozenset()) -> JobMaker:
    """Makes jobs where each of these coins has a stored quote."""
    opened = OpenSlot(NOW // 5000 * 5, (), refused, {}, None)
    last = {one.symbol.text: LastQuote("0.00000012345678", NOW, NOW) for one in coins}
    return JobMaker(opened, last, NOW, NOW + 3500, TOKEN)


@st.composite
def grants(draw: st.DrawFn) -> list[Grant]:
    """Whatever may be granted to a job's wants, or refused."""
    return [
        Grant(
            source=source,
            asset_class=AssetClass.CRYPTO,
            calls=draw(st.integers(0, 250)),
            generation=draw(st.integers(0, 10**9)),
            probe=draw(st.none() | st.integers(1, 9999).map(lambda place: f"{TOKEN}:{place}")),
            end_ms=NOW + 3500,
            use=draw(st.sampled_from(Use)),
            reason=draw(st.none() | st.sampled_from(Refusal)),
            available_at_ms=draw(st.none() | st.integers(NOW, NOW * 2)),
        )
        for source in draw(st.sampled_from([SOURCES, SOURCES[:1], SOURCES[1:]]))
    ]


@given(count=st.integers(1, 40), told=grants(), number=st.integers(0, 999), data=st.data())
def test_no_grant_makes_a_job_larger_than_was_reckoned(count, told, number, data):
    """The size that a plan reckons with holds whatever is granted, refused and excluded."""
    coins = tuple(map(coin, range(count)))
    pairs = [(source, one.symbol.text) for source in SOURCES for one in coins]
    refused = frozenset(data.draw(st.lists(st.sampled_from(pairs))))
    draft = Draft(AssetClass.CRYPTO, Use.ACTIVE, coins)
    make = maker(coins, refused)
    ((_, size),) = make.parted(draft, SOURCES)
    assert len(json.dumps(make.job(number, draft, told))) <= size


@pytest.mark.parametrize("ids_length", [12, 60, 400, 20_000])
def test_a_job_that_gets_too_large_is_parted(ids_length):
    """Its parts are within the limit, hold all its symbols in their order, and are not too many."""
    coins = tuple(coin(number, ids_length) for number in range(250))
    parts = list(maker(coins).parted(Draft(AssetClass.CRYPTO, Use.ACTIVE, coins), SOURCES))
    assert [one for draft, _ in parts for one in draft.instruments] == list(coins)
    assert max(size for _, size in parts) <= MOST_JOB_BYTES
    whole = sum(size for _, size in parts)
    assert len(parts) <= max(1, 4 * whole // MOST_JOB_BYTES)


def test_a_symbol_that_is_too_large_by_itself_is_a_job_by_itself():
    """It is for the plan to say that there is no room for it; the others are not held up."""
    coins = (coin(1), coin(2, 100_000), coin(3))
    parts = list(maker(coins).parted(Draft(AssetClass.CRYPTO, Use.ACTIVE, coins), SOURCES))
    assert [len(draft.instruments) for draft, size in parts if size > MOST_JOB_BYTES] == [1]
    assert sum(len(draft.instruments) for draft, _ in parts) == 3


def test_the_largest_job_leaves_room_for_two_quotes_of_each_symbol():
    """Its report fits into 256 KB even if all names are long and all numbers have 17 digits."""
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
    )
    report = MOST_JOB_BYTES + 2 * 250 * bytes_of(quote.to_step())
    assert report + 4_000 <= 262_144


def test_what_a_provider_excludes_is_named_in_its_attempt():
    """Each provider gets the symbols that it said are not for us, riders included."""
    coins = (coin(1), coin(2))
    draft = Draft(AssetClass.CRYPTO, Use.ACTIVE, coins[:1], riders=coins[1:])
    told = Grant(Source.COINGECKO, AssetClass.CRYPTO, 1, 0, None, NOW, Use.ACTIVE)
    job = maker(coins, frozenset({(Source.COINGECKO, "C2-USD")})).job(0, draft, [told])
    assert (job["riders"], job["attempts"][0]["not_for"]) == (["C2-USD"], ["C2-USD"])
