"""Files of JSON lines, compressed if their name ends with .gz; ``-`` is standard input or output."""

import gzip
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from etracker_scoring.replay.errors import FileRefusedError

STANDARD = "-"
_GZIP_MAGIC = b"\x1f\x8b"


class Source:
    """An open input. ``size``: bytes as stored, None if unknown. ``position``: how many of them have been read.

    ``damaged_after``: the number of lines before the place where its compressed data is damaged, or ends too early.
    """

    def __init__(self, name: str, raw: BinaryIO, size: int | None, position: Callable[[], int]) -> None:
        self.name = name
        self.size = size
        self.position = position
        self.damaged_after: int | None = None
        self._raw = raw

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield its lines and their numbers."""
        buffered = cast("IO[bytes]", self._raw)
        is_compressed = self._raw.peek(2)[:2] == _GZIP_MAGIC  # type: ignore[attr-defined]
        number = 0
        try:
            for number, line in enumerate(gzip.GzipFile(fileobj=buffered) if is_compressed else buffered, 1):
                yield number, line
        except (EOFError, gzip.BadGzipFile, zlib.error):
            self.damaged_after = number


@contextmanager
def open_source(name: str) -> Iterator[Source]:
    """Open a file for reading, or standard input.

    Raises:
        FileRefusedError: it can't be read, here or while its lines are.
    """
    try:
        if name == STANDARD:
            yield Source("standard input", sys.stdin.buffer, None, lambda: 0)
            return
        with Path(name).open("rb") as raw:
            yield Source(name, raw, os.fstat(raw.fileno()).st_size or None, raw.tell)
    except OSError as error:
        raise FileRefusedError(f"{error.filename or name}: {error.strerror or error}") from error


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
    if Path(name).is_dir():
        raise FileRefusedError(f"{name} is a directory")
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
