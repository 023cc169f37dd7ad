"""What announce publishes on which port, and whether its metrics are right."""

import asyncio

import pytest
from redis.asyncio import Redis

from etracker_shared.agreements import redis_keys
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.announce import Announcer, running_announcer
from tests.support.announce_ports import HASH, KEY, PEER


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/settings", "/docs", "/openapi.json", "/"])
async def test_the_announce_port_publishes_nothing_else(announcer: Announcer, path: str) -> None:
    head, body = await announcer.exchange(path)
    assert head.startswith(b"HTTP/1.1 404 ")
    assert body == b"Not Found"


async def test_healthz_on_the_announce_port_says_no_more_than_ok(announcer: Announcer) -> None:
    assert await announcer.get("/healthz") == b"ok"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/settings"])
async def test_health_metrics_and_settings_have_a_separate_port(announcer: Announcer, path: str) -> None:
    status, body = await announcer.observe(path)
    assert (status, bool(body)) == (200, True)


async def test_the_observation_port_answers_no_announces(announcer: Announcer) -> None:
    assert (await announcer.observe("/announce"))[0] == 404


async def test_the_size_of_the_fact_stream_is_measured(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings
) -> None:
    """Every metric with a documented alert has to change."""
    async with Redis.from_url(redis_settings.redis_url, password=redis_settings.redis.get_secret_value() or None) as it:
        await it.xadd(redis_keys.facts(0), {redis_keys.ENTRY_FIELD: bytes(10_000)})
    async with running_announcer(postgres_settings, redis_settings) as announcer:
        async with asyncio.timeout(10):
            while await metric(announcer, "etracker_announce_stream_bytes") < 10_000:  # noqa: ASYNC110 - polled
                await asyncio.sleep(0.05)


async def test_each_lookup_is_counted_once(announcer: Announcer) -> None:
    """Whether or not a cache has the answer; a torrent isn't looked up for an invalid key."""
    registered, stranger = KEY.decode(), "stranger"
    announcer.scoring.register(registered)
    keys = torrents = 0
    for key, info_hash in ((registered, HASH), (None, HASH), (stranger, HASH), (None, b"u" * 20)):
        for _ in range(3):
            await announcer.announce(key, info_hash, PEER)
            keys += 1
            torrents += key != stranger
            assert (await lookups_of(announcer, "tier"), await lookups_of(announcer, "allowlist")) == (keys, torrents)


async def lookups_of(announcer: Announcer, what: str) -> float:
    sources = {
        "tier": ("cache", "scoring", "stale", "provisional"),
        "allowlist": ("cache", "postgres", "stale", "unavailable"),
    }[what]
    names = [f'etracker_announce_{what}_lookups_total{{source="{source}"}}' for source in sources]
    return sum([await metric(announcer, name) for name in names])


async def metric(announcer: Announcer, name: str) -> float:
    _, text = await announcer.observe("/metrics")
    return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"{name} "))
