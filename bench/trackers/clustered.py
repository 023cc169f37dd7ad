"""etracker with two replicas of announce on a Redis Cluster of three masters."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench.trackers.etracker import Etracker, etracker
from bench.trackers.servers import redis_cluster
from etracker_shared.plumbing.settings import RedisSettings

MASTERS, REPLICAS = 3, 2


def cluster_program() -> str | None:
    """Return a Redis server that can form a cluster; the one that ``make run`` starts may be too old for that."""
    return shutil.which("redis-server") or shutil.which("valkey-server")


@contextmanager
def clustered_etracker(work: Path, name: str, policy: str, program: str) -> Iterator[Etracker]:
    """Run the stack with a Redis Cluster, whose masters count among its processes."""
    with redis_cluster(work / f"{name}-redis", program, MASTERS) as masters:
        _, port = next(iter(masters.values()))
        redis = RedisSettings(redis_url=f"redis://127.0.0.1:{port}", redis_cluster=True)
        settings = {
            "ETRACKER_REDIS_URL": redis.redis_url,
            "ETRACKER_REDIS_CLUSTER": "true",
            "ETRACKER_ANNOUNCE_REPLICAS": str(REPLICAS),
        }
        with etracker(work, name, policy, settings) as tracker:
            pids = {role: pid for role, (pid, _) in masters.items()}
            yield replace(tracker, roles={**tracker.roles, **pids}, redis=redis)
