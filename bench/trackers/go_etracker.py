"""The original etracker, in Go, with a Postgres and a Redis of its own."""

import asyncio
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from bench.trackers.others import OtherTracker
from bench.trackers.processes import free_port, running
from bench.trackers.servers import postgres
from bench.world import World, announce_key, info_hash

PORT, REDIS_PORT = 3000, 6379
"""It reads a setting for its own port, but doesn't use it; the address of Redis is in its source."""

USER = "etracker"


@contextmanager
def go_etracker(work: Path, world: World, programs: Mapping[str, Path]) -> Iterator[OtherTracker]:
    """Run the original, with the world's keys and torrents. It sees 127.0.0.1 as the address of all peers."""
    root, password, postgres_port = work / "go-etracker", secrets.token_hex(16), free_port()
    root.mkdir()
    root.chmod(0o711)
    settings = {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(postgres_port),
        "PGDATABASE": "postgres",
        "PGUSER": USER,
        "PGPASSWORD": password,
        "ETRACKER_REDIS": password,
    }
    configuration = root / "redis.conf"
    configuration.touch(0o600)
    configuration.write_text(f"port {REDIS_PORT}\nbind 127.0.0.1\nsave ''\nrequirepass {password}\ndir {root}\n")
    with (
        postgres(root, postgres_port, USER, password) as database,
        running([programs["redis-server"], configuration], REDIS_PORT, root / "redis.log") as redis,
        running([programs["etracker"]], PORT, work / "go-etracker.log", cwd=root, env=settings) as tracker,
    ):
        asyncio.run(_register(postgres_port, password, world))
        roles = {"tracker": tracker.pid, "postgres": database, "redis": redis.pid}
        yield OtherTracker("Go etracker", PORT, roles, lambda key: f"/{key}/announce")


async def _register(port: int, password: str, world: World) -> None:
    """Add keys and torrents; its sums have 32 bits, which the benchmark's uploads exceed."""
    shape = world.shape
    connection = await asyncpg.connect(host="127.0.0.1", port=port, user=USER, password=password, database="postgres")
    try:
        await connection.execute("ALTER TABLE peers ALTER uploaded TYPE bigint, ALTER downloaded TYPE bigint")
        keys = [(announce_key(shape, index),) for index in range(shape.keys)]
        torrents = [(info_hash(shape, index), f"torrent {index}") for index in range(shape.swarms)]
        await connection.copy_records_to_table("peers", records=keys, columns=("announce_key",))
        await connection.copy_records_to_table("infohashes", records=torrents, columns=("info_hash", "name"))
    finally:
        await connection.close()
