"""Damaged, rejected and missing crumbs: none is kept, and recovery is bounded."""

from contextlib import suppress

import pytest
import yfinance
from yfinance.data import YfData

from marketdata.errors import CallsSpentError, RateLimitedError, UnavailableError
from marketdata.providers.yahoo_session import PAUSE_S
from tests.support.fake_yahoo import (
    COOKIE,
    CRUMB,
    DOWN,
    GOOD_CRUMB,
    INVALID_COOKIE,
    INVALID_CRUMB,
    QUOTE,
    TOO_MANY,
    UPSTREAM,
    Answer,
    chart,
)
from tests.support.yahoo_calls import ask, crumbs, prices

POISON = "Too Many Requests\r\n"
CSRF = "/consent"  # the first path of yfinance's second way to a cookie


def test_a_rate_limit_in_place_of_a_crumb_is_reported_at_once_and_never_kept(yahoo, sender):
    """A 429 in place of a crumb is a RateLimitedError, and the next call gets a good crumb."""
    yahoo.faults[CRUMB].append(TOO_MANY)
    with pytest.raises(RateLimitedError) as caught:
        prices(ask(sender))
    assert caught.value.retry_after_s == 60
    assert yahoo.paths() == [COOKIE, CRUMB]
    assert prices(ask(sender)) == {"AAPL": "244.6", "MSFT": "410.5"}
    assert crumbs(yahoo) == {GOOD_CRUMB}


def test_a_rate_limit_text_with_status_200_is_not_a_crumb(yahoo, sender):
    """The text of a rate limit is not used as a crumb, even with status 200."""
    yahoo.faults[CRUMB].append(Answer(200, POISON, "text/plain"))
    with pytest.raises(RateLimitedError):
        prices(ask(sender))
    assert crumbs(yahoo) == set()


@pytest.mark.parametrize("poison", [POISON, '{"finance":{}}', "<html>", "", "x" * 65])
def test_a_stored_poison_is_cleared_and_never_sent(yahoo, sender, poison):
    """A stored text that is not a crumb is replaced by a new crumb, and never sent."""
    ask(sender)
    sender._data._data._crumb = poison
    assert prices(ask(sender)) == {"AAPL": "244.6", "MSFT": "410.5"}
    assert yahoo.paths()[3:] == [COOKIE, CRUMB, QUOTE]
    assert crumbs(yahoo) == {GOOD_CRUMB}


def test_a_poison_in_yfinances_singleton_is_not_ours(yahoo, sender):
    """A crumb that other code stores in yfinance's singleton is not used by our sender."""
    YfData(session=yfinance._http.new_session())._crumb = POISON
    assert prices(ask(sender)) == {"AAPL": "244.6", "MSFT": "410.5"}
    assert crumbs(yahoo) == {GOOD_CRUMB}


@pytest.mark.parametrize("answer", [INVALID_COOKIE, UPSTREAM, DOWN, Answer(200, "a b")])
def test_an_answer_that_is_not_a_crumb_is_not_used_as_one(yahoo, sender, answer):
    """If an answer is not a crumb, the crumb is requested again before the quotes."""
    yahoo.faults[CRUMB].append(answer)
    assert prices(ask(sender, calls=4)) == {"AAPL": "244.6", "MSFT": "410.5"}
    assert yahoo.paths() == [COOKIE, CRUMB, CRUMB, QUOTE]
    assert crumbs(yahoo) == {GOOD_CRUMB}


def test_a_rejected_crumb_is_replaced_once_in_the_same_call(yahoo, sender):
    """A rejected crumb costs four requests: the call, a new cookie, a new crumb, the call."""
    ask(sender)
    yahoo.crumb = "SecondCrumb"
    assert prices(ask(sender)) == {"AAPL": "244.6", "MSFT": "410.5"}
    assert yahoo.paths()[3:] == [QUOTE, COOKIE, CRUMB, QUOTE]


def test_a_crumb_that_is_never_accepted_stays_within_the_allowance(yahoo, new_sender):
    """A crumb that is always rejected means charts for half a minute, within the allowance."""
    clock, sender = new_sender
    yahoo.faults[QUOTE].extend([INVALID_CRUMB] * 20)
    yahoo.charts = {"AAPL": chart("AAPL", 244.87, 240.01)}
    with pytest.raises(UnavailableError, match="401"):
        prices(ask(sender, "AAPL", calls=4))
    with pytest.raises(UnavailableError, match="the crumb is not accepted"):
        ask(sender, "AAPL", calls=4)
    assert CSRF in yahoo.paths()
    assert len(yahoo.seen) <= 8
    answer = ask(sender, "AAPL", calls=4)
    assert prices(answer, "AAPL") == {"AAPL": "244.87"}
    assert answer.note == "Yahoo: the crumb is not accepted (status 401); one symbol at a time"
    yahoo.faults[QUOTE].clear()
    clock[0] += PAUSE_S
    assert prices(ask(sender, calls=4)) == {"AAPL": "244.6", "MSFT": "410.5"}


def test_a_broken_crumb_page_is_named_and_stays_within_the_allowance(yahoo, new_sender):
    """While the crumb page is broken, charts price all symbols in turn, within the allowance."""
    clock, sender = new_sender
    yahoo.faults[CRUMB].extend([UPSTREAM] * 50)
    yahoo.charts = {name: chart(name, 244.87, 240.01) for name in ("AAPL", "MSFT", "IBM")}
    names = tuple(yahoo.charts)
    answered: set[str] = set()
    for _ in range(4):
        before = len(yahoo.seen)
        with suppress(UnavailableError):
            answer = ask(sender, *names, calls=4)
            answered |= prices(answer, *names).keys()
        assert len(yahoo.seen) - before <= 4
    assert answered == set(names)
    assert f"no crumb: {yahoo.netloc}{CRUMB}: a page, status 502" in answer.note
    yahoo.faults[CRUMB].clear()
    clock[0] += PAUSE_S
    assert prices(ask(sender, calls=6)) == {"AAPL": "244.6", "MSFT": "410.5"}


def test_a_small_allowance_is_enough_after_some_calls(yahoo, sender):
    """With one request a call, three calls get the cookie, the crumb and the quotes."""
    for _ in range(2):
        with pytest.raises(CallsSpentError):
            ask(sender, calls=1)
    assert prices(ask(sender, calls=1)) == {"AAPL": "244.6", "MSFT": "410.5"}
    assert yahoo.paths() == [COOKIE, CRUMB, QUOTE]


def test_a_crumb_that_has_expired_is_only_replaced_if_that_is_allowed(yahoo, sender):
    """With too small an allowance for a new crumb, the next call gets the new crumb."""
    ask(sender)
    yahoo.crumb = "SecondCrumb"
    with pytest.raises(UnavailableError, match="401"):
        prices(ask(sender, calls=2))
    assert prices(ask(sender, calls=3)) == {"AAPL": "244.6", "MSFT": "410.5"}
    assert yahoo.paths()[3:] == [QUOTE, COOKIE, CRUMB, QUOTE]


@pytest.mark.parametrize(
    ("answer", "status"),
    [(TOO_MANY, 429), (UPSTREAM, 502), (DOWN, 200), (Answer(403, "no"), 403)],
    ids=["429", "502", "page", "403"],
)
def test_a_failing_answer_costs_one_request(yahoo, sender, answer, status):
    """After a failing answer yfinance's own second request is not sent."""
    ask(sender)
    yahoo.faults[QUOTE].append(answer)
    assert ask(sender).status == status
    assert yahoo.paths()[3:] == [QUOTE]


def test_after_a_rate_limit_cookie_and_crumb_are_new(yahoo, sender):
    """After a rate limit the next call gets a new cookie and a new crumb."""
    ask(sender)
    yahoo.faults[QUOTE].append(TOO_MANY)
    ask(sender)
    assert prices(ask(sender)) == {"AAPL": "244.6", "MSFT": "410.5"}
    assert yahoo.paths()[4:] == [COOKIE, CRUMB, QUOTE]


def test_a_crumb_that_another_thread_has_replaced_is_kept(yahoo, sender):
    """A thread whose old crumb was rejected keeps the crumb that another thread has got."""
    ask(sender)
    sender._data.forget("TheOldCrumb")
    sender._data.clear_poison()
    ask(sender)
    assert yahoo.paths() == [COOKIE, CRUMB, QUOTE, QUOTE]
