"""The Redis of one service: chosen, started if it is our own, told to neighbours, taken over."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from local.service.children import Children
from local.service.redis_choice import (
    RedisChoice,
    choose_redis,
    choosing,
    neighbour_is_gone,
    share,
    unshare,
)
from local.service.redis_server import answers, find_server, server_command, wait_until_it_answers
from local.service.terminal import CannotStartError, say
from marketdata.cache.client import connect
from marketdata.errors import CacheUnavailableError
from marketdata.settings import Settings

NAMED_TIMEOUT_S = 3.0


class RedisForUs:
    """The Redis that a service uses; `env` is its environment, and is told host and port.

    `keep_data`: whether what is in our own one outlives this run.
    """

    def __init__(
        self, children: Children, state: Path, env: dict[str, str], *, keep_data: bool
    ) -> None:
        self._children = children
        self._state = state
        self._env = env
        self._folder = state / "redis" if keep_data else None
        self._choice: RedisChoice | None = None

    def bring_up(self) -> None:
        """Have a Redis that answers. Raises `CannotStartError` and what `choose_redis` raises."""
        with choosing(self._state):
            redis = choose_redis(self._env, self._state)
            self._env |= {"REDIS_HOST": redis.host, "REDIS_PORT": str(redis.port)}
            if redis.own:
                self._start(redis)
        if not redis.own:
            _ask(Settings.from_env(self._env))
        self._choice = redis
        say("redis", f"{redis.host}:{redis.port} ({redis.why})")

    def take_over(self) -> None:
        """Start the Redis of a neighbour anew, on its port, if the neighbour took it along."""
        redis = self._choice
        if redis is None or not redis.shared or not neighbour_is_gone(self._state):
            return
        with choosing(self._state):
            # Another neighbour may have been faster, or it is still on its way out.
            if neighbour_is_gone(self._state) and not answers(redis.host, redis.port):
                why = "started here, as the service that had started it is gone"
                self._choice = RedisChoice(redis.host, redis.port, why, own=True)
                self._start(self._choice)
                say("redis", f"{redis.host}:{redis.port} ({why})")

    def give_up(self) -> None:
        """Tell later services no more of our own one."""
        if self._choice is not None and self._choice.own:
            unshare(self._state)

    def _start(self, redis: RedisChoice) -> None:
        command = server_command(find_server(), redis.port, self._folder)
        process = self._children.start(
            "redis", command, os.environ, output=subprocess.DEVNULL, again=True
        )
        if not wait_until_it_answers(redis.host, redis.port, process):
            raise CannotStartError(f"Redis did not start; try it by hand: {' '.join(command)}")
        share(self._state, redis.port)


def _ask(settings: Settings) -> None:
    """Return once a Redis that is not ours answers, with its password and TLS as they are set."""
    end = time.monotonic() + NAMED_TIMEOUT_S
    cache = connect(settings)
    while True:
        try:
            cache.ping()
        except CacheUnavailableError as error:
            if time.monotonic() > end:
                raise CannotStartError(
                    f"{str(error).rstrip('.')}; start it, correct the settings REDIS_*, or unset "
                    "REDIS_HOST to have one started here"
                ) from None
            time.sleep(0.2)
        else:
            cache.close()
            return
