"""Stored torrent files, and why one isn't sent."""

from dataclasses import dataclass


class FileChangedError(Exception):
    """A torrent file was replaced or removed while it was being read."""


class TooManyDownloadsError(Exception):
    """A key or an address has used up its share of downloads for ``wait_seconds``."""

    def __init__(self, wait_seconds: int) -> None:
        super().__init__()
        self.wait_seconds = wait_seconds


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A tracked torrent and what is known of its file.

    ``size`` in bytes is None when nobody uploaded the file. ``mark`` changes whenever the file does: None means
    that nobody has checked the file yet, 0 that it isn't a torrent.
    """

    id: int
    name: str
    size: int | None
    mark: int | None
