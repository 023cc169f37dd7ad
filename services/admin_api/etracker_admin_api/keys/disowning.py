"""Takes out of a key what sessions from address prefixes that are new to it added, as if they had never announced.

The scoring worker keeps what it added apart (``prefix_credits``). Counters and snatches are exact. Sums that decay are
linear, so taking away what was added, decayed as the whole has decayed, is exact as well while the half-lives stay the
same. Seeding that counts once whoever does it is the exception: where a session that stays seeded at the same time, it
would have been credited instead. It is known how densely that session announced, though not when, so its share of the
time is an estimate.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from etracker_admin_api.database import LONG_DEADLINE_SECONDS, Database, fetch
from etracker_admin_api.errors import KeyConflictError
from etracker_admin_api.keys.locking import lock_key, look_up_again
from etracker_admin_api.keys.recovery import DISOWN_EVERY
from etracker_admin_api.keys.recovery_models import Disowned, NewAddress
from etracker_shared.agreements.standing import HalfLives
from etracker_shared.agreements.tables import peers, recovery_codes
from etracker_shared.language.identity import hash_announce_key

_MOST = 9223372036854775807

_ADDRESSES = text("""
SELECT seen.first_seen, max(credit.last_seen) AS last_seen, seen.new_until,
    array_agg(DISTINCT regexp_replace(encode(substring(peer_id FOR 8), 'escape'), '[^[:print:]]', '?', 'g')) AS clients,
    count(DISTINCT info_hash_id) AS torrents,
    least(sum(credit.uploaded), 9223372036854775807)::bigint AS uploaded_bytes,
    least(sum(credit.downloaded), 9223372036854775807)::bigint AS downloaded_bytes,
    sum(credit.seeding_seconds)::bigint AS seeding_seconds, sum(credit.snatches)::bigint AS snatches
FROM peers JOIN key_prefixes seen ON seen.key_id = peers.id JOIN prefix_credits credit USING (key_id, prefix)
WHERE key_hash = :key_hash AND disabled_time IS NULL AND new_until > now()
GROUP BY prefix, seen.first_seen, seen.new_until ORDER BY seen.first_seen DESC LIMIT 100
""")

# How much of the time between two moments a session that stays seeded, if it announced evenly.
_SHARE = """greatest(0, extract(epoch FROM least(kept.last_seen, {end}) - greatest(kept.first_seen, {start})))
    / nullif(extract(epoch FROM {end} - {start}), 0)
    * least(1, kept.seeding_seconds / nullif(extract(epoch FROM kept.last_seen - kept.first_seen), 0))"""

# Sessions that a disowned prefix and another one share stay, so they aren't `kept`: they would vouch for themselves.
_DISOWNED = f"""
WITH disowned AS MATERIALIZED (
    SELECT credit.*, seen.first_seen AS since FROM prefix_credits credit JOIN key_prefixes seen USING (key_id, prefix)
    WHERE key_id = :key_id AND seen.first_seen >= :since AND seen.new_until > now()
), sessions AS MATERIALIZED (
    SELECT info_hash_id, peer_id, least(sum(uploaded), {_MOST})::bigint AS uploaded,
        least(sum(downloaded), {_MOST})::bigint AS downloaded, sum(session_seconds)::bigint AS seconds,
        min(min(began)) OVER (PARTITION BY info_hash_id) AS began
    FROM disowned GROUP BY info_hash_id, peer_id
), kept AS MATERIALIZED (
    SELECT info_hash_id, first_seen, last_seen, seeding_seconds, amount_left FROM announces
    WHERE key_id = :key_id AND (info_hash_id, peer_id) NOT IN (SELECT info_hash_id, peer_id FROM sessions)
), torrents AS MATERIALIZED (
    SELECT *, coalesce((SELECT max({_SHARE.format(start="began", end="ended")})
        FROM kept WHERE kept.info_hash_id = taken.info_hash_id), 0)::float8 AS seeded_anyway
    FROM (
        SELECT info_hash_id, min(began) AS began, max(last_seen) AS ended, sum(snatches) AS snatches,
            sum(debt_seconds) AS debt_seconds, array_agg(peer_id) AS peer_ids, sum(downloaded) AS bytes
        FROM disowned GROUP BY info_hash_id
    ) taken
)
"""  # noqa: S608 - our own words

_MEASURE = text(f"""{_DISOWNED}
SELECT count(DISTINCT prefix) AS prefixes, count(DISTINCT (info_hash_id, peer_id)) AS sessions,
    count(DISTINCT info_hash_id) AS torrents, least(coalesce(sum(uploaded), 0), {_MOST})::bigint AS uploaded_bytes,
    least(coalesce(sum(downloaded), 0), {_MOST})::bigint AS downloaded_bytes,
    coalesce(sum(seeding_seconds), 0)::bigint AS seeding_seconds, coalesce(sum(snatches), 0)::bigint AS snatches
FROM disowned
""")  # noqa: S608 - as above

_DECAY = "power(2.0::float8, -extract(epoch FROM score_time - since)::float8 / 86400 / :{half_life})"

_TAKE_FROM_KEY = text(f"""{_DISOWNED}, whole AS (
    SELECT coalesce((SELECT max({_SHARE.format(start="began", end="ended")}) FROM kept), 0)::float8 AS seeded_anyway
    FROM (SELECT min(began) AS began, max(last_seen) AS ended FROM disowned) span
), taken AS (
    SELECT sum(disowned.uploaded) AS uploaded, sum(disowned.downloaded) AS downloaded,
        sum(disowned.snatches) AS snatches, sum(disowned.seeding_seconds) * (1 - min(whole.seeded_anyway)) AS seconds,
        sum(disowned.recent * {_DECAY.format(half_life="recent")} * (1 - torrents.seeded_anyway)) AS recent,
        sum(disowned.average * {_DECAY.format(half_life="average")} * (1 - torrents.seeded_anyway)) AS average,
        sum(disowned.length_days * {_DECAY.format(half_life="length")}) * (1 - min(whole.seeded_anyway)) AS length_days,
        sum(disowned.owed * {_DECAY.format(half_life="conduct")}) AS owed,
        sum(disowned.paid * {_DECAY.format(half_life="conduct")}) AS paid,
        min(disowned.began) AS began
    FROM disowned JOIN torrents USING (info_hash_id) CROSS JOIN whole JOIN peers ON peers.id = key_id
)
UPDATE peers SET uploaded = greatest(0, peers.uploaded - taken.uploaded),
    downloaded = greatest(0, peers.downloaded - taken.downloaded), snatched = greatest(0, snatched - taken.snatches),
    seeding_seconds = greatest(0, peers.seeding_seconds - round(taken.seconds)::bigint),
    score_recent = greatest(0, score_recent - taken.recent), score_average = greatest(0, score_average - taken.average),
    score_length_days = greatest(0, score_length_days - taken.length_days),
    score_owed = greatest(0, score_owed - taken.owed), score_paid = greatest(0, score_paid - taken.paid),
    seeded_until = least(seeded_until, (SELECT max(last_seen) FROM kept WHERE amount_left = 0)),
    notice = CASE WHEN notice_time < taken.began THEN notice END,
    notice_told_time = CASE WHEN notice_time < taken.began THEN notice_told_time END,
    notice_time = CASE WHEN notice_time < taken.began THEN notice_time END
FROM taken WHERE peers.id = :key_id AND taken.began IS NOT NULL
""")  # noqa: S608 - as above

# The tier that the key held before. If its score no longer deserves it, the next announces take it away again.
_GIVE_TIER_BACK = text("""
WITH before AS (
    SELECT tier, score FROM tier_changes WHERE key_id = :key_id AND at < :since ORDER BY at DESC LIMIT 1
), raised AS (
    UPDATE peers SET tier = before.tier, falling_since = NULL FROM before
    WHERE peers.id = :key_id AND peers.tier < before.tier RETURNING before.tier, before.score
)
INSERT INTO tier_changes (key_id, at, tier, score) SELECT :key_id, now(), tier, score FROM raised
""")

_REMOVE_SESSIONS = text(f"""{_DISOWNED}, removed AS (
    DELETE FROM announces USING sessions WHERE announces.key_id = :key_id
        AND announces.info_hash_id = sessions.info_hash_id AND announces.peer_id = sessions.peer_id
        AND announces.first_seen >= sessions.began
    RETURNING announces.info_hash_id, greatest(0, uploaded_credit - sessions.uploaded) AS uploaded,
        greatest(0, downloaded_credit - sessions.downloaded) AS downloaded,
        greatest(0, seeding_seconds - sessions.seconds) AS seconds
), rest AS (
    SELECT info_hash_id, sum(uploaded) AS uploaded, sum(downloaded) AS downloaded, sum(seconds) AS seconds
    FROM removed GROUP BY info_hash_id
)
UPDATE memberships SET uploaded = least(memberships.uploaded + rest.uploaded, {_MOST}),
    downloaded = least(memberships.downloaded + rest.downloaded, {_MOST}),
    seeding_seconds = least(memberships.seeding_seconds + rest.seconds, {_MOST})
FROM rest WHERE key_id = :key_id AND memberships.info_hash_id = rest.info_hash_id
""")  # noqa: S608 - as above

# Only of peer_ids that disowned and other sessions share. What was left before a disowned snatch isn't known any more.
_CUT_SESSIONS = text(f"""{_DISOWNED}
UPDATE announces SET uploaded_credit = greatest(0, uploaded_credit - sessions.uploaded),
    downloaded_credit = greatest(0, downloaded_credit - sessions.downloaded),
    seeding_seconds = greatest(0, seeding_seconds - sessions.seconds),
    taken = greatest(0, announces.taken - sessions.downloaded),
    amount_left = CASE WHEN torrents.snatches > 0 THEN -1 ELSE amount_left END
FROM sessions JOIN torrents USING (info_hash_id) WHERE announces.key_id = :key_id
    AND announces.info_hash_id = sessions.info_hash_id AND announces.peer_id = sessions.peer_id
""")  # noqa: S608 - as above

# What is still charged is at most the share that the remaining sessions took.
_CUT_MEMBERSHIPS = text(f"""{_DISOWNED}, left_over AS (
    SELECT torrents.info_hash_id, min(announces.first_seen) AS first_seen,
        coalesce(bool_or(amount_left <> 0), false) AS leeching
    FROM torrents LEFT JOIN announces ON announces.key_id = :key_id
        AND announces.info_hash_id = torrents.info_hash_id
    GROUP BY torrents.info_hash_id
)
UPDATE memberships SET debt_seconds = greatest(0, memberships.debt_seconds - torrents.debt_seconds),
    snatched_time = CASE WHEN torrents.snatches = 0 THEN snatched_time END,
    leeching = (memberships.leeching OR torrents.snatches > 0) AND left_over.leeching,
    credited_by = CASE WHEN credited_by = ANY (torrents.peer_ids) THEN NULL ELSE credited_by END,
    owed_by = CASE WHEN owed_by = ANY (torrents.peer_ids) THEN NULL ELSE owed_by END,
    taken = greatest(0, memberships.taken - torrents.bytes),
    owed_share = CASE WHEN snatched_time IS NOT NULL AND torrents.snatches = 0 THEN owed_share
        WHEN torrents.bytes >= memberships.taken THEN 0
        ELSE least(owed_share, (memberships.taken - torrents.bytes)::float8 / nullif(infohashes.length, 0)) END,
    first_seen = CASE WHEN memberships.first_seen >= torrents.began
        THEN coalesce(left_over.first_seen, memberships.first_seen) ELSE memberships.first_seen END
FROM torrents JOIN left_over USING (info_hash_id) JOIN infohashes ON infohashes.id = torrents.info_hash_id
WHERE key_id = :key_id AND memberships.info_hash_id = torrents.info_hash_id
""")  # noqa: S608 - as above

_REMOVE_MEMBERSHIPS = text(f"""{_DISOWNED}
DELETE FROM memberships USING torrents WHERE key_id = :key_id AND memberships.info_hash_id = torrents.info_hash_id
    AND first_seen >= began AND snatched_time IS NULL AND greatest(uploaded, downloaded, seeding_seconds) = 0
    AND NOT EXISTS (
        SELECT 1 FROM announces WHERE announces.key_id = :key_id AND announces.info_hash_id = memberships.info_hash_id
    )
""")  # noqa: S608 - as above

_FORGET = text("""
WITH forgotten AS (
    DELETE FROM key_prefixes WHERE key_id = :key_id AND first_seen >= :since AND new_until > now() RETURNING prefix
)
DELETE FROM prefix_credits USING forgotten WHERE key_id = :key_id AND prefix_credits.prefix = forgotten.prefix
""")

_STEPS = (
    _TAKE_FROM_KEY, _GIVE_TIER_BACK, _REMOVE_SESSIONS, _CUT_SESSIONS, _CUT_MEMBERSHIPS, _REMOVE_MEMBERSHIPS, _FORGET
)  # fmt: skip


class Disowning:
    """Finds and disowns sessions. Both raise PostgresUnavailableError within some seconds if Postgres is down."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def addresses(self, announce_key: str) -> list[NewAddress]:
        """Return what was added to a key from each address prefix that is new to it, newest first."""
        parameters = {"key_hash": hash_announce_key(announce_key)}
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            return await fetch(connection, _ADDRESSES, NewAddress, parameters)

    async def disown(
        self, announce_key: str, code_hash: bytes, since: datetime, half_lives: HalfLives
    ) -> Disowned | None:
        """Disown the sessions from prefixes first seen at or after a moment; None if key and code don't match.

        Raises:
            KeyConflictError: there are no such sessions, or sessions were disowned not long ago.
        """
        async with self._database.transaction(LONG_DEADLINE_SECONDS) as connection:
            mine = (peers.c.key_hash == hash_announce_key(announce_key)) & peers.c.disabled_time.is_(None)
            locked = await lock_key(connection, mine)
            if locked is None or not await _check_code(connection, locked[0], code_hash):
                return None
            arguments = {"key_id": locked[0], "since": since}
            (disowned,) = await fetch(connection, _MEASURE, Disowned, arguments)
            if not disowned.sessions:
                raise KeyConflictError("No session has announced from an address that was new to the key then.")
            await _take_out(connection, arguments | half_lives.model_dump())
            await look_up_again(connection, locked[1])
        return disowned


async def _check_code(connection: AsyncConnection, key_id: int, code_hash: bytes) -> bool:
    columns = recovery_codes.c
    wanted = select(columns.disowned_time).where(columns.key_id == key_id, columns.code_hash == code_hash)
    row = (await connection.execute(wanted.with_for_update())).first()
    if row is None:
        return False
    if row.disowned_time and row.disowned_time + DISOWN_EVERY > datetime.now(row.disowned_time.tzinfo):
        raise KeyConflictError(f"Sessions can only be disowned once in {DISOWN_EVERY.days} days. Ask an operator.")
    return True


async def _take_out(connection: AsyncConnection, arguments: Mapping[str, Any]) -> None:
    for statement in _STEPS:
        used = {name: value for name, value in arguments.items() if f":{name}" in statement.text}
        await connection.execute(statement, used)
    used_code = update(recovery_codes).where(recovery_codes.c.key_id == arguments["key_id"])
    await connection.execute(used_code.values(disowned_time=text("now()")))
