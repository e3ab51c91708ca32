"""What a call to Yahoo costs in requests, and how threads share its cookie and crumb."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import yfinance

from marketdata.domain.symbols import AssetClass
from marketdata.errors import UnavailableError
from marketdata.providers.contract import CallAllowance
from marketdata.providers.yahoo import Yahoo
from marketdata.providers.yahoo_session import YahooSender
from marketdata.providers.yahoo_transport import YahooTransport
from tests.support.fake_yahoo import (
    COOKIE,
    CRUMB,
    GOOD_CRUMB,
    QUOTE,
    SCREENER,
    Answer,
    FakeYahoo,
    quote_row,
)
from tests.support.running_service import eventually
from tests.support.yahoo_calls import LONG_S, MANY, ask, crumbs, failure_of, prices


def test_the_first_call_gets_a_cookie_and_a_crumb_and_later_calls_are_one_request(yahoo, sender):
    """The first call for 100 symbols takes three requests, and each later one takes one."""
    names = [f"S{n}" for n in range(100)]
    yahoo.rows = {name: quote_row(name, 10) for name in names}
    assert len(prices(ask(sender, *names), *names)) == 100
    assert yahoo.paths() == [COOKIE, CRUMB, QUOTE]
    for _ in range(3):
        assert len(prices(ask(sender, *names), *names)) == 100
    assert yahoo.paths()[3:] == [QUOTE] * 3
    assert yahoo.seen[-1].query == {
        "symbols": ",".join(names),
        "formatted": "false",
        "crumb": GOOD_CRUMB,
    }


def test_a_base_url_may_have_a_path(yahoo):
    """The path of a base URL comes before every path of Yahoo."""
    with FakeYahoo(prefix="/mirror/yahoo") as server:
        server.rows = yahoo.rows
        assert prices(ask(YahooSender(server.url + "/"))) == {"AAPL": "244.6", "MSFT": "410.5"}
        assert server.paths() == [COOKIE, CRUMB, QUOTE]


def test_two_senders_never_share_a_crumb(yahoo, sender):
    """A crumb is sent only to the host that gave it."""
    with FakeYahoo() as other:
        other.crumb, other.rows = "OtherCrumb1", yahoo.rows
        second = YahooSender(other.url)
        for _ in range(2):
            ask(sender)
            ask(second)
        assert crumbs(yahoo) == {GOOD_CRUMB}
        assert crumbs(other) == {"OtherCrumb1"}
        assert len(yahoo.seen) == len(other.seen) == 4


def test_threads_wait_for_one_crumb_and_then_run_together(yahoo, sender):
    """Eight threads at once cost one cookie, one crumb, and a request each."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: prices(ask(sender)), range(8)))
    assert answers == [{"AAPL": "244.6", "MSFT": "410.5"}] * 8
    assert sorted(yahoo.paths()) == sorted([COOKIE, CRUMB] + [QUOTE] * 8)


def test_a_slow_call_does_not_hold_up_another_thread(yahoo, sender):
    """While one thread's call hangs, another thread's call is answered."""
    ask(sender)
    yahoo.faults[QUOTE].append(yahoo.hang)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(ask, sender)
        eventually(lambda: len(yahoo.paths()) == 4, "the slow call's request")
        assert prices(ask(sender, timeout_s=5))
        assert not slow.done()
        yahoo.released.set()
        with pytest.raises(UnavailableError):
            slow.result()


def test_a_thread_waits_for_anothers_crumb_only_until_its_own_deadline(yahoo, sender):
    """A call that waits for another call's crumb ends at its own deadline."""
    yahoo.faults[CRUMB].append(yahoo.hang)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(ask, sender)
        eventually(lambda: CRUMB in yahoo.paths(), "the slow call's request for a crumb")
        message = failure_of(lambda: ask(sender, timeout_s=0.2))
        assert "another call for Yahoo's crumb" in message
        yahoo.released.set()
        assert slow.result().status == 200


def test_the_screener_gets_exactly_what_yfinance_would_send(yahoo, sender):
    """Our requests to the screener are those that yfinance.screen sends."""
    query = yfinance.EquityQuery("eq", ["region", "us"])
    requests = Yahoo().build_asset_requests(AssetClass.STOCKS)
    for request in requests:
        sender.send(request, LONG_S)
    ours = [seen for seen in yahoo.seen if seen.path == SCREENER]
    transport = YahooTransport(yahoo.url)
    with transport.call(LONG_S, time.monotonic() + LONG_S, CallAllowance(MANY), 10**7):
        for page in range(4):
            yfinance.screen(
                query,
                offset=250 * page,
                size=250,
                sortField="intradaymarketcap",
                sortAsc=False,
                session=transport,
            )
    theirs = [seen for seen in yahoo.seen if seen.path == SCREENER][4:]
    assert ours == theirs


def test_the_stock_list_comes_through_the_same_session(yahoo, sender):
    """The four pages of the stock list cost four requests, and keep their order."""
    ask(sender)
    yahoo.pages = {0: [quote_row("NVDA", 1)], 750: [quote_row("BRK-B", 1)]}
    requests = Yahoo().build_asset_requests(AssetClass.STOCKS)
    answers = [sender.send(request, LONG_S) for request in requests]
    listings = Yahoo().parse_assets(AssetClass.STOCKS, answers)
    assert [(item.symbol, item.rank) for item in listings] == [("NVDA", 1), ("BRK.B", 2)]
    assert yahoo.paths()[3:] == [SCREENER] * 4


def test_a_screener_that_is_gone_fails_the_list(yahoo, sender):
    """If the screener is gone, the list is an error after one request, without any chart."""
    ask(sender)
    yahoo.faults[SCREENER].append(Answer(404, "gone"))
    request = Yahoo().build_asset_requests(AssetClass.STOCKS)[0]
    with pytest.raises(UnavailableError, match="404"):
        Yahoo().parse_assets(AssetClass.STOCKS, [sender.send(request, LONG_S)])
    assert yahoo.paths()[3:] == [SCREENER]
