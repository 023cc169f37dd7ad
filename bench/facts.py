"""How many facts a number of scoring workers settles per second, and what a fact costs each process.

Facts are written to the stream as announce would write them, faster than they can be settled: a round lasts until all
of them are in Postgres. Only one tracker runs at a time, since several would wait for the same cores.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from bench.cpu import cpu_seconds
from bench.progress import Advance, Progress
from bench.trackers.etracker import Etracker, etracker
from bench.trackers.loading import load_catalogue, tidy
from bench.world import Ints, Shape, World, announce_key, info_hash, peer_id
from etracker_shared.agreements import redis_keys
from etracker_shared.agreements.facts import Event, Fact, FactFlag, pack_fact, shard_of
from etracker_shared.language.identity import InfoHash, address_prefix, hash_announce_key

WORKERS = (1, 2, 3)
FACTS_PER_ENTRY = 20
"""About as many as a busy announce process writes at once for one of the 16 shards."""
_EVENTS = (Event.REGULAR, Event.STARTED, Event.STOPPED, Event.COMPLETED)


@dataclass(frozen=True, slots=True)
class FactSample:
    """One round. ``cpu_us``: CPU time per fact in us, by role. ``wal_bytes``: logged by Postgres per fact."""

    workers: int
    facts: int
    facts_per_second: float
    cpu_us: dict[str, float]
    wal_bytes: float


def measure_facts(shape: Shape, rounds: int, policy: str, progress: Progress, work: Path) -> Iterator[FactSample]:
    """Run a tracker for each number of workers; yield each round after the first, in which all sessions begin."""
    with progress.stage("settling facts", (rounds + 1) * len(WORKERS) * shape.peers) as advance:
        for workers in WORKERS:
            advance.describe(f"settling facts: {workers} workers")
            environment = {"ETRACKER_SCORING_WORKERS": str(workers)}
            with etracker(work, f"workers-{workers}", policy, environment) as tracker:
                world = World(shape)
                load_catalogue(tracker, world)
                samples = [_measure(workers, tracker, world, advance) for _ in range(rounds + 1)]
                tracker.verify(world)
            yield from samples[1:]


def _measure(workers: int, tracker: Etracker, world: World, advance: Advance) -> FactSample:
    count = world.shape.peers
    tidy(tracker)
    entries = entries_of(world, count)
    before, logged, began = cpu_seconds(tracker.roles), tracker.run(_logged(tracker)), time.monotonic()
    _write(tracker, entries)
    tracker.settle()
    seconds, after = time.monotonic() - began, cpu_seconds(tracker.roles)
    advance(count)
    return FactSample(
        workers=workers,
        facts=count,
        facts_per_second=count / seconds,
        cpu_us=_by_role({name: (after[name] - before[name]) / count * 1e6 for name in before}),
        wal_bytes=(tracker.run(_logged(tracker)) - logged) / count,
    )


def _by_role(cpu_us: dict[str, float]) -> dict[str, float]:
    sums: dict[str, float] = defaultdict(float)
    for name, spent in cpu_us.items():
        role = name.partition("-")[0]
        sums[role if role in {"scoring_worker", "postgres", "redis"} else "others"] += spent
    return dict(sums)


async def _logged(tracker: Etracker) -> int:
    async with tracker.connection() as connection:
        return int(await connection.fetchval("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"))


def _write(tracker: Etracker, entries: Sequence[tuple[int, bytes]]) -> None:
    with tracker.redis_client() as client:
        for start in range(0, len(entries), 100):
            pipeline = client.pipeline(transaction=False)
            for shard, packed in entries[start : start + 100]:
                pipeline.xadd(redis_keys.facts(shard), {redis_keys.ENTRY_FIELD: packed})
            pipeline.execute()


def entries_of(world: World, count: int) -> list[tuple[int, bytes]]:
    """Return the next facts of a world as entries, each with its shard, in the order of the announces."""
    waiting: dict[int, list[bytes]] = defaultdict(list)
    entries: list[tuple[int, bytes]] = []
    for peers, events in world.steps(count):
        for fact in _facts(world, peers, events):
            facts = waiting[shard_of(fact.key_hash)]
            facts.append(pack_fact(fact))
            if len(facts) == FACTS_PER_ENTRY:
                entries.append((shard_of(fact.key_hash), b"".join(facts)))
                facts.clear()
    return [*entries, *((shard, b"".join(facts)) for shard, facts in waiting.items() if facts)]


def _facts(world: World, peers: Ints, events: Ints) -> Iterator[Fact]:
    shape, now_ms = world.shape, time.time_ns() // 1_000_000
    counters = world.uploaded[peers], world.downloaded[peers], world.left[peers]
    columns = peers, events, world.key_of[peers], world.torrent_of[peers], *counters, world.addresses(peers)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for peer, event, key, torrent, uploaded, downloaded, left, address in rows:
        yield Fact(
            key_hash=hash_announce_key(announce_key(shape, key)),
            info_hash=InfoHash(info_hash(shape, torrent)),
            peer_id=peer_id(peer),
            prefix=address_prefix(IPv4Address(address)),
            at_ms=now_ms,
            uploaded=uploaded,
            downloaded=downloaded,
            left=left,
            corrupt=0,
            redundant=0,
            event=_EVENTS[event],
            flags=FactFlag.NONE,
            interval_seconds=1800,
            seeding_prefixes=16,
            address_hash=address.to_bytes(8, "big"),
            port=20_000 + peer % 40_000,
        )
