"""Bring the lines of a log in order of time, on disk: a log may be larger than memory."""

import json
import struct
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from heapq import merge
from itertools import islice
from tempfile import TemporaryFile
from typing import IO

RUN_LINES = 250_000
"""Lines that are sorted in memory."""

_HEAD = struct.Struct("<dQI")
_Dated = tuple[float, int, bytes]

NumberedLine = tuple[int, bytes]


def sort_lines(lines: Iterable[NumberedLine], run_lines: int = RUN_LINES) -> Iterator[NumberedLine]:
    """Yield lines in order of their times; those of one time, and those without one, stay behind the line before."""
    with ExitStack() as files:
        dated = _date(lines)
        runs: list[Iterable[_Dated]] = []
        while run := sorted(islice(dated, run_lines)):
            runs.append(run if len(run) < run_lines and not runs else _spill(run, files))
        for _, number, line in merge(*runs):
            yield number, line


def _date(lines: Iterable[NumberedLine]) -> Iterator[_Dated]:
    last = 0.0
    for number, line in lines:
        last = _time_of(line, last)
        yield last, number, line


def _time_of(line: bytes, default: float) -> float:
    try:
        return float(json.loads(line)["time"])
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError):
        return default


def _spill(run: list[_Dated], files: ExitStack) -> Iterator[_Dated]:
    file = files.enter_context(TemporaryFile())  # noqa: SIM115 - it is read after the return
    for at, number, line in run:
        file.write(_HEAD.pack(at, number, len(line)) + line)
    file.seek(0)
    return _read(file)


def _read(file: IO[bytes]) -> Iterator[_Dated]:
    while head := file.read(_HEAD.size):
        at, number, length = _HEAD.unpack(head)
        yield at, number, file.read(length)
