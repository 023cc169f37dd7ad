"""The upgrade to anomalies and its downgrade lose nothing that they shouldn't, with rows in every table concerned."""

import asyncio
import json
from typing import Any

import asyncpg
from alembic import command

from etracker_migrations.upgrade import alembic_config
from etracker_shared.plumbing.settings import PostgresSettings

BEFORE, AFTER = "0016", "0017"

OLD_ROWS = """
INSERT INTO peers (announce_key, tier, score, score_time, uploaded)
    SELECT 'key' || n, n % 5, n, now(), n * 1000 FROM generate_series(1, 50) n;
INSERT INTO infohashes (info_hash, name, length)
    SELECT decode(lpad(to_hex(n), 40, '0'), 'hex'), 'film ' || n, n * 1000000 FROM generate_series(1, 20) n;
INSERT INTO announces (key_id, info_hash_id, peer_id, uploaded, amount_left)
    SELECT peers.id, infohashes.id, convert_to('-TR4050-' || lpad(peers.id::text, 12, '0'), 'UTF8'), 5, 0
    FROM peers, infohashes;
INSERT INTO announces (info_hash_id, peer_id) SELECT id, decode(lpad(to_hex(id), 32, '0'), 'hex') FROM infohashes
"""

NEW_ROWS = """
UPDATE peers SET frozen = '{0,1,2,3,4,5,6,7,8,3,0}', confirmed_time = now(), tier = 0, score = 0 WHERE id <= 10;
UPDATE infohashes SET piece_length = 262144, private = true;
UPDATE announces SET present = -1, seeded = 7;
INSERT INTO signals (info_hash_id, identity, state) SELECT id, int8send(1), '\\x01' FROM infohashes;
INSERT INTO traffic_blocks (slot, block, info_hash_id, identity, uploaded)
    SELECT n % 8, n, 1, int8send(1), 9 FROM generate_series(0, 15) n;
INSERT INTO swarm_blocks (info_hash_id, block, noise, cusum, trusted) SELECT id, 3, 1, 2, 1 FROM infohashes;
INSERT INTO anomalies (key_id, state, override, override_until, prefixes, wasted)
    SELECT id, 2, 3, now(), '{"04": 1}', '{"1": 2}' FROM peers WHERE id <= 10;
INSERT INTO anomalies (guest, state) SELECT peer_id, 1 FROM announces WHERE key_id IS NULL;
INSERT INTO anomaly_evidence (anomaly_id, info_hash_id, kind, points, text)
    SELECT anomalies.id, infohashes.id, 'P:rate', 50, 'why' FROM anomalies, infohashes;
INSERT INTO anomaly_addresses (anomaly_id, address) SELECT id, '\\x01' FROM anomalies;
INSERT INTO anomaly_appeals (anomaly_id, text) SELECT id, 'no' FROM anomalies;
INSERT INTO client_counts (prefix, key_count, session_count) VALUES ('', 0, 0);
INSERT INTO detection_progress VALUES (0, 7, 0)
"""

KEPT = {
    "peers": ("frozen", "confirmed_time", "tier", "score"),
    "infohashes": ("piece_length", "private"),
    "announces": ("present", "seeded"),
}


async def kept(database: asyncpg.Connection) -> dict[str, list[dict[str, Any]]]:
    """Return the old tables without the columns that the upgrade adds, or that confirmations change."""
    rows = {}
    for table, left_out in KEPT.items():
        found = await database.fetch(f"SELECT to_jsonb(t) AS row FROM {table} t ORDER BY id")
        parsed = [json.loads(row["row"]) for row in found]
        rows[table] = [{name: row[name] for name in row if name not in left_out} for row in parsed]
    return rows


async def test_rows_survive_upgrade_downgrade_and_upgrade(
    postgres_settings: PostgresSettings, database: asyncpg.Connection
) -> None:
    configuration = alembic_config(postgres_settings.sqlalchemy_url())
    await asyncio.to_thread(command.downgrade, configuration, BEFORE)
    await database.execute(OLD_ROWS)
    before = await kept(database)
    for _ in range(2):
        await asyncio.to_thread(command.upgrade, configuration, AFTER)
        await database.reload_schema_state()
        assert await kept(database) == before
        await database.execute(NEW_ROWS)
        assert await database.fetchval("SELECT count(*) FROM anomaly_evidence") == 30 * 20
        await asyncio.to_thread(command.downgrade, configuration, BEFORE)
        assert await kept(database) == before
    await asyncio.to_thread(command.upgrade, configuration, "head")
    assert await database.fetchval("SELECT count(*) FROM anomalies") == 0
    assert await database.fetchval("SELECT bool_and(present = 0 AND seeded = 0) FROM announces")
