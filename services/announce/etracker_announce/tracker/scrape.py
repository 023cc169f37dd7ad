"""One scrape: the counts of up to 64 torrents (BEP 48)."""

import asyncio

from etracker_announce.domain.addresses import Source
from etracker_announce.domain.answers import ScrapeAnswer
from etracker_announce.domain.requests import ScrapeRequest
from etracker_announce.ports import Swarms, Torrent
from etracker_announce.settings import AnnounceSettings
from etracker_announce.tracker.admission import Admission
from etracker_shared.language.identity import InfoHash


class ScrapeHandler:
    """Answers scrapes."""

    def __init__(self, swarms: Swarms, admission: Admission, settings: AnnounceSettings) -> None:
        self._swarms = swarms
        self._admission = admission
        self._min_interval_seconds = settings.min_interval_seconds

    async def answer(self, request: ScrapeRequest, key: bytes | None, source: Source) -> ScrapeAnswer:
        """Answer one scrape; torrents that aren't tracked or are banned are left out.

        Raises:
            RefusalError: the key is invalid, the address is banned, or the tracker is still starting.
            SwarmsUnavailableError, AllowlistUnavailableError: the client should try again soon.
        """
        key_hash = self._admission.hash_key(key)
        self._admission.check_network(source)
        await self._admission.judge(key_hash)
        found = await asyncio.gather(*(self._find(*readings) for readings in request.info_hashes))
        torrents = dict(pair for pair in found if pair)
        counts = await self._swarms.scrape(list(torrents)) if torrents else []
        return ScrapeAnswer(
            {
                info_hash: (count, self._admission.snatches(info_hash, torrent, count.snatches))
                for (info_hash, torrent), count in zip(torrents.items(), counts, strict=True)
            },
            self._min_interval_seconds,
        )

    async def _find(self, info_hash: InfoHash, other: InfoHash | None) -> tuple[InfoHash, Torrent] | None:
        if torrent := await self._admission.find(info_hash):
            return info_hash, torrent
        if other and (torrent := await self._admission.find(other)):
            return other, torrent
        return None
