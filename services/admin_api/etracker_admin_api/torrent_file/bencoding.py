"""Strict bencoding of torrent files: bounded before decoding, checked to be canonical after it.

Deep nesting costs an attacker two bytes per level and exhausts a recursive decoder, as do integers with a
megabyte of digits. So the shape is measured first, in one pass without recursion.
"""

import re

from fastbencode import bdecode, bencode

from etracker_admin_api.errors import TorrentError, TorrentTooLargeError

MAX_TORRENT_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 100
MAX_TOKENS = 2_000_000
"""Strings, integers, lists, dictionaries and their ends: this bounds the memory of the decoded file."""

_TOKEN = re.compile(rb"([0-9]{1,9}):|i-?[0-9]{1,19}e|[dl]|e")


def decode_torrent(data: bytes) -> dict[bytes, object]:
    """Decode a torrent file into its top-level dictionary.

    Raises:
        TorrentError: too large, malformed, nested too deeply, not canonical, or not a dictionary.
    """
    if len(data) > MAX_TORRENT_BYTES:
        raise TorrentTooLargeError(too_large_message())
    _measure(data)
    try:
        decoded = bdecode(data)
    except ValueError:
        raise TorrentError("The file isn't a torrent: its bencoding is malformed.") from None
    if not isinstance(decoded, dict):
        raise TorrentError("The file isn't a torrent: it doesn't contain a dictionary.")
    if bencode(decoded) != data:
        raise TorrentError("The file isn't canonical bencoding: re-encoding it gives different bytes.")
    return decoded


def encode_torrent(torrent: dict[bytes, object]) -> bytes:
    """Encode a torrent file."""
    encoded: bytes = bencode(torrent)
    return encoded


def too_large_message() -> str:
    """Return the sentence that states the limit."""
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
            raise TorrentError("The file is nested too deeply or has too many parts.")
    if position != end or depth:
        raise TorrentError("The file isn't a torrent: it's truncated.")
