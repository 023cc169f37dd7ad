"""Replay a log: read it, run the detector, write whom it would have flagged."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from secrets import token_bytes
from typing import NamedTuple

from etracker_scoring.detection.parameters import DetectionParameters
from etracker_scoring.replay.announces import AnnounceParser
from etracker_scoring.replay.catalogue import Catalogue
from etracker_scoring.replay.detector import Detector
from etracker_scoring.replay.errors import FileRefusedError, UnsortedLogError
from etracker_scoring.replay.files import STANDARD, Source, open_source, open_target
from etracker_scoring.replay.progress import show_progress
from etracker_scoring.replay.reading import DISORDER_MS, LogReader
from etracker_scoring.replay.sorting import sort_lines
from etracker_scoring.replay.suspects import Change
from etracker_scoring.replay.torrents import read_torrents
from etracker_scoring.replay.verdicts import describe
from etracker_shared.language.clients import is_foreign

_SECRET_BYTES = 32
_STATES = ("suspected", "confirmed", "cleared")


class Report(NamedTuple):
    """What there is to say about a replay. ``is_whole``: the log could be read to its end."""

    sentences: list[str]
    is_whole: bool = True


def replay(announces: str, torrents: str, out: str, parameters: DetectionParameters) -> Report:
    """Replay a log; sort it first if it isn't in order of time.

    Raises:
        ReplayError: a file can't be read or written, or its format is wrong.
    """
    if out != STANDARD and Path(out).resolve() in {Path(name).resolve() for name in (announces, torrents)}:
        raise FileRefusedError(f"{out} is one of the files to read")
    try:
        return _replay(announces, torrents, out, parameters)
    except UnsortedLogError as error:
        report = _replay(announces, torrents, out, parameters, sorts=True)
        return report._replace(sentences=[f"{error}: its lines were sorted first.", *report.sentences])


def _replay(announces: str, torrents: str, out: str, parameters: DetectionParameters, *, sorts: bool = False) -> Report:
    with open_source(torrents) as source:
        catalogue = Catalogue(read_torrents(source))
    detector = Detector(catalogue, parameters)
    states: Counter[str] = Counter()
    started = time.perf_counter()
    with open_source(announces) as source, open_target(out) as target, show_progress(source.size) as advance:
        lines = sort_lines(source.lines()) if sorts else source.lines()
        parser = AnnounceParser(token_bytes(_SECRET_BYTES), is_foreign)
        # What came from standard input can't be read again.
        reader = LogReader(source.name, lines, parser, accepts_late=sorts or announces == STANDARD)
        for changes in _changes(reader, detector):
            for change in changes:
                states[change.state.name.lower()] += 1
                target.write(describe(change, catalogue))
            advance(source.position(), reader.read)
        if source.damaged_after is not None and not reader.read:
            raise FileRefusedError(f"{announces}: the compressed data is damaged")
    said = [*_warnings(reader, source, catalogue), *_result(reader.read, states, time.perf_counter() - started)]
    return Report(said, is_whole=source.damaged_after is None)


def _changes(reader: LogReader, detector: Detector) -> Iterator[Iterable[Change]]:
    for chunk in reader.chunks():
        yield detector.read(chunk)
    yield detector.finish()


def _warnings(reader: LogReader, source: Source, catalogue: Catalogue) -> Iterator[str]:
    yield from reader.problems
    if source.damaged_after is not None:
        yield (
            f"{source.name}: the compressed data is damaged after line {source.damaged_after:,}. "
            "The verdicts are about the lines before."
        )
    if reader.unreadable:
        yield f"{reader.unreadable:,} lines couldn't be read and were left out."
    if reader.late:
        yield (
            f"{reader.late:,} lines were more than {DISORDER_MS // 1000} seconds out of order and may have been "
            "judged wrongly: sort the log by time."
        )
    if catalogue.unknown_torrents:
        count = f"{catalogue.unknown_torrents:,}"
        yield f"Torrents of the log that aren't in their file: {count}. Without sizes less is found."


def _result(read: int, states: Counter[str], seconds: float) -> Iterator[str]:
    yield f"{read:,} announces in {seconds:.1f} s: {read / max(seconds, 1e-9):,.0f} a second."
    yield ", ".join(f"{states[state]:,} {state}" for state in _STATES) + "."
