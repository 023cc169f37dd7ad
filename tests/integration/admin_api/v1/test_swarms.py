"""The peers of a swarm, as announce's own steps leave them in Redis."""

from collections.abc import AsyncIterator
from ipaddress import ip_address
from typing import Any

import asyncpg
import pytest
from httpx import AsyncClient
from redis.asyncio import Redis

from etracker_admin_api.settings import AdminSettings
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.peer_records import LAYOUT, PeerFlag
from etracker_shared.language.identity import InfoHash, hash_announce_key, hash_guest
from tests.support.admin_api import AUTHORIZED

FILM = InfoHash(bytes(range(20)))
PATH = f"/api/v1/infohashes/{FILM.hex()}/peers"


def record(identity: bytes, **changes: Any) -> bytes:
    fields = {
        "identity": identity[:8],
        "pair_hash": 1,
        "left_or_age": 0,
        "peer_id": b"-qB4520-abcdefghijkl",
        "first_seen": 1_700_000_000,
        "seen4": 1_700_000_100,
        "seen6": 0,
        "tier": 3,
        "flags": PeerFlag.NONE,
        "endpoint4": ip_address("198.51.100.7").packed + (6881).to_bytes(2, "big"),
        "endpoint6": bytes(18),
    }
    return LAYOUT.pack(*{**fields, **changes}.values())


@pytest.fixture
async def swarm(admin_settings: AdminSettings, database: asyncpg.Connection) -> AsyncIterator[Redis]:
    await database.execute("INSERT INTO infohashes (info_hash, name) VALUES ($1, 'film')", FILM)
    await database.execute("INSERT INTO peers (id, announce_key) VALUES (7, 'alice')")
    client: Redis = Redis.from_url(admin_settings.redis_url)
    yield client
    await client.aclose()


async def put(client: Redis, seeders: list[bytes], leechers: list[bytes], partial: int = 0) -> None:
    counts = b"".join(number.to_bytes(4, "little") for number in (len(seeders), len(leechers), partial, 0))
    slack = record(b"slack000")
    await client.hset(redis_keys.members(FILM), mapping={redis_keys.COUNTS_FIELD: counts})
    await client.set(redis_keys.seeders(FILM), b"".join([*seeders, slack]))
    await client.set(redis_keys.leechers(FILM), b"".join([*leechers, slack]))


async def test_operators_see_who_is_in_a_swarm(client: AsyncClient, swarm: Redis) -> None:
    v6 = ip_address("2001:db8::7").packed + (6882).to_bytes(2, "big")
    guest = record(
        hash_guest(b"g" * 20, b"secret"),
        seen4=0,
        seen6=1_700_000_200,
        endpoint6=v6,
        flags=PeerFlag.GUEST | PeerFlag.UNREACHABLE,
        peer_id=b"\x00\xffM7-9-0--<b>" + bytes(8),
    )
    seeder = record(hash_announce_key("alice"), flags=PeerFlag.SEEDER, seen6=1_700_000_200, endpoint6=v6)
    await put(swarm, [seeder], [guest])
    response = await client.get(PATH, headers=AUTHORIZED)
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()
    assert (answer["seeders"], answer["leechers"], answer["truncated"]) == (1, 1, False)
    assert answer["items"][0] == {
        "address": "198.51.100.7",
        "address6": "2001:db8::7",
        "port": 6881,
        "port6": 6882,
        "seeder": True,
        "partial": False,
        "tier": 3,
        "guest": False,
        "reachable": True,
        "client": "-qB4520-",
        "key_id": 7,
        "first_seen": "2023-11-14T22:13:20Z",
        "last_seen": "2023-11-14T22:16:40Z",
    }
    shown = answer["items"][1]
    assert (shown["address"], shown["address6"], shown["port"]) == ("2001:db8::7", "2001:db8::7", 6882)
    assert (shown["guest"], shown["reachable"], shown["key_id"], shown["client"]) == (True, False, None, "..M7-9-0")


async def test_of_a_large_swarm_a_bounded_part_is_read(client: AsyncClient, swarm: Redis) -> None:
    some = [record(number.to_bytes(8, "big")) for number in range(300)]
    await put(swarm, some, some[:5])
    answer = (await client.get(PATH, headers=AUTHORIZED, params={"limit": 20})).json()
    assert (len(answer["items"]), answer["truncated"], answer["seeders"], answer["leechers"]) == (20, True, 300, 5)
    assert (await client.get(PATH, headers=AUTHORIZED, params={"limit": 1001})).status_code == 400


async def test_a_torrent_without_peers_has_an_empty_swarm(client: AsyncClient, swarm: Redis) -> None:
    empty = {"items": [], "seeders": 0, "leechers": 0, "truncated": False}
    assert (await client.get(PATH, headers=AUTHORIZED)).json() == empty
    assert (await client.get(PATH.replace("0001", "ffff"), headers=AUTHORIZED)).status_code == 404
