"""The catalogue of torrents in Postgres."""

from collections.abc import AsyncIterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from sqlalchemy import Select, case, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.adapters.audit import record, record_all
from etracker_admin_api.adapters.database import LONG_DEADLINE_SECONDS, Database
from etracker_admin_api.adapters.stored_files import new_mark
from etracker_admin_api.domain.catalogue import ListedTorrent
from etracker_admin_api.domain.operators import Action, Actor
from etracker_admin_api.domain.torrents import Torrent
from etracker_shared.identity import InfoHash
from etracker_shared.tables import infohashes, torrent_counts

STREAM_ROWS = 1000
"""Rows held in memory at a time: the list of a million torrents costs no more than that of a thousand."""

MOST_DIFFERENCES = 1000
"""More rows than this are put together when they are added up."""

_columns = infohashes.c

# Of several replicas that do it at once each takes rows that no other does.
_PUT_TOGETHER = text("""
WITH gone AS (
    DELETE FROM torrent_counts WHERE id IN (SELECT id FROM torrent_counts FOR UPDATE SKIP LOCKED) RETURNING torrents
)
INSERT INTO torrent_counts (torrents) SELECT sum(torrents) FROM gone HAVING count(*) > 0
""")


class PostgresCatalogue:
    """Reads and writes ``infohashes``; triggers tell every announce replica of each change."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, info_hash: InfoHash, name: str, actor: Actor) -> bool:
        """See the port."""
        return bool(await self.add_many({info_hash: name}, actor))

    async def add_many(self, named: Mapping[InfoHash, str], actor: Actor) -> AbstractSet[InfoHash]:
        """See the port."""
        rows = [{"info_hash": info_hash, "name": name} for info_hash, name in named.items()]
        statement = insert(infohashes).on_conflict_do_nothing().returning(_columns.info_hash)
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            added = {InfoHash(info_hash) for info_hash in await connection.scalars(statement.values(rows))}
            details = {info_hash.hex(): {"name": named[info_hash]} for info_hash in added}
            await record_all(connection, actor, Action.ADD_INFO_HASH, details)
        return added

    async def rename(self, info_hash: InfoHash, name: str, actor: Actor) -> bool:
        """See the port."""
        primary = select(func.coalesce(_columns.same_as, _columns.id)).where(_columns.info_hash == info_hash)
        before = select(_columns.id, _columns.name).where(_columns.id == primary.scalar_subquery()).with_for_update()
        async with self._database.transaction() as connection:
            found = (await connection.execute(before)).first()
            if found is not None and found.name != name:
                await connection.execute(update(infohashes).where(_columns.id == found.id).values(name=name))
                await record(connection, actor, Action.RENAME, info_hash.hex(), name=name, before=found.name)
        return found is not None

    async def add_torrent(self, torrent: Torrent, actor: Actor) -> bool:
        """See the port. The file may be 16 MiB long."""
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            new = await _insert_missing(connection, torrent)
            rows = await _lock(connection, torrent)
            primary = _choose_primary(rows, torrent, new)
            completed = await _complete(connection, primary, torrent)
            pointed = await _point_aliases(connection, primary, torrent)
            if new or completed or pointed:
                first = torrent.info_hashes[0].hex()
                await record(connection, actor, Action.UPLOAD, first, name=torrent.name, new=bool(new))
        return bool(new)

    async def remove(self, info_hash: InfoHash, actor: Actor) -> bool:
        """See the port."""
        primary = select(func.coalesce(_columns.same_as, _columns.id)).where(_columns.info_hash == info_hash)
        statement = delete(infohashes).where(
            or_(_columns.id == primary.scalar_subquery(), _columns.same_as == primary.scalar_subquery())
        )
        async with self._database.transaction() as connection:
            names = list(await connection.scalars(statement.returning(_columns.name)))
            if names:
                await record(connection, actor, Action.REMOVE, info_hash.hex(), name=names[0])
        return bool(names)

    async def count(self) -> int:
        """See the port. Adds up what triggers noted: the torrents themselves aren't read."""
        async with self._database.transaction() as connection:
            differences, torrents = (await connection.execute(add_up())).one()
            if differences > MOST_DIFFERENCES:
                await connection.execute(_PUT_TOGETHER)
        return int(torrents)

    async def stream(self) -> AsyncIterator[Sequence[ListedTorrent]]:
        """See the port."""
        after = 0
        while batch := await self._page(after, STREAM_ROWS):
            yield batch
            after = batch[-1].id

    async def _page(self, after: int, limit: int) -> Sequence[ListedTorrent]:
        statement = (
            select(
                _columns.id,
                _columns.name,
                _columns.info_hash,
                _columns.downloaded,
                _columns.seeders,
                _columns.leechers,
            )
            .where(_columns.id > after, _columns.same_as.is_(None))
            .order_by(_columns.id)
            .limit(limit)
        )
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            return [ListedTorrent(*row) for row in await connection.execute(statement)]


def add_up() -> Select[Any]:
    """Select how many differences there are, and the number of torrents that they add up to."""
    return select(func.count(), func.coalesce(func.sum(torrent_counts.c.torrents), 0))


class _Tracked(NamedTuple):
    id: int
    info_hash: bytes
    same_as: int | None


async def _insert_missing(connection: AsyncConnection, torrent: Torrent) -> set[bytes]:
    """Insert the infohashes that aren't tracked yet, and return those."""
    rows = [
        {"info_hash": info_hash, "name": torrent.name, "length": torrent.length, "info_hash_v2": torrent.v2}
        for info_hash in torrent.info_hashes
    ]
    statement = insert(infohashes).values(rows).on_conflict_do_nothing().returning(_columns.info_hash)
    return set(await connection.scalars(statement))


async def _lock(connection: AsyncConnection, torrent: Torrent) -> Sequence[_Tracked]:
    statement = (
        select(_columns.id, _columns.info_hash, _columns.same_as)
        .where(_columns.info_hash.in_(torrent.info_hashes))
        .order_by(_columns.id)
        .with_for_update()
    )
    return [_Tracked(*row) for row in await connection.execute(statement)]


def _choose_primary(rows: Sequence[_Tracked], torrent: Torrent, new: set[bytes]) -> int:
    """Choose the row that keeps the statistics: one that may have some already, v1's before v2's."""
    aliased = {row.same_as for row in rows if row.same_as is not None}
    if aliased:
        return min(aliased)
    order = {bytes(info_hash): position for position, info_hash in enumerate(torrent.info_hashes)}
    return min(rows, key=lambda row: (row.info_hash in new, order[row.info_hash])).id


async def _complete(connection: AsyncConnection, primary: int, torrent: Torrent) -> bool:
    """Fill in what a row that was inserted by its infohash alone doesn't know; tell whether that was anything."""
    incomplete = or_(_columns.file.is_(None), _columns.length.is_(None), _columns.name == "")
    statement = update(infohashes).where(_columns.id == primary, incomplete)
    completed = await connection.execute(
        statement.values(
            file=func.coalesce(_columns.file, torrent.file),
            file_mark=case((_columns.file.is_(None), new_mark()), else_=_columns.file_mark),
            length=func.coalesce(_columns.length, torrent.length),
            name=func.coalesce(func.nullif(_columns.name, ""), torrent.name),
            info_hash_v2=func.coalesce(_columns.info_hash_v2, torrent.v2),
        )
    )
    return completed.rowcount > 0


async def _point_aliases(connection: AsyncConnection, primary: int, torrent: Torrent) -> bool:
    """Let the torrent's other infohash share the statistics of its first; tell whether it didn't yet."""
    statement = update(infohashes).where(
        _columns.info_hash.in_(torrent.info_hashes), _columns.id != primary, _columns.same_as.is_distinct_from(primary)
    )
    return (await connection.execute(statement.values(same_as=primary))).rowcount > 0
