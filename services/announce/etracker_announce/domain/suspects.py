"""Suspected and confirmed keys and guests, and what is done about them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import numpy as np

from etracker_announce.domain.swarm import Records
from etracker_shared.agreements.anomalies import Verdict
from etracker_shared.language.identity import InfoHash, KeyHash, packed_prefix

MOST_SUSPECTS = 10_000
"""If there are more when they are loaded, the worst are known."""
PEERS_OF_OFFENDER = 5
WASTE_GRACE_SECONDS = 86_400
"""After this time an offender that wastes bandwidth gets no peers at all."""
MOST_SIZES_WASTED = 3


class Suspect(NamedTuple):
    """One key or guest.

    ``confirmed``: the verdict is carried out; otherwise it is only suspected. ``since``: Unix seconds. ``prefixes``:
    those on whose sessions it is carried out, empty for all. ``wasted``: sizes of a torrent downloaded in vain,
    by the infohash under which its statistics are kept.
    """

    key_hash: KeyHash
    confirmed: bool
    verdict: Verdict
    score: float
    since: int
    prefixes: frozenset[bytes] = frozenset()
    wasted: Mapping[InfoHash, float] = {}

    def concerns(self, prefix: bytes) -> bool:
        """Return whether a session that announces from a prefix is meant."""
        return not self.prefixes or prefix in self.prefixes

    def most_peers(self, now: float) -> int:
        """Return how many peers an offender gets at most."""
        wastes = self.verdict is Verdict.WASTE
        return 0 if wastes and now >= self.since + WASTE_GRACE_SECONDS else PEERS_OF_OFFENDER


class Suspects:
    """Suspects by identity; a lookup costs the same however many there are."""

    def __init__(self, suspects: Iterable[Suspect] = ()) -> None:
        self._by_identity: dict[int, Suspect] = {}
        self._wasters: defaultdict[InfoHash, dict[KeyHash, Suspect]] = defaultdict(dict)
        for one in suspects:
            self.add(one)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._by_identity)

    def add(self, suspect: Suspect) -> None:
        """Add a suspect, in the place of what was known of its key or guest."""
        self.remove(suspect.key_hash)
        self._by_identity[_identity(suspect.key_hash)] = suspect
        if suspect.confirmed and suspect.verdict is Verdict.WASTE:
            for info_hash in suspect.wasted:
                self._wasters[info_hash][suspect.key_hash] = suspect

    def remove(self, key_hash: KeyHash) -> None:
        """Forget a key or guest, if it is known."""
        suspect = self._by_identity.pop(_identity(key_hash), None)
        for info_hash in suspect.wasted if suspect else ():
            self._wasters[info_hash].pop(key_hash, None)
            if not self._wasters[info_hash]:
                del self._wasters[info_hash]

    def offender(self, key_hash: KeyHash, prefix: bytes) -> Suspect | None:
        """Return the confirmed key or guest that announces from a prefix, or None."""
        suspect = self.find(key_hash)
        return suspect if suspect and suspect.confirmed and suspect.concerns(prefix) else None

    def find(self, key_hash: KeyHash) -> Suspect | None:
        """Return what is suspected of a key or guest, or None."""
        return self._by_identity.get(_identity(key_hash))

    def wasters(self, info_hash: InfoHash) -> Collection[Suspect]:
        """Return those that are confirmed to waste bandwidth in a torrent, by its infohash as in ``wasted``."""
        return self._wasters[info_hash].values() if info_hash in self._wasters else ()

    def meet(self, records: Records) -> bool:
        """Return whether there are suspects among records."""
        return not self._by_identity.keys().isdisjoint(records["identity"].tolist())

    def among(self, records: Records) -> list[tuple[Suspect, np.void]]:
        """Return the suspects among records, each with its record."""
        identities = records["identity"].tolist()
        if self._by_identity.keys().isdisjoint(identities):
            return []
        places = [place for place, identity in enumerate(identities) if identity in self._by_identity]
        return [(self._by_identity[identities[place]], records[place]) for place in places]

    def without_offenders(self, records: Records) -> Records:
        """Leave out the sessions of offenders."""
        identities = records["identity"].tolist()
        if self._by_identity.keys().isdisjoint(identities):
            return records
        kept = [place for place, identity in enumerate(identities) if not self._offends(identity, records[place])]
        return records if len(kept) == len(records) else records.take(np.array(kept, np.intp))

    def _offends(self, identity: int, record: np.void) -> bool:
        suspect = self._by_identity.get(identity)
        if suspect is None or not suspect.confirmed:
            return False
        over4 = bool(record["seen4"]) and suspect.concerns(packed_prefix(record["endpoint4"].tobytes()[:4]))
        over6 = bool(record["seen6"]) and suspect.concerns(packed_prefix(record["endpoint6"].tobytes()[:16]))
        return over4 or over6


def _identity(key_hash: KeyHash) -> int:
    """Return the identity in a swarm's records."""
    return int.from_bytes(key_hash[:8], "little")


NOBODY = Suspects()
