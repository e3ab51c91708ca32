"""The rights of the Redis user that the template makes, on a real Redis."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError, ResponseError

from local.simulator import MarketServers
from marketdata.cache import scripts
from marketdata.cache.client import Cache, connect
from marketdata.cache.memory import read_memory
from marketdata.domain.symbols import AssetClass
from marketdata.settings import Settings
from tests.infrastructure.stack import ROOT, Stack
from tests.support.api_service import Service
from tests.support.pipeline import ACTIVE, GENEROUS_MARKET, Pipeline
from tests.support.redis_servers import RedisServer
from tests.support.simulated_market import Clock

STACK = Stack()
CACHE_MODULES = Path(scripts.__file__).parent.glob("*.py")
# The commands of the modules in `cache`, of their scripts, and of the client itself.
COMMANDS = {
    *(
        name
        for path in CACHE_MODULES
        for name in re.findall(r'\("([A-Z]{3,})"[,)]', path.read_text())
    ),
    *(
        name
        for path in scripts.FOLDER.glob("*.lua")
        for name in re.findall(r"redis\.p?call\('([A-Z]+)'", path.read_text())
    ),
    "EVAL",
    "EVALSHA",
}
PREFIX = STACK.functions()["Api"]["Environment"]["Variables"]["REDIS_PREFIX"]


@pytest.fixture
def signed_in(redis_server: RedisServer) -> Iterator[Cache]:
    """A client of a real Redis, signed in as the user that the template makes."""
    rules = STACK.resources["CacheUser"]["Properties"]["AccessString"].split()
    with redis_server.client() as admin:
        admin.execute_command("ACL", "SETUSER", "functions", *rules, ">password")
    user = {"REDIS_USERNAME": "functions", "REDIS_PASSWORD": "password", "REDIS_AUTH": "password"}
    settings = Settings.from_env({**redis_server.env(), **user, "REDIS_PREFIX": PREFIX})
    cache = connect(settings, caller_time=True)
    yield cache
    cache.close()


def test_the_user_of_the_template_may_do_all_that_the_loop_does(signed_in):
    """Slots are planned and committed, and quotes read, with the rights of the stack's user."""
    clock = Clock()
    with MarketServers(clock=clock, limits=GENEROUS_MARKET) as market:
        pipeline = Pipeline(signed_in, market, clock)
        try:
            assert not pipeline.run().tick.failed
            assert pipeline.run_next(300.0).tick.written
            assert set(pipeline.sources()) == set(ACTIVE.split(","))
            assert pipeline.health()["status"] != "unhealthy"
        finally:
            pipeline.close()


def test_the_user_of_the_template_may_do_all_that_the_api_does(signed_in):
    """Lists are swapped in, paged and searched, and unknown symbols watched."""
    service = Service(signed_in)
    service.list_assets(AssetClass.CRYPTO, [f"C{number}-USD" for number in range(30)])
    for path in ("/v1/quotes?symbols=TSLA", "/v1/assets/crypto?q=C1", "/v1/providers"):
        assert service.get(path).status == 200


def test_the_user_of_the_template_may_read_the_clock(signed_in):
    """A script that reads the clock of Redis, which is only in the group `fast`, may run."""
    refreshed = signed_in.key("control", "refreshed")
    assert signed_in.script("refresh_claim", [refreshed], ("", 1000, 0)) == 1


def test_the_user_of_the_template_may_send_every_command_of_the_service(signed_in, redis_server):
    """No command that the program or one of its scripts sends is rejected for want of a right."""
    assert {"INFO", "MGET", "PING", "TIME", "SMISMEMBER", "ZADD"} <= COMMANDS
    with (
        redis_server.client() as admin,
        Redis(port=redis_server.port, username="functions", password="password") as client,
    ):
        rejected = []
        for command in sorted(COMMANDS):
            ((_, arity, *_),) = admin.execute_command("COMMAND INFO", command)
            # Redis looks at the number of arguments before it looks at the rights.
            arguments = [f"{PREFIX}:{{a}}:{number}" for number in range(abs(arity) - 1)]
            try:
                client.execute_command(command, *arguments)
            except NoPermissionError:
                rejected.append(command)
            except ResponseError:
                pass  # the arguments have no meaning
        assert not rejected


def test_the_user_of_the_template_may_read_whether_the_cache_is_full(signed_in):
    """/health names a full cache on AWS, too, so INFO is not rejected."""
    assert read_memory(signed_in) is not None


@pytest.mark.parametrize(
    "command",
    [
        ("GET", "another-stack:{quotes}:q"),
        ("SET", "another-stack:{quotes}:q", "1"),
        ("FLUSHALL",),
        ("KEYS", "*"),
        ("CONFIG", "GET", "*"),
        ("ACL", "LIST"),
        ("PUBLISH", "channel", "text"),
    ],
    ids=lambda command: command[0],
)
def test_the_user_of_the_template_may_do_nothing_else(signed_in, redis_server, command):
    """The user has no right to keys of other stacks, channels and dangerous commands."""
    with (
        Redis(port=redis_server.port, username="functions", password="password") as client,
        pytest.raises(NoPermissionError),
    ):
        client.execute_command(*command)


def test_the_guide_names_the_rights_that_a_user_of_yours_needs():
    """docs/deploying.md has the rights of the stack's own user, for a Redis that exists."""
    rights = STACK.resources["CacheUser"]["Properties"]["AccessString"]
    guide = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
    assert f"`{rights.replace(PREFIX, '<stack>')}`" in guide
