"""Statistics over all keys: slow queries, made in the background, never while an announce waits."""

from collections.abc import Sequence
from datetime import timedelta

import asyncpg

from etracker_scoring.errors import postgres_errors
from etracker_scoring.scores.list_policies import good_seeding_of
from etracker_scoring.scores.thresholds import Thresholds
from etracker_shared.agreements.facts import Event

_THRESHOLDS = "SELECT tier, score FROM tier_thresholds WHERE tier BETWEEN 2 AND 4 ORDER BY tier"

_PUT_THRESHOLDS = """
INSERT INTO tier_thresholds (tier, score) SELECT * FROM unnest($1::smallint[], $2::float8[])
ON CONFLICT (tier) DO UPDATE SET score = excluded.score, changed_time = now()
"""

_GOOD_SEEDING = f"""
SELECT coalesce(avg(seeding), 0)::float8 AS mean, coalesce(stddev_pop(seeding), 0)::float8 AS deviation FROM (
    SELECT count(DISTINCT info_hash_id) FILTER (WHERE amount_left = 0) AS seeding FROM announces
    WHERE key_id IS NOT NULL AND event <> {int(Event.STOPPED)} AND last_seen > now() - $1::interval GROUP BY key_id
) active
"""  # noqa: S608 - a number of our own

_SCORES = "SELECT score FROM peers WHERE last_seen > now() - $1::interval"


class Community:
    """Statistics over all keys. Every method may raise PostgresUnavailableError."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def thresholds(self) -> Thresholds | None:
        """Return the stored thresholds, None if none have ever been moved."""
        with postgres_errors():
            rows = await self._pool.fetch(_THRESHOLDS)
        return Thresholds(*(row["score"] for row in rows)) if len(rows) == len(Thresholds._fields) else None

    async def put_thresholds(self, thresholds: Thresholds) -> None:
        """Store thresholds, which every replica then uses."""
        with postgres_errors():
            await self._pool.execute(_PUT_THRESHOLDS, [2, 3, 4], list(thresholds))

    async def good_seeding(self, active: timedelta) -> float:
        """Return how many torrents a good seeder seeds. ``active``: how long after its last announce a key counts."""
        with postgres_errors():
            (row,) = await self._pool.fetch(_GOOD_SEEDING, active)
        return good_seeding_of(row["mean"], row["deviation"])

    async def scores(self, active: timedelta) -> Sequence[float]:
        """Return the scores of active keys, as of their last announces."""
        with postgres_errors():
            return [row["score"] for row in await self._pool.fetch(_SCORES, active)]
