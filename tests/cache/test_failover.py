"""Failovers in a cluster of three primaries and three replicas, under a running service."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from local.simulator import MarketServers
from tests.support.fault_support import SYMBOLS, Watch, ticks_until_well
from tests.support.redis_servers import RedisServer
from tests.support.running_service import RunningService, base_urls, eventually, paid_market

PRIMARIES, SLOTS = 3, 16384
NODE_TIMEOUT_MS = 1000
NODE = ("--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT_MS))


class Cluster:
    """Six servers joined to one cluster; the first three are primaries at the start."""

    def __init__(self, folder: Path) -> None:
        self.nodes = []
        for number in range(2 * PRIMARIES):
            own = folder / f"node-{number}"
            own.mkdir()
            self.nodes.append(RedisServer(own, options=NODE))

    def start(self) -> None:
        """Start and join all servers, and return when each replica has its primary's data."""
        for number, node in enumerate(self.nodes):
            node.start()
            self.ask(node, "SET-CONFIG-EPOCH", number + 1)
        for number in range(PRIMARIES):
            first, end = (SLOTS * n // PRIMARIES for n in (number, number + 1))
            self.ask(self.nodes[number], "ADDSLOTS", *range(first, end))
        for node in self.nodes[1:]:
            self.ask(self.nodes[0], "MEET", node.host, node.port)
        for node in self.nodes:
            eventually(lambda node=node: len(self.known(node)) == len(self.nodes), "six met")
        for number, node in enumerate(self.nodes[PRIMARIES:]):
            self.ask(node, "REPLICATE", self.ask(self.nodes[number], "MYID"))
        eventually(self.is_whole, "a whole cluster")

    def end(self) -> None:
        """Stop all servers."""
        for node in self.nodes:
            node.kill()

    def ask(self, node: RedisServer, *command: object):
        """Return the answer to one CLUSTER command."""
        with node.client() as client:
            return client.execute_command(f"CLUSTER {command[0]}", *command[1:])

    def known(self, node: RedisServer) -> dict:
        """Return the nodes that `node` is connected with, and itself."""
        known = self.ask(node, "NODES")
        return {
            name: facts
            for name, facts in known.items()
            if facts["connected"] or "myself" in facts["flags"]
        }

    def is_whole(self) -> bool:
        """Whether all slots are served, and each primary has a replica that is up to date."""
        roles = []
        for node in self.nodes:
            try:
                with node.client() as client:
                    info = client.info("replication")
                if self.ask(node, "INFO")["cluster_state"] != "ok":
                    return False
            except RedisError:
                return False
            roles.append(info["role"])
            if info["role"] == "slave" and info["master_link_status"] != "up":
                return False
        return roles.count("master") == PRIMARIES

    def primary_of(self, key: str) -> RedisServer:
        """The node that serves a key."""
        for node in self.nodes:
            with contextlib.suppress(RedisError), node.client() as client:
                client.execute_command("EXISTS", key)
                if client.info("replication")["role"] == "master":
                    return node
        raise AssertionError(f"nobody serves {key}")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of three primaries and three replicas."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.end()


@pytest.fixture(scope="module")
def market() -> Iterator[MarketServers]:
    """A market whose prices move with every tick."""
    with paid_market() as market:
        yield market


@pytest.fixture(scope="module")
def service(
    cluster: Cluster, market: MarketServers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningService]:
    """A healthy service that knows one node of the cluster."""
    env = {**cluster.nodes[0].env(REDIS_CLUSTER="true"), **base_urls(market)}
    with RunningService(tmp_path_factory.mktemp("home"), **env) as service:
        ticks_until_well(service.ready())
        yield service


def test_primaries_fail_under_a_running_service(cluster, service, market, record_property):
    """The service recovers when one primary is killed, and again when another one hangs."""
    with Watch(service, market) as watch:
        killed = cluster.primary_of("mda:{control}:slot")
        killed.kill()
        replicas = [node for node in cluster.nodes if node is not killed]
        eventually(lambda: any(is_promoted(cluster, node) for node in replicas[2:]), "a failover")
        recovered(service, record_property)
        killed.start()
        eventually(cluster.is_whole, "a whole cluster")
        hung = cluster.primary_of("mda:{quotes}:q:AAPL")
        hung.pause()
        # Readers meet the hung server first; a tick may already use the new primary.
        service.wait_for("Redis at", after=service.output)
        service.wait_for("  written ", after=service.output)
        hung.resume()
        recovered(service, record_property)
        record_property("readers", watch.harmless())
    assert set(market.violations.values()) == {0}


def is_promoted(cluster: Cluster, node: RedisServer) -> bool:
    """Whether a former replica is a primary now, and says that all slots are served."""
    if node not in cluster.nodes[PRIMARIES:]:
        return False
    with node.client() as client:
        role = client.info("replication")["role"]
    return role == "master" and cluster.ask(node, "INFO")["cluster_state"] == "ok"


def recovered(service: RunningService, tell) -> None:
    """Assert that within two ticks the service is healthy and every symbol has its price."""
    ticks = ticks_until_well(service)
    quotes, _ = service.quotes(SYMBOLS)
    assert set(quotes) == set(SYMBOLS.split(","))
    tell("ticks", ticks)
    assert ticks <= 2
