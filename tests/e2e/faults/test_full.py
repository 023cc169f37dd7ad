"""A disk or memory that fills up while the tracker runs: it refuses, says why, and recovers once there is room."""

import asyncio
import base64
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import redis

from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.facts import SHARDS
from etracker_stack.supervisor import CRASHES_ALLOWED
from tests.support.accounts import assert_acknowledged_counted, assert_statistics_equal, make_sessions
from tests.support.load import UNLIMITED, Connection, Load, Session, Tally
from tests.support.processes import children_of, wait_until
from tests.support.stack import StackRun, running_stack

pytestmark = pytest.mark.timeout(240)

MIB = 2**20


def announce_address(stack: StackRun) -> tuple[str, int]:
    host, port = stack.announce_addresses[0].rsplit(":", 1)
    return host, int(port)


async def answer_to(stack: StackRun, session: Session, more: bytes = b"") -> bytes:
    """Announce a session over a new connection; return the answer, and remember its counter if acknowledged."""
    connection = Connection(*announce_address(stack), Tally())
    try:
        answer = await connection.get(session.target() + more)
    finally:
        connection.close()
    if b"failure reason" not in answer:
        session.acknowledge(session.uploaded)
    return answer


async def until_refused(stack: StackRun, session: Session) -> bytes:
    """Announce until the answer says to try again: the disk isn't really full while a process still frees blocks."""
    async with asyncio.timeout(20):
        while b"try again soon" not in (answer := await answer_to(stack, session)):  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.1)
    return answer


def readiness(stack: StackRun) -> tuple[int, str]:
    answer = httpx.get(f"{stack.observation_url_of('announce-1')}/readyz")
    return answer.status_code, answer.json()["reasons"].get("redis", "")


def refuses_writes(stack: StackRun) -> bool:
    metrics = httpx.get(f"{stack.observation_url_of('announce-1')}/metrics").text
    return "\netracker_announce_redis_refuses_writes 1.0\n" in metrics


def ask(stack: StackRun, path: str) -> httpx.Response:
    return httpx.get(f"{stack.base_url}{path}", headers={"Authorization": stack.api_key}, timeout=20.0)


def list_a_torrent(stack: StackRun) -> httpx.Response:
    body = {"info_hash": base64.b64encode(secrets.token_bytes(20)).decode(), "name": secrets.token_hex(100)}
    headers = {"Authorization": stack.api_key}
    return httpx.post(f"{stack.base_url}/api/infohash", json=body, headers=headers, timeout=20.0)


@contextmanager
def full_disk(directory: Path) -> Iterator[None]:
    """Fill the disk, and keep filling whatever becomes free."""
    ended = threading.Event()

    def fill() -> None:
        with (directory / "filler").open("ab", buffering=0) as filler:
            while not ended.is_set():
                try:
                    filler.write(b"x" * 4096)
                except OSError:
                    ended.wait(0.005)

    thread = threading.Thread(target=fill)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        (directory / "filler").unlink()


def postgres_pids(stack: StackRun) -> set[int]:
    return {child.pid for child, name in children_of(stack.program.pid).items() if name == "postgres"}


async def test_a_full_disk_is_reported_and_the_tracker_recovers_by_itself() -> None:
    with running_stack(UNLIMITED, disk_mebibytes=400) as stack:
        sessions = await make_sessions(stack.postgres_settings(), keys=50, torrents=10, per_key=2)
        load = Load(announce_address(stack), sessions)
        await load.announce_all_once()
        load.close()
        with full_disk(stack.files.parent):
            await asyncio.to_thread(wait_until, lambda: readiness(stack)[0] == 503, "announce isn't ready", 30)
            assert "No space left on device" in readiness(stack)[1]
            answer = await until_refused(stack, sessions[0])
            assert b"8:interval" in answer
            full = f"The disk of {stack.data} is full"
            await asyncio.to_thread(wait_until, lambda: full in stack.output, "the console says it", 10)

            answers = [await asyncio.to_thread(list_a_torrent, stack) for _ in range(50)]
            refused = [answer for answer in answers if answer.status_code != 201]
            assert refused
            assert {answer.status_code for answer in refused} == {503}
            assert all(answer.json()["message"] for answer in refused)

            seen = postgres_pids(stack)
            stack.kill("postgres")

            def tried_again_and_again() -> bool:
                seen.update(postgres_pids(stack))
                return len(seen) > CRASHES_ALLOWED + 2

            await asyncio.to_thread(wait_until, tried_again_and_again, "Postgres was started often", 150)
            assert "postgres ended (the disk is full): starting it again" in stack.output
            await until_refused(stack, sessions[1])
        assert stack.program.running

        await asyncio.to_thread(wait_until, lambda: readiness(stack)[0] == 200, "announce is ready", 30)
        await asyncio.to_thread(wait_until, lambda: list_a_torrent(stack).status_code == 201, "Postgres is back", 30)
        await load.announce_all_once(attempts=20)
        await assert_statistics_equal(stack.postgres_settings(), sessions)
        await asyncio.to_thread(wait_until, lambda: "has free space again" in stack.output, "that is said", 10)
        assert stack.output.count("announce-1: redis refuses writes") <= 2
        load.close()


@pytest.fixture
def full_stack() -> Iterator[tuple[StackRun, redis.Redis]]:
    """A tracker whose Redis is limited to 64 MiB, and a client to fill Redis and to change the limit."""
    with running_stack({**UNLIMITED, "ETRACKER_REDIS_MAXMEMORY": "64mb"}) as stack:
        settings = stack.redis_settings()
        with redis.Redis.from_url(settings.redis_url, password=settings.redis.get_secret_value()) as client:
            yield stack, client


def fill_memory(client: redis.Redis) -> None:
    """Fill Redis' memory with data alone, since the size of its buffers changes, also at a restart."""
    client.config_set("maxmemory", 0)
    while client.info("memory")["used_memory_dataset"] < 66 * MIB:
        client.set(f"filler:{secrets.token_hex(8)}", b"x" * MIB)
    client.config_set("maxmemory", 64 * MIB)


def free_memory(client: redis.Redis) -> None:
    client.delete(*client.scan_iter("filler*", count=1000))


async def test_a_full_memory_refuses_new_peers_and_nobody_else(full_stack: tuple[StackRun, redis.Redis]) -> None:
    stack, client = full_stack
    limits = client.config_get("maxmemory*")
    assert (limits["maxmemory"], limits["maxmemory-policy"]) == (str(64 * MIB), "noeviction")
    sessions = await make_sessions(stack.postgres_settings(), keys=60, torrents=10, per_key=2)
    known, new = sessions[:80], sessions[80:]
    load = Load(announce_address(stack), known)
    await load.announce_all_once()
    fill_memory(client)

    await load.announce_all_once()
    for session in new[:10]:
        answer = await answer_to(stack, session)
        assert b"no room for more peers right now, try again soon" in answer
        assert b"8:interval" in answer
    await asyncio.to_thread(wait_until, lambda: refuses_writes(stack), "the metric says it", 10)
    assert readiness(stack)[0] == 503
    assert "out of memory" in readiness(stack)[1]
    assert b"failure reason" not in await scrape(stack, known[0])
    assert ask(stack, "/api/generate").status_code == 200  # counted in Redis, or by each replica
    assert list_a_torrent(stack).status_code == 201
    shown = ask(stack, "/api/v1/system").json()["redis"]
    assert shown["memory_bytes"] >= shown["max_memory_bytes"] == 64 * MIB
    await assert_counted(stack, load, known)

    old_pid = stack.kill("redis")  # as the kernel would do without a limit; Redis is as full as before when it is back
    await asyncio.to_thread(stack.wait_for_new, "redis", old_pid)
    await load.announce_all_once(attempts=20)
    assert b"no room for more peers" in await answer_to(stack, new[0])

    free_memory(client)
    await asyncio.to_thread(wait_until, lambda: readiness(stack)[0] == 200, "announce is ready", 10)
    others = Load(announce_address(stack), new)
    await others.announce_all_once(attempts=3)
    await load.announce_all_once()
    await assert_statistics_equal(stack.postgres_settings(), sessions)
    await asyncio.to_thread(wait_until, lambda: not refuses_writes(stack), "the metric says it", 20)
    assert stack.output.count("announce-1: redis refuses writes") == 1
    for one in (load, others):
        one.close()


async def test_peers_that_leave_make_room_for_others(full_stack: tuple[StackRun, redis.Redis]) -> None:
    stack, client = full_stack
    sessions = await make_sessions(stack.postgres_settings(), keys=1000, torrents=10, per_key=2)
    known, new = sessions[:1990], sessions[1990:]
    load = Load(announce_address(stack), known)
    await load.announce_all_once()
    await assert_counted(stack, load, known)
    await asyncio.to_thread(
        wait_until,
        lambda: not any(client.xlen(redis_keys.facts(shard)) for shard in range(SHARDS)),
        "the stream is empty",
        20,
    )
    client.config_set("maxmemory", client.info("memory")["used_memory"] - 64 * 1024)
    assert b"no room for more peers" in await answer_to(stack, new[0])

    connection = Connection(*announce_address(stack), Tally())
    for session in known:
        assert b"failure reason" not in await connection.get(session.target() + b"&event=stopped")
        session.acknowledge(session.uploaded)
    connection.close()
    others = Load(announce_address(stack), new)
    await others.announce_all_once(attempts=20)
    await assert_statistics_equal(stack.postgres_settings(), sessions)
    for one in (load, others):
        one.close()


async def scrape(stack: StackRun, session: Session) -> bytes:
    connection = Connection(*announce_address(stack), Tally())
    try:
        hashes = "".join(f"%{byte:02x}" for byte in session.info_hash)
        return await connection.get(f"/{session.key}/scrape?info_hash={hashes}".encode())
    finally:
        connection.close()


async def assert_counted(stack: StackRun, load: Load, sessions: Sequence[Session]) -> None:
    settings, tally = stack.postgres_settings(), load.tally
    await assert_acknowledged_counted(settings, sessions, acknowledged=tally.acknowledged, sent=tally.sent)
