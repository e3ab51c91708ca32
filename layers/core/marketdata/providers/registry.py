"""Which class belongs to which provider: one line each. HTTP libraries load on first use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from marketdata.domain.quotes import Source
from marketdata.providers.alpha_vantage import AlphaVantage
from marketdata.providers.coingecko import CoinGecko
from marketdata.providers.coinmarketcap import CoinMarketCap
from marketdata.providers.contract import KeyLookup, Provider, Sender
from marketdata.providers.finnhub import Finnhub
from marketdata.providers.yahoo import Yahoo
from marketdata.providers.yahoo_session import YahooSender
from marketdata.settings import Settings


def make_provider(source: Source, settings: Settings, key: KeyLookup | None = None) -> Provider:
    """Return a provider's formats, with its base URL and key.

    `key` looks the key up; without it the key is that of the settings.
    """
    own = settings.keys[source]
    return _PROVIDERS[source](settings.base_urls[source], key or (lambda: own))


def make_sender(
    source: Source, settings: Settings, yahoo_proxy_url: Callable[[], str] | None = None
) -> Sender:
    """Return the sender of a provider's requests. It pools connections: make one and keep it.

    `yahoo_proxy_url` returns the proxy for Yahoo where the settings have none.
    """
    if source is not Source.YFINANCE:
        return _http()
    own = settings.yahoo_proxy_url
    proxy_url = (lambda: own) if own or yahoo_proxy_url is None else yahoo_proxy_url
    return YahooSender(settings.base_urls[source], proxy_url=proxy_url)


def _http() -> Sender:
    from marketdata.providers.http import HttpSender  # noqa: PLC0415  (it loads requests)

    return HttpSender()


_PROVIDERS: Mapping[Source, Callable[[str, KeyLookup], Provider]] = MappingProxyType(
    {
        Source.YFINANCE: lambda base_url, _key: Yahoo(base_url),
        Source.FINNHUB: Finnhub,
        Source.COINGECKO: CoinGecko,
        Source.COINMARKETCAP: CoinMarketCap,
        Source.ALPHA_VANTAGE: AlphaVantage,
    }
)
