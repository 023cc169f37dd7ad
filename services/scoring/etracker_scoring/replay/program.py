"""Replay a log: read it, run the detector, write whom it would have flagged."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from secrets import token_bytes

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.replay.announces import AnnounceParser
from etracker_scoring.replay.catalogue import Catalogue
from etracker_scoring.replay.detector import Detector
from etracker_scoring.replay.files import open_source, open_target
from etracker_scoring.replay.progress import show_progress
from etracker_scoring.replay.reading import DISORDER_MS, LogReader
from etracker_scoring.replay.suspects import Change
from etracker_scoring.replay.torrents import read_torrents
from etracker_scoring.replay.verdicts import describe
from etracker_shared.language.clients import is_foreign

_SECRET_BYTES = 32
_STATES = ("suspected", "confirmed", "cleared")


def replay(announces: str, torrents: str, out: str, parameters: DetectionParameters) -> list[str]:
    """Replay a log; return what there is to say about it.

    Raises:
        ReplayError: a file can't be read or written, or its format is wrong.
    """
    with open_source(torrents) as source:
        catalogue = Catalogue(read_torrents(source))
    detector = Detector(catalogue, parameters)
    states: Counter[str] = Counter()
    started = time.perf_counter()
    with open_source(announces) as source, open_target(out) as target, show_progress(source.size) as advance:
        reader = LogReader(source, AnnounceParser(token_bytes(_SECRET_BYTES), is_foreign))
        for changes in _changes(reader, detector):
            for change in changes:
                states[change.state.name.lower()] += 1
                target.write(describe(change, catalogue))
            advance(source.position(), reader.read)
    return [*_warnings(reader, catalogue), *_result(reader.read, states, time.perf_counter() - started)]


def _changes(reader: LogReader, detector: Detector) -> Iterator[Iterable[Change]]:
    for chunk in reader.chunks():
        yield detector.read(chunk)
    yield detector.finish()


def _warnings(reader: LogReader, catalogue: Catalogue) -> Iterator[str]:
    yield from reader.problems
    if reader.unreadable:
        yield f"{reader.unreadable:,} lines couldn't be read and were left out."
    if reader.late:
        yield (
            f"{reader.late:,} lines were more than {DISORDER_MS // 1000} seconds out of order and may have been "
            "judged wrongly: sort the log by time."
        )
    if catalogue.unknown_torrents:
        yield (f"{catalogue.unknown_torrents:,} torrents aren't in the file of torrents; without sizes less is found.")


def _result(read: int, states: Counter[str], seconds: float) -> Iterator[str]:
    yield f"{read:,} announces in {seconds:.1f} s: {read / max(seconds, 1e-9):,.0f} a second."
    yield ", ".join(f"{states[state]:,} {state}" for state in _STATES) + "."
