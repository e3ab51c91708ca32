"""Starts that fail: one line that says what to do, exit code 2, and no process left."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from local.service.redis_server import free_port
from tests.support.running_service import RunningService, eventually

BAD_KEY = "planted\tkey"


def taken(stack: ExitStack) -> str:
    """Return a port with a listener that is not Redis and never answers."""
    listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    return str(listener.getsockname()[1])


@pytest.fixture(scope="module")
def failed_starts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, RunningService]]:
    """Services that cannot start, started together, each with a home of its own."""
    with ExitStack() as stack:
        port, redis_port, nobody = taken(stack), taken(stack), str(free_port())
        environments = {
            "taken port": {"PORT": port},
            "bad port": {"PORT": "abc"},
            "bad limits": {"YAHOO_LIMITS": "5/fortnight"},
            "bad key": {"FINNHUB_API_KEY": BAD_KEY},
            "bad market": {"MARKET": "imaginary"},
            "no password": {"REDIS_AUTH": "password"},
            "foreign address": {"HOST": "192.0.2.1"},
            "taken redis port": {"REDIS_PORT": redis_port},
            "silent redis": {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": nobody},
            "unknown redis host": {"REDIS_HOST": "redis.invalid"},
        }
        yield {
            name: stack.enter_context(RunningService(tmp_path_factory.mktemp("home"), **env))
            for name, env in environments.items()
        }


REFUSALS = {
    "taken port": "PORT={PORT} is taken; choose another, for example PORT={next} make start",
    "bad port": "PORT='abc' is not allowed; allowed: a whole number from 1 to 65535",
    "bad limits": "YAHOO_LIMITS='5/fortnight' is not allowed; allowed: ",
    "bad key": "FINNHUB_API_KEY=(masked) is not allowed; allowed: ",
    "bad market": "MARKET='imaginary' is not allowed; allowed: one of simulated, live",
    "no password": "REDIS_AUTH=password is not allowed without REDIS_PASSWORD; allowed: ",
    "foreign address": "HOST=192.0.2.1 is not an address of this machine",
    "taken redis port": "REDIS_PORT={REDIS_PORT} is taken: free it, or choose another REDIS_PORT",
    "silent redis": "Redis at 127.0.0.1:{REDIS_PORT}: ",
    "unknown redis host": "Redis at redis.invalid:{REDIS_PORT}: ",
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_start_that_cannot_succeed_ends_with_one_line(failed_starts, name):
    """A failed start prints one line with the setting, its value and what is allowed."""
    service = failed_starts[name]
    assert service.wait() == 2
    errors = [line for line in service.output.splitlines() if not line.startswith("market  ")]
    assert len(errors) == 1, service.output
    following = str(int(service.env["PORT"]) + 1) if name == "taken port" else ""
    expected = REFUSALS[name].format(**service.env, next=following)
    assert errors[0].startswith(f"error: {expected}")
    assert BAD_KEY not in service.output
    left = [path.name for path in (service.home / ".local").rglob("*") if path.is_file()]
    assert left == []


def test_a_redis_that_is_named_and_silent_is_explained(failed_starts):
    """The line for a Redis that does not answer says how to start without it."""
    failed_starts["silent redis"].wait()
    assert (
        failed_starts["silent redis"]
        .output.rstrip()
        .endswith(
            "start it, correct the settings REDIS_*, or unset REDIS_HOST to have one started here"
        )
    )


def test_ctrl_c_ends_a_start_under_way(tmp_path):
    """SIGINT during a start ends all processes with exit code 0."""
    with RunningService(tmp_path) as service:
        service.wait_for("redis   ")
        eventually(lambda: "market" in service.children(), "the market")
        assert service.end(signal.SIGINT) == 0
        assert service.output.rstrip().endswith("stopped")
        assert "Traceback" not in service.output
