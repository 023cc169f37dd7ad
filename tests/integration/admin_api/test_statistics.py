import asyncio
from contextlib import AsyncExitStack

import asyncpg
from httpx import AsyncClient
from redis import Redis

from etracker_admin_api.settings import AdminSettings
from etracker_admin_api.statistics.torrent_counts import MAX_DIFFERENCES
from etracker_admin_api.torrents.store import STREAM_ROWS
from etracker_shared.agreements.redis_keys import ALL_TOTALS
from tests.support.admin_api import AUTHORIZED, serving
from tests.support.redis import RedisServer
from tests.support.waiting import eventually


async def hashcount(client: AsyncClient) -> int:
    return int((await client.get("/api/stats")).json()["hashcount"])


async def test_live_counts_are_the_sum_of_all_tags(client: AsyncClient, shared_redis: RedisServer) -> None:
    with Redis(port=shared_redis.port) as redis:
        for position, key in enumerate(ALL_TOTALS):
            redis.hset(key, mapping={"s": position, "l": 1, "w": 1})
    stats = (await client.get("/api/stats")).json()
    assert stats == {"hashcount": 0, "seeders": sum(range(256)), "leechers": 256}


async def test_a_torrent_that_an_operator_inserts_is_counted_within_a_second(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    async def counted() -> bool:
        return await hashcount(client) == 1

    assert await hashcount(client) == 0
    await database.execute("INSERT INTO infohashes (info_hash, name) VALUES (decode(repeat('ab', 20), 'hex'), 'x')")
    await eventually(counted, "it is counted", seconds=2)


async def test_ones_own_change_is_counted_at_once(client: AsyncClient) -> None:
    for number in range(5):
        assert await hashcount(client) == number
        body = {"info_hash": bytes([number] * 20).hex(), "name": "x"}
        await client.post("/api/infohash", headers=AUTHORIZED, json=body)


async def test_replicas_that_put_differences_together_at_once_lose_none(
    admin_settings: AdminSettings, database: asyncpg.Connection
) -> None:
    torrents = MAX_DIFFERENCES + 50
    one = "INSERT INTO infohashes (info_hash) VALUES ($1)"
    async with AsyncExitStack() as running:
        replicas = [await running.enter_async_context(serving(admin_settings)) for _ in range(4)]
        await database.executemany(one, [(number.to_bytes(20),) for number in range(torrents)])
        assert await asyncio.gather(*map(hashcount, replicas)) == [torrents] * 4
    assert await database.fetchval("SELECT sum(torrents) FROM torrent_counts") == torrents
    assert await database.fetchval("SELECT count(*) FROM torrent_counts") < 5


async def test_the_list_holds_every_torrent_once_whatever_its_name(
    client: AsyncClient, database: asyncpg.Connection
) -> None:
    rows = 2 * STREAM_ROWS + 1
    await database.execute(
        "INSERT INTO infohashes (info_hash, name, downloaded) "
        """SELECT substring(sha256(n::text::bytea) FOR 20), '"\\</script>日' || chr(10) || n, n """
        "FROM generate_series(1, $1::int) AS n",
        rows,
    )
    listed = (await client.get("/api/infohashes")).json()
    assert [row["downloaded"] for row in listed] == list(range(1, rows + 1))
    assert listed[0]["name"] == '"\\</script>日\n1'
    assert len({row["info_hash"] for row in listed}) == rows
