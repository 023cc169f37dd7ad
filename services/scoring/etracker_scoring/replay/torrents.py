"""The torrents of a log: what is known about their content."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from etracker_scoring.detection.records import Content
from etracker_scoring.replay.errors import FileRefusedError, UnreadableLineError
from etracker_scoring.replay.files import Source
from etracker_shared.language.identity import InfoHash

_V2_HEX_DIGITS = 64


class LoggedTorrent(NamedTuple):
    """``same_as``: the torrent whose other infohash this is, v1 or v2; None if it stands for itself."""

    content: Content
    same_as: InfoHash | None = None


def read_torrents(source: Source) -> dict[InfoHash, LoggedTorrent]:
    """Read a file of torrents. A single wrong line is refused: without its torrent's size, verdicts would differ.

    Raises:
        FileRefusedError: a line is wrong.
    """
    torrents: dict[InfoHash, LoggedTorrent] = {}
    for number, line in enumerate(source.lines, 1):
        if line.strip():
            try:
                info_hash, torrent = _parse(line)
            except UnreadableLineError as error:
                raise FileRefusedError(f"{source.name}, line {number}: {error}") from error
            torrents[info_hash] = torrent
    return torrents


def parse_info_hash(value: object) -> InfoHash:
    """Parse an infohash in hex; a v2 one is shortened, as clients announce it.

    Raises:
        UnreadableLineError: it isn't one.
    """
    if isinstance(value, str) and len(value) in {40, _V2_HEX_DIGITS}:
        try:
            return InfoHash(bytes.fromhex(value)[:20])
        except ValueError:
            pass
    raise UnreadableLineError("info_hash isn't 40 hex digits")


def _parse(line: bytes) -> tuple[InfoHash, LoggedTorrent]:
    fields = parse_object(line)
    private = fields.get("private") or False
    if private not in (False, True):
        raise UnreadableLineError("private is neither true nor false")
    content = Content(_size(fields, "size"), _size(fields, "piece_length"), private=bool(private))
    same_as = fields.get("same_as")
    kept = None if same_as is None else parse_info_hash(same_as)
    return parse_info_hash(fields.get("info_hash")), LoggedTorrent(content, kept)


def parse_object(line: bytes) -> Mapping[str, Any]:
    """Parse a line as a JSON object.

    Raises:
        UnreadableLineError: it isn't one.
    """
    try:
        fields = json.loads(line.decode())  # faster than with bytes, whose encoding it would guess
    except (ValueError, RecursionError):
        raise UnreadableLineError("it isn't JSON") from None
    if not isinstance(fields, dict):
        raise UnreadableLineError("it isn't a JSON object")
    return fields


def _size(fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if type(value) not in {int, float} or value < 0 or value != int(value):
        raise UnreadableLineError(f"{name} isn't a number of bytes")
    return int(value) or None
