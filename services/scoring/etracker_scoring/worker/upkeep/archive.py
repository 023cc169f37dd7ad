"""Removes old rows from Postgres in steps that hold no lock for long."""

from datetime import datetime

import asyncpg

from etracker_scoring.errors import postgres_errors

# A session that announces at the same moment is checked again once its row is unlocked, and is kept.
_FOLD_SESSIONS = """
WITH looked_at AS (
    SELECT id FROM announces WHERE id > $1 ORDER BY id LIMIT 5000
), folded AS (
    DELETE FROM announces USING looked_at WHERE announces.id = looked_at.id AND announces.last_seen < $2
    RETURNING key_id, info_hash_id, uploaded_credit, downloaded_credit, announces.seeding_seconds
), sums AS (
    SELECT key_id, info_hash_id, sum(uploaded_credit) AS uploaded, sum(downloaded_credit) AS downloaded,
        sum(seeding_seconds) AS seeding_seconds
    FROM folded WHERE key_id IS NOT NULL GROUP BY key_id, info_hash_id
), added AS (
    UPDATE memberships SET
        uploaded = least(memberships.uploaded + sums.uploaded, 9223372036854775807),
        downloaded = least(memberships.downloaded + sums.downloaded, 9223372036854775807),
        seeding_seconds = least(memberships.seeding_seconds + sums.seeding_seconds, 9223372036854775807)
    FROM sums WHERE memberships.key_id = sums.key_id AND memberships.info_hash_id = sums.info_hash_id
)
SELECT max(id) FROM looked_at
"""

_FORGET_GUESTS = """
WITH looked_at AS (
    SELECT id FROM announces WHERE key_id IS NULL AND id > $1 ORDER BY id LIMIT 5000
), forgotten AS (
    DELETE FROM announces USING looked_at WHERE announces.id = looked_at.id AND announces.last_seen < $2
)
SELECT max(id) FROM looked_at
"""

_FORGET_GUEST_SNATCHES = """
DELETE FROM guest_snatches WHERE (info_hash_id, prefix) IN (
    SELECT info_hash_id, prefix FROM guest_snatches WHERE last_time < $1 LIMIT 10000
)
"""

_FORGET_GRACES = """
DELETE FROM graces WHERE prefix IN (SELECT prefix FROM graces WHERE given_time < $1 LIMIT 10000)
"""

_FORGET_FACTS = """
DELETE FROM facts WHERE ctid = ANY (ARRAY(SELECT ctid FROM facts WHERE at < $1 LIMIT 10000))
"""

_FORGET_CREDITS = """
DELETE FROM prefix_credits WHERE ctid = ANY (ARRAY(
    SELECT credit.ctid FROM prefix_credits credit JOIN key_prefixes USING (key_id, prefix)
    WHERE new_until < $1 LIMIT 10000
))
"""

_FORGET_PREFIXES = """
DELETE FROM key_prefixes WHERE ctid = ANY (ARRAY(SELECT ctid FROM key_prefixes WHERE last_seen < $1 LIMIT 10000))
"""


class Archive:
    """Old sessions and facts. Every method may raise PostgresUnavailableError."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def fold_sessions(self, after: int, last_seen_before: datetime) -> int | None:
        """Fold old sessions among the next few thousand rows into their memberships.

        ``after``: id of the last row already looked at. Returns the last row looked at now, None after the last one.
        """
        with postgres_errors():
            last: int | None = await self._pool.fetchval(_FOLD_SESSIONS, after, last_seen_before)
            return last

    async def forget_guests(self, after: int, last_seen_before: datetime) -> int | None:
        """Delete the sessions of silent guests among the next few thousand rows; nothing about them is kept.

        For ``after`` and the result see :meth:`fold_sessions`.
        """
        with postgres_errors():
            last: int | None = await self._pool.fetchval(_FORGET_GUESTS, after, last_seen_before)
            return last

    async def forget_guest_snatches(self, before: datetime) -> bool:
        """Delete some counts of guests' snatches; return whether there may be more."""
        with postgres_errors():
            status = await self._pool.execute(_FORGET_GUEST_SNATCHES, before)
        return status != "DELETE 0"

    async def forget_graces(self, before: datetime) -> bool:
        """Delete some rows about graces, which the rows of their keys outlast; return whether there may be more."""
        with postgres_errors():
            status = await self._pool.execute(_FORGET_GRACES, before)
        return status != "DELETE 0"

    async def forget_credits(self, new_before: datetime) -> bool:
        """Delete some of what came from prefixes that are no longer new; return whether there may be more."""
        with postgres_errors():
            status = await self._pool.execute(_FORGET_CREDITS, new_before)
        return status != "DELETE 0"

    async def forget_prefixes(self, unused_since: datetime) -> bool:
        """Delete some of keys' address prefixes; return whether there may be more."""
        with postgres_errors():
            status = await self._pool.execute(_FORGET_PREFIXES, unused_since)
        return status != "DELETE 0"

    async def forget_facts(self, before: datetime) -> bool:
        """Delete some raw facts; return whether there may be more."""
        with postgres_errors():
            status = await self._pool.execute(_FORGET_FACTS, before)
        return status != "DELETE 0"
