"""Which Redis a service on one machine uses, and how services of one folder agree on it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.service import redis_choice, redis_server
from local.service.redis_choice import (
    RedisTakenError,
    choose_redis,
    choosing,
    neighbour_is_gone,
    share,
    unshare,
)
from local.service.redis_server import RedisMissingError, find_server, free_port, server_command


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which somebody listens who never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def redis_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is asked speaks Redis."""
    monkeypatch.setattr(redis_choice, "answers", lambda _host, _port: True)


def ended_process() -> int:
    """The id of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_named_redis_is_used(tmp_path):
    """REDIS_HOST is taken as it is, with 6379 where REDIS_PORT is not set."""
    choice = choose_redis({"REDIS_HOST": "cache.example"}, tmp_path)
    assert (choice.host, choice.port, choice.own) == ("cache.example", 6379, False)
    choice = choose_redis({"REDIS_HOST": "cache.example", "REDIS_PORT": "7000"}, tmp_path)
    assert choice.port == 7000


def test_without_a_name_one_is_started_on_the_port_that_is_asked_for(tmp_path):
    """REDIS_PORT says where."""
    port = free_port()
    choice = choose_redis({"REDIS_PORT": str(port)}, tmp_path)
    assert (choice.host, choice.port, choice.own) == ("127.0.0.1", port, True)


def test_a_taken_default_port_is_avoided(tmp_path, taken_port, monkeypatch):
    """Whoever has 6379 keeps it, and the line says why it is another."""
    monkeypatch.setattr(redis_choice, "DEFAULT_PORT", taken_port)
    choice = choose_redis({}, tmp_path)
    assert choice.own
    assert choice.port != taken_port
    assert choice.why == f"started here, as {taken_port} is taken"


def test_a_taken_port_that_was_asked_for_is_an_error(tmp_path, taken_port):
    """Nobody else's server is used by accident."""
    with pytest.raises(RedisTakenError, match=f"REDIS_PORT={taken_port} is taken: free it"):
        choose_redis({"REDIS_PORT": str(taken_port)}, tmp_path)


def test_the_error_tells_when_it_is_a_redis(tmp_path, taken_port, redis_there):
    """Then the line says how to use it on purpose."""
    with pytest.raises(RedisTakenError, match=r"set REDIS_HOST=127\.0\.0\.1 to use it"):
        choose_redis({"REDIS_PORT": str(taken_port)}, tmp_path)


def test_a_neighbours_redis_is_shared(tmp_path, redis_there):
    """What a living service of the same folder has started is used, whatever REDIS_PORT says."""
    share(tmp_path, 7001)
    choice = choose_redis({"REDIS_PORT": "7002"}, tmp_path)
    assert (choice.port, choice.own, choice.shared) == (7001, False, True)
    assert not neighbour_is_gone(tmp_path)
    unshare(tmp_path)
    assert neighbour_is_gone(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "note",
    [
        "",
        "{}",
        "[]",
        '{"port": 7001}',
        '{"port": 7001, "pid": "x"}',
        '{"port": null, "pid": 1}',
        pytest.param(f'{{"port": 7001, "pid": {ended_process()}}}', id="a process that has ended"),
    ],
)
def test_a_note_that_nobody_stands_by_is_ignored(tmp_path, redis_there, note):
    """A broken one, or one of a service that was killed."""
    (tmp_path / "redis.json").write_text(note)
    assert neighbour_is_gone(tmp_path)
    assert choose_redis({"REDIS_PORT": str(free_port())}, tmp_path).own


def test_a_neighbour_whose_redis_is_silent_is_not_followed(tmp_path):
    """It may be about to end."""
    share(tmp_path, free_port())
    assert choose_redis({"REDIS_PORT": str(free_port())}, tmp_path).own


def test_one_chooses_at_a_time_and_no_lock_is_left(tmp_path):
    """Of many that start together never two are choosing, though each removes the lock."""
    inside, most = [], []

    def start(number: int) -> None:
        for _ in range(20):
            with choosing(tmp_path / "state"):
                inside.append(number)
                most.append(len(inside))
                inside.remove(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(start, range(8)))
    assert set(most) == {1}
    assert list((tmp_path / "state").iterdir()) == []


def test_a_failure_lets_the_next_one_choose(tmp_path):
    """The lock is gone with whoever held it."""
    with pytest.raises(RedisTakenError), choosing(tmp_path):
        raise RedisTakenError
    with choosing(tmp_path):
        assert (tmp_path / "choosing.lock").exists()


def test_a_server_on_the_path_comes_first(tmp_path, monkeypatch):
    """redis-server before valkey-server, and both before the one of the wheel."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("valkey-server", "redis-server"):
        server = tmp_path / name
        server.touch(0o755)
        assert find_server() == server


def test_a_machine_without_any_redis_is_told_how_to_get_one(tmp_path, monkeypatch):
    """Where there is no server and no wheel either, one line names the ways."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(redis_server, "_bundled", lambda: None)
    monkeypatch.setattr(redis_server, "WHEEL", "no such wheel")
    with pytest.raises(RedisMissingError) as missing:
        find_server()
    assert "\n" not in str(missing.value)
    for way in ("apt install", "brew install", "docker compose up", "REDIS_HOST"):
        assert way in str(missing.value)


def test_only_a_live_markets_redis_keeps_its_data(tmp_path):
    """With a folder there is an append-only file in it; without, nothing is written."""
    kept = server_command(Path("redis-server"), 7001, tmp_path / "redis")
    assert kept[kept.index("--appendonly") + 1] == "yes"
    assert kept[kept.index("--dir") + 1] == str(tmp_path / "redis")
    assert (tmp_path / "redis").is_dir()
    lost = server_command(Path("redis-server"), 7001, None)
    assert lost[lost.index("--appendonly") + 1] == "no"
    assert os.fspath(lost[0]) == "redis-server"
