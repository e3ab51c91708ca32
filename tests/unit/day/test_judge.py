"""The judge of the simulated day: each fault that it sees misses the target of one figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from local.day.figures import Course, Figure, figures
from local.day.judge import Judge, Turn
from local.day.script import Planned, write_script
from local.simulator import Market
from marketdata.clock import MINUTE_MS
from marketdata.domain.acceptance import Result, Verdict
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.symbols import AssetClass

NOON_MS = 1_773_835_200_000  # Wednesday 2026-03-18 12:00 UTC, a time of trade in coins
COURSE = Course(seed=1, hours=2, real_s=20, memory=[(70, 1_000_000)], defects=0)


class Shelf:
    """Used in place of the API's reader: answers with the quotes that a test gives."""

    def __init__(self) -> None:
        self.quotes: list[bytes] = []

    def read(self, wanted, now_ms):
        """Return the answer, which is this object itself."""
        return self

    def body(self, _market) -> bytes:
        """Return the body of the answer."""
        return b'{"quotes":[%b],"errors":[]}' % b",".join(self.quotes)


@pytest.fixture
def market() -> Market:
    """A market with its sessions, at noon."""
    return Market(clock=lambda: NOON_MS, always_open=False)


@pytest.fixture
def judge(market) -> Judge:
    """A judge of that market."""
    return Judge(market, write_script(1))


@pytest.fixture
def missed(judge, market) -> Callable[..., set[str]]:
    """A function that returns which of the given figures miss their target now."""

    def names(*asked: str, course: Course = COURSE) -> set[str]:
        found: list[Figure] = figures(judge, market, write_script(1), course)
        return {figure.name for figure in found if not figure.met} & set(asked)

    return names


def bitcoin(market: Market, at_ms: int = NOON_MS, factor: str = "1") -> Quote:
    """A quote of bitcoin by CoinMarketCap: the market's true price times a factor."""
    price, time_ms = market.truth("BTC-USD", at_ms)
    time = datetime.fromtimestamp(time_ms / 1000, UTC)
    return Quote(
        "BTC-USD", AssetClass.CRYPTO, price * Decimal(factor), "USD", None, None, None,
        Source.COINMARKETCAP, time, time,
    )  # fmt: skip


def commit(judge: Judge, quote: Quote, result: Result) -> None:
    """Let the judge note the result of committing one quote."""
    judge.note_verdicts([quote], [Verdict(quote.symbol, quote.source, result)])


def show(judge: Judge, quote: Quote, at_ms: int, *, stale: bool = False) -> None:
    """Let the judge see one quote as a client sees it."""
    shelf = Shelf()
    flag = b',"stale":true}' if stale else b',"stale":false}'
    shelf.quotes = [quote.to_json()[:-1].encode() + flag]
    judge.reader = shelf
    judge.look(at_ms)


def test_a_wrong_price_counts_however_short_it_was_visible(judge, market, missed):
    """A wrong price that was written misses the target, even if nobody saw it."""
    commit(judge, bitcoin(market), Result.WRITTEN)
    assert not missed("wrong_quotes")
    commit(judge, bitcoin(market, factor="1.01"), Result.WRITTEN)
    assert missed("wrong_quotes") == {"wrong_quotes"}


def test_a_wrong_price_that_a_client_sees_counts(judge, market, missed):
    """A price that the market never had misses the target when it is shown."""
    show(judge, bitcoin(market), NOON_MS)
    assert not missed("wrong_quotes")
    show(judge, bitcoin(market, factor="0.99"), NOON_MS)
    assert missed("wrong_quotes") == {"wrong_quotes"}


def test_a_quote_must_not_go_back_in_time(judge, market, missed):
    """A true price that is older than the one shown before misses the target."""
    show(judge, bitcoin(market), NOON_MS)
    assert not missed("went_back")
    show(judge, bitcoin(market, NOON_MS - 10_000), NOON_MS)
    assert missed("went_back") == {"went_back"}


def test_a_planted_tick_is_caught_only_if_it_was_held_back(judge, market, missed):
    """A planted price misses the target until it is reported as quarantined."""
    market.control("bad_tick", symbol="BTC-USD", factor=10)
    market.tick(Source.COINMARKETCAP, "BTC-USD", "/v3")
    assert missed("bad_ticks_caught") == {"bad_ticks_caught"}
    commit(judge, bitcoin(market, factor="10"), Result.QUARANTINED)
    assert not missed("bad_ticks_caught")


@pytest.mark.parametrize(("ticks", "names"), [(2, set()), (3, {"move_looks"})])
def test_a_true_jump_may_be_held_for_one_tick(judge, market, missed, ticks, names):
    """A jump that is written at the second look meets the target, at the third it does not."""
    market.control("jump", symbol="BTC-USD", factor=0.5, at_ms=NOON_MS - MINUTE_MS)
    for tick in range(ticks):
        written = Result.WRITTEN if tick == ticks - 1 else Result.QUARANTINED
        late = bitcoin(market, NOON_MS - MINUTE_MS + (tick + 1) * 10_000)
        commit(judge, late, written)
    assert missed("move_looks") == names


def test_a_tick_that_arrives_twice_is_one_tick(judge, market):
    """A report that is committed twice does not count as two ticks of a jump."""
    market.control("jump", symbol="BTC-USD", factor=0.5, at_ms=NOON_MS - MINUTE_MS)
    for result in (Result.QUARANTINED, Result.QUARANTINED, Result.WRITTEN):
        commit(judge, bitcoin(market), result)
    assert judge.moves.looks() == [1]


@pytest.mark.parametrize(
    ("results", "names"),
    [("qwqwqw", set()), ("wwwqw", set()), ("wqqw", {"move_looks"}), ("wqwqq", {"move_looks"})],
)
def test_a_price_that_keeps_moving_is_followed_within_two_looks(
    judge, market, missed, results, names
):
    """Two looks in a row that were held miss the target, also late in the move or at its end."""
    market.control("crash", symbol="BTC-USD", every_s=10, at_ms=NOON_MS - MINUTE_MS)
    names_of = {"q": Result.QUARANTINED, "w": Result.WRITTEN}
    for look, letter in enumerate(results):
        quote = bitcoin(market, NOON_MS - MINUTE_MS + look * 10_000)
        commit(judge, quote, names_of[letter])
    assert missed("move_looks") == names


def test_a_report_that_arrives_late_is_no_look(judge, market):
    """A price that was fetched before the one that was written does not count as held."""
    market.control("crash", symbol="BTC-USD", every_s=10, at_ms=NOON_MS - MINUTE_MS)
    commit(judge, bitcoin(market, NOON_MS), Result.WRITTEN)
    commit(judge, bitcoin(market, NOON_MS - 10_000), Result.QUARANTINED)
    commit(judge, bitcoin(market, NOON_MS - 20_000), Result.OLDER)
    assert judge.moves.looks() == [1]


def test_a_move_that_is_never_seen_misses_the_target(market, missed):
    """A pump whose price never arrived misses the target."""
    market.control("pump", symbol="BTC-USD", at_ms=NOON_MS)
    assert missed("move_looks") == {"move_looks"}


@pytest.mark.parametrize(("held", "names"), [(1, set()), (2, set()), (3, {"looks_behind"})])
def test_a_served_price_is_at_most_two_looks_behind(judge, market, missed, held, names):
    """Three true prices held since the served one miss the target, also without a move."""
    first = bitcoin(market, NOON_MS - MINUTE_MS)
    commit(judge, first, Result.WRITTEN)
    show(judge, first, NOON_MS)
    for look in range(1, held + 1):
        commit(judge, bitcoin(market, NOON_MS - MINUTE_MS + look * 10_000), Result.QUARANTINED)
    show(judge, first, NOON_MS)
    assert missed("looks_behind") == names


def test_looks_are_counted_only_if_a_price_is_served(judge, market, missed):
    """A day without a served price misses the target; repeated and late looks do not count."""
    assert missed("looks_behind") == {"looks_behind"}
    first = bitcoin(market)
    for _ in range(3):
        commit(judge, bitcoin(market, NOON_MS - 10_000), Result.QUARANTINED)
        commit(judge, bitcoin(market, NOON_MS - 20_000), Result.OLDER)
        commit(judge, bitcoin(market, NOON_MS + 10_000), Result.QUARANTINED)
    show(judge, first, NOON_MS)
    assert judge.looks.most_behind == 1


def test_a_price_of_the_future_must_not_be_shown(judge, market, missed):
    """A time that is up to a minute ahead may be shown, a later one misses the target."""
    price = bitcoin(market)
    show(judge, replace(price, timestamp=price.timestamp + timedelta(seconds=30)), NOON_MS)
    assert not missed("future_prices")
    show(judge, replace(price, timestamp=price.timestamp + timedelta(seconds=120)), NOON_MS)
    assert missed("future_prices") == {"future_prices"}


@pytest.mark.parametrize("kind", ["odd_row", "nan", "bad_tick", "clock_offset"])
def test_a_symbols_defect_does_not_explain_an_opening(judge, market, kind):
    """A breaker that opens while only a symbol or a clock is wrong misses the target."""
    fault = Planned(kind, kind, NOON_MS, NOON_MS + MINUTE_MS, Source.YFINANCE, "AAPL")
    script = replace(write_script(1), planned=(fault,))
    judge.seen.turns.append(Turn(NOON_MS, Source.YFINANCE, AssetClass.STOCKS, "open", "x"))
    found = {figure.name: figure for figure in figures(judge, market, script, COURSE)}
    assert found["breakers_groundless"].value == ["yfinance/stocks x"]


def test_an_old_price_must_not_look_fresh(judge, market, missed):
    """An hour-old price of an open market misses the target, unless it is shown as stale."""
    old = bitcoin(market, NOON_MS - 60 * MINUTE_MS)
    show(judge, old, NOON_MS, stale=True)
    assert not missed("old_as_fresh")
    show(judge, old, NOON_MS)
    assert missed("old_as_fresh") == {"old_as_fresh"}


def test_freshness_counts_only_in_session_and_missing_quotes_count_against_it(judge, market):
    """At noon UTC one of ten coins is a share of 0.1, no pair is 0, and stocks have no share."""
    show(judge, bitcoin(market), NOON_MS)
    shares = {asset_class: share.value() for asset_class, share in judge.seen.fresh.items()}
    assert shares == {AssetClass.STOCKS: None, AssetClass.CRYPTO: 0.1, AssetClass.FOREX: 0.0}


def test_forex_is_excused_only_while_yahoo_is_down(judge):
    """During Yahoo's outage a pair without a quote counts only in the raw share."""
    judge.reader = Shelf()
    begins, ends = write_script(1).outage_ms
    for at_ms in (begins - 5_000, begins, ends - 5_000, ends):
        judge.look(at_ms)
    looked = [shares[AssetClass.FOREX].looked for shares in (judge.seen.fresh, judge.seen.raw)]
    assert looked == [2 * 4, 4 * 4]
    assert judge.seen.fresh[AssetClass.STOCKS].looked == 4 * 20


def test_a_moving_price_may_get_stale_while_it_is_held(market):
    """A coin without a quote counts only in the raw share from its move's start to its end."""
    move = Planned("a crash", "crash", NOON_MS, NOON_MS + MINUTE_MS, None, "BTC-USD")
    judge = Judge(market, replace(write_script(1), planned=(move,)))
    judge.reader = Shelf()
    for at_ms in (NOON_MS - 5_000, NOON_MS, NOON_MS + MINUTE_MS, NOON_MS + 20 * MINUTE_MS):
        judge.look(at_ms)
    looked = [shares[AssetClass.CRYPTO].looked for shares in (judge.seen.fresh, judge.seen.raw)]
    assert looked == [4 * 10 - 2, 4 * 10]


def test_a_breaker_that_opens_needs_a_fault(judge, missed):
    """An opening while nothing is wrong with the provider misses the target."""
    begins, _ = write_script(1).outage_ms
    judge.seen.turns.append(
        Turn(begins + MINUTE_MS, Source.YFINANCE, AssetClass.FOREX, "open", "unavailable")
    )
    assert not missed("breakers_groundless")
    judge.seen.turns.append(
        Turn(begins - 5 * MINUTE_MS, Source.YFINANCE, AssetClass.FOREX, "open", "unavailable")
    )
    assert missed("breakers_groundless") == {"breakers_groundless"}


def test_a_slot_has_exactly_one_winner(judge, missed):
    """A slot that two workers won, or none, misses the target."""
    judge.claimed(1)
    assert not missed("slots_contested")
    judge.claimed(2)
    assert missed("slots_contested") == {"slots_contested"}


def test_a_call_beyond_a_quota_misses_the_target_of_its_provider(market, missed):
    """One call beyond a provider's quota misses the target of that provider alone."""
    for _ in range(31):
        market.quotas[Source.COINGECKO].admit(NOON_MS)
    assert missed(*(f"violations_{source.value}" for source in Source)) == {"violations_coingecko"}


@pytest.mark.parametrize(
    ("course", "names"),
    [
        (COURSE, set()),
        (Course(1, 2, 6000, COURSE.memory, 0), set()),
        (Course(1, 2, 20, COURSE.memory, 1), {"defects"}),
        (Course(1, 2, 20, [(70, 10**6), (401, 10**6)], 0), {"redis_keys"}),
        (Course(1, 2, 20, [(70, 10**6), (70, 10**7)], 0), {"redis_growth_bytes"}),
    ],
)
def test_the_run_itself_has_targets(missed, course, names):
    """Own errors, and keys and memory of Redis, have targets; the time that a run took has none."""
    asked = ("defects", "redis_keys", "redis_growth_bytes")
    assert missed(*asked, course=course) == names
