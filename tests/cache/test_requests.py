"""Requests to Redis within the limits of ElastiCache Serverless: arguments and commands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest
from redis.connection import Connection

from marketdata.cache import scripts
from marketdata.cache.asset_store import AssetStore
from marketdata.cache.client import Cache
from marketdata.cache.control import ControlState
from marketdata.cache.history_store import HistoryStore
from marketdata.cache.quote_store import QuoteStore
from marketdata.domain.breaker import BreakerPolicy
from marketdata.domain.budget import Use, parse_limits
from marketdata.domain.outcomes import BreakerEffect, MissingQuote, Reason
from marketdata.domain.permits import CallRequest
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.lists.calendars import published
from tests.support.caches import patient_cache
from tests.support.control_support import result_of
from tests.support.redis_servers import RedisServer
from tests.support.sample_lists import CRYPTO, large, listed
from tests.support.sample_quotes import at_ms, quote

MOST_ARGUMENTS = 3_999  # of one request, its name included
NOW = at_ms(60)
SLOT = NOW // 5000 * 5

# "Supported and restricted Valkey, Memcached, and Redis OSS commands" in the guide of ElastiCache
# (docs.aws.amazon.com/AmazonElastiCache/latest/dg/SupportedCommands.html, November 2026): what
# a serverless cache supports of the groups that this service uses, each group whole.
SUPPORTED = frozenset(
    """
    READONLY READWRITE
    AUTH ECHO HELLO PING QUIT RESET SELECT
    COPY DEL DUMP EXISTS EXPIRE EXPIREAT EXPIRETIME PERSIST PEXPIRE PEXPIREAT PEXPIRETIME PTTL
    RANDOMKEY RENAME RENAMENX RESTORE SCAN SORT SORT_RO TOUCH TTL TYPE UNLINK
    HDEL HEXISTS HGET HGETALL HINCRBY HINCRBYFLOAT HKEYS HLEN HMGET HMSET HRANDFIELD HSCAN HSET
    HSETNX HSTRLEN HVALS
    EVAL EVAL_RO EVALSHA EVALSHA_RO
    DBSIZE COMMAND FLUSHALL FLUSHDB INFO LOLWUT ROLE TIME
    SADD SCARD SDIFF SDIFFSTORE SINTER SINTERCARD SINTERSTORE SISMEMBER SMEMBERS SMISMEMBER SMOVE
    SPOP SRANDMEMBER SREM SSCAN SUNION SUNIONSTORE
    BZMPOP BZPOPMAX BZPOPMIN ZADD ZCARD ZCOUNT ZDIFF ZDIFFSTORE ZINCRBY ZINTER ZINTERCARD
    ZINTERSTORE ZLEXCOUNT ZMPOP ZMSCORE ZPOPMAX ZPOPMIN ZRANDMEMBER ZRANGE ZRANGEBYLEX ZRANGEBYSCORE
    ZRANGESTORE ZRANK ZREM ZREMRANGEBYLEX ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREVRANGE ZREVRANGEBYLEX
    ZREVRANGEBYSCORE ZREVRANK ZSCAN ZSCORE ZUNION ZUNIONSTORE
    APPEND DECR DECRBY GET GETDEL GETEX GETRANGE GETSET INCR INCRBY INCRBYFLOAT LCS MGET MSET MSETNX
    PSETEX SET SETEX SETNX SETRANGE STRLEN SUBSTR
    """.split()
)
# Of commands with subcommands only these are supported.
SUPPORTED_PAIRS = frozenset(
    {
        *(f"CLUSTER {name}" for name in "COUNTKEYSINSLOT GETKEYSINSLOT INFO KEYSLOT MYID".split()),
        *(f"CLUSTER {name}" for name in "NODES REPLICAS SHARDS SLOTS SLOT-STATS".split()),
        *(f"CLIENT {name}" for name in "GETNAME REPLY SETNAME".split()),
        *(f"SCRIPT {name}" for name in "EXISTS FLUSH LOAD SHOW".split()),
    }
)


@dataclass
class Sent:
    """The requests that were sent to Redis."""

    requests: list[tuple[object, ...]] = field(default_factory=list)

    @property
    def longest(self) -> int:
        """The number of arguments of the longest request."""
        return max(map(len, self.requests))

    @property
    def commands(self) -> set[str]:
        """The names of the commands, with their subcommand if they have one."""
        return {name_of_command(request) for request in self.requests}


def name_of_command(request: tuple[object, ...]) -> str:
    """Return the name of a command as the guide writes it."""
    words = " ".join(map(str, request[:2])).upper().split(" ")
    return " ".join(words[: 2 if words[0] in ("CLUSTER", "CLIENT", "SCRIPT") else 1])


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Records everything that any connection sends from now on."""
    seen = Sent()
    pack_command, pack_commands = Connection.pack_command, Connection.pack_commands

    def one(self, *args):
        seen.requests.append(args)
        return pack_command(self, *args)

    def several(self, commands):
        seen.requests += map(tuple, commands)
        return pack_commands(self, commands)

    monkeypatch.setattr(Connection, "pack_command", one)
    monkeypatch.setattr(Connection, "pack_commands", several)
    return seen


def control_on(cache: Cache) -> ControlState:
    """Control state with the widest ledger that a provider could have."""
    limits = parse_limits("30/second,60/minute,9000/hour,90000/day,900000/month")
    return ControlState(cache, limits={Source.COINGECKO: limits}, policy=BreakerPolicy())


def test_a_tick_over_ten_thousand_symbols_keeps_every_request_short(cache: Cache, sent: Sent):
    """No request of a tick over 10,000 symbols has more arguments than a serverless cache takes."""
    control = control_on(cache)
    quotes = QuoteStore(cache, retention_s=60)
    assets = AssetStore(cache, sleep=lambda _s: None)
    symbols = [f"S{number}" for number in range(10_000)]
    before = cache.round_trips
    opened = control.open_slot(SLOT, NOW, symbols)
    assert len(opened.due) == 10_000
    quotes.last(symbols)
    assets.ids([f"C{number}" for number in range(10_000)])
    requests = [
        CallRequest(Source.COINGECKO, CRYPTO, 1, Use.ACTIVE, NOW + 3500, job=number)
        for number in range(100)
    ]
    grants = control.take(requests, NOW, "t1")
    results = [result_of(grant, grant.calls, BreakerEffect.SUCCESS) for grant in grants]
    excluded = [(Source.COINGECKO, symbol) for symbol in symbols[:5000]]
    control.record(results, dict.fromkeys(symbols, NOW + 5000), excluded, NOW, report="r1")
    quotes.explain([MissingQuote(symbol, Reason.NOT_FOUND, "no") for symbol in symbols])
    quotes.reasons(symbols)
    HistoryStore(cache).read(symbols, "24h", NOW)
    quotes.forget(symbols)
    assert sent.longest <= MOST_ARGUMENTS
    # A plan, a commit and the readers: one round trip each, and one more for each new script.
    assert cache.round_trips - before <= 9 + 4


def test_a_job_of_coins_with_two_prices_each_keeps_every_request_short(cache: Cache, sent: Sent):
    """250 coins that two providers priced are 500 quotes, written in one round trip."""
    store = QuoteStore(cache, retention_s=60)
    pair = (Source.COINGECKO, Source.COINMARKETCAP)
    store.put([quote(100, 50, pair[0], symbol=f"C{n}-USD") for n in range(250)], NOW)
    both = [quote(101, 55, source, symbol=f"C{n}-USD") for n in range(250) for source in pair]
    before = cache.round_trips
    assert len(store.commit(both, (), NOW)) == 500
    assert cache.round_trips - before == 1
    assert sent.longest <= MOST_ARGUMENTS


def test_a_list_of_coins_is_staged_in_short_requests_at_an_even_pace(cache: Cache, sent: Sent):
    """17,000 coins are written in short requests and below the rate of a serverless cache."""
    waits: list[float] = []
    AssetStore(cache, sleep=waits.append).swap(large("v1", "coin", total=17_000))
    assert sent.longest <= MOST_ARGUMENTS
    written = sum(
        len(str(part)) for request in sent.requests if request[0] == "HSET" for part in request
    )
    assert sum(waits) > written / (3 * 1024 * 1024)
    assert max(waits) < 0.2


def test_a_ledger_is_given_back_in_a_short_request(cache: Cache, sent: Sent):
    """The largest ledger that a worker remembers fits into one request."""
    control = control_on(cache)
    for step in range(400):
        now = NOW + step * 600_000
        for use in (Use.ACTIVE, Use.NEW, Use.PROBE):
            request = CallRequest(Source.COINGECKO, CRYPTO, 1, use, now + 3500)
            control.take([request], now, f"{step}{use}")
    cache.command("DEL", cache.key("control", "budget", "coingecko"))
    control.take([CallRequest(Source.COINGECKO, CRYPTO, 1, Use.PROBE, now)], now, "again")
    assert any("Has a ledger lost" in str(request[1]) for request in sent.requests)
    assert sent.longest <= MOST_ARGUMENTS


def use_every_store(cache: Cache) -> None:
    """Let the stores send each of their commands, including those of a new connection."""
    control = control_on(cache)
    control.open_slot(SLOT, NOW, ["AAPL"])
    control.watch(["TSLA"], NOW)
    control.watch(["not a symbol"], NOW)
    control.keep_timetable(AssetClass.STOCKS, published(AssetClass.STOCKS, NOW))
    cache.command("HSET", cache.key("control", "timetables"), "odd", "odd")
    cache.command("ZADD", cache.key("control", "excluded"), NOW + 1_000_000, "odd")
    control.open_slot(SLOT + 5000, NOW + 5000, ["AAPL"])
    (grant,) = control.take([CallRequest(Source.COINGECKO, CRYPTO, 1, Use.ACTIVE, NOW)], NOW, "t1")
    results = [result_of(grant, 1, BreakerEffect.SUCCESS)]
    control.record(results, {"AAPL": NOW}, [(Source.FINNHUB, "X")], NOW, report="r")
    cache.command("DEL", cache.key("control", "budget", "coingecko"))
    control.take([CallRequest(Source.COINGECKO, CRYPTO, 1, Use.ACTIVE, NOW)], NOW, "t2")
    control.read_providers(NOW)
    control.claim_refresh(NOW, 1000, missing=False)
    control.read_memory()
    store = QuoteStore(cache, retention_s=60)
    store.commit([quote(1, 50)], [MissingQuote("NOPE", Reason.NOT_FOUND, "no")], NOW)
    store.explain([MissingQuote("NOPE", Reason.NOT_FOUND, "no")])
    store.read(["AAPL"])
    store.reasons(["NOPE"])
    cache.command("SET", cache.key("quotes", "q", "AAPL"), "odd")
    store.read(["AAPL"])
    HistoryStore(cache).read(["AAPL"], "24h", NOW)
    store.forget(["AAPL"])
    lists = AssetStore(cache, sleep=lambda _s: None)
    for version in ("v1", "v2"):
        assert lists.swap(listed(version))
    lists.swap(large("v1", "coin", total=100))
    lists.search(AssetClass.STOCKS, "v2", "apple", 0, 9)
    lists.page(AssetClass.STOCKS, "v2", 0, 9)
    lists.ids(["C1"])
    assert not lists.is_lost(AssetClass.STOCKS)
    cache.ping()


def test_every_command_is_one_that_a_serverless_cache_supports(
    shared_redis: RedisServer, sent: Sent
):
    """Each command that the stores send is supported by ElastiCache Serverless."""
    cache = patient_cache(shared_redis)
    use_every_store(cache)
    cache.close()
    allowed = SUPPORTED | SUPPORTED_PAIRS
    assert sent.commands <= allowed, sent.commands - allowed
    assert sent.commands >= {"EVALSHA", "INFO", "MGET", "SMISMEMBER", "UNLINK"}


def test_every_command_of_a_script_is_one_that_a_serverless_cache_supports():
    """Each command that a script calls is written out, and supported by ElastiCache Serverless."""
    called, calls = set(), 0
    for path in scripts.FOLDER.glob("*.lua"):
        text = path.read_text()
        calls += len(re.findall(r"redis\.p?call\(", text))
        called |= set(names := re.findall(r"redis\.p?call\('([A-Z]+)'", text))
        calls -= len(names)
    assert calls == 0, "a command that is not written out cannot be checked"
    assert called <= SUPPORTED, called - SUPPORTED
    assert {"TIME", "ZADD", "SET", "ZMSCORE"} <= called
