"""One scrape: the counts of up to 64 torrents (BEP 48)."""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from etracker_announce.domain.addresses import Source
from etracker_announce.domain.answers import ScrapeAnswer
from etracker_announce.domain.requests import ScrapeRequest
from etracker_announce.domain.suspects import NOBODY, Suspects
from etracker_announce.ports import Swarms, Torrent
from etracker_announce.settings import AnnounceSettings
from etracker_announce.tracker.admission import Admission
from etracker_announce.tracker.canary import blinds, hide
from etracker_shared.language.identity import InfoHash


class _Found(NamedTuple):
    """A torrent, the infohash under which it is tracked, and the one by which the answer names it."""

    info_hash: InfoHash
    torrent: Torrent
    named: InfoHash


class ScrapeHandler:
    """Answers scrapes."""

    def __init__(
        self,
        swarms: Swarms,
        admission: Admission,
        settings: AnnounceSettings,
        *,
        suspects: Callable[[], Suspects] = lambda: NOBODY,
        secret: Callable[[], bytes | None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._suspects = suspects
        self._secret = secret
        self._clock = clock
        self._swarms = swarms
        self._admission = admission
        self._min_interval_seconds = settings.min_interval_seconds

    async def answer(self, request: ScrapeRequest, key: bytes | None, source: Source) -> ScrapeAnswer:
        """Answer one scrape; torrents that aren't tracked or are banned are left out.

        Raises:
            RefusalError: the key is invalid, the address is banned, or the tracker is still starting.
            SwarmsUnavailableError, PostgresUnavailableError: the client should try again soon.
        """
        key_hash = self._admission.hash_key(key)
        self._admission.check_network(source)
        await self._admission.judge(key_hash)
        found = await asyncio.gather(*(self._find(*readings) for readings in request.info_hashes))
        torrents = [entry for entry in found if entry]
        counts = await self._swarms.scrape([entry.info_hash for entry in torrents]) if torrents else []
        suspect, secret, now = key_hash and self._suspects().find(key_hash), self._secret(), self._clock()
        if suspect and secret:
            counts = [
                hide(count) if blinds(suspect, entry.torrent.kept_as or entry.info_hash, now, secret) else count
                for entry, count in zip(torrents, counts, strict=True)
            ]
        return ScrapeAnswer(
            {
                entry.named: (count, self._admission.snatches(entry.info_hash, entry.torrent, count.snatches))
                for entry, count in zip(torrents, counts, strict=True)
            },
            self._min_interval_seconds,
        )

    async def _find(self, info_hash: InfoHash, other: InfoHash | None) -> _Found | None:
        if torrent := await self._admission.find(info_hash):
            return _Found(info_hash, torrent, info_hash)
        for reading in self._admission.readings(info_hash, other):
            if torrent := await self._admission.find(reading):
                return _Found(reading, torrent, reading if other else info_hash)
        return None
