"""Torrent files in and out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from etracker_admin_api.domain.announce_urls import announce_url
from etracker_admin_api.domain.bencoding import MAX_TORRENT_BYTES
from etracker_admin_api.domain.downloads import FileChangedError, StoredFile, TooManyDownloadsError
from etracker_admin_api.domain.errors import TorrentError
from etracker_admin_api.domain.operators import Actor
from etracker_admin_api.domain.torrents import Torrent, personal_start
from etracker_admin_api.metrics import Metrics
from etracker_admin_api.ports import Catalogue, DownloadLimit, DownloadPass, Keys, StoredFiles, TorrentParser
from etracker_admin_api.use_cases.room import Room
from etracker_shared.addresses import Address
from etracker_shared.identity import InfoHash

PIECE_BYTES = 256 * 1024
"""What a download holds in memory."""
LOOKUPS_AT_ONCE = 4
"""Downloads that look up their key at once: however many start, others find a free connection to Postgres."""


class UnknownKeyError(Exception):
    """The announce key isn't registered."""


class UnknownTorrentError(Exception):
    """The infohash isn't tracked, or (``tracked``) is, but nobody uploaded its file."""

    def __init__(self, *, tracked: bool) -> None:
        super().__init__()
        self.tracked = tracked


@dataclass(frozen=True, slots=True)
class Download:
    """A torrent file with an announce URL.

    ``rest``: what follows the first piece; raises FileChangedError or DatabaseUnavailableError if it can't be read to
    its end.
    """

    name: str
    size: int
    first: bytes
    rest: AsyncIterator[bytes]
    allowed: DownloadPass


class Uploads:
    """Takes torrent files from operators. ``changed`` is called when a torrent was added."""

    def __init__(
        self, catalogue: Catalogue, parser: TorrentParser, room: Room, changed: Callable[[], None], metrics: Metrics
    ) -> None:
        self._catalogue = catalogue
        self._parser = parser
        self._room = room
        self._changed = changed
        self._metrics = metrics

    async def take(self, receive: Callable[[], Awaitable[bytes]], actor: Actor) -> tuple[Torrent, bool]:
        """Receive a file and track its torrent; return it and whether any of its infohashes was new.

        Raises:
            RoomFullError: too many uploads are under way; nothing was received.
            TorrentError: the file isn't accepted.
            DatabaseUnavailableError: it can't be stored.
        """
        async with self._room.place():
            try:
                torrent = await self._parser.parse(await receive())
            except TorrentError:
                self._metrics.uploads.labels("refused").inc()
                raise
            is_new = await self._catalogue.add_torrent(torrent, actor)
        self._metrics.uploads.labels("new" if is_new else "known").inc()
        if is_new:
            self._changed()
        return torrent, is_new


class Downloads:
    """Hands torrent files out with the announce URL of the key that asks."""

    def __init__(
        self, stored: StoredFiles, keys: Keys, parser: TorrentParser, limit: DownloadLimit, metrics: Metrics
    ) -> None:
        self._stored = stored
        self._keys = keys
        self._parser = parser
        self._limit = limit
        self._lookups = asyncio.Semaphore(LOOKUPS_AT_ONCE)
        self._metrics = metrics

    async def start(self, announce_key: str, info_hash: InfoHash, origin: str, address: Address | None) -> Download:
        """Start a download with the key's announce URL at ``origin``; the caller gives the pass back.

        Raises:
            UnknownKeyError: the key isn't registered.
            UnknownTorrentError: there is no such torrent, or no file of it.
            TooManyDownloadsError: the key or the address has to wait.
            FileChangedError: the file was replaced or removed a moment ago.
            DatabaseUnavailableError: they can't be looked up.
        """
        async with self._lookups:
            if not await self._keys.is_registered(announce_key):
                raise UnknownKeyError
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
        except TorrentError:  # an operator's own INSERT can hold anything
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
