"""The paths of a torrent's files as a whole."""

import re
from collections import Counter
from collections.abc import Sequence

from etracker_admin_api.errors import TorrentError
from etracker_admin_api.torrent_file.fields import CREATE_AGAIN, Path
from etracker_admin_api.torrent_file.names import INVISIBLE, quote_path

MAX_RENAMINGS = 500
"""libtorrent numbers files that have the same name, and refuses a torrent if it has to try more numbers than this."""

_SEPARATORS = re.compile(r"[/\\]")
_WRITTEN_BYTES = 240
_EXTENSION = re.compile(rb"(?:\.[^.]{0,9})?\Z", re.DOTALL)


def check_tree(paths: Sequence[tuple[object, ...]]) -> None:
    """Check that no path occurs twice, and that no file has the path of a folder.

    Raises:
        TorrentError: two entries have the same path.
    """
    files: set[tuple[object, ...]] = set()
    for file in paths:
        if file in files:
            raise TorrentError(f"Two files have the path {quote_path(file)}. {CREATE_AGAIN}")
        files.add(file)
    for file in files:
        for depth in range(1, len(file)):
            if file[:depth] in files:
                raise TorrentError(f"{quote_path(file[:depth])} is both a file and a folder. {CREATE_AGAIN}")


def check_collisions(paths: Sequence[Path]) -> None:
    """Check that the paths of the files differ enough once clients have adapted them to file systems.

    Raises:
        TorrentError: so many names become the same that clients refuse the torrent.
    """
    written = Counter(tuple(map(_written, path)) for path in paths)
    tries = sum((count - 1) * (count - 2) // 2 for count in written.values())
    if tries > MAX_RENAMINGS:
        (path, count), *_ = written.most_common(1)
        raise TorrentError(
            f"Clients would write {count} files as {quote_path(path)}, because the names aren't UTF-8, are too long, or"
            " differ in nothing that clients keep. Rename the files, and create the torrent again."
        )


def _written(part: str) -> bytes:
    """Return a part of a path as libtorrent writes it, in lower case."""
    written = _SEPARATORS.sub("", INVISIBLE.sub("", part)).encode().lower()
    if len(written) <= _WRITTEN_BYTES:
        return written
    extension = _EXTENSION.search(written)
    return written[:_WRITTEN_BYTES] + (extension[0] if extension else b"")
