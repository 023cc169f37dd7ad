"""What prefixes take, counted by a real worker in a real Redis."""

import random
import time
from collections.abc import Iterator

import asyncpg
import pytest
from redis.asyncio import Redis

from etracker_scoring.worker.takings import MOST_PREFIXES, Names, RedisTakings, Taking, add_up
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.facts import Event, Fact, FactFlag
from etracker_shared.agreements.secret_names import PAIR_SECRET
from etracker_shared.language.identity import InfoHash, hash_announce_key
from tests.support.facts import START_MS, make_fact
from tests.support.scoring import StartWorker, add_facts
from tests.support.waiting import eventually

CRAWLER, HOME = b"\x04crwl\x00\x00", b"\x04home\x00\x00"


@pytest.fixture(autouse=True)
async def _catalogue(database: asyncpg.Connection) -> None:
    await database.execute("INSERT INTO peers (announce_key) VALUES ('alice')")


@pytest.fixture
async def names(database: asyncpg.Connection) -> Names:
    return Names(await database.fetchval("SELECT value FROM secrets WHERE name = $1", PAIR_SECRET))


def now(**changes: object) -> Fact:
    return make_fact(**{"at": time.time() - START_MS / 1000, "prefix": HOME, "left": 1, **changes})


class Stored:
    """What is stored about an hour."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def takings(self, hour: int | None = None) -> dict[bytes, tuple[int, int]]:
        """Return torrents and lists by name, most torrents first."""
        hour = int(time.time() // 3600) if hour is None else hour
        async with self._client.pipeline(transaction=True) as at_once:  # the worker may write between two commands
            at_once.zrevrange(redis_keys.prefixes_ranked(hour), 0, -1, withscores=True)
            at_once.hgetall(redis_keys.lists_taken(hour))
            ranked, lists = await at_once.execute()
        assert len(lists) == len(ranked)
        return {name: (int(score), int(lists[name])) for name, score in ranked}


async def test_torrents_and_lists_are_counted_whoever_announces_and_whatever_is_tracked(
    start_worker: StartWorker, redis_client: Redis, names: Names
) -> None:
    """Of registered keys, guests and keys that scoring couldn't be asked about; lists repeated from memory, too."""
    worker, stored = await start_worker(), Stored(redis_client)
    stranger = hash_announce_key("a stranger")
    facts = [
        *(now(torrent=f"torrent {number}", prefix=CRAWLER, guest=b"-XX0000-guest%07d" % number) for number in range(9)),
        now(torrent="torrent 9", prefix=CRAWLER, key_hash=stranger, flags=FactFlag.PROVISIONAL),
        now(),
        now(suppressed=3),
        now(event=Event.STOPPED),
        now(torrent="another", event=Event.STOPPED),
    ]
    await add_facts(redis_client, *facts)
    await worker.settled(len(facts))

    async def counted() -> bool:
        return len(await stored.takings()) == 2

    await eventually(counted, "both prefixes are counted")
    assert await stored.takings() == {names.of(CRAWLER): (10, 10), names.of(HOME): (1, 5)}
    assert await worker.metric("etracker_scoring_most_torrents_of_a_prefix") == 10


async def test_only_hashes_of_prefixes_are_stored_and_only_for_the_hours_that_are_shown(
    start_worker: StartWorker, redis_client: Redis
) -> None:
    worker = await start_worker()
    await add_facts(redis_client, now(prefix=CRAWLER), make_fact(prefix=HOME))  # the second one is years old
    await worker.settled(2)

    async def found() -> list[bytes]:
        return [key async for key in redis_client.scan_iter(b"{taken}*")]

    async def counted() -> bool:
        return bool(await found())

    await eventually(counted, "the first is counted")
    keys = await found()
    assert len(keys) == 3
    for key in keys:
        assert CRAWLER[:5] not in key + (await redis_client.dump(key) or b"")
        assert 3590 < await redis_client.ttl(key) <= 2 * 3600


async def test_a_flood_of_prefixes_neither_takes_more_memory_nor_pushes_out_whoever_takes_most(
    redis_client: Redis,
) -> None:
    """The big one takes one torrent at a time, in the middle of the flood; it began before, or comes last."""
    takings, stored = RedisTakings(redis_client), Stored(redis_client)
    hour, flood = int(time.time() // 3600), _flood()
    used: list[float] = []
    for number in range(60):
        batch = {b"early..": _took(number), b"late...": _took(number)} if number >= 30 else {b"early..": _took(number)}
        batch |= {next(flood): _took(number) for _ in range(200)}
        await takings.add(hour, batch, 3600 * hour + 30.0 * number)
        used.append(float((await redis_client.info("memory"))["used_memory"]))
    found = await stored.takings(hour)
    assert list(found.items())[:2] == [(b"early..", (60, 60)), (b"late...", (30, 30))]
    assert len(found) == MOST_PREFIXES
    assert len([key async for key in redis_client.scan_iter(b"{taken}t*", count=5000)]) == MOST_PREFIXES
    assert await takings.most(hour) == 60
    assert max(used[20:]) < used[19] * 1.2, "12,000 prefixes take no more memory than the first 4,000"


async def test_one_prefix_may_take_more_torrents_than_a_script_takes_arguments(redis_client: Redis) -> None:
    takings, stored = RedisTakings(redis_client), Stored(redis_client)
    torrents = {InfoHash(random.Random(number).randbytes(20)) for number in range(20_000)}
    for _ in range(2):
        await takings.add(int(time.time() // 3600), {b"crawler": Taking(20_000, set(torrents))}, time.time())
    ((count, lists),) = (await stored.takings()).values()
    assert abs(count - len(torrents)) < 0.05 * len(torrents)
    assert lists == 40_000
    sizes = [await redis_client.memory_usage(key) async for key in redis_client.scan_iter(b"{taken}t*")]
    assert [size is not None and size < 20_000 for size in sizes] == [True]


async def test_a_redis_that_refuses_writes_does_not_keep_facts_waiting(
    start_worker: StartWorker, redis_client: Redis, database: asyncpg.Connection
) -> None:
    await database.execute("INSERT INTO infohashes (info_hash) VALUES ($1)", now().info_hash)
    worker = await start_worker()
    await add_facts(redis_client, now())
    await worker.settled(1)
    await redis_client.rename(redis_keys.lists_taken(int(time.time() // 3600)), b"elsewhere")
    await redis_client.set(redis_keys.lists_taken(int(time.time() // 3600)), b"no hash")
    await add_facts(redis_client, now(uploaded=5))
    await worker.settled(2)
    await add_facts(redis_client, now(uploaded=7))
    await worker.settled(3)
    assert await database.fetchval("SELECT uploaded FROM peers") == 7


def test_what_a_stopped_announce_reports_is_no_list() -> None:
    takings: dict[int, dict[bytes, Taking]] = {}
    add_up([make_fact(event=Event.STOPPED, suppressed=4)], takings)
    assert takings == {}


def _took(number: int) -> Taking:
    return Taking(1, {InfoHash(b"%020d" % number)})


def _flood() -> Iterator[bytes]:
    for number in range(1_000_000):
        yield b"%07d" % number
