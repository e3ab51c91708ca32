"""A simulated market whose providers can be hostile: they repeat the requests they received.

Keys, crumbs and cookies are in bodies, headers and redirects, with every status, so that any part
of an answer that is shown would show a secret.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

import pytest

from local.simulator import MarketServers
from local.simulator import servers as market_servers
from local.simulator.gate import Gate, Wire
from local.simulator.market import Market
from local.simulator.wire import Manner, Reply, Request
from marketdata.domain.quotes import Source
from marketdata.settings import ENV_PREFIXES

KEYS = {
    f"{ENV_PREFIXES[source]}_API_KEY": f"planted-{source.value}-4f7c2"
    for source in Source
    if source is not Source.YFINANCE
}
STATUSES = (200, 302, 400, 401, 403, 429, 500)
BODIES = (
    '{"Information": "We have detected your API key as %s and"}',
    '{"Error Message": "%s"}',
    '{"error": "%s"}',
    '{"status": {"error_code": 1001, "error_message": "%s"}, "error": "%s"}',
    '{"status": {"error_code": 429, "error_message": "%s"}}',
    '{"finance": {"error": {"code": "Unauthorized", "description": "%s"}}}',
    '{"quoteResponse": {"result": null, "error": {"code": "%s", "description": "%s"}}}',
    '{"c": "%s", "t": "%s"}',
    '[{"symbol": "%s", "price": "%s"}]',
    '{"%s": {"usd": "%s"}}',
    '{"cut": "%s',
    "<html>%s</html>",
    "%s",
)
WAYS = tuple(itertools.product(STATUSES, BODIES))


@dataclass
class Hostility:
    """The secrets that arrived, and how calls are answered: normally while `ways` is None.

    Each call takes the next of its provider's ways, a status and a body.
    """

    arrived: set[str] = field(default_factory=set)
    answers: Counter[Source] = field(default_factory=Counter)
    ways: dict[Source, Iterator[tuple[int, str]]] | None = None

    def begin(self) -> None:
        """Make all answers hostile; every provider begins with another way."""
        self.ways = {
            source: itertools.cycle(WAYS[9 * place :] + WAYS[: 9 * place])
            for place, source in enumerate(Source)
        }

    def reply(self, source: Source, request: Request) -> Reply | None:
        """A hostile answer, or None while answers are normal."""
        self._note(request)
        if self.ways is None:
            return None
        self.answers[source] += 1
        status, body = next(self.ways[source])
        query = "&".join(f"{name}={value}" for name, value in request.query.items())
        headers = [f"{name}: {value}" for name, value in request.headers.items()]
        whole = f"{request.path}?{query} {' '.join(headers)}"
        # An excerpt shows the beginning of a body, so that is where the secrets are.
        echoes = (f"{' '.join(headers[::-1])} {whole}", f"?{query}", " ".join(_secrets(request)))
        echoed = json.dumps(echoes[self.answers[source] % 3])[1:-1]
        target = f"http://127.0.0.1:9{request.path}?{quote(query, safe='=&')}"
        manner = Manner.REFUSE if self.answers[source] % 10 == 0 else Manner.WHOLE
        return Reply(
            status,
            body.replace("%s", echoed).encode(),
            headers=(("location", target), ("retry-after", "1"), ("x-sent", echoed)),
            manner=manner,
        )

    def secrets(self, *more: str) -> set[str]:
        """Every secret in each spelling in which a text can show it."""
        plain = {*KEYS.values(), *self.arrived, *more}
        return {
            spelling
            for secret in plain
            for spelling in (secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1])
        }

    def _note(self, request: Request) -> None:
        self.arrived |= set(_secrets(request))


def _secrets(request: Request) -> list[str]:
    """The values of the key, the crumb and the cookie of a request."""
    sent = {**request.headers, **request.query}
    secrets = [value for name, value in sent.items() if re.search("key|token|crumb", name)]
    return secrets + [cookie.partition("=")[2] for cookie in [sent.get("cookie", "")] if cookie]


@contextmanager
def hostile_market(**market: object) -> Iterator[tuple[MarketServers, Hostility]]:
    """A market, and what makes it hostile; arguments are those of `MarketServers`."""
    hostility = Hostility()

    class HostileGate(Gate):
        def __init__(self, market: Market, wire: Wire) -> None:
            super().__init__(market, wire)
            self.source = wire.source

        def handle(self, request: Request) -> Reply:
            """The hostile answer, or the normal one."""
            return hostility.reply(self.source, request) or super().handle(request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(market_servers, "Gate", HostileGate)
        servers = MarketServers(**market)
        with servers:
            yield servers, hostility
