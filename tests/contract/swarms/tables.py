"""What the swarms left in Redis, checked for what must always hold."""

from typing import Any

import numpy as np

from etracker_announce.adapters.swarms.commands import parse_counts
from etracker_announce.domain.swarm import RECORD, Counts, PeerFlag, Records
from etracker_shared.agreements import redis_keys

Client = Any
"""A redis-py client, single or cluster: both are synchronous or not by their annotations."""

LEECHER_BIT = 2**31
NO_COUNTS_FIELDS = (redis_keys.COUNTS_FIELD, redis_keys.SNATCHES_FIELD)


class Tables:
    """Look into the tables of a swarm."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def counts(self, info_hash: bytes) -> Counts:
        return parse_counts(self.client.hmget(redis_keys.members(info_hash), NO_COUNTS_FIELDS))

    def seeders(self, info_hash: bytes) -> Records:
        counts = self.counts(info_hash)
        return self._records(redis_keys.seeders(info_hash), counts.seeders + counts.partial_seeds)

    def leechers(self, info_hash: bytes) -> Records:
        return self._records(redis_keys.leechers(info_hash), self.counts(info_hash).leechers)

    def slots(self, info_hash: bytes) -> dict[tuple[bytes, int], bytes]:
        """Return (identity, code of slot) -> digest, for all members."""
        fields = self.client.hgetall(redis_keys.members(info_hash))
        found = {}
        for identity, entries in fields.items():
            for at in range(0, len(entries) if identity not in NO_COUNTS_FIELDS else 0, 8):
                code = int.from_bytes(entries[at + 4 : at + 8], "little")
                assert (identity, code) not in found
                found[identity, code] = entries[at : at + 4]
        return found

    def addresses(self, info_hash: bytes) -> set[tuple[bytes, bytes, int]]:
        """Return (address or endpoint, port, code of slot) of all peers in the swarm's addresses."""
        found = set()
        for address, peers in self.client.hgetall(redis_keys.addresses(info_hash)).items():
            for at in range(0, len(peers), 10):
                place = (address, peers[at : at + 2], int.from_bytes(peers[at + 2 : at + 6], "little"))
                assert place not in found
                found.add(place)
        return found

    def _standing(self, records: Records, side_bit: int) -> set[tuple[bytes, bytes, int]]:
        """Return what :meth:`addresses` has to hold of some records."""
        standing = set()
        for slot, record in enumerate(records):
            assert record["flags"] & PeerFlag.INDEXED
            families = (("seen4", "endpoint4", 4, PeerFlag.SHARED4), ("seen6", "endpoint6", 8, PeerFlag.SHARED6))
            for seen, name, length, flag in families:
                endpoint, shared = record[name].tobytes(), record["flags"] & flag
                if record[seen]:
                    standing.add((endpoint if shared else endpoint[:length], endpoint[-2:], slot | side_bit))
        return standing

    def check(self, info_hash: bytes) -> None:
        """Every record has its member's slot and every slot its record; no table has much slack."""
        seeders, leechers = self.seeders(info_hash), self.leechers(info_hash)
        expected = {(record["identity"].tobytes(), at) for at, record in enumerate(seeders)}
        expected |= {(record["identity"].tobytes(), at | LEECHER_BIT) for at, record in enumerate(leechers)}
        assert set(self.slots(info_hash)) == expected
        assert self.addresses(info_hash) == self._standing(seeders, 0) | self._standing(leechers, LEECHER_BIT)
        partial = int(np.count_nonzero(seeders["flags"] & PeerFlag.PARTIAL_SEED))
        assert partial == self.counts(info_hash).partial_seeds
        for key, records in ((redis_keys.seeders(info_hash), seeders), (redis_keys.leechers(info_hash), leechers)):
            assert self.client.strlen(key) * 3 <= max(0, len(records) * RECORD.itemsize * 4)

    def check_totals(self, info_hash: bytes) -> None:
        """The totals of the tag are this swarm's, the only one of its tag."""
        counts = self.counts(info_hash)
        totals = self.client.hgetall(redis_keys.totals(info_hash))
        assert int(totals.get(redis_keys.SEEDERS_FIELD, 0)) == counts.seeders
        assert int(totals.get(redis_keys.LEECHERS_FIELD, 0)) == counts.leechers
        assert int(totals.get(redis_keys.SWARMS_FIELD, 0)) == self.client.exists(redis_keys.members(info_hash))

    def keys(self) -> set[bytes]:
        """Return all keys but the sweeper's lock, which comes and goes."""
        return set(self.client.scan_iter(count=10_000)) - {redis_keys.SWEEPER_LOCK}

    def _records(self, key: bytes, count: int) -> Records:
        table = self.client.get(key) or b""
        assert len(table) >= count * RECORD.itemsize
        return np.frombuffer(table, dtype=RECORD, count=count)
