"""The quarantine in a real Redis: a single bad tick is never served, a true jump soon."""

from __future__ import annotations

from decimal import Decimal

import pytest

from marketdata.cache.quote_store import QuoteStore
from marketdata.domain.quotes import Source
from tests.support.sample_quotes import held, price, put, quote

FINNHUB = Source.FINNHUB
HOUR = 3600


@pytest.fixture
def store(cache):
    """A store on an empty Redis, plain or in cluster mode."""
    return QuoteStore(cache, retention_s=7 * 86400)


@pytest.mark.parametrize(
    ("symbol", "within", "beyond"),
    [
        ("AAPL", "125", "125.1"), ("AAPL", "75", "74.9"),
        ("EUR/USD", "105", "105.1"), ("EUR/USD", "95", "94.9"),
        ("BTC-USD", "130", "130.1"), ("BTC-USD", "70", "69.9"),
    ],
)  # fmt: skip
def test_each_class_has_its_limit(store, symbol, within, beyond):
    """A change up to the class's limit is accepted at once, and a larger one is held."""
    put(store, quote("100", 0, symbol=symbol))
    assert put(store, quote(beyond, 5, symbol=symbol)) == ["quarantined:jump"]
    assert price(store, symbol) == "100"
    assert put(store, quote(within, 10, symbol=symbol)) == ["written"]
    assert price(store, symbol) == within


@pytest.mark.parametrize("bad", ["1000", "0.01", "126", "10000", "1"])
def test_a_single_bad_tick_is_never_served(store, bad):
    """One wrong price between right ones is held and then dropped, and readers never get it."""
    seen = []
    for second, text in enumerate(("100", "100.1", bad, "100.2", "100.3")):
        put(store, quote(text, second * 5))
        seen.append(price(store))
    assert seen == ["100", "100.1", "100.1", "100.2", "100.3"]
    assert not held(store)


def test_bad_ticks_apart_do_not_confirm_each_other(store):
    """The same wrong price before and after a right one is never served."""
    for second, text in enumerate(("100", "150", "100", "150", "100")):
        put(store, quote(text, second * 5))
        assert price(store) == "100"


def test_a_true_jump_is_seen_with_the_second_tick(store):
    """A price that rose by 40 % is held once, and served with the next tick."""
    put(store, quote("100", 0))
    assert put(store, quote("140", 5)) == ["quarantined:jump"]
    assert put(store, quote("141", 10)) == ["written"]
    assert price(store) == "141"
    assert not held(store)


def test_a_second_source_confirms(store):
    """Two sources within 10 % confirm a jump, and the first source of the chain is written."""
    put(store, quote("100", 0))
    assert put(store, quote("140", 5)) == ["quarantined:jump"]
    assert put(store, quote("150", 5, FINNHUB)) == ["written"]
    assert price(store) == "140"
    assert b'"source":"yfinance"' in store.read(["AAPL"])[0]
    assert not held(store)


def test_the_first_of_the_chain_is_written_whoever_was_asked_first(store):
    """The first source of the chain is written also if the second source was held before."""
    put(store, quote("100", 0))
    verdicts = put(store, quote("150", 5, FINNHUB), quote("140", 5))
    assert verdicts == ["quarantined:jump", "written"]
    assert price(store) == "140"


def test_of_two_sources_that_disagree_the_nearer_one_is_written(store):
    """Of two sources on one side more than 10 % apart, the one nearer to the stored price wins."""
    put(store, quote("100", 0))
    assert put(store, quote("200", 5), quote("140", 5, FINNHUB)) == ["quarantined:jump", "written"]
    assert price(store) == "140"
    put(store, quote("100", 10, symbol="MSFT"))
    put(store, quote("60", 15, symbol="MSFT"), quote("20", 15, FINNHUB, symbol="MSFT"))
    assert price(store, "MSFT") == "60"


def test_two_sources_on_different_sides_do_not_confirm_each_other(store):
    """Bad ticks of two sources on different sides are never served; the next price is written."""
    put(store, quote("100", 0))
    assert put(store, quote("140", 5), quote("9", 5, FINNHUB)) == ["quarantined:jump"] * 2
    assert price(store) == "100"
    assert put(store, quote("101", 10)) == ["written"]
    assert not held(store)


def test_a_candidate_of_an_earlier_look_is_not_written_itself(store):
    """Of two observations that are twenty minutes apart the later one is written."""
    put(store, quote("100", 0))
    put(store, quote("140", 5))
    put(store, quote("150", 1205, FINNHUB))
    assert price(store) == "150"


def test_a_broken_source_does_not_delay_a_true_jump(store):
    """A wrong price of another source between two ticks does not delay a true jump."""
    put(store, quote("100", 0))
    put(store, quote("140", 5))
    put(store, quote("9", 6, FINNHUB))
    assert put(store, quote("140", 10)) == ["written"]


def test_the_same_fetch_twice_confirms_nothing(store):
    """A report that is committed twice does not confirm its own price."""
    put(store, quote("100", 0))
    for _ in range(3):
        assert put(store, quote("140", 5)) == ["quarantined:jump"]
    assert price(store) == "100"


def test_a_late_report_does_not_confirm(store):
    """A tick fetched before the held one neither confirms nor replaces the held one."""
    put(store, quote("100", 0))
    put(store, quote("140", 10))
    assert put(store, quote("140", 5)) == ["quarantined:jump"]
    assert put(store, quote("170", 6)) == ["quarantined:jump"]
    assert put(store, quote("140", 15)) == ["written"]


def test_a_late_right_price_does_not_forget_the_jump(store):
    """A tick from before a jump that is committed later is written, and the jump stays held."""
    put(store, quote("100", 0))
    put(store, quote("140", 10))
    assert put(store, quote("100.5", 5)) == ["written"]
    assert put(store, quote("140", 15)) == ["written"]


@pytest.mark.parametrize("step_s", [5, 300])
@pytest.mark.parametrize("factor", ["0.62", "1.6"])
def test_a_price_that_keeps_moving_is_never_more_than_two_looks_behind(store, step_s, factor):
    """Falls of 38 % and rises of 60 % in each look are followed within two looks."""
    path = [Decimal("1.2") * Decimal(factor) ** look for look in range(13)]
    for look, true in enumerate(path):
        put(store, quote(f"{true:.6f}", look * step_s, symbol="LUNA-USD"))
        served = Decimal(price(store, "LUNA-USD"))
        assert served in [Decimal(f"{one:.6f}") for one in path[max(0, look - 1) : look + 1]]


def test_two_sources_that_differ_by_three_percent_follow_a_crash(store):
    """If each look asks both sources, the crash is served with each look."""
    gecko, market_cap = Source.COINGECKO, Source.COINMARKETCAP
    for look, true in enumerate(("1.2", "0.744", "0.4613", "0.286", "0.1773", "0.1099")):
        second = Decimal(true) * Decimal("0.97")
        put(
            store,
            quote(true, look * 300, gecko, symbol="LUNA-USD"),
            quote(second, look * 300, market_cap, symbol="LUNA-USD"),
        )
        assert Decimal(price(store, "LUNA-USD")) in (Decimal(true), second)


def test_an_answer_that_is_repeated_is_no_second_look(store):
    """A repeated price with the provider time of the held one does not confirm the held price."""
    put(store, quote("100", 0))
    put(store, quote("140", 5, time=5))
    for fetched in (10, 15, 20):
        assert put(store, quote("140", fetched, time=5)) == ["quarantined:jump"]
    assert put(store, quote("139", 25, time=24)) == ["written"]


def test_a_source_without_times_is_confirmed_by_its_next_fetch(store):
    """If a source gives no times, two looks differ by the time of the fetch."""
    put(store, quote("100", 0, time=None))
    put(store, quote("140", 5, time=None))
    assert put(store, quote("141", 10, time=None)) == ["written"]


def test_the_next_look_on_the_other_side_confirms_nothing(store):
    """Of a rise and then a fall beyond the limit neither is served, and the later one is held."""
    put(store, quote("100", 0))
    put(store, quote("140", 5))
    assert put(store, quote("60", 10)) == ["quarantined:jump"]
    assert put(store, quote("141", 15)) == ["quarantined:jump"]
    assert price(store) == "100"


def test_a_negative_price_is_measured_by_its_distance(store):
    """A future that falls below zero is held once and then served, and so is its return."""
    for at, (text, verdict) in enumerate(
        (
            ("18.27", "written"), ("-37.63", "quarantined:jump"), ("-37.1", "written"),
            ("-36.9", "written"), ("10", "quarantined:jump"), ("10.2", "written"),
            ("0", "quarantined:jump"), ("0", "written"),
            ("3", "quarantined:jump"), ("3.1", "written"),
        )
    ):  # fmt: skip
        assert put(store, quote(text, at * 5, symbol="CL=F")) == [verdict]


def test_an_old_price_is_not_compared_with(store):
    """A price is not held if the stored price was fetched an hour ago or earlier.

    The two changes go in opposite directions, so the first one does not confirm the second one.
    """
    put(store, quote("100", 0))
    assert put(store, quote("150", HOUR - 1)) == ["quarantined:jump"]
    assert put(store, quote("60", HOUR)) == ["written"]


def test_the_first_price_is_written(store):
    """The first price of a symbol is written without a comparison."""
    assert put(store, quote("12345", 0)) == ["written"]


def test_tiny_prices_have_the_same_limit(store):
    """The limit of a jump is the same for a coin worth a millionth."""
    put(store, quote("0.00000512", 0, symbol="PEPE-USD"))
    assert put(store, quote("0.0000052", 5, symbol="PEPE-USD")) == ["written"]
    assert put(store, quote("0.0000072", 10, symbol="PEPE-USD")) == ["quarantined:jump"]


def test_symbols_do_not_confirm_each_other(store):
    """The price of one symbol does not confirm the price of another."""
    put(store, quote("100", 0), quote("100", 0, symbol="MSFT"))
    verdicts = put(store, quote("140", 5), quote("140", 5, FINNHUB, symbol="MSFT"))
    assert verdicts == ["quarantined:jump"] * 2
