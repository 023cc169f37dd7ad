"""Operators' API keys in Postgres."""

import hmac

from sqlalchemy import func, or_, select, update

from etracker_admin_api.adapters.database import Database
from etracker_admin_api.domain.operators import Operator
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
