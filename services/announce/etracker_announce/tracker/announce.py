"""One announce: admit it, take its step in the swarm, choose peers."""

from collections.abc import Callable
from typing import NamedTuple

from etracker_announce.domain.addresses import Source
from etracker_announce.domain.answers import AnnounceAnswer, Peers
from etracker_announce.domain.candidates import (
    FAMILY4,
    FAMILY6,
    Family,
    Visibility,
    endpoints,
    external_addresses,
    introducible,
    leechers_among,
    seen_from_outside,
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
from etracker_announce.tracker.budgets import Budget, Budgets
from etracker_announce.tracker.choosing import Chooser
from etracker_announce.tracker.crowds import Crowds
from etracker_announce.tracker.facts import FactWriter
from etracker_announce.tracker.seeding_counts import SeedingCounts
from etracker_shared.agreements.facts import Event, FactFlag
from etracker_shared.agreements.tiers import Sampling, Treatment
from etracker_shared.language.identity import InfoHash, KeyHash, hash_guest
from etracker_shared.language.tier import Tier

LAST_UNREACHABLE_PORT = 1
_UNREACHABLE, _GUEST, _SHARED = int(PeerFlag.UNREACHABLE), int(PeerFlag.GUEST), int(PeerFlag.SHARED)

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

    @property
    def endpoint(self) -> bytes:
        """The client's address and port, in network order."""
        return self.source.packed + self.request.port.to_bytes(2, "big")


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
        self._external = external_addresses(settings.external_ip)
        self._policy = configured_policy(settings.policy, settings.equilibrium, settings.interval_seconds)
        self._chooser = Chooser(self._policy)
        self._seeding = SeedingCounts(settings.peer_lifetime_seconds)
        self._facts = FactWriter(self._seeding.of)
        self._crowds = Crowds(settings.guests_per_minute, settings.shared_networks)
        self._budgets = Budgets(settings.budget_burst, settings.budget_seconds, metrics.suppressed.inc)
        self._metrics = metrics
        self._clock = clock

    async def answer(self, request: AnnounceRequest, key: bytes | None, source: Source) -> AnnounceAnswer:
        """Answer one announce.

        Raises:
            RefusalError: the key or the torrent isn't served, or the tracker is still starting.
            SwarmsUnavailableError, PostgresUnavailableError: the client should try again soon.
        """
        if request.event is Event.STOPPED:
            return await self._stop(request, key, source)
        key_hash = self._admission.hash_key(key)
        if ban := self._admission.ban_on(request, source):
            await self._remove(request, key_hash, source)
            raise NotAllowedError(ban)
        admitted = await self._admission.admit(request, key_hash, source.prefix)
        announce = self._admitted(request, admitted, key_hash, source)
        budget = self._budgets.spend(request, announce.key_hash, announce.info_hash, announce.endpoint, announce.at)
        if budget.answer is not None:
            return budget.answer
        answer = await self._take_step(announce, budget)
        if budget.remember:
            self._budgets.remember(budget, request, answer)
        return answer

    async def _take_step(self, announce: AdmittedAnnounce, budget: Budget) -> AnnounceAnswer:
        secret = self._loaded_secret()
        usual_seconds = spread(self._settings.interval_seconds, announce.key_hash, announce.info_hash)
        step = self._step(announce, secret)
        # A fact's interval matters only for a seeder, which gets the usual one whatever the step says (adr/0019).
        fact = None if step.looks else self._fact(announce, usual_seconds, secret, budget.suppressed)
        view = await self._swarms.announce(step, fact)
        self._seeding.learn(step, view)
        visibility = self._visibility(announce, view)
        question = self._question(announce, view, step, visibility.identity)
        candidates = introducible(_candidates(view, step), visibility)
        chosen = await self._chooser.choose(question, candidates)
        return self._answer(
            announce, view, _peers(chosen, visibility), self._interval(question, announce, usual_seconds)
        )

    async def _stop(self, request: AnnounceRequest, key: bytes | None, source: Source) -> AnnounceAnswer:
        """Take a client out of its swarm, whatever became of its key or torrent: one that is refused comes again.

        Raises:
            NotAllowedError: no key looks like that.
            SwarmsUnavailableError, NotReadyError: the client should try again soon.
        """
        leaving = await self._admission.release(request, key, source.prefix)
        announce = AdmittedAnnounce(request, source, *leaving, at=self._clock())
        secret = self._loaded_secret()
        interval_seconds = spread(self._settings.interval_seconds, announce.key_hash, announce.info_hash)
        wanted = (self._settings.guests or not announce.guest) and not self._admission.ban_on(request, source)
        fact = self._fact(announce, interval_seconds, secret, 0) if wanted else None
        view = await self._swarms.announce(self._step(announce, secret), fact)
        nobody = view.candidates[:0]
        return self._answer(announce, view, Peers(nobody, None), interval_seconds)

    def _loaded_secret(self) -> bytes:
        secret = self._secret()
        if secret is None:
            raise NotReadyError(Reason.STARTING)
        return secret

    async def _remove(self, request: AnnounceRequest, key_hash: KeyHash | None, source: Source) -> None:
        """Remove a banned client from its swarm. Nothing that it reports counts."""
        secret = self._loaded_secret()
        for info_hash in filter(None, (request.info_hash, request.other_info_hash)):
            leaving = request._replace(info_hash=info_hash, event=Event.STOPPED)
            announce = self._admitted(leaving, Admitted(NOBODY, info_hash, NEW_TORRENT), key_hash, source)
            await self._swarms.announce(self._step(announce, secret), None)

    def _admitted(
        self, request: AnnounceRequest, admitted: Admitted, key_hash: KeyHash | None, source: Source
    ) -> AdmittedAnnounce:
        return AdmittedAnnounce(
            request=request,
            source=source,
            key_hash=hash_guest(request.peer_id, request.client_key or source.prefix) if key_hash is None else key_hash,
            guest=key_hash is None,
            judgement=admitted.judgement,
            info_hash=admitted.info_hash,
            torrent=admitted.torrent,
            at=self._clock(),
        )

    def _step(self, announce: AdmittedAnnounce, secret: bytes) -> Step:
        request, treatment, now = announce.request, announce.judgement.treatment, int(announce.at)
        sampled_as = announce.key_hash if treatment.sampling is Sampling.KEY else announce.source.prefix
        pair = hash_pair(secret, sampled_as, announce.info_hash)
        numwant, role = self._numwant(request), request.role
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
            stopped=request.event is Event.STOPPED,
            window=self._policy.window(numwant) if numwant else 0,
            window_seed=pair.window_seed(now, self._settings.interval_seconds),
            rivals=self._policy.rivals,
            witnesses=MOST_PREFIXES if wants_witnesses else 0,
            now=now,
            looks=announce.guest and request.event is not Event.STOPPED and self._is_flooded(announce),
        )

    def _flags(self, announce: AdmittedAnnounce) -> int:
        # Operators of flags cost fifty times as much as those of integers.
        flags = _UNREACHABLE if announce.request.port <= LAST_UNREACHABLE_PORT else 0
        if announce.guest:
            flags |= _GUEST
        return flags | _SHARED if self._crowds.is_shared(announce.source.packed) else flags

    def _is_flooded(self, announce: AdmittedAnnounce) -> bool:
        flooded = self._crowds.is_flooded(announce.source.packed, announce.info_hash, announce.at)
        if flooded:
            self._metrics.guests_not_stored.inc()
        return flooded

    def _numwant(self, request: AnnounceRequest) -> int:
        if request.event is Event.STOPPED:
            return 0
        return self._settings.numwant if request.numwant is None else min(request.numwant, self._settings.numwant)

    def _fact(self, announce: AdmittedAnnounce, interval_seconds: int, secret: bytes, suppressed: int) -> bytes | None:
        request = announce.request
        if self._swarms.stream_full and request.event not in {Event.COMPLETED, Event.STOPPED}:
            self._metrics.facts_dropped.inc()
            return None
        flags = FactFlag.NONE
        if announce.guest:
            flags = FactFlag.GUEST
        elif announce.judgement.provisional:
            flags = FactFlag.PROVISIONAL
        return self._facts.pack(
            request,
            announce.source,
            announce.key_hash,
            announce.info_hash,
            at=announce.at,
            flags=flags,
            interval_seconds=interval_seconds,
            secret=secret,
            suppressed=suppressed,
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
            families=families if view.dual or families[0] is FAMILY6 else families[:1],
            oldest_seen=int(announce.at) - self._settings.peer_lifetime_seconds,
            private_addresses=sees_private(self._settings.private_peers, asker_is_private=source.private),
            external=self._external,
        )


def _candidates(view: View, step: Step) -> Records:
    """Leave out seeders that were only read to count their prefixes."""
    return leechers_among(view.candidates) if step.witnesses and not step.rivals else view.candidates


def _peers(chosen: Records, visibility: Visibility) -> Peers:
    over6 = _given_out(chosen, FAMILY6, visibility) if FAMILY6 in visibility.families else None
    return Peers(_given_out(chosen, FAMILY4, visibility), over6)


def _given_out(chosen: Records, family: Family, visibility: Visibility) -> Records:
    listed = endpoints(chosen, family, visibility)
    return seen_from_outside(listed, family, visibility) if visibility.external else listed
