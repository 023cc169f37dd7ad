"""What offenders and those that were given them are told, on real Redis and Postgres."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import redis.asyncio

from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.anomalies import BLOCK_SECONDS, AnomalyState, DetectionMode, Verdict
from etracker_shared.agreements.block_lists import (
    HANDED_SECONDS,
    MOST_HANDED,
    name_address,
    pack_handed,
    parse_token,
    unpack_handed,
)
from etracker_shared.agreements.canary import is_blinded
from etracker_shared.language.identity import hash_announce_key
from etracker_shared.plumbing.settings import PostgresSettings, RedisSettings
from tests.support.announce import Announcer, running_announcer
from tests.support.clock import Clock
from tests.support.postgres import connect

KEYS = [f"{number:030x}" for number in range(8)]
OFFENDER, RECIPIENT, STRANGER = KEYS[:3]
INFO_HASH = bytes(range(20))
SIZE = 1000
WITHIN_SECONDS = 10.0
PAUSE_SECONDS = 0.02


@dataclass
class Swarm:
    """A torrent, a clock that tests set, and the Redis that announce writes to."""

    announcer: Announcer
    clock: Clock
    redis: "redis.asyncio.Redis"
    secret: bytes

    async def announce(self, key: str, **more: Any) -> dict[bytes, Any]:
        place = KEYS.index(key)
        fields = {"source": f"198.51.{100 + place}.7", "port": 7000 + place, "left": 1} | more
        return await self.announcer.announce(key, INFO_HASH, b"-TR3000-" + key[-12:].encode(), **fields)

    async def conclude(self, state: AnomalyState, verdict: Verdict = Verdict.WASTE, sizes: float = 0.5) -> None:
        """Store a verdict on the offender, and wait until announce knows it."""
        sql = self.announcer.sql
        since = self.clock.now
        await sql("DELETE FROM anomalies")
        await sql(
            "INSERT INTO anomalies (key_id, state, verdict, score, since, wasted)"
            " SELECT peers.id, $2, $3, 120, to_timestamp($4), jsonb_build_object(infohashes.id, $5::float8)"
            " FROM peers, infohashes WHERE key_hash = hash_announce_key($1) AND info_hash = $6",
            [(OFFENDER, state, verdict, since, sizes, INFO_HASH)],
        )

    async def knows_suspects(self) -> None:
        async with asyncio.timeout(WITHIN_SECONDS):
            while "etracker_announce_suspects 1.0" not in (await self.announcer.observe("/metrics"))[1]:  # noqa: ASYNC110
                await asyncio.sleep(PAUSE_SECONDS)

    async def handed(self, key: str) -> dict[bytes, bytes]:
        fields: dict[bytes, bytes] = await self.redis.hgetall(redis_keys.handed(identity(key)))  # type: ignore[assignment]
        return fields

    async def is_logged(self, key: str = RECIPIENT) -> None:
        async with asyncio.timeout(WITHIN_SECONDS):
            while not await self.handed(key):  # noqa: ASYNC110
                await asyncio.sleep(PAUSE_SECONDS)

    async def give_out(self) -> None:
        """Let the recipient get the offender while it is a suspect."""
        await self.announce(OFFENDER)
        await self.conclude(AnomalyState.SUSPECTED)
        await self.knows_suspects()
        await self.announce(RECIPIENT)
        await self.is_logged()

    async def confirm(self, verdict: Verdict = Verdict.WASTE, sizes: float = 0.5) -> None:
        """Confirm the suspect, and wait until it is in no list any more."""
        await self.conclude(AnomalyState.CONFIRMED, verdict, sizes)
        async with asyncio.timeout(WITHIN_SECONDS):
            while endpoint(OFFENDER) in (await self.announce(STRANGER, left=7))[b"peers"]:  # noqa: ASYNC110
                await asyncio.sleep(PAUSE_SECONDS)

    async def count_replies(self, number: int) -> None:
        for _ in range(number):
            assert b"failure reason" not in await self.announce(STRANGER, left=7)


@pytest.fixture
async def swarm(postgres_settings: PostgresSettings, redis_settings: RedisSettings) -> AsyncIterator[Swarm]:
    clock = Clock(time.time() // 60 * 60)
    settings: dict[str, Any] = {"detection": DetectionMode.ENFORCE, "budget_burst": 0, "private_peers": "always"}
    async with running_announcer(postgres_settings, redis_settings, clock, **settings) as running:
        for key in KEYS:
            running.scoring.register(key)
        await running.track(INFO_HASH)
        await running.sql("UPDATE infohashes SET length = $1", [(SIZE,)])
        await running.sql("INSERT INTO peers (announce_key) VALUES ($1)", [(key,) for key in KEYS])
        connection = await connect(postgres_settings)
        secret = bytes(await connection.fetchval("SELECT value FROM secrets"))
        await connection.close()
        client = redis.asyncio.Redis.from_url(redis_settings.redis_url)
        yield Swarm(running, clock, client, secret)
        await client.aclose()


def identity(key: str) -> bytes:
    return hash_announce_key(key)[:8]


def endpoint(key: str) -> bytes:
    place = KEYS.index(key)
    return bytes((198, 51, 100 + place, 7)) + (7000 + place).to_bytes(2, "big")


async def test_a_suspect_in_a_list_is_logged_for_a_day_and_suspicion_shows_nowhere(swarm: Swarm) -> None:
    await swarm.give_out()
    (one,) = unpack_handed(await swarm.handed(RECIPIENT), int(swarm.clock.now))
    assert (one.identity, one.endpoints, one.at) == (identity(OFFENDER), (endpoint(OFFENDER),), int(swarm.clock.now))
    assert 0 < await swarm.redis.ttl(redis_keys.handed(identity(RECIPIENT))) <= HANDED_SECONDS
    assert not await swarm.handed(STRANGER)
    for key in (OFFENDER, RECIPIENT):
        assert b"warning message" not in await swarm.announce(key)


async def test_the_log_of_a_recipient_is_bounded(swarm: Swarm) -> None:
    key = redis_keys.handed(identity(RECIPIENT))
    old = pack_handed([endpoint(STRANGER)], int(swarm.clock.now) - 60)
    await swarm.redis.hset(key, mapping={number.to_bytes(16): old for number in range(MOST_HANDED)})
    await swarm.announce(OFFENDER)
    await swarm.conclude(AnomalyState.SUSPECTED)
    await swarm.knows_suspects()
    await swarm.announce(RECIPIENT)
    async with asyncio.timeout(WITHIN_SECONDS):
        while not any(field.endswith(identity(OFFENDER)) for field in await swarm.handed(RECIPIENT)):  # noqa: ASYNC110
            await asyncio.sleep(PAUSE_SECONDS)
    assert len(await swarm.handed(RECIPIENT)) == MOST_HANDED


@pytest.mark.promise(35)
@pytest.mark.parametrize("verdict", list(Verdict))
async def test_an_offender_is_told_three_times_an_hour_apart(swarm: Swarm, verdict: Verdict) -> None:
    await swarm.announce(OFFENDER)
    await swarm.confirm(verdict)
    texts = []
    for _ in range(12):
        swarm.clock.now += 1200
        texts.append((await swarm.announce(OFFENDER)).get(b"warning message"))
    assert [place for place, text in enumerate(texts) if text] == [0, 3, 6]
    first = texts[0] or b""
    assert first.endswith(b"/standing")
    assert len(first) <= 127


@pytest.mark.promise(35)
async def test_an_offender_that_wasted_more_than_three_sizes_gets_failures_but_none_with_an_event(swarm: Swarm) -> None:
    await swarm.announce(OFFENDER)
    await swarm.confirm(sizes=3.5)
    reply = await swarm.announce(OFFENDER)
    assert reply[b"failure reason"].endswith(b"/standing")
    assert reply[b"interval"] == 3600
    for event in ("started", "completed", "stopped"):
        assert b"failure reason" not in await swarm.announce(OFFENDER, event=event)


@pytest.mark.promise(36)
async def test_recipients_of_a_waster_are_warned_once_and_nobody_else_is(swarm: Swarm) -> None:
    await swarm.give_out()
    await swarm.confirm()
    warning = (await swarm.announce(RECIPIENT))[b"warning message"].decode()
    assert "198.51.100.7:7000" in warning
    assert parse_token(swarm.secret, warning.rpartition("/b/")[2]) == identity(RECIPIENT)
    assert len(warning) <= 127
    for key in (RECIPIENT, STRANGER):
        assert b"warning message" not in await swarm.announce(key)


@pytest.mark.promise(36)
async def test_a_seeder_that_loses_more_than_a_size_gets_one_failure_within_the_budget(swarm: Swarm) -> None:
    await swarm.give_out()
    await swarm.confirm(sizes=1.5)
    assert b"warning message" in await swarm.announce(RECIPIENT, left=0)
    swarm.clock.now += 60
    assert b"warning message" in await swarm.announce(RECIPIENT, left=0), "in a minute without other replies"
    await swarm.count_replies(100)
    for event in ("started", "completed"):
        assert b"failure reason" not in await swarm.announce(RECIPIENT, left=0, event=event)
    failure = await swarm.announce(RECIPIENT, left=0)
    assert b"198.51.100.7:7000" in failure[b"failure reason"]
    assert (failure[b"interval"], failure[b"min interval"], failure[b"retry in"]) == (300, 300, 5)
    await swarm.count_replies(200)
    for _ in range(3):
        swarm.clock.now += 1
        reply = await swarm.announce(RECIPIENT, left=0)
        assert not {b"failure reason", b"warning message"} & set(reply)


@pytest.mark.promise(36)
async def test_nobody_is_told_in_a_torrent_in_which_the_offender_wastes_nothing(swarm: Swarm) -> None:
    other = bytes(reversed(INFO_HASH))
    await swarm.announcer.track(other)
    await swarm.announcer.announce(OFFENDER, other, b"-TR3000-offender0000", source="198.51.100.7", port=7000)
    await swarm.give_out()
    fields: dict[str, Any] = {"source": "198.51.101.7", "port": 7001, "left": 0}
    peer_id = b"-TR3000-" + RECIPIENT[-12:].encode()
    given = await swarm.announcer.announce(RECIPIENT, other, peer_id, **fields | {"left": 1})
    assert endpoint(OFFENDER) in given[b"peers"]
    await swarm.confirm(sizes=2.0)
    for _ in range(3):
        reply = await swarm.announcer.announce(RECIPIENT, other, peer_id, **fields)
        assert not {b"failure reason", b"warning message"} & set(reply)
    assert b"warning message" in await swarm.announce(RECIPIENT)


@pytest.mark.promise(36)
async def test_an_address_that_many_keys_use_is_in_no_message(swarm: Swarm) -> None:
    await swarm.give_out()
    for key in KEYS[3:7]:
        await swarm.announce(key, source="198.51.100.7", port=9000 + KEYS.index(key))
    name = redis_keys.keys_at(name_address(swarm.secret, endpoint(OFFENDER)[:4]))
    async with asyncio.timeout(WITHIN_SECONDS):
        while await swarm.redis.zcard(name) < 4:  # noqa: ASYNC110
            await asyncio.sleep(PAUSE_SECONDS)
    assert 0 < await swarm.redis.ttl(name) <= HANDED_SECONDS
    await swarm.confirm()
    assert b"warning message" not in await swarm.announce(RECIPIENT)


@pytest.mark.promise(37)
async def test_a_suspect_sees_an_empty_swarm_in_half_of_the_blocks_for_three_days(swarm: Swarm) -> None:
    await swarm.announce(RECIPIENT)
    await swarm.announce(OFFENDER)
    await swarm.conclude(AnomalyState.SUSPECTED)
    await swarm.knows_suspects()
    since = swarm.clock.now
    for block in range(40):
        swarm.clock.now = since + block * BLOCK_SECONDS + 1
        await swarm.announce(RECIPIENT)
        reply = await swarm.announce(OFFENDER)
        (scraped,) = (await swarm.announcer.scrape(OFFENDER, INFO_HASH))[b"files"].values()
        blinded = is_blinded(swarm.secret, identity(OFFENDER), INFO_HASH, int(swarm.clock.now) // BLOCK_SECONDS)
        shown = 0 if blinded and block < 36 else 2
        assert (reply[b"complete"], reply[b"incomplete"], scraped[b"incomplete"]) == (0, shown, shown)
        assert (await swarm.announce(RECIPIENT))[b"incomplete"] == 2


async def test_an_answer_from_memory_has_no_message(
    postgres_settings: PostgresSettings, redis_settings: RedisSettings, swarm: Swarm
) -> None:
    settings: dict[str, Any] = {"detection": DetectionMode.ENFORCE, "budget_burst": 1, "budget_seconds": 3600}
    await swarm.announce(OFFENDER)
    await swarm.confirm()
    async with running_announcer(postgres_settings, redis_settings, swarm.clock, **settings) as second:
        second.scoring.register(OFFENDER)
        impatient = Swarm(second, swarm.clock, swarm.redis, swarm.secret)
        await impatient.knows_suspects()
        replies = [await impatient.announce(OFFENDER) for _ in range(3)]
        assert [b"warning message" in reply for reply in replies] == [True, False, False]
        assert "etracker_announce_suppressed_total 2.0" in (await second.observe("/metrics"))[1]
