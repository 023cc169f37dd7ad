"""Facts: what an announce passes on to the scoring worker."""

from collections.abc import Callable
from hashlib import blake2b

from etracker_announce.ports import Swarms
from etracker_announce.tracker.admitted import AdmittedAnnounce
from etracker_announce.tracker.seeding_counts import SeedingCounts
from etracker_shared.agreements.facts import Event, Fact, FactFlag, pack_fact

_ADDRESS_HASH_BYTES = 8
_MOST_ADDRESSES = 65_536


class FactWriter:
    """Writes facts. ``on_drop`` is called for each regular fact that isn't written because the stream is full."""

    def __init__(self, swarms: Swarms, seeding: SeedingCounts, on_drop: Callable[[], None]) -> None:
        self._swarms = swarms
        self._seeding = seeding
        self._on_drop = on_drop
        self._address_hashes: dict[bytes, bytes] = {}

    def write(
        self, announce: AdmittedAnnounce, interval_seconds: int, secret: bytes, suppressed: int = 0
    ) -> bytes | None:
        """Return the packed fact of an announce, or None if the stream has no room for it.

        ``secret``: the deployment's, with which addresses are hashed. ``suppressed``: how many announces before this
        one left no fact.
        """
        request = announce.request
        if self._swarms.stream_full and request.event not in {Event.COMPLETED, Event.STOPPED}:
            self._on_drop()
            return None
        packed = announce.source.packed
        return pack_fact(
            Fact(
                announce.key_hash,
                announce.info_hash,
                request.peer_id,
                announce.source.prefix,
                int(announce.at * 1000),
                request.uploaded,
                request.downloaded,
                request.left,
                request.corrupt,
                request.redundant,
                request.event,
                _flags(announce),
                interval_seconds,
                self._seeding.of(announce.info_hash),
                self._address_hashes.get(packed) or self._hash_address(packed, secret),
                request.port,
                suppressed,
            )
        )

    def _hash_address(self, packed: bytes, secret: bytes) -> bytes:
        if len(self._address_hashes) >= _MOST_ADDRESSES:
            self._address_hashes.clear()
        hashed = self._address_hashes[packed] = blake2b(packed, key=secret, digest_size=_ADDRESS_HASH_BYTES).digest()
        return hashed


def _flags(announce: AdmittedAnnounce) -> FactFlag:
    if announce.guest:
        flags = FactFlag.GUEST
    else:
        flags = FactFlag.PROVISIONAL if announce.judgement.provisional else FactFlag.NONE
    return flags | FactFlag.FOREIGN_USER_AGENT if announce.request.foreign_user_agent else flags
