"""Live counts and the limit of keys on a Redis Cluster, whose keys lie on three masters."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.cluster import RedisCluster as Client

from etracker_admin_api.settings import AdminSettings
from etracker_shared.agreements.redis_keys import ALL_TOTALS
from tests.support.admin_api import serving
from tests.support.redis_cluster import running_redis_cluster


@pytest.fixture
def cluster_settings(admin_settings: AdminSettings) -> Iterator[AdminSettings]:
    program = shutil.which("redis-server")
    assert program, "redis-server is missing: make install-system"
    with running_redis_cluster(Path(program)) as cluster:
        changes = cluster.settings().model_dump(include={"redis_url", "redis_cluster"})
        yield admin_settings.model_copy(update={**changes, "key_limit": "2/hour"})


async def test_live_counts_are_added_up_over_all_masters(cluster_settings: AdminSettings) -> None:
    with Client.from_url(cluster_settings.redis_url) as redis:
        for key in ALL_TOTALS:
            redis.hset(key, mapping={"s": 2, "l": 1})
    async with serving(cluster_settings) as client:
        assert (await client.get("/api/stats")).json() == {"hashcount": 0, "seeders": 512, "leechers": 256}


async def test_keys_are_limited_on_a_cluster(cluster_settings: AdminSettings) -> None:
    async with serving(cluster_settings) as one, serving(cluster_settings) as another:
        statuses = [(await client.get("/api/generate")).status_code for client in (one, another, one)]
        assert statuses == [200, 200, 429]
