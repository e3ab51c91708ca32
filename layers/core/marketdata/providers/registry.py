"""Which class speaks to which provider: one line each. The libraries are loaded when asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from marketdata.domain.quotes import Source
from marketdata.providers.alpha_vantage import AlphaVantage
from marketdata.providers.coingecko import CoinGecko
from marketdata.providers.coinmarketcap import CoinMarketCap
from marketdata.providers.contract import Provider, Sender
from marketdata.providers.finnhub import Finnhub
from marketdata.settings import Settings


def make_provider(source: Source, settings: Settings) -> Provider:
    """A provider's formats, with its base URL and key."""
    return _PROVIDERS[source](settings.base_urls[source], settings.keys[source])


def make_sender(source: Source, settings: Settings) -> Sender:
    """What sends a provider's requests. It pools connections: make one and keep it."""
    return _SENDERS.get(source, _http)(settings.base_urls[source])


def _yahoo(base_url: str, _key: str) -> Provider:
    from marketdata.providers.yahoo import Yahoo  # noqa: PLC0415 only fetching has yfinance

    return Yahoo(base_url)


def _yahoo_sender(base_url: str) -> Sender:
    from marketdata.providers.yahoo_session import YahooSender  # noqa: PLC0415 as above

    return YahooSender(base_url)


def _http(_base_url: str) -> Sender:
    from marketdata.providers.http import HttpSender  # noqa: PLC0415 only fetching has requests

    return HttpSender()


_PROVIDERS: Mapping[Source, Callable[[str, str], Provider]] = MappingProxyType(
    {
        Source.YFINANCE: _yahoo,
        Source.FINNHUB: Finnhub,
        Source.COINGECKO: CoinGecko,
        Source.COINMARKETCAP: CoinMarketCap,
        Source.ALPHA_VANTAGE: AlphaVantage,
    }
)
_SENDERS: Mapping[Source, Callable[[str], Sender]] = MappingProxyType(
    {Source.YFINANCE: _yahoo_sender}
)
