"""The torrents of a log: what is known about their content."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from etracker_scoring.detection.records import Content
from etracker_scoring.replay.errors import FileRefusedError, UnreadableLineError
from etracker_scoring.replay.files import Source
from etracker_shared.agreements.facts import MAX_COUNTER
from etracker_shared.language.identity import InfoHash

_V2_HEX_DIGITS = 64
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FLAGS: Mapping[object, bool] = {
    True: True,
    "true": True,
    "1": True,
    False: False,
    "false": False,
    "0": False,
    "": False,
}


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
    for number, line in source.lines():
        if line.strip():
            try:
                info_hash, torrent = _parse(line)
            except UnreadableLineError as error:
                raise FileRefusedError(f"{source.name}, line {number}: {error}") from error
            torrents[info_hash] = torrent
    if source.damaged_after is not None:
        raise FileRefusedError(f"{source.name}: the compressed data is damaged after line {source.damaged_after}")
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
    content = Content(_size(fields, "size"), _size(fields, "piece_length"), private=_is_private(fields.get("private")))
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
        if line.startswith(_BYTE_ORDER_MARK):
            return parse_object(line[len(_BYTE_ORDER_MARK) :])
        raise UnreadableLineError("it isn't JSON") from None
    if not isinstance(fields, dict):
        raise UnreadableLineError("it isn't a JSON object")
    return fields


def _size(fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if type(value) not in {int, float} or not 0 <= value <= MAX_COUNTER or value != int(value):
        raise UnreadableLineError(f"{name} isn't a number of bytes")
    return int(value) or None


def _is_private(value: object) -> bool:
    if value is None:
        return False
    try:
        return _FLAGS[value.lower() if isinstance(value, str) else value]
    except (KeyError, TypeError):
        raise UnreadableLineError("private is neither true nor false") from None
