"""Checks the key, the bans and the torrent, before anything else happens to an announce."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NamedTuple

from cachetools import LRUCache

from etracker_announce.domain.addresses import Source
from etracker_announce.domain.bans import BanKind, Bans
from etracker_announce.domain.errors import NotAllowedError, NotReadyError, Reason
from etracker_announce.domain.requests import AnnounceRequest
from etracker_announce.ports import Allowlist, Judgement, Swarms, Tiers, Torrent
from etracker_announce.settings import AnnounceSettings
from etracker_shared.agreements.tiers import UNKNOWN
from etracker_shared.language.identity import ANNOUNCE_KEY, InfoHash, KeyHash, hash_announce_key, hash_guest
from etracker_shared.language.outages import PostgresUnavailableError

_KEY = re.compile(ANNOUNCE_KEY.encode())

NEW_TORRENT = Torrent(length=None, snatches=0)
ADMITTED_ENTRIES = 65_536

_REFUSALS = {
    BanKind.NETWORK: Reason.BANNED_NETWORK,
    BanKind.CLIENT: Reason.BANNED_CLIENT,
    BanKind.TORRENT: Reason.BANNED_TORRENT,
}


class Admitted(NamedTuple):
    """An announce is allowed. ``info_hash``: of the two that an ambiguous request may mean, the one that is tracked."""

    judgement: Judgement
    info_hash: InfoHash
    torrent: Torrent


class Leaving(NamedTuple):
    """A client that leaves. ``key_hash``: that of its key, registered or not, or of a guest."""

    key_hash: KeyHash
    guest: bool
    judgement: Judgement
    info_hash: InfoHash
    torrent: Torrent


_UNKNOWN = Judgement(UNKNOWN, provisional=True)


class Admission:
    """Decides who may announce which torrent; nearly always from caches.

    ``bans``: those in effect, None until they are loaded; they expire by ``clock``.
    """

    def __init__(
        self,
        tiers: Tiers,
        allowlist: Allowlist,
        swarms: Swarms,
        *,
        bans: Callable[[], Bans | None],
        settings: AnnounceSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tiers = tiers
        self._allowlist = allowlist
        self._bans = bans
        self._clock = clock
        self._swarms = swarms
        self._guests = settings.guests
        self._open = settings.disable_allowlist
        self._new_hashes_per_hour = settings.new_hashes_per_hour
        # New infohashes, until the worker has stored them and Postgres has notified us.
        self._admitted: LRUCache[InfoHash, bool] = LRUCache(ADMITTED_ENTRIES)

    def hash_key(self, key: bytes | None) -> KeyHash | None:
        """Hash an announce key as the client sent it; None for a guest.

        Raises:
            NotAllowedError: the key is malformed, or guests aren't allowed.
        """
        if key is None:
            if not self._guests:
                raise NotAllowedError(Reason.INVALID_KEY)
            return None
        return _hash_key(key)

    def ban_on(self, request: AnnounceRequest, source: Source) -> Reason | None:
        """Return why an announce is refused, or None if nothing about it is banned.

        Raises:
            NotReadyError: the bans aren't loaded yet.
        """
        bans = self._known_bans()
        if not bans:
            return None
        readings = (request.info_hash, request.other_info_hash)
        kind = bans.find(source.packed, request.peer_id, readings, self._clock())
        return None if kind is None else _REFUSALS[kind]

    def check_network(self, source: Source) -> None:
        """Check whether a scrape may come from an address.

        Raises:
            NotAllowedError: it is banned.
            NotReadyError: the bans aren't loaded yet.
        """
        if self._known_bans().finds_network(source.packed, self._clock()):
            raise NotAllowedError(Reason.BANNED_NETWORK)

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
            PostgresUnavailableError: Postgres can't be reached, so it isn't known whether the torrent is tracked.
            SwarmsUnavailableError: Redis can't count new torrents.
        """
        judgement = await self.judge(key_hash, prefix)
        info_hash = request.info_hash
        torrent = await self._allowlist.find(info_hash)
        if torrent is None:
            torrent, info_hash = await self._find_otherwise(request)
        if torrent is None:
            await self._admit_new(info_hash, prefix)
        return Admitted(judgement, info_hash, torrent or NEW_TORRENT)

    async def _find_otherwise(self, request: AnnounceRequest) -> tuple[Torrent | None, InfoHash]:
        """Return the torrent that an unknown infohash may mean, or None, and the infohash under which it is tracked."""
        for other in self.readings(request.info_hash, request.other_info_hash):
            if torrent := await self._allowlist.find(other):
                return torrent, other
            if other in self._admitted:
                return NEW_TORRENT, other
        return None, request.info_hash

    def readings(self, info_hash: InfoHash, other_info_hash: InfoHash | None) -> Iterator[InfoHash]:
        """Return the infohashes that an unknown one may mean: a few clients write a space as ``+``.

        Without an allowlist, a torrent is tracked under the infohash of its first announce, even one with this fault.
        """
        if other_info_hash:
            yield other_info_hash
        if self._open and info_hash.count(b" "):
            yield InfoHash(info_hash.replace(b" ", b"+"))

    async def release(self, request: AnnounceRequest, key: bytes | None, prefix: bytes) -> Leaving:
        """Return who leaves which torrent, whether or not the key is registered and the torrent is tracked.

        Raises:
            NotAllowedError: the key is malformed.
        """
        key_hash = hash_guest(request.peer_id, request.client_key or prefix) if key is None else _hash_key(key)
        info_hash = request.info_hash
        with suppress(PostgresUnavailableError):
            if request.other_info_hash and not await self.find(info_hash) and await self.find(request.other_info_hash):
                info_hash = request.other_info_hash
        return Leaving(key_hash, key is None, _UNKNOWN, info_hash, NEW_TORRENT)

    async def find(self, info_hash: InfoHash) -> Torrent | None:
        """Return the torrent, or None if it isn't tracked or is banned.

        Raises:
            PostgresUnavailableError: Postgres can't be reached.
            NotReadyError: the bans aren't loaded yet.
        """
        if self._known_bans().finds_torrent(info_hash, self._clock()):
            return None
        return await self._allowlist.find(info_hash)

    def snatches(self, info_hash: InfoHash, torrent: Torrent, counted: int | None) -> int:
        """Return Redis' count of a torrent's snatches, or Postgres' if Redis has none."""
        if counted is None:
            return torrent.snatches
        if counted != torrent.snatches:
            self._allowlist.learn(info_hash, counted)
        return counted

    def _known_bans(self) -> Bans:
        bans = self._bans()
        if bans is None:
            raise NotReadyError(Reason.STARTING)
        return bans

    async def _admit_new(self, info_hash: InfoHash, prefix: bytes) -> None:
        """If the allowlist is off, admit a torrent that isn't tracked yet."""
        if not self._open:
            raise NotAllowedError(Reason.UNREGISTERED_TORRENT)
        if info_hash not in self._admitted:
            if not await self._swarms.admit_new_hash(prefix, self._new_hashes_per_hour):
                raise NotAllowedError(Reason.TOO_MANY_NEW_TORRENTS)
            self._admitted[info_hash] = True


def _hash_key(key: bytes) -> KeyHash:
    if not _KEY.fullmatch(key):
        raise NotAllowedError(Reason.INVALID_KEY)
    return hash_announce_key(key.decode("ascii"))
