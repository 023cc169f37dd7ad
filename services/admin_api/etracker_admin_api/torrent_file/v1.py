"""The v1 half of an info dictionary: ``pieces`` with ``length`` or ``files``. Source: BEP 3, BEP 47."""

from dataclasses import dataclass

from etracker_admin_api.errors import TorrentError
from etracker_admin_api.torrent_file import fields
from etracker_admin_api.torrent_file.bencoding import Dictionary
from etracker_admin_api.torrent_file.fields import Path
from etracker_admin_api.torrent_file.names import BITCOMET_PAD
from etracker_admin_api.torrent_file.tree import check_collisions, check_tree

_SHA1_BYTES = 20


@dataclass(frozen=True, slots=True)
class File:
    """One file: ``path`` from the torrent's folder, ``length`` in bytes (a link has none). A pad isn't content."""

    path: Path
    length: int
    is_pad: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """All files in the order of their bytes, pads included."""

    files: tuple[File, ...]

    @property
    def length(self) -> int:
        """Bytes of content."""
        return sum(file.length for file in self.files if not file.is_pad)

    @property
    def stream_length(self) -> int:
        """Bytes of content and padding."""
        return sum(file.length for file in self.files)


def parse_v1(info: Dictionary, name: str, piece_length: int) -> Layout:
    """Parse the v1 layout and check that ``pieces`` covers it exactly.

    Raises:
        TorrentError: fields are missing, out of range or contradict each other.
    """
    if b"length" in info and b"files" in info:
        raise TorrentError(
            f'The torrent has both keys "length" and "files", of which one is right. {fields.CREATE_AGAIN}'
        )
    files = _files(info[b"files"]) if b"files" in info else (_entry(info, (name,)),)
    layout = Layout(files)
    stream_length = layout.stream_length
    if stream_length > fields.MAX_TOTAL_BYTES:
        raise TorrentError(
            "The torrent's files are larger than 256 TiB, more than clients take. Make several torrents."
        )
    given, needed = len(fields.string(info, "pieces")), -(-stream_length // piece_length) * _SHA1_BYTES
    if given != needed:
        fields.refuse("pieces", f"has {given} bytes, but files of {stream_length} bytes need {needed}")
    return layout


def _files(value: object) -> tuple[File, ...]:
    if not isinstance(value, list) or not value:
        fields.refuse("files", "isn't a list" if not isinstance(value, list) else "is empty")
    if len(value) > fields.MAX_FILES:
        raise TorrentError(f"The torrent has more than {fields.MAX_FILES} files. Pack some of them into archives.")
    files = tuple(_listed(item, number) for number, item in enumerate(value, 1))
    check_tree([_raw_path(item) for item, file in zip(value, files, strict=True) if not file.is_pad])
    check_collisions([file.path for file in files if not file.is_pad])
    return files


def _raw_path(item: Dictionary) -> tuple[object, ...]:
    path = item.get(b"path.utf-8", item.get(b"path"))
    return tuple(path) if isinstance(path, list) else ()


def _listed(item: object, number: int) -> File:
    if not isinstance(item, dict):
        raise TorrentError(f'File {number} in the key "files" isn\'t a dictionary. {fields.CREATE_AGAIN}')
    attr = item.get(b"attr")
    if isinstance(attr, bytes) and b"p" in attr and not (b"path" in item or b"path.utf-8" in item):
        return _entry(item, (".pad", str(number)))
    return _entry(item, fields.path(item, number))


def _entry(entry: Dictionary, path: Path) -> File:
    attributes = fields.attributes(entry, path)
    if b"symlink path" in entry:
        fields.parts(entry[b"symlink path"], "symlink path", path)
    length = 0 if b"l" in attributes else fields.length(entry, path)
    return File(path, length, is_pad=b"p" in attributes or any(BITCOMET_PAD in part for part in path))
