"""One announce: admit it, take its step in the swarm, choose peers."""

from collections.abc import Callable
from typing import NamedTuple

from etracker_announce.domain.addresses import Source
from etracker_announce.domain.answers import AnnounceAnswer, Peers
from etracker_announce.domain.candidates import (
    FAMILY4,
    FAMILY6,
    Visibility,
    endpoints,
    introducible,
    leechers_among,
    sees_private,
)
from etracker_announce.domain.errors import NotAllowedError, NotReadyError, Reason
from etracker_announce.domain.interval import spread
from etracker_announce.domain.pairs import hash_pair
from etracker_announce.domain.policies import Asker, Question, configured_policy
from etracker_announce.domain.requests import AnnounceRequest
from etracker_announce.domain.seeding import MOST_PREFIXES
from etracker_announce.domain.swarm import PeerFlag, Records, Role, Step, View
from etracker_announce.metrics import Metrics
from etracker_announce.ports import Judgement, Swarms, Torrent
from etracker_announce.settings import AnnounceSettings
from etracker_announce.tracker.admission import NEW_TORRENT, Admission, Admitted
from etracker_announce.tracker.choosing import Choosing
from etracker_announce.tracker.seeding_counts import SeedingCounts
from etracker_shared.agreements.facts import Event, Fact, FactFlag, pack_fact
from etracker_shared.agreements.tiers import Sampling, Treatment
from etracker_shared.language.identity import InfoHash, KeyHash, hash_guest
from etracker_shared.language.tier import Tier

LAST_UNREACHABLE_PORT = 1

NOBODY = Judgement(Treatment(registered=False, tier=Tier.FREE_RIDER), provisional=False)
"""How somebody who is banned is treated; a step that leaves doesn't depend on it."""


class AdmittedAnnounce(NamedTuple):
    """An announce that is allowed, for a torrent that is tracked.

    ``guest``: ``key_hash`` is of the peer_id. ``at``: Unix time.
    """

    request: AnnounceRequest
    source: Source
    key_hash: KeyHash
    guest: bool
    judgement: Judgement
    info_hash: InfoHash
    torrent: Torrent
    at: float


class AnnounceHandler:
    """Answers announces."""

    def __init__(
        self,
        *,
        swarms: Swarms,
        admission: Admission,
        secret: Callable[[], bytes | None],
        settings: AnnounceSettings,
        metrics: Metrics,
        clock: Callable[[], float],
    ) -> None:
        self._swarms = swarms
        self._admission = admission
        self._secret = secret
        self._settings = settings
        self._policy = configured_policy(settings.policy, settings.equilibrium, settings.interval_seconds)
        self._choosing = Choosing(self._policy.choose_many) if self._policy.choose_many else None
        self._seeding = SeedingCounts(settings.peer_lifetime_seconds)
        self._metrics = metrics
        self._clock = clock

    async def answer(self, request: AnnounceRequest, key: bytes | None, source: Source) -> AnnounceAnswer:
        """Answer one announce.

        Raises:
            RefusalError: the key or the torrent isn't served, or the tracker is still starting.
            SwarmsUnavailableError, AllowlistUnavailableError: the client should try again soon.
        """
        key_hash = self._admission.hash_key(key)
        if ban := self._admission.ban_on(request, source):
            return await self._turn_away(ban, request, key_hash, source)
        admitted = await self._admission.admit(request, key_hash, source.prefix)
        announce = self._admitted(request, admitted, key_hash, source)
        usual_seconds = spread(self._settings.interval_seconds, announce.key_hash, announce.info_hash)
        step = self._step(announce)
        # A fact's interval matters only for a seeder, which gets the usual one whatever the step says (adr/0019).
        view = await self._swarms.announce(step, self._fact(announce, usual_seconds))
        self._seeding.learn(step, view)
        visibility = self._visibility(announce, view)
        question = self._question(announce, view, step, visibility.identity)
        candidates = introducible(_candidates(view, step), visibility)
        if self._choosing is None:
            chosen = self._policy.choose(question, candidates)
        else:
            chosen = await self._choosing.choose(question, candidates)
        return self._answer(
            announce, view, _peers(chosen, visibility), self._interval(question, announce, usual_seconds)
        )

    async def _turn_away(
        self, ban: Reason, request: AnnounceRequest, key_hash: KeyHash | None, source: Source
    ) -> AnnounceAnswer:
        """Remove from the swarm whoever is banned, without a fact: nothing they report counts. ``stopped`` succeeds.

        Raises:
            NotAllowedError: it says something else than ``stopped``.
        """
        for info_hash in filter(None, (request.info_hash, request.other_info_hash)):
            leaving = request._replace(info_hash=info_hash, event=Event.STOPPED)
            announce = self._admitted(leaving, Admitted(NOBODY, info_hash, NEW_TORRENT), key_hash, source)
            view = await self._swarms.announce(self._step(announce), None)
        if request.event is not Event.STOPPED:
            raise NotAllowedError(ban)
        interval_seconds = spread(self._settings.interval_seconds, announce.key_hash, announce.info_hash)
        return self._answer(announce, view, Peers(view.candidates[:0], None), interval_seconds)

    def _admitted(
        self, request: AnnounceRequest, admitted: Admitted, key_hash: KeyHash | None, source: Source
    ) -> AdmittedAnnounce:
        return AdmittedAnnounce(
            request=request,
            source=source,
            key_hash=hash_guest(request.peer_id) if key_hash is None else key_hash,
            guest=key_hash is None,
            judgement=admitted.judgement,
            info_hash=admitted.info_hash,
            torrent=admitted.torrent,
            at=self._clock(),
        )

    def _step(self, announce: AdmittedAnnounce) -> Step:
        request, treatment, now = announce.request, announce.judgement.treatment, int(announce.at)
        secret = self._secret()
        if secret is None:
            raise NotReadyError(Reason.STARTING)
        identity = announce.key_hash if treatment.sampling is Sampling.KEY else announce.source.prefix
        pair = hash_pair(secret, identity, announce.info_hash)
        flags = PeerFlag.UNREACHABLE if request.port <= LAST_UNREACHABLE_PORT else PeerFlag.NONE
        numwant, role = self._numwant(request), request.role
        wants_witnesses = role is not Role.LEECHER and self._seeding.is_due(announce.info_hash, now)
        return Step(
            info_hash=announce.info_hash,
            key_hash=announce.key_hash,
            peer_id=request.peer_id,
            pair_hash=pair.hash,
            endpoint=announce.source.packed + request.port.to_bytes(2, "big"),
            role=role,
            tier=treatment.tier,
            flags=flags | PeerFlag.GUEST if announce.guest else flags,
            stopped=request.event is Event.STOPPED,
            window=self._policy.window(numwant) if numwant else 0,
            window_seed=pair.window_seed(now, self._settings.interval_seconds),
            rivals=self._policy.rivals,
            witnesses=MOST_PREFIXES if wants_witnesses else 0,
            now=now,
        )

    def _numwant(self, request: AnnounceRequest) -> int:
        if request.event is Event.STOPPED:
            return 0
        return self._settings.numwant if request.numwant is None else min(request.numwant, self._settings.numwant)

    def _fact(self, announce: AdmittedAnnounce, interval_seconds: int) -> bytes | None:
        request = announce.request
        if self._swarms.stream_full and request.event not in {Event.COMPLETED, Event.STOPPED}:
            self._metrics.facts_dropped.inc()
            return None
        flags = FactFlag.NONE
        if announce.guest:
            flags = FactFlag.GUEST
        elif announce.judgement.provisional:
            flags = FactFlag.PROVISIONAL
        return pack_fact(
            Fact(
                key_hash=announce.key_hash,
                info_hash=announce.info_hash,
                peer_id=request.peer_id,
                prefix=announce.source.prefix,
                at_ms=int(announce.at * 1000),
                uploaded=request.uploaded,
                downloaded=request.downloaded,
                left=request.left,
                corrupt=request.corrupt,
                redundant=request.redundant,
                event=request.event,
                flags=flags,
                interval_seconds=interval_seconds,
                seeding_prefixes=self._seeding.of(announce.info_hash),
            )
        )

    def _answer(self, announce: AdmittedAnnounce, view: View, peers: Peers, interval_seconds: int) -> AnnounceAnswer:
        return AnnounceAnswer(
            counts=view.counts,
            snatches=self._admission.snatches(announce.info_hash, announce.torrent, view.counts.snatches),
            interval_seconds=interval_seconds,
            min_interval_seconds=min(self._settings.min_interval_seconds, interval_seconds),
            peers=peers,
            notice=announce.judgement.treatment.notice,
        )

    def _question(self, announce: AdmittedAnnounce, view: View, step: Step, identity: int) -> Question:
        share = announce.judgement.treatment.share
        asker = Asker(identity, step.pair_hash, step.tier, step.role, view.first_seen, share)
        numwant, seeders = self._numwant(announce.request), view.counts.seeders + view.counts.partial_seeds
        return Question(asker, numwant, announce.torrent.length, step.window_seed, step.now, seeders)

    def _interval(self, question: Question, announce: AdmittedAnnounce, usual_seconds: int) -> int:
        wanted = self._policy.interval(question)
        if wanted is None:
            return usual_seconds
        return min(usual_seconds, spread(wanted, announce.key_hash, announce.info_hash))

    def _visibility(self, announce: AdmittedAnnounce, view: View) -> Visibility:
        source = announce.source
        families = (FAMILY4, FAMILY6) if len(source.packed) == 4 else (FAMILY6, FAMILY4)
        return Visibility(
            identity=int.from_bytes(announce.key_hash[:8], "little"),
            families=families if view.dual else families[:1],
            oldest_seen=int(announce.at) - self._settings.peer_lifetime_seconds,
            private_addresses=sees_private(self._settings.private_peers, asker_is_private=source.private),
        )


def _candidates(view: View, step: Step) -> Records:
    """Leave out seeders that were only read to count their prefixes."""
    return leechers_among(view.candidates) if step.witnesses and not step.rivals else view.candidates


def _peers(chosen: Records, visibility: Visibility) -> Peers:
    over6 = endpoints(chosen, FAMILY6, visibility) if FAMILY6 in visibility.families else None
    return Peers(endpoints(chosen, FAMILY4, visibility), over6)
