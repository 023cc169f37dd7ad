"""Run the benchmark: ``python -m bench``."""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.facts import measure_facts
from bench.measure import Plan, Target, join_all, meet_caches, run
from bench.progress import Progress
from bench.report import show, write_docs
from bench.results import (
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
    SMALL,
    UNDER,
    WEBTORRENT,
    Results,
    describe_machine,
    under,
)
from bench.trackers.etracker import Etracker, etracker
from bench.trackers.loading import load_catalogue, load_peers, tidy
from bench.trackers.others import opentracker, webtorrent
from bench.world import Shape, World

BUILD = Path(__file__).parents[1] / "build"
STEADY_RATE = 500.0
SMALL_SHAPE = Shape(SMALL, 10_000, 1_000)
PARTS = ("others", "growth", "policies", "facts")
FACTS = "peers whose facts are settled"
GATEWAY_SHAPE = Shape(GATEWAY, 10_000, 1_000)


@dataclass(frozen=True, slots=True)
class Size:
    """How much to measure: rounds and announces per stage, and the size of the large worlds."""

    rounds: int
    announces: int
    steady: int
    growth_rounds: int
    growth_announces: int
    policy_rounds: int
    large: Shape
    one_swarm: Shape
    fact_rounds: int
    facts: Shape


FULL = Size(
    3,
    15_000,
    3_000,
    5,
    10_000,
    5,
    Shape(LARGE, 1_000_000, 100_000),
    Shape(ONE_SWARM, 100_000, 1),
    5,
    Shape(FACTS, 50_000, 5_000),
)
QUICK = Size(
    2, 3_000, 500, 2, 3_000, 3, Shape(LARGE, 50_000, 5_000), Shape(ONE_SWARM, 10_000, 1), 2, Shape(FACTS, 10_000, 1_000)
)


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark, print and store its results; return 1 if a bound is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the cost of an announce.")
    parser.add_argument(
        "--quick", action="store_true", help="rough results in under two minutes, with worlds a tenth as large"
    )
    parser.add_argument("--output", type=Path, default=BUILD / "bench.json", help="file for the numbers")
    parser.add_argument("--docs", action="store_true", help="update docs/benchmarks.md and its pictures")
    parser.add_argument("--only", choices=PARTS, help="measure only this part")
    options = parser.parse_args(arguments)
    results = Results(describe_machine())
    try:
        measure(results, QUICK if options.quick else FULL, options.only)
    finally:  # results from before a failure help to find its cause
        show(results)
    results.write(options.output)
    if options.docs:
        write_docs(results)
    return 0 if all(ratio.met for ratio in results.ratios()) else 1


def measure(results: Results, size: Size, only: str | None) -> None:
    """Run each stage with new trackers."""
    started = time.monotonic()
    progress = Progress()
    with _workplace() as work:
        if only in (None, "others", "growth"):
            _plain(size, results, progress, only, work)
        if only in (None, "policies"):
            _policies(size, results, progress, work)
        if only in (None, "facts"):
            results.facts.extend(measure_facts(size.facts, size.fact_rounds, PLAIN, progress, work))
    results.seconds = time.monotonic() - started


def _plain(size: Size, results: Results, progress: Progress, only: str | None, work: Path) -> None:
    with etracker(work, "small", PLAIN) as tracker:
        results.machine["redis"] = tracker.redis_build()
        ours = Target(ETRACKER, tracker, World(SMALL_SHAPE))
        # Announce sees this machine's private address for all peers behind the gateway: they need separate swarms.
        gateway = Target(GATEWAY, tracker, World(GATEWAY_SHAPE), tracker.gateway)
        for target in (ours, gateway):
            load_catalogue(tracker, target.world)
        join_all([ours, gateway], progress)
        tidy(tracker)
        if only != "growth":
            _beside_others(size, results, progress, [ours, gateway], work)
        if only != "others":
            _growth(size, results, progress, ours, work)


def _beside_others(size: Size, results: Results, progress: Progress, ours: Sequence[Target], work: Path) -> None:
    with ExitStack() as running:
        worlds = World(SMALL_SHAPE), World(SMALL_SHAPE)
        others = [
            Target(OPENTRACKER, running.enter_context(opentracker(work, worlds[0])), worlds[0]),
            Target(WEBTORRENT, running.enter_context(webtorrent(BUILD, work)), worlds[1]),
        ]
        join_all(others, progress)
        targets = [*others, *ours]
        results.samples.extend(run(Plan(OTHERS, size.rounds, size.announces), targets, progress))
        results.samples.extend(run(Plan(PACED, 1, size.steady, rate=STEADY_RATE), targets, progress))


def _growth(size: Size, results: Results, progress: Progress, small: Target, work: Path) -> None:
    """Give each world its own tracker, to measure the number of peers and the size of a swarm separately."""
    with ExitStack() as running:
        targets = [Target(SMALL, small.tracker, small.world)]
        for directory, shape in (("large", size.large), ("one-swarm", size.one_swarm)):
            tracker = running.enter_context(etracker(work, directory, PLAIN))
            target = Target(shape.name, tracker, World(shape))
            results.memory[target.name] = _load(target, tracker, progress)
            results.samples.append(meet_caches(Plan(COLD, 1, size.announces), target, progress))
            targets.append(target)
        large = targets[1]
        targets.insert(2, Target(SAME_LOAD, large.tracker, large.world.of_keys(SMALL_SHAPE.keys)))
        results.samples.extend(run(Plan(SCALE, size.growth_rounds, size.growth_announces), targets, progress))


def _policies(size: Size, results: Results, progress: Progress, work: Path) -> None:
    """Let the same peers announce to two trackers that differ only in their policy."""
    with ExitStack() as running:
        targets = []
        for policy in POLICIES:
            tracker = running.enter_context(etracker(work, policy, policy))
            for shape in (SMALL_SHAPE, size.one_swarm):
                target = Target(under(policy, shape.name), tracker, World(shape))
                _load(target, tracker, progress)
                targets.append(target)
        join_all(targets, progress)
        targets.sort(key=lambda target: target.world.shape.peers)  # targets that are compared run one after the other
        results.samples.extend(run(Plan(UNDER, size.policy_rounds, size.growth_announces), targets, progress))


def _load(target: Target, tracker: Etracker, progress: Progress) -> float:
    shape = target.world.shape
    with progress.stage(f"loading {target.name}", shape.peers) as advance:
        catalogue = load_catalogue(tracker, target.world)
        return load_peers(tracker, target.world, catalogue, advance)


@contextmanager
def _workplace() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="etracker-bench-") as directory:
        Path(directory).chmod(0o711)  # Postgres and opentracker run as other users
        yield Path(directory)


raise SystemExit(main(sys.argv[1:]))
