"""Torrent files in and out."""

import asyncio
from collections.abc import Awaitable, Callable

from etracker_admin_api.domain.announce_urls import announce_url
from etracker_admin_api.domain.catalogue import StoredTorrent
from etracker_admin_api.domain.errors import TorrentError
from etracker_admin_api.domain.operators import Actor
from etracker_admin_api.domain.torrents import Torrent, parse_torrent, with_announce_url
from etracker_admin_api.metrics import Metrics
from etracker_admin_api.ports import Catalogue, Keys
from etracker_shared.identity import InfoHash

PARSERS = 2
"""Uploads parsed at once: each may take a second of CPU and a few hundred MB."""


class UnknownKeyError(Exception):
    """The announce key isn't registered."""


class UnknownTorrentError(Exception):
    """The infohash isn't tracked, or (``tracked``) is, but nobody uploaded its file."""

    def __init__(self, *, tracked: bool) -> None:
        super().__init__()
        self.tracked = tracked


class TorrentFiles:
    """Takes uploads, and hands them out with the announce URL of whoever asks.

    ``changed`` is called when a torrent was added.
    """

    def __init__(self, catalogue: Catalogue, keys: Keys, changed: Callable[[], None], metrics: Metrics) -> None:
        self._catalogue = catalogue
        self._keys = keys
        self._changed = changed
        self._metrics = metrics
        self._parsers = asyncio.Semaphore(PARSERS)

    async def upload(self, arriving: Awaitable[bytes], actor: Actor) -> tuple[Torrent, bool]:
        """Track a torrent when its file has arrived; return it and whether any of its infohashes was new.

        Raises:
            TorrentError: the file isn't accepted.
            DatabaseUnavailableError: it can't be stored.
        """
        try:
            torrent = await self._parse(await arriving)
        except TorrentError:
            self._metrics.uploads.labels("refused").inc()
            raise
        is_new = await self._catalogue.add_torrent(torrent, actor)
        self._metrics.uploads.labels("new" if is_new else "known").inc()
        if is_new:
            self._changed()
        return torrent, is_new

    async def download(self, announce_key: str, info_hash: InfoHash, origin: str) -> tuple[str, bytes]:
        """Return a torrent's name and its file, with the key's announce URL at ``origin``.

        Raises:
            UnknownKeyError: the key isn't registered.
            UnknownTorrentError: there is no such torrent, or no file of it.
            DatabaseUnavailableError: they can't be looked up.
        """
        if not await self._keys.is_registered(announce_key):
            raise UnknownKeyError
        stored = await self._catalogue.find(info_hash)
        if stored is None:
            raise UnknownTorrentError(tracked=False)
        return stored.name, await self._personal_file(stored, announce_url(origin, announce_key))

    async def _parse(self, data: bytes) -> Torrent:
        async with self._parsers:
            return await asyncio.to_thread(parse_torrent, data)

    async def _personal_file(self, stored: StoredTorrent, url: str) -> bytes:
        if stored.file is None:
            raise UnknownTorrentError(tracked=True)
        async with self._parsers:
            try:
                return await asyncio.to_thread(with_announce_url, stored.file, url)
            except TorrentError:  # an operator's own INSERT can hold anything
                raise UnknownTorrentError(tracked=True) from None
