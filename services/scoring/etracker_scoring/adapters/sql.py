"""The worker's statements. Arrays go in, one a column; rows of one statement are written as one set.

Times go in and come out as Unix seconds: a datetime costs asyncpg more than five other columns.

A batch writes parents (infohashes, peers) before the rows that refer to them, each table in the order of
its ids: whoever deletes a key or a torrent meanwhile waits, or makes the batch load again.
"""

from etracker_scoring.adapters.key_rows import KEY_COLUMNS

FIND_KEYS = f"""
SELECT {KEY_COLUMNS} FROM peers WHERE key_hash = ANY($1) AND disabled_time IS NULL
"""  # noqa: S608 - made of this code's own words

_NEIGHBOURS = f"SELECT {KEY_COLUMNS}, origin_prefix, date_part('epoch', last_seen) FROM peers WHERE"  # noqa: S608 - as above

# Those that matter: who holds a grace, and who may be a free-rider. Of a prefix with many of those some do.
FIND_NEIGHBOURS = f"""
{_NEIGHBOURS} origin_prefix = ANY($1) AND last_seen > to_timestamp($2) AND grace
UNION ALL
SELECT neighbour.* FROM unnest($1::bytea[]) wanted (prefix), LATERAL (
    {_NEIGHBOURS} origin_prefix = wanted.prefix AND NOT grace AND tier <= 1 AND snatched > 0
        AND last_seen > to_timestamp($2)
    LIMIT 100
) neighbour
"""  # noqa: S608 - as above

FIND_TORRENTS = """
SELECT listed.info_hash, coalesce(kept.id, listed.id), coalesce(kept.length, listed.length)
FROM infohashes listed LEFT JOIN infohashes kept ON kept.id = listed.same_as
WHERE listed.info_hash = ANY($1)
"""

ADD_TORRENTS = """
INSERT INTO infohashes (info_hash, name) SELECT hash, encode(hash, 'hex') FROM unnest($1::bytea[]) hash
ON CONFLICT (info_hash) DO NOTHING
"""

LOAD_MEMBERSHIPS = """
SELECT key_id, info_hash_id, date_part('epoch', first_seen), leeching, date_part('epoch', snatched_time), debt_seconds,
    date_part('epoch', credited_until), credited_by
FROM unnest($1::bigint[], $2::bigint[]) wanted (key_id, info_hash_id)
JOIN memberships USING (key_id, info_hash_id)
"""

_SESSION = """id, date_part('epoch', first_seen), date_part('epoch', last_seen), uploaded, downloaded, amount_left,
    corrupt, redundant, event, uploaded_credit, downloaded_credit, seeding_seconds, snatched"""

LOAD_SESSIONS = f"""
SELECT key_id, info_hash_id, peer_id, {_SESSION}
FROM unnest($1::bigint[], $2::bigint[], $3::bytea[]) wanted (key_id, info_hash_id, peer_id)
JOIN announces USING (key_id, info_hash_id, peer_id)
"""  # noqa: S608 - as above

LOAD_GUESTS_SESSIONS = f"""
SELECT stored.key_id, stored.info_hash_id, stored.peer_id, {_SESSION}
FROM unnest($1::bigint[], $2::bytea[]) wanted (info_hash_id, peer_id)
JOIN announces stored ON stored.key_id IS NULL
    AND stored.info_hash_id = wanted.info_hash_id AND stored.peer_id = wanted.peer_id
"""  # noqa: S608 - as above

DOWNLOADED_HERE = """
SELECT key_id, info_hash_id, least(9223372036854775807, memberships.downloaded + (
    SELECT coalesce(sum(downloaded_credit), 0) FROM announces
    WHERE announces.key_id = memberships.key_id AND announces.info_hash_id = memberships.info_hash_id
))::bigint
FROM unnest($1::bigint[], $2::bigint[]) wanted (key_id, info_hash_id)
JOIN memberships USING (key_id, info_hash_id)
"""

MOVE_POSITIONS = """
UPDATE stream_positions SET last_id = moved.after
FROM unnest($1::smallint[], $2::text[], $3::text[]) moved (shard, before, after)
WHERE stream_positions.shard = moved.shard AND last_id = moved.before
"""


def _capped(column: str) -> str:
    """Return an addition that stops at the largest bigint: clients claim what they like."""
    largest = 2**63 - 1
    return (
        f"{column} = CASE WHEN stored.{column} > {largest} - added.{column} THEN {largest} "
        f"ELSE stored.{column} + added.{column} END"
    )


# Seeders as they are: of a statement that changes nothing the column health is made of, Postgres reads that column's
# expression anew for each row (docs/adr/0042).
ADD_TO_TORRENTS = f"""
UPDATE infohashes stored SET seeders = stored.seeders, downloaded = stored.downloaded + added.snatches,
    {_capped("uploaded_bytes")}, {_capped("downloaded_bytes")}, {_capped("seeding_seconds")},
    last_seen = greatest(stored.last_seen, to_timestamp(added.last_seen))
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::float8[])
    added (id, snatches, uploaded_bytes, downloaded_bytes, seeding_seconds, last_seen)
WHERE stored.id = added.id
"""  # noqa: S608 - as above

ADD_TO_KEYS = f"""
UPDATE peers stored SET snatched = stored.snatched + added.snatches, {_capped("uploaded")}, {_capped("downloaded")},
    {_capped("seeding_seconds")}, last_seen = greatest(stored.last_seen, to_timestamp(added.last_seen)),
    seeded_until = to_timestamp(new_seeded_until), score_time = to_timestamp(new_time), score_recent = recent,
    score_average = average, score_length_days = length_days, score_owed = owed, score_paid = paid, tier = new_tier,
    falling_since = to_timestamp(new_falling_since), score = new_score
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::float8[], $7::float8[],
    $8::float8[], $9::float8[], $10::float8[], $11::float8[], $12::float8[], $13::float8[], $14::smallint[],
    $15::float8[], $16::float8[])
    added (id, snatches, uploaded, downloaded, seeding_seconds, last_seen, new_seeded_until, new_time, recent, average,
    length_days, owed, paid, new_tier, new_falling_since, new_score)
WHERE stored.id = added.id
"""  # noqa: S608 - as above

ADD_TO_TOTALS = """
INSERT INTO totals AS stored (announces, snatches, uploaded_bytes, downloaded_bytes, settled_time)
SELECT *, now() FROM unnest($1::numeric[], $2::numeric[], $3::numeric[], $4::numeric[])
ON CONFLICT (id) DO UPDATE SET announces = stored.announces + excluded.announces,
    snatches = stored.snatches + excluded.snatches, uploaded_bytes = stored.uploaded_bytes + excluded.uploaded_bytes,
    downloaded_bytes = stored.downloaded_bytes + excluded.downloaded_bytes, settled_time = excluded.settled_time
"""

PUT_ORIGINS = """
UPDATE peers SET origin_time = to_timestamp(new.at), origin_prefix = new.prefix, grace = new.grace,
    stained = new.stained
FROM unnest($1::bigint[], $2::float8[], $3::bytea[], $4::boolean[], $5::boolean[])
    new (id, at, prefix, grace, stained)
WHERE peers.id = new.id
"""

TAKE_GRACE = "UPDATE peers SET grace = false FROM unnest($1::bigint[]) overtaken (id) WHERE peers.id = overtaken.id"

TELL_NOTICES = """
UPDATE peers SET notice_told_time = to_timestamp(told.at) FROM unnest($1::bigint[], $2::float8[]) told (id, at)
WHERE peers.id = told.id
"""

PUT_NOTICES = """
UPDATE peers SET notice = new.text, notice_time = to_timestamp(new.at), notice_told_time = NULL
FROM unnest($1::bigint[], $2::text[], $3::float8[]) new (id, text, at) WHERE peers.id = new.id
"""

# Two changes within a millisecond are one.
ADD_TIER_CHANGES = """
INSERT INTO tier_changes (key_id, at, tier, score)
SELECT key_id, to_timestamp(at), tier, score
FROM unnest($1::bigint[], $2::float8[], $3::smallint[], $4::float8[]) new (key_id, at, tier, score)
ON CONFLICT (key_id, at) DO UPDATE SET tier = excluded.tier, score = excluded.score
"""

NOTIFY = "SELECT pg_notify($1, payload) FROM unnest($2::text[]) payload"

PUT_MEMBERSHIPS = """
INSERT INTO memberships (key_id, info_hash_id, first_seen, leeching, snatched_time, debt_seconds, credited_until,
    credited_by)
SELECT key_id, info_hash_id, to_timestamp(first_seen), leeching, to_timestamp(snatched), debt_seconds,
    to_timestamp(credited), credited_by
FROM unnest($1::bigint[], $2::bigint[], $3::float8[], $4::boolean[], $5::float8[], $6::float8[], $7::float8[],
    $8::bytea[]) new (key_id, info_hash_id, first_seen, leeching, snatched, debt_seconds, credited, credited_by)
ON CONFLICT (key_id, info_hash_id) DO UPDATE SET leeching = excluded.leeching, snatched_time = excluded.snatched_time,
    debt_seconds = excluded.debt_seconds, credited_until = excluded.credited_until,
    credited_by = excluded.credited_by
"""

UPDATE_SESSIONS = """
UPDATE announces SET last_seen = to_timestamp(new.last_seen), uploaded = new.uploaded, downloaded = new.downloaded,
    amount_left = new.amount_left, corrupt = new.corrupt, redundant = new.redundant, event = new.event,
    uploaded_credit = new.uploaded_credit, downloaded_credit = new.downloaded_credit,
    seeding_seconds = new.seeding_seconds, snatched = new.snatched
FROM unnest($1::bigint[], $2::float8[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
    $8::smallint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::boolean[])
    new (id, last_seen, uploaded, downloaded, amount_left, corrupt, redundant, event, uploaded_credit,
    downloaded_credit, seeding_seconds, snatched)
WHERE announces.id = new.id
"""

INSERT_SESSIONS = """
INSERT INTO announces (key_id, info_hash_id, peer_id, first_seen, last_seen, uploaded, downloaded, amount_left, corrupt,
    redundant, event, uploaded_credit, downloaded_credit, seeding_seconds, snatched)
SELECT key_id, info_hash_id, peer_id, to_timestamp(began), to_timestamp(ended), uploaded, downloaded, amount_left,
    corrupt, redundant, event, uploaded_credit, downloaded_credit, seeding_seconds, snatched
FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::float8[], $5::float8[], $6::bigint[], $7::bigint[],
    $8::bigint[], $9::bigint[], $10::bigint[], $11::smallint[], $12::bigint[], $13::bigint[], $14::bigint[],
    $15::boolean[]) new (key_id, info_hash_id, peer_id, began, ended, uploaded, downloaded, amount_left, corrupt,
    redundant, event, uploaded_credit, downloaded_credit, seeding_seconds, snatched)
"""

SNATCHES = """
SELECT infohashes.info_hash, kept.downloaded
FROM unnest($1::bigint[]) wanted (id)
JOIN infohashes kept ON kept.id = wanted.id
JOIN infohashes ON infohashes.id = kept.id OR infohashes.same_as = kept.id
"""
