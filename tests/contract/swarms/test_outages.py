"""A Redis that forgets scripts, is full, hangs, dies and comes back."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import redis
from redis.crc import key_slot

from etracker_announce.adapters.swarms import RedisSwarms
from etracker_announce.adapters.swarms.cluster import ClusterServer
from etracker_announce.ports import SwarmsUnavailableError
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.facts import shard_of
from etracker_shared.plumbing.settings import RedisSettings
from etracker_stack.programs import redis_program
from tests.contract.swarms.peers import HASH, compose, connect, ids, join_all, key_of, peer_ids, step
from tests.contract.swarms.tables import Client, Tables
from tests.support.processes import free_port
from tests.support.redis import RedisServer
from tests.support.redis_cluster import RedisCluster
from tests.support.waiting import eventually

BACK_SECONDS = 1.0


@pytest.fixture
async def dedicated_swarms(dedicated_redis: RedisServer) -> AsyncIterator[RedisSwarms]:
    async with connect(dedicated_redis.settings()) as swarms:
        yield swarms


@pytest.fixture
def dedicated_client(dedicated_redis: RedisServer) -> Iterator[Client]:
    with redis.Redis(port=dedicated_redis.port) as client:
        yield client


async def keep_trying(attempt: Callable[[], Awaitable[object]], seconds: float) -> None:
    """Repeat until it works; fail when it doesn't within ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            await attempt()
        except SwarmsUnavailableError:
            assert time.monotonic() < deadline, f"not back within {seconds} s"
            await asyncio.sleep(0.02)
        else:
            return


async def test_forgotten_scripts_are_loaded_again_unnoticed(
    swarms: RedisSwarms, redis_flavour: RedisServer, tables: Tables
) -> None:
    await join_all(swarms, [1])
    redis_flavour.flush()
    await asyncio.gather(*[swarms.announce(step(key), b"") for key in range(20)])
    assert peer_ids(await swarms.announce(step(1), None)) == ids(range(20))
    redis_flavour.flush()
    assert await swarms.sweep(step(1).now) == 0
    tables.check(HASH)


async def test_empty_redis_is_filled_by_the_next_announces(swarms: RedisSwarms, redis_flavour: RedisServer) -> None:
    await join_all(swarms, range(5))
    redis_flavour.flush()
    assert peer_ids(await swarms.announce(step(3, at=60), None)) == ids([3])


async def test_there_is_nothing_to_complain_about_a_redis_that_answers(swarms: RedisSwarms) -> None:
    assert await swarms.complaint() is None


async def test_refused_fact_fails_its_announce_only(dedicated_swarms: RedisSwarms, dedicated_client: Client) -> None:
    dedicated_client.set(redis_keys.facts(shard_of(key_of(1))), "no stream")
    outcomes = await asyncio.gather(
        *[dedicated_swarms.announce(step(key), b"fact" if key == 1 else None) for key in range(1, 30)],
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], SwarmsUnavailableError)
    assert not any(isinstance(outcome, BaseException) for outcome in outcomes[1:])


async def test_killed_redis_fails_announces_and_serves_within_a_second_of_coming_back(
    dedicated_swarms: RedisSwarms, dedicated_redis: RedisServer, dedicated_client: Client
) -> None:
    dedicated_client.config_set("appendfsync", "always")
    await join_all(dedicated_swarms, range(5))
    dedicated_redis.kill()
    with pytest.raises(SwarmsUnavailableError):
        await dedicated_swarms.announce(step(1), None)
    assert await dedicated_swarms.complaint()
    with pytest.raises(SwarmsUnavailableError):
        await dedicated_swarms.scrape([HASH])
    dedicated_redis.start()
    await keep_trying(lambda: dedicated_swarms.announce(step(9), b"fact"), BACK_SECONDS)
    assert peer_ids(await dedicated_swarms.announce(step(9), None)) == ids([0, 1, 2, 3, 4, 9])
    Tables(dedicated_client).check(HASH)


async def test_restart_in_the_middle_of_traffic_resolves_every_announce(
    dedicated_swarms: RedisSwarms, dedicated_redis: RedisServer, dedicated_client: Client
) -> None:
    acknowledged: set[int] = set()

    async def traffic(first: int) -> None:
        for key in range(first, first + 150):
            try:
                await dedicated_swarms.announce(step(key, window=0), b"fact")
            except SwarmsUnavailableError:
                await asyncio.sleep(0.01)
            else:
                acknowledged.add(key)

    running = [asyncio.create_task(traffic(first)) for first in range(0, 3_000, 150)]
    await asyncio.sleep(0.05)
    await asyncio.to_thread(dedicated_redis.stop)
    await asyncio.to_thread(dedicated_redis.start)
    await asyncio.gather(*running)
    await keep_trying(lambda: dedicated_swarms.announce(step(9_999), b"fact"), BACK_SECONDS)
    records = Tables(dedicated_client).leechers(HASH)
    assert {bytes(record["peer_id"]) for record in records} >= ids(acknowledged)
    Tables(dedicated_client).check(HASH)


async def test_hanging_redis_is_given_up_on_and_forgiven(
    dedicated_swarms: RedisSwarms, dedicated_redis: RedisServer
) -> None:
    dedicated_redis._program.send(signal.SIGSTOP)
    begun = time.monotonic()
    try:
        with pytest.raises(SwarmsUnavailableError):
            await dedicated_swarms.announce(step(1), None)
        assert time.monotonic() - begun < 3
    finally:
        dedicated_redis._program.send(signal.SIGCONT)
    await keep_trying(lambda: dedicated_swarms.announce(step(1), None), 2)


@pytest.mark.parametrize("cluster", [False, True])
async def test_start_without_redis_does_not_fail(cluster: bool) -> None:
    settings = RedisSettings(redis_url=f"redis://127.0.0.1:{free_port()}/0", redis_cluster=cluster)
    async with connect(settings) as swarms:
        assert await swarms.complaint()
        with pytest.raises(SwarmsUnavailableError):
            await swarms.announce(step(1), b"fact")
        with pytest.raises(SwarmsUnavailableError):
            await swarms.sweep(step(1).now)


async def test_password_and_database_come_from_the_settings(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, program=redis_program())
    server.start()
    try:
        with redis.Redis(port=server.port) as client:
            client.config_set("requirepass", "open sesame")
        url = f"redis://127.0.0.1:{server.port}/3"
        async with connect(RedisSettings(redis_url=url, redis="open sesame")) as swarms:
            await join_all(swarms, [1])
        async with connect(RedisSettings(redis_url=url, redis="wrong")) as swarms:
            assert await swarms.complaint()
        with redis.Redis(port=server.port, password="open sesame", db=3) as client:
            assert Tables(client).counts(HASH).leechers == 1
    finally:
        server.stop()


async def test_server_that_became_a_replica_is_left_and_found_again(
    dedicated_swarms: RedisSwarms, dedicated_client: Client
) -> None:
    dedicated_client.execute_command("REPLICAOF", "127.0.0.1", free_port())
    with pytest.raises(SwarmsUnavailableError):
        await dedicated_swarms.announce(step(1), b"fact")
    dedicated_client.execute_command("REPLICAOF", "NO", "ONE")
    await keep_trying(lambda: dedicated_swarms.announce(step(1), b"fact"), BACK_SECONDS)


async def test_one_replica_sweeps_at_a_time(flavour_settings: RedisSettings, client: Client) -> None:
    replicas = [compose(flavour_settings), compose(flavour_settings)]
    for replica in replicas:
        await replica._server.start()
    assert [await replica._sweeper._is_my_turn() for replica in replicas] == [True, False]

    async def over() -> bool:
        return not client.exists(redis_keys.SWEEPER_LOCK)

    await eventually(over, "the turn is over", 5)
    assert [await replica._sweeper._is_my_turn() for replica in reversed(replicas)] == [True, False]
    for replica in replicas:
        await replica.close()


async def test_slot_that_moved_to_another_master_is_followed(redis_cluster: RedisCluster) -> None:
    async with connect(redis_cluster.settings()) as swarms:
        await join_all(swarms, [1])
        redis_cluster.flush()
        redis_cluster.move_slot(key_slot(redis_keys.members(HASH)))
        views = await asyncio.gather(*[swarms.announce(step(key), b"fact") for key in range(10)])
        assert views[-1].counts.leechers == 10


async def test_answer_that_comes_with_a_cancellation_does_not_undo_it(redis_cluster: RedisCluster) -> None:
    server = ClusterServer(redis_cluster.settings(), ())
    await server.start()
    asking = asyncio.create_task(server.execute([(b"EXISTS", redis_keys.SWEEPER_LOCK)]))
    await asyncio.sleep(0)
    (answer,) = server._running
    answer.add_done_callback(lambda _: asking.cancel())
    with pytest.raises(asyncio.CancelledError):
        await asking
    await server.close()
