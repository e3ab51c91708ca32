"""Settings: one frozen model, read once from the environment and checked by name.

Each field is the setting of the same name in upper case. Its default is the text in `.env.example`,
and its description is the meaning. Tests compare `.env.example` and README's table
with the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple, Self
from urllib.parse import unquote, urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)

from marketdata.clock import DAY_S
from marketdata.domain.budget import Limit, parse_limits
from marketdata.domain.catalogue import FACTS
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import Symbol
from marketdata.errors import SettingsError
from marketdata.redaction import MASK, redact
from marketdata.setting_types import (
    addresses,
    api_key,
    boolean,
    host_or_name,
    int_between,
    one_of,
    proxy_url,
    symbols,
    url,
)

DEFAULT_ACTIVE_SYMBOLS = (
    "AAPL,MSFT,GOOGL,AMZN,NVDA,META,TSLA,BRK.B,JPM,V,"
    "BTC-USD,ETH-USD,SOL-USD,XRP-USD,BNB-USD,DOGE-USD,"
    "EUR/USD,GBP/USD,USD/JPY,USD/CHF"
)

# How the settings of each provider begin.
ENV_PREFIXES: Mapping[Source, str] = MappingProxyType(
    {
        Source.YFINANCE: "YAHOO",
        Source.FINNHUB: "FINNHUB",
        Source.COINGECKO: "COINGECKO",
        Source.COINMARKETCAP: "COINMARKETCAP",
        Source.ALPHA_VANTAGE: "ALPHA_VANTAGE",
    }
)
MONTH_S = 31 * DAY_S
_SHOWN_CHARACTERS = 80

ApiKey = Annotated[str, PlainValidator(api_key)]
BaseUrl = Annotated[str, PlainValidator(url)]
Boolean = Annotated[bool, PlainValidator(boolean)]
Limits = Annotated[tuple[Limit, ...], PlainValidator(parse_limits)]
HostOrName = Annotated[str, PlainValidator(host_or_name)]
Port = Annotated[int, PlainValidator(int_between(1, 65535))]
LongSpan = Annotated[int, PlainValidator(int_between(60, MONTH_S))]


def _setting(default: str, meaning: str, *, secret: bool = False) -> Any:
    """Return a field with its default as text."""
    return Field(default, description=meaning, json_schema_extra={"secret": secret})


def _limits(source: Source) -> Any:
    return _setting(
        FACTS[source].free_limits,
        f"most calls to {source.value}, as COUNT/WINDOW, comma-separated",
    )


class Settings(BaseModel):
    """The values of all settings. Use `from_env` to make one."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    redis_host: HostOrName = _setting("redis", "host of the Redis server")
    redis_port: Port = _setting("6379", "port of the Redis server")
    redis_tls: Boolean = _setting("false", "whether the connection to Redis uses TLS")
    redis_auth: Annotated[str, PlainValidator(one_of("none", "password", "iam"))] = _setting(
        "none", "how to sign in to Redis: none, password or iam"
    )
    redis_username: str = _setting(
        "", "user name in Redis: required for iam, optional for password"
    )
    redis_password: str = _setting(
        "", "password in Redis: required for REDIS_AUTH=password", secret=True
    )
    redis_cache_name: str = _setting("", "name of the cache in ElastiCache: required for iam")
    redis_cluster: Boolean = _setting("false", "whether Redis runs in cluster mode")
    redis_prefix: HostOrName = _setting(
        "mda", "first part of every key in Redis, so that several services can share a Redis"
    )

    finnhub_api_key: ApiKey = _setting(
        "", "key of Finnhub; without a key Finnhub is not used", secret=True
    )
    coinmarketcap_api_key: ApiKey = _setting(
        "", "key of CoinMarketCap; without a key CoinMarketCap is not used", secret=True
    )
    alpha_vantage_api_key: ApiKey = _setting(
        "", "key of Alpha Vantage; without a key Alpha Vantage is not used", secret=True
    )
    coingecko_api_key: ApiKey = _setting(
        "", "key of CoinGecko; CoinGecko is used without a key, too", secret=True
    )
    provider_keys_secret: str = _setting(
        "", "secret in Secrets Manager with the keys of the providers, on AWS"
    )

    circuit_breaker_timeout: Annotated[int, PlainValidator(int_between(1, DAY_S))] = _setting(
        "300", "seconds that a failing provider is paused before one test call"
    )
    price_fetch_interval: Annotated[int, PlainValidator(int_between(5, DAY_S))] = _setting(
        "5", "least seconds between two prices of a symbol"
    )
    asset_list_update_interval: LongSpan = _setting(
        "86400", "seconds between two refreshes of the asset lists"
    )
    active_symbols: Annotated[tuple[Symbol, ...], PlainValidator(symbols)] = _setting(
        DEFAULT_ACTIVE_SYMBOLS, "symbols that are always priced"
    )
    quote_ttl: Annotated[int, PlainValidator(int_between(1, 7 * DAY_S))] = _setting(
        "300", "seconds until a quote counts as stale"
    )
    quote_retention: LongSpan = _setting("604800", "seconds that a quote is kept")
    assets_ttl: LongSpan = _setting("86400", "seconds until an asset list counts as stale")

    yahoo_limits: Limits = _limits(Source.YFINANCE)
    finnhub_limits: Limits = _limits(Source.FINNHUB)
    coingecko_limits: Limits = _limits(Source.COINGECKO)
    coinmarketcap_limits: Limits = _limits(Source.COINMARKETCAP)
    alpha_vantage_limits: Limits = _limits(Source.ALPHA_VANTAGE)

    yahoo_base_url: BaseUrl = _setting("", "origin that replaces every Yahoo host")
    yahoo_proxy_url: Annotated[str, PlainValidator(proxy_url)] = _setting(
        "",
        "proxy for the calls to Yahoo, with user name and password if it needs them",
        secret=True,
    )
    finnhub_base_url: BaseUrl = _setting("https://finnhub.io/api/v1", "Finnhub's API")
    coingecko_base_url: BaseUrl = _setting("https://api.coingecko.com/api/v3", "CoinGecko's API")
    coinmarketcap_base_url: BaseUrl = _setting(
        "https://pro-api.coinmarketcap.com", "CoinMarketCap's API"
    )
    alpha_vantage_base_url: BaseUrl = _setting("https://www.alphavantage.co", "Alpha Vantage's API")

    archive_bucket: str = _setting("", "S3 bucket for the last good asset lists, on AWS")
    archive_folder: str = _setting(
        "",
        "folder for the last good asset lists without a bucket; if empty, .local/<market>/archive",
    )
    metrics_service: str = _setting(
        "",
        "value of the dimension `service` in all metrics; without a value no metrics are written",
    )
    log_level: Annotated[str, PlainValidator(one_of("DEBUG", "INFO", "WARNING", "ERROR"))] = (
        _setting("INFO", "lowest level of lines in the log: DEBUG, INFO, WARNING or ERROR")
    )
    api_is_public: Boolean = _setting(
        "true", "whether everybody may read the API; then shared caches may store answers"
    )

    market: Annotated[str, PlainValidator(one_of("simulated", "live"))] = _setting(
        "live", "which prices are served: simulated or live"
    )
    host: Annotated[tuple[str, ...], PlainValidator(addresses)] = _setting(
        "localhost",
        "addresses that the API listens on, on one machine; localhost is 127.0.0.1 and ::1",
    )
    port: Port = _setting("8000", "port that the API listens on, on one machine")

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Return the settings of an environment, with defaults for what it does not set.

        An empty value counts as not set. Raise `SettingsError` with the name, the value (masked if
        secret) and what is allowed.
        """
        texts = {name.lower(): env.get(name, "").strip() for name in SETTINGS_BY_NAME}
        texts = {field: text for field, text in texts.items() if text}
        try:
            return cls.model_validate(texts)
        except ValidationError as error:
            raise SettingsError(_message(error, texts)) from None

    @model_validator(mode="after")
    def _has_what_its_auth_needs(self) -> Self:
        """Check that each way to sign in to Redis has the settings that it needs."""
        needed = {
            "none": (),
            "password": ("redis_password",),
            "iam": ("redis_username", "redis_cache_name", "redis_tls"),
        }[self.redis_auth]
        missing = [field.upper() for field in needed if not getattr(self, field)]
        if missing:
            names = " and ".join(missing).replace("REDIS_TLS", "REDIS_TLS=true")
            raise ValueError(
                f"REDIS_AUTH={self.redis_auth} is not allowed without {names}; allowed: set "
                f"{'them' if missing[1:] else 'it'}, or REDIS_AUTH=none if Redis asks for no "
                "password"
            )
        return self

    @property
    def keys(self) -> Mapping[Source, str]:
        """The key of each provider; empty for one without."""
        return {source: self._of(source, "api_key") for source in Source}

    @property
    def limits(self) -> Mapping[Source, tuple[Limit, ...]]:
        """The limits of each provider."""
        return {source: self._of(source, "limits") for source in Source}

    @property
    def base_urls(self) -> Mapping[Source, str]:
        """The base URL of each provider; empty for Yahoo's own hosts."""
        return {source: self._of(source, "base_url") for source in Source}

    @property
    def archive_path(self) -> str:
        """The folder of the archive where there is no bucket."""
        return self.archive_folder or f".local/{self.market}/archive"

    @property
    def logs_requests(self) -> bool:
        """Whether the log has a line for each request: at level INFO and below."""
        return self.log_level in ("DEBUG", "INFO")

    @property
    def secrets(self) -> frozenset[str]:
        """Every secret value that is set, and the password of a proxy, for masking."""
        values = {getattr(self, name.lower()) for name, it in SETTINGS_BY_NAME.items() if it.secret}
        password = urlsplit(self.yahoo_proxy_url).password or ""
        return frozenset(filter(None, (*values, password, unquote(password))))

    def enabled(self, source: Source) -> bool:
        """Return whether a provider can be asked: it has its key, or needs none.

        If the keys are in Secrets Manager, plan cannot know them, so all count as enabled.
        """
        return bool(
            not FACTS[source].needs_key or self._of(source, "api_key") or self.provider_keys_secret
        )

    def update_period_s(self, source: Source) -> int:
        """Return how many seconds lie between two useful calls of a provider."""
        facts = FACTS[source]
        if self._of(source, "limits") == parse_limits(facts.free_limits):
            return max(self.price_fetch_interval, facts.free_update_s)
        return self.price_fetch_interval

    def _of(self, source: Source, suffix: str) -> Any:
        """Return a provider's own setting; empty if it has no such setting."""
        return getattr(self, f"{ENV_PREFIXES[source].lower()}_{suffix}", "")

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Show no secret in `repr` and `str`."""
        for field, value in super().__repr_args__():
            is_secret = field is not None and SETTINGS_BY_NAME[field.upper()].secret
            yield field, MASK if is_secret and value else value


class Setting(NamedTuple):
    """The facts of one setting for documents and tests. A `secret` is never shown."""

    name: str
    default: str
    meaning: str
    secret: bool


SETTINGS = tuple(
    Setting(
        field.upper(),
        info.default,
        info.description or "",
        info.json_schema_extra == {"secret": True},
    )
    for field, info in Settings.model_fields.items()
)
SETTINGS_BY_NAME: Mapping[str, Setting] = MappingProxyType(
    {setting.name: setting for setting in SETTINGS}
)


def _message(error: ValidationError, texts: Mapping[str, str]) -> str:
    """Return the text for the first thing that is wrong."""
    first = error.errors(include_url=False)[0]
    reason = first["ctx"]["error"] if "error" in first.get("ctx", {}) else first["msg"]
    if not first["loc"]:
        return str(reason)
    field = str(first["loc"][0])
    setting = SETTINGS_BY_NAME[field.upper()]
    text = texts.get(field, setting.default)
    if len(text) > _SHOWN_CHARACTERS:
        text = text[: _SHOWN_CHARACTERS - 3] + "..."
    shown = "(masked)" if setting.secret else repr(redact(text))
    return f"{setting.name}={shown} is not allowed; allowed: {reason}"
