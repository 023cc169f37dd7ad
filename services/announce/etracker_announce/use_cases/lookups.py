"""Who asks, and whether the torrent is tracked: the two questions every announce begins with."""

import asyncio
import re

from cachetools import LRUCache

from etracker_announce.domain.errors import NotAllowedError, Reason
from etracker_announce.ports import Allowlist, Judgement, Swarms, Tiers, Torrent
from etracker_announce.settings import AnnounceSettings
from etracker_shared.identity import InfoHash, KeyHash, hash_announce_key

_KEY = re.compile(rb"[A-Za-z0-9_-]{1,64}")

NEW_TORRENT = Torrent(length=None, snatches=0)
ADMITTED_ENTRIES = 65_536


class Lookups:
    """Judges askers and finds torrents, from caches if they hold both."""

    def __init__(self, tiers: Tiers, allowlist: Allowlist, swarms: Swarms, settings: AnnounceSettings) -> None:
        self._tiers = tiers
        self._allowlist = allowlist
        self._swarms = swarms
        self._guests = settings.guests
        self._open = settings.disable_allowlist
        self._new_hashes_per_hour = settings.new_hashes_per_hour
        # Until the worker has recorded a new infohash, and Postgres told of it, it is known here.
        self._admitted: LRUCache[InfoHash, bool] = LRUCache(ADMITTED_ENTRIES)

    def hash_key(self, key: bytes | None) -> KeyHash | None:
        """Hash the key of a request's path; None for a guest.

        Raises:
            NotAllowedError: no key looks like that, or guests aren't welcome.
        """
        if key is None:
            if not self._guests:
                raise NotAllowedError(Reason.INVALID_KEY)
            return None
        if not _KEY.fullmatch(key):
            raise NotAllowedError(Reason.INVALID_KEY)
        return hash_announce_key(key.decode("ascii"))

    async def judge(self, key_hash: KeyHash | None) -> Judgement:
        """Return how to treat the asker.

        Raises:
            NotAllowedError: the key isn't registered.
        """
        return _checked(key_hash, self._tiers.peek(key_hash) or await self._tiers.judge(key_hash))

    async def judge_and_find(
        self, key_hash: KeyHash | None, info_hash: InfoHash, prefix: bytes
    ) -> tuple[Judgement, Torrent | None]:
        """Return how to treat the asker, and the torrent if it is tracked; asks for both at once.

        Raises:
            NotAllowedError: the key isn't registered.
            AllowlistUnavailableError: nobody can say whether the torrent is tracked.
        """
        judgement, torrent = self._tiers.peek(key_hash), self._allowlist.peek(info_hash)
        if judgement and torrent:
            return _checked(key_hash, judgement), torrent
        answers = await asyncio.gather(self._tiers.judge(key_hash, prefix), self._allowlist.find(info_hash))
        return _checked(key_hash, answers[0]), answers[1]

    async def find(self, info_hash: InfoHash) -> Torrent | None:
        """Return the torrent, or None if it isn't tracked.

        Raises:
            AllowlistUnavailableError: nobody can say.
        """
        return self._allowlist.peek(info_hash) or await self._allowlist.find(info_hash)

    async def admit(self, info_hash: InfoHash, prefix: bytes) -> Torrent:
        """Take in a torrent that isn't tracked, if the allowlist is off.

        Raises:
            NotAllowedError: the allowlist is on, or there were too many new torrents from this prefix.
            SwarmsUnavailableError: nobody can count them.
        """
        if not self._open:
            raise NotAllowedError(Reason.UNREGISTERED_TORRENT)
        if info_hash not in self._admitted:
            if not await self._swarms.admit_new_hash(prefix, self._new_hashes_per_hour):
                raise NotAllowedError(Reason.TOO_MANY_NEW_TORRENTS)
            self._admitted[info_hash] = True
        return NEW_TORRENT

    def snatches(self, info_hash: InfoHash, torrent: Torrent, counted: int | None) -> int:
        """Return a torrent's snatches: as Redis counted them, or if there were none since, as Postgres did."""
        if counted is None:
            return torrent.snatches
        if counted != torrent.snatches:
            self._allowlist.learn(info_hash, counted)
        return counted


def _checked(key_hash: KeyHash | None, judgement: Judgement) -> Judgement:
    if key_hash is not None and not judgement.standing.registered and not judgement.provisional:
        raise NotAllowedError(Reason.INVALID_KEY)
    return judgement
