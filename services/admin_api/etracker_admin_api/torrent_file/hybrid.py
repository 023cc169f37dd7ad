"""Hybrid torrents: the v1 half lists the same files as the v2 half, with padding between them. Source: BEP 52."""

from collections.abc import Sequence
from itertools import accumulate, zip_longest

from etracker_admin_api.errors import TorrentError
from etracker_admin_api.torrent_file.fields import CREATE_AGAIN
from etracker_admin_api.torrent_file.names import quote_path
from etracker_admin_api.torrent_file.v1 import File, Layout


def check_halves(v1: Layout, v2: Layout, piece_length: int) -> None:
    """Check that both halves describe the same files in the same order, each starting at a piece boundary.

    As in libtorrent, it doesn't matter where an empty file is between its neighbours, or whether the last file is
    padded.

    Raises:
        TorrentError: they differ, or the padding isn't what clients expect.
    """
    _check_files(v1, v2)
    wanted = _padded(v2, piece_length)
    if len(wanted) == len(v1.files) + 1:
        wanted = _without_last_pad(wanted)
    for given, needed in zip_longest(_places(v1.files), _places(wanted)):
        if given != needed:
            raise TorrentError(
                f"The v1 half of the hybrid torrent isn't padded as clients expect, at {(given or needed)[0]}:"
                f" every file must start at a piece boundary. {CREATE_AGAIN}"
            )


def _places(files: Sequence[File]) -> list[tuple[str, int, int]]:
    """Return the path, index and offset of every file that isn't empty, and the number of files and bytes."""
    offsets = list(accumulate((file.length for file in files), initial=0))
    places = [
        (quote_path(file.path), index, offsets[index])
        for index, file in enumerate(files)
        if file.length and not file.is_pad
    ]
    return [*places, ("its end", len(files), offsets[-1])]


def _check_files(v1: Layout, v2: Layout) -> None:
    of_v1 = [file for file in v1.files if not file.is_pad]
    for one, another in zip_longest(of_v1, v2.files):
        if one != another:
            path = (one or another).path
            raise TorrentError(
                f"The v1 and v2 halves of the torrent describe different files, the first of them {quote_path(path)}."
                f" {CREATE_AGAIN}"
            )


def _padded(v2: Layout, piece_length: int) -> list[File]:
    wanted: list[File] = []
    for file in v2.files:
        wanted.append(file)
        if rest := -file.length % piece_length:
            wanted.append(File((".pad", str(rest)), rest, is_pad=True))
    return wanted


def _without_last_pad(wanted: list[File]) -> list[File]:
    """Remove the pad after the last file that isn't empty, if it has one."""
    last = max(place for place, file in enumerate(wanted) if file.length)
    return [*wanted[:last], *wanted[last + 1 :]] if wanted[last].is_pad else wanted
