"""Notes which clients are handed suspects, and which keys use a suspect's address."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from cachetools import LRUCache

from etracker_announce.domain.answers import Peers
from etracker_announce.domain.suspects import Suspect, Suspects
from etracker_announce.ports import HandOuts
from etracker_announce.tracker.admitted import AdmittedAnnounce
from etracker_shared.agreements.block_lists import IDENTITY_BYTES, name_address, name_session, pack_handed
from etracker_shared.language.identity import packed_prefix

MOST_ADDRESSES = 20_000
MOST_KEYS = 80_000
NOTED_SECONDS = 3600
"""A key at an address isn't noted again within this time."""
_PORT_BYTES = 2


class HandOutLog:
    """Writes the log of handed suspects. ``on_note`` is called with the number of suspects in a list."""

    def __init__(self, hand_outs: HandOuts, on_note: Callable[[int], None]) -> None:
        self._hand_outs = hand_outs
        self._on_note = on_note
        self._addresses: LRUCache[bytes, None] = LRUCache(MOST_ADDRESSES)
        self._noted: LRUCache[bytes, float] = LRUCache(MOST_KEYS)

    def note_source(self, announce: AdmittedAnnounce, suspect: Suspect | None, secret: bytes) -> None:
        """Note the key that announces, ``suspect`` if it is one, if suspects use its address."""
        packed = announce.source.packed
        if suspect and suspect.concerns(announce.source.prefix):
            self._addresses[packed] = None
        if packed not in self._addresses:
            return
        identity = announce.key_hash[:IDENTITY_BYTES]
        if announce.at >= self._noted.get(packed + identity, 0.0) + NOTED_SECONDS:
            self._noted[packed + identity] = announce.at
            self._hand_outs.note_key_at(name_address(secret, packed), identity, int(announce.at))

    def note(self, announce: AdmittedAnnounce, peers: Peers, suspects: Suspects, secret: bytes) -> None:
        """Note the suspects among the peers that a client gets."""
        given = self._given(peers, suspects)
        if not given:
            return
        request, recipient = announce.request, announce.key_hash[:IDENTITY_BYTES]
        session = name_session(secret, announce.key_hash, announce.info_hash, request.peer_id)
        fields = {
            session + identity: pack_handed(_one_per_family(endpoints), int(announce.at))
            for identity, endpoints in given.items()
        }
        self._hand_outs.note(recipient, fields)
        for endpoints in given.values():
            for endpoint in endpoints:
                self._addresses[endpoint[:-_PORT_BYTES]] = None
        self._on_note(len(given))

    @staticmethod
    def _given(peers: Peers, suspects: Suspects) -> dict[bytes, list[bytes]]:
        given: dict[bytes, list[bytes]] = defaultdict(list)
        for records, field in ((peers.over4, "endpoint4"), (peers.over6, "endpoint6")):
            for suspect, record in () if records is None else suspects.among(records):
                endpoint = record[field].tobytes()
                if suspect.concerns(packed_prefix(endpoint[:-_PORT_BYTES])):
                    given[suspect.key_hash[:IDENTITY_BYTES]].append(endpoint)
        return given


def _one_per_family(endpoints: Iterable[bytes]) -> list[bytes]:
    by_length = {len(endpoint): endpoint for endpoint in endpoints}
    return [by_length[length] for length in sorted(by_length)]
