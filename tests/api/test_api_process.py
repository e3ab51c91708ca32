"""The api as a process: what it imports, what a lost Redis costs, and uvicorn."""

import http.client
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from urllib.parse import urlsplit

import httpx

from marketdata.cache.client import connect
from marketdata.settings import Settings
from tests.support.api_service import Service

ROOT = Path(__file__).parents[2]
EVENT = ROOT / "events" / "api__http_quotes.json"
# Packages of the fetch functions, or too heavy for a cold start. Powertools imports the package
# botocore, which is small; `botocore.session` is large.
FORBIDDEN = "pandas numpy yfinance boto3 botocore.session requests curl_cffi lxml".split()
TOGETHER = 10
GUARD_S = 60.0

PROBE = """
import json, sys
import functions.api.app as app
at_import = sorted(set(sys.modules) & set({forbidden}))
from tests.support.lambda_context import LambdaContext
answer = app.handler(json.load(open({event!r})), LambdaContext())
again = app.handler(json.load(open({event!r})), LambdaContext())
from marketdata.api.serving import on_one_machine
assert len(on_one_machine().routes) >= 5
at_work = sorted(set(sys.modules) & set({forbidden}))
print(json.dumps([at_import, at_work, answer["statusCode"], answer["body"] == again["body"]]))
"""


def probe(env):
    """Return what a new process reports after it has answered two events."""
    script = PROBE.format(forbidden=FORBIDDEN, event=str(EVENT))
    done = subprocess.run(  # noqa: S603  (fixed arguments)
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'layers/core'}", "PATH": "", **env},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout.splitlines()[-1]), done.stdout


def test_the_api_imports_nothing_for_fetching(redis_server):
    """The process imports nothing that only fetching needs, neither at import nor later."""
    (at_import, at_work, status, same), _ = probe(redis_server.env())
    assert (at_import, at_work) == ([], [])
    assert (status, same) == (200, True)


def test_importing_the_api_needs_no_redis_and_no_settings():
    """The api is imported without Redis, and a request without Redis gets a 503."""
    (_, _, status, _), log = probe({"REDIS_HOST": "127.0.0.1", "REDIS_PORT": "1"})
    assert status == 503
    assert "cache unavailable" in log


def test_a_cache_that_is_gone_costs_no_time_limit(redis_server, time_limits):
    """If Redis refuses connections, the client gets its 503 without waiting for a time limit."""
    service = Service(connect(Settings.from_env(redis_server.env()), caller_time=True))
    redis_server.kill()
    for target in ("/v1/quotes?symbols=AAPL,TSLA", "/health"):
        assert service.get(target).status == 503
    assert time_limits == []


def test_a_cache_that_hangs_costs_one_time_limit(redis_server, time_limits):
    """If Redis hangs, a request costs one time limit, with or without an open connection."""
    service = Service(connect(Settings.from_env(redis_server.env()), caller_time=True))
    service.price("AAPL")
    for connected in (True, False):
        redis_server.pause()
        if not connected:
            service.stores.cache.close()
        for target in ("/v1/quotes?symbols=AAPL,TSLA", "/v1/providers", "/health"):
            time_limits.clear()
            assert service.get(target).status == 503
            assert len(time_limits) == 1
        redis_server.resume()
        assert service.get("/v1/quotes?symbols=AAPL").status == 200


def test_uvicorn_serves_the_app(cache):
    """HEAD, gzip, 304 and problems work over one connection to uvicorn."""
    symbols = [f"S{number}" for number in range(50)]
    service = Service(cache)
    service.price(*symbols)
    with service.served() as origin:
        connection = http.client.HTTPConnection(urlsplit(origin).netloc)
        target = f"/v1/quotes?symbols={','.join(symbols)}"

        def ask(method, path, **headers):
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            return response, response.read(), connection.sock

        got, body, first_socket = ask("GET", target)
        assert (got.status, len(json.loads(body)["quotes"])) == (200, 50)
        head, nothing, _ = ask("HEAD", target)
        assert (head.status, nothing) == (200, b"")
        assert head.headers["content-length"] == str(len(body))
        packed, small, _ = ask("GET", target, **{"Accept-Encoding": "gzip"})
        assert (packed.headers["content-encoding"], len(small) < len(body)) == ("gzip", True)
        known, nothing, _ = ask("GET", target, **{"If-None-Match": got.headers["etag"]})
        assert (known.status, nothing) == (304, b"")
        lost, _, _ = ask("GET", "/nope")
        assert lost.headers["content-type"] == "application/problem+json"
        pair, _, last_socket = ask("GET", "/v1/quotes/EUR%2FUSD")
        assert pair.status == 404
        assert last_socket is first_socket
        connection.close()


def test_readers_do_not_wait_for_each_other(cache, monkeypatch):
    """Ten requests are at the cache at the same time."""
    service = Service(cache)
    service.price("AAPL")
    all_there, many = Barrier(TOGETHER, timeout=GUARD_S), service.stores.cache.many

    def wait_for_all(*args, **how):
        all_there.wait()
        return many(*args, **how)

    monkeypatch.setattr(service.stores.cache, "many", wait_for_all)
    with service.served() as origin, httpx.Client(timeout=GUARD_S) as client:
        urls = [f"{origin}/v1/quotes?symbols=AAPL"] * TOGETHER
        with ThreadPoolExecutor(TOGETHER) as pool:
            replies = list(pool.map(client.get, urls))
    assert {reply.status_code for reply in replies} == {200}


def test_a_hundred_quotes_cost_one_round_trip(cache):
    """Behind the gateway 100 quotes cost one round trip, except for the first in a minute."""
    symbols = [f"S{number}" for number in range(100)]
    service = Service(cache, ACTIVE_SYMBOLS=",".join(symbols[:50]))
    service.price(*symbols)
    event = json.loads(EVENT.read_text(encoding="utf-8"))
    event["rawQueryString"] = f"symbols={','.join(symbols)}"
    costs = []
    with service.behind_gateway() as handler:
        for _ in range(3):
            before = cache.round_trips
            answer = handler(event, None)
            costs.append(cache.round_trips - before)
    assert len(json.loads(answer["body"])["quotes"]) == 100
    # The first request of a minute reads which symbols are listed, and notes the watched ones. The
    # note is a script, which is sent once.
    assert costs == [4, 1, 1]
