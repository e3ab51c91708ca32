"""Real Redis servers that a test can stop, and a port in front of one that can fail."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Self

from redis import Redis
from redis.exceptions import RedisError

from local.service.redis_server import find_server, free_port, port_is_free

HOST = "127.0.0.1"
START_S = 20


class RedisServer:
    """One redis-server process on a free port, with nothing written to disk.

    `kill` and `start` bring it back empty on the same port; `pause` and `resume` stop and continue
    the process, so that it accepts connections and never answers.
    """

    host = HOST

    def __init__(self, folder: Path, *, clustered: bool = False, options: tuple[str, ...] = ()):
        self.clustered = clustered
        self.port = _free_port()
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._paused = False

    @property
    def pid(self) -> int:
        """The process id while it runs."""
        assert self._process is not None, "not running"
        return self._process.pid

    def start(self) -> None:
        """Start the server and return when it answers, in cluster mode when it serves all slots."""
        command = [
            str(find_server()), "--port", str(self.port), "--bind", HOST, "--save", "",
            "--appendonly", "no", "--dir", str(self._folder), "--loglevel", "warning",
            *(("--cluster-enabled", "yes") if self.clustered else ()), *self._options,
        ]  # fmt: skip
        self._process = subprocess.Popen(  # noqa: S603  (fixed arguments)
            command, stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_S
        with self.client() as client:
            while not self._serves(client):
                assert self._process.poll() is None, "redis-server ended at its start"
                assert time.monotonic() < deadline, "redis-server does not answer"
                time.sleep(0.02)

    def stop(self) -> None:
        """End the server by SIGTERM, as an operator would."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the server: connections break, and all data is lost."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Stop the process without ending it, so that it never answers."""
        os.kill(self.pid, signal.SIGSTOP)
        self._paused = True

    def resume(self) -> None:
        """Continue a paused process."""
        os.kill(self.pid, signal.SIGCONT)
        self._paused = False

    def client(self) -> Redis:
        """A redis-py client for the test itself."""
        return Redis(HOST, self.port, protocol=2, socket_timeout=5)

    def env(self, **settings: str) -> dict[str, str]:
        """The environment that points the program to this server."""
        return {
            "REDIS_HOST": HOST,
            "REDIS_PORT": str(self.port),
            "REDIS_CLUSTER": str(self.clustered).lower(),
            **settings,
        }

    def _serves(self, client: Redis) -> bool:
        try:
            client.ping()
            if not self.clustered:
                return True
            info = client.execute_command("CLUSTER INFO")
            if info["cluster_slots_assigned"] == "0":
                for start in range(0, 16384, 1024):
                    client.execute_command("CLUSTER ADDSLOTS", *range(start, start + 1024))
            return info["cluster_state"] == "ok"
        except RedisError:
            return False

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self._paused:
            self.resume()
        self._process.send_signal(how)
        self._process.wait(10)
        self._process = None


class Doorway:
    """A port in front of a server, as a DNS name is, that can be pointed at another one.

    `swallow` of its next answers are lost: the request arrives, then the connection breaks.
    """

    def __init__(self, target: int):
        self.target = target
        self.swallow = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open = [self._listener]
        self._threads = [threading.Thread(target=self._welcome)]
        self._threads[0].start()

    @property
    def connections(self) -> int:
        """How many connections it has accepted so far."""
        return len(self._threads) // 2

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for end in self._open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for end in self._open:
            end.close()

    def _welcome(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
                self._open += [near, far]
                for way in ((near, far, False), (far, near, True)):
                    self._threads.append(threading.Thread(target=self._carry, args=way))
                    self._threads[-1].start()

    def _carry(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:  # noqa: FBT001  (a thread's argument)
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if answers and self.swallow:
                    self.swallow -= 1
                    sink.shutdown(socket.SHUT_RDWR)
                    return
                sink.sendall(data)


class AnsweringServer:
    """A port that gives the same answer to every request, and counts the requests."""

    def __init__(self, answer: bytes):
        self.requests = 0
        self._answer = answer
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self._open = [self._listener]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for end in self._open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for end in self._open:
            end.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                while connection.recv(65536):
                    self.requests += 1
                    connection.sendall(self._answer)


def _free_port() -> int:
    # Cluster mode listens on port + 10000 as well.
    while not port_is_free((port := free_port()) + 10_000):
        pass
    return port
