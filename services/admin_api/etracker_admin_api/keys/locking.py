"""Locks that keep the scoring worker away from a key (docs/adr/0075).

The worker begins each transaction by moving the position of a shard, and loads the shard's keys afterwards, by their
hashes. So a transaction that locks this position's row has the shard's keys to itself. A rotation takes the lock too:
when it ends, no worker still has statistics that it read under the old hash.
"""

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_shared.agreements.facts import shard_of
from etracker_shared.agreements.notifications import KEYS_CHANNEL, format_payloads
from etracker_shared.agreements.tables import peers, stream_positions
from etracker_shared.language.identity import KeyHash


async def lock_shard(connection: AsyncConnection, key_hash: bytes) -> None:
    """Wait for the worker's current transaction, and keep it from the keys of a shard until this one ends."""
    shard = select(stream_positions.c.shard).where(stream_positions.c.shard == shard_of(key_hash))
    await connection.execute(shard.with_for_update(key_share=True))


async def lock_key(connection: AsyncConnection, wanted: ColumnElement[bool]) -> tuple[int, KeyHash] | None:
    """Lock the shard and the row of a key; return its id and its hash, None if there is no such key.

    The key may be rotated while this waits. Then the old hash's shard is unlocked again: a worker may be waiting for it
    that holds the other one.
    """
    columns = peers.c
    while True:
        found = (await connection.execute(select(columns.id, columns.key_hash).where(wanted))).first()
        if found is None:
            return None
        attempt = await connection.begin_nested()
        await lock_shard(connection, found.key_hash)
        row = select(columns.id).where(columns.id == found.id, columns.key_hash == found.key_hash, wanted)
        if (await connection.execute(row.with_for_update(key_share=True))).first() is not None:
            await attempt.commit()
            return found.id, KeyHash(bytes(found.key_hash))
        await attempt.rollback()


async def look_up_again(connection: AsyncConnection, key_hash: KeyHash) -> None:
    """Make announce replicas look up a key's treatment again once the transaction is committed."""
    for payload in format_payloads([key_hash]):
        await connection.execute(select(func.pg_notify(KEYS_CHANNEL, payload)))
