"""Operators' API keys in Postgres."""

from collections.abc import Mapping, Sequence

from sqlalchemy import LargeBinary, any_, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from etracker_admin_api.actors import ENVIRONMENT, Action, Actor, Operator
from etracker_admin_api.audit import record
from etracker_admin_api.batches import Batches
from etracker_admin_api.database import Database, fetch
from etracker_admin_api.operators.models import OperatorItem
from etracker_admin_api.operators.names import appearance
from etracker_shared.agreements.tables import operators

USED_EVERY_SECONDS = 60
"""Precision of ``last_used``: a page that refreshes itself isn't worth a write each time."""

_NAMES_LOCK = 0x6574726F
"""Advisory lock key ("etro"): one replica at a time compares and adds names."""

_columns = operators.c


class OperatorStore:
    """The operators and their API keys. Every method raises PostgresUnavailableError within a few seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._found: Batches[bytes, Operator] = Batches(self._find)

    async def find(self, key_hash: bytes) -> Operator | None:
        """Return the operator whose unrevoked API key has this SHA-256.

        The index compares hashes, so its timing reveals nothing about a key.
        """
        return await self._found.find(key_hash)

    async def _find(self, key_hashes: Sequence[bytes]) -> Mapping[bytes, Operator]:
        given = any_(literal(key_hashes, ARRAY(LargeBinary)))
        shown = (_columns.key_hash, _columns.id, _columns.name, _columns.created_time.label("since"))
        wanted = select(*shown).where(_columns.key_hash == given, _columns.revoked_time.is_(None))
        unused = or_(
            _columns.last_used.is_(None),
            _columns.last_used < func.now() - func.make_interval(0, 0, 0, 0, 0, 0, USED_EVERY_SECONDS),
        )
        async with self._database.transaction() as connection:
            rows = await connection.execute(wanted)
            found = {bytes(row.key_hash): Operator(id=row.id, name=row.name, since=row.since) for row in rows}
            if found:
                used = _columns.id.in_([operator.id for operator in found.values()])
                await connection.execute(update(operators).where(used, unused).values(last_used=func.now()))
        return found

    async def all(self) -> Sequence[OperatorItem]:
        """Return all current and past operators in the order they were added."""
        created, revoked = _columns.created_time.label("created"), _columns.revoked_time.is_not(None).label("revoked")
        statement = select(_columns.id, _columns.name, created, _columns.last_used, revoked).order_by(_columns.id)
        async with self._database.transaction() as connection:
            return await fetch(connection, statement, OperatorItem)

    async def add(self, name: str, key_hash: bytes, actor: Actor) -> int | None:
        """Add an operator; return the id, or None if the name, or one that looks like it, was ever used."""
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
        """Revoke an operator's key; return whether there is such an operator. Revoking it again changes nothing."""
        wanted = select(_columns.name, _columns.revoked_time).where(_columns.id == operator_id).with_for_update()
        async with self._database.transaction() as connection:
            found = (await connection.execute(wanted)).first()
            if found is not None and found.revoked_time is None:
                revoked = update(operators).where(_columns.id == operator_id).values(revoked_time=func.now())
                await connection.execute(revoked)
                await record(connection, actor, Action.REVOKE_OPERATOR, str(operator_id), name=found.name)
        return found is not None
