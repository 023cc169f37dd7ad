"""Uploads of torrent files."""

from collections.abc import Awaitable, Callable

from etracker_admin_api.actors import Actor
from etracker_admin_api.errors import TorrentError
from etracker_admin_api.http.room import Room
from etracker_admin_api.metrics import Metrics
from etracker_admin_api.torrent_file.parsing import ParsedTorrent
from etracker_admin_api.torrents.files.parser import TorrentParser
from etracker_admin_api.torrents.store import TorrentStore


class Uploads:
    """Accepts torrent files from operators. ``changed`` is called after a torrent was added."""

    def __init__(
        self, store: TorrentStore, parser: TorrentParser, room: Room, changed: Callable[[], None], metrics: Metrics
    ) -> None:
        self._store = store
        self._parser = parser
        self._room = room
        self._changed = changed
        self._metrics = metrics

    async def take(self, receive: Callable[[], Awaitable[bytes]], actor: Actor) -> tuple[ParsedTorrent, bool]:
        """Receive a file and track its torrent; return the torrent and whether any of its infohashes is new.

        Raises:
            RoomFullError: too many uploads are in progress; nothing was received.
            TorrentError: the file isn't accepted.
            PostgresUnavailableError: it can't be stored.
        """
        async with self._room.place():
            try:
                torrent = await self._parser.parse(await receive())
            except TorrentError:
                self._metrics.uploads.labels("refused").inc()
                raise
            is_new = await self._store.add_torrent(torrent, actor)
        self._metrics.uploads.labels("new" if is_new else "known").inc()
        if is_new:
            self._changed()
        return torrent, is_new
