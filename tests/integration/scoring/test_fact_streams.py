"""Reading the fact stream in batches, however many facts an entry holds."""

import asyncio

import pytest
from redis.asyncio import Redis

from etracker_scoring.worker.entries import START, Entry, Position
from etracker_scoring.worker.stream import FactStreams
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.facts import SHARDS, pack_fact
from tests.support.facts import make_fact

FROM_START = dict.fromkeys(range(SHARDS), START)


async def put_entries(client: Redis, shard: int, entries: int, facts_each: int = 1) -> None:
    packed = b"".join(pack_fact(make_fact(uploaded=number)) for number in range(facts_each))
    for _ in range(entries):
        await client.xadd(redis_keys.facts(shard), {redis_keys.ENTRY_FIELD: packed})


def facts_in(entries: list[Entry]) -> int:
    return sum(len(entry.facts or ()) for entry in entries)


async def test_a_batch_is_full_though_one_shard_holds_all_facts_one_an_entry(redis_client: Redis) -> None:
    await put_entries(redis_client, shard=0, entries=700)
    batch = list(await FactStreams(redis_client).read(FROM_START, max_facts=500))
    assert facts_in(batch) == 500
    assert [entry.position for entry in batch] == sorted(entry.position for entry in batch)


async def test_batches_follow_each_other_to_the_end_and_skip_nothing(redis_client: Redis) -> None:
    await put_entries(redis_client, shard=3, entries=90, facts_each=4)
    await put_entries(redis_client, shard=7, entries=150)
    streams, positions = FactStreams(redis_client), dict(FROM_START)
    seen: list[tuple[int, Position]] = []
    while batch := await streams.read(positions, max_facts=64):
        assert facts_in(list(batch)) <= 64 + 4
        seen += [(entry.shard, entry.position) for entry in batch]
        positions |= {entry.shard: entry.position for entry in batch}
    assert len(seen) == len(set(seen)) == 90 + 150


@pytest.mark.parametrize("max_facts", [1, 20, 1000])
async def test_a_backlog_is_read_in_the_order_in_which_it_was_written_whatever_the_batches(
    max_facts: int, redis_client: Redis
) -> None:
    """The kind: facts of different shards that depend on each other, and one shard that is busier than the others."""
    for round_number in range(30):
        await put_entries(redis_client, shard=round_number % 5, entries=1)
        await put_entries(redis_client, shard=9, entries=4)
        await asyncio.sleep(0.002)  # Redis numbers entries by the millisecond
    streams, positions = FactStreams(redis_client), dict(FROM_START)
    seen: list[int] = []
    while batch := await streams.read(positions, max_facts):
        seen += [entry.position.milliseconds for entry in batch]
        positions |= {entry.shard: entry.position for entry in batch}
    assert len(seen) == 30 * 5
    assert seen == sorted(seen)
    assert not streams.has_more
