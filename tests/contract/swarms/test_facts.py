"""The fact stream: what an announce leaves there, and the bound on its memory."""

import asyncio

from etracker_announce.adapters.swarms import RedisSwarms
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.facts import (
    FACT_SIZE,
    SHARDS,
    Event,
    Fact,
    FactFlag,
    pack_fact,
    shard_of,
    unpack_facts,
)
from etracker_shared.plumbing.settings import RedisSettings
from tests.contract.swarms.peers import HASH, NOW, connect, key_of, peer_id_of, step
from tests.contract.swarms.tables import Client


def fact_of(key: int, uploaded: int = 0) -> Fact:
    return Fact(
        key_hash=key_of(key),
        info_hash=HASH,
        peer_id=peer_id_of(key),
        prefix=b"\x04\x0a\x00\x00\x00\x00\x00",
        at_ms=NOW * 1000,
        uploaded=uploaded,
        downloaded=0,
        left=0,
        corrupt=0,
        redundant=0,
        event=Event.REGULAR,
        flags=FactFlag.NONE,
        interval_seconds=1800,
        seeding_prefixes=0,
    )


def stream_of(key: int) -> int:
    """Facts are spread by key, on one Redis as in a cluster."""
    return shard_of(key_of(key))


def entries(client: Client, shard: int) -> list[bytes]:
    return [fields[redis_keys.ENTRY_FIELD] for _, fields in client.xrange(redis_keys.facts(shard))]


async def test_fact_is_in_the_stream_of_its_key(
    swarms: RedisSwarms, client: Client, flavour_settings: RedisSettings
) -> None:
    await swarms.announce(step(1), pack_fact(fact_of(1)))
    (entry,) = entries(client, stream_of(1))
    assert list(unpack_facts(entry)) == [fact_of(1)]


async def test_step_without_a_fact_leaves_the_stream_alone(swarms: RedisSwarms, client: Client) -> None:
    await swarms.announce(step(1), None)
    assert not any(entries(client, shard) for shard in range(SHARDS))


async def test_concurrent_announces_share_a_batch_and_an_entry_a_shard(
    flavour_settings: RedisSettings, client: Client
) -> None:
    batches: list[int] = []
    async with connect(flavour_settings, batches=batches) as swarms:
        views = await asyncio.gather(*[swarms.announce(step(key), pack_fact(fact_of(key))) for key in range(100)])
    assert batches == [100]
    assert [view.counts.leechers for view in views] == list(range(1, 101))
    shards = [entries(client, shard) for shard in range(SHARDS)]
    most = 1 if flavour_settings.redis_cluster else 4  # of 32 facts each
    assert all(len(found) <= most for found in shards)
    facts = [fact.key_hash for found in shards for entry in found for fact in unpack_facts(entry)]
    assert sorted(facts) == sorted(key_of(key) for key in range(100))


async def test_facts_of_a_key_keep_their_order_over_entries_of_bounded_size(
    swarms: RedisSwarms, client: Client, flavour_settings: RedisSettings
) -> None:
    facts = [fact_of(1, uploaded=number) for number in range(80)]
    await asyncio.gather(*[swarms.announce(step(1), pack_fact(fact)) for fact in facts])
    found = entries(client, stream_of(1))
    assert [fact for entry in found for fact in unpack_facts(entry)] == facts
    assert len(found) == 3
    assert max(map(len, found)) == 32 * FACT_SIZE


async def test_stream_past_its_bound_is_full_until_it_is_trimmed(
    flavour_settings: RedisSettings, client: Client
) -> None:
    async with connect(flavour_settings, stream_max_bytes=20_000) as swarms:
        await swarms.measure_stream()
        assert swarms.stream_bytes == 0
        for number in range(300):
            await swarms.announce(step(number, window=0), pack_fact(fact_of(number)))
        await swarms.measure_stream()
        full, size = swarms.stream_full, swarms.stream_bytes
        for shard in range(SHARDS):
            client.xtrim(redis_keys.facts(shard), maxlen=0, approximate=False)
        await swarms.measure_stream()
        assert (full, swarms.stream_full) == (True, False)
        assert size > 300 * FACT_SIZE > swarms.stream_bytes
