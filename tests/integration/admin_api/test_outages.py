"""What callers see while Postgres or Redis is away, and that everything comes back by itself."""

import time

import psutil
from httpx import AsyncClient, Response
from pydantic import SecretStr

from etracker_admin_api.settings import AdminSettings
from etracker_shared.plumbing.settings import RedisSettings
from tests.support.admin_api import API_KEY, AUTHORIZED, serving
from tests.support.postgres import PostgresServer
from tests.support.processes import living
from tests.support.redis import RedisServer
from tests.support.torrent_files import torrent, v1_info
from tests.support.waiting import eventually

INFO_HASH = {"info_hash": "AAECAwQFBgcICQoLDA0ODxAREhM=", "name": "x"}


def settings_of(postgres: PostgresServer, redis_settings: RedisSettings) -> AdminSettings:
    return AdminSettings(
        **postgres.settings("migrated").model_dump(), **redis_settings.model_dump(), authorization=SecretStr(API_KEY)
    )


async def everything(client: AsyncClient) -> list[Response]:
    query = {"announce_key": "0" * 30, "info_hash": "00" * 20}
    return [
        await client.get("/api/infohashes"),
        await client.get("/api/generate"),
        await client.get("/api/torrentfile", params=query),
        await client.post("/api/infohash", headers=AUTHORIZED, json=INFO_HASH),
        await client.request("DELETE", "/api/infohash", headers=AUTHORIZED, json=INFO_HASH),
        await client.post("/api/torrentfile", headers=AUTHORIZED, files={"file": torrent(v1_info())}),
    ]


async def answers(client: AsyncClient, path: str, status: int) -> bool:
    return (await client.get(path)).status_code == status


async def test_postgres_killed_gives_503_at_once_and_recovers(
    dedicated_postgres: PostgresServer, redis_settings: RedisSettings
) -> None:
    async with serving(settings_of(dedicated_postgres, redis_settings)) as client:
        assert {response.status_code for response in await everything(client)} == {200, 201, 403}
        dedicated_postgres.kill()
        start = time.monotonic()
        for response in await everything(client):
            assert response.status_code == 503
            said = "The database isn't responding. Announces still work; try again in a moment."
            assert response.json()["message"] == said
            assert response.headers["retry-after"] == "5"
        assert time.monotonic() - start < 6
        await eventually(lambda: answers(client, "/api/stats", 503), "statistics notice")
        assert await answers(client, "/readyz", 503)
        for path in ("/healthz", "/metrics"):
            assert await answers(client, path, 200)
        dedicated_postgres.start()
        await eventually(lambda: answers(client, "/api/stats", 200), "statistics come back")
        assert {response.status_code for response in await everything(client)} == {200, 201, 403}


async def test_postgres_frozen_gives_503_within_seconds(
    dedicated_postgres: PostgresServer, redis_settings: RedisSettings
) -> None:
    async with serving(settings_of(dedicated_postgres, redis_settings)) as client:
        assert await answers(client, "/api/generate", 200)
        postmaster = psutil.Process(dedicated_postgres.pid)
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            with living():
                process.suspend()
        try:
            start = time.monotonic()
            assert await answers(client, "/api/generate", 503)
            assert time.monotonic() - start < 5
        finally:
            for process in processes:
                with living():
                    process.resume()
        await eventually(lambda: answers(client, "/api/generate", 200), "keys are generated again")


async def test_it_starts_while_everything_is_down(
    dedicated_postgres: PostgresServer, dedicated_redis: RedisServer
) -> None:
    dedicated_postgres.kill()
    dedicated_redis.kill()
    async with serving(settings_of(dedicated_postgres, dedicated_redis.settings())) as client:
        assert await answers(client, "/api/stats", 503)
        dedicated_postgres.start()
        await eventually(lambda: answers(client, "/api/stats", 200), "statistics are there")


async def test_redis_down_leaves_everything_working_with_stale_counts(
    dedicated_redis: RedisServer, admin_settings: AdminSettings
) -> None:
    settings = admin_settings.model_copy(update=dedicated_redis.settings().model_dump(include={"redis_url"}))
    async with serving(settings) as client:
        assert (await client.get("/api/stats")).json() == {"hashcount": 0, "seeders": 0, "leechers": 0}
        dedicated_redis.kill()
        await eventually(lambda: is_stale(client, stale=True), "statistics are stale")
        assert {response.status_code for response in await everything(client)} == {200, 201, 403}
        assert await answers(client, "/readyz", 200)
        assert (await client.get("/api/v1/stats")).json()["announces_fail"] is True
        [first, *_] = (await client.get("/api/v1/system", headers=AUTHORIZED)).json()["parts"]
        assert (first["name"], first["status"]) == ("redis", "down")
        dedicated_redis.start()
        await eventually(lambda: is_stale(client, stale=False), "statistics are live")


async def test_the_limit_of_keys_holds_while_redis_is_down(
    dedicated_redis: RedisServer, admin_settings: AdminSettings
) -> None:
    changes = {**dedicated_redis.settings().model_dump(include={"redis_url"}), "key_limit": "2/hour"}
    async with serving(admin_settings.model_copy(update=changes)) as client:
        dedicated_redis.kill()
        statuses = [(await client.get("/api/generate")).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]


async def is_stale(client: AsyncClient, *, stale: bool) -> bool:
    answer = (await client.get("/api/stats")).json()
    return ("stale" in answer) == stale
