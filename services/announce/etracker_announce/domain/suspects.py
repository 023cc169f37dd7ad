"""Suspected and confirmed keys and guests, and what is done about them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from etracker_announce.domain.swarm import Records
from etracker_shared.agreements.anomalies import Verdict
from etracker_shared.language.identity import InfoHash, KeyHash, packed_prefix

MOST_SUSPECTS = 10_000
"""If there are more, the worst are known."""
PEERS_OF_OFFENDER = 5
WASTE_GRACE_SECONDS = 86_400
"""After this time an offender that wastes bandwidth gets no peers at all."""
MOST_SIZES_WASTED = 3


class Suspect(NamedTuple):
    """One key or guest.

    ``confirmed``: the verdict is carried out; otherwise it is only suspected. ``since``: Unix seconds. ``prefixes``:
    those on whose sessions it is carried out, empty for all. ``wasted``: sizes of a torrent downloaded in vain.
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
    """The worst suspects, by identity; a lookup costs the same however many there are."""

    def __init__(self, suspects: Iterable[Suspect] = ()) -> None:
        worst = sorted(suspects, key=lambda one: (one.confirmed, one.score), reverse=True)[:MOST_SUSPECTS]
        self._by_identity = {int.from_bytes(one.key_hash[:8], "little"): one for one in worst}
        self._identities = frozenset(self._by_identity)
        self._wasters: dict[InfoHash, list[Suspect]] = {}
        for one in worst:
            if one.confirmed and one.verdict is Verdict.WASTE:
                for info_hash in one.wasted:
                    self._wasters.setdefault(info_hash, []).append(one)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._by_identity)

    def offender(self, key_hash: KeyHash, prefix: bytes) -> Suspect | None:
        """Return the confirmed key or guest that announces from a prefix, or None."""
        suspect = self.find(key_hash)
        return suspect if suspect and suspect.confirmed and suspect.concerns(prefix) else None

    def find(self, key_hash: KeyHash) -> Suspect | None:
        """Return what is suspected of a key or guest, or None."""
        return self._by_identity.get(int.from_bytes(key_hash[:8], "little"))

    def wasters(self, info_hash: InfoHash) -> Sequence[Suspect]:
        """Return those that are confirmed to waste bandwidth in a torrent."""
        return self._wasters.get(info_hash, ())

    def among(self, records: Records) -> list[tuple[Suspect, np.void]]:
        """Return the suspects among records, each with its record."""
        identities = records["identity"].tolist()
        if self._identities.isdisjoint(identities):
            return []
        places = [place for place, identity in enumerate(identities) if identity in self._by_identity]
        return [(self._by_identity[identities[place]], records[place]) for place in places]

    def without_offenders(self, records: Records) -> Records:
        """Leave out the sessions of offenders."""
        identities = records["identity"].tolist()
        if self._identities.isdisjoint(identities):
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


NOBODY = Suspects()
