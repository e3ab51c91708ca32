"""What nobody may see of yfinance, and what must not change in it unnoticed."""

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
    """Its debug lines show the crumb, so none of its lines is let out."""
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
    """Not in the message, and not in what it came from."""
    ask(sender)
    yahoo.faults[QUOTE].append(yahoo.hang)
    with pytest.raises(UnavailableError) as caught:
        ask(sender, timeout_s=0.2)
    error: BaseException | None = caught.value
    assert error.__suppress_context__ or error.__context__ is None
    assert GOOD_CRUMB not in repr(error)
    assert "?" not in str(error)


def test_without_yfinance_yahoo_is_unavailable(yahoo, monkeypatch):
    """A layer without it is one clear error, and not a crash."""
    monkeypatch.setitem(sys.modules, "marketdata.providers.yahoo_symbols", None)
    assert "cannot be loaded" in failure_of(lambda: ask(YahooSender(yahoo.url)))


def test_yfinance_writes_to_a_folder_of_its_own(sender):
    """A home may be read-only, and a cookie is not left on a disk."""
    sender.warm()
    YahooSender("http://127.0.0.1:1").warm()
    prepare_yfinance.cache_clear()
    prepare_yfinance()
    for manager in (cache._TzDBManager, cache._CookieDBManager, cache._ISINDBManager):
        assert Path(manager.get_location()).parent == Path(tempfile.gettempdir())


def test_the_installed_yfinance_is_the_pinned_one():
    """What the tests have seen is what the layer gets."""
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
    """A new version that changes one is named here, before it is pinned."""
    function, parameters = GUARDED[name]
    found = list(inspect.signature(function).parameters)
    assert found == parameters, f"yfinance changed {name}: it takes {found}; see yahoo_private.py"


def test_yfinance_still_keeps_its_crumb_where_we_look(yahoo, sender):
    """After a call the crumb is in `_crumb`, the strategy in `_cookie_strategy`."""
    ask(sender)
    data = sender._data._data
    assert data._crumb == GOOD_CRUMB, "yfinance keeps its crumb elsewhere; see yahoo_private.py"
    assert data._cookie_strategy == "basic", "yfinance starts with another way to a cookie"
    assert hasattr(data, "_cookie"), "yfinance keeps its cookie elsewhere"
    data._set_cookie_strategy("csrf")
    assert data._crumb is None, "yfinance keeps a crumb over a change of its way to a cookie"


def test_yfinance_still_lets_nobody_else_add_a_crumb(yahoo, sender):
    """It adds the crumb to each request, and a given crumb is an error."""
    ask(sender)
    request = Request("https://query1.finance.yahoo.com" + QUOTE, {"symbols": "A", "crumb": "x"})
    assert "YFException" in failure_of(lambda: sender.send(request, LONG_S))
