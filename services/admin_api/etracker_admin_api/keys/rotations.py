"""Rotations of a key by whoever has it, and by whoever has its recovery code.

A thief can rotate a key as well as its holder. So the old key may undo a rotation for some days. From then on both have
the old key again, and another rotation would only continue the quarrel: it takes the recovery code, which only the
holder has, or an operator. A rotation with the code is final.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.database import LONG_DEADLINE_SECONDS, Database, fetch_first
from etracker_admin_api.errors import KeyConflictError
from etracker_admin_api.keys.locking import lock_key
from etracker_admin_api.keys.recovery_models import EndedKey
from etracker_shared.agreements.tables import key_rotations, peers, recovery_codes, recovery_requests
from etracker_shared.language.identity import hash_announce_key

_peers = peers.c
_rotations = key_rotations.c
_enabled = _peers.disabled_time.is_(None)

CONTESTED = (
    "A rotation of this key has been undone, so somebody else may have it too. Rotate it with its recovery code, or "
    "ask an operator to do it."
)


class Rotations:
    """Rotates keys. ``days``: how long the old key can undo it.

    Every method raises PostgresUnavailableError if Postgres is down.
    """

    def __init__(self, database: Database, days: float) -> None:
        self._database = database
        self._days = timedelta(days=days)

    async def rotate(self, announce_key: str, new_key: str) -> datetime | None:
        """Replace an announce key with another; return until when that can be undone, None if the key doesn't work.

        Raises:
            KeyConflictError: a rotation has been undone before.
        """
        old_hash = hash_announce_key(announce_key)
        async with self._transaction() as connection:
            locked = await lock_key(connection, (_peers.key_hash == old_hash) & _enabled)
            if locked is None:
                return None
            key_id, _ = locked
            if await is_contested(connection, key_id):
                raise KeyConflictError(CONTESTED)
            await _replace(connection, key_id, new_key)
            row = insert(key_rotations).values(key_id=key_id, old_hash=old_hash).returning(_rotations.at)
            at: datetime = (await connection.execute(row)).scalar_one()
        return at + self._days

    async def find(self, former_key: str) -> EndedKey | None:
        """Return when a key was replaced, and until when that can be undone; None if that isn't known."""
        until = _rotations.at + self._days
        wanted = (
            select(_rotations.at.label("rotated"), until.label("undo_until"))
            .where(_rotations.old_hash == hash_announce_key(former_key), *self._open())
            .order_by(_rotations.id.desc())
        )
        async with self._database.transaction() as connection:
            return await fetch_first(connection, wanted.limit(1), EndedKey)

    async def undo(self, former_key: str) -> bool:
        """Bring a rotated key back, and end the one that replaced it; return whether that was possible.

        Raises:
            KeyConflictError: the key has been registered again in the meantime.
        """
        old_hash = hash_announce_key(former_key)
        mine = select(_rotations.id, _rotations.key_id).where(_rotations.old_hash == old_hash, *self._open())
        async with self._transaction() as connection:
            found = (await connection.execute(mine.order_by(_rotations.id.desc()).limit(1))).first()
            if found is None:
                return False
            locked = await lock_key(connection, (_peers.id == found.key_id) & _enabled)
            # It may have been undone, or made final, while this waited for the lock.
            if locked is None or (await connection.execute(mine.where(_rotations.id == found.id))).first() is None:
                return False
            if (await connection.execute(select(_peers.id).where(_peers.key_hash == old_hash))).first() is not None:
                raise KeyConflictError("This key has been registered again.")
            later = (_rotations.key_id == found.key_id) & (_rotations.id >= found.id)
            undone = update(key_rotations).where(later, _rotations.undone_time.is_(None))
            await connection.execute(undone.values(undone_time=func.now()))
            await _replace(connection, found.key_id, former_key)
        return True

    async def recover(self, code_hash: bytes, new_key: str) -> bool:
        """Replace the key to which a recovery code belongs, finally; return whether there is one that works."""
        of_code = select(recovery_codes.c.key_id).where(recovery_codes.c.code_hash == code_hash)
        async with self._transaction() as connection:
            locked = await lock_key(connection, _peers.id.in_(of_code) & _enabled)
            if locked is None:
                return False
            await replace_finally(connection, locked[0], new_key)
        return True

    def _open(self) -> tuple[ColumnElement[bool], ...]:
        return is_open(self._days)

    def _transaction(self) -> Any:
        return self._database.transaction(LONG_DEADLINE_SECONDS)


def is_open(days: timedelta) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions under which a rotation can be undone."""
    return _rotations.undone_time.is_(None), _rotations.at > func.now() - days


def stored_key(announce_key: str) -> Mapping[str, bytes | None]:
    """Return what is stored of a key: neither Postgres' log nor its write-ahead log ever has the key itself."""
    return {"announce_key": None, "key_hash": hash_announce_key(announce_key)}


async def is_contested(connection: AsyncConnection, key_id: int) -> bool:
    """Return whether a rotation of a key has been undone, and none has been final since."""
    undone = select(_rotations.id).where(_rotations.key_id == key_id, _rotations.undone_time.is_not(None))
    return (await connection.execute(undone.limit(1))).first() is not None


async def replace_finally(connection: AsyncConnection, key_id: int, new_key: str) -> None:
    """Replace a locked key so that none of its former keys can undo it."""
    await connection.execute(delete(key_rotations).where(_rotations.key_id == key_id))
    await _replace(connection, key_id, new_key)


async def _replace(connection: AsyncConnection, key_id: int, new_key: str) -> None:
    """Replace a locked key. Whoever asked for a recovery code with the old one has to ask again."""
    await connection.execute(delete(recovery_requests).where(recovery_requests.c.key_id == key_id))
    await connection.execute(update(peers).where(_peers.id == key_id).values(stored_key(new_key)))
