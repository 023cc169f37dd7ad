"""Steps: what an announce changes in its swarm, and what it reads from it."""

from collections.abc import Callable
from functools import lru_cache

from etracker_announce.domain.pairs import hash_pair
from etracker_announce.domain.policies import Policy
from etracker_announce.domain.presence import UNKNOWN_LEFT, Pace, left_units, longest_gap
from etracker_announce.domain.requests import AnnounceRequest
from etracker_announce.domain.seeding import LOOKED_AT
from etracker_announce.domain.swarm import PeerFlag, Role, Step
from etracker_announce.settings import AnnounceSettings
from etracker_announce.tracker.admitted import AdmittedAnnounce
from etracker_announce.tracker.crowds import Crowds
from etracker_announce.tracker.seeding_counts import SeedingCounts
from etracker_announce.tracker.waiting import Waiting
from etracker_shared.agreements.facts import Event
from etracker_shared.agreements.tiers import Sampling

LAST_UNREACHABLE_PORT = 1
# Flag operators cost fifty times as much as integer ones.
_UNREACHABLE, _GUEST = int(PeerFlag.UNREACHABLE), int(PeerFlag.GUEST)
_SHARED = {4: int(PeerFlag.SHARED4), 16: int(PeerFlag.SHARED6)}
"""By the length of an address."""


NOTHING_COUNTS = Pace(0, 1.0)
MOST_LENGTHS = 4096
"""How many torrent lengths' paces are kept: each would take two microseconds to compute."""


class StepMaker:
    """Makes steps. ``on_flood`` is called for each guest that may only look because its address sends too many."""

    def __init__(
        self,
        policy: Policy,
        seeding: SeedingCounts,
        waiting: Waiting,
        settings: AnnounceSettings,
        on_flood: Callable[[], None],
    ) -> None:
        self._policy = policy
        self._seeding = seeding
        self._waiting = waiting
        self._idle_pace = settings.equilibrium.idle_pace
        self._pace_in = lru_cache(MOST_LENGTHS)(self._make_pace)
        self._crowds = Crowds(settings.guests_per_minute, settings.shared_networks)
        self._most = settings.numwant
        self._interval_seconds = settings.interval_seconds
        self._on_flood = on_flood

    def make(self, announce: AdmittedAnnounce, secret: bytes) -> Step:
        """Return the step of an announce. ``secret``: the deployment's, on which peer selection is based."""
        request, treatment, now = announce.request, announce.judgement.treatment, int(announce.at)
        sampled_as = announce.key_hash if treatment.sampling is Sampling.KEY else announce.source.prefix
        pair = hash_pair(secret, sampled_as, announce.info_hash)
        numwant, role, stopped = self.numwant(request), request.role, request.event is Event.STOPPED
        wants_witnesses = role is not Role.LEECHER and self._seeding.is_due(announce.info_hash, now)
        return Step(
            info_hash=announce.info_hash,
            key_hash=announce.key_hash,
            peer_id=request.peer_id,
            pair_hash=pair.hash,
            endpoint=announce.endpoint,
            role=role,
            tier=treatment.tier,
            flags=self._flags(announce),
            # What a client says as it leaves is no progress: coming back with more left would repeat it.
            left=UNKNOWN_LEFT if stopped else left_units(request.left),
            pace=self._pace(announce, now) if role is Role.LEECHER else NOTHING_COUNTS,
            stopped=stopped,
            window=self._policy.window(numwant) if numwant else 0,
            window_seed=pair.window_seed(now, self._interval_seconds),
            rivals=self._policy.rivals,
            witnesses=LOOKED_AT if wants_witnesses else 0,
            now=now,
            looks=announce.guest and not stopped and self._is_flooded(announce),
        )

    def _pace(self, announce: AdmittedAnnounce, now: int) -> Pace:
        """Return what counts of the time since a leecher's last announce."""
        if announce.guest or self._waiting.take_place(announce.key_hash, announce.info_hash, now):
            return self._pace_in(announce.torrent.length)
        return NOTHING_COUNTS

    def _make_pace(self, torrent_length: int | None) -> Pace:
        wanted_seconds = self._policy.restricted_interval(torrent_length) or self._interval_seconds
        return Pace(longest_gap(min(wanted_seconds, self._interval_seconds)), self._idle_pace)

    def _flags(self, announce: AdmittedAnnounce) -> int:
        flags = _UNREACHABLE if announce.request.port <= LAST_UNREACHABLE_PORT else 0
        if announce.guest:
            flags |= _GUEST
        packed = announce.source.packed
        return flags | _SHARED[len(packed)] if self._crowds.is_shared(packed) else flags

    def _is_flooded(self, announce: AdmittedAnnounce) -> bool:
        flooded = self._crowds.is_flooded(announce.source.packed, announce.info_hash, announce.at)
        if flooded:
            self._on_flood()
        return flooded

    def numwant(self, request: AnnounceRequest) -> int:
        """Return how many peers a client gets at most."""
        if request.event is Event.STOPPED:
            return 0
        return self._most if request.numwant is None else min(request.numwant, self._most)
