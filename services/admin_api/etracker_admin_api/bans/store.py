"""Bans in Postgres, whose triggers notify every announce replica."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from sqlalchemy import Select, delete, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.actors import Action, Actor
from etracker_admin_api.audit import record
from etracker_admin_api.bans.listing import SORT, BanQuery, column_of, conditions
from etracker_admin_api.bans.models import Ban, BanList
from etracker_admin_api.bans.patterns import BanKind, Pattern
from etracker_admin_api.database import LONG_DEADLINE_SECONDS, Database
from etracker_admin_api.errors import BanError
from etracker_admin_api.http.paging import cut_page
from etracker_shared.agreements.tables import bans

MAX_BANS = 1_000_000
"""Every announce process keeps all of them in memory."""
KEPT_DAYS = 30
"""Bans stay in the list for this long after their end."""

_columns = bans.c
_EXPIRED = _columns.expires_time <= func.now()
_SHOWN = (
    *(_columns.id, _columns.network, _columns.peer_id_prefix, _columns.info_hash, _columns.reason, _columns.created_by),
    _columns.created_time.label("created"),
    _columns.expires_time.label("expires"),
    or_(_columns.expires_time.is_(None), _columns.expires_time > func.now()).label("in_force"),
)

# Adding a ban again never shortens it. If it has expired, it counts as new.
_ADD = """
INSERT INTO bans AS stored ({column}, reason, created_by, expires_time)
SELECT value{cast}, :reason, :operator, CAST(:expires AS timestamptz)
FROM unnest(CAST(:values AS {type}[])) value ORDER BY 1
ON CONFLICT ({column}) DO UPDATE SET
    expires_time = excluded.expires_time,
    reason = CASE WHEN stored.expires_time <= now() THEN excluded.reason ELSE stored.reason END,
    created_by = CASE WHEN stored.expires_time <= now() THEN excluded.created_by ELSE stored.created_by END,
    created_time = CASE WHEN stored.expires_time <= now() THEN excluded.created_time ELSE stored.created_time END
WHERE stored.expires_time IS NOT NULL
    AND (excluded.expires_time IS NULL OR excluded.expires_time > stored.expires_time)
RETURNING created_time = now() AS new
"""

_REMOVE = "DELETE FROM bans WHERE {column} IN (SELECT value{cast} FROM unnest(CAST(:values AS {type}[])) value)"

# A hybrid torrent is announced by two infohashes.
_TWINS = """
SELECT twins.info_hash FROM infohashes named
JOIN infohashes twins ON coalesce(named.same_as, named.id) IN (twins.id, twins.same_as)
WHERE named.info_hash = ANY(CAST(:hashes AS bytea[]))
"""


@dataclass(frozen=True, slots=True)
class Terms:
    """Why something is banned, and until when (None: permanently)."""

    reason: str
    expires: datetime | None


@dataclass(frozen=True, slots=True)
class Added:
    """How many bans are new, how many last longer than before, and how many already lasted as long."""

    new: int
    extended: int
    known: int


class BanStore:
    """The bans. Every method raises PostgresUnavailableError within a few seconds if Postgres is down."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, query: BanQuery) -> BanList:
        """Return a page of the list."""
        statement = select(*_SHOWN, _columns.id.label("sort_key")).where(*conditions(query))
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            found = (await connection.execute(statement.order_by(_columns.id.desc()).limit(query.limit + 1))).all()
        rows, following = cut_page(found, query.limit, SORT)
        return BanList(items=[_ban(row) for row in rows], next=following)

    async def add(self, pattern: Pattern, terms: Terms, actor: Actor) -> tuple[Ban, bool]:
        """Ban something; return the ban, and whether anything changed. A torrent is banned by both its infohashes.

        Raises:
            BanError: there are too many bans already.
        """
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            added = await _add(connection, pattern.kind, [pattern.stored], terms, actor)
            if added.new or added.extended:
                await record(connection, actor, Action.BAN, f"{pattern.kind} {pattern.text}", **_detail(terms))
            row = (await connection.execute(_select(pattern))).one()
        return _ban(row), bool(added.new or added.extended)

    async def add_all(self, kind: BanKind, patterns: Sequence[Pattern], terms: Terms, actor: Actor) -> Added:
        """Ban many things of one kind. The audit log gets one entry for all of them.

        Raises:
            BanError: there would be too many bans.
        """
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            added = await _add(connection, kind, [pattern.stored for pattern in patterns], terms, actor)
            if added.new or added.extended:
                counted = {"added": added.new, "extended": added.extended}
                await record(connection, actor, Action.BAN, f"{kind} list", **_detail(terms), **counted)
        return added

    async def remove_all(self, kind: BanKind, patterns: Sequence[Pattern], actor: Actor) -> int:
        """Lift the bans on many things of one kind; return how many there were."""
        values = [pattern.stored for pattern in patterns]
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            removed = (await connection.execute(text(_fill(_REMOVE, kind)), {"values": values})).rowcount
            if removed:
                await record(connection, actor, Action.LIFT_BAN, f"{kind} list", removed=removed)
        return removed

    async def change(self, ban_id: int, changes: dict[str, Any], actor: Actor) -> Ban | None:
        """Change the reason or the end of a ban; return the updated ban, or None if there is no such ban."""
        wanted = select(*_SHOWN).where(_columns.id == ban_id)
        async with self._database.transaction() as connection:
            found = (await connection.execute(wanted.with_for_update())).first()
            if found is None:
                return None
            before = {name: getattr(found, name) for name in changes}
            if changes != before:
                columns = {"expires": "expires_time", "reason": "reason"}
                values = {columns[name]: value for name, value in changes.items()}
                await connection.execute(update(bans).where(_columns.id == ban_id).values(values))
                detail = {**_plain(changes), "before": _plain(before)}
                await record(connection, actor, Action.CHANGE_BAN, _target(found), **detail)
            return _ban((await connection.execute(wanted)).one())

    async def remove(self, ban_id: int, actor: Actor) -> bool:
        """Lift a ban; return whether there was one."""
        wanted = select(*_SHOWN).where(_columns.id == ban_id).with_for_update()
        async with self._database.transaction() as connection:
            found = (await connection.execute(wanted)).first()
            if found is None:
                return False
            await connection.execute(delete(bans).where(_columns.id == ban_id))
            await record(connection, actor, Action.LIFT_BAN, _target(found), reason=found.reason)
        return True


async def _add(
    connection: AsyncConnection, kind: BanKind, values: Sequence[str | bytes], terms: Terms, actor: Actor
) -> Added:
    long_ago = func.now() - func.make_interval(0, 0, 0, KEPT_DAYS)
    await connection.execute(delete(bans).where(_columns.expires_time < long_ago))
    if kind is BanKind.TORRENT:
        twins = await connection.scalars(text(_TWINS), {"hashes": values})
        values = list(dict.fromkeys([*values, *map(bytes, twins)]))
    if int(await connection.scalar(select(func.count()).select_from(bans)) or 0) + len(values) > MAX_BANS:
        raise BanError(f"There would be more than {MAX_BANS:,} bans.")
    parameters = {"values": values, "reason": terms.reason, "operator": actor.operator.name, "expires": terms.expires}
    written = list(await connection.scalars(text(_fill(_ADD, kind)), parameters))
    new = sum(written)
    return Added(new, len(written) - new, len(values) - len(written))


def _fill(statement: str, kind: BanKind) -> str:
    name = column_of(kind).name
    of_network = kind is BanKind.NETWORK
    return statement.format(column=name, type="text" if of_network else "bytea", cast=r"\:\:cidr" if of_network else "")


def _select(pattern: Pattern) -> Select[Any]:
    return select(*_SHOWN).where(column_of(pattern.kind) == pattern.stored)


def _ban(row: Any) -> Ban:
    pattern = _pattern(row)
    shown = {name: getattr(row, name) for name in ("id", "reason", "created", "created_by", "expires", "in_force")}
    return Ban(kind=pattern.kind, value=pattern.text, **shown)


def _pattern(row: Any) -> Pattern:
    if row.network is not None:
        return Pattern(BanKind.NETWORK, ip_network(row.network))
    if row.peer_id_prefix is not None:
        return Pattern(BanKind.CLIENT, bytes(row.peer_id_prefix))
    return Pattern(BanKind.TORRENT, bytes(row.info_hash))


def _target(row: Any) -> str:
    pattern = _pattern(row)
    return f"{pattern.kind} {pattern.text}"


def _detail(terms: Terms) -> dict[str, object]:
    return _plain({"reason": terms.reason, "expires": terms.expires})


def _plain(values: dict[str, Any]) -> dict[str, object]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
