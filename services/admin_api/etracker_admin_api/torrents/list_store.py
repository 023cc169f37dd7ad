"""The list of torrents, searched and sorted in Postgres at a cost that doesn't grow with the list.

Each sort order has an index that starts with ``health``, so a page comes from four ordered walks that are merged, or
from one if there is a filter. A search first tries the next few thousand rows of the walk. If they don't fill the
page, it collects the ids of all matches from the index of names, up to a limit. Below the limit, those rows are sorted.
Above it, matches are so frequent that more rows of the walk usually fill a page. If they don't, or if the first rows
contained too few matches, the matches are at the far end of the order, and all of them are sorted. None of this is left
to the planner's estimates: see ADRs 31 and 70.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, text, union, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.database import LONG_DEADLINE_SECONDS, Database, fetch_first
from etracker_admin_api.http.paging import cut_page
from etracker_admin_api.queries import comes_after, in_order, starts_with, torrent_id
from etracker_admin_api.torrents.listing import HEALTHS, Order, Search, TorrentQuery
from etracker_admin_api.torrents.models import TorrentDetailV1, TorrentPage, TorrentV1
from etracker_admin_api.torrents.names import Names, find_named, folded_name, read_names, words_match
from etracker_shared.agreements.tables import infohashes
from etracker_shared.language.identity import InfoHash

MOST_SORTED = 5000
"""The most matches of a search that are fetched and sorted before more of the walk is tried."""

FIRST_ROWS, MORE_ROWS = 3000, 20_000
"""Rows of the walk that are tried before and after the index of names, which is slower for common words."""

_SETTINGS = "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', '{0}', true)"
WALKING = f"{_SETTINGS.format('off')}, set_config('enable_sort', 'off', true)"
COLLECTING = f"{_SETTINGS.format('on')}, set_config('enable_sort', 'on', true)"
"""What the planner may do in a transaction: walk an index without sorting, or collect ids from the index of names."""

_columns = infohashes.c
_aliases = infohashes.alias("aliases")
_KEYS: dict[Order, ColumnElement[Any]] = {
    Order.NAME: _columns.sort_name,
    Order.SEEDERS: _columns.seeders,
    Order.LEECHERS: _columns.leechers,
    Order.SNATCHES: _columns.downloaded,
    Order.SIZE: func.coalesce(_columns.length, text("-1")),
    Order.ADDED: _columns.created_time,
}
# Named as in TorrentV1.
_SHOWN = (
    _columns.info_hash,
    _columns.info_hash_v2,
    _columns.name,
    _columns.length.label("size"),
    _columns.seeders,
    _columns.leechers,
    _columns.downloaded.label("snatches"),
    _columns.created_time.label("added"),
    _columns.last_seen,
    _columns.file.is_not(None).label("has_file"),
    _columns.health,
)

# Named as in TorrentDetailV1.
_DETAIL = (
    _columns.uploaded_bytes,
    _columns.downloaded_bytes,
    _columns.seeding_seconds,
    select(_aliases.c.info_hash)
    .where(_aliases.c.same_as == _columns.id)
    .limit(1)
    .scalar_subquery()
    .label("other_info_hash"),
    _columns.counted_time.label("counted_at"),
)


class TorrentLists:
    """The torrents as people look for them. Raises PostgresUnavailableError within a few seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, query: TorrentQuery) -> TorrentPage:
        """Return a page; its cost depends neither on the length of the list nor on the number of matches."""
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            rows, following = cut_page(await _answer(connection, query), query.limit, query.sort)
        return TorrentPage(items=[TorrentV1(**row._asdict()) for row in rows], next=following)

    async def find(self, info_hash: InfoHash) -> TorrentDetailV1 | None:
        """Return the torrent that has this infohash, as its first or its second."""
        statement = select(*_SHOWN, *_DETAIL).where(_columns.id == torrent_id(info_hash))
        async with self._database.transaction() as connection:
            return await fetch_first(connection, statement, TorrentDetailV1)


def walk(query: TorrentQuery) -> Select[Any]:
    """Merge the walks along an index, one per state of health."""
    healths = HEALTHS if query.health is None else (query.health.stored,)
    listed, key = _listed(query), _KEYS[query.sort.order]
    parts = [
        in_order(listed.where(_columns.health == text(str(health))), key, _columns.id, descending=query.sort.descending)
        for health in healths
    ]
    rows = union_all(*(part.subquery().select() for part in parts)).subquery()
    return in_order(select(rows), rows.c.sort_key, rows.c.id, descending=query.sort.descending).limit(query.limit + 1)


def peek(query: TorrentQuery, names: Names, rows: int) -> Select[Any]:
    """Look for a page among the next rows of the walk: a common word fills it without the index of names."""
    ahead = walk(replace(query, limit=rows)).subquery()
    found = select(ahead).where(words_match(folded_name(ahead.c.id), names.literals))
    return in_order(found, ahead.c.sort_key, ahead.c.id, descending=query.sort.descending).limit(query.limit + 1)


def find_matching(search: Search, names: Names) -> Select[Any]:
    """Select the ids of matching torrents, at most one more than can be sorted. Some of them may not be listed."""
    parts = [find_named(names), *(_find_hashed(prefix) for prefix in search.hash_prefixes)]
    either = union(*(part.limit(MOST_SORTED + 1) for part in parts)).subquery()
    return select(either.c.id).limit(MOST_SORTED + 1)


def sort_found(query: TorrentQuery, ids: Sequence[int]) -> Select[Any]:
    """Sort the torrents with these ids."""
    return _sort(query, _columns.id == func.any(ids))


def sort_all(query: TorrentQuery, names: Names) -> Select[Any]:
    """Sort all torrents whose names match."""
    # An array, because the planner would turn a subquery into a filter for a walk along the whole list.
    return _sort(query, _columns.id == func.any(func.array(find_named(names).scalar_subquery())))


def _sort(query: TorrentQuery, found: ColumnElement[bool]) -> Select[Any]:
    statement = _listed(query).where(found)
    if query.health is not None:
        statement = statement.where(_columns.health == query.health.stored)
    return in_order(statement, _KEYS[query.sort.order], _columns.id, descending=query.sort.descending).limit(
        query.limit + 1
    )


async def _answer(connection: AsyncConnection, query: TorrentQuery) -> Sequence[Any]:
    if query.search is None:
        return await _fetch(connection, walk(query), WALKING)
    names = await read_names(connection, query.search)
    rows = await _search(connection, query, query.search, names)
    if rows is None and names.loosened is not None:
        rows = await _search(connection, query, query.search, names.loosened)
    return rows or []


async def _search(
    connection: AsyncConnection, query: TorrentQuery, search: Search, names: Names
) -> Sequence[Any] | None:
    """Return a page of the matches; None if there are none on any page."""
    first: Sequence[Any] = []
    if names.literals and not search.hash_prefixes:
        first = await _peek(connection, query, names, FIRST_ROWS)
    if len(first) > query.limit:
        return first
    ids = [row.id for row in await _fetch(connection, find_matching(search, names), COLLECTING)]
    if len(ids) <= MOST_SORTED:
        return await _fetch(connection, sort_found(query, ids), COLLECTING) if ids else None
    if is_promising(len(first), query.limit):
        more = await _peek(connection, query, names, MORE_ROWS)
        if len(more) > query.limit:
            return more
    return await _fetch(connection, sort_all(query, names), COLLECTING)


def is_promising(found: int, limit: int) -> bool:
    """Return whether more rows of the walk are likely to fill a page, judging by the matches in the first rows."""
    return found * MORE_ROWS > limit * FIRST_ROWS


async def _peek(connection: AsyncConnection, query: TorrentQuery, names: Names, rows: int) -> Sequence[Any]:
    return await _fetch(connection, peek(query, names, rows), WALKING)


async def _fetch(connection: AsyncConnection, statement: Select[Any], settings: str) -> Sequence[Any]:
    await connection.execute(text(settings))
    rows: Sequence[Any] = (await connection.execute(statement)).all()
    return rows


def _listed(query: TorrentQuery) -> Select[Any]:
    """Select the rows after the query's position."""
    key = _KEYS[query.sort.order]
    statement = select(_columns.id, *_SHOWN, key.label("sort_key")).where(_columns.same_as.is_(None))
    if query.after is None:
        return statement
    return statement.where(comes_after(key, _columns.id, query.after, descending=query.sort.descending))


def _find_hashed(prefix: str) -> Select[Any]:
    row_id = func.coalesce(_columns.same_as, _columns.id).label("id")
    return select(row_id).where(starts_with(_columns.info_hash, prefix, 20))
