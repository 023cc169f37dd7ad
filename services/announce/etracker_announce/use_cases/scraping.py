"""One scrape: the counts of up to 64 torrents (BEP 48)."""

import asyncio

from etracker_announce.domain.answers import encode_scrape
from etracker_announce.domain.request import parse_scrape
from etracker_announce.ports import Swarms, Torrent
from etracker_announce.settings import AnnounceSettings
from etracker_announce.use_cases.lookups import Lookups
from etracker_shared.identity import InfoHash


class Scraping:
    """Answers scrapes."""

    def __init__(self, swarms: Swarms, lookups: Lookups, settings: AnnounceSettings) -> None:
        self._swarms = swarms
        self._lookups = lookups
        self._min_interval_seconds = settings.min_interval_seconds

    async def answer(self, key: bytes | None, query: bytes) -> bytes:
        """Answer one scrape; torrents that aren't tracked are left out.

        Raises:
            RefusalError: the client gets a failure.
            SwarmsUnavailableError, AllowlistUnavailableError: the client shall try again.
        """
        key_hash = self._lookups.hash_key(key)
        request = parse_scrape(query)
        await self._lookups.judge(key_hash)
        found = await asyncio.gather(*(self._find(*readings) for readings in request.info_hashes))
        torrents = dict(pair for pair in found if pair)
        counts = await self._swarms.scrape(list(torrents)) if torrents else []
        files = {
            info_hash: (count, self._lookups.snatches(info_hash, torrent, count.snatches))
            for (info_hash, torrent), count in zip(torrents.items(), counts, strict=True)
        }
        return encode_scrape(files, self._min_interval_seconds)

    async def _find(self, info_hash: InfoHash, with_spaces: InfoHash | None) -> tuple[InfoHash, Torrent] | None:
        if torrent := await self._lookups.find(info_hash):
            return info_hash, torrent
        if with_spaces and (torrent := await self._lookups.find(with_spaces)):
            return with_spaces, torrent
        return None
