"""The counts of torrents in Postgres."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import asyncpg

from etracker_scoring.errors import postgres_errors
from etracker_scoring.worker.swarms import Snatches
from etracker_shared.agreements.counts import SwarmCounts
from etracker_shared.language.identity import InfoHash

_LARGEST_INTEGER = 2**31 - 1
_INFO_HASH_SIZE = 20

_COUNTED = """
SELECT info_hash FROM infohashes WHERE (seeders > 0 OR leechers > 0) AND info_hash BETWEEN $1 AND $2
"""

# Rows are locked in the order of their ids, as workers that settle facts do, so that there are no deadlocks.
_WRITE_COUNTS = """
WITH differing AS (
    SELECT infohashes.id, now.seeders, now.leechers
    FROM unnest($1::bytea[], $2::int[], $3::int[]) now (info_hash, seeders, leechers)
    JOIN infohashes USING (info_hash)
    WHERE infohashes.seeders <> now.seeders OR infohashes.leechers <> now.leechers
    ORDER BY infohashes.id FOR NO KEY UPDATE OF infohashes
)
UPDATE infohashes SET seeders = differing.seeders, leechers = differing.leechers, counted_time = now()
FROM differing WHERE infohashes.id = differing.id
"""

_HYBRIDS = """
SELECT kept.info_hash AS first, array_agg(other.info_hash) AS others
FROM (SELECT DISTINCT coalesce(same_as, id) AS id FROM infohashes WHERE info_hash = ANY($1)) touched
JOIN infohashes other ON other.same_as = touched.id JOIN infohashes kept ON kept.id = touched.id
GROUP BY kept.info_hash
"""

# When the admin API finds out that two torrents are one, it clears this time.
_FOUND_OUT = """
UPDATE infohashes SET counted_time = now()
WHERE same_as IS NOT NULL AND counted_time IS NULL AND (seeders > 0 OR leechers > 0) RETURNING info_hash
"""

_SNATCHES = """
SELECT listed.info_hash, coalesce(kept.downloaded, listed.downloaded) AS snatches
FROM infohashes listed LEFT JOIN infohashes kept ON kept.id = listed.same_as
WHERE listed.info_hash = ANY($1) AND coalesce(kept.downloaded, listed.downloaded) > 0
"""


class Hybrid(NamedTuple):
    """A torrent with several infohashes. The row of the first has its counts."""

    first: InfoHash
    others: Sequence[InfoHash]

    @property
    def swarms(self) -> Sequence[InfoHash]:
        """All its infohashes."""
        return [self.first, *self.others]


class TorrentCounts:
    """The counts of torrents in Postgres. Every method may raise PostgresUnavailableError."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def counted(self, tag: int) -> Sequence[InfoHash]:
        """Return the infohashes of a tag that have peers according to Postgres."""
        first, last = (bytes([tag]) + bytes([other]) * (_INFO_HASH_SIZE - 1) for other in (0x00, 0xFF))
        with postgres_errors():
            return [row["info_hash"] for row in await self._pool.fetch(_COUNTED, first, last)]

    async def write_counts(self, counts: Mapping[InfoHash, SwarmCounts]) -> None:
        """Write seeders and leechers where they differ; infohashes that aren't tracked are left out."""
        seeders = [min(_LARGEST_INTEGER, count.seeders) for count in counts.values()]
        leechers = [min(_LARGEST_INTEGER, count.leechers) for count in counts.values()]
        with postgres_errors():
            await self._pool.execute(_WRITE_COUNTS, list(counts), seeders, leechers)

    async def hybrids(self, info_hashes: Sequence[InfoHash]) -> Sequence[Hybrid]:
        """Return the torrents that have several infohashes, at least one of them among these."""
        with postgres_errors():
            return [Hybrid(row["first"], row["others"]) for row in await self._pool.fetch(_HYBRIDS, info_hashes)]

    async def found_out(self) -> Sequence[InfoHash]:
        """Return the infohashes with peers that became part of another torrent since the last call."""
        with postgres_errors():
            return [row["info_hash"] for row in await self._pool.fetch(_FOUND_OUT)]

    async def snatches(self, info_hashes: Sequence[InfoHash]) -> Sequence[Snatches]:
        """Return how often torrents were snatched; those that never were are left out."""
        with postgres_errors():
            rows = await self._pool.fetch(_SNATCHES, info_hashes)
        return [Snatches(row["info_hash"], row["snatches"]) for row in rows]
