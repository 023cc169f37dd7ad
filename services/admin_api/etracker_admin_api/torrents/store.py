"""The tracked torrents in Postgres: changes, and the stream of all of them."""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import case, delete, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.actors import Action, Actor
from etracker_admin_api.audit import record, record_all
from etracker_admin_api.database import LONG_DEADLINE_SECONDS, Database, fetch
from etracker_admin_api.queries import torrent_id
from etracker_admin_api.torrent_file.marks import new_mark
from etracker_admin_api.torrent_file.parsing import ParsedTorrent
from etracker_shared.agreements.tables import infohashes
from etracker_shared.language.identity import InfoHash

STREAM_ROWS = 1000
"""Rows in memory at a time: a list of a million torrents takes no more memory than one of a thousand."""

_columns = infohashes.c


@dataclass(frozen=True, slots=True)
class ListedTorrent:
    """One row of the original API's list. ``downloaded``: snatches."""

    id: int
    name: str
    info_hash: InfoHash
    downloaded: int
    seeders: int
    leechers: int


class TorrentStore:
    """The tracked torrents. A hybrid's two infohashes are one torrent.

    What an actor changes is recorded in the audit log in the same transaction, and triggers notify every announce
    replica. Every method raises PostgresUnavailableError within a few seconds if Postgres is down.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, info_hash: InfoHash, name: str, actor: Actor) -> bool:
        """Track an infohash; return whether it is new."""
        return bool(await self.add_many({info_hash: name}, actor))

    async def add_many(self, named: Mapping[InfoHash, str], actor: Actor) -> AbstractSet[InfoHash]:
        """Track infohashes; return those that are new."""
        rows = [{"info_hash": info_hash, "name": name} for info_hash, name in named.items()]
        statement = insert(infohashes).on_conflict_do_nothing().returning(_columns.info_hash)
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            added = {InfoHash(info_hash) for info_hash in await connection.scalars(statement.values(rows))}
            details = {info_hash.hex(): {"name": named[info_hash]} for info_hash in added}
            await record_all(connection, actor, Action.ADD_INFO_HASH, details)
        return added

    async def rename(self, info_hash: InfoHash, name: str, actor: Actor) -> bool:
        """Rename the torrent that has this infohash; return whether there is one."""
        before = select(_columns.id, _columns.name).where(_columns.id == torrent_id(info_hash)).with_for_update()
        async with self._database.transaction() as connection:
            found = (await connection.execute(before)).first()
            if found is not None and found.name != name:
                await connection.execute(update(infohashes).where(_columns.id == found.id).values(name=name))
                await record(connection, actor, Action.RENAME, info_hash.hex(), name=name, before=found.name)
        return found is not None

    async def add_torrent(self, torrent: ParsedTorrent, actor: Actor) -> bool:
        """Track a torrent by all its infohashes and store its file; return whether any of them is new.

        The statistics are in an existing row, v1's rather than v2's, or in a new row for v1. A stored file,
        name or length is never overwritten.
        """
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
        """Stop tracking the torrent that has this infohash, by all its infohashes; return whether there was one."""
        found = torrent_id(info_hash)
        statement = delete(infohashes).where(or_(_columns.id == found, _columns.same_as == found))
        async with self._database.transaction() as connection:
            names = list(await connection.scalars(statement.returning(_columns.name)))
            if names:
                await record(connection, actor, Action.REMOVE, info_hash.hex(), name=names[0])
        return bool(names)

    async def stream(self) -> AsyncIterator[Sequence[ListedTorrent]]:
        """Yield all torrents in batches, each read in a separate transaction."""
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
            return await fetch(connection, statement, ListedTorrent)


class _Tracked(NamedTuple):
    id: int
    info_hash: bytes
    same_as: int | None


async def _insert_missing(connection: AsyncConnection, torrent: ParsedTorrent) -> set[bytes]:
    """Insert the infohashes that aren't tracked yet; return those."""
    rows = [
        {
            "info_hash": info_hash,
            "name": torrent.name,
            "length": torrent.length,
            "piece_length": torrent.piece_length,
            "private": True,
            "info_hash_v2": torrent.v2,
        }
        for info_hash in torrent.info_hashes
    ]
    statement = insert(infohashes).values(rows).on_conflict_do_nothing().returning(_columns.info_hash)
    return set(await connection.scalars(statement))


async def _lock(connection: AsyncConnection, torrent: ParsedTorrent) -> Sequence[_Tracked]:
    statement = (
        select(_columns.id, _columns.info_hash, _columns.same_as)
        .where(_columns.info_hash.in_(torrent.info_hashes))
        .order_by(_columns.id)
        .with_for_update()
    )
    return await fetch(connection, statement, _Tracked)


def _choose_primary(rows: Sequence[_Tracked], torrent: ParsedTorrent, new: set[bytes]) -> int:
    """Choose the row for the statistics: preferably one that may already have some, and v1's rather than v2's."""
    aliased = {row.same_as for row in rows if row.same_as is not None}
    if aliased:
        return min(aliased)
    order = {bytes(info_hash): position for position, info_hash in enumerate(torrent.info_hashes)}
    return min(rows, key=lambda row: (row.info_hash in new, order[row.info_hash])).id


async def _complete(connection: AsyncConnection, primary: int, torrent: ParsedTorrent) -> bool:
    """Fill in what is missing from a row inserted by its infohash alone; return whether anything was missing."""
    unknown = (_columns.file, _columns.length, _columns.piece_length, _columns.private)
    incomplete = or_(*(column.is_(None) for column in unknown), _columns.name == "")
    statement = update(infohashes).where(_columns.id == primary, incomplete)
    completed = await connection.execute(
        statement.values(
            file=func.coalesce(_columns.file, torrent.file),
            file_mark=case((_columns.file.is_(None), new_mark(secrets.randbits)), else_=_columns.file_mark),
            length=func.coalesce(_columns.length, torrent.length),
            piece_length=func.coalesce(_columns.piece_length, torrent.piece_length),
            private=func.coalesce(_columns.private, true()),
            name=func.coalesce(func.nullif(_columns.name, ""), torrent.name),
            info_hash_v2=func.coalesce(_columns.info_hash_v2, torrent.v2),
        )
    )
    return completed.rowcount > 0


async def _point_aliases(connection: AsyncConnection, primary: int, torrent: ParsedTorrent) -> bool:
    """Point the torrent's other infohash to the row with the statistics; return whether that changed anything."""
    statement = update(infohashes).where(
        _columns.info_hash.in_(torrent.info_hashes), _columns.id != primary, _columns.same_as.is_distinct_from(primary)
    )
    # Clearing the time makes the scoring worker count its peers again, together with those of the other infohash.
    return (await connection.execute(statement.values(same_as=primary, counted_time=None))).rowcount > 0
