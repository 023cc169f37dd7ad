"""Bencoded torrent files, strictly: bounded before they are decoded, canonical after.

A decoder that recurses can be driven into the ground by two bytes a level, and one that makes big
integers by a megabyte of digits, so the shape is measured first, in one pass without recursion.
"""

import re

from fastbencode import bdecode, bencode

from etracker_admin_api.domain.errors import TorrentError, TorrentTooLargeError

MAX_TORRENT_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 100
MAX_TOKENS = 2_000_000
"""Strings, integers, lists, dictionaries and their ends: what bounds the memory of the decoded file."""

_TOKEN = re.compile(rb"([0-9]{1,9}):|i-?[0-9]{1,19}e|[dl]|e")


def decode_torrent(data: bytes) -> dict[bytes, object]:
    """Decode a torrent file into its top-level dictionary.

    Raises:
        TorrentError: too large, malformed, too deep, not canonical, or no dictionary.
    """
    if len(data) > MAX_TORRENT_BYTES:
        raise TorrentTooLargeError(too_large_message())
    _measure(data)
    try:
        decoded = bdecode(data)
    except ValueError:
        raise TorrentError("The file isn't a torrent: its bencoding is malformed.") from None
    if not isinstance(decoded, dict):
        raise TorrentError("The file isn't a torrent: it holds no dictionary.")
    if bencode(decoded) != data:
        raise TorrentError("The file isn't canonical bencoding: encoding it again gives other bytes.")
    return decoded


def encode_torrent(torrent: dict[bytes, object]) -> bytes:
    """Encode a torrent file."""
    encoded: bytes = bencode(torrent)
    return encoded


def too_large_message() -> str:
    """Say what the limit is."""
    return f"The file is larger than {MAX_TORRENT_BYTES // 1024 // 1024} MiB."


def _measure(data: bytes) -> None:
    position = depth = tokens = 0
    end = len(data)
    while position < end:
        token = _TOKEN.match(data, position)
        if token is None:
            raise TorrentError("The file isn't a torrent: its bencoding is malformed.")
        position = token.end()
        tokens += 1
        if token[1] is not None:
            position += int(token[1])
        elif token[0] == b"e":
            depth -= 1
        elif token[0] in {b"d", b"l"}:
            depth += 1
        if depth > MAX_DEPTH or tokens > MAX_TOKENS:
            raise TorrentError("The file isn't accepted: it is nested too deeply or has too many parts.")
    if position != end or depth:
        raise TorrentError("The file isn't a torrent: it ends too early.")
