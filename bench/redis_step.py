"""Measure the swarm step alone: CPU time of Redis and of the client per announce, and memory per peer.

    python bench/redis_step.py [REDIS_SERVER]

Starts its own Redis with an append-only file, fills swarms of several sizes, and announces in batches
of 50, each with a fact, as a busy announce process does. The client's share includes everything from the
:class:`Step` to the :class:`View`.
"""

import argparse
import asyncio
import hashlib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

import redis

from etracker_announce.adapters.swarms import RedisSwarms, connect_swarms
from etracker_announce.domain.presence import Pace
from etracker_announce.domain.swarm import PeerFlag, Role, Step
from etracker_shared.agreements.facts import FACT_SIZE
from etracker_shared.language.identity import InfoHash, KeyHash
from etracker_shared.plumbing.settings import RedisSettings

BATCH = 50
ANNOUNCES = 4_000
ROUNDS = 5
INTERVAL_SECONDS = 1_800
WINDOW = 100
SIZES = (1, 40, 1_000, 100_000)
PACE = Pace(longest_gap=2_970, idle=0.25)
FACT = bytes(FACT_SIZE)


def make_step(swarm: int, peer: int, *, now: int, window: int = WINDOW) -> Step:
    """Make the announce of a peer; every tenth peer is a seeder, and every other leecher makes progress with time."""
    digest = hashlib.sha256(b"%d/%d" % (swarm, peer)).digest()
    return Step(
        info_hash=InfoHash(hashlib.sha1(b"%d" % swarm, usedforsecurity=False).digest()),
        key_hash=KeyHash(digest[:16]),
        peer_id=b"-BN0001-%012d" % peer,
        pair_hash=int.from_bytes(digest[:4], "little"),
        endpoint=(0x0A000000 + peer).to_bytes(4, "big") + b"\x1a\xe1",
        role=Role.SEEDER if peer % 10 == 9 else Role.LEECHER,
        tier=2,
        flags=PeerFlag.NONE,
        left=2**32 - now if peer % 2 else 1_000,
        pace=PACE,
        stopped=False,
        window=window,
        window_seed=int.from_bytes(digest[8:12], "little"),
        rivals=0,
        witnesses=0,
        now=now,
    )


async def announce_all(swarms: RedisSwarms, steps: Iterable[Step], fact: bytes | None) -> None:
    """Announce in batches of :data:`BATCH`."""
    batch: list[Step] = []
    for step in steps:
        batch.append(step)
        if len(batch) == BATCH:
            await asyncio.gather(*[swarms.announce(step, fact) for step in batch])
            batch.clear()
    await asyncio.gather(*[swarms.announce(step, fact) for step in batch])


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and its threads, to the nanosecond."""
    return sum(int(task.read_text().split()[0]) for task in Path("/proc", str(pid), "task").glob("*/schedstat")) / 1e9


async def fill(swarms: RedisSwarms, count: int, size: int, now: int) -> None:
    """Fill ``count`` swarms with ``size`` peers each, adding one peer to every swarm in turn."""
    await announce_all(swarms, (make_step(s, p, now=now, window=0) for p in range(size) for s in range(count)), None)


async def measure_cost(swarms: RedisSwarms, pid: int, size: int, window: int) -> tuple[float, float, float]:
    """Return the CPU time per announce of Redis and of this process (us), and announces per second, at one swarm size.

    The best of several rounds counts, since other work on the machine can only add to the time. Peers announce once per
    interval, and none expires in a few rounds.
    """
    now = int(time.time())
    count = max(1, 1_000 // size)
    await fill(swarms, count, size, now)
    places = [(i % count, (i // count * 7919) % size) for i in range(ANNOUNCES)]
    rounds = []
    for number in range(1, ROUNDS + 1):
        begin = now + number * INTERVAL_SECONDS
        steps = [
            make_step(swarm, peer, now=begin + i * INTERVAL_SECONDS // ANNOUNCES, window=window)
            for i, (swarm, peer) in enumerate(places)
        ]
        rounds.append(await measure_round(swarms, pid, steps))
    redis_seconds, own_seconds, wall_seconds = (min(column) for column in zip(*rounds, strict=True))
    return redis_seconds / ANNOUNCES * 1e6, own_seconds / ANNOUNCES * 1e6, ANNOUNCES / wall_seconds


async def measure_round(swarms: RedisSwarms, pid: int, steps: Sequence[Step]) -> tuple[float, float, float]:
    """Return CPU seconds of Redis and of this process, and the elapsed seconds."""
    redis_before, own_before, begun = cpu_seconds(pid), time.process_time(), time.perf_counter()
    await announce_all(swarms, steps, FACT)
    return cpu_seconds(pid) - redis_before, time.process_time() - own_before, time.perf_counter() - begun


async def measure(settings: RedisSettings, pid: int, client: "redis.Redis") -> None:
    """Measure and print everything."""
    swarms = connect_swarms(
        settings,
        peers_per_key=5,
        peers_per_address=16,
        peer_lifetime_seconds=86_400,
        sweep_seconds=900,
        sweep_budget=1_000,
        stream_max_bytes=2**31,
        on_batch=lambda size: None,  # noqa: ARG005 - not counted here
        on_refused_writes=lambda refused: None,  # noqa: ARG005 - not counted here
    )
    await swarms.start()
    try:
        print("swarm size  window   Redis us   client us   announces/s")
        for window in (0, WINDOW):
            for size in SIZES:
                client.flushall()
                redis_us, client_us, rate = await measure_cost(swarms, pid, size, window)
                print(f"{size:>10}  {window:>6}  {redis_us:>9.1f}  {client_us:>10.1f}  {rate:>12.0f}")
        print("swarms of    peers   bytes/peer")
        for count, size in ((1_000, 10), (1_000, 100), (1, 100_000)):
            client.flushall()
            client.memory_purge()
            before = int(client.info("memory")["used_memory"])
            await fill(swarms, count, size, int(time.time()))
            used = int(client.info("memory")["used_memory"]) - before
            print(f"{count:>9} {size:>8}  {used / count / size:>13.0f}")
    finally:
        await swarms.close()


def start_redis(program: str, directory: str, port: int) -> "subprocess.Popen[bytes]":
    """Start a Redis with the settings of a deployment."""
    return subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", directory, "--save", "", "--appendonly", "yes"],
        stdout=subprocess.DEVNULL,
    )


def main(arguments: Sequence[str]) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default="redis-server")
    program = parser.parse_args(arguments).program
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="etracker-bench-"))
        server = stack.enter_context(start_redis(program, directory, port))
        stack.callback(server.terminate)
        client = stack.enter_context(redis.Redis(port=port))
        while not _answers(client):
            time.sleep(0.05)
        settings = RedisSettings(redis_url=f"redis://127.0.0.1:{port}/0")
        asyncio.run(measure(settings, server.pid, client))


def _answers(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


if __name__ == "__main__":
    main(sys.argv[1:])
