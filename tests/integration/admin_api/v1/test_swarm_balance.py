"""The balance of a swarm: the chart behind an accusation."""

from datetime import datetime
from typing import Any

import asyncpg
import pytest
from httpx import AsyncClient

from etracker_shared.agreements.anomalies import BLOCK_SECONDS, TRAFFIC_SLOTS, WINDOW_BLOCKS, Kind
from tests.support.admin_api import AUTHORIZED
from tests.support.anomalies import NOW_BLOCK, add_anomaly, add_evidence, add_key, add_torrent

INFO_HASH, OTHER = "07" * 20, "08" * 20
GUEST = bytes(range(16))
ONSET = NOW_BLOCK - 6


async def balance(client: AsyncClient, anomaly: int, info_hash: str = INFO_HASH, status: int = 200) -> Any:
    path = f"/api/v1/anomalies/{anomaly}/balance"
    response = await client.get(path, headers=AUTHORIZED, params={"info_hash": info_hash})
    assert response.status_code == status, response.text
    return response.json()


def start(block: int) -> float:
    return block * BLOCK_SECONDS


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def add_balance(database: asyncpg.Connection, torrent: int, block: int, cusum: float = 0.0) -> None:
    insert = "INSERT INTO swarm_blocks VALUES ($1, $2, 900, 300, 50.5, $3, $4, 1)"
    await database.execute(insert, torrent, block, cusum, ONSET if cusum else None)


async def add_traffic(database: asyncpg.Connection, torrent: int, block: int, identity: bytes, uploaded: int) -> None:
    slot = block // 12 % TRAFFIC_SLOTS
    insert = "INSERT INTO traffic_blocks VALUES ($1, $2, $3, $4, $5, 5, 3)"
    await database.execute(insert, slot, block, torrent, identity, uploaded)


async def add_session(
    database: asyncpg.Connection, key: int | None, torrent: int, last_block: int, *, seeded: int, peer_id: bytes
) -> None:
    insert = """
        INSERT INTO announces (key_id, info_hash_id, peer_id, last_seen, present, seeded)
        VALUES ($1, $2, $3, to_timestamp($4), $5, $5)
    """
    await database.execute(insert, key, torrent, peer_id, start(last_block) + 7000, seeded)


@pytest.fixture
async def torrent(database: asyncpg.Connection) -> int:
    torrent = await add_torrent(database, INFO_HASH)
    for block in range(NOW_BLOCK - 60, NOW_BLOCK + 1):
        await add_balance(database, torrent, block, 100.0 * (block - ONSET) if block > ONSET else 0.0)
    return torrent


async def test_the_onset_the_accused_and_the_witnesses_are_shown(
    client: AsyncClient, database: asyncpg.Connection, torrent: int
) -> None:
    keys = [await add_key(database, f"key{number}") for number in range(5)]
    accused = await add_anomaly(database, keys[0])
    guest = await add_anomaly(database, guest=GUEST)
    for one in (accused, guest):
        await add_evidence(database, one, torrent, Kind.SWARM_UPLOAD, blocks=(ONSET, NOW_BLOCK))
    for block in (ONSET - 40, ONSET, NOW_BLOCK):
        await add_traffic(database, torrent, block, keys[0].to_bytes(8, "big"), 600)
    await add_traffic(database, torrent, ONSET + 1, GUEST, 70)
    await add_traffic(database, torrent, ONSET, keys[1].to_bytes(8, "big"), 1)
    await add_session(
        database, keys[0], torrent, NOW_BLOCK, seeded=-1, peer_id=b"a" * 20
    )  # the accused itself, in all 64 blocks
    await add_session(database, keys[1], torrent, NOW_BLOCK, seeded=-1, peer_id=b"b" * 20)
    await add_session(database, keys[1], torrent, NOW_BLOCK, seeded=0b1, peer_id=b"c" * 20)  # of the same key
    await add_session(database, keys[2], torrent, NOW_BLOCK - 2, seeded=0b11, peer_id=b"d" * 20)
    await add_session(database, None, torrent, NOW_BLOCK, seeded=0b101, peer_id=bytes(16))
    shown = await balance(client, accused)
    assert [seconds(block["start"]) for block in shown["blocks"]] == [
        start(block) for block in range(NOW_BLOCK - WINDOW_BLOCKS + 1, NOW_BLOCK + 1)
    ]
    assert seconds(shown["onset"]) == start(ONSET)
    last, before = shown["blocks"][-1], shown["blocks"][-1 - (NOW_BLOCK - ONSET)]
    assert (last["uploaded"], last["received"], last["noise"], last["trusted"]) == (900, 300, 50.5, True)
    assert (last["cusum"], seconds(last["onset"])) == (600, start(ONSET))
    assert (before["cusum"], before["onset"]) == (0, None)
    assert [block["witnesses"] for block in shown["blocks"][-5:]] == [1, 2, 3, 1, 2]
    assert shown["torrent"] == {"info_hash": INFO_HASH, "name": "a film"}
    assert [(one["key_id"], one["blocks"]) for one in shown["witnesses"]] == [(keys[1], 7), (keys[2], 2), (None, 2)]
    assert shown["witnesses"][2]["key_hash"] == bytes(16).hex()
    first, second = shown["accused"]
    assert (first["anomaly_id"], first["key_id"]) == (accused, keys[0])
    assert [(seconds(one["start"]), one["uploaded"]) for one in first["blocks"]] == [
        (start(block), 600) for block in (ONSET - 40, ONSET, NOW_BLOCK)
    ]
    assert first["blocks"][0] | {"received": 5, "dropped": 3} == first["blocks"][0]
    assert (second["key_id"], second["key_hash"], len(second["blocks"])) == (None, GUEST.hex(), 1)


async def test_an_old_accusation_is_shown_where_it_happened(
    client: AsyncClient, database: asyncpg.Connection, torrent: int
) -> None:
    anomaly = await add_anomaly(database, guest=GUEST)
    await add_evidence(database, anomaly, torrent, Kind.SWARM_SINK, blocks=(NOW_BLOCK - 50, NOW_BLOCK - 40))
    assert seconds((await balance(client, anomaly))["blocks"][-1]["start"]) == start(NOW_BLOCK - 36)


async def test_a_torrent_without_a_balance_has_no_blocks(client: AsyncClient, database: asyncpg.Connection) -> None:
    anomaly = await add_anomaly(database, guest=GUEST)
    await add_evidence(database, anomaly, await add_torrent(database, OTHER), Kind.FLOOD)
    shown = await balance(client, anomaly, OTHER.upper())
    assert (shown["blocks"], shown["onset"], shown["size"], shown["private"]) == ([], None, None, None)


async def test_only_a_torrent_with_evidence_has_a_chart(
    client: AsyncClient, database: asyncpg.Connection, torrent: int
) -> None:
    anomaly = await add_anomaly(database, guest=GUEST)
    await balance(client, anomaly, status=404)
    await balance(client, anomaly, OTHER, 404)
    await balance(client, anomaly + 1, status=404)
    await balance(client, anomaly, "nonsense", 400)
