"""The Redis client against real servers that answer, reject, hang, restart and change roles."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from marketdata.cache import scripts
from marketdata.cache.client import (
    ANSWER_TIMEOUT_S,
    CONNECT_TIMEOUT_S,
    RETRIES,
    RETRY_PAUSE_S,
    Cache,
    ScriptCall,
    connect,
)
from marketdata.errors import CacheUnavailableError, WrongTypeError
from marketdata.settings import Settings
from tests.support.redis_servers import AnsweringServer, Doorway

Env = Callable[..., dict[str, str]]


@pytest.fixture(params=["plain", "cluster"])
def own_server(request, start_redis):
    """A server of this test alone, which the test may stop."""
    return start_redis(clustered=request.param == "cluster")


def cache_on(server, **settings: str) -> Cache:
    """The program's client of a server."""
    return connect(Settings.from_env(server.env(**settings)))


def fail(cache: Cache) -> None:
    """Assert that a read fails."""
    with pytest.raises(CacheUnavailableError, match=cache.address):
        cache.many([("GET", cache.key("quotes", "x")), ("GET", cache.key("control", "x"))])


def test_a_command_answers_in_bytes(cache: Cache):
    """Values come back as the bytes that were stored."""
    cache.command("SET", cache.key("quotes", "AAPL"), "1.5")
    assert cache.command("GET", cache.key("quotes", "AAPL")) == b"1.5"


def test_many_keys_of_different_tags_need_one_round_trip(cache: Cache):
    """Commands on keys of different slots are sent together and answered in order."""
    names = [cache.key(tag, "x") for tag in ("control", "quotes", "assets:crypto")]
    cache.ping()
    before = cache.round_trips
    cache.many([("SET", name, name) for name in names])
    assert cache.round_trips - before == 1
    assert cache.many([("GET", name) for name in names]) == [name.encode() for name in names]


def test_the_error_of_a_rejected_command_names_the_server(cache: Cache):
    """A command that Redis rejects becomes our error, with the address."""
    name = cache.key("quotes", "x")
    cache.command("SET", name, "1")
    with pytest.raises(CacheUnavailableError, match=cache.address):
        cache.many([("GET", name), ("HGETALL", name)])


def test_a_script_that_the_server_does_not_know_is_sent_whole_once(cache: Cache):
    """The first use of a script costs two round trips, and each later one costs one."""
    call = ScriptCall("refresh_claim", [cache.key("control", "refreshed")], [1, 1000, 0])
    cache.ping()
    costs = []
    for _ in range(2):
        before = cache.round_trips
        cache.many([call, ("GET", cache.key("quotes", "x"))])
        costs.append(cache.round_trips - before)
    assert costs == [2, 1]


def test_an_include_is_put_in_place():
    """A loaded script contains the text of its included files and no include line."""
    text = scripts.load("attempts_take")
    assert "-- include:" not in text
    assert (scripts.FOLDER / "budget_windows.lua").read_text() in text


def test_a_hung_server_costs_one_time_limit(shared_redis, time_limits):
    """A server that accepts but never answers costs a call one time limit of under 0.5 s."""
    used, fresh = cache_on(shared_redis), cache_on(shared_redis)
    used.ping()
    shared_redis.pause()
    costs = []
    try:
        for cache in (used, used, fresh):
            time_limits.clear()
            fail(cache)
            costs.append(len(time_limits))
    finally:
        shared_redis.resume()
    used.ping()
    assert costs == [1, 1, 1]
    assert max(CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S) < 0.5


def test_a_refused_connection_costs_no_time_limit(own_server, time_limits):
    """A server that refuses connections costs no time limit, and is used again when it is back."""
    used, fresh = cache_on(own_server), cache_on(own_server)
    used.ping()
    own_server.kill()
    for cache in (used, used, fresh):
        fail(cache)
    own_server.start()
    used.ping()
    assert time_limits == []
    assert RETRIES * RETRY_PAUSE_S < 0.1


def test_a_broken_connection_is_replaced(redis_server):
    """The first command after a restart of the server succeeds."""
    cache = cache_on(redis_server)
    cache.ping()
    redis_server.kill()
    redis_server.start()
    cache.ping()


def test_a_lost_answer_is_asked_for_again_only_where_that_is_safe(redis_server):
    """A command whose connection broke is sent again, except with `repeat=False`."""
    with Doorway(redis_server.port) as door:
        cache = connect(
            Settings.from_env({"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(door.port)})
        )
        counter = cache.key("quotes", "count")
        cache.ping()
        door.swallow = 1
        assert cache.command("INCR", counter) == 2
        door.swallow = 1
        with pytest.raises(CacheUnavailableError):
            cache.many([("INCR", counter)], repeat=False)
        assert cache.command("GET", counter) == b"3"
        cache.close()


def test_a_client_of_a_demoted_primary_reaches_the_new_one(start_redis: Callable[..., object]):
    """A command or script that meets a replica connects again and reaches the new primary."""
    old, new = start_redis(), start_redis()
    with Doorway(old.port) as door:
        env = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(door.port)}
        by_command, by_script = connect(Settings.from_env(env)), connect(Settings.from_env(env))
        refreshed = by_script.key("control", "refreshed")
        by_command.command("SET", by_command.key("quotes", "x"), "1")
        by_script.script("refresh_claim", [refreshed], (1, 1000, 0))
        with old.client() as client:
            client.execute_command("REPLICAOF", "127.0.0.1", "1")
        door.target = new.port
        by_command.command("SET", by_command.key("quotes", "x"), "2")
        by_script.script("refresh_claim", [refreshed], (5000, 1000, 0), repeat=False)
        with new.client() as client:
            assert client.get(by_command.key("quotes", "x")) == b"2"
            assert client.get(refreshed) == b"5000 0"
        by_command.close()
        by_script.close()


@pytest.mark.parametrize(
    "text",
    [
        "READONLY You can't write against a read only replica.",
        "READONLY You can't write against a read only replica. script: 5f, on @user_script:1.",
        "ERR Error running script (call to f_5): @user_script: 9: -READONLY a read only replica",
    ],
)
def test_every_servers_error_of_a_replica_is_understood(text):
    """Each wording of the read-only error in Redis 6.2 and later makes the client connect again."""
    with AnsweringServer(f"-{text}\r\n".encode()) as server:
        env = {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(server.port)}
        cache = connect(Settings.from_env(env))
        with pytest.raises(CacheUnavailableError, match="a read only replica"):
            cache.script("refresh_claim", [cache.key("control", "x")], (1, 1, 0), repeat=False)
        cache.close()
    assert server.requests == 1 + RETRIES


def test_a_key_of_another_type_has_an_error_of_its_own(cache: Cache):
    """A key of a wrong type raises `WrongTypeError`, which is not the error of an absent server."""
    name = cache.key("quotes", "x")
    cache.command("SET", name, "1")
    with pytest.raises(WrongTypeError, match=cache.address):
        cache.command("HGETALL", name)


def test_a_wrong_password_is_not_repeated_in_the_error(start_redis, settings_env: Env):
    """An authentication error names the server and not the password."""
    server = start_redis()
    with server.client() as client:
        client.config_set("requirepass", "right-s3cret")
    good = cache_on(server, REDIS_AUTH="password", REDIS_PASSWORD="right-s3cret")
    good.ping()
    bad = cache_on(server, REDIS_AUTH="password", REDIS_PASSWORD="planted-s3cret")
    with pytest.raises(CacheUnavailableError) as caught:
        bad.ping()
    assert "planted" not in f"{caught.value}{caught.value.__cause__}{bad!r}"
    assert bad.address in str(caught.value)
