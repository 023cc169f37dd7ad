"""Downloads of torrent files with the announce URL of a key."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from etracker_admin_api.errors import (
    FileChangedError,
    TooManyDownloadsError,
    TorrentError,
    UnknownTorrentError,
    WrongKeyError,
)
from etracker_admin_api.http.announce_urls import announce_url
from etracker_admin_api.metrics import Metrics
from etracker_admin_api.torrent_file.bencoding import MAX_TORRENT_BYTES
from etracker_admin_api.torrent_file.rewriting import personal_start
from etracker_admin_api.torrents.files.download_limit import DownloadLimit, DownloadPass
from etracker_admin_api.torrents.files.parser import TorrentParser
from etracker_admin_api.torrents.files.store import FileStore, StoredFile
from etracker_shared.language.addresses import Address
from etracker_shared.language.identity import InfoHash

PIECE_BYTES = 256 * 1024
"""Memory that a download takes."""
LOOKUPS_AT_ONCE = 4
"""Downloads that look up their key at the same time, so that other requests always find a free connection."""


@dataclass(frozen=True, slots=True)
class Download:
    """A torrent file with an announce URL.

    ``rest``: the pieces after the first; raises FileChangedError or PostgresUnavailableError if the file can't be read
    to its end.
    """

    name: str
    size: int
    first: bytes
    rest: AsyncIterator[bytes]
    allowed: DownloadPass


class Downloads:
    """Sends torrent files with the caller's announce URL. ``is_registered``: returns whether an announce key works."""

    def __init__(
        self,
        stored: FileStore,
        is_registered: Callable[[str], Awaitable[bool]],
        parser: TorrentParser,
        limit: DownloadLimit,
        metrics: Metrics,
    ) -> None:
        self._stored = stored
        self._is_registered = is_registered
        self._parser = parser
        self._limit = limit
        self._lookups = asyncio.Semaphore(LOOKUPS_AT_ONCE)
        self._metrics = metrics

    async def start(self, announce_key: str, info_hash: InfoHash, origin: str, address: Address | None) -> Download:
        """Start a download with the key's announce URL at ``origin``; the caller has to give the pass back.

        Raises:
            WrongKeyError: the key isn't registered, or is disabled.
            UnknownTorrentError: the torrent isn't tracked, or its file hasn't been uploaded.
            TooManyDownloadsError: the key or the address has to wait.
            FileChangedError: the file was replaced or removed just now.
            PostgresUnavailableError: they can't be looked up.
        """
        async with self._lookups:
            if not await self._is_registered(announce_key):
                raise WrongKeyError
        try:
            allowed = await self._limit.enter(announce_key, address)
        except TooManyDownloadsError:
            self._metrics.downloads.labels("limited").inc()
            raise
        try:
            return await self._open(info_hash, announce_url(origin, announce_key), allowed)
        except BaseException:
            await allowed.give_back()
            raise

    async def _open(self, info_hash: InfoHash, url: str, allowed: DownloadPass) -> Download:
        stored = await self._checked(info_hash)
        start = personal_start(url)
        size = len(start) - 1 + (stored.size or 0)
        pieces = self._pieces(stored, start, allowed)
        return Download(stored.name, size, await anext(pieces), pieces, allowed)

    async def _checked(self, info_hash: InfoHash) -> StoredFile:
        stored = await self._find(info_hash)
        if stored.mark is None:
            await self._check(stored)
            stored = await self._find(info_hash)
        if not stored.mark:
            raise UnknownTorrentError(tracked=True)
        return stored

    async def _find(self, info_hash: InfoHash) -> StoredFile:
        stored = await self._stored.find(info_hash)
        if stored is None or stored.size is None:
            raise UnknownTorrentError(tracked=stored is not None)
        return stored

    async def _check(self, stored: StoredFile) -> None:
        if (stored.size or 0) > MAX_TORRENT_BYTES or (file := await self._stored.unchecked(stored)) is None:
            return
        try:
            stripped = await self._parser.strip(file)
        except TorrentError:  # an operator's own INSERT can contain anything
            stripped = None
        await self._stored.settle(stored, file, stripped)

    async def _pieces(self, stored: StoredFile, start: bytes, allowed: DownloadPass) -> AsyncIterator[bytes]:
        """Yield the file with ``start`` in place of its first byte."""
        offset, end = 1, stored.size or 0
        while offset < end:
            try:
                piece = await self._stored.piece(stored, offset, PIECE_BYTES)
            except FileChangedError:
                self._metrics.downloads.labels("broken").inc()
                raise
            offset += len(piece)
            yield start + piece
            start = b""
            await allowed.extend()
        self._metrics.downloads.labels("sent").inc()
