"""Recovery codes of keys, and requests for one by holders of keys that have none.

Anybody with the key can ask, a thief as well as the holder. So a request waits for some days in which everybody else
with the key can see it and object. Only the browser that asked gets the code.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.actors import Action, Actor
from etracker_admin_api.audit import record
from etracker_admin_api.database import LONG_DEADLINE_SECONDS, Database
from etracker_admin_api.errors import KeyConflictError
from etracker_admin_api.keys.locking import lock_key, look_up_again
from etracker_admin_api.keys.recovery_models import NewRecoveryRequest, Recovery, RecoveryRequest
from etracker_admin_api.keys.rotations import is_open
from etracker_shared.agreements.tables import key_rotations, peers, recovery_codes, recovery_requests
from etracker_shared.language.identity import KeyHash, hash_announce_key

DISOWN_EVERY = timedelta(days=180)
"""How often sessions of a key can be disowned."""

_peers = peers.c
_codes = recovery_codes.c
_requests = recovery_requests.c
_rotations = key_rotations.c
_enabled = _peers.disabled_time.is_(None)

HAS_ONE = "This key has a recovery code already. If it is lost, an operator can replace it."
IS_PENDING = "Somebody has already asked for a recovery code for this key."
IS_OPEN = "The last rotation of this key can still be undone. Ask again when that is over."


class RecoveryStore:
    """``days``: how long a request for a code waits, and how long a rotation can be undone.

    Every method raises PostgresUnavailableError within a few seconds if Postgres is down.
    """

    def __init__(self, database: Database, days: float) -> None:
        self._database = database
        self._days = timedelta(days=days)

    async def show(self, announce_key: str) -> Recovery | None:
        """Return how a key can be recovered; None if it doesn't work."""
        undone = select(_rotations.id).where(_rotations.key_id == _peers.id, _rotations.undone_time.is_not(None))
        last = select(func.max(_rotations.at)).where(_rotations.key_id == _peers.id, *is_open(self._days))
        wanted = (
            select(
                _codes.created_time.label("code_created"),
                (_codes.disowned_time + DISOWN_EVERY).label("disown_after"),
                _requests.requested_time,
                (last.scalar_subquery() + self._days).label("undo_until"),
                undone.exists().label("contested"),
                func.now().label("now"),
            )
            .select_from(peers.outerjoin(recovery_codes).outerjoin(recovery_requests))
            .where(_peers.key_hash == hash_announce_key(announce_key), _enabled)
        )
        async with self._database.transaction() as connection:
            row = (await connection.execute(wanted)).first()
        if row is None:
            return None
        return Recovery(
            code_created=row.code_created,
            request=None if row.requested_time is None else self._request(row.requested_time),
            undo_until=row.undo_until,
            contested=row.contested,
            disown_after=row.disown_after if row.disown_after and row.disown_after > row.now else None,
        )

    async def ask(self, announce_key: str) -> NewRecoveryRequest | None:
        """Ask for a recovery code; return None if the key doesn't work.

        Raises:
            KeyConflictError: the key has a code, somebody has asked already, or a rotation can still be undone.
        """
        claim = secrets.token_hex(16)
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            locked = await _lock(connection, announce_key)
            if locked is None:
                return None
            key_id, key_hash = locked
            await self._check_can_ask(connection, key_id)
            row = insert(recovery_requests).values(key_id=key_id, claim_hash=_hash_claim(claim))
            requested: datetime = (await connection.execute(row.returning(_requests.requested_time))).scalar_one()
            await look_up_again(connection, key_hash)
        return NewRecoveryRequest(claim=claim, **self._request(requested).model_dump())

    async def object(self, announce_key: str) -> bool:
        """End a request for a code; return whether there was one."""
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            locked = await _lock(connection, announce_key)
            if locked is None:
                return False
            ended = await connection.execute(delete(recovery_requests).where(_requests.key_id == locked[0]))
            await look_up_again(connection, locked[1])
            return ended.rowcount > 0

    async def claim(self, announce_key: str, claim: str, code_hash: bytes) -> bool:
        """Give a key the code that was asked for; return whether the claim is right.

        Raises:
            KeyConflictError: it is too early.
        """
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            locked = await _lock(connection, announce_key)
            if locked is None:
                return False
            key_id, key_hash = locked
            mine = (_requests.key_id == key_id) & (_requests.claim_hash == _hash_claim(claim))
            waited = select(_requests.requested_time + self._days <= func.now()).where(mine)
            is_ready = await connection.scalar(waited)
            if is_ready is None:
                return False
            if not is_ready:
                raise KeyConflictError("It is too early: others who have the key can still object.")
            await put_code(connection, key_id, code_hash)
            await look_up_again(connection, key_hash)
        return True

    async def give(self, key_id: int, code_hash: bytes, actor: Actor) -> bool:
        """Give a key a code on behalf of an operator; a code that it has stops working. Return whether it exists."""
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            locked = await lock_key(connection, _peers.id == key_id)
            if locked is None:
                return False
            await put_code(connection, key_id, code_hash)
            await record(connection, actor, Action.GIVE_RECOVERY_CODE, str(key_id))
            await look_up_again(connection, locked[1])
        return True

    async def _check_can_ask(self, connection: AsyncConnection, key_id: int) -> None:
        of_key = _rotations.key_id == key_id
        for statement, reason in (
            (select(_codes.key_id).where(_codes.key_id == key_id), HAS_ONE),
            (select(_requests.key_id).where(_requests.key_id == key_id), IS_PENDING),
            (select(_rotations.id).where(of_key, *is_open(self._days)), IS_OPEN),
        ):
            if (await connection.execute(statement.limit(1))).first() is not None:
                raise KeyConflictError(reason)

    def _request(self, requested: datetime) -> RecoveryRequest:
        return RecoveryRequest(requested=requested, ready=requested + self._days)


async def put_code(connection: AsyncConnection, key_id: int, code_hash: bytes) -> None:
    """Store the code of a key, in place of the one that it has or has asked for."""
    row = upsert(recovery_codes).values(key_id=key_id, code_hash=code_hash)
    values = {"code_hash": code_hash, "created_time": func.now()}
    await connection.execute(row.on_conflict_do_update(index_elements=[_codes.key_id], set_=values))
    await connection.execute(delete(recovery_requests).where(_requests.key_id == key_id))


async def _lock(connection: AsyncConnection, announce_key: str) -> tuple[int, KeyHash] | None:
    return await lock_key(connection, (_peers.key_hash == hash_announce_key(announce_key)) & _enabled)


def _hash_claim(claim: str) -> bytes:
    return hashlib.sha256(claim.encode()).digest()
