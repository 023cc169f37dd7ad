"""Everything stored about one key, for its holder. Every query uses an index."""

import asyncio

import asyncpg

from etracker_scoring.api.reports import Holder, Participation
from etracker_scoring.errors import postgres_errors
from etracker_scoring.stored.keys import KEY_COLUMNS, parse_key
from etracker_shared.agreements.facts import Event
from etracker_shared.language.identity import KeyHash

DEADLINE_SECONDS = 2.0
MOST_TORRENTS = 1000
MOST_CHANGES = 500

_HOLDER = f"""
SELECT {KEY_COLUMNS}, created_time, last_seen, uploaded, downloaded, seeding_seconds, notice, notice_time
FROM peers WHERE key_hash = $1 AND disabled_time IS NULL
"""  # noqa: S608 - our own words

# An announce counts as seeding for two intervals; "stopped" ends it at once. Torrents with debts come
# first, so that the limit cuts none of them off.
PARTICIPATIONS = f"""
SELECT info_hash, name, length, seeders, coalesce(seeding, false) AS seeding, debt_seconds,
    least(9223372036854775807, memberships.seeding_seconds + coalesce(sessions.seeding_seconds, 0))::bigint
        AS seeding_seconds,
    least(9223372036854775807, memberships.uploaded + coalesce(sessions.uploaded, 0))::bigint
        AS uploaded,
    least(9223372036854775807, memberships.downloaded + coalesce(sessions.downloaded, 0))::bigint
        AS downloaded,
    coalesce(sessions.last_seen, first_seen) AS last_seen, leechers > 0 AS wanted
FROM memberships JOIN infohashes ON infohashes.id = info_hash_id LEFT JOIN (
    SELECT info_hash_id, sum(seeding_seconds) AS seeding_seconds, sum(uploaded_credit) AS uploaded,
        sum(downloaded_credit) AS downloaded, max(last_seen) AS last_seen,
        bool_or(amount_left = 0 AND event <> {int(Event.STOPPED)} AND last_seen > now() - make_interval(secs => $2))
            AS seeding
    FROM announces WHERE key_id = $1 GROUP BY info_hash_id
) sessions USING (info_hash_id)
WHERE key_id = $1 ORDER BY (debt_seconds > 0) DESC, coalesce(sessions.last_seen, first_seen) DESC LIMIT {MOST_TORRENTS}
"""  # noqa: S608 - our own words

_CHANGES = f"""
SELECT at, tier, score FROM tier_changes WHERE key_id = $1 ORDER BY at DESC LIMIT {MOST_CHANGES}
"""  # noqa: S608 - our own words


class Holders:
    """Everything stored about one key. ``seeding_seconds``: how long an announce counts as seeding."""

    def __init__(self, pool: asyncpg.Pool, seeding_seconds: int) -> None:
        self._pool = pool
        self._seeding_seconds = seeding_seconds

    async def find(self, key_hash: KeyHash) -> Holder | None:
        """Return what is stored about a key, None if it isn't registered.

        Raises:
            PostgresUnavailableError: within a few seconds.
        """
        with postgres_errors():
            async with asyncio.timeout(DEADLINE_SECONDS), self._pool.acquire() as connection:
                row = await connection.fetchrow(_HOLDER, key_hash)
                if row is None:
                    return None
                key = parse_key(row)
                participations = await connection.fetch(PARTICIPATIONS, key.id, float(self._seeding_seconds))
                changes = await connection.fetch(_CHANGES, key.id)
        return Holder(
            key=key,
            created=row["created_time"],
            last_seen=row["last_seen"],
            uploaded=row["uploaded"],
            downloaded=row["downloaded"],
            seeding_seconds=row["seeding_seconds"],
            notice=row["notice"],
            notice_since=row["notice_time"],
            participations=[Participation(**one) for one in participations],
            changes=[(change["at"], change["tier"], change["score"]) for change in reversed(changes)],
        )
