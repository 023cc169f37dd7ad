"""The peers of a hybrid torrent, each counted once however many of its swarms it is in."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from etracker_scoring.worker.swarms import RedisSwarms, Twice
from etracker_scoring.worker.upkeep.torrent_counts import Hybrid
from etracker_shared.agreements.counts import NO_COUNTS, SwarmCounts
from etracker_shared.agreements.peer_records import PeerFlag, PeerRecord
from etracker_shared.language.identity import InfoHash


class _Sighting(NamedTuple):
    """A peer in one swarm. If it is in two, the later role counts, or the higher one if both are equally late."""

    last_seen: int
    role: int


_PARTIAL_SEED, _LEECHER, _SEEDER = range(3)


class SharedPeers:
    """Finds the peers that are in several swarms. Its memory is bounded by the size of all swarms but the last."""

    def __init__(self) -> None:
        self._known: dict[bytes, _Sighting] = {}
        self._counted_twice = [0, 0, 0]

    @property
    def twice(self) -> Twice:
        """How many peers the sum of the swarms' counts includes once too often."""
        return Twice(self._counted_twice[_SEEDER], self._counted_twice[_LEECHER])

    def add(self, records: Iterable[PeerRecord], *, last: bool) -> None:
        """Add some of a swarm's records. ``last``: it is the last of the torrent's swarms."""
        for record in records:
            self._add(record, last=last)

    def _add(self, record: PeerRecord, *, last: bool) -> None:
        sighting = _Sighting(max(record.seen4, record.seen6), _role(record))
        marks = list(_marks(record))
        other = next((self._known[mark] for mark in marks if mark in self._known), None)
        if other is not None:
            self._counted_twice[min(sighting, other).role] += 1
            sighting = max(sighting, other)
        if not last:
            self._known.update(dict.fromkeys(marks, sighting))


async def count_hybrid(swarms: RedisSwarms, hybrid: Hybrid, counts: Mapping[InfoHash, SwarmCounts]) -> Twice:
    """Return how many peers are counted twice. Records are read only if several swarms have peers."""
    occupied = [info_hash for info_hash in hybrid.swarms if counts[info_hash] != NO_COUNTS]
    occupied.sort(key=lambda info_hash: sum(counts[info_hash]))
    peers = SharedPeers()
    if len(occupied) > 1:
        for info_hash in occupied:
            async for records in swarms.records(info_hash):
                peers.add(records, last=info_hash == occupied[-1])
    return peers.twice


def merge(counts: Sequence[SwarmCounts], twice: Twice) -> SwarmCounts:
    """Return the counts of a torrent with several swarms."""
    return SwarmCounts(
        seeders=max(0, sum(count.seeders for count in counts) - twice.seeders),
        leechers=max(0, sum(count.leechers for count in counts) - twice.leechers),
        partial_seeds=0,  # they aren't shown anywhere
    )


def _role(record: PeerRecord) -> int:
    if PeerFlag.PARTIAL_SEED in record.flags:
        return _PARTIAL_SEED
    return _SEEDER if PeerFlag.SEEDER in record.flags else _LEECHER


def _marks(record: PeerRecord) -> Iterator[bytes]:
    """Yield what makes two records one client's: the key or guest, with the peer_id or with an endpoint."""
    yield record.identity + record.peer_id
    if PeerFlag.UNREACHABLE not in record.flags:
        if record.seen4:
            yield record.identity + record.endpoint4
        if record.seen6:
            yield record.identity + record.endpoint6
