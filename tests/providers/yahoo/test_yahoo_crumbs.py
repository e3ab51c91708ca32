"""Poisoned, refused and missing crumbs: none is kept, and recovery is bounded."""

import pytest
import yfinance
from yfinance.data import YfData

from marketdata.errors import RateLimitedError, UnavailableError
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
)
from tests.support.yahoo_calls import ask, crumbs, prices

POISON = "Too Many Requests\r\n"
CSRF = "/consent"  # where the other way to a cookie begins


def test_a_rate_limit_in_place_of_a_crumb_is_told_at_once_and_never_kept(yahoo, sender):
    """Two requests, a rate limit, and a good crumb as soon as Yahoo gives one."""
    yahoo.faults[CRUMB].append(TOO_MANY)
    with pytest.raises(RateLimitedError) as caught:
        prices(ask(sender))
    assert caught.value.retry_after_s == 60
    assert yahoo.paths() == [COOKIE, CRUMB]
    assert prices(ask(sender)) == {"AAPL": "244.6", "MSFT": "410.5"}
    assert crumbs(yahoo) == {GOOD_CRUMB}


def test_a_rate_limit_text_with_status_200_is_no_crumb_either(yahoo, sender):
    """The text decides, not the status."""
    yahoo.faults[CRUMB].append(Answer(200, POISON, "text/plain"))
    with pytest.raises(RateLimitedError):
        prices(ask(sender))
    assert crumbs(yahoo) == set()


@pytest.mark.parametrize("poison", [POISON, '{"finance":{}}', "<html>", "", "x" * 65])
def test_a_stored_poison_is_cleared_and_never_sent(yahoo, sender, poison):
    """Whoever stored it, the next call gets a new crumb."""
    ask(sender)
    sender._data._data._crumb = poison
    assert prices(ask(sender)) == {"AAPL": "244.6", "MSFT": "410.5"}
    assert yahoo.paths()[3:] == [COOKIE, CRUMB, QUOTE]
    assert crumbs(yahoo) == {GOOD_CRUMB}


def test_a_poison_in_yfinances_singleton_is_not_ours(yahoo, sender):
    """Other uses of yfinance in this process cannot poison us."""
    YfData(session=yfinance._http.new_session())._crumb = POISON
    assert prices(ask(sender)) == {"AAPL": "244.6", "MSFT": "410.5"}
    assert crumbs(yahoo) == {GOOD_CRUMB}


@pytest.mark.parametrize("answer", [INVALID_COOKIE, UPSTREAM, DOWN, Answer(200, "a b")])
def test_what_is_no_crumb_is_not_used_as_one(yahoo, sender, answer):
    """The call goes out without a crumb, is refused, and succeeds with the next one."""
    yahoo.faults[CRUMB].append(answer)
    assert prices(ask(sender)) == {"AAPL": "244.6", "MSFT": "410.5"}
    assert yahoo.paths() == [COOKIE, CRUMB, QUOTE, COOKIE, CRUMB, QUOTE]
    assert crumbs(yahoo) == {None, GOOD_CRUMB}


def test_a_refused_crumb_is_replaced_once_in_the_same_call(yahoo, sender):
    """Four requests: the refusal, a new cookie, a new crumb, the call."""
    ask(sender)
    yahoo.crumb = "SecondCrumb"
    assert prices(ask(sender)) == {"AAPL": "244.6", "MSFT": "410.5"}
    assert yahoo.paths()[3:] == [QUOTE, COOKIE, CRUMB, QUOTE]


def test_a_crumb_refused_for_ever_costs_a_bounded_number_of_requests(yahoo, sender):
    """Six requests at first, at most seven in a call after that, and the answer is no bad key."""
    yahoo.faults[QUOTE].extend([INVALID_CRUMB] * 20)
    costs = []
    for _ in range(4):
        before = len(yahoo.seen)
        with pytest.raises(UnavailableError, match="401"):
            prices(ask(sender))
        costs.append(len(yahoo.seen) - before)
    assert costs[0] == 6
    assert max(costs) <= 7
    assert CSRF in yahoo.paths()  # yfinance's other way to a cookie is tried in turn
    yahoo.faults[QUOTE].clear()
    assert prices(ask(sender)) == {"AAPL": "244.6", "MSFT": "410.5"}


@pytest.mark.parametrize(
    ("answer", "status"),
    [(TOO_MANY, 429), (UPSTREAM, 502), (DOWN, 200), (Answer(403, "no"), 403)],
    ids=["429", "502", "page", "403"],
)
def test_a_failing_answer_costs_one_request(yahoo, sender, answer, status):
    """The second tries that yfinance would make are cut off."""
    ask(sender)
    yahoo.faults[QUOTE].append(answer)
    assert ask(sender).status == status
    assert yahoo.paths()[3:] == [QUOTE]


def test_after_a_rate_limit_cookie_and_crumb_are_new(yahoo, sender):
    """A limit may be tied to them."""
    ask(sender)
    yahoo.faults[QUOTE].append(TOO_MANY)
    ask(sender)
    assert prices(ask(sender)) == {"AAPL": "244.6", "MSFT": "410.5"}
    assert yahoo.paths()[4:] == [COOKIE, CRUMB, QUOTE]


def test_a_crumb_that_another_thread_has_replaced_is_kept(yahoo, sender):
    """Of two threads that were refused with the same crumb, one fetches the new one."""
    ask(sender)
    sender._data.forget("TheOldCrumb")
    sender._data.clear_poison()
    ask(sender)
    assert yahoo.paths() == [COOKIE, CRUMB, QUOTE, QUOTE]
