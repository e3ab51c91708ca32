"""Reading through the Lambda handler, compared with the limit and the plain way, in one process.

`limit` is one MGET of the same values by a bare redis-py client, joined into one body. All three
get the same symbols of the same Redis; both services get the same event of API Gateway.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TextIO

from redis import Redis

from tests.benchmarks.plain_way import plain_handler
from tests.benchmarks.rounds import race
from tests.benchmarks.stage import (
    SYMBOLS,
    cache_of,
    event,
    quotes_target,
    redis_of_our_own,
    store_assets,
    store_quotes,
    store_rate,
)
from tests.benchmarks.table import Row, Section, ms

ASSETS = 30_000


def measure(*, quick: bool) -> Section:
    """Time requests for 1, 10 and 100 symbols, a page of assets and a search."""
    rounds, calls = (3, 2) if quick else (60, 20)
    section = Section("Reading through the Lambda handler")
    with redis_of_our_own() as server, cache_of(server) as client:
        from functions.api.app import handler  # it connects to the Redis of its environment

        now_ms = time.time_ns() // 1_000_000
        store_assets(client, 300 if quick else ASSETS, now_ms)
        plain = plain_handler(server.host, server.port, now_ms)
        bare = Redis(server.host, server.port)
        for count in (1, 10, 100):
            store_quotes(client, server, time.time_ns() // 1_000_000)
            symbols = SYMBOLS[:count]
            asked = event(quotes_target(symbols))
            keys = [client.key("quotes", "q", symbol) for symbol in symbols]
            with quiet():
                check(handler(asked, None), plain(asked, None), count)
                result = race(
                    {
                        "service": lambda e=asked: handler(e, None),
                        "limit": lambda k=keys: limit(bare, k),
                        "plain": lambda e=asked: plain(e, None),
                    },
                    rounds,
                    calls=calls,
                    warm_up=calls,
                )
            what = f"{count} symbol{'s' if count > 1 else ''}"
            section.rows += [
                Row(f"{what}: this service", ms(result.spread("service"))),
                Row(f"{what}: bare MGET and join", ms(result.spread("limit"))),
                Row(f"{what}: the plain way", ms(result.spread("plain"))),
                Row(
                    f"{what}: service / limit",
                    result.ratio("service", "limit"),
                    "x",
                    at_most=5.0 if count == 100 else None,
                ),
                Row(
                    f"{what}: plain / service",
                    result.ratio("plain", "service"),
                    "x",
                    at_least=3.5 if count == 100 else None,
                ),
            ]
        with quiet():
            asked, in_euros = (
                event(quotes_target(SYMBOLS)),
                event(f"{quotes_target(SYMBOLS)}&currency=EUR"),
            )
            store_rate(client, time.time_ns() // 1_000_000)
            check_rates(handler(in_euros, None))
            result = race(
                {
                    "converted": lambda: handler(in_euros, None),
                    "as they are": lambda: handler(asked, None),
                },
                rounds,
                calls=calls,
                warm_up=calls,
            )
        section.rows += [
            Row("100 symbols in another currency", ms(result.spread("converted"))),
            Row(
                "100 symbols: with currency / without",
                result.ratio("converted", "as they are"),
                "x",
                at_most=3.0,
            ),
        ]
        for what, target in (
            (f"100 of {ASSETS:,} assets", "/v1/assets/stocks?limit=100"),
            (f"a search in {ASSETS:,} assets, by name", "/v1/assets/stocks?q=company+299&limit=20"),
            (f"a search in {ASSETS:,} assets, by symbol", "/v1/assets/stocks?q=x0012&limit=20"),
        ):
            asked = event(target)
            with quiet():
                assert handler(asked, None)["statusCode"] == 200
                result = race({"it": lambda e=asked: handler(e, None)}, rounds, calls=2)
            section.rows.append(Row(what, ms(result.spread("it"))))
        cold = race({"it": lambda: _first_search(handler)}, 1 if quick else 5, warm_up=0)
        section.rows.append(
            Row("the first search of a process (reads the index)", ms(cold.spread("it")))
        )
        bare.close()
    return section


def check_rates(answer: dict[str, Any]) -> None:
    """Assert that every quote is converted; otherwise the time would mean nothing."""
    quotes = json.loads(answer["body"])["quotes"]
    assert all(quote["converted"] for quote in quotes), answer["body"][:1000]


def limit(client: Redis, keys: list[str]) -> bytes:
    """Return the answer with the least work that any reader must do."""
    return b'{"quotes":[' + b",".join(client.mget(keys)) + b"]}"


def check(ours: dict[str, Any], theirs: dict[str, Any], count: int) -> None:
    """Assert that both services have answered everything; else their times mean nothing."""
    for answer in (ours, theirs):
        body = json.loads(answer["body"])
        assert len(body["quotes"]) == count, body
        assert not body["errors"], body


@cache
def _nowhere() -> TextIO:
    """Return one stream for the whole process, because the log keeps its first output stream."""
    return Path(os.devnull).open("w")


def quiet() -> contextlib.redirect_stdout[TextIO]:
    """Discard standard output, so that the log is written, as on AWS, and its time is measured."""
    return contextlib.redirect_stdout(_nowhere())


def _first_search(handler: Callable[..., Any]) -> None:
    from functions.api.app import stores

    stores.assets._indexes.clear()
    with quiet():
        handler(event("/v1/assets/stocks?q=foods&limit=20"), None)
