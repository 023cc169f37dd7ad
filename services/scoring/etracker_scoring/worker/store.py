"""The worker's transactions in Postgres, over the one connection that holds its locks."""

from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from etracker_scoring.errors import BatchConflictError, postgres_errors
from etracker_scoring.metrics import WorkerMetrics
from etracker_scoring.worker.entries import START, Position, parse_position
from etracker_shared.agreements.notifications import EVERYTHING, INFOHASHES_CHANNEL

_POSITIONS = "SELECT shard, last_id FROM stream_positions"

_MOVE_POSITIONS = """
UPDATE stream_positions SET last_id = moved.after
FROM unnest($1::smallint[], $2::text[], $3::text[]) moved (shard, before, after)
WHERE stream_positions.shard = moved.shard AND last_id = moved.before
"""

_LOCK_SHARDS = "SELECT 1 FROM stream_positions WHERE shard = ANY($1::smallint[]) ORDER BY shard FOR NO KEY UPDATE"

# Every statement locks rows in the order of their ids, since other workers may lock the same rows.
_KEEP_TORRENTS = "SELECT id FROM infohashes WHERE id = ANY($1::bigint[]) ORDER BY id FOR KEY SHARE"

_NOTIFY = "SELECT pg_notify($1, payload) FROM unnest($2::text[]) payload"


Connection = asyncpg.Connection | PoolConnectionProxy


class Rows:
    """Rows within one transaction. Statements take one array per column; their rows are written as one set.

    Times are passed and returned as Unix seconds: a datetime costs asyncpg more than five other columns.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.written: Counter[str] = Counter()

    async def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """Run a query."""
        return await self._connection.fetch(statement, *arguments)

    async def write(self, table: str, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write rows as one set: every row to update must still exist, and no row to insert may exist yet.

        Raises:
            BatchConflictError: a row is gone.
        """
        if not rows:
            return
        status = await self._connection.execute(statement, *columns(rows))
        if int(status.rpartition(" ")[2]) != len(rows):
            raise BatchConflictError(table)
        self.written[table] += len(rows)

    async def copy(self, table: str, names: Sequence[str], rows: Sequence[tuple[datetime, bytes]]) -> None:
        """Append rows to a table that no other table refers to."""
        if rows:
            await self._connection.copy_records_to_table(table, records=rows, columns=names)
            self.written[table] += len(rows)

    async def notify(self, channel: str, payloads: Sequence[str]) -> None:
        """Notify listeners once the transaction is committed."""
        if payloads:
            await self._connection.execute(_NOTIFY, channel, payloads)

    async def lock_shards(self, foreign: Collection[int], own: Collection[int]) -> None:
        """Keep other workers away from the keys of shards whose positions this transaction doesn't move.

        A worker that settles facts of a shard first moves the shard's position, and so waits for whoever has locked the
        shard. The previous version wrote all facts of a single Redis to the first stream, whatever their shard.
        """
        if foreign:
            await self.fetch(_LOCK_SHARDS, [*foreign, *own])

    async def move(self, moved: Mapping[int, tuple[Position, Position]]) -> None:
        """Move stream positions, each from its expected old value to its new one.

        Raises:
            BatchConflictError: one has another value.
        """
        rows = [(shard, str(before), str(after)) for shard, (before, after) in sorted(moved.items())]
        await self.write("stream_positions", _MOVE_POSITIONS, rows)

    async def keep_torrents(self, torrents: Collection[int]) -> None:
        """Protect torrents from deletion until the transaction ends: a deletion then waits before it locks other rows.

        Raises:
            BatchConflictError: one of them is gone.
        """
        if torrents and len(await self.fetch(_KEEP_TORRENTS, sorted(torrents))) != len(torrents):
            raise BatchConflictError("infohashes")


class Store:
    """Transactions of one connection."""

    def __init__(self, connection: Connection, metrics: WorkerMetrics) -> None:
        self._connection = connection
        self._metrics = metrics

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Rows]:
        """Commit everything that the block writes, or nothing.

        Raises:
            BatchConflictError: a loaded row has changed.
            BatchRefusedError: Postgres will never store these rows.
            PostgresUnavailableError: Postgres isn't available.
        """
        rows = Rows(self._connection)
        with postgres_errors():
            async with self._connection.transaction():
                yield rows
        for table, number in rows.written.items():
            self._metrics.rows_written.labels(table).inc(number)

    async def fetch(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """Run a query outside of any transaction.

        Raises:
            PostgresUnavailableError: Postgres isn't available.
        """
        with postgres_errors():
            return await self._connection.fetch(statement, *arguments)

    async def positions(self) -> dict[int, Position]:
        """Return the position of every shard: the last entry whose facts are in the statistics."""
        rows = await self.fetch(_POSITIONS)
        return {row["shard"]: parse_position(row["last_id"]) for row in rows}

    async def rewind(self, before: Mapping[int, Position]) -> None:
        """Reset shards to the start of their stream, and make announce look up again what Redis had counted.

        Raises:
            BatchConflictError: a position isn't what ``before`` says.
        """
        async with self.transaction() as rows:
            await rows.move({shard: (position, START) for shard, position in before.items()})
            await rows.notify(INFOHASHES_CHANNEL, [EVERYTHING])


@asynccontextmanager
async def transaction(pool: asyncpg.Pool, metrics: WorkerMetrics) -> AsyncIterator[Rows]:
    """Run a transaction over a pool's connection; see :meth:`Store.transaction`."""
    with postgres_errors():
        connection = await pool.acquire()
    try:
        async with Store(connection, metrics).transaction() as rows:
            yield rows
    finally:
        await pool.release(connection)


def columns(rows: Collection[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Turn rows into columns, for statements."""
    return list(zip(*rows, strict=True))
