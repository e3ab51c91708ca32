"""The quarantine in a real Redis: a lone bad tick is never seen, a true jump soon."""

from __future__ import annotations

import pytest

from marketdata.cache.quote_store import QuoteStore
from marketdata.domain.quotes import Source
from tests.support.sample_quotes import put, quote

FINNHUB = Source.FINNHUB
HOUR = 3600


@pytest.fixture
def store(cache):
    """A store on an empty Redis, plain and in cluster mode."""
    return QuoteStore(cache, retention_s=7 * 86400)


def price(store, symbol="AAPL"):
    """The price that a reader sees."""
    return store.last([symbol])[symbol].price


def held(store, symbol="AAPL"):
    """Whether a price is held."""
    return store.reasons([symbol]) != [None]


@pytest.mark.parametrize(
    ("symbol", "within", "beyond"),
    [
        ("AAPL", "125", "125.1"), ("AAPL", "75", "74.9"),
        ("EUR/USD", "105", "105.1"), ("EUR/USD", "95", "94.9"),
        ("BTC-USD", "130", "130.1"), ("BTC-USD", "70", "69.9"),
    ],
)  # fmt: skip
def test_each_class_has_its_limit(store, symbol, within, beyond):
    """A change up to the class's limit is believed at once, and one beyond is held."""
    put(store, quote("100", 0, symbol=symbol))
    assert put(store, quote(beyond, 5, symbol=symbol)) == ["quarantined:jump"]
    assert price(store, symbol) == "100"
    assert put(store, quote(within, 10, symbol=symbol)) == ["written"]
    assert price(store, symbol) == within


@pytest.mark.parametrize("bad", ["1000", "0.01", "126", "10000", "1"])
def test_a_lone_bad_tick_is_never_seen(store, bad):
    """One wrong price between right ones is held and dropped, and readers never get it."""
    seen = []
    for second, text in enumerate(("100", "100.1", bad, "100.2", "100.3")):
        put(store, quote(text, second * 5))
        seen.append(price(store))
    assert seen == ["100", "100.1", "100.1", "100.2", "100.3"]
    assert not held(store)


def test_bad_ticks_apart_do_not_confirm_each_other(store):
    """The same wrong price twice, with a right one in between, is two lone bad ticks."""
    for second, text in enumerate(("100", "150", "100", "150", "100")):
        put(store, quote(text, second * 5))
        assert price(store) == "100"


def test_a_true_jump_is_seen_with_the_second_tick(store):
    """A price that really rose by 40 % is held once, and visible with the next tick."""
    put(store, quote("100", 0))
    assert put(store, quote("140", 5)) == ["quarantined:jump"]
    assert put(store, quote("141", 10)) == ["written"]
    assert price(store) == "141"
    assert not held(store)


def test_a_second_source_confirms(store):
    """Another source that agrees within 2 % makes a jump visible at once."""
    put(store, quote("100", 0))
    assert put(store, quote("140", 5)) == ["quarantined:jump"]
    assert put(store, quote("138", 5, FINNHUB)) == ["written"]
    assert price(store) == "138"


def test_two_sources_in_one_commit_confirm_each_other(store):
    """Two quotes of one symbol in one call that agree need no second tick."""
    put(store, quote("100", 0))
    verdicts = put(store, quote("140", 5), quote("140.5", 5, FINNHUB))
    assert verdicts == ["quarantined:jump", "written"]
    assert price(store) == "140.5"


def test_a_second_source_that_disagrees_does_not_confirm(store):
    """More than 2 % apart is no agreement, and each source has to repeat its own."""
    put(store, quote("100", 0))
    assert put(store, quote("140", 5), quote("144", 5, FINNHUB)) == ["quarantined:jump"] * 2
    assert price(store) == "100"
    assert put(store, quote("140", 10)) == ["written"]


def test_a_broken_source_does_not_delay_a_true_jump(store):
    """What another source says wrongly in between does not cost the jump a further tick."""
    put(store, quote("100", 0))
    put(store, quote("140", 5))
    put(store, quote("9", 6, FINNHUB))
    assert put(store, quote("140", 10)) == ["written"]


def test_the_same_fetch_twice_is_one_opinion(store):
    """A report that is committed twice does not confirm itself."""
    put(store, quote("100", 0))
    for _ in range(3):
        assert put(store, quote("140", 5)) == ["quarantined:jump"]
    assert price(store) == "100"


def test_a_late_report_does_not_confirm(store):
    """A tick that was fetched before the held one is not its next tick, nor takes its place."""
    put(store, quote("100", 0))
    put(store, quote("140", 10))
    assert put(store, quote("140", 5)) == ["quarantined:jump"]
    assert put(store, quote("170", 6)) == ["quarantined:jump"]
    assert put(store, quote("140", 15)) == ["written"]


def test_a_late_right_price_does_not_forget_the_jump(store):
    """A tick from before a jump that arrives after it is written, and the jump stays held."""
    put(store, quote("100", 0))
    put(store, quote("140", 10))
    assert put(store, quote("100.5", 5)) == ["written"]
    assert put(store, quote("140", 15)) == ["written"]


def test_a_moving_price_is_confirmed_against_the_last_tick(store):
    """A price on the move is held until two ticks in a row agree, each against the one before."""
    put(store, quote("100", 0))
    assert put(store, quote("140", 5)) == ["quarantined:jump"]
    assert put(store, quote("150", 10)) == ["quarantined:jump"]
    assert put(store, quote("151", 15)) == ["written"]


@pytest.mark.parametrize(("before", "after"), [("182.5", "18250"), ("18250", "182.5")])
def test_pence_are_named_a_unit_mismatch(store, before, after):
    """A ratio near 100, either way, is named, and its own source cannot confirm it."""
    put(store, quote(before, 0))
    for second in (5, 10, 15):
        assert put(store, quote(after, second)) == ["quarantined:unit_mismatch"]
    assert price(store) == before
    assert "unit mismatch" in store.reasons(["AAPL"])[0].message


def test_a_second_source_confirms_even_a_factor_of_100(store):
    """Where two sources agree, the unit of the stored price was the wrong one."""
    put(store, quote("182.5", 0))
    put(store, quote("18250", 5))
    assert put(store, quote("18250", 5, FINNHUB)) == ["written"]


def test_pence_are_caught_even_after_a_night(store):
    """A factor of 100 is doubted however old the stored price; then its source may confirm it."""
    put(store, quote("182.5", 0))
    assert put(store, quote("18250", 20 * HOUR)) == ["quarantined:unit_mismatch"]
    assert put(store, quote("18250", 20 * HOUR + 5)) == ["written"]


def test_an_old_price_is_no_yardstick(store):
    """Against a price that was fetched an hour ago or earlier any other change is believed."""
    put(store, quote("100", 0))
    assert put(store, quote("150", HOUR - 1)) == ["quarantined:jump"]
    assert put(store, quote("160", HOUR)) == ["written"]


def test_the_first_price_is_believed(store):
    """A symbol's first price has nothing to be measured against."""
    assert put(store, quote("12345", 0)) == ["written"]


def test_another_currency_is_held(store):
    """The same number in another currency is another price, and is held as a jump."""
    put(store, quote("100", 0, currency="GBP"))
    assert put(store, quote("100", 5, currency="USD")) == ["quarantined:jump"]
    assert put(store, quote("101", 10, currency="USD")) == ["written"]


def test_another_currency_does_not_confirm(store):
    """Two sources agree only in one currency."""
    put(store, quote("100", 0))
    put(store, quote("140", 5))
    assert put(store, quote("140", 5, FINNHUB, currency="GBP")) == ["quarantined:jump"]


def test_an_unknown_currency_is_no_difference(store):
    """A source that cannot know the currency is compared by the number alone."""
    put(store, quote("100", 0))
    assert put(store, quote("101", 5, FINNHUB, currency=None)) == ["written"]
    assert put(store, quote("102", 10)) == ["written"]


def test_tiny_prices_are_judged_alike(store):
    """A coin worth a millionth is measured as any other."""
    put(store, quote("0.00000512", 0, symbol="PEPE-USD"))
    assert put(store, quote("0.0000052", 5, symbol="PEPE-USD")) == ["written"]
    assert put(store, quote("0.0000072", 10, symbol="PEPE-USD")) == ["quarantined:jump"]


def test_symbols_do_not_confirm_each_other(store):
    """The price of one symbol is no opinion on another's."""
    put(store, quote("100", 0), quote("100", 0, symbol="MSFT"))
    verdicts = put(store, quote("140", 5), quote("140", 5, FINNHUB, symbol="MSFT"))
    assert verdicts == ["quarantined:jump"] * 2
