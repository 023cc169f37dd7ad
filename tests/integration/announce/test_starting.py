"""A replica that has just started refuses nobody: it listens once it knows what it needs to answer."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from etracker_announce.app import serving
from etracker_announce.settings import AnnounceSettings
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.announce import ON_FREE_PORTS, Announcer, SteeredScoring
from tests.support.postgres import connect

KEY = "0123456789abcdef0123456789abcd"
INFO_HASH = bytes(range(20))
PEER = b"-TR3000-aaaaaaaaaaaa"
NOWHERE = "http://127.0.0.1:1"


def on(postgres: PostgresSettings, redis: RedisSettings) -> AnnounceSettings:
    """Make the settings of a service that no scoring answers: keys are then registered until the opposite is known."""
    parts = postgres.model_dump() | redis.model_dump() | ON_FREE_PORTS
    return AnnounceSettings.model_validate(parts | {"scoring_url": NOWHERE, "detection": "enforce"})


@pytest.mark.parametrize("table", ["secrets", "bans", "anomalies"])
async def test_the_first_announce_of_a_replica_is_answered_however_slowly_postgres_tells_what_it_needs(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings, table: str
) -> None:
    settings = on(postgres_settings, redis_settings)
    async with AsyncExitStack() as stack:
        connection = await connect(postgres_settings)
        stack.push_async_callback(connection.close)
        await connection.execute("INSERT INTO infohashes (info_hash) VALUES ($1)", INFO_HASH)
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            starting = asyncio.create_task(stack.enter_async_context(serving(settings, linger_seconds=0)))
            listens, _ = await asyncio.wait({starting}, timeout=1.0)
            assert not listens
        announcer = Announcer(await starting, SteeredScoring(), postgres_settings, settings)
        assert b"failure reason" not in await announcer.announce(KEY, INFO_HASH, PEER)


async def test_clients_are_told_to_come_back_if_postgres_tells_nothing_for_long(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings
) -> None:
    settings = on(postgres_settings, redis_settings)
    connection = await connect(postgres_settings)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE bans IN ACCESS EXCLUSIVE MODE")
            async with serving(settings, linger_seconds=0, loading_seconds=0.3) as ports:
                announcer = Announcer(ports, SteeredScoring(), postgres_settings, settings)
                reply = await announcer.announce(KEY, INFO_HASH, PEER)
        assert b"just starting" in reply[b"failure reason"]
    finally:
        await connection.close()
