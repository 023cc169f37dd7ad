"""Files of JSON lines, compressed if their name ends with .gz; ``-`` is standard input or output."""

import gzip
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple, cast

from etracker_scoring.replay.errors import FileRefusedError

STANDARD = "-"
_GZIP_MAGIC = b"\x1f\x8b"


class Source(NamedTuple):
    """An open input. ``size``: bytes as stored, None if unknown. ``position``: how many of them have been read."""

    name: str
    lines: Iterator[bytes]
    size: int | None
    position: Callable[[], int]


@contextmanager
def open_source(name: str) -> Iterator[Source]:
    """Open a file for reading, or standard input.

    Raises:
        FileRefusedError: it can't be read, here or while its lines are.
    """
    try:
        if name == STANDARD:
            yield _source("standard input", sys.stdin.buffer, None, lambda: 0)
            return
        with Path(name).open("rb") as raw:
            yield _source(name, raw, os.fstat(raw.fileno()).st_size or None, raw.tell)
    except OSError as error:
        raise FileRefusedError(f"{error.filename or name}: {error.strerror or error}") from error


def _source(name: str, raw: BinaryIO, size: int | None, position: Callable[[], int]) -> Source:
    return Source(name, _lines(name, raw), size, position)


def _lines(name: str, raw: BinaryIO) -> Iterator[bytes]:
    buffered = cast("IO[bytes]", raw)
    is_compressed = raw.peek(2)[:2] == _GZIP_MAGIC  # type: ignore[attr-defined]
    number = 0
    try:
        for line in gzip.GzipFile(fileobj=buffered) if is_compressed else buffered:
            number += 1
            yield line
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FileRefusedError(f"{name}: the compressed data is damaged after line {number}") from error


@contextmanager
def open_target(name: str) -> Iterator[BinaryIO]:
    """Open a file for writing, or standard output. The file appears under its name only when it is complete.

    Raises:
        FileRefusedError: it can't be written.
    """
    if name == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    unfinished = Path(f"{name}.unfinished")
    try:
        with unfinished.open("wb") as raw:
            if name.endswith(".gz"):
                # Without a time and a name in its header, the same content gives the same file.
                with gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
                    yield cast("BinaryIO", packed)
            else:
                yield raw
        unfinished.replace(name)
    except OSError as error:
        raise FileRefusedError(f"{name}: {error.strerror or error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
