"""The interface of a provider: three steps, of which only `send` uses the network.

`build_*` and `parse_*` are pure: instruments to a request, a response to quotes and reasons.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from marketdata.domain.assets import Listing
from marketdata.domain.catalogue import Instrument
from marketdata.domain.outcomes import MissingQuote
from marketdata.domain.quotes import Quote, Source
from marketdata.domain.symbols import AssetClass
from marketdata.errors import CallsSpentError

# Returns a provider's present key; empty if it has none. A provider calls this for each request and
# each answer, because a key in Secrets Manager may change while the process lives. Raises
# `UnauthorizedError` if a needed key is missing, `UnavailableError` if the key cannot be read.
KeyLookup = Callable[[], str]

# The longest answers that are accepted, unpacked. A row of a quote has at most 4 KB, and a call
# asks for at most 250 symbols. The longest list has about 10 MB.
MOST_QUOTE_BYTES = 2 * 1024 * 1024
MOST_LIST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One call. `params` and `headers` may hold keys, so neither is ever shown by `repr`.

    `most_bytes`: a longer answer is not read to its end.
    """

    url: str
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    method: str = "GET"
    json: Any = field(default=None, repr=False)
    most_bytes: int = MOST_QUOTE_BYTES


@dataclass(frozen=True, slots=True)
class Response:
    """One complete answer. `headers` has lower-case names.

    `secrets`: secret values of the request besides the provider's key. `note`: what went wrong on
    the way to this answer, for people; it holds no secret.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """The content of one answer: quotes, and a reason for each instrument that has none.

    `bad_rows`: the reasons of instruments whose rows cannot be used; they are not in `missing`.
    `not_entitled` names the symbols that the plan excludes; they are not asked again for a day.
    `hold_s`: the answer's rate-limit headers say that nothing is left for so many seconds.
    `note`: what is wrong at the provider although there is an answer; empty if nothing is.
    """

    quotes: tuple[Quote, ...]
    missing: tuple[MissingQuote, ...] = ()
    not_entitled: tuple[str, ...] = ()
    hold_s: float | None = None
    bad_rows: tuple[MissingQuote, ...] = ()
    note: str = ""


def no_key() -> str:
    """Return the key of a provider that is called without one."""
    return ""


class CallAllowance:
    """Counts the HTTP requests that an attempt may make at a provider.

    Each request is counted before it is sent, so no attempt makes more requests than it was
    granted. Threads may share one object.
    """

    def __init__(self, calls: int) -> None:
        self._lock = threading.Lock()
        self._granted = calls
        self._used = 0
        self._unsent = 0
        self._closed = False

    @property
    def left(self) -> int:
        """How many more requests may be made."""
        with self._lock:
            return 0 if self._closed else self._granted - self._used

    @property
    def used(self) -> int:
        """How many requests were made."""
        with self._lock:
            return self._used

    @property
    def unsent(self) -> int:
        """How many of these never reached the provider, so that it cannot have counted them."""
        with self._lock:
            return self._unsent

    def note_unsent(self) -> None:
        """Note that a request that was taken never reached the provider."""
        with self._lock:
            self._unsent += 1

    def take(self, host: str) -> None:
        """Count one request to a host; raise `CallsSpentError` if none is left."""
        with self._lock:
            if self._closed or self._used >= self._granted:
                raise CallsSpentError(
                    f"{host}: not asked, because the {self._granted} calls of this attempt are used"
                )
            self._used += 1

    def close(self) -> int:
        """End the attempt, so that no late thread makes a request; return how many it made."""
        with self._lock:
            self._closed = True
            return self._used


class Sender(Protocol):
    """The only step that uses the network. Any HTTP status is a response; none is an error."""

    def warm(self) -> None:
        """Load now what the first call would load, so that the first call is not slower."""
        ...

    def send(
        self, request: Request, timeout_s: float, allowance: CallAllowance | None = None
    ) -> Response:
        """Return the response, whatever its status.

        Each HTTP request is taken from `allowance`; without one, the call makes as many as it may
        need at most. Raise `UnavailableError`, naming the host and what happened, when there is no
        response within `timeout_s` seconds in all, and `CallsSpentError` when the allowance ends.
        """
        ...


class Provider(Protocol):
    """One provider's formats. Its only state is its base URL and the way to look up its key."""

    @property
    def source(self) -> Source:
        """The provider's name in quotes."""
        ...

    def build_request(self, batch: Sequence[Instrument]) -> Request:
        """Return the one call that prices a batch, as `catalogue.batches` groups it."""
        ...

    def parse(
        self, batch: Sequence[Instrument], response: Response, fetched_at: datetime
    ) -> Parsed:
        """Return quotes and reasons: each instrument in one of quotes, missing and bad rows.

        Raises a `ProviderError` when the answer as a whole yields nothing.
        """
        ...

    def build_asset_requests(self, asset_class: AssetClass) -> tuple[Request, ...]:
        """Return the calls that list a class; none where this provider lists no such class."""
        ...

    def parse_assets(
        self, asset_class: AssetClass, responses: Sequence[Response]
    ) -> tuple[Listing, ...]:
        """Return the rows of those calls' answers, in the provider's order.

        Raises a `ProviderError` when an answer is not a list.
        """
        ...
