"""Workers share the shards: each settles the facts of the shards whose advisory locks its connection holds.

No coordinator assigns shards. Every second each worker reads which workers are present and which shards are taken; it
releases the shards beyond its fair share and takes free ones. The locks die with the connection, so a dead worker's
shards are free at once. If two workers ever believe that they hold the same shard, no harm is done: positions move by
compare-and-set.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from enum import IntEnum

import asyncpg
from structlog import get_logger

from etracker_scoring.errors import postgres_errors
from etracker_scoring.worker.arrays import encode_columns_at_once
from etracker_scoring.worker.locks import ANY_WORKER, PRESENT, SHARD, UPKEEP
from etracker_shared.agreements.facts import SHARDS
from etracker_shared.plumbing.database_login import UNAVAILABLE, Login
from etracker_shared.plumbing.settings import PostgresSettings

STAND_BY_SECONDS = 1.0
SPARE_ROUNDS = 3
"""Rounds for which a shard has to be free before a worker that only helps out takes it."""

# Lookups use indexes however small Postgres believes the tables to be: it keeps plans made while they were empty. A
# worker that hangs, or whose machine vanished, loses its locks within seconds. Committed facts are trimmed from the
# stream, so a commit waits for the disk even if Postgres is configured not to wait.
_SERVER_SETTINGS = {
    "application_name": "etracker-scoring-worker",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_seqscan": "off",
    "jit": "off",
    "synchronous_commit": "on",
    "idle_session_timeout": "15s",
    "idle_in_transaction_session_timeout": "15s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}

_LOCKS = """
SELECT classid::bigint AS kind, objid::bigint AS number, pid FROM pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = ANY($1::oid[])
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

_TAKE = "SELECT number FROM unnest($2::int[]) number WHERE pg_try_advisory_lock($1, number)"
_GIVE_BACK = "SELECT pg_advisory_unlock($1, number) FROM unnest($2::int[]) number"

log = get_logger("leadership")


class Job(IntEnum):
    """The periodic jobs, each of which runs in one of the workers."""

    COUNTS = 0
    FOLDING = 1
    RECALIBRATION = 2
    DETECTION = 3
    CENSUS = 4


class Claims:
    """The shards and jobs of one worker.

    ``shards``: those it holds, as of the last :meth:`renew`. ``refused``: those it leaves to newer workers, because
    they contain facts that it can't read. A worker that refuses a shard no longer gets a fair share: the others take
    the shards that it can't read, and it helps out with the rest.
    """

    def __init__(self, connection: asyncpg.Connection, refused: set[int]) -> None:
        self._connection = connection
        self.shards: set[int] = set()
        self.refused = refused
        self._present = False
        self._free_rounds: dict[int, int] = {}
        self._jobs = {job: asyncio.Event() for job in Job}

    async def enter(self) -> None:
        """Begin to count as a worker that takes a fair share."""
        if self.refused:
            return
        await self._connection.fetchval("SELECT pg_advisory_lock_shared($1, 0)", PRESENT)
        self._present = True

    async def held(self, job: Job) -> None:
        """Wait until this worker has a job, which it keeps as long as the connection lives."""
        await self._jobs[job].wait()

    def holds(self, job: Job) -> bool:
        """Return whether this worker has a job."""
        return self._jobs[job].is_set()

    async def refuse(self, shards: Iterable[int]) -> None:
        """Leave shards to a newer worker."""
        self.refused.update(shards)
        await self._give_back(self.shards & self.refused)
        if self._present:
            await self._connection.fetchval("SELECT pg_advisory_unlock_shared($1, 0)", PRESENT)
            self._present = False

    async def renew(self) -> None:
        """Release and take shards according to the workers that are present, and take free jobs."""
        locks = await self._connection.fetch(_LOCKS, [PRESENT, SHARD, UPKEEP])
        own = self._connection.get_server_pid()
        self.shards = {lock["number"] for lock in locks if lock["kind"] == SHARD and lock["pid"] == own}
        free = set(range(SHARDS)) - {lock["number"] for lock in locks if lock["kind"] == SHARD} - self.refused
        self._free_rounds = {shard: self._free_rounds.get(shard, 0) + 1 for shard in free}
        if self._present:
            quota = fair_share([lock["pid"] for lock in locks if lock["kind"] == PRESENT], own)
            await self._give_back(set(sorted(self.shards)[quota:]))
            await self._take_shards(sorted(free)[: max(0, quota - len(self.shards))])
        else:
            await self._take_shards([shard for shard in free if self._free_rounds[shard] > SPARE_ROUNDS])
        await self._take_jobs({lock["number"] for lock in locks if lock["kind"] == UPKEEP})

    async def _take_shards(self, shards: Iterable[int]) -> None:
        if wanted := list(shards):
            self.shards |= {row["number"] for row in await self._connection.fetch(_TAKE, SHARD, wanted)}

    async def _give_back(self, shards: set[int]) -> None:
        if shards:
            await self._connection.fetch(_GIVE_BACK, SHARD, sorted(shards))
            self.shards -= shards

    async def _take_jobs(self, taken: set[int]) -> None:
        if wanted := [job.value for job in Job if job.value not in taken]:
            for row in await self._connection.fetch(_TAKE, UPKEEP, wanted):
                self._jobs[Job(row["number"])].set()


def fair_share(present: Iterable[int], own: int) -> int:
    """Return how many shards a worker takes. ``present``: process ids of all workers' backends; ``own``: its own.

    The shares of all workers add up to the number of shards, and differ by at most one.
    """
    ranks: Mapping[int, int] = {pid: rank for rank, pid in enumerate(sorted(set(present)))}
    if own not in ranks:
        return 0
    share, remainder = divmod(SHARDS, len(ranks))
    return share + (ranks[own] < remainder)


class Leadership:
    """``connected``: whether this worker's connection to Postgres is open."""

    def __init__(self, settings: PostgresSettings) -> None:
        self._login = Login(settings)
        self._refused: set[int] = set()
        self.connected = False

    @property
    def outdated(self) -> bool:
        """Whether this worker met facts of a newer version. That stays true until a newer worker replaces it."""
        return bool(self._refused)

    @asynccontextmanager
    async def join(self) -> AsyncIterator[tuple[asyncpg.Connection, Claims]]:
        """Join the workers, with the connection that holds this one's locks.

        A worker of the version that had one leader keeps all other workers out: wait until it ends.

        Raises:
            PostgresUnavailableError: Postgres isn't available.
        """
        with postgres_errors():
            connection = await self._connect()
        try:
            self.connected = True
            with postgres_errors():
                await _wait_for_older_worker(connection)
                claims = Claims(connection, self._refused)
                await claims.enter()
            yield connection, claims
        finally:
            self.connected = False
            with contextlib.suppress(*UNAVAILABLE):
                await connection.close(timeout=1.0)

    async def _connect(self) -> asyncpg.Connection:
        connection = await self._login.connect(
            timeout=3.0,
            command_timeout=30.0,
            server_settings=_SERVER_SETTINGS,
        )
        encode_columns_at_once(connection)
        return connection


async def _wait_for_older_worker(connection: asyncpg.Connection) -> None:
    waiting = False
    while not await connection.fetchval("SELECT pg_try_advisory_lock_shared($1)", ANY_WORKER):
        if not waiting:
            log.warning("waiting_for_a_worker_of_an_older_version_to_stop")
        waiting = True
        await asyncio.sleep(STAND_BY_SECONDS)
