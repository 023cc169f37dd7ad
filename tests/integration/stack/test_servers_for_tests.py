"""The servers that tests use behave as tests expect."""

import redis

from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.postgres import PostgresServer, connect
from tests.support.redis import RedisServer


async def _count(settings: PostgresSettings) -> int:
    connection = await connect(settings)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM infohashes"))
    finally:
        await connection.close()


async def test_a_test_gets_a_migrated_empty_database(postgres_settings: PostgresSettings) -> None:
    assert await _count(postgres_settings) == 0


def test_a_test_gets_an_empty_redis(redis_settings: RedisSettings) -> None:
    with redis.Redis.from_url(redis_settings.redis_url) as client:
        assert client.dbsize() == 0


async def test_a_dedicated_postgres_comes_back_after_a_kill(dedicated_postgres: PostgresServer) -> None:
    dedicated_postgres.kill()
    dedicated_postgres.start()
    assert await _count(dedicated_postgres.settings("migrated")) == 0


def test_a_dedicated_redis_keeps_its_data_over_a_restart(dedicated_redis: RedisServer) -> None:
    with redis.Redis(port=dedicated_redis.port) as client:
        client.set("kept", "yes")
        dedicated_redis.stop()
        dedicated_redis.start()
        assert client.get("kept") == b"yes"
