"""The v1 half of an info dictionary: ``pieces`` with ``length`` or ``files``. Source: BEP 3, BEP 47."""

from dataclasses import dataclass

from etracker_admin_api.errors import TorrentError
from etracker_admin_api.torrent_file import fields
from etracker_admin_api.torrent_file.fields import Dictionary, Path

_SHA1_BYTES = 20


@dataclass(frozen=True, slots=True)
class File:
    """One file: ``path`` from the torrent's folder, ``length`` in bytes, ``offset`` in the v1 byte stream."""

    path: Path
    length: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """The real files, padding left out; ``stream_length`` counts padding too."""

    files: tuple[File, ...]
    stream_length: int

    @property
    def length(self) -> int:
        """Bytes of content."""
        return sum(file.length for file in self.files)


def parse_v1(info: Dictionary, name: str, piece_length: int) -> Layout:
    """Parse the v1 layout and check that ``pieces`` covers it exactly.

    Raises:
        TorrentError: fields are missing, out of range or contradict each other.
    """
    if (b"length" in info) == (b"files" in info):
        raise TorrentError("The info dictionary must have either length or files.")
    layout = _files(info[b"files"]) if b"files" in info else _single(info, name)
    pieces = fields.string(info.get(b"pieces"), "The pieces field")
    if len(pieces) != -(-layout.stream_length // piece_length) * _SHA1_BYTES:
        raise TorrentError("The pieces field doesn't match the size and piece length.")
    return layout


def _single(info: Dictionary, name: str) -> Layout:
    size = fields.length(info[b"length"], "The length field")
    return Layout((File((name,), size),), size)


def _files(value: object) -> Layout:
    if not isinstance(value, list) or not value:
        raise TorrentError("The files field is empty or isn't a list.")
    if len(value) > fields.MAX_FILES:
        raise TorrentError(f"The torrent has more than {fields.MAX_FILES} files.")
    files: list[File] = []
    offset = 0
    for item in value:
        entry = fields.dictionary(item, "An entry in files")
        file = File(
            fields.path(entry.get(b"path"), "A path in files"),
            fields.length(entry.get(b"length"), "A file's length"),
            offset,
        )
        if b"symlink path" in entry:
            fields.path(entry[b"symlink path"], "A symlink's target")
        if b"p" not in _attributes(entry):
            files.append(file)
        offset = fields.length(offset + file.length, "The torrent's size")
    fields.check_tree([file.path for file in files])
    return Layout(tuple(files), offset)


def _attributes(entry: Dictionary) -> bytes:
    return fields.string(entry.get(b"attr", b""), "A file's attr field")
