"""Measure what it costs to judge a block of many torrents: ``python -m scripts.judging_cost 10000 100000``.

In each torrent a seeder uploads what a leecher receives. In one of a hundred, which are private, somebody hides what it
received for four days, so that the window of 48 blocks is looked at.
"""

import argparse
import asyncio
import resource
import tempfile
import time
from pathlib import Path

import asyncpg
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from bench.cpu import cpu_seconds
from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.metrics import WorkerMetrics
from etracker_scoring.scores.formula import ScoreParameters
from etracker_scoring.worker.freezing import Freezer
from etracker_scoring.worker.stream import FactStreams
from etracker_scoring.worker.upkeep.balances import Balances
from etracker_shared.agreements.anomalies import BLOCK_SECONDS, WINDOW_BLOCKS
from etracker_shared.plumbing.postgres import create_pool
from tests.support.postgres import PostgresServer, cloned_database, connect, running_postgres
from tests.support.redis import RedisServer

BLOCK = int(time.time()) // BLOCK_SECONDS - 3
SUSPICIOUS = 100

_TORRENTS = """
INSERT INTO infohashes (info_hash, length, piece_length, private)
SELECT decode(lpad(to_hex(n), 40, '0'), 'hex'), 1e10::bigint, 4194304, n % $2 = 0 FROM generate_series(1, $1::int) n
"""
_TRAFFIC = """
INSERT INTO traffic_blocks (slot, block, info_hash_id, identity, uploaded, received, dropped)
SELECT block / 12 % 8, block, id, int8send(member), 1e9::bigint * (member = 1)::int,
    CASE WHEN id % $3 = 0 THEN 1e8 ELSE 1e9 END::bigint * (member = 2)::int, 1e8::bigint * (member = 2)::int
FROM infohashes, generate_series($1::int, $2::int) block, generate_series(1, 2) member
WHERE block = $2 OR id % $3 = 0
"""
_HISTORY = """
INSERT INTO swarm_blocks (info_hash_id, block, uploaded, received, noise, cusum, onset, trusted)
SELECT id, block, 1e9::bigint, 1e8::bigint, 1e8, 1e10, $1, 1 FROM infohashes, generate_series($1::int, $2 - 1) block
WHERE id % $3 = 0
"""
_SESSIONS = """
INSERT INTO announces (key_id, info_hash_id, peer_id, last_seen, present, seeded)
SELECT peers.id, infohashes.id, '\\x01', to_timestamp($1), -1, (peers.id = 1)::int FROM peers, infohashes
"""


async def fill(database: asyncpg.Connection, torrents: int) -> None:
    """Store what the members of some torrents transferred."""
    first = BLOCK + 1 - WINDOW_BLOCKS
    await database.execute("INSERT INTO peers (announce_key) VALUES ('seeder'), ('leecher')")
    await database.execute(_TORRENTS, torrents, SUSPICIOUS)
    await database.execute(_TRAFFIC, first, BLOCK, SUSPICIOUS, timeout=600)
    await database.execute(_HISTORY, first, BLOCK, SUSPICIOUS, timeout=600)
    await database.execute(_SESSIONS, float(BLOCK * BLOCK_SECONDS), timeout=600)
    await database.execute("INSERT INTO detection_progress VALUES (0, $1, 0)", BLOCK)
    await database.execute("VACUUM ANALYZE", timeout=600)


async def measure(server: PostgresServer, redis: RedisServer, torrents: int) -> None:
    """Judge a block, and print what it cost."""
    with cloned_database(server) as settings:
        connection, client = await connect(settings), Redis.from_url(redis.settings().redis_url)
        await fill(connection, torrents)
        metrics, steps, longest = WorkerMetrics(CollectorRegistry()), 0, 0.0
        async with create_pool(settings, max_size=1) as pool:
            balances = Balances(
                pool, FactStreams(client), Freezer(ScoreParameters, enforced=False), DetectionParameters(), metrics
            )
            job, postgres = time.process_time(), cpu_seconds({"postgres": server.pid})["postgres"]
            more = True
            while more:
                began = time.process_time()
                more = await balances.judge_some(time.time())
                steps, longest = steps + 1, max(longest, time.process_time() - began)
            job = time.process_time() - job
            postgres = cpu_seconds({"postgres": server.pid})["postgres"] - postgres
        judged = await connection.fetchval("SELECT count(*) FROM swarm_blocks WHERE block = $1", BLOCK)
        await client.aclose()
        await connection.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{judged} torrents: job {job:.1f} s, Postgres {postgres:.1f} s of CPU time "
        f"({(job + postgres) / torrents * 1e6:.0f} us per torrent), {steps} transactions, "
        f"the longest {longest * 1000:.0f} ms of the job's CPU time; peak {peak} MiB",
        flush=True,
    )


def main() -> None:
    """Measure each number of torrents."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("torrents", type=int, nargs="*", default=[10_000, 100_000])
    options = parser.parse_args()
    with running_postgres() as server, tempfile.TemporaryDirectory() as directory:
        redis = RedisServer(Path(directory))
        redis.start()
        try:
            for torrents in options.torrents:
                asyncio.run(measure(server, redis, torrents))
        finally:
            redis.stop()


if __name__ == "__main__":
    main()
