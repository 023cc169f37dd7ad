"""Run a replay, or an export: ``python -m etracker_scoring.replay``."""

import gc
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from etracker_scoring.replay.errors import ReplayError
from etracker_scoring.replay.export import export
from etracker_scoring.replay.program import Report, replay
from etracker_scoring.replay.settings import ExportSettings, ThresholdSettings
from etracker_shared.plumbing.settings import load_settings

_EPILOG = """
Lines that can't be read are left out, and the first of them are named. Thresholds are read from ETRACKER_ANOMALY_*
and, for --export, the address of Postgres from PGHOST, PGPORT, PGDATABASE, PGUSER and PGPASSWORD. The exit status
is 1 if the compressed data of the log is damaged, so that the verdicts are about a part of it, and 2 if there are none.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status."""
    options = _parse(arguments)
    try:
        report = _run(options)
    except ReplayError as error:
        print(f"etracker: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    for sentence in report.sentences:
        print(sentence, file=sys.stderr)
    return 0 if report.is_whole else 1


def _run(options: Namespace) -> Report:
    if options.export:
        return Report(export(load_settings(ExportSettings), options.export, options.torrents))
    return replay(options.announces, options.torrents, options.out, load_settings(ThresholdSettings).anomaly)


def _parse(arguments: Sequence[str] | None) -> Namespace:
    parser = ArgumentParser(
        "python -m etracker_scoring.replay",
        description="Runs the detector of broken and cheating clients over a log of announces.",
        epilog=_EPILOG,
    )
    work = parser.add_mutually_exclusive_group(required=True)
    work.add_argument("--announces", metavar="FILE", help="log to read, a JSON object per line, also compressed (.gz)")
    work.add_argument("--export", metavar="FILE", help="write the facts that this tracker has kept, as such a log")
    parser.add_argument(
        "--torrents",
        metavar="FILE",
        required=True,
        help="torrents of the log, a JSON object per line; export writes it",
    )
    parser.add_argument("--out", metavar="FILE", help="where to write who is suspected, confirmed or cleared")
    options = parser.parse_args(arguments)
    if options.announces and not options.out:
        parser.error("--announces needs --out")
    if options.export and options.out:
        parser.error("--export writes no verdicts: leave out --out")
    return options


if __name__ == "__main__":
    # Nothing here has cycles: looking for them among millions of tuples would take a third of the time.
    gc.disable()
    sys.exit(main())
