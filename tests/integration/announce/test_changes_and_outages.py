"""Allowlist and keys change within a second; what announce does when something is down."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Any

import pytest

from etracker_announce.app import serving
from etracker_announce.settings import AnnounceSettings
from etracker_shared.language.identity import address_prefix, hash_announce_key
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.announce import ON_FREE_PORTS, Announcer, SteeredScoring, running_announcer
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.waiting import eventually

KEY = "0123456789abcdef0123456789abcd"
NEW_KEY = "fedcba98765432100123456789abcd"
INFO_HASH = bytes(range(20))
NEW_HASH = b"n" * 20
PEER = b"-TR3000-aaaaaaaaaaaa"

Reply = dict[bytes, Any]


async def within(seconds: float, ask: Callable[[], Awaitable[Reply]], wanted: Callable[[Reply], bool]) -> Reply:
    """Ask until the reply is as wanted, at most that long."""
    started = time.monotonic()
    while True:
        reply = await ask()
        if wanted(reply):
            return reply
        assert time.monotonic() - started < seconds, reply
        await asyncio.sleep(0.02)


def answered(reply: Reply) -> bool:
    return b"failure reason" not in reply


def failed_with(text: bytes) -> Callable[[Reply], bool]:
    return lambda reply: text in reply.get(b"failure reason", b"")


async def test_a_torrent_is_tracked_within_a_second_of_its_insert_and_refused_after_its_deletion(
    announcer: Announcer,
) -> None:
    for _ in range(2):
        assert failed_with(b"Unregistered torrent")(await announcer.announce(KEY, NEW_HASH, PEER))
        await announcer.track(NEW_HASH)
        await within(1, lambda: announcer.announce(KEY, NEW_HASH, PEER), answered)
        await announcer.sql("DELETE FROM infohashes WHERE info_hash = $1", [(NEW_HASH,)])
        await within(1, lambda: announcer.announce(KEY, NEW_HASH, PEER), failed_with(b"Unregistered torrent"))


async def test_a_key_is_known_within_a_second_of_its_insert_and_refused_after_its_deletion(
    announcer: Announcer,
) -> None:
    for _ in range(2):
        assert failed_with(b"Invalid announce key")(await announcer.announce(NEW_KEY, INFO_HASH, PEER))
        announcer.scoring.register(NEW_KEY)
        await announcer.sql("INSERT INTO peers (announce_key) VALUES ($1)", [(NEW_KEY,)])
        await within(1, lambda: announcer.announce(NEW_KEY, INFO_HASH, PEER), answered)
        announcer.scoring.forget(NEW_KEY)
        await announcer.sql("DELETE FROM peers WHERE announce_key = $1", [(NEW_KEY,)])
        await within(1, lambda: announcer.announce(NEW_KEY, INFO_HASH, PEER), failed_with(b"Invalid announce key"))


@pytest.mark.promise(26)
async def test_a_hybrid_torrents_other_hash_has_the_statistics_of_the_first(announcer: Announcer) -> None:
    """BEP 52."""
    await announcer.sql("UPDATE infohashes SET downloaded = 5, length = 1000 WHERE info_hash = $1", [(INFO_HASH,)])
    await announcer.sql(
        "INSERT INTO infohashes (info_hash, same_as) SELECT $1, id FROM infohashes WHERE info_hash = $2",
        [(NEW_HASH, INFO_HASH)],
    )
    reply = await within(1, lambda: announcer.announce(KEY, NEW_HASH, PEER), answered)
    assert reply[b"downloaded"] == 5


async def test_answers_are_remembered(announcer: Announcer) -> None:
    await asyncio.sleep(1.1)  # after the listener's start an answer is trusted for a second only
    for _ in range(5):
        await announcer.announce(KEY, INFO_HASH, PEER)
    assert len(announcer.scoring.questions) == 1
    _, metrics = await announcer.observe("/metrics")
    assert 'etracker_announce_tier_lookups_total{source="cache"} 4.0' in metrics
    assert 'etracker_announce_allowlist_lookups_total{source="cache"} 4.0' in metrics
    assert 'etracker_announce_allowlist_lookups_total{source="postgres"} 1.0' in metrics


async def test_scoring_is_told_where_an_asker_announces_from(announcer: Announcer) -> None:
    await announcer.announce(KEY, INFO_HASH, PEER, source="203.0.113.9")
    await announcer.announce(None, INFO_HASH, PEER)
    prefix = address_prefix(ip_address("203.0.113.9"))
    assert announcer.scoring.prefixes == {hash_announce_key(KEY).hex(): prefix.hex()}


async def lookups(announcer: Announcer, source: str) -> float:
    """Return how many tiers came from a source."""
    _, metrics = await announcer.observe("/metrics")
    name = f'etracker_announce_tier_lookups_total{{source="{source}"}} '
    return sum(float(line.removeprefix(name)) for line in metrics.splitlines() if line.startswith(name))


async def test_while_scoring_is_down_known_keys_keep_their_tier_and_unseen_ones_are_served(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings
) -> None:
    async with running_announcer(postgres_settings, redis_settings, tier_cache_seconds=1) as announcer:
        announcer.scoring.register(KEY)
        await announcer.track(INFO_HASH)
        assert answered(await announcer.announce(KEY, INFO_HASH, PEER))
        announcer.scoring.down = True

        async def is_stale() -> bool:
            assert answered(await announcer.announce(KEY, INFO_HASH, PEER))
            return await lookups(announcer, "stale") > 0

        await eventually(is_stale, "the known key's tier is too old", 5)
        for key in (KEY, NEW_KEY, KEY, NEW_KEY):
            assert answered(await announcer.announce(key, INFO_HASH, PEER))
        assert (await lookups(announcer, "stale"), await lookups(announcer, "provisional")) == (3, 2)
        announcer.scoring.down = False
        await within(3, lambda: announcer.announce(NEW_KEY, INFO_HASH, PEER), failed_with(b"Invalid announce key"))


async def test_while_scoring_is_down_unseen_keys_of_one_address_see_together_what_one_sees(
    announcer: Announcer,
) -> None:
    """While scoring is down, made-up keys are answered as well."""
    for number in range(100):
        await announcer.announce(None, INFO_HASH, b"-XX0000-%012d" % number, source=f"203.0.{number}.7", left=0)
    announcer.scoring.down = True
    lists = []
    for number in range(100, 108):
        peer = b"-XX0000-%012d" % number
        peers = (await announcer.announce(f"{number:030}", INFO_HASH, peer, source="198.51.100.7"))[b"peers"]
        seen = {peers[at : at + 6] for at in range(0, len(peers), 6)}
        lists.append({endpoint for endpoint in seen if endpoint.startswith(bytes([203, 0]))})
    assert len(set.union(*lists)) < 1.5 * len(lists[0])


async def test_scoring_that_hangs_delays_an_announce_by_its_deadline_only(announcer: Announcer) -> None:
    announcer.scoring.delay_seconds = 5
    started = time.monotonic()
    for number in range(20):
        assert answered(await announcer.announce(f"key{number}", INFO_HASH, PEER))
    took = time.monotonic() - started
    assert took < 3, "after three failures nobody is asked for a second"


@pytest.mark.promise(13)
async def test_while_postgres_is_down_known_torrents_are_answered_and_unseen_ones_shall_be_tried_again(
    dedicated_postgres: PostgresServer, redis_settings: RedisSettings
) -> None:
    postgres = dedicated_postgres.settings("migrated")
    async with running_announcer(postgres, redis_settings) as announcer:
        announcer.scoring.register(KEY)
        await announcer.track(INFO_HASH)
        await within(2, lambda: announcer.announce(KEY, INFO_HASH, PEER), answered)
        assert failed_with(b"Unregistered")(await announcer.announce(KEY, NEW_HASH, PEER))
        dedicated_postgres.kill()
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            assert answered(await announcer.announce(KEY, INFO_HASH, PEER))
            await asyncio.sleep(0.05)
        for info_hash in (NEW_HASH, b"u" * 20):
            reply = await announcer.announce(KEY, info_hash, PEER)
            assert reply[b"failure reason"] == b"The tracker can't look this torrent up right now, try again soon"
            assert 270 <= reply[b"interval"] <= 330
        dedicated_postgres.start()
        await within(5, lambda: announcer.announce(KEY, NEW_HASH, PEER), failed_with(b"Unregistered torrent"))


async def test_postgres_that_hangs_delays_an_announce_by_its_deadline_only(
    dedicated_postgres: PostgresServer, redis_settings: RedisSettings
) -> None:
    async with running_announcer(dedicated_postgres.settings("migrated"), redis_settings) as announcer:
        announcer.scoring.register(KEY)
        await announcer.track(INFO_HASH)
        await within(2, lambda: announcer.announce(KEY, INFO_HASH, PEER), answered)
        hung = processes_of(dedicated_postgres)
        for pid in hung:
            os.kill(pid, signal.SIGSTOP)
        try:
            await longest_of(1.5, lambda: announcer.announce(KEY, INFO_HASH, PEER))
        finally:
            for pid in hung:
                os.kill(pid, signal.SIGCONT)


async def longest_of(limit_seconds: float, ask: Callable[[], Awaitable[Reply]]) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        started = time.monotonic()
        assert answered(await ask())
        assert time.monotonic() - started < limit_seconds
        await asyncio.sleep(0.05)


def processes_of(server: PostgresServer) -> list[int]:
    import psutil  # noqa: PLC0415 - only here

    parent = psutil.Process(server.pid)
    return [process.pid for process in (*parent.children(recursive=True), parent)]


@pytest.mark.promise(13)
async def test_while_redis_is_down_clients_shall_try_again_and_are_served_within_a_second_of_its_return(
    postgres_settings: PostgresSettings, dedicated_redis: RedisServer
) -> None:
    async with running_announcer(postgres_settings, dedicated_redis.settings()) as announcer:
        announcer.scoring.register(KEY)
        await announcer.track(INFO_HASH)
        await within(2, lambda: announcer.announce(KEY, INFO_HASH, PEER), answered)
        dedicated_redis.kill()
        for _ in range(3):
            reply = await announcer.announce(KEY, INFO_HASH, PEER)
            assert reply[b"failure reason"] == b"The tracker can't reach its peer lists right now, try again soon"
            assert 270 <= reply[b"interval"] <= 330
        assert (await announcer.observe("/readyz"))[0] == 503
        assert (await announcer.observe("/healthz"))[0] == 200
        dedicated_redis.start()
        await within(1, lambda: announcer.announce(KEY, INFO_HASH, PEER), answered)


async def test_the_service_starts_while_everything_is_down_and_says_so() -> None:
    scoring, nowhere = SteeredScoring(), 1
    settings = AnnounceSettings.model_validate(
        {
            "pghost": "127.0.0.1",
            "pgport": nowhere,
            "redis_url": f"redis://127.0.0.1:{nowhere}/0",
            "scoring_url": f"http://127.0.0.1:{nowhere}",
            **ON_FREE_PORTS,
        }
    )
    async with serving(settings, linger_seconds=0) as ports:
        announcer = Announcer(ports, scoring, settings, settings)
        reply = await announcer.announce(KEY, INFO_HASH, PEER)
        assert failed_with(b"try again soon")(reply)
        assert (await announcer.observe("/readyz"))[0] == 503


@pytest.mark.promise(19)
async def test_a_misleading_host_name_is_warned_about(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings, capfd: pytest.CaptureFixture[str]
) -> None:
    async with running_announcer(postgres_settings, redis_settings, frontend_hostname="down.example") as announcer:
        reply = await announcer.announce(KEY, INFO_HASH, PEER)
    assert reply[b"failure reason"] == b"Invalid announce key, get a new one at down.example"
    out = capfd.readouterr()
    assert "hostname_misleads_clients" in out.out + out.err
