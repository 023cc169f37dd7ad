"""The table "When something is down", row by row: outages of 15 seconds, and of minutes in the full run."""

import asyncio
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx
import pytest

from etracker_shared.language.identity import hash_announce_key
from etracker_stack.services import server_variables
from tests.e2e.faults.asking import asked_meanwhile, assert_listed
from tests.support.accounts import assert_acknowledged_counted, assert_statistics_equal, make_sessions
from tests.support.load import UNLIMITED, Connection, Load, Session, Tally
from tests.support.postgres import PostgresServer, connect
from tests.support.redis import RedisServer
from tests.support.stack import StackRun, running_stack

OUTAGES = [
    pytest.param(15.0, id="15s"),
    pytest.param(180.0, id="3min", marks=pytest.mark.full),
]
PER_SECOND = 200.0
IN_FLIGHT = 32
"""Announces that a load has on their way at most, and that one replica can take with it."""
AGAIN_SECONDS = 1.0
"""Announces work within this time of Redis coming back."""

outages = pytest.mark.parametrize("outage_seconds", OUTAGES)
pytestmark = pytest.mark.timeout(420)


@pytest.fixture
def stack(dedicated_postgres: PostgresServer, dedicated_redis: RedisServer) -> Iterator[StackRun]:
    """The tracker with two announce replicas, on servers that the test may stop."""
    postgres = dedicated_postgres.settings("migrated")
    environment = {
        **server_variables(postgres, dedicated_redis.settings()),
        **UNLIMITED,
        "ETRACKER_ANNOUNCE_REPLICAS": "2",
    }
    with running_stack(environment) as run:
        yield run


def address(url_or_address: str) -> tuple[str, int]:
    host, port = url_or_address.removeprefix("http://").rsplit(":", 1)
    return host, int(port)


@asynccontextmanager
async def loaded(stack: StackRun, target: tuple[str, int]) -> AsyncIterator[Load]:
    """Yield a load whose every session is known to the tracker."""
    load = Load(
        target, await make_sessions(stack.postgres_settings(), keys=200, torrents=40, per_key=2), connections=IN_FLIGHT
    )
    try:
        await load.announce_all_once()
        yield load
    finally:
        load.close()


@contextmanager
def suspended(pid: int) -> Iterator[None]:
    """Stop a process without ending it: its connections stay open but nothing answers, the worst kind of outage."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def announce_once(target: tuple[str, int], session: Session) -> bytes:
    """Announce a session over a new connection, and remember its counter if it was acknowledged."""
    connection = Connection(*target, Tally())
    try:
        answer = await connection.get(session.target())
    finally:
        connection.close()
    if b"failure reason" not in answer:
        session.acknowledge(session.uploaded)
    return answer


async def assert_all_counted(stack: StackRun, load: Load, *others: Session, repeated: int = 0) -> None:
    """Assert that all acknowledged announces are counted (:func:`assert_acknowledged_counted`).

    ``others``: sessions in addition to the load's, each announced once. ``repeated``: how many announces the gateway
    may have sent again because the replica that had received them ended.
    """
    tally, alone = load.tally, len(others)
    await assert_acknowledged_counted(
        stack.postgres_settings(),
        [*load.sessions, *others],
        acknowledged=tally.acknowledged + alone,
        sent=tally.sent + alone + repeated,
    )


async def get(url: str) -> httpx.Response:
    async with httpx.AsyncClient(timeout=6.0) as client:
        return await client.get(url)


async def until(condition: Callable[[], Awaitable[bool]], within_seconds: float) -> float:
    """Wait until a condition holds, and return how many seconds that took."""
    start = time.monotonic()
    while not await condition():
        assert time.monotonic() < start + within_seconds, f"not within {within_seconds} s"
        await asyncio.sleep(0.05)
    return time.monotonic() - start


@outages
async def test_while_scoring_is_down_known_keys_keep_their_tier_and_unseen_keys_count_as_guests(
    stack: StackRun, outage_seconds: float
) -> None:
    target = address(stack.announce_addresses[0])
    async with loaded(stack, target) as load:
        registered = (await get(f"{stack.base_url}/api/generate")).json()["announce_key"]
        torrent = load.sessions[0].info_hash
        unseen = Session(registered, torrent, b"-ET0001-unseen-key--", 6881)
        unregistered = Session(secrets.token_hex(15), torrent, b"-ET0001-unregistered", 6882)
        with suspended(stack.pids()["scoring"]):
            running = asyncio.create_task(load.run(per_second=PER_SECOND, seconds=outage_seconds))
            await asyncio.sleep(outage_seconds / 3)
            for session in (unseen, unregistered):
                assert b"failure reason" not in await announce_once(target, session)
            assert (await get(f"{stack.base_url}/api/stats")).status_code == 200
            metrics = (await get(f"{stack.observation_url_of('announce-1')}/metrics")).text
            assert 'etracker_announce_tier_lookups_total{source="provisional"}' in metrics
            await running
        assert load.tally.failures == {}
        await assert_all_counted(stack, load, unseen)
        await load.announce_all_once()
        assert b"failure reason" not in await announce_once(target, unseen)
        await assert_only_the_registered_key_was_recorded(stack, unseen, unregistered)
        await assert_statistics_equal(stack.postgres_settings(), [*load.sessions, unseen])
        await until(lambda: is_refused(target, unregistered), within_seconds=5.0)


async def is_refused(target: tuple[str, int], session: Session) -> bool:
    return b"Invalid announce key" in await announce_once(target, session)


async def assert_only_the_registered_key_was_recorded(stack: StackRun, unseen: Session, stranger: Session) -> None:
    connection = await connect(stack.postgres_settings())

    async def recorded() -> bool:
        base = await connection.fetchval("SELECT uploaded FROM announces WHERE peer_id = $1", unseen.peer_id)
        return bool(base == unseen.uploaded)

    try:
        await until(recorded, within_seconds=15.0)
        assert await connection.fetchval("SELECT count(*) FROM announces WHERE peer_id = $1", stranger.peer_id) == 0
        hashed = hash_announce_key(stranger.key)
        assert await connection.fetchval("SELECT count(*) FROM peers WHERE key_hash = $1", hashed) == 0
    finally:
        await connection.close()


@outages
async def test_an_outage_of_postgres_delays_statistics_and_loses_none(
    stack: StackRun, dedicated_postgres: PostgresServer, outage_seconds: float
) -> None:
    target = address(stack.announce_addresses[0])
    async with loaded(stack, target) as load:
        strange = Session(load.sessions[0].key, b"\xee" * 20, b"-ET0001-strange-hash", 6881)
        dedicated_postgres.kill()
        running = asyncio.create_task(load.run(per_second=PER_SECOND, seconds=outage_seconds))
        await asyncio.sleep(outage_seconds / 3)
        refused = await announce_once(target, strange)
        assert b"failure reason" in refused
        assert b"8:interval" in refused
        assert b"nregistered" not in refused
        answer = await get(f"{stack.base_url}/api/infohashes")
        assert answer.status_code == 503
        assert answer.json()["message"]
        await running
        assert load.tally.failures == {}
        await asyncio.to_thread(dedicated_postgres.start)
        await assert_all_counted(stack, load)
        assert b"Unregistered torrent" in await answer_once_postgres_is_used_again(target, strange)
        await load.announce_all_once()
        await assert_statistics_equal(stack.postgres_settings(), load.sessions)


async def answer_once_postgres_is_used_again(target: tuple[str, int], session: Session) -> bytes:
    answers: list[bytes] = []

    async def settled() -> bool:
        answers.append(await announce_once(target, session))
        return b"nregistered" in answers[-1]

    await until(settled, within_seconds=5.0)
    return answers[-1]


@outages
async def test_while_redis_is_down_announces_get_a_soft_failure_and_work_within_a_second_of_its_return(
    stack: StackRun, dedicated_redis: RedisServer, outage_seconds: float
) -> None:
    target = address(stack.announce_addresses[0])
    async with loaded(stack, target) as load:
        dedicated_redis.stop()
        started = time.monotonic()
        refused = await announce_once(target, load.sessions[0])
        assert b"failure reason" in refused
        assert b"8:interval" in refused
        stats = (await until_stale(stack)).json()
        assert stats["hashcount"] == 40
        await load.run(per_second=PER_SECOND, seconds=outage_seconds - (time.monotonic() - started))
        assert all("failure reason" in reason for reason in load.tally.failures), load.tally.failures
        await asyncio.to_thread(dedicated_redis.start)
        took = await until(lambda: is_answered(target, load.sessions[0]), within_seconds=10.0)
        assert took < AGAIN_SECONDS
        await load.announce_all_once()
        await assert_statistics_equal(stack.postgres_settings(), load.sessions)


async def until_stale(stack: StackRun) -> httpx.Response:
    async def stale() -> bool:
        return bool((await get(f"{stack.base_url}/api/stats")).json().get("stale"))

    await until(stale, within_seconds=10.0)
    return await get(f"{stack.base_url}/api/stats")


async def is_answered(target: tuple[str, int], session: Session) -> bool:
    return b"failure reason" not in await announce_once(target, session)


async def test_clients_dont_notice_that_one_announce_replica_is_down(stack: StackRun) -> None:
    async with loaded(stack, address(stack.base_url)) as load:
        running = asyncio.create_task(load.run(per_second=PER_SECOND, seconds=60.0))
        for _ in range(2):
            await asyncio.sleep(3)
            old_pid = stack.kill("announce-2")
            await asyncio.to_thread(stack.wait_for_new, "announce-2", old_pid)
        load.end_after(seconds=2.0)
        await running
        assert load.tally.failures == {}
        assert load.tally.resent == 0, "announces whose connection to the gateway broke"
        await assert_all_counted(stack, load, repeated=2 * IN_FLIGHT)
        await load.announce_all_once()
        await assert_statistics_equal(stack.postgres_settings(), load.sessions)


async def test_a_restart_of_a_service_and_a_reload_of_the_gateway_drop_no_request(stack: StackRun) -> None:
    async with loaded(stack, address(stack.base_url)) as load:
        running = asyncio.create_task(load.run(per_second=PER_SECOND, seconds=120.0))
        async with asked_meanwhile(stack) as requests:
            for name in ("announce-1", "announce-2", "scoring", "scoring_worker", "admin_api", "admin_api"):
                await asyncio.sleep(1)
                old_pid = stack.pids()[name]
                os.kill(old_pid, signal.SIGTERM)
                await asyncio.to_thread(stack.wait_for_new, name, old_pid)
        assert {(request.what, request.outcome) for request in requests} == {("stats", "200"), ("infohash", "201")}
        await assert_listed(stack, [request.info_hash for request in requests if request.info_hash])
        assert load.tally.resent == 0, "announces whose connection to the gateway broke"
        os.kill(stack.pids()["gateway"], signal.SIGUSR1)
        load.end_after(seconds=2.0)
        await running
        assert load.tally.failures == {}
        await assert_all_counted(stack, load, repeated=2 * IN_FLIGHT)
        await load.announce_all_once()
        await assert_statistics_equal(stack.postgres_settings(), load.sessions)


async def test_a_restart_of_the_gateway_refuses_for_under_a_second(stack: StackRun) -> None:
    async with loaded(stack, address(stack.base_url)) as load:
        running = asyncio.create_task(load.run(per_second=PER_SECOND, seconds=60.0))
        await asyncio.sleep(2)
        old_pid = stack.pids()["gateway"]
        os.kill(old_pid, signal.SIGTERM)
        await asyncio.to_thread(stack.wait_for_new, "gateway", old_pid)
        load.end_after(seconds=2.0)
        await running
        assert load.tally.longest_silence() < 1.0
        assert {"failure reason" in reason for reason in load.tally.failures} <= {False}
