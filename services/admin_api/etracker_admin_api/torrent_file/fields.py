"""Fields of bencoded dictionaries, read as the type they must have."""

from etracker_admin_api.errors import TorrentError
from etracker_admin_api.torrent_file.names import parse_component

Dictionary = dict[bytes, object]
Path = tuple[str, ...]

MAX_LENGTH = 2**50
"""Bytes of a file or a torrent: 1 PiB."""
MAX_FILES = 100_000
MAX_PATH_DEPTH = 64


def dictionary(value: object, what: str) -> Dictionary:
    """Return a dictionary.

    Raises:
        TorrentError: it is something else.
    """
    if not isinstance(value, dict):
        raise TorrentError(f"{what} is missing or isn't a dictionary.")
    return value


def string(value: object, what: str) -> bytes:
    """Return a byte string.

    Raises:
        TorrentError: it is something else.
    """
    if not isinstance(value, bytes):
        raise TorrentError(f"{what} is missing or isn't a string.")
    return value


def length(value: object, what: str) -> int:
    """Return a number of bytes, 0 to 1 PiB.

    Raises:
        TorrentError: it is something else.
    """
    if not isinstance(value, int):
        raise TorrentError(f"{what} is missing or isn't a number.")
    if not 0 <= value <= MAX_LENGTH:
        raise TorrentError(f"{what} is negative or too large.")
    return value


def path(value: object, what: str) -> Path:
    """Return a relative path of clean components.

    Raises:
        TorrentError: it is something else, or points outside its folder.
    """
    if not isinstance(value, list) or not value:
        raise TorrentError(f"{what} is missing or isn't a list.")
    if len(value) > MAX_PATH_DEPTH:
        raise TorrentError(f"{what} is nested too deeply.")
    return tuple(parse_component(component, what) for component in value)


def check_tree(paths: list[Path]) -> None:
    """Check that no path occurs twice, and that no file has the path of a folder.

    Raises:
        TorrentError: two entries have the same path.
    """
    files = set(paths)
    if len(files) != len(paths):
        raise TorrentError("Two files in the torrent have the same path.")
    for file in files:
        for depth in range(1, len(file)):
            if file[:depth] in files:
                raise TorrentError("A file in the torrent has the same path as a folder.")
