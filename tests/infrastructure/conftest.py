"""The deployed machines, for the tests that run them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.infrastructure.machines import Machines, deployed
from tests.support.redis_servers import RedisServer


@pytest.fixture
def machines(plain_redis: RedisServer) -> Iterator[Machines]:
    """Both machines, with one active symbol of each class."""
    with deployed(plain_redis, ACTIVE_SYMBOLS="AAPL,BTC-USD,EUR/USD") as machines:
        yield machines
