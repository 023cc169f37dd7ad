"""A hybrid torrent is one torrent to people: whatever shows its peers counts both swarms, and a client in both once."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient
from pydantic import SecretStr
from redis.asyncio import Redis

from etracker_admin_api.settings import AdminSettings
from etracker_shared.agreements import redis_keys
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.admin_api import API_KEY, AUTHORIZED, serving
from tests.support.announce import Announcer, running_announcer
from tests.support.scoring import StartWorker
from tests.support.torrents import Version, info_hash_v1, info_hash_v2, make_content, make_torrent
from tests.support.waiting import eventually

FIRST, SECOND = bytes(range(20)), bytes(range(100, 120))
KEYS = ("a" * 30, "b" * 30)
CLIENTS = (b"-qB5000-aaaaaaaaaaaa", b"-qB5000-bbbbbbbbbbbb")
ENDS = {"left": 0, "event": "stopped"}


@pytest.fixture
async def announcer(postgres_settings: PostgresSettings, redis_settings: RedisSettings) -> AsyncIterator[Announcer]:
    async with running_announcer(postgres_settings, redis_settings) as running:
        for key in KEYS:
            running.scoring.register(key)
        yield running


@pytest.fixture
async def hybrid(announcer: Announcer) -> Announcer:
    await announcer.sql("INSERT INTO infohashes (id, info_hash) VALUES (1001, $1)", [(FIRST,)])
    await announcer.sql("INSERT INTO infohashes (info_hash, same_as) VALUES ($1, 1001)", [(SECOND,)])
    return announcer


@pytest.fixture
async def api(postgres_settings: PostgresSettings, redis_settings: RedisSettings) -> AsyncIterator[AsyncClient]:
    settings = AdminSettings(
        **postgres_settings.model_dump(), **redis_settings.model_dump(), authorization=SecretStr(API_KEY)
    )
    async with serving(settings) as client:
        yield client


async def shown(api: AsyncClient, info_hash: bytes) -> list[tuple[int, int]]:
    """Return seeders and leechers as each place shows them, and check that its health fits."""
    page = (await api.get(f"/api/v1/infohashes/{info_hash.hex()}")).json()
    (listed,) = (await api.get("/api/v1/infohashes")).json()["items"]
    (original,) = (await api.get("/api/infohashes")).json()
    old, new = (await api.get("/api/stats")).json(), (await api.get("/api/v1/stats")).json()
    for one in (page, listed):
        seeders, leechers = one["seeders"], one["leechers"]
        expected = "healthy" if seeders >= 3 else "weak" if seeders else "unseeded" if leechers else "idle"
        assert one["health"] == expected
    places: tuple[dict[str, Any], ...] = (page, listed, original, old, new)
    return [(place["seeders"], place["leechers"]) for place in places]


async def expect(api: AsyncClient, seeders: int, leechers: int, info_hash: bytes = FIRST) -> None:
    async def everywhere() -> bool:
        return set(await shown(api, info_hash)) == {(seeders, leechers)}

    try:
        await eventually(everywhere, "every place shows it")
    except TimeoutError:
        raise AssertionError(f"{await shown(api, info_hash)}, not {seeders} and {leechers}") from None


async def test_one_client_in_both_swarms_is_one_peer(
    hybrid: Announcer, api: AsyncClient, start_worker: StartWorker, redis_client: Redis
) -> None:
    await start_worker()
    for info_hash in (FIRST, SECOND):
        await hybrid.announce(KEYS[0], info_hash, CLIENTS[0], left=0, event="started")
        await hybrid.announce(KEYS[1], info_hash, CLIENTS[1], port=6882)
    await expect(api, seeders=1, leechers=1)
    await expect(api, seeders=1, leechers=1, info_hash=SECOND)
    await hybrid.announce(KEYS[0], FIRST, CLIENTS[0], **ENDS)
    await expect(api, seeders=1, leechers=1)
    await hybrid.announce(KEYS[0], SECOND, CLIENTS[0], **ENDS)
    await expect(api, seeders=0, leechers=1)
    await hybrid.announce(KEYS[1], FIRST, CLIENTS[1], port=6882, **ENDS)
    await hybrid.announce(KEYS[1], SECOND, CLIENTS[1], port=6882, **ENDS)
    await expect(api, seeders=0, leechers=0)
    assert await redis_client.hgetall(redis_keys.TWICE) == {b"s": b"0", b"l": b"0"}


@pytest.mark.parametrize("keys", [KEYS, (KEYS[0], KEYS[0])], ids=["two keys", "one key"])
async def test_two_clients_with_a_swarm_each_are_two_peers(
    hybrid: Announcer, api: AsyncClient, start_worker: StartWorker, keys: tuple[str, str]
) -> None:
    await start_worker()
    await hybrid.announce(keys[0], FIRST, CLIENTS[0], left=0)
    await hybrid.announce(keys[1], SECOND, CLIENTS[1], left=0, port=6882)
    await expect(api, seeders=2, leechers=0)


async def test_guests_count_likewise(hybrid: Announcer, api: AsyncClient, start_worker: StartWorker) -> None:
    await start_worker()
    for info_hash in (FIRST, SECOND):
        await hybrid.announce(None, info_hash, CLIENTS[0], left=0)
    for number in range(2):
        await hybrid.announce(None, SECOND, b"-qB5000-%012d" % number, left=0, port=7000 + number)
    await expect(api, seeders=3, leechers=0)


async def test_a_client_with_a_peer_id_per_swarm_is_one_peer(
    hybrid: Announcer, api: AsyncClient, start_worker: StartWorker
) -> None:
    await start_worker()
    for info_hash, peer_id in zip((FIRST, SECOND), CLIENTS, strict=True):
        await hybrid.announce(KEYS[0], info_hash, peer_id, left=0)
    await expect(api, seeders=1, leechers=0)


async def test_torrents_that_turn_out_to_be_one_are_counted_together(
    announcer: Announcer, api: AsyncClient, start_worker: StartWorker, tmp_path: Path
) -> None:
    """No swarm changes when somebody uploads the file that says so."""
    torrent = make_torrent(make_content(tmp_path / "content", 40_000), version=Version.HYBRID)
    first, second = info_hash_v1(torrent), info_hash_v2(torrent)[:20]
    await start_worker()
    await announcer.track(first, second)
    for info_hash in (first, second):
        await announcer.announce(KEYS[0], info_hash, CLIENTS[0], left=0)
    await announcer.announce(KEYS[1], second, CLIENTS[1], left=0, port=6882)

    async def counted() -> bool:
        items = (await api.get("/api/v1/infohashes")).json()["items"]
        return sorted(item["seeders"] for item in items) == [1, 2]

    await eventually(counted, "both are counted as torrents of their own")
    uploaded = await api.post("/api/torrentfile", files={"file": ("a.torrent", torrent)}, headers=AUTHORIZED)
    assert uploaded.status_code in {200, 201}, uploaded.text
    await expect(api, seeders=2, leechers=0, info_hash=first)


async def test_what_was_counted_twice_goes_with_the_torrent(
    hybrid: Announcer, api: AsyncClient, start_worker: StartWorker, redis_client: Redis
) -> None:
    await start_worker()
    for info_hash in (FIRST, SECOND):
        await hybrid.announce(KEYS[0], info_hash, CLIENTS[0], left=0)
    await expect(api, seeders=1, leechers=0)
    await hybrid.sql("UPDATE infohashes SET same_as = NULL")
    for info_hash in (FIRST, SECOND):
        await hybrid.announce(KEYS[1], info_hash, CLIENTS[1], port=6882)

    async def forgotten() -> bool:
        return await redis_client.hgetall(redis_keys.TWICE) == {b"s": b"0", b"l": b"0"}

    await eventually(forgotten, "nothing counts twice any more")
