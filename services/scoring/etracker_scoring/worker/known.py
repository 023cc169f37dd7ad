"""Loads what every batch needs: the keys, torrents, sessions and memberships of its facts.

Columns are read by position here, because these rows are read for every fact (tests/integration/scoring/test_columns.py
compares the names).
"""

from collections.abc import Collection

import asyncpg

from etracker_scoring.scores.formula import TorrentHistory
from etracker_scoring.scores.keys import Key
from etracker_scoring.stored.keys import KEY_COLUMNS, milliseconds, parse_key
from etracker_scoring.worker.bases import unpack_bases
from etracker_scoring.worker.records import (
    Credit,
    Membership,
    MembershipKey,
    Place,
    PrefixKey,
    Session,
    SessionKey,
    Torrent,
)
from etracker_scoring.worker.store import Rows, Store, columns
from etracker_shared.language.identity import InfoHash, KeyHash

FIND_KEYS = f"""
SELECT {KEY_COLUMNS} FROM peers WHERE key_hash = ANY($1) AND disabled_time IS NULL
"""  # noqa: S608 - made of this code's own words

FIND_TORRENTS = """
SELECT listed.info_hash, coalesce(kept.id, listed.id) AS id, coalesce(kept.length, listed.length) AS length,
    listed.seeders + listed.leechers AS peers,
    CASE WHEN kept.id IS NULL THEN listed.demand ELSE kept.demand END AS demand,
    coalesce(kept.piece_length, listed.piece_length) AS piece_length, coalesce(kept.private, listed.private) AS private
FROM infohashes listed LEFT JOIN infohashes kept ON kept.id = listed.same_as
WHERE listed.info_hash = ANY($1)
"""

ADD_TORRENTS = """
INSERT INTO infohashes (info_hash, name) SELECT hash, encode(hash, 'hex') FROM unnest($1::bytea[]) hash
ON CONFLICT (info_hash) DO NOTHING
"""

LOAD_MEMBERSHIPS = """
SELECT key_id, info_hash_id, date_part('epoch', first_seen) AS first_seen, leeching,
    date_part('epoch', snatched_time) AS snatched_time, taken, owed_share, owed_by, debt_seconds,
    date_part('epoch', credited_until) AS credited_until, date_part('epoch', paid_until) AS paid_until, credited_by
FROM unnest($1::bigint[], $2::bigint[]) wanted (key_id, info_hash_id)
JOIN memberships USING (key_id, info_hash_id)
"""

RECENT_SESSIONS = 4

_SESSION = """id AS row, date_part('epoch', first_seen) AS first_seen, date_part('epoch', last_seen) AS last_seen,
    uploaded, downloaded, amount_left AS left, corrupt, redundant, event, uploaded_credit, downloaded_credit,
    seeding_seconds, snatched, place, others, most_left, taken, present,
    seeded"""

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

# The latest sessions of a key's other clients: a new client may continue one of them.
LOAD_RECENT_SESSIONS = f"""
SELECT wanted.key_id, wanted.info_hash_id, recent.*
FROM unnest($1::bigint[], $2::bigint[]) wanted (key_id, info_hash_id) CROSS JOIN LATERAL (
    SELECT peer_id, {_SESSION} FROM announces
    WHERE announces.key_id = wanted.key_id AND announces.info_hash_id = wanted.info_hash_id
    ORDER BY announces.last_seen DESC LIMIT {RECENT_SESSIONS}
) recent ORDER BY recent.last_seen
"""  # noqa: S608 - as above

LOAD_GUEST_SNATCHES = """
SELECT info_hash_id, prefix, number FROM unnest($1::bigint[], $2::bytea[]) wanted (info_hash_id, prefix)
JOIN guest_snatches USING (info_hash_id, prefix)
"""

DOWNLOADED_HERE = """
SELECT key_id, info_hash_id, least(9223372036854775807, memberships.downloaded + (
    SELECT coalesce(sum(downloaded_credit), 0) FROM announces
    WHERE announces.key_id = memberships.key_id AND announces.info_hash_id = memberships.info_hash_id
))::bigint AS downloaded
FROM unnest($1::bigint[], $2::bigint[]) wanted (key_id, info_hash_id)
JOIN memberships USING (key_id, info_hash_id)
"""

Holders = tuple[dict[SessionKey, Session], dict[Place, SessionKey]]
Memberships = tuple[dict[MembershipKey, Membership], dict[MembershipKey, Credit]]


async def find_keys(source: Store | Rows, key_hashes: Collection[KeyHash]) -> dict[KeyHash, Key]:
    """Return the keys that are registered."""
    rows = await source.fetch(FIND_KEYS, list(key_hashes)) if key_hashes else []
    return {key.key_hash: key for key in map(parse_key, rows)}


async def find_torrents(store: Store, info_hashes: Collection[InfoHash]) -> dict[InfoHash, Torrent]:
    """Return the torrents that keep the statistics of these infohashes; those that aren't tracked are left out."""
    rows = await store.fetch(FIND_TORRENTS, list(info_hashes)) if info_hashes else []
    return {row[0]: Torrent(*row[1:]) for row in rows}


async def add_torrents(store: Store, info_hashes: Collection[InfoHash]) -> dict[InfoHash, Torrent]:
    """Track infohashes that aren't on the allowlist; their name is their hash in hex."""
    if not info_hashes:
        return {}
    await store.fetch(ADD_TORRENTS, sorted(info_hashes))
    return await find_torrents(store, info_hashes)


async def load_memberships(rows: Rows, wanted: Collection[MembershipKey]) -> Memberships:
    """Return the memberships that exist, and what their seeding is worth to the score."""
    found = await rows.fetch(LOAD_MEMBERSHIPS, *columns(wanted)) if wanted else []
    memberships, credits_ = {}, {}
    for key_id, torrent_id, first_seen, leeching, snatched, *owed, debt_seconds, credited, paid, credited_by in found:
        member = (key_id, torrent_id)
        memberships[member] = Membership(milliseconds(first_seen), leeching, milliseconds(snatched), *owed)
        credits_[member] = Credit(TorrentHistory(debt_seconds, credited or 0.0, paid or 0.0), credited_by)
    return memberships, credits_


async def load_sessions(rows: Rows, wanted: Collection[SessionKey]) -> dict[SessionKey, Session]:
    """Return the sessions that exist."""
    found: list[asyncpg.Record] = []
    if of_keys := [key for key in wanted if key[0] is not None]:
        found += await rows.fetch(LOAD_SESSIONS, *columns(of_keys))
    if of_guests := [key[1:] for key in wanted if key[0] is None]:
        found += await rows.fetch(LOAD_GUESTS_SESSIONS, *columns(of_guests))
    return {(row[0], row[1], row[2]): _session(row) for row in found}


async def load_holders(rows: Rows, wanted: Collection[MembershipKey]) -> Holders:
    """Return the latest sessions of keys in some torrents, and which of them was last at each place."""
    found = await rows.fetch(LOAD_RECENT_SESSIONS, *columns(wanted)) if wanted else []
    sessions: dict[SessionKey, Session] = {(row[0], row[1], row[2]): _session(row) for row in found}
    holders = {(*key[:2], place): key for key, session in sessions.items() for place in places_of(session)}
    return sessions, holders


async def load_guest_snatches(rows: Rows, wanted: Collection[PrefixKey]) -> dict[PrefixKey, int]:
    """Return how many snatches are already counted, per torrent and address prefix of guests."""
    found = await rows.fetch(LOAD_GUEST_SNATCHES, *columns(wanted)) if wanted else []
    return {(row["info_hash_id"], row["prefix"]): row["number"] for row in found}


async def load_downloads(rows: Rows, wanted: Collection[MembershipKey]) -> dict[MembershipKey, int]:
    """Return the bytes downloaded in memberships, over all sessions, past ones included."""
    found = await rows.fetch(DOWNLOADED_HERE, *columns(wanted)) if wanted else []
    return {(row["key_id"], row["info_hash_id"]): row["downloaded"] for row in found}


def places_of(session: Session) -> list[int]:
    """Return the places from which a session announced, the last one first."""
    return [session.place, *(base.place for base in unpack_bases(session.others) if not base.former)]


def _session(row: asyncpg.Record) -> Session:
    _, _, _, row_id, first_seen, last_seen, *values = row
    return Session(row_id, milliseconds(first_seen), milliseconds(last_seen), *values)
