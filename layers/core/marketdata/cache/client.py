"""The only client of Redis: connection, time limits, retries, and one type of error.

A reader must get an answer within a second, even if that answer is an error. Therefore a call that
reaches its time limit is not repeated. A call is repeated after a short pause if the connection
breaks or the server has become a replica.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from redis import exceptions
from redis.backoff import ConstantBackoff, NoBackoff
from redis.client import Redis
from redis.retry import Retry

from marketdata.cache import scripts
from marketdata.errors import CacheUnavailableError, WrongTypeError

if TYPE_CHECKING:
    from redis.commands.core import Script
    from redis.credentials import CredentialProvider

    from marketdata.settings import Settings

CONNECT_TIMEOUT_S = 0.4
ANSWER_TIMEOUT_S = 0.4
# At most this many keys or fields go into one command: ElastiCache Serverless rejects a request
# with more than 3,999 arguments. Commands that are sent together still cost one round trip.
AT_ONCE = 1_000
RETRIES = 2
RETRY_PAUSE_S = 0.02

# Errors of a node that has executed nothing, because another node has the key.
_OTHER_NODE = (
    exceptions.ReadOnlyError,
    exceptions.MovedError,
    exceptions.AskError,
    exceptions.ClusterDownError,
    exceptions.TryAgainError,
)
_NO_ANSWER = object()


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """One call of the Lua script `lua/<name>.lua`. All its keys have the same tag."""

    name: str
    keys: Sequence[str]
    args: Sequence[Any] = ()


# `("GET", key)`, or a script. The first key decides which node of a cluster is asked.
Command = tuple[Any, ...] | ScriptCall


class Cache:
    """The client of Redis, plain or in cluster mode, for the rest of the program.

    Values are bytes. Every method raises `CacheUnavailableError`, with the server's address and the
    reason, if Redis does not answer, does not accept the connection or rejects a command. The
    client connects at its first use, and again when that is necessary. Threads may share it.
    `round_trips` counts the requests to a server so far. `caller_time` is for tests and for the
    simulated day: scripts then use the time that the caller passes.
    """

    def __init__(self, settings: Settings, *, caller_time: bool = False) -> None:
        self.prefix = settings.redis_prefix
        self.address = f"{settings.redis_host}:{settings.redis_port}"
        self.round_trips = 0
        self.caller_time = caller_time
        self._options = _options(settings)
        self._retry = Retry(
            ConstantBackoff(RETRY_PAUSE_S), RETRIES, (exceptions.ConnectionError, *_OTHER_NODE)
        )
        self._plain = None if settings.redis_cluster else Redis(**self._options)
        self._cluster: Any = None  # a RedisCluster; it has few types
        self._known_nodes: list[Any] = []
        self._scripts: dict[str, Script] = {}

    def __repr__(self) -> str:
        return f"Cache({self.address!r}, prefix={self.prefix!r})"

    def key(self, tag: str, *parts: str) -> str:
        """Return the key `<prefix>:{<tag>}:<part>:<part>`; keys of one tag are on one node."""
        return ":".join((self.prefix, f"{{{tag}}}", *parts))

    def time_argument(self, now_ms: int) -> int | str:
        """Return the time for a script: empty, so that Redis's clock decides, or the caller's."""
        return now_ms if self.caller_time else ""

    def ping(self) -> None:
        """Raise `CacheUnavailableError` unless Redis answers."""
        self.command("PING")

    def command(self, *args: Any) -> Any:
        """Return the answer to one command, `command("GET", key)`."""
        return self.many((args,))[0]

    def script(
        self, name: str, keys: Sequence[str], args: Iterable[Any] = (), *, repeat: bool = True
    ) -> Any:
        """Return the answer of one of our Lua scripts (see `many` for `repeat`)."""
        return self.many((ScriptCall(name, keys, tuple(args)),), repeat=repeat)[0]

    def many(self, commands: Sequence[Command], *, repeat: bool = True) -> list[Any]:
        """Return the answers to several commands: one pipeline per node, not a transaction.

        With `repeat=False` no command is sent again after its connection broke, because Redis may
        have executed it already. Raise `WrongTypeError` if a key holds another type of value.
        """
        answers: list[Any] = [_NO_ANSWER] * len(commands)
        try:
            self._retry.call_with_retry(
                lambda: self._send_open(commands, answers),
                self._reconnect,
                lambda error: repeat or isinstance(error, _OTHER_NODE),
            )
            _raise_first(answers)
        except (exceptions.RedisError, exceptions.RedisClusterException, OSError) as error:
            if not isinstance(error, exceptions.ResponseError):
                self._forget_cluster()
            kind = WrongTypeError if "WRONGTYPE" in str(error) else CacheUnavailableError
            raise kind(f"Redis at {self.address}: {_reason(error)}") from error
        return answers

    def close(self) -> None:
        """Close every connection; the next use opens new ones."""
        for client in (self._plain, self._cluster):
            if client is not None:
                client.close()
        self._cluster = None

    def _send_open(self, commands: Sequence[Command], answers: list[Any]) -> None:
        """Send the commands that have no answer yet, each to its node, and fill in the answers."""
        open_ = [place for place, answer in enumerate(answers) if answer is _NO_ANSWER]
        for node, places in self._by_node(commands, open_):
            for place, answer in self._send(node, commands, places, known=True):
                answers[place] = answer
            unknown = [p for p in places if isinstance(answers[p], exceptions.NoScriptError)]
            for place, answer in self._send(node, commands, unknown, known=False):
                answers[place] = answer
        elsewhere = [place for place in open_ if _is_for_other_node(answers[place])]
        if elsewhere:
            error = answers[elsewhere[0]]
            for place in elsewhere:
                answers[place] = _NO_ANSWER
            raise error if isinstance(error, _OTHER_NODE) else exceptions.ReadOnlyError(str(error))

    def _send(
        self, node: Redis, commands: Sequence[Command], places: Sequence[int], *, known: bool
    ) -> Iterator[tuple[int, Any]]:
        """Send commands in one pipeline; errors of single commands are answers.

        A script is sent by its SHA-1 once the server has it, before that with its text. redis-py's
        `Script` would ask the server before each pipeline which scripts it has.
        """
        if not places:
            return
        pipe: Any  # redis-py gives types to few of its methods
        with node.pipeline(transaction=False) as pipe:
            for place in places:
                command = commands[place]
                if isinstance(command, ScriptCall):
                    script = self._script(command.name, node)
                    call = pipe.evalsha if known else pipe.eval
                    text = script.sha if known else scripts.load(command.name)
                    call(text, len(command.keys), *command.keys, *command.args)
                else:
                    pipe.execute_command(*command)
            self.round_trips += 1
            yield from zip(places, pipe.execute(raise_on_error=False), strict=True)

    def _script(self, name: str, node: Redis) -> Script:
        if name not in self._scripts:
            self._scripts[name] = node.register_script(scripts.load(name))
        return self._scripts[name]

    def _reconnect(self, _error: Exception) -> None:
        """Close the connections, because the host name may point to another server now."""
        if self._plain is not None:
            self._plain.connection_pool.disconnect(inuse_connections=False)
        self._forget_cluster()

    def _forget_cluster(self) -> None:
        """Read the cluster's layout again at the next use, from a node that is known now.

        Other threads may still use the old client; it is closed when the last of them is done.
        """
        if self._cluster is not None:
            self._known_nodes = self._cluster.get_nodes()
            self._cluster = None

    def _by_node(
        self, commands: Sequence[Command], places: list[int]
    ) -> list[tuple[Redis, list[int]]]:
        if self._plain is not None:
            return [(self._plain, places)]
        cluster = self._connected_cluster()
        nodes: dict[str, tuple[Redis, list[int]]] = {}
        for place in places:
            key = _first_key(commands[place])
            node = cluster.get_node_from_key(key) if key else cluster.get_default_node()
            client = cluster.get_redis_connection(node)
            nodes.setdefault(node.name, (client, []))[1].append(place)
        return list(nodes.values())

    def _connected_cluster(self) -> Any:
        if self._cluster is None:
            from redis.cluster import ClusterNode, RedisCluster  # noqa: PLC0415  (only if needed)

            make_node: Any = ClusterNode
            nodes = [make_node(node.host, node.port) for node in self._known_nodes]
            self._cluster = RedisCluster(startup_nodes=nodes, **self._options)
        return self._cluster


def mget_commands(keys: Sequence[str]) -> list[Command]:
    """Return MGETs for any number of keys. Unlike GET they answer None for other types."""
    return [("MGET", *keys[start : start + AT_ONCE]) for start in range(0, len(keys), AT_ONCE)]


def connect(settings: Settings, *, caller_time: bool = False) -> Cache:
    """Return the cache that the settings name. Nothing is sent before its first use."""
    return Cache(settings, caller_time=caller_time)


def _options(settings: Settings) -> dict[str, Any]:
    """Return the keyword arguments of redis-py's clients, which are of many types."""
    return {
        "host": settings.redis_host,
        "port": settings.redis_port,
        "protocol": 2,  # replies of RESP3 have other types
        "driver_info": None,  # saves two commands per connection
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "socket_timeout": ANSWER_TIMEOUT_S,
        "retry": Retry(NoBackoff(), 0),  # `Cache.many` decides what may be repeated
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


def _first_key(command: Command) -> str | None:
    if isinstance(command, ScriptCall):
        return command.keys[0]
    return str(command[1]) if len(command) > 1 else None


def _is_for_other_node(answer: Any) -> bool:
    """Return whether a node rejected a command because another node must be asked.

    A script that writes on a replica fails with a general error in Redis 6.2: `Error running
    script (call to f_...): ... -READONLY You can't write against a read only replica`.
    """
    if isinstance(answer, _OTHER_NODE):
        return True
    return (
        isinstance(answer, exceptions.ResponseError)
        and str(answer).startswith("Error running script")
        and "READONLY" in str(answer)
    )


def _raise_first(answers: Sequence[Any]) -> None:
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer


def _reason(error: Exception) -> str:
    if isinstance(error, exceptions.TimeoutError):
        return f"no answer within {ANSWER_TIMEOUT_S} s"
    return " ".join(str(error).split()) or type(error).__name__
