"""Run the benchmark: ``python -m scripts.bench``."""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from scripts.bench.measure import Plan, Target, join_all, run
from scripts.bench.progress import Progress
from scripts.bench.report import show, write_docs
from scripts.bench.results import (
    BESIDE,
    ETRACKER,
    GATEWAY,
    LARGE,
    ONE_SWARM,
    OPENTRACKER,
    PACED,
    SCALE,
    SMALL,
    WEBTORRENT,
    Results,
    describe_machine,
)
from scripts.bench.trackers.etracker import Etracker, etracker
from scripts.bench.trackers.loading import load_catalogue, load_peers
from scripts.bench.trackers.others import opentracker, webtorrent
from scripts.bench.world import Shape, World

BUILD = Path(__file__).parents[2] / "build"
STEADY_RATE = 500.0
SMALL_SHAPE = Shape(SMALL, 10_000, 1_000)


@dataclass(frozen=True, slots=True)
class Size:
    """How much to measure: rounds and announces of a stage, and the large worlds."""

    rounds: int
    announces: int
    steady: int
    growth_rounds: int
    growth_announces: int
    large: Shape
    one_swarm: Shape


FULL = Size(4, 15_000, 3_000, 4, 15_000, Shape(LARGE, 1_000_000, 100_000), Shape(ONE_SWARM, 100_000, 1))
QUICK = Size(2, 3_000, 500, 2, 3_000, Shape(LARGE, 50_000, 5_000), Shape(ONE_SWARM, 10_000, 1))


def main(arguments: Sequence[str]) -> int:
    """Run it, print and keep what it found; return 1 if a bound is missed."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench", description="Measure what an announce costs.")
    parser.add_argument(
        "--quick", action="store_true", help="a rough look in under two minutes, worlds a tenth as large"
    )
    parser.add_argument("--output", type=Path, default=BUILD / "bench.json", help="where the numbers go")
    parser.add_argument("--docs", action="store_true", help="update docs/benchmarks.md and its pictures")
    options = parser.parse_args(arguments)
    results = measure(QUICK if options.quick else FULL)
    results.write(options.output)
    show(results)
    if options.docs:
        write_docs(results)
    return 0 if all(ratio.met for ratio in results.ratios()) else 1


def measure(size: Size) -> Results:
    """Run every stage on trackers of its own."""
    started = time.monotonic()
    results = Results(describe_machine())
    progress = Progress()
    with _workplace() as work, etracker(work, "small") as ours:
        world = World(SMALL_SHAPE)
        load_catalogue(ours, world)
        target = Target(ETRACKER, ours, world)
        join_all([target], progress)
        _beside_others(size, results, progress, target, work)
        _growth(size, results, progress, target, work)
    results.seconds = time.monotonic() - started
    return results


def _beside_others(size: Size, results: Results, progress: Progress, ours: Target, work: Path) -> None:
    with ExitStack() as running:
        worlds = World(SMALL_SHAPE), World(SMALL_SHAPE)
        others = [
            Target(OPENTRACKER, running.enter_context(opentracker(work, worlds[0])), worlds[0]),
            Target(WEBTORRENT, running.enter_context(webtorrent(BUILD, work)), worlds[1]),
        ]
        join_all(others, progress)
        gateway = Target(GATEWAY, ours.tracker, ours.world, _gateway(ours))
        targets = [*others, ours, gateway]
        results.samples += run(Plan(BESIDE, size.rounds, size.announces), targets, progress)
        results.samples += run(Plan(PACED, 1, size.steady, rate=STEADY_RATE), targets, progress)


def _growth(size: Size, results: Results, progress: Progress, small: Target, work: Path) -> None:
    with etracker(work, "large") as tracker:
        targets = [small]
        for shape, name in ((size.large, LARGE), (size.one_swarm, ONE_SWARM)):
            target = Target(name, tracker, World(shape))
            results.memory[name] = _load(target, tracker, progress)
            targets.append(target)
        targets[0] = Target(SMALL, small.tracker, small.world)
        results.samples += run(Plan(SCALE, size.growth_rounds, size.growth_announces), targets, progress)


def _load(target: Target, tracker: Etracker, progress: Progress) -> float:
    shape = target.world.shape
    with progress.stage(f"loading {target.name}", shape.peers) as advance:
        catalogue = load_catalogue(tracker, target.world)
        return load_peers(tracker, target.world, catalogue, advance)


def _gateway(target: Target) -> tuple[str, int]:
    if not isinstance(target.tracker, Etracker):
        raise TypeError(f"{target.name} has no gateway")
    return target.tracker.gateway


@contextmanager
def _workplace() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="etracker-bench-") as directory:
        Path(directory).chmod(0o711)  # Postgres and opentracker run as other users
        yield Path(directory)


raise SystemExit(main(sys.argv[1:]))
