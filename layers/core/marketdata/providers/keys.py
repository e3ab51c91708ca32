"""The providers' keys on AWS: one secret, which only the fetch functions may read.

A key is looked up for each call, so a new key works without a deployment. The secret is read every
quarter of an hour, and again when a provider rejects a key, but then at most once a minute.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from marketdata.domain.catalogue import FACTS
from marketdata.domain.quotes import Source
from marketdata.errors import UnauthorizedError, UnavailableError
from marketdata.setting_types import api_key, proxy_url
from marketdata.settings import ENV_PREFIXES, SETTINGS

MAX_AGE_S = 900
LEAST_PAUSE_S = 60.0
YAHOO_PROXY_URL = "YAHOO_PROXY_URL"
# The calls of a slot have 3.5 seconds. A secret that does not arrive in time is read again later.
_TIMEOUT_S = 1.0


class SecretReader(Protocol):
    """A function that reads the secret."""

    def __call__(self, *, anew: bool) -> str:
        """Return the secret's text, which is kept for MAX_AGE_S unless it is read `anew`.

        Raise `UnavailableError` with AWS's message if the secret cannot be read.
        """
        ...


def takes_key(source: Source) -> bool:
    """Return whether a provider has a key at all."""
    return any(setting.name == _setting(source) for setting in SETTINGS)


def secrets_manager(name: str) -> SecretReader:
    """Return a reader of the secret with a name or ARN. This loads boto3."""
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

    `clock` returns seconds that only grow. `mask` gets every key, so that logs can mask it. Threads
    may share one object.
    """

    def __init__(
        self,
        read: SecretReader,
        clock: Callable[[], float],
        mask: Callable[[Iterable[str]], None],
    ) -> None:
        self._read = read
        self._clock = clock
        self._mask = mask
        self._lock = threading.Lock()
        self._keys: Mapping[str, object] | None = None
        self._error = ""
        self._paused_until_s = -1.0
        self._is_rejected = False

    def get(self, source: Source) -> str:
        """Return a provider's key; empty if the provider needs none and the secret has none.

        Raise `UnavailableError` while the secret was never read, and `UnauthorizedError` if a
        needed key is missing or the text cannot be a key.
        """
        with self._lock:
            self._update()
            if self._keys is None:
                raise UnavailableError(self._error)
            name = _setting(source)
            try:
                key = api_key(str(self._keys.get(name) or "").strip())
            except ValueError as error:
                raise UnauthorizedError(
                    f"{source.value}: {name} in the secret is not {error}"
                ) from None
        if FACTS[source].needs_key and not key:
            raise UnauthorizedError(f"{source.value}: the secret has no {name}")
        return key

    def yahoo_proxy_url(self) -> str:
        """Return the proxy for Yahoo, empty where the secret has none.

        Raise `UnavailableError` while the secret was never read, or if the text is not the URL of a
        proxy.
        """
        with self._lock:
            self._update()
            if self._keys is None:
                raise UnavailableError(self._error)
            try:
                text = str(self._keys.get(YAHOO_PROXY_URL) or "").strip()
                return proxy_url(text) if text else ""
            except ValueError as error:
                raise UnavailableError(f"{YAHOO_PROXY_URL} in the secret is not {error}") from None

    def note_rejected(self) -> None:
        """Note that a key was missing or rejected: the secret may hold a new one by now."""
        with self._lock:
            self._is_rejected = True

    def _update(self) -> None:
        """Read the secret, unless reading is paused. An error keeps the keys known before."""
        is_paused = self._clock() < self._paused_until_s
        if is_paused and (self._is_rejected or self._error):
            return
        anew, self._is_rejected = self._is_rejected, False
        try:
            self._keys, self._error = _parsed(self._read(anew=anew)), ""
        except UnavailableError as error:
            self._error = str(error)
        if anew or self._error:
            self._paused_until_s = self._clock() + LEAST_PAUSE_S
        self._mask(str(key) for key in (self._keys or {}).values() if key)


def _setting(source: Source) -> str:
    return f"{ENV_PREFIXES[source]}_API_KEY"


def _parsed(text: str) -> Mapping[str, object]:
    try:
        keys = json.loads(text)
    except ValueError:
        keys = None  # the error of `json` would show the text
    if not isinstance(keys, dict):
        raise UnavailableError("the secret is not a JSON object of names and keys")
    return keys
