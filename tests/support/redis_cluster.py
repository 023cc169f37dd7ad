"""A Redis Cluster of three masters on loopback."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import redis

from etracker_shared.plumbing.settings import RedisSettings
from tests.support.processes import Program, free_ports, wait_until

SLOTS = 16384
MASTERS = 3


class RedisCluster:
    """Three masters without replicas, each with a third of the slots."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = ports

    def settings(self) -> RedisSettings:
        """Return the settings a service takes."""
        return RedisSettings(redis_url=f"redis://127.0.0.1:{self._ports[0]}", redis_cluster=True)

    def flush(self) -> None:
        """Forget all data, scripts included."""
        for port in self._ports:
            with redis.Redis(port=port) as client:
                client.flushall()
                client.script_flush()

    def move_slot(self, slot: int) -> None:
        """Give an empty slot to the next master, as an operator would do to rebalance the cluster."""
        with redis.Redis(port=self._ports[0]) as client:
            owners = client.execute_command("CLUSTER NODES")
        numbers = [self._number_of(address) for address in owners]
        names = {number: node["node_id"] for number, node in zip(numbers, owners.values(), strict=True)}
        owner = next(number for number, node in zip(numbers, owners.values(), strict=True) if _has(node, slot))
        receiver = (owner + 1) % MASTERS
        # The receiver first, so that no node points to one that doesn't know.
        for number in (receiver, owner, (owner + 2) % MASTERS):
            with redis.Redis(port=self._ports[number]) as client:
                client.execute_command("CLUSTER SETSLOT", slot, "NODE", names[receiver])

    def _number_of(self, address: str) -> int:
        return self._ports.index(int(address.partition("@")[0].rpartition(":")[2]))


@contextmanager
def running_redis_cluster(program: Path) -> Iterator[RedisCluster]:
    """Run a cluster and remove everything afterwards. ``program``: Redis 7 or later, or Valkey."""
    with ExitStack() as stack:
        directory = Path(tempfile.mkdtemp(prefix="etracker-cluster-"))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        numbers = free_ports(2 * MASTERS)
        ports, bus_ports = numbers[:MASTERS], numbers[MASTERS:]
        for port, bus_port in zip(ports, bus_ports, strict=True):
            stack.enter_context(_node(program, directory / str(port), port, bus_port))
        for number, port in enumerate(ports):
            _introduce(number, port, ports[0], bus_ports[0])
        wait_until(lambda: all(_agrees(port) for port in ports), "the masters agree on their cluster")
        yield RedisCluster(ports)


def _node(program: Path, directory: Path, port: int, bus_port: int) -> Program:
    directory.mkdir()
    options = ["--cluster-enabled", "yes", "--cluster-port", str(bus_port), "--save", "", "--appendonly", "no"]
    address = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory)]
    return Program([program, *address, *options], log=directory / "log")


def _introduce(number: int, port: int, first_port: int, first_bus_port: int) -> None:
    wait_until(lambda: _answers(port), "a node answers")
    with redis.Redis(port=port) as client:
        slots = range(SLOTS * number // MASTERS, SLOTS * (number + 1) // MASTERS)
        client.execute_command("CLUSTER ADDSLOTS", *slots)
        client.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
        if port != first_port:
            client.execute_command("CLUSTER MEET", "127.0.0.1", first_port, first_bus_port)


def _has(node: dict[str, Any], slot: int) -> bool:
    return any(int(first) <= slot <= int(last) for first, last in (_ends(part) for part in node["slots"]))


def _ends(part: list[str]) -> tuple[str, str]:
    return part[0], part[-1]


def _answers(port: int) -> bool:
    try:
        with redis.Redis(port=port) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False


def _agrees(port: int) -> bool:
    with redis.Redis(port=port) as client:
        info = client.execute_command("CLUSTER INFO")
    return bool(info["cluster_state"] == "ok" and info["cluster_known_nodes"] == str(MASTERS))
