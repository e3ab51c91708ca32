from __future__ import annotations

from marketdata.domain.budget import Use
from marketdata.domain.permits import CallGrant, DenyReason, DueSymbol
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass, parse_symbol
from marketdata.prices.grouping import Group, fill_free_places, grouped, ordered

IDS = {"coingecko": "a-coin", "coinmarketcap": "7"}


def drafted(**due: list[str]) -> list[Group]:
    """Drafts of due symbols, given by use; every coin has ids but those called NOPE."""
    entries = [(parse_symbol(text), Use(use)) for use, texts in due.items() for text in texts]
    return list(grouped(entries, {s.base: IDS for s, _ in entries if "NOPE" not in s.base}))


def grants(planned: list[Group], *calls: int) -> list[list[CallGrant]]:
    """One grant a draft, of so many calls."""
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


def seated(planned: list[Group], *calls: int) -> list[tuple[int, list[str]]]:
    """How many symbols of its own each draft has, and its fillers."""
    return [
        (len(group.instruments), [filler.symbol.text for filler in group.fillers])
        for group, _ in fill_free_places(planned, grants(planned, *calls))
    ]


def coins(count: int, name: str) -> list[str]:
    return [f"{name}{number}-USD" for number in range(count)]


def test_active_symbols_come_first_and_the_longest_due_first_of_them():
    """Use comes before age, and equals change places from slot to slot."""
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
    """Shares fit 100 a call, coins 250."""
    shares = [f"S{number}" for number in range(101)]
    planned = drafted(active=[*shares, *coins(251, "A"), "EUR/USD"], new=["NEW"])
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
    """No class goes before another one: what is first among all that is due has the first job."""
    shares = [f"S{number}" for number in range(250)]
    planned = drafted(active=[*shares[:150], *coins(2, "A"), *shares[150:]], new=["N"])
    firsts = [(group.instruments[0].symbol.text, group.use.value) for group in planned]
    assert firsts == [
        ("S0", "active"),
        ("S100", "active"),
        ("A0-USD", "active"),
        ("S200", "active"),
        ("N", "new"),
    ]


def test_who_got_no_call_takes_the_free_places_of_active_coins():
    """New ones first, as many as there are places; the others are left to be explained."""
    planned = drafted(active=coins(248, "A"), new=["N-USD"], watched=["W-USD", "V-USD"])
    assert seated(planned, 1, 0, 0) == [(248, ["N-USD", "W-USD"]), (0, []), (1, [])]


def test_who_has_a_call_of_his_own_does_not_ride():
    """Nobody is asked for twice in a slot."""
    planned = drafted(active=coins(3, "A"), new=["N-USD"], watched=["W-USD"])
    assert seated(planned, 1, 1, 0) == [(3, ["W-USD"]), (1, []), (0, [])]


def test_nobody_rides_where_the_active_coins_got_no_call():
    """Without a call there is no place."""
    planned = drafted(active=coins(3, "A"), watched=["W-USD"])
    assert seated(planned, 0, 0) == [(3, []), (1, [])]


def test_a_full_batch_has_no_place_and_a_second_one_has():
    """Active coins never give way."""
    planned = drafted(active=coins(251, "A"), watched=["W-USD"])
    assert seated(planned, 1, 1, 0) == [(250, []), (1, ["W-USD"]), (0, [])]


def test_a_coin_that_nobody_lists_takes_no_place():
    """No provider could be asked for it anyway, and its reason must say so."""
    planned = drafted(active=coins(2, "A"), new=["NOPE-USD"])
    assert seated(planned, 1, 0) == [(2, []), (1, [])]


def test_classes_whose_calls_hold_one_symbol_have_no_fillers():
    """A second provider that takes a symbol a call would be asked more often for them."""
    planned = drafted(active=["AAPL", "EUR/USD"], watched=["KO", "GBP/USD"])
    assert seated(planned, 1, 1, 0, 0) == [(1, []), (1, []), (1, []), (1, [])]
