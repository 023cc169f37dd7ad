import asyncpg
import pytest

from etracker_admin_api.database import Database
from etracker_admin_api.keys.pruning import PRUNE_LOCK, STEP_KEYS, KeyPruner
from etracker_admin_api.metrics import Metrics
from etracker_admin_api.settings import AdminSettings
from tests.support.admin_api import serving
from tests.support.waiting import eventually


async def prune(settings: AdminSettings) -> int | None:
    database = Database(settings)
    try:
        return await KeyPruner(database, Metrics()).prune()
    finally:
        await database.close()


@pytest.mark.parametrize(
    ("created", "last_seen", "goes"),
    [
        ("100 days", None, True),
        ("100 days", "95 days", True),
        ("100 days", "80 days", False),
        ("100 days", "0 days", False),
        ("80 days", None, False),
        ("80 days", "100 days", False),
    ],
)
async def test_a_key_goes_when_it_was_created_and_last_used_three_months_ago(
    admin_settings: AdminSettings, database: asyncpg.Connection, created: str, last_seen: str | None, goes: bool
) -> None:
    await database.execute(
        "INSERT INTO peers (announce_key, created_time, last_seen) "
        "VALUES ('k', now() - $1::text::interval, now() - $2::text::interval)",
        created,
        last_seen,
    )
    assert await prune(admin_settings) == int(goes)
    assert await database.fetchval("SELECT count(*) FROM peers") == int(not goes)


async def test_what_hangs_on_a_key_goes_with_it_and_totals_of_torrents_stay(
    admin_settings: AdminSettings, database: asyncpg.Connection
) -> None:
    await database.execute("""
        INSERT INTO infohashes (id, info_hash, downloaded, uploaded_bytes)
            OVERRIDING SYSTEM VALUE VALUES (1, decode(repeat('ab', 20), 'hex'), 5, 1000);
        INSERT INTO peers (id, announce_key, created_time) OVERRIDING SYSTEM VALUE
            VALUES (1, 'old', now() - interval '1 year'), (2, 'new', now());
        INSERT INTO memberships (key_id, info_hash_id) VALUES (1, 1), (2, 1);
        INSERT INTO announces (key_id, info_hash_id, peer_id) VALUES (1, 1, 'p'), (2, 1, 'p'), (NULL, 1, 'guest');
    """)
    assert await prune(admin_settings) == 1
    assert await database.fetchval("SELECT array_agg(key_id ORDER BY key_id) FROM memberships") == [2]
    assert await database.fetchval("SELECT array_agg(key_id ORDER BY key_id NULLS LAST) FROM announces") == [2, None]
    [torrent] = await database.fetch("SELECT downloaded, uploaded_bytes FROM infohashes")
    assert tuple(torrent) == (5, 1000)


async def test_many_keys_go_in_bounded_steps(admin_settings: AdminSettings, database: asyncpg.Connection) -> None:
    count = 2 * STEP_KEYS + 10
    await database.execute(
        "INSERT INTO peers (announce_key, created_time) SELECT 'k' || n, now() - interval '1 year' "
        "FROM generate_series(1, $1::int) AS n WHERE n % 3 > 0",
        count,
    )
    kept = await database.fetchval("INSERT INTO peers (announce_key) VALUES ('kept') RETURNING id")
    assert await prune(admin_settings) == count - count // 3
    assert await database.fetchval("SELECT array_agg(id) FROM peers") == [kept]


async def test_one_replica_prunes_at_a_time(admin_settings: AdminSettings) -> None:
    database = Database(admin_settings)
    async with database.session_lock(PRUNE_LOCK) as held:
        assert held
        assert await prune(admin_settings) is None
    assert await prune(admin_settings) == 0
    await database.close()


async def test_pruning_runs_when_the_service_starts(
    admin_settings: AdminSettings, database: asyncpg.Connection
) -> None:
    await database.execute("INSERT INTO peers (announce_key, created_time) VALUES ('k', now() - interval '1 year')")

    async with serving(admin_settings) as client:

        async def counted() -> bool:
            return "etracker_admin_keys_pruned_total 1.0" in (await client.get("/metrics")).text

        await eventually(counted, "the key is pruned and counted")
    assert await database.fetchval("SELECT count(*) FROM peers") == 0
