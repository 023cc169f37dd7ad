"""The parts of a run: which trackers are started, and what is measured of them."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.facts import measure_facts
from bench.measure import Plan, Target, join_all, meet_caches, run
from bench.names import (
    CLUSTER,
    COLD,
    ETRACKER,
    GATEWAY,
    LARGE,
    ONE_SWARM,
    OPENTRACKER,
    OTHERS,
    PACED,
    PLAIN,
    POLICIES,
    SAME_LOAD,
    SCALE,
    SETTLED,
    SMALL,
    UNDER,
    UNGATHERED,
    WEBTORRENT,
    at_commit,
    under,
)
from bench.older import check_out
from bench.progress import Progress
from bench.results import Results
from bench.trackers.clustered import cluster_program, clustered_etracker
from bench.trackers.etracker import Etracker, etracker
from bench.trackers.found import CANDIDATES, look_for, start_candidate
from bench.trackers.loading import load_catalogue, load_peers, tidy
from bench.trackers.others import opentracker, webtorrent
from bench.trackers.processes import StartError
from bench.world import Shape, World

BUILD = Path(__file__).parents[1] / "build"
STEADY_RATE = 500.0
SMALL_SHAPE = Shape(SMALL, 10_000, 1_000)
GATEWAY_SHAPE = Shape(GATEWAY, 10_000, 1_000)

ITSELF = "itself"
PARTS = ("others", ITSELF, "cluster", "growth", "policies", "facts")
"""``itself``: etracker's ways in, without gathering, and at an older commit."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much to measure: rounds and announces per stage, and the size of the large worlds."""

    rounds: int
    announces: int
    steady_rounds: int
    steady: int
    growth_rounds: int
    growth_announces: int
    policy_rounds: int
    large: Shape
    one_swarm: Shape
    fact_rounds: int
    facts: Shape


FULL = Size(
    rounds=3,
    announces=15_000,
    steady_rounds=3,
    steady=2_000,
    growth_rounds=5,
    growth_announces=10_000,
    policy_rounds=5,
    large=Shape(LARGE, 1_000_000, 100_000),
    one_swarm=Shape(ONE_SWARM, 100_000, 1),
    fact_rounds=5,
    facts=Shape(SETTLED, 50_000, 5_000),
)
QUICK = Size(
    rounds=2,
    announces=3_000,
    steady_rounds=1,
    steady=500,
    growth_rounds=2,
    growth_announces=3_000,
    policy_rounds=3,
    large=Shape(LARGE, 50_000, 5_000),
    one_swarm=Shape(ONE_SWARM, 10_000, 1),
    fact_rounds=2,
    facts=Shape(SETTLED, 10_000, 1_000),
)


@dataclass(frozen=True, slots=True)
class Parts:
    """One run. ``only``: the one part to run; ``commit``: an older one to measure too, or nothing."""

    size: Size
    results: Results
    progress: Progress
    work: Path
    only: str | None
    commit: str

    def run(self) -> None:
        """Run the chosen parts, with the smallest etracker in all but the last two."""
        if self.only not in {"policies", "facts"}:
            self.progress.say(f"starting {ETRACKER}")
            with etracker(self.work, "small", PLAIN) as tracker:
                self.results.machine["redis"] = tracker.redis_build()
                self._with_small(tracker)
        if self._includes("policies"):
            self._policies()
        if self._includes("facts"):
            size = self.size
            self.results.facts.extend(measure_facts(size.facts, size.fact_rounds, PLAIN, self.progress, self.work))

    def _includes(self, part: str) -> bool:
        return self.only in (None, part)

    def _with_small(self, tracker: Etracker) -> None:
        ours = list(self._ways(tracker, ETRACKER, GATEWAY))
        if self.only != "growth":
            with ExitStack() as running:
                self._announces([*self._others(running), *ours, *self._itself(running), *self._cluster(running)])
        else:
            join_all(ours, self.progress)
        tidy(tracker)
        if self._includes("growth"):
            self._growth(ours[0])

    def _announces(self, targets: Sequence[Target]) -> None:
        """Measure announces as fast as answers come, and at a steady rate."""
        join_all(targets, self.progress)
        for target in targets:
            if isinstance(target.tracker, Etracker):
                tidy(target.tracker)
        size = self.size
        fast = Plan(OTHERS, size.rounds, size.announces)
        steady = Plan(PACED, size.steady_rounds, size.steady, rate=STEADY_RATE)
        for plan in (fast, steady):
            self.results.samples.extend(run(plan, targets, self.progress))

    def _ways(self, tracker: Etracker, direct: str, gateway: str) -> Iterator[Target]:
        """Return both ways into an etracker, with separate swarms.

        Announce sees this machine's private address for all peers behind the gateway.
        """
        for name, shape, address in ((direct, SMALL_SHAPE, None), (gateway, GATEWAY_SHAPE, tracker.gateway)):
            world = World(shape)
            load_catalogue(tracker, world)
            yield Target(name, tracker, world, address)

    def _others(self, running: ExitStack) -> Iterator[Target]:
        """Start the other trackers."""
        if not self._includes("others"):
            return
        self.progress.say(f"starting {OPENTRACKER} and {WEBTORRENT}")
        world = World(SMALL_SHAPE)
        yield Target(OPENTRACKER, running.enter_context(opentracker(self.work, world)), world)
        yield Target(WEBTORRENT, running.enter_context(webtorrent(BUILD, self.work)), World(SMALL_SHAPE))
        self.results.keeps.update({OPENTRACKER: "nothing", WEBTORRENT: "nothing"})
        found = look_for(CANDIDATES)
        for name, why in found.missing.items():
            self._leave_out(name, why)
        for candidate, programs in found.present:
            self.progress.say(f"starting {candidate.name}")
            world = World(SMALL_SHAPE)
            try:
                tracker = start_candidate(running, candidate, self.work, world, programs)
            except StartError as error:
                self.progress.say(str(error))
                self._leave_out(candidate.name, "didn't start, not measured")
            else:
                self.results.keeps[candidate.name] = candidate.keeps
                yield Target(candidate.name, tracker, world)

    def _itself(self, running: ExitStack) -> Iterator[Target]:
        """Start etracker without gathering, and at the older commit."""
        if not (self._includes(ITSELF) or self.only == "others"):
            return
        self.progress.say(f"starting {UNGATHERED}")
        ungathered = running.enter_context(
            etracker(self.work, "ungathered", PLAIN, {"ETRACKER_ANNOUNCE_GATHER_MS": "0"})
        )
        world = World(SMALL_SHAPE)
        load_catalogue(ungathered, world)
        yield Target(UNGATHERED, ungathered, world)
        if self.commit:
            yield from self._older(running)

    def _older(self, running: ExitStack) -> Iterator[Target]:
        self.progress.say(f"starting {at_commit(ETRACKER, self.commit)}")
        source = check_out(self.commit, self.work / "older-source")
        older = running.enter_context(etracker(self.work, "older", PLAIN, source=source))
        direct, gateway = at_commit(ETRACKER, self.commit), at_commit(GATEWAY, self.commit)
        self.results.commit = self.commit
        self.results.given_then = gateway if older.given == older.gateway else direct
        yield from self._ways(older, direct, gateway)

    def _cluster(self, running: ExitStack) -> Iterator[Target]:
        if not self._includes("cluster"):
            return
        program = cluster_program()
        if program is None:
            self._leave_out(CLUSTER, "redis-server not found on the PATH, not measured")
            return
        self.progress.say(f"starting {CLUSTER}")
        tracker = running.enter_context(clustered_etracker(self.work, "clustered", PLAIN, program))
        world = World(SMALL_SHAPE)
        load_catalogue(tracker, world)
        yield Target(CLUSTER, tracker, world)

    def _leave_out(self, name: str, why: str) -> None:
        self.results.missing[name] = why
        self.progress.say(f"{name}: {why}")

    def _growth(self, small: Target) -> None:
        """Give each world its own tracker, to measure the number of peers and the size of a swarm separately."""
        size, results, progress = self.size, self.results, self.progress
        with ExitStack() as running:
            targets = [Target(SMALL, small.tracker, small.world)]
            for directory, shape in (("large", size.large), ("one-swarm", size.one_swarm)):
                tracker = running.enter_context(etracker(self.work, directory, PLAIN))
                target = Target(shape.name, tracker, World(shape))
                results.memory[target.name] = self._load(target, tracker)
                results.samples.append(meet_caches(Plan(COLD, 1, size.announces), target, progress))
                targets.append(target)
            large = targets[1]
            targets.insert(2, Target(SAME_LOAD, large.tracker, large.world.of_keys(SMALL_SHAPE.keys)))
            results.samples.extend(run(Plan(SCALE, size.growth_rounds, size.growth_announces), targets, progress))

    def _policies(self) -> None:
        """Let the same peers announce to two trackers that differ only in their policy."""
        size, progress = self.size, self.progress
        with ExitStack() as running:
            targets = []
            for policy in POLICIES:
                tracker = running.enter_context(etracker(self.work, policy, policy))
                for shape in (SMALL_SHAPE, size.one_swarm):
                    target = Target(under(policy, shape.name), tracker, World(shape))
                    self._load(target, tracker)
                    targets.append(target)
            join_all(targets, progress)
            targets.sort(key=lambda target: target.world.shape.peers)  # those compared run one after the other
            self.results.samples.extend(run(Plan(UNDER, size.policy_rounds, size.growth_announces), targets, progress))

    def _load(self, target: Target, tracker: Etracker) -> float:
        shape = target.world.shape
        with self.progress.stage(f"loading {target.name}", shape.peers) as advance:
            catalogue = load_catalogue(tracker, target.world)
            return load_peers(tracker, target.world, catalogue, advance)
