"""What is measured over all keys: slowly, in the background, never while an announce waits."""

from collections.abc import Sequence
from datetime import timedelta

import asyncpg

from etracker_scoring.adapters.accounts import postgres_answers
from etracker_scoring.domain.policies import good_seeding_of
from etracker_scoring.domain.thresholds import Thresholds
from etracker_shared.facts import Event

_THRESHOLDS = "SELECT tier, score FROM tier_thresholds WHERE tier BETWEEN 2 AND 4 ORDER BY tier"

_PUT_THRESHOLDS = """
INSERT INTO tier_thresholds (tier, score) SELECT * FROM unnest($1::smallint[], $2::float8[])
ON CONFLICT (tier) DO UPDATE SET score = excluded.score, changed_time = now()
"""

_GOOD_SEEDING = f"""
SELECT coalesce(avg(seeding), 0)::float8, coalesce(stddev_pop(seeding), 0)::float8 FROM (
    SELECT count(DISTINCT info_hash_id) FILTER (WHERE amount_left = 0) AS seeding FROM announces
    WHERE key_id IS NOT NULL AND event <> {int(Event.STOPPED)} AND last_seen > now() - $1::interval GROUP BY key_id
) active
"""  # noqa: S608 - a number of our own

_SCORES = "SELECT score FROM peers WHERE last_seen > now() - $1::interval"


class PostgresCommunity:
    """See :class:`~etracker_scoring.ports.Community`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def thresholds(self) -> Thresholds | None:
        """Return the thresholds in force, None while nobody moved any."""
        with postgres_answers():
            rows = await self._pool.fetch(_THRESHOLDS)
        return Thresholds(*(score for _, score in rows)) if len(rows) == len(Thresholds._fields) else None

    async def put_thresholds(self, thresholds: Thresholds) -> None:
        """Put thresholds in force for every replica."""
        with postgres_answers():
            await self._pool.execute(_PUT_THRESHOLDS, [2, 3, 4], list(thresholds))

    async def good_seeding(self, active: timedelta) -> float:
        """Return how many torrents a good seeder seeds, over keys that announced so lately."""
        with postgres_answers():
            ((mean, deviation),) = await self._pool.fetch(_GOOD_SEEDING, active)
        return good_seeding_of(mean, deviation)

    async def scores(self, active: timedelta) -> Sequence[float]:
        """Return the scores of keys that announced so lately."""
        with postgres_answers():
            return [row[0] for row in await self._pool.fetch(_SCORES, active)]
