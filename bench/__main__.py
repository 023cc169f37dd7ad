"""Run the benchmark: ``python -m bench``."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.older import short_name
from bench.parts import BUILD, FULL, PARTS, QUICK, Parts
from bench.progress import Progress
from bench.report import show, write_docs
from bench.results import Results, describe_machine


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark, print and store its results; return 1 if a bound is missed."""
    options = _parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what was started is stopped
    results = Results(describe_machine())
    commit = short_name(options.compare) if options.compare else ""
    started = time.monotonic()
    try:
        with _workplace() as work:
            Parts(QUICK if options.quick else FULL, results, Progress(), work, options.only, commit).run()
    finally:  # results from before a failure help to find its cause
        results.seconds = time.monotonic() - started
        show(results)
    results.write(options.output)
    if options.docs:
        write_docs(results)
    return 0 if all(verdict.met for verdict in results.verdicts()) else 1


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the cost of an announce.")
    parser.add_argument(
        "--quick", action="store_true", help="rough results in three minutes, with worlds a tenth as large"
    )
    parser.add_argument("--output", type=Path, default=BUILD / "bench.json", help="file for the numbers")
    parser.add_argument("--docs", action="store_true", help="update docs/benchmarks.md and its pictures")
    parser.add_argument("--only", choices=PARTS, help="measure only this part")
    parser.add_argument("--compare", metavar="COMMIT", help="measure etracker at this commit in the same rounds")
    return parser.parse_args(arguments)


@contextmanager
def _workplace() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="etracker-bench-") as directory:
        Path(directory).chmod(0o711)  # Postgres and opentracker run as other users
        yield Path(directory)


raise SystemExit(main(sys.argv[1:]))
