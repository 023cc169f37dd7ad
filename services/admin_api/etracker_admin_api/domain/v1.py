"""The v1 half of an info dictionary: ``pieces`` with ``length`` or ``files``. Source: BEP 3, BEP 47."""

from dataclasses import dataclass

from etracker_admin_api.domain import fields
from etracker_admin_api.domain.errors import TorrentError
from etracker_admin_api.domain.fields import Dictionary, Path

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
        TorrentError: fields are missing, absurd or contradict each other.
    """
    if (b"length" in info) == (b"files" in info):
        raise TorrentError("The info dictionary must have either length or files.")
    layout = _files(info[b"files"]) if b"files" in info else _single(info, name)
    pieces = fields.string(info.get(b"pieces"), "The field pieces")
    if len(pieces) != -(-layout.stream_length // piece_length) * _SHA1_BYTES:
        raise TorrentError("The field pieces doesn't fit the size and the piece length.")
    return layout


def _single(info: Dictionary, name: str) -> Layout:
    size = fields.length(info[b"length"], "The field length")
    return Layout((File((name,), size),), size)


def _files(value: object) -> Layout:
    if not isinstance(value, list) or not value:
        raise TorrentError("The field files is empty or no list.")
    if len(value) > fields.MAX_FILES:
        raise TorrentError(f"The torrent has more than {fields.MAX_FILES} files.")
    files: list[File] = []
    offset = 0
    for item in value:
        entry = fields.dictionary(item, "An entry of files")
        file = File(
            fields.path(entry.get(b"path"), "A path in files"),
            fields.length(entry.get(b"length"), "The length of a file"),
            offset,
        )
        if b"symlink path" in entry:
            fields.path(entry[b"symlink path"], "The target of a link")
        if b"p" not in _attributes(entry):
            files.append(file)
        offset = fields.length(offset + file.length, "The size of the torrent")
    fields.check_tree([file.path for file in files])
    return Layout(tuple(files), offset)


def _attributes(entry: Dictionary) -> bytes:
    return fields.string(entry.get(b"attr", b""), "The field attr of a file")
