"""The registry gives every source its provider and its sender, and loads no HTTP library."""

import pytest

from marketdata.domain.quotes import Source
from marketdata.providers import yahoo_symbols
from marketdata.providers.http import HttpSender
from marketdata.providers.registry import make_provider, make_sender
from marketdata.settings import ENV_PREFIXES, Settings
from tests.support.fresh_process import loaded_by

ENV = {
    **{f"{prefix}_API_KEY": f"key-of-{prefix}" for prefix in ENV_PREFIXES.values()},
    **{f"{prefix}_BASE_URL": f"http://127.0.0.1:9/{prefix}" for prefix in ENV_PREFIXES.values()},
}


@pytest.mark.parametrize("source", Source)
def test_every_source_has_its_formats(source):
    """A provider is made with its own base URL and shows no key."""
    provider = make_provider(source, Settings.from_env(ENV))
    assert provider.source is source
    assert provider.base_url == f"http://127.0.0.1:9/{ENV_PREFIXES[source]}"
    assert "key-of" not in repr(provider)


@pytest.mark.parametrize("source", [source for source in Source if source is not Source.YFINANCE])
def test_sources_with_a_public_api_share_the_http_helper(source):
    """Calls to every provider except Yahoo are sent by the one HTTP helper."""
    sender = make_sender(source, Settings.from_env(ENV))
    assert isinstance(sender, HttpSender)
    sender.close()


def test_yahoo_gets_the_proxy_of_the_settings_or_else_of_the_secret(monkeypatch):
    """YAHOO_PROXY_URL comes before the proxy of the secret, and without both there is none."""
    asked = []
    monkeypatch.setattr(yahoo_symbols, "use_proxy", asked.append)
    for own, expected in (("", "http://secret:1"), ("http://own:2", "http://own:2")):
        settings = Settings.from_env({**ENV, "YAHOO_PROXY_URL": own})
        sender = make_sender(Source.YFINANCE, settings, lambda: "http://secret:1")
        sender.warm()
        assert asked.pop() == expected
    make_sender(Source.YFINANCE, Settings.from_env(ENV)).warm()
    assert asked == []


def test_formats_load_no_http_library():
    """Importing the registry loads none of requests, urllib3, yfinance and pandas."""
    loaded = loaded_by("from marketdata.providers import registry")
    assert not {"requests", "urllib3", "yfinance", "pandas"} & loaded
