"""Announce keys in Postgres.

Only the list's default order has an index. The worker updates all the other columns with every announce, and an index
on one of them would slow down each of these updates, to save time only when an operator looks at the list.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    any_,
    case,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.actors import Action, Actor
from etracker_admin_api.audit import record
from etracker_admin_api.batches import Batches
from etracker_admin_api.database import LONG_DEADLINE_SECONDS, Database, fetch_first
from etracker_admin_api.http.paging import cut_page
from etracker_admin_api.keys.listing import KeyOrder, KeyQuery, KeySearch
from etracker_admin_api.keys.locking import lock_key
from etracker_admin_api.keys.models import Key, KeyList
from etracker_admin_api.keys.rotations import replace_finally, stored_key
from etracker_admin_api.queries import comes_after, in_order, starts_with
from etracker_shared.agreements.tables import peers, recovery_codes
from etracker_shared.language.identity import hash_announce_key

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
# Named as in the model.
_SHOWN = (
    _columns.id,
    _columns.key_hash,
    _columns.created_time.label("created"),
    _columns.last_seen,
    _columns.disabled_time.is_not(None).label("disabled"),
    _columns.uploaded.label("uploaded_bytes"),
    _columns.downloaded.label("downloaded_bytes"),
    _columns.snatched,
    _columns.seeding_seconds,
    case((_used, _columns.tier), else_=null()).label("tier"),
    case((_used, _columns.score), else_=null()).label("score"),
)


class KeyStore:
    """The announce keys; triggers notify every announce replica of each change.

    Every method raises PostgresUnavailableError within a few seconds if Postgres is down.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._registered: Batches[bytes, bool] = Batches(self._find_registered)

    async def register(self, announce_key: str, code_hash: bytes | None = None) -> None:
        """Register a new key. ``code_hash``: of its recovery code, if it gets one."""
        async with self._database.transaction() as connection:
            new = insert(peers).values(stored_key(announce_key)).returning(_columns.id)
            key_id = (await connection.execute(new)).scalar_one()
            if code_hash is not None:
                await connection.execute(insert(recovery_codes).values(key_id=key_id, code_hash=code_hash))

    async def is_registered(self, announce_key: str) -> bool:
        """Return whether a key is registered and not disabled. Only its hash reaches Postgres and its log."""
        return bool(await self._registered.find(hash_announce_key(announce_key)))

    async def page(self, query: KeyQuery) -> KeyList:
        """Return a page of the list."""
        key, row_id, descending = _KEYS[query.sort.order], _columns.id, query.sort.descending
        statement = select(*_SHOWN, key.label("sort_key")).limit(query.limit + 1)
        if query.search is not None:
            statement = statement.where(_matches(query.search))
        if query.after is not None:
            statement = statement.where(comes_after(key, row_id, query.after, descending=descending))
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            found = (await connection.execute(in_order(statement, key, row_id, descending=descending))).all()
        rows, following = cut_page(found, query.limit, query.sort)
        return KeyList(items=[Key(**row._asdict()) for row in rows], next=following)

    async def find(self, key_id: int) -> Key | None:
        """Return a key by its id."""
        async with self._database.transaction() as connection:
            return await _find(connection, _columns.id == key_id)

    async def look_up(self, announce_key: str) -> Key | None:
        """Return an announce key as operators see it."""
        async with self._database.transaction() as connection:
            return await _find(connection, _columns.key_hash == hash_announce_key(announce_key))

    async def set_disabled(self, key_id: int, actor: Actor, *, disabled: bool) -> Key | None:
        """Disable or enable a key; return the updated key."""
        differs = _columns.disabled_time.is_(None) if disabled else _columns.disabled_time.is_not(None)
        statement = update(peers).where(_columns.id == key_id, differs)
        async with self._database.transaction() as connection:
            changed = await connection.execute(statement.values(disabled_time=func.now() if disabled else None))
            if changed.rowcount:
                action = Action.DISABLE_KEY if disabled else Action.ENABLE_KEY
                await record(connection, actor, action, str(key_id))
            return await _find(connection, _columns.id == key_id)

    async def rotate(self, key_id: int, announce_key: str, actor: Actor) -> bool:
        """Replace an announce key finally; history and id stay. Return whether there was such a key."""
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            if await lock_key(connection, _columns.id == key_id) is None:
                return False
            await replace_finally(connection, key_id, announce_key)
            key_hash = hash_announce_key(announce_key).hex()
            await record(connection, actor, Action.ROTATE_KEY, str(key_id), key_hash=key_hash)
        return True

    async def _find_registered(self, key_hashes: Sequence[bytes]) -> Mapping[bytes, bool]:
        given = any_(literal(key_hashes, ARRAY(LargeBinary)))
        working = select(_columns.key_hash).where(_columns.key_hash == given, _columns.disabled_time.is_(None))
        async with self._database.transaction() as connection:
            return {bytes(key_hash): True for key_hash in await connection.scalars(working)}


async def _find(connection: AsyncConnection, condition: ColumnElement[bool]) -> Key | None:
    return await fetch_first(connection, select(*_SHOWN).where(condition), Key)


def _matches(search: KeySearch) -> ColumnElement[bool]:
    hashed = starts_with(_columns.key_hash, search.hash_prefix, 16)
    return hashed if search.key_id is None else or_(_columns.id == search.key_id, hashed)
