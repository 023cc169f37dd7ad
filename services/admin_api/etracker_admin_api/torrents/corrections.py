"""Corrections of a torrent's statistics; the tracker's totals change by the same amounts."""

from collections.abc import Mapping, Sequence
from typing import Any

from redis.asyncio import Redis, RedisCluster
from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog import get_logger

from etracker_admin_api.actors import Action, Actor
from etracker_admin_api.audit import record
from etracker_admin_api.corrections import Amount, apply_amounts, describe
from etracker_admin_api.database import LONG_DEADLINE_SECONDS, Database
from etracker_admin_api.queries import torrent_id
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.notifications import INFOHASHES_CHANNEL, format_payloads
from etracker_shared.agreements.tables import infohashes, totals
from etracker_shared.language.identity import InfoHash
from etracker_shared.plumbing.redis_connections import REDIS_UNAVAILABLE

log = get_logger("admin_api")

_columns = infohashes.c
# Named as in the request.
_STATISTICS = {
    "uploaded_bytes": _columns.uploaded_bytes,
    "downloaded_bytes": _columns.downloaded_bytes,
    "snatches": _columns.downloaded,
    "seeding_seconds": _columns.seeding_seconds,
}
_TOTALS = {
    "uploaded_bytes": totals.c.uploaded_bytes,
    "downloaded_bytes": totals.c.downloaded_bytes,
    "snatches": totals.c.snatches,
}


class TorrentCorrections:
    """Corrects the statistics of torrents."""

    def __init__(self, database: Database, redis: Redis | RedisCluster) -> None:
        self._database = database
        self._redis = redis

    async def correct(self, info_hash: InfoHash, amounts: Mapping[str, Amount], reason: str, actor: Actor) -> bool:
        """Correct the statistics of the torrent that has an infohash; return whether there is one.

        Raises:
            CorrectionError: a statistic would be out of bounds; nothing has changed.
            PostgresUnavailableError: Postgres is down or too slow.
        """
        shown = (column.label(name) for name, column in _STATISTICS.items())
        wanted = select(_columns.id, *shown).where(_columns.id == torrent_id(info_hash))
        info_hashes: Sequence[InfoHash] = ()
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            row = (await connection.execute(wanted.with_for_update(key_share=True))).first()
            if row is None:
                return False
            before = {name: int(getattr(row, name)) for name in _STATISTICS}
            if after := apply_amounts(before, amounts):
                await _write(connection, row.id, before, after)
                target, changes = info_hash.hex(), describe(before, after)
                await record(connection, actor, Action.CORRECT_TORRENT, target, reason=reason, **changes)
            if "snatches" in after:
                info_hashes = await _notify_of_snatches(connection, row.id)
        await self._forget_snatches(info_hashes)
        return True

    async def _forget_snatches(self, info_hashes: Sequence[InfoHash]) -> None:
        """Remove the number of snatches from swarms, where it never falls; announce then uses the one in Postgres."""
        try:
            for info_hash in info_hashes:
                await self._redis.hdel(redis_keys.members(info_hash), redis_keys.SNATCHES_FIELD)
        except REDIS_UNAVAILABLE as error:
            log.warning("snatches_not_corrected_in_redis", error=type(error).__name__)


async def _write(connection: AsyncConnection, row_id: int, before: Mapping[str, int], after: Mapping[str, int]) -> None:
    """Write the torrent first and the totals last, as the scoring worker does."""
    values: dict[str, Any] = {_STATISTICS[name].name: value for name, value in after.items()}
    await connection.execute(update(infohashes).where(_columns.id == row_id).values(values))
    differences = {name: after[name] - before[name] for name in _TOTALS.keys() & after.keys()}
    if differences:
        sums = {name: func.greatest(0, _TOTALS[name] + difference) for name, difference in differences.items()}
        await connection.execute(update(totals).values(sums))


async def _notify_of_snatches(connection: AsyncConnection, row_id: int) -> list[InfoHash]:
    """Make announce replicas look up the torrent again; return its infohashes."""
    own = select(_columns.info_hash).where(or_(_columns.id == row_id, _columns.same_as == row_id))
    info_hashes = [InfoHash(bytes(info_hash)) for info_hash in await connection.scalars(own)]
    for payload in format_payloads(info_hashes):
        await connection.execute(select(func.pg_notify(INFOHASHES_CHANNEL, payload)))
    return info_hashes
