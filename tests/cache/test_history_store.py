"""The price history in a real Redis: accepted prices only, of bounded size."""

from __future__ import annotations

from decimal import Decimal

import pytest

from marketdata.cache.history_store import HistoryStore
from marketdata.cache.quote_store import QuoteStore
from marketdata.clock import DAY_MS, HOUR_MS, MINUTE_MS
from marketdata.domain.history import HOURS_KEPT, MINUTES_KEPT
from marketdata.domain.quotes import ChangeBasis, Source
from tests.support.sample_quotes import at_ms, put, quote

MINUTE, HOUR, DAY = 60, 3600, 86400
MINUTES_KEY, HOURS_KEY = "mda:{quotes}:minutes:AAPL", "mda:{quotes}:hours:AAPL"


@pytest.fixture
def store(cache):
    """A store of quotes on an empty Redis, plain or in cluster mode."""
    return QuoteStore(cache, retention_s=7 * 86400)


@pytest.fixture
def history(cache):
    """The reader of the same Redis."""
    return HistoryStore(cache)


def points(history, range_name, now, symbol="AAPL"):
    """Return whole minutes or hours relative to `now`, and prices."""
    step_ms = MINUTE_MS if range_name.endswith("h") else HOUR_MS
    found = history.read([symbol], range_name, at_ms(now))[symbol].points
    return [(point.at_ms // step_ms - at_ms(now) // step_ms, point.price) for point in found]


def test_one_price_a_minute_is_kept(store, history):
    """The first accepted price of each minute is kept, with its exact digits."""
    for second in range(0, 4 * MINUTE, 5):
        put(store, quote(f"100.{second:03d}", second))
    assert points(history, "1h", 3 * MINUTE) == [
        (-3, "100"), (-2, "100.06"), (-1, "100.12"), (0, "100.18"),
    ]  # fmt: skip
    assert points(history, "7d", 3 * MINUTE) == [(0, "100")]


def test_a_gap_stays_a_gap(store, history):
    """Minutes and hours without an accepted price have no point."""
    for minute in (0, 1, 7, 130):
        put(store, quote(100 + minute / 100, minute * MINUTE))
    now = 130 * MINUTE
    assert points(history, "24h", now) == [
        (-130, "100"), (-129, "100.01"), (-123, "100.07"), (0, "101.3"),
    ]  # fmt: skip
    assert points(history, "1h", now) == [(0, "101.3")]
    assert points(history, "30d", now) == [(-2, "100"), (0, "101.3")]


def test_held_rejected_and_older_prices_are_not_in_it(store, history):
    """Held, rejected and older prices are not recorded."""
    put(store, quote("100", 0))
    put(store, quote("150", 60))
    put(store, quote("-1", 120))
    put(store, quote("101", 180, time=-5))
    assert points(history, "1h", 180) == [(-3, "100")]


def test_a_confirmed_price_is_recorded(store, history):
    """A price that is confirmed with a slightly older time is recorded in its minute."""
    put(store, quote("100", 0, time=0))
    put(store, quote("100", 60, time=-2))
    assert points(history, "1h", 60) == [(-1, "100"), (0, "100")]


def test_a_day_of_minutes_and_a_month_of_hours_are_kept(store, history, shared_redis):
    """Older points are dropped, so the stored texts stop growing."""
    sizes = []
    for minute in range(0, 3 * 24 * 60, 7):
        put(store, quote(100 + minute % 9, minute * MINUTE))
        if minute % 1440 == 0:
            with shared_redis.client() as client:
                sizes.append(client.strlen(MINUTES_KEY))
    last = (3 * 24 * 60 - 1) // 7 * 7 * MINUTE
    found = points(history, "24h", last)
    assert found[0][0] >= -24 * 60
    assert len(found) == 24 * 60 // 7 + 1
    with shared_redis.client() as client:
        assert client.strlen(MINUTES_KEY) <= 16 + (MINUTES_KEPT * 13 // 12) // 7 * 6
    for hour in range(73, 40 * 24, 5):
        put(store, quote(100 + hour % 9, hour * HOUR))
    with shared_redis.client() as client:
        assert client.strlen(HOURS_KEY) <= 16 + (HOURS_KEPT * 13 // 12) // 5 * 7
    assert points(history, "30d", 959 * HOUR)[0][0] >= -HOURS_KEPT


def test_a_price_of_endless_digits_is_not_recorded(store, history):
    """A price of more than 32 characters is stored as a quote but not recorded in the history."""
    put(store, quote("100." + "1" * 40, 0))
    assert points(history, "1h", 0) == []
    assert store.last(["AAPL"])["AAPL"].price == "100." + "1" * 40


def test_a_symbol_that_becomes_another_asset_begins_anew(store, history):
    """`forget` removes quote, held price, reason and history of a symbol."""
    put(store, quote("0.0018", 0, symbol="HOT-USD"))
    put(store, quote("2.5", 60, symbol="HOT-USD"))
    store.forget(["HOT-USD"])
    assert store.read(["HOT-USD"]) == [None]
    assert store.reasons(["HOT-USD"]) == [None]
    assert points(history, "1h", 60, "HOT-USD") == []
    assert put(store, quote("2.5", 120, symbol="HOT-USD")) == ["written"]
    assert points(history, "1h", 120, "HOT-USD") == [(0, "2.5")]


@pytest.mark.parametrize(
    "poison",
    [b"", b"garbage", b"\xff" * 40, b"0" * 16 + b";NaN", b"9" * 16 + b";1", b"1" * 999_999],
)
def test_a_text_that_is_no_history_is_replaced(store, history, shared_redis, poison):
    """A damaged history reads as no points, and the next price replaces it."""
    with shared_redis.client() as client:
        client.set(MINUTES_KEY, poison)
    assert points(history, "1h", 0) == []
    put(store, quote("100", 0))
    assert points(history, "1h", 0) == [(0, "100")]


def test_a_wrong_type_is_replaced(store, history, shared_redis):
    """A list under the key of a history, a quote or a held price is replaced by the next price."""
    with shared_redis.client() as client:
        for part in ("minutes", "hours", "q", "held", "why"):
            client.rpush(f"mda:{{quotes}}:{part}:AAPL", "x")
    assert put(store, quote("100", 0)) == ["written"]
    assert points(history, "1h", 0) == [(0, "100")]
    assert store.last(["AAPL"])["AAPL"].price == "100"


def test_a_pair_without_a_change_is_compared_with_the_day_before(store):
    """If the source gives no change, our recorded price of 24 hours ago is the basis."""
    pair = {"symbol": "EUR/USD", "source": Source.ALPHA_VANTAGE, "without_change": True}
    put(store, quote("1.1", 0, **pair))
    put(store, quote("1.1055", DAY + 4 * MINUTE, **pair))
    value = store.read(["EUR/USD"])[0]
    assert b'"change":0.0055,"percent_change":0.5,"change_basis":"24h"' in value


def test_without_a_price_near_the_day_before_there_is_no_change(store):
    """A recorded price of 24 hours and six minutes ago is no basis."""
    pair = {"symbol": "EUR/USD", "source": Source.ALPHA_VANTAGE, "without_change": True}
    put(store, quote("1.1", 0, **pair))
    put(store, quote("1.1055", DAY + 7 * MINUTE, **pair))
    assert b'"change":null,"percent_change":null,"change_basis":null' in store.read(["EUR/USD"])[0]


def test_a_change_that_the_source_gives_stays(store):
    """A change given by the source is kept."""
    put(store, quote("1.1", 0, symbol="EUR/USD"))
    put(store, quote("1.12", DAY, symbol="EUR/USD"))
    basis = ChangeBasis.PREVIOUS_CLOSE.value
    assert (
        f'"change":1.5,"percent_change":0.83,"change_basis":"{basis}"'.encode()
        in (store.read(["EUR/USD"])[0])
    )


def test_exact_decimals_in_and_out(store, history):
    """A price of eighteen decimal places is recorded exactly."""
    price = Decimal("0.000000000000123456")
    put(store, quote(price, 0, symbol="PEPE-USD"))
    assert points(history, "1h", 0, "PEPE-USD") == [(0, format(price, "f"))]


def test_history_and_quote_expire_together(store, shared_redis):
    """The history of a symbol expires with its quote."""
    put(store, quote("100", 0))
    with shared_redis.client() as client:
        lives = [client.pttl(key) for key in ("mda:{quotes}:q:AAPL", MINUTES_KEY, HOURS_KEY)]
    assert max(lives) - min(lives) < 1000
    assert 0 < max(lives) <= 7 * DAY_MS


def test_a_history_knows_the_currency_of_its_prices(cache, history, store):
    """The currency is the stored quote's, and null without a quote or with a damaged one."""
    put(store, quote("1", 0))
    assert history.read(["AAPL"], "1h", at_ms(0))["AAPL"].currency == "USD"
    cache.command("SET", cache.key("quotes", "q", "AAPL"), '"currency":"EUR"')
    assert history.read(["AAPL"], "1h", at_ms(0))["AAPL"].currency is None
    cache.command("UNLINK", cache.key("quotes", "q", "AAPL"))
    without_quote = history.read(["AAPL"], "1h", at_ms(0))["AAPL"]
    assert (without_quote.currency, len(without_quote.points)) == (None, 1)
