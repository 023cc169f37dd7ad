"""Rounds: the same number of announces to each target in turn, CPU time read before and after."""

import re
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.answers import judge, refused
from bench.cpu import cpu_seconds
from bench.load import LoadGenerator
from bench.progress import Advance, Progress
from bench.trackers.base import Tracker
from bench.world import World

KEEP_ALIVE = "keep-alive"
NEW_CONNECTION = "new connection"
MODES = (KEEP_ALIVE, NEW_CONNECTION)
CONNECTIONS = 32
MANY_CONNECTIONS = 256
ATTEMPTS = 5
PAUSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Target:
    """A tracker with its own world. ``address``: where announces are sent, if not to the tracker's own port."""

    name: str
    tracker: Tracker
    world: World
    address: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One round of one target. CPU times are in microseconds per announce, by role; latencies are in milliseconds.

    ``rate``: the requested announces per second; None: as many as possible.
    """

    stage: str
    target: str
    mode: str
    rate: float | None
    announces: int
    announces_per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: dict[str, float]
    peers_per_answer: float
    answer_bytes: float
    connections: int
    resent: int

    @property
    def total_cpu_us(self) -> float:
        """CPU time per announce over all processes."""
        return sum(self.cpu_us.values())


@dataclass(frozen=True, slots=True)
class Plan:
    """A stage: each target is measured ``rounds`` times in each mode, with ``announces`` announces per round."""

    stage: str
    rounds: int
    announces: int
    modes: Sequence[str] = MODES
    rate: float | None = None

    def size(self, targets: int) -> int:
        """Return how many announces the stage sends."""
        return self.rounds * self.announces * len(self.modes) * targets


def run(plan: Plan, targets: Sequence[Target], progress: Progress) -> Iterator[Sample]:
    """Measure the targets in turn, round after round, so that fluctuations of the machine affect all of them."""
    with progress.stage(plan.stage, plan.size(len(targets))) as advance:
        for _ in range(plan.rounds):
            for mode in plan.modes:
                for target in targets:
                    advance.describe(f"{plan.stage}: {target.name}, {mode}")
                    yield _measure(plan, target, mode, advance)


def _measure(plan: Plan, target: Target, mode: str, advance: Advance) -> Sample:
    requests = target.world.announces(plan.announces, target.tracker, close=mode == NEW_CONNECTION)
    return _sample(plan, target, mode, requests, advance)


def _sample(plan: Plan, target: Target, mode: str, requests: Sequence[bytes], advance: Advance) -> Sample:
    tracker, count = target.tracker, len(requests)
    address = target.address or tracker.address
    load = LoadGenerator(address, requests, CONNECTIONS, mode == KEEP_ALIVE, plan.rate, advance)
    before = cpu_seconds(tracker.roles)
    outcome = load.run()
    judged = judge(outcome.answers, sorted_keys=tracker.sorts_keys)
    tracker.settle()
    after = cpu_seconds(tracker.roles)
    tracker.verify(target.world)
    latencies = statistics.quantiles(outcome.latencies, n=100)
    return Sample(
        stage=plan.stage,
        target=target.name,
        mode=mode,
        rate=plan.rate,
        announces=count,
        announces_per_second=count / outcome.seconds,
        p50_ms=latencies[49] * 1e3,
        p99_ms=latencies[98] * 1e3,
        cpu_us=_by_kind({role: (after[role] - before[role]) / count * 1e6 for role in before}),
        peers_per_answer=judged.peers,
        answer_bytes=judged.size,
        connections=outcome.connections,
        resent=outcome.resent,
    )


def _by_kind(cpu_us: Mapping[str, float]) -> dict[str, float]:
    """Add up the roles that differ only in their number: the replicas of a service, the masters of a cluster."""
    sums: dict[str, float] = {}
    for role, spent in cpu_us.items():
        kind = re.sub(r"-\d+$", "", role)
        sums[kind] = sums.get(kind, 0.0) + spent
    return sums


def meet_caches(plan: Plan, target: Target, progress: Progress) -> Sample:
    """Fill the caches with every key and torrent; measure the first announces, as many as the plan says.

    Every peer announces twice. If scoring doesn't answer in time, as in the first rush, the second announce asks again.
    """
    world, tracker = target.world, target.tracker
    peers = world.first_announces()
    measured, rest = peers[: plan.announces], peers[plan.announces :]
    with progress.stage(plan.stage, 2 * len(peers)) as advance:
        advance.describe(f"{plan.stage}: {target.name}")
        sample = _sample(plan, target, KEEP_ALIVE, world.announces_of(measured, tracker), advance)
        _insist(target, world.announces_of(rest, tracker), MANY_CONNECTIONS, advance)
        _insist(target, world.announces_of(peers, tracker), CONNECTIONS, advance)
    return sample


def join_all(targets: Sequence[Target], progress: Progress) -> None:
    """Let every peer of each world announce once, so that rounds begin with full swarms and warm caches."""
    for target in targets:
        count = target.world.shape.peers
        with progress.stage(f"joining {target.name}", count) as advance:
            requests = target.world.announces(count, target.tracker, close=False)
            _insist(target, requests, CONNECTIONS, advance)


def _insist(target: Target, requests: Sequence[bytes], connections: int, advance: Advance) -> None:
    """Send announces that aren't measured. After a temporary failure they are sent again, as a real client would do."""
    address, answers = target.address or target.tracker.address, list[bytes]()
    sorts_keys = target.tracker.sorts_keys
    for _ in range(ATTEMPTS):
        answers = LoadGenerator(address, requests, connections, reuse=True, on_answer=advance).run().answers
        requests = [requests[index] for index in refused(answers, sorted_keys=sorts_keys)]
        if not requests:
            break
        time.sleep(PAUSE_SECONDS)
    else:
        judge(answers, sorted_keys=sorts_keys)
    target.tracker.settle()
    target.tracker.verify(target.world)
