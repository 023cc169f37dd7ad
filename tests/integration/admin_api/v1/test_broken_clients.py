"""Broken clients as a class: evidence by version, next to all users of that version."""

from typing import Any

import asyncpg
from httpx import AsyncClient

from etracker_admin_api.anomalies.client_counts import ClientCounter
from etracker_admin_api.database import Database
from etracker_admin_api.settings import AdminSettings
from etracker_shared.agreements.anomalies import AnomalyState, Kind
from tests.support.admin_api import AUTHORIZED
from tests.support.anomalies import add_anomaly, add_evidence, add_key, add_torrent
from tests.support.waiting import eventually

BROKEN, SOUND, FAKER = b"-XX0100-", b"-qB5210-", b"-TR4050-"


async def show(client: AsyncClient) -> Any:
    response = await client.get("/api/v1/anomalies/clients", headers=AUTHORIZED)
    assert response.status_code == 200, response.text
    return response.json()


async def count(settings: AdminSettings, **limits: int) -> None:
    database = Database(settings)
    try:
        await ClientCounter(database, **limits).count()
    finally:
        await database.close()


async def add_sessions(database: asyncpg.Connection, torrent: int, keys: list[int], peer_id: bytes, days: int) -> None:
    insert = """
        INSERT INTO announces (key_id, info_hash_id, peer_id, last_seen)
        VALUES ($1, $2, $3, now() - $4 * interval '1 day')
    """
    await database.executemany(insert, [(key, torrent, peer_id, days) for key in keys])


async def test_evidence_is_shown_by_version_next_to_all_its_users(
    client: AsyncClient, database: asyncpg.Connection, admin_settings: AdminSettings
) -> None:
    keys = [await add_key(database, f"key{number}") for number in range(10)]
    torrents = [await add_torrent(database, f"{number:02x}" * 20) for number in (7, 8)]
    for torrent in torrents:
        await add_sessions(database, torrent, keys[:4], BROKEN + b"abcdefghijkl", 1)
    await add_sessions(database, torrents[0], keys[:4], BROKEN + b"another one.", 2)
    await add_sessions(database, torrents[0], keys[3:], SOUND + b"abcdefghijkl", 3)
    await add_sessions(database, torrents[0], keys, FAKER + b"abcdefghijkl", 31)
    for key in keys[:3]:
        state = AnomalyState.CONFIRMED if key == keys[0] else AnomalyState.SUSPECTED
        anomaly = await add_anomaly(database, key, state=state, peer_id=BROKEN + b"abcdefghijkl")
        await add_evidence(database, anomaly, peer_id=BROKEN + b"abcdefghijkl", points=10)
        await add_evidence(database, anomaly, peer_id=BROKEN + b"other bytes.", points=10)
        await add_evidence(database, anomaly, kind=Kind.FLOOD, peer_id=SOUND + b"abcdefghijkl", days_ago=31)
    await add_evidence(database, anomaly, kind=Kind.CYCLE, peer_id=BROKEN + b"abcdefghijkl", points=12)
    guest = await add_anomaly(database, guest=bytes(16), peer_id=FAKER + b"abcdefghijkl")
    await add_evidence(database, guest, kind=Kind.MULTIPLES_OF_5, peer_id=FAKER + b"abcdefghijkl")
    await add_evidence(database, guest, peer_id=None)
    await count(admin_settings, step_keys=3)  # so that it takes several steps
    shown = await show(client)
    assert (shown["days"], shown["counted"] is not None) == (30, True)
    broken, faker = shown["items"]
    assert broken["client"] == {"name": "XX", "version": "0.1.0", "prefix": "-XX0100-"}
    assert (broken["identities"], broken["suspected"], broken["confirmed"]) == (3, 2, 1)
    assert (broken["keys"], broken["sessions"]) == (4, 12)
    assert broken["kinds"] == [
        {"kind": "P:redownload", "evidence": 6, "identities": 3, "points": 60},
        {"kind": "P:cycle", "evidence": 1, "identities": 1, "points": 12},
    ]
    assert (faker["client"]["name"], faker["client"]["version"]) == ("Transmission", "4.0.5")
    assert (faker["identities"], faker["suspected"], faker["keys"], faker["sessions"]) == (1, 1, None, None)
    listed = await client.get("/api/v1/anomalies", headers=AUTHORIZED, params={"client": broken["client"]["prefix"]})
    assert len(listed.json()["items"]) == 3


async def test_counting_again_replaces_the_last_count_and_made_up_peer_ids_are_bounded(
    database: asyncpg.Connection, admin_settings: AdminSettings
) -> None:
    torrent = await add_torrent(database, "07" * 20)
    keys = [await add_key(database, f"key{number}") for number in range(40)]
    for number, key in enumerate(keys):
        await add_sessions(database, torrent, [key], SOUND + b"abcdefghijkl", 1)
        await add_sessions(database, torrent, [key], b"%08d" % number + b"abcdefghijkl", 1)
    for _ in range(2):
        await count(admin_settings, step_keys=5, most_clients=4)
        rows = await database.fetch("SELECT * FROM client_counts WHERE prefix <> '' ORDER BY key_count DESC")
        assert (bytes(rows[0]["prefix"]), rows[0]["key_count"], rows[0]["session_count"]) == (SOUND, 40, 40)
        assert len(rows) == 4


async def test_users_are_counted_in_the_background_at_most_once_an_hour(
    database: asyncpg.Connection, client: AsyncClient
) -> None:
    async def counted() -> bool:
        return (await show(client))["counted"] is not None

    await eventually(counted, "clients are counted")
