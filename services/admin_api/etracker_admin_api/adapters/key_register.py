"""Announce keys as operators manage them, in Postgres.

Only the list's default order has an index: the worker moves all the other columns with every announce, and an index on
one of them would cost each of those more than an operator's rare look at the list.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, case, func, null, or_, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.adapters.audit import record
from etracker_admin_api.adapters.database import LONG_DEADLINE_SECONDS, Database
from etracker_admin_api.domain.keys import KeyOrder, KeyPage, KeyQuery, KeyRow, KeySearch, cut_key_page
from etracker_admin_api.domain.operators import Action, Actor
from etracker_shared.identity import hash_announce_key
from etracker_shared.tables import peers

_columns = peers.c
_NEVER = text("timestamptz 'epoch'")
_KEYS: dict[KeyOrder, ColumnElement[Any]] = {
    KeyOrder.CREATED: _columns.id,
    KeyOrder.LAST_SEEN: func.coalesce(_columns.last_seen, _NEVER),
    KeyOrder.UPLOADED: _columns.uploaded,
    KeyOrder.DOWNLOADED: _columns.downloaded,
    KeyOrder.SNATCHED: _columns.snatched,
    KeyOrder.SCORE: _columns.score,
}
_used = _columns.last_seen.is_not(None)
_ROW = (
    _columns.id,
    _columns.key_hash,
    _columns.created_time,
    _columns.last_seen,
    _columns.disabled_time.is_not(None).label("disabled"),
    _columns.uploaded,
    _columns.downloaded,
    _columns.snatched,
    _columns.seeding_seconds,
    case((_used, _columns.tier), else_=null()).label("held_tier"),
    case((_used, _columns.score), else_=null()).label("held_score"),
)


class PostgresKeyRegister:
    """See :class:`~etracker_admin_api.ports.KeyRegister`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, query: KeyQuery) -> KeyPage:
        """See the port."""
        key, row_id = _KEYS[query.sort.order], _columns.id
        statement = select(*_ROW, key.label("sort_key"))
        if query.search is not None:
            statement = statement.where(_matches(query.search))
        if query.after is not None:
            place, position = tuple_(key, row_id), tuple_(*query.after)
            statement = statement.where(place < position if query.sort.descending else place > position)
        order = (key.desc(), row_id.desc()) if query.sort.descending else (key, row_id)
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            rows = await connection.execute(statement.order_by(*order).limit(query.limit + 1))
            return cut_key_page([_row(row) for row in rows], query)

    async def find(self, key_id: int) -> KeyRow | None:
        """See the port."""
        async with self._database.transaction() as connection:
            return await _find(connection, _columns.id == key_id)

    async def look_up(self, announce_key: str) -> KeyRow | None:
        """See the port."""
        async with self._database.transaction() as connection:
            return await _find(connection, _columns.key_hash == hash_announce_key(announce_key))

    async def set_disabled(self, key_id: int, actor: Actor, *, disabled: bool) -> KeyRow | None:
        """See the port."""
        differs = _columns.disabled_time.is_(None) if disabled else _columns.disabled_time.is_not(None)
        statement = update(peers).where(_columns.id == key_id, differs)
        async with self._database.transaction() as connection:
            changed = await connection.execute(statement.values(disabled_time=func.now() if disabled else None))
            if changed.rowcount:
                action = Action.DISABLE_KEY if disabled else Action.ENABLE_KEY
                await record(connection, actor, action, str(key_id))
            return await _find(connection, _columns.id == key_id)

    async def rotate(self, key_id: int, announce_key: str, actor: Actor) -> bool:
        """See the port."""
        statement = update(peers).where(_columns.id == key_id).values(announce_key=announce_key)
        async with self._database.transaction() as connection:
            rotated = (await connection.execute(statement)).rowcount > 0
            if rotated:
                key_hash = hash_announce_key(announce_key).hex()
                await record(connection, actor, Action.ROTATE_KEY, str(key_id), key_hash=key_hash)
        return rotated

    async def rotate_own(self, announce_key: str, new_key: str) -> bool:
        """See the port."""
        mine = _columns.key_hash == hash_announce_key(announce_key)
        statement = update(peers).where(mine, _columns.disabled_time.is_(None)).values(announce_key=new_key)
        async with self._database.transaction() as connection:
            return (await connection.execute(statement)).rowcount > 0


async def _find(connection: AsyncConnection, condition: ColumnElement[bool]) -> KeyRow | None:
    found = (await connection.execute(select(*_ROW, _columns.id.label("sort_key")).where(condition))).first()
    return None if found is None else _row(found)


def _row(row: Sequence[Any]) -> KeyRow:
    return KeyRow(*row)


def _matches(search: KeySearch) -> ColumnElement[bool]:
    first, last = (bytes.fromhex(search.hash_prefix.ljust(32, filler)) for filler in "0f")
    hashed = _columns.key_hash.between(first, last)
    return hashed if search.key_id is None else or_(_columns.id == search.key_id, hashed)
