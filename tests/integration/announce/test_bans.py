"""Bans in Postgres are honoured within a second of every change, whatever happens to the connection."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import pytest

from etracker_announce.domain.errors import Reason
from etracker_announce.frontends.http.failures import TEXTS
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.announce import Announcer, running_announcer
from tests.support.postgres import PostgresServer

KEY = "0123456789abcdef0123456789abcd"
INFO_HASH = bytes(range(20))
PEER = b"-TR3000-aaaaaaaaaaaa"
OTHER_PEER = b"-qB4650-bbbbbbbbbbbb"
BANNED, FREE = "203.0.113.9", "198.51.100.7"

Reply = dict[bytes, Any]


async def becomes(ask: Callable[[], Awaitable[Reply]], reason: Reason | None, seconds: float = 1.0) -> Reply:
    """Ask until the answer is this refusal, or no refusal if it is None; fail after ``seconds``."""
    wanted = TEXTS[reason].encode() if reason else None
    started = time.monotonic()
    while (reply := await ask()).get(b"failure reason") != wanted:
        assert time.monotonic() - started < seconds, reply
        await asyncio.sleep(0.02)
    return reply


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("network", "203.0.113.0/24", Reason.BANNED_NETWORK),
        ("network", "2001:db8:7::/48", Reason.BANNED_NETWORK),
        ("peer_id_prefix", r"\x2d5452", Reason.BANNED_CLIENT),
        ("info_hash", rf"\x{INFO_HASH.hex()}", Reason.BANNED_TORRENT),
    ],
)
async def test_every_replica_honours_each_change_of_a_ban_within_a_second(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings, column: str, value: str, reason: Reason
) -> None:
    source = "2001:db8:7::1" if ":" in value else BANNED
    async with AsyncExitStack() as stack:
        replicas = [
            await stack.enter_async_context(running_announcer(postgres_settings, redis_settings)) for _ in range(2)
        ]
        await replicas[0].track(INFO_HASH)

        async def all_become(expected: Reason | None) -> None:
            asks = [lambda one=one: one.announce(None, INFO_HASH, PEER, source=source) for one in replicas]
            await asyncio.gather(*(becomes(ask, expected) for ask in asks))

        sql = replicas[0].sql
        await all_become(None)
        await sql(f"INSERT INTO bans ({column}) VALUES ('{value}')")
        await all_become(reason)
        await sql("UPDATE bans SET expires_time = now() - interval '1 s'")
        await all_become(None)
        await sql("UPDATE bans SET expires_time = NULL")
        await all_become(reason)
        await sql("DELETE FROM bans")
        await all_become(None)
        await sql(f"INSERT INTO bans ({column}) VALUES ('{value}')")
        await all_become(reason)
        await sql("TRUNCATE bans")
        await all_become(None)


async def test_an_ipv6_socket_doesnt_hide_an_ipv4_address(announcer: Announcer) -> None:
    await announcer.sql("INSERT INTO bans (network) VALUES ('203.0.113.9')")
    await becomes(lambda: announcer.announce(KEY, INFO_HASH, PEER, source=f"::ffff:{BANNED}"), Reason.BANNED_NETWORK)


async def test_a_ban_expires_by_itself_while_postgres_is_down(
    dedicated_postgres: PostgresServer, redis_settings: RedisSettings
) -> None:
    async with running_announcer(dedicated_postgres.settings("migrated"), redis_settings) as announcer:
        await announcer.track(INFO_HASH)
        await announcer.sql(
            "INSERT INTO bans (network, expires_time) VALUES ('203.0.113.9', now() + interval '2 s'), ($1, NULL)",
            [("198.51.100.7",)],
        )

        def ask(source: str) -> Callable[[], Awaitable[Reply]]:
            return lambda: announcer.announce(None, INFO_HASH, PEER, source=source)

        await becomes(ask(BANNED), Reason.BANNED_NETWORK)
        await becomes(ask("192.0.2.5"), None)
        dedicated_postgres.kill()
        await becomes(ask(BANNED), None, seconds=3.0)
        await becomes(ask(FREE), Reason.BANNED_NETWORK)
        dedicated_postgres.start()
        dedicated_postgres.execute("DELETE FROM bans WHERE network = '198.51.100.7'", "migrated")
        await becomes(ask(FREE), None, seconds=3.0)


async def test_bans_are_in_effect_from_the_first_answer_on(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings, database: asyncpg.Connection
) -> None:
    await database.execute("INSERT INTO infohashes (info_hash) VALUES ($1)", INFO_HASH)
    await database.execute("INSERT INTO bans (network) VALUES ('203.0.113.0/24')")
    async with running_announcer(postgres_settings, redis_settings) as announcer:
        reply = await announcer.announce(None, INFO_HASH, PEER, source=BANNED)
        assert reply[b"failure reason"] == TEXTS[Reason.BANNED_NETWORK].encode()


async def test_changes_without_a_notification_are_found_after_a_reconnect(
    announcer: Announcer, database: asyncpg.Connection
) -> None:
    await becomes(lambda: announcer.announce(KEY, INFO_HASH, PEER, source=BANNED), None)
    await database.execute("ALTER TABLE bans DISABLE TRIGGER USER")
    await database.execute("INSERT INTO bans (network) VALUES ('203.0.113.9')")
    await database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'etracker-listener'"
    )
    ask = lambda: announcer.announce(KEY, INFO_HASH, PEER, source=BANNED)  # noqa: E731
    await becomes(ask, Reason.BANNED_NETWORK, seconds=3.0)


async def test_a_banned_peer_is_removed_from_lists_with_its_next_announce_whatever_its_event(
    announcer: Announcer,
) -> None:
    """The peer is banned while it is in a swarm, once as a guest and once with a key."""
    for key in (None, KEY):
        for event in (None, "stopped"):
            await announcer.announce(key, INFO_HASH, PEER, source=BANNED, left=0, port=7001)
            listed = await announcer.announce(None, INFO_HASH, OTHER_PEER, source=FREE)
            assert listed[b"peers"] == bytes([203, 0, 113, 9]) + (7001).to_bytes(2, "big")
            await announcer.sql("INSERT INTO bans (network) VALUES ('203.0.113.9')")
            await announcer_knows(announcer, 1)
            last = await announcer.announce(key, INFO_HASH, PEER, source=BANNED, left=0, port=7001, event=event)
            assert (b"failure reason" in last) == (event is None)
            listed = await announcer.announce(None, INFO_HASH, OTHER_PEER, source=FREE)
            assert (listed[b"peers"], listed[b"complete"]) == (b"", 0)
            await announcer.sql("DELETE FROM bans")
            await announcer_knows(announcer, 0)


async def announcer_knows(announcer: Announcer, bans: int) -> None:
    """Wait until the service knows this number of banned networks."""
    async with asyncio.timeout(1):
        expected = f'etracker_announce_bans{{kind="network"}} {bans}.0'
        while expected not in (await announcer.observe("/metrics"))[1]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_stopped_for_a_banned_untracked_torrent_succeeds_and_creates_nothing(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings, database: asyncpg.Connection
) -> None:
    await database.execute("INSERT INTO bans (info_hash) VALUES ($1)", INFO_HASH)
    async with running_announcer(postgres_settings, redis_settings, disable_allowlist=True) as announcer:
        for event in ("stopped", "started"):
            reply = await announcer.announce(None, INFO_HASH, PEER, event=event)
            assert (b"failure reason" in reply) == (event == "started")
        await announcer.sql("DELETE FROM bans")
        assert await announcer.scrape(None, INFO_HASH) == {b"files": {}, b"flags": {b"min_request_interval": 900}}


async def test_refusals_are_counted_by_kind_and_contain_no_address(announcer: Announcer) -> None:
    await announcer.sql("INSERT INTO bans (network) VALUES ('203.0.113.9')")
    await becomes(lambda: announcer.announce(KEY, INFO_HASH, PEER, source=BANNED), Reason.BANNED_NETWORK)
    _, metrics = await announcer.observe("/metrics")
    assert 'etracker_announce_answers_total{answer="banned_network",kind="announce"} 1.0' in metrics
    assert BANNED not in metrics


@pytest.mark.parametrize("number", [5_000, pytest.param(100_000, marks=pytest.mark.full)])
async def test_many_bans_are_loaded_while_announces_are_answered(
    announcer: Announcer, database: asyncpg.Connection, number: int
) -> None:
    insert = "INSERT INTO bans (network) SELECT ('45.' || n / 65536 || '.' || n / 256 % 256 || '.' || n % 256)::cidr"
    last = f"45.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    started = time.monotonic()
    await database.execute(f"{insert} FROM generate_series(1, {number}) n")
    inserted, slowest = time.monotonic(), 0.0
    while True:
        asked = time.monotonic()
        reply = await announcer.announce(KEY, INFO_HASH, PEER, source=last)
        slowest = max(slowest, time.monotonic() - asked)
        if b"failure reason" in reply:
            break
        assert asked < inserted + 10, "the bans are known"
    known = time.monotonic() - inserted
    figures = f"known {known:.2f} s after the commit, slowest announce {slowest * 1000:.0f} ms"
    sys.stdout.write(f"{number} bans: inserted in {inserted - started:.2f} s, {figures}\n")
    reply = await announcer.announce(KEY, INFO_HASH, PEER, source="46.0.0.1")
    assert b"failure reason" not in reply
    await announcer.sql("DELETE FROM bans WHERE network = '45.0.0.1'")
    await becomes(lambda: announcer.announce(KEY, INFO_HASH, PEER, source="45.0.0.1"), None)
