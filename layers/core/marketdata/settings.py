"""Settings: read once from the environment, checked by name, immutable afterwards.

`SETTINGS` is the one table of them; `.env.example` and README's table are held to it by tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from marketdata.domain.budget import Limit, parse_limits
from marketdata.domain.catalogue import FACTS
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import Symbol
from marketdata.errors import SettingsError
from marketdata.setting_types import (
    any_text,
    api_key,
    choice,
    flag,
    proxy_url,
    symbols,
    url,
    whole,
    word,
)

DEFAULT_ACTIVE_SYMBOLS = (
    "AAPL,MSFT,GOOGL,AMZN,NVDA,META,TSLA,BRK.B,JPM,V,"
    "BTC-USD,ETH-USD,SOL-USD,XRP-USD,BNB-USD,DOGE-USD,"
    "EUR/USD,GBP/USD,USD/JPY,USD/CHF"
)

# What each provider is called in the names of its settings.
ENV_PREFIXES: Mapping[Source, str] = MappingProxyType(
    {
        Source.YFINANCE: "YAHOO",
        Source.FINNHUB: "FINNHUB",
        Source.COINGECKO: "COINGECKO",
        Source.COINMARKETCAP: "COINMARKETCAP",
        Source.ALPHA_VANTAGE: "ALPHA_VANTAGE",
    }
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its name, default, meaning, and how its text becomes a value.

    `read` raises ValueError with what is allowed. A `secret` is never shown.
    """

    name: str
    default: str
    meaning: str
    read: Callable[[str], Any]
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting("REDIS_HOST", "redis", "host of the Redis server", word),
    Setting("REDIS_PORT", "6379", "its port", whole(1, 65535)),
    Setting("REDIS_TLS", "false", "whether to speak TLS to it", flag),
    Setting("REDIS_AUTH", "none", "none, password or iam", choice("none", "password", "iam")),
    Setting("REDIS_USERNAME", "", "user name, for password (optional) and iam", any_text),
    Setting("REDIS_PASSWORD", "", "password, for password", any_text, secret=True),
    Setting("REDIS_CACHE_NAME", "", "ElastiCache's name of the cache, for iam", any_text),
    Setting("REDIS_CLUSTER", "false", "whether it runs in cluster mode", flag),
    Setting("REDIS_PREFIX", "mda", "first part of every key, so that services can share", word),
    Setting("FINNHUB_API_KEY", "", "Finnhub's key; without it off", api_key, secret=True),
    Setting(
        "COINMARKETCAP_API_KEY", "", "CoinMarketCap's key; without it off", api_key, secret=True
    ),
    Setting(
        "ALPHA_VANTAGE_API_KEY", "", "Alpha Vantage's key; without it off", api_key, secret=True
    ),
    Setting("COINGECKO_API_KEY", "", "CoinGecko's key; optional", api_key, secret=True),
    Setting("PROVIDER_KEYS_SECRET", "", "Secrets Manager secret with the keys, on AWS", any_text),
    Setting(
        "CIRCUIT_BREAKER_TIMEOUT",
        "300",
        "seconds a breaker stays open before its probe",
        whole(1, 86400),
    ),
    Setting("PRICE_FETCH_INTERVAL", "5", "least seconds between two prices", whole(5, 86400)),
    Setting(
        "ASSET_LIST_UPDATE_INTERVAL",
        "86400",
        "seconds between two refreshes of the asset lists",
        whole(60, 31 * 86400),
    ),
    Setting("ACTIVE_SYMBOLS", DEFAULT_ACTIVE_SYMBOLS, "symbols that are always priced", symbols),
    Setting("QUOTE_TTL", "300", "seconds until a quote counts as stale", whole(1, 604800)),
    Setting("QUOTE_RETENTION", "604800", "seconds a quote is kept", whole(60, 31 * 86400)),
    Setting("ASSETS_TTL", "86400", "seconds until an asset list is stale", whole(60, 31 * 86400)),
    *(
        Setting(
            f"{prefix}_LIMITS",
            FACTS[source].free_limits,
            f"how often {source.value} may be asked, COUNT/WINDOW, comma-separated",
            parse_limits,
        )
        for source, prefix in ENV_PREFIXES.items()
    ),
    Setting("YAHOO_BASE_URL", "", "origin that replaces every Yahoo host", url),
    Setting("FINNHUB_BASE_URL", "https://finnhub.io/api/v1", "Finnhub's API", url),
    Setting("COINGECKO_BASE_URL", "https://api.coingecko.com/api/v3", "CoinGecko's API", url),
    Setting(
        "COINMARKETCAP_BASE_URL", "https://pro-api.coinmarketcap.com", "CoinMarketCap's API", url
    ),
    Setting(
        "ALPHA_VANTAGE_BASE_URL", "https://www.alphavantage.co", "Alpha Vantage's API", url
    ),
    Setting(
        "YAHOO_PROXY_URL", "", "proxy for the calls to Yahoo; without it none", proxy_url,
        secret=True,
    ),
    Setting("ARCHIVE_BUCKET", "", "S3 bucket for the last good asset lists, on AWS", any_text),
    Setting(
        "ARCHIVE_FOLDER", ".local/archive", "folder for them where there is no bucket", any_text
    ),
    Setting(
        "METRICS_SERVICE",
        "",
        "name that this deployment's metrics carry; without it none are written",
        any_text,
    ),
    Setting(
        "LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR",
        choice("debug", "info", "warning", "error"),
    ),
    Setting(
        "MARKET", "live", "simulated or live; what the prices are of",
        choice("simulated", "live"),
    ),
    Setting("PORT", "8000", "port of the API on one machine", whole(1, 65535)),
)  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """The values of all settings; attributes are the names in lower case.

    A provider's own settings are in the mappings `keys`, `limits` and `base_urls`, by source.
    """

    redis_host: str
    redis_port: int
    redis_tls: bool
    redis_auth: str
    redis_username: str
    redis_password: str
    redis_cache_name: str
    redis_cluster: bool
    redis_prefix: str
    provider_keys_secret: str
    circuit_breaker_timeout: int
    price_fetch_interval: int
    asset_list_update_interval: int
    active_symbols: tuple[Symbol, ...]
    quote_ttl: int
    quote_retention: int
    assets_ttl: int
    yahoo_proxy_url: str
    archive_bucket: str
    archive_folder: str
    metrics_service: str
    log_level: str
    market: str
    port: int
    keys: Mapping[Source, str]
    limits: Mapping[Source, tuple[Limit, ...]]
    base_urls: Mapping[Source, str]

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """The settings that an environment holds, with defaults for what it does not set.

        Raises `SettingsError` with the name, the value (masked if secret) and what is allowed.
        An empty value counts as not set.
        """
        values = {setting.name: _read(setting, env) for setting in SETTINGS}
        own = {name.lower(): value for name, value in values.items()}
        per_provider = {
            field: MappingProxyType(
                {
                    source: own.pop(f"{prefix.lower()}_{suffix}", "")
                    for source, prefix in ENV_PREFIXES.items()
                }
            )
            for field, suffix in (
                ("keys", "api_key"),
                ("limits", "limits"),
                ("base_urls", "base_url"),
            )
        }
        own["log_level"] = own["log_level"].upper()
        return cls(**own, **per_provider)  # type: ignore[arg-type]

    @property
    def logs_requests(self) -> bool:
        """Whether the level of the log has room for a line a request, which is INFO."""
        return self.log_level in ("DEBUG", "INFO")

    @property
    def secrets(self) -> frozenset[str]:
        """Every secret value that is set, for masking."""
        return frozenset(
            filter(None, (*self.keys.values(), self.redis_password, self.yahoo_proxy_url))
        )

    def enabled(self, source: Source) -> bool:
        """Whether a provider can be asked: it has its key, or needs none.

        Where the keys are in Secrets Manager, plan does not know them and all count as enabled.
        """
        return bool(not FACTS[source].needs_key or self.keys[source] or self.provider_keys_secret)

    def update_period_s(self, source: Source) -> int:
        """How often it pays to ask a provider: its free tier's own period while on that tier."""
        facts = FACTS[source]
        if self.limits[source] == parse_limits(facts.free_limits):
            return max(self.price_fetch_interval, facts.free_update_s)
        return self.price_fetch_interval


def _read(setting: Setting, env: Mapping[str, str]) -> Any:
    text = env.get(setting.name, "").strip()
    try:
        return setting.read(text) if text else _default(setting)
    except ValueError as error:
        shown = (
            "(masked)" if setting.secret else repr(text if len(text) <= 80 else text[:77] + "...")
        )
        raise SettingsError(f"{setting.name}={shown} is not allowed; allowed: {error}") from None


def _default(setting: Setting) -> Any:
    return setting.read(setting.default) if setting.default else ""
