"""What of yfinance is never shown, and which of its private parts must not change unnoticed."""

import inspect
import logging
import sys
import tempfile
from importlib import metadata
from pathlib import Path

import pytest
from yfinance import cache
from yfinance.data import YfData

from marketdata.errors import UnavailableError
from marketdata.providers.contract import Request
from marketdata.providers.yahoo_session import YahooSender
from marketdata.providers.yahoo_symbols import prepare_yfinance
from tests.support.fake_yahoo import (
    GOOD_CRUMB,
    INVALID_CRUMB,
    QUOTE,
    UPSTREAM,
)
from tests.support.yahoo_calls import LONG_S, ask, failure_of

REQUIREMENTS = Path(__file__).parents[3] / "layers" / "yahoo" / "requirements.in"


def test_yfinances_own_log_is_silent(yahoo, sender, caplog, capfd):
    """No line of yfinance's own log is written, because its debug lines show the crumb."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("yfinance").setLevel(logging.DEBUG)
    yahoo.faults[QUOTE].extend([INVALID_CRUMB, UPSTREAM])
    ask(sender)
    yahoo.gone.add(QUOTE)
    ask(sender, "NOPE")
    failure_of(lambda: ask(sender, timeout_s=0))
    assert not [record for record in caplog.records if record.name == "yfinance"]
    captured = capfd.readouterr()
    assert GOOD_CRUMB not in caplog.text + captured.out + captured.err


def test_no_error_shows_a_crumb_or_a_query(yahoo, sender):
    """Neither the message nor the cause of an error shows the crumb or a query."""
    ask(sender)
    yahoo.faults[QUOTE].append(yahoo.hang)
    with pytest.raises(UnavailableError) as caught:
        ask(sender, timeout_s=0.2)
    error: BaseException | None = caught.value
    assert error.__suppress_context__ or error.__context__ is None
    assert GOOD_CRUMB not in repr(error)
    assert "?" not in str(error)


def test_without_yfinance_yahoo_is_unavailable(yahoo, monkeypatch):
    """If yfinance cannot be loaded, a call raises UnavailableError that says so."""
    monkeypatch.setitem(sys.modules, "marketdata.providers.yahoo_symbols", None)
    assert "cannot be loaded" in failure_of(lambda: ask(YahooSender(yahoo.url)))


def test_yfinance_writes_to_a_folder_of_its_own(sender):
    """The files of yfinance are in a temporary folder, because a home may be read-only."""
    sender.warm()
    YahooSender("http://127.0.0.1:1").warm()
    prepare_yfinance.cache_clear()
    prepare_yfinance()
    for manager in (cache._TzDBManager, cache._CookieDBManager, cache._ISINDBManager):
        assert Path(manager.get_location()).parent == Path(tempfile.gettempdir())


def test_the_installed_yfinance_is_the_pinned_one():
    """The layer gets the version of yfinance that the tests use."""
    pinned = [line for line in REQUIREMENTS.read_text().split("\n") if "yfinance=" in line]
    assert pinned == [f"yfinance=={metadata.version('yfinance')}"]


GUARDED = {
    "YfData.get": (YfData.get, ["self", "url", "params", "timeout"]),
    "YfData.post": (YfData.post, ["self", "url", "body", "params", "timeout", "data"]),
    "YfData._set_cookie_strategy": (
        YfData._set_cookie_strategy,
        ["self", "strategy", "have_lock"],
    ),
    "YfData.__init__": (YfData.__init__, ["self", "session"]),
}


@pytest.mark.parametrize("name", GUARDED)
def test_yfinance_still_has_the_private_calls_that_we_use(name):
    """The private functions of yfinance that we call have the parameters that we expect."""
    function, parameters = GUARDED[name]
    found = list(inspect.signature(function).parameters)
    assert found == parameters, f"yfinance changed {name}: it takes {found}; see yahoo_private.py"


def test_yfinance_still_keeps_its_crumb_where_we_look(yahoo, sender):
    """After a call yfinance has its crumb in `_crumb`, its strategy in `_cookie_strategy`."""
    ask(sender)
    data = sender._data._data
    assert data._crumb == GOOD_CRUMB, "yfinance keeps its crumb elsewhere; see yahoo_private.py"
    assert data._cookie_strategy == "basic", "yfinance starts with another way to a cookie"
    assert hasattr(data, "_cookie"), "yfinance keeps its cookie elsewhere"
    data._set_cookie_strategy("csrf")
    assert data._crumb is None, "yfinance keeps a crumb over a change of its way to a cookie"


def test_yfinance_still_rejects_a_given_crumb(yahoo, sender):
    """A crumb in a request is an error, because yfinance adds the crumb itself."""
    ask(sender)
    request = Request("https://query1.finance.yahoo.com" + QUOTE, {"symbols": "A", "crumb": "x"})
    assert "YFException" in failure_of(lambda: sender.send(request, LONG_S))
