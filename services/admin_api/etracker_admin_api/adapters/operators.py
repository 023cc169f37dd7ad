"""Operators' API keys in Postgres."""

import hmac
from collections.abc import Sequence

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from etracker_admin_api.adapters.audit import record
from etracker_admin_api.adapters.database import Database
from etracker_admin_api.domain.operators import Action, Actor, Operator, OperatorRow
from etracker_shared.tables import operators

USED_EVERY_SECONDS = 60
"""How exactly it is known when a key was last used: a list that refreshes itself isn't worth a write each time."""

_columns = operators.c


class PostgresOperators:
    """See :class:`~etracker_admin_api.ports.Operators`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, key_hash: bytes) -> Operator | None:
        """See the port. The index is asked for a hash, whose bytes nobody can guess one after the other."""
        wanted = select(_columns.id, _columns.name, _columns.created_time, _columns.key_hash).where(
            _columns.key_hash == key_hash, _columns.revoked_time.is_(None)
        )
        unused = or_(
            _columns.last_used.is_(None),
            _columns.last_used < func.now() - func.make_interval(0, 0, 0, 0, 0, 0, USED_EVERY_SECONDS),
        )
        async with self._database.transaction() as connection:
            row = (await connection.execute(wanted)).first()
            if row is None or not hmac.compare_digest(bytes(row.key_hash), key_hash):
                return None
            await connection.execute(
                update(operators).where(_columns.id == row.id, unused).values(last_used=func.now())
            )
        return Operator(row.id, row.name, row.created_time)

    async def all(self) -> Sequence[OperatorRow]:
        """See the port."""
        shown = (_columns.id, _columns.name, _columns.created_time, _columns.last_used)
        statement = select(*shown, _columns.revoked_time.is_not(None)).order_by(_columns.id)
        async with self._database.transaction() as connection:
            return [OperatorRow(*row) for row in await connection.execute(statement)]

    async def add(self, name: str, key_hash: bytes, actor: Actor) -> int | None:
        """See the port."""
        statement = (
            insert(operators)
            .values(name=name, key_hash=key_hash)
            .on_conflict_do_nothing(index_elements=[_columns.name])
        )
        async with self._database.transaction() as connection:
            added: int | None = await connection.scalar(statement.returning(_columns.id))
            if added is not None:
                await record(connection, actor, Action.ADD_OPERATOR, str(added), name=name)
        return added

    async def revoke(self, operator_id: int, actor: Actor) -> bool:
        """See the port."""
        wanted = select(_columns.name, _columns.revoked_time).where(_columns.id == operator_id).with_for_update()
        async with self._database.transaction() as connection:
            found = (await connection.execute(wanted)).first()
            if found is not None and found.revoked_time is None:
                revoked = update(operators).where(_columns.id == operator_id).values(revoked_time=func.now())
                await connection.execute(revoked)
                await record(connection, actor, Action.REVOKE_OPERATOR, str(operator_id), name=found.name)
        return found is not None
