"""The one client of Redis: connection, time limits, retries, and the translation of its errors.

It refuses to wait: a server that hangs costs one time limit and one that refuses a few
milliseconds, because a reader must have its answer, if only a 503, within a second. A broken
connection and a demoted primary are tried again once; silence is not.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from redis import exceptions as failures
from redis.backoff import NoBackoff
from redis.client import Redis
from redis.retry import Retry

from marketdata.cache.commands import Command, Packed, is_script, wire
from marketdata.errors import CacheUnavailableError

if TYPE_CHECKING:
    from redis.cluster import RedisCluster
    from redis.connection import ConnectionInterface
    from redis.credentials import CredentialProvider

    from marketdata.settings import Settings

CONNECT_TIMEOUT_S = 0.4
ANSWER_TIMEOUT_S = 0.4
RETRY_PAUSE_S = 0.02

# The node that answered is not, or not now, the one to ask; it did nothing.
_ELSEWHERE = (
    failures.ReadOnlyError,
    failures.AskError,
    failures.ClusterDownError,
    failures.TryAgainError,
)
_UNANSWERED = object()


class Cache:
    """Redis, plain or in cluster mode, as the rest of the program sees it.

    Answers are Redis' own in RESP2: texts as bytes, numbers of commands such as ZSCORE among them,
    maps as flat lists. Every method raises `CacheUnavailableError`,
    with the server's address and what happened, when Redis does not answer, refuses the connection
    or refuses a command. It connects when first used, and again whenever it must. Threads may
    share it. `round_trips` counts the exchanges with a server so far.
    """

    def __init__(self, settings: Settings) -> None:
        self.prefix = settings.redis_prefix
        self.address = f"{settings.redis_host}:{settings.redis_port}"
        self.round_trips = 0
        self._options = _options(settings)
        self._plain = None if settings.redis_cluster else Redis(**self._options)
        self._cluster: RedisCluster | None = None
        self._topology_is_old = False

    def __repr__(self) -> str:
        return f"Cache({self.address!r}, prefix={self.prefix!r})"

    def key(self, tag: str, *parts: str) -> str:
        """The key `<prefix>:{<tag>}:<part>:<part>`; keys of one tag may be used together."""
        return ":".join((self.prefix, f"{{{tag}}}", *parts))

    def ping(self) -> None:
        """Return if Redis answers, and raise otherwise."""
        self.command("PING")

    def command(self, *args: Any) -> Any:
        """The answer to one command, `command("GET", key)`; its first key decides the node."""
        return self.many((args,))[0]

    def packed(self, packed: Packed) -> Any:
        """The answer to a command that `commands.pack` made."""
        return self.many((packed,))[0]

    def script(
        self, name: str, keys: Sequence[str], args: Iterable[Any] = (), *, repeat: bool = True
    ) -> Any:
        """The answer of one of our Lua scripts (see `many` for `repeat`)."""
        return self.many((("script", name, keys, args),), repeat=repeat)[0]

    def many(self, commands: Sequence[Command], *, repeat: bool = True) -> list[Any]:
        """The answers to several commands, sent in one round trip per node. Not a transaction.

        See `commands.Command`. Without `repeat` nothing is sent again after a connection broke,
        when it may have been executed already.
        """
        wires = [wire(command) for command in commands]
        answers: list[Any] = [_UNANSWERED] * len(wires)
        spent: set[str] = set()
        try:
            while open_ := [i for i, answer in enumerate(answers) if answer is _UNANSWERED]:
                try:
                    self._send(wires, open_, answers)
                except failures.ConnectionError:
                    if not repeat or "connection" in spent:
                        raise
                    spent.add("connection")
                    self._start_afresh()
                self._judge(commands, wires, answers, spent)
        except (failures.RedisError, failures.RedisClusterException, OSError) as error:
            self._topology_is_old = True
            raise CacheUnavailableError(f"Redis at {self.address}: {_told(error)}") from error
        return answers

    def close(self) -> None:
        """Close every connection; the next use opens new ones."""
        for client in (self._plain, self._cluster):
            if client is not None:
                client.close()
        self._cluster = None

    def _send(self, wires: list[Packed], open_: list[int], answers: list[Any]) -> None:
        """Send the open commands, each to its node, and note the answers, errors among them.

        It speaks through a connection of the client's pool and not through the client, whose
        account of every command (retries, telemetry, conversions) costs a reader as much as the
        wire does. A connection that fails closes itself.
        """
        for node, indexes in self._by_node(wires, open_):
            self.round_trips += 1
            pool = node.connection_pool
            connection = pool.get_connection()
            try:
                connection.send_packed_command([b"".join([wires[index].data for index in indexes])])
                for index in indexes:
                    answers[index] = _answer_on(connection)
            finally:
                pool.release(connection)

    def _judge(
        self, commands: Sequence[Command], wires: list[Packed], answers: list[Any], spent: set[str]
    ) -> None:
        """Open again what can be cured, once a cure; raise the first error that cannot."""
        moved = False
        for index, answer in enumerate(answers):
            if not isinstance(answer, Exception):
                continue
            if isinstance(answer, failures.NoScriptError) and is_script(commands[index]):
                wires[index] = wire(commands[index], whole=True)
            elif isinstance(answer, _ELSEWHERE) and "elsewhere" not in spent:
                moved = True
            else:
                raise answer
            answers[index] = _UNANSWERED
        if moved:
            spent.add("elsewhere")
            self._start_afresh()

    def _start_afresh(self) -> None:
        """Forget connections and topology: the name may point to another server by now."""
        if self._plain is not None:
            self._plain.connection_pool.disconnect(inuse_connections=False)
        self._topology_is_old = True
        time.sleep(RETRY_PAUSE_S)

    def _by_node(self, wires: list[Packed], open_: list[int]) -> list[tuple[Any, list[int]]]:
        if self._plain is not None:
            return [(self._plain, open_)]
        cluster: Any = self._connected_cluster()  # redis-py types few of its methods
        nodes: dict[str, tuple[Any, list[int]]] = {}
        for index in open_:
            key = wires[index].key
            node = cluster.get_node_from_key(key) if key else cluster.get_default_node()
            if node is None:
                raise failures.ClusterDownError(f"no node serves the slot of {key}")
            client = cluster.get_redis_connection(node)
            nodes.setdefault(node.name, (client, []))[1].append(index)
        return list(nodes.values())

    def _connected_cluster(self) -> RedisCluster:
        if self._cluster is None:
            from redis.cluster import RedisCluster  # noqa: PLC0415  (only where it is needed)

            self._cluster = RedisCluster(**self._options)
        elif self._topology_is_old:
            self._cluster.nodes_manager.initialize()
        self._topology_is_old = False
        return self._cluster


def connect(settings: Settings) -> Cache:
    """The cache that the settings name. Nothing is sent before its first use."""
    return Cache(settings)


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "host": settings.redis_host,
        "port": settings.redis_port,
        "protocol": 2,  # the one place: replies of RESP3 have other shapes
        "driver_info": None,  # spares two commands per connection
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "socket_timeout": ANSWER_TIMEOUT_S,
        "retry": Retry(NoBackoff(), 0),  # `Cache.many` tries again, where that is safe
        "ssl": settings.redis_tls,
        "credential_provider": _credentials(settings),
    }


def _credentials(settings: Settings) -> CredentialProvider | None:
    if settings.redis_auth == "password":
        from redis.credentials import UsernamePasswordCredentialProvider  # noqa: PLC0415

        return UsernamePasswordCredentialProvider(
            settings.redis_username or None, settings.redis_password
        )
    if settings.redis_auth == "iam":
        from marketdata.cache.iam import IamCredentials  # noqa: PLC0415  (it signs with botocore)

        return IamCredentials(
            user=settings.redis_username,
            cache_name=settings.redis_cache_name,
            serverless=".serverless." in settings.redis_host,
        )
    return None


def _answer_on(connection: ConnectionInterface) -> Any:
    """The next answer on a connection, or the error that Redis answered with."""
    try:
        return connection.read_response()
    except failures.ResponseError as error:
        return error


def _told(error: Exception) -> str:
    if isinstance(error, failures.TimeoutError):
        return f"no answer within {ANSWER_TIMEOUT_S} s"
    return " ".join(str(error).split()) or type(error).__name__
