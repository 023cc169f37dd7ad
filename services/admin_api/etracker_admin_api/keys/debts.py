"""Debts of a key, which operators can clear: for a torrent that is gone, after a theft or an error of a client."""

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.actors import Action, Actor
from etracker_admin_api.audit import record
from etracker_admin_api.database import LONG_DEADLINE_SECONDS, Database, fetch
from etracker_admin_api.keys.locking import lock_key, look_up_again
from etracker_admin_api.keys.recovery_models import Debt
from etracker_shared.agreements.tables import infohashes, memberships, peers
from etracker_shared.language.identity import InfoHash

MOST_DEBTS = 1000

_peers = peers.c
_members = memberships.c


class KeyDebts:
    """Lists and clears debts. Both raise PostgresUnavailableError within some seconds if Postgres is down."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, key_id: int) -> list[Debt]:
        """Return what a key owes, the largest debts first."""
        shown = select(
            infohashes.c.info_hash, infohashes.c.name, func.round(_members.debt_seconds).label("seconds_left")
        )
        owed = shown.join(infohashes).where(_members.key_id == key_id, _members.debt_seconds > 0)
        statement = owed.order_by(_members.debt_seconds.desc(), infohashes.c.id).limit(MOST_DEBTS)
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            return await fetch(connection, statement, Debt)

    async def clear(self, key_id: int, info_hash: InfoHash | None, reason: str, actor: Actor) -> bool:
        """Clear the debt of one torrent, or all; return whether there is such a key.

        Without debts a key's conduct is perfect, also if some were for torrents that have been removed. Clearing one
        debt takes away its share, by the seconds still owed, of what conduct lacks.
        """
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            locked = await lock_key(connection, _peers.id == key_id)
            if locked is None:
                return False
            owed = (_members.key_id == key_id) & (_members.debt_seconds > 0)
            wanted = owed if info_hash is None else owed & (_members.info_hash_id == _torrent(info_hash))
            total = await _sum(connection, owed)
            cleared = await _sum(connection, wanted)
            share = 1.0 if info_hash is None else cleared / total if total else 0.0
            await connection.execute(update(memberships).where(wanted).values(debt_seconds=0))
            if await _forgive(connection, key_id, share) or cleared:
                detail = {"reason": reason, "debt_seconds": {"before": round(total), "after": round(total - cleared)}}
                if info_hash is not None:
                    detail["info_hash"] = info_hash.hex()
                await record(connection, actor, Action.CLEAR_DEBTS, str(key_id), **detail)
                await look_up_again(connection, locked[1])
        return True


async def _sum(connection: AsyncConnection, wanted: ColumnElement[bool]) -> float:
    return await connection.scalar(select(func.sum(_members.debt_seconds)).where(wanted)) or 0.0


async def _forgive(connection: AsyncConnection, key_id: int, share: float) -> bool:
    """Take a share of the snatches that weren't seeded out of a key's conduct; return whether there were any."""
    lacking = _peers.score_owed - _peers.score_paid
    forgiven = (
        update(peers).where(_peers.id == key_id, lacking > 0).values(score_owed=_peers.score_owed - lacking * share)
    )
    return share > 0 and (await connection.execute(forgiven)).rowcount > 0


def _torrent(info_hash: InfoHash) -> ColumnElement[int]:
    row_id = func.coalesce(infohashes.c.same_as, infohashes.c.id)
    return select(row_id).where(infohashes.c.info_hash == info_hash).scalar_subquery()
