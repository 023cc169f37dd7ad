"""Corrections of a key's statistics, safe while the scoring worker settles facts of the same key.

The worker adds to counters in SQL, but overwrites the sums of the score with new ones, computed from those it read.
:mod:`~etracker_admin_api.keys.locking` keeps it away in the meantime.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.actors import Action, Actor
from etracker_admin_api.audit import record
from etracker_admin_api.corrections import Amount, apply_amounts, describe
from etracker_admin_api.database import LONG_DEADLINE_SECONDS, Database
from etracker_admin_api.keys.locking import lock_key, look_up_again
from etracker_shared.agreements.tables import peers

DAY_SECONDS = 86400.0

_columns = peers.c
# Named as in the request.
_STATISTICS = {
    "uploaded_bytes": _columns.uploaded,
    "downloaded_bytes": _columns.downloaded,
    "snatched": _columns.snatched,
    "seeding_seconds": _columns.seeding_seconds,
}
_SCORE = (_columns.score_recent, _columns.score_average, _columns.score_length_days, _columns.score_owed)


class KeyCorrections:
    """Corrects the statistics of keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def correct(self, key_id: int, amounts: Mapping[str, Amount], reason: str, actor: Actor) -> bool:
        """Correct a key's statistics and the sums of its score; return whether there is such a key.

        Raises:
            CorrectionError: a statistic would be out of bounds; nothing has changed.
            PostgresUnavailableError: Postgres is down or too slow.
        """
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            locked = await lock_key(connection, _columns.id == key_id)
            if locked is None:
                return False
            shown = (column.label(name) for name, column in _STATISTICS.items())
            row = (await connection.execute(select(_columns.id, *shown, *_SCORE).where(_columns.id == key_id))).one()
            await _correct(connection, row, amounts, reason, actor)
            await look_up_again(connection, locked[1])
        return True


async def _correct(
    connection: AsyncConnection, row: Any, amounts: Mapping[str, Amount], reason: str, actor: Actor
) -> None:
    before = {name: int(getattr(row, name)) for name in _STATISTICS}
    after = apply_amounts(before, amounts)
    if not after:
        return
    values: dict[str, Any] = {_STATISTICS[name].name: value for name, value in after.items()}
    if "seeding_seconds" in after:
        values |= _scale_seeding(row, after["seeding_seconds"])
    if "snatched" in after:
        values["score_owed"] = _owe(row, after["snatched"])
    # The sums of a key that has never announced have no time: they would decay as if they were from 1970.
    values["score_time"] = func.coalesce(_columns.score_time, func.now())
    await connection.execute(update(peers).where(_columns.id == row.id).values(values))
    await record(connection, actor, Action.CORRECT_KEY, str(row.id), reason=reason, **describe(before, after))


def _scale_seeding(row: Any, seconds: int) -> dict[str, float]:
    """Return the sums of a score as if all seeding had been longer or shorter by the same factor.

    For a key that has never seeded, only the length of its seeding changes: what it seeded isn't known.
    """
    if not row.seeding_seconds:
        return {"score_length_days": row.score_length_days + seconds / DAY_SECONDS}
    factor = seconds / row.seeding_seconds
    return {name: getattr(row, name) * factor for name in ("score_recent", "score_average", "score_length_days")}


def _owe(row: Any, snatched: int) -> float:
    """Return the decayed sum of snatches: additional ones count as new, and fewer scale the sum down."""
    if snatched >= row.snatched:
        return float(row.score_owed + snatched - row.snatched)
    return float(row.score_owed * snatched / row.snatched)
