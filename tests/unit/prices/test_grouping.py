"""Due symbols in groups of one call each, and coins without a call in free places."""

from __future__ import annotations

from marketdata.domain.budget import Use
from marketdata.domain.outcomes import DenyReason
from marketdata.domain.permits import CallGrant, DueSymbol
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass, parse_symbol
from marketdata.prices.grouping import Group, fill_free_places, grouped, ordered

IDS = {"coingecko": "a-coin", "coinmarketcap": "7"}


def groups_of(**due: list[str]) -> list[Group]:
    """Groups of due symbols, given by use; every coin has ids except those named NOPE."""
    entries = [(parse_symbol(text), Use(use)) for use, texts in due.items() for text in texts]
    return list(grouped(entries, {s.base: IDS for s, _ in entries if "NOPE" not in s.base}))


def grants(planned: list[Group], *calls: int) -> list[list[CallGrant]]:
    """One grant for each group, of so many calls."""
    return [
        [
            CallGrant(
                source=Source.COINGECKO,
                asset_class=group.asset_class,
                calls=granted,
                generation=0,
                probe=None,
                end_ms=0,
                use=group.use,
                reason=None if granted else DenyReason.BUDGET_EXHAUSTED,
            )
        ]
        for group, granted in zip(planned, calls, strict=True)
    ]


def filled(planned: list[Group], *calls: int) -> list[tuple[int, list[str]]]:
    """How many symbols of its own each group has, and its fillers."""
    return [
        (len(group.instruments), [filler.symbol.text for filler in group.fillers])
        for group, _ in fill_free_places(planned, grants(planned, *calls))
    ]


def coins(count: int, name: str) -> list[str]:
    return [f"{name}{number}-USD" for number in range(count)]


def test_active_symbols_come_first_and_the_longest_due_first_of_them():
    """Active symbols come first, then the longest due; equals change places in each slot."""
    due = [
        DueSymbol("W", Use.WATCHED, 1),
        DueSymbol("N", Use.NEW, 0),
        DueSymbol("LATE", Use.ACTIVE, 9),
        *(DueSymbol(name, Use.ACTIVE, 5) for name in "ABCDEF"),
    ]
    orders = [[entry.symbol for entry in ordered(due, slot)] for slot in range(0, 5000, 5)]
    assert {tuple(order[-3:]) for order in orders} == {("LATE", "N", "W")}
    assert {order[0] for order in orders} == set("ABCDEF")


def test_a_job_holds_one_class_one_use_and_one_batch():
    """A group has one class and one use, and at most 100 shares or 250 coins."""
    shares = [f"S{number}" for number in range(101)]
    planned = groups_of(active=[*shares, *coins(251, "A"), "EUR/USD"], new=["NEW"])
    groups = [(d.asset_class, d.use.value, len(d.instruments)) for d in planned]
    assert groups == [
        (AssetClass.STOCKS, "active", 100),
        (AssetClass.STOCKS, "active", 1),
        (AssetClass.CRYPTO, "active", 250),
        (AssetClass.CRYPTO, "active", 1),
        (AssetClass.FOREX, "active", 1),
        (AssetClass.STOCKS, "new", 1),
    ]


def test_jobs_come_in_the_order_of_their_longest_due_symbols():
    """Groups of all classes are in the order of their first symbols among all due ones."""
    shares = [f"S{number}" for number in range(250)]
    planned = groups_of(active=[*shares[:150], *coins(2, "A"), *shares[150:]], new=["N"])
    firsts = [(group.instruments[0].symbol.text, group.use.value) for group in planned]
    assert firsts == [
        ("S0", "active"),
        ("S100", "active"),
        ("A0-USD", "active"),
        ("S200", "active"),
        ("N", "new"),
    ]


def test_coins_without_a_call_take_the_free_places_of_active_coins():
    """Coins without a call fill the free places, new coins before watched ones."""
    planned = groups_of(active=coins(248, "A"), new=["N-USD"], watched=["W-USD", "V-USD"])
    assert filled(planned, 1, 0, 0) == [(248, ["N-USD", "W-USD"]), (0, []), (1, [])]


def test_a_coin_with_a_call_of_its_own_takes_no_place():
    """A coin with a call of its own fills no place, so it is requested once a slot."""
    planned = groups_of(active=coins(3, "A"), new=["N-USD"], watched=["W-USD"])
    assert filled(planned, 1, 1, 0) == [(3, ["W-USD"]), (1, []), (0, [])]


def test_active_coins_without_a_call_have_no_place():
    """If the active coins got no call, no other coin fills a place."""
    planned = groups_of(active=coins(3, "A"), watched=["W-USD"])
    assert filled(planned, 0, 0) == [(3, []), (1, [])]


def test_a_full_batch_has_no_place_and_a_second_one_has():
    """A full batch of active coins has no free place, and a second batch has."""
    planned = groups_of(active=coins(251, "A"), watched=["W-USD"])
    assert filled(planned, 1, 1, 0) == [(250, []), (1, ["W-USD"]), (0, [])]


def test_a_coin_that_nobody_lists_takes_no_place():
    """A coin without ids fills no place, because no provider could be called for it."""
    planned = groups_of(active=coins(2, "A"), new=["NOPE-USD"])
    assert filled(planned, 1, 0) == [(2, []), (1, [])]


def test_classes_whose_calls_hold_one_symbol_have_no_fillers():
    """Shares and pairs have no fillers, because one provider of each takes a symbol a call."""
    planned = groups_of(active=["AAPL", "EUR/USD"], watched=["KO", "GBP/USD"])
    assert filled(planned, 1, 1, 0, 0) == [(1, []), (1, []), (1, []), (1, [])]
