"""The initial data of the tests of faults, and the sums that they compare."""

import asyncio
from collections.abc import Sequence

import asyncpg

from etracker_shared.plumbing.settings import PostgresSettings
from tests.support.load import Session
from tests.support.postgres import connect


async def make_sessions(settings: PostgresSettings, *, keys: int, torrents: int, per_key: int) -> list[Session]:
    """Register keys and infohashes with SQL, as an operator would, and make ``per_key`` sessions for each key."""
    names = [f"{number:030x}" for number in range(1, keys + 1)]
    hashes = [number.to_bytes(20, "big") for number in range(1, torrents + 1)]
    connection = await connect(settings)
    try:
        await connection.execute("INSERT INTO peers (announce_key) SELECT unnest($1::text[])", names)
        await connection.execute("INSERT INTO infohashes (info_hash) SELECT unnest($1::bytea[])", hashes)
    finally:
        await connection.close()
    return [
        Session(
            key=name,
            info_hash=hashes[(number * per_key + turn) % torrents],
            peer_id=f"-ET0001-{number:06d}{turn:06d}".encode(),
            port=10_000 + number % 50_000,
        )
        for number, name in enumerate(names)
        for turn in range(per_key)
    ]


SETTLED = """
SELECT count(*) FILTER (WHERE announces.uploaded <> sent.uploaded OR announces.uploaded_credit <> sent.credit
                           OR announces.uploaded IS NULL)
FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[])
    AS sent (announce_key, info_hash, peer_id, uploaded, credit)
LEFT JOIN peers ON peers.key_hash = hash_announce_key(sent.announce_key)
LEFT JOIN infohashes USING (info_hash)
LEFT JOIN announces ON announces.key_id = peers.id AND announces.info_hash_id = infohashes.id
    AND announces.peer_id = sent.peer_id
"""


async def wrong_sessions(connection: asyncpg.Connection, sessions: Sequence[Session]) -> int:
    """Count the sessions whose base or credit in Postgres differs from what was acknowledged."""
    return int(
        await connection.fetchval(
            SETTLED,
            [session.key for session in sessions],
            [session.info_hash for session in sessions],
            [session.peer_id for session in sessions],
            [session.last_acknowledged for session in sessions],
            [session.credit for session in sessions],
        )
    )


# A session's first acknowledged counter is its base; whatever was added since then is its credit.
COUNTED = """
SELECT count(*) FILTER (WHERE announces.uploaded IS NULL OR announces.uploaded < acknowledged) AS behind,
    count(*) FILTER (WHERE announces.uploaded > sent
                           OR announces.uploaded_credit <> announces.uploaded - base) AS wrong,
    coalesce(sum(announces.uploaded_credit), 0) AS credit,
    (SELECT sum(uploaded) FROM peers) AS of_keys,
    (SELECT sum(uploaded_bytes) FROM infohashes) AS of_torrents,
    (SELECT coalesce(sum(totals.announces), 0) FROM totals) AS counted
FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[], $6::bigint[])
    AS session (announce_key, info_hash, peer_id, base, acknowledged, sent)
LEFT JOIN peers ON peers.key_hash = hash_announce_key(session.announce_key)
LEFT JOIN infohashes USING (info_hash)
LEFT JOIN announces ON announces.key_id = peers.id AND announces.info_hash_id = infohashes.id
    AND announces.peer_id = session.peer_id
"""


async def assert_acknowledged_counted(
    settings: PostgresSettings,
    sessions: Sequence[Session],
    *,
    acknowledged: int,
    sent: int,
    within_seconds: float = 30.0,
) -> None:
    """Wait, without another announce, until all that was acknowledged is counted, and nothing that wasn't sent.

    Counters are absolute: the next announce of a session would heal a lost one's bytes. ``totals`` counts every
    announce, so that it shows a lost one even if a later one was recorded. ``acknowledged`` and ``sent``: announces,
    since the tracker was new; what was sent and not acknowledged may be recorded or not.
    """
    connection = await connect(settings)
    try:
        deadline = asyncio.get_running_loop().time() + within_seconds
        while True:
            found = await connection.fetchrow(COUNTED, *_columns(sessions))
            assert found is not None
            if found["behind"] == 0 and found["counted"] >= acknowledged:
                break
            assert asyncio.get_running_loop().time() < deadline, (
                f"{found['behind']} of {len(sessions)} sessions behind what was acknowledged; "
                f"{found['counted']} announces counted of {acknowledged} acknowledged"
            )
            await asyncio.sleep(0.2)
        assert found["counted"] <= sent, "announces counted twice"
        assert found["wrong"] == 0, "sessions whose counter or credit isn't one they sent"
        assert (found["of_keys"], found["of_torrents"]) == (found["credit"], found["credit"])
    finally:
        await connection.close()


def _columns(sessions: Sequence[Session]) -> list[Sequence[object]]:
    return [
        [session.key for session in sessions],
        [session.info_hash for session in sessions],
        [session.peer_id for session in sessions],
        [session.first_acknowledged for session in sessions],
        [session.last_acknowledged for session in sessions],
        [session.uploaded for session in sessions],
    ]


async def assert_statistics_equal(
    settings: PostgresSettings, sessions: Sequence[Session], *, within_seconds: float = 30.0
) -> None:
    """Wait until every session's credit is in the statistics exactly once, in each of the sums."""
    expected = sum(session.credit for session in sessions)
    connection = await connect(settings)
    try:
        deadline = asyncio.get_running_loop().time() + within_seconds
        while wrong := await wrong_sessions(connection, sessions):
            assert asyncio.get_running_loop().time() < deadline, f"{wrong} of {len(sessions)} sessions differ"
            await asyncio.sleep(0.2)
        of_keys = await connection.fetchval("SELECT sum(uploaded) FROM peers")
        of_torrents = await connection.fetchval("SELECT sum(uploaded_bytes) FROM infohashes")
        assert (of_keys, of_torrents) == (expected, expected)
    finally:
        await connection.close()
