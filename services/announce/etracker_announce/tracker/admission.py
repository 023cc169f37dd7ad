"""Checks the key and the torrent: the two questions that every announce begins with."""

import re
from typing import NamedTuple

from cachetools import LRUCache

from etracker_announce.domain.errors import NotAllowedError, Reason
from etracker_announce.domain.requests import AnnounceRequest
from etracker_announce.ports import Allowlist, Judgement, Swarms, Tiers, Torrent
from etracker_announce.settings import AnnounceSettings
from etracker_shared.language.identity import InfoHash, KeyHash, hash_announce_key

_KEY = re.compile(rb"[A-Za-z0-9_-]{1,64}")

NEW_TORRENT = Torrent(length=None, snatches=0)
ADMITTED_ENTRIES = 65_536


class Admitted(NamedTuple):
    """An announce is allowed. ``info_hash``: of the two that an ambiguous request may mean, the one that is tracked."""

    judgement: Judgement
    info_hash: InfoHash
    torrent: Torrent


class Admission:
    """Decides who may announce which torrent; nearly always from caches."""

    def __init__(self, tiers: Tiers, allowlist: Allowlist, swarms: Swarms, settings: AnnounceSettings) -> None:
        self._tiers = tiers
        self._allowlist = allowlist
        self._swarms = swarms
        self._guests = settings.guests
        self._open = settings.disable_allowlist
        self._new_hashes_per_hour = settings.new_hashes_per_hour
        # New infohashes, until the worker has stored them and Postgres has notified us.
        self._admitted: LRUCache[InfoHash, bool] = LRUCache(ADMITTED_ENTRIES)

    def hash_key(self, key: bytes | None) -> KeyHash | None:
        """Hash an announce key as the client sent it; None for a guest.

        Raises:
            NotAllowedError: no key looks like that, or guests aren't allowed.
        """
        if key is None:
            if not self._guests:
                raise NotAllowedError(Reason.INVALID_KEY)
            return None
        if not _KEY.fullmatch(key):
            raise NotAllowedError(Reason.INVALID_KEY)
        return hash_announce_key(key.decode("ascii"))

    async def judge(self, key_hash: KeyHash | None, prefix: bytes = b"") -> Judgement:
        """Return how to treat the asker. ``prefix``: the address prefix it announces from; empty for a scrape.

        Raises:
            NotAllowedError: the key isn't registered.
        """
        judgement = await self._tiers.judge(key_hash, prefix)
        if key_hash is not None and not judgement.treatment.registered and not judgement.provisional:
            raise NotAllowedError(Reason.INVALID_KEY)
        return judgement

    async def admit(self, request: AnnounceRequest, key_hash: KeyHash | None, prefix: bytes) -> Admitted:
        """Return how to treat the asker, and the torrent.

        Raises:
            NotAllowedError: the key isn't registered or the torrent isn't tracked.
            PostgresUnavailableError: Postgres can't be asked whether the torrent is tracked.
            SwarmsUnavailableError: Redis can't count new torrents.
        """
        judgement = await self.judge(key_hash, prefix)
        info_hash = request.info_hash
        torrent = await self._allowlist.find(info_hash)
        if torrent is None and request.other_info_hash:
            torrent = await self.find(request.other_info_hash)
            info_hash = request.other_info_hash if torrent else info_hash
        if torrent is None:
            await self._admit_new(info_hash, prefix)
        return Admitted(judgement, info_hash, torrent or NEW_TORRENT)

    async def find(self, info_hash: InfoHash) -> Torrent | None:
        """Return the torrent, or None if it isn't tracked.

        Raises:
            PostgresUnavailableError: Postgres can't be asked.
        """
        return await self._allowlist.find(info_hash)

    def snatches(self, info_hash: InfoHash, torrent: Torrent, counted: int | None) -> int:
        """Return a torrent's snatches as Redis counted them, or as Postgres did if Redis hasn't."""
        if counted is None:
            return torrent.snatches
        if counted != torrent.snatches:
            self._allowlist.learn(info_hash, counted)
        return counted

    async def _admit_new(self, info_hash: InfoHash, prefix: bytes) -> None:
        """Admit a torrent that isn't tracked if the allowlist is off."""
        if not self._open:
            raise NotAllowedError(Reason.UNREGISTERED_TORRENT)
        if info_hash not in self._admitted:
            if not await self._swarms.admit_new_hash(prefix, self._new_hashes_per_hour):
                raise NotAllowedError(Reason.TOO_MANY_NEW_TORRENTS)
            self._admitted[info_hash] = True
