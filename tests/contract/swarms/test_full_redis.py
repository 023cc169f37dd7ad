"""A Redis without memory left: what takes none goes on, what frees some above all, and nothing else.

The kind: a command that a full Redis refuses, in the way of something that has to go on.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from etracker_announce.adapters.swarms import RedisSwarms
from etracker_announce.adapters.swarms.writes import WriteWatch
from etracker_announce.domain.swarm import Role
from etracker_announce.ports import SwarmsFullError
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.facts import SHARDS
from etracker_shared.plumbing.settings import RedisSettings
from tests.contract.swarms.peers import HASH, LIFETIME, NOW, OTHER_HASH, SWEEP, connect, ids, ipv6, join_all, peer_ids
from tests.contract.swarms.peers import step as step_of
from tests.contract.swarms.tables import Client, Tables

LATER = LIFETIME + 1


@contextmanager
def full(client: Client) -> Iterator[None]:
    """Leave Redis no memory at all."""
    _limit(client, 1)
    try:
        yield
    finally:
        _limit(client, 0)


def _limit(client: Client, max_memory: int) -> None:
    for node in client.get_primaries() if hasattr(client, "get_primaries") else [None]:
        node_client = client if node is None else client.get_redis_connection(node)
        node_client.config_set("maxmemory", max_memory)


def facts_in(client: Client) -> list[bytes]:
    return [
        fields[redis_keys.ENTRY_FIELD]
        for shard in range(SHARDS)
        for _, fields in client.xrange(redis_keys.facts(shard))
    ]


async def test_nobody_joins_and_everybody_can_again_once_there_is_room(
    swarms: RedisSwarms, client: Client, tables: Tables
) -> None:
    await join_all(swarms, range(5))
    with full(client):
        for refused in (step_of(6), step_of(6, info_hash=OTHER_HASH), step_of(1, instance=101)):
            with pytest.raises(SwarmsFullError):
                await swarms.announce(refused, b"fact")
        assert (await swarms.scrape([HASH]))[0].leechers == 5
        assert facts_in(client) == []
    assert (await swarms.announce(step_of(6), b"fact")).counts.leechers == 6
    tables.check(HASH)


async def test_who_is_in_a_swarm_goes_on_and_is_counted(swarms: RedisSwarms, client: Client, tables: Tables) -> None:
    await join_all(swarms, range(5))
    with full(client):
        view = await swarms.announce(step_of(1, at=60), b"first")
        assert peer_ids(view) == ids(range(5))
        await swarms.announce(step_of(2, at=60, endpoint=ipv6(2)), b"other family")
        view = await swarms.announce(step_of(3, at=60, role=Role.SEEDER), b"completed")
        assert (view.counts.seeders, view.counts.leechers) == (1, 4)
    assert sorted(facts_in(client)) == [b"completed", b"first", b"other family"]
    tables.check(HASH)
    tables.check_totals(HASH)


async def test_who_leaves_is_gone_and_nothing_is_kept_of_them(
    swarms: RedisSwarms, client: Client, tables: Tables
) -> None:
    await join_all(swarms, range(5))
    with full(client):
        await swarms.announce(step_of(1, stopped=True), b"fact")
        await swarms.announce(step_of(99, stopped=True), b"fact of somebody never seen")
        assert not client.exists(redis_keys.first_seen(HASH))
        assert tables.counts(HASH).leechers == 4
    tables.check(HASH)


async def test_the_sweeper_goes_on_until_all_is_free(swarms: RedisSwarms, client: Client, tables: Tables) -> None:
    await join_all(swarms, range(300))
    await join_all(swarms, range(300), info_hash=OTHER_HASH)
    with full(client):
        await swarms.sweep(NOW + LATER + SWEEP)
        assert {key[4:] for key in tables.keys()} <= {b"changed", b"totals"}  # noqa: SIM118 - no mapping
    tables.check_totals(HASH)


async def test_one_replica_at_a_time_takes_the_turn_to_sweep(swarms: RedisSwarms, client: Client) -> None:
    with full(client):
        client.delete(redis_keys.SWEEPER_LOCK)
        turns = [await swarms._sweeper._is_my_turn() for _ in range(3)]
        assert client.exists(redis_keys.SWEEPER_LOCK)
    assert sum(turns) <= 1  # none if the swarms' own sweeper was faster


async def test_facts_wait_for_room_once_the_stream_is_long(flavour_settings: RedisSettings, client: Client) -> None:
    """Otherwise an outage of Postgres would let the stream of a full Redis grow without a bound."""
    async with connect(flavour_settings, stream_max_bytes=2**20) as swarms:
        await join_all(swarms, range(5))
        client.xadd(redis_keys.facts(0), {redis_keys.ENTRY_FIELD: bytes(2**21)})
        with full(client):
            await swarms.measure_stream()
            assert swarms.stream_full
            assert (await swarms.announce(step_of(1), None)).counts.leechers == 5
            with pytest.raises(SwarmsFullError):
                await swarms.announce(step_of(1), b"fact")


async def test_the_stream_may_take_a_quarter_of_the_memory(swarms: RedisSwarms, client: Client) -> None:
    client.xadd(redis_keys.facts(0), {redis_keys.ENTRY_FIELD: bytes(2**20)})
    await swarms.measure_stream()
    assert not swarms.stream_full
    nodes = len(client.get_primaries()) if hasattr(client, "get_primaries") else 1
    try:
        _limit(client, 3 * 2**20 // nodes)
        await swarms.measure_stream()
        assert swarms.stream_full
    finally:
        _limit(client, 0)


async def test_it_is_told_once_and_so_is_its_end(swarms: RedisSwarms, client: Client) -> None:
    heard: list[bool] = []
    watch = WriteWatch(swarms._server, heard.append, steady_seconds=0.0)
    for _ in range(2):
        with full(client):
            assert "out of memory" in str(await watch.complaint())
            for _ in range(3):
                await watch.check()
        assert await watch.complaint() is None
        for _ in range(3):
            await watch.check()
    assert heard == [True, False, True, False]


async def test_a_write_taken_now_and_then_is_no_end_of_it(swarms: RedisSwarms, client: Client) -> None:
    heard: list[bool] = []
    watch = WriteWatch(swarms._server, heard.append)
    for _ in range(3):
        with full(client):
            await watch.check()
        await watch.check()
    assert heard == [True]
