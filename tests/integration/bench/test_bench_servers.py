"""The servers that the benchmark starts next to the stack."""

import shutil
from pathlib import Path

import asyncpg
import pytest
from redis import RedisCluster

from bench.trackers.processes import free_port
from bench.trackers.servers import postgres, redis_cluster


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Return a directory that Postgres' account can enter when we are root."""
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o711)
    return tmp_path


def test_the_clusters_masters_share_all_slots(tmp_path: Path) -> None:
    program = shutil.which("redis-server")
    assert program is not None, "redis-server is missing: run `make install-system`"
    with redis_cluster(tmp_path, program, 3) as masters:
        assert list(masters) == ["redis-1", "redis-2", "redis-3"]
        ports = {port for _, port in masters.values()}
        with RedisCluster(host="127.0.0.1", port=min(ports)) as client:
            names = [f"key {number}" for number in range(60)]
            assert all(client.set(name, name) for name in names)
            used = {client.get_node_from_key(name).port for name in names}
    assert used == ports


async def test_a_tracker_gets_a_postgres_of_its_own(work: Path) -> None:
    port = free_port()
    with postgres(work, port, "somebody", "secret") as pid:
        connection = await asyncpg.connect(
            host="127.0.0.1", port=port, user="somebody", password="secret", database="postgres"
        )
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()
        assert (work / "postgres" / "postmaster.pid").read_text().startswith(f"{pid}\n")
