"""The list of torrents, searched and sorted in Postgres at a cost that doesn't grow with it.

Rows are read in the order of one index a sort order, all of which start with ``health``: four ordered walks
are merged, one with a filter. A search first looks at the next few thousand rows of the walk. If they don't fill the
page, it collects the ids of what matches, up to a bound. Below it those rows are sorted; above it every so many rows
match, and the walk finds a page full of them soon.
Either way Postgres looks at some ten thousand rows at most, whatever is searched for, which no planner's guess is
trusted with: ``docs/adr`` says more.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
    union,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.adapters.database import LONG_DEADLINE_SECONDS, Database
from etracker_admin_api.domain.listing import (
    HEALTHS,
    Order,
    Page,
    Search,
    SwarmHealth,
    TorrentDetail,
    TorrentQuery,
    TorrentRow,
    cut_page,
)
from etracker_shared.identity import InfoHash
from etracker_shared.tables import infohashes

MOST_SORTED = 5000
"""Rows that match a search and are sorted one by one."""

PEEKED_ROWS = 3000
"""Rows of the walk that are looked at before the index of words is: merging its lists of common words takes longer."""

_SETTINGS = "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', '{0}', true)"
WALKING = f"{_SETTINGS.format('off')}, set_config('enable_sort', 'off', true)"
COLLECTING = f"{_SETTINGS.format('on')}, set_config('enable_sort', 'on', true)"
"""What the planner may do in this transaction: walk, not fetch all and sort; or collect by the index of words."""

_LAST_CHARACTER = "\U0010ffff"
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
_ROW = (
    _columns.id,
    _columns.info_hash,
    _columns.info_hash_v2,
    _columns.name,
    _columns.length,
    _columns.seeders,
    _columns.leechers,
    _columns.downloaded,
    _columns.created_time,
    _columns.last_seen,
    _columns.file.is_not(None).label("has_file"),
    _columns.health,
)


class PostgresTorrentLists:
    """See :class:`~etracker_admin_api.ports.TorrentLists`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, query: TorrentQuery) -> Page:
        """See the port."""
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            return cut_page([_row(row) for row in await _answer(connection, query)], query)

    async def find(self, info_hash: InfoHash) -> TorrentDetail | None:
        """See the port."""
        async with self._database.transaction() as connection:
            return await find_torrent(connection, info_hash)


async def find_torrent(connection: AsyncConnection, info_hash: InfoHash) -> TorrentDetail | None:
    """Return the torrent that has an infohash, be it its first or its second."""
    other = select(_aliases.c.info_hash).where(_aliases.c.same_as == _columns.id).limit(1).scalar_subquery()
    wanted = select(func.coalesce(_aliases.c.same_as, _aliases.c.id)).where(_aliases.c.info_hash == info_hash)
    statement = select(
        *_ROW,
        literal(0).label("sort_key"),
        _columns.uploaded_bytes,
        _columns.downloaded_bytes,
        _columns.seeding_seconds,
        other,
        _columns.counted_time,
    ).where(_columns.id == wanted.scalar_subquery())
    found = (await connection.execute(statement)).first()
    return None if found is None else TorrentDetail(_row(found[:13]), *found[13:])


def walk(query: TorrentQuery) -> Select[Any]:
    """Merge the walks along an index, one a state of health."""
    healths = HEALTHS if query.health is None else (query.health.stored,)
    conditions = [] if query.search is None else [_matches(query.search)]
    listed, key = _listed(query).where(*conditions), _KEYS[query.sort.order]
    parts = [
        _in_order(listed.where(_columns.health == text(str(health))), key, _columns.id, query) for health in healths
    ]
    rows = union_all(*(part.subquery().select() for part in parts)).subquery()
    return _in_order(select(rows), rows.c.sort_key, rows.c.id, query).limit(query.limit + 1)


def peek(query: TorrentQuery) -> Select[Any] | None:
    """Look for a page among the next rows of the walk: a common word fills it there, and costs no index of words."""
    if query.search is None or query.search.start or query.search.hash_prefix:
        return None
    ahead = walk(replace(query, search=None, limit=PEEKED_ROWS)).subquery()
    found = select(ahead).where(_words_match(query.search, ahead.c.name))
    return _in_order(found, ahead.c.sort_key, ahead.c.id, query).limit(query.limit + 1)


def find_matching(search: Search, health: SwarmHealth | None) -> Select[Any]:
    """Select the ids of torrents that match, one more than are sorted at most."""
    named = select(_columns.id.label("id")).where(_columns.same_as.is_(None), _names_match(search))
    if search.start:  # the index of names starts with the health
        named = named.where(_columns.health.in_([health.stored] if health else list(HEALTHS)))
    elif health is not None:
        named = named.where(_columns.health == health.stored)
    if not search.hash_prefix:
        return named.limit(MOST_SORTED + 1)
    hashed = select(func.coalesce(_columns.same_as, _columns.id).label("id")).where(_hash_matches(search))
    either = union(named.limit(MOST_SORTED + 1), hashed.limit(MOST_SORTED + 1)).subquery()
    return select(either.c.id).limit(MOST_SORTED + 1)


def sort_found(query: TorrentQuery, ids: Sequence[int]) -> Select[Any]:
    """Sort the torrents of some ids."""
    statement = _listed(query).where(_columns.id == func.any(ids))
    if query.health is not None:
        statement = statement.where(_columns.health == query.health.stored)
    return _in_order(statement, _KEYS[query.sort.order], _columns.id, query).limit(query.limit + 1)


async def _answer(connection: AsyncConnection, query: TorrentQuery) -> Sequence[Any]:
    if query.search is None:
        return await _fetch(connection, walk(query), WALKING)
    if (ahead := peek(query)) is not None:
        rows = await _fetch(connection, ahead, WALKING)
        if len(rows) > query.limit:
            return rows
    ids = [row.id for row in await _fetch(connection, find_matching(query.search, query.health), COLLECTING)]
    if len(ids) <= MOST_SORTED:
        return await _fetch(connection, sort_found(query, ids), COLLECTING)
    return await _fetch(connection, walk(query), WALKING)


async def _fetch(connection: AsyncConnection, statement: Select[Any], settings: str) -> Sequence[Any]:
    await connection.execute(text(settings))
    rows: Sequence[Any] = (await connection.execute(statement)).all()
    return rows


def _listed(query: TorrentQuery) -> Select[Any]:
    """Select the rows behind the query's position."""
    key = _KEYS[query.sort.order]
    statement = select(*_ROW, key.label("sort_key")).where(_columns.same_as.is_(None))
    if query.after is None:
        return statement
    place, position = tuple_(key, _columns.id), tuple_(*query.after)
    return statement.where(place < position if query.sort.descending else place > position)


def _in_order(
    statement: Select[Any], key: ColumnElement[Any], row_id: ColumnElement[int], query: TorrentQuery
) -> Select[Any]:
    order = (key.desc(), row_id.desc()) if query.sort.descending else (key, row_id)
    return statement.order_by(*order)


def _matches(search: Search) -> ColumnElement[bool]:
    return or_(_names_match(search), _hash_matches(search)) if search.hash_prefix else _names_match(search)


def _names_match(search: Search) -> ColumnElement[bool]:
    if search.start:
        start = func.lower(cast(literal(search.start), Text))
        return and_(_columns.sort_name >= start, _columns.sort_name < start.concat(_LAST_CHARACTER))
    return _words_match(search, _columns.name)


def _words_match(search: Search, name: ColumnElement[str]) -> ColumnElement[bool]:
    return and_(*(name.ilike(f"%{_escape(word)}%") for word in search.words))


def _escape(word: str) -> str:
    """Write a word so that LIKE takes each of its characters for itself."""
    return word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def _hash_matches(search: Search) -> ColumnElement[bool]:
    first, last = (bytes.fromhex(search.hash_prefix.ljust(40, filler)) for filler in "0f")
    return _columns.info_hash.between(first, last)


def _row(row: Sequence[Any]) -> TorrentRow:
    values: list[Any] = [*row]
    values[-2] = HEALTHS[values[-2]]
    return TorrentRow(*values)
