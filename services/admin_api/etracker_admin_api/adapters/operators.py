"""Operators' API keys in Postgres."""

from collections.abc import Mapping, Sequence

from sqlalchemy import LargeBinary, any_, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from etracker_admin_api.adapters.audit import record
from etracker_admin_api.adapters.batches import Batches
from etracker_admin_api.adapters.database import Database
from etracker_admin_api.domain.operator_names import appearance
from etracker_admin_api.domain.operators import ENVIRONMENT, Action, Actor, Operator, OperatorRow
from etracker_shared.tables import operators

USED_EVERY_SECONDS = 60
"""How exactly it is known when a key was last used: a list that refreshes itself isn't worth a write each time."""

_NAMES_LOCK = 0x6574726F
"""Advisory lock key ("etro"): names are compared and given by one replica at a time."""

_columns = operators.c


class PostgresOperators:
    """See :class:`~etracker_admin_api.ports.Operators`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._found: Batches[bytes, Operator] = Batches(self._find)

    async def find(self, key_hash: bytes) -> Operator | None:
        """See the port. The index is asked for a hash, whose bytes nobody can guess one after the other."""
        return await self._found.find(key_hash)

    async def _find(self, key_hashes: Sequence[bytes]) -> Mapping[bytes, Operator]:
        given = any_(literal(key_hashes, ARRAY(LargeBinary)))
        wanted = select(_columns.key_hash, _columns.id, _columns.name, _columns.created_time).where(
            _columns.key_hash == given, _columns.revoked_time.is_(None)
        )
        unused = or_(
            _columns.last_used.is_(None),
            _columns.last_used < func.now() - func.make_interval(0, 0, 0, 0, 0, 0, USED_EVERY_SECONDS),
        )
        async with self._database.transaction() as connection:
            found = {bytes(key_hash): Operator(*row) for key_hash, *row in await connection.execute(wanted)}
            if found:
                used = _columns.id.in_([operator.id for operator in found.values()])
                await connection.execute(update(operators).where(used, unused).values(last_used=func.now()))
        return found

    async def all(self) -> Sequence[OperatorRow]:
        """See the port."""
        shown = (_columns.id, _columns.name, _columns.created_time, _columns.last_used)
        statement = select(*shown, _columns.revoked_time.is_not(None)).order_by(_columns.id)
        async with self._database.transaction() as connection:
            return [OperatorRow(*row) for row in await connection.execute(statement)]

    async def add(self, name: str, key_hash: bytes, actor: Actor) -> int | None:
        """See the port."""
        statement = insert(operators).values(name=name, key_hash=key_hash).returning(_columns.id)
        async with self._database.transaction() as connection:
            await connection.execute(select(func.pg_advisory_xact_lock(_NAMES_LOCK)))
            known = [ENVIRONMENT, *await connection.scalars(select(_columns.name))]
            if appearance(name) in map(appearance, known):
                return None
            added = int((await connection.execute(statement)).scalar_one())
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
