"""Run the experiment: ``python -m lab.real``."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path

from bench.progress import Advance, Progress
from bench.trackers.etracker import Etracker, etracker
from etracker_announce.domain.policies import equilibrium
from lab.real.network import INSIDE, TRACKER, enter, shape
from lab.real.people import make_people, make_torrent, register
from lab.real.report import show, write_docs
from lab.real.results import Results, Run, summarize
from lab.real.swarm import play
from lab.rehearsal import KEPT, RANKED

ROOT = Path(__file__).parents[2]
UPLINK_BITS = 2_000_000
LENGTH = 32 * 2**20
TAU_SECONDS = 30
LIMIT_SECONDS = 300.0

PARAMETERS = replace(equilibrium.DEFAULTS, pace=LENGTH / TAU_SECONDS, tau_bounds=(1.0, 7200.0), interval_bounds=(5, 10))

SCALED = {
    "ETRACKER_INTERVAL_SECONDS": "60",
    "ETRACKER_MIN_INTERVAL_SECONDS": "5",
    "ETRACKER_EQUILIBRIUM_PACE": str(PARAMETERS.pace),
    "ETRACKER_EQUILIBRIUM_TAU_BOUNDS": " ".join(map(str, PARAMETERS.tau_bounds)),
    "ETRACKER_EQUILIBRIUM_INTERVAL_BOUNDS": " ".join(map(str, PARAMETERS.interval_bounds)),
}
"""Time runs about forty times as fast as with the defaults. The announce budget is off too, as in the benchmark."""

PERCENT = 100


def main(arguments: Sequence[str]) -> int:
    """Run the experiment, print and store its results; return 1 if the goal is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m lab.real", description="Measure how policies affect real clients on lines of limited speed."
    )
    parser.add_argument("--runs", type=int, default=5, help="paired runs, some two minutes each")
    parser.add_argument("--policies", nargs="+", default=RANKED, choices=RANKED, help="with random among them")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "equilibrium-real.json")
    parser.add_argument(
        "--docs", action="store_true", help="update the page, its picture and the numbers stored with the sources"
    )
    options = parser.parse_args(arguments)
    if not os.environ.get(INSIDE):
        enter([sys.executable, "-m", "lab.real", *arguments])
    world: dict[str, float] = {
        "uplink_bits": UPLINK_BITS,
        "length_bytes": LENGTH,
        "tau_seconds": TAU_SECONDS,
        "people": len(make_people()),
    }
    results = Results(world, asdict(PARAMETERS), {policy: [] for policy in options.policies})
    shape((person.number, UPLINK_BITS) for person in make_people())
    measure(results, options.runs)
    results.write(options.output)
    show(results)
    if options.docs:
        write_docs(results, ROOT / "docs")
        results.keep(KEPT)
    return 0 if results.met else 1


def measure(results: Results, runs: int) -> None:
    """Run every policy on a tracker of its own, one after the other, ``runs`` times."""
    progress = Progress()
    with tempfile.TemporaryDirectory(prefix="etracker-lab-") as directory, ExitStack() as running:
        work = Path(directory)
        work.chmod(0o711)  # Postgres runs as another user
        environment = {**SCALED, "ETRACKER_ANNOUNCE_HOST": str(TRACKER)}
        trackers = {
            policy: running.enter_context(etracker(work, policy, policy, environment)) for policy in results.runs
        }
        with progress.stage("paired runs", runs * len(trackers) * PERCENT) as bar:
            for number in range(runs):
                for policy, tracker in trackers.items():
                    bar.describe(f"run {number + 1} of {runs}: {policy}")
                    run = _run(tracker, work, number, bar)
                    bar.say(f"run {number + 1}, {policy}: FR/C {run.fr_over_c:.2f}, {run.stranded} stranded")
                    results.runs[policy].append(run)


def _run(tracker: Etracker, work: Path, number: int, bar: Advance) -> Run:
    with tempfile.TemporaryDirectory(dir=work) as directory:
        home = Path(directory)
        torrent = make_torrent(home, f"run {number}", LENGTH)
        people = make_people()
        tracker.run(register(tracker, people, torrent))
        outcome = play(
            tracker,
            people,
            torrent,
            home=home,
            seed=number,
            limit_seconds=LIMIT_SECONDS,
            advance=lambda share: bar(share * PERCENT),
        )
    return summarize(outcome, LIMIT_SECONDS)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
