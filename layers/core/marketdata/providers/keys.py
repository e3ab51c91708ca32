"""The providers' keys on AWS: one secret, which the fetch functions alone may read.

A key is looked up for each call, so that a new one works without a deployment. The secret is read
every quarter of an hour, and once more when a provider refuses a key; where reading brings no
better one, a minute passes before the next try.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

from marketdata.domain.assets import Listing
from marketdata.domain.catalogue import FACTS, Instrument
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.errors import UnauthorizedError, UnavailableError
from marketdata.providers.contract import Parsed, Provider, Request, Response
from marketdata.setting_types import api_key, proxy_url
from marketdata.settings import ENV_PREFIXES, SETTINGS

MAX_AGE_S = 900
LEAST_PAUSE_S = 60.0
YAHOO_PROXY_URL = "YAHOO_PROXY_URL"
# A slot has 3.5 seconds; a secret that does not come in time is asked for again later.
_TIMEOUT_S = 1.0


class Read(Protocol):
    """What reads the secret."""

    def __call__(self, *, anew: bool) -> str:
        """Its text, kept for MAX_AGE_S unless it shall be read `anew`.

        Raises `UnavailableError`, with what AWS says, when it cannot be read.
        """
        ...


def takes_key(source: Source) -> bool:
    """Whether a provider knows keys at all."""
    return any(setting.name == _setting(source) for setting in SETTINGS)


def secrets_manager(name: str) -> Read:
    """What reads the secret of that name or ARN; making it loads boto3."""
    from aws_lambda_powertools.utilities.parameters import SecretsProvider  # noqa: PLC0415
    from aws_lambda_powertools.utilities.parameters.exceptions import (  # noqa: PLC0415
        GetParameterError,
    )
    from botocore.config import Config  # noqa: PLC0415

    provider = SecretsProvider(
        boto_config=Config(
            connect_timeout=_TIMEOUT_S, read_timeout=_TIMEOUT_S, retries={"total_max_attempts": 2}
        )
    )

    def read(*, anew: bool) -> str:
        try:
            return str(provider.get(name, max_age=MAX_AGE_S, force_fetch=anew))
        except GetParameterError as error:
            raise UnavailableError(
                f"the keys in Secrets Manager cannot be read: {error}"
            ) from error

    return read


class SecretKeys:
    """The keys in a secret, a JSON object by names of settings: `{"FINNHUB_API_KEY": "..."}`.

    `clock`: seconds that only grow. `learned` is told every key, so
    that logs can mask it. Threads may share it.
    """

    def __init__(
        self, read: Read, clock: Callable[[], float], learned: Callable[[Iterable[str]], None]
    ) -> None:
        self._read = read
        self._clock = clock
        self._learned = learned
        self._lock = threading.Lock()
        self._keys: Mapping[str, object] | None = None
        self._trouble = ""
        self._quiet_until_s = -1.0
        self._wanted_anew = False

    def get(self, source: Source) -> str:
        """A provider's key; empty where the secret has none.

        Raises `UnavailableError` while the secret was never read, and `UnauthorizedError` for a key
        that is none.
        """
        with self._lock:
            self._look()
            if self._keys is None:
                raise UnavailableError(self._trouble)
            name = _setting(source)
            try:
                return api_key(str(self._keys.get(name) or "").strip())
            except ValueError as error:
                raise UnauthorizedError(
                    f"{source.value}: {name} in the secret is not {error}"
                ) from None

    def yahoo_proxy_url(self) -> str:
        """Return the proxy for Yahoo, empty where the secret has none.

        Raise `UnavailableError` while the secret was never read, or if it holds no proxy's URL.
        """
        with self._lock:
            self._look()
            if self._keys is None:
                raise UnavailableError(self._trouble)
            try:
                text = str(self._keys.get(YAHOO_PROXY_URL) or "").strip()
                return proxy_url(text) if text else ""
            except ValueError as error:
                raise UnavailableError(f"{YAHOO_PROXY_URL} in the secret is not {error}") from None

    def refused(self) -> None:
        """Note that a key was missing or refused: the secret may hold a better one by now."""
        with self._lock:
            self._wanted_anew = True

    def _look(self) -> None:
        """Read the secret, unless it must be left alone; an error keeps the keys known before."""
        quiet = self._clock() < self._quiet_until_s
        if quiet and (self._wanted_anew or self._trouble):
            return
        anew, self._wanted_anew = self._wanted_anew, False
        try:
            self._keys, self._trouble = _parsed(self._read(anew=anew)), ""
        except UnavailableError as error:
            self._trouble = str(error)
        if anew or self._trouble:
            self._quiet_until_s = self._clock() + LEAST_PAUSE_S
        self._learned(str(key) for key in (self._keys or {}).values() if key)


class KeyedProvider:
    """A provider whose key may change while the process lives. `make` makes it with a given key."""

    def __init__(self, source: Source, make: Callable[[str], Provider], keys: SecretKeys) -> None:
        self._source = source
        self._make = make
        self._keys = keys

    @property
    def source(self) -> Source:
        """Which of the five it is."""
        return self._source

    def build_request(self, batch: Sequence[Instrument]) -> Request:
        """As the provider does; `UnauthorizedError` where there is no key and it needs one."""
        with self._with_key() as provider:
            return provider.build_request(batch)

    def parse(
        self, batch: Sequence[Instrument], response: Response, fetched_at: datetime
    ) -> Parsed:
        """As the provider does."""
        with self._with_key() as provider:
            return provider.parse(batch, response, fetched_at)

    def build_asset_requests(self, asset_class: AssetClass) -> tuple[Request, ...]:
        """As the provider does; `UnauthorizedError` where there is no key and it needs one."""
        with self._with_key() as provider:
            return provider.build_asset_requests(asset_class)

    def parse_assets(
        self, asset_class: AssetClass, responses: Sequence[Response]
    ) -> tuple[Listing, ...]:
        """As the provider does."""
        with self._with_key() as provider:
            return provider.parse_assets(asset_class, responses)

    @contextmanager
    def _with_key(self) -> Iterator[Provider]:
        try:
            yield self._make(self._key())
        except UnauthorizedError:
            self._keys.refused()
            raise

    def _key(self) -> str:
        key = self._keys.get(self._source)
        if FACTS[self._source].needs_key and not key:
            name = _setting(self._source)
            raise UnauthorizedError(f"{self._source.value}: the secret has no {name}")
        return key


def _setting(source: Source) -> str:
    return f"{ENV_PREFIXES[source]}_API_KEY"


def _parsed(text: str) -> Mapping[str, object]:
    try:
        keys = json.loads(text)
    except ValueError:
        keys = None  # the error would quote the text
    if not isinstance(keys, dict):
        raise UnavailableError("the secret is not a JSON object of names and keys")
    return keys
