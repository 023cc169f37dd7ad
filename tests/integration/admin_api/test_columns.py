"""Every column becomes the field of its name: two of the same type that are swapped have different values here."""

from typing import Any

import asyncpg
from httpx import AsyncClient

from etracker_admin_api.actors import Operator
from etracker_admin_api.api_keys import hash_api_key
from etracker_admin_api.database import Database
from etracker_admin_api.operators.store import OperatorStore
from etracker_admin_api.settings import AdminSettings
from etracker_admin_api.statistics.history import TRACKER_LADDER
from etracker_admin_api.statistics.store import HistoryStore
from etracker_admin_api.torrents.files.store import FileStore
from etracker_shared.language.identity import InfoHash, hash_announce_key
from tests.support.admin_api import AUTHORIZED

FIRST, SECOND, V2 = InfoHash(b"1" * 20), InfoHash(b"2" * 20), b"v" * 32
ADDED, SEEN, COUNTED = "2026-01-01T00:00:00Z", "2026-02-02T00:00:00Z", "2026-03-03T00:00:00Z"
NEVER_PRUNED = "2099-01-01T00:00:00Z"
MOMENT = "2026-04-04T00:00:00+00:00"

TORRENT = f"""
INSERT INTO infohashes (id, info_hash, info_hash_v2, name, length, seeders, leechers, downloaded, created_time,
    last_seen, file, file_mark, uploaded_bytes, downloaded_bytes, seeding_seconds, counted_time)
OVERRIDING SYSTEM VALUE VALUES
    (11, '\\x{FIRST.hex()}', '\\x{V2.hex()}', 'film', 12, 1, 14, 15, '{ADDED}',
    '{SEEN}', 'file', 17, 18, 19, 20, '{COUNTED}');
INSERT INTO infohashes (id, info_hash, same_as) OVERRIDING SYSTEM VALUE VALUES (99, '\\x{SECOND.hex()}', 11);
"""
SHOWN = {
    "info_hash": FIRST.hex(),
    "info_hash_v2": V2.hex(),
    "name": "film",
    "size": 12,
    "seeders": 1,
    "leechers": 14,
    "snatches": 15,
    "added": ADDED,
    "last_seen": SEEN,
    "has_file": True,
    "health": "weak",
}
DETAIL = {
    "uploaded_bytes": 18,
    "downloaded_bytes": 19,
    "seeding_seconds": 20,
    "other_info_hash": SECOND.hex(),
    "counted_at": COUNTED,
}


async def read(client: AsyncClient, path: str) -> Any:
    response = await client.get(path, headers=AUTHORIZED)
    assert response.status_code == 200
    return response.json()


async def test_a_torrents_fields_are_its_columns(client: AsyncClient, database: asyncpg.Connection) -> None:
    await database.execute(TORRENT)
    assert (await read(client, "/api/v1/infohashes"))["items"] == [SHOWN]
    assert await read(client, f"/api/v1/infohashes/{SECOND.hex()}") == SHOWN | DETAIL
    [listed] = await read(client, "/api/infohashes")
    assert (listed["name"], listed["downloaded"], listed["seeders"], listed["leechers"]) == ("film", 15, 1, 14)
    history = await read(client, f"/api/v1/infohashes/{SECOND.hex()}/history")
    assert {name: history["samples"][-1][name] for name in ("seeders", "leechers", "snatches")} == {
        "seeders": 1,
        "leechers": 14,
        "snatches": 15,
    }


async def test_a_stored_files_fields_are_its_columns(
    admin_settings: AdminSettings, database: asyncpg.Connection
) -> None:
    await database.execute(TORRENT)
    postgres = Database(admin_settings)
    stored = await FileStore(postgres).find(SECOND)
    await postgres.close()
    assert stored is not None
    assert (stored.id, stored.name, stored.size, stored.mark) == (11, "film", 4, 17)


async def test_a_keys_fields_are_its_columns(client: AsyncClient, database: asyncpg.Connection) -> None:
    await database.execute(f"""
        INSERT INTO peers (id, announce_key, created_time, last_seen, disabled_time, uploaded, downloaded, snatched,
            seeding_seconds, tier, score)
        OVERRIDING SYSTEM VALUE VALUES (11, 'k', '{ADDED}', '{NEVER_PRUNED}', now(), 12, 13, 14, 15, 3, 16.5)
    """)
    shown = {
        "id": 11,
        "key_hash": hash_announce_key("k").hex(),
        "created": ADDED,
        "last_seen": NEVER_PRUNED,
        "disabled": True,
        "uploaded_bytes": 12,
        "downloaded_bytes": 13,
        "snatched": 14,
        "seeding_seconds": 15,
        "tier": 3,
        "score": 16.5,
    }
    assert (await read(client, "/api/v1/keys"))["items"] == [shown]
    assert await read(client, "/api/v1/keys/11") == shown


async def test_an_operators_fields_are_their_columns(
    client: AsyncClient, admin_settings: AdminSettings, database: asyncpg.Connection
) -> None:
    key_hash = hash_api_key(b"a key")
    await database.execute(
        "INSERT INTO operators (id, name, key_hash, created_time, last_used, revoked_time) OVERRIDING SYSTEM VALUE "
        f"VALUES (11, 'Anna', $1, '{ADDED}', now(), NULL), (12, 'Berta', 'b', '{ADDED}', '{SEEN}', now())",
        key_hash,
    )
    _first, _anna, berta = (await read(client, "/api/v1/operators"))["items"]
    assert berta == {"id": 12, "name": "Berta", "created": ADDED, "last_used": SEEN, "revoked": True}
    postgres = Database(admin_settings)
    created = await database.fetchval("SELECT created_time FROM operators WHERE id = 11")
    assert await OperatorStore(postgres).find(key_hash) == Operator(id=11, name="Anna", since=created)
    await postgres.close()


async def test_an_audit_rows_fields_are_its_columns(client: AsyncClient, database: asyncpg.Connection) -> None:
    await database.execute(f"""
        INSERT INTO audit_log (id, at, operator, action, target, detail, request_id) OVERRIDING SYSTEM VALUE
        VALUES (11, '{ADDED}', 'Anna', 'key.rotate', 'aim', '{{"key": "value"}}', 'abc')
    """)
    assert (await read(client, "/api/v1/audit"))["items"] == [
        {
            "id": 11,
            "at": ADDED,
            "operator": "Anna",
            "action": "key.rotate",
            "target": "aim",
            "detail": {"key": "value"},
            "request_id": "abc",
        }
    ]


async def test_a_samples_fields_are_its_columns(admin_settings: AdminSettings, database: asyncpg.Connection) -> None:
    columns = "at, torrents, swarms, seeders, leechers, announces, snatches, uploaded_bytes, downloaded_bytes"
    await database.execute(
        f"INSERT INTO tracker_samples (step_seconds, {columns}) VALUES (60, '{MOMENT}', 1, 2, 3, 4, 5, 6, 7, 8)"
    )
    await database.execute("UPDATE totals SET announces = 5, snatches = 6, uploaded_bytes = 7, downloaded_bytes = 8")
    at = await database.fetchval("SELECT at FROM tracker_samples")
    postgres = Database(admin_settings)
    history = HistoryStore(postgres)
    [reading] = await history.tracker(TRACKER_LADDER[0].step_seconds, at)
    assert (reading.at, reading.torrents, reading.swarms, reading.seeders, reading.leechers) == (at, 1, 2, 3, 4)
    for totals in (reading.totals, await history.totals()):
        sums = (totals.announces, totals.snatches, totals.uploaded_bytes, totals.downloaded_bytes)
        assert sums == (5, 6, 7, 8)
    await postgres.close()
